/* inflate.c - reads deflated data (RFC 1951, DEFLATE Compressed Data Format Specification 1.3), a piece at a time.
 *
 * Deflated data is a row of blocks. A block holds either plain bytes, or symbols of a prefix code: 0 ... 255 a byte,
 * 256 the end of the block, from 257 on a match: "copy so many bytes from so far back", at most 32768 back. The bits
 * of a byte are taken from the lowest up. The data may be hostile: nothing is used before it has been checked. */
#include "data.h"

#include <stdlib.h>

#define WINDOW 32768
#define LONGEST_CODE 15
#define SYMBOLS 288

/* A prefix code as one table: entry[next bits of the input] = symbol * 16 + length of its code; 0: no such code. */
struct code {
    int bits; /* the length of the longest code of this block; the table has 2^bits entries */
    uint16_t entry[1 << LONGEST_CODE];
};

struct fer_inflate {
    fer_source source;
    void *context;
    unsigned char input[4096];
    size_t input_at, input_count;
    uint32_t held;        /* bits taken from the input and not yet used, the next one lowest */
    int held_bits;        /* how many */
    int in_codes;         /* inside a block of symbols */
    int last_block;       /* the present block is the last one */
    size_t run, distance; /* bytes still to copy: of a match, or of a block of plain bytes (distance 0) */
    struct code symbols, distances;
    unsigned char window[WINDOW];
    uint64_t written;     /* bytes given so far; byte i stands in window[i mod 32768] */
    const char *wrong;    /* the first fault; NULL: none yet */
};

struct fer_inflate *fer_inflate_create(void)
{
    return malloc(sizeof(struct fer_inflate));
}

void fer_inflate_free(struct fer_inflate *z)
{
    free(z);
}

void fer_inflate_start(struct fer_inflate *z, fer_source source, void *context)
{
    z->source = source;
    z->context = context;
    z->input_at = z->input_count = 0;
    z->held = 0;
    z->held_bits = 0;
    fer_inflate_again(z);
}

void fer_inflate_again(struct fer_inflate *z)
{
    z->in_codes = z->last_block = 0;
    z->run = z->distance = 0;
    z->written = 0;
    z->wrong = NULL;
}

/* Keeps the first fault, after which nothing more is read. Returns 0, in place of what could not be read. */
static unsigned fail(struct fer_inflate *z, const char *wrong)
{
    if (!z->wrong) z->wrong = wrong;
    return 0;
}

/* ---- bits ---- */

/* Holds at least `count` bits (up to 25), or as many as the input still has. */
static void hold(struct fer_inflate *z, int count)
{
    while (z->held_bits < count) {
        if (z->input_at == z->input_count) {
            z->input_at = 0;
            z->input_count = z->source(z->context, z->input, sizeof z->input);
            if (z->input_count == 0) return;
        }
        z->held |= (uint32_t)z->input[z->input_at++] << z->held_bits;
        z->held_bits += 8;
    }
}

static unsigned take(struct fer_inflate *z, int count)
{
    unsigned bits;
    hold(z, count);
    if (z->held_bits < count) return fail(z, "they end early");
    bits = z->held & ((1u << count) - 1);
    z->held >>= count;
    z->held_bits -= count;
    return bits;
}

static unsigned take_symbol(struct fer_inflate *z, const struct code *code)
{
    unsigned entry;
    int length;
    hold(z, code->bits);
    entry = code->entry[z->held & ((1u << code->bits) - 1)];
    length = (int)(entry & 15);
    if (length == 0) return fail(z, "a code stands for nothing");
    if (length > z->held_bits) return fail(z, "they end early");
    z->held >>= length;
    z->held_bits -= length;
    return entry >> 4;
}

/* ---- prefix codes ---- */

/* Codes are numbered by length, and within a length by symbol. In the input their highest bit comes first. */
static void fill_code(struct code *code, const unsigned char *lengths, int symbols, const unsigned next_of_length[])
{
    unsigned next[LONGEST_CODE + 1], reversed, i;
    int symbol, length, bit;
    for (length = 0; length <= LONGEST_CODE; length++) next[length] = next_of_length[length];
    for (i = 0; i < 1u << code->bits; i++) code->entry[i] = 0;
    for (symbol = 0; symbol < symbols; symbol++) {
        length = lengths[symbol];
        if (length == 0) continue;
        for (reversed = 0, bit = 0; bit < length; bit++) reversed |= ((next[length] >> bit) & 1) << (length - 1 - bit);
        next[length]++;
        for (i = reversed; i < 1u << code->bits; i += 1u << length) code->entry[i] = (uint16_t)(symbol * 16 + length);
    }
}

