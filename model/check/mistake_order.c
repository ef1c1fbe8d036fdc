/* mistake_order.c - of an array that is wrong: does it hold the truth in another order? Exchanged axes and bytes of
 * another layout; slices along one axis that are shifted, reversed, exchanged, repeated; an index that has wrapped. */
#include "mistake.h"

#include <stdio.h>
#include <string.h>

/* Whether what stands at i is what should stand at k. */
static int holds(const struct fer_compared *c, size_t i, size_t k)
{
    const double off = (double)c->claimed[i] - c->truth[k];
    return off == 0 || (off < 0 ? -off : off) <= c->error[k];
}

/* ---- The axes in another order ---- */

/* Whether claimed lists the truth axis order[0] slowest, order[dims - 1] fastest. */
static int lists(const struct fer_compared *c, const int *order)
{
    size_t apart[4], place[4] = {0}, i, k = 0, elements = 1;
    int d;
    for (d = c->dims - 1; d >= 0; elements *= c->shape[d--]) apart[d] = elements;
    for (i = 0; i < c->count; i++) {
        if (!holds(c, i, k)) return 0;
        for (d = c->dims - 1; d >= 0; d--) {
            const int axis = order[d];
            k += apart[axis];
            if (++place[axis] < c->shape[axis]) break;
            k -= apart[axis] * c->shape[axis];
            place[axis] = 0;
        }
    }
    return 1;
}

static int name_axes_order(const struct fer_compared *c, const int *order, char *text, size_t size)
{
    const char *letters = "0123";
    int d, moved = 0, same_shape = 1, first = -1, second = -1;
    size_t at;
    for (d = 0; d < c->dims; d++) {
        if (order[d] == d) continue;
        moved++;
        if (first < 0) first = d;
        second = d;
        if (c->shape[order[d]] != c->shape[d]) same_shape = 0;
    }
    if (moved == 2 && same_shape)
        return snprintf(text, size, "the truth transposed: %ss and %ss are exchanged", c->axis[first], c->axis[second]);
    if (c->dims == 4)
        letters = strcmp(c->axis[0], "image") == 0            ? "NHWC"
                  : strcmp(c->axis[3], "output channel") == 0 ? "HWIO"
                                                              : "0123";
    at = (size_t)snprintf(text, size, "the truth in the order of bytes ");
    for (d = 0; d < c->dims; d++) text[at++] = letters[order[d]];
    return snprintf(text + at, size - at, " under the shape %.*s", c->dims, letters);
}

static int other_axes(const struct fer_compared *c, char *text, size_t size)
{
    int code, d, order[4];
    if (c->dims < 2 || c->dims > 4) return 0;
    for (code = 1; code < 256; code++) { /* two bits an axis */
        int seen = 0, same = 1;
        for (d = 0; d < c->dims; d++) {
            order[d] = code >> 2 * d & 3;
            seen |= 1 << order[d];
            same &= order[d] == d;
        }
        if (code >> 2 * c->dims || seen != (1 << c->dims) - 1 || same) continue;
        if (lists(c, order)) return name_axes_order(c, order, text, size);
    }
    return 0;
}

/* An array of one axis, taken as a matrix of so many rows. */
static int other_matrix(const struct fer_compared *c, char *text, size_t size)
{
    struct fer_compared matrix = *c;
    const int exchanged[2] = {1, 0};
    size_t rows;
    if (c->dims != 1) return 0;
    matrix.dims = 2;
    for (rows = 2; rows < c->count; rows++) {
        matrix.shape[0] = rows, matrix.shape[1] = c->count / rows;
        if (c->count % rows == 0 && lists(&matrix, exchanged))
            return snprintf(text, size, "the array is transposed, taken as %zu x %zu", matrix.shape[1], rows);
    }
    return 0;
}

/* ---- Slices along one axis ---- */

enum { NOWHERE = -1 };

/* Whether the wrong part of slice j along axis d, the elements marked along every other axis, is that part of slice
 * k, which should be another. */
static int slice_holds(const struct fer_compared *c, unsigned char *const *marks, int d, size_t j, size_t k)
{
    size_t apart = 1, before = 1, told = 0, i, block;
    int b;
    for (b = d + 1; b < c->dims; b++) apart *= c->shape[b];
    for (b = 0; b < d; b++) before *= c->shape[b];
    for (block = 0; block < before; block++)
        for (i = 0; i < apart; i++) {
            const size_t here = (block * c->shape[d] + j) * apart + i, there = (block * c->shape[d] + k) * apart + i;
            const double other = c->truth[here] - c->truth[there];
            for (b = 0; b < c->dims; b++)
                if (b != d && !marks[b][fer_mistake_index(c, here, b)]) break;
            if (b < c->dims) continue;
            if (!holds(c, here, there)) return 0;
            told += (other < 0 ? -other : other) > 8 * (c->error[here] + c->error[there]);
        }
    return told > 0;
}

/* from[j]: the slice whose truth the wrong slice j holds, first tried where its neighbour's came from. A slice of a
 * few numbers must be no other's, too. How many have one. */
