/* cases.c - `fer cases`: inputs for one kernel after the other, from the table in cases_table.c. DIR/cases.csv is
 * written last, so that a folder that has it is whole; after a failure nothing is left. */
#include "cases.h"
#include "command.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARRAYS = 8, WORD = 32 };

/* An array of a case. */
struct made {
    struct fer_array about;
    char name[WORD];
    size_t row; /* the last dimension */
    double *value;
};

/* What a case is made from. */
struct making {
    const struct fer_case_row *row;
    const char *layer;
    uint64_t seed;
    uint32_t number; /* of its random numbers */
    int exact;
    struct made array[MOST_ARRAYS];
    int arrays;
    struct fer_error *e;
};

/* ---- Numbers ---- */

/* The next word up to a blank or semicolon; returns what is behind it, NULL at the end of the array. */
static const char *next_word(const char *text, char word[WORD])
{
    size_t length;
    text += strspn(text, " ");
    length = strcspn(text, " ;");
    snprintf(word, WORD, "%.*s", (int)length, text);
    return length ? text + length : NULL;
}

static const char *next_number(const char *text, double *number)
{
    char word[WORD];
    text = next_word(text, word);
    *number = strtod(word, NULL);
    return text;
}

/* Each row's absolute values by their sum. */
static void take_shares(struct made *a)
{
    size_t i, k;
    for (i = 0; i < a->about.count; i += a->row) {
        double sum = 0;
        for (k = i; k < i + a->row; k++) sum += fabs(a->value[k]);
        for (k = i; k < i + a->row; k++) a->value[k] = fabs(a->value[k]) / sum;
    }
}

/* Does what one word says; returns what is behind its numbers. */
static const char *apply(struct made *a, const char *word, const char *text)
{
    const int has_number = strcmp(word, "absolute") != 0 && strcmp(word, "alike") != 0 && strcmp(word, "shares") != 0;
    double v = 0, *x = a->value, index = 0;
    size_t i;
    if (strcmp(word, "at") == 0) text = next_number(text, &index);
    if (has_number) text = next_number(text, &v);
    if (strcmp(word, "labels") == 0) a->about.type = FER_I8;
    if (strcmp(word, "shares") == 0) take_shares(a);
    for (i = 0; i < a->about.count; i++) {
        if (strcmp(word, "times") == 0) x[i] *= v;
        if (strcmp(word, "plus") == 0) x[i] += v;
        if (strcmp(word, "steps") == 0) x[i] = floor(x[i] / v + 0.5) * v;
        if (strcmp(word, "all") == 0 || (strcmp(word, "at") == 0 && (double)i == index)) x[i] = v;
        if (strcmp(word, "absolute") == 0) x[i] = fabs(x[i]);
        if (strcmp(word, "alike") == 0) x[i] = x[i % a->row];
        if (strcmp(word, "channel") == 0 && i % a->row == 0) x[i] = v;
        if (strcmp(word, "labels") == 0) x[i] = floor((x[i] + 1) / 2 * v);
    }
    return text;
}

/* Small whole numbers other than 0, where a ReLU has its kink; of a maximum, numbers of which no two are equal; of an
 * average, multiples of what a window can hold. */
static double whole_number(const struct making *m, const struct made *a, double uniform, size_t k)
{
    const double small = uniform < 0 ? floor(uniform * 4) : ceil(uniform * 4);
    if (strstr(m->layer, "max_pooling")) return (double)(k * 7919 % a->about.count) - (double)(a->about.count / 2);
    return strstr(m->layer, "average") ? 5040 * small : small;
}

static int fill(struct making *m, struct made *a, const char *words)
{
    const uint32_t stream = m->number * MOST_ARRAYS + (uint32_t)(a - m->array);
    char word[WORD];
    size_t k;
    if (!(a->value = fer_allocate(a->about.count, sizeof *a->value, m->e))) return -1;
    for (k = 0; k < a->about.count; k++) {
        a->value[k] = 2 * fer_uniform(m->seed, FER_FOR_CHECKS, stream, k) - 1;
        if (m->exact) a->value[k] = whole_number(m, a, a->value[k], k);
    }
    while (words && !m->exact && (words = next_word(words, word))) words = apply(a, word, words);
    return 0;
}

/* ---- Arrays ---- */

/* Where the table speaks of an array: behind its name; NULL: it does not. */
static const char *find_array(const char *arrays, const char *name)
{
    char word[WORD];
    while (arrays) {
        const char *behind = next_word(arrays, word);
        if (strcmp(word, name) == 0) return behind;
        arrays = strchr(arrays, ';');
        if (arrays) arrays++;
    }
    return NULL;
}

