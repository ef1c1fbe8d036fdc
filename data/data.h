/* data.h - what the files of data/ share among themselves; users need fer.h alone. */
#ifndef FER_DATA_H
#define FER_DATA_H

#include "../fer.h"

#include <stdio.h>

/* ---- memory (grow.c) ---- */

/* The array with room for `needed` elements of that size: itself, or moved to one of twice the room or more; freed by
 * free. NULL: out of memory, and the array is as it was. Memory follows what has been read, never what a file
 * claims. */
void *fer_grow(void *array, size_t *room, size_t needed, size_t size);
/* A copy of text[length], with another text behind it; freed by free. NULL: out of memory. */
char *fer_copy_text(const void *text, size_t length, const char *behind);

/* ---- files (file.c, platform.c) ---- */

int fer_is_file(const char *path);          /* 1 for a plain file (no folder, pipe or device); pure C99: always 1 */
int fer_is_device(const char *path);        /* 1 for what is neither plain file nor folder; pure C99: always 0 */
/* 1 when both lead to one file or folder, 0 also when one is not there; pure C99: when they are the same text */
int fer_is_same_file(const char *a, const char *b);
void fer_remove_folder(const char *path);   /* if it is empty; pure C99: does nothing */
int fer_flush_to_disk(FILE *file);          /* after fflush; 0 done; pure C99: 0 */
int fer_replace_file(const char *from, const char *to); /* atomically where the system can; never a device; 0 done */

/* Makes and locks the file `path`. 0: *lock is taken; 1: another program has it (*holder: its process, 0 unknown); -1:
 * errno says why not. The lock goes with the program, however it ends. Pure C99: always 0, there is no lock. */
int fer_lock_take(intptr_t *lock, const char *path, long *holder);
void fer_lock_give(intptr_t lock, const char *path); /* and removes the file */

/* A folder that one program at a time may write to: as long as its file `lock` is locked. */
struct fer_folder_lock {
    char folder[FER_PATH], path[FER_PATH];
    int made; /* the folder: it was not there */
    intptr_t lock;
};
/* Makes the folder when it is not there. */
int fer_folder_lock(struct fer_folder_lock *lock, const char *folder, struct fer_error *e);
/* A folder that was made, and into which nothing was written, is removed. */
void fer_folder_unlock(struct fer_folder_lock *lock);

/* The last part of a path, without slashes: "runs/first/" has "first". For people: what is too long is cut. */
void fer_path_name(char name[256], const char *path);
/* All bytes of a file, however it arrives, below 1 GB, and a zero byte behind them; freed by free. */
int fer_file_bytes(const char *path, unsigned char **bytes, size_t *count, struct fer_error *e);
/* Closes a file that was written, once all of it is on the disk. Returns 0, or -1 when some of it is not there. */
int fer_close_written(FILE *file);
/* fer_file_commit and fer_npz_commit that do not wait for the disk, to a name that is free: of what can be made
 * again. */
int fer_file_commit_hastily(void *file, const char *path, struct fer_error *e);
int fer_npz_commit_hastily(struct fer_npz_writer *writer, struct fer_error *e);
/* Gives up a file of fer_file_create: closes it and removes PATH.part. */
void fer_file_abandon(FILE *file, const char *path);

/* For the program alone, before OpenMP begins: waiting threads sleep (unless the user has said otherwise). */
void fer_wait_passively(char **argv);

/* ---- faces (names.c, dataset.c) ---- */

#define FER_FACE_SIDE 48        /* FER2013's images, and the drawn ones */
#define FER_MAX_SIDE 16384      /* no image is higher or wider: height * width fits into 32 bits */

/* Control characters become question marks: a name out of a file is shown on one line, and changes no terminal. */
void fer_make_printable(char *text);
/* The bytes of the character in UTF-8 (RFC 3629) that the text begins with, and its code; 0: they are none. */
int fer_utf8(const char *text, unsigned long *code);
/* The index of a word in a list, in upper or lower case; -1: it is not there. */
int fer_find_word(const char *word, const char *const *list, int count);
/* The class 0 ... 6 that a word stands for: its code, its name or a common form of it, in any case; -1: none. */
int fer_class_named(const char *word);
/* The usage that a word stands for ("train", "val"); FER_TEST: which of the two is not known yet; -1: none. */
int fer_usage_named(const char *word);
enum { FER_TEST = FER_USAGES };
/* Adds a line to data->notes, as far as there is room for it. */
void fer_dataset_note(struct fer_dataset *data, const char *format, ...) FER_PRINTF(2, 3);

