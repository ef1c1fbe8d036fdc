/* elu.c - ELU (Clevert, Unterthiner, Hochreiter, arXiv:1511.07289) with alpha = 1.
 *
 *     y  = x            where x > 0, else exp(x) - 1
 *     dx = dy           where y > 0, else dy * (y + 1)        from y
 *
 * exp(x) - 1 = 2t / (1 - t) with t = tanh(x/2), which keeps its digits near 0. A NaN passes. */
#include "layers.h"

void fer_elu_forward(size_t count, const real *x, real *y)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) {
        const double t = fer_tanh_of((double)x[i] / 2);
        y[i] = x[i] > 0 ? x[i] : (real)(2 * t / (1 - t));
    }
}

void fer_elu_backward(size_t count, const real *y, const real *dy, real *dx)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) dx[i] = y[i] > 0 ? dy[i] : dy[i] * (y[i] + 1);
}
