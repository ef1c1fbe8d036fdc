/* test_record.c - `fer record`: what a record holds, that it is the network's own training step, and that the integers
 * of an exact record are summed exactly in another order than the library's. */
#include "greatest.h"

#include "../model/check/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "record.npz"
enum { SIZE = 48, N = 3 };

static struct fer_error error;
static const struct fer_adam adam = {0.002, 0.8, 0.99, 1e-5};

/* ---- a record and the step that it is of ---- */

static int make_batch(struct fer_batch *batch)
{
    const size_t counts[FER_USAGES] = {N + 2, 0, 0};
    struct fer_dataset data;
    int failed;
    if (fer_dataset_draw(&data, 4, counts, &error)) return -1;
    failed = fer_batch_take(batch, &data, FER_TRAINING, N, SIZE, &error);
    fer_dataset_free(&data);
    return failed;
}

static struct fer_network *make_network(void)
{
    struct fer_network *net;
    struct fer_parameter *p;
    if (fer_incv3v1(&net, SIZE, &error)) return NULL;
    fer_network_normalization(net, 0.75, -1, -1);
    fer_network_initialise(net, 6);
    p = fer_network_parameter(net, "predictions/kernel");
    p->m[3] = p->v[3] = 5; /* a record begins with zero moments all the same */
    return net;
}

static int make_record(struct fer_recorded *recorded)
{
    struct fer_batch batch;
    struct fer_network *net = make_network();
    int failed = net ? make_batch(&batch) : -1;
    if (!failed) {
        failed = fer_record(net, &batch, &adam, FILE_NAME, recorded, &error);
        fer_batch_free(&batch);
    }
    fer_network_free(net);
    return failed;
}

/* CRC-32 of a file's bytes; 0: it cannot be read. */
static uint32_t digest_of_file(const char *path)
{
    static unsigned char bytes[65536];
    FILE *file = fopen(path, "rb");
    uint32_t crc = 0;
    size_t n;
    if (!file) return 0;
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0) crc = fer_crc32(crc, bytes, n);
    fclose(file);
    return crc;
}

/* The file, array after array, in the order in which they are expected. */
static struct fer_npz *npz;
static size_t next;
static char wrong[400]; /* the first thing that was not as expected */

static void expect(const char *name, enum fer_type type, int dims, const size_t *shape, const real *values)
{
    const struct fer_array *a = next < fer_npz_count(npz) ? fer_npz_at(npz, next) : NULL;
    real *got = a ? fer_allocate(a->count, sizeof *got, &error) : NULL;
    int i, same = a && got && strcmp(a->name, name) == 0 && a->type == type && a->dims == dims;
    for (i = 0; i < dims && same; i++) same = a->shape[i] == shape[i];
    if (same) same = fer_npz_read(npz, a, got, &error) == 0 && memcmp(got, values, a->count * sizeof *got) == 0;
    if (!same && !*wrong)
        snprintf(wrong, sizeof wrong, "array %lu is %s: expected %s, of another type, shape or value",
                 (unsigned long)next, a ? a->name : "missing", name);
    fer_free(got);
    next++;
}

static void expect_output(const struct fer_layer *layer, const char *ending, const real *values)
{
    const size_t shape4[4] = {N, (size_t)layer->height, (size_t)layer->width, (size_t)layer->channels};
    const size_t shape2[2] = {N, (size_t)layer->channels};
    const int flat = strcmp(layer->name, "avg_pool") == 0 || strcmp(layer->name, "predictions") == 0;
    char name[80];
    snprintf(name, sizeof name, "%s/%s", layer->name, ending);
    expect(name, FER_REAL_TYPE, flat ? 2 : 4, flat ? shape2 : shape4, values);
}

static void expect_parameter(const struct fer_parameter *p, const char *ending, const real *values)
{
    size_t shape[4];
    char name[80];
    int i;
    for (i = 0; i < p->dims; i++) shape[i] = (size_t)p->shape[i];
    snprintf(name, sizeof name, "%s%s", p->name, ending);
    expect(name, FER_REAL_TYPE, p->dims, shape, values);
}

