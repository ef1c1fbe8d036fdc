/* op_layers.c - the operations of `fer op`. Each one reads its arguments, checks that their shapes agree, calls the
 * layer's functions, and writes the results. The list of operations, with the options' defaults, is at the end. */
#include "op.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t size_at(const struct fer_tensor *t, int i)
{
    return t->about.shape[i];
}

/* ---- Batch normalisation ---- */

/* Everything about one call. Statistics that the user did not give begin as 0 and 1. */
struct normalization {
    struct fer_tensor x, gamma, beta, moving_mean, moving_variance, dy, y, mean, variance;
    size_t rows, channels;
    double momentum, epsilon;
    int training, biased;
};

static int read_normalization(struct fer_op *op, struct normalization *b)
{
    size_t c;
    if (fer_op_need(op, "x", "[N,...,C]", &b->x)) return -1;
    b->channels = b->x.about.dims ? b->x.about.shape[b->x.about.dims - 1] : 0;
    if (b->x.about.dims < 2 || b->channels > INT_MAX)
        return fer_op_blame(op, &b->x, "expected two or more dimensions, the %s one the channels",
                            op->nchw ? "second" : "last");
    b->rows = b->x.about.count / b->channels;
    if (fer_op_maybe(op, "gamma", NULL, &b->gamma) || fer_op_vector(op, &b->gamma, b->channels) ||
        fer_op_maybe(op, "beta", NULL, &b->beta) || fer_op_vector(op, &b->beta, b->channels) ||
        fer_op_maybe(op, "moving_mean", NULL, &b->moving_mean) || fer_op_vector(op, &b->moving_mean, b->channels) ||
        fer_op_maybe(op, "moving_variance", NULL, &b->moving_variance) ||
        fer_op_vector(op, &b->moving_variance, b->channels) || fer_op_maybe(op, "dy", "[N,...,C]", &b->dy) ||
        fer_op_same_shape(op, &b->dy, &b->x))
        return -1;
    if (!b->moving_mean.values && fer_op_result(op, "moving_mean", 1, &b->channels, &b->moving_mean)) return -1;
    if (!b->moving_variance.values) {
        if (fer_op_result(op, "moving_variance", 1, &b->channels, &b->moving_variance)) return -1;
        for (c = 0; c < b->channels; c++) b->moving_variance.values[c] = 1;
    }
    return fer_op_choice(op, "training", "0|1", &b->training) ||
           fer_op_choice(op, "moving-variance", "unbiased|biased", &b->biased) ||
           fer_op_number(op, "momentum", 0, 1, &b->momentum) || fer_op_number(op, "epsilon", 0, 1e6, &b->epsilon);
}

/* How far rounding can take each of the results. `before`: the moving statistics that were given. */
static struct fer_channel *channels_of(struct fer_op *op, const struct normalization *b, const struct fer_tensor *t)
{
    struct fer_channel *channel;
    if (!fer_op_claim(op, t)) return NULL;
    channel = fer_op_allocate(op, b->channels, sizeof *channel);
    if (!channel ||
        (b->training && fer_channels(channel, &op->judge->arithmetic, b->rows, b->channels, b->x.values,
                                      b->epsilon, op->e))) {
        op->judge->failed = 1;
        return NULL;
    }
    if (b->training) fer_twist_channels(op->twist, b->rows, b->channels, b->epsilon, channel);
    if (!b->training)
        fer_channels_given(channel, &op->judge->arithmetic, b->channels, b->mean.values, b->variance.values,
                           b->epsilon);
    if (b->gamma.values) fer_channels_scale(channel, &op->judge->arithmetic, b->channels, b->gamma.values);
    return channel;
}

static void judge_normalized(struct fer_op *op, const struct normalization *b)
{
    const int exact = op->twist == FER_EXACT_CONSTANT;
    struct fer_channel *channel = b->training && !exact ? channels_of(op, b, &b->y) : NULL;
    struct fer_sums *s;
    if (exact) fer_op_judge_copies(op, &b->y);
    if (channel)
        fer_tally_normalization(&op->judge->tally, &op->judge->arithmetic, channel, b->rows, b->channels,
                                b->x.values, b->beta.values, op->judge->claimed);
    if (b->training || !fer_op_claim(op, &b->y) || !(s = fer_op_sums(op, &b->y))) return;
    fer_sums_add_scaling(s, &op->judge->arithmetic, b->channels, b->x.values, b->mean.values, b->variance.values,
                         b->gamma.values, b->beta.values, b->epsilon);
    fer_op_tally(op, s);
}

