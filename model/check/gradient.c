/* gradient.c - does a gradient belong to its function? Answered by finite differences that know their own error.
 *
 * One element of x is moved, all others stand. With f at x + h and x - h
 *     slope(h) = (f(x + h) - f(x - h)) / 2h          = f'(x) + c2 h^2 + c4 h^4 + ...
 *     bend(h)  = (f(x + h) - 2 f(x) + f(x - h)) / h  = c1 h + c3 h^3 + ...     right slope less left slope
 * are taken at h, h/2, h/4, h/8 and extrapolated to h = 0 (Richardson, Phil. Trans. R. Soc. A 210, 1911): each column
 * of the table removes one power of h. How far an entry is from its neighbours is its error by truncation, and the best
 * entry is the answer (Ridders, Adv. Eng. Software 4, 1982). To that comes what rounding can do: noise / h.
 *
 * The noise of f is read off f itself: however smooth f is, its differences of high order at closely spaced points show
 * nothing but noise (More and Wild, SIAM J. Sci. Comput. 33, 2011).
 *
 * The step finds itself. Where noise makes up most of the error the step grows, where truncation does it shrinks; once
 * both have been seen it is sought between them. An element begins with the step that was right for the one before.
 *
 * A kink (a ReLU at 0, two equal maxima). The bend does not vanish with h: by it the slopes from the two sides differ.
 * The step shrinks until noise would hide the bend; if the bend is still there, the kink counts as being at x itself,
 * and every claim from the one slope to the other is a subgradient, and right.
 *
 * The verdict on an element. `ok`: the claimed slope is within the error of the measured one. `WRONG`: it is not, and a
 * second measurement with other steps, which agrees with the first, says so too. `cannot say`: neither could be shown.
 * There is no tolerance; what is smaller than the error that is stated cannot be seen.
 *
 * What no such check can see: an error that forward and backward share. The forward pass needs a judge of its own. */
#include "gradcheck.h"
#include "mistake.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LAST_DIGITS (3 * 0x1p-53) /* some roundings of a double, in parts of it */
#ifdef FER_DOUBLE
#define ROUNDING 0x1p-53 /* of the claimed slope */
#define GOOD 1e-9        /* a smaller error, in parts of the slope, needs no better step */
#else
#define ROUNDING 0x1p-24
#define GOOD 1e-4
#endif
enum {
    LEVELS = FER_LEVELS,
    MOST_TRIES = 16,
    POINTS = FER_NOISE_POINTS,
    ORDERS = 5,
    NOISY_ELEMENTS = sizeof(real) == sizeof(float) ? 16 : FER_NOISY_ELEMENTS
};

static const double SAFETY = 4;      /* the distance of two entries, so many times, bounds the error */
static const double DEVIATIONS = 5;  /* so many standard deviations bound a rounding error */
static const double JUMP = 16;       /* by which a step grows or shrinks */
static const double FARTHEST = 1;    /* the largest step, in sizes of x: beyond are other kinks */
static const double EVIDENCE = 4;    /* WRONG is off by more than so many times what is allowed */
static const double CLAIMED = 64;    /* roundings that are allowed to the claimed slope itself */

struct function {
    double (*f)(void *context);
    void *context;
    double here;     /* f where x stands */
    double noise;    /* the standard deviation of its rounding errors */
    double rounding; /* at least, in parts of its value */
    double size;     /* of x: its root mean square */
    int floats;      /* every value of f so far was a float */
    size_t calls;
    const struct fer_ladder *ladder; /* the only steps at which f is known; NULL: it can be asked anywhere */
    int levels;
    double enough; /* an error in parts of the usual slope that needs no better step either */
};

/* A value and how far it may be off: since h is not 0, and since f is rounded. */
struct estimate {
    double value, truncation, rounding;
};

enum state { NOT_MEASURED, SMOOTH, KINK };

struct element {
    size_t index;
    enum state state;
    double step;            /* the largest of the four that gave the slope */
    struct estimate slope;  /* at a kink: the middle of the two */
    struct estimate bend;
};

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static int is_finite(double x)
{
    return x - x == 0;
}

