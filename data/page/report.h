/* report.h - what the page of a run shows: model/report.c collects it, report.c writes it. */
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
};

#define FER_REPORT_SAMPLES 2   /* of each class */
#define FER_REPORT_MISTAKES 12
#define FER_REPORT_FACTS (FER_SETTINGS + 9)
struct fer_report {
    char name[256];                /* the run folder's own name, without the folders that it is in */
    const struct fer_dataset *data;
    int size;                      /* of the network's input */
    int validated;                 /* the data have a PublicTest split */
    long epochs, planned;          /* done; asked for */
    double (*history)[4];          /* [epochs] */
    long shown;                    /* the epoch whose logged validation these weights reproduce to the bit; -1: none */
    long pits;
    struct fer_pit *pit;           /* [pits] */
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

#endif
