/* adam.c - Adam (Kingma and Ba, arXiv:1412.6980), as TensorFlow applies it, for each element:
 *
 *     m = m + (g - m) * (1 - beta1)              running mean of the gradient
 *     v = v + (g*g - v) * (1 - beta2)            running mean of its square
 *     p = p - (m * lr_t) / (sqrt(v) + epsilon)
 *     lr_t = learning_rate * sqrt(1 - beta2^t) / (1 - beta1^t)
 *
 * lr_t corrects both means for having started at 0. epsilon is added to sqrt(v) as it is, before the correction. Of the
 * other forms the third line is
 *
 *     pytorch       p = p - (m * lr_t) / (sqrt(v) / sqrt(1 - beta2^t) + epsilon),  lr_t = learning_rate / (1 - beta1^t)
 *     uncorrected   p = p - (m * learning_rate) / (sqrt(v) + epsilon)
 *
 * Decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101) takes p * (1 - learning_rate * weight_decay) in
 * place of the p on the right. The constants are computed in double and rounded to `real`; the rest is computed in
 * `real`, in the order written. */
#include "layers.h"

#include <math.h>

/* x^t by squaring: for each binary digit of t, lowest first. */
static double power(double x, long t)
{
    double result = 1;
    for (; t; t /= 2, x *= x)
        if (t % 2) result *= x;
    return result;
}

void fer_adam_step_of(const struct fer_adam *adam, enum fer_adam_form form, double weight_decay, long t, size_t count,
                      real *parameter, const real *gradient, real *m, real *v)
{
    const double correct_m = 1 - power(adam->beta1, t), correct_v = sqrt(1 - power(adam->beta2, t));
    const real rate = (real)(form == FER_ADAM_KERAS     ? adam->learning_rate * correct_v / correct_m
                             : form == FER_ADAM_PYTORCH ? adam->learning_rate / correct_m
                                                        : adam->learning_rate);
    const real root = (real)(form == FER_ADAM_PYTORCH ? correct_v : 1), epsilon = (real)adam->epsilon;
    const real take_m = (real)(1 - adam->beta1), take_v = (real)(1 - adam->beta2);
    const real keep = (real)(1 - adam->learning_rate * weight_decay);
#pragma omp parallel for if (count > FER_FEW)
    for (size_t i = 0; i < count; i++) {
        const real g = gradient[i];
        m[i] += (g - m[i]) * take_m;
        v[i] += (g * g - v[i]) * take_v;
        parameter[i] = parameter[i] * keep - (m[i] * rate) / ((real)sqrt((double)v[i]) / root + epsilon);
    }
}

void fer_adam_step(const struct fer_adam *adam, long t, size_t count, real *parameter, const real *gradient, real *m,
                   real *v)
{
    fer_adam_step_of(adam, FER_ADAM_KERAS, 0, t, count, parameter, gradient, m, v);
}
