/* gradcheck_network.c - the gradient check of the whole network, from the images to the loss.
 *
 * A step in one parameter crosses the kinks of some of the thousands of ReLUs and maxima behind it, and the finite
 * differences would measure the kinks. So the network is frozen at the point where the gradient is claimed: each ReLU
 * and each max pooling goes on taking the input cell that it takes there. The frozen network is smooth, has at that
 * point the same loss, bit for bit (which is checked), and the same gradient, since a ReLU or a maximum that is not at
 * its kink goes on choosing the same cell in a neighbourhood. The gradient under test is the ordinary one, from
 * fer_network_forward and _backward.
 *
 * Checked are: single elements of every trainable array, and of every layer's output (whose gradient a record shows);
 * the slope along a random direction in each trainable array, in which every element has its share; and along
 * directions in all and in many of them together. */
#include "checks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 48, IMAGES = 2, DIRECTIONS = 4, MAX_DISTANCES = 2 * FER_MAX_PARAMETERS };
/* First steps, in parts of the root mean square of the array: one number among many may go further than all at once. */
#define ELEMENT_STEP (1.0 / 64)
#define DIRECTION_STEP (1.0 / 8192)

/* One number of the network that is moved by a distance: value = here + distance * size. */
struct probe {
    const char *name; /* of the array that it stands in */
    size_t index;
    real *value, here;
    double size;       /* the array's root mean square */
    int layer, output; /* a parameter (0) or an output (1) of this layer */
};

struct frozen {
    struct fer_network *network;
    int labels[IMAGES];
    long *choice[FER_MAX_LAYERS]; /* which input cell each output cell takes, -1 none; NULL: not a layer that chooses */
    real *here[FER_MAX_LAYERS];   /* each layer's output at the point, and the loss there */
    double loss;
    /* what the next frozen_loss has to do */
    char recompute[FER_MAX_LAYERS]; /* layers with other parameters than at the point */
    char moved[FER_MAX_LAYERS];     /* layers whose output is another now */
    const struct probe *held;       /* the one cell of an output that is moved, and where to; NULL: none */
    real held_at;
    real distance[MAX_DISTANCES], claimed[MAX_DISTANCES];    /* the checker's x, and its gradient */
    /* single elements */
    int probes;
    struct probe probe[MAX_DISTANCES];
    /* directions: one in each trainable array, and some that move many arrays, each along its own, to or fro */
    double noise; /* of the loss, once a row has found it */
    int arrays, array[FER_MAX_PARAMETERS]; /* the parameters that are trainable */
    real at[FER_MAX_PARAMETERS];           /* how far each has been moved */
    real sign[DIRECTIONS][FER_MAX_PARAMETERS];
};

static size_t output_size(const struct fer_layer *layer)
{
    return (size_t)IMAGES * (size_t)layer->height * (size_t)layer->width * (size_t)layer->channels;
}

/* ---- Freezing ---- */

/* Writes down what a forward pass gave, and what each ReLU and max pooling took. */
static int freeze(struct frozen *f, struct fer_error *e)
{
    int i;
    size_t k;
    for (i = 0; i < f->network->layers; i++) {
        const struct fer_layer *layer = &f->network->layer[i];
        if (!(f->here[i] = fer_allocate(output_size(layer), sizeof(real), e))) return -1;
        memcpy(f->here[i], layer->output, output_size(layer) * sizeof(real));
        if (!fer_checks[layer->type].takes) continue;
        if (!(f->choice[i] = fer_allocate(output_size(layer), sizeof(long), e))) return -1;
        for (k = 0; k < output_size(layer); k++)
            f->choice[i][k] = fer_checks[layer->type].takes(layer, f->here[layer->input[0]], k);
    }
    return 0;
}

static void take_chosen(const struct fer_layer *layer, const real *x, const long *choice)
{
    real (*const taken)(const struct fer_layer *, real, long) = fer_checks[layer->type].taken;
    const size_t count = output_size(layer);
    size_t k;
    if (taken)
        for (k = 0; k < count; k++) layer->output[k] = taken(layer, x[k], choice[k]);
    else
        for (k = 0; k < count; k++) layer->output[k] = choice[k] < 0 ? 0 : x[choice[k]];
}

