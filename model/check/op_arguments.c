/* op_arguments.c - what the operations of `fer op` lean on: arguments are read, options understood. */
#include "op.h"

#include "../../data/data.h"

#include <limits.h>
#include <math.h>
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

/* ---- Layouts ---- */

/* What dimensions mean, in both layouts, and which dimension of the second form each of the first one is. */
static const struct layout {
    const char *nhwc, *nchw;
    int dims, axis[4];
} layouts[] = {
    {"[N,H,W,C]", "[N,C,H,W]", 4, {0, 2, 3, 1}},
    {"[KH,KW,CI,CO]", "[CO,CI,KH,KW]", 4, {2, 3, 1, 0}},
    {"[KH,KW,C,M]", "[C*M,1,KH,KW]", 4, {2, 3, 0, 1}},
    {"[I,O]", "[O,I]", 2, {1, 0}},
    {"[N,...,C]", "[N,C,...]", 0, {0}}, /* as many as there are */
};
enum { DEPTHWISE = 2, CHANNELS_LAST = 4, LAYOUTS = sizeof layouts / sizeof *layouts };

/* NULL: the same in both layouts. */
static const struct layout *find_layout(const char *meaning)
{
    int i;
    for (i = 0; meaning && i < LAYOUTS; i++)
        if (strcmp(layouts[i].nhwc, meaning) == 0) return &layouts[i];
    return NULL;
}

/* axis[d]: the dimension in the file that is dimension d here. Returns whether they differ in the other layout. */
static int find_axes(const struct fer_op *op, const char *meaning, int dims, int axis[FER_MAX_DIMS])
{
    const struct layout *layout = find_layout(meaning);
    int d;
    for (d = 0; d < dims; d++) axis[d] = d;
    if (!layout || (layout != &layouts[CHANNELS_LAST] && layout->dims != dims) || dims < 2) return 0;
    if (op->nchw && layout != &layouts[CHANNELS_LAST])
        memcpy(axis, layout->axis, (size_t)dims * sizeof *axis);
    else if (op->nchw) {
        for (d = 1; d < dims - 1; d++) axis[d] = d + 1;
        axis[dims - 1] = 1;
    }
    return dims > 2 || layout != &layouts[CHANNELS_LAST];
}

void fer_op_reorder(int dims, const size_t *shape, const int *axis, real *here, real *file, int to_file)
{
    size_t stride[FER_MAX_DIMS], index[FER_MAX_DIMS] = {0}, i, place = 0, count = 1, step = 1;
    int d, of_file[FER_MAX_DIMS];
    for (d = 0; d < dims; d++) of_file[axis[d]] = d;
    for (d = dims - 1; d >= 0; d--) {
        stride[of_file[d]] = step;
        step *= shape[of_file[d]];
        count *= shape[d];
    }
    for (i = 0; i < count; i++) {
        if (to_file)
            file[place] = here[i];
        else
            here[i] = file[place];
        for (d = dims - 1; d >= 0; d--) { /* on to the next element */
            place += stride[d];
            if (++index[d] < shape[d]) break;
            place -= stride[d] * shape[d];
            index[d] = 0;
        }
    }
}

int fer_op_shape_in_file(const struct fer_op *op, const struct fer_tensor *t, size_t shape[FER_MAX_DIMS],
                         int axis[FER_MAX_DIMS])
{
    int d;
    size_t here[FER_MAX_DIMS];
    memcpy(here, t->about.shape, sizeof here);
    if (op->nchw && find_layout(t->meaning) == &layouts[DEPTHWISE]) here[2] *= here[3], here[3] = 1;
    find_axes(op, t->meaning, t->about.dims, axis);
    for (d = 0; d < t->about.dims; d++) shape[axis[d]] = here[d];
    return op->nchw;
}

/* ---- Arguments ---- */

static void format_file_shape(const struct fer_op *op, const struct fer_tensor *t, char text[96])
{
    size_t shape[FER_MAX_DIMS];
    int axis[FER_MAX_DIMS];
    fer_op_shape_in_file(op, t, shape, axis);
    fer_format_shape(t->about.dims, shape, text);
}

