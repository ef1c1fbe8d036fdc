/* verification.c - what a record may hold, at which size of image its shapes fit, and the course of a check: an array
 * is begun, what it is computed from is loaded, its elements are tallied, and the verdict is reported. */
#include "verification.h"

#include "../../data/data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- What a record holds ---- */

static struct fer_expected *expect(struct fer_verification *v, const char *name, int dims, size_t s0, size_t s1,
                                   size_t s2, size_t s3)
{
    struct fer_expected *x = &v->expected[v->expected_count++];
    const size_t shape[4] = {s0, s1, s2, s3};
    int i;
    snprintf(x->name, sizeof x->name, "%s", name);
    x->dims = dims;
    x->count = 1;
    for (i = 0; i < dims; i++) x->count *= x->shape[i] = shape[i];
    x->array = fer_npz_find(v->npz, x->name);
    x->axes = 0;
    return x;
}

/* ---- The order NCHW ---- */

/* The file has these axes, `apart` elements of fer's array from one to the next. */
static void set_axes(struct fer_expected *x, int axes, const size_t axis[4], const size_t apart[4])
{
    int i;
    x->axes = axes;
    for (i = 0; i < axes; i++) x->axis[i] = axis[i], x->apart[i] = apart[i];
}

/* Where a flat output lists the cells and channels of an image, as behind Flatten, that image's shape: h, w, c. */
static int lists_image(const struct fer_network *net, const struct fer_layer *layer, size_t shape[3])
{
    const struct fer_layer *from = &net->layer[layer->input[0]];
    if (!layer->flat || !layer->inputs || layer->channels != from->height * from->width * from->channels) return 0;
    if (from->flat) return fer_kinds[layer->type].element_by_element && lists_image(net, from, shape);
    shape[0] = from->height, shape[1] = from->width, shape[2] = from->channels;
    return from->height * from->width > 1 && layer->parameters == 0;
}

static void set_output_order(struct fer_verification *v, const struct fer_layer *layer, struct fer_expected *x)
{
    const size_t n = (size_t)v->n;
    size_t s[3] = {layer->height, layer->width, layer->channels};
    if (!v->options->nchw || (layer->flat ? !lists_image(&v->net, layer, s) : x->dims != 4)) return;
    set_axes(x, 4, (const size_t[4]){n, s[2], s[0], s[1]}, (const size_t[4]){s[0] * s[1] * s[2], 1, s[1] * s[2], s[2]});
    if (layer->flat) return;
    x->shape[1] = s[2], x->shape[2] = s[0], x->shape[3] = s[1];
}

/* [kh][kw][ci][co] stands as [co][ci][kh][kw], a depthwise [kh][kw][c][m] as [c * m][1][kh][kw], a dense [ci][co] as
 * [co][ci], and where the inputs list an image's cells they do so channel by channel. */
static void set_kernel_order(struct fer_verification *v, const struct fer_layer *layer, struct fer_expected *x)
{
    const size_t kh = x->shape[0], kw = x->shape[1], ci = x->shape[2], co = x->shape[3];
    const int depthwise = layer->type == FER_DEPTHWISE_CONV2D;
    size_t s[3];
    if (!v->options->nchw || x->dims < 2) return;
    if (x->dims == 2) {
        if (lists_image(&v->net, &v->net.layer[layer->input[0]], s))
            set_axes(x, 4, (const size_t[4]){kw, s[2], s[0], s[1]},
                     (const size_t[4]){1, kw, s[1] * s[2] * kw, s[2] * kw});
        else
            set_axes(x, 2, (const size_t[4]){kw, kh, 0, 0}, (const size_t[4]){1, kw, 0, 0});
        x->shape[0] = kw, x->shape[1] = kh;
        return;
    }
    set_axes(x, 4, (const size_t[4]){depthwise ? ci * co : co, depthwise ? 1 : ci, kh, kw},
             (const size_t[4]){1, co, kw * ci * co, ci * co});
    x->shape[0] = x->axis[0], x->shape[1] = x->axis[1], x->shape[2] = kh, x->shape[3] = kw;
}

/* From the file's order to fer's. */
static void reorder(const struct fer_expected *x, const real *file, real *values)
{
    size_t i, at, left;
    int k;
    for (i = 0; i < x->count; i++) {
        for (at = 0, left = i, k = x->axes; k-- > 0; left /= x->axis[k]) at += left % x->axis[k] * x->apart[k];
        values[at] = file[i];
    }
}

