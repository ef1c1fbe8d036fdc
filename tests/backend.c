/* backend.c - see backend.h. Names of faults stand in test_verify.c's table; here each is one `broken(...)` at its place. */
#include "backend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int broken(const struct backend *b, const struct fer_layer *layer, const char *fault)
{
    return strcmp(b->fault, fault) == 0 && (!*b->at || strcmp(b->at, layer->name) == 0);
}

/* Rounded to `bits` binary digits, to nearest even. */
static double shorten(double x, int bits)
{
    int exponent;
    const double fraction = frexp(x, &exponent);
    return ldexp(rint(ldexp(fraction, bits)), exponent - bits);
}

static void store(const struct backend *b, real *x, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) x[i] = b->bits == 24 ? (real)(float)x[i] : (real)shorten((double)x[i], b->bits);
}

static real *shortened(const real *x, size_t count, int bits)
{
    real *y = malloc(count * sizeof *y);
    size_t i;
    for (i = 0; y && i < count; i++) y[i] = (real)shorten((double)x[i], bits);
    return y;
}

/* ---- Sums in float32, in many orders ---- */

static int by_size(const void *a, const void *b)
{
    const float x = fabsf(*(const float *)a), y = fabsf(*(const float *)b);
    return (x < y) - (x > y);
}

static float pairwise(const float *a, int count)
{
    if (count == 1) return a[0];
    return pairwise(a, count / 2) + pairwise(a + count / 2, count - count / 2);
}

static float kahan(const float *a, int count)
{
    float sum = 0, carry = 0;
    int i;
    for (i = 0; i < count; i++) {
        const float term = a[i] - carry, next = sum + term;
        carry = (next - sum) - term;
        sum = next;
    }
    return sum;
}

static float in_lanes(const float *a, int count)
{
    float lane[8] = {0};
    int i;
    for (i = 0; i < count; i++) lane[i % 8] += a[i];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

float backend_dot(float *a, const float *b, int count, enum order order)
{
    float sum = 0;
    int i;
    if (count == 0) return 0;
    if (order == FUSED && b) { /* the product is exact in double; the sum is rounded once more, which hardly ever shows */
        for (i = 0; i < count; i++) sum = (float)((double)a[i] * (double)b[i] + (double)sum);
        return sum;
    }
    for (i = 0; order == HALF && i < count; i++) sum = (float)shorten((double)a[i] * (b ? (double)b[i] : 1) + (double)sum, 11);
    if (order == HALF) return sum;
    for (i = 0; b && i < count; i++) a[i] *= b[i];
    if (order == PAIRWISE) return pairwise(a, count);
    if (order == KAHAN) return kahan(a, count);
    if (order == LANES) return in_lanes(a, count);
    if (order == LARGEST_FIRST) qsort(a, (size_t)count, sizeof *a, by_size);
    for (i = 0; i < count; i++)
        sum += a[order == DESCENDING ? count - 1 - i : order == SHUFFLED && count % 7919 ? (int)((long long)i * 7919 % count) : i];
    return sum;
}

/* ---- Convolutions in float32 ---- */

/* The terms of one sum. */
struct terms {
    int count;
    float *a, *b, *copy; /* as many as the longest sum has */
};

static int create_terms(struct terms *t, size_t most)
{
    t->a = malloc(3 * most * sizeof(float));
    t->b = t->a + most;
    t->copy = t->b + most;
    return t->a ? 0 : -1;
}

static float sum_terms(struct terms *t, enum order order)
{
    memcpy(t->copy, t->a, (size_t)t->count * sizeof(float));
    return backend_dot(t->copy, t->b, t->count, order);
}

static size_t place(size_t n, size_t h, size_t w, size_t height, size_t width, size_t channels)
{
    return ((n * height + h) * width + w) * channels;
}

static void conv_forward(const struct fer_window *g, const real *x, const real *kernel, real *y, enum order order, struct terms *t)
{
    size_t n, oh, ow, co, kh, kw, ci;
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->out_h; oh++)
            for (ow = 0; ow < g->out_w; ow++)
                for (co = 0; co < g->out_c; co++) {
                    t->count = 0;
                    for (kh = 0; kh < g->kernel_h; kh++)
                        for (kw = 0; kw < g->kernel_w; kw++) {
                            const size_t ih = oh * g->stride_h + kh - g->pad_top, iw = ow * g->stride_w + kw - g->pad_left;
                            const real *cell, *tap = kernel + place(0, kh, kw, 0, g->kernel_w, g->in_c * g->out_c) + co;
                            if (ih >= g->in_h || iw >= g->in_w) continue;
                            cell = x + place(n, ih, iw, g->in_h, g->in_w, g->in_c);
                            for (ci = 0; ci < g->in_c; ci++, t->count++) {
                                t->a[t->count] = (float)cell[ci];
                                t->b[t->count] = (float)tap[ci * g->out_c];
                            }
                        }
                    y[place(n, oh, ow, g->out_h, g->out_w, g->out_c) + co] = (real)backend_dot(t->a, t->b, t->count, order);
                }
}

