/* verify.c - another implementation's record of a training step, array by array: is it what should have come out of
 * what went in?
 *
 * For each array the implementation's own recorded inputs to it are read, the computation is done in float64 by the
 * layer's function, and each element is compared with the bound that rounding allows (bounds_*.c). So an error does
 * not travel from layer to layer, and one fault does not hide another. An array is read when it is needed and given up
 * afterwards: memory holds a few of the largest.
 *
 *     array                      is checked from
 *     LAYER/output               the outputs of the layers that it takes from, and its parameters
 *     predictions/logits         avg_pool/output, predictions/kernel, predictions/bias
 *     predictions/output, loss, predictions/logits_grad     predictions/logits; the labels
 *     LAYER/output_grad          for each layer that takes from it: that layer's output_grad, and what its backward pass needs
 *     PARAMETER_grad             the layer's output_grad, and its input
 *     PARAMETER_new              PARAMETER, PARAMETER_grad
 *     moving_mean_new, ...       moving_mean, ..., and the layer's input */
#include "verify.h"
#include "../kinds.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* An array that a record may hold. */
struct expected {
    char name[80];
    int dims;
    size_t shape[4], count;
    const struct fer_array *array; /* in the file; NULL: not there */
};

/* An update's verdict waits until all are known, since with the other rule every one of them might be right. */
enum family { NO_FAMILY, ADAM, MOVING_VARIANCE, FAMILIES };
struct update {
    struct fer_verify_row row;
    enum family family;
};

enum { MOST_EXPECTED = 3 + 2 * FER_MAX_LAYERS + 3 * FER_MAX_PARAMETERS, MOST_HELD = 16 };

struct verify {
    struct fer_npz *npz;
    const struct fer_verify_options *options;
    struct fer_arithmetic arithmetic;
    struct fer_network net;        /* described, not allocated */
    int n;                         /* images */
    int *labels;                   /* NULL: not in the record */
    int still[FER_MAX_LAYERS];     /* whether the layer's output_grad is zero in every record of this shape */
    int expected_count, of_images; /* those of the parameters stand behind the others */
    struct expected expected[MOST_EXPECTED];

    /* the array being checked */
    struct fer_verify_row row;
    struct fer_tally tally;
    real *held[MOST_HELD], *claimed;
    int held_count;

    int update_count;
    struct update update[FER_MAX_PARAMETERS];
    int other_rule_fails[FAMILIES];

    void (*report)(void *context, const struct fer_verify_row *row);
    void *context;
    struct fer_verify_summary *summary;
    struct fer_error *e;
    int failed; /* memory ran out, or the file cannot be read: everything below is passed over */
};

/* ---- What a record holds ---- */

static struct expected *expect(struct verify *v, const char *layer, const char *what, int dims, size_t s0, size_t s1,
                               size_t s2, size_t s3)
{
    struct expected *x = &v->expected[v->expected_count++];
    const size_t shape[4] = {s0, s1, s2, s3};
    int i;
    snprintf(x->name, sizeof x->name, "%s%s%s", layer, *what && *layer ? "/" : "", what);
    x->dims = dims;
    x->count = 1;
    for (i = 0; i < dims; i++) x->count *= x->shape[i] = shape[i];
    x->array = fer_npz_find(v->npz, x->name);
    return x;
}

static void expect_parameter(struct verify *v, const struct fer_parameter *p, const char *ending)
{
    char name[80];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    expect(v, name, "", p->dims, p->shape[0], p->shape[1], p->shape[2], p->shape[3]);
}

/* The list for v->net and v->n. */
static void list_expected(struct verify *v)
{
    const size_t n = (size_t)v->n;
    int i;
    v->expected_count = 0;
    expect(v, "input", "", 4, n, v->net.height, v->net.width, v->net.channels);
    expect(v, "labels", "", 1, n, 0, 0, 0);
    expect(v, "loss", "", 0, 0, 0, 0, 0);
    for (i = 1; i < v->net.layers; i++) {
        const struct fer_layer *layer = &v->net.layer[i];
        const size_t h = (size_t)layer->height, w = (size_t)layer->width, c = (size_t)layer->channels;
        const int flat = layer->type == FER_DENSE || layer->type == FER_GLOBAL_AVERAGE_POOLING2D;
        expect(v, layer->name, "output", flat ? 2 : 4, n, flat ? c : h, w, c);
        expect(v, layer->name, layer->type == FER_DENSE ? "logits_grad" : "output_grad", flat ? 2 : 4, n, flat ? c : h,
               w, c);
        if (layer->type == FER_DENSE) expect(v, layer->name, "logits", 2, n, c, 0, 0);
    }
    v->of_images = v->expected_count;
    for (i = 0; i < v->net.parameters; i++) {
        expect_parameter(v, &v->net.parameter[i], "");
        expect_parameter(v, &v->net.parameter[i], "_new");
        if (v->net.parameter[i].trainable) expect_parameter(v, &v->net.parameter[i], "_grad");
    }
}

