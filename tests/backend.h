/* backend.h - "another implementation" for the tests of verify: one training step of the network, and its record as a file.
 *
 * It computes in one of two ways. EXACT: the library's layers in float64, each result rounded to float32 when it is stored. All others:
 * loops of its own in float32, long sums taken in the order named. And it can be broken: a fault by name, at one layer or at all;
 * everything downstream, forward and backward, is computed as a backend with that fault would. */
#ifndef BACKEND_H
#define BACKEND_H

#include "../fer.h"

enum order { EXACT, ASCENDING, DESCENDING, PAIRWISE, LANES, SHUFFLED, KAHAN, FUSED, MIXED, LARGEST_FIRST, HALF };

struct backend {
    struct fer_network *net;  /* planned FER_PLAN_KEEP: holds outputs and gradients */
    size_t n;
    int labels[64];
    enum order order;         /* MIXED: another one at each layer */
    int bits;                 /* of the format in which everything is stored: 24 for float32, 8 for bfloat16 */
    const char *fault, *at;   /* its name ("": none) and its layer ("": all) */
    real loss;
    real *new_value;          /* of every parameter after the update, at the same place as in net->parameter[0].value */
};

/* A network with weights, statistics, images and labels from the seed. 0, or -1 when memory runs out. */
int backend_create(struct backend *b, size_t size, size_t n, uint64_t seed);
void backend_free(struct backend *b);
/* Forward, backward, update. */
void backend_step(struct backend *b, enum order order, const char *fault, const char *at);
/* Where an array of the record stands, by name. */
real *backend_array(struct backend *b, const char *name);
/* The record; `updates`: with the arrays of the update. 0, or -1. */
int backend_record(const struct backend *b, const char *path, enum fer_type type, int updates);

/* a . b, or with b NULL the sum of a, in float32 in that order. Changes a. */
float backend_dot(float *a, const float *b, int count, enum order order);

/* BatchNormalization of layer->output, mean, variance and its gradient, in float32; `way` chooses among the forms in use. */
void backend_normalise(struct fer_layer *layer, size_t rows, const real *x, const real *beta, double epsilon, enum order order, int way);
void backend_normalise_backward(struct fer_layer *layer, size_t rows, const real *x, const real *dy, double epsilon, real *dx, real *dbeta,
                                enum order order, int way);

#endif
