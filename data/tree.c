/* tree.c - faces as folders of PGM files: DIR/USAGE/CLASS/NAME.pgm, read and written.
 *
 * The order of the images is that of usage, then class code, then folder name (a tree may have both `3` and `happy`),
 * then file name, whatever order the system lists them in. */
#include "data.h"

#include <errno.h>
#include <string.h>

/* ---- Reading ---- */

struct tree {
    struct fer_growing set;
    int usage, label;
    char usage_folder[FER_PATH], class_folder[FER_PATH], file[FER_PATH];
};

/* The class that a folder's name stands for, or -1. */
static int class_of(const char *name)
{
    if (name[0] >= '0' && name[0] < '0' + FER_CLASSES && name[1] == 0) return name[0] - '0';
    return fer_find_word(name, fer_class_names, FER_CLASSES);
}

static int read_image(void *context, const char *name, struct fer_error *e)
{
    struct tree *t = context;
    const size_t length = strlen(name);
    int height, width;
    uint8_t *pixels;
    if (name[0] == '.' || length < 4 || strcmp(name + length - 4, ".pgm") != 0) return 0;
    if (fer_join_path(t->file, t->class_folder, name, e)) return -1;
    if (!fer_is_file(t->file)) return fer_fail(e, "%s: cannot be opened, expected a plain file", t->file);
    if (fer_pgm_read(t->file, &height, &width, &pixels, e)) return -1;
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
    if (name[0] == '.' || class_of(name) != t->label) return 0;
    if (fer_join_path(t->class_folder, t->usage_folder, name, e)) return -1;
    return fer_is_folder(t->class_folder) ? fer_list_folder(t->class_folder, read_image, t, e) : 0;
}

/* A folder of another name is refused: else its images would be missing, and nobody would know. */
static int check_class(void *context, const char *name, struct fer_error *e)
{
    struct tree *t = context;
    if (name[0] == '.' || class_of(name) >= 0) return 0;
    if (fer_join_path(t->class_folder, t->usage_folder, name, e)) return -1;
    if (!fer_is_folder(t->class_folder)) return 0;
    return fer_fail(e, "%s: no class of this name, expected 0 ... 6 or angry, disgust, fear, happy, sad, surprise, "
                    "neutral", t->class_folder);
}

static int read_usage(struct tree *t, const char *root, struct fer_error *e)
{
    if (fer_join_path(t->usage_folder, root, fer_usage_names[t->usage], e)) return -1;
    if (!fer_is_folder(t->usage_folder)) return 0;
    if (fer_list_folder(t->usage_folder, check_class, t, e)) return -1;
    for (t->label = 0; t->label < FER_CLASSES; t->label++)
        if (fer_list_folder(t->usage_folder, read_class, t, e)) return -1;
    return 0;
}

int fer_tree_read(struct fer_dataset *data, const char *path, struct fer_error *e)
{
    struct tree *t = fer_allocate(1, sizeof *t, e);
    int result = 0;
    if (!t) return -1;
    t->set.data = data;
    for (t->usage = 0; t->usage < FER_USAGES && result == 0; t->usage++) result = read_usage(t, path, e);
    if (result == 0 && data->count == 0)
        result = fer_fail(e, "%s: no image, expected %s/Training/3/NAME.pgm and the like", path, path);
    if (result == 0) fer_dataset_shrink(&t->set);
    else fer_dataset_free(data);
    fer_free(t);
    return result;
}

/* ---- Writing ---- */

struct unpacked {
    const struct fer_dataset *data;
    const char *root;
    int new_root;                           /* the folder was not there before */
    int made[FER_USAGES][1 + FER_CLASSES];  /* the folder of the usage, and those of its classes */
    char folder[FER_PATH], file[FER_PATH];
};

/* folder = ROOT/USAGE, or ROOT/USAGE/CLASS with label >= 0. */
static int name_folder(struct unpacked *u, int usage, int label, struct fer_error *e)
{
    const char code[2] = {(char)('0' + label), 0};
    if (fer_join_path(u->folder, u->root, fer_usage_names[usage], e)) return -1;
    if (label < 0) return 0;
    memcpy(u->file, u->folder, sizeof u->folder);
    return fer_join_path(u->folder, u->file, code, e);
}

/* file = ROOT/USAGE/CLASS/NNNNN.pgm */
static int name_file(struct unpacked *u, const struct fer_image *image, size_t number, struct fer_error *e)
{
    char name[32];
    snprintf(name, sizeof name, "%05lu.pgm", (unsigned long)number);
    if (name_folder(u, image->usage, image->label, e)) return -1;
    return fer_join_path(u->file, u->folder, name, e);
}

static int make_folder(struct unpacked *u, int usage, int label, struct fer_error *e)
{
    if (u->made[usage][1 + label]) return 0;
    if (name_folder(u, usage, label, e) || fer_make_folder(u->folder, e)) return -1;
    u->made[usage][1 + label] = 1;
    return 0;
}

/* After a failure: removes the first `count` images and the folders. */
static void undo(struct unpacked *u, size_t count)
{
    size_t i, number[FER_USAGES] = {0};
    int usage, label;
    for (i = 0; i < count; i++) {
        const struct fer_image *image = &u->data->image[i];
        if (name_file(u, image, number[image->usage]++, NULL) == 0) remove(u->file);
    }
    for (usage = 0; usage < FER_USAGES; usage++)
        for (label = FER_CLASSES - 1; label >= -1; label--)
            if (u->made[usage][1 + label] && name_folder(u, usage, label, NULL) == 0) fer_remove_folder(u->folder);
    if (u->new_root) fer_remove_folder(u->root);
}

static int write_images(struct unpacked *u, struct fer_error *e)
{
    size_t i, number[FER_USAGES] = {0};
    for (i = 0; i < u->data->count; i++) {
        const struct fer_image *image = &u->data->image[i];
        if (make_folder(u, image->usage, -1, e) || make_folder(u, image->usage, image->label, e) ||
            name_file(u, image, number[image->usage]++, e) ||
            fer_pgm_write(u->file, image->height, image->width, u->data->pixels + image->offset, e)) {
            undo(u, i);
            return -1;
        }
    }
    return 0;
}

static int refuse_entry(void *context, const char *name, struct fer_error *e)
{
    const struct unpacked *u = context;
    return fer_fail(e, "%s: has `%s` in it, expected a new or empty folder", u->root, name);
}

int fer_unpack(const struct fer_dataset *data, const char *dir, struct fer_error *e)
{
    struct unpacked *u = fer_allocate(1, sizeof *u, e);
    int result;
    if (!u) return -1;
    u->data = data;
    u->root = dir;
    u->new_root = !fer_is_folder(dir);
    result = u->new_root ? fer_make_folder(dir, e) : fer_list_folder(dir, refuse_entry, u, e);
    if (result == 0) result = write_images(u, e);
    fer_free(u);
    return result;
}
