/* test_report.c - the page of a run: text made harmless, pictures, plots of any run, what is collected, and the page
 * as a whole. tests/test_report.py reads pages that the programs have written. */
#include "greatest.h"

#include "../data/data.h"
#include "../data/page/report.h"

#include <string.h>

#define FOLDER "tmp"
#define PAGE FOLDER "/report-page.html"

static struct fer_error error;
static char content[4 * 1024 * 1024]; /* of the file read last */

static size_t read_back(const char *path)
{
    FILE *file = fopen(path, "rb");
    const size_t count = file ? fread(content, 1, sizeof content - 1, file) : 0;
    content[count] = 0;
    if (file) fclose(file);
    return count;
}

static size_t occurrences(const char *text)
{
    const char *at = content;
    size_t count = 0;
    while ((at = strstr(at, text)) != NULL) count++, at += strlen(text);
    return count;
}

/* ---- Text ---- */

static const char *as_text(const char *text)
{
    struct fer_page page;
    content[0] = 0;
    if (fer_page_create(&page, PAGE, &error)) return error.text;
    fer_page_text(&page, text);
    if (fer_page_commit(&page, &error)) return error.text;
    read_back(PAGE);
    return content;
}

#define FFFD "\xef\xbf\xbd"

TEST text_cannot_become_markup(void)
{
    ASSERT_STR_EQ("", as_text(""));
    ASSERT_STR_EQ("run 1", as_text("run 1"));
    ASSERT_STR_EQ("&lt;script&gt;alert(1)&lt;/script&gt;", as_text("<script>alert(1)</script>"));
    ASSERT_STR_EQ("&quot; onload=&quot;x&#39; &amp;lt;", as_text("\" onload=\"x' &lt;"));
    ASSERT_STR_EQ("--&gt;]]&gt;", as_text("-->]]>"));
    PASS();
}

TEST text_is_utf8_or_replaced(void)
{
    static const char *const good[] = {"\xc3\xa9",     "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xc2\xa0", "\xed\x9f\xbf",
                                       "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbd", "a\tb\nc"};
    size_t i;
    for (i = 0; i < sizeof good / sizeof *good; i++) ASSERT_STR_EQ(good[i], as_text(good[i]));
    ASSERT_STR_EQ(FFFD "a", as_text("\xc3"
                                    "a"));                           /* cut short */
    ASSERT_STR_EQ("a" FFFD, as_text("a\xe2"));                       /* cut short by the end */
    ASSERT_STR_EQ(FFFD FFFD, as_text("\xc0\xbc"));                   /* '<' in two bytes */
    ASSERT_STR_EQ(FFFD FFFD FFFD, as_text("\xe0\x80\xbc"));          /* in three */
    ASSERT_STR_EQ(FFFD FFFD FFFD, as_text("\xe0\x82\xa9"));          /* a letter of two bytes in three */
    ASSERT_STR_EQ(FFFD FFFD FFFD, as_text("\xed\xa0\x80"));          /* half a surrogate pair */
    ASSERT_STR_EQ(FFFD FFFD FFFD FFFD, as_text("\xf4\x90\x80\x80")); /* above U+10FFFF */
    ASSERT_STR_EQ(FFFD FFFD FFFD, as_text("\xef\xbf\xbe"));          /* U+FFFE, which XML has no place for */
    ASSERT_STR_EQ(FFFD FFFD, as_text("\xc2\x85"));                   /* a control character of two bytes */
    ASSERT_STR_EQ(FFFD "&lt;", as_text("\xe2<"));                    /* a byte too few swallows nothing */
    PASS();
}

TEST no_byte_gets_through_that_should_not(void)
{
    char text[2] = "";
    int byte;
    for (byte = 1; byte < 256; byte++) {
        const char *written;
        text[0] = (char)byte;
        written = as_text(text);
        if (byte >= 128 || byte == 127 || (byte < 32 && byte != '\t' && byte != '\n'))
            ASSERT_STR_EQm("replaced", FFFD, written);
        else if (strchr("<>&\"'", byte))
            ASSERTm("escaped", written[0] == '&' && strlen(written) > 1);
        else
            ASSERT_STR_EQm("as it is", text, written);
    }
    PASS();
}

