/* chain_back.c - what each kind of layer, as a gradient goes back through it, does to the gradient's errors
 * (chain.h): E proven, e likely of the element, c likely and common to its channel. Kinds without a row here move
 * elements, or scale each by a number: they do to the errors what they do to the gradient (chain_gradient.c). What
 * the layer rounds itself has the bound of an array that is there.
 *
 *     convolution, dense   E <- sum |w| E, e <- sqrt(sum w^2 e^2), c <- sqrt(sum |w| S c^2), S the taps' sum of |w|
 *     activations          the slope at what was recorded, or recomputed with its error: where that error moves the
 *                          slope by d, as it does at a kink where the sign of x is not sure, |dy| d more (likely twice
 *                          that, once in a while a sign does turn)
 *     maxima               whichever cell may be the largest may have the window's gradient
 *     averages             E and c averaged back; e^2 too, since all cells of a window have one error
 *     BatchNormalization   see below */
#include "chain.h"
#include "functions.h"

#include "../../layers/layers.h"

#include <math.h>
#include <string.h>

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Room for `pieces` arrays of `count` numbers, one behind the other. NULL: no memory, or something else is missing. */
static real *hold(struct fer_verification *v, size_t pieces, size_t count)
{
    return fer_verify_ready(v) ? fer_verify_hold(v, pieces * count) : NULL;
}

/* ---- Convolution, Dense ---- */

/* What is common to a channel meets the sum of the taps: so many times the sum of their squares. */
static real of_common(real sum, real squares)
{
    return sum * sum > squares ? sum * sum / squares : 1;
}

int fer_back_linear(struct fer_verification *v, const struct fer_layer *layer, int i, const struct fer_state *dy,
                    struct fer_state *dx)
{
    const struct fer_parameter *p = fer_layer_parameter(&v->net, layer, "kernel");
    const struct fer_window g = fer_verify_window(v, layer);
    const size_t joins = g.in_c / g.groups * g.out_c; /* pairs of channels */
    real *w = fer_verify_load_own(v, layer, "kernel"), *squares = hold(v, 1, p->count), *sums = hold(v, 1, joins);
    real *of_squares = hold(v, 1, joins), *error = hold(v, 1, dy->count), *part = hold(v, 1, dx->count);
    size_t k;
    (void)i;
    if (!w || !part) return -1;
    for (k = 0; k < p->count; k++) {
        sums[k % joins] += w[k];
        squares[k] = w[k] * w[k];
        of_squares[k % joins] += squares[k];
        w[k] = (real)fabs(w[k]);
    }
    fer_convolve_input(&g, dy->E, w, part);
    for (k = 0; k < dx->count; k++) dx->E[k] += part[k];
    for (k = 0; k < dy->count; k++) error[k] = dy->e[k] * dy->e[k];
    fer_convolve_input(&g, error, squares, part);
    for (k = 0; k < dx->count; k++) dx->e[k] += part[k];
    for (k = 0; k < dy->count; k++) error[k] = dy->c[k] * dy->c[k];
    for (k = 0; k < p->count; k++) w[k] = squares[k] * of_common(sums[k % joins], of_squares[k % joins]);
    fer_convolve_input(&g, error, w, part);
    for (k = 0; k < dx->count; k++) dx->c[k] += part[k];
    return 0;
}

/* ---- Activations ---- */

/* The slope at the output (or input) `at`, and the most that errors d of `at` change it. room[3][count]. */
static void find_slopes(struct fer_verification *v, const struct fer_layer *layer, const struct fer_state *at,
                        const real *d, real *slope, real *change, real *room)
{
    const real *x = v->options->relu_at_zero && fer_functions[layer->type].bends ? v->state[layer->input[0]].v : NULL;
    real *one = room, *moved = room + at->count, *other = room + 2 * at->count;
    size_t k;
    int side;
    for (k = 0; k < at->count; k++) one[k] = 1, change[k] = 0;
    fer_verify_compute_backward(v, layer, 0, at->v, one, slope);
    for (k = 0; x && k < at->count; k++)
        if (x[k] == 0) slope[k] = 1;
    for (side = -1; side <= 1; side += 2) {
        for (k = 0; k < at->count; k++) moved[k] = at->v[k] + (real)side * d[k];
        fer_verify_compute_backward(v, layer, 0, moved, one, other);
        for (k = 0; k < at->count; k++) change[k] = (real)larger((double)change[k], fabs(other[k] - slope[k]));
    }
}

