/* csv.c - reads a FER2013 CSV:
 *
 *     emotion,pixels,Usage
 *     0,70 80 82 72 58 ... 109 82,Training
 *
 * The file is 300 MB of text for 80 MB of pixels: the text streams through a buffer and is never held. Four levels:
 *
 *     next_byte     the file, byte by byte
 *     field_byte    the bytes of one field, its quotes taken off, until its end
 *     read_word, read_pixels     what one field says
 *     read_header, read_row      what one line says
 *
 * Fields are separated by commas. A field may be quoted ("..", a quote inside is doubled), but must end on the line on
 * which it begins, so that an open quote is reported where it stands. */
#include "data.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define MAX_COLUMNS 64
#define WORD 32 /* bytes of a short field that are looked at */

enum { FIELD_FAULT = -1, FIELD_END = -2 }; /* in place of a byte */

enum role { OTHER, EMOTION, PIXELS, USAGE, ROLES };
static const char *const role_names[ROLES] = {"", "emotion", "pixels", "Usage"};

struct csv {
    FILE *file;
    const char *path;
    struct fer_error *e;
    struct fer_growing set;
    unsigned char buffer[16384];
    size_t used, filled;
    unsigned long line;
    enum role role[MAX_COLUMNS];
    int columns;
    int in_field, in_quotes; /* the present field has not ended; its quote is open */
    int end;                 /* what ended the last field: ',' or '\n' or EOF */
    int side;                /* of the images, which are square; 0 before the first */
};

static int fail(struct csv *c, const char *format, ...) FER_PRINTF(2, 3);
static int fail(struct csv *c, const char *format, ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return fer_fail(c->e, "%s:%lu: %s", c->path, c->line, reason);
}

/* ---- Bytes ---- */

static int next_byte(struct csv *c)
{
    if (c->used == c->filled) {
        c->used = 0;
        c->filled = fread(c->buffer, 1, sizeof c->buffer, c->file);
        if (c->filled == 0) return EOF;
    }
    return c->buffer[c->used++];
}

/* Takes back the byte that next_byte gave last. */
static void back(struct csv *c, int byte)
{
    if (byte != EOF) c->used--;
}

/* ---- Fields ---- */

static int is_blank(int byte)
{
    return byte == ' ' || byte == '\t';
}

static int end_field(struct csv *c, int by)
{
    if (c->in_quotes) return fail(c, "a quote is open at the end of the line, expected it to be closed");
    c->end = by;
    c->in_field = 0;
    return FIELD_END;
}

/* Goes to the first byte of the next field. */
static void begin_field(struct csv *c)
{
    int byte;
    do byte = next_byte(c);
    while (is_blank(byte));
    c->in_field = 1;
    c->in_quotes = byte == '"';
    if (!c->in_quotes) back(c, byte);
}

/* A byte that may be a quote, a comma, the end of the line or of the file. */
static int special_byte(struct csv *c, int byte)
{
    if (byte == EOF && ferror(c->file)) return fail(c, "the file cannot be read: %s", strerror(errno));
    if (byte == '"' && c->in_quotes) { /* a doubled quote is one; a single one ends the field */
        if ((byte = next_byte(c)) == '"') return byte;
        c->in_quotes = 0;
        while (is_blank(byte)) byte = next_byte(c);
        if (byte != ',' && byte != '\r' && byte != '\n' && byte != EOF)
            return fail(c, "text after a closing quote, expected a comma or the end of the line");
    }
    if (byte == '"') return fail(c, "a quote inside a field, expected it around the whole field");
    if (byte == '\r' && (byte = next_byte(c)) != '\n' && byte != EOF)
        return fail(c, "a carriage return inside the line, expected lines ended by LF or CR LF");
    if (byte == '\n' || byte == EOF || (byte == ',' && !c->in_quotes)) return end_field(c, byte);
    if (byte < ' ' && byte != '\t') return fail(c, "a byte of value %d, expected text", byte);
    return byte;
}

/* The next byte of the field, or FIELD_END or FIELD_FAULT. Nearly all bytes are digits and blanks: the short way. */
static int field_byte(struct csv *c)
{
    const int byte = next_byte(c);
    return byte > ',' || byte == ' ' ? byte : special_byte(c, byte);
}

/* A short field, without the blanks at its end; what is longer than a word can be is cut. */
static int read_word(struct csv *c, char word[WORD])
{
    int byte, length = 0;
    while ((byte = field_byte(c)) >= 0)
        if (length < WORD - 1) word[length++] = (char)byte;
    while (length > 0 && is_blank(word[length - 1])) length--;
    word[length] = 0;
    return byte == FIELD_FAULT ? -1 : 0;
}

/* The next pixel of the field, number `index` counted from 1; or FIELD_END or FIELD_FAULT. */
static int next_pixel(struct csv *c, unsigned long index)
{
    int byte, value = 0;
    if (!c->in_field) return FIELD_END;
    do byte = field_byte(c);
    while (is_blank(byte));
    if (byte < 0) return byte;
    for (; byte >= '0' && byte <= '9'; byte = field_byte(c)) {
        value = value * 10 + (byte - '0');
        if (value > 255) return fail(c, "pixel %lu is above 255, expected 0 ... 255", index);
    }
    if (byte > 126) byte = '?'; /* in a message it might be half a letter */
    if (byte >= 0 && !is_blank(byte))
        return fail(c, "pixel %lu contains '%c', expected a number 0 ... 255", index, byte);
    return byte == FIELD_FAULT ? FIELD_FAULT : value;
}

