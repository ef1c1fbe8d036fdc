/* keras.h - what keras_json.c, which reads a network from Keras's JSON, keras_layers.c, which knows its layers, and
 * keras_values.c, which reads their settings, share. Functions return 0, or -1 with the reason in r->e. */
#ifndef FER_KERAS_H
#define FER_KERAS_H

#include "../data/data.h"
#include "kinds.h"

struct fer_keras {
    const char *path;
    size_t size;           /* of the images where the file leaves it open; 0: unknown */
    int version;           /* of Keras, 2 or 3 */
    int begun;             /* the input is there */
    int ended;             /* the softmax that gives the probabilities has come; nothing may follow */
    char softmax[FER_MAX_NAME];
    char for_training[384]; /* why the network cannot be trained by fer; "": it can */
    int numbered[32];      /* layers of each class without a name */
    struct fer_builder b;
    struct fer_error *e;
};

/* A layer in the file. */
struct fer_keras_layer {
    const char *name;          /* NULL: it has none */
    const char *class_name;
    const struct fer_json_node *node, *config;
    int trainable;
    int inference;             /* it is called with training=False, and this Keras obeys it */
    int is_operator;           /* Keras 3's x + y, x * y */
    int is_output;             /* the network's */
    int inputs, input[FER_MAX_INPUTS];
};

/* "FILE:LINE: LAYER (CLASS): " and the reason. Returns -1. */
int fer_keras_fail(struct fer_keras *r, const struct fer_keras_layer *l, const char *format, ...) FER_PRINTF(3, 4);

/* KEY: what stands there: expected ... */
int fer_keras_fail_key(struct fer_keras *r, const struct fer_keras_layer *l, const char *key,
                       const struct fer_json_node *node, const char *expected);

/* ---- The values of a layer's config; an absent key leaves *value, Keras's default, as it is ---- */

/* A whole number of at least `least` and below 2^31: 0, and its value; else -1. */
int fer_keras_is_whole(const struct fer_json_node *node, size_t least, size_t *value);
/* Two of them, [h,w], or one for both. */
int fer_keras_is_pair(const struct fer_json_node *node, size_t least, size_t value[2]);
#define FER_KERAS_PAIR "a whole number, or two: [height, width]" /* what was expected */
const struct fer_json_node *fer_keras_key(const struct fer_keras_layer *l, const char *key); /* NULL: absent or null */
int fer_keras_whole(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, size_t least, size_t *value);
int fer_keras_pair(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, size_t least,
                   size_t value[2]);
int fer_keras_number(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, double *value);
int fer_keras_flag(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, int *value);
/* A word that is one of a list ("valid", "same", NULL): its index. */
int fer_keras_word(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, const char *const *words,
                   int *value);
/* Fails unless the key is absent, null or this word. */
int fer_keras_only(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, const char *word);
/* For messages: what stands there ("channels_first", 3, [1,2], true). */
void fer_keras_show(const struct fer_json_node *node, char text[64]);

/* Adds the layer to the network: *index of its output. */
int fer_keras_add_layer(struct fer_keras *r, const struct fer_keras_layer *l, int *index);
/* How the parameters of the network's layer `index` begin (keras_initializers.c). */
void fer_keras_initializers(struct fer_keras *r, const struct fer_keras_layer *l, int index);
/* A class's name, as a text that lasts; NULL: there is no such class of layers. */
const char *fer_keras_class(const char *name);

#endif
