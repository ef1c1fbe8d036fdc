/* fer.c - the program: one function a command. Everything that computes is in the library (fer.h). */
#include "fer.h"
#include "data/data.h"
#include "layers/fast/tile.h"
#include "model/check/command.h"
#include "model/pits/command.h"
#include "model/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_OK = 0, EXIT_CHECK_FAILED = 1, EXIT_BAD_INPUT = 2 };

/* Every complaint is one line on stderr, whatever the names in it, and the exit status is returned with it. */
static int complain(const struct fer_error *e)
{
    const char *c;
    fflush(stdout);
    fprintf(stderr, "fer: ");
    for (c = e->text; *c; c++) fputc((unsigned char)*c < ' ' || *c == 127 ? '?' : *c, stderr);
    fprintf(stderr, "\n");
    return EXIT_BAD_INPUT;
}

/* ---- The command line ---- */

struct option {
    const char *name;   /* without its dashes */
    const char **value; /* where the text after it goes; NULL at first */
};

/* The settings that a command has as options, and which of them were given. */
struct choice {
    const char *names; /* separated by blanks; NULL: all of the table */
    struct fer_settings settings;
    char given[FER_SETTINGS];
};

static void begin_choice(struct choice *c, const char *names)
{
    memset(c, 0, sizeof *c);
    c->names = names;
    fer_settings_default(&c->settings);
}

/* Whether this word is one of those, which are separated by blanks. */
static int has_word(const char *words, const char *word)
{
    size_t length;
    for (; *words; words += length + (words[length] == ' ')) {
        length = strcspn(words, " ");
        if (length == strlen(word) && strncmp(words, word, length) == 0) return 1;
    }
    return 0;
}

/* The index of a setting that the command has, or -1. */
static int find_setting(const struct choice *c, const char *name)
{
    return c && (!c->names || has_word(c->names, name)) ? fer_settings_find(name) : -1;
}

static int is_given(const struct choice *c, const char *name)
{
    return c->given[fer_settings_find(name)];
}

/* 0 when it was not given. */
static int given_size(const struct choice *c)
{
    return is_given(c, "size") ? c->settings.size : 0;
}

static int set_setting(struct choice *c, int setting, const char *text, struct fer_error *e)
{
    struct fer_error reason;
    c->given[setting] = 1;
    return fer_settings_set(&c->settings, setting, text, &reason) ? fer_fail(e, "--%s", reason.text) : 0;
}

/* Takes options out of the arguments: `--name value` or `--name=value`; settings by their table, as far as `choice`
 * (NULL: none) has them. What is left, *count words, stands in argv[0] ... A lone `--` ends the options. */
static int parse(int *count, char **argv, const struct option *options, int option_count, struct choice *choice,
                 struct fer_error *e)
{
    int i, j, setting, kept = 0, words_only = 0;
    for (i = 0; i < *count; i++) {
        char *word = argv[i], *name = word + 2, *equals, *value;
        const char **place = NULL;
        if (words_only || strncmp(word, "--", 2) != 0) {
            if (!words_only && strcmp(word, "-o") == 0)
                name = word + 1;
            else {
                argv[kept++] = word;
                continue;
            }
        } else if (!*name) {
            words_only = 1;
            continue;
        }
        equals = strchr(name, '=');
        if (equals) *equals = 0;
        for (j = 0; j < option_count; j++)
            if (strcmp(options[j].name, name) == 0) place = options[j].value;
        setting = place ? -1 : find_setting(choice, name);
        if (!place && setting < 0) return fer_fail(e, "--%s: no such option; `fer help COMMAND` lists them", name);
        value = equals ? equals + 1 : i + 1 < *count ? argv[++i] : NULL;
        if (!value) return fer_fail(e, "--%s: expected a value after it", name);
        if (place) *place = value;
        if (setting >= 0 && set_setting(choice, setting, value, e)) return -1;
    }
    *count = kept;
    return 0;
}

/* A whole number from 1, the value of an option. */
static int read_count(const char *option, const char *text, size_t most, size_t *count, struct fer_error *e)
{
    char *end;
    *count = strtoul(text, &end, 10);
    if (*text >= '1' && *text <= '9' && !*end && *count <= most) return 0;
    return fer_fail(e, "--%s %s: expected a whole number, 1 ... %zu", option, text, most);
}

/* Takes the word --NAME out of the arguments. Returns whether it was there. */
static int take_flag(int *count, char **argv, const char *name)
{
    int i, kept = 0, found = 0;
    for (i = 0; i < *count; i++) {
        if (strcmp(argv[i], "--") == 0) { /* what follows are words */
            for (; i < *count; i++) argv[kept++] = argv[i];
        } else if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0)
            found = 1;
        else
            argv[kept++] = argv[i];
    }
    *count = kept;
    return found;
}

/* ---- unpack ---- */

static int unpack(int argc, char **argv)
{
    const char *labels = NULL;
    const struct option option = {"labels", &labels};
    struct fer_dataset data;
    struct fer_error e;
    int failed;
    if (parse(&argc, argv, &option, 1, NULL, &e)) return complain(&e);
    if (argc != 2) return fer_fail(&e, "unpack: expected FILE.csv and the folder to make"), complain(&e);
    if (fer_faces_read(&data, argv[0], labels, 0, &e)) return complain(&e);
    fer_dataset_notes_text(stdout, &data);
    failed = fer_unpack(&data, argv[1], &e);
    if (!failed) printf("%s: %lu images\n", argv[1], (unsigned long)data.count);
    fer_dataset_free(&data);
    return failed ? complain(&e) : EXIT_OK;
}

/* ---- train ---- */

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    interrupted = 1;
    signal(number, SIG_DFL); /* a second one ends the program at once */
}

static int draw_progress(void *context, const struct fer_trainer *t, enum fer_usage usage, size_t batch, size_t batches,
                         const struct fer_evaluation *so_far)
{
    fer_progress_batch(context, t, usage, batch, batches, so_far);
    return interrupted;
}

static int print_epoch(void *context, const struct fer_trainer *t)
{
    fer_progress_epoch(context, t);
    return interrupted;
}

/* Brings the log to what the trainer says, and writes the settings. */
static int write_log_and_config(const struct fer_trainer *t, const struct fer_config *config, const char *run,
                                struct fer_error *e)
{
    const int columns = t->data->usage_count[FER_PUBLIC_TEST] ? 4 : 2;
    char path[FER_PATH];
    if (fer_join_path(path, run, "log.csv", e) ||
        fer_log_update(path, (const double(*)[4])t->history, t->epoch, columns, e))
        return -1;
    return fer_join_path(path, run, "config.txt", e) ? -1 : fer_config_save(config, path, e);
}

