/* op_elements.c - the operations of `fer op` without weights: functions of single elements and of channels, sums and
 * products of arrays, edges, dropout. */
#include "op.h"

#include <float.h>
#include <math.h>
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

/* How far rounding can take y and dx: so many roundings, as in verify_elements.c, of parts of |x| and 1, and of parts
 * of |dy|, of |dy| |x| and of |dx|. */
struct limits {
    double y, of_x, of_one;
    double dx, of_dy, of_dy_x, of_dx;
};

static real absolute(real x)
{
    return x < 0 ? -x : x;
}

static int write_elements(struct fer_op *op, const struct elements *a, const struct limits *l)
{
    size_t i;
    if (fer_op_claim(op, &a->y)) {
        real *m = fer_op_copy(op, &a->x);
        for (i = 0; m && i < a->count; i++) m[i] = (real)l->of_x * absolute(m[i]) + (real)l->of_one;
        fer_op_judge_magnitudes(op, &a->y, l->y, m);
    }
    if (fer_op_write(op, &a->y)) return -1;
    if (!a->dy.values) return 0;
    if (fer_op_claim(op, &a->dx)) {
        real *m = fer_op_copy(op, &a->dy);
        for (i = 0; m && i < a->count; i++)
            m[i] = absolute(m[i]) * (real)(l->of_dy + l->of_dy_x * (double)absolute(a->x.values[i])) +
                   (real)l->of_dx * absolute(a->dx.values[i]);
        fer_op_judge_magnitudes(op, &a->dx, l->dx, m);
    }
    return fer_op_write(op, &a->dx);
}

/* ---- Activations ---- */

static int activation(struct fer_op *op, void (*forward)(size_t count, const real *x, real *y),
                      void (*backward)(size_t count, const real *x_or_y, const real *dy, real *dx), int from_x,
                      struct limits limits)
{
    struct elements a;
    size_t i;
    if (read_elements(op, NULL, &a)) return -1;
    forward(a.count, a.x.values, a.y.values);
    if (a.dy.values) backward(a.count, from_x ? a.x.values : a.y.values, a.dy.values, a.dx.values);
    for (i = 0; op->twist == FER_NO_LIMIT && i < a.count; i++) {
        if (absolute(a.x.values[i]) < INFINITY || a.x.values[i] != a.x.values[i]) continue;
        if (a.x.values[i] < 0) a.y.values[i] = NAN;
        a.dx.values[i] = NAN;
    }
    return write_elements(op, &a, &limits);
}

int fer_op_sigmoid(struct fer_op *op)
{
    return activation(op, fer_sigmoid_forward, fer_sigmoid_backward, 0,
                      (struct limits){.y = 8, .of_one = 1, .dx = 16, .of_dy = 1});
}

int fer_op_tanh(struct fer_op *op)
{
    return activation(op, fer_tanh_forward, fer_tanh_backward, 0,
                      (struct limits){.y = 8, .of_one = 1, .dx = 24, .of_dy = 1});
}

int fer_op_silu(struct fer_op *op)
{
    return activation(op, fer_silu_forward, fer_silu_backward, 1,
                      (struct limits){.y = 8, .of_x = 1, .dx = 24, .of_dy = 1, .of_dy_x = 1});
}

int fer_op_elu(struct fer_op *op)
{
    return activation(op, fer_elu_forward, fer_elu_backward, 0,
                      (struct limits){.y = 8, .of_one = 1, .dx = 16, .of_dy = 1});
}

