/* pits_csv.c - RUN/pits.csv: one line an outcome of an experiment on a pit,
 * `epoch;experiment;detail;val_accuracy;val_loss;recovered`, ended by CR LF. Texts hold no `;` and no control
 * characters; a NaN is an empty field. */
#include "data.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "epoch;experiment;detail;val_accuracy;val_loss;recovered";

enum { FIELDS = 6 };

/* ---- Writing ---- */

/* A text as a field: what must not stand there becomes a comma. */
static void write_text(FILE *file, const char *text)
{
    for (; *text; text++) putc(*text == ';' || (unsigned char)*text < ' ' || *text == 127 ? ',' : *text, file);
}

static void write_number(FILE *file, double value)
{
    char text[32] = "";
    if (value == value) fer_format_double(value, text);
    fprintf(file, ";%s", text);
}

int fer_pits_write(const char *path, const struct fer_pit_row *rows, size_t count, struct fer_error *e)
{
    FILE *file = fer_file_create(path, e);
    size_t i;
    if (!file) return -1;
    fprintf(file, "%s\r\n", header);
    for (i = 0; i < count; i++) {
        fprintf(file, "%ld;", rows[i].epoch);
        write_text(file, rows[i].experiment);
        putc(';', file);
        write_text(file, rows[i].detail);
        write_number(file, rows[i].val_accuracy);
        write_number(file, rows[i].val_loss);
        write_number(file, rows[i].recovered);
        fprintf(file, "\r\n");
    }
    return fer_file_commit(file, path, e);
}

/* ---- Reading. The reason of a failure has no file and line yet. ---- */

static int read_text(char *to, size_t size, const char *text, const char *name, struct fer_error *reason)
{
    size_t i, length = strlen(text);
    if (length == 0 || length >= size)
        return fer_fail(reason, "%s has %lu characters, expected 1 ... %lu", name, (unsigned long)length,
                        (unsigned long)size - 1);
    for (i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return fer_fail(reason, "%s holds a control character", name);
    memcpy(to, text, length + 1);
    return 0;
}

static int read_number(double *value, const char *text, const char *name, struct fer_error *reason)
{
    char *end;
    *value = NAN;
    if (!*text) return 0;
    *value = strtod(text, &end);
    return end == text || *end ? fer_fail(reason, "%s is %.40s, expected a number or nothing", name, text) : 0;
}

static int read_row(char *line, struct fer_pit_row *row, struct fer_error *reason)
{
    char *field[FIELDS], *at = line, *end;
    double epoch;
    int i;
    for (i = 0; i < FIELDS; i++) {
        field[i] = at;
        end = at + strcspn(at, ";");
        if ((*end != 0) != (i + 1 < FIELDS)) return fer_fail(reason, "expected %d fields: %s", FIELDS, header);
        at = end + (*end != 0);
        *end = 0;
    }
    if (read_number(&epoch, field[0], "epoch", reason)) return -1;
    if (!(epoch >= 0 && epoch < 1e9) || epoch != (double)(long)epoch)
        return fer_fail(reason, "epoch is %.40s, expected a whole number", field[0]);
    row->epoch = (long)epoch;
    if (read_text(row->experiment, sizeof row->experiment, field[1], "experiment", reason) ||
        read_text(row->detail, sizeof row->detail, field[2], "detail", reason) ||
        read_number(&row->val_accuracy, field[3], "val_accuracy", reason) ||
        read_number(&row->val_loss, field[4], "val_loss", reason))
        return -1;
    return read_number(&row->recovered, field[5], "recovered", reason);
}

/* Rows as they come. Memory follows what has really been read. */
struct growing_rows {
    struct fer_pit_row *row;
    size_t count, room;
};

static int take_line(struct growing_rows *rows, char *line, long number, struct fer_error *reason)
{
    size_t length = strlen(line);
    struct fer_pit_row *more;
    if (length == 0 || line[length - 1] != '\n')
        return fer_fail(reason, "the line is cut short or too long, or holds a zero byte");
    line[--length] = 0;
    if (length > 0 && line[length - 1] == '\r') line[--length] = 0;
    if (number == 1) return strcmp(line, header) == 0 ? 0 : fer_fail(reason, "expected the header %s", header);
    if (rows->count == rows->room) {
        const size_t room = rows->room ? 2 * rows->room : 64;
        if (!(more = fer_allocate(room, sizeof *more, reason))) return -1;
        if (rows->count) memcpy(more, rows->row, rows->count * sizeof *more);
        fer_free(rows->row);
        rows->row = more;
        rows->room = room;
    }
    return read_row(line, &rows->row[rows->count], reason) ? -1 : (rows->count++, 0);
}

int fer_pits_read(const char *path, struct fer_pit_row **rows, size_t *count, struct fer_error *e)
{
    struct growing_rows growing = {NULL, 0, 0};
    struct fer_error reason;
    FILE *file = fopen(path, "rb");
    char line[3000];
    long number = 0;
    int failed = 0;
    *rows = NULL;
    *count = 0;
    if (!file) return fer_fail(e, "%s: cannot be read: %s", path, strerror(errno));
    while (!failed && fgets(line, sizeof line, file)) {
        number++;
        if (take_line(&growing, line, number, &reason)) failed = fer_fail(e, "%s:%ld: %s", path, number, reason.text);
    }
    if (!failed && ferror(file)) failed = fer_fail(e, "%s: cannot be read: %s", path, strerror(errno));
    if (!failed && number == 0) failed = fer_fail(e, "%s:1: the file is empty, expected the header %s", path, header);
    fclose(file);
    if (failed) {
        fer_free(growing.row);
        return -1;
    }
    *rows = growing.row;
    *count = growing.count;
    return 0;
}
