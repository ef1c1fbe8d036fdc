/* builder.c - networks, built layer by layer and freed. What a layer of some kind becomes stands in kinds.c. */
#include "kinds.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- A layer: begun, given its settings, ended ---- */

/* Only the first reason counts. Returns -1. */
static int fail(struct fer_builder *b, const char *format, ...)
{
    char text[sizeof b->reason.text];
    va_list arguments;
    if (b->failed) return -1;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    b->failed = 1;
    return fer_fail(&b->reason, "%s", text);
}

static int set_name(struct fer_builder *b, struct fer_layer *layer, const char *name)
{
    const char *stem = fer_kinds[layer->type].stem;
    int i, number, same = 0; /* the first kind with this stem, by which all of them are numbered */
    if (!name) {
        while (strcmp(fer_kinds[same].stem, stem) != 0) same++;
        number = b->numbered[same]++;
        snprintf(layer->name, sizeof layer->name, number ? "%s_%d" : "%s", stem, number);
    } else if (*name == 0 || strlen(name) >= sizeof layer->name) {
        return fail(b, "a layer's name is `%.80s`: expected 1 to %d characters", name, FER_MAX_NAME - 1);
    } else {
        snprintf(layer->name, sizeof layer->name, "%s", name);
    }
    for (i = 0; i < b->network->layers; i++)
        if (strcmp(b->network->layer[i].name, layer->name) == 0 &&
            strcmp(b->network->layer[i].output_name, layer->output_name) == 0)
            return fail(b, "two layers are named %s: expected names that differ", layer->name);
    return 0;
}

static int set_inputs(struct fer_builder *b, struct fer_layer *layer, const int *input, int inputs)
{
    int k;
    if (inputs < 1 || inputs > FER_MAX_INPUTS)
        return fail(b, "%s: %d inputs: expected 1 to %d", layer->name, inputs, FER_MAX_INPUTS);
    for (k = 0; k < inputs; k++) {
        if (input[k] < 0 || input[k] >= b->network->layers)
            return fail(b, "%s: input %d: expected the index of an earlier layer, 0 to %d", layer->name, input[k],
                        b->network->layers - 1);
        layer->input[k] = input[k];
    }
    layer->inputs = inputs;
    return 0;
}

/* The next layer, shaped like its first input, for its settings to be put in; NULL after a failure. */
static struct fer_layer *begin(struct fer_builder *b, enum fer_layer_type type, const int *input, int inputs,
                               const char *name)
{
    struct fer_network *net = b->network;
    const struct fer_layer *from;
    struct fer_layer *layer;
    if (b->failed) return NULL;
    if (net->layers == FER_MAX_LAYERS) {
        fail(b, "a network has at most %d layers: expected fewer, or a larger FER_MAX_LAYERS in fer.h", FER_MAX_LAYERS);
        return NULL;
    }
    layer = &net->layer[net->layers];
    layer->type = type;
    layer->class_name = fer_kinds[type].class_name;
    layer->output_name = "output";
    layer->kernel_name = "kernel";
    layer->frozen = b->frozen;
    layer->inference = b->inference;
    layer->parameter = net->parameters;
    if (set_name(b, layer, name)) return NULL;
    if (!fer_kinds[type].forward) return layer; /* the input, which takes from none */
    if (set_inputs(b, layer, input, inputs)) return NULL;
    from = &net->layer[input[0]];
    layer->height = from->height, layer->width = from->width, layer->channels = from->channels;
    layer->flat = from->flat;
    return layer;
}

/* Its shape and parameters. Returns the layer's index, or -1. */
static int end(struct fer_builder *b, struct fer_layer *layer)
{
    const struct fer_kind *kind = &fer_kinds[layer->type];
    int k;
    if (kind->shape && kind->shape(b->network, layer, &b->reason)) return b->failed = 1, -1;
    if ((double)layer->height * (double)layer->width * (double)layer->channels > (double)(SIZE_MAX / 2 / sizeof(real)))
        return fail(b, "%s: an output of %zux%zux%zu does not fit into memory: expected smaller sizes", layer->name,
                    layer->height, layer->width, layer->channels);
    for (k = 0; k < layer->inputs; k++) b->network->layer[layer->input[k]].consumers++;
    return b->network->layers++;
}

