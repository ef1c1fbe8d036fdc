/* verify_elements.c - as verify_layers.c, of layers that go through their input element by element, or move elements
 * to other places. */
#include "checks.h"
#include "functions.h"

#include <math.h>
#include <string.h>

static const struct fer_layer *source(const struct fer_verification *v, const struct fer_layer *layer)
{
    return &v->net.layer[layer->input[0]];
}

/* Adds a term to element i. */
static void add_term(struct fer_sums *s, size_t i, double term, double magnitude, double roundings)
{
    s->truth[i] += (real)term;
    s->magnitude[i] += (real)magnitude;
    s->roundings[i] += (real)roundings;
}

/* The input, when the check of a layer's output can be made. */
static const real *begin(struct fer_verification *v, const struct fer_layer *layer, struct fer_sums *s)
{
    const real *x = fer_verify_load_output(v, source(v, layer));
    if (!fer_verify_begin_sums(v, s)) return NULL;
    fer_sums_begin_terms(s, &v->arithmetic);
    return x;
}

/* dy, when a share of the gradient of a layer's input can be computed. */
static const real *begin_input(struct fer_verification *v, const struct fer_layer *layer, struct fer_sums *s)
{
    const real *dy = fer_verify_load_gradient(v, layer);
    if (!fer_verify_ready(v)) return NULL;
    fer_sums_begin_terms(s, &v->arithmetic);
    return dy;
}

/* ---- Functions of one number ---- */

void fer_verify_function(struct fer_verification *v, const struct fer_layer *layer)
{
    struct fer_sums s;
    const real *x = begin(v, layer, &s);
    size_t i;
    if (!x) return;
    fer_verify_compute(v, layer, &x, s.part);
    for (i = 0; i < s.count; i++) {
        const struct fer_own_error own = fer_functions[layer->type].forward(layer, (double)x[i], (double)s.part[i]);
        add_term(&s, i, (double)s.part[i], own.magnitude, own.roundings);
    }
    fer_verify_tally_sums(v, &s);
}

/* With --relu-at-zero 1 the gradient passes where x is 0, too, which the output does not tell. */
static void pass_at_zero(struct fer_verification *v, const struct fer_layer *layer, size_t count, const real *dy,
                         real *dx)
{
    const real *x = v->options->relu_at_zero ? fer_verify_load_output(v, source(v, layer)) : NULL;
    size_t i;
    v->depends |= FER_ON_ZERO;
    for (i = 0; x && i < count; i++)
        if (x[i] == 0) dx[i] = dy[i];
}

void fer_verify_function_input(struct fer_verification *v, const struct fer_layer *layer, int input, struct fer_sums *s)
{
    const struct fer_function *f = &fer_functions[layer->type];
    const real *dy = fer_verify_load_gradient(v, layer);
    const real *at = fer_verify_load_output(v, fer_kinds[layer->type].backward_reads_input ? source(v, layer) : layer);
    size_t i;
    (void)input;
    if (!fer_verify_ready(v)) return;
    if (v->twist == FER_NO_MASK && !f->backward)
        memcpy(s->part, dy, s->count * sizeof *dy);
    else
        fer_verify_compute_backward(v, layer, 0, at, dy, s->part);
    if (f->bends) pass_at_zero(v, layer, s->count, dy, s->part);
    if (!f->backward) {
        fer_sums_add_copies(s, &v->arithmetic);
        return;
    }
    fer_sums_begin_terms(s, &v->arithmetic);
    for (i = 0; i < s->count; i++) {
        const struct fer_own_error own = f->backward(layer, (double)at[i], (double)dy[i], (double)s->part[i]);
        add_term(s, i, (double)s->part[i], own.magnitude, own.roundings);
    }
}

/* ---- softmax: along the channels; its gradient is a sum of as many products ---- */

void fer_verify_softmax(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x = fer_verify_load_output(v, source(v, layer));
    if (fer_verify_ready(v))
        fer_tally_softmax(&v->tally, &v->arithmetic, FER_PROBABILITIES, (int)fer_verify_rows(v, layer),
                          (int)layer->channels, x, NULL, v->claimed);
}

