/* average.c - the moving average of the trainable weights (`--ema`), after each step:
 *
 *     average = momentum * average + (1 - momentum) * weight       and after the first step: average = weight
 *
 * as Keras 3's optimizers keep it with use_ema=True. Validation, best.npz and what precise-bn measures see the average
 * in place of the weights, as with Keras's SwapEMAWeights(swap_on_epoch=True); training goes on with the weights. The
 * moving statistics of BatchNormalization are those of the weights. */
#include "kinds.h"

int fer_average_begin(struct fer_network *net, struct fer_error *e)
{
    int i;
    for (i = 0; i < net->parameters; i++) {
        struct fer_parameter *p = &net->parameter[i];
        if (p->trainable && !(p->average = fer_allocate(p->count, sizeof *p->average, e))) return -1;
    }
    return 0;
}

void fer_average_update(struct fer_network *net, double momentum, long step)
{
    const real keep = (real)(step > 1 ? momentum : 0), add = 1 - keep;
    int i;
    size_t k;
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        for (k = 0; p->average && k < p->count; k++) p->average[k] = keep * p->average[k] + add * p->value[k];
    }
}

void fer_average_swap(struct fer_network *net)
{
    int i;
    for (i = 0; i < net->parameters; i++) {
        struct fer_parameter *p = &net->parameter[i];
        real *value = p->value;
        if (!p->average) continue;
        p->value = p->average;
        p->average = value;
    }
}
