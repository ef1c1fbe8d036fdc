/* tree.c - faces as folders of images: DIR/USAGE/CLASS/NAME, as people have them.
 *
 * The order of the images is that of usage, then of the folders that are of this usage, then class code, then folder
 * name (a tree may have both `3` and `happy`), then file name, whatever order the system lists them in.
 *
 * DIR may be a level or two above (DIR/images/train/...). Without folders of a usage, DIR/CLASS/NAME, all images are
 * Training. What is passed over is counted, and named in the notes: nobody shall miss images without knowing. Names
 * that begin with a dot are not looked at. */
#include "data.h"

#include <string.h>

enum { DEEPEST = 4, NAMED = 10 };

struct tree {
    struct fer_growing set;
    int usage, label;
    int test;                  /* the usage that `test` stands for */
    int split;                 /* there are folders of a usage */
    size_t skipped, folders, jpegs; /* passed over: all, and folders and JPEG images among them */
    char named[1024];          /* the first of them */
    char jpeg[8], csv[FER_PATH]; /* how a JPEG's name ends; a CSV that was passed over */
    char path[FER_PATH];       /* what the user gave */
    char root[FER_PATH], usage_folder[FER_PATH], class_folder[FER_PATH], file[FER_PATH];
};

/* ---- What a name is ---- */

/* Hidden, or a twin of the files that macOS puts into a zip. */
static int is_hidden(const char *name)
{
    return name[0] == '.' || strcmp(name, "__MACOSX") == 0;
}

/* Whether a name ends in one of these, in any case. Returns where the ending begins, behind the dot; or NULL. */
static const char *ending(const char *name, const char *const *list, int count)
{
    const char *dot = strrchr(name, '.');
    return dot && fer_find_word(dot + 1, list, count) >= 0 ? dot + 1 : NULL;
}

static const char *const image_endings[] = {"pgm", "png"}, *const jpeg_endings[] = {"jpg", "jpeg"},
                  *const csv_endings[] = {"csv"};

/* ---- What is passed over ---- */

/* A JPEG image that stands beside the PNG that was made of it. */
static int is_converted(struct tree *t, const char *folder, const char *name)
{
    char png[FER_PATH];
    const size_t stem = (size_t)(strrchr(name, '.') - name);
    if (stem + 5 > sizeof png) return 0;
    memcpy(png, name, stem);
    memcpy(png + stem, ".png", 5);
    return fer_join_path(t->file, folder, png, NULL) == 0 && fer_is_file(t->file);
}

static int pass_over(struct tree *t, const char *folder, const char *name, struct fer_error *e)
{
    const char *jpeg = ending(name, jpeg_endings, 2), *below = folder + strlen(t->path);
    const size_t length = strlen(t->named);
    int is_folder;
    if (jpeg && is_converted(t, folder, name)) return 0;
    if (jpeg && t->jpegs++ == 0) snprintf(t->jpeg, sizeof t->jpeg, "%s", jpeg);
    if (fer_join_path(t->file, folder, name, e)) return -1;
    is_folder = fer_is_folder(t->file);
    t->folders += (size_t)is_folder;
    if (!*t->csv && ending(name, csv_endings, 1)) memcpy(t->csv, t->file, sizeof t->csv);
    if (t->skipped++ < NAMED)
        snprintf(t->named + length, sizeof t->named - length, "%s%.40s%s%.40s%s", length ? ", " : "",
                 *below ? below + 1 : "", *below ? "/" : "", name, is_folder ? "/" : "");
    return 0;
}

/* ---- Reading ---- */

static int read_image(void *context, const char *name, struct fer_error *e)
{
    struct tree *t = context;
    int height, width;
    uint8_t *pixels;
    if (is_hidden(name)) return 0;
    if (!ending(name, image_endings, 2)) return pass_over(t, t->class_folder, name, e);
    if (fer_join_path(t->file, t->class_folder, name, e)) return -1;
    if (!fer_is_file(t->file)) return fer_fail(e, "%s: cannot be opened, expected a plain file", t->file);
    if (fer_image_read(t->file, &height, &width, &pixels, e)) return -1;
    if (fer_dataset_reserve(&t->set, (size_t)height * (size_t)width, e)) {
        fer_free(pixels);
        return -1;
    }
    memcpy(t->set.data->pixels + t->set.data->pixel_count, pixels, (size_t)height * (size_t)width);
    fer_dataset_append(&t->set, height, width, t->label, t->usage);
    fer_free(pixels);
    return 0;
}

