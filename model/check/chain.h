/* chain.h - an output that the record does not hold, computed from the nearest arrays that it holds. */
#ifndef FER_CHAIN_H
#define FER_CHAIN_H

#include "verification.h"

/* A layer's output, each element with how far a backend's may be from it: E proven (worst case), e likely. Closed, or the
 * open sum of a run of linear layers, which a backend may add up in any order: then also A, the sum of the terms'
 * magnitudes, and K, how many roundings a term can meet. */
struct fer_state {
    size_t count;
    real *v, *E, *e;
    real *A, *K; /* NULL: closed */
};

/* What a kind of layer makes of its inputs' states. 0, or -1: it cannot be said, or memory ran out. */
typedef int fer_chain_function(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in,
                               struct fer_state *out);

/* chain_layers.c */
fer_chain_function fer_chain_linear, fer_chain_batch_normalization, fer_chain_average, fer_chain_add, fer_chain_multiply,
    fer_chain_moved, fer_chain_activation, fer_chain_max_pooling, fer_chain_softmax, fer_chain_rescaling, fer_chain_normalization, fer_chain_dropout;

/* chain_state.c */
/* Room for a state's arrays of `count` zeros, A and K too when it is open. 0, or -1. */
int fer_state_allocate(struct fer_verification *v, struct fer_state *s, size_t count, int open);
void fer_state_free(struct fer_state *s);
/* The sum ends here, rounded to a stored number. */
void fer_state_close(const struct fer_verification *v, struct fer_state *s);
/* The magnitude of element i as a term of a further sum, and its roundings so far. */
double fer_state_magnitude(const struct fer_state *s, size_t i);
double fer_state_roundings(const struct fer_state *s, size_t i);

/* chain.c */
/* Checks the array at hand, the output of a layer, through layers whose outputs the record does not hold; with `anew` the
 * outputs that it takes from are computed too, though they are there. */
void fer_chain_check(struct fer_verification *v, const struct fer_layer *layer, int anew);
/* The probabilities, from the logits, which the record does not hold. */
void fer_chain_check_probabilities(struct fer_verification *v);
/* Whether the record holds all that the layer takes from. */
int fer_chain_has_inputs(const struct fer_verification *v, const struct fer_layer *layer);
/* Gives up the states that no layer behind this one takes from. */
void fer_chain_forget(struct fer_verification *v, const struct fer_layer *layer);

/* Gives up all states; they are computed again when they are needed. And their table too. */
void fer_chain_clear(struct fer_verification *v);
void fer_chain_end(struct fer_verification *v);

#endif
