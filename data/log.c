/* log.c - log.csv, as Keras's CSVLogger(append=True, separator=';') writes it; and the reader of such files. */
#include "data.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lays out n decimal digits, the first of weight 10^exponent, as Python's repr does: 0.00012, 1.0, 1e-05, 1.5e+16. */
static void lay_out(int negative, const char *digit, int n, int exponent, char *text)
{
    const int fixed = exponent >= -4 && exponent < 16;
    const int units = fixed ? exponent : 0; /* which digit the point follows */
    int i;
    if (negative) *text++ = '-';
    for (i = units < 0 ? units : 0; i < n || (fixed && i <= units + 1); i++) {
        *text++ = i >= 0 && i < n ? digit[i] : '0';
        if (i == units && (fixed || n > 1)) *text++ = '.';
    }
    *text = 0;
    if (!fixed) snprintf(text, 8, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent) % 1000);
}

void fer_format_double(double x, char text[32])
{
    char scientific[40], digits[24];
    int precision, n = 0, i;
    if (x - x != 0) {
        snprintf(text, 32, "%s", x != x ? "nan" : x < 0 ? "-inf" : "inf");
        return;
    }
    for (precision = 0; precision < 17; precision++) { /* the fewest digits that read back to x */
        snprintf(scientific, sizeof scientific, "%.*e", precision, x);
        if (strtod(scientific, NULL) == x) break;
    }
    for (i = 0; scientific[i] && scientific[i] != 'e'; i++)
        if (scientific[i] >= '0' && scientific[i] <= '9') digits[n++] = scientific[i];
    digits[n] = 0;
    lay_out(scientific[0] == '-', digits, n, (int)strtol(scientific + i + 1, NULL, 10), text);
}

/* Line `line` of the log, with its CR LF: line 0 is the header, line i + 1 tells of epoch i. */
static void render_line(const double (*rows)[4], long line, int columns, char text[160])
{
    char value[4][32];
    int i;
    if (line == 0) {
        snprintf(text, 160, "epoch;accuracy;loss%s\r\n", columns == 4 ? ";val_accuracy;val_loss" : "");
        return;
    }
    for (i = 0; i < columns && i < 4; i++) fer_format_double(rows[line - 1][i], value[i]);
    if (columns == 4)
        snprintf(text, 160, "%ld;%s;%s;%s;%s\r\n", line - 1, value[0], value[1], value[2], value[3]);
    else
        snprintf(text, 160, "%ld;%s;%s\r\n", line - 1, value[0], value[1]);
}

/* Compares the file with the log from its start. *line and *column: where the file ends. */
static int compare(const char *path, const double (*rows)[4], long count, int columns, long *line, size_t *column,
                   struct fer_error *e)
{
    FILE *file = fopen(path, "rb");
    char text[160] = "";
    int c, failed = 0;
    *line = 0;
    *column = 0;
    if (!file) return errno == ENOENT ? 0 : fer_fail(e, "%s: cannot be read: %s", path, strerror(errno));
    render_line(rows, 0, columns, text);
    while (!failed && (c = getc(file)) != EOF) {
        if (*line > count || c != (unsigned char)text[*column]) {
            failed = fer_fail(e, "%s:%ld: is not what this run has logged: expected %.*s", path, *line + 1,
                              (int)strcspn(text, "\r"), *line > count ? "the end of the file" : text);
        } else if (text[++*column] == 0) {
            *column = 0;
            if (++*line <= count) render_line(rows, *line, columns, text);
        }
    }
    if (!failed && ferror(file)) failed = fer_fail(e, "%s: cannot be read: %s", path, strerror(errno));
    fclose(file);
    return failed;
}

int fer_log_update(const char *path, const double (*rows)[4], long count, int columns, struct fer_error *e)
{
    char text[160];
    size_t column;
    long line;
    FILE *file;
    if (compare(path, rows, count, columns, &line, &column, e)) return -1;
    if (line > count) return 0;
    file = fopen(path, "ab");
    if (!file) return fer_fail(e, "%s: cannot be written: %s", path, strerror(errno));
    for (; line <= count; line++, column = 0) {
        render_line(rows, line, columns, text);
        fputs(text + column, file);
    }
    return fer_close_written(file) ? fer_fail(e, "%s: cannot be written: %s", path, strerror(errno)) : 0;
}

/* ---- Reading ---- */

