/* keras_layers.c - Keras's layers: what each class's config says, and what it becomes in the network. The table at the
 * end has them all. Defaults are those of Keras 2.15 and 3.15, which are the same but where it is said. */
#include "keras.h"

#include <math.h>
#include <string.h>

/* Functions that add a layer return the index of its output; or -1, with the reason in r->e. */

/* Class and initializers of a layer that the builder has just added; where it could not, index is -1. */
static int added(struct fer_keras *r, const struct fer_keras_layer *l, int index)
{
    if (index < 0) return fer_keras_fail(r, l, "%s", r->b.reason.text);
    r->b.network->layer[index].class_name = fer_keras_class(l->class_name);
    fer_keras_initializers(r, l, index);
    return index;
}

/* ---- Activations ---- */

enum { LINEAR, RELU, RELU6, LEAKY_RELU, ELU, SIGMOID, HARD_SIGMOID, TANH, SILU, SWISH, SOFTMAX };

struct activation {
    int function;
    double negative_slope, max_value; /* of RELU */
};

static int activation_named(const char *name, struct activation *a)
{
    static const char *const names[] = {"linear", "relu", "relu6", "leaky_relu", "elu", "sigmoid",
                                        "hard_sigmoid", "tanh", "silu", "swish", "softmax"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) break;
    if (i == sizeof names / sizeof *names) return -1;
    a->function = (int)i;
    a->negative_slope = 0;
    a->max_value = INFINITY;
    if (a->function == RELU6) a->function = RELU, a->max_value = 6;
    if (a->function == LEAKY_RELU) a->function = RELU, a->negative_slope = 0.2; /* of the function; the layer has 0.3 */
    if (a->function == SWISH) a->function = SILU;
    return 0;
}

static int read_relu(struct fer_keras *r, const struct fer_keras_layer *l, struct activation *a)
{
    double threshold = 0;
    a->function = RELU;
    a->negative_slope = 0;
    a->max_value = INFINITY;
    if (fer_keras_number(r, l, "threshold", &threshold) || fer_keras_number(r, l, "max_value", &a->max_value) ||
        fer_keras_number(r, l, "negative_slope", &a->negative_slope))
        return -1;
    if (threshold != 0) return fer_keras_fail(r, l, "threshold: %g: expected 0", threshold);
    if (a->max_value < 0)
        return fer_keras_fail(r, l, "max_value: %g: expected null or a positive number", a->max_value);
    if (a->negative_slope < 0) return fer_keras_fail(r, l, "negative_slope: %g: expected 0 or more", a->negative_slope);
    return 0;
}

/* alpha in Keras 2, negative_slope in Keras 3. */
static int read_leaky_relu(struct fer_keras *r, const struct fer_keras_layer *l, struct activation *a)
{
    a->function = RELU;
    a->negative_slope = 0.3;
    a->max_value = INFINITY;
    if (fer_keras_number(r, l, "alpha", &a->negative_slope) ||
        fer_keras_number(r, l, "negative_slope", &a->negative_slope))
        return -1;
    if (a->negative_slope < 0)
        return fer_keras_fail(r, l, "%s: %g: expected 0 or more",
                              fer_keras_key(l, "alpha") ? "alpha" : "negative_slope", a->negative_slope);
    return 0;
}

/* Of all axes the last one will do: -1, or 3 of an image, 1 of a flat output. */
static int check_softmax(struct fer_keras *r, const struct fer_keras_layer *l, int flat)
{
    const struct fer_json_node *axis = fer_keras_key(l, "axis");
    char text[64];
    if (axis && axis->type == FER_JSON_ARRAY && axis->count == 1) axis = axis->child;
    if (!axis || (axis->type == FER_JSON_NUMBER && (axis->number == -1 || axis->number == (flat ? 1 : 3)))) return 0;
    fer_keras_show(axis, text);
    return fer_keras_fail(r, l, "axis: %s: expected -1, the last one", text);
}

