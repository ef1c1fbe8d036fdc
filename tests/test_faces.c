/* test_faces.c - images in and out, batches, drawn faces, random numbers, folders.
 *
 * Good files are judged by what stands in them, bad files by the exact line that is said about them. Scaling is judged
 * by Pillow (constants from tests/test_faces.py), Philox by the known answers that its authors publish with Random123. */
#include "greatest.h"

#include "../data/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PILLOW_PGM 0xa8b759edu
#define PILLOW_PGM_16 0x458296c1u
#define PILLOW_RESIZE 0xee28113eu
#define DRAWN 0x9d8ae22cu /* of 200 faces of seed 1; another digest is another data set */

#ifdef FER_PURE_C99
#define FOLDER "."
#else
#define FOLDER "faces"
#endif
#define CSV FOLDER "/faces.csv"
#define PGM FOLDER "/face.pgm"

#define BYTES(literal) literal, sizeof literal - 1 /* of a text with zeros in it */

static struct fer_error error;

static void make_folder(void *unused)
{
    (void)unused;
    error.text[0] = 0;
    fer_make_folder(FOLDER, NULL);
}

static void remove_folder(void *unused)
{
    (void)unused;
    remove(CSV);
    remove(PGM);
    fer_remove_folder(FOLDER);
}

static void write_bytes(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file)) {
        fprintf(stderr, "test_faces: cannot write %s\n", path);
        exit(2);
    }
}

/* ---- Random numbers ---- */

