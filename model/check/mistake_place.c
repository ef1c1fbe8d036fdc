/* mistake_place.c - which elements of an array are wrong, in as few words as hold them all: the indices along each
 * axis, or the border of the images. */
#include "mistake.h"

#include <stdio.h>
#include <string.h>

int fer_mistake_is_right(const struct fer_compared *c, size_t i)
{
    const double off = (double)c->claimed[i] - c->truth[i];
    if (off == 0) return 1;
    if (c->truth[i] - c->truth[i] != 0) return off != off || c->claimed[i] - c->claimed[i] != 0;
    return (off < 0 ? -off : off) <= c->error[i];
}

/* Neighbours along axis d are so many elements apart. */
static size_t apart(const struct fer_compared *c, int d)
{
    size_t elements = 1;
    while (++d < c->dims) elements *= c->shape[d];
    return elements;
}

size_t fer_mistake_index(const struct fer_compared *c, size_t i, int d)
{
    return i / apart(c, d) % c->shape[d];
}

unsigned char *fer_mistake_marks(const struct fer_compared *c, unsigned char *marks[FER_MAX_DIMS])
{
    size_t total = 1, i;
    unsigned char *memory;
    int d;
    for (d = 0; d < c->dims; d++) total += c->shape[d];
    if (!(memory = fer_allocate(total, 1, NULL))) return NULL;
    for (total = 0, d = 0; d < c->dims; total += c->shape[d++]) marks[d] = memory + total;
    for (i = 0; i < c->count; i++)
        for (d = 0; d < c->dims && !fer_mistake_is_right(c, i); d++) marks[d][fer_mistake_index(c, i, d)] = 1;
    return memory;
}

void fer_mistake_axes(struct fer_compared *c, const char *meaning, int dims, const size_t *shape)
{
    static const struct {
        const char *meaning, *axis[4];
    } known[] = {{"[N,H,W,C]", {"image", "row", "column", "channel"}},
                 {"[KH,KW,CI,CO]", {"kernel row", "kernel column", "input channel", "output channel"}},
                 {"[KH,KW,C,M]", {"kernel row", "kernel column", "channel", "multiple"}},
                 {"[I,O]", {"input", "output"}},
                 {"[N,C]", {"image", "channel"}},
                 {"[C]", {"channel"}}};
    enum { KNOWN = sizeof known / sizeof *known };
    int k = 0, d;
    while (k < KNOWN && !(meaning && strcmp(meaning, known[k].meaning) == 0)) k++;
    if (k == KNOWN && dims == 4) k = 0;
    c->dims = dims ? dims : 1;
    c->shape[0] = 1; /* of a number */
    for (d = 0; d < dims; d++) c->shape[d] = shape[d];
    for (d = 0; d < c->dims; d++)
        c->axis[d] = k < KNOWN            ? known[k].axis[d]
                     : c->dims == 1       ? "element"
                     : d == 0             ? "row"
                     : d + 1 == c->dims   ? "channel"
                                          : "column";
}

/* ---- The indices along one axis ---- */

struct indices {
    size_t count, first, last, step; /* of those marked; step 0: they are not equally far apart */
    size_t missing;                  /* the last that is not marked */
};

static struct indices read_marks(const unsigned char *mark, size_t size)
{
    struct indices x = {0, 0, 0, 0, 0};
    size_t i;
    int even = 1;
    for (i = 0; i < size; i++) {
        if (!mark[i]) x.missing = i;
        if (!mark[i]) continue;
        if (x.count == 0) x.first = i;
        if (x.count == 1) x.step = i - x.first;
        if (x.count > 1 && i - x.last != x.step) even = 0;
        x.last = i;
        x.count++;
    }
    if (!even) x.step = 0;
    return x;
}

