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
 * product is left to the tile (tile.c), for which sixteen channels at a time are copied into a contiguous panel. */
#include "layers.h"

#include <string.h>

enum { BLOCK = 256, DEPTH = 256, CI_CHUNK = 32, CO_CHUNK = 64, WIDTH = FER_TILE_WIDTH };

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
        for (ow = from; ow < to && ih >= 0 && ih < g->in_h; ow++) {
            const int iw = ow * g->stride_w + shift;
            if (iw < 0 || iw >= g->in_w) continue;
            pairs->at[pairs->count] = i + ow - from;
            pairs->other[pairs->count++] = in_row + (size_t)iw;
        }
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
        fer_tile(depth, f[0], f[1], f[2], f[3], 1, panel, s[0], s[1], s[2], s[3]);
    }
}

/* One row of a panel: `width` reals, then zeros. */
static void fill_row(int width, const real *from, real row[WIDTH])
{
    if (width == WIDTH) { /* a copy of known size is two instructions */
        memcpy(row, from, WIDTH * sizeof *row);
        return;
    }
    memset(row, 0, WIDTH * sizeof *row);
    memcpy(row, from, (size_t)width * sizeof *row);
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
    int kh, kw, k0, i, c;
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
    for (i = 0; i < block; i++)
        for (c = 0; c < width; c++) result[(first + (size_t)i) * (size_t)c_channels + (size_t)(c0 + c)] = sum[i][c];
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

/* Adds, in double, one block's share of dkernel[kh][kw][ci0 ...][co0 ...] to total: at most CI_CHUNK input and
 * CO_CHUNK output channels. x_rows and dy_panel are the pairs' rows, copied side by side. */
static void add_block(const struct fer_window *g, const struct pairs *pairs, size_t first, int ci0, int ci_count,
                      int co0, int co_count, const real *x, const real *dy, double total[][CO_CHUNK])
{
    real x_rows[BLOCK][CI_CHUNK], dy_panel[BLOCK][WIDTH], sum[FER_TILE_ROWS][WIDTH];
    int i, ci, co, r, c;
    for (i = 0; i < pairs->count; i++)
        memcpy(x_rows[i], x + pairs->other[i] * (size_t)g->in_c + ci0, (size_t)ci_count * sizeof *x);
    for (co = 0; co < co_count; co += WIDTH) {
        const int width = smaller(co_count - co, WIDTH);
        for (i = 0; i < pairs->count; i++)
            fill_row(width, dy + (first + (size_t)pairs->at[i]) * (size_t)g->out_c + (size_t)(co0 + co), dy_panel[i]);
        for (ci = 0; ci < ci_count; ci += FER_TILE_ROWS) {
            const int last = ci_count - 1; /* rows beyond it repeat it and are dropped */
            for (r = 0; r < FER_TILE_ROWS; r++)
                for (c = 0; c < WIDTH; c++) sum[r][c] = 0;
            fer_tile(pairs->count, &x_rows[0][ci], &x_rows[0][smaller(ci + 1, last)], &x_rows[0][smaller(ci + 2, last)],
                     &x_rows[0][smaller(ci + 3, last)], CI_CHUNK, dy_panel[0], sum[0], sum[1], sum[2], sum[3]);
            for (r = 0; r < FER_TILE_ROWS && ci + r < ci_count; r++)
                for (c = 0; c < width; c++) total[ci + r][co + c] += (double)sum[r][c];
        }
    }
}

void fer_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
    const size_t cells = (size_t)g->n * (size_t)g->out_h * (size_t)g->out_w;
    const long ci_chunks = (g->in_c + CI_CHUNK - 1) / CI_CHUNK, co_chunks = (g->out_c + CO_CHUNK - 1) / CO_CHUNK;
    const long tasks = (long)g->kernel_h * g->kernel_w * ci_chunks * co_chunks;
    long task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < tasks; task++) {
        const int co0 = (int)(task % co_chunks) * CO_CHUNK, ci0 = (int)(task / co_chunks % ci_chunks) * CI_CHUNK;
        const int tap = (int)(task / co_chunks / ci_chunks);
        const int ci_count = smaller(g->in_c - ci0, CI_CHUNK), co_count = smaller(g->out_c - co0, CO_CHUNK);
        double total[CI_CHUNK][CO_CHUNK] = {{0}};
        struct pairs pairs;
        size_t first;
        int ci, co;
        for (first = 0; first < cells; first += BLOCK) {
            const int block = cells - first < BLOCK ? (int)(cells - first) : BLOCK;
            pairs_of_outputs(g, first, block, tap / g->kernel_w, tap % g->kernel_w, &pairs);
            if (pairs.count) add_block(g, &pairs, first, ci0, ci_count, co0, co_count, x, dy, total);
        }
        for (ci = 0; ci < ci_count; ci++)
            for (co = 0; co < co_count; co++)
                dkernel[((size_t)tap * (size_t)g->in_c + (size_t)(ci0 + ci)) * (size_t)g->out_c + (size_t)(co0 + co)] =
                    (real)total[ci][co];
    }
}
