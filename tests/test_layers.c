/* test_layers.c - what must hold for every layer whatever the numbers are:
 *     - layers/fast/ has the bits of the plain loops in layers/ (plain.c), over several hundred random geometries and any number of
 *       threads; the files without a twin have the bits of a second, shorter way to say the same, given here;
 *     - with small integers, where every sum is exact, the integers that 64-bit arithmetic gives, and the identities of
 *       linear algebra (linearity, <A x, y> = <x, A' y>) without any tolerance;
 *     - symmetries: images, channels and pixels that change places, to the bit;
 *     - NaN and infinity go where IEEE arithmetic sends them, and nowhere else.
 * A failure names its round and geometry; rounds do not depend on one another. */
#include "greatest.h"
#include "plain.h"
#include "../layers/fast/tile.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#ifdef FER_DOUBLE
static const double unit = DBL_EPSILON / 2; /* the unit roundoff of real */
#else
static const double unit = FLT_EPSILON / 2;
#endif

/* ---- memory, numbers, comparisons ---- */

static void *owned[64];
static int owned_count;

static void release(void *unused)
{
    (void)unused;
    while (owned_count) free(owned[--owned_count]);
}

/* A block of exactly this size, so that a sanitizer sees the write beside it. */
static void *block(size_t count, size_t size)
{
    void *memory = malloc(count ? count * size : 1);
    if (!memory || owned_count == (int)(sizeof owned / sizeof *owned)) {
        fprintf(stderr, "test_layers: no memory for %.0f numbers\n", (double)count);
        exit(2);
    }
    return owned[owned_count++] = memory;
}

/* For results: filled with a number that no layer may leave standing. */
static real *array(size_t count)
{
    real *x = block(count, sizeof *x);
    size_t i;
    for (i = 0; i < count; i++) x[i] = (real)-123456789;
    return x;
}

static uint64_t stream;

static void start(int round)
{
    stream = (uint64_t)fer_draw(2013, FER_FOR_CHECKS, 0, (uint64_t)round) << 32 |
             fer_draw(2013, FER_FOR_CHECKS, 1, (uint64_t)round);
}

static uint32_t next(void)
{
    stream = stream * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(stream >> 32);
}

/* 0 ... n - 1 */
static size_t below(size_t n)
{
    return (size_t)(((uint64_t)next() * n) >> 32);
}

/* Between -1 and 1, with all digits that `real` has; one of sixteen is 0. */
static real *random_reals(size_t count)
{
    real *x = array(count);
    size_t i;
    for (i = 0; i < count; i++) {
        const double high = next() / 2147483648.0 - 1, low = next() / 9223372036854775808.0;
        x[i] = below(16) ? (real)(high + low) : (real)0;
    }
    return x;
}

/* Multiples of `step` between -limit*step and limit*step. */
static real *random_integers(size_t count, int limit, long step)
{
    real *x = array(count);
    size_t i;
    for (i = 0; i < count; i++) x[i] = (real)(((long)below(2 * (size_t)limit + 1) - limit) * step);
    return x;
}

/* A few NaN, infinities, large numbers and minus zeros among them. */
static void sprinkle(real *x, size_t count)
{
    const double strange[] = {HUGE_VAL, -HUGE_VAL, 1e30, -1e30, 1e-38, HUGE_VAL - HUGE_VAL, -0.0};
    int i;
    for (i = 0; i < 3; i++) {
        const size_t at = below(count);
        x[at] = (real)strange[below(7)];
    }
}

/* Makes the first and the middle row large and opposite. Between the two a sum over the rows loses digits, behind them it
 * does not, so that its order shows even in double. */
static void cancel(real *x, size_t rows, size_t width)
{
    size_t c;
    for (c = 0; c < width && rows > 1; c++) {
        x[c] *= (real)1099511627776.0;
        x[rows / 2 * width + c] = -x[c];
    }
}

static char where[256], note[512];

/* Whether a and b are the same to the bit; any NaN equals any NaN. If not, `note` says where. */
static int same(const char *what, const real *a, const real *b, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) && (a[i] == a[i] || b[i] == b[i])) {
            snprintf(note, sizeof note, "%s: %s[%.0f] is %.17g, not %.17g", where, what, (double)i, (double)a[i],
                     (double)b[i]);
            return 0;
        }
    return 1;
}

static int same_integers(const char *what, const real *a, const int64_t *b, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (a[i] != (real)b[i]) {
            snprintf(note, sizeof note, "%s: %s[%.0f] is %.17g, not %.17g", where, what, (double)i, (double)a[i],
                     (double)b[i]);
            return 0;
        }
    return 1;
}

static int within(const char *what, double value, double truth, double bound)
{
    snprintf(note, sizeof note, "%s: %s is %.17g, not %.17g; bound %g", where, what, value, truth, bound);
    return fabs(value - truth) <= bound;
}

/* The inner product of integers. */
static int64_t product(const real *a, const real *b, size_t count)
{
    int64_t sum = 0;
    size_t i;
    for (i = 0; i < count; i++) sum += (int64_t)a[i] * (int64_t)b[i];
    return sum;
}

/* x[outer][count][inner] with the middle axis turned round. */
static real *reversed(const real *x, size_t outer, size_t count, size_t inner)
{
    real *y = array(outer * count * inner);
    size_t o, i;
    for (o = 0; o < outer; o++)
        for (i = 0; i < count; i++)
            memcpy(y + (o * count + i) * inner, x + (o * count + count - 1 - i) * inner, inner * sizeof *x);
    return y;
}

/* a + factor * b */
static real *combined(const real *a, int factor, const real *b, size_t count)
{
    real *sum = array(count);
    size_t i;
    for (i = 0; i < count; i++) sum[i] = a[i] + (real)factor * b[i];
    return sum;
}

/* for (i = 0; threads(round, i); i++): what is computed there is computed with 1, 2, 3 and 8 threads in every tenth round,
 * with one of these numbers in the others; or once if there is no OpenMP. */
static int threads(int round, int i)
{
#ifdef _OPENMP
    static const int counts[] = {1, 2, 3, 8};
    const int more = i < (round % 10 ? 1 : 4);
    omp_set_num_threads(more ? counts[(round + i) % 4] : 1);
    return more;
#else
    (void)round;
    return i < 1;
#endif
}

/* ---- geometries ---- */

static size_t in_size(const struct fer_window *g)
{
    return (size_t)g->n * (size_t)g->in_h * (size_t)g->in_w * (size_t)g->in_c;
}

static size_t out_size(const struct fer_window *g)
{
    return (size_t)g->n * (size_t)g->out_h * (size_t)g->out_w * (size_t)g->out_c;
}

static size_t kernel_size(const struct fer_window *g)
{
    return g->kernel_h * g->kernel_w * (g->in_c / g->groups) * g->out_c;
}

static void describe(int round, const struct fer_window *g)
{
    snprintf(where, sizeof where,
             "round %d, x[%zu][%zu][%zu][%zu] to y[%zu][%zu][%zu], window %zux%zu, strides %zu,%zu, padding %zu,%zu,%zu,%zu, "
             "dilation %zu,%zu, %zu groups%s", round, g->n, g->in_h, g->in_w, g->in_c, g->out_h, g->out_w, g->out_c,
             g->kernel_h, g->kernel_w, g->stride_h, g->stride_w, g->pad_top, g->pad_bottom, g->pad_left, g->pad_right,
             g->dilation_h, g->dilation_w, g->groups, g->count_padding ? ", padding counts" : "");
}

/* Up to 5 images of up to 17x17x70, windows up to 7x7, strides up to 3, any padding, and at most `work` products; every
 * other round with the options that not every framework has. in_c equals out_c for a pooling. */
static void random_window(int round, int pooling, double work, struct fer_window *g)
{
    start(round);
    for (;;) {
        const size_t n = 1 + below(5), in_h = 1 + below(17), in_w = 1 + below(17);
        size_t in_c = 1 + below(70);
        struct fer_window_options o = {0};
        o.out_c = 1 + below(70);
        o.kernel_h = 1 + below(7), o.kernel_w = 1 + below(7);
        o.stride_h = 1 + below(3), o.stride_w = 1 + below(3);
        o.padding = below(2) ? FER_SAME : FER_VALID;
        o.pooling = pooling;
        if (round % 2) {
            o.padding = (enum fer_padding)below(4);
            o.dilation_h = below(4), o.dilation_w = below(4);
            o.ceil = (int)below(2), o.count_padding = (int)below(2);
            o.top = below(5), o.bottom = below(5), o.left = below(5), o.right = below(5);
            if (!pooling && below(2)) { /* depthwise, or some groups */
                o.groups = below(3) ? 1 + below(6) : in_c;
                o.out_c = o.groups * (1 + below(12));
                in_c = o.groups == in_c ? in_c : o.groups * (1 + below(12));
            }
        }
        if (fer_window_fill(g, n, in_h, in_w, in_c, &o, NULL)) continue;
        if ((double)(out_size(g) * o.kernel_h * o.kernel_w * (pooling ? in_h * in_w : in_c)) <= work) break;
    }
    describe(round, g);
}

/* Windows of a convolution: first those at whose sizes the loops of conv2d.c change their course, then random ones. */
static void conv2d_window(int round, struct fer_window *g)
{
    static const size_t border[][9] = {
        /* n, h, w, ci, co, kernel h and w, stride, SAME */
        {1, 16, 16, 2, 3, 3, 3, 1, 1}, {1, 17, 15, 3, 2, 3, 3, 1, 1}, {1, 257, 1, 2, 2, 3, 1, 1, 1},
        {5, 17, 17, 3, 5, 3, 3, 1, 1}, {5, 17, 17, 5, 3, 2, 3, 1, 0}, {3, 31, 33, 1, 4, 5, 5, 2, 1},
        {1, 3, 3, 255, 4, 1, 1, 1, 1}, {1, 3, 3, 256, 5, 3, 1, 1, 1}, {1, 3, 3, 257, 3, 1, 2, 1, 1},
        {1, 2, 3, 4, 255, 1, 3, 1, 1}, {1, 3, 2, 5, 256, 2, 1, 1, 0}, {1, 2, 2, 3, 257, 1, 1, 1, 1},
        {1, 2, 2, 520, 7, 1, 1, 1, 1}, {1, 2, 2, 7, 520, 1, 1, 1, 1}, {1, 2, 3, 64, 64, 1, 1, 1, 1},
        {1, 2, 3, 65, 63, 1, 1, 1, 1}, {1, 2, 3, 63, 65, 1, 1, 1, 1}, {1, 1, 1, 130, 129, 1, 1, 1, 1},
        {1, 1, 1, 1, 1, 1, 1, 1, 0},   {1, 1, 1, 4, 16, 7, 7, 3, 1},  {2, 4, 4, 15, 17, 3, 3, 2, 1},
        {9, 1, 1, 17, 15, 3, 3, 1, 1}, {1, 2, 2, 9, 32, 7, 7, 1, 1},  {700, 1, 1, 3, 2, 1, 1, 1, 0},
        {2, 1, 300, 2, 3, 1, 5, 3, 1}, {1, 40, 40, 3, 17, 1, 1, 1, 0}};
    const int borders = (int)(sizeof border / sizeof *border);
    if (round >= borders) {
        random_window(round, 0, 1e6, g);
    } else {
        const size_t *b = border[round];
        start(round);
        fer_window_set(g, b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[7], b[8] ? FER_SAME : FER_VALID, NULL);
        describe(round, g);
    }
}

