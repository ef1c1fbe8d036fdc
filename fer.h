/* fer.h - the public interface of fer, the numerical ground truth for training a convolutional network.
 *
 * Contents, in reading order:
 *     1. numbers      the type `real`, what a build must keep, errors
 *     2. functions    exp, log, and the random numbers
 *     3. layers       each layer forward and backward: pure functions on arrays
 *     4. network      a list of layers, built one by one: parameters, forward, backward, one step of Adam
 *     5. faces        FER2013 and other images, and how they are taken into a batch
 *     6. arrays       npy and npz files
 *     7. training     settings, the trainer, evaluation, checkpoints, the log
 *     8. gradients    the finite-difference checker
 *     9. one step     one layer on files; the record of one training step
 *    10. verify       another implementation's record against the rounding bound
 *    11. fingerprint  a fixed small training, whose digests are equal everywhere
 *    12. pits         epochs whose validation collapses: found in a log, explained by experiment
 *    13. report       a run as one self-contained HTML page
 *
 * Conventions.
 *   - Arrays are dense and row-major; shapes stand in brackets: x[n][h][w][c]. Images are NHWC, kernels HWIO.
 *   - A function that can fail returns 0 when it did its work, or -1 with the reason in *e; nothing half-done is left.
 *     Layer functions cannot fail: the geometry that they take has been checked before.
 *   - The library never prints, never exits, and reads neither the clock nor the environment.
 *   - An output array never overlaps an input array, unless it says so.
 */
#ifndef FER_H
#define FER_H

#include <float.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined __GNUC__ && !defined _WIN32
#pragma GCC visibility push(default) /* the shared libraries export what stands here, and nothing else */
#endif

#define FER_VERSION "0.2.0"

/* ---- 1. Numbers ------------------------------------------------------------------------------------------------
 *
 * One source, two programs: float32 (`fer`, libfer) and, built with -DFER_DOUBLE, float64 (`fer64`, libfer64). */
#ifdef FER_DOUBLE
typedef double real;
#define FER_REAL_NAME "float64"
#define FER_LIBRARY fer_library_is_float64
#else
typedef float real;
#define FER_REAL_NAME "float32"
#define FER_LIBRARY fer_library_is_float32
#endif

/* Compiled for the one and linked with the other, a program would compute nonsense. So that it does not link, each
 * library has a function whose name the other one lacks, and whatever includes this header asks for it. Returns 1. */
int FER_LIBRARY(void);
#ifdef __GNUC__
__attribute__((used)) /* else it would be left out, since nobody calls it */
#endif
static int (*const fer_library)(void) = FER_LIBRARY;

/* The same bits everywhere: each operation is rounded once, to its own type. A build that cannot keep that is refused:
 * here, where the compiler shows it, and else by fer_arithmetic_check. */
#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__) || defined _M_FP_FAST
#error "fer needs IEEE arithmetic: compile without -ffast-math (and without -Ofast)"
#endif
#if defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__
#error "fer needs IEEE arithmetic: compile without -funsafe-math-optimizations, -fassociative-math, -freciprocal-math"
#endif
/* 16 (gcc with AVX512-FP16) speaks of _Float16 alone: float and double are taken as they are. */
#if defined FLT_EVAL_METHOD && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "fer needs FLT_EVAL_METHOD 0: on i386 compile with -msse2 -mfpmath=sse, on s390x with -fexcess-precision=fast"
#endif
/* gcc does not know the pragma; its -std=c99 already means -ffp-contract=off. */
#if defined __clang__ || !defined __GNUC__
#pragma STDC FP_CONTRACT OFF
#endif

/* Lets the compiler check a printf format, its argument number `text`, against the arguments from `first` on. */
#ifdef __GNUC__
#define FER_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define FER_PRINTF(text, first)
#endif

#define FER_PATH 4096 /* bytes of a path, its end included */

/* The reason of a failure, one line without its newline, as `FILE:LINE: what is wrong and what was expected`. */
struct fer_error {
    char text[FER_PATH + 512];
};
/* Writes the reason (a printf format; control characters become '?') and returns -1. e may be NULL. */
int fer_fail(struct fer_error *e, const char *format, ...) FER_PRINTF(2, 3);

/* Does a handful of operations whose right results are known, and fails when one comes out otherwise: products fused
 * with sums, excess precision, another rounding mode, subnormal numbers flushed to zero. Takes less than a microsecond.
 * fer_network_begin calls it, and the programs do when they start. */
int fer_arithmetic_check(struct fer_error *e);

/* Returns count * size bytes of zeros, aligned to 64, or NULL with the reason in *e. Freed by fer_free. */
void *fer_allocate(size_t count, size_t size, struct fer_error *e);
void fer_free(void *memory);

/* Digest of bytes: CRC-32 (ISO 3309; Python's zlib.crc32), continued from `crc`, which is 0 at the start. */
uint32_t fer_crc32(uint32_t crc, const void *bytes, size_t count);
/* The same of an array of reals, taken as little-endian bytes on every machine. */
uint32_t fer_crc32_reals(uint32_t crc, const real *x, size_t count);

/* ---- 2. Functions and random numbers ------------------------------------------------------------------------- */

/* exp and log in double, the same bits on every machine (libm's are not); error below 1 ulp; see
 * layers/numbers/exp_log.c. */
double fer_exp(double x);
double fer_log(double x);

/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC'11);
 * layers/numbers/random.c has its rounds. */
void fer_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* What a random number is for. Numbers of different purposes never come from the same counter. */
enum fer_purpose {
    FER_FOR_WEIGHTS = 1,     /* epoch: the index of the parameter array; k: the element */
    FER_FOR_SHUFFLE = 2,     /* order of the training images; epoch: the epoch */
    FER_FOR_BATCH_ORDER = 3, /* order of the batches; epoch: the epoch */
    FER_FOR_FACES = 4,       /* drawn faces; epoch: the face */
    FER_FOR_CHECKS = 5,      /* gradient checks, exact records */
    FER_FOR_DROPOUT = 6      /* epoch: the step; k: the element, and the layer's index in the bits above 2^40 */
};

/* Draw number k of a purpose at an epoch: word k mod 4 of the block with
 *     key     { seed mod 2^32, seed div 2^32 }
 *     counter { (k div 4) mod 2^32, (k div 4) div 2^32, epoch, purpose }.
 * So a draw is a function of (seed, purpose, epoch, k), and a resumed run needs no generator state. */
uint32_t fer_draw(uint64_t seed, enum fer_purpose purpose, uint32_t epoch, uint64_t k);

/* The standard normal distribution cut off at -2 and 2: the value below which it is with probability u, 0 < u < 1
 * (Wichura, Algorithm AS 241, Applied Statistics 37, 1988). */
double fer_truncated_normal(double u);

/* (draw + 0.5) / 2^32: uniform in (0, 1), never 0 or 1, exact in double. */
double fer_uniform(uint64_t seed, enum fer_purpose purpose, uint32_t epoch, uint64_t k);

/* Fisher-Yates: for i = count-1 down to 1, swaps order[i] with order[(draw(k) * (i + 1)) div 2^32], k = 0, 1, ...
 * `count` is below 2^32. */
void fer_shuffle(size_t *order, size_t count, uint64_t seed, enum fer_purpose purpose, uint32_t epoch);

/* ---- 3. Layers -----------------------------------------------------------------------------------------------
 *
 * Each backward function *writes* its gradient (it does not add to it). dy stands for dLoss/dy, and so on. */

enum fer_padding { FER_VALID, FER_SAME, FER_SAME_LOWER, FER_EXPLICIT };

/* Geometry of a convolution or a pooling: windows of kernel_h x kernel_w cells, stride_h and stride_w apart.
 * Output cell (oh, ow) sees the input cells ih = oh*stride_h + kh*dilation_h - pad_top, iw = ow*stride_w +
 * kw*dilation_w - pad_left, 0 <= kh < kernel_h, 0 <= kw < kernel_w, as far as they lie inside the image. */
struct fer_window {
    size_t n;                     /* images */
    size_t in_h, in_w, in_c;      /* input  x[n][in_h][in_w][in_c] */
    size_t out_h, out_w, out_c;   /* output y[n][out_h][out_w][out_c]; a pooling has out_c = in_c */
    size_t kernel_h, kernel_w;    /* of a convolution: kernel[kernel_h][kernel_w][in_c / groups][out_c] */
    size_t stride_h, stride_w;
    size_t pad_top, pad_left;     /* cells outside the image above and left of the first window, ... */
    size_t pad_bottom, pad_right; /* ... below and right of it */
    size_t dilation_h, dilation_w; /* cells from one tap of the kernel to the next; of a pooling 1 */
    size_t groups;  /* the channels are cut into so many groups, which do not see each other; of a pooling 1 */
    int count_padding; /* average pooling divides by all cells of a window, those in the padding among them */
};

/* Fills *g, with TensorFlow's output sizes and padding
 * (https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2):
 *     VALID  out = (in - kernel) div stride + 1, no padding
 *     SAME   out = ceil(in / stride), padded by p = max((out-1)*stride + kernel - in, 0): p div 2 before,
 *            the rest behind.
 * Fails when a size is 0, when VALID leaves no output, or when an array would not fit into memory. Dilation and groups
 * are 1. */
int fer_window_set(struct fer_window *g, size_t n, size_t in_h, size_t in_w, size_t in_c, size_t out_c, size_t kernel_h,
                   size_t kernel_w, size_t stride_h, size_t stride_w, enum fer_padding padding, struct fer_error *e);

/* All that a window can have. A kernel of k taps, d apart, covers (k-1)*d + 1 cells, which is what counts here:
 *     VALID       as above
 *     SAME        as above
 *     SAME_LOWER  as SAME, but that of an odd p the larger half comes before
 *     EXPLICIT    `top` cells above, and so on: out = (in + top + bottom - kernel) div stride + 1
 * With `ceil` (VALID and EXPLICIT) that division is rounded up: a last window may reach beyond the padding, as long as
 * it begins before it (PyTorch's ceil_mode). */
struct fer_window_options {
    size_t out_c; /* of a convolution */
    size_t kernel_h, kernel_w, stride_h, stride_w;
    size_t dilation_h, dilation_w, groups; /* 0: 1 */
    enum fer_padding padding;
    size_t top, bottom, left, right;       /* EXPLICIT */
    int pooling; /* out_c, dilation and groups are not looked at; each window must see a cell of the image */
    int ceil, count_padding;
};
/* As fer_window_set; fails too when the groups do not divide the channels. */
int fer_window_fill(struct fer_window *g, size_t n, size_t in_h, size_t in_w, size_t in_c,
                    const struct fer_window_options *options, struct fer_error *e);

/* Conv2D. y[n][oh][ow][co] = sum over kh, kw, ci of x[n][ih][iw][ci] * kernel[kh][kw][ci][co], ci from co's group. */
void fer_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y);
void fer_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx);
void fer_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel);