TEST base64_follows_rfc_4648(void)
{
    static const char *const plain = "foobar", *const coded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                                                 "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    struct fer_page page;
    size_t i;
    for (i = 0; i <= 6; i++) {
        ASSERT_EQ(0, fer_page_create(&page, PAGE, &error));
        fer_page_base64(&page, (const unsigned char *)plain, i);
        ASSERT_EQ(0, fer_page_commit(&page, &error));
        read_back(PAGE);
        ASSERT_STR_EQ(coded[i], content);
    }
    PASS();
}

TEST numbers_for_people_and_programs(void)
{
    const double infinite = 1e308 * 10;
    char text[40];
    fer_format_short(0.36155909296736216, 1, text);
    ASSERT_STR_EQ("36.2\xc2\xa0%", text);
    fer_format_short(1.638138158607729, 0, text);
    ASSERT_STR_EQ("1.6381", text);
    fer_format_short(3.5e20, 0, text);
    ASSERT_STR_EQ("3.5e+20", text);
    fer_format_short(infinite - infinite, 1, text);
    ASSERT_STR_EQ("nan", text);
    fer_format_short(-infinite, 0, text);
    ASSERT_STR_EQ("-inf", text);
    PASS();
}

/* ---- Pictures ---- */

struct bytes {
    const unsigned char *at;
    size_t left;
};

static size_t give_bytes(void *context, unsigned char *bytes, size_t count)
{
    struct bytes *b = context;
    const size_t n = count < b->left ? count : b->left;
    memcpy(bytes, b->at, n);
    b->at += n;
    b->left -= n;
    return n;
}

static uint32_t word(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The chunk at `at`, its CRC being right; NULL: it is not. */
static const unsigned char *chunk(const unsigned char *at, const char *name, size_t *length)
{
    *length = word(at);
    return memcmp(at + 4, name, 4) == 0 && word(at + 8 + *length) == fer_crc32(0, at + 4, *length + 4) ? at + 8 : NULL;
}

/* Adler-32 of the rows, each behind a zero byte; the remainders are taken at the end. */
static uint32_t adler_of(int height, int width, const uint8_t *pixels)
{
    uint64_t sum = 1, sums = 0;
    int row, column;
    for (row = 0; row < height; row++)
        for (column = -1; column < width; column++) {
            sum += column < 0 ? 0u : pixels[row * width + column];
            sums += sum;
        }
    return (uint32_t)(sums % 65521 << 16 | sum % 65521);
}

/* Inflates the rows of a picture of known size. 1: they are these pixels. */
static int holds(const unsigned char *file, size_t bytes, int height, int width, const uint8_t *pixels)
{
    unsigned char row[FER_PNG_SIDE + 1];
    struct fer_inflate *z = fer_inflate_create();
    struct bytes stream;
    size_t length;
    int i, same;
    const unsigned char *at = chunk(file + 8, "IHDR", &length);
    same = at && length == 13 && word(at) == (uint32_t)width && word(at + 4) == (uint32_t)height && at[8] == 8 &&
           at[9] == 0;
    if (same) at = chunk(at + 13 + 4, "IDAT", &length);
    same = same && at && (at[0] * 256 + at[1]) % 31 == 0 && z;
    stream.at = at + 2;
    stream.left = length - 6;
    if (same) fer_inflate_start(z, give_bytes, &stream);
    for (i = 0; i < height && same; i++)
        same = !fer_inflate_read(z, row, (size_t)width + 1) && row[0] == 0 &&
               memcmp(row + 1, pixels + (size_t)i * (size_t)width, (size_t)width) == 0;
    same = same && !fer_inflate_end(z) && word(at + length - 4) == adler_of(height, width, pixels) &&
           chunk(at + length + 4, "IEND", &length) + 4 == file + bytes;
    fer_inflate_free(z);
    return same;
}

TEST pictures_hold_their_pixels(void)
{
    static const int sizes[][2] = {{1, 1}, {3, 5}, {48, 48}, {127, 2}, {FER_PNG_SIDE, FER_PNG_SIDE}};
    uint8_t pixels[FER_PNG_SIDE * FER_PNG_SIDE];
    unsigned char file[FER_PNG_ROOM];
    size_t i, bytes;
    for (i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 + i / 251);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bytes = fer_png_encode(file, sizes[i][0], sizes[i][1], pixels);
        ASSERT(bytes <= sizeof file);
        ASSERT_EQ_FMT((size_t)(sizes[i][0] * (sizes[i][1] + 1) + 68), bytes, "%lu");
        ASSERT(holds(file, bytes, sizes[i][0], sizes[i][1], pixels));
    }
    pixels[sizeof pixels - 1] ^= 1; /* the check can fail */
    ASSERT(!holds(file, bytes, FER_PNG_SIDE, FER_PNG_SIDE, pixels));
    PASS();
}