static void conv_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx, enum order order, struct terms *t)
{
    size_t n, ih, iw, ci, kh, kw, co;
    for (n = 0; n < g->n; n++)
        for (ih = 0; ih < g->in_h; ih++)
            for (iw = 0; iw < g->in_w; iw++)
                for (ci = 0; ci < g->in_c; ci++) {
                    t->count = 0;
                    for (kh = 0; kh < g->kernel_h; kh++)
                        for (kw = 0; kw < g->kernel_w; kw++) {
                            const size_t h = ih + g->pad_top - kh, w = iw + g->pad_left - kw, oh = h / g->stride_h, ow = w / g->stride_w;
                            const real *cell, *tap = kernel + place(0, kh, kw, 0, g->kernel_w, g->in_c * g->out_c) + ci * g->out_c;
                            if (h % g->stride_h || w % g->stride_w || oh >= g->out_h || ow >= g->out_w) continue;
                            cell = dy + place(n, oh, ow, g->out_h, g->out_w, g->out_c);
                            for (co = 0; co < g->out_c; co++, t->count++) {
                                t->a[t->count] = (float)cell[co];
                                t->b[t->count] = (float)tap[co];
                            }
                        }
                    dx[place(n, ih, iw, g->in_h, g->in_w, g->in_c) + ci] = (real)backend_dot(t->a, t->b, t->count, order);
                }
}

/* The terms of one tap and one input channel are gathered once for all output channels. */
static void conv_kernel(const struct fer_window *g, const real *x, const real *dy, real *dk, enum order order, struct terms *t)
{
    size_t kh, kw, ci, co, n, oh, ow;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++)
            for (ci = 0; ci < g->in_c; ci++)
                for (co = 0; co < g->out_c; co++) {
                    t->count = 0;
                    for (n = 0; n < g->n; n++)
                        for (oh = 0; oh < g->out_h; oh++)
                            for (ow = 0; ow < g->out_w; ow++) {
                                const size_t ih = oh * g->stride_h + kh - g->pad_top, iw = ow * g->stride_w + kw - g->pad_left;
                                if (ih >= g->in_h || iw >= g->in_w) continue;
                                if (co == 0) t->a[t->count] = (float)x[place(n, ih, iw, g->in_h, g->in_w, g->in_c) + ci];
                                t->b[t->count++] = (float)dy[place(n, oh, ow, g->out_h, g->out_w, g->out_c) + co];
                            }
                    dk[place(0, kh, kw, 0, g->kernel_w, g->in_c * g->out_c) + ci * g->out_c + co] = (real)sum_terms(t, order);
                }
}

static struct fer_window dense_window(size_t n, size_t in, size_t out)
{
    const struct fer_window g = {n, 1, 1, in, 1, 1, out, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0};
    return g;
}

static void conv_in_float(void (*f)(const struct fer_window *, const real *, const real *, real *, enum order, struct terms *),
                          const struct fer_window *g, const real *a, const real *b, real *result, enum order order)
{
    struct terms t;
    const size_t taps = g->kernel_h * g->kernel_w;
    const size_t cells = (size_t)g->n * (size_t)g->out_h * (size_t)g->out_w, most = taps * (size_t)(g->in_c + g->out_c);
    if (create_terms(&t, most > cells ? most : cells)) return;
    f(g, a, b, result, order, &t);
    free(t.a);
}

/* ---- Normalisation in float32: three ways for the variance, two for the result, four for the gradient ---- */

static float column_sum(size_t rows, size_t channels, size_t c, const real *x, const real *y, enum order order)
{
    float *a = malloc(2 * rows * sizeof *a), *b = a + rows, sum;
    size_t i;
    for (i = 0; i < rows; i++) {
        a[i] = (float)x[i * channels + c];
        b[i] = y ? (float)y[i * channels + c] : 1;
    }
    sum = backend_dot(a, b, (int)rows, order);
    free(a);
    return sum;
}

static void welford(size_t rows, size_t channels, size_t c, const real *x, float *mean, float *variance)
{
    float m = 0, squares = 0;
    size_t i;
    for (i = 0; i < rows; i++) {
        const float value = (float)x[i * channels + c], d = value - m;
        m += d / (float)(i + 1);
        squares += d * (value - m);
    }
    *mean = m;
    *variance = squares / (float)rows;
}

/* E[x - mean], zero but for rounding. */
static float residual_mean(size_t rows, size_t channels, size_t c, const real *x, float mean, enum order order)
{
    float *a = malloc(rows * sizeof *a), sum;
    size_t i;
    for (i = 0; i < rows; i++) a[i] = (float)x[i * channels + c] - mean;
    sum = backend_dot(a, NULL, (int)rows, order);
    free(a);
    return sum / (float)rows;
}

static void moments_in_float(size_t rows, size_t channels, size_t c, const real *x, enum order order, int way, float *mean, float *variance)
{
    float *a;
    size_t i;
    if (way % 3 == 0) {
        welford(rows, channels, c, x, mean, variance);
        return;
    }
    *mean = column_sum(rows, channels, c, x, NULL, order) / (float)rows;
    if (way % 3 == 1) { /* one pass */
        *variance = column_sum(rows, channels, c, x, x, order) / (float)rows - *mean * *mean;
        if (*variance < 0) *variance = 0;
        return;
    }
    a = malloc(rows * sizeof *a);
    for (i = 0; i < rows; i++) a[i] = ((float)x[i * channels + c] - *mean) * ((float)x[i * channels + c] - *mean);
    *variance = backend_dot(a, NULL, (int)rows, order) * (1 / (float)rows);
    free(a);
}

void backend_normalise(struct fer_layer *layer, size_t rows, const real *x, const real *beta, double epsilon, enum order order, int way)
{
    const size_t channels = layer->channels;
    size_t c, i;
    for (c = 0; c < channels; c++) {
        float mean, variance, scale, shift;
        moments_in_float(rows, channels, c, x, order, way, &mean, &variance);
        layer->mean[c] = (real)mean, layer->variance[c] = (real)variance;
        scale = 1 / sqrtf(variance + (float)epsilon);
        shift = (float)beta[c] - mean * scale;
        for (i = c; i < rows * channels; i += channels)
            layer->output[i] = (real)(way % 2 ? (float)x[i] * scale + shift : ((float)x[i] - mean) * scale + (float)beta[c]);
    }
}

