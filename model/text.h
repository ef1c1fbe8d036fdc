/* text.h - what the commands on networks show, written to a file of the caller's. */
#ifndef FER_MODEL_TEXT_H
#define FER_MODEL_TEXT_H

#include "../data/data.h"

/* summary.c: Keras's table of the layers. */
void fer_summary_text(FILE *out, const struct fer_network *network);
void fer_summary_json(FILE *out, const struct fer_network *network); /* as fer_model_read reads it */

/* evaluation_text.c: loss, accuracy, and for each class its scores and whom its images were taken for. */
void fer_evaluation_text(FILE *out, const struct fer_evaluation *evaluation);
/* Of each image its name, the probabilities, [count][FER_CLASSES], the likeliest class: a line each, or one object. Each
 * number is the shortest decimal that reads back to the same real. */
void fer_predictions_text(FILE *out, int count, const char *const *image, const real *probabilities);
void fer_predictions_json(FILE *out, int count, const char *const *image, const real *probabilities);

/* progress_text.c: what is to be seen while a run trains. Both lines are without their end. */

/* A bar over the epoch's batches, the time left, the figures so far. `spent` is in seconds, of this epoch. */
void fer_progress_text(FILE *out, const struct fer_trainer *trainer, enum fer_usage usage, size_t batch, size_t batches,
                       const struct fer_evaluation *so_far, double spent);
/* The epoch that is done. */
void fer_epoch_text(FILE *out, const struct fer_trainer *trainer, double spent);

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
