/* dropout.c - Dropout and SpatialDropout2D, in training (in inference they pass everything on).
 *
 *     y[i]          = x[i] * (1 / (1 - rate)) where u(i) >= rate, else 0                        Dropout
 *     y[n][cell][c] = the same, kept or not by u(n * channels + c): whole channels of an image  SpatialDropout2D
 *     dx            = the same function of dy
 *
 * u(k) = fer_uniform(seed, FER_FOR_DROPOUT, step, first + k): a function of its place, so that the backward pass draws
 * the same mask and nothing need be kept. The factor is computed in double and rounded once. */
#include "layers.h"

void fer_dropout(size_t count, double rate, uint64_t seed, uint32_t step, uint64_t first, const real *x, real *y)
{
    const real factor = (real)(1 / (1 - rate));
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++)
        y[i] = fer_uniform(seed, FER_FOR_DROPOUT, step, first + i) >= rate ? x[i] * factor : 0;
}

void fer_spatial_dropout2d(size_t images, size_t cells, size_t channels, double rate, uint64_t seed, uint32_t step,
                           uint64_t first, const real *x, real *y)
{
    const real factor = (real)(1 / (1 - rate));
#pragma omp parallel for if (images * cells * channels > FER_FEW)
    for (size_t n = 0; n < images; n++)
        for (size_t c = 0; c < channels; c++) {
            const int kept = fer_uniform(seed, FER_FOR_DROPOUT, step, first + n * channels + c) >= rate;
            for (size_t i = n * cells * channels + c; i < (n + 1) * cells * channels; i += channels)
                y[i] = kept ? x[i] * factor : 0;
        }
}
