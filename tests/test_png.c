/* test_png.c - PNG images, read. The files are made here byte by byte; tests/test_png.py compares with Pillow. Values
 * are worked out by hand, bad files are judged by the exact line that is said about them. */
#include "greatest.h"

#include "../data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file {
    unsigned char at[1024];
    size_t count;
};

static void add(struct file *f, const void *bytes, size_t count)
{
    if (count > sizeof f->at - f->count) exit(2);
    memcpy(f->at + f->count, bytes, count);
    f->count += count;
}

static void add_word(struct file *f, uint32_t value)
{
    unsigned char word[4];
    int i;
    for (i = 0; i < 4; i++) word[i] = (unsigned char)(value >> (24 - 8 * i));
    add(f, word, 4);
}

static void add_chunk(struct file *f, const char *name, const void *content, size_t length)
{
    const size_t from = f->count + 4;
    add_word(f, (uint32_t)length);
    add(f, name, 4);
    add(f, content, length);
    add_word(f, fer_crc32(0, f->at + from, length + 4));
}

/* What the parts of an image are; NULL: left out. */
struct image {
    int width, height, bits, kind, interlaced;
    const char *palette, *transparency, *rows;
    size_t palette_bytes, transparency_bytes, row_bytes;
};

/* The zlib stream of the rows, not compressed. */
static struct file stream_of(const struct image *image)
{
    struct file f = {{0}, 0};
    uint32_t sum = 1, sums = 0;
    unsigned char head[7] = {0x78, 0x01, 0x01};
    size_t i;
    head[3] = (unsigned char)image->row_bytes;
    head[4] = (unsigned char)(image->row_bytes >> 8);
    head[5] = (unsigned char)~head[3];
    head[6] = (unsigned char)~head[4];
    add(&f, head, 7);
    add(&f, image->rows, image->row_bytes);
    for (i = 0; i < image->row_bytes; i++) {
        sum = (sum + (unsigned char)image->rows[i]) % 65521;
        sums = (sums + sum) % 65521;
    }
    add_word(&f, sums << 16 | sum);
    return f;
}

static void begin(struct file *f, const struct image *image)
{
    struct file head = {{0}, 0};
    const unsigned char last[5] = {(unsigned char)image->bits, (unsigned char)image->kind, 0, 0,
                                   (unsigned char)image->interlaced};
    f->count = 0;
    add(f, FER_PNG_MAGIC, 8);
    add_word(&head, (uint32_t)image->width);
    add_word(&head, (uint32_t)image->height);
    add(&head, last, 5);
    add_chunk(f, "IHDR", head.at, head.count);
    if (image->palette) add_chunk(f, "PLTE", image->palette, image->palette_bytes);
    if (image->transparency) add_chunk(f, "tRNS", image->transparency, image->transparency_bytes);
}

/* `cut` bytes of the stream go into a first IDAT chunk, then comes an empty one, the rest into a third. */
static struct file file_of(const struct image *image, size_t cut)
{
    const struct file stream = stream_of(image);
    struct file f;
    begin(&f, image);
    if (cut) add_chunk(&f, "IDAT", stream.at, cut), add_chunk(&f, "IDAT", "", 0);
    add_chunk(&f, "IDAT", stream.at + cut, stream.count - cut);
    add_chunk(&f, "IEND", "", 0);
    return f;
}

static struct fer_error error;

/* What is said about a file after its name; "" when it is read. */
static const char *verdict(const struct file *f)
{
    int height, width;
    uint8_t *pixels;
    if (fer_png_parse("F", f->at, f->count, &height, &width, &pixels, &error) == 0) return fer_free(pixels), "";
    return pixels ? "pixels after a failure" : error.text + 3;
}

/* The same rows in one chunk, and cut at every place. */
TEST png_is_read(const struct image *image, const char *expected)
{
    const size_t stream = image->row_bytes + 11;
    size_t cut;
    for (cut = 0; cut < stream; cut++) {
        const struct file f = file_of(image, cut);
        int height, width;
        uint8_t *pixels;
        ASSERT_EQm(error.text, 0, fer_png_parse("F", f.at, f.count, &height, &width, &pixels, &error));
        ASSERT(height == image->height && width == image->width);
        ASSERT_MEM_EQ(expected, pixels, (size_t)(height * width));
        fer_free(pixels);
    }
    PASS();
}

#define BYTES(literal) literal, sizeof literal - 1

