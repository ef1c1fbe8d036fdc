/* network.c - a network's initial weights and its passes: forward, backward, update. Each pass walks the list of layers
 * and calls the functions that the layer's row of kinds.c names. */
#include "../layers/layers.h"
#include "kinds.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

void fer_network_normalization(struct fer_network *network, double momentum, double epsilon, int unbiased)
{
    int i;
    for (i = 0; i < network->layers; i++) {
        struct fer_layer *layer = &network->layer[i];
        if (!fer_kinds[layer->type].statistics) continue;
        if (momentum >= 0) layer->momentum = momentum;
        if (epsilon >= 0) layer->epsilon = epsilon;
        if (unbiased >= 0) layer->unbiased = unbiased;
    }
}


static double fan(const struct fer_parameter *p)
{
    const size_t area = p->dims == 4 ? p->shape[0] * p->shape[1] : 1;
    const double in = (double)(area * p->shape[p->dims == 4 ? 2 : 0]);
    const double out = (double)(area * p->shape[p->dims == 4 ? 3 : 1]);
    const double fans[3] = {in, out, (in + out) / 2};
    return fans[p->initializer.fan];
}

static void initialise(struct fer_parameter *p, uint64_t seed, uint32_t array)
{
    const struct fer_initializer *is = &p->initializer;
    const double deviation = is->distribution == FER_CONSTANT ? 0 : sqrt(is->scale / fan(p)) / 0.87962566103423978;
    const double limit = is->distribution == FER_CONSTANT ? 0 : sqrt(3 * is->scale / fan(p));
    size_t k;
    for (k = 0; k < p->count; k++) {
        const double u = is->distribution == FER_CONSTANT ? 0 : fer_uniform(seed, FER_FOR_WEIGHTS, array, k);
        if (is->distribution == FER_CONSTANT)
            p->value[k] = (real)is->scale;
        else if (is->distribution == FER_UNIFORM)
            p->value[k] = (real)((2 * u - 1) * limit);
        else
            p->value[k] = (real)(fer_truncated_normal(u) * deviation);
    }
}

void fer_network_initialise(struct fer_network *network, uint64_t seed)
{
    int i;
    for (i = 0; i < network->parameters; i++) {
        struct fer_parameter *p = &network->parameter[i];
        size_t k;
        initialise(p, seed, (uint32_t)i);
        for (k = 0; p->trainable && k < p->count; k++) p->m[k] = p->v[k] = p->gradient[k] = 0;
    }
}

real *fer_network_input(struct fer_network *network)
{
    return network->layer[0].output;
}

void fer_output_name(const struct fer_network *network, int index, const char *ending, char name[FER_MAX_ARRAY])
{
    const struct fer_layer *layer = &network->layer[index];
    const int last = index == network->layers - 1;
    if (index == 0)
        snprintf(name, FER_MAX_ARRAY, "input%s", ending);
    else
        snprintf(name, FER_MAX_ARRAY, "%s/%s%s", last ? network->softmax : layer->name,
                 last ? "logits" : layer->output_name, ending);
}

struct fer_parameter *fer_network_parameter(struct fer_network *network, const char *name)
{
    int i;
    for (i = 0; i < network->parameters; i++)
        if (strcmp(network->parameter[i].name, name) == 0) return &network->parameter[i];
    return NULL;
}

/* ---- Forward ---- */

static void passed(const struct fer_network *net, int layer, enum fer_pass pass)
{
    if (net->passed) net->passed(net->passed_context, layer, pass);
}

/* The last layer's output are the logits, until the softmax takes their place. */
void fer_layer_forward(struct fer_network *network, int index, size_t n, int training)
{
    const struct fer_layer *layer = &network->layer[index];
    if (training && fer_layer_takes_statistics(layer)) fer_kinds[layer->type].statistics(network, layer, n);
    fer_kinds[layer->type].forward(network, layer, n, training);
    if (index == network->layers - 1) {
        memcpy(network->logits, layer->output, n * network->classes * sizeof(real));
        fer_softmax(n, network->classes, network->logits, layer->output);
    }
    passed(network, index, FER_FORWARD);
}

static void all_layers_forward(struct fer_network *network, size_t n, int training)
{
    int i;
    for (i = 1; i < network->layers; i++) fer_layer_forward(network, i, n, training);
}

/* Of n images so many that the largest output of a layer is a few megabytes; the last time it may be fewer. */
static size_t images_at_a_time(const struct fer_network *net, size_t n)
{
    enum { FEW_MEGABYTES = 5 << 20 };
    size_t largest = 0, parts;
    int i;
    for (i = 0; i < net->layers; i++) {
        const size_t bytes = fer_layer_count(&net->layer[i], n) * sizeof(real);
        if (bytes > largest) largest = bytes;
    }
    parts = largest / FEW_MEGABYTES + 1;
    return (n + parts - 1) / parts;
}

