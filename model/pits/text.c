/* text.c - what `fer pits` shows: the pits of a log, and the outcome of each experiment, as text or as JSON. */
#include "command.h"
#include "pits.h"

#include <string.h>

/* ---- Text ---- */

static void write_heading(FILE *out, const char *where, int is_run, int named, const struct fer_log *log,
                          const struct fer_pits_choice *c)
{
    char line[FER_PITS_LINE];
    fprintf(out, "%s: %ld epoch%s", where, log->count, log->count == 1 ? "" : "s");
    if (c->runs > 1) fprintf(out, " of %ld runs", c->runs);
    if (c->unknown && is_run) fprintf(out, ", %ld of them without val_accuracy and val_loss", c->unknown);
    if (c->unknown && !is_run) fprintf(out, ", rows without val_accuracy and val_loss passed over: %ld", c->unknown);
    if (named) {
        fprintf(out, ", one is looked at\n");
        return;
    }
    if (c->count)
        fprintf(out, ", %ld pit%s", c->count, c->count == 1 ? "" : "s");
    else
        fprintf(out, ", no pit");
    fprintf(out, " (a run's first three epochs and its last cannot be judged)\n");
    if (!is_run && c->images) fprintf(out, "%s over %zu images, by %s\n", c->name, c->images, c->images_from);
    if (c->count || c->deepest.epoch < 0) return;
    fer_pits_describe(line, log, c, &c->deepest);
    fprintf(out, "the deepest dip: %s%s\n", line, is_run ? "; --epoch looks into it" : "");
}

void fer_pits_describe(char line[FER_PITS_LINE], const struct fer_log *log, const struct fer_pits_choice *c,
                       const struct fer_pit *p)
{
    int in_loss;
    const double noises = fer_pits_noises(p, &in_loss);
    snprintf(line, FER_PITS_LINE,
             "epoch %ld (line %ld), %.60s %.4f where %.4f was to be expected, %.1f times the noise%s",
             log->epoch[p->epoch], log->line[p->epoch], in_loss ? "val_loss" : c->name, in_loss ? p->loss : p->accuracy,
             in_loss ? p->loss_level : p->level, noises,
             !c->can_judge[p->epoch]       ? ": not judged"
             : noises >= FER_DIP_THRESHOLD ? ": no pit by the rule"
                                           : "");
}

void fer_pits_describe_lost(char line[FER_PITS_LINE], const struct fer_log *log, const struct fer_pits_choice *c,
                            const struct fer_pits_lost *lost)
{
    int length = snprintf(line, FER_PITS_LINE, "from epoch %ld (line %ld) on ", log->epoch[lost->row],
                          log->line[lost->row]);
    if (lost->is_nan) length += snprintf(line + length, FER_PITS_LINE - 100, "val_loss is no number");
    if (lost->is_nan && lost->in_loss) return;
    snprintf(line + length, FER_PITS_LINE - 150, "%s%.60s %.4f where %.4f was before", lost->is_nan ? "; " : "",
             lost->in_loss ? "val_loss" : c->name, log->row[lost->row][lost->in_loss ? 3 : 2], lost->level);
}

/* What is no pit: dips, and falls from which a run does not come back. */
static void write_others(FILE *out, const struct fer_log *log, const struct fer_pits_choice *c)
{
    char line[FER_PITS_LINE];
    long i;
    for (i = 0; i < c->dips; i++) {
        if (!c->count && c->dip[i].epoch == c->deepest.epoch) continue; /* the heading has it */
        fer_pits_describe(line, log, c, &c->dip[i]);
        fprintf(out, "a dip: %s\n", line);
    }
    for (i = 0; i < c->losses; i++) {
        fer_pits_describe_lost(line, log, c, &c->lost[i]);
        fprintf(out, "a fall without return: %s\n", line);
    }
}

static void write_pit(FILE *out, const char *name, const struct fer_pit *p, long epoch, long line, const char *seen)
{
    fprintf(out, "epoch %ld (line %ld): ", epoch, line);
    if (p->accuracy == p->accuracy)
        fprintf(out, "%s %.4f where %.4f was to be expected: depth %.4f, noise %.4f; ", name, p->accuracy, p->level,
                p->depth, p->noise);
    if (p->loss == p->loss) fprintf(out, "val_loss %.4f where %.4f; ", p->loss, p->loss_level);
    if (p->in_accuracy || p->in_loss)
        fprintf(out, "a pit in %s\n", seen);
    else
        fprintf(out, "no pit by the rule\n");
}

