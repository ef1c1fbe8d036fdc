/* slopes.c - how often is the gradient check wrong? Small networks (5 inputs, 6 hidden units, 4 classes, 3 images), with
 * five activations and weights from 1e-6 to 1e3, whose gradient is written out here and right. Every slope is checked;
 * then one is made wrong, by a factor or more, and checked alone.
 *
 *     slopes FIRST COUNT [float32]     seeds FIRST ... FIRST + COUNT - 1; float32: f is rounded to it
 *
 * Fails when a right slope is called WRONG, or a mistake larger than twice the stated error is called ok. */
#include "../fer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 5, HIDDEN = 6, CLASSES = 4, IMAGES = 3, RELU = 0, TANH, SIGMOID, ELU, LEAKY_RELU, ACTIVATIONS };
/* Where the parameters stand in one array. */
enum { BIAS = INPUTS * HIDDEN, KERNEL2 = BIAS + HIDDEN, BIAS2 = KERNEL2 + HIDDEN * CLASSES, PARAMETERS = BIAS2 + CLASSES };

struct network {
    int activation, rounded;
    double x[IMAGES * INPUTS], z[IMAGES][HIDDEN], a[IMAGES][HIDDEN];
    int label[IMAGES];
    real logits[IMAGES * CLASSES], dlogits[IMAGES * CLASSES], p[PARAMETERS], dp[PARAMETERS];
};

static double activate(int activation, double z)
{
    switch (activation) {
    case TANH: return tanh(z);
    case SIGMOID: return 1 / (1 + exp(-z));
    case ELU: return z > 0 ? z : exp(z) - 1;
    case LEAKY_RELU: return z > 0 ? z : 0.3 * z;
    default: return z > 0 ? z : 0;
    }
}

static double slope_of(int activation, double z, double a)
{
    switch (activation) {
    case TANH: return 1 - a * a;
    case SIGMOID: return a * (1 - a);
    case ELU: return z > 0 ? 1 : a + 1;
    case LEAKY_RELU: return z > 0 ? 1 : 0.3;
    default: return z > 0;
    }
}

static double loss(void *context)
{
    struct network *n = context;
    double sum;
    int b, i, h, c;
    for (b = 0; b < IMAGES; b++) {
        for (h = 0; h < HIDDEN; h++) {
            n->z[b][h] = n->p[BIAS + h];
            for (i = 0; i < INPUTS; i++) n->z[b][h] += n->x[b * INPUTS + i] * n->p[i * HIDDEN + h];
            n->a[b][h] = activate(n->activation, n->z[b][h]);
        }
        for (c = 0; c < CLASSES; c++) {
            double z = n->p[BIAS2 + c];
            for (h = 0; h < HIDDEN; h++) z += n->a[b][h] * n->p[KERNEL2 + h * CLASSES + c];
            n->logits[b * CLASSES + c] = (real)z;
        }
    }
    sum = fer_cross_entropy(IMAGES, CLASSES, n->logits, n->label, NULL, n->dlogits) / IMAGES;
    return n->rounded ? (double)(float)sum : sum;
}

static void differentiate(struct network *n)
{
    int b, i, h, c;
    loss(n);
    memset(n->dp, 0, sizeof n->dp);
    for (b = 0; b < IMAGES; b++) {
        const real *dz = n->dlogits + b * CLASSES;
        for (c = 0; c < CLASSES; c++) n->dp[BIAS2 + c] += dz[c];
        for (h = 0; h < HIDDEN; h++) {
            double d = 0;
            for (c = 0; c < CLASSES; c++) n->dp[KERNEL2 + h * CLASSES + c] += (real)(n->a[b][h] * dz[c]);
            for (c = 0; c < CLASSES; c++) d += dz[c] * n->p[KERNEL2 + h * CLASSES + c];
            d *= slope_of(n->activation, n->z[b][h], n->a[b][h]);
            n->dp[BIAS + h] += (real)d;
            for (i = 0; i < INPUTS; i++) n->dp[i * HIDDEN + h] += (real)(d * n->x[b * INPUTS + i]);
        }
    }
}

