/* file.c - files that appear whole or not at all.
 *
 * All goes to PATH.part, which takes PATH's place when it is whole and on the disk: whenever the power fails, PATH is
 * the old file or the new one. */
#include "data.h"

#include <errno.h>
#include <string.h>

int fer_file_exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

/* fer_file_create has seen that the path is short enough. */
static void name_part(char part[FER_PATH], const char *path)
{
    snprintf(part, FER_PATH, "%s.part", path);
}

void *fer_file_create(const char *path, struct fer_error *e)
{
    char part[FER_PATH];
    FILE *file;
    if (strlen(path) + sizeof ".part" > sizeof part) return fer_fail(e, "%s: the path is too long", path), NULL;
    if (fer_is_folder(path) || fer_is_device(path))
        return fer_fail(e, "%s: is a folder or a device; a file was expected, or a name that is free", path), NULL;
    name_part(part, path);
    file = fopen(part, "wb");
    if (!file) fer_fail(e, "%s: cannot be written: %s", part, strerror(errno));
    return file;
}

/* PATH.part counts too: it is overwritten on the way. */
int fer_file_apart(const char *out, const char *in, struct fer_error *e)
{
    char part[FER_PATH];
    const char *taken;
    if (!in || !*in) return 0;
    name_part(part, out);
    taken = fer_is_same_file(out, in) ? out : fer_is_same_file(part, in) ? part : NULL;
    return taken ? fer_fail(e, "%s: is an input too; expected another file for the output", taken) : 0;
}

int fer_close_written(FILE *file)
{
    const int failed = fflush(file) || ferror(file) || fer_flush_to_disk(file);
    return fclose(file) || failed ? -1 : 0;
}

int fer_file_commit(void *file, const char *path, struct fer_error *e)
{
    char part[FER_PATH];
    name_part(part, path);
    if (fer_close_written(file) == 0 && fer_replace_file(part, path) == 0) return 0;
    fer_fail(e, "%s: cannot be written: %s", path, strerror(errno));
    remove(part);
    return -1;
}

void fer_file_abandon(FILE *file, const char *path)
{
    char part[FER_PATH];
    name_part(part, path);
    fclose(file);
    remove(part);
}
