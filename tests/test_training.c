/* test_training.c - the network, its plan, the trainer, checkpoints, settings and the log. */
#include "greatest.h"

#include "../fer.h"
#include "../model/check/command.h"
#include "../model/text.h"

#include <math.h>
#include <string.h>

static struct fer_error error;

/* A few drawn faces, so that a step takes milliseconds. */
static void draw(struct fer_dataset *data, size_t training, size_t public_test)
{
    const size_t counts[FER_USAGES] = {training, public_test, 0};
    if (fer_dataset_draw(data, 1, counts, &error)) fprintf(stderr, "%s\n", error.text);
}

static struct fer_settings small_settings(int batch, int epochs)
{
    struct fer_settings s;
    fer_settings_default(&s);
    s.size = 48;
    s.batch = batch;
    s.epochs = epochs;
    return s;
}

/* ---- The network ---- */

TEST network_has_the_published_size(void)
{
    struct fer_network *net;
    size_t trainable = 0, fixed = 0;
    int i, convolutions = 0;
    ASSERT_EQ(0, fer_incv3v1(&net, 128, &error));
    for (i = 0; i < net->parameters; i++) *(net->parameter[i].trainable ? &trainable : &fixed) += net->parameter[i].count;
    for (i = 0; i < net->layers; i++) convolutions += net->layer[i].type == FER_CONV2D;
    ASSERT_EQ_FMT((size_t)3295207, trainable, "%lu");
    ASSERT_EQ_FMT((size_t)8064, fixed, "%lu");
    ASSERT_EQ(40, convolutions);
    ASSERT_STR_EQ("predictions", net->layer[net->layers - 1].name);
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *l = &net->layer[i];
        if (strcmp(l->name, "mixed2") == 0) ASSERT(l->height == 15 && l->width == 15 && l->channels == 288 && l->consumers == 3);
        if (strcmp(l->name, "mixed4") == 0) ASSERT(l->height == 7 && l->width == 7 && l->channels == 768);
        if (strcmp(l->name, "conv2d_39") == 0) ASSERT(l->channels == 192);
    }
    fer_network_free(net);
    PASS();
}

TEST too_small_an_image_names_the_layer(void)
{
    struct fer_network *net;
    ASSERT_EQ(-1, fer_incv3v1(&net, 20, &error));
    ASSERT_EQ(NULL, net);
    ASSERT_STR_EQ("an image of 20x20 is too small for this network: conv2d_26: an input 1 high does not hold a window of 3 without "
                  "padding",
                  error.text);
    PASS();
}

TEST initial_weights_follow_the_header(void)
{
    struct fer_network *net;
    const struct fer_parameter *p;
    double limit;
    size_t k;
    ASSERT_EQ(0, fer_incv3v1(&net, 48, &error));
    fer_network_initialise(net, 77);
    p = fer_network_parameter(net, "conv2d_32/kernel");
    ASSERT_EQ(1, p->shape[0]);
    ASSERT_EQ(7, p->shape[1]);
    limit = sqrt(6.0 / (7 * 128 + 7 * 128));
    for (k = 0; k < p->count; k += 997) {
        const double u = fer_uniform(77, FER_FOR_WEIGHTS, (uint32_t)(p - net->parameter), k);
        ASSERT(p->value[k] == (real)((2 * u - 1) * limit));
    }
    ASSERT(fer_network_parameter(net, "batch_normalization_7/moving_variance")->value[3] == 1);
    ASSERT(fer_network_parameter(net, "batch_normalization_7/moving_mean")->value[3] == 0);
    ASSERT_EQ(NULL, fer_network_parameter(net, "conv2d_40/kernel"));
    fer_network_free(net);
    PASS();
}

/* The gradients of one batch under a plan, as one digest; and the loss. */
static uint32_t digest_of_step(enum fer_plan plan, size_t room, double *loss)
{
    struct fer_network *net;
    struct fer_dataset data = {0};
    size_t index[6] = {0, 1, 2, 3, 4, 5};
    int labels[6], i;
    uint32_t crc = 0;
    draw(&data, 6, 0);
    fer_incv3v1(&net, 48, &error);
    fer_network_initialise(net, 5);
    fer_network_plan(net, room, plan, &error);
    fer_batch_fill(&data, index, 6, 48, fer_network_input(net), labels);
    fer_network_forward(net, 6, 1);
    *loss = fer_network_backward(net, 6, labels);
    for (i = 0; i < net->parameters; i++)
        if (net->parameter[i].trainable) crc = fer_crc32_reals(crc, net->parameter[i].gradient, net->parameter[i].count);
    fer_network_free(net);
    fer_dataset_free(&data);
    return crc;
}

/* Memory that is shared among arrays must change nothing: were two living arrays put together, the gradients would differ. */
TEST sharing_memory_changes_no_bit(void)
{
    double kept_loss, loss;
    const uint32_t kept = digest_of_step(FER_PLAN_KEEP, 6, &kept_loss);
    ASSERT_EQ(kept, digest_of_step(FER_PLAN_TRAINING, 6, &loss));
    ASSERT(kept_loss == loss && loss > 0);
    ASSERT_EQ(kept, digest_of_step(FER_PLAN_TRAINING, 9, &loss)); /* a plan with room to spare */
    PASS();
}

