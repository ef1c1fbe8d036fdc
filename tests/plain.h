/* plain.h - the plain loops of layers/, the judges of layers/fast/: see plain.c. */
#ifndef PLAIN_H
#define PLAIN_H

#include "../fer.h"

void plain_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y);
void plain_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx);
void plain_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel);

void plain_batch_moments(size_t rows, size_t channels, const real *x, real *mean, real *variance);
void plain_batch_normalization_forward(size_t rows, size_t channels, const real *x, const real *mean, const real *variance,
                                       const real *gamma, const real *beta, double epsilon, real *y);
void plain_batch_normalization_backward(size_t rows, size_t channels, const real *x, const real *mean,
                                        const real *variance, const real *gamma, double epsilon, int batch_statistics,
                                        const real *dy, real *dx, real *dgamma, real *dbeta);

void plain_max_pooling2d_forward(const struct fer_window *g, const real *x, real *y);
void plain_max_pooling2d_backward(const struct fer_window *g, const real *x, const real *dy, real *dx);
void plain_average_pooling2d_forward(const struct fer_window *g, const real *x, real *y);
void plain_average_pooling2d_backward(const struct fer_window *g, const real *dy, real *dx);

#endif
