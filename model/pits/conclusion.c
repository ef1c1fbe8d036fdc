/* conclusion.c - what the experiments on a pit show, in words that follow from their numbers.
 *
 * All is judged by accuracy; by log(loss) when the pit was seen in the loss alone. A drop within the noise is not
 * explained; a larger one that is no pit is explained when somebody asks for it. An outcome "removes" the drop when the
 * epoch, so changed, would be no pit (its distance from the level is within the threshold of model/pit_rule.c) and at
 * least half of the drop is recovered. One layer is named when its exact statistics alone recover at least half of what
 * all layers together do; its mean or its variance when that one alone recovers at least half of what the layer does,
 * and the other less than a quarter. */
#include "pits.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
    char *to;
    size_t size, length;
};

/* Appends a sentence, or a part of one; what does not fit is cut. */
static void say(struct text *t, const char *format, ...)
{
    va_list arguments;
    int length;
    va_start(arguments, format);
    length = vsnprintf(t->to + t->length, t->size - t->length, format, arguments);
    va_end(arguments);
    if (length > 0) t->length += (size_t)length;
    if (t->length >= t->size) t->length = t->size - 1;
}

static double percent(const struct fer_pit_findings *f, const struct fer_pit_outcome *o)
{
    const double p = 100 * fer_pit_recovered(f, o);
    return p > -0.5 && p < 0 ? 0 : p; /* "-0 %" */
}

/* "55.1 %", or "a loss of 1.23". */
static void say_score(struct text *t, const struct fer_pit_findings *f, const struct fer_pit_outcome *o)
{
    if (o->accuracy != o->accuracy)
        say(t, "nothing, it diverged");
    else if (fer_pit_of_loss_alone(f))
        say(t, "a loss of %.3f", o->loss);
    else
        say(t, "%.1f %%", 100 * o->accuracy);
}

static int removes(const struct fer_pit_findings *f, const struct fer_pit_outcome *o)
{
    if (!o->done || !(fer_pit_recovered(f, o) >= 0.5)) return 0;
    return fer_pit_level(f) - fer_pit_merit(f, o) <= FER_PIT_THRESHOLD * fer_pit_noise(f);
}

/* ---- Statistics ---- */

static void say_layer(struct text *t, const struct fer_pit_findings *f)
{
    const char *name = f->layer < 0 ? "" : f->network->layer[f->layer].name;
    double alone, mean, variance;
    if (f->layer < 0) return;
    alone = percent(f, &f->alone[f->layer]);
    mean = percent(f, &f->layer_mean);
    variance = percent(f, &f->layer_variance);
    if (fer_pit_blamed_layer(f) < 0) {
        say(t, " No layer alone explains it: exact statistics in %s, the best, recover %.0f %%.", name, alone);
        return;
    }
    if (variance >= alone / 2 && mean < alone / 4)
        say(t,
            " It is the moving variance of %s: the exact one there alone recovers %.0f %%, the exact mean %.0f %% (in "
            "channel %d the moving "
            "variance is %.3g, the exact one %.3g).",
            name, variance, mean, f->channel, f->moving, f->exact_there);
    else if (mean >= alone / 2 && variance < alone / 4)
        say(t, " It is the moving mean of %s: the exact one there alone recovers %.0f %%, the exact variance %.0f %%.",
            name, mean, variance);
    else
        say(t,
            " It is mean and variance of %s: exact there alone, they recover %.0f %% (the mean %.0f %%, the variance "
            "%.0f %%).",
            name, alone, mean, variance);
    say(t, " Exact everywhere but there: %.0f %%.", percent(f, &f->without[f->layer]));
}

/* How much of the drop lies between the epoch before and this one when both have exact statistics. */
static double part_in_weights(const struct fer_pit_findings *f)
{
    if (!f->exact_before.done) return 0;
    return (fer_pit_merit(f, &f->exact_before) - fer_pit_merit(f, &f->exact)) / fer_pit_drop(f);
}

/* Exact statistics raise the score of healthy epochs too: so the epoch before gets its own for comparison. */
static void say_control(struct text *t, const struct fer_pit_findings *f)
{
    if (!f->exact_before.done) return;
    say(t, " Epoch %ld, with its own exact ones, scores ", f->pit.epoch - 1);
    say_score(t, f, &f->exact_before);
    if (part_in_weights(f) < 0.25)
        say(t, ": with exact statistics there is hardly a fall.");
    else if (fer_pit_of_loss_alone(f))
        say(t, ": that part of the fall is in the weights.");
    else
        say(t, ": %.1f points of the fall are in the weights.", 100 * (f->exact_before.accuracy - f->exact.accuracy));
}

