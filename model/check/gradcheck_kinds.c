/* gradcheck_kinds.c - the cases of the gradient check for kinds of layers without weights, each as a layer of a small
 * network, through its row of kinds.c. As in gradcheck_layers.c y is made one number by a fixed random dy, and inputs
 * are drawn so that no step crosses a kink. */
#include "checks.h"

#include "../../layers/layers.h"

#include <math.h>
#include <stdio.h>

#define GARBAGE 123.0 /* a result that is not written does not look right */
enum { PLACES = 3 };

/* One kind: how its layer is added to a network. */
struct subject {
    enum fer_layer_type type;
    int (*add)(struct fer_builder *b, int input, const char *name);
    double size, kink[2]; /* inputs are from -size to size, and no nearer to a kink than a sixth of that */
    int kinks;
};

/* The layer in its network, and dy. */
struct at_work {
    struct fer_network *network;
    struct fer_layer *layer;
    size_t n;
    const real *dy;
};

static double f(void *context)
{
    struct at_work *w = context;
    fer_layer_forward(w->network, (int)(w->layer - w->network->layer), w->n, 1);
    return fer_gradcheck_dot(fer_layer_count(w->layer, w->n), w->dy, w->layer->output);
}

static void draw(const struct fer_gradcheck_run *run, const struct subject *s, uint32_t array, size_t count, real *x)
{
    size_t i;
    int k;
    for (i = 0; i < count; i++) {
        double value = s->size * (2 * fer_uniform(run->seed, FER_FOR_CHECKS, array, i) - 1);
        for (k = 0; k < s->kinks; k++)
            if (fabs(value - s->kink[k]) < s->size / 6) value += value < s->kink[k] ? -s->size / 6 : s->size / 6;
        x[i] = (real)value;
    }
}

/* The network: after the layer comes what any network ends with. NULL when it cannot be built. */
static struct fer_network *build(const struct subject *s, const size_t shape[4], int *index, struct fer_error *e)
{
    struct fer_builder b;
    struct fer_network *network;
    size_t k;
    int last, i;
    fer_network_begin(&b, shape[1], shape[2], shape[3]);
    *index = last = s->add(&b, 0, NULL);
    if (last >= 0 && !b.network->layer[last].flat) last = fer_add_global_average_pooling2d(&b, last, NULL);
    fer_add_dense(&b, last, NULL, 2);
    if (fer_network_end(&b, &network, e)) return NULL;
    if (fer_network_plan(network, shape[0], FER_PLAN_KEEP, e)) {
        fer_network_free(network);
        return NULL;
    }
    fer_network_initialise(network, 0);
    for (i = 0; i < network->layer[*index].parameters; i++) { /* not 0 and 1 */
        const struct fer_parameter *p = &network->parameter[network->layer[*index].parameter + i];
        for (k = 0; k < p->count; k++) p->value[k] = (real)(0.25 + 0.125 * (double)k);
    }
    return network;
}

/* A row for each input. dx: room for the gradients of all. */
static int check_inputs(struct fer_gradcheck_run *run, const struct subject *s, struct at_work *w, real *room,
                        struct fer_error *e)
{
    real *dx[FER_MAX_INPUTS];
    size_t at = 0;
    int k;
    for (k = 0; k < w->layer->inputs; k++) {
        const struct fer_layer *from = &w->network->layer[w->layer->input[k]];
        dx[k] = room + at;
        at += fer_layer_count(from, w->n);
        draw(run, s, 1 + (uint32_t)k, fer_layer_count(from, w->n), from->output);
    }
    while (at > 0) room[--at] = (real)GARBAGE;
    f(w);
    fer_kinds[w->layer->type].backward(w->network, w->layer, w->n, dx);
    for (k = 0; k < w->layer->inputs; k++) {
        const struct fer_layer *from = &w->network->layer[w->layer->input[k]];
        char geometry[80], argument[16];
        snprintf(geometry, sizeof geometry, "%zux%zux%zux%zu to %zux%zux%zu", w->n, from->height, from->width,
                 from->channels, w->layer->height, w->layer->width, w->layer->channels);
        snprintf(argument, sizeof argument, w->layer->inputs > 1 ? "x%d" : "x", k);
        if (fer_gradcheck_argument(run, geometry, argument, f, w, from->output, dx[k], fer_layer_count(from, w->n), e))
            return -1;
    }
    return 0;
}

