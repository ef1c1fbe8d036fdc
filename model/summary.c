/* summary.c - the table of Keras's model.summary(). */
#include "text.h"

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

static void write_layer(FILE *out, const struct fer_network *network, const struct fer_layer *layer)
{
    char title[80], shape[80];
    size_t count = 0;
    int i;
    snprintf(title, sizeof title, "%s (%s)", layer->name, layer->class_name);
    if (layer->flat)
        snprintf(shape, sizeof shape, "(None, %zu)", layer->channels);
    else
        snprintf(shape, sizeof shape, layer->inputs ? "(None, %zu, %zu, %zu)" : "[(None, %zu, %zu, %zu)]",
                 layer->height, layer->width, layer->channels);
    for (i = 0; i < layer->parameters; i++) count += network->parameter[layer->parameter + i].count;
    fprintf(out, " %-44s %-23s %-9zu ", title, shape, count);
    write_inputs(out, network, layer);
}

static void write_total(FILE *out, const char *what, size_t count)
{
    char text[32];
    fer_format_count(count, text);
    fprintf(out, "%s params: %s\n", what, text);
}

void fer_summary_text(FILE *out, const char *name, const struct fer_network *network)
{
    size_t trainable = 0, fixed = 0;
    int i;
    fprintf(out, "Model: \"%s\"\n%s\n", name, rule);
    fprintf(out, " %-44s %-23s %-9s %s\n%s\n", "Layer (type)", "Output Shape", "Param #", "Connected to", rule);
    for (i = 0; i < network->layers; i++) write_layer(out, network, &network->layer[i]);
    for (i = 0; i < network->parameters; i++)
        *(network->parameter[i].trainable ? &trainable : &fixed) += network->parameter[i].count;
    fprintf(out, "%s\n", rule);
    write_total(out, "Total", trainable + fixed);
    write_total(out, "Trainable", trainable);
    write_total(out, "Non-trainable", fixed);
}
