/* png.c - a small grey picture as a PNG file (ISO/IEC 15948), its pixels stored and not compressed.
 *
 * A PNG file is a signature and chunks: length, name, content, CRC-32 over name and content. IDAT holds the rows,
 * each behind a byte that names its filter (0: none), as a zlib stream (RFC 1950): two bytes of header, deflate
 * blocks, Adler-32 of the rows. One stored block (RFC 1951) holds up to 65535 bytes, enough for any picture of
 * FER_PNG_SIDE squared. */
#include "../data.h"

#include <string.h>

static unsigned char *put_word(unsigned char *at, uint32_t value) /* big-endian */
{
    int i;
    for (i = 0; i < 4; i++) *at++ = (unsigned char)(value >> (24 - 8 * i));
    return at;
}

/* A chunk whose content stands at `at` + 8 already. Returns where the next one begins. */
static unsigned char *close_chunk(unsigned char *at, const char *name, size_t length)
{
    put_word(at, (uint32_t)length);
    memcpy(at + 4, name, 4);
    return put_word(at + 8 + length, fer_crc32(0, at + 4, length + 4));
}

/* The zlib stream of the rows. Returns its length. */
static size_t store_rows(unsigned char *out, int height, int width, const uint8_t *pixels)
{
    const size_t count = (size_t)height * ((size_t)width + 1);
    unsigned char *at = out + 7;
    int row;
    out[0] = 0x78; /* deflate, a window of 32 KB */
    out[1] = 0x01; /* makes the two bytes a multiple of 31 */
    out[2] = 0x01; /* the last block; stored */
    out[3] = (unsigned char)count;
    out[4] = (unsigned char)(count >> 8);
    out[5] = (unsigned char)~count; /* once more, inverted */
    out[6] = (unsigned char)(~count >> 8);
    for (row = 0; row < height; row++, at += width) {
        *at++ = 0;
        memcpy(at, pixels + (size_t)row * (size_t)width, (size_t)width);
    }
    return (size_t)(put_word(at, fer_adler32(1, out + 7, count)) - out);
}

size_t fer_png_encode(unsigned char out[FER_PNG_ROOM], int height, int width, const uint8_t *pixels)
{
    unsigned char *at = out + 8;
    memcpy(out, FER_PNG_MAGIC, 8);
    put_word(put_word(at + 8, (uint32_t)width), (uint32_t)height);
    memcpy(at + 16, "\x08\0\0\0\0", 5); /* 8 bits; grey; deflate; the five filters; not interlaced */
    at = close_chunk(at, "IHDR", 13);
    at = close_chunk(at, "IDAT", store_rows(at + 8, height, width, pixels));
    return (size_t)(close_chunk(at, "IEND", 0) - out);
}
