/* mistake.c - of a gradient that is wrong: what kind of mistake is it? A kind is named only when every element fits it,
 * within the errors of what was measured. */
#include "gradcheck.h"

#include <math.h>
#include <stdio.h>

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static int is_right(const struct fer_slopes *s, size_t i)
{
    return magnitude((double)s->claimed[i] - s->measured[i]) <= s->error[i];
}

/* ---- The right values, times a factor or in another order ---- */

static int is_whole(double x)
{
    return magnitude(x - floor(x + 0.5)) < 1e-6 * x;
}

#define LOG2_E 1.4426950408889634
#define LOG10_E 0.43429448190325183

/* A factor that somebody forgets. */
static int is_known(double factor)
{
    const double size = magnitude(factor);
    return factor == -1 || is_whole(size) || is_whole(1 / size) || magnitude(factor / LOG2_E - 1) < 1e-6 ||
           magnitude(factor / LOG10_E - 1) < 1e-6;
}

/* claimed = factor * measured, everywhere. */
static int one_factor(const struct fer_slopes *s, double *factor)
{
    double products = 0, squares = 0;
    size_t i;
    for (i = 0; i < s->count; i++) {
        products += (double)s->claimed[i] * s->measured[i];
        squares += s->measured[i] * s->measured[i];
    }
    *factor = products / squares;
    if (!(squares > 0) || *factor == 0 || magnitude(*factor - 1) < 1e-6) return 0;
    for (i = 0; i < s->count; i++)
        if (!(magnitude((double)s->claimed[i] - *factor * s->measured[i]) <= 4 * (magnitude(*factor) + 1) * s->error[i]))
            return 0;
    return s->count > 1 || is_known(*factor); /* a single number is some multiple of any other */
}

static void name_factor(double factor, char *text, size_t size)
{
    if (magnitude(factor + 1) < 1e-6)
        snprintf(text, size, "every element has the wrong sign");
    else if (magnitude(factor / LOG2_E - 1) < 1e-6 || magnitude(factor / LOG10_E - 1) < 1e-6)
        snprintf(text, size, "%.7g times the right one: a logarithm to base %d in place of the natural one?", factor,
                 factor > 1 ? 2 : 10);
    else if (factor > 1 && is_whole(factor))
        snprintf(text, size, "every element is %.0f times the right one: is a division by %.0f forgotten?", factor,
                 factor);
    else if (factor > 0 && factor < 1 && is_whole(1 / factor))
        snprintf(text, size, "every element is 1/%.0f of the right one: is a division by %.0f too many?", 1 / factor,
                 1 / factor);
    else
        snprintf(text, size, "every element is %.7g times the right one", factor);
}

/* claimed[i][j] = measured[j][i], the array taken as `rows` rows; also: it is not so by being all equal. */
static int is_transposed(const struct fer_slopes *s, size_t rows)
{
    const size_t columns = s->count / rows;
    size_t i, j;
    for (i = 0; i < rows; i++)
        for (j = 0; j < columns; j++) {
            const size_t here = i * columns + j, there = j * rows + i;
            if (magnitude((double)s->claimed[here] - s->measured[there]) > s->error[here] + s->error[there]) return 0;
        }
    return 1;
}

/* claimed[i] = measured[i + by], where both are there. */
static int is_shifted(const struct fer_slopes *s, size_t by, int forward)
{
    size_t i;
    for (i = 0; i + by < s->count; i++) {
        const size_t claim = forward ? i + by : i, place = forward ? i : i + by;
        if (magnitude((double)s->claimed[claim] - s->measured[place]) > s->error[claim] + s->error[place]) return 0;
    }
    return 1;
}

static int name_order(const struct fer_slopes *s, char *text, size_t size)
{
    size_t k;
    for (k = 2; k < s->count; k++)
        if (s->count % k == 0 && is_transposed(s, k))
            return snprintf(text, size, "the array is transposed, taken as %lu x %lu", (unsigned long)k,
                            (unsigned long)(s->count / k));
    for (k = 1; k <= 8 && 2 * k < s->count; k++)
        if (is_shifted(s, k, 0) || is_shifted(s, k, 1))
            return snprintf(text, size, "the array is shifted by %lu, %s", (unsigned long)k,
                            is_shifted(s, k, 1) ? "towards its end" : "towards its beginning");
    return 0;
}

/* ---- Some elements alone, or a term that is missing ---- */

/* The smallest number of channels, the last axis, such that the difference depends on the channel alone; 1: it is one
 * constant, 0: there is none. */
static size_t constant_per_channel(const struct fer_slopes *s)
{
    size_t channels, i;
    for (channels = 1; 2 * channels <= s->count; channels++) {
        if (s->count % channels) continue;
        for (i = channels; i < s->count; i++) {
            const double here = (double)s->claimed[i] - s->measured[i];
            const double first = (double)s->claimed[i % channels] - s->measured[i % channels];
            if (magnitude(here - first) > s->error[i] + s->error[i % channels]) break;
        }
        if (i == s->count) return channels;
    }
    return 0;
}

/* Of `channels`, the only one whose elements are wrong, all of them; else channels. */
static size_t wrong_channel(const struct fer_slopes *s, size_t first, size_t wrong, size_t channels)
{
    size_t i;
    if (s->count / channels != wrong) return channels;
    for (i = first % channels; i < s->count; i += channels)
        if (is_right(s, i)) return channels;
    return first % channels;
}

static int name_place(const struct fer_slopes *s, char *text, size_t size)
{
    size_t i, wrong = 0, first = 0, last = 0, channels;
    for (i = 0; i < s->count; i++) {
        if (is_right(s, i)) continue;
        if (wrong++ == 0) first = i;
        last = i;
    }
    if (wrong == 1) return snprintf(text, size, "element %lu alone is wrong", (unsigned long)first);
    if (last - first + 1 == wrong && wrong < s->count)
        return snprintf(text, size, "elements %lu to %lu are wrong, no others", (unsigned long)first, (unsigned long)last);
    for (channels = 2; 2 * channels <= s->count; channels++)
        if (s->count % channels == 0 && wrong_channel(s, first, wrong, channels) < channels)
            return snprintf(text, size, "every element of one channel is wrong, no others: number %lu of %lu, the last "
                            "axis", (unsigned long)(first % channels), (unsigned long)channels);
    return 0;
}

/* claimed = measured where that is positive, else 0. */
static int is_cut_off(const struct fer_slopes *s)
{
    size_t i, negative = 0;
    for (i = 0; i < s->count; i++) {
        if (s->measured[i] < -s->error[i]) negative++;
        if (s->measured[i] < 0 ? s->claimed[i] != 0 : !is_right(s, i)) return 0;
    }
    return negative > 0;
}

void fer_gradcheck_mistake(const struct fer_slopes *s, char *text, size_t size)
{
    size_t channels;
    double factor;
    if (one_factor(s, &factor)) {
        name_factor(factor, text, size);
        return;
    }
    if (is_cut_off(s)) {
        snprintf(text, size, "where it should be negative it is 0");
        return;
    }
    if (name_order(s, text, size) || name_place(s, text, size)) return;
    channels = constant_per_channel(s);
    if (channels == 1)
        snprintf(text, size, "every element is off by the same number, %.6g", (double)s->claimed[0] - s->measured[0]);
    else if (channels > 1)
        snprintf(text, size, "off by a constant in each of %lu channels: is a term with their mean missing?",
                 (unsigned long)channels);
}
