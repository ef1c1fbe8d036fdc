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
 * with K = kernel[kh][kw]. So cells are taken in blocks; for each tap (forward, for as many taps of a row as a cell
 * sees) the pairs of the block are listed, as runs of cells that follow each other, and the product is left to the
 * tile (tile.c), some channels of the result at a time. */
#include "../layers.h"

#include <string.h>

enum {
    WIDTH = FER_TILE_WIDTH,
    BLOCK = 256, /* cells; of the kernel's gradient, see above */
    DEPTH = 256, /* rows of a panel */
    CI_CHUNK = 64,
    CO_CHUNK = 2 * WIDTH,
    TAPS = 3,  /* of a kernel's gradient, what is summed in one go */
    PART = 64, /* cells of a block that are taken together there */
    LONG = 16  /* pairs: such a run is not copied */
};

/* The pairs of one tap within a block of cells, cell after cell: of each run, the block's cell `first + at + i*at_step`
 * meets the other array's cell `other + i*other_step`, 0 <= i < count. */
struct run {
    int at, count;
    size_t other;
};

struct runs {
    int pairs, count, at_step, other_step;
    struct run run[BLOCK];
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Adds `count` pairs; where they carry on the last run, they become a part of it. */
static void add_run(struct runs *runs, int at, size_t other, int count)
{
    struct run *next = &runs->run[runs->count], *last = runs->count ? next - 1 : NULL;
    if (count <= 0) return;
    runs->pairs += count;
    if (last && at == last->at + last->count * runs->at_step &&
        other == last->other + (size_t)(last->count * runs->other_step)) {
        last->count += count;
        return;
    }
    next->at = at;
    next->other = other;
    next->count = count;
    runs->count++;
}

/* The first of the cells 0, 1, ... of a strided axis that starts at or behind `position`. */
static int first_from(int position, int stride)
{
    return position > 0 ? (position + stride - 1) / stride : 0;
}

/* The output cells first ... first + cells - 1 in columns from ... to - 1, with the input cells that they see through
 * tap (kh, kw), row by row. */
static void list_outputs(const struct fer_window *g, size_t first, int cells, int kh, int kw, int from, int to,
                         struct runs *runs)
{
    const size_t row = first / (size_t)g->out_w; /* n*out_h + oh */
    int i = 0, oh = (int)(row % (size_t)g->out_h), ow = (int)(first % (size_t)g->out_w);
    size_t n = row / (size_t)g->out_h;
    runs->pairs = runs->count = 0;
    runs->at_step = 1;
    runs->other_step = g->stride_w;
    while (i < cells) {
        const int row_end = smaller(g->out_w, ow + cells - i), ih = oh * g->stride_h + kh - g->pad_top;
        const int begin = larger(ow, from), end = smaller(row_end, to), iw = begin * g->stride_w + kw - g->pad_left;
        const size_t in_row = (n * (size_t)g->in_h + (size_t)ih) * (size_t)g->in_w;
        if (ih >= 0 && ih < g->in_h) add_run(runs, i + begin - ow, in_row + (size_t)iw, end - begin);
        i += row_end - ow;
        ow = 0;
        if (++oh == g->out_h) oh = 0, n++;
    }
}

/* ... those that see an input cell through tap (kh, kw). */
static void list_tap(const struct fer_window *g, size_t first, int cells, int kh, int kw, struct runs *runs)
{
    const int from = first_from(g->pad_left - kw, g->stride_w);
    const int to = smaller(g->out_w, first_from(g->in_w + g->pad_left - kw, g->stride_w));
    list_outputs(g, first, cells, kh, kw, from, to, runs);
}

/* ... those of whose taps in row kh exactly kw ... end - 1 lie inside the image. These taps' input cells stand one
 * behind the other in memory, as do their rows of the kernel: to such a cell they are one tap of many channels. */
static void list_taps(const struct fer_window *g, size_t first, int cells, int kh, int kw, int end, struct runs *runs)
{
    int from = first_from(g->pad_left - kw, g->stride_w);
    int to = smaller(g->out_w, first_from(g->in_w + g->pad_left - end + 1, g->stride_w));
    if (kw > 0) to = smaller(to, first_from(g->pad_left - kw + 1, g->stride_w));
    if (end < g->kernel_w) from = larger(from, first_from(g->in_w + g->pad_left - end, g->stride_w));
    list_outputs(g, first, cells, kh, kw, from, to, runs);
}

/* The input cells first ... first + cells - 1 with the output cells that see them through tap (kh, kw), row by row. No
 * other taps stand behind it: as kw grows, ow falls. */
static void list_inputs(const struct fer_window *g, size_t first, int cells, int kh, int kw, int end_kw,
                        struct runs *runs)
{
    const size_t row = first / (size_t)g->in_w; /* n*in_h + ih */
    const int shift = kw - g->pad_left, stride = g->stride_w;
    int i = 0, ih = (int)(row % (size_t)g->in_h), iw = (int)(first % (size_t)g->in_w);
    size_t n = row / (size_t)g->in_h;
    runs->pairs = runs->count = 0;
    runs->at_step = stride;
    runs->other_step = 1;
    while (i < cells && end_kw == kw + 1) {
        const int row_end = smaller(g->in_w, iw + cells - i), h = ih + g->pad_top - kh, oh = h / g->stride_h;
        const int begin = first_from(iw - shift, stride), end = smaller(g->out_w, first_from(row_end - shift, stride));
        const size_t out_row = (n * (size_t)g->out_h + (size_t)oh) * (size_t)g->out_w;
        if (h >= 0 && oh * g->stride_h == h && oh < g->out_h)
            add_run(runs, i + begin * stride + shift - iw, out_row + (size_t)begin, end - begin);
        i += row_end - iw;
        iw = 0;
        if (++ih == g->in_h) ih = 0, n++;
    }
}

/* `width` reals, at most WIDTH. */
static void copy_row(int width, const real *from, real *to)
{
    if (width == WIDTH)
        memcpy(to, from, WIDTH * sizeof *to); /* a copy of known size is two instructions */
    else
        memcpy(to, from, (size_t)width * sizeof *to);
}

/* `width` reals, then zeros. */
static void fill_row(int width, const real *from, real row[WIDTH])
{
    if (width < WIDTH) memset(row, 0, WIDTH * sizeof *row);
    copy_row(width, from, row);
}

/* ---- Forward, and the gradient of the input ---- */

/* sum[at] += the pair's row of `other`, `depth` channels, times the panel; five pairs at a time. */
static void multiply_pairs(const struct runs *runs, const real *other, size_t channels, int depth, const real *panel,
                           real sum[][WIDTH])
{
    const real *f[FER_TILE_ROWS] = {NULL};
    real *s[FER_TILE_ROWS] = {NULL};
    int i, k, left = runs->pairs, r = 0;
    for (i = 0; i < runs->count; i++)
        for (k = 0; k < runs->run[i].count; k++) {
            f[r] = other + (runs->run[i].other + (size_t)(k * runs->other_step)) * channels;
            s[r] = sum[runs->run[i].at + k * runs->at_step];
            if (--left == 0) /* the last tile is filled up with repetitions of the last pair: all store the same */
                for (; r < FER_TILE_ROWS - 1; r++) f[r + 1] = f[r], s[r + 1] = s[r];
            if (++r < FER_TILE_ROWS) continue;
            fer_tile(depth, f, 1, panel, WIDTH, s);
            r = 0;
        }
}

/* panel[k][c] = matrix[k*k_step + c*c_step], zero for columns from `width` on. One of the steps is 1. */
static void fill_panel(int depth, int width, const real *matrix, size_t k_step, size_t c_step, real panel[][WIDTH])
{
    int k, c;
    if (c_step == 1)
        for (k = 0; k < depth; k++) fill_row(width, matrix + (size_t)k * k_step, panel[k]);
    else
        for (c = 0; c < WIDTH; c++)
            for (k = 0; k < depth; k++) panel[k][c] = c < width ? matrix[(size_t)k + (size_t)c * c_step] : 0;
}

/* Forward and gradient of the input are one procedure: each cell of the result is the sum over taps and over the
 * k_channels channels of the paired cell of `source`, times the tap's matrix [k][c], whose element stands at k*k_step
 * + c*c_step. Taps kw ... end - 1 of a row that `list` finds pairs for are taken as one, of as many channels. */
static void sum_over_taps(const struct fer_window *g, size_t cells, size_t first, int c0, int c_channels,
                          int k_channels, size_t k_step, size_t c_step,
                          void (*list)(const struct fer_window *, size_t, int, int, int, int, struct runs *),
                          const real *source, const real *kernel, real *result)
{
    const int block = cells - first < BLOCK ? (int)(cells - first) : BLOCK, width = smaller(c_channels - c0, WIDTH);
    const size_t tap_size = (size_t)g->in_c * (size_t)g->out_c;
    real sum[BLOCK][WIDTH] = {{0}}, panel[DEPTH][WIDTH];
    struct runs runs;
    int kh, kw, end, k0, i;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++)
            for (end = kw + 1; end <= g->kernel_w; end++) {
                const real *matrix = kernel + (size_t)(kh * g->kernel_w + kw) * tap_size + (size_t)c0 * c_step;
                const int channels = (end - kw) * k_channels;
                list(g, first, block, kh, kw, end, &runs);
                for (k0 = 0; k0 < channels && runs.pairs; k0 += DEPTH) {
                    const int depth = smaller(channels - k0, DEPTH);
                    fill_panel(depth, width, matrix + (size_t)k0 * k_step, k_step, c_step, panel);
                    multiply_pairs(&runs, source + k0, (size_t)k_channels, depth, panel[0], sum);
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
                      (size_t)g->out_c, 1, list_taps, x, kernel, y);
}

void fer_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
    const size_t cells = (size_t)g->n * (size_t)g->in_h * (size_t)g->in_w;
    const long blocks = (long)((cells + BLOCK - 1) / BLOCK), panels = (g->in_c + WIDTH - 1) / WIDTH;
    long task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < blocks * panels; task++)
        sum_over_taps(g, cells, (size_t)(task / panels) * BLOCK, (int)(task % panels) * WIDTH, g->in_c, g->out_c, 1,
                      (size_t)g->out_c, list_inputs, dy, kernel, dx);
}

