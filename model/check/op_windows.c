/* op_windows.c - the operations of `fer op` that move a window over images: convolutions, of which a dense layer is
 * one, and poolings. */
#include "op.h"

#include <float.h>
#include <string.h>

static size_t size_at(const struct fer_tensor *t, int i)
{
    return t->about.shape[i];
}

/* ---- The window ---- */

/* --padding, and --strides, which of a pooling are its window's size where none are given. */
static int read_window(struct fer_op *op, size_t kernel_h, size_t kernel_w, struct fer_window_options *o)
{
    static const enum fer_padding paddings[] = {FER_SAME, FER_SAME_LOWER, FER_VALID, FER_EXPLICIT};
    size_t strides[2] = {kernel_h, kernel_w}, side[4] = {0};
    int which;
    if (!(o->pooling && !fer_op_is_given(op, "strides")) && fer_op_pair(op, "strides", strides)) return -1;
    if (fer_op_choice_or_sides(op, "padding", "same|same_lower|valid", &which, side)) return -1;
    o->kernel_h = kernel_h, o->kernel_w = kernel_w;
    o->stride_h = strides[0], o->stride_w = strides[1];
    o->padding = paddings[which];
    o->top = side[0], o->bottom = side[1], o->left = side[2], o->right = side[3];
    return 0;
}

/* The window over the image x, and its output's shape. */
static int window_over(struct fer_op *op, const struct fer_tensor *x, const struct fer_window_options *o,
                       struct fer_window *g, size_t out[4])
{
    struct fer_error reason;
    if (fer_window_fill(g, size_at(x, 0), size_at(x, 1), size_at(x, 2), size_at(x, 3), o, &reason))
        return fer_op_blame(op, x, "%s", reason.text);
    out[0] = g->n, out[1] = g->out_h, out[2] = g->out_w, out[3] = g->out_c;
    return 0;
}

/* ---- Convolutions ---- */

/* One call: the layer's functions, with or without a bias. */
struct convolution {
    struct fer_tensor x, kernel, bias, dy;
    struct fer_window_options options;
    struct fer_window g;
    void (*forward)(const struct fer_window *g, const real *x, const real *kernel, real *y);
    void (*backward_input)(const struct fer_window *g, const real *dy, const real *kernel, real *dx);
    void (*backward_kernel)(const struct fer_window *g, const real *x, const real *dy, real *dkernel);
};

/* How far rounding can take a result: a sum of products of two arguments, added up by one of fer_sums_add_conv2d...;
 * the bias may be missing. */
static void judge_products(struct fer_op *op, const struct fer_tensor *t, const struct fer_window *g,
                           void (*add)(struct fer_sums *, const struct fer_arithmetic *, const struct fer_window *,
                                       real *, real *),
                           const struct fer_tensor *a, const struct fer_tensor *b, const real *bias)
{
    struct fer_sums *s = fer_op_claim(op, t) ? fer_op_sums(op, t) : NULL;
    real *x = s ? fer_op_copy(op, a) : NULL, *y = s ? fer_op_copy(op, b) : NULL;
    if (!x || !y) return;
    add(s, &op->judge->arithmetic, g, x, y);
    if (bias) fer_sums_add_bias(s, &op->judge->arithmetic, g->out_c, bias);
    fer_op_tally(op, s);
}

