/* trainer.c - training: the order of the images, one step, one epoch, a whole run and what it keeps on the disk. */
#include "kinds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void fer_trainer_free(struct fer_trainer *trainer)
{
    if (!trainer) return;
    fer_network_free(trainer->network);
    fer_free(trainer->train);
    fer_free(trainer->order);
    fer_free(trainer->batch_order);
    fer_free(trainer->labels);
    fer_free(trainer->history);
    fer_free(trainer);
}

static int allocate(struct fer_trainer *t, struct fer_error *e)
{
    const size_t epochs = (size_t)t->settings.epochs, batch = (size_t)t->settings.batch;
    t->train_count = t->data->usage_count[FER_TRAINING];
    if (t->train_count == 0) return fer_fail(e, "%s: no images of usage Training to train on", t->data->source);
    if (!t->data->usage_count[FER_PUBLIC_TEST] && (t->settings.plateau.patience || t->settings.ema > 0))
        return fer_fail(e, "%s: no images of usage PublicTest: reduce-lr-on-plateau and ema are for validation",
                        t->data->source);
    t->batches = (t->train_count + batch - 1) / batch;
    t->train = fer_allocate(t->train_count, sizeof *t->train, e);
    t->order = fer_allocate(t->train_count, sizeof *t->order, e);
    t->batch_order = fer_allocate(t->batches, sizeof *t->batch_order, e);
    t->labels = fer_allocate(batch, sizeof *t->labels, e);
    t->history = fer_allocate(epochs, sizeof *t->history, e);
    return t->train && t->order && t->batch_order && t->labels && t->history ? 0 : -1;
}

/* The network, with the settings' BatchNormalization. A model has its own, but for what differs from the defaults. */
static int open_network(struct fer_trainer *t, struct fer_error *e)
{
    struct fer_settings *s = &t->settings, defaults;
    int own;
    fer_settings_default(&defaults);
    if (fer_network_open(&t->network, s->model, (size_t)s->size, e)) return -1;
    if (fer_network_check_faces(t->network, e)) return -1;
    if (*t->network->for_training) return fer_fail(e, "%s: cannot be trained: %s", s->model, t->network->for_training);
    own = *s->model != 0;
    fer_network_normalization(t->network, own && s->bn_momentum == defaults.bn_momentum ? -1 : s->bn_momentum,
                              own && s->bn_epsilon == defaults.bn_epsilon ? -1 : s->bn_epsilon, s->bn_unbiased);
    s->size = (int)t->network->height;
    return 0;
}

int fer_trainer_create(struct fer_trainer **trainer, const struct fer_settings *settings,
                       const struct fer_dataset *data, struct fer_error *e)
{
    struct fer_trainer *t = fer_allocate(1, sizeof *t, e);
    *trainer = NULL;
    if (!t) return -1;
    t->settings = *settings;
    t->data = data;
    t->best = -1;
    if (allocate(t, e) || open_network(t, e) ||
        fer_network_fits(t->network, (size_t)settings->batch, FER_PLAN_TRAINING, fer_memory_available(), e) ||
        fer_network_plan(t->network, (size_t)settings->batch, FER_PLAN_TRAINING, e)) {
        fer_trainer_free(t);
        return -1;
    }
    if (settings->ema > 0 && fer_average_begin(t->network, e)) {
        fer_trainer_free(t);
        return -1;
    }
    fer_network_initialise(t->network, settings->seed);
    fer_dataset_select(data, FER_TRAINING, t->train);
    *trainer = t;
    return 0;
}

void fer_trainer_order(struct fer_trainer *t)
{
    const struct fer_settings *s = &t->settings;
    size_t i;
    memcpy(t->order, t->train, t->train_count * sizeof *t->order);
    for (i = 0; i < t->batches; i++) t->batch_order[i] = i;
    if (s->shuffle) fer_shuffle(t->order, t->train_count, s->seed, FER_FOR_SHUFFLE, (uint32_t)t->epoch);
    if (s->batch_order_shuffled)
        fer_shuffle(t->batch_order, t->batches, s->seed, FER_FOR_BATCH_ORDER, (uint32_t)t->epoch);
}

