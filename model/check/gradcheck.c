/* gradcheck.c - does a gradient belong to its function? Answered by finite differences.
 *
 * One element of x is moved, and f_k is the function at x + k*h. Then
 *     slope  = (672 (f_1 - f_-1) - 168 (f_2 - f_-2) + 32 (f_3 - f_-3) - 3 (f_4 - f_-4)) / (840 h)     error O(h^8)
 *     slope6 = (45 (f_1 - f_-1) - 9 (f_2 - f_-2) + (f_3 - f_-3)) / (60 h)                             error O(h^6)
 *     bend   = (48 (f_1 + f_-1) - 36 (f_2 + f_-2) + 16 (f_3 + f_-3) - 3 (f_4 + f_-4) - 50 f_0) / (12 h)
 * (weights: Fornberg, Mathematics of Computation 51, 1988). Such a high order lets h be large, so that little is lost
 * to rounding: with h = 1/32 both errors are far below 1e-8 in float64. `bend` is the one-sided slope to the right, of
 * order four, less the one to the left.
 *
 * A kink. Where f is smooth, slope and slope6 agree, and the bend vanishes. They do not when f has a kink (a ReLU, a
 * maximum) between x - 4h and x + 4h: one at x itself shows in the bend alone, one beside it in the difference. Their
 * disagreement is the `doubt`; while it is too large, a smaller step is tried, and an element that is left in doubt
 * counts as skipped. The claimed slope has no part in this, so a wrong gradient is not excused as a kink.
 *
 * The error is |slope - claimed| / max(|slope|, floor): relative to what was measured, so that a wrong claim cannot
 * widen its own tolerance. Without the floor an element that is zero by cancellation, of which both sides hold nothing
 * but rounding, would be 100 % wrong. The floor is a small part (FLOOR) of the root mean square of the measured
 * slopes. What it hides: an error smaller than goal * FLOOR of the typical slope, in an element whose own slope is
 * below FLOOR of it.
 *
 * What no such check can see: an error that forward and backward share. The forward pass needs a judge of its own. */
#include "gradcheck.h"

#include <math.h>
#include <string.h>

#ifdef FER_DOUBLE
#define FLOOR 0.01
#define BEND 1e-4 /* how much a bend counts as doubt: it is of lower order, so it is never quite zero */
#else
#define FLOOR 0.1
#define BEND 0.01
#endif
#define DOUBT (FER_GRADCHECK_GOAL / 50) /* the largest that is accepted, relative as the error is */
#define UNKNOWN DBL_MAX                 /* the doubt of what was not measured yet */
enum { STEPS = 5, SHRINK = 4 };         /* steps that are tried, each a quarter of the one before */

/* An element of x and what was measured there. */
struct element {
    size_t index;
    double slope, doubt;
};

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double at(double (*f)(void *context), void *context, real *x, double value)
{
    *x = (real)value;
    return f(context);
}

/* f0 is the function where it stands. */
static void measure(double (*f)(void *context), void *context, real *x, double f0, double h, struct element *element)
{
    const real here = *x, next = (real)((double)here + h);
    double difference[5], sum[5], slope, slope6, bend, doubt; /* [0] is not used */
    int k;
    if (magnitude((double)next - (double)here - h) > DOUBT * h)
        return; /* a step that rounding swallows measures nothing */
    for (k = 1; k <= 4; k++) {
        const double right = at(f, context, x, (double)here + k * h), left = at(f, context, x, (double)here - k * h);
        difference[k] = right - left;
        sum[k] = (right - f0) + (left - f0);
    }
    *x = here;
    slope = (672 * difference[1] - 168 * difference[2] + 32 * difference[3] - 3 * difference[4]) / (840 * h);
    slope6 = (45 * difference[1] - 9 * difference[2] + difference[3]) / (60 * h);
    bend = (48 * sum[1] - 36 * sum[2] + 16 * sum[3] - 3 * sum[4]) / (12 * h);
    doubt = larger(magnitude(slope - slope6), BEND * magnitude(bend));
    if (doubt < element->doubt) {
        element->slope = slope;
        element->doubt = doubt;
    }
}

/* FLOOR of the root mean square of the slopes that are beyond doubt by themselves. */
static double floor_of(const struct element *element, size_t count)
{
    double squares = 0;
    size_t i, clear = 0;
    for (i = 0; i < count; i++)
        if (element[i].doubt <= DOUBT * magnitude(element[i].slope)) {
            squares += element[i].slope * element[i].slope;
            clear++;
        }
    return clear ? FLOOR * sqrt(squares / (double)clear) : 0;
}

static int in_doubt(const struct element *element, double floor)
{
    return element->doubt > DOUBT * larger(magnitude(element->slope), floor);
}

