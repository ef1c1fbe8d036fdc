/* kinds.c - the kinds of layers, and the table of them at the end. A kind is a row there and, in the order of the
 * table, a few short functions: the shape of its output and its parameters, then its passes, which hand the layer's
 * arrays to the functions of layers/. */
#include "kinds.h"
#include "../layers/layers.h"

#include <stdio.h>
#include <string.h>

int fer_layer_takes_statistics(const struct fer_layer *layer)
{
    return fer_kinds[layer->type].statistics && !layer->frozen && !layer->inference;
}

int fer_parameter_changes(const struct fer_layer *layer, const struct fer_parameter *p)
{
    return p->trainable || fer_layer_takes_statistics(layer);
}

/* ---- What the functions below have in common ---- */

/* The layer that it takes from; of several, the first. */
static const struct fer_layer *source(const struct fer_network *net, const struct fer_layer *layer)
{
    return &net->layer[layer->input[0]];
}

/* A parameter's values and their gradient; NULL when the layer has no such parameter. */
static real *value(const struct fer_network *net, const struct fer_layer *layer, const char *name)
{
    const struct fer_parameter *p = fer_layer_parameter(net, layer, name);
    return p ? p->value : NULL;
}

static real *gradient(const struct fer_network *net, const struct fer_layer *layer, const char *name)
{
    const struct fer_parameter *p = fer_layer_parameter(net, layer, name);
    return p ? p->gradient : NULL;
}

/* Appends a parameter to the layer, which is the network's last. */
static int declare(struct fer_network *net, struct fer_layer *layer, const char *name, int trainable, int dims,
                   const size_t *shape, struct fer_error *e)
{
    struct fer_parameter *p = &net->parameter[net->parameters];
    int i;
    if (net->parameters == FER_MAX_PARAMETERS)
        return fer_fail(e, "%s: a network has at most %d parameter arrays: expected fewer layers, or a larger "
                           "FER_MAX_PARAMETERS in fer.h", layer->name, FER_MAX_PARAMETERS);
    snprintf(p->name, sizeof p->name, "%s/%s", layer->name, name);
    p->dims = dims;
    p->trainable = trainable && !layer->frozen;
    if (fer_parameter_is(p, "kernel")) {
        const struct fer_initializer glorot_uniform = {FER_UNIFORM, 1, FER_FAN_AVERAGE};
        p->initializer = glorot_uniform;
    } else {
        p->initializer.scale = fer_parameter_is(p, "gamma") || fer_parameter_is(p, "variance") ? 1 : 0; /* a constant */
    }
    p->count = 1;
    for (i = 0; i < dims; i++) {
        p->shape[i] = shape[i];
        if (p->count > SIZE_MAX / 8 / sizeof(real) / shape[i])
            return fer_fail(e, "%s: its array does not fit into memory: expected smaller sizes", p->name);
        p->count *= shape[i];
    }
    net->parameters++;
    layer->parameters++;
    return 0;
}

/* One number a channel. */
static int declare_channels(struct fer_network *net, struct fer_layer *layer, const char *name, int trainable,
                            struct fer_error *e)
{
    return declare(net, layer, name, trainable, 1, &layer->channels, e);
}

/* The kernel, and the bias where there is one. */
static int declare_weights(struct fer_network *net, struct fer_layer *layer, int dims, const size_t *kernel,
                           struct fer_error *e)
{
    return declare(net, layer, layer->kernel_name, 1, dims, kernel, e) ||
           (layer->bias && declare_channels(net, layer, "bias", 1, e)) ? -1 : 0;
}

static void add_bias(const struct fer_network *net, const struct fer_layer *layer, size_t n)
{
    if (layer->bias)
        fer_bias_forward(fer_layer_rows(layer, n), layer->channels, value(net, layer, "bias"), layer->output);
}

