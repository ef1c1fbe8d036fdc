/* bounds_normalization.c - how far rounding can take batch statistics, the normalisation, its gradient, and the moving
 * statistics.
 *
 * A running error analysis of first order: in a chain of operations each one's error, u times its result, is followed
 * to the end by the derivative. Products of two errors are left out, but where one of them need not be small (the
 * relative error of the scale) it stays as a factor 1 + r; the rest is below (10 u)^2 and is covered by rounding up
 * the number of roundings (3 to 4, 7 to 8, and so on). One channel at a time, n = rows; E is the mean over the rows;
 * k(n) is n, or likely min(n, 8 sqrt n) (bounds_sums.c).
 *
 * The mean.       A sum of n terms in any order errs by less than n u E|x|, the division by 2 u |mean|. Welford's
 *                 running mean, m_k = m_{k-1} + (x_k - m_{k-1})/k: what step k rounds shrinks by k/n until the end;
 *                 u |m_k| k/n, with |m_k| <= sum of |x|/k, adds up to n u E|x|; u |x_k - m_{k-1}| 2/n adds up to
 *                 2u (E|x| + E|m_k|), and E|m_k| <= (1 + ln n) E|x|. In all
 *                     error of the mean  <=  M = k(n + 4 + 2 ln n) u E|x|.
 * The variance V. With Q = E[x^2] = V + mean^2:
 *                 - one pass, E[x^2] - mean^2: (n + 2) u Q for the first, 2 |mean| M + M^2 + u mean^2 for the second,
 *                   u V for the difference;
 *                 - two passes, E[(x - mean)^2]: (n + 5) u V, and M^2 since a wrong mean adds its square;
 *                 - Welford's, sum of (x_k - m_{k-1})(x_k - m_k): (n + 4) u V, and the errors d_k of the means on the
 *                   way, at most 2 E|d_k (x_k - m_{k-1})| <= 2 sqrt(E d_k^2) sqrt(2 V), since
 *                   (x_k - m_{k-1})^2 (k-1)/k adds up to n V. While k is small, d_k can exceed M: the mean's analysis
 *                   gives |d_k| <= n u E|x| ((k - 1)/k + 2 H_{k-1}/k), H the harmonic numbers. The root mean square
 *                   of that is largest against M at n = 109, 1.08 M; so 3.06 sqrt(V) M.
 *                 All of them stay below
 *                     error of the variance  <=  k(n + 6) u Q + 3.1 sqrt(Q) M + M^2.
 *                 (As do shifted sums, if the shift is not farther from the mean than 0 is. That merging Welford's
 *                 means from parts stays below it, too, is observed, not derived.)
 * A large mean.   One pass leaves nothing of the variance: then the likely bound is that of two passes, and what is
 *                 beyond it a fault (`suspect`, since rounding did it). Two passes cannot do so: d, the error of the
 *                 mean, adds d^2 to V, so that what the scale may gain comes from (n + 5) u V alone, and d s is below
 *                 1. In Welford's sum the errors d_k meet terms of random sign: 8/sqrt(n) of 3.06 sqrt(V) M is
 *                 likely. For the output, proven leaves one pass out, too, where it could be anything: what it makes
 *                 is told by its form, in each channel x scaled and shifted, by factors that are not the same in all.
 * The scale s     = 1/sqrt(V + epsilon). With r = (error of V)/(V + epsilon) + 2u, for the sum and for epsilon
 *                 itself, the relative error is at most 1/sqrt(1 - r) - 1, without neglect, and 4 u for a reciprocal
 *                 square root that is good to 2 units in the last place:
 *                     relative error of the scale  <=  R = (1/sqrt(1 - r)) (1 + 4u) - 1;      infinite when r >= 1.
 * The result.     y = (x - mean) s + beta, or x s + (beta - mean s). The error of s is the same in both terms.
 *                 Roundings, with T = s(|x| + |mean|) + |beta|: 3 u T in either form. In all
 *                     |error|  <=  s (1 + R) M + |x - mean| s R + 4 u (1 + R) T.
 *
 * The gradient.   dx = s (dy - a - h b), a = E[dy], h = (x - mean) s, b = E[dy h]. With D = s E[|dy| (|x| + |mean|)]:
 *                     error of a  <=  A = k(n + 4) u E|dy|
 *                     error of b  <=  B = R |b| + s (1 + R) M |a| + k(n + 6) u (1 + R) D
 *                 (a wrong mean shifts all of x alike, hence |a|; D allows sum of dy x - mean * sum of dy). Automatic
 *                 differentiation of a variance in two passes has x - mean - E[x - mean] in h: then a wrong mean
 *                 drops out, but the last term, zero but for rounding, errs by (n + 1) u E|x - mean| <= 2 M. Hence
 *                 2 M in h. Then
 *                     |error|  <=  R |dx| + s (1 + R) (A + (|h| (1 + R) + 2 s (1 + R) M) B
 *                                                       + (|h| R + 2 s (1 + R) M) |b|)
 *                                  + 8 u (1 + R) s (|dy| + |a| + s (|x| + |mean|) |b|),
 *                 the last for the roundings of each element: 5 in the form above, 7 when it is folded,
 *                 dx = dy s + x c + d.
 *
 * With gamma.     y = (x - mean) s g + beta and dx = g (the above): |g| s stands for s outside, and the rounding of
 *                 g s is in R, to which 2 u are added. The gradient of gamma is n b, and errs by n B.
 * Given.          Statistics that are given (a layer that is frozen, or in inference mode) have M = 0 and no error in
 *                 V; a = b = 0 in dx.
 *
 * Moving ones.    m' = m p + (mean)(1 - p), p the momentum. p may be rounded to float32, which takes 1 - p off by u
 *                 at most:
 *                     |error|  <=  (1 - p) M + 4 u (|m| + |mean|),   the variance's likewise, 6 u for Bessel's factor.
 *
 * What the backend rounds to a shorter format v before it computes adds v to each x and each dy: v E|x| to M, 3 v Q to
 * the variance's error (2 v E|x (x - mean)| + v^2 Q), and so on. Flushing to zero adds a few times the smallest normal
 * number. Statistics and beta are taken to be float32 at least. u has float64's added to it, for the truth's own
 * error, which has the same bound. */
