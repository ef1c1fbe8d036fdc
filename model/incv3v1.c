/* incv3v1.c - the network: a small InceptionV3 (Szegedy et al., arXiv:1512.00567), as the Keras script builds it.
 *
 * Layers are numbered in the order of creation, branch by branch, as Keras numbers them. */
#include "model.h"

#include <stdio.h>

/* Convolution without bias, batch normalisation without gamma, ReLU. */
static int conv2d_bn(struct fer_builder *b, int x, size_t filters, size_t kernel_h, size_t kernel_w, size_t stride,
                     enum fer_padding padding)
{
    x = fer_add_conv2d(b, x, NULL, filters, kernel_h, kernel_w, stride, stride, padding);
    x = fer_add_batch_normalization(b, x, NULL, 0.99, 0.001);
    return fer_add_relu(b, x, NULL);
}

static int conv(struct fer_builder *b, int x, size_t filters, size_t kernel_h, size_t kernel_w)
{
    return conv2d_bn(b, x, filters, kernel_h, kernel_w, 1, FER_SAME);
}

static int max_pool(struct fer_builder *b, int x)
{
    return fer_add_max_pooling2d(b, x, NULL, 3, 3, 2, 2, FER_VALID);
}

static int average_pool(struct fer_builder *b, int x)
{
    return fer_add_average_pooling2d(b, x, NULL, 3, 3, 1, 1, FER_SAME);
}

static int stem(struct fer_builder *b, int x)
{
    x = conv2d_bn(b, x, 32, 3, 3, 2, FER_SAME);
    x = conv(b, x, 32, 3, 3);
    x = conv(b, x, 64, 3, 3);
    x = max_pool(b, x);
    x = conv(b, x, 80, 1, 1);
    x = conv(b, x, 192, 3, 3);
    return max_pool(b, x);
}

/* mixed0, mixed1, mixed2. */
static int mixed_a(struct fer_builder *b, const char *name, int x, size_t pool_filters)
{
    int branch[4];
    branch[0] = conv(b, x, 64, 1, 1);
    branch[1] = conv(b, x, 48, 1, 1);
    branch[1] = conv(b, branch[1], 64, 3, 3);
    branch[2] = conv(b, x, 64, 1, 1);
    branch[2] = conv(b, branch[2], 96, 3, 3);
    branch[2] = conv(b, branch[2], 96, 3, 3);
    branch[3] = average_pool(b, x);
    branch[3] = conv(b, branch[3], pool_filters, 1, 1);
    return fer_add_concatenate(b, branch, 4, name);
}

/* mixed3: half the height and width. */
static int mixed_b(struct fer_builder *b, const char *name, int x)
{
    int branch[3];
    branch[0] = conv2d_bn(b, x, 384, 3, 3, 2, FER_VALID);
    branch[1] = conv(b, x, 64, 1, 1);
    branch[1] = conv(b, branch[1], 96, 3, 3);
    branch[1] = conv2d_bn(b, branch[1], 96, 3, 3, 2, FER_VALID);
    branch[2] = max_pool(b, x);
    return fer_add_concatenate(b, branch, 3, name);
}

/* mixed4: 7x7 convolutions as 1x7 and 7x1. */
static int mixed_c(struct fer_builder *b, const char *name, int x)
{
    int branch[4];
    branch[0] = conv(b, x, 192, 1, 1);
    branch[1] = conv(b, x, 128, 1, 1);
    branch[1] = conv(b, branch[1], 128, 1, 7);
    branch[1] = conv(b, branch[1], 192, 7, 1);
    branch[2] = conv(b, x, 128, 1, 1);
    branch[2] = conv(b, branch[2], 128, 7, 1);
    branch[2] = conv(b, branch[2], 128, 1, 7);
    branch[2] = conv(b, branch[2], 128, 7, 1);
    branch[2] = conv(b, branch[2], 192, 1, 7);
    branch[3] = average_pool(b, x);
    branch[3] = conv(b, branch[3], 192, 1, 1);
    return fer_add_concatenate(b, branch, 4, name);
}

static void add_layers(struct fer_builder *b, size_t size)
{
    int x = fer_network_begin(b, size, size, 1);
    x = stem(b, x);
    x = mixed_a(b, "mixed0", x, 32);
    x = mixed_a(b, "mixed1", x, 64);
    x = mixed_a(b, "mixed2", x, 64);
    x = mixed_b(b, "mixed3", x);
    x = mixed_c(b, "mixed4", x);
    x = fer_add_global_average_pooling2d(b, x, "avg_pool");
    fer_add_dense(b, x, "predictions", FER_CLASSES);
}

int fer_incv3v1_describe(struct fer_network **network, size_t size, struct fer_error *e)
{
    struct fer_builder b;
    add_layers(&b, size);
    if (fer_network_describe(&b, network, e)) return -1;
    snprintf((*network)->name, sizeof (*network)->name, "incv3v1");
    return 0;
}

int fer_incv3v1(struct fer_network **network, size_t size, struct fer_error *e)
{
    *network = NULL;
    if (size < 1 || size > 4096) return fer_fail(e, "image size %zu: expected 48 ... 4096", size);
    return fer_incv3v1_describe(network, size, e) || fer_network_allocate(network, e) ? -1 : 0;
}
