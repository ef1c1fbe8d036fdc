/* kinds_elements.c - kinds of layers that go through their input element by element, or move elements to other places:
 * what stands in kinds.c for the others. */
#include "kinds.h"

#include <string.h>

static const struct fer_layer *source(const struct fer_network *net, const struct fer_layer *layer)
{
    return &net->layer[layer->input[0]];
}

/* The layer may write over its input: then there is nothing to copy. */
static void copy(size_t count, const real *x, real *y)
{
    if (x != y) memcpy(y, x, count * sizeof *y);
}

/* ---- Activations with settings, and softmax ---- */

void fer_kind_leaky_relu_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    (void)training;
    fer_leaky_relu_forward(fer_layer_count(layer, n), (real)layer->slope, (real)layer->max_value,
                           source(net, layer)->output, layer->output);
}

void fer_kind_leaky_relu_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                  real *const *dx)
{
    (void)net;
    if (dx[0])
        fer_leaky_relu_backward(fer_layer_count(layer, n), (real)layer->slope, (real)layer->max_value, layer->output,
                                layer->output_gradient, dx[0]);
}

void fer_kind_hard_sigmoid_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    (void)training;
    fer_hard_sigmoid_forward(fer_layer_count(layer, n), (real)layer->slope, source(net, layer)->output, layer->output);
}

void fer_kind_hard_sigmoid_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                    real *const *dx)
{
    (void)net;
    if (dx[0])
        fer_hard_sigmoid_backward(fer_layer_count(layer, n), (real)layer->slope, layer->output, layer->output_gradient,
                                  dx[0]);
}

void fer_kind_softmax_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    (void)training;
    fer_softmax(fer_layer_rows(layer, n), layer->channels, source(net, layer)->output, layer->output);
}

void fer_kind_softmax_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx)
{
    (void)net;
    if (dx[0])
        fer_softmax_backward(fer_layer_rows(layer, n), layer->channels, layer->output, layer->output_gradient, dx[0]);
}

/* ---- Add, Multiply ---- */

static int fail_shapes(const struct fer_layer *layer, const struct fer_layer *a, const struct fer_layer *b,
                       const char *expected, struct fer_error *e)
{
    return fer_fail(e, "%s: %s is %zux%zux%zu%s, %s %zux%zux%zu%s: expected %s", layer->name, a->name, a->height,
                    a->width, a->channels, a->flat ? " (flat)" : "", b->name, b->height, b->width, b->channels,
                    b->flat ? " (flat)" : "", expected);
}

int fer_kind_add_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_layer *first = source(net, layer);
    int k;
    for (k = 1; k < layer->inputs; k++) {
        const struct fer_layer *from = &net->layer[layer->input[k]];
        if (from->height != first->height || from->width != first->width || from->channels != first->channels ||
            from->flat != first->flat)
            return fail_shapes(layer, first, from, "inputs of one shape", e);
    }
    return 0;
}

static void collect_outputs(const struct fer_network *net, const struct fer_layer *layer, const real **x, size_t *cells)
{
    int k;
    for (k = 0; k < layer->inputs; k++) {
        const struct fer_layer *from = &net->layer[layer->input[k]];
        x[k] = from->output;
        cells[k] = from->height * from->width;
    }
}

void fer_kind_add_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    const real *x[FER_MAX_INPUTS];
    size_t cells[FER_MAX_INPUTS];
    (void)training;
    collect_outputs(net, layer, x, cells);
    fer_add_forward(fer_layer_count(layer, n), layer->inputs, x, layer->output);
}

void fer_kind_add_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx)
{
    (void)net;
    fer_add_backward(fer_layer_count(layer, n), layer->inputs, layer->output_gradient, dx);
}

/* The largest input; the others are as large, or have one cell. */
int fer_kind_multiply_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_layer *largest = source(net, layer);
    int k;
    for (k = 1; k < layer->inputs; k++)
        if (net->layer[layer->input[k]].height * net->layer[layer->input[k]].width > largest->height * largest->width)
            largest = &net->layer[layer->input[k]];
    for (k = 0; k < layer->inputs; k++) {
        const struct fer_layer *from = &net->layer[layer->input[k]];
        if (from->channels != largest->channels || from->flat != largest->flat ||
            ((from->height != largest->height || from->width != largest->width) && from->height * from->width != 1))
            return fail_shapes(layer, largest, from, "inputs of one shape, or 1x1", e);
    }
    layer->height = largest->height, layer->width = largest->width;
    return 0;
}

void fer_kind_multiply_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    const real *x[FER_MAX_INPUTS];
    size_t cells[FER_MAX_INPUTS];
    (void)training;
    collect_outputs(net, layer, x, cells);
    fer_multiply_forward(n, layer->channels, layer->inputs, cells, layer->height * layer->width, x, layer->output);
}

void fer_kind_multiply_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx)
{
    const real *x[FER_MAX_INPUTS];
    size_t cells[FER_MAX_INPUTS];
    collect_outputs(net, layer, x, cells);
    fer_multiply_backward(n, layer->channels, layer->inputs, cells, layer->height * layer->width, x,
                          layer->output_gradient, dx);
}

/* ---- Reshape, Flatten, a linear activation: the same numbers in the same order ---- */

