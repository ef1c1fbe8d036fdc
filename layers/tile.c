/* tile.c - the innermost loop of every convolution: a tile of 4 x 16 sums, kept in registers.
 *
 *     sum_r[c] = (...((sum_r[c] + f_r[0]*panel[0][c]) + f_r[1]*panel[1][c]) + ...) + f_r[count-1]*panel[count-1][c]
 *
 * What makes it fast: sixty-four sums stay in registers while k runs, so that one step of k loads one row of the panel
 * and four factors and does sixty-four multiplications and additions with them. What keeps the bits: a sum never meets
 * another sum. The compiler may put the columns c side by side into SIMD registers of any width; each column is still
 * the chain written above, each product rounded, each addition rounded, k ascending. The four rows are arrays of names
 * of their own because compilers keep those in registers; an array of arrays goes to memory. */
#include "layers.h"

void fer_tile(int count, const real *factor0, const real *factor1, const real *factor2, const real *factor3,
              size_t step, const real *panel, size_t panel_step, real *sum0, real *sum1, real *sum2, real *sum3)
{
    real a0[FER_TILE_WIDTH], a1[FER_TILE_WIDTH], a2[FER_TILE_WIDTH], a3[FER_TILE_WIDTH];
    int k, c;
    for (c = 0; c < FER_TILE_WIDTH; c++) {
        a0[c] = sum0[c];
        a1[c] = sum1[c];
        a2[c] = sum2[c];
        a3[c] = sum3[c];
    }
    for (k = 0; k < count; k++) {
        const real f0 = factor0[(size_t)k * step], f1 = factor1[(size_t)k * step];
        const real f2 = factor2[(size_t)k * step], f3 = factor3[(size_t)k * step];
        const real *row = panel + (size_t)k * panel_step;
        for (c = 0; c < FER_TILE_WIDTH; c++) {
            a0[c] += f0 * row[c];
            a1[c] += f1 * row[c];
            a2[c] += f2 * row[c];
            a3[c] += f3 * row[c];
        }
    }
    for (c = 0; c < FER_TILE_WIDTH; c++) {
        sum0[c] = a0[c];
        sum1[c] = a1[c];
        sum2[c] = a2[c];
        sum3[c] = a3[c];
    }
}
