/* conv2d.c - Conv2D without bias: forward, gradient of the input, gradient of the kernel.
 *
 *     y[n][oh][ow][co]        = sum over kh, kw, ci  of  x[n][ih][iw][ci] * kernel[kh][kw][ci][co]
 *     dx[n][ih][iw][ci]       = sum over kh, kw, co  of  dy[n][oh][ow][co] * kernel[kh][kw][ci][co]
 *     dkernel[kh][kw][ci][co] = sum over n, oh, ow   of  x[n][ih][iw][ci] * dy[n][oh][ow][co]
 *
 * where tap (kh, kw) joins output cell (oh, ow) to input cell (ih, iw):
 *     ih = oh*stride_h + kh - pad_top,  iw = ow*stride_w + kw - pad_left.
 * A pair of cells of which one lies outside its image is left out of the sum (zeros are not multiplied).
 *
 * Order of the sums, in `real`, starting from 0:
 *   y         kh, kw, ci ascending, ci fastest
 *   dx        kh, kw, co ascending, co fastest
 *   dkernel   the output cells in row-major order over (n, oh, ow) are cut into blocks of BLOCK = 256; a block is
 *             summed in `real`, cells ascending; the blocks' sums are added in double, blocks ascending, and rounded
 *             once at the end. So the error does not grow with the batch.
 *
 * All three passes are the same walk. A tap joins cells in pairs, and each pair is one row of a matrix product:
 *     y[out] += x[in] . K,   dx[in] += dy[out] . K transposed,   dK += x[in] transposed . dy[out]
 * with K = kernel[kh][kw]. So cells are taken in blocks; for each tap the pairs of the block are listed, and the
 * product is left to the tile (tile.c), sixteen channels of the result at a time. */
#include "layers.h"

#include <string.h>

enum { BLOCK = 256, DEPTH = 256, CI_CHUNK = 32, CO_CHUNK = 64, TAPS = 3, PART = 48, LONG = 16, WIDTH = FER_TILE_WIDTH };

/* The pairs of one tap within a block of cells: the block's cell `first + at[i]` meets the other array's cell
 * `other[i]`. */