/* ---- Plots ---- */

static size_t plot_of(const double (*history)[4], long epochs, int percent, int training, int validation)
{
    struct fer_plot plot = {"test", "A test", NULL, 0, 0, 0, 0, 0.5, -1, NULL, 0, NULL, 280};
    struct fer_page page;
    plot.history = history;
    plot.epochs = epochs;
    plot.percent = percent;
    plot.training = training;
    plot.validation = validation;
    if (fer_page_create(&page, PAGE, &error)) return 0;
    fer_plot_write(&page, &plot);
    return fer_page_commit(&page, &error) ? 0 : read_back(PAGE);
}

TEST plot_of_one_epoch_shows_it(void)
{
    const double history[1][4] = {{0.5, 1.5, 0.25, 2}};
    ASSERT(plot_of(history, 1, 1, 0, 2));
    ASSERT(strstr(content, "M344.0 123.0h0\"")); /* half of the height, in the middle */
    ASSERT(strstr(content, "M344.0 177.5h0\""));
    ASSERT(plot_of(history, 1, 1, 0, -1));
    ASSERT(strstr(content, "curve training") && !strstr(content, "curve validation"));
    PASS();
}

/* Whether the numbers at the left are these, from below, each with a blank behind it. */
static int on_the_left(const char *numbers)
{
    const char *at = content;
    while ((at = strstr(at, "class=\"left\"")) != NULL) {
        size_t length;
        at = strchr(at, '>') + 1;
        length = strcspn(at, "<");
        if (strncmp(at, numbers, length) != 0 || numbers[length] != ' ') return 0;
        numbers += length + 1;
    }
    return *numbers == 0;
}

TEST plot_has_nice_numbers(void)
{
    double history[401][4] = {{0}};
    long i;
    for (i = 0; i <= 400; i++) history[i][1] = history[i][3] = 2.3 - 0.002 * (double)i;
    ASSERT(plot_of((const double(*)[4])history, 401, 0, 1, 3));
    ASSERT(on_the_left("0 0.5 1 1.5 2 2.5 "));
    ASSERT(strstr(content, ">350</text>") && strstr(content, ">400</text>") && !strstr(content, ">450</text>"));
    history[200][3] = 300; /* from 1.5 to 300: powers of ten */
    ASSERT(plot_of((const double(*)[4])history, 401, 0, 1, 3));
    ASSERT(on_the_left("1 10 100 1000 "));
    history[200][3] = 40; /* from 1.5 to 40: 1, 2, 5, ... */
    ASSERT(plot_of((const double(*)[4])history, 401, 0, 1, 3));
    ASSERT(on_the_left("1 2 5 10 20 50 "));
    history[200][3] = 12;
    history[201][3] = 0.49; /* the axis begins below it */
    ASSERT(plot_of((const double(*)[4])history, 401, 0, 1, 3));
    ASSERT(on_the_left("0.2 0.5 1 2 5 10 20 "));
    ASSERT(plot_of((const double(*)[4])history, 401, 1, 0, 2));
    ASSERT(on_the_left("0% 20% 40% 60% 80% 100% "));
    PASS();
}

