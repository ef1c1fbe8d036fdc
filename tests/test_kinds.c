/* test_kinds.c - the kinds of layers without weights: special values, what may be written over, masks, and networks of
 * them. Their values are judged by test_vectors.c, their gradients by finite differences (test_gradients.c). */
#include "greatest.h"

#include "../data/data.h"
#include "../model/kinds.h"

#include <math.h>
#include <string.h>

static struct fer_error error;

static int is_nan(real x)
{
    return x != x;
}

/* ---- Activations ---- */

/* x: NaN, infinity, -infinity, 0, -0. */
TEST activations_of_special_values(void)
{
    const real inf = (real)HUGE_VAL, x[5] = {inf - inf, inf, -inf, 0, -(real)0}, dy[5] = {1, 1, 1, 1, 1};
    real y[5], dx[5];
    fer_sigmoid_forward(5, x, y);
    ASSERT(is_nan(y[0]) && y[1] == 1 && y[2] == 0 && y[3] == (real)0.5 && y[4] == (real)0.5);
    fer_sigmoid_backward(5, y, dy, dx);
    ASSERT(is_nan(dx[0]) && dx[1] == 0 && dx[2] == 0 && dx[3] == (real)0.25);
    fer_tanh_forward(5, x, y);
    ASSERT(is_nan(y[0]) && y[1] == 1 && y[2] == -1 && y[3] == 0 && y[4] == 0 && signbit(y[4]));
    fer_tanh_backward(5, y, dy, dx);
    ASSERT(is_nan(dx[0]) && dx[1] == 0 && dx[2] == 0 && dx[3] == 1);
    fer_silu_forward(5, x, y);
    ASSERT(is_nan(y[0]) && y[1] == inf && y[2] == 0 && y[3] == 0);
    fer_silu_backward(5, x, dy, dx);
    ASSERT(is_nan(dx[0]) && dx[1] == 1 && dx[2] == 0 && dx[3] == (real)0.5);
    fer_elu_forward(5, x, y);
    ASSERT(is_nan(y[0]) && y[1] == inf && y[2] == -1 && y[3] == 0 && y[4] == 0);
    fer_elu_backward(5, y, dy, dx);
    ASSERT(is_nan(dx[0]) && dx[1] == 1 && dx[2] == 0 && dx[3] == 1);
    fer_hard_sigmoid_forward(5, (real)0.2, x, y);
    ASSERT(is_nan(y[0]) && y[1] == 1 && y[2] == 0 && y[3] == (real)0.5);
    fer_hard_sigmoid_backward(5, (real)0.2, y, dy, dx);
    ASSERT(dx[1] == 0 && dx[2] == 0 && dx[3] == (real)0.2);
    fer_leaky_relu_forward(5, (real)0.5, inf, x, y);
    ASSERT(is_nan(y[0]) && y[1] == inf && y[2] == -inf && y[3] == 0 && y[4] == 0);
    fer_leaky_relu_forward(5, 0, 6, x, y); /* ReLU6: 0 * infinity does not come about */
    ASSERT(is_nan(y[0]) && y[1] == 6 && y[2] == 0 && y[3] == 0);
    fer_leaky_relu_backward(5, 0, 6, y, dy, dx);
    ASSERT(dx[1] == 0 && dx[2] == 0 && dx[3] == 0);
    fer_leaky_relu_forward(5, 0, inf, x, y);
    ASSERT(y[1] == inf && y[4] == 0 && !signbit(y[4]));
    fer_leaky_relu_backward(2, 0, inf, y + 1, x + 1, dx); /* of infinity infinity; of 0 nothing, though dy is infinite */
    ASSERT(dx[0] == inf && dx[1] == 0);
    PASS();
}

