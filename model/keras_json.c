/* keras_json.c - a network from what Keras's model.to_json() writes, of Keras 2 and 3, or the short form of it that a
 * person writes: absent keys have Keras's defaults, absent names are numbered as Keras does, unknown keys are ignored.
 *
 *     {"class_name": "Sequential" | "Functional" | "Model", "keras_version": "3.15.0", "config": {
 *         "layers": [{"class_name": "Conv2D", "config": {"name": "conv2d", ...}, "inbound_nodes": ...}, ...],
 *         "input_layers": [["input_1", 0, 0]], "output_layers": [["predictions", 0, 0]]}}
 *
 * Where a layer takes from, its one call: in Keras 2 "inbound_nodes": [[["conv2d", 0, 0, {}]]], in Keras 3
 * "inbound_nodes": [{"args": [TENSOR], "kwargs": {}}] with TENSOR {"class_name": "__keras_tensor__", "config":
 * {"keras_history": ["conv2d", 0, 0]}}. A Sequential has none. A model among the layers is taken apart into its own.
 *
 * What the file says is read right or refused, in one line with the layer, the key, and what would do. keras_layers.c
 * has the layers. */
#include "keras.h"

#include <string.h>

enum {
    DEEPEST = 16,             /* models within models */
    MOST = 2 * FER_MAX_LAYERS /* layers of a model: more than a network can have */
};

/* ---- What is asked of every layer ---- */

static int has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int ends_in(const char *text, const char *ending)
{
    const size_t length = strlen(text), end = strlen(ending);
    return length >= end && strcmp(text + length - end, ending) == 0;
}

static int is_model(const char *class_name)
{
    return strcmp(class_name, "Functional") == 0 || strcmp(class_name, "Model") == 0 ||
           strcmp(class_name, "Sequential") == 0;
}

/* A class of somebody's own may have the name of one of Keras's: its module or registered name (mine>Conv2D) tells. */
static int check_module(struct fer_keras *r, struct fer_keras_layer *l)
{
    const struct fer_json_node *module = fer_json_member(l->node, "module");
    const struct fer_json_node *own = fer_json_member(l->node, "registered_name");
    const int is_named = own && own->type == FER_JSON_STRING, is_absent = !module || module->type == FER_JSON_NULL;
    if (is_named && (strchr(own->text, '>') || (is_absent && !is_model(l->class_name))))
        return fer_keras_fail_key(r, l, "registered_name", own, "a layer of Keras's own");
    if (is_absent) return 0;
    if (module->type != FER_JSON_STRING) return fer_keras_fail_key(r, l, "module", module, "keras.layers");
    if (is_model(l->class_name) && (strcmp(module->text, "keras") == 0 || has_prefix(module->text, "keras."))) return 0;
    l->is_operator = strcmp(module->text, "keras.src.ops.numpy") == 0;
    if (l->is_operator && (strcmp(l->class_name, "Add") == 0 || strcmp(l->class_name, "Multiply") == 0)) return 0;
    if (strcmp(module->text, "keras.layers") == 0 || has_prefix(module->text, "keras.src.layers") ||
        strcmp(module->text, "tf_keras.layers") == 0)
        return 0;
    return fer_keras_fail_key(r, l, "module", module,
                              "keras.layers: of Keras's own layers and operators, + and * are known");
}

/* A string, or {"config": {"name": "float32"}}. */
static int check_dtype(struct fer_keras *r, const struct fer_keras_layer *l)
{
    const struct fer_json_node *dtype = fer_keras_key(l, "dtype"), *name = dtype;
    if (!dtype || strcmp(l->class_name, "InputLayer") == 0) return 0;
    if (dtype->type == FER_JSON_OBJECT) name = fer_json_member(fer_json_member(dtype, "config"), "name");
    if (name && name->type == FER_JSON_STRING && strcmp(name->text, "float32") == 0) return 0;
    return fer_keras_fail_key(r, l, "dtype", name ? name : dtype, "float32");
}

