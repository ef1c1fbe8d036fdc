/* global_max_pooling2d.c - GlobalMaxPooling2D, of x[n][cell][c] to y[n][c]: the largest of an image's cells.
 *
 *     y[n][c]        = the largest x[n][cell][c]
 *     dx[n][cell][c] = dy[n][c] where the maximum stands, else 0
 *
 * Of several equal maxima the first counts; a NaN counts as larger than any number: as in max_pooling2d.c. */
#include "layers.h"

void fer_global_max_pooling2d_forward(size_t images, size_t cells, size_t channels, const real *x, real *y)
{
#pragma omp parallel for
    for (size_t n = 0; n < images; n++) {
        for (size_t c = 0; c < channels; c++) y[n * channels + c] = x[n * cells * channels + c];
        for (size_t cell = 1; cell < cells; cell++)
            for (size_t c = 0; c < channels; c++) {
                const real here = x[(n * cells + cell) * channels + c], best = y[n * channels + c];
                if (here > best || (here != here && best == best)) y[n * channels + c] = here;
            }
    }
}

void fer_global_max_pooling2d_backward(size_t images, size_t cells, size_t channels, const real *x, const real *dy,
                                       real *dx)
{
#pragma omp parallel for
    for (size_t n = 0; n < images; n++)
        for (size_t c = 0; c < channels; c++) {
            size_t best = n * cells * channels + c;
            for (size_t cell = 0; cell < cells; cell++) {
                const size_t at = (n * cells + cell) * channels + c;
                if (x[at] > x[best] || (x[at] != x[at] && x[best] == x[best])) best = at;
                dx[at] = 0;
            }
            /* y[n][c] = x[best], so by x[best]: */
            dx[best] += dy[n * channels + c];
        }
}
