/* report.c - a run as one HTML page: no other file, no script, no network; light, dark and on paper.
 *
 * Whatever came from outside (names, paths) goes through fer_page_text; mark-up and numbers through fer_page_print.
 * The course of training and the pits are course.c, which log_page.c shares; the style sheet is report_style.c, the
 * plots are plot.c, faces png.c. */
#include "../data.h"
#include "report.h"

#include <math.h>
#include <string.h>

/* ---- Header ---- */

/* Path and figures of the run in a sentence. */
static void write_header(struct fer_page *page, const struct fer_report *r)
{
    fer_page_print(page, "<header>\n<p class=\"over\">fer report: a training run</p>\n<h1>");
    fer_page_text(page, r->name);
    fer_page_print(page, "</h1>\n<p class=\"lead\">incv3v1 at %d×%d, " FER_REAL_NAME ", ", r->size, r->size);
    fer_page_print(page, "%ld of %ld epoch%s on %lu faces.</p>\n", r->epochs, r->planned, r->planned == 1 ? "" : "s",
                   (unsigned long)r->data->usage_count[FER_TRAINING]);
    if (r->drawn)
        fer_page_print(page, "<p class=\"warn\"><b>Drawn cartoon faces, not FER2013.</b> These figures say how "
                             "training went on them, and nothing of FER2013, whose faces are far harder.</p>\n");
    fer_page_print(page, "<nav aria-label=\"Sections\"><a href=\"#course\">Course</a> <a href=\"#pits\">Pits</a> "
                         "<a href=\"#confusion\">Confusions</a> <a href=\"#classes\">Classes</a> "
                         "<a href=\"#faces\">Faces</a> <a href=\"#mistakes\">Mistakes</a> "
                         "<a href=\"#settings\">Settings</a> <a href=\"#again\">Make it again</a></nav>\n</header>\n");
}

/* ---- Headline figures ---- */

static void begin_figure(struct fer_page *page, const char *name)
{
    fer_page_print(page, "<div><dt>%s</dt><dd class=\"big\">", name);
}

/* An accuracy, and how far another draw of as many images would be expected to lie from it: one standard error. */
static void write_accuracy(struct fer_page *page, const char *name, const struct fer_evaluation *v)
{
    const double p = v->count ? (double)v->correct / (double)v->count : 0;
    begin_figure(page, name);
    fer_page_number(page, p, 1);
    fer_page_print(page, "</dd><dd class=\"note\">± %.1f (standard error over %lu faces); ",
                   v->count ? 100 * sqrt(p * (1 - p) / (double)v->count) : 0, (unsigned long)v->count);
}

/* The class that most faces have: what one scores by always saying it. */
static int largest_class(const struct fer_report *r)
{
    int i, best = 0;
    for (i = 1; i < FER_CLASSES; i++)
        if (r->score[i].images > r->score[best].images) best = i;
    return best;
}

/* Whether the weights shown are those of the epoch with the highest val_accuracy. */
static int shows_best(const struct fer_report *r)
{
    long i;
    for (i = 0; i < r->epochs && r->shown >= 0; i++)
        if (r->history[i][2] > r->history[r->shown][2]) return 0;
    return r->shown >= 0;
}

static void write_evaluated(struct fer_page *page, const struct fer_report *r)
{
    write_accuracy(page, r->validated ? "Validation accuracy" : "Accuracy on the training images", &r->evaluation);
    if (r->shown >= 0)
        fer_page_print(page, "weights of epoch %ld%s of %ld</dd></div>\n", r->shown, shows_best(r) ? ", the best" : "",
                       r->epochs);
    else if (r->epochs == 0)
        fer_page_print(page, "the initial weights</dd></div>\n");
    else if (r->validated)
        fer_page_print(page, "weights of no epoch in the log</dd></div>\n");
    else
        fer_page_print(page, "weights after %ld epochs</dd></div>\n", r->epochs);
    begin_figure(page, r->validated ? "Validation loss" : "Loss on the training images");
    fer_page_number(page, r->evaluation.count ? r->evaluation.loss_sum / (double)r->evaluation.count : 0, 0);
    fer_page_print(page, "</dd><dd class=\"note\">mean cross-entropy; knowing nothing costs %.4f</dd></div>\n",
                   fer_log(FER_CLASSES));
}

