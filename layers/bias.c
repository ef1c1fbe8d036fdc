/* bias.c - the bias of a layer, of y[row][c] with bias[c], in place; a row is a cell of an image, or an image.
 *
 *     y[row][c] += bias[c]
 *     dbias[c]   = sum over row of dy[row][c]
 *
 * The bias comes last: what it is added to has been summed up. Order of the sum: rows ascending, in double, rounded
 * once. */
#include "layers.h"

void fer_bias_forward(size_t rows, size_t channels, const real *bias, real *y)
{
#pragma omp parallel for if (rows * channels > FER_FEW)
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < channels; c++) y[row * channels + c] += bias[c];
}

void fer_bias_backward(size_t rows, size_t channels, const real *dy, real *dbias)
{
#pragma omp parallel for if (rows * channels > FER_FEW)
    for (size_t first = 0; first < channels; first += FER_SLICE) {
        const size_t end = slice_end(first, channels);
        double sum[FER_SLICE] = {0};
        /* y[row][c] += bias[c], so by bias[c]: */
        for (size_t row = 0; row < rows; row++)
            for (size_t c = first; c < end; c++) sum[c - first] += dy[row * channels + c];
        for (size_t c = first; c < end; c++) dbias[c] = (real)sum[c - first];
    }
}
