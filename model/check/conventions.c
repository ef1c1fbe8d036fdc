/* conventions.c - where real libraries differ and none is wrong: what an operation may do, in words. A case is tried
 * under each; the first that makes a result ok is the one that it follows. */
#include "op.h"

#include <string.h>

static const struct fer_convention conventions[] = {
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
};

const struct fer_convention *fer_op_convention(const char *operation, int i)
{
    size_t k;
    for (k = 0; k < sizeof conventions / sizeof *conventions; k++)
        if (strcmp(conventions[k].operation, operation) == 0 && i-- == 0) return &conventions[k];
    return NULL;
}
