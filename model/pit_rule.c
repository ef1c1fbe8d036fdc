/* pit_rule.c - which epochs of a run are pits.
 *
 * A series is val_accuracy, or -log(val_loss): of both, more is better. For epoch e of a series x:
 *
 *     level = the smaller of two medians: of the up to 5 epochs before e, and of the up to 5 after it
 *     s     = 1.4826 * MAD of the n differences x[i] - x[i-1], i = e-9 ... e+5, / sqrt(2), times 1 + 5/n
 *     noise = sqrt(s^2 + sampling)
 *     pit:    level - x[e] > 6 * noise, with at least 3 epochs before e and 1 after it
 *
 * Accuracy over N images has the sampling variance p * (1 - p) / N, p = (level * N + 1) / (N + 2): with one hit and one
 * miss more than were seen, so that one mistake among epochs without any is no pit. For the loss, 0.02^2 stands there:
 * a loss is not found to be in a pit for less than some 12 %. The smaller of two medians is below neither side's usual
 * figures: so the rise at the start is no pit, nor is a fall from which a run does not come back; and two or three bad
 * epochs in succession do not hide each other. The median absolute deviation (MAD) takes no notice of a few bad epochs
 * among fifteen; 1 + 5/n makes up for its own uncertainty where n is small.
 *
 * tests/test_pits.c simulates healthy runs (a smooth curve and normal noise). A run of 60 epochs is accused at 4e-5 of
 * its epochs by each of the two series at worst, when the noise is many times larger than the sampling error; at 2e-5
 * when it is five times larger, and at 2e-7 when it is twice as large, as on FER2013. The first epochs that can be
 * judged bear most of it, 1e-4 to 2e-4 each.
 */
#include "model.h"

#include <math.h>

enum { SIDE = 5, REACH = 10, LEAST_BEFORE = 3, MOST = REACH + SIDE + 1 };

static const double LOSS_FLOOR = 0.02;

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

static double scale_of_differences(const struct view *v)
{
    double d[MOST], middle;
    int i, count = 0;
    for (i = 1; i < v->count; i++) {
        d[count] = v->x[i] - v->x[i - 1];
        if (d[count] - d[count] == 0) count++;
    }
    middle = median(d, count);
    for (i = 0; i < count; i++) d[i] = d[i] < middle ? middle - d[i] : d[i] - middle;
    return count ? 1.4826 * median(d, count) / sqrt(2) * (1 + 5.0 / count) : 0;
}

static double sampling_variance(double accuracy, double images)
{
    const double p = (accuracy * images + 1) / (images + 2);
    return p * (1 - p) / images;
}

/* Level and noise of an epoch; returns whether it is a pit. */
static int judge(const struct view *v, long epoch, size_t images, double *level, double *noise)
{
    const int at = (int)(epoch - v->first);
    const double s = scale_of_differences(v);
    double before, after, sampling;
    int earlier, later;
    before = median_of(v, at - SIDE, at, &earlier);
    after = median_of(v, at + 1, at + 1 + SIDE, &later);
    *level = earlier && later ? (before < after ? before : after) : earlier ? before : after;
    sampling = images ? sampling_variance(*level, (double)images) : LOSS_FLOOR * LOSS_FLOOR;
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