/* The batch's mean or variance is what a momentum of 0 makes of the moving one. */
static void judge_statistic(struct fer_op *op, const struct normalization *b, const struct fer_tensor *t, int is_mean,
                            double momentum, int unbiased, const real *before)
{
    struct fer_channel *channel;
    if (!b->training) {
        fer_op_judge_copies(op, t);
        return;
    }
    channel = channels_of(op, b, t);
    if (channel && is_mean)
        fer_tally_moving_mean(&op->judge->tally, &op->judge->arithmetic, channel, b->channels, momentum, before,
                              op->judge->claimed);
    else if (channel)
        fer_tally_moving_variance(&op->judge->tally, &op->judge->arithmetic, channel, b->rows, b->channels, momentum,
                                  unbiased, before, op->judge->claimed);
}

static void judge_gradient(struct fer_op *op, const struct normalization *b, const struct fer_tensor *t, int of_gamma)
{
    struct fer_channel *channel = channels_of(op, b, t);
    if (channel && (of_gamma ? fer_tally_gamma : fer_tally_normalization_input)(
                       &op->judge->tally, &op->judge->arithmetic, channel, b->rows, b->channels, b->x.values,
                       b->dy.values, op->judge->claimed, op->e))
        op->judge->failed = 1;
}

static int write_statistics(struct fer_op *op, const struct normalization *b, const real *mean, const real *variance)
{
    judge_statistic(op, b, &b->mean, 1, 0, 0, mean);
    if (fer_op_write(op, &b->mean)) return -1;
    judge_statistic(op, b, &b->variance, 0, 0, 0, variance);
    if (fer_op_write(op, &b->variance)) return -1;
    judge_statistic(op, b, &b->moving_mean, 1, b->momentum, 0, mean);
    if (fer_op_write(op, &b->moving_mean)) return -1;
    judge_statistic(op, b, &b->moving_variance, 0, b->momentum, !b->biased, variance);
    return fer_op_write(op, &b->moving_variance);
}

/* mean and variance are those that x was normalised with. */
static int normalize(struct fer_op *op, struct normalization *b)
{
    const size_t channels = b->channels;
    real *moving_mean = fer_op_allocate(op, channels, sizeof(real)); /* before */
    real *moving_variance = fer_op_allocate(op, channels, sizeof(real));
    if (!moving_mean || !moving_variance || fer_op_result_like(op, "y", &b->x, &b->y) ||
        fer_op_result(op, "mean", 1, &b->channels, &b->mean) ||
        fer_op_result(op, "variance", 1, &b->channels, &b->variance))
        return -1;
    memcpy(moving_mean, b->moving_mean.values, channels * sizeof(real));
    memcpy(moving_variance, b->moving_variance.values, channels * sizeof(real));
    if (b->training) {
        fer_batch_moments(b->rows, channels, b->x.values, b->mean.values, b->variance.values);
        fer_moving_statistics(b->rows, channels, b->mean.values, b->variance.values, b->momentum, !b->biased,
                              b->moving_mean.values, b->moving_variance.values);
    } else {
        memcpy(b->mean.values, b->moving_mean.values, b->channels * sizeof(real));
        memcpy(b->variance.values, b->moving_variance.values, b->channels * sizeof(real));
    }
    fer_batch_normalization_forward(b->rows, channels, b->x.values, b->mean.values, b->variance.values, b->gamma.values,
                                    b->beta.values, b->epsilon, b->y.values);
    judge_normalized(op, b);
    return fer_op_write(op, &b->y) || write_statistics(op, b, moving_mean, moving_variance);
}

static int batch_normalization(struct fer_op *op)
{
    struct normalization b;
    struct fer_tensor dx, dgamma, dbeta;
    if (read_normalization(op, &b) || normalize(op, &b)) return -1;
    if (!b.dy.values) return 0;
    if (fer_op_result_like(op, "dx", &b.x, &dx) || fer_op_result(op, "dgamma", 1, &b.channels, &dgamma) ||
        fer_op_result(op, "dbeta", 1, &b.channels, &dbeta))
        return -1;
    fer_batch_normalization_backward(b.rows, b.channels, b.x.values, b.mean.values, b.variance.values,
                                     b.gamma.values, b.epsilon, b.training, b.dy.values, dx.values, dgamma.values,
                                     dbeta.values);
    judge_gradient(op, &b, &dx, 0);
    if (fer_op_write(op, &dx)) return -1;
    if (b.gamma.values) judge_gradient(op, &b, &dgamma, 1);
    if (b.gamma.values && fer_op_write(op, &dgamma)) return -1;
    if (b.beta.values) fer_op_judge_columns(op, &dbeta, &b.dy);
    return b.beta.values ? fer_op_write(op, &dbeta) : 0;
}

