/* verify_join.c - the parts of a verification (verify --part I/N --json), added up: part I has array I, I + N, ...
 * of the whole, so that one row of each in turn is the order of computation. */
#include "command.h"
#include "verification.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct part {
    struct fer_json_tree *tree;
    const struct fer_json_node *root, *row; /* the next one */
    const char *path;
};

static const char *text_of(const struct fer_json_node *object, const char *name)
{
    const struct fer_json_node *member = fer_json_member(object, name);
    return member && member->type == FER_JSON_STRING ? member->text : "";
}

static void take_text(char *to, size_t size, const struct fer_json_node *object, const char *name)
{
    snprintf(to, size, "%s", text_of(object, name));
    fer_make_printable(to);
}

/* Infinities and NaN are strings. */
static double number_of(const struct fer_json_node *object, const char *name)
{
    const struct fer_json_node *member = fer_json_member(object, name);
    if (member && member->type == FER_JSON_STRING) return strtod(member->text, NULL);
    return member ? member->number : 0;
}

/* A count; what is none is 0. */
static size_t count_of(const struct fer_json_node *object, const char *name)
{
    const double number = number_of(object, name);
    return number >= 0 && number < 0x1p53 ? (size_t)number : 0;
}

static int is_true(const struct fer_json_node *object, const char *name)
{
    const struct fer_json_node *member = fer_json_member(object, name);
    return member && member->type == FER_JSON_TRUE;
}

/* The place alone is in the file, not the shape: any in which it is will do. */
static void read_place(const struct fer_json_node *node, struct fer_verify_row *row)
{
    const struct fer_json_node *member = fer_json_member(node, "index");
    for (member = member ? member->child : NULL; member && row->dims < 4; member = member->next) {
        const size_t place = member->number >= 0 && member->number < 0x1p30 ? (size_t)member->number : 0;
        row->shape[row->dims] = place + 1;
        row->index = row->index * (place + 1) + place;
        row->dims++;
    }
}

static int read_row(const struct part *p, struct fer_verify_row *row, struct fer_error *e)
{
    const struct fer_json_node *node = p->row;
    const int verdict = fer_find_word(text_of(node, "verdict"), fer_verdict_names, FER_VERDICTS);
    memset(row, 0, sizeof *row);
    if (verdict < 0 || !*text_of(node, "array"))
        return fer_fail(e, "%s:%ld: no row of a verification: expected an array's name and its verdict", p->path,
                        node->line);
    row->verdict = (enum fer_verdict)verdict;
    take_text(row->array, sizeof row->array, node, "array");
    take_text(row->writers, sizeof row->writers, node, "written_by");
    take_text(row->through, sizeof row->through, node, "through");
    take_text(row->reason, sizeof row->reason, node, "reason");
    take_text(row->pattern, sizeof row->pattern, node, "pattern");
    row->wrong = count_of(node, "wrong");
    row->elements = count_of(node, "elements");
    row->proven = number_of(node, "proven_ratio"), row->likely = number_of(node, "likely_ratio");
    row->value = number_of(node, "value"), row->truth = number_of(node, "truth");
    row->proven_bound = number_of(node, "proven_bound"), row->likely_bound = number_of(node, "likely_bound");
    row->by_nature = is_true(node, "by_nature"), row->weak = is_true(node, "weak");
    row->chain = (int)(count_of(node, "layers_through") % FER_MAX_LAYERS), row->sees = number_of(node, "sees");
    read_place(node, row);
    return 0;
}

/* Those that differ from the defaults. */
static const char *options_of(const struct fer_json_node *root)
{
    return *text_of(root, "options") ? text_of(root, "options") : "none";
}

