/* state.c - the state of a network, for experiments: the values of all parameters, one after the other. */
#include "pits.h"

#include <string.h>

static int kind_of(const struct fer_parameter *p)
{
    return p->trainable ? FER_PIT_WEIGHTS : strstr(p->name, "/moving_mean") ? FER_PIT_MEANS : FER_PIT_VARIANCES;
}

size_t fer_pit_state_size(const struct fer_network *net)
{
    size_t count = 0;
    int i;
    for (i = 0; i < net->parameters; i++) count += net->parameter[i].count;
    return count;
}

void fer_pit_keep_state(const struct fer_network *net, real *state)
{
    int i;
    for (i = 0; i < net->parameters; state += net->parameter[i++].count)
        memcpy(state, net->parameter[i].value, net->parameter[i].count * sizeof *state);
}

const real *fer_pit_array(const struct fer_network *net, const real *state, const struct fer_parameter *parameter)
{
    const struct fer_parameter *p;
    for (p = net->parameter; p < parameter; p++) state += p->count;
    return state;
}

void fer_pit_put_state(struct fer_network *net, const real *state, int kinds, int layer)
{
    const int first = layer == FER_PIT_EVERY_LAYER ? 0 : net->layer[layer].parameter;
    const int end = layer == FER_PIT_EVERY_LAYER ? net->parameters : first + net->layer[layer].parameters;
    int i;
    for (i = 0; i < net->parameters; state += net->parameter[i++].count)
        if (i >= first && i < end && kind_of(&net->parameter[i]) & kinds)
            memcpy(net->parameter[i].value, state, net->parameter[i].count * sizeof *state);
}

int fer_pit_load(struct fer_trainer *t, const char *run, long epoch, struct fer_error *e)
{
    char path[FER_PATH];
    if (fer_checkpoint_path(path, run, epoch, e) || fer_checkpoint_load(t, path, e)) return -1;
    if (t->epoch == epoch + 1 && t->batch == 0) return 0;
    return fer_fail(e, "%s: holds the state at epoch %ld, batch %ld; expected that right after epoch %ld", path,
                    t->epoch, t->batch, epoch);
}
