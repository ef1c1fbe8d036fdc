/* solution.c - the functions of exercise.h, right; or, compiled with -DPLANTED=1 ... 12, with a mistake that students
 * make, to prove the marker: it must find and name each. */
#include "exercise.h"

#include <math.h>

#ifndef PLANTED
#define PLANTED 0
#endif
enum {
    KERNEL_TURNED = 1,
    BIAS_FORGOTTEN,
    KERNEL_AVERAGED,  /* dkernel is the mean over the images */
    BIAS_AVERAGED,    /* dbias over all cells */
    EPSILON_FORGOTTEN,
    STATISTICS_CONSTANT,
    MEAN_FORGOTTEN,   /* the term of dx that comes through the mean */
    MAXIMUM_FROM_ZERO,
    ALL_MAXIMA,
    LOSS_SUMMED,
    GRADIENT_SUMMED,
    LABEL_FORGOTTEN
};

/* Where an element stands, or -1 in the padding. */
static int input_at(const struct geometry *g, int n, int oh, int ow, int kh, int kw, int c)
{
    const int ih = oh * g->stride + kh - g->pad, iw = ow * g->stride + kw - g->pad;
    if (ih < 0 || ih >= g->h || iw < 0 || iw >= g->w) return -1;
    return ((n * g->h + ih) * g->w + iw) * g->ci + c;
}

static int output_at(const struct geometry *g, int n, int oh, int ow, int c)
{
    return ((n * g->oh + oh) * g->ow + ow) * g->co + c;
}

static int kernel_at(const struct geometry *g, int kh, int kw, int ci, int co)
{
    return ((kh * g->kw + kw) * g->ci + ci) * g->co + co;
}

/* Calls `step` for each product of the convolution. */
struct product {
    int x, y, kernel;
};
static void products(const struct geometry *g, int turned, void (*step)(void *context, struct product p), void *context)
{
    int n, oh, ow, co, kh, kw, ci;
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->oh; oh++)
            for (ow = 0; ow < g->ow; ow++)
                for (co = 0; co < g->co; co++)
                    for (kh = 0; kh < g->kh; kh++)
                        for (kw = 0; kw < g->kw; kw++)
                            for (ci = 0; ci < g->ci; ci++) {
                                struct product p;
                                p.x = input_at(g, n, oh, ow, kh, kw, ci);
                                p.y = output_at(g, n, oh, ow, co);
                                p.kernel = turned ? kernel_at(g, g->kh - 1 - kh, g->kw - 1 - kw, ci, co)
                                                  : kernel_at(g, kh, kw, ci, co);
                                if (p.x >= 0) step(context, p);
                            }
}

struct arrays {
    const double *x, *kernel, *dy;
    double *y, *dx, *dkernel;
};

static void forward_step(void *context, struct product p)
{
    const struct arrays *a = context;
    a->y[p.y] += a->x[p.x] * a->kernel[p.kernel];
}

static void backward_step(void *context, struct product p)
{
    const struct arrays *a = context;
    a->dx[p.x] += a->dy[p.y] * a->kernel[p.kernel];
    a->dkernel[p.kernel] += a->dy[p.y] * a->x[p.x];
}

void conv2d_forward(const struct geometry *g, const double *x, const double *kernel, const double *bias, double *y)
{
    struct arrays a = {x, kernel, 0, y, 0, 0};
    int i;
    for (i = 0; i < g->n * g->oh * g->ow * g->co; i++) y[i] = PLANTED == BIAS_FORGOTTEN ? 0 : bias[i % g->co];
    products(g, PLANTED == KERNEL_TURNED, forward_step, &a);
}

void conv2d_backward(const struct geometry *g, const double *x, const double *kernel, const double *dy, double *dx,
                     double *dkernel, double *dbias)
{
    struct arrays a = {x, kernel, dy, 0, dx, dkernel};
    const int cells = g->n * g->oh * g->ow, weights = g->kh * g->kw * g->ci * g->co;
    int i;
    for (i = 0; i < g->n * g->h * g->w * g->ci; i++) dx[i] = 0;
    for (i = 0; i < weights; i++) dkernel[i] = 0;
    for (i = 0; i < g->co; i++) dbias[i] = 0;
    products(g, 0, backward_step, &a);
    for (i = 0; i < cells * g->co; i++) dbias[i % g->co] += dy[i];
    for (i = 0; i < weights && PLANTED == KERNEL_AVERAGED; i++) dkernel[i] /= g->n;
    for (i = 0; i < g->co && PLANTED == BIAS_AVERAGED; i++) dbias[i] /= cells;
}

