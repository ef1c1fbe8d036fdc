/* window.c - the geometry of convolutions and poolings: output sizes and padding, as TensorFlow has them; and as ONNX
 * and PyTorch do. */
#include "layers.h"

/* ---- Output sizes and padding ---- */

/* One axis; `extent`: the cells from a window's first to its last. */
struct axis {
    const char *name;
    size_t in, extent, stride;
    size_t before, behind; /* cells of padding before the first input cell, and behind the last */
    size_t out;
};

/* Half of the padding before, half behind; of an odd number the larger half behind, or (lower) before. */
static void set_same(struct axis *a, int lower)
{
    size_t end, pad; /* where the last window ends, if the first one starts at cell 0 */
    a->out = (a->in - 1) / a->stride + 1;
    end = (a->out - 1) * a->stride + a->extent;
    pad = end > a->in ? end - a->in : 0;
    a->before = (pad + (lower ? 1 : 0)) / 2;
    a->behind = pad - a->before;
}

/* Without padding, or with as much as is there. */
static int set_given(struct axis *a, enum fer_padding padding, int ceil, struct fer_error *e)
{
    const size_t cells = a->before + a->in + a->behind + (ceil ? a->stride - 1 : 0);
    if (cells < a->extent && padding == FER_VALID)
        return fer_fail(e, "an input %zu %s does not hold a window of %zu without padding", a->in, a->name, a->extent);
    if (cells < a->extent)
        return fer_fail(e, "an input %zu %s, with %zu and %zu cells of padding, does not hold a window of %zu", a->in,
                        a->name, a->before, a->behind, a->extent);
    a->out = (cells - a->extent) / a->stride + 1;
    if (ceil && (a->out - 1) * a->stride >= a->before + a->in) a->out--;
    return 0;
}

static int set_axis(struct axis *a, const struct fer_window_options *o, struct fer_error *e)
{
    if (o->padding == FER_SAME || o->padding == FER_SAME_LOWER)
        set_same(a, o->padding == FER_SAME_LOWER);
    else if (set_given(a, o->padding, o->ceil, e))
        return -1;
    if (o->pooling && (a->before >= a->extent || (a->out - 1) * a->stride >= a->before + a->in))
        return fer_fail(e, "a window of %zu would lie wholly in the padding, %zu and %zu cells: expected less padding",
                        a->extent, a->before, a->behind);
    return 0;
}

/* ---- The whole ---- */

/* Whether the product of four sizes, in reals, can be addressed. */
static int fits(size_t a, size_t b, size_t c, size_t d)
{
    const double largest = (double)((size_t)-1 / 2 / sizeof(real));
    return (double)a * (double)b * (double)c * (double)d <= largest;
}

/* So that no cell number along an axis, with padding and strides added, can overflow. */
static int too_large(size_t in, size_t kernel, size_t dilation, size_t stride, size_t before, size_t behind)
{
    return (double)in + (double)kernel * (double)dilation + (double)stride + (double)before + (double)behind > 1e9;
}

static int check_sizes(const struct fer_window *g, const struct fer_window_options *o, struct fer_error *e)
{
    if (!g->n || !g->in_h || !g->in_w || !g->in_c || !g->out_c || !g->kernel_h || !g->kernel_w || !g->stride_h ||
        !g->stride_w)
        return fer_fail(e,
                        "sizes and strides must be positive: input %zux%zux%zux%zu, window %zux%zu, strides %zu,%zu, "
                        "%zu channels out",
                        g->n, g->in_h, g->in_w, g->in_c, g->kernel_h, g->kernel_w, g->stride_h, g->stride_w, g->out_c);
    if (g->in_c % g->groups || g->out_c % g->groups)
        return fer_fail(e, "%zu channels in and %zu out do not fall into %zu groups: expected multiples of it", g->in_c,
                        g->out_c, g->groups);
    if (too_large(g->in_h, g->kernel_h, g->dilation_h, g->stride_h, o->top, o->bottom) ||
        too_large(g->in_w, g->kernel_w, g->dilation_w, g->stride_w, o->left, o->right))
        return fer_fail(e, "an input of %zux%zu, a window of %zux%zu, its strides, dilation or padding are too large",
                        g->in_h, g->in_w, g->kernel_h, g->kernel_w);
    return 0;
}

