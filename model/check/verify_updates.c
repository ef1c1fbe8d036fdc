/* verify_updates.c - the parameters after one step of Adam, and the moving statistics, from what they were before. Each
 * could be right by another rule (Adam's epsilon, the moving variance): then, if every one is, the reason says so. */
#include "verification.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An update is kept until all are checked. `other`: the verdict by the other rule of its family. */
static void finish_update(struct fer_verification *v, enum fer_family family, enum fer_verdict other)
{
    struct fer_update *u = &v->update[v->update_count];
    fer_verify_release(v, 0);
    if (v->failed) return;
    if (fer_verify_ready(v)) fer_verify_conclude(v, &v->row);
    if (v->row.verdict != FER_NOT_CHECKABLE && other >= FER_SUSPECT) v->other_rule_fails[family] = 1;
    u->row = v->row;
    u->family = family;
    v->update_count++;
}

static enum fer_verdict tally_adam(struct fer_verification *v, int pytorch, size_t count, const real *before,
                                   const real *gradient, real *room)
{
    const struct fer_settings *s = &v->options->settings;
    struct fer_adam adam;
    real *truth = room, *m = room + count, *second = room + 2 * count;
    adam.learning_rate = s->learning_rate;
    adam.beta1 = s->beta1;
    adam.beta2 = s->beta2;
    adam.epsilon = pytorch ? s->adam_epsilon * sqrt(1 - s->beta2) : s->adam_epsilon; /* as bounds_loss.c says */
    memcpy(truth, before, count * sizeof *truth);
    memset(m, 0, 2 * count * sizeof *m);
    fer_adam_step(&adam, 1, count, truth, gradient, m, second);
    memset(&v->tally, 0, sizeof v->tally);
    fer_tally_adam(&v->tally, &v->arithmetic, &adam, count, before, gradient, truth, v->claimed);
    return fer_tally_verdict(&v->tally);
}

static void check_trainable(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p)
{
    const real *before, *gradient;
    enum fer_verdict other = FER_OK;
    real *room;
    if (!fer_verify_begin_parameter(v, layer, p, "_new")) return;
    before = fer_verify_load_parameter(v, p, "");
    gradient = fer_verify_load_parameter(v, p, "_grad");
    room = fer_verify_ready(v) ? fer_verify_hold(v, 3 * p->count) : NULL;
    v->row.by_nature = v->zero_by_nature[layer - v->net.layer];
    if (fer_verify_ready(v)) {
        other = tally_adam(v, !v->options->adam_pytorch, p->count, before, gradient, room);
        tally_adam(v, v->options->adam_pytorch, p->count, before, gradient, room);
    }
    finish_update(v, ADAM, other);
}

/* The moving mean, or the moving variance. */
static void check_moving(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                         int is_variance)
{
    const size_t rows = fer_verify_rows(v, layer);
    enum fer_verdict other = FER_OK;
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
                                  !layer->unbiased, before, v->claimed);
        other = fer_tally_verdict(&v->tally);
        memset(&v->tally, 0, sizeof v->tally);
        fer_tally_moving_variance(&v->tally, &v->arithmetic, channel, rows, layer->channels, layer->momentum,
                                  layer->unbiased, before, v->claimed);
    } else if (fer_verify_ready(v)) {
        fer_tally_moving_mean(&v->tally, &v->arithmetic, channel, layer->channels, layer->momentum, before, v->claimed);
    }
    fer_free(channel);
    finish_update(v, is_variance ? MOVING_VARIANCE : NO_FAMILY, other);
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
    finish_update(v, NO_FAMILY, FER_OK);
}

/* Reports the updates; those at fault with the other rule, if that would make all of the family right. */
static void report_updates(struct fer_verification *v)
{
    static const char *const texts[FAMILIES][2] = {
        {"", ""},
        {"with --adam pytorch every update by Adam is ok", "with --adam keras every update by Adam is ok"},
        {"with --bn-moving-variance biased every moving variance is ok",
         "with --bn-moving-variance unbiased every moving variance is ok"}};
    const int chosen[FAMILIES] = {0, v->options->adam_pytorch, !v->options->settings.bn_unbiased};
    int i;
    for (i = 0; i < v->update_count; i++) {
        struct fer_verify_row *row = &v->update[i].row;
        const enum fer_family family = v->update[i].family;
        if (row->verdict != FER_NOT_CHECKABLE && row->verdict >= FER_SUSPECT && family != NO_FAMILY &&
            !v->other_rule_fails[family])
            snprintf(row->reason, sizeof row->reason, "%s", texts[family][chosen[family]]);
        fer_verify_report(v, row);
    }
}

void fer_verify_updates(struct fer_verification *v)
{
    int i, k;
    for (i = 1; i < v->net.layers; i++) {
        const struct fer_layer *layer = &v->net.layer[i];
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
    if (!v->failed) report_updates(v);
}
