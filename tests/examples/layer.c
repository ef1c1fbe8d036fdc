/* layer.c - a layer of libfer from C: the gradient of a dense layer with softmax and cross-entropy. */
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
    loss = fer_softmax_cross_entropy(3, 2, logits[0], labels, NULL, NULL, dlogits[0]) / 3;
    fer_dense_backward_kernel(3, 4, 2, x[0], dlogits[0], dkernel[0]);
    printf("loss %.6f\n", loss);
    for (i = 0; i < 4; i++) printf("dkernel[%d] = {%9.6f, %9.6f}\n", i, (double)dkernel[i][0], (double)dkernel[i][1]);
    return 0;
}
