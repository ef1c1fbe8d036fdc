/* zero_padding2d.c - ZeroPadding2D and Cropping2D, of which each is the other's gradient.
 *
 *     padding    y[n][top + h][left + w][c] = x[n][h][w][c], all else 0        dx: dy cropped
 *     cropping   y[n][h][w][c] = x[n][top + h][left + w][c]                    dx: dy padded
 *
 * h, w are the sizes of the smaller image; the larger one has top + h + bottom rows, left + w + right columns. */
#include "layers.h"

#include <string.h>

void fer_zero_padding2d_forward(size_t images, size_t h, size_t w, size_t channels, const size_t edge[4],
                                const real *x, real *y)
{
    const size_t top = edge[0], left = edge[2], high = top + h + edge[1], wide = left + w + edge[3];
#pragma omp parallel for if (images * high * wide * channels > FER_FEW)
    for (size_t n = 0; n < images; n++) {
        real *image = y + n * high * wide * channels;
        for (size_t i = 0; i < high * wide * channels; i++) image[i] = 0;
        for (size_t row = 0; row < h; row++)
            memcpy(image + ((top + row) * wide + left) * channels, x + (n * h + row) * w * channels,
                   w * channels * sizeof *x);
    }
}

void fer_cropping2d_forward(size_t images, size_t h, size_t w, size_t channels, const size_t edge[4], const real *x,
                            real *y)
{
    const size_t top = edge[0], left = edge[2], high = top + h + edge[1], wide = left + w + edge[3];
    for (size_t n = 0; n < images; n++)
        for (size_t row = 0; row < h; row++)
            memcpy(y + (n * h + row) * w * channels, x + ((n * high + top + row) * wide + left) * channels,
                   w * channels * sizeof *x);
}