void backend_normalise_backward(struct fer_layer *layer, size_t rows, const real *x, const real *dy, double epsilon, real *dx, real *dbeta,
                                enum order order, int way)
{
    const size_t channels = layer->channels;
    const float n = (float)rows;
    size_t c, i;
    for (c = 0; c < channels; c++) {
        const float mean = (float)layer->mean[c], scale = 1 / sqrtf((float)layer->variance[c] + (float)epsilon);
        const float sum = column_sum(rows, channels, c, dy, NULL, order);
        const float moment = column_sum(rows, channels, c, dy, x, order) - mean * sum; /* sum of dy * (x - mean) */
        const float residue = residual_mean(rows, channels, c, x, mean, order); /* way 3: as automatic differentiation has it */
        const float slope = moment * scale * scale / n, c1 = -scale * slope, c2 = -c1 * mean - scale * (sum / n);
        dbeta[c] = (real)sum;
        for (i = c; i < rows * channels; i += channels) {
            const float d = (float)dy[i], v = (float)x[i];
            if (way % 4 == 0) dx[i] = (real)((d - sum / n - (v - mean) * slope) * scale);
            if (way % 4 == 1) dx[i] = (real)(d * scale + v * c1 + c2);
            if (way % 4 == 2) dx[i] = (real)(scale / n * (n * d - sum - (v - mean) * scale * (moment * scale)));
            if (way % 4 == 3) dx[i] = (real)(d * scale - sum * scale / n + ((v - mean) - residue) * c1);
        }
    }
}

/* ---- Forward ---- */

static size_t rows_of(const struct backend *b, const struct fer_layer *layer)
{
    return b->n * layer->height * layer->width;
}

static size_t count_of(const struct backend *b, const struct fer_layer *layer)
{
    return rows_of(b, layer) * layer->channels;
}

static struct fer_window window_of(const struct backend *b, const struct fer_layer *layer)
{
    struct fer_window g = layer->window;
    g.n = b->n;
    return g;
}

static enum order order_at(const struct backend *b, int i)
{
    return b->order == MIXED ? (enum order)(ASCENDING + i % 7) : b->order;
}

/* Turned by 180 degrees, tap by tap. */
static real *rotated(const struct fer_window *g, const real *kernel)
{
    const size_t taps = g->kernel_h * g->kernel_w, size = g->in_c * g->out_c;
    real *turned = malloc(taps * size * sizeof *turned);
    size_t i;
    for (i = 0; i < taps; i++) memcpy(turned + i * size, kernel + (taps - 1 - i) * size, size * sizeof *turned);
    return turned;
}

/* Faults of geometry hold in both directions. */
static void break_geometry(struct backend *b)
{
    size_t old;
    int i;
    for (i = 1; i < b->net->layers; i++) {
        struct fer_layer *layer = &b->net->layer[i];
        struct fer_window *g = &layer->window;
        if (broken(b, layer, "padding on the other side")) g->pad_top++, g->pad_left++;
        if (broken(b, layer, "strides start one later")) g->pad_top--, g->pad_left--;
        if (broken(b, layer, "kernel transposed")) {
            old = g->kernel_h, g->kernel_h = g->kernel_w, g->kernel_w = old;
            old = g->pad_top, g->pad_top = g->pad_left, g->pad_left = old;
        }
    }
}

static void convolve(struct backend *b, int i, const real *x, const real *kernel)
{
    struct fer_layer *layer = &b->net->layer[i];
    const struct fer_window g = window_of(b, layer);
    const size_t weights = (size_t)g.kernel_h * (size_t)g.kernel_w * (size_t)g.in_c * (size_t)g.out_c;
    const int bits = broken(b, layer, "half precision") ? 11 : broken(b, layer, "bfloat16") ? 8 : 0;
    real *turned = broken(b, layer, "kernel rotated") ? rotated(&g, kernel) : NULL;
    real *short_x = bits ? shortened(x, count_of(b, &b->net->layer[layer->input[0]]), bits) : NULL;
    real *short_kernel = bits ? shortened(kernel, weights, bits) : turned;
    const enum order order = broken(b, layer, "sums in half precision") ? HALF : order_at(b, i);
    if (short_x) x = short_x;
    if (short_kernel) kernel = short_kernel;
    if (order == EXACT)
        fer_conv2d_forward(&g, x, kernel, layer->output);
    else
        conv_in_float(conv_forward, &g, x, kernel, layer->output, order);
    free(short_x);
    free(short_kernel);
}

static void normalise(struct backend *b, int i, const real *x)
{
    struct fer_network *net = b->net;
    struct fer_layer *layer = &net->layer[i];
    const struct fer_parameter *p = &net->parameter[layer->parameter];
    const size_t rows = rows_of(b, layer), channels = layer->channels;
    const double epsilon = broken(b, layer, "epsilon 1e-5") ? 1e-5 : layer->epsilon;
    const int twice = broken(b, layer, "beta added twice"), outside = broken(b, layer, "epsilon outside the root");
    size_t k;
    if (order_at(b, i) != EXACT) {
        backend_normalise(layer, rows, x, p[0].value, epsilon, order_at(b, i), i);
        return;
    }
    fer_batch_moments(rows, layer->channels, x, layer->mean, layer->variance);
    for (k = 0; k < channels; k++) {
        if (broken(b, layer, "normalised by the unbiased variance")) layer->variance[k] *= (real)rows / (real)(rows - 1);
        if (broken(b, layer, "normalised by moving statistics")) layer->mean[k] = p[1].value[k], layer->variance[k] = p[2].value[k];
    }
    fer_batch_normalization_forward(rows, layer->channels, x, layer->mean, layer->variance, NULL, p[0].value, epsilon, layer->output);
    for (k = 0; k < rows * channels && (twice || outside); k++) {
        const double beta = (double)p[0].value[k % channels], deviation = sqrt((double)layer->variance[k % channels]);
        if (twice) layer->output[k] += (real)beta;
        if (outside)
            layer->output[k] = (real)(((double)x[k] - (double)layer->mean[k % channels]) / (deviation + epsilon) + beta);
    }
}