TEST windows_have_tensorflows_sizes(void)
{
    static const struct {
        size_t in, kernel, stride;
        enum fer_padding padding;
        size_t out, pad;
    } expected[] = {/* computed by hand from TensorFlow's rule */
                    {128, 3, 2, FER_SAME, 64, 0}, {64, 3, 2, FER_SAME, 32, 0}, {7, 3, 2, FER_SAME, 4, 1},
                    {32, 3, 2, FER_VALID, 15, 0}, {15, 3, 2, FER_VALID, 7, 0}, {7, 7, 1, FER_SAME, 7, 3},
                    {6, 4, 1, FER_SAME, 6, 1},    {5, 2, 1, FER_SAME, 5, 0},   {1, 7, 1, FER_SAME, 1, 3},
                    {1, 6, 5, FER_SAME, 1, 2},    {7, 1, 3, FER_SAME, 3, 0},   {7, 2, 3, FER_SAME, 3, 0},
                    {8, 5, 3, FER_SAME, 3, 1},    {3, 3, 1, FER_VALID, 1, 0},  {8, 2, 3, FER_VALID, 3, 0},
                    {7, 2, 3, FER_VALID, 2, 0},   {2, 5, 2, FER_SAME, 1, 1},   {3, 5, 2, FER_SAME, 2, 2}};
    size_t i;
    for (i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct fer_window high, wide;
        const size_t in = expected[i].in, kernel = expected[i].kernel, stride = expected[i].stride;
        ASSERT_EQ_FMT(0, fer_window_set(&high, 2, in, 40, 3, 5, kernel, 4, stride, 1, expected[i].padding, NULL), "%d");
        ASSERT_EQ_FMT(0, fer_window_set(&wide, 2, 40, in, 3, 5, 4, kernel, 1, stride, expected[i].padding, NULL), "%d");
        ASSERT_EQ_FMT(expected[i].out, high.out_h, "%zu");
        ASSERT_EQ_FMT(expected[i].pad, high.pad_top, "%zu");
        ASSERT_EQ_FMT(expected[i].out, wide.out_w, "%zu");
        ASSERT_EQ_FMT(expected[i].pad, wide.pad_left, "%zu");
        ASSERT(high.out_w == (expected[i].padding == FER_SAME ? 40 : 37));
        if (expected[i].padding == FER_SAME) { /* the last window ends at the padding's end, or before the image's */
            const size_t end = (high.out_h - 1) * stride + kernel;
            ASSERT_EQ_FMT(end > in ? end : in, high.pad_top + in + high.pad_bottom, "%zu");
            ASSERT_EQ_FMT(high.pad_bottom, wide.pad_right, "%zu");
        } else
            ASSERT(high.pad_bottom == 0 && wide.pad_right == 0);
        ASSERT(high.n == 2 && high.in_h == in && high.in_w == 40 && high.in_c == 3 && high.out_c == 5);
        ASSERT(high.kernel_h == kernel && high.kernel_w == 4 && high.stride_h == stride && high.stride_w == 1);
    }
    PASS();
}

TEST impossible_windows_are_refused(void)
{
    static const size_t good[9] = {2, 8, 8, 3, 5, 3, 3, 1, 1};
    struct fer_window g;
    struct fer_error e;
    size_t s[9];
    int i;
    for (i = 0; i < 18; i++) { /* each size in turn 0, then what -1 becomes */
        memcpy(s, good, sizeof s);
        s[i % 9] = i < 9 ? 0 : (size_t)-1;
        e.text[0] = 0;
        ASSERT_EQ(-1, fer_window_set(&g, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], FER_SAME, &e));
        ASSERT(e.text[0]);
    }
    ASSERT_EQ(-1, fer_window_set(&g, 1, 2, 8, 1, 1, 3, 3, 1, 1, FER_VALID, &e));
    ASSERT_EQ(-1, fer_window_set(&g, 1, 8, 2, 1, 1, 3, 3, 1, 1, FER_VALID, &e));
    ASSERT_EQ(-1, fer_window_set(&g, 2147483647, 2147483647, 2147483647, 64, 1, 3, 3, 1, 1, FER_SAME, &e));
    ASSERT_EQ(-1, fer_window_set(&g, 1, 1, 1, 2147483647, 2147483647, 2147483647, 3, 1, 1, FER_SAME, &e));
    ASSERT_EQ(-1, fer_window_set(&g, 1, 8, 8, 1, 1, 2147483647, 3, 2147483647, 1, FER_SAME, &e));
    ASSERT_EQ(-1, fer_window_set(&g, 1, 8, 8, 1, 1, 2147483647, 3, 2147483647, 1, FER_VALID, &e));
    PASS();
}

static int fills(size_t n, size_t h, size_t w, size_t c, const struct fer_window_options *o)
{
    struct fer_window g;
    return fer_window_fill(&g, n, h, w, c, o, NULL) == 0;
}

/* What an axis adds up to (input, window with its dilation, stride, padding) is 10^9 at most, whichever of them is large. */
TEST a_cell_number_never_overflows(void)
{
    static const struct fer_window_options given = {.out_c = 1, .kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .padding = FER_EXPLICIT};
    const size_t all = 1000000000;
    size_t more;
    for (more = 0; more < 2; more++) {
        struct fer_window_options o[10];
        int i;
        for (i = 0; i < 10; i++) o[i] = given;
        o[0].stride_h = all - 6 + more, o[1].stride_w = all - 6 + more;
        o[2].top = all - 7 + more, o[3].bottom = all - 7 + more, o[4].left = all - 7 + more, o[5].right = all - 7 + more;
        for (i = 6; i < 10; i++) o[i].padding = FER_SAME;
        o[6].kernel_h = 2, o[6].dilation_h = all / 2 - 3 + more, o[7].kernel_w = 2, o[7].dilation_w = all / 2 - 3 + more;
        o[8].kernel_h = o[9].kernel_w = all - 6 + more;
        for (i = 0; i < 10; i++) ASSERT_EQ_FMT(more == 0, fills(1, 5, 5, 1, &o[i]), "%d");
        ASSERT_EQ(more == 0, fills(1, all - 2 + more, 1, 1, &given));
        ASSERT_EQ(more == 0, fills(1, 1, all - 2 + more, 1, &given));
    }
    PASS();
}

/* Input, output and kernel each have as many bytes as half of the addresses, and with any size doubled no room any more. */
TEST an_array_can_always_be_addressed(void)
{
    const size_t most = (size_t)1 << (sizeof(real) == 4 ? 61 : 60), large = 1u << 20, small = 1u << 10;
    int i;
    if (sizeof(size_t) < 8) SKIPm("of 64-bit addresses");
    for (i = -1; i < 12; i++) {
        size_t s[12] = {large, large, small, most / large / large / small, /* input */
                        large, large, small, most / large / large / small, /* output */
                        large, small, small, most / large / small / small /* kernel */};
        struct fer_window_options in = {.out_c = 1, .kernel_h = 1, .kernel_w = 1, .stride_h = large, .stride_w = small}, out = in, kernel = in;
        in.padding = out.padding = kernel.padding = FER_SAME;
        if (i >= 0) s[i] *= 2;
        in.stride_h = s[1], in.stride_w = s[2];
        out.stride_h = out.stride_w = 1, out.out_c = s[7];
        kernel.kernel_h = s[8], kernel.kernel_w = s[9], kernel.out_c = s[11];
        ASSERT_EQ_FMT(i < 0 || i >= 4, fills(s[0], s[1], s[2], s[3], &in), "%d");
        ASSERT_EQ_FMT(i < 4 || i >= 8, fills(s[4], s[5], s[6], 1, &out), "%d");
        ASSERT_EQ_FMT(i < 8, fills(1, 1, 1, s[10], &kernel), "%d");
        kernel.pooling = 1; /* has no kernel */
        ASSERT(fills(1, 1, 1, s[10], &kernel));
        kernel.pooling = 0, kernel.groups = 2; /* half of it */
        ASSERT(fills(1, 1, 1, s[10], &kernel));
    }
    PASS();
}

/* One axis, by hand from the rules of ONNX (SAME_LOWER, ceil_mode), PyTorch (ceil_mode) and TensorFlow (dilation). */
TEST windows_have_the_sizes_that_were_asked_for(void)
{
    static const struct {
        size_t in, kernel, stride, dilation;
        enum fer_padding padding;
        size_t before, behind;
        int pooling, ceil;
        size_t out, pad; /* out 0: refused */
        const char *reason;
    } expected[] = {
        {6, 3, 2, 1, FER_SAME_LOWER, 0, 0, 0, 0, 3, 1, ""},
        {7, 2, 2, 1, FER_SAME_LOWER, 0, 0, 1, 1, 4, 1, ""},
        {9, 3, 1, 2, FER_SAME, 0, 0, 0, 0, 9, 2, ""},
        {9, 3, 1, 2, FER_VALID, 0, 0, 0, 0, 5, 0, ""},
        {5, 3, 1, 3, FER_VALID, 0, 0, 0, 0, 0, 0, "an input 5 %s does not hold a window of 7 without padding"},
        {5, 3, 1, 3, FER_EXPLICIT, 1, 1, 0, 0, 1, 1, ""},
        {4, 3, 2, 1, FER_EXPLICIT, 5, 6, 0, 0, 7, 5, ""}, /* windows that see nothing */
        {6, 3, 2, 1, FER_VALID, 0, 0, 1, 0, 2, 0, ""},
        {6, 3, 2, 1, FER_VALID, 0, 0, 1, 1, 3, 0, ""},
        {3, 4, 2, 1, FER_VALID, 0, 0, 1, 1, 1, 0, ""},
        {1, 3, 2, 1, FER_VALID, 0, 0, 1, 1, 0, 0, "an input 1 %s does not hold a window of 3 without padding"},
        {1, 4, 2, 1, FER_EXPLICIT, 0, 1, 1, 0, 0, 0, "an input 1 %s, with 0 and 1 cells of padding, does not hold a window of 4"},
        {2, 2, 2, 1, FER_EXPLICIT, 1, 1, 1, 1, 2, 1, ""},
        {3, 2, 2, 1, FER_EXPLICIT, 1, 0, 1, 1, 2, 1, ""}, /* a third window would begin behind the image */
        {3, 1, 3, 1, FER_VALID, 0, 0, 1, 1, 1, 0, ""},
        {4, 2, 1, 1, FER_EXPLICIT, 2, 0, 1, 0, 0, 0, "a window of 2 would lie wholly in the padding, 2 and 0 cells: expected less padding"},
        {4, 2, 1, 1, FER_EXPLICIT, 0, 2, 1, 0, 0, 0, "a window of 2 would lie wholly in the padding, 0 and 2 cells: expected less padding"},
        {5, 3, 1, (size_t)-1, FER_SAME, 0, 0, 0, 0, 0, 0, "an input of 5x40, a window of 3x1, its strides, dilation or padding are too large"},
        {5, 3, 1, 1, FER_EXPLICIT, (size_t)-1, 2, 0, 0, 0, 0, "an input of 5x40, a window of 3x1, its strides, dilation or padding are too large"},
        {5, 3, 1, 1, FER_EXPLICIT, 2, 999999990, 0, 0, 0, 0, "an input of 5x40, a window of 3x1, its strides, dilation or padding are too large"},
    };
    size_t i;
    for (i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct fer_window_options high = {0}, wide;
        struct fer_window g;
        struct fer_error e = {""};
        char reason[200];
        snprintf(where, sizeof where, "row %zu", i);
        high.out_c = 2, high.kernel_h = expected[i].kernel, high.kernel_w = 1, high.stride_h = expected[i].stride;
        high.stride_w = 1, high.dilation_h = expected[i].dilation, high.padding = expected[i].padding;
        high.top = expected[i].before, high.bottom = expected[i].behind;
        high.pooling = expected[i].pooling, high.ceil = expected[i].ceil;
        wide = high;
        wide.kernel_w = high.kernel_h, wide.kernel_h = 1, wide.stride_w = high.stride_h, wide.stride_h = 1;
        wide.dilation_w = high.dilation_h, wide.dilation_h = 0;
        wide.left = high.top, wide.right = high.bottom, wide.top = wide.bottom = 0;
        ASSERT_EQm(where, expected[i].out ? 0 : -1, fer_window_fill(&g, 1, expected[i].in, 40, 2, &high, &e));
        snprintf(reason, sizeof reason, expected[i].reason, "high");
        if (expected[i].out) ASSERTm(where, g.out_h == expected[i].out && g.pad_top == expected[i].pad && g.out_w == 40);
        ASSERT_STR_EQm(where, reason, e.text);
        ASSERT_EQm(where, expected[i].out ? 0 : -1, fer_window_fill(&g, 1, 40, expected[i].in, 2, &wide, NULL));
        if (expected[i].out) ASSERTm(where, g.out_w == expected[i].out && g.pad_left == expected[i].pad && g.out_h == 40);
    }
    PASS();
}

TEST groups_must_divide_the_channels(void)
{
    struct fer_window_options o = {.out_c = 6, .kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .groups = 3};
    struct fer_window g;
    struct fer_error e;
    ASSERT_EQ(0, fer_window_fill(&g, 1, 2, 2, 9, &o, &e));
    ASSERT(g.groups == 3 && g.dilation_h == 1 && g.dilation_w == 1);
    ASSERT_EQ(-1, fer_window_fill(&g, 1, 2, 2, 8, &o, &e));
    ASSERT_STR_EQ("8 channels in and 6 out do not fall into 3 groups: expected multiples of it", e.text);
    o.out_c = 7;
    ASSERT_EQ(-1, fer_window_fill(&g, 1, 2, 2, 9, &o, &e));
    PASS();
}

/* ---- the bits of the plain loops ---- */

