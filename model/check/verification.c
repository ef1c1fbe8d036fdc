/* verification.c - what a record may hold, at which size of image its shapes fit, and the course of a check: an array
 * is begun, what it is computed from is loaded, its elements are tallied, and the verdict is reported. */
#include "verification.h"

#include <stdio.h>
#include <string.h>

/* ---- What a record holds ---- */

static struct fer_expected *expect(struct fer_verification *v, const char *name, int dims, size_t s0, size_t s1, size_t s2,
                                   size_t s3)
{
    struct fer_expected *x = &v->expected[v->expected_count++];
    const size_t shape[4] = {s0, s1, s2, s3};
    int i;
    snprintf(x->name, sizeof x->name, "%s", name);
    x->dims = dims;
    x->count = 1;
    for (i = 0; i < dims; i++) x->count *= x->shape[i] = shape[i];
    x->array = fer_npz_find(v->npz, x->name);
    return x;
}

static void expect_parameter(struct fer_verification *v, const struct fer_parameter *p, const char *ending)
{
    char name[FER_MAX_ARRAY];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    expect(v, name, p->dims, p->shape[0], p->shape[1], p->shape[2], p->shape[3]);
}

/* The output of layer i, or its gradient. The logits may also be called the output of the layer that gives them. */
static void expect_output(struct fer_verification *v, int i, const char *ending)
{
    const struct fer_layer *layer = &v->net.layer[i];
    const int last = i == v->net.layers - 1, flat = layer->flat || last;
    const size_t n = (size_t)v->n, c = layer->channels;
    struct fer_expected *x;
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, i, ending, name);
    x = expect(v, name, flat ? 2 : 4, n, flat ? c : layer->height, layer->width, c);
    snprintf(name, sizeof name, "%s/%s%s", layer->name, layer->output_name, ending);
    if (last && !x->array && strcmp(layer->name, v->net.softmax) != 0) x->array = fer_npz_find(v->npz, name);
}

/* The list for v->net and v->n. */
static void list_expected(struct fer_verification *v)
{
    const size_t n = (size_t)v->n;
    char name[FER_MAX_ARRAY];
    int i;
    v->expected_count = 0;
    expect(v, "input", 4, n, v->net.height, v->net.width, v->net.channels);
    expect(v, "labels", 1, n, 0, 0, 0);
    expect(v, "loss", 0, 0, 0, 0, 0);
    for (i = 1; i < v->net.layers; i++) {
        expect_output(v, i, "");
        expect_output(v, i, "_grad");
    }
    snprintf(name, sizeof name, "%s/output", v->net.softmax);
    expect(v, name, 2, n, v->net.classes, 0, 0);
    v->of_images = v->expected_count;
    for (i = 0; i < v->net.parameters; i++) {
        expect_parameter(v, &v->net.parameter[i], "");
        expect_parameter(v, &v->net.parameter[i], "_new");
        if (v->net.parameter[i].trainable) expect_parameter(v, &v->net.parameter[i], "_grad");
    }
}

/* Shapes must be equal; but [n,1,1,c] may stand for [n,c], [1] for a number, and labels may be one-hot. */
static int fits(const struct fer_verification *v, const struct fer_expected *x)
{
    const struct fer_array *a = x->array;
    int i, same = a->dims == x->dims;
    for (i = 0; same && i < x->dims; i++) same = a->shape[i] == x->shape[i];
    if (same) return 1;
    if (x->dims == 0) return a->dims == 1 && a->shape[0] == 1;
    if (x->dims == 1 && strcmp(x->name, "labels") == 0)
        return a->dims == 2 && a->shape[0] == x->shape[0] && (a->shape[1] == v->net.classes || a->shape[1] == 1);
    return x->dims == 2 && a->dims == 4 && a->shape[0] == x->shape[0] && a->shape[1] == 1 && a->shape[2] == 1 &&
           a->shape[3] == x->shape[1];
}

/* Among those from number `i` on. */
static const struct fer_expected *first_misfit(const struct fer_verification *v, int i)
{
    for (; i < v->expected_count; i++)
        if (v->expected[i].array && !fits(v, &v->expected[i])) return &v->expected[i];
    return NULL;
}

