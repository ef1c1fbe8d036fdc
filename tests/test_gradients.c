/* test_gradients.c - the gradient checker: does it accept what is right, find what is wrong, and refuse to check nothing? */
#include "../model/check/cases.h"
#include "../model/check/checks.h"
#include "../model/check/functions.h"
#include "../model/text.h"
#include "../fer.h"
#include "greatest.h"

#include <string.h>

enum { N = 40 };
static const double goal = sizeof(real) == sizeof(double) ? 1e-8 : 1e-2;

/* ---- Functions whose gradients are known ---- */

struct function {
    real x[N], claimed[N];
    int count, moved[N]; /* how often f was asked with x[i] elsewhere */
    real start[N];
};

static void start(struct function *f, int count)
{
    int i;
    memset(f, 0, sizeof *f);
    f->count = count;
    for (i = 0; i < count; i++) f->start[i] = f->x[i] = (real)(2 * fer_uniform(5, FER_FOR_CHECKS, 1, (uint64_t)i) - 1);
}

/* sum of (i+1)/8 * x^3 - x^2 + x: the formula of order eight has no error but rounding. */
static double cubic(void *context)
{
    struct function *f = context;
    double sum = 0;
    int i;
    for (i = 0; i < f->count; i++) {
        const double x = (double)f->x[i];
        sum += x * (1 + x * (x * (i + 1) / 8 - 1));
        f->moved[i] += f->x[i] != f->start[i];
    }
    return sum;
}

static void cubic_gradient(struct function *f)
{
    int i;
    for (i = 0; i < f->count; i++) {
        const double x = (double)f->x[i];
        f->claimed[i] = (real)(1 + x * (x * 3 * (i + 1) / 8 - 2));
    }
}

static double absolute(void *context) /* sum of |x| */
{
    struct function *f = context;
    double sum = 0;
    int i;
    for (i = 0; i < f->count; i++) sum += f->x[i] < 0 ? -(double)f->x[i] : (double)f->x[i];
    return sum;
}

static double constant(void *context)
{
    return ((struct function *)context)->count / 3.0;
}

static struct fer_gradcheck check(double (*function)(void *), struct function *f, size_t samples, double step)
{
    struct fer_gradcheck result;
    struct fer_error e;
    if (fer_gradcheck_function(function, f, f->x, f->claimed, (size_t)f->count, samples, step, 1, &result, &e))
        memset(&result, 0, sizeof result);
    return result;
}

TEST a_right_gradient_is_accepted(void)
{
    struct function f;
    struct fer_gradcheck result;
    start(&f, N);
    cubic_gradient(&f);
    result = check(cubic, &f, 0, 0);
    ASSERT(fer_gradcheck_passed(&result));
    ASSERT_EQ(N, result.checked);
    ASSERT_EQ(0, result.skipped);
    ASSERT(result.worst < goal / 100);
    ASSERT_MEM_EQ(f.start, f.x, sizeof f.x);
    PASS();
}

/* sum of x + x^9 at 0: odd about 0, so that the bend is blind; the first steps are too large. */
static double ninth(void *context)
{
    struct function *f = context;
    double sum = 0;
    int i;
    for (i = 0; i < f->count; i++) {
        const double x = (double)f->x[i], cube = x * x * x;
        sum += x + cube * cube * cube;
    }
    return sum;
}

TEST too_large_a_step_is_made_smaller(void)
{
    struct function f;
    struct fer_gradcheck result;
    int i;
    start(&f, N);
    for (i = 0; i < N; i++) f.x[i] = 0, f.claimed[i] = 1;
    result = check(ninth, &f, 0, 1);
    ASSERT_EQ(0, result.skipped);
    ASSERT(fer_gradcheck_passed(&result));
    PASS();
}

TEST a_sample_is_spread_and_distinct(void)
{
    struct function f;
    struct fer_gradcheck result;
    int i, seen = 0;
    start(&f, N);
    cubic_gradient(&f);
    result = check(cubic, &f, 10, 0);
    ASSERT(fer_gradcheck_passed(&result));
    ASSERT_EQ(10, result.checked);
    for (i = 0; i < N; i++) seen += f.moved[i] > 0;
    ASSERT_EQ(10, seen);
    for (i = 0; i < N; i += 4) ASSERT(f.moved[i] || f.moved[i + 1] || f.moved[i + 2] || f.moved[i + 3]);
    PASS();
}