/* Mean and variance of one channel. */
static void moments(int rows, int c, const double *x, double *mean, double *variance)
{
    int i;
    *mean = *variance = 0;
    for (i = 0; i < rows; i++) *mean += x[i * c] / rows;
    for (i = 0; i < rows; i++) *variance += (x[i * c] - *mean) * (x[i * c] - *mean) / rows;
}

void batch_normalization_forward(int rows, int c, double epsilon, const double *x, const double *gamma,
                                 const double *beta, double *y)
{
    double mean, variance;
    int i, k;
    for (k = 0; k < c; k++) {
        moments(rows, c, x + k, &mean, &variance);
        if (PLANTED != EPSILON_FORGOTTEN) variance += epsilon;
        for (i = 0; i < rows; i++) y[i * c + k] = gamma[k] * (x[i * c + k] - mean) / sqrt(variance) + beta[k];
    }
}

void batch_normalization_backward(int rows, int c, double epsilon, const double *x, const double *gamma,
                                  const double *dy, double *dx, double *dgamma, double *dbeta)
{
    double mean, variance;
    int i, k;
    for (k = 0; k < c; k++) {
        moments(rows, c, x + k, &mean, &variance);
        dgamma[k] = dbeta[k] = 0;
        for (i = 0; i < rows; i++) {
            dgamma[k] += dy[i * c + k] * (x[i * c + k] - mean) / sqrt(variance + epsilon);
            dbeta[k] += dy[i * c + k];
        }
        for (i = 0; i < rows; i++) {
            double d = dy[i * c + k];
            if (PLANTED != STATISTICS_CONSTANT && PLANTED != MEAN_FORGOTTEN) d -= dbeta[k] / rows;
            if (PLANTED != STATISTICS_CONSTANT)
                d -= (x[i * c + k] - mean) / sqrt(variance + epsilon) * dgamma[k] / rows;
            dx[i * c + k] = gamma[k] / sqrt(variance + epsilon) * d;
        }
    }
}

/* The first maximum of a window. */
static int maximum(const struct geometry *g, const double *x, int n, int oh, int ow, int c)
{
    int best = input_at(g, n, oh, ow, 0, 0, c), kh, kw;
    for (kh = 0; kh < g->kh; kh++)
        for (kw = 0; kw < g->kw; kw++) {
            const int at = input_at(g, n, oh, ow, kh, kw, c);
            if (x[at] > x[best]) best = at;
        }
    return best;
}

void max_pooling2d_forward(const struct geometry *g, const double *x, double *y)
{
    int n, oh, ow, c;
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->oh; oh++)
            for (ow = 0; ow < g->ow; ow++)
                for (c = 0; c < g->co; c++) {
                    const double most = x[maximum(g, x, n, oh, ow, c)];
                    y[output_at(g, n, oh, ow, c)] = PLANTED == MAXIMUM_FROM_ZERO && most < 0 ? 0 : most;
                }
}

void max_pooling2d_backward(const struct geometry *g, const double *x, const double *dy, double *dx)
{
    int n, oh, ow, c, i, kh, kw;
    for (i = 0; i < g->n * g->h * g->w * g->ci; i++) dx[i] = 0;
    for (n = 0; n < g->n; n++)
        for (oh = 0; oh < g->oh; oh++)
            for (ow = 0; ow < g->ow; ow++)
                for (c = 0; c < g->co; c++) {
                    const int best = maximum(g, x, n, oh, ow, c);
                    for (kh = 0; kh < g->kh; kh++)
                        for (kw = 0; kw < g->kw; kw++) {
                            const int at = input_at(g, n, oh, ow, kh, kw, c);
                            if (at == best || (PLANTED == ALL_MAXIMA && x[at] == x[best]))
                                dx[at] += dy[output_at(g, n, oh, ow, c)];
                        }
                }
}

double softmax_loss(int n, int classes, const double *logits, const int *labels, double *dlogits)
{
    double loss = 0;
    int i, k;
    for (i = 0; i < n; i++) {
        const double *z = logits + i * classes;
        double most = z[0], sum = 0;
        for (k = 1; k < classes; k++) most = z[k] > most ? z[k] : most;
        for (k = 0; k < classes; k++) sum += exp(z[k] - most);
        loss += log(sum) - (z[labels[i]] - most);
        for (k = 0; k < classes; k++) {
            double d = exp(z[k] - most) / sum;
            if (PLANTED != LABEL_FORGOTTEN && k == labels[i]) d -= 1;
            dlogits[i * classes + k] = PLANTED == GRADIENT_SUMMED ? d : d / n;
        }
    }
    return PLANTED == LOSS_SUMMED ? loss : loss / n;
}
