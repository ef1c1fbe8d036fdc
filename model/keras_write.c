/* keras_write.c - a network as keras_json.c reads it, and Keras: a Functional model, its edges as Keras 2 writes them,
 * which Keras 3 reads too. */
#include "text.h"

#include "../data/data.h"
#include "kinds.h"

#include <float.h>
#include <string.h>

static void write_pair(struct fer_json *j, const char *name, size_t h, size_t w)
{
    fer_json_value(j, name, "[%zu, %zu]", h, w);
}

static void write_flag(struct fer_json *j, const char *name, int value)
{
    fer_json_value(j, name, value ? "true" : "false");
}

static void write_window(struct fer_json *j, const struct fer_layer *layer, const char *kernel)
{
    const struct fer_window *g = &layer->window;
    write_pair(j, kernel, g->kernel_h, g->kernel_w);
    write_pair(j, "strides", g->stride_h, g->stride_w);
    fer_json_string(j, "padding", layer->padding == FER_SAME ? "same" : "valid");
}

static void write_numbers(struct fer_json *j, const char *name, size_t count, const real *values)
{
    size_t i;
    fer_json_open(j, name, '[');
    for (i = 0; i < count; i++) fer_json_number(j, NULL, (double)values[i]);
    fer_json_close(j, ']');
}

/* The name of the function that a layer of an activation computes. */
static const char *function_of(const struct fer_layer *layer)
{
    if (layer->type == FER_LEAKY_RELU && layer->slope == 0 && layer->max_value == 6) return "relu6";
    if (layer->type == FER_LEAKY_RELU && layer->slope == 0.2 && layer->max_value > DBL_MAX) return "leaky_relu";
    return fer_kinds[layer->type].function;
}

/* A LeakyReLU calls its slope alpha in Keras 2. */
static void write_relu(struct fer_json *j, const struct fer_layer *layer, int is_alpha)
{
    fer_json_number(j, is_alpha ? "alpha" : "negative_slope", layer->slope);
    if (layer->type == FER_LEAKY_RELU && layer->max_value - layer->max_value == 0)
        fer_json_number(j, "max_value", layer->max_value);
}

/* A class of its own, as Softmax, is the function already; ReLU and LeakyReLU have slopes. */
static void write_function(struct fer_json *j, const struct fer_network *net, const struct fer_layer *layer)
{
    if (strcmp(layer->class_name, "Activation") == 0 && function_of(layer))
        fer_json_string(j, "activation", function_of(layer));
    else if (layer->type == FER_ACTIVATION || layer->type == FER_LEAKY_RELU)
        write_relu(j, layer, net->keras == 2 && strcmp(layer->class_name, "LeakyReLU") == 0);
}

static void write_shape(struct fer_json *j, const struct fer_layer *layer)
{
    if (layer->flat)
        fer_json_value(j, "target_shape", "[%zu]", layer->channels);
    else
        fer_json_value(j, "target_shape", "[%zu, %zu, %zu]", layer->height, layer->width, layer->channels);
}

/* What the layer's kind has in its row. */
static void write_settings(struct fer_json *j, const struct fer_network *net, const struct fer_layer *layer)
{
    const unsigned has = fer_kinds[layer->type].config;
    const size_t *edge = layer->edge;
    if (has & FER_CONFIG_FILTERS) fer_json_count(j, "filters", layer->channels);
    if (has & FER_CONFIG_UNITS) fer_json_count(j, "units", layer->channels);
    if (has & FER_CONFIG_KERNEL) {
        write_window(j, layer, "kernel_size");
        write_pair(j, "dilation_rate", layer->window.dilation_h, layer->window.dilation_w);
    }
    if (has & (FER_CONFIG_KERNEL | FER_CONFIG_UNITS) && strcmp(layer->class_name, "SeparableConv2D") != 0)
        write_flag(j, "use_bias", layer->bias); /* of that the pointwise half has it */
    if (has & FER_CONFIG_GROUPS) fer_json_count(j, "groups", layer->window.groups);
    if (has & FER_CONFIG_MULTIPLIER)
        fer_json_count(j, "depth_multiplier", layer->channels / net->layer[layer->input[0]].channels);
    if (has & FER_CONFIG_NORMALIZATION) {
        fer_json_number(j, "momentum", layer->momentum);
        fer_json_number(j, "epsilon", layer->epsilon);
        write_flag(j, "scale", layer->scale);
        write_flag(j, "center", layer->center);
    }
    if (has & FER_CONFIG_FUNCTION) write_function(j, net, layer);
    if (has & FER_CONFIG_POOL) write_window(j, layer, "pool_size");
    if (has & FER_CONFIG_KEEPDIMS) write_flag(j, "keepdims", layer->keepdims);
    if (has & (FER_CONFIG_PADDING | FER_CONFIG_CROPPING))
        fer_json_value(j, has & FER_CONFIG_PADDING ? "padding" : "cropping", "[[%zu, %zu], [%zu, %zu]]", edge[0],
                       edge[1], edge[2], edge[3]);
    if (has & FER_CONFIG_SHAPE && strcmp(layer->class_name, "Reshape") == 0) write_shape(j, layer);
    if (has & FER_CONFIG_RATE) fer_json_number(j, "rate", layer->rate);
    if (has & FER_CONFIG_RATE && layer->whole_images) fer_json_value(j, "noise_shape", "[null, 1, 1, 1]");
    if (has & FER_CONFIG_AXIS) fer_json_value(j, "axis", "-1");
    if (has & FER_CONFIG_CONSTANTS) { /* a Normalization with numbers of its own is one, too */
        write_numbers(j, "scale", layer->channels, net->constants + layer->constants);
        write_numbers(j, "offset", layer->channels, net->constants + layer->constants + layer->channels);
    }
}

