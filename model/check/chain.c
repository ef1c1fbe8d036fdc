/* chain.c - arrays that are checked through others. A backend that fuses layers shows nothing between them; what it shows
 * is compared with what the nearest arrays of the record give, computed in float64 layer by layer, and each element takes
 * along two bounds: E, which rounding cannot exceed, and e, which combines the errors of different terms as the root of
 * their squares and is exceeded but once in 10^12 elements.
 *
 * A run of linear layers is one sum, since a backend may begin its accumulator with the bias, with beta - m s or with the
 * residual: such a state is open, with its terms' magnitudes A and the roundings K that each may meet. It is closed by the
 * next layer that is not linear, and at the end:
 *
 *     E + K u (A + E)        sqrt(e^2 + (min(K, 8 sqrt(K)) u (A + e))^2)
 *
 * The worst case grows about tenfold with each block of a network and says nothing after a dozen; the likely bound sees
 * faults of 1e-4 at any length. chain_layers.c has what each kind of layer does to a state. */
#include "chain.h"

#include "checks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Which states there are ---- */

static const struct fer_expected *recorded(const struct fer_verification *v, int i)
{
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, i, "", name);
    return fer_verify_held(v, name);
}

int fer_chain_has_inputs(const struct fer_verification *v, const struct fer_layer *layer)
{
    int k;
    for (k = 0; k < layer->inputs; k++)
        if (!recorded(v, layer->input[k])) return 0;
    return 1;
}

/* Layer i is one that the check goes through; they are kept in the order of computation. */
static void note_through(struct fer_verification *v, int i)
{
    int k = v->row.chain, j;
    while (k > 0 && v->through[k - 1] > i) k--;
    if (k > 0 && v->through[k - 1] == i) return;
    for (j = v->row.chain++; j > k; j--) v->through[j] = v->through[j - 1];
    v->through[k] = i;
}

/* "conv2d_3, batch_normalization_3", at most four of them. */
static void name_through(struct fer_verification *v)
{
    struct fer_verify_row *row = &v->row;
    size_t at = 0;
    int k;
    for (k = 0; k < row->chain && k < 4 && at < sizeof row->through; k++) {
        const struct fer_layer *layer = &v->net.layer[v->through[k]];
        const int part = strcmp(layer->output_name, "output") != 0;
        at += (size_t)snprintf(row->through + at, sizeof row->through - at, "%s%.36s%s%s", k ? ", " : "", layer->name,
                               part ? "/" : "", part ? layer->output_name : "");
    }
    if (row->chain > 4 && at < sizeof row->through)
        snprintf(row->through + at, sizeof row->through - at, " and %d more", row->chain - 4);
    if (row->weak && row->chain) {
        char middle[FER_MAX_ARRAY];
        fer_output_name(&v->net, v->through[row->chain / 2], "", middle);
        snprintf(row->reason, sizeof row->reason, "weak; %s in the record would sharpen it", middle);
    }
}

static int compute(struct fer_verification *v, int i, int anew, struct fer_state *out);

/* The output of layer i: as the record has it, or computed, and then kept for its other consumers. NULL: neither. */
static struct fer_state *state_of(struct fer_verification *v, int i, int anew)
{
    struct fer_state *s = &v->state[i];
    real *values;
    if (recorded(v, i) && !(anew && v->net.layer[i].inputs)) {
        fer_verify_use(v, recorded(v, i));
        if (s->v) return s;
        if (fer_state_allocate(v, s, fer_layer_count(&v->net.layer[i], (size_t)v->n), 0)) return NULL;
        values = fer_verify_load_output(v, &v->net.layer[i]);
        if (values) memcpy(s->v, values, s->count * sizeof *values);
        return values ? s : NULL;
    }
    if (v->net.layer[i].inputs == 0) return fer_verify_load_output(v, &v->net.layer[i]), NULL; /* notes that it lacks */
    note_through(v, i);
    if (s->v && !anew) return s;
    fer_state_free(s);
    return compute(v, i, 0, s) ? NULL : s;
}

/* A backend may store it in its format, rounded. */
static void store(const struct fer_verification *v, struct fer_state *s)
{
    size_t i;
    for (i = 0; v->arithmetic.store > 0 && i < s->count; i++) {
        s->E[i] += (real)(v->arithmetic.store * fabs(s->v[i]));
        s->e[i] += (real)(v->arithmetic.store * fabs(s->v[i]));
    }
}

