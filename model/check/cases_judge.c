/* cases_judge.c - `fer verify DIR ANSWERS`: the cases of DIR/cases.csv, and what somebody's kernels made of them. Each
 * answer is judged as `verify --op` judges one. */
#include "cases.h"
#include "command.h"

#include <stdlib.h>
#include <string.h>

/* ---- cases.csv ---- */

/* The next word of a line; NULL: there is none. */
static char *take_word(char **line)
{
    char *word = *line + strspn(*line, " "), *end = word + strcspn(word, " ");
    *line = *end ? end + 1 : end;
    *end = 0;
    return *word ? word : NULL;
}

int fer_case_options(struct fer_case *c, const char *options, struct fer_error *e)
{
    char *line = c->text, *word, *equals;
    if (strlen(options) >= sizeof c->text)
        return fer_fail(e, "options of more than %d characters", (int)sizeof c->text - 1);
    snprintf(c->text, sizeof c->text, "%s", options);
    c->options = 0;
    while ((word = take_word(&line)) != NULL) {
        struct fer_op_option *o = &c->option[c->options];
        if (c->options++ == FER_CASE_OPTIONS) return fer_fail(e, "expected at most %d options", FER_CASE_OPTIONS);
        if (strncmp(word, "--", 2) != 0) return fer_fail(e, "%.40s: expected an option, --NAME VALUE", word);
        equals = strchr(word, '=');
        if (equals) *equals = 0;
        o->name = word + 2;
        o->text = equals ? equals + 1 : take_word(&line);
        if (!o->text) return fer_fail(e, "%.40s: expected a value behind it", word);
    }
    return 0;
}

/* A plain name: it becomes a part of paths. */
static int is_plain(const char *name)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return *name && *name != '.' && !name[strspn(name, letters)];
}

/* The next field of a line; NULL: there is none. */
static char *take_field(char **line)
{
    char *field = *line, *end = field ? strchr(field, ';') : NULL;
    if (end) *end = 0;
    *line = end ? end + 1 : NULL;
    return field;
}

/* The word in "convention (WORD): ...", which must be one of the layer's. */
static int read_convention(struct fer_case *c, const char *why, struct fer_error *e)
{
    const struct fer_convention *known;
    const size_t length = strcspn(why + 12, ")");
    int i;
    snprintf(c->convention, sizeof c->convention, "%.*s", (int)length, why + 12);
    for (i = 0; (known = fer_op_convention(c->layer, i)) != NULL; i++)
        if (*c->convention && strcmp(known->word, c->convention) == 0) return 0;
    return fer_fail(e, "convention (%s): %s has none of this name", c->convention, c->layer);
}

static int read_case(struct fer_case *c, char *line, struct fer_error *e)
{
    const char *name = take_field(&line), *layer = take_field(&line), *options = take_field(&line), *why = line;
    if (!options) return fer_fail(e, "expected case;layer;options;why");
    if (!is_plain(name) || strlen(name) + 5 > sizeof c->name)
        return fer_fail(e, "%.60s: expected a name of letters, digits, _, - and ., at most %d", name,
                        (int)sizeof c->name - 5);
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->layer, sizeof c->layer, "%s", layer);
    if (fer_case_options(c, options, e) ||
        fer_op_output_shape(layer, NULL, 0, c->option, c->options, NULL, e))
        return -1;
    return why && strncmp(why, "convention (", 12) == 0 ? read_convention(c, why, e) : 0;
}

/* Cuts a line off the text; NULL behind the last. CR LF will do. */
static char *take_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    if (!*line) return NULL;
    *text = end ? end + 1 : line + strlen(line);
    if (end) *end = 0;
    line[strcspn(line, "\r")] = 0;
    return line;
}

static int read_lines(const char *path, char *text, struct fer_case *cases, size_t *count, struct fer_error *e)
{
    struct fer_error reason;
    char *line = take_line(&text);
    size_t i;
    long number = 2;
    if (!line || strncmp(line, "case;layer;options", 18) != 0)
        return fer_fail(e, "%s:1: expected the header case;layer;options;why", path);
    for (; (line = take_line(&text)) != NULL; number++) {
        struct fer_case *c = &cases[*count];
        if (!*line) continue;
        if (read_case(c, line, &reason)) return fer_fail(e, "%s:%ld: %s", path, number, reason.text);
        for (i = 0; i < *count; i++)
            if (strcmp(cases[i].name, c->name) == 0)
                return fer_fail(e, "%s:%ld: %s: stands there twice", path, number, c->name);
        ++*count;
    }
    return *count ? 0 : fer_fail(e, "%s: holds no case", path);
}