void fer_verify_softmax_input(struct fer_verification *v, const struct fer_layer *layer, int input, struct fer_sums *s)
{
    const real *dy = begin_input(v, layer, s), *y = fer_verify_load_output(v, layer);
    const size_t classes = layer->channels;
    size_t i, k;
    (void)input;
    if (!dy || !fer_verify_ready(v)) return;
    fer_softmax_backward(s->count / classes, classes, y, dy, s->part);
    for (i = 0; i < s->count; i++) {
        const size_t row = i - i % classes;
        double sum = fabs(dy[i]);
        for (k = row; k < row + classes; k++) sum += fabs(dy[k] * y[k]);
        add_term(s, i, s->part[i], fabs(y[i]) * sum, (double)classes + 4);
    }
}

/* ---- Add, Multiply ---- */

/* The outputs that a layer takes from, and how many cells each has. */
static void load_inputs(struct fer_verification *v, const struct fer_layer *layer, const real **x, size_t *cells)
{
    int k;
    for (k = 0; k < layer->inputs; k++) {
        const struct fer_layer *from = &v->net.layer[layer->input[k]];
        x[k] = fer_verify_load_output(v, from);
        cells[k] = from->height * from->width;
    }
}

void fer_verify_add(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x[FER_MAX_INPUTS];
    size_t cells[FER_MAX_INPUTS], i;
    struct fer_sums s;
    int k;
    load_inputs(v, layer, x, cells);
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_sums_begin_terms(&s, &v->arithmetic);
    for (i = 0; i < s.count; i++)
        for (k = 0; k < layer->inputs; k++) add_term(&s, i, x[k][i], fabs(x[k][i]), k > 0);
    fer_verify_tally_sums(v, &s);
}

/* A product of so many factors, each of which may have been rounded first. */
static void allow_rounded_factors(struct fer_sums *s, const struct fer_verification *v, const struct fer_layer *layer)
{
    const double each = layer->inputs * v->arithmetic.input, error = each * (1 + each);
    if (s->input_error < error) s->input_error = error;
}

void fer_verify_multiply(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x[FER_MAX_INPUTS];
    size_t cells[FER_MAX_INPUTS], i;
    struct fer_sums s;
    load_inputs(v, layer, x, cells);
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_sums_begin_terms(&s, &v->arithmetic);
    allow_rounded_factors(&s, v, layer);
    fer_multiply_forward((size_t)v->n, layer->channels, layer->inputs, cells, layer->height * layer->width, x, s.part);
    for (i = 0; i < s.count; i++) add_term(&s, i, s.part[i], fabs(s.part[i]), layer->inputs);
    fer_verify_tally_sums(v, &s);
}

/* The magnitude of a sum over cells is the same function of absolute values, in s->part once more. */
static void add_products(struct fer_verification *v, const struct fer_layer *layer, int k, const size_t *cells,
                         const real *const *x, const real *dy, struct fer_sums *s)
{
    const size_t out_cells = layer->height * layer->width;
    real *dx[FER_MAX_INPUTS] = {NULL};
    size_t i;
    dx[k] = s->part;
    fer_multiply_backward((size_t)v->n, layer->channels, layer->inputs, cells, out_cells, x, dy, dx);
    for (i = 0; i < s->count; i++)
        add_term(s, i, s->part[i], fabs(s->part[i]), layer->inputs + (cells[k] < out_cells ? (double)out_cells : 0));
}

