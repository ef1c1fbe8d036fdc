/* chain_layers.c - what each kind of layer does to the state of its input (chain.h): the value v, the errors E
 * (proven) and e (likely), and of an open sum the magnitude A of its terms and the number K of roundings that each
 * may meet.
 *
 *     convolution, dense   closes its input; v = sum w x (+ b), A = sum |w||x| (+ |b|), K = the terms (+ 1),
 *                          E = sum |w| E, e = sqrt(sum w^2 e^2)
 *     BatchNormalization   in inference, Rescaling, Normalization: v, A, E, e scaled as y is, K + 8
 *     add                  sums of v, A, E; e as a root of squares; K + 1 each
 *     averages             averages of A, E and e (errors of bias and scale are alike in all cells), K + cells + 2
 *     moved elements       as they are
 *     activations          close; errors by the function's values at v + e and v - e, so 0 where it is flat; and
 *                          their own
 *     maxima               close; the same with the maximum over the window
 *     softmax              closes; p (exp(e_i + sum p_j e_j + (8 + classes + 2 (max - z_i)) u) - 1)
 *     BatchNormalization   in training closes; see below */
#include "chain.h"
#include "functions.h"

#include "../../layers/layers.h"

#include <math.h>
#include <string.h>

static size_t count_of(const struct fer_verification *v, const struct fer_layer *layer)
{
    return fer_layer_count(layer, (size_t)v->n);
}

/* ---- Convolution, Dense ---- */

/* The layer's sum over x, without bias, with this array in its kernel's place. */
static void sum(struct fer_verification *v, const struct fer_layer *layer, const real *x, real *kernel, real *y)
{
    struct fer_parameter *p = &v->net.parameter[fer_layer_parameter(&v->net, layer, "kernel") - v->net.parameter];
    struct fer_layer *mine = &v->net.layer[layer - v->net.layer];
    const int bias = mine->bias;
    p->value = kernel;
    mine->bias = 0;
    fer_verify_compute(v, layer, &x, y);
    p->value = NULL;
    mine->bias = bias;
}

/* Where it is a convolution by Winograd's algorithm: its errors in place of the roundings so far. */
static int allow_winograd(struct fer_verification *v, const struct fer_layer *layer, const real *x,
                          struct fer_state *out)
{
    const int tile = v->options->winograd;
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    const real *kernel;
    real *magnitude;
    size_t i;
    if (!fer_winograd_applies(&g)) return 0;
    v->depends |= FER_ON_WINOGRAD;
    if (!tile) return 0;
    kernel = fer_verify_load_own(v, layer, "kernel");
    magnitude = fer_verify_hold(v, out->count);
    if (!magnitude || fer_winograd_magnitude(&g, tile, 0, x, kernel, magnitude, v->e)) return v->failed = 1, -1;
    for (i = 0; i < out->count; i++) {
        const struct fer_bound b = fer_winograd_bound(&v->arithmetic, tile, g.in_c, (double)magnitude[i]);
        out->E[i] += (real)b.proven;
        out->e[i] = (real)sqrt(out->e[i] * out->e[i] + b.likely * b.likely);
        out->K[i] = (real)layer->bias;
    }
    return 0;
}

int fer_chain_linear(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *inputs,
                     struct fer_state *out)
{
    const struct fer_parameter *p = fer_layer_parameter(&v->net, layer, "kernel");
    struct fer_state room;
    const struct fer_state *in = fer_state_closed(v, inputs[0], &room);
    real *kernel = fer_verify_load_own(v, layer, "kernel"), *bias = fer_verify_load_own(v, layer, "bias");
    real *x = in && fer_verify_ready(v) ? fer_verify_hold(v, in->count) : NULL;
    size_t i;
    if (!x || !fer_verify_ready(v) || fer_state_allocate(v, out, count_of(v, layer), 1)) return -1;
    sum(v, layer, in->v, kernel, out->v);
    for (i = 0; i < p->count; i++) kernel[i] = (real)fabs(kernel[i]);
    for (i = 0; i < in->count; i++) x[i] = (real)fabs(in->v[i]);
    sum(v, layer, x, kernel, out->A);
    sum(v, layer, in->E, kernel, out->E);
    for (i = 0; i < p->count; i++) kernel[i] *= kernel[i];
    for (i = 0; i < in->count; i++) x[i] = in->e[i] * in->e[i];
    sum(v, layer, x, kernel, out->e);
    for (i = 0; i < p->count; i++) kernel[i] = 1;
    for (i = 0; i < in->count; i++) x[i] = 1;
    sum(v, layer, x, kernel, out->K);
    for (i = 0; i < out->count; i++) {
        /* factors, first */
        const double rounded = v->arithmetic.factor * (2 + v->arithmetic.factor) * (double)out->A[i];
        out->e[i] = (real)(sqrt((double)out->e[i]) + rounded);
        out->E[i] += (real)rounded;
        if (!bias) continue;
        out->v[i] += bias[i % layer->channels];
        out->A[i] += (real)fabs(bias[i % layer->channels]);
        out->K[i] += 1;
    }
    return allow_winograd(v, layer, in->v, out);
}

