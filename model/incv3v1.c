/* incv3v1.c - the network: a small InceptionV3 (Szegedy et al., arXiv:1512.00567), as the Keras script builds it.
 *
 * Layers are numbered in the order of creation, branch by branch, as Keras numbers them. The order is also a valid
 * order of computation: every layer comes after those that it takes from. */
#include "model.h"

#include <stdio.h>
#include <string.h>

const char *const fer_layer_type_names[FER_LAYER_TYPES] = {
    "InputLayer",       "Conv2D",      "BatchNormalization",     "Activation", "MaxPooling2D",
    "AveragePooling2D", "Concatenate", "GlobalAveragePooling2D", "Dense"};

/* What is being built. After the first failure every further layer is passed over, so that the network below reads
 * straight down. */
struct builder {
    struct fer_network *network;
    struct fer_error *e;
    int failed;
};

/* Appends a layer that takes from `input`. Its name is the given one, or the Keras name of its type, numbered. */
static struct fer_layer *add_layer(struct builder *b, enum fer_layer_type type, const char *name, int input)
{
    static const char *const stems[FER_LAYER_TYPES] = {
        "input_1",           "conv2d",      "batch_normalization",      "activation", "max_pooling2d",
        "average_pooling2d", "concatenate", "global_average_pooling2d", "dense"};
    struct fer_network *net = b->network;
    struct fer_layer *layer = &net->layer[net->layers];
    const struct fer_layer *from = &net->layer[input];
    int i, number = 0;
    for (i = 0; i < net->layers; i++) number += net->layer[i].type == type;
    if (name)
        snprintf(layer->name, sizeof layer->name, "%s", name);
    else if (number == 0)
        snprintf(layer->name, sizeof layer->name, "%s", stems[type]);
    else
        snprintf(layer->name, sizeof layer->name, "%s_%d", stems[type], number);
    layer->type = type;
    layer->parameter = net->parameters;
    layer->height = from->height, layer->width = from->width, layer->channels = from->channels;
    if (net->layers > 0) {
        layer->inputs = 1;
        layer->input[0] = input;
        net->layer[input].consumers++;
    }
    net->layers++;
    return layer;
}

static void add_parameter(struct builder *b, struct fer_layer *layer, const char *name, int trainable, int dims, int s0,
                          int s1, int s2, int s3)
{
    struct fer_parameter *p = &b->network->parameter[b->network->parameters++];
    const int shape[4] = {s0, s1, s2, s3};
    int i;
    snprintf(p->name, sizeof p->name, "%s/%s", layer->name, name);
    p->dims = dims;
    p->count = 1;
    for (i = 0; i < dims; i++) p->count *= (size_t)(p->shape[i] = shape[i]);
    p->trainable = trainable;
    layer->parameters++;
}

/* A layer with a window: convolution or pooling. Returns its index. */
static int add_window(struct builder *b, enum fer_layer_type type, int input, int channels, int kernel_h, int kernel_w,
                      int stride, enum fer_padding padding)
{
    struct fer_error reason;
    struct fer_layer *layer;
    struct fer_window *g;
    if (b->failed) return 0;
    layer = add_layer(b, type, NULL, input);
    g = &layer->window;
    if (channels == 0) channels = layer->channels;
    if (fer_window_set(g, 1, layer->height, layer->width, layer->channels, channels, kernel_h, kernel_w, stride, stride,
                       padding, &reason)) {
        b->failed = fer_fail(b->e, "an image of %dx%d is too small for this network: %s: %s", b->network->size,
                             b->network->size, layer->name, reason.text);
        return 0;
    }
    layer->height = g->out_h, layer->width = g->out_w, layer->channels = g->out_c;
    if (type == FER_CONV2D) add_parameter(b, layer, "kernel", 1, 4, kernel_h, kernel_w, g->in_c, g->out_c);
    return b->network->layers - 1;
}

/* Convolution without bias, batch normalisation without gamma, ReLU. Returns the ReLU's index. */
static int conv2d_bn(struct builder *b, int input, int filters, int kernel_h, int kernel_w, int stride,
                     enum fer_padding padding)
{
    struct fer_layer *layer;
    const int convolution = add_window(b, FER_CONV2D, input, filters, kernel_h, kernel_w, stride, padding);
    if (b->failed) return 0;
    layer = add_layer(b, FER_BATCH_NORMALIZATION, NULL, convolution);
    add_parameter(b, layer, "beta", 1, 1, filters, 0, 0, 0);
    add_parameter(b, layer, "moving_mean", 0, 1, filters, 0, 0, 0);
    add_parameter(b, layer, "moving_variance", 0, 1, filters, 0, 0, 0);
    add_layer(b, FER_ACTIVATION, NULL, b->network->layers - 1);
    return b->network->layers - 1;
}

