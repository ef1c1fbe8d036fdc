/* test_verify.c - verify: that it names what is broken, and nothing that is sound.
 *
 * "Another implementation" is tests/backend.c. Sound, it sums in float32 in every order; broken in some sixty ways, each must be
 * found where it was put (`build/test64 -s suite_verify -t faults -v` shows the table). The bounds themselves are tried from
 * both sides: sums made as bad as they get stay inside, twice the bound is caught. */
#include "greatest.h"

#include "../model/check/verify.h"
#include "backend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef FER_DOUBLE

#define FOLDER "verify"
#define RECORD FOLDER "/record.npz"

static struct fer_error error;
static struct fer_verify_summary summary;

/* The rows of the last run. */
static struct fer_verify_row *found;
static int row_count;

static void keep_row(void *context, const struct fer_verify_row *row)
{
    struct fer_verify_row *more = realloc(found, (size_t)(row_count + 1) * sizeof *found);
    (void)context;
    if (!more) exit(2);
    found = more;
    found[row_count++] = *row;
}

static const struct fer_verify_row *row_of(const char *array)
{
    int i;
    for (i = 0; i < row_count; i++)
        if (strcmp(found[i].array, array) == 0) return &found[i];
    return NULL;
}

static struct fer_verify_options options(void)
{
    struct fer_verify_options o;
    fer_verify_options_default(&o);
    return o;
}

static int verify(const struct fer_verify_options *o)
{
    row_count = 0;
    return fer_verify(RECORD, o, keep_row, NULL, &summary, &error);
}

/* For failures: what was found. */
static void show_summary(void)
{
    int i;
    printf("%lu ok, %lu WRONG, %lu suspect, %lu MISTRUSTED, %lu not checkable; first: %s\n", (unsigned long)summary.rows[FER_OK],
           (unsigned long)summary.rows[FER_WRONG], (unsigned long)summary.rows[FER_SUSPECT], (unsigned long)summary.rows[FER_MISTRUSTED],
           (unsigned long)summary.rows[FER_NOT_CHECKABLE], summary.first);
    for (i = 0; i < row_count; i++)
        if (found[i].verdict != FER_OK)
            printf("  %s: %s, %g of proven, %g of likely, at %lu: %.9g for %.9g %s\n", found[i].array, fer_verdict_names[found[i].verdict],
                   found[i].proven, found[i].likely, (unsigned long)found[i].index, found[i].value, found[i].truth, found[i].reason);
}

static int all_ok(void)
{
    const int ok = row_count > 0 && summary.rows[FER_OK] == (size_t)row_count;
    if (!ok) show_summary();
    return ok;
}

/* ---- No false alarm ---- */

TEST a_sound_record_is_ok_whatever_its_orders_of_summation(void)
{
    const struct fer_verify_options o = options();
    struct backend b;
    ASSERT_EQ(0, backend_create(&b, 48, 2, 3));
    backend_step(&b, MIXED, "", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 1));
    backend_free(&b);
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    ASSERT_EQ(514, row_count);
    ASSERT_EQ(0, summary.absent + summary.ignored);
    PASS();
}

/* Every sum from the largest term on, behind which the small ones are lost. */
TEST a_sound_record_is_ok_in_the_worst_order(void)
{
    const struct fer_verify_options o = options();
    struct backend b;
    ASSERT_EQ(0, backend_create(&b, 33, 2, 3));
    backend_step(&b, LARGEST_FIRST, "", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 1));
    backend_free(&b);
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    ASSERT_EQ(514, row_count);
    PASS();
}

/* The record of a float64 backend, stored in float32, is inside float32's bounds; but not inside float64's. */
TEST a_record_rounded_to_float32_is_ok_and_no_float64_record(void)
{
    struct fer_verify_options o = options();
    struct backend b;
    ASSERT_EQ(0, backend_create(&b, 49, 3, 4)); /* an odd size: other padding */
    backend_step(&b, EXACT, "", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 1));
    backend_free(&b);
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    o.accumulate = FER_UNIT_F64;
    ASSERT_EQ(0, verify(&o));
    ASSERT(summary.rows[FER_OK] > 400); /* what is stored may be rounded to float32 all the same; but no more than that */
    o.unit = FER_UNIT_F64;
    ASSERT_EQ(0, verify(&o));
    ASSERT_STR_EQ("conv2d/output", summary.first);
    ASSERT(summary.rows[FER_WRONG] > 300);
    PASS();
}

/* ---- Faults ---- */

struct fault {
    const char *name, *at; /* the layer; "": all */
    const char *first;     /* the array that must be named first */
    const char *reason;    /* a part of its reason; NULL: none is asked for */
};

static const struct fault forward_faults[] = {
    {"padding on the other side", "conv2d", "conv2d/output", NULL},
    {"strides start one later", "conv2d_26", "conv2d_26/output", NULL},
    {"kernel transposed", "conv2d_32", "conv2d_32/output", NULL},
    {"kernel transposed", "conv2d_35", "conv2d_35/output", NULL},
    {"kernel rotated", "conv2d_7", "conv2d_7/output", NULL},
    {"half precision", "conv2d_10", "conv2d_10/output", NULL},
    {"bfloat16", "conv2d_2", "conv2d_2/output", NULL},
    {"two channels swapped", "conv2d_14", "conv2d_14/output", NULL},
    {"last channels dropped", "conv2d_29", "conv2d_29/output", NULL},
    {"last row repeated", "conv2d_4", "conv2d_4/output", NULL},
    {"images in another order", "conv2d_17", "conv2d_17/output", NULL},
    {"one bit flipped", "conv2d_21", "conv2d_21/output", NULL},
    {"a NaN", "conv2d_13", "conv2d_13/output", "finite"},
    {"epsilon 1e-5", "batch_normalization_9", "batch_normalization_9/output", NULL},
    {"epsilon 1e-5", "", "batch_normalization/output", "--bn-epsilon 1e-5"},
    {"epsilon outside the root", "batch_normalization_20", "batch_normalization_20/output", NULL},
    {"normalised by the unbiased variance", "batch_normalization_30", "batch_normalization_30/output", NULL},
    {"normalised by the unbiased variance", "batch_normalization_12", "batch_normalization_12/output", NULL},
    {"normalised by moving statistics", "batch_normalization_16", "batch_normalization_16/output", NULL},
    {"beta added twice", "batch_normalization_5", "batch_normalization_5/output", NULL},
    {"ReLU6", "activation_4", "activation_4/output", NULL},
    {"leaky", "activation_8", "activation_8/output", NULL},
    {"padding counted", "average_pooling2d_1", "average_pooling2d_1/output", NULL},
    {"branches in another order", "mixed1", "mixed1/output", NULL},
    {"maximum for average", "avg_pool", "avg_pool/output", NULL},
    {"bias left out", "predictions", "predictions/logits", NULL},
    {"sums in half precision", "conv2d_38", "conv2d_38/output", NULL},
    {"a coarse exp", "predictions", "predictions/output", NULL},
    {"labels off by one", "predictions", "loss", NULL},
    {"loss summed", "predictions", "loss", NULL},
};

static const struct fault backward_faults[] = {
    {"gradient not divided by the batch", "predictions", "predictions/logits_grad", NULL},
    {"no gradient of the bias", "predictions", "predictions/bias_grad", NULL},
    {"gradient not masked", "activation_31", "batch_normalization_31/output_grad", NULL},
    {"statistics taken as constants", "batch_normalization_22", "conv2d_22/output_grad", NULL},
    {"kernel rotated in the gradient", "conv2d_28", "activation_27/output_grad", NULL},
    {"border of the gradient lost", "conv2d_16", "activation_15/output_grad", NULL},
    {"branch left out", "conv2d_13", "mixed0/output_grad", NULL},
    {"branch left out", "max_pooling2d_2", "mixed2/output_grad", NULL},
    {"branch counted twice", "average_pooling2d_2", "mixed1/output_grad", NULL},
    {"to the last maximum", "max_pooling2d_1", "activation_4/output_grad", "--ties any"},
    {"to the last maximum", "max_pooling2d", "activation_2/output_grad", "--ties any"},
    {"padding counted in the gradient", "average_pooling2d", "max_pooling2d_1/output_grad", NULL},
    {"gradient by the updated kernel", "conv2d_33", "activation_32/output_grad", NULL},
    {"half of the batch", "conv2d_23", "conv2d_23/kernel_grad", NULL},
    {"kernel's gradient averaged over the batch", "conv2d_35", "conv2d_35/kernel_grad", NULL},
    {"gradient not reset to zero", "conv2d_19", "conv2d_19/kernel_grad", NULL},
    {"one bit of the gradient flipped", "conv2d_38", "conv2d_38/kernel_grad", NULL},
    {"one bit of the gradient flipped", "batch_normalization_3", "batch_normalization_3/beta_grad", NULL},
    {"gradient in bfloat16", "conv2d_9", "conv2d_9/kernel_grad", NULL},
};