static void pool(struct backend *b, int i, const real *x)
{
    struct fer_layer *layer = &b->net->layer[i];
    const struct fer_layer *from = &b->net->layer[layer->input[0]];
    const struct fer_window g = window_of(b, layer);
    const size_t cells = from->height * from->width, c = layer->channels;
    size_t k, cell;
    if (layer->type == FER_MAX_POOLING2D) fer_max_pooling2d_forward(&g, x, layer->output);
    if (layer->type == FER_AVERAGE_POOLING2D) {
        fer_average_pooling2d_forward(&g, x, layer->output);
        for (k = 0; k < count_of(b, layer) && broken(b, layer, "padding counted"); k++) {
            const size_t w = k / c % g.out_w, h = k / c / g.out_w % g.out_h;
            layer->output[k] *= (real)((3 - (h == 0) - (h == g.out_h - 1)) * (3 - (w == 0) - (w == g.out_w - 1))) / 9;
        }
    }
    if (layer->type == FER_GLOBAL_AVERAGE_POOLING2D) {
        fer_global_average_pooling2d_forward(b->n, cells, layer->channels, x, layer->output);
        for (k = 0; k < count_of(b, layer) && broken(b, layer, "maximum for average"); k++) {
            layer->output[k] = 0;
            for (cell = 0; cell < cells; cell++) {
                const real value = x[(k / c * cells + cell) * c + k % c];
                if (value > layer->output[k]) layer->output[k] = value;
            }
        }
    }
}

static void concatenate(struct backend *b, int i)
{
    struct fer_layer *layer = &b->net->layer[i];
    const int reversed = broken(b, layer, "branches in another order");
    const real *x[FER_MAX_INPUTS];
    size_t channels[FER_MAX_INPUTS];
    int k;
    for (k = 0; k < layer->inputs; k++) {
        const struct fer_layer *from = &b->net->layer[layer->input[reversed ? layer->inputs - 1 - k : k]];
        x[k] = from->output;
        channels[k] = from->channels;
    }
    fer_concatenate_forward(rows_of(b, layer), layer->inputs, channels, x, layer->output);
}

static void activate(struct backend *b, int i, const real *x)
{
    struct fer_layer *layer = &b->net->layer[i];
    const int leaky = broken(b, layer, "leaky"), six = broken(b, layer, "ReLU6");
    size_t k;
    fer_relu_forward(count_of(b, layer), x, layer->output);
    for (k = 0; k < count_of(b, layer) && (leaky || six); k++) {
        if (leaky && x[k] < 0) layer->output[k] = x[k] / 100;
        if (six && x[k] > 6) layer->output[k] = 6;
    }
}

static void predict(struct backend *b, int i, const real *x)
{
    struct fer_network *net = b->net;
    struct fer_layer *layer = &net->layer[i];
    const struct fer_parameter *p = &net->parameter[layer->parameter];
    const size_t in = (size_t)p[0].shape[0];
    const struct fer_window g = dense_window(b->n, in, FER_CLASSES);
    const enum order order = order_at(b, i);
    size_t k;
    if (order == EXACT)
        fer_dense_forward(b->n, in, FER_CLASSES, x, p[0].value, p[1].value, net->logits);
    else
        conv_in_float(conv_forward, &g, x, p[0].value, net->logits, order);
    for (k = 0; k < b->n * FER_CLASSES; k++) {
        if (order != EXACT) net->logits[k] = (real)((float)net->logits[k] + (float)p[1].value[k % FER_CLASSES]);
        if (broken(b, layer, "bias left out")) net->logits[k] -= p[1].value[k % FER_CLASSES];
    }
    store(b, net->logits, b->n * FER_CLASSES);
    fer_softmax(b->n, FER_CLASSES, net->logits, layer->output);
    for (k = 0; k < b->n * FER_CLASSES && broken(b, layer, "a coarse exp"); k++)
        layer->output[k] *= (real)(1 + 1e-5 * ((double)(k % FER_CLASSES) - 3));
    for (k = 0; order != EXACT && k < b->n; k++) { /* in float32, without taking the largest off */
        float e[FER_CLASSES], sum = 0;
        size_t c;
        for (c = 0; c < FER_CLASSES; c++) sum += e[c] = (float)exp((double)net->logits[k * FER_CLASSES + c]);
        for (c = 0; c < FER_CLASSES; c++) layer->output[k * FER_CLASSES + c] = (real)(e[c] / sum);
    }
}

/* Bit 17 of a float32: a 64th of it, or less. */
static real flip_bit(real x)
{
    float value = (float)x;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits ^= (uint32_t)1 << 17;
    memcpy(&value, &bits, sizeof bits);
    return (real)value;
}

static void swap(real *a, real *b)
{
    const real old = *a;
    *a = *b;
    *b = old;
}

