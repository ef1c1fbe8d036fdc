/* gradcheck.h - what the gradient check's files share. */
#ifndef FER_GRADCHECK_H
#define FER_GRADCHECK_H

#include "../../fer.h"

/* One run of the check: what it was asked, who is told, and how many rows there were so far. */
struct gradcheck_run {
    uint64_t seed;
    void (*report)(void *context, const struct fer_gradcheck_row *row);
    void *context;
    int rows, failed;
};

/* The slopes of a whole array: measured, with their errors, and claimed. */
struct fer_slopes {
    size_t count;
    const double *measured, *error;
    const real *claimed;
};
/* mistake.c: what kind of mistake the wrong ones are, in words; nothing where no kind fits. */
void fer_gradcheck_mistake(const struct fer_slopes *slopes, char *text, size_t size);

/* Counts the row and reports it. */
void fer_gradcheck_report(struct gradcheck_run *run, const struct fer_gradcheck_row *row);

/* sum of a[i] * b[i], in double, the rounding errors of the sum carried along (Neumaier). */
double fer_gradcheck_dot(size_t count, const real *a, const real *b);

/* The cases of the layer of this name, and of the network. 0, or -1 when memory runs out. */
int fer_gradcheck_cases(struct gradcheck_run *run, const char *layer, struct fer_error *e);
int fer_gradcheck_network(struct gradcheck_run *run, struct fer_error *e);

#endif
