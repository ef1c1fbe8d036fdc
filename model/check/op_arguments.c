/* op_arguments.c - what the operations of `fer op` lean on: arguments are read, options understood, results written. */
#include "op.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Memory ---- */

struct fer_block {
    struct fer_block *before;
    void *memory;
};

void *fer_op_allocate(struct fer_op *op, size_t count, size_t size)
{
    struct fer_block *block = fer_allocate(1, sizeof *block, op->e);
    if (!block) return NULL;
    block->memory = fer_allocate(count, size, op->e);
    block->before = op->memory;
    op->memory = block;
    return block->memory;
}

void fer_op_free(struct fer_op *op)
{
    while (op->memory) {
        struct fer_block *block = op->memory;
        op->memory = block->before;
        fer_free(block->memory);
        fer_free(block);
    }
}

/* ---- Arguments ---- */

/* "[3,3,4,8]"; what does not fit is left out. */
static void format_shape(int dims, const size_t *shape, char text[80])
{
    int i, at = 0;
    text[at++] = '[';
    for (i = 0; i < dims && at < 52; i++)
        at += snprintf(text + at, 80 - (size_t)at, i ? ",%lu" : "%lu", (unsigned long)shape[i]);
    snprintf(text + at, 80 - (size_t)at, i < dims ? ",...]" : "]");
}

