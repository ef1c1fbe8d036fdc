/* verify_options.c - the options of `fer verify`, from text. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

/* Which of `count` names the text is. */
static int choose(const char *option, const char *text, const char *const *names, int count, int *choice,
                  struct fer_error *e)
{
    char list[100] = "";
    int i, length = 0;
    for (i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *choice = i;
            return 0;
        }
        length += snprintf(list + length, sizeof list - (size_t)length, "%s%s", i ? ", " : "", names[i]);
    }
    return fer_fail(e, "--%s %.40s: expected one of %s", option, text, list);
}

/* I/N */
static int read_part(struct fer_verify_options *o, const char *text, struct fer_error *e)
{
    char *end;
    const long part = strtol(text, &end, 10), parts = *end == '/' ? strtol(end + 1, &end, 10) : 0;
    if (*end || part < 1 || part > parts || parts > 1000000)
        return fer_fail(e, "--part %.40s: expected I/N, such as 2/8, with I from 1 to N", text);
    o->part = (int)part;
    o->parts = (int)parts;
    return 0;
}

static const char *const variances[] = {"biased", "unbiased"}, *const rules[] = {"keras", "pytorch"},
                  *const layouts[] = {"nhwc", "nchw"}, *const maxima[] = {"first", "last", "all", "split", "any"},
                  *const slopes[] = {"0", "1"}, *const tiles[] = {"2", "4", "6"};

int fer_verify_options_read(struct fer_verify_options *o, const struct fer_verify_words *w, struct fer_error *e)
{
    int unit = (int)o->unit, sum, ties = (int)o->ties, tile = 0;
    if (w->unit && choose("unit", w->unit, fer_unit_names, FER_UNITS, &unit, e)) return -1;
    sum = unit == FER_UNIT_F64 ? FER_UNIT_F64 : FER_UNIT_F32;
    if (w->accumulate && choose("accumulate", w->accumulate, fer_unit_names, FER_UNITS, &sum, e)) return -1;
    if (sum == FER_UNIT_TF32)
        return fer_fail(e, "--accumulate tf32: nothing sums in tf32; expected f64, f32, bf16 or f16");
    if (w->ties && choose("ties", w->ties, maxima, 5, &ties, e)) return -1;
    o->unit = (enum fer_unit)unit;
    o->accumulate = (enum fer_unit)sum;
    o->ties = (enum fer_ties)ties;
    if (w->relu_at_zero && choose("relu-at-zero", w->relu_at_zero, slopes, 2, &o->relu_at_zero, e)) return -1;
    if (w->winograd && choose("winograd", w->winograd, tiles, 3, &tile, e)) return -1;
    if (w->winograd) o->winograd = 2 * tile + 2;
    if (w->adam && choose("adam", w->adam, rules, 2, &o->adam_pytorch, e)) return -1;
    if (w->part && read_part(o, w->part, e)) return -1;
    return w->layout ? choose("layout", w->layout, layouts, 2, &o->nchw, e) : 0;
}

/* Appends " --NAME VALUE", or without a value " --NAME". */
static void say(char text[FER_VERIFY_WORDS], const char *name, const char *value)
{
    const size_t length = strlen(text);
    snprintf(text + length, FER_VERIFY_WORDS - length, "%s--%s%s%s", length ? " " : "", name, value ? " " : "",
             value ? value : "");
}

void fer_verify_options_text(const struct fer_verify_options *o, char text[FER_VERIFY_WORDS])
{
    struct fer_settings defaults;
    char value[FER_PATH + 32], usual[32];
    int i;
    *text = 0;
    fer_settings_default(&defaults);
    if (o->model) say(text, "model", o->model);
    if (o->size) snprintf(value, sizeof value, "%zu", o->size), say(text, "size", value);
    if (o->inference) say(text, "inference", NULL);
    if (o->nchw) say(text, "layout", layouts[1]);
    if (o->no_chains) say(text, "no-chains", NULL);
    if (o->ties) say(text, "ties", maxima[o->ties]);
    if (o->relu_at_zero) say(text, "relu-at-zero", slopes[1]);
    if (o->winograd) say(text, "winograd", tiles[o->winograd / 2 - 1]);
    if (o->adam_pytorch) say(text, "adam", rules[1]);
    for (i = 0; i < FER_SETTINGS; i++) {
        fer_settings_get(&defaults, i, usual);
        fer_settings_get(&o->settings, i, value);
        if (strcmp(value, usual) != 0 && *value != '-') /* below 0: each layer's own */
            say(text, fer_setting_table[i].name, value);
    }
    for (i = 0; i < o->exceptions; i++) {
        const struct fer_verify_exception *x = &o->exception[i];
        snprintf(value, sizeof value, "%s=%s", x->layer,
                 strcmp(x->option, "unit") == 0 ? fer_unit_names[x->choice] : variances[x->choice]);
        say(text, x->option, value);
    }
}

/* ---- What one layer does otherwise ---- */

/* `text` is LAYER=CHOICE, and is cut in two. */
static int add_exception(struct fer_verify_options *o, const char *option, char *text, struct fer_error *e)
{
    const int is_unit = strcmp(option, "unit") == 0;
    struct fer_verify_exception *x = &o->exception[o->exceptions];
    char *equals = strrchr(text, '=');
    if (equals == text) return fer_fail(e, "--%s %.40s: expected a layer's name before the =", option, text);
    if (o->exceptions == FER_MAX_EXCEPTIONS)
        return fer_fail(e, "--%s %.60s: at most %d such options were expected", option, text, FER_MAX_EXCEPTIONS);
    *equals = 0;
    x->option = option;
    x->layer = text;
    o->exceptions++;
    return choose(option, equals + 1, is_unit ? fer_unit_names : variances, is_unit ? FER_UNITS : 2, &x->choice, e);
}

int fer_verify_exceptions_take(struct fer_verify_options *o, int *count, char **argv, struct fer_error *e)
{
    static const char *const names[] = {"unit", "bn-moving-variance"};
    int i, k, kept = 0, words = 0; /* behind a lone -- */
    for (i = 0; i < *count; i++) {
        char *value = NULL;
        words |= strcmp(argv[i], "--") == 0;
        for (k = 0; k < 2 && !value && !words && strncmp(argv[i], "--", 2) == 0; k++) {
            const size_t length = strlen(names[k]);
            if (strncmp(argv[i] + 2, names[k], length) != 0) continue;
            if (argv[i][2 + length] == '=') value = argv[i] + 3 + length;
            if (!argv[i][2 + length] && i + 1 < *count) value = argv[i + 1];
            if (value && !strchr(value, '=')) value = NULL;
            if (value && add_exception(o, names[k], value, e)) return -1;
        }
        if (!value)
            argv[kept++] = argv[i];
        else if (value == argv[i + 1])
            i++;
    }
    *count = kept;
    return 0;
}
