/* test_pits.c - logs read, pits found, and explained: made-up curves, hostile logs, runs with pits of known causes. */
#include "greatest.h"

#include "../model/pits/pits.h"

#include <math.h>
#include <string.h>

static struct fer_error error;

/* ---- Reading logs ---- */

static const char *const log_path = "pits-log.csv";

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
    ASSERT_EQ_FMTm(
        error.text, 0,
        read_text(&log, "epoch;accuracy;loss;val_accuracy;val_loss\r\n0;0.5;1.25;0.25;1.5\r\n1;1.0;0.1;0.75;2.0\r\n"),
        "%d");
    ASSERT_EQ(2, log.count);
    ASSERT(log.row[1][0] == 1 && log.row[1][1] == 0.1 && log.row[1][2] == 0.75 && log.row[1][3] == 2);
    ASSERT(log.epoch[1] == 1 && log.line[1] == 3);
    fer_log_free(&log);
    /* commas, LF, another order, another column, no end of line at the end, no loss at all */
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "\xef\xbb\xbfval_acc, lr,epoch\n0.25,1e-3,7\n\nNA, \"[1 2]\",8"),
                   "%d");
    ASSERT_EQ(2, log.count);
    ASSERT(log.row[0][2] == 0.25 && log.row[1][2] != log.row[1][2] && log.row[0][3] != log.row[0][3]);
    ASSERT(log.epoch[1] == 8 && log.line[1] == 4);
    fer_log_free(&log);
    /* tabs; Keras's other names of the accuracy, which give way to val_accuracy where that is there too */
    ASSERT_EQ_FMTm(error.text, 0,
                   read_text(&log, "epoch\tcategorical_accuracy\tval_categorical_accuracy\n3\t0.5\t0.25\n"), "%d");
    ASSERT(log.epoch[0] == 3 && log.row[0][0] == 0.5 && log.row[0][2] == 0.25);
    fer_log_free(&log);
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "val_sparse_categorical_accuracy,val_accuracy\n0.5,0.25\n"), "%d");
    ASSERT(log.row[0][2] == 0.25);
    fer_log_free(&log);
    /* two runs, one file; the second has its columns the other way round */
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "val_accuracy,val_loss\n0.25,2\nval_loss,val_accuracy\ninf,0.5\n"),
                   "%d");
    ASSERT_EQ(2, log.count);
    ASSERT(log.row[1][2] == 0.5 && log.row[1][3] == INFINITY && log.epoch[1] == 1);
    fer_log_free(&log);
    PASS();
}

TEST logs_of_others_are_read(void)
{
    struct fer_log log;
    /* a tab behind the last column; names with blanks; percentages; 80 images, as the digits say */
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "Epoch\tLR\tTrain Acc\tVal Acc\t\n1.0\t0.1\t12.5\t51.25\t\n2\t0.1\t20\t62.5\t\n"), "%d");
    ASSERT(log.epoch[1] == 2 && log.row[0][0] == 0.125 && log.row[0][2] == 0.5125 && log.row[1][2] == 0.625);
    ASSERT_EQ(80, log.images);
    fer_log_free(&log);
    /* fastai: accuracy is the validation's; Hugging Face; Lightning, whose rows of training are passed over */
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "epoch,train_loss,valid_loss,accuracy,time\n0,2,1.5,0.75,00:01\n"), "%d");
    ASSERT(log.row[0][1] == 2 && log.row[0][2] == 0.75 && log.row[0][3] == 1.5 && log.images == 4);
    fer_log_free(&log);
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "epoch,loss,eval_loss,eval_accuracy\n1,,0.5,0.9230769\n2,0.1,,\n"), "%d");
    ASSERT(log.row[0][3] == 0.5 && log.images == 13);
    ASSERT_EQ(1, fer_log_keep_validated(&log));
    ASSERT(log.count == 1 && log.row[0][2] == 0.9230769 && log.line[0] == 2);
    fer_log_free(&log);
    /* the loss alone, and a column of one's own */
    ASSERT_EQ_FMTm(error.text, 0, read_text(&log, "epoch,val_loss\n0,1.5\n"), "%d");
    ASSERT(log.row[0][3] == 1.5 && log.row[0][2] != log.row[0][2] && log.images == 0);
    fer_log_free(&log);
    ASSERT_EQ(0, read_text(&log, "epoch,accuracy,val_loss\n0,0.25,3\n"));
    fer_log_free(&log);
    ASSERT_EQ(0, fer_log_read_column(&log, log_path, "accuracy", &error));
    ASSERT(log.row[0][2] == 0.25);
    fer_log_free(&log);
    ASSERT_EQ(-1, fer_log_read_column(&log, log_path, "speed", &error));
    ASSERT_STR_EQ("pits-log.csv:1: no column speed", error.text);
    /* of four digits whose zeros at the end are left away, 10,000 images are the fewest that fit */
    ASSERT_EQ(0, read_text(&log, "val_acc\n0.721\n0.7253\n0.3688\n0.4001\n0.5519\n0.6137\n0.911\n0.7777\n0.9999\n0.3333\n"));
    ASSERT_EQ(10000, log.images);
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
    ASSERT_STR_EQ("pits-log.csv:1: the file is empty, expected a header with a column val_accuracy",
                  complaint(""));
    ASSERT_STR_EQ("pits-log.csv:2: expected a header with a column val_accuracy or val_loss, or --column and the name of one",
                  complaint("\nepoch,acc\n1,2\n"));
    ASSERT_STR_EQ("pits-log.csv:1: two columns of val_acc", complaint("val_accuracy;val_acc\n"));
    ASSERT_STR_EQ("pits-log.csv:3: 1 fields, expected 2 as the header has",
                  complaint("val_accuracy;x\n0;1\n1\n"));
    ASSERT_STR_EQ("pits-log.csv:2: val_accuracy is 0.5x, expected a number",
                  complaint("val_accuracy\n0.5x\n"));
    ASSERT_STR_EQ("pits-log.csv:2: val_accuracy is 500, expected a share, 0 ... 1, or a percentage",
                  complaint("val_accuracy\n500\n"));
    ASSERT_STR_EQ("pits-log.csv:2: epoch is -1, expected a whole number below 1e9",
                  complaint("val_accuracy;epoch\n0;-1\n"));
    ASSERT_STR_EQ("pits-log.csv:2: epoch is 12.5, expected a whole number below 1e9",
                  complaint("val_accuracy;epoch\n0;12.5\n"));
    ASSERT_STR_EQ("pits-log.csv:2: epoch is nan, expected a whole number below 1e9",
                  complaint("val_accuracy;epoch\n0;NA\n"));
    ASSERT_STR_EQ("pits-log.csv:2: a quote is open at the end of the line",
                  complaint("val_accuracy\n\"0.5\n"));
    ASSERT_STR_EQ("pits-log.csv:2: text after a closing quote", complaint("val_accuracy\n\"0.5\"x\n"));
    memset(text, ',', 100);
    ASSERT_STR_EQ("pits-log.csv:1: more than 64 columns", complaint(text));
    memset(text, '1', sizeof text - 1);
    memcpy(text, "val_accuracy\n", 13);
    ASSERT_STR_EQ("pits-log.csv:2: the line is longer than 8190 characters, or holds a zero byte",
                  complaint(text));
    put("val_accuracy\n0.5\0 \n0.5\n", 23);
    ASSERT_EQ(-1, fer_log_read(&log, log_path, &error));
    ASSERT_STR_EQ("pits-log.csv:2: the line is longer than 8190 characters, or holds a zero byte",
                  error.text);
    remove(log_path);
    ASSERT_STR_EQ("pits-log.csv: cannot be read: No such file or directory",
                  (fer_log_read(&log, log_path, &error), error.text));
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
    for (i = 20; i < EPOCHS; i++)
        history[i][2] = 0.6, history[i][3] = 1; /* the jump of moving averages that have caught up */
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