TEST philox_gives_the_published_answers(void)
{
    static const uint32_t known[3][10] = { /* counter, key, answer */
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
         0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    uint32_t out[4];
    int i;
    for (i = 0; i < 3; i++) {
        fer_philox(known[i], known[i] + 4, out);
        ASSERT_MEM_EQ(&known[i][6], out, sizeof out);
    }
    PASS();
}

TEST draws_are_words_of_blocks(void)
{
    const uint64_t seed = 0x123456789abcdef0u;
    double least = 1, most = 0;
    uint64_t k = 0x500000006u;
    ASSERT_EQ_FMT(0x5cb9a89fu, (unsigned)fer_draw(seed, FER_FOR_FACES, 7, k), "%x");
    ASSERT_EQ(((double)0x5cb9a89fu + 0.5) / 4294967296.0, fer_uniform(seed, FER_FOR_FACES, 7, k));
    for (k = 0; k < 10000; k++) {
        const double u = fer_uniform(1, FER_FOR_CHECKS, 0, k);
        if (u < least) least = u;
        if (u > most) most = u;
    }
    ASSERT(least > 0 && least < 0.001 && most < 1 && most > 0.999);
    PASS();
}

TEST shuffle_is_the_written_permutation(void)
{
    static const size_t expected[12] = {6, 10, 2, 7, 0, 8, 9, 3, 4, 5, 1, 11};
    size_t order[1000], i, count;
    char seen[1000];
    for (i = 0; i < 12; i++) order[i] = i;
    fer_shuffle(order, 12, 0xfeedfacecafeu, FER_FOR_SHUFFLE, 3);
    ASSERT_MEM_EQ(expected, order, sizeof expected);
    for (count = 0; count <= 1000; count = 3 * count + 1) {
        memset(seen, 0, sizeof seen);
        for (i = 0; i < count; i++) order[i] = i;
        fer_shuffle(order, count, 5, FER_FOR_BATCH_ORDER, 9);
        for (i = 0; i < count; i++) seen[order[i]]++;
        for (i = 0; i < count; i++) ASSERT_EQ(1, seen[i]);
    }
    for (count = 0, i = 0; i < 100; i++) { /* two are exchanged about every second time */
        order[0] = 0, order[1] = 1;
        fer_shuffle(order, 2, 5, FER_FOR_SHUFFLE, (uint32_t)i);
        count += order[0];
    }
    ASSERT_IN_RANGE(50.0, (double)count, 25.0);
    PASS();
}

/* ---- CSV ---- */

TEST csv_is_read(const char *text)
{
    static const uint8_t pixels[8] = {0, 10, 200, 255, 1, 2, 3, 4};
    struct fer_dataset data;
    write_bytes(CSV, text, strlen(text));
    ASSERT_EQm(error.text, 0, fer_dataset_read(&data, CSV, &error));
    ASSERT_STR_EQ(CSV, data.source);
    ASSERT_EQ(2, data.count);
    ASSERT_EQ(8, data.pixel_count);
    ASSERT_MEM_EQ(pixels, data.pixels, sizeof pixels);
    ASSERT(data.image[0].label == 3 && data.image[1].label == 6);
    ASSERT(data.image[0].offset == 0 && data.image[1].offset == 4);
    ASSERT(data.image[1].height == 2 && data.image[1].width == 2);
    ASSERT_EQ(FER_TRAINING, data.image[0].usage);
    if (strstr(text, "Private") || strstr(text, "PRIVATE")) {
        ASSERT(data.image[1].usage == FER_PRIVATE_TEST && data.usage_count[FER_PRIVATE_TEST] == 1);
    } else {
        ASSERT(data.image[1].usage == FER_TRAINING && data.usage_count[FER_TRAINING] == 2);
    }
    fer_dataset_free(&data);
    PASS();
}

static const char *const good_csv[] = {
    "emotion,pixels,Usage\n3,0 10 200 255,Training\n6,1 2 3 4,PrivateTest\n",
    "emotion,pixels,Usage\r\n3,0 10 200 255,Training\r\n6,1 2 3 4,PrivateTest\r\n",
    "emotion,pixels,Usage\n3,0 10 200 255,Training\n6,1 2 3 4,PrivateTest",
    "emotion,pixels,Usage\n3,0 10 200 255,Training\n6,1 2 3 4,PrivateTest\r",
    "emotion, Usage, pixels\n3,Training,0 10 200 255\n6,PrivateTest,1 2 3 4\n",
    "emotion,pixels\n3,0 10 200 255\n6,1 2 3 4\n",
    "emotion,pixels\n3,0 10 200 255\n6,1 2 3 4",
    "pixels,emotion\n0 10 200 255,3\n1 2 3 4,6\n",
    "\357\273\277emotion,pixels,Usage\n3,\"0 10 200 255\",Training\n6,\"1 2 3 4\" ,PrivateTest\n",
    "\"emotion\",\"pixels\",\"Usage\"\n\"3\",\"0 10 200 255\",\"Training\"\n\"6\",\"1 2 3 4\",\"PrivateTest\"",
    " EMOTION ,\tPixels,usage \n 3 , 0  10\t200 255 , training\n6, 1 2 3 4 , PRIVATETEST \n",
    "id,emotion,pixels,note\n1,3,000 10 200 255,\"a, \"\"b\"\"\"\n2,6,1 2 3 4,\n",
    "emotion,pixels\n\n3,0 10 200 255\n\r\n6,1 2 3 4\n\n\n",
    "emotion;pixels;Usage\n3;0 10 200 255;Training\n6;\"1 2 3 4\" ; PrivateTest\n",
    "emotion\tpixels\tUsage\r\n3\t0 10 200 255\tTraining\r\n 6\t\"1 2 3 4\" \tPrivateTest\r\n",
    "emotion,pixels,note\nhappy,0 10 200 255,a;b\nNeutral,1 2 3 4,\n",
    "emotion,pixels,Usage\nHappiness,0.0 10 200. 255.00,Training\n6.0,1 2 3 4,Private Test\n",
    "emotion,pixels,Usage\n3.0,0 10 200 255 ,training \n6 , 1 2 3 4, PRIVATETEST\n , , \n",
    "emotion,pixels,Usage\n3,0 10 200 255,train\n6,1 2 3 4,PrivateTest\n   ",
    "\" emotion \",\" pixels\",\"Usage \"\n\" 3 \",\" 0 10  200 255 \",\" Training \"\n\"6 \",\"1 2 3 4\",\" PrivateTest\"\n",
    "emotion\tpixels\n3\t0 10 200 255\n6\t1 2 3 4\n\t\t\r\n \n",
    "id,emotion,pixels\n,3,0 10 200 255\n ,6,1 2 3 4\n,,\n", /* an empty first field is no empty line */
    "emotion,pixel0,pixel1,pixel2,pixel3,Usage\n3,0,10,200,255,Training\n6,1,2,3,4,PrivateTest\n",
    "1;2;3;4;emotion\n0;10;200;255;happy\n1; 2 ;3.0;4;6\n",
    "emotion,Pixel_0,Pixel_1,Pixel_2,Pixel_3\n3,\"0\",10,200,255\n6,1,2,3,4",
    "emotion,pixels,1,2\n3,0 10 200 255,7,8\n6,1 2 3 4,9,\n",
};

TEST csv_is_refused(const char *text, size_t count, const char *reason)
{
    struct fer_dataset data;
    char expected[256];
    write_bytes(CSV, text, count);
    snprintf(expected, sizeof expected, "%s:%s", CSV, reason);
    ASSERT_EQm(text, -1, fer_dataset_read(&data, CSV, &error));
    ASSERT_STR_EQ(expected, error.text);
    ASSERT(data.count == 0 && !data.image && !data.pixels);
    PASS();
}

#define HEADER "emotion,pixels,Usage\n"
#define ROW "3,0 10 200 255,Training\n"
static const char *const bad_csv[][2] = {
    {"", " is empty, expected a FER2013 CSV"},
    {HEADER, "1: a header and nothing else, expected a line for each image"},
    {"emotion,pixels,Usage", "1: a header and nothing else, expected a line for each image"},
    {"\n" HEADER ROW, "1: no column `emotion`, expected a header such as emotion,pixels,Usage"},
    {"emotion,Usage\n3,Training\n", "1: no column `pixels`, expected a header such as emotion,pixels,Usage"},
    {"emotion,pixels,Emotion\n", "1: column `emotion` stands twice, expected a header such as emotion,pixels,Usage"},
    {HEADER "7,0 10 200 255,Training\n", "2: emotion is \"7\", expected 0 ... 6 or a class's name"},
    {HEADER ROW "33,0 10 200 255,Training\n", "3: emotion is \"33\", expected 0 ... 6 or a class's name"},
    {HEADER ROW "\n,0 10 200 255,Training\n", "4: emotion is \"\", expected 0 ... 6 or a class's name"},
    {HEADER "joy,0 10 200 255,Training\n", "2: emotion is \"joy\", expected 0 ... 6 or a class's name"},
    {HEADER "3.5,0 10 200 255,Training\n", "2: emotion is \"3.5\", expected 0 ... 6 or a class's name"},
    {HEADER "3,0 10 200 255,Tests\n", "2: Usage is \"Tests\", expected Training, PublicTest or PrivateTest"},
    {HEADER "3,0 10 200. 25.01,Training\n", "2: pixel 4 contains '.', expected a number 0 ... 255"},
    {"emotion;pixels;Usage\n3;\"0 10 200 255\" 1;Training\n",
     "2: text after a closing quote, expected a semicolon or the end of the line"},
    {"emotion,p1,p2,p3\n3,1,2,3\n", "1: 3 pixels, expected those of a square image, as 48 * 48 = 2304"},
    {"emotion,p1,p2,p4,p3\n3,1,2,3,4\n",
     "1: the columns of the pixels are not numbered in a row, expected pixel0, pixel1 and so on"},
    {"emotion,p0,p1,p2,p3\n3,1,2,,4\n", "2: pixel 3 is missing, expected a number 0 ... 255"},
    {"emotion,p0,p1,p2,p3\n3,1,2 3,4,5\n", "2: pixel 2 is more than one number, expected a number 0 ... 255"},
    {"emotion,p0,p1,p2,p3\n3,1,2,256,4\n", "2: pixel 3 is above 255, expected 0 ... 255"},
    {"pixels\n0 10 200 255\n", "1: no column `emotion`: images without labels, as in the competition's test.csv: "
                               "expected fer2013.csv or icml_face_data.csv, which have them all"},
    {"Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n",
     "1: this is FER+'s label file, which has no pixels: expected fer2013.csv here, and this file behind --labels"},
    {"PK\3\4 and so on", " is no CSV, but a zip file: unpack it (`unzip FILE`) and take what is in it"},
    {"PAR1 and so on",
     " is no CSV, but a Parquet file: pandas.read_parquet(FILE).to_csv(NEW, index=False) makes a CSV of it"},
    {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
     " is no CSV, but a Git LFS pointer, not the file itself: `git lfs pull` fetches that"},
    {"\n  <!DOCTYPE html><html>",
     " is no CSV, but a web page, as a download gives that needs a login: fetch the file itself"},
    {"\377\330\377\340", " is no CSV, but a JPEG image: `mogrify -format png FILE` converts it"},
    {HEADER "3,0 10 200 255,\n", "2: Usage is \"\", expected Training, PublicTest or PrivateTest"},
    {HEADER "3,0 10 200 255,abcdefghijabcdefghijabcdefghijabcdefghij\n",
     "2: Usage is \"abcdefghijabcdefghijabcdefghija\", expected Training, PublicTest or PrivateTest"},
    {HEADER "3,0 10 256 255,Training\n", "2: pixel 3 is above 255, expected 0 ... 255"},
    {HEADER "3,0 10 99999999999999999999 255,Training\n", "2: pixel 3 is above 255, expected 0 ... 255"},
    {HEADER "3,0 -10 200 255,Training\n", "2: pixel 2 contains '-', expected a number 0 ... 255"},
    {HEADER "3,0 10 200 25.5,Training\n", "2: pixel 4 contains '.', expected a number 0 ... 255"},
    {HEADER "3,0 10 200,Training\n", "2: 3 pixels, expected those of a square image, as 48 * 48 = 2304"},
    {HEADER ROW "3,0 10 200,Training\n", "3: 3 pixels, expected 2 * 2 = 4"},
    {HEADER ROW "3,0 10 200 255 1,Training\n", "3: more than 4 pixels, expected 2 * 2"},
    {HEADER "3,,Training\n", "2: no pixels, expected values 0 ... 255 separated by blanks"},
    {HEADER "3,\" \",Training\n", "2: no pixels, expected values 0 ... 255 separated by blanks"},
    {HEADER "3,0 10 200 255\n", "2: 2 fields, expected 3 as in the header"},
    {HEADER "3\n", "2: 1 fields, expected 3 as in the header"},
    {HEADER ROW "3,0 10", "3: 2 pixels, expected 2 * 2 = 4"},
    {HEADER "3,0 10 200 255,Training,\n", "2: more than 3 fields, expected 3 as in the header"},
    {HEADER "3,0,10,200,255,Training\n", "2: Usage is \"10\", expected Training, PublicTest or PrivateTest"},
    {HEADER "3,\"0 10 200 255,Training\n" ROW, "2: pixel 4 contains ',', expected a number 0 ... 255"},
    {HEADER "3,0 10 200 255,\"Training\n" ROW, "2: a quote is open at the end of the line, expected it to be closed"},
    {HEADER "3,0 10 200 255\x9b,Training\n" ROW, "2: pixel 4 contains '?', expected a number 0 ... 255"},
    {HEADER "3,\"0 10 200 255", "2: a quote is open at the end of the line, expected it to be closed"},
    {HEADER "3,\"0 10 200\" 255,Training\n", "2: text after a closing quote, expected a comma or the end of the line"},
    {HEADER "3,0 10 \"200\" 255,Training\n", "2: a quote inside a field, expected it around the whole field"},
    {HEADER "3,0 10\r200 255,Training\n", "2: a carriage return inside the line, expected lines ended by LF or CR LF"},
    {HEADER "3,0 10 \033[2J 255,Training\n", "2: a byte of value 27, expected text"},
};

static void csv_tests(void)
{
    size_t i;
    for (i = 0; i < sizeof good_csv / sizeof *good_csv; i++) RUN_TESTp(csv_is_read, good_csv[i]);
    for (i = 0; i < sizeof bad_csv / sizeof *bad_csv; i++)
        RUN_TESTp(csv_is_refused, bad_csv[i][0], strlen(bad_csv[i][0]), bad_csv[i][1]);
    RUN_TESTp(csv_is_refused, BYTES(HEADER "3,0 10 \0 255,Training\n"), "2: a byte of value 0, expected text");
    RUN_TESTp(csv_is_refused, BYTES(HEADER "3,0 10 200 255,Tra\0ning\n"), "2: a byte of value 0, expected text");
}

TEST usages_are_read_in_other_words(const char *validation, int of_test)
{
    static const int of_validation[] = {FER_TRAINING, FER_PUBLIC_TEST, FER_TEST};
    struct fer_dataset data;
    char text[200];
    size_t i;
    snprintf(text, sizeof text, "emotion,pixels,usage\n0,1,TEST\n1,1,train\n2,1,%s\n3,1,testing\n", validation);
    write_bytes(CSV, text, strlen(text));
    ASSERT_EQm(error.text, 0, fer_dataset_read(&data, CSV, &error));
    ASSERT_EQ(4, data.count);
    ASSERT(data.image[0].usage == of_test && data.image[3].usage == of_test && data.image[1].usage == FER_TRAINING);
    ASSERT_EQ(of_validation[fer_usage_named(validation)], data.image[2].usage);
    ASSERT_EQ(data.count, data.usage_count[0] + data.usage_count[1] + data.usage_count[2]);
    for (i = 0; i < FER_USAGES; i++) {
        size_t count = 0, k;
        for (k = 0; k < 4; k++) count += data.image[k].usage == i;
        ASSERT_EQ(count, data.usage_count[i]);
    }
    ASSERT_STR_EQ(of_test == FER_PUBLIC_TEST
                      ? "Usage `test` is taken as PublicTest, there being no validation rows\n"
                      : "", data.notes);
    fer_dataset_free(&data);
    PASS();
}

TEST names_are_known_in_their_common_forms(void)
{
    static const char *const words[] = {
        "0 angry ANGER 0_angry", "1 disgust Disgusted 12-disgust", "2 fear fearful afraid scared", "3 happy Happiness",
        "4 sad sadness 4.sad", "5 surprise surprised suprise suprised", "6 neutral Neutrality", "- joy contempt 7 00 3happy a_very_long_name_indeed "};
    static const char *const usages[] = {"training Train TRAINING", "PublicTest public_test validation val Valid validate",
                                         "privatetest Private-Test", "test testing", "- trains 0 images"};
    char word[64];
    const char *at;
    int i;
    for (i = 0; i < 8; i++)
        for (at = words[i]; *at; at += strspn(at, " ")) {
            snprintf(word, sizeof word, "%.*s", (int)strcspn(at, " "), at);
            at += strlen(word);
            ASSERT_EQ_FMTm(word, i < 7 ? i : -1, fer_class_named(word), "%d");
        }
    for (i = 0; i < 5; i++)
        for (at = usages[i]; *at; at += strspn(at, " ")) {
            snprintf(word, sizeof word, "%.*s", (int)strcspn(at, " "), at);
            at += strlen(word);
            ASSERT_EQ_FMTm(word, i < 4 ? i : -1, fer_usage_named(word), "%d");
        }
    PASS();
}

/* The first of good_csv as gzip -9 packs it; a second member behind it, zeros, and what is wrong with parts of it. */
static const unsigned char packed_csv[] =
    "\037\213\010\000\000\000\000\000\002\003\113\315\315\057\311\314\317\323\051\310\254\110\315\051\326\011"
    "\055\116\114\117\345\062\326\061\120\060\064\120\060\062\000\142\123\123\235\220\242\304\314\274\314\274"
    "\164\056\063\035\103\005\043\005\143\005\023\235\200\242\314\262\304\222\324\220\324\342\022\056\000\043"
    "\123\321\337\103\000\000\000";

/* A header that has everything: 258 bytes of extra field, a name, a comment, its own CRC. */
TEST gzip_headers_are_passed_over(void)
{
    const size_t count = sizeof packed_csv - 1;
    unsigned char file[10 + 260 + 5 + 4 + 2 + sizeof packed_csv];
    struct fer_dataset data;
    int flags;
    for (flags = 0; flags < 32; flags += 2) {
        size_t at = 10;
        memcpy(file, packed_csv, 10);
        file[3] = (unsigned char)(flags | 1); /* the first flag says that it is text */
        if (flags & 4) memset(file + at, 7, 260), file[at] = 2, file[at + 1] = 1, at += 260;
        if (flags & 8) memcpy(file + at, "name", 5), at += 5;
        if (flags & 16) memcpy(file + at, "why", 4), at += 4;
        if (flags & 2) memcpy(file + at, "\1\2", 2), at += 2;
        memcpy(file + at, packed_csv + 10, count - 10);
        write_bytes(CSV, file, at + count - 10);
        ASSERT_EQm(error.text, 0, fer_dataset_read(&data, CSV, &error));
        ASSERT_EQ(2, data.count);
        fer_dataset_free(&data);
    }
    file[3] = 32;
    write_bytes(CSV, file, count);
    ASSERT_EQ(-1, fer_dataset_read(&data, CSV, &error));
    ASSERT_STR_EQ(CSV ": damaged gzip file: it is packed in a way that gzip does not have", error.text);
    memcpy(file, packed_csv, count);
    file[count] = 0x1f;
    memset(file + count + 1, 8, 11);
    write_bytes(CSV, file, count + 12);
    ASSERT_EQ(-1, fer_dataset_read(&data, CSV, &error));
    ASSERT(strstr(error.text, "damaged gzip file: something else follows its end") != NULL);
    PASS();
}

TEST gzip_is_unpacked(void)
{
    const size_t count = sizeof packed_csv - 1;
    unsigned char file[2 * sizeof packed_csv];
    struct fer_dataset data;
    size_t i;
    write_bytes(CSV, packed_csv, count);
    ASSERT_EQm(error.text, 0, fer_dataset_read(&data, CSV, &error));
    ASSERT(data.count == 2 && data.pixels[3] == 255 && data.usage_count[FER_PRIVATE_TEST] == 1);
    fer_dataset_free(&data);
    memset(file, 0, sizeof file);
    memcpy(file, packed_csv, count);
    write_bytes(CSV, file, count + 10);
    ASSERT_EQm(error.text, 0, fer_dataset_read(&data, CSV, &error));
    fer_dataset_free(&data);
    memcpy(file + count, packed_csv, count); /* a second member: its header is a row of the whole */
    write_bytes(CSV, file, 2 * count);
    ASSERT_EQ(-1, fer_dataset_read(&data, CSV, &error));
    ASSERT_STR_EQ(CSV ":4: emotion is \"emotion\", expected 0 ... 6 or a class's name", error.text);
    for (i = 2; i < count; i++) {
        write_bytes(CSV, file, i);
        ASSERT_EQ(-1, fer_dataset_read(&data, CSV, &error));
        ASSERT(strstr(error.text, ": damaged gzip file: ") != NULL);
        file[i] ^= 0x10;
        write_bytes(CSV, file, count);
        if (i < 4 || i > 9) { /* those between are a time and a system */
            ASSERT_EQ(-1, fer_dataset_read(&data, CSV, &error));
        }
        file[i] ^= 0x10;
    }
    PASS();
}

/* Longer than the reader's buffer, so that every kind of byte stands at its end once. */
TEST csv_of_many_rows_is_read(void)
{
    FILE *file = fopen(CSV, "wb");
    struct fer_dataset data;
    int i;
    ASSERT(file);
    fputs("emotion,pixels,Usage\r\n", file);
    for (i = 0; i < 20000; i++) fprintf(file, "%d,%d 1 %d 3,%s\r\n", i % 7, i % 256, i / 256, fer_usage_names[i % 3]);
    ASSERT_EQ(0, fclose(file));
    ASSERT_EQm(error.text, 0, fer_dataset_read(&data, CSV, &error));
    ASSERT_EQ(20000, data.count);
    for (i = 0; i < 20000; i++) {
        const uint8_t *pixel = data.pixels + data.image[i].offset;
        ASSERT(pixel[0] == i % 256 && pixel[1] == 1 && pixel[2] == i / 256 && pixel[3] == 3);
        ASSERT(data.image[i].label == i % 7 && data.image[i].usage == i % 3);
    }
    fer_dataset_free(&data);
    PASS();
}

TEST csv_that_is_not_there(void)
{
    struct fer_dataset data;
    ASSERT_EQ(-1, fer_dataset_read(&data, FOLDER "/none.csv", &error));
    ASSERT_EQ(0, strncmp(error.text, FOLDER "/none.csv: cannot be opened: ", strlen(FOLDER) + 28));
    PASS();
}

/* ---- FER+'s labels ---- */

#define FERPLUS FOLDER "/labels.csv"
#define FERPLUS_HEADER "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"

/* Seven rows; within a usage they are joined by order, whatever lies between. */
static const char ferplus_rows[] =
    "emotion,pixels,Usage\n3,1,Training\n4,2,PublicTest\n3,3,Training\n5,4,PublicTest\n6,5,Training\n2,6,Training\n1,7,Training\n";

TEST ferplus_labels_are_joined(void)
{
    static const char labels[] =
        FERPLUS_HEADER "Training,fer0000000.png,1,8,0,0,1,0,0,0,0,0\n" /* happy */
        "Training,fer0000001.png,0,0,0,0,9,1,0,0,0,0\r\n"             /* angry */
        "PrivateTest,fer0000002.png,0,0,0,0,9,1,0,0,0,0\n"            /* of a usage that the data lack */
        "Training,,0,0,0,0,0,0,0,0,0,10\n"                            /* no face */
        "PublicTest,fer0000004.png,0,0,0,0,0,1,6,3,0,0\n"             /* fear */
        "PublicTest,fer0000005.png,0,0,0,2,0,2,0,4,2,0\n\n"           /* contempt */
        "Training,fer0000006.png,0,0,5,0,0,0,5,0,0,0\n"               /* surprise, the first of two */
        "Training,fer0000007.png,0,0,0,0,0,3,0,0,4,3";                /* unknown */
    static const uint8_t pixels[4] = {1, 3, 6, 2}, expected[4] = {3, 0, 5, 2};
    struct fer_dataset data;
    size_t i;
    write_bytes(CSV, ferplus_rows, strlen(ferplus_rows));
    write_bytes(FERPLUS, labels, strlen(labels));
    ASSERT_EQm(error.text, 0, fer_dataset_read(&data, CSV, &error));
    ASSERT_EQm(error.text, 0, fer_dataset_relabel(&data, FERPLUS, &error));
    ASSERT_EQ(4, data.count);
    ASSERT(data.usage_count[FER_TRAINING] == 3 && data.usage_count[FER_PUBLIC_TEST] == 1);
    for (i = 0; i < 4; i++) {
        const size_t k = i == 1 ? 3 : i > 1 ? i - 1 : 0; /* in the CSV's order: 1, 2, 3, 6 */
        ASSERT_EQ(pixels[k], data.pixels[data.image[i].offset]);
        ASSERT_EQ(expected[k], data.image[i].label);
    }
    ASSERT_STR_EQ("labels of " FERPLUS ": 3 of 7 rows changed class, 3 were dropped\n", data.notes);
    fer_dataset_free(&data);
    remove(FERPLUS);
    PASS();
}

TEST bad_ferplus_labels_are_refused(void)
{
#define UNKNOWN_ROW(usage) usage ",a,0,0,0,0,0,0,0,0,9,1\n"
#define ALL_UNKNOWN                                                                                                    \
    UNKNOWN_ROW("Training") UNKNOWN_ROW("Training") UNKNOWN_ROW("Training") UNKNOWN_ROW("Training")                     \
    UNKNOWN_ROW("Training") UNKNOWN_ROW("PublicTest") UNKNOWN_ROW("PublicTest")
    static const char *const bad[][2] = {
        {"", " is empty, expected FER+'s fer2013new.csv, which begins Usage,Image name,neutral,happiness"},
        {"emotion,pixels\n", "1: no column `Usage`, expected FER+'s fer2013new.csv, which begins Usage,Image name,neutral,happiness"},
        {FERPLUS_HEADER "Training,a,1,2,3\n", "2: 5 fields, expected 12 as in the header"},
        {FERPLUS_HEADER "Test,a,1,0,0,0,0,0,0,0,0,0\n", "2: Usage is \"Test\", expected Training, PublicTest or PrivateTest"},
        {FERPLUS_HEADER "Training,a,1,0,x,0,0,0,0,0,0,0\n", "2: surprise is \"x\", expected a number of votes"},
        {FERPLUS_HEADER "Training,a,1,0,,0,0,0,0,0,0,0\n", "2: surprise is \"\", expected a number of votes"},
        {FERPLUS_HEADER "Training,a,1,0,-1,0,0,0,0,0,0,0\n", "2: surprise is \"-1\", expected a number of votes"},
        {FERPLUS_HEADER "Training,a,1,0,2x,0,0,0,0,0,0,0\n", "2: surprise is \"2x\", expected a number of votes"},
        {"\357\273\277" FERPLUS_HEADER ALL_UNKNOWN, " all rows are dropped"},
        {FERPLUS_HEADER "Training,a,1,0,0,0,0,0,0,0,0,0\n",
         " 1 rows of Training, and " CSV " has 5: expected one for each, in the same order"},
    };
    char expected[256];
    struct fer_dataset data;
    size_t i;
    write_bytes(CSV, ferplus_rows, strlen(ferplus_rows));
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_bytes(FERPLUS, bad[i][0], strlen(bad[i][0]));
        ASSERT_EQ(0, fer_dataset_read(&data, CSV, &error));
        ASSERT_EQ(-1, fer_dataset_relabel(&data, FERPLUS, &error));
        snprintf(expected, sizeof expected, "%s:%s", FERPLUS, bad[i][1]);
        ASSERT_STR_EQ(expected, error.text);
        ASSERT(data.image[0].label == 3); /* untouched */
        fer_dataset_free(&data);
    }
    remove(FERPLUS);
    PASS();
}

