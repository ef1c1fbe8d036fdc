/* relu.c - ReLU.
 *
 *     y = x where x > 0, else 0          dx = dy where x > 0, else 0
 *
 * The comparison is written so that a NaN passes through, in both directions. */
#include "layers.h"

void fer_relu_forward(size_t count, const real *x, real *y)
{
    long long i;
#pragma omp parallel for
    for (i = 0; i < (long long)count; i++) y[i] = x[i] <= 0 ? 0 : x[i];
}

void fer_relu_backward(size_t count, const real *x, const real *dy, real *dx)
{
    long long i;
#pragma omp parallel for
    for (i = 0; i < (long long)count; i++) dx[i] = x[i] <= 0 ? 0 : dy[i];
}