TEST evaluation_does_not_depend_on_the_batch(void)
{
    struct fer_network *net;
    struct fer_dataset data = {0};
    struct fer_evaluation a, b;
    draw(&data, 0, 13);
    fer_incv3v1(&net, 48, &error);
    fer_network_initialise(net, 5);
    ASSERT_EQ(0, fer_network_plan(net, 13, FER_PLAN_INFERENCE, &error));
    ASSERT_EQ(FER_DONE, fer_evaluate(net, &data, FER_PUBLIC_TEST, NULL, NULL, &a, &error));
    ASSERT_EQ(0, fer_network_plan(net, 4, FER_PLAN_TRAINING, &error));
    ASSERT_EQ(FER_DONE, fer_evaluate(net, &data, FER_PUBLIC_TEST, NULL, NULL, &b, &error));
    ASSERT_EQ(0, memcmp(&a, &b, sizeof a));
    ASSERT_EQ(13, (int)a.count);
    fer_network_free(net);
    fer_dataset_free(&data);
    PASS();
}

/* ---- The trainer ---- */

TEST an_epoch_visits_every_image_once(void)
{
    struct fer_settings s = small_settings(4, 2);
    struct fer_dataset data = {0};
    struct fer_trainer *t;
    size_t i, first_order[11], first_batches[3];
    int seen[11] = {0}, same;
    draw(&data, 11, 0);
    ASSERT_EQ(0, fer_trainer_create(&t, &s, &data, &error));
    ASSERT_EQ(3, (int)t->batches);
    fer_trainer_order(t);
    for (i = 0; i < 11; i++) seen[t->order[i]]++;
    for (i = 0; i < 11; i++) ASSERT_EQ(1, seen[i]);
    memcpy(first_order, t->order, sizeof first_order);
    memcpy(first_batches, t->batch_order, sizeof first_batches);
    for (i = 0; i < 3; i++) {
        t->batch = (long)i;
        ASSERT_EQ(t->batch_order[i] == 2 ? 3 : 4, fer_trainer_fill(t)); /* the short batch is the last one cut, wherever it comes */
    }
    t->batch = 0;
    t->epoch = 1;
    fer_trainer_order(t);
    same = memcmp(first_order, t->order, sizeof first_order) == 0;
    ASSERT_FALSE(same);
    t->settings.shuffle = 0;
    t->settings.batch_order_shuffled = 0;
    fer_trainer_order(t);
    for (i = 0; i < 11; i++) ASSERT_EQ(i, t->order[i]);
    for (i = 0; i < 3; i++) ASSERT_EQ(i, t->batch_order[i]);
    fer_trainer_free(t);
    fer_dataset_free(&data);
    PASS();
}

static uint32_t digest_of_state(const struct fer_trainer *t)
{
    uint32_t crc = 0;
    int i;
    for (i = 0; i < t->network->parameters; i++) {
        const struct fer_parameter *p = &t->network->parameter[i];
        crc = fer_crc32_reals(crc, p->value, p->count);
        if (p->trainable) crc = fer_crc32_reals(fer_crc32_reals(crc, p->m, p->count), p->v, p->count);
        if (p->average) crc = fer_crc32_reals(crc, p->average, p->count);
    }
    return fer_crc32(crc, t->history, (size_t)t->epoch * sizeof *t->history);
}

/* Stops after so many calls, in training or in validation. */
static int stop_after(void *context, const struct fer_trainer *t, enum fer_usage usage, size_t batch, size_t batches,
                      const struct fer_evaluation *so_far)
{
    int *left = context;
    (void)t, (void)usage, (void)batch, (void)batches, (void)so_far;
    return --*left == 0;
}

/* Two epochs of three batches and two of validation: stopped at every point where one can stop, and resumed. */
TEST resumed_runs_end_in_the_same_bits(void)
{
    const struct fer_plateau plateau = {0.5, 1};
    struct fer_settings s = small_settings(4, 2);
    struct fer_dataset data = {0};
    struct fer_trainer *whole, *part;
    struct fer_watcher watcher = {0};
    int stop, left;
    uint32_t expected;
    s.ema = 0.9;
    s.plateau = plateau;
    draw(&data, 10, 6);
    ASSERT_EQ(0, fer_trainer_create(&whole, &s, &data, &error));
    ASSERT_EQ(FER_DONE, fer_fit(whole, NULL, NULL, &error));
    expected = digest_of_state(whole);
    watcher.context = &left;
    watcher.batch_done = stop_after;
    ASSERT_EQ(0, fer_make_folder("resume", &error));
    for (stop = 1; stop <= 10; stop++) {
        remove("resume/log.csv");
        left = stop;
        ASSERT_EQ(0, fer_trainer_create(&part, &s, &data, &error));
        ASSERT_EQ(FER_STOPPED, fer_fit(part, "resume", &watcher, &error));
        fer_trainer_free(part);
        ASSERT_EQ(0, fer_trainer_create(&part, &s, &data, &error));
        ASSERT_EQ_FMTm(error.text, 0, fer_checkpoint_load(part, "resume/last.npz", &error), "%d");
        ASSERT_EQ(FER_DONE, fer_fit(part, "resume", NULL, &error));
        ASSERT_EQ(expected, digest_of_state(part));
        fer_trainer_free(part);
    }
    fer_trainer_free(whole);
    fer_dataset_free(&data);
    for (stop = 0; stop < 2; stop++) {
        char path[FER_PATH];
        fer_checkpoint_path(path, "resume", stop, NULL);
        remove(path);
    }
    remove("resume/last.npz");
    remove("resume/best.npz");
    remove("resume/log.csv");
    PASS();
}