static void set_shape(struct made *a, int dims, const size_t *shape)
{
    int d;
    a->about.type = FER_F4;
    a->about.dims = dims;
    a->about.count = a->row = 1;
    for (d = 0; d < dims; d++) a->about.count *= a->row = a->about.shape[d] = shape[d];
}

/* "2,9,7,3"; "@": one for each of the output channels that the kernel, the array before, has. */
static void read_shape(const struct making *m, struct made *a, char *text)
{
    const size_t *kernel = a[-1].about.shape;
    size_t shape[FER_MAX_DIMS];
    int dims = 0;
    if (*text == '@')
        shape[dims++] = strcmp(m->layer, "depthwise_conv2d") == 0 ? kernel[2] * kernel[3] : kernel[3];
    else
        for (; *text; text += *text == ',') shape[dims++] = strtoul(text, &text, 10);
    set_shape(a, dims, shape);
}

/* Those of the row, but for dy. */
static int make_arrays(struct making *m)
{
    const char *text = m->row->arrays;
    char word[WORD];
    for (; text; text = strchr(text, ';'), text = text ? text + 1 : NULL) {
        struct made *a = &m->array[m->arrays];
        const char *behind = next_word(text, a->name);
        if (strcmp(a->name, "dy") == 0) continue;
        behind = next_word(behind, word);
        read_shape(m, a, word);
        m->arrays++;
        if (fill(m, a, behind)) return -1;
    }
    return 0;
}

/* The shape of y, and so of dy, is what the operation says. */
static int add_gradient(struct making *m)
{
    struct made *dy = &m->array[m->arrays];
    struct fer_array argument[MOST_ARRAYS], y;
    struct fer_case c;
    int i;
    if (strcmp(m->layer, "softmax_cross_entropy") == 0 || strcmp(m->layer, "adam") == 0) return 0;
    for (i = 0; i < m->arrays; i++) argument[i] = m->array[i].about, argument[i].name = m->array[i].name;
    if (fer_case_options(&c, m->row->options, m->e) ||
        fer_op_output_shape(m->layer, argument, (size_t)m->arrays, c.option, c.options, &y, m->e))
        return -1;
    snprintf(dy->name, sizeof dy->name, "dy");
    set_shape(dy, y.dims, y.shape);
    m->arrays++;
    return fill(m, dy, find_array(m->row->arrays, "dy"));
}

/* As float32, labels as int64. */
static int write_array(struct fer_npz_writer *out, const struct made *a, struct fer_error *e)
{
    const size_t count = a->about.count;
    float *number = fer_allocate(count, sizeof *number, e);
    int64_t *label = fer_allocate(count, sizeof *label, e);
    const int is_label = a->about.type == FER_I8;
    int failed = !number || !label;
    size_t i;
    for (i = 0; i < count && !failed; i++) {
        number[i] = (float)a->value[i];
        if (is_label) label[i] = (int64_t)a->value[i];
    }
    if (!failed)
        failed = fer_npz_write(out, a->name, a->about.type, a->about.dims, a->about.shape,
                               is_label ? (void *)label : (void *)number, e);
    fer_free(number);
    fer_free(label);
    return failed;
}

static int write_arrays(const struct making *m, const char *path)
{
    struct fer_npz_writer *out;
    int i, failed = 0;
    if (fer_npz_create(&out, path, m->e)) return -1;
    for (i = 0; i < m->arrays && !failed; i++) failed = write_array(out, &m->array[i], m->e);
    if (!failed) return fer_npz_commit_hastily(out, m->e);
    fer_npz_abandon(out);
    return -1;
}

static int write_case(struct making *m, const char *path)
{
    int failed, i;
    m->arrays = 0;
    memset(m->array, 0, sizeof m->array);
    failed = make_arrays(m) || add_gradient(m) || write_arrays(m, path);
    for (i = 0; i < m->arrays; i++) fer_free(m->array[i].value);
    return failed;
}

/* ---- The folder ---- */

/* Whether every sum of the case is exact with whole numbers: of such a layer, and without values of its own. */
static int can_be_exact(const struct fer_case_row *row, const char *layer)
{
    static const char *const layers = " conv2d depthwise_conv2d dense max_pooling2d average_pooling2d "
                                      "global_max_pooling2d zero_padding2d cropping2d concatenate relu ";
    const char *text = row->arrays;
    char word[WORD + 2];
    int exact;
    snprintf(word, sizeof word, " %s ", layer);
    exact = strstr(layers, word) && !strstr(row->options, "slope") && !strstr(row->options, "split");
    for (; text && exact; text = strchr(text, ';'), text = text ? text + 1 : NULL) {
        const char *shape = next_word(text, word);
        exact = strcmp(word, "dy") != 0 && !next_word(next_word(shape, word), word);
    }
    return exact;
}

