/* slope_cases.c - prints the table of tests/README.md: the gradient check on one kind of trouble after the other, what
 * it says and how often it asked f. Fails when a verdict is not the expected one. */
#include "../fer.h"

#include <math.h>
#include <stdio.h>

enum { N = 8 };
static real x[N], dx[N];
static double scale;
static int passed, failed;

/* Each function of x/scale, so that it does the same at any scale; the gradient of one term, by x/scale. */
static double cubic(double z, int i) { return (i + 1) * z * z * z / 8 - z * z + z; }
static double d_cubic(double z, int i) { return 3 * (i + 1) * z * z / 8 - 2 * z + 1; }
static double sigmoid(double z, int i) { return (i - 3.5) / (1 + fer_exp(-z)); }
static double d_sigmoid(double z, int i) { const double s = 1 / (1 + fer_exp(-z)); return (i - 3.5) * s * (1 - s); }
static double relu(double z, int i) { return z > 0 ? (i + 1) * z : 0; }
static double d_relu(double z, int i) { return z > 0 ? i + 1 : 0; }
static double flat(double z, int i) { return (void)z, (double)i; }
static double d_flat(double z, int i) { return (void)z, (void)i, 0; }
static double saturated(double z, int i) { return (void)i, 1 / (1 + fer_exp(-60 * z)); }
static double d_saturated(double z, int i)
{
    const double s = 1 / (1 + fer_exp(-60 * z));
    return (void)i, 60 * s * (1 - s);
}

struct function {
    double (*term)(double z, int i), (*slope)(double z, int i);
    int maximum, rounded; /* the largest of the terms alone; to float32 */
};

static double f(void *context)
{
    const struct function *g = context;
    double sum = 0;
    int i;
    for (i = 0; i < N; i++) {
        const double t = g->term(x[i] / scale, i);
        sum = g->maximum ? (t > sum || i == 0 ? t : sum) : sum + t;
    }
    return g->rounded ? (double)(float)sum : sum;
}

/* where: 0 drawn; 1 the first element at 0; 2 all below 0. */
static void check(const char *name, struct function g, double size, int where, double step, double factor,
                  const char *expected)
{
    struct fer_gradcheck r;
    struct fer_error e;
    const char *verdict;
    int i;
    scale = size;
    for (i = 0; i < N; i++) {
        const double z = 2 * fer_uniform(9, FER_FOR_CHECKS, 1, (uint64_t)i) - 1;
        x[i] = (real)(size * (where == 2 ? -1 - fabs(z) : where == 1 && i == 0 ? 0 : i == N - 1 ? fabs(z) : z));
        dx[i] = (real)((g.maximum && i > 0 ? 0 : g.slope(x[i] / size, i) / size) * (i == N - 1 ? factor : 1));
    }
    if (fer_gradcheck_function(f, &g, x, dx, N, 0, step, 1, &r, &e)) {
        puts(e.text);
        failed++;
        return;
    }
    verdict = r.wrong ? "WRONG" : r.skipped ? "cannot say" : r.kinks ? "ok, kink" : "ok";
    for (i = 0; expected[i] && verdict[i] == expected[i]; i++) {}
    if (expected[i]) printf("EXPECTED %s: ", expected), failed++;
    else passed++;
    printf("| %s | %g | %s | %.1f |\n", name, size, verdict, (double)r.calls / N);
}

int main(void)
{
    static const struct function c = {cubic, d_cubic, 0, 0}, s = {sigmoid, d_sigmoid, 0, 0}, r = {relu, d_relu, 0, 0};
    static const struct function rounded = {cubic, d_cubic, 0, 1}, none = {flat, d_flat, 0, 0};
    static const struct function most = {relu, d_relu, 1, 0}, hard = {saturated, d_saturated, 0, 0};
    static const double sizes[] = {1e-6, 1e-3, 1, 1e3, 1e6}, steps[] = {1e-9, 1e-6, 1e-3, 10, 1e4};
    size_t i;
    puts("| case | size of x | verdict | calls an element |\n|---|---|---|---|");
    for (i = 0; i < 5; i++) check("cubic, right", c, sizes[i], 0, 0, 1, "ok");
    for (i = 0; i < 5; i++) check("cubic, one element off by 1e-6", c, sizes[i], 0, 0, 1 + 1e-6, "WRONG");
    for (i = 0; i < 5; i++) check("sigmoid, right", s, sizes[i], 0, 0, 1, "ok");
    for (i = 0; i < 5; i++) check("ReLU, one element at the kink", r, sizes[i], 1, 0, 1, "ok, kink");
    for (i = 0; i < 5; i++) check("ReLU, one slope twice as large", r, sizes[i], 0, 0, 2, "WRONG");
    for (i = 0; i < 5; i++) check("dead ReLU", r, sizes[i], 2, 0, 1, "ok");
    for (i = 0; i < 5; i++) check("f rounded to float32, right", rounded, sizes[i], 0, 0, 1, "ok");
    for (i = 0; i < 5; i++) check("f rounded to float32, off by 0.01", rounded, sizes[i], 0, 0, 1.01, "WRONG");
    for (i = 0; i < 5; i++) {
        char name[60];
        snprintf(name, sizeof name, "cubic, first step %g", steps[i]);
        check(name, c, 1, 0, steps[i], 1, "ok");
    }
    check("constant, claim 0", none, 1, 0, 0, 1, "ok");
    check("saturated sigmoid of 60 x", hard, 1, 2, 0, 1, "ok");
    check("maximum of ReLUs, all inputs equal but for their factor", most, 1, 2, 0, 1, "ok");
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}
