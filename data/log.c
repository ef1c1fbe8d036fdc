/* log.c - log.csv, as Keras's CSVLogger(append=True, separator=';') writes it. */
#include "../fer.h"

#include <errno.h>
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
    int failed;
    if (compare(path, rows, count, columns, &line, &column, e)) return -1;
    if (line > count) return 0;
    file = fopen(path, "ab");
    if (!file) return fer_fail(e, "%s: cannot be written: %s", path, strerror(errno));
    for (; line <= count; line++, column = 0) {
        render_line(rows, line, columns, text);
        fputs(text + column, file);
    }
    failed = fflush(file) || ferror(file) || fer_flush_to_disk(file);
    failed |= fclose(file) != 0;
    return failed ? fer_fail(e, "%s: cannot be written: %s", path, strerror(errno)) : 0;
}