static int conv(struct builder *b, int input, int filters, int kernel_h, int kernel_w)
{
    return conv2d_bn(b, input, filters, kernel_h, kernel_w, 1, FER_SAME);
}

static int max_pool(struct builder *b, int input)
{
    return add_window(b, FER_MAX_POOLING2D, input, 0, 3, 3, 2, FER_VALID);
}

static int average_pool(struct builder *b, int input)
{
    return add_window(b, FER_AVERAGE_POOLING2D, input, 0, 3, 3, 1, FER_SAME);
}

static int concatenate(struct builder *b, const char *name, int inputs, const int *input)
{
    struct fer_layer *layer;
    int i;
    if (b->failed) return 0;
    layer = add_layer(b, FER_CONCATENATE, name, input[0]);
    layer->inputs = inputs;
    for (i = 1; i < inputs; i++) {
        layer->input[i] = input[i];
        layer->channels += b->network->layer[input[i]].channels;
        b->network->layer[input[i]].consumers++;
    }
    return b->network->layers - 1;
}

static int stem(struct builder *b, int x)
{
    x = conv2d_bn(b, x, 32, 3, 3, 2, FER_SAME);
    x = conv(b, x, 32, 3, 3);
    x = conv(b, x, 64, 3, 3);
    x = max_pool(b, x);
    x = conv(b, x, 80, 1, 1);
    x = conv(b, x, 192, 3, 3);
    return max_pool(b, x);
}

/* mixed0, mixed1, mixed2. */
static int mixed_a(struct builder *b, const char *name, int x, int pool_filters)
{
    int branch[4];
    branch[0] = conv(b, x, 64, 1, 1);
    branch[1] = conv(b, x, 48, 1, 1);
    branch[1] = conv(b, branch[1], 64, 3, 3);
    branch[2] = conv(b, x, 64, 1, 1);
    branch[2] = conv(b, branch[2], 96, 3, 3);
    branch[2] = conv(b, branch[2], 96, 3, 3);
    branch[3] = average_pool(b, x);
    branch[3] = conv(b, branch[3], pool_filters, 1, 1);
    return concatenate(b, name, 4, branch);
}

/* mixed3: half the height and width. */
static int mixed_b(struct builder *b, const char *name, int x)
{
    int branch[3];
    branch[0] = conv2d_bn(b, x, 384, 3, 3, 2, FER_VALID);
    branch[1] = conv(b, x, 64, 1, 1);
    branch[1] = conv(b, branch[1], 96, 3, 3);
    branch[1] = conv2d_bn(b, branch[1], 96, 3, 3, 2, FER_VALID);
    branch[2] = max_pool(b, x);
    return concatenate(b, name, 3, branch);
}

/* mixed4: 7x7 convolutions as 1x7 and 7x1. */
static int mixed_c(struct builder *b, const char *name, int x)
{
    int branch[4];
    branch[0] = conv(b, x, 192, 1, 1);
    branch[1] = conv(b, x, 128, 1, 1);
    branch[1] = conv(b, branch[1], 128, 1, 7);
    branch[1] = conv(b, branch[1], 192, 7, 1);
    branch[2] = conv(b, x, 128, 1, 1);
    branch[2] = conv(b, branch[2], 128, 7, 1);
    branch[2] = conv(b, branch[2], 128, 1, 7);
    branch[2] = conv(b, branch[2], 128, 7, 1);
    branch[2] = conv(b, branch[2], 192, 1, 7);
    branch[3] = average_pool(b, x);
    branch[3] = conv(b, branch[3], 192, 1, 1);
    return concatenate(b, name, 4, branch);
}

static void head(struct builder *b, int x)
{
    struct fer_layer *layer;
    if (b->failed) return;
    layer = add_layer(b, FER_GLOBAL_AVERAGE_POOLING2D, "avg_pool", x);
    layer->height = layer->width = 1;
    layer = add_layer(b, FER_DENSE, "predictions", b->network->layers - 1);
    add_parameter(b, layer, "kernel", 1, 2, layer->channels, FER_CLASSES, 0, 0);
    add_parameter(b, layer, "bias", 1, 1, FER_CLASSES, 0, 0, 0);
    layer->channels = FER_CLASSES;
}

int fer_incv3v1(struct fer_network *network, struct fer_error *e)
{
    struct builder b = {network, e, 0};
    struct fer_layer *input = add_layer(&b, FER_INPUT, NULL, 0);
    int x;
    input->height = input->width = network->size;
    input->channels = 1;
    x = stem(&b, 0);
    x = mixed_a(&b, "mixed0", x, 32);
    x = mixed_a(&b, "mixed1", x, 64);
    x = mixed_a(&b, "mixed2", x, 64);
    x = mixed_b(&b, "mixed3", x);
    x = mixed_c(&b, "mixed4", x);
    head(&b, x);
    return b.failed;
}