TEST plot_survives_any_value(void)
{
    static const double value[] = {0, -1, 1e308, -1e308, 1e-308, 1e30, 5e29, 1e-12, 3};
    const double infinite = 1e308 * 10;
    double history[12][4];
    size_t i, k;
    for (k = 0; k < sizeof value / sizeof *value; k++)
        for (i = 0; i < 12; i++) {
            history[i][0] = history[i][1] = value[k];
            history[i][2] = history[i][3] = i % 3 == 0 ? infinite : i % 3 == 1 ? infinite - infinite : -infinite;
            if (i == 7) history[i][3] = history[i][2] = 1;
            ASSERT(plot_of((const double(*)[4])history, (long)i + 1, 0, 1, 3));
            ASSERT(!strstr(content, "Mnan") && !strstr(content, "Minf") && !strstr(content, "Lnan") &&
                   !strstr(content, " nanh0") && !strstr(content, " -nan") && occurrences("<text") < 60);
            ASSERT(plot_of((const double(*)[4])history, (long)i + 1, 1, 0, 2));
        }
    PASS();
}

TEST plot_of_a_long_run_is_small_and_keeps_its_pit(void)
{
    const long epochs = 100000;
    double(*history)[4] = fer_allocate((size_t)epochs, sizeof *history, &error);
    long i;
    ASSERT(history);
    for (i = 0; i < epochs; i++) history[i][0] = history[i][2] = 0.5;
    history[77777][2] = 0.1;
    history[epochs - 1][2] = 0.9;
    ASSERT(plot_of((const double(*)[4])history, epochs, 1, 0, 2) < 40000);
    ASSERT(strstr(content, " 210.2L")); /* 232 - 0.1 * 218 */
    ASSERT(strstr(content, "L626.0 35.8\""));
    fer_free(history);
    PASS();
}

/* ---- What is collected ---- */

TEST scores_of_a_matrix(void)
{
    struct fer_evaluation v = {0};
    struct fer_class_score s[FER_CLASSES];
    v.confusion[0][0] = 6;
    v.confusion[0][3] = 2;
    v.confusion[3][0] = 4;
    v.confusion[3][3] = 8;
    v.confusion[5][3] = 1; /* never recognised, never predicted */
    fer_class_scores(&v, s);
    ASSERT(s[0].images == 8 && s[0].predicted == 10 && s[0].recall == 0.75 && s[0].precision == 0.6 &&
           s[0].f1 == 12.0 / 18);
    ASSERT(s[3].images == 12 && s[3].predicted == 11 && s[3].recall == 8.0 / 12 && s[3].precision == 8.0 / 11);
    ASSERT(s[5].images == 1 && s[5].predicted == 0 && s[5].recall == 0 && s[5].precision == 0 && s[5].f1 == 0);
    ASSERT(s[6].images == 0 && s[6].recall == 0 && s[6].f1 == 0);
    PASS();
}

/* A run in FOLDER on drawn faces, with initial weights, which claims to have done so many epochs, epoch 6 being a
 * pit; and its report. */
static int make_report(struct fer_report **report, struct fer_dataset *data, const size_t counts[FER_USAGES], int batch,
                       long epochs)
{
    struct fer_config config = {0};
    struct fer_trainer *trainer = NULL;
    int failed;
    long i;
    fer_settings_default(&config.settings);
    config.settings.size = 48;
    config.settings.epochs = 12;
    config.settings.batch = batch;
    if (fer_dataset_draw(data, 1, counts, &error)) return -1;
    config.data_digest = fer_dataset_digest(data);
    failed = fer_trainer_create(&trainer, &config.settings, data, &error);
    for (i = 0; i < epochs && !failed; i++) {
        trainer->history[i][0] = trainer->history[i][1] = trainer->history[i][3] = 0.5;
        trainer->history[i][2] = i == 6 ? 0.001 : 0.9 + 0.001 * (double)(i % 3);
        trainer->epoch = i + 1;
    }
    failed = failed || fer_checkpoint_save(trainer, FOLDER "/last.npz", &error) ||
             fer_report_create(report, FOLDER "/", &config, trainer->network, data, NULL, &error);
    fer_trainer_free(trainer);
    remove(FOLDER "/last.npz");
    return failed;
}