/* Shapes must be equal; but [n,1,1,c] may stand for [n,c], [1] for a number, and labels may be one-hot. */
static int fits(const struct expected *x)
{
    const struct fer_array *a = x->array;
    int i, same = a->dims == x->dims;
    for (i = 0; same && i < x->dims; i++) same = a->shape[i] == x->shape[i];
    if (same) return 1;
    if (x->dims == 0) return a->dims == 1 && a->shape[0] == 1;
    if (x->dims == 1 && strcmp(x->name, "labels") == 0)
        return a->dims == 2 && a->shape[0] == x->shape[0] && (a->shape[1] == FER_CLASSES || a->shape[1] == 1);
    return x->dims == 2 && a->dims == 4 && a->shape[0] == x->shape[0] && a->shape[1] == 1 && a->shape[2] == 1 &&
           a->shape[3] == x->shape[1];
}

/* Among those from number `i` on. */
static const struct expected *first_misfit(const struct verify *v, int i)
{
    for (; i < v->expected_count; i++)
        if (v->expected[i].array && !fits(&v->expected[i])) return &v->expected[i];
    return NULL;
}

static void format_shape(int dims, const size_t *shape, char text[96])
{
    int i, at = snprintf(text, 96, "[");
    for (i = 0; i < dims && i < 4; i++)
        at += snprintf(text + at, 96 - (size_t)at, "%s%lu", i ? "," : "", (unsigned long)shape[i]);
    snprintf(text + at, 96 - (size_t)at, dims > 4 ? ",...]" : "]");
}

static int fail_shape(const struct verify *v, const struct expected *x)
{
    char is[96], expected[96];
    format_shape(x->array->dims, x->array->shape, is);
    format_shape(x->dims, x->shape, expected);
    return fer_npz_fail(v->npz, x->array, v->e, "its shape is %s; for %d images of %zux%zu %s was expected", is, v->n,
                        v->net.height, v->net.width, expected);
}

/* ---- Images and their size, from the shapes ---- */

static int describe(struct verify *v, int size, struct fer_error *e)
{
    struct fer_network *net;
    if (fer_incv3v1_describe(&net, (size_t)size, e)) return -1;
    v->net = *net;
    fer_network_free(net);
    list_expected(v);
    return 0;
}

/* The first array whose first axis is the images; NULL when there is none. */
static const struct expected *first_of_images(const struct verify *v)
{
    int i;
    for (i = 0; i < v->of_images; i++)
        if (v->expected[i].array && v->expected[i].dims && v->expected[i].array->dims) return &v->expected[i];
    return NULL;
}

/* The first array that holds other images, by number, than the first of all; NULL when there is none. */
static const struct expected *first_of_others(const struct verify *v, const struct expected *first)
{
    const struct expected *x;
    for (x = first; x && x < v->expected + v->of_images; x++)
        if (x->array && x->dims && x->array->dims && x->array->shape[0] != first->array->shape[0]) return x;
    return NULL;
}

/* Without the input, the size is the smallest at which every array fits. */
static int search_size(struct verify *v)
{
    const struct expected *first = first_of_images(v), *other = first_of_others(v, first);
    int size;
    if (first_misfit(v, v->of_images)) return fail_shape(v, first_misfit(v, v->of_images));
    if (other)
        return fer_npz_fail(v->npz, other->array, v->e, "%lu images; %s has %lu", (unsigned long)other->array->shape[0],
                            first->name, (unsigned long)first->array->shape[0]);
    for (size = 1; size <= 4096; size++)
        if (describe(v, size, NULL) == 0 && !first_misfit(v, 0)) return 0;
    return fer_npz_fail(v->npz, NULL, v->e,
                        "at no size of image do all shapes fit together; with `input` in it, fer "
                        "can say which does not");
}

static int find_geometry(struct verify *v)
{
    const struct fer_array *input = fer_npz_find(v->npz, "input");
    const struct expected *first;
    struct fer_error reason;
    char shape[96];
    size_t images;
    v->n = 1;
    describe(v, 128, NULL);
    first = first_of_images(v);
    images = first ? first->array->shape[0] : 0;
    if (images > 1000000)
        return fer_npz_fail(v->npz, NULL, v->e, "%lu images; at most 1000000 were expected", (unsigned long)images);
    if (images > 0) v->n = (int)images;
    describe(v, 128, NULL);
    if (!input) return search_size(v);
    if (input->dims != 4 || images < 1 || input->shape[1] != input->shape[2] || input->shape[1] < 1 ||
        input->shape[1] > 4096 || input->shape[3] != 1) {
        format_shape(input->dims, input->shape, shape);
        return fer_npz_fail(v->npz, input, v->e, "its shape is %s; square grey images, [N,H,H,1], were expected",
                            shape);
    }
    if (describe(v, (int)input->shape[1], &reason)) return fer_npz_fail(v->npz, input, v->e, "%s", reason.text);
    return first_misfit(v, 0) ? fail_shape(v, first_misfit(v, 0)) : 0;
}