static void add_bias_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n)
{
    if (layer->bias && !layer->frozen)
        fer_bias_backward(fer_layer_rows(layer, n), layer->channels, layer->output_gradient,
                          gradient(net, layer, "bias"));
}

/* Convolutions and poolings: the window over the input, and the output that it leaves. */
static int window_shape(struct fer_network *net, struct fer_layer *layer, int pooling, struct fer_error *e)
{
    const struct fer_layer *from = source(net, layer);
    struct fer_window *g = &layer->window;
    const struct fer_window_options o = {.out_c = layer->channels, .kernel_h = g->kernel_h, .kernel_w = g->kernel_w,
                                         .stride_h = g->stride_h, .stride_w = g->stride_w, .dilation_h = g->dilation_h,
                                         .dilation_w = g->dilation_w, .groups = g->groups, .padding = layer->padding,
                                         .pooling = pooling};
    struct fer_error reason;
    if (from->flat)
        return fer_fail(e, "%s: %s is flat: expected an input with height and width", layer->name, from->name);
    if (fer_window_fill(g, 1, from->height, from->width, from->channels, &o, &reason)) {
        if (!strstr(reason.text, "does not hold a window")) return fer_fail(e, "%s: %s", layer->name, reason.text);
        return fer_fail(e, "an image of %zux%zu is too small for this network: %s: %s", net->height, net->width,
                        layer->name, reason.text);
    }
    layer->height = g->out_h, layer->width = g->out_w;
    return 0;
}

/* ---- Conv2D ---- */

static int conv2d_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_window *g = &layer->window;
    size_t kernel[4];
    if (window_shape(net, layer, 0, e)) return -1;
    kernel[0] = g->kernel_h, kernel[1] = g->kernel_w, kernel[2] = g->in_c / g->groups, kernel[3] = g->out_c;
    return declare_weights(net, layer, 4, kernel, e);
}

static void conv2d_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    const struct fer_window g = fer_layer_window(layer, n);
    (void)training;
    fer_conv2d_forward(&g, source(net, layer)->output, value(net, layer, "kernel"), layer->output);
    add_bias(net, layer, n);
}

static void conv2d_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx)
{
    const struct fer_window g = fer_layer_window(layer, n);
    if (dx[0]) fer_conv2d_backward_input(&g, layer->output_gradient, value(net, layer, "kernel"), dx[0]);
    add_bias_backward(net, layer, n);
}

static void conv2d_backward_kernel(const struct fer_network *net, const struct fer_layer *layer, size_t n)
{
    const struct fer_window g = fer_layer_window(layer, n);
    fer_conv2d_backward_kernel(&g, source(net, layer)->output, layer->output_gradient, gradient(net, layer, "kernel"));
}

/* Each pair of an input and an output cell that a tap joins makes in_c * out_c products, of a group's channels each. */
static double conv2d_products(const struct fer_layer *layer)
{
    const struct fer_window *g = &layer->window;
    double rows = 0, columns = 0; /* that taps join along each axis */
    size_t o, k;
    for (o = 0; o < g->out_h; o++)
        for (k = 0; k < g->kernel_h; k++) rows += row_seen(g, o, k) < g->in_h;
    for (o = 0; o < g->out_w; o++)
        for (k = 0; k < g->kernel_w; k++) columns += column_seen(g, o, k) < g->in_w;
    return rows * columns * (double)(g->in_c / g->groups) * (double)g->out_c;
}

/* ---- DepthwiseConv2D ---- */

static int depthwise_conv2d_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_window *g = &layer->window;
    size_t kernel[4];
    if (window_shape(net, layer, 0, e)) return -1;
    kernel[0] = g->kernel_h, kernel[1] = g->kernel_w, kernel[2] = g->in_c, kernel[3] = g->out_c / g->in_c;
    return declare_weights(net, layer, 4, kernel, e);
}

