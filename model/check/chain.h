/* chain.h - an output that the record does not hold, computed from the nearest arrays that it holds. */
#ifndef FER_CHAIN_H
#define FER_CHAIN_H

#include "verification.h"

/* fer_state (verification.h) is a layer's output, each element with how far a backend's may be from it: E proven (worst
 * case), e likely. Closed, or the open sum of a run of linear layers, which a backend may add up in any order: then
 * also A, the sum of the terms' magnitudes, and K, how many roundings a term can meet; else NULL.
 *
 * Or a gradient: always closed, and beside e, the element's own error, c, which is common to its channel, as those of a
 * batch's statistics are: in a sum over cells e counts as the root of squares, c as a sum. What is likely is e + c. */

/* What a kind of layer makes of its inputs' states. 0, or -1: it cannot be said, or memory ran out. */
typedef int fer_chain_function(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in,
                               struct fer_state *out);

/* Adds to the errors of dx, the gradient of the output of layer i, which the layer takes from, what it makes of those
 * of dy, the gradient of its own output; to e and c as squares. The outputs that its backward pass reads are
 * v->state[]. */
typedef int fer_back_function(struct fer_verification *v, const struct fer_layer *layer, int i,
                              const struct fer_state *dy, struct fer_state *dx);
/* The gradient of a parameter, with its errors, from the layer's input (of a bias, and of beta, NULL) and the gradient
 * of its output. */
typedef int fer_parameter_function(struct fer_verification *v, const struct fer_layer *layer,
                                   const struct fer_parameter *p, const struct fer_state *x,
                                   const struct fer_state *dy, struct fer_state *out);

/* What is held (fer_verify_hold) in one of these functions, its caller releases. */

/* chain_layers.c */
fer_chain_function fer_chain_linear, fer_chain_batch_normalization, fer_chain_average, fer_chain_add,
    fer_chain_multiply, fer_chain_moved, fer_chain_activation, fer_chain_maximum, fer_chain_softmax,
    fer_chain_rescaling, fer_chain_normalization, fer_chain_dropout;

/* How errors of x move a channel's statistics: mean and scale of x, the means of E and e, the change of the variance,
 * proven (dV), and the relative change of the scale, proven (R) and likely (r). And the proven error of
 * h = (x - mean) scale when that of x is E. */
struct fer_shift {
    double mean, scale, mean_E, mean_e, dV, R, r;
};
struct fer_shift fer_shift_of(const struct fer_state *x, size_t channels, size_t c, double epsilon);
double fer_shift_proven(const struct fer_shift *t, double h, double E);

/* chain_back.c */
fer_back_function fer_back_linear, fer_back_batch_normalization, fer_back_activation, fer_back_maximum,
    fer_back_average, fer_back_dropout, fer_back_softmax, fer_back_multiply;

/* chain_parameters.c */
fer_parameter_function fer_chain_linear_gradient, fer_chain_batch_normalization_gradient;

/* chain_state.c */
/* Room for a state's arrays of `count` zeros, A and K too when it is open. 0, or -1. */
int fer_state_allocate(struct fer_verification *v, struct fer_state *s, size_t count, int open);
int fer_state_allocate_gradient(struct fer_verification *v, struct fer_state *s, size_t count);
void fer_state_free(struct fer_state *s);
/* A likely bound of few roundings is their worst case, which they come near to: as one of many in a root of squares it
 * counts as if they had 4 sqrt(K), so many times that much. */
double fer_chain_few(double K);
/* The sum ends here, rounded to a stored number. */
void fer_state_close(const struct fer_verification *v, struct fer_state *s);
/* A state keeps what it was computed from, for the arrays that it serves later: between begin, which gives what the
 * array at hand was computed from so far, and end, that is noted; and added, where the state is used again. */
struct fer_sources fer_sources_begin(struct fer_verification *v);
void fer_sources_end(struct fer_verification *v, const struct fer_sources *outer, struct fer_state *s);
void fer_sources_add(struct fer_verification *v, const struct fer_sources *more);
/* Itself when it is closed, else a closed copy in `room`, whose arrays are held. NULL: no memory. */
const struct fer_state *fer_state_closed(struct fer_verification *v, const struct fer_state *s, struct fer_state *room);
/* The smallest relative fault that would show: the median of error / |truth| over a sample of the elements. */
double fer_chain_sees(size_t count, const real *truth, const real *error);
/* The magnitude of element i as a term of a further sum, and its roundings so far. */
double fer_state_magnitude(const struct fer_state *s, size_t i);
double fer_state_roundings(const struct fer_state *s, size_t i);

/* chain.c */
/* Checks the array at hand, the output of a layer, through layers whose outputs the record does not hold; with `anew`
 * the outputs that it takes from are computed too, though they are there. */
void fer_chain_check(struct fer_verification *v, const struct fer_layer *layer, int anew);
/* The probabilities, from the logits, which the record does not hold. */
void fer_chain_check_probabilities(struct fer_verification *v);
/* The output of layer i with its errors, as the record has it or computed; NULL: neither, and that is noted. */
struct fer_state *fer_chain_state(struct fer_verification *v, int i);
/* The probabilities, from the logits likewise. 0, or -1. */
int fer_chain_probabilities(struct fer_verification *v, struct fer_state *p);
/* Notes that the check goes through layer i; whether that is new. And names them, "conv2d_3, batch_normalization_3", at
 * most four. */
int fer_chain_note(struct fer_verification *v, int i);
void fer_chain_name(struct fer_verification *v);
/* Into the tally of the array at hand, which is weak when it sees nothing below `weak`, and its own roundings are not
 * why; then the state is given up. */
void fer_chain_tally(struct fer_verification *v, struct fer_state *s, double weak);
/* Whether the record holds all that the layer takes from. */
int fer_chain_has_inputs(const struct fer_verification *v, const struct fer_layer *layer);
/* Gives up the states that no layer behind this one takes from. */
void fer_chain_forget(struct fer_verification *v, const struct fer_layer *layer);

/* Gives up all states; they are computed again when they are needed. And their table too. */
void fer_chain_clear(struct fer_verification *v);
void fer_chain_end(struct fer_verification *v);

/* chain_gradient.c: checks the array at hand, the gradient of layer i's output or of a parameter, through gradients and
 * outputs that the record does not hold. 0, or -1: that cannot be done, and the row is as it was. */
int fer_chain_check_loss(struct fer_verification *v); /* from the logits or the probabilities */
int fer_chain_check_gradient(struct fer_verification *v, int i);
int fer_chain_check_parameter(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p);
/* On the way back: keeps the gradients of the layer's parameters that the record does not hold, where it holds what a
 * step made of them; and, for the check of that, such a gradient, NULL when it cannot be computed. */
void fer_chain_keep_gradients(struct fer_verification *v, const struct fer_layer *layer);
const struct fer_state *fer_chain_parameter_gradient(struct fer_verification *v, const struct fer_layer *layer,
                                                     const struct fer_parameter *p);
/* What the layer takes from, closed, for the check of its moving statistics; NULL: it cannot be had. `room` is the
 * caller's. */
const struct fer_state *fer_chain_input(struct fer_verification *v, const struct fer_layer *layer,
                                        struct fer_state *room);
/* Whether the gradient of a parameter takes the layer's input, beside the gradient of its output. */
int fer_chain_takes_input(const struct fer_parameter *p);
/* Gives up the states that layers below layer i do not need. */
void fer_chain_forget_gradients(struct fer_verification *v, int i);

#endif
