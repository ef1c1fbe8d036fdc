/* choose.c - which epochs of a log are looked at, and by which experiments. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

/* The experiment whose name are the first `length` characters; FER_PIT_EXPERIMENTS: none has it. */
static int find_experiment(const char *name, size_t length)
{
    int i = 0;
    while (i < FER_PIT_EXPERIMENTS && (strlen(fer_pit_experiment_names[i]) != length ||
                                       strncmp(fer_pit_experiment_names[i], name, length) != 0))
        i++;
    return i;
}

int fer_pits_choose_experiments(const char *list, unsigned *experiments, struct fer_error *e)
{
    *experiments = list ? 0 : (1u << FER_PIT_EXPERIMENTS) - 1;
    while (list) {
        const size_t length = strcspn(list, ",");
        const int i = find_experiment(list, length);
        if (i == FER_PIT_EXPERIMENTS)
            return fer_fail(e, "--experiments %.*s: expected some of batch,exact,swap,training,layers,replay,changes",
                            (int)length, list);
        *experiments |= 1u << i;
        list = list[length] ? list + length + 1 : NULL;
    }
    return 0;
}

/* The row after the last of the run that begins at `start`: a log that was appended to holds several, and an epoch that
 * is not above the first of its run begins the next. */
static long end_of_run(const struct fer_log *log, long start)
{
    long row = start + 1;
    while (row < log->count && log->epoch[row] > log->epoch[start]) row++;
    return row;
}

/* Epoch number `epoch` of the run start ... end - 1. */
static void measure(const struct fer_log *log, long start, long end, size_t images, long epoch, struct fer_pit *pit)
{
    fer_pit_measure((const double(*)[4])log->row + start, end - start, images, epoch, pit);
    pit->epoch += start;
}

int fer_pits_not_judged(const struct fer_log *log, long row)
{
    long start = 0, next;
    while ((next = end_of_run(log, start)) <= row) start = next;
    return row - start < 3 || row + 1 == next;
}

/* Of one run, all its epochs but the first: the deepest dip, and those of three noises or more that are no pits. */
static void find_dips(struct fer_pits_choice *c, const struct fer_log *log, long start, long end, size_t images)
{
    struct fer_pit dip;
    long epoch;
    for (epoch = 1; start + epoch < end; epoch++) {
        const int judged = epoch >= 3 && start + epoch + 1 < end;
        measure(log, start, end, images, epoch, &dip);
        if (dip.depth > c->deepest.depth) c->deepest = dip;
        if (dip.depth >= 3 * dip.noise && !(judged && (dip.in_accuracy || dip.in_loss))) c->dip[c->dips++] = dip;
    }
}

/* The first epoch of a run, with three before it, from which on the accuracy stays six noises below the one before, to
 * the end and for three epochs at least; or val_loss is no number. The noise is that of the epochs before it. */
static void find_loss(struct fer_pits_choice *c, const struct fer_log *log, long start, long end, size_t images)
{
    struct fer_pit before;
    long from, row;
    for (from = start + 3; from + 3 <= end && c->lost < 0; from++) {
        int lost = 1, is_nan = 1;
        measure(log, start, from, images, from - 1 - start, &before);
        for (row = from; row < end; row++) {
            lost &= log->row[row][2] < before.level - FER_PIT_THRESHOLD * before.noise;
            is_nan &= log->row[row][3] != log->row[row][3];
        }
        is_nan &= log->row[from - 1][3] == log->row[from - 1][3];
        if (!lost && !is_nan) continue;
        c->lost = from;
        c->lost_level = before.level;
        c->lost_is_nan = is_nan;
    }
}

/* Epochs without val_accuracy and val_loss: nothing can be said of them. */
static long count_unknown(const struct fer_log *log)
{
    long row, count = 0;
    for (row = 0; row < log->count; row++)
        count += log->row[row][2] != log->row[row][2] && log->row[row][3] != log->row[row][3];
    return count;
}

/* The epoch that the user names, in place of the pits. */
static int choose_epoch(struct fer_pits_choice *c, const struct fer_log *log, size_t images, const char *text,
                        struct fer_error *e)
{
    char *end;
    const long epoch = strtol(text, &end, 10);
    long row = 0, start = 0, next;
    while (row < log->count && log->epoch[row] != epoch) row++;
    if (*text < '0' || *text > '9' || *end || row == log->count || row == 0)
        return fer_fail(e, "--epoch %s: expected an epoch of the log that is not its first", text);
    while ((next = end_of_run(log, start)) <= row) start = next;
    if (row == start)
        return fer_fail(e, "--epoch %s: expected an epoch of the log that is not the first of its run", text);
    measure(log, start, next, images, row - start, c->pit);
    c->count = 1;
    return 0;
}

int fer_pits_choose(struct fer_pits_choice *c, const struct fer_log *log, size_t images, const char *epoch,
                    struct fer_error *e)
{
    const struct fer_pits_choice none = {0};
    const double(*history)[4] = (const double(*)[4])log->row;
    long start, next, i;
    *c = none;
    c->unknown = count_unknown(log);
    c->lost = -1;
    c->pit = fer_allocate((size_t)log->count + 1, sizeof *c->pit, e);
    c->dip = c->pit ? fer_allocate((size_t)log->count + 1, sizeof *c->dip, e) : NULL;
    if (!c->dip) return -1;
    for (start = 0; start < log->count; start = next, c->runs++) {
        const long before = c->count;
        next = end_of_run(log, start);
        if (!epoch) c->count += fer_pits_find(history + start, next - start, images, c->pit + before);
        for (i = before; i < c->count; i++) c->pit[i].epoch += start;
        find_dips(c, log, start, next, images);
        find_loss(c, log, start, next, images);
    }
    return epoch ? choose_epoch(c, log, images, epoch, e) : 0;
}
