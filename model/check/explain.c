/* explain.c - what is wrong with an array of a record that is at fault, in words. It is checked a second time, with
 * the truth and the bound of every element kept: which are wrong, and what kind of mistake is it (mistake.c)? Then
 * once more with each mistake that is often made (hypotheses.c), made on purpose: what is ok then was computed so. */
#include "checks.h"
#include "mistake.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* arrays that are checked again with all mistakes, so that a record full of faults ends */
enum { MOST_EXPLAINED = 40 };

static int has_ending(const char *name, const char *ending)
{
    const size_t length = strlen(name), size = strlen(ending);
    return length >= size && strcmp(name + length - size, ending) == 0;
}

/* ---- What its axes are ---- */

static void name_axes(const struct fer_verification *v, const struct fer_verify_row *row, struct fer_compared *c)
{
    const struct fer_layer *layer = v->layer;
    const char *const kernel = layer->type == FER_DEPTHWISE_CONV2D ? "[KH,KW,C,M]" : "[KH,KW,CI,CO]";
    const size_t image[4] = {(size_t)v->n, layer->height, layer->width, layer->channels};
    const size_t flat[2] = {image[0], image[3]};
    int k;
    for (k = 0; k < layer->parameters; k++) {
        const struct fer_parameter *p = &v->net.parameter[layer->parameter + k];
        const size_t length = strlen(p->name);
        if (strncmp(row->array, p->name, length) != 0 || (row->array[length] != '_' && row->array[length])) continue;
        fer_mistake_axes(c, p->dims == 1 ? "[C]" : p->dims == 2 ? "[I,O]" : kernel, p->dims, p->shape);
        return;
    }
    if (row->elements != image[0] * image[1] * image[2] * image[3])
        fer_mistake_axes(c, NULL, 1, &row->elements);
    else if (layer->flat)
        fer_mistake_axes(c, "[N,C]", 2, flat);
    else
        fer_mistake_axes(c, "[N,H,W,C]", 4, image);
}

/* ---- The second look ---- */

/* Returns what kind of mistake it may be. */
static enum fer_mistake look_again(struct fer_verification *v, struct fer_verify_row *row)
{
    struct fer_compared c = {0};
    enum fer_mistake kind = FER_NO_MISTAKE;
    double *room = fer_allocate(2 * row->elements, sizeof *room, v->e);
    if (!room) {
        v->failed = 1;
        return kind;
    }
    v->tally.truths = room, v->tally.bounds = room + row->elements;
    v->check(v, v->layer);
    if (!v->failed && v->tally.count == row->elements) {
        c.count = row->elements;
        c.truth = v->tally.truths, c.error = v->tally.bounds, c.claimed = v->claimed;
        c.unit = v->arithmetic.store > 0 ? v->arithmetic.store : v->arithmetic.sum;
        name_axes(v, row, &c);
        row->wrong = fer_mistake_place(&c, row->pattern, sizeof row->pattern);
        if (v->tally.not_finite)
            kind = FER_VAGUE_MISTAKE;
        else
            kind = *row->reason && !row->weak ? FER_CLEAR_MISTAKE
                                              : fer_mistake_kind(&c, row->reason, sizeof row->reason);
    }
    v->tally.truths = v->tally.bounds = NULL;
    fer_verify_release(v, 0);
    fer_free(room);
    return kind;
}

/* ---- Mistakes made on purpose ---- */

/* How far the check is from ok then; infinite: it is not. */
static double attempt(struct fer_verification *v)
{
    double ratio = INFINITY;
    fer_chain_clear(v);
    v->check(v, v->layer);
    if (!v->failed && v->row.verdict == FER_OK && (v->tally.outgrows || v->twist == FER_NO_MAXIMUM))
        ratio = v->row.likely;
    fer_verify_release(v, 0);
    fer_chain_clear(v);
    return ratio;
}