/* Faults that spoil the finished output of a layer, whatever it is. */
static void spoil_output(struct backend *b, struct fer_layer *layer)
{
    const size_t c = layer->channels, count = count_of(b, layer), row = layer->width * c, image = row * layer->height;
    real *y = layer->output;
    size_t k;
    for (k = 0; k < count && broken(b, layer, "two channels swapped"); k += c) swap(&y[k + 3], &y[k + 4]);
    for (k = 0; k < count && broken(b, layer, "last channels dropped"); k++) y[k] = k % c >= c - 16 ? 0 : y[k];
    for (k = 0; k < count && broken(b, layer, "last row repeated"); k++) y[k] = k % image >= image - row ? y[k - row] : y[k];
    for (k = 0; k < image && broken(b, layer, "images in another order"); k++) swap(&y[k], &y[k + image]);
    if (broken(b, layer, "a NaN")) y[count / 2] = (real)NAN;
    if (broken(b, layer, "one bit flipped")) y[count / 2] = flip_bit(y[count / 2]);
}

static void forward(struct backend *b)
{
    struct fer_network *net = b->net;
    int i;
    for (i = 1; i < net->layers; i++) {
        struct fer_layer *layer = &net->layer[i];
        const real *x = net->layer[layer->input[0]].output;
        switch (layer->type) {
        case FER_CONV2D: convolve(b, i, x, net->parameter[layer->parameter].value); break;
        case FER_BATCH_NORMALIZATION: normalise(b, i, x); break;
        case FER_ACTIVATION: activate(b, i, x); break;
        case FER_CONCATENATE: concatenate(b, i); break;
        case FER_DENSE: predict(b, i, x); break;
        default: pool(b, i, x);
        }
        spoil_output(b, layer);
        store(b, layer->output, count_of(b, layer));
    }
}

/* ---- Backward ---- */

static void begin_backward(struct backend *b)
{
    struct fer_network *net = b->net;
    struct fer_layer *last = &net->layer[net->layers - 1];
    int labels[64];
    size_t i;
    for (i = 0; i < b->n; i++) labels[i] = (b->labels[i] + broken(b, last, "labels off by one")) % FER_CLASSES;
    b->loss = (real)fer_cross_entropy(b->n, FER_CLASSES, net->logits, labels, NULL, net->logits_gradient);
    if (!broken(b, last, "loss summed")) b->loss /= (real)b->n;
    store(b, &b->loss, 1);
    for (i = 0; i < b->n * FER_CLASSES; i++) {
        if (broken(b, last, "gradient not divided by the batch")) net->logits_gradient[i] *= (real)b->n;
        if (b->order != EXACT) /* from the rounded probabilities */
            net->logits_gradient[i] = (real)(((float)last->output[i] - (float)(i % FER_CLASSES == (size_t)labels[i / FER_CLASSES])) *
                                             (1 / (float)b->n));
    }
    store(b, net->logits_gradient, b->n * FER_CLASSES);
}

static void convolve_backward(struct backend *b, int i, const real *x, const real *dy, real *dx)
{
    struct fer_layer *layer = &b->net->layer[i];
    struct fer_parameter *p = &b->net->parameter[layer->parameter];
    struct fer_window g = window_of(b, layer);
    real *turned = broken(b, layer, "kernel rotated in the gradient") ? rotated(&g, p->value) : NULL;
    const real *kernel = turned ? turned : p->value;
    real *short_dy = broken(b, layer, "gradient in bfloat16") ? shortened(dy, count_of(b, layer), 8) : NULL;
    const enum order order = order_at(b, i);
    if (broken(b, layer, "gradient by the updated kernel")) kernel = b->new_value + (p->value - b->net->parameter[0].value);
    if (dx && order == EXACT) fer_conv2d_backward_input(&g, dy, kernel, dx);
    if (dx && order != EXACT) conv_in_float(conv_input, &g, dy, p->value, dx, order);
    if (broken(b, layer, "half of the batch")) g.n /= 2;
    if (order == EXACT)
        fer_conv2d_backward_kernel(&g, x, short_dy ? short_dy : dy, p->gradient);
    else
        conv_in_float(conv_kernel, &g, x, dy, p->gradient, order);
    free(turned);
    free(short_dy);
}

static void normalise_backward(struct backend *b, int i, const real *x, const real *dy, real *dx)
{
    struct fer_layer *layer = &b->net->layer[i];
    struct fer_parameter *p = &b->net->parameter[layer->parameter];
    const double epsilon = broken(b, layer, "epsilon 1e-5") ? 1e-5 : layer->epsilon;
    if (order_at(b, i) == EXACT)
        fer_batch_normalization_backward(rows_of(b, layer), layer->channels, x, layer->mean, layer->variance, NULL, epsilon,
                                         !broken(b, layer, "statistics taken as constants"), dy, dx, NULL, p->gradient);
    else
        backend_normalise_backward(layer, rows_of(b, layer), x, dy, epsilon, dx, p->gradient, order_at(b, i), i);
}

/* Max pooling's gradient, to the last of equal maxima, or to all. */
static void to_other_maxima(const struct fer_window *g, const real *x, const real *dy, real *dx, int all)
{
    size_t n, oh, ow, c, k;
    memset(dx, 0, place(g->n, 0, 0, g->in_h, g->in_w, g->in_c) * sizeof *dx);
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->out_h; oh++)
            for (ow = 0; ow < g->out_w; ow++)
                for (c = 0; c < g->in_c; c++) {
                    const real d = dy[place(n, oh, ow, g->out_h, g->out_w, g->in_c) + c];
                    size_t at[9], best = 0;
                    for (k = 0; k < 9; k++) {
                        at[k] = place(n, oh * g->stride_h + k / 3, ow * g->stride_w + k % 3, g->in_h, g->in_w, g->in_c) + c;
                        if (k == 0 || x[at[k]] >= x[best]) best = at[k];
                    }
                    for (k = 0; k < 9; k++)
                        if (all ? x[at[k]] == x[best] : at[k] == best) dx[at[k]] += d;
                }
}

