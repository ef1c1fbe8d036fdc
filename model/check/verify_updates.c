/* verify_updates.c - the parameters after one step of Adam, and the moving statistics, from what they were before. */
#include "chain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- From a gradient, or an output, that the record does not hold: it is computed, with errors (chain.h) ---- */

/* What the check has gone through, and sees: the errors alone, since its own are smaller. */
static void conclude_chain(struct fer_verification *v, size_t count, const real *truth, const real *error,
                           const char *missing)
{
    v->row.sees = fer_chain_sees(count, truth, error);
    v->row.weak = v->row.sees > 1e-2;
    if (v->row.weak) snprintf(v->row.reason, sizeof v->row.reason, "weak; %s in the record would sharpen it", missing);
}

/* How errors d of the gradient move the step that leads to truth[]. room[4][count] */
static void step_aside(const struct fer_adam *adam, size_t count, const real *before, const real *gradient,
                       const real *d, const real *truth, real *room, real *error)
{
    real *moved = room, *step = room + count, *m = room + 2 * count, *second = room + 3 * count;
    size_t k;
    int side;
    for (k = 0; k < count; k++) error[k] = 0;
    for (side = -1; side <= 1; side += 2) {
        for (k = 0; k < count; k++)
            moved[k] = gradient[k] + (real)side * d[k], m[k] = second[k] = 0, step[k] = before[k];
        fer_adam_step(adam, 1, count, step, moved, m, second);
        for (k = 0; k < count; k++)
            if (fabs(step[k] - truth[k]) > error[k]) error[k] = (real)fabs(step[k] - truth[k]);
    }
}

/* The bounds of truth[] are so much wider. NULL: no memory. */
static const struct fer_bound *hold_wider(struct fer_verification *v, size_t count, const real *proven,
                                          const real *likely)
{
    real *memory = fer_verify_hold(v, count * sizeof(struct fer_bound) / sizeof(real));
    struct fer_bound *wider = (struct fer_bound *)(void *)memory;
    size_t k;
    for (k = 0; k < count && wider; k++) wider[k].proven = (double)proven[k], wider[k].likely = (double)likely[k];
    return wider;
}

/* An update's gradient: values, and where they were computed their errors, proven and likely, else none. */
struct gradient {
    const real *values, *E, *e;
    char name[FER_MAX_ARRAY];
};

static struct gradient find_gradient(struct fer_verification *v, const struct fer_layer *layer,
                                     const struct fer_parameter *p)
{
    const struct fer_state *s = v->options->no_chains ? NULL : fer_chain_parameter_gradient(v, layer, p);
    struct gradient g = {0};
    real *likely = s ? fer_verify_hold(v, s->count) : NULL;
    size_t k;
    snprintf(g.name, sizeof g.name, "%s_grad", p->name);
    if (!likely) {
        g.values = fer_verify_load(v, g.name);
        return g;
    }
    for (k = 0; k < s->count; k++) likely[k] = s->e[k] + s->c[k];
    g.values = s->v, g.E = s->E, g.e = likely;
    return g;
}

static const struct fer_bound *widen_adam(struct fer_verification *v, const struct fer_adam *adam, const real *before,
                                          const struct gradient *gradient, const real *truth, size_t count)
{
    real *proven = fer_verify_hold(v, count), *likely = fer_verify_hold(v, count), *room = fer_verify_hold(v,
                                                                                                           4 * count);
    if (v->failed) return NULL;
    step_aside(adam, count, before, gradient->values, gradient->E, truth, room, proven);
    step_aside(adam, count, before, gradient->values, gradient->e, truth, room, likely);
    conclude_chain(v, count, truth, likely, gradient->name);
    return hold_wider(v, count, proven, likely);
}

/* ---- Adam ---- */

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