static void write_figures(struct fer_page *page, const struct fer_report *r)
{
    const int largest = largest_class(r);
    fer_page_print(page, "<dl class=\"figures\">\n");
    write_evaluated(page, r);
    if (r->test.count) {
        write_accuracy(page, "Test accuracy", &r->test);
        fer_page_print(page, "PrivateTest, which neither training nor the choice of the epoch has seen</dd></div>\n");
    }
    if (r->epochs) {
        begin_figure(page, "Training accuracy");
        fer_page_number(page, r->history[r->epochs - 1][0], 1);
        fer_page_print(page,
                       "</dd><dd class=\"note\">in epoch %ld, the last: the running mean while it learns</dd></div>\n",
                       r->epochs - 1);
    }
    begin_figure(page, "Without looking");
    fer_page_number(page, r->evaluation.count ? (double)r->score[largest].images / (double)r->evaluation.count : 0, 1);
    fer_page_print(page, "</dd><dd class=\"note\">by always answering “%s”</dd></div>\n", fer_class_names[largest]);
    if (r->validated) {
        begin_figure(page, "Pits");
        fer_page_print(page, "<data value=\"%ld\">%ld</data></dd><dd class=\"note\">epochs whose validation "
                             "collapses</dd></div>\n",
                       r->pits, r->pits);
    }
    fer_page_print(page, "</dl>\n");
    if (r->validated && r->epochs && r->shown < 0)
        fer_page_print(page, "<p class=\"warn\">The weights that are evaluated here reproduce the validation of no "
                             "epoch of the log: they are of another moment, or were replaced.</p>\n");
    if (!r->validated)
        fer_page_print(page, "<p class=\"warn\">These data have no PublicTest split, so nothing was validated: the "
                             "figures are of the images that the network has learnt.</p>\n");
}

/* ---- Who was taken for whom ---- */

/* The largest share of a class that was taken for another one. */
static void write_worst_confusion(struct fer_page *page, const struct fer_report *r)
{
    double share, largest = 0;
    int i, k, from = 0, to = 0;
    for (i = 0; i < FER_CLASSES; i++)
        for (k = 0; k < FER_CLASSES; k++) {
            if (i == k || r->score[i].images == 0) continue;
            share = (double)r->evaluation.confusion[i][k] / (double)r->score[i].images;
            if (share > largest) largest = share, from = i, to = k;
        }
    if (largest <= 0) return;
    fer_page_print(page, "<p>The most frequent confusion: of the faces labelled <b>%s</b>, ", fer_class_names[from]);
    fer_page_number(page, largest, 1);
    fer_page_print(page, " are taken for <b>%s</b>.</p>\n", fer_class_names[to]);
}

static void write_cell(struct fer_page *page, const struct fer_report *r, int label, int predicted)
{
    const size_t count = r->evaluation.confusion[label][predicted], images = r->score[label].images;
    const double share = images ? (double)count / (double)images : 0;
    fer_page_print(page, "<td class=\"%s %s\" style=\"--share:%.3f\" title=\"labelled %s, taken for %s\">"
                         "%lu<small>%.0f%%</small></td>",
                   label == predicted ? "same" : "", share > 0.5 ? "dark" : "", share, fer_class_names[label],
                   fer_class_names[predicted], (unsigned long)count, 100 * share);
}

static void write_confusion(struct fer_page *page, const struct fer_report *r)
{
    int i, k;
    fer_page_print(page, "<section id=\"confusion\">\n<h2>Who is taken for whom</h2>\n");
    write_worst_confusion(page, r);
    fer_page_print(page, "<div class=\"scroll\" tabindex=\"0\"><table class=\"confusion\">\n<caption>Confusion "
                         "matrix, %s, %lu faces: counts, and shares of the row</caption>\n<thead><tr><td></td>"
                         "<th class=\"word\" scope=\"colgroup\" colspan=\"%d\">taken for</th></tr>\n<tr>"
                         "<th class=\"word\" scope=\"col\">labelled</th>",
                   fer_usage_names[r->usage], (unsigned long)r->evaluation.count, FER_CLASSES);
    for (k = 0; k < FER_CLASSES; k++) fer_page_print(page, "<th scope=\"col\">%s</th>", fer_class_names[k]);
    fer_page_print(page, "</tr></thead>\n<tbody>\n");
    for (i = 0; i < FER_CLASSES; i++) {
        fer_page_print(page, "<tr><th scope=\"row\">%s</th>", fer_class_names[i]);
        for (k = 0; k < FER_CLASSES; k++) write_cell(page, r, i, k);
        fer_page_print(page, "</tr>\n");
    }
    fer_page_print(page, "</tbody>\n</table></div>\n</section>\n");
}