static const struct fault update_faults[] = {
    {"momentum 0.9", "batch_normalization_6", "batch_normalization_6/moving_mean_new", NULL},
    {"moving mean not updated", "batch_normalization_14", "batch_normalization_14/moving_mean_new", NULL},
    {"momentum and its rest swapped", "batch_normalization_27", "batch_normalization_27/moving_mean_new", NULL},
    {"moving variance not updated", "batch_normalization_18", "batch_normalization_18/moving_variance_new", NULL},
    {"biased moving variance", "batch_normalization_33", "batch_normalization_33/moving_variance_new",
     "--bn-moving-variance batch_normalization_33=biased"},
    {"epsilon after the correction", "conv2d_3", "conv2d_3/kernel_new", NULL},
    {"epsilon after the correction", "", "conv2d/kernel_new", "--adam pytorch"},
    {"epsilon inside the root", "conv2d_2", "conv2d_2/kernel_new", NULL},
    {"no correction of the moments", "conv2d_1", "conv2d_1/kernel_new", NULL},
    {"update applied twice", "conv2d_37", "conv2d_37/kernel_new", NULL},
    {"not trained", "batch_normalization_11", "batch_normalization_11/beta_new", NULL},
    {"weights decay", "conv2d_24", "conv2d_24/kernel_new", NULL},
};

/* A fault at one layer shows in what that layer computes, forward and backward, and nowhere behind it: a gradient or two, and the other
 * of moving mean and variance, or of loss and its gradient. */
enum { MOST_TOUCHED = 3 };

static int is_found(struct backend *b, const struct fault *fault, int updates)
{
    const struct fer_verify_options o = options();
    const struct fer_verify_row *row;
    int found_it;
    backend_step(b, EXACT, fault->name, fault->at);
    if (backend_record(b, RECORD, FER_F4, updates) || verify(&o)) return 0;
    row = row_of(fault->first);
    found_it = strcmp(summary.first, fault->first) == 0 && row->verdict >= FER_SUSPECT &&
               (!*fault->at || summary.rows[FER_WRONG] + summary.rows[FER_SUSPECT] <= MOST_TOUCHED) &&
               (fault->reason ? strstr(row->reason, fault->reason) != NULL : !strstr(row->reason, "--"));
    if (GREATEST_IS_VERBOSE())
        printf("%-42s %-24s %-42s %-42s %-7s %3lu\n", fault->name, *fault->at ? fault->at : "(every layer)", fault->first, summary.first,
               fer_verdict_names[summary.first_verdict], (unsigned long)(summary.rows[FER_WRONG] + summary.rows[FER_SUSPECT]));
    if (found_it) return 1;
    printf("%s at %s:\n", fault->name, *fault->at ? fault->at : "every layer");
    show_summary();
    return 0;
}

static int are_found(const struct fault *faults, size_t count, int updates)
{
    struct backend b;
    size_t i;
    int hits = 0;
    if (backend_create(&b, 48, 2, 7)) return 0;
    if (GREATEST_IS_VERBOSE()) printf("%-42s %-24s %-42s %-42s %-7s %s\n", "fault", "at", "breaks", "named first", "as", "at fault");
    for (i = 0; i < count; i++) hits += is_found(&b, &faults[i], updates);
    backend_free(&b);
    return hits == (int)count;
}

TEST faults_of_the_forward_pass_are_found_where_they_are(void)
{
    ASSERT(are_found(forward_faults, sizeof forward_faults / sizeof *forward_faults, 0));
    PASS();
}

TEST faults_of_the_backward_pass_are_found_where_they_are(void)
{
    ASSERT(are_found(backward_faults, sizeof backward_faults / sizeof *backward_faults, 0));
    PASS();
}

TEST faults_of_the_update_are_found_where_they_are(void)
{
    ASSERT(are_found(update_faults, sizeof update_faults / sizeof *update_faults, 1));
    PASS();
}

/* ---- Options ---- */

TEST any_of_equal_maxima_will_do_if_asked_but_not_all_of_them(void)
{
    struct fer_verify_options o = options();
    struct backend b;
    o.ties = FER_TIES_ANY;
    ASSERT_EQ(0, backend_create(&b, 48, 4, 7));
    backend_step(&b, EXACT, "to the last maximum", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 0));
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    backend_step(&b, EXACT, "to all maxima", "max_pooling2d_1");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 0));
    backend_free(&b);
    ASSERT_EQ(0, verify(&o));
    ASSERT_STR_EQ("activation_4/output_grad", summary.first);
    ASSERT_EQ(FER_WRONG, summary.first_verdict);
    o.ties = FER_TIES_FIRST;
    ASSERT_EQ(0, verify(&o));
    ASSERT_STR_EQ("", row_of("activation_4/output_grad")->reason);
    PASS();
}

TEST other_rules_of_the_update_are_options(void)
{
    struct fer_verify_options o = options();
    struct backend b;
    ASSERT_EQ(0, backend_create(&b, 48, 4, 7));
    backend_step(&b, EXACT, "epsilon after the correction", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 1));
    o.adam_pytorch = 1;
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    backend_step(&b, EXACT, "biased moving variance", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 1));
    backend_free(&b);
    o = options();
    ASSERT_EQ(0, verify(&o));
    ASSERT(strstr(summary.first, "/moving_variance_new"));
    ASSERT_STR_EQ("with --bn-moving-variance biased every moving variance is ok", row_of(summary.first)->reason);
    ASSERT_EQ(0, summary.rows[FER_OK] + 40 < (size_t)row_count);
    o.settings.bn_unbiased = 0;
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    PASS();
}

TEST shorter_formats_are_options(void)
{
    struct fer_verify_options o = options();
    struct backend b;
    ASSERT_EQ(0, backend_create(&b, 48, 4, 7));
    backend_step(&b, EXACT, "half precision", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 0));
    ASSERT_EQ(0, verify(&o));
    ASSERT_STR_EQ("conv2d/output", summary.first);
    o.unit = FER_UNIT_TF32; /* as many digits */
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    b.bits = 8;
    backend_step(&b, EXACT, "", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 1));
    o.unit = FER_UNIT_F16;
    ASSERT_EQ(0, verify(&o));
    ASSERT(summary.rows[FER_WRONG] > 100);
    o.unit = FER_UNIT_BF16;
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    backend_free(&b);
    PASS();
}

/* ---- Each array is guarded: twice the bound away, it is found ---- */

/* Moves the worst element of each array away by twice its proven bound, further in the direction in which it is off already. */
static void poke_all(struct backend *b)
{
    int i;
    for (i = 0; i < row_count; i++) {
        const struct fer_verify_row *row = &found[i];
        real *x = backend_array(b, row->array) + row->index;
        const double direction = row->value < row->truth ? -1 : 1, bound = row->proven_bound;
        /* Where the bound is all but 0, array after array is a copy: not all may be moved by the same. */
        *x += (real)(direction * (bound > 1e-30 ? 2 * bound : 1e-6 * (i + 1)));
    }
}

TEST twice_the_bound_is_wrong_in_every_array(void)
{
    struct fer_verify_options o = options();
    struct backend b;
    int i;
    ASSERT_EQ(0, backend_create(&b, 48, 4, 7));
    backend_step(&b, EXACT, "", "");
    o.no_chains = 1; /* else a copy that is off within the rounding of its input's is one that was computed anew */
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F8, 1));
    ASSERT_EQ(0, verify(&o));
    ASSERT(all_ok());
    poke_all(&b);
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F8, 1));
    backend_free(&b);
    ASSERT_EQ(0, verify(&o));
    ASSERT_EQ(514, row_count);
    for (i = 0; i < row_count; i++)
        if (found[i].verdict != FER_WRONG) printf("%s: %s\n", found[i].array, fer_verdict_names[found[i].verdict]);
    ASSERT_EQ(514, summary.rows[FER_WRONG]);
    PASS();
}

/* ---- The bounds, one by one ---- */

static struct fer_arithmetic float32(void)
{
    return fer_arithmetic_of(FER_UNIT_F32, FER_UNIT_F32);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) exit(2);
    return memory;
}