int fer_back_activation(struct fer_verification *v, const struct fer_layer *layer, int i, const struct fer_state *dy,
                        struct fer_state *dx)
{
    const int self = (int)(layer - v->net.layer);
    struct fer_state room;
    const struct fer_state *at =
        fer_state_closed(v, &v->state[fer_kinds[layer->type].backward_reads_input ? i : self], &room);
    real *slope = hold(v, 5, dx->count), *change;
    size_t k;
    if (!at || !slope) return -1;
    change = slope + dx->count;
    find_slopes(v, layer, at, at->E, slope, change, change + dx->count);
    for (k = 0; k < dx->count; k++)
        dx->E[k] += (real)(fabs(slope[k]) * dy->E[k] + change[k] * (fabs(dy->v[k]) + dy->E[k]));
    find_slopes(v, layer, at, at->e, slope, change, change + dx->count);
    for (k = 0; k < dx->count; k++) {
        const double most = fabs(slope[k]) + change[k], turned = 2 * change[k] * dy->v[k];
        dx->e[k] += (real)(most * dy->e[k] * most * dy->e[k] + turned * turned);
        dx->c[k] += (real)(most * dy->c[k] * most * dy->c[k]);
    }
    return 0;
}

/* ---- Maxima ---- */

/* One window's gradient dy, with its error E, goes to whichever cell may be the largest: x + d reaches every other
 * x - d. Equal ones without an error are a doubt where any of them will do. Adds to error[]; likely: the square of
 * twice dy. */
static void doubt_window(const struct fer_window *g, size_t out, const real *x, const real *d, double dy, double E,
                         int likely, int any, real *error)
{
    const size_t c = out % g->out_c, cell = out / g->out_c, n = cell / (g->out_w * g->out_h);
    const struct fer_cells seen = fer_window_inputs(g, cell / g->out_w % g->out_h, cell % g->out_w);
    double least = -INFINITY, most_d = 0;
    size_t h, w, pass, may = 0;
    for (h = seen.top; h < seen.bottom; h++)
        for (w = seen.left; w < seen.right; w++) {
            const size_t at = in_at(g, n, h, w, c);
            least = larger(least, (double)x[at] - (double)d[at]);
        }
    for (pass = 0; pass < 2; pass++)
        for (h = seen.top; h < seen.bottom; h++)
            for (w = seen.left; w < seen.right; w++) {
                const size_t at = in_at(g, n, h, w, c);
                if ((double)x[at] + (double)d[at] < least) continue;
                if (pass == 0) may++, most_d = larger(most_d, (double)d[at]);
                if (pass && may > 1 && (most_d > 0 || any)) error[at] += (real)(likely ? 4 * dy * dy : fabs(dy) + E);
            }
}

int fer_back_maximum(struct fer_verification *v, const struct fer_layer *layer, int i, const struct fer_state *dy,
                    struct fer_state *dx)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    struct fer_state room;
    const struct fer_state *x = fer_state_closed(v, &v->state[i], &room);
    char name[FER_MAX_ARRAY];
    size_t out;
    int any;
    if (!x) return -1;
    /* What was not shown may be ordered otherwise: padding is a zero beside others here, in PyTorch it is below all. */
    fer_output_name(&v->net, i, "", name);
    any = v->options->ties == FER_TIES_ANY || !fer_verify_held(v, name);
    for (out = 0; out < dy->count; out++) { /* a cell that adds up windows rounds each so often at most */
        const double rounded = (double)(g.kernel_h * g.kernel_w) * v->arithmetic.sum * fabs(dy->v[out]);
        doubt_window(&g, out, x->v, x->E, (double)dy->v[out], (double)dy->E[out] + rounded, 0, any, dx->E);
        doubt_window(&g, out, x->v, x->e, (double)dy->v[out], 0, 1, any, dx->e);
    }
    return 0;
}

/* ---- Averages ---- */