static double error_of(const struct estimate *e)
{
    return SAFETY * e->truncation + e->rounding;
}

static double at(struct function *f, real *x, double value)
{
    double result;
    *x = (real)value;
    f->calls++;
    result = f->f(f->context);
    if (result != (double)(float)result) f->floats = 0;
    return result;
}

/* How large the element is, or may become: its own value, or the root mean square of all. */
static double size_of(const struct function *f, const real *x)
{
    return larger(f->size, magnitude((double)*x));
}

/* The rung that is nearest to a step, by their ratio. */
static double nearest(const double *rung, int rungs, double step)
{
    double best = rung[0];
    int i;
    for (i = 1; i < rungs; i++)
        if (larger(rung[i] / step, step / rung[i]) < larger(best / step, step / best)) best = rung[i];
    return best;
}

/* ---- Noise ---- */

/* value[count] becomes its differences of order `order`; their standard deviation, divided by what noise of deviation 1
 * would have: sqrt((2k)! / (k!)^2). */
static double noise_of_order(double *value, int count, int order)
{
    double squares = 0, ways = 1;
    int i, k;
    for (k = 1; k <= order; k++) {
        count--;
        ways *= (double)(order + k) / k;
        for (i = 0; i < count; i++) value[i] = value[i + 1] - value[i];
    }
    for (i = 0; i < count; i++) squares += value[i] * value[i];
    return sqrt(squares / count / ways);
}

/* The noise seen in POINTS points. Returns by what the distance of the points is to be multiplied for
 * a better answer: 1 none is needed. */
static double noise_at(struct function *f, real *x, double distance, double *noise)
{
    const double here = (double)*x;
    double value[POINTS], copy[POINTS], by_order[ORDERS + 1];
    int i, k, equal = 0;
    if (f->ladder) distance = nearest(f->ladder->distance, FER_DISTANCES, distance);
    for (i = 0; i < POINTS; i++) value[i] = at(f, x, here + distance * (i - POINTS / 2));
    *x = (real)here;
    for (i = 1; i < POINTS; i++) equal += value[i] == value[i - 1];
    for (k = 1; k <= ORDERS; k++) {
        memcpy(copy, value, sizeof copy);
        by_order[k] = noise_of_order(copy, POINTS, k);
    }
    *noise = by_order[ORDERS];
    if (equal > POINTS / 2) return 32; /* rounding swallows the distance */
    for (k = 1; k < ORDERS; k++)
        if (by_order[k] <= 4 * by_order[k + 1]) return 1;
    return 1.0 / 64; /* the differences are still f's own */
}

/* The noise along one element. Where rounding swallows most differences, those left are noise if they stay as the
 * distance grows; where it does not, what falls with the distance is no noise but a kink. */
static double noise_along(struct function *f, real *x)
{
    double distance = 0x1.3p-20 * size_of(f, x), factor = 0, noise = 0, before = 0, most = 0, closer;
    int tries;
    for (tries = 0; tries < 6 && factor != 1 && distance < size_of(f, x) / 8; tries++, distance *= factor) {
        factor = noise_at(f, x, distance, &noise);
        if (factor > 1 && noise <= 4 * before) most = larger(most, noise);
        before = noise;
    }
    for (tries = 0; tries < 4 && factor == 1; tries++) {
        factor = noise_at(f, x, distance /= 50, &closer);
        if (factor > 1 || closer > noise / 8) return larger(most, larger(closer, noise));
        noise = closer;
    }
    return factor <= 1 ? larger(most, noise) : most;
}

/* The noise of f: the largest along a few elements, and never less than some roundings of its value. */
static void find_noise(struct function *f, real *x, const struct element *element, size_t count)
{
    double most = f->noise;
    size_t i;
    for (i = 0; i < NOISY_ELEMENTS && i < count && f->noise == 0; i++) {
        const double noise = noise_along(f, x + element[i * (count - 1) / NOISY_ELEMENTS].index);
        if (is_finite(noise)) most = larger(most, noise);
    }
    f->rounding = f->floats ? 0x1p-24 : LAST_DIGITS; /* all values floats: f is rounded to float32 */
    f->noise = larger(most, f->rounding * magnitude(f->here));
}

