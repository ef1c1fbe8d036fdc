/* batch_normalization.c - BatchNormalization of x[row][c], rows = n*h*w; each channel c on its own:
 *
 *     mean   = (1/rows) sum of x                   variance = (1/rows) sum of (x - mean)^2
 *     y      = (x - mean) * scale + beta           scale    = gamma / sqrt(variance + epsilon)
 *     dbeta  = sum of dy                           dgamma   = sum of dy * (x - mean) / sqrt(variance + epsilon)
 *     dx     = scale * dy                                       mean and variance given (inference)
 *     dx     = scale * (dy - dbeta/rows - xhat * dgamma/rows)   mean and variance of this batch (training)
 *
 * with xhat = (x - mean) / sqrt(variance + epsilon). In training x acts on y in three ways: directly, through mean, and
 * through variance. That gives the three terms (Ioffe and Szegedy, section 3, put together).
 *
 * Order of the sums: rows ascending, in double. A channel whose rows are all equal has that value as its mean, though
 * in float64 their sum is rounded: an ulp of it, over sqrt(epsilon), would show in y, which is beta exactly. What is
 * computed once a channel is computed in double, from mean and variance as they are stored, and rounded to `real` once;
 * what is computed for each element is computed in `real`, as the loops say:
 *
 *     y  = (x - mean) * scale + beta
 *     dx = ((dy - average) - (x - mean) * slope) * scale
 *
 * average = dbeta/rows and slope = (sum of dy * (x - mean)) / rows / (variance + epsilon), both 0 in inference. Where
 * slope is 0, so is the last term, whatever x is: in inference a NaN in x has no part in dx. */
#include "layers.h"

#include <math.h>

void fer_batch_moments(size_t rows, size_t channels, const real *x, real *mean, real *variance)
{
#pragma omp parallel for
    for (size_t first = 0; first < channels; first += FER_SLICE) {
        const size_t end = slice_end(first, channels);
        double average[FER_SLICE] = {0}, squares[FER_SLICE] = {0};
        for (size_t row = 0; row < rows; row++)
            for (size_t c = first; c < end; c++) average[c - first] += x[row * channels + c];
        for (size_t c = first; c < end; c++)
            average[c - first] = all_equal(rows, channels, x + c) ? x[c] : average[c - first] / (double)rows;
        for (size_t row = 0; row < rows; row++)
            for (size_t c = first; c < end; c++) {
                const double d = x[row * channels + c] - average[c - first];
                squares[c - first] += d * d;
            }
        for (size_t c = first; c < end; c++) {
            mean[c] = (real)average[c - first];
            variance[c] = (real)(squares[c - first] / (double)rows);
        }
    }
}

#ifdef FER_PLAIN /* else layers/fast/batch_normalization.c defines these functions, with the same bits */

void fer_batch_normalization_forward(size_t rows, size_t channels, const real *x, const real *mean,
                                     const real *variance, const real *gamma, const real *beta, double epsilon,
                                     real *y)
{
#pragma omp parallel for
    for (size_t first = 0; first < channels; first += FER_SLICE) {
        const size_t end = slice_end(first, channels);
        real scale[FER_SLICE];
        for (size_t c = first; c < end; c++)
            scale[c - first] = (real)((gamma ? gamma[c] : 1) / sqrt(variance[c] + epsilon));
        for (size_t row = 0; row < rows; row++)
            for (size_t c = first; c < end; c++)
                y[row * channels + c] = (x[row * channels + c] - mean[c]) * scale[c - first] + (beta ? beta[c] : 0);
    }
}

void fer_batch_normalization_backward(size_t rows, size_t channels, const real *x, const real *mean,
                                      const real *variance, const real *gamma, double epsilon, int batch_statistics,
                                      const real *dy, real *dx, real *dgamma, real *dbeta)
{
#pragma omp parallel for
    for (size_t first = 0; first < channels; first += FER_SLICE) {
        const size_t end = slice_end(first, channels);
        double sum[FER_SLICE] = {0}, moment[FER_SLICE] = {0};
        real scale[FER_SLICE], average[FER_SLICE] = {0}, slope[FER_SLICE] = {0};
        for (size_t row = 0; row < rows; row++)
            for (size_t c = first; c < end; c++) {
                sum[c - first] += dy[row * channels + c];
                moment[c - first] += (double)dy[row * channels + c] * (x[row * channels + c] - mean[c]);
            }
        for (size_t c = first; c < end; c++) {
            const double square = variance[c] + epsilon, deviation = sqrt(square);
            if (dbeta) dbeta[c] = (real)sum[c - first];
            if (dgamma) dgamma[c] = (real)(moment[c - first] / deviation);
            scale[c - first] = (real)((gamma ? gamma[c] : 1) / deviation);
            if (!batch_statistics) continue;
            average[c - first] = (real)(sum[c - first] / (double)rows);
            slope[c - first] = (real)(moment[c - first] / (double)rows / square);
        }
        /* y[row][c] = (x[row][c] - mean[c]) * scale[c] + beta[c], so by x[row][c], which in training is in mean and
         * scale too: */
        for (size_t row = 0; row < rows && dx; row++)
            for (size_t c = first; c < end; c++) {
                const size_t at = row * channels + c;
                const real s = slope[c - first], through_scale = s == 0 ? 0 : (x[at] - mean[c]) * s;
                dx[at] = (dy[at] - average[c - first] - through_scale) * scale[c - first];
            }
    }
}

#endif
