/* bounds_sums.c - the rounding bound of everything that is a sum: convolutions, dense layers, pooling, sums of
 * gradients.
 *
 * The model. A format has the unit roundoff u, and each operation returns its exact result times (1 + d), |d| <= u. A
 * sum of K products a*b, added in any order whatever, by one accumulator or many, fused or not, then has
 *
 *     |error| <= K * u * sum |a||b|                                                                         proven
 *
 * without a condition on K*u (Jeannerod and Rump, SIAM J. Matrix Anal. Appl. 34(2), 2013). If the d are random with
 * mean zero, and independent, the errors cancel like steps of a random walk, and for all but about one element of 10^12
 *
 *     |error| <= min(K, 8 sqrt(K)) * u * sum |a||b|                                                         likely
 *
 * (Higham and Mary, SIAM J. Sci. Comput. 41(5), 2019). Both ingredients are computed in float64 with the layer's own
 * functions: the sum of a*b is the layer, and the sum of |a||b| is the same layer on absolute values. K is counted for
 * each element, since fewer cells meet at the border. What is added to this:
 *
 *   - factors that the backend rounds to a shorter format of roundoff v before it multiplies: (2v + v^2) * sum |a||b|;
 *   - the truth's own error: it is the same sum in float64, so 2^-53 is added to u;
 *   - results smaller than the smallest normal number, which may be flushed to zero: that number for each of the K
 *     roundings; and for each factor that is so small (there may be none), the same times the largest other factor, in
 *     all no more than sum |a||b|;
 *   - a result that is stored in a shorter format than it was summed in: w * |result|;
 *   - infinity or NaN, where sum |a||b| is beyond the format's largest number.
 *
 * Not covered: algorithms that compute other products than these, as Winograd's (bounds_winograd.c) and FFT
 * convolution do.
 *
 * Exactness. If every term is a whole multiple of a power of two q, so is every partial sum, in any order; and a
 * partial sum is at most sum |a||b|. Where that is no more than 2^24 q, each partial sum is a float32 number: nothing
 * is ever rounded, and the bound is 0. It is so in records of small whole numbers (q = 1). */
#include "verify.h"

#include "../../layers/layers.h"

#include <float.h>
#include <math.h>

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

struct fer_bound fer_roundings(double k)
{
    struct fer_bound roundings;
    roundings.proven = k;
    roundings.likely = 8 * sqrt(k) < k ? 8 * sqrt(k) : k;
    return roundings;
}

/* ---- Whole multiples ---- */

static int is_multiple(double magnitude, double unit)
{
    const double times = magnitude / unit;
    return times <= 0x1p24 && times == (double)(long)times;
}

/* The largest power of two of which every x is a whole multiple, or 0 when that takes multiples beyond 2^24: then
 * these are not whole numbers of anything, just numbers. */
static double quantum(const real *x, size_t count)
{
    double unit = 0, most = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        const double magnitude = x[i] < 0 ? -(double)x[i] : (double)x[i];
        if (magnitude == 0) continue;
        if (!(magnitude > 0x1p-120 && magnitude < 0x1p120)) return 0;
        if (unit == 0) /* the leading digit of the first number that is not zero */
            for (unit = 1; unit > magnitude || unit * 2 <= magnitude;) unit *= unit > magnitude ? 0.5 : 2;
        most = larger(most, magnitude);
        while (most <= 0x1p24 * unit && !is_multiple(magnitude, unit)) unit /= 2;
        if (most > 0x1p24 * unit) return 0;
    }
    return unit > 0 ? unit : 1; /* zeros are multiples of anything */
}

/* Among the finite ones: what is not finite shows in the truth of every sum that it enters. Eight side by side, as a
 * processor does it. */
static double largest(const real *x, size_t count)
{
    double most[8] = {0};
    size_t i, k;
    for (i = 0; i < count / 8 * 8; i += 8)
        for (k = 0; k < 8; k++) {
            const double size = fabs((double)x[i + k]);
            most[k] = size > most[k] && size <= DBL_MAX ? size : most[k];
        }
    for (; i < count; i++)
        if (x[i] - x[i] == 0) most[0] = larger(most[0], fabs((double)x[i]));
    for (k = 1; k < 8; k++) most[0] = larger(most[0], most[k]);
    return most[0];
}

/* How many may be flushed to zero. */
static double count_small(const real *x, size_t count, double least)
{
    size_t i, small = 0;
    for (i = 0; i < count; i++) small += (size_t)(fabs((double)x[i]) < least) & (size_t)(x[i] != 0);
    return (double)small;
}

