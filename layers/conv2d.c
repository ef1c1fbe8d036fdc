/* conv2d.c - Conv2D, of x[n][ih][iw][ci] with kernel[kh][kw][ci][co] to y[n][oh][ow][co].
 *
 *     y[n][oh][ow][co]        = sum over kh, kw, ci  of  x[n][ih][iw][ci] * kernel[kh][kw][ci][co]
 *     dx[n][ih][iw][ci]       = sum over kh, kw, co  of  dy[n][oh][ow][co] * kernel[kh][kw][ci][co]
 *     dkernel[kh][kw][ci][co] = sum over n, oh, ow   of  x[n][ih][iw][ci] * dy[n][oh][ow][co]
 *
 * where ih = oh*stride_h + kh*dilation_h - pad_top and iw = ow*stride_w + kw*dilation_w - pad_left. Products with a
 * cell outside the image are left out (nothing is multiplied by zero). A bias is added afterwards (bias.c).
 *
 * With groups, the first in_c / groups channels of x meet the first out_c / groups of y alone, and so on: each group is
 * a convolution of its own, and in the kernel ci counts from its group's first channel. Without, there is one group.
 *
 * Order of the sums, in `real`, starting from 0:
 *     y         kh, kw, ci ascending, ci fastest
 *     dx        kh, kw, co ascending, co fastest
 *     dkernel   the output cells in row-major order over (n, oh, ow) are cut into blocks of 256; a block is summed in
 *               `real`, cells ascending; the blocks' sums are added in double, blocks ascending, and rounded once at
 *               the end. So the error does not grow with the batch. */
#include "layers.h"

#ifdef FER_PLAIN /* else layers/fast/conv2d.c defines these functions, with the same bits: see layers/fast/README.md */

enum { BLOCK = 256 }; /* cells of the kernel's gradient, see above */

void fer_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y)
{
    const size_t cis = g->in_c / g->groups, cos = g->out_c / g->groups; /* of a group */
#pragma omp parallel for
    for (size_t n = 0; n < g->n; n++)
        for (size_t oh = 0; oh < g->out_h; oh++)
            for (size_t ow = 0; ow < g->out_w; ow++) {
                for (size_t co = 0; co < g->out_c; co++) y[out_at(g, n, oh, ow, co)] = 0;
                for (size_t kh = 0; kh < g->kernel_h; kh++)
                    for (size_t kw = 0; kw < g->kernel_w; kw++) {
                        const size_t ih = row_seen(g, oh, kh), iw = column_seen(g, ow, kw);
                        if (!inside(g, ih, iw)) continue;
                        for (size_t group = 0; group < g->groups; group++)
                            for (size_t ci = 0; ci < cis; ci++)
                                for (size_t co = group * cos; co < (group + 1) * cos; co++)
                                    y[out_at(g, n, oh, ow, co)] += x[in_at(g, n, ih, iw, group * cis + ci)] *
                                                                   kernel[kernel_at(g, kh, kw, ci, co)];
                    }
            }
}

/* What output channel co of an image sends back through tap (kh, kw), to its group's input channels from `first` on. */
static void backward_tap(const struct fer_window *g, size_t n, size_t kh, size_t kw, size_t co, size_t first,
                         const real *dy, const real *kernel, real *dx)
{
    const size_t cis = g->in_c / g->groups, group = co / (g->out_c / g->groups), end = slice_end(first, cis);
    real weight[FER_SLICE]; /* kernel[kh][kw][first ... end - 1][co], which stand apart, side by side */
    for (size_t ci = first; ci < end; ci++) weight[ci - first] = kernel[kernel_at(g, kh, kw, ci, co)];
    for (size_t oh = 0; oh < g->out_h; oh++)
        for (size_t ow = 0; ow < g->out_w; ow++) {
            const size_t ih = row_seen(g, oh, kh), iw = column_seen(g, ow, kw);
            const real d = dy[out_at(g, n, oh, ow, co)];
            if (!inside(g, ih, iw)) continue;
            /* y[n][oh][ow][co] += x[n][ih][iw][ci] * kernel[kh][kw][ci][co], so by x[n][ih][iw][ci]: */
            for (size_t ci = first; ci < end; ci++)
                dx[in_at(g, n, ih, iw, group * cis + ci)] += d * weight[ci - first];
        }
}

void fer_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
#pragma omp parallel for
    for (size_t n = 0; n < g->n; n++) {
        for (size_t i = in_at(g, n, 0, 0, 0); i < in_at(g, n + 1, 0, 0, 0); i++) dx[i] = 0;
        for (size_t kh = 0; kh < g->kernel_h; kh++)
            for (size_t kw = 0; kw < g->kernel_w; kw++)
                for (size_t co = 0; co < g->out_c; co++)
                    for (size_t first = 0; first < g->in_c / g->groups; first += FER_SLICE)
                        backward_tap(g, n, kh, kw, co, first, dy, kernel, dx);
    }
}

/* dkernel[kh][kw][ci][first ... end - 1], at most a slice, of one group. */
static void kernel_gradient(const struct fer_window *g, size_t kh, size_t kw, size_t ci, size_t first, size_t end,
                            const real *x, const real *dy, real *dkernel)
{
    const size_t group = first / (g->out_c / g->groups), seen = group * (g->in_c / g->groups) + ci;
    double total[FER_SLICE] = {0};
    real sum[FER_SLICE] = {0};
    size_t cells = 0;
    for (size_t n = 0; n < g->n; n++)
        for (size_t oh = 0; oh < g->out_h; oh++)
            for (size_t ow = 0; ow < g->out_w; ow++) {
                const size_t ih = row_seen(g, oh, kh), iw = column_seen(g, ow, kw);
                /* y[n][oh][ow][co] += x[n][ih][iw][ci] * kernel[kh][kw][ci][co], so by kernel[kh][kw][ci][co]: */
                if (inside(g, ih, iw))
                    for (size_t co = first; co < end; co++)
                        sum[co - first] += x[in_at(g, n, ih, iw, seen)] * dy[out_at(g, n, oh, ow, co)];
                if (++cells % BLOCK) continue;
                for (size_t co = first; co < end; co++) {
                    total[co - first] += sum[co - first];
                    sum[co - first] = 0;
                }
            }
    for (size_t co = first; co < end; co++)
        dkernel[kernel_at(g, kh, kw, ci, co)] = (real)(total[co - first] + sum[co - first]);
}

void fer_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
    const size_t cis = g->in_c / g->groups, cos = g->out_c / g->groups; /* of a group */
#pragma omp parallel for collapse(3)
    for (size_t kh = 0; kh < g->kernel_h; kh++)
        for (size_t kw = 0; kw < g->kernel_w; kw++)
            for (size_t ci = 0; ci < cis; ci++)
                for (size_t group = 0; group < g->groups; group++)
                    for (size_t first = group * cos, end; first < (group + 1) * cos; first = end) {
                        end = slice_end(first, (group + 1) * cos);
                        kernel_gradient(g, kh, kw, ci, first, end, x, dy, dkernel);
                    }
}

#endif