/* A layer with one input and no settings. */
static int add_plain(struct fer_builder *b, enum fer_layer_type type, int input, const char *name)
{
    struct fer_layer *layer = begin(b, type, &input, 1, name);
    return layer ? end(b, layer) : -1;
}

static struct fer_window window_of(size_t kernel_h, size_t kernel_w, size_t stride_h, size_t stride_w)
{
    struct fer_window g = {0};
    g.kernel_h = kernel_h, g.kernel_w = kernel_w, g.stride_h = stride_h, g.stride_w = stride_w;
    return g;
}

/* ---- The kinds ---- */

int fer_network_begin(struct fer_builder *b, size_t height, size_t width, size_t channels)
{
    const struct fer_builder nothing = {0};
    struct fer_layer *layer;
    *b = nothing;
    if (fer_arithmetic_check(&b->reason) || !(b->network = fer_allocate(1, sizeof *b->network, &b->reason)))
        return b->failed = 1, -1;
    if (!height || !width || !channels)
        return fail(b, "an input of %zux%zux%zu: expected positive sizes", height, width, channels);
    layer = begin(b, FER_INPUT, NULL, 0, "input_1");
    layer->height = b->network->height = height;
    layer->width = b->network->width = width;
    layer->channels = b->network->channels = channels;
    return end(b, layer);
}

static size_t or_one(size_t setting)
{
    return setting ? setting : 1;
}

static void set_convolution(struct fer_layer *layer, const struct fer_convolution *c, size_t groups)
{
    layer->window = window_of(c->kernel_h, c->kernel_w, or_one(c->stride_h), or_one(c->stride_w));
    layer->window.dilation_h = c->dilation_h, layer->window.dilation_w = c->dilation_w;
    layer->window.groups = groups;
    layer->padding = c->padding;
    layer->bias = c->bias;
    if (c->kernel) layer->kernel_name = c->kernel;
}

int fer_add_convolution(struct fer_builder *b, int input, const char *name, const struct fer_convolution *c)
{
    struct fer_layer *layer = begin(b, FER_CONV2D, &input, 1, name);
    if (!layer) return -1;
    set_convolution(layer, c, c->groups);
    layer->channels = c->filters;
    return end(b, layer);
}

int fer_add_conv2d(struct fer_builder *b, int input, const char *name, size_t filters, size_t kernel_h, size_t kernel_w,
                   size_t stride_h, size_t stride_w, enum fer_padding padding)
{
    struct fer_layer *layer = begin(b, FER_CONV2D, &input, 1, name);
    if (!layer) return -1;
    layer->channels = filters;
    layer->window = window_of(kernel_h, kernel_w, stride_h, stride_w);
    layer->padding = padding;
    return end(b, layer);
}

int fer_add_depthwise_convolution(struct fer_builder *b, int input, const char *name, const struct fer_convolution *c)
{
    struct fer_layer *layer = begin(b, FER_DEPTHWISE_CONV2D, &input, 1, name);
    const size_t multiplier = or_one(c->depth_multiplier);
    if (!layer) return -1;
    if (multiplier > SIZE_MAX / layer->channels)
        return fail(b, "%s: depth multiplier %zu: its output does not fit into memory: expected a smaller one",
                    layer->name, multiplier);
    layer->kernel_name = "depthwise_kernel";
    set_convolution(layer, c, layer->channels);
    layer->channels *= multiplier;
    return end(b, layer);
}

int fer_add_batch_normalization(struct fer_builder *b, int input, const char *name, double momentum, double epsilon)
{
    return fer_add_batch_normalization_with(b, input, name, momentum, epsilon, 0, 1);
}

int fer_add_batch_normalization_with(struct fer_builder *b, int input, const char *name, double momentum,
                                     double epsilon, int scale, int center)
{
    struct fer_layer *layer = begin(b, FER_BATCH_NORMALIZATION, &input, 1, name);
    if (!layer) return -1;
    if (!(momentum >= 0 && momentum <= 1) || !(epsilon >= 0))
        return fail(b, "%s: momentum %g, epsilon %g: expected 0 <= momentum <= 1, 0 <= epsilon", layer->name, momentum,
                    epsilon);
    layer->momentum = momentum;
    layer->epsilon = epsilon;
    layer->unbiased = 1;
    layer->scale = scale;
    layer->center = center;
    return end(b, layer);
}

