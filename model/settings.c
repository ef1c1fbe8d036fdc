/* settings.c - the settings of a run by name: for the command line and for config.txt. One table says everything about
 * each. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct fer_settings, member)
#define BELOW_ONE (1 - DBL_EPSILON)

const struct fer_setting fer_setting_table[FER_SETTINGS] = {
    {"epochs", "N", "epochs to train (400)", FER_WHOLE, AT(epochs), 0, 1000000},
    {"batch", "N", "images a batch (256)", FER_WHOLE, AT(batch), 1, 100000},
    {"size", "N", "height and width at which the network sees the images, from 48 (128)", FER_WHOLE, AT(size), 1, 4096},
    {"seed", "N", "decides initial weights, order of images, drawn faces (0)", FER_SEED, AT(seed), 0, 0},
    {"learning-rate", "X", "Adam's learning rate (0.001)", FER_NUMBER, AT(learning_rate), 0, 1e6},
    {"beta1", "X", "Adam's beta_1 (0.9)", FER_NUMBER, AT(beta1), 0, BELOW_ONE},
    {"beta2", "X", "Adam's beta_2 (0.999)", FER_NUMBER, AT(beta2), 0, BELOW_ONE},
    {"adam-epsilon", "X", "Adam's epsilon (1e-07)", FER_NUMBER, AT(adam_epsilon), 0, 1e6},
    {"bn-momentum", "X", "momentum of BatchNormalization's moving statistics (0.99)", FER_NUMBER, AT(bn_momentum), 0,
     1},
    {"bn-epsilon", "X", "epsilon of BatchNormalization (0.001)", FER_NUMBER, AT(bn_epsilon), 0, 1e6},
    {"bn-moving-variance", "unbiased|biased", "which variance the moving variance takes in (unbiased)", FER_CHOICE,
     AT(bn_unbiased), 0, 0},
    {"clip-norm", "X", "all gradients' norm together is cut to this; 0: off, as Keras's global_clipnorm (0)",
     FER_NUMBER, AT(clip_norm), 0, 1e9},
    {"reduce-lr-on-plateau", "FACTOR,N",
     "times FACTOR, the learning rate, after N epochs without a lower val_loss, as Keras's ReduceLROnPlateau; 0: off "
     "(0)",
     FER_PLATEAU, AT(plateau), 0, BELOW_ONE},
    {"ema", "X", "momentum of the moving average of weights that validation sees, as Keras's use_ema; 0: off (0)",
     FER_NUMBER, AT(ema), 0, BELOW_ONE},
    {"precise-bn", "N",
     "before each validation, exact statistics of so many training batches replace the moving ones; 0: off (0)",
     FER_WHOLE, AT(precise_bn), 0, 1000000},
    {"shuffle", "on|off", "shuffle the images each epoch (on)", FER_CHOICE, AT(shuffle), 0, 0},
    {"batch-order", "shuffled|kept", "shuffle the batches too, or keep the short one last (shuffled)", FER_CHOICE,
     AT(batch_order_shuffled), 0, 0},
};

void fer_settings_default(struct fer_settings *settings)
{
    const struct fer_settings script = {.epochs = 400, .batch = 256, .size = 128, .learning_rate = 0.001, .beta1 = 0.9,
                                        .beta2 = 0.999, .adam_epsilon = 1e-7, .bn_momentum = 0.99, .bn_epsilon = 0.001,
                                        .bn_unbiased = 1, .plateau = {1, 0}, .shuffle = 1, .batch_order_shuffled = 1};
    *settings = script;
}

int fer_settings_find(const char *name)
{
    int i;
    for (i = 0; i < FER_SETTINGS; i++)
        if (strcmp(fer_setting_table[i].name, name) == 0) return i;
    return -1;
}

/* "first|second": 1 for the first, 0 for the second, -1 for anything else. */
static int choice(const char *values, const char *text)
{
    const char *bar = strchr(values, '|');
    const size_t first = (size_t)(bar - values);
    if (strlen(text) == first && strncmp(values, text, first) == 0) return 1;
    return strcmp(bar + 1, text) == 0 ? 0 : -1;
}

