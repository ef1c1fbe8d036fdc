/* hypotheses.c - the table of what is tried (hypotheses.h), and what each twist does to what an operation reads. */
#include "hypotheses.h"
#include "mistake.h"

#include <math.h>
#include <string.h>

#define TURNED "the kernel is turned by 180 degrees: a convolution in the mathematical sense, where a correlation is " \
               "meant"
#define BEFORE "the larger half of the padding is before: --padding same_lower"
#define BEHIND "the larger half of the padding is behind: --padding same"
#define TAIL "the last input channels are left out: those beyond a multiple of "

static const struct fer_hypothesis hypotheses[] = {
    {"conv2d", {NULL, NULL}, FER_KERNEL_TURNED, TURNED},
    {"conv2d", {NULL, NULL}, FER_KERNEL_EXCHANGED, "the kernel's height and width are exchanged"},
    {"conv2d", {NULL, NULL}, FER_KERNEL_AS_OIHW, "the kernel's bytes, HWIO, are read as OIHW"},
    {"conv2d", {NULL, NULL}, FER_KERNEL_FROM_OIHW, "the kernel's bytes are OIHW, read as HWIO"},
    {"conv2d", {NULL, NULL}, FER_INPUT_AS_NCHW, "the input's bytes, NHWC, are read as NCHW"},
    {"conv2d", {NULL, NULL}, FER_INPUT_FROM_NCHW, "the input's bytes are NCHW, read as NHWC"},
    {"conv2d", {NULL, NULL}, FER_INPUT_WITHOUT_TAIL_4, TAIL "4"},
    {"conv2d", {NULL, NULL}, FER_INPUT_WITHOUT_TAIL_8, TAIL "8"},
    {"conv2d", {NULL, NULL}, FER_INPUT_WITHOUT_TAIL_16, TAIL "16"},
    {"conv2d", {NULL, NULL}, FER_NO_BIAS, "the bias is not added"},
    {"conv2d", {NULL, NULL}, FER_NO_DILATION, "the dilation is forgotten: the taps lie side by side"},
    {"conv2d", {NULL, NULL}, FER_GROUPS_CROSSED, "the groups are crossed: each reads the next one's channels"},
    {"conv2d", {NULL, NULL}, FER_GROUPS_MIXED, "the groups are crossed: each reads channels from all of them in turn"},
    {"conv2d", {"padding", "same_lower"}, FER_NO_TWIST, BEFORE},
    {"conv2d", {"padding", "same"}, FER_NO_TWIST, BEHIND},
    {"conv2d", {NULL, NULL}, FER_PADDING_TURNED, "the padding lies on the other side"},
    {"conv2d", {NULL, NULL}, FER_FACTORS_BF16, "input and kernel are rounded to bfloat16 first: --unit bf16"},
    {"conv2d", {NULL, NULL}, FER_FACTORS_CUT_BF16, "input and kernel are cut off to bfloat16 first"},
    {"conv2d", {NULL, NULL}, FER_FACTORS_F16,
     "input and kernel are rounded to float16 or TensorFloat-32 first: --unit tf32"},
    {"depthwise_conv2d", {NULL, NULL}, FER_KERNEL_TURNED, TURNED},
    {"depthwise_conv2d", {NULL, NULL}, FER_KERNEL_EXCHANGED, "the kernel's height and width are exchanged"},
    {"depthwise_conv2d", {NULL, NULL}, FER_KERNEL_AS_OIHW, "the kernel's bytes, HWIO, are read as OIHW"},
    {"depthwise_conv2d", {NULL, NULL}, FER_INPUT_AS_NCHW, "the input's bytes, NHWC, are read as NCHW"},
    {"depthwise_conv2d", {NULL, NULL}, FER_INPUT_FROM_NCHW, "the input's bytes are NCHW, read as NHWC"},
    {"depthwise_conv2d", {NULL, NULL}, FER_NO_BIAS, "the bias is not added"},
    {"depthwise_conv2d", {NULL, NULL}, FER_NO_DILATION, "the dilation is forgotten: the taps lie side by side"},
    {"depthwise_conv2d", {"padding", "same_lower"}, FER_NO_TWIST, BEFORE},
    {"depthwise_conv2d", {"padding", "same"}, FER_NO_TWIST, BEHIND},
    {"depthwise_conv2d", {NULL, NULL}, FER_PADDING_TURNED, "the padding lies on the other side"},
    {"dense", {NULL, NULL}, FER_NO_BIAS, "the bias is not added"},
    {"dense", {NULL, NULL}, FER_KERNEL_AS_OIHW, "the kernel's bytes, [in,out], are read as [out,in]"},
    {"dense", {NULL, NULL}, FER_KERNEL_FROM_OIHW, "the kernel's bytes are [out,in], read as [in,out]"},
    {"dense", {NULL, NULL}, FER_INPUT_WITHOUT_TAIL_4, "the last inputs are left out: those beyond a multiple of 4"},
    {"dense", {NULL, NULL}, FER_INPUT_WITHOUT_TAIL_8, "the last inputs are left out: those beyond a multiple of 8"},
    {"dense", {NULL, NULL}, FER_FACTORS_BF16, "input and kernel are rounded to bfloat16 first: --unit bf16"},
    {"dense", {NULL, NULL}, FER_FACTORS_CUT_BF16, "input and kernel are cut off to bfloat16 first"},
    {"dense", {NULL, NULL}, FER_FACTORS_F16,
     "input and kernel are rounded to float16 or TensorFloat-32 first: --unit tf32"},
    {"batch_normalization", {"epsilon", "0"}, FER_NO_TWIST, "epsilon is not added to the variance"},
    {"batch_normalization", {"epsilon", "1e-3"}, FER_NO_TWIST, "epsilon is 1e-3, Keras's"},
    {"batch_normalization", {"epsilon", "1e-4"}, FER_NO_TWIST, "epsilon is 1e-4"},
    {"batch_normalization", {"epsilon", "1e-5"}, FER_NO_TWIST, "epsilon is 1e-5, PyTorch's"},
    {"batch_normalization", {"epsilon", "1e-6"}, FER_NO_TWIST, "epsilon is 1e-6"},
    {"batch_normalization", {NULL, NULL}, FER_UNBIASED_SCALE, "normalised with the unbiased variance"},
    {"batch_normalization", {NULL, NULL}, FER_EPSILON_OUTSIDE, "epsilon is added outside the root"},
    {"batch_normalization", {"training", "0"}, FER_NO_TWIST,
     "normalised with the moving statistics, as in inference: --training 0"},
    {"batch_normalization", {"training", "1"}, FER_NO_TWIST,
     "normalised with the batch's statistics, as in training: --training 1"},
    {"batch_normalization", {"momentum", "0.9"}, FER_NO_TWIST, "momentum is 0.9: --momentum 0.9"},
    {"batch_normalization", {"momentum", "0.99"}, FER_NO_TWIST, "momentum is 0.99, Keras's: --momentum 0.99"},
    {"batch_normalization", {"momentum", "0.999"}, FER_NO_TWIST, "momentum is 0.999: --momentum 0.999"},
    {"batch_normalization", {"momentum", "0.1"}, FER_NO_TWIST,
     "momentum is 0.1: it and its rest are exchanged (PyTorch's 0.1 is Keras's 0.9)"},
    {"batch_normalization", {"momentum", "0.01"}, FER_NO_TWIST, "momentum is 0.01: it and its rest are exchanged"},
    {"batch_normalization", {"momentum", "1"}, FER_NO_TWIST, "it is not updated"},
    {"batch_normalization", {NULL, NULL}, FER_NEXT_SCALE,
     "each channel is scaled by the next one's gamma / sqrt(variance + epsilon)"},
    {"batch_normalization", {NULL, NULL}, FER_NEXT_SCALE_OF_KERNEL,
     "each channel's kernel is folded with the next one's scale"},
    {"batch_normalization", {NULL, NULL}, FER_NO_SHIFT,
     "beta - mean * scale is lost: the bias of the folded convolution"},
    {"batch_normalization", {NULL, NULL}, FER_NO_BETA, "beta is not added"},
    {"batch_normalization", {"moving-variance", "biased"}, FER_NO_TWIST,
     "the moving variance takes the biased variance: --moving-variance biased"},
    {"batch_normalization", {"moving-variance", "unbiased"}, FER_NO_TWIST,
     "the moving variance takes the unbiased variance: --moving-variance unbiased"},
    {"batch_normalization", {NULL, NULL}, FER_CONSTANT_STATISTICS,
     "mean and variance are taken as constants, but they depend on x: two terms are missing"},
    {"batch_normalization", {NULL, NULL}, FER_NO_VARIANCE_TERM, "the term that comes through the variance is missing"},
    {"relu", {NULL, NULL}, FER_NO_MASK, "the gradient is not masked: it passes where the output is 0"},
    {"relu", {"negative-slope", "0"}, FER_NO_TWIST, "below 0 it is 0: --negative-slope 0"},
    {"relu", {"negative-slope", "0.01"}, FER_NO_TWIST, "the slope below 0 is 0.01, PyTorch's: --negative-slope 0.01"},
    {"relu", {"negative-slope", "0.1"}, FER_NO_TWIST, "the slope below 0 is 0.1: --negative-slope 0.1"},
    {"relu", {"negative-slope", "0.2"}, FER_NO_TWIST,
     "the slope below 0 is 0.2, Keras's function: --negative-slope 0.2"},
    {"relu", {"negative-slope", "0.3"}, FER_NO_TWIST, "the slope below 0 is 0.3, Keras's layer: --negative-slope 0.3"},
    {"relu", {"max-value", "1e300"}, FER_NO_TWIST, "relu for relu6: it is not cut off above"},
    {"hard_sigmoid", {"slope", "1/5"}, FER_NO_TWIST, "the slope is 1/5, Keras 2's: --slope 1/5"},
    {"hard_sigmoid", {"slope", "1/6"}, FER_NO_TWIST, "the slope is 1/6, that of Keras 3 and PyTorch: --slope 1/6"},
    {"relu", {"at-zero", "1"}, FER_NO_TWIST, "the derivative at 0 is taken as 1: --at-zero 1"},
    {"max_pooling2d", {"ties", "last"}, FER_NO_TWIST, "the gradient goes to the last of equal maxima: --ties last"},
    {"max_pooling2d", {"ties", "all"}, FER_NO_TWIST, "each of equal maxima gets the whole gradient: --ties all"},
    {"max_pooling2d", {"ties", "split"}, FER_NO_TWIST, "equal maxima share the gradient: --ties split"},
    {"max_pooling2d", {"ties", "first"}, FER_NO_TWIST, "the gradient goes to the first of equal maxima: --ties first"},
    {"max_pooling2d", {"padding", "same_lower"}, FER_NO_TWIST, BEFORE},
    {"max_pooling2d", {"padding", "same"}, FER_NO_TWIST, BEHIND},
    {"average_pooling2d", {"padding", "same_lower"}, FER_NO_TWIST, BEFORE},
    {"average_pooling2d", {"padding", "same"}, FER_NO_TWIST, BEHIND},
    {"average_pooling2d", {"count-include-pad", "1"}, FER_NO_TWIST,
     "cells in the padding are counted: --count-include-pad 1"},
    {"average_pooling2d", {"count-include-pad", "0"}, FER_NO_TWIST,
     "cells in the padding are not counted: --count-include-pad 0"},
    {"softmax", {NULL, NULL}, FER_NO_MAXIMUM, "softmax without its maximum: exp overflows"},
    {"softmax_cross_entropy", {NULL, NULL}, FER_NO_MAXIMUM, "softmax without its maximum: exp overflows"},
    {"softmax_cross_entropy", {NULL, NULL}, FER_NO_LABEL, "the label's 1 is not subtracted from the probabilities"},
    {"adam", {"form", "pytorch"}, FER_NO_TWIST, "epsilon is added after the correction: --form pytorch"},
    {"adam", {"form", "keras"}, FER_NO_TWIST, "epsilon is added before the correction: --form keras"},
    {"adam", {"form", "uncorrected"}, FER_NO_TWIST, "the moments' start at 0 is not corrected: --form uncorrected"},
};

