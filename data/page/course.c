/* course.c - what the pages of a run and of a log share: the head, curves and table of the epochs, pits. */
#include "../data.h"
#include "report.h"

#include <string.h>

enum { MOST_ROWS = 1000 }; /* of the table of epochs, of pits and of findings: the page stays small */

void fer_page_head(struct fer_page *page, const char *name)
{
    int i;
    fer_page_print(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
                         "style-src 'unsafe-inline'\"/>\n<title>");
    fer_page_text(page, name);
    fer_page_print(page, " - fer report</title>\n<style>\n");
    for (i = 0; fer_report_style[i]; i++) fer_page_print(page, "%s\n", fer_report_style[i]);
    fer_page_print(page, "</style>\n</head>\n<body>\n");
}

/* Whether anything is known of a column of the history. */
static int knows(const struct fer_report *r, int column)
{
    long i = 0;
    if (column >= 2 && !r->validated) return 0;
    while (i < r->epochs && r->history[i][column] != r->history[i][column]) i++;
    return i < r->epochs;
}

/* An epoch as the log counts it. */
static long number_of(const struct fer_report *r, long epoch)
{
    return r->number ? r->number[epoch] : epoch;
}

/* ---- The course of training ---- */

static void write_legend(struct fer_page *page, const struct fer_report *r)
{
    const char *picture = "<li><svg viewBox=\"0 0 30 14\" aria-hidden=\"true\">";
    fer_page_print(page, "<ul class=\"legend\">\n");
    if (knows(r, 0) || knows(r, 1))
        fer_page_print(page, "%s<path class=\"curve training\" d=\"M2 8H28\"/></svg>training</li>\n", picture);
    if (knows(r, 2) || knows(r, 3))
        fer_page_print(page, "%s<path class=\"curve validation\" d=\"M2 8H28\"/></svg>validation</li>\n", picture);
    if (r->shown >= 0)
        fer_page_print(page, "%s<circle class=\"shown\" cx=\"15\" cy=\"7\" r=\"5\"/></svg>the epoch shown below</li>\n",
                       picture);
    if (r->pits) fer_page_print(page, "%s<path class=\"pit\" d=\"M10 3h10l-5 8z\"/></svg>pit</li>\n", picture);
    if (!r->number)
        fer_page_print(page, "%s<path class=\"chance\" d=\"M2 8H28\"/></svg>guessing</li>\n", picture);
    fer_page_print(page, "</ul>\n");
}

/* One of the two plots, when anything of it is known. */
static void write_plot(struct fer_page *page, const struct fer_report *r, int is_loss)
{
    struct fer_plot plot = {0};
    plot.history = (const double(*)[4])r->history;
    plot.number = r->number;
    plot.epochs = r->epochs;
    plot.height = 280;
    plot.shown = r->shown;
    plot.pit = r->pit;
    plot.pits = r->pits;
    plot.name = is_loss ? "loss" : "accuracy";
    plot.title = is_loss ? "Loss by epoch, training and validation" : "Accuracy by epoch, training and validation";
    plot.percent = !is_loss;
    plot.chance = r->number ? -1 : is_loss ? fer_log(FER_CLASSES) : 1.0 / FER_CLASSES;
    plot.training = knows(r, is_loss) ? is_loss : -1;
    plot.validation = knows(r, 2 + is_loss) ? 2 + is_loss : -1;
    if (plot.training < 0 && plot.validation < 0) return;
    fer_page_print(page, "<figure>\n<figcaption>%s</figcaption>\n",
                   is_loss     ? "<b>Loss</b>, the mean cross-entropy"
                   : r->number ? "<b>Accuracy</b>"
                               : "<b>Accuracy</b>, the share of faces recognised");
    fer_plot_write(page, &plot);
    fer_page_print(page, "</figure>\n");
}

