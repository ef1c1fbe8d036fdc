/* concatenate.c - Concatenate along the channels.
 *
 *     y[row]     = x[0][row], x[1][row], ... side by side
 *     dx[i][row] = that part of dy[row] which x[i][row] became
 *
 * Nothing is computed, so no bit changes. */
#include "layers.h"

#include <string.h>

void fer_concatenate_forward(size_t rows, int inputs, const size_t *channels, const real *const *x, real *y)
{
    size_t row, at = 0;
    int i;
    for (row = 0; row < rows; row++)
        for (i = 0; i < inputs; i++) {
            memcpy(y + at, x[i] + row * channels[i], channels[i] * sizeof *y);
            at += channels[i];
        }
}

void fer_concatenate_backward(size_t rows, int inputs, const size_t *channels, const real *dy, real *const *dx)
{
    size_t row, at = 0;
    int i;
    for (row = 0; row < rows; row++)
        for (i = 0; i < inputs; i++) {
            memcpy(dx[i] + row * channels[i], dy + at, channels[i] * sizeof *dy);
            at += channels[i];
        }
}
