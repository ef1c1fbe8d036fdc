/* conv2d.c - Conv2D; layers/conv2d.c has the formulas and the order of the sums.
 *
 * All three passes are the same walk. A tap joins cells in pairs, and each pair is one row of a matrix product:
 *     y[out] += x[in] . K,   dx[in] += dy[out] . K transposed,   dK += x[in] transposed . dy[out]
 * with K = kernel[kh][kw]. So cells are taken in blocks; for each tap (forward, for as many taps of a row as a cell
 * sees) the pairs of the block are listed, as runs of cells that follow each other, and the product is left to the
 * tile (tile.c), some channels of the result at a time. */
#include "tile.h"

#ifndef FER_PLAIN /* else layers/conv2d.c defines these functions */

#include <string.h>

enum {
    WIDTH = FER_TILE_WIDTH,
    BLOCK = 256, /* cells; of the kernel's gradient, as layers/conv2d.c has it */
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
    size_t at, other, count;
};

struct runs {
    size_t pairs, count, at_step, other_step;
    struct run run[BLOCK];
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Adds `count` pairs; where they carry on the last run, they become a part of it. */
static void add_run(struct runs *runs, size_t at, size_t other, size_t count)
{
    struct run *next = &runs->run[runs->count], *last = runs->count ? next - 1 : NULL;
    runs->pairs += count;
    if (last && at == last->at + last->count * runs->at_step && other == last->other + last->count * runs->other_step) {
        last->count += count;
        return;
    }
    next->at = at;
    next->other = other;
    next->count = count;
    runs->count++;
}

/* The first of the cells 0, 1, ... of a strided axis that starts at or behind `position`, which may be before 0: it has
 * wrapped around then, and is huge. */
static size_t first_from(size_t position, size_t stride)
{
    return position < (size_t)-1 / 2 ? (position + stride - 1) / stride : 0;
}

/* The output cells first ... first + cells - 1 in columns from ... to - 1, with the input cells that they see through
 * tap (kh, kw), row by row. */
static void list_outputs(const struct fer_window *g, size_t first, size_t cells, size_t kh, size_t kw, size_t from,
                         size_t to, struct runs *runs)
{
    const size_t row = first / g->out_w; /* n*out_h + oh */
    size_t i = 0, n = row / g->out_h, oh = row % g->out_h, ow = first % g->out_w;
    runs->pairs = runs->count = 0;
    runs->at_step = 1;
    runs->other_step = g->stride_w;
    while (i < cells) {
        const size_t row_end = smaller(g->out_w, ow + cells - i), ih = row_seen(g, oh, kh);
        const size_t begin = larger(ow, from), end = smaller(row_end, to), iw = column_seen(g, begin, kw);
        if (ih < g->in_h && begin < end)
            add_run(runs, i + begin - ow, (n * g->in_h + ih) * g->in_w + iw, end - begin);
        i += row_end - ow;
        ow = 0;
        if (++oh == g->out_h) oh = 0, n++;
    }
}

/* ... those that see an input cell through tap (kh, kw). */
static void list_tap(const struct fer_window *g, size_t first, size_t cells, size_t kh, size_t kw, struct runs *runs)
{
    const size_t at = kw * g->dilation_w, from = first_from(g->pad_left - at, g->stride_w);
    const size_t to = smaller(g->out_w, first_from(g->in_w + g->pad_left - at, g->stride_w));
    list_outputs(g, first, cells, kh, kw, from, to, runs);
}

/* ... those of whose taps in row kh exactly kw ... end - 1 lie inside the image. These taps' input cells stand one
 * behind the other in memory, as do their rows of the kernel: to such a cell they are one tap of many channels. Not so
 * with dilation or groups: then a tap is taken alone. */
static void list_taps(const struct fer_window *g, size_t first, size_t cells, size_t kh, size_t kw, size_t end,
                      struct runs *runs)
{
    const int apart = g->dilation_w > 1 || g->groups > 1;
    size_t from = first_from(g->pad_left - kw, g->stride_w);
    size_t to = smaller(g->out_w, first_from(g->in_w + g->pad_left - end + 1, g->stride_w));
    runs->pairs = runs->count = 0;
    if (apart && end == kw + 1) list_tap(g, first, cells, kh, kw, runs);
    if (apart) return;
    if (kw > 0) to = smaller(to, first_from(g->pad_left - kw + 1, g->stride_w));
    if (end < g->kernel_w) from = larger(from, first_from(g->in_w + g->pad_left - end, g->stride_w));
    list_outputs(g, first, cells, kh, kw, from, to, runs);
}

/* The input cells first ... first + cells - 1 with the output cells that see them through tap (kh, kw), row by row. No
 * other taps stand behind it: as kw grows, ow falls. */
static void list_inputs(const struct fer_window *g, size_t first, size_t cells, size_t kh, size_t kw, size_t end_kw,
                        struct runs *runs)
{
    const size_t row = first / g->in_w; /* n*in_h + ih */
    const size_t stride = g->stride_w, down = kh * g->dilation_h, across = kw * g->dilation_w;
    size_t i = 0, n = row / g->in_h, ih = row % g->in_h, iw = first % g->in_w;
    runs->pairs = runs->count = 0;
    runs->at_step = stride;
    runs->other_step = 1;
    while (i < cells && end_kw == kw + 1) {
        const size_t row_end = smaller(g->in_w, iw + cells - i), h = ih + g->pad_top - down, oh = h / g->stride_h;
        const size_t begin = first_from(iw + g->pad_left - across, stride);
        const size_t end = smaller(g->out_w, first_from(row_end + g->pad_left - across, stride));
        if (ih + g->pad_top >= down && oh * g->stride_h == h && oh < g->out_h && begin < end)
            add_run(runs, i + begin * stride + across - g->pad_left - iw, (n * g->out_h + oh) * g->out_w + begin,
                    end - begin);
        i += row_end - iw;
        iw = 0;
        if (++ih == g->in_h) ih = 0, n++;
    }
}

/* `width` reals, at most WIDTH. */
static void copy_row(size_t width, const real *from, real *to)
{
    if (width == WIDTH)
        memcpy(to, from, WIDTH * sizeof *to); /* a copy of known size is two instructions */
    else
        memcpy(to, from, width * sizeof *to);
}

/* `width` reals, then zeros. */
static void fill_row(size_t width, const real *from, real row[WIDTH])
{
    if (width < WIDTH) memset(row, 0, WIDTH * sizeof *row);
    copy_row(width, from, row);
}

/* ---- Forward, and the gradient of the input ---- */

/* sum[at] += the pair's row of `other`, `depth` channels, times the panel; five pairs at a time. */
static void multiply_pairs(const struct runs *runs, const real *other, size_t channels, size_t depth, const real *panel,
                           real sum[][WIDTH])
{
    struct fer_tile t = {depth, 1, WIDTH, panel, {NULL}, {NULL}};
    size_t i, k, left = runs->pairs, r = 0;
    for (i = 0; i < runs->count; i++)
        for (k = 0; k < runs->run[i].count; k++) {
            t.factor[r] = other + (runs->run[i].other + k * runs->other_step) * channels;
            t.sum[r] = sum[runs->run[i].at + k * runs->at_step];
            if (--left == 0) /* the last tile is filled up with repetitions of the last pair: all store the same */
                for (; r < FER_TILE_ROWS - 1; r++) t.factor[r + 1] = t.factor[r], t.sum[r + 1] = t.sum[r];
            if (++r < FER_TILE_ROWS) continue;
            fer_tile(&t);
            r = 0;
        }
}

/* panel[k][c] = matrix[k*k_step + c*c_step], zero for columns from `width` on. One of the steps is 1. */
static void fill_panel(size_t depth, size_t width, const real *matrix, size_t k_step, size_t c_step,
                       real panel[][WIDTH])
{
    size_t k, c;
    if (c_step == 1)
        for (k = 0; k < depth; k++) fill_row(width, matrix + k * k_step, panel[k]);
    else
        for (c = 0; c < WIDTH; c++)
            for (k = 0; k < depth; k++) panel[k][c] = c < width ? matrix[k + c * c_step] : 0;
}

/* Forward and gradient of the input are one procedure: each cell of the result is the sum over taps and over the
 * k_channels channels of the paired cell of `source`, times the tap's matrix [k][c], whose element stands at k*k_step
 * + c*c_step. Taps kw ... end - 1 of a row that `list` finds pairs for are taken as one, of as many channels. The
 * channels are those of one group, at which source, kernel and result begin. */
static void sum_over_taps(const struct fer_window *g, size_t cells, size_t first, size_t c0, size_t c_channels,
                          size_t k_channels, size_t k_step, size_t c_step,
                          void (*list)(const struct fer_window *, size_t, size_t, size_t, size_t, size_t,
                                       struct runs *),
                          const real *source, const real *kernel, real *result)
{
    const size_t block = smaller(cells - first, BLOCK), width = smaller(c_channels - c0, WIDTH);
    real sum[BLOCK][WIDTH] = {{0}}, panel[DEPTH][WIDTH];
    struct runs runs;
    size_t kh, kw, end, k0, i;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++)
            for (end = kw + 1; end <= g->kernel_w; end++) {
                const real *matrix = kernel + kernel_at(g, kh, kw, 0, 0) + c0 * c_step;
                const size_t channels = (end - kw) * k_channels;
                list(g, first, block, kh, kw, end, &runs);
                for (k0 = 0; k0 < channels && runs.pairs; k0 += DEPTH) {
                    const size_t depth = smaller(channels - k0, DEPTH);
                    fill_panel(depth, width, matrix + k0 * k_step, k_step, c_step, panel);
                    multiply_pairs(&runs, source + k0, k_channels * g->groups, depth, panel[0], sum);
                }
            }
    for (i = 0; i < block; i++) copy_row(width, sum[i], result + (first + i) * c_channels * g->groups + c0);
}

