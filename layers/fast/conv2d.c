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
    CELLS = 1024,         /* of the result of forward, or of the input's gradient, that are summed in one go at most */
    DEPTH = 256,          /* rows of a panel */
    BLOCK = 256,          /* cells of the kernel's gradient, as layers/conv2d.c has it; */
    PART = 4 * WIDTH,     /* of which so many are taken together. Summed in one go are at most */
    TAPS = 3,             /* taps of a row, */
    CI_CHUNK = 80,        /* input channels, */
    CO_CHUNK = 4 * WIDTH, /* output channels, */
    SUMS = 7680           /* and products of the three numbers: threads of musl have 128 kB of stack */
};

/* The pairs of one tap within a block of cells, cell after cell: of each run, the block's cell `first + at + i*at_step`
 * meets the other array's cell `other + i*other_step`, 0 <= i < count. */
struct run {
    size_t at, other, count;
};

struct runs {
    size_t pairs, count, at_step, other_step;
    struct run *run; /* room for as many as there are cells */
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
    fer_tile_loop *const tile = fer_tile();
    size_t i, k, left = runs->pairs, r = 0;
    for (i = 0; i < runs->count; i++)
        for (k = 0; k < runs->run[i].count; k++) {
            t.factor[r] = other + (runs->run[i].other + k * runs->other_step) * channels;
            t.sum[r] = sum[runs->run[i].at + k * runs->at_step];
            if (--left == 0) /* the last tile is filled up with repetitions of the last pair: all store the same */
                for (; r < FER_TILE_ROWS - 1; r++) t.factor[r + 1] = t.factor[r], t.sum[r + 1] = t.sum[r];
            if (++r < FER_TILE_ROWS) continue;
            tile(&t);
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
static void sum_over_taps(const struct fer_window *g, size_t first, size_t end_cell, size_t c0, size_t c_channels,
                          size_t k_channels, size_t k_step, size_t c_step,
                          void (*list)(const struct fer_window *, size_t, size_t, size_t, size_t, size_t,
                                       struct runs *),
                          const real *source, const real *kernel, real *result)
{
    const size_t block = end_cell - first, width = smaller(c_channels - c0, WIDTH);
    real sum[CELLS][WIDTH] = {{0}}, panel[DEPTH][WIDTH];
    struct run run[CELLS];
    struct runs runs = {0, 0, 0, 0, run};
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
    const size_t blocks = (cells + CELLS - 1) / CELLS, size = (cells + blocks - 1) / blocks;
    const size_t panels = (cos + WIDTH - 1) / WIDTH;
    size_t task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < g->groups * blocks * panels; task++) {
        const size_t group = task / (blocks * panels), first = task / panels % blocks * size;
        sum_over_taps(g, first, smaller(first + size, cells), task % panels * WIDTH, cos, cis, g->out_c, 1, list_taps,
                      x + group * cis, kernel + group * cos, y + group * cos);
    }
}

void fer_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
    const size_t cells = g->n * g->in_h * g->in_w, cis = g->in_c / g->groups, cos = g->out_c / g->groups;
    const size_t blocks = (cells + CELLS - 1) / CELLS, size = (cells + blocks - 1) / blocks;
    const size_t panels = (cis + WIDTH - 1) / WIDTH;
    size_t task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < g->groups * blocks * panels; task++) {
        const size_t group = task / (blocks * panels), first = task / panels % blocks * size;
        sum_over_taps(g, first, smaller(first + size, cells), task % panels * WIDTH, cis, cos, 1, g->out_c, list_inputs,
                      dy + group * cos, kernel + group * cos, dx + group * cis);
    }
}

/* ---- The gradient of the kernel ---- */

/* Rows of `width` reals that stand `step` apart, copied side by side: to[row * to_step]. */
static void copy_rows(size_t rows, size_t width, const real *from, size_t step, real *to, size_t to_step)
{
    size_t left;
    if (width == step && width == to_step)
        memcpy(to, from, rows * width * sizeof *to);
    else
        for (; rows; rows--, from += step, to += to_step) {
            for (left = width; left > WIDTH; left -= WIDTH) copy_row(WIDTH, from + width - left, to + width - left);
            copy_row(left, from + width - left, to + width - left);
        }
}

/* A piece of the kernel's gradient: taps kw0 ... kw0 + taps - 1 of row kh, channels ci0 ... ci0 + cis - 1 of the group,
 * co0 ... co0 + cos - 1 of all. A row of its sums has `step` places, whole tiles. */
struct piece {
    size_t kh, kw0, taps, ci0, cis, co0, cos, step;
};

/* sum[ci][co] += x[pair][ci] * dy[pair][co], for the pairs of one tap in ascending order, whose rows are first copied
 * side by side. */
