/* command.h - what fer.c needs of this folder beyond fer.h: options from text; tables, and the same as JSON, written
 * to a file of the caller's. */
#ifndef FER_CHECK_COMMAND_H
#define FER_CHECK_COMMAND_H

#include "../../data/data.h"

/* ---- op_text.c ---- */

/* The arrays of a file as text: name and shape, then the values, a line for each row of the last dimension that is
 * larger than 1. */
int fer_npz_text(FILE *out, const char *path, struct fer_error *e);

/* ---- verify_options.c ---- */

/* The options that are no settings, as text; NULL: not given. */
struct fer_verify_words {
    const char *unit, *accumulate, *adam, *ties, *relu_at_zero, *winograd, *layout, *part;
};
/* Without `accumulate` sums are float64 when everything is, else float32. */
int fer_verify_options_read(struct fer_verify_options *options, const struct fer_verify_words *words,
                            struct fer_error *e);
/* The options beside unit, accumulate and part that are not the defaults, as on a command line; cut short where there
 * is no room. */
enum { FER_VERIFY_WORDS = 8192 };
void fer_verify_options_text(const struct fer_verify_options *options, char text[FER_VERIFY_WORDS]);
/* Takes --unit LAYER=F and --bn-moving-variance LAYER=RULE out of the arguments, which stay where they are as long as
 * the options are used. */
int fer_verify_exceptions_take(struct fer_verify_options *options, int *count, char **argv, struct fer_error *e);

/* ---- verify_text.c ---- */

/* Begins as {.out, .is_json, .path, .options}. The table's head comes with its first row, so that a file that cannot be
 * read leaves none. */
struct fer_verify_text {
    FILE *out;
    int is_json;
    const char *path; /* of the record */
    const struct fer_verify_options *options;
    const char *said; /* the options in words; NULL: fer_verify_options_text has them */
    int rows;
    struct fer_json json;
};
/* `report` of fer_verify; the context is a struct fer_verify_text. */
void fer_verify_text_row(void *context, const struct fer_verify_row *row);
/* NULL: fer_verify has failed. */
void fer_verify_text_end(struct fer_verify_text *t, const struct fer_verify_summary *summary);

/* ---- verify_join.c ---- */

/* The JSON of all parts of one verification, in any order, as that of the whole: table or JSON, and the summary. -1
 * when they are not that. text->options, into which theirs are read, is not const for that. */
int fer_verify_join(char **paths, int count, struct fer_verify_text *text, struct fer_verify_options *options,
                    struct fer_verify_summary *summary, struct fer_error *e);

/* ---- cases.c, cases_judge.c, cases_text.c ---- */

struct fer_cases_written {
    size_t cases;
};
/* The cases of these layers (count 0: all) into the folder `dir`, a new or an empty one; with `exact` whole numbers,
 * of layers whose sums are exact then. After a failure nothing is left there. */
int fer_cases(const char *const *layers, int count, uint64_t seed, int exact, const char *dir,
              struct fer_cases_written *written, struct fer_error *e);

enum fer_case_verdict {
    FER_CASE_OK, FER_CASE_CONVENTION, FER_CASE_SUSPECT, FER_CASE_WRONG, FER_CASE_UNANSWERED, FER_CASE_VERDICTS
};
struct fer_case_row_judged {
    const char *name, *layer;
    enum fer_case_verdict verdict;
    char words[400];             /* the conventions that the answer follows */
    struct fer_verify_row worst; /* of its arrays; none where it is unanswered */
};
/* How many cases have each verdict. */
struct fer_cases_sum {
    char name[32]; /* the layer */
    size_t cases[FER_CASE_VERDICTS];
};
enum { FER_CASES_LAYERS = 64 };
struct fer_cases_summary {
    struct fer_cases_sum all, layer[FER_CASES_LAYERS];
    int layers;
    size_t strangers; /* npz files that answer no case, and the first of them */
    char stranger[100];
};
/* The answers in a folder, ANSWERS/CASE.npz, to the cases of DIR/cases.csv; only unit and accumulate are read. */
int fer_cases_verify(const char *dir, const char *answers, const struct fer_verify_options *options,
                     void (*report)(void *context, const struct fer_case_row_judged *row), void *context,
                     struct fer_cases_summary *summary, struct fer_error *e);