static void depthwise_conv2d_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                     int training)
{
    const struct fer_window g = fer_layer_window(layer, n);
    (void)training;
    fer_depthwise_conv2d_forward(&g, source(net, layer)->output, value(net, layer, "kernel"), layer->output);
    add_bias(net, layer, n);
}

static void depthwise_conv2d_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                      real *const *dx)
{
    const struct fer_window g = fer_layer_window(layer, n);
    if (dx[0]) fer_depthwise_conv2d_backward_input(&g, layer->output_gradient, value(net, layer, "kernel"), dx[0]);
    add_bias_backward(net, layer, n);
}

static void depthwise_conv2d_backward_kernel(const struct fer_network *net, const struct fer_layer *layer, size_t n)
{
    const struct fer_window g = fer_layer_window(layer, n);
    fer_depthwise_conv2d_backward_kernel(&g, source(net, layer)->output, layer->output_gradient,
                                         gradient(net, layer, "kernel"));
}

/* ---- BatchNormalization ---- */

static int batch_normalization_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    if (layer->scale && declare_channels(net, layer, "gamma", 1, e)) return -1;
    if (layer->center && declare_channels(net, layer, "beta", 1, e)) return -1;
    return declare_channels(net, layer, "moving_mean", 0, e) ||
           declare_channels(net, layer, "moving_variance", 0, e) ? -1 : 0;
}

static void batch_normalization_statistics(const struct fer_network *net, const struct fer_layer *layer, size_t n)
{
    fer_batch_moments(fer_layer_rows(layer, n), layer->channels, source(net, layer)->output, layer->mean,
                      layer->variance);
}

static void batch_normalization_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                        int training)
{
    const int batch = training && fer_layer_takes_statistics(layer);
    fer_batch_normalization_forward(fer_layer_rows(layer, n), layer->channels, source(net, layer)->output,
                                    batch ? layer->mean : value(net, layer, "moving_mean"),
                                    batch ? layer->variance : value(net, layer, "moving_variance"),
                                    value(net, layer, "gamma"), value(net, layer, "beta"), layer->epsilon,
                                    layer->output);
}

static void batch_normalization_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                         real *const *dx)
{
    const int batch = fer_layer_takes_statistics(layer);
    fer_batch_normalization_backward(fer_layer_rows(layer, n), layer->channels, source(net, layer)->output,
                                     batch ? layer->mean : value(net, layer, "moving_mean"),
                                     batch ? layer->variance : value(net, layer, "moving_variance"),
                                     value(net, layer, "gamma"), layer->epsilon, batch, layer->output_gradient, dx[0],
                                     gradient(net, layer, "gamma"), gradient(net, layer, "beta"));
}

static void batch_normalization_update(const struct fer_network *net, const struct fer_layer *layer, size_t n)
{
    if (!fer_layer_takes_statistics(layer)) return;
    fer_moving_statistics(fer_layer_rows(layer, n), layer->channels, layer->mean, layer->variance, layer->momentum,
                          layer->unbiased, value(net, layer, "moving_mean"), value(net, layer, "moving_variance"));
}

/* ---- Activations without settings: the functions of the row ---- */

static void activation_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    (void)training;
    fer_kinds[layer->type].function_forward(fer_layer_count(layer, n), source(net, layer)->output, layer->output);
}

static void activation_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx)
{
    const struct fer_kind *kind = &fer_kinds[layer->type];
    const real *seen = kind->backward_reads_input ? source(net, layer)->output : layer->output;
    if (dx[0]) kind->function_backward(fer_layer_count(layer, n), seen, layer->output_gradient, dx[0]);
}

/* ---- MaxPooling2D ---- */

static int pooling_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    return window_shape(net, layer, 1, e);
}

static void max_pooling2d_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    const struct fer_window g = fer_layer_window(layer, n);
    (void)training;
    fer_max_pooling2d_forward(&g, source(net, layer)->output, layer->output);
}

