/* bounds_loss.c - how far rounding can take softmax, the loss, the gradient of the logits, and a step of Adam. First
 * order, as in bounds_normalization.c; what is neglected is below (50 u)^2 of a result, against spare roundings in
 * each bound.
 *
 * Softmax.        z are the image's logits, m the largest, L = log of sum of exp(z - m). exp and log are taken to be
 *                 good to 4 units in the last place (8 u). A backend may compute exp(z - m) / sum, or exp(z) / sum,
 *                 or exp((z - m) - L). An error d of the argument is a relative error d of the result; the arguments
 *                 are off by at most 2 u (|z| + |m|), and where log comes in by 10 u L more.
 *                     relative error of a term     e_k = u (8 + 3 (|z_k| + |m|) + 10 L)
 *                     of the sum                   e = sum of p_k e_k + (number of classes) u
 *                     of probability k             P_k = e_k + e + 2 u; P / (1 - P) neglects nothing
 * Likely.         With a good exp (4 u; a table that is interpolated makes 20 and more), g_k = m - z_k: the
 *                 argument's rounding 2 u g_k, as where exp2 is taken; u |m| and 3 u L where log comes in; the errors
 *                 of exp, above and in the sum, where they are weighted, of the sum's additions and of the division
 *                 as the root of their squares:
 *                     P_k = u (2 g_k + |m| + 3 L + sqrt(16 + sum of (p_j (4 + 2 g_j))^2 + 4 classes + 4))
 *                 (NumPy and PyTorch, with or without the maximum, through exp2 or log_softmax: at most 0.9 of it, 2
 *                 to 1000 classes, logits to 100.)
 * Large logits.   Where exp(m) overflows or is subnormal (m above 88 or below -87 in float32), exp(z) / sum gives no
 *                 numbers: m is taken off first. Then z - m errs by one rounding of that difference, u g_k, however
 *                 large z and m are, and not at all where they are within a factor of 2; it is a relative error, so
 *                 that of p_k, at most exp(-g_k), it takes u g_k exp(-g_k) <= u/e, and nothing where exp underflows.
 *                 u |m| would be left for exp(z - (m + L)) alone, where the logarithm is added to m: no fault, so it
 *                 stays in what is proven, but 1e-3 of a probability at logits of 1e4, where others err by 1e-7. So
 *                 for probabilities it is not likely from twice that |m| on. Losses and gradients by m + L are what
 *                 some libraries compute: there it stays.
 * The loss.       log(sum) - (z - m), or -log(p): in the second form p's relative error is log's absolute one. One
 *                 image's loss errs by P_label + 10 u |loss|; the mean of n of them by the mean of that and (n + 2) u
 *                 E|loss|.
 * Its gradient.   (p - [label]) / n: P_k p_k, and roundings of numbers up to p + [label], 6 of them where it is
 *                 derived through -1/p:
 *                     |error|  <=  (P_k p_k + 6 u (p_k + [label])) / n.
 *                 With probabilities t_k in place of the label (soft labels), T their sum, one image's loss errs by
 *                 the sum of t_k (P_k + 10 u |loss_k|) + classes u t_k |loss_k|, and the gradient is
 *                 (p_k T - t_k) / n.
 *
 * Adam, one step from zero moments: m = (1 - b1) g, v = (1 - b2) g^2, p' = p - U, with c = sqrt(1 - b2),
 *                     U = lr g c / (c |g| + epsilon)   epsilon added to sqrt(v) (Keras, TensorFlow)
 *                     U = lr g / (|g| + epsilon)       epsilon added after the correction (PyTorch): c epsilon above
 *                 Where g is small U is not lr times its sign, and there the two differ. A backend may round b1 and
 *                 b2 to float32; 1 - b then has the relative error u b/(1 - b), for 0.999 a thousand u. m and lr_t
 *                 may use different ones, and so v and lr_t (there under a square root each). All else are at most 12
 *                 roundings:
 *                     |error|  <=  |U| (2 u b1/(1 - b1) + u b2/(1 - b2) + 12 u) + 2 u (|p| + |U|).
 *                 v may be flushed to zero while g is not: then sqrt(v) is off by sqrt(smallest normal number). Adam
 *                 is taken to run in float32 at least, whatever the sums are held in; what it makes is stored as all
 *                 else is.
 *
 * Adam, any step from any moments: b1 and b2 rounded to float32 change 1 - b by u b, and 1 - b^t by t u b^t:
 *                     m     error M = u b1 |g - m0| + 6 u (|m0| + (1 - b1) (|g| + |m0|)),  and V of v alike, of g^2
 *                     r     the square root of v is off by R, the larger of sqrt(v + V) - sqrt(v) and
 *                           sqrt(v) - sqrt(max(v - V, 0))
 *                     U     with D what it is divided by: (rate M + |U| R c) / (D - R c), c = 1 or 1/sqrt(1 - b2^t),
 *                           and relative to U 12 u + t u b1^t/(1 - b1^t) + t u b2^t/(1 - b2^t)
 *                     p     4 u (|p| + |U|) more. */
