/* op_judge.c - a result is written, or, where results of somebody else are there, they are judged by the rounding
 * bound. The operation computes its own from the same arguments, in float64; where there is a result of theirs by that
 * name it says how far rounding can go (bounds_*.c), and each element is tallied. What kind of mistake it is, mistake.c
 * says. */
#include "mistake.h"
#include "op.h"

#include "../../data/data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- A claim is begun ---- */

/* Theirs, or NULL. In the file of the arguments an argument is no result. */
static const struct fer_array *find_result(const struct fer_op *op, const char *name)
{
    const struct fer_judge *judge = op->judge;
    const struct fer_array *array = judge->theirs ? fer_npz_find(judge->theirs, name) : NULL;
    size_t i;
    for (i = 0; array && i < fer_npz_count(judge->theirs); i++) {
        if (fer_npz_at(judge->theirs, i) != array) continue;
        if (judge->is_input && op->used[i]) return NULL;
        judge->used[i] = 1;
    }
    return array;
}

static int has_shape(const struct fer_array *array, int dims, const size_t *shape)
{
    int d, same = array->dims == dims || (dims == 0 && array->count == 1);
    for (d = 0; same && d < dims; d++) same = array->shape[d] == shape[d];
    return same;
}

static int read_claim(struct fer_op *op, const struct fer_tensor *t, const struct fer_array *array)
{
    struct fer_judge *judge = op->judge;
    size_t shape[FER_MAX_DIMS], here[FER_MAX_DIMS] = {0};
    int axis[FER_MAX_DIMS], d;
    real *file;
    char expected[96], is[96];
    const int reordered = fer_op_shape_in_file(op, t, shape, axis);
    if (!has_shape(array, t->about.dims, shape)) {
        fer_format_shape(array->dims, array->shape, is);
        fer_format_shape(t->about.dims, shape, expected);
        if (judge->any_shape && (array->dims || array->count)) { /* of what cannot be read the shape is not known */
            snprintf(judge->misshapen, sizeof judge->misshapen, "shape %s: expected %s", is, expected);
            return judge->claimed = NULL, 0;
        }
        return fer_npz_fail(judge->theirs, array, op->e, "shape %s: expected %s", is, expected);
    }
    file = fer_op_allocate(op, array->count, sizeof *file);
    judge->claimed = reordered ? fer_op_allocate(op, array->count, sizeof *file) : file;
    judge->tally.truths = fer_op_allocate(op, array->count, sizeof(double));
    judge->tally.bounds = fer_op_allocate(op, array->count, sizeof(double));
    if (!file || !judge->claimed || !judge->tally.truths || !judge->tally.bounds ||
        fer_npz_read(judge->theirs, array, file, op->e))
        return -1;
    for (d = 0; d < t->about.dims; d++) here[d] = shape[axis[d]];
    if (reordered) fer_op_reorder(t->about.dims, here, axis, judge->claimed, file, 0);
    return 0;
}

int fer_op_claim(struct fer_op *op, const struct fer_tensor *t)
{
    struct fer_judge *judge = op->judge;
    const struct fer_array *array;
    if (!judge || op->trial || judge->failed) return 0;
    memset(&judge->tally, 0, sizeof judge->tally);
    judge->name = t->about.name;
    judge->claimed = NULL;
    *judge->misshapen = 0;
    array = find_result(op, t->about.name);
    if (!array) return 0;
    if (read_claim(op, t, array)) judge->failed = 1;
    if (judge->inexact && judge->arithmetic.sum > 0x1p-30) { /* computed in float32 or shorter */
        if (judge->arithmetic.factor < 0x1p-24) judge->arithmetic.factor = 0x1p-24;
        if (judge->arithmetic.input < 0x1p-24) judge->arithmetic.input = 0x1p-24;
    }
    return !judge->failed && judge->claimed;
}

/* ---- The bound ---- */

