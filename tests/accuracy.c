/* accuracy.c - how far fer_exp and fer_log are from the truth (`make accuracy`: gcc on x86, whose long double has 64
 * bits of significand, with libquadmath). Prints
 *
 *     float32   of all 2^32 floats x, how many have a (float)fer_exp(x) that is not the float nearest to exp(x); the
 *               same for log (of the positive ones). Long double judges, where it leaves no doubt; else 113 bits do.
 *     float64   the largest error in units in the last place, over random x of several ranges, against 113 bits.
 *
 * An argument, N, takes every Nth float and one in N of the random numbers only. */
#include "../fer.h"

#include <math.h>
#include <quadmath.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct function {
    const char *name;
    double (*subject)(double x);
    long double (*judge)(long double x);
    __float128 (*last_judge)(__float128 x);
};

static const struct function functions[] = {{"exp", fer_exp, expl, expq}, {"log", fer_log, logl, logq}};

/* ---- float32 ---- */

/* The float nearest to f(x). Long double is off by less than 2^-61 of the result: when both ends of that stretch round
 * to the same float, so does the truth. */
static float nearest(const struct function *f, float x, uint64_t *doubts)
{
    const int is_exp = f->subject == fer_exp;
    long double y, reach;
    float low, high;
    if (is_exp && x > 89) return (float)INFINITY; /* exp(89) > 4e38 */
    if (is_exp && x < -104) return 0;             /* exp(-104) < 2^-150 */
    if (is_exp && fabsf(x) < 0x1p-26f) return 1;  /* 1 + x, and 1's neighbours are 2^-24 and 2^-23 away */
    y = f->judge((long double)x);
    reach = y * 0x1p-61L;
    low = (float)(y - reach);
    high = (float)(y + reach);
    if (low == high || y - y != 0) return (float)y;
    ++*doubts;
    return (float)f->last_judge((__float128)x);
}

static int same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

static void every_float(const struct function *f, uint64_t stride)
{
    uint64_t i, count = 0, wrong = 0, doubts = 0;
    const uint64_t end = f->subject == fer_log ? (uint64_t)1 << 31 : (uint64_t)1 << 32; /* the upper half is negative */
    float first = 0;
    for (i = 0; i < end; i += stride, count++) {
        const uint32_t bits = (uint32_t)i;
        float x;
        memcpy(&x, &bits, sizeof x);
        if (same((float)f->subject((double)x), nearest(f, x, &doubts))) continue;
        if (wrong++ == 0) first = x;
    }
    printf("float32 %s: %llu floats, %llu results are not the nearest float", f->name, (unsigned long long)count,
           (unsigned long long)wrong);
    if (wrong) printf(" (the first of %.9g = %a)", (double)first, (double)first);
    printf("; %llu were left to 113 bits\n", (unsigned long long)doubts);
    fflush(stdout);
}

/* ---- float64 ---- */

struct range {
    const char *name;
    const struct function *function;
    double from, to;
    int exponents; /* whether it is the exponent that is drawn evenly: x = 2^(from ... to) times 1 ... 2 */
};

/* |value - truth| in units in the last place of a double of truth's size; below 2^-1022 the units stay those of it. */
static double units(double value, __float128 truth)
{
    int exponent;
    frexpq(truth, &exponent);
    if (exponent < -1021) exponent = -1021;
    return (double)(fabsq((__float128)value - truth) / ldexpq(1, exponent - 53));
}

static void random_doubles(const struct range *r, uint64_t count)
{
    const struct function *f = r->function;
    double worst = 0, at = 0;
    uint64_t k;
    for (k = 0; k < count; k++) {
        const double u =
            (fer_draw(1, FER_FOR_CHECKS, 0, 2 * k) + fer_uniform(1, FER_FOR_CHECKS, 0, 2 * k + 1)) / 4294967296.0;
        const double v = r->from + (r->to - r->from) * u, whole = floor(v);
        const double x = r->exponents ? ldexp(1 + (v - whole), (int)whole) : v;
        const double error = units(f->subject(x), f->last_judge((__float128)x));
        if (error > worst) worst = error, at = x;
    }
    printf("float64 %s, %s: largest error %.4f units in the last place, at %a\n", f->name, r->name, worst, at);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const struct function *e = &functions[0], *l = &functions[1];
    const struct range ranges[] = {{"-0.35 ... 0.35", e, -0.35, 0.35, 0},
                                   {"-20 ... 20", e, -20, 20, 0},
                                   {"-708 ... 709.7", e, -708, 709.7, 0},
                                   {"-745 ... -708", e, -745, -708, 0},
                                   {"2^-30 ... 2", e, -30, 1, 1},
                                   {"0.7 ... 1.42", l, 0.7, 1.42, 0},
                                   {"0.999 ... 1.001", l, 0.999, 1.001, 0},
                                   {"2^-1022 ... 2^1023", l, -1022, 1023, 1},
                                   {"2^-4 ... 2^4", l, -4, 4, 1}};
    const uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    size_t i;
    for (i = 0; i < sizeof ranges / sizeof *ranges; i++) random_doubles(&ranges[i], 5000000 / (stride ? stride : 1));
    every_float(e, stride ? stride : 1);
    every_float(l, stride ? stride : 1);
    return 0;
}
