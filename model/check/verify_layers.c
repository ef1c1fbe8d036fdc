/* verify_layers.c - what verify does about each kind of layer: its output, what it sends back to its input, and the
 * gradients of its parameters, each against the bound of bounds_*.c. checks.c lists these functions. */
#include "checks.h"

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

/* ---- Conv2D, DepthwiseConv2D, Dense ---- */

/* Winograd's bound in place of the sum's, or, of one share of several, beside it. x and the kernel are as they were
 * or their absolute values. */
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

void fer_verify_linear(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_window g = fer_verify_window(v, layer);
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

void fer_verify_linear_input(struct fer_verification *v, const struct fer_layer *layer, int i, struct fer_sums *s)
{
    const struct fer_window g = fer_verify_window(v, layer);
    real *dy = fer_verify_load_gradient(v, layer), *kernel = fer_verify_load_own(v, layer, "kernel");
    (void)i;
    if (!fer_verify_ready(v)) return;
    fer_sums_add_conv2d_input(s, &v->arithmetic, &g, dy, kernel);
    allow_winograd(v, &g, 1, dy, kernel, s);
}

void fer_verify_linear_parameters(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_window g = fer_verify_window(v, layer);
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

/* ---- MaxPooling2D, GlobalMaxPooling2D ---- */

void fer_verify_maximum_input(struct fer_verification *v, const struct fer_layer *layer, int i,
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

void fer_verify_average(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    real *x = fer_verify_load_output(v, source(v, layer));
    struct fer_sums s;
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_sums_add_average(&s, &v->arithmetic, &g, x);
    fer_verify_tally_sums(v, &s);
}

void fer_verify_average_input(struct fer_verification *v, const struct fer_layer *layer, int i,
                                        struct fer_sums *s)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    real *dy = fer_verify_load_gradient(v, layer);
    (void)i;
    if (fer_verify_ready(v)) fer_sums_add_average_input(s, &v->arithmetic, &g, dy);
}
