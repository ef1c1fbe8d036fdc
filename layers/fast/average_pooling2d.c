/* average_pooling2d.c - AveragePooling2D and GlobalAveragePooling2D, each channel on its own.
 *
 *     y[n][oh][ow][c]  = (sum of x[n][ih][iw][c] over the window's cells inside the image) / (how many those are)
 *     dx[n][ih][iw][c] = sum over the windows that see (ih, iw) of dy[n][oh][ow][c] / (how many cells it has inside)
 *
 * Global: one window, the whole image:  y[n][c] = (sum of x[n][cell][c]) / cells,  dx[n][cell][c] = dy[n][c] / cells.
 * Order of the sums, in `real`: cells and windows in row-major order; one division at the end (forward) or for each
 * term (backward). */
#include "../layers.h"

#ifndef FER_PLAIN /* else layers/average_pooling2d.c defines these functions */

void fer_average_pooling2d_forward(const struct fer_window *g, const real *x, real *y)
{
    const size_t rows = g->n * g->out_h, channels = g->in_c;
    size_t row;
#pragma omp parallel for
    for (row = 0; row < rows; row++) {
        const real *image = x + row / g->out_h * g->in_h * g->in_w * channels;
        size_t ow, ih, iw, c;
        for (ow = 0; ow < g->out_w; ow++) {
            const struct fer_cells in = fer_window_inputs(g, row % g->out_h, ow);
            real *sum = y + (row * g->out_w + ow) * channels;
            for (c = 0; c < channels; c++) sum[c] = 0;
            for (ih = in.top; ih < in.bottom; ih++)
                for (iw = in.left; iw < in.right; iw++) {
                    const real *cell = image + (ih * g->in_w + iw) * channels;
                    for (c = 0; c < channels; c++) sum[c] += cell[c];
                }
            for (c = 0; c < channels; c++) sum[c] /= (real)((in.bottom - in.top) * (in.right - in.left));
        }
    }
}

/* One image: each window adds its part to the cells that it sees. */
static void spread(const struct fer_window *g, const real *dy, real *dx)
{
    const size_t channels = g->in_c;
    size_t oh, ow, ih, iw, c;
    for (c = 0; c < g->in_h * g->in_w * channels; c++) dx[c] = 0;
    for (oh = 0; oh < g->out_h; oh++)
        for (ow = 0; ow < g->out_w; ow++) {
            const struct fer_cells in = fer_window_inputs(g, oh, ow);
            const real *d = dy + (oh * g->out_w + ow) * channels;
            for (ih = in.top; ih < in.bottom; ih++)
                for (iw = in.left; iw < in.right; iw++) {
                    real *cell = dx + (ih * g->in_w + iw) * channels;
                    for (c = 0; c < channels; c++)
                        cell[c] += d[c] / (real)((in.bottom - in.top) * (in.right - in.left));
                }
        }
}

void fer_average_pooling2d_backward(const struct fer_window *g, const real *dy, real *dx)
{
    const size_t in_size = g->in_h * g->in_w * g->in_c, out_size = g->out_h * g->out_w * g->in_c;
    size_t n;
#pragma omp parallel for
    for (n = 0; n < g->n; n++) spread(g, dy + n * out_size, dx + n * in_size);
}

#endif
