/* unpack.c - writes faces as folders of PGM files: DIR/USAGE/CLASS/NNNNN.pgm, all of them or nothing. */
#include "data.h"

#include <stdio.h>
#include <string.h>

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
