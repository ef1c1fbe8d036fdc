/* test_op.c - `fer op` on files: results by hand, or from the layer's functions called directly; and every complaint. */
#include "greatest.h"

#include "../fer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN "op_in.npz"
#define OUT "op_out.npz"

static struct fer_error error;
static struct fer_op_result result;

/* ---- files ---- */

static struct fer_npz_writer *writer;

static int begin_input(void)
{
    remove(OUT);
    return fer_npz_create(&writer, IN, &error);
}

static int give(const char *name, int dims, const size_t *shape, const real *values)
{
    return fer_npz_write(writer, name, FER_REAL_TYPE, dims, shape, values, &error);
}

/* A file of one array. */
static int give_only(const char *name, int dims, const size_t *shape, const real *values)
{
    return begin_input() || give(name, dims, shape, values) || fer_npz_commit(writer, &error);
}

enum { MOST = 4000 };

static void draw(const char *name, size_t count, real *values)
{
    const uint64_t seed = fer_crc32(0, name, strlen(name));
    size_t i;
    for (i = 0; i < count; i++) values[i] = (real)(2 * fer_uniform(seed, FER_FOR_CHECKS, 0, i) - 1);
}

/* A file of random arrays: "x 1,4,4,2; kernel 3,3,2,8". A shape "-" is that of a scalar. */
static int make(const char *spec)
{
    static real values[MOST];
    char name[20];
    if (begin_input()) return -1;
    while (*spec) {
        size_t shape[FER_MAX_DIMS], count = 1;
        int dims = 0, length = (int)strcspn(spec, " ");
        snprintf(name, sizeof name, "%.*s", length, spec);
        for (spec += length + 1; *spec && *spec != ';'; spec += *spec == ',' || *spec == '-') {
            if (*spec == '-') continue;
            count *= shape[dims++] = strtoul(spec, (char **)&spec, 10);
        }
        spec += *spec == ';' ? 2 : 0;
        draw(name, count, values);
        if (count > MOST || give(name, dims, shape, values)) return -1;
    }
    return fer_npz_commit(writer, &error);
}

/* Runs an operation on IN, with "strides 2,2 padding same" as options. */
static int run(const char *name, const char *options)
{
    static char word[18][60];
    struct fer_op_option option[9];
    int words = 0, i;
    while (*options) {
        const size_t length = strcspn(options, " ");
        memcpy(word[words], options, length);
        word[words++][length] = 0;
        options += length + (options[length] == ' ');
    }
    for (i = 0; i < words / 2; i++) option[i].name = word[2 * i], option[i].text = word[2 * i + 1];
    return fer_op(name, IN, OUT, option, words / 2, &result, &error);
}

/* The values of an array that has the shape "2,3"; NULL: it has not. They stay through the next fifteen calls. */
static const real *values_of(const char *path, const char *name, const char *shape)
{
    static real memory[16][MOST];
    static int next;
    char is[100] = "";
    struct fer_npz *npz;
    const struct fer_array *a;
    real *values = NULL;
    int i, at = 0;
    if (fer_npz_open(&npz, path, &error)) return NULL;
    a = fer_npz_find(npz, name);
    for (i = 0; a && i < a->dims; i++)
        at += snprintf(is + at, sizeof is - (size_t)at, i ? ",%lu" : "%lu", (unsigned long)a->shape[i]);
    if (a && strcmp(is, shape) == 0 && a->count <= MOST && a->type == FER_REAL_TYPE) {
        values = memory[next++ % 16];
        if (fer_npz_read(npz, a, values, &error)) values = NULL;
    }
    fer_npz_close(npz);
    return values;
}

static int equal(const real *a, const real *b, size_t count)
{
    size_t i;
    if (!a || !b) return 0;
    for (i = 0; i < count; i++)
        if (!(a[i] == b[i] || (a[i] != a[i] && b[i] != b[i]))) return 0;
    return 1;
}

/* Whether a result has this shape and these values. */
static int is(const char *name, const char *shape, const real *expected, size_t count)
{
    return equal(values_of(OUT, name, shape), expected, count);
}

static int nearly(const char *name, const char *shape, const double *expected, size_t count)
{
    const real *got = values_of(OUT, name, shape);
    size_t i;
    for (i = 0; got && i < count; i++)
        if (!(fabs((double)got[i] - expected[i]) <=
              4 * (sizeof(real) == 4 ? FLT_EPSILON : DBL_EPSILON) * fabs(expected[i])))
            return 0;
    return got != NULL;
}

/* The names in OUT, in order. */
static const char *names_of_results(void)
{
    static char names[200];
    struct fer_npz *npz;
    size_t i, at = 0;
    names[0] = 0;
    if (fer_npz_open(&npz, OUT, &error)) return "";
    for (i = 0; i < fer_npz_count(npz); i++)
        at += (size_t)snprintf(names + at, sizeof names - at, i ? " %s" : "%s", fer_npz_at(npz, i)->name);
    fer_npz_close(npz);
    return names;
}

#define ASSERT_RUN(name, options) ASSERT_EQm(error.text, 0, run(name, options))

/* ---- convolution ---- */

TEST conv2d_by_hand(void)
{
    static const real x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, kernel[4] = {1, 2, 3, 4}, dy[4] = {1, 1, 1, 1};
    static const real y[4] = {37, 47, 67, 77}, dx[9] = {1, 3, 2, 4, 10, 6, 3, 7, 4}, dkernel[4] = {12, 16, 24, 28};
    static const size_t nine[4] = {1, 3, 3, 1}, four[4] = {1, 2, 2, 1}, window[4] = {2, 2, 1, 1};
    ASSERT(!begin_input() && !give("x", 4, nine, x) && !give("kernel", 4, window, kernel) && !give("dy", 4, four, dy) &&
           !fer_npz_commit(writer, &error));
    ASSERT_RUN("conv2d", "");
    ASSERT_STR_EQ("y dx dkernel", names_of_results());
    ASSERT(is("y", "1,2,2,1", y, 4));
    ASSERT(is("dx", "1,3,3,1", dx, 9));
    ASSERT(is("dkernel", "2,2,1,1", dkernel, 4));
    ASSERT_EQ_FMT((size_t)3, result.written, "%zu");
    ASSERT_EQ_FMT((size_t)0, result.ignored, "%zu");
    PASS();
}

/* Every option, against the layer's functions. */
TEST conv2d_takes_strides_and_padding(void)
{
    static real y[MOST], dx[MOST], dkernel[MOST];
    const real *x, *kernel, *dy;
    struct fer_window g;
    ASSERT_EQ(0, make("x 2,7,6,3; kernel 3,2,3,5; dy 2,4,6,5"));
    ASSERT_RUN("conv2d", "strides 2,1 padding same");
    x = values_of(IN, "x", "2,7,6,3"), kernel = values_of(IN, "kernel", "3,2,3,5"), dy = values_of(IN, "dy", "2,4,6,5");
    ASSERT_EQ(0, fer_window_set(&g, 2, 7, 6, 3, 5, 3, 2, 2, 1, FER_SAME, &error));
    fer_conv2d_forward(&g, x, kernel, y);
    fer_conv2d_backward_input(&g, dy, kernel, dx);
    fer_conv2d_backward_kernel(&g, x, dy, dkernel);
    ASSERT(is("y", "2,4,6,5", y, 240));
    ASSERT(is("dx", "2,7,6,3", dx, 252));
    ASSERT(is("dkernel", "3,2,3,5", dkernel, 90));
    /* one number stands for both; without dy no gradients */
    ASSERT_EQ(0, make("x 2,7,6,3; kernel 3,2,3,5"));
    ASSERT_RUN("conv2d", "strides 2");
    ASSERT_STR_EQ("y", names_of_results());
    ASSERT(values_of(OUT, "y", "2,3,3,5"));
    PASS();
}

/* ---- batch normalisation ---- */

