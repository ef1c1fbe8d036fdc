/* mistake.c - of an array that is wrong: what kind of mistake is it? A kind is named only when every wrong element
 * fits it, within what rounding (or the measurement of a slope) can do to the truth. */
#include "mistake.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static int is_wrong(const struct fer_compared *c, size_t i)
{
    return !fer_mistake_is_right(c, i);
}

/* Whether element i is `expected`, within `doubt` and the rounding of what is stored. */
static int fits(const struct fer_compared *c, size_t i, double expected, double doubt)
{
    const double off = magnitude((double)c->claimed[i] - expected);
    return off == 0 || off <= doubt + 4 * c->unit * magnitude(expected);
}

static size_t count_wrong(const struct fer_compared *c)
{
    size_t i, wrong = 0;
    for (i = 0; i < c->count; i++) wrong += is_wrong(c, i) != 0;
    return wrong;
}

/* Most truths are known better than to a half: else anything fits. */
static int is_sharp(const struct fer_compared *c)
{
    size_t i, sharp = 0, nonzero = 0;
    for (i = 0; i < c->count; i++) {
        if (c->truth[i] == 0) continue;
        nonzero++;
        if (2 * c->error[i] < magnitude(c->truth[i])) sharp++;
    }
    return 2 * sharp >= nonzero;
}

/* ---- The truth times a factor ---- */

#define LOG2_E 1.4426950408889634
#define LOG10_E 0.43429448190325183

static int is_whole(double x)
{
    return magnitude(x - floor(x + 0.5)) < 1e-6 * x;
}

/* A factor that somebody forgets. */
static int is_known(double factor)
{
    const double size = magnitude(factor);
    return factor == -1 || is_whole(size) || is_whole(1 / size) || magnitude(factor / LOG2_E - 1) < 1e-6 ||
           magnitude(factor / LOG10_E - 1) < 1e-6;
}

/* Of the wrong elements first, first + step, ...: whether each is the truth times one factor, that of the element
 * whose truth is known best, to `doubt`. How many they are; 0: no. A factor that is 1 as nearly as the truth is known
 * is none. */
static size_t one_factor(const struct fer_compared *c, size_t first, size_t step, double *factor, double *doubt)
{
    size_t i, count = 0;
    *factor = 0, *doubt = INFINITY;
    for (i = first; i < c->count; i += step) {
        const double here = is_wrong(c, i) ? c->error[i] / magnitude(c->truth[i]) : INFINITY;
        if (here < *doubt) *doubt = here, *factor = (double)c->claimed[i] / c->truth[i];
    }
    if (*factor == 0 || magnitude(*factor - 1) < 1e-6 || magnitude(*factor - 1) < 8 * *doubt) return 0;
    for (i = first; i < c->count; i += step) {
        if (!is_wrong(c, i)) continue;
        if (!fits(c, i, *factor * c->truth[i], magnitude(*factor) * (c->error[i] + *doubt * magnitude(c->truth[i]))))
            return 0;
        count++;
    }
    return count;
}

static void name_factor(double factor, const char *who, char *text, size_t size)
{
    if (magnitude(factor + 1) < 1e-6)
        snprintf(text, size, "%s has the wrong sign", who);
    else if (magnitude(factor / LOG2_E - 1) < 1e-6 || magnitude(factor / LOG10_E - 1) < 1e-6)
        snprintf(text, size, "%.7g times the right one: a logarithm to base %d in place of the natural one?", factor,
                 factor > 1 ? 2 : 10);
    else if (factor > 1 && is_whole(factor))
        snprintf(text, size, "%s is %.0f times the right one: is a division by %.0f forgotten?", who, factor, factor);
    else if (factor > 0 && factor < 1 && is_whole(1 / factor))
        snprintf(text, size, "%s is 1/%.0f of the right one: is a division by %.0f too many?", who, 1 / factor,
                 1 / factor);
    else
        snprintf(text, size, "%s is %.7g times the right one", who, factor);
}

/* Of some elements alone, a factor may have its reason: another slope below 0. */
static enum fer_mistake is_multiple(const struct fer_compared *c, size_t wrong, char *text, size_t size)
{
    double factor, doubt;
    size_t i = 0;
    if (!one_factor(c, 0, 1, &factor, &doubt) || (wrong == 1 && !is_known(factor)))
        return FER_NO_MISTAKE; /* a number is a multiple of any */
    while (i < c->count &&
           fits(c, i, factor * c->truth[i], magnitude(factor) * (c->error[i] + doubt * magnitude(c->truth[i])))) i++;
    name_factor(factor, wrong == 1 ? "it" : i == c->count ? "every element" : "each of them", text, size);
    return i == c->count ? FER_CLEAR_MISTAKE : FER_VAGUE_MISTAKE;
}

