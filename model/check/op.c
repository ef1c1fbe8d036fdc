/* op.c - `fer op`: the operation of this name (op_layers.c) on arrays from a file. */
#include "op.h"
#include "verification.h"

#include "../../data/data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int find_operation(struct fer_op *op, const char *name)
{
    char names[600] = "";
    size_t at = 0;
    for (op->operation = fer_operations; op->operation->name; op->operation++) {
        if (strcmp(op->operation->name, name) == 0) return 0;
        at += (size_t)snprintf(names + at, sizeof names - at, at ? ", %s" : "%s", op->operation->name);
    }
    return fer_fail(op->e, "%.40s: no such operation: expected one of %s", name, names);
}

const char *fer_op_option_name(int i)
{
    const struct fer_operation *operation;
    int k;
    if (i == 0) return "layout";
    for (operation = fer_operations; operation->name; operation++)
        for (k = 0; k < FER_OP_OPTIONS && operation->option[k].name; k++)
            if (--i == 0) return operation->option[k].name;
    return NULL;
}

/* Every option given must be one of the operation's. */
static int check_options(struct fer_op *op)
{
    const struct fer_op_option *known = op->operation->option;
    char names[300] = "";
    size_t at = 0;
    int i;
    for (i = 0; i < FER_OP_OPTIONS && known[i].name; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "--%s, ", known[i].name);
    for (i = 0; i < op->given_count; i++)
        if (strcmp(op->given[i].name, "layout") != 0 && !fer_op_find_option(known, FER_OP_OPTIONS, op->given[i].name))
            return fer_fail(op->e, "--%s: not an option of %s, which has %s--layout", op->given[i].name,
                            op->operation->name, names);
    return fer_op_choice(op, "layout", "nhwc|nchw", &op->nchw);
}

/* Whether the shapes would do in the other layout. */
static int fits_other_layout(const struct fer_op *op)
{
    struct fer_error reason;
    struct fer_op other = *op;
    other.nchw = !op->nchw;
    other.trial = 1;
    other.fits = 0;
    other.memory = NULL;
    other.e = &reason;
    op->operation->run(&other);
    fer_op_free(&other);
    return other.fits;
}

/* Runs the operation. Where its shapes decide nothing, or speak for the other layout, that is said. */
static int run(struct fer_op *op, struct fer_op_result *result)
{
    const int failed = op->operation->run(op);
    memset(result, 0, sizeof *result);
    fer_op_free(op);
    if (failed && op->blamed && fits_other_layout(op)) {
        const size_t length = strlen(op->e->text);
        snprintf(op->e->text + length, sizeof op->e->text - length, "; the shapes fit --layout %s",
                 op->nchw ? "nhwc" : "nchw");
    }
    if (failed) return -1;
    result->written = op->written;
    result->own = op->own;
    result->ignored = fer_npz_unused(op->in, op->used, result->unused);
    if (op->laid_out && op->parameters && !fer_op_is_given(op, "layout") && fits_other_layout(op))
        snprintf(result->note, sizeof result->note,
                 "the shapes fit both layouts: taken as NHWC, kernels as HWIO; --layout nchw takes NCHW and OIHW");
    return 0;
}

int fer_op_output_shape(const char *name, const struct fer_array *argument, size_t count,
                        const struct fer_op_option *option, int options, struct fer_array *y, struct fer_error *e)
{
    struct fer_op op = {0};
    int failed;
    op.given = option;
    op.given_count = options;
    op.e = e;
    op.trial = 1;
    if (find_operation(&op, name) || check_options(&op)) return -1;
    if (!argument) return 0;
    if (fer_npz_of_shapes(&op.in, argument, count, name, e)) return -1;
    op.used = fer_allocate(count + 1, 1, e);
    failed = !op.used || (op.operation->run(&op) && !op.fits);
    *y = op.first;
    fer_op_free(&op);
    fer_free(op.used);
    fer_npz_close(op.in);
    return failed ? -1 : 0;
}

int fer_op(const char *name, const char *in, const char *out, const struct fer_op_option *option, int options,
           struct fer_op_result *result, struct fer_error *e)
{
    struct fer_op op = {0};
    int failed;
    op.given = option;
    op.given_count = options;
    op.out_path = out;
    op.e = e;
    if (find_operation(&op, name) || check_options(&op) || fer_file_apart(out, in, e) || fer_npz_open(&op.in, in, e))
        return -1;
    op.used = fer_allocate(fer_npz_count(op.in) + 1, 1, e);
    failed = !op.used || run(&op, result);
    fer_free(op.used);
    fer_npz_close(op.in);
    if (!failed) return fer_npz_commit(op.out, e);
    fer_npz_abandon(op.out);
    return -1;
}

