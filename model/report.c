/* report.c - what the page of a run shows: its history, an evaluation, faces and what the network makes of them,
 * every setting.
 *
 * data/page/report.c writes the page. */
#include "model.h"

#include "../data/data.h"
#include "../data/page/report.h"

#include <stdio.h>
#include <string.h>

/* ---- The evaluation, image by image ---- */

/* fer_evaluate calls its watcher after each batch, when the network still holds the batch's predictions; this watcher
 * keeps them. */
struct collector {
    const struct fer_network *network;
    const struct fer_dataset *data;
    const struct fer_watcher *watcher;
    size_t *index;                     /* of the images, in the order of the evaluation */
    struct fer_prediction *prediction; /* [done] */
    size_t done;
    int *labels; /* of a batch, as losses */
    double *losses;
};

static void collect_image(struct collector *c, size_t i)
{
    const real *p = c->network->layer[c->network->layers - 1].output + i * FER_CLASSES;
    struct fer_prediction *to = &c->prediction[c->done];
    int k;
    to->image = c->index[c->done++];
    to->loss = c->losses[i];
    to->predicted = 0;
    for (k = 0; k < FER_CLASSES; k++) {
        to->probability[k] = (double)p[k];
        if (p[k] > p[to->predicted]) to->predicted = k;
    }
}

static int collect_batch(void *context, const struct fer_trainer *trainer, enum fer_usage usage, size_t batch,
                         size_t batches, const struct fer_evaluation *so_far)
{
    struct collector *c = context;
    const size_t n = so_far->count - c->done;
    size_t i;
    for (i = 0; i < n; i++) c->labels[i] = c->data->image[c->index[c->done + i]].label;
    fer_cross_entropy(n, FER_CLASSES, c->network->logits, c->labels, c->losses, NULL);
    for (i = 0; i < n; i++) collect_image(c, i);
    return c->watcher && c->watcher->batch_done &&
           c->watcher->batch_done(c->watcher->context, trainer, usage, batch, batches, so_far);
}

/* The first images of each class, whatever became of them. */
static void choose_samples(struct fer_report *r, const struct collector *c)
{
    size_t i;
    int label, taken;
    for (label = 0; label < FER_CLASSES; label++)
        for (i = 0, taken = 0; i < c->done && taken < FER_REPORT_SAMPLES; i++)
            if (c->data->image[c->prediction[i].image].label == label) {
                r->sample[r->samples++] = c->prediction[i];
                taken++;
            }
}

/* The wrong predictions with the largest loss, largest first; of equal ones the first image. */
static void choose_mistakes(struct fer_report *r, const struct collector *c)
{
    size_t i;
    int at;
    for (i = 0; i < c->done; i++) {
        const struct fer_prediction *p = &c->prediction[i];
        if (p->predicted == c->data->image[p->image].label) continue;
        if (r->mistakes < FER_REPORT_MISTAKES)
            at = r->mistakes++;
        else if (p->loss > r->mistake[FER_REPORT_MISTAKES - 1].loss)
            at = FER_REPORT_MISTAKES - 1;
        else
            continue;
        for (; at > 0 && p->loss > r->mistake[at - 1].loss; at--) r->mistake[at] = r->mistake[at - 1];
        r->mistake[at] = *p;
    }
}

static int evaluate(struct fer_report *r, struct collector *c, struct fer_network *network, struct fer_error *e)
{
    const struct fer_dataset *data = c->data;
    const struct fer_watcher collecting = {c, collect_batch, NULL};
    enum fer_end end;
    r->usage = data->usage_count[FER_PUBLIC_TEST] ? FER_PUBLIC_TEST : FER_TRAINING;
    c->index = fer_allocate(data->usage_count[r->usage] + 1, sizeof *c->index, e);
    c->prediction = fer_allocate(data->usage_count[r->usage] + 1, sizeof *c->prediction, e);
    c->labels = fer_allocate(network->batch, sizeof *c->labels, e);
    c->losses = fer_allocate(network->batch, sizeof *c->losses, e);
    if (!c->index || !c->prediction || !c->labels || !c->losses) return -1;
    fer_dataset_select(data, r->usage, c->index);
    end = fer_evaluate(network, data, r->usage, &collecting, NULL, &r->evaluation, e);
    if (end == FER_DONE) end = fer_evaluate(network, data, FER_PRIVATE_TEST, c->watcher, NULL, &r->test, e);
    if (end == FER_STOPPED) fer_fail(e, "stopped before the evaluation was done");
    if (end != FER_DONE) return -1;
    fer_class_scores(&r->evaluation, r->score);
    choose_samples(r, c);
    choose_mistakes(r, c);
    return 0;
}