#include "verify.h"

#include <math.h>

static double magnitude_of(double x)
{
    return x < 0 ? -x : x;
}

/* ---- Softmax ---- */

/* One image: what is common to its classes. */
struct softmax {
    double largest, sum, log_of_sum;
    double of_sum; /* the relative error of the sum */
    double rounded, squares; /* its part that comes of shorter inputs; likely: what stands under the root, in u */
};

/* The relative error of exp(z - m). */
static double error_of_term(const struct softmax *s, const struct fer_arithmetic *a, double z)
{
    const double sizes = magnitude_of(z) + magnitude_of(s->largest);
    return a->sum * (8 + 3 * sizes + 10 * s->log_of_sum) + a->input * sizes;
}

static struct softmax softmax_of(const struct fer_arithmetic *a, int classes, const real *z)
{
    struct softmax s = {(double)z[0], 0, 0, classes * a->sum, 0, 16 + 4.0 * classes + 4};
    int k;
    for (k = 1; k < classes; k++)
        if ((double)z[k] > s.largest) s.largest = (double)z[k];
    for (k = 0; k < classes; k++) s.sum += fer_exp((double)z[k] - s.largest);
    s.log_of_sum = fer_log(s.sum);
    for (k = 0; k < classes; k++) {
        const double p = fer_exp((double)z[k] - s.largest) / s.sum, apart = s.largest - (double)z[k];
        s.of_sum += p * error_of_term(&s, a, (double)z[k]);
        s.rounded += p * a->input * (magnitude_of((double)z[k]) + magnitude_of(s.largest));
        if (p > 0) s.squares += p * (4 + 2 * apart) * p * (4 + 2 * apart);
    }
    return s;
}

static double probability(const struct softmax *s, double z)
{
    return fer_exp(z - s->largest) / s->sum;
}

static double without_neglect(double error)
{
    return error < 1 ? error / (1 - error) : INFINITY;
}

/* The relative error of the probability of the class whose logit is z. */
static struct fer_bound error_of(const struct softmax *s, const struct fer_arithmetic *a, double z,
                                 enum fer_softmax_result result)
{
    const double proven = error_of_term(s, a, z) + s->of_sum + 2 * a->sum, most = magnitude_of(s->largest);
    const double rounded = a->input * (magnitude_of(z) + most) + s->rounded;
    const double size = result == FER_PROBABILITIES && most > -2 * fer_log(a->sum_least) ? 0 : most;
    const double likely = a->sum * (2 * (s->largest - z) + size + 3 * s->log_of_sum + sqrt(s->squares)) + rounded;
    const struct fer_bound b = {without_neglect(proven), without_neglect(likely < proven ? likely : proven)};
    return b;
}

static double stored_error(const struct fer_arithmetic *a, double error, double result)
{
    return (error + 2 * a->sum_least) * (1 + a->store) + a->store * magnitude_of(result) + a->store_least;
}

/* What is stored: a result with the error relative * size + other. */
static struct fer_bound stored(const struct fer_arithmetic *a, struct fer_bound relative, double size, double other,
                               double result)
{
    const struct fer_bound b = {stored_error(a, relative.proven * size + other, result),
                                stored_error(a, relative.likely * size + other, result)};
    return b;
}

/* The mean of the images' losses; errors is the sum of their errors. */
static void add_loss(struct fer_tally *tally, const struct fer_arithmetic *a, int n, double losses,
                     struct fer_bound errors, double claimed)
{
    const struct fer_bound k = fer_roundings(n + 2.0), shared = stored(a, errors, 1.0 / n, 0, losses / n);
    struct fer_bound b;
    b.proven = shared.proven + k.proven * a->sum * losses / n;
    b.likely = shared.likely + k.likely * a->sum * losses / n;
    fer_tally_add(tally, claimed, losses / n, b);
}

