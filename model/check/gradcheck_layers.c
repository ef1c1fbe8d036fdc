/* gradcheck_layers.c - the cases of the gradient check for what has functions of its own in fer.h: each argument, many
 * geometries.
 *
 * A layer's output y is made one number by a fixed random dy: f = <dy, y>. Then df/dx is what the backward pass
 * computes from dy. Inputs are drawn from [-1, 1); those of ReLU and of max pooling so that no step crosses a kink.
 * Before the backward pass its results are filled with GARBAGE, so that an element which it forgets to write does not
 * look right. */
#include "gradcheck.h"

#include <stdio.h>
#include <string.h>

#define STEP FER_GRADCHECK_STEP
#define GARBAGE 123.0
enum { MAX_ARGUMENTS = 4, POOL = 1 << 16 };

struct argument {
    const char *name;
    size_t count;
    real *value, *gradient;
};

/* What is checked. */
struct subject;
struct kind {
    void (*forward)(struct subject *s);  /* y from the arguments */
    void (*backward)(struct subject *s); /* from dy the gradient of every argument */
    int (*cases)(struct subject *s, struct fer_error *e);
    double (*loss)(void *subject); /* instead of <dy, y>, where the result is one number */
};

/* One of them at one geometry. */
struct subject {
    const struct kind *kind;
    struct fer_gradcheck_run *run;
    char geometry[80];
    int arguments;
    struct argument argument[MAX_ARGUMENTS];
    size_t outputs;
    real *y, *dy;
    /* what the layer needs to know, each its part */
    struct fer_window window;
    size_t rows, channels[MAX_ARGUMENTS];
    size_t n, in, out;
    int batch_statistics, depthwise, from_y, *labels;
    real *mean, *variance;
    /* memory and random numbers */
    uint32_t drawn; /* arrays so far */
    size_t used;
    real pool[POOL];
};

/* The next `count` numbers of the pool. A case that does not fit is refused by check(). */
static real *take(struct subject *s, size_t count)
{
    real *memory = s->used + count <= POOL ? s->pool + s->used : s->pool;
    s->used += count;
    return memory;
}

/* [count] random numbers from [-1, 1). */
static real *draw(struct subject *s, size_t count)
{
    real *x = take(s, count);
    size_t i;
    s->drawn++;
    for (i = 0; i < count && s->used <= POOL; i++)
        x[i] = (real)(2 * fer_uniform(s->run->seed, FER_FOR_CHECKS, s->drawn, i) - 1);
    return x;
}

static real *add_argument(struct subject *s, const char *name, size_t count)
{
    struct argument *argument = &s->argument[s->arguments++];
    argument->name = name;
    argument->count = count;
    argument->value = draw(s, count);
    argument->gradient = take(s, count);
    return argument->value;
}

static void add_output(struct subject *s, size_t count)
{
    s->outputs = count;
    s->y = take(s, count);
    s->dy = draw(s, count);
}

static double inner_product(void *subject)
{
    struct subject *s = subject;
    s->kind->forward(s);
    return fer_gradcheck_dot(s->outputs, s->dy, s->y);
}

/* The case is ready: a row for each argument. Then everything is forgotten but where the random numbers are. */
static int check(struct subject *s, struct fer_error *e)
{
    double (*const f)(void *subject) = s->kind->loss ? s->kind->loss : inner_product;
    int i;
    size_t k;
    if (s->used > POOL)
        return fer_fail(e, "the gradient check of %s %s needs more memory than it has", s->run->layer, s->geometry);
    for (i = 0; i < s->arguments; i++)
        for (k = 0; k < s->argument[i].count; k++) s->argument[i].gradient[k] = (real)GARBAGE;
    f(s);
    s->kind->backward(s);
    for (i = 0; i < s->arguments; i++) {
        const struct argument *a = &s->argument[i];
        if (fer_gradcheck_argument(s->run, s->geometry, a->name, f, s, a->value, a->gradient, a->count, e)) return -1;
    }
    s->arguments = 0;
    s->used = 0;
    return 0;
}

/* ---- Convolution and pooling ---- */

