/* mark.c - marks the functions of exercise.h: each gets ok, or WRONG with the kind of mistake.
 *
 *     cc -std=c99 -O2 -DFER_DOUBLE -I. tests/exercise/mark.c my_solution.c libfer64.a -lm -fopenmp -o mark && ./mark
 *
 * `./mark SEED` draws other inputs. A function is compared with fer's from the same inputs, and may be off by as much
 * as rounding in float64 explains (fer_op_verify); how it was done wrong, the same function says. Exit status 1 when
 * one is wrong. */
#include "exercise.h"
#include "fer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT "exercise_input.npz"
#define ANSWER "exercise_answer.npz"
enum { MOST = 4096 };

static uint64_t seed = 1;
static uint32_t drawn;
static int wrong;
static struct fer_error error;

static void give_up(void)
{
    fprintf(stderr, "mark: %s\n", error.text);
    exit(2);
}

/* ---- Inputs ---- */

static void draw(size_t count, double *x)
{
    size_t i;
    drawn++;
    for (i = 0; i < count; i++) x[i] = 4 * fer_uniform(seed, FER_FOR_CHECKS, drawn, i) - 2;
}

static int draw_size(int least, int most)
{
    return least + (int)(fer_draw(seed, FER_FOR_CHECKS, ++drawn, 0) % (uint32_t)(most - least + 1));
}

/* A result begins as a number that nobody computes, so that what is not written does not look right. */
static void spoil(size_t count, double *x)
{
    while (count) x[--count] = 123;
}

/* ---- Files ---- */

static struct fer_npz_writer *file;

static void begin(const char *path)
{
    if (fer_npz_create(&file, path, &error)) give_up();
}

static void put(const char *name, const double *values, int dims, int s0, int s1, int s2, int s3)
{
    const size_t shape[4] = {(size_t)s0, (size_t)s1, (size_t)s2, (size_t)s3};
    if (fer_npz_write(file, name, FER_F8, dims, shape, values, &error)) give_up();
}

static void end(void)
{
    if (fer_npz_commit(file, &error)) give_up();
}

/* ---- The mark ---- */

static void write_row(void *context, const struct fer_verify_row *row)
{
    int *shown = context;
    if (row->verdict == FER_OK || row->verdict == FER_MISTRUSTED) return;
    printf("%s%s: %s", (*shown)++ ? "; " : "WRONG: ", row->array,
           *row->reason ? row->reason : "of no kind that is known");
    if (row->dims) printf(" (element %zu is %.6g, right is %.6g)", row->index, row->value, row->truth);
}

/* options: pairs of name and text. */
static void mark(const char *function, const char *operation, const struct fer_op_option *option, int options)
{
    struct fer_verify_summary summary;
    int shown = 0;
    printf("%-30s", function);
    if (fer_op_verify(operation, INPUT, ANSWER, option, options, FER_UNIT_F64, FER_UNIT_F64, write_row, &shown,
                      &summary, &error))
        give_up();
    puts(shown ? "" : "ok");
    wrong += shown > 0;
    remove(INPUT);
    remove(ANSWER);
}

/* ---- The functions ---- */

static struct geometry draw_geometry(int pooling)
{
    struct geometry g;
    g.n = draw_size(2, 3), g.h = draw_size(5, 8), g.w = draw_size(5, 8), g.ci = draw_size(2, 4);
    g.kh = draw_size(2, 3), g.kw = draw_size(2, 3), g.co = pooling ? g.ci : draw_size(2, 5);
    g.stride = draw_size(1, 2), g.pad = pooling ? 0 : draw_size(0, 1);
    g.oh = (g.h + 2 * g.pad - g.kh) / g.stride + 1, g.ow = (g.w + 2 * g.pad - g.kw) / g.stride + 1;
    return g;
}

static void mark_convolution(void)
{
    static double x[MOST], kernel[MOST], bias[8], y[MOST], dy[MOST], dx[MOST], dkernel[MOST], dbias[8];
    const struct geometry g = draw_geometry(0);
    const size_t inputs = (size_t)(g.n * g.h * g.w * g.ci), outputs = (size_t)(g.n * g.oh * g.ow * g.co);
    const size_t weights = (size_t)(g.kh * g.kw * g.ci * g.co);
    char strides[20], padding[40];
    struct fer_op_option options[2] = {{"strides", NULL}, {"padding", NULL}};
    int backward;
    draw(inputs, x), draw(weights, kernel), draw((size_t)g.co, bias), draw(outputs, dy);
    snprintf(strides, sizeof strides, "%d,%d", g.stride, g.stride);
    snprintf(padding, sizeof padding, "%d,%d,%d,%d", g.pad, g.pad, g.pad, g.pad);
    options[0].text = strides, options[1].text = padding;
    for (backward = 0; backward < 2; backward++) {
        begin(INPUT);
        put("x", x, 4, g.n, g.h, g.w, g.ci), put("kernel", kernel, 4, g.kh, g.kw, g.ci, g.co);
        put("bias", bias, 1, g.co, 0, 0, 0), put("dy", dy, 4, g.n, g.oh, g.ow, g.co);
        end();
        begin(ANSWER);
        if (backward) {
            spoil(inputs, dx), spoil(weights, dkernel), spoil((size_t)g.co, dbias);
            conv2d_backward(&g, x, kernel, dy, dx, dkernel, dbias);
            put("dx", dx, 4, g.n, g.h, g.w, g.ci), put("dkernel", dkernel, 4, g.kh, g.kw, g.ci, g.co);
            put("dbias", dbias, 1, g.co, 0, 0, 0);
        } else {
            spoil(outputs, y);
            conv2d_forward(&g, x, kernel, bias, y);
            put("y", y, 4, g.n, g.oh, g.ow, g.co);
        }
        end();
        mark(backward ? "conv2d_backward" : "conv2d_forward", "conv2d", options, 2);
    }
}

