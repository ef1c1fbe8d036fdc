/* op_elements.c - the operations of `fer op` without weights: functions of single elements and of channels, sums and
 * products of arrays, edges, dropout. */
#include "op.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

/* x and dy, y and dx: of one shape. */
struct elements {
    struct fer_tensor x, dy, y, dx;
    size_t count, rows, channels; /* of x; channels its last dimension, where that has a meaning */
};

/* meaning NULL: any dimensions in any order. */
static int read_elements(struct fer_op *op, const char *meaning, struct elements *a)
{
    if (fer_op_need(op, "x", meaning, &a->x) || fer_op_maybe(op, "dy", meaning, &a->dy) ||
        fer_op_same_shape(op, &a->dy, &a->x))
        return -1;
    a->count = a->x.about.count;
    if (meaning && a->x.about.dims < 1) return fer_op_blame(op, &a->x, "expected one or more dimensions");
    a->channels = meaning ? a->x.about.shape[a->x.about.dims - 1] : 1;
    a->rows = a->count / a->channels;
    return fer_op_result_like(op, "y", &a->x, &a->y) || fer_op_result_like(op, "dx", &a->x, &a->dx);
}

static int write_elements(struct fer_op *op, const struct elements *a)
{
    if (fer_op_write(op, &a->y)) return -1;
    return a->dy.values ? fer_op_write(op, &a->dx) : 0;
}

/* ---- Activations ---- */

static int activation(struct fer_op *op, void (*forward)(size_t count, const real *x, real *y),
                      void (*backward)(size_t count, const real *x_or_y, const real *dy, real *dx), int from_x)
{
    struct elements a;
    if (read_elements(op, NULL, &a)) return -1;
    forward(a.count, a.x.values, a.y.values);
    if (a.dy.values) backward(a.count, from_x ? a.x.values : a.y.values, a.dy.values, a.dx.values);
    return write_elements(op, &a);
}

int fer_op_sigmoid(struct fer_op *op)
{
    return activation(op, fer_sigmoid_forward, fer_sigmoid_backward, 0);
}

int fer_op_tanh(struct fer_op *op)
{
    return activation(op, fer_tanh_forward, fer_tanh_backward, 0);
}

int fer_op_silu(struct fer_op *op)
{
    return activation(op, fer_silu_forward, fer_silu_backward, 1);
}

int fer_op_elu(struct fer_op *op)
{
    return activation(op, fer_elu_forward, fer_elu_backward, 0);
}

int fer_op_hard_sigmoid(struct fer_op *op)
{
    struct elements a;
    int keras2;
    real slope;
    if (fer_op_choice(op, "slope", "1/6|1/5", &keras2) || read_elements(op, NULL, &a)) return -1;
    slope = (real)(keras2 ? 1.0 / 5 : 1.0 / 6);
    fer_hard_sigmoid_forward(a.count, slope, a.x.values, a.y.values);
    if (a.dy.values) fer_hard_sigmoid_backward(a.count, slope, a.y.values, a.dy.values, a.dx.values);
    return write_elements(op, &a);
}

int fer_op_softmax(struct fer_op *op)
{
    struct elements a;
    if (read_elements(op, "[N,...,C]", &a)) return -1;
    fer_softmax(a.rows, a.channels, a.x.values, a.y.values);
    if (a.dy.values) fer_softmax_backward(a.rows, a.channels, a.y.values, a.dy.values, a.dx.values);
    return write_elements(op, &a);
}

/* ---- Rescaling, Normalization ---- */

/* One number for each channel; where they are not given, all `otherwise`. */
static int read_vector(struct fer_op *op, const char *name, size_t channels, double otherwise, struct fer_tensor *t)
{
    size_t c;
    if (fer_op_maybe(op, name, NULL, t) || fer_op_vector(op, t, channels)) return -1;
    if (t->values) return 0;
    if (fer_op_result(op, name, 1, &channels, t)) return -1;
    for (c = 0; c < channels; c++) t->values[c] = (real)otherwise;
    return 0;
}