struct shape {
    size_t n, h, w, ci, co, kh, kw, sh, sw;
    enum fer_padding padding;
};

static int set_window(struct subject *s, const struct shape *k, struct fer_error *e)
{
    snprintf(s->geometry, sizeof s->geometry, "%zux%zux%zux%zu, %zux%zu to %zu, strides %zu,%zu %s", k->n, k->h, k->w,
             k->ci, k->kh, k->kw, k->co, k->sh, k->sw, k->padding == FER_SAME ? "same" : "valid");
    return fer_window_set(&s->window, k->n, k->h, k->w, k->ci, k->co, k->kh, k->kw, k->sh, k->sw, k->padding, e);
}

static size_t input_size(const struct fer_window *g)
{
    return g->n * g->in_h * g->in_w * g->in_c;
}

static size_t output_size(const struct fer_window *g)
{
    return g->n * g->out_h * g->out_w * g->out_c;
}

/* Depthwise or not, with a bias where it has one. */
static void convolution(struct subject *s)
{
    const struct fer_window *g = &s->window;
    const real *x = s->argument[0].value, *kernel = s->argument[1].value;
    (s->depthwise ? fer_depthwise_conv2d_forward : fer_conv2d_forward)(g, x, kernel, s->y);
    if (s->arguments > 2) fer_bias_forward(g->n * g->out_h * g->out_w, g->out_c, s->argument[2].value, s->y);
}

static void convolution_backward(struct subject *s)
{
    const struct fer_window *g = &s->window;
    const struct argument *x = &s->argument[0], *kernel = &s->argument[1];
    if (s->depthwise) {
        fer_depthwise_conv2d_backward_input(g, s->dy, kernel->value, x->gradient);
        fer_depthwise_conv2d_backward_kernel(g, x->value, s->dy, kernel->gradient);
    } else {
        fer_conv2d_backward_input(g, s->dy, kernel->value, x->gradient);
        fer_conv2d_backward_kernel(g, x->value, s->dy, kernel->gradient);
    }
    if (s->arguments > 2) fer_bias_backward(g->n * g->out_h * g->out_w, g->out_c, s->dy, s->argument[2].gradient);
}

/* Three geometries on two images of 7x8; groups 0: depthwise. */
static int convolutions_with_bias(struct subject *s, size_t ci, const struct fer_window_options options[3],
                                  struct fer_error *e)
{
    struct fer_window *g = &s->window;
    int i;
    for (i = 0; i < 3; i++) {
        struct fer_window_options o = options[i];
        s->depthwise = o.groups == 0;
        if (s->depthwise) o.groups = ci;
        if (fer_window_fill(g, 2, 7, 8, ci, &o, e)) return -1;
        snprintf(s->geometry, sizeof s->geometry,
                 "7x8x%zu, %zux%zu to %zu, strides %zu,%zu dilation %zu,%zu %zu groups", ci, g->kernel_h, g->kernel_w,
                 g->out_c, g->stride_h, g->stride_w, g->dilation_h, g->dilation_w, g->groups);
        add_argument(s, "x", input_size(g));
        add_argument(s, "kernel", g->kernel_h * g->kernel_w * (ci / g->groups) * g->out_c);
        add_argument(s, "bias", g->out_c);
        add_output(s, output_size(g));
        if (check(s, e)) return -1;
    }
    return 0;
}

static int depthwise_conv2d_cases(struct subject *s, struct fer_error *e)
{
    static const struct fer_window_options o[] = {{5, 3, 3, 1, 1, 1, 1, 0, FER_SAME, 0, 0, 0, 0, 0, 0, 0},
                                                  {10, 3, 2, 2, 1, 1, 2, 0, FER_VALID, 0, 0, 0, 0, 0, 0, 0},
                                                  {15, 2, 3, 1, 3, 3, 1, 0, FER_EXPLICIT, 9, 1, 0, 2, 0, 0, 0}};
    return convolutions_with_bias(s, 5, o, e);
}

