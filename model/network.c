/* network.c - a network and its passes: forward, backward, update. Each pass walks the list of layers and calls the
 * layer's function. */
#include "../layers/layers.h"
#include "model.h"

#include <math.h>
#include <string.h>

/* Memory of all parameters: values, and of the trainable ones gradient, m and v. One block. */
static int allocate_parameters(struct fer_network *net, struct fer_error *e)
{
    size_t reals = 0;
    real *next;
    int i;
    for (i = 0; i < net->parameters; i++) reals += net->parameter[i].count * (net->parameter[i].trainable ? 4 : 1);
    next = fer_allocate(reals, sizeof *next, e);
    if (!next) return -1;
    for (i = 0; i < net->parameters; i++) {
        struct fer_parameter *p = &net->parameter[i];
        p->value = next, next += p->count;
        if (!p->trainable) continue;
        p->gradient = next, next += p->count;
        p->m = next, next += p->count;
        p->v = next, next += p->count;
    }
    return 0;
}

int fer_network_create(struct fer_network **network, int size, struct fer_error *e)
{
    struct fer_network *net;
    *network = NULL;
    if (fer_arithmetic_check(e) || !(net = fer_allocate(1, sizeof *net, e))) return -1;
    net->size = size;
    net->bn_momentum = 0.99;
    net->bn_epsilon = 0.001;
    net->bn_unbiased = 1;
    if (size < 1 || size > 4096) {
        fer_fail(e, "image size %d: expected 48 ... 4096", size);
    } else if (fer_incv3v1(net, e) == 0 && allocate_parameters(net, e) == 0) {
        *network = net;
        return 0;
    }
    fer_free(net);
    return -1;
}

void fer_network_free(struct fer_network *network)
{
    if (!network) return;
    fer_free(network->parameter[0].value);
    fer_free(network->arena);
    fer_free(network->statistics);
    fer_free(network->logits);
    fer_free(network);
}

static int name_ends_in(const struct fer_parameter *p, const char *ending)
{
    return strcmp(strchr(p->name, '/') + 1, ending) == 0;
}

void fer_network_initialise(struct fer_network *network, uint64_t seed)
{
    int i;
    for (i = 0; i < network->parameters; i++) {
        struct fer_parameter *p = &network->parameter[i];
        const int is_kernel = name_ends_in(p, "kernel");
        const int area = p->dims == 4 ? p->shape[0] * p->shape[1] : 1;
        const double fan_in = (double)area * p->shape[p->dims == 4 ? 2 : 0],
                     fan_out = (double)area * p->shape[p->dims == 4 ? 3 : 1];
        const double limit = is_kernel ? sqrt(6 / (fan_in + fan_out)) : 0;
        const real start = name_ends_in(p, "moving_variance") ? 1 : 0;
        size_t k;
        for (k = 0; k < p->count; k++) {
            const double u = is_kernel ? fer_uniform(seed, FER_FOR_WEIGHTS, (uint32_t)i, k) : 0;
            p->value[k] = is_kernel ? (real)((2 * u - 1) * limit) : start;
            if (p->trainable) p->m[k] = p->v[k] = p->gradient[k] = 0;
        }
    }
}

real *fer_network_input(struct fer_network *network)
{
    return network->layer[0].output;
}

struct fer_parameter *fer_network_parameter(struct fer_network *network, const char *name)
{
    int i;
    for (i = 0; i < network->parameters; i++)
        if (strcmp(network->parameter[i].name, name) == 0) return &network->parameter[i];
    return NULL;
}

struct fer_window fer_layer_window(const struct fer_layer *layer, int n)
{
    struct fer_window g = layer->window;
    g.n = n;
    return g;
}

static size_t rows_of(const struct fer_layer *layer, int n)
{
    return (size_t)n * (size_t)layer->height * (size_t)layer->width;
}

/* ---- Forward ---- */

static void batch_normalization(struct fer_network *net, struct fer_layer *layer, int n, int training, const real *x)
{
    const struct fer_parameter *p = &net->parameter[layer->parameter]; /* beta, moving mean, moving variance */
    const size_t rows = rows_of(layer, n);
    if (training) fer_batch_moments(rows, layer->channels, x, layer->mean, layer->variance);
    fer_batch_normalization_forward(rows, layer->channels, x, training ? layer->mean : p[1].value,
                                    training ? layer->variance : p[2].value, NULL, p[0].value, net->bn_epsilon,
                                    layer->output);
}

/* The arrays that a concatenate layer takes from, their gradients, and how many channels each has. */
struct branches {
    const real *output[FER_MAX_INPUTS];
    real *gradient[FER_MAX_INPUTS];
    size_t channels[FER_MAX_INPUTS];
};

static struct branches branches_of(const struct fer_network *net, const struct fer_layer *layer)
{
    struct branches b;
    int i;
    for (i = 0; i < layer->inputs; i++) {
        b.output[i] = net->layer[layer->input[i]].output;
        b.gradient[i] = net->layer[layer->input[i]].output_gradient;
        b.channels[i] = (size_t)net->layer[layer->input[i]].channels;
    }
    return b;
}

static void passed(const struct fer_network *net, int layer, enum fer_pass pass)
{
    if (net->passed) net->passed(net->passed_context, layer, pass);
}