/* The weights that a run begins with are none of the files that it will write. */
static int check_weights(const char *weights, const char *run, int epochs, struct fer_error *e)
{
    char path[FER_PATH];
    int i;
    if (fer_join_path(path, run, "best.npz", e) || fer_file_apart(path, weights, e) ||
        fer_join_path(path, run, "last.npz", e) || fer_file_apart(path, weights, e))
        return -1;
    for (i = 0; i < epochs && *weights; i++)
        if (fer_checkpoint_path(path, run, i, e) || fer_file_apart(path, weights, e)) return -1;
    return 0;
}

/* The first checkpoint and the settings of a new run, in a folder that holds no run yet. */
static int begin_run(struct fer_trainer *t, const struct fer_config *config, const char *run, struct fer_error *e)
{
    char path[FER_PATH], epochs[FER_PATH];
    size_t ignored;
    if (fer_join_path(path, run, "config.txt", e)) return -1;
    if (fer_file_exists(path))
        return fer_fail(e, "%s: holds a run already: `fer train --resume %s` goes on with it, "
                           "--out takes another folder", run, run);
    if (check_weights(config->weights, run, t->settings.epochs, e)) return -1;
    if (*config->weights && fer_weights_read(t->network, config->weights, &ignored, e)) return -1;
    if (fer_make_folder(run, e) || fer_join_path(epochs, run, "epochs", e) || fer_make_folder(epochs, e)) return -1;
    if (fer_join_path(path, run, "last.npz", e) || fer_checkpoint_save(t, path, e))
        return fer_remove_folder(epochs), -1;
    if (*config->settings.model &&
        (fer_join_path(path, run, "model.json", e) || fer_file_copy(config->settings.model, path, e)))
        return -1;
    return write_log_and_config(t, config, run, e);
}

/* Where a run stopped. */
static int resume_run(struct fer_trainer *t, const struct fer_config *config, const char *run, struct fer_error *e)
{
    char path[FER_PATH];
    if (fer_join_path(path, run, "last.npz", e) || fer_checkpoint_load(t, path, e)) return -1;
    return write_log_and_config(t, config, run, e);
}

/* A resumed run goes on with its own settings; those given must be the same, but for the number of epochs. */
static int settle_config(struct fer_config *config, const struct choice *choice, const char *run, struct fer_error *e)
{
    char path[FER_PATH], differences[400] = "", was[32], is[32];
    size_t length = 0;
    int i;
    if (fer_join_path(path, run, "config.txt", e) || fer_config_load(config, path, e)) return -1;
    for (i = 0; i < FER_SETTINGS; i++) {
        if (!choice->given[i]) continue;
        fer_settings_get(&choice->settings, i, is);
        if (strcmp(fer_setting_table[i].name, "epochs") == 0) fer_settings_set(&config->settings, i, is, e);
        fer_settings_get(&config->settings, i, was);
        if (strcmp(is, was) != 0 && length < sizeof differences)
            length +=
                (size_t)snprintf(differences + length, sizeof differences - length, "%s%s is %s in the run, %s here",
                                 length ? "; " : "", fer_setting_table[i].name, was, is);
    }
    return length ? fer_fail(e, "%s: cannot be resumed with other settings: %s", run, differences) : 0;
}

static void print_plan(const struct fer_trainer *t, const char *run)
{
    const size_t network = fer_network_memory(t->network, (size_t)t->settings.batch, FER_PLAN_TRAINING);
    const double memory = (double)network + (double)t->data->pixel_count;
    printf("fer %s %s: %s at %dx%d, batch %d, %lu batches an epoch, %.0f MB of memory; run folder %s\n",
           FER_VERSION, FER_REAL_NAME, t->network->name, t->settings.size, t->settings.size, t->settings.batch,
           (unsigned long)t->batches, memory / 1e6, run);
    fflush(stdout);
}

static int fit(struct fer_trainer *t, const char *run)
{
    struct fer_progress progress;
    struct fer_forecast forecast;
    const struct fer_watcher watcher = {&progress, draw_progress, print_epoch};
    struct fer_error e;
    enum fer_end end;
    fer_progress_begin(&progress, stdout);
    fer_forecast_begin(&forecast, t);
    progress.forecast = &forecast;
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    end = fer_fit(t, run, &watcher, &e);
    if (progress.terminal && end != FER_DONE) printf("\n");
    if (end == FER_STOPPED) {
        fer_stopped_text(stdout, t, run);
        return t->epoch < t->settings.epochs ? EXIT_CHECK_FAILED : EXIT_OK;
    }
    if (end != FER_DONE) return complain(&e), end == FER_DIVERGED ? EXIT_CHECK_FAILED : EXIT_BAD_INPUT;
    printf("done: %s/log.csv, %s/last.npz%s\n", run, run,
           t->best >= 0 ? ", and the best epoch's weights in best.npz" : "");
    return EXIT_OK;
}

static int train(int argc, char **argv)
{
    const char *data_path = NULL, *labels = NULL, *out = "run", *resume = NULL, *weights = "", *model = "";
    const struct option options[] = {{"data", &data_path}, {"labels", &labels},   {"out", &out},
                                     {"resume", &resume},  {"weights", &weights}, {"model", &model}};
    struct fer_config config = {0};
    struct choice choice;
    struct fer_dataset data = {0};
    struct fer_trainer *trainer = NULL;
    struct fer_folder_lock lock;
    struct fer_error e;
    int failed, status = EXIT_BAD_INPUT;
    uint32_t digest;
    begin_choice(&choice, NULL);
    if (parse(&argc, argv, options, 6, &choice, &e)) return complain(&e);
    if (argc) return fer_fail(&e, "train: %s: expected options only", argv[0]), complain(&e);
    if (resume && (*weights || *model))
        return fer_fail(&e, "--%s: a resumed run goes on with its own", *weights ? "weights" : "model"), complain(&e);
    if (strlen(weights) >= sizeof config.weights || strlen(model) >= sizeof config.settings.model ||
        (data_path && strlen(data_path) >= sizeof config.data) || (labels && strlen(labels) >= sizeof config.labels))
        return fer_fail(&e, "a path is longer than %d characters", (int)sizeof config.data - 1), complain(&e);
    config.settings = choice.settings;
    snprintf(config.settings.model, sizeof config.settings.model, "%s", model);
    if (*model && !is_given(&choice, "size")) config.settings.size = 0;
    if (resume && settle_config(&config, &choice, resume, &e)) return complain(&e);
    if (resume) out = resume;
    if (data_path || !resume) snprintf(config.data, sizeof config.data, "%s", data_path ? data_path : "");
    if (!resume) snprintf(config.weights, sizeof config.weights, "%s", weights);
    if (labels) snprintf(config.labels, sizeof config.labels, "%s", labels);
    if (fer_folder_lock(&lock, out, &e)) return complain(&e);
    failed = fer_faces_announce(stdout, &data, config.data, config.labels, config.settings.seed, &e);
    digest = failed ? 0 : fer_dataset_digest(&data);
    if (!failed && resume && digest != config.data_digest)
        failed = fer_fail(
            &e, "%s: cannot be resumed with other data: the digest of %s is %08lx, of the run's data %08lx", resume,
            *config.data ? config.data : "the drawn faces", (unsigned long)digest, (unsigned long)config.data_digest);
    config.data_digest = digest;
    if (!failed && fer_trainer_create(&trainer, &config.settings, &data, &e) == 0) {
        config.settings.size = trainer->settings.size;
        print_plan(trainer, out);
        if (resume ? resume_run(trainer, &config, out, &e) : begin_run(trainer, &config, out, &e))
            failed = 1;
        else
            status = fit(trainer, out);
    } else
        failed = 1;
    if (failed) complain(&e);
    fer_trainer_free(trainer);
    fer_dataset_free(&data);
    fer_folder_unlock(&lock);
    return status;
}