int fer_op_rescaling(struct fer_op *op)
{
    struct elements a;
    struct fer_tensor scale, offset;
    if (read_elements(op, "[N,...,C]", &a) || read_vector(op, "scale", a.channels, 1, &scale) ||
        read_vector(op, "offset", a.channels, 0, &offset))
        return -1;
    fer_rescaling_forward(a.rows, a.channels, scale.values, offset.values, a.x.values, a.y.values);
    if (a.dy.values) fer_rescaling_backward(a.rows, a.channels, scale.values, a.dy.values, a.dx.values);
    return write_elements(op, &a);
}

int fer_op_normalization(struct fer_op *op)
{
    struct elements a;
    struct fer_tensor mean, variance;
    if (read_elements(op, "[N,...,C]", &a) || read_vector(op, "mean", a.channels, 0, &mean) ||
        read_vector(op, "variance", a.channels, 1, &variance))
        return -1;
    fer_normalization_forward(a.rows, a.channels, mean.values, variance.values, a.x.values, a.y.values);
    if (a.dy.values) fer_normalization_backward(a.rows, a.channels, variance.values, a.dy.values, a.dx.values);
    return write_elements(op, &a);
}

/* ---- Dropout ---- */

/* Epoch 0 of FER_FOR_DROPOUT; not in training: what comes in goes out. */
static int dropout(struct fer_op *op, int spatial)
{
    struct elements a;
    double rate, seed;
    int training, back;
    if (fer_op_number(op, "rate", 0, 1 - DBL_EPSILON, &rate) || fer_op_number(op, "seed", 0, 0x1p53, &seed) ||
        fer_op_choice(op, "training", "0|1", &training))
        return -1;
    if (seed != (double)(uint64_t)seed) return fer_fail(op->e, "--seed %.10g: expected a whole number", seed);
    if (read_elements(op, spatial ? "[N,H,W,C]" : "[N,...,C]", &a)) return -1;
    for (back = 0; back <= (a.dy.values != NULL); back++) {
        const real *from = back ? a.dy.values : a.x.values;
        real *to = back ? a.dx.values : a.y.values;
        if (!training)
            memcpy(to, from, a.count * sizeof *to);
        else if (spatial)
            fer_spatial_dropout2d(a.x.about.shape[0], a.x.about.shape[1] * a.x.about.shape[2], a.channels, rate,
                                  (uint64_t)seed, 0, 0, from, to);
        else
            fer_dropout(a.count, rate, (uint64_t)seed, 0, 0, from, to);
    }
    return write_elements(op, &a);
}

int fer_op_dropout(struct fer_op *op)
{
    return dropout(op, 0);
}

int fer_op_spatial_dropout2d(struct fer_op *op)
{
    return dropout(op, 1);
}

/* ---- ZeroPadding2D, Cropping2D ---- */

static int edges(struct fer_op *op, int crops)
{
    struct fer_tensor x, dy, y, dx;
    size_t edge[4], out[4], n, c;
    const size_t *small, *shape;
    int none;
    if (fer_op_need(op, "x", "[N,H,W,C]", &x) ||
        fer_op_choice_or_sides(op, crops ? "cropping" : "padding", "", &none, edge))
        return -1;
    shape = x.about.shape, n = shape[0], c = shape[3];
    if (crops && (edge[0] + edge[1] >= shape[1] || edge[2] + edge[3] >= shape[2]))
        return fer_op_blame(op, &x, "nothing would be left of it: expected to crop less");
    out[0] = n, out[3] = c;
    out[1] = crops ? shape[1] - edge[0] - edge[1] : shape[1] + edge[0] + edge[1];
    out[2] = crops ? shape[2] - edge[2] - edge[3] : shape[2] + edge[2] + edge[3];
    if (fer_op_result(op, "y", 4, out, &y) || fer_op_maybe(op, "dy", "[N,H,W,C]", &dy) ||
        fer_op_same_shape(op, &dy, &y) || fer_op_result_like(op, "dx", &x, &dx))
        return -1;
    small = crops ? out : shape; /* the smaller of both */
    (crops ? fer_cropping2d_forward : fer_zero_padding2d_forward)(n, small[1], small[2], c, edge, x.values, y.values);
    if (fer_op_write(op, &y)) return -1;
    if (!dy.values) return 0;
    (crops ? fer_zero_padding2d_forward : fer_cropping2d_forward)(n, small[1], small[2], c, edge, dy.values, dx.values);
    return fer_op_write(op, &dx);
}

int fer_op_zero_padding2d(struct fer_op *op)
{
    return edges(op, 0);
}

