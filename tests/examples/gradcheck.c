/* gradcheck.c - is the gradient of my own layer right?
 *
 *     make
 *     cc -std=c99 -O2 -DFER_DOUBLE -I. tests/examples/gradcheck.c libfer64.a -lm -fopenmp -o gradcheck && ./gradcheck
 *
 * The layer here is y = x * sigmoid(x), so dy/dx = s + x * s * (1 - s) with s = sigmoid(x). The checker wants a
 * function with one result: f(x) = <dy, y(x)>, whose gradient is the dx that the layer's backward pass makes of dy. */
#include "fer.h"
#include <stdio.h>

static real x[4] = {(real)-1.5, (real)-0.1, (real)0.4, 2}, dy[4] = {1, (real)-0.5, 3, 2}, dx[4];

static double f(void *context) /* f(x) = <dy, y(x)> */
{
    double sum = 0;
    int i;
    for (i = 0; i < 4; i++) sum += dy[i] * (x[i] / (1 + fer_exp(-x[i])));
    return (void)context, sum;
}

int main(void)
{
    struct fer_gradcheck result;
    struct fer_error e;
    int i;
    for (i = 0; i < 4; i++) { /* the backward pass to be checked */
        const double s = 1 / (1 + fer_exp(-x[i]));
        dx[i] = (real)(dy[i] * (s + x[i] * s * (1 - s)));
    }
    if (fer_gradcheck_function(f, NULL, x, dx, 4, 0, 0, 1, &result, &e)) return puts(e.text), 2;
    printf("%d checked, worst error %.1e at dx[%d]: measured %.9f, claimed %.9f: %s\n", (int)result.checked,
           result.worst, (int)result.index, result.measured, result.claimed,
           fer_gradcheck_passed(&result) ? "ok" : "WRONG");
    return !fer_gradcheck_passed(&result);
}