/* Either way's results at each number of threads, against the plain ones of a single thread. */
static int conv2d_agrees(int round, const struct fer_window *g, const real *x, const real *kernel, const real *dy)
{
    real *y = array(out_size(g)), *dx = array(in_size(g)), *dkernel = array(kernel_size(g));
    int i, fine = 1;
    plain_conv2d_forward(g, x, kernel, y);
    plain_conv2d_backward_input(g, dy, kernel, dx);
    plain_conv2d_backward_kernel(g, x, dy, dkernel);
    for (i = 0; threads(round, i); i++) {
        real *y2 = array(out_size(g)), *dx2 = array(in_size(g)), *dkernel2 = array(kernel_size(g));
        fer_conv2d_forward(g, x, kernel, y2);
        fer_conv2d_backward_input(g, dy, kernel, dx2);
        fer_conv2d_backward_kernel(g, x, dy, dkernel2);
        fine = fine && same("y", y2, y, out_size(g)) && same("dx", dx2, dx, in_size(g)) &&
               same("dkernel", dkernel2, dkernel, kernel_size(g));
        plain_conv2d_forward(g, x, kernel, y2);
        plain_conv2d_backward_input(g, dy, kernel, dx2);
        plain_conv2d_backward_kernel(g, x, dy, dkernel2);
        fine = fine && same("plain y", y2, y, out_size(g)) && same("plain dx", dx2, dx, in_size(g)) &&
               same("plain dkernel", dkernel2, dkernel, kernel_size(g));
    }
    return fine;
}

TEST conv2d_has_the_plain_bits(void)
{
    int round;
    for (round = 0; round < 400; round++) {
        struct fer_window g;
        real *x, *kernel, *dy;
        conv2d_window(round, &g);
        fer_tile_limit(round / 3 % FER_TILE_VARIANTS);
        x = random_reals(in_size(&g));
        kernel = random_reals(kernel_size(&g));
        dy = random_reals(out_size(&g));
        if (round % 3 == 1 &&
            in_size(&g) * (size_t)g.out_c == out_size(&g) * (size_t)g.in_c) { /* as many cells in as out */
            const size_t cells = out_size(&g) / (size_t)g.out_c;
            cancel(dy, cells, (size_t)g.out_c);
            memmove(x + cells / 2 * (size_t)g.in_c, x, (size_t)g.in_c * sizeof *x);
        }
        if (round % 3 == 2) sprinkle(x, in_size(&g)), sprinkle(kernel, kernel_size(&g)), sprinkle(dy, out_size(&g));
        ASSERTm(note, conv2d_agrees(round, &g, x, kernel, dy));
        release(NULL);
    }
    fer_tile_limit(FER_TILE_VARIANTS - 1);
    PASS();
}

/* Each variant that this processor has, against the chain of the definition. Random factors are not round, so a product
 * that is fused with its sum shows in most of them. */
TEST tile_has_its_bits_in_each_variant(void)
{
    enum { COUNT = 60 };
    int variant, r, c, k;
    for (variant = 0; variant < FER_TILE_VARIANTS; variant++) {
        struct fer_tile t = {COUNT, 1, FER_TILE_WIDTH, NULL, {NULL}, {NULL}};
        real *sums, *expected;
        start(variant);
        fer_tile_limit(variant);
        t.panel = random_reals(COUNT * FER_TILE_WIDTH), sums = random_reals(FER_TILE_ROWS * FER_TILE_WIDTH);
        expected = array(FER_TILE_ROWS * FER_TILE_WIDTH);
        for (r = 0; r < FER_TILE_ROWS; r++) {
            t.factor[r] = random_reals(COUNT), t.sum[r] = sums + r * FER_TILE_WIDTH;
            for (c = 0; c < FER_TILE_WIDTH; c++) {
                volatile real sum = t.sum[r][c], product;
                for (k = 0; k < COUNT; k++) product = t.factor[r][k] * t.panel[k * FER_TILE_WIDTH + c], sum = sum + product;
                expected[r * FER_TILE_WIDTH + c] = sum;
            }
        }
        fer_tile()(&t);
        ASSERTm(fer_tile_names[fer_tile_variant()], same("tile", sums, expected, FER_TILE_ROWS * FER_TILE_WIDTH));
        release(NULL);
    }
    fer_tile_limit(FER_TILE_VARIANTS - 1);
    PASS();
}

static int pooling_agrees(int round, const struct fer_window *g, const real *x, const real *dy)
{
    real *y = array(out_size(g)), *dx = array(in_size(g)), *average_y = array(out_size(g)), *average_dx = array(in_size(g));
    int i, fine = 1;
    plain_max_pooling2d_forward(g, x, y);
    plain_max_pooling2d_backward(g, x, dy, dx);
    plain_average_pooling2d_forward(g, x, average_y);
    plain_average_pooling2d_backward(g, dy, average_dx);
    for (i = 0; threads(round, i); i++) {
        real *y2 = array(out_size(g)), *dx2 = array(in_size(g));
        fer_max_pooling2d_forward(g, x, y2);
        fer_max_pooling2d_backward(g, x, dy, dx2);
        fine = fine && same("max y", y2, y, out_size(g)) && same("max dx", dx2, dx, in_size(g));
        fer_average_pooling2d_forward(g, x, y2);
        fer_average_pooling2d_backward(g, dy, dx2);
        fine = fine && same("average y", y2, average_y, out_size(g)) && same("average dx", dx2, average_dx, in_size(g));
        plain_max_pooling2d_forward(g, x, y2);
        plain_max_pooling2d_backward(g, x, dy, dx2);
        fine = fine && same("plain max y", y2, y, out_size(g)) && same("plain max dx", dx2, dx, in_size(g));
        plain_average_pooling2d_forward(g, x, y2);
        plain_average_pooling2d_backward(g, dy, dx2);
        fine = fine && same("plain average y", y2, average_y, out_size(g)) &&
               same("plain average dx", dx2, average_dx, in_size(g));
    }
    return fine;
}

/* Every other round with few different values, so that maxima are often equal. */
TEST pooling_has_the_plain_bits(void)
{
    int round;
    for (round = 0; round < 300; round++) {
        struct fer_window g;
        real *x, *dy;
        random_window(round, 1, 3e6, &g);
        x = round % 2 ? random_integers(in_size(&g), 1, 1) : random_reals(in_size(&g));
        dy = random_reals(out_size(&g));
        if (round % 3 == 2) sprinkle(x, in_size(&g)), sprinkle(dy, out_size(&g));
        ASSERTm(note, pooling_agrees(round, &g, x, dy));
        release(NULL);
    }
    PASS();
}

TEST global_average_pooling2d_is_a_window_as_large_as_the_image(void)
{
    int round, i;
    for (round = 0; round < 50; round++) {
        struct fer_window g;
        size_t n, cells, channels, in, out, k;
        real *x, *dy, *y, *dx;
        start(round);
        n = 1 + below(5), cells = 1 + below(100), channels = 1 + below(70);
        snprintf(where, sizeof where, "round %d, x[%zu][%zu][%zu]", round, n, cells, channels);
        out = n * channels, in = out * cells;
        x = random_reals(in), dy = random_reals(out), y = array(out), dx = array(in);
        if (round % 3 == 2) sprinkle(x, in), sprinkle(dy, out);
        fer_window_set(&g, n, cells, 1, channels, channels, cells, 1, 1, 1, FER_VALID, NULL);
        plain_average_pooling2d_forward(&g, x, y);
        for (k = 0; k < in; k++) /* dx[n][cell][c] = dy[n][c] / cells */
            dx[k] = dy[k / (cells * g.in_c) * g.in_c + k % g.in_c] / (real)cells;
        for (i = 0; threads(round, i); i++) {
            real *y2 = array(out), *dx2 = array(in);
            fer_global_average_pooling2d_forward(n, cells, channels, x, y2);
            fer_global_average_pooling2d_backward(n, cells, channels, dy, dx2);
            ASSERTm(note, same("y", y2, y, out) && same("dx", dx2, dx, in));
        }
        release(NULL);
    }
    PASS();
}

/* Rounding has no say where all rows are equal: the mean is their value, the variance 0, y beta, whatever epsilon. */
TEST a_constant_channel_is_normalised_to_beta(void)
{
    int round;
    for (round = 0; round < 60; round++) {
        size_t rows, c, i;
        real *x, *y, *mean, *variance, *beta;
        start(round);
        rows = 1 + below(1000), c = 1 + below(300);
        snprintf(where, sizeof where, "round %d, x[%zu][%zu]", round, rows, c);
        x = random_reals(rows * c), y = array(rows * c), mean = array(c), variance = array(c), beta = random_reals(c);
        for (i = c; i < rows * c; i++) x[i] = x[i - c];
        for (i = 0; i < 2; i++) {
            (i ? plain_batch_moments : fer_batch_moments)(rows, c, x, mean, variance);
            fer_batch_normalization_forward(rows, c, x, mean, variance, NULL, beta, 1e-7, y);
            ASSERTm(note, same("mean", mean, x, c) && same("y", y, beta, c) && same("last row of y", y + (rows - 1) * c, beta, c));
        }
        for (i = 0; i < c; i++) ASSERTm(where, variance[i] == 0);
        x[(rows - 1) * c] += 1; /* a channel that is equal but for its last row is none */
        for (i = 0; i < 2 && rows > 1; i++) {
            (i ? plain_batch_moments : fer_batch_moments)(rows, c, x, mean, variance);
            ASSERTm(where, variance[0] > 0 && mean[0] > x[0]);
        }
        release(NULL);
    }
    PASS();
}

struct normalisation {
    size_t rows, channels;
    int training;
    real *x, *dy, *mean, *variance, *gamma, *beta;
};

/* Any of the optional arguments may be missing; statistics of the batch, or given ones. */
static void random_normalisation(int round, size_t channels, struct normalisation *b)
{
    size_t i;
    start(round);
    b->rows = 1 + below(round % 4 ? 60 : 3);
    b->channels = channels ? channels : 1 + below(70);
    b->training = below(3) > 0;
    snprintf(where, sizeof where, "round %d, x[%zu][%zu], training %d", round, b->rows, b->channels, b->training);
    b->x = random_reals(b->rows * b->channels);
    b->dy = random_reals(b->rows * b->channels);
    b->gamma = below(2) ? random_reals(b->channels) : NULL;
    b->beta = below(2) ? random_reals(b->channels) : NULL;
    b->mean = random_reals(b->channels);
    b->variance = random_reals(b->channels);
    for (i = 0; i < b->channels; i++) b->variance[i] *= b->variance[i];
    if (b->training) fer_batch_moments(b->rows, b->channels, b->x, b->mean, b->variance);
}

static int normalisation_agrees(int round, const struct normalisation *b)
{
    const size_t size = b->rows * b->channels, c = b->channels;
    real *y = array(size), *dx = array(size), *mean = array(c), *variance = array(c), *dgamma = array(c), *dbeta = array(c);
    int i, fine = 1;
    plain_batch_moments(b->rows, b->channels, b->x, mean, variance);
    plain_batch_normalization_forward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, b->beta, 1e-3, y);
    plain_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, b->training,
                                       b->dy, dx, dgamma, dbeta);
    for (i = 0; threads(round, i); i++) {
        real *y2 = array(size), *dx2 = array(size), *mean2 = array(c), *variance2 = array(c), *dgamma2 = array(c),
             *dbeta2 = array(c);
        fer_batch_moments(b->rows, b->channels, b->x, mean2, variance2);
        fer_batch_normalization_forward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, b->beta, 1e-3, y2);
        fer_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, b->training,
                                         b->dy, dx2, dgamma2, dbeta2);
        fine = fine && same("mean", mean2, mean, c) && same("variance", variance2, variance, c) && same("y", y2, y, size) &&
               same("dx", dx2, dx, size) && same("dgamma", dgamma2, dgamma, c) && same("dbeta", dbeta2, dbeta, c);
        plain_batch_moments(b->rows, b->channels, b->x, mean2, variance2);
        plain_batch_normalization_forward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, b->beta, 1e-3, y2);
        plain_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, b->training,
                                           b->dy, dx2, dgamma2, dbeta2);
        fine = fine && same("plain mean", mean2, mean, c) && same("plain variance", variance2, variance, c) &&
               same("plain y", y2, y, size) && same("plain dx", dx2, dx, size) && same("plain dgamma", dgamma2, dgamma, c) &&
               same("plain dbeta", dbeta2, dbeta, c);
        fer_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, b->training,
                                         b->dy, dx2, NULL, NULL);
        fine = fine && same("dx without dgamma and dbeta", dx2, dx, size);
        fer_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, b->training,
                                         b->dy, NULL, dgamma2, NULL);
        plain_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, b->training,
                                           b->dy, NULL, NULL, dbeta2);
        fine = fine && same("dgamma alone", dgamma2, dgamma, c) && same("plain dbeta alone", dbeta2, dbeta, c);
        memcpy(y2, b->x, size * sizeof *y2), memcpy(dx2, b->dy, size * sizeof *dx2);
        fer_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, b->training,
                                         dx2, dx2, dgamma2, dbeta2);
        fer_batch_normalization_forward(b->rows, b->channels, y2, b->mean, b->variance, b->gamma, b->beta, 1e-3, y2);
        fine = fine && same("y over x", y2, y, size) && same("dx over dy", dx2, dx, size) &&
               same("dgamma, dx over dy", dgamma2, dgamma, c);
        memcpy(y2, b->x, size * sizeof *y2), memcpy(dx2, b->dy, size * sizeof *dx2);
        plain_batch_normalization_backward(b->rows, b->channels, b->x, b->mean, b->variance, b->gamma, 1e-3, b->training,
                                           dx2, dx2, NULL, NULL);
        plain_batch_normalization_forward(b->rows, b->channels, y2, b->mean, b->variance, b->gamma, b->beta, 1e-3, y2);
        fine = fine && same("plain y over x", y2, y, size) && same("plain dx over dy", dx2, dx, size);
    }
    return fine;
}

