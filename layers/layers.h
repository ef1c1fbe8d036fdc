/* layers.h - what the files of this folder share. */
#ifndef FER_LAYERS_H
#define FER_LAYERS_H

#include "../fer.h"

/* ---- Where an element stands in its array ---- */

static inline size_t in_at(const struct fer_window *g, size_t n, size_t ih, size_t iw, size_t c)
{
    return ((n * g->in_h + ih) * g->in_w + iw) * g->in_c + c;
}

static inline size_t out_at(const struct fer_window *g, size_t n, size_t oh, size_t ow, size_t c)
{
    return ((n * g->out_h + oh) * g->out_w + ow) * g->out_c + c;
}

/* ci is counted from the first channel of its group. */
static inline size_t kernel_at(const struct fer_window *g, size_t kh, size_t kw, size_t ci, size_t co)
{
    return ((kh * g->kernel_w + kw) * (g->in_c / g->groups) + ci) * g->out_c + co;
}

/* ---- Which cells a window joins ---- */

/* The input row that output row oh sees through row kh of the kernel, and the column that ow sees through column kw. */
static inline size_t row_seen(const struct fer_window *g, size_t oh, size_t kh)
{
    return oh * g->stride_h + kh * g->dilation_h - g->pad_top;
}

static inline size_t column_seen(const struct fer_window *g, size_t ow, size_t kw)
{
    return ow * g->stride_w + kw * g->dilation_w - g->pad_left;
}

/* Whether input cell (ih, iw) lies inside the image. Above or left of it a cell's number would be negative; in size_t
 * it wraps around to a huge one, so that one comparison an axis will do. */
static inline int inside(const struct fer_window *g, size_t ih, size_t iw)
{
    return ih < g->in_h && iw < g->in_w;
}

/* The cells (h, w) of an image with top <= h < bottom, left <= w < right. */
struct fer_cells {
    size_t top, bottom, left, right;
};

/* The input cells that output cell (oh, ow) of a pooling sees, as far as they lie inside the image; never none. */
struct fer_cells fer_window_inputs(const struct fer_window *g, size_t oh, size_t ow);

/* The output cells of a pooling that see input cell (ih, iw); none where strides are larger than the kernel. */
struct fer_cells fer_window_outputs(const struct fer_window *g, size_t ih, size_t iw);

/* How many cells an average pooling divides by at (oh, ow). */
size_t fer_window_divisor(const struct fer_window *g, size_t oh, size_t ow);

/* ---- A channel of a batch ---- */

/* x[row * channels]: that of the first channel is x. */
static inline int all_equal(size_t rows, size_t channels, const real *x)
{
    size_t row = 1;
    while (row < rows && x[row * channels] == x[0]) row++;
    return row >= rows;
}

/* ---- Functions that several layers have in common, in double ---- */

double fer_sigmoid_of(double x); /* sigmoid.c */
double fer_tanh_of(double x);    /* tanh.c */

/* ---- Memory ---- */

/* Where a loop needs memory of its own for each channel, the channels are taken a slice at a time, first ... end - 1:
 * an array in C has a fixed size, and a layer function that allocates could fail. */
enum { FER_SLICE = 128 };

static inline size_t slice_end(size_t first, size_t channels)
{
    return channels - first < FER_SLICE ? channels : first + FER_SLICE;
}

/* ---- Threads ---- */

/* Loops over fewer elements are done before other threads have woken up: by one thread. */
enum { FER_FEW = 16384 };

#endif
