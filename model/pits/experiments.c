/* experiments.c - why is this epoch a pit? Each experiment takes the state after it, changes one thing, and
 * validates.
 *
 *     base       the state as it is; must be what the log says, to the bit
 *     batch      every BatchNormalization takes the statistics of the batch at hand: PublicTest, shuffled as an epoch's
 *                training images are, in batches of the same size
 *     exact      the moving statistics are replaced by the exact ones of the training images; then by the exact means
 *                alone, and by the exact variances alone. For comparison the state after the epoch before, with its
 *                own exact ones: where it scores more, that part of the fall is in the weights
 *     layers     exact statistics in one layer alone, and in all but that one; of the layer that recovers most alone,
 *                mean and variance apart. Left out when exact statistics everywhere recover less than a tenth, but
 *                for FER_PIT_LAYERS_ALWAYS
 *     swap       these weights with the moving statistics of the epoch before; the weights of the epoch before with
 *                these statistics
 *     training   as many training images as there are validation images, or all, evenly spread over the data, in
 *                inference mode, under the state after the epoch and the one before it
 *     replay, changes     see replay.c
 */
#include "pits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const fer_pit_experiment_names[FER_PIT_EXPERIMENTS] = {"batch",  "exact",  "swap",   "training",
                                                                   "layers", "replay", "changes"};

/* ---- The laboratory ---- */

struct laboratory {
    struct fer_pit_replay replay; /* trainer, run, epoch, told */
    struct fer_network *network;
    unsigned experiments;
    int has_before;             /* there is a checkpoint of the epoch before */
    real *now, *before, *exact; /* states: after the epoch, after the one before, now with exact statistics */
    size_t *images, count;      /* room for the images of an evaluation; of validation */
    struct fer_pit_findings f;
};

static int wanted(const struct laboratory *x, enum fer_pit_experiment which)
{
    return (x->experiments >> which & 1) != 0;
}

static void begin(const struct laboratory *x, const char *experiment, const char *detail)
{
    const struct fer_pit_watcher *r = x->replay.told;
    if (r->begin) r->begin(r->context, experiment, detail);
}

/* Whether it scores other images, or another epoch's state: then it recovers nothing of this pit. */
static int scores_something_else(const struct laboratory *x, const struct fer_pit_outcome *o)
{
    return o == &x->f.training || o == &x->f.training_before || o == &x->f.exact_before;
}

static void report_row(const struct laboratory *x, const char *experiment, const char *detail,
                       const struct fer_pit_outcome *outcome)
{
    const struct fer_pit_watcher *r = x->replay.told;
    struct fer_pit_row row;
    row.epoch = x->replay.epoch;
    snprintf(row.experiment, sizeof row.experiment, "%s", experiment);
    snprintf(row.detail, sizeof row.detail, "%s", detail);
    row.val_accuracy = outcome->done ? outcome->accuracy : NAN;
    row.val_loss = outcome->done ? outcome->loss : NAN;
    row.recovered = outcome->done && !scores_something_else(x, outcome) ? fer_pit_recovered(&x->f, outcome) : NAN;
    if (r->row) r->row(r->context, &row);
}

/* The images x->images[count] under the present state, and the row. */
static enum fer_end score(struct laboratory *x, const char *experiment, const char *detail, size_t count, int training,
                          enum fer_usage usage, struct fer_pit_outcome *outcome, struct fer_error *e)
{
    const struct fer_trainer *t = x->replay.trainer;
    struct fer_evaluation v;
    enum fer_end end;
    begin(x, experiment, detail);
    end = fer_evaluate_images(x->network, t->data, x->images, count, training, usage, x->replay.told->watcher, t,
                              &v, e);
    if (end != FER_DONE) return end;
    outcome->done = 1;
    outcome->accuracy = (double)v.correct / (double)v.count;
    outcome->loss = v.loss_sum / (double)v.count;
    report_row(x, experiment, detail, outcome);
    return FER_DONE;
}

static enum fer_end validate(struct laboratory *x, const char *experiment, const char *detail,
                             struct fer_pit_outcome *outcome, struct fer_error *e)
{
    fer_dataset_select(x->replay.trainer->data, FER_PUBLIC_TEST, x->images);
    return score(x, experiment, detail, x->count, 0, FER_PUBLIC_TEST, outcome, e);
}

/* Validates the state after the epoch, but for some arrays of another state. */
static enum fer_end validate_with(struct laboratory *x, const real *state, int kinds, int layer, const char *experiment,
                                  const char *detail, struct fer_pit_outcome *outcome, struct fer_error *e)
{
    fer_pit_put_state(x->network, x->now, FER_PIT_EVERYTHING, FER_PIT_EVERY_LAYER);
    fer_pit_put_state(x->network, state, kinds, layer);
    return validate(x, experiment, detail, outcome, e);
}