TEST a_loss_that_is_not_finite_names_the_layer(void)
{
    const struct fer_settings s = small_settings(4, 1);
    struct fer_dataset data = {0};
    struct fer_trainer *t;
    struct fer_parameter *kernel;
    real before;
    draw(&data, 8, 0);
    ASSERT_EQ(0, fer_trainer_create(&t, &s, &data, &error));
    fer_trainer_order(t);
    ASSERT_EQ(FER_DONE, fer_trainer_step(t, &error));
    kernel = fer_network_parameter(t->network, "conv2d_7/kernel");
    kernel->value[0] = (real)INFINITY;
    before = fer_network_parameter(t->network, "predictions/kernel")->value[0];
    ASSERT_EQ(FER_DIVERGED, fer_trainer_step(t, &error));
    ASSERT_STR_EQ("epoch 1/1, batch 2/2 (step 2): the loss is not a number; first layer whose output is not finite: conv2d_7", error.text);
    ASSERT(fer_network_parameter(t->network, "predictions/kernel")->value[0] == before);
    fer_trainer_free(t);
    fer_dataset_free(&data);
    PASS();
}

static double calls;

/* A clock that goes by one second whenever it is looked at. */
static double counting_clock(void)
{
    return calls++;
}

/* Each row is looked at when it ends, the step once more: so the rows add up to the step. */
TEST a_benchs_times_add_up(void)
{
    struct fer_network *net;
    static struct fer_bench b;
    double sum = 0;
    int i, repeats;
    ASSERT_EQ(0, fer_incv3v1(&net, 48, &error));
    fer_network_initialise(net, 0);
    for (repeats = 1; repeats <= 2; repeats++) {
        ASSERT_EQ(0, fer_bench_run(net, 2, repeats, counting_clock, &b, &error));
        for (sum = i = 0; i < b.rows; i++) {
            ASSERT_EQ_FMT(1.0, b.row[i].seconds, "%g");
            sum += b.row[i].seconds;
        }
        ASSERT_EQ_FMT(2.0 * (net->layers - 1) + 40, sum, "%g"); /* forward and backward, and of 40 layers the kernel */
        ASSERT_EQ_FMT(sum + 1, b.step, "%g");
        ASSERT_EQ_FMT(1.0, b.data, "%g");
        ASSERT_EQ_FMT(1.0, b.inference, "%g");
    }
    fer_network_free(net);
    PASS();
}

/* At every width exactly that many characters; what has no room goes whole, the last first. */
TEST the_progress_line_fits_any_terminal(void)
{
    const struct fer_evaluation so_far = {.loss_sum = 4.5, .count = 3, .correct = 2};
    const char *const all = "  12/112 [===>..........................] - ETA: 1:01:40 - loss: 1.5000 - accuracy: 0.6667";
    char line[200] = "";
    int width;
    for (width = 0; width < 160; width++) {
        FILE *file = tmpfile();
        size_t length;
        ASSERT(file);
        fer_progress_text(file, width, NULL, FER_TRAINING, 12, 112, &so_far, 3700);
        rewind(file);
        length = fread(line, 1, sizeof line - 1, file);
        fclose(file);
        line[length] = 0;
        ASSERT_EQ_FMT(width, (int)length, "%d");
        if (width == 80) ASSERT_STR_EQ(" 12/112 [==>..................] - ETA: 1:01:40 - loss: 1.5000 - accuracy: 0.6667", line);
        if (width == 40) ASSERT_STR_EQ(" 12/112 - ETA: 1:01:40 - loss: 1.5000   ", line);
        if (width == 12) ASSERT_STR_EQ(" 12/112     ", line);
        if (width == 3) ASSERT_STR_EQ(" 12", line);
    }
    ASSERT_EQ(0, strncmp(line, all + 1, strlen(all + 1)));
    PASS();
}

TEST durations_have_two_units_at_most(void)
{
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0.2, "1 second"}, {119.4, "119 seconds"}, {150, "3 minutes"}, {5969, "99 minutes"}, {6000, "1 hour 40 minutes"},
                 {6540, "1 hour 49 minutes"}, {7200, "2 hours"},
                 {7260, "2 hours 1 minute"}, {86400, "24 hours"}, {172799, "48 hours"}, {176400, "2 days 1 hour"},
                 {1e6, "11 days 14 hours"}, {1e12, "11574074 days 2 hours"}};
    char text[64];
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        fer_format_duration(cases[i].seconds, text);
        ASSERT_STR_EQ(cases[i].text, text);
    }
    PASS();
}

TEST training_learns(void)
{
    const struct fer_settings s = small_settings(14, 8);
    struct fer_dataset data = {0};
    struct fer_trainer *t;
    draw(&data, 28, 0);
    ASSERT_EQ(0, fer_trainer_create(&t, &s, &data, &error));
    ASSERT_EQ(FER_DONE, fer_fit(t, NULL, NULL, &error));
    ASSERT(t->history[7][1] < t->history[0][1] / 2);
    fer_trainer_free(t);
    fer_dataset_free(&data);
    PASS();
}

/* ---- What keeps pits away ---- */

