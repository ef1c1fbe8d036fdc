/* cases_text.c - what `fer verify DIR ANSWERS` shows: a line or a JSON object for each case that is answered, then a
 * sum of each layer. */
#include "command.h"

#include <string.h>

static const char *const names[FER_CASE_VERDICTS] = {"ok", "convention", "suspect", "WRONG", "no answer"};

/* ---- The table ---- */

static void write_row(FILE *out, const struct fer_case_row_judged *row)
{
    const struct fer_verify_row *worst = &row->worst;
    char index[96] = "", proven[32] = "", likely[32] = "";
    if (row->verdict == FER_CASE_UNANSWERED) return; /* counted in the sum */
    fer_format_index(worst->index, worst->dims, worst->shape, index);
    fer_format_ratio(worst->proven, proven);
    fer_format_ratio(worst->likely, likely);
    fprintf(out, "%-44s %-14s %9s %9s %-14s %15.8g %15.8g  %s", row->name, worst->array, proven, likely, index,
            worst->value, worst->truth, names[row->verdict]);
    if (row->verdict == FER_CASE_CONVENTION) fprintf(out, ": %s", row->words);
    if (row->verdict != FER_CASE_CONVENTION && *worst->reason) fprintf(out, ": %s", worst->reason);
    fprintf(out, "\n");
}

static void write_sum(FILE *out, const char *name, const struct fer_cases_sum *sum)
{
    const size_t *cases = sum->cases;
    const size_t answered =
        cases[FER_CASE_OK] + cases[FER_CASE_CONVENTION] + cases[FER_CASE_SUSPECT] + cases[FER_CASE_WRONG];
    fprintf(out, "%-26s %6zu %9zu %6zu %8zu %6zu %11zu\n", name, answered + cases[FER_CASE_UNANSWERED], answered,
            cases[FER_CASE_OK], cases[FER_CASE_SUSPECT], cases[FER_CASE_WRONG], cases[FER_CASE_CONVENTION]);
}

static void write_summary(FILE *out, const struct fer_cases_summary *s)
{
    int i;
    fprintf(out, "\n%-26s %6s %9s %6s %8s %6s %11s\n", "layer", "cases", "answered", "ok", "suspect", "WRONG",
            "convention");
    for (i = 0; i < s->layers; i++) write_sum(out, s->layer[i].name, &s->layer[i]);
    if (s->layers > 1) write_sum(out, "all", &s->all);
    if (s->strangers)
        fprintf(out, "%zu file%s no case's answer: %s%s\n", s->strangers, s->strangers == 1 ? " is" : "s are",
                s->stranger, s->strangers == 1 ? "" : ", ...");
}

/* ---- JSON ---- */

static void write_json_head(struct fer_cases_text *t)
{
    struct fer_json *j = &t->json;
    j->out = t->out;
    fer_json_open(j, NULL, '{');
    fer_json_string(j, "fer", FER_VERSION);
    fer_json_string(j, "cases", t->dir);
    fer_json_string(j, "answers", t->answers);
    fer_json_string(j, "unit", fer_unit_names[t->options->unit]);
    fer_json_string(j, "accumulate", fer_unit_names[t->options->accumulate]);
    fer_json_open(j, "verdicts", '[');
}

static void write_json_row(struct fer_json *j, const struct fer_case_row_judged *row)
{
    const struct fer_verify_row *worst = &row->worst;
    char index[96];
    fer_json_line(j, "  ");
    fer_json_open(j, NULL, '{');
    fer_json_string(j, "case", row->name);
    fer_json_string(j, "layer", row->layer);
    fer_json_string(j, "verdict", names[row->verdict]);
    if (row->verdict != FER_CASE_UNANSWERED) {
        fer_format_index(worst->index, worst->dims, worst->shape, index);
        fer_json_string(j, "array", worst->array);
        fer_json_number(j, "proven_ratio", worst->proven);
        fer_json_number(j, "likely_ratio", worst->likely);
        fer_json_string(j, "index", index);
        fer_json_number(j, "value", worst->value);
        fer_json_number(j, "truth", worst->truth);
        fer_json_number(j, "proven_bound", worst->proven_bound);
        fer_json_number(j, "likely_bound", worst->likely_bound);
        fer_json_string(j, "convention", row->words);
        fer_json_string(j, "reason", worst->reason);
    }
    fer_json_close(j, '}');
}

static void write_json_sum(struct fer_json *j, const char *name, const struct fer_cases_sum *sum)
{
    int i;
    fer_json_line(j, "  ");
    fer_json_open(j, name, '{');
    for (i = 0; i < FER_CASE_VERDICTS; i++) fer_json_count(j, names[i], sum->cases[i]);
    fer_json_close(j, '}');
}

static void write_json_summary(struct fer_json *j, const struct fer_cases_summary *s)
{
    int i;
    fer_json_line(j, " ");
    fer_json_open(j, "layers", '{');
    for (i = 0; i < s->layers; i++) write_json_sum(j, s->layer[i].name, &s->layer[i]);
    fer_json_close(j, '}');
    write_json_sum(j, "all", &s->all);
    fer_json_count(j, "no_case", s->strangers);
}

/* ---- Both ---- */

void fer_cases_text_row(void *context, const struct fer_case_row_judged *row)
{
    struct fer_cases_text *t = context;
    if (t->rows++ == 0 && t->is_json)
        write_json_head(t);
    else if (t->rows == 1)
        fprintf(t->out, "%-44s %-14s %9s %9s %-14s %15s %15s  verdict\n", "case", "array", "of proven", "of likely",
                "worst at", "value", "truth");
    if (t->is_json)
        write_json_row(&t->json, row);
    else
        write_row(t->out, row);
}

void fer_cases_text_end(struct fer_cases_text *t, const struct fer_cases_summary *summary)
{
    if (t->is_json && t->rows) {
        fer_json_close(&t->json, ']');
        if (summary) write_json_summary(&t->json, summary);
        fer_json_close(&t->json, '}');
    } else if (summary)
        write_summary(t->out, summary);
}