TEST one_wrong_element_is_found(void)
{
    static const int at[] = {0, 17, N - 1};
    struct function f;
    struct fer_gradcheck result;
    int i, k;
    for (i = 0; i < 3; i++)
        for (k = 0; k < 5; k++) {
            const real zero = 0;
            start(&f, N);
            cubic_gradient(&f);
            if (k == 0) f.claimed[at[i]] *= (real)(1 + 100 * goal); /* in float64 by one in a million */
            if (k == 1) f.claimed[at[i]] = -f.claimed[at[i]];
            if (k == 2) f.claimed[at[i]] = 0;
            if (k == 3) f.claimed[at[i]] = zero / zero;
            if (k == 4) f.claimed[at[i]] *= 1000;
            result = check(cubic, &f, 0, 0);
            ASSERT_FALSE(fer_gradcheck_passed(&result));
            ASSERT_EQ(N, result.checked);
            ASSERT(k != 4 || result.worst > 900);
            ASSERT_EQ((size_t)at[i], result.index);
            ASSERT(result.worst > 50 * goal);
        }
    PASS();
}

TEST checking_nothing_is_no_success(void)
{
    struct function f;
    struct fer_gradcheck result;
    start(&f, 0);
    result = check(cubic, &f, 0, 0);
    ASSERT_EQ(0, result.checked);
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    /* Steps that rounding swallows measure nothing, least of all that a gradient of zeros is right. */
    start(&f, N);
    result = check(cubic, &f, 0, 1e-30);
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    /* A layer of which nothing is known. */
    ASSERT_EQ(-1, fer_gradcheck((const char *const[]){"conv3d"}, 1, 1, NULL, NULL, NULL));
    PASS();
}

TEST a_constant_has_the_gradient_zero(void)
{
    struct function f;
    struct fer_gradcheck result;
    start(&f, 7);
    result = check(constant, &f, 0, 0);
    ASSERT(fer_gradcheck_passed(&result));
    ASSERT_EQ(7, result.checked);
    f.claimed[3] = (real)1e-30; /* such a slope drowns in the rounding of f */
    result = check(constant, &f, 0, 0);
    ASSERT(fer_gradcheck_passed(&result));
    f.claimed[3] = (real)0.3;
    result = check(constant, &f, 0, 0);
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    ASSERT_EQ(1, result.wrong);
    ASSERT_EQ(3, result.index);
    PASS();
}

/* f is |x|, with `kinks` elements at 0 or beside it. */
static void start_absolute(struct function *f, int kinks, double beside)
{
    int i;
    start(f, N);
    for (i = 0; i < N; i++) {
        f->x[i] = i < kinks ? (real)beside : f->x[i] < 0 ? f->x[i] - 1 : f->x[i] + 1;
        f->claimed[i] = f->x[i] < 0 ? -1 : 1;
    }
}

/* At a kink every slope from the one side's to the other's is a subgradient, and right; what is outside is not. */
TEST a_kink_is_seen(void)
{
    struct function f;
    struct fer_gradcheck result;
    start_absolute(&f, 5, 0);
    f.claimed[1] = -1;
    f.claimed[2] = (real)0.25;
    result = check(absolute, &f, 0, 1.0 / 32);
    ASSERT_EQ(5, result.kinks);
    ASSERT_EQ(0, result.skipped);
    ASSERT_EQ(N, result.checked);
    ASSERT(fer_gradcheck_passed(&result));
    ASSERT_STR_EQ("kink at x[0]: slopes -1 and 1 from the two sides; claimed 1 is one of them", result.reason);
    f.claimed[2] = (real)1.5;
    result = check(absolute, &f, 0, 1.0 / 32);
    ASSERT_EQ(1, result.wrong);
    ASSERT_EQ(2, result.index);
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    PASS();
}

TEST a_kink_nearby_is_stepped_around(void)
{
    static const double beside[] = {0.11, 0.08, 0.05, 0.01, -0.07};
    struct function f;
    struct fer_gradcheck result;
    int i;
    for (i = 0; i < 5; i++) {
        start_absolute(&f, 5, beside[i]);
        result = check(absolute, &f, 0, 1.0 / 32);
        ASSERT_EQ(0, result.skipped);
        ASSERT(fer_gradcheck_passed(&result));
    }
    PASS();
}