int fer_op_hard_sigmoid(struct fer_op *op)
{
    struct elements a;
    int keras2;
    real slope;
    size_t i;
    if (fer_op_choice(op, "slope", "1/6|1/5", &keras2) || read_elements(op, NULL, &a)) return -1;
    slope = (real)(keras2 ? 1.0 / 5 : 1.0 / 6);
    fer_hard_sigmoid_forward(a.count, slope, a.x.values, a.y.values);
    if (a.dy.values) fer_hard_sigmoid_backward(a.count, slope, a.y.values, a.dy.values, a.dx.values);
    for (i = 0; a.dy.values && i < a.count; i++) { /* y there is 0 or 1, and rounding may have made it so */
        const real outside = absolute(a.x.values[i]) - (keras2 ? (real)2.5 : 3);
        if (outside == 0 && op->twist == FER_SLOPE_INSIDE) a.dx.values[i] = slope * a.dy.values[i];
        if (outside == 0 && op->twist == FER_SLOPE_HALF) a.dx.values[i] = slope * a.dy.values[i] / 2;
    }
    return write_elements(op, &a, &(struct limits){.y = 4, .of_x = 0.2, .of_one = 0.5, .dx = 4, .of_dx = 1});
}

/* The gradient is y (dy - sum of dy y), a sum of as many products as there are classes. */
static int write_softmax(struct fer_op *op, const struct elements *a)
{
    size_t i, k;
    if (fer_op_claim(op, &a->y)) {
        if (op->twist == FER_NO_MAXIMUM)
            fer_tally_softmax_mistaken(&op->judge->tally, &op->judge->arithmetic, op->twist, (int)a->rows,
                                       (int)a->channels, a->x.values, op->judge->claimed);
        else
            fer_tally_softmax(&op->judge->tally, &op->judge->arithmetic, FER_PROBABILITIES, (int)a->rows,
                              (int)a->channels, a->x.values, NULL, op->judge->claimed);
    }
    if (fer_op_write(op, &a->y)) return -1;
    if (!a->dy.values) return 0;
    if (fer_op_claim(op, &a->dx)) {
        real *m = fer_op_copy(op, &a->dy);
        for (i = 0; m && i < a->count; i++) {
            const size_t row = i - i % a->channels;
            real sum = absolute(a->dy.values[i]);
            for (k = row; k < row + a->channels; k++) sum += absolute(a->dy.values[k] * a->y.values[k]);
            m[i] = sum * a->y.values[i];
        }
        /* theirs is from a y of their own, which may be off by its own bound */
        fer_op_judge_magnitudes(op, &a->dx, 2 * (double)a->channels + 60, m);
    }
    return fer_op_write(op, &a->dx);
}