/* Where exp overflows, or a difference would lose all digits. */
TEST activations_at_large_and_small_numbers(void)
{
    const real x[6] = {1000, -1000, (real)1e-30, (real)-1e-30, (real)-100, (real)1e4};
    real y[6], dx[6];
    const real dy[6] = {1, 1, 1, 1, 1, 1};
    fer_tanh_forward(6, x, y);
    ASSERT(y[0] == 1 && y[1] == -1 && y[2] == (real)1e-30 && y[3] == (real)-1e-30 && y[4] == -1 && y[5] == 1);
    fer_elu_forward(6, x, y);
    ASSERT(y[0] == 1000 && y[1] == -1 && y[2] == (real)1e-30 && y[3] == (real)-1e-30 && y[4] == -1);
    fer_sigmoid_forward(6, x, y);
    ASSERT(y[0] == 1 && y[1] == 0 && y[2] == (real)0.5 && y[4] > 0 && y[4] < (real)1e-43);
    fer_silu_forward(6, x, y);
    ASSERT(y[0] == 1000 && y[1] == 0 && y[2] == (real)5e-31 && y[4] < 0 && y[4] > (real)-1e-41 && y[5] == 10000);
    fer_silu_backward(6, x, dy, dx);
    ASSERT(dx[0] == 1 && dx[1] == 0 && dx[2] == (real)0.5 && dx[5] == 1);
    PASS();
}

/* Each of these may write over what it reads. */
TEST activations_write_over_their_input(void)
{
    enum { COUNT = 5000 }; /* more than one thread's work */
    static real x[COUNT], y[COUNT], dy[COUNT], dx[COUNT], z[COUNT];
    static void (*const forward[])(size_t, const real *, real *) = {fer_sigmoid_forward, fer_tanh_forward,
                                                                    fer_silu_forward, fer_elu_forward};
    static void (*const backward[])(size_t, const real *, const real *, real *) = {
        fer_sigmoid_backward, fer_tanh_backward, fer_silu_backward, fer_elu_backward};
    int i;
    size_t k;
    for (k = 0; k < COUNT; k++) {
        x[k] = (real)(8 * fer_uniform(1, FER_FOR_CHECKS, 0, k) - 4);
        dy[k] = (real)(fer_uniform(1, FER_FOR_CHECKS, 1, k) - 0.5);
    }
    for (i = 0; i < 4; i++) {
        forward[i](COUNT, x, y);
        backward[i](COUNT, i == 2 ? x : y, dy, dx);
        memcpy(z, x, sizeof x);
        forward[i](COUNT, z, z);
        ASSERT(memcmp(z, y, sizeof y) == 0);
        memcpy(z, dy, sizeof dy);
        backward[i](COUNT, i == 2 ? x : y, z, z);
        ASSERT(memcmp(z, dx, sizeof dx) == 0);
    }
    PASS();
}

enum { POINTS = 8193 };
static real point[POINTS], value[POINTS], slope[POINTS], unit_gradient[POINTS];

/* The bits of an activation and of its derivative, at -16 ... 16 in steps of 1/256. */
static uint32_t digest_under(void (*forward)(size_t, const real *, real *), void (*backward)(size_t, const real *, const real *, real *),
                          int from_x)
{
    int i;
    for (i = 0; i < POINTS; i++) point[i] = (real)(i - POINTS / 2) / 256, unit_gradient[i] = 1;
    forward(POINTS, point, value);
    backward(POINTS, from_x ? point : value, unit_gradient, slope);
    return fer_crc32_values(fer_crc32_values(0, value, sizeof *value, POINTS), slope, sizeof *slope, POINTS);
}

/* The same bits everywhere: those of today. Accuracy alone would let other roundings pass. */
TEST activations_have_their_bits(void)
{
    static const uint32_t expected[2][4] = {{0xf5411a3c, 0x6571d369, 0x0494ee33, 0xc053b07b}, {0xd4f5474c, 0x0099e8c6, 0xbaaa92c6, 0xf480cca4}};
    const uint32_t *digest = expected[sizeof(real) == 8];
    ASSERT_EQ_FMT(digest[0], digest_under(fer_sigmoid_forward, fer_sigmoid_backward, 0), "0x%08x");
    ASSERT_EQ_FMT(digest[1], digest_under(fer_tanh_forward, fer_tanh_backward, 0), "0x%08x");
    ASSERT_EQ_FMT(digest[2], digest_under(fer_silu_forward, fer_silu_backward, 1), "0x%08x");
    ASSERT_EQ_FMT(digest[3], digest_under(fer_elu_forward, fer_elu_backward, 0), "0x%08x");
    PASS();
}

