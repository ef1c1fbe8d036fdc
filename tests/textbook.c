/* textbook.c - the slow judge: each result is one loop of its own, with the sum inside it and every index written out. */
#include "textbook.h"

#include <math.h>

static size_t in_at(const struct fer_window *g, size_t n, size_t h, size_t w, size_t c)
{
    return (((size_t)n * (size_t)g->in_h + (size_t)h) * (size_t)g->in_w + (size_t)w) * (size_t)g->in_c + (size_t)c;
}

static size_t out_at(const struct fer_window *g, size_t n, size_t h, size_t w, size_t c)
{
    return (((size_t)n * (size_t)g->out_h + (size_t)h) * (size_t)g->out_w + (size_t)w) * (size_t)g->out_c + (size_t)c;
}

static size_t kernel_at(const struct fer_window *g, size_t kh, size_t kw, size_t ci, size_t co)
{
    return (((size_t)kh * (size_t)g->kernel_w + (size_t)kw) * (size_t)g->in_c + (size_t)ci) * (size_t)g->out_c + (size_t)co;
}

/* The input row that output row oh sees through kernel row kh; and so for columns. May lie outside the image. */
static size_t row_seen(const struct fer_window *g, size_t oh, size_t kh)
{
    return oh * g->stride_h + kh - g->pad_top;
}

static size_t column_seen(const struct fer_window *g, size_t ow, size_t kw)
{
    return ow * g->stride_w + kw - g->pad_left;
}

static int inside(const struct fer_window *g, size_t ih, size_t iw)
{
    return ih < g->in_h && iw < g->in_w;
}

/* ---- Conv2D ---- */

/* kh, kw, ci ascending, in real. */
static real conv2d_output(const struct fer_window *g, const real *x, const real *kernel, size_t n, size_t oh, size_t ow, size_t co)
{
    real sum = 0;
    size_t kh, kw, ci;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++) {
            const size_t ih = row_seen(g, oh, kh), iw = column_seen(g, ow, kw);
            if (!inside(g, ih, iw)) continue;
            for (ci = 0; ci < g->in_c; ci++) sum += x[in_at(g, n, ih, iw, ci)] * kernel[kernel_at(g, kh, kw, ci, co)];
        }
    return sum;
}

void textbook_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y)
{
    size_t n, oh, ow, co;
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->out_h; oh++)
            for (ow = 0; ow < g->out_w; ow++)
                for (co = 0; co < g->out_c; co++) y[out_at(g, n, oh, ow, co)] = conv2d_output(g, x, kernel, n, oh, ow, co);
}

/* kh, kw, co ascending, in real. At most one output row sees row ih through kernel row kh: it is searched, not computed. */
static real conv2d_input_gradient(const struct fer_window *g, const real *dy, const real *kernel, size_t n, size_t ih, size_t iw,
                                  size_t ci)
{
    real sum = 0;
    size_t kh, kw, oh, ow, co;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (oh = 0; oh < g->out_h; oh++) {
            if (row_seen(g, oh, kh) != ih) continue;
            for (kw = 0; kw < g->kernel_w; kw++)
                for (ow = 0; ow < g->out_w; ow++) {
                    if (column_seen(g, ow, kw) != iw) continue;
                    for (co = 0; co < g->out_c; co++)
                        sum += dy[out_at(g, n, oh, ow, co)] * kernel[kernel_at(g, kh, kw, ci, co)];
                }
        }
    return sum;
}

void textbook_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx)
{
    size_t n, ih, iw, ci;
    for (n = 0; n < g->n; n++)
        for (ih = 0; ih < g->in_h; ih++)
            for (iw = 0; iw < g->in_w; iw++)
                for (ci = 0; ci < g->in_c; ci++)
                    dx[in_at(g, n, ih, iw, ci)] = conv2d_input_gradient(g, dy, kernel, n, ih, iw, ci);
}