struct pairs {
    int count;
    int at[BLOCK];
    size_t other[BLOCK];
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Pairs of output cells first ... first + cells - 1 with the input cells that they see through tap (kh, kw), row by
 * row. */
static void pairs_of_outputs(const struct fer_window *g, size_t first, int cells, int kh, int kw, struct pairs *pairs)
{
    const size_t row = first / (size_t)g->out_w; /* n*out_h + oh */
    const int shift = kw - g->pad_left;
    int i = 0, oh = (int)(row % (size_t)g->out_h), from = (int)(first % (size_t)g->out_w), ow;
    size_t n = row / (size_t)g->out_h;
    pairs->count = 0;
    while (i < cells) {
        const int to = smaller(g->out_w, from + cells - i), ih = oh * g->stride_h + kh - g->pad_top;
        const size_t in_row = (n * (size_t)g->in_h + (size_t)ih) * (size_t)g->in_w;
        const int first_ow = from * g->stride_w + shift < 0 ? (g->stride_w - 1 - shift) / g->stride_w : from;
        const int last_ow = ih < 0 || ih >= g->in_h || shift >= g->in_w ? -1 : smaller(to - 1, (g->in_w - 1 - shift) / g->stride_w);
        int *at = pairs->at + pairs->count;
        size_t *other = pairs->other + pairs->count;
        for (ow = first_ow; ow <= last_ow; ow++) {
            at[ow - first_ow] = i + ow - from;
            other[ow - first_ow] = in_row + (size_t)(ow * g->stride_w + shift);
        }
        if (last_ow >= first_ow) pairs->count += last_ow - first_ow + 1;
        i += to - from;
        from = 0;
        if (++oh == g->out_h) oh = 0, n++;
    }
}

/* Pairs of input cells first ... first + cells - 1 with the output cells that see them through tap (kh, kw), row by
 * row. */
static void pairs_of_inputs(const struct fer_window *g, size_t first, int cells, int kh, int kw, struct pairs *pairs)
{
    const size_t row = first / (size_t)g->in_w; /* n*in_h + ih */
    const int shift = kw - g->pad_left;
    int i = 0, ih = (int)(row % (size_t)g->in_h), from = (int)(first % (size_t)g->in_w), ow;
    size_t n = row / (size_t)g->in_h;
    pairs->count = 0;
    while (i < cells) {
        const int to = smaller(g->in_w, from + cells - i), h = ih + g->pad_top - kh, oh = h / g->stride_h;
        const int seen = h >= 0 && oh * g->stride_h == h && oh < g->out_h;
        const size_t out_row = (n * (size_t)g->out_h + (size_t)oh) * (size_t)g->out_w;
        ow = from > shift ? (from - shift + g->stride_w - 1) / g->stride_w : 0; /* the first whose iw is from or more */
        for (; ow < g->out_w && seen; ow++) {
            const int iw = ow * g->stride_w + shift;
            if (iw >= to) break;
            pairs->at[pairs->count] = i + iw - from;
            pairs->other[pairs->count++] = out_row + (size_t)ow;
        }
        i += to - from;
        from = 0;
        if (++ih == g->in_h) ih = 0, n++;
    }
}

/* sum[at] += the pair's row of `other`, channels k0 ... k0 + depth - 1, times the panel; four pairs at a time. The
 * last tile is filled up with repetitions of the last pair: they all compute, and store, the same. */
static void multiply_pairs(const struct pairs *pairs, const real *other, int channels, int k0, int depth,
                           const real *panel, real sum[][WIDTH])
{
    const real *f[FER_TILE_ROWS];
    real *s[FER_TILE_ROWS];
    int i, r;
    for (i = 0; i < pairs->count; i += FER_TILE_ROWS) {
        for (r = 0; r < FER_TILE_ROWS; r++) {
            const int j = smaller(i + r, pairs->count - 1);
            f[r] = other + pairs->other[j] * (size_t)channels + k0;
            s[r] = sum[pairs->at[j]];
        }
        fer_tile(depth, f[0], f[1], f[2], f[3], 1, panel, WIDTH, s[0], s[1], s[2], s[3]);
    }
}

/* `width` reals, at most sixteen. */
static void copy_row(int width, const real *from, real *to)
{
    if (width == WIDTH)
        memcpy(to, from, WIDTH * sizeof *to); /* a copy of known size is two instructions */
    else
        memcpy(to, from, (size_t)width * sizeof *to);
}

/* One row of a panel: `width` reals, then zeros. */
static void fill_row(int width, const real *from, real row[WIDTH])
{
    if (width < WIDTH) memset(row, 0, WIDTH * sizeof *row);
    copy_row(width, from, row);
}

/* panel[k][c] = matrix[k*k_step + c*c_step], zero for columns from `width` on. One of the steps is 1. */
static void fill_panel(int depth, int width, const real *matrix, size_t k_step, size_t c_step, real panel[][WIDTH])
{
    int k, c;
    for (k = 0; k < depth; k++) {
        if (c_step == 1) {
            fill_row(width, matrix + (size_t)k * k_step, panel[k]);
            continue;
        }
        for (c = 0; c < WIDTH; c++) panel[k][c] = c < width ? matrix[(size_t)k + (size_t)c * c_step] : 0;
    }
}

/* Forward and gradient of the input are one procedure: each cell of the result is the sum over taps and over the
 * k_channels channels of the paired cell of `source`, times the tap's matrix [k][c], whose element stands at k*k_step
 * + c*c_step. */
static void sum_over_taps(const struct fer_window *g, size_t cells, size_t first, int c0, int c_channels,
                          int k_channels, size_t k_step, size_t c_step,
                          void (*list)(const struct fer_window *, size_t, int, int, int, struct pairs *),
                          const real *source, const real *kernel, real *result)
{
    const int block = cells - first < BLOCK ? (int)(cells - first) : BLOCK, width = smaller(c_channels - c0, WIDTH);
    const size_t tap_size = (size_t)g->in_c * (size_t)g->out_c;
    real sum[BLOCK][WIDTH] = {{0}}, panel[DEPTH][WIDTH];
    struct pairs pairs;
    int kh, kw, k0, i;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++) {
            const real *matrix = kernel + (size_t)(kh * g->kernel_w + kw) * tap_size + (size_t)c0 * c_step;
            list(g, first, block, kh, kw, &pairs);
            for (k0 = 0; k0 < k_channels && pairs.count; k0 += DEPTH) {
                const int depth = smaller(k_channels - k0, DEPTH);
                fill_panel(depth, width, matrix + (size_t)k0 * k_step, k_step, c_step, panel);
                multiply_pairs(&pairs, source, k_channels, k0, depth, panel[0], sum);
            }
        }
    for (i = 0; i < block; i++) copy_row(width, sum[i], result + (first + (size_t)i) * (size_t)c_channels + (size_t)c0);
}

