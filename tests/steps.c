/* steps.c - trains a few steps and writes down all that another framework needs to do the same; tests/twin.py compares.
 *
 *     steps DATA|- MODEL.json|- SIZE BATCH STEPS SEED OUT.npz
 *
 * DATA is a FER2013 CSV or a folder tree, - drawn faces; without a model the network is incv3v1. OUT.npz holds, in this order:
 *     conv2d/kernel ...                        every parameter before the first step
 *     stepK/input [n,h,w,c], stepK/labels [n]  the batch of step K = 0, 1, ...
 *     step0/grad/conv2d/kernel ...             the gradients of step 0
 *     final/conv2d/kernel ...                  every parameter after the last step, and Adam's moments: NAME_m, NAME_v
 *     inference/input, /labels                 the batch that would come next,
 *     inference/probabilities [n,7]            and what the trained network makes of it in inference mode
 *     loss [STEPS]                             the mean loss of each step's batch, before its update */
#include "../fer.h"

#include <stdio.h>
#include <string.h>

/* One array of a parameter, as PREFIX + its name + SUFFIX. */
static int write_one(struct fer_npz_writer *w, const char *prefix, const struct fer_parameter *p, const char *suffix,
                     const real *values, struct fer_error *e)
{
    char name[100];
    size_t shape[4];
    int i;
    for (i = 0; i < p->dims; i++) shape[i] = (size_t)p->shape[i];
    snprintf(name, sizeof name, "%s%s%s", prefix, p->name, suffix);
    return fer_npz_write(w, name, FER_REAL_TYPE, p->dims, shape, values, e);
}

static int write_values(struct fer_npz_writer *w, const char *prefix, const struct fer_network *net, struct fer_error *e)
{
    int i;
    for (i = 0; i < net->parameters; i++)
        if (write_one(w, prefix, &net->parameter[i], "", net->parameter[i].value, e)) return -1;
    return 0;
}

static int write_gradients(struct fer_npz_writer *w, const char *prefix, const struct fer_network *net,
                           struct fer_error *e)
{
    int i;
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        if (p->trainable && write_one(w, prefix, p, "", p->gradient, e)) return -1;
    }
    return 0;
}

static int write_moments(struct fer_npz_writer *w, const char *prefix, const struct fer_network *net,
                         struct fer_error *e)
{
    int i;
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        if (p->trainable && (write_one(w, prefix, p, "_m", p->m, e) || write_one(w, prefix, p, "_v", p->v, e))) return -1;
    }
    return 0;
}

/* The n images and labels that have just been filled in, as PREFIX/input and PREFIX/labels. */
static int write_batch(struct fer_npz_writer *w, const char *prefix, const struct fer_trainer *t, size_t n,
                       struct fer_error *e)
{
    const struct fer_network *net = t->network;
    const size_t shape[4] = {n, net->height, net->width, net->channels};
    int64_t *labels = fer_allocate(n, sizeof *labels, e);
    char name[100];
    int i, failed = !labels;
    for (i = 0; i < (int)n && !failed; i++) labels[i] = t->labels[i];
    snprintf(name, sizeof name, "%s/input", prefix);
    failed = failed || fer_npz_write(w, name, FER_REAL_TYPE, 4, shape, fer_network_input(t->network), e);
    snprintf(name, sizeof name, "%s/labels", prefix);
    failed = failed || fer_npz_write(w, name, FER_I8, 1, shape, labels, e);
    fer_free(labels);
    return failed ? -1 : 0;
}

/* Fills in the batch that comes next, of the next epoch where this one is done. Returns how many images it has. */
static size_t next_batch(struct fer_trainer *t)
{
    if ((size_t)t->batch == t->batches) {
        t->batch = 0;
        t->epoch++;
    }
    if (t->batch == 0) fer_trainer_order(t);
    return fer_trainer_fill(t);
}

