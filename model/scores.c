/* scores.c - precision, recall and F1 of each class, from who was taken for whom. */
#include "../fer.h"

static double share(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

void fer_class_scores(const struct fer_evaluation *evaluation, struct fer_class_score score[FER_CLASSES])
{
    int i, k;
    for (i = 0; i < FER_CLASSES; i++) {
        struct fer_class_score *s = &score[i];
        s->images = s->predicted = 0;
        for (k = 0; k < FER_CLASSES; k++) {
            s->images += evaluation->confusion[i][k];
            s->predicted += evaluation->confusion[k][i];
        }
        s->precision = share(evaluation->confusion[i][i], s->predicted);
        s->recall = share(evaluation->confusion[i][i], s->images);
        s->f1 = share(2 * evaluation->confusion[i][i], s->images + s->predicted); /* the same, also where both are 0 */
    }
}
