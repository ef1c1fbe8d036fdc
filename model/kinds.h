/* kinds.h - the kinds of layers: one table, in which a row says all that the rest of the program need know of a
 * kind. */
#ifndef FER_KINDS_H
#define FER_KINDS_H

#include "model.h"

/* What an exact record (check/record_exact.c) has of a layer. */
enum fer_exactness {
    FER_NOT_EXACT, /* nothing: its results are no whole numbers */
    FER_DRAWN,     /* its output is drawn; nothing is computed, and what it takes from is left out */
    FER_COMPUTED   /* its output and gradients, computed from its inputs; where one of them is left out, it is drawn */
};

/* What Keras's JSON says of a layer (keras_write.c), to be added up. */
enum fer_config_part {
    FER_CONFIG_FILTERS = 1,
    FER_CONFIG_KERNEL = 2,         /* kernel_size, strides, padding, dilation_rate, use_bias */
    FER_CONFIG_GROUPS = 4,
    FER_CONFIG_MULTIPLIER = 8,     /* depth_multiplier */
    FER_CONFIG_UNITS = 16,         /* and use_bias */
    FER_CONFIG_NORMALIZATION = 32, /* momentum, epsilon, scale, center */
    FER_CONFIG_FUNCTION = 64,      /* an activation's name, or its slope and largest value */
    FER_CONFIG_POOL = 128,         /* pool_size, strides, padding */
    FER_CONFIG_KEEPDIMS = 256,
    FER_CONFIG_PADDING = 512,      /* of the edges */
    FER_CONFIG_CROPPING = 1024,
    FER_CONFIG_SHAPE = 2048,       /* target_shape */
    FER_CONFIG_RATE = 4096,
    FER_CONFIG_AXIS = 8192,
    FER_CONFIG_CONSTANTS = 16384   /* scale, offset */
};

struct fer_kind {
    const char *class_name; /* Keras's: "Conv2D" */
    const char *stem;       /* of the names that Keras gives: "conv2d", "conv2d_1", ... */
    const char *function;   /* of an activation, Keras's name: "sigmoid"; NULL: it has none */
    unsigned config;        /* what Keras's JSON says of it */

    /* Output shape and window, from the shapes of the layer's inputs and its own settings; declares its parameters.
     * The layer comes with its first input's height, width and flat, and with channels: its own where they are a
     * setting, else the first input's. NULL: the output is shaped like the input. */
    int (*shape)(struct fer_network *net, struct fer_layer *layer, struct fer_error *e);

    /* Of an activation without settings: y of x, and dx of dy and, as said below, x or y. */
    void (*function_forward)(size_t count, const real *x, real *y);
    void (*function_backward)(size_t count, const real *x, const real *dy, real *dx);

    /* In training, before `forward`: mean and variance of the batch, [channels] each. NULL: it has none. */
    void (*statistics)(const struct fer_network *net, const struct fer_layer *layer, size_t n);
    /* layer->output, from the outputs of the layers that it takes from. */
    void (*forward)(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training);
    /* From layer->output_gradient: dx[k], the gradient of its input number k (NULL: not wanted), and the gradients of
     * its parameters. */
    void (*backward)(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx);
    /* The gradient of its kernel, where that is so much work that `bench` times it apart. NULL: `backward` has it. */
    void (*backward_kernel)(const struct fer_network *net, const struct fer_layer *layer, size_t n);
    /* What a training step changes beside Adam. NULL: nothing. */
    void (*update)(const struct fer_network *net, const struct fer_layer *layer, size_t n);

    /* For the plan (plan.c). */
    int backward_reads_input, backward_reads_output; /* the backward pass reads its inputs', its own output */
    int element_by_element; /* each element from the one at the same place, both ways: it may write over it */

    double (*products)(const struct fer_layer *layer); /* of one image, for `bench`; NULL: none are counted */

    /* For exact records; `divisor`: the number that all divisors of the layer divide, NULL: it does not divide. */
    enum fer_exactness exact;
    size_t (*divisor)(const struct fer_network *net, const struct fer_layer *layer);
};

extern const struct fer_kind fer_kinds[FER_LAYER_TYPES];
/* The first kind of the same class: all activations are one. */
int fer_class_first(enum fer_layer_type type);

/* ---- kinds_elements.c: shapes and passes of kinds, for the table ---- */

typedef int fer_shape_function(struct fer_network *net, struct fer_layer *layer, struct fer_error *e);
typedef void fer_forward_function(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training);
typedef void fer_backward_function(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                   real *const *dx);
fer_shape_function fer_kind_add_shape, fer_kind_multiply_shape, fer_kind_reshape_shape,
    fer_kind_zero_padding2d_shape, fer_kind_cropping2d_shape;
fer_forward_function fer_kind_leaky_relu_forward, fer_kind_hard_sigmoid_forward, fer_kind_softmax_forward,
    fer_kind_add_forward, fer_kind_multiply_forward, fer_kind_copy_forward, fer_kind_zero_padding2d_forward,
    fer_kind_cropping2d_forward, fer_kind_dropout_forward, fer_kind_rescaling_forward, fer_kind_normalization_forward;
fer_backward_function fer_kind_leaky_relu_backward, fer_kind_hard_sigmoid_backward, fer_kind_softmax_backward,
    fer_kind_add_backward, fer_kind_multiply_backward, fer_kind_copy_backward, fer_kind_zero_padding2d_backward,
    fer_kind_cropping2d_backward, fer_kind_dropout_backward, fer_kind_rescaling_backward,
    fer_kind_normalization_backward;

/* Whether a parameter is its layer's `what`: "kernel" is conv2d/kernel, sep/depthwise_kernel and sep/pointwise_kernel;
 * "variance" is moving_variance. */
int fer_parameter_is(const struct fer_parameter *p, const char *what);
/* Whether it takes a batch's statistics in a training step: a BatchNormalization that is neither frozen nor in
 * inference mode. */
int fer_layer_takes_statistics(const struct fer_layer *layer);
/* Whether a training step changes it: what is trained, and the moving statistics of a layer that takes a batch's. */
int fer_parameter_changes(const struct fer_layer *layer, const struct fer_parameter *p);
/* layer->window for n images. */
struct fer_window fer_layer_window(const struct fer_layer *layer, size_t n);
/* n * height * width, and that times channels: the elements of its output. */
size_t fer_layer_rows(const struct fer_layer *layer, size_t n);
size_t fer_layer_count(const struct fer_layer *layer, size_t n);

#endif