void fer_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y)
{
    const size_t cells = g->n * g->out_h * g->out_w, cis = g->in_c / g->groups, cos = g->out_c / g->groups;
    const size_t blocks = (cells + BLOCK - 1) / BLOCK, panels = (cos + WIDTH - 1) / WIDTH;
    size_t task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < g->groups * blocks * panels; task++) {
        const size_t group = task / (blocks * panels), block = task / panels % blocks;
        sum_over_taps(g, cells, block * BLOCK, task % panels * WIDTH, cos, cis, g->out_c, 1, list_taps, x + group * cis,
                      kernel + group * cos, y + group * cos);
    }
}

void fer_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
    const size_t cells = g->n * g->in_h * g->in_w, cis = g->in_c / g->groups, cos = g->out_c / g->groups;
    const size_t blocks = (cells + BLOCK - 1) / BLOCK, panels = (cis + WIDTH - 1) / WIDTH;
    size_t task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < g->groups * blocks * panels; task++) {
        const size_t group = task / (blocks * panels), block = task / panels % blocks;
        sum_over_taps(g, cells, block * BLOCK, task % panels * WIDTH, cis, cos, 1, g->out_c, list_inputs,
                      dy + group * cos, kernel + group * cos, dx + group * cis);
    }
}

/* ---- The gradient of the kernel ---- */

