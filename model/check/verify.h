/* verify.h - what the files of `verify` share: the arithmetic that is allowed for, the bounds, the tally of one array.
 *
 * Each bound is derived in the file that computes it:
 *     bounds_sums.c            convolutions, dense layers, pooling, copies, sums of gradients
 *     bounds_winograd.c        convolutions by Winograd's algorithm
 *     bounds_normalization.c   batch statistics, normalisation and its gradient, moving statistics
 *     bounds_loss.c            softmax, loss, their gradient, Adam
 *     ties.c                   gradients of max pooling where several maxima are equal */
#ifndef FER_VERIFY_H
#define FER_VERIFY_H

#include "hypotheses.h"

/* What a backend computes in. u is a format's unit roundoff; `least` its smallest normal number, to which more than
 * one that is smaller may be flushed. An error of 0 stands for: not rounded. */
struct fer_arithmetic {
    double factor, factor_least; /* u of the format to which the factors of products are rounded first */
    double input;                /* u of the format to which other computations round what they read */
    double store, store_least;   /* what is stored, where that is shorter than the sums; else 0 */
    double sum, sum_least;       /* u of the sums and of all else, with float64's own added: the truth is rounded too */
    double most;                 /* the largest number of what is summed in and of what is stored */
    double exact;                /* whole numbers up to this are exact in the sums and in what is stored */
};
struct fer_arithmetic fer_arithmetic_of(enum fer_unit unit, enum fer_unit accumulate);

/* How far rounding can go (proven), and how far it goes but once in 10^12 elements (likely). */
struct fer_bound {
    double proven, likely;
};

/* How many roundings' worth of error a chain of k makes: k, or min(k, 8 sqrt(k)). */
struct fer_bound fer_roundings(double k);

/* What one array's elements have shown so far. */
struct fer_extreme {
    double ratio; /* |value - truth| / bound; infinite when the bound is 0 and they differ */
    size_t index;
    double value, truth;
    struct fer_bound bound;
};
struct fer_tally {
    size_t count, sizeable;            /* elements; those whose error is above a sixteenth of the likely bound */
    struct fer_extreme proven, likely; /* the worst element by either bound */
    int not_finite;                    /* somewhere one of value and truth is finite and the other is not */
    int finite, nonzero, varies;       /* somewhere both are finite; one is not zero; values or truths vary */
    int outgrows;                      /* somewhere the truth is larger than its likely bound: a zero is seen */
    double first_value, first_truth;
    int one_pass;                      /* beyond the likely bound as a variance in one pass is */
    double *truths, *bounds; /* [count] every element's, and its likely bound, kept for the caller; NULL: not wanted */
    const struct fer_bound *wider; /* [count] errors of what the truth was computed from; NULL: none */
};
/* None so far. */
void fer_tally_clear(struct fer_tally *tally);
/* The next element. */
void fer_tally_add(struct fer_tally *tally, double value, double truth, struct fer_bound bound);
/* An error up to this, of an element of such a bound, tells nothing new: it need but be counted. -1: any may. */
double fer_tally_reach(const struct fer_tally *tally, struct fer_bound bound);
enum fer_verdict fer_tally_verdict(const struct fer_tally *tally);
/* The verdict and the worst element go into an array's row, and the reason where the tally itself has one. */
void fer_tally_conclude(const struct fer_tally *tally, struct fer_verify_row *row);
int fer_verify_is_at_fault(const struct fer_verify_row *row); /* WRONG or suspect */

/* ---- bounds_sums.c ---- */

#define FER_EXACT (-1)

/* Elements that are sums of terms. Each fer_sums_add_... adds its terms to every element; arrays that are not const
 * are left as absolute values. */
struct fer_sums {
    size_t count;
    real *truth;        /* [count] the sum of the terms, in float64 */
    real *magnitude;    /* [count] the sum of the terms' absolute values */
    real *roundings;    /* [count] how many roundings a term can meet; FER_EXACT: none, in any order */
    real *part;         /* [count] room for one share */
    real *own_proven, *own_likely; /* [count] the errors of shares that are no plain sums; NULL: there are none */
    int parts;          /* shares so far */
    double input_error; /* relative error of a term because what it was made of was rounded first */
    double small;       /* how many factors may be flushed to zero */
    double flushed;     /* the error that each of them makes */
    double quantum;     /* a power of two that divides every term; 0: terms are no whole multiples of anything */
};
void fer_sums_add_conv2d(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g, real *x,
                         real *kernel);