/* ---- ReLU ---- */

static int relu(struct fer_op *op)
{
    struct fer_tensor x, dy, y, dx;
    double most = INFINITY, slope;
    int one_at_zero;
    size_t i;
    if (fer_op_need(op, "x", NULL, &x) || fer_op_maybe(op, "dy", NULL, &dy) || fer_op_same_shape(op, &dy, &x) ||
        fer_op_number(op, "negative-slope", 0, 1e6, &slope) || fer_op_choice(op, "at-zero", "0|1", &one_at_zero) ||
        (fer_op_is_given(op, "max-value") && fer_op_number(op, "max-value", 0, 1e300, &most)))
        return -1;
    if (fer_op_result_like(op, "y", &x, &y)) return -1;
    if (slope == 0 && most == INFINITY)
        fer_relu_forward(x.about.count, x.values, y.values);
    else
        fer_leaky_relu_forward(x.about.count, (real)slope, (real)most, x.values, y.values);
    fer_op_judge_roundings(op, &y, slope > 0 || most < INFINITY ? 3 : 0); /* theirs are rounded too */
    if (fer_op_write(op, &y)) return -1;
    if (!dy.values) return 0;
    if (fer_op_result_like(op, "dx", &x, &dx)) return -1;
    if (op->twist == FER_NO_MASK)
        memcpy(dx.values, dy.values, x.about.count * sizeof(real));
    else if (slope == 0 && most == INFINITY)
        fer_relu_backward(x.about.count, x.values, dy.values, dx.values);
    else
        fer_leaky_relu_backward(x.about.count, (real)slope, (real)most, y.values, dy.values, dx.values);
    for (i = 0; i < x.about.count; i++) /* the slope of the right side */
        if (one_at_zero && x.values[i] == 0 && most > 0) dx.values[i] = dy.values[i];
    for (i = 0; i < x.about.count; i++) {
        if (op->twist == FER_SLOPE_INSIDE && (double)x.values[i] == most) dx.values[i] = dy.values[i];
        if (op->twist == FER_SLOPE_HALF && (x.values[i] == 0 || (double)x.values[i] == most))
            dx.values[i] = (real)((x.values[i] == 0 ? 1 + slope : 1) / 2 * (double)dy.values[i]);
    }
    fer_op_judge_roundings(op, &dx, slope > 0 ? 3 : 0);
    return fer_op_write(op, &dx);
}

/* ---- Concatenate ---- */

enum { NAME_SIZE = 16 };

/* What is concatenated: `count` of each. */
struct parts {
    int count;
    struct fer_tensor *x, *dx;
    size_t *channels;
    const real **x_values;
    real **dx_values;
    char (*dx_name)[NAME_SIZE];
};

/* The number in "x12"; -1 for another name. */
static int index_of(const char *name)
{
    const size_t digits = strspn(name + (*name == 'x'), "0123456789");
    if (*name != 'x' || digits < 1 || digits > 8 || name[1 + digits] || (digits > 1 && name[1] == '0')) return -1;
    return (int)strtol(name + 1, NULL, 10);
}

/* One more than the highest number; none below it may be missing. */
static int count_inputs(struct fer_op *op, int *count)
{
    char name[NAME_SIZE];
    size_t k;
    int i;
    *count = 1;
    for (k = 0; k < fer_npz_count(op->in); k++) {
        const int number = index_of(fer_npz_at(op->in, k)->name);
        if (number >= *count) *count = number + 1;
    }
    for (i = 0; i < *count; i++) {
        snprintf(name, sizeof name, "x%d", i);
        if (!fer_op_find(op, name)) return fer_op_missing(op, name);
    }
    return 0;
}

