/* gradcheck.c - `fer gradcheck`: the gradients of every layer, and of the whole network, against finite differences
 * (gradient.c). */
#include "gradcheck.h"

#include <string.h>

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

double fer_gradcheck_dot(size_t count, const real *a, const real *b)
{
    double sum = 0, carry = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        const double term = (double)a[i] * (double)b[i], next = sum + term;
        carry += magnitude(sum) >= magnitude(term) ? (sum - next) + term : (term - next) + sum;
        sum = next;
    }
    return sum + carry;
}

void fer_gradcheck_report(struct gradcheck_run *run, const struct fer_gradcheck_row *row)
{
    run->rows++;
    if (!fer_gradcheck_passed(&row->result)) run->failed++;
    if (run->report) run->report(run->context, row);
}

const char *const fer_gradcheck_layers[FER_GRADCHECK_LAYERS] = {"conv2d",
                                                                "batch_normalization",
                                                                "relu",
                                                                "max_pooling2d",
                                                                "average_pooling2d",
                                                                "global_average_pooling2d",
                                                                "concatenate",
                                                                "dense",
                                                                "softmax_cross_entropy",
                                                                "network"};

static int known(const char *layer)
{
    int i;
    for (i = 0; i < FER_GRADCHECK_LAYERS; i++)
        if (!strcmp(layer, fer_gradcheck_layers[i])) return 1;
    return 0;
}

int fer_gradcheck(const char *const *layers, int count, uint64_t seed,
                  void (*report)(void *context, const struct fer_gradcheck_row *row), void *context,
                  struct fer_error *e)
{
    struct gradcheck_run run = {0};
    const int all = count == 0;
    int i, rows = 0;
    if (all) layers = fer_gradcheck_layers, count = FER_GRADCHECK_LAYERS;
    for (i = 0; i < count; i++)
        if (!known(layers[i]))
            return fer_fail(e,
                            "there is no gradient check of `%.40s`; there are: conv2d, batch_normalization, relu, "
                            "max_pooling2d, average_pooling2d, global_average_pooling2d, concatenate, dense, "
                            "softmax_cross_entropy, network",
                            layers[i]);
    run.seed = seed;
    run.report = report;
    run.context = context;
    for (i = 0; i < count; i++) {
        const int network = !strcmp(layers[i], "network");
        if (network && sizeof(real) < sizeof(double)) {
            if (all) continue;
            return fer_fail(e,
                            "the whole network's gradients are checked in float64 only: float32 is too coarse for it");
        }
        if (network ? fer_gradcheck_network(&run, e) : fer_gradcheck_cases(&run, layers[i], e)) return -1;
        if (run.rows == rows) return fer_fail(e, "the gradient check of %.40s checked nothing", layers[i]);
        rows = run.rows;
    }
    return run.failed;
}
