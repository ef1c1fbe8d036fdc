/* hard_sigmoid.c - a sigmoid of three straight pieces.
 *
 *     y  = slope * x + 1/2, but at least 0 and at most 1
 *     dx = dy * slope where 0 < y < 1, else 0        from y
 *
 * slope is 1/6 in Keras 3, PyTorch and ONNX's HardSwish; 1/5 in Keras 2 and by default in ONNX. A NaN passes. */
#include "layers.h"

void fer_hard_sigmoid_forward(size_t count, real slope, const real *x, real *y)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) {
        const real line = slope * x[i] + (real)0.5;
        y[i] = line <= 0 ? 0 : line >= 1 ? 1 : line;
    }
}

void fer_hard_sigmoid_backward(size_t count, real slope, const real *y, const real *dy, real *dx)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) dx[i] = y[i] <= 0 || y[i] >= 1 ? 0 : dy[i] * slope;
}