static int check_common(struct fer_keras *r, struct fer_keras_layer *l)
{
    const struct fer_json_node *member;
    if (check_module(r, l) || check_dtype(r, l) || fer_keras_only(r, l, "data_format", "channels_last") ||
        fer_keras_flag(r, l, "trainable", &l->trainable))
        return -1;
    for (member = l->config ? l->config->child : NULL; member; member = member->next) {
        if (member->type == FER_JSON_NULL) continue;
        if (ends_in(member->name, "_constraint"))
            return fer_keras_fail_key(r, l, member->name, member, "null: fer has no constraints");
        if (ends_in(member->name, "_regularizer") && !*r->for_training)
            snprintf(r->for_training, sizeof r->for_training,
                     "%s has a %s: expected null, since fer's loss has no such part",
                     l->name ? l->name : l->class_name, member->name);
    }
    return 0;
}

static int is_name(const char *text)
{
    const char *at;
    for (at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 127) return 0;
    return at > text && at < text + FER_MAX_NAME;
}

/* Takes a layer of the file apart, but for what it takes from. */
static int read_layer(struct fer_keras *r, const struct fer_json_node *node, struct fer_keras_layer *l)
{
    const struct fer_json_node *class_name = fer_json_member(node, "class_name"), *name;
    const struct fer_keras_layer none = {0};
    *l = none;
    l->node = node;
    l->trainable = 1;
    l->class_name = "layers";
    if (!class_name || class_name->type != FER_JSON_STRING)
        return fer_keras_fail(r, l, "no class_name: expected a layer's class");
    l->class_name = class_name->text;
    l->config = fer_json_member(node, "config");
    if (l->config && l->config->type != FER_JSON_OBJECT && l->config->type != FER_JSON_NULL)
        return fer_keras_fail_key(r, l, "config", l->config, "an object");
    name = fer_keras_key(l, "name");
    if (!name) name = fer_json_member(node, "name");
    if (name && name->type == FER_JSON_STRING) l->name = name->text;
    if (l->name && !is_name(l->name))
        return fer_keras_fail(r, l, "its name: expected 1 to %d characters, all of which can be printed",
                              FER_MAX_NAME - 1);
    if (!is_model(l->class_name) && strcmp(l->class_name, "InputLayer") != 0 && !fer_keras_class(l->class_name))
        return fer_keras_fail(r, l, "fer has no layer of this class: expected one of those in `fer help summary`");
    return check_common(r, l);
}

/* ---- Edges ---- */

/* What one call of a layer takes, by the names of the layers that give it. */
struct edges {
    int count;
    const char *from[FER_MAX_INPUTS];
};

static int add_edge(struct fer_keras *r, const struct fer_keras_layer *l, struct edges *edges,
                    const struct fer_json_node *name)
{
    const struct fer_json_node *tensor = name->next ? name->next->next : NULL;
    if (name->type != FER_JSON_STRING) return fer_keras_fail(r, l, "inbound_nodes: expected a layer's name");
    if (tensor && tensor->number != 0)
        return fer_keras_fail(r, l, "inbound_nodes: output %g of %s: expected layers with one output", tensor->number,
                              name->text);
    if (edges->count == FER_MAX_INPUTS)
        return fer_keras_fail(r, l, "more than %d inputs: expected fewer", FER_MAX_INPUTS);
    edges->from[edges->count++] = name->text;
    return 0;
}

/* Arguments of the call by name. */
static int read_kwargs(struct fer_keras *r, struct fer_keras_layer *l, const struct fer_json_node *kwargs, int version)
{
    const struct fer_json_node *k;
    for (k = kwargs && kwargs->type == FER_JSON_OBJECT ? kwargs->child : NULL; k; k = k->next) {
        if (k->type == FER_JSON_NULL) continue;
        if (strcmp(k->name, "training") != 0)
            return fer_keras_fail_key(r, l, k->name, k, "null: the call takes no such argument here");
        if (k->type != FER_JSON_FALSE)
            return fer_keras_fail_key(r, l, "training", k, "null or false in the layer's call");
        l->inference = version == 2; /* Keras 3 overrides it while it trains */
    }
    return 0;
}

