/* replay.c - a pit's epoch once more, from the checkpoint before it: as it was, step by step, or with one thing
 * changed.
 *
 * Nothing changed, it must end in the same bits. While it runs, each step's figures are compared with those of the
 * steps before it. A figure has left its usual range at the first step, from the ninth on, at which
 *
 *     log(figure) > median + 8 * max(0.1, 1.4826 * MAD)      of log(figure) over the earlier steps of the epoch
 *
 * (MAD: the median absolute deviation): at least 2.2 times the usual. The figures: the batch's loss; the relative
 * change of each kernel; how far a batch's mean is from the moving one (the root of the mean square over the channels)
 * and its variance above it (the largest ratio), in the layer that is to blame, or else in any. Of several layers the
 * one is named that left first. */
#include "pits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const fer_pit_change_names[FER_CHANGES] = {"Adam's epsilon 1e-3",
                                                       "learning rate a tenth",
                                                       "BatchNormalization momentum 0.9",
                                                       "another shuffle",
                                                       "gradients clipped to a global norm of 1",
                                                       "without the short batch",
                                                       "the short batch first"};

enum { LEAST_STEPS = 8 };

/* ---- With one thing changed ---- */

static void change_settings(struct fer_trainer *t, enum fer_pit_change change)
{
    if (change == FER_CHANGE_ADAM_EPSILON) t->settings.adam_epsilon = 1e-3;
    if (change == FER_CHANGE_LEARNING_RATE) t->settings.learning_rate /= 10;
    if (change == FER_CHANGE_BN_MOMENTUM) fer_network_normalization(t->network, 0.9, -1, -1);
    if (change == FER_CHANGE_CLIP) t->settings.clip_norm = 1;
    if (change == FER_CHANGE_SHUFFLE) t->settings.seed++, t->settings.shuffle = 1;
}

int fer_pit_is_change(const struct fer_trainer *t, enum fer_pit_change change)
{
    const struct fer_settings *s = &t->settings;
    switch (change) {
    case FER_CHANGE_ADAM_EPSILON: return s->adam_epsilon != 1e-3;
    case FER_CHANGE_LEARNING_RATE: return s->learning_rate != 0;
    case FER_CHANGE_BN_MOMENTUM: return s->bn_momentum != 0.9 && s->precise_bn == 0;
    case FER_CHANGE_CLIP: return s->clip_norm == 0 || s->clip_norm > 1;
    case FER_CHANGE_NO_SHORT_BATCH:
    case FER_CHANGE_SHORT_BATCH_FIRST: return t->train_count % (size_t)s->batch != 0 && t->batches > 1;
    default: return 1;
    }
}

/* The short batch is the last one that is cut, number batches - 1. */
static void change_order(struct fer_trainer *t, enum fer_pit_change change)
{
    size_t at = 0;
    if (change != FER_CHANGE_NO_SHORT_BATCH && change != FER_CHANGE_SHORT_BATCH_FIRST) return;
    while (t->batch_order[at] != t->batches - 1) at++;
    if (change == FER_CHANGE_SHORT_BATCH_FIRST) {
        memmove(t->batch_order + 1, t->batch_order, at * sizeof *t->batch_order);
        t->batch_order[0] = t->batches - 1;
    } else {
        memmove(t->batch_order + at, t->batch_order + at + 1, (t->batches - 1 - at) * sizeof *t->batch_order);
        t->batches--;
    }
}

/* ---- Looking at a step ---- */

/* Who looks: the values as they were before the step, and room for what is seen. */
struct observer {
    real *before;
    struct fer_pit_step *step;
};

/* A kernel's change, as a part of it. */
static double relative_change(const struct fer_parameter *p, const real *before)
{
    double change = 0, norm = 0;
    size_t k;
    for (k = 0; k < p->count; k++) {
        const double d = (double)p->value[k] - (double)before[k];
        change += d * d;
        norm += (double)before[k] * (double)before[k];
    }
    return norm > 0 ? sqrt(change / norm) : 0;
}