TEST softmax_of_special_values(void)
{
    const real inf = (real)HUGE_VAL, x[6] = {inf - inf, 0, 1, 1000, 1000, -inf}, dy[6] = {1, 2, 3, 5, 3, 7};
    real y[6], dx[6];
    fer_softmax(2, 3, x, y);
    ASSERT(is_nan(y[0]) && is_nan(y[1]) && is_nan(y[2]));
    ASSERT(y[3] == (real)0.5 && y[4] == (real)0.5 && y[5] == 0);
    fer_softmax_backward(2, 3, y, dy, dx);
    ASSERT(is_nan(dx[0]) && is_nan(dx[2]) && dx[3] == (real)0.5 && dx[4] == (real)-0.5 && dx[5] == 0);
    PASS();
}

/* Of a zero and a minus zero, which are equal, the first counts. */
TEST the_first_of_equal_maxima_counts(void)
{
    const real x[2][2] = {{-(real)0, 0}, {0, -(real)0}};
    real y;
    int i;
    for (i = 0; i < 2; i++) {
        fer_global_max_pooling2d_forward(1, 2, 1, x[i], &y);
        ASSERT(memcmp(&y, &x[i][0], sizeof y) == 0);
    }
    PASS();
}

/* ---- Several inputs, edges, constants ---- */

TEST merging_passes_on_what_is_not_finite(void)
{
    const real inf = (real)HUGE_VAL, a[4] = {inf, inf, 1, 0}, b[4] = {1, -inf, 2, inf}, one[2] = {2, 3};
    const real *const two[2] = {a, b}, *const wide[2] = {a, one};
    const size_t same[2] = {2, 2}, cells[2] = {2, 1};
    real y[4], dx[2], *const gradients[2] = {NULL, dx};
    fer_add_forward(4, 2, two, y);
    ASSERT(y[0] == inf && is_nan(y[1]) && y[2] == 3 && y[3] == inf);
    fer_multiply_forward(1, 2, 2, same, 2, two, y);
    ASSERT(y[0] == inf && y[1] == -inf && y[2] == 2 && is_nan(y[3]));
    fer_multiply_forward(1, 2, 2, cells, 2, wide, y);
    ASSERT(y[0] == inf && y[1] == inf && y[2] == 2 && y[3] == 0);
    fer_multiply_backward(1, 2, 2, cells, 2, wide, b, gradients); /* the first is not wanted */
    ASSERT(dx[0] == inf && is_nan(dx[1]));
    fer_add_backward(2, 2, one, gradients);
    ASSERT(dx[0] == 2 && dx[1] == 3);
    PASS();
}

TEST padding_and_cropping_are_inverse(void)
{
    const size_t edge[4] = {1, 0, 2, 3};
    const real x[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, (real)NAN};
    real y[2 * 2 * 8 * 2], back[12];
    int i, zeros = 0;
    for (i = 0; i < 64; i++) y[i] = 7;
    fer_zero_padding2d_forward(2, 1, 3, 2, edge, x, y);
    for (i = 0; i < 64; i++) zeros += y[i] == 0;
    ASSERT_EQ(52, zeros);
    ASSERT(y[16 + 4] == 1 && y[16 + 9] == 6 && y[32 + 16 + 4] == 7);
    fer_cropping2d_forward(2, 1, 3, 2, edge, y, back);
    ASSERT(memcmp(back, x, sizeof x) == 0);
    PASS();
}

TEST a_variance_of_zero_divides_by_the_least_deviation(void)
{
    const real x[2] = {3, 5}, mean[2] = {2, 1}, variance[2] = {0, 4}, just[2] = {(real)1.2e-14, (real)0.9e-14}, dy[2] = {1, 1};
    real y[2], dx[2];
    fer_normalization_forward(1, 2, mean, variance, x, y);
    fer_normalization_backward(1, 2, variance, dy, dx);
    ASSERT(y[0] == 1 / (real)1e-7 && y[1] == 2 && dx[0] == 1 / (real)1e-7 && dx[1] == (real)0.5);
    fer_normalization_forward(1, 2, mean, just, x, y); /* and one just above it by the root */
    ASSERT(y[0] == 1 / (real)sqrt((double)just[0]) && y[0] < (real)0.95 / (real)1e-7 && y[1] == 4 / (real)1e-7);
    PASS();
}