/* ---- The gradient of the kernel ---- */

/* sum[ci][co] += x[i*x_step + ci] * dy[i][co], i = 0, 1, ... count-1. */
static void multiply_run(int count, int ci_count, int co_count, const real *x, size_t x_step, real dy[][CO_CHUNK],
                         real sum[][CO_CHUNK])
{
    const real *f[FER_TILE_ROWS];
    real *s[FER_TILE_ROWS];
    int ci, co, r;
    for (co = 0; co < co_count; co += WIDTH)
        for (ci = 0; ci < ci_count; ci += FER_TILE_ROWS) {
            for (r = 0; r < FER_TILE_ROWS; r++) { /* the last tile is filled up with repetitions of the last row */
                const int row = smaller(ci + r, ci_count - 1);
                f[r] = x + row;
                s[r] = sum[row] + co;
            }
            fer_tile(count, f, x_step, dy[0] + co, CO_CHUNK, s);
        }
}

/* The same for pairs in many short runs: their rows are first copied side by side. */
static void multiply_copies(const struct runs *runs, int ci_count, int co_count, const real *x, size_t x_row,
                            real dy[][CO_CHUNK], real sum[][CO_CHUNK])
{
    real x_copy[PART][CI_CHUNK], dy_copy[PART][CO_CHUNK];
    int i, k, copied = 0;
    for (i = 0; i < runs->count; i++)
        for (k = 0; k < runs->run[i].count; k++, copied++) {
            memcpy(x_copy[copied], x + (runs->run[i].other + (size_t)(k * runs->other_step)) * x_row,
                   (size_t)ci_count * sizeof *x);
            memcpy(dy_copy[copied], dy[runs->run[i].at + k], sizeof *dy_copy);
        }
    multiply_run(copied, ci_count, co_count, x_copy[0], CI_CHUNK, dy_copy, sum);
}

