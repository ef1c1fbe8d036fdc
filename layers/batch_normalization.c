/* batch_normalization.c - BatchNormalization of x[rows][channels], rows = n*h*w; each channel c on its own:
 *
 *     mean     = (1/rows) sum of x                         variance = (1/rows) sum of (x - mean)^2
 *     y        = (x - mean) * scale + beta                 scale    = gamma / sqrt(variance + epsilon)
 *     dbeta    = sum of dy                                 dgamma   = sum of dy * (x - mean) / sqrt(variance + epsilon)
 *     dx       = scale * dy                                                         statistics constant (inference)
 *     dx       = scale * (dy - dbeta/rows - xhat * dgamma/rows)                     statistics of the batch (training)
 *
 * with xhat = (x - mean) / sqrt(variance + epsilon). The training form is the derivative through mean and variance:
 * dL/dx_i = scale * (dy_i - average of dy - xhat_i * average of dy*xhat) (Ioffe and Szegedy, section 3, gathered).
 *
 * Order of the sums: each channel's sums run over the rows ascending, in double. What is computed once a channel is
 * computed in double, from mean and variance as they are stored, and rounded to `real` once; what is computed for each
 * element is computed in `real`, as written here:
 *
 *     y  = (x - mean) * scale + beta
 *     dx = ((dy - average) - (x - mean) * slope) * scale
 *
 * with average = dbeta / rows and slope = (sum of dy * (x - mean)) / rows / (variance + epsilon), both 0 in inference.
 *
 * The channels are taken in groups of sixteen: a row of a group is one or two SIMD registers, and the groups are
 * shared among threads. */
#include "layers.h"

#include <math.h>

enum { GROUP = 16 };

static int group_width(int channels, int c0)
{
    return channels - c0 < GROUP ? channels - c0 : GROUP;
}

void fer_batch_moments(size_t rows, int channels, const real *x, real *mean, real *variance)
{
    int c0;
#pragma omp parallel for
    for (c0 = 0; c0 < channels; c0 += GROUP) {
        const int width = group_width(channels, c0);
        double average[GROUP] = {0}, square[GROUP] = {0};
        size_t i;
        int c;
        for (i = 0; i < rows; i++)
            for (c = 0; c < width; c++) average[c] += (double)x[i * (size_t)channels + (size_t)(c0 + c)];
        for (c = 0; c < width; c++) average[c] /= (double)rows;
        for (i = 0; i < rows; i++)
            for (c = 0; c < width; c++) {
                const double d = (double)x[i * (size_t)channels + (size_t)(c0 + c)] - average[c];
                square[c] += d * d;
            }
        for (c = 0; c < width; c++) {
            mean[c0 + c] = (real)average[c];
            variance[c0 + c] = (real)(square[c] / (double)rows);
        }
    }
}

void fer_batch_normalization_forward(size_t rows, int channels, const real *x, const real *mean, const real *variance,
                                     const real *gamma, const real *beta, double epsilon, real *y)
{
    int c0;
#pragma omp parallel for
    for (c0 = 0; c0 < channels; c0 += GROUP) {
        const int width = group_width(channels, c0);
        real center[GROUP] = {0}, scale[GROUP] = {0}, shift[GROUP] = {0};
        size_t i;
        int c;
        for (c = 0; c < width; c++) {
            center[c] = mean[c0 + c];
            scale[c] = (real)((gamma ? (double)gamma[c0 + c] : 1) / sqrt((double)variance[c0 + c] + epsilon));
            shift[c] = beta ? beta[c0 + c] : 0;
        }
        for (i = 0; i < rows; i++)
            for (c = 0; c < width; c++) {
                const size_t at = i * (size_t)channels + (size_t)(c0 + c);
                y[at] = (x[at] - center[c]) * scale[c] + shift[c];
            }
    }
}

/* The group's sums over the rows of dy and of dy * (x - center), in double. */
static void sum_gradients(size_t rows, int channels, int c0, int width, const real *x, const real *dy,
                          const real *center, double *sum_dy, double *sum_dy_x)
{
    size_t i;
    int c;
    for (i = 0; i < rows; i++)
        for (c = 0; c < width; c++) {
            const size_t at = i * (size_t)channels + (size_t)(c0 + c);
            sum_dy[c] += (double)dy[at];
            sum_dy_x[c] += (double)dy[at] * (double)(x[at] - center[c]);
        }
}

void fer_batch_normalization_backward(size_t rows, int channels, const real *x, const real *mean, const real *variance,
                                      const real *gamma, double epsilon, int batch_statistics, const real *dy, real *dx,
                                      real *dgamma, real *dbeta)
{
    int c0;
#pragma omp parallel for
    for (c0 = 0; c0 < channels; c0 += GROUP) {
        const int width = group_width(channels, c0);
        real center[GROUP] = {0}, scale[GROUP] = {0}, average_dy[GROUP] = {0}, slope[GROUP] = {0};
        double sum_dy[GROUP] = {0}, sum_dy_x[GROUP] = {0};
        size_t i;
        int c;
        for (c = 0; c < width; c++) center[c] = mean[c0 + c];
        sum_gradients(rows, channels, c0, width, x, dy, center, sum_dy, sum_dy_x);
        for (c = 0; c < width; c++) {
            const double square = (double)variance[c0 + c] + epsilon, deviation = sqrt(square);
            scale[c] = (real)((gamma ? (double)gamma[c0 + c] : 1) / deviation);
            if (dbeta) dbeta[c0 + c] = (real)sum_dy[c];
            if (dgamma) dgamma[c0 + c] = (real)(sum_dy_x[c] / deviation);
            if (!batch_statistics) continue;
            average_dy[c] = (real)(sum_dy[c] / (double)rows);
            slope[c] =
                (real)(sum_dy_x[c] / (double)rows / square); /* so that xhat * dgamma/rows = (x - mean) * slope */
        }
        for (i = 0; i < rows; i++)
            for (c = 0; c < width; c++) {
                const size_t at = i * (size_t)channels + (size_t)(c0 + c);
                dx[at] = (dy[at] - average_dy[c] - (x[at] - center[c]) * slope[c]) * scale[c];
            }
    }
}

void fer_moving_statistics(size_t rows, int channels, const real *mean, const real *variance, double momentum,
                           int unbiased, real *moving_mean, real *moving_variance)
{
    const double bessel = unbiased ? (double)rows / (rows > 1 ? (double)(rows - 1) : 1) : 1;
    int c;
    for (c = 0; c < channels; c++) {
        moving_mean[c] = (real)((double)moving_mean[c] * momentum + (double)mean[c] * (1 - momentum));
        moving_variance[c] =
            (real)((double)moving_variance[c] * momentum + (double)variance[c] * bessel * (1 - momentum));
    }
}