static void expect_forward(const struct fer_network *net)
{
    int i, k;
    for (i = 1; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        for (k = 0; k < layer->parameters; k++)
            expect_parameter(&net->parameter[layer->parameter + k], "", net->parameter[layer->parameter + k].value);
        if (i == net->layers - 1) expect_output(layer, "logits", net->logits);
        expect_output(layer, "output", layer->output);
    }
}

static void expect_backward(const struct fer_network *net)
{
    int i, k;
    for (i = net->layers - 1; i > 0; i--) {
        const struct fer_layer *layer = &net->layer[i];
        if (i == net->layers - 1)
            expect_output(layer, "logits_grad", net->logits_gradient);
        else
            expect_output(layer, "output_grad", layer->output_gradient);
        for (k = layer->parameter; k < layer->parameter + layer->parameters; k++)
            if (net->parameter[k].trainable) expect_parameter(&net->parameter[k], "_grad", net->parameter[k].gradient);
    }
}

/* The step again, by the network's own functions; each array must be in the record, and no other. */
static void expect_step(struct fer_network *net, const struct fer_batch *batch)
{
    const size_t image[4] = {N, SIZE, SIZE, 1}, count = N;
    real labels[N], loss;
    int i;
    for (i = 0; i < N; i++) labels[i] = (real)batch->labels[i];
    memcpy(fer_network_input(net), batch->input, N * SIZE * SIZE * sizeof(real));
    fer_network_forward(net, N, 1);
    loss = (real)(fer_network_backward(net, N, batch->labels) / N);
    expect("labels", FER_I8, 1, &count, labels);
    expect("input", FER_REAL_TYPE, 4, image, batch->input);
    expect_forward(net);
    expect("loss", FER_REAL_TYPE, 0, NULL, &loss);
    expect_backward(net);
    fer_network_parameter(net, "predictions/kernel")->m[3] = fer_network_parameter(net, "predictions/kernel")->v[3] = 0;
    fer_network_update(net, N, &adam, 1);
    for (i = 0; i < net->parameters; i++) expect_parameter(&net->parameter[i], "_new", net->parameter[i].value);
}

TEST a_record_is_the_networks_step(void)
{
    struct fer_recorded recorded;
    struct fer_network *net = make_network();
    struct fer_batch batch;
    ASSERT(net && !make_batch(&batch) && !fer_network_plan(net, N, FER_PLAN_KEEP, &error));
    ASSERT_EQm(error.text, 0, make_record(&recorded));
    ASSERT_EQm(error.text, 0, fer_npz_open(&npz, FILE_NAME, &error));
    next = 0;
    *wrong = 0;
    expect_step(net, &batch);
    ASSERT_STR_EQ("", wrong);
    /* input, labels, loss; 134 outputs and the logits; 134 gradients of those; 162 parameters, 82 gradients, 162 updated */
    ASSERT_EQ_FMT((size_t)678, recorded.arrays, "%zu");
    ASSERT_EQ_FMT((size_t)678, next, "%zu");
    ASSERT_EQ_FMT((size_t)678, fer_npz_count(npz), "%zu");
    ASSERT(recorded.loss > 0.5 && recorded.loss < 5);
    ASSERT(!fer_npz_find(npz, "predictions/output_grad") && !fer_npz_find(npz, "input_1/output"));
    fer_npz_close(npz);
    fer_batch_free(&batch);
    fer_network_free(net);
    PASS();
}