TEST gradients_are_clipped_together(void)
{
    struct fer_network *net;
    double norm = 0;
    int i;
    ASSERT_EQ(0, fer_incv3v1(&net, 48, &error));
    for (i = 0; i < net->parameters; i++)
        if (net->parameter[i].trainable) net->parameter[i].gradient[0] = 2, norm += 4;
    ASSERT(fer_network_clip(net, 0) == sqrt(norm));
    ASSERT(fer_network_clip(net, 1000) == sqrt(norm));
    ASSERT(net->parameter[0].gradient[0] == 2);
    ASSERT(fer_network_clip(net, 1) == sqrt(norm));
    ASSERT(net->parameter[0].gradient[0] == 2 * (real)(1 / sqrt(norm)));
    ASSERT(fabs(fer_network_clip(net, 0) - 1) < 1e-6);
    fer_network_free(net);
    PASS();
}

/* One batch of all images: its own statistics are the exact ones. Two batches of equal size: the first layer's mean is
 * the average of the two means, and its variance is that of all rows. */
TEST exact_statistics_are_those_of_all_batches(void)
{
    const struct fer_settings whole = small_settings(8, 1), halves = small_settings(4, 1);
    struct fer_dataset data = {0};
    struct fer_trainer *a, *b;
    const struct fer_layer *bn;
    size_t c;
    draw(&data, 8, 0);
    ASSERT_EQ(0, fer_trainer_create(&a, &whole, &data, &error));
    ASSERT_EQ(0, fer_trainer_create(&b, &halves, &data, &error));
    fer_trainer_order(a);
    fer_trainer_order(b);
    ASSERT_EQ(FER_DONE, fer_exact_statistics(a, 1, NULL, &error));
    ASSERT_EQ(FER_DONE, fer_exact_statistics(b, 99, NULL, &error));
    for (bn = a->network->layer; bn->type != FER_BATCH_NORMALIZATION; bn++) continue;
    for (c = 0; c < bn->channels; c++) {
        const real *mean = a->network->parameter[bn->parameter + 1].value, *variance = a->network->parameter[bn->parameter + 2].value;
        ASSERT(mean[c] == bn->mean[c] && variance[c] == bn->variance[c]);
        ASSERT(fabs((double)b->network->parameter[bn->parameter + 1].value[c] - (double)mean[c]) < 1e-6);
        ASSERT(fabs((double)b->network->parameter[bn->parameter + 2].value[c] / (double)variance[c] - 1) < 1e-5);
    }
    fer_trainer_free(a);
    fer_trainer_free(b);
    fer_dataset_free(&data);
    PASS();
}

/* They touch no weight, so training goes the same way; validation does not. */
TEST exact_statistics_change_no_training(void)
{
    struct fer_settings s = small_settings(4, 2);
    struct fer_dataset data = {0};
    struct fer_trainer *a, *b;
    draw(&data, 10, 6);
    ASSERT_EQ(0, fer_trainer_create(&a, &s, &data, &error));
    s.precise_bn = 2;
    ASSERT_EQ(0, fer_trainer_create(&b, &s, &data, &error));
    ASSERT_EQ(FER_DONE, fer_fit(a, NULL, NULL, &error));
    ASSERT_EQ(FER_DONE, fer_fit(b, NULL, NULL, &error));
    ASSERT(a->history[1][0] == b->history[1][0] && a->history[1][1] == b->history[1][1]);
    ASSERT(a->history[1][3] != b->history[1][3]);
    ASSERT(a->network->parameter[0].value[0] == b->network->parameter[0].value[0]);
    fer_trainer_free(a);
    fer_trainer_free(b);
    fer_dataset_free(&data);
    PASS();
}

/* What Keras 3.15.1's ReduceLROnPlateau(factor=0.1, patience=2) was seen to make of these val_loss values. */
TEST the_learning_rate_falls_on_a_plateau(void)
{
    static const double loss[] = {1.0, 0.9, 0.95, 0.89995, 0.91, 0.7, 0.7, 0.69995, 0.5, 0.6, NAN, 0.6, 0.6, 0.6};
    static const int tenths[] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4};
    struct fer_settings s;
    double history[14][4] = {{0}}, expected;
    int i, k;
    fer_settings_default(&s);
    for (i = 0; i < 14; i++) history[i][3] = loss[i];
    for (i = 0; i <= 14; i++) {
        s.plateau.patience = 0;
        ASSERT(fer_learning_rate(&s, (const double(*)[4])history, i) == 0.001);
        s.plateau.factor = 0.1, s.plateau.patience = 2;
        for (expected = 0.001, k = 0; k < tenths[i]; k++) expected *= 0.1;
        ASSERT_EQ_FMT(expected, fer_learning_rate(&s, (const double(*)[4])history, i), "%g");
    }
    PASS();
}

TEST what_is_for_validation_wants_some(void)
{
    const struct fer_plateau plateau = {0.1, 3};
    struct fer_settings s = small_settings(4, 1);
    struct fer_dataset data = {0};
    struct fer_trainer *t;
    draw(&data, 4, 0);
    s.ema = 0.9;
    ASSERT_EQ(-1, fer_trainer_create(&t, &s, &data, &error));
    ASSERT(strstr(error.text, "no images of usage PublicTest: reduce-lr-on-plateau and ema are for validation"));
    s.ema = 0;
    s.plateau = plateau;
    ASSERT_EQ(-1, fer_trainer_create(&t, &s, &data, &error));
    s.plateau.patience = 0;
    ASSERT_EQ(0, fer_trainer_create(&t, &s, &data, &error));
    fer_trainer_free(t);
    fer_dataset_free(&data);
    PASS();
}

