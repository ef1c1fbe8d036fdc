/* progress_text.c - what is to be seen while a run trains: a line that is drawn again and again, a line an epoch. */
#include "text.h"

#define BAR 30 /* characters */

void fer_progress_text(FILE *out, const struct fer_trainer *t, enum fer_usage usage, size_t batch, size_t batches,
                       const struct fer_evaluation *so_far, double spent)
{
    const size_t done = BAR * batch / batches;
    char bar[BAR + 1], left[32];
    size_t i;
    for (i = 0; i < BAR; i++) bar[i] = i < done ? '=' : i == done ? '>' : '.';
    bar[BAR] = 0;
    fprintf(out, "%5zu/%zu [%s] - ", batch, batches, bar);
    if (usage == FER_TRAINING && t && (size_t)t->batch != batch)
        fprintf(out, "exact statistics of the training images");
    else if (usage == FER_TRAINING) {
        fer_format_seconds(spent / (double)batch * (double)(batches - batch), left);
        fprintf(out, "ETA: %s - loss: %.4f - accuracy: %.4f", left, so_far->loss_sum / (double)so_far->count,
                (double)so_far->correct / (double)so_far->count);
    } else
        fprintf(out, "validation - val_loss: %.4f - val_accuracy: %.4f", so_far->loss_sum / (double)so_far->count,
                (double)so_far->correct / (double)so_far->count);
}

void fer_epoch_text(FILE *out, const struct fer_trainer *t, double spent)
{
    const double *row = t->history[t->epoch - 1];
    char time[32];
    fer_format_seconds(spent, time);
    fprintf(out, "Epoch %ld/%d - %s - loss: %.4f - accuracy: %.4f", t->epoch, t->settings.epochs, time, row[1], row[0]);
    if (t->data->usage_count[FER_PUBLIC_TEST]) fprintf(out, " - val_loss: %.4f - val_accuracy: %.4f", row[3], row[2]);
}