static int train(struct fer_npz_writer *w, struct fer_trainer *t, int steps, double *loss, struct fer_error *e)
{
    const struct fer_evaluation nothing = {0};
    int i;
    for (i = 0; i < steps; i++) {
        const size_t n = next_batch(t);
        char name[40];
        snprintf(name, sizeof name, "step%d", i);
        if (write_batch(w, name, t, n, e)) return -1;
        t->running = nothing;
        if (fer_trainer_step(t, e) != FER_DONE) return -1;
        loss[i] = t->running.loss_sum / (double)n;
        printf("step %2d: %3zu images, loss %.15f\n", i, n, loss[i]);
        fflush(stdout);
        if (i == 0 && write_gradients(w, "step0/grad/", t->network, e)) return -1;
    }
    return 0;
}

static int infer(struct fer_npz_writer *w, struct fer_trainer *t, struct fer_error *e)
{
    const struct fer_layer *predictions = &t->network->layer[t->network->layers - 1];
    const size_t n = next_batch(t);
    const size_t shape[2] = {n, FER_CLASSES};
    if (write_batch(w, "inference", t, n, e)) return -1;
    fer_network_forward(t->network, n, 0);
    return fer_npz_write(w, "inference/probabilities", FER_REAL_TYPE, 2, shape, predictions->output, e);
}

static int write_steps(struct fer_npz_writer *w, struct fer_trainer *t, int steps, struct fer_error *e)
{
    const size_t count = (size_t)steps;
    double *loss = fer_allocate(count, sizeof *loss, e);
    const int failed = !loss || write_values(w, "", t->network, e) || train(w, t, steps, loss, e) ||
                       write_values(w, "final/", t->network, e) || write_moments(w, "final/", t->network, e) ||
                       infer(w, t, e) || fer_npz_write(w, "loss", FER_F8, 1, &count, loss, e);
    fer_free(loss);
    return failed ? -1 : 0;
}

static int run(const struct fer_dataset *data, const struct fer_settings *s, const char *out, struct fer_error *e)
{
    struct fer_trainer *t;
    struct fer_npz_writer *w = NULL;
    int failed;
    if (fer_trainer_create(&t, s, data, e)) return -1;
    failed = fer_npz_create(&w, out, e) || write_steps(w, t, s->epochs, e);
    if (!failed) failed = fer_npz_commit(w, e) != 0;
    else fer_npz_abandon(w);
    fer_trainer_free(t);
    return failed ? -1 : 0;
}

/* MODEL SIZE BATCH STEPS SEED, taken as the settings that they are; as many epochs as steps are always enough. */
static int read_settings(struct fer_settings *s, char **texts, struct fer_error *e)
{
    static const char *const names[4] = {"size", "batch", "epochs", "seed"};
    int i;
    fer_settings_default(s);
    if (strcmp(texts[0], "-") != 0) snprintf(s->model, sizeof s->model, "%s", texts[0]);
    for (i = 0; i < 4; i++)
        if (fer_settings_set(s, fer_settings_find(names[i]), texts[i + 1], e)) return -1;
    return s->epochs > 0 ? 0 : fer_fail(e, "STEPS is 0: expected 1 or more");
}

int main(int argc, char **argv)
{
    static const size_t drawn[FER_USAGES] = {2800, 0, 0}; /* the training faces that `fer train` draws */
    struct fer_settings settings;
    struct fer_dataset data = {0};
    struct fer_error e;
    int failed;
    if (argc != 8) {
        fprintf(stderr, "usage: steps DATA|- MODEL.json|- SIZE BATCH STEPS SEED OUT.npz\n");
        return 2;
    }
    failed = read_settings(&settings, argv + 2, &e);
    if (!failed && strcmp(argv[1], "-") == 0) failed = fer_dataset_draw(&data, settings.seed, drawn, &e);
    else if (!failed) failed = fer_dataset_read(&data, argv[1], &e);
    if (!failed) failed = run(&data, &settings, argv[7], &e);
    if (failed) fprintf(stderr, "steps: %s\n", e.text);
    fer_dataset_free(&data);
    return failed ? 1 : 0;
}