/* The quantum of numbers that are first rounded to a format of roundoff u; 0 when that changes them. */
static double rounded_quantum(const real *x, size_t count, double u)
{
    const double q = quantum(x, count);
    return q == 0 || largest(x, count) * u > q ? 0 : q;
}

static void take_absolute(real *x, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (x[i] < 0) x[i] = -x[i];
}

/* ---- One share of the sums ---- */

static void begin_share(struct fer_sums *s, double quantum_of_terms, double input_error)
{
    s->quantum = s->parts++ && s->quantum < quantum_of_terms ? s->quantum : quantum_of_terms;
    s->input_error = larger(s->input_error, input_error);
}

/* No term has more than one factor of x and one of y, and no two terms of a sum have the same. */
static void allow_flushing(struct fer_sums *s, const struct fer_arithmetic *a, const real *x, size_t x_count,
                           const real *y, size_t y_count)
{
    s->small += larger(count_small(x, x_count, a->factor_least), count_small(y, y_count, a->factor_least));
    s->flushed = larger(s->flushed, a->factor_least * (largest(x, x_count) + largest(y, y_count)));
}

static void begin_products(struct fer_sums *s, const struct fer_arithmetic *a, const real *x, size_t x_count,
                           const real *y, size_t y_count)
{
    const double q = rounded_quantum(x, x_count, a->factor) * rounded_quantum(y, y_count, a->factor);
    begin_share(s, q, a->factor * (2 + a->factor));
    allow_flushing(s, a, x, x_count, y, y_count);
}

static void add_part(const struct fer_sums *s, real *to)
{
    size_t i;
    for (i = 0; i < s->count; i++) to[i] += s->part[i];
}

/* Where a sum that begins with +0, and so is never -0, is computed: the first share in its place, others in s->part. */
static real *room_for(const struct fer_sums *s, real *to)
{
    return s->parts > 1 ? s->part : to;
}

static void keep(const struct fer_sums *s, real *to)
{
    if (s->parts > 1) add_part(s, to);
}

/* The terms of one share are those in s->part: each element's only one. */
static void add_single_terms(struct fer_sums *s)
{
    add_part(s, s->truth);
    take_absolute(s->part, s->count);
    add_part(s, s->magnitude);
}

/* ---- How many cells meet, along one axis ---- */

struct axis {
    size_t in, out, kernel, stride, dilation, pad;
};

static struct axis height_of(const struct fer_window *g)
{
    struct axis axis;
    axis.in = g->in_h, axis.out = g->out_h, axis.kernel = g->kernel_h, axis.stride = g->stride_h, axis.pad = g->pad_top;
    axis.dilation = g->dilation_h;
    return axis;
}

static struct axis width_of(const struct fer_window *g)
{
    struct axis axis;
    axis.in = g->in_w, axis.out = g->out_w, axis.kernel = g->kernel_w, axis.stride = g->stride_w,
    axis.pad = g->pad_left, axis.dilation = g->dilation_w;
    return axis;
}

static int is_inside(const struct axis *axis, size_t o, size_t k)
{
    return o * axis->stride + k * axis->dilation - axis->pad < axis->in; /* before the first it wraps around */
}

/* Input cells that output o sees. */
static size_t inputs_of_output(const struct axis *axis, size_t o)
{
    size_t k, count = 0;
    for (k = 0; k < axis->kernel; k++) count += (size_t)is_inside(axis, o, k);
    return count;
}

/* Outputs that see input i. */
static size_t outputs_of_input(const struct axis *axis, size_t i)
{
    size_t k, count = 0;
    for (k = 0; k < axis->kernel; k++) {
        const size_t end = i + axis->pad, start = end - k * axis->dilation;
        count += end >= k * axis->dilation && start % axis->stride == 0 && start / axis->stride < axis->out;
    }
    return count;
}

/* Outputs that see an input through tap k. */
static size_t outputs_of_tap(const struct axis *axis, size_t k)
{
    size_t o, count = 0;
    for (o = 0; o < axis->out; o++) count += (size_t)is_inside(axis, o, k);
    return count;
}