int fer_cases_read(const char *dir, struct fer_case **cases, size_t *count, struct fer_error *e)
{
    char path[FER_PATH], *text;
    unsigned char *bytes = NULL;
    size_t size, lines = 1, i;
    int failed;
    *cases = NULL;
    *count = 0;
    if (fer_join_path(path, dir, "cases.csv", e) || fer_file_bytes(path, &bytes, &size, e)) return free(bytes), -1;
    for (i = 0; i < size; i++) lines += bytes[i] == '\n';
    text = fer_copy_text(bytes, size, "");
    *cases = fer_allocate(lines, sizeof **cases, e);
    failed = !*cases                  ? -1
             : !text                  ? fer_fail(e, "out of memory")
             : strlen(text) != size ? fer_fail(e, "%s: is no text", path)
                                      : read_lines(path, text, *cases, count, e);
    free(text);
    free(bytes);
    if (failed) fer_free(*cases);
    return failed;
}

/* ---- Verdicts ---- */

static int path_of(char path[FER_PATH], const char *dir, const struct fer_case *c, struct fer_error *e)
{
    char name[FER_CASE_NAME];
    snprintf(name, sizeof name, "%s.npz", c->name);
    return fer_join_path(path, dir, name, e);
}

static int judge_case(struct fer_case *c, const char *dir, const char *answers, const struct fer_verify_options *o,
                      struct fer_case_row_judged *row, struct fer_error *e)
{
    char in[FER_PATH], theirs[FER_PATH];
    struct fer_error reason;
    int results = 0;
    memset(row, 0, sizeof *row);
    row->name = c->name, row->layer = c->layer;
    if (path_of(in, dir, c, e) || path_of(theirs, answers, c, e)) return -1;
    if (fer_file_exists(theirs))
        results = fer_op_verify_case(c->layer, in, theirs, c->option, c->options, o->unit, o->accumulate, c->convention,
                                     &row->worst, row->words, &reason);
    if (results < 0 && strncmp(reason.text, "--", 2) == 0) /* of a file it says which */
        return fer_fail(e, "%s/cases.csv: %s: %s", dir, c->name, reason.text);
    if (results < 0) return fer_fail(e, "%s", reason.text);
    row->verdict = !results                             ? FER_CASE_UNANSWERED
                   : row->worst.verdict == FER_WRONG    ? FER_CASE_WRONG
                   : row->worst.verdict == FER_SUSPECT  ? FER_CASE_SUSPECT
                   : row->worst.verdict != FER_OK       ? FER_CASE_UNANSWERED
                   : *row->words                        ? FER_CASE_CONVENTION
                                                        : FER_CASE_OK;
    return 0;
}

/* Files of ANSWERS that answer no case. */
struct strangers {
    const struct fer_case *cases;
    size_t count;
    struct fer_cases_summary *summary;
};
static int note_stranger(void *context, const char *name, struct fer_error *e)
{
    struct strangers *s = context;
    const size_t length = strlen(name);
    size_t i;
    (void)e;
    if (length < 4 || strcmp(name + length - 4, ".npz") != 0) return 0;
    for (i = 0; i < s->count; i++)
        if (strlen(s->cases[i].name) == length - 4 && strncmp(s->cases[i].name, name, length - 4) == 0) return 0;
    if (!s->summary->strangers++) snprintf(s->summary->stranger, sizeof s->summary->stranger, "%s", name);
    fer_make_printable(s->summary->stranger);
    return 0;
}

/* The sum of the layer that a case is of; its row is made with its first case. */
static struct fer_cases_sum *sum_of(struct fer_cases_summary *s, const char *layer)
{
    int i;
    for (i = 0; i < s->layers; i++)
        if (strcmp(s->layer[i].name, layer) == 0) return &s->layer[i];
    snprintf(s->layer[s->layers].name, sizeof s->layer->name, "%s", layer);
    return &s->layer[s->layers++];
}

int fer_cases_verify(const char *dir, const char *answers, const struct fer_verify_options *options,
                     void (*report)(void *context, const struct fer_case_row_judged *row), void *context,
                     struct fer_cases_summary *summary, struct fer_error *e)
{
    struct fer_case *cases;
    struct fer_case_row_judged row;
    struct strangers strangers;
    size_t count, i;
    int failed = 0;
    memset(summary, 0, sizeof *summary);
    if (sizeof(real) != sizeof(double)) return fer_fail(e, "verify: the truth is computed in float64: use fer64");
    if (!fer_is_folder(answers)) return fer_fail(e, "%s: is no folder: expected one with answers, CASE.npz", answers);
    if (fer_cases_read(dir, &cases, &count, e)) return -1;
    strangers.cases = cases, strangers.count = count, strangers.summary = summary;
    failed = fer_list_folder(answers, note_stranger, &strangers, e);
    for (i = 0; i < count && !failed; i++) {
        failed = judge_case(&cases[i], dir, answers, options, &row, e);
        if (failed) break;
        sum_of(summary, cases[i].layer)->cases[row.verdict]++;
        summary->all.cases[row.verdict]++;
        report(context, &row);
    }
    fer_free(cases);
    return failed;
}

int fer_cases_passed(const struct fer_cases_summary *summary)
{
    const size_t *cases = summary->all.cases;
    return !cases[FER_CASE_SUSPECT] && !cases[FER_CASE_WRONG] && cases[FER_CASE_OK] + cases[FER_CASE_CONVENTION] > 0;
}
