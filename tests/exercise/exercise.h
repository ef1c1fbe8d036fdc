/* exercise.h - the functions of the exercise; README.md is the task. Every array is dense and row-major, double: images
 * [n][h][w][c], kernels [kh][kw][ci][co], dy the gradient of the loss by y. A result must be written whole. */
#ifndef EXERCISE_H
#define EXERCISE_H

#include <stddef.h>

/* A window of kh x kw cells that moves over images x[n][h][w][ci] by `stride`, with `pad` rows and columns of zeros
 * around them: y[n][oh][ow][co], oh = (h + 2 pad - kh) div stride + 1, ow alike. Pooling: co = ci, pad = 0. */
struct geometry {
    int n, h, w, ci, kh, kw, co, stride, pad, oh, ow;
};

/* y = the sum over the window of x * kernel, + bias[co] */
void conv2d_forward(const struct geometry *g, const double *x, const double *kernel, const double *bias, double *y);
void conv2d_backward(const struct geometry *g, const double *x, const double *kernel, const double *dy, double *dx,
                     double *dkernel, double *dbias);

/* y = gamma (x - mean) / sqrt(variance + epsilon) + beta, of x[rows][c]; mean and (biased) variance are the batch's,
 * over the rows, for each channel */
void batch_normalization_forward(int rows, int c, double epsilon, const double *x, const double *gamma,
                                 const double *beta, double *y);
void batch_normalization_backward(int rows, int c, double epsilon, const double *x, const double *gamma,
                                  const double *dy, double *dx, double *dgamma, double *dbeta);

/* y = the largest of each window; the gradient goes to the first of several equal ones, in row-major order */
void max_pooling2d_forward(const struct geometry *g, const double *x, double *y);
void max_pooling2d_backward(const struct geometry *g, const double *x, const double *dy, double *dx);

/* Returns the mean over the images of -log(p[label]), p = softmax(logits[n][classes]), and writes its gradient. Logits
 * may be as large as 1000. */
double softmax_loss(int n, int classes, const double *logits, const int *labels, double *dlogits);

#endif