/* A dataset that still grows. Memory follows what has really been read, never what a file claims. */
struct fer_growing {
    struct fer_dataset *data;
    size_t image_room, pixel_room; /* how many its arrays can hold */
};
/* Makes room for one more image of that many pixels; the pixels go to data->pixels + data->pixel_count. */
int fer_dataset_reserve(struct fer_growing *set, size_t pixels, struct fer_error *e);
/* Takes in the image whose pixels have been put there. */
void fer_dataset_append(struct fer_growing *set, int height, int width, int label, int usage);
/* Gives back the memory that was made ready and not needed. */
void fer_dataset_shrink(struct fer_growing *set);

/* The three sources of a dataset. On failure it is empty. */
int fer_csv_read(struct fer_dataset *data, FILE *file, const char *path, struct fer_error *e);
int fer_tree_read(struct fer_dataset *data, const char *path, struct fer_error *e);

/* What a file is that begins with these bytes (300 will do), and what to do with it: "a zip file: unpack it"; NULL:
 * nothing that is known. */
const char *fer_foreign_kind(const unsigned char *bytes, size_t count);
/* A PGM or PNG file that is in memory already; `path` is for the message. *pixels is freed by fer_free. */
int fer_pgm_parse(const char *path, const unsigned char *bytes, size_t count, int *height, int *width,
                  uint8_t **pixels, struct fer_error *e);
int fer_png_parse(const char *path, const unsigned char *bytes, size_t count, int *height, int *width,
                  uint8_t **pixels, struct fer_error *e);
#define FER_PNG_MAGIC "\x89PNG\r\n\x1a\n" /* how a PNG file begins */

/* ---- numbers as people read them (format.c) ---- */

void fer_format_ratio(double ratio, char text[32]);     /* two digits; one just above 1 is ">1", not "1" */
void fer_format_seconds(double seconds, char text[32]); /* "1:02:03", "2:03" or "3s" */
void fer_format_duration(double seconds, char text[64]); /* "12 days 3 hours", "5 hours 20 minutes", "7 minutes" */
void fer_format_count(size_t value, char text[32]);     /* commas between thousands */
void fer_format_shape(int dims, const size_t *shape, char text[96]); /* "[2,48,48,1]"; of very many axes the first */
/* "[3,0,7,12]": an element's index along each axis of its array, from its row-major one. */
void fer_format_index(size_t index, int dims, const size_t *shape, char text[96]);

/* ---- JSON (json.c) ---- */

/* JSON that is being written; begins as {out}. Of an item in an array the name is NULL. */
struct fer_json {
    FILE *out; /* the caller's */
    int items; /* so far, in the array or object at hand */
    int depth; /* how many of them are open */
    const char *line; /* the next item begins on a new line, with this indent; NULL: on the same line */
};
void fer_json_line(struct fer_json *j, const char *indent); /* so for the next item; the text must last until then */
void fer_json_open(struct fer_json *j, const char *name, char bracket); /* '{' or '[' */
void fer_json_close(struct fer_json *j, char bracket); /* '}' or ']'; after the last one the line ends */
void fer_json_string(struct fer_json *j, const char *name, const char *text);
void fer_json_string_or_null(struct fer_json *j, const char *name, const char *text); /* "": null */
void fer_json_count(struct fer_json *j, const char *name, size_t value);
/* The shortest decimal that reads back to the same bits. JSON knows no infinity and no NaN: they are strings. */
void fer_json_number(struct fer_json *j, const char *name, double value);
void fer_json_number_or_null(struct fer_json *j, const char *name, double value); /* NaN: null */
/* What is JSON already, by a printf format: "%.6g", "true". */
void fer_json_value(struct fer_json *j, const char *name, const char *format, ...) FER_PRINTF(3, 4);

/* JSON that was read (json_read.c): a tree of values. */
enum fer_json_type {
    FER_JSON_NULL, FER_JSON_FALSE, FER_JSON_TRUE, FER_JSON_NUMBER, FER_JSON_STRING, FER_JSON_ARRAY, FER_JSON_OBJECT
};
struct fer_json_node {
    enum fer_json_type type;
    const char *name; /* of a member of an object, else NULL */
    const char *text; /* of a string: UTF-8 */
    double number;    /* of a number; true is 1 */
    size_t count;     /* members of an array or object: child, child->next, ... */
    struct fer_json_node *child, *next;
    long line;
};
struct fer_json_tree;
int fer_json_read(const char *path, struct fer_json_tree **tree, struct fer_error *e);
void fer_json_free(struct fer_json_tree *tree); /* NULL is allowed */
const struct fer_json_node *fer_json_root(const struct fer_json_tree *tree);
/* The member of this name; NULL: it has none, or is NULL or no object itself. */
const struct fer_json_node *fer_json_member(const struct fer_json_node *object, const char *name);

