/* softmax_cross_entropy.c - softmax of the logits z[n][k], and categorical cross-entropy, computed from the logits too.
 * For each image n, m being its largest logit:
 *
 *     s     = sum over k of exp(z[k] - m)
 *     p[k]  = exp(z[k] - m) / s
 *     loss  = log(s) - (z[label] - m)                which is -log(p[label]); the batch's loss is the mean over n
 *     dz[k] = (p[k] - [k is the label]) / images     of the batch's loss
 *
 * With probabilities t[k] in place of the label (soft labels), T being their sum, which should be 1,
 *
 *     loss  = sum over k of t[k] * (log(s) - (z[k] - m))      without the terms whose t[k] is 0
 *     dz[k] = (p[k] * T - t[k]) / images
 *
 * Taking m off changes nothing but keeps exp from overflowing. Everything is computed in double and rounded once when
 * it is stored; s, T and the soft loss are summed with k ascending, the losses with n ascending. */
#include "layers.h"

/* m and s of one image. */
struct sum {
    double largest, exponentials;
};

static struct sum sum_of(size_t classes, const real *z)
{
    struct sum s = {z[0], 0};
    for (size_t k = 1; k < classes; k++)
        if (z[k] > s.largest) s.largest = z[k];
    for (size_t k = 0; k < classes; k++) s.exponentials += fer_exp(z[k] - s.largest);
    return s;
}

void fer_softmax(size_t rows, size_t classes, const real *logits, real *probabilities)
{
    for (size_t n = 0; n < rows; n++) {
        const real *z = logits + n * classes;
        const struct sum s = sum_of(classes, z);
        for (size_t k = 0; k < classes; k++)
            probabilities[n * classes + k] = (real)(fer_exp(z[k] - s.largest) / s.exponentials);
    }
}

double fer_cross_entropy(size_t images, size_t classes, const real *logits, const int *labels, double *losses,
                         real *dlogits)
{
    double total = 0;
    for (size_t n = 0; n < images; n++) {
        const real *z = logits + n * classes;
        const struct sum s = sum_of(classes, z);
        const size_t label = (size_t)labels[n];
        const double loss = fer_log(s.exponentials) - (z[label] - s.largest);
        total += loss;
        if (losses) losses[n] = loss;
        for (size_t k = 0; k < classes && dlogits; k++) {
            const double p = fer_exp(z[k] - s.largest) / s.exponentials;
            /* the batch's loss is the sum of log(s) - (z[label] - m) over n, divided by images, so by z[k]: */
            dlogits[n * classes + k] = (real)((p - (k == label)) / (double)images);
        }
    }
    return total;
}

double fer_soft_cross_entropy(size_t images, size_t classes, const real *logits, const real *targets, double *losses,
                              real *dlogits)
{
    double total = 0;
    for (size_t n = 0; n < images; n++) {
        const real *z = logits + n * classes, *t = targets + n * classes;
        const struct sum s = sum_of(classes, z);
        double loss = 0, all = 0;
        for (size_t k = 0; k < classes; k++) {
            if (t[k] != 0) loss += t[k] * (fer_log(s.exponentials) - (z[k] - s.largest));
            all += t[k];
        }
        total += loss;
        if (losses) losses[n] = loss;
        for (size_t k = 0; k < classes && dlogits; k++) {
            const double p = fer_exp(z[k] - s.largest) / s.exponentials;
            dlogits[n * classes + k] = (real)((p * all - t[k]) / (double)images);
        }
    }
    return total;
}

double fer_softmax_cross_entropy(size_t images, size_t classes, const real *logits, const int *labels,
                                 real *probabilities, double *losses, real *dlogits)
{
    if (probabilities) fer_softmax(images, classes, logits, probabilities);
    return labels ? fer_cross_entropy(images, classes, logits, labels, losses, dlogits) : 0;
}