TEST batch_normalization_has_the_plain_bits(void)
{
    int round;
    for (round = 0; round < 200; round++) {
        struct normalisation b;
        random_normalisation(round, 0, &b);
        if (round % 5 == 2) cancel(b.x, b.rows, b.channels);
        if (round % 5 == 3) { /* sum of dy, and of dy * x as x is the same there */
            cancel(b.dy, b.rows, b.channels);
            memmove(b.x + b.rows / 2 * b.channels, b.x, b.channels * sizeof *b.x);
        }
        if (round % 5 == 4) sprinkle(b.x, b.rows * b.channels), sprinkle(b.dy, b.rows * b.channels);
        ASSERTm(note, normalisation_agrees(round, &b));
        release(NULL);
    }
    PASS();
}

/* ---- files without a twin: each result by itself, with its sum in the stated order ---- */

static void weighted_means(size_t rows, size_t channels, const real *mean, const real *variance, double momentum,
                           int unbiased, real *moving_mean, real *moving_variance)
{
    size_t c;
    for (c = 0; c < channels; c++) {
        const double old_mean = (double)moving_mean[c], old_variance = (double)moving_variance[c];
        const double factor = unbiased && rows > 1 ? (double)rows / ((double)rows - 1) : 1;
        moving_mean[c] = (real)(old_mean * momentum + (double)mean[c] * (1 - momentum));
        moving_variance[c] = (real)(old_variance * momentum + (double)variance[c] * factor * (1 - momentum));
    }
}

TEST moving_statistics_are_weighted_means(void)
{
    int round, unbiased;
    for (round = 0; round < 100; round++) {
        struct normalisation b;
        random_normalisation(round, 0, &b);
        for (unbiased = 0; unbiased < 2; unbiased++) {
            const size_t c = b.channels;
            real *mean = random_reals(c), *variance = random_reals(c), *mean2 = array(c), *variance2 = array(c);
            memcpy(mean2, mean, c * sizeof *mean), memcpy(variance2, variance, c * sizeof *variance);
            weighted_means(b.rows, b.channels, b.mean, b.variance, 0.99, unbiased, mean, variance);
            fer_moving_statistics(b.rows, b.channels, b.mean, b.variance, 0.99, unbiased, mean2, variance2);
            ASSERTm(note, same("moving mean", mean2, mean, c) && same("moving variance", variance2, variance, c));
        }
        release(NULL);
    }
    PASS();
}

static void pass_positive(size_t count, const real *x, const real *dy, real *y, real *dx)
{
    size_t i;
    for (i = 0; i < count; i++) {
        const int passes = x[i] > 0 || x[i] != x[i]; /* a NaN passes */
        y[i] = passes ? x[i] : (real)0;
        dx[i] = passes ? dy[i] : (real)0;
    }
}

TEST relu_passes_what_is_positive(void)
{
    int round, i;
    for (round = 0; round < 30; round++) {
        size_t count;
        real *x, *dy, *y, *dx;
        start(round);
        count = 1 + below(3000);
        snprintf(where, sizeof where, "round %d, x[%zu]", round, count);
        x = random_reals(count), dy = random_reals(count), y = array(count), dx = array(count);
        sprinkle(x, count), sprinkle(dy, count);
        pass_positive(count, x, dy, y, dx);
        for (i = 0; threads(round, i); i++) {
            real *y2 = array(count), *dx2 = array(count), *dx_from_y = array(count);
            fer_relu_forward(count, x, y2);
            fer_relu_backward(count, x, dy, dx2);
            fer_relu_backward(count, y2, dy, dx_from_y);
            ASSERTm(note, same("y", y2, y, count) && same("dx", dx2, dx, count) && same("dx from y", dx_from_y, dx, count));
            memcpy(y2, x, count * sizeof *x), memcpy(dx2, dy, count * sizeof *dy);
            fer_relu_forward(count, y2, y2);
            fer_relu_backward(count, y2, dx2, dx2);
            ASSERTm(note, same("y over x", y2, y, count) && same("dx over dy", dx2, dx, count));
        }
        release(NULL);
    }
    PASS();
}

struct full_connection {
    size_t n, in, out;
    real *x, *kernel, *bias, *dy;
};

static void random_dense(int round, struct full_connection *d)
{
    start(round);
    d->n = 1 + below(40), d->in = 1 + below(70);
    d->out = round % 8 == 7 ? 100 + below(200) : 1 + below(20); /* more than a slice of sums, too */
    snprintf(where, sizeof where, "round %d, x[%zu][%zu], kernel[%zu][%zu]", round, d->n, d->in, d->in, d->out);
    d->x = random_reals(d->n * d->in);
    d->kernel = random_reals(d->in * d->out);
    d->bias = random_reals(d->out);
    d->dy = random_reals(d->n * d->out);
}

/* y and dx in real, the gradients of kernel and bias in double. The bias is one more row of the kernel, whose input is 1. */
static void single_sums(const struct full_connection *d, real *y, real *y0, real *dx, real *dkernel, real *dbias)
{
    size_t n, ci, co;
    for (n = 0; n < d->n; n++)
        for (co = 0; co < d->out; co++) {
            real sum = 0;
            for (ci = 0; ci < d->in; ci++) sum += d->x[n * d->in + ci] * d->kernel[ci * d->out + co];
            y0[n * d->out + co] = sum, y[n * d->out + co] = sum + d->bias[co];
        }
    for (n = 0; n < d->n; n++)
        for (ci = 0; ci < d->in; ci++) {
            real sum = 0;
            for (co = 0; co < d->out; co++) sum += d->dy[n * d->out + co] * d->kernel[ci * d->out + co];
            dx[n * d->in + ci] = sum;
        }
    for (ci = 0; ci <= d->in; ci++)
        for (co = 0; co < d->out; co++) {
            double sum = 0;
            for (n = 0; n < d->n; n++)
                sum += (ci < d->in ? (double)d->x[n * d->in + ci] : 1.0) * (double)d->dy[n * d->out + co];
            *(ci < d->in ? &dkernel[ci * d->out + co] : &dbias[co]) = (real)sum;
        }
}

static int dense_agrees(int round, const struct full_connection *d)
{
    const size_t x_size = d->n * d->in, y_size = d->n * d->out, k_size = d->in * d->out;
    real *y = array(y_size), *y0 = array(y_size), *dx = array(x_size), *dkernel = array(k_size),
         *dbias = array(d->out);
    int i, fine = 1;
    single_sums(d, y, y0, dx, dkernel, dbias);
    for (i = 0; threads(round, i); i++) {
        real *y2 = array(y_size), *dx2 = array(x_size), *dkernel2 = array(k_size), *dbias2 = array(d->out);
        fer_dense_forward(d->n, d->in, d->out, d->x, d->kernel, NULL, y2);
        fine = fine && same("y without bias", y2, y0, y_size);
        fer_dense_forward(d->n, d->in, d->out, d->x, d->kernel, d->bias, y2);
        fer_dense_backward_input(d->n, d->in, d->out, d->dy, d->kernel, dx2);
        fer_dense_backward_kernel(d->n, d->in, d->out, d->x, d->dy, dkernel2);
        fer_dense_backward_bias(d->n, d->out, d->dy, dbias2);
        fine = fine && same("y", y2, y, y_size) && same("dx", dx2, dx, x_size) &&
               same("dkernel", dkernel2, dkernel, k_size) && same("dbias", dbias2, dbias, d->out);
    }
    return fine;
}

TEST dense_has_the_bits_of_single_sums(void)
{
    int round;
    for (round = 0; round < 100; round++) {
        struct full_connection d;
        random_dense(round, &d);
        if (round % 3 == 1) { /* sums over the images */
            cancel(d.dy, d.n, d.out);
            memmove(d.x + d.n / 2 * d.in, d.x, d.in * sizeof *d.x);
        }
        if (round % 3 == 2) sprinkle(d.x, d.n * d.in), sprinkle(d.kernel, d.in * d.out);
        ASSERTm(note, dense_agrees(round, &d));
        release(NULL);
    }
    PASS();
}

/* n images with classes logits each, of all sizes from tiny to overflowing. */
static real *random_logits(size_t n, size_t classes)
{
    static const double sizes[] = {1e-3, 1, 30, 1000};
    real *logits = random_reals(n * classes);
    size_t i;
    for (i = 0; i < n * classes; i++) logits[i] *= (real)sizes[i / classes % 4];
    return logits;
}

/* All in double, classes and images ascending. */
static double single_images(size_t n, size_t classes, const real *logits, const int *labels, real *probabilities,
                            double *losses, real *dlogits)
{
    double total = 0;
    size_t image, k;
    for (image = 0; image < n; image++) {
        const real *z = logits + image * classes;
        double largest = (double)z[0], sum = 0;
        for (k = 0; k < classes; k++) largest = (double)z[k] > largest ? (double)z[k] : largest;
        for (k = 0; k < classes; k++) sum += fer_exp((double)z[k] - largest);
        for (k = 0; k < classes; k++) {
            const double p = fer_exp((double)z[k] - largest) / sum;
            probabilities[image * classes + k] = (real)p;
            dlogits[image * classes + k] = (real)((p - ((size_t)labels[image] == k ? 1.0 : 0.0)) / (double)n);
        }
        losses[image] = fer_log(sum) - ((double)z[labels[image]] - largest);
        total += losses[image];
    }
    return total;
}

TEST softmax_and_cross_entropy_have_the_bits_of_single_images(void)
{
    int round, i;
    for (round = 0; round < 100; round++) {
        int label[40];
        double losses[40], losses2[40], total;
        size_t image, n, classes, size;
        real *logits, *p, *dlogits, *p2, *dlogits2;
        start(round);
        n = 1 + below(40), classes = 1 + below(12), size = n * classes;
        snprintf(where, sizeof where, "round %d, logits[%zu][%zu]", round, n, classes);
        logits = random_logits(n, classes);
        if (round % 3 == 2) sprinkle(logits, size);
        for (image = 0; image < n; image++) label[image] = (int)below(classes);
        p = array(size), dlogits = array(size), p2 = array(size), dlogits2 = array(size);
        total = single_images(n, classes, logits, label, p, losses, dlogits);
        for (i = 0; threads(round, i); i++) {
            const double total2 = fer_cross_entropy(n, classes, logits, label, losses2, dlogits2);
            fer_softmax(n, classes, logits, p2);
            ASSERTm(where, total2 == total || (total2 != total2 && total != total));
            ASSERTm(note, same("probabilities", p2, p, size) && same("dlogits", dlogits2, dlogits, size));
        }
        for (image = 0; image < n; image++)
            ASSERTm(where, losses2[image] == losses[image] ||
                               (losses2[image] != losses2[image] && losses[image] != losses[image]));
        release(NULL);
    }
    PASS();
}

TEST cross_entropy_writes_what_is_wanted(void)
{
    static const int label[3] = {1, 0, 3};
    real *logits, *d = array(12), *d2 = array(12);
    double losses[3], losses2[3], total;
    start(0);
    logits = random_logits(3, 4);
    snprintf(where, sizeof where, "softmax");
    total = fer_cross_entropy(3, 4, logits, label, losses, d);
    ASSERT(total == losses[0] + losses[1] + losses[2]);
    ASSERT(fer_cross_entropy(3, 4, logits, label, losses2, NULL) == total);
    ASSERT(!memcmp(losses, losses2, sizeof losses));
    ASSERT(fer_cross_entropy(3, 4, logits, label, NULL, d2) == total);
    ASSERTm(note, same("dlogits", d2, d, 12));
    PASS();
}

/* Targets of 2 for the label and 0 else give twice the loss and the gradient, to the bit; what stands behind the images is not
 * touched. */
TEST soft_labels_need_not_sum_to_1(void)
{
    static const int label[3] = {1, 0, 3};
    real *logits, *targets = array(16), *d = array(13), *d2 = array(13), *p = array(12), *p2 = array(12);
    double losses[3], losses2[3];
    int i;
    start(0);
    logits = random_logits(4, 4);
    snprintf(where, sizeof where, "soft labels");
    for (i = 0; i < 16; i++) targets[i] = i >= 12 || i % 4 == label[i / 4] ? 2 : 0;
    ASSERT(fer_soft_cross_entropy(3, 4, logits, targets, losses2, d2) == 2 * fer_cross_entropy(3, 4, logits, label, losses, d));
    for (i = 0; i < 3; i++) ASSERT(losses2[i] == 2 * losses[i]);
    for (i = 0; i < 12; i++) d[i] *= 2;
    ASSERTm(note, same("dlogits", d2, d, 13));
    ASSERT(fer_soft_cross_entropy(3, 4, logits, targets, NULL, NULL) == losses2[0] + losses2[1] + losses2[2]);
    fer_softmax(3, 4, logits, p);
    ASSERT(fer_softmax_cross_entropy(3, 4, logits, label, p2, losses2, d2) == losses[0] + losses[1] + losses[2]);
    ASSERTm(note, same("probabilities", p2, p, 12));
    ASSERT(fer_softmax_cross_entropy(3, 4, logits, label, NULL, NULL, NULL) == losses[0] + losses[1] + losses[2]);
    p2[0] = 7;
    ASSERT(fer_softmax_cross_entropy(3, 4, logits, NULL, p2, losses2, d2) == 0 && p2[0] == p[0]);
    release(NULL);
    PASS();
}