/* "FACTOR,N", or "0". */
static int set_plateau(struct fer_plateau *plateau, const struct fer_setting *s, const char *text, struct fer_error *e)
{
    const struct fer_plateau off = {1, 0};
    char *comma, *end;
    const double factor = strtod(text, &comma);
    const long patience = *comma == ',' ? strtol(comma + 1, &end, 10) : 0;
    *plateau = off;
    if (strcmp(text, "0") == 0) return 0;
    if (comma == text || *comma != ',' || end == comma + 1 || *end || !(factor >= 0 && factor < 1) || patience < 1 ||
        patience > 1000000)
        return fer_fail(e, "%s %s: expected a factor below 1 and a number of epochs, as 0.1,10; or 0", s->name, text);
    plateau->factor = factor;
    plateau->patience = (int)patience;
    return 0;
}

int fer_settings_set(struct fer_settings *settings, int i, const char *text, struct fer_error *e)
{
    const struct fer_setting *s = &fer_setting_table[i];
    char *place = (char *)settings + s->offset, *end = NULL;
    const int digit = *text >= '0' && *text <= '9';
    errno = 0;
    if (s->kind == FER_WHOLE) {
        const long value = strtol(text, &end, 10);
        if (!digit || *end || (double)value < s->least || (double)value > s->most)
            return fer_fail(e, "%s %s: expected a whole number, %.0f ... %.0f", s->name, text, s->least, s->most);
        *(int *)(void *)place = (int)value;
    } else if (s->kind == FER_SEED) {
        const unsigned long long value = strtoull(text, &end, 10);
        if (!digit || *end || errno) return fer_fail(e, "%s %s: expected a whole number below 2^64", s->name, text);
        *(uint64_t *)(void *)place = (uint64_t)value;
    } else if (s->kind == FER_NUMBER) {
        const double value = strtod(text, &end);
        if (end == text || *end || !(value >= s->least && value <= s->most))
            return fer_fail(e, "%s %s: expected a number, %g ... %s%g", s->name, text, s->least,
                            s->most == BELOW_ONE ? "below " : "", s->most);
        *(double *)(void *)place = value;
    } else if (s->kind == FER_PLATEAU) {
        return set_plateau((struct fer_plateau *)(void *)place, s, text, e);
    } else {
        const int value = choice(s->values, text);
        if (value < 0) return fer_fail(e, "%s %s: expected %s", s->name, text, s->values);
        *(int *)(void *)place = value;
    }
    return 0;
}

static void get_plateau(const struct fer_plateau *plateau, char text[32])
{
    size_t length;
    snprintf(text, 32, "0");
    if (plateau->patience == 0) return;
    fer_format_double(plateau->factor, text);
    length = strlen(text);
    snprintf(text + length, 32 - length, ",%d", plateau->patience);
}

void fer_settings_get(const struct fer_settings *settings, int i, char text[32])
{
    const struct fer_setting *s = &fer_setting_table[i];
    const char *place = (const char *)settings + s->offset, *bar = strchr(s->values, '|');
    if (s->kind == FER_WHOLE)
        snprintf(text, 32, "%d", *(const int *)(const void *)place);
    else if (s->kind == FER_SEED)
        snprintf(text, 32, "%llu", (unsigned long long)*(const uint64_t *)(const void *)place);
    else if (s->kind == FER_NUMBER)
        fer_format_double(*(const double *)(const void *)place, text);
    else if (s->kind == FER_PLATEAU)
        get_plateau((const struct fer_plateau *)(const void *)place, text);
    else if (*(const int *)(const void *)place)
        snprintf(text, 32, "%.*s", (int)(bar - s->values), s->values);
    else
        snprintf(text, 32, "%s", bar + 1);
}
