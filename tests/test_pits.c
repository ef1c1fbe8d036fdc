/* test_pits.c - logs read, pits found, and explained: made-up curves, hostile logs, runs with pits of known causes. */
#include "greatest.h"

#include "../fer.h"

#include <math.h>
#include <string.h>

static struct fer_error error;

/* ---- Reading logs ---- */

static const char *const log_path = "tests/tmp/pits-log.csv";

static void put(const char *text, size_t length)
{
    FILE *file = fopen(log_path, "wb");
    if (file) fwrite(text, 1, length, file), fclose(file);
}

static int read_text(struct fer_log *log, const char *text)
{
    put(text, strlen(text));
    return fer_log_read(log, log_path, &error);
}

TEST logs_of_keras_are_read(void)
{
    struct fer_log log;
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "epoch;accuracy;loss;val_accuracy;val_loss\r\n0;0.5;1.25;0.25;1.5\r\n1;1.0;0.1;0.75;2.0\r\n"), "%d");
    ASSERT_EQ(2, log.count);
    ASSERT(log.row[1][0] == 1 && log.row[1][1] == 0.1 && log.row[1][2] == 0.75 && log.row[1][3] == 2);
    ASSERT(log.epoch[1] == 1 && log.line[1] == 3);
    fer_log_free(&log);
    /* commas, LF, another order, another column, no end of line at the end, no loss at all */
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "\xef\xbb\xbfval_acc, lr,epoch\n0.25,1e-3,7\n\nNA, \"[1 2]\",8"), "%d");
    ASSERT_EQ(2, log.count);
    ASSERT(log.row[0][2] == 0.25 && log.row[1][2] != log.row[1][2] && log.row[0][3] != log.row[0][3]);
    ASSERT(log.epoch[1] == 8 && log.line[1] == 4);
    fer_log_free(&log);
    /* two runs, one file; the second has its columns the other way round */
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "val_accuracy,val_loss\n0.25,2\nval_loss,val_accuracy\ninf,0.5\n"), "%d");
    ASSERT_EQ(2, log.count);
    ASSERT(log.row[1][2] == 0.5 && log.row[1][3] == INFINITY && log.epoch[1] == 1);
    fer_log_free(&log);
    PASS();
}

static const char *complaint(const char *text)
{
    struct fer_log log;
    if (read_text(&log, text) == 0) return fer_log_free(&log), "accepted";
    return log.row || log.epoch || log.line ? "memory was kept" : error.text;
}

TEST bad_logs_are_refused(void)
{
    struct fer_log log;
    static char text[9000];
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:1: the file is empty, expected a header with a column val_accuracy", complaint(""));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: expected a header with a column val_accuracy", complaint("\nepoch,acc\n1,2\n"));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:1: two columns of val_acc", complaint("val_accuracy;val_acc\n"));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:3: 1 fields, expected 2 as the header has", complaint("val_accuracy;x\n0;1\n1\n"));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: val_accuracy is 0.5x, expected a number", complaint("val_accuracy\n0.5x\n"));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: val_accuracy is 50, expected a share, 0 ... 1", complaint("val_accuracy\n50\n"));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: epoch is -1, expected a whole number", complaint("val_accuracy;epoch\n0;-1\n"));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: epoch is nan, expected a whole number", complaint("val_accuracy;epoch\n0;NA\n"));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: a quote is open at the end of the line", complaint("val_accuracy\n\"0.5\n"));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: text after a closing quote", complaint("val_accuracy\n\"0.5\"x\n"));
    memset(text, ',', 100);
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:1: more than 64 columns", complaint(text));
    memset(text, '1', sizeof text - 1);
    memcpy(text, "val_accuracy\n", 13);
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: the line is longer than 8190 characters, or holds a zero byte", complaint(text));
    put("val_accuracy\n0.5\0 \n0.5\n", 23);
    ASSERT_EQ(-1, fer_log_read(&log, log_path, &error));
    ASSERT_STR_EQ("tests/tmp/pits-log.csv:2: the line is longer than 8190 characters, or holds a zero byte", error.text);
    remove(log_path);
    ASSERT_STR_EQ("tests/tmp/pits-log.csv: cannot be read: No such file or directory", (fer_log_read(&log, log_path, &error), error.text));
    PASS();
}

/* ---- Finding pits ---- */

enum { EPOCHS = 60 };
static double history[EPOCHS][4];
static struct fer_pit pits[EPOCHS];

