/* concatenate.c - Concatenate along the channels.
 *
 *     y[row] = x[0][row], x[1][row], ... one behind the other          dx[i][row] = the part of dy[row] that x[i]
 * became
 *
 * Nothing is computed, so no bit changes. */
#include "layers.h"

#include <string.h>

void fer_concatenate_forward(size_t rows, int inputs, const int *channels, const real *const *x, real *y)
{
    size_t row, at = 0;
    int i;
    for (row = 0; row < rows; row++)
        for (i = 0; i < inputs; i++) {
            const size_t width = (size_t)channels[i];
            memcpy(y + at, x[i] + row * width, width * sizeof *y);
            at += width;
        }
}

void fer_concatenate_backward(size_t rows, int inputs, const int *channels, const real *dy, real *const *dx)
{
    size_t row, at = 0;
    int i;
    for (row = 0; row < rows; row++)
        for (i = 0; i < inputs; i++) {
            const size_t width = (size_t)channels[i];
            memcpy(dx[i] + row * width, dy + at, width * sizeof *dy);
            at += width;
        }
}