const struct fer_hypothesis *fer_hypothesis(const char *operation, int i)
{
    size_t k;
    for (k = 0; k < sizeof hypotheses / sizeof *hypotheses; k++)
        if ((!operation || strcmp(hypotheses[k].operation, operation) == 0) && i-- == 0) return &hypotheses[k];
    return NULL;
}

/* ---- What is read ---- */

/* A kernel by 180 degrees. */
static void turn(const size_t *shape, real *values)
{
    const size_t cells = shape[0] * shape[1], each = shape[2] * shape[3];
    size_t cell, k;
    for (cell = 0; cell < cells / 2; cell++)
        for (k = 0; k < each; k++) {
            real *here = values + cell * each + k, *there = values + (cells - 1 - cell) * each + k;
            const real value = *here;
            *here = *there;
            *there = value;
        }
}

/* Lists the array's elements with axis order[0] slowest; `back`: takes them for so listed. */
static int list(int dims, const size_t *shape, const int *order, int back, real *values, struct fer_error *e)
{
    size_t apart[4], place[4] = {0}, count = 1, i, k = 0;
    real *copy;
    int d;
    for (d = dims - 1; d >= 0; count *= shape[d--]) apart[d] = count;
    if (!(copy = fer_allocate(count, sizeof *copy, e))) return -1;
    memcpy(copy, values, count * sizeof *copy);
    for (i = 0; i < count; i++) {
        values[back ? k : i] = copy[back ? i : k];
        for (d = dims - 1; d >= 0; d--) {
            k += apart[order[d]];
            if (++place[order[d]] < shape[order[d]]) break;
            k -= apart[order[d]] * shape[order[d]];
            place[order[d]] = 0;
        }
    }
    fer_free(copy);
    return 0;
}

