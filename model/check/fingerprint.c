/* fingerprint.c - a small training, fixed in every respect, and a digest of every stage of it.
 *
 * Three drawn faces at 48x48, in batches of two: one epoch is two steps, and one of its batches has one image only. The
 * first step keeps every array (FER_PLAN_KEEP), so that each has its digest, in the order of computation: a build that
 * computes other bits is found out at the first layer that does. The second step runs as in any training, in shared
 * memory. Then three other faces are evaluated. It is this small because it must run on emulated processors too.
 *
 * What should come out stands in fingerprint_expected.c, one row a stage; `make fingerprint` writes that file. It
 * changes only when fer's arithmetic is meant to change. */
#include "../kinds.h"

#include <stdio.h>
#include <string.h>

struct fingerprint {
    void (*report)(void *context, const struct fer_fingerprint_stage *stage);
    void *context;
    int stages, differences;
};

/* A stage is done. Its row in the table of expected digests is the one of the same place and name. */
static void add_stage(struct fingerprint *f, const char *name, const char *what, uint32_t digest)
{
    const struct fer_fingerprint_row *row =
        f->stages < fer_fingerprint_rows ? &fer_fingerprint_expected[f->stages] : NULL;
    struct fer_fingerprint_stage stage;
    snprintf(stage.name, sizeof stage.name, "%s%s", name, what);
    stage.digest = digest;
    stage.known = row && strcmp(row->stage, stage.name) == 0;
    stage.expected = !stage.known ? 0 : sizeof(real) == sizeof(float) ? row->float32 : row->float64;
    stage.differs = !stage.known || stage.expected != digest;
    f->stages++;
    f->differences += stage.differs;
    if (f->report) f->report(f->context, &stage);
}

static uint32_t add_byte(uint32_t crc, unsigned value)
{
    const unsigned char byte = (unsigned char)(value & 255);
    return fer_crc32(crc, &byte, 1);
}

/* A double's eight bytes, the lowest first. */
static uint32_t digest_double(double x)
{
    uint64_t bits;
    uint32_t crc = 0;
    int i;
    memcpy(&bits, &x, sizeof bits);
    for (i = 0; i < 8; i++) crc = add_byte(crc, (unsigned)(bits >> 8 * i & 255));
    return crc;
}

/* ---- Stages ---- */

/* The arrays that outlive a step: weights, Adam's moments, moving statistics; each kind as one digest. */
static void digest_parameters(struct fingerprint *f, const struct fer_network *net, const char *when)
{
    uint32_t weights = 0, moments = 0, moving = 0;
    int i;
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        if (p->trainable) {
            weights = fer_crc32_reals(weights, p->value, p->count);
            moments = fer_crc32_reals(fer_crc32_reals(moments, p->m, p->count), p->v, p->count);
        } else
            moving = fer_crc32_reals(moving, p->value, p->count);
    }
    add_stage(f, when, "weights", weights);
    add_stage(f, when, "moments", moments);
    add_stage(f, when, "moving_statistics", moving);
}

static void digest_batch(struct fingerprint *f, const struct fer_trainer *t, size_t n)
{
    const struct fer_layer *input = &t->network->layer[0];
    uint32_t labels = 0;
    size_t i;
    for (i = 0; i < n; i++) labels = add_byte(labels, (unsigned)t->labels[i]);
    add_stage(f, "batch/", "labels", labels);
    add_stage(f, "batch/", "images", fer_crc32_reals(0, input->output, fer_layer_count(input, n)));
}

/* What each layer wrote, from the first to the last; of BatchNormalization the statistics before the output. */
static void digest_forward(struct fingerprint *f, const struct fer_network *net, size_t n)
{
    char name[FER_MAX_ARRAY];
    int i;
    for (i = 1; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        const size_t c = layer->channels;
        if (fer_layer_takes_statistics(layer))
            add_stage(f, layer->name, "/statistics",
                      fer_crc32_reals(fer_crc32_reals(0, layer->mean, c), layer->variance, c));
        fer_output_name(net, i, "", name);
        add_stage(f, name, "", fer_crc32_reals(0, i == net->layers - 1 ? net->logits : layer->output,
                                               fer_layer_count(layer, n)));
        if (i == net->layers - 1) add_stage(f, net->softmax, "/output", fer_crc32_reals(0, layer->output, n * c));
    }
}