/* ---- deflated data (inflate.c) ---- */

/* Where deflated bytes come from: gives up to `count` of them, and 0 at the end. */
typedef size_t (*fer_source)(void *context, unsigned char *bytes, size_t count);
#define FER_MOST_INFLATED 1032 /* bytes that one can become: a match of 258 in two bits */

struct fer_inflate;
struct fer_inflate *fer_inflate_create(void); /* NULL: out of memory */
void fer_inflate_free(struct fer_inflate *z); /* NULL is allowed */
/* Begins with other data. */
void fer_inflate_start(struct fer_inflate *z, fer_source source, void *context);
/* The next `count` inflated bytes. Returns NULL, or what is wrong with the data. */
const char *fer_inflate_read(struct fer_inflate *z, unsigned char *bytes, size_t count);
/* Up to `count` inflated bytes: fewer where the data end, or are damaged (then *wrong says how). */
size_t fer_inflate_some(struct fer_inflate *z, unsigned char *bytes, size_t count, const char **wrong);
/* Behind the end of the data: up to `count` bytes as they stand there. */
size_t fer_inflate_behind(struct fer_inflate *z, unsigned char *bytes, size_t count);
/* Begins with the deflated data that stand behind those bytes. */
void fer_inflate_again(struct fer_inflate *z);
/* Returns NULL when the data end here, and with them the deflated bytes; else what is wrong. */
const char *fer_inflate_end(struct fer_inflate *z);
/* The sum that ends a zlib stream (RFC 1950), of bytes behind those whose sum is `adler`; of none it is 1. */
uint32_t fer_adler32(uint32_t adler, const unsigned char *bytes, size_t count);

/* ---- gzip (gzip.c) ---- */

#define FER_GZIP_FIRST 16384
struct fer_gzip;
/* Of a file whose first `count` bytes, up to FER_GZIP_FIRST, have been read already. NULL: out of memory. */
struct fer_gzip *fer_gzip_create(FILE *file, const unsigned char *first, size_t count);
/* Up to `count` unpacked bytes: fewer at the end of the file, or when it is damaged: then *wrong says how, else it is
 * NULL. */
size_t fer_gzip_read(struct fer_gzip *gzip, unsigned char *bytes, size_t count, const char **wrong);
void fer_gzip_free(struct fer_gzip *gzip); /* NULL is allowed */

/* ---- npy (npy.c) ---- */

#define FER_NPY_MAGIC "\x93NUMPY"
#define FER_NPY_LIMIT 10000 /* bytes of a header that is read; NumPy's own limit */
#define FER_NPY_ROOM 1024   /* bytes of a header that is written; FER_MAX_DIMS sizes of 20 digits fit */

/* How the values of an array stand in a file. */
struct fer_layout {
    int big_endian, fortran_order;
};

size_t fer_type_size(enum fer_type type);
/* Takes an npy header apart: the text behind the length, ended by a zero byte. The reason of a failure has no file
 * name. */
int fer_npy_parse(const char *text, struct fer_array *array, struct fer_layout *layout, struct fer_error *reason);
/* Writes magic, version 1.0, length and header, C order, little-endian. Returns the number of bytes, a multiple of
 * 64. */
size_t fer_npy_format(unsigned char out[FER_NPY_ROOM], enum fer_type type, int dims, const size_t *shape);
/* The product of a shape. Fails when its sizes, zeros left out, have no product that can be counted in memory as
 * doubles. */
int fer_shape_count(int dims, const size_t *shape, size_t *count, struct fer_error *reason);

/* A value in a file's bytes, first as its bits, then as a number, rounded once. */
uint64_t fer_value_bits(const unsigned char *bytes, size_t size, int big_endian);
double fer_value_double(enum fer_type type, uint64_t bits);
real fer_value_real(enum fer_type type, uint64_t bits);
void fer_floats_real(const unsigned char *bytes, size_t count, real *x); /* little-endian f4, one behind the other */
/* Values of `size` bytes as this machine holds them, to little-endian bytes; and the CRC-32 of those. */
void fer_little_endian(unsigned char *out, const void *values, size_t size, size_t count);
uint32_t fer_crc32_values(uint32_t crc, const void *values, size_t size, size_t count);