#include "verify.h"

#include <math.h>

static double magnitude_of(double x)
{
    return x < 0 ? -x : x;
}

/* ---- Statistics ---- */

static double mean_error(const struct fer_arithmetic *a, double roundings, double mean_magnitude)
{
    return (roundings * a->sum + a->input) * mean_magnitude + 3 * a->sum_least;
}

static double variance_error(const struct fer_arithmetic *a, double roundings, double square, double of_mean)
{
    return (roundings * a->sum + 3 * a->input) * square + 3.1 * sqrt(square) * of_mean + of_mean * of_mean +
           4 * a->sum_least;
}

static double scale_error(const struct fer_arithmetic *a, double variance, double epsilon, double of_variance)
{
    const double r = of_variance / (variance + epsilon) + 2 * a->sum;
    return r < 1 ? (1 + 4 * a->sum) / sqrt(1 - r) - 1 : INFINITY;
}

/* Of two passes, and of Welford's where that leaves something; M is the error of the mean. `welford`: its part of
 * 3.06 sqrt(V) M. The variance's absolute error goes to *of_variance. */
static double two_pass_error(const struct fer_arithmetic *a, const struct fer_channel *c, double epsilon,
                             double roundings, double M, double welford, double *of_variance)
{
    const double deviation = sqrt(c->variance), size = sqrt(c->variance + c->mean * c->mean);
    const double all = c->variance + epsilon;
    const double input = a->input * (2 * size * deviation + a->input * size * size);
    double less = roundings * a->sum * c->variance + input + 4 * a->sum_least, above, below;
    if (less + 3.06 * welford * deviation * M < 0.9 * all) less += 3.06 * welford * deviation * M;
    *of_variance = less + M * M;
    above = scale_error(a, c->variance, epsilon, less);
    below = 1 - 1 / (sqrt(1 + *of_variance / all + 2 * a->sum) * (1 + 4 * a->sum));
    return above > below ? above : below;
}