/* The checker must not take a wrong gradient for a kink: with every element wrong none is skipped. */
TEST a_wrong_gradient_is_not_a_kink(void)
{
    struct function f;
    struct fer_gradcheck result;
    int i;
    start(&f, N);
    cubic_gradient(&f);
    for (i = 0; i < N; i++) f.claimed[i] *= (real)1.5;
    result = check(cubic, &f, 0, 0);
    ASSERT_EQ(0, result.skipped);
    ASSERT_EQ(N, result.checked);
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    PASS();
}

/* ---- Scales, noise, and functions that are none ---- */

/* Cross-entropy of a dense layer of 20 inputs and 7 classes: weights of 1e-4 under a loss of ln 7. */
enum { INPUTS = 20, CLASSES = 7, IMAGES = 4 };
struct dense {
    real x[IMAGES * INPUTS], w[INPUTS * CLASSES], z[IMAGES * CLASSES], dz[IMAGES * CLASSES], dw[INPUTS * CLASSES];
    int rounded;
};
static const int dense_labels[IMAGES] = {0, 1, 2, 3};

static double dense_loss(void *context)
{
    struct dense *d = context;
    double loss;
    fer_dense_forward(IMAGES, INPUTS, CLASSES, d->x, d->w, NULL, d->z);
    loss = fer_cross_entropy(IMAGES, CLASSES, d->z, dense_labels, NULL, d->dz) / IMAGES;
    return d->rounded ? (double)(float)loss : loss;
}

static void start_dense(struct dense *d, double scale)
{
    uint64_t i;
    d->rounded = 0;
    for (i = 0; i < IMAGES * INPUTS; i++) d->x[i] = (real)(2 * fer_uniform(1, FER_FOR_CHECKS, 0, i) - 1);
    for (i = 0; i < INPUTS * CLASSES; i++) d->w[i] = (real)((2 * fer_uniform(2, FER_FOR_CHECKS, 0, i) - 1) * scale);
    dense_loss(d);
    fer_dense_backward_kernel(IMAGES, INPUTS, CLASSES, d->x, d->dz, d->dw);
}

TEST small_weights_and_any_step_are_right(void)
{
    static const double scales[] = {1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-6}, steps[] = {0, 1e-2, 1e-3, 1e-5, 1e-7};
    struct dense d;
    struct fer_gradcheck r;
    struct fer_error e;
    int i, k;
    if (sizeof(real) < sizeof(double)) SKIPm("float32");
    for (i = 0; i < 6; i++)
        for (k = 0; k < 5; k++) {
            start_dense(&d, scales[i]);
            ASSERT_EQ(0, fer_gradcheck_function(dense_loss, &d, d.w, d.dw, INPUTS * CLASSES, 0, steps[k], 1, &r, &e));
            ASSERT_EQ(INPUTS * CLASSES, r.checked);
            ASSERT(fer_gradcheck_passed(&r));
            ASSERT(r.calls < 15 * INPUTS * CLASSES);
            d.dw[77] *= (real)1.001;
            ASSERT_EQ(0, fer_gradcheck_function(dense_loss, &d, d.w, d.dw, INPUTS * CLASSES, 0, steps[k], 1, &r, &e));
            ASSERT_EQ(1, r.wrong);
            ASSERT_EQ(77, r.index);
            ASSERT_STR_EQ("1 of 140, element 77 alone", r.reason);
        }
    PASS();
}

TEST a_function_in_float32_is_checked_as_far_as_it_goes(void)
{
    struct dense d;
    struct fer_gradcheck r;
    struct fer_error e;
    if (sizeof(real) < sizeof(double)) SKIPm("float32");
    start_dense(&d, 0.1);
    d.rounded = 1;
    ASSERT_EQ(0, fer_gradcheck_function(dense_loss, &d, d.w, d.dw, INPUTS * CLASSES, 0, 0, 1, &r, &e));
    ASSERT(fer_gradcheck_passed(&r));
    ASSERT(r.noise > 1e-8 && r.noise < 1e-6);
    d.dw[5] = -d.dw[5];
    ASSERT_EQ(0, fer_gradcheck_function(dense_loss, &d, d.w, d.dw, INPUTS * CLASSES, 0, 0, 1, &r, &e));
    ASSERT_EQ(1, r.wrong);
    ASSERT_EQ(5, r.index);
    PASS();
}

static double changing(void *context)
{
    struct function *f = context;
    return f->count++ * 0.5;
}

static double infinite(void *context)
{
    struct function *f = context;
    return 1e300 * 1e300 * (f->count + 1);
}