static void read_tests(void)
{
    static const struct {
        struct image image;
        const char *expected;
    } good[] = {
        /* grey, each filter: none, left, above, mean of both, Paeth */
        {{2, 5, 8, 0, 0, NULL, NULL, "\0\012\024\1\012\012\2\1\1\3\3\3\4\1\1", 0, 0, 15},
         "\012\024\012\024\013\025\010\021\011\022"},
        {{5, 2, 1, 0, 0, NULL, NULL, "\0\260\0\100", 0, 0, 4}, "\377\0\377\377\0\0\377\0\0\0"},
        {{5, 1, 2, 0, 0, NULL, NULL, "\0\033\200", 0, 0, 3}, "\0\125\252\377\252"},
        {{3, 1, 4, 0, 0, NULL, NULL, "\0\017\200", 0, 0, 3}, "\0\377\210"},
        {{2, 1, 16, 0, 0, NULL, NULL, "\0\200\377\1\0", 0, 0, 5}, "\200\1"},
        {{2, 1, 8, 2, 0, NULL, NULL, "\0\377\0\0\144\310\62", 0, 0, 7}, "\114\231"}, /* red; 100 200 50 */
        {{1, 1, 16, 2, 0, NULL, NULL, "\0\0\377\377\0\0\377", 0, 0, 7}, "\226"},     /* green */
        {{2, 1, 8, 4, 0, NULL, NULL, "\0\310\200\310\0", 0, 0, 5}, "\144\0"},        /* 200 * 128 / 255 = 100.4 */
        {{1, 1, 8, 6, 0, NULL, NULL, "\0\377\377\377\177", 0, 0, 5}, "\177"},
        {{4, 1, 2, 3, 0, "\12\12\12\24\24\24\377\377\377", "\377\0", "\0\4\0", 9, 2, 2}, "\12\12\0\12"},
        {{2, 1, 8, 0, 0, NULL, "\0\12", "\0\12\13", 0, 2, 3}, "\0\13"},
        {{1, 2, 8, 2, 0, NULL, "\0\1\0\2\0\3", "\0\1\2\3\0\1\2\4", 0, 6, 8}, "\0\2"},
        /* interlaced: 3 x 3, of the seven images the first, fourth, fifth, sixth and seventh have pixels */
        {{3, 3, 8, 0, 1, NULL, NULL, "\0\1\0\3\0\7\11\0\2\0\10\0\4\5\6", 0, 0, 15}, "\1\2\3\4\5\6\7\10\11"},
    };
    size_t i;
    for (i = 0; i < sizeof good / sizeof *good; i++) RUN_TESTp(png_is_read, &good[i].image, good[i].expected);
}

/* 11 x 10, interlaced: pixel number i is i. */
TEST interlaced_png_is_read(void)
{
    static const int pass[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                   {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}; /* x, y, and the steps of both */
    struct image image = {11, 10, 8, 0, 1, NULL, NULL, NULL, 0, 0, 0};
    char rows[200], expected[110];
    int i, x, y;
    for (i = 0; i < 110; i++) expected[i] = (char)i;
    for (i = 0; i < 7; i++)
        for (y = pass[i][1]; y < 10; y += pass[i][3]) {
            rows[image.row_bytes++] = 0;
            for (x = pass[i][0]; x < 11; x += pass[i][2]) rows[image.row_bytes++] = (char)(y * 11 + x);
        }
    image.rows = rows;
    CHECK_CALL(png_is_read(&image, expected));
    PASS();
}

TEST png_of_a_bad_kind_is_refused(void)
{
    static const struct {
        struct image image;
        const char *line;
    } bad[] = {
        {{0, 1, 8, 0, 0, NULL, NULL, "", 0, 0, 0}, "0x1 pixels, expected 1 ... 16384 each way"},
        {{1, 16385, 8, 0, 0, NULL, NULL, "", 0, 0, 0}, "1x16385 pixels, expected 1 ... 16384 each way"},
        {{1, 1, 3, 0, 0, NULL, NULL, "", 0, 0, 0}, "3 bits of kind 0, expected a combination that PNG has"},
        {{1, 1, 4, 2, 0, NULL, NULL, "", 0, 0, 0}, "4 bits of kind 2, expected a combination that PNG has"},
        {{1, 1, 16, 3, 0, NULL, NULL, "", 0, 0, 0}, "16 bits of kind 3, expected a combination that PNG has"},
        {{1, 1, 8, 1, 0, NULL, NULL, "", 0, 0, 0}, "8 bits of kind 1, expected a combination that PNG has"},
        {{1, 1, 8, 7, 0, NULL, NULL, "", 0, 0, 0}, "8 bits of kind 7, expected a combination that PNG has"},
        {{1, 1, 8, 0, 2, NULL, NULL, "", 0, 0, 0}, "packing 0, filters 0, interlacing 2, expected 0, 0, and 0 or 1"},
        {{1, 1, 8, 3, 0, NULL, NULL, "\0\0", 0, 0, 2}, "no chunk PLTE, expected a palette"},
        {{1, 1, 8, 3, 0, "\1\2", NULL, "\0\0", 2, 0, 2}, 
         "PLTE has 2 bytes, expected three for each of at most 256 colours"},
        {{1, 1, 8, 3, 0, "\1\2\3", "\1\2", "\0\0", 3, 2, 2}, "tRNS has 2 entries, expected at most 1"},
        {{1, 1, 8, 3, 0, "\1\2\3", NULL, "\0\1", 3, 0, 2}, "a pixel has a colour that the palette of 1 lacks"},
        {{1, 1, 8, 2, 0, NULL, "\0\1", "\0\0\0\0", 0, 2, 4}, "tRNS has 2 bytes, which do not fit the kind of image"},
        {{1, 1, 8, 4, 0, NULL, "\0\1\0\1", "\0\0\0", 0, 4, 3}, "tRNS has 4 bytes, which do not fit the kind of image"},
        {{1, 1, 8, 0, 0, NULL, NULL, "\5\0", 0, 0, 2}, "a row has filter 5, expected 0 ... 4"},
        {{1, 2, 8, 0, 0, NULL, NULL, "\0\0\0", 0, 0, 3}, "its deflated bytes end early"},
        {{1, 1, 8, 0, 0, NULL, NULL, "\0\0\0", 0, 0, 3}, "it has more rows than its height"},
        {{16384, 16384, 16, 6, 0, NULL, NULL, "\0\0", 0, 0, 2}, "13 deflated bytes cannot hold 16384 * 16384 pixels"},
    };
    size_t i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct file f = file_of(&bad[i].image, 0);
        const char *line = verdict(&f);
        ASSERT_EQ(0, strncmp(line, "damaged PNG image: ", 19));
        ASSERT_STR_EQ(bad[i].line, line + 19);
    }
    PASS();
}

