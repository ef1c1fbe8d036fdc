/* chain_gradient.c - gradients that are checked through others. Where the record does not hold the gradient of a
 * layer's output, it is computed from the nearest gradients behind it, or from the loss, and where it does not hold
 * an output that a backward pass reads, that one is computed from the nearest outputs before it (chain.c). Each
 * element takes its errors along: E proven, e likely and its own, c likely and common to its channel (chain.h).
 * chain_back.c and chain_parameters.c have what each kind of layer does to them; values and own roundings are those
 * of the check of a recorded array.
 *
 * What wears a chain out are the signs that rounding turns: where an activation's input is as small as its error,
 * the gradient passes or not. One block is good, two are weak, four say nothing: then the outputs of the
 * activations, which the record may well hold, settle the signs. */
#include "chain.h"

#include "checks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int is_held(const struct fer_verification *v, int i, const char *ending)
{
    char name[FER_MAX_ARRAY];
    fer_output_name(&v->net, i, ending, name);
    return fer_verify_held(v, name) != NULL;
}

static int takes_from(const struct fer_layer *layer, int i)
{
    int k;
    for (k = 0; k < layer->inputs; k++)
        if (layer->input[k] == i) return 1;
    return 0;
}

/* ---- From the loss ---- */

/* The probabilities: from the logits, as the record has them or computed; or those of the record, which may have been
 * computed apart. */
static int find_probabilities(struct fer_verification *v, struct fer_state *p)
{
    const int last = v->net.layers - 1, held = v->held_count;
    const struct fer_layer *layer = &v->net.layer[last];
    const double relative = (8 + (double)layer->channels) * v->arithmetic.sum + v->arithmetic.store;
    const real *recorded;
    char name[FER_MAX_ARRAY];
    size_t k;
    snprintf(name, sizeof name, "%s/output", v->net.softmax);
    if (is_held(v, last, "") || !fer_verify_held(v, name)) return fer_chain_probabilities(v, p);
    recorded = fer_verify_load(v, name);
    if (!recorded || fer_state_allocate(v, p, fer_layer_count(layer, (size_t)v->n), 0)) return -1;
    for (k = 0; k < p->count; k++) {
        p->v[k] = recorded[k];
        p->E[k] = p->e[k] = (real)(relative * recorded[k]);
    }
    fer_verify_release(v, held);
    return 0;
}

/* (p - [label]) / n, with six roundings of numbers up to p + [label] (bounds_loss.c). */
static int compute_from_loss(struct fer_verification *v, struct fer_state *out)
{
    const struct fer_arithmetic *a = &v->arithmetic;
    const size_t classes = v->net.classes;
    struct fer_state p = {0};
    size_t k;
    if (!v->labels) return fer_verify_lack(v, "labels"), -1;
    if (find_probabilities(v, &p) || fer_state_allocate_gradient(v, out, p.count)) return fer_state_free(&p), -1;
    for (k = 0; k < p.count; k++) {
        const double target = k % classes == (size_t)v->labels[k / classes], dz = (p.v[k] - target) / v->n;
        const double own = (6 * a->sum + a->input) * (p.v[k] + target) / v->n + a->store * fabs(dz) + 2 * a->sum_least;
        out->v[k] = (real)dz;
        out->E[k] = (real)((double)p.E[k] / v->n + own);
        out->e[k] = (real)((double)p.e[k] / v->n + own); /* as of a recorded array: own, all of it */
    }
    fer_state_free(&p);
    return 0;
}

/* An image's loss is -log(p), which errs by what p does, relatively, and ten roundings; the mean by two and one an
 * image more. */
