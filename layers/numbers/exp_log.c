/* exp_log.c - exp and log in double, from + - * / alone, so that they are the same bits on every machine.
 *
 * Accuracy (`make accuracy` measures it, against 113 bits). The largest errors seen over 45 million arguments were
 * 0.884 (exp) and 0.854 (log) units in the last place. A float32 caller rounds once more; that gives another float
 * than the nearest only when the truth lies within such an error of the middle between two floats. Of all 2^32 floats
 * exp has no such case; of the 2^31 that are not negative log has 5, the first at 0x1.827a74p-7.
 *
 * exp.  x = k*ln 2 + r with k the nearest integer, so |r| <= 0.347, and exp(x) = 2^k * exp(r) with the Taylor series
 *           exp(r) = 1 + r + r^2 * (1/2! + r/3! + ... + r^11/13!).
 *       What the series leaves off is below r^14/14! < 4e-18 of the result, a thirtieth of a unit. ln 2 is subtracted
 *       in two parts: the first has 32 bits, so that k times it is exact; the second is what remains of r in `low`.
 *
 * log.  x = 2^k * (1 + f) with 1 + f between sqrt(1/2) and sqrt(2). With s = f / (2 + f), so |s| <= 0.172,
 *           log(1 + f) = 2 artanh(s) = 2s + s*R,   R = 2/3 s^2 + 2/5 s^4 + ... + 2/23 s^22,
 *       and, as 2s = f - s*f and s*f = f^2/2 - s*f^2/2,
 *           log(1 + f) = f - (f^2/2 - s * (f^2/2 + R)),
 *       where the large term f is exact and the rest is small. What R leaves off is below
 *       2/25 s^24 / (1 - s^2) < 4e-20.
 *       k*ln 2 is added in two parts, as above. */
#include "../../fer.h"

#include <string.h>

static const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;

/* 2^k, -1022 <= k <= 1023. */
static double power_of_two(int k)
{
    const uint64_t bits = (uint64_t)(k + 1023) << 52;
    double result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

double fer_exp(double x)
{
    double high, low, r, q;
    int k;
    if (x != x) return x;
    if (x > 710) return 1e300 * 1e300; /* infinity */
    if (x < -746) return 0;
    k = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    high = x - k * ln2_high;
    low = k * ln2_low;
    r = high - low;
    q = 1.0 / 6227020800.0;
    q = q * r + 1.0 / 479001600;
    q = q * r + 1.0 / 39916800;
    q = q * r + 1.0 / 3628800;
    q = q * r + 1.0 / 362880;
    q = q * r + 1.0 / 40320;
    q = q * r + 1.0 / 5040;
    q = q * r + 1.0 / 720;
    q = q * r + 1.0 / 120;
    q = q * r + 1.0 / 24;
    q = q * r + 1.0 / 6;
    q = q * r + 0.5;
    /* In two factors, since 2^k itself may lie beyond the range of double though the result does not. */
    return (1 + (high + (r * r * q - low))) * power_of_two(k / 2) * power_of_two(k - k / 2);
}

double fer_log(double x)
{
    double f, s, z, r, half;
    uint64_t bits;
    int k = 0;
    if (x != x || x > 1.7976931348623157e308) return x; /* NaN, infinity */
    if (x == 0) return -1e300 * 1e300;                  /* minus infinity */
    if (x < 0) return (x - x) / (x - x);                /* NaN */
    if (x < 2.2250738585072014e-308) {
        x *= 18014398509481984.0; /* 2^54: a subnormal number becomes a normal one */
        k = -54;
    }
    memcpy(&bits, &x, sizeof bits);
    k += (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52; /* 1 <= x < 2 */
    memcpy(&x, &bits, sizeof x);
    if (x > 1.4142135623730951) {
        x *= 0.5;
        k++;
    }
    f = x - 1;
    s = f / (2 + f);
    z = s * s;
    r = 2.0 / 23;
    r = r * z + 2.0 / 21;
    r = r * z + 2.0 / 19;
    r = r * z + 2.0 / 17;
    r = r * z + 2.0 / 15;
    r = r * z + 2.0 / 13;
    r = r * z + 2.0 / 11;
    r = r * z + 2.0 / 9;
    r = r * z + 2.0 / 7;
    r = r * z + 2.0 / 5;
    r = r * z + 2.0 / 3;
    r = r * z;
    half = 0.5 * f * f;
    return k * ln2_high - ((half - (s * (half + r) + k * ln2_low)) - f);
}

/* Which library this is (fer.h); here, since hardly a program does without this file. */
int FER_LIBRARY(void)
{
    return 1;
}