/* Keras 2: ["conv2d", 0, 0, {kwargs}], or a list of such, or a name alone. */
static int read_edges2(struct fer_keras *r, struct fer_keras_layer *l, const struct fer_json_node *node,
                       struct edges *edges)
{
    const struct fer_json_node *child = node->child, *kwargs;
    if (node->type == FER_JSON_STRING) return add_edge(r, l, edges, node);
    if (node->type != FER_JSON_ARRAY) return fer_keras_fail_key(r, l, "inbound_nodes", node, "[[[NAME, 0, 0, {}]]]");
    if (child && child->type == FER_JSON_STRING && (!child->next || child->next->type == FER_JSON_NUMBER)) {
        kwargs = child->next && child->next->next ? child->next->next->next : NULL;
        return add_edge(r, l, edges, child) || read_kwargs(r, l, kwargs, r->version ? r->version : 2) ? -1 : 0;
    }
    for (; child; child = child->next)
        if (read_edges2(r, l, child, edges)) return -1;
    return 0;
}

/* Keras 3: a tensor, or a list of them. */
static int read_edges3(struct fer_keras *r, struct fer_keras_layer *l, const struct fer_json_node *node,
                       struct edges *edges)
{
    const struct fer_json_node *history = fer_json_member(fer_json_member(node, "config"), "keras_history"), *child;
    if (node->type == FER_JSON_NULL) return 0;
    if (history && history->child) return add_edge(r, l, edges, history->child);
    if (node->type != FER_JSON_ARRAY)
        return fer_keras_fail_key(r, l, "args", node, "layers' outputs alone: Rescaling adds or multiplies a number");
    for (child = node->child; child; child = child->next)
        if (read_edges3(r, l, child, edges)) return -1;
    return 0;
}

static int read_edges(struct fer_keras *r, struct fer_keras_layer *l, struct edges *edges)
{
    const struct fer_json_node *nodes = fer_json_member(l->node, "inbound_nodes"), *call, *args;
    edges->count = 0;
    if (!nodes || nodes->type != FER_JSON_ARRAY || nodes->count == 0)
        return fer_keras_fail(r, l, "no inbound_nodes: expected what it takes from");
    call = nodes->child;
    if (nodes->count > 1 && call->type != FER_JSON_STRING)
        return fer_keras_fail(r, l, "a shared layer, called %zu times: expected one call; write it as %zu layers",
                              nodes->count, nodes->count);
    if (call->type != FER_JSON_OBJECT) return read_edges2(r, l, nodes, edges);
    args = fer_json_member(call, "args");
    if (!args) return fer_keras_fail(r, l, "inbound_nodes: no args: expected what it takes from");
    return read_edges3(r, l, args, edges) ||
           read_kwargs(r, l, fer_json_member(call, "kwargs"), r->version ? r->version : 3) ? -1 : 0;
}

/* ---- The input ---- */

/* The network begins with images of this shape, [null, h, w, c] or [h, w, c]. */
static int begin_input(struct fer_keras *r, const struct fer_keras_layer *l, const struct fer_json_node *shape)
{
    const struct fer_json_node *axis = shape->child;
    const char *const names[3] = {"height", "width", "channels"};
    size_t size[3];
    char text[64];
    int i;
    fer_keras_show(shape, text);
    if (shape->count == 4) axis = axis->next;
    if (shape->type != FER_JSON_ARRAY || shape->count < 3 || shape->count > 4)
        return fer_keras_fail(r, l, "input shape %s: expected images, [null, height, width, channels]", text);
    for (i = 0; i < 3; i++, axis = axis->next) {
        const int open = axis->type == FER_JSON_NULL && i < 2;
        if (!open && i < 2 && r->size && axis->number != (double)r->size)
            return fer_keras_fail(r, l, "its %s is %g: expected no --size %zu, or null there", names[i], axis->number,
                                  r->size);
        if (open && !r->size) return fer_keras_fail(r, l, "its %s is null: expected a number, or --size", names[i]);
        size[i] = r->size;
        if (!open && fer_keras_is_whole(axis, 1, &size[i]))
            return fer_keras_fail(r, l, "input shape %s: expected positive sizes", text);
    }
    fer_network_begin(&r->b, size[0], size[1], size[2]);
    if (r->b.failed) return fer_keras_fail(r, l, "%s", r->b.reason.text);
    if (l->name && strcmp(l->class_name, "InputLayer") == 0)
        snprintf(r->b.network->layer[0].name, sizeof r->b.network->layer[0].name, "%s", l->name);
    r->begun = 1;
    return 0;
}

