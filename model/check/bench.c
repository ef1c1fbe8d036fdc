/* bench.c - how long a training step and an inference take, and each layer's part in it.
 *
 * The network tells whenever a pass is through a layer; the time since it last told is that layer's. Every figure is
 * the median of the repeats, so that another program's short burst does not count. The yardstick is the tile of
 * layers/fast/tile.c, which all convolutions are made of, running on all threads with its data in the first cache: no
 * convolution can do more multiplications and additions a second. */
#include "../../layers/fast/tile.h"
#include "../kinds.h"
#include "command.h"

#include <stdlib.h>

enum { ROWS = FER_PASSES * FER_MAX_LAYERS, TOTALS = 3, DATA = ROWS, STEP = ROWS + 1, INFERENCE = ROWS + 2 };

/* seconds[row * repeats + repeat]; a row for each layer and pass, then the totals. */
struct stopwatch {
    double (*clock)(void), last, *seconds;
    int repeats, repeat;
};

static void add_time(struct stopwatch *w, int row)
{
    const double now = w->clock();
    if (w->repeat >= 0) w->seconds[(size_t)row * (size_t)w->repeats + (size_t)w->repeat] += now - w->last;
    w->last = now;
}

static void passed(void *context, int layer, enum fer_pass pass)
{
    add_time(context, FER_PASSES * layer + (int)pass);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(struct stopwatch *w, int row)
{
    double *seconds = w->seconds + (size_t)row * (size_t)w->repeats;
    qsort(seconds, (size_t)w->repeats, sizeof *seconds, ascending);
    return (seconds[(w->repeats - 1) / 2] + seconds[w->repeats / 2]) / 2;
}

/* Multiplications and additions of one pass over n images: a pair of them for each product. */
static double operations(const struct fer_network *net, int index, int n, enum fer_pass pass)
{
    const struct fer_layer *layer = &net->layer[index];
    const struct fer_kind *kind = &fer_kinds[layer->type];
    const int first = layer->input[0] == 0; /* nobody asks for the image's gradient */
    if (!kind->products || (first && pass == FER_BACKWARD)) return 0;
    return 2.0 * n * kind->products(layer);
}

/* Operations a second of the tile alone. */
static double measure_peak(double (*clock)(void), int *threads)
{
    enum { DEPTH = 256, CALLS = 2000, TRIALS = 20 };
    double best = 0;
    int trial, running = 0;
    for (trial = 0; trial < TRIALS; trial++) {
        const double start = clock();
        double rate;
        running = 0;
#pragma omp parallel reduction(+ : running)
        {
            real factors[FER_TILE_ROWS * DEPTH] = {0}, panel[DEPTH * FER_TILE_WIDTH] = {0},
                                         sums[FER_TILE_ROWS][FER_TILE_WIDTH] = {{0}};
            struct fer_tile t = {DEPTH, FER_TILE_ROWS, FER_TILE_WIDTH, panel, {NULL}, {NULL}};
            int call, r;
            for (r = 0; r < FER_TILE_ROWS; r++) t.factor[r] = factors + r, t.sum[r] = sums[r];
            for (call = 0; call < CALLS; call++) fer_tile()(&t);
            running++;
        }
        rate = 2.0 * running * CALLS * DEPTH * FER_TILE_ROWS * FER_TILE_WIDTH / (clock() - start);
        if (rate > best) best = rate;
    }
    *threads = running;
    return best;
}

/* Faces; a network that takes none gets numbers. */
static void fill(struct fer_network *net, const struct fer_dataset *data, const size_t *index, int *labels)
{
    const size_t n = net->batch, count = fer_layer_count(&net->layer[0], n);
    real *x = fer_network_input(net);
    size_t i;
    if (fer_network_check_faces(net, NULL) == 0) {
        fer_network_fill(net, data, index, n, labels);
        return;
    }
    for (i = 0; i < count; i++) x[i] = (real)fer_uniform(0, FER_FOR_CHECKS, 0, i);
    for (i = 0; i < n; i++) labels[i] = (int)(i % net->classes);
}

/* All repeats; one more before them brings the memory in and is not counted. */
static void run(struct fer_network *net, const struct fer_dataset *data, const size_t *index, int *labels,
                struct stopwatch *w, int training)
{
    const struct fer_adam adam = {0.001, 0.9, 0.999, 1e-7};
    const int n = (int)net->batch;
    net->passed = training ? passed : NULL;
    net->passed_context = w;
    for (w->repeat = -1; w->repeat < w->repeats; w->repeat++) {
        double start;
        w->last = w->clock();
        fill(net, data, index, labels);
        if (training) add_time(w, DATA);
        start = w->last = w->clock();
        fer_network_forward(net, (size_t)n, training);
        if (training)
            fer_network_backward(net, (size_t)n, labels), fer_network_update(net, (size_t)n, &adam, w->repeat + 2);
        w->last = start;
        add_time(w, training ? STEP : INFERENCE);
    }
    net->passed = NULL;
}

static void summarise(const struct fer_network *net, struct stopwatch *w, struct fer_bench *b)
{
    int i, pass;
    b->data = median(w, DATA);
    b->step = median(w, STEP);
    b->inference = median(w, INFERENCE);
    b->rows = 0;
    for (i = 1; i < net->layers; i++)
        for (pass = 0; pass < FER_PASSES; pass++) {
            struct fer_bench_row *row = &b->row[b->rows];
            if (pass == FER_BACKWARD_KERNEL && !fer_kinds[net->layer[i].type].backward_kernel) continue;
            row->layer = i;
            row->pass = (enum fer_pass)pass;
            row->seconds = median(w, FER_PASSES * i + pass);
            row->operations = operations(net, i, b->batch, row->pass);
            b->rows++;
        }
}

int fer_bench_run(struct fer_network *network, int batch, int repeats, double (*clock)(void), struct fer_bench *bench,
                  struct fer_error *e)
{
    const size_t counts[FER_USAGES] = {(size_t)batch, 0, 0};
    struct fer_dataset data = {0};
    struct stopwatch w = {clock, 0, fer_allocate((ROWS + TOTALS) * (size_t)repeats, sizeof(double), e), repeats, 0};
    size_t *index = fer_allocate((size_t)batch, sizeof *index, e);
    int *labels = fer_allocate((size_t)batch, sizeof *labels, e), failed;
    bench->size = (int)network->height;
    bench->batch = batch;
    bench->repeats = repeats;
    bench->memory = fer_network_memory(network, (size_t)batch, FER_PLAN_TRAINING);
    failed = !w.seconds || !index || !labels || fer_dataset_draw(&data, 0, counts, e) ||
             fer_network_plan(network, (size_t)batch, FER_PLAN_TRAINING, e);
    if (!failed) {
        fer_dataset_select(&data, FER_TRAINING, index);
        bench->peak = measure_peak(clock, &bench->threads);
        run(network, &data, index, labels, &w, 1);
        failed = fer_network_plan(network, (size_t)batch, FER_PLAN_INFERENCE, e);
    }
    if (!failed) {
        run(network, &data, index, labels, &w, 0);
        summarise(network, &w, bench);
    }
    fer_dataset_free(&data);
    fer_free(w.seconds);
    fer_free(index);
    fer_free(labels);
    return failed ? -1 : 0;
}
