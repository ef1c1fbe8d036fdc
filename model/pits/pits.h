/* pits.h - what the files on pits share. */
#ifndef FER_PITS_H
#define FER_PITS_H

#include "../kinds.h"

/* What may be changed in a replay, in the order of fer_pit_change_names. */
enum fer_pit_change {
    FER_CHANGE_ADAM_EPSILON,
    FER_CHANGE_LEARNING_RATE,
    FER_CHANGE_BN_MOMENTUM,
    FER_CHANGE_SHUFFLE,
    FER_CHANGE_CLIP,
    FER_CHANGE_NO_SHORT_BATCH,
    FER_CHANGE_SHORT_BATCH_FIRST,
    FER_CHANGES
};
extern const char *const fer_pit_change_names[FER_CHANGES];

/* One step of the replay. By index of layer, 0 where it does not apply. */
struct fer_pit_step {
    long step;                      /* of the epoch, from 1 */
    int images;
    double loss;                    /* the batch's mean */
    double update[FER_MAX_LAYERS];  /* of convolutions and dense layer: norm of the kernel's change / the kernel's */
    double drive[FER_MAX_LAYERS];   /* of layers with weights: the largest |m| / (sqrt(v) + epsilon) */
    /* Of BatchNormalization: the distance of the batch's mean from the moving mean in moving standard deviations, the
     * largest of all channels and the root of the mean square; and the largest ratio of the batch's to the moving
     * variance. */
    double distance[FER_MAX_LAYERS], distance_rms[FER_MAX_LAYERS], ratio[FER_MAX_LAYERS];
};

/* Accuracy and loss; done: 1 when the experiment was made. A replay that diverged has NaN. */
struct fer_pit_outcome {
    int done;
    double accuracy, loss;
};

/* A step at which something left its usual range; step 0: none did. */
struct fer_pit_departure {
    long step;
    int images, layer;
    double value, usual; /* there, and the median of the steps before */
};

/* All outcomes: what the conclusion is drawn from. */
struct fer_pit_findings {
    const struct fer_network *network;
    struct fer_pit pit;
    struct fer_pit_outcome base, batch, replay;
    struct fer_pit_outcome exact, exact_mean, exact_variance; /* exact statistics: all, means alone, variances alone */
    struct fer_pit_outcome exact_before;                /* the state after the epoch before, with its own exact ones */
    struct fer_pit_outcome old_statistics, old_weights; /* those of the epoch before, in this state */
    struct fer_pit_outcome training, training_before;   /* on training images: this state, the one before */
    struct fer_pit_outcome alone[FER_MAX_LAYERS];       /* by layer: exact statistics in it alone, ... */
    struct fer_pit_outcome without[FER_MAX_LAYERS];     /* ... and in all others */
    int layer;                                          /* the one that recovers most alone; -1: not looked for */
    struct fer_pit_outcome layer_mean, layer_variance;  /* of that layer */
    int channel;                                        /* of it: where moving and exact variance are farthest apart */
    double moving, exact_there;                         /* and the two */
    struct fer_pit_outcome change[FER_CHANGES];
    double accuracy_before;                             /* val_accuracy of the epoch before, as logged */
    int precise_bn;                                     /* the run's setting */
    int lacks_before;    /* what was asked for needs the checkpoint of the epoch before, which is not there */
    size_t differing;    /* arrays in which the replay differs from the state kept */
    const char *differs; /* the first of them */
    long steps;
    /* The first step of each; distance and ratio of the layer that is to blame, if there is one. */
    struct fer_pit_departure loss, update, distance, ratio;
};

/* ---- state.c ---- */

/* Kinds of parameters, to be added up. */
enum {
    FER_PIT_WEIGHTS = 1,
    FER_PIT_MEANS = 2,
    FER_PIT_VARIANCES = 4,
    FER_PIT_STATISTICS = FER_PIT_MEANS | FER_PIT_VARIANCES,
    FER_PIT_EVERYTHING = FER_PIT_WEIGHTS | FER_PIT_STATISTICS
};
enum { FER_PIT_EVERY_LAYER = -1 };

/* The values of all parameters, one after the other: how many, a copy of them, and where one parameter's stand. */
size_t fer_pit_state_size(const struct fer_network *net);
void fer_pit_keep_state(const struct fer_network *net, real *state);
const real *fer_pit_array(const struct fer_network *net, const real *state, const struct fer_parameter *parameter);
/* Puts back those arrays of a state that are of these kinds, of one layer or of every layer. */
void fer_pit_put_state(struct fer_network *net, const real *state, int kinds, int layer);
/* The checkpoint after epoch `epoch` into the trainer; it must hold that place. */
int fer_pit_load(struct fer_trainer *trainer, const char *run, long epoch, struct fer_error *e);

/* ---- findings.c ---- */

int fer_pit_of_loss_alone(const struct fer_pit_findings *f);
/* Of what the pit was seen in, more is better: accuracy, or -log(loss). In the same terms the level, the noise around
 * it, and the drop from the level to the epoch. */
double fer_pit_merit(const struct fer_pit_findings *f, const struct fer_pit_outcome *outcome);
double fer_pit_level(const struct fer_pit_findings *f);
double fer_pit_noise(const struct fer_pit_findings *f);
double fer_pit_drop(const struct fer_pit_findings *f);
/* The part of the drop that an outcome recovers; NaN when there was no drop. */
double fer_pit_recovered(const struct fer_pit_findings *f, const struct fer_pit_outcome *outcome);
int fer_pit_better(const struct fer_pit_findings *f, const struct fer_pit_outcome *outcome,
                   const struct fer_pit_outcome *other);
/* The layer whose statistics explain at least half of what exact ones recover everywhere; -1: none does. */
int fer_pit_blamed_layer(const struct fer_pit_findings *f);

/* ---- replay.c ---- */

/* What a replay works with; nothing in it is freed here. */
struct fer_pit_replay {
    struct fer_trainer *trainer;
    const char *run;
    long epoch; /* to be done again */
    const struct fer_pit_watcher *told;
};
/* Whether a change differs from what the run did anyway. */
int fer_pit_is_change(const struct fer_trainer *t, enum fer_pit_change change);
/* The epoch again from the checkpoint before it, with one thing changed, and validated. One that diverges is FER_DONE
 * too, with an outcome of NaN. */
enum fer_end fer_pit_replay_changed(const struct fer_pit_replay *r, enum fer_pit_change change,
                                    struct fer_pit_outcome *outcome, struct fer_error *e);
/* The same with nothing changed; each step is looked at, and findings' departures filled in. */
enum fer_end fer_pit_replay_steps(const struct fer_pit_replay *r, struct fer_pit_findings *f, struct fer_error *e);

/* ---- conclusion.c ---- */

/* The findings in words. */
void fer_pit_conclude(const struct fer_pit_findings *f, char *text, size_t size);

#endif