/* DepthwiseConv2D: each channel makes M = out_c / in_c channels, and groups = in_c.
 * y[n][oh][ow][c*M + m] = sum over kh, kw of x[n][ih][iw][c] * kernel[kh][kw][c][m]. */
void fer_depthwise_conv2d_forward(const struct fer_window *g, const real *x, const real *kernel, real *y);
void fer_depthwise_conv2d_backward_input(const struct fer_window *g, const real *dy, const real *kernel, real *dx);
void fer_depthwise_conv2d_backward_kernel(const struct fer_window *g, const real *x, const real *dy, real *dkernel);

/* The bias of either, rows = n*h*w: y[row][c] += bias[c], in place; dbias[c] = sum over row of dy[row][c]. */
void fer_bias_forward(size_t rows, size_t channels, const real *bias, real *y);
void fer_bias_backward(size_t rows, size_t channels, const real *dy, real *dbias);

/* BatchNormalization of x[rows][channels], rows = n*h*w (Ioffe and Szegedy, arXiv:1502.03167).
 * gamma and beta [channels] may be NULL: ones and zeros.
 *     moments   mean and biased variance of each channel over the rows; of equal rows exactly their value and 0
 *     forward   y = (x - mean) * (gamma / sqrt(variance + epsilon)) + beta
 *     backward  with batch_statistics != 0 mean and variance are taken as functions of x (training), else as constants
 *               (inference). dx, dgamma and dbeta may be NULL: not wanted.
 * y may be x itself, and dx dy. */
void fer_batch_moments(size_t rows, size_t channels, const real *x, real *mean, real *variance);
void fer_batch_normalization_forward(size_t rows, size_t channels, const real *x, const real *mean,
                                     const real *variance, const real *gamma, const real *beta, double epsilon,
                                     real *y);
void fer_batch_normalization_backward(size_t rows, size_t channels, const real *x, const real *mean,
                                      const real *variance, const real *gamma, double epsilon, int batch_statistics,
                                      const real *dy, real *dx, real *dgamma, real *dbeta);
/* moving = moving * momentum + batch * (1 - momentum), in place. With unbiased != 0 the variance taken in is
 * variance * rows / max(rows - 1, 1) (Bessel; TensorFlow's fused kernel), else the biased one (Keras 3). */
void fer_moving_statistics(size_t rows, size_t channels, const real *mean, const real *variance, double momentum,
                           int unbiased, real *moving_mean, real *moving_variance);

/* ReLU. y = 0 where x <= 0, else x; dx = 0 where x <= 0, else dy (so a NaN passes). The backward may be given y in
 * place of x: they are positive at the same elements. y may be x itself, and dx dy. */
void fer_relu_forward(size_t count, const real *x, real *y);
void fer_relu_backward(size_t count, const real *x, const real *dy, real *dx);

/* LeakyReLU, ReLU6, ReLU(max_value, negative_slope): y = slope * x where x <= 0, max_value where x >= max_value, else
 * x. 0 <= slope; max_value INFINITY: none. The backward is given y: dx = slope * dy, 0, dy. Here and below, y may be x
 * itself, and dx dy. */
void fer_leaky_relu_forward(size_t count, real slope, real max_value, const real *x, real *y);
void fer_leaky_relu_backward(size_t count, real slope, real max_value, const real *y, const real *dy, real *dx);
/* y = 1 / (1 + exp(-x)); dx = dy * y * (1 - y). */
void fer_sigmoid_forward(size_t count, const real *x, real *y);
void fer_sigmoid_backward(size_t count, const real *y, const real *dy, real *dx);
/* y = slope * x + 1/2, but 0 ... 1; dx = dy * slope where 0 < y < 1. slope 1/6 (Keras 3, PyTorch) or 1/5 (Keras 2). */
void fer_hard_sigmoid_forward(size_t count, real slope, const real *x, real *y);
void fer_hard_sigmoid_backward(size_t count, real slope, const real *y, const real *dy, real *dx);
/* dx = dy * (1 - y^2). */
void fer_tanh_forward(size_t count, const real *x, real *y);
void fer_tanh_backward(size_t count, const real *y, const real *dy, real *dx);
/* y = x / (1 + exp(-x)); the backward is given x. */
void fer_silu_forward(size_t count, const real *x, real *y);
void fer_silu_backward(size_t count, const real *x, const real *dy, real *dx);
/* y = x where x > 0, else exp(x) - 1; dx = dy where y > 0, else dy * (y + 1). */
void fer_elu_forward(size_t count, const real *x, real *y);
void fer_elu_backward(size_t count, const real *y, const real *dy, real *dx);

/* Add: y = x[0] + x[1] + ...; dx[k] = dy. dx[k] may be NULL: not wanted. */
void fer_add_forward(size_t count, int inputs, const real *const *x, real *y);
void fer_add_backward(size_t count, int inputs, const real *dy, real *const *dx);
/* Multiply: y[n][out_cells][c] = x[0] * x[1] * ..., x[k][n][cells[k]][c] with cells[k] out_cells, or 1: the same number
 * for every cell. dx[k] may be NULL. */
void fer_multiply_forward(size_t images, size_t channels, int inputs, const size_t *cells, size_t out_cells,
                          const real *const *x, real *y);
void fer_multiply_backward(size_t images, size_t channels, int inputs, const size_t *cells, size_t out_cells,
                           const real *const *x, const real *dy, real *const *dx);

/* ZeroPadding2D: x[n][h][w][c] into the middle of y[n][top + h + bottom][left + w + right][c]; edge: top, bottom, left,
 * right. Cropping2D: the middle of x into y[n][h][w][c]. Each is the other's backward. */
void fer_zero_padding2d_forward(size_t images, size_t h, size_t w, size_t channels, const size_t edge[4], const real *x,
                                real *y);
void fer_cropping2d_forward(size_t images, size_t h, size_t w, size_t channels, const size_t edge[4], const real *x,
                            real *y);

/* Dropout in training: y = x / (1 - rate) where fer_uniform(seed, FER_FOR_DROPOUT, step, first + i) >= rate, else 0; of
 * SpatialDropout2D whole channels of x[n][cells][c], by number n * channels + c. 0 <= rate < 1. The backward is the
 * same function of dy. */
void fer_dropout(size_t count, double rate, uint64_t seed, uint32_t step, uint64_t first, const real *x, real *y);
void fer_spatial_dropout2d(size_t images, size_t cells, size_t channels, double rate, uint64_t seed, uint32_t step,
                           uint64_t first, const real *x, real *y);

/* Rescaling: y[row][c] = x * scale[c] + offset[c]. Normalization: y[row][c] = (x - mean[c]) / max(sqrt(variance[c]),
 * 1e-7). */
void fer_rescaling_forward(size_t rows, size_t channels, const real *scale, const real *offset, const real *x, real *y);
void fer_rescaling_backward(size_t rows, size_t channels, const real *scale, const real *dy, real *dx);
void fer_normalization_forward(size_t rows, size_t channels, const real *mean, const real *variance, const real *x,
                               real *y);
void fer_normalization_backward(size_t rows, size_t channels, const real *variance, const real *dy, real *dx);

/* MaxPooling2D. The gradient goes to the first maximum of each window in row-major order. A NaN counts as the
 * maximum. */
void fer_max_pooling2d_forward(const struct fer_window *g, const real *x, real *y);
void fer_max_pooling2d_backward(const struct fer_window *g, const real *x, const real *dy, real *dx);

/* The same, with the gradient of several equal maxima sent to the first or to the last of them, to each of them, or
 * shared among them. Where there is a NaN the window's maxima are its NaNs. */
enum fer_ties { FER_TIES_FIRST, FER_TIES_LAST, FER_TIES_ALL, FER_TIES_SPLIT, FER_TIES_ANY /* of fer_verify alone */ };
void fer_max_pooling2d_backward_ties(const struct fer_window *g, enum fer_ties ties, const real *x, const real *dy,
                                     real *dx);

/* AveragePooling2D. The mean over those cells of the window that lie inside the image (count_padding: or outside). */
void fer_average_pooling2d_forward(const struct fer_window *g, const real *x, real *y);
void fer_average_pooling2d_backward(const struct fer_window *g, const real *dy, real *dx);

/* GlobalAveragePooling2D. y[n][c] = mean over the cells of x[n][cells][c], cells = h*w. */
void fer_global_average_pooling2d_forward(size_t images, size_t cells, size_t channels, const real *x, real *y);
void fer_global_average_pooling2d_backward(size_t images, size_t cells, size_t channels, const real *dy, real *dx);

/* GlobalMaxPooling2D. y[n][c] = the largest of x[n][cells][c]; ties and NaN as in MaxPooling2D. */
void fer_global_max_pooling2d_forward(size_t images, size_t cells, size_t channels, const real *x, real *y);
void fer_global_max_pooling2d_backward(size_t images, size_t cells, size_t channels, const real *x, const real *dy,
                                       real *dx);

/* Concatenate along the channels: inputs x[i][rows][channels[i]] to y[rows][sum of channels]. dx[i] may be NULL: not
 * wanted. */
void fer_concatenate_forward(size_t rows, int inputs, const size_t *channels, const real *const *x, real *y);
void fer_concatenate_backward(size_t rows, int inputs, const size_t *channels, const real *dy, real *const *dx);

/* Dense. y[row][co] = sum over ci of x[row][ci] * kernel[ci][co], then + bias[co] (NULL: none). */
void fer_dense_forward(size_t rows, size_t in_c, size_t out_c, const real *x, const real *kernel, const real *bias,
                       real *y);
void fer_dense_backward_input(size_t rows, size_t in_c, size_t out_c, const real *dy, const real *kernel, real *dx);
void fer_dense_backward_kernel(size_t rows, size_t in_c, size_t out_c, const real *x, const real *dy, real *dkernel);
void fer_dense_backward_bias(size_t rows, size_t out_c, const real *dy, real *dbias);

/* Softmax. probabilities[row][k] = exp(logits[row][k]) / sum over k of exp(logits[row][k]). */
void fer_softmax(size_t rows, size_t classes, const real *logits, real *probabilities);
/* As an activation: dx[k] = y[k] * (dy[k] - sum over j of dy[j] * y[j]) in each row. */
void fer_softmax_backward(size_t rows, size_t classes, const real *y, const real *dy, real *dx);

/* Categorical cross-entropy, from the logits:
 *     losses[n]     = log(sum over k of exp(logits[n][k])) - logits[n][label], in double    (NULL: not wanted)
 *     dlogits[n][k] = (probabilities[n][k] - [k is the label]) / images                     (NULL: not wanted)
 * labels[images], each 0 <= label < classes. Returns the sum of the losses in image order, in double. The batch's loss,
 * whose gradient dlogits is, is that sum / images. */
double fer_cross_entropy(size_t images, size_t classes, const real *logits, const int *labels, double *losses,
                         real *dlogits);
