/* verify_updates.c - the parameters after one step of Adam, and the moving statistics, from what they were before. */
#include "verification.h"

#include <math.h>
#include <string.h>

/* The learning rate by which the changes that are claimed fit those of Adam best. */
static double fitting_rate(double rate, size_t count, const real *before, const real *truth, const real *claimed)
{
    double product = 0, square = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        const double change = (double)truth[i] - (double)before[i];
        product += change * ((double)claimed[i] - (double)before[i]);
        square += change * change;
    }
    return square > 0 ? rate * product / square : 0;
}

static void tally_adam(struct fer_verification *v, size_t count, const real *before, const real *gradient, real *room)
{
    const struct fer_settings *s = &v->options->settings;
    const double moved = v->options->adam_pytorch ? sqrt(1 - s->beta2) : 1; /* as bounds_loss.c says */
    const struct fer_adam adam = {.learning_rate = s->learning_rate, .beta1 = s->beta1, .beta2 = s->beta2,
                                  .epsilon = s->adam_epsilon * moved};
    real *truth = room, *m = room + count, *second = room + 2 * count;
    memcpy(truth, before, count * sizeof *truth);
    fer_adam_step(&adam, 1, count, truth, gradient, m, second);
    fer_tally_adam(&v->tally, &v->arithmetic, &adam, count, before, gradient, truth, v->claimed);
    v->rate = fitting_rate(s->learning_rate, count, before, truth, v->claimed);
    v->depends |= FER_ON_ADAM;
}

static void check_trainable(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p)
{
    const real *before, *gradient;
    real *room;
    if (!fer_verify_begin_parameter(v, layer, p, "_new")) return;
    before = fer_verify_load_parameter(v, p, "");
    gradient = fer_verify_load_parameter(v, p, "_grad");
    room = fer_verify_ready(v) ? fer_verify_hold(v, 3 * p->count) : NULL;
    v->row.by_nature = v->zero_by_nature[layer - v->net.layer];
    if (fer_verify_ready(v)) tally_adam(v, p->count, before, gradient, room);
    fer_verify_finish(v);
}

/* The moving mean, or the moving variance. */
static void check_moving(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                         int is_variance)
{
    const size_t rows = fer_verify_rows(v, layer);
    struct fer_channel *channel;
    const real *before, *x;
    if (!fer_verify_begin_parameter(v, layer, p, "_new")) return;
    before = fer_verify_load_parameter(v, p, "");
    x = fer_verify_load_output(v, &v->net.layer[layer->input[0]]);
    channel = fer_verify_ready(v) ? fer_allocate((size_t)layer->channels, sizeof *channel, v->e) : NULL;
    if (fer_verify_ready(v) &&
        (!channel || fer_channels(channel, &v->arithmetic, rows, layer->channels, x, layer->epsilon, v->e)))
        v->failed = 1;
    if (fer_verify_ready(v) && is_variance) {
        fer_tally_moving_variance(&v->tally, &v->arithmetic, channel, rows, layer->channels, layer->momentum,
                                  layer->unbiased, before, v->claimed);
    } else if (fer_verify_ready(v)) {
        fer_tally_moving_mean(&v->tally, &v->arithmetic, channel, layer->channels, layer->momentum, before, v->claimed);
    }
    fer_free(channel);
    v->depends |= FER_ON_MOMENTUM | (is_variance ? FER_ON_MOVING_VARIANCE : 0);
    fer_verify_finish(v);
}

/* What is not trained stays as it is. */
static void check_unchanged(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p)
{
    const struct fer_bound none = {0, 0};
    const real *before;
    size_t k;
    if (!fer_verify_begin_parameter(v, layer, p, "_new")) return;
    before = fer_verify_load_parameter(v, p, "");
    for (k = 0; k < p->count && fer_verify_ready(v); k++)
        fer_tally_add(&v->tally, (double)v->claimed[k], (double)before[k], none);
    fer_verify_finish(v);
}

static void check_updates(struct fer_verification *v, const struct fer_layer *layer)
{
    int k;
    for (k = 0; k < layer->parameters; k++) {
        const struct fer_parameter *p = &v->net.parameter[layer->parameter + k];
        if (p->trainable)
            check_trainable(v, layer, p);
        else if (!fer_layer_takes_statistics(layer))
            check_unchanged(v, layer, p);
        else
            check_moving(v, layer, p, strstr(p->name, "variance") != NULL);
    }
}

void fer_verify_updates(struct fer_verification *v)
{
    int i;
    v->check = check_updates;
    for (i = 1; i < v->net.layers; i++) {
        v->layer = &v->net.layer[i];
        check_updates(v, v->layer);
    }
}