/* Moves on in the arrays that hold a whole batch in inference too. */
static void move_on(struct fer_network *net, ptrdiff_t images)
{
    net->layer[0].output += images * (ptrdiff_t)fer_layer_count(&net->layer[0], 1);
    net->layer[net->layers - 1].output += images * (ptrdiff_t)net->classes;
    net->logits += images * (ptrdiff_t)net->classes;
}

/* In inference no image has to do with another. A few go through all layers, then the next few: what a layer has
 * written is still in the cache when the next one reads it. */
void fer_network_forward(struct fer_network *network, size_t n, int training)
{
    const size_t most = training || network->plan == FER_PLAN_KEEP ? n : images_at_a_time(network, n);
    size_t done, few;
    for (done = 0; done < n; done += few) {
        few = n - done < most ? n - done : most;
        all_layers_forward(network, few, training);
        move_on(network, (ptrdiff_t)few);
    }
    move_on(network, -(ptrdiff_t)n);
}

/* ---- Backward ---- */

static void add(size_t count, const real *x, real *sum)
{
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) sum[i] += x[i];
}

/* An output that was given up after the forward pass (plan.c), and what it was written over. */
static void compute_anew(const struct fer_network *net, int index, size_t n)
{
    const struct fer_layer *layer = &net->layer[index];
    if (net->layer[layer->input[0]].output == layer->output) compute_anew(net, layer->input[0], n);
    fer_kinds[layer->type].forward(net, layer, n, 1);
}

/* The first consumer to arrive at an output writes its gradient; each later one writes to fan_out, which is then added.
 * Nobody asks for the gradient of the network's input. */
void fer_layer_backward(const struct fer_network *net, int index, size_t n, int *arrived)
{
    const struct fer_layer *layer = &net->layer[index];
    const struct fer_kind *kind = &fer_kinds[layer->type];
    real *dx[FER_MAX_INPUTS], *room = net->fan_out;
    int k;
    for (k = 0; k < layer->inputs; k++) {
        const struct fer_layer *from = &net->layer[layer->input[k]];
        if (from->inputs == 0) {
            dx[k] = NULL;
        } else if (arrived[layer->input[k]]++ == 0) {
            dx[k] = from->output_gradient;
            if (from->given_up) compute_anew(net, layer->input[k], n);
        } else {
            dx[k] = room;
            room += fer_layer_count(from, n);
        }
    }
    kind->backward(net, layer, n, dx);
    for (k = 0; k < layer->inputs; k++) {
        const struct fer_layer *from = &net->layer[layer->input[k]];
        if (dx[k] && dx[k] != from->output_gradient) add(fer_layer_count(from, n), dx[k], from->output_gradient);
    }
    passed(net, index, FER_BACKWARD);
    if (!kind->backward_kernel || layer->frozen) return;
    kind->backward_kernel(net, layer, n);
    passed(net, index, FER_BACKWARD_KERNEL);
}

double fer_network_backward(struct fer_network *network, size_t n, const int *labels)
{
    const double loss = fer_cross_entropy(n, network->classes, network->logits, labels, NULL, network->logits_gradient);
    int arrived[FER_MAX_LAYERS] = {0}, i;
    for (i = network->layers - 1; i > 0; i--) fer_layer_backward(network, i, n, arrived);
    return loss;
}

/* ---- Update ---- */

double fer_network_clip(struct fer_network *network, double most)
{
    double sum = 0, norm;
    size_t k;
    int i;
    for (i = 0; i < network->parameters; i++) {
        const struct fer_parameter *p = &network->parameter[i];
        for (k = 0; p->trainable && k < p->count; k++) sum += (double)p->gradient[k] * (double)p->gradient[k];
    }
    norm = sqrt(sum);
    if (most == 0 || !(norm > most)) return norm;
    for (i = 0; i < network->parameters; i++) {
        const struct fer_parameter *p = &network->parameter[i];
        for (k = 0; p->trainable && k < p->count; k++) p->gradient[k] *= (real)(most / norm);
    }
    return norm;
}

void fer_network_update(struct fer_network *network, size_t n, const struct fer_adam *adam, long t)
{
    int i;
    for (i = 0; i < network->parameters; i++) {
        struct fer_parameter *p = &network->parameter[i];
        if (p->trainable) fer_adam_step(adam, t, p->count, p->value, p->gradient, p->m, p->v);
    }
    for (i = 0; i < network->layers; i++) {
        const struct fer_kind *kind = &fer_kinds[network->layer[i].type];
        if (kind->update) kind->update(network, &network->layer[i], n);
    }
}