/* ---- What scales and shifts: the sum stays open ---- */

/* verify's real is double. NULL: the check cannot be made. */
static double *hold_doubles(struct fer_verification *v, size_t count)
{
    real *memory = fer_verify_ready(v) ? fer_verify_hold(v, count) : NULL;
    return (double *)(void *)memory;
}

static int scale_and_shift(struct fer_verification *v, const struct fer_layer *layer, const struct fer_state *in,
                           struct fer_state *out, const double *scale, const double *shift, const double *mean)
{
    size_t i;
    if (fer_state_allocate(v, out, count_of(v, layer), 1)) return -1;
    for (i = 0; i < out->count; i++) {
        const size_t c = i % layer->channels;
        const double s = fabs(scale[c]);
        out->v[i] = (real)((in->v[i] - mean[c]) * scale[c] + shift[c]);
        out->A[i] = (real)(s * (fer_state_magnitude(in, i) + fabs(mean[c])) + fabs(shift[c]));
        out->K[i] = (real)(fer_state_roundings(in, i) + 8);
        out->E[i] = (real)(s * in->E[i]);
        out->e[i] = (real)(s * in->e[i]);
    }
    return 0;
}

int fer_chain_rescaling(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in,
                        struct fer_state *out)
{
    const real *constants = v->net.constants + layer->constants;
    double *scale = hold_doubles(v, 3 * layer->channels), *shift, *mean; /* the mean is 0 */
    size_t c;
    if (!scale) return -1;
    shift = scale + layer->channels, mean = shift + layer->channels;
    for (c = 0; c < layer->channels; c++) {
        scale[c] = (double)constants[c];
        shift[c] = (double)constants[layer->channels + c];
    }
    return scale_and_shift(v, layer, in[0], out, scale, shift, mean);
}

int fer_chain_normalization(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in,
                            struct fer_state *out)
{
    const real *mean = fer_verify_load_own(v, layer, "mean"), *variance = fer_verify_load_own(v, layer, "variance");
    double *scale = hold_doubles(v, 3 * layer->channels), *shift, *means; /* the shift is 0 */
    size_t c;
    if (!scale) return -1;
    shift = scale + layer->channels, means = shift + layer->channels;
    for (c = 0; c < layer->channels; c++) {
        const double root = sqrt((double)variance[c]);
        scale[c] = 1 / (root < 1e-7 ? 1e-7 : root);
        means[c] = (double)mean[c];
    }
    return scale_and_shift(v, layer, in[0], out, scale, shift, means);
}

/* ---- BatchNormalization ---- */

/* In training mode. With h = (x - m) s, an error d of x changes m by its mean and the variance by 2 mean(h d) / s and
 * less, so that y changes by gamma (s (d + mean d)(1 + R) + h R), where R bounds the relative change of s:
 *
 *     dV = 2 mean(|x - m| E) + mean(E^2),  R = 1 / sqrt(1 - dV / (V + epsilon)) - 1
 *     E <- |gamma| (s (E + mean E)(1 + R) + |h| R)
 *     e <- |gamma| s sqrt(e^2 + (mean e)^2 + (h mean(|h| e))^2)
 *
 * and its own roundings come in as those of an array that is there (bounds_normalization.c). */
struct fer_shift fer_shift_of(const struct fer_state *in, size_t channels, size_t c, double epsilon)
{
    const double rows = (double)(in->count / channels);
    struct fer_shift t = {0};
    double variance = 0;
    size_t i;
    for (i = c; i < in->count; i += channels) t.mean += in->v[i], t.mean_E += in->E[i], t.mean_e += in->e[i];
    t.mean /= rows, t.mean_E /= rows, t.mean_e /= rows;
    for (i = c; i < in->count; i += channels) {
        const double d = in->v[i] - t.mean;
        variance += d * d;
        t.dV += 2 * fabs(d) * in->E[i] + in->E[i] * in->E[i];
        t.r += fabs(d) * in->e[i];
    }
    variance /= rows, t.dV /= rows;
    t.scale = 1 / sqrt(variance + epsilon);
    t.r *= t.scale * t.scale / rows;
    t.R = t.dV < variance + epsilon ? 1 / sqrt(1 - t.dV / (variance + epsilon)) - 1 : INFINITY;
    return t;
}