void fer_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y)
{
    const size_t cells = (size_t)g->n * (size_t)g->out_h * (size_t)g->out_w;
    const long blocks = (long)((cells + BLOCK - 1) / BLOCK), panels = (g->out_c + WIDTH - 1) / WIDTH;
    long task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < blocks * panels; task++)
        sum_over_taps(g, cells, (size_t)(task / panels) * BLOCK, (int)(task % panels) * WIDTH, g->out_c, g->in_c,
                      (size_t)g->out_c, 1, pairs_of_outputs, x, kernel, y);
}

void fer_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
    const size_t cells = (size_t)g->n * (size_t)g->in_h * (size_t)g->in_w;
    const long blocks = (long)((cells + BLOCK - 1) / BLOCK), panels = (g->in_c + WIDTH - 1) / WIDTH;
    long task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < blocks * panels; task++)
        sum_over_taps(g, cells, (size_t)(task / panels) * BLOCK, (int)(task % panels) * WIDTH, g->in_c, g->out_c, 1,
                      (size_t)g->out_c, pairs_of_inputs, dy, kernel, dx);
}

/* Cells that follow each other in both images: at, at + 1, ... meet other, other + stride, ... */
struct run {
    int at, count;
    size_t other;
};

static int list_runs(const struct pairs *pairs, int stride, struct run *run)
{
    int i, runs = 0;
    for (i = 0; i < pairs->count; i++) {
        if (i && pairs->at[i] == pairs->at[i - 1] + 1 && pairs->other[i] == pairs->other[i - 1] + (size_t)stride)
            run[runs - 1].count++;
        else {
            run[runs].at = pairs->at[i];
            run[runs].other = pairs->other[i];
            run[runs++].count = 1;
        }
    }
    return runs;
}

/* sum[ci][co] += x[other][ci] * dy[at][co] over the cells of a run. */
static void multiply_run(const struct run *run, int ci_count, int co_count, const real *x, size_t x_row, int stride,
                         const real *dy, size_t dy_row, real sum[][CO_CHUNK])
{
    const int last = ci_count - 1; /* rows beyond it repeat it and are dropped */
    int ci, co;
    x += run->other * x_row;
    dy += (size_t)run->at * dy_row;
    for (co = 0; co < co_count; co += WIDTH)
        for (ci = 0; ci < ci_count; ci += FER_TILE_ROWS)
            fer_tile(run->count, x + ci, x + smaller(ci + 1, last), x + smaller(ci + 2, last), x + smaller(ci + 3, last),
                     x_row * (size_t)stride, dy + co, dy_row, sum[ci] + co, sum[ci + 1] + co, sum[ci + 2] + co,
                     sum[ci + 3] + co);
}

/* The same for pairs that are no long runs: their rows are first copied side by side. */
static void multiply_copies(const struct pairs *pairs, int ci_count, int co_count, const real *x, size_t x_row,
                            const real *dy, size_t dy_row, real sum[][CO_CHUNK])
{
    real x_copy[PART][CI_CHUNK], dy_copy[PART][CO_CHUNK];
    int first, i, co;
    for (first = 0; first < pairs->count; first += PART) {
        const struct run all = {0, smaller(pairs->count - first, PART), 0};
        for (i = 0; i < all.count; i++) {
            const real *d = dy + (size_t)pairs->at[first + i] * dy_row;
            memcpy(x_copy[i], x + pairs->other[first + i] * x_row, (size_t)ci_count * sizeof *x);
            for (co = 0; co < co_count; co += WIDTH) fill_row(smaller(co_count - co, WIDTH), d + co, dy_copy[i] + co);
        }
        multiply_run(&all, ci_count, co_count, x_copy[0], CI_CHUNK, 1, dy_copy[0], CO_CHUNK, sum);
    }
}

