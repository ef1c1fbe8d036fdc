/* report.h - what the pages of a run and of a log show: model/report.c and model/pits/log_report.c collect it, report.c
 * and log_page.c write it. */
#ifndef FER_REPORT_H
#define FER_REPORT_H

#include "../../fer.h"

/* One face, and what the network makes of it. */
struct fer_prediction {
    size_t image; /* of the dataset */
    int predicted;
    double loss, probability[FER_CLASSES];
};

/* One line of the table of settings. */
struct fer_report_fact {
    const char *name, *help;
    char value[FER_PATH];
    char usual[32];                /* of a setting that was changed: its default; else empty */
};

#define FER_REPORT_NOTE 400
#define FER_REPORT_SAMPLES 2   /* of each class */
#define FER_REPORT_MISTAKES 12
#define FER_REPORT_FACTS (FER_SETTINGS + 9)
struct fer_report {
    char name[256];                /* the run folder's own name, without the folders that it is in */
    const struct fer_dataset *data;
    int drawn;                     /* the faces are drawn cartoons, not FER2013 */
    int size;                      /* of the network's input */
    int validated;                 /* the data have a PublicTest split */
    long epochs, planned;          /* done; asked for */
    double (*history)[4];          /* [epochs] */
    const long *number, *line;     /* [epochs] of a log: how it counts them, and where; NULL: a run, counted from 0 */
    long shown;                    /* the epoch whose logged validation these weights reproduce to the bit; -1: none */
    long pits;
    struct fer_pit *pit;           /* [pits] */
    long notes;
    const char (*note)[FER_REPORT_NOTE]; /* [notes] of a log: what else fell, in words */
    size_t findings;
    struct fer_pit_row *finding;   /* [findings] what run/pits.csv says of them, when it is there */
    enum fer_usage usage;          /* what was evaluated: PublicTest, or Training when there is none */
    struct fer_evaluation evaluation, test; /* of `usage`; of PrivateTest */
    struct fer_class_score score[FER_CLASSES];
    int samples, mistakes;
    struct fer_prediction sample[FER_CLASSES * FER_REPORT_SAMPLES]; /* the first ones of each class */
    struct fer_prediction mistake[FER_REPORT_MISTAKES];             /* those with the largest loss */
    int facts;
    struct fer_report_fact fact[FER_REPORT_FACTS];
    char command[9 * FER_PATH];    /* a line for a shell that makes this run again */
};

struct fer_page;

/* ---- course.c ---- */

void fer_page_head(struct fer_page *page, const char *name);
/* The sections on the epochs and on the pits. */
void fer_page_course(struct fer_page *page, const struct fer_report *report);
void fer_page_pits(struct fer_page *page, const struct fer_report *report);

/* ---- log_page.c ---- */

/* The page of a log: name, history, number, pits and notes of the report; and `images` that val_accuracy was taken over
 * (0: not known), as said by `images_from`. `lost`: a row from which on a run does not come back; -1: none. */
struct fer_log_page {
    struct fer_report report;
    const char *column;  /* what is taken for val_accuracy */
    size_t images;
    const char *images_from;
    long runs, judged, lost;
};
int fer_log_page_write(const struct fer_log_page *log, const char *path, struct fer_error *e);

/* ---- picture.c ---- */

/* An SVG picture of logs, a panel each: name, epochs, history and pits of the report. */
void fer_picture_begin(struct fer_page *page, int panels);
void fer_picture_panel(struct fer_page *page, int panel, const struct fer_report *report);
void fer_picture_end(struct fer_page *page, int panels);

#endif