/* The first kernel after each step, averaged here; and the validation is that of the averaged weights. */
TEST validation_sees_the_moving_average(void)
{
    struct fer_settings s = small_settings(4, 1);
    struct fer_dataset data = {0};
    struct fer_trainer *t;
    struct fer_evaluation seen, again;
    const struct fer_parameter *p;
    real average[9] = {0}, weight;
    size_t k;
    s.ema = 0.75;
    draw(&data, 12, 6);
    ASSERT_EQ(0, fer_trainer_create(&t, &s, &data, &error));
    p = &t->network->parameter[0];
    fer_trainer_order(t);
    while ((size_t)t->batch < t->batches) {
        ASSERT_EQ(FER_DONE, fer_trainer_step(t, &error));
        for (k = 0; k < 9; k++)
            average[k] = t->step == 1 ? p->value[k] : (real)0.75 * average[k] + (real)0.25 * p->value[k];
    }
    for (k = 0; k < 9; k++) ASSERT(p->average[k] == average[k] && p->value[k] != average[k]);
    weight = p->value[0];
    ASSERT_EQ(FER_DONE, fer_trainer_validate(t, NULL, &seen, &error));
    ASSERT(p->value[0] == weight && p->average[0] == average[0]);
    for (p = t->network->parameter; p < t->network->parameter + t->network->parameters; p++)
        if (p->trainable) memcpy(p->value, p->average, p->count * sizeof *p->value);
    ASSERT_EQ(FER_DONE, fer_evaluate(t->network, &data, FER_PUBLIC_TEST, NULL, NULL, &again, &error));
    ASSERT(seen.loss_sum == again.loss_sum);
    fer_trainer_free(t);
    fer_dataset_free(&data);
    PASS();
}

/* ---- Weights and checkpoints ---- */

TEST weights_come_back(void)
{
    struct fer_network *a, *b;
    size_t ignored;
    int i;
    ASSERT_EQ(0, fer_incv3v1(&a, 64, &error));
    fer_network_initialise(a, 3);
    fer_network_normalization(a, -1, 0.25, -1);
    ASSERT_EQ(0, fer_weights_save(a, "w.npz", &error));
    ASSERT_EQ(0, fer_weights_load(&b, "w.npz", 0, &ignored, &error));
    ASSERT_EQ(64, b->height);
    ASSERT(b->layer[2].epsilon == 0.25);
    ASSERT_EQ(0, (int)ignored);
    for (i = 0; i < a->parameters; i++)
        ASSERT_EQ(0, memcmp(a->parameter[i].value, b->parameter[i].value, a->parameter[i].count * sizeof(real)));
    fer_network_free(a);
    fer_network_free(b);
    remove("w.npz");
    PASS();
}