static const char *ordinal(size_t n)
{
    return n % 100 / 10 == 1 ? "th" : n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

/* "channels 44 to 47". 0: no few words do. */
static int name_indices(const unsigned char *mark, size_t size, const char *axis, char *text, size_t room)
{
    const struct indices x = read_marks(mark, size);
    size_t i, at, listed = 0;
    if (x.count == size) return 0;
    if (x.count == 1) return snprintf(text, room, "%s %zu", axis, x.first);
    if (x.step == 1) return snprintf(text, room, "%ss %zu to %zu", axis, x.first, x.last);
    if (x.step > 1 && x.count > 2 && x.first < x.step && x.last + x.step >= size)
        return snprintf(text, room, "every %zu%s %s from %zu on", x.step, ordinal(x.step), axis, x.first);
    if (x.count > 4 && x.count + 1 == size) return snprintf(text, room, "the %ss but %zu", axis, x.missing);
    if (x.count > 4) return 0;
    at = (size_t)snprintf(text, room, "%ss", axis);
    for (i = 0; i < size && at < room; i++)
        if (mark[i]) {
            listed++;
            at += (size_t)snprintf(text + at, room - at,
                                   listed == 1 ? " %zu" : listed == x.count ? " and %zu" : ", %zu", i);
        }
    return 1;
}

/* ---- The border of the images ---- */

/* In an array of images, how many cells deep the border is that holds all that is wrong; 0: it is none. */
static size_t border_depth(const struct fer_compared *c)
{
    size_t i, depth = 0;
    if (c->dims != 4 || strcmp(c->axis[1], "row") != 0) return 0;
    for (i = 0; i < c->count; i++) {
        const size_t row = fer_mistake_index(c, i, 1), column = fer_mistake_index(c, i, 2);
        size_t deep = row < c->shape[1] - 1 - row ? row : c->shape[1] - 1 - row;
        if (fer_mistake_is_right(c, i)) continue;
        if (column < deep) deep = column;
        if (c->shape[2] - 1 - column < deep) deep = c->shape[2] - 1 - column;
        if (deep + 1 > depth) depth = deep + 1;
    }
    return depth <= 3 && 2 * depth < c->shape[1] && 2 * depth < c->shape[2] ? depth : 0;
}

/* Of cells as deep: whether all of them have a wrong element, and so has each side away from the corners. */
static int name_border(const struct fer_compared *c, size_t depth, char *text, size_t room)
{
    static const char *const sides[4] = {"first row", "last row", "first column", "last column"};
    const size_t h = c->shape[1], w = c->shape[2];
    int side[4] = {0}, count = 0, k, at = 0;
    size_t i;
    for (i = 0; i < c->count; i++) {
        const size_t row = fer_mistake_index(c, i, 1), column = fer_mistake_index(c, i, 2);
        const int inner_row = row >= depth && row < h - depth, inner_column = column >= depth && column < w - depth;
        if (fer_mistake_is_right(c, i)) continue;
        if (inner_column) side[row < depth ? 0 : 1] = 1;
        if (inner_row) side[column < depth ? 2 : 3] = 1;
    }
    for (k = 0; k < 4; k++) count += side[k];
    if (count == 4 && depth == 1) return snprintf(text, room, "every border cell");
    if (count == 4) return snprintf(text, room, "every cell of a border of %zu", depth);
    if (count < 2 || depth > 1) return 0;
    for (k = 0; k < 4; k++)
        if (side[k]) {
            at += snprintf(text + at, room - (size_t)at, "%sthe %s", !at ? "" : count == 1 ? " and " : ", ", sides[k]);
            count--;
        }
    return 1;
}

/* ---- All of it ---- */

/* Of the elements whose index is marked along every axis that is `named`: how many are right, and are not 0 anyway. */
static size_t count_right_inside(const struct fer_compared *c, unsigned char *const *marks, const int *named)
{
    size_t i, right = 0;
    int d;
    for (i = 0; i < c->count; i++) {
        for (d = 0; d < c->dims; d++)
            if (named[d] && !marks[d][fer_mistake_index(c, i, d)]) break;
        if (d == c->dims && fer_mistake_is_right(c, i) && !(c->claimed[i] == 0 && c->truth[i] == 0)) right++;
    }
    return right;
}

/* "all of channels 44 to 47 of row 3", from the last axis to the first. */
static void name_axes(const struct fer_compared *c, size_t wrong, unsigned char *const *marks, char *text, size_t room)
{
    char words[FER_MAX_DIMS][80];
    int named[FER_MAX_DIMS] = {0}, d, k, axes = 0;
    size_t at, right, depth = border_depth(c);
    for (d = 0; d < c->dims; d++)
        axes += named[d] = name_indices(marks[d], c->shape[d], c->axis[d], words[d], sizeof words[d]) > 0;
    if (depth && !named[1] && !named[2] && name_border(c, depth, words[1], sizeof words[1])) {
        snprintf(text, room, ", %s%s%s", words[1], named[0] ? " of " : "", named[0] ? words[0] : "");
        return;
    }
    if (!axes) return;
    right = count_right_inside(c, marks, named);
    if (axes == 1 && named[0] && strncmp(words[0], "image ", 6) == 0) {
        snprintf(text, room, ", %s alone", words[0]);
        return;
    }
    for (d = c->dims - 1; !named[d];) d--;
    at = (size_t)snprintf(text, room, wrong <= right ? ", all in" : strncmp(words[d], "every ", 6) ? ", all of" : ",");
    for (k = 0; d >= 0; d--)
        if (named[d] && at < room) at += (size_t)snprintf(text + at, room - at, k++ ? " of %s" : " %s", words[d]);
    if (right && wrong > right && at < room) snprintf(text + at, room - at, " but %zu", right);
}

size_t fer_mistake_place(const struct fer_compared *c, char *text, size_t size)
{
    unsigned char *marks[FER_MAX_DIMS], *memory = fer_mistake_marks(c, marks);
    size_t i, wrong = 0, first = 0, at;
    int d;
    for (i = c->count; i-- > 0;)
        if (!fer_mistake_is_right(c, i)) first = i, wrong++;
    if (!memory || wrong == 0) return fer_free(memory), wrong;
    at = (size_t)snprintf(text, size, "%zu of %zu", wrong, c->count);
    for (d = 0; d < c->dims && wrong == 1 && c->count > 1 && at < size; d++)
        at += (size_t)snprintf(text + at, size - at, ", %s %zu%s", c->axis[d], fer_mistake_index(c, first, d),
                               d + 1 == c->dims ? " alone" : "");
    if (wrong > 1) name_axes(c, wrong, marks, text + at, size - at);
    fer_free(memory);
    return wrong;
}
