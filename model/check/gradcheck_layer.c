/* gradcheck_layer.c - the gradient check of somebody's own layer. Its output y is made one number by a random dy: f =
 * <dy, y>, whose gradient by an input is what backward computes from dy.
 *
 * Where y is linear in an input, or is that plus a constant, backward is the transpose of forward, so for any v
 *     <dy, y(x + v) - y(x - v)> / 2  =  <dx, v>
 * which sees all elements at once, those too that were not among the samples. */
#include "gradcheck.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GARBAGE 123.0 /* a gradient that is not written does not look right */

struct layer {
    void (*forward)(void *context);
    void *context;
    const real *y, *dy;
    size_t outputs;
};

static double f(void *context)
{
    const struct layer *l = context;
    l->forward(l->context);
    return fer_gradcheck_dot(l->outputs, l->dy, l->y);
}

/* f where the input is moved by `times` v. */
static double f_moved(struct layer *l, const struct fer_gradcheck_array *x, const real *v, double times, real *kept)
{
    double result;
    size_t i;
    memcpy(kept, x->value, x->count * sizeof *kept);
    for (i = 0; i < x->count; i++) x->value[i] = (real)((double)kept[i] + times * (double)v[i]);
    result = f(l);
    memcpy(x->value, kept, x->count * sizeof *kept);
    return result;
}

/* v and `kept` are room for as many numbers as the input has. */
static void check_transpose(struct layer *l, const struct fer_gradcheck_array *x, uint64_t seed, real *v, real *kept,
                            struct fer_gradcheck *result)
{
    const double here = f(l), unit = sizeof(real) == sizeof(float) ? 0x1p-24 : 0x1p-53;
    double size = 0, terms = 0, forward, backward, largest, allowed;
    double above, below, far_above;
    size_t i;
    for (i = 0; i < x->count; i++) size += (double)x->value[i] * (double)x->value[i];
    size = size > 0 ? sqrt(size / (double)x->count) : 1;
    for (i = 0; i < x->count; i++) {
        v[i] = (real)(size * (2 * fer_uniform(seed, FER_FOR_CHECKS, 2, i) - 1));
        terms += fabs((double)v[i] * (double)x->gradient[i]);
    }
    above = f_moved(l, x, v, 1, kept), below = f_moved(l, x, v, -1, kept), far_above = f_moved(l, x, v, 2, kept);
    largest = fabs(above) > fabs(below) ? fabs(above) : fabs(below);
    allowed = 64 * (result->noise + unit * (largest + terms));
    if (!(fabs(above - 2 * here + below) <= allowed && fabs(far_above - 2 * above + here) <= allowed)) return;
    forward = (above - below) / 2, backward = fer_gradcheck_dot(x->count, v, x->gradient);
    if (fabs(forward - backward) <= allowed || result->wrong) return;
    result->wrong = 1;
    result->checked += result->checked == 0;
    result->measured = forward;
    result->claimed = backward;
    result->error = allowed;
    result->worst = fabs(forward - backward) / (fabs(forward) > 0 ? fabs(forward) : 1);
    snprintf(result->reason, sizeof result->reason,
             "y is linear in %s, but backward is not the transpose of forward: <dy, y(v)> "
             "is %.9g, <d%s, v> is %.9g",
             x->name,
             forward, x->name, backward);
}

static uint32_t digest_of(const struct fer_gradcheck_array *input, int inputs)
{
    uint32_t digest = 0;
    int k;
    for (k = 0; k < inputs; k++) digest = fer_crc32_reals(digest, input[k].value, input[k].count);
    return digest;
}

int fer_gradcheck_layer(void (*forward)(void *context), void (*backward)(void *context, const real *dy), void *context,
                        const struct fer_gradcheck_array *input, int inputs, const real *y, size_t outputs,
                        size_t samples, uint64_t seed, struct fer_gradcheck *result, struct fer_error *e)
{
    struct layer l = {forward, context, y, NULL, outputs};
    const uint32_t before = digest_of(input, inputs);
    size_t i, most = 0;
    real *dy, *room;
    int k, failed = 0;
    for (k = 0; k < inputs; k++) most = input[k].count > most ? input[k].count : most;
    dy = fer_allocate(outputs, sizeof *dy, e);
    room = dy ? fer_allocate(2 * most, sizeof *room, e) : NULL;
    if (!room) return fer_free(dy), -1;
    for (i = 0; i < outputs; i++) dy[i] = (real)(2 * fer_uniform(seed, FER_FOR_CHECKS, 1, i) - 1);
    for (k = 0; k < inputs; k++)
        for (i = 0; i < input[k].count; i++) input[k].gradient[i] = (real)GARBAGE;
    l.dy = dy;
    forward(context);
    backward(context, dy);
    if (digest_of(input, inputs) != before)
        failed = fer_fail(e, "backward changes an input: expected it to leave all alone");
    for (k = 0; k < inputs && !failed; k++) {
        failed = fer_gradcheck_function(f, &l, input[k].value, input[k].gradient, input[k].count, samples, 0, seed,
                                        &result[k], e);
        if (!failed) check_transpose(&l, &input[k], seed, room, room + most, &result[k]);
    }
    fer_free(room);
    fer_free(dy);
    return failed;
}