/* Lists the folder if it is one of class t->label. */
static int read_class(void *context, const char *name, struct fer_error *e)
{
    struct tree *t = context;
    if (is_hidden(name) || fer_class_named(name) != t->label) return 0;
    if (fer_join_path(t->class_folder, t->usage_folder, name, e)) return -1;
    return fer_is_folder(t->class_folder) ? fer_list_folder(t->class_folder, read_image, t, e) : 0;
}

/* A folder of another name is refused: its images would be missing. */
static int check_class(void *context, const char *name, struct fer_error *e)
{
    struct tree *t = context;
    if (is_hidden(name)) return 0;
    if (fer_join_path(t->class_folder, t->usage_folder, name, e)) return -1;
    if (!fer_is_folder(t->class_folder)) return pass_over(t, t->usage_folder, name, e);
    if (fer_class_named(name) >= 0) return 0;
    return fer_fail(e, "%s: no class of this name, expected 0 ... 6 or angry, disgust, fear, happy, sad, surprise, "
                    "neutral", t->class_folder);
}

/* The classes in t->usage_folder. */
static int read_classes(struct tree *t, struct fer_error *e)
{
    if (fer_list_folder(t->usage_folder, check_class, t, e)) return -1;
    for (t->label = 0; t->label < FER_CLASSES; t->label++)
        if (fer_list_folder(t->usage_folder, read_class, t, e)) return -1;
    return 0;
}

/* The usage of a folder in the root, or -1. */
static int usage_of(const struct tree *t, const char *name)
{
    const int usage = fer_usage_named(name);
    return usage == FER_TEST ? t->test : usage;
}

/* Reads the folder if it is one of usage t->usage. */
static int read_usage(void *context, const char *name, struct fer_error *e)
{
    struct tree *t = context;
    if (is_hidden(name) || usage_of(t, name) != t->usage) return 0;
    if (fer_join_path(t->usage_folder, t->root, name, e)) return -1;
    return fer_is_folder(t->usage_folder) ? read_classes(t, e) : 0;
}

static int pass_over_others(void *context, const char *name, struct fer_error *e)
{
    struct tree *t = context;
    if (is_hidden(name)) return 0;
    if (fer_join_path(t->file, t->root, name, e)) return -1;
    return usage_of(t, name) >= 0 && fer_is_folder(t->file) ? 0 : pass_over(t, t->root, name, e);
}

/* ---- Which folder is the root, and what is in it ---- */

struct survey {
    struct tree *t;
    int usages[FER_USAGES + 1]; /* folders of each, FER_TEST behind the others */
    int classes, others;
    char other[FER_PATH]; /* one that is neither; `images` if there is one */
};

static int survey_entry(void *context, const char *name, struct fer_error *e)
{
    struct survey *s = context;
    const int usage = fer_usage_named(name);
    if (is_hidden(name)) return 0;
    if (fer_join_path(s->t->file, s->t->root, name, e)) return -1;
    if (!fer_is_folder(s->t->file)) return 0;
    if (usage >= 0)
        s->usages[usage]++;
    else if (fer_class_named(name) >= 0)
        s->classes++;
    else if (s->others++ == 0 || strcmp(name, "images") == 0)
        snprintf(s->other, sizeof s->other, "%s", name);
    return 0;
}

static int pass_over_siblings(void *context, const char *name, struct fer_error *e)
{
    struct survey *s = context;
    return is_hidden(name) || strcmp(name, s->other) == 0 ? 0 : pass_over(s->t, s->t->root, name, e);
}