static int compute_loss(struct fer_verification *v, struct fer_state *out)
{
    const struct fer_arithmetic *a = &v->arithmetic;
    struct fer_state p = {0};
    int image, which;
    if (!v->labels) return fer_verify_lack(v, "labels"), -1;
    if (find_probabilities(v, &p) || fer_state_allocate_gradient(v, out, 1)) return fer_state_free(&p), -1;
    for (image = 0; image < v->n; image++) {
        const size_t k = (size_t)image * v->net.classes + (size_t)v->labels[image];
        const double loss = -fer_log((double)p.v[k]);
        out->v[0] += (real)(loss / v->n);
        for (which = 0; which < 2; which++) {
            const double relative = (double)(which ? p.e[k] : p.E[k]) / (double)p.v[k];
            const double error = (relative < 1 ? -fer_log(1 - relative) : INFINITY) + (12 + v->n) * a->sum * loss;
            *(which ? out->e : out->E) += (real)((error + a->store * loss) / v->n);
        }
    }
    fer_state_free(&p);
    return 0;
}

/* ---- From the layers behind ---- */

static int compute(struct fer_verification *v, int i, struct fer_state *out);

/* The state of a gradient that the record holds. */
static int load(struct fer_verification *v, int i, const char *name, struct fer_state *s)
{
    const int held = v->held_count;
    const real *values = fer_verify_load(v, name);
    const int failed = !values || fer_state_allocate_gradient(v, s, fer_layer_count(&v->net.layer[i], (size_t)v->n));
    if (!failed) memcpy(s->v, values, s->count * sizeof *values);
    fer_verify_release(v, held);
    return failed;
}

/* The gradient of layer i's output, as the record has it, or computed and kept for the others that it goes to. */
static struct fer_state *gradient_of(struct fer_verification *v, int i)
{
    struct fer_state *s = &v->gradient[i];
    struct fer_sources outer;
    char name[FER_MAX_ARRAY];
    int failed;
    if (s->v) return fer_sources_add(v, &s->sources), s;
    fer_output_name(&v->net, i, "_grad", name);
    outer = fer_sources_begin(v);
    failed = fer_verify_held(v, name) ? load(v, i, name, s) : compute(v, i, s);
    fer_sources_end(v, &outer, s);
    if (failed) fer_state_free(s);
    return failed ? NULL : s;
}

/* Whether the backward pass reads where the input is 0, which the output does not tell. */
static int reads_zeros(const struct fer_verification *v, const struct fer_layer *layer)
{
    return v->options->relu_at_zero && fer_checks[layer->type].takes && fer_checks[layer->type].reads_output;
}

/* The outputs that the backward pass of a layer reads. */
static int find_outputs(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_check *check = &fer_checks[layer->type];
    int k;
    if (check->reads_output && !fer_chain_state(v, (int)(layer - v->net.layer))) return -1;
    for (k = 0; k < layer->inputs && (check->reads_input || reads_zeros(v, layer)); k++)
        if (!fer_chain_state(v, layer->input[k])) return -1;
    return 0;
}

/* What a layer sends back to its input i when the gradient of its output is `given`, added to sums. */
static void send_back(struct fer_verification *v, const struct fer_layer *layer, int i, const real *given,
                      struct fer_sums *s)
{
    const struct fer_verify_options *const options = v->options;
    struct fer_verify_options other = *options;
    real *claimed = v->claimed;
    if (other.ties == FER_TIES_ANY) other.ties = FER_TIES_FIRST; /* chain_back.c widens the bounds */
    v->options = &other, v->given = given, v->claimed = NULL; /* that is of another array */
    fer_checks[layer->type].bounds->add_input(v, layer, i, s);
    v->options = options, v->given = NULL, v->claimed = claimed;
}

/* Errors of elements that are moved, or scaled, go where the elements go. */
static void send_errors(struct fer_verification *v, const struct fer_layer *layer, int i, const struct fer_state *dy,
                        struct fer_state *dx)
{
    const real *from[3] = {dy->E, dy->e, dy->c};
    real *to[3] = {dx->E, dx->e, dx->c};
    size_t k;
    int which;
    for (which = 0; which < 3; which++) {
        const int held = v->held_count;
        struct fer_sums s;
        if (!fer_verify_hold_sums(v, &s, dx->count)) return;
        send_back(v, layer, i, from[which], &s);
        for (k = 0; k < dx->count; k++)
            to[which][k] += which ? s.truth[k] * s.truth[k] : (real)fabs(s.truth[k]);
        fer_verify_release(v, held);
    }
}