size_t fer_trainer_fill(struct fer_trainer *t)
{
    const size_t size = (size_t)t->settings.batch, first = t->batch_order[t->batch] * size;
    const size_t n = t->train_count - first < size ? t->train_count - first : size;
    t->network->seed = t->settings.seed;
    t->network->step = (uint32_t)t->step;
    fer_network_fill(t->network, t->data, t->order + first, n, t->labels);
    return n;
}

static int all_finite(const real *x, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (!(x[i] - x[i] == 0)) return 0;
    return 1;
}

/* Computes the batch once more, layer by layer, to find the first output that is not finite. */
static enum fer_end report_divergence(struct fer_trainer *t, size_t n, double loss, struct fer_error *e)
{
    struct fer_network *net = t->network;
    const char *culprit = "none; the loss itself";
    int i;
    fer_trainer_fill(t);
    for (i = 1; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        fer_layer_forward(net, i, n, 1);
        if (all_finite(layer->output, fer_layer_count(layer, n))) continue;
        culprit = layer->name;
        break;
    }
    fer_fail(e, "epoch %ld/%d, batch %ld/%lu (step %ld): the loss is %s; first layer whose output is not finite: %s",
             t->epoch + 1, t->settings.epochs, t->batch + 1, (unsigned long)t->batches, t->step + 1,
             loss != loss ? "not a number" : "infinite", culprit);
    return FER_DIVERGED;
}

double fer_learning_rate(const struct fer_settings *s, const double (*history)[4], long epochs)
{
    double rate = s->learning_rate, best = INFINITY;
    long epoch, waited = 0;
    for (epoch = 0; epoch < epochs && s->plateau.patience; epoch++) {
        const double loss = history[epoch][3];
        if (loss < best - 1e-4) {
            best = loss;
            waited = 0;
        } else if (++waited >= s->plateau.patience) {
            rate *= s->plateau.factor;
            waited = 0;
        }
    }
    return rate;
}

enum fer_end fer_trainer_step(struct fer_trainer *t, struct fer_error *e)
{
    const struct fer_settings *s = &t->settings;
    const long validated = t->data->usage_count[FER_PUBLIC_TEST] ? t->epoch : 0;
    const double rate = fer_learning_rate(s, (const double(*)[4])t->history, validated);
    const struct fer_adam adam = {rate, s->beta1, s->beta2, s->adam_epsilon};
    const size_t n = fer_trainer_fill(t);
    double loss_sum;
    fer_network_forward(t->network, n, 1);
    loss_sum = fer_network_backward(t->network, n, t->labels);
    if (!(loss_sum - loss_sum == 0)) return report_divergence(t, n, loss_sum, e);
    fer_count_predictions(t->network, n, t->labels, &t->running);
    t->running.loss_sum += loss_sum;
    if (s->clip_norm > 0) fer_network_clip(t->network, s->clip_norm);
    fer_network_update(t->network, n, &adam, ++t->step);
    fer_average_update(t->network, s->ema, t->step);
    t->batch++;
    return FER_DONE;
}

enum fer_end fer_trainer_validate(struct fer_trainer *t, const struct fer_watcher *w, struct fer_evaluation *validation,
                                  struct fer_error *e)
{
    enum fer_end end;
    fer_average_swap(t->network);
    end = fer_exact_statistics(t, (size_t)t->settings.precise_bn, w, e);
    if (end == FER_DONE) end = fer_evaluate(t->network, t->data, FER_PUBLIC_TEST, w, t, validation, e);
    fer_average_swap(t->network);
    return end;
}