/* The same with probabilities targets[images][classes] in place of labels (soft labels), T their sum:
 *     losses[n]     = sum over k of targets[n][k] * (log(sum over j of exp(logits[n][j])) - logits[n][k])
 *     dlogits[n][k] = (probabilities[n][k] * T - targets[n][k]) / images */
double fer_soft_cross_entropy(size_t images, size_t classes, const real *logits, const real *targets, double *losses,
                              real *dlogits);
/* Both at once. probabilities may be NULL too; without labels (NULL) there is no loss: 0 is returned. */
double fer_softmax_cross_entropy(size_t images, size_t classes, const real *logits, const int *labels,
                                 real *probabilities, double *losses, real *dlogits);

/* Adam, step t = 1, 2, ... (Kingma and Ba, arXiv:1412.6980, section 2's last form, as TensorFlow applies it), in place:
 *     m += (gradient - m) * (1 - beta1);  v += (gradient^2 - v) * (1 - beta2)
 *     parameter -= m * lr_t / (sqrt(v) + epsilon),  lr_t = learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t) */
struct fer_adam {
    double learning_rate, beta1, beta2, epsilon;
};
void fer_adam_step(const struct fer_adam *adam, long t, size_t count, real *parameter, const real *gradient, real *m,
                   real *v);
/* Adam as others have it, with decoupled weight decay (AdamW; 0: none):
 *     PYTORCH      parameter -= m * learning_rate / (1 - beta1^t) / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
 *     UNCORRECTED  parameter -= m * learning_rate / (sqrt(v) + epsilon)
 * and before that, in each form, parameter *= 1 - learning_rate * weight_decay. */
enum fer_adam_form { FER_ADAM_KERAS, FER_ADAM_PYTORCH, FER_ADAM_UNCORRECTED };
void fer_adam_step_of(const struct fer_adam *adam, enum fer_adam_form form, double weight_decay, long t, size_t count,
                      real *parameter, const real *gradient, real *m, real *v);

/* ---- 4. The network ------------------------------------------------------------------------------------------
 *
 * A network is a list of layers, each behind those that it takes from: the first is the input, the last gives the
 * classes. It is built layer by layer (fer_network_begin, below), or as a whole (fer_incv3v1). */

#define FER_CLASSES 7 /* of faces; another network may have others */
extern const char *const fer_class_names[FER_CLASSES]; /* angry, disgust, fear, happy, sad, surprise, neutral */

/* Kinds of layers. model/kinds.c has a row for each: its shape, its parameters, its functions. */
enum fer_layer_type {
    FER_INPUT,
    FER_CONV2D,
    FER_DEPTHWISE_CONV2D,
    FER_BATCH_NORMALIZATION,
    FER_ACTIVATION, /* ReLU */
    FER_MAX_POOLING2D,
    FER_AVERAGE_POOLING2D,
    FER_GLOBAL_AVERAGE_POOLING2D,
    FER_GLOBAL_MAX_POOLING2D,
    FER_CONCATENATE,
    FER_DENSE,
    FER_LEAKY_RELU, /* with a largest value, if it has one */
    FER_SIGMOID,
    FER_HARD_SIGMOID,
    FER_TANH,
    FER_SILU,
    FER_ELU,
    FER_SOFTMAX,
    FER_ADD,
    FER_MULTIPLY,
    FER_RESHAPE,    /* Flatten and a linear activation too */
    FER_ZERO_PADDING2D,
    FER_CROPPING2D,
    FER_DROPOUT,
    FER_SPATIAL_DROPOUT2D,
    FER_RESCALING,
    FER_NORMALIZATION,
    FER_LAYER_TYPES
};
const char *fer_layer_class(enum fer_layer_type type); /* Keras's class name: "InputLayer", "Conv2D", ... */

#define FER_MAX_LAYERS 1024
#define FER_MAX_PARAMETERS 2048
#define FER_MAX_INPUTS 64 /* of one layer */
#define FER_MAX_NAME 64   /* of a layer, with the 0 at its end */
#define FER_MAX_ARRAY 96  /* the name of any array of a layer: LAYER/moving_variance_new and the like */

/* How a parameter begins: constant, or random, each number of its own and the same variance in effect,
 *     FER_UNIFORM            (2u - 1) * sqrt(3 * scale / fan)
 *     FER_TRUNCATED_NORMAL   fer_truncated_normal(u) * sqrt(scale / fan) / 0.87962566103423978
 * with fan the products that make up one output (fan_in), that one input goes into (fan_out), or the mean of both:
 * Keras's VarianceScaling. glorot_uniform: scale 1, average; he_normal: scale 2, fan_in. */
enum fer_distribution { FER_CONSTANT, FER_UNIFORM, FER_TRUNCATED_NORMAL };
enum fer_fan { FER_FAN_IN, FER_FAN_OUT, FER_FAN_AVERAGE };
struct fer_initializer {
    enum fer_distribution distribution;
    double scale; /* the constant itself */
    enum fer_fan fan;
};

/* An array that belongs to a layer and outlives a step. */
struct fer_parameter {
    char name[FER_MAX_ARRAY]; /* "conv2d_3/kernel": the layer's name, which may hold slashes too, and the array's */
    int dims;
    size_t shape[4], count; /* count: the product of shape[0] ... shape[dims - 1] */
    int trainable;          /* moving statistics are not, nor what belongs to a frozen layer */
    struct fer_initializer initializer;
    real *value;            /* [count] */
    real *gradient;         /* [count], trainable ones only, as m and v; written by the backward pass */
    real *m, *v;            /* Adam's moments */
    real *average;          /* [count] the moving average of a trainable one in a run with settings.ema; else NULL */
};

struct fer_layer {
    char name[FER_MAX_NAME]; /* "conv2d_3", "mixed0" */
    /* What its output is called, "output" but for the first of two that Keras has as one: "preactivation" of the layer
     * before its own activation, "depthwise" of the first half of a SeparableConv2D. Both halves have the same name. */
    const char *output_name;
    const char *class_name; /* Keras's: "Conv2D", "LeakyReLU" */
    enum fer_layer_type type;
    int inputs, input[FER_MAX_INPUTS]; /* which layers it takes from: indices, all smaller than its own */
    int consumers;                     /* how often its output is taken; twice where one layer takes it twice */
    size_t height, width, channels;    /* of its output */
    int flat;                          /* 1: its output is [n][channels], height and width are 1 */
    /* settings of its kind */
    enum fer_padding padding;          /* convolutions and poolings */
    struct fer_window window;          /* of these, for one image (n = 1) */
    const char *kernel_name;           /* of convolutions and Dense: "kernel", "depthwise_kernel", "pointwise_kernel" */
    int bias;                          /* of these: they have one */
    double momentum, epsilon;          /* BatchNormalization */
    int unbiased;                      /* of these, 1: the moving variance takes the Bessel-corrected variance */
    int scale, center;                 /* of these: gamma, beta */
    int keepdims;                      /* global poolings: the output is [n][1][1][channels], not flat */
    double slope, max_value;           /* LeakyReLU; slope of hard_sigmoid */
    double rate;                       /* Dropout */
    int whole_images;                  /* SpatialDropout2D: drops images, not channels (noise_shape [null,1,1,1]) */
    size_t edge[4];                    /* ZeroPadding2D, Cropping2D: top, bottom, left, right */
    size_t constants;                  /* Rescaling: where its scale is in network->constants, then its offset */
    int frozen, inference;             /* see struct fer_builder */
    /* its parameters: how many, and the index of the first in network->parameter */
    int parameters, parameter;
    /* Arrays of a batch, there from fer_network_plan on: [n][height][width][channels], or [n][channels] when flat.
     * Those that are not needed at the same time share memory, unless the plan keeps everything. The last layer's
     * output is the probabilities, its output_gradient the gradient of the logits. The input has no gradient. */
    real *output, *output_gradient;
    int given_up;          /* 1: its output is not kept after the forward pass; the backward pass computes it anew */
    real *mean, *variance; /* BatchNormalization: the batch's, [channels], after a forward pass in training mode */
};

/* The parts of a training step's work at one layer. BACKWARD: the gradient of its inputs, and of what is no kernel. */
enum fer_pass { FER_FORWARD, FER_BACKWARD, FER_BACKWARD_KERNEL, FER_PASSES };

enum fer_plan { FER_PLAN_INFERENCE, FER_PLAN_TRAINING, FER_PLAN_KEEP }; /* KEEP: training, every array kept */

struct fer_network {
    size_t height, width, channels;   /* of the input images */
    size_t classes;                   /* channels of the last layer */
    char name[FER_MAX_NAME];          /* "incv3v1", or what its file says */
    char softmax[FER_MAX_NAME];       /* the layer that gives the probabilities: the last, or a softmax behind it */
    int keras;                        /* 2 or 3: the version whose rules its file follows; 0: neither */
    char for_training[384];           /* why fer cannot train it (a regularizer, an initializer); "": it can */
    int layers;
    struct fer_layer layer[FER_MAX_LAYERS];
    int parameters;
    struct fer_parameter parameter[FER_MAX_PARAMETERS];
    real *constants;                  /* numbers of layers that are no parameters */
    size_t constant_count;
    uint64_t seed;                    /* of Dropout's masks, ... */
    uint32_t step;                    /* ... which differ from step to step */
    /* Called when a pass is through a layer, maybe in more than one part; NULL: nobody asks. */
    void (*passed)(void *context, int layer, enum fer_pass pass);
    void *passed_context;
    /* the plan */
    size_t batch;                     /* the most images that a pass can take; 0 before a plan */
    enum fer_plan plan;
    real *logits, *logits_gradient;   /* [batch][classes]: what the last layer gives, before the softmax */
    real *statistics;                 /* memory behind mean and variance of all layers */
    real *arena;                      /* memory behind all outputs and gradients */
    real *fan_out;                    /* in the arena: gradients of further consumers, before they are added */
};

/* Builds the network of the script, model/incv3v1.c, for size x size x 1 images: 7 classes, parameters allocated and
 * zero. Fails with the layer that cannot work and why. */
int fer_incv3v1(struct fer_network **network, size_t size, struct fer_error *e);
/* The network of a file of Keras's JSON (model/keras_json.c has the format), for images of size x size where the file
 * leaves that open (0: it may not). Fails with file, line, layer, key, and what would do. */
int fer_model_read(struct fer_network **network, const char *path, size_t size, struct fer_error *e);
/* That of a file, or without one (NULL or "") the script's; size 0: what the file says, or 128. */
int fer_network_open(struct fer_network **network, const char *model, size_t size, struct fer_error *e);
void fer_network_free(struct fer_network *network); /* NULL is allowed */