/* The weights of the last input channels are 0. */
static void cut_tail(int dims, const size_t *shape, size_t multiple, real *values)
{
    const size_t in = shape[dims - 2], out = shape[dims - 1], left = in < multiple ? in : in - in % multiple;
    const size_t cells = dims == 4 ? shape[0] * shape[1] : 1;
    size_t cell, k;
    for (cell = 0; cell < cells; cell++)
        for (k = left * out; k < in * out; k++) values[cell * in * out + k] = 0;
}

/* Channel c of each cell comes from another. */
static int cross_groups(const size_t *shape, size_t groups, int mixed, real *values, struct fer_error *e)
{
    const size_t channels = shape[3], cells = shape[0] * shape[1] * shape[2], each = channels / groups;
    real *cell = fer_allocate(channels, sizeof *cell, e);
    size_t i, c;
    if (!cell) return -1;
    for (i = 0; i < cells; i++, values += channels) {
        memcpy(cell, values, channels * sizeof *cell);
        for (c = 0; c < channels; c++) values[c] = cell[mixed ? c % each * groups + c / each : (c + each) % channels];
    }
    fer_free(cell);
    return 0;
}

static void shorten(size_t count, int digits, int cut, real *values)
{
    size_t i;
    for (i = 0; i < count; i++) values[i] = (real)fer_shortened((double)values[i], digits, cut);
}