static void begin_sums(struct fer_sums *s, size_t count)
{
    memset(s, 0, sizeof *s);
    s->count = count;
    s->truth = allocate(4 * count, sizeof *s->truth);
    s->magnitude = s->truth + count;
    s->roundings = s->magnitude + count;
    s->part = s->roundings + count;
}

/* Uniform in (least, most), as float32 has it. */
static double drawn(double least, double most, uint32_t array, size_t k)
{
    return (double)(float)(least + (most - least) * fer_uniform(5, FER_FOR_CHECKS, array, k));
}

static double ratio_of_sum(const struct fer_sums *s, const struct fer_arithmetic *a, double value)
{
    return fabs(value - (double)s->truth[0]) / fer_sums_bound(s, a, 0).proven;
}

/* 1 and then numbers just below half a unit of it, each of which is lost: as bad as a sum in float32 gets. */
static void fill_worst(float *terms, real *x, size_t count)
{
    size_t i;
    for (i = 0; i < count; i++) x[i] = (real)(terms[i] = i ? 0x1.fffffep-25f : 1);
}

/* What a single claimed number is said to be. */
static enum fer_verdict verdict_of_sum(const struct fer_sums *s, const struct fer_arithmetic *a, double value)
{
    const real claimed = (real)value;
    struct fer_tally tally;
    memset(&tally, 0, sizeof tally);
    fer_tally_sums(&tally, a, s, &claimed);
    return fer_tally_verdict(&tally);
}

TEST the_worst_sum_reaches_its_bound_and_stays_inside(void)
{
    const struct fer_arithmetic a = float32();
    enum { COUNT = 1000 };
    struct fer_sums s;
    struct fer_bound bound;
    float terms[COUNT], sum;
    real x[COUNT];
    fill_worst(terms, x, COUNT);
    begin_sums(&s, 1);
    fer_sums_add_columns(&s, &a, COUNT, 1, x);
    bound = fer_sums_bound(&s, &a, 0);
    sum = backend_dot(terms, NULL, COUNT, ASCENDING);
    ASSERT_EQ(1, sum);
    ASSERT_IN_RANGE(0.99, ratio_of_sum(&s, &a, (double)sum), 0.01);
    ASSERT(bound.likely < bound.proven);
    ASSERT_EQ(FER_SUSPECT, verdict_of_sum(&s, &a, (double)sum));
    ASSERT_EQ(FER_WRONG, verdict_of_sum(&s, &a, (double)s.truth[0] - 2 * bound.proven));
    free(s.truth);
    PASS();
}

TEST the_worst_average_stays_inside(void)
{
    const struct fer_arithmetic a = float32();
    enum { SIDE = 16, COUNT = SIDE * SIDE - 1 };
    const struct fer_window g = {1, SIDE - 1, SIDE + 2, 1, 1, 1, 1, SIDE - 1, SIDE + 2, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0};
    struct fer_sums s;
    float terms[(SIDE - 1) * (SIDE + 2)], sum;
    real x[(SIDE - 1) * (SIDE + 2)];
    const int count = (SIDE - 1) * (SIDE + 2);
    fill_worst(terms, x, (size_t)count);
    begin_sums(&s, 1);
    fer_sums_add_average(&s, &a, &g, x);
    sum = backend_dot(terms, NULL, count, ASCENDING);
    ASSERT_IN_RANGE(0.99, ratio_of_sum(&s, &a, (double)(sum * (1 / (float)count))), 0.02);
    ASSERT(verdict_of_sum(&s, &a, (double)(sum / (float)count)) != FER_WRONG);
    ASSERT_EQ(FER_WRONG, verdict_of_sum(&s, &a, (double)s.truth[0] + 2 * fer_sums_bound(&s, &a, 0).proven));
    free(s.truth);
    PASS();
}

/* Several channels, an image that is not square, windows that reach over its border: each output's terms are those inside, and
 * its magnitude is that of the terms, whatever their signs; so is that of the gradient. */
TEST averages_are_bounded_cell_by_cell(void)
{
    const struct fer_arithmetic a = float32();
    enum { H = 5, W = 4, C = 3, COUNT = H * W * C };
    struct fer_window g;
    struct fer_sums s, back;
    real x[COUNT], dy[COUNT];
    size_t i, oh, ow, h, w, c;
    ASSERT_EQ(0, fer_window_set(&g, 1, H, W, C, C, 3, 2, 1, 1, FER_SAME, &error));
    begin_sums(&s, COUNT), begin_sums(&back, COUNT);
    for (i = 0; i < COUNT; i++) x[i] = (real)drawn(-1, 1, 1, i), dy[i] = (real)drawn(-1, 1, 2, i);
    fer_sums_add_average(&s, &a, &g, x); /* both write over what they read */
    fer_sums_add_average_input(&back, &a, &g, dy);
    for (i = 0; i < COUNT; i++) x[i] = (real)drawn(-1, 1, 1, i), dy[i] = (real)drawn(-1, 1, 2, i);
    for (i = 0; i < COUNT; i++) {
        double sum = 0, size = 0, gradient = 0, gradient_size = 0;
        int cells = 0, seen = 0;
        for (oh = i / C / W, ow = i / C % W, c = i % C, h = 0; h < H; h++)
            for (w = 0; w < W; w++) {
                const int in = h + 1 >= oh && h <= oh + 1 && w >= ow && w <= ow + 1;  /* window 3 x 2 around output (oh, ow) */
                const int out = oh + 1 >= h && oh <= h + 1 && ow >= w && ow <= w + 1; /* the other way round */
                const double divisor = (1 + (h > 0) + (h < H - 1)) * (1 + (w < W - 1));
                cells += in, seen += out;
                if (in) sum += (double)x[(h * W + w) * C + c], size += fabs((double)x[(h * W + w) * C + c]);
                if (out) gradient += (double)dy[(h * W + w) * C + c] / divisor, gradient_size += fabs((double)dy[(h * W + w) * C + c]) / divisor;
            }
        ASSERT_IN_RANGE(sum / cells, (double)s.truth[i], 1e-6);
        ASSERT_IN_RANGE(size / cells, (double)s.magnitude[i], 1e-6);
        ASSERT_EQ_FMT(cells + 2.0, (double)s.roundings[i], "%g");
        ASSERT_IN_RANGE(gradient, (double)back.truth[i], 1e-6);
        ASSERT_IN_RANGE(gradient_size, (double)back.magnitude[i], 1e-6);
        ASSERT_EQ_FMT(seen + 1.0, (double)back.roundings[i], "%g");
    }
    free(s.truth), free(back.truth);
    PASS();
}

static double bound_of_loss(int n, const real *logits)
{
    const struct fer_arithmetic a = float32();
    const real claimed = 0;
    struct fer_tally tally;
    int labels[8] = {0};
    memset(&tally, 0, sizeof tally);
    fer_tally_softmax(&tally, &a, FER_LOSS, n, 2, logits, labels, &claimed);
    return tally.proven.bound.proven;
}

/* The mean of n equal losses is bounded as one of them, but for the n - 1 additions more. */
TEST the_loss_of_more_images_is_bounded_by_its_additions(void)
{
    const real logits[16] = {-1, 2, -1, 2, -1, 2, -1, 2, -1, 2, -1, 2, -1, 2, -1, 2};
    const double loss = 3 + fer_log(1 + fer_exp(-3)), one = bound_of_loss(1, logits);
    int n;
    for (n = 2; n <= 8; n++) ASSERT_IN_RANGE((n - 1) * 0x1p-24 * loss, bound_of_loss(n, logits) - one, 1e-10);
    PASS();
}

/* In a short format a probability below its smallest number is stored as 0 or as that number, and as nothing larger. */
TEST small_probabilities_of_short_formats(void)
{
    static const struct {
        enum fer_unit unit;
        double claimed;
        int sound;
    } cases[] = {{FER_UNIT_F16, 0, 1}, {FER_UNIT_F16, 0x1p-24, 1}, {FER_UNIT_F16, 0x1p-13, 0}, {FER_UNIT_F32, 0, 0}, {FER_UNIT_BF16, 0, 0}};
    const real logits[2] = {0, -20}; /* 2e-9 */
    const int label = 0;
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct fer_arithmetic a = fer_arithmetic_of(cases[i].unit, FER_UNIT_F32);
        const real claimed[2] = {1, (real)cases[i].claimed};
        struct fer_tally tally;
        memset(&tally, 0, sizeof tally);
        fer_tally_softmax(&tally, &a, FER_PROBABILITIES, 1, 2, logits, &label, claimed);
        ASSERT_EQ_FMT(cases[i].sound ? FER_OK : FER_WRONG, fer_tally_verdict(&tally), "%d");
    }
    PASS();
}