static size_t find_slices(const struct fer_compared *c, unsigned char *const *marks, int d, long *from)
{
    const long size = (long)c->shape[d];
    long j, k, shift = -1;
    size_t found = 0;
    for (j = 0; j < size; j++) {
        from[j] = NOWHERE;
        if (!marks[d][j]) continue;
        if (j + shift >= 0 && j + shift < size && slice_holds(c, marks, d, (size_t)j, (size_t)(j + shift)))
            from[j] = j + shift;
        for (k = 0; k < size && from[j] == NOWHERE; k++)
            if (k != j && slice_holds(c, marks, d, (size_t)j, (size_t)k)) from[j] = k;
        for (k = 0; k < size && from[j] != NOWHERE && c->count / c->shape[d] < 8; k++)
            if (k != from[j] && slice_holds(c, marks, d, (size_t)j, (size_t)k)) from[j] = NOWHERE;
        if (from[j] == NOWHERE) continue;
        shift = from[j] - j;
        found++;
    }
    return found;
}

/* Blocks that stay together: "0 to 31 hold 64 to 95, ...", four of them. */
static int name_blocks(const char *axis, long size, const long *from, char *text, size_t room)
{
    size_t at = (size_t)snprintf(text, room, "the truth permuted in %ss:", axis);
    long j, last, blocks = 0;
    for (j = 0; j < size; j = last + 1) {
        for (last = j; last + 1 < size && from[j] != NOWHERE && from[last + 1] == from[last] + 1;) last++;
        if (from[j] == NOWHERE || at >= room) continue;
        if (blocks++ == 4) return snprintf(text + at, room - at, ", ...") > 0;
        at += (size_t)(last > j ? snprintf(text + at, room - at, "%s %ld to %ld hold %ld to %ld",
                                           blocks > 1 ? "," : "", j, last, from[j], from[last])
                                : snprintf(text + at, room - at, "%s %ld holds %ld", blocks > 1 ? "," : "", j,
                                           from[j]));
    }
    return 1;
}

/* A shift by so many of `size` places, the shorter way round. */
static long middle(long shift, long size)
{
    return 2 * shift > size ? shift - size : 2 * shift < -size ? shift + size : shift;
}

/* What the map along one axis is. */
static int name_slices(const char *axis, long size, size_t wrong, size_t found, const long *from, char *text,
                       size_t room)
{
    long j, first = -1, last = -1, shift = 0, one = 1, reversed = 1, shifted = 1, around = 0, in_range = 0;
    for (j = 0; j < size; j++) {
        if (from[j] == NOWHERE) continue;
        if (first < 0) first = j, shift = middle(from[j] - j, size);
        if (from[j] != from[first]) one = 0;
        if (from[j] != size - 1 - j) reversed = 0;
        if (middle(from[j] - j, size) != shift) shifted = 0;
        if (from[j] - j != shift) around = 1;
        last = j;
    }
    for (j = 0; j < size && shifted; j++) in_range += j + shift >= 0 && j + shift < size;
    if (found == wrong && found == 1)
        return snprintf(text, room, "%s %ld holds the truth of %s %ld", axis, first, axis, from[first]);
    if (found == wrong && one)
        return snprintf(text, room, "these %ss hold the truth of %s %ld", axis, axis, from[first]);
    if (found == 2 && from[first] == last && from[last] == first)
        return snprintf(text, room, "the truth permuted in %ss: %ld and %ld are exchanged", axis, first, last);
    if (shifted && (found == wrong || (long)found >= in_range - 1) && found > 1 && (!around || shift * shift < 10))
        return snprintf(text, room, "the truth shifted by %ld %s%s, towards the %s%s", shift < 0 ? -shift : shift, axis,
                        shift * shift > 1 ? "s" : "", shift < 0 ? "end" : "beginning", around ? ", and around" : "");
    if (found != wrong) return 0;
    if (reversed && found > 2) return snprintf(text, room, "the truth with its %ss reversed", axis);
    return name_blocks(axis, size, from, text, room);
}

static int other_slices(const struct fer_compared *c, char *text, size_t size)
{
    unsigned char *marks[FER_MAX_DIMS], *memory = fer_mistake_marks(c, marks);
    int d, named = 0;
    for (d = c->dims - 1; d >= 0 && memory && !named; d--) {
        long *from = fer_allocate(c->shape[d], sizeof *from, NULL);
        size_t wrong = 0, found, j, slice = c->count / c->shape[d];
        for (j = 0; j < c->shape[d]; j++) wrong += marks[d][j];
        found = from && wrong ? find_slices(c, marks, d, from) : 0;
        if (found && (slice > 2 || found > 2)) /* a number or two may be equal to others by chance */
            named = name_slices(c->axis[d], (long)c->shape[d], wrong, found, from, text, size);
        fer_free(from);
    }
    fer_free(memory);
    return named;
}

/* ---- An index of 16 bits ---- */

static int wrapped_index(const struct fer_compared *c, char *text, size_t size)
{
    const size_t wraps[2] = {65536, 32768};
    size_t i, first = 0;
    int k;
    while (first < c->count && fer_mistake_is_right(c, first)) first++;
    for (k = 0; k < 2; k++) {
        const size_t wrap = wraps[k];
        if (c->count <= wrap) continue;
        for (i = first; i < c->count && holds(c, i, i % wrap);) i++;
        if (i == c->count && first >= wrap)
            return snprintf(text, size, "element %zu holds that of 0, and so on: has an index of 16 bits wrapped?",
                            wrap);
        for (i = 0; i + wrap < c->count && holds(c, i, i + wrap);) i++;
        if (i + wrap == c->count && first < i)
            return snprintf(text, size, "element 0 holds that of %zu, and so on: has an index of 16 bits wrapped?",
                            wrap);
    }
    return 0;
}

int fer_mistake_order(const struct fer_compared *c, char *text, size_t size)
{
    return wrapped_index(c, text, size) || other_axes(c, text, size) || other_matrix(c, text, size) ||
           other_slices(c, text, size);
}
