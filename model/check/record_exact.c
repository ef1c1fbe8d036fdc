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
 * In general: what computes with whole numbers is computed, if its inputs are there, else its output is drawn. A layer
 * that makes fractions of another kind (sigmoid) has its output drawn, and what it takes from is left out; so has a
 * ReLU where, in a long chain without batch normalisation, sums would become too large.
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

/* Arrays of a layer that may be drawn: its output, the gradient of that, its parameters. */
enum { OF_OUTPUT, OF_GRADIENT, OF_PARAMETERS, ARRAYS = OF_PARAMETERS + 2 };

struct filling {
    struct fer_network *network;
    size_t n;
    uint64_t seed;
    int rehearsal; /* 1: absolute values, whose sums are held against the limit */
    double limit;
    size_t unit[FER_MAX_LAYERS], gradient_unit[FER_MAX_LAYERS]; /* of each output and its gradient, multiples of this */
    int arrived[FER_MAX_LAYERS]; /* how many consumers have sent their gradient to a layer's output */
    unsigned char *cut;          /* [layers] 1: this activation's output is drawn */
    int at, towards;             /* the layer at work; -1, 1: where, from it, a cut would make its sums smaller */
    struct fer_error *e;
};

static const struct fer_kind *kind_of(const struct fer_layer *layer)
{
    return &fer_kinds[layer->type];
}

/* The number that all divisors of a layer divide; 1 when it does not divide. */
static size_t divisor_of(const struct fer_network *net, const struct fer_layer *layer)
{
    return kind_of(layer)->divisor ? kind_of(layer)->divisor(net, layer) : 1;
}

/* Whether a layer takes from it whose output is drawn: from two that need not fit, neither could be checked. */
static int is_hidden(const struct fer_network *net, const unsigned char *cut, int index)
{
    int j, k;
    for (j = index + 1; index > 0 && j < net->layers; j++)
        for (k = 0; k < net->layer[j].inputs; k++)
            if (net->layer[j].input[k] == index && (kind_of(&net->layer[j])->exact == FER_DRAWN || cut[j])) return 1;
    return 0;
}

enum fer_exactness fer_exactness_of(const struct fer_network *net, const unsigned char *cut, int index)
{
    const struct fer_layer *layer = &net->layer[index];
    const enum fer_exactness exact = kind_of(layer)->exact;
    int k;
    if (exact == FER_NOT_EXACT || is_hidden(net, cut, index)) return FER_NOT_EXACT;
    if (cut[index]) return FER_DRAWN;
    for (k = 0; k < layer->inputs && exact == FER_COMPUTED; k++) {
        const int from = layer->input[k];
        if (kind_of(&net->layer[from])->exact == FER_NOT_EXACT || is_hidden(net, cut, from)) return FER_DRAWN;
    }
    return exact;
}

static int is_computed(const struct filling *f, int index)
{
    return fer_exactness_of(f->network, f->cut, index) == FER_COMPUTED;
}

static size_t common_multiple(size_t a, size_t b)
{
    return a % b ? a * b : a;
}

/* What is computed from multiples of k * divisor are multiples of k. So a layer's output must be a multiple of what its
 * consumers, and theirs, divide by; and the gradient of its output of what the layers before it divide by. */
static void find_units(struct filling *f)
{
    const struct fer_network *net = f->network;
    int i, k;
    for (i = 0; i < net->layers; i++) f->unit[i] = f->gradient_unit[i] = 1;
    for (i = net->layers - 1; i > 0; i--) {
        const struct fer_layer *layer = &net->layer[i];
        for (k = 0; k < layer->inputs && is_computed(f, i); k++)
            f->unit[layer->input[k]] = common_multiple(f->unit[layer->input[k]], f->unit[i] * divisor_of(net, layer));
    }
    for (i = 1; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        for (k = 0; k < layer->inputs && is_computed(f, i); k++)
            f->gradient_unit[i] = common_multiple(f->gradient_unit[i], f->gradient_unit[layer->input[k]]);
        f->gradient_unit[i] *= divisor_of(net, layer);
    }
}

/* x[k] = unit * one of the sixteen numbers. */
static void draw(const struct filling *f, int layer, int kind, const int numbers[NUMBERS], size_t unit, size_t count,
                 real *x)
{
    const uint32_t stream = (uint32_t)(layer * ARRAYS + kind);
#pragma omp parallel for
    for (size_t k = 0; k < count; k++) {
        const int number = numbers[fer_draw(f->seed, FER_FOR_CHECKS, stream, k) >> 28];
        x[k] = (real)unit * (real)(f->rehearsal && number < 0 ? -number : number);
    }
}

