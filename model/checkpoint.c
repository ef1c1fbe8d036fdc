/* checkpoint.c - weights and checkpoints as npz files.
 *
 * A weights file holds every parameter by its name ("conv2d/kernel", ...), and `settings/size` and
 * `settings/bn_epsilon`, without which the weights cannot be used. A checkpoint holds also Adam's moments (NAME_m,
 * NAME_v), with `ema` the weights' moving average (NAME_ema), and where the run stands (training/...). The zip format
 * gives each array a CRC-32, and the writer makes the file appear whole or not at all. */
#include "kinds.h"

#include "../data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Writing ---- */

static int write_reals(struct fer_npz_writer *w, const struct fer_parameter *p, const char *suffix, const real *values,
                       struct fer_error *e)
{
    char name[FER_MAX_ARRAY];
    snprintf(name, sizeof name, "%s%s", p->name, suffix);
    return fer_npz_write(w, name, FER_REAL_TYPE, p->dims, p->shape, values, e);
}

/* Of the first BatchNormalization: of incv3v1, all have the same. 0: there is none. */
static double epsilon_of(const struct fer_network *net)
{
    int i;
    for (i = 0; i < net->layers; i++)
        if (fer_kinds[net->layer[i].type].statistics) return net->layer[i].epsilon;
    return 0;
}

static int write_weights(struct fer_npz_writer *w, const struct fer_network *net, struct fer_error *e)
{
    const int64_t size = (int64_t)net->height;
    const double epsilon = epsilon_of(net);
    int i;
    if (fer_npz_write(w, "settings/size", FER_I8, 0, NULL, &size, e) ||
        fer_npz_write(w, "settings/bn_epsilon", FER_F8, 0, NULL, &epsilon, e))
        return -1;
    for (i = 0; i < net->parameters; i++)
        if (write_reals(w, &net->parameter[i], "", net->parameter[i].value, e)) return -1;
    return 0;
}

static int write_moments(struct fer_npz_writer *w, const struct fer_network *net, struct fer_error *e)
{
    int i;
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        if (p->trainable && (write_reals(w, p, "_m", p->m, e) || write_reals(w, p, "_v", p->v, e))) return -1;
        if (p->average && write_reals(w, p, "_ema", p->average, e)) return -1;
    }
    return 0;
}

static int write_place(struct fer_npz_writer *w, const struct fer_trainer *t, struct fer_error *e)
{
    const int64_t place[3] = {t->epoch, t->batch, t->step};
    const size_t square[2] = {FER_CLASSES, FER_CLASSES}, history[2] = {(size_t)t->epoch, 4};
    int64_t confusion[FER_CLASSES][FER_CLASSES];
    int i, k;
    for (i = 0; i < FER_CLASSES; i++)
        for (k = 0; k < FER_CLASSES; k++) confusion[i][k] = (int64_t)t->running.confusion[i][k];
    return fer_npz_write(w, "training/epoch", FER_I8, 0, NULL, &place[0], e) ||
           fer_npz_write(w, "training/batch", FER_I8, 0, NULL, &place[1], e) ||
           fer_npz_write(w, "training/step", FER_I8, 0, NULL, &place[2], e) ||
           fer_npz_write(w, "training/running_loss_sum", FER_F8, 0, NULL, &t->running.loss_sum, e) ||
           fer_npz_write(w, "training/running_confusion", FER_I8, 2, square, confusion, e) ||
           fer_npz_write(w, "training/best", FER_F8, 0, NULL, &t->best, e) ||
           fer_npz_write(w, "training/history", FER_F8, 2, history, t->history, e);
}

int fer_weights_save(const struct fer_network *network, const char *path, struct fer_error *e)
{
    struct fer_npz_writer *w;
    if (fer_npz_create(&w, path, e)) return -1;
    if (write_weights(w, network, e) == 0) return fer_npz_commit(w, e);
    fer_npz_abandon(w);
    return -1;
}

int fer_checkpoint_save(const struct fer_trainer *t, const char *path, struct fer_error *e)
{
    struct fer_npz_writer *w;
    if (fer_npz_create(&w, path, e)) return -1;
    if (write_place(w, t, e) == 0 && write_weights(w, t->network, e) == 0 && write_moments(w, t->network, e) == 0)
        return fer_npz_commit(w, e);
    fer_npz_abandon(w);
    return -1;
}

/* ---- Reading ---- */

/* Keras numbers layers through a session: a second model begins at conv2d_40. Of an array like conv2d/kernel: the
 * smallest N of which there is conv2d_N/kernel; 0: none. */