/* The value of `activation`: a name, an object that holds one, or a layer of its own. */
static int read_activation(struct fer_keras *r, const struct fer_keras_layer *l, struct activation *a)
{
    const struct fer_json_node *node = fer_keras_key(l, "activation"), *name = node, *class_name, *own;
    struct fer_keras_layer inner = *l;
    char text[64];
    activation_named("linear", a);
    if (!node) return 0;
    if (node->type == FER_JSON_OBJECT) {
        class_name = fer_json_member(node, "class_name");
        name = fer_json_member(node, "config");
        inner.config = name;
        /* somebody's own function may have the name of one of Keras's */
        own = fer_json_member(node, "registered_name");
        if (own && own->type == FER_JSON_STRING && strchr(own->text, '>'))
            return fer_keras_fail_key(r, l, "activation", own, "one of Keras's own");
        if (class_name && class_name->type == FER_JSON_STRING && strcmp(class_name->text, "ReLU") == 0)
            return read_relu(r, &inner, a);
        if (class_name && class_name->type == FER_JSON_STRING && strcmp(class_name->text, "LeakyReLU") == 0)
            return read_leaky_relu(r, &inner, a);
        if (name && name->type == FER_JSON_OBJECT) name = fer_json_member(name, "activation"); /* an Activation layer */
        if (!name) name = class_name;
    }
    if (name && name->type == FER_JSON_STRING && activation_named(name->text, a) == 0) return 0;
    fer_keras_show(name ? name : node, text);
    return fer_keras_fail(r, l,
                          "activation: %s: expected linear, relu, relu6, leaky_relu, elu, sigmoid, hard_sigmoid, tanh, "
                                "silu, swish or softmax", text);
}

/* The activation as a layer of this name, where `input` is. The softmax that ends the network is part of its last
 * layer. */
static int add_activation(struct fer_keras *r, const struct fer_keras_layer *l, const struct activation *a, int input)
{
    struct fer_builder *b = &r->b;
    if (a->function == SOFTMAX && check_softmax(r, l, b->network->layer[input].flat)) return -1;
    if (a->function == SOFTMAX && l->is_output) {
        snprintf(r->softmax, sizeof r->softmax, "%s", l->name ? l->name : b->network->layer[input].name);
        r->ended = 1;
        return input;
    }
    switch (a->function) {
    case LINEAR: return added(r, l, fer_add_linear(b, input, l->name));
    case ELU: return added(r, l, fer_add_elu(b, input, l->name));
    case SIGMOID: return added(r, l, fer_add_sigmoid(b, input, l->name));
    case HARD_SIGMOID: return added(r, l, fer_add_hard_sigmoid(b, input, l->name, r->version == 2 ? 0.2 : 1.0 / 6));
    case TANH: return added(r, l, fer_add_tanh(b, input, l->name));
    case SILU: return added(r, l, fer_add_silu(b, input, l->name));
    case SOFTMAX: return added(r, l, fer_add_softmax(b, input, l->name));
    default:
        if (a->negative_slope > 0 || a->max_value < INFINITY)
            return added(r, l, fer_add_leaky_relu(b, input, l->name, a->negative_slope, a->max_value));
        return added(r, l, fer_add_relu(b, input, l->name));
    }
}

/* The layer's own activation, behind the layer that was just added. Both have its name; what is between is the
 * preactivation. */
static int own_activation(struct fer_keras *r, const struct fer_keras_layer *l, int index)
{
    struct fer_layer *layer;
    struct fer_keras_layer named = *l;
    struct activation a;
    if (added(r, l, index) < 0 || read_activation(r, l, &a)) return -1;
    if (a.function == LINEAR) return index;
    layer = &r->b.network->layer[index];
    if (a.function != SOFTMAX || !l->is_output) layer->output_name = "preactivation";
    named.name = layer->name;
    return add_activation(r, &named, &a, index);
}

static int activation_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    struct activation a;
    return read_activation(r, l, &a) ? -1 : add_activation(r, l, &a, l->input[0]);
}