void fer_sums_add_conv2d_input(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                               real *dy, real *kernel);
void fer_sums_add_conv2d_kernel(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                                real *x, real *dy);
/* A convolution of any groups, to its input and to its kernel; a dense layer is one of 1x1 images. */
void fer_convolve_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx);
void fer_convolve_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel);
struct fer_window fer_dense_window(size_t rows, size_t in, size_t out);
/* One bias for each channel, added to sums that are there. */
void fer_sums_add_bias(struct fer_sums *s, const struct fer_arithmetic *a, size_t channels, const real *bias);
/* The sum of each column of x[rows][channels]. */
void fer_sums_add_columns(struct fer_sums *s, const struct fer_arithmetic *a, size_t rows, size_t channels,
                          const real *x);
void fer_sums_add_average(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g, real *x);
void fer_sums_add_average_input(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                                real *dy);
/* A share whose terms, magnitudes and roundings the caller adds. */
void fer_sums_begin_terms(struct fer_sums *s, const struct fer_arithmetic *a);
/* What stands in s->part, unchanged: activations, maxima, concatenation. */
void fer_sums_add_copies(struct fer_sums *s, const struct fer_arithmetic *a);
/* The gradient of max pooling, by any rule for equal maxima but FER_TIES_ANY. */
void fer_sums_add_max_input(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                            enum fer_ties ties, const real *x, real *dy);
void fer_sums_begin_maxima(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                           const real *dy);
struct fer_bound fer_sums_bound(const struct fer_sums *s, const struct fer_arithmetic *a, size_t i);
void fer_tally_sums(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_sums *s,
                    const real *claimed);

/* ---- bounds_winograd.c ---- */

/* Whether Winograd's algorithm does such a convolution. */
int fer_winograd_applies(const struct fer_window *g);
/* With tiles of tile x tile outputs: what an error of an output is measured by, magnitude[n][out_h][out_w][out_c]
 * from x and the kernel; backward, [n][in_h][in_w][in_c] from dy. 0, or -1 when memory runs out. */
int fer_winograd_magnitude(const struct fer_window *g, int tile, int backward, const real *x, const real *kernel,
                           real *magnitude, struct fer_error *e);
/* And the error, of sums over so many channels. */
struct fer_bound fer_winograd_bound(const struct fer_arithmetic *a, int tile, size_t channels, double magnitude);

/* ---- ties.c ---- */

/* The gradient of max pooling, each window's to that one of its equal maxima which brings the sum nearest to
 * `claimed`. All other shares must have been added before. Where a channel of an image cannot be explained so, its
 * windows' gradients go to their first maxima. */
void fer_sums_add_any_max_input(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                                const real *x, const real *dy, const real *claimed);

/* ---- bounds_normalization.c ---- */

enum { FER_GIVEN = 1, FER_GIVEN_VARIANCE };

/* One channel's statistics, and how far a backend's can be from them. */
struct fer_channel {
    double mean, variance, scale, gain;     /* scale = 1 / sqrt(variance + epsilon), gain = gamma */
    int given;                              /* FER_GIVEN: mean and variance, or the variance alone, are not of x */
    struct fer_bound mean_error;            /* absolute */
    struct fer_bound variance_error;        /* absolute */
    struct fer_bound scale_error;           /* relative */
    double two_pass_error;                  /* the proven one, but for a variance in one pass that could be anything */
    int one_pass_fails;                     /* it could be */
};
/* Fills channel[channels] with the statistics of x, or with those that are given; gamma 1. 0, or -1 when memory runs
 * out. */
int fer_channels(struct fer_channel *channel, const struct fer_arithmetic *a, size_t rows, size_t channels,
                 const real *x, double epsilon, struct fer_error *e);
void fer_channels_given(struct fer_channel *channel, const struct fer_arithmetic *a, size_t channels, const real *mean,
                        const real *variance, double epsilon);
/* What is often mistaken about a batch's statistics (hypotheses.h). */
void fer_twist_channels(enum fer_twist twist, size_t rows, size_t channels, double epsilon,
                        struct fer_channel *channel);