static int check_shape(struct fer_gradcheck_run *run, const struct subject *s, const size_t shape[4],
                       struct fer_error *e)
{
    const struct subject not_small = {s->type, NULL, 1, {0, 0}, 1}; /* a small dy would drown in rounding */
    struct at_work w;
    size_t most = 0;
    real *room;
    int index, failed, k;
    if (!(w.network = build(s, shape, &index, e))) return -1;
    w.layer = &w.network->layer[index];
    w.n = shape[0];
    w.dy = w.layer->output_gradient;
    draw(run, &not_small, 0, fer_layer_count(w.layer, w.n), w.layer->output_gradient);
    for (k = 0; k < w.layer->inputs; k++) most += fer_layer_count(&w.network->layer[w.layer->input[k]], w.n);
    room = fer_allocate(most, sizeof *room, e);
    failed = !room || check_inputs(run, s, &w, room, e);
    fer_free(room);
    fer_network_free(w.network);
    return failed ? -1 : 0;
}

static int check(struct fer_gradcheck_run *run, const struct subject *s, struct fer_error *e)
{
    static const size_t shapes[PLACES][4] = {{2, 4, 5, 3}, {1, 3, 3, 17}, {3, 3, 4, 1}};
    int i;
    for (i = 0; i < PLACES; i++)
        if (check_shape(run, s, shapes[i], e)) return -1;
    return 0;
}

/* ---- The layers that are no single call of fer.h ---- */

static int leaky_relu(struct fer_builder *b, int input, const char *name)
{
    return fer_add_leaky_relu(b, input, name, 0.3, INFINITY);
}

static int bounded_relu(struct fer_builder *b, int input, const char *name)
{
    return fer_add_leaky_relu(b, input, name, 0.125, 0.75);
}

static int hard_sigmoid(struct fer_builder *b, int input, const char *name)
{
    return fer_add_hard_sigmoid(b, input, name, 1.0 / 6);
}

static int hard_sigmoid_of_keras2(struct fer_builder *b, int input, const char *name)
{
    return fer_add_hard_sigmoid(b, input, name, 0.2);
}

/* Several inputs: the network's input, passed on; and for Multiply its mean, one cell beside others. */
static int add_three(struct fer_builder *b, int x, const char *name)
{
    const int input[3] = {fer_add_linear(b, x, NULL), fer_add_linear(b, x, NULL), fer_add_linear(b, x, NULL)};
    return fer_add_add(b, input, 3, name);
}

static int multiply_three(struct fer_builder *b, int x, const char *name)
{
    const int input[3] = {fer_add_linear(b, x, NULL), fer_add_linear(b, x, NULL), fer_add_linear(b, x, NULL)};
    return fer_add_multiply(b, input, 3, name);
}

static int multiply_by_one_cell(struct fer_builder *b, int x, const char *name)
{
    const int input[3] = {fer_add_global_average_pooling2d_with(b, x, NULL, 1), fer_add_linear(b, x, NULL),
                          fer_add_global_average_pooling2d_with(b, x, NULL, 1)};
    return fer_add_multiply(b, input, 3, name);
}

static int reshape(struct fer_builder *b, int input, const char *name)
{
    const struct fer_layer *x = &b->network->layer[input];
    return fer_add_reshape(b, input, name, x->channels, x->height, x->width, 0);
}

static int zero_padding2d(struct fer_builder *b, int input, const char *name)
{
    return fer_add_zero_padding2d(b, input, name, 1, 2, 0, 3);
}

static int cropping2d(struct fer_builder *b, int input, const char *name)
{
    return fer_add_cropping2d(b, input, name, 0, 1, 2, 0);
}

/* Dropout has the same masks each time, since the step stays the same. */
static int dropout(struct fer_builder *b, int input, const char *name)
{
    return fer_add_dropout(b, input, name, 0.4);
}

static int image_dropout(struct fer_builder *b, int input, const char *name)
{
    return fer_add_image_dropout(b, input, name, 0.4);
}

