/* verify_hints.c - arrays at fault that another choice would make ok: of an option, of a constant. Every array that
 * depends on the choice is checked once more with it, and only when all of them are ok it is told: one that is not
 * would be a fault that the choice does not explain. */
#include "verification.h"

#include <stdio.h>
#include <string.h>

/* The options as one would write them, without their dashes; `rate`: and the learning rate that fits best. */
struct hint {
    unsigned family;
    const char *option[2][2];
    int rate;
};

static const struct hint hints[] = {
    {FER_ON_STATISTICS, {{"inference", "1"}}, 0},
    {FER_ON_STATISTICS, {{"inference", "0"}}, 0},
    {FER_ON_EPSILON, {{"bn-epsilon", "1e-5"}}, 0}, /* PyTorch */
    {FER_ON_EPSILON, {{"bn-epsilon", "1e-3"}}, 0}, /* Keras */
    {FER_ON_EPSILON, {{"bn-epsilon", "2e-5"}}, 0},
    {FER_ON_EPSILON, {{"bn-epsilon", "1e-4"}}, 0},
    {FER_ON_EPSILON, {{"bn-epsilon", "1e-6"}}, 0},
    {FER_ON_WINOGRAD, {{"winograd", "2"}}, 0},
    {FER_ON_WINOGRAD, {{"winograd", "4"}}, 0},
    {FER_ON_WINOGRAD, {{"winograd", "6"}}, 0},
    {FER_ON_TIES, {{"ties", "last"}}, 0},
    {FER_ON_TIES, {{"ties", "first"}}, 0},
    {FER_ON_TIES, {{"ties", "all"}}, 0},
    {FER_ON_TIES, {{"ties", "split"}}, 0},
    {FER_ON_TIES, {{"ties", "any"}}, 0},
    {FER_ON_ZERO, {{"relu-at-zero", "1"}}, 0},
    {FER_ON_ZERO, {{"relu-at-zero", "0"}}, 0},
    {FER_ON_ADAM, {{"adam", "pytorch"}}, 0},
    {FER_ON_ADAM, {{"adam", "keras"}}, 0},
    {FER_ON_ADAM, {{"adam-epsilon", "1e-8"}}, 0},
    {FER_ON_ADAM, {{"adam-epsilon", "1e-7"}}, 0},
    {FER_ON_ADAM, {{"adam", "pytorch"}, {"adam-epsilon", "1e-8"}}, 0}, /* PyTorch's own */
    {FER_ON_ADAM, {{"adam", "keras"}, {"adam-epsilon", "1e-7"}}, 0},
    {FER_ON_ADAM, {{NULL}}, 1},
    {FER_ON_ADAM, {{"adam", "pytorch"}}, 1},
    {FER_ON_ADAM, {{"adam-epsilon", "1e-8"}}, 1},
    {FER_ON_ADAM, {{"adam", "pytorch"}, {"adam-epsilon", "1e-8"}}, 1},
    {FER_ON_MOMENTUM, {{"bn-momentum", "0.9"}}, 0}, /* PyTorch's 0.1 */
    {FER_ON_MOMENTUM, {{"bn-momentum", "0.99"}}, 0},
    {FER_ON_MOMENTUM, {{"bn-momentum", "0.999"}}, 0},
    {FER_ON_MOMENTUM, {{"bn-momentum", "0.9"}, {"bn-moving-variance", "biased"}}, 0},
    {FER_ON_MOVING_VARIANCE, {{"bn-moving-variance", "biased"}}, 0},
    {FER_ON_MOVING_VARIANCE, {{"bn-moving-variance", "unbiased"}}, 0},
};

static const char *noun_of(unsigned family)
{
    return family == FER_ON_ADAM            ? "update by Adam"
           : family == FER_ON_MOVING_VARIANCE ? "moving variance"
           : family == FER_ON_MOMENTUM        ? "moving mean and variance"
           : family == FER_ON_TIES            ? "gradient through max pooling"
           : family == FER_ON_ZERO            ? "gradient through a ReLU"
                                              : "array behind BatchNormalization";
}