/* The loss of many images, most of which are lost behind the first. Two classes: the loss is log(1 + exp(-difference of the logits)). (Most
 * of its bound stands for exp and log.) */
TEST the_worst_mean_of_losses_stays_inside(void)
{
    const struct fer_arithmetic a = float32();
    enum { N = 2000 };
    real *logits = allocate(2 * N, sizeof *logits), loss;
    int *labels = allocate(N, sizeof *labels), i;
    float sum = 0;
    struct fer_tally tally;
    for (i = 0; i < N; i++) {
        logits[2 * i] = i ? 17 : -1;
        sum += (float)fer_log(1 + fer_exp(-(double)logits[2 * i]));
    }
    loss = (real)(sum / (float)N);
    memset(&tally, 0, sizeof tally);
    fer_tally_softmax(&tally, &a, FER_LOSS, N, 2, logits, labels, &loss);
    ASSERT(tally.proven.ratio > 0.001 && tally.proven.ratio <= 1);
    loss = (real)((double)tally.proven.truth - 2 * tally.proven.bound.proven);
    memset(&tally, 0, sizeof tally);
    fer_tally_softmax(&tally, &a, FER_LOSS, N, 2, logits, labels, &loss);
    ASSERT_EQ(FER_WRONG, fer_tally_verdict(&tally));
    free(logits);
    free(labels);
    PASS();
}

static enum fer_verdict verdict_of_moving(int is_variance, const struct fer_channel *channel, size_t rows, double momentum, double value)
{
    const struct fer_arithmetic a = float32();
    const real before = 0, claimed = (real)value;
    struct fer_tally tally;
    memset(&tally, 0, sizeof tally);
    if (is_variance)
        fer_tally_moving_variance(&tally, &a, channel, rows, 1, momentum, 0, &before, &claimed);
    else
        fer_tally_moving_mean(&tally, &a, channel, 1, momentum, &before, &claimed);
    return fer_tally_verdict(&tally);
}

/* Mean and variance of such numbers, by way 1: sums of x and of x^2, both as bad as they get. And what comes of them. */
TEST the_worst_statistics_stay_inside(void)
{
    const struct fer_arithmetic a = float32();
    enum { ROWS = 4000 };
    real *x = allocate(2 * ROWS, sizeof *x), mean, variance, beta = 0;
    float *terms = allocate(ROWS, sizeof *terms);
    const float momentum = 0.9f;
    struct fer_channel channel;
    struct fer_layer layer;
    double moved[2];
    int i;
    fill_worst(terms, x, ROWS);
    for (i = 1; i < ROWS; i++) x[i] = (real)0x1.6ap-13f; /* its square is half a unit of 1 */
    memset(&layer, 0, sizeof layer);
    layer.channels = 1, layer.output = x + ROWS, layer.mean = &mean, layer.variance = &variance;
    backend_normalise(&layer, ROWS, x, &beta, 1e-3, ASCENDING, 1);
    ASSERT_EQ(0, fer_channels(&channel, &a, ROWS, 1, x, 1e-3, &error));
    ASSERT(fabs((double)mean - channel.mean) <= channel.mean_error.proven);
    ASSERT(fabs((double)variance - channel.variance) <= channel.variance_error.proven);
    ASSERT(fabs((double)variance - channel.variance) >= 0.1 * channel.variance_error.proven);
    moved[0] = (double)((float)mean * (1 - momentum));
    moved[1] = (double)((float)variance * (1 - momentum));
    for (i = 0; i < 2; i++) {
        const struct fer_bound of_batch = i ? channel.variance_error : channel.mean_error;
        const double batch = i ? channel.variance : channel.mean, rounding = 6 * 0x1p-24 * batch;
        ASSERT(verdict_of_moving(i, &channel, ROWS, 0.9, moved[i]) != FER_WRONG);
        ASSERT_EQ(FER_WRONG, verdict_of_moving(i, &channel, ROWS, 0.9, 0.1 * batch + 2 * (0.1 * of_batch.proven + rounding)));
        ASSERT(verdict_of_moving(i, &channel, ROWS, 0.9, 0.1 * batch + 10 * (0.1 * of_batch.likely + rounding)) != FER_OK);
        ASSERT_EQ(FER_OK, verdict_of_moving(i, &channel, ROWS, 0.9, 0.1 * (batch + 0.9 * of_batch.likely)));
    }
    free(x);
    free(terms);
    PASS();
}

/* A convolution of one output cell, its terms all positive, which is the worst for a running sum; in every order. */
TEST convolutions_in_every_order_stay_inside(void)
{
    const struct fer_arithmetic a = float32();
    enum { CHANNELS = 300, COUNT = 9 * CHANNELS };
    const struct fer_window g = {1, 3, 3, CHANNELS, 1, 1, 1, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0};
    real *x = allocate(2 * COUNT, sizeof *x), *kernel = x + COUNT;
    float *p = allocate(2 * COUNT, sizeof *p), *q = p + COUNT;
    double worst = 0;
    int order, i, sign;
    for (sign = 0; sign < 2; sign++)
        for (order = ASCENDING; order <= LARGEST_FIRST; order++) {
            struct fer_sums s;
            double ratio;
            for (i = 0; i < COUNT; i++) {
                x[i] = (real)(p[i] = (float)drawn(sign ? -1 : 0, 1, 1, (size_t)i));
                kernel[i] = (real)(q[i] = (float)drawn(sign ? -1 : 0, 1, 2, (size_t)i));
            }
            begin_sums(&s, 1);
            fer_sums_add_conv2d(&s, &a, &g, x, kernel);
            ASSERT_EQ(COUNT, (int)s.roundings[0]);
            ratio = ratio_of_sum(&s, &a, (double)backend_dot(p, q, COUNT, (enum order)order));
            if (ratio > worst) worst = ratio;
            ASSERT(ratio * fer_sums_bound(&s, &a, 0).proven <= fer_sums_bound(&s, &a, 0).likely);
            free(s.truth);
        }
    ASSERT(worst > 0 && worst < 0.1);
    free(x);
    free(p);
    PASS();
}

/* How many roundings a sum has, at a corner, at an edge, inside. */
TEST fewer_terms_meet_at_the_border(void)
{
    const struct fer_arithmetic a = float32();
    struct fer_window g;
    struct fer_sums s;
    real x[5 * 5 * 2], kernel[9 * 2 * 3], dy[5 * 5 * 3];
    size_t i;
    ASSERT_EQ(0, fer_window_set(&g, 1, 5, 5, 2, 3, 3, 3, 1, 1, FER_SAME, &error));
    for (i = 0; i < 75; i++) {
        dy[i] = (real)drawn(-1, 1, 1, i);
        if (i < 50) x[i] = (real)drawn(-1, 1, 2, i);
        if (i < 54) kernel[i] = (real)drawn(-1, 1, 3, i);
    }
    begin_sums(&s, 75);
    fer_sums_add_conv2d(&s, &a, &g, x, kernel);
    ASSERT(s.roundings[0] == 4 * 2 && s.roundings[3] == 6 * 2 && s.roundings[(5 + 1) * 3] == 9 * 2);
    free(s.truth);
    begin_sums(&s, 50);
    fer_sums_add_conv2d_input(&s, &a, &g, dy, kernel);
    ASSERT(s.roundings[0] == 4 * 3 && s.roundings[2] == 6 * 3 && s.roundings[(5 + 1) * 2] == 9 * 3);
    free(s.truth);
    begin_sums(&s, 54);
    fer_sums_add_conv2d_kernel(&s, &a, &g, x, dy);
    ASSERT(s.roundings[0] == 4 * 4 && s.roundings[6] == 4 * 5 && s.roundings[4 * 6] == 25);
    free(s.truth);
    PASS();
}