/* Their shapes may differ in the last dimension alone, the channels. *channels: all of theirs. */
static int read_parts(struct fer_op *op, struct parts *p, size_t *channels)
{
    int i, k, dims;
    *channels = 0;
    for (i = 0; i < p->count; i++) {
        struct fer_tensor *x = &p->x[i];
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "x%d", i);
        if (fer_op_need(op, name, "[N,...,C]", x)) return -1;
        dims = x->about.dims;
        if (dims < 1) return fer_op_blame(op, x, "expected one or more dimensions");
        if (dims != p->x[0].about.dims)
            return fer_op_blame(op, x, "expected %d dimensions, as x0 has", p->x[0].about.dims);
        for (k = 0; k < dims - 1; k++)
            if (x->about.shape[k] != p->x[0].about.shape[k])
                return fer_op_blame(op, x, "expected the shape of x0, but for the channels");
        *channels += x->about.shape[dims - 1];
        if (*channels > INT_MAX) return fer_op_blame(op, x, "expected less than 2^31 channels in all");
        p->channels[i] = x->about.shape[dims - 1];
        p->x_values[i] = x->values;
    }
    return 0;
}

static int allocate_parts(struct fer_op *op, struct parts *p)
{
    const size_t count = (size_t)p->count;
    p->x = fer_op_allocate(op, count, sizeof *p->x);
    p->dx = fer_op_allocate(op, count, sizeof *p->dx);
    p->channels = fer_op_allocate(op, count, sizeof *p->channels);
    p->x_values = fer_op_allocate(op, count, sizeof *p->x_values);
    p->dx_values = fer_op_allocate(op, count, sizeof *p->dx_values);
    p->dx_name = fer_op_allocate(op, count, sizeof *p->dx_name);
    return p->x && p->dx && p->channels && p->x_values && p->dx_values && p->dx_name ? 0 : -1;
}

static int concatenate(struct fer_op *op)
{
    struct parts p;
    struct fer_tensor y, dy;
    size_t shape[FER_MAX_DIMS], channels, rows;
    int i;
    if (count_inputs(op, &p.count) || allocate_parts(op, &p) || read_parts(op, &p, &channels)) return -1;
    rows = p.x[0].about.count / p.channels[0];
    memcpy(shape, p.x[0].about.shape, sizeof shape);
    shape[p.x[0].about.dims - 1] = channels;
    if (fer_op_result(op, "y", p.x[0].about.dims, shape, &y) ||
        fer_op_maybe(op, "dy", "[N,...,C]", &dy) ||
        fer_op_same_shape(op, &dy, &y))
        return -1;
    fer_concatenate_forward(rows, p.count, p.channels, p.x_values, y.values);
    fer_op_judge_copies(op, &y);
    if (fer_op_write(op, &y)) return -1;
    if (!dy.values) return 0;
    for (i = 0; i < p.count; i++) {
        snprintf(p.dx_name[i], NAME_SIZE, "dx%d", i);
        if (fer_op_result_like(op, p.dx_name[i], &p.x[i], &p.dx[i])) return -1;
        p.dx_values[i] = p.dx[i].values;
    }
    fer_concatenate_backward(rows, p.count, p.channels, dy.values, p.dx_values);
    for (i = 0; i < p.count; i++) {
        fer_op_judge_copies(op, &p.dx[i]);
        if (fer_op_write(op, &p.dx[i])) return -1;
    }
    return 0;
}

/* ---- Softmax with cross-entropy ---- */

/* Rows of probabilities; one-hot rows are. */
static int check_probabilities(struct fer_op *op, const struct fer_tensor *t)
{
    const size_t classes = size_at(t, 1);
    size_t n, k;
    for (n = 0; n < size_at(t, 0); n++) {
        double sum = 0;
        for (k = 0; k < classes; k++) {
            const double p = (double)t->values[n * classes + k];
            if (!(p >= 0 && p <= 1))
                return fer_npz_fail(op->in, &t->about, op->e, "[%zu,%zu]: %g: expected a probability, 0 ... 1", n, k,
                                    p);
            sum += p;
        }
        if (!(sum > 0.999 && sum < 1.001))
            return fer_npz_fail(op->in, &t->about, op->e, "[%zu]: the sum is %g: expected probabilities, whose sum is "
                                "1", n, sum);
    }
    return 0;
}

