/* record_exact.c - fills a network with small integers, such that whoever sums up a convolution, a dense layer or a
 * pooling in float32 gets the exact result, in whatever order: then a difference is a fault, not rounding.
 *
 * A run of the network would not do: batch normalisation makes fractions. So the chain is cut where it stands, and each
 * piece gets integers of its own, drawn by the seed:
 *
 *     drawn     input and activation_k/output; every kernel, and the dense layer's bias; conv2d_k/output_grad and
 *               predictions/logits_grad
 *     computed  from those, every other output and gradient of convolutions, poolings, concatenations and the dense
 *               layer; and activation_k/output_grad, the sum over the activation's consumers
 *     left out  all that batch normalisation, softmax, loss and Adam compute; and the labels, with which the logits
 *               would have another gradient
 *
 * A sum of integers is exact in any order while the sum of their absolute values stays below 2^24: every product and
 * every partial sum is then a whole number that float32 holds. To know that, all is computed twice, with the same
 * functions: first from the absolute values of what is drawn, which makes every result the sum of absolute values (or
 * more than that, where it is summed from such results); then as it is. In float32 the first may round, but only from
 * 2^24 on, and it never falls below 2^24 again.
 *
 * Average poolings divide. What they take in, forward and backward, is drawn in multiples of their divisors, so that
 * integers come out: cells = height*width for the global pooling; 36 for windows of 3x3, which hold 9 cells, 6 at an
 * edge, 4 in a corner (or 4 and 6 where the image is but two cells wide). */
#include "record.h"

/* What is drawn: one of sixteen numbers, all equally likely. Many zeros, as behind ReLU; and enough different numbers
 * that the maximum of nine, or a sum over the wrong cells, gives itself away. Logits are but seven an image: no
 * zeros. */
enum { NUMBERS = 16 };
static const int outputs[NUMBERS] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
static const int kernels[NUMBERS] = {-2, -1, -1, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2};
static const int gradients[NUMBERS] = {-2, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2};
static const int logit_gradients[NUMBERS] = {-2, -2, -2, -2, -1, -1, -1, -1, 1, 1, 1, 1, 2, 2, 2, 2};
/* What will be divided, in units of its divisor: smaller and rarer, since units of 36 make the largest sums of all. */
static const int dividends[NUMBERS] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2};
static const int dividend_gradients[NUMBERS] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1};

enum { OF_OUTPUT, OF_GRADIENT, OF_KERNEL, OF_BIAS, KINDS }; /* arrays of a layer that may be drawn */

struct filling {
    struct fer_network *network;
    int n;
    uint64_t seed;
    int rehearsal; /* 1: absolute values, whose sums are held against the limit */
    double limit;
    int unit[FER_MAX_LAYERS];    /* each layer's output is a multiple of this */
    int arrived[FER_MAX_LAYERS]; /* how many consumers have sent their gradient to a layer's output */
    struct fer_error *e;
};

static size_t count_of(const struct filling *f, const struct fer_layer *layer)
{
    return (size_t)f->n * (size_t)layer->height * (size_t)layer->width * (size_t)layer->channels;
}

/* The number that all divisors of a layer divide; 1 when it does not divide. */
static int divisor_of(const struct fer_network *net, const struct fer_layer *layer)
{
    const struct fer_layer *from = &net->layer[layer->input[0]];
    if (layer->type == FER_AVERAGE_POOLING2D) return 36;
    return layer->type == FER_GLOBAL_AVERAGE_POOLING2D ? from->height * from->width : 1;
}

/* A layer's output must be a multiple of what its consumers divide by, or pass on to one that divides. */
static void find_units(struct filling *f)
{
    const struct fer_network *net = f->network;
    int i, k;
    for (i = 0; i < net->layers; i++) f->unit[i] = 1;
    for (i = net->layers - 1; i > 0; i--) {
        const struct fer_layer *layer = &net->layer[i];
        const int passes = layer->type == FER_MAX_POOLING2D || layer->type == FER_CONCATENATE;
        const int needed = passes ? f->unit[i] : divisor_of(net, layer);
        for (k = 0; k < layer->inputs; k++)
            if (f->unit[layer->input[k]] % needed) f->unit[layer->input[k]] *= needed;
    }
}

/* x[k] = unit * one of the sixteen numbers. */
static void draw(const struct filling *f, int layer, int kind, const int numbers[NUMBERS], int unit, size_t count,
                 real *x)
{
    const uint32_t stream = (uint32_t)(layer * KINDS + kind);
    long long k;
#pragma omp parallel for
    for (k = 0; k < (long long)count; k++) {
        const int number = numbers[fer_draw(f->seed, FER_FOR_CHECKS, stream, (uint64_t)k) >> 28];
        x[k] = (real)(unit * (f->rehearsal && number < 0 ? -number : number));
    }
}

/* In the rehearsal: no sum of absolute values x[k] * divided may reach the limit. */
static int check(const struct filling *f, const char *name, const char *array, size_t count, const real *x, int divided)
{
    double largest = 0;
    size_t k;
    if (!f->rehearsal) return 0;
    for (k = 0; k < count; k++)
        if ((double)x[k] > largest) largest = (double)x[k];
    if (largest * divided < f->limit) return 0;
    return fer_fail(
        f->e, "%s%s: sums reach %.0f, from where float32 may round: expected fewer or smaller images than %d of %dx%d",
        name, array, f->limit, f->n, f->network->size, f->network->size);
}

/* ---- Forward ---- */

