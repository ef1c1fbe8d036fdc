/* npz_write.c - writes npz files; npz.c says how a zip file is made.
 *
 * Arrays are stored, not deflated, little-endian and in C order; zip64 is used only where a number needs it. Nothing
 * in the file depends on the time or the machine, so the same arrays give the same bytes. It appears whole or not at
 * all (file.c). */
#include "data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 20, VERSION64 = 45 };         /* of APPNOTE.TXT, times ten, that a reader must know */
enum { UTF8 = 1 << 11 };                       /* flag: the name is UTF-8 */
enum { MIDNIGHT = 0, FIRST_DAY = 1 << 5 | 1 }; /* every entry's time: 1980-01-01 0:00, the first that zip knows */

struct entry {
    char *name; /* with .npy */
    uint64_t offset, size;
    uint32_t crc;
};

struct fer_npz_writer {
    FILE *file; /* of fer_file_create. NULL after a failure: it is gone, and nothing more is written */
    char *path;
    uint64_t written; /* bytes so far */
    struct entry *entry;
    size_t count, room;
    int hasty; /* does not wait for the disk */
};

int fer_npz_create(struct fer_npz_writer **writer, const char *path, struct fer_error *e)
{
    struct fer_npz_writer *new = calloc(1, sizeof *new);
    *writer = NULL;
    if (!new || !(new->path = fer_copy_text(path, strlen(path), ""))) {
        fer_npz_abandon(new);
        return fer_fail(e, "%s: out of memory for writing it", path);
    }
    if (!(new->file = fer_file_create(path, e))) {
        fer_npz_abandon(new);
        return -1;
    }
    *writer = new;
    return 0;
}

/* Gives up the file. */
static int give_up(struct fer_npz_writer *writer)
{
    if (writer->file) fer_file_abandon(writer->file, writer->path);
    writer->file = NULL;
    return -1;
}

void fer_npz_abandon(struct fer_npz_writer *writer)
{
    size_t i;
    if (!writer) return;
    give_up(writer);
    for (i = 0; i < writer->count; i++) free(writer->entry[i].name);
    free(writer->entry);
    free(writer->path);
    free(writer);
}

/* ---- bytes ---- */

/* Appends the `bytes` lowest bytes of a number; returns what is behind them. */
static unsigned char *put(unsigned char *p, uint64_t number, int bytes)
{
    for (; bytes; bytes--, number >>= 8) *p++ = (unsigned char)(number & 255);
    return p;
}

static int write_bytes(struct fer_npz_writer *writer, const void *bytes, size_t count, struct fer_error *e)
{
    if (fwrite(bytes, 1, count, writer->file) != count)
        return fer_fail(e, "%s: cannot be written: %s", writer->path, strerror(errno));
    writer->written += count;
    return 0;
}

/* ---- an entry ---- */

static uint64_t full_or(uint64_t number, uint64_t full)
{
    return number < full ? number : full;
}

/* The zip64 field: size, packed size and, in the directory, the offset, as far as they need it. Returns its end. */
static unsigned char *put_zip64(unsigned char *p, const struct entry *entry, int in_directory)
{
    unsigned char *const start = p;
    p += 4;
    if (entry->size >= ZIP_FULL32) p = put(put(p, entry->size, 8), entry->size, 8);
    if (in_directory && entry->offset >= ZIP_FULL32) p = put(p, entry->offset, 8);
    if (p == start + 4) return start;
    put(put(start, 1, 2), (uint64_t)(p - start - 4), 2);
    return p;
}

/* The part that the local header and the directory have in common. */
static unsigned char *put_header(unsigned char *p, const struct entry *entry, size_t extra)
{
    const char *c = entry->name;
    while (*c && (unsigned char)*c < 128) c++;
    p = put(p, extra ? VERSION64 : VERSION, 2);
    p = put(p, *c ? UTF8 : 0, 2);
    p = put(p, 0, 2); /* method: stored */
    p = put(put(p, MIDNIGHT, 2), FIRST_DAY, 2);
    p = put(p, entry->crc, 4);
    p = put(p, full_or(entry->size, ZIP_FULL32), 4); /* packed */
    p = put(p, full_or(entry->size, ZIP_FULL32), 4); /* inflated */
    return put(put(p, strlen(entry->name), 2), extra, 2);
}