/* The labels of all forms as probabilities like the logits. */
static int read_targets(struct fer_op *op, const struct fer_tensor *logits, struct fer_tensor *targets)
{
    const size_t n = size_at(logits, 0), classes = size_at(logits, 1);
    const struct fer_array *labels = fer_op_find(op, "labels");
    double smoothing;
    size_t i;
    int *label;
    if (!labels) return fer_op_missing(op, "labels");
    if (fer_op_number(op, "label-smoothing", 0, 1, &smoothing)) return -1;
    if (labels->dims == 2 && labels->shape[0] == n && labels->shape[1] == classes && classes > 1) {
        if (fer_op_need(op, "labels", "[N,C]", targets) || check_probabilities(op, targets)) return -1;
    } else {
        label = fer_op_allocate(op, n, sizeof *label);
        if (!label || fer_labels_read(op->in, labels, n, classes, label, op->e) ||
            fer_op_result_like(op, "labels", logits, targets))
            return -1;
        for (i = 0; i < n; i++) targets->values[i * classes + (size_t)label[i]] = 1;
    }
    for (i = 0; i < targets->about.count && smoothing > 0; i++)
        targets->values[i] = (real)((double)targets->values[i] * (1 - smoothing) + smoothing / (double)classes);
    return 0;
}

static int write_softmax(struct fer_op *op, const struct fer_tensor *t, enum fer_softmax_result result,
                         const struct fer_tensor *logits, const struct fer_tensor *targets)
{
    const int claimed = fer_op_claim(op, t);
    if (claimed && op->twist && result == (op->twist == FER_NO_LABEL ? FER_LOGITS_GRADIENT : FER_PROBABILITIES))
        fer_tally_softmax_mistaken(&op->judge->tally, &op->judge->arithmetic, op->twist, (int)size_at(logits, 0),
                                   (int)size_at(logits, 1), logits->values, op->judge->claimed);
    else if (claimed)
        fer_tally_soft_labels(&op->judge->tally, &op->judge->arithmetic, result, (int)size_at(logits, 0),
                              (int)size_at(logits, 1), logits->values, targets->values, op->judge->claimed);
    return fer_op_write(op, t);
}

static int softmax_cross_entropy(struct fer_op *op)
{
    struct fer_tensor logits, targets, probabilities, loss, dlogits;
    size_t n, classes;
    double sum;
    if (fer_op_need(op, "logits", "[N,C]", &logits) || read_targets(op, &logits, &targets) ||
        fer_op_result_like(op, "probabilities", &logits, &probabilities) || fer_op_result(op, "loss", 0, NULL, &loss) ||
        fer_op_result_like(op, "dlogits", &logits, &dlogits))
        return -1;
    n = size_at(&logits, 0), classes = size_at(&logits, 1);
    fer_softmax(n, classes, logits.values, probabilities.values);
    sum = fer_soft_cross_entropy(n, classes, logits.values, targets.values, NULL, dlogits.values);
    *loss.values = (real)(sum / (double)n);
    return write_softmax(op, &probabilities, FER_PROBABILITIES, &logits, &targets) ||
           write_softmax(op, &loss, FER_LOSS, &logits, &targets) ||
           write_softmax(op, &dlogits, FER_LOGITS_GRADIENT, &logits, &targets);
}

/* ---- Adam ---- */

/* An argument like the parameter; zeros when it is missing. */
static int read_moment(struct fer_op *op, const char *name, const struct fer_tensor *parameter, struct fer_tensor *t)
{
    if (fer_op_maybe(op, name, NULL, t) || fer_op_same_shape(op, t, parameter)) return -1;
    return t->values ? 0 : fer_op_result_like(op, name, parameter, t);
}

/* What bounds_loss.c has for the step of all updates, from any moments. */
static int write_adam(struct fer_op *op, const struct fer_tensor *t, enum fer_adam_result result,
                      const struct fer_adam_update *update)
{
    if (fer_op_claim(op, t))
        fer_tally_adam_update(&op->judge->tally, &op->judge->arithmetic, result, update, op->judge->claimed);
    return fer_op_write(op, t);
}