/* Whether the array comes from a layer of this kind: itself, those that the check went through, of a gradient the
 * consumers. */
static int comes_from(const struct fer_verification *v, const struct fer_layer *layer, const struct fer_verify_row *row,
                      int of_output)
{
    const int mine = (int)(v->layer - v->net.layer), other = (int)(layer - v->net.layer);
    int k;
    for (k = 0; k < row->chain; k++)
        if (v->through[k] == other) return 1;
    if (!of_output || !has_ending(row->array, "_grad")) return mine == other;
    for (k = 0; k < layer->inputs; k++)
        if (layer->input[k] == mine) return 1;
    return 0;
}

static int is_kind(const struct fer_layer *layer, const char *operation)
{
    const struct fer_check *check = &fer_checks[layer->type];
    return strcmp(check->name, operation) == 0 || (check->operation && strcmp(check->operation, operation) == 0);
}

static int set(double *setting, double value)
{
    const int changed = *setting != value;
    *setting = value;
    return changed;
}

/* The option of `op` as a setting of the layer. 0: it has no such, or it is set so. */
static int take_option(struct fer_layer *layer, const struct fer_op_option *option)
{
    const char *name = option->name, *text = option->text;
    const int one = strcmp(text, "1") == 0, lower = strcmp(text, "same_lower") == 0;
    struct fer_window *g = &layer->window;
    if (strcmp(name, "epsilon") == 0) return set(&layer->epsilon, strtod(text, NULL));
    if (strcmp(name, "momentum") == 0) return set(&layer->momentum, strtod(text, NULL));
    if (strcmp(name, "slope") == 0) return set(&layer->slope, one ? 1 : text[2] == '5' ? 1.0 / 5 : 1.0 / 6);
    if (strcmp(name, "negative-slope") == 0 && layer->type == FER_LEAKY_RELU)
        return set(&layer->slope, strtod(text, NULL));
    if (strcmp(name, "max-value") == 0 && layer->type == FER_LEAKY_RELU && layer->max_value < INFINITY)
        return set(&layer->max_value, INFINITY);
    if (strcmp(name, "moving-variance") == 0) {
        layer->unbiased = strcmp(text, "unbiased") == 0;
        return 1;
    }
    if (strcmp(name, "training") == 0) {
        layer->inference = !one;
        if (one) layer->frozen = 0;
        return 1;
    }
    if (strcmp(name, "count-include-pad") == 0) {
        g->count_padding = one;
        return g->pad_top + g->pad_bottom + g->pad_left + g->pad_right > 0;
    }
    if (strcmp(name, "padding") == 0 && layer->padding == (lower ? FER_SAME : FER_SAME_LOWER)) {
        fer_twist_window(FER_PADDING_TURNED, 1, g);
        return g->pad_top != g->pad_bottom || g->pad_left != g->pad_right;
    }
    return 0;
}

/* Sets the layers that the array comes from. 0: that changes nothing. */
static int take(struct fer_verification *v, const struct fer_hypothesis *h, const struct fer_verify_row *row,
                int of_output)
{
    const int of_update = has_ending(row->array, "_new");
    int i, found = 0;
    if (strcmp(h->operation, "softmax_cross_entropy") == 0) {
        v->twist = h->twist;
        return (h->twist == FER_NO_LABEL) == has_ending(row->array, "_grad") &&
               v->layer == &v->net.layer[v->net.layers - 1] &&
               row->elements == (size_t)v->n * v->layer->channels;
    }
    if (of_update != (h->option.name && (strcmp(h->option.name, "momentum") == 0 ||
                                         strcmp(h->option.name, "moving-variance") == 0)))
        return 0;
    for (i = 1; i < v->net.layers; i++) {
        struct fer_layer *layer = &v->net.layer[i];
        if (!is_kind(layer, h->operation) || !comes_from(v, layer, row, of_output)) continue;
        v->twisted = layer->type;
        if (layer->window.groups > 1) v->twisted_groups = layer->window.groups;
        if (h->option.name && !take_option(layer, &h->option)) continue;
        if (h->twist && layer->window.kernel_h) fer_twist_window(h->twist, layer->padding != FER_VALID, &layer->window);
        found = 1;
    }
    v->twist = h->twist;
    return found;
}