void fer_channels_given(struct fer_channel *channel, const struct fer_arithmetic *a, size_t channels, const real *mean,
                        const real *variance, double epsilon)
{
    const struct fer_bound none = {0, 0};
    size_t c;
    for (c = 0; c < channels; c++) {
        channel[c].mean = (double)mean[c];
        channel[c].variance = (double)variance[c];
        channel[c].scale = 1 / sqrt((double)variance[c] + epsilon);
        channel[c].gain = 1;
        channel[c].given = FER_GIVEN;
        channel[c].mean_error = channel[c].variance_error = none;
        channel[c].scale_error.proven = channel[c].scale_error.likely = scale_error(a, (double)variance[c], epsilon, 0);
        channel[c].two_pass_error = channel[c].scale_error.proven;
        channel[c].one_pass_fails = 0;
    }
}

void fer_twist_channels(enum fer_twist twist, size_t rows, size_t channels, double epsilon, struct fer_channel *channel)
{
    size_t c;
    for (c = 0; c < channels; c++) {
        const double v = channel[c].variance;
        if (twist == FER_CONSTANT_STATISTICS) channel[c].given = FER_GIVEN;
        if (twist == FER_NO_VARIANCE_TERM) channel[c].given = FER_GIVEN_VARIANCE;
        if (twist == FER_UNBIASED_SCALE && rows > 1)
            channel[c].scale = 1 / sqrt(v * (double)rows / (double)(rows - 1) + epsilon);
        if (twist == FER_EPSILON_OUTSIDE) channel[c].scale = 1 / (sqrt(v) + epsilon);
    }
}

void fer_channels_scale(struct fer_channel *channel, const struct fer_arithmetic *a, size_t channels, const real *gamma)
{
    size_t c;
    for (c = 0; c < channels; c++) {
        struct fer_bound *error = &channel[c].scale_error;
        channel[c].gain = (double)gamma[c];
        error->proven += 2 * a->sum * (1 + error->proven);
        channel[c].two_pass_error += 2 * a->sum * (1 + channel[c].two_pass_error);
        error->likely += 2 * a->sum * (1 + error->likely);
    }
}

/* Up to this relative error of the scale, one pass is as good as two. */
static const double most_of_one_pass = 0.25;

static void leave_one_pass_out(struct fer_channel *c, const struct fer_arithmetic *a, double n, double epsilon)
{
    const struct fer_bound k = fer_roundings(n + 6);
    double of_variance;
    c->two_pass_error = c->scale_error.proven;
    if (c->two_pass_error > most_of_one_pass)
        c->two_pass_error = two_pass_error(a, c, epsilon, k.proven, c->mean_error.proven, 1, &of_variance);
    c->one_pass_fails = c->scale_error.likely > most_of_one_pass;
    if (c->one_pass_fails)
        c->scale_error.likely = two_pass_error(a, c, epsilon, k.likely, c->mean_error.likely, n > 64 ? 8 / sqrt(n) : 1,
                                               &c->variance_error.likely);
    if (c->two_pass_error < c->scale_error.likely) c->two_pass_error = c->scale_error.likely;
}

