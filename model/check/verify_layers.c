/* verify_layers.c - what verify does about each kind of layer: its output, what it sends back to its input, and the
 * gradients of its parameters, each against the bound of bounds_*.c. checks.c lists these functions. */
#include "checks.h"

#include "../../layers/layers.h"

#include <math.h>
#include <string.h>

static const struct fer_layer *source(const struct fer_verification *v, const struct fer_layer *layer)
{
    return &v->net.layer[layer->input[0]];
}

static int begin_gradient(struct fer_verification *v, const struct fer_layer *layer, const char *what)
{
    const struct fer_parameter *p = fer_layer_parameter(&v->net, layer, what);
    if (!p || !fer_verify_begin_parameter(v, layer, p, "_grad")) return 0;
    v->row.by_nature = v->zero_by_nature[layer - v->net.layer];
    return 1;
}

/* The gradient of beta, or of a bias: the sum of each column of the output's gradient. */
static void check_column_sums(struct fer_verification *v, const struct fer_layer *layer, const char *what)
{
    struct fer_sums s;
    const real *dy;
    if (!begin_gradient(v, layer, what)) return;
    dy = fer_verify_load_gradient(v, layer);
    if (fer_verify_begin_sums(v, &s)) {
        fer_sums_add_columns(&s, &v->arithmetic, fer_verify_rows(v, layer), layer->channels, dy);
        fer_verify_tally_sums(v, &s);
    }
    fer_verify_finish(v);
}

/* What stands in s->part is copied by the layer: nothing is rounded. */
static void tally_copies(struct fer_verification *v, struct fer_sums *s)
{
    fer_sums_add_copies(s, &v->arithmetic);
    fer_verify_tally_sums(v, s);
}

/* ---- Conv2D, DepthwiseConv2D ---- */

/* Winograd's bound in place of the sum's, or, of one share of several, beside it. x and the kernel are as they were or their
 * absolute values. */
static void allow_winograd(struct fer_verification *v, const struct fer_window *g, int backward, const real *x,
                           const real *kernel, struct fer_sums *s)
{
    const int tile = v->options->winograd;
    size_t i;
    if (!fer_winograd_applies(g)) return;
    v->depends |= FER_ON_WINOGRAD;
    if (!tile || !s->own_proven || !fer_verify_ready(v)) return;
    if (fer_winograd_magnitude(g, tile, backward, x, kernel, s->part, v->e)) v->failed = 1;
    for (i = 0; i < s->count && !v->failed; i++) {
        const struct fer_bound b =
            fer_winograd_bound(&v->arithmetic, tile, backward ? g->out_c : g->in_c, (double)s->part[i]);
        if (s->parts == 1) s->roundings[i] = 0;
        s->own_proven[i] += (real)b.proven;
        s->own_likely[i] += (real)b.likely;
    }
    s->quantum = 0;
}

void fer_verify_conv2d(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    real *x = fer_verify_load_output(v, source(v, layer)), *kernel = fer_verify_load_own(v, layer, "kernel");
    const real *bias = fer_verify_load_own(v, layer, "bias");
    struct fer_sums s;
    if (!fer_verify_begin_sums(v, &s)) return;
    if (v->options->winograd) s.own_proven = fer_verify_hold(v, s.count), s.own_likely = fer_verify_hold(v, s.count);
    fer_sums_add_conv2d(&s, &v->arithmetic, &g, x, kernel);
    allow_winograd(v, &g, 0, x, kernel, &s);
    if (bias) fer_sums_add_bias(&s, &v->arithmetic, layer->channels, bias);
    fer_verify_tally_sums(v, &s);
}

void fer_verify_conv2d_input(struct fer_verification *v, const struct fer_layer *layer, int i, struct fer_sums *s)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    real *dy = fer_verify_load_gradient(v, layer), *kernel = fer_verify_load_own(v, layer, "kernel");
    (void)i;
    if (!fer_verify_ready(v)) return;
    fer_sums_add_conv2d_input(s, &v->arithmetic, &g, dy, kernel);
    allow_winograd(v, &g, 1, dy, kernel, s);
}

void fer_verify_conv2d_parameters(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    struct fer_sums s;
    real *x, *dy;
    if (begin_gradient(v, layer, "kernel")) {
        x = fer_verify_load_output(v, source(v, layer));
        dy = fer_verify_load_gradient(v, layer);
        if (fer_verify_begin_sums(v, &s)) {
            fer_sums_add_conv2d_kernel(&s, &v->arithmetic, &g, x, dy);
            fer_verify_tally_sums(v, &s);
        }
        fer_verify_finish(v);
    }
    check_column_sums(v, layer, "bias");
}

/* ---- BatchNormalization ---- */