void fer_layer_forward(struct fer_network *network, int index, int n, int training)
{
    struct fer_layer *layer = &network->layer[index];
    const struct fer_layer *from = &network->layer[layer->input[0]];
    const struct fer_parameter *p = &network->parameter[layer->parameter];
    const struct fer_window g = fer_layer_window(layer, n);
    const struct branches b = branches_of(network, layer);
    const real *x = from->output;
    real *y = layer->output;
    switch (layer->type) {
    case FER_CONV2D: fer_conv2d_forward(&g, x, p->value, y); break;
    case FER_BATCH_NORMALIZATION: batch_normalization(network, layer, n, training, x); break;
    case FER_ACTIVATION: fer_relu_forward(rows_of(layer, n) * (size_t)layer->channels, x, y); break;
    case FER_MAX_POOLING2D: fer_max_pooling2d_forward(&g, x, y); break;
    case FER_AVERAGE_POOLING2D: fer_average_pooling2d_forward(&g, x, y); break;
    case FER_CONCATENATE: fer_concatenate_forward(rows_of(layer, n), layer->inputs, b.channels, b.output, y); break;
    case FER_GLOBAL_AVERAGE_POOLING2D:
        fer_global_average_pooling2d_forward(n, from->height * from->width, layer->channels, x, y);
        break;
    case FER_DENSE:
        fer_dense_forward(n, from->channels, layer->channels, x, p[0].value, p[1].value, network->logits);
        fer_softmax(n, layer->channels, network->logits, y);
        break;
    case FER_INPUT:
    case FER_LAYER_TYPES: break;
    }
    passed(network, index, FER_FORWARD);
}

void fer_network_forward(struct fer_network *network, int n, int training)
{
    int i;
    for (i = 0; i < network->layers; i++) fer_layer_forward(network, i, n, training);
}

/* ---- Backward ---- */

/* One layer: the gradients of its parameters, and of its only input, written to dx. The input layer's gradient is not
 * wanted (NULL). */
static void layer_backward(struct fer_network *net, int index, int n, real *dx)
{
    struct fer_layer *layer = &net->layer[index];
    const struct fer_layer *from = &net->layer[layer->input[0]];
    struct fer_parameter *p = &net->parameter[layer->parameter];
    const struct fer_window g = fer_layer_window(layer, n);
    const size_t rows = rows_of(layer, n);
    const real *x = from->output, *dy = layer->output_gradient;
    switch (layer->type) {
    case FER_CONV2D:
        if (dx) fer_conv2d_backward_input(&g, dy, p->value, dx);
        passed(net, index, FER_BACKWARD);
        fer_conv2d_backward_kernel(&g, x, dy, p->gradient);
        passed(net, index, FER_BACKWARD_KERNEL);
        break;
    case FER_BATCH_NORMALIZATION:
        fer_batch_normalization_backward(rows, layer->channels, x, layer->mean, layer->variance, NULL, net->bn_epsilon,
                                         1, dy, dx, NULL, p->gradient);
        break;
    case FER_ACTIVATION: fer_relu_backward(rows * (size_t)layer->channels, layer->output, dy, dx); break;
    case FER_MAX_POOLING2D: fer_max_pooling2d_backward(&g, x, dy, dx); break;
    case FER_AVERAGE_POOLING2D: fer_average_pooling2d_backward(&g, dy, dx); break;
    case FER_GLOBAL_AVERAGE_POOLING2D:
        fer_global_average_pooling2d_backward(n, from->height * from->width, layer->channels, dy, dx);
        break;
    case FER_DENSE:
        fer_dense_backward_input(n, from->channels, layer->channels, net->logits_gradient, p[0].value, dx);
        fer_dense_backward_kernel(n, from->channels, layer->channels, x, net->logits_gradient, p[0].gradient);
        fer_dense_backward_bias(n, layer->channels, net->logits_gradient, p[1].gradient);
        break;
    case FER_CONCATENATE: /* has several inputs: see fer_network_backward */
    case FER_INPUT:
    case FER_LAYER_TYPES: break;
    }
}

static void add(size_t count, const real *x, real *sum)
{
    long long i;
#pragma omp parallel for if (count > FER_FEW)
    for (i = 0; i < (long long)count; i++) sum[i] += x[i];
}

/* The layers from last to first. The first consumer to arrive at an output writes its gradient; each later one writes
 * to fan_out, which is then added. */
double fer_network_backward(struct fer_network *network, int n, const int *labels)
{
    const double loss = fer_cross_entropy(n, FER_CLASSES, network->logits, labels, NULL, network->logits_gradient);
    int arrived[FER_MAX_LAYERS] = {0}, i;
    for (i = network->layers - 1; i > 0; i--) {
        const struct fer_layer *layer = &network->layer[i], *from = &network->layer[layer->input[0]];
        if (layer->type == FER_CONCATENATE) {
            const struct branches b = branches_of(network, layer);
            fer_concatenate_backward(rows_of(layer, n), layer->inputs, b.channels, layer->output_gradient, b.gradient);
        } else if (from->type == FER_INPUT) {
            layer_backward(network, i, n, NULL);
        } else if (arrived[layer->input[0]]++ == 0) {
            layer_backward(network, i, n, from->output_gradient);
        } else {
            layer_backward(network, i, n, network->fan_out);
            add(rows_of(from, n) * (size_t)from->channels, network->fan_out, from->output_gradient);
        }
        passed(network, i, FER_BACKWARD);
    }
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

void fer_network_update(struct fer_network *network, int n, const struct fer_adam *adam, long t)
{
    int i;
    for (i = 0; i < network->parameters; i++) {
        struct fer_parameter *p = &network->parameter[i];
        if (p->trainable) fer_adam_step(adam, t, p->count, p->value, p->gradient, p->m, p->v);
    }
    for (i = 0; i < network->layers; i++) {
        struct fer_layer *layer = &network->layer[i];
        struct fer_parameter *p = &network->parameter[layer->parameter];
        if (layer->type == FER_BATCH_NORMALIZATION)
            fer_moving_statistics(rows_of(layer, n), layer->channels, layer->mean, layer->variance,
                                  network->bn_momentum, network->bn_unbiased, p[1].value, p[2].value);
    }
}