TEST the_same_call_gives_the_same_bytes(void)
{
    struct fer_recorded recorded;
    struct fer_batch batch, again;
    uint32_t first, second;
    ASSERT_EQ(0, make_record(&recorded));
    first = digest_of_file(FILE_NAME);
    ASSERT_EQ(0, make_record(&recorded));
    second = digest_of_file(FILE_NAME);
    ASSERT(first != 0 && first == second);
    /* and a record can be the input of another */
    ASSERT_EQ(0, make_batch(&batch));
    ASSERT_EQm(error.text, 0, fer_batch_read(&again, FILE_NAME, 2, NULL, &error));
    ASSERT(again.n == 2 && again.height == SIZE && again.labels[1] == batch.labels[1]);
    ASSERT_EQ(0, memcmp(again.input, batch.input, 2 * SIZE * SIZE * sizeof(real)));
    fer_batch_free(&again);
    ASSERT_EQ(-1, fer_batch_read(&again, FILE_NAME, 4, NULL, &error));
    ASSERT_STR_EQ(FILE_NAME ": input: 3 images: a batch of 4 was asked for", error.text);
    fer_batch_free(&batch);
    PASS();
}

/* ---- batches ---- */

/* A file with an input of this shape, zeros, and so many labels. */
static int write_input(int dims, const size_t *shape, size_t labels)
{
    static const real zeros[2 * 48 * 60];
    struct fer_npz_writer *w;
    if (fer_npz_create(&w, FILE_NAME, &error)) return -1;
    if (dims >= 0 && fer_npz_write(w, "input", FER_REAL_TYPE, dims, shape, zeros, &error)) return -1;
    if (labels && fer_npz_write(w, "labels", FER_REAL_TYPE, 1, &labels, zeros, &error)) return -1;
    return fer_npz_commit(w, &error);
}

TEST bad_batches_are_refused(void)
{
    static const struct {
        int dims;
        size_t shape[4], labels;
        const char *message;
    } cases[] = {
        {-1, {0}, 2, FILE_NAME ": no array input: expected input and labels"},
        {4, {2, 5, 5, 1}, 0, FILE_NAME ": no array labels: expected input and labels"},
        {3, {2, 5, 5}, 2, FILE_NAME ": input: another shape: expected [N,S,S,1], N grey images, S up to 4096"},
        {4, {2, 5, 6, 1}, 2, FILE_NAME ": input: another shape: expected [N,S,S,1], N grey images, S up to 4096"},
        {4, {2, 48, 60, 1}, 2, FILE_NAME ": input: another shape: expected [N,S,S,1], N grey images, S up to 4096"},
        {4, {2, 5, 5, 3}, 2, FILE_NAME ": input: another shape: expected [N,S,S,1], N grey images, S up to 4096"},
        {4, {0, 5, 5, 1}, 2, FILE_NAME ": input: another shape: expected [N,S,S,1], N grey images, S up to 4096"},
        {4, {2, 5, 5, 1}, 3, FILE_NAME ": labels: another shape: expected [2], class indices, or [2,7], one-hot"},
    };
    struct fer_batch batch;
    struct fer_network *net;
    struct fer_recorded recorded;
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        ASSERT_EQ(0, write_input(cases[i].dims, cases[i].shape, cases[i].labels));
        ASSERT_EQ(-1, fer_batch_read(&batch, FILE_NAME, 0, NULL, &error));
        ASSERT_STR_EQ(cases[i].message, error.text);
    }
    ASSERT_EQ(0, write_input(4, cases[1].shape, 2));
    ASSERT_EQ(0, fer_batch_read(&batch, FILE_NAME, 0, NULL, &error));
    ASSERT(batch.n == 2 && batch.height == 5 && batch.width == 5 && batch.channels == 1);
    ASSERT((net = make_network()) != NULL);
    remove(FILE_NAME);
    ASSERT_EQ(-1, fer_record(net, &batch, &adam, FILE_NAME, &recorded, &error));
    ASSERT_STR_EQ("images of 5x5: expected 48x48, the network's size", error.text);
    for (i = 0; i < 2; i++) { /* one side that is right will not do */
        batch.height = i ? 60 : 48;
        batch.width = i ? 48 : 60;
        ASSERT_EQ(-1, fer_record(net, &batch, &adam, FILE_NAME, &recorded, &error));
        ASSERT_STR_EQ(i ? "images of 60x48: expected 48x48, the network's size"
                        : "images of 48x60: expected 48x48, the network's size", error.text);
    }
    ASSERT_EQ_FMT((uint32_t)0, digest_of_file(FILE_NAME), "%u");
    fer_network_free(net);
    fer_batch_free(&batch);
    PASS();
}