/* ---- eval and predict ---- */

/* The network of a weights file, or of a run folder: its best weights, or else its last. A run's data is used unless
 * --data says otherwise. */
static int load_network(struct fer_network **network, const char *where, const char *model, int size,
                        struct fer_config *config, struct fer_error *e)
{
    char path[FER_PATH];
    const struct fer_config none = {0};
    *config = none;
    if (fer_join_path(path, where, "config.txt", e)) return -1;
    if (!fer_file_exists(path))
        snprintf(path, sizeof path, "%s", where);
    else {
        if (fer_config_load(config, path, e) || fer_join_path(path, where, "best.npz", e)) return -1;
        if (!fer_file_exists(path) && fer_join_path(path, where, "last.npz", e)) return -1;
    }
    return fer_weights_open(network, *model ? model : config->settings.model, path, (size_t)size, e);
}

static int eval(int argc, char **argv)
{
    const char *data_path = NULL, *labels = NULL, *usage_name = "PublicTest", *model = "";
    const struct option options[] = {
        {"data", &data_path}, {"labels", &labels}, {"usage", &usage_name}, {"model", &model}};
    struct choice choice;
    struct fer_network *network = NULL;
    struct fer_dataset data = {0};
    struct fer_evaluation result;
    struct fer_config config;
    struct fer_error e;
    enum fer_usage usage = FER_PUBLIC_TEST;
    int failed = 1;
    begin_choice(&choice, "size batch seed");
    if (parse(&argc, argv, options, 4, &choice, &e) || fer_usage_find(usage_name, &usage, &e)) return complain(&e);
    if (argc != 1) return fer_fail(&e, "eval: expected one run folder or weights file"), complain(&e);
    if (load_network(&network, argv[0], model, given_size(&choice), &config, &e)) return complain(&e);
    if (!fer_faces_announce(stdout, &data, data_path ? data_path : config.data,
                            labels || data_path ? labels : config.labels,
                            is_given(&choice, "seed") ? choice.settings.seed : config.settings.seed, &e)) {
        if (data.usage_count[usage] == 0)
            fer_fail(&e, "%s: no images of usage %s", data.source, usage_name);
        else if (!fer_network_plan(network, (size_t)choice.settings.batch, FER_PLAN_INFERENCE, &e) &&
                 fer_evaluate(network, &data, usage, NULL, NULL, &result, &e) == FER_DONE)
            failed = 0;
    }
    if (failed)
        complain(&e);
    else
        fer_evaluation_text(stdout, &result);
    fer_dataset_free(&data);
    fer_network_free(network);
    return failed ? EXIT_BAD_INPUT : EXIT_OK;
}

static int predict_image(struct fer_network *network, const char *path, real *probabilities, struct fer_error *e)
{
    uint8_t *pixels;
    int height, width;
    if (fer_image_read(path, &height, &width, &pixels, e)) return -1;
    fer_network_show(network, height, width, pixels);
    fer_free(pixels);
    fer_network_forward(network, 1, 0);
    memcpy(probabilities, network->layer[network->layers - 1].output, FER_CLASSES * sizeof *probabilities);
    return 0;
}

static int predict(int argc, char **argv)
{
    const char *model = "";
    const struct option options[] = {{"model", &model}};
    struct fer_network *network = NULL;
    struct choice choice;
    struct fer_config config;
    struct fer_error e;
    real *probabilities = NULL;
    const int json = take_flag(&argc, argv, "json");
    int i, failed;
    begin_choice(&choice, "size");
    if (parse(&argc, argv, options, 1, &choice, &e)) return complain(&e);
    if (argc < 2)
        return fer_fail(&e, "predict: expected a run folder or weights file, then PGM or PNG images"), complain(&e);
    if (load_network(&network, argv[0], model, given_size(&choice), &config, &e)) return complain(&e);
    failed = fer_network_plan(network, 1, FER_PLAN_INFERENCE, &e) ||
             !(probabilities = fer_allocate((size_t)argc, FER_CLASSES * sizeof *probabilities, &e));
    for (i = 1; i < argc && !failed; i++)
        failed = predict_image(network, argv[i], probabilities + (i - 1) * FER_CLASSES, &e);
    if (!failed)
        (json ? fer_predictions_json : fer_predictions_text)(stdout, argc - 1, (const char *const *)argv + 1,
                                                             probabilities);
    fer_free(probabilities);
    fer_network_free(network);
    return failed ? complain(&e) : EXIT_OK;
}

/* ---- report ---- */

/* The page is none of the files that it is made of. */
static int check_page(const char *out, const char *run, const char *data, struct fer_error *e)
{
    static const char *const names[] = {"config.txt", "best.npz", "last.npz", "log.csv", "pits.csv"};
    char path[FER_PATH];
    int i;
    for (i = 0; i < 5; i++)
        if (fer_join_path(path, run, names[i], e) || fer_file_apart(out, path, e)) return -1;
    return fer_file_apart(out, data, e);
}

static int report_logs(char **logs, int count, const char *column, const char *images, const char *out)
{
    struct fer_error e;
    size_t shown = 0;
    if ((images && read_count("images", images, 1000000000, &shown, &e)) ||
        fer_pits_report(stdout, (const char *const *)logs, count, column, shown, out, &e))
        return complain(&e);
    return EXIT_OK;
}