/* -log p of the label is the loss; and the likeliest class is the prediction. */
static int sound(const struct fer_report *r, const struct fer_prediction *p)
{
    const double of_label = p->probability[r->data->image[p->image].label];
    double sum = 0, difference = p->loss + fer_log(of_label);
    int k;
    for (k = 0; k < FER_CLASSES; k++) {
        if (p->probability[k] > p->probability[p->predicted]) return 0;
        sum += p->probability[k];
    }
    return difference < 1e-5 && difference > -1e-5 && sum > 0.9999 && sum < 1.0001;
}

TEST collects_samples_and_mistakes(void)
{
    const size_t counts[FER_USAGES] = {7, 45, 9};
    struct fer_dataset data;
    struct fer_report *r = NULL;
    size_t images = 0;
    int i;
    ASSERT_EQm(error.text, 0, make_report(&r, &data, counts, 8, 0));
    ASSERT_STR_EQ("tmp", r->name);
    ASSERT(r->usage == FER_PUBLIC_TEST && r->evaluation.count == 45 && r->test.count == 9 && r->epochs == 0 &&
           r->shown == -1);
    for (i = 0; i < FER_CLASSES; i++) images += r->score[i].images;
    ASSERT_EQ_FMT((size_t)45, images, "%lu");
    ASSERT_EQ(14, r->samples);
    for (i = 0; i < 14; i++) { /* drawn in turn: image 7 is the first of PublicTest */
        ASSERT(sound(r, &r->sample[i]));
        ASSERT_EQ_FMT((size_t)(7 + i / 2 + 7 * (i % 2)), r->sample[i].image, "%lu");
    }
    ASSERT_EQ(FER_REPORT_MISTAKES, r->mistakes);
    for (i = 0; i < r->mistakes; i++) {
        ASSERT(sound(r, &r->mistake[i]) && r->mistake[i].predicted != data.image[r->mistake[i].image].label);
        ASSERT(i == 0 || r->mistake[i - 1].loss >= r->mistake[i].loss);
    }
    ASSERT_STR_EQ(sizeof(real) == 8 ? "fer64 train --epochs 0 --batch 8 --size 48 --seed 0 --out RUN"
                                    : "fer train --epochs 0 --batch 8 --size 48 --seed 0 --out RUN",
                  r->command);
    fer_report_free(r);
    fer_dataset_free(&data);
    PASS();
}

TEST a_run_without_validation_shows_its_training_images(void)
{
    const size_t counts[FER_USAGES] = {9, 0, 0};
    struct fer_dataset data;
    struct fer_report *r = NULL;
    ASSERT_EQm(error.text, 0, make_report(&r, &data, counts, 4, 0));
    ASSERT(!r->validated && r->usage == FER_TRAINING && r->evaluation.count == 9 && r->test.count == 0 &&
           r->samples == 9);
    ASSERT_EQ(0, fer_report_write(r, PAGE, &error));
    read_back(PAGE);
    ASSERT(strstr(content, "Accuracy on the training images") && !strstr(content, "Validation accuracy"));
    fer_report_free(r);
    fer_dataset_free(&data);
    PASS();
}