/* Average pooling's gradient, as if every window of 3x3 had 9 cells inside the image. */
static void average_backward_by_nine(const struct fer_window *g, const real *dy, real *dx)
{
    size_t n, oh, ow, c, k;
    memset(dx, 0, place(g->n, 0, 0, g->in_h, g->in_w, g->in_c) * sizeof *dx);
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->out_h; oh++)
            for (ow = 0; ow < g->out_w; ow++)
                for (k = 0; k < 9; k++) {
                    const size_t h = oh + k / 3 - 1, w = ow + k % 3 - 1;
                    if (h >= g->in_h || w >= g->in_w) continue;
                    for (c = 0; c < g->in_c; c++)
                        dx[place(n, h, w, g->in_h, g->in_w, g->in_c) + c] += dy[place(n, oh, ow, g->out_h, g->out_w, g->in_c) + c] / 9;
                }
}

static void predict_backward(struct backend *b, int i, const real *x, real *dx)
{
    struct fer_network *net = b->net;
    struct fer_layer *layer = &net->layer[i];
    struct fer_parameter *p = &net->parameter[layer->parameter];
    const size_t in = (size_t)p[0].shape[0];
    const struct fer_window g = dense_window(b->n, in, FER_CLASSES);
    const enum order order = order_at(b, i);
    const real *dy = net->logits_gradient;
    if (order == EXACT) {
        fer_dense_backward_input(b->n, in, FER_CLASSES, dy, p[0].value, dx);
        fer_dense_backward_kernel(b->n, in, FER_CLASSES, x, dy, p[0].gradient);
    } else {
        conv_in_float(conv_input, &g, dy, p[0].value, dx, order);
        conv_in_float(conv_kernel, &g, x, dy, p[0].gradient, order);
    }
    fer_dense_backward_bias(b->n, FER_CLASSES, dy, p[1].gradient);
    if (broken(b, layer, "no gradient of the bias")) memset(p[1].gradient, 0, FER_CLASSES * sizeof(real));
}

static void layer_backward(struct backend *b, int i, real *dx)
{
    struct fer_network *net = b->net;
    struct fer_layer *layer = &net->layer[i];
    const struct fer_layer *from = &net->layer[layer->input[0]];
    const struct fer_window g = window_of(b, layer);
    const real *x = from->output, *dy = layer->output_gradient;
    switch (layer->type) {
    case FER_CONV2D: convolve_backward(b, i, x, dy, dx); break;
    case FER_BATCH_NORMALIZATION: normalise_backward(b, i, x, dy, dx); break;
    case FER_ACTIVATION:
        if (broken(b, layer, "gradient not masked"))
            memcpy(dx, dy, count_of(b, layer) * sizeof *dx);
        else
            fer_relu_backward(count_of(b, layer), layer->output, dy, dx);
        break;
    case FER_MAX_POOLING2D:
        if (broken(b, layer, "to the last maximum") || broken(b, layer, "to all maxima"))
            to_other_maxima(&g, x, dy, dx, broken(b, layer, "to all maxima"));
        else
            fer_max_pooling2d_backward(&g, x, dy, dx);
        break;
    case FER_AVERAGE_POOLING2D:
        fer_average_pooling2d_backward(&g, dy, dx);
        if (broken(b, layer, "padding counted in the gradient")) average_backward_by_nine(&g, dy, dx);
        break;
    case FER_GLOBAL_AVERAGE_POOLING2D:
        fer_global_average_pooling2d_backward(b->n, from->height * from->width, layer->channels, dy, dx);
        break;
    default: predict_backward(b, i, x, dx);
    }
}

/* Faults that spoil what a layer sends back to its input, `from`. */
static void spoil_gradient(struct backend *b, const struct fer_layer *layer, const struct fer_layer *from, real *dx)
{
    const size_t count = count_of(b, from), row = from->width * from->channels, image = row * from->height;
    size_t k;
    for (k = 0; k < count && broken(b, layer, "branch left out"); k++) dx[k] = 0;
    for (k = 0; k < count && broken(b, layer, "branch counted twice"); k++) dx[k] *= 2;
    for (k = 0; k < count && broken(b, layer, "border of the gradient lost"); k++) dx[k] = k % image >= image - row ? 0 : dx[k];
}

static void spoil_parameter_gradient(struct backend *b, const struct fer_layer *layer)
{
    struct fer_parameter *p = &b->net->parameter[layer->parameter];
    size_t k;
    if (!layer->parameters) return;
    for (k = 0; k < p->count && broken(b, layer, "kernel's gradient averaged over the batch"); k++) p->gradient[k] /= (real)b->n;
    for (k = 0; k < p->count && broken(b, layer, "gradient not reset to zero"); k++) p->gradient[k] *= 2;
    if (broken(b, layer, "one bit of the gradient flipped")) p->gradient[p->count / 2] = flip_bit(p->gradient[p->count / 2]);
}