/* Something was answered, and nothing is suspect or WRONG. */
int fer_cases_passed(const struct fer_cases_summary *summary);

/* Begins as {out, is_json, dir, answers, options}. */
struct fer_cases_text {
    FILE *out;
    int is_json;
    const char *dir, *answers;
    const struct fer_verify_options *options;
    int rows;
    struct fer_json json;
};
/* `report` of fer_cases_verify; the context is a struct fer_cases_text. */
void fer_cases_text_row(void *context, const struct fer_case_row_judged *row);
/* NULL: fer_cases_verify has failed. */
void fer_cases_text_end(struct fer_cases_text *t, const struct fer_cases_summary *summary);

/* ---- gradcheck_text.c ---- */

/* Begins as {out, strict}. The table's head comes with its first row, so that a name that is none leaves no table. */
struct fer_gradcheck_text {
    FILE *out;
    int strict; /* an element of which nothing can be said fails its row */
    int rows, unsaid; /* so far; those that failed for that alone */
};
/* `report` of fer_gradcheck; the context is a struct fer_gradcheck_text. */
void fer_gradcheck_text_row(void *context, const struct fer_gradcheck_row *row);
/* fer_gradcheck_points, and what to do next. */
int fer_gradcheck_text_points(struct fer_gradcheck_text *t, const char *in, const char *out, struct fer_error *e);
/* The row of fer_gradcheck_values, a function of the user's. Returns whether it has failed, or -1. */
int fer_gradcheck_text_values(struct fer_gradcheck_text *t, const char *path, struct fer_error *e);

/* ---- fingerprint_text.c ---- */

/* Begins as {out, check}. */
struct fer_fingerprint_text {
    FILE *out;
    int check;                          /* compare; else each stage's digest is shown */
    int stages, differ;                 /* so far */
    struct fer_fingerprint_stage first; /* the first that differs */
};
/* Who computes: version, precision, compiler, threads. */
void fer_fingerprint_text_begin(const struct fer_fingerprint_text *t);
/* `report` of fer_fingerprint; the context is a struct fer_fingerprint_text. */
void fer_fingerprint_text_stage(void *context, const struct fer_fingerprint_stage *stage);
/* `differ` as fer_fingerprint has returned it. */
void fer_fingerprint_text_end(struct fer_fingerprint_text *t, int differ);

/* ---- bench.c, bench_text.c ---- */

/* One pass through one layer. */
struct fer_bench_row {
    int layer; /* of the network */
    enum fer_pass pass;
    double seconds;    /* a batch; the median of the repeats */
    double operations; /* multiplications and additions of a batch, cells outside the image left out; 0: no product */
};

struct fer_bench {
    int size, batch, repeats, threads;
    /* Seconds a batch, medians: taking images in; forward, backward and update; forward in inference mode. */
    double data, step, inference;
    double peak;                  /* operations a second of layers/tile.c alone, all threads, all in the first cache */
    size_t memory;                /* bytes that the training step's network holds */
    int rows;
    struct fer_bench_row row[FER_PASSES * FER_MAX_LAYERS];
};
/* Times training steps and inferences on drawn faces. `network` is of that size; its plan and parameters are changed.
 * clock() is seconds from some start. */
int fer_bench_run(struct fer_network *network, int batch, int repeats, double (*clock)(void), struct fer_bench *bench,
                  struct fer_error *e);

void fer_bench_text(FILE *out, const struct fer_network *network, const struct fer_bench *bench);
void fer_bench_json(FILE *out, const struct fer_network *network, const struct fer_bench *bench);

#endif