/* Adds, in double, one block's share of dkernel[kh][kw][ci0 ...][co0 ...] to total. x and dy: their first channel. */
static void add_block(const struct fer_window *g, const struct pairs *pairs, int ci_count, int co_count, const real *x,
                      const real *dy, double total[][CO_CHUNK])
{
    const size_t x_row = (size_t)g->in_c, dy_row = (size_t)g->out_c;
    real sum[CI_CHUNK][CO_CHUNK];
    struct run run[BLOCK];
    const int runs = list_runs(pairs, g->stride_w, run);
    int i, ci, co;
    for (ci = 0; ci < ci_count; ci++) memset(sum[ci], 0, sizeof sum[ci]);
    if (pairs->count < LONG * runs || co_count % WIDTH)
        multiply_copies(pairs, ci_count, co_count, x, x_row, dy, dy_row, sum);
    else
        for (i = 0; i < runs; i++)
            multiply_run(&run[i], ci_count, co_count, x, x_row, g->stride_w, dy, dy_row, sum);
    for (ci = 0; ci < ci_count; ci++)
        for (co = 0; co < co_count; co++) total[ci][co] += (double)sum[ci][co];
}

/* dkernel[kh][kw0 ... kw0 + taps - 1][ci0 ...][co0 ...]. The taps take turns at each block, so that its cells come from
 * memory once. */
static void kernel_gradient(const struct fer_window *g, int kh, int kw0, int taps, int ci0, int co0, int co_count,
                            const real *x, const real *dy, real *dkernel)
{
    const size_t cells = (size_t)g->n * (size_t)g->out_h * (size_t)g->out_w;
    const int ci_count = smaller(g->in_c - ci0, CI_CHUNK);
    double total[TAPS][CI_CHUNK][CO_CHUNK];
    struct pairs pairs;
    size_t first;
    int tap, ci, co;
    memset(total, 0, sizeof total[0] * (size_t)taps);
    for (first = 0; first < cells; first += BLOCK) {
        const int block = cells - first < BLOCK ? (int)(cells - first) : BLOCK;
        const real *block_dy = dy + first * (size_t)g->out_c + co0;
        for (tap = 0; tap < taps; tap++) {
            pairs_of_outputs(g, first, block, kh, kw0 + tap, &pairs);
            if (pairs.count) add_block(g, &pairs, ci_count, co_count, x + ci0, block_dy, total[tap]);
        }
    }
    for (tap = 0; tap < taps; tap++)
        for (ci = 0; ci < ci_count; ci++) {
            const size_t row = (size_t)(kh * g->kernel_w + kw0 + tap) * (size_t)g->in_c + (size_t)(ci0 + ci);
            for (co = 0; co < co_count; co++)
                dkernel[row * (size_t)g->out_c + (size_t)(co0 + co)] = (real)total[tap][ci][co];
        }
}

void fer_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
    const int small = g->in_c <= CI_CHUNK && g->out_c <= CO_CHUNK; /* then in small pieces, so that each thread has some */
    const int co_chunk = small ? WIDTH : CO_CHUNK;
    const long ci_chunks = (g->in_c + CI_CHUNK - 1) / CI_CHUNK, co_chunks = (g->out_c + co_chunk - 1) / co_chunk;
    const long tap_groups = (g->kernel_w + TAPS - 1) / TAPS, tasks = g->kernel_h * tap_groups * ci_chunks * co_chunks;
    long task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < tasks; task++) {
        const long taps = task / co_chunks / ci_chunks; /* kh * tap_groups + which group */
        const int co0 = (int)(task % co_chunks) * co_chunk, ci0 = (int)(task / co_chunks % ci_chunks) * CI_CHUNK;
        const int kw0 = (int)(taps % tap_groups) * TAPS;
        kernel_gradient(g, (int)(taps / tap_groups), kw0, smaller(g->kernel_w - kw0, TAPS), ci0, co0,
                        smaller(g->out_c - co0, co_chunk), x, dy, dkernel);
    }
}