static void say_statistics(struct text *t, const struct fer_pit_findings *f)
{
    const double part = f->exact.done ? percent(f, &f->exact) : 0;
    if (f->exact.done && part < 25) {
        say(t, " It is not that BatchNormalization's moving statistics lag: with exact ones the epoch scores ");
        say_score(t, f, &f->exact);
        say(t, " (%.0f %% of the drop recovered).", part);
    } else if (f->exact.done) {
        say(t,
            " %.0f %% of the drop goes when exact statistics stand in for BatchNormalization's moving ones: the epoch "
            "then scores ",
            part > 100 ? 100 : part);
        say_score(t, f, &f->exact);
        say(t, ", not ");
        say_score(t, f, &f->base);
        say(t, ".");
        say_control(t, f);
        say_layer(t, f);
    }
    if (f->exact.done && f->precise_bn)
        say(t, " (The moving ones were the exact ones of %d batches: precise-bn.)", f->precise_bn);
    if (f->batch.done && (!f->exact.done || part < 25)) {
        say(t, " With each batch's own statistics it scores ");
        say_score(t, f, &f->batch);
        say(t, ".");
    }
}

static void say_swap(struct text *t, const struct fer_pit_findings *f)
{
    if (!f->old_weights.done) return;
    if (f->exact.done && fer_pit_recovered(f, &f->exact) >= 0.5 && part_in_weights(f) < 0.25) return;
    say(t, " These weights with the moving statistics of epoch %ld score ", f->pit.epoch - 1);
    say_score(t, f, &f->old_statistics);
    say(t, ", the weights of epoch %ld with these statistics ", f->pit.epoch - 1);
    say_score(t, f, &f->old_weights);
    say(t, ".");
}

static void say_training(struct text *t, const struct fer_pit_findings *f)
{
    const double was = f->training_before.accuracy, is = f->training.accuracy;
    if (!f->training_before.done || fer_pit_of_loss_alone(f)) return;
    say(t, " On training images in inference mode the accuracy goes from %.1f %% (epoch %ld) to %.1f %%: ", 100 * was,
        f->pit.epoch - 1, 100 * is);
    if (f->accuracy_before < f->pit.level - f->pit.depth / 2)
        say(t, "but epoch %ld was low itself.", f->pit.epoch - 1);
    else if (was - is >= f->pit.depth / 2)
        say(t, "the drop is there too.");
    else if (was - is < f->pit.depth / 4)
        say(t, "the drop is not there.");
    else
        say(t, "a part of the drop is there too.");
}

/* ---- Replays ---- */

static void say_departure(struct text *t, const struct fer_pit_findings *f, const struct fer_pit_departure *d,
                          const char *what)
{
    if (d->step == 0) return;
    say(t, " At step %ld of %ld (%d images) %s", d->step, f->steps, d->images, what);
    if (d != &f->loss) say(t, " of %s", f->network->layer[d->layer].name);
    say(t, " was %.3g, %.3g being usual until then.", d->value, d->usual);
}

static void say_replay(struct text *t, const struct fer_pit_findings *f)
{
    if (!f->replay.done) return;
    if (f->differing) {
        say(t, " A replay of the epoch from the state before it does not give the state kept, but scores ");
        say_score(t, f, &f->replay);
        say(t, ": the two differ in %s%s", f->differing == 1 ? "" : "several arrays, the first of them ", f->differs);
        say(t, f->differing == 1 ? " alone." : ".");
        if (removes(f, &f->replay))
            say(t, " So the cause lies outside data, the settings of config.txt as it is now, and the state before.");
        return;
    }
    say(t, " A replay of the epoch gives the same bits.");
    say_departure(t, f, &f->loss, "the loss");
    say_departure(t, f, &f->update, "the relative change of the kernel");
    say_departure(t, f, &f->distance,
                  "the distance of the batch's means from the moving ones (rms, in moving deviations)");
    say_departure(t, f, &f->ratio, "the ratio of the batch's variance to the moving one");
}

/* No change removes the pit: which comes nearest. */
static void say_nearest(struct text *t, const struct fer_pit_findings *f)
{
    double most = 0.25; /* of a change that diverged the share is NaN, and no comparison holds */
    int i, best = -1;
    for (i = 0; i < FER_CHANGES; i++)
        if (f->change[i].done && fer_pit_recovered(f, &f->change[i]) >= most)
            best = i, most = fer_pit_recovered(f, &f->change[i]);
    if (best >= 0)
        say(t, " None removes it; it is least deep with: %s, which recovers %.0f %%.", fer_pit_change_names[best],
            percent(f, &f->change[best]));
}

enum verdict { GONE, THERE, DIVERGED };