static int report(int argc, char **argv)
{
    const char *data_path = NULL, *out = NULL, *column = NULL, *images = NULL;
    const struct option options[] = {{"data", &data_path}, {"o", &out}, {"column", &column}, {"images", &images}};
    struct fer_progress progress;
    const struct fer_watcher watcher = {&progress, draw_progress, NULL};
    struct fer_report *page = NULL;
    struct fer_network *network = NULL;
    struct fer_dataset data = {0};
    struct fer_config config;
    struct fer_error e;
    char path[FER_PATH];
    int failed;
    if (parse(&argc, argv, options, 4, NULL, &e)) return complain(&e);
    if (argc < 1 || (argc > 1 && !fer_is_picture(out)))
        return fer_fail(&e, "report: expected one run folder or log%s",
                        argc > 1 ? "; several logs need -o FILE.svg" : ""), complain(&e);
    if (fer_join_path(path, argv[0], "config.txt", &e)) return complain(&e);
    if (!data_path && (!fer_file_exists(path) || fer_is_picture(out)))
        return report_logs(argv, argc, column, images, out);
    if (!fer_file_exists(path))
        return fer_fail(&e, "%s: cannot be opened: --data needs a run folder", path), complain(&e);
    if (column || images) return fer_fail(&e, "--column, --images: %s is a run, not a log", argv[0]), complain(&e);
    if (load_network(&network, argv[0], "", 0, &config, &e)) return complain(&e);
    if (!out && fer_join_path(path, argv[0], "report.html", &e) == 0) out = path;
    if (!data_path) data_path = config.data;
    fer_progress_begin(&progress, stdout);
    failed = !out || check_page(out, argv[0], data_path, &e) ||
             fer_faces_announce(stdout, &data, data_path, config.labels, config.settings.seed, &e) ||
             fer_report_create(&page, argv[0], &config, network, &data, &watcher, &e) ||
             fer_report_write(page, out, &e);
    if (progress.terminal) fer_progress_clear(stdout);
    if (!failed) printf("%s: open it in a browser\n", out);
    fer_report_free(page);
    fer_dataset_free(&data);
    fer_network_free(network);
    return failed ? complain(&e) : EXIT_OK;
}

/* ---- summary ---- */

static int summary(int argc, char **argv)
{
    const int json = take_flag(&argc, argv, "json");
    const char *model = NULL;
    const struct option options[] = {{"model", &model}};
    struct choice choice;
    struct fer_network *net;
    struct fer_error e;
    begin_choice(&choice, "size");
    if (parse(&argc, argv, options, 1, &choice, &e)) return complain(&e);
    if (argc) return fer_fail(&e, "summary: %s: expected options only", argv[0]), complain(&e);
    if (fer_network_open(&net, model, (size_t)given_size(&choice), &e)) return complain(&e);
    (json ? fer_summary_json : fer_summary_text)(stdout, net);
    fer_network_free(net);
    return EXIT_OK;
}

/* ---- gradcheck ---- */

static int gradcheck(int argc, char **argv)
{
    const int strict = take_flag(&argc, argv, "strict");
    const char *points = NULL, *values = NULL, *model = NULL, *out = NULL;
    const struct option options[] = {{"points", &points}, {"values", &values}, {"model", &model}, {"o", &out}};
    struct choice choice;
    struct fer_error e;
    struct fer_gradcheck_text text = {stdout, strict, 0, 0};
    int failed;
    begin_choice(&choice, "seed size");
    if (parse(&argc, argv, options, 4, &choice, &e)) return complain(&e);
    if ((points != NULL) + (values != NULL) + (model != NULL) + (argc > 0) > 1)
        return fer_fail(&e, "gradcheck: expected --points, --values, --model or names of layers"), complain(&e);
    if (is_given(&choice, "size") && !model)
        return fer_fail(&e, "--size: expected with --model"), complain(&e);
    if (points) return fer_gradcheck_text_points(&text, points, out, &e) ? complain(&e) : EXIT_OK;
    if (values && (failed = fer_gradcheck_text_values(&text, values, &e)) < 0) return complain(&e);
    if (values) return failed ? EXIT_CHECK_FAILED : EXIT_OK;
    failed = model ? fer_gradcheck_model(model, (size_t)given_size(&choice), choice.settings.seed,
                                         fer_gradcheck_text_row, &text, &e)
                   : fer_gradcheck((const char *const *)argv, argc, choice.settings.seed, fer_gradcheck_text_row, &text,
                                   &e);
    if (failed < 0) return complain(&e);
    failed += text.unsaid;
    printf(failed ? "%d FAILED\n" : "all gradients agree with finite differences\n", failed);
    return failed ? EXIT_CHECK_FAILED : EXIT_OK;
}

/* ---- op ---- */

/* The value of the option --NAME, left where it is; NULL: it is not there. */
static const char *find_value(int count, char **argv, const char *name)
{
    const size_t length = strlen(name);
    int i;
    for (i = 0; i < count && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, name, length) != 0) continue;
        if (argv[i][2 + length] == '=') return argv[i] + 3 + length;
        if (!argv[i][2 + length]) return i + 1 < count ? argv[i + 1] : "";
    }
    return NULL;
}

enum { OP_OPTIONS = 200 };

/* The options of the operations that were given, and the arithmetic of who computed results. Returns how many, or
 * -1. */
static int parse_op(int *argc, char **argv, struct fer_op_option given[OP_OPTIONS], struct fer_verify_options *o,
                    struct fer_error *e)
{
    const char *text[OP_OPTIONS] = {NULL}, *name = NULL;
    struct fer_verify_words w = {0};
    struct option options[OP_OPTIONS + 3] = {{"unit", &w.unit}, {"accumulate", &w.accumulate}, {"op", &name}};
    int i, names = 0, count = 0;
    for (; names < OP_OPTIONS && fer_op_option_name(names); names++)
        options[names + 3].name = fer_op_option_name(names), options[names + 3].value = &text[names];
    fer_verify_options_default(o);
    if (parse(argc, argv, options, names + 3, NULL, e) || fer_verify_options_read(o, &w, e)) return -1;
    for (i = 0; i < names; i++)
        if (text[i]) given[count].name = options[i + 3].name, given[count++].text = text[i];
    return count;
}

/* The verdict on results of one operation; with `json` as JSON. */
static int judge_op(const char *name, const char *in, const char *theirs, const struct fer_op_option *given, int count,
                    const struct fer_verify_options *o, int json)
{
    struct fer_verify_text text = {.out = stdout, .is_json = json, .path = theirs, .options = o};
    struct fer_verify_summary summary;
    struct fer_error e;
    const int failed = fer_op_verify(name, in, theirs, given, count, o->unit, o->accumulate, fer_verify_text_row, &text,
                                     &summary, &e);
    fer_verify_text_end(&text, failed ? NULL : &summary);
    if (failed) return complain(&e);
    return *summary.first || *summary.first_mistrusted ? EXIT_CHECK_FAILED : EXIT_OK;
}

