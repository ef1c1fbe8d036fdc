/* chain_parameters.c - the gradients of a layer's parameters, where its input or the gradient of its output is not
 * in the record but computed, with errors (chain.h). The sums over the cells take e as the root of squares and c as
 * a sum:
 *
 *     kernel        E = sum of (|x| + E_x) E + E_x |dy|,
 *                   e = sqrt(sum of (x^2 + e_x^2) e^2 + e_x^2 dy^2),  c = sum of |x| c
 *     bias, beta    E = sum of E,  e = sqrt(sum of e^2),  c = sum of c
 *     gamma         as a kernel of h = (x - m) s, whose error is s (e_x - mean(e_x)) - h r, r the change of s
 *                   (fer_shift_of)
 *
 * and its own roundings come in as those of arrays that are there. */
#include "checks.h"

#include <math.h>
#include <string.h>

/* A state of `count` elements with the values and own bounds of s. */
static int begin_state(struct fer_verification *v, const struct fer_sums *s, struct fer_state *out)
{
    size_t k;
    if (fer_state_allocate_gradient(v, out, s->count)) return -1;
    for (k = 0; k < s->count; k++) {
        const struct fer_bound own = fer_sums_bound(s, &v->arithmetic, k);
        out->v[k] = s->truth[k];
        out->E[k] = (real)own.proven;
        out->e[k] = (real)own.likely;
    }
    out->own = fer_chain_sees(out->count, out->v, out->e);
    for (k = 0; k < out->count; k++) { /* squares, until the root is taken */
        const double own = out->e[k] * fer_chain_few((double)s->roundings[k]);
        out->e[k] = (real)(own * own);
    }
    return 0;
}

static void take_roots(struct fer_state *out)
{
    size_t k;
    for (k = 0; k < out->count; k++) out->e[k] = (real)sqrt((double)out->e[k]);
}

/* ---- Sums over columns: of a bias, and of beta ---- */

static int column_sums(struct fer_verification *v, const struct fer_layer *layer, const struct fer_state *dy,
                       struct fer_state *out)
{
    const size_t channels = layer->channels;
    struct fer_sums s;
    size_t k;
    if (!fer_verify_hold_sums(v, &s, channels)) return -1;
    fer_sums_add_columns(&s, &v->arithmetic, dy->count / channels, channels, dy->v);
    if (begin_state(v, &s, out)) return -1;
    for (k = 0; k < dy->count; k++) {
        out->E[k % channels] += dy->E[k];
        out->e[k % channels] += dy->e[k] * dy->e[k];
        out->c[k % channels] += dy->c[k];
    }
    take_roots(out);
    return 0;
}

/* ---- Kernels ---- */

static real *filled(real *to, size_t count, const real *value, const real *error, int square)
{
    size_t k;
    for (k = 0; k < count; k++) {
        const double x = value ? fabs(value[k]) : 0, d = error ? (double)error[k] : 0;
        to[k] = (real)(square ? x * x + d * d : x + d);
    }
    return to;
}

static void add_kernel(const struct fer_window *g, const real *x, const real *dy, size_t count, real *part, real *sum)
{
    size_t k;
    fer_convolve_kernel(g, x, dy, part);
    for (k = 0; k < count; k++) sum[k] += part[k];
}