/* The first image says how large all are. */
static int set_side(struct csv *c, unsigned long count)
{
    int side = 1;
    while ((unsigned long)side * (unsigned long)side < count) side++;
    if ((unsigned long)side * (unsigned long)side != count)
        return fail(c, "%lu pixels, expected those of a square image, as 48 * 48 = 2304", count);
    c->side = side;
    return 0;
}

/* Puts the pixels behind those of the images read before. */
static int read_pixels(struct csv *c)
{
    struct fer_dataset *data = c->set.data;
    const unsigned long side = c->side ? (unsigned long)c->side : FER_MAX_SIDE;
    const unsigned long most = side * side;
    unsigned long count = 0;
    int value;
    while ((value = next_pixel(c, count + 1)) >= 0) {
        if (count == most) return fail(c, "more than %lu pixels, expected %lu * %lu", most, side, side);
        if (data->pixel_count + count >= c->set.pixel_room && fer_dataset_reserve(&c->set, count + 1, c->e)) return -1;
        data->pixels[data->pixel_count + count++] = (uint8_t)value;
    }
    if (value == FIELD_FAULT) return -1;
    if (count == 0) return fail(c, "no pixels, expected values 0 ... 255 separated by blanks");
    if (c->side == 0) return set_side(c, count);
    if (count < most) return fail(c, "%lu pixels, expected %lu * %lu = %lu", count, side, side, most);
    return 0;
}

/* ---- Lines ---- */

static int read_header(struct csv *c)
{
    static const char expected[] = "expected a header such as emotion,pixels,Usage";
    int seen[ROLES] = {0};
    char word[WORD];
    do {
        int role;
        if (c->columns == MAX_COLUMNS) return fail(c, "more than %d columns, %s", MAX_COLUMNS, expected);
        begin_field(c);
        if (read_word(c, word)) return -1;
        role = fer_find_word(word, role_names, ROLES);
        if (role < OTHER) role = OTHER;
        if (role != OTHER && seen[role]++) return fail(c, "column `%s` stands twice, %s", role_names[role], expected);
        c->role[c->columns++] = (enum role)role;
    } while (c->end == ',');
    if (!seen[EMOTION]) return fail(c, "no column `emotion`, %s", expected);
    if (!seen[PIXELS]) return fail(c, "no column `pixels`, %s", expected);
    return 0;
}

static int read_label(struct csv *c, int *label)
{
    char word[WORD];
    if (read_word(c, word)) return -1;
    *label = word[0] - '0';
    if (*label >= 0 && *label < FER_CLASSES && word[1] == 0) return 0;
    return fail(c, "emotion is \"%s\", expected 0 ... %d", word, FER_CLASSES - 1);
}

static int read_usage(struct csv *c, int *usage)
{
    char word[WORD];
    if (read_word(c, word)) return -1;
    *usage = fer_find_word(word, fer_usage_names, FER_USAGES);
    return *usage >= 0 ? 0 : fail(c, "Usage is \"%s\", expected Training, PublicTest or PrivateTest", word);
}

static int read_row(struct csv *c)
{
    int column, result = 0, label = 0, usage = FER_TRAINING;
    char word[WORD];
    if (fer_dataset_reserve(&c->set, 0, c->e)) return -1;
    for (column = 0; column < c->columns; column++) {
        begin_field(c);
        switch (c->role[column]) {
        case EMOTION: result = read_label(c, &label); break;
        case PIXELS: result = read_pixels(c); break;
        case USAGE: result = read_usage(c, &usage); break;
        default: result = read_word(c, word); break;
        }
        if (result) return -1;
        if (c->end != ',' && column + 1 < c->columns)
            return fail(c, "%d fields, expected %d as in the header", column + 1, c->columns);
    }
    if (c->end == ',') return fail(c, "more than %d fields, expected %d as in the header", c->columns, c->columns);
    fer_dataset_append(&c->set, c->side, c->side, label, usage);
    return 0;
}

/* Every line but the first. Empty ones are passed over. */
static int read_rows(struct csv *c)
{
    int byte = '\n';
    while (c->end != EOF && byte != EOF) {
        c->line++;
        do byte = next_byte(c);
        while (byte == '\r');
        if (byte == '\n' || byte == EOF) continue;
        back(c, byte);
        if (read_row(c)) return -1;
    }
    if (ferror(c->file)) return fail(c, "the file cannot be read: %s", strerror(errno));
    c->line = 1;
    return c->set.data->count ? 0 : fail(c, "a header and nothing else, expected a line for each image");
}

static int read_file(struct csv *c)
{
    const int first = next_byte(c);
    if (first == EOF && ferror(c->file)) return fer_fail(c->e, "%s: cannot be read: %s", c->path, strerror(errno));
    if (first == EOF) return fer_fail(c->e, "%s: is empty, expected a FER2013 CSV", c->path);
    back(c, first);
    if (c->filled >= 3 && memcmp(c->buffer, "\xef\xbb\xbf", 3) == 0) c->used = 3; /* a mark that some editors set */
    c->line = 1;
    return read_header(c) || read_rows(c) ? -1 : 0;
}

int fer_csv_read(struct fer_dataset *data, FILE *file, const char *path, struct fer_error *e)
{
    struct csv *c = fer_allocate(1, sizeof *c, e);
    int result;
    if (!c) return -1;
    c->file = file;
    c->path = path;
    c->e = e;
    c->set.data = data;
    result = read_file(c);
    if (result == 0) fer_dataset_shrink(&c->set);
    else fer_dataset_free(data);
    fer_free(c);
    return result;
}
