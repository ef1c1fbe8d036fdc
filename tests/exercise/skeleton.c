/* skeleton.c - write the seven functions of exercise.h here; README.md says how to have them marked. */
#include "exercise.h"

#include <math.h>

void conv2d_forward(const struct geometry *g, const double *x, const double *kernel, const double *bias, double *y)
{
    (void)g, (void)x, (void)kernel, (void)bias, (void)y;
}

void conv2d_backward(const struct geometry *g, const double *x, const double *kernel, const double *dy, double *dx,
                     double *dkernel, double *dbias)
{
    (void)g, (void)x, (void)kernel, (void)dy, (void)dx, (void)dkernel, (void)dbias;
}

void batch_normalization_forward(int rows, int c, double epsilon, const double *x, const double *gamma,
                                 const double *beta, double *y)
{
    (void)rows, (void)c, (void)epsilon, (void)x, (void)gamma, (void)beta, (void)y;
}

void batch_normalization_backward(int rows, int c, double epsilon, const double *x, const double *gamma,
                                  const double *dy, double *dx, double *dgamma, double *dbeta)
{
    (void)rows, (void)c, (void)epsilon, (void)x, (void)gamma, (void)dy, (void)dx, (void)dgamma, (void)dbeta;
}

void max_pooling2d_forward(const struct geometry *g, const double *x, double *y)
{
    (void)g, (void)x, (void)y;
}

void max_pooling2d_backward(const struct geometry *g, const double *x, const double *dy, double *dx)
{
    (void)g, (void)x, (void)dy, (void)dx;
}

double softmax_loss(int n, int classes, const double *logits, const int *labels, double *dlogits)
{
    (void)n, (void)classes, (void)logits, (void)labels, (void)dlogits;
    return 0;
}
