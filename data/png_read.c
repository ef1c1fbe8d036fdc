/* png_read.c - reads a PNG file (ISO/IEC 15948, https://www.w3.org/TR/png) as a grey image of 8 bits:
 *
 *     89 "PNG" 0d 0a 1a 0a, then chunks: length, name, content, CRC-32 over name and content; numbers are big-endian
 *     IHDR    width, height, bits a sample, what a pixel's samples are, 0, 0, whether it is interlaced
 *     PLTE    the palette, red, green, blue of each entry
 *     tRNS    of a palette its entries' alpha; else the one value that is transparent
 *     IDAT    the rows as a zlib stream (RFC 1950), which may go on in further chunks of that name
 *     IEND    the end
 *
 * A row is a byte that names its filter, then its samples, the high bits first. An interlaced image (Adam7) is seven
 * images, one after the other, of every eighth pixel, then of those between.
 *
 * To grey: samples of 1, 2 and 4 bits are spread over 0 ... 255, of those of 16 bits the high byte is taken, as Pillow
 * does. What is transparent lies over black: round(value * alpha / 255). Colour becomes grey by Pillow's rule, (19595 R
 * + 38470 G + 7471 B + 32768) div 65536. Other chunks, gamma among them, do not matter, to Pillow either. */
#include "data.h"

#include <stdarg.h>
#include <string.h>

enum { GREY = 0, COLOUR = 2, PALETTE = 3, GREY_ALPHA = 4, COLOUR_ALPHA = 6 };

struct png {
    const char *path;
    const unsigned char *bytes;
    size_t count, at; /* at: the next chunk */
    struct fer_error *e;
    int height, width;
    int bits, kind, interlaced; /* bits a sample; GREY ... */
    unsigned samples;           /* a pixel */
    unsigned entries;           /* of the palette */
    uint8_t colour[256][3], alpha[256], grey[256]; /* of each; grey: what it becomes */
    int has_key;                /* one value is transparent: */
    unsigned key[3];
    size_t data;                /* the first IDAT */
    size_t left;                /* bytes of the present IDAT that have not been inflated */
};

static int fail(struct png *p, const char *format, ...) FER_PRINTF(2, 3);
static int fail(struct png *p, const char *format, ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return fer_fail(p->e, "%s: damaged PNG image: %s", p->path, reason);
}

static uint32_t word(const unsigned char *at)
{
    return (uint32_t)fer_value_bits(at, 4, 1);
}

static uint8_t over_black(unsigned value, unsigned alpha)
{
    return (uint8_t)((value * alpha + 127) / 255); /* never a tie: 255 is odd */
}