struct fer_sums *fer_op_sums(struct fer_op *op, const struct fer_tensor *t)
{
    struct fer_sums *s = fer_op_allocate(op, 1, sizeof *s);
    if (s) {
        s->count = t->about.count;
        s->truth = fer_op_allocate(op, s->count, sizeof(real));
        s->magnitude = fer_op_allocate(op, s->count, sizeof(real));
        s->roundings = fer_op_allocate(op, s->count, sizeof(real));
        s->part = fer_op_allocate(op, s->count, sizeof(real));
        if (s->truth && s->magnitude && s->roundings && s->part) return s;
    }
    op->judge->failed = 1;
    return NULL;
}

void fer_op_tally(struct fer_op *op, const struct fer_sums *s)
{
    fer_tally_sums(&op->judge->tally, &op->judge->arithmetic, s, op->judge->claimed);
}

real *fer_op_copy(struct fer_op *op, const struct fer_tensor *t)
{
    real *copy = fer_op_allocate(op, t->about.count, sizeof *copy);
    if (copy) memcpy(copy, t->values, t->about.count * sizeof *copy);
    if (!copy) op->judge->failed = 1;
    return copy;
}

void fer_op_judge_copies(struct fer_op *op, const struct fer_tensor *t)
{
    struct fer_sums *s = fer_op_claim(op, t) ? fer_op_sums(op, t) : NULL;
    if (!s) return;
    memcpy(s->part, t->values, s->count * sizeof *s->part);
    fer_sums_add_copies(s, &op->judge->arithmetic);
    fer_op_tally(op, s);
}

void fer_op_judge_columns(struct fer_op *op, const struct fer_tensor *t, const struct fer_tensor *of)
{
    struct fer_sums *s = fer_op_claim(op, t) ? fer_op_sums(op, t) : NULL;
    if (!s) return;
    fer_sums_add_columns(s, &op->judge->arithmetic, of->about.count / s->count, s->count, of->values);
    fer_op_tally(op, s);
}

void fer_op_judge_magnitudes(struct fer_op *op, const struct fer_tensor *t, double k, const real *magnitude)
{
    struct fer_sums *s = fer_op_sums(op, t);
    size_t i;
    if (!s || !magnitude) return;
    fer_sums_begin_terms(s, &op->judge->arithmetic);
    for (i = 0; i < s->count; i++) {
        s->truth[i] = t->values[i];
        s->magnitude[i] = magnitude[i] < 0 ? -magnitude[i] : magnitude[i];
        s->roundings[i] = (real)k;
    }
    fer_op_tally(op, s);
}

void fer_op_judge_roundings(struct fer_op *op, const struct fer_tensor *t, double k)
{
    if (k == 0)
        fer_op_judge_copies(op, t);
    else if (fer_op_claim(op, t))
        fer_op_judge_magnitudes(op, t, k, t->values);
}

/* ---- The verdict ---- */

static size_t index_in_file(const struct fer_op *op, const struct fer_tensor *t, size_t index)
{
    size_t shape[FER_MAX_DIMS], place[FER_MAX_DIMS], at = 0;
    int axis[FER_MAX_DIMS], d;
    fer_op_shape_in_file(op, t, shape, axis);
    for (d = t->about.dims - 1; d >= 0; d--) {
        place[axis[d]] = index % shape[axis[d]];
        index /= shape[axis[d]];
    }
    for (d = 0; d < t->about.dims; d++) at = at * shape[d] + place[d];
    return at;
}

/* What is wrong, in words. */
static void explain(const struct fer_judge *judge, const struct fer_tensor *t, struct fer_verify_row *row)
{
    const struct fer_tally *tally = &judge->tally;
    struct fer_compared c = {0};
    c.count = tally->count;
    c.truth = tally->truths, c.error = tally->bounds, c.claimed = judge->claimed;
    c.unit = judge->arithmetic.store > 0 ? judge->arithmetic.store : judge->arithmetic.sum;
    fer_mistake_axes(&c, t->meaning, t->about.dims, t->about.shape);
    row->wrong = fer_mistake_place(&c, row->pattern, sizeof row->pattern);
    if (!*row->reason) fer_mistake_kind(&c, row->reason, sizeof row->reason);
}

