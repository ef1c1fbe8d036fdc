/* tile.h - the innermost loop of the fast convolutions. */
#ifndef FER_TILE_H
#define FER_TILE_H

#include "../layers.h"

/* A tile's columns are 64 bytes: one or two registers of most processors with SIMD. */
enum { FER_TILE_ROWS = 5, FER_TILE_WIDTH = 64 / sizeof(real) };

/* sum[r][c] += factor[r][k*step] * panel[k*panel_step + c], k = 0, 1, ... count-1, for the five rows r and for the
 * columns c of a tile: see tile.c. */
void fer_tile(size_t count, const real *const factor[], size_t step, const real *panel, size_t panel_step,
              real *const sum[]);

#endif
