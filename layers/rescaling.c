/* rescaling.c - Rescaling and Normalization: each channel by numbers that are not trained.
 *
 *     Rescaling      y[row][c] = x[row][c] * scale[c] + offset[c]                                    dx = dy * scale[c]
 *     Normalization  y[row][c] = (x[row][c] - mean[c]) / max(sqrt(variance[c]), 1e-7)                dx = dy / the same
 *
 * y may be x itself, and dx dy. */
#include "layers.h"

#include <math.h>

void fer_rescaling_forward(size_t rows, size_t channels, const real *scale, const real *offset, const real *x, real *y)
{
#pragma omp parallel for if (rows * channels > FER_FEW)
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < channels; c++) y[row * channels + c] = x[row * channels + c] * scale[c] + offset[c];
}

void fer_rescaling_backward(size_t rows, size_t channels, const real *scale, const real *dy, real *dx)
{
#pragma omp parallel for if (rows * channels > FER_FEW)
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < channels; c++) dx[row * channels + c] = dy[row * channels + c] * scale[c];
}

static real deviation(real variance)
{
    const real root = (real)sqrt((double)variance);
    return root < (real)1e-7 ? (real)1e-7 : root;
}

void fer_normalization_forward(size_t rows, size_t channels, const real *mean, const real *variance, const real *x,
                               real *y)
{
#pragma omp parallel for if (rows * channels > FER_FEW)
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < channels; c++)
            y[row * channels + c] = (x[row * channels + c] - mean[c]) / deviation(variance[c]);
}

void fer_normalization_backward(size_t rows, size_t channels, const real *variance, const real *dy, real *dx)
{
#pragma omp parallel for if (rows * channels > FER_FEW)
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < channels; c++) dx[row * channels + c] = dy[row * channels + c] / deviation(variance[c]);
}