static double largest_drive(const struct fer_parameter *p, double epsilon)
{
    double most = 0;
    size_t k;
    for (k = 0; k < p->count; k++) {
        const double m = (double)p->m[k], drive = (m < 0 ? -m : m) / (sqrt((double)p->v[k]) + epsilon);
        if (drive > most) most = drive;
    }
    return most;
}

/* The batch's statistics against the moving ones that it met. */
static void compare_statistics(const struct fer_network *net, int i, const real *before, struct fer_pit_step *s)
{
    const struct fer_layer *layer = &net->layer[i];
    const real *mean = fer_pit_array(net, before, fer_layer_parameter(net, layer, "moving_mean"));
    const real *variance = fer_pit_array(net, before, fer_layer_parameter(net, layer, "moving_variance"));
    double square = 0;
    size_t c;
    for (c = 0; c < layer->channels; c++) {
        const double d = (double)layer->mean[c] - (double)mean[c], var = (double)variance[c] + layer->epsilon;
        const double distance = (d < 0 ? -d : d) / sqrt(var),
                     ratio = ((double)layer->variance[c] + layer->epsilon) / var;
        square += distance * distance;
        if (distance > s->distance[i]) s->distance[i] = distance;
        if (ratio > s->ratio[i]) s->ratio[i] = ratio;
    }
    s->distance_rms[i] = sqrt(square / (double)layer->channels);
}

static void look_after(const struct observer *o, const struct fer_network *net, double epsilon)
{
    struct fer_pit_step *s = o->step;
    int i, k;
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        const struct fer_parameter *p = &net->parameter[layer->parameter];
        if (layer->parameters == 0) continue;
        if (fer_layer_takes_statistics(layer))
            compare_statistics(net, i, o->before, s);
        else
            s->update[i] = relative_change(p, fer_pit_array(net, o->before, p));
        for (k = 0; k < layer->parameters; k++) {
            const double drive = p[k].trainable ? largest_drive(&p[k], epsilon) : 0;
            if (drive > s->drive[i]) s->drive[i] = drive;
        }
    }
}

/* ---- The epoch ---- */

static enum fer_end one_step(const struct fer_pit_replay *r, struct observer *o, struct fer_error *e)
{
    struct fer_trainer *t = r->trainer;
    const struct fer_evaluation sum = t->running;
    enum fer_end end;
    if (o) fer_pit_keep_state(t->network, o->before);
    end = fer_trainer_step(t, e);
    if (end != FER_DONE || !o) return end;
    o->step->step = t->batch;
    o->step->images = (int)(t->running.count - sum.count);
    o->step->loss = (t->running.loss_sum - sum.loss_sum) / o->step->images;
    look_after(o, t->network, t->settings.adam_epsilon);
    if (r->told->step) r->told->step(r->told->context, t->network, o->step);
    o->step++;
    return end;
}

/* The steps of the epoch, and its validation. */
static enum fer_end run_epoch(const struct fer_pit_replay *r, struct observer *o, struct fer_pit_outcome *outcome,
                              struct fer_error *e)
{
    struct fer_trainer *t = r->trainer;
    const struct fer_watcher *w = r->told->watcher;
    struct fer_evaluation v;
    enum fer_end end;
    outcome->done = 1;
    outcome->accuracy = outcome->loss = NAN;
    while ((size_t)t->batch < t->batches) {
        end = one_step(r, o, e);
        if (end != FER_DONE) return end;
        if (w && w->batch_done && w->batch_done(w->context, t, FER_TRAINING, (size_t)t->batch, t->batches, &t->running))
            return FER_STOPPED;
    }
    end = fer_trainer_validate(t, w, &v, e);
    if (end != FER_DONE) return end;
    outcome->accuracy = (double)v.correct / (double)v.count;
    outcome->loss = v.loss_sum / (double)v.count;
    return FER_DONE;
}

/* From the checkpoint; afterwards the trainer has the run's settings again. */
static enum fer_end replay(const struct fer_pit_replay *r, enum fer_pit_change change, struct observer *o,
                           struct fer_pit_outcome *outcome, struct fer_error *e)
{
    struct fer_trainer *t = r->trainer;
    const struct fer_settings settings = t->settings;
    const size_t batches = t->batches;
    enum fer_end end;
    if (fer_pit_load(t, r->run, r->epoch - 1, e)) return FER_FAILED;
    change_settings(t, change);
    fer_trainer_order(t);
    change_order(t, change);
    end = run_epoch(r, o, outcome, e);
    t->settings = settings;
    fer_network_normalization(t->network, settings.bn_momentum, -1, -1);
    t->batches = batches;
    return end == FER_DIVERGED ? FER_DONE : end;
}