static int has_checkpoint(const char *run, long epoch)
{
    char path[FER_PATH];
    FILE *file;
    fer_checkpoint_path(path, run, epoch, NULL);
    file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

/* A run folder of 1,400 characters keeps every epoch's checkpoint, as any other; one whose paths do not fit is refused. */
TEST long_run_folders_keep_every_checkpoint_or_are_refused(void)
{
    static const char *const written[] = {"best.npz", "last.npz", "log.csv"};
    const struct fer_settings s = small_settings(4, 2);
    struct fer_dataset data = {0};
    struct fer_trainer *t;
    char run[FER_PATH] = "long", path[FER_PATH];
    size_t length;
    int i;
    draw(&data, 3, 2);
    ASSERT_EQ(0, fer_make_folder(run, &error));
    for (i = 0; i < 7; i++) {
        length = strlen(run);
        memset(run + length, 'a' + i, 200);
        run[length] = '/';
        run[length + 200] = 0;
        ASSERT_EQ(0, fer_make_folder(run, &error));
    }
    ASSERT_EQ(0, fer_trainer_create(&t, &s, &data, &error));
    ASSERT_EQ(FER_DONE, fer_fit(t, run, NULL, &error));
    ASSERT(has_checkpoint(run, 0) && has_checkpoint(run, 1));
    for (i = 0; i < 2; i++) {
        ASSERT_EQ(0, fer_checkpoint_path(path, run, i, &error));
        remove(path);
    }
    for (i = 0; i < 3; i++) {
        ASSERT_EQ(0, fer_join_path(path, run, written[i], &error));
        remove(path);
    }
    length = strlen(run);
    memset(run + length, 'z', FER_PATH - 10 - length);
    run[length] = '/';
    run[FER_PATH - 10] = 0;
    ASSERT_EQ(-1, fer_checkpoint_path(path, run, 0, &error));
    ASSERT(strstr(error.text, "the path is too long") != NULL);
    t->epoch = 0;
    ASSERT_EQ(FER_FAILED, fer_fit(t, run, NULL, &error));
    fer_trainer_free(t);
    fer_dataset_free(&data);
    PASS();
}

/* Thirteen epochs with a made-up history whose pit is epoch 4, then one more: what has left the window goes, but for 3 and 4. */
TEST only_the_window_and_pits_keep_their_checkpoints(void)
{
    const struct fer_settings s = small_settings(4, 14);
    const char *run = "window";
    struct fer_dataset data = {0};
    struct fer_trainer *t;
    char path[FER_PATH];
    FILE *file;
    long i;
    draw(&data, 3, 2);
    ASSERT_EQ(0, fer_trainer_create(&t, &s, &data, &error));
    ASSERT_EQ(0, fer_make_folder(run, &error));
    ASSERT_EQ(0, fer_make_folder("window/epochs", &error));
    for (t->epoch = i = 0; i < 13; i++) {
        t->history[i][2] = i == 4 ? 0.01 : 0.6;
        t->history[i][3] = i == 4 ? 30 : 1;
        fer_checkpoint_path(path, run, i, NULL);
        ASSERT((file = fopen(path, "wb")) != NULL);
        fclose(file);
    }
    t->epoch = 13;
    ASSERT_EQ(FER_DONE, fer_fit(t, run, NULL, &error));
    for (i = 0; i < 14; i++) ASSERT_EQ_FMT(i == 3 || i == 4 || i >= 7, has_checkpoint(run, i), "%d");
    for (i = 0; i < 14; i++) {
        fer_checkpoint_path(path, run, i, NULL);
        remove(path);
    }
    remove("window/last.npz");
    remove("window/best.npz");
    remove("window/log.csv");
    fer_trainer_free(t);
    fer_dataset_free(&data);
    PASS();
}

/* An npz of one array is no weights file; nor is one whose kernel has another shape. */
TEST bad_weights_are_refused(void)
{
    struct fer_npz_writer *w;
    struct fer_network *net;
    const size_t shape[2] = {2, 3};
    const double values[6] = {0};
    size_t ignored;
    ASSERT_EQ(0, fer_npz_create(&w, "w.npz", &error));
    ASSERT_EQ(0, fer_npz_write(w, "something", FER_F8, 2, shape, values, &error));
    ASSERT_EQ(0, fer_npz_commit(w, &error));
    ASSERT_EQ(-1, fer_weights_load(&net, "w.npz", 48, &ignored, &error));
    ASSERT_STR_EQ("w.npz: no array conv2d/kernel: expected one of shape [3,3,1,32]", error.text);
    ASSERT_EQ(0, fer_npz_create(&w, "w.npz", &error));
    ASSERT_EQ(0, fer_npz_write(w, "conv2d/kernel", FER_F8, 2, shape, values, &error));
    ASSERT_EQ(0, fer_npz_commit(w, &error));
    ASSERT_EQ(-1, fer_weights_load(&net, "w.npz", 48, &ignored, &error));
    ASSERT_STR_EQ("w.npz: conv2d/kernel: another shape: expected [3,3,1,32]", error.text);
    ASSERT_EQ(-1, fer_weights_load(&net, "none.npz", 48, &ignored, &error));
    ASSERT(strstr(error.text, "none.npz: ") == error.text);
    remove("w.npz");
    PASS();
}

/* ---- Settings and the log ---- */

TEST settings_come_back_from_their_text(void)
{
    struct fer_settings a, b;
    char text[32];
    int i;
    fer_settings_default(&a);
    a.epochs = 7, a.batch = 33, a.size = 50, a.seed = 18446744073709551615u;
    a.clip_norm = 0.7, a.precise_bn = 9, a.learning_rate = 1.0 / 3, a.adam_epsilon = 1e-3, a.bn_unbiased = 0, a.shuffle = 0, a.batch_order_shuffled = 0;
    a.plateau.factor = 1.0 / 3, a.plateau.patience = 1000000, a.ema = 0.999;
    fer_settings_default(&b);
    for (i = 0; i < FER_SETTINGS; i++) {
        fer_settings_get(&a, i, text);
        ASSERT_EQ(0, fer_settings_set(&b, i, text, &error));
    }
    for (i = 0; i < FER_SETTINGS; i++) {
        char back[32];
        fer_settings_get(&a, i, text);
        fer_settings_get(&b, i, back);
        ASSERT_STR_EQ(text, back);
    }
    ASSERT(a.learning_rate == b.learning_rate && a.seed == b.seed);
    PASS();
}

static const char *complaint(const char *name, const char *value)
{
    struct fer_settings s;
    if (fer_settings_set(&s, fer_settings_find(name), value, &error) == 0) return "accepted";
    return error.text;
}

TEST bad_settings_are_refused(void)
{
    ASSERT_STR_EQ("batch 0: expected a whole number, 1 ... 100000", complaint("batch", "0"));
    ASSERT_STR_EQ("batch 12x: expected a whole number, 1 ... 100000", complaint("batch", "12x"));
    ASSERT_STR_EQ("epochs : expected a whole number, 0 ... 1000000", complaint("epochs", ""));
    ASSERT_STR_EQ("epochs -1: expected a whole number, 0 ... 1000000", complaint("epochs", "-1"));
    ASSERT_STR_EQ("seed 18446744073709551616: expected a whole number below 2^64", complaint("seed", "18446744073709551616"));
    ASSERT_STR_EQ("seed -1: expected a whole number below 2^64", complaint("seed", "-1"));
    ASSERT_STR_EQ("learning-rate nan: expected a number, 0 ... 1e+06", complaint("learning-rate", "nan"));
    ASSERT_STR_EQ("beta1 1: expected a number, 0 ... below 1", complaint("beta1", "1"));
    ASSERT_STR_EQ("batch-order random: expected shuffled|kept", complaint("batch-order", "random"));
    ASSERT_STR_EQ("shuffle of: expected on|off", complaint("shuffle", "of"));
    ASSERT_STR_EQ("reduce-lr-on-plateau 0.1: expected a factor below 1 and a number of epochs, as 0.1,10; or 0",
                  complaint("reduce-lr-on-plateau", "0.1"));
    ASSERT_STR_EQ("reduce-lr-on-plateau ,3: expected a factor below 1 and a number of epochs, as 0.1,10; or 0",
                  complaint("reduce-lr-on-plateau", ",3"));
    ASSERT_STR_EQ("accepted", complaint("reduce-lr-on-plateau", "0"));
    ASSERT_STR_EQ("accepted", complaint("reduce-lr-on-plateau", "0.1,10"));
    ASSERT(strncmp("reduce-lr-on-plateau 1,3: ", complaint("reduce-lr-on-plateau", "1,3"), 26) == 0);
    ASSERT(strncmp("reduce-lr-on-plateau 0.1,0: ", complaint("reduce-lr-on-plateau", "0.1,0"), 28) == 0);
    ASSERT(strncmp("reduce-lr-on-plateau 0.1,3x: ", complaint("reduce-lr-on-plateau", "0.1,3x"), 29) == 0);
    ASSERT_STR_EQ("ema 1: expected a number, 0 ... below 1", complaint("ema", "1"));
    ASSERT_EQ(-1, fer_settings_find("learning_rate"));
    PASS();
}

static const char *as_text(double x)
{
    static char text[32];
    fer_format_double(x, text);
    return text;
}

TEST doubles_are_written_as_python_does(void)
{
    ASSERT_STR_EQ("0.0", as_text(0));
    ASSERT_STR_EQ("-0.0", as_text(-0.0));
    ASSERT_STR_EQ("1.0", as_text(1));
    ASSERT_STR_EQ("0.1", as_text(0.1));
    ASSERT_STR_EQ("0.30000000000000004", as_text(0.1 + 0.2));
    ASSERT_STR_EQ("0.0001", as_text(1e-4));
    ASSERT_STR_EQ("1e-05", as_text(1e-5));
    ASSERT_STR_EQ("1.5e-07", as_text(1.5e-7));
    ASSERT_STR_EQ("1234567890123456.0", as_text(1234567890123456.0));
    ASSERT_STR_EQ("1e+16", as_text(1e16));
    ASSERT_STR_EQ("5e-324", as_text(5e-324));
    ASSERT_STR_EQ("-1.7976931348623157e+308", as_text(-DBL_MAX));
    ASSERT_STR_EQ("nan", as_text(NAN));
    ASSERT_STR_EQ("inf", as_text(INFINITY));
    PASS();
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (file) fputs(text, file), fclose(file);
}

static const char *content(const char *path)
{
    static char text[2000];
    FILE *file = fopen(path, "rb");
    text[file ? fread(text, 1, sizeof text - 1, file) : 0] = 0;
    if (file) fclose(file);
    return text;
}

/* A path of any length: no part of it is cut off. */
TEST a_config_is_written_whole_or_not_at_all(void)
{
    static const char start[] = "./", end[] = "config.txt";
    struct fer_config config = {0};
    char path[1400];
    size_t i;
    memcpy(path, start, sizeof start);
    for (i = strlen(start); i < 1300; i += 2) memcpy(path + i, "./", 3);
    memcpy(path + i, end, sizeof end);
    fer_settings_default(&config.settings);
    ASSERT_EQ_FMTm(error.text, 0, fer_config_save(&config, path, &error), "%d");
    ASSERT_EQ_FMTm(error.text, 0, fer_config_load(&config, "config.txt", &error), "%d");
    remove(path);
#ifndef FER_PURE_C99
    ASSERT_EQ(-1, fer_config_save(&config, ".", &error));
    ASSERT_STR_EQ(".: is a folder or a device; a file was expected, or a name that is free", error.text);
#endif
    PASS();
}

/* Whatever a file system allows in a path comes back from config.txt, and each name and value keeps its one line. */
TEST any_path_comes_back_from_a_config(void)
{
    static const char *const paths[] = {
        "a.csv", "", " a", "a ", "a\r", "a\nb", "\na", "a\n", "\"a\"", "a\"b", "\"", "\\", "a\\", "C:\\new\\x41", "\t", "a = b",
        "weights = w", " \"\\\x7f\x1b[1m\\x0a\"", "\xff\xc3\xa4"};
    struct fer_config config = {0}, back;
    char path[2] = " ", longest[FER_PATH];
    const char *text;
    size_t i, newlines;
    fer_settings_default(&config.settings);
    memset(longest, '\n', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    for (i = 0; i < 257 + sizeof paths / sizeof *paths; i++) {
        path[0] = (char)i;
        snprintf(config.data, sizeof config.data, "%s", i < 256 ? path : i == 256 ? longest : paths[i - 257]);
        snprintf(config.labels, sizeof config.labels, "%s", config.data);
        snprintf(config.weights, sizeof config.weights, "%s", config.data);
        ASSERT_EQ_FMTm(error.text, 0, fer_config_save(&config, "config.txt", &error), "%d");
        ASSERT_EQ_FMTm(error.text, 0, fer_config_load(&back, "config.txt", &error), "%d");
        ASSERT_STR_EQ(config.data, back.data);
        ASSERT_STR_EQ(config.labels, back.labels);
        ASSERT_STR_EQ(config.weights, back.weights);
        if (i == 256) continue; /* longer than `content` reads */
        for (newlines = 0, text = content("config.txt"); *text; text++) newlines += *text == '\n';
        ASSERT_EQ_FMT((size_t)(5 + (*config.labels != 0) + FER_SETTINGS), newlines, "%zu");
    }
    ASSERT_EQ(0, fer_config_load(&back, "config.txt", &error));
    remove("config.txt");
    PASS();
}

TEST a_path_in_bad_quotes_is_refused(void)
{
    static const char *const bad[][2] = {
        {"\"a", "expected a text in quotes to end with its second quote"}, {"\"", "expected a text in quotes to end with its second quote"},
        {"\"a\" ", "expected a text in quotes to end with its second quote"},
        {"\"\\n\"", "expected \\\", \\\\ or \\x and two hexadecimal digits in a text in quotes"},
        {"\"\\x0\"", "expected \\\", \\\\ or \\x and two hexadecimal digits in a text in quotes"},
        {"\"\\x00\"", "expected \\\", \\\\ or \\x and two hexadecimal digits in a text in quotes"},
        {"\"\\", "expected \\\", \\\\ or \\x and two hexadecimal digits in a text in quotes"}};
    struct fer_config config;
    char text[200];
    size_t i;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "version = 0\nweights = %s\n", bad[i][0]);
        put("config.txt", text);
        ASSERT_EQ(-1, fer_config_load(&config, "config.txt", &error));
        snprintf(text, sizeof text, "config.txt:2: %s", bad[i][1]);
        ASSERT_STR_EQ(text, error.text);
    }
    remove("config.txt");
    PASS();
}

