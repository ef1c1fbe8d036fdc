/* relu.c - ReLU, of x[i] to y[i].
 *
 *     y = 0 where x <= 0, else x          dx = 0 where x <= 0, else dy
 *
 * Said this way round a NaN passes through, and where x is NaN dy does. */
#include "layers.h"

void fer_relu_forward(size_t count, const real *x, real *y)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) y[i] = x[i] <= 0 ? 0 : x[i];
}

void fer_relu_backward(size_t count, const real *x, const real *dy, real *dx)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) {
        const real d = dy[i]; /* read in any case, so that SIMD can choose afterwards */
        dx[i] = x[i] <= 0 ? 0 : d;
    }
}