static void max_pooling2d_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                   real *const *dx)
{
    const struct fer_window g = fer_layer_window(layer, n);
    if (dx[0]) fer_max_pooling2d_backward(&g, source(net, layer)->output, layer->output_gradient, dx[0]);
}

/* ---- AveragePooling2D ---- */

static void average_pooling2d_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                      int training)
{
    const struct fer_window g = fer_layer_window(layer, n);
    (void)training;
    fer_average_pooling2d_forward(&g, source(net, layer)->output, layer->output);
}

static void average_pooling2d_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                       real *const *dx)
{
    const struct fer_window g = fer_layer_window(layer, n);
    (void)net;
    if (dx[0]) fer_average_pooling2d_backward(&g, layer->output_gradient, dx[0]);
}

/* The least number that 1, 2, ... k all divide. */
static size_t common_multiple(size_t k)
{
    size_t multiple = 1, i;
    for (i = 2; i <= k; i++) {
        const size_t one = multiple;
        while (multiple % i) multiple += one;
    }
    return multiple;
}

/* A window at an edge holds fewer rows or columns: 3x3 windows hold 9 cells, 6, or 4. */
static size_t average_pooling2d_divisor(const struct fer_network *net, const struct fer_layer *layer)
{
    (void)net;
    return common_multiple(layer->window.kernel_h) * common_multiple(layer->window.kernel_w);
}

/* ---- Concatenate ---- */

static int concatenate_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_layer *first = source(net, layer);
    int k;
    for (k = 1; k < layer->inputs; k++) {
        const struct fer_layer *from = &net->layer[layer->input[k]];
        if (from->height != first->height || from->width != first->width || from->flat != first->flat)
            return fer_fail(e, "%s: %s is %zux%zu%s, %s %zux%zu%s: expected inputs of equal height and width",
                            layer->name,
                            first->name, first->height, first->width, first->flat ? " (flat)" : "", from->name,
                            from->height, from->width, from->flat ? " (flat)" : "");
        layer->channels += from->channels;
    }
    return 0;
}

static void concatenate_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    const real *x[FER_MAX_INPUTS];
    size_t channels[FER_MAX_INPUTS];
    int k;
    (void)training;
    for (k = 0; k < layer->inputs; k++) {
        x[k] = net->layer[layer->input[k]].output;
        channels[k] = net->layer[layer->input[k]].channels;
    }
    fer_concatenate_forward(fer_layer_rows(layer, n), layer->inputs, channels, x, layer->output);
}

static void concatenate_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                 real *const *dx)
{
    size_t channels[FER_MAX_INPUTS];
    int k;
    for (k = 0; k < layer->inputs; k++) channels[k] = net->layer[layer->input[k]].channels;
    fer_concatenate_backward(fer_layer_rows(layer, n), layer->inputs, channels, layer->output_gradient, dx);
}

/* ---- GlobalAveragePooling2D, GlobalMaxPooling2D: one window, as large as the image ---- */

static int global_pooling2d_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_layer *from = source(net, layer);
    layer->window.kernel_h = from->height, layer->window.kernel_w = from->width;
    layer->window.stride_h = layer->window.stride_w = 1;
    if (window_shape(net, layer, 1, e)) return -1;
    layer->flat = !layer->keepdims;
    return 0;
}

static size_t cells(const struct fer_network *net, const struct fer_layer *layer)
{
    return fer_layer_rows(source(net, layer), 1);
}

static void global_average_pooling2d_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                             int training)
{
    (void)training;
    fer_global_average_pooling2d_forward(n, cells(net, layer), layer->channels, source(net, layer)->output,
                                         layer->output);
}

static void global_average_pooling2d_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                              real *const *dx)
{
    if (dx[0])
        fer_global_average_pooling2d_backward(n, cells(net, layer), layer->channels, layer->output_gradient, dx[0]);
}

static void global_max_pooling2d_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                         int training)
{
    (void)training;
    fer_global_max_pooling2d_forward(n, cells(net, layer), layer->channels, source(net, layer)->output, layer->output);
}