/* Output cells ascending; in real within a block of 256 cells, the blocks' sums in double. */
static real conv2d_kernel_gradient(const struct fer_window *g, const real *x, const real *dy, size_t kh, size_t kw, size_t ci,
                                   size_t co)
{
    double total = 0;
    real sum = 0;
    size_t n, oh, ow, cell = 0;
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->out_h; oh++)
            for (ow = 0; ow < g->out_w; ow++, cell++) {
                const size_t ih = row_seen(g, oh, kh), iw = column_seen(g, ow, kw);
                if (cell % 256 == 0) {
                    total += (double)sum;
                    sum = 0;
                }
                if (inside(g, ih, iw)) sum += x[in_at(g, n, ih, iw, ci)] * dy[out_at(g, n, oh, ow, co)];
            }
    return (real)(total + (double)sum);
}

void textbook_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel)
{
    size_t kh, kw, ci, co;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++)
            for (ci = 0; ci < g->in_c; ci++)
                for (co = 0; co < g->out_c; co++)
                    dkernel[kernel_at(g, kh, kw, ci, co)] = conv2d_kernel_gradient(g, x, dy, kh, kw, ci, co);
}

/* ---- BatchNormalization: sums in double, rows ascending; elements in real ---- */

void textbook_batch_moments(size_t rows, int channels, const real *x, real *mean, real *variance)
{
    const size_t width = (size_t)channels;
    size_t c, i;
    for (c = 0; c < width; c++) {
        double sum = 0, average, squares = 0;
        for (i = 0; i < rows; i++) sum += (double)x[i * width + c];
        average = sum / (double)rows;
        for (i = 0; i < rows; i++) squares += ((double)x[i * width + c] - average) * ((double)x[i * width + c] - average);
        mean[c] = (real)average;
        variance[c] = (real)(squares / (double)rows);
    }
}

void textbook_batch_normalization_forward(size_t rows, int channels, const real *x, const real *mean, const real *variance,
                                          const real *gamma, const real *beta, double epsilon, real *y)
{
    const size_t width = (size_t)channels;
    size_t c, i;
    for (c = 0; c < width; c++) {
        const real scale = (real)((gamma ? (double)gamma[c] : 1.0) / sqrt((double)variance[c] + epsilon));
        for (i = 0; i < rows; i++) y[i * width + c] = (x[i * width + c] - mean[c]) * scale + (beta ? beta[c] : (real)0);
    }
}

void textbook_batch_normalization_backward(size_t rows, int channels, const real *x, const real *mean, const real *variance,
                                           const real *gamma, double epsilon, int batch_statistics, const real *dy,
                                           real *dx, real *dgamma, real *dbeta)
{
    const size_t width = (size_t)channels;
    size_t c, i;
    for (c = 0; c < width; c++) {
        const double deviation = sqrt((double)variance[c] + epsilon);
        const real scale = (real)((gamma ? (double)gamma[c] : 1.0) / deviation);
        double sum = 0, moment = 0;
        real average, slope;
        for (i = 0; i < rows; i++) sum += (double)dy[i * width + c];
        for (i = 0; i < rows; i++) moment += (double)dy[i * width + c] * (double)(x[i * width + c] - mean[c]);
        average = batch_statistics ? (real)(sum / (double)rows) : (real)0;
        slope = batch_statistics ? (real)(moment / (double)rows / ((double)variance[c] + epsilon)) : (real)0;
        for (i = 0; i < rows; i++)
            dx[i * width + c] = (dy[i * width + c] - average - (x[i * width + c] - mean[c]) * slope) * scale;
        if (dgamma) dgamma[c] = (real)(moment / deviation);
        if (dbeta) dbeta[c] = (real)sum;
    }
}

void textbook_moving_statistics(size_t rows, int channels, const real *mean, const real *variance, double momentum,
                                int unbiased, real *moving_mean, real *moving_variance)
{
    int c;
    for (c = 0; c < channels; c++) {
        const double old_mean = (double)moving_mean[c], old_variance = (double)moving_variance[c];
        const double factor = unbiased && rows > 1 ? (double)rows / ((double)rows - 1) : 1;
        moving_mean[c] = (real)(old_mean * momentum + (double)mean[c] * (1 - momentum));
        moving_variance[c] = (real)(old_variance * momentum + (double)variance[c] * factor * (1 - momentum));
    }
}

