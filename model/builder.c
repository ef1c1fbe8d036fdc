/* builder.c - networks, built layer by layer and freed. What a layer of some kind becomes stands in kinds.c. */
#include "kinds.h"

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
    int i, number;
    if (!name) {
        number = b->numbered[layer->type]++;
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

/* A layer with a window; channels 0: as many as the input has. */
static int add_window(struct fer_builder *b, enum fer_layer_type type, int input, const char *name, const size_t *filters,
                      const struct fer_window *window, enum fer_padding padding)
{
    struct fer_layer *layer = begin(b, type, &input, 1, name);
    if (!layer) return -1;
    if (filters) layer->channels = *filters;
    layer->window = *window;
    layer->padding = padding;
    return end(b, layer);
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

int fer_add_conv2d(struct fer_builder *b, int input, const char *name, size_t filters, size_t kernel_h, size_t kernel_w,
                   size_t stride_h, size_t stride_w, enum fer_padding padding)
{
    const struct fer_window window = window_of(kernel_h, kernel_w, stride_h, stride_w);
    return add_window(b, FER_CONV2D, input, name, &filters, &window, padding);
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

int fer_add_depthwise_convolution(struct fer_builder *b, int input, const char *name, const struct fer_convolution *c)
{
    struct fer_layer *layer = begin(b, FER_DEPTHWISE_CONV2D, &input, 1, name);
    const size_t multiplier = or_one(c->depth_multiplier);
    if (!layer) return -1;
    if (multiplier > SIZE_MAX / layer->channels)
        return fail(b, "%s: depth multiplier %zu: its output does not fit into memory: expected a smaller one", layer->name,
                    multiplier);
    layer->kernel_name = "depthwise_kernel";
    set_convolution(layer, c, layer->channels);
    layer->channels *= multiplier;
    return end(b, layer);
}

int fer_add_batch_normalization(struct fer_builder *b, int input, const char *name, double momentum, double epsilon)
{
    return fer_add_batch_normalization_with(b, input, name, momentum, epsilon, 0, 1);
}

int fer_add_batch_normalization_with(struct fer_builder *b, int input, const char *name, double momentum, double epsilon,
                                     int scale, int center)
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

int fer_add_max_pooling2d(struct fer_builder *b, int input, const char *name, size_t pool_h, size_t pool_w,
                          size_t stride_h, size_t stride_w, enum fer_padding padding)
{
    const struct fer_window window = window_of(pool_h, pool_w, stride_h, stride_w);
    return add_window(b, FER_MAX_POOLING2D, input, name, NULL, &window, padding);
}

int fer_add_average_pooling2d(struct fer_builder *b, int input, const char *name, size_t pool_h, size_t pool_w,
                              size_t stride_h, size_t stride_w, enum fer_padding padding)
{
    const struct fer_window window = window_of(pool_h, pool_w, stride_h, stride_w);
    return add_window(b, FER_AVERAGE_POOLING2D, input, name, NULL, &window, padding);
}

static int add_global_pooling(struct fer_builder *b, enum fer_layer_type type, int input, const char *name, int keepdims)
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

/* ---- The whole ---- */

static int check_whole(struct fer_builder *b)
{
    const struct fer_network *net = b->network;
    const struct fer_layer *last = &net->layer[net->layers - 1];
    int i;
    if (last->height != 1 || last->width != 1)
        return fail(b, "the last layer, %s, has height and width: expected one number a class, as Dense gives", last->name);
    if (!last->inputs || fer_kinds[last->type].backward_reads_output)
        return fail(b, "the last layer, %s, is of class %s: expected one that gives the logits, as Dense does", last->name,
                    last->class_name);
    for (i = 0; i < net->layers - 1; i++)
        if (net->layer[i].consumers == 0)
            return fail(b, "no layer takes from %s: expected every layer but the last to be an input", net->layer[i].name);
    return 0;
}

int fer_network_describe(struct fer_builder *b, struct fer_network **network, struct fer_error *e)
{
    *network = NULL;
    if (!b->failed) check_whole(b);
    if (b->failed) {
        fer_free(b->network);
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
    if (!network) return;
    fer_free(network->parameter[0].value);
    fer_free(network->arena);
    fer_free(network->statistics);
    fer_free(network->logits);
    fer_free(network);
}
