/* functions.c - how far a backend's activation functions may be off, in units of u: so many roundings of a magnitude.
 *
 * Forward, since backends compute these functions to a few units of 1 and not of a small result:
 *
 *     sigmoid, tanh   8u;   elu 8u below 0, above it copies;   silu 8u |x|, x times a sigmoid
 *     hard_sigmoid    4u (slope |x| + 1/2);   LeakyReLU 2u |y| below 0, above it copies;   ReLU copies
 *
 * and backward, where the factor of dy may come from the input or from the output as the backend has it:
 *
 *     sigmoid 16u |dy|;   tanh 24u |dy|;   silu 24u |dy| (1 + |x|);   elu 16u |dy| below 0
 *     hard_sigmoid 4u |dx|;   LeakyReLU 4u |dx| below 0 */
#include "functions.h"

#include <math.h>

static struct fer_own_error error_of(double magnitude, double roundings)
{
    const struct fer_own_error error = {magnitude, roundings};
    return error;
}

static struct fer_own_error relu(const struct fer_layer *layer, double x, double y)
{
    (void)layer, (void)x, (void)y;
    return error_of(0, 0);
}

static struct fer_own_error leaky_relu(const struct fer_layer *layer, double x, double y)
{
    (void)layer;
    return x <= 0 ? error_of(fabs(y), 2) : error_of(0, 0);
}

static struct fer_own_error leaky_relu_backward(const struct fer_layer *layer, double y, double dy, double dx)
{
    (void)layer, (void)dy;
    return error_of(fabs(dx), y <= 0 ? 4 : 0);
}

static struct fer_own_error units_of_one(const struct fer_layer *layer, double x, double y)
{
    (void)layer, (void)x, (void)y;
    return error_of(1, 8);
}

static struct fer_own_error sigmoid_backward(const struct fer_layer *layer, double y, double dy, double dx)
{
    (void)layer, (void)y, (void)dx;
    return error_of(fabs(dy), 16);
}

static struct fer_own_error tanh_backward(const struct fer_layer *layer, double y, double dy, double dx)
{
    (void)layer, (void)y, (void)dx;
    return error_of(fabs(dy), 24);
}

static struct fer_own_error hard_sigmoid(const struct fer_layer *layer, double x, double y)
{
    (void)y;
    return error_of(layer->slope * fabs(x) + 0.5, 4);
}

static struct fer_own_error hard_sigmoid_backward(const struct fer_layer *layer, double y, double dy, double dx)
{
    (void)layer, (void)y, (void)dy;
    return error_of(fabs(dx), 4);
}

static struct fer_own_error silu(const struct fer_layer *layer, double x, double y)
{
    (void)layer, (void)y;
    return error_of(fabs(x), 8);
}

static struct fer_own_error silu_backward(const struct fer_layer *layer, double x, double dy, double dx)
{
    (void)layer, (void)dx;
    return error_of(fabs(dy) * (1 + fabs(x)), 24);
}

static struct fer_own_error elu(const struct fer_layer *layer, double x, double y)
{
    (void)layer, (void)y;
    return x > 0 ? error_of(0, 0) : error_of(1, 8);
}

static struct fer_own_error elu_backward(const struct fer_layer *layer, double y, double dy, double dx)
{
    (void)layer, (void)dx;
    return error_of(fabs(dy), y > 0 ? 0 : 16);
}

const struct fer_function fer_functions[FER_LAYER_TYPES] = {
    [FER_ACTIVATION] = {relu, NULL, 0, 1},
    [FER_LEAKY_RELU] = {leaky_relu, leaky_relu_backward, 0, 1},
    [FER_SIGMOID] = {units_of_one, sigmoid_backward, 0, 0},
    [FER_HARD_SIGMOID] = {hard_sigmoid, hard_sigmoid_backward, 0, 0},
    [FER_TANH] = {units_of_one, tanh_backward, 0, 0},
    [FER_SILU] = {silu, silu_backward, 1.1, 0},
    [FER_ELU] = {elu, elu_backward, 0, 0},
};
