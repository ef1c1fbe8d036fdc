/* gradcheck.c - `fer gradcheck`: the gradients of every kind of layer, by the table of checks.c, of the loss, and of
 * the whole network, against finite differences (gradient.c). */
#include "checks.h"

#include <stdio.h>
#include <string.h>

/* What has a gradient and is no kind of layer. */
static const struct {
    const char *name;
    int (*gradcheck)(struct fer_gradcheck_run *run, struct fer_error *e);
} others[] = {{"softmax_cross_entropy", fer_gradcheck_softmax_cross_entropy}, {"network", fer_gradcheck_network}};
enum { OTHERS = sizeof others / sizeof *others, KINDS = FER_LAYER_TYPES - 1 }; /* all but FER_INPUT, the first */

const char *fer_gradcheck_name(int i)
{
    if (i < 0 || i >= KINDS + OTHERS) return NULL;
    return i < KINDS ? fer_checks[i + 1].name : others[i - KINDS].name;
}

/* The number of a name, or -1 with all of them in the reason. */
static int find(const char *name, struct fer_error *e)
{
    char names[700] = "";
    size_t at = 0;
    int i;
    for (i = 0; fer_gradcheck_name(i); i++) {
        if (strcmp(name, fer_gradcheck_name(i)) == 0) return i;
        at += (size_t)snprintf(names + at, sizeof names - at, i ? ", %s" : "%s", fer_gradcheck_name(i));
    }
    return fer_fail(e, "there is no gradient check of `%.40s`; there are: %s", name, names);
}

static int check(int i, struct fer_gradcheck_run *run, struct fer_error *e)
{
    const int before = run->rows;
    run->type = i < KINDS ? (enum fer_layer_type)(i + 1) : FER_INPUT;
    run->layer = fer_gradcheck_name(i);
    if (i < KINDS ? fer_checks[i + 1].gradcheck(run, e) : others[i - KINDS].gradcheck(run, e)) return -1;
    return run->rows > before ? 0 : fer_fail(e, "the gradient check of %s checked nothing", fer_gradcheck_name(i));
}

int fer_gradcheck(const char *const *layers, int count, uint64_t seed,
                  void (*report)(void *context, const struct fer_gradcheck_row *row), void *context,
                  struct fer_error *e)
{
    const int network = KINDS + OTHERS - 1, is_float32 = sizeof(real) < sizeof(double);
    struct fer_gradcheck_run run = {0};
    int i;
    run.seed = seed;
    run.report = report;
    run.context = context;
    for (i = 0; i < count; i++)
        if (find(layers[i], e) < 0) return -1;
    for (i = 0; i < count; i++) {
        const int number = find(layers[i], e);
        if (number == network && is_float32)
            return fer_fail(e,
                            "the whole network's gradients are checked in float64 only: float32 is too coarse for it");
        if (check(number, &run, e)) return -1;
    }
    for (i = 0; count == 0 && fer_gradcheck_name(i); i++)
        if (!(i == network && is_float32) && check(i, &run, e)) return -1;
    return run.failed;
}