/* ---- One measurement ---- */

/* value[i], at the step h / 2^i, is the limit plus terms in h^power, h^(power + 2), ...: the limit. */
static struct estimate extrapolate(int levels, const double value[LEVELS], const double rounding[LEVELS], int power)
{
    double entry[LEVELS][LEVELS], error[LEVELS][LEVELS];
    struct estimate best = {0, DBL_MAX, 0};
    int i, k;
    for (i = 0; i < levels; i++) {
        double factor = 1 << power;
        entry[i][0] = value[i];
        error[i][0] = rounding[i];
        for (k = 1; k <= i; k++, factor *= 4) {
            entry[i][k] = entry[i][k - 1] + (entry[i][k - 1] - entry[i - 1][k - 1]) / (factor - 1);
            error[i][k] = (factor * error[i][k - 1] + error[i - 1][k - 1]) / (factor - 1);
        }
    }
    i = levels - 1; /* the last row: its entries take the smallest step, so that they see what is close to x */
    for (k = 1; k < levels; k++) {
        struct estimate e;
        e.value = entry[i][k];
        e.truncation = larger(magnitude(entry[i][k] - entry[i][k - 1]), magnitude(entry[i][k] - entry[i - 1][k - 1]));
        e.rounding = error[i][k];
        if (error_of(&e) < error_of(&best)) best = e;
    }
    return best;
}

/* Slope and bend from four steps, `step` the largest. 1, or 0 when f is not finite there or a step too small for x. */
static int measure_at(struct function *f, real *x, double step, struct element *result)
{
    const double here = (double)*x;
    double slope[LEVELS], bend[LEVELS], slope_rounding[LEVELS], bend_rounding[LEVELS];
    int i, good = 1;
    for (i = 0; i < f->levels && good; i++, step /= 2) {
        const double right = (double)(real)(here + step) - here, left = here - (double)(real)(here - step);
        const double above = at(f, x, here + right), below = at(f, x, here - left);
        const int moves = above != f->here || below != f->here;
        const double value = larger(magnitude(above), magnitude(below));
        /* Where f does not move at all, what it computed with may hide the slope: numbers about 1, it is assumed. */
        const double noise = larger(f->noise, moves ? f->rounding * value : LAST_DIGITS * larger(value, 1));
        good = right > 0.5 * step && left > 0.5 * step && is_finite(above) && is_finite(below);
        slope[i] = (above - below) / (right + left);
        bend[i] = (above - f->here) / right - (f->here - below) / left;
        slope_rounding[i] = DEVIATIONS * noise / step;
        bend_rounding[i] = 2.5 * DEVIATIONS * noise / step;
    }
    *x = (real)here;
    if (!good) return 0;
    result->state = SMOOTH;
    result->step = step * (1 << f->levels);
    result->slope = extrapolate(f->levels, slope, slope_rounding, 2);
    result->bend = extrapolate(f->levels, bend, bend_rounding, 1);
    return 1;
}

static int bends(const struct element *element)
{
    return magnitude(element->bend.value) > error_of(&element->bend) + GOOD * magnitude(element->slope.value);
}

/* A bend was seen. Looks for it at *near, the smallest step at which noise leaves most of it: 1 when it is there. Where
 * both steps saw the same, the larger one saw it more exactly. */
static int has_kink(struct function *f, real *x, struct element *element, double *near)
{
    const double bend = element->bend.value, smallest = 0x1p-44 * size_of(f, x);
    struct element closer = *element;
    *near = larger(400 * DEVIATIONS * f->noise / magnitude(bend), smallest);
    if (f->ladder) *near = nearest(f->ladder->step, FER_STEPS, *near);
    if (!(*near < element->step) || !measure_at(f, x, *near, &closer)) return 0;
    if (!bends(&closer) || 2 * magnitude(closer.bend.value) < magnitude(bend)) return 0;
    if (magnitude(closer.bend.value - bend) > error_of(&closer.bend) ||
        magnitude(closer.slope.value - element->slope.value) > error_of(&closer.slope))
        *element = closer;
    element->state = KINK;
    return 1;
}