static int write_local(struct fer_npz_writer *writer, const struct entry *entry, struct fer_error *e)
{
    unsigned char header[ZIP_LOCAL_BYTES], extra[32];
    const size_t extra_length = (size_t)(put_zip64(extra, entry, 0) - extra);
    put_header(put(header, ZIP_LOCAL, 4), entry, extra_length);
    if (write_bytes(writer, header, sizeof header, e) || write_bytes(writer, entry->name, strlen(entry->name), e))
        return -1;
    return write_bytes(writer, extra, extra_length, e);
}

static int write_central(struct fer_npz_writer *writer, const struct entry *entry, struct fer_error *e)
{
    unsigned char header[ZIP_CENTRAL_BYTES], extra[32], *p;
    const size_t extra_length = (size_t)(put_zip64(extra, entry, 1) - extra);
    p = put(put(header, ZIP_CENTRAL, 4), VERSION64, 2); /* made by */
    p = put_header(p, entry, extra_length);
    p = put(put(p, 0, 2), 0, 2); /* no comment; disk 0 */
    p = put(put(p, 0, 2), 0, 4); /* attributes */
    put(p, full_or(entry->offset, ZIP_FULL32), 4);
    if (write_bytes(writer, header, sizeof header, e) || write_bytes(writer, entry->name, strlen(entry->name), e))
        return -1;
    return write_bytes(writer, extra, extra_length, e);
}

static int write_values(struct fer_npz_writer *writer, const void *values, size_t size, size_t count,
                        struct fer_error *e)
{
    unsigned char bytes[8192];
    const unsigned char *in = values;
    size_t n;
    for (; count; count -= n, in += n * size) {
        n = count < sizeof bytes / size ? count : sizeof bytes / size;
        fer_little_endian(bytes, in, size, n);
        if (write_bytes(writer, bytes, n * size, e)) return -1;
    }
    return 0;
}

/* A new entry, which begins here. */
static struct entry *add_entry(struct fer_npz_writer *writer, const char *name)
{
    struct entry *entry = fer_grow(writer->entry, &writer->room, writer->count + 1, sizeof *entry);
    if (!entry) return NULL;
    writer->entry = entry;
    entry += writer->count;
    entry->offset = writer->written;
    if (!(entry->name = fer_copy_text(name, strlen(name), ".npy"))) return NULL;
    writer->count++;
    return entry;
}

static int check_array(const struct fer_npz_writer *writer, const char *name, enum fer_type type, int dims,
                       const size_t *shape, size_t *count, struct fer_error *e)
{
    struct fer_error reason;
    const size_t length = strlen(name), most = ZIP_FULL16 - 4;
    int failed = 0;
    if (type == FER_F2 || type == FER_BOOL)
        failed = fer_fail(&reason, "values of this type are not written");
    else if (dims < 0 || dims > FER_MAX_DIMS)
        failed = fer_fail(&reason, "%d dimensions; at most %d were expected", dims, FER_MAX_DIMS);
    else if (length > most)
        failed = fer_fail(&reason, "a name of %zu bytes; at most %zu were expected", length, most);
    else
        failed = fer_shape_count(dims, shape, count, &reason);
    return failed ? fer_fail(e, "%s: %.100s: %s", writer->path, name, reason.text) : 0;
}

static int write_array(struct fer_npz_writer *writer, const char *name, enum fer_type type, int dims,
                       const size_t *shape, const void *values, struct fer_error *e)
{
    unsigned char header[FER_NPY_ROOM];
    struct entry *entry;
    size_t count = 0, length;
    if (check_array(writer, name, type, dims, shape, &count, e)) return -1;
    if (!(entry = add_entry(writer, name))) return fer_fail(e, "%s: out of memory for its directory", writer->path);
    length = fer_npy_format(header, type, dims, shape);
    entry->size = length + (uint64_t)count * fer_type_size(type);
    entry->crc = fer_crc32_values(fer_crc32(0, header, length), values, fer_type_size(type), count);
    if (write_local(writer, entry, e) || write_bytes(writer, header, length, e)) return -1;
    return write_values(writer, values, fer_type_size(type), count, e);
}