/* The rest of an epoch: its batches, validation, its line of history. */
static enum fer_end fit_epoch(struct fer_trainer *t, const struct fer_watcher *w, struct fer_error *e)
{
    const struct fer_evaluation nothing = {0};
    struct fer_evaluation validation;
    enum fer_end end;
    double *row = t->history[t->epoch];
    fer_trainer_order(t);
    while ((size_t)t->batch < t->batches) {
        end = fer_trainer_step(t, e);
        if (end != FER_DONE) return end;
        if (w && w->batch_done && w->batch_done(w->context, t, FER_TRAINING, (size_t)t->batch, t->batches, &t->running))
            return FER_STOPPED;
    }
    end = fer_trainer_validate(t, w, &validation, e);
    if (end != FER_DONE) return end;
    row[0] = (double)t->running.correct / (double)t->running.count;
    row[1] = t->running.loss_sum / (double)t->running.count;
    row[2] = (double)validation.correct / (double)(validation.count ? validation.count : 1);
    row[3] = validation.loss_sum / (double)(validation.count ? validation.count : 1);
    t->running = nothing;
    t->batch = 0;
    t->epoch++;
    return FER_DONE;
}

/* Removes the checkpoints of epochs that have left the window and are neither a pit nor right before one. All older
 * ones are asked to go each time, so that what a crash has left goes too; most are not there. */
static int remove_old_checkpoints(const struct fer_trainer *t, const char *run, struct fer_error *e)
{
    struct fer_pit *pit = fer_allocate((size_t)t->epoch, sizeof *pit, e);
    char path[FER_PATH];
    long epoch, count, next = 0;
    int failed = 0;
    if (!pit) return -1;
    count = fer_pits_find((const double(*)[4])t->history, t->epoch, t->data->usage_count[FER_PUBLIC_TEST], pit);
    for (epoch = 0; epoch < t->epoch - FER_EPOCHS_KEPT && !failed; epoch++) {
        while (next < count && pit[next].epoch < epoch) next++;
        if (next < count && pit[next].epoch <= epoch + 1) continue;
        failed = fer_checkpoint_path(path, run, epoch, e);
        if (!failed) remove(path);
    }
    fer_free(pit);
    return failed;
}

int fer_checkpoint_path(char path[FER_PATH], const char *run, long epoch, struct fer_error *e)
{
    char name[40];
    snprintf(name, sizeof name, "epochs/%04ld.npz", epoch);
    return fer_join_path(path, run, name, e);
}

/* Best weights, the epoch's own checkpoint, the checkpoint to resume from, and the log of the epoch just done, in this
 * order: what a crash leaves undone is done again, to the same bits, and the log is made to agree on resuming. */
static int save_epoch(struct fer_trainer *t, const char *run, struct fer_error *e)
{
    const int validated = t->data->usage_count[FER_PUBLIC_TEST] > 0;
    const double accuracy = t->history[t->epoch - 1][2];
    const int improved = validated && accuracy > t->best;
    char path[FER_PATH];
    int failed;
    if (improved) {
        t->best = accuracy;
        if (fer_join_path(path, run, "best.npz", e)) return -1;
        fer_average_swap(t->network);
        failed = fer_weights_save(t->network, path, e);
        fer_average_swap(t->network);
        if (failed) return -1;
    }
    if (fer_checkpoint_path(path, run, t->epoch - 1, e) || fer_checkpoint_save(t, path, e)) return -1;
    if (fer_join_path(path, run, "last.npz", e) || fer_checkpoint_save(t, path, e)) return -1;
    if (fer_join_path(path, run, "log.csv", e) ||
        fer_log_update(path, (const double(*)[4])t->history, t->epoch, validated ? 4 : 2, e))
        return -1;
    return remove_old_checkpoints(t, run, e);
}

enum fer_end fer_fit(struct fer_trainer *t, const char *run, const struct fer_watcher *w, struct fer_error *e)
{
    char path[FER_PATH];
    if (run && (fer_join_path(path, run, "epochs", e) || fer_make_folder(path, e))) return FER_FAILED;
    while (t->epoch < t->settings.epochs) {
        const enum fer_end end = fit_epoch(t, w, e);
        if (end == FER_STOPPED && run &&
            (fer_join_path(path, run, "last.npz", e) || fer_checkpoint_save(t, path, e)))
            return FER_FAILED;
        if (end != FER_DONE) return end;
        if (run && save_epoch(t, run, e)) return FER_FAILED;
        if (w && w->epoch_done && w->epoch_done(w->context, t)) return FER_STOPPED;
    }
    return FER_DONE;
}
