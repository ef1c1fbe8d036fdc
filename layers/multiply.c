/* multiply.c - Multiply: the product of arrays of one shape, where some may have one cell for all: [n][1][1][c] beside
 * [n][cells][c].
 *
 *     y[n][cell][c]     = x[0][n][cell][c] * x[1][n][cell][c] * ...         inputs ascending
 *     dx[k][n][cell][c] = dy[n][cell][c] * the other inputs there           inputs ascending
 *     dx[k][n][c]       = sum over the cells of that                        in double, cells ascending, rounded once */
#include "layers.h"

static size_t index_of(size_t n, size_t cell, size_t c, size_t cells, size_t channels)
{
    return (n * cells + (cells == 1 ? 0 : cell)) * channels + c;
}

void fer_multiply_forward(size_t images, size_t channels, int inputs, const size_t *cells, size_t out_cells,
                          const real *const *x, real *y)
{
#pragma omp parallel for collapse(2) if (images * out_cells * channels > FER_FEW)
    for (size_t n = 0; n < images; n++)
        for (size_t cell = 0; cell < out_cells; cell++)
            for (size_t c = 0; c < channels; c++) {
                real product = x[0][index_of(n, cell, c, cells[0], channels)];
                for (int k = 1; k < inputs; k++) product *= x[k][index_of(n, cell, c, cells[k], channels)];
                y[index_of(n, cell, c, out_cells, channels)] = product;
            }
}

/* y[n][cell][c] = x[0] * x[1] * ... there, so by x[k] there: dy times the others. */
static real product_without(int k, size_t n, size_t cell, size_t c, size_t channels, int inputs, const size_t *cells,
                            const real *const *x, real dy)
{
    for (int j = 0; j < inputs; j++)
        if (j != k) dy *= x[j][index_of(n, cell, c, cells[j], channels)];
    return dy;
}

void fer_multiply_backward(size_t images, size_t channels, int inputs, const size_t *cells, size_t out_cells,
                           const real *const *x, const real *dy, real *const *dx)
{
    for (int k = 0; k < inputs; k++) {
        if (!dx[k]) continue;
#pragma omp parallel for if (images * out_cells * channels > FER_FEW)
        for (size_t n = 0; n < images; n++)
            for (size_t c = 0; c < channels; c++) {
                double sum = 0;
                for (size_t cell = 0; cell < out_cells; cell++) {
                    const real part = product_without(k, n, cell, c, channels, inputs, cells, x,
                                                      dy[index_of(n, cell, c, out_cells, channels)]);
                    if (cells[k] == out_cells) dx[k][index_of(n, cell, c, out_cells, channels)] = part;
                    sum += (double)part;
                }
                if (cells[k] != out_cells) dx[k][n * channels + c] = (real)sum;
            }
    }
}