int fer_npz_write(struct fer_npz_writer *writer, const char *name, enum fer_type type, int dims, const size_t *shape,
                  const void *values, struct fer_error *e)
{
    if (!writer->file) return fer_fail(e, "%s: writing it has failed before", writer->path);
    return write_array(writer, name, type, dims, shape, values, e) ? give_up(writer) : 0;
}

/* ---- the end ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A file with a name twice could not be read again. */
static int check_names(const struct fer_npz_writer *writer, struct fer_error *e)
{
    const char **name = malloc((writer->count + 1) * sizeof *name);
    size_t i;
    int failed = 0;
    if (!name) return fer_fail(e, "%s: out of memory for its directory", writer->path);
    for (i = 0; i < writer->count; i++) name[i] = writer->entry[i].name;
    qsort(name, writer->count, sizeof *name, by_name);
    for (i = 1; i < writer->count && !failed; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            failed = fer_fail(e, "%s: %.*s: the name has been written twice", writer->path,
                              (int)(strlen(name[i]) - 4 < 100 ? strlen(name[i]) - 4 : 100), name[i]);
    free(name);
    return failed;
}

/* The end record, with zip64's before it where a number is too large. */
static int write_end(struct fer_npz_writer *writer, uint64_t directory, struct fer_error *e)
{
    unsigned char bytes[ZIP_END64_BYTES + ZIP_LOCATOR_BYTES + ZIP_END_BYTES], *p = bytes;
    const uint64_t end = writer->written, size = end - directory, count = writer->count;
    if (count > ZIP_FULL16 || size >= ZIP_FULL32 || directory >= ZIP_FULL32) {
        p = put(put(p, ZIP_END64, 4), ZIP_END64_BYTES - 12, 8);
        p = put(put(p, VERSION64, 2), VERSION64, 2); /* made by; needed */
        p = put(put(p, 0, 4), 0, 4);                 /* disks */
        p = put(put(p, count, 8), count, 8);         /* on this disk; in all */
        p = put(put(p, size, 8), directory, 8);
        p = put(put(p, ZIP_LOCATOR, 4), 0, 4);
        p = put(put(p, end, 8), 1, 4); /* one disk */
    }
    p = put(put(put(p, ZIP_END, 4), 0, 2), 0, 2);
    p = put(put(p, full_or(count, ZIP_FULL16), 2), full_or(count, ZIP_FULL16), 2);
    p = put(put(p, full_or(size, ZIP_FULL32), 4), full_or(directory, ZIP_FULL32), 4);
    p = put(p, 0, 2); /* no comment */
    return write_bytes(writer, bytes, (size_t)(p - bytes), e);
}

static int write_directory(struct fer_npz_writer *writer, struct fer_error *e)
{
    const uint64_t directory = writer->written;
    size_t i;
    for (i = 0; i < writer->count; i++)
        if (write_central(writer, &writer->entry[i], e)) return -1;
    return write_end(writer, directory, e);
}

static int finish(struct fer_npz_writer *writer, struct fer_error *e)
{
    FILE *file = writer->file;
    if (!file) return fer_fail(e, "%s: writing it has failed before", writer->path);
    if (check_names(writer, e) || write_directory(writer, e)) return -1;
    writer->file = NULL;
    return (writer->hasty ? fer_file_commit_hastily : fer_file_commit)(file, writer->path, e);
}

int fer_npz_commit_hastily(struct fer_npz_writer *writer, struct fer_error *e)
{
    writer->hasty = 1;
    return fer_npz_commit(writer, e);
}

int fer_npz_commit(struct fer_npz_writer *writer, struct fer_error *e)
{
    const int failed = finish(writer, e);
    fer_npz_abandon(writer); /* removes the file, if it is still open */
    return failed;
}
