/* max_pooling2d.c - MaxPooling2D; layers/max_pooling2d.c has the formulas and the order of the sums.
 *
 * Up to GROUP channels are searched side by side, each window once. The gradient is sent from the windows to their
 * maxima, windows in row-major order, so that each sum has the order that it has there. */
#include "../layers.h"

#ifndef FER_PLAIN /* else layers/max_pooling2d.c defines these functions */

enum { GROUP = 64 }; /* channels taken together */

static int replaces(real x, real best)
{
    return (x > best) | ((x != x) & (best == best));
}

void fer_max_pooling2d_forward(const struct fer_window *g, const real *x, real *y)
{
    const size_t rows = g->n * g->out_h, channels = g->in_c;
    size_t row;
#pragma omp parallel for
    for (row = 0; row < rows; row++) {
        const real *image = x + row / g->out_h * g->in_h * g->in_w * channels;
        size_t ow, ih, iw, c;
        for (ow = 0; ow < g->out_w; ow++) {
            const struct fer_cells in = fer_window_inputs(g, row % g->out_h, ow);
            real *best = y + (row * g->out_w + ow) * channels;
            for (c = 0; c < channels; c++) best[c] = image[(in.top * g->in_w + in.left) * channels + c];
            for (ih = in.top; ih < in.bottom; ih++)
                for (iw = in.left; iw < in.right; iw++) {
                    const real *cell = image + (ih * g->in_w + iw) * channels;
                    for (c = 0; c < channels; c++) best[c] = replaces(cell[c], best[c]) ? cell[c] : best[c];
                }
        }
    }
}

/* In which cells of the image the maxima of one window stand, channels c0 ... c0 + width - 1. */
static void window_maxima(const struct fer_window *g, const real *image, size_t oh, size_t ow, size_t c0, size_t width,
                          size_t *cell)
{
    const struct fer_cells in = fer_window_inputs(g, oh, ow);
    real best[GROUP];
    size_t ih, iw, c;
    for (c = 0; c < width; c++) {
        cell[c] = in.top * g->in_w + in.left;
        best[c] = image[cell[c] * g->in_c + c0 + c];
    }
    for (ih = in.top; ih < in.bottom; ih++)
        for (iw = in.left; iw < in.right; iw++) {
            const size_t here = ih * g->in_w + iw;
            const real *x = image + here * g->in_c + c0;
            for (c = 0; c < width; c++) {
                const int larger = replaces(x[c], best[c]);
                best[c] = larger ? x[c] : best[c];
                cell[c] = larger ? here : cell[c];
            }
        }
}

/* One image, channels c0 ... c0 + width - 1. */
static void scatter(const struct fer_window *g, const real *image, const real *dy, size_t c0, size_t width, real *dx)
{
    size_t oh, ow, i, c, cell[GROUP];
    for (i = 0; i < g->in_h * g->in_w; i++)
        for (c = 0; c < width; c++) dx[i * g->in_c + c0 + c] = 0;
    for (oh = 0; oh < g->out_h; oh++)
        for (ow = 0; ow < g->out_w; ow++) {
            const real *d = dy + (oh * g->out_w + ow) * g->in_c + c0;
            window_maxima(g, image, oh, ow, c0, width, cell);
            for (c = 0; c < width; c++) dx[cell[c] * g->in_c + c0 + c] += d[c];
        }
}

void fer_max_pooling2d_backward(const struct fer_window *g, const real *x, const real *dy, real *dx)
{
    const size_t in_size = g->in_h * g->in_w * g->in_c, out_size = g->out_h * g->out_w * g->in_c;
    const size_t groups = (g->in_c + GROUP - 1) / GROUP;
    size_t task;
#pragma omp parallel for
    for (task = 0; task < g->n * groups; task++) {
        const size_t n = task / groups, c0 = task % groups * GROUP, left = g->in_c - c0;
        scatter(g, x + n * in_size, dy + n * out_size, c0, left < GROUP ? left : GROUP, dx + n * in_size);
    }
}

#endif