static int forward(struct filling *f)
{
    struct fer_network *net = f->network;
    int i;
    for (i = 0; i < net->layers; i++) {
        struct fer_layer *layer = &net->layer[i];
        struct fer_parameter *p = &net->parameter[layer->parameter];
        const size_t count = count_of(f, layer);
        if (layer->type == FER_BATCH_NORMALIZATION) continue;
        if (layer->type == FER_INPUT || layer->type == FER_ACTIVATION) {
            draw(f, i, OF_OUTPUT, f->unit[i] > 1 ? dividends : outputs, f->unit[i], count, layer->output);
            continue;
        }
        if (layer->parameters > 0) draw(f, i, OF_KERNEL, kernels, 1, p[0].count, p[0].value);
        if (layer->parameters > 1) draw(f, i, OF_BIAS, kernels, 1, p[1].count, p[1].value);
        fer_layer_forward(net, i, f->n, 1);
        if (layer->type == FER_DENSE ? check(f, layer->name, "/logits", count, net->logits, 1)
                                     : check(f, layer->name, "/output", count, layer->output, divisor_of(net, layer)))
            return -1;
    }
    return 0;
}

/* ---- Backward ---- */

/* From the gradient of a layer's output to dx, that of its only input (NULL: not wanted), and its parameters'. */
static int layer_backward(struct filling *f, int index, real *dx)
{
    struct fer_network *net = f->network;
    struct fer_layer *layer = &net->layer[index];
    const struct fer_layer *from = &net->layer[layer->input[0]];
    const struct fer_window g = fer_layer_window(layer, f->n);
    struct fer_parameter *p = &net->parameter[layer->parameter];
    real *dy = layer->output_gradient;
    if (layer->type == FER_MAX_POOLING2D) fer_max_pooling2d_backward(&g, from->output, dy, dx);
    if (layer->type == FER_AVERAGE_POOLING2D) fer_average_pooling2d_backward(&g, dy, dx);
    if (layer->type == FER_GLOBAL_AVERAGE_POOLING2D)
        fer_global_average_pooling2d_backward(f->n, from->height * from->width, layer->channels, dy, dx);
    if (layer->type == FER_CONV2D) {
        const int unit = divisor_of(net, from);
        draw(f, index, OF_GRADIENT, unit > 1 ? dividend_gradients : gradients, unit, count_of(f, layer), dy);
        if (dx) fer_conv2d_backward_input(&g, dy, p[0].value, dx);
        fer_conv2d_backward_kernel(&g, from->output, dy, p[0].gradient);
    }
    if (layer->type == FER_DENSE) {
        dy = net->logits_gradient;
        draw(f, index, OF_GRADIENT, logit_gradients, divisor_of(net, from), count_of(f, layer), dy);
        fer_dense_backward_input(f->n, from->channels, layer->channels, dy, p[0].value, dx);
        fer_dense_backward_kernel(f->n, from->channels, layer->channels, from->output, dy, p[0].gradient);
        fer_dense_backward_bias(f->n, layer->channels, dy, p[1].gradient);
        if (check(f, p[1].name, "_grad", p[1].count, p[1].gradient, 1)) return -1;
    }
    return layer->parameters > 0 ? check(f, p[0].name, "_grad", p[0].count, p[0].gradient, 1) : 0;
}

/* A concatenation sends each of its inputs, whose only consumer it is, its part. */
static void split(struct filling *f, const struct fer_layer *layer)
{
    real *dx[FER_MAX_INPUTS];
    size_t channels[FER_MAX_INPUTS];
    int k;
    for (k = 0; k < layer->inputs; k++) {
        dx[k] = f->network->layer[layer->input[k]].output_gradient;
        channels[k] = (size_t)f->network->layer[layer->input[k]].channels;
    }
    fer_concatenate_backward((size_t)f->n * (size_t)layer->height * (size_t)layer->width, layer->inputs, channels,
                             layer->output_gradient, dx);
}

/* The layers from last to first. The first consumer to arrive at an output writes its gradient, later ones add
 * theirs. */
static int backward(struct filling *f)
{
    struct fer_network *net = f->network;
    size_t k;
    int i;
    for (i = 0; i < net->layers; i++) f->arrived[i] = 0;
    for (i = net->layers - 1; i > 0; i--) {
        const struct fer_layer *layer = &net->layer[i];
        struct fer_layer *from = &net->layer[layer->input[0]];
        const int later = f->arrived[layer->input[0]]++ > 0;
        real *dx = from->type == FER_INPUT ? NULL : later ? net->fan_out : from->output_gradient;
        if (layer->type == FER_BATCH_NORMALIZATION || layer->type == FER_ACTIVATION) continue;
        if (layer->type == FER_CONCATENATE) {
            split(f, layer);
            continue;
        }
        if (layer_backward(f, i, dx)) return -1;
        for (k = 0; later && k < count_of(f, from); k++) from->output_gradient[k] += dx[k];
        if (dx && check(f, from->name, "/output_grad", count_of(f, from), from->output_gradient, 1)) return -1;
    }
    return 0;
}

int fer_exact_fill(struct fer_network *network, int n, uint64_t seed, double limit, struct fer_error *e)
{
    struct filling f = {NULL, 0, 0, 1, 0, {0}, {0}, NULL};
    f.network = network;
    f.n = n;
    f.seed = seed;
    f.limit = limit;
    f.e = e;
    find_units(&f);
    if (forward(&f) || backward(&f)) return -1;
    f.rehearsal = 0;
    return forward(&f) || backward(&f) ? -1 : 0;
}