/* Validation of published runs: each isolated fall of eight points or more that a reader sees, and nothing else. */
static int finds(const double (*row)[2], long epochs, size_t images, const char *expected)
{
    char found[80] = "";
    long i, count;
    for (i = 0; i < epochs; i++) history[i][2] = row[i][0], history[i][3] = row[i][1];
    count = fer_pits_find((const double(*)[4])history, epochs, images, pits);
    for (i = 0; i < count; i++) snprintf(found + strlen(found), sizeof found - strlen(found), " %ld", pits[i].epoch);
    if (strcmp(found, expected)) printf("pits found:%s, expected:%s\n", found, expected);
    return strcmp(found, expected) == 0;
}

TEST falls_of_published_runs_are_found(void)
{
    static const double objects[][2] = { /* 10,000 images; the rest of 152 epochs is calm */
        {0.3688, 1.5118}, {0.4556, 1.3762}, {0.553, 1.234}, {0.6069, 1.0934}, {0.6724, 0.98852}, {0.6518, 1.3238},
        {0.7262, 0.79803}, {0.7252, 0.79683}, {0.7557, 0.75973}, {0.7595, 0.74448}, {0.422, 1.6226}, {0.7855, 0.674},
        {0.794, 0.65752}, {0.7884, 0.66857}, {0.7964, 0.65881}, {0.8066, 0.63888}, {0.78, 0.67505}, {0.8056, 0.62688},
        {0.8239, 0.61048}, {0.8161, 0.59666}, {0.8085, 0.62401}, {0.7253, 0.84821}, {0.8355, 0.54297},
        {0.8405, 0.53317}, {0.823, 0.63851}, {0.7243, 0.86411}, {0.833, 0.54975}, {0.8271, 0.5893}, {0.8417, 0.52449},
        {0.8466, 0.53611}, {0.8362, 0.54356}, {0.8239, 0.60444}, {0.8431, 0.56398}, {0.8459, 0.57729},
        {0.8469, 0.50533}, {0.8468, 0.55131}, {0.8262, 0.59085}, {0.8616, 0.51696}, {0.8419, 0.50838},
        {0.8618, 0.49975}, {0.848, 0.54216}, {0.8656, 0.51567}, {0.8586, 0.49043}, {0.8471, 0.53799},
        {0.852, 0.51234}, {0.8577, 0.53178}, {0.8634, 0.56856}, {0.8431, 0.56946}};
    static const double plants[][2] = { /* 950 images; a wild start */
        {0.2136842, 11.618}, {0.12, 14.132}, {0.08210526, 14.56}, {0.1347368, 13.849}, {0.1157895, 10.121},
        {0.5894737, 1.4658}, {0.3063158, 6.935}, {0.1294737, 8.8326}, {0.48, 1.6669}, {0.6221053, 1.1276},
        {0.6905263, 0.9304}, {0.6378947, 1.0617}, {0.1389474, 12.798}, {0.5105263, 2.4981}, {0.6778947, 0.85985},
        {0.7273684, 0.9282}, {0.7621053, 0.72691}, {0.7894737, 0.57997}, {0.7789474, 0.62781}, {0.7989474, 0.65623}};
    static const double question[][2] = { /* 768 images; ten epochs in all */
        {0.4766, 1.8909}, {0.6276, 1.7364}, {0.8398, 1.5347}, {0.8047, 1.5551}, {0.8659, 1.5043}, {0.8151, 1.5562},
        {0.8737, 1.4935}, {0.6055, 1.7569}, {0.9023, 1.4756}, {0.9648, 1.4167}};
    static const double early[][2] = { /* 4009 images; epoch 2 is too early to be judged */
        {0.891993, 0.3302}, {0.9750561, 0.091983}, {0.1149913, 789.09}, {0.8600649, 0.99533}, {0.9546021, 0.1458},
        {0.9802943, 0.084082}, {0.9700673, 0.086815}, {0.993764, 0.024046}, {0.9945123, 0.025219},
        {0.9870292, 0.047044}, {0.9872786, 0.044626}, {0.9748067, 0.099692}, {0.9820404, 0.069516},
        {0.9802943, 0.072945}};
    static const double thirteen[][2] = { /* 13 images: one more is wrong in epoch 3 */
        {0.8461539, 0.42322}, {0.8461539, 0.37375}, {0.8461539, 0.28976}, {0.7692308, 0.22196}, {0.9230769, 0.17637},
        {0.9230769, 0.15894}, {1.0, 0.14816}, {1.0, 0.14052}, {1.0, 0.13122}, {1.0, 0.12048}};
    static const double eighth[][2] = { /* fer's own run on an eighth of FER2013, epochs 90 to 124: pits at 105 and 116 */
        {0.4759, 3.415}, {0.4762, 3.492}, {0.4778, 3.56}, {0.4812, 3.548}, {0.4795, 3.531}, {0.4748, 3.562},
        {0.4770, 3.594}, {0.4781, 3.585}, {0.4790, 3.596}, {0.4751, 3.62}, {0.4739, 3.625}, {0.4734, 3.653},
        {0.4795, 3.646}, {0.4809, 3.667}, {0.4252, 4.184}, {0.3299, 5.551}, {0.4216, 3.003}, {0.4372, 2.886},
        {0.4475, 2.798}, {0.4681, 2.906}, {0.4726, 3.029}, {0.4667, 3.28}, {0.4714, 3.329}, {0.4614, 3.516},
        {0.4586, 3.39}, {0.4037, 3.753}, {0.3697, 4.078}, {0.4478, 3.395}, {0.4572, 3.37}, {0.4675, 3.339},
        {0.4742, 3.342}, {0.4815, 3.413}, {0.4817, 3.457}, {0.4698, 3.465}, {0.4776, 3.482}};
    ASSERT(finds(eighth, sizeof eighth / sizeof *eighth, 3589, " 15 26"));
    ASSERT(finds(objects, sizeof objects / sizeof *objects, 10000, " 10 21 25"));
    ASSERT(finds(plants, sizeof plants / sizeof *plants, 950, " 12"));
    ASSERT(finds(question, sizeof question / sizeof *question, 768, " 7"));
    ASSERT(finds(early, sizeof early / sizeof *early, 4009, ""));
    ASSERT(finds(thirteen, sizeof thirteen / sizeof *thirteen, 13, ""));
    PASS();
}

