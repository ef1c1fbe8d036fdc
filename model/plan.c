/* plan.c - where each output and each gradient of a pass stands in memory.
 *
 * A training step is a sequence of moments: layer i is computed forward at moment i, backward at moment 2*layers - 1 -
 * i. Each array is alive from the moment that writes it to the last moment that reads it. Arrays that are never alive
 * together may share memory: the largest array is placed first, each at the lowest address where it meets no array
 * that is alive with it.
 *
 * Some layers, as Activation and BatchNormalization, make each element from the one at the same place in their input
 * (backward: in the gradient of their output). Where nobody else needs that one any more, they write over it.
 *
 * What a BatchNormalization makes, with an activation that writes over it, is given up after the forward pass, although
 * the backward pass reads it: then it is computed anew, from the BatchNormalization's input, which is kept. Such an
 * array is alive twice, in the same place. */
#include "kinds.h"

#include <stdio.h>

enum { MOST = 2 * FER_MAX_LAYERS + 1, ALIGN = 64 / sizeof(real), NEVER = 2 * FER_MAX_LAYERS };

/* Memory of one array, or of several that are written over each other: `count` reals at `offset`, alive from moment
 * `first` to moment `last`, both included; if it is given up, from first to gone and from anew to last. */
struct place {
    size_t count, offset;
    int first, last, gone, anew;
};

struct places {
    int count;
    struct place place[MOST];
    int output[FER_MAX_LAYERS], gradient[FER_MAX_LAYERS], fan_out; /* which place each has; -1: none */
    int given_up[FER_MAX_LAYERS];                                  /* the last layer that wrote into such a place */
    size_t total;                                                  /* reals */
};

static const struct fer_kind *kind_of(const struct fer_layer *layer)
{
    return &fer_kinds[layer->type];
}

static int later(int a, int b)
{
    return a > b ? a : b;
}

static int earlier(int a, int b)
{
    return a < b ? a : b;
}

static int add_place(struct places *places, size_t count, int first, int last)
{
    struct place *p = &places->place[places->count];
    p->count = (count + ALIGN - 1) / ALIGN * ALIGN;
    p->first = first;
    p->last = last;
    p->gone = p->anew = NEVER;
    return places->count++;
}

/* The last moment at which somebody reads the output of layer i. *consumer: its last consumer. */
static int last_reader(const struct fer_network *net, int i, enum fer_plan plan, int *consumer)
{
    const int end = 2 * net->layers - 1; /* layer i goes backward at moment end - i */
    const int backward = plan != FER_PLAN_INFERENCE && kind_of(&net->layer[i])->backward_reads_output;
    int last = backward ? end - i : i, j, k;
    *consumer = i;
    for (j = i + 1; j < net->layers; j++)
        for (k = 0; k < net->layer[j].inputs; k++) {
            if (net->layer[j].input[k] != i) continue;
            *consumer = j;
            last = later(last, j);
            if (plan != FER_PLAN_INFERENCE && kind_of(&net->layer[j])->backward_reads_input)
                last = later(last, end - j);
        }
    return plan == FER_PLAN_KEEP ? end : last; /* end: somebody will want to see it */
}

/* In inference a few images at a time go through all layers (network.c): where the batch's images and probabilities
 * stand, nothing else does. */
static void list_outputs(const struct fer_network *net, size_t batch, enum fer_plan plan, struct places *places)
{
    const int end = 2 * net->layers - 1;
    int i, consumer;
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        const int whole = i == 0 || i == net->layers - 1, over = places->output[layer->input[0]];
        const int last = whole ? end : last_reader(net, i, plan, &consumer);
        if (!whole && kind_of(layer)->element_by_element && places->place[over].last == i) {
            places->output[i] = over;
            places->place[over].last = last;
        } else {
            places->output[i] = add_place(places, fer_layer_count(layer, batch), whole ? -1 : i, last);
        }
    }
}

/* What begins with a BatchNormalization is gone when its last consumer has gone forward, and there again when that goes
 * backward; unless what it is made of is given up too. */
