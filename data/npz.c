/* npz.c - reads npz files, which are zip files of npy files; and lone npy files, as an npz of one array without a name.
 *
 * A zip file (APPNOTE.TXT 6.3.10) is: for each entry a local header, its name and its bytes; then the directory, which
 * lists the entries again, with the place of their local headers; then the end record, which says where the directory
 * is. Numbers are little-endian. Where 16 or 32 bits are too few they are filled with ones, and the number stands in
 * 64 bits in a zip64 record: in an extra field of an entry's header, or in a second end record before the end record.
 *
 * Nothing in the file is trusted: opening checks that all parts lie inside the file and none overlaps another, and that
 * every array has as many bytes as its shape needs. So a caller who allocates what `count` says allocates no more than
 * the file can hold (deflated: 1032 times the file). One array at a time is read, through a small buffer.
 *
 * As with numpy.load, an array that cannot be read (texts, another packing) is no fault of those beside it: whoever
 * asks for it, and nobody else, is told why. */
#include "data.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { STORED = 0, DEFLATED = 8 }; /* zip's compression methods that are read */

struct entry {
    struct fer_array array; /* stays first: a pointer to it is a pointer to the entry */
    char *name;             /* the memory of array.name */
    int suffix;             /* bytes of the name in the file that array.name lacks: 4 of .npy, or none */
    char *refusal;          /* why it cannot be read; NULL: it can */
    struct fer_layout layout;
    uint64_t offset;       /* of its local header */
    uint64_t start;        /* of its bytes */
    uint64_t packed, size; /* how many they are, in the file and inflated */
    uint32_t crc;
    unsigned method;
    size_t header; /* bytes before the values, inflated */
    int checked;   /* its CRC has been found right: it is not computed again */
};

struct fer_npz {
    FILE *file;
    char *path;
    uint64_t bytes; /* of the whole file */
    int is_zip;     /* else a lone npy file: there is no CRC */
    int opened;     /* by_name is there */
    struct entry *entry;
    size_t count, room;
    struct entry **by_name;      /* in strcmp's order */
    struct fer_inflate *inflate; /* NULL until a deflated entry is read */
    uint64_t left;               /* of the entry being read: its bytes in the file that have not been read */
    uint32_t crc;                /* of the inflated bytes so far */
    unsigned char buffer[ZIP_FULL16 + ZIP_END_BYTES];
};

static unsigned get2(const unsigned char *p)
{
    return (unsigned)fer_value_bits(p, 2, 0);
}

static uint32_t get4(const unsigned char *p)
{
    return (uint32_t)fer_value_bits(p, 4, 0);
}

static uint64_t get8(const unsigned char *p)
{
    return fer_value_bits(p, 8, 0);
}

int fer_npz_fail(const struct fer_npz *npz, const struct fer_array *array, struct fer_error *e, const char *format, ...)
{
    const char *name = array ? array->name : "";
    char reason[400];
    va_list arguments;
    if (array && npz->opened) { /* the caller's may be a copy */
        const struct entry *entry = (const struct entry *)(const void *)fer_npz_find(npz, name);
        if (entry && entry->refusal) return fer_fail(e, "%s", entry->refusal);
    }
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return fer_fail(e, "%s: %.100s%s%s", npz->path, name, *name ? ": " : "", reason);
}

/* ---- the file ---- */

static int seek(struct fer_npz *npz, uint64_t at, struct fer_error *e)
{
    if (at <= LONG_MAX && fseek(npz->file, (long)at, SEEK_SET) == 0) return 0;
    return fer_fail(e, "%s: cannot be read: %s", npz->path, strerror(errno));
}

static int read_bytes(struct fer_npz *npz, void *bytes, size_t count, struct fer_error *e)
{
    if (fread(bytes, 1, count, npz->file) == count) return 0;
    if (ferror(npz->file)) return fer_fail(e, "%s: cannot be read: %s", npz->path, strerror(errno));
    return fer_fail(e, "%s: it ends early; it has become shorter while it was read", npz->path);
}

/* C99 measures a file in a long. Where that has 32 bits, files over 2 GiB are refused here. */
static int measure(struct fer_npz *npz, struct fer_error *e)
{
    long bytes;
    if (fseek(npz->file, 0, SEEK_END) || (bytes = ftell(npz->file)) < 0)
        return fer_fail(e, "%s: its size cannot be found: %s; a file was expected, no pipe", npz->path,
                        strerror(errno));
    npz->bytes = (uint64_t)bytes;
    return seek(npz, 0, e);
}