/* Mean, variance and scale are those of the layer; mean_magnitude is E|x|. */
static void fill_errors(struct fer_channel *c, const struct fer_arithmetic *a, double n, double epsilon,
                        double mean_magnitude)
{
    const double square = c->variance + c->mean * c->mean;
    const struct fer_bound of_mean = fer_roundings(n + 4 + 2 * fer_log(n)), of_square = fer_roundings(n + 6);
    c->mean_error.proven = mean_error(a, of_mean.proven, mean_magnitude);
    c->mean_error.likely = mean_error(a, of_mean.likely, mean_magnitude);
    c->variance_error.proven = variance_error(a, of_square.proven, square, c->mean_error.proven);
    c->variance_error.likely = variance_error(a, of_square.likely, square, c->mean_error.likely);
    c->scale_error.proven = scale_error(a, c->variance, epsilon, c->variance_error.proven);
    c->scale_error.likely = scale_error(a, c->variance, epsilon, c->variance_error.likely);
    leave_one_pass_out(c, a, n, epsilon);
}

int fer_channels(struct fer_channel *channel, const struct fer_arithmetic *a, size_t rows, size_t channels,
                 const real *x, double epsilon, struct fer_error *e)
{
    real *mean = fer_allocate(channels * 3, sizeof *mean, e), *variance = mean + channels,
         *magnitude = variance + channels;
    size_t i, c, at = 0;
    if (!mean) return -1;
    fer_batch_moments(rows, channels, x, mean, variance);
    for (i = 0; i < rows; i++)
        for (c = 0; c < channels; c++, at++) magnitude[c] += x[at] < 0 ? -x[at] : x[at];
    for (c = 0; c < channels; c++) {
        channel[c].mean = (double)mean[c];
        channel[c].variance = (double)variance[c];
        channel[c].scale = 1 / sqrt((double)variance[c] + epsilon);
        channel[c].gain = 1;
        channel[c].given = 0;
        fill_errors(&channel[c], a, (double)rows, epsilon, (double)magnitude[c] / (double)rows);
    }
    fer_free(mean);
    return 0;
}

/* ---- The normalisation ---- */

/* Of one element. M and R as above, proven or likely. A mean that is off by M is so in the variance, too. */
static double normalization_error(const struct fer_arithmetic *a, const struct fer_channel *c, double M, double R,
                                  double x, double beta, double y)
{
    const double s = c->scale * magnitude_of(c->gain);
    const double t = s * (magnitude_of(x) + magnitude_of(c->mean)) + magnitude_of(beta);
    const double shift = c->scale * M < 1 ? s * M : magnitude_of(c->gain);
    const double error = (1 + R) * shift + magnitude_of(x - c->mean) * s * R + (4 * a->sum + a->input) * (1 + R) * t +
                         (4 + 2 * s) * a->sum_least;
    return error + a->store * (magnitude_of(y) + error) + a->store_least;
}

struct fer_bound fer_normalization_bound(const struct fer_arithmetic *a, const struct fer_channel *c, double x,
                                         double shift)
{
    const double y = (x - c->mean) * c->scale * c->gain + shift;
    struct fer_bound b;
    b.proven = normalization_error(a, c, c->mean_error.proven, c->two_pass_error, x, shift, y);
    b.likely = normalization_error(a, c, c->mean_error.likely, c->scale_error.likely, x, shift, y);
    return b;
}

/* What one column of the output is: x - mean times a slope, and a constant; slope and what stands for it in the
 * variance. */
static int is_scaled(const struct fer_arithmetic *a, const struct fer_channel *c, size_t rows, size_t channels,
                     const real *x, double beta, const real *y, double *slope)
{
    double constant = 0, product = 0;
    size_t i;
    for (i = 0; i < rows * channels; i += channels) constant += ((double)y[i] - beta) / (double)rows;
    for (i = 0; i < rows * channels; i += channels)
        product += ((double)x[i] - c->mean) * ((double)y[i] - beta - constant) / (double)rows;
    *slope = product / c->variance;
    for (i = 0; i < rows * channels; i += channels) {
        const double x_size = magnitude_of((double)x[i]) + magnitude_of(c->mean), y_size = magnitude_of((double)y[i]);
        const double size = magnitude_of(*slope) * x_size + magnitude_of(beta);
        const double rounding = 8 * (a->sum + a->input) * size + 2 * a->store * y_size + 8 * a->sum_least;
        const double rest = (double)y[i] - beta - constant - *slope * ((double)x[i] - c->mean);
        if (!(magnitude_of(rest) <= rounding)) return 0;
        if (!(magnitude_of(constant) <= magnitude_of(*slope) * c->mean_error.proven + rounding)) return 0;
    }
    return 1;
}

