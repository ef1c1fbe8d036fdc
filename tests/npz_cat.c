/* npz_cat.c - shows what fer reads in an npy or npz file, or writes it again; tests/test_npz.py compares that with NumPy.
 *
 *     npz_cat                the name of `real`
 *     npz_cat FILE           for each array three lines: its name; its type and sizes; its values, read as real
 *     npz_cat FILE OUT.npz   writes all arrays as f8 */
#include "../fer.h"

#include <stdio.h>

static const char *const type_names[] = {"f2", "f4", "f8", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"};

static int show(struct fer_npz *npz, const struct fer_array *array, struct fer_error *e)
{
    real *values = fer_allocate(array->count, sizeof *values, e);
    const int failed = !values || fer_npz_read(npz, array, values, e);
    size_t i;
    int k;
    if (!failed) {
        printf("%s\n%s", array->name, type_names[array->type]);
        for (k = 0; k < array->dims; k++) printf(" %lu", (unsigned long)array->shape[k]);
        printf("\n");
        for (i = 0; i < array->count; i++) printf(i ? " %.17g" : "%.17g", (double)values[i]);
        printf("\n");
    }
    fer_free(values);
    return failed ? -1 : 0;
}

static int copy(struct fer_npz *npz, const struct fer_array *array, struct fer_npz_writer *writer, struct fer_error *e)
{
    double *values = fer_allocate(array->count, sizeof *values, e);
    const int failed = !values || fer_npz_read_double(npz, array, values, e) ||
                       fer_npz_write(writer, array->name, FER_F8, array->dims, array->shape, values, e);
    fer_free(values);
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct fer_error e;
    struct fer_npz *npz = NULL;
    struct fer_npz_writer *writer = NULL;
    size_t i;
    int failed;
    if (argc != 2 && argc != 3) {
        printf("%s\n", FER_REAL_NAME);
        return 2;
    }
    failed = fer_npz_open(&npz, argv[1], &e);
    if (!failed && argc == 3) failed = fer_npz_create(&writer, argv[2], &e);
    for (i = 0; !failed && i < fer_npz_count(npz); i++)
        failed = writer ? copy(npz, fer_npz_at(npz, i), writer, &e) : show(npz, fer_npz_at(npz, i), &e);
    if (!failed && writer) failed = fer_npz_commit(writer, &e);
    else fer_npz_abandon(writer);
    if (failed) fprintf(stderr, "%s\n", e.text);
    fer_npz_close(npz);
    return failed ? 1 : 0;
}