/* Seeks the step with the smallest error, from `step` on. An error of `enough` is good enough. */
static void measure(struct function *f, real *x, double step, double enough, struct element *element)
{
    const double farthest = FARTHEST * size_of(f, x);
    double low = 0, high = 2 * farthest, near = 0;
    int tries;
    element->state = NOT_MEASURED;
    for (tries = 0; tries < MOST_TRIES; tries++) {
        struct element now = *element;
        int measured, bent;
        if (f->ladder) step = nearest(f->ladder->step, FER_STEPS, step);
        if (f->ladder && (step <= low || step >= high)) return; /* seen */
        measured = measure_at(f, x, step, &now), bent = measured && bends(&now);
        if (bent && near == 0 && has_kink(f, x, &now, &near)) {
            *element = now;
            return;
        }
        if (measured && !bent) {
            if (element->state == NOT_MEASURED || error_of(&now.slope) < error_of(&element->slope)) *element = now;
            if (error_of(&element->slope) <= larger(enough, GOOD * magnitude(element->slope.value))) return;
        }
        if (measured ? !bent && now.slope.rounding > SAFETY * now.slope.truncation : step < 0x1p-30 * farthest)
            low = step;
        else
            high = step;
        if (low == 0) low = near;
        if (high < 3 * low) return;
        step = low == 0 ? step / JUMP
               : high > farthest && step * JUMP <= farthest ? step * JUMP : sqrt(low) * sqrt(high);
        if (!(step > DBL_MIN)) return;
    }
}

/* ---- The verdict ---- */

enum verdict { OK, WRONG, CANNOT_SAY };

/* What is allowed to the claims themselves: some roundings, of their own value and of the usual one. Claims that are
 * all floats were computed in float32. */
struct claims {
    double usual, rounding;
};

static struct claims claims_of(const real *claimed, const struct element *element, size_t count)
{
    struct claims c = {0, ROUNDING};
    int floats = 1;
    size_t i, finite = 0;
    for (i = 0; i < count; i++) {
        const double claim = (double)claimed[element[i].index];
        if (!is_finite(claim)) continue;
        c.usual += claim * claim;
        floats = floats && claim == (double)(float)claim;
        finite++;
    }
    if (finite) c.usual = sqrt(c.usual / (double)finite);
    if (floats && finite > 1 && c.usual > 0) c.rounding = 0x1p-24;
    return c;
}

static double allowed(const struct element *element, double claim, const struct claims *c)
{
    return error_of(&element->slope) +
           CLAIMED * c->rounding * (magnitude(claim) + magnitude(element->slope.value) + c->usual);
}

/* How far the claim is outside of what was measured: of the slope; at a kink, of the two slopes and all between. */
static double distance(const struct element *element, double claim)
{
    const double half = element->state == KINK ? magnitude(element->bend.value) / 2 : 0;
    return larger(0, magnitude(claim - element->slope.value) - half);
}

/* A claim that does not fit is measured against once more, from other steps; if it fits then, that is the measurement
 * whose error is stated. */
static enum verdict judge(struct function *f, real *x, double claim, const struct claims *c, double enough,
                          struct element *element)
{
    struct element again = *element;
    if (!is_finite(claim)) return WRONG;
    if (element->state == NOT_MEASURED) return CANNOT_SAY;
    if (distance(element, claim) <= allowed(element, claim, c)) return OK;
    measure(f, x, element->step * 0.37, enough, &again);
    if (again.state != element->state) return CANNOT_SAY;
    if (magnitude(again.slope.value - element->slope.value) > error_of(&again.slope) + error_of(&element->slope))
        return CANNOT_SAY;
    if (distance(&again, claim) <= allowed(&again, claim, c)) {
        *element = again;
        return OK;
    }
    return distance(&again, claim) > EVIDENCE * allowed(&again, claim, c) &&
           distance(element, claim) > EVIDENCE * allowed(element, claim, c) ? WRONG : CANNOT_SAY;
}

/* ---- All elements ---- */