int fer_chain_linear_gradient(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                              const struct fer_state *input, const struct fer_state *dy, struct fer_state *out)
{
    const struct fer_window g = fer_verify_window(v, layer);
    struct fer_state room;
    const struct fer_state *x;
    struct fer_sums s;
    real *of_x, *of_dy;
    if (fer_parameter_is(p, "bias")) return column_sums(v, layer, dy, out);
    if (!(x = fer_state_closed(v, input, &room))) return -1;
    of_x = fer_verify_hold(v, x->count), of_dy = of_x ? fer_verify_hold(v, dy->count) : NULL;
    if (!of_dy || !fer_verify_hold_sums(v, &s, p->count)) return -1;
    memcpy(of_x, x->v, x->count * sizeof *of_x), memcpy(of_dy, dy->v, dy->count * sizeof *of_dy);
    fer_sums_add_conv2d_kernel(&s, &v->arithmetic, &g, of_x, of_dy);
    if (begin_state(v, &s, out)) return -1;
    add_kernel(&g, filled(of_x, x->count, x->v, x->E, 0), dy->E, p->count, s.part, out->E);
    add_kernel(&g, x->E, filled(of_dy, dy->count, dy->v, NULL, 0), p->count, s.part, out->E);
    filled(of_x, x->count, x->v, x->e, 1);
    add_kernel(&g, of_x, filled(of_dy, dy->count, NULL, dy->e, 1), p->count, s.part, out->e);
    filled(of_x, x->count, NULL, x->e, 1);
    add_kernel(&g, of_x, filled(of_dy, dy->count, dy->v, NULL, 1), p->count, s.part, out->e);
    add_kernel(&g, filled(of_x, x->count, x->v, NULL, 0), dy->c, p->count, s.part, out->c);
    take_roots(out);
    return 0;
}

/* ---- BatchNormalization ---- */

/* Of gamma's gradient, channel c, the errors that those of x and dy make. */
static void add_gamma_errors(const struct fer_state *x, const struct fer_state *dy, size_t channels, size_t c,
                             const struct fer_shift *t, struct fer_state *out)
{
    double sum = 0, sum_h = 0, E = 0, squares = 0, common = 0;
    size_t k;
    for (k = c; k < x->count; k += channels) {
        const double h = (x->v[k] - t->mean) * t->scale, E_h = fer_shift_proven(t, h, (double)x->E[k]);
        const double of_x = t->scale * x->e[k] * dy->v[k], of_dy = (fabs(h) + t->scale * x->e[k]) * dy->e[k];
        sum += dy->v[k], sum_h += dy->v[k] * h;
        E += (fabs(h) + E_h) * dy->E[k] + E_h * fabs(dy->v[k]);
        squares += of_x * of_x + of_dy * of_dy;
        common += fabs(h) * dy->c[k];
    }
    out->E[c] += (real)E;
    out->e[c] = (real)sqrt((double)out->e[c] * (double)out->e[c] + squares);
    out->c[c] = (real)(common + t->scale * t->mean_e * fabs(sum) + t->r * fabs(sum_h));
}

int fer_chain_batch_normalization_gradient(struct fer_verification *v, const struct fer_layer *layer,
                                           const struct fer_parameter *p, const struct fer_state *input,
                                           const struct fer_state *dy, struct fer_state *out)
{
    const int takes = fer_layer_takes_statistics(layer);
    const size_t channels = layer->channels;
    struct fer_channel *channel;
    struct fer_bound *bound;
    struct fer_state room;
    const struct fer_state *x;
    size_t c;
    int failed;
    if (fer_parameter_is(p, "beta")) return column_sums(v, layer, dy, out);
    if (!(x = fer_state_closed(v, input, &room))) return -1;
    channel = fer_verify_load_channels(v, layer, x->v);
    bound = channel ? fer_allocate(channels, sizeof *bound, v->e) : NULL;
    failed = !bound || fer_state_allocate_gradient(v, out, channels) ||
             fer_gamma_gradient(&v->arithmetic, channel, fer_verify_rows(v, layer), channels, x->v, dy->v, out->v,
                                bound, v->e);
    if (failed && fer_verify_ready(v)) v->failed = 1;
    for (c = 0; c < channels && !failed; c++) {
        out->E[c] = (real)bound[c].proven;
        out->e[c] = (real)bound[c].likely;
    }
    if (!failed) out->own = fer_chain_sees(channels, out->v, out->e);
    for (c = 0; c < channels && !failed; c++) {
        const struct fer_shift given = {channel[c].mean, channel[c].scale, 0, 0, 0, 0, 0};
        const struct fer_shift t = takes ? fer_shift_of(x, channels, c, layer->epsilon) : given;
        add_gamma_errors(x, dy, channels, c, &t, out);
    }
    fer_free(channel), fer_free(bound);
    return failed ? -1 : 0;
}
