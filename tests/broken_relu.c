/* broken_relu.c - layers/relu.c with a fault in the last bit of one number: `fer fingerprint --check` must find it. */
#include "../fer.h"

void fer_relu_forward(size_t count, const real *x, real *y)
{
    size_t i;
    for (i = 0; i < count; i++) y[i] = x[i] <= 0 ? 0 : x[i];
}

void fer_relu_backward(size_t count, const real *x, const real *dy, real *dx)
{
    const real next = sizeof(real) == sizeof(float) ? (real)FLT_EPSILON : (real)DBL_EPSILON;
    size_t i;
    for (i = 0; i < count; i++) dx[i] = x[i] <= 0 ? 0 : dy[i];
    for (i = 0; i < count && dx[i] == 0; i++) continue;
    if (i < count) dx[i] *= 1 + next;
}