/* An element of the i-th of `samples` equal stretches of [0, count). */
size_t fer_gradcheck_sample(size_t count, size_t samples, size_t i, uint64_t seed)
{
    const size_t width = count / samples, rest = count % samples; /* the first `rest` stretches have one more */
    const size_t start = i * width + (i < rest ? i : rest), size = width + (i < rest);
    return start + (size_t)(fer_uniform(seed, FER_FOR_CHECKS, 0, i) * (double)size);
}

static double root_mean_square(const real *x, size_t count)
{
    double squares = 0;
    size_t i;
    for (i = 0; i < count; i++) squares += (double)x[i] * (double)x[i];
    return sqrt(squares / (double)count);
}

/* The first of its kind is told: a reason why nothing can be said, or a kink. */
static void tell_reason(const struct element *element, double claim, enum verdict verdict, struct fer_gradcheck *result)
{
    const double slope = element->slope.value, half = magnitude(element->bend.value) / 2;
    const int first = verdict == CANNOT_SAY ? result->skipped == 1
                                            : verdict == OK && element->state == KINK && result->kinks == 1;
    if (!first || (verdict == OK && result->skipped)) return;
    if (verdict == OK)
        snprintf(result->reason, sizeof result->reason, "kink at x[%lu]: slopes %.6g and %.6g from the two sides; "
                 "claimed %.6g is %s", (unsigned long)element->index, slope - half, slope + half, claim,
                 half - magnitude(claim - slope) <= error_of(&element->slope) ? "one of them" : "between them");
    else if (element->state == NOT_MEASURED)
        snprintf(result->reason, sizeof result->reason, "x[%lu]: no step gives an answer: f has kinks, or is not "
                 "finite, closer than its noise lets it be seen", (unsigned long)element->index);
    else
        snprintf(result->reason, sizeof result->reason, "x[%lu]: two measurements contradict each other, %.6g +- %.1g "
                 "the first", (unsigned long)element->index, slope, error_of(&element->slope));
}

/* Counts a verdict; keeps the worst element: by how many of its errors it is off. */
static void count_verdict(const struct element *element, double claim, const struct claims *c, enum verdict verdict,
                          double *most, struct fer_gradcheck *result)
{
    const double off = distance(element, claim), times = off == 0 ? 0 : off / allowed(element, claim, c);
    const double ratio = times <= DBL_MAX ? times : DBL_MAX; /* a claim may be NaN */
    if (verdict == CANNOT_SAY) result->skipped++;
    else result->checked++;
    if (verdict == WRONG) result->wrong++;
    if (verdict == OK && element->state == KINK) result->kinks++;
    tell_reason(element, claim, verdict, result);
    if (verdict == CANNOT_SAY || (result->checked > 1 && !(ratio > *most)) || (result->wrong && verdict != WRONG))
        return;
    *most = ratio;
    result->index = element->index;
    result->measured = element->slope.value;
    result->claimed = claim;
    result->error = allowed(element, claim, c);
    result->worst = off; /* see relative_to_slopes */
}

/* The worst element's distance, in parts of its slope; of one that is next to nothing, of a hundredth of the usual. */
static void relative_to_slopes(const struct element *element, size_t count, struct fer_gradcheck *result)
{
    double squares = 0, unit;
    size_t i;
    for (i = 0; i < count; i++)
        if (element[i].state != NOT_MEASURED) squares += element[i].slope.value * element[i].slope.value;
    unit = larger(magnitude(result->measured), 0.01 * sqrt(squares / (double)count));
    if (result->worst != 0) result->worst /= unit;
    if (!(result->worst <= DBL_MAX)) result->worst = DBL_MAX;
}

static void check_elements(struct function *f, real *x, const real *claimed, struct element *element, size_t count,
                           double step, struct fer_gradcheck *result)
{
    const struct claims c = claims_of(claimed, element, count);
    double best = 0, most = 0;
    size_t i;
    find_noise(f, x, element, count);
    for (i = 0; i < count; i++) {
        struct element *now = &element[i];
        const double claim = (double)claimed[now->index];
        const double enough = larger(SAFETY * best, f->enough * c.usual);
        enum verdict verdict;
        measure(f, x + now->index, step, enough, now);
        if (now->state == SMOOTH && (best == 0 || error_of(&now->slope) < best)) {
            best = error_of(&now->slope);
            step = now->step;
        }
        verdict = judge(f, x + now->index, claim, &c, enough, now);
        count_verdict(now, claim, &c, verdict, &most, result);
    }
    if (count) relative_to_slopes(element, count, result);
}