/* ---- Dropout ---- */

enum { IMAGES = 4, CELLS = 30, CHANNELS = 40, ELEMENTS = IMAGES * CELLS * CHANNELS };
static real ones[ELEMENTS], dropped[ELEMENTS], again[ELEMENTS];

/* Each element by the number that fer.h says, and about as many as the rate. */
TEST dropout_draws_as_it_says(void)
{
    const real factor = (real)(1 / (1 - 0.3));
    int kept = 0, differ = 0;
    size_t i;
    for (i = 0; i < ELEMENTS; i++) ones[i] = 1;
    fer_dropout(ELEMENTS, 0.3, 11, 5, 1000, ones, dropped);
    for (i = 0; i < ELEMENTS; i++) {
        ASSERT_EQ(fer_uniform(11, FER_FOR_DROPOUT, 5, 1000 + i) >= 0.3, dropped[i] != 0);
        ASSERT(dropped[i] == 0 || dropped[i] == factor);
        kept += dropped[i] != 0;
    }
    ASSERT(kept > 0.67 * ELEMENTS && kept < 0.73 * ELEMENTS); /* 4 standard deviations */
    fer_dropout(ELEMENTS, 0.3, 11, 6, 1000, ones, again); /* another step */
    for (i = 0; i < ELEMENTS; i++) differ += (dropped[i] != 0) != (again[i] != 0);
    ASSERT(differ > 0.38 * ELEMENTS && differ < 0.46 * ELEMENTS); /* 2 * 0.3 * 0.7 */
    fer_dropout(2, fer_uniform(11, FER_FOR_DROPOUT, 5, 0), 11, 5, 0, ones, again); /* as large as the rate is large enough */
    ASSERT(again[0] != 0);
    fer_spatial_dropout2d(1, 1, 2, fer_uniform(11, FER_FOR_DROPOUT, 5, 0), 11, 5, 0, ones, again);
    ASSERT(again[0] != 0);
    fer_dropout(ELEMENTS, 0, 11, 5, 0, dropped, again);
    ASSERT(memcmp(dropped, again, sizeof again) == 0);
    PASS();
}

TEST spatial_dropout_drops_whole_channels(void)
{
    size_t n, cell, c;
    int kept = 0;
    for (n = 0; n < ELEMENTS; n++) ones[n] = 1;
    fer_spatial_dropout2d(IMAGES, CELLS, CHANNELS, 0.25, 3, 0, 0, ones, dropped);
    for (n = 0; n < IMAGES; n++)
        for (c = 0; c < CHANNELS; c++) {
            const int keeps = fer_uniform(3, FER_FOR_DROPOUT, 0, n * CHANNELS + c) >= 0.25;
            kept += keeps;
            for (cell = 0; cell < CELLS; cell++)
                ASSERT(dropped[(n * CELLS + cell) * CHANNELS + c] == (keeps ? (real)(1 / 0.75) : 0));
        }
    ASSERT(kept > 90 && kept < 150);
    PASS();
}

/* ---- Networks ---- */

enum { H = 6, W = 7, CLASSES = 5, N = 3 };