/* As its kind says, in the layer's own arithmetic. */
static int chain(struct fer_verification *v, int i, struct fer_state *const *in, struct fer_state *out)
{
    const struct fer_arithmetic of_array = v->arithmetic;
    const struct fer_check *check = &fer_checks[v->net.layer[i].type];
    int failed;
    v->arithmetic = fer_verify_arithmetic(v, i);
    failed = !check->chain || check->chain(v, &v->net.layer[i], in, out);
    if (!failed && (!out->A || v->unit[i] != v->options->unit)) store(v, out);
    v->arithmetic = of_array;
    return failed;
}

/* What layer i gives, from the states of what it takes from. */
static int compute(struct fer_verification *v, int i, int anew, struct fer_state *out)
{
    const struct fer_layer *layer = &v->net.layer[i];
    struct fer_state *in[FER_MAX_INPUTS];
    int k;
    for (k = 0; k < layer->inputs; k++)
        if (!(in[k] = state_of(v, layer->input[k], anew))) return -1;
    if (chain(v, i, in, out)) {
        if (!v->failed && fer_verify_ready(v)) {
            char name[FER_MAX_ARRAY];
            fer_output_name(&v->net, layer->input[0], "", name);
            fer_verify_lack(v, name);
        }
        return -1;
    }
    return fer_verify_ready(v) ? 0 : -1;
}

void fer_chain_forget(struct fer_verification *v, const struct fer_layer *layer)
{
    const int now = (int)(layer - v->net.layer);
    int i, j, k, last;
    for (i = 0; i <= now; i++) {
        if (!v->state[i].v) continue;
        if (recorded(v, i)) {
            fer_state_free(&v->state[i]);
            continue;
        }
        for (last = i, j = now + 1; j < v->net.layers; j++)
            for (k = 0; k < v->net.layer[j].inputs; k++)
                if (v->net.layer[j].input[k] == i) last = j;
        if (last <= now) fer_state_free(&v->state[i]);
    }
}

/* ---- The check ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The smallest relative fault that the array would show: the median of e / |truth| over a sample of its elements. */
static double sees(const struct fer_state *s)
{
    double sample[1001];
    const size_t step = s->count / 1000 + 1;
    size_t i, count = 0;
    for (i = 0; i < s->count && count < 1001; i += step)
        if (s->v[i] != 0) sample[count++] = s->e[i] / fabs(s->v[i]);
    if (!count) return 0;
    qsort(sample, count, sizeof *sample, compare_doubles);
    return sample[count / 2];
}

/* Into the tally of the array at hand; then the state is given up. */
static void tally(struct fer_verification *v, struct fer_state *s)
{
    const double u = v->arithmetic.store > v->arithmetic.sum ? v->arithmetic.store : v->arithmetic.sum;
    size_t i;
    fer_state_close(v, s);
    for (i = 0; i < s->count; i++) {
        struct fer_bound b;
        b.likely = (double)s->e[i];
        b.proven = (double)s->E[i] < b.likely ? b.likely : (double)s->E[i];
        fer_tally_add(&v->tally, (double)v->claimed[i], (double)s->v[i], b);
    }
    v->row.sees = sees(s);
    v->row.weak = v->row.sees > (32 * u > 1e-3 ? 32 * u : 1e-3);
    name_through(v);
    fer_state_free(s);
}

static void begin(struct fer_verification *v)
{
    v->row.chain = 0;
    *v->row.through = 0;
}

void fer_chain_check(struct fer_verification *v, const struct fer_layer *layer, int anew)
{
    struct fer_state s = {0};
    int k;
    begin(v);
    if (fer_verify_ready(v) && compute(v, (int)(layer - v->net.layer), anew, &s) == 0) {
        tally(v, &s);
        return;
    }
    fer_state_free(&s);
    v->row.chain = 0;
    *v->row.reason = 0; /* of all that is missing, what the layer takes from is told */
    for (k = 0; k < layer->inputs && !v->failed; k++) fer_verify_require_output(v, &v->net.layer[layer->input[k]], "");
    for (k = 0; k < layer->parameters && !v->failed; k++) fer_verify_require(v, v->net.parameter[layer->parameter + k].name);
}

void fer_chain_check_probabilities(struct fer_verification *v)
{
    const struct fer_layer *last = &v->net.layer[v->net.layers - 1];
    struct fer_state s = {0}, *logits;
    begin(v);
    logits = fer_verify_ready(v) ? state_of(v, v->net.layers - 1, 0) : NULL;
    if (logits && fer_checks[FER_SOFTMAX].chain(v, last, &logits, &s) == 0)
        tally(v, &s);
    else
        fer_state_free(&s);
}

void fer_chain_clear(struct fer_verification *v)
{
    int i;
    for (i = 0; i < FER_MAX_LAYERS; i++) fer_state_free(&v->state[i]);
}

void fer_chain_end(struct fer_verification *v)
{
    fer_chain_clear(v);
    fer_free(v->state);
}