static const struct fer_json_node *input_shape(const struct fer_keras_layer *l)
{
    static const char *const keys[] = {"batch_input_shape", "batch_shape", "shape"};
    const struct fer_json_node *shape = NULL;
    size_t i;
    for (i = 0; i < sizeof keys / sizeof *keys && !shape; i++) shape = fer_keras_key(l, keys[i]);
    return shape;
}

/* An InputLayer gives the network's input, or in a model within the network what that takes from. */
static int read_input(struct fer_keras *r, const struct fer_keras_layer *l, int *index)
{
    const struct fer_json_node *shape = input_shape(l);
    if (*index >= 0) return 0;
    if (r->begun) return fer_keras_fail(r, l, "a second input: expected networks with one");
    if (!shape) return fer_keras_fail(r, l, "no batch_shape: expected [null, height, width, channels]");
    *index = 0;
    return begin_input(r, l, shape);
}

/* ---- Models ---- */

static int read_model(struct fer_keras *r, const struct fer_keras_layer *model, int depth, int *index);

/* A layer whose inputs are in the network: *index of its output. */
static int add_layer(struct fer_keras *r, struct fer_keras_layer *l, int depth, int *index)
{
    if (r->ended)
        return fer_keras_fail(r, l, "it stands behind the softmax that ends the network: expected nothing there");
    if (!is_model(l->class_name)) return fer_keras_add_layer(r, l, index);
    if (l->inputs != 1) return fer_keras_fail(r, l, "a model with %d inputs: expected one", l->inputs);
    *index = l->input[0];
    return read_model(r, l, depth + 1, index);
}

/* Layer behind layer. The input is an InputLayer, or the shape that the first layer or the model notes. */
static int read_sequential(struct fer_keras *r, const struct fer_keras_layer *model, const struct fer_json_node *layers,
                           int depth, int *index)
{
    const struct fer_json_node *node;
    struct fer_keras_layer l;
    for (node = layers->child; node; node = node->next) {
        const struct fer_json_node *shape;
        if (read_layer(r, node, &l)) return -1;
        l.trainable = l.trainable && model->trainable;
        l.inference = model->inference;
        l.is_output = model->is_output && !node->next;
        if (strcmp(l.class_name, "InputLayer") == 0) {
            if (node != layers->child)
                return fer_keras_fail(r, &l, "it is not the first layer: expected networks with one input");
            if (read_input(r, &l, index)) return -1;
            continue;
        }
        shape = input_shape(&l) ? input_shape(&l) : fer_keras_key(model, "build_input_shape");
        if (*index < 0 && !is_model(l.class_name)) {
            if (!shape)
                return fer_keras_fail(r, &l,
                                      "no input shape: expected an InputLayer before it, or a batch_input_shape");
            if (begin_input(r, &l, shape)) return -1;
            *index = 0;
        }
        l.inputs = 1;
        l.input[0] = *index;
        if (add_layer(r, &l, depth, index)) return -1;
    }
    return 0;
}

/* The one layer that input_layers or output_layers names: ["input_1", 0, 0] or [["input_1", 0, 0]]. */
static int read_end(struct fer_keras *r, const struct fer_keras_layer *model, const char *key, const char **name)
{
    const struct fer_json_node *list = fer_keras_key(model, key), *end = list;
    while (end && end->type == FER_JSON_ARRAY && end->child && (end->count == 1 || end == list)) {
        if (end->count > 1 && (end->child->type == FER_JSON_ARRAY || end->child->next->type != FER_JSON_NUMBER))
            return fer_keras_fail(r, model, "%s: %zu of them: expected one", key, end->count);
        end = end->child;
    }
    if (end && end->type == FER_JSON_ARRAY) end = end->child;
    if (!end || end->type != FER_JSON_STRING)
        return fer_keras_fail(r, model, "no %s: expected the name of a layer in it", key);
    *name = end->text;
    return 0;
}