/* What the labels say of class k of an image: 1 or 0, or, with soft labels, a probability. */
static double target_of(const int *labels, const real *targets, int image, int classes, int k)
{
    if (targets) return (double)targets[(size_t)image * (size_t)classes + (size_t)k];
    return k == (labels ? labels[image] : 0);
}

static void tally(struct fer_tally *tally, const struct fer_arithmetic *a, enum fer_softmax_result result, int n,
                  int classes, const real *logits, const int *labels, const real *targets, const real *claimed)
{
    struct fer_bound errors = {0, 0};
    double losses = 0;
    int image, k;
    for (image = 0; image < n; image++) {
        const real *z = logits + (size_t)image * (size_t)classes;
        const struct softmax s = softmax_of(a, classes, z);
        double all = 0;
        for (k = 0; k < classes; k++) all += target_of(labels, targets, image, classes, k);
        for (k = 0; k < classes; k++) {
            const double t = target_of(labels, targets, image, classes, k), p = probability(&s, (double)z[k]);
            const struct fer_bound relative = error_of(&s, a, (double)z[k], result);
            const double loss = s.log_of_sum - ((double)z[k] - s.largest);
            const double gradient = (p * all - t) / n;
            if (result == FER_PROBABILITIES)
                fer_tally_add(tally, (double)*claimed++, p, stored(a, relative, p, 0, p));
            else if (result == FER_LOGITS_GRADIENT)
                fer_tally_add(tally, (double)*claimed++, gradient,
                              stored(a, relative, p * all / n, (6 * a->sum + a->input) * (p * all + t) / n, gradient));
            else if (t != 0) {
                const double own = t * loss * a->sum * (targets ? classes + 10 : 10);
                losses += t * loss;
                errors.proven += t * relative.proven + own;
                errors.likely += t * relative.likely + own;
            }
        }
    }
    if (result == FER_LOSS) add_loss(tally, a, n, losses, errors, (double)claimed[0]);
}

void fer_tally_softmax(struct fer_tally *t, const struct fer_arithmetic *a, enum fer_softmax_result result, int n,
                       int classes, const real *logits, const int *labels, const real *claimed)
{
    tally(t, a, result, n, classes, logits, labels, NULL, claimed);
}

void fer_tally_soft_labels(struct fer_tally *t, const struct fer_arithmetic *a, enum fer_softmax_result result, int n,
                           int classes, const real *logits, const real *targets, const real *claimed)
{
    tally(t, a, result, n, classes, logits, NULL, targets, claimed);
}

/* exp in float32, which overflows, of numbers from which no maximum was subtracted: infinite, 0 or NaN where it does
 * so. */
static double without_maximum(int classes, const real *z, int class)
{
    double sum = 0, own = 0;
    int k;
    for (k = 0; k < classes; k++) {
        const double e = (double)z[k] > 88.7228 ? INFINITY : (double)z[k] < -103.97 ? 0 : fer_exp((double)z[k]);
        sum += e;
        if (k == class) own = e;
    }
    return own / sum;
}

void fer_tally_softmax_mistaken(struct fer_tally *t, const struct fer_arithmetic *a, enum fer_twist twist, int n,
                                int classes, const real *logits, const real *claimed)
{
    int image, k;
    for (image = 0; image < n; image++, logits += classes) {
        const struct softmax s = softmax_of(a, classes, logits);
        for (k = 0; k < classes; k++) {
            const double z = magnitude_of((double)logits[k]) + magnitude_of(s.largest);
            const double p = probability(&s, (double)logits[k]);
            const double truth = twist == FER_NO_LABEL ? p / n : without_maximum(classes, logits, k);
            const double more = (2 * z + 8) * a->sum * truth; /* exp of larger numbers; the division */
            fer_tally_add(t, (double)*claimed++, truth,
                          stored(a, error_of(&s, a, (double)logits[k], FER_LOSS), truth, more, truth));
        }
    }
}

/* ---- Adam ---- */

