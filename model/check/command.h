/* command.h - what fer.c needs of this folder beyond fer.h: options from text; tables, and the same as JSON, written to a
 * file of the caller's. */
#ifndef FER_CHECK_COMMAND_H
#define FER_CHECK_COMMAND_H

#include "../../data/data.h"

/* ---- op_text.c ---- */

/* The arrays of a file as text: name and shape, then the values, a line for each row of the last dimension that is larger
 * than 1. */
int fer_npz_text(FILE *out, const char *path, struct fer_error *e);

/* ---- verify_options.c ---- */

/* The options that are no settings, as text; NULL: not given. */
struct fer_verify_words {
    const char *unit, *accumulate, *adam, *ties, *relu_at_zero, *winograd, *layout, *part;
};
/* Without `accumulate` sums are float64 when everything is, else float32. */
int fer_verify_options_read(struct fer_verify_options *options, const struct fer_verify_words *words, struct fer_error *e);
/* Takes --unit LAYER=F and --bn-moving-variance LAYER=RULE out of the arguments, which stay where they are as long as the
 * options are used. */
int fer_verify_exceptions_take(struct fer_verify_options *options, int *count, char **argv, struct fer_error *e);

/* ---- verify_text.c ---- */

/* Begins as {out, is_json, path, options}. The table's head comes with its first row, so that a file that cannot be
 * read leaves none. */
struct fer_verify_text {
    FILE *out;
    int is_json;
    const char *path; /* of the record */
    const struct fer_verify_options *options;
    int rows;
    struct fer_json json;
};
/* `report` of fer_verify; the context is a struct fer_verify_text. */
void fer_verify_text_row(void *context, const struct fer_verify_row *row);
/* NULL: fer_verify has failed. */
void fer_verify_text_end(struct fer_verify_text *t, const struct fer_verify_summary *summary);

/* ---- verify_join.c ---- */

/* The JSON of all parts of one verification, in any order, as that of the whole: table or JSON, and the summary. -1 when they
 * are not that. text->options, into which theirs are read, is not const for that. */
int fer_verify_join(char **paths, int count, struct fer_verify_text *text, struct fer_verify_options *options,
                    struct fer_verify_summary *summary, struct fer_error *e);

/* ---- gradcheck_text.c ---- */

/* Begins as {out, strict}. The table's head comes with its first row, so that a name that is none leaves no table. */
struct fer_gradcheck_text {
    FILE *out;
    int strict; /* an element of which nothing can be said fails its row */
    int rows, unsaid; /* so far; those that failed for that alone */
};
/* `report` of fer_gradcheck; the context is a struct fer_gradcheck_text. */
void fer_gradcheck_text_row(void *context, const struct fer_gradcheck_row *row);

/* ---- fingerprint_text.c ---- */

/* Begins as {out, check}. */
struct fer_fingerprint_text {
    FILE *out;
    int check;                          /* compare; else each stage's digest is shown */
    int stages, differ;                 /* so far */
    struct fer_fingerprint_stage first; /* the first that differs */
};
/* `report` of fer_fingerprint; the context is a struct fer_fingerprint_text. */
void fer_fingerprint_text_stage(void *context, const struct fer_fingerprint_stage *stage);
/* `differ` as fer_fingerprint has returned it. */
void fer_fingerprint_text_end(struct fer_fingerprint_text *t, int differ);

/* ---- bench_text.c ---- */

void fer_bench_text(FILE *out, const struct fer_network *network, const struct fer_bench *bench);
void fer_bench_json(FILE *out, const struct fer_network *network, const struct fer_bench *bench);

#endif