/* A network of one's own, layer by layer; model/incv3v1.c is the example:
 *
 *     struct fer_builder b;
 *     int x = fer_network_begin(&b, 32, 32, 3);
 *     x = fer_add_conv2d(&b, x, NULL, 16, 3, 3, 1, 1, FER_SAME);
 *     x = fer_add_relu(&b, x, NULL);
 *     x = fer_add_global_average_pooling2d(&b, x, NULL);
 *     fer_add_dense(&b, x, "predictions", 10);
 *     if (fer_network_end(&b, &network, &e)) ...
 *
 * Each function appends a layer and returns its index, which later layers give as their input. name NULL: Keras's,
 * numbered by kind in the order of creation (conv2d, conv2d_1, ...). After the first failure every further layer is
 * passed over, the functions return -1, and fer_network_end says what the first failure was: so nothing need be checked
 * in between. Every layer but the last must be some later one's input. */
struct fer_builder {
    struct fer_network *network;
    int numbered[FER_LAYER_TYPES]; /* how many layers of each kind got their name by number */
    /* Of the layers that follow: frozen, their parameters are not trained; inference, they work in inference mode also
     * while the network is trained (BatchNormalization, Dropout). */
    int frozen, inference;
    int failed;
    struct fer_error reason;       /* of the first failure */
};
int fer_network_begin(struct fer_builder *b, size_t height, size_t width, size_t channels);
/* Without bias; kernel [kernel_h][kernel_w][channels of the input][filters]. */
int fer_add_conv2d(struct fer_builder *b, int input, const char *name, size_t filters, size_t kernel_h, size_t kernel_w,
                   size_t stride_h, size_t stride_w, enum fer_padding padding);
/* The same with all that Keras's Conv2D has; 0 for strides, dilation, groups and depth_multiplier means 1. */
struct fer_convolution {
    size_t filters, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    size_t groups, depth_multiplier; /* the former Conv2D's, the latter, in place of filters, DepthwiseConv2D's */
    enum fer_padding padding;        /* not FER_EXPLICIT */
    int bias;
    const char *kernel;              /* its kernel's name; NULL: "kernel", DepthwiseConv2D's "depthwise_kernel" */
};
int fer_add_convolution(struct fer_builder *b, int input, const char *name, const struct fer_convolution *c);
/* kernel [kernel_h][kernel_w][channels of the input][depth_multiplier]. */
int fer_add_depthwise_convolution(struct fer_builder *b, int input, const char *name, const struct fer_convolution *c);
/* Without gamma (Keras's scale=False); beta, moving_mean, moving_variance [channels]. 0 <= momentum <= 1,
 * 0 <= epsilon. The moving variance takes in the unbiased variance. */
int fer_add_batch_normalization(struct fer_builder *b, int input, const char *name, double momentum, double epsilon);
/* With gamma or without (scale), beta or without (center). Where the layer is frozen or in inference mode, it
 * normalises with the moving statistics in training too, and leaves them as they are. */
int fer_add_batch_normalization_with(struct fer_builder *b, int input, const char *name, double momentum,
                                     double epsilon, int scale, int center);
int fer_add_relu(struct fer_builder *b, int input, const char *name); /* Keras's Activation("relu") */
int fer_add_max_pooling2d(struct fer_builder *b, int input, const char *name, size_t pool_h, size_t pool_w,
                          size_t stride_h, size_t stride_w, enum fer_padding padding);
int fer_add_average_pooling2d(struct fer_builder *b, int input, const char *name, size_t pool_h, size_t pool_w,
                              size_t stride_h, size_t stride_w, enum fer_padding padding);
int fer_add_global_average_pooling2d(struct fer_builder *b, int input, const char *name); /* its output is flat */
int fer_add_global_average_pooling2d_with(struct fer_builder *b, int input, const char *name, int keepdims);
int fer_add_global_max_pooling2d(struct fer_builder *b, int input, const char *name, int keepdims);
/* 1 ... FER_MAX_INPUTS inputs of equal height and width, or all flat, side by side in the order given. */
int fer_add_concatenate(struct fer_builder *b, const int *input, int inputs, const char *name);
/* y = slope * x where x <= 0, max_value where x >= max_value (INFINITY: none): LeakyReLU, ReLU6. 0 <= slope, 0 <
 * max_value. */
int fer_add_leaky_relu(struct fer_builder *b, int input, const char *name, double slope, double max_value);
/* Keras's Activation(...). hard_sigmoid's slope: 1/6 in Keras 3, 1/5 in Keras 2. softmax: along the channels; that of
 * the last layer comes by itself. */
int fer_add_sigmoid(struct fer_builder *b, int input, const char *name);
int fer_add_hard_sigmoid(struct fer_builder *b, int input, const char *name, double slope);
int fer_add_tanh(struct fer_builder *b, int input, const char *name);
int fer_add_silu(struct fer_builder *b, int input, const char *name);
int fer_add_elu(struct fer_builder *b, int input, const char *name);
int fer_add_softmax(struct fer_builder *b, int input, const char *name);
int fer_add_linear(struct fer_builder *b, int input, const char *name);
/* Inputs of one shape; of Multiply some may be 1x1, and count for every cell. */
int fer_add_add(struct fer_builder *b, const int *input, int inputs, const char *name);
int fer_add_multiply(struct fer_builder *b, const int *input, int inputs, const char *name);
/* The same numbers in another shape, [height][width][channels] or, flat, [channels] with height = width = 1. */
int fer_add_reshape(struct fer_builder *b, int input, const char *name, size_t height, size_t width, size_t channels,
                    int flat);
int fer_add_flatten(struct fer_builder *b, int input, const char *name);
int fer_add_zero_padding2d(struct fer_builder *b, int input, const char *name, size_t top, size_t bottom, size_t left,
                           size_t right);
int fer_add_cropping2d(struct fer_builder *b, int input, const char *name, size_t top, size_t bottom, size_t left,
                       size_t right);
/* 0 <= rate < 1. The masks are functions of network->seed and network->step. */
int fer_add_dropout(struct fer_builder *b, int input, const char *name, double rate);
int fer_add_spatial_dropout2d(struct fer_builder *b, int input, const char *name, double rate);
int fer_add_image_dropout(struct fer_builder *b, int input, const char *name, double rate); /* whole images */
/* scale, offset: [channels of the input], copied. */
int fer_add_rescaling(struct fer_builder *b, int input, const char *name, const real *scale, const real *offset);
/* Parameters mean and variance [channels], which are not trained. */
int fer_add_normalization(struct fer_builder *b, int input, const char *name);
/* kernel [channels of the input][units], bias [units]. On an input with height and width it works at each cell. The
 * last layer is one of these, and its
 * softmax comes with it; the others are linear. */
int fer_add_dense(struct fer_builder *b, int input, const char *name, size_t units);
int fer_add_dense_with(struct fer_builder *b, int input, const char *name, size_t units, int bias);
/* Gives the finished network, parameters allocated and zero. Or fails with the first reason, *network NULL. */
int fer_network_end(struct fer_builder *b, struct fer_network **network, struct fer_error *e);

/* Momentum, epsilon and `unbiased` of every BatchNormalization; a negative value leaves each layer its own. */
void fer_network_normalization(struct fer_network *network, double momentum, double epsilon, int unbiased);

/* Every parameter by its initializer, with u = fer_uniform(seed, FER_FOR_WEIGHTS, i, k), computed in double and rounded
 * once, i the index of the array in network->parameter, k the element in row-major order; fan_in = kh*kw*ci, fan_out =
 * kh*kw*co, of the dense kernel kh = kw = 1. What is not said otherwise: kernels by glorot_uniform (Glorot and Bengio,
 * AISTATS 2010), biases, betas and moving means 0, gammas and moving variances 1. Moments 0. The parameters' order is
 * the layers', in a layer kernel, bias; gamma, beta, moving_mean, moving_variance. */
void fer_network_initialise(struct fer_network *network, uint64_t seed);

/* Bytes that the network holds once planned so: parameters, their gradients and moments, and every array of a pass.
 * SIZE_MAX when it is more than can be addressed. */
size_t fer_network_memory(const struct fer_network *network, size_t batch, enum fer_plan plan);
/* Fails when that is more than `available` bytes (0: whatever it is will do), saying how much it is and which batch
 * would fit. */
int fer_network_fits(const struct fer_network *network, size_t batch, enum fer_plan plan, size_t available,
                     struct fer_error *e);
/* Gives every array of a pass of up to `batch` images its place. An earlier plan is given up. */
int fer_network_plan(struct fer_network *network, size_t batch, enum fer_plan plan, struct fer_error *e);
/* Where the images of the next batch go: [n][height][width][channels]. */
real *fer_network_input(struct fer_network *network);
/* Fails unless it takes square images of 1 or 3 channels and gives FER_CLASSES classes. */
int fer_network_check_faces(const struct fer_network *network, struct fer_error *e);

/* One forward pass over the first n images of the input, up to the logits and the probabilities. training != 0:
 * BatchNormalization takes the batch's statistics (and leaves the moving ones alone), else the moving ones; then a few
 * images at a time go through all layers, unless the plan keeps every array. */
void fer_network_forward(struct fer_network *network, size_t n, int training);
/* After a forward pass in training mode: all gradients of the mean loss. labels[n], each 0 <= label < classes. Returns
 * the sum of the n losses.
 * The gradient of an output with several consumers is summed from the last consumer to the first; of one that takes it
 * more than once, from its first input to its last. */
double fer_network_backward(struct fer_network *network, size_t n, const int *labels);
/* The norm of all gradients together, summed in double in the order of the arrays. Where it is larger than `most` (and
 * most is not 0), every gradient is multiplied by (real)(most / norm): Keras's global_clipnorm. */
double fer_network_clip(struct fer_network *network, double most);
/* Adam's step t on every trainable array, and the moving statistics of every BatchNormalization. */
void fer_network_update(struct fer_network *network, size_t n, const struct fer_adam *adam, long t);
/* Layer `index` alone, its inputs being there: one line of the forward pass. */
void fer_layer_forward(struct fer_network *network, int index, size_t n, int training);

/* What the output of layer `index` is called in a record, with an ending behind it ("" or "_grad"): "input",
 * "conv2d_3/output", of the last layer "predictions/logits". */
void fer_output_name(const struct fer_network *network, int index, const char *ending, char name[FER_MAX_ARRAY]);
/* The parameter of this name ("conv2d_3/kernel"), or NULL. */
struct fer_parameter *fer_network_parameter(struct fer_network *network, const char *name);
/* The layer's parameter of this name, or whose name ends in _name ("kernel" finds `depthwise_kernel` too); or NULL. */
const struct fer_parameter *fer_layer_parameter(const struct fer_network *network, const struct fer_layer *layer,
                                                const char *name);

/* ---- 5. Faces ------------------------------------------------------------------------------------------------ */

enum fer_usage { FER_TRAINING, FER_PUBLIC_TEST, FER_PRIVATE_TEST, FER_USAGES };
extern const char *const fer_usage_names[FER_USAGES]; /* Training, PublicTest, PrivateTest */

struct fer_image {
    int height, width;
    size_t offset; /* of its first pixel in `pixels` */
    uint8_t label; /* 0 ... 6 */
    uint8_t usage; /* enum fer_usage */
};