/* The log as a table, for those who cannot see the plots, and for exact values. */
static void write_epochs(struct fer_page *page, const struct fer_report *r)
{
    static const char *const names[4] = {"accuracy", "loss", "val_accuracy", "val_loss"};
    long i;
    int k;
    fer_page_print(page, "<details><summary>Every epoch as a table</summary>\n<div class=\"scroll tall\" "
                         "tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">epoch</th>");
    for (k = 0; k < 4; k++)
        if (knows(r, k)) fer_page_print(page, "<th scope=\"col\">%s</th>", names[k]);
    fer_page_print(page, "</tr></thead>\n<tbody>\n");
    for (i = 0; i < r->epochs && i < MOST_ROWS; i++) {
        fer_page_print(page, "<tr><th scope=\"row\">%ld</th>", number_of(r, i));
        for (k = 0; k < 4; k++) {
            if (!knows(r, k)) continue;
            fer_page_print(page, "<td>");
            fer_page_number(page, r->history[i][k], k % 2 == 0);
            fer_page_print(page, "</td>");
        }
        fer_page_print(page, "</tr>\n");
    }
    fer_page_print(page, "</tbody>\n</table></div>\n");
    if (r->epochs > MOST_ROWS)
        fer_page_print(page, "<p>The first %d; %s has all %ld.</p>\n", MOST_ROWS, r->number ? "the log" : "log.csv",
                       r->epochs);
    fer_page_print(page, "</details>\n");
}

void fer_page_course(struct fer_page *page, const struct fer_report *r)
{
    fer_page_print(page, "<section id=\"course\">\n<h2>Course of training</h2>\n");
    if (r->epochs == 0)
        fer_page_print(page, "<p>No epoch is done: what this page shows are the initial weights.</p>\n");
    else {
        fer_page_print(page, "<p>%s</p>\n",
                       r->number ? "As the log has them; epochs are counted as there."
                                 : "Training figures are running means over the epoch, each batch taken before its "
                                   "update; validation follows the epoch, in inference mode. Epochs count from 0, as "
                                   "in <code>log.csv</code>.");
        write_legend(page, r);
        write_plot(page, r, 0);
        write_plot(page, r, 1);
        write_epochs(page, r);
    }
    fer_page_print(page, "</section>\n");
}

/* ---- Pits ---- */

static void write_finding(struct fer_page *page, const struct fer_pit_row *row)
{
    const double part = row->recovered > 1 ? 1 : row->recovered > 0 ? row->recovered : 0;
    fer_page_print(page, "<tr><th scope=\"row\">");
    fer_page_text(page, row->detail);
    fer_page_print(page, " <small>");
    fer_page_text(page, row->experiment);
    fer_page_print(page, "</small></th><td>");
    if (row->val_accuracy == row->val_accuracy) fer_page_number(page, row->val_accuracy, 1);
    fer_page_print(page, "</td><td>");
    if (row->val_loss == row->val_loss) fer_page_number(page, row->val_loss, 0);
    fer_page_print(page, "</td><td class=\"part\" style=\"--part:%.1f%%\">", 100 * part);
    if (row->recovered == row->recovered) fer_page_number(page, row->recovered, 1);
    fer_page_print(page, "</td></tr>\n");
}

/* Whether a row has its place in the table of layers (1), in that of all others (0), or in neither (-1). */
static int table_of(const struct fer_pit_row *row)
{
    return strcmp(row->experiment, "conclusion") == 0 ? -1 : strcmp(row->experiment, "layers") == 0;
}

/* The experiments on one epoch: those with single layers, or all others. */
static void write_experiments(struct fer_page *page, const struct fer_report *r, long epoch, int layers)
{
    size_t i, count = 0;
    for (i = 0; i < r->findings && i < MOST_ROWS; i++)
        count += r->finding[i].epoch == epoch && table_of(&r->finding[i]) == layers;
    if (count == 0) return;
    if (layers) fer_page_print(page, "<details><summary>Layer by layer (%lu)</summary>\n", (unsigned long)count);
    fer_page_print(page, "<div class=\"scroll\" tabindex=\"0\"><table class=\"wide\">\n<thead><tr>"
                         "<th class=\"word\" scope=\"col\">what was changed</th><th scope=\"col\">accuracy</th>"
                         "<th scope=\"col\">loss</th><th scope=\"col\">recovered</th></tr></thead>\n<tbody>\n");
    for (i = 0; i < r->findings && i < MOST_ROWS; i++)
        if (r->finding[i].epoch == epoch && table_of(&r->finding[i]) == layers) write_finding(page, &r->finding[i]);
    fer_page_print(page, "</tbody>\n</table></div>\n%s", layers ? "</details>\n" : "");
}

static int has_findings(const struct fer_report *r, long epoch)
{
    size_t i;
    for (i = 0; i < r->findings; i++)
        if (r->finding[i].epoch == epoch) return 1;
    return 0;
}

static void write_findings(struct fer_page *page, const struct fer_report *r, long epoch)
{
    size_t i;
    for (i = 0; i < r->findings && i < MOST_ROWS; i++) {
        if (r->finding[i].epoch != epoch || table_of(&r->finding[i]) >= 0) continue;
        fer_page_print(page, "<p class=\"conclusion\">");
        fer_page_text(page, r->finding[i].detail);
        fer_page_print(page, "</p>\n");
    }
    write_experiments(page, r, epoch, 0);
    write_experiments(page, r, epoch, 1);
}

/* One figure of a pit, beside what was to be expected. */
static void write_fall(struct fer_page *page, double value, double level, int percent)
{
    fer_page_number(page, value, percent);
    fer_page_print(page, " where the epochs around it lead to expect ");
    fer_page_number(page, level, percent);
}

/* A heading, and a sentence on how deep it is and what else fell. */
static void write_pit(struct fer_page *page, const struct fer_report *r, const struct fer_pit *pit)
{
    fer_page_print(page, "<h3>Epoch %ld", number_of(r, pit->epoch));
    if (r->line) fer_page_print(page, " (line %ld)", r->line[pit->epoch]);
    fer_page_print(page, ": ");
    if (!pit->in_accuracy) fer_page_print(page, "a loss of ");
    if (pit->in_accuracy)
        write_fall(page, pit->accuracy, pit->level, 1);
    else
        write_fall(page, pit->loss, pit->loss_level, 0);
    fer_page_print(page, "</h3>\n<p>");
    if (pit->in_accuracy)
        fer_page_print(page, "%.1f points below, %.1f times the noise. ", 100 * pit->depth, pit->depth / pit->noise);
    else
        fer_page_print(page, "%.1f times the noise of its logarithm. ",
                       fer_log(pit->loss / pit->loss_level) / pit->loss_noise);
    if (pit->in_accuracy && pit->loss == pit->loss) {
        fer_page_print(page, "val_loss is ");
        fer_page_number(page, pit->loss, 0);
        fer_page_print(page, " where it would be ");
        fer_page_number(page, pit->loss_level, 0);
        fer_page_print(page, pit->in_loss ? ": a pit too." : ": no pit by itself.");
    } else if (!pit->in_accuracy && pit->accuracy == pit->accuracy)
        fer_page_print(page, "The accuracy is no pit: what was wrong was surer of it.");
    fer_page_print(page, "</p>\n");
}

/* Whether a finding is the first one of its epoch, and the epoch no pit: somebody asked for it. */
static int is_extra(const struct fer_report *r, size_t finding)
{
    const long epoch = r->finding[finding].epoch;
    size_t i;
    long k;
    for (i = 0; i < finding; i++)
        if (r->finding[i].epoch == epoch) return 0;
    for (k = 0; k < r->pits; k++)
        if (r->pit[k].epoch == epoch) return 0;
    return 1;
}

void fer_page_pits(struct fer_page *page, const struct fer_report *r)
{
    long i, unexplained = 0;
    size_t k;
    fer_page_print(page, "<section id=\"pits\">\n<h2>Pits</h2>\n<p>A pit is an epoch whose validation lies far below "
                         "that of the epochs around it: by more than %.0f times the noise of healthy epochs.</p>\n",
                   FER_PIT_THRESHOLD);
    if (!r->validated)
        fer_page_print(page, "<p>Nothing was validated, so there is none to be seen.</p>\n");
    else if (r->epochs < 5)
        fer_page_print(page, "<p>No epoch can be judged yet: three must lie before it and one after it.</p>\n");
    else if (r->pits == 0)
        fer_page_print(page, "<p>There is none in %ld epochs (the first three of a run and its last cannot be "
                             "judged).</p>\n", r->epochs);
    for (i = 0; i < r->pits && i < MOST_ROWS; i++) {
        write_pit(page, r, &r->pit[i]);
        write_findings(page, r, r->pit[i].epoch);
        unexplained += !has_findings(r, r->pit[i].epoch);
    }
    if (r->pits > MOST_ROWS) fer_page_print(page, "<p>And %ld more.</p>\n", r->pits - MOST_ROWS);
    for (i = 0; i < r->notes && i < MOST_ROWS; i++) {
        fer_page_print(page, i ? "<li>" : "<h3>What else fell</h3>\n<ul>\n<li>");
        fer_page_text(page, r->note[i]);
        fer_page_print(page, i + 1 < r->notes && i + 1 < MOST_ROWS ? "</li>\n" : "</li>\n</ul>\n");
    }
    if (unexplained && !r->number)
        fer_page_print(page, "<p>Why? <code>fer pits RUN</code> finds out by experiment; a page that is written after "
                             "that shows the answer.</p>\n");
    for (k = 0; k < r->findings && k < MOST_ROWS; k++)
        if (is_extra(r, k)) {
            fer_page_print(page, "<h3>Epoch %ld, which is no pit, was looked into too</h3>\n", r->finding[k].epoch);
            write_findings(page, r, r->finding[k].epoch);
        }
    if (r->findings > MOST_ROWS)
        fer_page_print(page, "<p>These are the first %d of %lu outcomes; all are in <code>pits.csv</code>.</p>\n",
                       MOST_ROWS, (unsigned long)r->findings);
    fer_page_print(page, "</section>\n");
}