/* What a fall itself does to the differences is no part of the noise that it is judged by. */
TEST an_epoch_is_no_part_of_its_own_noise(void)
{
    double noise;
    healthy(5, 0.01, 0.03);
    fer_pit_measure((const double(*)[4])history, EPOCHS, FER_FER2013_VALIDATION, 8, &pits[0]);
    noise = pits[0].noise;
    history[8][2] = 0.01;
    fer_pit_measure((const double(*)[4])history, EPOCHS, FER_FER2013_VALIDATION, 8, &pits[0]);
    ASSERT(pits[0].noise == noise && pits[0].in_accuracy);
    PASS();
}

/* A run that makes no mistakes, or a single one now and then, or no hit at all. */
TEST single_mistakes_are_no_pits(void)
{
    int e;
    for (e = 0; e < EPOCHS; e++) history[e][2] = e % 9 == 5 ? 1 - 1 / 700.0 : 1, history[e][3] = 0.01;
    ASSERT_EQ_FMT(0L, fer_pits_find((const double(*)[4])history, EPOCHS, 700, pits), "%ld");
    history[20][2] = 1 - 7 / 700.0; /* seven at once are one */
    ASSERT_EQ_FMT(1L, fer_pits_find((const double(*)[4])history, EPOCHS, 700, pits), "%ld");
    ASSERT_EQ(20, pits[0].epoch);
    for (e = 0; e < EPOCHS; e++) history[e][2] = 0;
    fer_pit_measure((const double(*)[4])history, EPOCHS, 700, 20, &pits[0]);
    ASSERT_IN_RANGE(1 / 700.0, pits[0].noise, 1e-5);
    PASS();
}

/* What an epoch is found to be once five more are known is what it is found to be afterwards: train deletes checkpoints
 * by it. */
TEST five_epochs_later_nothing_changes(void)
{
    const double(*h)[4] = (const double(*)[4])history;
    struct fer_pit then, afterwards;
    long epoch;
    healthy(3, 0.02, 0.1);
    history[12][2] = 0.2, history[33][2] = 0.1, history[34][2] = 0.1, history[50][3] = 20;
    ASSERT_EQ(4, find());
    for (epoch = 1; epoch + 5 < EPOCHS; epoch++) {
        fer_pit_measure(h, epoch + 6, FER_FER2013_VALIDATION, epoch, &then);
        fer_pit_measure(h, EPOCHS, FER_FER2013_VALIDATION, epoch, &afterwards);
        ASSERT(then.level == afterwards.level && then.noise == afterwards.noise &&
               then.loss_level == afterwards.loss_level);
        ASSERT(then.in_accuracy == afterwards.in_accuracy && then.in_loss == afterwards.in_loss);
    }
    PASS();
}

/* Noise twice and five times the sampling error, and noise beside which it is nothing. Accuracy and loss together. */
TEST healthy_runs_are_left_alone(void)
{
    static const double noise[3] = {0.0166, 0.0415, 0.02};
    static const size_t images[3] = {FER_FER2013_VALIDATION, FER_FER2013_VALIDATION, 1000000000};
    long found, epochs, all = 0;
    uint64_t run;
    int i;
    for (i = 0; i < 3; i++, all += found) {
        for (found = epochs = 0, run = 0; run < 3000; run++, epochs += EPOCHS) {
            healthy(100 + run, noise[i], 0.1);
            found += fer_pits_find((const double(*)[4])history, EPOCHS, images[i], pits);
        }
        printf("healthy runs, noise %.3f: %ld false alarms in %ld epochs\n", noise[i], found, epochs);
        ASSERT(found <= epochs / 10000);
    }
    ASSERT(all > 0); /* the simulation reaches that far */
    PASS();
}