/* ---- Somebody else's results ---- */

/* Counts a row and reports it. */
static void report_row(const struct fer_verify_row *row, struct fer_verify_summary *s,
                       void (*report)(void *context, const struct fer_verify_row *row), void *context)
{
    fer_verify_add_up(s, row);
    if (report) report(context, row);
}

/* The operation once more, with another option (name NULL: none) or a twist; its rows are in again->row. `given` has
 * room for one option more. */
static void run_again(const struct fer_op *op, const struct fer_op_option *option, enum fer_twist twist,
                      struct fer_judge *again, struct fer_op_option *given)
{
    struct fer_op other = *op;
    struct fer_error reason;
    int i;
    other.memory = NULL;
    other.written = 0;
    other.twist = twist;
    other.e = &reason;
    other.judge = again;
    *again = *op->judge;
    again->rows = 0;
    again->name = NULL;
    for (i = 0; i < op->given_count; i++)
        if (option->name && strcmp(op->given[i].name, option->name) == 0) break;
    memcpy(given, op->given, (size_t)op->given_count * sizeof *given);
    if (option->name) given[i] = *option;
    other.given = given;
    other.given_count = op->given_count + (option->name && i == op->given_count);
    other.operation->run(&other);
    fer_op_free(&other);
}

static struct fer_verify_row *find_row(struct fer_judge *judge, const char *array)
{
    int i;
    for (i = 0; i < judge->rows; i++)
        if (strcmp(judge->row[i].array, array) == 0) return &judge->row[i];
    return NULL;
}

/* What was at fault and is ok as a hypothesis has it, and more so than as any other has it, was done so. best[k]: the
 * largest error of result k by the best one so far, as a part of the likely bound. */
static void explain_wrong_results(const struct fer_op *op)
{
    struct fer_judge *again = fer_allocate(1, sizeof *again, NULL), *judge = op->judge;
    struct fer_op_option *given = fer_allocate((size_t)op->given_count + 1, sizeof *given, NULL);
    const struct fer_hypothesis *h;
    double best[FER_MOST_RESULTS];
    int i, k, wrong = 0;
    for (k = 0; k < judge->rows; k++) best[k] = INFINITY, wrong += fer_verify_is_at_fault(&judge->row[k]);
    for (i = 0; wrong && again && given && (h = fer_hypothesis(op->operation->name, i)) != NULL; i++) {
        run_again(op, &h->option, h->twist, again, given);
        for (k = 0; k < judge->rows; k++) {
            struct fer_verify_row *row = &judge->row[k], *other = find_row(again, row->array);
            if (!other || !fer_verify_is_at_fault(row) || other->verdict != FER_OK || other->likely >= best[k])
                continue;
            best[k] = other->likely;
            snprintf(row->reason, sizeof row->reason, "%s", h->words);
        }
    }
    fer_free(again);
    fer_free(given);
}

/* "y, dx: NaN is kept": row k, and those that follow the same; nothing when k was such a one. */
static void add_words(const struct fer_judge *judge, const char *const *followed, const int *differs, int k,
                      char words[FER_CASE_WORDS])
{
    const char *before = *words ? "; " : "";
    size_t at = strlen(words);
    int i;
    for (i = 0; i < k; i++)
        if (followed[i] == followed[k] && differs[i]) return;
    for (i = k; i < judge->rows && at < FER_CASE_WORDS; i++) {
        if (followed[i] != followed[k] || !differs[i]) continue;
        at += (size_t)snprintf(words + at, FER_CASE_WORDS - at, "%s%s", before, judge->row[i].array);
        before = ", ";
    }
    if (at < FER_CASE_WORDS) snprintf(words + at, FER_CASE_WORDS - at, ": %s", followed[k]);
}

/* Of each result the first way of this convention with which it is ok: that is its verdict then, and its words go to
 * `words` where another way would not do. */
static int follow_convention(const struct fer_op *op, const char *word, char words[FER_CASE_WORDS])
{
    struct fer_judge *again = fer_allocate(1, sizeof *again, op->e), *judge = op->judge;
    struct fer_op_option *given = fer_allocate((size_t)op->given_count + 1, sizeof *given, op->e);
    const struct fer_convention *c;
    const char *followed[FER_MOST_RESULTS] = {NULL};
    int differs[FER_MOST_RESULTS] = {0}, i, k, failed = !again || !given;
    for (i = 0; !failed && (c = fer_op_convention(op->operation->name, i)) != NULL; i++) {
        if (strcmp(c->word, word) != 0) continue;
        run_again(op, &c->option, c->twist, again, given);
        for (k = 0; k < judge->rows; k++) {
            const struct fer_verify_row *other = find_row(again, judge->row[k].array);
            if (!other || other->verdict >= FER_SUSPECT)
                differs[k] = 1;
            else if (!followed[k])
                followed[k] = c->words;
        }
    }
    for (k = 0; k < judge->rows; k++) {
        if (followed[k] && judge->row[k].verdict >= FER_SUSPECT) judge->row[k].verdict = FER_OK;
        if (followed[k] && differs[k]) add_words(judge, followed, differs, k, words);
    }
    fer_free(again);
    fer_free(given);
    return failed ? -1 : 0;
}