/* sum[ci][co] += x[i*x_step + ci] * dy[i][co], i = 0, 1, ... count-1. */
static void multiply_run(size_t count, size_t ci_count, size_t co_count, const real *x, size_t x_step,
                         real dy[][CO_CHUNK], real sum[][CO_CHUNK])
{
    struct fer_tile t = {count, x_step, CO_CHUNK, NULL, {NULL}, {NULL}};
    size_t ci, co, r;
    for (co = 0; co < co_count; co += WIDTH)
        for (ci = 0; ci < ci_count; ci += FER_TILE_ROWS) {
            for (r = 0; r < FER_TILE_ROWS; r++) { /* the last tile is filled up with repetitions of the last row */
                const size_t row = smaller(ci + r, ci_count - 1);
                t.factor[r] = x + row;
                t.sum[r] = sum[row] + co;
            }
            t.panel = dy[0] + co;
            fer_tile(&t);
        }
}

/* The same for pairs in many short runs: their rows are first copied side by side. */
static void multiply_copies(const struct runs *runs, size_t ci_count, size_t co_count, const real *x, size_t x_row,
                            real dy[][CO_CHUNK], real sum[][CO_CHUNK])
{
    real x_copy[PART][CI_CHUNK], dy_copy[PART][CO_CHUNK];
    size_t i, k, copied = 0;
    for (i = 0; i < runs->count; i++)
        for (k = 0; k < runs->run[i].count; k++, copied++) {
            const real *row = x + (runs->run[i].other + k * runs->other_step) * x_row;
            if (ci_count == CI_CHUNK)
                memcpy(x_copy[copied], row, sizeof *x_copy); /* of known size: a few instructions */
            else
                memcpy(x_copy[copied], row, ci_count * sizeof *x);
            memcpy(dy_copy[copied], dy[runs->run[i].at + k], sizeof *dy_copy);
        }
    multiply_run(copied, ci_count, co_count, x_copy[0], CI_CHUNK, dy_copy, sum);
}