/* Adds one tap's pairs of some cells to its sums. x: its channel ci0; dy: the cells' channels from co0 on. */
static void add_pairs(const struct fer_window *g, const struct runs *runs, int ci_count, int co_count, const real *x,
                      real dy[][CO_CHUNK], real sum[][CO_CHUNK])
{
    const size_t x_row = (size_t)g->in_c;
    int i;
    if (runs->pairs < LONG * runs->count)
        multiply_copies(runs, ci_count, co_count, x, x_row, dy, sum);
    else
        for (i = 0; i < runs->count; i++)
            multiply_run(runs->run[i].count, ci_count, co_count, x + runs->run[i].other * x_row,
                         x_row * (size_t)g->stride_w, dy + runs->run[i].at, sum);
}

/* One block's sums for the taps kw0 ... kw0 + taps - 1 of a row of the kernel. The block is taken in parts that the
 * first cache holds for all taps, a part's dy copied together. */
static void sum_block(const struct fer_window *g, size_t first, size_t end, int kh, int kw0, int taps, int ci_count,
                      int co_count, const real *x, const real *dy, real sum[][CI_CHUNK][CO_CHUNK])
{
    real part_dy[PART][CO_CHUNK] = {{0}};
    struct runs runs;
    int tap, i;
    memset(sum, 0, sizeof *sum * (size_t)taps);
    for (; first < end; first += PART) {
        const int part = end - first < PART ? (int)(end - first) : PART;
        const real *dy_row = dy + first * (size_t)g->out_c;
        for (i = 0; i < part; i++, dy_row += g->out_c) {
            if (co_count == CO_CHUNK)
                memcpy(part_dy[i], dy_row, sizeof part_dy[i]); /* of known size: a few instructions */
            else
                memcpy(part_dy[i], dy_row, (size_t)co_count * sizeof *dy);
        }
        for (tap = 0; tap < taps; tap++) {
            list_tap(g, first, part, kh, kw0 + tap, &runs);
            if (runs.pairs) add_pairs(g, &runs, ci_count, co_count, x, part_dy, sum[tap]);
        }
    }
}