/* Images in memory, each pixel once, as a byte. */
#define FER_NOTES 4096
struct fer_dataset {
    size_t count;
    struct fer_image *image;    /* [count], in the order of the file, or of usage, class and name */
    uint8_t *pixels;
    size_t pixel_count;
    size_t usage_count[FER_USAGES];
    char source[FER_PATH];      /* for people: the path, or "drawn faces" */
    char notes[FER_NOTES];      /* for people: what was passed over or taken for something, a line each, or "" */
};

/* Reads a FER2013 CSV (a file), or a folder tree DIR/USAGE/CLASS/NAME.pgm (a folder):
 *   CSV   the header names the columns `emotion`, `pixels` and maybe `Usage`, in any order, in upper or lower case,
 *         with or without blanks around them; without Usage every row is Training. `pixels` are h*h values 0 ... 255
 *         separated by blanks, quoted or not. Lines end with LF or CR LF.
 *   tree  USAGE is Training or train, PublicTest, validation or val, PrivateTest, or test (PublicTest where there is no
 *         validation folder, else PrivateTest); CLASS is 0 ... 6, a name of fer_class_names, or a common form of it
 *         (anger, happiness); both in any case. Without USAGE all images are Training. Files that end in .pgm or .png,
 *         as fer_image_read takes them, in byte order of their names. Others are passed over, and noted. */
int fer_dataset_read(struct fer_dataset *data, const char *path, struct fer_error *e);
/* Takes better labels from FER+'s fer2013new.csv, whose rows must be those of the CSV, in the same order within each
 * usage: of each row the class with the most votes. Rows of contempt, unknown and NF (no face) are dropped. */
int fer_dataset_relabel(struct fer_dataset *data, const char *path, struct fer_error *e);
/* Draws cartoon faces, 48 x 48: counts[usage] of each usage, the classes in turn. A function of the seed. */
int fer_dataset_draw(struct fer_dataset *data, uint64_t seed, const size_t counts[FER_USAGES], struct fer_error *e);
void fer_dataset_free(struct fer_dataset *data);
/* CRC-32 over each image's label, usage, height and width (1, 1, 4 and 4 bytes, little-endian) and pixels. */
uint32_t fer_dataset_digest(const struct fer_dataset *data);
/* The indices of the images of one usage, in order: fills index[data->usage_count[usage]]. */
void fer_dataset_select(const struct fer_dataset *data, enum fer_usage usage, size_t *index);

/* A tree of PGM files, DIR/USAGE/CLASS/NNNNN.pgm, numbered within the CSV's usage. DIR must not exist, or be empty. */
int fer_unpack(const struct fer_dataset *data, const char *dir, struct fer_error *e);

/* One image file, PGM or PNG whatever its name. *pixels [height][width] is freed by fer_free. PNG of every kind (grey,
 * colour, palette, 1 to 16 bits, interlaced) becomes 8-bit grey: of 16 bits the high byte is taken, what is transparent
 * lies over black, colour is (19595 R + 38470 G + 7471 B + 32768) div 65536, as Pillow has it. */
int fer_image_read(const char *path, int *height, int *width, uint8_t **pixels, struct fer_error *e);
/* One PGM file. */
int fer_pgm_read(const char *path, int *height, int *width, uint8_t **pixels, struct fer_error *e);
int fer_pgm_write(const char *path, int height, int width, const uint8_t *pixels, struct fer_error *e);

/* One image, or the images index[0] ... index[n-1], into the network's input: grey, or grey repeated for each
 * channel. */
void fer_network_show(struct fer_network *network, int height, int width, const uint8_t *pixels);
void fer_network_fill(struct fer_network *network, const struct fer_dataset *data, const size_t *index, size_t n,
                      int *labels);
/* One image as the network sees it: x[size][size], nearest neighbour with Pillow's rule, times (real)1/255. */
void fer_image_scale(int height, int width, const uint8_t *pixels, size_t size, real *x);
/* The images index[0] ... index[n-1] as a batch: x[n][size][size][1], labels[n] (NULL: not wanted). */
void fer_batch_fill(const struct fer_dataset *data, const size_t *index, size_t n, size_t size, real *x,
                    int *labels);

/* ---- 6. Arrays on disk ---------------------------------------------------------------------------------------
 *
 * npy: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html, versions 1.0 to 3.0.
 * npz: a zip file of npy files (APPNOTE.TXT 6.3.10), stored or deflated, zip64 understood. */

enum fer_type { FER_F2, FER_F4, FER_F8, FER_BOOL, FER_I1, FER_I2, FER_I4, FER_I8, FER_U1, FER_U2, FER_U4, FER_U8 };
#ifdef FER_DOUBLE
#define FER_REAL_TYPE FER_F8
#else
#define FER_REAL_TYPE FER_F4
#endif

#define FER_MAX_DIMS 32
struct fer_array {
    const char *name;  /* without .npy; of a lone .npy file "" */
    enum fer_type type;
    int dims;
    size_t shape[FER_MAX_DIMS];
    size_t count;      /* the product of the shape; 1 for a scalar */
};

/* An open file. Opening reads the directory and every array's header; the values are read when they are asked for. An
 * array that cannot be read (of texts, say) is listed too, with a count of 0; reading it fails. */
struct fer_npz;
int fer_npz_open(struct fer_npz **npz, const char *path, struct fer_error *e);
void fer_npz_close(struct fer_npz *npz); /* NULL is allowed */
size_t fer_npz_count(const struct fer_npz *npz);
const struct fer_array *fer_npz_at(const struct fer_npz *npz, size_t i);
const struct fer_array *fer_npz_find(const struct fer_npz *npz, const char *name); /* NULL: not there */
/* All values, converted (each rounded once, to nearest even), in C order whatever the file's order. Checks the CRC. */
int fer_npz_read(struct fer_npz *npz, const struct fer_array *array, real *values, struct fer_error *e);
int fer_npz_read_double(struct fer_npz *npz, const struct fer_array *array, double *values, struct fer_error *e);
/* Refuses an array (NULL: the file) for its shape or values: "FILE: NAME: " and the reason. Returns -1. */
int fer_npz_fail(const struct fer_npz *npz, const struct fer_array *array, struct fer_error *e, const char *format,
                 ...) FER_PRINTF(4, 5);

/* Writing: the file appears under its name only at the commit, whole, on the disk; before that it is PATH.part. */
struct fer_npz_writer;
int fer_npz_create(struct fer_npz_writer **writer, const char *path, struct fer_error *e);
/* values: the C type of `type` (FER_F4 float, FER_F8 double, FER_I8 int64_t, ...); FER_F2 and FER_BOOL are not
 * written. After a failed write the commit fails too. */
int fer_npz_write(struct fer_npz_writer *writer, const char *name, enum fer_type type, int dims, const size_t *shape,
                  const void *values, struct fer_error *e);
/* Both free the writer. A failed commit has removed PATH.part and left what was at PATH before. */
int fer_npz_commit(struct fer_npz_writer *writer, struct fer_error *e);
void fer_npz_abandon(struct fer_npz_writer *writer); /* NULL is allowed */

/* ---- Files (data/file.c, data/path.c) ---- */

/* out = folder/name. Fails when that is too long. */
int fer_join_path(char out[FER_PATH], const char *folder, const char *name, struct fer_error *e);

int fer_file_exists(const char *path); /* 1 when it can be opened for reading */
/* A file that appears under its path only at the commit, whole, on the disk; before that it is PATH.part. Returns a
 * FILE * to write to, or NULL. A failed write shows at the commit. */
void *fer_file_create(const char *path, struct fer_error *e);
/* Closes the file. A failed commit has removed PATH.part and left what was at PATH before. */
int fer_file_commit(void *file, const char *path, struct fer_error *e);
/* A copy of a file, whole or not at all. */
int fer_file_copy(const char *from, const char *to, struct fer_error *e);
/* Fails when a file written to `out` would replace the input file `in`, which may be the same file under another name
 * or by a link. `in` may be NULL or "": none. */
int fer_file_apart(const char *out, const char *in, struct fer_error *e);

/* ---- Platform: what C99 does not offer (data/platform.c; with -DFER_PURE_C99 fallbacks) ---- */

int fer_is_folder(const char *path);                       /* 1 or 0; pure C99: always 0 */
int fer_make_folder(const char *path, struct fer_error *e); /* an existing one will do; pure C99: only that */
/* Calls each(context, name, e) for the entries of a folder without . and .., in byte order of their names; a nonzero
 * return of `each` ends it and is returned. Pure C99: fails. */
int fer_list_folder(const char *path, int (*each)(void *context, const char *name, struct fer_error *e), void *context,
                    struct fer_error *e);
int fer_is_terminal(void *file);                           /* 1 or 0 */
int fer_terminal_width(void);                              /* columns, 80 when unknown */
double fer_clock(void);                                    /* seconds, wall time, from some start */
size_t fer_memory_available(void);                         /* bytes that can be had now; 0 when that cannot be known */
int fer_threads(void);                                     /* how many a parallel loop takes; 1 without OpenMP */

/* ---- 7. Training --------------------------------------------------------------------------------------------- */

/* Everything that decides the bits of a run, but for the data. The defaults are the Keras script. */
/* After `patience` epochs in which val_loss has not fallen by more than 1e-4 below its best, the learning rate is
 * multiplied by `factor`, as Keras's ReduceLROnPlateau does (monitor='val_loss', min_lr=0, no cooldown). Patience 0:
 * never. */
struct fer_plateau {
    double factor;
    int patience;
};
struct fer_settings {
    int epochs, batch, size; /* size 0: what the model says */
    uint64_t seed;
    double learning_rate, beta1, beta2, adam_epsilon;
    double bn_momentum, bn_epsilon;
    int bn_unbiased;         /* the moving variance takes the unbiased (1) or the biased (0) variance of the batch */
    double clip_norm;        /* fer_network_clip before each update; 0: off */
    struct fer_plateau plateau;
    double ema;              /* momentum of the weights' moving average, which validation sees; 0: off */
    int precise_bn;          /* fer_exact_statistics of so many batches before each validation; 0: off */
    int shuffle;              /* the images are shuffled each epoch */
    int batch_order_shuffled; /* then the batches are too, so that the short one comes at any place */
    char model[FER_PATH];    /* the network's file, of fer_model_read; "": the script's network */
};

/* One setting by name, as the command line and config.txt have it. The kinds: int, uint64_t, double, int (1: the first
 * choice, 0: the second), struct fer_plateau ("0.1,10"; "0": off). */
enum fer_setting_kind { FER_WHOLE, FER_SEED, FER_NUMBER, FER_CHOICE, FER_PLATEAU };
struct fer_setting {
    const char *name, *values, *help; /* "batch-order", "shuffled|kept", what it does (and the default) */
    enum fer_setting_kind kind;
    size_t offset;                    /* in struct fer_settings */
    double least, most;
};
#define FER_SETTINGS 17
extern const struct fer_setting fer_setting_table[FER_SETTINGS];
void fer_settings_default(struct fer_settings *settings);
/* Sets setting i of the table from text; fails, saying what was expected. */
int fer_settings_set(struct fer_settings *settings, int i, const char *text, struct fer_error *e);
/* The text of setting i, such that fer_settings_set gives back the same value. `text` holds 32 characters. */
void fer_settings_get(const struct fer_settings *settings, int i, char text[32]);
/* The index of the setting of this name, or -1. */
int fer_settings_find(const char *name);