static uint8_t grey_of(unsigned red, unsigned green, unsigned blue)
{
    return (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

/* ---- chunks ---- */

static int take_header(struct png *p, const unsigned char *content, size_t length)
{
    static const unsigned samples[7] = {1, 0, 3, 1, 2, 0, 4};
    static const char *const sizes[7] = {"\1\2\4\10\20", "", "\10\20", "\1\2\4\10", "\10\20", "", "\10\20"};
    uint32_t width, height;
    if (length != 13) return fail(p, "IHDR has %zu bytes, expected 13", length);
    width = word(content);
    height = word(content + 4);
    if (width < 1 || width > FER_MAX_SIDE || height < 1 || height > FER_MAX_SIDE)
        return fail(p, "%lux%lu pixels, expected 1 ... %d each way", (unsigned long)width, (unsigned long)height,
                    FER_MAX_SIDE);
    p->width = (int)width;
    p->height = (int)height;
    p->bits = content[8];
    p->kind = content[9];
    if (p->kind > 6 || !samples[p->kind] || !p->bits || !strchr(sizes[p->kind], p->bits))
        return fail(p, "%d bits of kind %d, expected a combination that PNG has", p->bits, p->kind);
    if (content[10] || content[11] || content[12] > 1)
        return fail(p, "packing %d, filters %d, interlacing %d, expected 0, 0, and 0 or 1", content[10], content[11],
                    content[12]);
    p->samples = samples[p->kind];
    p->interlaced = content[12];
    return 0;
}

static int take_palette(struct png *p, const unsigned char *content, size_t length)
{
    if (length == 0 || length % 3 || length > sizeof p->colour)
        return fail(p, "PLTE has %zu bytes, expected three for each of at most 256 colours", length);
    p->entries = (unsigned)length / 3;
    memcpy(p->colour, content, length);
    memset(p->alpha, 255, sizeof p->alpha);
    return 0;
}

static int take_transparency(struct png *p, const unsigned char *content, size_t length)
{
    unsigned i;
    if (p->kind == PALETTE) {
        if (length > p->entries) return fail(p, "tRNS has %zu entries, expected at most %u", length, p->entries);
        memcpy(p->alpha, content, length);
        return 0;
    }
    if (p->kind == GREY_ALPHA || p->kind == COLOUR_ALPHA || length != 2 * p->samples)
        return fail(p, "tRNS has %zu bytes, which do not fit the kind of image", length);
    for (i = 0; i < p->samples; i++)
        p->key[i] = (unsigned)fer_value_bits(content + 2 * i, 2, 1) & ((1u << p->bits) - 1);
    p->has_key = 1;
    return 0;
}

/* One chunk before the rows. The first letter says whether a reader may pass over it: if it is small. */
static int take_chunk(struct png *p, const unsigned char *name, const unsigned char *content, size_t length)
{
    if (memcmp(name, "PLTE", 4) == 0) return take_palette(p, content, length);
    if (memcmp(name, "tRNS", 4) == 0) return take_transparency(p, content, length);
    return name[0] & 32 ? 0 : fail(p, "a chunk of a name that PNG does not have");
}

/* Finds the chunk at p->at, sees whether it is sound, and moves on. */
static int next_chunk(struct png *p, const unsigned char **name, size_t *length)
{
    const size_t left = p->count - p->at;
    const unsigned char *at = p->bytes + p->at;
    if (left < 12 || word(at) > left - 12) return fail(p, "it ends early");
    *length = word(at);
    *name = at + 4;
    if (word(at + 8 + *length) != fer_crc32(0, at + 4, *length + 4))
        return fail(p, "the CRC of the chunk at byte %zu is wrong", p->at);
    p->at += *length + 12;
    return 0;
}

/* All chunks; *packed counts the bytes of the IDATs. */
static int read_chunks(struct png *p, size_t *packed)
{
    const unsigned char *name = NULL;
    size_t length = 0;
    *packed = 0;
    p->at = 8;
    if (next_chunk(p, &name, &length)) return -1;
    if (memcmp(name, "IHDR", 4) != 0) return fail(p, "it does not begin with a chunk IHDR");
    if (take_header(p, name + 4, length)) return -1;
    for (;;) {
        const size_t from = p->at;
        if (next_chunk(p, &name, &length)) return -1;
        if (memcmp(name, "IEND", 4) == 0) break;
        if (memcmp(name, "IDAT", 4) == 0) {
            if (!p->data) p->data = from;
            *packed += length;
        } else if (!p->data && take_chunk(p, name, name + 4, length))
            return -1;
    }
    if (!p->data) return fail(p, "no chunk IDAT");
    if (p->kind == PALETTE && !p->entries) return fail(p, "no chunk PLTE, expected a palette");
    return 0;
}

/* The next bytes of the IDAT chunks, which stand in a row; a fer_source. */
static size_t next_bytes(void *context, unsigned char *bytes, size_t count)
{
    struct png *p = context;
    while (p->left == 0) {
        if (memcmp(p->bytes + p->at + 4, "IDAT", 4) != 0) return 0;
        p->left = word(p->bytes + p->at);
        p->at += 8;
        if (p->left == 0) p->at += 4;
    }
    if (count > p->left) count = p->left;
    memcpy(bytes, p->bytes + p->at, count);
    p->at += count;
    p->left -= count;
    if (p->left == 0) p->at += 4; /* its CRC */
    return count;
}

/* ---- rows ---- */

/* The predicted byte from those to the left, above, and above that one: the nearest to left + above - corner. */
static int paeth(int left, int above, int corner)
{
    const int to_left = above > corner ? above - corner : corner - above;
    const int to_above = left > corner ? left - corner : corner - left;
    const int both = left + above - 2 * corner, to_corner = both < 0 ? -both : both;
    if (to_left <= to_above && to_left <= to_corner) return left;
    return to_above <= to_corner ? above : corner;
}

/* Takes the filter off a row: each byte was written less a prediction. `step`: bytes of a pixel, at least 1. */
static int unfilter(struct png *p, int filter, unsigned char *row, const unsigned char *above, size_t count,
                    size_t step)
{
    size_t i;
    if (filter > 4) return fail(p, "a row has filter %d, expected 0 ... 4", filter);
    for (i = 0; i < count && filter; i++) {
        const int left = i < step ? 0 : row[i - step], corner = i < step ? 0 : above[i - step];
        const int predicted = filter == 1   ? left
                              : filter == 2 ? above[i]
                              : filter == 3 ? (left + above[i]) / 2
                                            : paeth(left, above[i], corner);
        row[i] = (unsigned char)(row[i] + predicted);
    }
    return 0;
}

/* Sample number i of a row. */
static unsigned sample(const struct png *p, const unsigned char *row, size_t i)
{
    const size_t bit = i * (size_t)p->bits;
    if (p->bits == 16) return (unsigned)row[2 * i] << 8 | row[2 * i + 1];
    return row[bit / 8] >> (8 - p->bits - (int)(bit % 8)) & ((1u << p->bits) - 1);
}

/* A pixel as grey, or -1: the palette has no such entry. */
static int pixel(const struct png *p, const unsigned char *row, size_t x)
{
    unsigned s[4], i, keyed = (unsigned)p->has_key;
    for (i = 0; i < p->samples; i++) {
        s[i] = sample(p, row, x * p->samples + i);
        if (keyed && s[i] != p->key[i]) keyed = 0;
        if (p->bits == 16)
            s[i] >>= 8;
        else if (p->kind != PALETTE)
            s[i] = s[i] * 255 / ((1u << p->bits) - 1);
    }
    if (keyed) return 0;
    switch (p->kind) {
    case GREY: return (int)s[0];
    case GREY_ALPHA: return over_black(s[0], s[1]);
    case COLOUR: return grey_of(s[0], s[1], s[2]);
    case COLOUR_ALPHA:
        return grey_of(over_black(s[0], s[3]), over_black(s[1], s[3]), over_black(s[2], s[3]));
    default: return s[0] < p->entries ? p->grey[s[0]] : -1;
    }
}

/* One of the images that an interlaced one consists of, or the whole one: its first pixel, the steps to the next. */
struct pass {
    int x, y, step_x, step_y;
};
static const struct pass whole = {0, 0, 1, 1};
static const struct pass interlaced[7] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                          {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

static size_t pass_width(const struct png *p, const struct pass *pass)
{
    return (size_t)(p->width - pass->x + pass->step_x - 1) / (size_t)pass->step_x;
}

static size_t pass_height(const struct png *p, const struct pass *pass)
{
    return (size_t)(p->height - pass->y + pass->step_y - 1) / (size_t)pass->step_y;
}

static size_t row_bytes(const struct png *p, const struct pass *pass)
{
    return (pass_width(p, pass) * p->samples * (size_t)p->bits + 7) / 8;
}

/* Bytes of the rows, with their filters. */
static size_t inflated_bytes(const struct png *p)
{
    size_t i, sum = 0;
    if (!p->interlaced) return pass_height(p, &whole) * (1 + row_bytes(p, &whole));
    for (i = 0; i < 7; i++)
        if (row_bytes(p, &interlaced[i])) sum += pass_height(p, &interlaced[i]) * (1 + row_bytes(p, &interlaced[i]));
    return sum;
}

struct rows {
    struct png *p;
    struct fer_inflate *inflate;
    unsigned char *row, *above; /* each with room for the widest */
    uint32_t adler;             /* Adler-32 of all so far */
};

static int inflate(struct rows *r, unsigned char *bytes, size_t count)
{
    const char *wrong;
    if (fer_inflate_some(r->inflate, bytes, count, &wrong) < count)
        return fail(r->p, "its deflated bytes %s%s", wrong ? "are damaged: " : "", wrong ? wrong : "end early");
    r->adler = fer_adler32(r->adler, bytes, count);
    return 0;
}

static int read_pass(struct rows *r, const struct pass *pass, uint8_t *pixels)
{
    struct png *p = r->p;
    const size_t width = pass_width(p, pass), height = pass_height(p, pass), bytes = row_bytes(p, pass);
    const size_t step = p->samples * (size_t)p->bits < 8 ? 1 : p->samples * (size_t)p->bits / 8;
    unsigned char filter, *swap;
    size_t y, x;
    memset(r->above, 0, bytes);
    for (y = 0; y < height && width; y++) {
        uint8_t *out = pixels + ((size_t)pass->y + y * (size_t)pass->step_y) * (size_t)p->width + pass->x;
        if (inflate(r, &filter, 1) || inflate(r, r->row, bytes) || unfilter(p, filter, r->row, r->above, bytes, step))
            return -1;
        for (x = 0; x < width; x++) {
            const int value = pixel(p, r->row, x);
            if (value < 0) return fail(p, "a pixel has a colour that the palette of %u lacks", p->entries);
            out[x * (size_t)pass->step_x] = (uint8_t)value;
        }
        swap = r->row;
        r->row = r->above;
        r->above = swap;
    }
    return 0;
}

/* The zlib stream: two bytes of header, the deflated rows, their Adler-32. */
static int read_stream(struct rows *r, uint8_t *pixels)
{
    struct png *p = r->p;
    unsigned char head[2] = {0}, sum[4], more;
    const char *wrong;
    int i;
    p->at = p->data;
    p->left = 0;
    for (i = 0; i < 2; i++)
        if (next_bytes(p, head + i, 1) == 0) return fail(p, "its deflated bytes end early");
    if ((head[0] & 15) != 8 || head[0] >> 4 > 7 || head[1] & 32 || (head[0] << 8 | head[1]) % 31)
        return fail(p, "its rows are no zlib stream");
    fer_inflate_start(r->inflate, next_bytes, p);
    r->adler = 1;
    for (i = 0; i < (p->interlaced ? 7 : 1); i++)
        if (read_pass(r, p->interlaced ? &interlaced[i] : &whole, pixels)) return -1;
    if (fer_inflate_some(r->inflate, &more, 1, &wrong) || wrong) return fail(p, "it has more rows than its height");
    if (fer_inflate_behind(r->inflate, sum, 4) < 4 || word(sum) != r->adler)
        return fail(p, "the Adler-32 of its rows is wrong");
    return 0;
}

static int read_rows(struct png *p, uint8_t *pixels)
{
    struct rows r = {0};
    const size_t widest = row_bytes(p, &whole);
    int failed = 1;
    r.p = p;
    r.row = fer_allocate(2, widest, p->e);
    r.above = r.row ? r.row + widest : NULL;
    r.inflate = fer_inflate_create();
    if (!r.inflate)
        fer_fail(p->e, "%s: out of memory for inflating it", p->path);
    else if (r.row)
        failed = read_stream(&r, pixels);
    fer_inflate_free(r.inflate);
    fer_free(r.row < r.above ? r.row : r.above);
    return failed ? -1 : 0;
}

int fer_png_parse(const char *path, const unsigned char *bytes, size_t count, int *height, int *width,
                  uint8_t **pixels, struct fer_error *e)
{
    struct png *p = fer_allocate(1, sizeof *p, e);
    size_t packed = 0, needed;
    unsigned i;
    int failed;
    *pixels = NULL;
    if (!p) return -1;
    p->path = path;
    p->bytes = bytes;
    p->count = count;
    p->e = e;
    failed = count < 8 || memcmp(bytes, FER_PNG_MAGIC, 8) != 0
                 ? fer_fail(e, "%s: no PNG image, expected a file that begins with \\x89PNG", path)
                 : read_chunks(p, &packed);
    for (i = 0; i < p->entries && !failed; i++)
        p->grey[i] = grey_of(over_black(p->colour[i][0], p->alpha[i]), over_black(p->colour[i][1], p->alpha[i]),
                             over_black(p->colour[i][2], p->alpha[i]));
    needed = failed ? 0 : inflated_bytes(p);
    if (!failed && needed / FER_MOST_INFLATED > packed) /* only now is memory worth asking for */
        failed = fail(p, "%zu deflated bytes cannot hold %d * %d pixels", packed, p->width, p->height);
    if (!failed && !(*pixels = fer_allocate((size_t)p->height * (size_t)p->width, 1, e))) failed = 1;
    if (!failed && (failed = read_rows(p, *pixels)) != 0) {
        fer_free(*pixels);
        *pixels = NULL;
    }
    *height = p->height;
    *width = p->width;
    fer_free(p);
    return failed ? -1 : 0;
}