/* ---- the zip directory ---- */

struct directory {
    uint64_t offset, size, count;
    uint64_t end; /* where it must end: the place of the end record, or of the zip64 end record */
};

static int multi_disk(const struct fer_npz *npz, struct fer_error *e)
{
    return fer_fail(e, "%s: it is one part of a zip file over several disks; a whole file was expected", npz->path);
}

/* The zip64 end record; locator[20] stood before the end record. */
static int read_end64(struct fer_npz *npz, const unsigned char *locator, struct directory *d, struct fer_error *e)
{
    unsigned char p[ZIP_END64_BYTES];
    const uint64_t at = get8(locator + 8), locator_at = d->end - ZIP_LOCATOR_BYTES;
    if (at >= locator_at || locator_at - at < ZIP_END64_BYTES)
        return fer_fail(e, "%s: damaged zip file: its zip64 end record is not before its locator", npz->path);
    if (seek(npz, at, e) || read_bytes(npz, p, sizeof p, e)) return -1;
    if (get4(p) != ZIP_END64 || get8(p + 4) != locator_at - at - 12)
        return fer_fail(e, "%s: damaged zip file: its zip64 end record is not where its locator says", npz->path);
    if (get4(locator + 4) || get4(locator + 16) > 1 || get4(p + 16) || get4(p + 20) || get8(p + 24) != get8(p + 32))
        return multi_disk(npz, e);
    d->count = get8(p + 32);
    d->size = get8(p + 40);
    d->offset = get8(p + 48);
    d->end = at;
    return 0;
}

/* p: the end record, which stands at `end`. A locator before it is followed even when no number here is full, since
 * Python's zipfile writes one from 2 GiB on. */
static int read_end(struct fer_npz *npz, const unsigned char *p, uint64_t end, struct directory *d, struct fer_error *e)
{
    unsigned char locator[ZIP_LOCATOR_BYTES];
    const unsigned disk = get2(p + 4) | get2(p + 6), count_here = get2(p + 8);
    d->count = get2(p + 10);
    d->size = get4(p + 12);
    d->offset = get4(p + 16);
    d->end = end;
    if (end >= ZIP_LOCATOR_BYTES) {
        if (seek(npz, end - ZIP_LOCATOR_BYTES, e) || read_bytes(npz, locator, sizeof locator, e)) return -1;
        if (get4(locator) == ZIP_LOCATOR) return read_end64(npz, locator, d, e);
    }
    return disk || count_here != d->count ? multi_disk(npz, e) : 0;
}

/* Fails: no zip file, or a part of one. */
static int refuse_file(struct fer_npz *npz, struct fer_error *e)
{
    const size_t head = npz->bytes < 300 ? (size_t)npz->bytes : 300;
    const char *kind;
    if (seek(npz, 0, e) || read_bytes(npz, npz->buffer, head, e)) return -1;
    kind = head >= 2 && memcmp(npz->buffer, "PK", 2) == 0 ? NULL : fer_foreign_kind(npz->buffer, head);
    if (kind) return fer_fail(e, "%s: is no npy or npz file, but %s", npz->path, kind);
    return fer_fail(e, "%s: neither an npy file nor a whole npz file (no zip end record)", npz->path);
}

/* The end record is the last thing in the file, but for a comment of up to 65535 bytes, whose length it knows. Where no
 * length is right, bytes have come behind a whole file: the last end record is taken, as Python does. */
static int find_directory(struct fer_npz *npz, struct directory *d, struct fer_error *e)
{
    const size_t tail = npz->bytes < sizeof npz->buffer ? (size_t)npz->bytes : sizeof npz->buffer;
    const unsigned char *p = npz->buffer;
    size_t at, last = 0;
    if (seek(npz, npz->bytes - tail, e) || read_bytes(npz, npz->buffer, tail, e)) return -1;
    for (at = tail < ZIP_END_BYTES ? 0 : tail - ZIP_END_BYTES + 1; at > 0; at--)
        if (get4(p + at - 1) == ZIP_END) {
            if (get2(p + at + 19) == tail - ZIP_END_BYTES - (at - 1)) break;
            if (!last) last = at;
        }
    if (at == 0) at = last;
    if (at == 0) return refuse_file(npz, e);
    if (read_end(npz, p + at - 1, npz->bytes - tail + at - 1, d, e)) return -1;
    if (d->size > d->end || d->offset != d->end - d->size)
        return fer_fail(e, "%s: damaged zip file: its directory does not end where its end record begins", npz->path);
    return 0;
}