static void backward(struct backend *b)
{
    struct fer_network *net = b->net;
    int arrived[FER_MAX_LAYERS] = {0}, i, k;
    size_t e;
    begin_backward(b);
    for (i = net->layers - 1; i > 0; i--) {
        struct fer_layer *layer = &net->layer[i], *from = &net->layer[layer->input[0]];
        if (layer->type == FER_CONCATENATE) {
            real *dx[FER_MAX_INPUTS];
            size_t channels[FER_MAX_INPUTS];
            for (k = 0; k < layer->inputs; k++) {
                dx[k] = net->layer[layer->input[k]].output_gradient;
                channels[k] = (size_t)net->layer[layer->input[k]].channels;
                arrived[layer->input[k]] = 1;
            }
            fer_concatenate_backward(rows_of(b, layer), layer->inputs, channels, layer->output_gradient, dx);
            continue;
        }
        {
            const int first = arrived[layer->input[0]]++ == 0;
            real *dx = from->type == FER_INPUT ? NULL : first ? from->output_gradient : net->fan_out;
            layer_backward(b, i, dx);
            if (dx) spoil_gradient(b, layer, from, dx);
            spoil_parameter_gradient(b, layer);
            if (!dx) continue;
            store(b, dx, count_of(b, from));
            for (e = 0; !first && e < count_of(b, from); e++)
                from->output_gradient[e] = (real)((float)from->output_gradient[e] + (float)dx[e]);
            store(b, from->output_gradient, count_of(b, from));
        }
    }
    for (i = 0; i < net->parameters; i++)
        if (net->parameter[i].trainable) store(b, net->parameter[i].gradient, net->parameter[i].count);
}

/* ---- Update, in float32 ---- */

enum rule { KERAS, PYTORCH, INSIDE, UNCORRECTED, DECAY };

static enum rule rule_of(const struct backend *b, const struct fer_layer *layer)
{
    if (broken(b, layer, "epsilon after the correction")) return PYTORCH;
    if (broken(b, layer, "epsilon inside the root")) return INSIDE;
    if (broken(b, layer, "no correction of the moments")) return UNCORRECTED;
    return broken(b, layer, "weights decay") ? DECAY : KERAS;
}

static float adam(enum rule rule, float p, float g)
{
    const float b1 = 0.9f, b2 = 0.999f, rate = 0.001f, epsilon = 1e-7f;
    const float m = (1 - b1) * g, v = (1 - b2) * g * g, corrected_m = m / (1 - b1), corrected_v = v / (1 - b2);
    if (rule == DECAY) p -= rate * 0.01f * p;
    if (rule == PYTORCH) return p - rate * corrected_m / (sqrtf(corrected_v) + epsilon);
    if (rule == INSIDE) return p - rate * sqrtf(1 - b2) / (1 - b1) * m / sqrtf(v + epsilon);
    if (rule == UNCORRECTED) return p - rate * m / (sqrtf(v) + epsilon);
    return p - rate * sqrtf(1 - b2) / (1 - b1) * m / (sqrtf(v) + epsilon);
}

static void update_layer(struct backend *b, const struct fer_layer *layer)
{
    const double momentum = broken(b, layer, "momentum 0.9") ? 0.9 : broken(b, layer, "momentum and its rest swapped") ? 0.01 : 0.99;
    const double rows = (double)rows_of(b, layer);
    const double bessel = broken(b, layer, "biased moving variance") || rows == 1 ? 1 : rows / (rows - 1);
    const int stale = broken(b, layer, "moving mean not updated") ? 1 : broken(b, layer, "moving variance not updated") ? 2 : 0;
    const int times = broken(b, layer, "update applied twice") ? 2 : broken(b, layer, "not trained") ? 0 : 1;
    const enum rule rule = rule_of(b, layer);
    int k;
    for (k = 0; k < layer->parameters; k++) {
        const struct fer_parameter *p = &b->net->parameter[layer->parameter + k];
        real *new_value = b->new_value + (p->value - b->net->parameter[0].value);
        size_t i;
        for (i = 0; i < p->count; i++) {
            const double before = (double)p->value[i];
            if (p->trainable)
                new_value[i] = (real)(before + times * ((double)adam(rule, (float)before, (float)p->gradient[i]) - before));
            else if (k == stale)
                new_value[i] = (real)before;
            else
                new_value[i] = (real)(before * momentum + (k == 1 ? (double)layer->mean[i] : (double)layer->variance[i] * bessel) * (1 - momentum));
        }
        store(b, new_value, p->count);
    }
}

void backend_step(struct backend *b, enum order order, const char *fault, const char *at)
{
    struct fer_window whole[FER_MAX_LAYERS];
    int i;
    b->order = order;
    b->fault = fault;
    b->at = at;
    for (i = 0; i < b->net->layers; i++) whole[i] = b->net->layer[i].window;
    break_geometry(b);
    forward(b);
    backward(b);
    for (i = 0; i < b->net->layers; i++) update_layer(b, &b->net->layer[i]);
    for (i = 0; i < b->net->layers; i++) b->net->layer[i].window = whole[i];
}

/* ---- Its making, and its record ---- */

static void draw(real *x, size_t count, uint64_t seed, uint32_t epoch, double least, double most)
{
    size_t i;
    for (i = 0; i < count; i++) x[i] = (real)(float)(least + (most - least) * fer_uniform(seed, FER_FOR_CHECKS, epoch, i));
}

static size_t parameter_reals(const struct fer_network *net)
{
    const struct fer_parameter *last = &net->parameter[net->parameters - 1];
    return (size_t)(last->value - net->parameter[0].value) + last->count;
}