/* What made this, when each channel is x scaled and shifted: a variance in one pass, if the scale is what rounding
 * can make of a sum of squares less the square of the mean; but one factor in all channels is a mistake. */
enum origin { UNKNOWN, ONE_PASS, ONE_FACTOR };
static enum origin origin_of(const struct fer_arithmetic *a, const struct fer_channel *channel, size_t rows,
                             size_t channels,
                          const real *x, const real *beta, const real *y)
{
    /* relative: slopes are no better than what rounding leaves of them */
    double least = INFINITY, most = 0, alike = 1e-3;
    size_t k;
    for (k = 0; k < channels; k++) {
        const struct fer_channel *c = &channel[k];
        double slope, factor, variance, rounding;
        if (!(c->variance > 0) || c->gain == 0) continue;
        if (!is_scaled(a, c, rows, channels, x + k, beta ? (double)beta[k] : 0, y + k, &slope)) return UNKNOWN;
        factor = slope / (c->gain * c->scale);
        variance = (c->variance - 1 / (c->scale * c->scale)) + 1 / (factor * factor * c->scale * c->scale);
        if (!(factor > 0) || !(magnitude_of(variance - c->variance) <= 1.01 * c->variance_error.proven)) return UNKNOWN;
        rounding = 4 * (a->sum + a->input) * magnitude_of(c->mean) / sqrt(c->variance);
        if (1e-3 + rounding > alike) alike = 1e-3 + rounding;
        if (factor < least) least = factor;
        if (factor > most) most = factor;
    }
    if (channels == 1) return magnitude_of(most - 2) > 2 * alike ? ONE_PASS : ONE_FACTOR;
    if (most - least > alike * most) return ONE_PASS;
    return magnitude_of(most - 1) > 2 * alike ? ONE_FACTOR : UNKNOWN;
}

static void tally_normalization(struct fer_tally *tally, const struct fer_arithmetic *a,
                                const struct fer_channel *channel,
                                size_t rows, size_t channels, const real *x, const real *beta, const real *claimed,
                                enum origin origin)
{
    size_t i, k, at = 0;
    for (i = 0; i < rows; i++)
        for (k = 0; k < channels; k++, at++) {
            const struct fer_channel *c = &channel[k];
            const double shift = beta ? (double)beta[k] : 0;
            const double y = ((double)x[at] - c->mean) * c->scale * c->gain + shift;
            struct fer_bound b = fer_normalization_bound(a, c, (double)x[at], shift);
            if (origin == ONE_FACTOR) b.proven = b.likely;
            if (origin == ONE_PASS)
                b.proven = normalization_error(a, c, c->mean_error.proven, c->scale_error.proven, (double)x[at],
                                               shift, y);
            fer_tally_add(tally, (double)claimed[at], y, b);
        }
}

void fer_tally_normalization(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_channel *channel,
                             size_t rows, size_t channels, const real *x, const real *beta, const real *claimed)
{
    const struct fer_tally begun = *tally;
    enum origin origin;
    tally_normalization(tally, a, channel, rows, channels, x, beta, claimed, UNKNOWN);
    if (fer_tally_verdict(tally) < FER_SUSPECT || tally->not_finite) return;
    origin = origin_of(a, channel, rows, channels, x, beta, claimed);
    if (origin == UNKNOWN) return;
    *tally = begun; /* once more, by what made it */
    tally->one_pass = origin == ONE_PASS;
    tally_normalization(tally, a, channel, rows, channels, x, beta, claimed, origin);
}