void fer_verify_multiply_input(struct fer_verification *v, const struct fer_layer *layer, int input, struct fer_sums *s)
{
    const real *x[FER_MAX_INPUTS], *dy = begin_input(v, layer, s);
    const size_t out_cells = layer->height * layer->width;
    size_t cells[FER_MAX_INPUTS], count, i, j;
    int k;
    allow_rounded_factors(s, v, layer);
    load_inputs(v, layer, x, cells);
    for (k = 0; k < layer->inputs && dy && fer_verify_ready(v); k++) {
        real *absolute[FER_MAX_INPUTS], *of_dy, *dx[FER_MAX_INPUTS] = {NULL};
        if (layer->input[k] != input) continue;
        add_products(v, layer, k, cells, x, dy, s);
        if (cells[k] == out_cells) continue;
        /* a sum: its magnitude, from absolute values, in place of that of its result */
        for (i = 0; i < s->count; i++) s->magnitude[i] -= (real)fabs(s->part[i]);
        of_dy = fer_verify_hold(v, count = fer_layer_count(layer, (size_t)v->n));
        for (i = 0; of_dy && i < count; i++) of_dy[i] = (real)fabs(dy[i]);
        for (j = 0; j < (size_t)layer->inputs && of_dy; j++) {
            absolute[j] = fer_verify_hold(v, count = (size_t)v->n * cells[j] * layer->channels);
            if (!absolute[j]) return;
            for (i = 0; i < count; i++) absolute[j][i] = (real)fabs(x[j][i]);
        }
        if (!of_dy) return;
        dx[k] = s->part;
        fer_multiply_backward((size_t)v->n, layer->channels, layer->inputs, cells, out_cells,
                              (const real *const *)absolute, of_dy, dx);
        for (i = 0; i < s->count; i++) s->magnitude[i] += s->part[i];
    }
}

/* ---- What copies elements, or the largest of several, and rounds nothing ---- */

void fer_verify_copies(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *x[FER_MAX_INPUTS];
    struct fer_sums s;
    int k;
    for (k = 0; k < layer->inputs; k++) x[k] = fer_verify_load_output(v, &v->net.layer[layer->input[k]]);
    if (!fer_verify_begin_sums(v, &s)) return;
    fer_verify_compute(v, layer, x, s.part);
    fer_sums_add_copies(&s, &v->arithmetic);
    fer_verify_tally_sums(v, &s);
}

/* An input that stands several times gets a part for each. */
void fer_verify_copies_input(struct fer_verification *v, const struct fer_layer *layer, int input, struct fer_sums *s)
{
    const real *dy = fer_verify_load_gradient(v, layer);
    int k;
    for (k = 0; k < layer->inputs && fer_verify_ready(v); k++) {
        if (layer->input[k] != input) continue;
        fer_verify_compute_backward(v, layer, k, NULL, dy, s->part);
        fer_sums_add_copies(s, &v->arithmetic);
    }
}

/* ---- Dropout ---- */

/* What it drops is the backend's own choice: each element is 0 or x / (1 - rate), those of a channel (or an image) of
 * SpatialDropout2D together, and the gradient follows. 1 / (1 - rate) may be made of a rounded rate. */

/* Which of the mask's numbers element i has. */
static size_t mask_of(const struct fer_layer *layer, size_t i)
{
    const size_t image = i / fer_layer_count(layer, 1), c = layer->channels;
    if (layer->type != FER_SPATIAL_DROPOUT2D) return i;
    return layer->whole_images ? image : image * c + i % c;
}

/* Of each number of the mask, whether some x[] that has it is not 0. NULL: no memory. */
static const real *seen(struct fer_verification *v, const struct fer_layer *layer, size_t count, const real *x)
{
    real *some = fer_verify_hold(v, count);
    size_t i;
    for (i = 0; some && i < count; i++)
        if (x[i] != 0) some[mask_of(layer, i)] = 1;
    return some;
}

static double kept_roundings(const struct fer_layer *layer)
{
    return 3 + 2 * layer->rate / (1 - layer->rate);
}