/* Whether that changes the option. */
static int set(struct fer_verify_options *o, const char *name, const char *value)
{
    static const char *const ties[] = {"first", "last", "all", "split", "any"};
    const struct fer_verify_options before = *o;
    const int setting = fer_settings_find(name);
    int k;
    if (setting >= 0 && fer_settings_set(&o->settings, setting, value, NULL)) return 0;
    if (strcmp(name, "adam") == 0) o->adam_pytorch = strcmp(value, "pytorch") == 0;
    if (strcmp(name, "inference") == 0) o->inference = *value == '1';
    if (strcmp(name, "winograd") == 0) o->winograd = *value - '0';
    if (strcmp(name, "relu-at-zero") == 0) o->relu_at_zero = *value == '1';
    for (k = 0; k < 5 && strcmp(name, "ties") == 0; k++)
        if (strcmp(value, ties[k]) == 0) o->ties = (enum fer_ties)k;
    return memcmp(&before, o, sizeof before) != 0;
}

/* The row says so when it is at fault, of the family, and nothing is said yet. */
static int is_open(const struct fer_kept *kept, unsigned family)
{
    return kept->depends & family && fer_verify_is_at_fault(&kept->row) && !kept->hinted;
}

static struct fer_kept *first_open(struct fer_verification *v, unsigned family)
{
    int i;
    for (i = 0; i < v->kept_count; i++)
        if (is_open(&v->kept[i], family)) return &v->kept[i];
    return NULL;
}

/* In place of what explains that array alone. */
static void say(struct fer_kept *kept, const char *text)
{
    snprintf(kept->row.reason, sizeof kept->row.reason, "%s", text);
    kept->hinted = 1;
}

static int size_of(const struct fer_verification *v, unsigned family)
{
    int i, count = 0;
    for (i = 0; i < v->kept_count; i++) count += (v->kept[i].depends & family) != 0;
    return count;
}

/* "--adam pytorch --adam-epsilon 1e-8" */
static void name_options(const struct hint *h, char text[100])
{
    int k, at = 0;
    *text = 0;
    for (k = 0; k < 2 && h->option[k][0]; k++) {
        const int flag = strcmp(h->option[k][0], "inference") == 0;
        at += snprintf(text + at, 100 - (size_t)at, "%s--%s%s%s", k ? " " : "", h->option[k][0], flag ? "" : " ",
                       flag ? "" : h->option[k][1]);
    }
}

/* Errors of Winograd's algorithm are everywhere, and nothing else explains them. */
static int are_spread(const struct fer_verification *v)
{
    int i, spread = 1;
    for (i = 0; i < v->kept_count; i++)
        if (is_open(&v->kept[i], FER_ON_WINOGRAD)) spread &= v->kept[i].spread && !*v->kept[i].row.reason;
    return spread;
}

static void try(struct fer_verification *v, fer_verify_retry *retry, const struct hint *h)
{
    const struct fer_kept *fault = first_open(v, h->family);
    struct fer_verify_options other = *v->options;
    char options[100], rate[32] = "", text[240];
    int k, changed = 0;
    if (!fault || (h->family == FER_ON_WINOGRAD && !are_spread(v))) return;
    for (k = 0; k < 2 && h->option[k][0]; k++) changed = set(&other, h->option[k][0], h->option[k][1]);
    if (h->rate) {
        snprintf(rate, sizeof rate, "%.3g", fault->rate);
        changed = fault->rate > 0 && set(&other, "learning-rate", rate);
    }
    if (!changed || !retry(v, &other, h->family)) return;
    name_options(h, options);
    if (h->rate)
        snprintf(text, sizeof text, "all %d updates are ok with learning rate %s%s%s", size_of(v, h->family), rate,
                 *options ? " and " : "", options);
    else if (h->family == FER_ON_TIES && v->options->ties == FER_TIES_FIRST && other.ties == FER_TIES_LAST)
        snprintf(text, sizeof text, "max pooling's gradient went to another of several equal maxima; --ties any "
                                    "accepts that, --ties last too");
    else if (h->family == FER_ON_STATISTICS && !other.inference)
        snprintf(text, sizeof text, "without --inference every %s is ok", noun_of(h->family));
    else if (h->family == FER_ON_WINOGRAD)
        snprintf(text, sizeof text, "with %s every 3x3 convolution is ok; ncnn's use_winograd_convolution, OpenCV's "
                                    "enableWinograd and the like switch it off", options);
    else
        snprintf(text, sizeof text, "with %s every %s is ok", options, noun_of(h->family));
    for (k = 0; k < v->kept_count; k++)
        if (is_open(&v->kept[k], h->family)) say(&v->kept[k], text);
}