int fer_window_fill(struct fer_window *g, size_t n, size_t in_h, size_t in_w, size_t in_c,
                    const struct fer_window_options *o, struct fer_error *e)
{
    const int given = o->padding == FER_EXPLICIT;
    struct axis high = {"high", 0, 0, 0, 0, 0, 0}, wide = {"wide", 0, 0, 0, 0, 0, 0};
    g->n = n;
    g->in_h = in_h, g->in_w = in_w, g->in_c = in_c;
    g->out_c = o->pooling ? in_c : o->out_c;
    g->kernel_h = o->kernel_h, g->kernel_w = o->kernel_w, g->stride_h = o->stride_h, g->stride_w = o->stride_w;
    g->dilation_h = o->pooling || !o->dilation_h ? 1 : o->dilation_h;
    g->dilation_w = o->pooling || !o->dilation_w ? 1 : o->dilation_w;
    g->groups = o->pooling || !o->groups ? 1 : o->groups;
    g->count_padding = o->count_padding;
    if (check_sizes(g, o, e)) return -1;
    high.in = in_h, high.extent = (g->kernel_h - 1) * g->dilation_h + 1, high.stride = g->stride_h;
    wide.in = in_w, wide.extent = (g->kernel_w - 1) * g->dilation_w + 1, wide.stride = g->stride_w;
    if (given) high.before = o->top, high.behind = o->bottom, wide.before = o->left, wide.behind = o->right;
    if (set_axis(&high, o, e) || set_axis(&wide, o, e)) return -1;
    g->out_h = high.out, g->pad_top = high.before, g->pad_bottom = high.behind;
    g->out_w = wide.out, g->pad_left = wide.before, g->pad_right = wide.behind;
    if (!fits(n, in_h, in_w, in_c) || !fits(n, g->out_h, g->out_w, g->out_c) ||
        (!o->pooling && !fits(g->kernel_h, g->kernel_w, in_c / g->groups, g->out_c)))
        return fer_fail(e,
                        "an array of input %zux%zux%zux%zu, window %zux%zu, %zu channels out does not fit into memory",
                        n, in_h, in_w, in_c, g->kernel_h, g->kernel_w, g->out_c);
    return 0;
}

int fer_window_set(struct fer_window *g, size_t n, size_t in_h, size_t in_w, size_t in_c, size_t out_c, size_t kernel_h,
                   size_t kernel_w, size_t stride_h, size_t stride_w, enum fer_padding padding, struct fer_error *e)
{
    struct fer_window_options o = {0};
    o.out_c = out_c;
    o.kernel_h = kernel_h, o.kernel_w = kernel_w, o.stride_h = stride_h, o.stride_w = stride_w;
    o.padding = padding;
    return fer_window_fill(g, n, in_h, in_w, in_c, &o, e);
}

/* ---- Which cells a pooling's window joins ---- */

/* One axis: the inputs *from ... *to - 1 that output o sees. */
static void inputs_of(size_t o, size_t stride, size_t pad, size_t kernel, size_t in, size_t *from, size_t *to)
{
    const size_t start = o * stride, end = start + kernel; /* counted from the first cell of the padding */
    *from = start > pad ? start - pad : 0;
    *to = end - pad < in ? end - pad : in;
}

/* One axis: the outputs *from ... *to - 1 that see input i: those whose windows start at or before it, and end behind
 * it. */
static void outputs_of(size_t i, size_t stride, size_t pad, size_t kernel, size_t out, size_t *from, size_t *to)
{
    const size_t last = (i + pad) / stride;
    *from = i + pad < kernel ? 0 : (i + pad - kernel) / stride + 1;
    *to = last < out ? last + 1 : out;
}

struct fer_cells fer_window_inputs(const struct fer_window *g, size_t oh, size_t ow)
{
    struct fer_cells cells;
    inputs_of(oh, g->stride_h, g->pad_top, g->kernel_h, g->in_h, &cells.top, &cells.bottom);
    inputs_of(ow, g->stride_w, g->pad_left, g->kernel_w, g->in_w, &cells.left, &cells.right);
    return cells;
}

struct fer_cells fer_window_outputs(const struct fer_window *g, size_t ih, size_t iw)
{
    struct fer_cells cells;
    outputs_of(ih, g->stride_h, g->pad_top, g->kernel_h, g->out_h, &cells.top, &cells.bottom);
    outputs_of(iw, g->stride_w, g->pad_left, g->kernel_w, g->out_w, &cells.left, &cells.right);
    return cells;
}

size_t fer_window_divisor(const struct fer_window *g, size_t oh, size_t ow)
{
    const struct fer_cells in = fer_window_inputs(g, oh, ow);
    const size_t down = g->pad_top + g->in_h + g->pad_bottom - oh * g->stride_h;
    const size_t across = g->pad_left + g->in_w + g->pad_right - ow * g->stride_w; /* to the end of the padding */
    if (!g->count_padding) return (in.bottom - in.top) * (in.right - in.left);
    return (g->kernel_h < down ? g->kernel_h : down) * (g->kernel_w < across ? g->kernel_w : across);
}