/* The share of one layer that takes from layer i: value, own bound, errors. */
static int add_share(struct fer_verification *v, const struct fer_layer *layer, int i, struct fer_sums *s,
                     struct fer_state *dx)
{
    const struct fer_bounds *bounds = fer_checks[layer->type].bounds;
    const struct fer_state *dy = &v->gradient[layer - v->net.layer];
    const int held = v->held_count;
    int failed = 0;
    send_back(v, layer, i, dy->v, s);
    fer_verify_release(v, held);
    if (!bounds->errors) send_errors(v, layer, i, dy, dx);
    if (fer_verify_ready(v) && bounds->errors) failed |= bounds->errors(v, layer, i, dy, dx);
    if (fer_verify_ready(v) && bounds->doubts) failed |= bounds->doubts(v, layer, i, dy, dx);
    fer_verify_release(v, held);
    return failed || !fer_verify_ready(v) ? -1 : 0;
}

/* Shares that are no plain sums, those of BatchNormalization, err alike in a channel: their likely bound, storage
 * included, goes to c. On the way back c grows at least as e does (through another BatchNormalization its sum of
 * squares does), so of such a share alone e says nothing that c does not; it is of the sum with other shares, which may
 * be larger. */
static void add_own_errors(const struct fer_verification *v, struct fer_sums *s, struct fer_state *dx)
{
    size_t k;
    for (k = 0; k < dx->count; k++) {
        const double common = (double)s->own_likely[k];
        struct fer_bound own;
        s->own_likely[k] = 0;
        own = fer_sums_bound(s, &v->arithmetic, k);
        s->part[k] = (real)(own.likely + common);
        own.likely *= fer_chain_few((double)s->roundings[k] + s->parts);
        dx->v[k] = s->truth[k];
        dx->E[k] += (real)own.proven;
        dx->e[k] = (real)sqrt(dx->e[k] + own.likely * own.likely);
        dx->c[k] = (real)sqrt(dx->c[k] + common * common);
    }
    dx->own = fer_chain_sees(dx->count, s->truth, s->part);
}

/* The sum over all layers that take from layer i. */
static int sum_shares(struct fer_verification *v, int i, struct fer_state *out)
{
    const int held = v->held_count;
    struct fer_sums s;
    int j, failed = 0;
    for (j = i + 1; j < v->net.layers; j++)
        if (takes_from(&v->net.layer[j], i) && (!gradient_of(v, j) || find_outputs(v, &v->net.layer[j]))) return -1;
    for (j = i + 1; j < v->net.layers; j++)
        if (takes_from(&v->net.layer[j], i)) fer_verify_involve(v, j);
    if (!fer_verify_hold_sums(v, &s, fer_layer_count(&v->net.layer[i], (size_t)v->n))) return -1;
    s.own_proven = fer_verify_hold(v, s.count), s.own_likely = fer_verify_hold(v, s.count);
    if (v->failed || fer_state_allocate_gradient(v, out, s.count)) return -1;
    for (j = i + 1; j < v->net.layers && !failed; j++)
        if (takes_from(&v->net.layer[j], i)) failed = add_share(v, &v->net.layer[j], i, &s, out);
    if (failed)
        fer_state_free(out);
    else
        add_own_errors(v, &s, out);
    fer_verify_release(v, held);
    return failed ? -1 : 0;
}

/* In the arithmetic of layer i and of those that take from it. */
static int compute(struct fer_verification *v, int i, struct fer_state *out)
{
    const struct fer_arithmetic of_array = v->arithmetic;
    int failed;
    v->arithmetic = fer_verify_arithmetic(v, i);
    failed = i == v->net.layers - 1 ? compute_from_loss(v, out) : sum_shares(v, i, out);
    v->arithmetic = of_array;
    return failed;
}

/* ---- What the check went through ---- */

/* The layers whose gradients had to be computed; and those whose outputs, which the record does not hold, say where a
 * gradient passes: how many, and the first of them. */