/* A new entry at the end of the list, all zero but for its name. */
static struct entry *add_entry(struct fer_npz *npz, const void *name, size_t length, struct fer_error *e)
{
    struct entry *entry = fer_grow(npz->entry, &npz->room, npz->count + 1, sizeof *entry);
    char *copy = fer_copy_text(name, length, "");
    if (entry) npz->entry = entry;
    if (!copy || !entry) {
        free(copy);
        fer_fail(e, "%s: out of memory for its directory", npz->path);
        return NULL;
    }
    entry += npz->count++;
    memset(entry, 0, sizeof *entry);
    entry->name = copy;
    entry->array.name = copy;
    return entry;
}

/* What did not fit into the header stands in the extra field 1: size, packed size, offset, as far as they are full. */
static int take_zip64(const struct fer_npz *npz, struct entry *entry, const unsigned char *extra, size_t length,
                      struct fer_error *e)
{
    uint64_t *const number[3] = {&entry->size, &entry->packed, &entry->offset};
    size_t i, bytes, used = 0;
    for (; length >= 4; extra += 4 + bytes, length -= 4 + bytes) {
        bytes = get2(extra + 2);
        if (bytes > length - 4)
            return fer_npz_fail(npz, &entry->array, e, "damaged zip file: an extra field is cut off");
        if (get2(extra) == 1) break;
    }
    if (length < 4) return 0;
    for (i = 0; i < 3; i++) {
        if (*number[i] != ZIP_FULL32) continue;
        if (bytes < used + 8)
            return fer_npz_fail(npz, &entry->array, e, "damaged zip file: its zip64 field is too short");
        *number[i] = get8(extra + 4 + used);
        used += 8;
    }
    return 0;
}

/* Keeps the reason for whoever asks for the array. */
static int refuse(const struct fer_npz *npz, struct entry *entry, const struct fer_error *reason, struct fer_error *e)
{
    entry->array.dims = 0;
    entry->array.count = 0;
    entry->refusal = fer_copy_text(reason->text, strlen(reason->text), "");
    return entry->refusal ? 0 : fer_fail(e, "%s: out of memory for opening it", npz->path);
}

static int check_packing(const struct fer_npz *npz, struct entry *entry, unsigned flags, struct fer_error *e)
{
    const unsigned long long packed = entry->packed, size = entry->size;
    struct fer_error reason;
    if (flags & 1) {
        fer_npz_fail(npz, &entry->array, &reason, "it is encrypted; plain data were expected");
        return refuse(npz, entry, &reason, e);
    }
    if (entry->method != STORED && entry->method != DEFLATED) {
        fer_npz_fail(npz, &entry->array, &reason, "it is packed by method %u; 0 (stored) or 8 (deflated) was expected",
                     entry->method);
        return refuse(npz, entry, &reason, e);
    }
    if ((entry->method == STORED && packed != size) || size / FER_MOST_INFLATED > packed)
        return fer_npz_fail(npz, &entry->array, e, "damaged zip file: %llu bytes in the file cannot hold %llu bytes",
                            packed, size);
    return 0;
}

/* The entry whose header p and name (in the buffer) have just been read; the extra field is next. */
static int take_entry(struct fer_npz *npz, const unsigned char *p, size_t length, size_t extra, struct fer_error *e)
{
    const int suffix = length >= 4 && memcmp(npz->buffer + length - 4, ".npy", 4) == 0 ? 4 : 0;
    struct entry *entry = add_entry(npz, npz->buffer, length -= (size_t)suffix, e);
    if (!entry) return -1;
    entry->suffix = suffix;
    if (strlen(entry->name) != length) return fer_npz_fail(npz, &entry->array, e, "its name holds a zero byte");
    entry->method = get2(p + 10);
    entry->crc = get4(p + 16);
    entry->packed = get4(p + 20);
    entry->size = get4(p + 24);
    entry->offset = get4(p + 42);
    if (get2(p + 34)) return multi_disk(npz, e);
    if (read_bytes(npz, npz->buffer, extra, e) || take_zip64(npz, entry, npz->buffer, extra, e)) return -1;
    return check_packing(npz, entry, get2(p + 8), e);
}

