/* checks.h - what the checkers know of a kind of layer: one table, as fer_kinds is. A kind without a bound or without a
 * gradient check does not pass the tests. */
#ifndef FER_CHECKS_H
#define FER_CHECKS_H

#include "chain.h"
#include "gradcheck.h"
#include "verification.h"

struct fer_check {
    const char *name; /* of the gradient check and of the operation of `op`: "conv2d" */
    const char *operation; /* where `op` has another name for it; "" where it has none: a mere copy */

    /* verify: LAYER/output (of the last layer LAYER/logits), whose check has begun, against its bound. */
    void (*output)(struct fer_verification *v, const struct fer_layer *layer);
    /* What it makes of a state of its inputs (chain.h), where the record does not hold them. NULL: nothing can be said. */
    fer_chain_function *chain;
    int copies; /* its output's elements are some of its input's: nothing is rounded */
    /* What the layer sends back to layer i, one of its inputs, added to the sums for the gradient of that one's output.
     * ties_any: to whichever of several equal maxima fits the claim. */
    void (*add_input)(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                      struct fer_sums *sums);
    /* Where that gradient is no plain sum, and the layer is the only one that it comes from: checks it whole. */
    void (*input)(struct fer_verification *v, const struct fer_layer *layer);
    /* The gradients of the layer's parameters; NULL: it has none. */
    void (*parameters)(struct fer_verification *v, const struct fer_layer *layer);
    int reads_kernel, reads_input, reads_output; /* what its backward pass reads beside its output's gradient */
    int chooses; /* it sends a gradient to one of several cells: it comes last in a sum, since the rest must be known */

    /* gradcheck: every argument, over many geometries. */
    int (*gradcheck)(struct fer_gradcheck_run *run, struct fer_error *e);
    /* Of a kind with kinks: the input cell that an output cell takes (gradcheck_network.c holds on to it); or, with
     * `taken`, which of its pieces it takes, and what that makes of x. */
    long (*takes)(const struct fer_layer *layer, const real *x, size_t cell);
    real (*taken)(const struct fer_layer *layer, real x, long piece);
};
extern const struct fer_check fer_checks[FER_LAYER_TYPES];

/* verify_layers.c */
void fer_verify_conv2d(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_conv2d_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                             struct fer_sums *sums);
void fer_verify_conv2d_parameters(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_batch_normalization(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_batch_normalization_input(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_batch_normalization_add_input(struct fer_verification *v, const struct fer_layer *layer, int i,
                                              int ties_any, struct fer_sums *sums);
void fer_verify_batch_normalization_parameters(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_activation(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_activation_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                                 struct fer_sums *sums);
void fer_verify_max_pooling2d(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_max_pooling2d_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                                    struct fer_sums *sums);
void fer_verify_average_pooling2d(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_average_pooling2d_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                                        struct fer_sums *sums);
void fer_verify_concatenate(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_concatenate_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                                  struct fer_sums *sums);
void fer_verify_dense(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_dense_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                            struct fer_sums *sums);
void fer_verify_dense_parameters(struct fer_verification *v, const struct fer_layer *layer);

/* verify_elements.c */
void fer_verify_function(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_function_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                               struct fer_sums *sums);
void fer_verify_softmax(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_softmax_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                              struct fer_sums *sums);
void fer_verify_add(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_add_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                          struct fer_sums *sums);
void fer_verify_multiply(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_multiply_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                               struct fer_sums *sums);
void fer_verify_reshape(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_reshape_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                              struct fer_sums *sums);
void fer_verify_zero_padding2d(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_zero_padding2d_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                                     struct fer_sums *sums);
void fer_verify_cropping2d(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_cropping2d_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                                 struct fer_sums *sums);
void fer_verify_dropout(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_dropout_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                              struct fer_sums *sums);
void fer_verify_rescaling(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_rescaling_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                                struct fer_sums *sums);
void fer_verify_normalization(struct fer_verification *v, const struct fer_layer *layer);
void fer_verify_normalization_input(struct fer_verification *v, const struct fer_layer *layer, int i, int ties_any,
                                    struct fer_sums *sums);

#endif