int fer_add_relu(struct fer_builder *b, int input, const char *name)
{
    return add_plain(b, FER_ACTIVATION, input, name);
}

static int add_pooling(struct fer_builder *b, enum fer_layer_type type, int input, const char *name,
                       struct fer_window window, enum fer_padding padding)
{
    struct fer_layer *layer = begin(b, type, &input, 1, name);
    if (!layer) return -1;
    layer->window = window;
    layer->padding = padding;
    return end(b, layer);
}

int fer_add_max_pooling2d(struct fer_builder *b, int input, const char *name, size_t pool_h, size_t pool_w,
                          size_t stride_h, size_t stride_w, enum fer_padding padding)
{
    return add_pooling(b, FER_MAX_POOLING2D, input, name, window_of(pool_h, pool_w, stride_h, stride_w), padding);
}

int fer_add_average_pooling2d(struct fer_builder *b, int input, const char *name, size_t pool_h, size_t pool_w,
                              size_t stride_h, size_t stride_w, enum fer_padding padding)
{
    return add_pooling(b, FER_AVERAGE_POOLING2D, input, name, window_of(pool_h, pool_w, stride_h, stride_w), padding);
}

static int add_global_pooling(struct fer_builder *b, enum fer_layer_type type, int input, const char *name,
                              int keepdims)
{
    struct fer_layer *layer = begin(b, type, &input, 1, name);
    if (!layer) return -1;
    layer->keepdims = keepdims;
    return end(b, layer);
}

int fer_add_global_average_pooling2d(struct fer_builder *b, int input, const char *name)
{
    return add_global_pooling(b, FER_GLOBAL_AVERAGE_POOLING2D, input, name, 0);
}

int fer_add_global_average_pooling2d_with(struct fer_builder *b, int input, const char *name, int keepdims)
{
    return add_global_pooling(b, FER_GLOBAL_AVERAGE_POOLING2D, input, name, keepdims);
}

int fer_add_global_max_pooling2d(struct fer_builder *b, int input, const char *name, int keepdims)
{
    return add_global_pooling(b, FER_GLOBAL_MAX_POOLING2D, input, name, keepdims);
}

int fer_add_concatenate(struct fer_builder *b, const int *input, int inputs, const char *name)
{
    struct fer_layer *layer = begin(b, FER_CONCATENATE, input, inputs, name);
    return layer ? end(b, layer) : -1;
}

int fer_add_dense(struct fer_builder *b, int input, const char *name, size_t units)
{
    return fer_add_dense_with(b, input, name, units, 1);
}

int fer_add_dense_with(struct fer_builder *b, int input, const char *name, size_t units, int bias)
{
    struct fer_layer *layer = begin(b, FER_DENSE, &input, 1, name);
    if (!layer) return -1;
    layer->channels = units;
    layer->bias = bias;
    return end(b, layer);
}

int fer_add_leaky_relu(struct fer_builder *b, int input, const char *name, double slope, double max_value)
{
    struct fer_layer *layer = begin(b, FER_LEAKY_RELU, &input, 1, name);
    if (!layer) return -1;
    if (!(slope >= 0 && slope < INFINITY) || !(max_value > 0))
        return fail(b, "%s: slope %g, largest value %g: expected 0 <= slope, and a positive value", layer->name, slope,
                    max_value);
    layer->slope = slope;
    layer->max_value = max_value;
    return end(b, layer);
}

int fer_add_sigmoid(struct fer_builder *b, int input, const char *name)
{
    return add_plain(b, FER_SIGMOID, input, name);
}

int fer_add_hard_sigmoid(struct fer_builder *b, int input, const char *name, double slope)
{
    struct fer_layer *layer = begin(b, FER_HARD_SIGMOID, &input, 1, name);
    if (!layer) return -1;
    if (!(slope > 0 && slope < INFINITY))
        return fail(b, "%s: slope %g: expected a positive number", layer->name, slope);
    layer->slope = slope;
    return end(b, layer);
}

int fer_add_tanh(struct fer_builder *b, int input, const char *name)
{
    return add_plain(b, FER_TANH, input, name);
}

int fer_add_silu(struct fer_builder *b, int input, const char *name)
{
    return add_plain(b, FER_SILU, input, name);
}

int fer_add_elu(struct fer_builder *b, int input, const char *name)
{
    return add_plain(b, FER_ELU, input, name);
}

