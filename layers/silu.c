/* silu.c - SiLU, also called swish (Ramachandran, Zoph, Le, arXiv:1710.05941).
 *
 *     y  = x * s,  s = 1 / (1 + exp(-x))
 *     dx = dy * (s + x * s * (1 - s))        from x, since y alone does not say which x it was
 *
 * Computed in double, rounded once. At -infinity, where x * s is 0 by its limit, y and dx are 0. A NaN passes. */
#include "layers.h"

void fer_silu_forward(size_t count, const real *x, real *y)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) {
        const double s = fer_sigmoid_of((double)x[i]);
        y[i] = s > 0 || x[i] != x[i] ? (real)((double)x[i] * s) : 0;
    }
}

void fer_silu_backward(size_t count, const real *x, const real *dy, real *dx)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) {
        const double s = fer_sigmoid_of((double)x[i]);
        /* y[i] = x[i] * s, so by x[i]; where s is 0 or 1, x * s * (1 - s) is 0 by its limit: */
        const double slope = s == 0 || s == 1 ? s : s + (double)x[i] * s * (1 - s);
        dx[i] = (real)((double)dy[i] * slope);
    }
}