static int evaluate_with(struct fer_report *r, struct fer_network *network, const struct fer_dataset *data,
                         const struct fer_watcher *watcher, struct fer_error *e)
{
    struct collector c = {0};
    int failed;
    c.network = network;
    c.data = data;
    c.watcher = watcher;
    failed = evaluate(r, &c, network, e);
    fer_free(c.index);
    fer_free(c.prediction);
    fer_free(c.labels);
    fer_free(c.losses);
    return failed;
}

/* ---- The history ---- */

/* The epoch that these weights belong to: the first whose validation came out as it did now, to the last bit. */
static void find_shown(struct fer_report *r)
{
    const struct fer_evaluation *v = &r->evaluation;
    long i;
    r->shown = -1;
    if (!r->validated || v->count == 0) return;
    for (i = 0; i < r->epochs && r->shown < 0; i++)
        if (r->history[i][2] == (double)v->correct / (double)v->count &&
            r->history[i][3] == v->loss_sum / (double)v->count)
            r->shown = i;
}

static int mark_pits(struct fer_report *r, struct fer_error *e)
{
    r->pit = fer_allocate((size_t)r->epochs + 1, sizeof *r->pit, e);
    if (!r->pit) return -1;
    if (r->validated)
        r->pits =
            fer_pits_find((const double(*)[4])r->history, r->epochs, r->data->usage_count[FER_PUBLIC_TEST], r->pit);
    return 0;
}

/* What `fer pits` has found out, if it was asked. */
static int read_findings(struct fer_report *r, const char *run, struct fer_error *e)
{
    char path[FER_PATH];
    if (fer_join_path(path, run, "pits.csv", e)) return -1;
    return fer_file_exists(path) ? fer_pits_read(path, &r->finding, &r->findings, e) : 0;
}

/* ---- Settings and the command ---- */

static void add_fact(struct fer_report *r, const char *name, const char *help, const char *value)
{
    struct fer_report_fact *fact = &r->fact[r->facts++];
    fact->name = name;
    fact->help = help;
    snprintf(fact->value, sizeof fact->value, "%s", value);
}

static uint32_t weights_digest(const struct fer_network *network)
{
    uint32_t crc = 0;
    int i;
    for (i = 0; i < network->parameters; i++)
        crc = fer_crc32_reals(crc, network->parameter[i].value, network->parameter[i].count);
    return crc;
}

static void add_facts(struct fer_report *r, const struct fer_config *config, const struct fer_network *network)
{
    struct fer_settings standard;
    char text[128], usual[32];
    int i;
    fer_settings_default(&standard);
    add_fact(r, "version", "of fer", FER_VERSION);
    add_fact(r, "precision", "of every number of the network", FER_REAL_NAME);
    add_fact(r, "data", "where the faces came from", *config->data ? config->data : "drawn cartoon faces, not FER2013");
    snprintf(text, sizeof text, "%08lx", (unsigned long)config->data_digest);
    add_fact(r, "data-digest", "CRC-32 of every image, label and split", text);
    for (i = 0; i < FER_USAGES; i++) {
        snprintf(text, sizeof text, "%lu", (unsigned long)r->data->usage_count[i]);
        add_fact(r, fer_usage_names[i], "images in this split", text);
    }
    add_fact(r, "weights", "the file that training started from",
             *config->weights ? config->weights : "none: drawn by the seed");
    snprintf(text, sizeof text, "%08lx", (unsigned long)weights_digest(network));
    add_fact(r, "weights-digest", "CRC-32 of the weights that this page evaluates, in the order of creation", text);
    for (i = 0; i < FER_SETTINGS; i++) {
        fer_settings_get(&config->settings, i, text);
        add_fact(r, fer_setting_table[i].name, fer_setting_table[i].help, text);
        fer_settings_get(&standard, i, usual);
        if (strcmp(text, usual) != 0) memcpy(r->fact[r->facts - 1].usual, usual, sizeof usual);
    }
}