/* verify --op NAME IN.npz THEIRS.npz */
static int verify_op(int argc, char **argv, const char *name, int json)
{
    struct fer_op_option given[OP_OPTIONS];
    struct fer_verify_options o;
    struct fer_error e;
    const int count = parse_op(&argc, argv, given, &o, &e);
    if (count < 0) return complain(&e);
    if (argc != 2) return fer_fail(&e, "verify --op: expected IN.npz and THEIRS.npz"), complain(&e);
    return judge_op(name, argv[0], argv[1], given, count, &o, json);
}

static int op(int argc, char **argv)
{
    struct fer_op_option given[OP_OPTIONS];
    struct fer_op_result result;
    struct fer_verify_options o;
    struct fer_error e;
    const int print = take_flag(&argc, argv, "print"), count = parse_op(&argc, argv, given, &o, &e);
    if (count < 0) return complain(&e);
    if (argc != 3) return fer_fail(&e, "op: expected the operation's name, IN.npz and OUT.npz"), complain(&e);
    if (fer_op(argv[0], argv[1], argv[2], given, count, &result, &e)) return complain(&e);
    if (*result.note) fprintf(stderr, "fer: %s: %s\n", argv[1], result.note);
    if (result.ignored)
        fprintf(stderr, "fer: %s: %lu array%s not used: %s\n", argv[1], (unsigned long)result.ignored,
                result.ignored == 1 ? " is" : "s are", result.unused);
    if (print && fer_npz_text(stdout, argv[2], &e)) return complain(&e);
    printf("%s: %s: %lu arrays; %lu arrays of %s ignored\n", argv[2], argv[0], (unsigned long)result.written,
           (unsigned long)result.ignored, argv[1]);
    return result.own ? judge_op(argv[0], argv[1], argv[1], given, count, &o, 0) : EXIT_OK;
}

/* ---- cases ---- */

static int cases(int argc, char **argv)
{
    const int exact = take_flag(&argc, argv, "exact");
    const char *out = NULL;
    const struct option option = {"o", &out};
    struct fer_cases_written written;
    struct choice choice;
    struct fer_error e;
    begin_choice(&choice, "seed");
    if (parse(&argc, argv, &option, 1, &choice, &e)) return complain(&e);
    if (!out) return fer_fail(&e, "cases: expected -o and the folder to make"), complain(&e);
    if (fer_cases((const char *const *)argv, argc, choice.settings.seed, exact, out, &written, &e)) return complain(&e);
    printf("%s/cases.csv: %zu cases\n", out, written.cases);
    return EXIT_OK;
}

/* verify DIR ANSWERS */
static int verify_cases(const char *dir, const char *answers, const struct fer_verify_options *o, int json)
{
    struct fer_cases_text text = {stdout, json, dir, answers, o, 0, {0}};
    struct fer_cases_summary s;
    struct fer_error e;
    const int failed = fer_cases_verify(dir, answers, o, fer_cases_text_row, &text, &s, &e);
    fer_cases_text_end(&text, failed ? NULL : &s);
    return failed ? complain(&e) : fer_cases_passed(&s) ? EXIT_OK : EXIT_CHECK_FAILED;
}

/* ---- record ---- */

/* What the command line says of a record. */
struct recording {
    const char *model, *weights, *input, *data, *usage, *out;
    struct choice choice;
    int exact, inference;
};

static int check_recording(const struct recording *r, struct fer_error *e)
{
    if (!r->out) return fer_fail(e, "record: expected -o and the file to write");
    if (r->input && r->data) return fer_fail(e, "--input, --data: expected one of them");
    if (r->usage && !r->data) return fer_fail(e, "--usage: expected with --data");
    if (r->exact && r->inference) return fer_fail(e, "--exact, --inference: expected one of them");
    if (r->exact && (r->weights || r->input || r->data))
        return fer_fail(e, "--exact: its weights and images are drawn: expected no --weights, --input, --data");
    return fer_file_apart(r->out, r->weights, e) || fer_file_apart(r->out, r->input, e) ||
                   fer_file_apart(r->out, r->data, e) || fer_file_apart(r->out, r->model, e)
               ? -1
               : 0;
}

/* The images that do not come from --input: the first of --data, or drawn ones; numbers where it takes no faces. */
static int take_images(struct fer_batch *batch, const struct recording *r, const struct fer_network *network,
                       struct fer_error *e)
{
    size_t drawn[FER_USAGES] = {0};
    struct fer_dataset data;
    enum fer_usage usage = FER_TRAINING;
    int n = r->choice.settings.batch, failed;
    if (!r->data && !fer_network_takes_faces(network))
        return fer_batch_draw(batch, network, (size_t)n, r->choice.settings.seed, e);
    if (r->usage && fer_usage_find(r->usage, &usage, e)) return -1;
    drawn[FER_TRAINING] = (size_t)n;
    if (r->data ? fer_dataset_read(&data, r->data, e) : fer_dataset_draw(&data, r->choice.settings.seed, drawn, e))
        return -1;
    fer_dataset_notes_text(stdout, &data);
    if (!is_given(&r->choice, "batch") && data.usage_count[usage] < (size_t)n && data.usage_count[usage])
        n = (int)data.usage_count[usage];
    failed = fer_batch_take(batch, &data, usage, (size_t)n, network->height, e) ||
             fer_batch_fit(batch, network, data.source, e);
    fer_dataset_free(&data);
    return failed;
}

static int make_network(struct fer_network **network, const struct recording *r, int size, struct fer_error *e)
{
    const struct fer_settings *s = &r->choice.settings;
    const int own_epsilon = (r->weights || r->model) && !is_given(&r->choice, "bn-epsilon");
    size_t ignored;
    if (r->weights && !r->model) {
        if (fer_weights_load(network, r->weights, (size_t)size, &ignored, e)) return -1;
    } else {
        if (fer_network_open(network, r->model, (size_t)size, e)) return -1;
        fer_network_initialise(*network, s->seed);
        if (r->weights && fer_weights_read(*network, r->weights, &ignored, e)) return -1;
    }
    fer_network_normalization(*network, r->model && !is_given(&r->choice, "bn-momentum") ? -1 : s->bn_momentum,
                              own_epsilon ? -1 : s->bn_epsilon, s->bn_unbiased);
    return 0;
}