static int read_labels(struct verify *v)
{
    const struct fer_array *array = fer_npz_find(v->npz, "labels");
    if (!array) return 0;
    v->labels = fer_allocate((size_t)v->n, sizeof *v->labels, v->e);
    return v->labels ? fer_labels_read(v->npz, array, (size_t)v->n, v->net.classes, v->labels, v->e) : -1;
}

/* ---- The check of one array: begin, load, tally, finish ---- */

static const struct expected *find(const struct verify *v, const char *name)
{
    int i;
    for (i = 0; i < v->expected_count; i++)
        if (strcmp(v->expected[i].name, name) == 0) return &v->expected[i];
    return NULL;
}

/* Room for `count` reals, zeros, until the check is finished. */
static real *hold(struct verify *v, size_t count)
{
    real *memory = v->failed ? NULL : fer_allocate(count, sizeof *memory, v->e);
    if (!memory) {
        v->failed = 1;
        return NULL;
    }
    return v->held[v->held_count++] = memory;
}

/* Gives up what was held after the first `count`. */
static void release(struct verify *v, int count)
{
    while (v->held_count > count) fer_free(v->held[--v->held_count]);
}

/* What the check lacks: it stands in the row's reason. */
static void lack(struct verify *v, const char *name)
{
    char *reason = v->row.reason;
    const size_t length = strlen(reason);
    v->row.verdict = FER_NOT_CHECKABLE;
    if (!strstr(reason, name))
        snprintf(reason + length, sizeof v->row.reason - length, "%s%s", length ? ", " : "needs ", name);
}

/* Notes when the record does not hold the array. */
static const struct expected *require(struct verify *v, const char *layer, const char *what)
{
    const struct expected *x;
    char name[80];
    snprintf(name, sizeof name, "%s%s%s", layer, *what ? "/" : "", what);
    x = find(v, name);
    if (x && x->array) return x;
    lack(v, name);
    return NULL;
}

/* The array's values, until the check is finished. When the record does not hold it, that is noted, and the result is
 * NULL. */
static real *load(struct verify *v, const char *layer, const char *what)
{
    const struct expected *x = require(v, layer, what);
    real *values = x ? hold(v, x->count) : NULL;
    if (values && fer_npz_read(v->npz, x->array, values, v->e)) v->failed = 1;
    return values;
}

static real *load_output(struct verify *v, const struct fer_layer *layer)
{
    return layer->type == FER_INPUT ? load(v, "input", "") : load(v, layer->name, "output");
}

static real *load_parameter(struct verify *v, const struct fer_parameter *p, const char *ending)
{
    char name[80];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    return load(v, name, "");
}

/* Begins a check. 0 when the record does not hold the array, or all has failed. */
static int begin(struct verify *v, const char *layer, const char *what)
{
    const struct expected *x;
    char name[80];
    int i;
    snprintf(name, sizeof name, "%s%s%s", layer, *what ? "/" : "", what);
    x = find(v, name);
    if (v->failed || !x || !x->array) return 0;
    memset(&v->row, 0, sizeof v->row);
    memset(&v->tally, 0, sizeof v->tally);
    snprintf(v->row.array, sizeof v->row.array, "%s", name);
    v->row.elements = x->count;
    v->row.dims = x->dims;
    for (i = 0; i < x->dims; i++) v->row.shape[i] = x->shape[i];
    v->claimed = load(v, name, "");
    return !v->failed;
}

static int begin_parameter(struct verify *v, const struct fer_parameter *p, const char *ending)
{
    char name[80];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    return begin(v, name, "");
}

/* Whether everything that the check needs is there. */
static int ready(const struct verify *v)
{
    return !v->failed && v->row.verdict != FER_NOT_CHECKABLE;
}

/* Turns the tally into the row's verdict. */
static void conclude(struct verify *v, struct fer_verify_row *row)
{
    const struct fer_extreme *worst;
    row->verdict = fer_tally_verdict(&v->tally);
    worst = row->verdict == FER_WRONG ? &v->tally.proven : &v->tally.likely;
    row->proven = v->tally.proven.ratio;
    row->likely = v->tally.likely.ratio;
    row->index = worst->index;
    row->value = worst->value;
    row->truth = worst->truth;
    row->proven_bound = worst->bound.proven;
    row->likely_bound = worst->bound.likely;
    if (row->verdict == FER_WRONG && v->tally.not_finite)
        snprintf(row->reason, sizeof row->reason, "one of value and truth is finite, the other is not");
    else if (row->verdict == FER_MISTRUSTED && row->by_nature)
        snprintf(row->reason, sizeof row->reason, "zero by nature: one value a channel was normalised");
    else if (row->verdict == FER_MISTRUSTED)
        snprintf(row->reason, sizeof row->reason, "%s: that proves nothing",
                 v->tally.finite ? v->tally.nonzero ? "all equal" : "all zero" : "nothing is finite");
    else if (row->verdict == FER_OK && !v->tally.outgrows)
        snprintf(row->reason, sizeof row->reason, "weak: no value is larger than its bound");
}

