/* evaluation_text.c - what `fer eval` and `fer predict` show. */
#include "text.h"

void fer_evaluation_text(FILE *out, const struct fer_evaluation *v)
{
    struct fer_class_score score[FER_CLASSES];
    int i, k;
    fer_class_scores(v, score);
    fprintf(out, "loss %.6f, accuracy %.4f (%zu of %zu)\n\n", v->loss_sum / (double)v->count,
            (double)v->correct / (double)v->count, v->correct, v->count);
    fprintf(out, "%-10s %9s %9s %9s   predicted", "class", "images", "precision", "recall");
    for (k = 0; k < FER_CLASSES; k++) fprintf(out, " %8s", fer_class_names[k]);
    fprintf(out, "\n");
    for (i = 0; i < FER_CLASSES; i++) {
        fprintf(out, "%-10s %9zu %9.4f %9.4f            ", fer_class_names[i], score[i].images, score[i].precision,
                score[i].recall);
        for (k = 0; k < FER_CLASSES; k++) fprintf(out, " %8zu", v->confusion[i][k]);
        fprintf(out, "\n");
    }
}

void fer_prediction_head(FILE *out)
{
    int i;
    fprintf(out, "image");
    for (i = 0; i < FER_CLASSES; i++) fprintf(out, "\t%s", fer_class_names[i]);
    fprintf(out, "\tprediction\n");
}

void fer_prediction_text(FILE *out, const char *image, const real *p)
{
    int i, best = 0;
    fprintf(out, "%s", image);
    for (i = 0; i < FER_CLASSES; i++) {
        fprintf(out, "\t%.6f", (double)p[i]);
        if (p[i] > p[best]) best = i;
    }
    fprintf(out, "\t%s\n", fer_class_names[best]);
}