int fer_twist_array(enum fer_twist twist, const char *what, int dims, const size_t *shape, size_t groups, real *values,
                    struct fer_error *e)
{
    static const int oihw[4] = {3, 2, 0, 1}, nchw[4] = {0, 3, 1, 2}, exchanged[4] = {1, 0, 2, 3};
    const int is_kernel = strcmp(what, "kernel") == 0 && dims > 1, is_x = strcmp(what, "x") == 0;
    const int *order = dims == 2 ? exchanged : oihw;
    size_t count = 1;
    int d;
    for (d = 0; d < dims; d++) count *= shape[d];
    if ((twist == FER_NO_BIAS && strcmp(what, "bias") == 0) || (twist == FER_NO_BETA && strcmp(what, "beta") == 0))
        memset(values, 0, count * sizeof *values);
    if (is_kernel || is_x) {
        if (twist == FER_FACTORS_BF16) shorten(count, 8, 0, values);
        if (twist == FER_FACTORS_CUT_BF16) shorten(count, 8, 1, values);
        if (twist == FER_FACTORS_F16) shorten(count, 11, 0, values);
    }
    if (is_x && dims == 4) {
        if (twist == FER_INPUT_AS_NCHW || twist == FER_INPUT_FROM_NCHW)
            return list(dims, shape, nchw, twist == FER_INPUT_FROM_NCHW ? 0 : 1, values, e);
        if ((twist == FER_GROUPS_CROSSED || twist == FER_GROUPS_MIXED) && shape[3] % groups == 0)
            return cross_groups(shape, groups, twist == FER_GROUPS_MIXED, values, e);
    }
    if (!is_kernel) return 0;
    if (twist == FER_KERNEL_TURNED && dims == 4) turn(shape, values);
    if (twist == FER_KERNEL_EXCHANGED && dims == 4) return list(dims, shape, exchanged, 0, values, e);
    if (twist == FER_KERNEL_AS_OIHW || twist == FER_KERNEL_FROM_OIHW)
        return list(dims, shape, order, twist == FER_KERNEL_AS_OIHW, values, e);
    if (twist == FER_INPUT_WITHOUT_TAIL_4) cut_tail(dims, shape, 4, values);
    if (twist == FER_INPUT_WITHOUT_TAIL_8) cut_tail(dims, shape, 8, values);
    if (twist == FER_INPUT_WITHOUT_TAIL_16) cut_tail(dims, shape, 16, values);
    return 0;
}