/* ---- ReLU ---- */

void textbook_relu(size_t count, const real *x, const real *dy, real *y, real *dx)
{
    size_t i;
    for (i = 0; i < count; i++) {
        const int passes = x[i] > 0 || x[i] != x[i]; /* a NaN passes */
        y[i] = passes ? x[i] : (real)0;
        dx[i] = passes ? dy[i] : (real)0;
    }
}

/* ---- pooling: windows, and cells within them, in row-major order, in real ---- */

/* The first largest value, or the first NaN, of one window: its index in x. */
static size_t first_maximum(const struct fer_window *g, const real *x, size_t n, size_t oh, size_t ow, size_t c)
{
    size_t best = 0, at;
    size_t kh, kw, found = 0;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++) {
            if (!inside(g, row_seen(g, oh, kh), column_seen(g, ow, kw))) continue;
            at = in_at(g, n, row_seen(g, oh, kh), column_seen(g, ow, kw), c);
            if (x[at] != x[at]) return at;
            if (!found++ || x[at] > x[best]) best = at;
        }
    return best;
}

void textbook_max_pooling2d(const struct fer_window *g, const real *x, const real *dy, real *y, real *dx)
{
    size_t i;
    size_t n, oh, ow, c;
    for (i = 0; i < in_at(g, g->n, 0, 0, 0); i++) dx[i] = 0;
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->out_h; oh++)
            for (ow = 0; ow < g->out_w; ow++)
                for (c = 0; c < g->in_c; c++) {
                    const size_t best = first_maximum(g, x, n, oh, ow, c);
                    y[out_at(g, n, oh, ow, c)] = x[best];
                    dx[best] += dy[out_at(g, n, oh, ow, c)];
                }
}

static int cells_inside(const struct fer_window *g, size_t oh, size_t ow)
{
    size_t kh, kw;
    int count = 0;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++) count += inside(g, row_seen(g, oh, kh), column_seen(g, ow, kw));
    return count;
}

/* One division, of the sum. */
void textbook_average_pooling2d_forward(const struct fer_window *g, const real *x, real *y)
{
    size_t n, oh, ow, c, kh, kw;
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->out_h; oh++)
            for (ow = 0; ow < g->out_w; ow++)
                for (c = 0; c < g->in_c; c++) {
                    real sum = 0;
                    for (kh = 0; kh < g->kernel_h; kh++)
                        for (kw = 0; kw < g->kernel_w; kw++)
                            if (inside(g, row_seen(g, oh, kh), column_seen(g, ow, kw)))
                                sum += x[in_at(g, n, row_seen(g, oh, kh), column_seen(g, ow, kw), c)];
                    y[out_at(g, n, oh, ow, c)] = sum / (real)cells_inside(g, oh, ow);
                }
}

/* Each term is divided, then added. */
static real average_input_gradient(const struct fer_window *g, const real *dy, size_t n, size_t ih, size_t iw, size_t c)
{
    real sum = 0;
    size_t oh, ow, kh, kw;
    for (oh = 0; oh < g->out_h; oh++)
        for (ow = 0; ow < g->out_w; ow++)
            for (kh = 0; kh < g->kernel_h; kh++)
                for (kw = 0; kw < g->kernel_w; kw++)
                    if (row_seen(g, oh, kh) == ih && column_seen(g, ow, kw) == iw)
                        sum += dy[out_at(g, n, oh, ow, c)] / (real)cells_inside(g, oh, ow);
    return sum;
}

void textbook_average_pooling2d_backward(const struct fer_window *g, const real *dy, real *dx)
{
    size_t n, ih, iw, c;
    for (n = 0; n < g->n; n++)
        for (ih = 0; ih < g->in_h; ih++)
            for (iw = 0; iw < g->in_w; iw++)
                for (c = 0; c < g->in_c; c++) dx[in_at(g, n, ih, iw, c)] = average_input_gradient(g, dy, n, ih, iw, c);
}

