/* log_page.c - a log of any program as one HTML page: its best and last epoch, curves, pits, and what to do next. */
#include "../data.h"
#include "report.h"

static void write_header(struct fer_page *page, const struct fer_log_page *log)
{
    const struct fer_report *r = &log->report;
    fer_page_print(page, "<header>\n<p class=\"over\">fer report: a log</p>\n<h1>");
    fer_page_text(page, r->name);
    fer_page_print(page, "</h1>\n<p class=\"lead\">%ld validated epoch%s", r->epochs, r->epochs == 1 ? "" : "s");
    if (log->runs > 1) fer_page_print(page, " of %ld runs, one after the other", log->runs);
    if (log->images) {
        fer_page_print(page, "; ");
        fer_page_text(page, log->column);
        fer_page_print(page, " over %lu images, by ", (unsigned long)log->images);
        fer_page_text(page, log->images_from);
    }
    fer_page_print(page, ".</p>\n<nav aria-label=\"Sections\"><a href=\"#course\">Course</a> <a "
                         "href=\"#pits\">Pits</a> <a href=\"#next\">What next</a></nav>\n</header>\n");
}

/* The epoch with the highest accuracy (column 2) or the lowest loss (3); -1: nothing is known. */
static long best_of(const struct fer_report *r, int column)
{
    long i, best = -1;
    for (i = 0; i < r->epochs; i++) {
        const double value = r->history[i][column];
        if (value == value && (best < 0 || (column == 2 ? value > r->history[best][2] : value < r->history[best][3])))
            best = i;
    }
    return best;
}

static void write_figure(struct fer_page *page, const struct fer_report *r, const char *name, int column, long epoch)
{
    if (epoch < 0) return;
    fer_page_print(page, "<div><dt>%s</dt><dd class=\"big\">", name);
    fer_page_number(page, r->history[epoch][column], column == 2);
    fer_page_print(page, "</dd><dd class=\"note\">epoch %ld</dd></div>\n", r->number[epoch]);
}

static void write_figures(struct fer_page *page, const struct fer_report *r)
{
    const long last = r->epochs - 1;
    fer_page_print(page, "<dl class=\"figures\">\n");
    write_figure(page, r, "Best validation accuracy", 2, best_of(r, 2));
    write_figure(page, r, "Last validation accuracy", 2, r->history[last][2] == r->history[last][2] ? last : -1);
    write_figure(page, r, "Lowest validation loss", 3, best_of(r, 3));
    fer_page_print(page, "<div><dt>Pits</dt><dd class=\"big\"><data value=\"%ld\">%ld</data></dd><dd "
                         "class=\"note\">epochs whose validation collapses</dd></div>\n</dl>\n", r->pits, r->pits);
}

/* What follows from the log alone: a log says when, not why. */
static void write_next(struct fer_page *page, const struct fer_log_page *log)
{
    const struct fer_report *r = &log->report;
    const long best = best_of(r, 2) >= 0 ? best_of(r, 2) : best_of(r, 3);
    fer_page_print(page, "<section id=\"next\">\n<h2>What next</h2>\n<ul>\n");
    if (best >= 0)
        fer_page_print(page, "<li>Keep the weights of the best epoch, here %ld, not those of the last one: Keras's "
                             "<code>ModelCheckpoint(save_best_only=True)</code>, fer's <code>best.npz</code>.</li>\n",
                       r->number[best]);
    if (log->lost >= 0)
        fer_page_print(page, "<li>From epoch %ld on the run is lost: go on from a state before it, with a tenth of the "
                             "learning rate and clipped gradients (<code>global_clipnorm=1</code>).</li>\n",
                       r->number[log->lost]);
    if (r->pits)
        fer_page_print(page, "<li>A log says when validation collapsed, not why. Three things are tried first: leave "
                             "out the short last batch (<code>drop_remainder=True</code>), clip gradients "
                             "(<code>global_clipnorm=1</code>), lower the learning rate once validation stops "
                             "rising.</li>\n<li>To find the cause by experiment, train with <code>fer train</code>: it "
                             "keeps the states around each pit, and <code>fer pits RUN</code> replays the epoch with "
                             "one thing changed.</li>\n");
    else if (log->judged)
        fer_page_print(page, "<li>No epoch is a pit: there is nothing to explain.</li>\n");
    else
        fer_page_print(page, "<li>Train longer before looking for pits: an epoch needs three before it and one after "
                             "it.</li>\n");
    fer_page_print(page, "</ul>\n</section>\n");
}

int fer_log_page_write(const struct fer_log_page *log, const char *path, struct fer_error *e)
{
    struct fer_page page;
    if (fer_page_create(&page, path, e)) return -1;
    fer_page_head(&page, log->report.name);
    write_header(&page, log);
    fer_page_print(&page, "<main>\n");
    write_figures(&page, &log->report);
    fer_page_course(&page, &log->report);
    fer_page_pits(&page, &log->report);
    write_next(&page, log);
    fer_page_print(&page, "</main>\n</body>\n</html>\n");
    return fer_page_commit(&page, e);
}
