/* csv.c - reads a FER2013 CSV:
 *
 *     emotion,pixels,Usage
 *     0,70 80 82 72 58 ... 109 82,Training
 *
 * The file is 300 MB of text for 80 MB of pixels: the text streams through a buffer and is never held. Four levels:
 *
 *     next_byte     the file, byte by byte, unpacked if it is gzip
 *     field_byte    the bytes of one field, its quotes taken off, until its end
 *     read_word, read_pixels     what one field says
 *     read_header, read_row      what one line says
 *
 * Fields are separated by commas, semicolons or tabs: what the header has. A field may be quoted ("..", a quote inside
 * is doubled), but must end on the line on which it begins, so that an open quote is reported where it stands. */
#include "data.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define MAX_COLUMNS 66000 /* 256 * 256 pixels in a column each, and some */
#define WORD 32           /* bytes of a short field that are looked at */

enum { FIELD_FAULT = -1, FIELD_END = -2 }; /* in place of a byte */

enum role { OTHER, EMOTION, PIXELS, USAGE, PIXEL, ROLES }; /* PIXEL: a column of one pixel */
static const char *const role_names[] = {"", "emotion", "pixels", "Usage"};

struct csv {
    FILE *file;
    struct fer_gzip *gzip; /* NULL: the file is text */
    const char *path;
    struct fer_error *e;
    struct fer_growing set;
    unsigned char buffer[FER_GZIP_FIRST];
    size_t used, filled;
    int at_end;              /* of the file; what is in the buffer is the rest */
    const char *wrong;       /* with the gzip file; NULL: nothing */
    unsigned long line;
    unsigned char role[MAX_COLUMNS];
    int columns, separator;
    unsigned long pixel_columns, first_pixel; /* how many columns of a pixel; the number in the first's name */
    size_t tests;            /* images of usage `test`, of which is not known yet which usage that is */
    int in_field, in_quotes; /* the present field has not ended; its quote is open */
    int end;                 /* what ended the last field: the separator or '\n' or EOF */
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

/* Reads on, behind what is left in the buffer, of which there is less than all of it. */
static void fill(struct csv *c)
{
    const size_t left = c->filled - c->used, room = sizeof c->buffer - left;
    size_t more;
    if (c->at_end) return;
    if (left) memmove(c->buffer, c->buffer + c->used, left);
    more = c->gzip ? fer_gzip_read(c->gzip, c->buffer + left, room, &c->wrong)
                   : fread(c->buffer + left, 1, room, c->file);
    c->used = 0;
    c->filled = left + more;
    c->at_end = more == 0 || c->wrong;
}

static int next_byte(struct csv *c)
{
    if (c->used == c->filled) {
        fill(c);
        if (c->used == c->filled) return EOF;
    }
    return c->buffer[c->used++];
}

/* Takes back the byte that next_byte gave last. */
static void back(struct csv *c, int byte)
{
    if (byte != EOF) c->used--;
}

/* At the end of the file: whether it ends because it cannot be read further. */
static int is_broken(struct csv *c)
{
    if (ferror(c->file)) return fail(c, "the file cannot be read: %s", strerror(errno));
    return c->wrong ? fail(c, "damaged gzip file: %s", c->wrong) : 0;
}

/* ---- Fields ---- */

static int is_blank(int byte)
{
    return byte == ' ' || byte == '\t';
}

/* A blank that is no separator. */
static int is_filler(const struct csv *c, int byte)
{
    return is_blank(byte) && byte != c->separator;
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
    while (is_filler(c, byte));
    c->in_field = 1;
    c->in_quotes = byte == '"';
    if (!c->in_quotes) back(c, byte);
}

/* A byte that may be a quote, a separator, the end of the line or of the file. */
static int special_byte(struct csv *c, int byte)
{
    if (byte == EOF && is_broken(c)) return FIELD_FAULT;
    if (byte == '"' && c->in_quotes) { /* a doubled quote is one; a single one ends the field */
        if ((byte = next_byte(c)) == '"') return byte;
        c->in_quotes = 0;
        while (is_filler(c, byte)) byte = next_byte(c);
        if (byte != c->separator && byte != '\r' && byte != '\n' && byte != EOF)
            return fail(c, "text after a closing quote, expected %s or the end of the line",
                        c->separator == ',' ? "a comma" : c->separator == ';' ? "a semicolon" : "a tab");
    }
    if (byte == '"') return fail(c, "a quote inside a field, expected it around the whole field");
    if (byte == '\r' && (byte = next_byte(c)) != '\n' && byte != EOF)
        return fail(c, "a carriage return inside the line, expected lines ended by LF or CR LF");
    if (byte == '\n' || byte == EOF || (byte == c->separator && !c->in_quotes)) return end_field(c, byte);
    if (byte < ' ' && byte != '\t') return fail(c, "a byte of value %d, expected text", byte);
    return byte;
}

/* The next byte of the field, or FIELD_END or FIELD_FAULT. Nearly all bytes are digits and blanks: the short way. */
static int field_byte(struct csv *c)
{
    const int byte = next_byte(c);
    return (byte >= '0' && byte <= '9') || byte == ' ' ? byte : special_byte(c, byte);
}

/* A short field, without the blanks around it; what is longer than a word can be is cut. */
static int read_word(struct csv *c, char word[WORD])
{
    int byte, length = 0;
    while ((byte = field_byte(c)) >= 0)
        if (length < WORD - 1 && (length || !is_blank(byte))) word[length++] = (char)byte;
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
    if (byte == '.') { /* 70.0 is 70 */
        do byte = field_byte(c);
        while (byte == '0');
        if (byte > '0' && byte <= '9') byte = '.';
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

/* The field of one pixel, number `index` counted from 0. */
static int read_pixel(struct csv *c, unsigned long index)
{
    struct fer_dataset *data = c->set.data;
    const int value = next_pixel(c, index + 1), more = value >= 0 ? next_pixel(c, index + 1) : FIELD_END;
    if (value == FIELD_FAULT || more == FIELD_FAULT) return -1;
    if (value == FIELD_END || more != FIELD_END)
        return fail(c, "pixel %lu is %s, expected a number 0 ... 255", index + 1,
                    value == FIELD_END ? "missing" : "more than one number");
    data->pixels[data->pixel_count + index] = (uint8_t)value;
    return 0;
}

/* ---- The header ---- */

/* The number in the name of a pixel's column, "pixel12", "p_12" or "12"; -1: it is none. */
static long pixel_number(const char *word)
{
    static const char *const stems[] = {"", "p", "px", "pix", "pixel", "pixels"};
    char stem[WORD];
    const size_t length = strcspn(word, "0123456789"), digits = strspn(word + length, "0123456789");
    size_t letters = length;
    long number = 0;
    if (digits == 0 || digits > 6 || word[length + digits]) return -1;
    while (letters && strchr("_- ", word[letters - 1])) letters--;
    memcpy(stem, word, letters);
    stem[letters] = 0;
    if (fer_find_word(stem, stems, 6) < 0) return -1;
    for (word += length; *word; word++) number = number * 10 + (*word - '0');
    return number;
}

/* Takes in a column. *others counts those of FER+'s label file. */
static int take_column(struct csv *c, const char *word, int seen[ROLES], int *others)
{
    static const char *const of_ferplus[] = {"Image name", "contempt", "unknown", "NF"};
    int role = fer_find_word(word, role_names, PIXEL);
    const long number = pixel_number(word);
    if (c->columns == MAX_COLUMNS) return fail(c, "more than %d columns", MAX_COLUMNS);
    if (role < OTHER) role = OTHER;
    if (fer_find_word(word, of_ferplus, 4) >= 0) ++*others;
    if (role != OTHER && seen[role]++)
        return fail(c, "column `%s` stands twice, expected a header such as emotion,pixels,Usage", role_names[role]);
    if (number >= 0) {
        role = PIXEL;
        if (!seen[PIXEL]++) c->first_pixel = (unsigned long)number;
        if ((unsigned long)number == c->first_pixel + c->pixel_columns) c->pixel_columns++;
    }
    c->role[c->columns++] = (unsigned char)role;
    return 0;
}

/* Columns of one pixel each, unless there is one of all. */
static int settle_pixels(struct csv *c, const int seen[ROLES])
{
    int i;
    if (seen[PIXELS]) {
        for (i = 0; i < c->columns; i++)
            if (c->role[i] == PIXEL) c->role[i] = OTHER;
        c->pixel_columns = 0;
        return 0;
    }
    if (!seen[PIXEL]) return fail(c, "no column `pixels`, expected a header such as emotion,pixels,Usage");
    if ((unsigned long)seen[PIXEL] != c->pixel_columns)
        return fail(c, "the columns of the pixels are not numbered in a row, expected pixel0, pixel1 and so on");
    return set_side(c, c->pixel_columns);
}

/* What the header's fields are separated by. Nobody's header is longer than the buffer before it has a separator. */
static int find_separator(const struct csv *c)
{
    size_t i;
    int semicolon = 0, tab = 0, quoted = 0;
    for (i = c->used; i < c->filled && c->buffer[i] != '\n'; i++) {
        if (c->buffer[i] == '"') quoted = !quoted;
        if (quoted) continue;
        if (c->buffer[i] == ',') return ',';
        semicolon |= c->buffer[i] == ';';
        tab |= c->buffer[i] == '\t';
    }
    return semicolon ? ';' : tab ? '\t' : ',';
}

static int read_header(struct csv *c)
{
    int seen[ROLES] = {0}, others = 0;
    char word[WORD];
    c->separator = find_separator(c);
    do {
        begin_field(c);
        if (read_word(c, word) || take_column(c, word, seen, &others)) return -1;
    } while (c->end == c->separator);
    if (!seen[EMOTION] && others >= 3)
        return fail(c, "this is FER+'s label file, which has no pixels: expected fer2013.csv here, and this file "
                       "behind --labels");
    if (!seen[EMOTION] && seen[PIXELS])
        return fail(c, "no column `emotion`: images without labels, as in the competition's test.csv: expected "
                       "fer2013.csv or icml_face_data.csv, which have them all");
    if (!seen[EMOTION]) return fail(c, "no column `emotion`, expected a header such as emotion,pixels,Usage");
    return settle_pixels(c, seen);
}

/* ---- Lines ---- */

/* A class as its code, also as 3.0, or as its name. */
static int read_label(struct csv *c, int *label)
{
    char word[WORD];
    if (read_word(c, word)) return -1;
    if (word[0] && word[1] == '.' && word[2 + strspn(word + 2, "0")] == 0) word[1] = 0;
    *label = fer_class_named(word);
    return *label >= 0 ? 0 : fail(c, "emotion is \"%s\", expected 0 ... %d or a class's name", word, FER_CLASSES - 1);
}

static int read_usage(struct csv *c, int *usage)
{
    char word[WORD];
    if (read_word(c, word)) return -1;
    *usage = fer_usage_named(word);
    return *usage >= 0 ? 0 : fail(c, "Usage is \"%s\", expected Training, PublicTest or PrivateTest", word);
}

static void append(struct csv *c, int label, int usage)
{
    struct fer_dataset *data = c->set.data;
    fer_dataset_append(&c->set, c->side, c->side, label, usage == FER_TEST ? FER_PRIVATE_TEST : usage);
    if (usage != FER_TEST) return;
    data->image[data->count - 1].usage = FER_TEST;
    data->usage_count[FER_PRIVATE_TEST]--;
    c->tests++;
}

/* `test` is PublicTest where nothing else is, else PrivateTest. */
static void settle_tests(struct csv *c)
{
    struct fer_dataset *data = c->set.data;
    const int usage = data->usage_count[FER_PUBLIC_TEST] ? FER_PRIVATE_TEST : FER_PUBLIC_TEST;
    size_t i;
    if (!c->tests) return;
    for (i = 0; i < data->count; i++)
        if (data->image[i].usage == FER_TEST) data->image[i].usage = (uint8_t)usage;
    data->usage_count[usage] += c->tests;
    if (usage == FER_PUBLIC_TEST)
        fer_dataset_note(data, "Usage `test` is taken as PublicTest, there being no validation rows");
}

static int read_row(struct csv *c)
{
    int column, result = 0, label = 0, usage = FER_TRAINING;
    unsigned long pixel = 0;
    char word[WORD];
    if (fer_dataset_reserve(&c->set, c->pixel_columns, c->e)) return -1;
    for (column = 0; column < c->columns; column++) {
        begin_field(c);
        switch (c->role[column]) {
        case EMOTION: result = read_label(c, &label); break;
        case PIXELS: result = read_pixels(c); break;
        case PIXEL: result = read_pixel(c, pixel++); break;
        case USAGE: result = read_usage(c, &usage); break;
        default: result = read_word(c, word); break;
        }
        if (result) return -1;
        if (c->end != c->separator && column + 1 < c->columns)
            return fail(c, "%d fields, expected %d as in the header", column + 1, c->columns);
    }
    if (c->end == c->separator)
        return fail(c, "more than %d fields, expected %d as in the header", c->columns, c->columns);
    append(c, label, usage);
    return 0;
}

/* Passes over a line of nothing but blanks and separators, as spreadsheets leave them; its end is the next byte. */
static int skip_empty(struct csv *c)
{
    size_t i;
    for (i = c->used;; i++) {
        if (i == c->filled) {
            i -= c->used;
            if (i < sizeof c->buffer) fill(c);
            i += c->used;
        }
        if (i == c->filled || c->buffer[i] == '\n') break;
        if (!is_blank(c->buffer[i]) && c->buffer[i] != c->separator && c->buffer[i] != '\r') return 0;
    }
    if (i == c->filled && !c->at_end) return 0; /* longer than the buffer */
    c->used = i;
    return 1;
}

/* Every line but the first. */
static int read_rows(struct csv *c)
{
    while (c->end != EOF) {
        c->line++;
        if (skip_empty(c)) {
            if (next_byte(c) == EOF) break;
        } else if (read_row(c))
            return -1;
    }
    if (is_broken(c)) return -1;
    c->line = 1;
    settle_tests(c);
    return c->set.data->count ? 0 : fail(c, "a header and nothing else, expected a line for each image");
}

/* ---- The file ---- */

/* What has been read of the file is gzip: unpacks from now on. */
static int unpack(struct csv *c)
{
    if (!(c->gzip = fer_gzip_create(c->file, c->buffer, c->filled)))
        return fer_fail(c->e, "%s: out of memory for unpacking it", c->path);
    c->used = c->filled = 0;
    c->at_end = 0;
    fill(c);
    return c->wrong ? fer_fail(c->e, "%s: damaged gzip file: %s", c->path, c->wrong) : 0;
}

static int read_file(struct csv *c)
{
    const char *foreign;
    fill(c);
    if (c->filled >= 2 && c->buffer[0] == 0x1f && c->buffer[1] == 0x8b && unpack(c)) return -1;
    if (c->filled == 0 && ferror(c->file)) return fer_fail(c->e, "%s: cannot be read: %s", c->path, strerror(errno));
    if (c->filled == 0) return fer_fail(c->e, "%s: is empty, expected a FER2013 CSV", c->path);
    foreign = fer_foreign_kind(c->buffer, c->filled);
    if (foreign) return fer_fail(c->e, "%s: is no CSV, but %s", c->path, foreign);
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
    fer_gzip_free(c->gzip);
    fer_free(c);
    return result;
}