/* ---- Cut off, or not; all the same ---- */

struct range {
    double least, most;
};

static void widen(struct range *r, double x)
{
    if (!(x >= r->least)) r->least = x;
    if (!(x <= r->most)) r->most = x;
}

/* Where every wrong element is the same number, or should be: a 0 that stands there, a limit at which it was cut off
 * or is not. */
static int is_constant(const struct fer_compared *c, size_t wrong, char *text, size_t size)
{
    const struct range none = {INFINITY, -INFINITY};
    struct range all = none, truths = none, claims = none, truth = none;
    size_t i;
    for (i = 0; i < c->count; i++) {
        widen(&all, (double)c->claimed[i]), widen(&truths, c->truth[i]);
        if (is_wrong(c, i)) widen(&claims, (double)c->claimed[i]), widen(&truth, c->truth[i]);
    }
    if (all.least == 0 && claims.most == 0 && truth.most < 0)
        return snprintf(text, size, "where it should be negative it is 0");
    if (wrong > 1 && claims.least == claims.most) {
        const double at = claims.least;
        if (all.least == at && truth.most < at)
            return snprintf(text, size, "where it should be less than %.7g it is that", at);
        if (all.most == at && truth.least > at && at != 0)
            return snprintf(text, size, "where it should be more than %.7g it is that: cut off", at);
    }
    if (claims.least == claims.most && (claims.least == 0 || wrong > 2))
        return snprintf(text, size, wrong == 1 ? "it is %.7g" : "each of them is %.7g", claims.least);
    if (truth.least != truth.most) return 0;
    if (wrong > 1 && truths.least == truth.least && claims.most < truth.least)
        return snprintf(text, size, "where it should be %.7g it is less: not cut off", truth.least);
    if (wrong > 1 && truths.most == truth.most && claims.least > truth.most)
        return snprintf(text, size, "where it should be %.7g it is more: not cut off", truth.most);
    return 0;
}

static int should_be_zero(const struct fer_compared *c, size_t wrong, char *text, size_t size)
{
    size_t i;
    for (i = 0; i < c->count; i++)
        if (is_wrong(c, i) && c->truth[i] != 0) return 0;
    return snprintf(text, size, wrong == 1 ? "it should be 0" : "each of them should be 0");
}

/* ---- A factor or a term of each channel ---- */

/* The wrong elements of channel k of so many: claimed = slope truth + shift, through those with the least and the
 * largest truth. How many they are beyond these two; 0: it is not so. */
static size_t is_line(const struct fer_compared *c, size_t k, size_t channels, double *slope, double *shift)
{
    size_t i, low = c->count, high = c->count, count = 0;
    double doubt;
    for (i = k; i < c->count; i += channels) {
        if (!is_wrong(c, i)) continue;
        if (low == c->count || c->truth[i] < c->truth[low]) low = i;
        if (high == c->count || c->truth[i] > c->truth[high]) high = i;
    }
    if (low == c->count || !(c->truth[high] > c->truth[low])) return 0;
    *slope = (double)(c->claimed[high] - c->claimed[low]) / (c->truth[high] - c->truth[low]);
    *shift = (double)c->claimed[low] - *slope * c->truth[low];
    doubt = (c->error[high] + c->error[low]) * magnitude(*slope);
    if (magnitude(*slope - 1) * (c->truth[high] - c->truth[low]) + magnitude(*shift) < 8 * doubt) return 0;
    for (i = k; i < c->count; i += channels) {
        if (!is_wrong(c, i)) continue;
        if (!fits(c, i, *slope * c->truth[i] + *shift,
                  magnitude(*slope) * c->error[i] + doubt + 4 * c->unit * magnitude(*shift)))
            return 0;
        count++;
    }
    return count > 2 ? count - 2 : 0;
}

/* Each channel, the last axis, that is wrong: the truth times a factor, or a factor and a term. */
static int is_scaled(const struct fer_compared *c, size_t wrong, char *text, size_t size)
{
    const size_t channels = c->shape[c->dims - 1];
    struct range factors = {INFINITY, -INFINITY};
    size_t k, found = 0, lines = 0, number = 0;
    double factor, shift, doubt;
    for (k = 0; k < channels; k++) {
        const size_t elements = one_factor(c, k, channels, &factor, &doubt);
        found += elements;
        if (elements) widen(&factors, factor), number++;
    }
    if (found == wrong && number > 1 && wrong > 2 * number)
        return snprintf(text, size, "each channel is the truth times a factor of its own, %.7g to %.7g",
                        factors.least, factors.most);
    for (k = number = 0; k < channels; k++) {
        found = is_line(c, k, channels, &factor, &shift);
        if (found) lines += found + 2, number++;
    }
    if (lines == wrong && wrong > 4 * number)
        return snprintf(text, size, "each channel is the truth times a factor plus a term of its own");
    return 0;
}