static int relu_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    struct activation a;
    return read_relu(r, l, &a) ? -1 : add_activation(r, l, &a, l->input[0]);
}

static int leaky_relu_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    struct activation a;
    return read_leaky_relu(r, l, &a) ? -1 : add_activation(r, l, &a, l->input[0]);
}

static int softmax_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    struct activation a;
    activation_named("softmax", &a);
    return add_activation(r, l, &a, l->input[0]);
}

/* ---- Convolutions ---- */

static const char *const paddings[] = {"valid", "same", NULL}; /* as enum fer_padding */

static int read_padding(struct fer_keras *r, const struct fer_keras_layer *l, enum fer_padding *padding)
{
    int word = 0;
    if (fer_keras_word(r, l, "padding", paddings, &word)) return -1;
    *padding = word ? FER_SAME : FER_VALID;
    return 0;
}

static int read_convolution(struct fer_keras *r, const struct fer_keras_layer *l, struct fer_convolution *c)
{
    const struct fer_convolution defaults = {.filters = 0, .groups = 1, .depth_multiplier = 1, .bias = 1};
    size_t kernel[2] = {0, 0}, strides[2] = {1, 1}, dilation[2] = {1, 1};
    *c = defaults;
    if (fer_keras_whole(r, l, "filters", 1, &c->filters) || fer_keras_pair(r, l, "kernel_size", 1, kernel) ||
        fer_keras_pair(r, l, "strides", 1, strides) || fer_keras_pair(r, l, "dilation_rate", 1, dilation) ||
        fer_keras_whole(r, l, "groups", 1, &c->groups) ||
        fer_keras_whole(r, l, "depth_multiplier", 1, &c->depth_multiplier) ||
        fer_keras_flag(r, l, "use_bias", &c->bias) || read_padding(r, l, &c->padding))
        return -1;
    if (!kernel[0]) return fer_keras_fail(r, l, "no kernel_size: expected a number, or two");
    c->kernel_h = kernel[0], c->kernel_w = kernel[1], c->stride_h = strides[0], c->stride_w = strides[1];
    c->dilation_h = dilation[0], c->dilation_w = dilation[1];
    return 0;
}

static int conv2d_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    struct fer_convolution c;
    if (read_convolution(r, l, &c)) return -1;
    if (!c.filters) return fer_keras_fail(r, l, "no filters: expected their number");
    return own_activation(r, l, fer_add_convolution(&r->b, l->input[0], l->name, &c));
}

/* Its kernel is called depthwise_kernel in Keras 2, kernel in Keras 3. */
static int depthwise_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    struct fer_convolution c;
    if (read_convolution(r, l, &c)) return -1;
    if (r->version != 2) c.kernel = "kernel";
    return own_activation(r, l, fer_add_depthwise_convolution(&r->b, l->input[0], l->name, &c));
}

/* A depthwise convolution, then one of 1x1. */
static int separable_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    struct fer_convolution c, depthwise, pointwise = {.kernel_h = 1, .kernel_w = 1};
    struct fer_layer *layer;
    int index;
    if (read_convolution(r, l, &c)) return -1;
    if (!c.filters) return fer_keras_fail(r, l, "no filters: expected their number");
    depthwise = c;
    depthwise.bias = 0;
    pointwise.filters = c.filters;
    pointwise.bias = c.bias;
    pointwise.kernel = "pointwise_kernel";
    index = added(r, l, fer_add_depthwise_convolution(&r->b, l->input[0], l->name, &depthwise));
    if (index < 0) return -1;
    layer = &r->b.network->layer[index];
    layer->output_name = "depthwise";
    return own_activation(r, l, fer_add_convolution(&r->b, index, layer->name, &pointwise));
}

static int dense_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    size_t units = 0;
    int bias = 1;
    if (fer_keras_whole(r, l, "units", 1, &units) || fer_keras_flag(r, l, "use_bias", &bias)) return -1;
    if (!units) return fer_keras_fail(r, l, "no units: expected their number");
    return own_activation(r, l, fer_add_dense_with(&r->b, l->input[0], l->name, units, bias));
}