/* x and kernel are read, the window is set; y has this shape. */
static int compute(struct fer_op *op, struct convolution *c, int dims, const size_t *out)
{
    struct fer_tensor y, dx, dkernel, dbias;
    const struct fer_window *g = &c->g;
    const size_t rows = g->n * g->out_h * g->out_w;
    if (fer_op_maybe(op, "bias", "[CO]", &c->bias) || fer_op_vector(op, &c->bias, g->out_c) ||
        fer_op_result(op, "y", dims, out, &y) || fer_op_maybe(op, "dy", c->x.meaning, &c->dy) ||
        fer_op_same_shape(op, &c->dy, &y))
        return -1;
    c->forward(g, c->x.values, c->kernel.values, y.values);
    if (c->bias.values) fer_bias_forward(rows, g->out_c, c->bias.values, y.values);
    judge_products(op, &y, g, fer_sums_add_conv2d, &c->x, &c->kernel, c->bias.values);
    if (fer_op_write(op, &y)) return -1;
    if (!c->dy.values) return 0;
    if (fer_op_result_like(op, "dx", &c->x, &dx) || fer_op_result_like(op, "dkernel", &c->kernel, &dkernel) ||
        fer_op_result(op, "dbias", 1, &g->out_c, &dbias))
        return -1;
    c->backward_input(g, c->dy.values, c->kernel.values, dx.values);
    c->backward_kernel(g, c->x.values, c->dy.values, dkernel.values);
    fer_bias_backward(rows, g->out_c, c->dy.values, dbias.values);
    judge_products(op, &dx, g, fer_sums_add_conv2d_input, &c->dy, &c->kernel, NULL);
    if (fer_op_write(op, &dx)) return -1;
    judge_products(op, &dkernel, g, fer_sums_add_conv2d_kernel, &c->x, &c->dy, NULL);
    if (fer_op_write(op, &dkernel)) return -1;
    if (c->bias.values) fer_op_judge_columns(op, &dbias, &c->dy);
    return c->bias.values ? fer_op_write(op, &dbias) : 0;
}

static int convolve(struct fer_op *op, struct convolution *c)
{
    size_t out[4], dilation[2];
    if (fer_op_pair(op, "dilation", dilation)) return -1;
    c->options.dilation_h = dilation[0], c->options.dilation_w = dilation[1];
    if (read_window(op, size_at(&c->kernel, 0), size_at(&c->kernel, 1), &c->options) ||
        window_over(op, &c->x, &c->options, &c->g, out))
        return -1;
    fer_twist_window(op->twist, c->options.padding != FER_VALID, &c->g);
    return compute(op, c, 4, out);
}

int fer_op_conv2d(struct fer_op *op)
{
    struct convolution c = {.forward = fer_conv2d_forward, .backward_input = fer_conv2d_backward_input,
                            .backward_kernel = fer_conv2d_backward_kernel};
    size_t groups;
    if (fer_op_need(op, "x", "[N,H,W,C]", &c.x) || fer_op_need(op, "kernel", "[KH,KW,CI,CO]", &c.kernel) ||
        fer_op_size(op, "groups", &groups))
        return -1;
    if (size_at(&c.x, 3) % groups || size_at(&c.x, 3) / groups != size_at(&c.kernel, 2)) {
        if (groups == 1)
            return fer_op_blame(op, &c.kernel, "expected %zu input channels, as x has", size_at(&c.x, 3));
        return fer_op_blame(op, &c.kernel, "expected input channels that, times %zu groups, are x's %zu", groups,
                            size_at(&c.x, 3));
    }
    if (size_at(&c.kernel, 3) % groups)
        return fer_op_blame(op, &c.kernel, "expected a multiple of %zu groups for output channels", groups);
    c.options.groups = groups;
    c.options.out_c = size_at(&c.kernel, 3);
    if ((op->twist == FER_GROUPS_CROSSED || op->twist == FER_GROUPS_MIXED) &&
        fer_twist_array(op->twist, "x", 4, c.x.about.shape, groups, c.x.values, op->e))
        return -1;
    return convolve(op, &c);
}

int fer_op_depthwise_conv2d(struct fer_op *op)
{
    struct convolution c = {.forward = fer_depthwise_conv2d_forward,
                            .backward_input = fer_depthwise_conv2d_backward_input,
                            .backward_kernel = fer_depthwise_conv2d_backward_kernel};
    if (fer_op_need(op, "x", "[N,H,W,C]", &c.x) || fer_op_need(op, "kernel", "[KH,KW,C,M]", &c.kernel) ||
        fer_op_depthwise(op, &c.kernel, size_at(&c.x, 3)))
        return -1;
    c.options.groups = size_at(&c.x, 3);
    c.options.out_c = size_at(&c.x, 3) * size_at(&c.kernel, 3);
    return convolve(op, &c);
}

/* ---- Dense: a 1x1 convolution on the last axis of x, whatever stands before it ---- */