/* Adds to the command; fer_report.command has room for two paths, quoted, and for every setting. */
static void append(struct fer_report *r, const char *text)
{
    const size_t length = strlen(r->command);
    snprintf(r->command + length, sizeof r->command - length, "%s", text);
}

/* An option and its value, quoted as a POSIX shell takes it literally: 'it'\''s'. */
static void append_path(struct fer_report *r, const char *option, const char *path)
{
    char one[2] = "";
    append(r, option);
    append(r, "'");
    for (; *path; path++) {
        one[0] = *path;
        append(r, *path == '\'' ? "'\\''" : one);
    }
    append(r, "'");
}

/* Settings are given when they are not the default, and seed and epochs always: as many as are done. */
static void make_command(struct fer_report *r, const struct fer_config *config)
{
    struct fer_settings standard;
    char usual[32], is[32], text[80];
    int i;
    fer_settings_default(&standard);
    append(r, strcmp(FER_REAL_NAME, "float64") == 0 ? "fer64 train" : "fer train");
    if (*config->data) append_path(r, " --data ", config->data);
    if (*config->labels) append_path(r, " --labels ", config->labels);
    if (*config->weights) append_path(r, " --weights ", config->weights);
    for (i = 0; i < FER_SETTINGS; i++) {
        const char *name = fer_setting_table[i].name;
        const int epochs = strcmp(name, "epochs") == 0;
        fer_settings_get(&config->settings, i, is);
        fer_settings_get(&standard, i, usual);
        if (strcmp(is, usual) == 0 && !epochs && strcmp(name, "seed") != 0) continue;
        if (epochs) snprintf(is, sizeof is, "%ld", r->epochs);
        snprintf(text, sizeof text, " --%s %s", name, is);
        append(r, text);
    }
    append(r, " --out RUN");
}

/* ---- All of it ---- */

static int collect(struct fer_report *r, const char *run, const struct fer_config *config, struct fer_network *network,
                   const struct fer_watcher *watcher, struct fer_error *e)
{
    const uint32_t digest = fer_dataset_digest(r->data);
    char path[FER_PATH];
    if (digest != config->data_digest)
        return fer_fail(e, "%s: expected the run's data, whose digest is %08lx; that of %s is %08lx", run,
                        (unsigned long)config->data_digest, r->data->source, (unsigned long)digest);
    if (fer_join_path(path, run, "last.npz", e) || fer_history_read(path, &r->history, &r->epochs, e) ||
        read_findings(r, run, e))
        return -1;
    fer_path_name(r->name, run);
    r->drawn = !*config->data;
    r->size = (int)network->height;
    r->planned = config->settings.epochs;
    r->validated = r->data->usage_count[FER_PUBLIC_TEST] > 0;
    if (fer_network_plan(network, (size_t)config->settings.batch, FER_PLAN_INFERENCE, e) ||
        evaluate_with(r, network, r->data, watcher, e) || mark_pits(r, e))
        return -1;
    find_shown(r);
    add_facts(r, config, network);
    make_command(r, config);
    return 0;
}

int fer_report_create(struct fer_report **report, const char *run, const struct fer_config *config,
                      struct fer_network *network, const struct fer_dataset *data, const struct fer_watcher *watcher,
                      struct fer_error *e)
{
    struct fer_report *r = fer_allocate(1, sizeof *r, e);
    *report = NULL;
    if (!r) return -1;
    r->data = data;
    if (collect(r, run, config, network, watcher, e)) {
        fer_report_free(r);
        return -1;
    }
    *report = r;
    return 0;
}

void fer_report_free(struct fer_report *report)
{
    if (!report) return;
    fer_free(report->history);
    fer_free(report->pit);
    fer_free(report->finding);
    fer_free(report);
}