/* Makes the code in which symbol i has lengths[i] bits (0: does not occur). The lengths must use up all codes; only a
 * code of one symbol or none may leave some over. */
static void make_code(struct fer_inflate *z, struct code *code, const unsigned char *lengths, int symbols)
{
    unsigned count[LONGEST_CODE + 1] = {0}, next[LONGEST_CODE + 1] = {0};
    int i, length, left = 1; /* codes of this length that do not begin with a shorter one */
    for (i = 0; i < symbols; i++) count[lengths[i]]++;
    count[0] = 0;
    code->bits = 1;
    for (length = 1; length <= LONGEST_CODE; length++) {
        next[length] = (next[length - 1] + count[length - 1]) * 2;
        left = left * 2 - (int)count[length];
        if (count[length]) code->bits = length;
        if (left < 0) {
            fail(z, "a prefix code has more symbols than there is room for");
            return;
        }
    }
    if (left > 0 && (code->bits > 1 || count[1] > 1)) fail(z, "a prefix code is not complete");
    fill_code(code, lengths, symbols, next);
}

static void make_fixed_codes(struct fer_inflate *z)
{
    unsigned char lengths[SYMBOLS];
    int i;
    for (i = 0; i < SYMBOLS; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    make_code(z, &z->symbols, lengths, SYMBOLS);
    for (i = 0; i < 32; i++) lengths[i] = 5;
    make_code(z, &z->distances, lengths, 32);
}

/* The lengths of both codes are themselves written in a code: 0 ... 15 a length, 16 the last one 3 ... 6 times more,
 * 17 and 18 runs of zeros. */
static void read_lengths(struct fer_inflate *z, unsigned char *lengths, unsigned count)
{
    unsigned symbol, repeat, at = 0;
    unsigned char length;
    while (at < count && !z->wrong) {
        symbol = take_symbol(z, &z->symbols);
        length = 0;
        repeat = 1;
        if (symbol < 16)
            length = (unsigned char)symbol;
        else if (symbol == 17)
            repeat = 3 + take(z, 3);
        else if (symbol == 18)
            repeat = 11 + take(z, 7);
        else if (at == 0)
            fail(z, "a code length is repeated before there is one");
        else {
            length = lengths[at - 1];
            repeat = 3 + take(z, 2);
        }
        if (repeat > count - at)
            fail(z, "there are more code lengths than announced");
        else
            while (repeat--) lengths[at++] = length;
    }
}

static void read_codes(struct fer_inflate *z)
{
    static const unsigned char order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned char lengths[286 + 30] = {0};
    unsigned i, symbols = 257 + take(z, 5), distances = 1 + take(z, 5), count = 4 + take(z, 4);
    if (symbols > 286 || distances > 30) fail(z, "a block announces more symbols than there are");
    for (i = 0; i < count; i++) lengths[order[i]] = (unsigned char)take(z, 3);
    make_code(z, &z->symbols, lengths, 19);
    if (z->wrong) return;
    read_lengths(z, lengths, symbols + distances);
    if (z->wrong) return;
    if (lengths[256] == 0) fail(z, "a block has no code for its end");
    make_code(z, &z->symbols, lengths, (int)symbols);
    make_code(z, &z->distances, lengths + symbols, (int)distances);
}

/* ---- blocks ---- */

static void begin_block(struct fer_inflate *z)
{
    unsigned type;
    z->last_block = (int)take(z, 1);
    type = take(z, 2);
    z->in_codes = type != 0;
    if (type == 0) {
        /* Plain bytes begin at a whole byte, with their number, and the same with all bits inverted. */
        take(z, z->held_bits & 7);
        z->run = take(z, 16);
        z->distance = 0;
        if ((take(z, 16) ^ z->run) != 0xffff) fail(z, "the length of a stored block is damaged");
    } else if (type == 1)
        make_fixed_codes(z);
    else if (type == 2)
        read_codes(z);
    else
        fail(z, "a block has the unknown type 3");
}

/* Lengths 3 ... 258 and distances 1 ... 32768 are written as a symbol and some further bits. Up to the symbol 7
 * (lengths) or 3 (distances) there are none; then the symbol's lowest two bits (distances: lowest bit) come after a
 * leading 1, and the others count the further bits. The length 258 has its own symbol, 285. */
static void begin_match(struct fer_inflate *z, unsigned symbol)
{
    unsigned extra, s = symbol - 257, d;
    if (s > 28) {
        fail(z, "a length has an unknown symbol");
        return;
    }
    extra = s < 8 ? 0 : s / 4 - 1;
    if (s < 8)
        z->run = 3 + s;
    else if (s < 28)
        z->run = 3 + ((4 + s % 4) << extra) + take(z, (int)extra);
    else
        z->run = 258;

    d = take_symbol(z, &z->distances);
    extra = d < 4 ? 0 : d / 2 - 1;
    if (d > 29)
        fail(z, "a distance has an unknown symbol");
    else if (d < 4)
        z->distance = 1 + d;
    else
        z->distance = 1 + ((2 + d % 2) << extra) + take(z, (int)extra);
    if (z->distance > z->written) fail(z, "a distance reaches before the beginning");
}

/* The next byte of the run: a match's from the window, a stored block's from the input. */
static unsigned char run_byte(struct fer_inflate *z)
{
    z->run--;
    if (z->distance) return z->window[(z->written - z->distance) % WINDOW];
    return (unsigned char)take(z, 8);
}

/* Gives up to `count` bytes; fewer at the end of the data, or when something is wrong. */
static size_t give(struct fer_inflate *z, unsigned char *bytes, size_t count)
{
    size_t done = 0;
    unsigned symbol;
    while (done < count && !z->wrong) {
        if (z->run)
            bytes[done] = run_byte(z);
        else if (z->in_codes) {
            symbol = take_symbol(z, &z->symbols);
            if (symbol == 256)
                z->in_codes = 0;
            else if (symbol > 256)
                begin_match(z, symbol);
            if (symbol >= 256) continue;
            bytes[done] = (unsigned char)symbol;
        } else if (z->last_block)
            break;
        else {
            begin_block(z);
            continue;
        }
        if (z->wrong) break;
        z->window[z->written++ % WINDOW] = bytes[done++];
    }
    return done;
}

size_t fer_inflate_some(struct fer_inflate *z, unsigned char *bytes, size_t count, const char **wrong)
{
    const size_t given = give(z, bytes, count);
    *wrong = z->wrong;
    return given;
}

size_t fer_inflate_behind(struct fer_inflate *z, unsigned char *bytes, size_t count)
{
    size_t given;
    z->held >>= z->held_bits & 7; /* the rest of the last byte does not matter */
    z->held_bits -= z->held_bits & 7;
    for (given = 0; given < count; given++) {
        hold(z, 8);
        if (z->held_bits < 8) break;
        bytes[given] = (unsigned char)take(z, 8);
    }
    return given;
}

const char *fer_inflate_read(struct fer_inflate *z, unsigned char *bytes, size_t count)
{
    if (give(z, bytes, count) < count) fail(z, "they hold fewer bytes than the directory says");
    return z->wrong;
}

const char *fer_inflate_end(struct fer_inflate *z)
{
    unsigned char more;
    if (give(z, &more, 1)) fail(z, "they hold more bytes than the directory says");
    hold(z, 8 + z->held_bits % 8); /* the rest of the last byte does not matter */
    if (z->held_bits >= 8) fail(z, "other bytes follow their end");
    return z->wrong;
}

uint32_t fer_adler32(uint32_t adler, const unsigned char *bytes, size_t count)
{
    uint32_t sum = adler & 0xffff, sum_of_sums = adler >> 16;
    for (; count; count--) {
        sum = (sum + *bytes++) % 65521;
        sum_of_sums = (sum_of_sums + sum) % 65521;
    }
    return sum_of_sums << 16 | sum;
}