static int adam(struct fer_op *op)
{
    const double below_one = 1 - DBL_EPSILON;
    struct fer_adam_update update = {0};
    struct fer_tensor parameter, gradient, m, v;
    struct fer_adam a;
    double step, decay;
    int form;
    if (fer_op_need(op, "parameter", NULL, &parameter) || fer_op_need(op, "gradient", NULL, &gradient) ||
        fer_op_same_shape(op, &gradient, &parameter) || read_moment(op, "m", &parameter, &m) ||
        read_moment(op, "v", &parameter, &v))
        return -1;
    if (fer_op_number(op, "step", 1, 1e9, &step) || fer_op_number(op, "learning-rate", 0, 1e6, &a.learning_rate) ||
        fer_op_number(op, "beta1", 0, below_one, &a.beta1) || fer_op_number(op, "beta2", 0, below_one, &a.beta2) ||
        fer_op_number(op, "epsilon", 0, 1e6, &a.epsilon) || fer_op_number(op, "weight-decay", 0, 1e6, &decay) ||
        fer_op_choice(op, "form", "keras|pytorch|uncorrected", &form))
        return -1;
    if (step != (double)(long)step) return fer_fail(op->e, "--step %.10g: expected a whole number", step);
    if (op->judge) {
        const struct fer_adam_update u = {&a, (enum fer_adam_form)form, decay, (long)step, parameter.about.count,
                                          fer_op_copy(op, &parameter), gradient.values, fer_op_copy(op, &m),
                                          fer_op_copy(op, &v)};
        update = u;
        if (op->judge->failed) return -1;
    }
    fer_adam_step_of(&a, (enum fer_adam_form)form, decay, (long)step, parameter.about.count, parameter.values,
                     gradient.values, m.values, v.values);
    return write_adam(op, &parameter, FER_ADAM_PARAMETER, &update) || write_adam(op, &m, FER_ADAM_M, &update) ||
           write_adam(op, &v, FER_ADAM_V, &update);
}

/* ---- The list ---- */

const struct fer_operation fer_operations[] = {
    {"conv2d",
     fer_op_conv2d,
     {{"strides", "1,1"}, {"padding", "valid"}, {"dilation", "1,1"}, {"groups", "1"}}},
    {"depthwise_conv2d",
     fer_op_depthwise_conv2d,
     {{"strides", "1,1"}, {"padding", "valid"}, {"dilation", "1,1"}}},
    {"batch_normalization",
     batch_normalization,
     {{"training", "1"}, {"momentum", "0.99"}, {"epsilon", "0.001"}, {"moving-variance", "unbiased"}}},
    {"relu", relu, {{"max-value", "none"}, {"negative-slope", "0"}, {"at-zero", "0"}}},
    {"sigmoid", fer_op_sigmoid, {{NULL, NULL}}},
    {"tanh", fer_op_tanh, {{NULL, NULL}}},
    {"silu", fer_op_silu, {{NULL, NULL}}},
    {"elu", fer_op_elu, {{NULL, NULL}}},
    {"hard_sigmoid", fer_op_hard_sigmoid, {{"slope", "1/6"}}},
    {"softmax", fer_op_softmax, {{NULL, NULL}}},
    {"max_pooling2d",
     fer_op_max_pooling2d,
     {{"pool", "2,2"}, {"strides", "as pool"}, {"padding", "valid"}, {"ceil", "0"}, {"ties", "first"}}},
    {"average_pooling2d",
     fer_op_average_pooling2d,
     {{"pool", "2,2"}, {"strides", "as pool"}, {"padding", "valid"}, {"ceil", "0"}, {"count-include-pad", "0"}}},
    {"global_average_pooling2d", fer_op_global_average_pooling2d, {{NULL, NULL}}},
    {"global_max_pooling2d", fer_op_global_max_pooling2d, {{"ties", "first"}}},
    {"concatenate", concatenate, {{NULL, NULL}}},
    {"add", fer_op_add, {{NULL, NULL}}},
    {"multiply", fer_op_multiply, {{NULL, NULL}}},
    {"zero_padding2d", fer_op_zero_padding2d, {{"padding", "1,1,1,1"}}},
    {"cropping2d", fer_op_cropping2d, {{"cropping", "1,1,1,1"}}},
    {"dropout", fer_op_dropout, {{"rate", "0.5"}, {"seed", "0"}, {"training", "1"}}},
    {"spatial_dropout2d", fer_op_spatial_dropout2d, {{"rate", "0.5"}, {"seed", "0"}, {"training", "1"}}},
    {"rescaling", fer_op_rescaling, {{NULL, NULL}}},
    {"normalization", fer_op_normalization, {{NULL, NULL}}},
    {"dense", fer_op_dense, {{NULL, NULL}}},
    {"softmax_cross_entropy", softmax_cross_entropy, {{"label-smoothing", "0"}}},
    {"adam",
     adam,
     {{"step", "1"}, {"learning-rate", "0.001"}, {"beta1", "0.9"}, {"beta2", "0.999"}, {"epsilon", "1e-7"},
      {"form", "keras"}, {"weight-decay", "0"}}},
    {NULL, NULL, {{NULL, NULL}}},
};