/* Every kind of this file, some with outputs that are taken several times; `dropout`: with it. */
static struct fer_network *every_kind(int dropout)
{
    static const real scale[3] = {2, (real)0.5, -1}, offset[3] = {0, (real)0.25, 1};
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, H, W, 3), branch[9], gate[3], k;
    x = fer_add_rescaling(&b, x, NULL, scale, offset);
    x = fer_add_normalization(&b, x, NULL);
    x = fer_add_zero_padding2d(&b, x, NULL, 1, 0, 2, 1);
    x = fer_add_conv2d(&b, x, NULL, 8, 3, 3, 1, 1, FER_SAME);
    x = fer_add_cropping2d(&b, x, NULL, 0, 1, 1, 0);
    branch[0] = fer_add_sigmoid(&b, x, NULL);
    branch[1] = fer_add_tanh(&b, x, NULL);
    branch[2] = fer_add_silu(&b, x, NULL);
    branch[3] = fer_add_elu(&b, x, NULL);
    branch[4] = fer_add_hard_sigmoid(&b, x, NULL, 0.2);
    branch[5] = fer_add_linear(&b, x, NULL);
    branch[6] = fer_add_leaky_relu(&b, x, NULL, 0.1, 1);
    branch[7] = branch[1];
    branch[8] = fer_add_softmax(&b, x, NULL);
    x = fer_add_add(&b, branch, 9, NULL);
    if (dropout) x = fer_add_dropout(&b, x, NULL, 0.3);
    for (k = 0; k < 3; k++) {
        gate[k] = k == 1 ? x : fer_add_global_average_pooling2d_with(&b, x, NULL, 1);
        if (k == 2) gate[k] = fer_add_sigmoid(&b, gate[k], NULL);
    }
    x = fer_add_multiply(&b, gate, 3, NULL);
    x = fer_add_elu(&b, x, NULL); /* a chain that could be in one place */
    x = fer_add_silu(&b, fer_add_tanh(&b, x, NULL), NULL);
    if (dropout) x = fer_add_spatial_dropout2d(&b, x, NULL, 0.25);
    if (dropout) x = fer_add_dropout(&b, x, NULL, 0.3);
    branch[0] = fer_add_softmax(&b, x, NULL), branch[1] = x;
    x = fer_add_multiply(&b, branch, 2, NULL);
    x = fer_add_flatten(&b, fer_add_reshape(&b, x, NULL, 4, 9, 12, 0), NULL);
    fer_add_dense(&b, x, "last", CLASSES);
    return fer_network_end(&b, &net, &error) ? NULL : net;
}

static const int labels[N] = {4, 0, 2};

static void fill(struct fer_network *net)
{
    real *x = fer_network_input(net);
    size_t k;
    fer_network_initialise(net, 3);
    net->seed = 9, net->step = 4;
    for (k = 0; k < (size_t)(N * H * W * 3); k++) x[k] = (real)(2 * fer_uniform(6, FER_FOR_CHECKS, 0, k) - 1);
}

/* A pass under a plan, in training each way: a digest of the logits and of every gradient. */
static uint32_t digest_of_pass(struct fer_network *net, enum fer_plan plan, int training)
{
    uint32_t crc;
    int i;
    if (fer_network_plan(net, N, plan, &error)) return 0;
    fill(net);
    fer_network_forward(net, N, training);
    if (training) fer_network_backward(net, N, labels);
    crc = fer_crc32_reals(0, net->logits, N * CLASSES);
    for (i = 0; i < net->parameters && training; i++)
        if (net->parameter[i].trainable)
            crc = fer_crc32_reals(crc, net->parameter[i].gradient, net->parameter[i].count);
    return crc;
}

static uint32_t digest(struct fer_network *net, enum fer_plan plan)
{
    return digest_of_pass(net, plan, plan != FER_PLAN_INFERENCE);
}

/* Layers that write over their inputs, and memory that is shared, change no bit. */
TEST every_plan_gives_the_same_bits(void)
{
    struct fer_network *net = every_kind(1), *without = every_kind(0);
    ASSERTm(error.text, net && without);
    ASSERT_EQ(digest(net, FER_PLAN_KEEP), digest(net, FER_PLAN_TRAINING));
    ASSERT(fer_network_memory(net, N, FER_PLAN_TRAINING) < fer_network_memory(net, N, FER_PLAN_KEEP));
    ASSERT_EQ(digest(without, FER_PLAN_INFERENCE), digest(net, FER_PLAN_INFERENCE)); /* in which nothing is dropped */
    ASSERT(digest(without, FER_PLAN_KEEP) != digest(net, FER_PLAN_KEEP));
    fer_network_free(net);
    fer_network_free(without);
    PASS();
}

