/* progress_text.c - what is to be seen while a run trains: a line that is drawn again and again, a line an epoch. */
#include "text.h"

#include <string.h>

enum { BAR = 30, LEAST_BAR = 5 }; /* characters */

/* A line that is drawn again leaves the terminal's last column free: some go to the next line when it is written. */
void fer_progress_clear(FILE *out)
{
    fprintf(out, "\r%*s\r", fer_terminal_width() - 1, "");
}

void fer_progress_text(FILE *out, int width, const struct fer_trainer *t, enum fer_usage usage, size_t batch,
                       size_t batches, const struct fer_evaluation *so_far, double left)
{
    const double count = (double)so_far->count;
    const double loss = so_far->loss_sum / count, accuracy = (double)so_far->correct / count;
    char head[64], part[3][48] = {"", "", ""}, line[200], time[32];
    const int digits = snprintf(head, sizeof head, "%zu", batches);
    int length = snprintf(head, sizeof head, "%*zu/%zu", digits, batch, batches), rest = 0, i, bar;
    if (usage == FER_TRAINING && t && (size_t)t->batch != batch)
        snprintf(part[0], sizeof part[0], "exact statistics");
    else {
        const char *prefix = usage == FER_TRAINING ? "" : "val_";
        fer_format_seconds(left, time);
        snprintf(part[0], sizeof part[0], "%s%s", usage == FER_TRAINING ? "ETA: " : "validation",
                 usage == FER_TRAINING ? time : "");
        snprintf(part[1], sizeof part[1], "%sloss: %.4f", prefix, loss);
        snprintf(part[2], sizeof part[2], "%saccuracy: %.4f", prefix, accuracy);
    }
    *line = 0;
    for (i = 0; i < 3 && *part[i] && length + rest + 3 + (int)strlen(part[i]) <= width; i++)
        rest += snprintf(line + rest, sizeof line - (size_t)rest, " - %s", part[i]);
    bar = width - length - rest - 3; /* of it are two brackets and a blank */
    if (bar > BAR) bar = BAR;
    length = fprintf(out, "%.*s", width, head);
    if (bar >= LEAST_BAR) {
        const int done = (int)((size_t)bar * batch / batches);
        length += fprintf(out, " [");
        for (i = 0; i < bar; i++) length += fprintf(out, "%c", i < done ? '=' : i == done ? '>' : '.');
        length += fprintf(out, "]");
    }
    length += fprintf(out, "%s", line);
    fprintf(out, "%*s", width - length, "");
}

void fer_epoch_text(FILE *out, const struct fer_trainer *t, double spent)
{
    const double *row = t->history[t->epoch - 1];
    char time[32];
    fer_format_seconds(spent, time);
    fprintf(out, "Epoch %ld/%d - %s - loss: %.4f - accuracy: %.4f", t->epoch, t->settings.epochs, time, row[1], row[0]);
    if (t->data->usage_count[FER_PUBLIC_TEST]) fprintf(out, " - val_loss: %.4f - val_accuracy: %.4f", row[3], row[2]);
}

void fer_stopped_text(FILE *out, const struct fer_trainer *t, const char *run)
{
    if (t->epoch == t->settings.epochs)
        fprintf(out, "stopped after epoch %ld/%d, the last", t->epoch, t->settings.epochs);
    else
        fprintf(out, "stopped at epoch %ld/%d, batch %ld/%zu; to go on: fer train --resume %s", t->epoch + 1,
                t->settings.epochs, t->batch, t->batches, run);
    fprintf(out, "\n");
}

void fer_progress_begin(struct fer_progress *p, FILE *out)
{
    const struct fer_progress begun = {.out = out, .terminal = fer_is_terminal(out), .start = fer_clock()};
    *p = begun;
}

/* Batches that were done before the run was resumed have taken no time now. */
void fer_progress_batch(struct fer_progress *p, const struct fer_trainer *t, enum fer_usage usage, size_t batch,
                        size_t batches, const struct fer_evaluation *so_far)
{
    const double now = fer_clock();
    if (p->forecast && fer_forecast_ready(p->forecast, t, usage, so_far)) {
        if (p->terminal) fer_progress_clear(p->out);
        fer_forecast_text(p->out, p->forecast, t);
        fflush(p->out);
        p->forecast = NULL;
    }
    if (!p->seen++) p->before = batch - 1;
    if (!p->terminal || (now - p->last_drawn < 0.1 && batch < batches)) return;
    p->last_drawn = now;
    fprintf(p->out, "\r");
    fer_progress_text(p->out, fer_terminal_width() - 1, t, usage, batch, batches, so_far,
                      (now - p->start) / (double)(batch - p->before) * (double)(batches - batch));
    fflush(p->out);
}

void fer_progress_epoch(struct fer_progress *p, const struct fer_trainer *t)
{
    if (p->terminal) fer_progress_clear(p->out);
    fer_epoch_text(p->out, t, fer_clock() - p->start);
    fprintf(p->out, "\n");
    fflush(p->out);
    p->start = fer_clock();
    p->seen = 0;
}

void fer_progress_doing(FILE *out, const char *doing, size_t batch, size_t batches)
{
    char count[64];
    const int width = fer_terminal_width() - 1, length = snprintf(count, sizeof count, " %zu/%zu", batch, batches);
    const int room = width - 2 - length;
    if (room > 0)
        fprintf(out, "\r  %-*.*s%s", room, room, doing, count);
    else
        fprintf(out, "\r%.*s", width, count);
}
