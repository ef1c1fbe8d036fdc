/* batch_normalization.c - BatchNormalization; layers/batch_normalization.c has the formulas and the order of the sums.
 *
 * Up to GROUP channels are taken at a time, row by row as they stand in memory. Threads share out the rows of what
 * is computed for each element, where the plain loops leave a layer of few channels to one thread. */
#include "../layers.h"

#ifndef FER_PLAIN /* else layers/batch_normalization.c defines these functions */

#include <math.h>

enum { GROUP = 256, ROWS = 1024 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* One group, some rows. */
static void normalize(size_t rows, size_t channels, size_t width, const real *x, const real *mean, const real *scale,
                      const real *shift, real *y)
{
    size_t i, c;
    for (i = 0; i < rows; i++, x += channels, y += channels)
        for (c = 0; c < width; c++) y[c] = (x[c] - mean[c]) * scale[c] + shift[c];
}

void fer_batch_normalization_forward(size_t rows, size_t channels, const real *x, const real *mean,
                                     const real *variance, const real *gamma, const real *beta, double epsilon,
                                     real *y)
{
    size_t c0, c, row;
    for (c0 = 0; c0 < channels; c0 += GROUP) {
        const size_t width = smaller(channels - c0, GROUP);
        real scale[GROUP], shift[GROUP];
        for (c = 0; c < width; c++) {
            scale[c] = (real)((gamma ? (double)gamma[c0 + c] : 1) / sqrt((double)variance[c0 + c] + epsilon));
            shift[c] = beta ? beta[c0 + c] : 0;
        }
#pragma omp parallel for if (rows > ROWS)
        for (row = 0; row < rows; row += ROWS) {
            const size_t at = row * channels + c0;
            normalize(smaller(rows - row, ROWS), channels, width, x + at, mean + c0, scale, shift, y + at);
        }
    }
}

/* One group's sums over the rows of dy and of dy * (x - mean), in double. */
static void sum_gradients(size_t rows, size_t channels, size_t width, const real *x, const real *dy, const real *mean,
                          double sum_dy[GROUP], double sum_dy_x[GROUP])
{
    size_t i, c;
    for (c = 0; c < width; c++) sum_dy[c] = sum_dy_x[c] = 0;
    for (i = 0; i < rows; i++, x += channels, dy += channels)
        for (c = 0; c < width; c++) {
            sum_dy[c] += (double)dy[c];
            sum_dy_x[c] += (double)dy[c] * (double)(x[c] - mean[c]);
        }
}

/* One group, some rows. */
static void differentiate(size_t rows, size_t channels, size_t width, const real *x, const real *dy, const real *mean,
                          const real *average_dy, const real *slope, const real *scale, real *dx)
{
    size_t i, c;
    for (i = 0; i < rows; i++, x += channels, dy += channels, dx += channels)
        for (c = 0; c < width; c++)
            dx[c] = (dy[c] - average_dy[c] - (slope[c] == 0 ? 0 : (x[c] - mean[c]) * slope[c])) * scale[c];
}

void fer_batch_normalization_backward(size_t rows, size_t channels, const real *x, const real *mean,
                                      const real *variance, const real *gamma, double epsilon, int batch_statistics,
                                      const real *dy, real *dx, real *dgamma, real *dbeta)
{
    size_t c0, c, row;
    for (c0 = 0; c0 < channels; c0 += GROUP) {
        const size_t width = smaller(channels - c0, GROUP);
        real scale[GROUP], average_dy[GROUP] = {0}, slope[GROUP] = {0};
        double sum_dy[GROUP], sum_dy_x[GROUP];
        sum_gradients(rows, channels, width, x + c0, dy + c0, mean + c0, sum_dy, sum_dy_x);
        for (c = 0; c < width; c++) {
            const double square = (double)variance[c0 + c] + epsilon, deviation = sqrt(square);
            scale[c] = (real)((gamma ? (double)gamma[c0 + c] : 1) / deviation);
            if (dbeta) dbeta[c0 + c] = (real)sum_dy[c];
            if (dgamma) dgamma[c0 + c] = (real)(sum_dy_x[c] / deviation);
            if (!batch_statistics) continue;
            average_dy[c] = (real)(sum_dy[c] / (double)rows);
            slope[c] = (real)(sum_dy_x[c] / (double)rows / square); /* xhat * dgamma/rows = (x - mean) * slope */
        }
        if (!dx) continue;
#pragma omp parallel for if (rows > ROWS)
        for (row = 0; row < rows; row += ROWS) {
            const size_t at = row * channels + c0;
            differentiate(smaller(rows - row, ROWS), channels, width, x + at, dy + at, mean + c0, average_dy, slope,
                          scale, dx + at);
        }
    }
}

#endif
