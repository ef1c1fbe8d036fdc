/* picture.c - logs as one SVG picture, a panel each, one below the other, so that their pits can be compared. */
#include "../data.h"
#include "report.h"

enum { PANEL = 200, HEAD = 24, FOOT = 26 };

/* The colours of the pages (report_style.c), written out: not every program that shows SVG knows var(). */
static const char *const style[] = {
    "svg{font:11px 'Helvetica Neue',Helvetica,Arial,sans-serif}",
    "path{fill:none;stroke-linejoin:round}",
    "text{fill:#5b6470;text-anchor:middle}",
    ".left,.note{text-anchor:end}.key,.head{text-anchor:start}.note,.key{font-size:12px}",
    ".head{fill:#1b1f24;font-size:14px;font-weight:600}",
    ".paper{fill:#fcfcfa}.grid{stroke:#dcdfe3}.tick{stroke:#5b6470}",
    ".curve{stroke-width:2;stroke-linecap:round}",
    ".training{stroke:#b45f06;stroke-dasharray:7 5}.validation{stroke:#0072b2}",
    ".band{fill:#c23b22;opacity:.16}.pit{fill:#c23b22}",
    "@media (prefers-color-scheme:dark){text{fill:#a3acb7}.head{fill:#e7e9ec}.paper{fill:#14171b}",
    ".grid{stroke:#363c45}.tick{stroke:#a3acb7}.training{stroke:#e69f00}.validation{stroke:#56b4e9}",
    ".band,.pit{fill:#ff7f6b}}",
    NULL};

void fer_picture_begin(struct fer_page *page, int panels)
{
    const int height = panels * (PANEL + HEAD) + FOOT;
    int i;
    fer_page_print(page, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                         "height=\"%d\">\n<style>\n",
                   FER_PLOT_WIDTH, height, FER_PLOT_WIDTH, height);
    for (i = 0; style[i]; i++) fer_page_print(page, "%s\n", style[i]);
    fer_page_print(page, "</style>\n<path class=\"paper\" d=\"M0 0h%dv%dH0z\"/>\n", FER_PLOT_WIDTH, height);
}

/* A log's name, its best validation accuracy and its pits, above its curves. */
void fer_picture_panel(struct fer_page *page, int panel, const struct fer_report *r)
{
    const int y = panel * (PANEL + HEAD);
    struct fer_plot plot = {0};
    char name[20], best_text[40];
    double best = -1;
    long i;
    for (i = 0; i < r->epochs; i++)
        if (r->history[i][2] > best) best = r->history[i][2];
    snprintf(name, sizeof name, "log-%d", panel + 1);
    fer_format_short(best, 1, best_text);
    plot.height = PANEL;
    plot.name = name;
    plot.title = "Accuracy by epoch, training and validation";
    plot.history = (const double(*)[4])r->history;
    plot.number = r->number;
    plot.epochs = r->epochs;
    plot.validation = 2;
    plot.percent = 1;
    plot.chance = -1;
    plot.shown = -1;
    plot.pit = r->pit;
    plot.pits = r->pits;
    fer_page_print(page, "<text class=\"head\" x=\"10\" y=\"%d\">", y + 17);
    fer_page_text(page, r->name);
    fer_page_print(page, "</text><text class=\"note\" x=\"%d\" y=\"%d\">best %s, %ld pit%s</text>\n",
                   FER_PLOT_WIDTH - 14, y + 17, best_text, r->pits, r->pits == 1 ? "" : "s");
    fer_plot_write_panel(page, &plot, y + HEAD);
}

/* What the strokes mean. */
void fer_picture_end(struct fer_page *page, int panels)
{
    const int y = panels * (PANEL + HEAD) + 10;
    fer_page_print(page, "<path class=\"curve training\" d=\"M62 %dh28\"/><text class=\"key\" x=\"96\" y=\"%d\">"
                         "training accuracy</text>\n", y, y + 4);
    fer_page_print(page, "<path class=\"curve validation\" d=\"M222 %dh28\"/><text class=\"key\" x=\"256\" y=\"%d\">"
                         "validation accuracy</text>\n", y, y + 4);
    fer_page_print(page, "<path class=\"pit\" d=\"M392 %dh10l-5 8z\"/><text class=\"key\" x=\"410\" y=\"%d\">pit"
                         "</text>\n</svg>\n", y - 4, y + 4);
}