/* ---- The experiments ---- */

static enum fer_end batch_statistics(struct laboratory *x, struct fer_error *e)
{
    const struct fer_trainer *t = x->replay.trainer;
    fer_dataset_select(t->data, FER_PUBLIC_TEST, x->images);
    fer_shuffle(x->images, x->count, t->settings.seed, FER_FOR_SHUFFLE, (uint32_t)x->replay.epoch);
    return score(x, "batch", "each batch's own statistics", x->count, 1, FER_PUBLIC_TEST, &x->f.batch, e);
}

/* Exact statistics of the present state. */
static enum fer_end pass_over_training_images(struct laboratory *x, struct fer_error *e)
{
    struct fer_trainer *t = x->replay.trainer;
    begin(x, "exact", "a pass over the training images");
    t->epoch = x->replay.epoch;
    fer_trainer_order(t);
    return fer_exact_statistics(t, t->batches, x->replay.told->watcher, e);
}

static enum fer_end exact_statistics(struct laboratory *x, struct fer_error *e)
{
    enum fer_end end = pass_over_training_images(x, e);
    fer_pit_keep_state(x->network, x->exact);
    if (end == FER_DONE)
        end = validate_with(x, x->exact, FER_PIT_STATISTICS, FER_PIT_EVERY_LAYER, "exact", "exact statistics",
                            &x->f.exact, e);
    if (end == FER_DONE)
        end = validate_with(x, x->exact, FER_PIT_MEANS, FER_PIT_EVERY_LAYER, "exact", "exact means, moving variances",
                            &x->f.exact_mean, e);
    if (end == FER_DONE)
        end = validate_with(x, x->exact, FER_PIT_VARIANCES, FER_PIT_EVERY_LAYER, "exact",
                            "moving means, exact variances", &x->f.exact_variance, e);
    return end;
}

/* The channel of a layer whose moving variance is farthest from the exact one, by ratio. */
static void find_channel(struct laboratory *x, int layer)
{
    const struct fer_network *net = x->network;
    const struct fer_parameter *variance = fer_layer_parameter(net, &net->layer[layer], "moving_variance");
    const real *moving = fer_pit_array(net, x->now, variance), *exact = fer_pit_array(net, x->exact, variance);
    const double epsilon = net->layer[layer].epsilon;
    double most = 0;
    size_t c;
    for (c = 0; c < net->layer[layer].channels; c++) {
        const double ratio = ((double)moving[c] + epsilon) / ((double)exact[c] + epsilon),
                     apart = ratio > 1 ? ratio : 1 / ratio;
        if (!(apart > most)) continue;
        most = apart;
        x->f.channel = (int)c;
        x->f.moving = (double)moving[c];
        x->f.exact_there = (double)exact[c];
    }
}

/* Mean and variance apart in the layer that recovers most alone, or, when there was no drop, scores most. */
static enum fer_end best_layer(struct laboratory *x, struct fer_error *e)
{
    struct fer_pit_findings *f = &x->f;
    char detail[160];
    enum fer_end end;
    int i;
    for (i = 0; i < x->network->layers; i++)
        if (f->alone[i].done && (f->layer < 0 || fer_pit_better(f, &f->alone[i], &f->alone[f->layer]))) f->layer = i;
    find_channel(x, f->layer);
    snprintf(detail, sizeof detail, "exact mean in %s alone", x->network->layer[f->layer].name);
    end = validate_with(x, x->exact, FER_PIT_MEANS, f->layer, "layers", detail, &f->layer_mean, e);
    if (end != FER_DONE) return end;
    snprintf(detail, sizeof detail, "exact variance in %s alone", x->network->layer[f->layer].name);
    return validate_with(x, x->exact, FER_PIT_VARIANCES, f->layer, "layers", detail, &f->layer_variance, e);
}

static enum fer_end one_layer_at_a_time(struct laboratory *x, struct fer_error *e)
{
    const struct fer_pit_outcome none = {0, 0, 0};
    char detail[160];
    enum fer_end end = FER_DONE;
    int i;
    if (!(x->experiments & FER_PIT_LAYERS_ALWAYS) && !(fer_pit_recovered(&x->f, &x->f.exact) >= 0.1)) {
        report_row(x, "layers", "left out: exact statistics everywhere recover less than a tenth", &none);
        return FER_DONE;
    }
    for (i = 0; i < x->network->layers && end == FER_DONE; i++) {
        if (!fer_layer_takes_statistics(&x->network->layer[i])) continue;
        snprintf(detail, sizeof detail, "exact statistics in %s alone", x->network->layer[i].name);
        end = validate_with(x, x->exact, FER_PIT_STATISTICS, i, "layers", detail, &x->f.alone[i], e);
        if (end != FER_DONE) break;
        fer_pit_put_state(x->network, x->exact, FER_PIT_STATISTICS, FER_PIT_EVERY_LAYER);
        fer_pit_put_state(x->network, x->now, FER_PIT_STATISTICS, i);
        snprintf(detail, sizeof detail, "exact statistics in all but %s", x->network->layer[i].name);
        end = validate(x, "layers", detail, &x->f.without[i], e);
    }
    return end == FER_DONE ? best_layer(x, e) : end;
}