/* ---- PGM ---- */

TEST pgm_is_read(const char *text, size_t count, const char *expected)
{
    int height, width;
    uint8_t *pixels;
    write_bytes(PGM, text, count);
    ASSERT_EQm(error.text, 0, fer_pgm_read(PGM, &height, &width, &pixels, &error));
    ASSERT(height == 2 && width == 3);
    ASSERT_MEM_EQ(expected, pixels, 6);
    fer_free(pixels);
    PASS();
}

TEST pgm_is_refused(const char *text, size_t count, const char *reason)
{
    int height, width;
    uint8_t *pixels;
    char expected[256];
    write_bytes(PGM, text, count);
    snprintf(expected, sizeof expected, "%s: %s", PGM, reason);
    ASSERT_EQm(text, -1, fer_pgm_read(PGM, &height, &width, &pixels, &error));
    ASSERT_STR_EQ(expected, error.text);
    ASSERT_EQ(NULL, pixels);
    PASS();
}

static const char *const bad_pgm[][2] = {
    {"", "is empty, expected a PGM image"},
    {"P", "no PGM image, expected a file that begins with P2 or P5"},
    {"P6 3 2 255 abcdefabcdefabcdef", "no PGM image, expected a file that begins with P2 or P5"},
    {"P53 2 255 abcdef", "no PGM image, expected a file that begins with P2 or P5"},
    {"P5", "no PGM image, expected a file that begins with P2 or P5"},
    {"P5 ", "ends too early, expected the width"},
    {"P5 3 # 2 255 abcdef", "ends too early, expected the height"},
    {"P5 3 2", "ends too early, expected the maxval"},
    {"P5 3 2 255", "ends too early, expected 3 * 2 pixels"},
    {"P5 3 2 255 abcde", "ends too early, expected 3 * 2 pixels"},
    {"P5 3 2 256 abcdefghijk", "ends too early, expected 3 * 2 pixels"},
    {"P5 16384 16384 255 a", "ends too early, expected 16384 * 16384 pixels"},
    {"P5 99999999999999999999 2 255 abcdef", "the width is more than 16384, expected 1 ... 16384"},
    {"P5 3 0 255 ", "the height is 0, expected 1 ... 16384"},
    {"P5 3 2 0 abcdef", "the maxval is 0, expected 1 ... 65535"},
    {"P5 3 2 65536 abcdef", "the maxval is more than 65535, expected 1 ... 65535"},
    {"P5 \x9b 2 255 abcdef", "'?' where the width was expected"},
    {"P5 -3 2 255 abcdef", "'-' where the width was expected"},
    {"P5 3 2x 255 abcdef", "'x' after the height, expected a blank"},
    {"P5 3 2 255#c", "ends too early, expected 3 * 2 pixels"},
    {"P5 3 2 255#c\nabcde", "ends too early, expected 3 * 2 pixels"},
    {"P5 3 2 100 abcdef", "pixel 5 is 101, expected 0 ... 100"},
    {"P2 3 2 255 1 2 3 4 5", "ends too early, expected 3 * 2 pixels"},
    {"P2 3 2 255 1 2 3 4 5   ", "ends too early, expected the next pixel"},
    {"P2 3 2 255 1 2 3 4 5 256", "the next pixel is more than 255, expected 0 ... 255"},
    {"P2 3 2 15 1 2 3 4 5 16", "the next pixel is more than 15, expected 0 ... 15"},
    {"P2 3 2 255 1 2 3 4 5 -6", "'-' where the next pixel was expected"},
};