static void judge(const struct element *element, double floor, const real *claimed, struct fer_gradcheck *result)
{
    const double claim = (double)claimed[element->index], difference = magnitude(element->slope - claim);
    double error = difference == 0 ? 0 : difference / larger(magnitude(element->slope), floor);
    if (in_doubt(element, floor) && element->doubt < UNKNOWN) {
        result->skipped++;
        return;
    }
    if (element->doubt == UNKNOWN || !(error <= DBL_MAX)) error = DBL_MAX; /* nothing finite was measured, or claimed */
    if (!result->checked++ || error > result->worst) {
        result->worst = error;
        result->index = element->index;
        result->measured = element->slope;
        result->claimed = claim;
    }
}

static double default_step(const real *x, size_t count)
{
    double squares = 0;
    size_t i;
    for (i = 0; i < count; i++) squares += (double)x[i] * (double)x[i];
    return squares > 0 ? sqrt(squares / (double)count) / 32 : 1.0 / 32;
}

/* An element of the i-th of `samples` equal stretches of [0, count). */
static size_t sample(size_t count, size_t samples, size_t i, uint64_t seed)
{
    const size_t width = count / samples, rest = count % samples; /* the first `rest` stretches have one more */
    const size_t start = i * width + (i < rest ? i : rest), size = width + (i < rest);
    return start + (size_t)(fer_uniform(seed, FER_FOR_CHECKS, 0, i) * (double)size);
}

int fer_gradcheck_function(double (*f)(void *context), void *context, real *x, const real *claimed, size_t count,
                           size_t samples, double step, uint64_t seed, struct fer_gradcheck *result,
                           struct fer_error *e)
{
    const size_t elements = samples && samples < count ? samples : count;
    struct element *element = fer_allocate(elements, sizeof *element, e);
    double floor = 0, f0;
    size_t i;
    int round;
    memset(result, 0, sizeof *result);
    if (!element) return -1;
    for (i = 0; i < elements; i++) {
        element[i].index = sample(count, elements, i, seed);
        element[i].doubt = UNKNOWN;
    }
    f0 = f(context);
    if (!(step > 0)) step = default_step(x, count);
    for (round = 0; round < STEPS; round++, step /= SHRINK) {
        for (i = 0; i < elements; i++)
            if (in_doubt(&element[i], floor)) measure(f, context, x + element[i].index, f0, step, &element[i]);
        floor = floor_of(element, elements);
    }
    for (i = 0; i < elements; i++) judge(&element[i], floor, claimed, result);
    fer_free(element);
    return 0;
}

int fer_gradcheck_passed(const struct fer_gradcheck *result)
{
    return result->checked > 0 && result->skipped <= (result->checked + result->skipped) / 10 &&
           result->worst < FER_GRADCHECK_GOAL;
}

double fer_gradcheck_dot(size_t count, const real *a, const real *b)
{
    double sum = 0, carry = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        const double term = (double)a[i] * (double)b[i], next = sum + term;
        carry += magnitude(sum) >= magnitude(term) ? (sum - next) + term : (term - next) + sum;
        sum = next;
    }
    return sum + carry;
}

void fer_gradcheck_report(struct gradcheck_run *run, const struct fer_gradcheck_row *row)
{
    run->rows++;
    if (!fer_gradcheck_passed(&row->result)) run->failed++;
    if (run->report) run->report(run->context, row);
}

const char *const fer_gradcheck_layers[FER_GRADCHECK_LAYERS] = {"conv2d",
                                                                "batch_normalization",
                                                                "relu",
                                                                "max_pooling2d",
                                                                "average_pooling2d",
                                                                "global_average_pooling2d",
                                                                "concatenate",
                                                                "dense",
                                                                "softmax_cross_entropy",
                                                                "network"};

static int known(const char *layer)
{
    int i;
    for (i = 0; i < FER_GRADCHECK_LAYERS; i++)
        if (!strcmp(layer, fer_gradcheck_layers[i])) return 1;
    return 0;
}

int fer_gradcheck(const char *const *layers, int count, uint64_t seed,
                  void (*report)(void *context, const struct fer_gradcheck_row *row), void *context,
                  struct fer_error *e)
{
    struct gradcheck_run run = {0};
    const int all = count == 0;
    int i, rows = 0;
    if (all) layers = fer_gradcheck_layers, count = FER_GRADCHECK_LAYERS;
    for (i = 0; i < count; i++)
        if (!known(layers[i]))
            return fer_fail(e,
                            "there is no gradient check of `%.40s`; there are: conv2d, batch_normalization, relu, "
                            "max_pooling2d, average_pooling2d, global_average_pooling2d, concatenate, dense, "
                            "softmax_cross_entropy, network",
                            layers[i]);
    run.seed = seed;
    run.report = report;
    run.context = context;
    for (i = 0; i < count; i++) {
        const int network = !strcmp(layers[i], "network");
        if (network && sizeof(real) < sizeof(double)) {
            if (all) continue;
            return fer_fail(e,
                            "the whole network's gradients are checked in float64 only: float32 is too coarse for it");
        }
        if (network ? fer_gradcheck_network(&run, e) : fer_gradcheck_cases(&run, layers[i], e)) return -1;
        if (run.rows == rows) return fer_fail(e, "the gradient check of %.40s checked nothing", layers[i]);
        rows = run.rows;
    }
    return run.failed;
}