struct fer_channel *fer_verify_load_channels(struct fer_verification *v, const struct fer_layer *layer, const real *x)
{
    const int batch = fer_layer_takes_statistics(layer);
    const real *gamma = fer_verify_load_own(v, layer, "gamma");
    const real *mean = batch ? NULL : fer_verify_load_own(v, layer, "mean");
    const real *variance = batch ? NULL : fer_verify_load_own(v, layer, "variance");
    struct fer_channel *channel;
    v->depends |= FER_ON_EPSILON;
    if (!fer_verify_ready(v)) return NULL;
    channel = fer_allocate(layer->channels, sizeof *channel, v->e);
    if (!channel || (batch && fer_channels(channel, &v->arithmetic, fer_verify_rows(v, layer), layer->channels, x,
                                           layer->epsilon, v->e))) {
        v->failed = 1;
        fer_free(channel);
        return NULL;
    }
    if (!batch) fer_channels_given(channel, &v->arithmetic, layer->channels, mean, variance, layer->epsilon);
    if (batch) fer_twist_channels(v->twist, fer_verify_rows(v, layer), layer->channels, layer->epsilon, channel);
    if (gamma) fer_channels_scale(channel, &v->arithmetic, layer->channels, gamma);
    return channel;
}

static void check_scaling(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x = fer_verify_load_output(v, source(v, layer));
    real *mean = fer_verify_load_own(v, layer, "mean"), *variance = fer_verify_load_own(v, layer, "variance");
    real *gamma = fer_verify_load_own(v, layer, "gamma"), *beta = fer_verify_load_own(v, layer, "beta");
    struct fer_sums s;
    v->depends |= FER_ON_EPSILON;
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_twist_scaling(v->twist, layer->channels, layer->epsilon, mean, variance, gamma, beta);
    fer_sums_add_scaling(&s, &v->arithmetic, layer->channels, x, mean, variance, gamma, beta, layer->epsilon);
    fer_verify_tally_sums(v, &s);
}

void fer_verify_batch_normalization(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x, *beta;
    struct fer_channel *channel;
    if (fer_layer_takes_statistics(layer)) v->depends |= FER_ON_STATISTICS;
    if (v->options->inference || !fer_layer_takes_statistics(layer)) {
        check_scaling(v, layer);
        return;
    }
    x = fer_verify_load_output(v, source(v, layer));
    beta = fer_verify_load_own(v, layer, "beta");
    channel = fer_verify_load_channels(v, layer, x);
    if (channel)
        fer_tally_normalization(&v->tally, &v->arithmetic, channel, fer_verify_rows(v, layer), layer->channels, x,
                                beta, v->claimed);
    fer_free(channel);
}

void fer_verify_batch_normalization_input(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x = fer_verify_load_output(v, source(v, layer)), *dy = fer_verify_load_gradient(v, layer);
    struct fer_channel *channel = fer_verify_load_channels(v, layer, x);
    if (channel && fer_tally_normalization_input(&v->tally, &v->arithmetic, channel, fer_verify_rows(v, layer),
                                                 layer->channels, x, dy, v->claimed, v->e))
        v->failed = 1;
    fer_free(channel);
}

void fer_verify_batch_normalization_add_input(struct fer_verification *v, const struct fer_layer *layer, int i,
                                              struct fer_sums *s)
{
    const real *x = fer_verify_load_output(v, source(v, layer)), *dy = fer_verify_load_gradient(v, layer);
    struct fer_channel *channel = fer_verify_load_channels(v, layer, x);
    (void)i;
    if (channel && fer_sums_add_normalization_input(s, &v->arithmetic, channel, fer_verify_rows(v, layer),
                                                    layer->channels, x, dy, v->e))
        v->failed = 1;
    fer_free(channel);
}

static void check_gamma(struct fer_verification *v, const struct fer_layer *layer)
{
    struct fer_channel *channel;
    const real *x, *dy;
    if (!begin_gradient(v, layer, "gamma")) return;
    x = fer_verify_load_output(v, source(v, layer));
    dy = fer_verify_load_gradient(v, layer);
    channel = fer_verify_load_channels(v, layer, x);
    if (channel && fer_tally_gamma(&v->tally, &v->arithmetic, channel, fer_verify_rows(v, layer), layer->channels, x,
                                   dy, v->claimed, v->e))
        v->failed = 1;
    fer_free(channel);
    fer_verify_finish(v);
}

void fer_verify_batch_normalization_parameters(struct fer_verification *v, const struct fer_layer *layer)
{
    check_gamma(v, layer);
    check_column_sums(v, layer, "beta");
}

/* ---- Activation ---- */

void fer_verify_activation(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x = fer_verify_load_output(v, source(v, layer));
    struct fer_sums s;
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_relu_forward(s.count, x, s.part);
    tally_copies(v, &s);
}

/* With --relu-at-zero 1 the gradient passes where x is 0, too, which the output does not tell. */
void fer_verify_pass_at_zero(struct fer_verification *v, const struct fer_layer *layer, size_t count, const real *dy,
                             real *dx)
{
    const real *x = v->options->relu_at_zero ? fer_verify_load_output(v, source(v, layer)) : NULL;
    size_t i;
    v->depends |= FER_ON_ZERO;
    for (i = 0; x && i < count; i++)
        if (x[i] == 0) dx[i] = dy[i];
}