/* ---- Normalisation ---- */

/* axis: -1 or the last one, alone or in a list. */
static int check_axis(struct fer_keras *r, const struct fer_keras_layer *l)
{
    const struct fer_json_node *axis = fer_keras_key(l, "axis");
    const double last = r->b.network->layer[l->input[0]].flat ? 1 : 3;
    char text[64];
    if (!axis) return 0;
    fer_keras_show(axis, text);
    if (axis->type == FER_JSON_ARRAY && axis->count == 1) axis = axis->child;
    if (axis->type == FER_JSON_NUMBER && (axis->number == -1 || axis->number == last)) return 0;
    return fer_keras_fail(r, l, "axis: %s: expected -1, the channels", text);
}

static int batch_normalization_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    double momentum = 0.99, epsilon = 1e-3;
    int center = 1, scale = 1, renorm = 0, synchronized = 0;
    if (fer_keras_number(r, l, "momentum", &momentum) || fer_keras_number(r, l, "epsilon", &epsilon) ||
        fer_keras_flag(r, l, "center", &center) || fer_keras_flag(r, l, "scale", &scale) ||
        fer_keras_flag(r, l, "renorm", &renorm) || fer_keras_flag(r, l, "synchronized", &synchronized) ||
        check_axis(r, l))
        return -1;
    if (renorm || synchronized || fer_keras_key(l, "virtual_batch_size"))
        return fer_keras_fail(r, l, "%s: expected none of it",
                              renorm ? "renorm" : synchronized ? "synchronized" : "virtual_batch_size");
    return added(r, l, fer_add_batch_normalization_with(&r->b, l->input[0], l->name, momentum, epsilon, scale, center));
}

/* A number, or one for each channel: values[channels]. */
static int read_numbers(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, double otherwise,
                        size_t channels, real *values)
{
    const struct fer_json_node *node = fer_keras_key(l, key), *one;
    size_t c;
    for (c = 0; c < channels; c++) values[c] = (real)otherwise;
    if (!node) return 0;
    while (node->type == FER_JSON_ARRAY && node->count == 1 && node->child->type == FER_JSON_ARRAY) node = node->child;
    one = node->type == FER_JSON_ARRAY ? node->child : node;
    if (node->type == FER_JSON_ARRAY && node->count != channels && node->count != 1)
        return fer_keras_fail(r, l, "%s: %zu numbers: expected one, or one for each of %zu channels", key, node->count,
                              channels);
    for (c = 0; c < channels; c++) {
        if (!one || one->type != FER_JSON_NUMBER || !(one->number - one->number == 0))
            return fer_keras_fail_key(r, l, key, one ? one : node, "numbers");
        values[c] = (real)one->number;
        if (node->type == FER_JSON_ARRAY && node->count > 1) one = one->next;
    }
    return 0;
}

enum { MOST_NUMBERS = 16384 }; /* channels of a layer whose numbers stand in the file */

static int rescaling_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    const size_t channels = r->b.network->layer[l->input[0]].channels;
    real *values;
    int index;
    if (channels > MOST_NUMBERS)
        return fer_keras_fail(r, l, "%zu channels: expected at most %d", channels, MOST_NUMBERS);
    if (!(values = fer_allocate(2 * channels, sizeof *values, r->e))) return -1;
    if (read_numbers(r, l, "scale", 1, channels, values) ||
        read_numbers(r, l, "offset", 0, channels, values + channels))
        return fer_free(values), -1;
    index = fer_add_rescaling(&r->b, l->input[0], l->name, values, values + channels);
    fer_free(values);
    return added(r, l, index);
}