static void mark_normalization(void)
{
    static double x[MOST], gamma[8], beta[8], y[MOST], dy[MOST], dx[MOST], dgamma[8], dbeta[8];
    const struct fer_op_option epsilon = {"epsilon", "0.01"};
    const int rows = draw_size(5, 12), c = draw_size(2, 5);
    const size_t count = (size_t)(rows * c), channels = (size_t)c;
    int backward;
    draw(count, x), draw(channels, gamma), draw(channels, beta), draw(count, dy);
    for (backward = 0; backward < 2; backward++) {
        begin(INPUT);
        put("x", x, 2, rows, c, 0, 0), put("gamma", gamma, 1, c, 0, 0, 0), put("beta", beta, 1, c, 0, 0, 0);
        put("dy", dy, 2, rows, c, 0, 0);
        end();
        begin(ANSWER);
        if (backward) {
            spoil(count, dx), spoil(channels, dgamma), spoil(channels, dbeta);
            batch_normalization_backward(rows, c, 0.01, x, gamma, dy, dx, dgamma, dbeta);
            put("dx", dx, 2, rows, c, 0, 0), put("dgamma", dgamma, 1, c, 0, 0, 0), put("dbeta", dbeta, 1, c, 0, 0, 0);
        } else {
            spoil(count, y);
            batch_normalization_forward(rows, c, 0.01, x, gamma, beta, y);
            put("y", y, 2, rows, c, 0, 0);
        }
        end();
        mark(backward ? "batch_normalization_backward" : "batch_normalization_forward", "batch_normalization",
             &epsilon, 1);
    }
}

/* Of small integers: many maxima are equal, and some are negative. */
static void mark_pooling(void)
{
    static double x[MOST], y[MOST], dy[MOST], dx[MOST];
    const struct geometry g = draw_geometry(1);
    const size_t inputs = (size_t)(g.n * g.h * g.w * g.ci), outputs = (size_t)(g.n * g.oh * g.ow * g.co);
    char strides[20], pool[20];
    struct fer_op_option options[2] = {{"strides", NULL}, {"pool", NULL}};
    size_t i;
    int backward;
    draw(inputs, x), draw(outputs, dy);
    for (i = 0; i < inputs; i++) x[i] = (int)(2 * x[i]) - 1.0;
    snprintf(strides, sizeof strides, "%d,%d", g.stride, g.stride);
    snprintf(pool, sizeof pool, "%d,%d", g.kh, g.kw);
    options[0].text = strides, options[1].text = pool;
    for (backward = 0; backward < 2; backward++) {
        begin(INPUT);
        put("x", x, 4, g.n, g.h, g.w, g.ci), put("dy", dy, 4, g.n, g.oh, g.ow, g.co);
        end();
        begin(ANSWER);
        if (backward) {
            spoil(inputs, dx);
            max_pooling2d_backward(&g, x, dy, dx);
            put("dx", dx, 4, g.n, g.h, g.w, g.ci);
        } else {
            spoil(outputs, y);
            max_pooling2d_forward(&g, x, y);
            put("y", y, 4, g.n, g.oh, g.ow, g.co);
        }
        end();
        mark(backward ? "max_pooling2d_backward" : "max_pooling2d_forward", "max_pooling2d", options, 2);
    }
}

/* The first image's logits are so large that exp of them overflows. */
static void mark_softmax(void)
{
    static double logits[MOST], dlogits[MOST], loss, label_numbers[16];
    const int n = draw_size(2, 6), classes = draw_size(3, 10);
    int labels[16], i;
    draw((size_t)(n * classes), logits);
    for (i = 0; i < classes; i++) logits[i] += 1000;
    for (i = 0; i < n; i++) label_numbers[i] = labels[i] = draw_size(0, classes - 1);
    begin(INPUT);
    put("logits", logits, 2, n, classes, 0, 0), put("labels", label_numbers, 1, n, 0, 0, 0);
    end();
    spoil((size_t)(n * classes), dlogits);
    loss = softmax_loss(n, classes, logits, labels, dlogits);
    begin(ANSWER);
    put("loss", &loss, 0, 0, 0, 0, 0), put("dlogits", dlogits, 2, n, classes, 0, 0);
    end();
    mark("softmax_loss", "softmax_cross_entropy", NULL, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) seed = strtoul(argv[1], NULL, 10);
    mark_convolution();
    mark_normalization();
    mark_pooling();
    mark_softmax();
    if (wrong) return printf("%d of 7 functions are wrong\n", wrong), 1;
    puts("all seven functions are right");
    return 0;
}
