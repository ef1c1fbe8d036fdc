/* forecast_text.c - how long a run will take, by the speed of its first steps, and where the time goes.
 *
 * The network tells whenever a pass is through a layer; the time since it last told is that layer's. An epoch is a step
 * for each of its batches, and a forward pass over the images of the validation and of --precise-bn. */
#include "kinds.h"
#include "text.h"

#include <string.h>

enum { CLASSES_SHOWN = 4 };
static const double enough_seconds = 3;

static void passed(void *context, int layer, enum fer_pass pass)
{
    struct fer_forecast *f = context;
    const double now = fer_clock(), spent = now - f->last;
    f->layer[fer_class_first(f->network->layer[layer].type)] += spent;
    if (pass == FER_FORWARD) f->forward += spent;
    f->last = now;
}

/* Measures from here. */
static void restart(struct fer_forecast *f, size_t images_before)
{
    memset(f->layer, 0, sizeof f->layer);
    f->forward = 0;
    f->images_before = images_before;
    f->start = f->last = fer_clock();
}

void fer_forecast_begin(struct fer_forecast *f, struct fer_trainer *t)
{
    const struct fer_forecast none = {.network = t->network};
    *f = none;
    t->network->passed = passed;
    t->network->passed_context = f;
    restart(f, t->running.count);
}

int fer_forecast_ready(struct fer_forecast *f, const struct fer_trainer *t, enum fer_usage usage,
                       const struct fer_evaluation *so_far)
{
    const int last = (size_t)t->batch == t->batches;
    if (usage != FER_TRAINING) return 0;
    f->last = fer_clock(); /* what came behind the last layer is Adam's */
    f->step = f->last - f->start;
    f->images = so_far->count - f->images_before;
    if (++f->steps == 1 && !last) {
        restart(f, so_far->count);
        return 0;
    }
    if (f->step < enough_seconds && !last) return 0;
    t->network->passed = NULL;
    return 1;
}

/* The largest parts of an epoch's training, with their names; each is taken out of `part`. */
static void write_parts(FILE *out, double part[FER_LAYER_TYPES], double training, double epoch)
{
    double rest = training;
    int shown, i;
    for (shown = 0; shown < CLASSES_SHOWN; shown++) {
        int most = 0;
        for (i = 1; i < FER_LAYER_TYPES; i++)
            if (part[i] > part[most]) most = i;
        if (part[most] < 0.005 * epoch) break;
        fprintf(out, "%s %.0f %%, ", fer_layer_class((enum fer_layer_type)most), 100 * part[most] / epoch);
        rest -= part[most];
        part[most] = 0;
    }
    fprintf(out, "the rest %.0f %%", 100 * rest / epoch);
}

void fer_forecast_text(FILE *out, const struct fer_forecast *f, const struct fer_trainer *t)
{
    const double step = f->step / (double)f->images, forward = f->forward / (double)f->images; /* of an image */
    const size_t all = t->train_count, exact = (size_t)t->settings.precise_bn * (size_t)t->settings.batch;
    const double validation = forward * (double)(t->data->usage_count[FER_PUBLIC_TEST] + (exact < all ? exact : all));
    const double training = step * (double)all, epoch = training + validation;
    const long left = t->settings.epochs - t->epoch;
    double part[FER_LAYER_TYPES];
    char whole[64], each[32];
    int i;
    for (i = 0; i < FER_LAYER_TYPES; i++) part[i] = f->layer[i] * training / f->step;
    part[FER_INPUT] = 0;
    fer_format_duration(epoch * (double)left - step * (double)t->running.count, whole);
    fer_format_seconds(epoch, each);
    if (left == 1) /* the one at hand, of which a part is done */
        fprintf(out, "at this speed: %s to the end, %s an epoch; ", whole, each);
    else
        fprintf(out, "at this speed: %s for %ld epochs, %s each; ", whole, left, each);
    fprintf(out, "validation %.0f %%, ", 100 * validation / epoch);
    write_parts(out, part, training, epoch);
    fprintf(out, "\n");
}