/* ---- npz and zip (npz.c, npz_write.c) ---- */

/* The arrays that are not `used`, by index: how many, and the names of the first ten. */
size_t fer_npz_unused(const struct fer_npz *npz, const unsigned char *used, char names[512]);

/* The first four bytes of a zip file's parts, as a number, and their lengths without name, extra field and comment. */
#define ZIP_LOCAL 0x04034b50u   /* the local header, before an entry's bytes */
#define ZIP_CENTRAL 0x02014b50u /* an entry of the directory */
#define ZIP_END 0x06054b50u     /* the end record */
#define ZIP_END64 0x06064b50u   /* the zip64 end record, which stands anywhere after the directory */
#define ZIP_LOCATOR 0x07064b50u /* stands before the end record and says where the zip64 end record is */
#define ZIP_LOCAL_BYTES 30
#define ZIP_CENTRAL_BYTES 46
#define ZIP_END_BYTES 22
#define ZIP_END64_BYTES 56
#define ZIP_LOCATOR_BYTES 20
#define ZIP_FULL16 0xffffu      /* "see the zip64 field" */
#define ZIP_FULL32 0xffffffffu

/* fer_npz_open of a file that is open already; takes it over, and closes it also on failure. */
int fer_npz_open_file(struct fer_npz **npz, FILE *file, const char *path, struct fer_error *e);
/* A file that is not there, of arrays that have shapes and cannot be read. */
int fer_npz_of_shapes(struct fer_npz **npz, const struct fer_array *array, size_t count, const char *path,
                      struct fer_error *e);

/* ---- pages (html.c, png.c, plot.c) ---- */

/* A page that is being written, a file of fer_file_create. */
struct fer_page {
    FILE *file;
    const char *path; /* the caller's */
};
int fer_page_create(struct fer_page *page, const char *path, struct fer_error *e);
/* Mark-up, written as it is; arguments are numbers and fer's own words. A failed write shows at the commit. */
void fer_page_print(struct fer_page *page, const char *format, ...) FER_PRINTF(2, 3);
/* Somebody else's text, made harmless as content and inside a quoted attribute. What is not UTF-8, and control
 * characters but for tabs and newlines, become U+FFFD. */
void fer_page_text(struct fer_page *page, const char *text);
void fer_page_base64(struct fer_page *page, const unsigned char *bytes, size_t count);
/* The value for people (36.2 %, or 1.6381), and with every digit of it for programs, as <data value="...">. */
void fer_page_number(struct fer_page *page, double value, int percent);
/* The same without mark-up: 36.2 % or 1.6381; nan, inf, -inf. */
void fer_format_short(double value, int percent, char text[40]);
int fer_page_commit(struct fer_page *page, struct fer_error *e);

#define FER_PNG_SIDE 128 /* no picture is higher or wider */
#define FER_PNG_ROOM (FER_PNG_SIDE * (FER_PNG_SIDE + 1) + 68)
/* A grey picture of up to FER_PNG_SIDE x FER_PNG_SIDE as a PNG file. Returns its bytes. */
size_t fer_png_encode(unsigned char out[FER_PNG_ROOM], int height, int width, const uint8_t *pixels);

/* Two curves over the epochs, as one SVG picture. */
#define FER_PLOT_WIDTH 640
struct fer_plot {
    const char *name, *title; /* "accuracy": a word for ids; what it shows, in words */
    const double (*history)[4];
    long epochs;
    int training, validation; /* columns of the history; -1: none */
    int percent;              /* the axis is 0 ... 100 %; else it follows the values */
    double chance;            /* a dotted line there */
    long shown;               /* an epoch to be ringed; -1: none */
    const struct fer_pit *pit; /* epochs to be marked */
    long pits;
    const long *number;        /* [epochs] what each is called; NULL: from 0 */
    int height;                /* of the picture; its width is FER_PLOT_WIDTH */
};
void fer_plot_write(struct fer_page *page, const struct fer_plot *plot);
/* The same as a part of another SVG picture, `y` from its top. */
void fer_plot_write_panel(struct fer_page *page, const struct fer_plot *plot, int y);

/* The page's style sheet, in lines; NULL behind the last (report_style.c). */
extern const char *const fer_report_style[];

#endif