static int conv2d_cases(struct subject *s, struct fer_error *e)
{
    static const struct fer_window_options o[] = {{4, 3, 3, 2, 2, 1, 1, 1, FER_SAME_LOWER, 0, 0, 0, 0, 0, 0, 0},
                                                  {6, 3, 2, 1, 2, 2, 3, 3, FER_SAME, 0, 0, 0, 0, 0, 0, 0},
                                                  {4, 2, 3, 3, 1, 1, 2, 2, FER_EXPLICIT, 5, 1, 0, 8, 0, 0, 0}};
    static const struct shape shapes[] = {
        {2, 6, 7, 3, 5, 3, 3, 1, 1, FER_SAME},     {2, 7, 7, 2, 4, 3, 3, 2, 2, FER_VALID},
        {1, 8, 8, 3, 2, 3, 3, 2, 2, FER_SAME},     {1, 5, 9, 3, 4, 1, 7, 1, 1, FER_SAME},
        {3, 9, 5, 3, 4, 7, 1, 1, 1, FER_SAME},     {2, 1, 1, 4, 3, 1, 7, 1, 1, FER_SAME},
        {1, 2, 3, 2, 3, 5, 7, 1, 1, FER_SAME},     {2, 7, 9, 1, 17, 3, 2, 2, 3, FER_VALID},
        {1, 5, 6, 2, 2, 1, 1, 2, 3, FER_SAME},     {1, 18, 17, 3, 20, 3, 3, 1, 1, FER_SAME},
        {1, 2, 2, 260, 70, 1, 1, 1, 1, FER_VALID},
    };
    size_t i;
    for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const struct shape *k = &shapes[i];
        if (set_window(s, k, e)) return -1;
        add_argument(s, "x", input_size(&s->window));
        add_argument(s, "kernel", k->kh * k->kw * k->ci * k->co);
        add_output(s, output_size(&s->window));
        if (check(s, e)) return -1;
    }
    return convolutions_with_bias(s, 6, o, e);
}

static void max_pooling2d(struct subject *s)
{
    fer_max_pooling2d_forward(&s->window, s->argument[0].value, s->y);
}

static void max_pooling2d_backward(struct subject *s)
{
    fer_max_pooling2d_backward(&s->window, s->argument[0].value, s->dy, s->argument[0].gradient);
}

static void average_pooling2d(struct subject *s)
{
    fer_average_pooling2d_forward(&s->window, s->argument[0].value, s->y);
}

static void average_pooling2d_backward(struct subject *s)
{
    fer_average_pooling2d_backward(&s->window, s->dy, s->argument[0].gradient);
}

/* Puts the numbers 8 STEP apart, their order kept: moved by up to 4 STEP, none overtakes another. */
static void spread_out(real *x, size_t count)
{
    real order[FER_GRADCHECK_MOST];
    size_t i, k;
    for (i = 0; i < count; i++)
        for (k = 0, order[i] = 0; k < count; k++) order[i] += (real)(x[k] < x[i] || (x[k] == x[i] && k < i));
    for (i = 0; i < count; i++) x[i] = (order[i] - (real)(count / 2)) * (real)(8.5 * STEP);
}

static int pooling_cases(struct subject *s, struct fer_error *e)
{
    static const struct shape shapes[] = {
        {1, 7, 7, 3, 3, 3, 3, 2, 2, FER_VALID}, {2, 5, 4, 3, 3, 3, 3, 1, 1, FER_SAME},
        {3, 5, 7, 2, 2, 2, 2, 2, 2, FER_SAME},  {1, 2, 3, 5, 5, 5, 4, 1, 1, FER_SAME},
        {1, 9, 8, 1, 1, 2, 3, 4, 3, FER_VALID}, {1, 2, 2, 67, 67, 2, 1, 1, 1, FER_VALID},
    };
    size_t i;
    for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (set_window(s, &shapes[i], e)) return -1;
        add_argument(s, "x", input_size(&s->window));
        if (s->kind->forward == max_pooling2d) spread_out(s->argument[0].value, s->argument[0].count);
        add_output(s, output_size(&s->window));
        if (check(s, e)) return -1;
    }
    return 0;
}