/* A good file whose parts are wrong. */
TEST damaged_png_is_refused(void)
{
    static const struct image image = {1, 1, 8, 0, 0, NULL, NULL, "\0\7", 0, 0, 2};
    const struct file good = file_of(&image, 0), stream = stream_of(&image);
    struct file f;
    size_t i;
    ASSERT_STR_EQ("", verdict(&good));
    for (i = 0; i < good.count; i++) { /* cut off anywhere */
        f = good;
        f.count = i;
        ASSERT_STR_EQ(i < 8 ? "no PNG image, expected a file that begins with \\x89PNG"
                            : "damaged PNG image: it ends early", verdict(&f));
    }
    f = good;
    f.at[16] ^= 1;
    ASSERT_STR_EQ("damaged PNG image: the CRC of the chunk at byte 8 is wrong", verdict(&f));
    f = good;
    add(&f, "and more", 8); /* what follows does not matter */
    ASSERT_STR_EQ("", verdict(&f));
    begin(&f, &image);
    add_chunk(&f, "IEND", "", 0);
    ASSERT_STR_EQ("damaged PNG image: no chunk IDAT", verdict(&f));
    f.count = 8;
    add_chunk(&f, "IDAT", stream.at, stream.count);
    ASSERT_STR_EQ("damaged PNG image: it does not begin with a chunk IHDR", verdict(&f));
    begin(&f, &image);
    add_chunk(&f, "CgBI", "", 0);
    ASSERT_STR_EQ("damaged PNG image: a chunk of a name that PNG does not have", verdict(&f));
    for (i = 0; i < 2; i++) { /* the zlib header, the Adler-32 */
        struct file wrong = stream;
        wrong.at[i ? wrong.count - 1 : 0] ^= 1;
        begin(&f, &image);
        add_chunk(&f, "IDAT", wrong.at, wrong.count);
        add_chunk(&f, "IEND", "", 0);
        ASSERT_STR_EQ(i ? "damaged PNG image: the Adler-32 of its rows is wrong"
                        : "damaged PNG image: its rows are no zlib stream", verdict(&f));
    }
    begin(&f, &image); /* rows go on in the IDATs that stand in a row; not behind another chunk */
    add_chunk(&f, "IDAT", stream.at, 9);
    add_chunk(&f, "tEXt", "", 0);
    add_chunk(&f, "IDAT", stream.at + 9, stream.count - 9);
    add_chunk(&f, "IEND", "", 0);
    ASSERT_STR_EQ("damaged PNG image: the Adler-32 of its rows is wrong", verdict(&f));
    PASS();
}

TEST what_fer_writes_it_reads(void)
{
    uint8_t pixels[48 * 48], *back;
    unsigned char bytes[FER_PNG_ROOM];
    int i, height, width;
    for (i = 0; i < 48 * 48; i++) pixels[i] = (uint8_t)(i * i / 7);
    ASSERT_EQ(0, fer_png_parse("F", bytes, fer_png_encode(bytes, 48, 48, pixels), &height, &width, &back, &error));
    ASSERT(height == 48 && width == 48);
    ASSERT_MEM_EQ(pixels, back, sizeof pixels);
    fer_free(back);
    PASS();
}

SUITE(suite_png)
{
    read_tests();
    RUN_TEST(interlaced_png_is_read);
    RUN_TEST(png_of_a_bad_kind_is_refused);
    RUN_TEST(damaged_png_is_refused);
    RUN_TEST(what_fer_writes_it_reads);
}