static void pgm_tests(void)
{
    size_t i;
    RUN_TESTp(pgm_is_read, BYTES("P5\n3 2\n255\n\n#\0\377ab"), "\n#\0\377ab");
    RUN_TESTp(pgm_is_read, BYTES("P5 3 2 255 abcdefP5 3 2 255 ABCDEF"), "abcdef");
    RUN_TESTp(pgm_is_read, BYTES("P5#c 1\n#\n3 # d\r2\t\n255\rabcdef"), "abcdef");
    RUN_TESTp(pgm_is_read, BYTES("P5#\n3#a\n2# b\r255#c\n#abcde"), "#abcde"); /* a comment right behind a number */
    RUN_TESTp(pgm_is_read, BYTES("P2 3 2 255 0#\n1#2\n2 3 4 5# 6"), "\0\1\2\3\4\5");
    RUN_TESTp(pgm_is_read, BYTES("P5 3 2 1 \0\1\0\1\1\0"), "\0\377\0\377\377\0");
    RUN_TESTp(pgm_is_read, BYTES("P5 3 2 65535 \0\0\377\377\177\377\200\0\0\200\0\201"), "\0\377\177\200\0\1");
    RUN_TESTp(pgm_is_read, BYTES("P2\n3 2\n255\n0 1 2\n3 4 255\n"), "\0\1\2\3\4\377");
    RUN_TESTp(pgm_is_read, BYTES("P2 3 2 255 0 1 2 # 7 8\n3 4 000255 and more"), "\0\1\2\3\4\377");
    RUN_TESTp(pgm_is_read, BYTES("P2 3 2 2 0 1 2 1 0 1"), "\0\200\377\200\0\200");
    for (i = 0; i < sizeof bad_pgm / sizeof *bad_pgm; i++)
        RUN_TESTp(pgm_is_refused, bad_pgm[i][0], strlen(bad_pgm[i][0]), bad_pgm[i][1]);
}