static void open_layer(struct fer_json *j, const char *class_name, const char *name)
{
    fer_json_line(j, "    ");
    fer_json_open(j, NULL, '{');
    fer_json_string(j, "class_name", class_name);
    fer_json_string(j, "name", name);
    fer_json_open(j, "config", '{');
    fer_json_string(j, "name", name);
}

static void close_layer(struct fer_json *j, const struct fer_network *net, const int *input, int inputs, int inference)
{
    int k;
    fer_json_close(j, '}');
    fer_json_open(j, "inbound_nodes", '[');
    if (inputs) fer_json_open(j, NULL, '[');
    for (k = 0; k < inputs; k++) {
        fer_json_open(j, NULL, '[');
        fer_json_string(j, NULL, net->layer[input[k]].name);
        fer_json_value(j, NULL, inference ? "0, 0, {\"training\": false}" : "0, 0, {}");
        fer_json_close(j, ']');
    }
    if (inputs) fer_json_close(j, ']');
    fer_json_close(j, ']');
    fer_json_close(j, '}');
}

/* The class that can say what the layer is: leaky_relu by its name has a slope of its own. */
static const char *class_of(const struct fer_layer *layer)
{
    if (layer->type == FER_RESCALING) return "Rescaling";
    if (strcmp(layer->class_name, "Activation") == 0 && !function_of(layer)) return "ReLU";
    return layer->class_name;
}

/* Two layers of one name are one in Keras: with an activation, or depthwise and pointwise. Returns the last of them. */
static int write_layer(struct fer_json *j, const struct fer_network *net, int index)
{
    const struct fer_layer *layer = &net->layer[index], *next = layer + 1;
    open_layer(j, class_of(layer), layer->name);
    if (layer->frozen) write_flag(j, "trainable", 0);
    if (!layer->inputs)
        fer_json_value(j, "batch_input_shape", "[null, %zu, %zu, %zu]", layer->height, layer->width, layer->channels);
    else
        write_settings(j, net, layer);
    for (; index + 1 < net->layers && strcmp(next->name, layer->name) == 0; index++, next++) {
        if (next->type == FER_CONV2D) {
            fer_json_count(j, "filters", next->channels);
            write_flag(j, "use_bias", next->bias);
        } else if (function_of(next)) {
            fer_json_string(j, "activation", function_of(next));
        } else {
            fer_json_open(j, "activation", '{');
            fer_json_string(j, "module", "keras.layers");
            fer_json_string(j, "class_name", "ReLU");
            fer_json_open(j, "config", '{');
            write_relu(j, next, 0);
            fer_json_close(j, '}');
            fer_json_close(j, '}');
        }
    }
    if (index == net->layers - 1 && strcmp(layer->name, net->softmax) == 0) fer_json_string(j, "activation", "softmax");
    close_layer(j, net, layer->input, layer->inputs, layer->inference);
    return index;
}

void fer_summary_json(FILE *out, const struct fer_network *net)
{
    struct fer_json json = {0}, *j = &json;
    const int last = net->layers - 1;
    int i;
    j->out = out;
    fer_json_open(j, NULL, '{');
    fer_json_string(j, "class_name", "Functional");
    fer_json_string(j, "module", "keras.src.models.functional"); /* without it Keras 3 does not know the class */
    fer_json_string(j, "keras_version", net->keras == 2 ? "2.15.0" : "3.15.0");
    fer_json_open(j, "config", '{');
    fer_json_string(j, "name", net->name);
    fer_json_open(j, "layers", '[');
    for (i = 0; i < net->layers; i++) i = write_layer(j, net, i);
    if (strcmp(net->layer[last].name, net->softmax) != 0) {
        open_layer(j, "Activation", net->softmax);
        fer_json_string(j, "activation", "softmax");
        close_layer(j, net, &last, 1, 0);
    }
    fer_json_close(j, ']');
    fer_json_line(j, "  ");
    fer_json_open(j, "input_layers", '[');
    fer_json_value(j, NULL, "[\"%s\", 0, 0]", net->layer[0].name);
    fer_json_close(j, ']');
    fer_json_open(j, "output_layers", '[');
    fer_json_value(j, NULL, "[\"%s\", 0, 0]", net->softmax);
    fer_json_close(j, ']');
    fer_json_close(j, '}');
    fer_json_close(j, '}');
}
