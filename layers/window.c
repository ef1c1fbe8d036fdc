/* window.c - the geometry of convolutions and poolings: output sizes and padding, as TensorFlow has them. */
#include "layers.h"

/* One axis: how many outputs, and how many cells of padding before the first input cell. */
static int set_axis(const char *axis, int in, int kernel, int stride, enum fer_padding padding, int *out, int *pad,
                    struct fer_error *e)
{
    *pad = 0;
    if (padding == FER_VALID) {
        if (in < kernel)
            return fer_fail(e, "an input %d %s does not hold a window of %d without padding", in, axis, kernel);
        *out = (in - kernel) / stride + 1;
    } else {
        const long long last =
            (long long)((in - 1) / stride) * stride; /* where the last window starts, without padding */
        const long long total = last + kernel - in;
        *out = (in - 1) / stride + 1;
        if (total > 0) *pad = (int)(total / 2);
    }
    return 0;
}

/* Whether the product of four sizes, in reals, can be addressed. */
static int fits(int a, int b, int c, int d)
{
    const double largest = (double)((size_t)-1 / 2 / sizeof(real));
    return (double)a * (double)b * (double)c * (double)d <= largest;
}

int fer_window_set(struct fer_window *g, int n, int in_h, int in_w, int in_c, int out_c, int kernel_h, int kernel_w,
                   int stride_h, int stride_w, enum fer_padding padding, struct fer_error *e)
{
    if (n < 1 || in_h < 1 || in_w < 1 || in_c < 1 || out_c < 1 || kernel_h < 1 || kernel_w < 1 || stride_h < 1 ||
        stride_w < 1)
        return fer_fail(
            e, "sizes and strides must be positive: input %dx%dx%dx%d, window %dx%d, strides %d,%d, %d channels out", n,
            in_h, in_w, in_c, kernel_h, kernel_w, stride_h, stride_w, out_c);
    g->n = n;
    g->in_h = in_h, g->in_w = in_w, g->in_c = in_c, g->out_c = out_c;
    g->kernel_h = kernel_h, g->kernel_w = kernel_w, g->stride_h = stride_h, g->stride_w = stride_w;
    if (set_axis("high", in_h, kernel_h, stride_h, padding, &g->out_h, &g->pad_top, e)) return -1;
    if (set_axis("wide", in_w, kernel_w, stride_w, padding, &g->out_w, &g->pad_left, e)) return -1;
    /* Cell numbers along an axis, with padding and strides added, must stay within int. */
    if ((double)in_h + kernel_h + stride_h > 1e9 || (double)in_w + kernel_w + stride_w > 1e9 ||
        !fits(n, in_h, in_w, in_c) || !fits(n, g->out_h, g->out_w, out_c) || !fits(kernel_h, kernel_w, in_c, out_c))
        return fer_fail(e, "an array of input %dx%dx%dx%d, window %dx%d, %d channels out does not fit into memory", n,
                        in_h, in_w, in_c, kernel_h, kernel_w, out_c);
    return 0;
}

void fer_window_clip(int o, int stride, int pad, int kernel, int in, int *from, int *to)
{
    const int start = o * stride - pad, end = start + kernel;
    *from = start > 0 ? start : 0;
    *to = end < in ? end : in;
}