/* Every value under one maxval, as a P5 file in memory; the digest goes on from crc. */
static uint32_t scaled_digest(int most, uint32_t crc)
{
    unsigned char *file = malloc(2 * 65536 + 64);
    int height, width, value, parts = most < 256 ? 1 : 4; /* no image is wider than 16384 */
    size_t count;
    uint8_t *pixels;
    if (!file) return 0;
    count = (size_t)snprintf((char *)file, 64, "P5 %d %d %d\n", (most + 1 + parts - 1) / parts, parts, most);
    for (value = 0; value < (most + 1 + parts - 1) / parts * parts; value++) {
        const int v = value > most ? 0 : value;
        if (most > 255) file[count++] = (unsigned char)(v >> 8);
        file[count++] = (unsigned char)(v & 255);
    }
    if (fer_pgm_parse("memory", file, count, &height, &width, &pixels, &error) == 0) {
        crc = fer_crc32(crc, pixels, (size_t)most + 1);
        fer_free(pixels);
    }
    free(file);
    return crc;
}

TEST pgm_is_scaled_as_pillow_scales(void)
{
    static const int most_16[] = {256, 257, 510, 1000, 4095, 32766, 65535};
    uint32_t crc = 0;
    size_t i;
    int most;
    for (most = 1; most < 256; most++) crc = scaled_digest(most, crc);
    ASSERT_EQ_FMT(PILLOW_PGM, (unsigned)crc, "%08x");
    for (crc = 0, i = 0; i < sizeof most_16 / sizeof *most_16; i++) crc = scaled_digest(most_16[i], crc);
    ASSERT_EQ_FMT(PILLOW_PGM_16, (unsigned)crc, "%08x");
    PASS();
}

TEST pgm_comes_back(void)
{
    uint8_t pixels[5 * 3], *back;
    int i, height, width;
    for (i = 0; i < 15; i++) pixels[i] = (uint8_t)(17 * i);
    ASSERT_EQ(0, fer_pgm_write(PGM, 5, 3, pixels, &error));
    ASSERT_EQ(0, fer_pgm_read(PGM, &height, &width, &back, &error));
    ASSERT(height == 5 && width == 3);
    ASSERT_MEM_EQ(pixels, back, sizeof pixels);
    fer_free(back);
    ASSERT_EQ(-1, fer_pgm_write(FOLDER "/none/face.pgm", 5, 3, pixels, &error));
    ASSERT_EQ(0, strncmp(error.text, FOLDER "/none/face.pgm: cannot be written: ", strlen(FOLDER) + 33));
    PASS();
}

/* ---- Batches ---- */

TEST images_are_scaled_as_pillow_scales(void)
{
    static const int shape[][2] = {{1, 1}, {2, 3}, {7, 5}, {48, 48}, {49, 48}, {64, 100}, {200, 31}};
    static uint8_t pixels[6400], seen[150 * 150];
    static real x[150 * 150];
    uint32_t crc = 0;
    size_t s, size, k;
    int i;
    for (s = 0; s < sizeof shape / sizeof *shape; s++) {
        for (i = 0; i < shape[s][0] * shape[s][1]; i++) pixels[i] = (uint8_t)(37 * i + 11 * (i / shape[s][1]));
        for (size = 1; size < 150; size++) {
            fer_image_scale(shape[s][0], shape[s][1], pixels, size, x);
            for (k = 0; k < size * size; k++) seen[k] = (uint8_t)(x[k] * 255 + (real)0.5);
            crc = fer_crc32(crc, seen, size * size);
        }
    }
    ASSERT_EQ_FMT(PILLOW_RESIZE, (unsigned)crc, "%08x");
    PASS();
}

/* 3 x 2 to 4 x 4 by hand: rows at 0.375 1.125 1.875 2.625, columns at 0.25 0.75 1.25 1.75. */
TEST images_are_scaled_by_the_rule(void)
{
    static const uint8_t pixels[6] = {10, 20, 30, 40, 50, 255};
    static const uint8_t expected[16] = {10, 10, 20, 20, 30, 30, 40, 40, 30, 30, 40, 40, 50, 50, 255, 255};
    const real unit = (real)1 / (real)255;
    real x[16];
    int i, differ = 0;
    fer_image_scale(3, 2, pixels, 4, x);
    for (i = 0; i < 16; i++) ASSERT_EQ((real)expected[i] * unit, x[i]);
    /* The product is not the quotient. */
    for (i = 0; i < 256; i++) differ += (real)i * unit != (real)i / (real)255;
    ASSERT(differ > 0);
#ifndef FER_DOUBLE
    ASSERT_EQ(126, differ);
#endif
    PASS();
}

TEST batch_holds_the_chosen_images(void)
{
    static const size_t counts[FER_USAGES] = {20, 5, 0};
    static real batch[3 * 64 * 64], alone[64 * 64];
    struct fer_dataset data;
    size_t index[20];
    int i, labels[3];
    ASSERT_EQ(0, fer_dataset_draw(&data, 1, counts, &error));
    fer_dataset_select(&data, FER_PUBLIC_TEST, index);
    for (i = 0; i < 5; i++) ASSERT_EQ((size_t)(20 + i), index[i]);
    fer_batch_fill(&data, index + 1, 3, 64, batch, labels);
    for (i = 0; i < 3; i++) {
        const struct fer_image *image = &data.image[21 + i];
        ASSERT_EQ(image->label, labels[i]);
        fer_image_scale(image->height, image->width, data.pixels + image->offset, 64, alone);
        ASSERT_MEM_EQ(alone, &batch[i * 64 * 64], sizeof alone);
    }
    fer_batch_fill(&data, index, 1, 64, batch, NULL);
    fer_dataset_free(&data);
    PASS();
}