/* Loss, accuracy and confusion matrix over a set of images. */
struct fer_evaluation {
    size_t count, correct;
    double loss_sum;                                  /* the mean loss is loss_sum / count */
    size_t confusion[FER_CLASSES][FER_CLASSES];       /* [label][prediction] */
};

/* One class of a confusion matrix. A class without images, or without predictions, scores 0. */
struct fer_class_score {
    size_t images, predicted;     /* that have this label; that were taken for this class */
    double precision, recall, f1; /* right / predicted, right / images, 2 precision recall / (precision + recall) */
};
void fer_class_scores(const struct fer_evaluation *evaluation, struct fer_class_score score[FER_CLASSES]);

/* What a run has done so far, and where it stands: `batch` of `epoch` is next. */
struct fer_trainer {
    struct fer_settings settings;
    const struct fer_dataset *data;
    struct fer_network *network;
    size_t train_count, batches;
    size_t *train;        /* [train_count] the training images, in the data's order */
    size_t *order;        /* [train_count] the same in the epoch's order: batch b is order[b*batch ...] */
    size_t *batch_order;  /* [batches] which batch comes when */
    int *labels;          /* [batch] */
    long epoch, batch;    /* both from 0 */
    long step;            /* of Adam: updates done, over all epochs */
    struct fer_evaluation running; /* this epoch's batches so far, each taken in training mode before its update */
    double (*history)[4]; /* [epoch] accuracy, loss, val_accuracy, val_loss of the epochs done */
    double best;          /* the highest val_accuracy so far, -1 before */
};

/* Called after each batch of training, of a pass for exact statistics (usage FER_TRAINING both; the trainer's own batch
 * is another during the pass) and of validation (FER_PUBLIC_TEST), and once more when the epoch is done (batch ==
 * batches). A nonzero return ends the run after this batch. */
struct fer_watcher {
    void *context;
    int (*batch_done)(void *context, const struct fer_trainer *trainer, enum fer_usage usage, size_t batch,
                      size_t batches, const struct fer_evaluation *so_far);
    int (*epoch_done)(void *context, const struct fer_trainer *trainer);
};

/* A trainer at the start of epoch 0, with initial weights from the seed. `data` must outlive it. */
int fer_trainer_create(struct fer_trainer **trainer, const struct fer_settings *settings,
                       const struct fer_dataset *data, struct fer_error *e);
void fer_trainer_free(struct fer_trainer *trainer); /* NULL is allowed */

/* The learning rate after the epochs of this history, accuracy, loss, val_accuracy, val_loss (NaN: not lower). */
double fer_learning_rate(const struct fer_settings *settings, const double (*history)[4], long epochs);
/* The order of an epoch's images and batches: a function of seed and epoch. fit does this at the start of each epoch.
 * order[] is train[] and batch_order[] is 0, 1, ..., each then shuffled by fer_shuffle, for FER_FOR_SHUFFLE and
 * FER_FOR_BATCH_ORDER, with the epoch's number (from 0), unless the settings say otherwise. */
void fer_trainer_order(struct fer_trainer *trainer);
/* Fills the network's input with batch number `trainer->batch` of the epoch. Returns how many images it has. */
size_t fer_trainer_fill(struct fer_trainer *trainer);
/* One step: forward, backward, update; adds to `running` and goes on to the next batch. FER_DIVERGED when the loss is
 * not finite: nothing was updated, and *e names epoch, step and the first layer whose output is not finite. */
enum fer_end { FER_DONE = 0, FER_STOPPED = 1, FER_DIVERGED = 2, FER_FAILED = -1 };
enum fer_end fer_trainer_step(struct fer_trainer *trainer, struct fer_error *e);
/* The statistics of each BatchNormalization's input under the present weights, in place of the moving ones: a pass in
 * training mode over the first `batches` batches of the epoch (of fer_trainer_order; at most all), changing no weight.
 * Each channel's mean is the average of the batches' means, its variance that of all rows around it, both weighted by
 * rows and summed in double; no Bessel correction. FER_STOPPED when the watcher (NULL: none) ended it. */
enum fer_end fer_exact_statistics(struct fer_trainer *trainer, size_t batches, const struct fer_watcher *watcher,
                                  struct fer_error *e);
/* What fit does after an epoch's last step: exact statistics when settings.precise_bn says so, then an evaluation of
 * PublicTest; both with the average in place of the weights when there is one. */
enum fer_end fer_trainer_validate(struct fer_trainer *trainer, const struct fer_watcher *watcher,
                                  struct fer_evaluation *validation, struct fer_error *e);
/* All epochs that are left, with checkpoints and log in the folder `run` (NULL: none). FER_STOPPED when the watcher
 * ended it: the checkpoint holds the place, also in mid-epoch. In run/epochs/NNNN.npz stays a checkpoint of the state
 * after each of the last FER_EPOCHS_KEPT epochs, and of those at and right before a pit (section 12). */
#define FER_EPOCHS_KEPT 7
enum fer_end fer_fit(struct fer_trainer *trainer, const char *run, const struct fer_watcher *watcher,
                     struct fer_error *e);

/* Evaluates the images of a usage in inference mode, in the data's order, up to network->batch at a time. FER_STOPPED
 * when the watcher (NULL: none) ended it. */
enum fer_end fer_evaluate(struct fer_network *network, const struct fer_dataset *data, enum fer_usage usage,
                          const struct fer_watcher *watcher, const struct fer_trainer *trainer,
                          struct fer_evaluation *result, struct fer_error *e);

/* Weights: every parameter by its name, and `settings/size` and `settings/bn_epsilon` (both may be missing in a file
 * that is read). */
int fer_weights_save(const struct fer_network *network, const char *path, struct fer_error *e);
/* A network for these weights. size 0: what the file says, or else 128. *ignored: how many arrays of the file were not
 * used. */
int fer_weights_load(struct fer_network **network, const char *path, size_t size, size_t *ignored, struct fer_error *e);
/* The network of `model` ("": as above) with the weights of a file, for faces. */
int fer_weights_open(struct fer_network **network, const char *model, const char *path, size_t size,
                     struct fer_error *e);
/* The parameters' values from a weights file or checkpoint into a network. */
int fer_weights_read(struct fer_network *network, const char *path, size_t *ignored, struct fer_error *e);

/* A checkpoint: the weights, Adam's moments (NAME_m, NAME_v), the moving average (NAME_ema, if there is one), where the
 * run stands and its history. */
int fer_checkpoint_save(const struct fer_trainer *trainer, const char *path, struct fer_error *e);
/* RUN/epochs/NNNN.npz, the checkpoint after epoch NNNN. Fails when the path is too long. */
int fer_checkpoint_path(char path[FER_PATH], const char *run, long epoch, struct fer_error *e);
int fer_checkpoint_load(struct fer_trainer *trainer, const char *path, struct fer_error *e);
/* The history that a checkpoint holds, *epochs rows; freed by fer_free. */
int fer_history_read(const char *path, double (**history)[4], long *epochs, struct fer_error *e);

/* config.txt, `name = value` a line: version, precision, the data and its digest, the first weights, and every
 * setting. */
struct fer_config {
    struct fer_settings settings;
    char data[FER_PATH];    /* the path that was given; "" for drawn faces */
    char labels[FER_PATH];  /* what fer_dataset_relabel took; "" for none */
    uint32_t data_digest;   /* fer_dataset_digest */
    char weights[FER_PATH]; /* the weights file that the run started from; "" for initial weights from the seed */
};
int fer_config_save(const struct fer_config *config, const char *path, struct fer_error *e);
/* Fails also when the run was made by the program of the other precision. The run's model is the file model.json beside
 * config.txt, if there is one. */
int fer_config_load(struct fer_config *config, const char *path, struct fer_error *e);

/* log.csv as Keras's CSVLogger(separator=';') writes it: makes the file hold the header and these rows. What it holds
 * already must be the beginning of that; the rest is appended. columns: 2 (accuracy, loss) or 4 (and val_accuracy,
 * val_loss). */
int fer_log_update(const char *path, const double (*rows)[4], long count, int columns, struct fer_error *e);
/* A log of fer or of Keras's CSVLogger, read. */
struct fer_log {
    long count;
    double (*row)[4];   /* [count] accuracy, loss, val_accuracy, val_loss; NaN: not there */
    long *epoch, *line; /* [count] the epoch as the file has it (else the row's number), and where the row stands */
    double *within;     /* [count] how far val_accuracy may be from what was written: half a unit of its last digit */
    size_t images;      /* that each val_accuracy was taken over, as the values say: the smallest number of which all
                           are whole parts; 0: they do not say */
};
/* Columns are separated by `;` when the header has one, else by tabs when it has one, else by `,`; they are found by
 * their names, in any order, among others: Keras's, Lightning's, fastai's, Hugging Face's (data/log.c has the list).
 * `val_accuracy`, or val_loss, must be there. Accuracies above 1 are percentages. `NA` and empty fields are NaN. LF or
 * CR LF. A header may come again, also with other columns; the rows before and after it are one series. Whether another
 * run begins where the epochs begin again is for the caller to say. */
int fer_log_read(struct fer_log *log, const char *path, struct fer_error *e);
/* The same, with another column for val_accuracy (NULL: as above). */
int fer_log_read_column(struct fer_log *log, const char *path, const char *column, struct fer_error *e);
/* Takes out the rows that have neither val_accuracy nor val_loss. Returns how many they were. */
long fer_log_keep_validated(struct fer_log *log);
void fer_log_free(struct fer_log *log);
/* The shortest decimal that reads back to the same double, as Python's repr writes it. */
void fer_format_double(double x, char text[32]);

/* ---- 8. Gradients --------------------------------------------------------------------------------------------
 *
 * Does a gradient belong to its function? Finite differences that know their own error give an answer of their own, the
 * "measured" slope; model/check/gradient.c says how, and what such a check cannot see. There is no tolerance: a claimed
 * slope is right when it is within the error of the measured one. Trust the float64 program: rounding leaves the
 * float32 one with large errors, and it leaves the whole network out. */

struct fer_gradcheck {
    size_t checked, wrong, skipped; /* elements: ok or WRONG; of these WRONG; of which nothing can be said */
    size_t kinks;              /* of those ok: at a kink, where every slope between its two sides' is right */
    int strict;                /* to be set by the caller: fer_gradcheck_passed wants none skipped */
    size_t index;              /* the element that is off by most of its errors (when some are WRONG, of these) */
    double measured, claimed;  /* its two slopes */
    double error;              /* how far they may be apart */
    double worst;              /* |measured - claimed| / max(|measured|, a hundredth of the usual slope) */
    double noise;              /* of f: the standard deviation of its rounding errors, read off its values */
    size_t calls;              /* of f */
    char reason[240];          /* the kind of mistake; or why nothing can be said; or the first kink; or "" */
};

