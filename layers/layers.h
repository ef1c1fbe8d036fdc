/* layers.h - what the files of this folder share. */
#ifndef FER_LAYERS_H
#define FER_LAYERS_H

#include "../fer.h"

/* The cells of output o's window that lie inside an axis of `in` cells: *from ... *to - 1; never none. */
void fer_window_clip(size_t o, size_t stride, size_t pad, size_t kernel, size_t in, size_t *from, size_t *to);

/* Loops over fewer elements are done before other threads have woken up: by one thread. */
enum { FER_FEW = 16384 };

/* A tile's columns are 64 bytes: one or two registers of most processors with SIMD. */
enum { FER_TILE_ROWS = 5, FER_TILE_WIDTH = 64 / sizeof(real) };

/* sum[r][c] += factor[r][k*step] * panel[k*panel_step + c], k = 0, 1, ... count-1, for the five rows r and for the
 * columns c of a tile: see tile.c. */
void fer_tile(size_t count, const real *const factor[], size_t step, const real *panel, size_t panel_step,
              real *const sum[]);

#endif