enum { LINE_ROOM = 8192, MOST_COLUMNS = 64, NO_COLUMN = -1, EPOCH_COLUMN = 4 };

struct reader {
    FILE *file;
    const char *path;
    struct fer_log *log;
    long line, room; /* rows for which there is memory */
    char text[LINE_ROOM];
    char separator;
    int columns;            /* of the header; 0 before it */
    int role[MOST_COLUMNS]; /* 0 ... 3: where in a row; EPOCH_COLUMN; NO_COLUMN */
};

void fer_log_free(struct fer_log *log)
{
    const struct fer_log nothing = {0, NULL, NULL, NULL};
    free(log->row);
    free(log->epoch);
    free(log->line);
    *log = nothing;
}

/* The next line without its end. Returns 1, 0 at the end of the file, -1 for a fault. */
static int next_line(struct reader *r, struct fer_error *e)
{
    size_t length;
    if (!fgets(r->text, LINE_ROOM, r->file)) {
        if (!ferror(r->file)) return 0;
        return fer_fail(e, "%s: cannot be read: %s", r->path, strerror(errno));
    }
    r->line++;
    length = strlen(r->text);
    if (length > 0 && r->text[length - 1] == '\n')
        r->text[--length] = 0;
    else if (!feof(r->file))
        return fer_fail(e, "%s:%ld: the line is longer than %d characters, or holds a zero byte", r->path, r->line,
                        LINE_ROOM - 2);
    if (length > 0 && r->text[length - 1] == '\r') r->text[--length] = 0;
    return 1;
}

/* Cuts a line into its fields, blanks and quotes around them taken off. Returns how many, or -1. */
static int split(struct reader *r, char *field[MOST_COLUMNS], struct fer_error *e)
{
    char *at = r->text, *end;
    int count = 0;
    for (;;) {
        while (*at == ' ') at++;
        if (count == MOST_COLUMNS) return fer_fail(e, "%s:%ld: more than %d columns", r->path, r->line, MOST_COLUMNS);
        if (*at == '"') { /* Keras quotes lists */
            field[count++] = ++at;
            end = strchr(at, '"');
            if (!end) return fer_fail(e, "%s:%ld: a quote is open at the end of the line", r->path, r->line);
            *end++ = 0;
            while (*end == ' ') end++;
            if (*end && *end != r->separator)
                return fer_fail(e, "%s:%ld: text after a closing quote", r->path, r->line);
        } else {
            field[count++] = at;
            for (end = at; *end && *end != r->separator; end++) continue;
        }
        at = end + (*end != 0);
        if (!*end) return count;
        for (*end = 0; end > field[count - 1] && end[-1] == ' ';) *--end = 0;
    }
}

static int role_of(const char *name)
{
    static const char *const names[] = {"accuracy", "loss", "val_accuracy", "val_loss", "epoch", "acc", "", "val_acc"};
    const int found = *name ? fer_find_word(name, names, 8) : NO_COLUMN;
    return found > EPOCH_COLUMN ? found - 5 : found;
}

/* Keras's names of the accuracy where the metric was not called "accuracy": they stand for it where it is not there. */
static int other_role_of(const char *name)
{
    const int validation = strncmp(name, "val_", 4) == 0;
    if (validation) name += 4;
    if (strcmp(name, "categorical_accuracy") != 0 && strcmp(name, "sparse_categorical_accuracy") != 0) return NO_COLUMN;
    return validation ? 2 : 0;
}

static int read_header(struct reader *r, struct fer_error *e)
{
    char *field[MOST_COLUMNS], *start = r->text;
    int seen[EPOCH_COLUMN + 1] = {0}, i, role;
    if (strncmp(start, "\xef\xbb\xbf", 3) == 0)
        memmove(start, start + 3, strlen(start + 3) + 1); /* a byte order mark */
    r->separator = strchr(r->text, ';') ? ';' : strchr(r->text, '\t') ? '\t' : ',';
    if ((r->columns = split(r, field, e)) < 0) return -1;
    for (i = 0; i < r->columns; i++) {
        r->role[i] = role_of(field[i]);
        if (r->role[i] != NO_COLUMN && seen[r->role[i]]++)
            return fer_fail(e, "%s:%ld: two columns of %.40s", r->path, r->line, field[i]);
    }
    for (i = 0; i < r->columns; i++)
        if ((role = other_role_of(field[i])) != NO_COLUMN && !seen[role]++) r->role[i] = role;
    if (!seen[2]) return fer_fail(e, "%s:%ld: expected a header with a column val_accuracy", r->path, r->line);
    return 0;
}