static void global_average_pooling2d(struct subject *s)
{
    fer_global_average_pooling2d_forward(s->n, s->rows, s->out, s->argument[0].value, s->y);
}

static void global_average_pooling2d_backward(struct subject *s)
{
    fer_global_average_pooling2d_backward(s->n, s->rows, s->out, s->dy, s->argument[0].gradient);
}

static void global_max_pooling2d(struct subject *s)
{
    fer_global_max_pooling2d_forward(s->n, s->rows, s->out, s->argument[0].value, s->y);
}

static void global_max_pooling2d_backward(struct subject *s)
{
    const struct argument *x = &s->argument[0];
    fer_global_max_pooling2d_backward(s->n, s->rows, s->out, x->value, s->dy, x->gradient);
}

static int global_pooling_cases(struct subject *s, struct fer_error *e)
{
    static const size_t shapes[2][4] = {{2, 3, 5, 5}, {1, 1, 1, 7}};
    int i;
    for (i = 0; i < 2; i++) {
        const size_t n = shapes[i][0], h = shapes[i][1], w = shapes[i][2], c = shapes[i][3];
        snprintf(s->geometry, sizeof s->geometry, "%zux%zux%zux%zu", n, h, w, c);
        s->n = n, s->rows = h * w, s->out = c;
        add_argument(s, "x", n * h * w * c);
        if (s->kind->forward == global_max_pooling2d) spread_out(s->argument[0].value, s->argument[0].count);
        add_output(s, n * c);
        if (check(s, e)) return -1;
    }
    return 0;
}

/* ---- BatchNormalization: arguments x, and gamma and beta where it has them ---- */

static void batch_normalization(struct subject *s)
{
    const real *x = s->argument[0].value, *beta = s->arguments > 1 ? s->argument[1].value : NULL;
    const real *gamma = s->arguments > 2 ? s->argument[2].value : NULL;
    if (s->batch_statistics) fer_batch_moments(s->rows, s->out, x, s->mean, s->variance);
    fer_batch_normalization_forward(s->rows, s->out, x, s->mean, s->variance, gamma, beta, 1e-3, s->y);
}

static void batch_normalization_backward(struct subject *s)
{
    const struct argument *x = &s->argument[0], *beta = &s->argument[1], *gamma = &s->argument[2];
    fer_batch_normalization_backward(s->rows, s->out, x->value, s->mean, s->variance,
                                     s->arguments > 2 ? gamma->value : NULL, 1e-3, s->batch_statistics, s->dy,
                                     x->gradient, s->arguments > 2 ? gamma->gradient : NULL,
                                     s->arguments > 1 ? beta->gradient : NULL);
}

static int batch_normalization_cases(struct subject *s, struct fer_error *e)
{
    static const struct {
        size_t rows, channels;
        int batch_statistics, arguments;
    } cases[] = {{30, 17, 1, 3}, {30, 3, 1, 2},  {2, 5, 1, 1}, {1, 5, 1, 3},
                 {300, 2, 1, 3}, {30, 17, 0, 3}, {1, 5, 0, 1}};
    static const char *const name[] = {"x", "beta", "gamma"};
    size_t i, c;
    int k;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t channels = cases[i].channels;
        s->rows = cases[i].rows, s->out = channels;
        s->batch_statistics = cases[i].batch_statistics;
        snprintf(s->geometry, sizeof s->geometry, "%zu rows, %zu channels, %s statistics", s->rows, channels,
                 s->batch_statistics ? "batch" : "moving");
        for (k = 0; k < cases[i].arguments; k++) add_argument(s, name[k], k ? channels : s->rows * channels);
        s->mean = draw(s, channels);
        s->variance = draw(s, channels);
        for (c = 0; c < channels; c++) s->variance[c] += (real)1.5;
        add_output(s, s->rows * channels);
        if (check(s, e)) return -1;
    }
    return 0;
}

/* ---- ReLU, whose backward pass may read x or y ---- */

static void relu(struct subject *s)
{
    fer_relu_forward(s->outputs, s->argument[0].value, s->y);
}

