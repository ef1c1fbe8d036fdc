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

void fer_dense_backward_input(size_t rows, size_t in_c, size_t out_c, const real *dy, const real *kernel, real *dx)
{
#pragma omp parallel for if (rows * in_c * out_c > FER_FEW)
    for (size_t row = 0; row < rows; row++)
        for (size_t ci = 0; ci < in_c; ci++) {
            real sum = 0;
            /* y[row][co] += x[row][ci] * kernel[ci][co], so by x[row][ci]: */
            for (size_t co = 0; co < out_c; co++) sum += dy[row * out_c + co] * kernel[ci * out_c + co];
            dx[row * in_c + ci] = sum;
        }
}

void fer_dense_backward_kernel(size_t rows, size_t in_c, size_t out_c, const real *x, const real *dy, real *dkernel)
{
#pragma omp parallel for if (rows * in_c * out_c > FER_FEW)
    for (size_t ci = 0; ci < in_c; ci++)
        for (size_t co = 0; co < out_c; co++) {
            double sum = 0;
            /* y[row][co] += x[row][ci] * kernel[ci][co], so by kernel[ci][co]: */
            for (size_t row = 0; row < rows; row++) sum += (double)x[row * in_c + ci] * dy[row * out_c + co];
            dkernel[ci * out_c + co] = (real)sum;
        }
}

void fer_dense_backward_bias(size_t rows, size_t out_c, const real *dy, real *dbias)
{
    fer_bias_backward(rows, out_c, dy, dbias);
}