/* Whatever usage the first image is of. */
TEST images_of_a_usage_are_found_wherever_they_stand(void)
{
    static const char rows[] = "emotion,pixels,Usage\n0,1,PublicTest\n1,2,Training\n2,3,PrivateTest\n3,4,Training\n";
    struct fer_dataset data;
    size_t index[2] = {9, 9};
    real x[2];
    int labels[2];
    write_bytes(CSV, rows, sizeof rows - 1);
    ASSERT_EQ(0, fer_dataset_read(&data, CSV, &error));
    fer_dataset_select(&data, FER_TRAINING, index);
    ASSERT(index[0] == 1 && index[1] == 3);
    fer_batch_fill(&data, index, 2, 1, x, labels);
    ASSERT(labels[0] == 1 && labels[1] == 3 && x[0] == 2 * ((real)1 / (real)255));
    fer_dataset_free(&data);
    PASS();
}

/* However much there is to say: it fits, and every line ends. */
TEST notes_end_their_lines(void)
{
    static struct fer_dataset data;
    int i;
    for (i = 0; i < 100; i++) {
        fer_dataset_note(&data, "%0*d\033\n", 10 + i, i);
        ASSERT(strlen(data.notes) < sizeof data.notes);
        ASSERT_EQ('\n', data.notes[strlen(data.notes) - 1]);
    }
    ASSERT_EQ(sizeof data.notes - 1, strlen(data.notes));
    ASSERT_EQ(0, strncmp("0000000000?""?\n00000000001?""?\n", data.notes, 26));
    PASS();
}

TEST digest_is_of_what_the_header_says(void)
{
    static const unsigned char bytes[] = {3, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 10, 200, 255,
                                          6, 2, 2, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4};
    struct fer_dataset data;
    write_bytes(CSV, good_csv[0], strlen(good_csv[0]));
    ASSERT_EQ(0, fer_dataset_read(&data, CSV, &error));
    ASSERT_EQ_FMT((unsigned)fer_crc32(0, bytes, sizeof bytes), (unsigned)fer_dataset_digest(&data), "%08x");
    fer_dataset_free(&data);
    PASS();
}

/* ---- Drawn faces ---- */

TEST drawn_faces_are_the_same_everywhere(void)
{
    static const size_t counts[FER_USAGES] = {150, 40, 10};
    struct fer_dataset data;
    size_t i;
    ASSERT_EQ(0, fer_dataset_draw(&data, 1, counts, &error));
    ASSERT_EQ_FMT(DRAWN, (unsigned)fer_dataset_digest(&data), "%08x");
    ASSERT(data.count == 200 && data.usage_count[0] == 150 && data.usage_count[1] == 40 && data.usage_count[2] == 10);
    for (i = 0; i < 200; i++) {
        ASSERT_EQ((i < 150 ? i : i < 190 ? i - 150 : i - 190) % 7, data.image[i].label);
        ASSERT_EQ(i < 150 ? FER_TRAINING : i < 190 ? FER_PUBLIC_TEST : FER_PRIVATE_TEST, data.image[i].usage);
        ASSERT(data.image[i].height == 48 && data.image[i].width == 48 && data.image[i].offset == i * 48 * 48);
    }
    fer_dataset_free(&data);
    PASS();
}

TEST drawn_faces_hang_on_seed_and_number(void)
{
    static const size_t few[FER_USAGES] = {10, 0, 0}, many[FER_USAGES] = {30, 0, 0}, none[FER_USAGES] = {0, 0, 0};
    static const size_t excessive[FER_USAGES] = {1000000, 0, 1};
    struct fer_dataset a, b;
    ASSERT_EQ(0, fer_dataset_draw(&a, 7, few, &error));
    ASSERT_EQ(0, fer_dataset_draw(&b, 7, many, &error));
    ASSERT_MEM_EQ(a.pixels, b.pixels, a.pixel_count);
    ASSERT(memcmp(b.pixels, b.pixels + 7 * 48 * 48, 48 * 48) != 0); /* the next of the same class */
    fer_dataset_free(&b);
    ASSERT_EQ(0, fer_dataset_draw(&b, ((uint64_t)1 << 32) + 7, few, &error));
    ASSERT(memcmp(a.pixels, b.pixels, 48 * 48) != 0);
    fer_dataset_free(&a);
    fer_dataset_free(&b);
    ASSERT_EQ(0, fer_dataset_draw(&a, 7, none, &error));
    ASSERT_EQ(0, a.count);
    fer_dataset_free(&a);
    ASSERT_EQ(-1, fer_dataset_draw(&a, 7, excessive, &error));
    ASSERT_STR_EQ("at most 1000000 faces can be drawn", error.text);
    PASS();
}

/* ---- Platform ---- */

TEST files_are_replaced(void)
{
    FILE *file;
    char text[4] = "";
    write_bytes(CSV, "old", 3);
    write_bytes(PGM, "new", 3);
    ASSERT((file = fopen(PGM, "r+b")) != NULL);
    ASSERT_EQ(0, fer_flush_to_disk(file));
    ASSERT_EQ(0, fer_is_terminal(file));
    fclose(file);
    ASSERT_EQ(0, fer_replace_file(PGM, CSV));
    ASSERT((file = fopen(CSV, "rb")) != NULL);
    ASSERT_EQ(3, fread(text, 1, 3, file));
    fclose(file);
    ASSERT_STR_EQ("new", text);
    ASSERT_EQ(NULL, fopen(PGM, "rb"));
    ASSERT(fer_replace_file(FOLDER "/none", FOLDER "/none too") != 0);
    ASSERT(fer_terminal_width() > 0 && fer_clock() <= fer_clock());
    PASS();
}

#ifndef FER_PURE_C99

/* ---- Folder trees ---- */

static int remove_entry(void *context, const char *name, struct fer_error *e);

static int remove_tree(const char *path)
{
    char copy[FER_PATH];
    snprintf(copy, sizeof copy, "%s", path);
    fer_list_folder(path, remove_entry, copy, NULL);
    fer_remove_folder(path);
    return 0;
}

static int remove_entry(void *context, const char *name, struct fer_error *e)
{
    char path[FER_PATH];
    if (fer_join_path(path, context, name, e)) return -1;
    return fer_is_folder(path) ? remove_tree(path) : remove(path);
}

/* Makes FOLDER/tree/USAGE/CLASS/NAME, an image of one pixel. */
static void plant(const char *usage, const char *class_name, const char *name, int value)
{
    char path[FER_PATH];
    uint8_t pixel = (uint8_t)value;
    fer_make_folder(FOLDER "/tree", NULL);
    snprintf(path, sizeof path, FOLDER "/tree/%s", usage);
    fer_make_folder(path, NULL);
    snprintf(path, sizeof path, FOLDER "/tree/%s/%s", usage, class_name);
    fer_make_folder(path, NULL);
    snprintf(path, sizeof path, FOLDER "/tree/%s/%s/%s", usage, class_name, name);
    if (fer_pgm_write(path, 1, 1, &pixel, NULL)) exit(2);
}