static void tally_adam(struct fer_verification *v, size_t count, const real *before, const struct gradient *gradient,
                       real *room)
{
    const struct fer_settings *s = &v->options->settings;
    const double moved = v->options->adam_pytorch ? sqrt(1 - s->beta2) : 1; /* as bounds_loss.c says */
    const struct fer_adam adam = {.learning_rate = s->learning_rate, .beta1 = s->beta1, .beta2 = s->beta2,
                                  .epsilon = s->adam_epsilon * moved};
    real *truth = room, *m = room + count, *second = room + 2 * count;
    memcpy(truth, before, count * sizeof *truth);
    fer_adam_step(&adam, 1, count, truth, gradient->values, m, second);
    if (gradient->e) v->tally.wider = widen_adam(v, &adam, before, gradient, truth, count);
    if (v->failed) return;
    fer_tally_adam(&v->tally, &v->arithmetic, &adam, count, before, gradient->values, truth, v->claimed);
    v->rate = fitting_rate(s->learning_rate, count, before, truth, v->claimed);
    v->depends |= FER_ON_ADAM;
}

static void check_trainable(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p)
{
    struct gradient gradient;
    const real *before;
    real *room;
    if (!fer_verify_begin_parameter(v, layer, p, "_new")) return;
    before = fer_verify_load_parameter(v, p, "");
    gradient = find_gradient(v, layer, p);
    room = fer_verify_ready(v) ? fer_verify_hold(v, 3 * p->count) : NULL;
    v->row.by_nature = v->zero_by_nature[layer - v->net.layer];
    if (fer_verify_ready(v)) tally_adam(v, p->count, before, &gradient, room);
    fer_verify_finish(v);
    if (!v->looking) fer_state_free(&v->of_parameter[p - v->net.parameter]);
}

/* ---- Moving statistics ---- */

/* (1 - momentum) times what errors of x move the batch's mean, or variance. NULL: no memory. */
static const struct fer_bound *widen_moving(struct fer_verification *v, const struct fer_layer *layer,
                                            const struct fer_state *x, const struct fer_channel *channel,
                                            int is_variance, const real *before)
{
    const size_t channels = layer->channels;
    real *truth = fer_verify_hold(v, channels);
    real *proven = fer_verify_hold(v, channels), *likely = fer_verify_hold(v, channels);
    const double share = 1 - layer->momentum, rows = (double)(x->count / channels);
    const double bessel = is_variance && rows > 1 ? rows / (rows - 1) : 1; /* or 1: then this is wider */
    char name[FER_MAX_ARRAY];
    size_t c;
    if (v->failed) return NULL;
    for (c = 0; c < channels; c++) {
        const struct fer_shift t = fer_shift_of(x, channels, c, layer->epsilon);
        const double batch = is_variance ? channel[c].variance : channel[c].mean;
        truth[c] = (real)(before[c] * layer->momentum + batch * share);
        proven[c] = (real)(share * bessel * (is_variance ? t.dV : t.mean_E));
        likely[c] = (real)(share * bessel * (is_variance ? 2 * t.r / (t.scale * t.scale) : t.mean_e));
    }
    fer_output_name(&v->net, layer->input[0], "", name);
    conclude_chain(v, channels, truth, likely, name);
    return hold_wider(v, channels, proven, likely);
}

/* The moving mean, or the moving variance. */
static void check_moving(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                         int is_variance)
{
    const size_t rows = fer_verify_rows(v, layer);
    const struct fer_state *computed = NULL;
    struct fer_state room;
    struct fer_channel *channel;
    const real *before, *x;
    if (!fer_verify_begin_parameter(v, layer, p, "_new")) return;
    before = fer_verify_load_parameter(v, p, "");
    if (!v->options->no_chains && !fer_chain_has_inputs(v, layer) && fer_verify_ready(v))
        computed = fer_chain_input(v, layer, &room);
    x = computed ? computed->v : fer_verify_load_output(v, &v->net.layer[layer->input[0]]);
    channel = fer_verify_ready(v) ? fer_allocate((size_t)layer->channels, sizeof *channel, v->e) : NULL;
    if (fer_verify_ready(v) &&
        (!channel || fer_channels(channel, &v->arithmetic, rows, layer->channels, x, layer->epsilon, v->e)))
        v->failed = 1;
    if (fer_verify_ready(v) && computed)
        v->tally.wider = widen_moving(v, layer, computed, channel, is_variance, before);
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
        fer_chain_forget(v, v->layer);
    }
}
