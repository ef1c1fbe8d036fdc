/* max_pooling2d.c - MaxPooling2D, of x[n][ih][iw][c] to y[n][oh][ow][c]; each channel on its own.
 *
 *     y[n][oh][ow][c]  = the largest x[n][ih][iw][c] of the window's cells inside the image
 *     dx[n][ih][iw][c] = sum of dy[n][oh][ow][c] over the windows whose maximum stands at (ih, iw)
 *
 * Of several equal maxima the first in row-major order counts (other rules: at the end). A NaN counts as larger than
 * any number, the first one as the maximum.
 *
 * Order of the sum, in `real`: the windows in row-major order. */
#include "layers.h"

#ifdef FER_PLAIN /* else layers/fast/max_pooling2d.c defines these functions, with the same bits */

/* Where in x the maximum of a window stands. */
static size_t maximum_at(const struct fer_window *g, size_t n, size_t oh, size_t ow, size_t c, const real *x)
{
    const struct fer_cells in = fer_window_inputs(g, oh, ow);
    size_t best = in_at(g, n, in.top, in.left, c);
    for (size_t ih = in.top; ih < in.bottom; ih++)
        for (size_t iw = in.left; iw < in.right; iw++) {
            const size_t at = in_at(g, n, ih, iw, c);
            const int first_nan = x[at] != x[at] && x[best] == x[best];
            if (x[at] > x[best] || first_nan) best = at;
        }
    return best;
}

void fer_max_pooling2d_forward(const struct fer_window *g, const real *x, real *y)
{
#pragma omp parallel for
    for (size_t n = 0; n < g->n; n++)
        for (size_t oh = 0; oh < g->out_h; oh++)
            for (size_t ow = 0; ow < g->out_w; ow++)
                for (size_t c = 0; c < g->in_c; c++)
                    y[out_at(g, n, oh, ow, c)] = x[maximum_at(g, n, oh, ow, c, x)];
}

void fer_max_pooling2d_backward(const struct fer_window *g, const real *x, const real *dy, real *dx)
{
#pragma omp parallel for
    for (size_t n = 0; n < g->n; n++)
        for (size_t ih = 0; ih < g->in_h; ih++)
            for (size_t iw = 0; iw < g->in_w; iw++) {
                const struct fer_cells out = fer_window_outputs(g, ih, iw);
                for (size_t c = 0; c < g->in_c; c++) dx[in_at(g, n, ih, iw, c)] = 0;
                for (size_t oh = out.top; oh < out.bottom; oh++)
                    for (size_t ow = out.left; ow < out.right; ow++)
                        for (size_t c = 0; c < g->in_c; c++)
                            /* y[n][oh][ow][c] = x[maximum], so by x[n][ih][iw][c]: 1 if that is it, else 0 */
                            if (maximum_at(g, n, oh, ow, c, x) == in_at(g, n, ih, iw, c))
                                dx[in_at(g, n, ih, iw, c)] += dy[out_at(g, n, oh, ow, c)];
            }
}

#endif

/* ---- Other rules for equal maxima ---- */

/* The part of a window's gradient that goes to the cell at `at` in x, which it sees, is one of so many; 0: none. */
static size_t parts_of(const struct fer_window *g, size_t n, size_t oh, size_t ow, size_t c, enum fer_ties ties,
                       const real *x, size_t at)
{
    const struct fer_cells in = fer_window_inputs(g, oh, ow);
    size_t equal = 0, before = 0; /* maxima as large as x[at], itself among them; those before it */
    for (size_t ih = in.top; ih < in.bottom; ih++)
        for (size_t iw = in.left; iw < in.right; iw++) {
            const size_t other = in_at(g, n, ih, iw, c);
            const int both_nan = x[other] != x[other] && x[at] != x[at];
            if (x[other] > x[at] || (x[other] != x[other] && x[at] == x[at])) return 0; /* x[at] is no maximum */
            if (x[other] != x[at] && !both_nan) continue;
            equal++;
            before += other < at;
        }
    if (ties == FER_TIES_FIRST) return before == 0;
    if (ties == FER_TIES_LAST) return before == equal - 1;
    return ties == FER_TIES_ALL ? 1 : equal;
}

void fer_max_pooling2d_backward_ties(const struct fer_window *g, enum fer_ties ties, const real *x, const real *dy,
                                     real *dx)
{
#pragma omp parallel for
    for (size_t n = 0; n < g->n; n++)
        for (size_t ih = 0; ih < g->in_h; ih++)
            for (size_t iw = 0; iw < g->in_w; iw++) {
                const struct fer_cells out = fer_window_outputs(g, ih, iw);
                for (size_t c = 0; c < g->in_c; c++) {
                    real sum = 0;
                    for (size_t oh = out.top; oh < out.bottom; oh++)
                        for (size_t ow = out.left; ow < out.right; ow++) {
                            const size_t parts = parts_of(g, n, oh, ow, c, ties, x, in_at(g, n, ih, iw, c));
                            if (parts) sum += dy[out_at(g, n, oh, ow, c)] / (real)parts;
                        }
                    dx[in_at(g, n, ih, iw, c)] = sum;
                }
            }
}
