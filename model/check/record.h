/* record.h - what record.c and record_exact.c share. */
#ifndef FER_RECORD_H
#define FER_RECORD_H

#include "../kinds.h"

/* The largest sum of absolute values of an exact record: up to here float32 holds every whole number. */
#define FER_EXACT_LIMIT 16777216.0

/* What an exact record has of the layer, among those that are around it. cut[layer]: 1 where the chain is cut. */
enum fer_exactness fer_exactness_of(const struct fer_network *network, const unsigned char *cut, int index);

/* Fills a network, planned with FER_PLAN_KEEP, as record_exact.c says. Fails when a sum of absolute values would reach
 * the limit, wherever the chain is cut; cut[] says where that is. */
int fer_exact_fill(struct fer_network *network, size_t n, uint64_t seed, double limit,
                   unsigned char cut[FER_MAX_LAYERS], struct fer_error *e);

#endif
