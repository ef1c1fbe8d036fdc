/* depthwise_conv2d.c - DepthwiseConv2D, of x[n][ih][iw][c] with kernel[kh][kw][c][m] to y[n][oh][ow][c*M + m]; each
 * channel on its own makes M = out_c / in_c channels.
 *
 *     y[n][oh][ow][c*M + m] = sum over kh, kw     of  x[n][ih][iw][c] * kernel[kh][kw][c][m]
 *     dx[n][ih][iw][c]      = sum over kh, kw, m  of  dy[n][oh][ow][c*M + m] * kernel[kh][kw][c][m]
 *     dkernel[kh][kw][c][m] = sum over n, oh, ow  of  x[n][ih][iw][c] * dy[n][oh][ow][c*M + m]
 *
 * where ih = oh*stride_h + kh*dilation_h - pad_top and iw = ow*stride_w + kw*dilation_w - pad_left. Products with a
 * cell outside the image are left out. It is the convolution with a group for each channel (conv2d.c, groups = in_c),
 * to the bit.
 *
 * Order of the sums, in `real`, starting from 0:
 *     y         kh, kw ascending
 *     dx        kh, kw, m ascending, m fastest
 *     dkernel   output cells in blocks of 256, as in conv2d.c */
#include "layers.h"

enum { BLOCK = 256 };

/* sum[c * step_sum] += a[c * step_a] * b[c * step_b]; steps of 1 are said apart, for SIMD. */
static inline void add_products(size_t channels, const real *a, size_t step_a, const real *b, size_t step_b, real *sum,
                                size_t step_sum)
{
    if (step_a == 1 && step_b == 1 && step_sum == 1)
        for (size_t c = 0; c < channels; c++) sum[c] += a[c] * b[c];
    else
        for (size_t c = 0; c < channels; c++) sum[c * step_sum] += a[c * step_a] * b[c * step_b];
}

void fer_depthwise_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y)
{
    const size_t multiplier = g->out_c / g->in_c;
#pragma omp parallel for collapse(2)
    for (size_t n = 0; n < g->n; n++)
        for (size_t oh = 0; oh < g->out_h; oh++)
            for (size_t ow = 0; ow < g->out_w; ow++) {
                for (size_t co = 0; co < g->out_c; co++) y[out_at(g, n, oh, ow, co)] = 0;
                for (size_t kh = 0; kh < g->kernel_h; kh++)
                    for (size_t kw = 0; kw < g->kernel_w; kw++) {
                        const size_t ih = row_seen(g, oh, kh), iw = column_seen(g, ow, kw);
                        if (!inside(g, ih, iw)) continue;
                        for (size_t m = 0; m < multiplier; m++)
                            add_products(g->in_c, x + in_at(g, n, ih, iw, 0), 1, kernel + kernel_at(g, kh, kw, 0, m),
                                         multiplier, y + out_at(g, n, oh, ow, m), multiplier);
                    }
            }
}

/* The output cell that sees input cell i through tap k, along one axis; if none does, a number that is no cell's. */
static size_t output_at(size_t i, size_t pad, size_t k, size_t stride, size_t out)
{
    return i + pad < k || (i + pad - k) % stride ? out : (i + pad - k) / stride;
}

void fer_depthwise_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
    const size_t multiplier = g->out_c / g->in_c;
#pragma omp parallel for collapse(2)
    for (size_t n = 0; n < g->n; n++)
        for (size_t ih = 0; ih < g->in_h; ih++)
            for (size_t iw = 0; iw < g->in_w; iw++) {
                for (size_t c = 0; c < g->in_c; c++) dx[in_at(g, n, ih, iw, c)] = 0;
                for (size_t kh = 0; kh < g->kernel_h; kh++)
                    for (size_t kw = 0; kw < g->kernel_w; kw++) {
                        const size_t oh = output_at(ih, g->pad_top, kh * g->dilation_h, g->stride_h, g->out_h);
                        const size_t ow = output_at(iw, g->pad_left, kw * g->dilation_w, g->stride_w, g->out_w);
                        if (oh >= g->out_h || ow >= g->out_w) continue;
                        /* y[...][c*M + m] += x[...][c] * kernel[...][c][m], so by x[n][ih][iw][c]: */
                        for (size_t m = 0; m < multiplier; m++)
                            add_products(g->in_c, dy + out_at(g, n, oh, ow, m), multiplier,
                                         kernel + kernel_at(g, kh, kw, 0, m), multiplier,
                                         dx + in_at(g, n, ih, iw, 0), 1);
                    }
            }
}

/* dkernel[kh][kw][c][m] from channel `first` on. */
static void kernel_gradient(const struct fer_window *g, size_t kh, size_t kw, size_t m, size_t first, const real *x,
                            const real *dy, real *dkernel)
{
    const size_t multiplier = g->out_c / g->in_c, end = slice_end(first, g->in_c);
    double total[FER_SLICE] = {0};
    real sum[FER_SLICE] = {0};
    size_t cells = 0;
    for (size_t n = 0; n < g->n; n++)
        for (size_t oh = 0; oh < g->out_h; oh++)
            for (size_t ow = 0; ow < g->out_w; ow++) {
                const size_t ih = row_seen(g, oh, kh), iw = column_seen(g, ow, kw);
                /* y[...][c*M + m] += x[...][c] * kernel[...][c][m], so by kernel[kh][kw][c][m]: */
                if (inside(g, ih, iw))
                    add_products(end - first, x + in_at(g, n, ih, iw, first), 1,
                                 dy + out_at(g, n, oh, ow, first * multiplier + m), multiplier, sum, 1);
                if (++cells % BLOCK) continue;
                for (size_t c = first; c < end; c++) {
                    total[c - first] += sum[c - first];
                    sum[c - first] = 0;
                }
            }
    for (size_t c = first; c < end; c++)
        dkernel[kernel_at(g, kh, kw, 0, c * multiplier + m)] = (real)(total[c - first] + sum[c - first]);
}

void fer_depthwise_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
#pragma omp parallel for collapse(4)
    for (size_t kh = 0; kh < g->kernel_h; kh++)
        for (size_t kw = 0; kw < g->kernel_w; kw++)
            for (size_t m = 0; m < g->out_c / g->in_c; m++)
                for (size_t first = 0; first < g->in_c; first += FER_SLICE)
                    kernel_gradient(g, kh, kw, m, first, x, dy, dkernel);
}
