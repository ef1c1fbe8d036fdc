/* op.c - `fer op`: the operation of this name (op_layers.c) on arrays from a file. */
#include "op.h"

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
    s->rows[row->verdict]++;
    if (row->verdict == FER_MISTRUSTED && !*s->first_mistrusted)
        snprintf(s->first_mistrusted, sizeof s->first_mistrusted, "%s", row->array);
    if (row->verdict == FER_WRONG && !*s->first_wrong)
        snprintf(s->first_wrong, sizeof s->first_wrong, "%s", row->array);
    if (fer_verify_is_at_fault(row) && !*s->first) {
        snprintf(s->first, sizeof s->first, "%s", row->array);
        snprintf(s->first_pattern, sizeof s->first_pattern, "%s", row->pattern);
        snprintf(s->first_reason, sizeof s->first_reason, "%s", row->reason);
        s->first_verdict = row->verdict;
    }
    if (report) report(context, row);
}

/* The operation once more, as the hypothesis has it: what was at fault and is ok now, and more so than by any other, was
 * done so. best[k]: the largest error of result k by the best one so far, as a part of the likely bound. */
static void try_hypothesis(const struct fer_op *op, const struct fer_hypothesis *h, struct fer_judge *again,
                           struct fer_op_option *given, double best[FER_MOST_RESULTS])
{
    struct fer_judge *first = op->judge;
    struct fer_op other = *op;
    struct fer_error reason;
    int i, k;
    other.memory = NULL;
    other.written = 0;
    other.twist = h->twist;
    other.e = &reason;
    other.judge = again;
    *again = *first;
    again->rows = 0;
    again->name = NULL;
    for (i = 0; i < op->given_count; i++)
        if (h->option.name && strcmp(op->given[i].name, h->option.name) == 0) break;
    memcpy(given, op->given, (size_t)op->given_count * sizeof *given);
    if (h->option.name) given[i] = h->option;
    other.given = given;
    other.given_count = op->given_count + (h->option.name && i == op->given_count);
    other.operation->run(&other);
    fer_op_free(&other);
    for (i = 0; i < again->rows; i++)
        for (k = 0; k < first->rows; k++)
            if (strcmp(first->row[k].array, again->row[i].array) == 0 && fer_verify_is_at_fault(&first->row[k]) &&
                again->row[i].verdict == FER_OK && again->row[i].likely < best[k]) {
                best[k] = again->row[i].likely;
                snprintf(first->row[k].reason, sizeof first->row[k].reason, "%s", h->words);
            }
}

static void explain_wrong_results(const struct fer_op *op)
{
    struct fer_judge *again = fer_allocate(1, sizeof *again, NULL);
    struct fer_op_option *given = fer_allocate((size_t)op->given_count + 1, sizeof *given, NULL);
    double best[FER_MOST_RESULTS];
    int i, wrong = 0;
    for (i = 0; i < op->judge->rows; i++) best[i] = INFINITY, wrong += fer_verify_is_at_fault(&op->judge->row[i]);
    for (i = 0; wrong && again && given && fer_hypothesis(op->operation->name, i); i++)
        try_hypothesis(op, fer_hypothesis(op->operation->name, i), again, given, best);
    fer_free(again);
    fer_free(given);
}

/* Runs the operation for its verdicts. */
static int judge(struct fer_op *op, const char *theirs)
{
    const int failed = op->operation->run(op);
    fer_op_free(op);
    if (failed || op->judge->failed) return -1;
    if (op->judge->rows == 0)
        return fer_fail(op->e, "%s: holds no result of %s: expected y, dx, ..., as op writes them", theirs,
                        op->operation->name);
    explain_wrong_results(op);
    return 0;
}

int fer_op_verify(const char *name, const char *in, const char *theirs, const struct fer_op_option *option, int options,
                  enum fer_unit unit, enum fer_unit accumulate,
                  void (*report)(void *context, const struct fer_verify_row *row), void *context,
                  struct fer_verify_summary *summary, struct fer_error *e)
{
    struct fer_judge *j;
    struct fer_op op = {0};
    int failed, i;
    size_t k;
    memset(summary, 0, sizeof *summary);
    if (sizeof(real) < sizeof(double)) return fer_fail(e, "results are judged in float64: use fer64, or libfer64");
    op.given = option;
    op.given_count = options;
    op.e = e;
    if (find_operation(&op, name) || check_options(&op) || !(j = fer_allocate(1, sizeof *j, e))) return -1;
    op.judge = j;
    j->arithmetic = fer_arithmetic_of(unit, accumulate);
    j->is_input = fer_file_apart(theirs, in, NULL) != 0;
    failed = fer_npz_open(&op.in, in, e) || fer_npz_open(&j->theirs, theirs, e);
    op.used = failed ? NULL : fer_allocate(fer_npz_count(op.in) + 1, 1, e);
    j->used = failed ? NULL : fer_allocate(fer_npz_count(j->theirs) + 1, 1, e);
    failed = !op.used || !j->used || judge(&op, theirs);
    for (i = 0; i < j->rows && !failed; i++) report_row(&j->row[i], summary, report, context);
    summary->absent = j->absent;
    for (k = 0; !failed && j->is_input && k < fer_npz_count(j->theirs); k++) j->used[k] |= op.used[k];
    if (!failed) summary->ignored = fer_npz_unused(j->theirs, j->used, summary->unused);
    fer_free(op.used);
    fer_free(j->used);
    fer_npz_close(j->theirs);
    fer_npz_close(op.in);
    fer_free(j);
    return failed ? -1 : 0;
}