static void dense_forward(const struct fer_window *g, const real *x, const real *kernel, real *y)
{
    fer_dense_forward(g->n, g->in_c, g->out_c, x, kernel, NULL, y);
}

static void dense_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
    fer_dense_backward_input(g->n, g->in_c, g->out_c, dy, kernel, dx);
}

static void dense_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
    fer_dense_backward_kernel(g->n, g->in_c, g->out_c, x, dy, dkernel);
}

int fer_op_dense(struct fer_op *op)
{
    struct convolution c = {.forward = dense_forward, .backward_input = dense_backward_input,
                            .backward_kernel = dense_backward_kernel};
    size_t shape[FER_MAX_DIMS], in;
    int last;
    if (fer_op_need(op, "x", "[N,...,C]", &c.x) || fer_op_need(op, "kernel", "[I,O]", &c.kernel)) return -1;
    last = c.x.about.dims - 1;
    if (last < 1) return fer_op_blame(op, &c.x, "expected two or more dimensions, [N,I] or [N,...,I]");
    in = size_at(&c.x, last);
    if (size_at(&c.kernel, 0) != in) return fer_op_blame(op, &c.kernel, "expected %zu inputs, as x has", in);
    c.g = fer_dense_window(c.x.about.count / in, in, size_at(&c.kernel, 1));
    memcpy(shape, c.x.about.shape, sizeof shape);
    shape[last] = c.g.out_c;
    return compute(op, &c, c.x.about.dims, shape);
}

/* ---- Poolings ---- */

/* One call, read up to the gradient; the results are the caller's. */
struct pooling {
    struct fer_tensor x, dy, y, dx;
    struct fer_window g;
};

static int read_pooling(struct fer_op *op, int count_padding, struct pooling *p)
{
    struct fer_window_options o = {.pooling = 1, .count_padding = count_padding};
    size_t out[4], pool[2];
    if (fer_op_need(op, "x", "[N,H,W,C]", &p->x) || fer_op_pair(op, "pool", pool) ||
        fer_op_choice(op, "ceil", "0|1", &o.ceil) || read_window(op, pool[0], pool[1], &o) ||
        window_over(op, &p->x, &o, &p->g, out))
        return -1;
    return fer_op_result(op, "y", 4, out, &p->y) || fer_op_maybe(op, "dy", "[N,H,W,C]", &p->dy) ||
           fer_op_same_shape(op, &p->dy, &p->y) || fer_op_result_like(op, "dx", &p->x, &p->dx);
}

static int write_maxima(struct fer_op *op, const struct pooling *p, enum fer_ties ties)
{
    if (op->twist == FER_NAN_BY_PLACE && fer_op_claim(op, &p->y))
        for (size_t i = 0; i < p->y.about.count; i++)
            if (op->judge->claimed[i] != op->judge->claimed[i]) p->y.values[i] = op->judge->claimed[i];
    fer_op_judge_copies(op, &p->y);
    if (fer_op_write(op, &p->y)) return -1;
    if (!p->dy.values) return 0;
    if (fer_op_claim(op, &p->dx)) {
        struct fer_sums *s = fer_op_sums(op, &p->dx);
        real *dy = fer_op_copy(op, &p->dy), *x = fer_op_copy(op, &p->x);
        if (!s || !dy || !x) return -1;
        fer_sums_add_max_input(s, &op->judge->arithmetic, &p->g, ties, x, dy);
        fer_op_tally(op, s);
    }
    return fer_op_write(op, &p->dx);
}

static int write_averages(struct fer_op *op, const struct pooling *p)
{
    if (fer_op_claim(op, &p->y)) {
        struct fer_sums *s = fer_op_sums(op, &p->y);
        real *x = fer_op_copy(op, &p->x);
        if (!s || !x) return -1;
        fer_sums_add_average(s, &op->judge->arithmetic, &p->g, x);
        for (size_t i = 0; op->twist == FER_SUM_OVERFLOWS && i < s->count; i++)
            if (s->magnitude[i] * (real)(p->g.kernel_h * p->g.kernel_w) > FLT_MAX) s->truth[i] = op->judge->claimed[i];
        fer_op_tally(op, s);
    }
    if (fer_op_write(op, &p->y)) return -1;
    if (!p->dy.values) return 0;
    if (fer_op_claim(op, &p->dx)) {
        struct fer_sums *s = fer_op_sums(op, &p->dx);
        real *dy = fer_op_copy(op, &p->dy);
        if (!s || !dy) return -1;
        fer_sums_add_average_input(s, &op->judge->arithmetic, &p->g, dy);
        fer_op_tally(op, s);
    }
    return fer_op_write(op, &p->dx);
}