static void give_up_outputs(const struct fer_network *net, struct places *places)
{
    const int end = 2 * net->layers - 1;
    int i, last, consumer;
    for (i = 1; i < net->layers; i++) {
        struct place *p = &places->place[places->output[i]];
        if (!kind_of(&net->layer[i])->statistics) continue;
        if (places->place[places->output[net->layer[i].input[0]]].anew < NEVER) continue;
        for (last = net->layers - 1; places->output[last] != places->output[i];) last--;
        last_reader(net, last, FER_PLAN_INFERENCE, &consumer);
        if (p->last < end - consumer) continue; /* backward does not read it */
        p->gone = consumer;
        p->anew = end - consumer;
        places->given_up[last] = 1;
    }
}

/* The most that one layer sends to inputs which others send to as well; to the network's input nobody does. */
static size_t most_fan_out(const struct fer_network *net, size_t batch)
{
    size_t most = 0;
    int i, k;
    for (i = 1; i < net->layers; i++) {
        size_t count = 0;
        for (k = 0; k < net->layer[i].inputs; k++) {
            const struct fer_layer *from = &net->layer[net->layer[i].input[k]];
            if (from->inputs > 0 && from->consumers > 1) count += fer_layer_count(from, batch);
        }
        if (count > most) most = count;
    }
    return most;
}

static void list_gradients(const struct fer_network *net, size_t batch, enum fer_plan plan, struct places *places)
{
    const int end = 2 * net->layers - 1;
    int i, consumer;
    for (i = net->layers - 2; i > 0; i--) {
        const struct fer_layer *layer = &net->layer[i];
        last_reader(net, i, plan, &consumer);
        if (plan != FER_PLAN_KEEP && layer->consumers == 1 && places->gradient[consumer] >= 0 &&
            kind_of(&net->layer[consumer])->element_by_element) {
            places->gradient[i] = places->gradient[consumer];
            places->place[places->gradient[i]].last = end - i;
        } else {
            places->gradient[i] = add_place(places, fer_layer_count(layer, batch), end - consumer,
                                            plan == FER_PLAN_KEEP ? end : end - i);
        }
    }
    places->fan_out = add_place(places, most_fan_out(net, batch), net->layers, end);
}

/* Lists every array of a pass of `batch` images, with its life. */
static void list_places(const struct fer_network *net, size_t batch, enum fer_plan plan, struct places *places)
{
    int i;
    for (i = 0; i < net->layers; i++) places->gradient[i] = -1, places->given_up[i] = 0;
    places->count = 0;
    places->fan_out = -1;
    list_outputs(net, batch, plan, places);
    if (plan == FER_PLAN_TRAINING) give_up_outputs(net, places);
    if (plan != FER_PLAN_INFERENCE) list_gradients(net, batch, plan, places);
}

/* Whether it is alive at a moment of first ... last. */
static int is_alive(const struct place *p, int first, int last)
{
    return (p->first <= last && first <= earlier(p->gone, p->last)) || (p->anew <= last && first <= p->last);
}

/* The lowest offset at which `p` meets none of the first `placed` places in order[] that is alive with it. */
static size_t lowest_offset(const struct places *places, const int *order, int placed, const struct place *p)
{
    size_t offset = 0;
    int i = 0;
    while (i < placed) {
        const struct place *q = &places->place[order[i]];
        const int together = is_alive(q, p->first, earlier(p->gone, p->last)) || is_alive(q, p->anew, p->last);
        if (together && offset < q->offset + q->count && q->offset < offset + p->count) {
            offset = q->offset + q->count;
            i = 0; /* look again from the start */
        } else {
            i++;
        }
    }
    return offset;
}

static void place_all(struct places *places)
{
    int order[MOST], i, j;
    places->total = 0;
    for (i = 0; i < places->count; i++) { /* by insertion, the largest first */
        for (j = i; j > 0 && places->place[order[j - 1]].count < places->place[i].count; j--) order[j] = order[j - 1];
        order[j] = i;
    }
    for (i = 0; i < places->count; i++) {
        struct place *p = &places->place[order[i]];
        p->offset = lowest_offset(places, order, i, p);
        if (p->offset + p->count > places->total) places->total = p->offset + p->count;
    }
}

static size_t statistics_count(const struct fer_network *net)
{
    size_t count = 0;
    int i;
    for (i = 0; i < net->layers; i++)
        if (fer_layer_takes_statistics(&net->layer[i])) count += 2 * net->layer[i].channels;
    return count;
}

