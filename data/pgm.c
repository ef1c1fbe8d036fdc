/* pgm.c - grey images as PGM files (https://netpbm.sourceforge.net/doc/pgm.html):
 *
 *     P5 WIDTH HEIGHT MAXVAL, one blank, then the pixels in one byte each, or two (the high one first) if MAXVAL > 255
 *     P2 the same with the pixels as decimal numbers
 *
 * The numbers of the header are separated by blanks; a comment runs from # to the end of its line, and may begin right
 * behind a number. Behind MAXVAL the comment's end is the one blank (as netpbm has it).
 *
 * A value is scaled to 0 ... 255 by round(value / MAXVAL * 255), in double, a half to the even number. That is Pillow's
 * rule for MAXVAL up to 255 (beyond, Pillow gives 0 ... 65535). Like Pillow, what follows the last pixel is ignored. */
#include "data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pgm {
    const char *path;
    const unsigned char *bytes;
    size_t count, at; /* at: the next byte to be looked at */
    struct fer_error *e;
};

static int is_blank(int byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* The present byte, for a message: '?' if it would not print by itself. */
static int shown(const struct pgm *p)
{
    return p->bytes[p->at] < 127 ? p->bytes[p->at] : '?';
}

/* Goes to the end of the line. */
static void skip_comment(struct pgm *p)
{
    while (p->at < p->count && p->bytes[p->at] != '\n' && p->bytes[p->at] != '\r') p->at++;
}

static void skip_blanks_and_comments(struct pgm *p)
{
    while (p->at < p->count) {
        if (p->bytes[p->at] == '#')
            skip_comment(p);
        else if (is_blank(p->bytes[p->at]))
            p->at++;
        else
            return;
    }
}

/* The next number, which must be followed by a blank, a comment or the end of the file. `what` is for the message. */
static int read_number(struct pgm *p, const char *what, long least, long most, long *value)
{
    size_t first;
    skip_blanks_and_comments(p);
    *value = 0;
    for (first = p->at; p->at < p->count && p->bytes[p->at] >= '0' && p->bytes[p->at] <= '9'; p->at++)
        if (*value <= most) *value = *value * 10 + (p->bytes[p->at] - '0');
    if (p->at == first) {
        if (p->at == p->count) return fer_fail(p->e, "%s: ends too early, expected the %s", p->path, what);
        return fer_fail(p->e, "%s: '%c' where the %s was expected", p->path, shown(p), what);
    }
    if (p->at < p->count && !is_blank(p->bytes[p->at]) && p->bytes[p->at] != '#')
        return fer_fail(p->e, "%s: '%c' after the %s, expected a blank", p->path, shown(p), what);
    if (*value < least || *value > most)
        return fer_fail(p->e, "%s: the %s is %s%ld, expected %ld ... %ld", p->path, what,
                        *value > most ? "more than " : "", *value > most ? most : *value, least, most);
    return 0;
}

static uint8_t scale(long value, long most)
{
    double exact = (double)value / (double)most * 255;
    int whole = (int)exact;
    exact -= whole;
    return (uint8_t)(whole + (exact > 0.5 || (exact == 0.5 && whole % 2)));
}

static int read_plain(struct pgm *p, size_t count, long most, uint8_t *pixels)
{
    size_t i;
    long value;
    for (i = 0; i < count; i++) {
        if (read_number(p, "next pixel", 0, most, &value)) return -1;
        pixels[i] = scale(value, most);
    }
    return 0;
}

static int read_binary(struct pgm *p, size_t count, long most, uint8_t *pixels)
{
    const unsigned char *in = p->bytes + p->at;
    size_t i;
    for (i = 0; i < count; i++) {
        const long value = most < 256 ? in[i] : (long)in[2 * i] << 8 | in[2 * i + 1];
        if (value > most)
            return fer_fail(p->e, "%s: pixel %lu is %ld, expected 0 ... %ld", p->path, (unsigned long)i + 1, value,
                            most);
        pixels[i] = most == 255 ? (uint8_t)value : scale(value, most);
    }
    return 0;
}

/* Reads everything before the pixels and sees whether they are all there: only then is memory worth asking for. */
static int read_header(struct pgm *p, long *height, long *width, long *most)
{
    size_t needed, left;
    if (read_number(p, "width", 1, FER_MAX_SIDE, width) || read_number(p, "height", 1, FER_MAX_SIDE, height) ||
        read_number(p, "maxval", 1, 65535, most))
        return -1;
    if (p->at < p->count && p->bytes[p->at] == '#') skip_comment(p);
    if (p->at < p->count) p->at++; /* the one blank, or the end of the comment's line */
    needed = (size_t)*height * (size_t)*width;
    left = p->count - p->at;
    if (p->bytes[1] == '2') left = left / 2 + left % 2; /* a digit and a blank each, no blank behind the last */
    else if (*most > 255) left /= 2;
    if (left >= needed) return 0;
    return fer_fail(p->e, "%s: ends too early, expected %ld * %ld pixels", p->path, *width, *height);
}

int fer_pgm_parse(const char *path, const unsigned char *bytes, size_t count, int *height, int *width,
                  uint8_t **pixels, struct fer_error *e)
{
    struct pgm p = {path, bytes, count, 2, e}; /* behind P2 or P5 */
    long h, w, most;
    *pixels = NULL;
    if (count == 0) return fer_fail(e, "%s: is empty, expected a PGM image", path);
    if (count < 3 || bytes[0] != 'P' || (bytes[1] != '2' && bytes[1] != '5') ||
        (!is_blank(bytes[2]) && bytes[2] != '#'))
        return fer_fail(e, "%s: no PGM image, expected a file that begins with P2 or P5", path);
    if (read_header(&p, &h, &w, &most) || !(*pixels = fer_allocate((size_t)h * (size_t)w, 1, e))) return -1;
    *height = (int)h;
    *width = (int)w;
    if ((bytes[1] == '2' ? read_plain : read_binary)(&p, (size_t)h * (size_t)w, most, *pixels) == 0) return 0;
    fer_free(*pixels);
    *pixels = NULL;
    return -1;
}

int fer_pgm_read(const char *path, int *height, int *width, uint8_t **pixels, struct fer_error *e)
{
    unsigned char *bytes;
    size_t count;
    int result = fer_file_bytes(path, &bytes, &count, e);
    *pixels = NULL;
    if (result == 0) result = fer_pgm_parse(path, bytes, count, height, width, pixels, e);
    free(bytes);
    return result;
}

int fer_pgm_write(const char *path, int height, int width, const uint8_t *pixels, struct fer_error *e)
{
    const size_t count = (size_t)height * (size_t)width;
    FILE *file = fopen(path, "wb");
    int written;
    if (!file) return fer_fail(e, "%s: cannot be written: %s", path, strerror(errno));
    written = fprintf(file, "P5\n%d %d\n255\n", width, height) > 0 && fwrite(pixels, 1, count, file) == count;
    if (fclose(file) == 0 && written) return 0;
    fer_fail(e, "%s: cannot be written: %s", path, strerror(errno));
    remove(path);
    return -1;
}
