/* op.h - what op_layers.c, the operations of `fer op`, and op_arguments.c, which reads and writes for them, share.
 * Functions return 0 when they did their work, else something else, with the reason in op->e. */
#ifndef FER_OP_H
#define FER_OP_H

#include "hypotheses.h"
#include "verify.h"

struct fer_op {
    const struct fer_operation *operation;
    const struct fer_op_option *given; /* the user's options */
    int given_count;
    const char *out_path;
    struct fer_npz *in;
    struct fer_npz_writer *out; /* NULL before the first result is written */
    struct fer_block *memory;   /* all that the operation has allocated */
    unsigned char *used;        /* by index in the input file: the operation has asked for it */
    size_t written, own;        /* arrays; those of the input file that are results, of the caller's own */
    int nchw;                   /* the files' arrays are laid out so; the operation's never are */
    int trial;                  /* would the shapes do? No value is read; at the first result it ends, with `fits` 1 */
    int fits;
    struct fer_array first;     /* of a trial: the first result */
    int blamed;                 /* the failure is one of shapes */
    int laid_out, parameters;   /* an array was read that the other layout has otherwise; one other than x and dy */
    struct fer_judge *judge;    /* results are judged, not written; NULL: no */
    enum fer_twist twist;       /* what is done wrong on purpose, to see whether they did it too (hypotheses.h) */
    struct fer_error *e;
};

enum { FER_MOST_RESULTS = 2 * FER_MAX_INPUTS + 8 };
/* Somebody else's results, against the rounding bound (op_judge.c). */
struct fer_judge {
    struct fer_npz *theirs;
    int any_shape;                    /* a result of another shape is WRONG, and no bad input */
    int is_input;                     /* the same file as the arguments: what was read as one is no result */
    struct fer_arithmetic arithmetic; /* theirs */
    int inexact;                      /* an argument does not fit into float32: whoever computes in it has rounded it */
    unsigned char *used;              /* by index in the file */
    struct fer_verify_row row[FER_MOST_RESULTS];
    int rows;
    size_t absent;                    /* results that are not there */
    const char *name;                 /* of the result whose claim was begun last */
    real *claimed;                    /* in the layer's layout; NULL: there is none */
    char misshapen[240];              /* or it has another shape, with any_shape; else "" */
    struct fer_tally tally;           /* of it; count 0: no bound was computed */
    int failed;                       /* memory ran out */
};

enum { FER_OP_OPTIONS = 10 };
struct fer_operation {
    const char *name;
    int (*run)(struct fer_op *op);
    struct fer_op_option option[FER_OP_OPTIONS]; /* each with its default; ended by a name NULL */
};
extern const struct fer_operation fer_operations[]; /* ended by a name NULL */

/* An argument or a result, in the layout that the layers' functions take. about.count 0: an argument that is not in the
 * file. */
struct fer_tensor {
    struct fer_array about;
    const char *meaning; /* of its dimensions: see fer_op_need */
    real *values;
};

/* An operation's first result, y, without values, from the shapes of its arguments; these NULL: only name and options
 * are checked. */
int fer_op_output_shape(const char *name, const struct fer_array *argument, size_t count,
                        const struct fer_op_option *option, int options, struct fer_array *y, struct fer_error *e);
/* fer_op_verify for one case: the worst of its rows, and which convention of this name ("": none) the answer follows,
 * in words; "" where that makes no difference. Returns how many results were judged, or -1. */
enum { FER_CASE_WORDS = 400 };
int fer_op_verify_case(const char *name, const char *in, const char *theirs, const struct fer_op_option *option,
                       int options, enum fer_unit unit, enum fer_unit accumulate, const char *convention,
                       struct fer_verify_row *worst, char words[FER_CASE_WORDS], struct fer_error *e);

/* Zeros, freed when the operation is over. NULL: no memory. */
void *fer_op_allocate(struct fer_op *op, size_t count, size_t size);

/* Frees all that the operation has allocated. */
void fer_op_free(struct fer_op *op);

/* ---- Arguments ---- */

/* The array of this name in the input file, or NULL. It counts as used. */
const struct fer_array *fer_op_find(const struct fer_op *op, const char *name);
/* Fails for a missing array. Returns -1. */
int fer_op_missing(struct fer_op *op, const char *name);
/* Reads an argument. `meaning` says what its dimensions are, and so how many it must have; NULL: any number, in any
 * order. With --layout nchw the file has the second form, which is brought into the first:
 *     "[N,H,W,C]"      [N,C,H,W]     images
 *     "[N,...,C]"      [N,C,...]     the same, of any number of dimensions
 *     "[KH,KW,CI,CO]"  [CO,CI,KH,KW]
 *     "[KH,KW,C,M]"    [C*M,1,KH,KW], read as [KH,KW,C*M,1]: see fer_op_depthwise
 *     "[I,O]"          [O,I]
 * and whatever else is written there is the same in both. An argument may be missing, unless it is needed; but what is
 * there under a name of PyTorch's or of a course's is refused. */
int fer_op_need(struct fer_op *op, const char *name, const char *shape, struct fer_tensor *t);
int fer_op_maybe(struct fer_op *op, const char *name, const char *shape, struct fer_tensor *t);
/* The kernel of a depthwise convolution of c channels: splits its channels into [C,M], or fails. */
int fer_op_depthwise(struct fer_op *op, struct fer_tensor *kernel, size_t channels);
/* Fails, with the argument's name and its shape in the file before the reason. Returns -1. */
int fer_op_blame(struct fer_op *op, const struct fer_tensor *t, const char *format, ...) FER_PRINTF(3, 4);
/* An argument, if it is there, must have the shape of another array. */
int fer_op_same_shape(struct fer_op *op, const struct fer_tensor *t, const struct fer_tensor *like);
/* An argument, if it is there, must be [size]. */
int fer_op_vector(struct fer_op *op, const struct fer_tensor *t, size_t size);