/* The state after the epoch before, with its own exact statistics. */
static enum fer_end exact_before(struct laboratory *x, struct fer_error *e)
{
    char detail[160];
    enum fer_end end;
    snprintf(detail, sizeof detail, "exact statistics after epoch %ld", x->replay.epoch - 1);
    fer_pit_put_state(x->network, x->before, FER_PIT_EVERYTHING, FER_PIT_EVERY_LAYER);
    end = pass_over_training_images(x, e);
    return end == FER_DONE ? validate(x, "exact", detail, &x->f.exact_before, e) : end;
}

static enum fer_end swap(struct laboratory *x, struct fer_error *e)
{
    char detail[160];
    enum fer_end end;
    snprintf(detail, sizeof detail, "the moving statistics of epoch %ld", x->replay.epoch - 1);
    end = validate_with(x, x->before, FER_PIT_STATISTICS, FER_PIT_EVERY_LAYER, "swap", detail, &x->f.old_statistics, e);
    if (end != FER_DONE) return end;
    snprintf(detail, sizeof detail, "the weights of epoch %ld", x->replay.epoch - 1);
    return validate_with(x, x->before, FER_PIT_WEIGHTS, FER_PIT_EVERY_LAYER, "swap", detail, &x->f.old_weights, e);
}

static enum fer_end on_training_images(struct laboratory *x, const real *state, long epoch,
                                       struct fer_pit_outcome *outcome, struct fer_error *e)
{
    const struct fer_trainer *t = x->replay.trainer;
    const size_t count = x->count < t->train_count ? x->count : t->train_count;
    char detail[160];
    size_t i;
    snprintf(detail, sizeof detail, "%lu training images after epoch %ld", (unsigned long)count, epoch);
    fer_pit_put_state(x->network, state, FER_PIT_EVERYTHING, FER_PIT_EVERY_LAYER);
    for (i = 0; i < count; i++) x->images[i] = t->train[(uint64_t)i * t->train_count / count];
    return score(x, "training", detail, count, 0, FER_TRAINING, outcome, e);
}

static enum fer_end changes(struct laboratory *x, struct fer_error *e)
{
    const struct fer_trainer *t = x->replay.trainer;
    enum fer_end end = FER_DONE;
    int i;
    for (i = 0; i < FER_CHANGES && end == FER_DONE; i++) {
        if (!fer_pit_is_change(t, (enum fer_pit_change)i)) continue;
        begin(x, "changes", fer_pit_change_names[i]);
        end = fer_pit_replay_changed(&x->replay, (enum fer_pit_change)i, &x->f.change[i], e);
        if (end == FER_DONE) report_row(x, "changes", fer_pit_change_names[i], &x->f.change[i]);
    }
    return end;
}

/* ---- The replay with nothing changed ---- */

/* A digest of each array and its moments, so that two states can be compared array by array. */
static void digest(const struct fer_network *net, uint32_t *crc)
{
    int i;
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        crc[i] = fer_crc32_reals(0, p->value, p->count);
        if (p->trainable) crc[i] = fer_crc32_reals(fer_crc32_reals(crc[i], p->m, p->count), p->v, p->count);
    }
}

static enum fer_end replay(struct laboratory *x, struct fer_error *e)
{
    struct fer_pit_findings *f = &x->f;
    uint32_t kept[FER_MAX_PARAMETERS], made[FER_MAX_PARAMETERS];
    char detail[160];
    enum fer_end end;
    int i;
    begin(x, "replay", "the epoch again");
    if (fer_pit_load(x->replay.trainer, x->replay.run, x->replay.epoch, e)) return FER_FAILED;
    digest(x->network, kept);
    if ((end = fer_pit_replay_steps(&x->replay, f, e)) != FER_DONE) return end;
    digest(x->network, made);
    for (i = x->network->parameters - 1; i >= 0; i--) {
        if (kept[i] == made[i]) continue;
        f->differs = x->network->parameter[i].name;
        f->differing++;
    }
    if (f->differing)
        snprintf(detail, sizeof detail, "the epoch again: other bits in %lu of %d arrays, the first %s",
                 (unsigned long)f->differing, x->network->parameters, f->differs);
    else
        snprintf(detail, sizeof detail, "the epoch again: the same bits");
    report_row(x, "replay", detail, &f->replay);
    return FER_DONE;
}

/* ---- All of it ---- */