/* Whole numbers, or whole multiples of 1/8: then nothing is rounded, and the bound is 0. A single odd one out, and it is not. */
TEST exact_sums_have_the_bound_zero(void)
{
    const struct fer_arithmetic a = float32();
    struct fer_window g, pool;
    struct fer_sums s;
    real x[5 * 5 * 2], kernel[9 * 2 * 3], y[5 * 5 * 3];
    size_t i;
    int round;
    ASSERT_EQ(0, fer_window_set(&g, 1, 5, 5, 2, 3, 3, 3, 1, 1, FER_SAME, &error));
    ASSERT_EQ(0, fer_window_set(&pool, 1, 5, 5, 2, 2, 3, 3, 1, 1, FER_SAME, &error));
    for (round = 0; round < 3; round++) {
        for (i = 0; i < 50; i++) x[i] = (real)((double)(i * 7 % 11) - 5) * (round == 1 ? 0.125 : 1);
        for (i = 0; i < 54; i++) kernel[i] = (real)((double)(i * 5 % 7) - 3);
        if (round == 2) x[0] = (real)0.1f;
        begin_sums(&s, 75);
        fer_sums_add_conv2d(&s, &a, &g, x, kernel);
        for (i = 0; i < 75; i++) ASSERT((fer_sums_bound(&s, &a, i).proven == 0) == (round < 2 || s.magnitude[i] == 0));
        memcpy(y, s.truth, sizeof y);
        free(s.truth);
    }
    for (i = 0; i < 50; i++) x[i] = (real)(36 * ((double)(i % 5) - 2));
    x[30] = 5;
    begin_sums(&s, 50);
    fer_sums_add_average(&s, &a, &pool, x);
    ASSERT(fer_sums_bound(&s, &a, 0).proven == 0); /* far from the 5 */
    ASSERT(fer_sums_bound(&s, &a, 30).proven > 0);
    free(s.truth);
    for (i = 0; i < 50; i++) x[i] = (real)(36 * ((double)(i % 5) - 2));
    begin_sums(&s, 50);
    fer_sums_add_average_input(&s, &a, &pool, x);
    for (i = 0; i < 50; i++) ASSERT(fer_sums_bound(&s, &a, i).proven == 0);
    free(s.truth);
    PASS();
}

/* 121 * (1/121) is not 1 in float32, 9 * (1/9) is: a backend may multiply by the reciprocal, in both directions. */
TEST averages_are_exact_only_if_their_reciprocals_are(void)
{
    const struct fer_arithmetic a = float32();
    static const size_t sides[] = {3, 11};
    size_t k, i;
    for (k = 0; k < 2; k++) {
        const size_t cells = sides[k] * sides[k];
        const struct fer_window g = {1, sides[k], sides[k], 1, 1, 1, 1, sides[k], sides[k], 1, 1, 0, 0, 0, 0, 1, 1, 1, 0};
        const float reciprocal = 1 / (float)cells;
        real x[121], dy = (real)cells;
        struct fer_sums s;
        for (i = 0; i < cells; i++) x[i] = 1;
        begin_sums(&s, 1);
        fer_sums_add_average(&s, &a, &g, x);
        ASSERT_EQ(k == 0, fer_sums_bound(&s, &a, 0).proven == 0);
        ASSERT_EQ(FER_OK, verdict_of_sum(&s, &a, (double)((float)cells * reciprocal)));
        free(s.truth);
        begin_sums(&s, cells);
        fer_sums_add_average_input(&s, &a, &g, &dy);
        ASSERT_EQ(k == 0, fer_sums_bound(&s, &a, 0).proven == 0);
        ASSERT(fabs((double)((float)cells * reciprocal) - 1) <= fer_sums_bound(&s, &a, 0).likely);
        free(s.truth);
    }
    PASS();
}

/* Products that float32 can hold only as a subnormal number may be flushed to zero. */
TEST flushing_to_zero_is_allowed_for(void)
{
    const struct fer_arithmetic a = float32();
    const struct fer_window g = {1, 1, 1, 4, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0};
    real x[4] = {(real)1.5e-30f, (real)2.5e-25f, (real)1e-20f, (real)1e-20f};
    real kernel[4] = {(real)1.1e-12f, (real)1.3e-15f, (real)1.7e-20f, (real)1.9e-20f};
    struct fer_sums s;
    begin_sums(&s, 1);
    fer_sums_add_conv2d(&s, &a, &g, x, kernel);
    ASSERT(s.truth[0] > 0);
    ASSERT(ratio_of_sum(&s, &a, 0) < 1);
    ASSERT(ratio_of_sum(&s, &a, 1e-36) > 1);
    free(s.truth);
    PASS();
}

/* Of float16 even 6e-5 may be flushed; but only factors that are so small, and never more than the terms. */
TEST factors_are_flushed_only_if_they_are_small(void)
{
    const struct fer_arithmetic a = fer_arithmetic_of(FER_UNIT_F16, FER_UNIT_F32);
    enum { COUNT = 100 };
    const struct fer_window g = {1, 1, 1, COUNT, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0};
    static const double rest[3] = {1.3, 1.3, 0x1.3p-15}, seventh[3] = {0, 0x1.3p-15, 0x1.3p-15};
    real x[COUNT], kernel[COUNT];
    double bound[3];
    struct fer_sums s;
    int i, k;
    for (k = 0; k < 3; k++) {
        for (i = 0; i < COUNT; i++) {
            x[i] = (real)(i == 7 ? seventh[k] : rest[k]);
            kernel[i] = (real)1.25;
        }
        begin_sums(&s, 1);
        fer_sums_add_conv2d(&s, &a, &g, x, kernel);
        bound[k] = fer_sums_bound(&s, &a, 0).proven;
        free(s.truth);
    }
    ASSERT_IN_RANGE(1.3 * 1.25 * 99 * 3 * 0x1p-11, bound[0], 0.01); /* both factors and the result rounded; no more */
    ASSERT_IN_RANGE(0x1p-14 * (1.3 + 1.25), bound[1] - bound[0], 1e-6);
    ASSERT_IN_RANGE(0x1.3p-15 * 1.25 * COUNT, bound[2], 1e-4); /* all of them: the whole sum */
    PASS();
}

/* ---- Normalisation: every way to do it, in every order, on easy data and on hard ---- */

struct regime {
    double mean, width, gradient_mean;
};
static const struct regime regimes[] = {{0, 1, 0}, {1, 1, 0.5}, {30, 1, 0}, {-2, 0.01, 1}, {1e-3, 1e-4, 0}, {100, 20, -3}};
enum { REGIMES = sizeof regimes / sizeof *regimes, CHANNELS = 3 };

/* One try. Raises worst[0] and worst[1] to the largest ratios of error to likely bound, of the result and of the gradient; but
 * where one pass can leave nothing of the variance, what is beyond that must be put down to it. */
static void try_normalisation(const struct regime *r, size_t rows, enum order order, int way, double worst[2])
{
    const struct fer_arithmetic a = float32();
    const size_t count = rows * CHANNELS;
    real *x = allocate(4 * count, sizeof *x), *dy = x + count, *y = dy + count, *dx = y + count;
    real beta[CHANNELS], mean[CHANNELS], variance[CHANNELS], dbeta[CHANNELS];
    struct fer_channel channel[CHANNELS];
    struct fer_layer layer;
    struct fer_tally tally[2];
    int excused = 0;
    size_t i;
    memset(&layer, 0, sizeof layer);
    memset(tally, 0, sizeof tally);
    for (i = 0; i < count; i++) {
        x[i] = (real)(float)drawn(r->mean - r->width, r->mean + r->width, 1, i);
        dy[i] = (real)(float)drawn(r->gradient_mean - 1, r->gradient_mean + 1, 2, i);
    }
    for (i = 0; i < CHANNELS; i++) beta[i] = (real)drawn(-1, 1, 3, i);
    layer.channels = CHANNELS;
    layer.output = y;
    layer.mean = mean;
    layer.variance = variance;
    backend_normalise(&layer, rows, x, beta, 1e-3, order, way);
    backend_normalise_backward(&layer, rows, x, dy, 1e-3, dx, dbeta, order, way);
    if (fer_channels(channel, &a, rows, CHANNELS, x, 1e-3, &error)) exit(2);
    fer_tally_normalization(&tally[0], &a, channel, rows, CHANNELS, x, beta, y);
    if (fer_tally_normalization_input(&tally[1], &a, channel, rows, CHANNELS, x, dy, dx, &error)) exit(2);
    for (i = 0; i < CHANNELS && way % 3 == 1; i++) excused |= channel[i].one_pass_fails;
    for (i = 0; i < 2; i++) {
        const double ratio = excused && tally[i].one_pass ? tally[i].proven.ratio : tally[i].likely.ratio;
        if (ratio > worst[i]) worst[i] = ratio;
    }
    free(x);
}

TEST normalisation_done_in_any_way_stays_inside(void)
{
    static const size_t sizes[] = {2, 7, 100, 3000};
    double worst[2] = {0, 0};
    size_t i;
    int r, order, way;
    for (r = 0; r < REGIMES; r++)
        for (i = 0; i < 4; i++)
            for (order = ASCENDING; order <= LARGEST_FIRST; order++)
                for (way = 0; way < 12; way++) try_normalisation(&regimes[r], sizes[i], (enum order)order, way, worst);
    if (worst[0] > 1 || worst[1] > 1) printf("largest ratios: %g, %g\n", worst[0], worst[1]);
    ASSERT(worst[0] <= 1 && worst[1] <= 1);
    ASSERT(worst[0] > 0.05 && worst[1] > 0.05); /* and the bound is of use */
    PASS();
}