/* x^t as the product of x^1, x^2, x^4, ..., those that t holds, smallest first; each by repeated squaring. */
static double power(double x, long t)
{
    double result = 1, square;
    long digit, i;
    for (digit = 1; digit <= t; digit *= 2) {
        for (square = x, i = 1; i < digit; i *= 2) square *= square;
        if (t / digit % 2) result *= square;
    }
    return result;
}

/* Rates in double, elements in real. */
static void single_elements(const struct fer_adam *adam, long t, size_t count, real *parameter, const real *gradient,
                            real *m, real *v)
{
    const real rate = (real)(adam->learning_rate * sqrt(1 - power(adam->beta2, t)) / (1 - power(adam->beta1, t)));
    size_t i;
    for (i = 0; i < count; i++) {
        m[i] = m[i] + (gradient[i] - m[i]) * (real)(1 - adam->beta1);
        v[i] = v[i] + (gradient[i] * gradient[i] - v[i]) * (real)(1 - adam->beta2);
        parameter[i] = parameter[i] - m[i] * rate / ((real)sqrt((double)v[i]) + (real)adam->epsilon);
    }
}

TEST adam_has_the_bits_of_single_elements(void)
{
    static const long step[] = {1, 2, 3, 4, 5, 10, 100, 1000, 4096, 45200, 1234567};
    const struct fer_adam keras = {1e-3, 0.9, 0.999, 1e-7}, other = {0.5, 0.0, 0.75, 1e-2};
    const size_t count = 500;
    int round, i;
    for (round = 0; round < 22; round++) {
        const struct fer_adam *adam = round % 2 ? &other : &keras;
        const long t = step[round / 2];
        real *start_p, *g, *start_m, *start_v, *p = array(count), *m = array(count), *v = array(count);
        start(round);
        snprintf(where, sizeof where, "step %ld", t);
        start_p = random_reals(count);
        g = random_reals(count);
        start_m = random_reals(count);
        start_v = random_reals(count);
        for (i = 0; i < (int)count; i++) start_v[i] *= start_v[i];
        memcpy(p, start_p, count * sizeof *p), memcpy(m, start_m, count * sizeof *m), memcpy(v, start_v, count * sizeof *v);
        single_elements(adam, t, count, p, g, m, v);
        for (i = 0; threads(round, i); i++) {
            real *p2 = array(count), *m2 = array(count), *v2 = array(count);
            memcpy(p2, start_p, count * sizeof *p);
            memcpy(m2, start_m, count * sizeof *m);
            memcpy(v2, start_v, count * sizeof *v);
            fer_adam_step(adam, t, count, p2, g, m2, v2);
            ASSERTm(note, same("m", m2, m, count) && same("v", v2, v, count) && same("parameter", p2, p, count));
        }
        release(NULL);
    }
    PASS();
}

/* ---- small integers: every sum is exact ---- */

/* One pair of cells that a tap joins: the products of all its channels go to y, dx and dkernel. The pointers point at the cells
 * and at the tap's matrix. */
static void join_integers(const struct fer_window *g, const real *x, const real *kernel, const real *dy, int64_t *y,
                          int64_t *dx, int64_t *dkernel)
{
    size_t ci, co;
    for (ci = 0; ci < g->in_c; ci++)
        for (co = 0; co < g->out_c; co++) {
            const size_t at = ci % (g->in_c / g->groups) * g->out_c + co;
            if (ci * g->groups / g->in_c != co * g->groups / g->out_c) continue; /* they are of different groups */
            y[co] += (int64_t)x[ci] * (int64_t)kernel[at];
            dx[ci] += (int64_t)dy[co] * (int64_t)kernel[at];
            dkernel[at] += (int64_t)x[ci] * (int64_t)dy[co];
        }
}

/* All pairs of an input and an output cell, in another order than any of the sums of conv2d.c. */
static void conv2d_integers(const struct fer_window *g, const real *x, const real *kernel, const real *dy, int64_t *y,
                            int64_t *dx, int64_t *dkernel)
{
    const size_t ci = g->in_c, co = g->out_c;
    size_t n, oh, ow, ih, iw;
    memset(y, 0, out_size(g) * sizeof *y);
    memset(dx, 0, in_size(g) * sizeof *dx);
    memset(dkernel, 0, kernel_size(g) * sizeof *dkernel);
    for (n = g->n; n-- > 0;)
        for (ih = 0; ih < g->in_h; ih++)
            for (iw = 0; iw < g->in_w; iw++)
                for (oh = 0; oh < g->out_h; oh++)
                    for (ow = 0; ow < g->out_w; ow++) {
                        const size_t down = ih + g->pad_top - oh * g->stride_h, kh = down / g->dilation_h;
                        const size_t across = iw + g->pad_left - ow * g->stride_w, kw = across / g->dilation_w;
                        const size_t in = ((n * g->in_h + ih) * g->in_w + iw) * ci;
                        const size_t out = ((n * g->out_h + oh) * g->out_w + ow) * co;
                        if (kh < g->kernel_h && kw < g->kernel_w && kh * g->dilation_h == down &&
                            kw * g->dilation_w == across) {
                            const size_t tap = (kh * g->kernel_w + kw) * (ci / g->groups) * co;
                            join_integers(g, x + in, kernel + tap, dy + out, y + out, dx + in, dkernel + tap);
                        }
                    }
}

/* y is linear in x and in the kernel, so <y, dy> = <x, dx> = <kernel, dkernel>: with integers, exactly. */
TEST conv2d_of_integers_is_exact(void)
{
    int round;
    for (round = 0; round < 150; round++) {
        struct fer_window g;
        real *x, *kernel, *dy, *y, *dx, *dkernel;
        int64_t *true_y, *true_dx, *true_dkernel, inner;
        conv2d_window(round, &g);
        x = random_integers(in_size(&g), 9, 1), kernel = random_integers(kernel_size(&g), 9, 1);
        dy = random_integers(out_size(&g), 9, 1);
        y = array(out_size(&g)), dx = array(in_size(&g)), dkernel = array(kernel_size(&g));
        true_y = block(out_size(&g), sizeof *true_y), true_dx = block(in_size(&g), sizeof *true_dx);
        true_dkernel = block(kernel_size(&g), sizeof *true_dkernel);
        fer_conv2d_forward(&g, x, kernel, y);
        fer_conv2d_backward_input(&g, dy, kernel, dx);
        fer_conv2d_backward_kernel(&g, x, dy, dkernel);
        conv2d_integers(&g, x, kernel, dy, true_y, true_dx, true_dkernel);
        ASSERTm(note, same_integers("y", y, true_y, out_size(&g)));
        ASSERTm(note, same_integers("dx", dx, true_dx, in_size(&g)));
        ASSERTm(note, same_integers("dkernel", dkernel, true_dkernel, kernel_size(&g)));
        inner = product(y, dy, out_size(&g));
        ASSERTm(where, inner == product(x, dx, in_size(&g)) && inner == product(kernel, dkernel, kernel_size(&g)));
        release(NULL);
    }
    PASS();
}

TEST conv2d_is_linear_in_either_argument(void)
{
    int round;
    for (round = 30; round < 60; round++) {
        struct fer_window g;
        real *x[2], *kernel[2], *y[2], *y_sum;
        int i;
        conv2d_window(round, &g);
        y_sum = array(out_size(&g));
        for (i = 0; i < 2; i++) {
            x[i] = random_integers(in_size(&g), 5, 1), kernel[i] = random_integers(kernel_size(&g), 5, 1),
            y[i] = array(out_size(&g));
            fer_conv2d_forward(&g, x[i], kernel[0], y[i]);
        }
        fer_conv2d_forward(&g, combined(x[0], -3, x[1], in_size(&g)), kernel[0], y_sum);
        ASSERTm(note, same("y", y_sum, combined(y[0], -3, y[1], out_size(&g)), out_size(&g)));
        for (i = 0; i < 2; i++) fer_conv2d_forward(&g, x[0], kernel[i], y[i]);
        fer_conv2d_forward(&g, x[0], combined(kernel[0], -3, kernel[1], kernel_size(&g)), y_sum);
        ASSERTm(note, same("y", y_sum, combined(y[0], -3, y[1], out_size(&g)), out_size(&g)));
        release(NULL);
    }
    PASS();
}

/* 176400 is a multiple of every number of cells that a window of up to 7x7 can have inside, (2^2 3 5 7)^2; so the divisions
 * are exact as well. The maximum is linear as long as the windows' maxima stay where they are, which the adjoint identity
 * does. */
TEST pooling_of_integers_is_adjoint(void)
{
    int round;
    for (round = 0; round < 100; round++) {
        struct fer_window g;
        real *x, *dy, *y, *dx;
        random_window(round, 1, 3e6, &g);
        x = random_integers(in_size(&g), 2, 176400), dy = random_integers(out_size(&g), 2, 176400);
        y = array(out_size(&g)), dx = array(in_size(&g));
        fer_max_pooling2d_forward(&g, x, y);
        fer_max_pooling2d_backward(&g, x, dy, dx);
        ASSERT_EQm(where, product(x, dx, in_size(&g)), product(y, dy, out_size(&g)));
        fer_average_pooling2d_forward(&g, x, y);
        fer_average_pooling2d_backward(&g, dy, dx);
        ASSERT_EQm(where, product(x, dx, in_size(&g)), product(y, dy, out_size(&g)));
        release(NULL);
    }
    PASS();
}

TEST global_average_pooling2d_of_integers_is_adjoint(void)
{
    size_t cells;
    for (cells = 1; cells <= 49; cells++) {
        const size_t in = 3 * cells * 5, out = 15;
        const long step = 3 * 4 * 5 * 7 * (long)cells;
        real *x, *dy, *y = array(out), *dx = array(in);
        start((int)cells);
        snprintf(where, sizeof where, "%zu cells", cells);
        x = random_integers(in, 9, step), dy = random_integers(out, 9, step);
        fer_global_average_pooling2d_forward(3, cells, 5, x, y);
        fer_global_average_pooling2d_backward(3, cells, 5, dy, dx);
        ASSERT_EQm(where, product(x, dx, in), product(y, dy, out));
        release(NULL);
    }
    PASS();
}

TEST dense_of_integers_is_exact(void)
{
    int round;
    for (round = 0; round < 50; round++) {
        struct full_connection d;
        real *y, *dx, *dkernel, *dbias, *x, *kernel, *bias, *dy;
        int64_t inner;
        size_t image, i, o;
        random_dense(round, &d);
        y = array(d.n * d.out), dx = array(d.n * d.in), dkernel = array(d.in * d.out), dbias = array(d.out);
        x = random_integers(d.n * d.in, 9, 1), kernel = random_integers(d.in * d.out, 9, 1);
        bias = random_integers(d.out, 9, 1), dy = random_integers(d.n * d.out, 9, 1);
        fer_dense_forward(d.n, d.in, d.out, x, kernel, bias, y);
        fer_dense_backward_input(d.n, d.in, d.out, dy, kernel, dx);
        fer_dense_backward_kernel(d.n, d.in, d.out, x, dy, dkernel);
        fer_dense_backward_bias(d.n, d.out, dy, dbias);
        for (image = 0; image < d.n; image++)
            for (o = 0; o < d.out; o++) {
                int64_t sum = (int64_t)bias[o];
                for (i = d.in; i-- > 0;) sum += (int64_t)x[image * d.in + i] * (int64_t)kernel[i * d.out + o];
                ASSERT_EQm(where, (real)sum, y[image * d.out + o]);
            }
        inner = product(y, dy, d.n * d.out) - product(bias, dbias, d.out);
        ASSERT_EQm(where, inner, product(x, dx, d.n * d.in));
        ASSERT_EQm(where, inner, product(kernel, dkernel, d.in * d.out));
        release(NULL);
    }
    PASS();
}