/* Ten thousand runs with the noise of FER2013: hardly one of their 600,000 epochs. */
TEST runs_as_on_fer2013_are_left_alone(void)
{
    long found = 0;
    uint64_t run;
    for (run = 0; run < 10000; run++) {
        healthy(5000 + run, 0.0166, 0.06);
        found += find();
    }
    printf("healthy runs as on FER2013: %ld false alarms in %ld epochs\n", found, 10000L * EPOCHS);
    ASSERT(found <= 3);
    PASS();
}

/* Healthy runs of other shapes. `size`: of the noise, a standard deviation at an accuracy of a half. */
enum shape { PLATEAU, FAST_RISE_OF_200, SLOW_NOISE, CALMING, TEN_EPOCHS, WILD, SHAPES };
static const struct {
    const char *name;
    double size;
    size_t images;
    long epochs, most; /* epochs of a run; false alarms in a million epochs */
} shapes[SHAPES] = {{"a plateau from the start", 0.03, 3589, EPOCHS, 100},
                    {"a fast rise, 200 images", 0.035, 200, EPOCHS, 100},
                    {"slow noise (0.7 of it lasts)", 0.03, 3589, EPOCHS, 100},
                    {"noise that calms down tenfold", 0.05, 3589, EPOCHS, 100},
                    {"ten epochs", 0.0166, 3589, 10, 100},
                    {"noise of six points", 0.06, 3589, EPOCHS, 600}};

static void make_shape(enum shape shape, uint64_t seed)
{
    double slow = normal(seed, 999), p;
    int i;
    for (i = 0; i < EPOCHS; i++) {
        const double z = normal(seed, (uint64_t)i), rise = 0.55 - 0.35 * exp(-i / 4.0);
        slow = 0.7 * slow + sqrt(1 - 0.49) * z;
        p = shape == PLATEAU || shape == WILD ? 0.55 + shapes[shape].size * z
            : shape == FAST_RISE_OF_200       ? 0.9 - 0.5 * exp(-i / 2.0) + 0.6 * shapes[shape].size * z
            : shape == SLOW_NOISE             ? rise + shapes[shape].size * slow
            : shape == CALMING                ? rise + shapes[shape].size * (0.1 + 0.9 * exp(-i / 8.0)) * z
                                              : rise + shapes[shape].size * z;
        history[i][2] = floor(p * (double)shapes[shape].images + 0.5) / (double)shapes[shape].images;
        history[i][3] = NAN;
    }
}

TEST healthy_runs_of_other_shapes_are_left_alone(void)
{
    long found, epochs;
    uint64_t run;
    int shape;
    for (shape = 0; shape < SHAPES; shape++) {
        for (found = epochs = 0, run = 0; run < 3000; run++, epochs += shapes[shape].epochs) {
            make_shape((enum shape)shape, 200000 + run);
            found += fer_pits_find((const double(*)[4])history, shapes[shape].epochs, shapes[shape].images, pits);
        }
        printf("healthy runs, %s: %ld false alarms in %ld epochs\n", shapes[shape].name, found, epochs);
        ASSERT(found <= shapes[shape].most * epochs / 1000000);
    }
    PASS();
}

/* ---- Explaining pits whose cause is known ---- */

/* A run that has learned its images by heart, all moving statistics exact; PublicTest shows the images of Training, so
 * that it scores 1. The states after epochs BEFORE and EPOCH are kept; then something is done to the later one. */
enum { BEFORE = 3, EPOCH = 4, IMAGES = 8, MOST_ROWS = 120 };
static const char *const run = "pits-run";
static struct fer_dataset data;
static struct fer_trainer *trainer;
static struct fer_pit_row rows[MOST_ROWS];
static size_t row_count, step_count;

static int save(long epoch)
{
    char path[FER_PATH];
    fer_checkpoint_path(path, run, epoch, NULL);
    return fer_checkpoint_save(trainer, path, &error);
}

static int load(long epoch)
{
    char path[FER_PATH];
    fer_checkpoint_path(path, run, epoch, NULL);
    return fer_checkpoint_load(trainer, path, &error);
}

/* The first epochs, once. */
static int begin_run(void)
{
    const size_t counts[FER_USAGES] = {IMAGES, IMAGES, 0};
    struct fer_settings s;
    int i;
    if (trainer) return 0;
    fer_settings_default(&s);
    s.size = 48, s.batch = 3, s.epochs = BEFORE + 1, s.bn_momentum = 0.9, s.precise_bn = 3;
    if (fer_dataset_draw(&data, 1, counts, &error)) return -1;
    for (i = 0; i < IMAGES; i++) {
        data.image[IMAGES + i].offset = data.image[i].offset;
        data.image[IMAGES + i].label = data.image[i].label;
    }
    if (fer_make_folder(run, &error) || fer_make_folder("pits-run/epochs", &error)) return -1;
    if (fer_trainer_create(&trainer, &s, &data, &error) || fer_fit(trainer, NULL, NULL, &error) != FER_DONE ||
        save(BEFORE))
        return -1;
    fer_trainer_free(trainer);
    s.epochs = EPOCH + 1;
    return fer_trainer_create(&trainer, &s, &data, &error);
}

/* One epoch more, at a learning rate. Returns its val_accuracy. */
static double make_epoch(double learning_rate)
{
    if (begin_run() || load(BEFORE)) return -1;
    trainer->settings.learning_rate = learning_rate;
    if (fer_fit(trainer, NULL, NULL, &error) != FER_DONE || save(EPOCH)) return -1;
    return trainer->history[EPOCH][2];
}

