/* command.h - the parts of `fer pits`: which epochs and experiments, the table of what was found, and what is shown. */
#ifndef FER_PITS_COMMAND_H
#define FER_PITS_COMMAND_H

#include "../../data/data.h"

/* ---- choose.c ---- */

/* "batch,exact" as the sum of 1 << experiment; NULL: all. */
int fer_pits_choose_experiments(const char *list, unsigned *experiments, struct fer_error *e);

#define FER_DIP_THRESHOLD 3.0 /* noises below the level, from which on an epoch is named */

/* A fall from which a run does not come back. */
struct fer_pits_lost {
    long row;      /* the first of those that stay down */
    double level;  /* before */
    int in_loss;   /* the level is val_loss's: there is no accuracy */
    int is_nan;    /* val_loss is no number from there on */
};

/* The epochs to be looked at. An epoch is a row of the log here; the log says how the file counts it. */
struct fer_pits_choice { /* freed by fer_pits_choice_free */
    struct fer_pit *pit;    /* [count] */
    long count;
    long runs;              /* that the log holds one after the other */
    long unknown;           /* epochs without val_accuracy and val_loss */
    size_t images;           /* that a val_accuracy was taken over, ... */
    const char *images_from; /* ... and who says so */
    const char *name;       /* of what is taken for val_accuracy */
    long judged;            /* epochs that could be judged */
    struct fer_pit deepest; /* the largest fall, of accuracy where that is known, be it a pit or not; epoch -1: none */
    struct fer_pit *dip;    /* [dips] falls of three noises or more that are no pits */
    long dips;
    char *can_judge; /* [rows of the log] 0: the epoch is one of the first three of its run, or its last */
    struct fer_pits_lost *lost; /* [losses] at most one a run */
    long losses;
};
void fer_pits_choice_free(struct fer_pits_choice *choice);
/* How many noises an epoch lies below its level: in accuracy; in loss where that has three and accuracy has not, or
 * where it alone is known. */
double fer_pits_noises(const struct fer_pit *pit, int *in_loss);
/* The pits of every run in the log, or, when `epoch` is not NULL, that epoch, as the log counts it. `images` is how
 * many each val_accuracy was taken over. */
int fer_pits_choose(struct fer_pits_choice *choice, const struct fer_log *log, size_t images, const char *epoch,
                    struct fer_error *e);

/* The same of a log's file, which may have any form that fer_log_read_column reads; rows without validation are passed
 * over. `images` 0: as many as the log's own digits say. */
int fer_pits_choose_log(struct fer_pits_choice *choice, struct fer_log *log, const char *path, const char *column,
                        size_t images, const char *epoch, struct fer_error *e);
/* 0, or -1 when no epoch of the log could be judged. */
int fer_pits_judged(const struct fer_pits_choice *choice, const struct fer_log *log, const char *path,
                    struct fer_error *e);

/* ---- table.c ---- */

/* What was found, in order of epochs: the lines of pits.csv. Begins as zeros. */
struct fer_pits_table {
    struct fer_pit_row *row;
    size_t rows, row_room;
    long epoch;                /* the pit at hand, and its replay's steps */
    struct fer_pit_step *step;
    size_t steps, step_room;
    int out_of_memory;         /* something could not be kept */
};
void fer_pits_table_free(struct fer_pits_table *t);
/* The pit at hand is this one: forgets what these experiments have found on it before. */
void fer_pits_table_begin(struct fer_pits_table *t, long epoch, unsigned experiments);
void fer_pits_table_keep(struct fer_pits_table *t, const struct fer_pit_row *row);
void fer_pits_table_keep_step(struct fer_pits_table *t, const struct fer_pit_step *step);
/* Of the experiments on one layer alone those that recover most, the best first. Returns how many there are. */
#define FER_PITS_BEST 6
int fer_pits_table_best_layers(const struct fer_pits_table *t, const struct fer_pit_row *best[FER_PITS_BEST]);

/* ---- text.c ---- */

/* What is shown, as text or as one JSON object. Begins as {out, is_json, table}. */
struct fer_pits_text {
    FILE *out;
    int is_json;
    const struct fer_pits_table *table;
    const struct fer_log *log;            /* of fer_pits_text_begin */
    const struct fer_pits_choice *choice; /* NULL: one epoch was chosen by the caller */
    const char *name;                     /* of what is taken for val_accuracy */
    int layers_due; /* rows of layers have come; the best are shown when all are there */
    struct fer_json json;
};
/* A dip, and a fall without return, in words. */
#define FER_PITS_LINE 400
void fer_pits_describe(char line[FER_PITS_LINE], const struct fer_log *log, const struct fer_pits_choice *choice,
                       const struct fer_pit *dip);
void fer_pits_describe_lost(char line[FER_PITS_LINE], const struct fer_log *log, const struct fer_pits_choice *choice,
                            const struct fer_pits_lost *lost);
/* What was looked at, and how many pits there are. `named`: the epoch was chosen by the caller. */
void fer_pits_text_begin(struct fer_pits_text *t, const char *where, int is_run, int named, const struct fer_log *log,
                         const struct fer_pits_choice *choice);
void fer_pits_text_end(struct fer_pits_text *t);
/* One pit: its own figures; then either the outcomes of the experiments or that there are none; then its end. */
void fer_pits_text_pit(struct fer_pits_text *t, const struct fer_log *log, const struct fer_pit *pit);
void fer_pits_text_pit_end(struct fer_pits_text *t);
void fer_pits_text_no_state(struct fer_pits_text *t);
void fer_pits_text_head(struct fer_pits_text *t);
void fer_pits_text_row(struct fer_pits_text *t, const struct fer_pit_row *row); /* it is in the table already */
void fer_pits_text_explained(struct fer_pits_text *t, const struct fer_network *network);

/* ---- log_report.c ---- */

/* The page of a log, in any form that `fer pits` reads; out NULL: beside it. With out FILE.svg one picture of all the
 * logs. Says where it is. */
int fer_pits_report(FILE *say, const char *const *logs, int count, const char *column, size_t images, const char *out,
                    struct fer_error *e);
int fer_is_picture(const char *path);

#endif