int fer_add_softmax(struct fer_builder *b, int input, const char *name)
{
    return add_plain(b, FER_SOFTMAX, input, name);
}

int fer_add_add(struct fer_builder *b, const int *input, int inputs, const char *name)
{
    struct fer_layer *layer = begin(b, FER_ADD, input, inputs, name);
    return layer ? end(b, layer) : -1;
}

int fer_add_multiply(struct fer_builder *b, const int *input, int inputs, const char *name)
{
    struct fer_layer *layer = begin(b, FER_MULTIPLY, input, inputs, name);
    return layer ? end(b, layer) : -1;
}

int fer_add_reshape(struct fer_builder *b, int input, const char *name, size_t height, size_t width, size_t channels,
                    int flat)
{
    struct fer_layer *layer = begin(b, FER_RESHAPE, &input, 1, name);
    if (!layer) return -1;
    if (flat && (height != 1 || width != 1))
        return fail(b, "%s: %zux%zu and flat: expected 1x1", layer->name, height, width);
    layer->height = height, layer->width = width, layer->channels = channels;
    layer->flat = flat;
    return end(b, layer);
}

int fer_add_flatten(struct fer_builder *b, int input, const char *name)
{
    struct fer_layer *layer;
    char numbered[FER_MAX_NAME];
    int number = 0, i;
    for (i = 0; !name && !b->failed && i < b->network->layers; i++)
        number += strcmp(b->network->layer[i].class_name, "Flatten") == 0;
    snprintf(numbered, sizeof numbered, number ? "flatten_%d" : "flatten", number);
    layer = begin(b, FER_RESHAPE, &input, 1, name ? name : numbered);
    if (!layer) return -1;
    layer->class_name = "Flatten";
    layer->channels *= layer->height * layer->width;
    layer->height = layer->width = 1;
    layer->flat = 1;
    return end(b, layer);
}

int fer_add_linear(struct fer_builder *b, int input, const char *name)
{
    struct fer_layer *layer = begin(b, FER_RESHAPE, &input, 1, name);
    if (!layer) return -1;
    layer->class_name = "Activation";
    return end(b, layer);
}

static int add_edges(struct fer_builder *b, enum fer_layer_type type, int input, const char *name, size_t top,
                     size_t bottom, size_t left, size_t right)
{
    const size_t most = (size_t)1 << 28;
    struct fer_layer *layer = begin(b, type, &input, 1, name);
    if (!layer) return -1;
    if (top > most || bottom > most || left > most || right > most)
        return fail(b, "%s: edges of %zu,%zu,%zu,%zu cells: expected at most %zu", layer->name, top, bottom, left,
                    right, most);
    layer->edge[0] = top, layer->edge[1] = bottom, layer->edge[2] = left, layer->edge[3] = right;
    return end(b, layer);
}

int fer_add_zero_padding2d(struct fer_builder *b, int input, const char *name, size_t top, size_t bottom, size_t left,
                           size_t right)
{
    return add_edges(b, FER_ZERO_PADDING2D, input, name, top, bottom, left, right);
}

int fer_add_cropping2d(struct fer_builder *b, int input, const char *name, size_t top, size_t bottom, size_t left,
                       size_t right)
{
    return add_edges(b, FER_CROPPING2D, input, name, top, bottom, left, right);
}

static int add_dropout(struct fer_builder *b, enum fer_layer_type type, int input, const char *name, double rate)
{
    struct fer_layer *layer = begin(b, type, &input, 1, name);
    if (!layer) return -1;
    if (!(rate >= 0 && rate < 1)) return fail(b, "%s: rate %g: expected 0 <= rate < 1", layer->name, rate);
    layer->rate = rate;
    return end(b, layer);
}

int fer_add_dropout(struct fer_builder *b, int input, const char *name, double rate)
{
    return add_dropout(b, FER_DROPOUT, input, name, rate);
}

int fer_add_spatial_dropout2d(struct fer_builder *b, int input, const char *name, double rate)
{
    return add_dropout(b, FER_SPATIAL_DROPOUT2D, input, name, rate);
}

int fer_add_image_dropout(struct fer_builder *b, int input, const char *name, double rate)
{
    const int index = add_dropout(b, FER_SPATIAL_DROPOUT2D, input, name, rate);
    if (index < 0) return -1;
    b->network->layer[index].class_name = "Dropout";
    b->network->layer[index].whole_images = 1;
    return index;
}