/* Where an element of fer's array stands in the file. */
static size_t index_in_file(const struct fer_expected *x, size_t index)
{
    size_t at = 0;
    int k;
    for (k = 0; k < x->axes; k++) at = at * x->axis[k] + index / x->apart[k] % x->axis[k];
    return x->axes ? at : index;
}

static void expect_parameter(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                             const char *ending)
{
    char name[FER_MAX_ARRAY];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    set_kernel_order(v, layer, expect(v, name, p->dims, p->shape[0], p->shape[1], p->shape[2], p->shape[3]));
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
    set_output_order(v, layer, x);
    snprintf(name, sizeof name, "%s/%s%s", layer->name, layer->output_name, ending);
    if (last && !x->array && strcmp(layer->name, v->net.softmax) != 0) x->array = fer_npz_find(v->npz, name);
}

/* The list for v->net and v->n. */
static void list_expected(struct fer_verification *v)
{
    const size_t n = (size_t)v->n;
    char name[FER_MAX_ARRAY];
    int i, k;
    v->expected_count = 0;
    set_output_order(v, &v->net.layer[0], expect(v, "input", 4, n, v->net.height, v->net.width, v->net.channels));
    expect(v, "labels", 1, n, 0, 0, 0);
    expect(v, "loss", 0, 0, 0, 0, 0);
    for (i = 1; i < v->net.layers; i++) {
        expect_output(v, i, "");
        if (!v->options->inference) expect_output(v, i, "_grad");
    }
    snprintf(name, sizeof name, "%s/output", v->net.softmax);
    expect(v, name, 2, n, v->net.classes, 0, 0);
    v->of_images = v->expected_count;
    for (i = 0; i < v->net.layers; i++)
        for (k = 0; k < v->net.layer[i].parameters; k++) {
            const struct fer_parameter *p = &v->net.parameter[v->net.layer[i].parameter + k];
            expect_parameter(v, &v->net.layer[i], p, "");
            if (v->options->inference) continue;
            /* What stays as it is need not be there anew. */
            snprintf(name, sizeof name, "%s_new", p->name);
            if (!fer_parameter_changes(&v->net.layer[i], p) && !fer_npz_find(v->npz, name)) continue;
            expect_parameter(v, &v->net.layer[i], p, "_new");
            if (p->trainable) expect_parameter(v, &v->net.layer[i], p, "_grad");
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

static int fail_shape(const struct fer_verification *v, const struct fer_expected *x)
{
    char is[96], expected[96];
    fer_format_shape(x->array->dims, x->array->shape, is);
    fer_format_shape(x->dims, x->shape, expected);
    return fer_npz_fail(v->npz, x->array, v->e, "its shape is %s; for %d images of %zux%zu %s was expected", is, v->n,
                        v->net.height, v->net.width, expected);
}

/* ---- Images and their size, from the shapes ---- */

static int describe(struct fer_verification *v, size_t size, struct fer_error *e)
{
    struct fer_network *net;
    if (v->options->model ? fer_model_describe(&net, v->options->model, size, e) : fer_incv3v1_describe(&net, size, e))
        return -1;
    fer_network_normalization(net, v->options->settings.bn_momentum, v->options->settings.bn_epsilon,
                              v->options->settings.bn_unbiased);
    fer_free(v->net.constants);
    v->net = *net;
    net->constants = NULL; /* v's now */
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
        if (describe(v, (size_t)size, NULL) == 0 && !first_misfit(v, 0)) return 0;
    return fer_npz_fail(v->npz, NULL, v->e,
                        "at no size of image do all shapes fit together; with `input` in it, fer "
                        "can say which does not");
}

/* The number of images: the first axis of the first array that has one. 0: there is none. */
static int count_images(struct fer_verification *v, size_t *images)
{
    const struct fer_expected *first = first_of_images(v);
    *images = first ? first->array->shape[0] : 0;
    if (*images > 1000000)
        return fer_npz_fail(v->npz, NULL, v->e, "%lu images; at most 1000000 were expected", (unsigned long)*images);
    if (*images > 0) v->n = (int)*images;
    return 0;
}

/* The network of a file: its sizes are known, or those of the record's input. */
static int find_model_geometry(struct fer_verification *v, const struct fer_array *input)
{
    const int height = v->options->nchw ? 2 : 1;
    const size_t size = v->options->size;
    const int square = input && input->dims == 4 && input->shape[height] == input->shape[height + 1];
    size_t images;
    if (describe(v, size, v->e) && (size || !square || describe(v, input->shape[height], v->e))) return -1;
    if (count_images(v, &images)) return -1;
    list_expected(v);
    return first_misfit(v, 0) ? fail_shape(v, first_misfit(v, 0)) : 0;
}

int fer_verify_find_geometry(struct fer_verification *v)
{
    const struct fer_array *input = fer_npz_find(v->npz, "input");
    const int height = v->options->nchw ? 2 : 1;
    struct fer_error reason;
    char shape[96];
    size_t images;
    v->n = 1;
    if (v->options->model) return find_model_geometry(v, input);
    describe(v, 128, NULL);
    if (count_images(v, &images)) return -1;
    describe(v, 128, NULL);
    if (!input) return search_size(v);
    if (input->dims != 4 || images < 1 || input->shape[height] != input->shape[height + 1] ||
        input->shape[height] < 1 || input->shape[height] > 4096 || input->shape[v->options->nchw ? 1 : 3] != 1) {
        fer_format_shape(input->dims, input->shape, shape);
        return fer_npz_fail(v->npz, input, v->e, "its shape is %s; square grey images, %s, were expected", shape,
                            v->options->nchw ? "[N,1,H,H]" : "[N,H,H,1]");
    }
    if (describe(v, input->shape[height], &reason)) return fer_npz_fail(v->npz, input, v->e, "%s", reason.text);
    return first_misfit(v, 0) ? fail_shape(v, first_misfit(v, 0)) : 0;
}

int fer_verify_read_labels(struct fer_verification *v)
{
    const struct fer_array *array = fer_npz_find(v->npz, "labels");
    if (!array) return 0;
    v->labels = fer_allocate((size_t)v->n, sizeof *v->labels, v->e);
    return v->labels ? fer_labels_read(v->npz, array, (size_t)v->n, v->net.classes, v->labels, v->e) : -1;
}

/* ---- What layers do otherwise than the others ---- */

static int apply_exception(struct fer_verification *v, const struct fer_verify_exception *x)
{
    const int is_unit = strcmp(x->option, "unit") == 0;
    const char *needed = is_unit ? "layer" : "BatchNormalization layer";
    int i, found = 0;
    for (i = 1; i < v->net.layers; i++) {
        struct fer_layer *layer = &v->net.layer[i];
        if (strcmp(layer->name, x->layer) != 0 || (!is_unit && !fer_kinds[layer->type].statistics)) continue;
        found = 1;
        if (is_unit)
            v->unit[i] = (enum fer_unit)x->choice;
        else
            layer->unbiased = x->choice;
    }
    if (found) return 0;
    return fer_fail(v->e, "--%s %.60s=...: the network has no %s of this name; `fer summary` lists its layers",
                    x->option, x->layer, needed);
}

int fer_verify_apply_exceptions(struct fer_verification *v)
{
    int i;
    for (i = 0; i < v->net.layers; i++) v->unit[i] = v->options->unit;
    for (i = 0; i < v->options->exceptions; i++)
        if (apply_exception(v, &v->options->exception[i])) return -1;
    return 0;
}

struct fer_arithmetic fer_verify_arithmetic(const struct fer_verification *v, int i)
{
    return fer_arithmetic_of(v->unit[i], v->options->accumulate);
}

void fer_verify_involve(struct fer_verification *v, int i)
{
    const struct fer_arithmetic other = fer_verify_arithmetic(v, i);
    if (other.factor + other.store > v->arithmetic.factor + v->arithmetic.store) v->arithmetic = other;
}

/* ---- The check of one array: begin, load, tally, finish ---- */

static const struct fer_expected *find(const struct fer_verification *v, const char *name)
{
    int i;
    for (i = 0; i < v->expected_count; i++)
        if (strcmp(v->expected[i].name, name) == 0) return &v->expected[i];
    return NULL;
}

const struct fer_expected *fer_verify_held(const struct fer_verification *v, const char *name)
{
    const struct fer_expected *x = find(v, name);
    return x && x->array ? x : NULL;
}

/* The smallest spare room that is large enough; none: NULL. */
static struct fer_room *find_spare(struct fer_verification *v, size_t count)
{
    struct fer_room *best = NULL, *room;
    for (room = v->spare; room < v->spare + v->spare_count; room++)
        if (room->count >= count && (!best || room->count < best->count)) best = room;
    return best;
}

/* Room for `count` reals until the check is finished. Where none is spare, one that is too small makes way. */
static struct fer_room *take_room(struct fer_verification *v, size_t count)
{
    struct fer_room *spare = find_spare(v, count), *room = &v->held[v->held_count];
    if (v->failed) return NULL;
    if (spare) {
        *room = *spare;
        *spare = v->spare[--v->spare_count];
    } else {
        if (v->spare_count) fer_free(v->spare[--v->spare_count].memory);
        room->count = count;
        room->memory = fer_allocate(count, sizeof *room->memory, v->e);
    }
    v->failed = !room->memory;
    return room->memory ? v->held_count++, room : NULL;
}

/* The same, zeros. */
real *fer_verify_hold(struct fer_verification *v, size_t count)
{
    struct fer_room *room = take_room(v, count);
    return room ? memset(room->memory, 0, count * sizeof *room->memory) : NULL;
}

/* Gives up what was held after the first `count`. */
void fer_verify_release(struct fer_verification *v, int count)
{
    while (v->held_count > count) v->spare[v->spare_count++] = v->held[--v->held_count];
}

void fer_verify_free_rooms(struct fer_verification *v)
{
    fer_verify_release(v, 0);
    while (v->spare_count) fer_free(v->spare[--v->spare_count].memory);
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

void fer_verify_use(struct fer_verification *v, const struct fer_expected *x)
{
    const size_t i = (size_t)(x - v->expected);
    v->uses[i / 8] |= (unsigned char)(1 << i % 8);
}

/* The array's values, until the check is finished. When the record does not hold it, that is noted, and the result is
 * NULL. */
real *fer_verify_load(struct fer_verification *v, const char *name)
{
    const struct fer_expected *x = fer_verify_require(v, name);
    struct fer_room *room = x ? take_room(v, x->count) : NULL;
    real *values = room ? room->memory : NULL, *file = values;
    if (x) fer_verify_use(v, x);
    if (values && x->axes && !(file = fer_allocate(x->count, sizeof *file, v->e))) v->failed = 1;
    if (file && fer_npz_read(v->npz, x->array, file, v->e)) v->failed = 1;
    if (file == values) return values;
    if (!v->failed) reorder(x, file, values);
    fer_free(file);
    return values;
}

static real *hold_copy(struct fer_verification *v, size_t count, const real *from)
{
    real *copy = fer_verify_hold(v, count);
    if (copy) memcpy(copy, from, count * sizeof *copy);
    return copy;
}

/* As the mistake has it that is made on purpose. */
static void twist(struct fer_verification *v, const char *what, int dims, const size_t *shape, real *values)
{
    if (v->twist && values && fer_twist_array(v->twist, what, dims, shape, v->twisted_groups, values, v->e))
        v->failed = 1;
}

real *fer_verify_load_output(struct fer_verification *v, const struct fer_layer *layer)
{
    const size_t image[4] = {(size_t)v->n, layer->height, layer->width, layer->channels};
    const size_t flat[2] = {image[0], image[3]};
    char name[FER_MAX_ARRAY];
    real *values;
    const struct fer_state *s = &v->state[index_of(v, layer)];
    if (v->given && s->v) return hold_copy(v, s->count, s->v);
    fer_output_name(&v->net, index_of(v, layer), "", name);
    values = fer_verify_load(v, name);
    if (layer != v->layer) twist(v, "x", layer->flat ? 2 : 4, layer->flat ? flat : image, values);
    return values;
}

/* The ReLU behind a layer that is one with it in Keras, and whose preactivation the record does not show; NULL:
 * none. Its output says where the gradient passes, and nothing is rounded. */
static const struct fer_layer *own_relu(const struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_layer *next = layer + 1;
    char name[FER_MAX_ARRAY], output[FER_MAX_ARRAY], gradient[FER_MAX_ARRAY];
    const int i = index_of(v, layer);
    if (v->options->relu_at_zero) return NULL; /* the output does not tell where x is 0 */
    if (i + 1 >= v->net.layers || strcmp(layer->name, next->name) != 0 || layer->consumers != 1) return NULL;
    if (next->type != FER_ACTIVATION && !(next->type == FER_LEAKY_RELU && next->slope == 0)) return NULL;
    fer_output_name(&v->net, i, "_grad", name);
    fer_output_name(&v->net, i + 1, "", output);
    fer_output_name(&v->net, i + 1, "_grad", gradient);
    return !fer_verify_held(v, name) && fer_verify_held(v, output) && fer_verify_held(v, gradient) ? next : NULL;
}

int fer_verify_has_gradient(const struct fer_verification *v, const struct fer_layer *layer)
{
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, index_of(v, layer), "_grad", name);
    return fer_verify_held(v, name) || own_relu(v, layer);
}

void fer_verify_require_gradient(struct fer_verification *v, const struct fer_layer *layer)
{
    if (!own_relu(v, layer)) fer_verify_require_output(v, layer, "_grad");
}

real *fer_verify_load_gradient(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_layer *relu = own_relu(v, layer);
    const double most = relu && relu->type == FER_LEAKY_RELU ? relu->max_value : INFINITY;
    char name[FER_MAX_ARRAY];
    real *y, *dy;
    if (v->given) return hold_copy(v, fer_layer_count(layer, (size_t)v->n), v->given);
    fer_output_name(&v->net, index_of(v, relu ? relu : layer), "_grad", name);
    dy = fer_verify_load(v, name);
    if (!relu || !dy) return dy;
    y = fer_verify_load_output(v, relu);
    if (y) fer_leaky_relu_backward(fer_layer_count(layer, (size_t)v->n), 0, (real)most, y, dy, dy);
    return y ? dy : NULL;
}

real *fer_verify_load_own(struct fer_verification *v, const struct fer_layer *layer, const char *what)
{
    const struct fer_parameter *p = fer_layer_parameter(&v->net, layer, what);
    real *values = p ? fer_verify_load(v, p->name) : NULL;
    if (p && layer->type == v->twisted) twist(v, what, p->dims, p->shape, values);
    return values;
}

real *fer_verify_load_parameter(struct fer_verification *v, const struct fer_parameter *p, const char *ending)
{
    char name[FER_MAX_ARRAY];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    return fer_verify_load(v, name);
}

/* A choice is tried for those arrays that depend on it; of several parts, one is judged. */
static int is_wanted(struct fer_verification *v, const char *name)
{
    const struct fer_verification *first = v->tried_for;
    int i;
    if (v->looking) return strcmp(name, v->looking) == 0;
    if (!first && v->options->parts > 0) return v->position++ % v->options->parts == v->options->part - 1;
    for (i = 0; first && i < first->kept_count; i++)
        if (first->kept[i].depends & v->family && strcmp(first->kept[i].row.array, name) == 0) return !v->stopped;
    return !first;
}

/* Begins a check. 0 when the record does not hold the array, or all has failed. */
int fer_verify_begin(struct fer_verification *v, const char *name)
{
    const struct fer_expected *x = find(v, name);
    int i;
    if (v->failed || !x || !x->array || !is_wanted(v, name)) return 0;
    memset(&v->row, 0, sizeof v->row);
    fer_tally_clear(&v->tally);
    v->depends = 0;
    v->rate = 0;
    snprintf(v->row.array, sizeof v->row.array, "%s", name);
    v->row.elements = x->count;
    v->row.dims = x->dims;
    for (i = 0; i < x->dims; i++) v->row.shape[i] = x->shape[i];
    v->arithmetic = fer_verify_arithmetic(v, v->net.layers - 1); /* of the probabilities and the loss */
    v->claimed = fer_verify_load(v, name);
    memset(v->uses, 0, sizeof v->uses); /* that one is not computed from itself */
    return !v->failed;
}

int fer_verify_begin_output(struct fer_verification *v, const struct fer_layer *layer, const char *ending)
{
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, index_of(v, layer), ending, name);
    if (!fer_verify_begin(v, name)) return 0;
    v->arithmetic = fer_verify_arithmetic(v, index_of(v, layer));
    return 1;
}

int fer_verify_begin_parameter(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                               const char *ending)
{
    char name[FER_MAX_ARRAY];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    if (!fer_verify_begin(v, name)) return 0;
    v->arithmetic = fer_verify_arithmetic(v, index_of(v, layer));
    return 1;
}

/* Whether everything that the check needs is there. */
int fer_verify_ready(const struct fer_verification *v)
{
    return !v->failed && v->row.verdict != FER_NOT_CHECKABLE;
}

/* Turns the tally into the row's verdict. */
void fer_verify_conclude(struct fer_verification *v, struct fer_verify_row *row)
{
    fer_tally_conclude(&v->tally, row);
    row->index = index_in_file(find(v, row->array), row->index);
}

void fer_verify_add_up(struct fer_verify_summary *s, const struct fer_verify_row *row)
{
    s->rows[row->verdict]++;
    if (row->by_nature && row->verdict == FER_MISTRUSTED) s->by_nature++;
    if (row->verdict == FER_MISTRUSTED && !row->by_nature && !*s->first_mistrusted)
        snprintf(s->first_mistrusted, sizeof s->first_mistrusted, "%s", row->array);
    if (row->verdict == FER_WRONG && !*s->first_wrong)
        snprintf(s->first_wrong, sizeof s->first_wrong, "%s", row->array);
    if (fer_verify_is_at_fault(row) && !*s->first) {
        snprintf(s->first, sizeof s->first, "%s", row->array);
        snprintf(s->first_pattern, sizeof s->first_pattern, "%s", row->pattern);
        snprintf(s->first_writers, sizeof s->first_writers, "%s", row->writers);
        snprintf(s->first_reason, sizeof s->first_reason, "%s", row->reason);
        s->first_verdict = row->verdict;
    }
}

void fer_verify_report(struct fer_verification *v)
{
    while (v->reported < v->kept_count) {
        const struct fer_verify_row *row = &v->kept[v->reported++].row;
        fer_verify_add_up(v->summary, row);
        if (v->report) v->report(v->context, row);
    }
}

void fer_verify_finish(struct fer_verification *v)
{
    struct fer_kept *kept = &v->kept[v->kept_count];
    if (fer_verify_ready(v)) fer_verify_conclude(v, &v->row);
    if (v->looking) return; /* who looks wants what is held */
    fer_verify_release(v, 0);
    if (v->failed) return;
    kept->depends = v->row.verdict == FER_NOT_CHECKABLE ? 0 : v->depends;
    kept->rate = v->rate;
    memcpy(kept->uses, v->uses, sizeof kept->uses);
    kept->spread = v->tally.sizeable * 8 >= v->tally.count;
    if (v->at_fault && fer_verify_is_at_fault(&v->row)) v->at_fault(v);
    kept->row = v->row;
    v->kept_count++;
    v->stopped |= v->row.verdict >= FER_SUSPECT && v->family != FER_ON_MOVING_VARIANCE;
    if (v->reported == v->kept_count - 1 && !fer_verify_is_at_fault(&v->row) && !v->tried_for) fer_verify_report(v);
}

/* ---- Sums ---- */

int fer_verify_begin_sums(struct fer_verification *v, struct fer_sums *s)
{
    return fer_verify_hold_sums(v, s, v->row.elements);
}

int fer_verify_hold_sums(struct fer_verification *v, struct fer_sums *s, size_t count)
{
    struct fer_room *part;
    memset(s, 0, sizeof *s);
    s->count = count;
    if (!fer_verify_ready(v)) return 0;
    s->truth = fer_verify_hold(v, s->count);
    s->magnitude = fer_verify_hold(v, s->count);
    s->roundings = fer_verify_hold(v, s->count);
    part = take_room(v, s->count); /* whoever reads it fills it first */
    s->part = part ? part->memory : NULL;
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

struct fer_window fer_verify_window(const struct fer_verification *v, const struct fer_layer *layer)
{
    if (layer->window.kernel_h) return fer_layer_window(layer, (size_t)v->n);
    return fer_dense_window(fer_verify_rows(v, layer), v->net.layer[layer->input[0]].channels, layer->channels);
}

/* ---- The layer's own functions, by its row of kinds.c, on arrays that are not the network's ---- */

void fer_verify_compute(struct fer_verification *v, const struct fer_layer *layer, const real *const *x, real *y)
{
    int k;
    for (k = 0; k < layer->inputs; k++) v->net.layer[layer->input[k]].output = (real *)(size_t)x[k]; /* is read alone */
    v->net.layer[index_of(v, layer)].output = y;
    fer_kinds[layer->type].forward(&v->net, layer, (size_t)v->n, 0);
}

void fer_verify_compute_backward(struct fer_verification *v, const struct fer_layer *layer, int k, const real *at,
                                 const real *dy, real *dx)
{
    struct fer_layer *mine = &v->net.layer[index_of(v, layer)];
    real *all[FER_MAX_INPUTS] = {NULL};
    all[k] = dx;
    v->net.layer[layer->input[k]].output = mine->output = (real *)(size_t)at;
    mine->output_gradient = (real *)(size_t)dy;
    fer_kinds[layer->type].backward(&v->net, layer, (size_t)v->n, all);
}