TEST batch_normalization_by_hand(void)
{
    static const real x[4] = {1, 2, 3, 6}, dy[4] = {0, 1, 0, 3}, gamma = 2, beta = 5, start_mean = 8,
                      start_variance = 4;
    static const size_t shape[2] = {4, 1}, one = 1;
    /* mean 3, variance 3.5; with epsilon 0.5 the deviation is 2; xhat = -1, -0.5, 0, 1.5 */
    static const real y[4] = {3, 4, 5, 8}, mean = 3, variance = 3.5;
    static const real moving_mean = 8 * 0.5 + 3 * 0.5, biased = 4 * 0.5 + 3.5 * 0.5, dgamma = 4, dbeta = 4;
    static const double unbiased = 4 * 0.5 + 3.5 * 4 / 3 * 0.5;
    /* scale 1; dy - 4/4 - (x - mean) * (8/4/4): dy*(x-mean) sums up to -1 + 9 = 8 */
    static const real dx[4] = {0 - 1 + 1, 1 - 1 + 0.5, 0 - 1, 3 - 1 - 1.5};
    ASSERT(!begin_input() && !give("x", 2, shape, x) && !give("dy", 2, shape, dy) && !give("gamma", 1, &one, &gamma) &&
           !give("beta", 1, &one, &beta) && !give("moving_mean", 1, &one, &start_mean) &&
           !give("moving_variance", 1, &one, &start_variance) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("batch_normalization", "epsilon 0.5 momentum 0.5");
    ASSERT_STR_EQ("y mean variance moving_mean moving_variance dx dgamma dbeta", names_of_results());
    ASSERT(is("y", "4,1", y, 4) && is("mean", "1", &mean, 1) && is("variance", "1", &variance, 1));
    ASSERT(is("moving_mean", "1", &moving_mean, 1) && nearly("moving_variance", "1", &unbiased, 1));
    ASSERT(is("dx", "4,1", dx, 4) && is("dgamma", "1", &dgamma, 1) && is("dbeta", "1", &dbeta, 1));
    ASSERT_RUN("batch_normalization", "epsilon 0.5 momentum 0.5 moving-variance biased");
    ASSERT(is("moving_variance", "1", &biased, 1));
    PASS();
}

TEST batch_normalization_at_inference(void)
{
    static const real x[4] = {1, 2, 3, 6}, dy[4] = {0, 1, 0, 3}, start_mean = 2, start_variance = 4;
    static const size_t shape[3] = {2, 2, 1}, one = 1;
    static const real y[4] = {-0.5, 0, 0.5, 2}, dx[4] = {0, 0.5, 0, 1.5};
    ASSERT(!begin_input() && !give("x", 3, shape, x) && !give("dy", 3, shape, dy) &&
           !give("moving_mean", 1, &one, &start_mean) && !give("moving_variance", 1, &one, &start_variance) &&
           !fer_npz_commit(writer, &error));
    ASSERT_RUN("batch_normalization", "epsilon 0 training 0");
    ASSERT_STR_EQ("y mean variance moving_mean moving_variance dx", names_of_results());
    ASSERT(is("y", "2,2,1", y, 4) && is("mean", "1", &start_mean, 1) && is("variance", "1", &start_variance, 1));
    ASSERT(is("moving_mean", "1", &start_mean, 1) && is("moving_variance", "1", &start_variance, 1) &&
           is("dx", "2,2,1", dx, 4));
    PASS();
}

/* What is not given is: gamma 1, beta 0, moving mean 0, moving variance 1, momentum 0.99, epsilon 0.001. */
TEST batch_normalization_defaults(void)
{
    static real y[MOST], dx[MOST];
    real mean[5], variance[5], moving_mean[5] = {0}, moving_variance[5] = {1, 1, 1, 1, 1}, dbeta[5];
    const real *x, *dy, *beta;
    ASSERT_EQ(0, make("x 3,4,2,5; beta 5; dy 3,4,2,5"));
    ASSERT_RUN("batch_normalization", "");
    ASSERT_STR_EQ("y mean variance moving_mean moving_variance dx dbeta", names_of_results());
    x = values_of(IN, "x", "3,4,2,5"), dy = values_of(IN, "dy", "3,4,2,5"), beta = values_of(IN, "beta", "5");
    fer_batch_moments(24, 5, x, mean, variance);
    fer_batch_normalization_forward(24, 5, x, mean, variance, NULL, beta, 0.001, y);
    fer_batch_normalization_backward(24, 5, x, mean, variance, NULL, 0.001, 1, dy, dx, NULL, dbeta);
    fer_moving_statistics(24, 5, mean, variance, 0.99, 1, moving_mean, moving_variance);
    ASSERT(is("y", "3,4,2,5", y, 120) && is("mean", "5", mean, 5) && is("variance", "5", variance, 5));
    ASSERT(is("moving_mean", "5", moving_mean, 5) && is("moving_variance", "5", moving_variance, 5));
    ASSERT(is("dx", "3,4,2,5", dx, 120) && is("dbeta", "5", dbeta, 5));
    ASSERT_RUN("batch_normalization", "training 0");
    ASSERT(is("mean", "5", (const real[5]){0}, 5) && is("variance", "5", (const real[5]){1, 1, 1, 1, 1}, 5));
    ASSERT_EQ(0, make("x 3,4,2,5; gamma 5; dy 3,4,2,5"));
    ASSERT_RUN("batch_normalization", "");
    ASSERT_STR_EQ("y mean variance moving_mean moving_variance dx dgamma", names_of_results());
    PASS();
}

/* ---- ReLU and pooling ---- */

TEST activations_by_hand(void)
{
    const real inf = (real)INFINITY, x[4] = {(real)NAN, inf, -inf, 0}, dy[4] = {1, 1, 1, 1};
    static const char *const names[] = {"sigmoid", "tanh", "silu", "elu", "hard_sigmoid"};
    const real y[5][4] = {{(real)NAN, 1, 0, (real)0.5}, {(real)NAN, 1, -1, 0}, {(real)NAN, inf, 0, 0},
                          {(real)NAN, inf, -1, 0}, {(real)NAN, 1, 0, (real)0.5}};
    const real dx[5][4] = {{(real)NAN, 0, 0, (real)0.25}, {(real)NAN, 0, 0, 1}, {(real)NAN, 1, 0, (real)0.5},
                           {(real)NAN, 1, 0, 1}, {(real)(1.0 / 6), 0, 0, (real)(1.0 / 6)}};
    const size_t shape[2] = {2, 2};
    int i;
    for (i = 0; i < 5; i++) {
        ASSERT(!begin_input() && !give("x", 2, shape, x) && !give("dy", 2, shape, dy) && !fer_npz_commit(writer, &error));
        ASSERT_RUN(names[i], "");
        ASSERT_STR_EQ("y dx", names_of_results());
        ASSERTm(names[i], is("y", "2,2", y[i], 4) && is("dx", "2,2", dx[i], 4));
    }
    PASS();
}

TEST merging_by_hand(void)
{
    const real x0[4] = {1, 2, 3, 4}, x1[2] = {10, 100}, dy[4] = {1, 1, 2, 3};
    const real product[4] = {10, 200, 30, 400}, sum[4] = {2, 4, 6, 8}, dx0[4] = {10, 100, 20, 300}, dx1[2] = {7, 14};
    const size_t shape[4] = {1, 1, 2, 2}, one[4] = {1, 1, 1, 2};
    ASSERT(!begin_input() && !give("x0", 4, shape, x0) && !give("x1", 4, one, x1) && !give("dy", 4, shape, dy) &&
           !fer_npz_commit(writer, &error));
    ASSERT_RUN("multiply", "");
    ASSERT_STR_EQ("y dx0 dx1", names_of_results());
    ASSERT(is("y", "1,1,2,2", product, 4) && is("dx0", "1,1,2,2", dx0, 4) && is("dx1", "1,1,1,2", dx1, 2));
    ASSERT(!begin_input() && !give("x0", 4, shape, x0) && !give("x1", 4, shape, x0) && !give("dy", 4, shape, dy) &&
           !fer_npz_commit(writer, &error));
    ASSERT_RUN("add", "");
    ASSERT(is("y", "1,1,2,2", sum, 4) && is("dx0", "1,1,2,2", dy, 4) && is("dx1", "1,1,2,2", dy, 4));
    PASS();
}

TEST relu_by_hand(void)
{
    const real x[5] = {-1, 0, 2, (real)NAN, (real)-INFINITY}, dy[5] = {1, 2, 3, 4, 5};
    const real y[5] = {0, 0, 2, (real)NAN, 0}, dx[5] = {0, 0, 3, 4, 0};
    const size_t shape[3] = {5, 1, 1};
    const real scalar = 7;
    ASSERT(!begin_input() && !give("x", 3, shape, x) && !give("dy", 3, shape, dy) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("relu", "");
    ASSERT_STR_EQ("y dx", names_of_results());
    ASSERT(is("y", "5,1,1", y, 5) && is("dx", "5,1,1", dx, 5));
    ASSERT_EQ(0, give_only("x", 0, NULL, &scalar));
    ASSERT_RUN("relu", "");
    ASSERT(is("y", "", &scalar, 1));
    PASS();
}

TEST relu_options(void)
{
    const real x[7] = {-4, -(real)0.0, 0, 2, 6, 9, (real)NAN}, dy[7] = {1, 2, 3, 4, 5, 6, 7};
    const real y[7] = {-1, 0, 0, 2, 6, 6, (real)NAN}, dx[7] = {0.25, 0.5, 0.75, 4, 0, 0, 7};
    const real right[7] = {0.25, 2, 3, 4, 0, 0, 7}, plain[7] = {0, 2, 3, 4, 5, 6, 7};
    const size_t shape = 7;
    ASSERT(!begin_input() && !give("x", 1, &shape, x) && !give("dy", 1, &shape, dy) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("relu", "max-value 6 negative-slope 0.25");
    ASSERT(is("y", "7", y, 7) && is("dx", "7", dx, 7));
    ASSERT_RUN("relu", "max-value 6 negative-slope 0.25 at-zero 1");
    ASSERT(is("y", "7", y, 7) && is("dx", "7", right, 7));
    ASSERT_RUN("relu", "at-zero 1");
    ASSERT(is("dx", "7", plain, 7));
    PASS();
}

TEST pooling_by_hand(void)
{
    static const real x[16] = {1, 2, 5, 6, 3, 4, 7, 8, 9, 9, 13, 14, 9, 9, 15, 16}, dy[4] = {4, 8, 12, 16};
    static const real largest[4] = {4, 8, 9, 16}, average[4] = {2.5, 6.5, 9, 14.5};
    static const real dx_max[16] = {0, 0, 0, 0, 0, 4, 0, 8, 12, 0, 0, 0, 0, 0, 0, 16};
    static const real dx_average[16] = {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
    static const size_t image[4] = {1, 4, 4, 1}, quarter[4] = {1, 2, 2, 1};
    ASSERT(!begin_input() && !give("x", 4, image, x) && !give("dy", 4, quarter, dy) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("max_pooling2d", "");
    ASSERT_STR_EQ("y dx", names_of_results());
    ASSERT(is("y", "1,2,2,1", largest, 4) && is("dx", "1,4,4,1", dx_max, 16));
    ASSERT_RUN("average_pooling2d", "");
    ASSERT_STR_EQ("y dx", names_of_results());
    ASSERT(is("y", "1,2,2,1", average, 4) && is("dx", "1,4,4,1", dx_average, 16));
    PASS();
}

TEST pooling_takes_strides_and_padding(void)
{
    static real y[MOST], dx[MOST];
    const real *x, *dy;
    struct fer_window g;
    ASSERT_EQ(0, make("x 2,7,8,3; dy 2,4,8,3"));
    x = values_of(IN, "x", "2,7,8,3"), dy = values_of(IN, "dy", "2,4,8,3");
    ASSERT_EQ(0, fer_window_set(&g, 2, 7, 8, 3, 3, 3, 2, 2, 1, FER_SAME, &error));
    ASSERT_RUN("max_pooling2d", "pool 3,2 strides 2,1 padding same");
    fer_max_pooling2d_forward(&g, x, y);
    fer_max_pooling2d_backward(&g, x, dy, dx);
    ASSERT(is("y", "2,4,8,3", y, 192) && is("dx", "2,7,8,3", dx, 336));
    ASSERT_RUN("average_pooling2d", "pool 3,2 strides 2,1 padding same");
    fer_average_pooling2d_forward(&g, x, y);
    fer_average_pooling2d_backward(&g, dy, dx);
    ASSERT(is("y", "2,4,8,3", y, 192) && is("dx", "2,7,8,3", dx, 336));
    /* strides are the pool's when they are not given */
    ASSERT_EQ(0, make("x 2,7,8,3"));
    ASSERT_RUN("max_pooling2d", "pool 3,2");
    ASSERT(values_of(OUT, "y", "2,2,4,3"));
    ASSERT_RUN("average_pooling2d", "pool 3");
    ASSERT(values_of(OUT, "y", "2,2,2,3"));
    PASS();
}

TEST global_average_pooling_by_hand(void)
{
    static const real x[8] = {1, 10, 2, 20, 3, 30, 6, 60}, dy[2] = {4, 8}, y[2] = {3, 30},
                      dx[8] = {1, 2, 1, 2, 1, 2, 1, 2};
    static const size_t image[4] = {1, 2, 2, 2}, flat[2] = {1, 2};
    ASSERT(!begin_input() && !give("x", 4, image, x) && !give("dy", 2, flat, dy) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("global_average_pooling2d", "");
    ASSERT_STR_EQ("y dx", names_of_results());
    ASSERT(is("y", "1,2", y, 2) && is("dx", "1,2,2,2", dx, 8));
    PASS();
}

/* ---- the others ---- */

TEST concatenate_by_hand(void)
{
    static const real x0[2] = {1, 2}, x1[4] = {3, 4, 5, 6}, dy[6] = {10, 20, 30, 40, 50, 60};
    static const real y[6] = {1, 3, 4, 2, 5, 6}, dx0[2] = {10, 40}, dx1[4] = {20, 30, 50, 60};
    static const size_t one[3] = {2, 1, 1}, two[3] = {2, 1, 2}, three[3] = {2, 1, 3};
    ASSERT(!begin_input() && !give("x1", 3, two, x1) && !give("dy", 3, three, dy) && !give("x0", 3, one, x0) &&
           !give("x02", 3, one, x0) && !give("xx", 3, one, x0) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("concatenate", "");
    ASSERT_STR_EQ("y dx0 dx1", names_of_results());
    ASSERT(is("y", "2,1,3", y, 6) && is("dx0", "2,1,1", dx0, 2) && is("dx1", "2,1,2", dx1, 4));
    ASSERT_EQ_FMT((size_t)2, result.ignored, "%zu");
    ASSERT_EQ(0, make("x0 3; x1 4; x2 5; x3 6; x4 7; x5 8; x6 9; x7 1; x8 2; x9 3; x10 4; dy 52"));
    ASSERT_RUN("concatenate", "");
    ASSERT_STR_EQ("y dx0 dx1 dx2 dx3 dx4 dx5 dx6 dx7 dx8 dx9 dx10", names_of_results());
    ASSERT(equal(values_of(OUT, "dx10", "4"), values_of(IN, "dy", "52") + 48, 4));
    PASS();
}

TEST dense_by_hand(void)
{
    static const real x[4] = {1, 2, 3, 4}, kernel[6] = {1, 2, 3, 4, 5, 6}, bias[3] = {10, 20, 30},
                      dy[6] = {1, 0, 2, 0, 1, 0};
    static const real y[6] = {19, 32, 45, 29, 46, 63}, dx[4] = {7, 16, 2, 5}, dkernel[6] = {1, 3, 2, 2, 4, 4},
                      dbias[3] = {1, 1, 2};
    static const size_t two[2] = {2, 2}, out[2] = {2, 3}, three = 3;
    ASSERT(!begin_input() && !give("x", 2, two, x) && !give("kernel", 2, out, kernel) &&
           !give("bias", 1, &three, bias) && !give("dy", 2, out, dy) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("dense", "");
    ASSERT_STR_EQ("y dx dkernel dbias", names_of_results());
    ASSERT(is("y", "2,3", y, 6) && is("dx", "2,2", dx, 4) && is("dkernel", "2,3", dkernel, 6) &&
           is("dbias", "3", dbias, 3));
    ASSERT_EQ(0, make("x 4,5; kernel 5,6; dy 4,6"));
    ASSERT_RUN("dense", "");
    ASSERT_STR_EQ("y dx dkernel", names_of_results());
    PASS();
}

/* Logits whose exponentials are 1, 2, 1 and 1, 1, 6. */
static int give_logits(enum fer_type type, int dims, const size_t *shape, const void *labels)
{
    const double logits[6] = {0, log(2), 0, 1, 1, 1 + log(6)};
    static const size_t logits_shape[2] = {2, 3};
    real rounded[6];
    int i;
    for (i = 0; i < 6; i++) rounded[i] = (real)logits[i];
    return begin_input() || give("logits", 2, logits_shape, rounded) ||
           fer_npz_write(writer, "labels", type, dims, shape, labels, &error) || fer_npz_commit(writer, &error);
}

TEST softmax_cross_entropy_by_hand(void)
{
    static const double p[6] = {0.25, 0.5, 0.25, 0.125, 0.125, 0.75},
                        dlogits[6] = {0.125, -0.25, 0.125, 0.0625, 0.0625, -0.125};
    static const size_t two = 2, square[2] = {2, 3};
    static const int8_t narrow[2] = {1, 2};
    static const uint64_t wide[2] = {1, 2};
    static const float floats[2] = {1, 2};
    static const int32_t one_hot[6] = {0, 1, 0, 0, 0, 1};
    const double loss = (log(2) + log(4.0 / 3)) / 2;
    const struct {
        enum fer_type type;
        int dims;
        const void *labels;
    } forms[4] = {{FER_I1, 1, narrow}, {FER_U8, 1, wide}, {FER_F4, 1, floats}, {FER_I4, 2, one_hot}};
    int i;
    for (i = 0; i < 4; i++) {
        ASSERT_EQ(0, give_logits(forms[i].type, forms[i].dims, forms[i].dims == 1 ? &two : square, forms[i].labels));
        ASSERT_RUN("softmax_cross_entropy", "");
        ASSERT_STR_EQ("probabilities loss dlogits", names_of_results());
        ASSERT(nearly("probabilities", "2,3", p, 6) && nearly("loss", "", &loss, 1) &&
               nearly("dlogits", "2,3", dlogits, 6));
    }
    PASS();
}

/* Probabilities in place of labels; smoothing by 0.3 takes 0.3 of each row and gives every class 0.1. */
TEST soft_labels_by_hand(void)
{
    static const double soft[6] = {0.5, 0.25, 0.25, 0, 0.5, 0.5}, p[6] = {0.25, 0.5, 0.25, 0.125, 0.125, 0.75};
    static const size_t square[2] = {2, 3}, two = 2;
    static const int8_t label[2] = {1, 2};
    static const double smooth[6] = {0.1, 0.8, 0.1, 0.1, 0.1, 0.8};
    double loss = 0, smooth_loss = 0, dlogits[6], smooth_dlogits[6];
    int i;
    for (i = 0; i < 6; i++) {
        loss -= soft[i] * log(p[i]) / 2;
        smooth_loss -= smooth[i] * log(p[i]) / 2;
        dlogits[i] = (p[i] - soft[i]) / 2;
        smooth_dlogits[i] = (p[i] - smooth[i]) / 2;
    }
    ASSERT_EQ(0, give_logits(FER_F8, 2, square, soft));
    ASSERT_RUN("softmax_cross_entropy", "");
    ASSERT(nearly("loss", "", &loss, 1) && nearly("probabilities", "2,3", p, 6));
    for (i = 0; i < 6; i++)
        ASSERT(fabs((double)values_of(OUT, "dlogits", "2,3")[i] - dlogits[i]) < 4 * (sizeof(real) == 4 ? 1e-7 : 1e-15));
    ASSERT_EQ(0, give_logits(FER_I1, 1, &two, label));
    ASSERT_RUN("softmax_cross_entropy", "label-smoothing 0.3");
    ASSERT(nearly("loss", "", &smooth_loss, 1));
    for (i = 0; i < 6; i++)
        ASSERT(fabs((double)values_of(OUT, "dlogits", "2,3")[i] - smooth_dlogits[i]) <
               4 * (sizeof(real) == 4 ? 1e-7 : 1e-15));
    PASS();
}

/* m and v as in adam_by_hand: m = 3, -1; v = 4, 4. */
TEST adam_forms_by_hand(void)
{
    static const real parameter[2] = {1, -2}, gradient[2] = {4, -2}, m0[2] = {2, 0}, v0[2] = {0, 4};
    static const size_t two = 2;
    const double root = sqrt(1 - 0.5625), rate = 0.5 / 0.75;
    double expected[2];
    ASSERT(!begin_input() && !give("parameter", 1, &two, parameter) && !give("gradient", 1, &two, gradient) &&
           !give("m", 1, &two, m0) && !give("v", 1, &two, v0) && !fer_npz_commit(writer, &error));
    expected[0] = 1 - 3 * rate / (2 / root + 2), expected[1] = -2 + rate / (2 / root + 2);
    ASSERT_RUN("adam", "step 2 learning-rate 0.5 beta1 0.5 beta2 0.75 epsilon 2 form pytorch");
    ASSERT(nearly("parameter", "2", expected, 2));
    expected[0] = 1 - 3 * 0.5 / 4, expected[1] = -2 + 0.5 / 4;
    ASSERT_RUN("adam", "step 2 learning-rate 0.5 beta1 0.5 beta2 0.75 epsilon 2 form uncorrected");
    ASSERT(nearly("parameter", "2", expected, 2));
    expected[0] = 0.75 - 3 * 0.5 / 4, expected[1] = -1.5 + 0.5 / 4;
    ASSERT_RUN("adam", "step 2 learning-rate 0.5 beta1 0.5 beta2 0.75 epsilon 2 form uncorrected weight-decay 0.5");
    ASSERT(nearly("parameter", "2", expected, 2));
    PASS();
}

TEST adam_by_hand(void)
{
    static const real parameter[2] = {1, -2}, gradient[2] = {4, -2}, m0[2] = {2, 0}, v0[2] = {0, 4};
    static const real m[2] = {3, -1}, v[2] = {4, 4};
    static const size_t two = 2;
    /* take half of each: m = (m + g)/2; v = v + (g^2 - v)/4; lr_t = 0.5 * sqrt(1 - 0.75^2) / (1 - 0.5^2) */
    const double rate = 0.5 * sqrt(1 - 0.5625) / 0.75;
    double expected[2];
    expected[0] = 1 - 3 * rate / 4, expected[1] = -2 + rate / 4;
    ASSERT(!begin_input() && !give("parameter", 1, &two, parameter) && !give("gradient", 1, &two, gradient) &&
           !give("m", 1, &two, m0) && !give("v", 1, &two, v0) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("adam", "step 2 learning-rate 0.5 beta1 0.5 beta2 0.75 epsilon 2");
    ASSERT_STR_EQ("parameter m v", names_of_results());
    ASSERT(is("m", "2", m, 2) && is("v", "2", v, 2) && nearly("parameter", "2", expected, 2));
    PASS();
}

TEST adam_defaults(void)
{
    static const struct fer_adam adam = {0.001, 0.9, 0.999, 1e-7};
    real parameter[12], m[12] = {0}, v[12] = {0};
    ASSERT_EQ(0, make("parameter 3,1,4; gradient 3,1,4"));
    ASSERT_RUN("adam", "");
    memcpy(parameter, values_of(IN, "parameter", "3,1,4"), sizeof parameter);
    fer_adam_step(&adam, 1, 12, parameter, values_of(IN, "gradient", "3,1,4"), m, v);
    ASSERT(is("parameter", "3,1,4", parameter, 12) && is("m", "3,1,4", m, 12) && is("v", "3,1,4", v, 12));
    PASS();
}

/* ---- files ---- */

TEST a_lone_npy_file_is_x(void)
{
    const char *path = "op_x.npy";
    static const real y[3] = {1, 0, 3};
    unsigned char bytes[128 + 3] = "\x93NUMPY\1\0\x76\0{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }";
    FILE *file = fopen(path, "wb");
    size_t i;
    ASSERT(file);
    for (i = 10 + strlen((char *)bytes + 10); i < 127; i++) bytes[i] = ' ';
    bytes[127] = '\n', bytes[128] = 1, bytes[129] = 254, bytes[130] = 3;
    fwrite(bytes, 1, sizeof bytes, file);
    fclose(file);
    ASSERT_EQm(error.text, 0, fer_op("relu", path, OUT, NULL, 0, &result, &error));
    ASSERT(is("y", "3", y, 3));
    ASSERT_EQ(-1, fer_op("max_pooling2d", path, OUT, NULL, 0, &result, &error));
    ASSERT_STR_EQ("op_x.npy: shape [3]: expected 4 dimensions, [N,H,W,C]", error.text);
    ASSERT_EQ(-1, fer_op("adam", path, OUT, NULL, 0, &result, &error));
    ASSERT_STR_EQ("op_x.npy: no array parameter: adam needs it", error.text);
    remove(path);
    PASS();
}

TEST the_output_never_replaces_the_input(void)
{
    ASSERT_EQ(0, make("x 4; other 5; another 6"));
    ASSERT_EQ(-1, fer_op("relu", IN, IN, NULL, 0, &result, &error));
    ASSERT_STR_EQ(IN ": is an input too; expected another file for the output", error.text);
    ASSERT_EQm(error.text, 0, fer_op("relu", IN, OUT, NULL, 0, &result, &error));
    ASSERT_EQ_FMT((size_t)2, result.ignored, "%zu");
    ASSERT(values_of(OUT, "y", "4"));
    PASS();
}

/* ---- layouts and names ---- */

/* Writes the transposed arrays of IN beside them, as [N,C,H,W], [O,I,H,W] and [O,I], and leaves those in IN. */
static int transpose_input(const char *names, const char *const *shapes)
{
    static real from[4][MOST], to[4][MOST];
    size_t shape[4][4];
    char name[4][20];
    int i, dims[4], count = 0;
    for (; sscanf(names, "%19s", name[count]) == 1; count++) {
        size_t s[4] = {1, 1, 1, 1}, k[4];
        const real *values = values_of(IN, name[count], shapes[count]);
        if (!values) return -1;
        dims[count] = sscanf(shapes[count], "%zu,%zu,%zu,%zu", &s[0], &s[1], &s[2], &s[3]);
        memcpy(from[count], values, s[0] * s[1] * s[2] * s[3] * sizeof(real));
        for (k[0] = 0; k[0] < s[0]; k[0]++)
            for (k[1] = 0; k[1] < s[1]; k[1]++)
                for (k[2] = 0; k[2] < s[2]; k[2]++)
                    for (k[3] = 0; k[3] < s[3]; k[3]++) {
                        const size_t here = ((k[0] * s[1] + k[1]) * s[2] + k[2]) * s[3] + k[3];
                        const size_t there = dims[count] == 1 ? here
                                             : strcmp(name[count], "kernel") == 0
                                                 ? ((k[3] * s[2] + k[2]) * s[0] + k[0]) * s[1] + k[1]
                                                 : ((k[0] * s[3] + k[3]) * s[1] + k[1]) * s[2] + k[2];
                        to[count][there] = from[count][here];
                    }
        if (dims[count] == 1)
            shape[count][0] = s[0];
        else if (strcmp(name[count], "kernel") == 0)
            shape[count][0] = s[3], shape[count][1] = s[2], shape[count][2] = s[0], shape[count][3] = s[1];
        else
            shape[count][0] = s[0], shape[count][1] = s[3], shape[count][2] = s[1], shape[count][3] = s[2];
        names += strcspn(names, " ");
        names += strspn(names, " ");
    }
    if (begin_input()) return -1;
    for (i = 0; i < count; i++)
        if (give(name[i], dims[i], shape[i], to[i])) return -1;
    return fer_npz_commit(writer, &error);
}

/* y, dx and dkernel of NCHW arrays are those of NHWC ones, transposed. */
TEST nchw_is_nhwc_transposed(void)
{
    static const char *const shapes[] = {"2,5,4,3", "2,3,3,4", "4", "2,4,2,4"};
    real y[64], dx[120], dkernel[72], dbias[4];
    size_t n, h, w, c, kh, kw;
    ASSERT_EQ(0, make("x 2,5,4,3; kernel 2,3,3,4; bias 4; dy 2,4,2,4"));
    ASSERT_RUN("conv2d", "");
    memcpy(y, values_of(OUT, "y", "2,4,2,4"), sizeof y);
    memcpy(dx, values_of(OUT, "dx", "2,5,4,3"), sizeof dx);
    memcpy(dkernel, values_of(OUT, "dkernel", "2,3,3,4"), sizeof dkernel);
    memcpy(dbias, values_of(OUT, "dbias", "4"), sizeof dbias);
    ASSERT_EQ(0, transpose_input("x kernel bias dy", shapes));
    ASSERT_RUN("conv2d", "layout nchw");
    ASSERT_STR_EQ("y dx dkernel dbias", names_of_results());
    ASSERT(is("dbias", "4", dbias, 4));
    {
        const real *yt = values_of(OUT, "y", "2,4,4,2"), *dxt = values_of(OUT, "dx", "2,3,5,4"),
                   *dkt = values_of(OUT, "dkernel", "4,3,2,3");
        ASSERT(yt && dxt && dkt);
        for (n = 0; n < 2; n++)
            for (h = 0; h < 4; h++)
                for (w = 0; w < 2; w++)
                    for (c = 0; c < 4; c++)
                        ASSERT(y[((n * 4 + h) * 2 + w) * 4 + c] == yt[((n * 4 + c) * 4 + h) * 2 + w]);
        for (n = 0; n < 2; n++)
            for (h = 0; h < 5; h++)
                for (w = 0; w < 4; w++)
                    for (c = 0; c < 3; c++)
                        ASSERT(dx[((n * 5 + h) * 4 + w) * 3 + c] == dxt[((n * 3 + c) * 5 + h) * 4 + w]);
        for (kh = 0; kh < 2; kh++)
            for (kw = 0; kw < 3; kw++)
                for (n = 0; n < 3; n++)
                    for (c = 0; c < 4; c++)
                        ASSERT(dkernel[((kh * 3 + kw) * 3 + n) * 4 + c] == dkt[((c * 3 + n) * 2 + kh) * 3 + kw]);
    }
    PASS();
}

TEST nchw_concerns_channels_alone(void)
{
    static const real x[6] = {1, 10, 2, 20, 3, 60}, mean[2] = {2, 30}, x0[2] = {1, 2}, x1[4] = {3, 4, 5, 6},
                      both[6] = {1, 2, 3, 4, 5, 6}, kernel[6] = {1, 3, 5, 2, 4, 6}, y[2] = {22, 28};
    static const real by_channel[6] = {1, 2, 3, 10, 20, 60};
    static const size_t nhwc[3] = {1, 3, 2}, nchw[3] = {1, 2, 3}, one[3] = {1, 1, 2}, two[3] = {1, 2, 2},
                        turned[2] = {2, 3}, row[2] = {1, 3};
    ASSERT_EQ(0, give_only("x", 3, nhwc, x));
    ASSERT_RUN("batch_normalization", "");
    ASSERT(is("mean", "2", mean, 2));
    ASSERT_EQ(0, give_only("x", 3, nchw, by_channel));
    ASSERT_RUN("batch_normalization", "layout nchw");
    ASSERT(is("mean", "2", mean, 2) && values_of(OUT, "y", "1,2,3"));
    ASSERT(!begin_input() && !give("x0", 3, one, x0) && !give("x1", 3, two, x1) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("concatenate", "layout nchw");
    ASSERT(is("y", "1,3,2", both, 6));
    ASSERT(!begin_input() && !give("x", 2, row, both) && !give("kernel", 2, turned, kernel) &&
           !fer_npz_commit(writer, &error));
    ASSERT_RUN("dense", "layout nchw"); /* [O,I]: rows 1 3 5 and 2 4 6 */
    ASSERT(is("y", "1,2", y, 2));
    PASS();
}

/* A course's own numbers fit both layouts, and nothing says which was meant. */
TEST shapes_that_fit_both_layouts(void)
{
    ASSERT_EQ(0, make("x 2,3,4,4; kernel 3,3,4,4"));
    ASSERT_RUN("conv2d", "");
    ASSERT_STR_EQ("the shapes fit both layouts: taken as NHWC, kernels as HWIO; --layout nchw takes NCHW and OIHW",
                  result.note);
    ASSERT_RUN("conv2d", "layout nhwc");
    ASSERT_STR_EQ("", result.note);
    ASSERT_EQ(0, make("x 2,3,4,4; kernel 3,3,4,4; dy 2,1,2,4")); /* dy decides */
    ASSERT_RUN("conv2d", "");
    ASSERT_STR_EQ("", result.note);
    ASSERT_EQ(0, make("x 2,3,3,3; gamma 3"));
    ASSERT_RUN("batch_normalization", "");
    ASSERT(*result.note);
    ASSERT_EQ(0, make("x 3,3,3,3"));
    ASSERT_RUN("max_pooling2d", "");
    ASSERT_STR_EQ("", result.note);
    PASS();
}

TEST unused_arrays_are_named(void)
{
    ASSERT_EQ(0, make("x 4; a 1; b 1; dy 4; c 1"));
    ASSERT_RUN("relu", "");
    ASSERT_STR_EQ("a, b, c", result.unused);
    ASSERT_EQ_FMT((size_t)3, result.ignored, "%zu");
    ASSERT_EQ(0, make("a 1; b 1; c 1; d 1; e 1; f 1; g 1; h 1; i 1; j 1; k 1; x 4"));
    ASSERT_RUN("relu", "");
    ASSERT_STR_EQ("a, b, c, d, e, f, g, h, i, j, ...", result.unused);
    ASSERT_EQ_FMT((size_t)11, result.ignored, "%zu");
    ASSERT_EQ(0, make("x 4"));
    ASSERT_RUN("relu", "");
    ASSERT_STR_EQ("", result.unused);
    PASS();
}

/* ---- somebody else's results ---- */

#ifdef FER_DOUBLE
#define THEIRS "op_theirs.npz"

/* Every result in OUT into THEIRS, rounded to float32; of array number `spoilt` one element is off by a thousandth of
 * the largest. */
static int answer(int spoilt)
{
    struct fer_npz_writer *theirs;
    struct fer_npz *npz;
    int i, failed = 0;
    if (fer_npz_open(&npz, OUT, &error) || fer_npz_create(&theirs, THEIRS, &error)) return -1;
    for (i = 0; i < (int)fer_npz_count(npz); i++) {
        const struct fer_array *a = fer_npz_at(npz, (size_t)i);
        static double values[MOST];
        static float rounded[MOST];
        double most = 0;
        size_t k;
        failed |= fer_npz_read_double(npz, a, values, &error);
        for (k = 0; k < a->count; k++) most = fabs(values[k]) > most ? fabs(values[k]) : most;
        if (i == spoilt) values[a->count / 2] += most / 1000;
        for (k = 0; k < a->count; k++) rounded[k] = (float)values[k];
        failed |= fer_npz_write(theirs, a->name, FER_F4, a->dims, a->shape, rounded, &error);
    }
    fer_npz_close(npz);
    return failed | fer_npz_commit(theirs, &error);
}

static int judge(const char *name, const char *options, const char *theirs, struct fer_verify_summary *summary)
{
    static char word[18][60];
    struct fer_op_option option[9];
    int words = 0, i;
    while (*options) {
        const size_t length = strcspn(options, " ");
        memcpy(word[words], options, length);
        word[words++][length] = 0;
        options += length + (options[length] == ' ');
    }
    for (i = 0; i < words / 2; i++) option[i].name = word[2 * i], option[i].text = word[2 * i + 1];
    return fer_op_verify(name, IN, theirs, option, words / 2, FER_UNIT_F32, FER_UNIT_F32, NULL, NULL, summary, &error);
}

/* What float32 makes of the results is ok, whichever operation; one element that is off is WRONG, and its array named. */
TEST results_are_judged(void)
{
    static const struct {
        const char *name, *arrays, *options;
    } cases[] = {
        {"conv2d", "x 2,7,6,3; kernel 3,2,3,5; bias 5; dy 2,4,6,5", "strides 2,1 padding same"},
        {"conv2d", "x 2,4,7,6; kernel 6,2,3,2; dy 2,6,5,5", "layout nchw groups 2"},
        {"depthwise_conv2d", "x 2,7,6,3; kernel 3,2,3,2; bias 6; dy 2,5,5,6", ""},
        {"depthwise_conv2d", "x 2,3,7,6; kernel 6,1,3,2; dy 2,6,5,5", "layout nchw"},
        {"batch_normalization", "x 5,3,2,4; gamma 4; beta 4; moving_mean 4; dy 5,3,2,4", "momentum 0.75"},
        {"batch_normalization", "x 5,4,6; gamma 4; beta 4; moving_mean 4; dy 5,4,6", "layout nchw training 0"},
        {"relu", "x 5,4,6; dy 5,4,6", ""},
        {"relu", "x 5,4,6; dy 5,4,6", "negative-slope 0.3 max-value 0.5"},
        {"max_pooling2d", "x 2,7,6,3; dy 2,3,3,3", ""},
        {"max_pooling2d", "x 2,7,6,3; dy 2,3,2,3", "pool 3,3 strides 2,2 ties split"},
        {"average_pooling2d", "x 2,7,6,3; dy 2,4,3,3", "padding same"},
        {"global_average_pooling2d", "x 2,7,6,3; dy 2,3", ""},
        {"global_max_pooling2d", "x 2,7,6,3; dy 2,3", ""},
        {"concatenate", "x0 3,2; x1 3,4; dy 3,6", ""},
        {"dense", "x 4,5; kernel 5,6; bias 6; dy 4,6", ""},
        {"sigmoid", "x 3,9; dy 3,9", ""},
        {"tanh", "x 3,9; dy 3,9", ""},
        {"silu", "x 3,9; dy 3,9", ""},
        {"elu", "x 3,9; dy 3,9", ""},
        {"hard_sigmoid", "x 3,9; dy 3,9", ""},
        {"softmax", "x 3,9; dy 3,9", ""},
        {"softmax", "x 2,5,3,4; dy 2,5,3,4", "layout nchw"},
        {"rescaling", "x 3,9; scale 9; offset 9; dy 3,9", ""},
        {"normalization", "x 3,9; mean 9; dy 3,9", ""},
        {"dropout", "x 30,9; dy 30,9", ""},
        {"zero_padding2d", "x 2,3,4,2; dy 2,6,5,2", "padding 1,2,0,1"},
        {"add", "x0 3,9; x1 3,9; x2 3,9; dy 3,9", ""},
        {"multiply", "x0 2,4,3,5; x1 2,1,1,5; dy 2,4,3,5", ""},
        {"adam", "parameter 30; gradient 30", "step 7 form pytorch weight-decay 0.1"},
    };
    struct fer_verify_summary summary;
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        int k;
        ASSERT_EQ(0, make(cases[i].arrays));
        ASSERT_RUN(cases[i].name, cases[i].options);
        for (k = -1; k < (int)result.written; k++) {
            struct fer_npz *npz;
            ASSERT_EQm(error.text, 0, answer(k));
            ASSERT_EQm(error.text, 0, judge(cases[i].name, cases[i].options, THEIRS, &summary));
            if (k < 0) {
                ASSERT_STR_EQ("", summary.first);
                ASSERT_EQ_FMT(result.written, summary.rows[FER_OK] + summary.rows[FER_MISTRUSTED], "%zu");
                continue;
            }
            ASSERT_EQ(0, fer_npz_open(&npz, THEIRS, &error));
            ASSERT_STR_EQm(cases[i].arrays, fer_npz_at(npz, (size_t)k)->name, summary.first_wrong);
            ASSERT_EQ_FMT((size_t)1, summary.rows[FER_WRONG], "%zu");
            fer_npz_close(npz);
        }
    }
    remove(THEIRS);
    PASS();
}

TEST own_results_beside_the_arguments(void)
{
    static const real x[4] = {-1, 2, 3, -4}, y[4] = {0, 2, 3, 0}, dy[4] = {1, 2, 3, 4}, dx[4] = {0, 2, 3, 4};
    static const size_t four = 4;
    struct fer_verify_summary summary;
    ASSERT(!begin_input() && !give("x", 1, &four, x) && !give("y", 1, &four, y) && !give("dy", 1, &four, dy) &&
           !give("dx", 1, &four, dx) && !give("z", 1, &four, dx) && !fer_npz_commit(writer, &error));
    ASSERT_RUN("relu", "");
    ASSERT_EQ_FMT((size_t)2, result.own, "%zu");
    ASSERT_STR_EQ("z", result.unused);
    ASSERT_EQ(0, judge("relu", "", IN, &summary));
    ASSERT_EQ_FMT((size_t)1, summary.rows[FER_OK], "%zu");
    ASSERT_STR_EQ("dx", summary.first_wrong);
    ASSERT_STR_EQ("1 of 4, element 3 alone", summary.first_pattern);
    ASSERT_STR_EQ("it should be 0", summary.first_reason);
    ASSERT_EQ_FMT((size_t)1, summary.ignored, "%zu");
    ASSERT_EQ(0, make("x 4; dy 4"));
    ASSERT_EQ(-1, judge("relu", "", IN, &summary));
    ASSERT_STR_EQ(IN ": holds no result of relu: expected y, dx, ..., as op writes them", error.text);
    ASSERT_EQ(0, make("x 4; y 2,2"));
    ASSERT_EQ(-1, judge("relu", "", IN, &summary));
    ASSERT_STR_EQ(IN ": y: shape [2,2]: expected [4]", error.text);
    PASS();
}
#endif

/* ---- complaints ---- */

TEST bad_calls_are_refused(void)
{
    static const struct {
        const char *arrays, *name, *options, *message;
    } cases[] = {
        {"x 4", "relu", "pool 2,2", "--pool: not an option of relu, which has --max-value, --negative-slope, --at-zero, --layout"},
        {"x 4", "conv2d", "pool 2,2", "--pool: not an option of conv2d, which has --strides, --padding, --dilation, --groups, --layout"},
        {"y 4", "relu", "", IN ": no array x: relu needs it"},
        {"x 1,4,4,2", "conv2d", "", IN ": no array kernel: conv2d needs it"},
        {"x 4,4,2; kernel 3,3,2,8", "conv2d", "", IN ": x: shape [4,4,2]: expected 4 dimensions, [N,H,W,C]"},
        {"x 1,4,4,3; kernel 3,3,4,8", "conv2d", "",
         IN ": kernel: shape [3,3,4,8]: expected 3 input channels, as x has"},
        {"x 1,4,2,3; kernel 3,3,3,8", "conv2d", "",
         IN ": x: shape [1,4,2,3]: an input 2 wide does not hold a window of 3 without padding"},
        {"x 1,4,4,3; kernel 3,3,3,8; dy 1,2,2,7", "conv2d", "",
         IN ": dy: shape [1,2,2,7]: expected [1,2,2,8], as y has"},
        {"x 1,4,4,3; kernel 3,3,3,8; bias 3", "conv2d", "", IN ": bias: shape [3]: expected [8]"},
        {"x 2,3,4,4; kernel 3,3,4,4; bias 3", "conv2d", "",
         IN ": bias: shape [3]: expected [4]; the shapes fit --layout nchw"},
        {"x 2,8,8,3; kernel 3,3,3,4", "conv2d", "layout nchw",
         IN ": kernel: shape [3,3,3,4]: expected 8 input channels, as x has; the shapes fit --layout nhwc"},
        {"x 2,3,8,8; dy 2,3,4,4", "max_pooling2d", "",
         IN ": dy: shape [2,3,4,4]: expected [2,1,4,8], as y has; the shapes fit --layout nchw"},
        {"x 2,3,8,8; dy 2,3,4,5", "max_pooling2d", "layout nchw",
         IN ": dy: shape [2,3,4,5]: expected [2,3,4,4], as y has"},
        {"x 4,5,1; kernel 5,7", "dense", "layout nchw", IN ": kernel: shape [5,7]: expected 5 inputs, as x has"},
        {"x 4,5; kernel 5,7,1", "dense", "layout nchw", IN ": kernel: shape [5,7,1]: expected 2 dimensions, [O,I]"},
        {"x 4", "relu", "layout chw", "--layout chw: expected nhwc|nchw"},
        {"x 4", "batch_normalization", "layout nchw",
         IN ": x: shape [4]: expected two or more dimensions, the second one the channels"},
        {"x 1,4,4,3; weight 3,3,3,8", "conv2d", "", IN ": weight: conv2d has no array of this name: expected kernel"},
        {"x 1,4,4,3; W 3,3,3,8", "conv2d", "", IN ": W: conv2d has no array of this name: expected kernel"},
        {"x 1,4,4,3; kernel 3,3,3,8; b 8", "conv2d", "", IN ": b: conv2d has no array of this name: expected bias"},
        {"X 4", "relu", "", IN ": X: relu has no array of this name: expected x"},
        {"x 4; dout 4", "relu", "", IN ": dout: relu has no array of this name: expected dy"},
        {"x 5,2; weight 2", "batch_normalization", "",
         IN ": weight: batch_normalization has no array of this name: expected gamma"},
        {"x 5,2; bias 2", "batch_normalization", "",
         IN ": bias: batch_normalization has no array of this name: expected beta"},
        {"x 5,2; running_mean 2", "batch_normalization", "",
         IN ": running_mean: batch_normalization has no array of this name: expected moving_mean"},
        {"x 5,2; running_var 2", "batch_normalization", "",
         IN ": running_var: batch_normalization has no array of this name: expected moving_variance"},
        {"x 5,2; y 5", "softmax_cross_entropy", "",
         IN ": x: softmax_cross_entropy has no array of this name: expected logits"},
        {"logits 5,2; y 5", "softmax_cross_entropy", "",
         IN ": y: softmax_cross_entropy has no array of this name: expected labels"},
        {"param 5; grad 5", "adam", "", IN ": param: adam has no array of this name: expected parameter"},
        {"parameter 5; gradient 5; exp_avg_sq 5", "adam", "",
         IN ": exp_avg_sq: adam has no array of this name: expected v"},
        {"x 1,0,4,3; kernel 3,3,3,8", "conv2d", "", IN ": x: shape [1,0,4,3]: expected at least one value"},
        {"x 1,4,4,3; kernel 3,3,3,8", "conv2d", "strides 0,1", "--strides 0,1: expected H,W, two whole numbers from 1"},
        {"x 1,4,4,3; kernel 3,3,3,8", "conv2d", "strides 1,2,3",
         "--strides 1,2,3: expected H,W, two whole numbers from 1"},
        {"x 1,4,4,3; kernel 3,3,3,8", "conv2d", "strides 1,", "--strides 1,: expected H,W, two whole numbers from 1"},
        {"x 1,4,4,3; kernel 3,3,3,8", "conv2d", "strides 99999999999",
         "--strides 99999999999: expected H,W, two whole numbers from 1"},
        {"x 1,4,4,3; kernel 3,3,3,8", "conv2d", "padding full", "--padding full: expected same|same_lower|valid|T,B,L,R, whole numbers of cells"},
        {"x 1,4,4,3", "max_pooling2d", "pool 5,2",
         IN ": x: shape [1,4,4,3]: an input 4 high does not hold a window of 5 without padding"},
        {"x 1,4,4,3; dy 1,2,2,2", "average_pooling2d", "", IN ": dy: shape [1,2,2,2]: expected [1,2,2,3], as y has"},
        {"x 4,3", "global_average_pooling2d", "", IN ": x: shape [4,3]: expected 4 dimensions, [N,H,W,C]"},
        {"x 2,4,4,3; dy 3,2", "global_average_pooling2d", "", IN ": dy: shape [3,2]: expected [2,3], as y has"},
        {"x 2,3; dy 3,2", "relu", "", IN ": dy: shape [3,2]: expected [2,3], as x has"},
        {"x 5", "batch_normalization", "",
         IN ": x: shape [5]: expected two or more dimensions, the last one the channels"},
        {"x -", "batch_normalization", "",
         IN ": x: shape []: expected two or more dimensions, the last one the channels"},
        {"x 5,2; gamma 3", "batch_normalization", "", IN ": gamma: shape [3]: expected [2]"},
        {"x 5,2; beta 1,2", "batch_normalization", "", IN ": beta: shape [1,2]: expected [2]"},
        {"x 5,2; moving_mean 5", "batch_normalization", "", IN ": moving_mean: shape [5]: expected [2]"},
        {"x 5,2; moving_variance 1", "batch_normalization", "", IN ": moving_variance: shape [1]: expected [2]"},
        {"x 5,2; dy 2,5", "batch_normalization", "", IN ": dy: shape [2,5]: expected [5,2], as x has"},
        {"x 5,2", "batch_normalization", "training 2", "--training 2: expected 0|1"},
        {"x 5,2", "batch_normalization", "epsilon -1", "--epsilon -1: expected a number, 0 ... 1000000"},
        {"x 5,2", "batch_normalization", "momentum nan", "--momentum nan: expected a number, 0 ... 1"},
        {"x 5,2", "batch_normalization", "momentum 0.9x", "--momentum 0.9x: expected a number, 0 ... 1"},
        {"x 5,2", "batch_normalization", "moving-variance bessel",
         "--moving-variance bessel: expected unbiased|biased"},
        {"y 5,2", "concatenate", "", IN ": no array x0: concatenate needs it"},
        {"x0 5,2; x2 5,2", "concatenate", "", IN ": no array x1: concatenate needs it"},
        {"x0 5,2; x99999999 5,2", "concatenate", "", IN ": no array x1: concatenate needs it"},
        {"x0 5,2; x1 4,2", "concatenate", "",
         IN ": x1: shape [4,2]: expected the shape of x0, but for the channels"},
        {"x0 5,2; x1 5,2,1", "concatenate", "", IN ": x1: shape [5,2,1]: expected 2 dimensions, as x0 has"},
        {"x0 -", "concatenate", "", IN ": x0: shape []: expected one or more dimensions"},
        {"x0 5,2; x1 5,1; dy 5,4", "concatenate", "", IN ": dy: shape [5,4]: expected [5,3], as y has"},
        {"x1 5,2", "add", "", IN ": no array x0: add needs it"},
        {"x0 5,2; x1 5,3", "add", "", IN ": x0: shape [5,2]: expected the shape of x1"},
        {"x0 2,1,1,3; x1 2,4,5,3", "add", "", IN ": x0: shape [2,1,1,3]: expected the shape of x1"},
        {"x0 2,1,1,4; x1 2,4,5,3", "multiply", "", IN ": x0: shape [2,1,1,4]: expected the shape of x1, or one cell for all of its"},
        {"x 1,4,4,3", "zero_padding2d", "padding 1,1", "--padding 1,1: expected T,B,L,R, whole numbers of cells"},
        {"x 1,4,4,3; dy 1,4,4,3", "zero_padding2d", "", IN ": dy: shape [1,4,4,3]: expected [1,6,6,3], as y has"},
        {"x 1,4,4,3", "cropping2d", "cropping 2,2,0,0",
         IN ": x: shape [1,4,4,3]: nothing would be left of it: expected to crop less"},
        {"x 4", "dropout", "rate 1", "--rate 1: expected a number, 0 ... below 1"},
        {"x 4", "dropout", "seed 0.5", "--seed 0.5: expected a whole number"},
        {"x 4,3", "spatial_dropout2d", "", IN ": x: shape [4,3]: expected 4 dimensions, [N,H,W,C]"},
        {"x 4", "hard_sigmoid", "slope 0.2", "--slope 0.2: expected 1/6|1/5"},
        {"x 4,3; scale 4", "rescaling", "", IN ": scale: shape [4]: expected [3]"},
        {"x 4,3; variance 4", "normalization", "", IN ": variance: shape [4]: expected [3]"},
        {"x 4,5; kernel 6,7", "dense", "", IN ": kernel: shape [6,7]: expected 5 inputs, as x has"},
        {"x 4,5; kernel 5,7; bias 5", "dense", "", IN ": bias: shape [5]: expected [7]"},
        {"x 4,5; kernel 5,7; dy 4,5", "dense", "", IN ": dy: shape [4,5]: expected [4,7], as y has"},
        {"x 4,5,1; kernel 5,7", "dense", "", IN ": kernel: shape [5,7]: expected 1 inputs, as x has"},
        {"x 5; kernel 5,7", "dense", "", IN ": x: shape [5]: expected two or more dimensions, [N,I] or [N,...,I]"},
        {"x 1,4,4,6; kernel 3,3,2,6", "conv2d", "groups 2",
         IN ": kernel: shape [3,3,2,6]: expected input channels that, times 2 groups, are x's 6"},
        {"x 1,4,4,6; kernel 3,3,2,7", "conv2d", "groups 3",
         IN ": kernel: shape [3,3,2,7]: expected a multiple of 3 groups for output channels"},
        {"x 1,4,4,6; kernel 3,3,2,6", "conv2d", "groups 0", "--groups 0: expected a whole number from 1"},
        {"x 1,4,4,6; kernel 3,3,6,6", "conv2d", "dilation 2",
         IN ": x: shape [1,4,4,6]: an input 4 high does not hold a window of 5 without padding"},
        {"x 1,4,4,6; kernel 3,3,6,6", "conv2d", "padding 1,1",
         "--padding 1,1: expected same|same_lower|valid|T,B,L,R, whole numbers of cells"},
        {"x 1,4,4,6; kernel 3,3,6,6", "conv2d", "padding 1,1,0,-1",
         "--padding 1,1,0,-1: expected same|same_lower|valid|T,B,L,R, whole numbers of cells"},
        {"x 1,4,4,6; kernel 3,3,5,1", "depthwise_conv2d", "", IN ": kernel: shape [3,3,5,1]: expected 6 channels, as x has"},
        {"x 1,4,4,6", "max_pooling2d", "ties any", "--ties any: expected first|last|all|split"},
        {"x 1,4,4,6", "max_pooling2d", "count-include-pad 1",
         "--count-include-pad: not an option of max_pooling2d, which has --pool, --strides, --padding, --ceil, --ties, --layout"},
        {"x 1,4,4,6", "average_pooling2d", "padding 2,0,0,0",
         IN ": x: shape [1,4,4,6]: a window of 2 would lie wholly in the padding, 2 and 0 cells: expected less padding"},
        {"logits 4,5", "softmax_cross_entropy", "", IN ": no array labels: softmax_cross_entropy needs it"},
        {"logits 4,5; labels 5", "softmax_cross_entropy", "",
         IN ": labels: another shape: expected [4], class indices, or [4,5], one-hot"},
        {"logits 4,5; labels 4,2", "softmax_cross_entropy", "",
         IN ": labels: another shape: expected [4], class indices, or [4,5], one-hot"},
        {"logits 4,5; labels 4,5", "softmax_cross_entropy", "label-smoothing 2",
         "--label-smoothing 2: expected a number, 0 ... 1"},
        {"parameter 3; gradient 3", "adam", "form adamw", "--form adamw: expected keras|pytorch|uncorrected"},
        {"x 3", "relu", "at-zero 2", "--at-zero 2: expected 0|1"},
        {"x 3", "relu", "negative-slope -1", "--negative-slope -1: expected a number, 0 ... 1000000"},
        {"x 3", "relu", "max-value none", "--max-value none: expected a number, 0 ... 1e+300"},
        {"parameter 3; gradient 4", "adam", "", IN ": gradient: shape [4]: expected [3], as parameter has"},
        {"parameter 3; gradient 3; v 3,1", "adam", "", IN ": v: shape [3,1]: expected [3], as parameter has"},
        {"parameter 3; gradient 3", "adam", "beta1 1", "--beta1 1: expected a number, 0 ... below 1"},
        {"parameter 3; gradient 3", "adam", "step 0", "--step 0: expected a number, 1 ... 1000000000"},
        {"parameter 3; gradient 3", "adam", "step 1.5", "--step 1.5: expected a whole number"},
    };
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        ASSERT_EQ(0, make(cases[i].arrays));
        ASSERT_EQm(cases[i].message, -1, run(cases[i].name, cases[i].options));
        ASSERT_STR_EQ(cases[i].message, error.text);
        ASSERT(!fer_file_exists(OUT) && !fer_file_exists(OUT ".part"));
    }
    PASS();
}

TEST bad_labels_are_refused(void)
{
    static const size_t two = 2, square[2] = {2, 3};
    static const int8_t high[2] = {1, 3}, negative[2] = {-1, 0}, none_hot[6] = {0, 0, 0, 0, 1, 0},
                        two_hot[6] = {0, 1, 0, 1, 1, 0}, soft[6] = {1, 0, 0, 2, 1, 0};
    static const double half[2] = {0, 0.5};
    const double nothing[2] = {0, INFINITY};
    const struct {
        enum fer_type type;
        int dims;
        const void *labels;
        const char *message;
    } cases[] = {
        {FER_I1, 1, high, IN ": labels: [1]: 3: expected a class, 0 ... 2"},
        {FER_I1, 1, negative, IN ": labels: [0]: -1: expected a class, 0 ... 2"},
        {FER_F8, 1, half, IN ": labels: [1]: 0.5: expected a class, 0 ... 2"},
        {FER_F8, 1, nothing, IN ": labels: [1]: inf: expected a class, 0 ... 2"},
        {FER_I1, 2, none_hot, IN ": labels: [0]: the sum is 0: expected probabilities, whose sum is 1"},
        {FER_I1, 2, two_hot, IN ": labels: [1]: the sum is 2: expected probabilities, whose sum is 1"},
        {FER_I1, 2, soft, IN ": labels: [1,0]: 2: expected a probability, 0 ... 1"},
    };
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        ASSERT_EQ(0, give_logits(cases[i].type, cases[i].dims, cases[i].dims == 1 ? &two : square, cases[i].labels));
        ASSERT_EQ(-1, run("softmax_cross_entropy", ""));
        ASSERT_STR_EQ(cases[i].message, error.text);
        ASSERT(!fer_file_exists(OUT) && !fer_file_exists(OUT ".part"));
    }
    PASS();
}

TEST bad_files_are_refused(void)
{
    remove(IN);
    ASSERT_EQ(-1, run("relu", ""));
    ASSERT_STR_EQ(IN ": cannot be opened: No such file or directory", error.text);
    ASSERT_EQ(0, make("x 4"));
    ASSERT_EQ(-1, fer_op("relu", IN, "none/out.npz", NULL, 0, &result, &error));
    ASSERT_STR_EQ("none/out.npz.part: cannot be written: No such file or directory", error.text);
    PASS();
}

static void clean_up(void *unused)
{
    (void)unused;
    remove(IN);
    remove(OUT);
}

SUITE(suite_op)
{
    SET_TEARDOWN(clean_up, NULL);
    RUN_TEST(conv2d_by_hand);
    RUN_TEST(conv2d_takes_strides_and_padding);
    RUN_TEST(batch_normalization_by_hand);
    RUN_TEST(batch_normalization_at_inference);
    RUN_TEST(batch_normalization_defaults);
    RUN_TEST(activations_by_hand);
    RUN_TEST(merging_by_hand);
    RUN_TEST(relu_by_hand);
    RUN_TEST(relu_options);
    RUN_TEST(pooling_by_hand);
    RUN_TEST(pooling_takes_strides_and_padding);
    RUN_TEST(global_average_pooling_by_hand);
    RUN_TEST(concatenate_by_hand);
    RUN_TEST(dense_by_hand);
    RUN_TEST(softmax_cross_entropy_by_hand);
    RUN_TEST(soft_labels_by_hand);
    RUN_TEST(adam_by_hand);
    RUN_TEST(adam_forms_by_hand);
    RUN_TEST(adam_defaults);
    RUN_TEST(a_lone_npy_file_is_x);
    RUN_TEST(the_output_never_replaces_the_input);
    RUN_TEST(nchw_is_nhwc_transposed);
    RUN_TEST(nchw_concerns_channels_alone);
    RUN_TEST(shapes_that_fit_both_layouts);
    RUN_TEST(unused_arrays_are_named);
#ifdef FER_DOUBLE
    RUN_TEST(results_are_judged);
    RUN_TEST(own_results_beside_the_arguments);
#endif
    RUN_TEST(bad_calls_are_refused);
    RUN_TEST(bad_labels_are_refused);
    RUN_TEST(bad_files_are_refused);
}