/* roundings[n][h][w][c] += count(h) * count(w) * each. */
static void add_roundings(struct fer_sums *s, const struct fer_window *g, size_t n, size_t h, size_t w, size_t channels,
                          size_t (*count)(const struct axis *, size_t), size_t each)
{
    const struct axis rows = height_of(g), columns = width_of(g);
    size_t at = 0, c, image, i, j;
    for (image = 0; image < n; image++)
        for (i = 0; i < h; i++)
            for (j = 0; j < w; j++) {
                const real k = (real)(count(&rows, i) * count(&columns, j) * each);
                for (c = 0; c < channels; c++) s->roundings[at++] += k;
            }
}

static size_t inputs(const struct fer_window *g)
{
    return g->n * g->in_h * g->in_w * g->in_c;
}

static size_t outputs(const struct fer_window *g)
{
    return g->n * g->out_h * g->out_w * g->out_c;
}

static size_t weights(const struct fer_window *g)
{
    return g->kernel_h * g->kernel_w * (g->in_c / g->groups) * g->out_c;
}

/* ---- Convolutions: each is done twice, the second time on absolute values ---- */

/* Depthwise is a group for each channel; it has loops of its own, to the same bits and sooner. */
static int is_depthwise(const struct fer_window *g)
{
    return g->groups > 1 && g->groups == g->in_c;
}

static void convolve(const struct fer_window *g, const real *x, const real *kernel, real *y)
{
    (is_depthwise(g) ? fer_depthwise_conv2d_forward : fer_conv2d_forward)(g, x, kernel, y);
}

void fer_convolve_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
    (is_depthwise(g) ? fer_depthwise_conv2d_backward_input : fer_conv2d_backward_input)(g, dy, kernel, dx);
}

void fer_convolve_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
    (is_depthwise(g) ? fer_depthwise_conv2d_backward_kernel : fer_conv2d_backward_kernel)(g, x, dy, dkernel);
}

void fer_sums_add_conv2d(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g, real *x,
                         real *kernel)
{
    begin_products(s, a, x, inputs(g), kernel, weights(g));
    convolve(g, x, kernel, room_for(s, s->truth));
    keep(s, s->truth);
    take_absolute(x, inputs(g));
    take_absolute(kernel, weights(g));
    convolve(g, x, kernel, room_for(s, s->magnitude));
    keep(s, s->magnitude);
    add_roundings(s, g, g->n, g->out_h, g->out_w, g->out_c, inputs_of_output, g->in_c / g->groups);
}

void fer_sums_add_conv2d_input(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g, real *dy,
                               real *kernel)
{
    begin_products(s, a, dy, outputs(g), kernel, weights(g));
    fer_convolve_input(g, dy, kernel, room_for(s, s->truth));
    keep(s, s->truth);
    take_absolute(dy, outputs(g));
    take_absolute(kernel, weights(g));
    fer_convolve_input(g, dy, kernel, room_for(s, s->magnitude));
    keep(s, s->magnitude);
    add_roundings(s, g, g->n, g->in_h, g->in_w, g->in_c, outputs_of_input, g->out_c / g->groups);
}

void fer_sums_add_conv2d_kernel(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g, real *x,
                                real *dy)
{
    begin_products(s, a, x, inputs(g), dy, outputs(g));
    fer_convolve_kernel(g, x, dy, room_for(s, s->truth));
    keep(s, s->truth);
    take_absolute(x, inputs(g));
    take_absolute(dy, outputs(g));
    fer_convolve_kernel(g, x, dy, room_for(s, s->magnitude));
    keep(s, s->magnitude);
    add_roundings(s, g, 1, g->kernel_h, g->kernel_w, g->in_c / g->groups * g->out_c, outputs_of_tap, g->n);
}

/* The bias is a product with 1. */
void fer_sums_add_bias(struct fer_sums *s, const struct fer_arithmetic *a, size_t channels, const real *bias)
{
    const double q = rounded_quantum(bias, channels, a->factor);
    const real one = 1;
    size_t i;
    allow_flushing(s, a, bias, channels, &one, 1);
    if (q < s->quantum) s->quantum = q;
    for (i = 0; i < s->count; i++) {
        const real b = bias[i % channels];
        s->truth[i] += b;
        s->magnitude[i] += b < 0 ? -b : b;
        s->roundings[i] += 1;
    }
}

/* ---- Dense: a 1x1 convolution of 1x1 images ---- */

struct fer_window fer_dense_window(size_t rows, size_t in, size_t out)
{
    const struct fer_window g = {rows, 1, 1, in, 1, 1, out, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0};
    return g;
}

