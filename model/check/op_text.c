/* op_text.c - what `fer op --print` shows: arrays as text, each value the shortest decimal that reads back to the same
 * number. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

static void print_value(FILE *out, double x)
{
    char text[32];
    int digits;
    fer_format_double(x, text);
    for (digits = sizeof(real) == sizeof(float) ? 1 : 9; digits < 9; digits++) { /* of a float fewer may do */
        char shorter[320];
        snprintf(shorter, sizeof shorter, "%.*g", digits, x);
        if (strtof(shorter, NULL) == (float)x) {
            fputs(shorter, out);
            return;
        }
    }
    fputs(text, out);
}

/* A line for each row; dimensions of size 1 do not count. A blank line between matrices. */
static void print_values(FILE *out, const struct fer_array *array, const real *value)
{
    size_t row = 1, matrix = 1, i;
    int d = array->dims - 1;
    while (d >= 0 && row == 1) row = array->shape[d--];
    matrix = row;
    while (d >= 0 && matrix == row) matrix *= array->shape[d--];
    for (i = 0; i < array->count; i++) {
        print_value(out, (double)value[i]);
        fputs((i + 1) % row ? " " : (i + 1) % matrix || i + 1 == array->count ? "\n" : "\n\n", out);
    }
}

int fer_npz_text(FILE *out, const char *path, struct fer_error *e)
{
    struct fer_npz *npz;
    size_t i;
    int d, failed = 0;
    if (fer_npz_open(&npz, path, e)) return -1;
    for (i = 0; i < fer_npz_count(npz) && !failed; i++) {
        const struct fer_array *array = fer_npz_at(npz, i);
        real *value = fer_allocate(array->count, sizeof *value, e);
        failed = !value || fer_npz_read(npz, array, value, e);
        if (!failed) {
            fprintf(out, "%s [", array->name);
            for (d = 0; d < array->dims; d++) fprintf(out, d ? ",%lu" : "%lu", (unsigned long)array->shape[d]);
            fputs("]\n", out);
            print_values(out, array, value);
        }
        fer_free(value);
    }
    fer_npz_close(npz);
    return failed;
}