/* Some layers may go by one rule and some by the other. */
static void try_layers(struct fer_verification *v)
{
    static const char suffix[] = "/moving_variance_new";
    char text[200];
    int i;
    for (i = 0; i < v->kept_count && v->options->settings.bn_unbiased >= 0; i++) {
        const char *array = v->kept[i].row.array;
        if (!is_open(&v->kept[i], FER_ON_MOVING_VARIANCE) || !v->kept[i].ok_otherwise) continue;
        snprintf(text, sizeof text, "with --bn-moving-variance %.*s=%s it is ok",
                 (int)(strlen(array) - strlen(suffix)), array,
                 v->options->settings.bn_unbiased ? "biased" : "unbiased");
        say(&v->kept[i], text);
    }
}

/* ---- Two implementations in one record ---- */

/* Whoever puts an array of theirs into another's record changes what the arrays behind it should be: those are the
 * other's, and off by more than a rounding of their own. Of an output that is told from a fault by what it takes
 * from: computed anew it is sound. Of a gradient, by its size: what rounding of the first array may have made is
 * below so many bounds. */
enum { MOST_LIKELY_BOUNDS = 1000 };

static int reads(const struct fer_kept *kept, int array)
{
    return kept->uses[array / 8] >> array % 8 & 1;
}

/* The last array, as they are computed, that is ok and that all arrays at fault are computed from; NULL: none. */
static const char *common_source(const struct fer_verification *v)
{
    const char *source = NULL;
    int i, k, x, faults;
    for (i = 0; i < v->kept_count; i++) {
        for (x = 0; x < v->expected_count && strcmp(v->expected[x].name, v->kept[i].row.array) != 0;) x++;
        if (v->kept[i].row.verdict != FER_OK || x == v->expected_count) continue;
        for (k = 0, faults = 0; k < v->kept_count; k++) {
            if (!fer_verify_is_at_fault(&v->kept[k].row)) continue;
            if (!reads(&v->kept[k], x)) break;
            faults++;
        }
        if (k == v->kept_count && faults) source = v->expected[x].name;
    }
    return source;
}

static void tell_two_hands(struct fer_verification *v, fer_verify_retry *retry)
{
    /* which another part may have */
    const char *source = v->options->no_chains || v->options->parts ? NULL : common_source(v);
    char text[200];
    int i, sound = 1, outputs = 0;
    if (!source) return;
    for (i = 0; i < v->kept_count; i++) {
        struct fer_kept *kept = &v->kept[i];
        const int at_fault = fer_verify_is_at_fault(&kept->row), is_output = (kept->depends & FER_ON_INPUTS) != 0;
        if (!at_fault) kept->depends &= ~(unsigned)FER_ON_INPUTS;
        outputs += at_fault && is_output;
        if (at_fault && !is_output) sound &= kept->row.likely < MOST_LIKELY_BOUNDS;
    }
    if (!sound || (outputs && !retry(v, v->options, FER_ON_INPUTS))) return;
    snprintf(v->summary->only_consumers_of, sizeof v->summary->only_consumers_of, "%s", source);
    snprintf(text, sizeof text, "only what is computed from %s is at fault, and that is ok: it may be another "
                                "implementation's", source);
    for (i = 0; i < v->kept_count; i++)
        if (fer_verify_is_at_fault(&v->kept[i].row)) say(&v->kept[i], text);
}

void fer_verify_hints(struct fer_verification *v, fer_verify_retry *retry)
{
    size_t k;
    for (k = 0; k < sizeof hints / sizeof *hints; k++) try(v, retry, &hints[k]);
    try_layers(v);
    for (k = 0; k < (size_t)v->kept_count; k++)
        if (v->kept[k].hinted) return;
    tell_two_hands(v, retry);
}
