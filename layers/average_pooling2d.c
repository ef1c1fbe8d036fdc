/* average_pooling2d.c - AveragePooling2D, of x[n][ih][iw][c] to y[n][oh][ow][c]; each channel on its own.
 *
 *     y[n][oh][ow][c]  = (sum of x[n][ih][iw][c] over the window's cells inside the image) / (how many those are)
 *     dx[n][ih][iw][c] = sum over the windows that see (ih, iw) of dy[n][oh][ow][c] / (how many cells it has inside)
 *
 * With count_padding every cell of the window counts that lies in the image or in the padding, those as zeros.
 *
 * Order of the sums, in `real`: cells and windows in row-major order; one division at the end (forward) or of each
 * term (backward). */
#include "layers.h"

static real divisor(const struct fer_window *g, size_t oh, size_t ow)
{
    return (real)fer_window_divisor(g, oh, ow);
}

void fer_average_pooling2d_forward(const struct fer_window *g, const real *x, real *y)
{
#pragma omp parallel for collapse(2)
    for (size_t n = 0; n < g->n; n++)
        for (size_t oh = 0; oh < g->out_h; oh++)
            for (size_t ow = 0; ow < g->out_w; ow++) {
                const struct fer_cells in = fer_window_inputs(g, oh, ow);
                const real cells = divisor(g, oh, ow);
                for (size_t c = 0; c < g->in_c; c++) y[out_at(g, n, oh, ow, c)] = 0;
                for (size_t ih = in.top; ih < in.bottom; ih++)
                    for (size_t iw = in.left; iw < in.right; iw++)
                        for (size_t c = 0; c < g->in_c; c++)
                            y[out_at(g, n, oh, ow, c)] += x[in_at(g, n, ih, iw, c)];
                for (size_t c = 0; c < g->in_c; c++) y[out_at(g, n, oh, ow, c)] /= cells;
            }
}

#ifdef FER_PLAIN /* else layers/fast/average_pooling2d.c defines this function, with the same bits */

void fer_average_pooling2d_backward(const struct fer_window *g, const real *dy, real *dx)
{
#pragma omp parallel for
    for (size_t n = 0; n < g->n; n++)
        for (size_t ih = 0; ih < g->in_h; ih++)
            for (size_t iw = 0; iw < g->in_w; iw++) {
                const struct fer_cells out = fer_window_outputs(g, ih, iw);
                for (size_t c = 0; c < g->in_c; c++) dx[in_at(g, n, ih, iw, c)] = 0;
                for (size_t oh = out.top; oh < out.bottom; oh++)
                    for (size_t ow = out.left; ow < out.right; ow++)
                        /* y[n][oh][ow][c] is the sum of x[n][ih][iw][c] / divisor, so by x[n][ih][iw][c]: */
                        for (size_t c = 0; c < g->in_c; c++)
                            dx[in_at(g, n, ih, iw, c)] += dy[out_at(g, n, oh, ow, c)] / divisor(g, oh, ow);
            }
}

#endif
