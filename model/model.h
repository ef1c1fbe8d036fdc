/* model.h - what the files of this folder share. */
#ifndef FER_MODEL_H
#define FER_MODEL_H

#include "../fer.h"

/* incv3v1.c: appends the layers, with names, inputs and shapes, to an empty network; parameters are described, not
 * allocated. */
int fer_incv3v1(struct fer_network *network, struct fer_error *e);

/* layer->window for n images. */
struct fer_window fer_layer_window(const struct fer_layer *layer, int n);

/* fingerprint_expected.c: the digest of each stage, in the order in which fingerprint.c comes to them. */
struct fer_fingerprint_row {
    const char *stage;
    uint32_t float32, float64;
};
extern const struct fer_fingerprint_row fer_fingerprint_expected[];
extern const int fer_fingerprint_rows;

/* trainer.c: one batch in inference mode, or with the batch's own statistics (training), added to `sum`. labels[n] and
 * losses[n] are room for it. The losses are added image by image, so that the sum of an inference does not depend on
 * how the images were cut into batches. */
void fer_evaluate_batch(struct fer_network *network, const struct fer_dataset *data, const size_t *index, int n,
                        int training, int *labels, double *losses, struct fer_evaluation *sum);
/* The images index[count] in batches of up to network->batch, as fer_evaluate; `usage` is for the watcher. */
enum fer_end fer_evaluate_images(struct fer_network *network, const struct fer_dataset *data, const size_t *index,
                                 size_t count, int training, enum fer_usage usage, const struct fer_watcher *watcher,
                                 const struct fer_trainer *trainer, struct fer_evaluation *result, struct fer_error *e);

#endif
