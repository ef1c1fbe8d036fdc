/* dense.c - Dense (a fully connected layer): y = x . kernel + bias.
 *
 *     y[n][o]       = (sum over i of x[n][i] * kernel[i][o]) + bias[o]
 *     dx[n][i]      = sum over o of dy[n][o] * kernel[i][o]
 *     dkernel[i][o] = sum over n of x[n][i] * dy[n][o]                  dbias[o] = sum over n of dy[n][o]
 *
 * Order of the sums: y and dx in `real`, i and o ascending; dkernel and dbias in double, n ascending, rounded once. */
#include "layers.h"

void fer_dense_forward(size_t n, size_t in, size_t out, const real *x, const real *kernel, const real *bias, real *y)
{
#pragma omp parallel for if (n * in * out > FER_FEW)
    for (size_t image = 0; image < n; image++) {
        const real *row = x + image * in;
        real *sum = y + image * out;
        for (size_t o = 0; o < out; o++) sum[o] = 0;
        for (size_t i = 0; i < in; i++)
            for (size_t o = 0; o < out; o++) sum[o] += row[i] * kernel[i * out + o];
        for (size_t o = 0; o < out && bias; o++) sum[o] += bias[o];
    }
}

void fer_dense_backward_input(size_t n, size_t in, size_t out, const real *dy, const real *kernel, real *dx)
{
#pragma omp parallel for if (n * in * out > FER_FEW)
    for (size_t image = 0; image < n; image++)
        for (size_t i = 0; i < in; i++) {
            real sum = 0;
            for (size_t o = 0; o < out; o++) sum += dy[image * out + o] * kernel[i * out + o];
            dx[image * in + i] = sum;
        }
}

void fer_dense_backward_kernel(size_t n, size_t in, size_t out, const real *x, const real *dy, real *dkernel)
{
#pragma omp parallel for if (n * in * out > FER_FEW)
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0; o < out; o++) {
            double sum = 0;
            for (size_t image = 0; image < n; image++) sum += (double)x[image * in + i] * (double)dy[image * out + o];
            dkernel[i * out + o] = (real)sum;
        }
}

void fer_dense_backward_bias(size_t n, size_t out, const real *dy, real *dbias)
{
    for (size_t o = 0; o < out; o++) {
        double sum = 0;
        for (size_t image = 0; image < n; image++) sum += (double)dy[image * out + o];
        dbias[o] = (real)sum;
    }
}