/* Checks claimed[count], the gradient of f(context), which is a function of x[count] (and changes no bit of it).
 *     samples  how many elements: one from each of so many equal stretches of x, drawn by the seed. 0: all of them
 *     step     the first step to try: it grows and shrinks as f demands. 0: a small part of the size of x
 * An element takes 8 to 12 calls of f where f is smooth, more at kinks. x is changed in place, one element at a time,
 * and put back. Fails only when memory runs out. */
int fer_gradcheck_function(double (*f)(void *context), void *context, real *x, const real *claimed, size_t count,
                           size_t samples, double step, uint64_t seed, struct fer_gradcheck *result,
                           struct fer_error *e);
/* The verdict: 1 when something was checked and nothing is WRONG (and, if result->strict, nothing was skipped). */
int fer_gradcheck_passed(const struct fer_gradcheck *result);

/* An array that a layer reads and has a gradient for: x, a kernel, a bias. */
struct fer_gradcheck_array {
    const char *name;
    size_t count;
    real *value, *gradient; /* [count] each; backward writes all of gradient */
};
/* Checks a layer of one's own: forward(context) computes y[outputs] from the inputs' values, and backward(context, dy)
 * from dy[outputs] all inputs' gradients. dy is drawn by the seed, and f = <dy, y> is checked by
 * fer_gradcheck_function, for each input: result[inputs]. Where y is linear in an input, the gradient must be the
 * transpose too, <dy, y(v)> = <dx, v> for a v drawn. Fails also when backward changes an input. tests/exercise/ has
 * examples. */
int fer_gradcheck_layer(void (*forward)(void *context), void (*backward)(void *context, const real *dy), void *context,
                        const struct fer_gradcheck_array *input, int inputs, const real *y, size_t outputs,
                        size_t samples, uint64_t seed, struct fer_gradcheck *result, struct fer_error *e);

/* The same for a function in any language, by files. fer_gradcheck_points reads `x` from an npz (or a lone npy) file
 * and writes `points` [points][shape of x], where f must be known. fer_gradcheck_values reads a file with `x`, `dx`
 * (the claimed gradient) and `y` [points], f at each; or [points][...], then with `dy`, and f is <dy, y>. */
int fer_gradcheck_points(const char *in, const char *out, size_t *points, struct fer_error *e);
int fer_gradcheck_values(const char *path, struct fer_gradcheck *result, struct fer_error *e);

/* A line of the table of fer_gradcheck. */
struct fer_gradcheck_row {
    const char *layer;    /* "conv2d" */
    char geometry[80];    /* "2x7x6x3, 3x3x5 / 1,1 same" */
    char argument[48];    /* whose gradient: "x", "kernel" */
    char worst_in[48];    /* of a row that stands for many arrays: the array that has the worst element; else "" */
    struct fer_gradcheck result;
};

/* The names of what can be checked, i = 0, 1, ...: every kind of layer, softmax_cross_entropy, network; NULL behind the
 * last. */
const char *fer_gradcheck_name(int i);

/* Checks the layers of these names (count 0: all), every argument, over many geometries; report(context, row) is called
 * for each row (NULL: not wanted). Returns how many rows failed, or -1: an unknown name, memory ran out, or
 * `network` was asked for in float32 (where count 0 leaves it out). */
int fer_gradcheck(const char *const *layers, int count, uint64_t seed,
                  void (*report)(void *context, const struct fer_gradcheck_row *row), void *context,
                  struct fer_error *e);
/* Checks the network of a file (as fer_model_read takes it): elements of every array, every layer's output, directions.
 * Returns as above; in float32 it fails. */
int fer_gradcheck_model(const char *model, size_t size, uint64_t seed,
                        void (*report)(void *context, const struct fer_gradcheck_row *row), void *context,
                        struct fer_error *e);

/* ---- 9. One layer, one step ----------------------------------------------------------------------------------
 *
 * Ground truth as files: one layer's function on arrays from an npz (`fer op`), and one whole training step (`fer
 * record`). */

/* Class indices: an array [n] or [n][1] of whole numbers of any type, each 0 ... classes - 1, or one-hot rows
 * [n][classes]. */
int fer_labels_read(struct fer_npz *npz, const struct fer_array *array, size_t n, size_t classes, int *labels,
                    struct fer_error *e);

struct fer_op_option {
    const char *name, *text; /* "strides", "2,2" */
};
struct fer_op_result {
    size_t written, ignored; /* arrays of the output file; arrays of the input file that the operation does not use */
    char unused[512];        /* the names of the first ten of these */
    size_t own;              /* float64: arrays of the input that are the caller's own results; see fer_op_verify */
    char note[160];          /* what else should be said, or "" */
};
/* The names of all options, i = 0, 1, ..., some of them several times; NULL behind the last. */
const char *fer_op_option_name(int i);
/* Runs operation `name` on the arrays of the npz file `in` (or of a lone npy file, which is x) and writes its results
 * to the npz file `out`, another one, which appears only when everything went well. Operations, arrays and options are
 * those of layers/:
 *
 *     conv2d                    x, kernel, [bias], [dy]              strides (1,1), padding (valid)
 *     batch_normalization       x, [gamma], [beta], [moving_mean], [moving_variance], [dy]
 *                                                                    training (1), momentum (0.99), epsilon (0.001),
 *                                                                    moving-variance (unbiased)
 *     relu                      x, [dy]                              max-value (none), negative-slope (0), at-zero (0)
 *     max_pooling2d             x, [dy]                              pool (2,2), strides (= pool), padding (valid)
 *     average_pooling2d         x, [dy]                              the same
 *     global_average_pooling2d  x, [dy]
 *     concatenate               x0, x1, ..., [dy]
 *     dense                     x, kernel, [bias], [dy]
 *     softmax_cross_entropy     logits, labels                       label-smoothing (0)
 *     adam                      parameter, gradient, [m], [v]        step (1), learning-rate (0.001), beta1 (0.9),
 *                                                                    beta2 (0.999), epsilon (1e-7), form (keras),
 *                                                                    weight-decay (0)
 *
 * [ ] may be missing. Each writes y, its further results (`fer help op` names them), and with dy the gradients of what
 * was given: dx, dkernel, ... Every operation has the option layout (nhwc, or nchw: images [N,C,H,W], kernels
 * [CO,CI,KH,KW], of a dense layer [O,I], in both files). */
int fer_op(const char *name, const char *in, const char *out, const struct fer_op_option *option, int options,
           struct fer_op_result *result, struct fer_error *e);

/* Images as a network takes them, with their labels. */
struct fer_batch {
    size_t n, height, width, channels;
    real *input; /* [n][height][width][channels] */
    int *labels; /* [n] */
};
/* The first n images (0: all) of an npz file with `input` and `labels`, of the network's shape and classes, or
 * (network NULL) faces [N,S,S,1] of FER_CLASSES. */
int fer_batch_read(struct fer_batch *batch, const char *path, size_t n, const struct fer_network *network,
                   struct fer_error *e);
/* The first n images of a usage, grey, scaled to size x size. */
int fer_batch_take(struct fer_batch *batch, const struct fer_dataset *data, enum fer_usage usage, size_t n, size_t size,
                   struct fer_error *e);
/* Whether it takes square grey images and gives FER_CLASSES classes. */
int fer_network_takes_faces(const struct fer_network *network);
/* n images of the network's shape, each number uniform in 0 ... 1, fer_uniform(seed, FER_FOR_CHECKS, 0, k); labels in
 * turn. */
int fer_batch_draw(struct fer_batch *batch, const struct fer_network *network, size_t n, uint64_t seed,
                   struct fer_error *e);
/* Makes a batch of grey faces one of the network's: equal channels. Fails, and names the source, where an image is of a
 * class that the network does not have. */
int fer_batch_fit(struct fer_batch *batch, const struct fer_network *network, const char *source, struct fer_error *e);
void fer_batch_free(struct fer_batch *batch);

struct fer_recorded {
    size_t arrays; /* in the file */
    double loss;   /* 0 in an exact record */
};
/* Runs one training step (Adam's step 1 from zero moments) and writes a record of it: input, labels, every output,
 * gradient, parameter and updated parameter, in the order of computation. Plans the network anew, with FER_PLAN_KEEP;
 * its parameters are updated. */
int fer_record(struct fer_network *network, const struct fer_batch *batch, const struct fer_adam *adam,
               const char *path, struct fer_recorded *recorded, struct fer_error *e);
/* A record of inference: input, labels, parameters, outputs, loss. */
int fer_record_inference(struct fer_network *network, const struct fer_batch *batch, const char *path,
                         struct fer_recorded *recorded, struct fer_error *e);
/* A record of n images made of small integers, such that every sum of convolutions, dense layer and poolings is exact
 * in float32 in whatever order: model/record_exact.c says how, and which arrays it leaves out. The network's
 * parameters are overwritten. */
int fer_record_exact(struct fer_network *network, size_t n, uint64_t seed, const char *path,
                     struct fer_recorded *recorded, struct fer_error *e);

/* ---- 10. Verify ----------------------------------------------------------------------------------------------
 *
 * Another implementation's record of one training step (the arrays of section 4's network, by name) against the
 * rounding bound: each array is computed anew in float64 from the implementation's own recorded inputs to it.
 * model/check/verify.c and model/check/bounds_*.c say how. */

enum fer_unit { FER_UNIT_F64, FER_UNIT_F32, FER_UNIT_TF32, FER_UNIT_BF16, FER_UNIT_F16, FER_UNITS };
extern const char *const fer_unit_names[FER_UNITS]; /* f64, f32, tf32, bf16, f16 */

/* What one layer does otherwise than the others: its format, or its moving variance. */
enum { FER_MAX_EXCEPTIONS = 1024 };
struct fer_verify_exception {
    const char *option, *layer; /* "unit" or "bn-moving-variance"; the layer's name */
    int choice;                 /* enum fer_unit; whether the moving variance takes the unbiased variance */
};

struct fer_verify_options {
    enum fer_unit unit;          /* the format of inputs and outputs; tf32: of the factors of products alone */
    enum fer_unit accumulate;    /* the format of sums; not tf32 */
    int adam_pytorch;            /* Adam's epsilon is added after the bias correction */
    enum fer_ties ties;          /* where max pooling sends its gradient; FER_TIES_ANY: to any of equal maxima */
    int relu_at_zero;            /* the derivative of a ReLU at 0, 0 or 1 */
    int winograd;                /* outputs a side of a tile of Winograd's algorithm: 2, 4, 6; 0: it is not used */
    const char *model;           /* the network's file, of fer_model_read; NULL: incv3v1 */
    size_t size;                 /* of the images where that file leaves it open; 0: as the record's input */
    int inference;               /* the record is one of inference */
    int no_chains;               /* arrays are checked from their direct inputs alone */
    int part, parts;             /* part 1 ... parts: every parts-th array is checked; 0, 0: all are */
    int nchw;                    /* images are [N,C,H,W], kernels [O,I,H,W], dense ones [O,I] */
    /* Adam's and BatchNormalization's; momentum and epsilon below 0: each layer's own, unbiased below 0 too */
    struct fer_settings settings;
    int exceptions; /* a later one counts before an earlier one */
    struct fer_verify_exception exception[FER_MAX_EXCEPTIONS];
};
void fer_verify_options_default(struct fer_verify_options *options); /* f32, f32, nothing else, the default settings */

