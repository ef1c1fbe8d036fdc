/* max_pooling2d.c - MaxPooling2D, each channel on its own.
 *
 *     y[n][oh][ow][c]  = the largest x[n][ih][iw][c] of the window's cells inside the image
 *     dx[n][ih][iw][c] = sum of dy[n][oh][ow][c] over the windows whose maximum is at (ih, iw)
 *
 * Of several equal maxima the first in row-major order counts. A NaN counts as larger than any number, the first one
 * as the maximum.
 * Order of the sum: the windows in row-major order. */
#include "../layers.h"

enum { GROUP = 64 }; /* channels taken together */

/* The maxima of one window, channels c0 ... c0 + width - 1 of one image, and the cells of the image where they
 * stand. */
static void window_maxima(const struct fer_window *g, const real *image, int oh, int ow, int c0, int width, real *best,
                          int *cell)
{
    int h0, h1, w0, w1, ih, iw, c;
    fer_window_clip(oh, g->stride_h, g->pad_top, g->kernel_h, g->in_h, &h0, &h1);
    fer_window_clip(ow, g->stride_w, g->pad_left, g->kernel_w, g->in_w, &w0, &w1);
    for (c = 0; c < width; c++) {
        cell[c] = h0 * g->in_w + w0;
        best[c] = image[(size_t)cell[c] * (size_t)g->in_c + (size_t)(c0 + c)];
    }
    for (ih = h0; ih < h1; ih++)
        for (iw = w0; iw < w1; iw++) {
            const int here = ih * g->in_w + iw;
            const real *x = image + (size_t)here * (size_t)g->in_c + c0;
            for (c = 0; c < width; c++) {
                const int larger = (x[c] > best[c]) | ((x[c] != x[c]) & (best[c] == best[c]));
                best[c] = larger ? x[c] : best[c];
                cell[c] = larger ? here : cell[c];
            }
        }
}

void fer_max_pooling2d_forward(const struct fer_window *g, const real *x, real *y)
{
    const size_t in_size = (size_t)g->in_h * (size_t)g->in_w * (size_t)g->in_c;
    const long rows = (long)g->n * g->out_h;
    long row;
#pragma omp parallel for
    for (row = 0; row < rows; row++) {
        const real *image = x + (size_t)(row / g->out_h) * in_size;
        int ow, c0, c, cell[GROUP];
        real best[GROUP];
        for (ow = 0; ow < g->out_w; ow++)
            for (c0 = 0; c0 < g->in_c; c0 += GROUP) {
                const int width = g->in_c - c0 < GROUP ? g->in_c - c0 : GROUP;
                real *out = y + ((size_t)row * (size_t)g->out_w + (size_t)ow) * (size_t)g->in_c + c0;
                window_maxima(g, image, (int)(row % g->out_h), ow, c0, width, best, cell);
                for (c = 0; c < width; c++) out[c] = best[c];
            }
    }
}

/* One image, channels c0 ... c0 + width - 1. */
static void scatter(const struct fer_window *g, const real *image, const real *dy, int c0, int width, real *dx)
{
    int oh, ow, i, c, cell[GROUP];
    real best[GROUP];
    for (i = 0; i < g->in_h * g->in_w; i++)
        for (c = 0; c < width; c++) dx[(size_t)i * (size_t)g->in_c + (size_t)(c0 + c)] = 0;
    for (oh = 0; oh < g->out_h; oh++)
        for (ow = 0; ow < g->out_w; ow++) {
            const real *d = dy + ((size_t)oh * (size_t)g->out_w + (size_t)ow) * (size_t)g->in_c + c0;
            window_maxima(g, image, oh, ow, c0, width, best, cell);
            for (c = 0; c < width; c++) dx[(size_t)cell[c] * (size_t)g->in_c + (size_t)(c0 + c)] += d[c];
        }
}

void fer_max_pooling2d_backward(const struct fer_window *g, const real *x, const real *dy, real *dx)
{
    const size_t in_size = (size_t)g->in_h * (size_t)g->in_w * (size_t)g->in_c;
    const size_t out_size = (size_t)g->out_h * (size_t)g->out_w * (size_t)g->in_c;
    const int groups = (g->in_c + GROUP - 1) / GROUP;
    long task;
#pragma omp parallel for
    for (task = 0; task < (long)g->n * groups; task++) {
        const size_t n = (size_t)(task / groups);
        const int c0 = (int)(task % groups) * GROUP, width = g->in_c - c0 < GROUP ? g->in_c - c0 : GROUP;
        scatter(g, x + n * in_size, dy + n * out_size, c0, width, dx + n * in_size);
    }
}