static int spatial_dropout2d(struct fer_builder *b, int input, const char *name)
{
    return fer_add_spatial_dropout2d(b, input, name, 0.4);
}

static int rescaling(struct fer_builder *b, int input, const char *name)
{
    enum { MOST_CHANNELS = 17 };
    real scale[MOST_CHANNELS], offset[MOST_CHANNELS];
    int c;
    for (c = 0; c < MOST_CHANNELS; c++) scale[c] = (real)(c - 1.5), offset[c] = (real)(0.25 * c);
    return fer_add_rescaling(b, input, name, scale, offset);
}

int fer_gradcheck_in_network(struct fer_gradcheck_run *run, struct fer_error *e)
{
    static const struct subject subjects[] = {
        {FER_LEAKY_RELU, leaky_relu, 1, {0, 0}, 1},
        {FER_LEAKY_RELU, bounded_relu, 1.5, {0, 0.75}, 2},
        {FER_SIGMOID, fer_add_sigmoid, 3, {0, 0}, 0},
        {FER_HARD_SIGMOID, hard_sigmoid, 6, {-3, 3}, 2},
        {FER_HARD_SIGMOID, hard_sigmoid_of_keras2, 6, {-2.5, 2.5}, 2},
        {FER_TANH, fer_add_tanh, 3, {0, 0}, 0},
        {FER_SILU, fer_add_silu, 3, {0, 0}, 0},
        {FER_ELU, fer_add_elu, 3, {0, 0}, 1},
        {FER_SOFTMAX, fer_add_softmax, 2, {0, 0}, 0},
        {FER_ADD, add_three, 1, {0, 0}, 0},
        {FER_MULTIPLY, multiply_three, 2, {0, 0}, 0},
        {FER_MULTIPLY, multiply_by_one_cell, 2, {0, 0}, 0},
        {FER_RESHAPE, reshape, 1, {0, 0}, 0},
        {FER_RESHAPE, fer_add_flatten, 1, {0, 0}, 0},
        {FER_ZERO_PADDING2D, zero_padding2d, 1, {0, 0}, 0},
        {FER_CROPPING2D, cropping2d, 1, {0, 0}, 0},
        {FER_DROPOUT, dropout, 1, {0, 0}, 0},
        {FER_SPATIAL_DROPOUT2D, spatial_dropout2d, 1, {0, 0}, 0},
        {FER_SPATIAL_DROPOUT2D, image_dropout, 1, {0, 0}, 0},
        {FER_RESCALING, rescaling, 1, {0, 0}, 0},
        {FER_NORMALIZATION, fer_add_normalization, 1, {0, 0}, 0},
    };
    size_t i;
    for (i = 0; i < sizeof subjects / sizeof *subjects; i++)
        if (subjects[i].type == run->type && check(run, &subjects[i], e)) return -1;
    return 0;
}

/* ---- Pieces ---- */

long fer_leaky_relu_takes(const struct fer_layer *layer, const real *x, size_t cell)
{
    return x[cell] <= 0 ? 0 : x[cell] < (real)layer->max_value ? 1 : 2;
}

real fer_leaky_relu_taken(const struct fer_layer *layer, real x, long piece)
{
    return piece == 0 ? (layer->slope > 0 ? (real)layer->slope * x : 0) : piece == 1 ? x : (real)layer->max_value;
}

long fer_elu_takes(const struct fer_layer *layer, const real *x, size_t cell)
{
    (void)layer;
    return x[cell] <= 0 ? 0 : 1;
}

real fer_elu_taken(const struct fer_layer *layer, real x, long piece)
{
    real y;
    (void)layer;
    if (piece == 1) return x;
    if (x > 0) return (real)(fer_exp((double)x) - 1);
    fer_elu_forward(1, &x, &y);
    return y;
}

long fer_hard_sigmoid_takes(const struct fer_layer *layer, const real *x, size_t cell)
{
    const real line = (real)layer->slope * x[cell] + (real)0.5;
    return line <= 0 ? 0 : line < 1 ? 1 : 2;
}

real fer_hard_sigmoid_taken(const struct fer_layer *layer, real x, long piece)
{
    return piece == 0 ? 0 : piece == 1 ? (real)layer->slope * x + (real)0.5 : 1;
}