int fer_back_average(struct fer_verification *v, const struct fer_layer *layer, int i, const struct fer_state *dy,
                     struct fer_state *dx)
{
    const struct fer_window g = fer_layer_window(layer, (size_t)v->n);
    real *squares = hold(v, 1, dy->count), *part = hold(v, 1, dx->count);
    size_t k;
    (void)i;
    if (!part) return -1;
    fer_average_pooling2d_backward(&g, dy->E, part);
    for (k = 0; k < dx->count; k++) dx->E[k] += part[k];
    for (k = 0; k < dy->count; k++) squares[k] = dy->e[k] * dy->e[k];
    fer_average_pooling2d_backward(&g, squares, part);
    for (k = 0; k < dx->count; k++) dx->e[k] += part[k];
    fer_average_pooling2d_backward(&g, dy->c, part);
    for (k = 0; k < dx->count; k++) dx->c[k] += part[k] * part[k];
    return 0;
}

/* ---- Dropout: where input and output are 0, nothing says whether the element was kept ---- */

int fer_back_dropout(struct fer_verification *v, const struct fer_layer *layer, int i, const struct fer_state *dy,
                     struct fer_state *dx)
{
    const real *x = v->state[i].v, *y = v->state[layer - v->net.layer].v;
    size_t k;
    for (k = 0; k < dx->count && !layer->inference && layer->rate > 0; k++) {
        const double kept = dy->v[k] / (1 - layer->rate);
        if (x[k] != 0 || y[k] != 0) continue;
        dx->E[k] += (real)(fabs(kept) + dy->E[k] / (1 - layer->rate));
        dx->e[k] += (real)(kept * kept);
    }
    return 0;
}

/* ---- Softmax, as an activation: dx = y (dy - sum of dy y) ---- */

static double softmax_error(size_t classes, size_t k, const real *y, const real *of_y, const real *dy,
                            const real *of_dy)
{
    double sum = 0, error = (double)of_dy[k];
    size_t j;
    for (j = 0; j < classes; j++) {
        sum += dy[j] * y[j];
        error += y[j] * of_dy[j] + fabs(dy[j]) * of_y[j] + of_y[j] * of_dy[j];
    }
    return ((double)y[k] + (double)of_y[k]) * error + of_y[k] * fabs(dy[k] - sum);
}

int fer_back_softmax(struct fer_verification *v, const struct fer_layer *layer, int i, const struct fer_state *dy,
                     struct fer_state *dx)
{
    const size_t classes = layer->channels;
    struct fer_state room;
    const struct fer_state *y = fer_state_closed(v, &v->state[layer - v->net.layer], &room);
    real *zeros = hold(v, 1, classes);
    size_t row, k;
    (void)i;
    if (!y || !zeros) return -1;
    for (row = 0; row < dx->count; row += classes)
        for (k = 0; k < classes; k++) {
            const double e = softmax_error(classes, k, y->v + row, y->e + row, dy->v + row, dy->e + row);
            const double c = softmax_error(classes, k, y->v + row, zeros, dy->v + row, dy->c + row);
            dx->E[row + k] += (real)softmax_error(classes, k, y->v + row, y->E + row, dy->v + row, dy->E + row);
            dx->e[row + k] += (real)(e * e);
            dx->c[row + k] += (real)(c * c);
        }
    return 0;
}

/* ---- Multiply: dx of one input is dy times the others, summed over the cells where it has but one ---- */

/* The layer's factors: values, errors, and room for one array of each. */
struct factors {
    size_t cells[FER_MAX_INPUTS], count[FER_MAX_INPUTS];
    const struct fer_state *x[FER_MAX_INPUTS];
    struct fer_state room[FER_MAX_INPUTS];
    real *moved[FER_MAX_INPUTS];
};

/* What input k gets from dy when the factors are those in moved[]. */
static void multiply_back(const struct fer_verification *v, const struct fer_layer *layer, const struct factors *f,
                          int k, const real *dy, real *part)
{
    real *dx[FER_MAX_INPUTS] = {NULL};
    dx[k] = part;
    fer_multiply_backward((size_t)v->n, layer->channels, layer->inputs, f->cells, layer->height * layer->width,
                          (const real *const *)f->moved, dy, dx);
}

/* Of input k. Proven: the product of (|x| + E) less that of |x|; likely: a root over the factors, and what a factor
 * of one cell errs by is common to all cells. */
