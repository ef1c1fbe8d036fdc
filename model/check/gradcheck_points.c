/* gradcheck_points.c - the gradient check over files, for a function in any language: fer writes the points at which
 * it wants f, somebody computes it there, and the check runs on these answers.
 *
 * What gradient.c asks depends on the answers, so here each element is asked at ten steps beforehand, a factor of 16
 * and a second start apart, and the check takes the nearest of them. */
#include "gradcheck.h"

#include <math.h>
#include <string.h>

enum { MOST_SAMPLES = 100, MOST_NUMBERS = 1 << 23 }; /* of a points file */

/* Every point is x with one element moved: which, and where to. The first point is x itself. */
struct points {
    size_t count;             /* of x */
    size_t samples, points;
    size_t *index;            /* [points] */
    double *value;            /* [points] */
    struct fer_ladder ladder;
    real *x;                  /* moved by the check */
    const real *start;        /* x as it was */
    const double *y;          /* [points] f there */
};

static void fill_ladder(struct fer_ladder *ladder, double size)
{
    static const double parts[FER_STEPS / 2] = {16, 1, 0x1p-4, 0x1p-8, 0x1p-16};
    static const double distances[FER_DISTANCES] = {0.02, 1, 32, 1024};
    int i;
    for (i = 0; i < FER_STEPS / 2; i++) {
        ladder->step[2 * i] = size / 29 * parts[i];
        ladder->step[2 * i + 1] = ladder->step[2 * i] * 0.37;
    }
    for (i = 0; i < FER_DISTANCES; i++) ladder->distance[i] = 0x1.3p-20 * size * distances[i];
}

static void add(struct points *p, size_t index, double value)
{
    p->index[p->points] = index;
    p->value[p->points++] = (double)(real)value;
}

/* The points, in the file's order: for each sample the steps, halved and halved again, to the right and to the left. */
static int list_points(struct points *p, uint64_t seed, struct fer_error *e)
{
    const size_t each = (size_t)2 * FER_LEVELS * FER_STEPS, noise = (size_t)FER_NOISE_POINTS * FER_DISTANCES;
    const size_t fit = MOST_NUMBERS / (p->count * each);
    size_t i, most;
    int k, level;
    p->samples = p->count < MOST_SAMPLES ? p->count : MOST_SAMPLES;
    if (fit < p->samples) p->samples = fit > 0 ? fit : 1;
    most = 1 + p->samples * each + FER_NOISY_ELEMENTS * noise;
    p->index = fer_allocate(most, sizeof *p->index, e);
    p->value = p->index ? fer_allocate(most, sizeof *p->value, e) : NULL;
    if (!p->value) return -1;
    fill_ladder(&p->ladder, fer_gradcheck_size(p->start, p->count));
    add(p, 0, (double)p->start[0]);
    for (i = 0; i < p->samples; i++) {
        const size_t at = fer_gradcheck_sample(p->count, p->samples, i, seed);
        const double here = (double)p->start[at];
        for (k = 0; k < FER_STEPS; k++)
            for (level = 0; level < FER_LEVELS; level++) {
                const double step = p->ladder.step[k] / (1 << level);
                add(p, at, here + ((double)(real)(here + step) - here));
                add(p, at, here - (here - (double)(real)(here - step)));
            }
    }
    for (i = 0; i < FER_NOISY_ELEMENTS && i < p->samples; i++) {
        const size_t at = fer_gradcheck_sample(p->count, p->samples, i * (p->samples - 1) / FER_NOISY_ELEMENTS, seed);
        for (k = 0; k < FER_DISTANCES; k++)
            for (level = 0; level < FER_NOISE_POINTS; level++)
                add(p, at, (double)p->start[at] + p->ladder.distance[k] * (level - FER_NOISE_POINTS / 2));
    }
    return 0;
}

/* f at the point where x stands now; NaN: nobody was asked. */
static double look_up(void *context)
{
    const struct points *p = context;
    size_t at = 0, i;
    while (at < p->count && p->x[at] == p->start[at]) at++;
    if (at == p->count) return p->y[0];
    for (i = 1; i < p->points; i++)
        if (p->index[i] == at && p->value[i] == (double)p->x[at]) return p->y[i];
    return NAN;
}

static void free_points(struct points *p)
{
    fer_free(p->index);
    fer_free(p->value);
}

/* ---- Files ---- */

/* An array's values; NULL with the reason. `like` (NULL: anything): it must have as many. */
static real *read_array(struct fer_npz *npz, const char *name, const struct fer_array **array, struct fer_error *e)
{
    real *values;
    *array = fer_npz_find(npz, name);
    if (!*array && strcmp(name, "x") == 0 && fer_npz_count(npz) == 1) *array = fer_npz_find(npz, "");
    if (!*array || (*array)->count == 0)
        return fer_npz_fail(npz, *array, e, *array ? "is empty" : "no array %s: it is needed", name), NULL;
    values = fer_allocate((*array)->count, sizeof *values, e);
    if (values && fer_npz_read(npz, *array, values, e)) return fer_free(values), NULL;
    return values;
}

