/* concatenate.c - Concatenate along the channels, of x[0][row][c], x[1][row][c], ... to y[row][c].
 *
 *     y[row]     = x[0][row], x[1][row], ... side by side
 *     dx[i][row] = that part of dy[row] which x[i][row] became
 *
 * Nothing is computed, so no bit changes. */
#include "layers.h"

void fer_concatenate_forward(size_t rows, int inputs, const size_t *channels, const real *const *x, real *y)
{
    for (size_t row = 0; row < rows; row++)
        for (int i = 0; i < inputs; i++)
            for (size_t c = 0; c < channels[i]; c++) *y++ = x[i][row * channels[i] + c];
}

void fer_concatenate_backward(size_t rows, int inputs, const size_t *channels, const real *dy, real *const *dx)
{
    for (size_t row = 0; row < rows; row++)
        for (int i = 0; i < inputs; i++)
            for (size_t c = 0; c < channels[i]; c++, dy++)
                if (dx[i]) dx[i][row * channels[i] + c] = *dy;
}
