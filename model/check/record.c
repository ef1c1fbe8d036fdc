/* record.c - `fer record`: one training step as an npz file, each array by its name, in the order of computation:
 *
 *     labels, input; for each layer its parameters and its output; loss;
 *     from the last layer to the first: the gradient of its output, then those of its parameters;
 *     for each layer its parameters after the update.
 *
 * An exact record leaves out what is no sum of integers: see record_exact.c. */
#include "record.h"

#include <stdio.h>
#include <string.h>

/* ---- The batch ---- */

void fer_batch_free(struct fer_batch *batch)
{
    fer_free(batch->input);
    fer_free(batch->labels);
    batch->input = NULL;
    batch->labels = NULL;
}

/* "48x48" of grey images, "32x48x3" of others. */
static void format_size(char text[64], size_t height, size_t width, size_t channels)
{
    if (channels == 1)
        snprintf(text, 64, "%zux%zu", height, width);
    else
        snprintf(text, 64, "%zux%zux%zu", height, width, channels);
}

static int allocate_batch(struct fer_batch *batch, size_t n, size_t height, size_t width, size_t channels,
                          struct fer_error *e)
{
    const size_t values = height * width * channels;
    char size[64];
    batch->n = n;
    batch->height = height, batch->width = width, batch->channels = channels;
    batch->labels = fer_allocate(n, sizeof *batch->labels, e);
    batch->input = n > SIZE_MAX / values ? NULL : fer_allocate(n * values, sizeof *batch->input, e);
    if (batch->labels && batch->input) return 0;
    fer_batch_free(batch);
    format_size(size, height, width, channels);
    return fer_fail(e, "out of memory: a batch of %zu images of %s", n, size);
}

static int check_shape(struct fer_npz *npz, const struct fer_array *input, const struct fer_network *network,
                       struct fer_error *e)
{
    const size_t *shape = input->shape;
    const int images = input->dims == 4 && shape[0] >= 1 && shape[0] <= 1000000000;
    if (network) {
        if (images && shape[1] == network->height && shape[2] == network->width && shape[3] == network->channels)
            return 0;
        return fer_npz_fail(npz, input, e, "another shape: expected [N,%zu,%zu,%zu], the network's", network->height,
                            network->width, network->channels);
    }
    if (images && shape[1] >= 1 && shape[1] <= 4096 && shape[2] == shape[1] && shape[3] == 1) return 0;
    return fer_npz_fail(npz, input, e, "another shape: expected [N,S,S,1], N grey images, S up to 4096");
}

static int read_batch(struct fer_npz *npz, struct fer_batch *batch, const struct fer_network *network,
                      struct fer_error *e)
{
    const struct fer_array *input = fer_npz_find(npz, "input"), *labels = fer_npz_find(npz, "labels");
    const size_t *shape;
    if (!input || !labels)
        return fer_npz_fail(npz, NULL, e, "no array %s: expected input and labels", input ? "labels" : "input");
    shape = input->shape;
    if (check_shape(npz, input, network, e) || allocate_batch(batch, shape[0], shape[1], shape[2], shape[3], e))
        return -1;
    if (fer_npz_read(npz, input, batch->input, e) == 0 &&
        fer_labels_read(npz, labels, batch->n, network ? network->classes : FER_CLASSES, batch->labels, e) == 0)
        return 0;
    fer_batch_free(batch);
    return -1;
}

int fer_batch_read(struct fer_batch *batch, const char *path, size_t n, const struct fer_network *network,
                   struct fer_error *e)
{
    const struct fer_batch none = {0};
    struct fer_npz *npz;
    int failed;
    *batch = none;
    if (fer_npz_open(&npz, path, e)) return -1;
    failed = read_batch(npz, batch, network, e);
    fer_npz_close(npz);
    if (failed) return -1;
    if (n > batch->n) {
        const size_t there = batch->n;
        fer_batch_free(batch);
        return fer_fail(e, "%s: input: %zu images: a batch of %zu was asked for", path, there, n);
    }
    if (n) batch->n = n;
    return 0;
}

int fer_batch_take(struct fer_batch *batch, const struct fer_dataset *data, enum fer_usage usage, size_t n, size_t size,
                   struct fer_error *e)
{
    const struct fer_batch none = {0};
    const size_t there = data->usage_count[usage];
    size_t *index;
    *batch = none;
    if (n < 1 || n > there)
        return fer_fail(e, "%s: %zu images of usage %s: a batch of %zu was asked for", data->source, there,
                        fer_usage_names[usage], n);
    index = fer_allocate(there, sizeof *index, e);
    if (!index || allocate_batch(batch, n, size, size, 1, e)) {
        fer_free(index);
        return -1;
    }
    fer_dataset_select(data, usage, index);
    fer_batch_fill(data, index, n, size, batch->input, batch->labels);
    fer_free(index);
    return 0;
}

