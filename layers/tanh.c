/* tanh.c - the hyperbolic tangent.
 *
 *     y  = (1 - e) / (1 + e),  e = exp(-2x)      for x >= 1/2; for x <= -1/2 the same with both signs turned
 *        = x / (1 + x^2 / (3 + x^2 / (5 + ...))) between, where 1 - e would lose digits (Lambert's continued fraction,
 *                                                which is at its limit in double after ten terms)
 *     dx = dy * (1 - y) * (1 + y)                from y
 *
 * Computed in double, rounded once. A NaN passes. */
#include "layers.h"

double fer_tanh_of(double x)
{
    double e, fraction = 19;
    if (x >= 0.5 || x <= -0.5) {
        e = fer_exp(x > 0 ? -2 * x : 2 * x);
        return (x > 0 ? 1 - e : e - 1) / (1 + e);
    }
    for (int odd = 17; odd >= 1; odd -= 2) fraction = odd + x * x / fraction;
    return x / fraction;
}

void fer_tanh_forward(size_t count, const real *x, real *y)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) y[i] = (real)fer_tanh_of((double)x[i]);
}

void fer_tanh_backward(size_t count, const real *y, const real *dy, real *dx)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) dx[i] = dy[i] * (1 - y[i]) * (1 + y[i]);
}