/* The cases that are asked for. */
struct choice {
    const char *const *layers;
    int count, exact;
};
static int is_chosen(const struct choice *c, const struct fer_case_row *row, const char *layer)
{
    int i, found = c->count == 0;
    for (i = 0; i < c->count; i++) found |= strcmp(c->layers[i], layer) == 0;
    return found && (!c->exact || can_be_exact(row, layer));
}

static int for_each_case(const struct choice *c,
                         int (*each)(void *context, const struct fer_case_row *row, const char *layer), void *context)
{
    const struct fer_case_row *row;
    for (row = fer_case_rows; row->layers; row++) {
        const char *at = row->layers;
        char layer[WORD];
        while ((at = next_word(at, layer)))
            if (is_chosen(c, row, layer) && each(context, row, layer)) return -1;
    }
    return 0;
}

struct folder {
    const char *dir;
    FILE *csv;
    struct making making;
    struct fer_cases_written *written;
};

static int path_of(char path[FER_PATH], const char *dir, const struct fer_case_row *row, const char *layer,
                   struct fer_error *e)
{
    char name[FER_CASE_NAME];
    snprintf(name, sizeof name, "%s_%s.npz", layer, row->name);
    return fer_join_path(path, dir, name, e);
}

static int add_case(void *context, const struct fer_case_row *row, const char *layer)
{
    struct folder *f = context;
    char path[FER_PATH];
    f->making.row = row, f->making.layer = layer;
    f->making.number = (uint32_t)(row - fer_case_rows);
    if (path_of(path, f->dir, row, layer, f->making.e) || write_case(&f->making, path)) return -1;
    fprintf(f->csv, "%s_%s;%s;%s;%s\n", layer, row->name, layer, row->options, row->why);
    f->written->cases++;
    return 0;
}

static int remove_case(void *context, const struct fer_case_row *row, const char *layer)
{
    struct folder *f = context;
    char path[FER_PATH];
    if (path_of(path, f->dir, row, layer, NULL) == 0) remove(path);
    return 0;
}

static int count_case(void *context, const struct fer_case_row *row, const char *layer)
{
    (void)row, (void)layer;
    ++*(int *)context;
    return 0;
}

static int count_cases(const char *layer, int exact)
{
    const struct choice one = {&layer, 1, exact};
    int count = 0;
    for_each_case(&one, count_case, &count);
    return count;
}

static int check_layers(const struct choice *c, struct fer_error *e)
{
    int i;
    for (i = 0; i < c->count; i++) {
        if (!count_cases(c->layers[i], 0))
            return fer_fail(e, "cases: %.40s: no such layer; `fer help op` lists them", c->layers[i]);
        if (!count_cases(c->layers[i], c->exact))
            return fer_fail(e, "cases: %.40s: has no exact cases: expected convolutions, dense, relu, concatenate, "
                               "max_pooling2d, global_max_pooling2d, average_pooling2d, zero_padding2d or cropping2d",
                            c->layers[i]);
    }
    return 0;
}

static int refuse_entry(void *context, const char *name, struct fer_error *e)
{
    const char *dir = context;
    return fer_fail(e, "%s: holds files already, %.80s for one: expected a new or an empty folder", dir, name);
}

int fer_cases(const char *const *layers, int count, uint64_t seed, int exact, const char *dir,
              struct fer_cases_written *written, struct fer_error *e)
{
    const struct choice choice = {layers, count, exact};
    const int was_there = fer_is_folder(dir);
    struct folder f = {0};
    char path[FER_PATH];
    int failed;
    written->cases = 0;
    if (check_layers(&choice, e) || (was_there && fer_list_folder(dir, refuse_entry, (void *)(uintptr_t)dir, e)) ||
        fer_make_folder(dir, e) || fer_join_path(path, dir, "cases.csv", e) || !(f.csv = fer_file_create(path, e)))
        return -1;
    f.dir = dir, f.written = written;
    f.making.seed = seed, f.making.exact = exact, f.making.e = e;
    fprintf(f.csv, "case;layer;options;why\n");
    failed = for_each_case(&choice, add_case, &f);
    if (!failed && fer_file_commit(f.csv, path, e) == 0) return 0;
    if (failed) fer_file_abandon(f.csv, path);
    for_each_case(&choice, remove_case, &f);
    if (!was_there) fer_remove_folder(dir);
    return -1;
}
