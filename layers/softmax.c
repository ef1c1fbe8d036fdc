/* softmax.c - softmax as an activation, along the channels; its forward is fer_softmax, in softmax_cross_entropy.c.
 *
 *     y[row][k]  = exp(x[row][k]) / sum over j of exp(x[row][j])
 *     dx[row][k] = y[row][k] * (dy[row][k] - sum over j of dy[row][j] * y[row][j])        from y
 *
 * The sum over j ascending, in double; each dx computed in double and rounded once. */
#include "layers.h"

void fer_softmax_backward(size_t rows, size_t classes, const real *y, const real *dy, real *dx)
{
#pragma omp parallel for if (rows * classes > FER_FEW)
    for (size_t row = 0; row < rows; row++) {
        double sum = 0;
        for (size_t j = 0; j < classes; j++) sum += (double)dy[row * classes + j] * (double)y[row * classes + j];
        for (size_t k = row * classes; k < (row + 1) * classes; k++)
            dx[k] = (real)((double)y[k] * ((double)dy[k] - sum));
    }
}