/* Whether a layer's output is another than at the point, once it is what it has to be. */
static int recompute(struct frozen *f, int i)
{
    const struct fer_layer *layer = &f->network->layer[i];
    const size_t bytes = output_size(layer) * sizeof(real);
    int j, anew = f->recompute[i];
    for (j = 0; j < layer->inputs; j++) anew = anew || f->moved[layer->input[j]];
    if (f->held && f->held->layer == i) {
        memcpy(layer->output, f->here[i], bytes);
        *f->held->value = f->held_at;
        return 1;
    }
    if (anew) {
        if (f->choice[i]) take_chosen(layer, f->network->layer[layer->input[0]].output, f->choice[i]);
        else fer_layer_forward(f->network, i, IMAGES, 1);
        return i == f->network->layers - 1 || memcmp(layer->output, f->here[i], bytes) != 0;
    }
    if (f->moved[i]) memcpy(layer->output, f->here[i], bytes);
    return 0;
}

/* The mean loss of the frozen network. Computed are only the layers that a change reaches: most of the time goes into
 * this. */
static double frozen_loss(struct frozen *f)
{
    const struct fer_network *network = f->network;
    int i;
    for (i = 1; i < network->layers; i++) f->moved[i] = (char)recompute(f, i);
    memset(f->recompute, 0, sizeof f->recompute);
    if (!f->moved[network->layers - 1]) return f->loss;
    return fer_cross_entropy(IMAGES, network->classes, network->logits, f->labels, NULL, NULL) / IMAGES;
}

/* A random point, random images, their gradient; and the network frozen there. */
static int set_up(struct frozen *f, uint64_t seed, struct fer_error *e)
{
    struct fer_network *network = f->network;
    size_t k;
    int i;
    if (fer_network_fits(network, IMAGES, FER_PLAN_KEEP, fer_memory_available(), e) ||
        fer_network_plan(network, IMAGES, FER_PLAN_KEEP, e))
        return -1;
    fer_network_initialise(network, seed);
    for (i = 0; i < network->parameters; i++) /* betas and biases, which are all zero: somewhere more typical */
        for (k = 0; k < network->parameter[i].count && network->parameter[i].dims == 1; k++)
            network->parameter[i].value[k] += (real)(fer_uniform(seed, FER_FOR_CHECKS, 1 + (uint32_t)i, k) - 0.5);
    for (k = 0; k < output_size(&network->layer[0]); k++)
        fer_network_input(network)[k] = (real)fer_uniform(seed, FER_FOR_CHECKS, 1000, k);
    for (i = 0; i < IMAGES; i++)
        f->labels[i] = (int)(fer_draw(seed, FER_FOR_CHECKS, 1001, (uint64_t)i) % network->classes);
    fer_network_forward(network, IMAGES, 1);
    f->loss = fer_network_backward(network, IMAGES, f->labels) / IMAGES;
    if (freeze(f, e)) return -1;
    memset(f->recompute, 1, sizeof f->recompute);
    if (frozen_loss(f) != f->loss) return fer_fail(e, "the frozen network's loss differs from the network's");
    return 0;
}

static void tear_down(struct frozen *f)
{
    int i;
    if (!f) return;
    for (i = 0; i < FER_MAX_LAYERS; i++) {
        fer_free(f->choice[i]);
        fer_free(f->here[i]);
    }
    fer_network_free(f->network);
    fer_free(f);
}

/* ---- Rows ---- */

/* One row's check of distance[count], whose gradient is claimed[count]. The frozen loss is smooth and takes long, and
 * its noise is that of the row before. */
static int check(struct frozen *f, struct fer_gradcheck_run *run, double (*loss)(void *context), int first, int count,
                 double step, struct fer_gradcheck *result, struct fer_error *e)
{
    const struct fer_gradcheck_known known = {NULL, f->noise, 3, 1e-8};
    if (fer_gradcheck_known(loss, f, f->distance + first, f->claimed + first, (size_t)count, 0, step, run->seed, &known,
                            result, e))
        return -1;
    f->noise = result->noise;
    return 0;
}

static void begin_row(const struct frozen *f, struct fer_gradcheck_row *row, const char *what, const char *argument)
{
    memset(row, 0, sizeof *row);
    row->layer = "network";
    snprintf(row->geometry, sizeof row->geometry, "%dx%zux%zux%zu, %s", IMAGES, f->network->height, f->network->width,
             f->network->channels, what);
    snprintf(row->argument, sizeof row->argument, "%s", argument);
}

