/* chain_state.c - the arrays of a state (chain.h), and how an open sum is closed. */
#include "chain.h"

#include <math.h>
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

void fer_state_free(struct fer_state *s)
{
    fer_free(s->v), fer_free(s->E), fer_free(s->e), fer_free(s->A), fer_free(s->K);
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

void fer_state_close(const struct fer_verification *v, struct fer_state *s)
{
    const struct fer_arithmetic *a = &v->arithmetic;
    size_t i;
    for (i = 0; s->A && i < s->count; i++) {
        const double A = s->A[i], K = s->K[i];
        const struct fer_bound k = fer_roundings(K);
        const double own = k.likely * a->sum * (A + s->e[i]);
        const double stored = a->store * fabs(s->v[i]) + (K + 1) * a->sum_least + a->store_least;
        s->E[i] += (real)(k.proven * a->sum * (A + s->E[i]) + stored);
        s->e[i] = (real)(sqrt(s->e[i] * s->e[i] + own * own) + stored);
    }
    fer_free(s->A), fer_free(s->K);
    s->A = s->K = NULL;
}
