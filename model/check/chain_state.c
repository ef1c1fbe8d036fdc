/* chain_state.c - the arrays of a state (chain.h), and how an open sum is closed. */
#include "chain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int fer_state_allocate(struct fer_verification *v, struct fer_state *s, size_t count, int open)
{
    const struct fer_state none = {0};
    *s = none;
    s->count = count;
    s->v = fer_allocate(count, sizeof *s->v, v->e);
    s->E = s->v ? fer_allocate(count, sizeof *s->E, v->e) : NULL;
    s->e = s->E ? fer_allocate(count, sizeof *s->e, v->e) : NULL;
    s->A = s->e && open ? fer_allocate(count, sizeof *s->A, v->e) : NULL;
    s->K = s->A ? fer_allocate(count, sizeof *s->K, v->e) : NULL;
    if (s->e && (!open || s->K)) return 0;
    fer_state_free(s);
    v->failed = 1;
    return -1;
}

int fer_state_allocate_gradient(struct fer_verification *v, struct fer_state *s, size_t count)
{
    if (fer_state_allocate(v, s, count, 0)) return -1;
    if ((s->c = fer_allocate(count, sizeof *s->c, v->e))) return 0;
    fer_state_free(s);
    v->failed = 1;
    return -1;
}

void fer_state_free(struct fer_state *s)
{
    fer_free(s->v), fer_free(s->E), fer_free(s->e), fer_free(s->A), fer_free(s->K), fer_free(s->c);
    memset(s, 0, sizeof *s);
}

double fer_state_magnitude(const struct fer_state *s, size_t i)
{
    return s->A ? s->A[i] : fabs(s->v[i]);
}

double fer_state_roundings(const struct fer_state *s, size_t i)
{
    return s->K ? s->K[i] : 0;
}

struct fer_sources fer_sources_begin(struct fer_verification *v)
{
    const struct fer_sources none = {0};
    struct fer_sources outer;
    outer.depends = v->depends;
    memcpy(outer.uses, v->uses, sizeof outer.uses);
    v->depends = none.depends;
    memcpy(v->uses, none.uses, sizeof v->uses);
    return outer;
}

void fer_sources_add(struct fer_verification *v, const struct fer_sources *more)
{
    size_t k;
    v->depends |= more->depends;
    for (k = 0; k < sizeof v->uses; k++) v->uses[k] |= more->uses[k];
}

void fer_sources_end(struct fer_verification *v, const struct fer_sources *outer, struct fer_state *s)
{
    s->sources.depends = v->depends;
    memcpy(s->sources.uses, v->uses, sizeof s->sources.uses);
    fer_sources_add(v, outer);
}

double fer_chain_few(double K)
{
    return K > 0 && K < 16 ? 4 / sqrt(K) : 1;
}

/* The errors of a sum that ends here. */
static void close_errors(const struct fer_verification *v, const struct fer_state *s, real *E, real *e)
{
    const struct fer_arithmetic *a = &v->arithmetic;
    size_t i;
    for (i = 0; i < s->count; i++) {
        const double A = s->A[i], K = s->K[i];
        const struct fer_bound k = fer_roundings(K);
        const double own = k.likely * fer_chain_few(K) * a->sum * (A + s->e[i]);
        const double stored = a->store * fabs(s->v[i]) + (K + 1) * a->sum_least + a->store_least;
        E[i] = s->E[i] + (real)(k.proven * a->sum * (A + s->E[i]) + stored);
        e[i] = (real)(sqrt(s->e[i] * s->e[i] + own * own) + stored);
    }
}

void fer_state_close(const struct fer_verification *v, struct fer_state *s)
{
    if (!s->A) return;
    close_errors(v, s, s->E, s->e);
    fer_free(s->A), fer_free(s->K);
    s->A = s->K = NULL;
}

const struct fer_state *fer_state_closed(struct fer_verification *v, const struct fer_state *s,
                                         struct fer_state *room)
{
    if (!s->A) return s;
    memset(room, 0, sizeof *room);
    room->count = s->count;
    room->v = s->v;
    if (!(room->E = fer_verify_hold(v, 2 * s->count))) return NULL;
    room->e = room->E + s->count;
    close_errors(v, s, room->E, room->e);
    return room;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double fer_chain_sees(size_t count, const real *truth, const real *error)
{
    double sample[1001];
    const size_t step = count / 1000 + 1;
    size_t i, seen = 0;
    for (i = 0; i < count && seen < 1001; i += step)
        if (truth[i] != 0) sample[seen++] = (double)error[i] / fabs(truth[i]);
    if (!seen) return 0;
    qsort(sample, seen, sizeof *sample, compare_doubles);
    return sample[seen / 2];
}