/* With mean and variance in the file it is a rescaling; without, they are parameters. */
static int normalization_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    const size_t channels = r->b.network->layer[l->input[0]].channels;
    const struct fer_json_node *axis = fer_json_member(l->config, "axis");
    real *mean, *variance;
    int invert = 0, index;
    size_t c;
    if (check_axis(r, l) || fer_keras_flag(r, l, "invert", &invert)) return -1;
    if (invert) return fer_keras_fail(r, l, "invert: true: expected false");
    if (axis && axis->type == FER_JSON_NULL)
        return fer_keras_fail(r, l, "axis: null: expected -1, a mean for each channel");
    if (!fer_keras_key(l, "mean") != !fer_keras_key(l, "variance"))
        return fer_keras_fail(r, l, "no %s: expected it too, or neither",
                              fer_keras_key(l, "mean") ? "variance" : "mean");
    if (!fer_keras_key(l, "mean")) {
        return added(r, l, fer_add_normalization(&r->b, l->input[0], l->name));
    }
    if (channels > MOST_NUMBERS)
        return fer_keras_fail(r, l, "%zu channels: expected at most %d", channels, MOST_NUMBERS);
    if (!(mean = fer_allocate(2 * channels, sizeof *mean, r->e))) return -1;
    variance = mean + channels;
    if (read_numbers(r, l, "mean", 0, channels, mean) || read_numbers(r, l, "variance", 1, channels, variance))
        return fer_free(mean), -1;
    for (c = 0; c < channels; c++)
        if (variance[c] < 0)
            return fer_free(mean), fer_keras_fail_key(r, l, "variance", fer_keras_key(l, "variance"), "0 or more");
    for (c = 0; c < channels; c++) {
        const double deviation = sqrt((double)variance[c]), scale = 1 / (deviation < 1e-7 ? 1e-7 : deviation);
        variance[c] = (real)scale;
        mean[c] = (real)(-(double)mean[c] * scale);
    }
    index = fer_add_rescaling(&r->b, l->input[0], l->name, variance, mean);
    fer_free(mean);
    return added(r, l, index);
}

/* ---- Pooling ---- */

static int pooling(struct fer_keras *r, const struct fer_keras_layer *l, int is_max)
{
    size_t pool[2] = {2, 2}, strides[2];
    enum fer_padding padding;
    if (fer_keras_pair(r, l, "pool_size", 1, pool)) return -1;
    strides[0] = pool[0], strides[1] = pool[1];
    if (fer_keras_pair(r, l, "strides", 1, strides) || read_padding(r, l, &padding)) return -1;
    return added(r, l, (is_max ? fer_add_max_pooling2d : fer_add_average_pooling2d)(
                           &r->b, l->input[0], l->name, pool[0], pool[1], strides[0], strides[1], padding));
}

static int max_pooling_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return pooling(r, l, 1);
}

static int average_pooling_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return pooling(r, l, 0);
}

static int global_pooling(struct fer_keras *r, const struct fer_keras_layer *l, int is_max)
{
    int keepdims = 0;
    if (fer_keras_flag(r, l, "keepdims", &keepdims)) return -1;
    return added(r, l, (is_max ? fer_add_global_max_pooling2d : fer_add_global_average_pooling2d_with)(
                           &r->b, l->input[0], l->name, keepdims));
}

static int global_max_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return global_pooling(r, l, 1);
}

static int global_average_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return global_pooling(r, l, 0);
}

/* ---- Shapes ---- */

/* n, [h,w], or [[top,bottom],[left,right]]: to {top, bottom, left, right}. */
static int read_edges(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, size_t edge[4])
{
    const struct fer_json_node *node = fer_keras_key(l, key);
    const struct fer_json_node *axis;
    size_t pair[2], *to = edge;
    edge[0] = edge[1] = edge[2] = edge[3] = strcmp(key, "padding") == 0;
    if (!node) return 0;
    if (node->type == FER_JSON_ARRAY && node->count == 2 && node->child->type == FER_JSON_ARRAY) {
        for (axis = node->child; axis; axis = axis->next, to += 2)
            if (fer_keras_is_pair(axis, 0, to)) return fer_keras_fail_key(r, l, key, axis, FER_KERAS_PAIR);
        return 0;
    }
    if (fer_keras_pair(r, l, key, 0, pair)) return -1;
    edge[0] = edge[1] = pair[0], edge[2] = edge[3] = pair[1];
    return 0;
}