TEST tree_is_read_in_order(void)
{
    struct fer_dataset data;
    size_t i;
    plant("PrivateTest", "neutral", "a.pgm", 9);
    plant("Training", "sad", "b.pgm", 6);
    plant("Training", "Happy", "a.pgm", 5);
    plant("Training", "3", "b.pgm", 4);
    plant("Training", "3", "a.pgm", 3);
    plant("Training", "3", "B.pgm", 2);
    plant("Training", "ANGRY", "z.pgm", 1);
    plant("PublicTest", "4", "00010.pgm", 8);
    plant("PublicTest", "4", "00009.pgm", 7);
    plant("PublicTest", "4", ".hidden.pgm", 99);
    plant("PublicTest", "4", "b.pgm~", 99);
    plant("PublicTest", "4", "pgm", 99);
    plant("PublicTest", ".thumbnails", "b.pgm", 99);
    plant("Others", "people", "b.pgm", 99);
    write_bytes(FOLDER "/tree/Training/list.txt", "x", 1);
    ASSERT_EQm(error.text, 0, fer_dataset_read(&data, FOLDER "/tree", &error));
    ASSERT_EQ(9, data.count);
    for (i = 0; i < 9; i++) ASSERT_EQ_FMT((int)i + 1, data.pixels[data.image[i].offset], "%d");
    ASSERT(data.image[0].label == 0 && data.image[4].label == 3 && data.image[8].label == 6);
    ASSERT(data.usage_count[0] == 6 && data.usage_count[1] == 2 && data.usage_count[2] == 1);
    fer_dataset_free(&data);
    remove_tree(FOLDER "/tree");
    PASS();
}

/* The usage and class of each image of a tree, "0/3 " for Training, happy, and what is said about it. */
static int tree_is(const char *images, const char *notes)
{
    struct fer_dataset data;
    char list[200] = "";
    size_t i, length;
    int right;
    if (fer_dataset_read(&data, FOLDER "/tree", &error)) return 0;
    for (i = 0; i < data.count; i++) {
        length = strlen(list);
        snprintf(list + length, sizeof list - length, "%d/%d=%d ", data.image[i].usage, data.image[i].label,
                 data.pixels[data.image[i].offset]);
    }
    right = strcmp(list, images) == 0 && strcmp(data.notes, notes) == 0;
    if (!right) printf("%s\n%s", list, data.notes);
    fer_dataset_free(&data);
    remove_tree(FOLDER "/tree");
    return right;
}

#define NO_SPLIT "no folders of a split such as Training and PublicTest: all images are Training\n"
#define NO_VALIDATION "no PublicTest images: there is nothing to validate on\n"

TEST trees_are_read_as_people_have_them(void)
{
    static const char *const classes[] = {"Angry",  "DISGUSTED", "Fearful", "happiness",
                                          "03_sad", "Surprised", "neutral"};
    unsigned char png[FER_PNG_ROOM];
    const uint8_t pixel = 77;
    int i;
    /* Kaggle's first form: train and test */
    for (i = 0; i < 7; i++) plant("train", classes[i], "a.PGM", i);
    plant("test", "anger", "a.pgm", 7);
    write_bytes(FOLDER "/tree/test/anger/B.Png", png, fer_png_encode(png, 1, 1, &pixel));
    ASSERT(tree_is("0/0=0 0/1=1 0/2=2 0/3=3 0/4=4 0/5=5 0/6=6 1/0=77 1/0=7 ",
                   "the folder `test` is taken as PublicTest, there being no validation folder\n"));
    /* beside a validation folder, test is PrivateTest */
    plant("TRAIN", "sadness", "a.pgm", 1);
    plant("Test", "fear", "a.pgm", 2);
    plant("val", "3", "a.pgm", 3);
    ASSERT(tree_is("0/4=1 1/3=3 2/2=2 ", ""));
    plant("public_test", "0", "a.pgm", 1);
    plant("Private Test", "0", "a.pgm", 2);
    plant("test", "1", "a.pgm", 3);
    ASSERT(tree_is("1/0=1 2/0=2 2/1=3 ", ""));
    /* the second form: one level down; what lies beside is named */
    fer_make_folder(FOLDER "/tree", NULL);
    fer_make_folder(FOLDER "/tree/images", NULL);
    plant("images/train", "happy", "a.png", 1);
    plant("images/validation", "happy", "a.png", 2);
    plant("more", "happy", "a.png", 3);
    write_bytes(FOLDER "/tree/READ\033ME", "", 0);
    ASSERT(tree_is("0/3=1 1/3=2 ", "passed over: 2 files and folders, expected .pgm or .png: READ?ME, more/\n"));
    /* no split */
    plant("angry", ".", "1.png", 1);
    plant("Neutral", ".", "1.png", 2);
    ASSERT(tree_is("0/0=1 0/6=2 ", NO_SPLIT NO_VALIDATION));
    PASS();
}

TEST odd_trees_are_read(void)
{
    struct fer_dataset data;
    plant("train", "sad", "a.pgm", 1);
    write_bytes(FOLDER "/tree/val", "", 0);   /* a file */
    write_bytes(FOLDER "/tree/angry", "", 0); /* another */
    ASSERT(tree_is("0/4=1 ", "passed over: 2 files, expected .pgm or .png: angry, val\n" NO_VALIDATION));
    plant("train", "sad", "a.pgm", 1);
    plant("angry", ".", "a.pgm", 1); /* a class beside the split */
    ASSERT_EQm(error.text, 0, fer_dataset_read(&data, FOLDER "/tree//", &error));
    ASSERT_STR_EQ("passed over: 1 folder, expected .pgm or .png: angry/\n" NO_VALIDATION, data.notes);
    fer_dataset_free(&data);
    remove_tree(FOLDER "/tree");
    plant("more", "happy", "a.pgm", 1); /* two ways down are none */
    plant("others", "happy", "a.pgm", 1);
    ASSERT_EQ(-1, fer_dataset_read(&data, FOLDER "/tree", &error));
    remove_tree(FOLDER "/tree");
    plant("data", "train", "b", 1); /* one way down is taken, here twice */
    remove(FOLDER "/tree/data/train/b");
    fer_make_folder(FOLDER "/tree/data/train/happy", NULL);
    plant("data/train", "happy", "a.pgm", 5);
    ASSERT(tree_is("0/3=5 ", NO_VALIDATION));
    PASS();
}

TEST what_a_tree_has_besides_is_named(void)
{
    char name[32], expected[500] = NO_SPLIT "passed over: 13 files, expected .pgm or .png: ";
    size_t length = strlen(expected);
    int i;
    plant("train", "sad", "a.pgm", 1);
    plant("train", "sad", "a.jpg", 1);
    plant("train", "sad", "b.JPEG", 1);
    plant("train", "sad", "b.png", 2); /* b.JPEG, converted */
    plant("train", "sad", "c.txt", 1);
    plant("train", "sad", ".d.pgm", 1);
    plant("__MACOSX", "sad", "._a.pgm", 1);
    ASSERT(tree_is("0/4=1 0/4=2 ", "passed over: 2 files, expected .pgm or .png: train/sad/a.jpg, train/sad/c.txt; "
                                   "`mogrify -format png " FOLDER "/tree/*/*/*.jpg` converts JPEG\n" NO_VALIDATION));
    plant("angry", ".", "a.pgm", 1);
    for (i = 0; i < 13; i++) {
        snprintf(name, sizeof name, "%c.bmp", 'b' + i);
        plant("angry", ".", name, 1);
        if (i < 10)
            length += (size_t)snprintf(expected + length, sizeof expected - length, "%sangry/%s", i ? ", " : "", name);
    }
    snprintf(expected + length, sizeof expected - length, ", ...\n" NO_VALIDATION);
    ASSERT(tree_is("0/0=1 ", expected));
    PASS();
}

static int tree_fails(const char *reason)
{
    struct fer_dataset data;
    const int result = fer_dataset_read(&data, FOLDER "/tree", &error);
    remove_tree(FOLDER "/tree");
    return result == -1 && data.count == 0 && strcmp(reason, error.text) == 0;
}

#define NO_IMAGE FOLDER "/tree: no image, expected " FOLDER "/tree/Training/3/NAME.pgm and the like"
#define NO_CLASS ": no class of this name, expected 0 ... 6 or angry, disgust, fear, happy, sad, surprise, neutral"