static void add_pairs(const struct piece *p, const struct runs *runs, const real *x, size_t x_row, const real *dy,
                      size_t dy_row, real *sum)
{
    real x_copy[PART * CI_CHUNK], dy_copy[PART * CO_CHUNK];
    struct fer_tile t = {runs->pairs, p->cis, p->step, NULL, {NULL}, {NULL}};
    fer_tile_loop *const tile = fer_tile();
    size_t i, ci, co, r, copied = 0;
    if (p->cos < p->step) memset(dy_copy, 0, sizeof dy_copy);
    for (i = 0; i < runs->count; copied += runs->run[i++].count) {
        const struct run *run = &runs->run[i];
        copy_rows(run->count, p->cis, x + run->other * x_row, runs->other_step * x_row, x_copy + copied * p->cis,
                  p->cis);
        copy_rows(run->count, p->cos, dy + run->at * dy_row, dy_row, dy_copy + copied * p->step, p->step);
    }
    for (co = 0; co < p->cos; co += WIDTH)
        for (ci = 0; ci < p->cis; ci += FER_TILE_ROWS) {
            for (r = 0; r < FER_TILE_ROWS; r++) { /* the last tile is filled up with repetitions of the last row */
                const size_t row = smaller(ci + r, p->cis - 1);
                t.factor[r] = x_copy + row;
                t.sum[r] = sum + row * p->step + co;
            }
            t.panel = dy_copy + co;
            tile(&t);
        }
}

/* total[ci][co] += one block's sums for one tap. */
static void add_block(const struct fer_window *g, const struct piece *p, size_t first, size_t end, size_t kw,
                      const real *x, const real *dy, double *total)
{
    real sum[CI_CHUNK * CO_CHUNK];
    struct run run[PART];
    struct runs runs = {0, 0, 0, 0, run};
    size_t i;
    memset(sum, 0, p->cis * p->step * sizeof *sum);
    for (; first < end; first += PART) {
        list_tap(g, first, smaller(end - first, PART), p->kh, kw, &runs);
        if (runs.pairs)
            add_pairs(p, &runs, x + p->ci0, g->in_c, dy + first * g->out_c + p->co0, g->out_c, sum);
    }
    for (i = 0; i < p->cis * p->step; i++) total[i] += (double)sum[i];
}

/* x begins at the piece's group. */
static void kernel_gradient(const struct fer_window *g, const struct piece *p, const real *x, const real *dy,
                            real *dkernel)
{
    const size_t cells = g->n * g->out_h * g->out_w, tap_sums = p->cis * p->step;
    double total[SUMS] = {0};
    size_t first, tap, ci, co;
    for (first = 0; first < cells; first += BLOCK)
        for (tap = 0; tap < p->taps; tap++)
            add_block(g, p, first, smaller(first + BLOCK, cells), p->kw0 + tap, x, dy, total + tap * tap_sums);
    for (tap = 0; tap < p->taps; tap++)
        for (ci = 0; ci < p->cis; ci++)
            for (co = 0; co < p->cos; co++)
                dkernel[kernel_at(g, p->kh, p->kw0 + tap, p->ci0 + ci, p->co0 + co)] =
                    (real)total[tap * tap_sums + ci * p->step + co];
}

/* Channels cut into the fewest pieces of equal size that hold at most `most`: the size of one, in whole tiles. */
static size_t chunk(size_t channels, size_t most)
{
    const size_t tiles = (channels + WIDTH - 1) / WIDTH, pieces = (tiles * WIDTH + most - 1) / most;
    return (tiles + pieces - 1) / pieces * WIDTH;
}

void fer_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
    const size_t cis = g->in_c / g->groups, cos = g->out_c / g->groups, most_taps = smaller(g->kernel_w, TAPS);
    const size_t ci_chunk = chunk(cis, CI_CHUNK), ci_chunks = (cis + ci_chunk - 1) / ci_chunk;
    const size_t co_chunk = chunk(cos, smaller(CO_CHUNK, SUMS / most_taps / ci_chunk / WIDTH * WIDTH));
    const size_t co_chunks = (cos + co_chunk - 1) / co_chunk, threes = (g->kernel_w + TAPS - 1) / TAPS;
    const size_t pieces = threes * ci_chunks * co_chunks;
    size_t task;
#pragma omp parallel for schedule(dynamic)
    for (task = 0; task < g->groups * g->kernel_h * pieces; task++) {
        const size_t group = task / (g->kernel_h * pieces), kw0 = task / (co_chunks * ci_chunks) % threes * TAPS;
        const size_t co0 = task % co_chunks * co_chunk, ci0 = task / co_chunks % ci_chunks * ci_chunk;
        const struct piece p = {task / pieces % g->kernel_h, kw0, smaller(g->kernel_w - kw0, TAPS),
                                ci0, smaller(cis - ci0, ci_chunk), group * cos + co0, smaller(cos - co0, co_chunk),
                                (smaller(cos - co0, co_chunk) + WIDTH - 1) / WIDTH * WIDTH};
        kernel_gradient(g, &p, x + group * cis, dy, dkernel);
    }
}

#endif