/* The smallest number of channels, the last axis, such that the difference depends on the channel alone; 1: it is one
 * constant, 0: there is none. Where axes are known, the last one alone. */
static size_t constant_per_channel(const struct fer_compared *c)
{
    size_t channels, i, k;
    for (channels = 1; 2 * channels <= c->count; channels++) {
        if (c->count % channels || (c->dims > 1 && channels > 1 && channels != c->shape[c->dims - 1])) continue;
        for (k = 0; k < channels; k++) {
            double off = 0;
            size_t first = c->count;
            for (i = k; i < c->count; i += channels) {
                if (c->dims > 1 && !is_wrong(c, i)) continue;
                if (first == c->count) first = i, off = (double)c->claimed[i] - c->truth[i];
                if (!fits(c, i, c->truth[i] + off, c->error[i] + c->error[first] + 4 * c->unit * magnitude(off)) ||
                    (is_wrong(c, i) && magnitude(off) < 8 * c->error[i]))
                    break;
            }
            if (i < c->count) break;
        }
        if (k == channels) return channels;
    }
    return 0;
}

static int is_off_by_constant(const struct fer_compared *c, size_t wrong, char *text, size_t size)
{
    const size_t channels = constant_per_channel(c);
    size_t i = 0;
    while (i < c->count && !is_wrong(c, i)) i++;
    if (wrong <= 2 * channels) return 0;
    if (channels == 1)
        return snprintf(text, size, "%s off by the same number, %.6g",
                        wrong == c->count ? "every element is" : "they are", (double)c->claimed[i] - c->truth[i]);
    if (channels == 0) return 0;
    return snprintf(text, size, "off by a constant in each of %zu channels: is a term with their mean missing?",
                    channels);
}

/* ---- Numbers of fewer digits ---- */

double fer_shortened(double x, int digits, int cut)
{
    const int dropped = 53 - digits;
    uint64_t bits, rest;
    if (x - x != 0) return x;
    memcpy(&bits, &x, sizeof bits);
    rest = bits & (((uint64_t)1 << dropped) - 1);
    bits -= rest;
    if (!cut && (rest << 1 > (uint64_t)1 << dropped || (rest << 1 == (uint64_t)1 << dropped && bits >> dropped & 1)))
        bits += (uint64_t)1 << dropped;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Every value has few digits, although the truth has not. */
static int is_short(const struct fer_compared *c, char *text, size_t size)
{
    static const struct {
        int digits;
        const char *name;
    } formats[] = {{8, "bfloat16"}, {11, "float16 (or TensorFloat-32)"}};
    size_t i, k, numbers = 0, changed = 0;
    if (c->unit == 0 || c->unit > 0x1p-20) return 0;
    for (k = 0; k < 2; k++) {
        numbers = changed = 0;
        for (i = 0; i < c->count; i++) {
            if ((double)c->claimed[i] != fer_shortened((double)c->claimed[i], formats[k].digits, 0)) break;
            numbers += c->claimed[i] != 0;
            changed += magnitude(c->truth[i] - fer_shortened(c->truth[i], formats[k].digits, 0)) > c->error[i];
        }
        if (i == c->count && numbers > 8 && 2 * changed > numbers)
            return snprintf(text, size, "every value has %d binary digits: summed or stored in %s?",
                            formats[k].digits, formats[k].name);
    }
    return 0;
}

/* ---- What kind ---- */

enum fer_mistake fer_mistake_kind(const struct fer_compared *c, char *text, size_t size)
{
    const size_t wrong = count_wrong(c);
    enum fer_mistake multiple;
    if (!wrong || !is_sharp(c)) return FER_NO_MISTAKE;
    if (is_constant(c, wrong, text, size)) return FER_CLEAR_MISTAKE;
    if ((multiple = is_multiple(c, wrong, text, size)) != FER_NO_MISTAKE) return multiple;
    if (fer_mistake_order(c, text, size) || is_short(c, text, size)) return FER_CLEAR_MISTAKE;
    if (should_be_zero(c, wrong, text, size) || is_off_by_constant(c, wrong, text, size) ||
        (c->dims > 1 && is_scaled(c, wrong, text, size)))
        return FER_VAGUE_MISTAKE;
    return FER_NO_MISTAKE;
}
