/* evaluation_text.c - what `fer eval` and `fer predict` show. */
#include "text.h"

#include <stdlib.h>

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

static void format_real(real value, char text[32])
{
    int digits;
    snprintf(text, 32, "nan");
    for (digits = 1; digits <= 17 && value == value; digits++) {
        snprintf(text, 32, "%.*g", digits, (double)value);
        if ((real)strtod(text, NULL) == value) return;
    }
}

static int likeliest(const real *p)
{
    int i, best = 0;
    for (i = 1; i < FER_CLASSES; i++)
        if (p[i] > p[best]) best = i;
    return best;
}

void fer_predictions_text(FILE *out, int count, const char *const *image, const real *probabilities)
{
    char number[32];
    int i, k;
    fprintf(out, "image");
    for (k = 0; k < FER_CLASSES; k++) fprintf(out, "\t%s", fer_class_names[k]);
    fprintf(out, "\tprediction\n");
    for (i = 0; i < count; i++) {
        const real *p = probabilities + i * FER_CLASSES;
        fprintf(out, "%s", image[i]);
        for (k = 0; k < FER_CLASSES; k++) {
            format_real(p[k], number);
            fprintf(out, "\t%s", number);
        }
        fprintf(out, "\t%s\n", fer_class_names[likeliest(p)]);
    }
}

void fer_predictions_json(FILE *out, int count, const char *const *image, const real *probabilities)
{
    struct fer_json j = {out, 0, 0, NULL};
    char number[32];
    int i, k;
    fer_json_open(&j, NULL, '{');
    fer_json_open(&j, "images", '[');
    for (i = 0; i < count; i++) {
        const real *p = probabilities + i * FER_CLASSES;
        fer_json_line(&j, "  ");
        fer_json_open(&j, NULL, '{');
        fer_json_string(&j, "image", image[i]);
        fer_json_open(&j, "probabilities", '{');
        for (k = 0; k < FER_CLASSES; k++) {
            format_real(p[k], number);
            fer_json_value(&j, fer_class_names[k], p[k] - p[k] == 0 ? "%s" : "\"%s\"", number);
        }
        fer_json_close(&j, '}');
        fer_json_string(&j, "prediction", fer_class_names[likeliest(p)]);
        fer_json_close(&j, '}');
    }
    fer_json_close(&j, ']');
    fer_json_close(&j, '}');
}
