/* summary.c - the table of Keras's model.summary(). */
#include "text.h"

#include <string.h>

static const char rule[] =
    "__________________________________________________________________________________________________";

/* The inputs of a layer, a line each: ['mixed0[0][0]', ... */
static void write_inputs(FILE *out, const struct fer_network *network, const struct fer_layer *layer)
{
    int i;
    if (!layer->inputs) fprintf(out, "[]\n");
    for (i = 0; i < layer->inputs; i++)
        fprintf(out, "%*s%s'%s[0][0]'%s\n", i ? 81 : 0, "", i ? "" : "[", network->layer[layer->input[i]].name,
                i + 1 < layer->inputs ? "," : "]");
}

/* Of a layer that is two here, as a convolution with an activation of its own, the last one has the line. */
static int is_part(const struct fer_network *network, int i)
{
    return i + 1 < network->layers && strcmp(network->layer[i].name, network->layer[i + 1].name) == 0;
}

static void write_layer(FILE *out, const struct fer_network *network, int index)
{
    const struct fer_layer *layer = &network->layer[index];
    char title[120], shape[80];
    size_t count = 0;
    int first = index, i, k;
    while (first > 0 && is_part(network, first - 1)) first--;
    snprintf(title, sizeof title, "%s (%s)", layer->name, network->layer[first].class_name);
    if (layer->flat)
        snprintf(shape, sizeof shape, "(None, %zu)", layer->channels);
    else
        snprintf(shape, sizeof shape, layer->inputs ? "(None, %zu, %zu, %zu)" : "[(None, %zu, %zu, %zu)]",
                 layer->height, layer->width, layer->channels);
    for (k = first; k <= index; k++)
        for (i = 0; i < network->layer[k].parameters; i++)
            count += network->parameter[network->layer[k].parameter + i].count;
    fprintf(out, " %-44s %-23s %-9zu ", title, shape, count);
    write_inputs(out, network, &network->layer[first]);
}

/* The softmax behind the last layer, where it is a layer of its own in the file. */
static void write_softmax(FILE *out, const struct fer_network *network)
{
    char title[120], shape[80];
    snprintf(title, sizeof title, "%s (Softmax)", network->softmax);
    snprintf(shape, sizeof shape, "(None, %zu)", network->classes);
    fprintf(out, " %-44s %-23s %-9d ['%s[0][0]']\n", title, shape, 0, network->layer[network->layers - 1].name);
}

static void write_total(FILE *out, const char *what, size_t count)
{
    char text[32];
    fer_format_count(count, text);
    fprintf(out, "%s params: %s\n", what, text);
}

void fer_summary_text(FILE *out, const struct fer_network *network)
{
    size_t trainable = 0, fixed = 0;
    int i;
    fprintf(out, "Model: \"%s\"\n%s\n", network->name, rule);
    fprintf(out, " %-44s %-23s %-9s %s\n%s\n", "Layer (type)", "Output Shape", "Param #", "Connected to", rule);
    for (i = 0; i < network->layers; i++)
        if (!is_part(network, i)) write_layer(out, network, i);
    if (strcmp(network->softmax, network->layer[network->layers - 1].name) != 0) write_softmax(out, network);
    for (i = 0; i < network->parameters; i++)
        *(network->parameter[i].trainable ? &trainable : &fixed) += network->parameter[i].count;
    fprintf(out, "%s\n", rule);
    write_total(out, "Total", trainable + fixed);
    write_total(out, "Trainable", trainable);
    write_total(out, "Non-trainable", fixed);
}
