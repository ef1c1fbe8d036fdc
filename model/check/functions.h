/* functions.h - kinds of layers that are a function of one number: how far a backend's own computation may be off. */
#ifndef FER_FUNCTIONS_H
#define FER_FUNCTIONS_H

#include "../../fer.h"

/* So many roundings of a magnitude. */
struct fer_own_error {
    double magnitude, roundings;
};

struct fer_function {
    struct fer_own_error (*forward)(const struct fer_layer *layer, double x, double y);
    /* at: what the backward pass reads, x or y as kinds.c says; dx: what it gives from dy. */
    struct fer_own_error (*backward)(const struct fer_layer *layer, double at, double dy, double dx);
    double steepest; /* of one that falls and rises: its slope is nowhere larger; 0: it never falls */
    int bends;       /* at 0, where libraries take one slope or the other for the derivative */
};
/* By kind; those that are no functions of one number have none. */
extern const struct fer_function fer_functions[FER_LAYER_TYPES];

#endif