static int verdict(struct fer_op *op, const struct fer_tensor *t)
{
    struct fer_judge *judge = op->judge;
    const struct fer_tally *tally = &judge->tally;
    struct fer_verify_row row;
    size_t shape[FER_MAX_DIMS];
    int axis[FER_MAX_DIMS], d;
    memset(&row, 0, sizeof row);
    if (judge->failed) return -1;
    if (!judge->name || strcmp(judge->name, t->about.name) != 0) fer_op_claim(op, t);
    if (judge->failed) return -1;
    if (!judge->claimed && !*judge->misshapen) return judge->absent++, 0;
    fer_op_shape_in_file(op, t, shape, axis);
    snprintf(row.array, sizeof row.array, "%s", t->about.name);
    row.elements = t->about.count;
    row.dims = t->about.dims < 4 ? t->about.dims : 4;
    for (d = 0; d < row.dims; d++) row.shape[d] = shape[d];
    if (*judge->misshapen) {
        row.verdict = FER_WRONG;
        row.proven = row.likely = INFINITY;
        snprintf(row.reason, sizeof row.reason, "%s", judge->misshapen);
    } else if (tally->count == 0) {
        row.verdict = FER_NOT_CHECKABLE;
        snprintf(row.reason, sizeof row.reason, "there is no bound of this result");
    } else {
        fer_tally_conclude(tally, &row);
        row.index = index_in_file(op, t, row.index);
        if (fer_verify_is_at_fault(&row)) explain(judge, t, &row);
    }
    if (judge->rows < FER_MOST_RESULTS) judge->row[judge->rows++] = row;
    judge->name = NULL;
    return 0;
}

/* ---- Or it is written ---- */

/* A copy of the values in the file's layout and its shape; NULL: no memory. */
static real *lay_out(struct fer_op *op, const struct fer_tensor *t, size_t shape[FER_MAX_DIMS])
{
    int axis[FER_MAX_DIMS], d;
    size_t here[FER_MAX_DIMS] = {0};
    real *file = fer_allocate(t->about.count, sizeof *file, op->e);
    if (!file) return NULL;
    fer_op_shape_in_file(op, t, shape, axis);
    for (d = 0; d < t->about.dims; d++) here[d] = shape[axis[d]];
    fer_op_reorder(t->about.dims, here, axis, t->values, file, 1);
    return file;
}

/* A result that stands in the input file, and was no argument, is the caller's own: float64 judges it. */
static void note_own_result(struct fer_op *op, const char *name)
{
    const struct fer_array *array = fer_npz_find(op->in, name);
    size_t i;
    for (i = 0; array && sizeof(real) == sizeof(double) && i < fer_npz_count(op->in); i++)
        if (fer_npz_at(op->in, i) == array && !op->used[i]) op->used[i] = 1, op->own++;
}

int fer_op_write(struct fer_op *op, const struct fer_tensor *t)
{
    size_t shape[FER_MAX_DIMS];
    real *values = NULL;
    int failed;
    if (op->trial) return op->fits = 1, op->first = t->about, -1;
    if (op->judge) return op->written++, verdict(op, t);
    if (!op->out && fer_npz_create(&op->out, op->out_path, op->e)) return -1;
    op->written++;
    note_own_result(op, t->about.name);
    if (op->nchw && !(values = lay_out(op, t, shape))) return -1;
    failed = fer_npz_write(op->out, t->about.name, FER_REAL_TYPE, t->about.dims, values ? shape : t->about.shape,
                           values ? values : t->values, op->e);
    fer_free(values);
    return failed;
}