/* From the last layer to the first: the gradient of its output, then those of its parameters. */
static void digest_backward(struct fingerprint *f, const struct fer_network *net, size_t n)
{
    int i, k;
    for (i = net->layers - 1; i > 0; i--) {
        const struct fer_layer *layer = &net->layer[i];
        char name[FER_MAX_ARRAY];
        fer_output_name(net, i, "_grad", name);
        add_stage(f, name, "", fer_crc32_reals(0, layer->output_gradient, fer_layer_count(layer, n)));
        for (k = 0; k < layer->parameters; k++) {
            const struct fer_parameter *p = &net->parameter[layer->parameter + k];
            if (p->trainable) add_stage(f, p->name, "_grad", fer_crc32_reals(0, p->gradient, p->count));
        }
    }
}

static void digest_evaluation(struct fingerprint *f, const char *name, const struct fer_evaluation *result)
{
    uint32_t crc = 0;
    int i, k;
    for (i = 0; i < FER_CLASSES; i++)
        for (k = 0; k < FER_CLASSES; k++) crc = add_byte(crc, (unsigned)result->confusion[i][k]);
    add_stage(f, name, "/loss", digest_double(result->loss_sum));
    add_stage(f, name, "/confusion", crc);
}

/* ---- The training ---- */

static int first_step(struct fingerprint *f, struct fer_trainer *t, struct fer_error *e)
{
    size_t n;
    if (fer_network_plan(t->network, (size_t)t->settings.batch, FER_PLAN_KEEP, e)) return -1;
    digest_parameters(f, t->network, "initial/");
    if (fer_trainer_step(t, e) != FER_DONE) return -1;
    n = t->running.count;
    digest_batch(f, t, n);
    digest_forward(f, t->network, n);
    add_stage(f, "step_1/", "loss", digest_double(t->running.loss_sum));
    digest_backward(f, t->network, n);
    digest_parameters(f, t->network, "step_1/");
    return 0;
}

static int train(struct fingerprint *f, struct fer_trainer *t, struct fer_error *e)
{
    struct fer_evaluation result;
    fer_trainer_order(t);
    if (first_step(f, t, e) || fer_network_plan(t->network, (size_t)t->settings.batch, FER_PLAN_TRAINING, e)) return -1;
    while ((size_t)t->batch < t->batches) {
        char when[32];
        snprintf(when, sizeof when, "step_%ld/", t->step + 1);
        if (fer_trainer_step(t, e) != FER_DONE) return -1;
        digest_parameters(f, t->network, when);
    }
    digest_evaluation(f, "training", &t->running);
    if (fer_evaluate(t->network, t->data, FER_PUBLIC_TEST, NULL, t, &result, e) != FER_DONE) return -1;
    digest_evaluation(f, "evaluation", &result);
    return 0;
}

/* The network at 48x48 copies the faces as they are; here they are scaled. */
static int digest_scaled(struct fingerprint *f, const struct fer_dataset *data, struct fer_error *e)
{
    struct fer_batch batch;
    if (fer_batch_take(&batch, data, FER_TRAINING, 3, 128, e)) return -1;
    add_stage(f, "faces/", "scaled", fer_crc32_reals(0, batch.input, batch.n * 128 * 128));
    fer_batch_free(&batch);
    return 0;
}

int fer_fingerprint(void (*report)(void *context, const struct fer_fingerprint_stage *stage), void *context,
                    struct fer_error *e)
{
    static const size_t drawn[FER_USAGES] = {3, 3, 0};
    struct fingerprint f = {NULL, NULL, 0, 0};
    struct fer_settings settings;
    struct fer_dataset data;
    struct fer_trainer *trainer = NULL;
    int failed;
    f.report = report;
    f.context = context;
    fer_settings_default(&settings);
    settings.epochs = 1;
    settings.batch = 2;
    settings.size = 48;
    settings.seed = 0x100000007; /* both words of it count; the short batch comes last */
    if (fer_dataset_draw(&data, settings.seed, drawn, e)) return -1;
    add_stage(&f, "faces/", "drawn", fer_dataset_digest(&data));
    failed = digest_scaled(&f, &data, e) || fer_trainer_create(&trainer, &settings, &data, e) || train(&f, trainer, e);
    fer_trainer_free(trainer);
    fer_dataset_free(&data);
    if (f.stages < fer_fingerprint_rows) f.differences += fer_fingerprint_rows - f.stages; /* they never came */
    return failed ? -1 : f.differences;
}