/* Computes and writes. n images; those of `batch`, unless the record is exact. */
static int write_record(struct fer_network *network, const struct recording *r, const struct fer_batch *batch, int n,
                        struct fer_error *e)
{
    const struct fer_settings *s = &r->choice.settings;
    const struct fer_adam adam = {s->learning_rate, s->beta1, s->beta2, s->adam_epsilon};
    const double memory = (double)fer_network_memory(network, (size_t)n, FER_PLAN_KEEP);
    struct fer_recorded recorded;
    if (fer_network_fits(network, (size_t)n, FER_PLAN_KEEP, fer_memory_available(), e)) return -1;
    if (memory > 1e9) printf("%.1f GB of memory are needed\n", memory / 1e9), fflush(stdout);
    if (r->exact       ? fer_record_exact(network, (size_t)n, s->seed, r->out, &recorded, e)
        : r->inference ? fer_record_inference(network, batch, r->out, &recorded, e)
                       : fer_record(network, batch, &adam, r->out, &recorded, e))
        return -1;
    printf("%s: %s, %d images of %zux%zu from %s", r->out,
           r->exact ? "exact integers" : r->inference ? "inference" : "a training step", n, network->height,
           network->width,
           r->exact                           ? "the seed"
           : r->input                         ? r->input
           : r->data                          ? r->data
           : fer_network_takes_faces(network) ? "drawn faces"
                                              : "the seed");
    if (!r->exact) printf(", weights from %s, loss %.6f", r->weights ? r->weights : "the seed", recorded.loss);
    printf(": %lu arrays, %.0f MB of memory\n", (unsigned long)recorded.arrays, memory / 1e6);
    return 0;
}

static int record(int argc, char **argv)
{
    struct recording r = {0};
    const struct option options[] = {
        {"weights", &r.weights}, {"input", &r.input}, {"data", &r.data},
        {"usage", &r.usage},     {"o", &r.out},       {"model", &r.model}};
    struct fer_batch batch = {0};
    struct fer_network *network = NULL;
    struct fer_error e;
    int failed, size;
    begin_choice(&r.choice,
                 "size batch seed learning-rate beta1 beta2 adam-epsilon bn-momentum bn-epsilon bn-moving-variance");
    r.choice.settings.batch = 32;
    r.exact = take_flag(&argc, argv, "exact");
    r.inference = take_flag(&argc, argv, "inference");
    if (parse(&argc, argv, options, 6, &r.choice, &e)) return complain(&e);
    if (argc) return fer_fail(&e, "record: %s: expected options only", argv[0]), complain(&e);
    if (check_recording(&r, &e)) return complain(&e);
    size = given_size(&r.choice); /* 0: the weights file's */
    failed = r.model ? make_network(&network, &r, size, &e) : 0;
    if (!failed && r.input)
        failed = fer_batch_read(&batch, r.input, is_given(&r.choice, "batch") ? (size_t)r.choice.settings.batch : 0,
                                network, &e);
    if (!failed && r.input && size && (size_t)size != batch.height)
        failed = fer_fail(&e, "--size %d: the images of %s are %zux%zu", size, r.input, batch.height, batch.width);
    if (!failed && !network) failed = make_network(&network, &r, size ? size : (int)batch.height, &e);
    if (!failed && !r.input && !r.exact) failed = take_images(&batch, &r, network, &e);
    if (!failed) failed = write_record(network, &r, &batch, r.exact ? r.choice.settings.batch : (int)batch.n, &e);
    fer_batch_free(&batch);
    fer_network_free(network);
    return failed ? complain(&e) : EXIT_OK;
}

/* ---- verify ---- */

/* verify --join A.json B.json ... */
static int verify_join(int argc, char **argv, int json)
{
    struct fer_verify_options o;
    struct fer_verify_text text = {.out = stdout, .is_json = json, .options = &o};
    struct fer_verify_summary summary;
    struct fer_error e;
    if (fer_verify_join(argv, argc, &text, &o, &summary, &e)) return complain(&e);
    return *summary.first || *summary.first_mistrusted ? EXIT_CHECK_FAILED : EXIT_OK;
}

static int verify(int argc, char **argv)
{
    const int json = take_flag(&argc, argv, "json"), joined = take_flag(&argc, argv, "join");
    const char *operation = find_value(argc, argv, "op");
    const int inference = take_flag(&argc, argv, "inference"), no_chains = take_flag(&argc, argv, "no-chains");
    const char *model = NULL;
    struct fer_verify_words w = {0}, none = {0};
    const struct option options[] = {{"unit", &w.unit}, {"accumulate", &w.accumulate},       {"adam", &w.adam},
                                     {"ties", &w.ties}, {"relu-at-zero", &w.relu_at_zero}, {"layout", &w.layout},
                                     {"model", &model}, {"winograd", &w.winograd},     {"part", &w.part}};
    struct fer_verify_options o;
    struct fer_verify_text text = {.out = stdout, .is_json = json, .options = &o};
    struct fer_verify_summary summary;
    struct choice choice;
    struct fer_error e;
    int failed;
    if (joined) return verify_join(argc, argv, json);
    if (operation) return verify_op(argc, argv, operation, json);
    begin_choice(&choice, "size learning-rate beta1 beta2 adam-epsilon bn-momentum bn-epsilon bn-moving-variance");
    fer_verify_options_default(&o);
    if (fer_verify_exceptions_take(&o, &argc, argv, &e) || parse(&argc, argv, options, 9, &choice, &e) ||
        fer_verify_options_read(&o, &w, &e))
        return complain(&e);
    o.settings = choice.settings;
    o.model = model;
    o.inference = inference;
    o.no_chains = no_chains;
    o.size = (size_t)given_size(&choice);
    if (model && !is_given(&choice, "bn-momentum")) o.settings.bn_momentum = -1;
    if (model && !is_given(&choice, "bn-epsilon")) o.settings.bn_epsilon = -1;
    w.unit = w.accumulate = NULL; /* all that cases take */
    if (argc == 2 && !memcmp(&w, &none, sizeof w) && !model && !inference && !no_chains && !o.exceptions &&
        !memchr(choice.given, 1, FER_SETTINGS))
        return verify_cases(argv[0], argv[1], &o, json);
    if (argc != 1)
        return fer_fail(&e, "verify: expected one record, RECORD.npz, or DIR ANSWERS, with --unit and --accumulate "
                            "alone"), complain(&e);
    text.path = argv[0];
    failed = fer_verify(argv[0], &o, fer_verify_text_row, &text, &summary, &e);
    fer_verify_text_end(&text, failed ? NULL : &summary);
    if (failed) return complain(&e);
    return *summary.first || *summary.first_mistrusted ? EXIT_CHECK_FAILED : EXIT_OK;
}

/* ---- bench ---- */