int fer_op_cropping2d(struct fer_op *op)
{
    return edges(op, 1);
}

/* ---- Add, Multiply ---- */

enum { NAME_SIZE = 8 };

/* x0, x1, ..., and the gradient of each. */
struct inputs {
    int count, largest; /* the first of the most elements, whose shape y has */
    struct fer_tensor x[FER_MAX_INPUTS], dx[FER_MAX_INPUTS];
    char name[FER_MAX_INPUTS][NAME_SIZE], dx_name[FER_MAX_INPUTS][NAME_SIZE];
    const real *values[FER_MAX_INPUTS];
    real *gradients[FER_MAX_INPUTS];
    size_t cells[FER_MAX_INPUTS];
};

/* One more than the highest number of an input; none below it may be missing. */
static int read_inputs(struct fer_op *op, struct inputs *in)
{
    int i;
    for (i = 0; i < FER_MAX_INPUTS; i++) {
        snprintf(in->name[i], NAME_SIZE, "x%d", i);
        snprintf(in->dx_name[i], NAME_SIZE, "dx%d", i);
        if (fer_op_find(op, in->name[i])) in->count = i + 1;
    }
    if (in->count == 0) return fer_op_missing(op, "x0");
    for (i = 0; i < in->count; i++) {
        struct fer_tensor *x = &in->x[i];
        if (fer_op_need(op, in->name[i], "[N,...,C]", x)) return -1;
        in->values[i] = x->values;
        if (x->about.count > in->x[in->largest].about.count) in->largest = i;
    }
    return 0;
}

/* Of one shape all; some may be [N,1,1,C] beside [N,H,W,C], where `one_cell`. */
static int check_inputs(struct fer_op *op, struct inputs *in, int one_cell)
{
    const struct fer_array *y = &in->x[in->largest].about;
    int i, d;
    for (i = 0; i < in->count; i++) {
        const struct fer_array *x = &in->x[i].about;
        int equal = x->dims == y->dims;
        const int single = one_cell && equal && x->dims == 4 && x->shape[0] == y->shape[0] && x->shape[1] == 1 &&
                           x->shape[2] == 1 && x->shape[3] == y->shape[3];
        for (d = 0; d < x->dims && equal; d++) equal = x->shape[d] == y->shape[d];
        if (!equal && !single)
            return fer_op_blame(op, &in->x[i], "expected the shape of %s%s", in->name[in->largest],
                                one_cell ? ", or one cell for all of its" : "");
        in->cells[i] = y->dims == 4 && !single ? y->shape[1] * y->shape[2] : 1;
    }
    return 0;
}

static int merge(struct fer_op *op, int multiplies)
{
    struct inputs in = {0};
    struct fer_tensor y, dy;
    size_t n, c, cells, count;
    int i;
    if (read_inputs(op, &in) || check_inputs(op, &in, multiplies) ||
        fer_op_result_like(op, "y", &in.x[in.largest], &y) || fer_op_maybe(op, "dy", "[N,...,C]", &dy) ||
        fer_op_same_shape(op, &dy, &y))
        return -1;
    for (i = 0; i < in.count; i++) {
        if (fer_op_result_like(op, in.dx_name[i], &in.x[i], &in.dx[i])) return -1;
        in.gradients[i] = in.dx[i].values;
    }
    count = y.about.count;
    n = y.about.dims == 4 ? y.about.shape[0] : 1, c = y.about.dims == 4 ? y.about.shape[3] : count, cells = count / n / c;
    if (multiplies)
        fer_multiply_forward(n, c, in.count, in.cells, cells, in.values, y.values);
    else
        fer_add_forward(count, in.count, in.values, y.values);
    if (fer_op_write(op, &y)) return -1;
    if (!dy.values) return 0;
    if (multiplies)
        fer_multiply_backward(n, c, in.count, in.cells, cells, in.values, dy.values, in.gradients);
    else
        fer_add_backward(count, in.count, dy.values, in.gradients);
    for (i = 0; i < in.count; i++)
        if (fer_op_write(op, &in.dx[i])) return -1;
    return 0;
}

int fer_op_add(struct fer_op *op)
{
    return merge(op, 0);
}

int fer_op_multiply(struct fer_op *op)
{
    return merge(op, 1);
}
