/* dense.c - Dense (a fully connected layer): y = x . kernel + bias.
 *
 *     y[n][o]       = (sum over i of x[n][i] * kernel[i][o]) + bias[o]
 *     dx[n][i]      = sum over o of dy[n][o] * kernel[i][o]
 *     dkernel[i][o] = sum over n of x[n][i] * dy[n][o]                  dbias[o] = sum over n of dy[n][o]
 *
 * Order of the sums: y and dx in `real`, i and o ascending; dkernel and dbias in double, n ascending, rounded once. */
#include "layers.h"

void fer_dense_forward(int n, int in, int out, const real *x, const real *kernel, const real *bias, real *y)
{
    int image;
#pragma omp parallel for if ((size_t)n * (size_t)in * (size_t)out > FER_FEW)
    for (image = 0; image < n; image++) {
        const real *row = x + (size_t)image * (size_t)in;
        real *sum = y + (size_t)image * (size_t)out;
        int i, o;
        for (o = 0; o < out; o++) sum[o] = 0;
        for (i = 0; i < in; i++)
            for (o = 0; o < out; o++) sum[o] += row[i] * kernel[(size_t)i * (size_t)out + (size_t)o];
        for (o = 0; o < out && bias; o++) sum[o] += bias[o];
    }
}

void fer_dense_backward_input(int n, int in, int out, const real *dy, const real *kernel, real *dx)
{
    int image;
#pragma omp parallel for if ((size_t)n * (size_t)in * (size_t)out > FER_FEW)
    for (image = 0; image < n; image++) {
        const real *d = dy + (size_t)image * (size_t)out;
        int i, o;
        for (i = 0; i < in; i++) {
            real sum = 0;
            for (o = 0; o < out; o++) sum += d[o] * kernel[(size_t)i * (size_t)out + (size_t)o];
            dx[(size_t)image * (size_t)in + (size_t)i] = sum;
        }
    }
}

void fer_dense_backward_kernel(int n, int in, int out, const real *x, const real *dy, real *dkernel)
{
    int i;
#pragma omp parallel for if ((size_t)n * (size_t)in * (size_t)out > FER_FEW)
    for (i = 0; i < in; i++) {
        int o, image;
        for (o = 0; o < out; o++) {
            double sum = 0;
            for (image = 0; image < n; image++)
                sum += (double)x[(size_t)image * (size_t)in + (size_t)i] *
                       (double)dy[(size_t)image * (size_t)out + (size_t)o];
            dkernel[(size_t)i * (size_t)out + (size_t)o] = (real)sum;
        }
    }
}

void fer_dense_backward_bias(int n, int out, const real *dy, real *dbias)
{
    int o, image;
    for (o = 0; o < out; o++) {
        double sum = 0;
        for (image = 0; image < n; image++) sum += (double)dy[(size_t)image * (size_t)out + (size_t)o];
        dbias[o] = (real)sum;
    }
}
