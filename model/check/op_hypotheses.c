/* op_hypotheses.c - how results of an operation that are WRONG may have come about: another choice of an option, or a
 * mistake that is often made. The operation is done once more so, and what is ok then is explained. Those with a word
 * are conventions: libraries differ there, and none is wrong. */
#include "op.h"

#include <string.h>

static const struct fer_hypothesis hypotheses[] = {
    {"conv2d", {NULL, NULL}, FER_KERNEL_TURNED, "",
     "the kernel is turned by 180 degrees: a convolution in the mathematical sense, where a correlation is meant"},
    {"conv2d", {NULL, NULL}, FER_NO_BIAS, "", "the bias is not added"},
    {"conv2d", {"padding", "same_lower"}, FER_NO_TWIST, "",
     "the larger half of the padding is before: --padding same_lower"},
    {"conv2d", {"padding", "same"}, FER_NO_TWIST, "", "the larger half of the padding is behind: --padding same"},
    {"depthwise_conv2d", {NULL, NULL}, FER_KERNEL_TURNED, "",
     "the kernel is turned by 180 degrees: a convolution in the mathematical sense, where a correlation is meant"},
    {"depthwise_conv2d", {NULL, NULL}, FER_NO_BIAS, "", "the bias is not added"},
    {"dense", {NULL, NULL}, FER_NO_BIAS, "", "the bias is not added"},
    {"batch_normalization", {"epsilon", "0"}, FER_NO_TWIST, "", "epsilon is not added to the variance"},
    {"batch_normalization", {"epsilon", "1e-5"}, FER_NO_TWIST, "", "epsilon is 1e-5, PyTorch's"},
    {"batch_normalization", {"moving-variance", "biased"}, FER_NO_TWIST, "",
     "the moving variance takes the biased variance: --moving-variance biased"},
    {"batch_normalization", {"moving-variance", "unbiased"}, FER_NO_TWIST, "",
     "the moving variance takes the unbiased variance: --moving-variance unbiased"},
    {"batch_normalization", {NULL, NULL}, FER_CONSTANT_STATISTICS, "",
     "mean and variance are taken as constants, but they depend on x: two terms are missing"},
    {"batch_normalization", {NULL, NULL}, FER_NO_VARIANCE_TERM, "",
     "the term that comes through the variance is missing"},
    {"batch_normalization", {NULL, NULL}, FER_EXACT_CONSTANT, "constant", "a constant channel is exactly beta"},
    {"batch_normalization", {NULL, NULL}, FER_NO_TWIST, "constant",
     "a constant channel is beta but for what rounding leaves of x - mean, over the root of epsilon"},
    {"relu", {NULL, NULL}, FER_NO_TWIST, "kink", "at a kink the derivative is that of the outer side"},
    {"relu", {"at-zero", "1"}, FER_NO_TWIST, "kink", "the derivative at 0 is taken as 1: --at-zero 1"},
    {"relu", {NULL, NULL}, FER_SLOPE_INSIDE, "kink", "at the upper kink the derivative is that of the inner side"},
    {"relu", {NULL, NULL}, FER_SLOPE_HALF, "kink", "at a kink the derivative is the mean of both sides"},
    {"relu", {NULL, NULL}, FER_NO_TWIST, "nan", "NaN is kept, and its gradient passes"},
    {"relu", {NULL, NULL}, FER_NAN_LOST, "nan", "NaN becomes 0, or its gradient does"},
    {"hard_sigmoid", {NULL, NULL}, FER_NO_TWIST, "kink", "at a kink the derivative is that of the outer side"},
    {"hard_sigmoid", {NULL, NULL}, FER_SLOPE_INSIDE, "kink", "at a kink the derivative is that of the inner side"},
    {"hard_sigmoid", {NULL, NULL}, FER_SLOPE_HALF, "kink", "at a kink the derivative is the mean of both sides"},
    {"hard_sigmoid", {NULL, NULL}, FER_NO_TWIST, "nan", "NaN is kept"},
    {"hard_sigmoid", {NULL, NULL}, FER_NAN_LOST, "nan", "NaN becomes 0, or its gradient does"},
    {"silu", {NULL, NULL}, FER_NO_TWIST, "limit", "at the infinities the limit"},
    {"silu", {NULL, NULL}, FER_NO_LIMIT, "limit", "infinity times 0 is NaN"},
    {"max_pooling2d", {"ties", "last"}, FER_NO_TWIST, "ties",
     "the gradient goes to the last of equal maxima: --ties last"},
    {"max_pooling2d", {"ties", "all"}, FER_NO_TWIST, "ties",
     "each of equal maxima gets the whole gradient: --ties all"},
    {"max_pooling2d", {"ties", "split"}, FER_NO_TWIST, "ties", "equal maxima share the gradient: --ties split"},
    {"max_pooling2d", {"ties", "first"}, FER_NO_TWIST, "ties",
     "the gradient goes to the first of equal maxima: --ties first"},
    {"max_pooling2d", {NULL, NULL}, FER_NO_TWIST, "nan", "NaN is kept"},
    {"max_pooling2d", {NULL, NULL}, FER_NAN_LOST, "nan", "NaN is lost to any number"},
    {"max_pooling2d", {NULL, NULL}, FER_NAN_BY_PLACE, "nan", "NaN is kept or lost by its place"},
    {"global_max_pooling2d", {"ties", "first"}, FER_NO_TWIST, "ties", "the gradient goes to the first of equal maxima"},
    {"global_max_pooling2d", {"ties", "last"}, FER_NO_TWIST, "ties", "the gradient goes to the last of equal maxima"},
    {"global_max_pooling2d", {"ties", "all"}, FER_NO_TWIST, "ties", "each of equal maxima gets the whole gradient"},
    {"global_max_pooling2d", {"ties", "split"}, FER_NO_TWIST, "ties", "equal maxima share the gradient"},
    {"global_max_pooling2d", {NULL, NULL}, FER_NO_TWIST, "nan", "NaN is kept"},
    {"global_max_pooling2d", {NULL, NULL}, FER_NAN_LOST, "nan", "NaN is lost to any number"},
    {"global_max_pooling2d", {NULL, NULL}, FER_NAN_BY_PLACE, "nan", "NaN is kept or lost by its place"},
    {"average_pooling2d", {NULL, NULL}, FER_NO_TWIST, "overflow", "the mean, though the sum exceeds the format"},
    {"average_pooling2d", {NULL, NULL}, FER_SUM_OVERFLOWS, "overflow", "infinity, as the sum exceeds the format"},
    {"global_average_pooling2d", {NULL, NULL}, FER_NO_TWIST, "overflow", "the mean, though the sum exceeds the format"},
    {"global_average_pooling2d", {NULL, NULL}, FER_SUM_OVERFLOWS, "overflow",
     "infinity, as the sum exceeds the format"},
    {"average_pooling2d", {"count-include-pad", "1"}, FER_NO_TWIST, "",
     "cells in the padding are counted: --count-include-pad 1"},
    {"average_pooling2d", {"count-include-pad", "0"}, FER_NO_TWIST, "",
     "cells in the padding are not counted: --count-include-pad 0"},
    {"softmax_cross_entropy", {NULL, NULL}, FER_NO_LABEL, "", "the label's 1 is not subtracted from the probabilities"},
    {"adam", {"form", "pytorch"}, FER_NO_TWIST, "", "epsilon is added after the correction: --form pytorch"},
    {"adam", {"form", "keras"}, FER_NO_TWIST, "", "epsilon is added before the correction: --form keras"},
    {"adam", {"form", "uncorrected"}, FER_NO_TWIST, "", "the moments' start at 0 is not corrected: --form uncorrected"},
};

const struct fer_hypothesis *fer_op_hypothesis(const char *operation, int i)
{
    size_t k;
    for (k = 0; k < sizeof hypotheses / sizeof *hypotheses; k++)
        if (strcmp(hypotheses[k].operation, operation) == 0 && i-- == 0) return &hypotheses[k];
    return NULL;
}
