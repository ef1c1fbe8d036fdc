/* verify.c - another implementation's record of a training step, array by array: is it what should have come out of
 * what went in?
 *
 * For each array the implementation's own recorded inputs to it are read, the computation is done in float64 by the
 * layer's function, and each element is compared with the bound that rounding allows (bounds_*.c). So an error does
 * not travel from layer to layer, and one fault does not hide another. An array is read when it is needed and given up
 * afterwards: memory holds a few of the largest.
 *
 *     array                      is checked from
 *     LAYER/output               the outputs of the layers that it takes from, and its parameters
 *     predictions/logits         avg_pool/output, predictions/kernel, predictions/bias
 *     predictions/output, loss, predictions/logits_grad     predictions/logits; the labels
 *     LAYER/output_grad          for each layer that takes from it: that layer's output_grad, and what its backward
 *                                pass needs
 *     PARAMETER_grad             the layer's output_grad, and its input
 *     PARAMETER_new              PARAMETER, PARAMETER_grad
 *     moving_mean_new, ...       moving_mean, ..., and the layer's input */
#include "checks.h"

#include "../../data/data.h"

#include <stdio.h>
#include <string.h>

/* ---- Forward ---- */

/* Does a check of arrays that belong to a layer, so that one at fault can be looked at again. */
static void check(struct fer_verification *v,
                  void (*function)(struct fer_verification *v, const struct fer_layer *layer),
                  const struct fer_layer *layer)
{
    v->check = function;
    v->layer = layer;
    function(v, layer);
}

static void check_softmax(struct fer_verification *v, const struct fer_layer *layer, enum fer_softmax_result result)
{
    const real *logits = fer_verify_load_output(v, layer);
    if (!v->labels && result != FER_PROBABILITIES) fer_verify_lack(v, "labels");
    if (fer_verify_ready(v) && (v->twist == FER_NO_LABEL || v->twist == FER_NO_MAXIMUM))
        fer_tally_softmax_mistaken(&v->tally, &v->arithmetic, v->twist, v->n, (int)layer->channels, logits, v->claimed);
    else if (fer_verify_ready(v))
        fer_tally_softmax(&v->tally, &v->arithmetic, result, v->n, (int)layer->channels, logits, v->labels, v->claimed);
    fer_verify_finish(v);
}

/* A layer that rounds nothing, and whose output is not its input's: a compiler may compute one array twice, rounded
 * differently, and show one copy and go on with the other. So it is, when the output is sound for what its input is
 * computed from. */
static void check_anew(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_tally first = v->tally;
    const unsigned depends = v->depends;
    unsigned char uses[sizeof v->uses];
    memcpy(uses, v->uses, sizeof uses);
    if (!fer_verify_ready(v) || fer_tally_verdict(&first) < FER_SUSPECT || v->looking) return;
    fer_tally_clear(&v->tally);
    fer_chain_check(v, layer, 1);
    if (fer_verify_ready(v) && fer_tally_verdict(&v->tally) < FER_SUSPECT) {
        snprintf(v->row.reason, sizeof v->row.reason, "computed anew: not from the recorded input, but sound");
        return;
    }
    v->tally = first;
    v->depends = depends;
    memcpy(v->uses, uses, sizeof uses);
    v->row.chain = 0;
    *v->row.through = *v->row.reason = 0;
    if (!v->failed) v->row.verdict = FER_OK; /* to be concluded */
}

/* LAYER/output; of the last layer, what goes into the softmax. */
static void check_output(struct fer_verification *v, const struct fer_layer *layer)
{
    if (!fer_verify_begin_output(v, layer, "")) {
        fer_chain_forget(v, layer);
        return;
    }
    if (!v->options->no_chains) v->depends |= FER_ON_INPUTS;
    if (v->family != FER_ON_INPUTS && (v->options->no_chains || fer_chain_has_inputs(v, layer))) {
        fer_checks[layer->type].bounds->output(v, layer);
        if (fer_checks[layer->type].bounds->copies && !v->options->no_chains) check_anew(v, layer);
    } else {
        fer_chain_check(v, layer, v->family == FER_ON_INPUTS);
    }
    fer_verify_finish(v);
    fer_chain_forget(v, layer);
}

