/* mistake.h - an array beside what it should be: which of its elements are wrong, and what kind of mistake it is, in
 * words. */
#ifndef FER_MISTAKE_H
#define FER_MISTAKE_H

#include "../../fer.h"

struct fer_compared {
    size_t count;
    const double *truth, *error; /* [count], each with how far a right value may be from it */
    const real *claimed;
    double unit;                 /* the unit roundoff of the format in which claimed is stored; 0: nothing is rounded */
    int dims;
    size_t shape[FER_MAX_DIMS];
    const char *axis[FER_MAX_DIMS]; /* what one index along it is called: "image", "channel" */
};

/* Sets dims, shape and axis, by what the dimensions are, as op's arguments have it: "[N,H,W,C]"; NULL: not known. */
void fer_mistake_axes(struct fer_compared *c, const char *meaning, int dims, const size_t *shape);

/* Which are wrong: "400 of 4800, all of channels 44 to 47". Returns how many. */
size_t fer_mistake_place(const struct fer_compared *c, char *text, size_t size);

/* What kind of mistake it is; nothing where no kind fits every wrong element. VAGUE: whatever the array is computed
 * from may explain more. */
enum fer_mistake { FER_NO_MISTAKE, FER_VAGUE_MISTAKE, FER_CLEAR_MISTAKE };
enum fer_mistake fer_mistake_kind(const struct fer_compared *c, char *text, size_t size);

/* x with so many binary digits (up to 52): the nearest such number, of two as near the even one, or cut off. */
double fer_shortened(double x, int digits, int cut);

/* mistake_order.c: the truth in another order. */
int fer_mistake_order(const struct fer_compared *c, char *text, size_t size);

/* mistake_place.c, for these: whether element i is right; its index along axis d; which indices along each axis hold
 * wrong elements, marks[d][index], one behind the other in memory that is the caller's to free (NULL: no memory). */
int fer_mistake_is_right(const struct fer_compared *c, size_t i);
size_t fer_mistake_index(const struct fer_compared *c, size_t i, int d);
unsigned char *fer_mistake_marks(const struct fer_compared *c, unsigned char *marks[FER_MAX_DIMS]);

#endif