static void take_row(void *context, const struct fer_pit_row *row)
{
    (void)context;
    if (row_count < MOST_ROWS) rows[row_count++] = *row;
}

static void take_step(void *context, const struct fer_network *network, const struct fer_pit_step *step)
{
    (void)context, (void)network;
    step_count += step->step == (long)step_count + 1 && step->images > 0 && step->loss > 0 && step->update[1] > 0 &&
                  step->ratio[2] > 0;
}

/* Explains the state after EPOCH, in a history that is 1 everywhere else. Returns the conclusion. */
static const char *explain(unsigned experiments)
{
    struct fer_pit_watcher told = {NULL, NULL, take_row, take_step, NULL};
    struct fer_evaluation v;
    struct fer_pit pit;
    int i;
    if (load(EPOCH) || fer_evaluate(trainer->network, &data, FER_PUBLIC_TEST, NULL, NULL, &v, &error) != FER_DONE)
        return error.text;
    for (i = 0; i < EPOCHS; i++) history[i][2] = 1, history[i][3] = 0.1;
    history[EPOCH][2] = (double)v.correct / IMAGES;
    history[EPOCH][3] = v.loss_sum / IMAGES;
    fer_pit_measure((const double(*)[4])history, EPOCHS, 100 * IMAGES, EPOCH, &pit); /* eight alone prove little */
    pit.noise = 0.01;
    row_count = step_count = 0;
    if (fer_pit_explain(trainer, run, &pit, experiments, &told, &error) != FER_DONE) return error.text;
    return row_count > 0 && strcmp(rows[row_count - 1].experiment, "conclusion") == 0 ? rows[row_count - 1].detail
                                                                                      : "no conclusion";
}

/* The row of an experiment whose detail begins so. */
static const struct fer_pit_row *row_of(const char *experiment, const char *detail)
{
    static const struct fer_pit_row none = {-1, "none", "", -1, -1, -1};
    size_t i;
    for (i = 0; i < row_count; i++)
        if (strcmp(rows[i].experiment, experiment) == 0 && strncmp(rows[i].detail, detail, strlen(detail)) == 0)
            return &rows[i];
    return &none;
}

#define EXPERIMENT(name) (1u << FER_PIT_##name)

/* The conclusion of findings made up here: a fall from 60 % to 20 %, the noise 1 %. */
static struct fer_pit_findings f;
static char said[2400];

static const char *conclusion(void)
{
    fer_pit_conclude(&f, said, sizeof said);
    return said;
}

static struct fer_pit_outcome scores(double accuracy)
{
    struct fer_pit_outcome o = {1, 0, 1};
    o.accuracy = accuracy;
    return o;
}

static void begin_findings(void)
{
    static struct fer_network network;
    const struct fer_pit pit = {57, 1, 0, 0.2, 0.6, 0.4, 0.01, 1, 1, 0.02};
    memset(&f, 0, sizeof f);
    f.network = &network;
    f.layer = -1;
    f.pit = pit;
    f.base = scores(0.2);
    f.accuracy_before = 0.6;
}

TEST a_change_that_diverged_hides_no_better_one(void)
{
    begin_findings();
    f.replay = scores(0.2);
    f.change[FER_CHANGE_ADAM_EPSILON] = scores(NAN);
    f.change[FER_CHANGE_LEARNING_RATE] = scores(0.4);
    ASSERTm(said,
            strstr(conclusion(), "the drop is still there with: learning rate a tenth (40.0 %). The epoch diverges "
                                 "with: Adam's epsilon 1e-3 (nothing, it diverged). None removes it; it is least "
                                 "deep with: learning rate a tenth, which recovers 50 %."));
    PASS();
}

TEST what_exact_statistics_leave_is_in_the_weights(void)
{
    begin_findings();
    f.exact = scores(0.5);
    f.old_weights = scores(0.59);
    f.old_statistics = scores(0.21);
    ASSERT_STR_EQ(
        "Epoch 57 scores 20.0 %, the epochs around it 60.0 %. 75 % of the drop goes when exact statistics stand "
        "in for BatchNormalization's moving ones: the epoch then scores 50.0 %, not 20.0 %.",
        conclusion());
    f.exact_before = scores(0.65);
    ASSERTm(said,
            strstr(conclusion(), "not 20.0 %. Epoch 56, with its own exact ones, scores 65.0 %: 15.0 points of the "
                                 "fall are in the weights. These weights with the moving statistics of epoch 56 "
                                 "score 21.0 %, the weights of epoch 56 with these statistics 59.0 %."));
    f.exact_before = scores(0.52);
    ASSERTm(said, strstr(conclusion(), "scores 52.0 %: with exact statistics there is hardly a fall."));
    ASSERT_EQ(NULL, strstr(said, "These weights"));
    f.precise_bn = 20;
    ASSERTm(said, strstr(conclusion(), "(The moving ones were the exact ones of 20 batches: precise-bn.)"));
    PASS();
}

/* Judged by log(loss): half of the drop is not enough where what is left is a pit still. */
TEST a_pit_of_the_loss_alone_must_be_gone(void)
{
    begin_findings();
    f.pit.in_accuracy = 0, f.pit.in_loss = 1;
    f.pit.loss = f.base.loss = 20, f.pit.loss_level = 1, f.pit.accuracy = 0.2;
    f.change[FER_CHANGE_CLIP] = f.change[FER_CHANGE_SHUFFLE] = scores(0.6);
    f.change[FER_CHANGE_CLIP].loss = 4.4;
    f.change[FER_CHANGE_SHUFFLE].loss = 1.1;
    ASSERTm(said,
            strstr(conclusion(), "Epoch 57 scores a loss of 20.000, the epochs around it 1.000. Replayed with one "
                                 "thing changed, the drop is gone with: another shuffle (a loss of 1.100). It is "
                                 "still there with: gradients clipped to a global norm of 1 (a loss of 4.400)."));
    f.base.loss = 0.9;
    ASSERTm(said, strstr(conclusion(), "That is no drop: there is nothing to explain."));
    PASS();
}