static int zero_padding_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    size_t edge[4];
    if (read_edges(r, l, "padding", edge)) return -1;
    return added(r, l, fer_add_zero_padding2d(&r->b, l->input[0], l->name, edge[0], edge[1], edge[2], edge[3]));
}

static int cropping_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    size_t edge[4];
    if (read_edges(r, l, "cropping", edge)) return -1;
    return added(r, l, fer_add_cropping2d(&r->b, l->input[0], l->name, edge[0], edge[1], edge[2], edge[3]));
}

static int flatten_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return added(r, l, fer_add_flatten(&r->b, l->input[0], l->name));
}

/* target_shape [c] or [h, w, c]; one of its sizes may be -1, which is what is left. */
static int reshape_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    const struct fer_layer *from = &r->b.network->layer[l->input[0]];
    const struct fer_json_node *shape = fer_keras_key(l, "target_shape"), *axis;
    size_t left = from->height * from->width * from->channels, size[3] = {1, 1, 1}, i, open = 3;
    char text[64];
    if (!shape) return fer_keras_fail(r, l, "no target_shape: expected [channels] or [height, width, channels]");
    fer_keras_show(shape, text);
    if (shape->type != FER_JSON_ARRAY || (shape->count != 1 && shape->count != 3))
        return fer_keras_fail(r, l, "target_shape: %s: expected [channels] or [height, width, channels]", text);
    for (axis = shape->child, i = 3 - shape->count; axis; axis = axis->next, i++) {
        if (axis->type == FER_JSON_NUMBER && axis->number == -1 && open == 3) {
            open = i;
            continue;
        }
        if (axis->type != FER_JSON_NUMBER || !(axis->number >= 1 && axis->number <= (double)left) ||
            axis->number != (double)(size_t)axis->number || left % (size_t)axis->number != 0)
            return fer_keras_fail(r, l, "target_shape: %s: expected the %zu elements of %s", text,
                                  from->height * from->width * from->channels,
                                  from->name);
        size[i] = (size_t)axis->number;
        left /= size[i];
    }
    if (open < 3) size[open] = left;
    else if (left != 1) return fer_keras_fail(r, l, "target_shape: %s: expected the %zu elements of %s", text,
                                              from->height * from->width * from->channels, from->name);
    return added(r, l, fer_add_reshape(&r->b, l->input[0], l->name, size[0], size[1], size[2], shape->count == 1));
}

/* ---- Dropout ---- */

/* noise_shape [null, 1, 1, 1]: whole images are dropped, as EfficientNet does. 0: null, 1: so, -1: neither. */
static int drops_images(struct fer_keras *r, const struct fer_keras_layer *l)
{
    const struct fer_json_node *shape = fer_keras_key(l, "noise_shape"), *axis;
    char text[64];
    int ones = 0;
    if (!shape) return 0;
    for (axis = shape->child; axis; axis = axis->next) ones += axis->type == FER_JSON_NUMBER && axis->number == 1;
    if (shape->count == 4 && shape->child->type == FER_JSON_NULL && ones == 3 && !r->b.network->layer[l->input[0]].flat)
        return 1;
    fer_keras_show(shape, text);
    return fer_keras_fail(r, l, "noise_shape: %s: expected null, [null,1,1,1], or SpatialDropout2D", text);
}

static int dropout(struct fer_keras *r, const struct fer_keras_layer *l, int spatial)
{
    const int images = drops_images(r, l);
    double rate = 0.5;
    if (images < 0 || fer_keras_number(r, l, "rate", &rate)) return -1;
    return added(r, l, (spatial  ? fer_add_spatial_dropout2d
                        : images ? fer_add_image_dropout
                                 : fer_add_dropout)(&r->b, l->input[0], l->name, rate));
}