/* A standard normal number. */
static double normal(uint64_t seed, uint64_t k)
{
    const double u = fer_uniform(seed, FER_FOR_CHECKS, 1, 2 * k), v = fer_uniform(seed, FER_FOR_CHECKS, 1, 2 * k + 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* A run as they are on FER2013: it rises to 0.55 and its loss falls, then climbs; noise as given. */
static void healthy(uint64_t seed, double accuracy_noise, double loss_noise)
{
    int i;
    for (i = 0; i < EPOCHS; i++) {
        history[i][0] = history[i][1] = 0;
        history[i][2] = 0.55 - 0.35 * exp(-i / 4.0) + accuracy_noise * normal(seed, (uint64_t)i);
        history[i][3] = exp(0.2 + exp(-i / 4.0) + 0.005 * i + loss_noise * normal(seed, (uint64_t)(i + EPOCHS)));
    }
}

static long find(void)
{
    return fer_pits_find((const double(*)[4])history, EPOCHS, FER_FER2013_VALIDATION, pits);
}

TEST a_pit_is_found_where_it_is(void)
{
    healthy(1, 0.01, 0.03);
    ASSERT_EQ(0, find());
    history[30][2] = 0.234;
    history[30][3] = 9;
    ASSERT_EQ(1, find());
    ASSERT_EQ(30, pits[0].epoch);
    ASSERT(pits[0].in_accuracy && pits[0].in_loss);
    ASSERT_IN_RANGE(0.55, pits[0].level, 0.02);
    ASSERT(pits[0].depth == pits[0].level - 0.234 && pits[0].accuracy == 0.234);
    ASSERT_IN_RANGE(exp(0.35), pits[0].loss_level, 0.1);
    history[30][2] = 0.55; /* in the loss alone, also when it is infinite */
    history[30][3] = INFINITY;
    ASSERT_EQ(1, find());
    ASSERT(!pits[0].in_accuracy && pits[0].in_loss);
    history[30][3] = NAN; /* unknown: in the accuracy alone */
    history[30][2] = 0.2;
    ASSERT_EQ(1, find());
    ASSERT(pits[0].in_accuracy && !pits[0].in_loss);
    PASS();
}

TEST successive_pits_are_all_found(void)
{
    int length, i;
    for (length = 1; length <= 3; length++) {
        healthy(2, 0.01, 0.03);
        for (i = 0; i < length; i++) history[25 + i][2] = 0.3 + 0.01 * i;
        ASSERT_EQ_FMT((long)length, find(), "%ld");
        for (i = 0; i < length; i++) ASSERT_EQ_FMT(25L + i, pits[i].epoch, "%ld");
    }
    PASS();
}

TEST neither_the_rise_nor_the_end_nor_a_lasting_fall_is_a_pit(void)
{
    int i;
    for (i = 0; i < EPOCHS; i++) history[i][2] = 0.14, history[i][3] = 2 - 0.001 * i;
    for (i = 20; i < EPOCHS; i++) history[i][2] = 0.6, history[i][3] = 1; /* the jump of moving averages that have caught up */
    ASSERT_EQ(0, find());
    history[EPOCHS - 1][2] = 0; /* the last epoch cannot be judged yet */
    ASSERT_EQ(0, find());
    for (i = 40; i < EPOCHS; i++) history[i][2] = 0.3, history[i][3] = 3; /* and a fall for good */
    ASSERT_EQ(0, find());
    ASSERT_EQ(0, fer_pits_find((const double(*)[4])history, 0, 100, pits));
    ASSERT_EQ(0, fer_pits_find((const double(*)[4])history, 1, 100, pits));
    for (i = 0; i < EPOCHS; i++) history[i][2] = history[i][3] = 0; /* a run without validation */
    ASSERT_EQ(0, fer_pits_find((const double(*)[4])history, EPOCHS, 0, pits));
    PASS();
}

/* What is found while a run goes on, once five epochs are known, is what is found afterwards: train deletes checkpoints by it. */
TEST five_epochs_later_nothing_changes(void)
{
    struct fer_pit now[EPOCHS];
    long epochs, i, k, count, whole;
    healthy(3, 0.02, 0.1);
    history[12][2] = 0.2, history[33][2] = 0.1, history[34][2] = 0.1, history[50][3] = 20;
    whole = find();
    ASSERT_EQ(4, whole);
    for (epochs = 1; epochs <= EPOCHS; epochs++) {
        count = fer_pits_find((const double(*)[4])history, epochs, FER_FER2013_VALIDATION, now);
        for (i = k = 0; i < whole && pits[i].epoch + 5 < epochs; i++, k++) ASSERT(k < count && now[k].epoch == pits[i].epoch);
    }
    PASS();
}

/* Noise twice and five times the sampling error, and noise beside which it is nothing. Accuracy and loss together. */
TEST healthy_runs_are_left_alone(void)
{
    static const double noise[3] = {0.0166, 0.0415, 0.02};
    static const size_t images[3] = {FER_FER2013_VALIDATION, FER_FER2013_VALIDATION, 1000000000};
    long found, epochs;
    uint64_t run;
    int i;
    for (i = 0; i < 3; i++) {
        for (found = epochs = 0, run = 0; run < 3000; run++, epochs += EPOCHS) {
            healthy(100 + run, noise[i], 0.1);
            found += fer_pits_find((const double(*)[4])history, EPOCHS, images[i], pits);
        }
        printf("healthy runs, noise %.3f: %ld false alarms in %ld epochs\n", noise[i], found, epochs);
        ASSERT(found > 0 && found <= epochs / 10000);
    }
    PASS();
}

SUITE(suite_pits)
{
    RUN_TEST(logs_of_keras_are_read);
    RUN_TEST(bad_logs_are_refused);
    RUN_TEST(a_pit_is_found_where_it_is);
    RUN_TEST(successive_pits_are_all_found);
    RUN_TEST(neither_the_rise_nor_the_end_nor_a_lasting_fall_is_a_pit);
    RUN_TEST(five_epochs_later_nothing_changes);
    RUN_TEST(healthy_runs_are_left_alone);
}
