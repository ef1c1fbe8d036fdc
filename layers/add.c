/* add.c - Add: the sum of arrays of one shape.
 *
 *     y     = x[0] + x[1] + ...        inputs ascending, in real
 *     dx[k] = dy                       for every k */
#include "layers.h"

#include <string.h>

void fer_add_forward(size_t count, int inputs, const real *const *x, real *y)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) {
        real sum = x[0][i];
        for (int k = 1; k < inputs; k++) sum += x[k][i];
        y[i] = sum;
    }
}

void fer_add_backward(size_t count, int inputs, const real *dy, real *const *dx)
{
    for (int k = 0; k < inputs; k++)
        if (dx[k] && dx[k] != dy) memcpy(dx[k], dy, count * sizeof *dy);
}