/* The probabilities and the loss, behind the last layer. */
static void check_end(struct fer_verification *v, const struct fer_layer *last)
{
    char probabilities[FER_MAX_ARRAY], logits[FER_MAX_ARRAY];
    fer_output_name(&v->net, v->net.layers - 1, "", logits);
    snprintf(probabilities, sizeof probabilities, "%s/output", v->net.softmax);
    if (fer_verify_begin(v, probabilities)) {
        if (v->options->no_chains || fer_verify_held(v, logits))
            check_softmax(v, last, FER_PROBABILITIES);
        else
            fer_chain_check_probabilities(v), fer_verify_finish(v);
    }
    if (!fer_verify_begin(v, "loss")) return;
    if (v->options->no_chains || fer_verify_held(v, logits) || fer_chain_check_loss(v))
        check_softmax(v, last, FER_LOSS);
    else
        fer_verify_finish(v);
}

static void check_forward(struct fer_verification *v)
{
    const struct fer_layer *last = &v->net.layer[v->net.layers - 1], *layer;
    for (layer = v->net.layer + 1; layer <= last; layer++) check(v, check_output, layer);
    check(v, check_end, last);
}

/* ---- Backward ---- */

static int takes_from(const struct fer_layer *layer, int i)
{
    int k;
    for (k = 0; k < layer->inputs; k++)
        if (layer->input[k] == i) return 1;
    return 0;
}

/* Notes what the backward pass of a consumer of layer i needs and the record does not hold; and who writes the
 * gradient. */
static void require_consumer(struct fer_verification *v, const struct fer_layer *layer)
{
    const struct fer_check *check = &fer_checks[layer->type];
    char *writers = v->row.writers;
    const size_t length = strlen(writers);
    int k;
    snprintf(writers + length, sizeof v->row.writers - length, "%s%s", length ? ", " : "", layer->name);
    fer_verify_involve(v, (int)(layer - v->net.layer));
    fer_verify_require_gradient(v, layer);
    if (check->bounds->reads_kernel) fer_verify_require(v, fer_layer_parameter(&v->net, layer, "kernel")->name);
    for (k = 0; k < layer->inputs && check->reads_input; k++)
        fer_verify_require_output(v, &v->net.layer[layer->input[k]], "");
    if (check->reads_output) fer_verify_require_output(v, layer, "");
}

/* The sum over all consumers; maxima come last, since with equal ones the rest must be known. */
static void sum_consumers(struct fer_verification *v, int i, int own_errors)
{
    const int held = v->held_count;
    struct fer_sums s;
    int j, maxima, times;
    fer_tally_clear(&v->tally);
    if (fer_verify_begin_sums(v, &s)) {
        if (own_errors) s.own_proven = fer_verify_hold(v, s.count), s.own_likely = fer_verify_hold(v, s.count);
        for (maxima = 0; maxima < 2; maxima++)
            for (j = i + 1; j < v->net.layers && fer_verify_ready(v); j++) {
                const struct fer_bounds *bounds = fer_checks[v->net.layer[j].type].bounds;
                const int before = v->held_count;
                if (!takes_from(&v->net.layer[j], i) || bounds->chooses != maxima || j == v->left_out) continue;
                for (times = j == v->twice; times >= 0; times--) bounds->add_input(v, &v->net.layer[j], i, &s);
                fer_verify_release(v, before);
            }
        if (fer_verify_ready(v)) fer_verify_tally_sums(v, &s);
    }
    fer_verify_release(v, held);
}