/* What kind of mistake it is can be seen when all elements were measured. */
static int find_mistake(const struct element *element, const real *claimed, size_t count, struct fer_gradcheck *result,
                        struct fer_error *e)
{
    const struct claims c = claims_of(claimed, element, count);
    double *measured = fer_allocate(2 * count, sizeof *measured, e), *error = measured + count;
    struct fer_compared slopes = {0};
    char place[160] = "", kind[160] = "";
    size_t wrong;
    size_t i;
    if (!measured) return -1;
    for (i = 0; i < count; i++) {
        measured[i] = element[i].slope.value;
        error[i] = element[i].state == NOT_MEASURED ? DBL_MAX : allowed(&element[i], (double)claimed[i], &c);
    }
    slopes.count = count;
    slopes.truth = measured;
    slopes.error = error;
    slopes.claimed = claimed;
    slopes.dims = 1;
    slopes.shape[0] = count;
    slopes.axis[0] = "element";
    wrong = fer_mistake_place(&slopes, place, sizeof place);
    fer_mistake_kind(&slopes, kind, sizeof kind);
    if (*kind && 2 * wrong > count)
        snprintf(result->reason, sizeof result->reason, "%s", kind);
    else
        snprintf(result->reason, sizeof result->reason, "%s%s%s", strchr(place, ',') || *kind ? place : "",
                 *kind ? ": " : "", kind);
    fer_free(measured);
    return 0;
}

double fer_gradcheck_size(const real *x, size_t count)
{
    const double size = count ? root_mean_square(x, count) : 0;
    return size > 0 ? size : 1;
}

int fer_gradcheck_known(double (*f)(void *context), void *context, real *x, const real *claimed, size_t count,
                        size_t samples, double step, uint64_t seed, const struct fer_gradcheck_known *known,
                        struct fer_gradcheck *result, struct fer_error *e)
{
    const size_t elements = samples && samples < count ? samples : count;
    struct function function = {f, context, f(context), known->noise, 0, fer_gradcheck_size(x, count),
                                known->noise == 0, 2, known->ladder, known->levels,
                                known->enough > 0 ? known->enough : GOOD};
    struct element *element = fer_allocate(elements, sizeof *element, e);
    const double again = f(context);
    int failed = 0;
    size_t i;
    memset(result, 0, sizeof *result);
    if (!element) return -1;
    for (i = 0; i < elements; i++) element[i].index = fer_gradcheck_sample(count, elements, i, seed);
    if (!is_finite(function.here) || again != function.here) {
        result->skipped = elements;
        snprintf(result->reason, sizeof result->reason, is_finite(function.here)
                 ? "f changes from call to call: %.9g, then %.9g" : "f is not finite: %g", function.here, again);
    } else {
        check_elements(&function, x, claimed, element, elements, step > 0 ? step : function.size / 29, result);
        if (result->wrong && elements == count) failed = find_mistake(element, claimed, count, result, e);
    }
    result->noise = function.noise;
    result->calls = function.calls;
    fer_free(element);
    return failed;
}

int fer_gradcheck_function(double (*f)(void *context), void *context, real *x, const real *claimed, size_t count,
                           size_t samples, double step, uint64_t seed, struct fer_gradcheck *result,
                           struct fer_error *e)
{
    const struct fer_gradcheck_known nothing = {NULL, 0, FER_LEVELS, 0};
    return fer_gradcheck_known(f, context, x, claimed, count, samples, step, seed, &nothing, result, e);
}

int fer_gradcheck_passed(const struct fer_gradcheck *result)
{
    return result->checked > 0 && result->wrong == 0 && !(result->strict && result->skipped > 0);
}