static void global_max_pooling2d_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                          real *const *dx)
{
    if (dx[0])
        fer_global_max_pooling2d_backward(n, cells(net, layer), layer->channels, source(net, layer)->output,
                                          layer->output_gradient, dx[0]);
}

/* ---- Dense ---- */

static int dense_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_layer *from = source(net, layer);
    const size_t kernel[2] = {from->channels, layer->channels};
    if (layer->channels == 0) return fer_fail(e, "%s: 0 units: expected at least 1", layer->name);
    return declare_weights(net, layer, 2, kernel, e);
}

static void dense_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    (void)training;
    fer_dense_forward(fer_layer_rows(layer, n), source(net, layer)->channels, layer->channels,
                      source(net, layer)->output,
                      value(net, layer, "kernel"), value(net, layer, "bias"), layer->output);
}

static void dense_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx)
{
    const size_t rows = fer_layer_rows(layer, n), in = source(net, layer)->channels, out = layer->channels;
    const real *dy = layer->output_gradient;
    if (dx[0]) fer_dense_backward_input(rows, in, out, dy, value(net, layer, "kernel"), dx[0]);
    if (layer->frozen) return;
    fer_dense_backward_kernel(rows, in, out, source(net, layer)->output, dy, gradient(net, layer, "kernel"));
    add_bias_backward(net, layer, n);
}

/* ---- Normalization ---- */

static int normalization_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    return declare_channels(net, layer, "mean", 0, e) || declare_channels(net, layer, "variance", 0, e) ? -1 : 0;
}

/* ---- The table ---- */