int fer_op_blame(struct fer_op *op, const struct fer_tensor *t, const char *format, ...)
{
    char shape[96], reason[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    op->blamed = 1;
    format_file_shape(op, t, shape);
    return fer_npz_fail(op->in, &t->about, op->e, "shape %s: %s", shape, reason);
}

const struct fer_array *fer_op_find(const struct fer_op *op, const char *name)
{
    const struct fer_array *array = fer_npz_find(op->in, name);
    size_t i;
    if (!array && strcmp(name, "x") == 0 && fer_npz_count(op->in) == 1)
        array = fer_npz_find(op->in, ""); /* a lone npy file */
    for (i = 0; i < fer_npz_count(op->in); i++)
        if (fer_npz_at(op->in, i) == array) op->used[i] = 1;
    return array;
}

/* Names that PyTorch and courses have for an argument. */
static const struct {
    const char *meant, *others;
} names[] = {
    {"x", " input inputs logits scores "},
    {"kernel", " weight weights w filter filters "},
    {"bias", " b "},
    {"gamma", " weight scale "},
    {"beta", " bias b shift offset "},
    {"moving_mean", " running_mean "},
    {"moving_variance", " running_var running_variance moving_var "},
    {"dy", " dout d_out grad_output output_grad grad_y upstream "},
    {"logits", " x scores input "},
    {"labels", " y target targets label "},
    {"parameter", " param theta weight weights w "},
    {"gradient", " grad g dw "},
    {"m", " exp_avg "},
    {"v", " exp_avg_sq "},
};

/* Whether a name, in upper or lower case, is `meant` or stands in the list. */
static int is_one_of(const char *name, const char *meant, const char *list)
{
    char word[24] = " ";
    const size_t length = strlen(name);
    size_t i;
    if (length > sizeof word - 3) return 0;
    for (i = 0; i < length; i++) word[i + 1] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    if (strcmp(word + 1, meant) == 0) return 1;
    word[length + 1] = ' ';
    return strstr(list, word) != NULL;
}

/* Fails when an argument that is not there is there under another name. */
static int check_other_names(struct fer_op *op, const char *meant)
{
    size_t k;
    unsigned i;
    for (i = 0; i < sizeof names / sizeof *names; i++)
        for (k = 0; strcmp(names[i].meant, meant) == 0 && k < fer_npz_count(op->in); k++) {
            const struct fer_array *array = fer_npz_at(op->in, k);
            if (!op->used[k] && is_one_of(array->name, meant, names[i].others))
                return fer_npz_fail(op->in, array, op->e, "%s has no array of this name: expected %s",
                                    op->operation->name, meant);
        }
    return 0;
}

int fer_op_missing(struct fer_op *op, const char *name)
{
    if (check_other_names(op, name)) return -1;
    return fer_npz_fail(op->in, NULL, op->e, "no array %s: %s needs it", name, op->operation->name);
}

/* How many dimensions "[N,H,W,C]" has. */
static int count_dimensions(const char *shape)
{
    int count = 1;
    for (; *shape; shape++) count += *shape == ',';
    return count;
}

static int check_shape(struct fer_op *op, const struct fer_tensor *t)
{
    const struct layout *layout = find_layout(t->meaning);
    const char *meaning = layout && op->nchw ? layout->nchw : t->meaning;
    int i;
    if (t->about.count == 0) return fer_op_blame(op, t, "expected at least one value");
    if (!meaning || layout == &layouts[CHANNELS_LAST]) return 0;
    if (t->about.dims != count_dimensions(meaning))
        return fer_op_blame(op, t, "expected %d dimensions, %s", count_dimensions(meaning), meaning);
    for (i = 0; i < t->about.dims; i++)
        if (t->about.shape[i] > INT_MAX) return fer_op_blame(op, t, "expected sizes below 2^31");
    if (op->nchw && layout == &layouts[DEPTHWISE] && t->about.shape[3] != 1)
        return fer_op_blame(op, t, "expected %s, a second size of 1", meaning);
    return 0;
}

/* The values, brought into the layer's layout. */
static int read_values(struct fer_op *op, const struct fer_array *array, const int *axis, struct fer_tensor *t)
{
    real *file;
    size_t i;
    t->values = fer_op_allocate(op, array->count, sizeof *t->values);
    if (!t->values) return -1;
    if (op->trial) return 0;
    if (fer_npz_read(op->in, array, t->values, op->e)) return -1;
    for (i = 0; i < array->count && op->judge; i++)
        op->judge->inexact |= (double)(float)t->values[i] != (double)t->values[i] && t->values[i] == t->values[i];
    if (!op->nchw) return 0;
    file = fer_allocate(array->count, sizeof *file, op->e);
    if (!file) return -1;
    memcpy(file, t->values, array->count * sizeof *file);
    fer_op_reorder(t->about.dims, t->about.shape, axis, t->values, file, 0);
    fer_free(file);
    return 0;
}

int fer_op_maybe(struct fer_op *op, const char *name, const char *meaning, struct fer_tensor *t)
{
    const struct fer_array *array = fer_op_find(op, name);
    int axis[FER_MAX_DIMS], d;
    size_t i;
    memset(t, 0, sizeof *t);
    if (!array) return check_other_names(op, name);
    t->about = *array;
    t->meaning = meaning;
    if (find_axes(op, meaning, array->dims, axis)) op->laid_out = 1;
    if (*name != 'x' && strcmp(name, "dy") != 0) op->parameters = 1;
    for (d = 0; d < array->dims; d++) t->about.shape[d] = array->shape[axis[d]];
    if (check_shape(op, t) || read_values(op, array, axis, t)) return -1;
    for (i = 0; op->twist >= FER_NAN_LOST && op->twist <= FER_NAN_BY_PLACE && *name == 'x' && i < t->about.count; i++)
        if (t->values[i] != t->values[i]) t->values[i] = -INFINITY;
    return op->twist ? fer_twist_array(op->twist, name, t->about.dims, t->about.shape, 1, t->values, op->e) : 0;
}

int fer_op_need(struct fer_op *op, const char *name, const char *meaning, struct fer_tensor *t)
{
    if (fer_op_maybe(op, name, meaning, t)) return -1;
    return t->values ? 0 : fer_op_missing(op, name);
}

int fer_op_depthwise(struct fer_op *op, struct fer_tensor *kernel, size_t channels)
{
    size_t *shape = kernel->about.shape;
    if (!op->nchw) {
        if (shape[2] == channels) return 0;
        return fer_op_blame(op, kernel, "expected %lu channels, as x has", (unsigned long)channels);
    }
    if (shape[2] % channels)
        return fer_op_blame(op, kernel, "expected a multiple of x's %lu channels", (unsigned long)channels);
    shape[3] = shape[2] / channels;
    shape[2] = channels;
    return 0;
}

static int has_shape(const struct fer_tensor *t, int dims, const size_t *shape)
{
    int i, same = t->about.dims == dims;
    for (i = 0; i < dims && same; i++) same = t->about.shape[i] == shape[i];
    return same;
}

int fer_op_same_shape(struct fer_op *op, const struct fer_tensor *t, const struct fer_tensor *like)
{
    char shape[96];
    if (!t->values || has_shape(t, like->about.dims, like->about.shape)) return 0;
    format_file_shape(op, like, shape);
    return fer_op_blame(op, t, "expected %s, as %s has", shape, *like->about.name ? like->about.name : "x");
}

int fer_op_vector(struct fer_op *op, const struct fer_tensor *t, size_t size)
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
    if (text) return text;
    return strcmp(name, "layout") == 0 ? "nhwc" : fer_op_find_option(op->operation->option, FER_OP_OPTIONS, name);
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

/* A whole number, up to its end character; returns what is behind that, or NULL. */
static const char *parse_cells(const char *text, char end, size_t *cells)
{
    char *after;
    const long value = *text >= '0' && *text <= '9' ? strtol(text, &after, 10) : -1;
    if (value < 0 || value > INT_MAX || *after != end) return NULL;
    *cells = (size_t)value;
    return after + 1;
}

/* The same from 1. */
static const char *parse_size(const char *text, char end, size_t *size)
{
    const char *behind = parse_cells(text, end, size);
    return behind && *size > 0 ? behind : NULL;
}

int fer_op_size(struct fer_op *op, const char *name, size_t *size)
{
    if (parse_size(option_text(op, name), 0, size)) return 0;
    return fer_fail(op->e, "--%s %s: expected a whole number from 1", name, option_text(op, name));
}

int fer_op_pair(struct fer_op *op, const char *name, size_t pair[2])
{
    const char *text = option_text(op, name), *second = parse_size(text, ',', &pair[0]);
    if (second && parse_size(second, 0, &pair[1])) return 0;
    if (parse_size(text, 0, &pair[0])) {
        pair[1] = pair[0];
        return 0;
    }
    return fer_fail(op->e, "--%s %s: expected H,W, two whole numbers from 1", name, text);
}

/* Which of the words the text is; their number if it is none. */
static int find_word(const char *text, const char *words)
{
    int number;
    for (number = 0; *words; number++) {
        const size_t length = strcspn(words, "|");
        if (strlen(text) == length && strncmp(text, words, length) == 0) break;
        words += length + (words[length] == '|');
    }
    return number;
}

static int count_words(const char *words)
{
    return find_word("", words); /* no word is empty */
}

int fer_op_choice(struct fer_op *op, const char *name, const char *words, int *value)
{
    const char *text = option_text(op, name);
    *value = find_word(text, words);
    if (*value < count_words(words)) return 0;
    return fer_fail(op->e, "--%s %s: expected %s", name, text, words);
}

int fer_op_choice_or_sides(struct fer_op *op, const char *name, const char *words, int *value, size_t side[4])
{
    const char *text = option_text(op, name), *rest = text;
    int i;
    *value = find_word(text, words);
    if (*value < count_words(words)) return 0;
    for (i = 0; i < 4 && rest; i++) rest = parse_cells(rest, i < 3 ? ',' : 0, &side[i]);
    if (rest) return 0;
    return fer_fail(op->e, "--%s %s: expected %s%sT,B,L,R, whole numbers of cells", name, text, words,
                    *words ? "|" : "");
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
    t->meaning = "[N,...,C]";
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
    if (fer_op_result(op, name, like->about.dims, like->about.shape, t)) return -1;
    t->meaning = like->meaning;
    return 0;
}