static void write_row(FILE *out, const struct fer_pit_row *row)
{
    char recovered[32] = "", accuracy[32] = "", loss[32] = "";
    if (row->val_accuracy == row->val_accuracy) snprintf(accuracy, sizeof accuracy, "%.4f", row->val_accuracy);
    if (row->val_loss == row->val_loss) snprintf(loss, sizeof loss, "%.4f", row->val_loss);
    if (row->recovered == row->recovered) snprintf(recovered, sizeof recovered, "%.0f %%", 100 * row->recovered);
    fprintf(out, "  %-10s %-66s %9s %9s %9s\n", row->experiment, row->detail, accuracy, loss, recovered);
}

static void write_best_layers(struct fer_pits_text *t)
{
    const struct fer_pit_row *best[FER_PITS_BEST];
    const int count = fer_pits_table_best_layers(t->table, best);
    int i;
    for (i = 0; i < count; i++) write_row(t->out, best[i]);
}

/* ---- JSON ---- */

static void write_json_pit(struct fer_json *j, const struct fer_pit *p, long epoch, long line, const char *seen)
{
    fer_json_line(j, "  ");
    fer_json_open(j, NULL, '{');
    fer_json_value(j, "epoch", "%ld", epoch);
    fer_json_value(j, "line", "%ld", line);
    fer_json_string(j, "seen_in", seen);
    fer_json_number_or_null(j, "val_accuracy", p->accuracy);
    fer_json_number_or_null(j, "level", p->level);
    fer_json_number_or_null(j, "depth", p->depth);
    fer_json_number_or_null(j, "noise", p->noise);
    fer_json_number_or_null(j, "val_loss", p->loss);
    fer_json_number_or_null(j, "loss_level", p->loss_level);
}

/* Returns the conclusion's words. */
static const char *write_json_experiments(struct fer_json *j, const struct fer_pits_table *t)
{
    const char *conclusion = "";
    size_t i;
    fer_json_line(j, "   ");
    fer_json_open(j, "experiments", '[');
    for (i = 0; i < t->rows; i++) {
        const struct fer_pit_row *row = &t->row[i];
        if (row->epoch != t->epoch) continue;
        if (strcmp(row->experiment, "conclusion") == 0) {
            conclusion = row->detail;
            continue;
        }
        fer_json_line(j, "    ");
        fer_json_open(j, NULL, '{');
        fer_json_string(j, "experiment", row->experiment);
        fer_json_string(j, "detail", row->detail);
        fer_json_number_or_null(j, "val_accuracy", row->val_accuracy);
        fer_json_number_or_null(j, "val_loss", row->val_loss);
        fer_json_number_or_null(j, "recovered", row->recovered);
        fer_json_close(j, '}');
    }
    fer_json_close(j, ']');
    return conclusion;
}

/* One figure of each layer that has it, or two. */
static void write_json_layers(struct fer_json *j, const struct fer_network *network, const char *name,
                              const double *value, const double *second)
{
    int i;
    fer_json_open(j, name, '{');
    for (i = 0; i < network->layers; i++) {
        const double finite = value[i] - value[i] == 0 ? value[i] : 1e308;
        if (value[i] == 0) continue;
        if (second)
            fer_json_value(j, network->layer[i].name, "[%.4g, %.4g]", finite, second[i]);
        else
            fer_json_value(j, network->layer[i].name, "%.4g", finite);
    }
    fer_json_close(j, '}');
}

static void write_json_steps(struct fer_json *j, const struct fer_network *network, const struct fer_pits_table *t)
{
    size_t i;
    fer_json_line(j, "   ");
    fer_json_open(j, "steps", '[');
    for (i = 0; i < t->steps; i++) {
        const struct fer_pit_step *s = &t->step[i];
        fer_json_line(j, "    ");
        fer_json_open(j, NULL, '{');
        fer_json_value(j, "step", "%ld", s->step);
        fer_json_value(j, "images", "%d", s->images);
        fer_json_number(j, "loss", s->loss);
        write_json_layers(j, network, "update", s->update, NULL);
        write_json_layers(j, network, "drive", s->drive, NULL);
        write_json_layers(j, network, "distance", s->distance, s->distance_rms);
        write_json_layers(j, network, "variance_ratio", s->ratio, NULL);
        fer_json_close(j, '}');
    }
    fer_json_close(j, ']');
}