/* Puts gamma[channels] in. */
void fer_channels_scale(struct fer_channel *channel, const struct fer_arithmetic *a, size_t channels,
                        const real *gamma);
/* With statistics that are given; gamma and beta may be NULL. */
void fer_sums_add_scaling(struct fer_sums *s, const struct fer_arithmetic *a, size_t channels, const real *x,
                          const real *mean, const real *variance, const real *gamma, const real *beta, double epsilon);
/* beta may be NULL. */
/* Of y = (x - mean) scale + shift in training. */
struct fer_bound fer_normalization_bound(const struct fer_arithmetic *a, const struct fer_channel *c, double x,
                                         double shift);
void fer_tally_normalization(struct fer_tally *tally, const struct fer_arithmetic *a,
                             const struct fer_channel *channel, size_t rows,
                             size_t channels, const real *x, const real *beta, const real *claimed);
/* 0, or -1 when memory runs out. */
int fer_tally_normalization_input(struct fer_tally *tally, const struct fer_arithmetic *a,
                                  const struct fer_channel *channel, size_t rows, size_t channels, const real *x,
                                  const real *dy, const real *claimed, struct fer_error *e);
/* The same, as one share of a sum, which has room for such shares' own errors. */
int fer_sums_add_normalization_input(struct fer_sums *s, const struct fer_arithmetic *a,
                                     const struct fer_channel *channel, size_t rows, size_t channels, const real *x,
                                     const real *dy, struct fer_error *e);
/* The gradient of gamma, truth[channels], and its bounds. 0, or -1 when memory runs out. */
int fer_gamma_gradient(const struct fer_arithmetic *a, const struct fer_channel *channel, size_t rows, size_t channels,
                       const real *x, const real *dy, real *truth, struct fer_bound *bound, struct fer_error *e);
int fer_tally_gamma(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_channel *channel,
                    size_t rows, size_t channels, const real *x, const real *dy, const real *claimed,
                    struct fer_error *e);
void fer_tally_moving_mean(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_channel *channel,
                           size_t channels, double momentum, const real *before, const real *claimed);
void fer_tally_moving_variance(struct fer_tally *tally, const struct fer_arithmetic *a,
                               const struct fer_channel *channel, size_t rows,
                               size_t channels, double momentum, int unbiased, const real *before, const real *claimed);

/* ---- bounds_loss.c ---- */

/* Of logits[n][classes]: which of softmax's results `claimed` holds. labels may be NULL for the probabilities; the
 * loss is one number. */
enum fer_softmax_result { FER_PROBABILITIES, FER_LOSS, FER_LOGITS_GRADIENT };
void fer_tally_softmax(struct fer_tally *tally, const struct fer_arithmetic *a, enum fer_softmax_result result, int n,
                       int classes, const real *logits, const int *labels, const real *claimed);

/* The same with soft labels, targets[n][classes]. */
void fer_tally_soft_labels(struct fer_tally *tally, const struct fer_arithmetic *a, enum fer_softmax_result result,
                           int n, int classes, const real *logits, const real *targets, const real *claimed);

/* Without the maximum's subtraction, the probabilities; without the label's, the gradient. */
void fer_tally_softmax_mistaken(struct fer_tally *tally, const struct fer_arithmetic *a, enum fer_twist twist, int n,
                                int classes, const real *logits, const real *claimed);

/* truth[count]: what one step of Adam from zero moments makes of before[count]. */
void fer_tally_adam(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_adam *adam, size_t count,
                    const real *before, const real *gradient, const real *truth, const real *claimed);

/* One step of Adam in any form, from any moments: what it was given, and which of its results is claimed. */
enum fer_adam_result { FER_ADAM_PARAMETER, FER_ADAM_M, FER_ADAM_V };
struct fer_adam_update {
    const struct fer_adam *adam;
    enum fer_adam_form form;
    double weight_decay;
    long t;
    size_t count;
    const real *parameter, *gradient, *m, *v; /* before */
};
void fer_tally_adam_update(struct fer_tally *tally, const struct fer_arithmetic *a, enum fer_adam_result result,
                           const struct fer_adam_update *update, const real *claimed);

#endif
