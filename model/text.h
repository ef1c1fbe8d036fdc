/* text.h - what the commands on networks show, written to a file of the caller's. */
#ifndef FER_MODEL_TEXT_H
#define FER_MODEL_TEXT_H

#include "../data/data.h"

/* summary.c: Keras's table of the layers. */
void fer_summary_text(FILE *out, const struct fer_network *network);
void fer_summary_json(FILE *out, const struct fer_network *network); /* as fer_model_read reads it */

/* evaluation_text.c: loss, accuracy, and for each class its scores and whom its images were taken for. */
void fer_evaluation_text(FILE *out, const struct fer_evaluation *evaluation);
/* Of each image its name, the probabilities, [count][FER_CLASSES], the likeliest class: a line each, or one object.
 * Each number is the shortest decimal that reads back to the same real. */
void fer_predictions_text(FILE *out, int count, const char *const *image, const real *probabilities);
void fer_predictions_json(FILE *out, int count, const char *const *image, const real *probabilities);

/* forecast_text.c: how long a run will take, by its first steps, and where the time goes. */
struct fer_forecast {
    const struct fer_network *network;
    double start, last;              /* of what is measured; when the network last told something */
    double forward, step;            /* seconds of the forward passes, and of whole steps */
    double layer[FER_LAYER_TYPES];   /* seconds of each kind of layer */
    size_t images, images_before;    /* measured; of the epoch, at the start */
    int steps;                       /* seen */
};
/* From now on the network tells the forecast, which must last as long as it. */
void fer_forecast_begin(struct fer_forecast *forecast, struct fer_trainer *trainer);
/* After a batch: 1 when enough has been measured. The first step, which brings the memory in, counts only when the
 * epoch has no other. */
int fer_forecast_ready(struct fer_forecast *forecast, const struct fer_trainer *trainer, enum fer_usage usage,
                       const struct fer_evaluation *so_far);
/* A line; after it nothing more is measured. */
void fer_forecast_text(FILE *out, const struct fer_forecast *forecast, const struct fer_trainer *trainer);

/* progress_text.c: what is to be seen while a run trains. */
struct fer_progress {
    FILE *out;
    int terminal;                  /* else there is a line an epoch, and nothing between */
    double start, last_drawn;      /* of the epoch; seconds of fer_clock */
    size_t before, seen;           /* batches of the epoch: done before the start, seen since */
    struct fer_forecast *forecast; /* NULL: none, or it has been shown */
};
void fer_progress_begin(struct fer_progress *progress, FILE *out);
/* For a watcher's two functions. A batch is drawn on terminals only, at most ten times a second. */
void fer_progress_batch(struct fer_progress *progress, const struct fer_trainer *trainer, enum fer_usage usage,
                        size_t batch, size_t batches, const struct fer_evaluation *so_far);
void fer_progress_epoch(struct fer_progress *progress, const struct fer_trainer *trainer);
void fer_progress_clear(FILE *out);
/* What is being done, and how far it is. */
void fer_progress_doing(FILE *out, const char *doing, size_t batch, size_t batches);
/* Exactly `width` characters: how many batches are done and, as far as there is room, the time left and the figures so
 * far; the room that is left then has a bar. */
void fer_progress_text(FILE *out, int width, const struct fer_trainer *trainer, enum fer_usage usage, size_t batch,
                       size_t batches, const struct fer_evaluation *so_far, double seconds_left);
/* The epoch that is done; without the line's end. */
void fer_epoch_text(FILE *out, const struct fer_trainer *trainer, double spent);
/* Where an interrupted run stands; a line. In all that is shown while a run trains, epochs and batches are counted from
 * 1. */
void fer_stopped_text(FILE *out, const struct fer_trainer *trainer, const char *run);

/* faces_text.c */
int fer_faces_read(struct fer_dataset *data, const char *path, const char *labels, uint64_t seed, struct fer_error *e);
int fer_faces_announce(FILE *out, struct fer_dataset *data, const char *path, const char *labels, uint64_t seed,
                       struct fer_error *e);
void fer_dataset_notes_text(FILE *out, const struct fer_dataset *data); /* a line each */
int fer_usage_find(const char *name, enum fer_usage *usage, struct fer_error *e); /* "Training", ... */

/* help_text.c: the commands, and what `fer help` shows of them. */
struct fer_command_help {
    const char *name, *brief, *arguments, *text;
    int has_settings; /* whether its help lists all settings */
};
extern const struct fer_command_help fer_command_helps[];
extern const int fer_command_count;
int fer_command_find(const char *name); /* its index, or -1 */
void fer_help_command(FILE *out, int command);
void fer_help_all(FILE *out);

#endif