static enum fer_end of_this_state(struct laboratory *x, struct fer_error *e)
{
    enum fer_end end = validate(x, "base", "the state after the epoch", &x->f.base, e);
    if (end == FER_DONE && wanted(x, FER_PIT_BATCH)) end = batch_statistics(x, e);
    if (end == FER_DONE && (wanted(x, FER_PIT_EXACT) || wanted(x, FER_PIT_LAYERS))) end = exact_statistics(x, e);
    return end;
}

static enum fer_end of_both_states(struct laboratory *x, struct fer_error *e)
{
    enum fer_end end = FER_DONE;
    if (x->f.exact.done && x->has_before) end = exact_before(x, e);
    if (end == FER_DONE && wanted(x, FER_PIT_SWAP) && x->has_before) end = swap(x, e);
    if (end == FER_DONE && wanted(x, FER_PIT_TRAINING))
        end = on_training_images(x, x->now, x->replay.epoch, &x->f.training, e);
    if (end == FER_DONE && wanted(x, FER_PIT_TRAINING) && x->has_before)
        end = on_training_images(x, x->before, x->replay.epoch - 1, &x->f.training_before, e);
    if (end == FER_DONE && wanted(x, FER_PIT_LAYERS)) end = one_layer_at_a_time(x, e);
    if (end == FER_DONE && wanted(x, FER_PIT_REPLAY) && x->has_before) end = replay(x, e);
    if (end == FER_DONE && wanted(x, FER_PIT_CHANGES) && x->has_before) end = changes(x, e);
    return end;
}

static void conclude(const struct laboratory *x)
{
    const struct fer_pit_outcome none = {0, 0, 0};
    char text[sizeof((struct fer_pit_row *)0)->detail];
    fer_pit_conclude(&x->f, text, sizeof text);
    report_row(x, "conclusion", text, &none);
}

/* Both states are read; the later one is in the trainer at the end. */
static enum fer_end experiment(struct laboratory *x, struct fer_error *e)
{
    struct fer_trainer *t = x->replay.trainer;
    char path[FER_PATH];
    enum fer_end end;
    if (fer_checkpoint_path(path, x->replay.run, x->replay.epoch - 1, e)) return FER_FAILED;
    x->has_before = x->replay.epoch > 0 && fer_file_exists(path);
    x->f.lacks_before =
        !x->has_before && (wanted(x, FER_PIT_EXACT) || wanted(x, FER_PIT_SWAP) || wanted(x, FER_PIT_TRAINING) ||
                           wanted(x, FER_PIT_REPLAY) || wanted(x, FER_PIT_CHANGES));
    if (x->has_before) {
        if (fer_pit_load(t, x->replay.run, x->replay.epoch - 1, e)) return FER_FAILED;
        fer_pit_keep_state(x->network, x->before);
    }
    if (fer_pit_load(t, x->replay.run, x->replay.epoch, e)) return FER_FAILED;
    fer_pit_keep_state(x->network, x->now);
    x->f.accuracy_before = x->replay.epoch > 0 ? t->history[x->replay.epoch - 1][2] : NAN;
    x->f.precise_bn = t->settings.precise_bn;
    end = of_this_state(x, e);
    if (end == FER_DONE) end = of_both_states(x, e);
    if (end == FER_DONE) conclude(x);
    return end;
}

enum fer_end fer_pit_explain(struct fer_trainer *trainer, const char *run, const struct fer_pit *pit,
                             unsigned experiments, const struct fer_pit_watcher *told, struct fer_error *e)
{
    struct laboratory *x = fer_allocate(1, sizeof *x, e);
    const size_t count = fer_pit_state_size(trainer->network);
    enum fer_end end = FER_FAILED;
    if (!x) return end;
    if (trainer->settings.ema > 0) {
        fer_free(x);
        return fer_fail(e, "%s: was validated with averaged weights (ema): experiments are for runs without", run), end;
    }
    x->replay.trainer = trainer;
    x->replay.run = run;
    x->replay.epoch = pit->epoch;
    x->replay.told = told;
    x->f.network = x->network = trainer->network;
    x->f.pit = *pit;
    x->f.layer = -1;
    x->experiments = experiments;
    x->count = trainer->data->usage_count[FER_PUBLIC_TEST];
    x->images = fer_allocate(x->count + 1, sizeof *x->images, e);
    x->now = fer_allocate(count, sizeof *x->now, e);
    x->before = fer_allocate(count, sizeof *x->before, e);
    x->exact = fer_allocate(count, sizeof *x->exact, e);
    if (x->count == 0)
        fer_fail(e, "%s: no images of usage PublicTest to validate on", trainer->data->source);
    else if (x->images && x->now && x->before && x->exact)
        end = experiment(x, e);
    fer_free(x->images);
    fer_free(x->now);
    fer_free(x->before);
    fer_free(x->exact);
    fer_free(x);
    return end;
}