TEST concatenate_puts_parts_side_by_side(void)
{
    int round, i;
    for (round = 0; round < 40; round++) {
        int inputs;
        size_t rows, row, c, channels[4], total = 0, first = 0;
        real *x[4], *back[4], *y;
        const real *parts[4];
        start(round);
        inputs = 1 + (int)below(4), rows = 1 + below(30);
        for (i = 0; i < inputs; i++) {
            total += channels[i] = 1 + below(70);
            parts[i] = x[i] = random_reals(rows * channels[i]);
            sprinkle(x[i], rows * channels[i]);
            back[i] = array(rows * channels[i]);
        }
        y = array(rows * total);
        snprintf(where, sizeof where, "round %d, %d inputs of %zu rows, %zu channels in all", round, inputs, rows, total);
        fer_concatenate_forward(rows, inputs, channels, parts, y);
        fer_concatenate_backward(rows, inputs, channels, y, back);
        for (i = 0; i < inputs; first += channels[i++]) {
            for (row = 0; row < rows; row++)
                for (c = 0; c < channels[i]; c++)
                    ASSERTm(note, same("y", &y[row * total + first + c], &x[i][row * channels[i] + c], 1));
            ASSERTm(note, same("dx", back[i], x[i], rows * channels[i]));
        }
        release(NULL);
    }
    PASS();
}

/* ---- symmetries, to the bit ---- */

TEST images_do_not_meet(void)
{
    int round;
    for (round = 30; round < 90; round++) {
        struct fer_window g;
        size_t n, in, out;
        real *x, *kernel, *dy, *x2, *dy2, *y, *y2, *dx, *dx2;
        conv2d_window(round, &g);
        n = (size_t)g.n, in = in_size(&g) / n, out = out_size(&g) / n;
        x = random_reals(n * in), kernel = random_reals(kernel_size(&g)), dy = random_reals(n * out);
        x2 = reversed(x, 1, n, in), dy2 = reversed(dy, 1, n, out);
        y = array(n * out), y2 = array(n * out), dx = array(n * in), dx2 = array(n * in);
        fer_conv2d_forward(&g, x, kernel, y), fer_conv2d_forward(&g, x2, kernel, y2);
        fer_conv2d_backward_input(&g, dy, kernel, dx), fer_conv2d_backward_input(&g, dy2, kernel, dx2);
        ASSERTm(note, same("conv2d y", y2, reversed(y, 1, n, out), n * out));
        ASSERTm(note, same("conv2d dx", dx2, reversed(dx, 1, n, in), n * in));
        random_window(round, 1, 1e6, &g);
        n = (size_t)g.n, in = in_size(&g) / n, out = out_size(&g) / n;
        x = random_reals(n * in), dy = random_reals(n * out), x2 = reversed(x, 1, n, in), dy2 = reversed(dy, 1, n, out);
        y = array(n * out), y2 = array(n * out), dx = array(n * in), dx2 = array(n * in);
        fer_max_pooling2d_forward(&g, x, y), fer_max_pooling2d_forward(&g, x2, y2);
        fer_max_pooling2d_backward(&g, x, dy, dx), fer_max_pooling2d_backward(&g, x2, dy2, dx2);
        ASSERTm(note,
                same("max y", y2, reversed(y, 1, n, out), n * out) && same("max dx", dx2, reversed(dx, 1, n, in), n * in));
        fer_average_pooling2d_forward(&g, x, y), fer_average_pooling2d_forward(&g, x2, y2);
        fer_average_pooling2d_backward(&g, dy, dx), fer_average_pooling2d_backward(&g, dy2, dx2);
        ASSERTm(note, same("average y", y2, reversed(y, 1, n, out), n * out) &&
                          same("average dx", dx2, reversed(dx, 1, n, in), n * in));
        release(NULL);
    }
    PASS();
}

TEST channels_of_a_convolution_do_not_meet(void)
{
    int round;
    for (round = 0; round < 90; round++) {
        struct fer_window g;
        size_t ci, co, taps, cells;
        real *x, *kernel, *dy, *result, *turned;
        conv2d_window(round, &g);
        if (g.groups > 1) continue;
        ci = (size_t)g.in_c, co = (size_t)g.out_c, taps = kernel_size(&g) / ci / co, cells = out_size(&g) / co;
        x = random_reals(in_size(&g)), kernel = random_reals(kernel_size(&g)), dy = random_reals(out_size(&g));
        result = array(out_size(&g)), turned = array(out_size(&g));
        fer_conv2d_forward(&g, x, kernel, result);
        fer_conv2d_forward(&g, x, reversed(kernel, taps * ci, co, 1), turned);
        ASSERTm(note, same("y, output channels turned", turned, reversed(result, cells, co, 1), out_size(&g)));
        result = array(kernel_size(&g)), turned = array(kernel_size(&g));
        fer_conv2d_backward_kernel(&g, x, dy, result);
        fer_conv2d_backward_kernel(&g, x, reversed(dy, cells, co, 1), turned);
        ASSERTm(note, same("dkernel, output channels turned", turned, reversed(result, taps * ci, co, 1), kernel_size(&g)));
        fer_conv2d_backward_kernel(&g, reversed(x, in_size(&g) / ci, ci, 1), dy, turned);
        ASSERTm(note, same("dkernel, input channels turned", turned, reversed(result, taps, ci, co), kernel_size(&g)));
        result = array(in_size(&g)), turned = array(in_size(&g));
        fer_conv2d_backward_input(&g, dy, kernel, result);
        fer_conv2d_backward_input(&g, dy, reversed(kernel, taps, ci, co), turned);
        ASSERTm(note, same("dx, input channels turned", turned, reversed(result, in_size(&g) / ci, ci, 1), in_size(&g)));
        release(NULL);
    }
    PASS();
}

/* The part of x[h][w][c] that begins at (top, left), out_h x out_w cells. */
static real *part(const real *x, size_t w, size_t c, size_t top, size_t left, size_t out_h, size_t out_w)
{
    const size_t row = out_w * c;
    real *y = array(out_h * row);
    size_t h;
    for (h = 0; h < out_h; h++) memcpy(y + h * row, x + ((top + h) * w + left) * c, row * sizeof *x);
    return y;
}

/* Along one axis: the first output cell whose window lies inside the image, and how many there are but the last. */
static size_t whole_windows(size_t in, size_t kernel, size_t stride, size_t pad, size_t *count)
{
    const size_t from = (pad + stride - 1) / stride;
    size_t to = from;
    while (to * stride + kernel <= in + pad) to++;
    *count = to > from ? to - from - 1 : 0;
    return from;
}

/* A 12x13 image, and the same scene with the camera one stride further down and to the right: where windows lie inside both
 * images, the outputs have moved by one cell. */
TEST shifted_images_give_shifted_outputs(void)
{
    int round, compared = 0;
    for (round = 0; round < 100; round++) {
        struct fer_window g;
        size_t kernel_h, kernel_w, stride_h, stride_w, ci, co, top, left, height, width;
        real *x, *kernel, *y, *y2;
        start(round);
        kernel_h = 1 + below(5), kernel_w = 1 + below(5), stride_h = 1 + below(3), stride_w = 1 + below(3);
        ci = 1 + below(5), co = 1 + below(20);
        fer_window_set(&g, 1, 12, 13, ci, co, kernel_h, kernel_w, stride_h, stride_w, round % 2 ? FER_SAME : FER_VALID,
                       NULL);
        describe(round, &g);
        x = random_reals((12 + stride_h) * (13 + stride_w) * ci), kernel = random_reals(kernel_size(&g));
        y = array(out_size(&g)), y2 = array(out_size(&g));
        fer_conv2d_forward(&g, part(x, 13 + stride_w, ci, 0, 0, 12, 13), kernel, y);
        fer_conv2d_forward(&g, part(x, 13 + stride_w, ci, stride_h, stride_w, 12, 13), kernel, y2);
        top = whole_windows(12, kernel_h, stride_h, g.pad_top, &height);
        left = whole_windows(13, kernel_w, stride_w, g.pad_left, &width);
        if (height > 0 && width > 0) {
            const size_t size = height * width * co;
            ASSERTm(note, same("y", part(y2, g.out_w, co, top, left, height, width),
                               part(y, g.out_w, co, top + 1, left + 1, height, width), size));
            compared++;
        }
        release(NULL);
    }
    ASSERT(compared > 80);
    PASS();
}

/* Depthwise is a group for each channel. */
TEST depthwise_conv2d_has_the_bits_of_groups(void)
{
    int round, i;
    for (round = 0; round < 120; round++) {
        struct fer_window g = {0};
        struct fer_window_options o = {0};
        real *x, *kernel, *dy, *y, *dx, *dkernel;
        start(round);
        do {
            const size_t multiplier = below(2) ? 1 : 1 + below(5);
            o.groups = 1 + (round % 10 ? below(20) : 120 + below(20)), o.out_c = o.groups * multiplier;
            o.kernel_h = 1 + below(5), o.kernel_w = 1 + below(5), o.stride_h = 1 + below(3), o.stride_w = 1 + below(3);
            o.dilation_h = below(4), o.dilation_w = below(4), o.padding = (enum fer_padding)below(4);
            o.top = below(5), o.bottom = below(5), o.left = below(5), o.right = below(5);
        } while (fer_window_fill(&g, 1 + below(3), 1 + below(20), 1 + below(20), o.groups, &o, NULL));
        describe(round, &g);
        x = random_reals(in_size(&g)), kernel = random_reals(kernel_size(&g)), dy = random_reals(out_size(&g));
        y = array(out_size(&g)), dx = array(in_size(&g)), dkernel = array(kernel_size(&g));
        if (round % 3 == 2) sprinkle(x, in_size(&g)), sprinkle(kernel, kernel_size(&g)), sprinkle(dy, out_size(&g));
        plain_conv2d_forward(&g, x, kernel, y);
        plain_conv2d_backward_input(&g, dy, kernel, dx);
        plain_conv2d_backward_kernel(&g, x, dy, dkernel);
        for (i = 0; threads(round, i); i++) {
            real *y2 = array(out_size(&g)), *dx2 = array(in_size(&g)), *dkernel2 = array(kernel_size(&g));
            fer_depthwise_conv2d_forward(&g, x, kernel, y2);
            fer_depthwise_conv2d_backward_input(&g, dy, kernel, dx2);
            fer_depthwise_conv2d_backward_kernel(&g, x, dy, dkernel2);
            ASSERTm(note, same("y", y2, y, out_size(&g)) && same("dx", dx2, dx, in_size(&g)) &&
                              same("dkernel", dkernel2, dkernel, kernel_size(&g)));
        }
        release(NULL);
    }
    PASS();
}

/* A bias is a product with 1 that comes last; its gradient is that of a dense layer with ones for x. */
TEST a_bias_is_a_weight_of_1(void)
{
    int round, i;
    for (round = 0; round < 40; round++) {
        size_t rows, channels, row, c;
        real *y, *bias, *dy, *sum, *dbias, *ones;
        start(round);
        rows = 1 + below(700), channels = 1 + below(300);
        snprintf(where, sizeof where, "round %d, %zu rows, %zu channels", round, rows, channels);
        y = random_reals(rows * channels), bias = random_reals(channels), dy = random_reals(rows * channels);
        sum = array(rows * channels), dbias = array(channels), ones = array(rows);
        for (row = 0; row < rows; row++)
            for (c = 0; c < channels; c++) sum[row * channels + c] = y[row * channels + c] + bias[c];
        for (row = 0; row < rows; row++) ones[row] = 1;
        fer_dense_backward_kernel(rows, 1, channels, ones, dy, dbias);
        for (i = 0; threads(round, i); i++) {
            real *y2 = array(rows * channels), *dbias2 = array(channels);
            memcpy(y2, y, rows * channels * sizeof *y);
            fer_bias_forward(rows, channels, bias, y2);
            fer_bias_backward(rows, channels, dy, dbias2);
            ASSERTm(note, same("y", y2, sum, rows * channels) && same("dbias", dbias2, dbias, channels));
        }
        release(NULL);
    }
    PASS();
}

/* One window as large as the image, with equal maxima, NaN and infinities. */
TEST global_max_pooling2d_is_a_window_as_large_as_the_image(void)
{
    int round, i;
    for (round = 0; round < 60; round++) {
        struct fer_window g;
        size_t n, cells, channels;
        real *x, *dy, *y, *dx;
        start(round);
        n = 1 + below(4), cells = 1 + below(60), channels = 1 + below(70);
        fer_window_set(&g, n, cells, 1, channels, channels, cells, 1, 1, 1, FER_VALID, NULL);
        describe(round, &g);
        x = round % 2 ? random_integers(in_size(&g), 2, 1) : random_reals(in_size(&g)), dy = random_reals(out_size(&g));
        y = array(out_size(&g)), dx = array(in_size(&g));
        if (round % 3 == 2) sprinkle(x, in_size(&g)), sprinkle(dy, out_size(&g));
        plain_max_pooling2d_forward(&g, x, y), plain_max_pooling2d_backward(&g, x, dy, dx);
        for (i = 0; threads(round, i); i++) {
            real *y2 = array(out_size(&g)), *dx2 = array(in_size(&g));
            fer_global_max_pooling2d_forward(n, cells, channels, x, y2);
            fer_global_max_pooling2d_backward(n, cells, channels, x, dy, dx2);
            ASSERTm(note, same("y", y2, y, out_size(&g)) && same("dx", dx2, dx, in_size(&g)));
        }
        release(NULL);
    }
    PASS();
}