static enum verdict verdict_of(const struct fer_pit_findings *f, const struct fer_pit_outcome *o)
{
    return o->accuracy != o->accuracy ? DIVERGED : removes(f, o) ? GONE : THERE;
}

/* The changes of one verdict, with their scores. Returns how many. */
static int say_changes_that(struct text *t, const struct fer_pit_findings *f, enum verdict verdict, const char *before)
{
    int i, count = 0;
    for (i = 0; i < FER_CHANGES; i++) {
        if (!f->change[i].done || verdict_of(f, &f->change[i]) != verdict) continue;
        say(t, "%s%s (", count++ ? ", " : before, fer_pit_change_names[i]);
        say_score(t, f, &f->change[i]);
        say(t, ")");
    }
    if (count) say(t, ".");
    return count;
}

static void say_changes(struct text *t, const struct fer_pit_findings *f)
{
    int gone, there, diverged;
    if (f->differing) return; /* the changes start from a replay that is not this pit's */
    gone = say_changes_that(t, f, GONE, " Replayed with one thing changed, the drop is gone with: ");
    there = say_changes_that(t, f, THERE,
                             gone ? " It is still there with: "
                                  : " Replayed with one thing changed, the drop is still there with: ");
    diverged = say_changes_that(t, f, DIVERGED, " The epoch diverges with: ");
    if (!gone) say_nearest(t, f);
    if (gone > 1 && !there && !diverged)
        say(t,
            " Since any change removes it, the drop hangs on the exact course of the epoch, and these changes cannot "
            "tell causes apart.");
    else if (gone && removes(f, &f->change[FER_CHANGE_SHUFFLE]))
        say(t, " Since another shuffle alone removes it, a change that removes it need not be its cause.");
}

static int helps(const struct fer_pit_findings *f, const struct fer_pit_outcome *o)
{
    return o->done && fer_pit_recovered(f, o) >= 0.25;
}

static int anything_helps(const struct fer_pit_findings *f)
{
    int i, any = helps(f, &f->batch) || helps(f, &f->exact) || helps(f, &f->exact_mean) ||
                 helps(f, &f->exact_variance) || helps(f, &f->old_statistics) || helps(f, &f->old_weights) ||
                 helps(f, &f->replay);
    for (i = 0; i < FER_CHANGES; i++) any |= helps(f, &f->change[i]);
    return any;
}

static void say_left_out(struct text *t, const struct fer_pit_findings *f)
{
    if (f->lacks_before) say(t, " No checkpoint of epoch %ld was kept: what needs it is left out.", f->pit.epoch - 1);
}

static void say_no_drop(struct text *t, const struct fer_pit_findings *f)
{
    say(t, fer_pit_drop(f) > 0 ? " That is within the noise: there is nothing to explain."
                       : " That is no drop: there is nothing to explain.");
    if (f->exact.done) {
        say(t, " With exact statistics in place of BatchNormalization's moving ones it scores ");
        say_score(t, f, &f->exact);
        say(t, ".");
    }
    if (f->differing) say_replay(t, f);
    say_left_out(t, f);
}

void fer_pit_conclude(const struct fer_pit_findings *f, char *text, size_t size)
{
    struct text t = {NULL, 0, 0};
    t.to = text;
    t.size = size;
    *text = 0;
    say(&t, "Epoch %ld scores ", f->pit.epoch);
    say_score(&t, f, &f->base);
    if (fer_pit_of_loss_alone(f))
        say(&t, ", the epochs around it %.3f.", f->pit.loss_level);
    else
        say(&t, ", the epochs around it %.1f %%.", 100 * f->pit.level);
    if (f->base.accuracy != f->pit.accuracy || (f->pit.loss == f->pit.loss && f->base.loss != f->pit.loss))
        say(&t, " That is what the state kept scores; the log says %.9g and %.9g: it is not this state's.",
            f->pit.accuracy, f->pit.loss);
    if (!(fer_pit_drop(f) > fer_pit_noise(f))) {
        say_no_drop(&t, f);
        return;
    }
    if (fer_pit_drop(f) <= FER_PIT_THRESHOLD * fer_pit_noise(f))
        say(&t, " That is no pit by the rule: the drop is %.1f times the noise, %.0f are wanted.",
            fer_pit_drop(f) / fer_pit_noise(f), FER_PIT_THRESHOLD);
    say_statistics(&t, f);
    say_swap(&t, f);
    say_training(&t, f);
    say_replay(&t, f);
    say_changes(&t, f);
    if (f->exact.done && f->change[FER_CHANGE_SHUFFLE].done && !anything_helps(f))
        say(&t, " No intervention removes it.");
    say_left_out(&t, f);
}
