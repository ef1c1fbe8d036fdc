/* pit_rule.c - which epochs of a run are pits.
 *
 * A series is val_accuracy, or -log(val_loss): of both, more is better. For epoch e of a series x:
 *
 *     level    = the smaller of two medians: of the up to 5 epochs before e, and of the up to 5 after it; the same
 *                with 3 in place of 5, where that is higher
 *     s        = 1.4826 / sqrt(2) * median |x[i] - x[i-1]| of the n differences from e-9 to e+5 that e has no part in
 *     noise^2  = (s^n * usual^4)^(2 / (n + 4)) + sampling
 *     pit:       level - x[e] > 6 * noise, with at least 3 epochs before e and 1 after it
 *
 * Accuracy over N images has the sampling variance p * (1 - p) / N, p = (level * N + 1) / (N + 2): with one hit and
 * one miss more than were seen, so that one mistake among epochs without any is no pit. Usual is what 350 images
 * would have, 2.7 points where p is a half. The loss has 0.02^2 and 0.2 in their places. The smaller of two medians
 * is above neither side's usual figures: so the rise at the start is no pit, nor is a fall from which a run does not
 * come back. With 5 epochs, two or three bad ones in succession do not hide each other; with 3, a rise does not hide
 * them. The median takes no notice of a few bad epochs among fifteen. A handful of differences may all be small by
 * chance, or large because the run still rises: so four more are thought to have shown the usual noise (the
 * geometric mean, since a scale is wrong by a factor).
 *
 * tests/test_pits.c simulates healthy runs of several shapes; README.md in pits/ has how often each is accused.
 */
#include "model.h"

#include <math.h>

enum { SIDE = 5, NEAR = 3, REACH = 10, LEAST_BEFORE = 3, MOST = REACH + SIDE + 1 };
enum { USUAL_IMAGES = 350, USUAL_DIFFERENCES = 4 };

static const double LOSS_FLOOR = 0.02, USUAL_LOSS = 0.2;

/* Sorts x by insertion; there are at most MOST. */
static void sort(double *x, int count)
{
    int i, j;
    for (i = 1; i < count; i++) {
        const double value = x[i];
        for (j = i; j > 0 && x[j - 1] > value; j--) x[j] = x[j - 1];
        x[j] = value;
    }
}

/* The median; x is sorted. NaN of nothing. */
static double median(double *x, int count)
{
    sort(x, count);
    if (count == 0) return NAN;
    return (x[(count - 1) / 2] + x[count / 2]) / 2;
}

/* The epochs around one, of one series. */
struct view {
    double x[MOST]; /* epochs first ... first + count - 1 */
    long first;
    int count;
};

static struct view view_of(const double (*history)[4], long epochs, long epoch, int column)
{
    const long first = epoch < REACH ? 0 : epoch - REACH, end = epochs - epoch > SIDE ? epoch + SIDE + 1 : epochs;
    struct view v;
    int i;
    v.first = first;
    v.count = (int)(end - first);
    for (i = 0; i < v.count; i++) {
        const double value = history[first + i][column];
        v.x[i] = column == 2 ? value : value > 0 ? -fer_log(value) : NAN;
    }
    return v;
}

/* The median of x[from] ... x[to - 1], as far as they are known. *count: how many are. */
static double median_of(const struct view *v, int from, int to, int *count)
{
    double x[MOST];
    int i;
    *count = 0;
    for (i = from < 0 ? 0 : from; i < to && i < v->count; i++)
        if (v->x[i] == v->x[i]) x[(*count)++] = v->x[i];
    return median(x, *count);
}

/* s of the n differences that the epoch has no part in, and as many usual ones as make up for there being few. */
static double scale_of_differences(const struct view *v, int at, double usual)
{
    double d[MOST], s;
    int i, n = 0;
    for (i = 1; i < v->count; i++) {
        d[n] = fabs(v->x[i] - v->x[i - 1]);
        if (i != at && i != at + 1 && d[n] - d[n] == 0) n++;
    }
    if (n == 0) return usual;
    s = 1.4826 / sqrt(2) * median(d, n);
    return s > 0 ? fer_exp((n * fer_log(s) + USUAL_DIFFERENCES * fer_log(usual)) / (n + USUAL_DIFFERENCES)) : 0;
}

/* The smaller of the medians of up to `side` epochs before and after; if there are none on one side, that of the
 * other. */
static double level_of(const struct view *v, int at, int side)
{
    int earlier, later;
    const double before = median_of(v, at - side, at, &earlier), after = median_of(v, at + 1, at + 1 + side, &later);
    return earlier && later ? (before < after ? before : after) : earlier ? before : after;
}

/* Level and noise of an epoch; returns whether it is a pit. `images`: 0 of the loss. */
static int judge(const struct view *v, long epoch, size_t images, double *level, double *noise)
{
    const int at = (int)(epoch - v->first);
    const double n = (double)images;
    const double wide = level_of(v, at, SIDE), near = level_of(v, at, NEAR);
    double p, sampling = LOSS_FLOOR * LOSS_FLOOR, usual = USUAL_LOSS, s;
    int earlier, later;
    median_of(v, at - SIDE, at, &earlier);
    median_of(v, at + 1, at + 1 + SIDE, &later);
    *level = near > wide ? near : wide;
    if (images) {
        p = (*level * n + 1) / (n + 2);
        sampling = p * (1 - p) / n;
        usual = sqrt(p * (1 - p) / USUAL_IMAGES);
    }
    s = scale_of_differences(v, at, usual);
    *noise = sqrt(s * s + sampling);
    return earlier >= LEAST_BEFORE && later >= 1 && *level - v->x[at] > FER_PIT_THRESHOLD * *noise;
}

void fer_pit_measure(const double (*history)[4], long epochs, size_t images, long epoch, struct fer_pit *pit)
{
    const struct view accuracy = view_of(history, epochs, epoch, 2), loss = view_of(history, epochs, epoch, 3);
    double level;
    pit->epoch = epoch;
    pit->in_accuracy = judge(&accuracy, epoch, images ? images : 1, &pit->level, &pit->noise);
    pit->in_loss = judge(&loss, epoch, 0, &level, &pit->loss_noise);
    pit->accuracy = history[epoch][2];
    pit->depth = pit->level - pit->accuracy;
    pit->loss = history[epoch][3];
    pit->loss_level = fer_exp(-level);
}

long fer_pits_find(const double (*history)[4], long epochs, size_t images, struct fer_pit *pits)
{
    long epoch, count = 0;
    for (epoch = LEAST_BEFORE; epoch + 1 < epochs; epoch++) {
        fer_pit_measure(history, epochs, images, epoch, &pits[count]);
        count += pits[count].in_accuracy || pits[count].in_loss;
    }
    return count;
}