/* ---- Options: the user's text, or the default ---- */

/* The text of an option of this name; NULL: there is none. */
const char *fer_op_find_option(const struct fer_op_option *option, int count, const char *name);

int fer_op_is_given(const struct fer_op *op, const char *name);
int fer_op_number(struct fer_op *op, const char *name, double least, double most, double *value);
int fer_op_size(struct fer_op *op, const char *name, size_t *size);   /* a whole number from 1 */
int fer_op_pair(struct fer_op *op, const char *name, size_t pair[2]); /* "H,W", or "N" for "N,N" */
/* words "first|second|third": *value is 0, 1 or 2. */
int fer_op_choice(struct fer_op *op, const char *name, const char *words, int *value);
/* One of the words, or "T,B,L,R", cells on four sides: then *value is the number of the words. */
int fer_op_choice_or_sides(struct fer_op *op, const char *name, const char *words, int *value, size_t side[4]);

/* ---- Operations in files of their own ---- */

/* op_windows.c */
int fer_op_conv2d(struct fer_op *op);
int fer_op_depthwise_conv2d(struct fer_op *op);
int fer_op_dense(struct fer_op *op);
int fer_op_max_pooling2d(struct fer_op *op);
int fer_op_average_pooling2d(struct fer_op *op);
int fer_op_global_average_pooling2d(struct fer_op *op);
int fer_op_global_max_pooling2d(struct fer_op *op);
/* op_elements.c */
int fer_op_sigmoid(struct fer_op *op);
int fer_op_tanh(struct fer_op *op);
int fer_op_silu(struct fer_op *op);
int fer_op_elu(struct fer_op *op);
int fer_op_hard_sigmoid(struct fer_op *op);
int fer_op_softmax(struct fer_op *op);
int fer_op_add(struct fer_op *op);
int fer_op_multiply(struct fer_op *op);
int fer_op_zero_padding2d(struct fer_op *op);
int fer_op_cropping2d(struct fer_op *op);
int fer_op_dropout(struct fer_op *op);
int fer_op_spatial_dropout2d(struct fer_op *op);
int fer_op_rescaling(struct fer_op *op);
int fer_op_normalization(struct fer_op *op);

/* ---- Results ---- */

/* A result of zeros, to be filled and then written. With four dimensions or three it is an image, [N,...,C]. All
 * arguments have been read and checked before the first result is written. */
int fer_op_result(struct fer_op *op, const char *name, int dims, const size_t *shape, struct fer_tensor *t);
int fer_op_result_like(struct fer_op *op, const char *name, const struct fer_tensor *like, struct fer_tensor *t);
int fer_op_write(struct fer_op *op, const struct fer_tensor *t);
/* A tensor's shape in the file, and which dimension of the file each of the layer's is; whether the layouts differ in
 * it. */
int fer_op_shape_in_file(const struct fer_op *op, const struct fer_tensor *t, size_t shape[FER_MAX_DIMS],
                         int axis[FER_MAX_DIMS]);
/* Copies between the layer's layout, `here` (of this shape), and the file's. */
void fer_op_reorder(int dims, const size_t *shape, const int *axis, real *here, real *file, int to_file);

/* ---- Conventions (conventions.c) ---- */

/* The i-th way of an operation among those that are all right: an option (NULL: none) or a twist. NULL behind the
 * last. */
struct fer_convention {
    const char *operation;
    struct fer_op_option option;
    enum fer_twist twist;
    const char *word, *words; /* "ties"; what is done */
};
const struct fer_convention *fer_op_convention(const char *operation, int i);

/* ---- Judging, before a result is written (op_judge.c) ----
 *
 *     if (fer_op_claim(op, &y)) {
 *         struct fer_sums *s = fer_op_sums(op, &y);
 *         if (s) fer_sums_add_copies(s, &op->judge->arithmetic), fer_op_tally(op, s);
 *     }
 *     if (fer_op_write(op, &y)) ...
 */

/* 1 when there is a result of theirs of this name, to be tallied into op->judge->tally. */
int fer_op_claim(struct fer_op *op, const struct fer_tensor *t);
/* Room for the sums that bound it; NULL: no memory. And the sums into the tally. */
struct fer_sums *fer_op_sums(struct fer_op *op, const struct fer_tensor *t);
void fer_op_tally(struct fer_op *op, const struct fer_sums *s);
/* The values of an argument, to be spoilt; NULL: no memory. */
real *fer_op_copy(struct fer_op *op, const struct fer_tensor *t);
/* After a claim: k roundings, each of a part of these magnitudes (NULL: memory has run out). */
void fer_op_judge_magnitudes(struct fer_op *op, const struct fer_tensor *t, double k, const real *magnitude);
/* Claim and tally in one: of what is copied from arguments; of sums of columns; of k roundings of the result itself. */
void fer_op_judge_copies(struct fer_op *op, const struct fer_tensor *t);
void fer_op_judge_columns(struct fer_op *op, const struct fer_tensor *t, const struct fer_tensor *of);
void fer_op_judge_roundings(struct fer_op *op, const struct fer_tensor *t, double k);

#endif