static void report(struct verify *v, const struct fer_verify_row *row)
{
    struct fer_verify_summary *s = v->summary;
    s->rows[row->verdict]++;
    if (row->by_nature && row->verdict == FER_MISTRUSTED) s->by_nature++;
    if (row->verdict == FER_MISTRUSTED && !row->by_nature && !*s->first_mistrusted)
        snprintf(s->first_mistrusted, sizeof s->first_mistrusted, "%s", row->array);
    if (row->verdict == FER_WRONG && !*s->first_wrong)
        snprintf(s->first_wrong, sizeof s->first_wrong, "%s", row->array);
    if ((row->verdict == FER_WRONG || row->verdict == FER_SUSPECT) && !*s->first) {
        snprintf(s->first, sizeof s->first, "%s", row->array);
        snprintf(s->first_writers, sizeof s->first_writers, "%s", row->writers);
        snprintf(s->first_reason, sizeof s->first_reason, "%s", row->reason);
        s->first_verdict = row->verdict;
    }
    if (v->report) v->report(v->context, row);
}

static void finish(struct verify *v)
{
    release(v, 0);
    if (v->failed) return;
    if (ready(v)) conclude(v, &v->row);
    report(v, &v->row);
}

/* ---- Sums ---- */

/* Room for the sums that make up the array. */
static int begin_sums(struct verify *v, struct fer_sums *s)
{
    memset(s, 0, sizeof *s);
    s->count = v->row.elements;
    if (!ready(v)) return 0;
    s->truth = hold(v, s->count);
    s->magnitude = hold(v, s->count);
    s->roundings = hold(v, s->count);
    s->part = hold(v, s->count);
    return ready(v);
}

static void tally_sums(struct verify *v, const struct fer_sums *s)
{
    fer_tally_sums(&v->tally, &v->arithmetic, s, v->claimed);
}

static size_t rows_of(const struct verify *v, const struct fer_layer *layer)
{
    return (size_t)v->n * (size_t)layer->height * (size_t)layer->width;
}

/* GlobalAveragePooling is average pooling with one window: the whole image. */
static struct fer_window pooling_window(const struct verify *v, const struct fer_layer *layer)
{
    const struct fer_layer *from = &v->net.layer[layer->input[0]];
    const int h = from->height, w = from->width, c = from->channels;
    const struct fer_window whole = {v->n, h, w, c, 1, 1, c, h, w, 1, 1, 0, 0};
    return layer->type == FER_GLOBAL_AVERAGE_POOLING2D ? whole : fer_layer_window(layer, (size_t)v->n);
}

/* ---- Forward ---- */

static void check_normalization(struct verify *v, const struct fer_layer *layer)
{
    const struct fer_layer *from = &v->net.layer[layer->input[0]];
    const real *x = load_output(v, from), *beta = load(v, layer->name, "beta");
    struct fer_channel *channel;
    if (!ready(v)) return;
    channel = fer_allocate((size_t)layer->channels, sizeof *channel, v->e);
    if (!channel || fer_channels(channel, &v->arithmetic, rows_of(v, layer), layer->channels, x,
                                 v->options->settings.bn_epsilon, v->e))
        v->failed = 1;
    else
        fer_tally_normalization(&v->tally, &v->arithmetic, channel, rows_of(v, layer), layer->channels, x, beta,
                                v->claimed);
    fer_free(channel);
}

/* The truth of activations, maxima and concatenation goes to s->part: nothing is rounded. */
static void copy_inputs(struct verify *v, const struct fer_layer *layer, struct fer_sums *s)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    const real *x[FER_MAX_INPUTS];
    size_t channels[FER_MAX_INPUTS];
    int i;
    for (i = 0; i < layer->inputs; i++) {
        x[i] = load_output(v, &v->net.layer[layer->input[i]]);
        channels[i] = (size_t)v->net.layer[layer->input[i]].channels;
    }
    if (!begin_sums(v, s)) return;
    if (layer->type == FER_ACTIVATION) fer_relu_forward(s->count, x[0], s->part);
    if (layer->type == FER_MAX_POOLING2D) fer_max_pooling2d_forward(&g, x[0], s->part);
    if (layer->type == FER_CONCATENATE) fer_concatenate_forward(rows_of(v, layer), layer->inputs, channels, x, s->part);
    fer_sums_add_copies(s, &v->arithmetic);
    tally_sums(v, s);
}