enum fer_end fer_pit_replay_changed(const struct fer_pit_replay *r, enum fer_pit_change change,
                                    struct fer_pit_outcome *outcome, struct fer_error *e)
{
    return replay(r, change, NULL, outcome, e);
}

/* ---- Where it left the usual range ---- */

enum figure { LOSS, UPDATE, DISTANCE, RATIO };

static double figure_of(const struct fer_pit_step *s, enum figure figure, int layer)
{
    if (figure == LOSS) return s->loss;
    return figure == UPDATE ? s->update[layer] : figure == DISTANCE ? s->distance_rms[layer] : s->ratio[layer];
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, size_t count)
{
    qsort(x, count, sizeof *x, compare);
    return (x[(count - 1) / 2] + x[count / 2]) / 2;
}

/* The first step at which a layer's figure left its range, if that is earlier than *d, or as early and farther away.
 * series and room: [count]. */
static void look_for_departure(const struct fer_pit_step *steps, size_t count, enum figure figure, int layer,
                               double *series, double *room, struct fer_pit_departure *d)
{
    size_t i, k;
    if (count == 0 || figure_of(&steps[0], figure, layer) == 0) return; /* the layer has no such figure */
    for (i = 0; i < count && (d->step == 0 || steps[i].step <= d->step); i++) {
        const double value = figure_of(&steps[i], figure, layer), log_value = fer_log(value > 1e-30 ? value : 1e-30);
        double middle, spread;
        series[i] = log_value;
        if (i < LEAST_STEPS) continue;
        memcpy(room, series, i * sizeof *room);
        middle = median(room, i);
        for (k = 0; k < i; k++) room[k] = series[k] < middle ? middle - series[k] : series[k] - middle;
        spread = 1.4826 * median(room, i);
        if (!(log_value > middle + 8 * (spread > 0.1 ? spread : 0.1))) continue;
        if (d->step == steps[i].step && !(log_value - middle > fer_log(d->value / d->usual))) return;
        d->step = steps[i].step;
        d->images = steps[i].images;
        d->layer = layer;
        d->value = value;
        d->usual = fer_exp(middle);
        return;
    }
}

/* Of one layer, or (-1) of all. */
static void find_departure(const struct fer_pit_step *steps, size_t count, enum figure figure, int layer,
                           double *series, struct fer_pit_departure *d)
{
    int i;
    for (i = layer < 0 ? 0 : layer; i < (layer < 0 ? FER_MAX_LAYERS : layer + 1); i++)
        look_for_departure(steps, count, figure, i, series, series + count, d);
}

enum fer_end fer_pit_replay_steps(const struct fer_pit_replay *r, struct fer_pit_findings *f, struct fer_error *e)
{
    const size_t most = r->trainer->batches;
    struct fer_pit_step *steps = fer_allocate(most, sizeof *steps, e);
    double *series = fer_allocate(2 * most, sizeof *series, e);
    struct observer o = {NULL, NULL};
    enum fer_end end = FER_FAILED;
    o.before = fer_allocate(fer_pit_state_size(r->trainer->network), sizeof *o.before, e);
    o.step = steps;
    if (steps && series && o.before) end = replay(r, FER_CHANGES, &o, &f->replay, e);
    if (end == FER_DONE) {
        const size_t count = (size_t)(o.step - steps);
        f->steps = (long)count;
        find_departure(steps, count, LOSS, 0, series, &f->loss);
        find_departure(steps, count, UPDATE, -1, series, &f->update);
        find_departure(steps, count, DISTANCE, fer_pit_blamed_layer(f), series, &f->distance);
        find_departure(steps, count, RATIO, fer_pit_blamed_layer(f), series, &f->ratio);
    }
    fer_free(steps);
    fer_free(series);
    fer_free(o.before);
    return end;
}