/* A layer of a model, and where its output is in the network: -1, nowhere yet. */
struct placed {
    struct fer_keras_layer l;
    struct edges edges;
    int index;
};

struct functional {
    size_t count;
    struct placed *placed;
    const char *input, *output; /* names */
};

static int read_layers(struct fer_keras *r, const struct fer_keras_layer *model, const struct fer_json_node *layers,
                       struct functional *f)
{
    const struct fer_json_node *node;
    for (node = layers->child; node; node = node->next) {
        struct placed *p = &f->placed[f->count++];
        if (read_layer(r, node, &p->l)) return -1;
        p->index = -1;
        if (!p->l.name) return fer_keras_fail(r, &p->l, "no name: expected one, by which other layers take from it");
        p->l.is_output = model->is_output && strcmp(p->l.name, f->output) == 0;
        if (strcmp(p->l.class_name, "InputLayer") == 0) {
            if (strcmp(p->l.name, f->input) != 0)
                return fer_keras_fail(r, &p->l, "a second input: expected networks with one");
        } else if (read_edges(r, &p->l, &p->edges)) {
            return -1;
        }
        p->l.trainable = p->l.trainable && model->trainable;
        p->l.inference = p->l.inference || model->inference;
    }
    return 0;
}

static int find_placed(const struct functional *f, const char *name)
{
    size_t i;
    for (i = 0; i < f->count; i++)
        if (strcmp(f->placed[i].l.name, name) == 0) return (int)i;
    return -1;
}

/* Whether all that a layer takes from is there; then its inputs are set. */
static int is_ready(struct fer_keras *r, const struct functional *f, struct placed *p, int *failed)
{
    int k;
    for (k = 0; k < p->edges.count; k++) {
        const int from = find_placed(f, p->edges.from[k]);
        if (from < 0) {
            *failed = fer_keras_fail(r, &p->l, "it takes from %s: expected a layer of the same model",
                                     p->edges.from[k]);
            return 0;
        }
        if (f->placed[from].index < 0) return 0;
        p->l.input[k] = f->placed[from].index;
    }
    p->l.inputs = p->edges.count;
    return 1;
}

/* Each layer once all that it takes from is there; the output last. */
static int place_layers(struct fer_keras *r, struct functional *f, int depth)
{
    size_t left = f->count - 1, before, i; /* the input is there */
    int failed = 0;
    do {
        before = left;
        for (i = 0; i < f->count && !failed; i++) {
            struct placed *p = &f->placed[i];
            if (p->index >= 0 || (left > 1 && strcmp(p->l.name, f->output) == 0)) continue;
            if (!is_ready(r, f, p, &failed)) continue;
            failed = add_layer(r, &p->l, depth, &p->index);
            left--;
        }
    } while (!failed && left > 0 && left < before);
    for (i = 0; i < f->count && !failed && left > 0; i++)
        if (f->placed[i].index < 0 && (left == 1 || strcmp(f->placed[i].l.name, f->output) != 0))
            failed = fer_keras_fail(r, &f->placed[i].l,
                                    "it takes from itself or from the output, %s, maybe by way of others: "
                                                        "expected neither", f->output);
    return failed ? -1 : 0;
}

