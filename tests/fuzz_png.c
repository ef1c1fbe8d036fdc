/* fuzz_png.c - the PNG reader against any bytes whatever. It must read or refuse with one line, and nothing else.
 * `make fuzz` builds and runs it; tests/fuzz_main.c runs it on files. A fuzzer does not find CRC-32 sums by chance:
 * they are made right here, of every chunk that lies inside the file; rows are unpacked before their Adler-32 is known.
 */
#include "../data/data.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void put_word(unsigned char *at, uint32_t value)
{
    int i;
    for (i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void mend_sums(unsigned char *bytes, size_t count)
{
    size_t at = 8, length;
    while (at + 12 <= count && (length = (size_t)fer_value_bits(bytes + at, 4, 1)) <= count - at - 12) {
        put_word(bytes + at + 8 + length, fer_crc32(0, bytes + at + 4, length + 4));
        at += length + 12;
    }
}

static void judge(const unsigned char *bytes, size_t count)
{
    struct fer_error e;
    int height = 0, width = 0;
    uint8_t *pixels;
    e.text[0] = 0;
    if (fer_png_parse("FILE", bytes, count, &height, &width, &pixels, &e)) {
        if (strncmp(e.text, "FILE: ", 6) != 0 || pixels) abort();
    } else {
        /* Deflated bytes grow 1032 times at most, and a byte of a row holds 8 pixels at most. */
        if (height < 1 || width < 1 || (size_t)height * (size_t)width > 8 * 1032 * count) abort();
        fer_crc32(0, pixels, (size_t)height * (size_t)width); /* touches every pixel */
        fer_free(pixels);
    }
}

/* The file as it is, and with sums that are right. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    unsigned char *copy = malloc(count + 1);
    judge(bytes, count);
    if (copy) {
        memcpy(copy, bytes, count);
        mend_sums(copy, count);
        judge(copy, count);
    }
    free(copy);
    return 0;
}