/* The gradient of layer i's output, which its consumers have written. */
static void check_output_gradient(struct fer_verification *v, const struct fer_layer *of)
{
    const struct fer_layer *alone = NULL; /* a consumer whose gradient is no plain sum */
    const int i = (int)(of - v->net.layer);
    int j;
    if (!fer_verify_begin_output(v, of, "_grad")) return;
    v->row.by_nature = v->zero_by_nature[i];
    for (j = i + 1; j < v->net.layers; j++) {
        const struct fer_layer *layer = &v->net.layer[j];
        if (!takes_from(layer, i)) continue;
        require_consumer(v, layer);
        if (fer_checks[layer->type].bounds->input) alone = layer;
    }
    if (fer_verify_ready(v) && alone && v->net.layer[i].consumers == 1)
        fer_checks[alone->type].bounds->input(v, alone);
    else if (fer_verify_ready(v))
        sum_consumers(v, i, alone != NULL || v->options->winograd);
    else if (!v->failed && !v->options->no_chains)
        fer_chain_check_gradient(v, i);
    fer_verify_finish(v);
}

static void check_parameter_gradients(struct fer_verification *v, const struct fer_layer *layer)
{
    int k;
    if (!fer_checks[layer->type].bounds->parameters) return;
    if (v->options->no_chains || (fer_verify_has_gradient(v, layer) && fer_chain_has_inputs(v, layer))) {
        fer_checks[layer->type].bounds->parameters(v, layer);
        return;
    }
    for (k = 0; k < layer->parameters; k++) {
        const struct fer_parameter *p = &v->net.parameter[layer->parameter + k];
        if (!fer_verify_begin_parameter(v, layer, p, "_grad")) continue;
        v->row.by_nature = v->zero_by_nature[layer - v->net.layer];
        fer_verify_require_gradient(v, layer);
        if (fer_chain_takes_input(p)) fer_verify_require_output(v, &v->net.layer[layer->input[0]], "");
        fer_chain_check_parameter(v, layer, p);
        fer_verify_finish(v);
    }
}

static void check_logits_gradient(struct fer_verification *v, const struct fer_layer *last)
{
    const int i = (int)(last - v->net.layer);
    if (!fer_verify_begin_output(v, last, "_grad")) return;
    fer_verify_require_output(v, last, "");
    if (fer_verify_ready(v) || v->options->no_chains || fer_chain_check_gradient(v, i))
        check_softmax(v, last, FER_LOGITS_GRADIENT);
    else
        fer_verify_finish(v);
}

static void check_backward(struct fer_verification *v)
{
    int i;
    for (i = v->net.layers - 1; i > 0; i--) {
        const struct fer_layer *layer = &v->net.layer[i];
        check(v, i == v->net.layers - 1 ? check_logits_gradient : check_output_gradient, layer);
        check(v, check_parameter_gradients, layer);
        if (!v->options->no_chains) fer_chain_keep_gradients(v, layer);
        fer_chain_forget_gradients(v, i);
    }
}

/* A batch of one value a channel, normalised, is beta whatever it was: no gradient passes. Which outputs' gradients
 * are zero for that reason. */
static void find_zeros(struct fer_verification *v)
{
    int i, j;
    for (i = v->net.layers - 2; i > 0; i--) {
        v->zero_by_nature[i] = 1;
        for (j = i + 1; j < v->net.layers; j++) {
            const int normalises_one =
                fer_layer_takes_statistics(&v->net.layer[j]) && fer_verify_rows(v, &v->net.layer[j]) == 1;
            if (takes_from(&v->net.layer[j], i) && !normalises_one && !v->zero_by_nature[j]) v->zero_by_nature[i] = 0;
        }
    }
}

/* ---- The whole record ---- */

static int count_arrays(struct fer_verification *v)
{
    unsigned char *used = fer_allocate(fer_npz_count(v->npz) + 1, 1, v->e);
    size_t k;
    int i;
    if (!used) return -1;
    for (i = 0; i < v->expected_count; i++) {
        if (!v->expected[i].array) v->summary->absent++;
        for (k = 0; k < fer_npz_count(v->npz) && v->expected[i].array; k++)
            if (fer_npz_at(v->npz, k) == v->expected[i].array) used[k] = 1;
    }
    v->summary->ignored = fer_npz_unused(v->npz, used, v->summary->unused);
    fer_free(used);
    return 0;
}