int fer_network_takes_faces(const struct fer_network *network)
{
    return network->channels == 1 && network->height == network->width && network->classes == FER_CLASSES;
}

int fer_batch_draw(struct fer_batch *batch, const struct fer_network *network, size_t n, uint64_t seed,
                   struct fer_error *e)
{
    const struct fer_batch none = {0};
    size_t i;
    *batch = none;
    if (allocate_batch(batch, n, network->height, network->width, network->channels, e)) return -1;
    for (i = 0; i < fer_layer_count(&network->layer[0], n); i++)
        batch->input[i] = (real)fer_uniform(seed, FER_FOR_CHECKS, 0, i);
    for (i = 0; i < n; i++) batch->labels[i] = (int)(i % network->classes);
    return 0;
}

int fer_batch_fit(struct fer_batch *batch, const struct fer_network *network, const char *source, struct fer_error *e)
{
    const size_t cells = batch->n * batch->height * batch->width, channels = network->channels;
    real *input;
    size_t i;
    for (i = 0; i < batch->n; i++)
        if ((size_t)batch->labels[i] >= network->classes)
            return fer_fail(e, "%s: image %zu is %s, class %d: the network has %zu classes", source, i + 1,
                            fer_class_names[batch->labels[i]], batch->labels[i], network->classes);
    if (channels == batch->channels) return 0;
    if (!(input = fer_allocate(cells, channels * sizeof *input, e))) return -1;
    for (i = 0; i < cells * channels; i++) input[i] = batch->input[i / channels];
    fer_free(batch->input);
    batch->input = input;
    batch->channels = channels;
    return 0;
}

/* ---- Writing ---- */

struct recorder {
    struct fer_npz_writer *out;
    const struct fer_network *network;
    size_t n;
    int exact;
    size_t arrays;
    struct fer_error *e;
    unsigned char cut[FER_MAX_LAYERS]; /* of an exact record: see record.h */
};

static int put(struct recorder *r, const char *name, enum fer_type type, int dims, const size_t *shape,
               const void *values)
{
    r->arrays++;
    return fer_npz_write(r->out, name, type, dims, shape, values, r->e);
}

/* An array of a layer's output's shape, [n][height][width][channels], or [n][channels] when it is flat. */
static int put_output(struct recorder *r, const struct fer_layer *layer, const char *name, const real *values)
{
    const int flat = layer->flat || layer == &r->network->layer[r->network->layers - 1];
    size_t shape[4];
    shape[0] = r->n, shape[1] = flat ? layer->channels : layer->height, shape[2] = layer->width;
    shape[3] = layer->channels;
    return put(r, name, FER_REAL_TYPE, flat ? 2 : 4, shape, values);
}

static int put_parameter(struct recorder *r, const struct fer_parameter *p, const char *ending, const real *values)
{
    char full[FER_MAX_ARRAY];
    snprintf(full, sizeof full, "%s%s", p->name, ending);
    return put(r, full, FER_REAL_TYPE, p->dims, p->shape, values);
}

/* Whether the layer's output belongs into the record; and what it computes. */
static int is_recorded(const struct recorder *r, int index)
{
    return !r->exact || fer_exactness_of(r->network, r->cut, index) != FER_NOT_EXACT;
}

static int is_computed(const struct recorder *r, int index)
{
    return !r->exact || fer_exactness_of(r->network, r->cut, index) == FER_COMPUTED;
}

static int put_forward(struct recorder *r)
{
    const struct fer_network *net = r->network;
    char name[FER_MAX_ARRAY];
    int i, k;
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        const int last = i == net->layers - 1;
        if (!is_recorded(r, i)) continue;
        for (k = 0; k < layer->parameters && is_computed(r, i); k++)
            if (put_parameter(r, &net->parameter[layer->parameter + k], "", net->parameter[layer->parameter + k].value))
                return -1;
        fer_output_name(net, i, "", name);
        if (put_output(r, layer, name, last ? net->logits : layer->output)) return -1;
        snprintf(name, sizeof name, "%s/output", net->softmax);
        if (last && !r->exact && put_output(r, layer, name, layer->output)) return -1;
    }
    return 0;
}