int fer_op_softmax(struct fer_op *op)
{
    struct elements a;
    if (read_elements(op, "[N,...,C]", &a)) return -1;
    fer_softmax(a.rows, a.channels, a.x.values, a.y.values);
    if (a.dy.values) fer_softmax_backward(a.rows, a.channels, a.y.values, a.dy.values, a.dx.values);
    return write_softmax(op, &a);
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

/* Of y = x * factor + offset, however it is computed. */
static int write_line(struct fer_op *op, const struct elements *a, const real *scale, const real *mean,
                      const real *variance, const real *offset)
{
    size_t i;
    if (fer_op_claim(op, &a->y)) {
        real *m = fer_op_copy(op, &a->x);
        for (i = 0; m && i < a->count; i++) {
            const size_t c = i % a->channels;
            m[i] = absolute(m[i]);
            if (scale) m[i] = m[i] * absolute(scale[c]) + absolute(offset[c]);
            if (mean)
                m[i] = (m[i] + absolute(mean[c])) / (real)(variance[c] > 1e-14 ? sqrt((double)variance[c]) : 1e-7);
        }
        fer_op_judge_magnitudes(op, &a->y, 5, m);
    }
    if (fer_op_write(op, &a->y)) return -1;
    if (!a->dy.values) return 0;
    fer_op_judge_roundings(op, &a->dx, 4);
    return fer_op_write(op, &a->dx);
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
    return write_line(op, &a, scale.values, NULL, NULL, offset.values);
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
    return write_line(op, &a, NULL, mean.values, variance.values, NULL);
}

/* ---- Dropout ---- */

/* Which elements are dropped is their own choice: each result is 0 or what is kept; 1 / (1 - rate) may be made of a
 * rounded rate, as in verify_elements.c. */
static int write_kept(struct fer_op *op, const struct fer_tensor *t, const struct fer_tensor *from, double rate,
                      int training)
{
    size_t i;
    if (fer_op_claim(op, t)) {
        for (i = 0; i < t->about.count; i++)
            t->values[i] = !training ? from->values[i]
                           : op->judge->claimed[i] == 0 ? 0 : (real)((double)from->values[i] / (1 - rate));
        fer_op_judge_magnitudes(op, t, training ? 3 + 2 * rate / (1 - rate) : 0, t->values);
    }
    return fer_op_write(op, t);
}

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
    if (write_kept(op, &a.y, &a.x, rate, training)) return -1;
    return a.dy.values ? write_kept(op, &a.dx, &a.dy, rate, training) : 0;
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
    fer_op_judge_copies(op, &y);
    if (fer_op_write(op, &y)) return -1;
    if (!dy.values) return 0;
    (crops ? fer_zero_padding2d_forward : fer_cropping2d_forward)(n, small[1], small[2], c, edge, dy.values, dx.values);
    fer_op_judge_copies(op, &dx);
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

/* A sum of as many terms as there are inputs, or a product of as many factors. */
static int write_merged(struct fer_op *op, const struct inputs *in, const struct fer_tensor *y, int multiplies)
{
    size_t i;
    int k;
    if (multiplies)
        fer_op_judge_roundings(op, y, in->count);
    else if (fer_op_claim(op, y)) {
        real *m = fer_op_allocate(op, y->about.count, sizeof *m);
        for (k = 0; m && k < in->count; k++)
            for (i = 0; i < y->about.count; i++) m[i] += absolute(in->values[k][i]);
        fer_op_judge_magnitudes(op, y, in->count - 1, m);
    }
    return fer_op_write(op, y);
}

/* dx[k] of a product; where it is a sum over cells, its magnitude is the same sum of absolute values. */
static int write_factor(struct fer_op *op, const struct inputs *in, int k, const struct fer_tensor *dy, size_t n,
                        size_t c, size_t cells)
{
    const struct fer_tensor *dx = &in->dx[k];
    if (in->cells[k] == cells)
        fer_op_judge_roundings(op, dx, in->count);
    else if (fer_op_claim(op, dx)) {
        const real *factors[FER_MAX_INPUTS];
        real *m[FER_MAX_INPUTS] = {NULL}, *of_dy = fer_op_copy(op, dy), *copy;
        size_t i;
        int j;
        m[k] = fer_op_copy(op, dx);
        for (i = 0; of_dy && i < dy->about.count; i++) of_dy[i] = absolute(of_dy[i]);
        for (j = 0; j < in->count; j++) {
            factors[j] = copy = fer_op_copy(op, &in->x[j]);
            for (i = 0; copy && i < in->x[j].about.count; i++) copy[i] = absolute(copy[i]);
        }
        if (op->judge->failed) return -1;
        fer_multiply_backward(n, c, in->count, in->cells, cells, factors, of_dy, m);
        fer_op_judge_magnitudes(op, dx, (double)cells + in->count, m[k]);
    }
    return fer_op_write(op, dx);
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
    n = y.about.dims == 4 ? y.about.shape[0] : 1;
    c = y.about.dims == 4 ? y.about.shape[3] : count;
    cells = count / n / c;
    if (multiplies)
        fer_multiply_forward(n, c, in.count, in.cells, cells, in.values, y.values);
    else
        fer_add_forward(count, in.count, in.values, y.values);
    if (write_merged(op, &in, &y, multiplies)) return -1;
    if (!dy.values) return 0;
    if (multiplies)
        fer_multiply_backward(n, c, in.count, in.cells, cells, in.values, dy.values, in.gradients);
    else
        fer_add_backward(count, in.count, dy.values, in.gradients);
    for (i = 0; i < in.count; i++) {
        if (!multiplies) fer_op_judge_copies(op, &in.dx[i]);
        if (multiplies ? write_factor(op, &in, i, &dy, n, c, cells) : fer_op_write(op, &in.dx[i])) return -1;
    }
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
