/* dense.c - Dense (a fully connected layer), of x[row][ci] with kernel[ci][co] and bias[co] to y[row][co].
 *
 *     y[row][co]      = (sum over ci of x[row][ci] * kernel[ci][co]) + bias[co]
 *     dx[row][ci]     = sum over co  of dy[row][co] * kernel[ci][co]
 *     dkernel[ci][co] = sum over row of x[row][ci] * dy[row][co]
 *     dbias[co]       = sum over row of dy[row][co]
 *
 * A row is an image, or a cell of one. Order of the sums: y and dx in `real`, ci and co ascending; dkernel and dbias
 * (bias.c) in double, rows ascending, rounded once. */
#include "layers.h"

void fer_dense_forward(size_t rows, size_t in_c, size_t out_c, const real *x, const real *kernel, const real *bias,
                       real *y)
{
#pragma omp parallel for if (rows * in_c * out_c > FER_FEW)
    for (size_t row = 0; row < rows; row++) {
        for (size_t co = 0; co < out_c; co++) y[row * out_c + co] = 0;
        for (size_t ci = 0; ci < in_c; ci++)
            for (size_t co = 0; co < out_c; co++) y[row * out_c + co] += x[row * in_c + ci] * kernel[ci * out_c + co];
    }
    if (bias) fer_bias_forward(rows, out_c, bias, y);
}

enum { ROWS = 16 }; /* sums side by side: each waits for its own last addition alone */

void fer_dense_backward_input(size_t rows, size_t in_c, size_t out_c, const real *dy, const real *kernel, real *dx)
{
#pragma omp parallel for if (rows * in_c * out_c > FER_FEW)
    for (size_t ci = 0; ci < in_c; ci++)
        for (size_t first = 0; first < rows; first += ROWS) {
            const size_t end = rows - first < ROWS ? rows : first + ROWS;
            real sum[ROWS] = {0};
            /* y[row][co] += x[row][ci] * kernel[ci][co], so by x[row][ci]: */
            for (size_t co = 0; co < out_c; co++)
                for (size_t row = first; row < end; row++)
                    sum[row - first] += dy[row * out_c + co] * kernel[ci * out_c + co];
            for (size_t row = first; row < end; row++) dx[row * in_c + ci] = sum[row - first];
        }
}

void fer_dense_backward_kernel(size_t rows, size_t in_c, size_t out_c, const real *x, const real *dy, real *dkernel)
{
#pragma omp parallel for if (rows * in_c * out_c > FER_FEW)
    for (size_t ci = 0; ci < in_c; ci++)
        for (size_t first = 0; first < out_c; first += FER_SLICE) {
            const size_t end = slice_end(first, out_c);
            double sum[FER_SLICE] = {0};
            /* y[row][co] += x[row][ci] * kernel[ci][co], so by kernel[ci][co]: */
            for (size_t row = 0; row < rows; row++)
                for (size_t co = first; co < end; co++)
                    sum[co - first] += (double)x[row * in_c + ci] * dy[row * out_c + co];
            for (size_t co = first; co < end; co++) dkernel[ci * out_c + co] = (real)sum[co - first];
        }
}

void fer_dense_backward_bias(size_t rows, size_t out_c, const real *dy, real *dbias)
{
    fer_bias_backward(rows, out_c, dy, dbias);
}