/* In the rehearsal: no sum of absolute values x[k] * divided may reach the limit. */
static int check(const struct filling *f, const char *name, const char *array, size_t count, const real *x,
                 size_t divided)
{
    double largest = 0;
    size_t k;
    if (!f->rehearsal) return 0;
    for (k = 0; k < count; k++)
        if ((double)x[k] > largest) largest = (double)x[k];
    if (largest * (double)divided < f->limit) return 0;
    return fer_fail(f->e,
                    "%s%s: sums reach %.0f, from where float32 may round: expected fewer or smaller images than %zu of "
                    "%zux%zu",
                    name, array, f->limit, f->n, f->network->height, f->network->width);
}

/* ---- Forward ---- */

static int forward(struct filling *f)
{
    struct fer_network *net = f->network;
    int i, k;
    f->towards = -1;
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        const struct fer_parameter *p = &net->parameter[layer->parameter];
        const size_t count = fer_layer_count(layer, f->n);
        const int last = i == net->layers - 1;
        const enum fer_exactness exact = fer_exactness_of(net, f->cut, i);
        char name[FER_MAX_ARRAY];
        if (exact == FER_DRAWN)
            draw(f, i, OF_OUTPUT, f->unit[i] > 1 ? dividends : outputs, f->unit[i], count, layer->output);
        if (exact != FER_COMPUTED) continue;
        f->at = i;
        for (k = 0; k < layer->parameters; k++) draw(f, i, OF_PARAMETERS + k, kernels, 1, p[k].count, p[k].value);
        fer_layer_forward(net, i, f->n, 1);
        fer_output_name(net, i, "", name);
        if (check(f, name, "", count, last ? net->logits : layer->output, divisor_of(net, layer))) return -1;
    }
    return 0;
}

/* ---- Backward ---- */

/* A gradient that no consumer has sent: that of the logits, and of what goes into a layer that is left out. */
static void draw_gradient(struct filling *f, int index)
{
    const struct fer_network *net = f->network;
    const struct fer_layer *layer = &net->layer[index];
    const size_t unit = f->gradient_unit[index];
    const int *numbers = unit > 1 ? dividend_gradients : gradients;
    if (index == net->layers - 1) numbers = logit_gradients;
    draw(f, index, OF_GRADIENT, numbers, unit, fer_layer_count(layer, f->n), layer->output_gradient);
}

static int layer_backward(struct filling *f, int index)
{
    const struct fer_network *net = f->network;
    const struct fer_layer *layer = &net->layer[index];
    const struct fer_parameter *p = &net->parameter[layer->parameter];
    int k;
    f->at = index;
    if (f->arrived[index] == 0) draw_gradient(f, index);
    fer_layer_backward(net, index, f->n, f->arrived);
    for (k = 0; k < layer->parameters; k++)
        if (p[k].trainable && check(f, p[k].name, "_grad", p[k].count, p[k].gradient, 1)) return -1;
    for (k = 0; k < layer->inputs; k++) {
        const struct fer_layer *from = &net->layer[layer->input[k]];
        char name[FER_MAX_ARRAY];
        fer_output_name(net, layer->input[k], "_grad", name);
        if (from->inputs && check(f, name, "", fer_layer_count(from, f->n), from->output_gradient, 1)) return -1;
    }
    return 0;
}

static int backward(struct filling *f)
{
    int i;
    for (i = 0; i < f->network->layers; i++) f->arrived[i] = 0;
    f->towards = 1;
    for (i = f->network->layers - 1; i > 0; i--)
        if (is_computed(f, i) && layer_backward(f, i)) return -1;
    return 0;
}

/* Where sums grow too large, the chain is cut at the nearest activation before (of gradients: behind) them. Returns 0
 * when there is none that is computed. */
static int cut_chain(struct filling *f)
{
    int i;
    for (i = f->at + f->towards; i > 0 && i < f->network->layers; i += f->towards)
        if (kind_of(&f->network->layer[i])->element_by_element && is_computed(f, i)) return f->cut[i] = 1;
    return 0;
}

int fer_exact_fill(struct fer_network *network, size_t n, uint64_t seed, double limit,
                   unsigned char cut[FER_MAX_LAYERS], struct fer_error *e)
{
    struct filling f = {0};
    int i, too_large;
    f.rehearsal = 1;
    f.network = network;
    f.n = n;
    f.seed = seed;
    f.limit = limit;
    f.cut = cut;
    f.e = e;
    for (i = 0; i < network->layers; i++) cut[i] = 0;
    do {
        find_units(&f);
        too_large = forward(&f) || backward(&f);
    } while (too_large && cut_chain(&f));
    if (too_large) return -1;
    f.rehearsal = 0;
    return forward(&f) || backward(&f) ? -1 : 0;
}