static int check_all(struct fer_verification *v)
{
    if (fer_verify_find_geometry(v) || fer_verify_apply_exceptions(v) || fer_verify_read_labels(v)) return -1;
    find_zeros(v);
    check_forward(v);
    if (!v->options->inference) check_backward(v);
    if (!v->options->inference) fer_verify_updates(v);
    return v->failed ? -1 : 0;
}

static void end(struct fer_verification *v)
{
    if (!v) return;
    fer_chain_end(v);
    fer_verify_free_rooms(v);
    fer_free(v->net.constants);
    fer_free(v->labels);
    fer_free(v->kept);
    fer_free(v);
}

static struct fer_verification *begin(struct fer_npz *npz, const struct fer_verify_options *options,
                                      struct fer_error *e)
{
    struct fer_verification *v = fer_allocate(1, sizeof *v, e);
    if (!v) return NULL;
    v->npz = npz;
    v->options = options;
    v->e = e;
    v->state = fer_allocate(FER_MAX_LAYERS, sizeof *v->state, e);
    v->gradient = fer_allocate(FER_MAX_LAYERS, sizeof *v->gradient, e);
    v->of_parameter = fer_allocate(FER_MAX_PARAMETERS, sizeof *v->of_parameter, e);
    v->kept = fer_allocate(MOST_EXPECTED, sizeof *v->kept, e);
    if (v->state && v->gradient && v->of_parameter && v->kept) return v;
    end(v);
    return NULL;
}

static int retry(struct fer_verification *first, const struct fer_verify_options *other, unsigned family)
{
    struct fer_error ignored;
    struct fer_verification *v = begin(first->npz, other, &ignored);
    int i, k = 0, ok = 0, all = 0;
    if (v) {
        v->tried_for = first;
        v->family = family;
        check_all(v);
    }
    for (i = 0; v && i < first->kept_count; i++) {
        if (!(first->kept[i].depends & family)) continue;
        for (k = 0; k < v->kept_count && strcmp(v->kept[k].row.array, first->kept[i].row.array) != 0;) k++;
        first->kept[i].ok_otherwise = k < v->kept_count && v->kept[k].row.verdict < FER_SUSPECT;
        ok += first->kept[i].ok_otherwise;
        all++;
    }
    end(v);
    return all > 0 && ok == all;
}

static int fail_empty(const struct fer_verification *v)
{
    const struct fer_verify_summary *s = v->summary;
    if (v->options->parts > 0) return 0; /* there may be others */
    if (s->rows[FER_OK] + s->rows[FER_MISTRUSTED] + s->rows[FER_SUSPECT] + s->rows[FER_WRONG] > 0) return 0;
    if (s->rows[FER_NOT_CHECKABLE] > 0)
        return fer_npz_fail(v->npz, NULL, v->e,
                            "nothing in it can be checked: expected also what its arrays are "
                            "computed from");
    return fer_npz_fail(v->npz, NULL, v->e,
                        "nothing in it can be checked: expected arrays of a record, such as input, "
                        "conv2d/kernel and conv2d/output");
}

int fer_verify(const char *path, const struct fer_verify_options *options,
               void (*report_row)(void *context, const struct fer_verify_row *row), void *context,
               struct fer_verify_summary *summary, struct fer_error *e)
{
    struct fer_verification *v;
    struct fer_npz *npz = NULL;
    int failed;
    memset(summary, 0, sizeof *summary);
    if (sizeof(real) != sizeof(double)) return fer_fail(e, "verify: the truth is computed in float64: use fer64");
    if (fer_npz_open(&npz, path, e) || !(v = begin(npz, options, e))) return fer_npz_close(npz), -1;
    v->report = report_row;
    v->context = context;
    v->summary = summary;
    v->at_fault = fer_verify_explain;
    failed = check_all(v) || count_arrays(v);
    if (!failed) {
        fer_verify_hints(v, retry);
        fer_verify_report(v);
        failed = fail_empty(v);
    }
    end(v);
    fer_npz_close(npz);
    return failed ? -1 : 0;
}
