/* gradcheck.h - what the gradient check's files share. */
#ifndef FER_GRADCHECK_H
#define FER_GRADCHECK_H

#include "../../fer.h"

/* One run of the check: what it was asked, what is checked now, who is told, and how many rows there were so far. */
struct fer_gradcheck_run {
    uint64_t seed;
    enum fer_layer_type type;
    const char *layer; /* the name that rows show */
    void (*report)(void *context, const struct fer_gradcheck_row *row);
    void *context;
    int rows, failed;
    /* Not NULL: does this with each argument instead of the check (tests/mistakes.c). */
    int (*instead)(struct fer_gradcheck_run *run, double (*f)(void *context), void *context, real *x, real *claimed,
                   size_t count, struct fer_error *e);
};

/* For a function that cannot be asked, only answered beforehand (gradcheck_points.c): steps and distances at which it
 * is known, for each element, and for the noise along FER_NOISY_ELEMENTS of them. */
enum { FER_LEVELS = 4, FER_NOISE_POINTS = 8, FER_NOISY_ELEMENTS = 3, FER_STEPS = 10, FER_DISTANCES = 4 };
struct fer_ladder {
    double step[FER_STEPS], distance[FER_DISTANCES];
};
/* fer_gradcheck_function for who knows more of f. */
struct fer_gradcheck_known {
    const struct fer_ladder *ladder; /* steps at which alone f can be asked; NULL: anywhere */
    double noise;                    /* of f, from an earlier check; 0: it is to be found */
    int levels;                      /* steps of one measurement: FER_LEVELS, or 3 where f is smooth and takes long */
    double enough;                   /* an error, in parts of the usual slope, that will do; 0: the usual one */
};
int fer_gradcheck_known(double (*f)(void *context), void *context, real *x, const real *claimed, size_t count,
                        size_t samples, double step, uint64_t seed, const struct fer_gradcheck_known *known,
                        struct fer_gradcheck *result, struct fer_error *e);
/* Which element is the i-th sample; the size of x that steps are a part of. */
size_t fer_gradcheck_sample(size_t count, size_t samples, size_t i, uint64_t seed);
double fer_gradcheck_size(const real *x, size_t count);

/* gradcheck_run.c. Counts the row and reports it. */
void fer_gradcheck_report(struct fer_gradcheck_run *run, const struct fer_gradcheck_row *row);

/* sum of a[i] * b[i], in double, the rounding errors of the sum carried along (Neumaier). */
double fer_gradcheck_dot(size_t count, const real *a, const real *b);

/* The row of one argument: x[count], whose gradient by the backward pass is claimed. Of more than FER_GRADCHECK_MOST
 * elements so many are checked. */
#define FER_GRADCHECK_STEP (1.0 / 32) /* the first */
enum { FER_GRADCHECK_MOST = 400 };
int fer_gradcheck_argument(struct fer_gradcheck_run *run, const char *geometry, const char *argument,
                           double (*f)(void *context), void *context, real *x, real *claimed, size_t count,
                           struct fer_error *e);

/* The cases of run->type, by its functions in fer.h (gradcheck_layers.c) or as a layer of a small network
 * (gradcheck_kinds.c); of the loss; of the network (gradcheck_network.c). 0, or -1 when memory runs out. */
int fer_gradcheck_functions(struct fer_gradcheck_run *run, struct fer_error *e);
int fer_gradcheck_in_network(struct fer_gradcheck_run *run, struct fer_error *e);
int fer_gradcheck_softmax_cross_entropy(struct fer_gradcheck_run *run, struct fer_error *e);
int fer_gradcheck_network(struct fer_gradcheck_run *run, struct fer_error *e);

/* The input cell whose value output cell number `cell` takes, or -1: 0 is taken. For the kinds that choose. */
long fer_relu_takes(const struct fer_layer *layer, const real *x, size_t cell);
long fer_max_pooling2d_takes(const struct fer_layer *layer, const real *x, size_t cell);
/* Which piece, 0 the lowest; and what it makes of x, on both sides of where it ends. */
long fer_leaky_relu_takes(const struct fer_layer *layer, const real *x, size_t cell);
real fer_leaky_relu_taken(const struct fer_layer *layer, real x, long piece);
long fer_elu_takes(const struct fer_layer *layer, const real *x, size_t cell);
real fer_elu_taken(const struct fer_layer *layer, real x, long piece);
long fer_hard_sigmoid_takes(const struct fer_layer *layer, const real *x, size_t cell);
real fer_hard_sigmoid_taken(const struct fer_layer *layer, real x, long piece);

#endif