static int bench(int argc, char **argv)
{
    const int json = take_flag(&argc, argv, "json");
    const char *repeats = "5", *model = NULL;
    const struct option options[] = {{"repeats", &repeats}, {"model", &model}};
    struct choice choice;
    struct fer_network *net;
    struct fer_error e;
    struct fer_bench b;
    size_t times;
    int failed;
    begin_choice(&choice, "size batch");
    choice.settings.batch = 32;
    if (parse(&argc, argv, options, 2, &choice, &e)) return complain(&e);
    if (argc) return fer_fail(&e, "bench: %s: expected options only", argv[0]), complain(&e);
    if (read_count("repeats", repeats, 1000, &times, &e) ||
        fer_network_open(&net, model, (size_t)given_size(&choice), &e))
        return complain(&e);
    b.repeats = (int)times;
    fer_network_initialise(net, 0);
    failed = fer_network_fits(net, (size_t)choice.settings.batch, FER_PLAN_TRAINING, fer_memory_available(), &e) ||
             fer_bench_run(net, choice.settings.batch, b.repeats, fer_clock, &b, &e);
    if (!failed) {
        if (json)
            fer_bench_json(stdout, net, &b);
        else
            fer_bench_text(stdout, net, &b);
    }
    fer_network_free(net);
    return failed ? complain(&e) : EXIT_OK;
}

/* ---- fingerprint ---- */

static int fingerprint(int argc, char **argv)
{
    const int check = take_flag(&argc, argv, "check");
    struct fer_fingerprint_text text = {0};
    struct fer_error e;
    int differ;
    if (parse(&argc, argv, NULL, 0, NULL, &e)) return complain(&e);
    if (argc) return fer_fail(&e, "fingerprint: %s: expected nothing but --check", argv[0]), complain(&e);
    text.out = stdout;
    text.check = check;
    fer_fingerprint_text_begin(&text);
    differ = fer_fingerprint(fer_fingerprint_text_stage, &text, &e);
    if (differ < 0) return complain(&e);
    fer_fingerprint_text_end(&text, differ);
    return check && differ ? EXIT_CHECK_FAILED : EXIT_OK;
}

/* ---- pits ---- */

/* What the command line asks for, and what is there. */
struct pits_request {
    const char *where, *data_path, *epoch, *experiments, *images, *column;
    int json, is_run;
    unsigned which; /* experiments */
    struct fer_config config;
    struct fer_dataset data;
    struct fer_log log;
    struct fer_pits_choice chosen;
};

/* What is shown and kept while a run's pits are explained. */
struct pits_display {
    struct fer_pits_text text;
    struct fer_pits_table table;
    int terminal;
    char doing[200];
    double last_drawn;
};

static void begin_experiment(void *context, const char *experiment, const char *detail)
{
    struct pits_display *d = context;
    snprintf(d->doing, sizeof d->doing, "%s: %s", experiment, detail);
}

static int draw_pits_progress(void *context, const struct fer_trainer *trainer, enum fer_usage usage, size_t batch,
                              size_t batches, const struct fer_evaluation *so_far)
{
    struct pits_display *d = context;
    const double now = fer_clock();
    (void)trainer, (void)usage, (void)so_far;
    if (d->terminal && now - d->last_drawn > 0.1) {
        d->last_drawn = now;
        fer_progress_doing(stderr, d->doing, batch, batches);
    }
    return interrupted;
}

static void take_pit_row(void *context, const struct fer_pit_row *row)
{
    struct pits_display *d = context;
    fer_pits_table_keep(&d->table, row);
    if (d->terminal) fer_progress_clear(stderr);
    fer_pits_text_row(&d->text, row);
}

static void take_pit_step(void *context, const struct fer_network *network, const struct fer_pit_step *step)
{
    struct pits_display *d = context;
    (void)network;
    if (d->text.is_json) fer_pits_table_keep_step(&d->table, step);
}

/* A run's data, which must be those that it was trained with. */
static int read_run_data(struct pits_request *r, struct fer_error *e)
{
    const char *path = r->data_path ? r->data_path : r->config.data;
    if (fer_faces_read(&r->data, path, r->config.labels, r->config.settings.seed, e)) return -1;
    if (fer_dataset_digest(&r->data) == r->config.data_digest) return 0;
    return fer_fail(e, "%s: was trained on other data: the digest of %s is %08lx, of the run's data %08lx", r->where,
                    *path ? path : "the drawn faces", (unsigned long)fer_dataset_digest(&r->data),
                    (unsigned long)r->config.data_digest);
}

static int read_request(struct pits_request *r, struct fer_error *e)
{
    char path[FER_PATH];
    size_t images = 0;
    if (fer_pits_choose_experiments(r->experiments, &r->which, e) || fer_join_path(path, r->where, "config.txt", e))
        return -1;
    r->is_run = fer_file_exists(path);
    if (!r->is_run && (r->experiments || r->data_path))
        return fer_fail(e, "%s: no run folder (there is no %s): --experiments and --data need one", r->where, path);
    if (r->is_run && r->images) return fer_fail(e, "--images: a run's data say how many there are");
    if (r->images && read_count("images", r->images, 1000000000, &images, e)) return -1;
    if (!r->is_run) return fer_pits_choose_log(&r->chosen, &r->log, r->where, r->column, images, r->epoch, e);
    if (fer_config_load(&r->config, path, e) || read_run_data(r, e) || fer_join_path(path, r->where, "log.csv", e) ||
        fer_log_read_column(&r->log, path, r->column, e))
        return -1;
    images = r->data.usage_count[FER_PUBLIC_TEST];
    if (!images) images = FER_FER2013_VALIDATION;
    if (fer_pits_choose(&r->chosen, &r->log, images, r->epoch, e)) return -1;
    r->chosen.images = images;
    r->chosen.images_from = "the run's data";
    return 0;
}

/* Whether a pit's state is still there: runs made before train kept checkpoints have none. */
static int has_state(const struct pits_request *r, long epoch)
{
    char path[FER_PATH];
    return fer_checkpoint_path(path, r->where, epoch, NULL) == 0 && fer_file_exists(path);
}