/* One more row. Memory follows what has really been read. */
static int reserve(struct reader *r, struct fer_error *e)
{
    struct fer_log *log = r->log;
    const size_t room = r->room ? 2 * (size_t)r->room : 64;
    void *row, *epoch, *line;
    if (log->count < r->room) return 0;
    if (room > 100000000) return fer_fail(e, "%s:%ld: more rows than a log can have", r->path, r->line);
    if ((row = realloc(log->row, room * sizeof *log->row)) != NULL) log->row = row;
    if ((epoch = realloc(log->epoch, room * sizeof *log->epoch)) != NULL) log->epoch = epoch;
    if ((line = realloc(log->line, room * sizeof *log->line)) != NULL) log->line = line;
    if (!row || !epoch || !line) return fer_fail(e, "%s:%ld: out of memory", r->path, r->line);
    r->room = (long)room;
    return 0;
}

/* A number, or NaN where there is none. */
static int read_number(struct reader *r, const char *name, const char *text, double *value, struct fer_error *e)
{
    char *end;
    *value = strtod(text, &end);
    if (!*text || strcmp(text, "NA") == 0) {
        *value = NAN;
        return 0;
    }
    if (end == text || *end) return fer_fail(e, "%s:%ld: %s is %.40s, expected a number", r->path, r->line, name, text);
    return 0;
}

static int read_row(struct reader *r, struct fer_error *e)
{
    static const char *const names[] = {"accuracy", "loss", "val_accuracy", "val_loss", "epoch"};
    char *field[MOST_COLUMNS];
    double value[EPOCH_COLUMN + 1];
    const int count = split(r, field, e);
    int i;
    if (count < 0) return -1;
    if (count != r->columns)
        return fer_fail(e, "%s:%ld: %d fields, expected %d as the header has", r->path, r->line, count, r->columns);
    if (reserve(r, e)) return -1;
    for (i = 0; i < EPOCH_COLUMN; i++) value[i] = NAN;
    value[EPOCH_COLUMN] = (double)r->log->count;
    for (i = 0; i < count; i++)
        if (r->role[i] != NO_COLUMN && read_number(r, names[r->role[i]], field[i], &value[r->role[i]], e)) return -1;
    for (i = 0; i <= 2; i += 2)
        if (value[i] < 0 || value[i] > 1)
            return fer_fail(e, "%s:%ld: %s is %g, expected a share, 0 ... 1", r->path, r->line, names[i], value[i]);
    if (!(value[EPOCH_COLUMN] >= 0 && value[EPOCH_COLUMN] < 1e9) ||
        value[EPOCH_COLUMN] != (double)(long)value[EPOCH_COLUMN])
        return fer_fail(e, "%s:%ld: epoch is %g, expected a whole number below 1e9", r->path, r->line,
                        value[EPOCH_COLUMN]);
    memcpy(r->log->row[r->log->count], value, sizeof *r->log->row);
    r->log->epoch[r->log->count] = (long)value[EPOCH_COLUMN];
    r->log->line[r->log->count++] = r->line;
    return 0;
}

/* Of a line after the first: rows are numbers. */
static int is_header(const char *line)
{
    return strstr(line, "val_acc") || strstr(line, "val_categorical_acc") || strstr(line, "val_sparse_categorical_acc");
}

int fer_log_read(struct fer_log *log, const char *path, struct fer_error *e)
{
    struct reader r = {0};
    int more, failed = 0;
    memset(log, 0, sizeof *log);
    r.path = path;
    r.log = log;
    r.file = fopen(path, "rb");
    if (!r.file) return fer_fail(e, "%s: cannot be read: %s", path, strerror(errno));
    while (!failed && (more = next_line(&r, e)) != 0) {
        if (more < 0)
            failed = -1;
        else if (r.text[strspn(r.text, " ")])
            failed = !r.columns || is_header(r.text) ? read_header(&r, e) : read_row(&r, e);
    }
    fclose(r.file);
    if (!failed && !r.columns)
        failed = fer_fail(e, "%s:1: the file is empty, expected a header with a column val_accuracy", path);
    if (failed) fer_log_free(log);
    return failed;
}
