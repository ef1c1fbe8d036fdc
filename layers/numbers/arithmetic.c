/* arithmetic.c - does this build, on this machine, round every operation once, to the nearest number of its own type?
 *
 * Much that breaks this shows in no macro: products that the compiler fuses with sums, a control register that flushes
 * small numbers to zero, a rounding mode that somebody has set. So a few operations are done whose right results are
 * known, each such that one of these faults changes it. All powers of two below are exact. */
#include "../../fer.h"

/* Rounded to the nearest, 1 + 2^-30 is 1 in float, as 1 + 2^-60 is in double; upwards it is more, downwards the
 * negative one is less. Towards zero, 1 + 3 * 2^-25 is 1 too, where the nearest is the next number above. */
static int rounded_elsewhere(float f, double d)
{
    const float s = f * 0x1p-30f;
    const double t = d * 0x1p-60;
    return (f + s > f) != (-f - s < -f) || f + 0x3p-25f == 1 || (d + t > d) != (-d - t < -d) || d + 0x3p-54 == 1;
}

/* What is lost when a sum is rounded does not come back. */
static int excess_precision(float f, double d)
{
    const float s = f * 0x1p-30f;
    const double t = d * 0x1p-60;
    return (f + s) - f != 0 || (d + t) - d != 0;
}

/* (1 + h)^2 = (1 + 2h) + h^2, and h^2 is lost when the product is rounded before it meets the sum. */
static int fused(float f, double d)
{
    const float x = f + 0x1p-13f, y = f + 0x1p-12f;
    const double u = d + 0x1p-27, v = d + 0x1p-26;
    return x * x - y != 0 || u * u - v != 0;
}

/* Half of the smallest normal number is subnormal, and twice that is the smallest normal number again. */
static int flushed_to_zero(float f, double d)
{
    const float half_f = f * FLT_MIN * 0.5f;
    const double half_d = d * DBL_MIN * 0.5;
    return half_f * 2 != FLT_MIN || half_d * 2 != DBL_MIN;
}

/* 49 * (1/49) is below 1, in float and in double. Several divisions: for one alone no compiler takes the inverse. */
static int divided_by_inverse(float f, double d)
{
    const float x = f * 49, q1 = 49 / x, q2 = 98 / x, q3 = 147 / x;
    const double u = d * 49, r1 = 49 / u, r2 = 98 / u, r3 = 147 / u;
    return q1 != 1 || q2 != 2 || q3 != 3 || r1 != 1 || r2 != 2 || r3 != 3;
}

int fer_arithmetic_check(struct fer_error *e)
{
    /* volatile, lest the compiler know it and compute the answers by itself, without the fault. */
    static const volatile double one = 1;
    const double d = one;
    const float f = (float)d;
    if (rounded_elsewhere(f, d))
        return fer_fail(e, "this build cannot keep the bits: operations do not round to nearest; expected the default "
                           "rounding mode");
    if (excess_precision(f, d))
        return fer_fail(e,
                        "this build cannot keep the bits: sums are held in excess precision or reordered; expected a "
                        "build without -ffast-math and its parts, on i386 with -msse2 -mfpmath=sse");
    if (fused(f, d))
        return fer_fail(e, "this build cannot keep the bits: products are fused with sums; expected a build with "
                           "-ffp-contract=off");
    if (flushed_to_zero(f, d))
        return fer_fail(e, "this build cannot keep the bits: subnormal numbers are flushed to zero; expected a build "
                           "linked without -ffast-math, and a control register as it was at the start");
    if (divided_by_inverse(f, d))
        return fer_fail(e,
                        "this build cannot keep the bits: divisions are done by the inverse; expected a build without "
                        "-freciprocal-math");
    return 0;
}