void fer_sums_add_columns(struct fer_sums *s, const struct fer_arithmetic *a, size_t rows, size_t channels,
                          const real *x)
{
    size_t i, c, at = 0;
    begin_share(s, rounded_quantum(x, rows * channels, a->input), a->input);
    for (i = 0; i < rows; i++)
        for (c = 0; c < channels; c++, at++) {
            s->truth[c] += x[at];
            s->magnitude[c] += x[at] < 0 ? -x[at] : x[at];
        }
    for (c = 0; c < channels; c++) s->roundings[c] += (real)rows;
}

/* ---- Pooling and copies ---- */

/* The mean of k cells: k - 1 additions and one division, or before or behind them the product with a rounded 1/k: k +
 * 1 roundings. (k + 2 are allowed: the bound of a product of two roundings is of first order, and the spare one
 * exceeds what that neglects.) The mean is exact when the sum is and the quotient is a float32 number, also as the
 * product with the rounded 1/k (in float32 121 * (1/121) is not 1). What multiplies each cell by 1/k before it adds
 * them is not exact then, and is not forgiven. */
static int divides_exactly(double sum, double k)
{
    const float reciprocal = 1 / (float)k, product = (float)sum * reciprocal;
    return (double)(float)(sum / k) == sum / k && (double)product == sum / k;
}

void fer_sums_add_average(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g, real *x)
{
    const struct axis rows = height_of(g), columns = width_of(g);
    const double q = rounded_quantum(x, inputs(g), a->input);
    double k;
    size_t i, row, cell;
    begin_share(s, 0, a->input);
    fer_average_pooling2d_forward(g, x, s->part);
    add_part(s, s->truth);
    take_absolute(x, inputs(g));
    fer_average_pooling2d_forward(g, x, s->part);
    add_part(s, s->magnitude);
    for (i = 0; i < s->count; i++) {
        cell = i / g->out_c;
        row = cell / g->out_w % g->out_h;
        s->roundings[i] =
            (real)(inputs_of_output(&rows, row) * inputs_of_output(&columns, cell % g->out_w));
        k = (double)fer_window_divisor(g, row, cell % g->out_w);
        if (q > 0 && (double)s->magnitude[i] * k <= q * a->exact && divides_exactly((double)s->truth[i] * k, k))
            s->roundings[i] = FER_EXACT;
        else
            s->roundings[i] += 2;
    }
}

/* Each term is dy / k: a quotient, or a product with a rounded 1/k; two roundings at most, beside the additions. */
void fer_sums_add_average_input(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                                real *dy)
{
    int exact = 1;
    size_t i;
    fer_average_pooling2d_backward(g, dy, s->part);
    add_part(s, s->truth);
    take_absolute(dy, outputs(g));
    fer_average_pooling2d_backward(g, dy, s->part);
    add_part(s, s->magnitude);
    for (i = 0; i < outputs(g); i++) { /* dy becomes the terms, to see whether they are whole multiples */
        const size_t cell = i / g->out_c, row = cell / g->out_w % g->out_h;
        const real k = (real)fer_window_divisor(g, row, cell % g->out_w);
        exact &= divides_exactly((double)dy[i], (double)k);
        dy[i] /= k;
    }
    begin_share(s, exact ? rounded_quantum(dy, outputs(g), a->input) : 0, a->input);
    add_roundings(s, g, g->n, g->in_h, g->in_w, g->in_c, outputs_of_input, 1);
    for (i = 0; i < s->count; i++) s->roundings[i] += 1;
}

void fer_sums_begin_terms(struct fer_sums *s, const struct fer_arithmetic *a)
{
    begin_share(s, 0, a->input);
}

void fer_sums_add_copies(struct fer_sums *s, const struct fer_arithmetic *a)
{
    begin_share(s, rounded_quantum(s->part, s->count, a->input), a->input);
    add_single_terms(s);
}

static void send_to_maxima(const struct fer_window *g, enum fer_ties ties, const real *x, const real *dy, real *dx)
{
    if (ties == FER_TIES_FIRST)
        fer_max_pooling2d_backward(g, x, dy, dx);
    else
        fer_max_pooling2d_backward_ties(g, ties, x, dy, dx);
}

/* A cell that is the maximum of several windows adds up their gradients; of one window, it copies. How many they are
 * is what the same function says of ones; of shares, at most as many as see the cell, and each is a quotient. */