static int read_functional(struct fer_keras *r, const struct fer_keras_layer *model, const struct fer_json_node *layers,
                           int depth, int *index)
{
    struct functional f = {0, NULL, NULL, NULL};
    int at, failed;
    if (read_end(r, model, "input_layers", &f.input) || read_end(r, model, "output_layers", &f.output)) return -1;
    if (!(f.placed = fer_allocate(layers->count, sizeof *f.placed, r->e))) return -1;
    failed = read_layers(r, model, layers, &f);
    at = failed ? -1 : find_placed(&f, f.input);
    if (!failed && (at < 0 || strcmp(f.placed[at].l.class_name, "InputLayer") != 0))
        failed = fer_keras_fail(r, model, "input_layers names %s: expected an InputLayer of the model", f.input);
    if (!failed && find_placed(&f, f.output) < 0)
        failed = fer_keras_fail(r, model, "output_layers names %s: expected a layer of the model", f.output);
    if (!failed) {
        f.placed[at].index = *index;
        failed = read_input(r, &f.placed[at].l, &f.placed[at].index) || place_layers(r, &f, depth);
    }
    if (!failed) *index = f.placed[find_placed(&f, f.output)].index;
    fer_free(f.placed);
    return failed ? -1 : 0;
}

/* *index: what the model takes from, -1 for the network itself; then where its output is. */
static int read_model(struct fer_keras *r, const struct fer_keras_layer *model, int depth, int *index)
{
    const struct fer_json_node *layers = fer_json_member(model->config, "layers");
    if (depth > DEEPEST)
        return fer_keras_fail(r, model, "more than %d models within each other: expected fewer", DEEPEST);
    if (!layers || layers->type != FER_JSON_ARRAY || layers->count == 0)
        return fer_keras_fail(r, model, "no layers: expected a list of them");
    if (layers->count > MOST) return fer_keras_fail(r, model, "%zu layers: expected at most %d", layers->count, MOST);
    return (strcmp(model->class_name, "Sequential") == 0 ? read_sequential : read_functional)(r, model, layers, depth,
                                                                                              index);
}

/* ---- The whole ---- */

static void read_version(struct fer_keras *r, const struct fer_json_node *root)
{
    const struct fer_json_node *version = fer_json_member(root, "keras_version");
    if (version && version->type == FER_JSON_STRING) r->version = *version->text < '3' ? 2 : 3;
}

static int read_root(struct fer_keras *r, const struct fer_json_node *root, struct fer_network **network)
{
    struct fer_keras_layer model;
    int index = -1;
    if (root->type != FER_JSON_OBJECT || !fer_json_member(root, "class_name"))
        return fer_fail(r->e, "%s:%ld: no class_name: expected what Keras's model.to_json() writes", r->path,
                        root->line);
    read_version(r, root);
    if (read_layer(r, root, &model)) return -1;
    if (!is_model(model.class_name)) return fer_keras_fail(r, &model, "expected Sequential, Functional or Model");
    model.is_output = 1;
    if (read_model(r, &model, 0, &index)) return -1;
    if (!r->ended) return fer_keras_fail(r, &model, "its last layer is no softmax: expected one over the classes");
    if (fer_network_describe(&r->b, network, r->e)) return fer_keras_fail(r, &model, "%s", r->b.reason.text);
    snprintf((*network)->softmax, sizeof (*network)->softmax, "%s", r->softmax);
    (*network)->keras = r->version;
    snprintf((*network)->for_training, sizeof (*network)->for_training, "%s", r->for_training);
    snprintf((*network)->name, sizeof (*network)->name, "%.63s", model.name ? model.name : "model");
    return 0;
}

int fer_model_describe(struct fer_network **network, const char *path, size_t size, struct fer_error *e)
{
    struct fer_keras *r = fer_allocate(1, sizeof *r, e);
    struct fer_json_tree *tree;
    int failed;
    *network = NULL;
    if (!r || fer_json_read(path, &tree, e)) return fer_free(r), -1;
    r->path = path;
    r->size = size;
    r->e = e;
    failed = read_root(r, fer_json_root(tree), network);
    if (r->begun && failed) fer_network_free(r->b.network);
    fer_json_free(tree);
    fer_free(r);
    return failed ? -1 : 0;
}

int fer_model_read(struct fer_network **network, const char *path, size_t size, struct fer_error *e)
{
    return fer_model_describe(network, path, size, e) || fer_network_allocate(network, e) ? -1 : 0;
}

int fer_network_open(struct fer_network **network, const char *model, size_t size, struct fer_error *e)
{
    return model && *model ? fer_model_read(network, model, size, e) : fer_incv3v1(network, size ? size : 128, e);
}
