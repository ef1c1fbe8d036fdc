/* verification.h - a record that is being verified: what it holds, and the array that is being checked. */
#ifndef FER_VERIFICATION_H
#define FER_VERIFICATION_H

#include "../kinds.h"
#include "hypotheses.h"
#include "verify.h"

/* An array that a record may hold. With --layout nchw it stands there in another order than fer has it: the axes of the
 * file, one behind the other, and how far apart in fer's array neighbours along each of them are. */
struct fer_expected {
    char name[FER_MAX_ARRAY];
    int dims;
    size_t shape[4], count; /* in the file */
    int axes;               /* 0: the order is the same */
    size_t axis[4], apart[4];
    const struct fer_array *array; /* in the file; NULL: not there */
};

/* What a verdict depends on beside the arrays: with another choice every array that does might be ok
 * (verify_hints.c). */
enum fer_dependence {
    FER_ON_ADAM = 1,
    FER_ON_MOVING_VARIANCE = 2,
    FER_ON_MOMENTUM = 4,
    FER_ON_EPSILON = 8,     /* of BatchNormalization */
    FER_ON_STATISTICS = 16, /* the batch's or the moving ones; whether elements are dropped */
    FER_ON_TIES = 32,
    FER_ON_ZERO = 64, /* a ReLU's derivative there */
    FER_ON_WINOGRAD = 128,
    FER_ON_INPUTS = 256 /* an output, on what it takes from as the record has it */
};

enum { MOST_EXPECTED = 3 + 2 * FER_MAX_LAYERS + 3 * FER_MAX_PARAMETERS, MOST_HELD = 2 * FER_MAX_INPUTS + 16 };

struct fer_room {
    real *memory;
    size_t count;
};

/* A row waits, once one is at fault, until all are known. */
struct fer_kept {
    struct fer_verify_row row;
    unsigned depends;    /* of enum fer_dependence */
    double rate;         /* of an update by Adam that is at fault: the learning rate that fits best */
    int spread;          /* at fault, by errors in elements all over, not in some */
    int ok_otherwise;    /* with the choice that was tried last */
    unsigned char uses[MOST_EXPECTED / 8 + 1]; /* a bit for each array of the list: whether it was read for this one */
    int hinted;          /* its reason begins with the choice that would make it ok */
};

/* What an array, or what is computed on the way to one, depends on beside arrays (enum fer_dependence), and a bit for
 * each array of the list: whether it was read. */
struct fer_sources {
    unsigned depends;
    unsigned char uses[MOST_EXPECTED / 8 + 1];
};

/* A layer's output, or the gradient of one, as far as the record's nearest arrays give it; see chain.h. */
struct fer_state {
    size_t count;
    real *v, *E, *e;
    real *A, *K; /* of an output whose sum is open */
    real *c;     /* of a gradient; */
    double own;  /* and what its own roundings alone let see of it (fer_chain_sees) */
    struct fer_sources sources;
};

struct fer_verification {
    struct fer_npz *npz;
    const struct fer_verify_options *options;
    struct fer_arithmetic arithmetic; /* of the array being checked */
    enum fer_unit unit[FER_MAX_LAYERS]; /* each layer's */
    struct fer_network net;        /* described, not allocated */
    int n;                         /* images */
    int *labels;                   /* NULL: not in the record */
    int zero_by_nature[FER_MAX_LAYERS]; /* whether the layer's output_grad is zero in every record of this shape */
    int expected_count, of_images; /* those of the parameters stand behind the others */
    struct fer_expected expected[MOST_EXPECTED];

    /* the array being checked */
    struct fer_verify_row row;
    struct fer_tally tally;
    real *claimed;
    struct fer_room held[MOST_HELD], spare[MOST_HELD]; /* in use; and to be used again, since fresh memory costs time */
    int held_count, spare_count;

    /* By what the array is checked; and, of one that is at fault (explain.c), the second look: its name, while no
     * other is begun (NULL: none), and a mistake that layers of one kind make on purpose. */
    void (*check)(struct fer_verification *v, const struct fer_layer *layer);
    const struct fer_layer *layer;
    void (*at_fault)(struct fer_verification *v);
    const char *looking;
    enum fer_twist twist;
    enum fer_layer_type twisted;
    size_t twisted_groups;
    int left_out, twice;          /* consumers of the layer, by index: no part of its gradient, or two (0: none) */
    int explained;                /* arrays so far */

    struct fer_state *state, *gradient; /* [FER_MAX_LAYERS] outputs, and gradients of outputs, see chain.h */
    struct fer_state *of_parameter;     /* [FER_MAX_PARAMETERS] gradients that the record does not hold, of updates */
    int through[FER_MAX_LAYERS]; /* the layers that the check at hand goes through, row.chain of them */
    const real *given;           /* not NULL: stands for the gradient of a layer's output, as states do for outputs */

    unsigned depends;      /* of the array being checked, as in fer_kept */
    double rate;
    unsigned char uses[MOST_EXPECTED / 8 + 1];
    struct fer_kept *kept; /* [MOST_EXPECTED] */
    int kept_count, reported;

    /* When a choice is tried: among these alone, until one is not ok. NULL: all arrays are checked. */
    struct fer_verification *tried_for;
    unsigned family;
    int stopped;
    int position; /* of the array at hand among those that the record holds, where there are parts */

