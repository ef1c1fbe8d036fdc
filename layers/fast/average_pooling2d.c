/* average_pooling2d.c - AveragePooling2D and GlobalAveragePooling2D, each channel on its own.
 *
 *     y[n][oh][ow][c]  = (sum of x[n][ih][iw][c] over the window's cells inside the image) / (how many those are)
 *     dx[n][ih][iw][c] = sum over the windows that see (ih, iw) of dy[n][oh][ow][c] / (how many cells it has inside)
 *
 * Global: one window, the whole image:  y[n][c] = (sum of x[n][cell][c]) / cells,  dx[n][cell][c] = dy[n][c] / cells.
 * Order of the sums, in `real`: cells and windows in row-major order; one division at the end (forward) or for each
 * term (backward). */
#include "../layers.h"

void fer_average_pooling2d_forward(const struct fer_window *g, const real *x, real *y)
{
    const size_t rows = g->n * g->out_h, channels = g->in_c;
    size_t row;
#pragma omp parallel for
    for (row = 0; row < rows; row++) {
        const real *image = x + row / g->out_h * g->in_h * g->in_w * channels;
        size_t h0, h1, w0, w1, ih, iw, ow, c;
        fer_window_clip(row % g->out_h, g->stride_h, g->pad_top, g->kernel_h, g->in_h, &h0, &h1);
        for (ow = 0; ow < g->out_w; ow++) {
            real *sum = y + (row * g->out_w + ow) * channels;
            fer_window_clip(ow, g->stride_w, g->pad_left, g->kernel_w, g->in_w, &w0, &w1);
            for (c = 0; c < channels; c++) sum[c] = 0;
            for (ih = h0; ih < h1; ih++)
                for (iw = w0; iw < w1; iw++) {
                    const real *cell = image + (ih * g->in_w + iw) * channels;
                    for (c = 0; c < channels; c++) sum[c] += cell[c];
                }
            for (c = 0; c < channels; c++) sum[c] /= (real)((h1 - h0) * (w1 - w0));
        }
    }
}

/* One image. */
static void spread(const struct fer_window *g, const real *dy, real *dx)
{
    const size_t channels = g->in_c;
    size_t oh, ow, h0, h1, w0, w1, ih, iw, c;
    for (c = 0; c < g->in_h * g->in_w * channels; c++) dx[c] = 0;
    for (oh = 0; oh < g->out_h; oh++)
        for (ow = 0; ow < g->out_w; ow++) {
            const real *d = dy + (oh * g->out_w + ow) * channels;
            fer_window_clip(oh, g->stride_h, g->pad_top, g->kernel_h, g->in_h, &h0, &h1);
            fer_window_clip(ow, g->stride_w, g->pad_left, g->kernel_w, g->in_w, &w0, &w1);
            for (ih = h0; ih < h1; ih++)
                for (iw = w0; iw < w1; iw++) {
                    real *cell = dx + (ih * g->in_w + iw) * channels;
                    for (c = 0; c < channels; c++) cell[c] += d[c] / (real)((h1 - h0) * (w1 - w0));
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

void fer_global_average_pooling2d_forward(size_t n, size_t cells, size_t channels, const real *x, real *y)
{
    size_t image;
#pragma omp parallel for
    for (image = 0; image < n; image++) {
        real *sum = y + image * channels;
        size_t cell, c;
        for (c = 0; c < channels; c++) sum[c] = 0;
        for (cell = 0; cell < cells; cell++) {
            const real *row = x + (image * cells + cell) * channels;
            for (c = 0; c < channels; c++) sum[c] += row[c];
        }
        for (c = 0; c < channels; c++) sum[c] /= (real)cells;
    }
}

void fer_global_average_pooling2d_backward(size_t n, size_t cells, size_t channels, const real *dy, real *dx)
{
    size_t image;
#pragma omp parallel for
    for (image = 0; image < n; image++) {
        const real *d = dy + image * channels;
        size_t cell, c;
        for (cell = 0; cell < cells; cell++) {
            real *row = dx + (image * cells + cell) * channels;
            for (c = 0; c < channels; c++) row[c] = d[c] / (real)cells;
        }
    }
}