/* FIRST is max_pooling2d_backward itself; LAST is FIRST of everything turned round. */
TEST ties_go_where_the_rule_says(void)
{
    int round;
    for (round = 0; round < 100; round++) {
        struct fer_window g, turned;
        real *x, *dy, *dx, *dx2;
        size_t in, out;
        random_window(round, 1, 1e5, &g);
        in = g.in_h * g.in_w, out = g.out_h * g.out_w;
        x = round % 2 ? random_integers(in_size(&g), 1, 1) : random_reals(in_size(&g));
        dy = random_integers(out_size(&g), 2, 360360);
        dx = array(in_size(&g)), dx2 = array(in_size(&g));
        if (round % 5 == 3) sprinkle(x, in_size(&g));
        fer_max_pooling2d_backward(&g, x, dy, dx);
        fer_max_pooling2d_backward_ties(&g, FER_TIES_FIRST, x, dy, dx2);
        ASSERTm(note, same("first", dx2, dx, in_size(&g)));
        turned = g; /* the last window then begins where the first one ended: the image may reach beyond it */
        turned.pad_top = (g.out_h - 1) * g.stride_h + g.kernel_h - g.pad_top - g.in_h;
        turned.pad_left = (g.out_w - 1) * g.stride_w + g.kernel_w - g.pad_left - g.in_w;
        if (turned.pad_top < g.kernel_h && turned.pad_left < g.kernel_w) {
            fer_max_pooling2d_backward(&turned, reversed(x, g.n, in, g.in_c), reversed(dy, g.n, out, g.in_c), dx);
            fer_max_pooling2d_backward_ties(&g, FER_TIES_LAST, x, dy, dx2);
            ASSERTm(note, same("last", dx2, reversed(dx, g.n, in, g.in_c), in_size(&g)));
        }
        release(NULL);
    }
    PASS();
}

TEST ties_by_hand(void)
{
    const real inf = (real)HUGE_VAL, nan = inf - inf;
    /* two windows of 1x4: three equal maxima of four; then two NaN beside an infinity */
    const real x[8] = {5, 5, 1, 5, nan, inf, nan, 2}, dy[2] = {6, 4};
    const real expected[4][8] = {{6, 0, 0, 0, 4, 0, 0, 0}, {0, 0, 0, 6, 0, 0, 4, 0}, {6, 6, 0, 6, 4, 0, 4, 0},
                                 {2, 2, 0, 2, 2, 0, 2, 0}};
    struct fer_window g;
    real dx[8];
    int ties;
    ASSERT_EQ(0, fer_window_set(&g, 1, 1, 8, 1, 1, 1, 4, 1, 4, FER_VALID, NULL));
    for (ties = 0; ties < 4; ties++) {
        snprintf(where, sizeof where, "ties %d", ties);
        fer_max_pooling2d_backward_ties(&g, (enum fer_ties)ties, x, dy, dx);
        ASSERTm(note, same("dx", dx, expected[ties], 8));
    }
    PASS();
}

TEST padding_may_count_in_an_average(void)
{
    /* PyTorch: avg_pool1d([6, 12, 24], 3, stride 2, padding 1, ceil_mode) with and without count_include_pad */
    const real x[3] = {6, 12, 24}, dy[2] = {6, 12};
    struct fer_window_options o = {.kernel_h = 1, .kernel_w = 3, .stride_h = 1, .stride_w = 2, .padding = FER_EXPLICIT,
                                   .left = 1, .right = 1, .pooling = 1, .ceil = 1, .count_padding = 1};
    struct fer_window g;
    real y[3], dx[3];
    ASSERT_EQ(0, fer_window_fill(&g, 1, 1, 3, 1, &o, NULL));
    ASSERT_EQ_FMT((size_t)2, g.out_w, "%zu");
    fer_average_pooling2d_forward(&g, x, y);
    ASSERT(y[0] == 6 && y[1] == 12);
    fer_average_pooling2d_backward(&g, dy, dx);
    ASSERT(dx[0] == 2 && dx[1] == 6 && dx[2] == 4);
    o.kernel_w = 4, o.stride_w = 3; /* the last window would reach beyond the padding: there nothing counts */
    ASSERT_EQ(0, fer_window_fill(&g, 1, 1, 3, 1, &o, NULL));
    ASSERT_EQ_FMT((size_t)2, g.out_w, "%zu");
    fer_average_pooling2d_forward(&g, x, y);
    ASSERT(y[0] == (real)10.5 && y[1] == 12);
    PASS();
}

/* A 1x1 convolution is a dense layer at each pixel; one window as large as the image is global average pooling. */
TEST layers_agree_with_one_another(void)
{
    int round;
    for (round = 0; round < 40; round++) {
        struct fer_window g;
        size_t n, h, w, ci, co;
        real *x, *kernel, *dy, *y, *y2, *dx, *dx2;
        start(round);
        n = 1 + below(3), h = 1 + below(7), w = 1 + below(7), ci = 1 + below(70), co = 1 + below(70);
        fer_window_set(&g, n, h, w, ci, co, 1, 1, 1, 1, FER_SAME, NULL);
        describe(round, &g);
        x = random_reals(in_size(&g)), kernel = random_reals(kernel_size(&g)), dy = random_reals(out_size(&g));
        y = array(out_size(&g)), y2 = array(out_size(&g)), dx = array(in_size(&g)), dx2 = array(in_size(&g));
        fer_conv2d_forward(&g, x, kernel, y), fer_dense_forward(n * h * w, ci, co, x, kernel, NULL, y2);
        fer_conv2d_backward_input(&g, dy, kernel, dx), fer_dense_backward_input(n * h * w, ci, co, dy, kernel, dx2);
        ASSERTm(note, same("dense y", y2, y, out_size(&g)) && same("dense dx", dx2, dx, in_size(&g)));
        fer_window_set(&g, n, h, w, ci, ci, h, w, h, w, FER_VALID, NULL);
        describe(round, &g);
        fer_average_pooling2d_forward(&g, x, dx), fer_global_average_pooling2d_forward(n, h * w, ci, x, dx2);
        ASSERTm(note, same("global y", dx2, dx, out_size(&g)));
        fer_average_pooling2d_backward(&g, x, dx), fer_global_average_pooling2d_backward(n, h * w, ci, x, dx2);
        ASSERTm(note, same("global dx", dx2, dx, in_size(&g)));
        release(NULL);
    }
    PASS();
}

/* ---- normalisation, softmax and Adam: what the formulas promise, within the rounding of their terms ---- */

/* With gamma 1 and beta 0 each channel of y has mean 0 and variance v / (v + epsilon). An element (x - mean) * scale
 * carries the roundings of the difference and of the product, the common ones of scale and v, and that of the mean, which
 * moves all elements alike; the sums taken here are in double. */
TEST normalised_batches_have_mean_0_and_variance_1(void)
{
    int round;
    for (round = 0; round < 60; round++) {
        struct normalisation b;
        real *y;
        size_t c, i, rows;
        random_normalisation(round, 1 + (size_t)round, &b);
        rows = b.rows, y = array(rows * b.channels);
        fer_batch_moments(rows, b.channels, b.x, b.mean, b.variance);
        fer_batch_normalization_forward(rows, b.channels, b.x, b.mean, b.variance, NULL, NULL, 1e-3, y);
        for (c = 0; c < b.channels; c++) {
            const double v = (double)b.variance[c], scale = 1 / sqrt(v + 1e-3), target = v / (v + 1e-3);
            double mean = 0, size = 0, variance = 0, x_size = 0, bound;
            for (i = c; i < rows * b.channels; i += b.channels)
                mean += (double)y[i] / (double)rows, size += fabs((double)y[i]) / (double)rows,
                    x_size += fabs((double)b.x[i]) / (double)rows;
            for (i = c; i < rows * b.channels; i += b.channels)
                variance += ((double)y[i] - mean) * ((double)y[i] - mean) / (double)rows;
            bound = unit * (3 * size + fabs((double)b.mean[c]) * scale) +
                    (double)rows * DBL_EPSILON * (x_size * scale + size);
            ASSERTm(note, within("mean of y", mean, 0, bound));
            ASSERTm(note, within("variance of y", variance, target,
                                 (12 * unit + 4 * (double)rows * DBL_EPSILON) * target + bound * bound));
        }
        release(NULL);
    }
    PASS();
}

/* Element i of dx errs by at most this: five roundings of each of the three terms of (dy - average - (x - mean) * slope) *
 * scale, what the sums behind average, mean and slope carry, and what is left of x - mean since the mean was rounded. */
static double dx_bound(const struct normalisation *b, const real *dy, size_t i)
{
    const size_t width = b->channels, c = i % width;
    const double square = (double)b->variance[c] + 1e-3, scale = fabs(b->gamma ? (double)b->gamma[c] : 1) / sqrt(square);
    double average = 0, slope = 0, size = 0;
    size_t j;
    for (j = c; j < b->rows * width; j += width) {
        average += fabs((double)dy[j]) / (double)b->rows;
        size += fabs((double)b->x[j]) / (double)b->rows;
        slope += fabs((double)dy[j] * ((double)b->x[j] - (double)b->mean[c])) / (double)b->rows / square;
    }
    return (5 * unit + 4 * (double)b->rows * DBL_EPSILON) * scale *
           (fabs((double)dy[i]) + average + (fabs((double)b->x[i] - (double)b->mean[c]) + size) * slope);
}

/* y does not change when a constant is added to a channel, so dx sums to 0. The derivative of y by x is a symmetric matrix
 * J, so <J u, w> = <u, J w> for any u and w. */
TEST gradient_of_normalisation_is_symmetric_and_sums_to_0(void)
{
    int round;
    for (round = 0; round < 60; round++) {
        struct normalisation b;
        real *ju, *jw, *w;
        size_t c, i, size;
        random_normalisation(round, 1 + (size_t)round % 20, &b);
        size = b.rows * b.channels, ju = array(size), jw = array(size), w = random_reals(size);
        fer_batch_moments(b.rows, b.channels, b.x, b.mean, b.variance);
        fer_batch_normalization_backward(b.rows, b.channels, b.x, b.mean, b.variance, b.gamma, 1e-3, 1, b.dy, ju, NULL,
                                         NULL);
        fer_batch_normalization_backward(b.rows, b.channels, b.x, b.mean, b.variance, b.gamma, 1e-3, 1, w, jw, NULL, NULL);
        for (c = 0; c < b.channels; c++) {
            double sum = 0, left = 0, right = 0, sum_bound = 0, bound = 0;
            for (i = c; i < size; i += b.channels) {
                const double error_u = dx_bound(&b, b.dy, i), error_w = dx_bound(&b, w, i);
                sum += (double)ju[i], left += (double)ju[i] * (double)w[i], right += (double)b.dy[i] * (double)jw[i];
                sum_bound += error_u, bound += error_u * fabs((double)w[i]) + error_w * fabs((double)b.dy[i]);
            }
            ASSERTm(note, within("sum of dx", sum, 0, sum_bound));
            ASSERTm(note, within("<J u, w>", left, right, bound));
        }
        release(NULL);
    }
    PASS();
}

/* Probabilities sum to 1 and dlogits to 0; a constant that can be added without rounding changes no bit. */
TEST softmax_sums_to_1_and_ignores_a_shift(void)
{
    int round;
    for (round = 0; round < 60; round++) {
        size_t n, classes, i, k;
        int label[20];
        double losses[20], losses2[20];
        real *logits, *shifted, *p, *p2, *d, *d2;
        start(round);
        n = 1 + below(20), classes = 1 + below(12);
        snprintf(where, sizeof where, "round %d, logits[%zu][%zu]", round, n, classes);
        logits = random_integers(n * classes, 40, 1), shifted = array(n * classes);
        for (i = 0; i < n * classes; i++) {
            logits[i] /= 8;
            shifted[i] = logits[i] + (real)(1000 * (double)(i / classes) - 3000);
        }
        for (i = 0; i < n; i++) label[i] = (int)below(classes);
        p = array(n * classes);
        p2 = array(n * classes);
        d = array(n * classes);
        d2 = array(n * classes);
        fer_softmax(n, classes, logits, p), fer_softmax(n, classes, shifted, p2);
        fer_cross_entropy(n, classes, logits, label, losses, d);
        fer_cross_entropy(n, classes, shifted, label, losses2, d2);
        ASSERTm(note,
                same("shifted p", p2, p, n * classes) && same("shifted dlogits", d2, d, n * classes));
        for (i = 0; i < n; i++) {
            const double terms = (double)classes, likely = (double)p[i * classes + (size_t)label[i]];
            double sum = 0, slope = 0;
            for (k = 0; k < classes; k++) sum += (double)p[i * classes + k], slope += (double)d[i * classes + k];
            /* each p carries one rounding to real, its division's, and the sum's classes - 1 */
            ASSERTm(note, within("sum of probabilities", sum, 1, unit + (2 * terms + 2) * DBL_EPSILON));
            ASSERTm(note, within("sum of dlogits", slope, 0, (2 * unit + (2 * terms + 4) * DBL_EPSILON) / (double)n));
            ASSERTm(where, losses[i] == losses2[i] && losses[i] >= 0);
            /* exp and log err by one ulp each, the sum by classes; p of the label, rounded to real */
            ASSERTm(note, within("exp(-loss)", fer_exp(-losses[i]), likely,
                                 (unit + (8 + terms + 2 * losses[i]) * DBL_EPSILON) * likely));
        }
        release(NULL);
    }
    PASS();
}