static int put_backward(struct recorder *r)
{
    const struct fer_network *net = r->network;
    char name[FER_MAX_ARRAY];
    int i, k;
    for (i = net->layers - 1; i > 0; i--) {
        const struct fer_layer *layer = &net->layer[i];
        if (!is_recorded(r, i)) continue;
        fer_output_name(net, i, "_grad", name);
        if (put_output(r, layer, name, layer->output_gradient)) return -1;
        for (k = 0; k < layer->parameters && is_computed(r, i); k++) {
            const struct fer_parameter *p = &net->parameter[layer->parameter + k];
            if (p->trainable && put_parameter(r, p, "_grad", p->gradient)) return -1;
        }
    }
    return 0;
}

static int put_updates(struct recorder *r)
{
    const struct fer_network *net = r->network;
    int i, k;
    for (i = 0; i < net->layers; i++)
        for (k = 0; k < net->layer[i].parameters; k++) {
            const struct fer_parameter *p = &net->parameter[net->layer[i].parameter + k];
            if (fer_parameter_changes(&net->layer[i], p) && put_parameter(r, p, "_new", p->value)) return -1;
        }
    return 0;
}

static int put_labels(struct recorder *r, const int *labels)
{
    int64_t *wide = fer_allocate(r->n, sizeof *wide, r->e);
    size_t i;
    int failed;
    if (!wide) return -1;
    for (i = 0; i < r->n; i++) wide[i] = labels[i];
    failed = put(r, "labels", FER_I8, 1, &r->n, wide);
    fer_free(wide);
    return failed;
}

/* ---- The step ---- */

/* Computes and writes; everything is written before the next part overwrites it. adam NULL: inference. */
static int record_step(struct recorder *r, struct fer_network *net, const struct fer_batch *batch,
                       const struct fer_adam *adam, double *loss)
{
    real mean_loss;
    int i;
    for (i = 0; i < net->parameters; i++) {
        struct fer_parameter *p = &net->parameter[i];
        if (!p->trainable) continue;
        memset(p->m, 0, p->count * sizeof *p->m);
        memset(p->v, 0, p->count * sizeof *p->v);
    }
    fer_network_forward(net, batch->n, adam != NULL);
    *loss = (adam ? fer_network_backward(net, batch->n, batch->labels)
                  : fer_cross_entropy(batch->n, net->classes, net->logits, batch->labels, NULL, NULL)) /
            (double)batch->n;
    mean_loss = (real)*loss;
    if (put_labels(r, batch->labels) || put_forward(r) || put(r, "loss", FER_REAL_TYPE, 0, NULL, &mean_loss)) return -1;
    if (!adam) return 0;
    if (put_backward(r)) return -1;
    fer_network_update(net, batch->n, adam, 1);
    return put_updates(r);
}

/* The file, once its arrays have been written, or could not be. */
static int finish(struct recorder *r, int failed, struct fer_recorded *recorded)
{
    recorded->arrays = r->arrays;
    if (!failed) return fer_npz_commit(r->out, r->e);
    fer_npz_abandon(r->out);
    return -1;
}

int fer_record(struct fer_network *network, const struct fer_batch *batch, const struct fer_adam *adam,
               const char *path, struct fer_recorded *recorded, struct fer_error *e)
{
    struct recorder r = {NULL, network, batch->n, 0, 0, e, {0}};
    if (batch->height != network->height || batch->width != network->width || batch->channels != network->channels) {
        char size[64], expected[64];
        format_size(size, batch->height, batch->width, batch->channels);
        format_size(expected, network->height, network->width, network->channels);
        return fer_fail(e, "images of %s: expected %s, the network's size", size, expected);
    }
    if (fer_network_plan(network, batch->n, FER_PLAN_KEEP, e) || fer_npz_create(&r.out, path, e)) return -1;
    memcpy(fer_network_input(network), batch->input, fer_layer_count(&network->layer[0], batch->n) * sizeof(real));
    return finish(&r, record_step(&r, network, batch, adam, &recorded->loss), recorded);
}

int fer_record_inference(struct fer_network *network, const struct fer_batch *batch, const char *path,
                         struct fer_recorded *recorded, struct fer_error *e)
{
    return fer_record(network, batch, NULL, path, recorded, e);
}

int fer_record_exact(struct fer_network *network, size_t n, uint64_t seed, const char *path,
                     struct fer_recorded *recorded, struct fer_error *e)
{
    struct recorder r = {NULL, network, n, 1, 0, e, {0}};
    recorded->loss = 0;
    if (fer_network_plan(network, n, FER_PLAN_KEEP, e) || fer_exact_fill(network, n, seed, FER_EXACT_LIMIT, r.cut, e) ||
        fer_npz_create(&r.out, path, e))
        return -1;
    return finish(&r, put_forward(&r) || put_backward(&r), recorded);
}