double fer_shift_proven(const struct fer_shift *t, double h, double E)
{
    return t->scale * (E + t->mean_E) * (1 + t->R) + (t->R > 0 ? fabs(h) * t->R : 0);
}

static void normalise_channel(const struct fer_state *in, struct fer_state *out, size_t channels, size_t c,
                              double epsilon, double gamma, double beta)
{
    const struct fer_shift t = fer_shift_of(in, channels, c, epsilon);
    const double g = fabs(gamma);
    size_t i;
    for (i = c; i < in->count; i += channels) {
        const double h = (in->v[i] - t.mean) * t.scale, e = t.scale * in->e[i], mean_e = t.scale * t.mean_e;
        out->v[i] = (real)(h * gamma + beta);
        out->E[i] = (real)(g * fer_shift_proven(&t, h, in->E[i]));
        out->e[i] = (real)(g * sqrt(e * e + mean_e * mean_e + h * t.r * h * t.r));
    }
}

static int chain_training(struct fer_verification *v, const struct fer_layer *layer, const struct fer_state *input,
                          struct fer_state *out)
{
    struct fer_state room;
    const struct fer_state *in = fer_state_closed(v, input, &room);
    const size_t rows = fer_verify_rows(v, layer), channels = layer->channels;
    const real *gamma = fer_verify_load_own(v, layer, "gamma"), *beta = fer_verify_load_own(v, layer, "beta");
    struct fer_channel *channel;
    size_t i, c;
    if (!in || !fer_verify_ready(v) || fer_state_allocate(v, out, in->count, 0)) return -1;
    channel = fer_allocate(channels, sizeof *channel, v->e);
    if (!channel || fer_channels(channel, &v->arithmetic, rows, channels, in->v, layer->epsilon, v->e))
        return fer_free(channel), v->failed = 1, -1;
    if (gamma) fer_channels_scale(channel, &v->arithmetic, channels, gamma);
    for (c = 0; c < channels; c++)
        normalise_channel(in, out, channels, c, layer->epsilon, gamma ? (double)gamma[c] : 1,
                          beta ? (double)beta[c] : 0);
    for (i = 0; i < out->count; i++) {
        const double shift = beta ? (double)beta[i % channels] : 0;
        const struct fer_bound own = fer_normalization_bound(&v->arithmetic, &channel[i % channels],
                                                             (double)in->v[i], shift);
        out->E[i] += (real)own.proven;
        out->e[i] = (real)sqrt(out->e[i] * out->e[i] + own.likely * own.likely);
    }
    fer_free(channel);
    return 0;
}

int fer_chain_batch_normalization(struct fer_verification *v, const struct fer_layer *layer,
                                  struct fer_state *const *in, struct fer_state *out)
{
    real *mean, *variance, *gamma, *beta;
    double *scale, *shift, *means;
    size_t c;
    v->depends |= FER_ON_EPSILON | (fer_layer_takes_statistics(layer) ? FER_ON_STATISTICS : 0);
    if (!v->options->inference && fer_layer_takes_statistics(layer)) return chain_training(v, layer, in[0], out);
    mean = fer_verify_load_own(v, layer, "mean"), variance = fer_verify_load_own(v, layer, "variance");
    gamma = fer_verify_load_own(v, layer, "gamma"), beta = fer_verify_load_own(v, layer, "beta");
    if (!(scale = hold_doubles(v, 3 * layer->channels))) return -1;
    fer_twist_scaling(v->twist, layer->channels, layer->epsilon, mean, variance, gamma, beta);
    shift = scale + layer->channels, means = shift + layer->channels;
    for (c = 0; c < layer->channels; c++) {
        scale[c] = (gamma ? (double)gamma[c] : 1) / sqrt((double)variance[c] + layer->epsilon);
        shift[c] = beta ? (double)beta[c] : 0;
        means[c] = (double)mean[c];
    }
    return scale_and_shift(v, layer, in[0], out, scale, shift, means);
}