void textbook_global_average_pooling2d(int n, int cells, int channels, const real *x, const real *dy, real *y, real *dx)
{
    const size_t width = (size_t)channels, height = (size_t)cells;
    size_t image, cell, c;
    for (image = 0; image < (size_t)n; image++)
        for (c = 0; c < width; c++) {
            real sum = 0;
            for (cell = 0; cell < height; cell++) sum += x[(image * height + cell) * width + c];
            y[image * width + c] = sum / (real)cells;
            for (cell = 0; cell < height; cell++)
                dx[(image * height + cell) * width + c] = dy[image * width + c] / (real)cells;
        }
}

/* ---- Dense ---- */

/* i ascending, in real; then the bias. */
void textbook_dense_forward(int n, int in, int out, const real *x, const real *kernel, const real *bias, real *y)
{
    int image, i, o;
    for (image = 0; image < n; image++)
        for (o = 0; o < out; o++) {
            real sum = 0;
            for (i = 0; i < in; i++) sum += x[image * in + i] * kernel[i * out + o];
            y[image * out + o] = bias ? sum + bias[o] : sum;
        }
}

/* o ascending, in real. */
void textbook_dense_backward_input(int n, int in, int out, const real *dy, const real *kernel, real *dx)
{
    int image, i, o;
    for (image = 0; image < n; image++)
        for (i = 0; i < in; i++) {
            real sum = 0;
            for (o = 0; o < out; o++) sum += dy[image * out + o] * kernel[i * out + o];
            dx[image * in + i] = sum;
        }
}

/* Images ascending, in double. The bias is one more row of the kernel, whose input is always 1. */
void textbook_dense_backward_parameters(int n, int in, int out, const real *x, const real *dy, real *dkernel, real *dbias)
{
    int image, i, o;
    for (i = 0; i <= in; i++)
        for (o = 0; o < out; o++) {
            double sum = 0;
            for (image = 0; image < n; image++)
                sum += (i < in ? (double)x[image * in + i] : 1.0) * (double)dy[image * out + o];
            *(i < in ? &dkernel[i * out + o] : &dbias[o]) = (real)sum;
        }
}

/* ---- Softmax with cross-entropy: all in double, classes and images ascending ---- */

double textbook_softmax_cross_entropy(int n, int classes, const real *logits, const int *labels, real *probabilities,
                                      double *losses, real *dlogits)
{
    double total = 0;
    int image, k;
    for (image = 0; image < n; image++) {
        const real *z = logits + image * classes;
        double largest = (double)z[0], sum = 0;
        for (k = 0; k < classes; k++) largest = (double)z[k] > largest ? (double)z[k] : largest;
        for (k = 0; k < classes; k++) sum += fer_exp((double)z[k] - largest);
        for (k = 0; k < classes; k++) {
            const double p = fer_exp((double)z[k] - largest) / sum;
            probabilities[image * classes + k] = (real)p;
            dlogits[image * classes + k] = (real)((p - (labels[image] == k ? 1.0 : 0.0)) / (double)n);
        }
        losses[image] = fer_log(sum) - ((double)z[labels[image]] - largest);
        total += losses[image];
    }
    return total;
}

/* ---- Adam: rates in double, elements in real ---- */

/* x^t as the product of x^1, x^2, x^4, ..., those that t holds, smallest first; each by repeated squaring. */
static double power(double x, long t)
{
    double result = 1, square;
    long digit, i;
    for (digit = 1; digit <= t; digit *= 2) {
        for (square = x, i = 1; i < digit; i *= 2) square *= square;
        if (t / digit % 2) result *= square;
    }
    return result;
}

void textbook_adam_step(const struct fer_adam *adam, long t, size_t count, real *parameter, const real *gradient, real *m,
                        real *v)
{
    const real rate = (real)(adam->learning_rate * sqrt(1 - power(adam->beta2, t)) / (1 - power(adam->beta1, t)));
    size_t i;
    for (i = 0; i < count; i++) {
        m[i] = m[i] + (gradient[i] - m[i]) * (real)(1 - adam->beta1);
        v[i] = v[i] + (gradient[i] * gradient[i] - v[i]) * (real)(1 - adam->beta2);
        parameter[i] = parameter[i] - m[i] * rate / ((real)sqrt((double)v[i]) + (real)adam->epsilon);
    }
}