/* dkernel[kh][kw0 ... kw0 + taps - 1][ci0 ...][co0 ...] */
static void kernel_gradient(const struct fer_window *g, int kh, int kw0, int taps, int ci0, int co0, int co_count,
                            const real *x, const real *dy, real *dkernel)
{
    const size_t cells = (size_t)g->n * (size_t)g->out_h * (size_t)g->out_w;
    const int ci_count = smaller(g->in_c - ci0, CI_CHUNK);
    double total[TAPS][CI_CHUNK][CO_CHUNK];
    real sum[TAPS][CI_CHUNK][CO_CHUNK];
    size_t first;
    int tap, ci, co;
    memset(total, 0, sizeof *total * (size_t)taps);
    for (first = 0; first < cells; first += BLOCK) {
        const size_t end = cells - first < BLOCK ? cells : first + BLOCK;
        sum_block(g, first, end, kh, kw0, taps, ci_count, co_count, x + ci0, dy + co0, sum);
        for (tap = 0; tap < taps; tap++)
            for (ci = 0; ci < ci_count; ci++)
                for (co = 0; co < co_count; co++) total[tap][ci][co] += (double)sum[tap][ci][co];
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
    const int small =
        g->in_c <= CI_CHUNK && g->out_c <= CO_CHUNK; /* then in small pieces, so that each thread has some */
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
