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

double fer_pits_noises(const struct fer_pit *p, int *in_loss)
{
    const double accuracy = p->depth / p->noise, loss = fer_log(p->loss / p->loss_level) / p->loss_noise;
    *in_loss = !(accuracy >= FER_DIP_THRESHOLD) && (loss >= FER_DIP_THRESHOLD || accuracy != accuracy);
    return *in_loss ? loss : accuracy;
}

/* Of accuracy; of -log(val_loss) where that alone is known. */
static double depth_of(const struct fer_pit *p)
{
    return p->depth == p->depth ? p->depth : fer_log(p->loss / p->loss_level);
}

/* Of one run, all its epochs but the first, up to a fall without return: the deepest dip, and those of three noises or
 * more that are no pits. The first three epochs of a run and its last are not judged. */
static void find_dips(struct fer_pits_choice *c, const struct fer_log *log, long start, long end, size_t images)
{
    const long stop = c->losses && c->lost[c->losses - 1].row > start ? c->lost[c->losses - 1].row : end;
    struct fer_pit dip;
    long epoch;
    int in_loss;
    if (end - start > 4) c->judged += end - start - 4;
    for (epoch = 1; start + epoch < stop; epoch++) {
        const int judged = epoch >= 3 && start + epoch + 1 < end;
        measure(log, start, end, images, epoch, &dip);
        c->can_judge[start + epoch] = (char)judged;
        if (depth_of(&dip) > 0 && (c->deepest.epoch < 0 || depth_of(&dip) > depth_of(&c->deepest))) c->deepest = dip;
        if (fer_pits_noises(&dip, &in_loss) >= FER_DIP_THRESHOLD && !(judged && (dip.in_accuracy || dip.in_loss)))
            c->dip[c->dips++] = dip;
    }
}

/* Whether the run stays six noises below the level that it had, from a row to its end. */
static int stays_below(const struct fer_log *log, const struct fer_pit *before, long from, long end, int in_loss)
{
    long row;
    for (row = from; row < end; row++)
        if (in_loss ? !(fer_log(log->row[row][3] / before->loss_level) > FER_PIT_THRESHOLD * before->loss_noise)
                    : !(before->level - log->row[row][2] > FER_PIT_THRESHOLD * before->noise))
            return 0;
    return 1;
}

/* The row of a run from which on val_loss is no number; its end: there is none. */
static long start_of_nan(const struct fer_log *log, long start, long end)
{
    long row = end;
    while (row > start && log->row[row - 1][3] != log->row[row - 1][3]) row--;
    return row;
}

/* The first epoch of a run, with three before it, from which on the accuracy (or the loss, where that alone is known)
 * stays six noises below the one before, to the end and for three epochs at least; or val_loss is no number. The noise
 * is that of the epochs before it. */
static void find_lost(struct fer_pits_choice *c, const struct fer_log *log, long start, long end, size_t images)
{
    const long nan = start_of_nan(log, start, end);
    struct fer_pit before;
    struct fer_pits_lost *lost = &c->lost[c->losses];
    for (lost->row = start + 3; lost->row + 3 <= end; lost->row++) {
        measure(log, start, lost->row, images, lost->row - 1 - start, &before);
        lost->is_nan = lost->row == nan;
        lost->in_loss = before.level != before.level;
        lost->level = lost->in_loss ? before.loss_level : before.level;
        if (!lost->is_nan && !stays_below(log, &before, lost->row, end, lost->in_loss)) continue;
        c->losses++;
        return;
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

void fer_pits_choice_free(struct fer_pits_choice *c)
{
    fer_free(c->pit);
    fer_free(c->dip);
    fer_free(c->can_judge);
    fer_free(c->lost);
}

int fer_pits_choose(struct fer_pits_choice *c, const struct fer_log *log, size_t images, const char *epoch,
                    struct fer_error *e)
{
    const struct fer_pits_choice none = {0};
    const double(*history)[4] = (const double(*)[4])log->row;
    long start, next, i;
    *c = none;
    c->unknown = count_unknown(log);
    c->deepest.epoch = -1;
    c->name = "val_accuracy";
    c->pit = fer_allocate((size_t)log->count + 1, sizeof *c->pit, e);
    c->dip = c->pit ? fer_allocate((size_t)log->count + 1, sizeof *c->dip, e) : NULL;
    c->can_judge = c->dip ? fer_allocate((size_t)log->count + 1, 1, e) : NULL;
    c->lost = c->can_judge ? fer_allocate((size_t)log->count + 1, sizeof *c->lost, e) : NULL;
    if (!c->lost) return -1;
    for (start = 0; start < log->count; start = next, c->runs++) {
        const long before = c->count;
        next = end_of_run(log, start);
        if (!epoch) c->count += fer_pits_find(history + start, next - start, images, c->pit + before);
        for (i = before; i < c->count; i++) c->pit[i].epoch += start;
        find_lost(c, log, start, next, images);
        find_dips(c, log, start, next, images);
    }
    return epoch ? choose_epoch(c, log, images, epoch, e) : 0;
}

static int knows_accuracy(const struct fer_log *log)
{
    long row = 0;
    while (row < log->count && log->row[row][2] != log->row[row][2]) row++;
    return row < log->count;
}

int fer_pits_choose_log(struct fer_pits_choice *c, struct fer_log *log, const char *path, const char *column,
                        size_t images, const char *epoch, struct fer_error *e)
{
    const struct fer_pits_choice none = {0};
    size_t count = images;
    long passed_over;
    *c = none;
    if (fer_log_read_column(log, path, column, e)) return -1;
    passed_over = fer_log_keep_validated(log);
    if (!count) count = log->images ? log->images : FER_FER2013_VALIDATION;
    if (fer_pits_choose(c, log, count, epoch, e)) return -1;
    c->unknown += passed_over;
    c->images = knows_accuracy(log) ? count : 0;
    c->images_from = images        ? "--images"
                     : log->images ? "their last digits"
                                   : "FER2013's number: the digits do not tell";
    if (column) c->name = column;
    return 0;
}

int fer_pits_judged(const struct fer_pits_choice *c, const struct fer_log *log, const char *path, struct fer_error *e)
{
    if (c->judged) return 0;
    return fer_fail(e, "%s: nothing can be judged: expected at least five epochs of a run with validation, not %ld",
                    path, log->count);
}