/* ---- Add, Multiply ---- */

int fer_chain_add(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in,
                  struct fer_state *out)
{
    size_t i;
    int k;
    if (fer_state_allocate(v, out, count_of(v, layer), 1)) return -1;
    for (i = 0; i < out->count; i++) {
        double squares = 0;
        for (k = 0; k < layer->inputs; k++) {
            out->v[i] += in[k]->v[i];
            out->A[i] += (real)fer_state_magnitude(in[k], i);
            out->K[i] += (real)(fer_state_roundings(in[k], i) + 1);
            out->E[i] += in[k]->E[i];
            squares += in[k]->e[i] * in[k]->e[i];
        }
        out->e[i] = (real)sqrt(squares);
    }
    return 0;
}

/* Closes; the error of a product a b is |a| E_b + |b| E_a + E_a E_b, and its own rounding. */
int fer_chain_multiply(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *inputs,
                       struct fer_state *out)
{
    const size_t cells = layer->height * layer->width, channels = layer->channels;
    struct fer_state room[FER_MAX_INPUTS];
    const struct fer_state *in[FER_MAX_INPUTS];
    int k, failed = fer_state_allocate(v, out, count_of(v, layer), 0);
    size_t i;
    for (k = 0; k < layer->inputs; k++) failed |= !(in[k] = fer_state_closed(v, inputs[k], &room[k]));
    for (i = 0; i < out->count && !failed; i++) {
        double value = 1, E = 0, squares = 0;
        for (k = 0; k < layer->inputs; k++) {
            const size_t n = i / (cells * channels), at = in[k]->count == out->count ? i : n * channels + i % channels;
            const double b = in[k]->v[at], eb = in[k]->e[at];
            E = fabs(value) * in[k]->E[at] + (fabs(b) + in[k]->E[at]) * E;
            squares = value * eb * value * eb + (b * b + eb * eb) * squares;
            value *= b;
        }
        E += layer->inputs * v->arithmetic.sum * (fabs(value) + E);
        out->v[i] = (real)value;
        out->E[i] = (real)E;
        out->e[i] = (real)(sqrt(squares) + layer->inputs * v->arithmetic.sum * fabs(value));
    }
    return failed ? -1 : 0;
}

/* ---- What only moves elements ---- */

/* Open, when one of several inputs is: then the others are sums of one term. */
static int open_all(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in)
{
    int open = 0, k;
    size_t i;
    for (k = 0; k < layer->inputs; k++) open |= in[k]->A != NULL;
    for (k = 0; k < layer->inputs && open; k++) {
        if (in[k]->A) continue;
        in[k]->A = fer_allocate(in[k]->count, sizeof *in[k]->A, v->e);
        in[k]->K = fer_allocate(in[k]->count, sizeof *in[k]->K, v->e);
        if (!in[k]->A || !in[k]->K) return v->failed = 1, -1;
        for (i = 0; i < in[k]->count; i++) in[k]->A[i] = (real)fabs(in[k]->v[i]);
    }
    return open;
}

int fer_chain_moved(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in,
                    struct fer_state *out)
{
    const int open = open_all(v, layer, in);
    const real *x[5][FER_MAX_INPUTS];
    int k;
    if (open < 0 || fer_state_allocate(v, out, count_of(v, layer), open)) return -1;
    for (k = 0; k < layer->inputs; k++)
        x[0][k] = in[k]->v, x[1][k] = in[k]->E, x[2][k] = in[k]->e, x[3][k] = in[k]->A, x[4][k] = in[k]->K;
    fer_verify_compute(v, layer, x[0], out->v);
    fer_verify_compute(v, layer, x[1], out->E);
    fer_verify_compute(v, layer, x[2], out->e);
    if (open) fer_verify_compute(v, layer, x[3], out->A);
    if (open) fer_verify_compute(v, layer, x[4], out->K);
    return 0;
}

int fer_chain_dropout(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in,
                      struct fer_state *out)
{
    if (!v->options->inference && !layer->inference && layer->rate > 0)
        return -1; /* which elements, only its output says */
    return fer_chain_moved(v, layer, in, out);
}

/* ---- Averages ---- */