TEST too_few_images_are_refused(void)
{
    const size_t counts[FER_USAGES] = {2, 0, 0};
    struct fer_dataset data;
    struct fer_batch batch;
    ASSERT_EQ(0, fer_dataset_draw(&data, 4, counts, &error));
    ASSERT_EQ(-1, fer_batch_take(&batch, &data, FER_TRAINING, 3, SIZE, &error));
    ASSERT_STR_EQ("drawn faces: 2 images of usage Training: a batch of 3 was asked for", error.text);
    ASSERT_EQ(-1, fer_batch_take(&batch, &data, FER_PRIVATE_TEST, 1, SIZE, &error));
    ASSERT_STR_EQ("drawn faces: 0 images of usage PrivateTest: a batch of 1 was asked for", error.text);
    fer_dataset_free(&data);
    PASS();
}

/* ---- exact records ----
 *
 * Everything is summed again from what the file holds: in float, whatever `real` is, and with every loop running
 * backwards. */

static float *load(const char *layer, const char *ending)
{
    const struct fer_array *a;
    char name[80];
    real *values;
    float *floats;
    size_t i;
    snprintf(name, sizeof name, "%s%s", layer, ending);
    a = fer_npz_find(npz, name);
    values = a ? fer_allocate(a->count, sizeof *values, &error) : NULL;
    floats = a ? malloc((a->count + 1) * sizeof *floats) : NULL;
    if (!values || !floats || fer_npz_read(npz, a, values, &error)) {
        fprintf(stderr, "test_record: %s is not in the record, or cannot be read\n", name);
        exit(2);
    }
    for (i = 0; i < a->count; i++) floats[i] = (float)values[i];
    fer_free(values);
    return floats;
}

static float *zeros(size_t count)
{
    float *x = calloc(count + 1, sizeof *x);
    if (!x) exit(2);
    return x;
}

static void compare(const char *layer, const char *ending, const float *computed, size_t count)
{
    float *recorded = load(layer, ending);
    size_t i;
    for (i = 0; i < count && !*wrong; i++)
        if (!(computed[i] == recorded[i]))
            snprintf(wrong, sizeof wrong, "%s%s: [%lu] is %g, summed backwards it is %g", layer, ending,
                     (unsigned long)i, (double)recorded[i], (double)computed[i]);
    free(recorded);
    next++;
}

static size_t in_at(const struct fer_window *g, size_t n, size_t ih, size_t iw)
{
    return ((n * g->in_h + ih) * g->in_w + iw) * g->in_c;
}

static size_t out_at(const struct fer_window *g, size_t n, size_t oh, size_t ow)
{
    return ((n * g->out_h + oh) * g->out_w + ow) * g->out_c;
}

/* One pair of cells: adds to y, dx and dkernel. */
static void convolve_pair(const struct fer_window *g, const float *x, const float *kernel, const float *dy, float *y,
                          float *dx, float *dkernel)
{
    size_t ci, co;
    for (ci = g->in_c; ci-- > 0;)
        for (co = g->out_c; co-- > 0;) {
            const size_t at = ci * g->out_c + co;
            y[co] += x[ci] * kernel[at];
            dx[ci] += dy[co] * kernel[at];
            dkernel[at] += x[ci] * dy[co];
        }
}

