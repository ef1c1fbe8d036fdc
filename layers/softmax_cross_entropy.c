/* softmax_cross_entropy.c - softmax and categorical cross-entropy, from the logits z[n][classes];
 * m is the image's largest logit:
 *
 *     s           = sum over k of exp(z[k] - m)
 *     probability = exp(z[k] - m) / s
 *     loss        = log(s) - (z[label] - m)                  of one image; the batch's loss is their mean
 *     dz[k]       = (probability[k] - [k is the label]) / n                  of the batch's loss
 *
 * Taking m off changes nothing but keeps exp from overflowing. Everything is computed in double and rounded once when
 * it is stored; s is summed with k ascending, the losses with n ascending. */
#include "layers.h"

double fer_softmax_cross_entropy(size_t n, size_t classes, const real *logits, const int *labels, real *probabilities,
                                 double *losses, real *dlogits)
{
    double total = 0;
    for (size_t image = 0; image < n; image++) {
        const size_t row = image * classes, label = labels ? (size_t)labels[image] : 0;
        const real *z = logits + row;
        double largest = (double)z[0], sum = 0;
        for (size_t k = 1; k < classes; k++)
            if ((double)z[k] > largest) largest = (double)z[k];
        for (size_t k = 0; k < classes; k++) sum += fer_exp((double)z[k] - largest);
        for (size_t k = 0; k < classes; k++) {
            const double probability = fer_exp((double)z[k] - largest) / sum;
            if (probabilities) probabilities[row + k] = (real)probability;
            if (labels && dlogits) dlogits[row + k] = (real)((probability - (k == label)) / (double)n);
        }
        if (labels) {
            const double loss = fer_log(sum) - ((double)z[label] - largest);
            if (losses) losses[image] = loss;
            total += loss;
        }
    }
    return total;
}
