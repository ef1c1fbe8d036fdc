/* chain.c - arrays that are checked through others. A backend that fuses layers shows nothing between them; what it
 * shows is compared with what the nearest arrays of the record give, computed in float64 layer by layer, and each
 * element takes along two bounds: E, which rounding cannot exceed, and e, which combines the errors of different
 * terms as the root of their squares and is exceeded but once in 10^12 elements.
 *
 * A run of linear layers is one sum, since a backend may begin its accumulator with the bias, with beta - m s or
 * with the residual: such a state is open, with its terms' magnitudes A and the roundings K that each may meet. It
 * is closed by the next layer that is not linear, and at the end:
 *
 *     E + K u (A + E)        sqrt(e^2 + (min(K, 8 sqrt(K)) u (A + e))^2)
 *
 * The worst case grows about tenfold with each block of a network and says nothing after a dozen; the likely bound sees
 * faults of 1e-4 at any length. chain_layers.c has what each kind of layer does to a state. */
#include "chain.h"

#include "checks.h"

#include <math.h>
#include <stdio.h>
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

int fer_chain_note(struct fer_verification *v, int i)
{
    int k = v->row.chain, j;
    while (k > 0 && v->through[k - 1] > i) k--;
    if (k > 0 && v->through[k - 1] == i) return 0;
    for (j = v->row.chain++; j > k; j--) v->through[j] = v->through[j - 1];
    v->through[k] = i;
    return 1;
}

void fer_chain_name(struct fer_verification *v)
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
}

static int compute(struct fer_verification *v, int i, int anew, struct fer_state *out);

/* The state of an output that the record holds. */
static int load(struct fer_verification *v, int i, struct fer_state *s)
{
    const int held = v->held_count;
    const struct fer_layer *layer = &v->net.layer[i];
    const real *values = fer_verify_load_output(v, layer);
    const int failed = !values || fer_state_allocate(v, s, fer_layer_count(layer, (size_t)v->n), 0);
    if (!failed) memcpy(s->v, values, s->count * sizeof *values);
    fer_verify_release(v, held);
    return failed;
}

/* The output of layer i: as the record has it, or computed, and then kept for its other consumers. NULL: neither. */
static struct fer_state *state_of(struct fer_verification *v, int i, int anew)
{
    struct fer_state *s = &v->state[i];
    const int is_input = v->net.layer[i].inputs == 0, loads = is_input || (recorded(v, i) && !anew);
    struct fer_sources outer;
    int failed;
    if (!loads) fer_chain_note(v, i);
    if (s->v && (loads || !anew)) return fer_sources_add(v, &s->sources), s;
    fer_state_free(s);
    outer = fer_sources_begin(v);
    failed = loads ? load(v, i, s) : compute(v, i, 0, s);
    fer_sources_end(v, &outer, s);
    if (failed) fer_state_free(s);
    return failed ? NULL : s;
}

struct fer_state *fer_chain_state(struct fer_verification *v, int i)
{
    return state_of(v, i, 0);
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
    const int held = v->held_count;
    int failed;
    v->arithmetic = fer_verify_arithmetic(v, i);
    failed = fer_checks[v->net.layer[i].type].bounds->chain(v, &v->net.layer[i], in, out);
    if (!failed && (!out->A || v->unit[i] != v->options->unit)) store(v, out);
    v->arithmetic = of_array;
    fer_verify_release(v, held);
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

void fer_chain_tally(struct fer_verification *v, struct fer_state *s, double weak)
{
    const double u = v->arithmetic.store > v->arithmetic.sum ? v->arithmetic.store : v->arithmetic.sum;
    size_t i;
    fer_state_close(v, s);
    for (i = 0; i < s->count; i++) {
        struct fer_bound b;
        if (s->c) s->e[i] += s->c[i];
        if (s->E[i] < s->e[i]) s->e[i] = s->E[i];
        b.likely = (double)s->e[i], b.proven = (double)s->E[i];
        fer_tally_add(&v->tally, (double)v->claimed[i], (double)s->v[i], b);
    }
    v->row.sees = fer_chain_sees(s->count, s->v, s->e);
    v->row.weak = v->row.sees > (32 * u > weak ? 32 * u : weak) && v->row.sees > 2 * s->own && s->own < 1;
    fer_chain_name(v);
    fer_state_free(s);
}

/* Of an output, and its sight is short: what would sharpen it. */
static void tally(struct fer_verification *v, struct fer_state *s)
{
    char middle[FER_MAX_ARRAY];
    fer_chain_tally(v, s, 1e-3);
    if (!v->row.weak || !v->row.chain) return;
    fer_output_name(&v->net, v->through[v->row.chain / 2], "", middle);
    snprintf(v->row.reason, sizeof v->row.reason, "weak; %s in the record would sharpen it", middle);
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
    for (k = 0; k < layer->parameters && !v->failed; k++)
        fer_verify_require(v, v->net.parameter[layer->parameter + k].name);
}

int fer_chain_probabilities(struct fer_verification *v, struct fer_state *p)
{
    const int last = v->net.layers - 1, held = v->held_count;
    struct fer_state *logits = fer_verify_ready(v) ? state_of(v, last, 0) : NULL;
    if (!logits || fer_checks[FER_SOFTMAX].bounds->chain(v, &v->net.layer[last], &logits, p)) return -1;
    fer_verify_release(v, held);
    store(v, p);
    return 0;
}

void fer_chain_check_probabilities(struct fer_verification *v)
{
    struct fer_state s = {0};
    begin(v);
    if (fer_chain_probabilities(v, &s) == 0)
        tally(v, &s);
    else
        fer_state_free(&s);
}

void fer_chain_clear(struct fer_verification *v)
{
    int i;
    for (i = 0; i < FER_MAX_LAYERS && v->state; i++) fer_state_free(&v->state[i]);
    for (i = 0; i < FER_MAX_LAYERS && v->gradient; i++) fer_state_free(&v->gradient[i]);
}

void fer_chain_end(struct fer_verification *v)
{
    int i;
    fer_chain_clear(v);
    for (i = 0; i < FER_MAX_PARAMETERS && v->of_parameter; i++) fer_state_free(&v->of_parameter[i]);
    fer_free(v->state), fer_free(v->gradient), fer_free(v->of_parameter);
}