int fer_chain_average(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *in,
                      struct fer_state *out)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    size_t i;
    if (fer_state_allocate(v, out, count_of(v, layer), 1)) return -1;
    fer_average_pooling2d_forward(&g, in[0]->v, out->v);
    fer_average_pooling2d_forward(&g, in[0]->E, out->E);
    fer_average_pooling2d_forward(&g, in[0]->e, out->e);
    if (in[0]->A) {
        fer_average_pooling2d_forward(&g, in[0]->A, out->A);
        fer_max_pooling2d_forward(&g, in[0]->K, out->K);
    } else {
        real *x = fer_verify_hold(v, in[0]->count);
        if (!x) return -1;
        for (i = 0; i < in[0]->count; i++) x[i] = (real)fabs(in[0]->v[i]);
        fer_average_pooling2d_forward(&g, x, out->A);
    }
    for (i = 0; i < out->count; i++) out->K[i] += (real)(g.kernel_h * g.kernel_w + 2);
    return 0;
}

/* ---- Maxima, activations ---- */

/* How far y, the layer's function of x, may move when each x may move by d: the larger of f(x + d) - y and
 * y - f(x - d); or by the steepest slope. */
static int move(struct fer_verification *v, const struct fer_layer *layer, const struct fer_state *in, const real *d,
                const struct fer_state *out, real *error)
{
    const double steepest = fer_functions[layer->type].steepest;
    const int held = v->held_count;
    real *moved = fer_verify_hold(v, in->count), *down = moved ? fer_verify_hold(v, out->count) : NULL;
    const real *x = moved;
    size_t i;
    if (!down) return -1;
    for (i = 0; i < in->count; i++) moved[i] = in->v[i] + d[i];
    fer_verify_compute(v, layer, &x, error);
    for (i = 0; i < in->count; i++) moved[i] = in->v[i] - d[i];
    fer_verify_compute(v, layer, &x, down);
    for (i = 0; i < out->count; i++) {
        const real above = error[i] - out->v[i], below = out->v[i] - down[i], most = above > below ? above : below;
        error[i] = steepest > 0 ? (real)(steepest * (double)d[i]) : most > 0 ? most : 0;
    }
    fer_verify_release(v, held);
    return 0;
}

int fer_chain_maximum(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *inputs,
                      struct fer_state *out)
{
    struct fer_state room;
    const struct fer_state *in = fer_state_closed(v, inputs[0], &room);
    const real *x;
    if (!in || fer_state_allocate(v, out, count_of(v, layer), 0)) return -1;
    x = in->v;
    fer_verify_compute(v, layer, &x, out->v);
    return move(v, layer, in, in->E, out, out->E) || move(v, layer, in, in->e, out, out->e) ? -1 : 0;
}

/* As of a maximum, and the function's own errors. */
int fer_chain_activation(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *inputs,
                         struct fer_state *out)
{
    size_t i;
    if (fer_chain_maximum(v, layer, inputs, out)) return -1;
    for (i = 0; i < out->count; i++) {
        const struct fer_own_error own =
            fer_functions[layer->type].forward(layer, (double)inputs[0]->v[i], (double)out->v[i]);
        out->E[i] += (real)(own.roundings * v->arithmetic.sum * own.magnitude);
        out->e[i] += (real)(own.roundings * v->arithmetic.sum * own.magnitude);
    }
    return 0;
}

/* ---- Softmax ---- */

int fer_chain_softmax(struct fer_verification *v, const struct fer_layer *layer, struct fer_state *const *inputs,
                      struct fer_state *out)
{
    const size_t classes = layer->channels;
    size_t row, k;
    struct fer_state room;
    const struct fer_state *in = fer_state_closed(v, inputs[0], &room);
    if (!in || fer_state_allocate(v, out, count_of(v, layer), 0)) return -1;
    fer_softmax(out->count / classes, classes, in->v, out->v);
    for (row = 0; row < out->count; row += classes) {
        const real *p = out->v + row, *z = in->v + row;
        double mean_E = 0, mean_e = 0, most = (double)z[0];
        for (k = 0; k < classes; k++) {
            mean_E += p[k] * in->E[row + k], mean_e += p[k] * in->e[row + k];
            if (z[k] > most) most = (double)z[k];
        }
        for (k = 0; k < classes; k++) {
            const double own = (8 + (double)classes + 2 * (most - z[k])) * v->arithmetic.sum;
            out->E[row + k] = (real)(p[k] * (fer_exp(in->E[row + k] + mean_E + own) - 1) + 8 * v->arithmetic.sum_least);
            out->e[row + k] = (real)(p[k] * (fer_exp(in->e[row + k] + mean_e + own) - 1) + 8 * v->arithmetic.sum_least);
        }
    }
    return 0;
}
