/* order.c - prints which image a training sees when, for tests/philox.py: order COUNT BATCH SEED EPOCH, with COUNT
 * drawn faces. */
#include "../fer.h"

#include <stdio.h>
#include <stdlib.h>

static void print_order(struct fer_trainer *t)
{
    const size_t size = (size_t)t->settings.batch;
    size_t b, i;
    fer_trainer_order(t);
    for (b = 0; b < t->batches; b++)
        for (i = t->batch_order[b] * size; i < (t->batch_order[b] + 1) * size && i < t->train_count; i++)
            printf("%lu\n", (unsigned long)t->order[i]);
}

int main(int argc, char **argv)
{
    size_t counts[FER_USAGES] = {0};
    struct fer_settings settings;
    struct fer_dataset data;
    struct fer_trainer *t;
    struct fer_error e;
    fer_settings_default(&settings);
    if (argc != 5) return 2;
    counts[FER_TRAINING] = strtoul(argv[1], NULL, 10);
    settings.batch = (int)strtol(argv[2], NULL, 10);
    settings.seed = strtoull(argv[3], NULL, 10);
    settings.size = 48;
    if (fer_dataset_draw(&data, 0, counts, &e) || fer_trainer_create(&t, &settings, &data, &e)) return puts(e.text), 2;
    t->epoch = strtol(argv[4], NULL, 10);
    print_order(t);
    fer_trainer_free(t);
    fer_dataset_free(&data);
    return 0;
}