/* Explains one pit by experiment, and writes pits.csv anew. */
static enum fer_end explain_pit(struct pits_request *r, const struct fer_pit *pit, struct fer_trainer *trainer,
                                struct pits_display *d, struct fer_error *e)
{
    const unsigned which = r->which | (r->epoch ? FER_PIT_LAYERS_ALWAYS : 0);
    const struct fer_watcher watcher = {d, draw_pits_progress, NULL};
    const struct fer_pit_watcher told = {d, begin_experiment, take_pit_row, take_pit_step, &watcher};
    char path[FER_PATH];
    enum fer_end end;
    fer_pits_table_begin(&d->table, pit->epoch, r->which);
    fer_pits_text_head(&d->text);
    end = fer_pit_explain(trainer, r->where, pit, which, &told, e);
    if (d->terminal) fer_progress_clear(stderr);
    if (end != FER_DONE) return end;
    if (d->table.out_of_memory) return fer_fail(e, "out of memory"), FER_FAILED;
    fer_pits_text_explained(&d->text, trainer->network);
    if (fer_join_path(path, r->where, "pits.csv", e)) return FER_FAILED;
    return fer_pits_write(path, d->table.row, d->table.rows, e) ? FER_FAILED : FER_DONE;
}

/* Shows what was chosen; explains each pit of a run. */
static enum fer_end report_each(struct pits_request *r, struct fer_trainer *trainer, struct pits_display *d,
                                struct fer_error *e)
{
    enum fer_end end = FER_DONE;
    long i;
    fer_pits_text_begin(&d->text, r->where, r->is_run, r->epoch != NULL, &r->log, &r->chosen);
    for (i = 0; i < r->chosen.count && end == FER_DONE; i++) {
        const struct fer_pit *pit = &r->chosen.pit[i];
        fer_pits_text_pit(&d->text, &r->log, pit);
        if (r->is_run && has_state(r, pit->epoch))
            end = explain_pit(r, pit, trainer, d, e);
        else if (r->is_run)
            fer_pits_text_no_state(&d->text);
        fer_pits_text_pit_end(&d->text);
    }
    fer_pits_text_end(&d->text);
    return end;
}

/* What earlier calls have found on this run. */
static int read_found(const struct pits_request *r, struct fer_pits_table *table, struct fer_error *e)
{
    struct fer_pit_row *row = NULL;
    char path[FER_PATH];
    size_t rows = 0, i;
    if (fer_join_path(path, r->where, "pits.csv", e)) return -1;
    if (r->is_run && fer_file_exists(path) && fer_pits_read(path, &row, &rows, e)) return -1;
    for (i = 0; i < rows; i++) fer_pits_table_keep(table, &row[i]);
    fer_free(row);
    return 0;
}

/* The pits of a log or run that has been read. */
static enum fer_end report_pits(struct pits_request *r, struct fer_error *e)
{
    struct pits_display d = {0};
    struct fer_trainer *trainer = NULL;
    const struct fer_pit *first = r->chosen.pit;
    enum fer_end end = FER_FAILED;
    if (r->is_run && r->epoch && !has_state(r, first->epoch)) {
        fer_fail(e, "%s: no checkpoint of epoch %s was kept: expected epochs/%04ld.npz", r->where, r->epoch,
                 first->epoch);
        return end;
    }
    d.text.out = stdout;
    d.text.is_json = r->json;
    d.text.table = &d.table;
    d.terminal = fer_is_terminal(stderr) && fer_is_terminal(stdout);
    if (read_found(r, &d.table, e) == 0 &&
        (!r->is_run || !r->chosen.count || fer_trainer_create(&trainer, &r->config.settings, &r->data, e) == 0))
        end = report_each(r, trainer, &d, e);
    fer_trainer_free(trainer);
    fer_pits_table_free(&d.table);
    return end;
}

static int pits(int argc, char **argv)
{
    static struct pits_request r;
    const struct option options[] = {
        {"data", &r.data_path}, {"epoch", &r.epoch}, {"experiments", &r.experiments}, {"images", &r.images},
        {"column", &r.column}};
    struct fer_error e;
    enum fer_end end = FER_FAILED;
    r.json = take_flag(&argc, argv, "json");
    if (parse(&argc, argv, options, 5, NULL, &e)) return complain(&e);
    if (argc != 1) return fer_fail(&e, "pits: expected one run folder or log"), complain(&e);
    r.where = argv[0];
    signal(SIGINT, interrupt);
    if (read_request(&r, &e) == 0) end = report_pits(&r, &e);
    if (end == FER_DONE && !r.is_run && !r.epoch && fer_pits_judged(&r.chosen, &r.log, r.where, &e)) end = FER_FAILED;
    fer_dataset_free(&r.data);
    fer_log_free(&r.log);
    fer_pits_choice_free(&r.chosen);
    if (end == FER_STOPPED) return fprintf(stderr, "stopped\n"), EXIT_CHECK_FAILED;
    return end == FER_DONE ? EXIT_OK : complain(&e);
}

/* ---- The list of commands ---- */

static int help(int argc, char **argv)
{
    const int command = argc ? fer_command_find(argv[0]) : -1;
    struct fer_error e;
    if (argc && command < 0) return fer_fail(&e, "%s: no such command; `fer` lists them", argv[0]), complain(&e);
    if (argc)
        fer_help_command(stdout, command);
    else
        fer_help_all(stdout);
    return EXIT_OK;
}

static int version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("fer %s %s, convolutions %s\n", FER_VERSION, FER_REAL_NAME, fer_tile_names[fer_tile_variant()]);
    return EXIT_OK;
}

static int is_word(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* What the first word asks for. */
static int run(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"train", train}, {"eval", eval}, {"predict", predict}, {"report", report}, {"summary", summary},
        {"gradcheck", gradcheck}, {"unpack", unpack}, {"op", op}, {"cases", cases}, {"record", record},
        {"verify", verify}, {"bench", bench}, {"fingerprint", fingerprint}, {"pits", pits}, {"help", help},
        {"version", version}};
    struct fer_error e;
    size_t i;
    if (argc < 2 || is_word(argv[1], "--help", "-h")) return help(0, NULL);
    if (is_word(argv[1], "--version", "-V")) return version(0, NULL);
    if (argc == 3 && is_word(argv[2], "--help", "-h")) return help(1, argv + 1);
    for (i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, argv[1]) == 0) return commands[i].run(argc - 2, argv + 2);
    return fer_fail(&e, "%s: no such command; `fer` lists them", argv[1]), complain(&e);
}

int main(int argc, char **argv)
{
    const char *tile = getenv("FER_TILE"); /* for tests: layers/fast/README.md */
    struct fer_error e;
    int status;
    fer_wait_passively(argv);
    if (tile && !has_word("0 1 2", tile))
        return fer_fail(&e, "FER_TILE=%s: expected 0, 1 or 2", tile), complain(&e);
    if (tile) fer_tile_limit(*tile - '0');
    if (fer_arithmetic_check(&e)) return complain(&e);
    status = run(argc, argv);
    if (fflush(stdout) || ferror(stdout)) return fer_fail(&e, "the output cannot be written"), complain(&e);
    return status;
}
