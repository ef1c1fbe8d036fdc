/* op.h - what op_layers.c, the operations of `fer op`, and op_arguments.c, which reads and writes for them, share. Functions
 * return 0 when they did their work, else something else, with the reason in op->e. */
#ifndef FER_OP_H
#define FER_OP_H

#include "../../fer.h"

struct fer_op {
    const struct fer_operation *operation;
    const struct fer_op_option *given; /* the user's options */
    int given_count;
    const char *out_path;
    struct fer_npz *in;
    struct fer_npz_writer *out; /* NULL before the first result is written */
    struct fer_block *memory;   /* all that the operation has allocated */
    size_t taken, written;      /* arrays */
    struct fer_error *e;
};

enum { FER_OP_OPTIONS = 5 };
struct fer_operation {
    const char *name;
    int (*run)(struct fer_op *op);
    struct fer_op_option option[FER_OP_OPTIONS]; /* each with its default; ended by a name NULL */
};
enum { FER_OPERATIONS = 10 };
extern const struct fer_operation fer_operations[FER_OPERATIONS];

/* An argument or a result. about.count 0: an argument that is not in the file. */
struct fer_tensor {
    struct fer_array about;
    real *values;
};

/* Zeros, freed when the operation is over. NULL: no memory. */
void *fer_op_allocate(struct fer_op *op, size_t count, size_t size);

/* Frees all that the operation has allocated. */
void fer_op_free(struct fer_op *op);

/* ---- Arguments ---- */

/* The array of this name in the input file, or NULL. */
const struct fer_array *fer_op_find(const struct fer_op *op, const char *name);
/* Fails for a missing array. Returns -1. */
int fer_op_missing(const struct fer_op *op, const char *name);
/* Reads an argument. `shape` says what its dimensions mean ("[N,H,W,C]"), and so how many it must have; NULL: any
 * number. An argument may be missing, unless it is needed. */
int fer_op_need(struct fer_op *op, const char *name, const char *shape, struct fer_tensor *t);
int fer_op_maybe(struct fer_op *op, const char *name, const char *shape, struct fer_tensor *t);
/* Fails, with the argument's name and shape before the reason. Returns -1. */
int fer_op_blame(const struct fer_op *op, const struct fer_tensor *t, const char *format, ...) FER_PRINTF(3, 4);
/* An argument, if it is there, must have the shape of another array. */
int fer_op_same_shape(const struct fer_op *op, const struct fer_tensor *t, const struct fer_tensor *like);
/* An argument, if it is there, must be [size]. */
int fer_op_vector(const struct fer_op *op, const struct fer_tensor *t, size_t size);

/* ---- Options: the user's text, or the default ---- */

/* The text of an option of this name; NULL: there is none. */
const char *fer_op_find_option(const struct fer_op_option *option, int count, const char *name);

int fer_op_is_given(const struct fer_op *op, const char *name);
int fer_op_number(struct fer_op *op, const char *name, double least, double most, double *value);
int fer_op_pair(struct fer_op *op, const char *name, int pair[2]); /* "H,W", or "N" for "N,N" */
/* words "first|second": *value is 0 or 1. */
int fer_op_choice(struct fer_op *op, const char *name, const char *words, int *value);

/* ---- Results ---- */

/* A result of zeros, to be filled and then written. */
int fer_op_result(struct fer_op *op, const char *name, int dims, const size_t *shape, struct fer_tensor *t);
int fer_op_result_like(struct fer_op *op, const char *name, const struct fer_tensor *like, struct fer_tensor *t);
int fer_op_write(struct fer_op *op, const struct fer_tensor *t);

#endif
