/* window.c - the geometry of convolutions and poolings: output sizes and padding, as TensorFlow has them. */
#include "layers.h"

/* One axis: how many outputs, and how many cells of padding before the first input cell. */
static int set_axis(const char *axis, size_t in, size_t kernel, size_t stride, enum fer_padding padding, size_t *out,
                    size_t *pad, struct fer_error *e)
{
    if (padding == FER_VALID) {
        if (in < kernel)
            return fer_fail(e, "an input %zu %s does not hold a window of %zu without padding", in, axis, kernel);
        *out = (in - kernel) / stride + 1;
        *pad = 0;
    } else {
        size_t end; /* of the last window, if the first one starts at cell 0 */
        *out = (in - 1) / stride + 1;
        end = (*out - 1) * stride + kernel;
        *pad = end > in ? (end - in) / 2 : 0;
    }
    return 0;
}

/* Whether the product of four sizes, in reals, can be addressed. */
static int fits(size_t a, size_t b, size_t c, size_t d)
{
    const double largest = (double)((size_t)-1 / 2 / sizeof(real));
    return (double)a * (double)b * (double)c * (double)d <= largest;
}

int fer_window_set(struct fer_window *g, size_t n, size_t in_h, size_t in_w, size_t in_c, size_t out_c, size_t kernel_h,
                   size_t kernel_w, size_t stride_h, size_t stride_w, enum fer_padding padding, struct fer_error *e)
{
    if (!n || !in_h || !in_w || !in_c || !out_c || !kernel_h || !kernel_w || !stride_h || !stride_w)
        return fer_fail(e,
                        "sizes and strides must be positive: input %zux%zux%zux%zu, window %zux%zu, strides %zu,%zu, "
                        "%zu channels out",
                        n, in_h, in_w, in_c, kernel_h, kernel_w, stride_h, stride_w, out_c);
    g->n = n;
    g->in_h = in_h, g->in_w = in_w, g->in_c = in_c, g->out_c = out_c;
    g->kernel_h = kernel_h, g->kernel_w = kernel_w, g->stride_h = stride_h, g->stride_w = stride_w;
    /* So that no cell number along an axis, with padding and strides added, can overflow. */
    if ((double)in_h + (double)kernel_h + (double)stride_h > 1e9 ||
        (double)in_w + (double)kernel_w + (double)stride_w > 1e9)
        return fer_fail(e, "an input of %zux%zu, a window of %zux%zu or strides of %zu,%zu are too large", in_h, in_w,
                        kernel_h, kernel_w, stride_h, stride_w);
    if (set_axis("high", in_h, kernel_h, stride_h, padding, &g->out_h, &g->pad_top, e)) return -1;
    if (set_axis("wide", in_w, kernel_w, stride_w, padding, &g->out_w, &g->pad_left, e)) return -1;
    if (!fits(n, in_h, in_w, in_c) || !fits(n, g->out_h, g->out_w, out_c) || !fits(kernel_h, kernel_w, in_c, out_c))
        return fer_fail(e,
                        "an array of input %zux%zux%zux%zu, window %zux%zu, %zu channels out does not fit into memory",
                        n, in_h, in_w, in_c, kernel_h, kernel_w, out_c);
    return 0;
}

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
