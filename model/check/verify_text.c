/* verify_text.c - what `fer verify` shows: a line or a JSON object for each array, then the sum of them. */
#include "command.h"

#include <string.h>

/* ---- The table ---- */

static void write_head(FILE *out)
{
    fprintf(out, "%-42s %9s %9s %9s %-18s %15s %15s  verdict\n", "array", "elements", "of proven", "of likely",
            "worst at", "value", "truth");
}

static void write_words(FILE *out, const char *pattern, const char *reason)
{
    if (*pattern) fprintf(out, ": %s", pattern);
    if (*reason) fprintf(out, ": %s", reason);
}

static void write_row(FILE *out, const struct fer_verify_row *row)
{
    char index[96] = "", proven[32], likely[32];
    fprintf(out, "%-42s %9zu ", row->array, row->elements);
    if (row->verdict == FER_NOT_CHECKABLE)
        fprintf(out, "%9s %9s %-18s %15s %15s", "", "", "", "", "");
    else {
        fer_format_index(row->index, row->dims, row->shape, index);
        fer_format_ratio(row->proven, proven);
        fer_format_ratio(row->likely, likely);
        fprintf(out, "%9s %9s %-18s %15.8g %15.8g", proven, likely, index, row->value, row->truth);
    }
    fprintf(out, "  %s", fer_verdict_names[row->verdict]);
    if (row->chain) fprintf(out, "  through %s, sees %.1g", row->through, row->sees);
    write_words(out, row->pattern, row->reason);
    if (*row->writers) fprintf(out, " (written by %s)", row->writers);
    fprintf(out, "\n");
}

static void write_summary(FILE *out, const struct fer_verify_summary *s)
{
    const size_t *rows = s->rows, checked = rows[FER_OK] + rows[FER_MISTRUSTED] + rows[FER_SUSPECT] + rows[FER_WRONG];
    fprintf(out, "\n%zu arrays checked: %zu ok, %zu WRONG, %zu suspect, %zu MISTRUSTED; ", checked, rows[FER_OK],
            rows[FER_WRONG], rows[FER_SUSPECT], rows[FER_MISTRUSTED]);
    fprintf(out, "%zu not checkable; %zu not in the record; %zu unknown\n", rows[FER_NOT_CHECKABLE], s->absent,
            s->ignored);
    if (*s->first) {
        fprintf(out, "first at fault: %s, %s", s->first, fer_verdict_names[s->first_verdict]);
        if (*s->first_writers) fprintf(out, " (written by %s)", s->first_writers);
        write_words(out, s->first_pattern, s->first_reason);
        if (s->first_verdict != FER_WRONG && *s->first_wrong)
            fprintf(out, "; the first that is WRONG: %s", s->first_wrong);
        fprintf(out, "\n");
    } else if (*s->first_mistrusted)
        fprintf(out, "nothing is at fault, but %zu arrays prove nothing; the first: %s, MISTRUSTED\n",
                rows[FER_MISTRUSTED] - s->by_nature, s->first_mistrusted);
    else
        fprintf(out, "no array is at fault\n");
}

/* ---- JSON ---- */

static void write_json_head(struct fer_verify_text *t)
{
    struct fer_json *j = &t->json;
    char options[FER_VERIFY_WORDS];
    j->out = t->out;
    if (t->said)
        snprintf(options, sizeof options, "%s", t->said);
    else
        fer_verify_options_text(t->options, options);
    fer_json_open(j, NULL, '{');
    fer_json_string(j, "fer", FER_VERSION);
    fer_json_string(j, "record", t->path);
    fer_json_string(j, "unit", fer_unit_names[t->options->unit]);
    fer_json_string(j, "accumulate", fer_unit_names[t->options->accumulate]);
    if (*options) fer_json_string(j, "options", options);
    if (t->options->parts) fer_json_value(j, "part", "[%d, %d]", t->options->part, t->options->parts);
    fer_json_open(j, "arrays", '[');
}

static void write_json_row(struct fer_json *j, const struct fer_verify_row *row)
{
    char index[96];
    fer_json_line(j, "  ");
    fer_json_open(j, NULL, '{');
    fer_json_string(j, "array", row->array);
    fer_json_string(j, "verdict", fer_verdict_names[row->verdict]);
    fer_json_count(j, "elements", row->elements);
    if (row->verdict != FER_NOT_CHECKABLE) {
        fer_format_index(row->index, row->dims, row->shape, index);
        fer_json_number(j, "ratio", row->verdict == FER_WRONG ? row->proven : row->likely);
        fer_json_number(j, "proven_ratio", row->proven);
        fer_json_number(j, "likely_ratio", row->likely);
        fer_json_value(j, "index", "%s", index);
        fer_json_number(j, "value", row->value);
        fer_json_number(j, "truth", row->truth);
        fer_json_number(j, "proven_bound", row->proven_bound);
        fer_json_number(j, "likely_bound", row->likely_bound);
    }
    fer_json_value(j, "by_nature", row->by_nature ? "true" : "false");
    fer_json_string(j, "written_by", row->writers);
    if (row->chain) {
        fer_json_string(j, "through", row->through);
        fer_json_count(j, "layers_through", (size_t)row->chain);
        fer_json_number(j, "sees", row->sees);
        fer_json_value(j, "weak", row->weak ? "true" : "false");
    }
    if (row->wrong) {
        fer_json_count(j, "wrong", row->wrong);
        fer_json_string(j, "pattern", row->pattern);
    }
    fer_json_string(j, "reason", row->reason);
    fer_json_close(j, '}');
}

static void write_json_summary(struct fer_json *j, const struct fer_verify_summary *s)
{
    int i;
    fer_json_line(j, " ");
    fer_json_open(j, "arrays_with_verdict", '{');
    for (i = 0; i < FER_VERDICTS; i++) fer_json_count(j, fer_verdict_names[i], s->rows[i]);
    fer_json_close(j, '}');
    fer_json_line(j, " ");
    fer_json_count(j, "mistrusted_by_nature", s->by_nature);
    fer_json_count(j, "not_in_the_record", s->absent);
    fer_json_count(j, "unknown", s->ignored);
    fer_json_string(j, "unknown_names", s->unused);
    fer_json_line(j, " ");
    fer_json_string_or_null(j, "first_at_fault", s->first);
    fer_json_string_or_null(j, "first_wrong", s->first_wrong);
    fer_json_string_or_null(j, "only_consumers_of", s->only_consumers_of);
    fer_json_string_or_null(j, "first_mistrusted", s->first_mistrusted);
}

/* ---- Both ---- */

void fer_verify_text_row(void *context, const struct fer_verify_row *row)
{
    struct fer_verify_text *t = context;
    if (t->rows++ == 0) {
        if (t->is_json)
            write_json_head(t);
        else
            write_head(t->out);
    }
    if (t->is_json)
        write_json_row(&t->json, row);
    else
        write_row(t->out, row);
    fflush(t->out);
}

void fer_verify_text_end(struct fer_verify_text *t, const struct fer_verify_summary *summary)
{
    if (summary && summary->ignored)
        fprintf(stderr, "fer: %s: %zu array%s not used: %s\n", t->path, summary->ignored,
                summary->ignored == 1 ? " is" : "s are", summary->unused);
    if (t->is_json && summary && t->rows++ == 0) write_json_head(t); /* a part in which nothing is */
    if (t->is_json && t->rows) {
        fer_json_close(&t->json, ']');
        if (summary) write_json_summary(&t->json, summary);
        fer_json_close(&t->json, '}');
    } else if (summary)
        write_summary(t->out, summary);
}