static void exchange(size_t *a, size_t *b)
{
    const size_t a_was = *a;
    *a = *b, *b = a_was;
}

/* Along one axis the taps lie side by side; the output keeps its size. */
static void close_up(size_t kernel, int same, size_t *dilation, size_t *before, size_t *behind)
{
    const size_t less = (kernel - 1) * (*dilation - 1), pad = *before + *behind;
    *dilation = 1;
    if (!same) return;
    *before = pad > less ? (pad - less) / 2 : 0;
    *behind = pad > less ? pad - less - *before : 0;
}

void fer_twist_window(enum fer_twist twist, int same, struct fer_window *g)
{
    if (twist == FER_PADDING_TURNED) exchange(&g->pad_top, &g->pad_bottom), exchange(&g->pad_left, &g->pad_right);
    if (twist == FER_NO_DILATION) {
        close_up(g->kernel_h, same, &g->dilation_h, &g->pad_top, &g->pad_bottom);
        close_up(g->kernel_w, same, &g->dilation_w, &g->pad_left, &g->pad_right);
    }
    if (twist == FER_KERNEL_EXCHANGED && same && g->stride_h == 1 && g->stride_w == 1 &&
        g->dilation_h == g->dilation_w) {
        exchange(&g->kernel_h, &g->kernel_w);
        exchange(&g->pad_top, &g->pad_left), exchange(&g->pad_bottom, &g->pad_right);
    }
}

void fer_twist_scaling(enum fer_twist twist, size_t channels, double epsilon, real *mean, real *variance, real *gamma,
                       real *beta)
{
    size_t c;
    if (twist == FER_NO_SHIFT) memset(mean, 0, channels * sizeof *mean);
    if (twist == FER_NO_SHIFT && beta) memset(beta, 0, channels * sizeof *beta);
    if (twist != FER_NEXT_SCALE && twist != FER_NEXT_SCALE_OF_KERNEL) return;
    for (c = 0; c < channels && twist == FER_NEXT_SCALE_OF_KERNEL; c++) { /* mean * scale stays as it was */
        const size_t next = (c + 1) % channels;
        const double own = (gamma ? (double)gamma[c] : 1) / sqrt((double)variance[c] + epsilon);
        const double other = (gamma ? (double)gamma[next] : 1) / sqrt((double)variance[next] + epsilon);
        mean[c] = (real)((double)mean[c] * own / other);
    }
    for (c = 0; c + 1 < channels; c++) { /* the last one's next is the first, which ends up there */
        const real v = variance[c];
        variance[c] = variance[c + 1], variance[c + 1] = v;
        if (gamma) {
            const real was = gamma[c];
            gamma[c] = gamma[c + 1], gamma[c + 1] = was;
        }
    }
}
