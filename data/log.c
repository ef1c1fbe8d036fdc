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
    const char *column;     /* the user's, for val_accuracy; NULL: by its name */
    int columns;            /* of the header; 0 before it */
    int role[MOST_COLUMNS]; /* 0 ... 3: where in a row; EPOCH_COLUMN; NO_COLUMN */
};

void fer_log_free(struct fer_log *log)
{
    free(log->row);
    free(log->epoch);
    free(log->line);
    free(log->within);
    memset(log, 0, sizeof *log);
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

/* Names of columns, in lower case and with `_` for blanks, dashes and slashes. Where a file has several of a row's, the
 * first counts. */
static const char *const role_names[EPOCH_COLUMN + 1][14] = {
    {"accuracy", "acc", "train_accuracy", "train_acc", "categorical_accuracy", "sparse_categorical_accuracy",
     "binary_accuracy"},
    {"loss", "train_loss"},
    {"val_accuracy", "val_acc", "val_categorical_accuracy", "val_sparse_categorical_accuracy", "val_binary_accuracy",
     "valid_accuracy", "valid_acc", "validation_accuracy", "eval_accuracy", "test_accuracy", "test_acc"},
    {"val_loss", "valid_loss", "validation_loss", "eval_loss", "test_loss"},
    {"epoch", "epochs"}};

/* "Val Acc" is val_acc. */
static void plain_name(const char *name, char plain[64])
{
    size_t i;
    for (i = 0; i < 63 && name[i]; i++) {
        const char c = name[i];
        plain[i] = c == ' ' || c == '-' || c == '/' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    plain[i] = 0;
}

/* The place of a name among those of a role; -1: it has none. */
static int rank_of(const char *name, int role)
{
    char plain[64];
    int rank;
    plain_name(name, plain);
    for (rank = 0; role_names[role][rank]; rank++)
        if (strcmp(role_names[role][rank], plain) == 0) return rank;
    return -1;
}

/* Which column has each role: of several the one whose name comes first. */
static int assign_roles(struct reader *r, char *const *field, int *column, struct fer_error *e)
{
    int i, role, rank;
    for (role = 0; role <= EPOCH_COLUMN; role++) {
        int best = 99;
        column[role] = NO_COLUMN;
        for (i = 0; i < r->columns; i++) {
            rank = role == 2 && r->column ? strcmp(field[i], r->column) == 0 ? 0 : -1 : rank_of(field[i], role);
            if (rank < 0) continue;
            if (column[role] >= 0 && (rank == best || (rank < 2 && best < 2 && role != 1 && !r->column)))
                return fer_fail(e, "%s:%ld: two columns of %.40s", r->path, r->line, field[i]);
            if (rank < best) best = rank, column[role] = i;
        }
    }
    /* fastai's train_loss, valid_loss, accuracy: the last is that of the validation */
    if (column[2] < 0 && column[3] >= 0 && column[0] >= 0 && rank_of(field[column[3]], 3) == 1)
        column[2] = column[0], column[0] = NO_COLUMN;
    return 0;
}

static int read_header(struct reader *r, struct fer_error *e)
{
    char *field[MOST_COLUMNS], *start = r->text;
    int column[EPOCH_COLUMN + 1], i;
    if (strncmp(start, "\xef\xbb\xbf", 3) == 0)
        memmove(start, start + 3, strlen(start + 3) + 1); /* a byte order mark */
    r->separator = strchr(r->text, ';') ? ';' : strchr(r->text, '\t') ? '\t' : ',';
    if ((r->columns = split(r, field, e)) < 0 || assign_roles(r, field, column, e)) return -1;
    for (i = 0; i < MOST_COLUMNS; i++) r->role[i] = NO_COLUMN;
    for (i = 0; i <= EPOCH_COLUMN; i++)
        if (column[i] >= 0) r->role[column[i]] = i;
    if (r->column && column[2] < 0) return fer_fail(e, "%s:%ld: no column %.60s", r->path, r->line, r->column);
    if (column[2] < 0 && column[3] < 0)
        return fer_fail(e, "%s:%ld: expected a header with a column val_accuracy or val_loss, or --column and the name "
                           "of one", r->path, r->line);
    return 0;
}

/* One more row. Memory follows what has really been read. */
static int reserve(struct reader *r, struct fer_error *e)
{
    struct fer_log *log = r->log;
    const size_t room = r->room ? 2 * (size_t)r->room : 64;
    void *row, *epoch, *line, *within;
    if (log->count < r->room) return 0;
    if (room > 100000000) return fer_fail(e, "%s:%ld: more rows than a log can have", r->path, r->line);
    if ((row = realloc(log->row, room * sizeof *log->row)) != NULL) log->row = row;
    if ((epoch = realloc(log->epoch, room * sizeof *log->epoch)) != NULL) log->epoch = epoch;
    if ((line = realloc(log->line, room * sizeof *log->line)) != NULL) log->line = line;
    if ((within = realloc(log->within, room * sizeof *log->within)) != NULL) log->within = within;
    if (!row || !epoch || !line || !within) return fer_fail(e, "%s:%ld: out of memory", r->path, r->line);
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

/* Half a unit of the last digit that is written, and a float's own rounding, since many logs hold floats. */
static double half_unit(const char *text)
{
    const char *point = strchr(text, '.'), *exponent = strpbrk(text, "eE");
    const size_t digits = point ? strspn(point + 1, "0123456789") : 0;
    long power = exponent ? strtol(exponent + 1, NULL, 10) : 0;
    double unit = 1;
    size_t i;
    for (i = 0; i < digits && i < 20; i++) unit /= 10;
    for (; power > 0 && power < 20; power--) unit *= 10;
    for (; power < 0 && power > -20; power++) unit /= 10;
    return unit / 2 + (digits > 5 ? 0x1p-24 : 0);
}

static int read_row(struct reader *r, struct fer_error *e)
{
    static const char *const names[] = {"accuracy", "loss", "val_accuracy", "val_loss", "epoch"};
    char *field[MOST_COLUMNS];
    double value[EPOCH_COLUMN + 1];
    int count = split(r, field, e), i;
    if (count < 0) return -1;
    if (count == r->columns + 1 && !*field[count - 1]) count--; /* a separator at the end of the line */
    if (count != r->columns)
        return fer_fail(e, "%s:%ld: %d fields, expected %d as the header has", r->path, r->line, count, r->columns);
    if (reserve(r, e)) return -1;
    for (i = 0; i < EPOCH_COLUMN; i++) value[i] = NAN;
    value[EPOCH_COLUMN] = (double)r->log->count;
    for (i = 0; i < count; i++)
        if (r->role[i] != NO_COLUMN && read_number(r, names[r->role[i]], field[i], &value[r->role[i]], e)) return -1;
    for (i = 0; i <= 2; i += 2)
        if (value[i] < 0 || value[i] > 100)
            return fer_fail(e, "%s:%ld: %s is %g, expected a share, 0 ... 1, or a percentage", r->path, r->line,
                            names[i], value[i]);
    if (!(value[EPOCH_COLUMN] >= 0 && value[EPOCH_COLUMN] < 1e9) ||
        value[EPOCH_COLUMN] != (double)(long)value[EPOCH_COLUMN])
        return fer_fail(e, "%s:%ld: epoch is %g, expected a whole number below 1e9", r->path, r->line,
                        value[EPOCH_COLUMN]);
    memcpy(r->log->row[r->log->count], value, sizeof *r->log->row);
    for (i = 0; i < count; i++)
        if (r->role[i] == 2) r->log->within[r->log->count] = half_unit(field[i]);
    r->log->epoch[r->log->count] = (long)value[EPOCH_COLUMN];
    r->log->line[r->log->count++] = r->line;
    return 0;
}

/* Of a line after the first: rows are numbers. */
static int is_header(const char *line)
{
    return strstr(line, "val_acc") || strstr(line, "val_categorical_acc") || strstr(line, "val_sparse_categorical_acc");
}

/* Where an accuracy is above 1, all of them are percentages. */
static void take_percentages(struct fer_log *log)
{
    int column;
    long i;
    for (column = 0; column <= 2; column += 2) {
        double most = 0;
        for (i = 0; i < log->count; i++)
            if (log->row[i][column] > most) most = log->row[i][column];
        for (i = 0; i < log->count && most > 1; i++) {
            log->row[i][column] /= 100;
            if (column == 2) log->within[i] /= 100;
        }
    }
}

/* The smallest number of images of which every val_accuracy is a whole part, within its digits. */
static size_t images_of(const struct fer_log *log)
{
    double finest = 1; /* zeros at a number's end are often left away: the finest digit is all rows' */
    size_t images;
    long i;
    for (i = 0; i < log->count; i++)
        if (log->row[i][2] == log->row[i][2] && log->within[i] < finest) finest = log->within[i];
    for (images = 1; images <= 2000000; images++) {
        const double within = finest * (double)images;
        int known = 0;
        for (i = 0; i < log->count; i++) {
            const double hits = log->row[i][2] * (double)images;
            double off;
            if (hits != hits) continue;
            off = hits - (double)(size_t)(hits + 0.5);
            /* where whole parts are hardly further apart than the digits, one just between two of these is none */
            if ((off < 0 ? -off : off) > within * (within < 0.25 ? 1 + 1e-9 : 1 - 1e-9)) break;
            known |= log->row[i][2] > 0 && log->row[i][2] < 1;
        }
        if (i == log->count && within > 0.25 && finest > 1e-7)
            images = (size_t)(0.5 / finest + 0.5); /* the digits cannot tell it from their own number */
        if (i == log->count) return known ? images : 0;
    }
    return 0;
}

long fer_log_keep_validated(struct fer_log *log)
{
    long i, kept = 0, dropped;
    for (i = 0; i < log->count; i++) {
        if (log->row[i][2] != log->row[i][2] && log->row[i][3] != log->row[i][3]) continue;
        memmove(log->row[kept], log->row[i], sizeof *log->row);
        log->epoch[kept] = log->epoch[i], log->line[kept] = log->line[i], log->within[kept] = log->within[i];
        kept++;
    }
    dropped = log->count - kept;
    log->count = kept;
    return dropped;
}

int fer_log_read(struct fer_log *log, const char *path, struct fer_error *e)
{
    return fer_log_read_column(log, path, NULL, e);
}

int fer_log_read_column(struct fer_log *log, const char *path, const char *column, struct fer_error *e)
{
    struct reader r = {0};
    int more, failed = 0;
    memset(log, 0, sizeof *log);
    r.path = path;
    r.log = log;
    r.column = column;
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
    if (failed) return fer_log_free(log), -1;
    take_percentages(log);
    log->images = images_of(log);
    return 0;
}
