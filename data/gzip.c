/* gzip.c - the bytes in a gzip file (RFC 1952): members, one behind the other, each of a header, deflated bytes, and
 * their CRC-32 and number. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_CRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, UNKNOWN = 224 };

struct fer_gzip {
    FILE *file;
    unsigned char first[FER_GZIP_FIRST]; /* what the caller had read already */
    size_t first_at, first_count;
    struct fer_inflate *inflate;
    int in_member;
    uint32_t crc, bytes; /* of the member so far; bytes modulo 2^32 */
};

/* A fer_source. */
static size_t next_bytes(void *context, unsigned char *bytes, size_t count)
{
    struct fer_gzip *g = context;
    if (g->first_at == g->first_count) return fread(bytes, 1, count, g->file);
    if (count > g->first_count - g->first_at) count = g->first_count - g->first_at;
    memcpy(bytes, g->first + g->first_at, count);
    g->first_at += count;
    return count;
}

struct fer_gzip *fer_gzip_create(FILE *file, const unsigned char *first, size_t count)
{
    struct fer_gzip *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->file = file;
    g->first_count = count < sizeof g->first ? count : sizeof g->first;
    memcpy(g->first, first, g->first_count);
    if (!(g->inflate = fer_inflate_create())) {
        free(g);
        return NULL;
    }
    fer_inflate_start(g->inflate, next_bytes, g);
    return g;
}

void fer_gzip_free(struct fer_gzip *g)
{
    if (!g) return;
    fer_inflate_free(g->inflate);
    free(g);
}

/* Passes over `count` bytes, or (count 0) a text and the zero byte behind it. Returns whether they are there. */
static int skip(struct fer_gzip *g, unsigned count)
{
    unsigned char byte;
    int text = count == 0;
    while (text || count) {
        if (fer_inflate_behind(g->inflate, &byte, 1) < 1) return 0;
        if (text && byte == 0) return 1;
        if (count) count--;
    }
    return 1;
}

/* Sets in_member, unless the file ends here. Behind the last member there may be zeros. */
static const char *begin_member(struct fer_gzip *g)
{
    unsigned char head[10] = {0}, length[2];
    do
        if (fer_inflate_behind(g->inflate, head, 1) < 1) return NULL;
    while (head[0] == 0);
    if (fer_inflate_behind(g->inflate, head + 1, 9) < 9) return "it ends early";
    if (head[0] != 0x1f || head[1] != 0x8b) return "something else follows its end";
    if (head[2] != 8 || head[3] & UNKNOWN) return "it is packed in a way that gzip does not have";
    if (head[3] & EXTRA && (fer_inflate_behind(g->inflate, length, 2) < 2 ||
                            ((length[0] || length[1]) && !skip(g, (unsigned)(length[0] | length[1] << 8)))))
        return "it ends early";
    if ((head[3] & NAME && !skip(g, 0)) || (head[3] & COMMENT && !skip(g, 0)) || (head[3] & HEADER_CRC && !skip(g, 2)))
        return "it ends early";
    fer_inflate_again(g->inflate);
    g->in_member = 1;
    g->crc = g->bytes = 0;
    return NULL;
}

static const char *end_member(struct fer_gzip *g)
{
    unsigned char sums[8];
    if (fer_inflate_behind(g->inflate, sums, 8) < 8) return "it ends early";
    g->in_member = 0;
    return fer_value_bits(sums, 4, 0) == g->crc && fer_value_bits(sums + 4, 4, 0) == g->bytes ? NULL
                                                                                             : "its CRC is wrong";
}

size_t fer_gzip_read(struct fer_gzip *g, unsigned char *bytes, size_t count, const char **wrong)
{
    size_t done = 0;
    *wrong = NULL;
    while (done < count && !*wrong) {
        size_t given;
        if (!g->in_member && ((*wrong = begin_member(g)) != NULL || !g->in_member)) break;
        given = fer_inflate_some(g->inflate, bytes + done, count - done, wrong);
        g->crc = fer_crc32(g->crc, bytes + done, given);
        g->bytes += (uint32_t)given;
        done += given;
        if (!*wrong && done < count) *wrong = end_member(g);
    }
    return done;
}
