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