TEST finds_pits_and_reads_what_explains_them(void)
{
    const size_t counts[FER_USAGES] = {7, 45, 0};
    const struct fer_pit_row row = {6, "exact", "exact statistics", 0.9, 0.5, 1};
    struct fer_dataset data;
    struct fer_report *r = NULL;
    FILE *file;
    ASSERT_EQ(0, fer_pits_write(FOLDER "/pits.csv", &row, 1, &error));
    ASSERT_EQm(error.text, 0, make_report(&r, &data, counts, 8, 12));
    ASSERT(r->epochs == 12 && r->pits == 1 && r->pit[0].epoch == 6 && r->findings == 1 && r->finding[0].recovered == 1);
    fer_report_free(r);
    fer_dataset_free(&data);
    file = fopen(FOLDER "/pits.csv", "ab");
    fputs("6;exact;\r\n", file);
    fclose(file);
    ASSERT(make_report(&r, &data, counts, 8, 12));
    ASSERT(strncmp(error.text, FOLDER "//pits.csv:3: ", strlen(FOLDER "//pits.csv:3: ")) == 0);
    fer_dataset_free(&data);
    remove(FOLDER "/pits.csv");
    PASS();
}

TEST other_data_are_refused(void)
{
    const size_t counts[FER_USAGES] = {7, 0, 0};
    struct fer_config config = {0};
    struct fer_dataset data;
    struct fer_report *r = NULL;
    ASSERT_EQ(0, fer_dataset_draw(&data, 1, counts, &error));
    config.data_digest = 1;
    ASSERT_EQ(-1, fer_report_create(&r, "run", &config, NULL, &data, NULL, &error));
    ASSERT_EQ(NULL, r);
    ASSERT(strstr(error.text, "run: expected the run's data, whose digest is 00000001; that of drawn faces is "));
    fer_dataset_free(&data);
    PASS();
}

/* ---- The page ---- */

/* The largest page: 500 epochs, and 26 images larger than a picture may be. */
static int fill(struct fer_report *r, struct fer_dataset *data, struct fer_image *image)
{
    const int side = 2 * FER_PNG_SIDE;
    int i;
    long k;
    data->count = 1;
    data->image = image;
    data->pixel_count = (size_t)(side * (side - 1));
    data->pixels = fer_allocate(data->pixel_count, 1, &error);
    r->history = fer_allocate(500, sizeof *r->history, &error);
    if (!data->pixels || !r->history) return -1;
    image->height = side;
    image->width = side - 1;
    image->label = 3;
    r->data = data;
    r->validated = 1;
    r->epochs = r->planned = 500;
    r->evaluation.count = r->evaluation.confusion[3][4] = r->score[3].images = 26;
    r->evaluation.loss_sum = 26 * 2.5;
    for (k = 0; k < 500; k++)
        for (i = 0; i < 4; i++) r->history[k][i] = 0.1234567890123456 + 1e-3 * (double)k;
    for (i = 0; i < 14; i++) r->sample[r->samples++].predicted = 4;
    for (i = 0; i < 12; i++) r->mistake[r->mistakes++].predicted = 4;
    return 0;
}

static const char attack[] =
    "</title></style><script>alert(1)</script><img src=x onerror='alert(2)' a=\"\xff\xe2\x80\x01&amp;";