static void format_shape(int dims, const size_t *shape, char text[96])
{
    int i, at = snprintf(text, 96, "[");
    for (i = 0; i < dims && i < 4; i++)
        at += snprintf(text + at, 96 - (size_t)at, "%s%lu", i ? "," : "", (unsigned long)shape[i]);
    snprintf(text + at, 96 - (size_t)at, dims > 4 ? ",...]" : "]");
}

static int fail_shape(const struct fer_verification *v, const struct fer_expected *x)
{
    char is[96], expected[96];
    format_shape(x->array->dims, x->array->shape, is);
    format_shape(x->dims, x->shape, expected);
    return fer_npz_fail(v->npz, x->array, v->e, "its shape is %s; for %d images of %zux%zu %s was expected", is, v->n,
                        v->net.height, v->net.width, expected);
}

/* ---- Images and their size, from the shapes ---- */

static int describe(struct fer_verification *v, int size, struct fer_error *e)
{
    struct fer_network *net;
    if (fer_incv3v1_describe(&net, (size_t)size, e)) return -1;
    fer_network_normalization(net, v->options->settings.bn_momentum, v->options->settings.bn_epsilon,
                              v->options->settings.bn_unbiased);
    v->net = *net;
    fer_network_free(net);
    list_expected(v);
    return 0;
}

/* The first array whose first axis is the images; NULL when there is none. */
static const struct fer_expected *first_of_images(const struct fer_verification *v)
{
    int i;
    for (i = 0; i < v->of_images; i++)
        if (v->expected[i].array && v->expected[i].dims && v->expected[i].array->dims) return &v->expected[i];
    return NULL;
}

/* The first array that holds other images, by number, than the first of all; NULL when there is none. */
static const struct fer_expected *first_of_others(const struct fer_verification *v, const struct fer_expected *first)
{
    const struct fer_expected *x;
    for (x = first; x && x < v->expected + v->of_images; x++)
        if (x->array && x->dims && x->array->dims && x->array->shape[0] != first->array->shape[0]) return x;
    return NULL;
}

/* Without the input, the size is the smallest at which every array fits. */
static int search_size(struct fer_verification *v)
{
    const struct fer_expected *first = first_of_images(v), *other = first_of_others(v, first);
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

int fer_verify_find_geometry(struct fer_verification *v)
{
    const struct fer_array *input = fer_npz_find(v->npz, "input");
    const struct fer_expected *first;
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

int fer_verify_read_labels(struct fer_verification *v)
{
    const struct fer_array *array = fer_npz_find(v->npz, "labels");
    if (!array) return 0;
    v->labels = fer_allocate((size_t)v->n, sizeof *v->labels, v->e);
    return v->labels ? fer_labels_read(v->npz, array, (size_t)v->n, v->net.classes, v->labels, v->e) : -1;
}

/* ---- The check of one array: begin, load, tally, finish ---- */

static const struct fer_expected *find(const struct fer_verification *v, const char *name)
{
    int i;
    for (i = 0; i < v->expected_count; i++)
        if (strcmp(v->expected[i].name, name) == 0) return &v->expected[i];
    return NULL;
}

/* Room for `count` reals, zeros, until the check is finished. */
real *fer_verify_hold(struct fer_verification *v, size_t count)
{
    real *memory = v->failed ? NULL : fer_allocate(count, sizeof *memory, v->e);
    if (!memory) {
        v->failed = 1;
        return NULL;
    }
    return v->held[v->held_count++] = memory;
}

/* Gives up what was held after the first `count`. */
void fer_verify_release(struct fer_verification *v, int count)
{
    while (v->held_count > count) fer_free(v->held[--v->held_count]);
}

/* What the check lacks: it stands in the row's reason. */
void fer_verify_lack(struct fer_verification *v, const char *name)
{
    char *reason = v->row.reason;
    const size_t length = strlen(reason);
    v->row.verdict = FER_NOT_CHECKABLE;
    if (!strstr(reason, name))
        snprintf(reason + length, sizeof v->row.reason - length, "%s%s", length ? ", " : "needs ", name);
}

/* Notes when the record does not hold the array. */
const struct fer_expected *fer_verify_require(struct fer_verification *v, const char *name)
{
    const struct fer_expected *x = find(v, name);
    if (x && x->array) return x;
    fer_verify_lack(v, name);
    return NULL;
}

static int index_of(const struct fer_verification *v, const struct fer_layer *layer)
{
    return (int)(layer - v->net.layer);
}

void fer_verify_require_output(struct fer_verification *v, const struct fer_layer *layer, const char *ending)
{
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, index_of(v, layer), ending, name);
    fer_verify_require(v, name);
}

/* The array's values, until the check is finished. When the record does not hold it, that is noted, and the result is
 * NULL. */
real *fer_verify_load(struct fer_verification *v, const char *name)
{
    const struct fer_expected *x = fer_verify_require(v, name);
    real *values = x ? fer_verify_hold(v, x->count) : NULL;
    if (values && fer_npz_read(v->npz, x->array, values, v->e)) v->failed = 1;
    return values;
}

real *fer_verify_load_output(struct fer_verification *v, const struct fer_layer *layer)
{
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, index_of(v, layer), "", name);
    return fer_verify_load(v, name);
}