/* Lists what the directory lists. */
static int read_directory(struct fer_npz *npz, const struct directory *d, struct fer_error *e)
{
    unsigned char p[ZIP_CENTRAL_BYTES];
    uint64_t i, left = d->size;
    size_t name, extra, comment;
    if (seek(npz, d->offset, e)) return -1;
    for (i = 0; i < d->count; i++) {
        if (left < sizeof p) return fer_fail(e, "%s: damaged zip file: its directory is cut off", npz->path);
        if (read_bytes(npz, p, sizeof p, e)) return -1;
        name = get2(p + 28);
        extra = get2(p + 30);
        comment = get2(p + 32);
        if (get4(p) != ZIP_CENTRAL || left - sizeof p < name + extra + comment)
            return fer_fail(e, "%s: damaged zip file: its directory is not one", npz->path);
        left -= sizeof p + name + extra + comment;
        if (read_bytes(npz, npz->buffer, name, e)) return -1;
        if (take_entry(npz, p, name, extra, e) || read_bytes(npz, npz->buffer, comment, e)) return -1;
    }
    return left ? fer_fail(e, "%s: damaged zip file: its directory goes on after its last entry", npz->path) : 0;
}

/* ---- where the entries are ---- */

/* Finds the first byte behind the local header, whose name must be the directory's. */
static int find_start(struct fer_npz *npz, struct entry *entry, const struct directory *d, struct fer_error *e)
{
    unsigned char p[ZIP_LOCAL_BYTES];
    const size_t length = strlen(entry->name);
    size_t name = 0;
    if (entry->offset <= d->offset && d->offset - entry->offset >= ZIP_LOCAL_BYTES) {
        if (seek(npz, entry->offset, e) || read_bytes(npz, p, sizeof p, e)) return -1;
        name = get2(p + 26);
        entry->start = entry->offset + ZIP_LOCAL_BYTES + name + get2(p + 28);
    }
    if (name != length + (size_t)entry->suffix || get4(p) != ZIP_LOCAL || entry->start > d->offset)
        return fer_npz_fail(npz, &entry->array, e, "damaged zip file: it does not begin where the directory says");
    if (read_bytes(npz, npz->buffer, name, e)) return -1;
    if (memcmp(npz->buffer, entry->name, length) != 0 ||
        memcmp(npz->buffer + length, ".npy", (size_t)entry->suffix) != 0)
        return fer_npz_fail(npz, &entry->array, e, "damaged zip file: it has another name where it begins");
    if (entry->packed > d->offset - entry->start)
        return fer_npz_fail(npz, &entry->array, e, "damaged zip file: it reaches into the directory");
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;
    return ((*x)->offset > (*y)->offset) - ((*x)->offset < (*y)->offset);
}