int backend_create(struct backend *b, size_t size, size_t n, uint64_t seed)
{
    int i;
    memset(b, 0, sizeof *b);
    b->n = n;
    b->bits = 24;
    if (fer_incv3v1(&b->net, size, NULL) || fer_network_plan(b->net, n, FER_PLAN_KEEP, NULL)) return -1;
    b->new_value = fer_allocate(parameter_reals(b->net), sizeof(real), NULL);
    if (!b->new_value) return -1;
    fer_network_initialise(b->net, seed);
    for (i = 0; i < b->net->parameters; i++) {
        struct fer_parameter *p = &b->net->parameter[i];
        const char *what = strchr(p->name, '/') + 1;
        if (strcmp(what, "kernel") == 0) store(b, p->value, p->count);
        if (strcmp(what, "beta") == 0 || strcmp(what, "bias") == 0) draw(p->value, p->count, seed, (uint32_t)i, -0.5, 0.5);
        if (strcmp(what, "beta") == 0) p->value[0] = 5; /* so that some outputs are above 6 */
        if (strcmp(what, "moving_mean") == 0) draw(p->value, p->count, seed, (uint32_t)i, -0.1, 0.1);
        if (strcmp(what, "moving_variance") == 0) draw(p->value, p->count, seed, (uint32_t)i, 0.5, 1.5);
    }
    draw(fer_network_input(b->net), n * size * size, seed, 1000, 0, 1);
    for (i = 0; i < (int)n; i++) b->labels[i] = (3 * i + 1) % FER_CLASSES;
    return 0;
}

void backend_free(struct backend *b)
{
    fer_free(b->new_value);
    fer_network_free(b->net);
}

real *backend_array(struct backend *b, const char *name)
{
    struct fer_network *net = b->net;
    const char *slash = strchr(name, '/');
    const size_t length = slash ? (size_t)(slash - name) : 0;
    int i;
    if (strcmp(name, "loss") == 0) return &b->loss;
    if (strcmp(name, "predictions/logits") == 0) return net->logits;
    if (strcmp(name, "predictions/logits_grad") == 0) return net->logits_gradient;
    for (i = 0; i < net->layers; i++)
        if (strlen(net->layer[i].name) == length && strncmp(net->layer[i].name, name, length) == 0) {
            if (strcmp(slash, "/output") == 0) return net->layer[i].output;
            if (strcmp(slash, "/output_grad") == 0) return net->layer[i].output_gradient;
        }
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        const char *ending = name + strlen(p->name);
        if (strncmp(p->name, name, strlen(p->name)) != 0) continue;
        if (!*ending) return p->value;
        if (strcmp(ending, "_grad") == 0) return p->gradient;
        if (strcmp(ending, "_new") == 0) return b->new_value + (p->value - net->parameter[0].value);
    }
    return NULL;
}

struct writing {
    struct fer_npz_writer *writer;
    enum fer_type type;
    int failed;
};

static void put(struct writing *w, const char *layer, const char *what, int dims, size_t s0, size_t s1, size_t s2, size_t s3, const real *x)
{
    const size_t shape[4] = {s0, s1, s2, s3};
    size_t count = 1, k;
    char name[100];
    void *values;
    int i;
    for (i = 0; i < dims; i++) count *= shape[i];
    values = malloc(count * sizeof(double));
    for (k = 0; values && k < count; k++) {
        if (w->type == FER_F4)
            ((float *)values)[k] = (float)x[k];
        else
            ((double *)values)[k] = (double)x[k];
    }
    snprintf(name, sizeof name, "%s%s", layer, what);
    if (!values || fer_npz_write(w->writer, name, w->type, dims, shape, values, NULL)) w->failed = 1;
    free(values);
}

static void put_parameter(struct writing *w, const struct fer_parameter *p, const char *ending, const real *x)
{
    put(w, p->name, ending, p->dims, p->shape[0], p->shape[1], p->shape[2], p->shape[3], x);
}

static void put_all(struct writing *w, const struct backend *b, int updates)
{
    const struct fer_network *net = b->net;
    const size_t n = b->n, one = n, classes = FER_CLASSES;
    int64_t labels[64];
    int i;
    for (i = 0; i < (int)b->n; i++) labels[i] = b->labels[i];
    if (fer_npz_write(w->writer, "labels", FER_I8, 1, &one, labels, NULL)) w->failed = 1;
    put(w, "input", "", 4, n, net->height, net->width, 1, net->layer[0].output);
    put(w, "loss", "", 0, 0, 0, 0, 0, &b->loss);
    put(w, "predictions", "/logits", 2, n, classes, 0, 0, net->logits);
    put(w, "predictions", "/logits_grad", 2, n, classes, 0, 0, net->logits_gradient);
    for (i = 1; i < net->layers; i++) {
        const struct fer_layer *l = &net->layer[i];
        const int dims = l->type == FER_DENSE || l->type == FER_GLOBAL_AVERAGE_POOLING2D ? 2 : 4;
        const size_t h = dims == 2 ? l->channels : l->height;
        put(w, l->name, "/output", dims, n, h, l->width, l->channels, l->output);
        if (l->type != FER_DENSE) put(w, l->name, "/output_grad", dims, n, h, l->width, l->channels, l->output_gradient);
    }
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        put_parameter(w, p, "", p->value);
        if (p->trainable) put_parameter(w, p, "_grad", p->gradient);
        if (updates) put_parameter(w, p, "_new", b->new_value + (p->value - net->parameter[0].value));
    }
}

int backend_record(const struct backend *b, const char *path, enum fer_type type, int updates)
{
    struct writing w = {NULL, FER_F4, 0};
    w.type = type;
    if (fer_npz_create(&w.writer, path, NULL)) return -1;
    put_all(&w, b, updates);
    if (!w.failed) return fer_npz_commit(w.writer, NULL);
    fer_npz_abandon(w.writer);
    return -1;
}