/* The truth of the bounds' files is that of the layer: with gamma or without, with the batch's statistics or given ones. And
 * one element that is off by a millionth is found. */
TEST normalisation_is_checked_against_the_layer(void)
{
    const struct fer_arithmetic a = fer_arithmetic_of(FER_UNIT_F64, FER_UNIT_F64);
    enum { ROWS = 50, COUNT = ROWS * CHANNELS };
    const real some_beta[CHANNELS] = {1, 2, 3}, some_gamma[CHANNELS] = {(real)0.5, -7, (real)1e-4};
    real x[COUNT], dy[COUNT], y[COUNT], dx[COUNT], dgamma[CHANNELS], mean[CHANNELS], variance[CHANNELS];
    size_t i;
    int mode, fault;
    for (i = 0; i < COUNT; i++) {
        x[i] = (real)drawn(-1, 2, 1, i);
        dy[i] = (real)drawn(-1, 2, 2, i);
    }
    for (mode = 0; mode < 16; mode++) {
        const real *gamma = mode & 1 ? some_gamma : NULL, *beta = mode & 4 ? NULL : some_beta;
        const int given = mode & 2;
        fer_batch_moments(ROWS, CHANNELS, x, mean, variance);
        if (given) mean[1] = 3, variance[0] = (real)0.01;
        fer_batch_normalization_forward(ROWS, CHANNELS, x, mean, variance, gamma, beta, 1e-3, y);
        fer_batch_normalization_backward(ROWS, CHANNELS, x, mean, variance, gamma, 1e-3, !given, dy, dx, dgamma, NULL);
        fault = mode & 8;
        if (fault) y[40] *= (real)1.000001, dx[70] *= (real)1.000001, dgamma[2] *= (real)1.000001;
        {
            struct fer_channel channel[CHANNELS];
            struct fer_tally tally[3];
            int k;
            memset(tally, 0, sizeof tally);
            ASSERT_EQ(0, fer_channels(channel, &a, ROWS, CHANNELS, x, 1e-3, &error));
            if (given) fer_channels_given(channel, &a, CHANNELS, mean, variance, 1e-3);
            if (gamma) fer_channels_scale(channel, &a, CHANNELS, gamma);
            fer_tally_normalization(&tally[0], &a, channel, ROWS, CHANNELS, x, beta, y);
            ASSERT_EQ(0, fer_tally_normalization_input(&tally[1], &a, channel, ROWS, CHANNELS, x, dy, dx, &error));
            ASSERT_EQ(0, fer_tally_gamma(&tally[2], &a, channel, ROWS, CHANNELS, x, dy, dgamma, &error));
            for (k = 0; k < 3; k++) ASSERT_EQ(fault ? FER_WRONG : FER_OK, fer_tally_verdict(&tally[k]));
        }
    }
    PASS();
}

/* gamma in float32, small and large, of either sign: folded into the scale, multiplied at the end, and with the mean folded
 * into the shift. The statistics are given. */
TEST gamma_in_any_form_stays_inside(void)
{
    const struct fer_arithmetic a = float32();
    enum { ROWS = 400, COUNT = ROWS * CHANNELS };
    real x[COUNT], dy[COUNT], y[COUNT], dx[COUNT], dgamma[CHANNELS], mean[CHANNELS], variance[CHANNELS], gamma[CHANNELS],
        beta[CHANNELS];
    double worst[3] = {0, 0, 0};
    int r, way, k;
    size_t i;
    for (r = 0; r < REGIMES; r++)
        for (way = 0; way < 3; way++) {
            struct fer_channel channel[CHANNELS];
            struct fer_tally tally[3];
            float sum[CHANNELS] = {0};
            memset(tally, 0, sizeof tally);
            for (i = 0; i < CHANNELS; i++) {
                mean[i] = (real)(float)(regimes[r].mean + drawn(-0.1, 0.1, 3, i) * regimes[r].width);
                variance[i] = (real)(float)(regimes[r].width * regimes[r].width * drawn(0.1, 1, 4, i));
                gamma[i] = (real)(float)(drawn(-1, 1, 5, i) * (i == 1 ? 1e4 : i == 2 ? 1e-4 : 1));
                beta[i] = (real)(float)drawn(-1, 1, 6, i);
            }
            for (i = 0; i < COUNT; i++) {
                const size_t c = i % CHANNELS;
                const float m = (float)mean[c], g = (float)gamma[c], shift = (float)beta[c];
                const float s = 1 / sqrtf((float)variance[c] + 1e-3f), gs = g * s;
                float in, d;
                x[i] = (real)(in = (float)drawn(regimes[r].mean - regimes[r].width, regimes[r].mean + regimes[r].width, 1, i));
                dy[i] = (real)(d = (float)drawn(regimes[r].gradient_mean - 1, regimes[r].gradient_mean + 1, 2, i));
                y[i] = (real)(way == 0 ? (in - m) * gs + shift : way == 1 ? (in - m) * s * g + shift : in * gs + (shift - m * gs));
                dx[i] = (real)(way ? d * g * s : d * gs);
                sum[c] += way == 2 ? d * (in - m) : d * ((in - m) * s);
                dgamma[c] = (real)(way == 2 ? sum[c] * s : sum[c]);
            }
            fer_channels_given(channel, &a, CHANNELS, mean, variance, 1e-3);
            fer_channels_scale(channel, &a, CHANNELS, gamma);
            fer_tally_normalization(&tally[0], &a, channel, ROWS, CHANNELS, x, beta, y);
            ASSERT_EQ(0, fer_tally_normalization_input(&tally[1], &a, channel, ROWS, CHANNELS, x, dy, dx, &error));
            ASSERT_EQ(0, fer_tally_gamma(&tally[2], &a, channel, ROWS, CHANNELS, x, dy, dgamma, &error));
            for (k = 0; k < 3; k++)
                if (tally[k].likely.ratio > worst[k]) worst[k] = tally[k].likely.ratio;
        }
    for (k = 0; k < 3; k++) ASSERT(worst[k] <= 1 && worst[k] > (k < 2 ? 0.05 : 0.002)); /* and the bound is of use */
    PASS();
}

/* ---- Softmax and the loss in float32, three ways, each exp and log off by as much as `units` in the last place ---- */

static float off(double exact, size_t k, double units)
{
    return (float)(exact * (1 + drawn(-1, 1, 9, k) * units * 0x1p-23));
}

static void softmax_in_float(const float *z, int label, int way, double units, float *p, float *loss)
{
    float largest = z[0], sum = 0, log_of_sum;
    size_t k;
    for (k = 1; k < FER_CLASSES; k++) largest = z[k] > largest ? z[k] : largest;
    if (way == 1) largest = 0;
    for (k = 0; k < FER_CLASSES; k++) sum += p[k] = off(exp((double)(z[k] - largest)), k, units);
    log_of_sum = off(log((double)sum), 8, units);
    for (k = 0; k < FER_CLASSES; k++) p[k] = way == 2 ? off(exp((double)(z[k] - largest - log_of_sum)), k, units) : p[k] / sum;
    *loss = way == 2 ? log_of_sum - (z[label] - largest) : -off(log((double)p[label]), 8, units);
}

TEST softmax_in_any_form_stays_inside(void)
{
    const struct fer_arithmetic a = float32();
    enum { N = 40, COUNT = N * FER_CLASSES };
    real z[COUNT], p[COUNT], dz[COUNT], loss;
    int labels[N], n, k, way, scale;
    for (scale = 1; scale <= 40; scale *= 3)
        for (way = 0; way < 6; way++) {
            const int good = way < 3; /* exp is good to 2 units; else to 4, which is not likely, but no fault */
            struct fer_tally tally[3];
            float losses = 0;
            memset(tally, 0, sizeof tally);
            for (n = 0; n < N; n++) {
                float logits[FER_CLASSES], probabilities[FER_CLASSES], of_image;
                labels[n] = n % FER_CLASSES;
                for (k = 0; k < FER_CLASSES; k++) logits[k] = (float)drawn(-scale, scale, (uint32_t)n, (size_t)k);
                softmax_in_float(logits, labels[n], way % 3, good ? 2 : 4, probabilities, &of_image);
                losses += of_image;
                for (k = 0; k < FER_CLASSES; k++) {
                    z[n * FER_CLASSES + k] = (real)logits[k];
                    p[n * FER_CLASSES + k] = (real)probabilities[k];
                    dz[n * FER_CLASSES + k] = (real)((probabilities[k] - (float)(k == labels[n])) * (1 / (float)N));
                }
            }
            loss = (real)(losses / (float)N);
            fer_tally_softmax(&tally[0], &a, FER_PROBABILITIES, N, FER_CLASSES, z, labels, p);
            fer_tally_softmax(&tally[1], &a, FER_LOSS, N, FER_CLASSES, z, labels, &loss);
            fer_tally_softmax(&tally[2], &a, FER_LOGITS_GRADIENT, N, FER_CLASSES, z, labels, dz);
            for (k = 0; k < 3; k++) {
                ASSERT(tally[k].proven.ratio <= 1 && (!good || fer_tally_verdict(&tally[k]) == FER_OK));
                ASSERT(tally[k].likely.ratio > 0.001);
            }
        }
    PASS();
}