/* A layer drawn at random, of one shape of input and output; `other` is one more of that shape. */
static int add_any(struct fer_builder *b, int kind, int x, int other)
{
    const int both[2] = {x, other};
    const struct fer_convolution three = {.kernel_h = 3, .kernel_w = 3, .padding = FER_SAME, .bias = 1};
    switch (kind) {
    case 0: return fer_add_conv2d(b, x, NULL, 4, 3, 3, 1, 1, FER_SAME);
    case 1: return fer_add_conv2d(b, fer_add_concatenate(b, both, 2, NULL), NULL, 4, 1, 1, 1, 1, FER_VALID);
    case 2: return fer_add_depthwise_convolution(b, x, NULL, &three);
    case 3: return fer_add_batch_normalization(b, x, NULL, 0.9, 1e-3);
    case 4: return fer_add_batch_normalization_with(b, x, NULL, 0.9, 1e-3, 1, 1);
    case 5: return fer_add_relu(b, x, NULL);
    case 6: return fer_add_leaky_relu(b, x, NULL, 0.25, 6);
    case 7: return fer_add_elu(b, x, NULL);
    case 8: return fer_add_silu(b, x, NULL);
    case 9: return fer_add_softmax(b, x, NULL);
    case 10: return fer_add_dropout(b, x, NULL, 0.5);
    case 11: return fer_add_max_pooling2d(b, x, NULL, 3, 3, 1, 1, FER_SAME);
    case 12: return fer_add_average_pooling2d(b, x, NULL, 3, 3, 1, 1, FER_SAME);
    case 13: return fer_add_cropping2d(b, fer_add_zero_padding2d(b, x, NULL, 1, 0, 2, 1), NULL, 0, 1, 1, 2);
    case 14: return fer_add_reshape(b, fer_add_reshape(b, x, NULL, W, H, 4, 0), NULL, H, W, 4, 0);
    case 15: return fer_add_multiply(b, both, 2, NULL);
    default: return fer_add_add(b, both, 2, NULL);
    }
}

/* Layers of random kinds on random ones before them; what nobody has taken is added up in the end. */
static struct fer_network *random_network(uint64_t seed)
{
    enum { LAYERS = 24 };
    struct fer_builder b;
    struct fer_network *net;
    int layer[LAYERS], taken[LAYERS] = {0}, left[LAYERS], i, k, count = 0;
    uint64_t draw = 0;
    layer[0] = fer_add_conv2d(&b, fer_network_begin(&b, H, W, 3), NULL, 4, 3, 3, 1, 1, FER_SAME);
    for (i = 1; i < LAYERS; i++) {
        const int recent = i < 4 ? i : 4;
        const int from = i - 1 - (int)(recent * fer_uniform(seed, FER_FOR_CHECKS, 1, draw++));
        const int other = (int)(i * fer_uniform(seed, FER_FOR_CHECKS, 1, draw++));
        const int kind = (int)(17 * fer_uniform(seed, FER_FOR_CHECKS, 1, draw++));
        layer[i] = add_any(&b, kind, layer[from], layer[other]);
        taken[from] = 1;
        if (kind == 1 || kind >= 15) taken[other] = 1;
    }
    for (k = 0; k < LAYERS; k++)
        if (!taken[k]) left[count++] = layer[k];
    i = count > 1 ? fer_add_add(&b, left, count, NULL) : left[0];
    fer_add_dense(&b, fer_add_flatten(&b, i, NULL), "last", CLASSES);
    return fer_network_end(&b, &net, &error) ? NULL : net;
}

TEST random_networks_have_the_same_bits_under_every_plan(void)
{
    uint64_t seed;
    for (seed = 0; seed < 150; seed++) {
        struct fer_network *net = random_network(seed);
        ASSERTm(error.text, net);
        ASSERT_EQ(digest(net, FER_PLAN_KEEP), digest(net, FER_PLAN_TRAINING));
        ASSERT_EQ(digest_of_pass(net, FER_PLAN_KEEP, 0), digest(net, FER_PLAN_INFERENCE));
        fer_network_free(net);
    }
    PASS();
}

/* Softmax may follow a layer that writes over its input: MobileNet ends with a convolution and Reshape. */
TEST any_layer_may_give_the_logits(void)
{
    int end, x;
    for (end = 0; end < 3; end++) {
        struct fer_builder b;
        struct fer_network *net;
        x = fer_add_elu(&b, fer_network_begin(&b, H, W, 3), NULL);
        x = fer_add_global_average_pooling2d_with(&b, x, NULL, 1);
        x = fer_add_conv2d(&b, x, NULL, CLASSES, 1, 1, 1, 1, FER_SAME);
        if (end == 0) x = fer_add_reshape(&b, x, NULL, 1, 1, CLASSES, 1);
        if (end > 0) x = fer_add_flatten(&b, x, NULL);
        if (end == 2) x = fer_add_dropout(&b, x, NULL, 0.3);
        ASSERTm(error.text, fer_network_end(&b, &net, &error) == 0);
        ASSERT_EQ(digest(net, FER_PLAN_KEEP), digest(net, FER_PLAN_TRAINING));
        fer_network_free(net);
    }
    PASS();
}

