/* model.h - what the files of this folder share. */
#ifndef FER_MODEL_H
#define FER_MODEL_H

#include "../fer.h"

/* incv3v1.c: appends the layers, with names, inputs and shapes, to an empty network; parameters are described, not allocated. */
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

#endif