TEST tree_is_refused(void)
{
    fer_make_folder(FOLDER "/tree", NULL);
    ASSERTm(error.text, tree_fails(NO_IMAGE));
    plant("Training", "3", "a.bmp", 1);
    ASSERTm(error.text, tree_fails(NO_IMAGE));
    plant("Training", "3", "a.bmp", 1);
    write_bytes(FOLDER "/tree/fer2013.csv", "", 0);
    ASSERTm(error.text, tree_fails(NO_IMAGE ", or a CSV: " FOLDER "/tree/fer2013.csv"));
    plant("train", "Angry", "a.JPG", 1);
    plant("train", "Angry", "b.JPG", 1);
    ASSERTm(error.text, tree_fails(FOLDER "/tree: no image that fer reads, but 2 JPEG: `mogrify -format png " FOLDER
                                   "/tree/*/*/*.JPG` converts them"));
    plant("Training", "3", "a.pgm", 1);
    plant("Training", "joy", "a.pgm", 1);
    ASSERTm(error.text, tree_fails(FOLDER "/tree/Training/joy" NO_CLASS));
    plant("Training", "7", "a.pgm", 1);
    ASSERTm(error.text, tree_fails(FOLDER "/tree/Training/7" NO_CLASS));
    plant("Training", "3", "a.pgm", 1);
    write_bytes(FOLDER "/tree/Training/3/b.pgm", "P5 1 1 255", 10);
    ASSERTm(error.text, tree_fails(FOLDER "/tree/Training/3/b.pgm: ends too early, expected 1 * 1 pixels"));
    plant("Training", "3", "a.pgm", 1);
    fer_make_folder(FOLDER "/tree/Training/3/b.pgm", NULL);
    ASSERTm(error.text, tree_fails(FOLDER "/tree/Training/3/b.pgm: cannot be opened, expected a plain file"));
    PASS();
}

TEST unpacked_images_come_back(void)
{
    static const size_t counts[FER_USAGES] = {20, 9, 1};
    struct fer_dataset drawn, back;
    size_t i;
    ASSERT_EQ(0, fer_dataset_draw(&drawn, 3, counts, &error));
    ASSERT_EQm(error.text, 0, fer_unpack(&drawn, FOLDER "/tree", &error));
    ASSERT_EQm(error.text, 0, fer_dataset_read(&back, FOLDER "/tree", &error));
    ASSERT_EQ(30, back.count);
    /* In the tree the classes stand one behind the other: image 0, 7, 14 of the drawn ones, then 1, 8, 15, ... */
    for (i = 0; i < 3; i++)
        ASSERT_MEM_EQ(&drawn.pixels[drawn.image[7 * i].offset], &back.pixels[back.image[i].offset], 48 * 48);
    ASSERT_MEM_EQ(&drawn.pixels[drawn.image[29].offset], &back.pixels[back.image[29].offset], 48 * 48);
    ASSERT(fer_is_file(FOLDER "/tree/Training/5/00019.pgm") && fer_is_file(FOLDER "/tree/PublicTest/1/00008.pgm"));
    ASSERT_EQ(-1, fer_unpack(&drawn, FOLDER "/tree", &error));
    ASSERT_STR_EQ(FOLDER "/tree: has `PrivateTest` in it, expected a new or empty folder", error.text);
    ASSERT_EQ(-1, fer_unpack(&drawn, FOLDER "/none/tree", &error));
    ASSERT_EQ(0, strncmp(error.text, FOLDER "/none/tree: the folder cannot be made: ", strlen(FOLDER) + 38));
    fer_dataset_free(&back);
    fer_dataset_free(&drawn);
    remove_tree(FOLDER "/tree");
    PASS();
}

/* A class folder that cannot be made: its path would be longer than FER_PATH, while DIR itself has room. */
TEST failed_unpacking_leaves_nothing(void)
{
    static const size_t counts[FER_USAGES] = {1, 0, 0};
    static char path[FER_PATH] = FOLDER "/deep";
    struct fer_dataset drawn;
    size_t length = strlen(path), made;
    ASSERT_EQ(0, fer_dataset_draw(&drawn, 3, counts, &error));
    fer_make_folder(path, NULL);
    while (length < FER_PATH - 14) { /* "/./././." is the same folder by a longer name */
        path[length++] = '/';
        path[length++] = '.';
    }
    path[length] = 0;
    ASSERT_EQ(-1, fer_unpack(&drawn, path, &error));
    fer_dataset_free(&drawn);
    made = (size_t)fer_is_folder(FOLDER "/deep/Training");
    remove_tree(FOLDER "/deep");
    ASSERT_EQ(0, made);
    PASS();
}

static int note_name(void *context, const char *name, struct fer_error *e)
{
    char *list = context;
    const size_t length = strlen(list);
    snprintf(list + length, 100 - length, "%s ", name);
    return strcmp(name, "stop") == 0 ? fer_fail(e, "stopped") - 6 : 0;
}

TEST folders_are_listed_in_order_of_bytes(void)
{
    char list[100] = "";
    ASSERT_EQ(0, fer_make_folder(FOLDER "/list", &error));
    ASSERT_EQ(0, fer_make_folder(FOLDER "/list", &error)); /* one that exists will do */
    ASSERT_EQ(0, fer_make_folder(FOLDER "/list/b", &error));
    write_bytes(FOLDER "/list/a", "", 0);
    write_bytes(FOLDER "/list/.c", "", 0);
    write_bytes(FOLDER "/list/\xc3\xa4", "", 0);
    write_bytes(FOLDER "/list/A", "", 0);
    ASSERT_EQ(0, fer_list_folder(FOLDER "/list", note_name, list, &error));
    ASSERT_STR_EQ(".c A a b \xc3\xa4 ", list);
    write_bytes(FOLDER "/list/stop", "", 0);
    list[0] = 0;
    ASSERT_EQ(-7, fer_list_folder(FOLDER "/list", note_name, list, &error));
    ASSERT_STR_EQ(".c A a b stop ", list);
    ASSERT(fer_is_folder(FOLDER "/list") && !fer_is_folder(FOLDER "/list/a") && !fer_is_folder(FOLDER "/none"));
    ASSERT(!fer_is_file(FOLDER "/list") && fer_is_file(FOLDER "/list/a") && !fer_is_file(FOLDER "/none"));
    ASSERT_EQ(-1, fer_make_folder(FOLDER "/list/a", &error));
    ASSERT_EQ(-1, fer_list_folder(FOLDER "/none", note_name, list, &error));
    remove_tree(FOLDER "/list");
    PASS();
}

#endif

SUITE(suite_faces)
{
    SET_SETUP(make_folder, NULL);
    SET_TEARDOWN(remove_folder, NULL);
    RUN_TEST(philox_gives_the_published_answers);
    RUN_TEST(draws_are_words_of_blocks);
    RUN_TEST(shuffle_is_the_written_permutation);
    csv_tests();
    RUN_TESTp(usages_are_read_in_other_words, "val", FER_PRIVATE_TEST);
    RUN_TESTp(usages_are_read_in_other_words, "Validation", FER_PRIVATE_TEST);
    RUN_TESTp(usages_are_read_in_other_words, "training", FER_PUBLIC_TEST);
    RUN_TEST(gzip_is_unpacked);
    RUN_TEST(gzip_headers_are_passed_over);
    RUN_TEST(names_are_known_in_their_common_forms);
    RUN_TEST(csv_of_many_rows_is_read);
    RUN_TEST(csv_that_is_not_there);
    RUN_TEST(ferplus_labels_are_joined);
    RUN_TEST(bad_ferplus_labels_are_refused);
    pgm_tests();
    RUN_TEST(pgm_is_scaled_as_pillow_scales);
    RUN_TEST(pgm_comes_back);
#ifndef FER_PURE_C99
    RUN_TEST(tree_is_read_in_order);
    RUN_TEST(trees_are_read_as_people_have_them);
    RUN_TEST(odd_trees_are_read);
    RUN_TEST(what_a_tree_has_besides_is_named);
    RUN_TEST(tree_is_refused);
    RUN_TEST(unpacked_images_come_back);
    RUN_TEST(failed_unpacking_leaves_nothing);
    RUN_TEST(folders_are_listed_in_order_of_bytes);
#endif
    RUN_TEST(images_are_scaled_as_pillow_scales);
    RUN_TEST(images_are_scaled_by_the_rule);
    RUN_TEST(batch_holds_the_chosen_images);
    RUN_TEST(images_of_a_usage_are_found_wherever_they_stand);
    RUN_TEST(notes_end_their_lines);
    RUN_TEST(digest_is_of_what_the_header_says);
    RUN_TEST(drawn_faces_are_the_same_everywhere);
    RUN_TEST(drawn_faces_hang_on_seed_and_number);
    RUN_TEST(files_are_replaced);
}
