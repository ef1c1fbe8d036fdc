/* ties.c - the gradient of max pooling where a window has several equal maxima, as after a ReLU, when whole windows
 * are zero.
 *
 * fer sends a window's gradient to the first of them; a backend that sends it to another is as right. Which one it was
 * is read from its result: for each cell, the windows that may have sent it their gradient are known (of 3x3 windows
 * two apart, at most four), and that subset of them is taken whose sum comes nearest to what the backend has. Whether
 * each window was counted once is then seen from the whole: in every channel of every image the chosen gradients must
 * add up to those of all windows. (So what stays unseen is a window that was left out while others that add up to the
 * same were counted twice.) */
#include "verify.h"

static double magnitude_of(double x)
{
    return x < 0 ? -x : x;
}

/* One channel of one image. */
struct plane {
    const struct fer_window *g;
    const real *x, *dy; /* at the channel's first element */
    size_t start;       /* the place of its first cell in arrays of the input's shape */
};

static size_t cell_at(const struct plane *p, size_t ih, size_t iw)
{
    return (ih * p->g->in_w + iw) * p->g->in_c;
}

static double gradient_at(const struct plane *p, size_t oh, size_t ow)
{
    return (double)p->dy[(oh * p->g->out_w + ow) * p->g->in_c];
}

/* The windows that see a cell, in row-major order; at most MOST of them are looked at. */
enum { MOST = 16 };
struct sender {
    double gradient;
    int may, must; /* the cell is a maximum of the window; the only one */
    int first;     /* the first one */
};

/* What window (oh, ow) can send to cell (ih, iw). */
static struct sender look(const struct plane *p, size_t oh, size_t ow, size_t ih, size_t iw)
{
    const struct fer_window *g = p->g;
    const real here = p->x[cell_at(p, ih, iw)];
    struct sender s = {0, 1, 1, 1};
    size_t kh, kw;
    for (kh = 0; kh < g->kernel_h; kh++)
        for (kw = 0; kw < g->kernel_w; kw++) {
            const size_t h = oh * g->stride_h + kh - g->pad_top, w = ow * g->stride_w + kw - g->pad_left;
            real other;
            if (h >= g->in_h || w >= g->in_w || (h == ih && w == iw)) continue; /* also where h or w wraps around */
            other = p->x[cell_at(p, h, w)];
            if (other > here || other != other) s.may = 0;
            if (other >= here || other != other) s.must = 0;
            if (other == here && (h < ih || (h == ih && w < iw))) s.first = 0;
        }
    s.gradient = gradient_at(p, oh, ow);
    s.must &= s.may;
    s.first &= s.may;
    return s;
}

/* Along one axis: the outputs *from ... *to see input i. */
static void outputs_over(size_t i, size_t pad, size_t kernel, size_t stride, size_t out, size_t *from, size_t *to)
{
    *from = i + pad + 1 > kernel ? (i + pad - kernel + stride) / stride : 0;
    *to = (i + pad) / stride < out - 1 ? (i + pad) / stride : out - 1;
}

static int senders_of(const struct plane *p, size_t ih, size_t iw, struct sender sender[MOST])
{
    const struct fer_window *g = p->g;
    size_t oh, ow, h0, h1, w0, w1;
    int count = 0;
    outputs_over(ih, g->pad_top, g->kernel_h, g->stride_h, g->out_h, &h0, &h1);
    outputs_over(iw, g->pad_left, g->kernel_w, g->stride_w, g->out_w, &w0, &w1);
    for (oh = h0; oh <= h1; oh++)
        for (ow = w0; ow <= w1 && count < MOST; ow++) sender[count++] = look(p, oh, ow, ih, iw);
    return count;
}

/* The sum of the senders that are in the set (bit i: sender i). */
static double sum_of(const struct sender *sender, int count, unsigned set)
{
    double sum = 0;
    int i;
    for (i = 0; i < count; i++)
        if (set >> i & 1) sum += sender[i].gradient;
    return sum;
}