const struct fer_kind fer_kinds[FER_LAYER_TYPES] = {
    [FER_INPUT] = {.class_name = "InputLayer", .stem = "input", .exact = FER_DRAWN},
    [FER_CONV2D] = {.class_name = "Conv2D", .stem = "conv2d",
                    .config = FER_CONFIG_FILTERS | FER_CONFIG_KERNEL | FER_CONFIG_GROUPS, .shape = conv2d_shape,
                    .forward = conv2d_forward, .backward = conv2d_backward, .backward_kernel = conv2d_backward_kernel,
                    .backward_reads_input = 1, .products = conv2d_products, .exact = FER_COMPUTED},
    [FER_DEPTHWISE_CONV2D] = {.class_name = "DepthwiseConv2D", .stem = "depthwise_conv2d",
                              .config = FER_CONFIG_KERNEL | FER_CONFIG_MULTIPLIER, .shape = depthwise_conv2d_shape,
                              .forward = depthwise_conv2d_forward, .backward = depthwise_conv2d_backward,
                              .backward_kernel = depthwise_conv2d_backward_kernel, .backward_reads_input = 1,
                              .products = conv2d_products, .exact = FER_COMPUTED},
    [FER_BATCH_NORMALIZATION] = {.class_name = "BatchNormalization", .stem = "batch_normalization",
                                 .config = FER_CONFIG_NORMALIZATION, .shape = batch_normalization_shape,
                                 .forward = batch_normalization_forward, .backward = batch_normalization_backward,
                                 .update = batch_normalization_update, .backward_reads_input = 1,
                                 .element_by_element = 1, .statistics = batch_normalization_statistics,
                                 .exact = FER_NOT_EXACT},
    [FER_ACTIVATION] = {.class_name = "Activation", .stem = "activation", .function = "relu",
                        .config = FER_CONFIG_FUNCTION, .function_forward = fer_relu_forward,
                        .function_backward = fer_relu_backward, .forward = activation_forward,
                        .backward = activation_backward, .backward_reads_output = 1, .element_by_element = 1,
                        .exact = FER_COMPUTED},
    [FER_MAX_POOLING2D] = {.class_name = "MaxPooling2D", .stem = "max_pooling2d", .config = FER_CONFIG_POOL,
                           .shape = pooling_shape, .forward = max_pooling2d_forward, .backward = max_pooling2d_backward,
                           .backward_reads_input = 1, .exact = FER_COMPUTED},
    [FER_AVERAGE_POOLING2D] = {.class_name = "AveragePooling2D", .stem = "average_pooling2d", .config = FER_CONFIG_POOL,
                               .shape = pooling_shape, .forward = average_pooling2d_forward,
                               .backward = average_pooling2d_backward, .exact = FER_COMPUTED,
                               .divisor = average_pooling2d_divisor},
    [FER_CONCATENATE] = {.class_name = "Concatenate", .stem = "concatenate", .config = FER_CONFIG_AXIS,
                         .shape = concatenate_shape, .forward = concatenate_forward, .backward = concatenate_backward,
                         .exact = FER_COMPUTED},
    [FER_GLOBAL_AVERAGE_POOLING2D] = {.class_name = "GlobalAveragePooling2D", .stem = "global_average_pooling2d",
                                      .config = FER_CONFIG_KEEPDIMS, .shape = global_pooling2d_shape,
                                      .forward = global_average_pooling2d_forward,
                                      .backward = global_average_pooling2d_backward, .exact = FER_COMPUTED,
                                      .divisor = cells},
    [FER_GLOBAL_MAX_POOLING2D] = {.class_name = "GlobalMaxPooling2D", .stem = "global_max_pooling2d",
                                  .config = FER_CONFIG_KEEPDIMS, .shape = global_pooling2d_shape,
                                  .forward = global_max_pooling2d_forward, .backward = global_max_pooling2d_backward,
                                  .backward_reads_input = 1, .exact = FER_COMPUTED},
    [FER_DENSE] = {.class_name = "Dense", .stem = "dense", .config = FER_CONFIG_UNITS, .shape = dense_shape,
                   .forward = dense_forward, .backward = dense_backward, .backward_reads_input = 1,
                   .exact = FER_COMPUTED},
    /* of kinds_elements.c */
    [FER_LEAKY_RELU] = {.class_name = "LeakyReLU", .stem = "leaky_re_lu", .config = FER_CONFIG_FUNCTION,
                        .forward = fer_kind_leaky_relu_forward, .backward = fer_kind_leaky_relu_backward,
                        .backward_reads_output = 1, .element_by_element = 1, .exact = FER_DRAWN},
    [FER_SIGMOID] = {.class_name = "Activation", .stem = "activation", .function = "sigmoid",
                     .config = FER_CONFIG_FUNCTION, .function_forward = fer_sigmoid_forward,
                     .function_backward = fer_sigmoid_backward, .forward = activation_forward,
                     .backward = activation_backward, .backward_reads_output = 1, .element_by_element = 1,
                     .exact = FER_DRAWN},
    [FER_HARD_SIGMOID] = {.class_name = "Activation", .stem = "activation", .function = "hard_sigmoid",
                          .config = FER_CONFIG_FUNCTION, .forward = fer_kind_hard_sigmoid_forward,
                          .backward = fer_kind_hard_sigmoid_backward, .backward_reads_output = 1,
                          .element_by_element = 1, .exact = FER_DRAWN},
    [FER_TANH] = {.class_name = "Activation", .stem = "activation", .function = "tanh", .config = FER_CONFIG_FUNCTION,
                  .function_forward = fer_tanh_forward, .function_backward = fer_tanh_backward,
                  .forward = activation_forward, .backward = activation_backward, .backward_reads_output = 1,
                  .element_by_element = 1, .exact = FER_DRAWN},
    [FER_SILU] = {.class_name = "Activation", .stem = "activation", .function = "silu", .config = FER_CONFIG_FUNCTION,
                  .function_forward = fer_silu_forward, .function_backward = fer_silu_backward,
                  .forward = activation_forward, .backward = activation_backward, .backward_reads_input = 1,
                  .element_by_element = 1, .exact = FER_DRAWN},
    [FER_ELU] = {.class_name = "Activation", .stem = "activation", .function = "elu", .config = FER_CONFIG_FUNCTION,
                 .function_forward = fer_elu_forward, .function_backward = fer_elu_backward,
                 .forward = activation_forward, .backward = activation_backward, .backward_reads_output = 1,
                 .element_by_element = 1, .exact = FER_DRAWN},
    [FER_SOFTMAX] = {.class_name = "Activation", .stem = "activation", .function = "softmax",
                     .config = FER_CONFIG_FUNCTION, .forward = fer_kind_softmax_forward,
                     .backward = fer_kind_softmax_backward, .backward_reads_output = 1, .exact = FER_DRAWN},
    [FER_ADD] = {.class_name = "Add", .stem = "add", .shape = fer_kind_add_shape, .forward = fer_kind_add_forward,
                 .backward = fer_kind_add_backward, .exact = FER_COMPUTED},
    [FER_MULTIPLY] = {.class_name = "Multiply", .stem = "multiply", .shape = fer_kind_multiply_shape,
                      .forward = fer_kind_multiply_forward, .backward = fer_kind_multiply_backward,
                      .backward_reads_input = 1, .exact = FER_NOT_EXACT},
    [FER_RESHAPE] = {.class_name = "Reshape", .stem = "reshape", .function = "linear",
                     .config = FER_CONFIG_FUNCTION | FER_CONFIG_SHAPE, .shape = fer_kind_reshape_shape,
                     .forward = fer_kind_copy_forward, .backward = fer_kind_copy_backward, .element_by_element = 1,
                     .exact = FER_COMPUTED},
    [FER_ZERO_PADDING2D] = {.class_name = "ZeroPadding2D", .stem = "zero_padding2d", .config = FER_CONFIG_PADDING,
                            .shape = fer_kind_zero_padding2d_shape, .forward = fer_kind_zero_padding2d_forward,
                            .backward = fer_kind_zero_padding2d_backward, .exact = FER_COMPUTED},
    [FER_CROPPING2D] = {.class_name = "Cropping2D", .stem = "cropping2d", .config = FER_CONFIG_CROPPING,
                        .shape = fer_kind_cropping2d_shape, .forward = fer_kind_cropping2d_forward,
                        .backward = fer_kind_cropping2d_backward, .exact = FER_COMPUTED},
    [FER_DROPOUT] = {.class_name = "Dropout", .stem = "dropout", .config = FER_CONFIG_RATE,
                     .forward = fer_kind_dropout_forward, .backward = fer_kind_dropout_backward,
                     .element_by_element = 1, .exact = FER_DRAWN},
    [FER_SPATIAL_DROPOUT2D] = {.class_name = "SpatialDropout2D", .stem = "spatial_dropout2d", .config = FER_CONFIG_RATE,
                               .forward = fer_kind_dropout_forward, .backward = fer_kind_dropout_backward,
                               .element_by_element = 1, .exact = FER_DRAWN},
    [FER_RESCALING] = {.class_name = "Rescaling", .stem = "rescaling", .config = FER_CONFIG_CONSTANTS,
                       .forward = fer_kind_rescaling_forward, .backward = fer_kind_rescaling_backward,
                       .element_by_element = 1, .exact = FER_NOT_EXACT},
    [FER_NORMALIZATION] = {.class_name = "Normalization", .stem = "normalization", .shape = normalization_shape,
                           .forward = fer_kind_normalization_forward, .backward = fer_kind_normalization_backward,
                           .element_by_element = 1, .exact = FER_NOT_EXACT},
};

const char *fer_layer_class(enum fer_layer_type type)
{
    return fer_kinds[type].class_name;
}

int fer_class_first(enum fer_layer_type type)
{
    int first = 0;
    while (strcmp(fer_kinds[first].class_name, fer_kinds[type].class_name) != 0) first++;
    return first;
}
