/* ferplus.c - better labels for FER2013: FER+'s fer2013new.csv, in which ten people vote on each image.
 *
 *     Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF
 *     Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0
 *
 * It has a row for each of fer2013.csv, in the same order, and no pixels. Within each usage the rows of both are joined
 * by their order, so that data without PrivateTest can be joined too. A row's class is the column with the most votes,
 * of several the first. Rows whose column is contempt, unknown, NF (no face), or that have no votes, are dropped. */
#include "data.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE, VOTES = 1, COLUMNS = 11, DROPPED = 255, LINE = 512, MAX_FIELDS = 64 };
static const char *const names[COLUMNS] = {"Usage", "neutral", "happiness", "surprise", "sadness", "anger",
                                           "disgust", "fear", "contempt", "unknown", "NF"};

/* The labels of a usage, in order. */
struct labels {
    unsigned char *label; /* 0 ... 6 or DROPPED */
    size_t count, room;
};

struct reader {
    FILE *file;
    const char *path;
    unsigned long line;
    struct fer_error *e;
    int field[COLUMNS]; /* where each column stands */
    int fields;
    struct labels of[FER_USAGES];
};

static int fail(struct reader *r, const char *format, ...) FER_PRINTF(2, 3);
static int fail(struct reader *r, const char *format, ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return fer_fail(r->e, "%s:%lu: %s", r->path, r->line, reason);
}

/* The next line's fields, in place. Returns how many; 0: an empty line; -1: the end, or something is wrong. */
static int read_line(struct reader *r, char line[LINE], char *field[MAX_FIELDS])
{
    int count = 0;
    size_t length;
    if (!fgets(line, LINE, r->file)) {
        if (ferror(r->file)) fail(r, "the file cannot be read: %s", strerror(errno));
        return -1;
    }
    r->line++;
    length = strlen(line);
    if (length == LINE - 1) return fail(r, "a line of more than %d bytes, expected those of fer2013new.csv", LINE - 2);
    while (length && strchr("\r\n ", line[length - 1])) line[--length] = 0;
    if (length == 0) return 0;
    for (field[count++] = line; *line; line++)
        if (*line == ',') {
            if (count == MAX_FIELDS) return fail(r, "more than %d fields, expected twelve", MAX_FIELDS);
            *line = 0;
            field[count++] = line + 1;
        }
    return count;
}

static int read_header(struct reader *r)
{
    static const char expected[] = "expected FER+'s fer2013new.csv, which begins Usage,Image name,neutral,happiness";
    char line[LINE], *field[MAX_FIELDS];
    int i, k;
    r->e->text[0] = 0;
    r->fields = read_line(r, line, field);
    if (r->fields < 1) return r->e->text[0] ? -1 : fer_fail(r->e, "%s: is empty, %s", r->path, expected);
    if (strncmp(field[0], "\xef\xbb\xbf", 3) == 0) field[0] += 3;
    for (k = 0; k < COLUMNS; k++) r->field[k] = -1;
    for (i = 0; i < r->fields; i++) {
        k = fer_find_word(field[i], names, COLUMNS);
        if (k >= 0) r->field[k] = i;
    }
    for (k = 0; k < COLUMNS; k++)
        if (r->field[k] < 0) return fail(r, "no column `%s`, %s", names[k], expected);
    return 0;
}

/* The class of the column with the most votes, or DROPPED. */
static int count_votes(struct reader *r, char **field, unsigned char *label)
{
    static const unsigned char classes[COLUMNS - VOTES] = {6, 3, 5, 4, 0, 1, 2, DROPPED, DROPPED, DROPPED};
    long most = 0;
    int k;
    *label = DROPPED;
    for (k = VOTES; k < COLUMNS; k++) {
        char *end, *text = field[r->field[k]];
        const long votes = strtol(text, &end, 10);
        if (end == text || *end || votes < 0)
            return fail(r, "%s is \"%.20s\", expected a number of votes", names[k], text);
        if (votes > most) {
            most = votes;
            *label = classes[k - VOTES];
        }
    }
    return 0;
}

static int keep(struct reader *r, int usage, unsigned char label)
{
    struct labels *of = &r->of[usage];
    unsigned char *more = fer_grow(of->label, &of->room, of->count + 1, 1);
    if (!more) return fer_fail(r->e, "%s: out of memory for its labels", r->path);
    of->label = more;
    of->label[of->count++] = label;
    return 0;
}

static int read_rows(struct reader *r)
{
    char line[LINE], *field[MAX_FIELDS];
    int fields, usage;
    unsigned char label;
    while ((fields = read_line(r, line, field)) >= 0) {
        if (fields == 0) continue;
        if (fields != r->fields) return fail(r, "%d fields, expected %d as in the header", fields, r->fields);
        usage = fer_usage_named(field[r->field[USAGE]]);
        if (usage < 0 || usage == FER_TEST)
            return fail(r, "Usage is \"%.20s\", expected Training, PublicTest or PrivateTest", field[r->field[USAGE]]);
        if (count_votes(r, field, &label) || keep(r, usage, label)) return -1;
    }
    return r->e->text[0] ? -1 : 0;
}

/* As many labels as images, of each usage that the data have. */
static int check_counts(const struct reader *r, const struct fer_dataset *data)
{
    int usage;
    for (usage = 0; usage < FER_USAGES; usage++)
        if (data->usage_count[usage] && data->usage_count[usage] != r->of[usage].count)
            return fer_fail(r->e, "%s: %zu rows of %s, and %s has %zu: expected one for each, in the same order",
                            r->path, r->of[usage].count, fer_usage_names[usage], data->source,
                            data->usage_count[usage]);
    return 0;
}

/* Gives the labels to the images, and takes out those that have none. */
static void join(const struct reader *r, struct fer_dataset *data)
{
    size_t next[FER_USAGES] = {0}, i, kept = 0, changed = 0;
    const size_t count = data->count;
    for (i = 0; i < count; i++) {
        struct fer_image *image = &data->image[i];
        const unsigned char label = r->of[image->usage].label[next[image->usage]++];
        if (label == DROPPED) {
            data->usage_count[image->usage]--;
            continue;
        }
        changed += image->label != label;
        image->label = label;
        data->image[kept++] = *image;
    }
    data->count = kept;
    fer_dataset_note(data, "labels of %.100s: %zu of %zu rows changed class, %zu were dropped", r->path, changed, count,
                     count - kept);
    if (kept > 1000 && changed > kept / 10 * 6)
        fer_dataset_note(data, "more than 60 %% of the classes changed: are the rows in the order of the labels?");
}

int fer_dataset_relabel(struct fer_dataset *data, const char *path, struct fer_error *e)
{
    struct reader *r = fer_allocate(1, sizeof *r, e);
    struct fer_error own;
    int usage, failed;
    if (!r) return -1;
    r->path = path;
    r->e = e ? e : &own;
    r->file = fopen(path, "rb");
    failed = !r->file ? fer_fail(r->e, "%s: cannot be opened: %s", path, strerror(errno))
                      : read_header(r) || read_rows(r) || check_counts(r, data);
    if (!failed) join(r, data);
    if (!failed && data->count == 0) failed = fer_fail(r->e, "%s: all rows are dropped", path);
    if (r->file) fclose(r->file);
    for (usage = 0; usage < FER_USAGES; usage++) free(r->of[usage].label);
    fer_free(r);
    return failed ? -1 : 0;
}