    void (*report)(void *context, const struct fer_verify_row *row);
    void *context;
    struct fer_verify_summary *summary;
    struct fer_error *e;
    int failed; /* memory ran out, or the file cannot be read: everything below is passed over */
};

/* ---- verification.c: one array at a time ---- */

/* The network and the number of images, from the shapes of the record's arrays. 0, or -1 when they do not fit. */
int fer_verify_find_geometry(struct fer_verification *v);
int fer_verify_read_labels(struct fer_verification *v);

/* What each layer does otherwise than the others, by the options. 0, or -1 when the network has no such layer. */
int fer_verify_apply_exceptions(struct fer_verification *v);
/* What a layer computes in; and layer i computes something of the array at hand, too: the coarser format counts. */
struct fer_arithmetic fer_verify_arithmetic(const struct fer_verification *v, int i);
void fer_verify_involve(struct fer_verification *v, int i);

/* Begins the check of an array. 0 when the record does not hold it, or all has failed. */
int fer_verify_begin(struct fer_verification *v, const char *name);
int fer_verify_begin_output(struct fer_verification *v, const struct fer_layer *layer, const char *ending);
int fer_verify_begin_parameter(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                               const char *ending);
/* Room for `count` reals, zeros, until the check is finished; and an end to all room after the first `count` pieces. */
real *fer_verify_hold(struct fer_verification *v, size_t count);
void fer_verify_release(struct fer_verification *v, int count);
void fer_verify_free_rooms(struct fer_verification *v); /* and all memory */
/* Notes when the record does not hold an array that the check needs. */
void fer_verify_lack(struct fer_verification *v, const char *name);
const struct fer_expected *fer_verify_held(const struct fer_verification *v, const char *name); /* NULL: it does not */
/* Notes that the array at hand is computed from this one, which need not be read again. */
void fer_verify_use(struct fer_verification *v, const struct fer_expected *x);
const struct fer_expected *fer_verify_require(struct fer_verification *v, const char *name);
void fer_verify_require_output(struct fer_verification *v, const struct fer_layer *layer, const char *ending);
void fer_verify_require_gradient(struct fer_verification *v, const struct fer_layer *layer);
/* An array's values, until the check is finished; NULL, and noted, when the record does not hold it. Of a layer: its
 * output (of the last one the logits), the gradient of that, its own parameter `what` ("kernel"; NULL: it has none). */
real *fer_verify_load(struct fer_verification *v, const char *name);
real *fer_verify_load_output(struct fer_verification *v, const struct fer_layer *layer);
real *fer_verify_load_gradient(struct fer_verification *v, const struct fer_layer *layer);
real *fer_verify_load_own(struct fer_verification *v, const struct fer_layer *layer, const char *what);
real *fer_verify_load_parameter(struct fer_verification *v, const struct fer_parameter *p, const char *ending);
/* Whether everything that the check needs is there. */
int fer_verify_ready(const struct fer_verification *v);
/* Room for the sums that make up an array of so many elements, or the one being checked; 0 when the check cannot be
 * made. And the sums into the tally. */
int fer_verify_hold_sums(struct fer_verification *v, struct fer_sums *s, size_t count);
int fer_verify_begin_sums(struct fer_verification *v, struct fer_sums *s);
void fer_verify_tally_sums(struct fer_verification *v, const struct fer_sums *s);
/* Turns the tally into the row's verdict; reports the rows that wait; and the end of a check. */
void fer_verify_conclude(struct fer_verification *v, struct fer_verify_row *row);
void fer_verify_report(struct fer_verification *v);
void fer_verify_add_up(struct fer_verify_summary *summary, const struct fer_verify_row *row);
void fer_verify_finish(struct fer_verification *v);

/* explain.c: what is wrong with the array that was checked, into its row. */
void fer_verify_explain(struct fer_verification *v);
/* Whether the gradient of the layer's output can be loaded. */
int fer_verify_has_gradient(const struct fer_verification *v, const struct fer_layer *layer);

size_t fer_verify_rows(const struct fer_verification *v, const struct fer_layer *layer);

/* What it moves over its input; a dense layer's is that of a 1x1 convolution. */
struct fer_window fer_verify_window(const struct fer_verification *v, const struct fer_layer *layer);

/* The layer's forward pass over x[k] in place of its inputs' outputs (a linear one's kernel must have a value); and the
 * backward pass to input k, `at` being what it reads, that input or its output (NULL: neither). */
void fer_verify_compute(struct fer_verification *v, const struct fer_layer *layer, const real *const *x, real *y);
void fer_verify_compute_backward(struct fer_verification *v, const struct fer_layer *layer, int k, const real *at,
                                 const real *dy, real *dx);

/* ---- verify_hints.c ---- */

/* Every kept array that depends on the family, checked under other options, each one's ok_otherwise noted: whether
 * all are ok. */
typedef int fer_verify_retry(struct fer_verification *v, const struct fer_verify_options *other, unsigned family);
/* Says with the arrays at fault which other choice would make all of their family ok. */
void fer_verify_hints(struct fer_verification *v, fer_verify_retry *retry);

/* ---- verify_updates.c ---- */

void fer_verify_updates(struct fer_verification *v);

#endif