static long first_number(struct fer_npz *npz, const char *name)
{
    const char *slash = strrchr(name, '/');
    const size_t stem = slash ? (size_t)(slash - name) : 0, count = fer_npz_count(npz);
    long least = 0;
    size_t i;
    for (i = 0; i < count && slash; i++) {
        const char *other = fer_npz_at(npz, i)->name;
        char *end;
        long number;
        if (strncmp(other, name, stem) != 0 || other[stem] != '_') continue;
        number = strtol(other + stem + 1, &end, 10);
        if (number > 0 && strcmp(end, slash) == 0 && (!least || number < least)) least = number;
    }
    return least;
}

/* One array of a known shape; it must be there. */
static int read_reals(struct fer_npz *npz, const struct fer_parameter *p, const char *suffix, real *values,
                      struct fer_error *e)
{
    const struct fer_array *a;
    char name[FER_MAX_ARRAY], shape[96];
    long begins;
    int i, same;
    snprintf(name, sizeof name, "%s%s", p->name, suffix);
    fer_format_shape(p->dims, p->shape, shape);
    a = fer_npz_find(npz, name);
    if (!a && (begins = first_number(npz, name)) > 1)
        return fer_npz_fail(npz, NULL, e,
                            "no array %s, but one of a layer numbered %ld: the model was not the first of its "
                            "session; expected names from a fresh one (keras.backend.clear_session())", name, begins);
    if (!a) return fer_npz_fail(npz, NULL, e, "no array %s: expected one of shape %s", name, shape);
    same = a->dims == p->dims;
    for (i = 0; i < p->dims && same; i++) same = a->shape[i] == p->shape[i];
    if (!same) return fer_npz_fail(npz, a, e, "another shape: expected %s", shape);
    return fer_npz_read(npz, a, values, e);
}

/* A whole number; it must be there. */
static int read_whole(struct fer_npz *npz, const char *name, double least, double most, long *value,
                      struct fer_error *e)
{
    const struct fer_array *a = fer_npz_find(npz, name);
    double v;
    if (!a) return fer_npz_fail(npz, NULL, e, "no array %s", name);
    if (a->count != 1) return fer_npz_fail(npz, a, e, "%lu values: expected one", (unsigned long)a->count);
    if (fer_npz_read_double(npz, a, &v, e)) return -1;
    if (!(v >= least && v <= most) || v != (double)(long)v)
        return fer_npz_fail(npz, a, e, "%g: expected a whole number, %.0f ... %.0f", v, least, most);
    *value = (long)v;
    return 0;
}

static int read_doubles(struct fer_npz *npz, const char *name, size_t count, double *values, struct fer_error *e)
{
    const struct fer_array *a = fer_npz_find(npz, name);
    if (!a) return fer_npz_fail(npz, NULL, e, "no array %s", name);
    if (a->count != count)
        return fer_npz_fail(npz, a, e, "%lu values: expected %lu", (unsigned long)a->count, (unsigned long)count);
    return fer_npz_read_double(npz, a, values, e);
}

static int read_weights(struct fer_npz *npz, struct fer_network *net, size_t *ignored, struct fer_error *e)
{
    int i;
    for (i = 0; i < net->parameters; i++)
        if (read_reals(npz, &net->parameter[i], "", net->parameter[i].value, e)) return -1;
    *ignored = fer_npz_count(npz) - (size_t)net->parameters;
    return 0;
}

int fer_weights_read(struct fer_network *network, const char *path, size_t *ignored, struct fer_error *e)
{
    struct fer_npz *npz;
    int result;
    if (fer_npz_open(&npz, path, e)) return -1;
    result = read_weights(npz, network, ignored, e);
    fer_npz_close(npz);
    return result;
}

/* The open weights file's network. */
static int load_weights(struct fer_npz *npz, struct fer_network **network, size_t size, size_t *ignored,
                        struct fer_error *e)
{
    long recorded = 128;
    double epsilon = 0.001;
    int settings = 0;
    if (fer_npz_find(npz, "settings/size")) {
        if (read_whole(npz, "settings/size", 1, 4096, &recorded, e)) return -1;
        settings++;
    }
    if (fer_npz_find(npz, "settings/bn_epsilon")) {
        if (read_doubles(npz, "settings/bn_epsilon", 1, &epsilon, e)) return -1;
        settings++;
    }
    if (fer_incv3v1(network, size ? size : (size_t)recorded, e)) return -1;
    fer_network_normalization(*network, -1, epsilon, -1);
    if (read_weights(npz, *network, ignored, e)) {
        fer_network_free(*network);
        *network = NULL;
        return -1;
    }
    *ignored -= (size_t)settings;
    return 0;
}

