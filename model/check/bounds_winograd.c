/* bounds_winograd.c - how far rounding can take a convolution by Winograd's algorithm F(M x M, 3 x 3): of 3x3
 * kernels, stride 1, no dilation, no groups.
 *
 * It computes a tile of M x M outputs from M + 2 x M + 2 inputs d (Lavin and Gray, arXiv:1509.09308) as
 *
 *     A^T [sum over channels of (G w G^T) * (B^T d B)] A
 *
 * These are other products than the convolution's, larger ones, which cancel in the end. So an error is measured by all
 * of the tile that an output may lie in, no cell of which is farther than M + 1 from it:
 *
 *     A_w = sum over w of |w| times the largest |x| of its channel within M + 1 cells
 *
 * With c channels there are c sums of products, two transforms of M + 2 terms each way, and at most c + 2M + 4
 * roundings of a term; what the transforms make of A_w is the largest absolute sum over
 * |A^T| (|G||w||G^T| * |B^T||d||B|) |A|:
 *
 *     |error| <= (c + 2M + 4) kappa u A_w      kappa = 16, 860, 2600 for M = 2, 4, 6                            proven
 *     |error| <= 8 sqrt(c) rho u A_w           rho   =  3,  80,  160                                            likely
 *
 * with points 0, 1, -1; 2, -2; 1/2, -1/2 (M = 6: 1565, and up to 2600 as engines scale the transforms' rows). rho is
 * measured: products of random signs cancel. */
#include "verify.h"

#include <math.h>

int fer_winograd_applies(const struct fer_window *g)
{
    return g->kernel_h == 3 && g->kernel_w == 3 && g->stride_h == 1 && g->stride_w == 1 && g->dilation_h == 1 &&
           g->dilation_w == 1 && g->groups == 1;
}

struct fer_bound fer_winograd_bound(const struct fer_arithmetic *a, int tile, size_t channels, double magnitude)
{
    static const double kappas[] = {0, 16, 860, 2600}, rhos[] = {0, 3, 80, 160}; /* by half of M */
    const double u = a->sum + a->factor * (2 + a->factor), c = (double)channels;
    struct fer_bound b;
    b.proven = (c + 2 * tile + 4) * kappas[tile / 2] * u * magnitude;
    b.likely = 8 * sqrt(c) * rhos[tile / 2] * u * magnitude;
    return b;
}

/* The largest |x| within `reach` cells along one axis, of which neighbours are `step` elements apart. */
static void spread(size_t count, size_t size, size_t step, size_t reach, const real *x, real *most)
{
    size_t i, k;
    for (i = 0; i < count; i++) {
        const size_t place = i / step % size, first = place > reach ? place - reach : 0;
        const size_t last = place + reach < size ? place + reach : size - 1;
        most[i] = 0;
        for (k = first; k <= last; k++) {
            const real other = x[i - (place - k) * step] < 0 ? -x[i - (place - k) * step] : x[i - (place - k) * step];
            if (!(other <= most[i])) most[i] = other;
        }
    }
}

/* The place in an array of `size` cells that lies `offset` from place i in another, or the nearest to it. */
static size_t place_of(size_t i, long offset, size_t size)
{
    const long place = (long)i + offset;
    return place < 0 ? 0 : (size_t)place < size ? (size_t)place : size - 1;
}

/* y[n][oh][ow][co] = sum over ci of most[n][ih][iw][ci] weights[ci][co], (ih, iw) the cell that lies `offset` from
 * (oh, ow). */
static void add_up(size_t n, const size_t from[3], const size_t to[3], const long offset[2], const real *most,
                   const real *weights, real *y)
{
    size_t cell, ci, co;
#pragma omp parallel for private(ci, co)
    for (cell = 0; cell < n * to[0] * to[1]; cell++) {
        const size_t image = cell / (to[0] * to[1]), oh = cell / to[1] % to[0], ow = cell % to[1];
        const size_t ih = place_of(oh, offset[0], from[0]), iw = place_of(ow, offset[1], from[1]);
        const real *x = most + ((image * from[0] + ih) * from[1] + iw) * from[2];
        for (co = 0; co < to[2]; co++) y[cell * to[2] + co] = 0;
        for (ci = 0; ci < from[2]; ci++)
            for (co = 0; co < to[2]; co++) y[cell * to[2] + co] += x[ci] * weights[ci * to[2] + co];
    }
}

int fer_winograd_magnitude(const struct fer_window *g, int tile, int backward, const real *x, const real *kernel,
                           real *magnitude, struct fer_error *e)
{
    const size_t in[3] = {g->in_h, g->in_w, g->in_c}, out[3] = {g->out_h, g->out_w, g->out_c};
    const size_t *from = backward ? out : in, *to = backward ? in : out, reach = (size_t)tile + 1;
    const size_t count = g->n * from[0] * from[1] * from[2], pairs = g->in_c * g->out_c;
    const long centre[2] = {1 - (long)g->pad_top, 1 - (long)g->pad_left}, back[2] = {-centre[0], -centre[1]};
    real *rows = fer_allocate(2 * count + pairs, sizeof *rows, e), *most, *weights;
    size_t i;
    if (!rows) return -1;
    most = rows + count, weights = most + count;
    spread(count, from[0], from[1] * from[2], reach, x, rows);
    spread(count, from[1], from[2], reach, rows, most);
    for (i = 0; i < 9 * pairs; i++) {
        const size_t ci = i % pairs / g->out_c, co = i % g->out_c;
        weights[backward ? co * g->in_c + ci : ci * g->out_c + co] += kernel[i] < 0 ? -kernel[i] : kernel[i];
    }
    add_up(g->n, from, to, backward ? back : centre, most, weights, magnitude);
    fer_free(rows);
    return 0;
}
