/* read.c - a set of faces from where a path leads: a FER2013 CSV, or a folder of images. */
#include "data.h"

#include <errno.h>
#include <string.h>

static int read_from(struct fer_dataset *data, const char *path, struct fer_error *e)
{
    FILE *file;
    int result;
    if (fer_is_folder(path)) return fer_tree_read(data, path, e);
    if (!(file = fopen(path, "rb")))
        return fer_fail(e, "%s: cannot be opened: %s; expected a FER2013 CSV or a folder", path, strerror(errno));
    result = fer_csv_read(data, file, path, e);
    fclose(file);
    return result;
}

int fer_dataset_read(struct fer_dataset *data, const char *path, struct fer_error *e)
{
    memset(data, 0, sizeof *data);
    snprintf(data->source, sizeof data->source, "%s", path);
    if (read_from(data, path, e)) return -1;
    if (!data->usage_count[FER_PUBLIC_TEST])
        fer_dataset_note(data, "no PublicTest images: there is nothing to validate on");
    return 0;
}
