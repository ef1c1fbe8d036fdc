/* file.c - files that appear whole or not at all.
 *
 * All goes to PATH.part, which takes PATH's place when it is whole and on the disk: whenever the power fails, PATH is
 * the old file or the new one. */
#include "data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES ((size_t)1 << 30)

int fer_file_exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

int fer_file_bytes(const char *path, unsigned char **bytes, size_t *count, struct fer_error *e)
{
    FILE *file = fopen(path, "rb");
    size_t room = 0, got = 1;
    int result = 0;
    *bytes = NULL;
    *count = 0;
    if (!file) return fer_fail(e, "%s: cannot be opened: %s", path, strerror(errno));
    while (result == 0 && got) {
        if (*count + 1 >= room) {
            unsigned char *more = room < MOST_BYTES ? realloc(*bytes, room = room ? 2 * room : 8192) : NULL;
            if (!more) {
                result = fer_fail(e, "%s: too large, expected at most %lu MB", path, (unsigned long)(room >> 20));
                break;
            }
            *bytes = more;
        }
        got = fread(*bytes + *count, 1, room - *count - 1, file);
        *count += got;
        (*bytes)[*count] = 0;
    }
    if (result == 0 && ferror(file)) result = fer_fail(e, "%s: cannot be read: %s", path, strerror(errno));
    fclose(file);
    return result;
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

static int commit(FILE *file, int flush, const char *path, struct fer_error *e)
{
    char part[FER_PATH];
    const int failed = flush ? fer_close_written(file) : ferror(file) | fclose(file);
    name_part(part, path);
    if (!failed && (flush ? fer_replace_file(part, path) : rename(part, path)) == 0) return 0;
    fer_fail(e, "%s: cannot be written: %s", path, strerror(errno));
    remove(part);
    return -1;
}

int fer_file_commit(void *file, const char *path, struct fer_error *e)
{
    return commit(file, 1, path, e);
}

int fer_file_commit_hastily(void *file, const char *path, struct fer_error *e)
{
    return commit(file, 0, path, e);
}

void fer_file_abandon(FILE *file, const char *path)
{
    char part[FER_PATH];
    name_part(part, path);
    fclose(file);
    remove(part);
}

int fer_file_copy(const char *from, const char *to, struct fer_error *e)
{
    FILE *in, *out;
    char bytes[4096];
    size_t got;
    if (fer_is_same_file(from, to)) return 0;
    if (fer_file_apart(to, from, e)) return -1; /* PATH.part */
    in = fopen(from, "rb");
    if (!in) return fer_fail(e, "%s: cannot be read: %s", from, strerror(errno));
    if (!(out = fer_file_create(to, e))) return fclose(in), -1;
    /* a failed write shows at the commit */
    while ((got = fread(bytes, 1, sizeof bytes, in)) > 0) fwrite(bytes, 1, got, out);
    if (ferror(in)) {
        fclose(in);
        fer_file_abandon(out, to);
        return fer_fail(e, "%s: cannot be read: %s", from, strerror(errno));
    }
    fclose(in);
    return fer_file_commit(out, to, e);
}

int fer_folder_lock(struct fer_folder_lock *l, const char *folder, struct fer_error *e)
{
    char process[40] = "another process";
    long holder;
    int taken;
    if (fer_join_path(l->path, folder, "lock", e)) return -1;
    snprintf(l->folder, sizeof l->folder, "%s", folder);
    l->made = !fer_is_folder(folder);
    if (fer_make_folder(folder, e)) return -1;
    taken = fer_lock_take(&l->lock, l->path, &holder);
    if (taken == 0) return 0;
    if (taken < 0) return fer_fail(e, "%s: cannot be written: %s", l->path, strerror(errno));
    if (holder > 0) snprintf(process, sizeof process, "process %ld", holder);
    return fer_fail(e, "%s: %s is training in it; wait for its end, or stop it, or take another folder (--out)", folder,
                    process);
}

void fer_folder_unlock(struct fer_folder_lock *l)
{
    fer_lock_give(l->lock, l->path);
    if (l->made) fer_remove_folder(l->folder);
}