TEST the_log_is_continued_wherever_it_broke_off(void)
{
    static const double rows[2][4] = {{0.5, 1.25, 0.25, 1.5}, {1, 0.1, 0.75, 2}};
    static const char whole[] = "epoch;accuracy;loss;val_accuracy;val_loss\r\n0;0.5;1.25;0.25;1.5\r\n1;1.0;0.1;0.75;2.0\r\n";
    const char *path = "log.csv";
    char start[sizeof whole];
    size_t cut;
    remove(path);
    ASSERT_EQ(0, fer_log_update(path, rows, 1, 4, &error));
    ASSERT_STR_EQ("epoch;accuracy;loss;val_accuracy;val_loss\r\n0;0.5;1.25;0.25;1.5\r\n", content(path));
    for (cut = 0; cut < sizeof whole; cut++) {
        memcpy(start, whole, cut);
        start[cut] = 0;
        put(path, start);
        ASSERT_EQ(0, fer_log_update(path, rows, 2, 4, &error));
        ASSERT_STR_EQ(whole, content(path));
    }
    put(path, "epoch;accuracy;loss;val_accuracy;val_loss\r\n0;0.5;1.25;0.2");
    ASSERT_EQ(0, fer_log_update(path, rows, 2, 4, &error));
    put(path, "epoch;accuracy;loss;val_accuracy;val_loss\r\n0;0.6;1.25;0.25;1.5\r\n");
    ASSERT_EQ(-1, fer_log_update(path, rows, 2, 4, &error));
    ASSERT_STR_EQ("log.csv:2: is not what this run has logged: expected 0;0.5;1.25;0.25;1.5", error.text);
    put(path, whole);
    ASSERT_EQ(-1, fer_log_update(path, rows, 1, 4, &error));
    ASSERT_STR_EQ("log.csv:3: is not what this run has logged: expected the end of the file", error.text);
    remove(path);
    ASSERT_EQ(0, fer_log_update(path, rows, 1, 2, &error));
    ASSERT_STR_EQ("epoch;accuracy;loss\r\n0;0.5;1.25\r\n", content(path));
    remove(path);
    PASS();
}

