/* layer.c - a layer's size, and its parameters by name. */
#include "kinds.h"

#include <string.h>

struct fer_window fer_layer_window(const struct fer_layer *layer, size_t n)
{
    struct fer_window g = layer->window;
    g.n = n;
    return g;
}

size_t fer_layer_rows(const struct fer_layer *layer, size_t n)
{
    return n * layer->height * layer->width;
}

size_t fer_layer_count(const struct fer_layer *layer, size_t n)
{
    return fer_layer_rows(layer, n) * layer->channels;
}

int fer_parameter_is(const struct fer_parameter *p, const char *what)
{
    const char *name = strrchr(p->name, '/') + 1;
    const size_t length = strlen(name), end = strlen(what);
    return length >= end && strcmp(name + length - end, what) == 0 && (length == end || name[length - end - 1] == '_');
}

const struct fer_parameter *fer_layer_parameter(const struct fer_network *network, const struct fer_layer *layer,
                                                const char *name)
{
    const struct fer_parameter *p = &network->parameter[layer->parameter];
    int i;
    for (i = 0; i < layer->parameters; i++)
        if (fer_parameter_is(&p[i], name)) return &p[i];
    return NULL;
}