/* An epoch that somebody asked for: its drop may be 6.2 points deep and yet only twice the noise. */
TEST a_dip_is_explained_and_called_no_pit(void)
{
    begin_findings();
    f.pit.in_accuracy = 0;
    f.pit.level = 0.544, f.pit.accuracy = 0.482, f.pit.depth = 0.062, f.pit.noise = 0.031;
    f.base = f.replay = scores(0.482);
    f.change[FER_CHANGE_CLIP] = scores(0.586);
    ASSERTm(said, strstr(conclusion(), "That is no pit by the rule: the drop is 2.0 times the noise, 6 are wanted. A "
                                       "replay of the epoch gives the same bits."));
    ASSERTm(said, strstr(said, "the drop is gone with: gradients clipped to a global norm of 1 (58.6 %)."));
    f.pit.noise = 0.07;
    ASSERTm(said, strstr(conclusion(), "That is within the noise: there is nothing to explain."));
    PASS();
}

TEST an_epoch_after_another_pit_is_not_compared_with_it(void)
{
    begin_findings();
    f.training = f.training_before = scores(0.3);
    ASSERTm(said, strstr(conclusion(), "from 30.0 % (epoch 56) to 30.0 %: the drop is not there."));
    f.accuracy_before = 0.25;
    ASSERTm(said, strstr(conclusion(), "from 30.0 % (epoch 56) to 30.0 %: but epoch 56 was low itself."));
    PASS();
}

/* Where the replay is not the run, the changes say nothing about the run. */
TEST changes_of_another_epoch_prove_nothing(void)
{
    begin_findings();
    f.replay = scores(0.6);
    f.change[FER_CHANGE_SHUFFLE] = scores(0.6);
    ASSERT(strstr(conclusion(), "the drop is gone with: another shuffle (60.0 %)."));
    f.differing = 1, f.differs = "conv2d/kernel";
    ASSERT_EQ(NULL, strstr(conclusion(), "another shuffle"));
    PASS();
}

TEST no_intervention_helps(void)
{
    begin_findings();
    f.exact = f.change[FER_CHANGE_SHUFFLE] = scores(0.22);
    ASSERTm(said, strstr(conclusion(), "No intervention removes it."));
    f.old_statistics = scores(0.5);
    ASSERT_EQ(NULL, strstr(conclusion(), "No intervention"));
    PASS();
}

TEST changes_change_something(void)
{
    struct fer_trainer t;
    int i;
    memset(&t, 0, sizeof t);
    fer_settings_default(&t.settings);
    t.train_count = 2 * 256 + 37, t.batches = 3;
    for (i = 0; i < FER_CHANGES; i++) ASSERT(fer_pit_is_change(&t, (enum fer_pit_change)i));
    t.settings.adam_epsilon = 1e-3, t.settings.precise_bn = 20, t.settings.clip_norm = 0.5, t.train_count = 3 * 256;
    for (i = 0; i < FER_CHANGES; i++)
        ASSERT_EQ(i == FER_CHANGE_SHUFFLE || i == FER_CHANGE_LEARNING_RATE,
                  fer_pit_is_change(&t, (enum fer_pit_change)i));
    PASS();
}

TEST a_healthy_epoch_has_nothing_to_explain(void)
{
    const char *text;
    ASSERT(make_epoch(0.001) == 1);
    text = explain(EXPERIMENT(EXACT) | EXPERIMENT(REPLAY));
    ASSERT_STR_EQ(
        "Epoch 4 scores 100.0 %, the epochs around it 100.0 %. That is no drop: there is nothing to explain. With "
        "exact statistics in place of BatchNormalization's moving ones it scores 100.0 %.",
        text);
    ASSERT_STR_EQ("the epoch again: the same bits", row_of("replay", "")->detail);
    ASSERT(row_of("replay", "")->val_accuracy == 1);
    ASSERT_EQ(3, (int)step_count);
    PASS();
}

#ifndef FER_DOUBLE
TEST a_moving_variance_is_named(void)
{
    struct fer_parameter *variance;
    const char *text;
    size_t c;
    ASSERT(make_epoch(0.001) == 1);
    variance = fer_network_parameter(trainer->network, "batch_normalization_31/moving_variance");
    for (c = 0; c < variance->count; c++) variance->value[c] *= (real)(c % 2 ? 1e-4 : 1);
    ASSERT_EQ(0, save(EPOCH));
    text = explain(EXPERIMENT(BATCH) | EXPERIMENT(EXACT) | EXPERIMENT(LAYERS));
    printf("%s\n", text);
    ASSERT(strstr(text, "100 % of the drop goes when exact statistics stand in for BatchNormalization's moving ones: "
                        "the epoch then scores 100.0 %, not "));
    ASSERT(strstr(text, "It is the moving variance of batch_normalization_31: the exact one there alone recovers 100 "
                        "%, the exact mean 0 %"));
    ASSERT(strstr(text, "Exact everywhere but there: 0 %."));
    ASSERT(row_of("exact", "exact statistics")->recovered == 1);
    ASSERT(row_of("layers", "exact statistics in batch_normalization_31 alone")->recovered == 1);
    ASSERT(row_of("layers", "exact statistics in batch_normalization_30 alone")->recovered < 0.5);
    ASSERT(row_of("layers", "exact statistics in all but batch_normalization_31")->recovered < 0.5);
    ASSERT(row_of("base", "")->recovered == 0);
    PASS();
}