TEST page_is_small_whole_and_harmless(void)
{
    static struct fer_report r;
    static struct fer_dataset data;
    static struct fer_image image;
    size_t size;
    ASSERT_EQ(0, fill(&r, &data, &image));
    snprintf(r.name, sizeof r.name, "%s", attack);
    snprintf(r.command, sizeof r.command, "%s", attack);
    for (r.facts = 0; r.facts < FER_REPORT_FACTS; r.facts++) {
        r.fact[r.facts].name = "name";
        r.fact[r.facts].help = attack;
        snprintf(r.fact[r.facts].value, sizeof r.fact[r.facts].value, "%s", attack);
    }
    snprintf(r.fact[5].usual, sizeof r.fact[5].usual, "<i>");
    r.drawn = 1;
    ASSERT_EQ(0, fer_report_write(&r, PAGE, &error));
    size = read_back(PAGE);
    ASSERT_EQ_FMT((size_t)1, occurrences("<tr class=\"changed\">"), "%lu");
    ASSERT(strstr(content, "<tbody>\n<tr class=\"changed\"><th scope=\"row\">name <span class=\"mark\">changed; default "
                           "&lt;i&gt;</span>"));
    ASSERT_EQ_FMT((size_t)1, occurrences("<b>Drawn cartoon faces, not FER2013.</b>"), "%lu");
    ASSERT_EQ_FMT((size_t)1, occurrences("<div class=\"pair\">"), "%lu"); /* all samples have one label */
    ASSERT(size > 500000 && size < 2000000);
    ASSERT_STR_EQ("</html>\n", content + size - 8);
    ASSERT(!strstr(content, "<script") && !strstr(content, "<img src=x") && !strstr(content, "'alert(2)"));
    ASSERT_EQ_FMT((size_t)1, occurrences("</title>\n<style"), "%lu");
    ASSERT_EQ_FMT((size_t)1, occurrences("</style>"), "%lu");
    ASSERT_EQ_FMT((size_t)26, occurrences("<img "), "%lu");
    ASSERT_EQ_FMT((size_t)(3 + 2 * FER_REPORT_FACTS),
                  occurrences("&lt;img src=x onerror=&#39;alert(2)&#39; a=&quot;" FFFD FFFD), "%lu");
    ASSERT(!fer_file_exists(PAGE ".part"));
    fer_free(data.pixels);
    fer_free(r.history);
    PASS();
}

TEST pits_are_shown_with_what_explains_them(void)
{
    static struct fer_pit pit[2] = {{7, 1, 0, 0.234, 0.551, 0.317, 0.01, 2, 1, 0.02},
                                    {9, 0, 1, 0.5, 0.5, 0, 0.01, 7.25, 1, 0.02}};
    struct fer_pit_row row[5] = {{7, "exact", "", 0.549, 1.33, 0.95},
                                 {7, "conclusion", "", 0, 0, 0},
                                 {7, "layers", "one alone", 0.5, 1.4, -2},
                                 {3, "batch", "asked for", 0.5, 1.5, 0.1},
                                 {7, "changes", "with no figures", 0, 0, 0}};
    static struct fer_report r;
    static struct fer_dataset data;
    static struct fer_image image;
    const double nan = 1e308 * 10 - 1e308 * 10;
    ASSERT_EQ(0, fill(&r, &data, &image));
    snprintf(row[0].detail, sizeof row[0].detail, "%s", attack);
    snprintf(row[1].detail, sizeof row[1].detail, "%s", attack);
    row[4].val_accuracy = row[4].val_loss = row[4].recovered = nan;
    r.pit = pit;
    r.pits = 2;
    r.finding = row;
    r.findings = 5;
    ASSERT_EQ(0, fer_report_write(&r, PAGE, &error));
    read_back(PAGE);
    ASSERT(!strstr(content, "<script") && occurrences("&lt;script&gt;") == 2);
    ASSERT_EQ_FMT((size_t)5, occurrences("class=\"pit\""), "%lu"); /* two in each plot, one in the legend */
    ASSERT(strstr(content, "<h3>Epoch 7: <data value=\"0.234\">23.4"));
    ASSERT(strstr(content, "31.7 points below, 31.7 times the noise. val_loss is <data value=\"2.0\">2.0000</data> where it "
                           "would be <data value=\"1.0\">1.0000</data>: no pit by itself."));
    ASSERT(strstr(content, "99.1 times the noise of its logarithm. The accuracy is no pit"));
    ASSERT(strstr(content, "<h3>Epoch 9: a loss of <data value=\"7.25\">7.2500</data>"));
    ASSERT(strstr(content, "<h3>Epoch 3, which is no pit, was looked into too</h3>"));
    ASSERT(strstr(content, "Layer by layer (1)") && strstr(content, "--part:95.0%") && strstr(content, "--part:0.0%"));
    ASSERT(strstr(content, "<th scope=\"row\">with no figures <small>changes</small></th><td></td><td></td>"));
    ASSERT_EQ_FMT((size_t)1, occurrences("Why? "), "%lu"); /* epoch 9 has no explanation */
    fer_free(data.pixels);
    fer_free(r.history);
    PASS();
}