/* Adds one tap's pairs of some cells to its sums. x: its channel ci0; dy: the cells' channels from co0 on. */
static void add_pairs(const struct fer_window *g, const struct runs *runs, size_t ci_count, size_t co_count,
                      const real *x, real dy[][CO_CHUNK], real sum[][CO_CHUNK])
{
    const size_t x_row = g->in_c;
    size_t i;
    if (runs->pairs < LONG * runs->count)
        multiply_copies(runs, ci_count, co_count, x, x_row, dy, sum);
    else
        for (i = 0; i < runs->count; i++)
            multiply_run(runs->run[i].count, ci_count, co_count, x + runs->run[i].other * x_row,
                         x_row * g->stride_w, dy + runs->run[i].at, sum);
}

/* One block's sums for the taps kw0 ... kw0 + taps - 1 of a row of the kernel. The block is taken in parts that the
 * first cache holds for all taps, a part's dy copied together. */
static void sum_block(const struct fer_window *g, size_t first, size_t end, size_t kh, size_t kw0, size_t taps,
                      size_t ci_count, size_t co_count, const real *x, const real *dy, real sum[][CI_CHUNK][CO_CHUNK])
{
    real part_dy[PART][CO_CHUNK] = {{0}};
    struct runs runs;
    size_t tap, i;
    memset(sum, 0, sizeof *sum * taps);
    for (; first < end; first += PART) {
        const size_t part = smaller(end - first, PART);
        const real *dy_row = dy + first * g->out_c;
        for (i = 0; i < part; i++, dy_row += g->out_c) {
            if (co_count == CO_CHUNK)
                memcpy(part_dy[i], dy_row, sizeof part_dy[i]); /* of known size: a few instructions */
            else
                memcpy(part_dy[i], dy_row, co_count * sizeof *dy);
        }
        for (tap = 0; tap < taps; tap++) {
            list_tap(g, first, part, kh, kw0 + tap, &runs);
            if (runs.pairs) add_pairs(g, &runs, ci_count, co_count, x, part_dy, sum[tap]);
        }
    }
}

/* dkernel[kh][kw0 ... kw0 + taps - 1][ci0 ...][co0 ...]; x begins at the group of channel co0. */
static void kernel_gradient(const struct fer_window *g, size_t kh, size_t kw0, size_t taps, size_t ci0, size_t co0,
                            size_t co_count, const real *x, const real *dy, real *dkernel)
{
    const size_t cells = g->n * g->out_h * g->out_w, ci_count = smaller(g->in_c / g->groups - ci0, CI_CHUNK);
    double total[TAPS][CI_CHUNK][CO_CHUNK];
    real sum[TAPS][CI_CHUNK][CO_CHUNK];
    size_t first, tap, ci, co;
    memset(total, 0, sizeof *total * taps);
    for (first = 0; first < cells; first += BLOCK) {
        const size_t end = smaller(first + BLOCK, cells);
        sum_block(g, first, end, kh, kw0, taps, ci_count, co_count, x + ci0, dy + co0, sum);
        for (tap = 0; tap < taps; tap++)
            for (ci = 0; ci < ci_count; ci++)
                for (co = 0; co < co_count; co++) total[tap][ci][co] += (double)sum[tap][ci][co];
    }
    for (tap = 0; tap < taps; tap++)
        for (ci = 0; ci < ci_count; ci++)
            for (co = 0; co < co_count; co++)
                dkernel[kernel_at(g, kh, kw0 + tap, ci0 + ci, co0 + co)] = (real)total[tap][ci][co];
}

void fer_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
    const size_t cis = g->in_c / g->groups, cos = g->out_c / g->groups;
    /* Of few channels, small pieces, so that each thread has some. */
    const size_t co_chunk = cis <= CI_CHUNK && cos <= CO_CHUNK ? WIDTH : CO_CHUNK;
    const size_t ci_chunks = (cis + CI_CHUNK - 1) / CI_CHUNK, co_chunks = (cos + co_chunk - 1) / co_chunk;
    const size_t threes = (g->kernel_w + TAPS - 1) / TAPS, pieces = threes * ci_chunks * co_chunks;
    size_t task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < g->groups * g->kernel_h * pieces; task++) {
        const size_t group = task / (g->kernel_h * pieces), kh = task / pieces % g->kernel_h;
        const size_t kw0 = task / (co_chunks * ci_chunks) % threes * TAPS;
        const size_t co0 = task % co_chunks * co_chunk, ci0 = task / co_chunks % ci_chunks * CI_CHUNK;
        kernel_gradient(g, kh, kw0, smaller(g->kernel_w - kw0, TAPS), ci0, group * cos + co0,
                        smaller(cos - co0, co_chunk), x + group * cis, dy, dkernel);
    }
}

#endif