/* Three steps at thirty times the learning rate: the replay reproduces the pit, and a tenth of that rate removes it. */
TEST a_learning_rate_is_named(void)
{
    const char *text;
    ASSERT(make_epoch(0.03) < 0.8);
    text =
        explain(EXPERIMENT(EXACT) | EXPERIMENT(SWAP) | EXPERIMENT(TRAINING) | EXPERIMENT(REPLAY) | EXPERIMENT(CHANGES));
    printf("%s\n", text);
    ASSERT(strstr(text, "A replay of the epoch gives the same bits."));
    ASSERT_EQ(3, (int)step_count);
    ASSERT(row_of("replay", "")->val_accuracy == history[EPOCH][2]);
    ASSERT(row_of("replay", "")->val_loss == history[EPOCH][3]);
    ASSERT(strstr(text, "the drop is gone with: learning rate a tenth (100.0 %). It is still there with: "));
    PASS();
}

#endif

/* Weights spoilt after the epoch: a replay shows which, and that nothing in the run did it. */
TEST spoilt_weights_are_named(void)
{
    struct fer_parameter *kernel;
    const char *text;
    size_t k;
    ASSERT(make_epoch(0.001) == 1);
    kernel = fer_network_parameter(trainer->network, "conv2d_20/kernel");
    for (k = 0; k < kernel->count; k++) kernel->value[k] *= -9;
    ASSERT_EQ(0, save(EPOCH));
    text = explain(EXPERIMENT(EXACT) | EXPERIMENT(REPLAY));
    printf("%s\n", text);
    ASSERT(strstr(text, "scores 100.0 %: the two differ in conv2d_20/kernel alone. So the cause lies outside data, "
                        "the settings of config.txt as it is now, and the state before."));
    PASS();
}

/* An epoch of twelve batches, in order; the eleventh is three white images: the replay names it. */
TEST a_strange_batch_is_named(void)
{
    const size_t counts[FER_USAGES] = {36, 7, 0};
    struct fer_pit_watcher told = {NULL, NULL, take_row, NULL, NULL};
    struct fer_pit pit = {1, 1, 0, 0, 1, 1, 0.01, NAN, NAN, NAN};
    struct fer_dataset faces;
    struct fer_settings s;
    struct fer_trainer *t;
    long epoch;
    char path[FER_PATH];
    ASSERT_EQ(0, fer_dataset_draw(&faces, 1, counts, &error));
    fer_settings_default(&s);
    s.size = 48, s.batch = 3, s.epochs = 1, s.bn_momentum = 0.8, s.shuffle = s.batch_order_shuffled = 0;
    ASSERT_EQ(0, fer_make_folder(run, &error));
    for (epoch = 0; epoch < 2; epoch++) {
        s.epochs = (int)epoch + 1;
        ASSERT_EQ(0, fer_trainer_create(&t, &s, &faces, &error));
        if (epoch == 1) ASSERT_EQ(0, fer_checkpoint_load(t, path, &error));
        if (epoch == 1) memset(faces.pixels + faces.image[30].offset, 255, 3 * 48 * 48);
        ASSERT_EQ(FER_DONE, fer_fit(t, NULL, NULL, &error));
        fer_checkpoint_path(path, run, epoch, NULL);
        if (epoch == 0) ASSERT_EQ(0, fer_make_folder("pits-run/epochs", &error));
        ASSERT_EQ(0, fer_checkpoint_save(t, path, &error));
        if (epoch == 0) fer_trainer_free(t);
    }
    row_count = 0;
    ASSERT_EQ_FMTm(error.text, (int)FER_DONE, (int)fer_pit_explain(t, run, &pit, EXPERIMENT(REPLAY), &told, &error),
                   "%d");
    printf("%s\n", rows[row_count - 1].detail);
    ASSERT_STR_EQ("the epoch again: the same bits", row_of("replay", "")->detail);
    ASSERT(strstr(rows[row_count - 1].detail,
                  "At step 11 of 12 (3 images) the distance of the batch's means from the moving ones"));
    fer_trainer_free(t);
    fer_dataset_free(&faces);
    PASS();
}

TEST what_is_missing_or_wrong_is_told(void)
{
    struct fer_pit_watcher told = {NULL, NULL, take_row, NULL, NULL};
    struct fer_pit pit = {EPOCH, 1, 0, 0, 1, 1, 0.01, 1, 1, 0.01};
    ASSERT(make_epoch(0.001) == 1);
    ASSERT_EQ(0, rename("pits-run/epochs/0003.npz", "pits-run/kept.npz"));
    ASSERT(strstr(explain(EXPERIMENT(SWAP) | EXPERIMENT(REPLAY) | EXPERIMENT(TRAINING)), "no drop"));
    ASSERT_EQ(-1, row_of("swap", "")->epoch); /* without the state before the epoch */
    ASSERT_EQ(-1, row_of("replay", "")->epoch);
    ASSERT(strstr(explain(EXPERIMENT(SWAP)), "No checkpoint of epoch 3 was kept: what needs it is left out."));
    ASSERT_EQ(NULL, strstr(explain(EXPERIMENT(BATCH)), "No checkpoint"));
    ASSERT_EQ(0, rename("pits-run/kept.npz", "pits-run/epochs/0003.npz"));
    row_count = 0; /* a log that tells of another state */
    ASSERT_EQ(FER_DONE, fer_pit_explain(trainer, run, &pit, 0, &told, &error));
    ASSERT(strstr(rows[1].detail, "the log says 0 and 1: it is not this state's."));
    ASSERT_EQ(0, save(7)); /* a checkpoint of another epoch */
    pit.epoch = 7;
    ASSERT_EQ(FER_FAILED, fer_pit_explain(trainer, run, &pit, 0, &told, &error));
    ASSERT_STR_EQ(
        "pits-run/epochs/0007.npz: holds the state at epoch 5, batch 0; expected that right after epoch 7",
        error.text);
    PASS();
}

/* ---- pits.csv ---- */