/* The set of senders, all that must and some that may, whose sum is nearest to `target`. */
static unsigned nearest_set(const struct sender *sender, int count, double target)
{
    unsigned set, must = 0, may = 0, best;
    int i;
    for (i = 0; i < count; i++) {
        must |= (unsigned)sender[i].must << i;
        may |= (unsigned)sender[i].may << i;
    }
    best = must;
    for (set = must; set < 1u << count; set++)
        if ((set & must) == must && (set & ~may) == 0 &&
            magnitude_of(sum_of(sender, count, set) - target) < magnitude_of(sum_of(sender, count, best) - target))
            best = set;
    return best;
}

static unsigned first_set(const struct sender *sender, int count)
{
    unsigned set = 0;
    int i;
    for (i = 0; i < count; i++) set |= (unsigned)sender[i].first << i;
    return set;
}

/* Chooses for each cell; the sets go to s->part. Returns whether they add up to what all windows send. */
static int choose(const struct plane *p, struct fer_sums *s, const struct fer_arithmetic *a, const real *claimed)
{
    const struct fer_window *g = p->g;
    struct sender sender[MOST];
    double sent = 0, received = 0, slack = 0;
    size_t h, w;
    int i, count;
    for (h = 0; h < g->out_h; h++)
        for (w = 0; w < g->out_w; w++) {
            sent += gradient_at(p, h, w);
            slack += 1e-12 * magnitude_of(gradient_at(p, h, w));
        }
    for (h = 0; h < g->in_h; h++)
        for (w = 0; w < g->in_w; w++) {
            const size_t at = p->start + cell_at(p, h, w);
            unsigned set;
            count = senders_of(p, h, w, sender);
            set = nearest_set(sender, count, (double)claimed[at] - (double)s->truth[at]);
            s->part[at] = (real)set;
            received += sum_of(sender, count, set);
            for (i = 0; i < count; i++) /* where there was a choice, rounding may have turned it by twice the bound */
                if (sender[i].may && !sender[i].must)
                    slack += 2 * fer_sums_bound(s, a, at).proven + 8 * a->sum * magnitude_of(sender[i].gradient);
        }
    return magnitude_of(sent - received) <= slack;
}

/* Adds the chosen gradients, or those that the first maxima get. */
static void add_chosen(const struct plane *p, struct fer_sums *s, int chosen)
{
    const struct fer_window *g = p->g;
    struct sender sender[MOST];
    size_t ih, iw;
    int i;
    for (ih = 0; ih < g->in_h; ih++)
        for (iw = 0; iw < g->in_w; iw++) {
            const size_t at = p->start + cell_at(p, ih, iw);
            const int count = senders_of(p, ih, iw, sender);
            const unsigned set = chosen ? (unsigned)s->part[at] : first_set(sender, count);
            int taken = 0;
            for (i = 0; i < count; i++) {
                if (!(set >> i & 1)) continue;
                s->truth[at] += (real)sender[i].gradient;
                s->magnitude[at] += (real)magnitude_of(sender[i].gradient);
                if (taken++) s->roundings[at] += 1;
            }
        }
}

void fer_sums_add_any_max_input(struct fer_sums *s, const struct fer_arithmetic *a, const struct fer_window *g,
                                const real *x, const real *dy, const real *claimed)
{
    const size_t cells = g->in_h * g->in_w, outs = g->out_h * g->out_w, channels = g->in_c;
    size_t task;
#pragma omp parallel for
    for (task = 0; task < g->n * channels; task++) {
        const size_t image = task / channels, c = task % channels;
        struct plane p;
        p.g = g;
        p.x = x + image * cells * channels + c;
        p.dy = dy + image * outs * channels + c;
        p.start = image * cells * channels + c;
        add_chosen(&p, s, choose(&p, s, a, claimed));
    }
    fer_sums_begin_maxima(s, a, g, dy);
}
