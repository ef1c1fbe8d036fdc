/* checks.h - what the checkers know of a kind of layer: one table, as fer_kinds is. A kind without a bound or without a
 * gradient check does not pass the tests. */
#ifndef FER_CHECKS_H
#define FER_CHECKS_H

#include "chain.h"
#include "gradcheck.h"
#include "verification.h"

/* Checks what it is asked for, which has begun, against its bound. */
typedef void fer_check_layer(struct fer_verification *v, const struct fer_layer *layer);
/* Adds what the layer sends back to layer i, one of its inputs, to the sums for the gradient of that one's output. */
typedef void fer_check_share(struct fer_verification *v, const struct fer_layer *layer, int i, struct fer_sums *sums);

/* What kinds that compute alike share. */
struct fer_bounds {
    fer_check_layer *output; /* verify: LAYER/output (of the last layer LAYER/logits) */
    fer_check_share *add_input;
    /* Where that gradient is no plain sum, and the layer is the only one that it comes from: checks it whole. */
    fer_check_layer *input;
    fer_check_layer *parameters; /* the gradients of the layer's parameters; NULL: it has none */
    int reads_kernel; /* its backward pass does */
    int chooses; /* it sends a gradient to one of several cells: it comes last in a sum, since the rest must be known */
    int copies;  /* its output's elements are some of its input's: nothing is rounded */

    /* What it makes of a state of its inputs (chain.h), where the record does not hold them. */
    fer_chain_function *chain;
    /* Of a gradient that goes back through it (chain.h): what it makes of that gradient's errors (NULL: of each what
     * it makes of the gradient itself), and what the errors of the outputs that its backward pass reads add (NULL:
     * nothing). And of its parameters' gradients. */
    fer_back_function *errors, *doubts;
    fer_parameter_function *gradient;
};

struct fer_check {
    const char *name; /* of the gradient check and of the operation of `op`: "conv2d" */
    const char *operation; /* where `op` has another name for it; "" where it has none: a mere copy */
    const struct fer_bounds *bounds;
    int reads_input, reads_output; /* what its backward pass to its input reads beside its output's gradient */

    /* gradcheck: every argument, over many geometries. */
    int (*gradcheck)(struct fer_gradcheck_run *run, struct fer_error *e);
    /* Of a kind with kinks: the input cell that an output cell takes (gradcheck_network.c holds on to it); or, with
     * `taken`, which of its pieces it takes, and what that makes of x. */
    long (*takes)(const struct fer_layer *layer, const real *x, size_t cell);
    real (*taken)(const struct fer_layer *layer, real x, long piece);
};
extern const struct fer_check fer_checks[FER_LAYER_TYPES];

/* verify_layers.c */
fer_check_layer fer_verify_linear, fer_verify_linear_parameters, fer_verify_batch_normalization,
    fer_verify_batch_normalization_parameters, fer_verify_batch_normalization_input, fer_verify_average;
fer_check_share fer_verify_linear_input, fer_verify_batch_normalization_add_input, fer_verify_maximum_input,
    fer_verify_average_input;
/* Each channel's statistics, of x or the moving ones, and gamma. NULL when the check cannot be made. */
struct fer_channel *fer_verify_load_channels(struct fer_verification *v, const struct fer_layer *layer, const real *x);

/* verify_elements.c */
fer_check_layer fer_verify_function, fer_verify_softmax, fer_verify_add, fer_verify_multiply, fer_verify_copies,
    fer_verify_dropout, fer_verify_rescaling, fer_verify_normalization;
fer_check_share fer_verify_function_input, fer_verify_softmax_input, fer_verify_multiply_input, fer_verify_copies_input,
    fer_verify_dropout_input, fer_verify_rescaling_input, fer_verify_normalization_input;

#endif