static double mean_loss(void *context)
{
    struct fer_network *net = context;
    fer_network_forward(net, N, 1);
    return fer_cross_entropy(N, CLASSES, net->logits, labels, NULL, NULL) / N;
}

/* Through every path to the loss; the masks stay the same, since the step does. */
TEST gradients_of_the_network_agree(void)
{
    struct fer_network *net;
    struct fer_gradcheck result;
    int i;
    if (sizeof(real) == sizeof(float)) SKIPm("float32 is too coarse for finite differences of a network");
    net = every_kind(1);
    ASSERTm(error.text, net && !fer_network_plan(net, N, FER_PLAN_KEEP, &error));
    fill(net);
    fer_network_forward(net, N, 1);
    fer_network_backward(net, N, labels);
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        if (!p->trainable) continue;
        ASSERT_EQ(0, fer_gradcheck_function(mean_loss, net, p->value, p->gradient, p->count, 60, 1e-4, 1, &result,
                                            &error));
        ASSERTm(p->name, fer_gradcheck_passed(&result));
    }
    fer_network_free(net);
    PASS();
}

/* Two layers, two steps, two seeds: other masks; in inference mode, none. */
TEST masks_differ(void)
{
    struct fer_builder b;
    struct fer_network *net;
    const struct fer_layer *first, *second, *third;
    int x = fer_network_begin(&b, 8, 8, 4);
    size_t k, count = 8 * 8 * 4;
    real before[8 * 8 * 4];
    x = fer_add_dropout(&b, x, NULL, 0.5);
    x = fer_add_dropout(&b, x, NULL, 0.5);
    b.inference = 1;
    x = fer_add_dropout(&b, x, NULL, 0.5);
    fer_add_dense(&b, fer_add_global_average_pooling2d(&b, x, NULL), NULL, 2);
    ASSERT_EQ(0, fer_network_end(&b, &net, &error));
    ASSERT_EQ(0, fer_network_plan(net, 1, FER_PLAN_KEEP, &error));
    first = &net->layer[1], second = &net->layer[2], third = &net->layer[3];
    for (k = 0; k < count; k++) fer_network_input(net)[k] = 1;
    fer_network_forward(net, 1, 1);
    for (k = 0; k < count; k++) { /* of those that the first keeps, the second drops some */
        ASSERT_EQ(fer_uniform(0, FER_FOR_DROPOUT, 0, ((uint64_t)1 << 40) + k) >= 0.5, first->output[k] != 0);
        ASSERT_EQ(first->output[k] != 0 && fer_uniform(0, FER_FOR_DROPOUT, 0, ((uint64_t)2 << 40) + k) >= 0.5,
                  second->output[k] != 0);
    }
    ASSERT(memcmp(second->output, third->output, count * sizeof(real)) == 0);
    memcpy(before, first->output, sizeof before);
    net->step = 1;
    fer_network_forward(net, 1, 1);
    ASSERT(memcmp(first->output, before, sizeof before) != 0);
    net->step = 0, net->seed = 1;
    fer_network_forward(net, 1, 1);
    ASSERT(memcmp(first->output, before, sizeof before) != 0);
    fer_network_free(net);
    PASS();
}

TEST names_are_numbered_together(void)
{
    struct fer_builder b;
    int x = fer_network_begin(&b, 4, 4, 1);
    x = fer_add_relu(&b, x, NULL);
    x = fer_add_tanh(&b, x, NULL);
    x = fer_add_softmax(&b, x, NULL);
    ASSERT_STR_EQ("activation_2", b.network->layer[x].name);
    x = fer_add_leaky_relu(&b, x, NULL, 0.3, INFINITY);
    ASSERT_STR_EQ("leaky_re_lu", b.network->layer[x].name);
    x = fer_add_spatial_dropout2d(&b, x, NULL, 0.1);
    ASSERT_STR_EQ("spatial_dropout2d", b.network->layer[x].name);
    fer_network_free(b.network);
    PASS();
}