/* The layer that owns parameter array `index`. */
static int owner(const struct fer_network *network, int index)
{
    int i = 0;
    while (index < network->layer[i].parameter || index >= network->layer[i].parameter + network->layer[i].parameters)
        i++;
    return i;
}

/* ---- Single elements ---- */

static double mean_square(const real *x, size_t count)
{
    return fer_gradcheck_dot(count, x, x) / (double)count;
}

/* Probes in an array, one in each of so many equal stretches of it. */
static void add_probes(struct frozen *f, uint64_t seed, const char *name, real *value, const real *gradient,
                       size_t count, int probes, int layer, int output)
{
    const double size = sqrt(mean_square(value, count));
    int i;
    for (i = 0; i < probes; i++) {
        struct probe *p = &f->probe[f->probes];
        const double u = fer_uniform(seed, FER_FOR_CHECKS, 1002, (uint64_t)f->probes);
        p->index = (size_t)(((double)i + u) * (double)count / probes);
        p->name = name;
        p->value = value + p->index;
        p->here = *p->value;
        p->size = size > 0 ? size : 1;
        p->layer = layer;
        p->output = output;
        f->distance[f->probes] = 0;
        f->claimed[f->probes++] = (real)((double)gradient[p->index] * p->size);
    }
}

/* At most one distance is not zero. */
static double loss_at_distances(void *context)
{
    struct frozen *f = context;
    const struct probe *p = NULL;
    double loss;
    real at = 0;
    int k;
    for (k = 0; k < f->probes; k++) {
        if (f->distance[k] == 0) continue;
        p = &f->probe[k];
        at = (real)((double)p->here + (double)f->distance[k] * p->size);
    }
    if (p && p->output) {
        f->held = p;
        f->held_at = at;
    } else if (p) {
        *p->value = at;
        f->recompute[p->layer] = 1;
    }
    loss = frozen_loss(f);
    f->held = NULL;
    if (p && !p->output) *p->value = p->here;
    return loss;
}

/* The row of all probes; they are taken away afterwards. */
static int check_probes(struct frozen *f, struct fer_gradcheck_run *run, const char *argument, struct fer_error *e)
{
    struct fer_gradcheck_row row;
    const struct probe *worst;
    if (f->probes == 0) return 0; /* it has no such array */
    begin_row(f, &row, "elements of every array", argument);
    if (check(f, run, loss_at_distances, 0, f->probes, ELEMENT_STEP, &row.result, e)) return -1;
    loss_at_distances(f); /* everything is as it was */
    worst = &f->probe[row.result.index];
    snprintf(row.worst_in, sizeof row.worst_in, "%.47s", worst->name);
    row.result.index = worst->index;
    row.result.measured /= worst->size;
    row.result.claimed /= worst->size;
    fer_gradcheck_report(run, &row);
    f->probes = 0;
    return 0;
}

static int check_elements(struct frozen *f, struct fer_gradcheck_run *run, const char *ending, struct fer_error *e)
{
    int i;
    for (i = 0; i < f->network->parameters; i++) {
        const struct fer_parameter *p = &f->network->parameter[i];
        if (p->trainable && fer_parameter_is(p, ending))
            add_probes(f, run->seed, p->name, p->value, p->gradient, p->count, 2, owner(f->network, i), 0);
    }
    return check_probes(f, run, ending, e);
}

static int check_outputs(struct frozen *f, struct fer_gradcheck_run *run, struct fer_error *e)
{
    int i;
    for (i = 1; i < f->network->layers - 1; i++) {
        const struct fer_layer *layer = &f->network->layer[i];
        add_probes(f, run->seed, layer->name, layer->output, layer->output_gradient, output_size(layer), 1, i, 1);
    }
    return check_probes(f, run, "output", e);
}

/* ---- Directions. Adam's moments are not needed here: m holds the direction, v the point where it starts. ---- */

/* distance[k] moves array k alone, distance[arrays + j] moves many, with the signs j. */
static double loss_along(void *context)
{
    struct frozen *f = context;
    int i, j;
    size_t k;
    for (i = 0; i < f->arrays; i++) {
        const struct fer_parameter *p = &f->network->parameter[f->array[i]];
        real distance = f->distance[i];
        for (j = 0; j < DIRECTIONS; j++) distance += f->sign[j][i] * f->distance[f->arrays + j];
        if (distance != 0) f->recompute[owner(f->network, f->array[i])] = 1;
        if (distance == f->at[i]) continue;
        f->at[i] = distance;
        for (k = 0; k < p->count; k++) p->value[k] = p->v[k] + distance * p->m[k];
    }
    return frozen_loss(f);
}