static int by_name(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Finds every entry's bytes, none on another's. */
static int check_places(struct fer_npz *npz, const struct directory *d, struct fer_error *e)
{
    struct entry **list = malloc((npz->count + 1) * sizeof *list);
    size_t i;
    if (!list) return fer_fail(e, "%s: out of memory for its directory", npz->path);
    npz->by_name = list;
    for (i = 0; i < npz->count; i++) {
        list[i] = &npz->entry[i];
        if (find_start(npz, list[i], d, e)) return -1;
    }
    qsort(list, npz->count, sizeof *list, by_offset);
    for (i = 1; i < npz->count; i++)
        if (list[i - 1]->start + list[i - 1]->packed > list[i]->offset)
            return fer_npz_fail(npz, &list[i]->array, e, "damaged zip file: it begins inside %.100s",
                                list[i - 1]->name);
    return 0;
}

/* Sorts the names, none of which may stand twice. */
static int sort_names(struct fer_npz *npz, struct fer_error *e)
{
    struct entry **list = npz->by_name;
    size_t i;
    for (i = 0; i < npz->count; i++) list[i] = &npz->entry[i];
    qsort(list, npz->count, sizeof *list, by_name);
    for (i = 1; i < npz->count; i++)
        if (strcmp(list[i - 1]->name, list[i]->name) == 0)
            return fer_npz_fail(npz, &list[i]->array, e, "the name stands twice");
    return 0;
}

/* ---- an entry's bytes, one after the other, inflated ---- */

/* The next bytes of the entry as they are in the file, up to `count`; a fer_source. */
static size_t next_bytes(void *context, unsigned char *bytes, size_t count)
{
    struct fer_npz *npz = context;
    if (count > npz->left) count = (size_t)npz->left;
    count = fread(bytes, 1, count, npz->file);
    npz->left -= count;
    return count;
}

static int stream_begin(struct fer_npz *npz, const struct entry *entry, struct fer_error *e)
{
    npz->left = entry->packed;
    npz->crc = 0;
    if (entry->method == DEFLATED) {
        if (!npz->inflate && !(npz->inflate = fer_inflate_create()))
            return fer_npz_fail(npz, &entry->array, e, "out of memory for inflating it");
        fer_inflate_start(npz->inflate, next_bytes, npz);
    }
    return seek(npz, entry->start, e);
}

/* Exactly `count` bytes, which the entry has by the directory. */
static int stream_read(struct fer_npz *npz, const struct entry *entry, unsigned char *bytes, size_t count,
                       struct fer_error *e)
{
    const char *wrong = NULL;
    if (entry->method == DEFLATED)
        wrong = fer_inflate_read(npz->inflate, bytes, count);
    else if (next_bytes(npz, bytes, count) < count)
        wrong = "they end early";
    if (ferror(npz->file)) return fer_fail(e, "%s: cannot be read: %s", npz->path, strerror(errno));
    if (wrong)
        return fer_npz_fail(npz, &entry->array, e, "its %s bytes are damaged: %s",
                            entry->method == DEFLATED ? "deflated" : "stored", wrong);
    if (!entry->checked) npz->crc = fer_crc32(npz->crc, bytes, count);
    return 0;
}

static int stream_end(struct fer_npz *npz, struct entry *entry, struct fer_error *e)
{
    const char *wrong = entry->method == DEFLATED ? fer_inflate_end(npz->inflate) : NULL;
    if (wrong) return fer_npz_fail(npz, &entry->array, e, "its deflated bytes are damaged: %s", wrong);
    if (npz->is_zip && !entry->checked && npz->crc != entry->crc)
        return fer_npz_fail(npz, &entry->array, e, "its bytes are damaged: their CRC is %08lx; %08lx was expected",
                            (unsigned long)npz->crc, (unsigned long)entry->crc);
    entry->checked = 1;
    return 0;
}

/* ---- arrays ---- */

/* Magic, version and length. Leaves the number of bytes read in *before. */
static int read_length(struct fer_npz *npz, const struct entry *entry, size_t *before, size_t *length,
                       struct fer_error *e)
{
    unsigned char p[12];
    const unsigned long long size = entry->size;
    if (size < sizeof p) return fer_npz_fail(npz, &entry->array, e, "%llu bytes are too few for an npy file", size);
    if (stream_begin(npz, entry, e) || stream_read(npz, entry, p, 8, e)) return -1;
    if (memcmp(p, FER_NPY_MAGIC, 6) != 0)
        return fer_npz_fail(npz, &entry->array, e, "not an npy file: it does not begin with \\x93NUMPY");
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return fer_npz_fail(npz, &entry->array, e, "npy version %d.%d; 1.0, 2.0 or 3.0 was expected", p[6], p[7]);
    *before = p[6] == 1 ? 10 : 12;
    if (stream_read(npz, entry, p + 8, *before - 8, e)) return -1;
    *length = p[6] == 1 ? get2(p + 8) : get4(p + 8);
    if (*length > FER_NPY_LIMIT || *length > entry->size - *before)
        return fer_npz_fail(npz, &entry->array, e,
                            "an npy header of %zu bytes; at most %d, and of %llu in all, was expected", *length,
                            FER_NPY_LIMIT, size);
    return 0;
}

/* Whether a lone npy file goes on with another one: np.save puts several into one file, np.load takes the first. */
static int is_followed(struct fer_npz *npz, const struct entry *entry, uint64_t values)
{
    unsigned char magic[6];
    return !npz->is_zip && !seek(npz, entry->header + values, NULL) && !read_bytes(npz, magic, sizeof magic, NULL) &&
           memcmp(magic, FER_NPY_MAGIC, sizeof magic) == 0;
}

static int read_header(struct fer_npz *npz, struct entry *entry, struct fer_error *e)
{
    struct fer_error reason;
    size_t before = 0, length = 0;
    char *text = (char *)npz->buffer;
    unsigned long long values, needed;
    if (read_length(npz, entry, &before, &length, e) || stream_read(npz, entry, npz->buffer, length, e)) return -1;
    text[length] = '\0';
    if (strlen(text) != length) return fer_npz_fail(npz, &entry->array, e, "bad npy header: it holds a zero byte");
    if (fer_npy_parse(text, &entry->array, &entry->layout, &reason))
        return fer_npz_fail(npz, &entry->array, e, "%s", reason.text);
    entry->header = before + length;
    values = entry->size - entry->header;
    needed = (unsigned long long)entry->array.count * fer_type_size(entry->array.type);
    if (values != needed && !(values > needed && is_followed(npz, entry, needed)))
        return fer_npz_fail(npz, &entry->array, e, "its values have %llu bytes; its shape and type need %llu", values,
                            needed);
    return 0;
}

/* Whether an entry is an npy file though its name does not say so (some writers leave .npy out). */
static int begins_as_npy(struct fer_npz *npz, const struct entry *entry)
{
    unsigned char magic[6];
    return !entry->refusal && entry->size >= sizeof magic && !stream_begin(npz, entry, NULL) &&
           !stream_read(npz, entry, magic, sizeof magic, NULL) && memcmp(magic, FER_NPY_MAGIC, sizeof magic) == 0;
}

/* Leaves the npy files in the list. What is none by name or content is passed over. */
static int read_headers(struct fer_npz *npz, struct fer_error *e)
{
    struct fer_error reason;
    struct entry *entry;
    size_t i, kept = 0;
    for (i = 0; i < npz->count; i++) {
        entry = &npz->entry[i];
        if (!entry->suffix && !begins_as_npy(npz, entry)) {
            free(entry->name);
            free(entry->refusal);
            entry->name = entry->refusal = NULL;
        } else if (!entry->refusal && read_header(npz, entry, &reason) && refuse(npz, entry, &reason, e))
            return -1;
    }
    for (i = 0; i < npz->count; i++)
        if (npz->entry[i].name) npz->entry[kept++] = npz->entry[i];
    npz->count = kept;
    return 0;
}

/* Fortran order: the place in C order of the value after the one at `place`, whose index this moves on. */
static size_t next_place(const struct fer_array *array, size_t *index, size_t place)
{
    size_t stride = array->count;
    int i;
    for (i = 0; i < array->dims; i++) {
        stride /= array->shape[i];
        place += stride;
        if (++index[i] < array->shape[i]) return place;
        place -= stride * array->shape[i];
        index[i] = 0;
    }
    return place;
}

/* All values to one of two places; the other is NULL. */
static int read_values(struct fer_npz *npz, const struct fer_array *array, real *reals, double *doubles,
                       struct fer_error *e)
{
    struct entry *entry = npz->entry + ((const struct entry *)(const void *)array - npz->entry);
    const size_t size = fer_type_size(array->type), room = sizeof npz->buffer / size;
    const int plain = reals && array->type == FER_F4 && !entry->layout.big_endian && !entry->layout.fortran_order;
    size_t i, n, left, place = 0, index[FER_MAX_DIMS] = {0};
    uint64_t bits;
    if (entry->refusal) return fer_fail(e, "%s", entry->refusal);
    if (stream_begin(npz, entry, e) || stream_read(npz, entry, npz->buffer, entry->header, e)) return -1;
    for (left = array->count; left; left -= n) {
        n = left < room ? left : room;
        if (stream_read(npz, entry, npz->buffer, n * size, e)) return -1;
        if (plain) fer_floats_real(npz->buffer, n, reals + array->count - left);
        for (i = 0; i < n && !plain; i++) {
            bits = fer_value_bits(npz->buffer + i * size, size, entry->layout.big_endian);
            if (reals)
                reals[place] = fer_value_real(array->type, bits);
            else
                doubles[place] = fer_value_double(array->type, bits);
            place = entry->layout.fortran_order ? next_place(array, index, place) : place + 1;
        }
    }
    return stream_end(npz, entry, e);
}

int fer_npz_read(struct fer_npz *npz, const struct fer_array *array, real *values, struct fer_error *e)
{
    return read_values(npz, array, values, NULL, e);
}

int fer_npz_read_double(struct fer_npz *npz, const struct fer_array *array, double *values, struct fer_error *e)
{
    return read_values(npz, array, NULL, values, e);
}

/* ---- opening and closing ---- */

static int open_npy(struct fer_npz *npz, struct fer_error *e)
{
    struct entry *entry = add_entry(npz, "", 0, e);
    if (!entry) return -1;
    if (!(npz->by_name = malloc(sizeof *npz->by_name)))
        return fer_fail(e, "%s: out of memory for opening it", npz->path);
    npz->by_name[0] = entry;
    entry->method = STORED;
    entry->packed = entry->size = npz->bytes;
    return read_header(npz, entry, e);
}

static int open_zip(struct fer_npz *npz, struct fer_error *e)
{
    struct directory d = {0, 0, 0, 0};
    npz->is_zip = 1;
    if (find_directory(npz, &d, e) || read_directory(npz, &d, e) || check_places(npz, &d, e)) return -1;
    return read_headers(npz, e) || sort_names(npz, e) ? -1 : 0;
}

static int open_file(struct fer_npz *npz, struct fer_error *e)
{
    char magic[6] = {0};
    if (measure(npz, e)) return -1;
    if (npz->bytes >= sizeof magic && read_bytes(npz, magic, sizeof magic, e)) return -1;
    return memcmp(magic, FER_NPY_MAGIC, 6) == 0 ? open_npy(npz, e) : open_zip(npz, e);
}

int fer_npz_open_file(struct fer_npz **npz, FILE *file, const char *path, struct fer_error *e)
{
    struct fer_npz *new = calloc(1, sizeof *new);
    *npz = NULL;
    if (!new || !(new->path = fer_copy_text(path, strlen(path), ""))) {
        free(new);
        fclose(file);
        return fer_fail(e, "%s: out of memory for opening it", path);
    }
    new->file = file;
    if (open_file(new, e)) {
        fer_npz_close(new);
        return -1;
    }
    new->opened = 1;
    *npz = new;
    return 0;
}

int fer_npz_of_shapes(struct fer_npz **npz, const struct fer_array *array, size_t count, const char *path,
                      struct fer_error *e)
{
    struct fer_npz *new = calloc(1, sizeof *new);
    struct entry *entry;
    size_t i;
    int failed = !new || !(new->path = fer_copy_text(path, strlen(path), "")) ||
                 !(new->by_name = malloc((count + 1) * sizeof *new->by_name));
    if (failed) fer_fail(e, "%s: out of memory", path);
    for (i = 0; i < count && !failed; i++) {
        failed = !(entry = add_entry(new, array[i].name, strlen(array[i].name), e));
        if (failed) break;
        entry->array = array[i];
        entry->array.name = entry->name;
    }
    failed = failed || sort_names(new, e);
    if (failed) fer_npz_close(new);
    *npz = failed ? NULL : new;
    if (!failed) new->opened = 1;
    return failed ? -1 : 0;
}

int fer_npz_open(struct fer_npz **npz, const char *path, struct fer_error *e)
{
    FILE *file = fopen(path, "rb");
    *npz = NULL;
    if (!file) return fer_fail(e, "%s: cannot be opened: %s", path, strerror(errno));
    return fer_npz_open_file(npz, file, path, e);
}

void fer_npz_close(struct fer_npz *npz)
{
    size_t i;
    if (!npz) return;
    for (i = 0; i < npz->count; i++) {
        free(npz->entry[i].name);
        free(npz->entry[i].refusal);
    }
    free(npz->entry);
    free(npz->by_name);
    fer_inflate_free(npz->inflate);
    if (npz->file) fclose(npz->file);
    free(npz->path);
    free(npz);
}

size_t fer_npz_count(const struct fer_npz *npz)
{
    return npz->count;
}

const struct fer_array *fer_npz_at(const struct fer_npz *npz, size_t i)
{
    return &npz->entry[i].array;
}

size_t fer_npz_unused(const struct fer_npz *npz, const unsigned char *used, char names[512])
{
    size_t i, at = 0, unused = 0;
    *names = 0;
    for (i = 0; i < npz->count; i++)
        if (!used[i] && unused++ < 10)
            at += (size_t)snprintf(names + at, 512 - at, at ? ", %.40s" : "%.40s", npz->entry[i].array.name);
    if (unused > 10) snprintf(names + at, 512 - at, ", ...");
    fer_make_printable(names);
    return unused;
}

const struct fer_array *fer_npz_find(const struct fer_npz *npz, const char *name)
{
    size_t low = 0, high = npz->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(npz->by_name[middle]->name, name);
        if (order == 0) return &npz->by_name[middle]->array;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