void fer_verify_dropout(struct fer_verification *v, const struct fer_layer *layer)
{
    const int drops = !v->options->inference && !layer->inference && layer->rate > 0;
    struct fer_sums s;
    const real *x = begin(v, layer, &s), *kept;
    size_t i;
    if (!layer->inference && layer->rate > 0) v->depends |= FER_ON_STATISTICS;
    if (!x || !(kept = seen(v, layer, s.count, v->claimed))) return;
    for (i = 0; i < s.count; i++) {
        const double term = drops ? x[i] / (1 - layer->rate) : x[i];
        if (!drops || kept[mask_of(layer, i)] != 0) add_term(&s, i, term, fabs(term),
                                                             drops ? kept_roundings(layer) : 0);
    }
    fer_verify_tally_sums(v, &s);
}

/* Where x is 0, the output does not say whether the element was kept: what fits better will do, all other shares being
 * there. */
void fer_verify_dropout_input(struct fer_verification *v, const struct fer_layer *layer, int input, struct fer_sums *s)
{
    const int drops = !layer->inference && layer->rate > 0;
    const real *dy = begin_input(v, layer, s), *y = fer_verify_load_output(v, layer);
    const real *x = fer_verify_load_output(v, source(v, layer)), *kept, *known;
    size_t i;
    (void)input;
    if (!dy || !fer_verify_ready(v) || !(kept = seen(v, layer, s->count, y)) ||
        !(known = seen(v, layer, s->count, x))) return;
    for (i = 0; i < s->count; i++) {
        const size_t m = mask_of(layer, i);
        const double term = drops ? dy[i] / (1 - layer->rate) : dy[i];
        const double rest = v->claimed ? (double)(v->claimed[i] - s->truth[i]) : 0;
        if (!drops || kept[m] != 0 || (known[m] == 0 && fabs(rest - term) < fabs(rest)))
            add_term(s, i, term, fabs(term), drops ? kept_roundings(layer) : 0);
    }
}

/* ---- Rescaling, Normalization ---- */

void fer_verify_rescaling(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *scale = v->net.constants + layer->constants, *offset = scale + layer->channels;
    struct fer_sums s;
    const real *x = begin(v, layer, &s);
    size_t i;
    if (!x) return;
    for (i = 0; i < s.count; i++) {
        const size_t c = i % layer->channels;
        add_term(&s, i, x[i] * scale[c] + offset[c], fabs(x[i] * scale[c]) + fabs(offset[c]), 4);
    }
    fer_verify_tally_sums(v, &s);
}

void fer_verify_rescaling_input(struct fer_verification *v, const struct fer_layer *layer, int input,
                                struct fer_sums *s)
{
    const real *scale = v->net.constants + layer->constants, *dy = begin_input(v, layer, s);
    size_t i;
    (void)input;
    if (!dy) return;
    for (i = 0; i < s->count; i++) {
        const double dx = dy[i] * scale[i % layer->channels];
        add_term(s, i, dx, fabs(dx), 2);
    }
}

/* As x / d - mean / d too. */
void fer_verify_normalization(struct fer_verification *v, const struct fer_layer *layer)
{
    const real *mean = fer_verify_load_own(v, layer, "mean"), *variance = fer_verify_load_own(v, layer, "variance");
    struct fer_sums s;
    const real *x = begin(v, layer, &s);
    size_t i;
    if (!x) return;
    for (i = 0; i < s.count; i++) {
        const size_t c = i % layer->channels;
        const double root = sqrt(variance[c]), d = root < 1e-7 ? 1e-7 : root;
        add_term(&s, i, (x[i] - mean[c]) / d, (fabs(x[i]) + fabs(mean[c])) / d, 5);
    }
    fer_verify_tally_sums(v, &s);
}

void fer_verify_normalization_input(struct fer_verification *v, const struct fer_layer *layer, int input,
                                    struct fer_sums *s)
{
    const real *dy = begin_input(v, layer, s), *variance = fer_verify_load_own(v, layer, "variance");
    size_t i;
    (void)input;
    if (!dy || !fer_verify_ready(v)) return;
    for (i = 0; i < s->count; i++) {
        const double root = sqrt(variance[i % layer->channels]), dx = dy[i] / (root < 1e-7 ? 1e-7 : root);
        add_term(s, i, dx, fabs(dx), 4);
    }
}