static void check_output(struct verify *v, const struct fer_layer *layer)
{
    const struct fer_layer *from = &v->net.layer[layer->input[0]];
    const struct fer_window g = layer->type == FER_CONV2D ? fer_layer_window(layer, (size_t)v->n) : pooling_window(v, layer);
    struct fer_sums s;
    real *x, *kernel;
    if (!begin(v, layer->name, "output")) return;
    if (layer->type == FER_CONV2D) {
        x = load_output(v, from);
        kernel = load(v, layer->name, "kernel");
        if (begin_sums(v, &s)) {
            fer_sums_add_conv2d(&s, &v->arithmetic, &g, x, kernel);
            tally_sums(v, &s);
        }
    } else if (layer->type == FER_AVERAGE_POOLING2D || layer->type == FER_GLOBAL_AVERAGE_POOLING2D) {
        x = load_output(v, from);
        if (begin_sums(v, &s)) {
            fer_sums_add_average(&s, &v->arithmetic, &g, x);
            tally_sums(v, &s);
        }
    } else if (layer->type == FER_BATCH_NORMALIZATION) {
        check_normalization(v, layer);
    } else {
        copy_inputs(v, layer, &s);
    }
    finish(v);
}

static void check_softmax(struct verify *v, const struct fer_layer *layer, enum fer_softmax_result result)
{
    const real *logits = load(v, layer->name, "logits");
    if (!v->labels && result != FER_PROBABILITIES) lack(v, "labels");
    if (ready(v))
        fer_tally_softmax(&v->tally, &v->arithmetic, result, v->n, layer->channels, logits, v->labels, v->claimed);
    finish(v);
}

static void check_predictions(struct verify *v, const struct fer_layer *layer)
{
    const struct fer_layer *from = &v->net.layer[layer->input[0]];
    struct fer_sums s;
    if (begin(v, layer->name, "logits")) {
        real *x = load_output(v, from), *kernel = load(v, layer->name, "kernel"), *bias = load(v, layer->name, "bias");
        if (begin_sums(v, &s)) {
            fer_sums_add_dense(&s, &v->arithmetic, v->n, from->channels, layer->channels, x, kernel, bias);
            tally_sums(v, &s);
        }
        finish(v);
    }
    if (begin(v, layer->name, "output")) check_softmax(v, layer, FER_PROBABILITIES);
    if (begin(v, "loss", "")) check_softmax(v, layer, FER_LOSS);
}

static void check_forward(struct verify *v)
{
    int i;
    for (i = 1; i < v->net.layers - 1; i++) check_output(v, &v->net.layer[i]);
    check_predictions(v, &v->net.layer[v->net.layers - 1]);
}

/* ---- Backward ---- */

static int takes_from(const struct fer_layer *layer, int i)
{
    int k;
    for (k = 0; k < layer->inputs; k++)
        if (layer->input[k] == i) return 1;
    return 0;
}

static const char *gradient_of_output(const struct fer_layer *layer)
{
    return layer->type == FER_DENSE ? "logits_grad" : "output_grad";
}

/* Notes what the backward pass of layer j, a consumer of layer i, needs and the record does not hold; and who writes
 * the gradient. */
static void require_consumer(struct verify *v, int i, int j)
{
    const struct fer_layer *layer = &v->net.layer[j], *from = &v->net.layer[i];
    char *writers = v->row.writers;
    const size_t length = strlen(writers);
    snprintf(writers + length, sizeof v->row.writers - length, "%s%s", length ? ", " : "", layer->name);
    require(v, layer->name, gradient_of_output(layer));
    if (layer->type == FER_CONV2D || layer->type == FER_DENSE) require(v, layer->name, "kernel");
    if (layer->type == FER_MAX_POOLING2D || layer->type == FER_BATCH_NORMALIZATION) require(v, from->name, "output");
    if (layer->type == FER_ACTIVATION) require(v, layer->name, "output");
}

/* The part of layer j's dy that belongs to its input i. */
static void take_branch(const struct verify *v, int i, int j, const real *dy, real *part)
{
    const struct fer_layer *layer = &v->net.layer[j];
    const size_t width = (size_t)v->net.layer[i].channels, all = (size_t)layer->channels, rows = rows_of(v, layer);
    size_t row, before = 0;
    int k;
    for (k = 0; layer->input[k] != i; k++) before += (size_t)v->net.layer[layer->input[k]].channels;
    for (row = 0; row < rows; row++) memcpy(part + row * width, dy + row * all + before, width * sizeof *part);
}