TEST of_what_is_no_function_nothing_is_said(void)
{
    struct function f;
    struct fer_gradcheck result;
    start(&f, N);
    result = check(changing, &f, 0, 0);
    ASSERT_EQ(0, result.checked);
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    ASSERT(strstr(result.reason, "f changes from call to call"));
    start(&f, N);
    result = check(infinite, &f, 0, 0);
    ASSERT_EQ(N, result.skipped);
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    ASSERT(strstr(result.reason, "f is not finite"));
    PASS();
}

TEST strict_wants_an_answer_for_each_element(void)
{
    struct fer_gradcheck result = {0};
    result.checked = 9;
    result.skipped = 1;
    ASSERT(fer_gradcheck_passed(&result));
    result.strict = 1;
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    PASS();
}

/* ---- What kind of mistake it is ---- */

static const char *mistake_in(struct dense *d, const real *dw)
{
    static struct fer_gradcheck r;
    struct fer_error e;
    if (fer_gradcheck_function(dense_loss, d, d->w, dw, INPUTS * CLASSES, 0, 0, 1, &r, &e)) return "out of memory";
    return r.reason;
}

TEST the_kind_of_mistake_is_named(void)
{
    enum { COUNT = INPUTS * CLASSES };
    struct dense d;
    real dw[COUNT];
    int i;
    if (sizeof(real) < sizeof(double)) SKIPm("float32");
    start_dense(&d, 1);
    for (i = 0; i < COUNT; i++) dw[i] = d.dw[i] * IMAGES;
    ASSERT_STR_EQ("every element is 4 times the right one: is a division by 4 forgotten?", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = d.dw[i] / 8;
    ASSERT_STR_EQ("every element is 1/8 of the right one: is a division by 8 too many?", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = -d.dw[i];
    ASSERT_STR_EQ("every element has the wrong sign", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = d.dw[i] * (real)0.7;
    ASSERT_STR_EQ("every element is 0.7 times the right one", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = d.dw[i % INPUTS * CLASSES + i / INPUTS];
    ASSERT_STR_EQ("the array is transposed, taken as 7 x 20", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = d.dw[i ? i - 1 : COUNT - 1];
    ASSERT_STR_EQ("the truth shifted by 1 element, towards the end, and around", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = i % CLASSES == 2 ? d.dw[i] * 2 : d.dw[i];
    ASSERT_STR_EQ("20 of 140, every 7th element from 2 on: each of them is 2 times the right one: is a division by 2 forgotten?", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = i / CLASSES == 3 ? 0 : d.dw[i];
    ASSERT_STR_EQ("7 of 140, all of elements 21 to 27: each of them is 0", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = d.dw[i] + (real)0.1 * (real)(i % CLASSES + 1);
    ASSERT_STR_EQ("off by a constant in each of 7 channels: is a term with their mean missing?", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = d.dw[i] + (real)0.5;
    ASSERT_STR_EQ("every element is off by the same number, 0.5", mistake_in(&d, dw));
    for (i = 0; i < COUNT; i++) dw[i] = (real)(i % 11) * (i % 3 ? 1 : -1); /* no kind fits */
    ASSERT_STR_EQ("", mistake_in(&d, dw));
    PASS();
}

/* ---- Mistakes that layers of other programs have had ---- */

enum { ROWS = 4, CHANNELS = 3 };
struct normalization {
    real x[ROWS * CHANNELS], y[ROWS * CHANNELS], dy[ROWS * CHANNELS], dx[ROWS * CHANNELS], mean[CHANNELS], variance[CHANNELS];
};

static double normalize(void *context)
{
    struct normalization *s = context;
    double sum = 0;
    int i;
    fer_batch_moments(ROWS, CHANNELS, s->x, s->mean, s->variance);
    fer_batch_normalization_forward(ROWS, CHANNELS, s->x, s->mean, s->variance, NULL, NULL, 1e-3, s->y);
    for (i = 0; i < ROWS * CHANNELS; i++) sum += (double)s->dy[i] * (double)s->y[i];
    return sum;
}

static int normalization_passes(struct normalization *s)
{
    struct fer_gradcheck result;
    fer_gradcheck_function(normalize, s, s->x, s->dx, ROWS * CHANNELS, 0, 1.0 / 32, 1, &result, NULL);
    return fer_gradcheck_passed(&result);
}

/* darknet's: the backward differentiates a variance over N - 1. The commonest: mean and variance taken for constants. */
TEST wrong_batch_normalizations_are_found(void)
{
    struct normalization s;
    real unbiased[CHANNELS];
    int i;
    for (i = 0; i < ROWS * CHANNELS; i++) {
        s.x[i] = (real)(2 * fer_uniform(2, FER_FOR_CHECKS, 0, (uint64_t)i) - 1);
        s.dy[i] = (real)(2 * fer_uniform(2, FER_FOR_CHECKS, 1, (uint64_t)i) - 1);
    }
    normalize(&s);
    fer_batch_normalization_backward(ROWS, CHANNELS, s.x, s.mean, s.variance, NULL, 1e-3, 1, s.dy, s.dx, NULL, NULL);
    ASSERT(normalization_passes(&s));
    for (i = 0; i < CHANNELS; i++) unbiased[i] = s.variance[i] * ROWS / (ROWS - 1);
    fer_batch_normalization_backward(ROWS, CHANNELS, s.x, s.mean, unbiased, NULL, 1e-3, 1, s.dy, s.dx, NULL, NULL);
    ASSERT_FALSE(normalization_passes(&s));
    fer_batch_normalization_backward(ROWS, CHANNELS, s.x, s.mean, s.variance, NULL, 1e-3, 0, s.dy, s.dx, NULL, NULL);
    ASSERT_FALSE(normalization_passes(&s));
    PASS();
}

struct convolution {
    struct fer_window window;
    real x[50], kernel[36], y[50], dy[50], dkernel[36];
};

static double convolve(void *context)
{
    struct convolution *s = context;
    double sum = 0;
    int i;
    fer_conv2d_forward(&s->window, s->x, s->kernel, s->y);
    for (i = 0; i < 50; i++) sum += (double)s->dy[i] * (double)s->y[i];
    return sum;
}

TEST a_transposed_kernel_gradient_is_found(void)
{
    struct convolution s;
    struct fer_gradcheck result;
    real transposed[36];
    int i;
    ASSERT_EQ(0, fer_window_set(&s.window, 1, 5, 5, 2, 2, 3, 3, 1, 1, FER_SAME, NULL));
    for (i = 0; i < 50; i++) {
        s.x[i] = (real)(2 * fer_uniform(3, FER_FOR_CHECKS, 0, (uint64_t)i) - 1);
        s.dy[i] = (real)(2 * fer_uniform(3, FER_FOR_CHECKS, 1, (uint64_t)i) - 1);
        if (i < 36) s.kernel[i] = (real)(2 * fer_uniform(3, FER_FOR_CHECKS, 2, (uint64_t)i) - 1);
    }
    fer_conv2d_backward_kernel(&s.window, s.x, s.dy, s.dkernel);
    fer_gradcheck_function(convolve, &s, s.kernel, s.dkernel, 36, 0, 0, 1, &result, NULL);
    ASSERT(fer_gradcheck_passed(&result));
    for (i = 0; i < 36; i++) transposed[i] = s.dkernel[i / 4 * 4 + i % 2 * 2 + i / 2 % 2]; /* [ci][co] to [co][ci] */
    fer_gradcheck_function(convolve, &s, s.kernel, transposed, 36, 0, 0, 1, &result, NULL);
    ASSERT_FALSE(fer_gradcheck_passed(&result));
    PASS();
}

/* ---- The layers of this library. The network takes longer: `fer64 gradcheck network`. ---- */

struct table {
    int rows, rows_of[FER_LAYER_TYPES + 1];
    size_t skipped;
    double worst;
};

static void collect(void *context, const struct fer_gradcheck_row *row)
{
    struct table *table = context;
    int i;
    table->rows++;
    table->skipped += row->result.skipped;
    if (row->result.worst > table->worst) table->worst = row->result.worst;
    for (i = 0; fer_gradcheck_name(i); i++) table->rows_of[i] += strcmp(row->layer, fer_gradcheck_name(i)) == 0;
}

/* Whether a text has this word, between others. */
static int has_word(const char *text, const char *word)
{
    const char *at;
    for (at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || strchr(" ,", at[-1])) && strchr(" ,:", at[strlen(word)])) return 1;
    return 0;
}

static int has_cases(const char *operation)
{
    const struct fer_case_row *row;
    for (row = fer_case_rows; row->layers && !has_word(row->layers, operation); row++) continue;
    return row->layers != NULL;
}

static int is_explained(const char *operation)
{
    int i = 0;
    while (strcmp(fer_command_helps[i].name, "op") != 0) i++;
    return has_word(fer_command_helps[i].text, operation);
}

/* What a kind of layer lacks, in the order of layers/README.md; NULL: nothing. */
static const char *lacks(enum fer_layer_type type)
{
    const struct fer_check *check = &fer_checks[type];
    const struct fer_function *function = &fer_functions[type];
    const char *operation = check->operation ? check->operation : check->name;
    struct fer_op_result result;
    struct fer_error e;
    if (!fer_kinds[type].class_name || !fer_kinds[type].forward || !fer_kinds[type].backward) return "a row in model/kinds.c";
    if (!check->name) return "a row in model/check/checks.c";
    if (!check->gradcheck) return "a gradient check";
    if (!check->bounds || !check->bounds->output || !check->bounds->add_input) return "a bound";
    if (!check->bounds->chain || (check->bounds->reads_kernel && !check->bounds->parameters)) return "a bound";
    if (check->bounds->output == fer_verify_function && !function->forward) return "a row in model/check/functions.c";
    if (fer_kinds[type].backward_reads_output && !check->reads_output) return ".reads_output in model/check/checks.c";
    if (!*operation) return NULL;
    if (!fer_op(operation, "not/there.npz", "not/either.npz", NULL, 0, &result, &e) || !strstr(e.text, "not/there.npz"))
        return "an operation of `fer op`";
    if (!has_cases(operation)) return "cases in model/check/cases_table.c";
    return is_explained(operation) ? NULL : "a line in `fer help op`";
}

/* Every kind of layer but the input, which computes nothing, has its row in each table: what it computes, a bound for its
 * output and for what it sends back, a gradient check, and where it has parameters a bound for their gradients; and `op`
 * knows it. */
TEST every_kind_of_layer_is_checked(void)
{
    char what[200];
    int type;
    for (type = FER_INPUT + 1; type < FER_LAYER_TYPES; type++) {
        const char *name = fer_checks[type].name, *lack = lacks((enum fer_layer_type)type);
        if (!lack) continue;
        snprintf(what, sizeof what, "number %d of enum fer_layer_type (%s) lacks %s", type, name ? name : "no name", lack);
        FAILm(what);
    }
    PASS();
}

TEST every_layer_passes(void)
{
    struct table table = {0};
    int i;
    const char *names[FER_LAYER_TYPES + 1];
    for (i = 0; fer_gradcheck_name(i) && strcmp(fer_gradcheck_name(i), "network") != 0; i++) names[i] = fer_gradcheck_name(i);
    ASSERT_EQ(NULL, fer_gradcheck_name(i + 1));
    ASSERT_EQ(0, fer_gradcheck(names, i, 1, collect, &table, NULL));
    for (i--; i >= 0; i--) ASSERT(table.rows_of[i] > 0);
    ASSERT(table.worst > 0 && table.worst < goal);
    if (sizeof(real) == sizeof(double)) ASSERT_EQ(0, table.skipped); /* in float32 rounding alone can leave a doubt */
    PASS();
}

TEST the_network_needs_float64(void)
{
    struct fer_error e;
    if (sizeof(real) == sizeof(double)) SKIPm("the network takes longer: fer64 gradcheck network");
    ASSERT_EQ(-1, fer_gradcheck((const char *const[]){"network"}, 1, 1, NULL, NULL, &e));
    ASSERT(strstr(e.text, "float64"));
    PASS();
}

/* ---- A layer of one's own ---- */

/* y[3][2] = x[3][4] kernel[4][2] + bias[2], by fer's own functions, with one of several mistakes. */
enum { OWN_ROWS = 3, OWN_IN = 4, OWN_OUT = 2 };
struct own {
    real x[OWN_ROWS * OWN_IN], kernel[OWN_IN * OWN_OUT], bias[OWN_OUT], y[OWN_ROWS * OWN_OUT];
    real dx[OWN_ROWS * OWN_IN], dkernel[OWN_IN * OWN_OUT], dbias[OWN_OUT];
    enum { RIGHT, LAST_ELEMENT, BIAS_FORGOTTEN, WRITES_INPUT, RELU } mistake;
};

static void own_forward(void *context)
{
    struct own *o = context;
    fer_dense_forward(OWN_ROWS, OWN_IN, OWN_OUT, o->x, o->kernel, o->bias, o->y);
    if (o->mistake == RELU) fer_relu_forward(OWN_ROWS * OWN_OUT, o->y, o->y);
}

static void own_backward(void *context, const real *dy)
{
    struct own *o = context;
    real masked[OWN_ROWS * OWN_OUT];
    memcpy(masked, dy, sizeof masked);
    if (o->mistake == RELU) fer_relu_backward(OWN_ROWS * OWN_OUT, o->y, dy, masked);
    fer_dense_backward_input(OWN_ROWS, OWN_IN, OWN_OUT, masked, o->kernel, o->dx);
    fer_dense_backward_kernel(OWN_ROWS, OWN_IN, OWN_OUT, o->x, masked, o->dkernel);
    if (o->mistake != BIAS_FORGOTTEN) fer_dense_backward_bias(OWN_ROWS, OWN_OUT, masked, o->dbias);
    if (o->mistake == LAST_ELEMENT) o->dkernel[OWN_IN * OWN_OUT - 1] += (real)0.25;
    if (o->mistake == WRITES_INPUT) o->x[5] = 0;
}

/* `samples` of each; result[3]. */
static int check_own(int mistake, size_t samples, struct fer_gradcheck *result, struct fer_error *e)
{
    struct own o;
    const struct fer_gradcheck_array inputs[] = {
        {"x", OWN_ROWS * OWN_IN, o.x, o.dx}, {"kernel", OWN_IN * OWN_OUT, o.kernel, o.dkernel}, {"bias", OWN_OUT, o.bias, o.dbias}};
    size_t i, k;
    memset(&o, 0, sizeof o);
    o.mistake = mistake;
    for (k = 0; k < 3; k++)
        for (i = 0; i < inputs[k].count; i++)
            inputs[k].value[i] = (real)(2 * fer_uniform(8, FER_FOR_CHECKS, (uint32_t)k, i) - 1);
    return fer_gradcheck_layer(own_forward, own_backward, &o, inputs, 3, o.y, OWN_ROWS * OWN_OUT, samples, 4, result, e);
}

TEST a_layer_of_ones_own_is_checked(void)
{
    struct fer_gradcheck result[3];
    struct fer_error e;
    int i;
    ASSERT_EQ(0, check_own(RIGHT, 0, result, &e));
    for (i = 0; i < 3; i++) ASSERTm(result[i].reason, fer_gradcheck_passed(&result[i]));
    ASSERT_EQ_FMT((size_t)(OWN_ROWS * OWN_IN), result[0].checked, "%zu");
    ASSERT_EQ(0, check_own(RELU, 0, result, &e));
    for (i = 0; i < 3; i++) ASSERTm(result[i].reason, fer_gradcheck_passed(&result[i]));
    ASSERT_EQ(0, check_own(LAST_ELEMENT, 0, result, &e));
    ASSERT(fer_gradcheck_passed(&result[0]) && !fer_gradcheck_passed(&result[1]) && fer_gradcheck_passed(&result[2]));
    ASSERT_STR_EQ("1 of 8, element 7 alone", result[1].reason);
    ASSERT_EQ(0, check_own(BIAS_FORGOTTEN, 0, result, &e));
    ASSERT(fer_gradcheck_passed(&result[0]) && fer_gradcheck_passed(&result[1]) && !fer_gradcheck_passed(&result[2]));
    ASSERT_EQ(-1, check_own(WRITES_INPUT, 0, result, &e));
    ASSERT_STR_EQ("backward changes an input: expected it to leave all alone", e.text);
    PASS();
}

/* One sample of eight misses the wrong element; that backward is no transpose shows it. */
TEST what_is_linear_is_checked_as_a_whole(void)
{
    struct fer_gradcheck result[3];
    struct fer_error e;
    ASSERT_EQ(0, check_own(LAST_ELEMENT, 1, result, &e));
    ASSERT_EQ_FMT((size_t)1, result[1].wrong, "%zu");
    ASSERT(strstr(result[1].reason, "y is linear in kernel, but backward is not the transpose of forward"));
    ASSERT_EQ(0, check_own(RIGHT, 1, result, &e));
    ASSERT(fer_gradcheck_passed(&result[1]));
    PASS();
}

/* ---- A function that only its values are known of ---- */

#ifdef FER_DOUBLE
enum { VALUES = 6, MOST_POINTS = 1000 };

/* sum of (i + 1) (x^2 + max(x, 0)), and its gradient, times `factor`. */
static double value_of(const real *x)
{
    double sum = 0;
    int i;
    for (i = 0; i < VALUES; i++) sum += (i + 1) * (x[i] * x[i] + (x[i] > 0 ? x[i] : 0));
    return sum;
}

static int check_values(const real *x, double factor, size_t forgotten, struct fer_gradcheck *result, struct fer_error *e)
{
    static real points[MOST_POINTS * VALUES], y[MOST_POINTS];
    const size_t count = VALUES;
    struct fer_npz_writer *writer;
    struct fer_npz *npz;
    size_t asked, i;
    real dx[VALUES];
    for (i = 0; i < VALUES; i++) dx[i] = factor * (double)(i + 1) * (2 * x[i] + (x[i] > 0));
    if (fer_npz_create(&writer, "values.npz", e) || fer_npz_write(writer, "x", FER_REAL_TYPE, 1, &count, x, e) ||
        fer_npz_commit(writer, e) || fer_gradcheck_points("values.npz", "points.npz", &asked, e) ||
        fer_npz_open(&npz, "points.npz", e))
        return -1;
    if (asked > MOST_POINTS || fer_npz_read(npz, fer_npz_find(npz, "points"), points, e)) return -1;
    fer_npz_close(npz);
    for (i = 0; i < asked; i++) y[i] = value_of(points + i * VALUES);
    asked -= forgotten;
    if (fer_npz_create(&writer, "values.npz", e) || fer_npz_write(writer, "x", FER_REAL_TYPE, 1, &count, x, e) ||
        fer_npz_write(writer, "dx", FER_REAL_TYPE, 1, &count, dx, e) ||
        fer_npz_write(writer, "y", FER_REAL_TYPE, 1, &asked, y, e) || fer_npz_commit(writer, e))
        return -1;
    return fer_gradcheck_values("values.npz", result, e);
}

TEST values_in_a_file_are_checked(void)
{
    static const real x[VALUES] = {0.5, -1, 0, 2, -0.25, 1}, tiny[VALUES] = {5e-7, -1e-6, 3e-7, 2e-6, -2e-7, 1e-6};
    struct fer_gradcheck result;
    struct fer_error e;
    ASSERT_EQm(e.text, 0, check_values(x, 1, 0, &result, &e));
    ASSERTm(result.reason, fer_gradcheck_passed(&result));
    ASSERT_EQ_FMT((size_t)VALUES, result.checked, "%zu");
    ASSERT_EQ_FMT((size_t)1, result.kinks, "%zu");
    ASSERT_EQm(e.text, 0, check_values(tiny, 1, 0, &result, &e));
    ASSERTm(result.reason, fer_gradcheck_passed(&result));
    ASSERT_EQ_FMT((size_t)VALUES, result.checked, "%zu");
    ASSERT_EQm(e.text, 0, check_values(x, 1.5, 0, &result, &e));
    ASSERT_EQ_FMT((size_t)5, result.wrong, "%zu"); /* at the kink 0 is right */
    ASSERT_EQ(-1, check_values(x, 1, 1, &result, &e));
    ASSERT(strstr(e.text, "values.npz: y: expected a value of f for each of "));
    remove("values.npz");
    remove("points.npz");
    PASS();
}
#endif

SUITE(suite_gradients)
{
#ifdef FER_DOUBLE
    RUN_TEST(values_in_a_file_are_checked);
#endif
    RUN_TEST(a_layer_of_ones_own_is_checked);
    RUN_TEST(what_is_linear_is_checked_as_a_whole);
    RUN_TEST(a_right_gradient_is_accepted);
    RUN_TEST(too_large_a_step_is_made_smaller);
    RUN_TEST(a_sample_is_spread_and_distinct);
    RUN_TEST(one_wrong_element_is_found);
    RUN_TEST(checking_nothing_is_no_success);
    RUN_TEST(a_constant_has_the_gradient_zero);
    RUN_TEST(small_weights_and_any_step_are_right);
    RUN_TEST(a_function_in_float32_is_checked_as_far_as_it_goes);
    RUN_TEST(of_what_is_no_function_nothing_is_said);
    RUN_TEST(strict_wants_an_answer_for_each_element);
    RUN_TEST(the_kind_of_mistake_is_named);
    RUN_TEST(a_kink_is_seen);
    RUN_TEST(a_kink_nearby_is_stepped_around);
    RUN_TEST(a_wrong_gradient_is_not_a_kink);
    RUN_TEST(wrong_batch_normalizations_are_found);
    RUN_TEST(a_transposed_kernel_gradient_is_found);
    RUN_TEST(every_kind_of_layer_is_checked);
    RUN_TEST(every_layer_passes);
    RUN_TEST(the_network_needs_float64);
}