/* Runs the operation for its verdicts, in op->judge->row. Whatever comes of it, close_judged frees what was opened. */
static int judge(struct fer_op *op, const char *name, const char *in, const char *theirs, enum fer_unit unit,
                 enum fer_unit accumulate)
{
    struct fer_judge *j = op->judge;
    int failed;
    if (sizeof(real) < sizeof(double)) return fer_fail(op->e, "results are judged in float64: use fer64, or libfer64");
    if (find_operation(op, name) || check_options(op)) return -1;
    j->arithmetic = fer_arithmetic_of(unit, accumulate);
    j->is_input = fer_file_apart(theirs, in, NULL) != 0;
    if (fer_npz_open(&op->in, in, op->e) || fer_npz_open(&j->theirs, theirs, op->e) ||
        !(op->used = fer_allocate(fer_npz_count(op->in) + 1, 1, op->e)) ||
        !(j->used = fer_allocate(fer_npz_count(j->theirs) + 1, 1, op->e)))
        return -1;
    failed = op->operation->run(op);
    fer_op_free(op);
    return failed || j->failed ? -1 : 0;
}

static void close_judged(struct fer_op *op)
{
    fer_free(op->used);
    fer_free(op->judge->used);
    fer_npz_close(op->judge->theirs);
    fer_npz_close(op->in);
    fer_free(op->judge);
}

int fer_op_verify(const char *name, const char *in, const char *theirs, const struct fer_op_option *option, int options,
                  enum fer_unit unit, enum fer_unit accumulate,
                  void (*report)(void *context, const struct fer_verify_row *row), void *context,
                  struct fer_verify_summary *summary, struct fer_error *e)
{
    struct fer_op op = {0};
    struct fer_judge *j;
    int failed, i;
    size_t k;
    memset(summary, 0, sizeof *summary);
    op.given = option;
    op.given_count = options;
    op.e = e;
    if (!(op.judge = j = fer_allocate(1, sizeof *j, e))) return -1;
    failed = judge(&op, name, in, theirs, unit, accumulate);
    if (!failed && j->rows == 0)
        failed = fer_fail(e, "%s: holds no result of %s: expected y, dx, ..., as op writes them", theirs, name);
    if (!failed) explain_wrong_results(&op);
    for (i = 0; i < j->rows && !failed; i++) report_row(&j->row[i], summary, report, context);
    summary->absent = j->absent;
    for (k = 0; !failed && j->is_input && k < fer_npz_count(j->theirs); k++) j->used[k] |= op.used[k];
    if (!failed) summary->ignored = fer_npz_unused(j->theirs, j->used, summary->unused);
    close_judged(&op);
    return failed ? -1 : 0;
}

int fer_op_verify_case(const char *name, const char *in, const char *theirs, const struct fer_op_option *option,
                       int options, enum fer_unit unit, enum fer_unit accumulate, const char *convention,
                       struct fer_verify_row *worst, char words[FER_CASE_WORDS], struct fer_error *e)
{
    struct fer_op op = {0};
    struct fer_judge *j;
    int failed, i, rows;
    *words = 0;
    op.given = option;
    op.given_count = options;
    op.e = e;
    if (!(op.judge = j = fer_allocate(1, sizeof *j, e))) return -1;
    j->any_shape = 1;
    failed = judge(&op, name, in, theirs, unit, accumulate);
    if (!failed && *convention) failed = follow_convention(&op, convention, words);
    if (!failed) explain_wrong_results(&op);
    for (i = 0; i < j->rows; i++) {
        struct fer_verify_row *row = &j->row[i];
        if (row->verdict == FER_MISTRUSTED) row->verdict = FER_OK, *row->reason = 0; /* the case is meant so */
        if (i == 0 || row->verdict > worst->verdict || (row->verdict == worst->verdict && row->likely > worst->likely))
            *worst = *row;
    }
    rows = j->rows;
    close_judged(&op);
    return failed ? -1 : rows;
}