int fer_op_max_pooling2d(struct fer_op *op)
{
    struct pooling p;
    int ties;
    if (fer_op_choice(op, "ties", "first|last|all|split", &ties) || read_pooling(op, 0, &p)) return -1;
    fer_max_pooling2d_forward(&p.g, p.x.values, p.y.values);
    if (p.dy.values && ties == FER_TIES_FIRST)
        fer_max_pooling2d_backward(&p.g, p.x.values, p.dy.values, p.dx.values);
    else if (p.dy.values)
        fer_max_pooling2d_backward_ties(&p.g, (enum fer_ties)ties, p.x.values, p.dy.values, p.dx.values);
    return write_maxima(op, &p, (enum fer_ties)ties);
}

int fer_op_average_pooling2d(struct fer_op *op)
{
    struct pooling p;
    int count_padding;
    if (fer_op_choice(op, "count-include-pad", "0|1", &count_padding) || read_pooling(op, count_padding, &p)) return -1;
    fer_average_pooling2d_forward(&p.g, p.x.values, p.y.values);
    if (p.dy.values) fer_average_pooling2d_backward(&p.g, p.dy.values, p.dx.values);
    return write_averages(op, &p);
}

/* ---- Global poolings ---- */

static int read_global(struct fer_op *op, struct pooling *p, size_t *images, size_t *cells, size_t *channels)
{
    size_t out[2];
    if (fer_op_need(op, "x", "[N,H,W,C]", &p->x)) return -1;
    *images = out[0] = size_at(&p->x, 0), *channels = out[1] = size_at(&p->x, 3);
    *cells = size_at(&p->x, 1) * size_at(&p->x, 2);
    if (fer_window_fill(&p->g, *images, size_at(&p->x, 1), size_at(&p->x, 2), *channels,
                        &(struct fer_window_options){.pooling = 1, .kernel_h = size_at(&p->x, 1),
                                                     .kernel_w = size_at(&p->x, 2), .stride_h = 1, .stride_w = 1},
                        op->e))
        return -1;
    return fer_op_result(op, "y", 2, out, &p->y) || fer_op_maybe(op, "dy", "[N,C]", &p->dy) ||
           fer_op_same_shape(op, &p->dy, &p->y) || fer_op_result_like(op, "dx", &p->x, &p->dx);
}

int fer_op_global_average_pooling2d(struct fer_op *op)
{
    struct pooling p;
    size_t images, cells, channels;
    if (read_global(op, &p, &images, &cells, &channels)) return -1;
    fer_global_average_pooling2d_forward(images, cells, channels, p.x.values, p.y.values);
    if (p.dy.values) fer_global_average_pooling2d_backward(images, cells, channels, p.dy.values, p.dx.values);
    return write_averages(op, &p);
}

int fer_op_global_max_pooling2d(struct fer_op *op)
{
    struct pooling p;
    size_t images, cells, channels;
    int ties;
    if (fer_op_choice(op, "ties", "first|last|all|split", &ties) ||
        read_global(op, &p, &images, &cells, &channels))
        return -1;
    fer_global_max_pooling2d_forward(images, cells, channels, p.x.values, p.y.values);
    if (p.dy.values && ties == FER_TIES_FIRST)
        fer_global_max_pooling2d_backward(images, cells, channels, p.x.values, p.dy.values, p.dx.values);
    else if (p.dy.values)
        fer_max_pooling2d_backward_ties(&p.g, (enum fer_ties)ties, p.x.values, p.dy.values, p.dx.values);
    return write_maxima(op, &p, (enum fer_ties)ties);
}