static void write_scores(struct fer_page *page, const char *name, double precision, double recall, double f1,
                         size_t images)
{
    const double value[3] = {precision, recall, f1};
    int i;
    fer_page_print(page, "<tr><th scope=\"row\">%s</th>", name);
    for (i = 0; i < 3; i++) {
        fer_page_print(page, "<td>");
        fer_page_number(page, value[i], 1);
        fer_page_print(page, "</td>");
    }
    fer_page_print(page, "<td>%lu</td></tr>\n", (unsigned long)images);
}

static void write_classes(struct fer_page *page, const struct fer_report *r)
{
    double precision = 0, recall = 0, f1 = 0;
    int i;
    fer_page_print(page, "<section id=\"classes\">\n<h2>Class by class</h2>\n<p>Precision: of the faces taken for "
                         "this class, how many are. Recall: of the faces that are, how many were found. F1: the "
                         "harmonic mean of both. Support: how many there are.</p>\n"
                         "<div class=\"scroll\" tabindex=\"0\"><table>\n<caption>%s, %lu faces</caption>\n<thead><tr>"
                         "<th class=\"word\" scope=\"col\">class</th><th scope=\"col\">precision</th>"
                         "<th scope=\"col\">recall</th><th scope=\"col\">F1</th><th scope=\"col\">support</th></tr>"
                         "</thead>\n<tbody>\n",
                   fer_usage_names[r->usage], (unsigned long)r->evaluation.count);
    for (i = 0; i < FER_CLASSES; i++) {
        const struct fer_class_score *s = &r->score[i];
        write_scores(page, fer_class_names[i], s->precision, s->recall, s->f1, s->images);
        precision += s->precision / FER_CLASSES;
        recall += s->recall / FER_CLASSES;
        f1 += s->f1 / FER_CLASSES;
    }
    fer_page_print(page, "</tbody>\n<tfoot>\n");
    write_scores(page, "mean", precision, recall, f1, r->evaluation.count);
    fer_page_print(page, "</tfoot>\n</table></div>\n</section>\n");
}

/* ---- Faces ---- */

/* An image as a picture within the page. Of one larger than FER_PNG_SIDE every second, third, ... row and column is
 * taken. */
static void write_picture(struct fer_page *page, const struct fer_dataset *data, const struct fer_image *image)
{
    uint8_t pixels[FER_PNG_SIDE * FER_PNG_SIDE];
    unsigned char file[FER_PNG_ROOM];
    const int longer = image->height > image->width ? image->height : image->width;
    const int step = (longer + FER_PNG_SIDE - 1) / FER_PNG_SIDE;
    const int height = (image->height + step - 1) / step, width = (image->width + step - 1) / step;
    int row, column;
    for (row = 0; row < height; row++)
        for (column = 0; column < width; column++)
            pixels[row * width + column] =
                data->pixels[image->offset + (size_t)row * (size_t)step * (size_t)image->width +
                             (size_t)(column * step)];
    fer_page_print(page, "src=\"data:image/png;base64,");
    fer_page_base64(page, file, fer_png_encode(file, height, width, pixels));
    fer_page_print(page, "\"/>");
}

static void write_face(struct fer_page *page, const struct fer_report *r, const struct fer_prediction *p)
{
    const struct fer_image *image = &r->data->image[p->image];
    const char *label = fer_class_names[image->label], *guess = fer_class_names[p->predicted];
    const int right = p->predicted == image->label;
    int k;
    fer_page_print(page, "<figure class=\"face\">\n<figcaption><b>%s</b> ", label);
    if (right)
        fer_page_print(page, "<span class=\"right\">✓ recognised</span>");
    else
        fer_page_print(page, "<span class=\"wrong\">✗ taken for %s</span>", guess);
    fer_page_print(page, " <span class=\"loss\">loss ");
    fer_page_number(page, p->loss, 0);
    fer_page_print(page,
                   "</span></figcaption>\n<img width=\"96\" height=\"96\" alt=\"face %lu of the data, labelled %s, "
                   "taken for %s\" ",
                   (unsigned long)p->image, label, guess);
    write_picture(page, r->data, image);
    fer_page_print(page, "\n<ol class=\"bars\">\n");
    for (k = 0; k < FER_CLASSES; k++)
        fer_page_print(page, "<li%s style=\"--part:%.1f%%\"><span>%s</span><span>%.1f%%</span></li>\n",
                       k == image->label ? " class=\"label\"" : "", 100 * p->probability[k], fer_class_names[k],
                       100 * p->probability[k]);
    fer_page_print(page, "</ol>\n</figure>\n");
}