/* From zero moments and with epsilon 0 the first step is learning_rate * sign(g), whatever g; a parameter without gradient
 * stays. */
TEST first_step_of_adam_is_the_sign_of_the_gradient(void)
{
    const struct fer_adam adam = {0.25, 0.9, 0.999, 0};
    const struct fer_adam still = {0.25, 0.9, 0.999, 1e-7};
    real *g, *p = array(100), *m = array(100), *v = array(100), zero = 0, one_p = 3, one_m = 0, one_v = 0;
    int i;
    start(0);
    g = random_reals(100);
    for (i = 0; i < 100; i++) {
        if (g[i] == 0) g[i] = 1;
        p[i] = 0, m[i] = 0, v[i] = 0;
    }
    fer_adam_step(&adam, 1, 100, p, g, m, v);
    snprintf(where, sizeof where, "adam");
    /* m, v (half of whose error the root takes), rate, g * g, root, product, quotient, each rounded; 1 - beta2 as a double
     * has lost ten bits to 1 - 0.999, but the same ones in rate and in v */
    for (i = 0; i < 100; i++) ASSERTm(note, within("step", (double)p[i], g[i] > 0 ? -0.25 : 0.25, 8 * unit * 0.25));
    fer_adam_step(&still, 1, 1, &one_p, &zero, &one_m, &one_v);
    ASSERT(one_p == 3 && one_m == 0 && one_v == 0);
    PASS();
}

/* ---- values that are not finite, and signed zeros, by hand ---- */

static int is_nan(real x)
{
    return x != x;
}

static int is_plus_zero(real x)
{
    const real zero = 0;
    return !memcmp(&x, &zero, sizeof x);
}

TEST relu_of_special_values(void)
{
    const real inf = (real)HUGE_VAL, nan = inf - inf, x[] = {nan, inf, -inf, 0, -(real)0, 1};
    const real dy[] = {7, 7, 7, 7, 7, nan};
    real y[6], dx[6];
    fer_relu_forward(6, x, y);
    ASSERT(is_nan(y[0]) && y[1] == inf && is_plus_zero(y[2]) && is_plus_zero(y[3]) && is_plus_zero(y[4]) && y[5] == 1);
    fer_relu_backward(6, x, dy, dx);
    ASSERT(dx[0] == 7 && dx[1] == 7 && is_plus_zero(dx[2]) && is_plus_zero(dx[3]) && is_plus_zero(dx[4]) && is_nan(dx[5]));
    fer_relu_backward(6, y, dy, dx); /* the same from y */
    ASSERT(dx[0] == 7 && dx[1] == 7 && is_plus_zero(dx[2]) && is_plus_zero(dx[3]) && is_plus_zero(dx[4]) && is_nan(dx[5]));
    PASS();
}

TEST max_pooling_of_special_values(void)
{
    const real inf = (real)HUGE_VAL, nan = inf - inf;
    /* windows of two: two NaN, NaN second, both minus infinity, an infinity, two zeros, equal numbers */
    const real x[12] = {nan, nan, inf, nan, -inf, -inf, 5, inf, -(real)0, 0, 2, 2}, dy[6] = {1, 2, 3, 4, 5, 6};
    const real expected_dx[12] = {1, 0, 0, 2, 3, 0, 0, 4, 5, 0, 6, 0};
    real y[6], dx[12];
    struct fer_window g;
    ASSERT_EQ(0, fer_window_set(&g, 1, 1, 12, 1, 1, 1, 2, 1, 2, FER_VALID, NULL));
    fer_max_pooling2d_forward(&g, x, y);
    ASSERT(is_nan(y[0]) && is_nan(y[1]) && y[2] == -inf && y[3] == inf && y[4] == 0 && y[5] == 2);
    ASSERT(memcmp(&y[4], &x[8], sizeof y[4]) == 0); /* minus zero is not smaller than zero: the first counts */
    fer_max_pooling2d_backward(&g, x, dy, dx);
    snprintf(where, sizeof where, "max pooling");
    ASSERTm(note, same("dx", dx, expected_dx, 12));
    PASS();
}

TEST average_pooling_of_special_values(void)
{
    const real inf = (real)HUGE_VAL, nan = inf - inf, x[8] = {nan, 1, inf, -inf, inf, 1, 2, 4};
    real y[4];
    struct fer_window g;
    ASSERT_EQ(0, fer_window_set(&g, 1, 1, 8, 1, 1, 1, 2, 1, 2, FER_VALID, NULL));
    fer_average_pooling2d_forward(&g, x, y);
    ASSERT(is_nan(y[0]) && is_nan(y[1]) && y[2] == inf && y[3] == 3);
    PASS();
}

/* An infinite weight meets a 0 of the image: NaN. It does not meet what lies outside the image, since nothing lies there.
 */
TEST conv2d_of_special_values(void)
{
    const real inf = (real)HUGE_VAL, x[4] = {1, 0, 2, 3}, kernel[3] = {inf, 1, 1}, dy[4] = {0, 1, 1, 1};
    real y[4], dx[4], dkernel[3];
    struct fer_window g;
    ASSERT_EQ(0, fer_window_set(&g, 1, 1, 4, 1, 1, 1, 3, 1, 1, FER_SAME, NULL));
    fer_conv2d_forward(&g, x, kernel, y);
    ASSERT(y[0] == 1 && y[1] == inf && is_nan(y[2]) && y[3] == inf);
    fer_conv2d_backward_input(&g, dy, kernel, dx);
    ASSERT(dx[0] == inf && dx[1] == inf && dx[2] == inf && dx[3] == 2);
    fer_conv2d_backward_kernel(&g, x, dy, dkernel);
    ASSERT(dkernel[0] == 3 && dkernel[1] == 5 && dkernel[2] == 5);
    PASS();
}

/* A window that lies wholly in the padding sums nothing: 0, whatever the kernel. */
TEST a_window_in_the_padding_gives_0(void)
{
    const real inf = (real)HUGE_VAL, x[2] = {1, 2}, kernel[2] = {inf, 3};
    struct fer_window_options o = {.out_c = 1, .kernel_h = 1, .kernel_w = 2, .stride_h = 1, .stride_w = 1,
                                   .padding = FER_EXPLICIT, .left = 3, .right = 4};
    const real dy[8] = {1, 1, 1, 1, 0, 1, 1, 1};
    real y[8], dx[2], dkernel[2];
    struct fer_window g;
    int i;
    ASSERT_EQ(0, fer_window_fill(&g, 1, 1, 2, 1, &o, NULL));
    ASSERT_EQ_FMT((size_t)8, g.out_w, "%zu");
    fer_conv2d_forward(&g, x, kernel, y);
    for (i = 0; i < 8; i++) ASSERT(i == 2 ? y[i] == 3 : i == 3 || i == 4 ? y[i] == inf : is_plus_zero(y[i]));
    fer_conv2d_backward_kernel(&g, x, dy, dkernel);
    ASSERT(dkernel[0] == 1 && dkernel[1] == 3);
    fer_conv2d_backward_input(&g, dy, kernel, dx);
    ASSERT(dx[0] == inf && is_nan(dx[1])); /* the gradient 0 meets the infinite weight */
    PASS();
}

/* One bad number stays in its channel, or its image. */
TEST one_nan_stays_where_it_belongs(void)
{
    const real inf = (real)HUGE_VAL, nan = inf - inf;
    static const int label[3] = {0, 1, 2};
    real *x, *p = array(9), *y = array(60), mean[20], variance[20];
    double losses[3];
    int i, c;
    start(0);
    x = random_reals(60);
    x[23] = nan; /* x[3][20]: row 1, channel 3 */
    fer_batch_moments(3, 20, x, mean, variance);
    fer_batch_normalization_forward(3, 20, x, mean, variance, NULL, NULL, 1e-3, y);
    for (c = 0; c < 20; c++) ASSERT(is_nan(mean[c]) == (c == 3) && is_nan(variance[c]) == (c == 3));
    for (i = 0; i < 60; i++) ASSERT(is_nan(y[i]) == (i % 20 == 3));
    fer_softmax(3, 3, x + 18, p), fer_cross_entropy(3, 3, x + 18, label, losses, NULL);
    for (i = 0; i < 9; i++) ASSERT(is_nan(p[i]) == (i / 3 == 1));
    ASSERT(losses[0] == losses[0] && losses[1] != losses[1] && losses[2] == losses[2]);
    PASS();
}

TEST softmax_of_infinite_logits(void)
{
    const real inf = (real)HUGE_VAL, logits[6] = {0, -inf, 0, 1, inf, 2};
    static const int label[2] = {1, 0};
    real p[6];
    double losses[2];
    fer_softmax(2, 3, logits, p), fer_cross_entropy(2, 3, logits, label, losses, NULL);
    ASSERT(p[0] == (real)0.5 && p[1] == 0 && p[2] == (real)0.5 && losses[0] == HUGE_VAL);
    ASSERT(is_nan(p[4])); /* infinity over infinity */
    PASS();
}

SUITE(suite_layers)
{
    SET_TEARDOWN(release, NULL);
    RUN_TEST(windows_have_tensorflows_sizes);
    RUN_TEST(impossible_windows_are_refused);
    RUN_TEST(a_cell_number_never_overflows);
    RUN_TEST(an_array_can_always_be_addressed);
    RUN_TEST(windows_have_the_sizes_that_were_asked_for);
    RUN_TEST(groups_must_divide_the_channels);
    RUN_TEST(conv2d_has_the_plain_bits);
    RUN_TEST(tile_has_its_bits_in_each_variant);
    RUN_TEST(pooling_has_the_plain_bits);
    RUN_TEST(global_average_pooling2d_is_a_window_as_large_as_the_image);
    RUN_TEST(a_constant_channel_is_normalised_to_beta);
    RUN_TEST(batch_normalization_has_the_plain_bits);
    RUN_TEST(moving_statistics_are_weighted_means);
    RUN_TEST(relu_passes_what_is_positive);
    RUN_TEST(dense_has_the_bits_of_single_sums);
    RUN_TEST(softmax_and_cross_entropy_have_the_bits_of_single_images);
    RUN_TEST(cross_entropy_writes_what_is_wanted);
    RUN_TEST(soft_labels_need_not_sum_to_1);
    RUN_TEST(adam_has_the_bits_of_single_elements);
    RUN_TEST(conv2d_of_integers_is_exact);
    RUN_TEST(conv2d_is_linear_in_either_argument);
    RUN_TEST(pooling_of_integers_is_adjoint);
    RUN_TEST(global_average_pooling2d_of_integers_is_adjoint);
    RUN_TEST(dense_of_integers_is_exact);
    RUN_TEST(concatenate_puts_parts_side_by_side);
    RUN_TEST(images_do_not_meet);
    RUN_TEST(channels_of_a_convolution_do_not_meet);
    RUN_TEST(shifted_images_give_shifted_outputs);
    RUN_TEST(depthwise_conv2d_has_the_bits_of_groups);
    RUN_TEST(a_bias_is_a_weight_of_1);
    RUN_TEST(global_max_pooling2d_is_a_window_as_large_as_the_image);
    RUN_TEST(ties_go_where_the_rule_says);
    RUN_TEST(ties_by_hand);
    RUN_TEST(padding_may_count_in_an_average);
    RUN_TEST(layers_agree_with_one_another);
    RUN_TEST(normalised_batches_have_mean_0_and_variance_1);
    RUN_TEST(gradient_of_normalisation_is_symmetric_and_sums_to_0);
    RUN_TEST(softmax_sums_to_1_and_ignores_a_shift);
    RUN_TEST(first_step_of_adam_is_the_sign_of_the_gradient);
    RUN_TEST(relu_of_special_values);
    RUN_TEST(max_pooling_of_special_values);
    RUN_TEST(average_pooling_of_special_values);
    RUN_TEST(conv2d_of_special_values);
    RUN_TEST(a_window_in_the_padding_gives_0);
    RUN_TEST(one_nan_stays_where_it_belongs);
    RUN_TEST(softmax_of_infinite_logits);
    SET_TEARDOWN(NULL, NULL);
}