/* The builder has set the new shape. */
int fer_kind_reshape_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_layer *from = source(net, layer);
    if (fer_layer_count(from, 1) == fer_layer_count(layer, 1)) return 0;
    return fer_fail(e, "%s: %zux%zux%zu has not as many elements as %s, %zux%zux%zu", layer->name, layer->height,
                    layer->width, layer->channels, from->name, from->height, from->width, from->channels);
}

void fer_kind_copy_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    (void)training;
    copy(fer_layer_count(layer, n), source(net, layer)->output, layer->output);
}

void fer_kind_copy_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx)
{
    (void)net;
    if (dx[0]) copy(fer_layer_count(layer, n), layer->output_gradient, dx[0]);
}

/* ---- ZeroPadding2D, Cropping2D ---- */

int fer_kind_zero_padding2d_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_layer *from = source(net, layer);
    if (from->flat)
        return fer_fail(e, "%s: %s is flat: expected an input with height and width", layer->name, from->name);
    layer->height += layer->edge[0] + layer->edge[1];
    layer->width += layer->edge[2] + layer->edge[3];
    return 0;
}

void fer_kind_zero_padding2d_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                     int training)
{
    const struct fer_layer *from = source(net, layer);
    (void)training;
    fer_zero_padding2d_forward(n, from->height, from->width, from->channels, layer->edge, from->output, layer->output);
}

void fer_kind_zero_padding2d_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                      real *const *dx)
{
    const struct fer_layer *from = source(net, layer);
    if (dx[0])
        fer_cropping2d_forward(n, from->height, from->width, from->channels, layer->edge, layer->output_gradient,
                               dx[0]);
}

int fer_kind_cropping2d_shape(struct fer_network *net, struct fer_layer *layer, struct fer_error *e)
{
    const struct fer_layer *from = source(net, layer);
    if (from->flat)
        return fer_fail(e, "%s: %s is flat: expected an input with height and width", layer->name, from->name);
    if (layer->edge[0] + layer->edge[1] >= from->height || layer->edge[2] + layer->edge[3] >= from->width)
        return fer_fail(e, "%s: of %zux%zu nothing is left: expected to crop less", layer->name, from->height,
                        from->width);
    layer->height -= layer->edge[0] + layer->edge[1];
    layer->width -= layer->edge[2] + layer->edge[3];
    return 0;
}

void fer_kind_cropping2d_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    (void)training;
    fer_cropping2d_forward(n, layer->height, layer->width, layer->channels, layer->edge, source(net, layer)->output,
                           layer->output);
}

void fer_kind_cropping2d_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                  real *const *dx)
{
    (void)net;
    if (dx[0])
        fer_zero_padding2d_forward(n, layer->height, layer->width, layer->channels, layer->edge,
                                   layer->output_gradient, dx[0]);
}

/* ---- Dropout ---- */

static void drop(const struct fer_network *net, const struct fer_layer *layer, size_t n, const real *x, real *y)
{
    const uint64_t first = (uint64_t)(layer - net->layer) << 40;
    const size_t cells = layer->height * layer->width, channels = layer->channels;
    if (layer->type == FER_DROPOUT)
        fer_dropout(fer_layer_count(layer, n), layer->rate, net->seed, net->step, first, x, y);
    else
        fer_spatial_dropout2d(n, layer->whole_images ? cells * channels : cells, layer->whole_images ? 1 : channels,
                              layer->rate, net->seed, net->step, first, x, y);
}

void fer_kind_dropout_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    if (training && !layer->inference)
        drop(net, layer, n, source(net, layer)->output, layer->output);
    else
        copy(fer_layer_count(layer, n), source(net, layer)->output, layer->output);
}

void fer_kind_dropout_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n, real *const *dx)
{
    if (dx[0] && !layer->inference)
        drop(net, layer, n, layer->output_gradient, dx[0]);
    else if (dx[0])
        copy(fer_layer_count(layer, n), layer->output_gradient, dx[0]);
}

/* ---- Rescaling, Normalization ---- */

void fer_kind_rescaling_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n, int training)
{
    const real *scale = net->constants + layer->constants;
    (void)training;
    fer_rescaling_forward(fer_layer_rows(layer, n), layer->channels, scale, scale + layer->channels,
                          source(net, layer)->output, layer->output);
}

void fer_kind_rescaling_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                 real *const *dx)
{
    if (dx[0])
        fer_rescaling_backward(fer_layer_rows(layer, n), layer->channels, net->constants + layer->constants,
                               layer->output_gradient, dx[0]);
}

static const real *values(const struct fer_network *net, const struct fer_layer *layer, const char *name)
{
    return fer_layer_parameter(net, layer, name)->value;
}

void fer_kind_normalization_forward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                    int training)
{
    (void)training;
    fer_normalization_forward(fer_layer_rows(layer, n), layer->channels, values(net, layer, "mean"),
                              values(net, layer, "variance"), source(net, layer)->output, layer->output);
}

void fer_kind_normalization_backward(const struct fer_network *net, const struct fer_layer *layer, size_t n,
                                     real *const *dx)
{
    if (dx[0])
        fer_normalization_backward(fer_layer_rows(layer, n), layer->channels, values(net, layer, "variance"),
                                   layer->output_gradient, dx[0]);
}