/* Other results of channels whose variance in one pass could be anything. */
static void note_one_pass(struct fer_tally *tally, const struct fer_channel *channel, size_t channels)
{
    size_t k;
    for (k = 0; k < channels && fer_tally_verdict(tally) == FER_SUSPECT; k++)
        tally->one_pass |= channel[k].one_pass_fails;
}

/* With given statistics (x - m) s + beta, s = gamma / sqrt(v + epsilon), may be computed as x s + (beta - m s). Of
 * either, each of the terms x s, m s and beta meets at most eight roundings, s's own four among them. */
void fer_sums_add_scaling(struct fer_sums *sums, const struct fer_arithmetic *a, size_t channels, const real *x,
                          const real *mean, const real *variance, const real *gamma, const real *beta, double epsilon)
{
    size_t i;
    for (i = 0; i < sums->count; i++) {
        const size_t c = i % channels;
        const double scale = (gamma ? (double)gamma[c] : 1) / sqrt((double)variance[c] + epsilon);
        const double shift = beta ? (double)beta[c] : 0;
        sums->truth[i] = (real)(((double)x[i] - (double)mean[c]) * scale + shift);
        sums->magnitude[i] = (real)((magnitude_of((double)x[i]) + magnitude_of((double)mean[c])) * magnitude_of(scale) +
                                    magnitude_of(shift));
        sums->roundings[i] = 8;
    }
    sums->input_error = a->input;
}

/* ---- Its gradient ---- */

/* What a channel's gradient needs: the averages a and b, E|dy|, and D; and the errors A and B, proven and likely. */
struct averages {
    double a, b, magnitude, d;
    struct fer_bound a_error, b_error;
};

static void sum_averages(struct averages *v, const struct fer_channel *channel, size_t rows, size_t channels,
                         const real *x, const real *dy)
{
    size_t i, k, at = 0;
    for (i = 0; i < rows; i++)
        for (k = 0; k < channels; k++, at++) {
            const struct fer_channel *c = &channel[k];
            const double d = (double)dy[at], size = magnitude_of(d);
            v[k].a += d;
            v[k].b += d * ((double)x[at] - c->mean);
            v[k].magnitude += size;
            v[k].d += size * (magnitude_of((double)x[at]) + magnitude_of(c->mean));
        }
    for (k = 0; k < channels; k++) {
        v[k].a /= (double)rows;
        v[k].b *= channel[k].scale / (double)rows;
        v[k].magnitude /= (double)rows;
        v[k].d *= channel[k].scale / (double)rows;
    }
}

static double a_error(const struct fer_arithmetic *a, const struct averages *v, double roundings)
{
    return (roundings * a->sum + a->input) * v->magnitude + 3 * a->sum_least;
}

static double b_error(const struct fer_arithmetic *a, const struct averages *v, const struct fer_channel *c, double M,
                      double R, double roundings)
{
    return R * magnitude_of(v->b) + c->scale * (1 + R) * M * magnitude_of(v->a) +
           (roundings * a->sum + 2 * a->input) * (1 + R) * v->d + (4 + 2 * c->scale) * a->sum_least;
}

static struct fer_bound gradient_errors_of_a(const struct fer_arithmetic *a, const struct averages *v, double n)
{
    struct fer_bound b = fer_roundings(n + 4);
    b.proven = a_error(a, v, b.proven);
    b.likely = a_error(a, v, b.likely);
    return b;
}

static struct fer_bound gradient_errors_of_b(const struct fer_arithmetic *a, const struct averages *v,
                                             const struct fer_channel *c, double n)
{
    struct fer_bound b = fer_roundings(n + 6);
    b.proven = b_error(a, v, c, c->mean_error.proven, c->scale_error.proven, b.proven);
    b.likely = b_error(a, v, c, c->mean_error.likely, c->scale_error.likely, b.likely);
    return b;
}