/* Whether the bytes of all arrays together, none shared, are more than a size_t can count. */
static int cannot_be_addressed(const struct fer_network *net, size_t batch)
{
    double reals = 2 * (double)batch * (double)net->classes;
    int i;
    for (i = 0; i < net->layers; i++)
        reals += (3.0 * (double)batch + 2) * ((double)fer_layer_count(&net->layer[i], 1) + ALIGN);
    for (i = 0; i < net->parameters; i++) reals += 4 * (double)net->parameter[i].count;
    return reals > (double)(SIZE_MAX / sizeof(real) / 2);
}

size_t fer_network_memory(const struct fer_network *network, size_t batch, enum fer_plan plan)
{
    struct places places;
    size_t reals = 0;
    int i;
    if (cannot_be_addressed(network, batch)) return SIZE_MAX;
    list_places(network, batch, plan, &places);
    place_all(&places);
    for (i = 0; i < network->parameters; i++)
        reals += network->parameter[i].count * (network->parameter[i].trainable ? 4 : 1);
    return (reals + places.total + statistics_count(network) + batch * 2 * network->classes) * sizeof(real);
}

int fer_network_fits(const struct fer_network *network, size_t batch, enum fer_plan plan, size_t available,
                     struct fer_error *e)
{
    const size_t need = fer_network_memory(network, batch, plan);
    size_t fits = 0, too_large = batch;
    char size[64];
    if (available == 0 || need <= available) return 0;
    while (too_large - fits > 1) {
        const size_t middle = fits + (too_large - fits) / 2;
        *(fer_network_memory(network, middle, plan) <= available ? &fits : &too_large) = middle;
    }
    if (network->height == network->width)
        snprintf(size, sizeof size, "%zu", network->height);
    else
        snprintf(size, sizeof size, "%zux%zu", network->height, network->width);
    return fer_fail(e, "batch %zu at size %s needs %.0f MB of memory and %.0f MB are available; %s %zu", batch, size,
                    1e-6 * (double)need, 1e-6 * (double)available,
                    fits ? "expected a batch of at most" : "there is not enough even for a batch of", fits ? fits : 1);
}

static void give_up_plan(struct fer_network *net)
{
    int i;
    fer_free(net->arena);
    fer_free(net->statistics);
    fer_free(net->logits);
    net->arena = net->statistics = net->logits = net->logits_gradient = net->fan_out = NULL;
    net->batch = 0;
    for (i = 0; i < net->layers; i++)
        net->layer[i].output = net->layer[i].output_gradient = net->layer[i].mean = net->layer[i].variance = NULL;
}

static real *memory_of(const struct fer_network *net, const struct places *places, int place)
{
    return place < 0 ? NULL : net->arena + places->place[place].offset;
}

int fer_network_plan(struct fer_network *network, size_t batch, enum fer_plan plan, struct fer_error *e)
{
    struct places places;
    real *statistics;
    int i;
    give_up_plan(network);
    if (batch < 1 || batch > 1000000) return fer_fail(e, "batch %zu: expected 1 ... 1000000", batch);
    if (cannot_be_addressed(network, batch))
        return fer_fail(e, "batch %zu: its arrays cannot be addressed: expected a smaller batch or smaller images",
                        batch);
    list_places(network, batch, plan, &places);
    place_all(&places);
    network->arena = fer_allocate(places.total, sizeof(real), e);
    network->statistics = statistics = fer_allocate(statistics_count(network), sizeof(real), e);
    network->logits = fer_allocate(batch * 2 * network->classes, sizeof(real), e);
    if (!network->arena || !network->statistics || !network->logits) {
        give_up_plan(network);
        return -1;
    }
    network->logits_gradient = network->logits + batch * network->classes;
    network->fan_out = memory_of(network, &places, places.fan_out);
    for (i = 0; i < network->layers; i++) {
        struct fer_layer *layer = &network->layer[i];
        layer->output = memory_of(network, &places, places.output[i]);
        layer->output_gradient = memory_of(network, &places, places.gradient[i]);
        layer->given_up = places.given_up[i];
        if (!fer_layer_takes_statistics(layer)) continue;
        layer->mean = statistics, statistics += layer->channels;
        layer->variance = statistics, statistics += layer->channels;
    }
    network->layer[network->layers - 1].output_gradient = network->logits_gradient;
    network->batch = batch;
    network->plan = plan;
    return 0;
}
