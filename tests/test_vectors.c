/* test_vectors.c - every layer against values that PyTorch and numpy computed in float64 (vectors.py made tests/vectors/).
 *
 * No tolerance is guessed. A sum of K products, in whatever order, errs by at most K * u * (the sum of the products'
 * sizes: what the layer gives for the absolute values), u being the unit roundoff; the value that it is compared with
 * errs by at most as much in float64. What is not such a sum has a first-order bound, written out beside it; FIRST_ORDER
 * covers what that leaves off. What only moves numbers or compares them must be equal. */
#include "greatest.h"
#include "plain.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef FER_DOUBLE
static const double unit = DBL_EPSILON / 2; /* unit roundoff of real */
static const double smallest = DBL_MIN; /* its smallest normal number */
#else
static const double unit = FLT_EPSILON / 2;
static const double smallest = FLT_MIN;
#endif
static const double unit_double = DBL_EPSILON / 2;

#define FIRST_ORDER 1.1

/* ---- a file of vectors ---- */

struct column {
    const char *name;
    double *value;
    size_t count, at; /* what lies before `at` has been taken */
};

static struct fer_npz *npz;
static struct column column[32];
static int columns, cases, options, row; /* the case at hand is row `row` of the column `options` */
static const double *option;
static double *owned[64];
static real *behind[64]; /* what stands behind a block of results, and must go on to stand there; else NULL */
static const real guard = (real)-987654321;
static int owned_count;
static struct fer_error error;
static char note[512];

static double *numbers(size_t count)
{
    double *x = malloc((count + 1) * sizeof *x);
    if (!x || owned_count == 64) {
        fprintf(stderr, "test_vectors: no memory for %.0f numbers\n", (double)count);
        exit(2);
    }
    behind[owned_count] = NULL;
    return owned[owned_count++] = x;
}

/* Gives up what was taken after the first `count` blocks. */
static void release(int count)
{
    while (owned_count > count) {
        owned_count--;
        if (behind[owned_count] && *behind[owned_count] != guard) {
            fprintf(stderr, "test_vectors: a layer has written behind its result\n");
            exit(2);
        }
        free(owned[owned_count]);
    }
}

static void close_vectors(void *unused)
{
    (void)unused;
    fer_npz_close(npz);
    npz = NULL;
    release(0);
}

/* Reads all arrays of a file. 0 done, or -1 with the reason in error. */
static int open_vectors(const char *path)
{
    size_t i;
    if (fer_npz_open(&npz, path, &error)) return -1;
    for (i = 0; i < fer_npz_count(npz); i++) {
        const struct fer_array *array = fer_npz_at(npz, i);
        if (i >= sizeof column / sizeof *column) return fer_fail(&error, "%s: too many arrays", path);
        column[i].name = array->name, column[i].count = array->count, column[i].at = 0,
        column[i].value = numbers(array->count);
        if (fer_npz_read_double(npz, array, column[i].value, &error)) return -1;
        if (!strcmp(array->name, "options")) cases = (int)array->shape[0], options = (int)array->shape[1];
    }
    columns = (int)i;
    row = -1;
    return 0;
}

/* The next `count` numbers of a column. A column that is too short ends the program: the vectors are not what this test was
 * written for. */
static const double *take(const char *name, size_t count)
{
    int i;
    for (i = 0; i < columns; i++)
        if (!strcmp(column[i].name, name) && column[i].count - column[i].at >= count) {
            column[i].at += count;
            return column[i].value + column[i].at - count;
        }
    fprintf(stderr, "test_vectors: case %d lacks %s\n", row, name);
    exit(2);
    return NULL;
}

/* The same, as arguments of a layer. They are float32 numbers, so nothing is rounded. */
static real *given(const char *name, size_t count)
{
    const double *value = take(name, count);
    real *x = (real *)(void *)numbers(count);
    size_t i;
    for (i = 0; i < count; i++) x[i] = (real)value[i];
    return x;
}

static real *result(size_t count)
{
    real *x = (real *)(void *)numbers(count);
    size_t i;
    for (i = 0; i < count; i++) x[i] = (real)-123456789; /* no layer may leave this standing */
    *(behind[owned_count - 1] = x + count) = guard;
    return x;
}

/* The sizes of x. */
static real *magnitudes(const real *x, size_t count)
{
    real *size = result(count);
    size_t i;
    for (i = 0; i < count; i++) size[i] = x[i] < 0 ? -x[i] : x[i];
    return size;
}

/* The options of the next case, or NULL behind the last; memory of the case before is given up. */
static const double *next_case(void)
{
    release(columns);
    option = ++row < cases ? take("options", (size_t)options) : NULL;
    return option;
}

/* That there were cases, and that each number of the file has been used. */
static int all_was_used(void)
{
    int i;
    snprintf(note, sizeof note, "no cases");
    if (cases < 1 || columns < 2) return 0;
    for (i = 0; i < columns; i++)
        if (column[i].at != column[i].count || column[i].count == 0) {
            snprintf(note, sizeof note, "%s: %.0f of %.0f numbers used", column[i].name, (double)column[i].at,
                     (double)column[i].count);
            return 0;
        }
    return 1;
}

static int fault(const char *what, size_t i, double value, double truth, double bound)
{
    int k, used = snprintf(note, sizeof note, "%s[%.0f] is %.17g, not %.17g (bound %g), options", what, (double)i, value,
                           truth, bound);
    for (k = 0; k < options && used > 0 && used < 400; k++)
        used += snprintf(note + used, sizeof note - (size_t)used, " %g", option[k]);
    return 0;
}

/* Whether each value is as near to the truth as its bound allows. */
static int near(const char *what, const real *value, const double *truth, const double *bound, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (!(fabs((double)value[i] - truth[i]) <= bound[i])) return fault(what, i, (double)value[i], truth[i], bound[i]);
    return 1;
}

static int equal(const char *what, const real *value, const double *truth, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (!((double)value[i] == (double)(real)truth[i])) return fault(what, i, (double)value[i], truth[i], 0);
    return 1;
}

/* Sums of `terms` products whose sizes add up to size[i]. One term more, for the rounding of size itself; twice, for the
 * truth. */
