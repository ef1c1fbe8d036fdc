/* average_pooling2d.c - AveragePooling2D; layers/average_pooling2d.c has the formulas and the order of the sums.
 *
 * The gradient is sent from the windows to the cells that they see, windows in row-major order, so that each sum has
 * the order that it has there: half the time, since a window is looked up once, not once for each cell. */
#include "../layers.h"

#ifndef FER_PLAIN /* else layers/average_pooling2d.c defines this function */

/* One image: each window adds its part to the cells that it sees. */
static void spread(const struct fer_window *g, const real *dy, real *dx)
{
    const size_t channels = g->in_c;
    size_t oh, ow, ih, iw, c;
    for (c = 0; c < g->in_h * g->in_w * channels; c++) dx[c] = 0;
    for (oh = 0; oh < g->out_h; oh++)
        for (ow = 0; ow < g->out_w; ow++) {
            const struct fer_cells in = fer_window_inputs(g, oh, ow);
            const real divisor = (real)fer_window_divisor(g, oh, ow);
            const real *d = dy + (oh * g->out_w + ow) * channels;
            for (ih = in.top; ih < in.bottom; ih++)
                for (iw = in.left; iw < in.right; iw++) {
                    real *cell = dx + (ih * g->in_w + iw) * channels;
                    for (c = 0; c < channels; c++) cell[c] += d[c] / divisor;
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
