/* tile.c - the innermost loop of every convolution: a tile of sums, five rows of sixteen (float64: of eight), kept in
 * registers.
 *
 *     sum[r][c] = (...((sum[r][c] + f[r][0]*panel[0][c]) + f[r][1]*panel[1][c]) + ...)
 *                 + f[r][count-1]*panel[count-1][c]
 *
 * What makes it fast: the sums stay in registers while k runs, so that one step of k loads one row of the panel and
 * five factors and does eighty multiplications and additions with them. What keeps the bits: a sum never meets another
 * sum. The compiler may put the columns c side by side into SIMD registers of any width; each column is still the
 * chain written above, each product rounded, each addition rounded, k ascending.
 *
 * The rows are arrays of names of their own because compilers keep those in registers; an array of arrays goes to
 * memory. Five rows of two AVX registers, a row of the panel, a factor and a product are what sixteen registers hold.
 * SIDE_BY_SIDE is for gcc, which writes out loops of up to sixteen steps one by one before it looks for SIMD, unless
 * it is told to stop at four. clang finds the SIMD by itself, but not when told so. */
#include "tile.h"

#include <string.h>

#if defined __GNUC__ && !defined __clang__
#define SIDE_BY_SIDE _Pragma("GCC unroll 4")
#else
#define SIDE_BY_SIDE
#endif

enum { WIDTH = FER_TILE_WIDTH };

void fer_tile(size_t count, const real *const factor[], size_t step, const real *panel, size_t panel_step,
              real *const sum[])
{
    const real *f0 = factor[0], *f1 = factor[1], *f2 = factor[2], *f3 = factor[3], *f4 = factor[4];
    real a0[WIDTH], a1[WIDTH], a2[WIDTH], a3[WIDTH], a4[WIDTH];
    size_t k;
    int c;
    memcpy(a0, sum[0], sizeof a0);
    memcpy(a1, sum[1], sizeof a1);
    memcpy(a2, sum[2], sizeof a2);
    memcpy(a3, sum[3], sizeof a3);
    memcpy(a4, sum[4], sizeof a4);
    for (k = 0; k < count; k++) {
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a0[c] += *f0 * panel[c];
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a1[c] += *f1 * panel[c];
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a2[c] += *f2 * panel[c];
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a3[c] += *f3 * panel[c];
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a4[c] += *f4 * panel[c];
        f0 += step, f1 += step, f2 += step, f3 += step, f4 += step;
        panel += panel_step;
    }
    memcpy(sum[0], a0, sizeof a0);
    memcpy(sum[1], a1, sizeof a1);
    memcpy(sum[2], a2, sizeof a2);
    memcpy(sum[3], a3, sizeof a3);
    memcpy(sum[4], a4, sizeof a4);
}