static void convolve(const struct fer_window *g, const float *x, const float *kernel, const float *dy, float *y,
                     float *dx, float *dkernel)
{
    const size_t tap = g->in_c * g->out_c;
    size_t n, oh, ow, kh, kw;
    for (n = g->n; n-- > 0;)
        for (oh = g->out_h; oh-- > 0;)
            for (ow = g->out_w; ow-- > 0;)
                for (kh = g->kernel_h; kh-- > 0;)
                    for (kw = g->kernel_w; kw-- > 0;) {
                        const size_t ih = oh * g->stride_h + kh - g->pad_top, iw = ow * g->stride_w + kw - g->pad_left;
                        const size_t k = (kh * g->kernel_w + kw) * tap, o = out_at(g, n, oh, ow);
                        if (ih < g->in_h && iw < g->in_w)
                            convolve_pair(g, x + in_at(g, n, ih, iw), kernel + k, dy + o, y + o,
                                          dx + in_at(g, n, ih, iw), dkernel + k);
                    }
}

/* One window of a pooling, of one channel: x, y and so on point to the channel in the first cell of the image or of the
 * output. */
static void pool_window(const struct fer_window *g, int is_max, size_t oh, size_t ow, const float *x, float dy, float *y,
                        float *dx)
{
    size_t kh, kw, cells = 0, first = 0;
    float sum = 0, largest = -1; /* nothing in the record's outputs is negative */
    for (kh = g->kernel_h; kh-- > 0;)
        for (kw = g->kernel_w; kw-- > 0;) {
            const size_t ih = oh * g->stride_h + kh - g->pad_top, iw = ow * g->stride_w + kw - g->pad_left;
            if (ih >= g->in_h || iw >= g->in_w) continue;
            cells++;
            sum += x[in_at(g, 0, ih, iw)];
            if (x[in_at(g, 0, ih, iw)] >= largest) largest = x[first = in_at(g, 0, ih, iw)];
        }
    *y = is_max ? largest : sum / (float)cells;
    if (is_max) dx[first] += dy;
    for (kh = is_max ? 0 : g->kernel_h; kh-- > 0;)
        for (kw = g->kernel_w; kw-- > 0;) {
            const size_t ih = oh * g->stride_h + kh - g->pad_top, iw = ow * g->stride_w + kw - g->pad_left;
            if (ih < g->in_h && iw < g->in_w) dx[in_at(g, 0, ih, iw)] += dy / (float)cells;
        }
}

static void pool(const struct fer_window *g, int is_max, const float *x, const float *dy, float *y, float *dx)
{
    size_t n, oh, ow, c;
    for (n = g->n; n-- > 0;)
        for (oh = g->out_h; oh-- > 0;)
            for (ow = g->out_w; ow-- > 0;)
                for (c = g->in_c; c-- > 0;) {
                    const size_t in = in_at(g, n, 0, 0) + c, out = out_at(g, n, oh, ow) + c;
                    pool_window(g, is_max, oh, ow, x + in, dy[out], y + out, dx + in);
                }
}

static size_t count_of(const struct fer_layer *layer, size_t n)
{
    return n * layer->height * layer->width * layer->channels;
}

/* A convolution or a pooling. */
static void check_window(const struct fer_network *net, const struct fer_layer *layer, size_t n, float *dx)
{
    const struct fer_window g = fer_layer_window(layer, n);
    const struct fer_layer *from = &net->layer[layer->input[0]];
    float *x = load(from->type == FER_INPUT ? "input" : from->name, from->type == FER_INPUT ? "" : "/output");
    float *dy = load(layer->name, "/output_grad"), *y = zeros(count_of(layer, n));
    if (layer->type == FER_CONV2D) {
        const size_t count = net->parameter[layer->parameter].count;
        float *kernel = load(layer->name, "/kernel"), *dkernel = zeros(count);
        convolve(&g, x, kernel, dy, y, dx, dkernel);
        compare(layer->name, "/kernel_grad", dkernel, count);
        free(kernel);
        free(dkernel);
    } else {
        pool(&g, layer->type == FER_MAX_POOLING2D, x, dy, y, dx);
    }
    compare(layer->name, "/output", y, count_of(layer, n));
    free(x);
    free(dy);
    free(y);
}