static int write_points(const struct points *p, const struct fer_array *x, const char *out, struct fer_error *e)
{
    struct fer_npz_writer *writer;
    size_t shape[FER_MAX_DIMS] = {p->points}, i;
    real *all = fer_allocate(p->points * p->count, sizeof *all, e);
    int failed;
    if (!all) return -1;
    memcpy(shape + 1, x->shape, (size_t)x->dims * sizeof *shape);
    for (i = 0; i < p->points; i++) {
        memcpy(all + i * p->count, p->start, p->count * sizeof *all);
        all[i * p->count + p->index[i]] = (real)p->value[i];
    }
    failed = fer_npz_create(&writer, out, e);
    if (!failed) {
        fer_npz_write(writer, "points", FER_REAL_TYPE, x->dims + 1, shape, all, e);
        failed = fer_npz_commit(writer, e);
    }
    fer_free(all);
    return failed;
}

int fer_gradcheck_points(const char *in, const char *out, size_t *points, struct fer_error *e)
{
    struct points p = {0};
    const struct fer_array *x;
    struct fer_npz *npz;
    real *start;
    int failed;
    if (fer_file_apart(out, in, e) || fer_npz_open(&npz, in, e)) return -1;
    p.start = start = read_array(npz, "x", &x, e);
    failed = !start;
    if (!failed && x->dims >= FER_MAX_DIMS) failed = fer_npz_fail(npz, x, e, "has too many dimensions");
    if (!failed) p.count = x->count;
    failed = failed || list_points(&p, 0, e) || write_points(&p, x, out, e);
    *points = p.points;
    free_points(&p);
    fer_free(start);
    fer_npz_close(npz);
    return failed ? -1 : 0;
}

/* f at every point: y as it is, or where that is several numbers a point, <dy, y>. */
static double *read_values(struct fer_npz *npz, size_t points, struct fer_error *e)
{
    const struct fer_array *about, *about_dy;
    real *y = read_array(npz, "y", &about, e), *dy = NULL;
    double *f = y ? fer_allocate(points, sizeof *f, e) : NULL;
    const size_t each = y ? about->count / points : 0;
    size_t i;
    int failed = !f;
    if (!failed && (about->dims < 1 || about->shape[0] != points))
        failed = fer_npz_fail(npz, about, e, "expected a value of f for each of %zu points, of x as it is here",
                              points);
    if (!failed && each > 1) {
        dy = read_array(npz, "dy", &about_dy, e);
        failed = !dy;
        if (dy && about_dy->count != each)
            failed = fer_npz_fail(npz, about_dy, e, "expected %zu values, as y has", each);
    }
    for (i = 0; i < points && !failed; i++) f[i] = each > 1 ? fer_gradcheck_dot(each, dy, y + i * each) : (double)y[i];
    fer_free(y);
    fer_free(dy);
    if (!failed) return f;
    fer_free(f);
    return NULL;
}

static int check(struct points *p, struct fer_npz *npz, const real *dx, struct fer_gradcheck *result,
                 struct fer_error *e)
{
    const struct fer_gradcheck_known known = {&p->ladder, 0, FER_LEVELS, 0};
    double *y;
    int failed;
    if (list_points(p, 0, e)) return -1;
    p->y = y = read_values(npz, p->points, e);
    p->x = y ? fer_allocate(p->count, sizeof *p->x, e) : NULL;
    if (!p->x) return fer_free(y), -1;
    memcpy(p->x, p->start, p->count * sizeof *p->x);
    failed = fer_gradcheck_known(look_up, p, p->x, dx, p->count, p->samples, 0, 0, &known, result, e);
    result->calls = p->points;
    fer_free(p->x);
    fer_free(y);
    return failed;
}

int fer_gradcheck_values(const char *path, struct fer_gradcheck *result, struct fer_error *e)
{
    const struct fer_array *about, *about_dx;
    struct points p = {0};
    struct fer_npz *npz;
    real *start, *dx = NULL;
    int failed;
    if (fer_npz_open(&npz, path, e)) return -1;
    p.start = start = read_array(npz, "x", &about, e);
    if (start) dx = read_array(npz, "dx", &about_dx, e);
    failed = !dx;
    if (dx && about_dx->count != about->count)
        failed = fer_npz_fail(npz, about_dx, e, "expected %zu values, as x has", about->count);
    if (!failed) p.count = about->count;
    failed = failed || check(&p, npz, dx, result, e);
    free_points(&p);
    fer_free(start);
    fer_free(dx);
    fer_npz_close(npz);
    return failed ? -1 : 0;
}
