/* cases.h - what the files of `fer cases` and `fer verify DIR ANSWERS` share. */
#ifndef FER_CASES_H
#define FER_CASES_H

#include "../../data/data.h"
#include "op.h"

/* A case of each of the layers, whose names are separated by blanks; it is called LAYER_name. (cases_table.c)
 *
 *     options   of `fer op`
 *     arrays    "x 2,9,7,3 times 10; kernel 3,3,3,5; bias @": a name, a shape (@: one for each output channel of the
 *               kernel), and what is done, in this order, to numbers drawn uniformly from -1 ... 1. dy has the shape of
 *               y, and is there unless the layer has none; `dy times 0` says more of it.
 *     why       what goes wrong there; "convention (WORD): ..." where real libraries differ and none is wrong. WORD is
 *               that of conventions.c.
 *
 *     times V, plus V      each number                  absolute     without its sign
 *     steps V              to whole multiples of V      alike        all rows as the first (a row: the last dimension)
 *     all V                V everywhere                 channel V    V in the first channel
 *     at I V               V at index I, row-major      shares       each row's absolute values by their sum
 *     labels K             whole numbers 0 ... K-1, written as int64 */
struct fer_case_row {
    const char *layers, *name, *options, *arrays, *why;
};
extern const struct fer_case_row fer_case_rows[]; /* ended by layers NULL */

/* A line of cases.csv. */
enum { FER_CASE_OPTIONS = 8, FER_CASE_NAME = 96 };
struct fer_case {
    char name[FER_CASE_NAME], layer[32], convention[16]; /* "": it is none */
    char text[200];                                      /* the options, cut into words */
    struct fer_op_option option[FER_CASE_OPTIONS];
    int options, unanswered;
};
/* Cuts the text of options. */
int fer_case_options(struct fer_case *c, const char *options, struct fer_error *e);
/* DIR/cases.csv; freed by fer_free. */
int fer_cases_read(const char *dir, struct fer_case **cases, size_t *count, struct fer_error *e);

#endif