SUITE(suite_training)
{
    RUN_TEST(network_has_the_published_size);
    RUN_TEST(too_small_an_image_names_the_layer);
    RUN_TEST(initial_weights_follow_the_header);
    RUN_TEST(sharing_memory_changes_no_bit);
    RUN_TEST(evaluation_does_not_depend_on_the_batch);
    RUN_TEST(an_epoch_visits_every_image_once);
    RUN_TEST(resumed_runs_end_in_the_same_bits);
    RUN_TEST(the_learning_rate_falls_on_a_plateau);
    RUN_TEST(what_is_for_validation_wants_some);
    RUN_TEST(validation_sees_the_moving_average);
    RUN_TEST(a_loss_that_is_not_finite_names_the_layer);
    RUN_TEST(a_benchs_times_add_up);
    RUN_TEST(the_progress_line_fits_any_terminal);
    RUN_TEST(durations_have_two_units_at_most);
    RUN_TEST(training_learns);
    RUN_TEST(gradients_are_clipped_together);
    RUN_TEST(exact_statistics_are_those_of_all_batches);
    RUN_TEST(exact_statistics_change_no_training);
    RUN_TEST(only_the_window_and_pits_keep_their_checkpoints);
    RUN_TEST(long_run_folders_keep_every_checkpoint_or_are_refused);
    RUN_TEST(weights_come_back);
    RUN_TEST(bad_weights_are_refused);
    RUN_TEST(settings_come_back_from_their_text);
    RUN_TEST(bad_settings_are_refused);
    RUN_TEST(a_config_is_written_whole_or_not_at_all);
    RUN_TEST(any_path_comes_back_from_a_config);
    RUN_TEST(a_path_in_bad_quotes_is_refused);
    RUN_TEST(doubles_are_written_as_python_does);
    RUN_TEST(the_log_is_continued_wherever_it_broke_off);
}
