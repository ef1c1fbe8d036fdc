/* verdict.c - the arithmetic that a backend says it computes in, and the verdict on an array, element by element. */
#include "verify.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

const char *const fer_unit_names[FER_UNITS] = {"f64", "f32", "tf32", "bf16", "f16"};
const char *const fer_verdict_names[FER_VERDICTS] = {"ok", "MISTRUSTED", "suspect", "WRONG", "not checkable"};

/* Unit roundoff (to nearest), smallest normal and largest number. tf32 has float32's range and 11 digits, bfloat16
 * has 8. */
static const struct {
    double u, least, most;
} formats[FER_UNITS] = {{0x1p-53, 0x1p-1022, DBL_MAX},
                        {0x1p-24, 0x1p-126, FLT_MAX},
                        {0x1p-11, 0x1p-126, FLT_MAX},
                        {0x1p-8, 0x1p-126, 0x1.fep127},
                        {0x1p-11, 0x1p-14, 65504}};

void fer_verify_options_default(struct fer_verify_options *options)
{
    const struct fer_verify_options none = {0};
    *options = none;
    options->unit = options->accumulate = FER_UNIT_F32;
    fer_settings_default(&options->settings);
}

/* What the record holds was stored in `unit`, so that inputs of f64 and f32 are what the backend read; the shorter
 * formats may be what it rounds to before it computes. tf32 is a format of factors only: matrix units read it, nothing
 * stores it. */
struct fer_arithmetic fer_arithmetic_of(enum fer_unit unit, enum fer_unit accumulate)
{
    const enum fer_unit stored = unit == FER_UNIT_TF32 ? FER_UNIT_F32 : unit;
    const int shorter = stored > FER_UNIT_F32, loses = formats[stored].u > formats[accumulate].u;
    struct fer_arithmetic a;
    a.factor = unit > FER_UNIT_F32 ? formats[unit].u : 0;
    a.factor_least = formats[unit].least;
    a.input = shorter ? formats[unit].u : 0;
    a.store = loses ? formats[stored].u : 0;
    a.store_least = loses ? formats[stored].least : 0;
    a.sum = formats[accumulate].u + 0x1p-53;
    a.sum_least = formats[accumulate].least;
    a.most = formats[stored].most < formats[accumulate].most ? formats[stored].most : formats[accumulate].most;
    a.exact = 1 / (loses ? formats[stored].u : formats[accumulate].u);
    if (a.exact > 0x1p24) a.exact = 0x1p24;
    return a;
}

static int is_finite(double x)
{
    return x - x == 0;
}

static void take(struct fer_extreme *extreme, double ratio, size_t index, double value, double truth,
                 struct fer_bound bound)
{
    extreme->ratio = ratio;
    extreme->index = index;
    extreme->value = value;
    extreme->truth = truth;
    extreme->bound = bound;
}

static double ratio_of(double error, double bound)
{
    if (error == 0 || bound != bound)
        return 0; /* an infinite error of the scale can make a bound 0 * infinity: it allows all */
    return bound > 0 ? error / bound : INFINITY;
}

void fer_tally_clear(struct fer_tally *tally)
{
    struct fer_tally none = {0};
    none.truths = tally->truths, none.bounds = tally->bounds;
    *tally = none;
}

/* Most elements are far from the largest ratio, and what else can be seen has been seen: that shows without dividing.
 * An error that is compared so is finite, and with it value and truth. */
double fer_tally_reach(const struct fer_tally *tally, struct fer_bound bound)
{
    const double proven = bound.proven * tally->proven.ratio, likely = bound.likely * tally->likely.ratio;
    const double ratio = (proven < likely ? proven : likely) * (1 - 0x1p-50), least = bound.likely / 16;
    const int settled = tally->varies && tally->nonzero && tally->finite && tally->outgrows;
    return !settled || tally->truths || tally->wider ? -1 : ratio < least ? ratio : least;
}

void fer_tally_add(struct fer_tally *tally, double value, double truth, struct fer_bound bound)
{
    const size_t i = tally->count++;
    const double error = value > truth ? value - truth : truth - value;
    const int finite = is_finite(value) && is_finite(truth),
              differ = is_finite(truth) ? !is_finite(value) : truth == truth ? value != truth : is_finite(value);
    double proven, likely;
    if (error <= fer_tally_reach(tally, bound)) return;
    if (tally->wider) {
        bound.proven += tally->wider[i].proven;
        bound.likely += tally->wider[i].likely;
        if (bound.likely > bound.proven) bound.likely = bound.proven;
    }
    if (i == 0) {
        tally->first_value = value;
        tally->first_truth = truth;
    }
    if (value != tally->first_value || truth != tally->first_truth) tally->varies = 1;
    if (value != 0 || truth != 0) tally->nonzero = 1;
    if (finite) tally->finite = 1;
    if (differ) tally->not_finite = 1;
    if (tally->truths) tally->truths[i] = truth, tally->bounds[i] = bound.likely;
    if ((truth < 0 ? -truth : truth) > bound.likely) tally->outgrows = 1;
    if (error * 16 > bound.likely) tally->sizeable++;
    proven = differ ? INFINITY : finite ? ratio_of(error, bound.proven) : 0;
    likely = differ ? INFINITY : finite ? ratio_of(error, bound.likely) : 0;
    if (i == 0 || proven > tally->proven.ratio) take(&tally->proven, proven, i, value, truth, bound);
    if (i == 0 || likely > tally->likely.ratio) take(&tally->likely, likely, i, value, truth, bound);
}

/* A single number that is not zero proves something; many equal ones do not. */
enum fer_verdict fer_tally_verdict(const struct fer_tally *tally)
{
    if (tally->proven.ratio > 1) return FER_WRONG;
    if (tally->likely.ratio > 1) return FER_SUSPECT;
    if (!tally->finite || !tally->nonzero || (!tally->varies && tally->count > 1)) return FER_MISTRUSTED;
    return FER_OK;
}

static const char one_pass[] =
    "variance in one pass, E[x^2] - mean^2, of which a large mean leaves nothing: take x - mean first";

void fer_tally_conclude(const struct fer_tally *tally, struct fer_verify_row *row)
{
    const struct fer_extreme *worst;
    const char *reason = NULL;
    row->verdict = fer_tally_verdict(tally);
    worst = row->verdict == FER_WRONG ? &tally->proven : &tally->likely;
    row->proven = tally->proven.ratio;
    row->likely = tally->likely.ratio;
    row->index = worst->index;
    row->value = worst->value;
    row->truth = worst->truth;
    row->proven_bound = worst->bound.proven;
    row->likely_bound = worst->bound.likely;
    if (row->verdict == FER_WRONG && tally->not_finite) reason = "one of value and truth is finite, the other is not";
    if (row->verdict == FER_SUSPECT && tally->one_pass) reason = one_pass;
    if (row->verdict == FER_MISTRUSTED)
        reason = row->by_nature    ? "zero by nature: one value a channel was normalised"
                 : !tally->finite  ? "nothing is finite: that proves nothing"
                 : tally->nonzero  ? "all equal: that proves nothing"
                                   : "all zero: that proves nothing";
    if (row->verdict == FER_OK && !tally->outgrows && !*row->reason) reason = "weak: no value is larger than its bound";
    if (reason) snprintf(row->reason, sizeof row->reason, "%s", reason);
}

int fer_verify_is_at_fault(const struct fer_verify_row *row)
{
    return row->verdict == FER_WRONG || row->verdict == FER_SUSPECT;
}