static void check_concatenation(const struct fer_network *net, const struct fer_layer *layer, size_t n, float **gradient)
{
    const size_t rows = n * layer->height * layer->width, width = layer->channels;
    float *y = zeros(rows * width), *dy = load(layer->name, "/output_grad");
    size_t start = 0, row, c;
    int k;
    for (k = 0; k < layer->inputs; k++) {
        const struct fer_layer *from = &net->layer[layer->input[k]];
        const size_t part = from->channels;
        float *x = load(from->name, "/output");
        for (row = 0; row < rows; row++)
            for (c = 0; c < part; c++) {
                y[row * width + start + c] = x[row * part + c];
                gradient[layer->input[k]][row * part + c] += dy[row * width + start + c];
            }
        start += part;
        free(x);
    }
    compare(layer->name, "/output", y, rows * width);
    free(y);
    free(dy);
}

/* The global pooling and the dense layer. */
static void check_head(const struct fer_network *net, size_t n, float **gradient)
{
    const int last = net->layers - 1, in = net->layer[last].input[0], mixed4 = net->layer[in].input[0];
    const size_t channels = net->layer[in].channels, cells = net->layer[mixed4].height * net->layer[mixed4].width,
                 classes = FER_CLASSES;
    float *mixed = load("mixed4", "/output"), *d_pooled = load("avg_pool", "/output_grad"),
          *pooled = zeros(n * channels);
    float *x = load("avg_pool", "/output"), *kernel = load("predictions", "/kernel"),
          *bias = load("predictions", "/bias");
    float *dy = load("predictions", "/logits_grad"), *dkernel = zeros(channels * classes),
          *dbias = zeros(classes), *y = zeros(n * classes);
    size_t image, cell, c, k;
    for (image = n; image-- > 0;)
        for (c = channels; c-- > 0;) {
            for (cell = cells; cell-- > 0;) {
                pooled[image * channels + c] += mixed[(image * cells + cell) * channels + c];
                gradient[mixed4][(image * cells + cell) * channels + c] +=
                    d_pooled[image * channels + c] / (float)cells;
            }
            pooled[image * channels + c] /= (float)cells;
            for (k = classes; k-- > 0;) {
                y[image * classes + k] += x[image * channels + c] * kernel[c * classes + k];
                gradient[in][image * channels + c] += dy[image * classes + k] * kernel[c * classes + k];
                dkernel[c * classes + k] += x[image * channels + c] * dy[image * classes + k];
            }
        }
    for (image = n; image-- > 0;)
        for (k = 0; k < classes; k++) y[image * classes + k] += bias[k], dbias[k] += dy[image * classes + k];
    compare("avg_pool", "/output", pooled, n * channels);
    compare("predictions", "/logits", y, n * classes);
    compare("predictions", "/kernel_grad", dkernel, channels * classes);
    compare("predictions", "/bias_grad", dbias, classes);
    free(mixed), free(d_pooled), free(pooled), free(x), free(kernel);
    free(bias), free(dy), free(dkernel), free(dbias), free(y);
}

/* All sums of the record, gradients gathered from the first consumer to the last. */
static void check_sums(const struct fer_network *net, size_t n)
{
    float *gradient[FER_MAX_LAYERS];
    int i;
    for (i = 0; i < net->layers; i++) gradient[i] = zeros(count_of(&net->layer[i], n));
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        if (layer->type == FER_CONV2D || layer->type == FER_MAX_POOLING2D || layer->type == FER_AVERAGE_POOLING2D)
            check_window(net, layer, n, gradient[layer->input[0]]);
        if (layer->type == FER_CONCATENATE) check_concatenation(net, layer, n, gradient);
    }
    check_head(net, n, gradient);
    for (i = 1; i < net->layers; i++) {
        const enum fer_layer_type type = net->layer[i].type;
        if (type != FER_CONV2D && type != FER_BATCH_NORMALIZATION && type != FER_DENSE)
            compare(net->layer[i].name, "/output_grad", gradient[i], count_of(&net->layer[i], n));
    }
    for (i = 0; i < net->layers; i++) free(gradient[i]);
}

