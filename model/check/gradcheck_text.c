/* gradcheck_text.c - what `fer gradcheck` shows: a line for each argument of each geometry. */
#include "command.h"

void fer_gradcheck_text_row(void *context, const struct fer_gradcheck_row *row)
{
    struct fer_gradcheck_text *text = context;
    struct fer_gradcheck result = row->result;
    const struct fer_gradcheck *r = &result;
    const double slope = r->measured < 0 ? -r->measured : r->measured;
    const int unsaid = text->strict && r->skipped > 0 && fer_gradcheck_passed(r);
    if (unsaid) result.strict = 1, text->unsaid++;
    if (text->rows++ == 0)
        fprintf(text->out, "%-26s %-44s %-12s %6s %5s %10s %10s %10s  verdict\n", "layer", "geometry", "argument", "ok",
                "WRONG", "cannot say", "worst", "allowed");
    fprintf(text->out, "%-26s %-44s %-12s %6lu %5lu %10lu %10.1e %10.1e  %s%s%s%s%s\n", row->layer, row->geometry,
            row->argument, (unsigned long)(r->checked - r->wrong), (unsigned long)r->wrong, (unsigned long)r->skipped,
            r->worst, r->error / (slope > 0 ? slope : 1), 
            fer_gradcheck_passed(r) ? "ok" : unsaid ? "cannot say" : "WRONG",
            *row->worst_in ? ", worst in " : "", row->worst_in, *r->reason ? ": " : "", r->reason);
    fflush(text->out);
}

int fer_gradcheck_text_values(struct fer_gradcheck_text *t, const char *path, struct fer_error *e)
{
    struct fer_gradcheck_row row = {0};
    if (fer_gradcheck_values(path, &row.result, e)) return -1;
    row.layer = "values";
    snprintf(row.geometry, sizeof row.geometry, "%zu points", row.result.calls);
    snprintf(row.argument, sizeof row.argument, "x");
    fer_gradcheck_text_row(t, &row);
    return !fer_gradcheck_passed(&row.result) || t->unsaid;
}

int fer_gradcheck_text_points(struct fer_gradcheck_text *t, const char *in, const char *out, struct fer_error *e)
{
    size_t points;
    if (!out) return fer_fail(e, "gradcheck --points: expected -o and the file to write");
    if (fer_gradcheck_points(in, out, &points, e)) return -1;
    fprintf(t->out, "%s: %zu points: compute y at each, then `gradcheck --values` of a file with x, dx and y\n", out,
            points);
    return 0;
}
