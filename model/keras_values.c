/* keras_values.c - the values of a layer's config in Keras's JSON, each checked, and the line that says what is
 * wrong. */
#include "keras.h"

#include <stdarg.h>
#include <string.h>

int fer_keras_fail(struct fer_keras *r, const struct fer_keras_layer *l, const char *format, ...)
{
    char text[FER_PATH + 256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fer_make_printable(text); /* the file's own strings may hold line ends */
    if (!l->name) return fer_fail(r->e, "%s:%ld: %s: %s", r->path, l->node->line, l->class_name, text);
    return fer_fail(r->e, "%s:%ld: %.80s (%s): %s", r->path, l->node->line, l->name, l->class_name, text);
}

void fer_keras_show(const struct fer_json_node *node, char text[64])
{
    static const char *const words[] = {"null", "false", "true"};
    const struct fer_json_node *child;
    size_t at;
    if (node->type <= FER_JSON_TRUE) {
        snprintf(text, 64, "%s", words[node->type]);
    } else if (node->type == FER_JSON_NUMBER) {
        snprintf(text, 64, "%g", node->number);
    } else if (node->type == FER_JSON_STRING) {
        snprintf(text, 64, "%s", node->text);
    } else if (node->type == FER_JSON_ARRAY) {
        at = (size_t)snprintf(text, 64, "[");
        for (child = node->child; child && at < 40; child = child->next) {
            if (child->type == FER_JSON_NUMBER)
                at += (size_t)snprintf(text + at, 64 - at, "%g", child->number);
            else
                at += (size_t)snprintf(text + at, 64 - at, child->type == FER_JSON_NULL ? "null" : "...");
            if (child->next) text[at++] = ',';
        }
        snprintf(text + at, 64 - at, "]");
    } else {
        node = fer_json_member(node, "class_name");
        snprintf(text, 64, "%s", node && node->type == FER_JSON_STRING ? node->text : "{...}");
    }
}

const struct fer_json_node *fer_keras_key(const struct fer_keras_layer *l, const char *key)
{
    const struct fer_json_node *node = fer_json_member(l->config, key);
    return node && node->type != FER_JSON_NULL ? node : NULL;
}

int fer_keras_fail_key(struct fer_keras *r, const struct fer_keras_layer *l, const char *key,
                       const struct fer_json_node *node,
                       const char *expected)
{
    char text[64];
    fer_keras_show(node, text);
    return fer_keras_fail(r, l, "%s: %s: expected %s", key, text, expected);
}

int fer_keras_is_whole(const struct fer_json_node *node, size_t least, size_t *value)
{
    if (node->type != FER_JSON_NUMBER || !(node->number >= (double)least && node->number < 2147483648.0)) return -1;
    *value = (size_t)node->number;
    return (double)*value == node->number ? 0 : -1;
}

int fer_keras_whole(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, size_t least, size_t *value)
{
    const struct fer_json_node *node = fer_keras_key(l, key);
    if (!node || fer_keras_is_whole(node, least, value) == 0) return 0;
    return fer_keras_fail_key(r, l, key, node, least ? "a positive whole number" : "a whole number, not negative");
}

int fer_keras_is_pair(const struct fer_json_node *node, size_t least, size_t value[2])
{
    if (node->type == FER_JSON_ARRAY && node->count == 2)
        return fer_keras_is_whole(node->child, least, &value[0]) ||
               fer_keras_is_whole(node->child->next, least, &value[1]) ? -1 : 0;
    if (fer_keras_is_whole(node, least, &value[0])) return -1;
    return value[1] = value[0], 0;
}

int fer_keras_pair(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, size_t least, size_t value[2])
{
    const struct fer_json_node *node = fer_keras_key(l, key);
    if (!node || fer_keras_is_pair(node, least, value) == 0) return 0;
    return fer_keras_fail_key(r, l, key, node, FER_KERAS_PAIR);
}

int fer_keras_number(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, double *value)
{
    const struct fer_json_node *node = fer_keras_key(l, key);
    if (!node) return 0;
    if (node->type != FER_JSON_NUMBER || !(node->number - node->number == 0))
        return fer_keras_fail_key(r, l, key, node, "a number");
    *value = node->number;
    return 0;
}

int fer_keras_flag(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, int *value)
{
    const struct fer_json_node *node = fer_keras_key(l, key);
    if (!node) return 0;
    if (node->type != FER_JSON_FALSE && node->type != FER_JSON_TRUE)
        return fer_keras_fail_key(r, l, key, node, "true or false");
    *value = node->type == FER_JSON_TRUE;
    return 0;
}

int fer_keras_word(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, const char *const *words,
                   int *value)
{
    const struct fer_json_node *node = fer_keras_key(l, key);
    char expected[160];
    size_t at = 0;
    int i;
    if (!node) return 0;
    for (i = 0; words[i]; i++) {
        if (node->type == FER_JSON_STRING && strcmp(node->text, words[i]) == 0) return *value = i, 0;
        if (at < sizeof expected)
            at += (size_t)snprintf(expected + at, sizeof expected - at, "%s%s", i ? " or " : "", words[i]);
    }
    return fer_keras_fail_key(r, l, key, node, expected);
}

int fer_keras_only(struct fer_keras *r, const struct fer_keras_layer *l, const char *key, const char *word)
{
    const char *words[2] = {NULL, NULL};
    int value;
    words[0] = word;
    return fer_keras_word(r, l, key, words, &value);
}
