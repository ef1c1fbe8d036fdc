/* tile.h - the innermost loop of the fast convolutions. */
#ifndef FER_TILE_H
#define FER_TILE_H

#include "../layers.h"

/* A tile's columns are 64 bytes: one or two registers of most processors with SIMD. */
enum { FER_TILE_ROWS = 5, FER_TILE_WIDTH = 64 / sizeof(real) };

/* sum[r][c] += factor[r][k*step] * panel[k*panel_step + c], k = 0, 1, ... count-1, for the five rows r and for the
 * columns c of a tile: see tile.c. count is not 0. */
struct fer_tile {
    size_t count, step, panel_step;
    const real *panel, *factor[FER_TILE_ROWS];
    real *sum[FER_TILE_ROWS];
};
typedef void fer_tile_loop(const struct fer_tile *t); /* fer_tile() is the one for this processor */
fer_tile_loop *fer_tile(void);

/* The loop as the program was built, for AVX2, and for AVX-512: the last that this processor has is taken, but none
 * behind the limit (to be set before there are threads). Returns its number. */
enum { FER_TILE_VARIANTS = 3 };
extern const char *const fer_tile_names[FER_TILE_VARIANTS];
int fer_tile_variant(void);
void fer_tile_limit(int variant);

#endif
