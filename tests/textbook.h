/* textbook.h - the slow judge of layers/: each layer again, as a textbook writes it. The same arguments as the function of
 * fer.h, section 3, whose name it bears, and the same order of summation as the header of that layer's file states; so
 * the results must be equal to the last bit. It shares no line with layers/. */
#ifndef TEXTBOOK_H
#define TEXTBOOK_H

#include "../fer.h"

void textbook_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y);
void textbook_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx);
void textbook_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel);

void textbook_batch_moments(size_t rows, int channels, const real *x, real *mean, real *variance);
void textbook_batch_normalization_forward(size_t rows, int channels, const real *x, const real *mean, const real *variance,
                                          const real *gamma, const real *beta, double epsilon, real *y);
void textbook_batch_normalization_backward(size_t rows, int channels, const real *x, const real *mean, const real *variance,
                                           const real *gamma, double epsilon, int batch_statistics, const real *dy,
                                           real *dx, real *dgamma, real *dbeta);
void textbook_moving_statistics(size_t rows, int channels, const real *mean, const real *variance, double momentum,
                                int unbiased, real *moving_mean, real *moving_variance);

void textbook_relu(size_t count, const real *x, const real *dy, real *y, real *dx);

void textbook_max_pooling2d(const struct fer_window *g, const real *x, const real *dy, real *y, real *dx);
void textbook_average_pooling2d_forward(const struct fer_window *g, const real *x, real *y);
void textbook_average_pooling2d_backward(const struct fer_window *g, const real *dy, real *dx);
void textbook_global_average_pooling2d(int n, int cells, int channels, const real *x, const real *dy, real *y, real *dx);

void textbook_dense_forward(int n, int in, int out, const real *x, const real *kernel, const real *bias, real *y);
void textbook_dense_backward_input(int n, int in, int out, const real *dy, const real *kernel, real *dx);
void textbook_dense_backward_parameters(int n, int in, int out, const real *x, const real *dy, real *dkernel, real *dbias);

double textbook_softmax_cross_entropy(int n, int classes, const real *logits, const int *labels, real *probabilities,
                                      double *losses, real *dlogits);

void textbook_adam_step(const struct fer_adam *adam, long t, size_t count, real *parameter, const real *gradient, real *m,
                        real *v);

#endif
