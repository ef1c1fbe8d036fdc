/* log_report.c - `fer report LOG`: a log with its pits, and what else fell, as a page; several logs as one picture. */
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

static void take_log(struct fer_report *r, const char *path, const struct fer_log *log, const struct fer_pits_choice *c)
{
    fer_path_name(r->name, path);
    r->history = log->row;
    r->number = log->epoch, r->line = log->line;
    r->epochs = log->count;
    r->validated = 1;
    r->shown = -1;
    r->pit = c->pit;
    r->pits = c->count;
}

static int write_page(const char *path, const struct fer_log *log, const struct fer_pits_choice *c, const char *out,
                      struct fer_error *e)
{
    struct fer_log_page *page = fer_allocate(1, sizeof *page, e);
    char (*note)[FER_REPORT_NOTE] = NULL;
    int failed = -1;
    if (!page) return -1;
    take_log(&page->report, path, log, c);
    page->column = c->name, page->images = c->images, page->images_from = c->images_from;
    page->runs = c->runs, page->judged = c->judged;
    page->lost = c->losses ? c->lost->row : -1;
    if (take_notes(&page->report, log, c, &note, e) == 0) failed = fer_log_page_write(page, out, e);
    fer_free(note);
    fer_free(page);
    return failed;
}

/* The log and what was found in it; both are to be freed, also after a failure. */
static int open_log(struct fer_log *log, struct fer_pits_choice *choice, const char *path, const char *column,
                    size_t images, struct fer_error *e)
{
    if (fer_pits_choose_log(choice, log, path, column, images, NULL, e)) return -1;
    return log->count == 0 ? fer_pits_judged(choice, log, path, e) : 0;
}

static int report_page(const char *path, const char *column, size_t images, const char *out, struct fer_error *e)
{
    struct fer_pits_choice choice = {0};
    struct fer_log log = {0};
    const int failed = fer_file_apart(out, path, e) || open_log(&log, &choice, path, column, images, e) ||
                       write_page(path, &log, &choice, out, e);
    fer_pits_choice_free(&choice);
    fer_log_free(&log);
    return failed ? -1 : 0;
}

/* ---- Several logs as a picture ---- */

/* A run folder's log goes by the folder's name, any other by its own without ".csv". */
static void name_panel(char name[256], const char *path, int is_run)
{
    char *dot;
    fer_path_name(name, path);
    dot = strrchr(name, '.');
    if (!is_run && dot && dot > name) *dot = '\0';
}

static int write_panel(struct fer_page *page, int panel, const char *path, const char *column, size_t images,
                       struct fer_error *e)
{
    struct fer_pits_choice choice = {0};
    struct fer_log log = {0};
    struct fer_report *report = fer_allocate(1, sizeof *report, e);
    const int is_run = fer_is_folder(path);
    char file[FER_PATH];
    const int failed = !report || (is_run && fer_join_path(file, path, "log.csv", e)) ||
                 open_log(&log, &choice, is_run ? file : path, column, images, e);
    if (!failed) {
        take_log(report, path, &log, &choice);
        name_panel(report->name, path, is_run);
        fer_picture_panel(page, panel, report);
    }
    fer_free(report);
    fer_pits_choice_free(&choice);
    fer_log_free(&log);
    return failed ? -1 : 0;
}

static int report_picture(const char *const *paths, int count, const char *column, size_t images, const char *out,
                          struct fer_error *e)
{
    struct fer_page page;
    int i, failed = 0;
    for (i = 0; i < count; i++)
        if (fer_file_apart(out, paths[i], e)) return -1;
    if (fer_page_create(&page, out, e)) return -1;
    fer_picture_begin(&page, count);
    for (i = 0; i < count && !failed; i++) failed = write_panel(&page, i, paths[i], column, images, e);
    if (failed) return fer_file_abandon(page.file, out), -1;
    fer_picture_end(&page, count);
    return fer_page_commit(&page, e);
}

int fer_is_picture(const char *path)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    return dot && strcmp(dot, ".svg") == 0;
}

/* Of log.csv, log-report.html beside it. */
static int page_beside(char page[FER_PATH], const char *log, struct fer_error *e)
{
    const char *dot = strrchr(log, '.');
    const int length = (int)(dot && dot > log && !strpbrk(dot, "/\\") ? (size_t)(dot - log) : strlen(log));
    if (snprintf(page, FER_PATH, "%.*s-report.html", length, log) < FER_PATH) return 0;
    return fer_fail(e, "%s: the path is too long", log);
}

int fer_pits_report(FILE *say, const char *const *logs, int count, const char *column, size_t images, const char *out,
                    struct fer_error *e)
{
    char page[FER_PATH];
    if (fer_is_picture(out)) {
        if (report_picture(logs, count, column, images, out, e)) return -1;
    } else {
        if (fer_is_folder(logs[0])) return fer_fail(e, "%s: no run folder: there is no config.txt in it", logs[0]);
        if (!out && page_beside(page, logs[0], e)) return -1;
        if (!out) out = page;
        if (report_page(logs[0], column, images, out, e)) return -1;
    }
    fprintf(say, "%s: open it in a browser\n", out);
    return 0;
}