static void relu_backward(struct subject *s)
{
    fer_relu_backward(s->outputs, s->from_y ? s->y : s->argument[0].value, s->dy, s->argument[0].gradient);
}

static int relu_cases(struct subject *s, struct fer_error *e)
{
    const size_t count = 60;
    size_t i;
    for (s->from_y = 0; s->from_y < 2; s->from_y++) {
        real *x = add_argument(s, "x", count);
        for (i = 0; i < count; i++) x[i] += x[i] < 0 ? -(real)(5 * STEP) : (real)(5 * STEP); /* away from 0 */
        add_output(s, count);
        snprintf(s->geometry, sizeof s->geometry, "%zu values, backward from %c", count, s->from_y ? 'y' : 'x');
        if (check(s, e)) return -1;
    }
    return 0;
}

/* ---- Concatenate ---- */

static void concatenate(struct subject *s)
{
    const real *x[MAX_ARGUMENTS];
    int i;
    for (i = 0; i < s->arguments; i++) x[i] = s->argument[i].value;
    fer_concatenate_forward(s->rows, s->arguments, s->channels, x, s->y);
}

static void concatenate_backward(struct subject *s)
{
    real *dx[MAX_ARGUMENTS];
    int i;
    for (i = 0; i < s->arguments; i++) dx[i] = s->argument[i].gradient;
    fer_concatenate_backward(s->rows, s->arguments, s->channels, s->dy, dx);
}

static int concatenate_cases(struct subject *s, struct fer_error *e)
{
    static const char *const name[MAX_ARGUMENTS] = {"x0", "x1", "x2", "x3"};
    size_t channels = 0;
    int i;
    s->rows = 6;
    for (i = 0; i < MAX_ARGUMENTS; i++) {
        s->channels[i] = 2 * (size_t)i + 1;
        channels += s->channels[i];
        add_argument(s, name[i], s->rows * s->channels[i]);
    }
    add_output(s, s->rows * channels);
    snprintf(s->geometry, sizeof s->geometry, "6 rows, channels 1 + 3 + 5 + 7");
    return check(s, e);
}

/* ---- Dense: arguments x, kernel, and bias where it has one ---- */

static void dense(struct subject *s)
{
    fer_dense_forward(s->n, s->in, s->out, s->argument[0].value, s->argument[1].value,
                      s->arguments > 2 ? s->argument[2].value : NULL, s->y);
}

static void dense_backward(struct subject *s)
{
    fer_dense_backward_input(s->n, s->in, s->out, s->dy, s->argument[1].value, s->argument[0].gradient);
    fer_dense_backward_kernel(s->n, s->in, s->out, s->argument[0].value, s->dy, s->argument[1].gradient);
    if (s->arguments > 2) fer_dense_backward_bias(s->n, s->out, s->dy, s->argument[2].gradient);
}

static int dense_cases(struct subject *s, struct fer_error *e)
{
    static const struct {
        size_t n, in, out;
        int bias;
    } cases[] = {{3, 11, 7, 1}, {1, 1, 5, 1}, {2, 9, 1, 0}};
    size_t i;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t n = cases[i].n, in = cases[i].in, out = cases[i].out;
        s->n = n, s->in = in, s->out = out;
        snprintf(s->geometry, sizeof s->geometry, "%zux%zu to %zux%zu", n, in, n, out);
        add_argument(s, "x", n * in);
        add_argument(s, "kernel", in * out);
        if (cases[i].bias) add_argument(s, "bias", out);
        add_output(s, n * out);
        if (check(s, e)) return -1;
    }
    return 0;
}

/* ---- Softmax with cross-entropy: f is the mean loss itself ---- */

static double softmax_cross_entropy(void *subject)
{
    struct subject *s = subject;
    return fer_cross_entropy(s->n, s->out, s->argument[0].value, s->labels, NULL, NULL) / (double)s->n;
}

static void softmax_cross_entropy_backward(struct subject *s)
{
    fer_cross_entropy(s->n, s->out, s->argument[0].value, s->labels, NULL, s->argument[0].gradient);
}