/* Of one element. */
static double gradient_error(const struct fer_arithmetic *a, const struct fer_channel *c, const struct averages *v,
                             double M, double R, double A, double B, double x, double dy, double dx)
{
    const double s = c->scale, gain = magnitude_of(c->gain), h = magnitude_of((x - c->mean) * s);
    const double shift = 2 * s * (1 + R) * M, b = magnitude_of(v->b);
    const double element = magnitude_of(dy) + magnitude_of(v->a) + s * (magnitude_of(x) + magnitude_of(c->mean)) * b;
    const double error = R * magnitude_of(dx) +
                         s * gain * (1 + R) * (A + (h * (1 + R) + shift) * B + (h * R + shift) * b) +
                         (8 * a->sum + a->input) * (1 + R) * s * gain * element +
                         (8 + 8 * s) * (1 + h) * (gain > 1 ? gain : 1) * a->sum_least;
    return error + a->store * (magnitude_of(dx) + error) + a->store_least;
}

/* Of each channel, averages and their errors; freed by fer_free. NULL: no memory. */
static struct averages *find_averages(const struct fer_arithmetic *a, const struct fer_channel *channel, size_t rows,
                                      size_t channels, const real *x, const real *dy, struct fer_error *e)
{
    struct averages *averages = fer_allocate(channels, sizeof *averages, e);
    size_t k;
    if (!averages) return NULL;
    sum_averages(averages, channel, rows, channels, x, dy);
    for (k = 0; k < channels; k++) {
        const struct averages none = {0, 0, 0, 0, {0, 0}, {0, 0}};
        if (channel[k].given == FER_GIVEN_VARIANCE) averages[k].b = averages[k].d = 0;
        if (channel[k].given == FER_GIVEN) averages[k] = none;
        if (channel[k].given == FER_GIVEN) continue;
        averages[k].a_error = gradient_errors_of_a(a, &averages[k], (double)rows);
        averages[k].b_error = gradient_errors_of_b(a, &averages[k], &channel[k], (double)rows);
    }
    return averages;
}

/* dx of one element, and its bound. */
static double gradient_of(const struct fer_arithmetic *a, const struct fer_channel *c, const struct averages *v,
                          double x, double dy, struct fer_bound *bound)
{
    double dx;
    if (c->given) x = c->mean; /* it has no part in dx, be it NaN */
    dx = c->gain * c->scale * (dy - v->a - (x - c->mean) * c->scale * v->b);
    bound->proven = gradient_error(a, c, v, c->mean_error.proven, c->scale_error.proven, v->a_error.proven,
                                   v->b_error.proven, x, dy, dx);
    bound->likely = gradient_error(a, c, v, c->mean_error.likely, c->scale_error.likely, v->a_error.likely,
                                   v->b_error.likely, x, dy, dx);
    return dx;
}

int fer_tally_normalization_input(struct fer_tally *tally, const struct fer_arithmetic *a,
                                  const struct fer_channel *channel, size_t rows, size_t channels, const real *x,
                                  const real *dy, const real *claimed, struct fer_error *e)
{
    struct averages *averages = find_averages(a, channel, rows, channels, x, dy, e);
    size_t i, k, at = 0;
    if (!averages) return -1;
    for (i = 0; i < rows; i++)
        for (k = 0; k < channels; k++, at++) {
            struct fer_bound b;
            const double dx = gradient_of(a, &channel[k], &averages[k], (double)x[at], (double)dy[at], &b);
            fer_tally_add(tally, (double)claimed[at], dx, b);
        }
    note_one_pass(tally, channel, channels);
    fer_free(averages);
    return 0;
}

int fer_sums_add_normalization_input(struct fer_sums *s, const struct fer_arithmetic *a,
                                     const struct fer_channel *channel, size_t rows, size_t channels, const real *x,
                                     const real *dy, struct fer_error *e)
{
    struct averages *averages = find_averages(a, channel, rows, channels, x, dy, e);
    size_t i, k, at = 0;
    if (!averages) return -1;
    for (i = 0; i < rows; i++)
        for (k = 0; k < channels; k++, at++) {
            struct fer_bound b;
            s->part[at] = (real)gradient_of(a, &channel[k], &averages[k], (double)x[at], (double)dy[at], &b);
            s->own_proven[at] += (real)b.proven;
            s->own_likely[at] += (real)b.likely;
        }
    fer_sums_add_copies(s, a);
    s->quantum = 0;
    fer_free(averages);
    return 0;
}