/* ---- Adam, in several forms, for gradients of every size ---- */

static float adam_in_float(float p, float g, int form)
{
    const float b1 = 0.9f, b2 = 0.999f, rate = 0.001f;
    const float m = form % 2 ? 0 + (g - 0) * (1 - b1) : (float)(1 - 0.9) * g, v = form % 2 ? (g * g - 0) * (1 - b2) : (float)(1 - 0.999) * g * g;
    const float lr_t = (float)(0.001 * sqrt(1 - 0.999) / (1 - 0.9)), of_float = rate * sqrtf(1 - b2) / (1 - b1);
    if (form < 4) return p - (form < 2 ? lr_t : of_float) * m / (sqrtf(v) + 1e-7f);
    if (form < 6) return p - rate / (1 - b1) * (m / (sqrtf(v) / sqrtf(1 - b2) + 1e-7f)); /* PyTorch */
    return p - rate * (m / (1 - b1)) / (sqrtf(v / (1 - b2)) + 1e-7f);
}

static enum fer_verdict adam_verdict(int form, int pytorch, double size)
{
    const struct fer_arithmetic a = float32();
    struct fer_adam adam = {0.001, 0.9, 0.999, 1e-7};
    enum { COUNT = 200 };
    real p[COUNT], g[COUNT], claimed[COUNT], truth[COUNT], m[COUNT] = {0}, v[COUNT] = {0};
    struct fer_tally tally;
    size_t i;
    memset(&tally, 0, sizeof tally);
    if (pytorch) adam.epsilon *= sqrt(1 - adam.beta2);
    for (i = 0; i < COUNT; i++) {
        p[i] = truth[i] = (real)(i % 3 ? drawn(-0.2, 0.2, 1, i) : 0);
        g[i] = (real)(float)(size * drawn(-1, 1, 2, i));
        claimed[i] = (real)adam_in_float((float)p[i], (float)g[i], form);
    }
    fer_adam_step(&adam, 1, COUNT, truth, g, m, v);
    fer_tally_adam(&tally, &a, &adam, COUNT, p, g, truth, claimed);
    return fer_tally_verdict(&tally);
}

TEST adam_in_any_form_stays_inside_and_the_other_epsilon_does_not(void)
{
    double size;
    int form;
    for (form = 0; form < 8; form++)
        for (size = 1e-25; size < 1e4; size *= 10) {
            const int pytorch = form >= 4, tells = size > 1e-9 && size < 1e-1;
            ASSERT_EQ(FER_OK, adam_verdict(form, pytorch, size));
            if (tells) ASSERT_EQ(FER_WRONG, adam_verdict(form, !pytorch, size));
        }
    PASS();
}

/* ---- Parts of records ---- */

/* A record of a few arrays of float32. */
static struct fer_npz_writer *writer;

static void begin_record(void)
{
    if (fer_npz_create(&writer, RECORD, &error)) exit(2);
}

static void put(const char *name, int dims, size_t s0, size_t s1, size_t s2, size_t s3, double (*value)(size_t))
{
    const size_t shape[4] = {s0, s1, s2, s3};
    size_t count = 1, k;
    double *values;
    int i;
    for (i = 0; i < dims; i++) count *= shape[i];
    values = allocate(count, sizeof *values);
    for (k = 0; k < count; k++) values[k] = value(k);
    if (fer_npz_write(writer, name, FER_F8, dims, shape, values, &error)) exit(2);
    free(values);
}

static int verify_record(void)
{
    const struct fer_verify_options o = options();
    if (fer_npz_commit(writer, &error)) exit(2);
    return verify(&o);
}

static double zero(size_t k)
{
    (void)k;
    return 0;
}

static double some(size_t k)
{
    return drawn(-1, 1, 4, k);
}

static double whole(size_t k)
{
    return (double)(k * 7 % 11) - 5;
}

static double class_of(size_t k)
{
    return (double)(k % 7);
}

TEST what_is_all_zero_is_not_trusted(void)
{
    begin_record();
    put("input", 4, 2, 48, 48, 1, zero);
    put("conv2d/kernel", 4, 3, 3, 1, 32, some);
    put("conv2d/output", 4, 2, 24, 24, 32, zero);
    ASSERT_EQ(0, verify_record());
    ASSERT_EQ(1, row_count);
    ASSERT_EQ(FER_MISTRUSTED, found[0].verdict);
    ASSERT_STR_EQ("conv2d/output", summary.first_mistrusted);
    ASSERT_STR_EQ("", summary.first);
    ASSERT_EQ(0, found[0].by_nature);
    PASS();
}

TEST what_is_missing_is_listed(void)
{
    begin_record();
    put("activation/output", 4, 2, 24, 24, 32, some);
    put("conv2d_1/output", 4, 2, 24, 24, 32, some);
    put("predictions/bias", 1, 7, 0, 0, 0, some);
    put("predictions/bias_grad", 1, 7, 0, 0, 0, some);
    put("predictions/bias_new", 1, 7, 0, 0, 0, some);
    put("what/ever", 1, 3, 0, 0, 0, some);
    ASSERT_EQ(0, verify_record());
    ASSERT_EQ(4, row_count);
    ASSERT_STR_EQ("needs batch_normalization/output", row_of("activation/output")->reason);
    ASSERT_STR_EQ("needs conv2d_1/kernel", row_of("conv2d_1/output")->reason);
    ASSERT_STR_EQ("needs predictions/logits_grad", row_of("predictions/bias_grad")->reason);
    ASSERT_EQ(FER_WRONG, row_of("predictions/bias_new")->verdict);
    ASSERT_EQ(3, summary.rows[FER_NOT_CHECKABLE]);
    ASSERT_EQ(1, summary.ignored);
    PASS();
}

TEST a_record_in_which_nothing_can_be_checked_is_refused(void)
{
    begin_record();
    put("conv2d_1/output", 4, 2, 24, 24, 32, some);
    ASSERT_EQ(-1, verify_record());
    ASSERT_STR_EQ(RECORD ": nothing in it can be checked: expected also what its arrays are computed from", error.text);
    begin_record();
    put("conv_1/output", 4, 2, 24, 24, 32, some);
    ASSERT_EQ(-1, verify_record());
    ASSERT_STR_EQ(RECORD ": nothing in it can be checked: expected arrays of a record, such as input, conv2d/kernel "
                         "and conv2d/output", error.text);
    PASS();
}

TEST the_size_of_the_images_is_found_without_them(void)
{
    begin_record();
    put("mixed3/output", 4, 3, 7, 7, 768, some); /* 7x7: 128x128 among others */
    put("conv2d_30/kernel", 4, 1, 1, 768, 192, whole);
    put("conv2d_30/output", 4, 3, 7, 7, 192, some);
    put("activation_2/output", 4, 3, 64, 64, 64, some);
    put("max_pooling2d/output", 4, 3, 31, 31, 64, some);
    ASSERT_EQ(0, verify_record());
    ASSERT_EQ(4, row_count);
    ASSERT_EQ(FER_WRONG, row_of("conv2d_30/output")->verdict);
    ASSERT_EQ(FER_WRONG, row_of("max_pooling2d/output")->verdict);
    begin_record();
    put("mixed3/output", 4, 3, 7, 7, 768, some);
    put("max_pooling2d/output", 4, 3, 11, 11, 64, some);
    ASSERT_EQ(-1, verify_record());
    ASSERT_STR_EQ(RECORD ": at no size of image do all shapes fit together; with `input` in it, fer can say which does not", error.text);
    begin_record();
    put("activation_2/output", 4, 3, 64, 64, 64, some);
    put("max_pooling2d/output", 4, 2, 31, 31, 64, some);
    ASSERT_EQ(-1, verify_record());
    ASSERT_STR_EQ(RECORD ": max_pooling2d/output: 2 images; activation_2/output has 3", error.text);
    PASS();
}

