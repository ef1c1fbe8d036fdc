/* op_hypotheses.c - how results of an operation that are WRONG may have come about: another choice of an option, or a
 * mistake that is often made. The operation is done once more so, and what is ok then is explained. */
#include "op.h"

#include <string.h>

static const struct fer_hypothesis hypotheses[] = {
    {"conv2d", {NULL, NULL}, FER_KERNEL_TURNED,
     "the kernel is turned by 180 degrees: a convolution in the mathematical sense, where a correlation is meant"},
    {"conv2d", {NULL, NULL}, FER_NO_BIAS, "the bias is not added"},
    {"conv2d", {"padding", "same_lower"}, FER_NO_TWIST,
     "the larger half of the padding is before: --padding same_lower"},
    {"conv2d", {"padding", "same"}, FER_NO_TWIST, "the larger half of the padding is behind: --padding same"},
    {"depthwise_conv2d", {NULL, NULL}, FER_KERNEL_TURNED,
     "the kernel is turned by 180 degrees: a convolution in the mathematical sense, where a correlation is meant"},
    {"depthwise_conv2d", {NULL, NULL}, FER_NO_BIAS, "the bias is not added"},
    {"dense", {NULL, NULL}, FER_NO_BIAS, "the bias is not added"},
    {"batch_normalization", {"epsilon", "0"}, FER_NO_TWIST, "epsilon is not added to the variance"},
    {"batch_normalization", {"epsilon", "1e-5"}, FER_NO_TWIST, "epsilon is 1e-5, PyTorch's"},
    {"batch_normalization", {"moving-variance", "biased"}, FER_NO_TWIST,
     "the moving variance takes the biased variance: --moving-variance biased"},
    {"batch_normalization", {"moving-variance", "unbiased"}, FER_NO_TWIST,
     "the moving variance takes the unbiased variance: --moving-variance unbiased"},
    {"batch_normalization", {NULL, NULL}, FER_CONSTANT_STATISTICS,
     "mean and variance are taken as constants, but they depend on x: two terms are missing"},
    {"batch_normalization", {NULL, NULL}, FER_NO_VARIANCE_TERM, "the term that comes through the variance is missing"},
    {"relu", {"at-zero", "1"}, FER_NO_TWIST, "the derivative at 0 is taken as 1: --at-zero 1"},
    {"max_pooling2d", {"ties", "last"}, FER_NO_TWIST, "the gradient goes to the last of equal maxima: --ties last"},
    {"max_pooling2d", {"ties", "all"}, FER_NO_TWIST, "each of equal maxima gets the whole gradient: --ties all"},
    {"max_pooling2d", {"ties", "split"}, FER_NO_TWIST, "equal maxima share the gradient: --ties split"},
    {"max_pooling2d", {"ties", "first"}, FER_NO_TWIST, "the gradient goes to the first of equal maxima: --ties first"},
    {"average_pooling2d", {"count-include-pad", "1"}, FER_NO_TWIST,
     "cells in the padding are counted: --count-include-pad 1"},
    {"average_pooling2d", {"count-include-pad", "0"}, FER_NO_TWIST,
     "cells in the padding are not counted: --count-include-pad 0"},
    {"softmax_cross_entropy", {NULL, NULL}, FER_NO_LABEL, "the label's 1 is not subtracted from the probabilities"},
    {"adam", {"form", "pytorch"}, FER_NO_TWIST, "epsilon is added after the correction: --form pytorch"},
    {"adam", {"form", "keras"}, FER_NO_TWIST, "epsilon is added before the correction: --form keras"},
    {"adam", {"form", "uncorrected"}, FER_NO_TWIST, "the moments' start at 0 is not corrected: --form uncorrected"},
};

const struct fer_hypothesis *fer_op_hypothesis(const char *operation, int i)
{
    size_t k;
    for (k = 0; k < sizeof hypotheses / sizeof *hypotheses; k++)
        if (strcmp(hypotheses[k].operation, operation) == 0 && i-- == 0) return &hypotheses[k];
    return NULL;
}