/* The table's hypotheses: the words of the one that fits best; NULL: none fits. */
static const char *try_hypotheses(struct fer_verification *v, const struct fer_verify_row *row, int of_output)
{
    const struct fer_verify_options *const options = v->options;
    struct fer_verify_options trained = *options;
    struct fer_layer *layers = fer_allocate(FER_MAX_LAYERS, sizeof *layers, v->e);
    const struct fer_hypothesis *h, *best = NULL;
    double ratio, least = INFINITY;
    int i;
    if (!layers) v->failed = 1;
    if (layers) memcpy(layers, v->net.layer, sizeof v->net.layer);
    trained.inference = 0;
    for (i = 0; !v->failed && (h = fer_hypothesis(NULL, i)) != NULL; i++) {
        v->twisted_groups = 1;
        if (h->option.name && strcmp(h->option.name, "training") == 0 && *h->option.text == '1') v->options = &trained;
        ratio = take(v, h, row, of_output) ? attempt(v) : INFINITY;
        if (ratio < least) least = ratio, best = h;
        memcpy(v->net.layer, layers, sizeof v->net.layer);
        v->options = options;
        v->twist = FER_NO_TWIST;
    }
    fer_free(layers);
    return best ? best->words : NULL;
}

/* A consumer whose gradient is left out, or added twice. */
static void try_consumers(struct fer_verification *v, struct fer_verify_row *row)
{
    int i;
    for (i = 1; i < v->net.layers && v->net.layer[v->layer - v->net.layer].consumers > 1 && !v->failed; i++) {
        if (!comes_from(v, &v->net.layer[i], row, 1)) continue;
        v->left_out = i;
        if (attempt(v) < INFINITY)
            snprintf(row->reason, sizeof row->reason, "what %s sends back is left out", v->net.layer[i].name);
        v->left_out = 0, v->twice = i;
        if (attempt(v) < INFINITY)
            snprintf(row->reason, sizeof row->reason, "what %s sends back is added twice", v->net.layer[i].name);
        v->twice = 0;
    }
}

/* A parameter's gradient from fewer images. */
static void try_images(struct fer_verification *v, struct fer_verify_row *row)
{
    const int n = v->n;
    for (v->n = 1; v->n < n && !v->failed; v->n++)
        if (attempt(v) < INFINITY)
            snprintf(row->reason, sizeof row->reason, "of the first %d of %d images alone", v->n, n);
    v->n = n;
}

void fer_verify_explain(struct fer_verification *v)
{
    struct fer_verify_row row = v->row;
    enum fer_mistake kind;
    char name[FER_MAX_ARRAY];
    const char *words;
    int of_output;
    fer_output_name(&v->net, (int)(v->layer - v->net.layer), has_ending(row.array, "_grad") ? "_grad" : "", name);
    of_output = strcmp(name, row.array) == 0;
    v->looking = row.array;
    kind = look_again(v, &row);
    if (!v->failed && kind != FER_CLEAR_MISTAKE && row.wrong > 1 && v->explained++ < MOST_EXPLAINED) {
        words = try_hypotheses(v, &row, of_output);
        if (words)
            snprintf(row.reason, sizeof row.reason, "%.*s",
                     (int)(strstr(words, ": --") ? strstr(words, ": --") - words : 200), words);
        if (!words && of_output && has_ending(row.array, "_grad")) try_consumers(v, &row);
        if (!words && !of_output && has_ending(row.array, "_grad")) try_images(v, &row);
    }
    v->looking = NULL;
    v->row = row;
}