struct passage {
    char passed[FER_MAX_LAYERS], hidden[FER_MAX_LAYERS];
    int masks, first;
};

static void note_output(struct fer_verification *v, int i)
{
    int k;
    if (is_held(v, i, "") || !v->net.layer[i].inputs || !fer_chain_note(v, i)) return;
    for (k = 0; k < v->net.layer[i].inputs; k++) note_output(v, v->net.layer[i].input[k]);
}

static void note_reads(struct fer_verification *v, int j, struct passage *way)
{
    const struct fer_check *check = &fer_checks[v->net.layer[j].type];
    const int at = check->reads_output ? j : v->net.layer[j].input[0];
    int k;
    if (check->reads_output) note_output(v, j);
    for (k = 0; k < v->net.layer[j].inputs && check->reads_input; k++) note_output(v, v->net.layer[j].input[k]);
    if (!check->takes || is_held(v, at, "") || way->hidden[at]) return;
    way->hidden[at] = 1;
    if (way->masks++ == 0) way->first = at;
}

/* What the gradient of layer i's output comes from. */
static void note_layers(struct fer_verification *v, int i, struct passage *way)
{
    int j;
    for (j = i + 1; j < v->net.layers; j++) {
        if (!takes_from(&v->net.layer[j], i)) continue;
        note_reads(v, j, way);
        if (is_held(v, j, "_grad") || way->passed[j]) continue;
        way->passed[j] = 1;
        fer_chain_note(v, j);
        note_layers(v, j, way);
    }
    if (i == v->net.layers - 1) note_output(v, i);
}

/* What in the record would make a weak verdict a strong one. */
static void name_remedy(struct fer_verification *v, const struct passage *way)
{
    char name[FER_MAX_ARRAY];
    const int at = way->masks ? way->first : v->through[v->row.chain / 2];
    fer_output_name(&v->net, at, way->masks ? "" : "_grad", name);
    if (way->masks > 1)
        snprintf(v->row.reason, sizeof v->row.reason, "weak; %s and the hidden outputs of %d more layers in the record "
                 "would say where it passes", name, way->masks - 1);
    else
        snprintf(v->row.reason, sizeof v->row.reason, "weak; %s in the record would sharpen it", name);
}

/* ---- The checks ---- */

static int conclude(struct fer_verification *v, struct fer_state *s, const struct passage *way)
{
    fer_chain_tally(v, s, 1e-2);
    if (v->row.weak && v->row.chain) name_remedy(v, way);
    return 0;
}

/* The check at hand, and the way it goes, begin anew; what was said to be missing is kept in *before. */
static void begin(struct fer_verification *v, struct fer_verify_row *before)
{
    *before = v->row;
    v->row.verdict = FER_OK;
    v->row.chain = 0;
    *v->row.reason = *v->row.through = 0;
}

static int give_up(struct fer_verification *v, struct fer_state *s, const struct fer_verify_row *before)
{
    fer_state_free(s);
    v->row = *before;
    return -1;
}

int fer_chain_check_gradient(struct fer_verification *v, int i)
{
    struct fer_verify_row before;
    struct fer_state s = {0};
    struct passage way = {0};
    begin(v, &before);
    if (compute(v, i, &s)) return give_up(v, &s, &before);
    v->row.chain = 0;
    note_layers(v, i, &way);
    return conclude(v, &s, &way);
}

int fer_chain_takes_input(const struct fer_parameter *p)
{
    return !fer_parameter_is(p, "bias") && !fer_parameter_is(p, "beta");
}

int fer_chain_check_loss(struct fer_verification *v)
{
    struct fer_verify_row before;
    struct fer_state s = {0};
    struct passage way = {0};
    begin(v, &before);
    if (compute_loss(v, &s)) return give_up(v, &s, &before);
    v->row.chain = 0;
    note_output(v, v->net.layers - 1);
    return conclude(v, &s, &way);
}