static void write_json_others(struct fer_json *j, const struct fer_log *log, const struct fer_pits_choice *c)
{
    int in_loss;
    long i;
    fer_json_line(j, " ");
    fer_json_open(j, "dips", '[');
    for (i = 0; i < c->dips; i++) {
        const double noises = fer_pits_noises(&c->dip[i], &in_loss);
        fer_json_open(j, NULL, '{');
        fer_json_value(j, "epoch", "%ld", log->epoch[c->dip[i].epoch]);
        fer_json_number_or_null(j, "val_accuracy", c->dip[i].accuracy);
        fer_json_number_or_null(j, "level", c->dip[i].level);
        fer_json_number_or_null(j, "noises", noises);
        fer_json_string(j, "seen_in", in_loss ? "loss" : "accuracy");
        fer_json_value(j, "judged", c->can_judge[c->dip[i].epoch] ? "true" : "false");
        fer_json_close(j, '}');
    }
    fer_json_close(j, ']');
    if (c->losses)
        fer_json_value(j, "lost_from", "%ld", log->epoch[c->lost->row]);
    else
        fer_json_value(j, "lost_from", "null");
    fer_json_open(j, "lost", '['); /* of every run that does not come back */
    for (i = 0; i < c->losses; i++) {
        fer_json_open(j, NULL, '{');
        fer_json_value(j, "epoch", "%ld", log->epoch[c->lost[i].row]);
        fer_json_value(j, "line", "%ld", log->line[c->lost[i].row]);
        fer_json_close(j, '}');
    }
    fer_json_close(j, ']');
}

/* ---- Both ---- */

void fer_pits_text_begin(struct fer_pits_text *t, const char *where, int is_run, int named, const struct fer_log *log,
                         const struct fer_pits_choice *choice)
{
    struct fer_json *j = &t->json;
    t->log = log, t->choice = named ? NULL : choice, t->name = choice->name;
    if (!t->is_json) {
        write_heading(t->out, where, is_run, named, log, choice);
        return;
    }
    j->out = t->out;
    fer_json_open(j, NULL, '{');
    fer_json_string(j, "fer", FER_VERSION);
    fer_json_string(j, "log", where);
    fer_json_value(j, "epochs", "%ld", log->count);
    fer_json_value(j, "runs", "%ld", choice->runs);
    fer_json_value(j, "unknown", "%ld", choice->unknown);
    fer_json_count(j, "images", choice->images);
    fer_json_string(j, "images_from", choice->images_from);
    fer_json_open(j, "pits", '[');
}

void fer_pits_text_end(struct fer_pits_text *t)
{
    if (!t->is_json) {
        if (t->choice) write_others(t->out, t->log, t->choice);
        return;
    }
    fer_json_close(&t->json, ']');
    if (t->choice) write_json_others(&t->json, t->log, t->choice);
    fer_json_close(&t->json, '}');
}

void fer_pits_text_pit(struct fer_pits_text *t, const struct fer_log *log, const struct fer_pit *p)
{
    const char *seen = p->in_accuracy && p->in_loss ? "accuracy and loss"
                       : p->in_accuracy             ? "accuracy"
                       : p->in_loss                 ? "loss"
                                                    : "neither";
    if (t->is_json)
        write_json_pit(&t->json, p, log->epoch[p->epoch], log->line[p->epoch], seen);
    else
        write_pit(t->out, t->name, p, log->epoch[p->epoch], log->line[p->epoch], seen);
    fflush(t->out);
}

void fer_pits_text_pit_end(struct fer_pits_text *t)
{
    if (t->is_json) fer_json_close(&t->json, '}');
}

void fer_pits_text_no_state(struct fer_pits_text *t)
{
    struct fer_json *j = &t->json;
    if (!t->is_json) {
        fprintf(t->out, "  no checkpoint of this epoch was kept: nothing can be explained\n");
        return;
    }
    fer_json_open(j, "experiments", '[');
    fer_json_close(j, ']');
    fer_json_string(j, "conclusion", "no checkpoint of this epoch was kept");
}

void fer_pits_text_head(struct fer_pits_text *t)
{
    t->layers_due = 0;
    if (!t->is_json) fprintf(t->out, "  %-10s %-66s %9s %9s %9s\n", "experiment", "", "accuracy", "loss", "recovered");
}

void fer_pits_text_row(struct fer_pits_text *t, const struct fer_pit_row *row)
{
    const int is_layer = strcmp(row->experiment, "layers") == 0;
    if (t->is_json || t->table->out_of_memory) return;
    if (!is_layer) {
        if (t->layers_due) write_best_layers(t);
        if (strcmp(row->experiment, "conclusion") == 0)
            fprintf(t->out, "  %s\n", row->detail);
        else
            write_row(t->out, row);
        fflush(t->out);
    }
    t->layers_due = is_layer;
}

void fer_pits_text_explained(struct fer_pits_text *t, const struct fer_network *network)
{
    const char *conclusion;
    if (!t->is_json) return;
    conclusion = write_json_experiments(&t->json, t->table);
    write_json_steps(&t->json, network, t->table);
    fer_json_line(&t->json, "   ");
    fer_json_string(&t->json, "conclusion", conclusion);
}
