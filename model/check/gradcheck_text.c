/* gradcheck_text.c - what `fer gradcheck` shows: a line for each argument of each geometry. */
#include "command.h"

void fer_gradcheck_text_row(void *context, const struct fer_gradcheck_row *row)
{
    struct fer_gradcheck_text *t = context;
    if (t->rows++ == 0)
        fprintf(t->out, "%-26s %-44s %-12s %6s %7s %10s  verdict (below %.0e)\n", "layer", "geometry", "argument",
                "checked", "skipped", "worst", FER_GRADCHECK_GOAL);
    fprintf(t->out, "%-26s %-44s %-12s %6zu %7zu %10.1e  %s", row->layer, row->geometry, row->argument,
            row->result.checked, row->result.skipped, row->result.worst,
            fer_gradcheck_passed(&row->result) ? "ok" : "FAILED");
    if (*row->worst_in) fprintf(t->out, ", worst in %s", row->worst_in);
    fprintf(t->out, "\n");
    fflush(t->out);
}