int fer_weights_load(struct fer_network **network, const char *path, size_t size, size_t *ignored, struct fer_error *e)
{
    struct fer_npz *npz;
    int result;
    *network = NULL;
    if (fer_npz_open(&npz, path, e)) return -1;
    result = load_weights(npz, network, size, ignored, e);
    fer_npz_close(npz);
    return result;
}

int fer_weights_open(struct fer_network **network, const char *model, const char *path, size_t size,
                     struct fer_error *e)
{
    size_t ignored;
    if (!*model) return fer_weights_load(network, path, size, &ignored, e);
    if (fer_network_open(network, model, size, e)) return -1;
    if (fer_network_check_faces(*network, e) == 0 && fer_weights_read(*network, path, &ignored, e) == 0) return 0;
    fer_network_free(*network);
    *network = NULL;
    return -1;
}

static int read_place(struct fer_npz *npz, struct fer_trainer *t, struct fer_error *e)
{
    double confusion[FER_CLASSES][FER_CLASSES];
    long size;
    int i, k;
    if (read_whole(npz, "training/epoch", 0, t->settings.epochs, &t->epoch, e) ||
        read_whole(npz, "training/batch", 0, (double)t->batches, &t->batch, e) ||
        read_whole(npz, "training/step", 0, 1e9, &t->step, e) ||
        read_whole(npz, "settings/size", 1, 4096, &size, e) ||
        read_doubles(npz, "training/running_loss_sum", 1, &t->running.loss_sum, e) ||
        read_doubles(npz, "training/running_confusion", FER_CLASSES * FER_CLASSES, confusion[0], e) ||
        read_doubles(npz, "training/best", 1, &t->best, e) ||
        read_doubles(npz, "training/history", (size_t)t->epoch * 4, t->history[0], e))
        return -1;
    if (size != t->settings.size)
        return fer_npz_fail(npz, fer_npz_find(npz, "settings/size"), e, "%ld: expected %d, the size of the run", size,
                            t->settings.size);
    t->running.count = t->running.correct = 0;
    for (i = 0; i < FER_CLASSES; i++)
        for (k = 0; k < FER_CLASSES; k++) {
            if (!(confusion[i][k] >= 0 && confusion[i][k] <= (double)t->train_count))
                return fer_npz_fail(npz, fer_npz_find(npz, "training/running_confusion"), e,
                                    "%g: expected a count of images", confusion[i][k]);
            t->running.confusion[i][k] = (size_t)confusion[i][k];
            t->running.count += t->running.confusion[i][k];
            if (i == k) t->running.correct += t->running.confusion[i][k];
        }
    return 0;
}

int fer_history_read(const char *path, double (**history)[4], long *epochs, struct fer_error *e)
{
    struct fer_npz *npz;
    const struct fer_array *a;
    int failed;
    *history = NULL;
    if (fer_npz_open(&npz, path, e)) return -1;
    a = fer_npz_find(npz, "training/history");
    if (!a || a->dims != 2 || a->shape[1] != 4 || a->shape[0] > 1000000)
        failed = fer_npz_fail(npz, a, e, "expected a checkpoint with the array training/history of shape [epochs,4]");
    else
        failed = !(*history = fer_allocate(a->shape[0] + 1, sizeof **history, e)) ||
                 fer_npz_read_double(npz, a, (*history)[0], e);
    *epochs = failed ? 0 : (long)a->shape[0];
    fer_npz_close(npz);
    if (!failed) return 0;
    fer_free(*history);
    *history = NULL;
    return -1;
}

static int read_moments(struct fer_npz *npz, struct fer_network *net, struct fer_error *e)
{
    int i;
    for (i = 0; i < net->parameters; i++) {
        struct fer_parameter *p = &net->parameter[i];
        if (p->trainable && (read_reals(npz, p, "_m", p->m, e) || read_reals(npz, p, "_v", p->v, e))) return -1;
        if (p->average && read_reals(npz, p, "_ema", p->average, e)) return -1;
    }
    return 0;
}

int fer_checkpoint_load(struct fer_trainer *t, const char *path, struct fer_error *e)
{
    struct fer_npz *npz;
    size_t ignored;
    int result;
    if (fer_npz_open(&npz, path, e)) return -1;
    result = read_place(npz, t, e) || read_weights(npz, t->network, &ignored, e) || read_moments(npz, t->network, e)
                 ? -1
                 : 0;
    fer_npz_close(npz);
    return result;
}