/* Its number, 0 ..., of `count` parts; -1: it is none of them, or of another record. */
static int place_of(const struct part *p, const struct fer_json_node *first, int count, struct fer_error *e)
{
    static const char *const formats[] = {"unit", "accumulate"};
    const struct fer_json_node *part = fer_json_member(p->root, "part"), *rows = fer_json_member(p->root, "arrays");
    int i;
    if (!part || part->count != 2 || !rows || rows->type != FER_JSON_ARRAY || !fer_json_member(p->root, "unknown"))
        return fer_fail(e, "%s: expected what `fer64 verify --part I/N --json` writes", p->path);
    if (strcmp(text_of(p->root, "record"), text_of(first, "record")) != 0)
        return fer_fail(e, "%s: a part of %.80s; the first one is of %.80s", p->path, text_of(p->root, "record"),
                        text_of(first, "record"));
    for (i = 0; i < 2; i++)
        if (strcmp(text_of(p->root, formats[i]), text_of(first, formats[i])) != 0)
            return fer_fail(e, "%s: --%s was %.40s; that of the first part %.40s", p->path, formats[i],
                            text_of(p->root, formats[i]), text_of(first, formats[i]));
    if (strcmp(text_of(p->root, "options"), text_of(first, "options")) != 0)
        return fer_fail(e, "%s: judged with other options than the first part: %.200s; that one: %.200s", p->path,
                        options_of(p->root), options_of(first));
    if (part->child->next->number != count || !(part->child->number >= 1 && part->child->number <= count))
        return fer_fail(e, "%s: part %.6g of %.6g; %d parts were given", p->path, part->child->number,
                        part->child->next->number, count);
    return (int)part->child->number - 1;
}

/* In their order. */
static int read_parts(char **paths, int count, struct part *parts, struct fer_error *e)
{
    const struct fer_json_node *first = NULL;
    int i, place;
    for (i = 0; i < count; i++) {
        struct part p = {0};
        p.path = paths[i];
        if (fer_json_read(p.path, &p.tree, e)) return -1;
        p.root = fer_json_root(p.tree);
        if (!first) first = p.root;
        place = place_of(&p, first, count, e);
        if (place >= 0 && parts[place].tree)
            place = fer_fail(e, "%s: part %d, as %s is", p.path, place + 1, parts[place].path);
        if (place < 0) return fer_json_free(p.tree), -1;
        p.row = fer_json_member(p.root, "arrays")->child;
        parts[place] = p;
    }
    return 0;
}

static int add_up(struct part *parts, int count, struct fer_verify_text *text, struct fer_verify_summary *summary,
                  struct fer_error *e)
{
    struct fer_verify_row row;
    int i;
    if (!parts[0].row) return fer_fail(e, "%s: no array was checked in it", parts[0].path);
    for (i = 0; parts[i].row; i = (i + 1) % count) { /* the first that has no more ends the whole */
        if (read_row(&parts[i], &row, e)) return -1;
        fer_verify_add_up(summary, &row);
        fer_verify_text_row(text, &row);
        parts[i].row = parts[i].row->next;
    }
    for (i = 0; i < count; i++)
        if (parts[i].row) return fer_fail(e, "%s: it has more rows than go with the other parts", parts[i].path);
    return 0;
}

int fer_verify_join(char **paths, int count, struct fer_verify_text *text, struct fer_verify_options *options,
                    struct fer_verify_summary *summary, struct fer_error *e)
{
    struct part *parts = count > 0 ? fer_allocate((size_t)count, sizeof *parts, e) : NULL;
    int i, failed;
    memset(summary, 0, sizeof *summary);
    fer_verify_options_default(options);
    if (count < 1) return fer_fail(e, "verify --join: expected the JSON files of all parts");
    if (!parts) return -1;
    failed = read_parts(paths, count, parts, e);
    if (!failed) {
        const int unit = fer_find_word(text_of(parts[0].root, "unit"), fer_unit_names, FER_UNITS);
        const int sum = fer_find_word(text_of(parts[0].root, "accumulate"), fer_unit_names, FER_UNITS);
        options->unit = unit >= 0 ? (enum fer_unit)unit : FER_UNIT_F32;
        options->accumulate = sum >= 0 ? (enum fer_unit)sum : FER_UNIT_F32;
        text->path = text_of(parts[0].root, "record");
        text->said = text_of(parts[0].root, "options");
        summary->absent = count_of(parts[0].root, "not_in_the_record");
        summary->ignored = count_of(parts[0].root, "unknown");
        take_text(summary->unused, sizeof summary->unused, parts[0].root, "unknown_names");
        failed = add_up(parts, count, text, summary, e);
        fer_verify_text_end(text, failed ? NULL : summary);
    }
    for (i = 0; i < count; i++) fer_json_free(parts[i].tree);
    fer_free(parts);
    return failed;
}
