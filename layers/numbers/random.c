/* random.c - random numbers without a state.
 *
 * A generator with a state must be saved to be resumed, and it forbids two threads to draw at a time. Philox has none:
 * it scrambles a counter under a key, so draw number k is a function of k, and can be taken at any time, in any order.
 *
 *     one round   (hi0, lo0) = counter[0] * M0,  (hi1, lo1) = counter[2] * M1      products of 64 bits, cut in halves
 *                 counter = { hi1 ^ counter[1] ^ key[0],  lo1,  hi0 ^ counter[3] ^ key[1],  lo0 }
 *     between     key[0] += W0, key[1] += W1    (the golden ratio and sqrt(3) - 1, as fractions of 2^32)
 *
 * Ten rounds. Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC'11. */
#include "../../fer.h"

#include <math.h>

void fer_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    int round;
    for (round = 0; round < 10; round++) {
        const uint64_t product0 = (uint64_t)c0 * 0xD2511F53u;
        const uint64_t product1 = (uint64_t)c2 * 0xCD9E8D57u;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint32_t fer_draw(uint64_t seed, enum fer_purpose purpose, uint32_t epoch, uint64_t k)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint64_t block = k / 4;
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), epoch, (uint32_t)purpose};
    uint32_t out[4];
    fer_philox(counter, key, out);
    return out[k % 4];
}

double fer_uniform(uint64_t seed, enum fer_purpose purpose, uint32_t epoch, uint64_t k)
{
    return ((double)fer_draw(seed, purpose, epoch, k) + 0.5) / 4294967296.0;
}

void fer_shuffle(size_t *order, size_t count, uint64_t seed, enum fer_purpose purpose, uint32_t epoch)
{
    uint64_t k = 0;
    size_t i;
    for (i = count; i-- > 1;) {
        /* draw / 2^32 lies in [0, 1), so j lies in 0 ... i. */
        const size_t j = (size_t)((fer_draw(seed, purpose, epoch, k++) * ((uint64_t)i + 1)) >> 32);
        const size_t other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}

/* ---- Normal numbers ---- */

/* c[0] + c[1] x + ... + c[7] x^7, from the highest power down. */
static double polynomial(const double c[8], double x)
{
    double sum = c[7];
    for (int i = 6; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

/* Wichura's PPND16, relative error about 1e-16: two rational functions, near the middle and towards the ends. */
static double normal_quantile(double p)
{
    static const double a[8] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double b[8] = {1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
                                2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
                                5.2264952788528545610e3};
    static const double c[8] = {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                                3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
                                1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    const double q = p - 0.5, x = 0.180625 - q * q;
    double r;
    if (x >= 0) return q * polynomial(a, x) / polynomial(b, x);
    r = sqrt(-fer_log(q < 0 ? p : 1 - p)) - 1.6; /* below 5 - 1.6: p is above 1e-11 */
    return q < 0 ? -polynomial(c, r) / polynomial(d, r) : polynomial(c, r) / polynomial(d, r);
}

double fer_truncated_normal(double u)
{
    const double below = 0.022750131948179209; /* the part of the normal distribution below -2, and above 2 */
    return normal_quantile(below + u * (1 - 2 * below));
}
