/* moving_statistics.c - what BatchNormalization remembers of the batches, and takes for mean and variance in inference:
 *
 *     moving = moving * momentum + batch * (1 - momentum)
 *
 * A batch's variance is taken as it is (Keras 3), or as an unbiased estimate, times rows / (rows - 1) (TensorFlow's
 * fused kernel). Computed in double and rounded once. */
#include "layers.h"

void fer_moving_statistics(size_t rows, size_t channels, const real *mean, const real *variance, double momentum,
                           int unbiased, real *moving_mean, real *moving_variance)
{
    const double bessel = unbiased && rows > 1 ? (double)rows / (double)(rows - 1) : 1;
    for (size_t c = 0; c < channels; c++) {
        moving_mean[c] = (real)(moving_mean[c] * momentum + mean[c] * (1 - momentum));
        moving_variance[c] = (real)(moving_variance[c] * momentum + variance[c] * bessel * (1 - momentum));
    }
}
