/* global_average_pooling2d.c - GlobalAveragePooling2D, of x[n][cell][c] to y[n][c]: the mean over an image's cells.
 *
 *     y[n][c]        = (sum over cell of x[n][cell][c]) / cells
 *     dx[n][cell][c] = dy[n][c] / cells
 *
 * Order of the sum, in `real`: cells ascending. */
#include "layers.h"

void fer_global_average_pooling2d_forward(size_t images, size_t cells, size_t channels, const real *x, real *y)
{
#pragma omp parallel for
    for (size_t n = 0; n < images; n++) {
        for (size_t c = 0; c < channels; c++) y[n * channels + c] = 0;
        for (size_t cell = 0; cell < cells; cell++)
            for (size_t c = 0; c < channels; c++) y[n * channels + c] += x[(n * cells + cell) * channels + c];
        for (size_t c = 0; c < channels; c++) y[n * channels + c] /= (real)cells;
    }
}

void fer_global_average_pooling2d_backward(size_t images, size_t cells, size_t channels, const real *dy, real *dx)
{
#pragma omp parallel for
    for (size_t n = 0; n < images; n++)
        for (size_t cell = 0; cell < cells; cell++)
            /* y[n][c] is the sum of x[n][cell][c] / cells, so by x[n][cell][c]: */
            for (size_t c = 0; c < channels; c++)
                dx[(n * cells + cell) * channels + c] = dy[n * channels + c] / (real)cells;
}
