/* table.c - what was found on each pit: the lines of pits.csv, and the steps of the replay at hand. */
#include "command.h"
#include "pits.h"

#include <stdlib.h>
#include <string.h>

void fer_pits_table_free(struct fer_pits_table *t)
{
    free(t->row);
    free(t->step);
}

/* Makes room for one more in a growing array. */
static void *grow(void *array, size_t count, size_t *room, size_t size, int *failed)
{
    void *more;
    if (count < *room) return array;
    more = realloc(array, 2 * (*room + 32) * size);
    if (!more) return *failed = 1, array;
    *room = 2 * (*room + 32);
    return more;
}

void fer_pits_table_keep(struct fer_pits_table *t, const struct fer_pit_row *row)
{
    size_t at = t->rows;
    t->row = grow(t->row, t->rows, &t->row_room, sizeof *t->row, &t->out_of_memory);
    if (t->out_of_memory) return;
    while (at > 0 && t->row[at - 1].epoch > row->epoch) at--;
    memmove(t->row + at + 1, t->row + at, (t->rows - at) * sizeof *t->row);
    t->row[at] = *row;
    t->rows++;
}

void fer_pits_table_keep_step(struct fer_pits_table *t, const struct fer_pit_step *step)
{
    t->step = grow(t->step, t->steps, &t->step_room, sizeof *t->step, &t->out_of_memory);
    if (!t->out_of_memory) t->step[t->steps++] = *step;
}

/* Whether these experiments bring such a row anew. Those with layers begin with exact ones everywhere. */
static int comes_anew(const char *experiment, unsigned experiments)
{
    int i;
    for (i = 0; i < FER_PIT_EXPERIMENTS; i++)
        if (strcmp(fer_pit_experiment_names[i], experiment) == 0)
            return (experiments >> i & 1) || (i == FER_PIT_EXACT && experiments >> FER_PIT_LAYERS & 1);
    return 1; /* base, conclusion */
}

void fer_pits_table_begin(struct fer_pits_table *t, long epoch, unsigned experiments)
{
    size_t i, kept = 0;
    for (i = 0; i < t->rows; i++)
        if (t->row[i].epoch != epoch || !comes_anew(t->row[i].experiment, experiments)) t->row[kept++] = t->row[i];
    t->rows = kept;
    t->steps = 0;
    t->epoch = epoch;
}

/* What was recovered, or, when there was no drop to recover from, the accuracy. */
static double merit(const struct fer_pit_row *row)
{
    return row->recovered == row->recovered ? row->recovered : row->val_accuracy;
}

int fer_pits_table_best_layers(const struct fer_pits_table *t, const struct fer_pit_row *best[FER_PITS_BEST])
{
    int count = 0, i;
    size_t k;
    for (k = 0; k < t->rows; k++) {
        const struct fer_pit_row *row = &t->row[k];
        if (row->epoch != t->epoch || strcmp(row->experiment, "layers") != 0 || strstr(row->detail, "all but"))
            continue;
        for (i = count < FER_PITS_BEST ? count++ : FER_PITS_BEST; i > 0 && !(merit(best[i - 1]) >= merit(row)); i--)
            if (i < FER_PITS_BEST) best[i] = best[i - 1];
        if (i < FER_PITS_BEST) best[i] = row;
    }
    return count;
}