static void write_faces(struct fer_page *page, const struct fer_report *r)
{
    int i, last = -1;
    fer_page_print(page, "<section id=\"faces\">\n<h2>Faces</h2>\n<p>The first %d of each class of %s, whatever "
                         "became of them, with the seven probabilities; the label is underlined.</p>\n"
                         "<div class=\"pairs\">\n",
                   FER_REPORT_SAMPLES, fer_usage_names[r->usage]);
    for (i = 0; i < r->samples; i++) {
        const int label = r->data->image[r->sample[i].image].label;
        if (label != last) fer_page_print(page, "%s<div class=\"pair\">\n", i ? "</div>\n" : "");
        write_face(page, r, &r->sample[i]);
        last = label;
    }
    fer_page_print(page, "%s</div>\n</section>\n<section id=\"mistakes\">\n<h2>Worst mistakes</h2>\n",
                   r->samples ? "</div>\n" : "");
    if (r->mistakes)
        fer_page_print(page, "<p>The faces of %s with the largest loss: where the network was surest of something "
                             "else. Some of them may be labelled wrongly.</p>\n<div class=\"faces\">\n",
                       fer_usage_names[r->usage]);
    else
        fer_page_print(page, "<p>There are none: every face is recognised.</p>\n<div>\n");
    for (i = 0; i < r->mistakes; i++) write_face(page, r, &r->mistake[i]);
    fer_page_print(page, "</div>\n</section>\n");
}

/* ---- Settings ---- */

/* One line of the table of settings. */
static void write_fact(struct fer_page *page, const struct fer_report_fact *fact)
{
    fer_page_print(page, "<tr%s><th scope=\"row\">%s ", *fact->usual ? " class=\"changed\"" : "", fact->name);
    if (*fact->usual) {
        fer_page_print(page, "<span class=\"mark\">changed; default ");
        fer_page_text(page, fact->usual);
        fer_page_print(page, "</span>");
    }
    fer_page_print(page, "<small>");
    fer_page_text(page, fact->help);
    fer_page_print(page, "</small></th><td class=\"word\"><code>");
    fer_page_text(page, fact->value);
    fer_page_print(page, "</code></td></tr>\n");
}

/* Those that were changed come first. */
static void write_settings(struct fer_page *page, const struct fer_report *r)
{
    int i, changed;
    fer_page_print(page, "<section id=\"settings\">\n<h2>Settings</h2>\n<div class=\"scroll\" tabindex=\"0\">"
                         "<table class=\"wide\">\n<thead><tr><th class=\"word\" scope=\"col\">name</th>"
                         "<th class=\"word\" scope=\"col\">value</th></tr></thead>\n<tbody>\n");
    for (changed = 1; changed >= 0; changed--)
        for (i = 0; i < r->facts; i++)
            if ((*r->fact[i].usual != 0) == changed) write_fact(page, &r->fact[i]);
    fer_page_print(page, "</tbody>\n</table></div>\n</section>\n<section id=\"again\">\n<h2>Make it again</h2>\n"
                         "<p>fer's results are the same to the last bit on every machine, compiler and number of "
                         "threads. This makes the same log%s:</p>\n<pre><code>",
                   shows_best(r) ? ", and a best.npz of the same weights-digest" : "");
    fer_page_text(page, r->command);
    fer_page_print(page, "</code></pre>\n</section>\n");
}

int fer_report_write(const struct fer_report *report, const char *path, struct fer_error *e)
{
    struct fer_page page;
    if (fer_page_create(&page, path, e)) return -1;
    fer_page_head(&page, report->name);
    write_header(&page, report);
    fer_page_print(&page, "<main>\n");
    write_figures(&page, report);
    fer_page_course(&page, report);
    fer_page_pits(&page, report);
    write_confusion(&page, report);
    write_classes(&page, report);
    write_faces(&page, report);
    write_settings(&page, report);
    fer_page_print(&page, "</main>\n</body>\n</html>\n");
    return fer_page_commit(&page, e);
}