/* A random direction in each trainable array, as long as the array is, and the slopes that the gradient claims along
 * them. Of the directions in many arrays the first moves all, the others a random half, each to the side where the
 * loss is said to grow: so that no array's share cancels another's. */
static void draw_directions(struct frozen *f, uint64_t seed)
{
    double slope[FER_MAX_PARAMETERS], sum;
    int i, j;
    size_t k;
    for (i = 0; i < f->network->parameters; i++) {
        const struct fer_parameter *p = &f->network->parameter[i];
        const double size = sqrt(3 * mean_square(p->value, p->count)); /* of [-1, 1) the mean square is 1/3 */
        if (!p->trainable) continue;
        for (k = 0; k < p->count; k++) {
            p->m[k] = (real)((2 * fer_uniform(seed, FER_FOR_CHECKS, 2000 + (uint32_t)i, k) - 1) * size);
            p->v[k] = p->value[k];
        }
        slope[f->arrays] = fer_gradcheck_dot(p->count, p->gradient, p->m);
        f->claimed[f->arrays] = (real)slope[f->arrays];
        f->array[f->arrays++] = i;
    }
    for (j = 0; j < DIRECTIONS; j++) {
        for (i = 0, sum = 0; i < f->arrays; i++) {
            const int takes_part = j == 0 || fer_draw(seed, FER_FOR_CHECKS, 1003 + (uint32_t)j, (uint64_t)i) % 2;
            f->sign[j][i] = takes_part ? slope[i] < 0 ? -1 : 1 : 0;
            sum += (double)f->sign[j][i] * slope[i];
        }
        f->claimed[f->arrays + j] = (real)sum;
    }
}

static int check_directions(struct frozen *f, struct fer_gradcheck_run *run, struct fer_error *e)
{
    struct fer_gradcheck_row row;
    draw_directions(f, run->seed);
    memset(f->distance, 0, sizeof f->distance);
    if (f->arrays == 0) return 0;
    begin_row(f, &row, "a direction in every array", "parameters");
    if (check(f, run, loss_along, 0, f->arrays, DIRECTION_STEP, &row.result, e)) return -1;
    snprintf(row.worst_in, sizeof row.worst_in, "%.47s", f->network->parameter[f->array[row.result.index]].name);
    row.result.index = 0;
    fer_gradcheck_report(run, &row);
    begin_row(f, &row, "directions in many arrays", "parameters");
    if (check(f, run, loss_along, f->arrays, DIRECTIONS, DIRECTION_STEP, &row.result, e)) return -1;
    fer_gradcheck_report(run, &row);
    return 0;
}

/* The network is freed. */
static int check_network(struct fer_network *network, struct fer_gradcheck_run *run, struct fer_error *e)
{
    static const char *const parameters[] = {"kernel", "gamma", "beta", "bias"};
    struct frozen *f = fer_allocate(1, sizeof *f, e);
    int failure, i;
    if (!f) {
        fer_network_free(network);
        return -1;
    }
    f->network = network;
    failure = set_up(f, run->seed, e);
    for (i = 0; i < 4 && !failure; i++) failure = check_elements(f, run, parameters[i], e);
    if (!failure) failure = check_outputs(f, run, e) || check_directions(f, run, e);
    tear_down(f);
    return failure ? -1 : 0;
}

int fer_gradcheck_network(struct fer_gradcheck_run *run, struct fer_error *e)
{
    struct fer_network *network;
    return fer_incv3v1(&network, SIZE, e) || check_network(network, run, e) ? -1 : 0;
}

int fer_gradcheck_model(const char *model, size_t size, uint64_t seed,
                        void (*report)(void *context, const struct fer_gradcheck_row *row), void *context,
                        struct fer_error *e)
{
    struct fer_gradcheck_run run = {0};
    struct fer_network *network;
    run.seed = seed;
    run.report = report;
    run.context = context;
    if (sizeof(real) < sizeof(double))
        return fer_fail(e,
                        "a network's gradients are checked in float64 only: float32 is too coarse for it: use fer64");
    return fer_model_read(&network, model, size, e) || check_network(network, &run, e) ? -1 : run.failed;
}