int fer_gamma_gradient(const struct fer_arithmetic *a, const struct fer_channel *channel, size_t rows, size_t channels,
                       const real *x, const real *dy, real *truth, struct fer_bound *bound, struct fer_error *e)
{
    struct averages *averages = fer_allocate(channels, sizeof *averages, e);
    const double n = (double)rows;
    size_t k;
    if (!averages) return -1;
    sum_averages(averages, channel, rows, channels, x, dy);
    for (k = 0; k < channels; k++) {
        const double sum = averages[k].b * n, kept = a->store * magnitude_of(sum) + a->store_least;
        const struct fer_bound error = gradient_errors_of_b(a, &averages[k], &channel[k], n);
        truth[k] = (real)sum;
        bound[k].proven = (error.proven * n + kept) * (1 + a->store);
        bound[k].likely = (error.likely * n + kept) * (1 + a->store);
    }
    fer_free(averages);
    return 0;
}

int fer_tally_gamma(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_channel *channel,
                    size_t rows, size_t channels, const real *x, const real *dy, const real *claimed,
                    struct fer_error *e)
{
    real *truth = fer_allocate(channels, sizeof *truth, e);
    struct fer_bound *bound = truth ? fer_allocate(channels, sizeof *bound, e) : NULL;
    const int failed = !bound || fer_gamma_gradient(a, channel, rows, channels, x, dy, truth, bound, e);
    size_t k;
    for (k = 0; k < channels && !failed; k++) fer_tally_add(tally, (double)claimed[k], (double)truth[k], bound[k]);
    if (!failed) note_one_pass(tally, channel, channels);
    fer_free(truth), fer_free(bound);
    return failed ? -1 : 0;
}

/* ---- Moving statistics ---- */

/* before * momentum + batch * (1 - momentum); `of_batch` is the error of `batch`. */
static void add_moving(struct fer_tally *tally, const struct fer_arithmetic *a, double momentum, double before,
                       double batch, struct fer_bound of_batch, double roundings, double claimed)
{
    const double truth = before * momentum + batch * (1 - momentum);
    const double rounding = (roundings * a->sum + a->input) * (magnitude_of(before) + magnitude_of(batch)) +
                            3 * a->sum_least + a->store * magnitude_of(truth) + a->store_least;
    struct fer_bound b;
    b.proven = ((1 - momentum) * of_batch.proven + rounding) * (1 + a->store);
    b.likely = ((1 - momentum) * of_batch.likely + rounding) * (1 + a->store);
    fer_tally_add(tally, claimed, truth, b);
}

void fer_tally_moving_mean(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_channel *channel,
                           size_t channels, double momentum, const real *before, const real *claimed)
{
    size_t c;
    for (c = 0; c < channels; c++)
        add_moving(tally, a, momentum, (double)before[c], channel[c].mean, channel[c].mean_error, 4,
                   (double)claimed[c]);
}

void fer_tally_moving_variance(struct fer_tally *tally, const struct fer_arithmetic *a,
                               const struct fer_channel *channel, size_t rows, size_t channels, double momentum,
                               int unbiased, const real *before, const real *claimed)
{
    const double bessel = unbiased && rows > 1 ? (double)rows / (double)(rows - 1) : 1;
    size_t c;
    for (c = 0; c < channels; c++) {
        struct fer_bound error = channel[c].variance_error;
        error.proven *= bessel;
        error.likely *= bessel;
        add_moving(tally, a, momentum, (double)before[c], channel[c].variance * bessel, error, 6, (double)claimed[c]);
    }
    note_one_pass(tally, channel, channels);
}
