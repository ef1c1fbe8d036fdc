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
 *
 * The loop is compiled as the whole program is and, for x86-64 and where the compiler can, once more for processors
 * that have AVX2 and for those that have AVX-512; the processor that it runs on decides. This is not C99, so
 * -DFER_PURE_C99 does without. (So does Windows, where gcc does not align the stack for AVX.) */
#include "tile.h"

#if defined __x86_64__ && (defined __ELF__ || defined __APPLE__) && defined __GNUC__ && !defined __TINYC__ && \
    !defined FER_PURE_C99 && !defined FER_PLAIN
#define VARIANTS
#define INLINE inline __attribute__((always_inline))
#else
#define INLINE inline
#endif

/* For gcc: it writes out loops of up to sixteen steps one by one before it looks for SIMD, unless it is told to stop at
 * four; AVX-512 can fuse products with sums, which gcc does unless the standard is C99; and a loop that it turns into
 * memcpy goes through memory. clang finds the SIMD by itself, but not when told so, and obeys the pragma of fer.h. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("fp-contract=off", "no-tree-loop-distribute-patterns")
#define SIDE_BY_SIDE _Pragma("GCC unroll 4")
#else
#define SIDE_BY_SIDE
#endif

enum { WIDTH = FER_TILE_WIDTH };

static INLINE void tile(const struct fer_tile *t)
{
    const real *f0 = t->factor[0], *f1 = t->factor[1], *f2 = t->factor[2], *f3 = t->factor[3], *f4 = t->factor[4];
    const real *panel = t->panel;
    const size_t step = t->step, panel_step = t->panel_step;
    real a0[WIDTH], a1[WIDTH], a2[WIDTH], a3[WIDTH], a4[WIDTH];
    size_t left = t->count; /* not 0 */
    int c;
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a0[c] = t->sum[0][c];
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a1[c] = t->sum[1][c];
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a2[c] = t->sum[2][c];
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a3[c] = t->sum[3][c];
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a4[c] = t->sum[4][c];
    do {
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a0[c] += *f0 * panel[c];
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a1[c] += *f1 * panel[c];
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a2[c] += *f2 * panel[c];
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a3[c] += *f3 * panel[c];
        SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) a4[c] += *f4 * panel[c];
        f0 += step, f1 += step, f2 += step, f3 += step, f4 += step;
        panel += panel_step;
    } while (--left);
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) t->sum[0][c] = a0[c];
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) t->sum[1][c] = a1[c];
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) t->sum[2][c] = a2[c];
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) t->sum[3][c] = a3[c];
    SIDE_BY_SIDE for (c = 0; c < WIDTH; c++) t->sum[4][c] = a4[c];
}

static void as_built(const struct fer_tile *t)
{
    tile(t);
}

#ifdef VARIANTS
__attribute__((target("avx2"))) static void avx2(const struct fer_tile *t)
{
    tile(t);
}

__attribute__((target("avx512f"))) static void avx512(const struct fer_tile *t)
{
    tile(t);
}
#endif

const char *const fer_tile_names[FER_TILE_VARIANTS] = {"as built", "for AVX2", "for AVX-512"};

static int most = FER_TILE_VARIANTS - 1;
void fer_tile_limit(int variant)
{
    most = variant;
}

int fer_tile_variant(void)
{
#ifdef VARIANTS
    if (most >= 2 && __builtin_cpu_supports("avx512f")) return 2;
    if (most >= 1 && __builtin_cpu_supports("avx2")) return 1;
#endif
    return 0;
}

fer_tile_loop *fer_tile(void)
{
    static fer_tile_loop *const variant[FER_TILE_VARIANTS] = {as_built,
#ifdef VARIANTS
                                                              avx2, avx512
#endif
    };
    return variant[fer_tile_variant()];
}
