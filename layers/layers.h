/* layers.h - what the files of this folder share. */
#ifndef FER_LAYERS_H
#define FER_LAYERS_H

#include "../fer.h"

/* The cells of output o's window that lie inside an axis of `in` cells: *from ... *to - 1; never none. */
void fer_window_clip(int o, int stride, int pad, int kernel, int in, int *from, int *to);

/* Loops over fewer elements are done before other threads have woken up: by one thread. */
enum { FER_FEW = 16384 };

enum { FER_TILE_ROWS = 4, FER_TILE_WIDTH = 16 };

/* sum_r[c] += factor_r[k*step] * panel[k*panel_step + c], k = 0, 1, ... count-1, for the four rows r, the sixteen
 * columns c: see tile.c. */
void fer_tile(int count, const real *factor0, const real *factor1, const real *factor2, const real *factor3,
              size_t step, const real *panel, size_t panel_step, real *sum0, real *sum1, real *sum2, real *sum3);

#endif
