/* mistakes.c - does the gradient check find mistakes in every kind of layer? Into the right gradient of each argument
 * (the cases of `fer64 gradcheck`, with new random numbers until there are enough) one mistake is put: one element is
 * changed, all are by one factor, or all by one term; then a dozen of its elements are checked.
 *
 *     mistakes64 [COUNT]      at least COUNT (200) mistakes of each kind
 *
 * Fails when a right gradient is called WRONG, or a mistake larger than twice the stated error ok. */
#include "../model/check/checks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKED = 12 };
static const char *const mistakes[] = {"element", "factor", "term"};

static struct {
    size_t right, wrong, planted, found[3], not_said, too_small, missed;
} total;
static uint32_t drawn;

static double draw(const struct fer_gradcheck_run *run)
{
    return fer_uniform(run->seed, FER_FOR_CHECKS, 5000 + (uint32_t)run->type, drawn++);
}

/* Puts a mistake of this kind into the gradient dx[count]; small ones are as frequent as large ones. */
static void spoil(const struct fer_gradcheck_run *run, int kind, real *dx, size_t count)
{
    const double size = pow(10, -12 * draw(run)), part = draw(run) < 0.5 ? size : -size;
    const size_t one = (size_t)(draw(run) * (double)count);
    const double usual = fer_gradcheck_size(dx, count);
    size_t i;
    for (i = 0; i < count; i++) {
        if (kind == 0 && i == one) dx[i] += (real)(part * usual);
        if (kind == 1) dx[i] *= (real)(1 + part);
        if (kind == 2) dx[i] -= (real)(part * usual);
    }
}

/* In place of a row: some elements, right and then spoilt. */
static int plant(struct fer_gradcheck_run *run, double (*f)(void *context), void *context, real *x, real *claimed,
                 size_t count, struct fer_error *e)
{
    const size_t n = count < CHECKED ? count : CHECKED, first = (size_t)(draw(run) * (double)(count - n + 1));
    const int kind = (int)(draw(run) * 3);
    struct fer_gradcheck r;
    real right[CHECKED], *dx = claimed + first;
    size_t i, changed = 0;
    run->rows++;
    if (fer_gradcheck_function(f, context, x + first, dx, n, 0, FER_GRADCHECK_STEP, run->seed, &r, e)) return -1;
    total.right += r.checked, total.wrong += r.wrong;
    if (r.wrong) printf("%s, seed %lu: right, called WRONG\n", run->layer, (unsigned long)run->seed);
    for (i = 0; i < n; i++) right[i] = dx[i];
    spoil(run, kind, dx, n);
    for (i = 0; i < n; i++) changed += dx[i] != right[i];
    if (!changed) return 0; /* a factor of zeros */
    if (fer_gradcheck_function(f, context, x + first, dx, n, 0, FER_GRADCHECK_STEP, run->seed, &r, e)) return -1;
    total.planted++;
    if (r.wrong) total.found[kind]++;
    else if (r.skipped) total.not_said++;
    else if (fabs((double)(dx[r.index] - right[r.index])) < 2 * r.error) total.too_small++;
    else {
        total.missed++;
        printf("%s, seed %lu, %s: missed\n", run->layer, (unsigned long)run->seed, mistakes[kind]);
    }
    return 0;
}

/* Kind number i, over as many seeds as it takes. Returns whether all went well. */
static int check_kind(int i, size_t least)
{
    struct fer_gradcheck_run run = {0};
    struct fer_error e = {""};
    memset(&total, 0, sizeof total);
    run.type = i < FER_LAYER_TYPES ? (enum fer_layer_type)i : FER_INPUT;
    run.layer = fer_gradcheck_name(i - 1);
    run.instead = plant;
    for (drawn = 0; total.planted < least; run.seed++) {
        const int failed = i < FER_LAYER_TYPES ? fer_checks[i].gradcheck(&run, &e)
                                               : fer_gradcheck_softmax_cross_entropy(&run, &e);
        if (failed || run.seed > least) {
            printf("%s: %s\n", run.layer, failed ? e.text : "nothing to spoil");
            return 0;
        }
    }
    printf("| %s | %zu | %zu | %zu | %zu, %zu, %zu | %zu | %zu |\n", run.layer, total.right, total.wrong, total.planted,
           total.found[0], total.found[1], total.found[2], total.too_small + total.not_said, total.missed);
    fflush(stdout);
    return !total.wrong && !total.missed;
}

int main(int argc, char **argv)
{
    const size_t least = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
    int i, passed = 0;
    printf("| layer | right slopes | called WRONG | mistakes | found: of elements, factors, terms | below twice the "
           "stated error, or not said | missed |\n|---|---|---|---|---|---|---|\n");
    for (i = 1; i <= FER_LAYER_TYPES; i++) passed += check_kind(i, least);
    printf("%d passed, %d failed\n", passed, FER_LAYER_TYPES - passed);
    return passed != FER_LAYER_TYPES;
}