/* More outcomes than a page takes: it says so, and does not ask for the reason of a pit that has one. */
TEST a_page_says_what_it_leaves_out(void)
{
    enum { MANY = 1100 };
    static struct fer_pit pit[2] = {{7, 1, 0, 0.2, 0.5, 0.3, 0.01, 2, 1, 0.02},
                                    {9, 1, 0, 0.2, 0.5, 0.3, 0.01, 2, 1, 0.02}};
    static struct fer_pit_row row[MANY];
    static struct fer_report r;
    static struct fer_dataset data;
    static struct fer_image image;
    size_t i;
    ASSERT_EQ(0, fill(&r, &data, &image));
    for (i = 0; i < MANY; i++) {
        row[i].epoch = i < MANY - 1 ? 7 : 9;
        snprintf(row[i].experiment, sizeof row[i].experiment, "layers");
    }
    r.pit = pit;
    r.pits = 2;
    r.finding = row;
    r.findings = MANY;
    r.shown = 498; /* the last epoch's val_accuracy is higher */
    ASSERT_EQ(0, fer_report_write(&r, PAGE, &error));
    ASSERT(read_back(PAGE) < 2000000);
    ASSERT(strstr(content, "These are the first 1000 of 1100 outcomes; all are in <code>pits.csv</code>."));
    ASSERT(!strstr(content, "Why? "));
    ASSERT(strstr(content, "weights of epoch 498 of 500<") && !strstr(content, "weights-digest"));
    r.shown = 499;
    ASSERT_EQ(0, fer_report_write(&r, PAGE, &error));
    read_back(PAGE);
    ASSERT(strstr(content, "weights of epoch 499, the best of 500<") && strstr(content, "weights-digest"));
    fer_free(data.pixels);
    fer_free(r.history);
    PASS();
}

TEST a_page_that_cannot_be_written_leaves_nothing(void)
{
    struct fer_page page;
    ASSERT_EQ(-1, fer_page_create(&page, FOLDER "/no-such-folder/page.html", &error));
    ASSERT_STR_EQ(FOLDER "/no-such-folder/page.html.part: cannot be written: No such file or directory", error.text);
#ifndef FER_PURE_C99
    ASSERT_EQ(-1, fer_page_create(&page, FOLDER, &error)); /* a folder: the page could not take its place */
    ASSERT_STR_EQ(FOLDER ": is a folder or a device; a file was expected, or a name that is free", error.text);
    ASSERT(!fer_file_exists(FOLDER ".part"));
#endif
    PASS();
}

SUITE(suite_report)
{
    fer_make_folder(FOLDER, &error);
    remove(FOLDER "/pits.csv");
    RUN_TEST(text_cannot_become_markup);
    RUN_TEST(text_is_utf8_or_replaced);
    RUN_TEST(no_byte_gets_through_that_should_not);
    RUN_TEST(base64_follows_rfc_4648);
    RUN_TEST(numbers_for_people_and_programs);
    RUN_TEST(pictures_hold_their_pixels);
    RUN_TEST(plot_of_one_epoch_shows_it);
    RUN_TEST(plot_has_nice_numbers);
    RUN_TEST(plot_survives_any_value);
    RUN_TEST(plot_of_a_long_run_is_small_and_keeps_its_pit);
    RUN_TEST(scores_of_a_matrix);
    RUN_TEST(collects_samples_and_mistakes);
    RUN_TEST(a_run_without_validation_shows_its_training_images);
    RUN_TEST(finds_pits_and_reads_what_explains_them);
    RUN_TEST(other_data_are_refused);
    RUN_TEST(page_is_small_whole_and_harmless);
    RUN_TEST(pits_are_shown_with_what_explains_them);
    RUN_TEST(a_page_says_what_it_leaves_out);
    RUN_TEST(a_page_that_cannot_be_written_leaves_nothing);
    remove(PAGE);
}