/* Adds to the sums for the gradient of layer i's output what its consumer j sends back. */
static void add_consumer(struct verify *v, int i, int j, int ties_any, struct fer_sums *s)
{
    const struct fer_layer *layer = &v->net.layer[j], *from = &v->net.layer[i];
    const struct fer_arithmetic *a = &v->arithmetic;
    const struct fer_window g = layer->type == FER_CONV2D ? fer_layer_window(layer, (size_t)v->n) : pooling_window(v, layer);
    const int held = v->held_count, multiplies = layer->type == FER_CONV2D || layer->type == FER_DENSE;
    real *dy = load(v, layer->name, gradient_of_output(layer)),
         *kernel = multiplies ? load(v, layer->name, "kernel") : NULL;
    const real *x = layer->type == FER_MAX_POOLING2D ? load_output(v, from) : NULL;
    const real *y = layer->type == FER_ACTIVATION ? load_output(v, layer) : NULL;
    if (ready(v)) {
        switch (layer->type) {
        case FER_CONV2D: fer_sums_add_conv2d_input(s, a, &g, dy, kernel); break;
        case FER_DENSE: fer_sums_add_dense_input(s, a, v->n, from->channels, layer->channels, dy, kernel); break;
        case FER_AVERAGE_POOLING2D:
        case FER_GLOBAL_AVERAGE_POOLING2D: fer_sums_add_average_input(s, a, &g, dy); break;
        case FER_ACTIVATION:
            fer_relu_backward(s->count, y, dy, s->part);
            fer_sums_add_copies(s, a);
            break;
        case FER_CONCATENATE:
            take_branch(v, i, j, dy, s->part);
            fer_sums_add_copies(s, a);
            break;
        case FER_MAX_POOLING2D:
            if (ties_any)
                fer_sums_add_any_max_input(s, a, &g, x, dy, v->claimed);
            else
                fer_sums_add_max_input(s, a, &g, x, dy);
            break;
        case FER_BATCH_NORMALIZATION: /* its gradient is not a plain sum: see check_normalization_input */
        case FER_INPUT:
        case FER_LAYER_TYPES: break;
        }
    }
    release(v, held);
}

/* The sum over all consumers; maxima come last, since with equal ones the rest must be known. */
static void sum_consumers(struct verify *v, int i, int ties_any)
{
    const int held = v->held_count;
    struct fer_sums s;
    int j, maxima;
    memset(&v->tally, 0, sizeof v->tally);
    if (begin_sums(v, &s)) {
        for (maxima = 0; maxima < 2; maxima++)
            for (j = i + 1; j < v->net.layers && ready(v); j++)
                if (takes_from(&v->net.layer[j], i) && maxima == (v->net.layer[j].type == FER_MAX_POOLING2D))
                    add_consumer(v, i, j, ties_any, &s);
        if (ready(v)) tally_sums(v, &s);
    }
    release(v, held);
}

/* As above; and when the gradient is at fault only by the rule for equal maxima, says so. */
static void check_sum_of_consumers(struct verify *v, int i, int has_maxima)
{
    struct fer_tally first;
    sum_consumers(v, i, v->options->ties_any);
    if (!has_maxima || v->options->ties_any || !ready(v) || fer_tally_verdict(&v->tally) < FER_SUSPECT) return;
    first = v->tally;
    sum_consumers(v, i, 1);
    if (ready(v) && fer_tally_verdict(&v->tally) < FER_SUSPECT)
        snprintf(v->row.reason, sizeof v->row.reason,
                 "max pooling's gradient went to another of several equal maxima; --ties any accepts that");
    v->tally = first;
}

static void check_normalization_input(struct verify *v, const struct fer_layer *layer, const struct fer_layer *from)
{
    const size_t rows = rows_of(v, layer);
    const real *x = load_output(v, from), *dy = load(v, layer->name, "output_grad");
    struct fer_channel *channel;
    if (!ready(v)) return;
    channel = fer_allocate((size_t)layer->channels, sizeof *channel, v->e);
    if (!channel ||
        fer_channels(channel, &v->arithmetic, rows, layer->channels, x, v->options->settings.bn_epsilon, v->e) ||
        fer_tally_normalization_input(&v->tally, &v->arithmetic, channel, rows, layer->channels, x, dy, v->claimed,
                                      v->e))
        v->failed = 1;
    fer_free(channel);
}

/* The gradient of layer i's output, which its consumers have written. */
static void check_output_gradient(struct verify *v, int i)
{
    int j, maxima = 0;
    if (!begin(v, v->net.layer[i].name, "output_grad")) return;
    v->row.by_nature = v->still[i];
    for (j = i + 1; j < v->net.layers; j++) {
        if (!takes_from(&v->net.layer[j], i)) continue;
        require_consumer(v, i, j);
        maxima += v->net.layer[j].type == FER_MAX_POOLING2D;
    }
    if (ready(v) && v->net.layer[i].type == FER_CONV2D)
        check_normalization_input(v, &v->net.layer[i + 1], &v->net.layer[i]);
    else if (ready(v))
        check_sum_of_consumers(v, i, maxima > 0);
    finish(v);
}