int fer_op_blame(const struct fer_op *op, const struct fer_tensor *t, const char *format, ...)
{
    char shape[80], reason[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    format_shape(t->about.dims, t->about.shape, shape);
    return fer_npz_fail(op->in, &t->about, op->e, "shape %s: %s", shape, reason);
}

const struct fer_array *fer_op_find(const struct fer_op *op, const char *name)
{
    const struct fer_array *array = fer_npz_find(op->in, name);
    if (!array && strcmp(name, "x") == 0 && fer_npz_count(op->in) == 1)
        return fer_npz_find(op->in, ""); /* a lone npy file */
    return array;
}

int fer_op_missing(const struct fer_op *op, const char *name)
{
    return fer_npz_fail(op->in, NULL, op->e, "no array %s: %s needs it", name, op->operation->name);
}

/* How many dimensions "[N,H,W,C]" has. */
static int count_dimensions(const char *shape)
{
    int count = 1;
    for (; *shape; shape++) count += *shape == ',';
    return count;
}

static int check_shape(const struct fer_op *op, const struct fer_tensor *t, const char *shape)
{
    int i;
    if (t->about.count == 0) return fer_op_blame(op, t, "expected at least one value");
    if (!shape) return 0;
    if (t->about.dims != count_dimensions(shape))
        return fer_op_blame(op, t, "expected %d dimensions, %s", count_dimensions(shape), shape);
    for (i = 0; i < t->about.dims; i++)
        if (t->about.shape[i] > INT_MAX) return fer_op_blame(op, t, "expected sizes below 2^31");
    return 0;
}

int fer_op_maybe(struct fer_op *op, const char *name, const char *shape, struct fer_tensor *t)
{
    const struct fer_array *array = fer_op_find(op, name);
    memset(t, 0, sizeof *t);
    if (!array) return 0;
    t->about = *array;
    if (check_shape(op, t, shape)) return -1;
    t->values = fer_op_allocate(op, array->count, sizeof *t->values);
    op->taken++;
    return t->values ? fer_npz_read(op->in, array, t->values, op->e) : -1;
}

int fer_op_need(struct fer_op *op, const char *name, const char *shape, struct fer_tensor *t)
{
    if (fer_op_maybe(op, name, shape, t)) return -1;
    return t->values ? 0 : fer_op_missing(op, name);
}

static int has_shape(const struct fer_tensor *t, int dims, const size_t *shape)
{
    int i, same = t->about.dims == dims;
    for (i = 0; i < dims && same; i++) same = t->about.shape[i] == shape[i];
    return same;
}

int fer_op_same_shape(const struct fer_op *op, const struct fer_tensor *t, const struct fer_tensor *like)
{
    char shape[80];
    if (!t->values || has_shape(t, like->about.dims, like->about.shape)) return 0;
    format_shape(like->about.dims, like->about.shape, shape);
    return fer_op_blame(op, t, "expected %s, as %s has", shape, *like->about.name ? like->about.name : "x");
}

int fer_op_vector(const struct fer_op *op, const struct fer_tensor *t, size_t size)
{
    if (!t->values || has_shape(t, 1, &size)) return 0;
    return fer_op_blame(op, t, "expected [%lu]", (unsigned long)size);
}

/* ---- Options ---- */

const char *fer_op_find_option(const struct fer_op_option *option, int count, const char *name)
{
    int i;
    for (i = 0; i < count && option[i].name; i++)
        if (strcmp(option[i].name, name) == 0) return option[i].text;
    return NULL;
}

static const char *option_text(const struct fer_op *op, const char *name)
{
    const char *text = fer_op_find_option(op->given, op->given_count, name);
    return text ? text : fer_op_find_option(op->operation->option, FER_OP_OPTIONS, name);
}

int fer_op_is_given(const struct fer_op *op, const char *name)
{
    return fer_op_find_option(op->given, op->given_count, name) != NULL;
}

int fer_op_number(struct fer_op *op, const char *name, double least, double most, double *value)
{
    const char *text = option_text(op, name);
    char *end;
    *value = strtod(text, &end);
    if (end != text && !*end && *value >= least && *value <= most) return 0;
    return fer_fail(op->e, "--%s %s: expected a number, %g ... %s%.10g", name, text, least, most < 1 ? "below " : "",
                    most);
}

/* A whole number from 1, up to its end character; returns what is behind that, or NULL. */
static const char *parse_size(const char *text, char end, int *size)
{
    char *after;
    const long value = *text >= '0' && *text <= '9' ? strtol(text, &after, 10) : 0;
    if (value < 1 || value > INT_MAX || *after != end) return NULL;
    *size = (int)value;
    return after + 1;
}

int fer_op_pair(struct fer_op *op, const char *name, int pair[2])
{
    const char *text = option_text(op, name), *second = parse_size(text, ',', &pair[0]);
    if (second && parse_size(second, 0, &pair[1])) return 0;
    if (parse_size(text, 0, &pair[0])) {
        pair[1] = pair[0];
        return 0;
    }
    return fer_fail(op->e, "--%s %s: expected H,W, two whole numbers from 1", name, text);
}

int fer_op_choice(struct fer_op *op, const char *name, const char *words, int *value)
{
    const char *text = option_text(op, name), *bar = strchr(words, '|');
    const size_t first = (size_t)(bar - words);
    *value = strcmp(text, bar + 1) == 0;
    if (*value || (strlen(text) == first && strncmp(text, words, first) == 0)) return 0;
    return fer_fail(op->e, "--%s %s: expected %s", name, text, words);
}

/* ---- Results ---- */

int fer_op_result(struct fer_op *op, const char *name, int dims, const size_t *shape, struct fer_tensor *t)
{
    int i;
    memset(t, 0, sizeof *t);
    t->about.name = name;
    t->about.type = FER_REAL_TYPE;
    t->about.dims = dims;
    t->about.count = 1;
    for (i = 0; i < dims; i++) {
        if (t->about.count > SIZE_MAX / sizeof(real) / shape[i])
            return fer_fail(op->e, "%s: %s: the result does not fit into memory", op->out_path, name);
        t->about.count *= t->about.shape[i] = shape[i];
    }
    t->values = fer_op_allocate(op, t->about.count, sizeof *t->values);
    return t->values ? 0 : -1;
}

int fer_op_result_like(struct fer_op *op, const char *name, const struct fer_tensor *like, struct fer_tensor *t)
{
    return fer_op_result(op, name, like->about.dims, like->about.shape, t);
}

int fer_op_write(struct fer_op *op, const struct fer_tensor *t)
{
    if (!op->out && fer_npz_create(&op->out, op->out_path, op->e)) return -1;
    op->written++;
    return fer_npz_write(op->out, t->about.name, FER_REAL_TYPE, t->about.dims, t->about.shape, t->values, op->e);
}