real *fer_verify_load_gradient(struct fer_verification *v, const struct fer_layer *layer)
{
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, index_of(v, layer), "_grad", name);
    return fer_verify_load(v, name);
}

real *fer_verify_load_own(struct fer_verification *v, const struct fer_layer *layer, const char *what)
{
    const struct fer_parameter *p = fer_layer_parameter(&v->net, layer, what);
    return p ? fer_verify_load(v, p->name) : NULL;
}

real *fer_verify_load_parameter(struct fer_verification *v, const struct fer_parameter *p, const char *ending)
{
    char name[FER_MAX_ARRAY];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    return fer_verify_load(v, name);
}

/* Begins a check. 0 when the record does not hold the array, or all has failed. */
int fer_verify_begin(struct fer_verification *v, const char *name)
{
    const struct fer_expected *x = find(v, name);
    int i;
    if (v->failed || !x || !x->array) return 0;
    memset(&v->row, 0, sizeof v->row);
    memset(&v->tally, 0, sizeof v->tally);
    snprintf(v->row.array, sizeof v->row.array, "%s", name);
    v->row.elements = x->count;
    v->row.dims = x->dims;
    for (i = 0; i < x->dims; i++) v->row.shape[i] = x->shape[i];
    v->claimed = fer_verify_load(v, name);
    return !v->failed;
}

int fer_verify_begin_output(struct fer_verification *v, const struct fer_layer *layer, const char *ending)
{
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, index_of(v, layer), ending, name);
    return fer_verify_begin(v, name);
}

int fer_verify_begin_parameter(struct fer_verification *v, const struct fer_parameter *p, const char *ending)
{
    char name[FER_MAX_ARRAY];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    return fer_verify_begin(v, name);
}

/* Whether everything that the check needs is there. */
int fer_verify_ready(const struct fer_verification *v)
{
    return !v->failed && v->row.verdict != FER_NOT_CHECKABLE;
}

/* Turns the tally into the row's verdict. */
void fer_verify_conclude(struct fer_verification *v, struct fer_verify_row *row)
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

void fer_verify_report(struct fer_verification *v, const struct fer_verify_row *row)
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

void fer_verify_finish(struct fer_verification *v)
{
    fer_verify_release(v, 0);
    if (v->failed) return;
    if (fer_verify_ready(v)) fer_verify_conclude(v, &v->row);
    fer_verify_report(v, &v->row);
}

/* ---- Sums ---- */

/* Room for the sums that make up the array. */
int fer_verify_begin_sums(struct fer_verification *v, struct fer_sums *s)
{
    memset(s, 0, sizeof *s);
    s->count = v->row.elements;
    if (!fer_verify_ready(v)) return 0;
    s->truth = fer_verify_hold(v, s->count);
    s->magnitude = fer_verify_hold(v, s->count);
    s->roundings = fer_verify_hold(v, s->count);
    s->part = fer_verify_hold(v, s->count);
    return fer_verify_ready(v);
}

void fer_verify_tally_sums(struct fer_verification *v, const struct fer_sums *s)
{
    fer_tally_sums(&v->tally, &v->arithmetic, s, v->claimed);
}

size_t fer_verify_rows(const struct fer_verification *v, const struct fer_layer *layer)
{
    return (size_t)v->n * (size_t)layer->height * (size_t)layer->width;
}