int fer_add_rescaling(struct fer_builder *b, int input, const char *name, const real *scale, const real *offset)
{
    struct fer_layer *layer = begin(b, FER_RESCALING, &input, 1, name);
    struct fer_network *net = b->network;
    size_t size;
    real *constants;
    if (!layer) return -1;
    size = layer->channels * sizeof *constants;
    if (!(constants = fer_allocate(net->constant_count + 2 * layer->channels, sizeof *constants, &b->reason)))
        return b->failed = 1, -1;
    if (net->constant_count) memcpy(constants, net->constants, net->constant_count * sizeof *constants);
    layer->constants = net->constant_count;
    memcpy(constants + layer->constants, scale, size);
    memcpy(constants + layer->constants + layer->channels, offset, size);
    fer_free(net->constants);
    net->constants = constants;
    net->constant_count += 2 * layer->channels;
    return end(b, layer);
}

int fer_add_normalization(struct fer_builder *b, int input, const char *name)
{
    return add_plain(b, FER_NORMALIZATION, input, name);
}

/* ---- The whole ---- */

static int check_whole(struct fer_builder *b)
{
    const struct fer_network *net = b->network;
    const struct fer_layer *last = &net->layer[net->layers - 1];
    int i;
    if (last->height != 1 || last->width != 1)
        return fail(b, "the last layer, %s, has height and width: expected one number a class, as Dense gives",
                    last->name);
    if (!last->inputs || fer_kinds[last->type].backward_reads_output)
        return fail(b, "the last layer, %s, is of class %s: expected one that gives the logits, as Dense does",
                    last->name, last->class_name);
    for (i = 0; i < net->layers - 1; i++)
        if (net->layer[i].consumers == 0)
            return fail(b, "no layer takes from %s: expected every layer but the last to be an input",
                        net->layer[i].name);
    return 0;
}

int fer_network_describe(struct fer_builder *b, struct fer_network **network, struct fer_error *e)
{
    *network = NULL;
    if (!b->failed) check_whole(b);
    if (b->failed) {
        fer_network_free(b->network);
        b->network = NULL;
        return fer_fail(e, "%s", b->reason.text);
    }
    *network = b->network;
    (*network)->classes = (*network)->layer[(*network)->layers - 1].channels;
    snprintf((*network)->softmax, sizeof (*network)->softmax, "%s", (*network)->layer[(*network)->layers - 1].name);
    b->network = NULL;
    return 0;
}

/* Memory of all parameters: values, and of the trainable ones gradient, m and v. One block. */
static int allocate_parameters(struct fer_network *net, struct fer_error *e)
{
    size_t reals = 0;
    real *next;
    int i;
    for (i = 0; i < net->parameters; i++) {
        const size_t more = net->parameter[i].count * (net->parameter[i].trainable ? 4 : 1);
        if (reals > SIZE_MAX / sizeof *next - more)
            return fer_fail(e, "the parameters do not fit into memory: expected fewer or smaller layers");
        reals += more;
    }
    next = fer_allocate(reals, sizeof *next, e);
    if (!next) return -1;
    for (i = 0; i < net->parameters; i++) {
        struct fer_parameter *p = &net->parameter[i];
        p->value = next, next += p->count;
        if (!p->trainable) continue;
        p->gradient = next, next += p->count;
        p->m = next, next += p->count;
        p->v = next, next += p->count;
    }
    return 0;
}

int fer_network_allocate(struct fer_network **network, struct fer_error *e)
{
    if (allocate_parameters(*network, e) == 0) return 0;
    fer_network_free(*network);
    *network = NULL;
    return -1;
}

int fer_network_end(struct fer_builder *b, struct fer_network **network, struct fer_error *e)
{
    return fer_network_describe(b, network, e) || fer_network_allocate(network, e) ? -1 : 0;
}

void fer_network_free(struct fer_network *network)
{
    int i;
    if (!network) return;
    for (i = 0; i < network->parameters; i++) fer_free(network->parameter[i].average);
    fer_free(network->parameter[0].value);
    fer_free(network->constants);
    fer_free(network->arena);
    fer_free(network->statistics);
    fer_free(network->logits);
    fer_free(network);
}
