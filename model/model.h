/* model.h - what the files of this folder share; kinds.h has the table of layer kinds. */
#ifndef FER_MODEL_H
#define FER_MODEL_H

#include "../fer.h"

/* builder.c: fer_network_end without memory for parameters, for who wants shapes and names alone. */
int fer_network_describe(struct fer_builder *b, struct fer_network **network, struct fer_error *e);

/* keras_json.c: fer_model_read, described as above. */
int fer_model_describe(struct fer_network **network, const char *path, size_t size, struct fer_error *e);
/* builder.c: memory for the parameters of a network that was described. On failure the network is freed. */
int fer_network_allocate(struct fer_network **network, struct fer_error *e);

/* incv3v1.c: the network described, as above. */
int fer_incv3v1_describe(struct fer_network **network, size_t size, struct fer_error *e);

/* network.c: one layer's backward pass, those of all later layers being done: one line of fer_network_backward.
 * arrived[layer]: how often a layer's gradient has been sent so far, 0 before the first pass. */
void fer_layer_backward(const struct fer_network *network, int index, size_t n, int *arrived);

/* fingerprint_expected.c: the digest of each stage, in the order in which fingerprint.c comes to them. */
struct fer_fingerprint_row {
    const char *stage;
    uint32_t float32, float64;
};
extern const struct fer_fingerprint_row fer_fingerprint_expected[];
extern const int fer_fingerprint_rows;

/* average.c: memory for the averages; one step's weights into them; average and weights exchanged. */
int fer_average_begin(struct fer_network *network, struct fer_error *e);
void fer_average_update(struct fer_network *network, double momentum, long step);
void fer_average_swap(struct fer_network *network);

/* evaluate.c. The predictions of a batch that the network has just seen, from its last output, added to `sum`: their
 * number, how many are right, and the confusion matrix. */
void fer_count_predictions(const struct fer_network *network, size_t n, const int *labels, struct fer_evaluation *sum);
/* One batch in inference mode, or with the batch's own statistics (training), added to `sum`. labels[n] and
 * losses[n] are room for it. The losses are added image by image, so that the sum of an inference does not depend on
 * how the images were cut into batches. */
void fer_evaluate_batch(struct fer_network *network, const struct fer_dataset *data, const size_t *index, size_t n,
                        int training, int *labels, double *losses, struct fer_evaluation *sum);
/* The images index[count] in batches of up to network->batch, as fer_evaluate; `usage` is for the watcher. */
enum fer_end fer_evaluate_images(struct fer_network *network, const struct fer_dataset *data, const size_t *index,
                                 size_t count, int training, enum fer_usage usage, const struct fer_watcher *watcher,
                                 const struct fer_trainer *trainer, struct fer_evaluation *result, struct fer_error *e);

#endif
