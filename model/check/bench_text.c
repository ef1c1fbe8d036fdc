/* bench_text.c - what `fer bench` shows: each layer's speed, that of all layers of a kind, and the totals. */
#include "../kinds.h"
#include "command.h"

#include <string.h>

/* What one line stands for: a layer, or all layers of a kind. */
struct passes {
    double seconds[FER_PASSES], operations[FER_PASSES];
    int rows; /* of the bench that are added up in it */
};

/* Milliseconds and GFLOP/s of each pass, the share of the step, the part of the peak. */
static void write_line(FILE *out, const char *name, const struct fer_bench *b, const struct passes *p)
{
    double sum = 0, work = 0, work_seconds = 0;
    int i;
    fprintf(out, "%-28s", name);
    for (i = 0; i < FER_PASSES; i++) {
        sum += p->seconds[i];
        if (p->operations[i] > 0) {
            work += p->operations[i];
            work_seconds += p->seconds[i];
            fprintf(out, " %9.2f %6.1f", 1e3 * p->seconds[i], 1e-9 * p->operations[i] / p->seconds[i]);
        } else if (p->seconds[i] > 0)
            fprintf(out, " %9.2f %6s", 1e3 * p->seconds[i], "");
        else
            fprintf(out, " %16s", "");
    }
    fprintf(out, " %7.1f %%", 100 * sum / b->step);
    if (work > 0) fprintf(out, " %5.0f %%", 100 * work / work_seconds / b->peak);
    fprintf(out, "\n");
}

/* Each layer's line. Adds it to that of its kind. */
static void write_layers(FILE *out, const struct fer_network *network, const struct fer_bench *b, struct passes *kind)
{
    int i = 0;
    while (i < b->rows) {
        const int index = b->row[i].layer;
        const struct fer_layer *layer = &network->layer[index];
        struct passes one = {{0}, {0}, 0};
        for (; i < b->rows && b->row[i].layer == index; i++) {
            const struct fer_bench_row *row = &b->row[i];
            one.seconds[row->pass] = row->seconds;
            one.operations[row->pass] = row->operations;
            kind[fer_class_first(layer->type)].seconds[row->pass] += row->seconds;
            kind[fer_class_first(layer->type)].operations[row->pass] += row->operations;
            kind[fer_class_first(layer->type)].rows++;
        }
        write_line(out, layer->name, b, &one);
    }
}

void fer_bench_text(FILE *out, const struct fer_network *network, const struct fer_bench *b)
{
    struct passes kind[FER_LAYER_TYPES] = {{{0}, {0}, 0}};
    int i;
    fprintf(out, "%-28s %16s %16s %16s %9s %7s\n", "", "forward", "backward", "kernel gradient", "of step", "of peak");
    fprintf(out, "%-28s", "layer");
    for (i = 0; i < FER_PASSES; i++) fprintf(out, " %9s %6s", "ms", "GF/s");
    fprintf(out, "\n");
    write_layers(out, network, b, kind);
    fprintf(out, "\n");
    for (i = FER_INPUT + 1; i < FER_LAYER_TYPES; i++)
        if (kind[i].rows) write_line(out, fer_layer_class((enum fer_layer_type)i), b, &kind[i]);
    fprintf(out, "\nsize %d, batch %d, " FER_REAL_NAME ", %d threads, medians of %d repeats, %.0f MB of memory\n",
            b->size, b->batch, b->threads, b->repeats, 1e-6 * (double)b->memory);
    fprintf(out, "training step   %8.3f ms an image (%.3f s a batch)\n", 1e3 * b->step / b->batch, b->step);
    fprintf(out, "inference       %8.3f ms an image\n", 1e3 * b->inference / b->batch);
    fprintf(out, "taking data in  %8.3f ms an image, %.2f %% of a step\n", 1e3 * b->data / b->batch,
            100 * b->data / b->step);
    fprintf(out, "peak            %8.1f GFLOP/s, the innermost loop of the convolutions alone\n", 1e-9 * b->peak);
}

void fer_bench_json(FILE *out, const struct fer_network *network, const struct fer_bench *b)
{
    static const char *const pass_names[FER_PASSES] = {"forward", "backward", "kernel"};
    struct fer_json json = {0}, *j = &json;
    int i;
    json.out = out;
    fer_json_open(j, NULL, '{');
    fer_json_string(j, "fer", FER_VERSION);
    fer_json_string(j, "real", FER_REAL_NAME);
    fer_json_value(j, "size", "%d", b->size);
    fer_json_value(j, "batch", "%d", b->batch);
    fer_json_value(j, "repeats", "%d", b->repeats);
    fer_json_value(j, "threads", "%d", b->threads);
    fer_json_line(j, " ");
    fer_json_value(j, "step_ms_per_image", "%.6g", 1e3 * b->step / b->batch);
    fer_json_value(j, "inference_ms_per_image", "%.6g", 1e3 * b->inference / b->batch);
    fer_json_value(j, "data_ms_per_image", "%.6g", 1e3 * b->data / b->batch);
    fer_json_line(j, " ");
    fer_json_value(j, "peak_gflops", "%.6g", 1e-9 * b->peak);
    fer_json_count(j, "memory_bytes", b->memory);
    fer_json_open(j, "layers", '[');
    for (i = 0; i < b->rows; i++) {
        fer_json_line(j, "  ");
        fer_json_open(j, NULL, '{');
        fer_json_string(j, "layer", network->layer[b->row[i].layer].name);
        fer_json_string(j, "pass", pass_names[b->row[i].pass]);
        fer_json_value(j, "ms", "%.6g", 1e3 * b->row[i].seconds);
        fer_json_value(j, "gflop", "%.6g", 1e-9 * b->row[i].operations);
        fer_json_close(j, '}');
    }
    fer_json_close(j, ']');
    fer_json_close(j, '}');
}