/* Every other seed has biases of 0, every third inputs of 0: kinks at x itself. */
static void draw(struct network *n, uint64_t seed, uint32_t stream, double scale)
{
    uint64_t k = 0;
    int i;
    for (i = 0; i < PARAMETERS; i++) n->p[i] = (real)(scale * (2 * fer_uniform(seed, FER_FOR_CHECKS, stream, k++) - 1));
    for (i = BIAS; i < KERNEL2 && seed % 2; i++) n->p[i] = 0;
    for (i = 0; i < IMAGES * INPUTS; i++) n->x[i] = 2 * fer_uniform(seed, FER_FOR_CHECKS, stream, k++) - 1;
    for (i = 0; i < IMAGES * INPUTS && seed % 3 == 0; i += 4) n->x[i] = 0;
    for (i = 0; i < IMAGES; i++) n->label[i] = (int)(fer_uniform(seed, FER_FOR_CHECKS, stream, k++) * CLASSES);
}

static struct {
    size_t right, wrong, not_said, calls, planted, found, too_small, missed;
} total;

static void check_right(struct network *n, uint64_t seed, double scale)
{
    struct fer_gradcheck r;
    if (fer_gradcheck_function(loss, n, n->p, n->dp, PARAMETERS, 0, 0, seed, &r, NULL)) exit(2);
    total.right += r.checked, total.wrong += r.wrong, total.not_said += r.skipped, total.calls += r.calls;
    if (r.wrong)
        printf("seed %lu, activation %d, weights %g: %lu right slopes called WRONG, at %lu measured %g claimed %g\n",
               (unsigned long)seed, n->activation, scale, (unsigned long)r.wrong, (unsigned long)r.index, r.measured,
               r.claimed);
}

static void check_planted(struct network *n, uint64_t seed, uint32_t stream)
{
    static const double factors[] = {1.001, 0, -1, 2, 1 + 1e-6};
    const size_t at = (size_t)(fer_uniform(seed, FER_FOR_CHECKS, 100 + stream, 0) * PARAMETERS);
    const double was = n->dp[at], factor = factors[(size_t)(fer_uniform(seed, FER_FOR_CHECKS, 100 + stream, 1) * 5)];
    struct fer_gradcheck r;
    n->dp[at] = (real)(was * factor);
    if (n->dp[at] == was) return;
    if (fer_gradcheck_function(loss, n, n->p + at, n->dp + at, 1, 0, 0, 1, &r, NULL)) exit(2);
    total.planted++;
    if (r.wrong) total.found++;
    else if (r.skipped || fabs((double)n->dp[at] - was) < 2 * r.error) total.too_small++;
    else total.missed++;
    n->dp[at] = (real)was;
}

int main(int argc, char **argv)
{
    static const double scales[] = {1e-6, 1e-4, 1e-3, 0.1, 1, 3, 30, 1e3};
    const uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, count = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
    struct network n = {0};
    uint64_t seed;
    int k;
    n.rounded = argc > 3;
    for (seed = first; seed < first + count; seed++)
        for (k = 0; k < 8; k++)
            for (n.activation = RELU; n.activation < ACTIVATIONS; n.activation++) {
                draw(&n, seed, (uint32_t)(8 * n.activation + k), scales[k]);
                differentiate(&n);
                check_right(&n, seed, scales[k]);
                check_planted(&n, seed, (uint32_t)(8 * n.activation + k));
            }
    printf("%lu right slopes: %lu called WRONG, of %lu nothing said, %.1f calls an element; %lu mistakes: %lu found, %lu "
           "below twice the stated error or not said, %lu missed\n", (unsigned long)total.right, (unsigned long)total.wrong,
           (unsigned long)total.not_said, (double)total.calls / (double)(total.right + total.not_said),
           (unsigned long)total.planted, (unsigned long)total.found, (unsigned long)total.too_small,
           (unsigned long)total.missed);
    return total.wrong || total.missed || !total.right;
}