static void multiply_errors(struct fer_verification *v, const struct fer_layer *layer, struct factors *f, int k,
                            const struct fer_state *dy, struct fer_state *dx, real *of_dy, real *part)
{
    const size_t cells = layer->height * layer->width;
    size_t i;
    int j, other, with;
    for (with = 1; with >= 0; with--) {
        for (j = 0; j < layer->inputs; j++)
            for (i = 0; i < f->count[j]; i++)
                f->moved[j][i] = (real)(fabs(f->x[j]->v[i]) + with * (double)f->x[j]->E[i]);
        for (i = 0; i < dy->count; i++) of_dy[i] = (real)(fabs(dy->v[i]) + with * (double)dy->E[i]);
        multiply_back(v, layer, f, k, of_dy, part);
        for (i = 0; i < dx->count; i++) dx->E[i] += with ? part[i] : -part[i];
    }
    multiply_back(v, layer, f, k, dy->c, part); /* moved[] is |x| */
    for (i = 0; i < dx->count; i++) dx->c[i] += part[i] * part[i];
    for (other = -1; other < layer->inputs; other++) { /* -1: dy */
        real *to = other >= 0 && f->cells[other] < cells ? dx->c : dx->e;
        if (other == k) continue;
        for (j = 0; j < layer->inputs; j++)
            for (i = 0; i < f->count[j]; i++) {
                const real x = j == other ? f->x[j]->e[i] : f->x[j]->v[i];
                f->moved[j][i] = x * x;
            }
        for (i = 0; i < dy->count; i++) of_dy[i] = other < 0 ? dy->e[i] * dy->e[i] : dy->v[i] * dy->v[i];
        multiply_back(v, layer, f, k, of_dy, part);
        for (i = 0; i < dx->count; i++) to[i] += part[i];
    }
}

int fer_back_multiply(struct fer_verification *v, const struct fer_layer *layer, int i, const struct fer_state *dy,
                      struct fer_state *dx)
{
    real *of_dy = hold(v, 1, dy->count), *part = hold(v, 1, dx->count);
    struct factors *f = fer_allocate(1, sizeof *f, v->e);
    int k, failed = !part || !f;
    if (!f) v->failed = 1;
    for (k = 0; k < layer->inputs && !failed; k++) {
        const struct fer_layer *from = &v->net.layer[layer->input[k]];
        f->cells[k] = from->height * from->width;
        f->count[k] = fer_layer_count(from, (size_t)v->n);
        f->x[k] = fer_state_closed(v, &v->state[layer->input[k]], &f->room[k]);
        f->moved[k] = fer_verify_hold(v, f->count[k]);
        failed = !f->x[k] || !f->moved[k];
    }
    for (k = 0; k < layer->inputs && !failed; k++)
        if (layer->input[k] == i) multiply_errors(v, layer, f, k, dy, dx, of_dy, part);
    fer_free(f);
    return failed ? -1 : 0;
}

/* ---- BatchNormalization ---- */

/* In training mode dx = gamma s (dy - a - h b), h = (x - m) s, a = mean(dy), b = mean(dy h). With what errors of x
 * do to s and h (fer_shift_of: R, r, h's error E_h, its own part s e_x and its common ones s mean(e_x) and h r), and
 * errors of dy:
 *
 *     a: mean(E),   mean(e + c) = ea            b: mean((|h| + E_h) E + E_h |dy|),   mean(|h| (e + c) + |dy| e_h) = eb
 *     E <- |gamma| s ((1 + R) (E + mean(E) + (|h| + E_h) error of b + E_h |b|) + R |dy - a - h b|)
 *     e <- |gamma| s sqrt(e^2 + (s e_x b)^2)
 *     c <- |gamma| s sqrt(c^2 + ea^2 + (h eb)^2 + (s mean(e_x) b)^2 + (h r b)^2 + (r (dy - a - h b))^2)
 *
 * With statistics that are given dx = gamma s dy, and so are its errors. */
struct of_channel {
    struct fer_shift t;
    double a, b, E_a, E_b; /* averages, and what they are off by, proven; ... */
    double ea, eb, eh;     /* ... by e, by what errors of x do to h; ... */
    double ca, cb, shrink; /* ... by c; and how much smaller than the root of squares that comes out */
};

/* The square of what c leaves of itself, a and b taken off. */
static double back_common(const struct of_channel *o, double h, double c)
{
    return c * c + o->ca * o->ca + h * o->cb * h * o->cb;
}

