/* layer.c - calls layers of libfer64 from C: a dense layer, softmax and cross-entropy, and the kernel's gradient.
 *
 *     make
 *     cc -std=c99 -DFER_DOUBLE -I. tests/examples/layer.c libfer64.a -lm -fopenmp -o layer && ./layer
 *
 * Without -DFER_DOUBLE it links with libfer.a (float32). */
#include "fer.h"
#include <stdio.h>

int main(void)
{
    const real x[3][4] = {{1, 0, 2, -1}, {0, 1, 1, 1}, {2, 2, 0, 1}}; /* [n][in] */
    const real kernel[4][2] = {{1, -1}, {0, 1}, {2, 0}, {0, 3}};      /* [in][out] */
    const real bias[2] = {1, -1};
    const int labels[3] = {0, 1, 0};
    real logits[3][2], dlogits[3][2], dkernel[4][2];
    double loss;
    int i;
    fer_dense_forward(3, 4, 2, x[0], kernel[0], bias, logits[0]);
    loss = fer_cross_entropy(3, 2, logits[0], labels, NULL, dlogits[0]) / 3;
    fer_dense_backward_kernel(3, 4, 2, x[0], dlogits[0], dkernel[0]);
    printf("loss %.6f\n", loss);
    for (i = 0; i < 4; i++) printf("dkernel[%d] = {%9.6f, %9.6f}\n", i, (double)dkernel[i][0], (double)dkernel[i][1]);
    return 0;
}
