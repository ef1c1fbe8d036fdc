/* leaky_relu.c - ReLU with a slope below 0 and a largest value: LeakyReLU, ReLU6, Keras's ReLU(max_value,
 * negative_slope).
 *
 *     y  = slope * x  where x <= 0;  max_value where x >= max_value;  else x
 *     dx = slope * dy where y <= 0;  0 where y >= max_value;          else dy        from y: slope is not negative
 *
 * With slope 0 the first line is 0, whatever x or dy. max_value is infinite where there is none. A NaN passes. */
#include "layers.h"

#include <math.h>

void fer_leaky_relu_forward(size_t count, real slope, real max_value, const real *x, real *y)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] <= 0 ? (slope > 0 ? slope * x[i] : 0) : x[i] >= max_value ? max_value : x[i];
}

void fer_leaky_relu_backward(size_t count, real slope, real max_value, const real *y, const real *dy, real *dx)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++)
        dx[i] = y[i] <= 0 ? (slope > 0 ? slope * dy[i] : 0) : y[i] >= max_value && max_value < INFINITY ? 0 : dy[i];
}