/* In rising order of gravity but for the last: inputs that the check needs are not in the record. */
enum fer_verdict { FER_OK, FER_MISTRUSTED, FER_SUSPECT, FER_WRONG, FER_NOT_CHECKABLE, FER_VERDICTS };
extern const char *const fer_verdict_names[FER_VERDICTS]; /* ok, MISTRUSTED, suspect, WRONG, not checkable */

/* One array of the record. */
struct fer_verify_row {
    char array[FER_MAX_ARRAY];  /* "conv2d_3/kernel_grad" */
    char writers[160];        /* of LAYER/output_grad: the layers whose backward passes wrote it; else "" */
    enum fer_verdict verdict;
    int by_nature;            /* MISTRUSTED, but every record of this shape has zeros here: it does not count */
    size_t elements;
    int dims;
    size_t shape[4];
    double proven, likely;    /* the largest ratio of error to the proven bound, and to the likely one */
    size_t index;             /* the element that has it, row-major (of proven when WRONG, else of likely); ... */
    double value, truth;      /* ... what stands there, and what should ... */
    double proven_bound, likely_bound; /* ... with what rounding can make of it */
    /* An array that was checked through others, which the record does not hold: how many layers, the first of their
     * names, the smallest relative fault that it would show, and whether that is so large that its verdict is weak. */
    int chain;
    char through[160];
    double sees;
    int weak;
    /* Of one at fault: how many elements rounding does not explain, and the smallest set of indices that holds them
     * all, "400 of 4800, all of channels 44 to 47". */
    size_t wrong;
    char pattern[160];
    char reason[240];         /* what the array is instead, or may be computed otherwise, or lacks */
};

struct fer_verify_summary {
    size_t rows[FER_VERDICTS]; /* how many arrays of each verdict */
    size_t by_nature;          /* of those MISTRUSTED */
    size_t absent;             /* arrays of such a record that this one does not hold */
    size_t ignored;            /* arrays of the file that are none of such a record */
    char unused[512];          /* the names of the first ten of these */
    char first[FER_MAX_ARRAY]; /* the first array that is WRONG or suspect, in order of computation; else "" */
    enum fer_verdict first_verdict;
    char first_writers[160], first_pattern[160], first_reason[240]; /* of its row */
    char first_wrong[FER_MAX_ARRAY];      /* the first that is WRONG; else "" */
    char only_consumers_of[FER_MAX_ARRAY]; /* an array that is ok, when only what is made of it is at fault; else "" */
    char first_mistrusted[FER_MAX_ARRAY]; /* the first that is MISTRUSTED, not by nature; else "" */
};

/* Verifies the record at `path`; report(context, row) (NULL: not wanted) is called for each array that it holds, in
 * order of computation. 0 when it did its work, whatever it found; -1 when the file is not a record, nothing in it can
 * be checked, memory runs out, or real is not double. */
int fer_verify(const char *path, const struct fer_verify_options *options,
               void (*report)(void *context, const struct fer_verify_row *row), void *context,
               struct fer_verify_summary *summary, struct fer_error *e);

/* One operation of fer_op: the arrays of the npz file `theirs` that are its results (y, dx, ...), against what rounding
 * can do in this arithmetic with the arguments in `in`. `theirs` may be the same file as `in`: then what is read as an
 * argument is no result. Arguments that float32 does not hold may have been rounded to it first. -1 too when there is
 * nothing to judge, or real is not double. */
int fer_op_verify(const char *name, const char *in, const char *theirs, const struct fer_op_option *option, int options,
                  enum fer_unit unit, enum fer_unit accumulate,
                  void (*report)(void *context, const struct fer_verify_row *row), void *context,
                  struct fer_verify_summary *summary, struct fer_error *e);

/* ---- 11. Fingerprint -----------------------------------------------------------------------------------------
 *
 * A fixed small training on drawn faces, and a digest (CRC-32) of each stage of it: faces, initial weights, each
 * layer's output and gradients in the first step, the weights after each step, an evaluation. A build that keeps the
 * promise of section 1 comes to the digests in model/check/fingerprint_expected.c; model/check/fingerprint.c says what
 * is done. */

struct fer_fingerprint_stage {
    char name[96];     /* "conv2d_3/output" */
    uint32_t digest;
    uint32_t expected;
    int known;         /* there is an expected digest for this stage */
    int differs;       /* from the expected digest, or it is not known */
};
/* report(context, stage) is called after each stage (NULL: not wanted). Returns how many differ or never came, or
 * -1. */
int fer_fingerprint(void (*report)(void *context, const struct fer_fingerprint_stage *stage), void *context,
                    struct fer_error *e);

/* ---- 12. Pits ------------------------------------------------------------------------------------------------
 *
 * A pit is an epoch whose validation is far below that of the epochs around it: model/pit_rule.c has the rule, and how
 * often a healthy run is accused. */

#define FER_FER2013_VALIDATION 3589 /* images of FER2013's PublicTest */
#define FER_PIT_THRESHOLD 6.0       /* noise's below the level, from which on an epoch is a pit */

struct fer_pit {
    long epoch;                    /* row of the history, from 0 */
    int in_accuracy, in_loss;      /* where it was seen */
    double accuracy, level;        /* val_accuracy, and what the epochs around it lead to expect */
    double depth;                  /* level - accuracy */
    double noise;                  /* the standard deviation by which healthy epochs miss the level */
    double loss, loss_level;       /* the same of val_loss; NaN: not known */
    double loss_noise;             /* the same of log(val_loss) */
};
/* Finds the pits of a run in its history, [epoch] accuracy, loss, val_accuracy, val_loss (NaN: not known); `images` is
 * how many each val_accuracy was taken over. Fills pits[at most epochs], in order of epochs, and returns how many
 * there are. Whether epoch e is one depends on the epochs e - 10 ... e + 5 alone; it may change until epoch e + 5 is
 * done. */
long fer_pits_find(const double (*history)[4], long epochs, size_t images, struct fer_pit *pits);
/* The same figures for one epoch, whether it is a pit or not. At least one epoch must lie before it. */
void fer_pit_measure(const double (*history)[4], long epochs, size_t images, long epoch, struct fer_pit *pit);

/* Experiments on the states after the pit's epoch and after the one before it. Each changes one thing and looks
 * whether the pit is gone. model/pits/experiments.c says what each does. */
enum fer_pit_experiment {
    FER_PIT_BATCH,    /* validation with each batch's own statistics in BatchNormalization */
    FER_PIT_EXACT,    /* with exact statistics of the training images (fer_exact_statistics); means, variances alone;
                         and the state after the epoch before with its own exact ones, for comparison */
    FER_PIT_SWAP,     /* these weights with the statistics of the epoch before, and the other way round */
    FER_PIT_TRAINING, /* training images in inference mode: does accuracy fall there too? */
    FER_PIT_LAYERS,   /* exact statistics in one BatchNormalization layer alone, and in all but one; left out when exact
                         statistics everywhere recover less than a tenth */
    FER_PIT_REPLAY,   /* the epoch once more, step by step */
    FER_PIT_CHANGES,  /* the epoch once more, with one thing changed */
    FER_PIT_EXPERIMENTS
};
#define FER_PIT_LAYERS_ALWAYS (1u << FER_PIT_EXPERIMENTS) /* added to the experiments: `layers` is never left out */
/* batch, exact, swap, training, layers, replay, changes */
extern const char *const fer_pit_experiment_names[FER_PIT_EXPERIMENTS];

/* One outcome, a line of RUN/pits.csv. */
struct fer_pit_row {
    long epoch;
    char experiment[24];   /* one of the names, or `base` (the state as it is) or `conclusion` */
    char detail[2400];     /* what was changed; of the conclusion, its words. In pits.csv a `,` stands for `;` */
    double val_accuracy, val_loss; /* of the training experiment, of training images; NaN: none */
    /* (val_accuracy - pit) / (level - pit); of a pit of the loss alone, the same in log(val_loss). NaN: none */
    double recovered;
};

struct fer_pit_step; /* a step of the replay: model/pits/pits.h has what is in it */

/* Functions of the caller that are told what is found. Each may be NULL. */
struct fer_pit_watcher {
    void *context;
    void (*begin)(void *context, const char *experiment, const char *detail); /* before each outcome */
    void (*row)(void *context, const struct fer_pit_row *row);
    void (*step)(void *context, const struct fer_network *network, const struct fer_pit_step *step);
    const struct fer_watcher *watcher; /* for progress, and to stop */
};

/* Explains the epoch of `pit` (of fer_pits_find or fer_pit_measure). The trainer has the run's settings and data; its
 * state is overwritten. `run` is the folder that has epochs/NNNN.npz. experiments: the sum of 1 << experiment. An
 * experiment that needs the checkpoint before the epoch is left out when there is none. The last row is the
 * conclusion. */
enum fer_end fer_pit_explain(struct fer_trainer *trainer, const char *run, const struct fer_pit *pit,
                             unsigned experiments, const struct fer_pit_watcher *told, struct fer_error *e);

/* RUN/pits.csv: `epoch;experiment;detail;val_accuracy;val_loss;recovered`, CR LF, NaN as an empty field. */
int fer_pits_write(const char *path, const struct fer_pit_row *rows, size_t count, struct fer_error *e);
/* *rows is freed by fer_free. */
int fer_pits_read(const char *path, struct fer_pit_row **rows, size_t *count, struct fer_error *e);

/* ---- 13. Report ----------------------------------------------------------------------------------------------
 *
 * A run as one HTML page that needs nothing else: model/report.c collects what it shows, data/page/report.c writes it.
 * The same run gives the same page to the byte. */

struct fer_report; /* data/page/report.h has what is in it */

/* Evaluates `network`, which gets a new plan, and collects the rest from the folder `run`; `data` must be the run's, by
 * its digest, and outlive the report. watcher (NULL: none) sees the evaluation's batches. */
int fer_report_create(struct fer_report **report, const char *run, const struct fer_config *config,
                      struct fer_network *network, const struct fer_dataset *data, const struct fer_watcher *watcher,
                      struct fer_error *e);
void fer_report_free(struct fer_report *report); /* NULL is allowed */
/* The page appears whole or not at all. */
int fer_report_write(const struct fer_report *report, const char *path, struct fer_error *e);

#if defined __GNUC__ && !defined _WIN32
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
