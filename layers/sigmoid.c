/* sigmoid.c - the logistic function.
 *
 *     y  = 1 / (1 + exp(-x))        computed in double, rounded once; exp is never of a positive number
 *     dx = dy * y * (1 - y)         from y
 *
 * A NaN passes. */
#include "layers.h"

double fer_sigmoid_of(double x)
{
    const double e = fer_exp(x < 0 ? x : -x);
    return (x < 0 ? e : 1) / (1 + e);
}

void fer_sigmoid_forward(size_t count, const real *x, real *y)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) y[i] = (real)fer_sigmoid_of((double)x[i]);
}

void fer_sigmoid_backward(size_t count, const real *y, const real *dy, real *dx)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) dx[i] = dy[i] * y[i] * (1 - y[i]);
}