static int near_sums(const char *what, const real *value, const double *truth, size_t terms, const real *size, size_t count)
{
    double *bound = numbers(count);
    size_t i;
    for (i = 0; i < count; i++) bound[i] = 2 * (double)(terms + 1) * unit * (double)size[i];
    return near(what, value, truth, bound, count);
}

/* ---- Conv2D and pooling: options n, h, w, ci, co, kernel h and w, strides, SAME ---- */

static struct fer_window window;
static size_t x_size, y_size, kernel_size;

static int set_window(const double *o)
{
    size_t size[9];
    int i;
    for (i = 0; i < 9; i++) size[i] = (size_t)o[i];
    if (fer_window_set(&window, size[0], size[1], size[2], size[3], size[4], size[5], size[6], size[7], size[8],
                       o[9] > 0 ? FER_SAME : FER_VALID, &error))
        return -1;
    x_size = (size_t)(window.n * window.in_h * window.in_w * window.in_c);
    y_size = (size_t)(window.n * window.out_h * window.out_w * window.out_c);
    kernel_size = (size_t)(window.kernel_h * window.kernel_w * window.in_c * window.out_c);
    return 0;
}

TEST conv2d_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/conv2d.npz"));
    while ((o = next_case())) {
        real *x, *kernel, *dy, *y, *dx, *dkernel, *x_sizes, *kernel_sizes, *dy_sizes, *sizes;
        size_t taps;
        ASSERT_EQm(error.text, 0, set_window(o));
        taps = (size_t)(window.kernel_h * window.kernel_w);
        x = given("x", x_size), kernel = given("kernel", kernel_size), dy = given("dy", y_size);
        y = result(y_size), dx = result(x_size), dkernel = result(kernel_size);
        fer_conv2d_forward(&window, x, kernel, y);
        fer_conv2d_backward_input(&window, dy, kernel, dx);
        fer_conv2d_backward_kernel(&window, x, dy, dkernel);
        x_sizes = magnitudes(x, x_size), kernel_sizes = magnitudes(kernel, kernel_size), dy_sizes = magnitudes(dy, y_size);
        sizes = result(y_size);
        plain_conv2d_forward(&window, x_sizes, kernel_sizes, sizes);
        ASSERTm(note, near_sums("y", y, take("y", y_size), taps * (size_t)window.in_c, sizes, y_size));
        sizes = result(x_size);
        plain_conv2d_backward_input(&window, dy_sizes, kernel_sizes, sizes);
        ASSERTm(note, near_sums("dx", dx, take("dx", x_size), taps * (size_t)window.out_c, sizes, x_size));
        sizes = result(kernel_size);
        plain_conv2d_backward_kernel(&window, x_sizes, dy_sizes, sizes);
        ASSERTm(note, near_sums("dkernel", dkernel, take("dkernel", kernel_size), y_size / (size_t)window.out_c, sizes,
                                kernel_size));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

TEST max_pooling2d_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/max_pooling2d.npz"));
    while ((o = next_case())) {
        real *x, *dy, *y, *dx, *sizes;
        ASSERT_EQm(error.text, 0, set_window(o));
        x = given("x", x_size), dy = given("dy", y_size), y = result(y_size), dx = result(x_size), sizes = result(x_size);
        fer_max_pooling2d_forward(&window, x, y);
        fer_max_pooling2d_backward(&window, x, dy, dx);
        ASSERTm(note, equal("y", y, take("y", y_size), y_size));
        plain_max_pooling2d_backward(&window, x, magnitudes(dy, y_size), sizes);
        ASSERTm(note, near_sums("dx", dx, take("dx", x_size), (size_t)(window.kernel_h * window.kernel_w), sizes, x_size));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

TEST average_pooling2d_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/average_pooling2d.npz"));
    while ((o = next_case())) {
        real *x, *dy, *y, *dx, *sizes;
        size_t terms;
        ASSERT_EQm(error.text, 0, set_window(o));
        terms = (size_t)(window.kernel_h * window.kernel_w) + 1; /* the division is one rounding more */
        x = given("x", x_size), dy = given("dy", y_size), y = result(y_size), dx = result(x_size);
        fer_average_pooling2d_forward(&window, x, y);
        fer_average_pooling2d_backward(&window, dy, dx);
        plain_average_pooling2d_forward(&window, magnitudes(x, x_size), sizes = result(y_size));
        ASSERTm(note, near_sums("y", y, take("y", y_size), terms, sizes, y_size));
        plain_average_pooling2d_backward(&window, magnitudes(dy, y_size), sizes = result(x_size));
        ASSERTm(note, near_sums("dx", dx, take("dx", x_size), terms, sizes, x_size));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

TEST global_average_pooling2d_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/global_average_pooling2d.npz"));
    while ((o = next_case())) {
        const size_t n = (size_t)o[0], cells = (size_t)o[1], channels = (size_t)o[2];
        const size_t out = n * channels, in = out * cells;
        real *x = given("x", in), *dy = given("dy", out), *y = result(out), *dx = result(in), *y_sizes = result(out),
             *dx_sizes = result(in);
        fer_global_average_pooling2d_forward(n, cells, channels, x, y);
        fer_global_average_pooling2d_backward(n, cells, channels, dy, dx);
        fer_global_average_pooling2d_forward(n, cells, channels, magnitudes(x, in), y_sizes);
        fer_global_average_pooling2d_backward(n, cells, channels, magnitudes(dy, out), dx_sizes);
        ASSERTm(note, near_sums("y", y, take("y", out), cells + 1, y_sizes, out));
        ASSERTm(note, near_sums("dx", dx, take("dx", in), 1, dx_sizes, in));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* ---- Convolutions with all their options, and depthwise ---- */

TEST convolution_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/convolution.npz"));
    while ((o = next_case())) {
        const struct fer_window_options asked = {
            (size_t)o[4], (size_t)o[5], (size_t)o[6], (size_t)o[7], (size_t)o[8], (size_t)o[9], (size_t)o[10], (size_t)o[11],
            FER_EXPLICIT, (size_t)o[12], (size_t)o[13], (size_t)o[14], (size_t)o[15], 0, 0, 0};
        const struct fer_window *g = &window;
        const int depthwise = o[11] == o[3];
        real *x, *kernel, *bias, *dy, *y, *dx, *dkernel, *x_sizes, *kernel_sizes, *dy_sizes, *sizes;
        size_t taps, rows, in, out;
        ASSERT_EQm(error.text, 0, fer_window_fill(&window, (size_t)o[0], (size_t)o[1], (size_t)o[2], (size_t)o[3], &asked, &error));
        in = g->in_c / g->groups, out = g->out_c / g->groups, taps = g->kernel_h * g->kernel_w;
        rows = g->n * g->out_h * g->out_w;
        x_size = g->n * g->in_h * g->in_w * g->in_c, y_size = rows * g->out_c, kernel_size = taps * in * g->out_c;
        x = given("x", x_size), kernel = given("kernel", kernel_size), dy = given("dy", y_size);
        bias = o[16] > 0 ? given("bias", g->out_c) : NULL;
        y = result(y_size), dx = result(x_size), dkernel = result(kernel_size);
        (depthwise ? fer_depthwise_conv2d_forward : fer_conv2d_forward)(g, x, kernel, y);
        if (bias) fer_bias_forward(rows, g->out_c, bias, y);
        (depthwise ? fer_depthwise_conv2d_backward_input : fer_conv2d_backward_input)(g, dy, kernel, dx);
        (depthwise ? fer_depthwise_conv2d_backward_kernel : fer_conv2d_backward_kernel)(g, x, dy, dkernel);
        x_sizes = magnitudes(x, x_size), kernel_sizes = magnitudes(kernel, kernel_size), dy_sizes = magnitudes(dy, y_size);
        sizes = result(y_size);
        plain_conv2d_forward(g, x_sizes, kernel_sizes, sizes);
        if (bias) fer_bias_forward(rows, g->out_c, magnitudes(bias, g->out_c), sizes);
        ASSERTm(note, near_sums("y", y, take("y", y_size), taps * in + 1, sizes, y_size));
        sizes = result(x_size);
        plain_conv2d_backward_input(g, dy_sizes, kernel_sizes, sizes);
        ASSERTm(note, near_sums("dx", dx, take("dx", x_size), taps * out, sizes, x_size));
        sizes = result(kernel_size);
        plain_conv2d_backward_kernel(g, x_sizes, dy_sizes, sizes);
        ASSERTm(note, near_sums("dkernel", dkernel, take("dkernel", kernel_size), rows, sizes, kernel_size));
        if (bias) {
            real *dbias = result(g->out_c);
            fer_bias_backward(rows, g->out_c, dy, dbias);
            fer_bias_backward(rows, g->out_c, dy_sizes, sizes = result(g->out_c));
            ASSERTm(note, near_sums("dbias", dbias, take("dbias", g->out_c), rows, sizes, g->out_c));
        }
    }
    ASSERTm(note, all_was_used());
    PASS();
}

TEST padded_pooling_vectors(void)
{
    static const char *const ties[] = {"dx_first", "dx_last", "dx_all", "dx_split"};
    static const char *const y_average[] = {"y_average0", "y_average1"}, *const dx_average[] = {"dx_average0", "dx_average1"};
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/padded_pooling.npz"));
    while ((o = next_case())) {
        struct fer_window_options asked = {.kernel_h = (size_t)o[4], .kernel_w = (size_t)o[5], .stride_h = (size_t)o[6],
                                             .stride_w = (size_t)o[7], .padding = FER_EXPLICIT, .top = (size_t)o[8],
                                             .bottom = (size_t)o[9], .left = (size_t)o[10], .right = (size_t)o[11],
                                             .pooling = 1, .ceil = (int)o[12]};
        real *x, *dy, *y, *dx, *sizes, *dy_sizes;
        size_t cells;
        int i;
        for (i = 0; i < 2; i++) {
            asked.count_padding = i;
            ASSERT_EQm(error.text, 0, fer_window_fill(&window, (size_t)o[0], (size_t)o[1], (size_t)o[2], (size_t)o[3], &asked,
                                                 &error));
            cells = window.kernel_h * window.kernel_w + 1;
            if (i == 0) {
                x_size = window.n * window.in_h * window.in_w * window.in_c;
                y_size = window.n * window.out_h * window.out_w * window.out_c;
                x = given("x", x_size), dy = given("dy", y_size), y = result(y_size), dx = result(x_size);
                dy_sizes = magnitudes(dy, y_size);
                sizes = result(x_size > y_size ? x_size : y_size);
            }
            fer_average_pooling2d_forward(&window, x, y);
            fer_average_pooling2d_forward(&window, magnitudes(x, x_size), sizes);
            ASSERTm(note, near_sums(y_average[i], y, take(y_average[i], y_size), cells, sizes, y_size));
            fer_average_pooling2d_backward(&window, dy, dx);
            fer_average_pooling2d_backward(&window, dy_sizes, sizes);
            ASSERTm(note, near_sums(dx_average[i], dx, take(dx_average[i], x_size), cells, sizes, x_size));
        }
        fer_max_pooling2d_forward(&window, x, y);
        ASSERTm(note, equal("y", y, take("y_max", y_size), y_size));
        for (i = 0; i < 4; i++) {
            fer_max_pooling2d_backward_ties(&window, (enum fer_ties)i, x, dy, dx);
            fer_max_pooling2d_backward_ties(&window, (enum fer_ties)i, x, dy_sizes, sizes);
            ASSERTm(note, near_sums(ties[i], dx, take(ties[i], x_size), cells, sizes, x_size));
        }
    }
    ASSERTm(note, all_was_used());
    PASS();
}

TEST global_max_pooling2d_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/global_max_pooling2d.npz"));
    while ((o = next_case())) {
        const size_t n = (size_t)o[0], cells = (size_t)o[1], channels = (size_t)o[2];
        const size_t out = n * channels, in = out * cells;
        real *x = given("x", in), *dy = given("dy", out), *y = result(out), *dx = result(in);
        fer_global_max_pooling2d_forward(n, cells, channels, x, y);
        fer_global_max_pooling2d_backward(n, cells, channels, x, dy, dx);
        ASSERTm(note, equal("y", y, take("y", out), out));
        ASSERTm(note, equal("dx", dx, take("dx", in), in));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* ---- BatchNormalization: options rows, channels, and 0 plain, 1 with beta, 2 with gamma and beta ---- */

struct normalisation {
    size_t rows, channels;
    real *x, *dy, *gamma, *beta;
    real *mean, *variance; /* taken by the layer: the batch's, or the moving ones */
    const double *true_mean, *true_variance;
    double *mean_bound, *variance_bound; /* how far the one may be from the other */
};

/* The sizes of a channel's sums over its rows: means of |x|, |dy|, |dy||x - mean|. */
struct sizes {
    double x, dy, dy_x;
};

static struct sizes channel_sizes(const struct normalisation *b, size_t c)
{
    const double rows = (double)b->rows;
    struct sizes s = {0, 0, 0};
    size_t i;
    for (i = c; i < b->rows * b->channels; i += b->channels) {
        s.x += fabs((double)b->x[i]) / rows;
        s.dy += fabs((double)b->dy[i]) / rows;
        s.dy_x += fabs((double)b->dy[i]) * fabs((double)b->x[i] - b->true_mean[c]) / rows;
    }
    return s;
}

/* The mean is a sum of `rows` terms in double, divided, and rounded to real. Around a mean that is off by d, the squares
 * add up to rows * d^2 more; each square has two roundings of its difference and one of its own. */
static void moments_bounds(struct normalisation *b)
{
    const double rows = (double)b->rows;
    size_t c;
    for (c = 0; c < b->channels; c++) {
        const double off = (rows + 2) * unit_double * channel_sizes(b, c).x;
        b->mean_bound[c] = FIRST_ORDER * (2 * unit * fabs(b->true_mean[c]) + off);
        b->variance_bound[c] = FIRST_ORDER * ((2 * unit + (rows + 5) * unit_double) * b->true_variance[c] + off * off);
    }
}

/* y = (x - mean) * scale + beta. The difference: the mean's error, one rounding. scale: half of the variance's relative
 * error, three roundings in double, one to real. Product and sum: one each. */
static int near_y(const struct normalisation *b, const real *y, const double *truth)
{
    const size_t count = b->rows * b->channels;
    double *bound = numbers(count);
    size_t i;
    for (i = 0; i < count; i++) {
        const size_t c = i % b->channels;
        const double square = b->true_variance[c] + 1e-3, scale = fabs(b->gamma ? (double)b->gamma[c] : 1) / sqrt(square);
        const double difference = fabs((double)b->x[i] - b->true_mean[c]);
        bound[i] = FIRST_ORDER *
                   (scale * (b->mean_bound[c] + difference * (b->variance_bound[c] / (2 * square) + 7 * unit)) +
                    2 * unit * fabs(truth[i]));
    }
    return near("y", y, truth, bound, count);
}

/* dx = (dy - average - (x - mean) * slope) * scale, slope = (mean of dy * (x - mean)) / (variance + epsilon). Each term has
 * at most seven roundings to real behind its own factors (differences, products, average, slope and scale as stored, and
 * the two subtractions); besides come the errors of mean and variance, and `rows` roundings in double in the averages. */
static int near_dx(const struct normalisation *b, const real *dx, const double *truth, int training)
{
    const size_t count = b->rows * b->channels;
    const double sums = ((double)b->rows + 4) * unit_double;
    double *bound = numbers(count);
    size_t i;
    for (i = 0; i < count; i++) {
        const size_t c = i % b->channels;
        const struct sizes size = channel_sizes(b, c);
        const double square = b->true_variance[c] + 1e-3, scale = fabs(b->gamma ? (double)b->gamma[c] : 1) / sqrt(square);
        const double relative = b->variance_bound[c] / square, difference = fabs((double)b->x[i] - b->true_mean[c]);
        const double average = training ? size.dy : 0, slope = training ? size.dy_x / square : 0;
        const double slope_error = slope * (relative + sums) + (training ? size.dy * b->mean_bound[c] / square : 0);
        bound[i] = FIRST_ORDER * scale *
                   ((7 * unit + relative / 2) * (fabs((double)b->dy[i]) + average + difference * slope) + sums * average +
                    difference * slope_error + b->mean_bound[c] * slope);
    }
    return near("dx", dx, truth, bound, count);
}

/* dgamma = (sum of dy * (x - mean)) / sqrt(variance + epsilon), dbeta = sum of dy: sums in double, rounded once. */
static int near_parameters(const struct normalisation *b, const real *dgamma, const real *dbeta, const double *true_dgamma,
                           const double *true_dbeta)
{
    const double rows = (double)b->rows, sums = (rows + 6) * unit_double;
    double *gamma_bound = numbers(b->channels), *beta_bound = numbers(b->channels);
    size_t c;
    for (c = 0; c < b->channels; c++) {
        const struct sizes size = channel_sizes(b, c);
        const double square = b->true_variance[c] + 1e-3, relative = b->variance_bound[c] / (2 * square);
        gamma_bound[c] = FIRST_ORDER *
                         (rows / sqrt(square) * (size.dy * b->mean_bound[c] + size.dy_x * (unit + sums + relative)) +
                          2 * unit * fabs(true_dgamma[c]));
        beta_bound[c] = rows * sums * size.dy + 2 * unit * fabs(true_dbeta[c]);
    }
    return near("dgamma", dgamma, true_dgamma, gamma_bound, b->channels) &&
           near("dbeta", dbeta, true_dbeta, beta_bound, b->channels);
}

/* Forward and backward with b's statistics, against the columns whose names end in `suffix`. */
static int normalisation_is_right(const struct normalisation *b, int training, const char *suffix)
{
    const size_t count = b->rows * b->channels, c = b->channels;
    real *y = result(count), *dx = result(count), *dgamma = result(c), *dbeta = result(c);
    const double *truth[4];
    static const char *const names[4] = {"y", "dx", "dgamma", "dbeta"};
    int i;
    for (i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s", names[i], suffix);
        truth[i] = take(name, i < 2 ? count : c);
    }
    fer_batch_normalization_forward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, b->beta, 1e-3, y);
    fer_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, training, b->dy, dx,
                                     dgamma, dbeta);
    return near_y(b, y, truth[0]) && near_dx(b, dx, truth[1], training) &&
           near_parameters(b, dgamma, dbeta, truth[2], truth[3]);
}

/* old * momentum + new * (1 - momentum): the error of what is taken in, and three roundings. */
static int near_moving(const char *name, const real *value, const real *old, const double *taken, const double *taken_bound,
                       double factor, size_t channels)
{
    const double *truth = take(name, channels);
    double *bound = numbers(channels);
    size_t c;
    for (c = 0; c < channels; c++)
        bound[c] = FIRST_ORDER * (4 * unit * (fabs((double)old[c]) * 0.99 + fabs(taken[c]) * factor * 0.01) +
                                  taken_bound[c] * factor * 0.01);
    return near(name, value, truth, bound, channels);
}

static int moving_statistics_are_right(const struct normalisation *b, const real *old_mean, const real *old_variance)
{
    const size_t bytes = b->channels * sizeof(real);
    int unbiased;
    for (unbiased = 0; unbiased < 2; unbiased++) {
        const double factor = unbiased && b->rows > 1 ? (double)b->rows / (double)(b->rows - 1) : 1;
        real *mean = result(b->channels), *variance = result(b->channels);
        memcpy(mean, old_mean, bytes), memcpy(variance, old_variance, bytes);
        fer_moving_statistics(b->rows, b->channels, b->mean, b->variance, 0.99, unbiased, mean, variance);
        if (!near_moving(unbiased ? "new_variance_unbiased" : "new_variance_biased", variance, old_variance,
                         b->true_variance, b->variance_bound, factor, b->channels))
            return 0;
        if (unbiased && !near_moving("new_mean", mean, old_mean, b->true_mean, b->mean_bound, 1, b->channels)) return 0;
    }
    return 1;
}

TEST batch_normalization_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/batch_normalization.npz"));
    while ((o = next_case())) {
        const size_t rows = (size_t)o[0], channels = (size_t)o[1], count = rows * channels;
        real *old_mean = given("moving_mean", channels), *old_variance = given("moving_variance", channels);
        struct normalisation b;
        double *moving_mean = numbers(channels), *moving_variance = numbers(channels);
        size_t c;
        b.rows = rows, b.channels = channels, b.x = given("x", count), b.dy = given("dy", count);
        b.beta = o[2] >= 1 ? given("beta", channels) : NULL, b.gamma = o[2] >= 2 ? given("gamma", channels) : NULL;
        b.mean_bound = numbers(channels), b.variance_bound = numbers(channels);
        b.true_mean = take("mean", channels), b.true_variance = take("variance", channels);
        b.mean = result(channels), b.variance = result(channels);
        fer_batch_moments(rows, b.channels, b.x, b.mean, b.variance);
        moments_bounds(&b);
        ASSERTm(note, near("mean", b.mean, b.true_mean, b.mean_bound, channels));
        ASSERTm(note, near("variance", b.variance, b.true_variance, b.variance_bound, channels));
        ASSERTm(note, normalisation_is_right(&b, 1, ""));
        ASSERTm(note, moving_statistics_are_right(&b, old_mean, old_variance));
        b.mean = old_mean, b.variance = old_variance; /* inference: exact statistics */
        for (c = 0; c < channels; c++) {
            moving_mean[c] = (double)old_mean[c], moving_variance[c] = (double)old_variance[c];
            b.mean_bound[c] = b.variance_bound[c] = 0;
        }
        b.true_mean = moving_mean, b.true_variance = moving_variance;
        ASSERTm(note, normalisation_is_right(&b, 0, "_inference"));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* ---- the small ones ---- */

TEST relu_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/relu.npz"));
    while ((o = next_case())) {
        const size_t count = (size_t)o[0];
        real *x = given("x", count), *dy = given("dy", count), *y = result(count), *dx = result(count);
        fer_relu_forward(count, x, y);
        fer_relu_backward(count, x, dy, dx);
        ASSERTm(note, equal("y", y, take("y", count), count));
        ASSERTm(note, equal("dx", dx, take("dx", count), count));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* ---- Layers without weights ---- */

enum { SIGMOID, TANH, SILU, ELU, HARD_SIGMOID, LEAKY_RELU };

static void activate(int which, size_t count, real slope, real most, const real *x, const real *dy, real *y, real *dx)
{
    static void (*const forward[])(size_t, const real *, real *) = {fer_sigmoid_forward, fer_tanh_forward,
                                                                    fer_silu_forward, fer_elu_forward};
    static void (*const backward[])(size_t, const real *, const real *, real *) = {
        fer_sigmoid_backward, fer_tanh_backward, fer_silu_backward, fer_elu_backward};
    if (which == HARD_SIGMOID) {
        fer_hard_sigmoid_forward(count, slope, x, y);
        fer_hard_sigmoid_backward(count, slope, y, dy, dx);
    } else if (which == LEAKY_RELU) {
        fer_leaky_relu_forward(count, slope, most > 0 ? most : (real)HUGE_VAL, x, y);
        fer_leaky_relu_backward(count, slope, most > 0 ? most : (real)HUGE_VAL, y, dy, dx);
    } else {
        forward[which](count, x, y);
        backward[which](count, which == SILU ? x : y, dy, dx);
    }
}

/* The first four are computed in double, with some 16 roundings there, and rounded once, to nearest: even where they are
 * small. The gradient's factor is made of y, which is off by u |y|, or of x in double. */
static void activation_bounds(int which, double slope, double x, double dy, double y, double dx, double *y_bound,
                              double *dx_bound)
{
    const double u = unit, once = (u + 16 * unit_double) * fabs(y) + DBL_MIN, size = fabs(y), s = 1 / (1 + exp(-fabs(x)));
    *y_bound = once;
    switch (which) {
    case SIGMOID: *dx_bound = fabs(dy) * (4 * u * y * (1 - y) + y * (u + 16 * unit_double) * size); break;
    case TANH: *dx_bound = fabs(dy) * (4 * u * (1 - y * y) + 2 * size * (u + 16 * unit_double) * size); break;
    case SILU: *dx_bound = u * fabs(dx) + 32 * unit_double * fabs(dy) * (1 + fabs(x) * s); break;
    case ELU: *dx_bound = y > 0 ? 0 : fabs(dy) * (2 * u * (1 + y) + (u + 16 * unit_double) * size); break;
    case HARD_SIGMOID:
        *y_bound = 3 * u * (fabs(slope * x) + 0.5);
        *dx_bound = 2 * u * fabs(dx);
        break;
    default:
        *y_bound = y < 0 ? 2 * u * size : 0;
        *dx_bound = y < 0 ? 2 * u * fabs(dx) : 0;
    }
    *dx_bound = FIRST_ORDER * *dx_bound + smallest;
    *y_bound += which == LEAKY_RELU && y >= 0 ? 0 : smallest * unit;
}

/* Options: which, count. */
TEST activation_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/activation.npz"));
    while ((o = next_case())) {
        const size_t count = (size_t)o[1];
        const double *settings = take("settings", 2), *y = take("y", count), *dx = take("dx", count);
        real *x = given("x", count), *dy = given("dy", count), *my_y = result(count), *my_dx = result(count);
        double *y_bound = numbers(count), *dx_bound = numbers(count);
        size_t i;
        activate((int)o[0], count, (real)settings[0], (real)settings[1], x, dy, my_y, my_dx);
        for (i = 0; i < count; i++)
            activation_bounds((int)o[0], settings[0], (double)x[i], (double)dy[i], y[i], dx[i], &y_bound[i], &dx_bound[i]);
        ASSERTm(note, near("y", my_y, y, y_bound, count));
        ASSERTm(note, near("dx", my_dx, dx, dx_bound, count));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* Options: rows, channels. y is computed in double, rounded once; each dx is one of the channels' terms less their sum. */
TEST softmax_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/softmax.npz"));
    while ((o = next_case())) {
        const size_t rows = (size_t)o[0], c = (size_t)o[1], count = rows * c;
        const double *y = take("y", count), *dx = take("dx", count);
        real *x = given("x", count), *dy = given("dy", count), *my_y = result(count), *my_dx = result(count);
        double *y_bound = numbers(count), *dx_bound = numbers(count);
        size_t i, k;
        fer_softmax(rows, c, x, my_y);
        fer_softmax_backward(rows, c, my_y, dy, my_dx);
        for (i = 0; i < count; i++) {
            double sum = 0, most = (double)x[i / c * c];
            for (k = i / c * c; k < (i / c + 1) * c; k++) {
                sum += fabs((double)dy[k] * y[k]);
                if ((double)x[k] > most) most = (double)x[k];
            }
            y_bound[i] = y[i] * (unit + (16 + (double)c + 2 * (most - (double)x[i])) * unit_double) + smallest;
            dx_bound[i] = y[i] * (fabs((double)dy[i]) + sum) * (4 * unit + 2 * (16 + (double)c + 2 * fabs(most)) * unit_double);
            dx_bound[i] = FIRST_ORDER * dx_bound[i] + smallest;
        }
        ASSERTm(note, near("y", my_y, y, y_bound, count));
        ASSERTm(note, near("dx", my_dx, dx, dx_bound, count));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* Add or Multiply, and what they give for absolute values. */
static void merge(int multiplies, size_t n, size_t c, int inputs, const size_t *each, size_t cells, const real *const *x,
                  const real *dy, real *y, real *const *dx)
{
    if (multiplies) {
        fer_multiply_forward(n, c, inputs, each, cells, x, y);
        fer_multiply_backward(n, c, inputs, each, cells, x, dy, dx);
    } else {
        fer_add_forward(n * cells * c, inputs, x, y);
        fer_add_backward(n * cells * c, inputs, dy, dx);
    }
}

/* Options: multiplies, images, cells, channels, the cells of up to three inputs. Sums over cells are in double. */
TEST merge_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/merge.npz"));
    while ((o = next_case())) {
        const size_t n = (size_t)o[1], cells = (size_t)o[2], c = (size_t)o[3], count = n * cells * c;
        const real *x[3], *sizes[3];
        real *dx[3], *dx_sizes[3], *y = result(count), *y_sizes = result(count), *dy = given("dy", count);
        double *bound = numbers(count);
        size_t each[3], i;
        int k, inputs;
        for (inputs = 0; inputs < 3 && o[4 + inputs] > 0; inputs++) {
            const size_t elements = n * (each[inputs] = (size_t)o[4 + inputs]) * c;
            x[inputs] = given("x", elements), sizes[inputs] = magnitudes(x[inputs], elements);
            dx[inputs] = result(elements), dx_sizes[inputs] = result(elements);
        }
        merge(o[0] != 0, n, c, inputs, each, cells, x, dy, y, dx);
        merge(o[0] != 0, n, c, inputs, each, cells, sizes, magnitudes(dy, count), y_sizes, dx_sizes);
        for (i = 0; i < count; i++) bound[i] = FIRST_ORDER * (inputs - 1) * unit * (double)y_sizes[i];
        ASSERTm(note, near("y", y, take("y", count), bound, count));
        for (k = 0; k < inputs; k++) {
            const double one = o[0] == 0 ? 0 : inputs * unit + (double)cells * unit_double;
            for (i = 0; i < n * each[k] * c; i++) bound[i] = FIRST_ORDER * one * (double)dx_sizes[k][i];
            ASSERTm(note, near("dx", dx[k], take("dx", n * each[k] * c), bound, n * each[k] * c));
        }
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* Options: n, h, w, c, top, bottom, left, right. Cropping2D is the same the other way round. */
TEST edges_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/edges.npz"));
    while ((o = next_case())) {
        const size_t n = (size_t)o[0], h = (size_t)o[1], w = (size_t)o[2], c = (size_t)o[3];
        const size_t edge[4] = {(size_t)o[4], (size_t)o[5], (size_t)o[6], (size_t)o[7]};
        const size_t small = n * h * w * c, large = n * (h + edge[0] + edge[1]) * (w + edge[2] + edge[3]) * c;
        real *x = given("x", small), *dy = given("dy", large), *y = result(large), *dx = result(small);
        fer_zero_padding2d_forward(n, h, w, c, edge, x, y);
        fer_cropping2d_forward(n, h, w, c, edge, dy, dx);
        ASSERTm(note, equal("y", y, take("y", large), large));
        ASSERTm(note, equal("dx", dx, take("dx", small), small));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* Options: Rescaling (0) or Normalization (1), rows, channels. */
TEST constants_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/constants.npz"));
    while ((o = next_case())) {
        const size_t rows = (size_t)o[1], c = (size_t)o[2], count = rows * c;
        real *x = given("x", count), *dy = given("dy", count), *y = result(count), *dx = result(count);
        real *first = given("first", c), *second = given("second", c);
        const double *true_y = take("y", count), *true_dx = take("dx", count);
        double *y_bound = numbers(count), *dx_bound = numbers(count);
        size_t i;
        if (o[0] == 0) {
            fer_rescaling_forward(rows, c, first, second, x, y);
            fer_rescaling_backward(rows, c, first, dy, dx);
        } else {
            fer_normalization_forward(rows, c, first, second, x, y);
            fer_normalization_backward(rows, c, second, dy, dx);
        }
        for (i = 0; i < count; i++) { /* a product and a sum; a difference, a root and a quotient */
            const double terms = fabs((double)x[i] * (double)first[i % c]) + fabs((double)second[i % c]);
            y_bound[i] = FIRST_ORDER * (o[0] == 0 ? 2 * unit * terms : 4 * unit * fabs(true_y[i]));
            dx_bound[i] = FIRST_ORDER * 3 * unit * fabs(true_dx[i]);
        }
        ASSERTm(note, near("y", y, true_y, y_bound, count));
        ASSERTm(note, near("dx", dx, true_dx, dx_bound, count));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* Options rows, and the channels of up to four inputs. */
TEST concatenate_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/concatenate.npz"));
    while ((o = next_case())) {
        const size_t rows = (size_t)o[0];
        const real *x[4];
        real *dx[4], *y;
        size_t channels[4], total = 0;
        int i, inputs;
        for (inputs = 0; inputs < 4 && o[1 + inputs] > 0; inputs++) {
            total += channels[inputs] = (size_t)o[1 + inputs];
            x[inputs] = given("x", rows * channels[inputs]), dx[inputs] = result(rows * channels[inputs]);
        }
        y = result(rows * total);
        fer_concatenate_forward(rows, inputs, channels, x, y);
        fer_concatenate_backward(rows, inputs, channels, given("dy", rows * total), dx);
        ASSERTm(note, equal("y", y, take("y", rows * total), rows * total));
        for (i = 0; i < inputs; i++)
            ASSERTm(note, equal("dx", dx[i], take("dx", rows * channels[i]), rows * channels[i]));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* Options n, in, out, whether there is a bias. */
TEST dense_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/dense.npz"));
    while ((o = next_case())) {
        const size_t n = (size_t)o[0], in = (size_t)o[1], out = (size_t)o[2];
        const size_t xs = n * in, ys = n * out, ks = in * out, bs = out;
        real *x = given("x", xs), *kernel = given("kernel", ks), *dy = given("dy", ys),
             *bias = o[3] > 0 ? given("bias", bs) : NULL;
        real *y = result(ys), *dx = result(xs), *dkernel = result(ks), *dbias = result(bs);
        real *y_sizes = result(ys), *dx_sizes = result(xs), *dkernel_sizes = result(ks), *dbias_sizes = result(bs);
        real *dy_abs = magnitudes(dy, ys), *x_abs = magnitudes(x, xs), *kernel_abs = magnitudes(kernel, ks);
        fer_dense_forward(n, in, out, x, kernel, bias, y);
        fer_dense_backward_input(n, in, out, dy, kernel, dx);
        fer_dense_backward_kernel(n, in, out, x, dy, dkernel);
        fer_dense_backward_bias(n, out, dy, dbias);
        fer_dense_forward(n, in, out, x_abs, kernel_abs, bias ? magnitudes(bias, bs) : NULL, y_sizes);
        fer_dense_backward_input(n, in, out, dy_abs, kernel_abs, dx_sizes);
        fer_dense_backward_kernel(n, in, out, x_abs, dy_abs, dkernel_sizes);
        fer_dense_backward_bias(n, out, dy_abs, dbias_sizes);
        ASSERTm(note, near_sums("y", y, take("y", ys), in + 1, y_sizes, ys));
        ASSERTm(note, near_sums("dx", dx, take("dx", xs), out, dx_sizes, xs));
        ASSERTm(note, near_sums("dkernel", dkernel, take("dkernel", ks), n, dkernel_sizes, ks));
        ASSERTm(note, near_sums("dbias", dbias, take("dbias", bs), n, dbias_sizes, bs));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* Options n, classes. A logit less the largest one is rounded in double (an exponent below -750 is as good as -750: its exp
 * is 0), and that error is the relative error of its exp; exp itself, the sum over the classes and the division add theirs.
 * Loss and dlogits are differences of such numbers; the results are rounded to real, which below the smallest normal number
 * is an absolute error. */
static void softmax_bounds(size_t classes, const real *z, const double *p, double loss, int label, double *p_bound,
                           double *loss_bound, double *d_bound)
{
    double largest = (double)z[0], spread = 0, relative;
    const double terms = (double)classes;
    size_t k;
    for (k = 0; k < classes; k++) largest = (double)z[k] > largest ? (double)z[k] : largest;
    for (k = 0; k < classes; k++) spread += p[k] * fmin(largest - (double)z[k], 750);
    for (k = 0; k < classes; k++) {
        relative = unit_double * (fmin(largest - (double)z[k], 750) + spread + terms + 8);
        p_bound[k] = FIRST_ORDER * p[k] * (2 * unit + relative) + smallest * unit;
        d_bound[k] = FIRST_ORDER * (p[k] * relative + 2 * unit_double + 2 * unit * fabs(p[k] - (k == (size_t)label))) +
                     smallest * unit;
    }
    *loss_bound = FIRST_ORDER * unit_double * (2 * (largest - (double)z[label]) + 2 * loss + spread + terms + 8);
}

TEST softmax_cross_entropy_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/softmax_cross_entropy.npz"));
    while ((o = next_case())) {
        const size_t n = (size_t)o[0], classes = (size_t)o[1], count = n * classes;
        real *logits = given("logits", count), *p = result(count), *dlogits = result(count);
        const double *label = take("labels", n), *true_p = take("probabilities", count),
                     *true_loss = take("losses", n);
        const double *true_d = take("dlogits", count);
        double *p_bound = numbers(count), *d_bound = numbers(count), *losses = numbers(n), loss_bound, sum,
               true_sum = 0, sum_bound = 0;
        size_t i, k;
        int labels[16];
        ASSERT(n <= 16);
        for (i = 0; i < n; i++) labels[i] = (int)label[i];
        fer_softmax(n, classes, logits, p);
        sum = fer_cross_entropy(n, classes, logits, labels, losses, dlogits);
        for (i = 0; i < n; i++) {
            softmax_bounds(classes, logits + i * classes, true_p + i * classes, true_loss[i], labels[i],
                           p_bound + i * classes, &loss_bound, d_bound + i * classes);
            if (!(fabs(losses[i] - true_loss[i]) <= loss_bound))
                fault("losses", i, losses[i], true_loss[i], loss_bound);
            ASSERTm(note, fabs(losses[i] - true_loss[i]) <= loss_bound);
            true_sum += true_loss[i], sum_bound += loss_bound + (double)n * unit_double * fabs(true_loss[i]);
            for (k = 0; k < classes; k++) d_bound[i * classes + k] /= (double)n;
        }
        ASSERTm(note, near("probabilities", p, true_p, p_bound, count));
        ASSERTm(note, near("dlogits", dlogits, true_d, d_bound, count));
        ASSERT(fabs(sum - true_sum) <= sum_bound);
    }
    ASSERTm(note, all_was_used());
    PASS();
}

/* What one parameter's m, v and value may be off by, before and after a step. */
struct adam_error {
    double m, v, parameter;
};

/* One step. m and v take in what they lack, times 1 - beta: four roundings of that, one of the sum; the errors that they
 * have shrink, so that keeping them whole is safe. The move is m * rate / (sqrt(v) + epsilon): the relative errors of m, of
 * rate (powers and differences in double: what 1 - beta^t cancels), half that of v, and five roundings. */
static void adam_error_grows(struct adam_error *e, const double *rates, long t, double g, double m, double v,
                             double parameter)
{
    const double take_m = 1 - rates[1], take_v = 1 - rates[2], left_m = 1 - pow(rates[1], (double)t),
                 left_v = 1 - pow(rates[2], (double)t);
    const double root = sqrt(v), rate = rates[0] * sqrt(left_v) / left_m;
    const double relative = (8 / left_m + 4 / left_v) * unit_double + 5 * unit;
    e->m += unit * (fabs(m) + 4 * take_m * (fabs(g) + fabs(m)));
    e->v += unit * (v + 4 * take_v * (2 * g * g + v));
    if (v > 0)
        e->parameter += rate / (root + rates[3]) * (e->m + fabs(m) * (relative + e->v / (2 * root * (root + rates[3]))));
    e->parameter += unit * fabs(parameter);
}

/* Options steps, parameters; rates are learning rate, beta1, beta2, epsilon. */
TEST adam_vectors(void)
{
    const double *o;
    ASSERT_EQm(error.text, 0, open_vectors("../../../tests/vectors/adam.npz"));
    while ((o = next_case())) {
        const size_t count = (size_t)o[1];
        const double *rates = take("rates", 4);
        const struct fer_adam adam = {rates[0], rates[1], rates[2], rates[3]};
        real *parameter = given("parameter", count), *m = result(count), *v = result(count);
        struct adam_error off[64];
        double *bound = numbers(count);
        size_t i;
        long t;
        ASSERT(count <= 64);
        memset(off, 0, sizeof off);
        for (i = 0; i < count; i++) m[i] = v[i] = 0;
        for (t = 1; t <= (long)o[0]; t++) {
            const real *g = given("gradients", count);
            fer_adam_step(&adam, t, count, parameter, g, m, v);
            for (i = 0; i < count; i++) {
                adam_error_grows(&off[i], rates, t, (double)g[i], (double)m[i], (double)v[i], (double)parameter[i]);
                bound[i] = FIRST_ORDER * 2 * off[i].parameter;
            }
            ASSERTm(note, near("parameter", parameter, take("new_parameters", count), bound, count));
        }
        for (i = 0; i < count; i++) bound[i] = FIRST_ORDER * 2 * off[i].m;
        ASSERTm(note, near("m", m, take("m", count), bound, count));
        for (i = 0; i < count; i++) bound[i] = FIRST_ORDER * 2 * off[i].v;
        ASSERTm(note, near("v", v, take("v", count), bound, count));
    }
    ASSERTm(note, all_was_used());
    PASS();
}

SUITE(suite_vectors)
{
    SET_TEARDOWN(close_vectors, NULL);
    RUN_TEST(conv2d_vectors);
    RUN_TEST(convolution_vectors);
    RUN_TEST(padded_pooling_vectors);
    RUN_TEST(global_max_pooling2d_vectors);
    RUN_TEST(batch_normalization_vectors);
    RUN_TEST(relu_vectors);
    RUN_TEST(activation_vectors);
    RUN_TEST(softmax_vectors);
    RUN_TEST(merge_vectors);
    RUN_TEST(edges_vectors);
    RUN_TEST(constants_vectors);
    RUN_TEST(max_pooling2d_vectors);
    RUN_TEST(average_pooling2d_vectors);
    RUN_TEST(global_average_pooling2d_vectors);
    RUN_TEST(concatenate_vectors);
    RUN_TEST(dense_vectors);
    RUN_TEST(softmax_cross_entropy_vectors);
    RUN_TEST(adam_vectors);
    SET_TEARDOWN(NULL, NULL);
}