/* The gradients of layer i's parameters. */
static void check_parameter_gradients(struct verify *v, int i)
{
    const struct fer_layer *layer = &v->net.layer[i], *from = &v->net.layer[layer->input[0]];
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    struct fer_sums s;
    if ((layer->type == FER_CONV2D || layer->type == FER_DENSE) && begin(v, layer->name, "kernel_grad")) {
        real *x = load_output(v, from), *dy = load(v, layer->name, gradient_of_output(layer));
        v->row.by_nature = v->still[i];
        if (begin_sums(v, &s)) {
            if (layer->type == FER_CONV2D)
                fer_sums_add_conv2d_kernel(&s, &v->arithmetic, &g, x, dy);
            else
                fer_sums_add_dense_kernel(&s, &v->arithmetic, v->n, from->channels, layer->channels, x, dy);
            tally_sums(v, &s);
        }
        finish(v);
    }
    if ((layer->type == FER_BATCH_NORMALIZATION && begin(v, layer->name, "beta_grad")) ||
        (layer->type == FER_DENSE && begin(v, layer->name, "bias_grad"))) {
        const real *dy = load(v, layer->name, gradient_of_output(layer));
        v->row.by_nature = v->still[i];
        if (begin_sums(v, &s)) {
            fer_sums_add_columns(&s, &v->arithmetic, rows_of(v, layer), layer->channels, dy);
            tally_sums(v, &s);
        }
        finish(v);
    }
}

static void check_backward(struct verify *v)
{
    int i = v->net.layers - 1;
    if (begin(v, v->net.layer[i].name, "logits_grad")) check_softmax(v, &v->net.layer[i], FER_LOGITS_GRADIENT);
    check_parameter_gradients(v, i);
    while (--i > 0) {
        check_output_gradient(v, i);
        check_parameter_gradients(v, i);
    }
}

/* A batch of one value a channel, normalised, is beta whatever it was: no gradient passes. Which outputs' gradients
 * are zero for that reason. */
static void find_still(struct verify *v)
{
    int i, j;
    for (i = v->net.layers - 2; i > 0; i--) {
        v->still[i] = 1;
        for (j = i + 1; j < v->net.layers; j++) {
            const int normalises_one =
                v->net.layer[j].type == FER_BATCH_NORMALIZATION && rows_of(v, &v->net.layer[j]) == 1;
            if (takes_from(&v->net.layer[j], i) && !normalises_one && !v->still[j]) v->still[i] = 0;
        }
    }
}

/* ---- Updates ---- */

/* An update is kept until all are checked. `other`: the verdict by the other rule of its family. */
static void finish_update(struct verify *v, enum family family, enum fer_verdict other)
{
    struct update *u = &v->update[v->update_count];
    release(v, 0);
    if (v->failed) return;
    if (ready(v)) conclude(v, &v->row);
    if (v->row.verdict != FER_NOT_CHECKABLE && other >= FER_SUSPECT) v->other_rule_fails[family] = 1;
    u->row = v->row;
    u->family = family;
    v->update_count++;
}

static enum fer_verdict tally_adam(struct verify *v, int pytorch, size_t count, const real *before,
                                   const real *gradient, real *room)
{
    const struct fer_settings *s = &v->options->settings;
    struct fer_adam adam;
    real *truth = room, *m = room + count, *second = room + 2 * count;
    adam.learning_rate = s->learning_rate;
    adam.beta1 = s->beta1;
    adam.beta2 = s->beta2;
    adam.epsilon = pytorch ? s->adam_epsilon * sqrt(1 - s->beta2) : s->adam_epsilon; /* as bounds_loss.c says */
    memcpy(truth, before, count * sizeof *truth);
    memset(m, 0, 2 * count * sizeof *m);
    fer_adam_step(&adam, 1, count, truth, gradient, m, second);
    memset(&v->tally, 0, sizeof v->tally);
    fer_tally_adam(&v->tally, &v->arithmetic, &adam, count, before, gradient, truth, v->claimed);
    return fer_tally_verdict(&v->tally);
}

static void check_trainable(struct verify *v, const struct fer_layer *layer, const struct fer_parameter *p)
{
    const real *before, *gradient;
    enum fer_verdict other = FER_OK;
    real *room;
    if (!begin_parameter(v, p, "_new")) return;
    before = load_parameter(v, p, "");
    gradient = load_parameter(v, p, "_grad");
    room = ready(v) ? hold(v, 3 * p->count) : NULL;
    v->row.by_nature = v->still[layer - v->net.layer];
    if (ready(v)) {
        other = tally_adam(v, !v->options->adam_pytorch, p->count, before, gradient, room);
        tally_adam(v, v->options->adam_pytorch, p->count, before, gradient, room);
    }
    finish_update(v, ADAM, other);
}