TEST a_wrong_shape_is_refused_by_name(void)
{
    begin_record();
    put("input", 4, 2, 48, 48, 1, some);
    put("conv2d/output", 4, 2, 32, 24, 24, some);
    ASSERT_EQ(-1, verify_record());
    ASSERT_STR_EQ(RECORD ": conv2d/output: its shape is [2,32,24,24]; for 2 images of 48x48 [2,24,24,32] was expected", error.text);
    begin_record();
    put("input", 4, 2, 1, 48, 48, some);
    ASSERT_EQ(-1, verify_record());
    ASSERT_STR_EQ(RECORD ": input: its shape is [2,1,48,48]; square grey images, [N,H,H,1], were expected", error.text);
    begin_record();
    put("input", 4, 2, 16, 16, 1, some);
    ASSERT_EQ(-1, verify_record());
    ASSERT_STR_EQ(RECORD ": input: an image of 16x16 is too small for this network: conv2d_26: an input 1 high does "
                         "not hold a window of 3 without padding", error.text);
    PASS();
}

TEST labels_are_classes_or_one_hot(void)
{
    begin_record();
    put("predictions/logits", 2, 3, 7, 0, 0, some);
    put("labels", 1, 3, 0, 0, 0, class_of);
    put("loss", 0, 0, 0, 0, 0, some);
    ASSERT_EQ(0, verify_record());
    ASSERT_EQ(FER_WRONG, row_of("loss")->verdict);
    begin_record();
    put("predictions/logits", 2, 3, 7, 0, 0, some);
    put("labels", 2, 3, 1, 0, 0, class_of);
    put("loss", 0, 0, 0, 0, 0, some);
    ASSERT_EQ(0, verify_record());
    ASSERT_EQ(FER_WRONG, row_of("loss")->verdict);
    begin_record();
    put("predictions/logits", 2, 3, 7, 0, 0, some);
    put("labels", 1, 3, 0, 0, 0, some);
    ASSERT_EQ(-1, verify_record());
    ASSERT(strstr(error.text, RECORD ": labels: [0]: ") == error.text);
    begin_record();
    put("predictions/logits", 2, 3, 7, 0, 0, some);
    put("labels", 2, 3, 7, 0, 0, zero);
    ASSERT_EQ(-1, verify_record());
    ASSERT_STR_EQ(RECORD ": labels: [0]: not one-hot: expected a single 1 among zeros", error.text);
    PASS();
}

/* A record of whole numbers, layer by layer: one unit too much is WRONG, since nothing was to be rounded. */
TEST an_exact_record_allows_no_error(void)
{
    struct fer_window g;
    real *x = allocate(2 * 48 * 48, sizeof *x), *kernel = allocate(288, sizeof *kernel), *y = allocate(2 * 24 * 24 * 32, sizeof *y);
    const size_t shape[4] = {2, 24, 24, 32};
    size_t i;
    int round;
    ASSERT_EQ(0, fer_window_set(&g, 2, 48, 48, 1, 32, 3, 3, 2, 2, FER_SAME, &error));
    for (i = 0; i < 2 * 48 * 48; i++) x[i] = (real)whole(i);
    for (i = 0; i < 288; i++) kernel[i] = (real)whole(i);
    fer_conv2d_forward(&g, x, kernel, y);
    for (round = 0; round < 2; round++) {
        begin_record();
        put("input", 4, 2, 48, 48, 1, whole);
        put("conv2d/kernel", 4, 3, 3, 1, 32, whole);
        if (round) y[777] = (real)((double)y[777] * (1 + 0x1p-23));
        ASSERT_EQ(0, fer_npz_write(writer, "conv2d/output", FER_F8, 4, shape, y, &error));
        ASSERT_EQ(0, verify_record());
        ASSERT_EQ(round ? FER_WRONG : FER_OK, found[0].verdict);
        ASSERT(found[0].proven_bound == 0);
        if (round) ASSERT_EQ(777, (int)found[0].index);
    }
    free(x);
    free(kernel);
    free(y);
    PASS();
}

/* At 32x32 the last maps are 1x1: with one image, normalisation lets no gradient through. Those arrays do not count as mistrusted. */
TEST gradients_that_are_zero_by_nature_do_not_count(void)
{
    const struct fer_verify_options o = options();
    struct backend b;
    ASSERT_EQ(0, backend_create(&b, 32, 1, 5));
    backend_step(&b, EXACT, "", "");
    ASSERT_EQ(0, backend_record(&b, RECORD, FER_F4, 1));
    backend_free(&b);
    ASSERT_EQ(0, verify(&o));
    ASSERT_EQ(FER_MISTRUSTED, row_of("conv2d_38/kernel_grad")->verdict);
    ASSERT(row_of("conv2d_38/kernel_grad")->by_nature);
    ASSERT(!row_of("batch_normalization_38/beta_grad")->by_nature);
    ASSERT(summary.by_nature > 50);
    ASSERT_STR_EQ("", summary.first);
    if (*summary.first_mistrusted) show_summary();
    ASSERT_STR_EQ("", summary.first_mistrusted);
    PASS();
}

#else

TEST the_float32_library_refuses(void)
{
    struct fer_verify_options o;
    struct fer_verify_summary summary;
    struct fer_error error;
    fer_verify_options_default(&o);
    ASSERT_EQ(-1, fer_verify("any.npz", &o, NULL, NULL, &summary, &error));
    ASSERT_STR_EQ("verify: the truth is computed in float64: use fer64", error.text);
    PASS();
}

#endif

SUITE(suite_verify)
{
#ifdef FER_DOUBLE
    fer_make_folder(FOLDER, NULL);
    RUN_TEST(the_worst_sum_reaches_its_bound_and_stays_inside);
    RUN_TEST(the_worst_average_stays_inside);
    RUN_TEST(averages_are_bounded_cell_by_cell);
    RUN_TEST(the_loss_of_more_images_is_bounded_by_its_additions);
    RUN_TEST(small_probabilities_of_short_formats);
    RUN_TEST(the_worst_mean_of_losses_stays_inside);
    RUN_TEST(the_worst_statistics_stay_inside);
    RUN_TEST(convolutions_in_every_order_stay_inside);
    RUN_TEST(fewer_terms_meet_at_the_border);
    RUN_TEST(exact_sums_have_the_bound_zero);
    RUN_TEST(averages_are_exact_only_if_their_reciprocals_are);
    RUN_TEST(flushing_to_zero_is_allowed_for);
    RUN_TEST(factors_are_flushed_only_if_they_are_small);
    RUN_TEST(normalisation_done_in_any_way_stays_inside);
    RUN_TEST(normalisation_is_checked_against_the_layer);
    RUN_TEST(gamma_in_any_form_stays_inside);
    RUN_TEST(softmax_in_any_form_stays_inside);
    RUN_TEST(adam_in_any_form_stays_inside_and_the_other_epsilon_does_not);
    RUN_TEST(what_is_all_zero_is_not_trusted);
    RUN_TEST(what_is_missing_is_listed);
    RUN_TEST(a_record_in_which_nothing_can_be_checked_is_refused);
    RUN_TEST(the_size_of_the_images_is_found_without_them);
    RUN_TEST(a_wrong_shape_is_refused_by_name);
    RUN_TEST(labels_are_classes_or_one_hot);
    RUN_TEST(an_exact_record_allows_no_error);
    RUN_TEST(gradients_that_are_zero_by_nature_do_not_count);
    RUN_TEST(a_sound_record_is_ok_whatever_its_orders_of_summation);
    RUN_TEST(a_sound_record_is_ok_in_the_worst_order);
    RUN_TEST(a_record_rounded_to_float32_is_ok_and_no_float64_record);
    RUN_TEST(any_of_equal_maxima_will_do_if_asked_but_not_all_of_them);
    RUN_TEST(other_rules_of_the_update_are_options);
    RUN_TEST(shorter_formats_are_options);
    RUN_TEST(twice_the_bound_is_wrong_in_every_array);
    RUN_TEST(faults_of_the_forward_pass_are_found_where_they_are);
    RUN_TEST(faults_of_the_backward_pass_are_found_where_they_are);
    RUN_TEST(faults_of_the_update_are_found_where_they_are);
    remove(RECORD);
    free(found);
    found = NULL;
#else
    RUN_TEST(the_float32_library_refuses);
#endif
}