TEST outcomes_come_back_from_their_file(void)
{
    const struct fer_pit_row written[2] = {{12, "exact", "exact statistics; all\n", 0.5, 1.0 / 3, NAN},
                                           {123456789, "conclusion", "x", NAN, NAN, -0.25}};
    struct fer_pit_row *read;
    size_t count;
    ASSERT_EQ(0, fer_pits_write(log_path, written, 2, &error));
    ASSERT_EQ_FMTm(error.text, 0, fer_pits_read(log_path, &read, &count, &error), "%d");
    ASSERT_EQ(2, (int)count);
    ASSERT_STR_EQ("exact statistics, all,", read[0].detail);
    ASSERT(read[0].epoch == 12 && read[0].val_accuracy == 0.5 && read[0].val_loss == 1.0 / 3 &&
           read[0].recovered != read[0].recovered);
    ASSERT(read[1].epoch == 123456789 && read[1].val_loss != read[1].val_loss && read[1].recovered == -0.25);
    fer_free(read);
    PASS();
}

static const char *file_complaint(const char *text)
{
    struct fer_pit_row *read;
    size_t count;
    put(text, strlen(text));
    if (fer_pits_read(log_path, &read, &count, &error) == 0) return fer_free(read), "accepted";
    return read || count ? "something was kept" : error.text;
}

#define HEADER "epoch;experiment;detail;val_accuracy;val_loss;recovered"
#define AT "pits-log.csv"

#ifndef FER_PURE_C99
TEST a_folder_is_no_file_of_outcomes(void)
{
    ASSERT_EQ(-1, fer_pits_write(".", NULL, 0, &error));
    ASSERT_STR_EQ(".: is a folder or a device; a file was expected, or a name that is free", error.text);
    PASS();
}
#endif

TEST bad_files_of_outcomes_are_refused(void)
{
    static char text[4000];
    ASSERT_STR_EQ("accepted", file_complaint(HEADER "\n"));
    ASSERT_STR_EQ(AT ":1: the file is empty, expected the header " HEADER, file_complaint(""));
    ASSERT_STR_EQ(AT ":1: expected the header " HEADER, file_complaint("epoch\n"));
    ASSERT_STR_EQ(AT ":2: expected 6 fields: " HEADER, file_complaint(HEADER "\r\n1;a;b;;\r\n"));
    ASSERT_STR_EQ(AT ":2: expected 6 fields: " HEADER, file_complaint(HEADER "\r\n1;a;b;;;;\r\n"));
    ASSERT_STR_EQ(AT ":2: epoch is 1.5, expected a whole number", file_complaint(HEADER "\r\n1.5;a;b;;;\r\n"));
    ASSERT_STR_EQ(AT ":2: epoch is , expected a whole number", file_complaint(HEADER "\r\n;a;b;;;\r\n"));
    ASSERT_STR_EQ(AT ":2: val_loss is x, expected a number or nothing", file_complaint(HEADER "\r\n1;a;b;1;x;\r\n"));
    ASSERT_STR_EQ(AT ":2: detail holds a control character", file_complaint(HEADER "\r\n1;a;b\tc;;;\r\n"));
    ASSERT_STR_EQ(AT ":2: experiment has 30 characters, expected 1 ... 23",
                  file_complaint(HEADER "\r\n1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;b;;;\r\n"));
    ASSERT_STR_EQ(AT ":2: the line is cut short or too long, or holds a zero byte",
                  file_complaint(HEADER "\r\n1;a;b;;;"));
    memset(text, 'a', sizeof text - 1);
    ASSERT_STR_EQ(AT ":1: the line is cut short or too long, or holds a zero byte", file_complaint(text));
    remove(log_path);
    PASS();
}

SUITE(suite_pits)
{
    RUN_TEST(logs_of_keras_are_read);
    RUN_TEST(logs_of_others_are_read);
    RUN_TEST(bad_logs_are_refused);
    RUN_TEST(a_pit_is_found_where_it_is);
    RUN_TEST(successive_pits_are_all_found);
    RUN_TEST(neither_the_rise_nor_the_end_nor_a_lasting_fall_is_a_pit);
    RUN_TEST(falls_of_published_runs_are_found);
    RUN_TEST(an_epoch_is_no_part_of_its_own_noise);
    RUN_TEST(single_mistakes_are_no_pits);
    RUN_TEST(five_epochs_later_nothing_changes);
    RUN_TEST(healthy_runs_are_left_alone);
    RUN_TEST(runs_as_on_fer2013_are_left_alone);
    RUN_TEST(healthy_runs_of_other_shapes_are_left_alone);
    RUN_TEST(outcomes_come_back_from_their_file);
#ifndef FER_PURE_C99
    RUN_TEST(a_folder_is_no_file_of_outcomes);
#endif
    RUN_TEST(bad_files_of_outcomes_are_refused);
    RUN_TEST(a_change_that_diverged_hides_no_better_one);
    RUN_TEST(what_exact_statistics_leave_is_in_the_weights);
    RUN_TEST(a_pit_of_the_loss_alone_must_be_gone);
    RUN_TEST(a_dip_is_explained_and_called_no_pit);
    RUN_TEST(an_epoch_after_another_pit_is_not_compared_with_it);
    RUN_TEST(changes_of_another_epoch_prove_nothing);
    RUN_TEST(no_intervention_helps);
    RUN_TEST(changes_change_something);
    RUN_TEST(a_healthy_epoch_has_nothing_to_explain);
#ifndef FER_DOUBLE /* a hundred validations and eight epochs: once is enough */
    RUN_TEST(a_moving_variance_is_named);
    RUN_TEST(a_learning_rate_is_named);
#endif
    RUN_TEST(spoilt_weights_are_named);
    RUN_TEST(a_strange_batch_is_named);
    RUN_TEST(what_is_missing_or_wrong_is_told);
    fer_trainer_free(trainer);
    fer_dataset_free(&data);
    trainer = NULL;
}
