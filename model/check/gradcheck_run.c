/* gradcheck_run.c - what the cases of the gradient check lean on: rows are counted and reported, sums are exact. */
#include "gradcheck.h"

#include <stdio.h>

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

double fer_gradcheck_dot(size_t count, const real *a, const real *b)
{
    double sum = 0, carry = 0;
    size_t i;
    for (i = 0; i < count; i++) {
        const double term = (double)a[i] * (double)b[i], next = sum + term;
        carry += magnitude(sum) >= magnitude(term) ? (sum - next) + term : (term - next) + sum;
        sum = next;
    }
    return sum + carry;
}

void fer_gradcheck_report(struct fer_gradcheck_run *run, const struct fer_gradcheck_row *row)
{
    run->rows++;
    if (!fer_gradcheck_passed(&row->result)) run->failed++;
    if (run->report) run->report(run->context, row);
}

int fer_gradcheck_argument(struct fer_gradcheck_run *run, const char *geometry, const char *argument,
                           double (*f)(void *context), void *context, real *x, real *claimed, size_t count,
                           struct fer_error *e)
{
    struct fer_gradcheck_row row = {0};
    if (run->instead) return run->instead(run, f, context, x, claimed, count, e);
    row.layer = run->layer;
    snprintf(row.geometry, sizeof row.geometry, "%s", geometry);
    snprintf(row.argument, sizeof row.argument, "%s", argument);
    if (fer_gradcheck_function(f, context, x, claimed, count, FER_GRADCHECK_MOST, FER_GRADCHECK_STEP, run->seed,
                               &row.result, e))
        return -1;
    fer_gradcheck_report(run, &row);
    return 0;
}