void fer_sums_add_max_input(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                            enum fer_ties ties, const real *x, real *dy)
{
    size_t i;
    if (ties == FER_TIES_SPLIT)
        fer_sums_begin_terms(s, a);
    else
        fer_sums_begin_maxima(s, a, g, dy);
    send_to_maxima(g, ties, x, dy, s->part);
    add_part(s, s->truth);
    take_absolute(dy, outputs(g));
    send_to_maxima(g, ties, x, dy, s->part);
    add_part(s, s->magnitude);
    for (i = 0; i < outputs(g); i++) dy[i] = 1;
    send_to_maxima(g, ties, x, dy, s->part);
    for (i = 0; i < s->count; i++)
        if (ties == FER_TIES_SPLIT)
            s->roundings[i] += (real)(s->part[i] > 0 ? g->kernel_h * g->kernel_w + 1 : 0);
        else if (s->part[i] > 1)
            s->roundings[i] += s->part[i] - 1;
}

void fer_sums_begin_maxima(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                           const real *dy)
{
    begin_share(s, rounded_quantum(dy, outputs(g), a->input), a->input);
}

/* ---- The bound ---- */

struct fer_bound fer_sums_bound(const struct fer_sums *s, const struct fer_arithmetic *a, size_t i)
{
    const double magnitude = (double)s->magnitude[i],
                 result = s->truth[i] < 0 ? -(double)s->truth[i] : (double)s->truth[i];
    const double parts = s->parts > 1 ? s->parts : 0,
                 k = (double)s->roundings[i] + parts; /* shares are added up, too */
    const double kept =
        a->store * (result + (parts > 0 ? magnitude : 0)) + (1 + parts) * a->store_least; /* each may be stored */
    const double flushed = smaller(smaller(k, s->small) * s->flushed, magnitude) + (k + s->parts) * a->sum_least;
    const double shared = s->input_error * magnitude + flushed + kept;
    struct fer_bound b = fer_roundings(k);
    if (s->roundings[i] < 0 || (s->quantum > 0 && magnitude <= s->quantum * a->exact)) {
        b.proven = b.likely = 0;
        return b;
    }
    b.proven = (b.proven * a->sum * magnitude + shared) * (1 + a->store);
    b.likely = (b.likely * a->sum * magnitude + shared) * (1 + a->store);
    if (s->own_proven) {
        b.proven += (double)s->own_proven[i] * (1 + a->store);
        b.likely += (double)s->own_likely[i] * (1 + a->store);
    }
    return b;
}

/* Where the terms' absolute values exceed the format, a sum on the way may do so in some order: then infinity is
 * right, and NaN where two of them meet. */
static int overflows(const struct fer_sums *s, const struct fer_arithmetic *a, size_t i)
{
    return (double)s->magnitude[i] > a->most && s->magnitude[i] - s->magnitude[i] == 0;
}

static void tally_each(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_sums *s,
                       const real *claimed, size_t i, size_t end)
{
    for (; i < end; i++) {
        const int is_finite = claimed[i] - claimed[i] == 0;
        fer_tally_add(tally, (double)(is_finite || !overflows(s, a, i) ? claimed[i] : s->truth[i]), (double)s->truth[i],
                      fer_sums_bound(s, a, i));
    }
}

/* Whether the elements i ... end - 1, which have as many roundings, tell nothing new: even that part of their bound
 * which grows with their magnitude shows it. */
static int tell_nothing(const struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_sums *s,
                        const real *claimed, size_t i, size_t end)
{
    const struct fer_bound k = fer_roundings((double)s->roundings[i] + (s->parts > 1 ? s->parts : 0));
    const struct fer_bound part = {k.proven * a->sum, k.likely * a->sum};
    const double reach = fer_tally_reach(tally, part);
    int nothing = reach >= 0 && s->roundings[i] >= 0 && s->quantum == 0;
    for (; i < end; i++) nothing &= fabs((double)claimed[i] - (double)s->truth[i]) <= reach * (double)s->magnitude[i];
    return nothing;
}

void fer_tally_sums(struct fer_tally *tally, const struct fer_arithmetic *a, const struct fer_sums *s,
                    const real *claimed)
{
    size_t i, end;
    for (i = 0; i < s->count; i = end) {
        for (end = i + 1; end < s->count && end < i + 64 && s->roundings[end] == s->roundings[i];) end++;
        if (tell_nothing(tally, a, s, claimed, i, end))
            tally->count += end - i;
        else
            tally_each(tally, a, s, claimed, i, end);
    }
}
