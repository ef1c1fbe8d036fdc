/* errors_memory.c - errors, memory, digests: what every other file leans on. */
#include "../../fer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int fer_fail(struct fer_error *e, const char *format, ...)
{
    va_list arguments;
    char *c;
    if (!e) return -1;
    va_start(arguments, format);
    vsnprintf(e->text, sizeof e->text, format, arguments);
    va_end(arguments);
    /* A hostile file name must not reach a terminal as control characters. */
    for (c = e->text; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127) *c = '?';
    return -1;
}

/* The block starts at a multiple of 64; the address that calloc gave stands just before it. */
void *fer_allocate(size_t count, size_t size, struct fer_error *e)
{
    unsigned char *block, *start;
    const size_t bytes = count * size;
    const size_t extra = 64 + sizeof(void *);
    if ((size && bytes / size != count) || bytes > SIZE_MAX - extra || !(block = calloc(bytes + extra, 1))) {
        fer_fail(e, "out of memory: %.1f MB more are needed", (double)count * (double)size / 1e6);
        return NULL;
    }
    start = block + extra - (size_t)((uintptr_t)(block + extra) % 64);
    ((void **)(void *)start)[-1] = block;
    return start;
}

void fer_free(void *memory)
{
    if (memory) free(((void **)memory)[-1]);
}

/* What the eight groups of four bits of a word have become, the last of them as step[0] has it. */
static uint32_t follow(uint32_t step[8][16], uint32_t word)
{
    return step[7][word & 15] ^ step[6][(word >> 4) & 15] ^ step[5][(word >> 8) & 15] ^ step[4][(word >> 12) & 15] ^
           step[3][(word >> 16) & 15] ^ step[2][(word >> 20) & 15] ^ step[1][(word >> 24) & 15] ^ step[0][word >> 28];
}

static uint32_t word_at(const unsigned char *byte)
{
    return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

/* CRC-32, reflected polynomial 0xEDB88320. Appending four zero bits to a remainder r makes table[r & 15] ^ (r >> 4) of
 * it. step[k][i] is what the four bits i have become when k more groups of four bits have followed them; remainders
 * add up by exclusive or, so the sixteen groups of two 32-bit words are looked up independently, and only those of the
 * first wait for the remainder. */
uint32_t fer_crc32(uint32_t crc, const void *bytes, size_t count)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const unsigned char *byte = bytes;
    uint32_t step[16][16];
    int i, k;
    for (i = 0; i < 16; i++) step[0][i] = table[i];
    for (k = 1; k < 16; k++)
        for (i = 0; i < 16; i++) step[k][i] = table[step[k - 1][i] & 15] ^ (step[k - 1][i] >> 4);
    crc = ~crc;
    for (; count >= 8; count -= 8, byte += 8)
        crc = follow(step + 8, crc ^ word_at(byte)) ^ follow(step, word_at(byte + 4));
    for (; count; count--, byte++) {
        crc = table[(crc ^ *byte) & 15] ^ (crc >> 4);
        crc = table[(crc ^ (*byte >> 4)) & 15] ^ (crc >> 4);
    }
    return ~crc;
}