void fer_tally_adam(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_adam *adam, size_t count,
                    const real *before, const real *gradient, const real *truth, const real *claimed)
{
    const double u = a->sum < 0x1p-23 ? a->sum : 0x1p-24, least = a->sum < 0x1p-23 ? a->sum_least : 0x1p-126;
    const double store = a->store > a->input ? a->store : a->input, store_least = store > 0 ? a->factor_least : 0;
    const double relative = u * (2 * adam->beta1 / (1 - adam->beta1) + adam->beta2 / (1 - adam->beta2) + 12);
    const double c = sqrt(1 - adam->beta2);
    size_t i;
    for (i = 0; i < count; i++) {
        const double p = magnitude_of((double)before[i]), below = c * magnitude_of((double)gradient[i]) + adam->epsilon;
        const double change = magnitude_of((double)truth[i] - (double)before[i]);
        const double error = change * (relative + sqrt(least) / below) + 2 * u * (p + change) +
                             least * (1 + (1 + adam->learning_rate) / below);
        struct fer_bound b;
        b.proven = b.likely = error * (1 + store) + store * magnitude_of((double)truth[i]) + store_least;
        fer_tally_add(tally, (double)claimed[i], (double)truth[i], b);
    }
}

/* x^t */
static double power(double x, long t)
{
    double result = 1;
    for (; t; t /= 2, x *= x)
        if (t % 2) result *= x;
    return result;
}

/* A running mean, before + (value - before) * (1 - beta), and how far rounding can take it. */
struct mean {
    double truth, error;
};
static struct mean mean_of(double before, double value, double beta, double u, double input, double least)
{
    const double size = magnitude_of(before), other = magnitude_of(value);
    struct mean mean;
    mean.truth = before + (value - before) * (1 - beta);
    mean.error = u * beta * magnitude_of(value - before) + (6 * u + 2 * input) * (size + (1 - beta) * (other + size)) +
                 3 * least;
    return mean;
}

void fer_tally_adam_update(struct fer_tally *tally, const struct fer_arithmetic *a, enum fer_adam_result result,
                           const struct fer_adam_update *update, const real *claimed)
{
    const struct fer_adam *adam = update->adam;
    const double u = a->sum < 0x1p-23 ? a->sum : 0x1p-24, least = a->sum < 0x1p-23 ? a->sum_least : 0x1p-126;
    const double power1 = power(adam->beta1, update->t), power2 = power(adam->beta2, update->t), t = (double)update->t;
    const double rate = adam->learning_rate / (update->form == FER_ADAM_UNCORRECTED ? 1 : 1 - power1) *
                        (update->form == FER_ADAM_KERAS ? sqrt(1 - power2) : 1);
    const double root = update->form == FER_ADAM_PYTORCH ? 1 / sqrt(1 - power2) : 1;
    const double relative = u * (12 + t * power1 / (1 - power1) + t * power2 / (1 - power2)) + 2 * a->input;
    size_t i;
    for (i = 0; i < update->count; i++) {
        const double p = (double)update->parameter[i] * (1 - adam->learning_rate * update->weight_decay);
        const double g = (double)update->gradient[i];
        const struct mean m = mean_of((double)update->m[i], g, adam->beta1, u, a->input, least);
        const struct mean v = mean_of((double)update->v[i], g * g, adam->beta2, u, a->input, least);
        const double r = sqrt(v.truth), above = sqrt(v.truth + v.error) - r;
        const double below = r - sqrt(v.truth > v.error ? v.truth - v.error : 0);
        const double off = (above > below ? above : below) * root;
        const double divisor = r * root + adam->epsilon, change = m.truth * rate / divisor;
        const double spread = (rate * m.error + magnitude_of(change) * off) / (divisor - off > 0 ? divisor - off : 0);
        const double truth = result == FER_ADAM_M ? m.truth : result == FER_ADAM_V ? v.truth : p - change;
        const double parameter = magnitude_of((double)update->parameter[i]), size = magnitude_of(change);
        const double error = result == FER_ADAM_M   ? m.error
                             : result == FER_ADAM_V ? v.error
                                                    : spread + relative * size +
                                                          (4 * u + a->input) * (parameter + size) + 4 * least;
        struct fer_bound b;
        b.proven = b.likely = error * (1 + a->store) + a->store * magnitude_of(truth) + a->store_least;
        fer_tally_add(tally, (double)claimed[i], truth, b);
    }
}