/* Goes down as long as there is one way only. */
static int find_root(struct tree *t, struct survey *s, struct fer_error *e)
{
    int depth;
    for (depth = 0;; depth++) {
        memset(s, 0, sizeof *s);
        s->t = t;
        if (fer_list_folder(t->root, survey_entry, s, e)) return -1;
        t->split = s->usages[0] + s->usages[1] + s->usages[2] + s->usages[3] > 0;
        if (t->split || s->classes || depth == DEEPEST) return 0;
        if (s->others != 1 && strcmp(s->other, "images") != 0) return 0;
        if (fer_list_folder(t->root, pass_over_siblings, s, e) || fer_join_path(t->file, t->root, s->other, e))
            return -1;
        memcpy(t->root, t->file, sizeof t->root);
    }
}

static int read_split(struct tree *t, const struct survey *s, struct fer_error *e)
{
    t->test = s->usages[FER_PUBLIC_TEST] ? FER_PRIVATE_TEST : FER_PUBLIC_TEST;
    if (s->usages[FER_TEST] && t->test == FER_PUBLIC_TEST)
        fer_dataset_note(t->set.data, "the folder `test` is taken as PublicTest, there being no validation folder");
    for (t->usage = 0; t->usage < FER_USAGES; t->usage++)
        if (fer_list_folder(t->root, read_usage, t, e)) return -1;
    return fer_list_folder(t->root, pass_over_others, t, e);
}

static int read_unsplit(struct tree *t, struct fer_error *e)
{
    t->usage = FER_TRAINING;
    memcpy(t->usage_folder, t->root, sizeof t->usage_folder);
    if (read_classes(t, e)) return -1;
    fer_dataset_note(t->set.data, "no folders of a split such as Training and PublicTest: all images are Training");
    return 0;
}

/* ---- What is said in the end ---- */

static void note_skipped(struct tree *t)
{
    char conversion[FER_PATH + 64] = "";
    if (t->jpegs)
        snprintf(conversion, sizeof conversion, "; `mogrify -format png %.*s%s.%s` converts JPEG", FER_PATH, t->root,
                 t->split ? "/*/*/*" : "/*/*", t->jpeg);
    if (t->skipped)
        fer_dataset_note(t->set.data, "passed over: %zu %s, expected .pgm or .png: %s%s%s", t->skipped,
                         t->skipped == 1 ? t->folders ? "folder" : "file" : t->folders ? "files and folders" : "files",
                         t->named, t->skipped > NAMED ? ", ..." : "", conversion);
}

static int refuse_empty(struct tree *t, const char *path, struct fer_error *e)
{
    if (t->jpegs)
        return fer_fail(e, "%s: no image that fer reads, but %zu JPEG: `mogrify -format png %s%s.%s` converts them",
                        path, t->jpegs, t->root, t->split ? "/*/*/*" : "/*/*", t->jpeg);
    return fer_fail(e, "%s: no image, expected %s/Training/3/NAME.pgm and the like%s%s", path, path,
                    *t->csv ? ", or a CSV: " : "", t->csv);
}

int fer_tree_read(struct fer_dataset *data, const char *path, struct fer_error *e)
{
    struct tree *t = fer_allocate(1, sizeof *t, e);
    struct survey *s = fer_allocate(1, sizeof *s, e);
    int result = t && s ? 0 : -1;
    size_t length;
    if (result == 0) {
        t->set.data = data;
        snprintf(t->path, sizeof t->path, "%s", path);
        for (length = strlen(t->path); length > 1 && t->path[length - 1] == '/'; length--) t->path[length - 1] = 0;
        memcpy(t->root, t->path, sizeof t->root);
        result = find_root(t, s, e);
    }
    if (result == 0) {
        if (t->split)
            result = read_split(t, s, e);
        else
            result = s->classes ? read_unsplit(t, e) : fer_list_folder(t->root, pass_over_others, t, e);
    }
    if (result == 0 && data->count == 0) result = refuse_empty(t, path, e);
    if (result == 0) {
        note_skipped(t);
        fer_dataset_shrink(&t->set);
    } else
        fer_dataset_free(data);
    fer_free(s);
    fer_free(t);
    return result;
}