/* The moving mean, or the moving variance. */
static void check_moving(struct verify *v, const struct fer_layer *layer, const struct fer_parameter *p,
                         int is_variance)
{
    const struct fer_settings *s = &v->options->settings;
    const size_t rows = rows_of(v, layer);
    enum fer_verdict other = FER_OK;
    struct fer_channel *channel;
    const real *before, *x;
    if (!begin_parameter(v, p, "_new")) return;
    before = load_parameter(v, p, "");
    x = load_output(v, &v->net.layer[layer->input[0]]);
    channel = ready(v) ? fer_allocate((size_t)layer->channels, sizeof *channel, v->e) : NULL;
    if (ready(v) && (!channel || fer_channels(channel, &v->arithmetic, rows, layer->channels, x, s->bn_epsilon, v->e)))
        v->failed = 1;
    if (ready(v) && is_variance) {
        fer_tally_moving_variance(&v->tally, &v->arithmetic, channel, rows, layer->channels, s->bn_momentum,
                                  !s->bn_unbiased, before, v->claimed);
        other = fer_tally_verdict(&v->tally);
        memset(&v->tally, 0, sizeof v->tally);
        fer_tally_moving_variance(&v->tally, &v->arithmetic, channel, rows, layer->channels, s->bn_momentum,
                                  s->bn_unbiased, before, v->claimed);
    } else if (ready(v)) {
        fer_tally_moving_mean(&v->tally, &v->arithmetic, channel, layer->channels, s->bn_momentum, before, v->claimed);
    }
    fer_free(channel);
    finish_update(v, is_variance ? MOVING_VARIANCE : NO_FAMILY, other);
}

/* Reports the updates; those at fault with the other rule, if that would make all of the family right. */
static void report_updates(struct verify *v)
{
    static const char *const texts[FAMILIES][2] = {
        {"", ""},
        {"with --adam pytorch every update by Adam is ok", "with --adam keras every update by Adam is ok"},
        {"with --bn-moving-variance biased every moving variance is ok",
         "with --bn-moving-variance unbiased every moving variance is ok"}};
    const int chosen[FAMILIES] = {0, v->options->adam_pytorch, !v->options->settings.bn_unbiased};
    int i;
    for (i = 0; i < v->update_count; i++) {
        struct fer_verify_row *row = &v->update[i].row;
        const enum family family = v->update[i].family;
        if (row->verdict != FER_NOT_CHECKABLE && row->verdict >= FER_SUSPECT && family != NO_FAMILY &&
            !v->other_rule_fails[family])
            snprintf(row->reason, sizeof row->reason, "%s", texts[family][chosen[family]]);
        report(v, row);
    }
}

static void check_updates(struct verify *v)
{
    int i, k;
    for (i = 1; i < v->net.layers; i++) {
        const struct fer_layer *layer = &v->net.layer[i];
        for (k = 0; k < layer->parameters; k++) {
            const struct fer_parameter *p = &v->net.parameter[layer->parameter + k];
            if (p->trainable)
                check_trainable(v, layer, p);
            else
                check_moving(v, layer, p, strstr(p->name, "variance") != NULL);
        }
    }
    if (!v->failed) report_updates(v);
}

/* ---- The whole record ---- */

static void count_arrays(struct verify *v)
{
    size_t known = 0;
    int i;
    for (i = 0; i < v->expected_count; i++) known += v->expected[i].array != NULL;
    v->summary->absent = (size_t)v->expected_count - known;
    v->summary->ignored = fer_npz_count(v->npz) - known;
}

static int check_all(struct verify *v)
{
    const struct fer_verify_summary *s = v->summary;
    if (find_geometry(v) || read_labels(v)) return -1;
    find_still(v);
    count_arrays(v);
    check_forward(v);
    check_backward(v);
    check_updates(v);
    release(v, 0);
    if (v->failed) return -1;
    if (s->rows[FER_OK] + s->rows[FER_MISTRUSTED] + s->rows[FER_SUSPECT] + s->rows[FER_WRONG] > 0) return 0;
    if (s->rows[FER_NOT_CHECKABLE] > 0)
        return fer_npz_fail(v->npz, NULL, v->e,
                            "nothing in it can be checked: expected also what its arrays are "
                            "computed from");
    return fer_npz_fail(v->npz, NULL, v->e,
                        "nothing in it can be checked: expected arrays of a record, such as input, "
                        "conv2d/kernel and conv2d/output");
}

int fer_verify(const char *path, const struct fer_verify_options *options,
               void (*report_row)(void *context, const struct fer_verify_row *row), void *context,
               struct fer_verify_summary *summary, struct fer_error *e)
{
    struct verify *v;
    int failed;
    memset(summary, 0, sizeof *summary);
    if (sizeof(real) != sizeof(double)) return fer_fail(e, "verify: the truth is computed in float64: use fer64");
    if (!(v = fer_allocate(1, sizeof *v, e))) return -1;
    v->options = options;
    v->arithmetic = fer_arithmetic_of(options->unit, options->accumulate);
    v->report = report_row;
    v->context = context;
    v->summary = summary;
    v->e = e;
    failed = fer_npz_open(&v->npz, path, e) || check_all(v);
    fer_npz_close(v->npz);
    fer_free(v->labels);
    fer_free(v);
    return failed ? -1 : 0;
}