static int softmax_cross_entropy_cases(struct subject *s, struct fer_error *e)
{
    static const struct {
        size_t n, classes;
        int scale;
    } cases[] = {{5, 7, 1}, {1, 7, 10}, {4, 2, 1}};
    int labels[] = {3, 0, 6, 6, 1};
    size_t i, k;
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t n = cases[i].n, classes = cases[i].classes;
        s->n = n, s->out = classes;
        s->labels = labels;
        for (k = 0; k < n; k++) labels[k] %= (int)classes;
        snprintf(s->geometry, sizeof s->geometry, "%zux%zu, logits up to %d", n, classes, cases[i].scale);
        add_argument(s, "logits", n * classes);
        for (k = 0; k < n * classes; k++) s->argument[0].value[k] *= (real)cases[i].scale;
        if (check(s, e)) return -1;
    }
    return 0;
}

/* ---- All of them ---- */

static int check_kind(const struct kind *kind, struct fer_gradcheck_run *run, struct fer_error *e)
{
    struct subject *s = fer_allocate(1, sizeof *s, e);
    int failure;
    if (!s) return -1;
    s->kind = kind;
    s->run = run;
    failure = kind->cases(s, e);
    fer_free(s);
    return failure;
}

int fer_gradcheck_functions(struct fer_gradcheck_run *run, struct fer_error *e)
{
    static const struct kind kinds[FER_LAYER_TYPES] = {
        [FER_CONV2D] = {convolution, convolution_backward, conv2d_cases, NULL},
        [FER_DEPTHWISE_CONV2D] = {convolution, convolution_backward, depthwise_conv2d_cases, NULL},
        [FER_BATCH_NORMALIZATION] = {batch_normalization, batch_normalization_backward, batch_normalization_cases,
                                     NULL},
        [FER_ACTIVATION] = {relu, relu_backward, relu_cases, NULL},
        [FER_MAX_POOLING2D] = {max_pooling2d, max_pooling2d_backward, pooling_cases, NULL},
        [FER_AVERAGE_POOLING2D] = {average_pooling2d, average_pooling2d_backward, pooling_cases, NULL},
        [FER_CONCATENATE] = {concatenate, concatenate_backward, concatenate_cases, NULL},
        [FER_GLOBAL_AVERAGE_POOLING2D] = {global_average_pooling2d, global_average_pooling2d_backward,
                                          global_pooling_cases, NULL},
        [FER_GLOBAL_MAX_POOLING2D] = {global_max_pooling2d, global_max_pooling2d_backward, global_pooling_cases,
                                      NULL},
        [FER_DENSE] = {dense, dense_backward, dense_cases, NULL},
    };
    return check_kind(&kinds[run->type], run, e);
}

int fer_gradcheck_softmax_cross_entropy(struct fer_gradcheck_run *run, struct fer_error *e)
{
    static const struct kind kind = {NULL, softmax_cross_entropy_backward, softmax_cross_entropy_cases,
                                     softmax_cross_entropy};
    return check_kind(&kind, run, e);
}

/* ---- What an output cell takes ---- */

long fer_relu_takes(const struct fer_layer *layer, const real *x, size_t cell)
{
    (void)layer;
    return x[cell] > 0 ? (long)cell : -1;
}

long fer_max_pooling2d_takes(const struct fer_layer *layer, const real *x, size_t cell)
{
    const struct fer_window *g = &layer->window;
    const size_t c = cell % g->in_c, ow = cell / g->in_c % g->out_w, row = cell / g->in_c / g->out_w;
    const size_t n = row / g->out_h, oh = row % g->out_h;
    size_t kh, kw;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++) {
            const size_t ih = oh * g->stride_h + kh - g->pad_top, iw = ow * g->stride_w + kw - g->pad_left;
            const size_t at = ((n * g->in_h + ih) * g->in_w + iw) * g->in_c + c;
            if (ih >= g->in_h || iw >= g->in_w) continue; /* above or left of the image they wrap around */
            if (x[at] == layer->output[cell]) return (long)at;
        }
    return -1;
}