static struct of_channel channel_of(const struct fer_state *x, const struct fer_state *dy, size_t channels, size_t c,
                                    double epsilon)
{
    struct of_channel o = {.t = fer_shift_of(x, channels, c, epsilon)};
    const double rows = (double)(x->count / channels);
    double before = 0, behind = 0;
    size_t k;
    for (k = c; k < x->count; k += channels) {
        const double h = (x->v[k] - o.t.mean) * o.t.scale, size = fabs(dy->v[k]), e = dy->e[k], common = dy->c[k];
        const double E_h = fer_shift_proven(&o.t, h, (double)x->E[k]), mean_e = o.t.scale * o.t.mean_e;
        const double e_x = o.t.scale * x->e[k], e_h = sqrt(e_x * e_x + mean_e * mean_e + h * o.t.r * h * o.t.r);
        o.a += dy->v[k] / rows;
        o.b += dy->v[k] * h / rows;
        o.E_a += dy->E[k] / rows;
        o.E_b += ((fabs(h) + E_h) * dy->E[k] + E_h * size) / rows;
        o.ea += e * e, o.eb += h * e * h * e;
        o.eh += size * e_h / rows;
        o.ca += common / rows, o.cb += fabs(h) * common / rows;
        before += common * common;
    }
    o.ea = 3 * sqrt(o.ea) / rows, o.eb = 3 * sqrt(o.eb) / rows;
    for (k = c; k < x->count; k += channels)
        behind += back_common(&o, (x->v[k] - o.t.mean) * o.t.scale, (double)dy->c[k]);
    o.shrink = behind > before ? before / behind : 1;
    return o;
}

static void back_channel(const struct fer_state *x, const struct fer_state *dy, struct fer_state *dx, size_t channels,
                         size_t c, const struct of_channel *o, double gamma)
{
    const struct fer_shift *t = &o->t;
    const double s = fabs(gamma) * t->scale, mean_e = t->scale * t->mean_e * o->b;
    size_t k;
    for (k = c; k < x->count; k += channels) {
        const double h = (x->v[k] - t->mean) * t->scale, inner = dy->v[k] - o->a - h * o->b;
        const double E_h = fer_shift_proven(t, h, (double)x->E[k]), own = t->scale * x->e[k] * o->b;
        const double E = (1 + t->R) * (dy->E[k] + o->E_a + (fabs(h) + E_h) * o->E_b + E_h * fabs(o->b));
        const double of_s = t->r * inner, of_b = h * (o->eb + o->eh), of_h = h * t->r * o->b;
        dx->E[k] += (real)(s * (E + (t->R > 0 ? t->R * fabs(inner) : 0)));
        dx->e[k] += (real)(s * s * dy->e[k] * dy->e[k]);
        dx->c[k] += (real)(s * s * (o->shrink * back_common(o, h, (double)dy->c[k]) + o->ea * o->ea + of_b * of_b +
                                    own * own + mean_e * mean_e + of_h * of_h + of_s * of_s));
    }
}

int fer_back_batch_normalization(struct fer_verification *v, const struct fer_layer *layer, int i,
                                 const struct fer_state *dy, struct fer_state *dx)
{
    const real *gamma = fer_verify_load_own(v, layer, "gamma"), *variance = fer_verify_load_own(v, layer, "variance");
    const int given = !fer_layer_takes_statistics(layer);
    struct fer_state room;
    const struct fer_state *x = fer_state_closed(v, &v->state[i], &room);
    size_t c, k;
    if (!x || (given && !variance)) return -1;
    for (c = 0; c < layer->channels; c++) {
        const double gain = gamma ? (double)gamma[c] : 1;
        const double s = given ? fabs(gain) / sqrt((double)variance[c] + layer->epsilon) : 0;
        struct of_channel o;
        if (!given) {
            o = channel_of(x, dy, layer->channels, c, layer->epsilon);
            back_channel(x, dy, dx, layer->channels, c, &o, gain);
        }
        for (k = c; given && k < dx->count; k += layer->channels) {
            dx->E[k] += (real)(s * dy->E[k]);
            dx->e[k] += (real)(s * dy->e[k] * s * dy->e[k]);
            dx->c[k] += (real)(s * dy->c[k] * s * dy->c[k]);
        }
    }
    return 0;
}
