/* plain.c - those files of layers/ that have a twin in layers/fast/, compiled into the test program under other names. */
#define fer_conv2d_forward plain_conv2d_forward
#define fer_conv2d_backward_input plain_conv2d_backward_input
#define fer_conv2d_backward_kernel plain_conv2d_backward_kernel
#define fer_batch_moments plain_batch_moments
#define fer_batch_normalization_forward plain_batch_normalization_forward
#define fer_batch_normalization_backward plain_batch_normalization_backward
#define fer_max_pooling2d_forward plain_max_pooling2d_forward
#define fer_max_pooling2d_backward plain_max_pooling2d_backward
#define fer_max_pooling2d_backward_ties plain_max_pooling2d_backward_ties
#define fer_average_pooling2d_forward plain_average_pooling2d_forward
#define fer_average_pooling2d_backward plain_average_pooling2d_backward

#include "plain.h"

#ifndef FER_PLAIN
#define FER_PLAIN
#endif

#include "../layers/average_pooling2d.c"
#include "../layers/batch_normalization.c"
#include "../layers/conv2d.c"
#include "../layers/max_pooling2d.c"