static int dropout_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return dropout(r, l, 0);
}

static int spatial_dropout_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return dropout(r, l, 1);
}

/* ---- Several inputs ---- */

static int concatenate_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    if (check_axis(r, l)) return -1;
    return added(r, l, fer_add_concatenate(&r->b, l->input, l->inputs, l->name));
}

static int add_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return added(r, l, fer_add_add(&r->b, l->input, l->inputs, l->name));
}

static int multiply_layer(struct fer_keras *r, const struct fer_keras_layer *l)
{
    return added(r, l, fer_add_multiply(&r->b, l->input, l->inputs, l->name));
}

/* ---- The table ---- */

static const struct {
    const char *name, *stem; /* Keras's class, and what layers without a name are called, numbered */
    int most;                /* inputs */
    int (*add)(struct fer_keras *r, const struct fer_keras_layer *l);
} classes[] = {
    {"Conv2D", "conv2d", 1, conv2d_layer},
    {"DepthwiseConv2D", "depthwise_conv2d", 1, depthwise_layer},
    {"SeparableConv2D", "separable_conv2d", 1, separable_layer},
    {"Dense", "dense", 1, dense_layer},
    {"BatchNormalization", "batch_normalization", 1, batch_normalization_layer},
    {"Activation", "activation", 1, activation_layer},
    {"ReLU", "re_lu", 1, relu_layer},
    {"LeakyReLU", "leaky_re_lu", 1, leaky_relu_layer},
    {"Softmax", "softmax", 1, softmax_layer},
    {"MaxPooling2D", "max_pooling2d", 1, max_pooling_layer},
    {"AveragePooling2D", "average_pooling2d", 1, average_pooling_layer},
    {"GlobalAveragePooling2D", "global_average_pooling2d", 1, global_average_layer},
    {"GlobalMaxPooling2D", "global_max_pooling2d", 1, global_max_layer},
    {"ZeroPadding2D", "zero_padding2d", 1, zero_padding_layer},
    {"Cropping2D", "cropping2d", 1, cropping_layer},
    {"Flatten", "flatten", 1, flatten_layer},
    {"Reshape", "reshape", 1, reshape_layer},
    {"Dropout", "dropout", 1, dropout_layer},
    {"SpatialDropout2D", "spatial_dropout2d", 1, spatial_dropout_layer},
    {"Concatenate", "concatenate", FER_MAX_INPUTS, concatenate_layer},
    {"Add", "add", FER_MAX_INPUTS, add_layer},
    {"Multiply", "multiply", FER_MAX_INPUTS, multiply_layer},
    {"Rescaling", "rescaling", 1, rescaling_layer},
    {"Normalization", "normalization", 1, normalization_layer},
};

static int find_class(const char *name)
{
    size_t i;
    for (i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i].name, name) == 0) return (int)i;
    return -1;
}

const char *fer_keras_class(const char *name)
{
    const int i = find_class(name);
    return i < 0 ? NULL : classes[i].name;
}

int fer_keras_add_layer(struct fer_keras *r, const struct fer_keras_layer *l, int *index)
{
    const int i = find_class(l->class_name), most = classes[i].most;
    struct fer_keras_layer named = *l;
    char name[FER_MAX_NAME];
    if (l->inputs < 1 || l->inputs > most || (most > 1 && l->inputs < 2 && strcmp(l->class_name, "Concatenate") != 0))
        return fer_keras_fail(r, l, "%d inputs: expected %s", l->inputs, most == 1 ? "one" : "two or more");
    r->b.frozen = !l->trainable;
    r->b.inference = l->inference;
    if (!named.name) {
        snprintf(name, sizeof name, r->numbered[i] ? "%s_%d" : "%s", classes[i].stem, r->numbered[i]);
        r->numbered[i]++;
        named.name = name;
    }
    *index = classes[i].add(r, &named);
    return *index < 0 ? -1 : 0;
}