void fer_verify_activation_input(struct fer_verification *v, const struct fer_layer *layer, int i, struct fer_sums *s)
{
    const real *dy = fer_verify_load_gradient(v, layer), *y = fer_verify_load_output(v, layer);
    (void)i;
    if (!fer_verify_ready(v)) return;
    if (v->twist == FER_NO_MASK)
        memcpy(s->part, dy, s->count * sizeof *dy);
    else
        fer_relu_backward(s->count, y, dy, s->part);
    fer_verify_pass_at_zero(v, layer, s->count, dy, s->part);
    fer_sums_add_copies(s, &v->arithmetic);
}

/* ---- MaxPooling2D, GlobalMaxPooling2D ---- */

void fer_verify_max_pooling2d(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    const real *x = fer_verify_load_output(v, source(v, layer));
    struct fer_sums s;
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_max_pooling2d_forward(&g, x, s.part);
    tally_copies(v, &s);
}

void fer_verify_max_pooling2d_input(struct fer_verification *v, const struct fer_layer *layer, int i,
                                    struct fer_sums *s)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    real *dy = fer_verify_load_gradient(v, layer);
    const real *x = fer_verify_load_output(v, &v->net.layer[i]);
    v->depends |= FER_ON_TIES;
    if (!fer_verify_ready(v)) return;
    if (v->options->ties == FER_TIES_ANY)
        fer_sums_add_any_max_input(s, &v->arithmetic, &g, x, dy, v->claimed);
    else
        fer_sums_add_max_input(s, &v->arithmetic, &g, v->options->ties, x, dy);
}

/* ---- AveragePooling2D, GlobalAveragePooling2D ---- */

void fer_verify_average_pooling2d(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    real *x = fer_verify_load_output(v, source(v, layer));
    struct fer_sums s;
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_sums_add_average(&s, &v->arithmetic, &g, x);
    fer_verify_tally_sums(v, &s);
}

void fer_verify_average_pooling2d_input(struct fer_verification *v, const struct fer_layer *layer, int i,
                                        struct fer_sums *s)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    real *dy = fer_verify_load_gradient(v, layer);
    (void)i;
    if (fer_verify_ready(v)) fer_sums_add_average_input(s, &v->arithmetic, &g, dy);
}

/* ---- Concatenate ---- */

void fer_verify_concatenate(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x[FER_MAX_INPUTS];
    size_t channels[FER_MAX_INPUTS];
    struct fer_sums s;
    int k;
    for (k = 0; k < layer->inputs; k++) {
        x[k] = fer_verify_load_output(v, &v->net.layer[layer->input[k]]);
        channels[k] = v->net.layer[layer->input[k]].channels;
    }
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_concatenate_forward(fer_verify_rows(v, layer), layer->inputs, channels, x, s.part);
    tally_copies(v, &s);
}

/* An input that stands several times sends back a part for each. */
void fer_verify_concatenate_input(struct fer_verification *v, const struct fer_layer *layer, int i, struct fer_sums *s)
{
    const real *dy = fer_verify_load_gradient(v, layer);
    const size_t width = v->net.layer[i].channels, rows = fer_verify_rows(v, layer);
    size_t before = 0, row;
    int k;
    for (k = 0; k < layer->inputs && fer_verify_ready(v); before += v->net.layer[layer->input[k++]].channels) {
        if (layer->input[k] != i) continue;
        for (row = 0; row < rows; row++)
            memcpy(s->part + row * width, dy + row * layer->channels + before, width * sizeof *dy);
        fer_sums_add_copies(s, &v->arithmetic);
    }
}

/* ---- Dense ---- */

void fer_verify_dense(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_layer *from = source(v, layer);
    real *x = fer_verify_load_output(v, from), *kernel = fer_verify_load_own(v, layer, "kernel");
    const real *bias = fer_verify_load_own(v, layer, "bias");
    struct fer_sums s;
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_sums_add_dense(&s, &v->arithmetic, fer_verify_rows(v, layer), from->channels, layer->channels, x, kernel);
    if (bias) fer_sums_add_bias(&s, &v->arithmetic, layer->channels, bias);
    fer_verify_tally_sums(v, &s);
}

void fer_verify_dense_input(struct fer_verification *v, const struct fer_layer *layer, int i, struct fer_sums *s)
{
    real *dy = fer_verify_load_gradient(v, layer), *kernel = fer_verify_load_own(v, layer, "kernel");
    if (fer_verify_ready(v))
        fer_sums_add_dense_input(s, &v->arithmetic, fer_verify_rows(v, layer), v->net.layer[i].channels,
                                 layer->channels, dy, kernel);
}

void fer_verify_dense_parameters(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_layer *from = source(v, layer);
    struct fer_sums s;
    real *x, *dy;
    if (begin_gradient(v, layer, "kernel")) {
        x = fer_verify_load_output(v, from);
        dy = fer_verify_load_gradient(v, layer);
        if (fer_verify_begin_sums(v, &s)) {
            fer_sums_add_dense_kernel(&s, &v->arithmetic, fer_verify_rows(v, layer), from->channels, layer->channels, x,
                                      dy);
            fer_verify_tally_sums(v, &s);
        }
        fer_verify_finish(v);
    }
    check_column_sums(v, layer, "bias");
}
