/* log_report.c - `fer report LOG`: a log with its pits, and what else fell, as a page. */
#include "command.h"

#include "../../data/page/report.h"

#include <string.h>

/* Dips and falls without return, in words. */
static int take_notes(struct fer_report *r, const struct fer_log *log, const struct fer_pits_choice *c,
                      char (**note)[FER_REPORT_NOTE], struct fer_error *e)
{
    char line[FER_PITS_LINE];
    long i;
    *note = fer_allocate((size_t)(c->dips + c->losses) + 1, sizeof **note, e);
    if (!*note) return -1;
    if (!c->count && !c->dips && c->deepest.epoch >= 0) {
        fer_pits_describe(line, log, c, &c->deepest);
        snprintf((*note)[r->notes++], FER_REPORT_NOTE, "The deepest dip: %.380s", line);
    }
    for (i = 0; i < c->dips; i++) {
        fer_pits_describe(line, log, c, &c->dip[i]);
        snprintf((*note)[r->notes++], FER_REPORT_NOTE, "A dip: %.380s", line);
    }
    for (i = 0; i < c->losses && r->notes < c->dips + c->losses + 1; i++) {
        fer_pits_describe_lost(line, log, c, &c->lost[i]);
        snprintf((*note)[r->notes++], FER_REPORT_NOTE, "A fall without return: %.370s", line);
    }
    r->note = (const char(*)[FER_REPORT_NOTE])*note;
    return 0;
}

/* The last part of a path. */
static const char *name_of(const char *path)
{
    const char *at, *name = path;
    for (at = path; *at; at++)
        if ((*at == '/' || *at == '\\') && at[1]) name = at + 1;
    return name;
}

static int write_page(const char *path, const struct fer_log *log, const struct fer_pits_choice *c, const char *out,
                      struct fer_error *e)
{
    struct fer_log_page *page = fer_allocate(1, sizeof *page, e);
    char (*note)[FER_REPORT_NOTE] = NULL;
    int failed = -1;
    if (!page) return -1;
    snprintf(page->report.name, sizeof page->report.name, "%s", name_of(path));
    page->report.history = log->row;
    page->report.number = log->epoch, page->report.line = log->line;
    page->report.epochs = log->count;
    page->report.validated = 1;
    page->report.shown = -1;
    page->report.pit = c->pit;
    page->report.pits = c->count;
    page->column = c->name, page->images = c->images, page->images_from = c->images_from;
    page->runs = c->runs, page->judged = c->judged;
    page->lost = c->losses ? c->lost->row : -1;
    if (take_notes(&page->report, log, c, &note, e) == 0) failed = fer_log_page_write(page, out, e);
    fer_free(note);
    fer_free(page);
    return failed;
}

int fer_pits_page(const char *path, const char *column, size_t images, const char *out, struct fer_error *e)
{
    struct fer_pits_choice choice = {0};
    struct fer_log log = {0};
    int failed = fer_file_apart(out, path, e) || fer_pits_choose_log(&choice, &log, path, column, images, NULL, e);
    if (!failed && log.count == 0) failed = fer_pits_judged(&choice, &log, path, e);
    if (!failed) failed = write_page(path, &log, &choice, out, e);
    fer_pits_choice_free(&choice);
    fer_log_free(&log);
    return failed ? -1 : 0;
}