/* All values must be whole numbers, and no array constant. The digest of all, as little-endian 32-bit integers. */
static uint32_t digest_of_integers(void)
{
    uint32_t crc = 0;
    size_t i, k;
    for (i = 0; i < fer_npz_count(npz); i++) {
        const struct fer_array *a = fer_npz_at(npz, i);
        float *x = load(a->name, ""), least = x[0], most = x[0];
        for (k = 0; k < a->count; k++) {
            const int32_t whole = (int32_t)x[k];
            const uint32_t bits = (uint32_t)whole;
            const unsigned char bytes[4] = {bits & 255, bits >> 8 & 255, bits >> 16 & 255, (unsigned char)(bits >> 24)};
            if ((float)whole != x[k] && !*wrong)
                snprintf(wrong, sizeof wrong, "%s: [%lu] is %g", a->name, (unsigned long)k, (double)x[k]);
            if (x[k] < least) least = x[k];
            if (x[k] > most) most = x[k];
            crc = fer_crc32(crc, bytes, 4);
        }
        if (least == most && !*wrong) snprintf(wrong, sizeof wrong, "%s: all values are %g", a->name, (double)least);
        free(x);
    }
    return crc;
}

TEST an_exact_record_is_exact(void)
{
    struct fer_recorded recorded;
    struct fer_network *net;
    uint32_t digest;
    ASSERT_EQ(0, fer_incv3v1(&net, SIZE, &error));
    ASSERT_EQm(error.text, 0, fer_record_exact(net, 2, 3, FILE_NAME, &recorded, &error));
    ASSERT_EQ(0, fer_npz_open(&npz, FILE_NAME, &error));
    next = 0;
    *wrong = 0;
    digest = digest_of_integers();
    ASSERT_STR_EQ("", wrong);
    ASSERT_EQ_FMT((uint32_t)0x0cf78a9a, digest, "0x%08x"); /* in either precision */
    check_sums(net, 2);
    ASSERT_STR_EQ("", wrong);
    /* computed: 53 outputs (40 convolutions, 7 poolings, 5 concatenations, avg_pool), logits; 42 gradients of
     * parameters; 53 of outputs (40 activations and those but the convolutions). Drawn: input, 40 outputs, 42
     * parameters, 40 gradients, logits_grad. */
    ASSERT_EQ_FMT((size_t)149, next, "%zu");
    ASSERT_EQ_FMT((size_t)(149 + 124), recorded.arrays, "%zu");
    ASSERT_EQ_FMT((size_t)(149 + 124), fer_npz_count(npz), "%zu");
    fer_npz_close(npz);
    fer_network_free(net);
    PASS();
}

/* The largest sum of absolute values is not known here, but a limit below it must be noticed, and one above it not. */
TEST sums_that_are_too_large_are_noticed(void)
{
    unsigned char cut[FER_MAX_LAYERS];
    struct fer_network *net;
    ASSERT_EQ(0, fer_incv3v1(&net, SIZE, &error));
    ASSERT_EQ(0, fer_network_plan(net, 1, FER_PLAN_KEEP, &error));
    ASSERT_EQm(error.text, 0, fer_exact_fill(net, 1, 0, 50000, cut, &error));
    ASSERT_EQ(-1, fer_exact_fill(net, 1, 0, 20000, cut, &error));
    ASSERT_STR_EQ("conv2d_26/output: sums reach 20000, from where float32 may round: "
                  "expected fewer or smaller images than 1 of 48x48",
                  error.text);
    fer_network_free(net);
    PASS();
}

static void clean_up(void *unused)
{
    (void)unused;
    remove(FILE_NAME);
}

SUITE(suite_record)
{
    SET_TEARDOWN(clean_up, NULL);
    RUN_TEST(a_record_is_the_networks_step);
    RUN_TEST(the_same_call_gives_the_same_bytes);
    RUN_TEST(bad_batches_are_refused);
    RUN_TEST(too_few_images_are_refused);
    RUN_TEST(an_exact_record_is_exact);
    RUN_TEST(sums_that_are_too_large_are_noticed);
}