/* ---- What cannot be built ---- */

static int x; /* the input of the layer at fault, 4x5x6 */

#define REFUSED(call, message)                                     \
    do {                                                           \
        struct fer_builder b;                                      \
        struct fer_network *net;                                   \
        x = fer_network_begin(&b, 4, 5, 6);                        \
        ASSERT_EQm(message, -1, (call));                           \
        ASSERT_EQ(-1, fer_network_end(&b, &net, &error));          \
        ASSERTm(error.text, strstr(error.text, message) != NULL); \
    } while (0)

static int merge(struct fer_builder *b, int multiplies, int other)
{
    const int input[2] = {x, other};
    return (multiplies ? fer_add_multiply : fer_add_add)(b, input, 2, NULL);
}

TEST what_cannot_work_is_refused(void)
{
    REFUSED(fer_add_leaky_relu(&b, x, NULL, -1, 6), "leaky_re_lu: slope -1");
    REFUSED(fer_add_leaky_relu(&b, x, NULL, NAN, 6), "leaky_re_lu: slope nan");
    REFUSED(fer_add_leaky_relu(&b, x, NULL, 0, 0), "largest value 0");
    REFUSED(fer_add_dropout(&b, x, NULL, 1), "dropout: rate 1: expected 0 <= rate < 1");
    REFUSED(fer_add_spatial_dropout2d(&b, x, NULL, -0.5), "spatial_dropout2d: rate -0.5");
    REFUSED(fer_add_cropping2d(&b, x, NULL, 2, 2, 0, 0), "cropping2d: of 4x5 nothing is left");
    REFUSED(fer_add_cropping2d(&b, fer_add_flatten(&b, x, NULL), NULL, 0, 0, 0, 0), "flatten is flat");
    REFUSED(fer_add_zero_padding2d(&b, fer_add_flatten(&b, x, NULL), NULL, 1, 1, 1, 1), "flatten is flat");
    REFUSED(fer_add_zero_padding2d(&b, x, NULL, (size_t)-1, 1, 1, 1), "zero_padding2d: edges of");
    REFUSED(fer_add_reshape(&b, x, NULL, 4, 5, 7, 0), "reshape: 4x5x7");
    REFUSED(fer_add_reshape(&b, x, NULL, 2, 5, 12, 1), "expected 1x1");
    REFUSED(merge(&b, 0, fer_add_cropping2d(&b, x, NULL, 1, 0, 0, 0)), "expected inputs of one shape");
    REFUSED(merge(&b, 0, fer_add_global_average_pooling2d_with(&b, x, NULL, 1)), "expected inputs of one shape");
    REFUSED(merge(&b, 1, fer_add_cropping2d(&b, x, NULL, 1, 0, 0, 0)), "expected inputs of one shape, or 1x1");
    REFUSED(merge(&b, 1, fer_add_flatten(&b, x, NULL)), "expected inputs of one shape, or 1x1");
    PASS();
}

SUITE(suite_kinds)
{
    RUN_TEST(activations_of_special_values);
    RUN_TEST(activations_at_large_and_small_numbers);
    RUN_TEST(activations_write_over_their_input);
    RUN_TEST(activations_have_their_bits);
    RUN_TEST(softmax_of_special_values);
    RUN_TEST(the_first_of_equal_maxima_counts);
    RUN_TEST(merging_passes_on_what_is_not_finite);
    RUN_TEST(padding_and_cropping_are_inverse);
    RUN_TEST(a_variance_of_zero_divides_by_the_least_deviation);
    RUN_TEST(dropout_draws_as_it_says);
    RUN_TEST(spatial_dropout_drops_whole_channels);
    RUN_TEST(every_plan_gives_the_same_bits);
    RUN_TEST(random_networks_have_the_same_bits_under_every_plan);
    RUN_TEST(any_layer_may_give_the_logits);
    RUN_TEST(gradients_of_the_network_agree);
    RUN_TEST(masks_differ);
    RUN_TEST(names_are_numbered_together);
    RUN_TEST(what_cannot_work_is_refused);
}