static int find_gradient(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                         struct fer_state *s)
{
    const int takes = fer_chain_takes_input(p), held = v->held_count;
    const struct fer_state *dy = gradient_of(v, (int)(layer - v->net.layer));
    const struct fer_state *x = dy && takes ? fer_chain_state(v, layer->input[0]) : NULL;
    const int failed = !dy || (takes && !x) || fer_checks[layer->type].bounds->gradient(v, layer, p, x, dy, s);
    fer_verify_release(v, held);
    return failed ? -1 : 0;
}

/* The way to it. */
static void note_way(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p,
                     struct passage *way)
{
    const int i = (int)(layer - v->net.layer);
    v->row.chain = 0;
    if (!is_held(v, i, "_grad")) {
        way->passed[i] = 1;
        fer_chain_note(v, i);
        note_layers(v, i, way);
    }
    if (fer_chain_takes_input(p)) note_output(v, layer->input[0]);
}

int fer_chain_check_parameter(struct fer_verification *v, const struct fer_layer *layer, const struct fer_parameter *p)
{
    struct fer_verify_row before;
    struct fer_state s = {0};
    struct passage way = {0};
    begin(v, &before);
    if (find_gradient(v, layer, p, &s)) return give_up(v, &s, &before);
    note_way(v, layer, p, &way);
    return conclude(v, &s, &way);
}

/* ---- Of updates ---- */

void fer_chain_keep_gradients(struct fer_verification *v, const struct fer_layer *layer)
{
    int k;
    for (k = 0; k < layer->parameters; k++) {
        const int i = layer->parameter + k;
        const struct fer_parameter *p = &v->net.parameter[i];
        struct fer_sources outer;
        char gradient[FER_MAX_ARRAY];
        snprintf(gradient, sizeof gradient, "%s_grad", p->name);
        if (!p->trainable || fer_verify_held(v, gradient) || !fer_verify_begin_parameter(v, layer, p, "_new")) continue;
        outer = fer_sources_begin(v);
        if (find_gradient(v, layer, p, &v->of_parameter[i])) fer_state_free(&v->of_parameter[i]);
        fer_sources_end(v, &outer, &v->of_parameter[i]);
        fer_verify_release(v, 0);
    }
}

const struct fer_state *fer_chain_parameter_gradient(struct fer_verification *v, const struct fer_layer *layer,
                                                     const struct fer_parameter *p)
{
    const struct fer_state *s = &v->of_parameter[p - v->net.parameter];
    char through[sizeof v->row.through];
    struct passage way = {0};
    if (!s->v) return NULL;
    fer_sources_add(v, &s->sources);
    note_way(v, layer, p, &way);
    fer_chain_name(v);
    snprintf(through, sizeof through, "%s_grad%s%.100s", strrchr(p->name, '/') + 1, v->row.chain++ ? ", " : "",
             v->row.through);
    memcpy(v->row.through, through, sizeof through);
    return s;
}

const struct fer_state *fer_chain_input(struct fer_verification *v, const struct fer_layer *layer,
                                        struct fer_state *room)
{
    const struct fer_state *x;
    struct fer_verify_row before;
    begin(v, &before);
    if (!(x = fer_chain_state(v, layer->input[0])) || !(x = fer_state_closed(v, x, room))) {
        v->row = before;
        return NULL;
    }
    v->row.chain = 0;
    note_output(v, layer->input[0]);
    fer_chain_name(v);
    return x;
}

/* The lowest layer that a layer takes from. */
static int lowest(const struct fer_layer *layer)
{
    int least = FER_MAX_LAYERS, k;
    for (k = 0; k < layer->inputs; k++)
        if (layer->input[k] < least) least = layer->input[k];
    return least;
}

void fer_chain_forget_gradients(struct fer_verification *v, int i)
{
    int j, k, needed;
    for (j = i; j < v->net.layers; j++) {
        if (lowest(&v->net.layer[j]) < i) continue;
        fer_state_free(&v->gradient[j]);
        for (needed = 0, k = j + 1; k < v->net.layers; k++)
            needed |= takes_from(&v->net.layer[k], j) && lowest(&v->net.layer[k]) < i;
        if (!needed) fer_state_free(&v->state[j]);
    }
}
