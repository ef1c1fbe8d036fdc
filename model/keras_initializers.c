/* keras_initializers.c - how a layer's parameters begin, by the keys kernel_initializer, depthwise_initializer,
 * bias_initializer and so on of its config: a name, or {"class_name": "HeNormal", "config": {...}}. One that fer does
 * not know is no hindrance to reading weights; only training refuses it. */
#include "keras.h"

#include <string.h>

static const struct {
    const char *name, *class_name;
    struct fer_initializer is;
} known[] = {
    {"zeros", "Zeros", {FER_CONSTANT, 0, FER_FAN_IN}},
    {"ones", "Ones", {FER_CONSTANT, 1, FER_FAN_IN}},
    {"glorot_uniform", "GlorotUniform", {FER_UNIFORM, 1, FER_FAN_AVERAGE}},
    {"glorot_normal", "GlorotNormal", {FER_TRUNCATED_NORMAL, 1, FER_FAN_AVERAGE}},
    {"he_uniform", "HeUniform", {FER_UNIFORM, 2, FER_FAN_IN}},
    {"he_normal", "HeNormal", {FER_TRUNCATED_NORMAL, 2, FER_FAN_IN}},
    {"lecun_uniform", "LecunUniform", {FER_UNIFORM, 1, FER_FAN_IN}},
    {"lecun_normal", "LecunNormal", {FER_TRUNCATED_NORMAL, 1, FER_FAN_IN}},
};

static const char *text_of(const struct fer_json_node *object, const char *name, const char *otherwise)
{
    const struct fer_json_node *node = fer_json_member(object, name);
    return node && node->type == FER_JSON_STRING ? node->text : otherwise;
}

/* VarianceScaling, of which the others are cases. */
static int variance_scaling(const struct fer_json_node *config, struct fer_initializer *is)
{
    static const char *const modes[] = {"fan_in", "fan_out", "fan_avg"}; /* as enum fer_fan */
    const char *mode = text_of(config, "mode", "fan_in");
    const char *distribution = text_of(config, "distribution", "truncated_normal");
    const struct fer_json_node *scale = fer_json_member(config, "scale");
    int i;
    is->scale = scale ? scale->number : 1;
    if (strcmp(distribution, "uniform") == 0)
        is->distribution = FER_UNIFORM;
    else if (strcmp(distribution, "truncated_normal") == 0 || strcmp(distribution, "normal") == 0)
        is->distribution = FER_TRUNCATED_NORMAL;
    else
        return -1;
    for (i = 0; i < 3; i++)
        if (strcmp(mode, modes[i]) == 0) return is->fan = (enum fer_fan)i, is->scale > 0 ? 0 : -1;
    return -1;
}

static int read_initializer(const struct fer_json_node *node, struct fer_initializer *is)
{
    const char *name = node->type == FER_JSON_STRING ? node->text : text_of(node, "class_name", "");
    size_t i;
    for (i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0 || strcmp(name, known[i].class_name) == 0) return *is = known[i].is, 0;
    if (strcmp(name, "VarianceScaling") != 0) return -1;
    return variance_scaling(fer_json_member(node, "config"), is);
}

/* "conv/kernel": kernel_initializer, "sep/pointwise_kernel": pointwise_initializer. Keras 3 calls a depthwise kernel
 * `kernel`, and its initializer depthwise_initializer. */
static const struct fer_json_node *find_key(const struct fer_keras_layer *l, const struct fer_parameter *p,
                                            char key[FER_MAX_ARRAY])
{
    const char *name = strrchr(p->name, '/') + 1, *kernel = strstr(name, "_kernel");
    const struct fer_json_node *node;
    snprintf(key, FER_MAX_ARRAY, "%.*s_initializer", kernel ? (int)(kernel - name) : 32, name);
    node = fer_keras_key(l, key);
    if (!node && strcmp(l->class_name, "DepthwiseConv2D") == 0 && strcmp(name, "kernel") == 0)
        node = fer_keras_key(l, "depthwise_initializer");
    return node;
}

void fer_keras_initializers(struct fer_keras *r, const struct fer_keras_layer *l, int index)
{
    const struct fer_layer *layer = &r->b.network->layer[index];
    char key[FER_MAX_ARRAY], text[64];
    int i;
    for (i = 0; i < layer->parameters; i++) {
        struct fer_parameter *p = &r->b.network->parameter[layer->parameter + i];
        const struct fer_json_node *node = find_key(l, p, key);
        if (!node || read_initializer(node, &p->initializer) == 0 || *r->for_training) continue;
        fer_keras_show(node, text);
        snprintf(r->for_training, sizeof r->for_training,
                 "%.63s has the %.40s %s: expected zeros, ones, VarianceScaling, or glorot, he or lecun, _uniform or "
                 "_normal",
                 layer->name, key, text);
    }
}
