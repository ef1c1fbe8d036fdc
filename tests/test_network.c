/* test_network.c - networks built layer by layer: their names, limits, passes, plans and records. */
#include "greatest.h"

#include "../model/kinds.h"
#include "../model/text.h"

#include <math.h>
#include <string.h>

#define FILE_NAME "network.npz"

static struct fer_error error;

/* ---- The table ---- */

TEST every_kind_has_its_functions_and_names(void)
{
    int i, k;
    for (i = 0; i < FER_LAYER_TYPES; i++) {
        const struct fer_kind *kind = &fer_kinds[i];
        ASSERT(kind->class_name && *kind->class_name && kind->stem && *kind->stem);
        ASSERT_STR_EQ(kind->class_name, fer_layer_class((enum fer_layer_type)i));
        ASSERT_EQ(i != FER_INPUT, kind->forward != NULL);
        ASSERT_EQ(i != FER_INPUT, kind->backward != NULL);
        for (k = 0; k < i; k++) /* Keras has all activations in one class */
            ASSERT_EQ(strcmp(kind->class_name, "Activation") && strcmp(kind->class_name, fer_kinds[k].class_name),
                      strcmp(kind->stem, "activation") && strcmp(kind->stem, fer_kinds[k].stem));
    }
    PASS();
}

/* ---- The builder ---- */

TEST names_are_numbered_as_keras_does(void)
{
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, 4, 4, 1);
    x = fer_add_conv2d(&b, x, NULL, 2, 1, 1, 1, 1, FER_SAME);
    x = fer_add_conv2d(&b, x, "block/conv", 2, 1, 1, 1, 1, FER_SAME); /* a given name takes no number */
    x = fer_add_conv2d(&b, x, NULL, 2, 1, 1, 1, 1, FER_SAME);
    x = fer_add_relu(&b, x, NULL);
    x = fer_add_global_average_pooling2d(&b, x, NULL);
    x = fer_add_dense(&b, x, NULL, 3);
    ASSERT_EQ(6, x);
    ASSERT_EQ(0, fer_network_end(&b, &net, &error));
    ASSERT_STR_EQ("input_1", net->layer[0].name);
    ASSERT_STR_EQ("conv2d", net->layer[1].name);
    ASSERT_STR_EQ("block/conv", net->layer[2].name);
    ASSERT_STR_EQ("conv2d_1", net->layer[3].name);
    ASSERT_STR_EQ("activation", net->layer[4].name);
    ASSERT_STR_EQ("global_average_pooling2d", net->layer[5].name);
    ASSERT_STR_EQ("dense", net->layer[6].name);
    ASSERT_EQ(&net->parameter[1], fer_network_parameter(net, "block/conv/kernel"));
    ASSERT_EQ(&net->parameter[1], fer_layer_parameter(net, &net->layer[2], "kernel"));
    ASSERT_EQ(NULL, fer_layer_parameter(net, &net->layer[2], "conv/kernel"));
    ASSERT_EQ(NULL, fer_layer_parameter(net, &net->layer[4], "kernel"));
    fer_network_initialise(net, 1); /* a kernel by its name behind the last slash */
    ASSERT(net->parameter[1].value[0] != 0);
    fer_network_free(net);
    PASS();
}

/* Each adds one thing that must be refused to a network of 6x6x2 images. */
static void too_many_layers(struct fer_builder *b)
{
    int x = 0, i;
    for (i = 0; i < FER_MAX_LAYERS; i++) x = fer_add_relu(b, x, NULL);
}

static void too_many_parameters(struct fer_builder *b)
{
    int x = 0, i;
    for (i = 0; i <= FER_MAX_PARAMETERS / 3; i++) x = fer_add_batch_normalization(b, x, NULL, 0.9, 0.1);
}

static void no_input(struct fer_builder *b)
{
    fer_add_concatenate(b, NULL, 0, NULL);
}

static void too_many_inputs(struct fer_builder *b)
{
    const int x[FER_MAX_INPUTS + 1] = {0};
    fer_add_concatenate(b, x, FER_MAX_INPUTS + 1, "all");
}

static void an_input_that_is_none(struct fer_builder *b)
{
    fer_add_relu(b, 1, "itself");
}

static void a_negative_input(struct fer_builder *b)
{
    fer_add_relu(b, -1, NULL);
}

static void a_long_name(struct fer_builder *b)
{
    fer_add_relu(b, 0, "1234567890123456789012345678901234567890123456789012345678901234");
}

static void no_name(struct fer_builder *b)
{
    fer_add_relu(b, 0, "");
}

static void the_same_name(struct fer_builder *b)
{
    fer_add_relu(b, fer_add_conv2d(b, 0, "a", 1, 1, 1, 1, 1, FER_SAME), "a");
}

static void a_name_that_a_number_gave(struct fer_builder *b)
{
    fer_add_relu(b, fer_add_relu(b, 0, "activation"), NULL);
}

static void too_large_a_window(struct fer_builder *b)
{
    fer_add_max_pooling2d(b, 0, NULL, 2, 7, 1, 1, FER_VALID);
}

static void no_stride(struct fer_builder *b)
{
    fer_add_average_pooling2d(b, 0, NULL, 2, 2, 1, 0, FER_VALID);
}

static void no_filters(struct fer_builder *b)
{
    fer_add_conv2d(b, 0, NULL, 0, 2, 2, 1, 1, FER_VALID);
}

static void no_units(struct fer_builder *b)
{
    fer_add_dense(b, fer_add_global_average_pooling2d(b, 0, NULL), NULL, 0);
}

static void a_wild_momentum(struct fer_builder *b)
{
    fer_add_batch_normalization(b, 0, NULL, 1.5, 0.001);
}

static void an_epsilon_that_is_no_number(struct fer_builder *b)
{
    fer_add_batch_normalization(b, 0, NULL, 0.9, NAN);
}

static void a_window_over_a_flat_input(struct fer_builder *b)
{
    fer_add_conv2d(b, fer_add_global_average_pooling2d(b, 0, "g"), NULL, 1, 1, 1, 1, 1, FER_SAME);
}

static void a_flat_input_pooled_again(struct fer_builder *b)
{
    fer_add_global_average_pooling2d(b, fer_add_global_average_pooling2d(b, 0, "g"), NULL);
}

static void a_last_layer_that_is_a_map(struct fer_builder *b)
{
    fer_add_dense(b, 0, NULL, 3);
}

static void groups_that_do_not_divide(struct fer_builder *b)
{
    const struct fer_convolution c = {.filters = 6, .kernel_h = 1, .kernel_w = 1, .groups = 3};
    fer_add_convolution(b, 0, "three", &c);
}

static void too_large_a_multiplier(struct fer_builder *b)
{
    const struct fer_convolution c = {.kernel_h = 1, .kernel_w = 1, .depth_multiplier = (size_t)-1};
    fer_add_depthwise_convolution(b, 0, NULL, &c);
}

static void unequal_sizes(struct fer_builder *b)
{
    int x[2] = {0, 0};
    x[1] = fer_add_max_pooling2d(b, 0, NULL, 2, 1, 2, 1, FER_VALID);
    fer_add_concatenate(b, x, 2, NULL);
}

static void flat_and_not(struct fer_builder *b)
{
    int x[2];
    x[0] = fer_add_max_pooling2d(b, 0, "one", 6, 6, 1, 1, FER_VALID);
    x[1] = fer_add_global_average_pooling2d(b, 0, "g");
    fer_add_concatenate(b, x, 2, NULL);
}

static void too_large_a_kernel(struct fer_builder *b)
{
    fer_add_conv2d(b, 0, NULL, (size_t)-1 / 64, 3, 3, 3, 3, FER_SAME);
}

static void too_many_units(struct fer_builder *b)
{
    fer_add_dense(b, fer_add_global_average_pooling2d(b, 0, NULL), NULL, (size_t)-1 / 16);
}

static void another_last_layer(struct fer_builder *b)
{
    fer_add_relu(b, fer_add_dense(b, fer_add_global_average_pooling2d(b, 0, NULL), NULL, 3), NULL);
}

static void a_layer_that_leads_nowhere(struct fer_builder *b)
{
    const int x = fer_add_global_average_pooling2d(b, 0, NULL);
    fer_add_relu(b, x, "nowhere");
    fer_add_dense(b, x, NULL, 3);
}

TEST each_limit_is_refused_in_one_line(void)
{
    static const struct {
        void (*add)(struct fer_builder *b);
        const char *message;
    } cases[] = {
        {too_many_layers, "a network has at most 1024 layers: expected fewer, or a larger FER_MAX_LAYERS in fer.h"},
        {too_many_parameters, "batch_normalization_682: a network has at most 2048 parameter arrays: expected fewer layers, or a "
                              "larger FER_MAX_PARAMETERS in fer.h"},
        {no_input, "concatenate: 0 inputs: expected 1 to 64"},
        {too_many_inputs, "all: 65 inputs: expected 1 to 64"},
        {an_input_that_is_none, "itself: input 1: expected the index of an earlier layer, 0 to 0"},
        {a_negative_input, "activation: input -1: expected the index of an earlier layer, 0 to 0"},
        {a_long_name, "a layer's name is `1234567890123456789012345678901234567890123456789012345678901234`: expected 1 to 63 "
                      "characters"},
        {no_name, "a layer's name is ``: expected 1 to 63 characters"},
        {the_same_name, "two layers are named a: expected names that differ"},
        {a_name_that_a_number_gave, "two layers are named activation: expected names that differ"},
        {too_large_a_window, "an image of 6x6 is too small for this network: max_pooling2d: an input 6 wide does not hold a "
                             "window of 7 without padding"},
        {no_stride, "average_pooling2d: sizes and strides must be positive: input 1x6x6x2, window 2x2, strides 1,0, 2 channels "
                    "out"},
        {no_filters, "conv2d: sizes and strides must be positive: input 1x6x6x2, window 2x2, strides 1,1, 0 channels out"},
        {no_units, "dense: 0 units: expected at least 1"},
        {a_wild_momentum, "batch_normalization: momentum 1.5, epsilon 0.001: expected 0 <= momentum <= 1, 0 <= epsilon"},
        {an_epsilon_that_is_no_number, "batch_normalization: momentum 0.9, epsilon nan: expected 0 <= momentum <= 1, 0 <= epsilon"},
        {a_window_over_a_flat_input, "conv2d: g is flat: expected an input with height and width"},
        {a_flat_input_pooled_again, "global_average_pooling2d: g is flat: expected an input with height and width"},
        {a_last_layer_that_is_a_map, "the last layer, dense, has height and width: expected one number a class, as Dense gives"},
        {groups_that_do_not_divide, "three: 2 channels in and 6 out do not fall into 3 groups: expected multiples of it"},
        {too_large_a_multiplier, NULL},
        {unequal_sizes, "concatenate: input_1 is 6x6, max_pooling2d 3x6: expected inputs of equal height and width"},
        {flat_and_not, "concatenate: one is 1x1, g 1x1 (flat): expected inputs of equal height and width"},
        {too_large_a_kernel, NULL},
        {too_many_units, NULL},
        {another_last_layer, "the last layer, activation, is of class Activation: expected one that gives the logits, as Dense does"},
        {a_layer_that_leads_nowhere, "no layer takes from nowhere: expected every layer but the last to be an input"},
    };
    struct fer_builder b;
    struct fer_network *net;
    size_t i;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        ASSERT_EQ(0, fer_network_begin(&b, 6, 6, 2));
        cases[i].add(&b);
        ASSERT_EQ(-1, fer_network_end(&b, &net, &error));
        ASSERT_EQ(NULL, net);
        if (cases[i].message)
            ASSERT_STR_EQ(cases[i].message, error.text);
        else
            ASSERT(strstr(error.text, "does not fit into memory"));
    }
    ASSERT_EQ(-1, fer_network_begin(&b, 6, 0, 2));
    ASSERT_EQ(-1, fer_network_end(&b, &net, &error));
    ASSERT_STR_EQ("an input of 6x0x2: expected positive sizes", error.text);
    ASSERT_EQ(-1, fer_incv3v1(&net, 5000, &error));
    ASSERT_STR_EQ("image size 5000: expected 48 ... 4096", error.text);
    PASS();
}

TEST after_a_failure_layers_are_passed_over(void)
{
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, 6, 6, 2), both[2];
    x = fer_add_dense(&b, x, "first fault", 0);
    ASSERT_EQ(-1, x);
    ASSERT_EQ(-1, fer_add_conv2d(&b, x, NULL, 0, 0, 0, 0, 0, FER_SAME));
    ASSERT_EQ(-1, fer_add_batch_normalization(&b, x, NULL, 7, 7));
    ASSERT_EQ(-1, fer_add_relu(&b, 0, NULL));
    ASSERT_EQ(-1, fer_add_max_pooling2d(&b, x, NULL, 0, 0, 0, 0, FER_SAME));
    ASSERT_EQ(-1, fer_add_average_pooling2d(&b, 0, NULL, 1, 1, 1, 1, FER_SAME));
    ASSERT_EQ(-1, fer_add_global_average_pooling2d(&b, 0, NULL));
    both[0] = both[1] = x;
    ASSERT_EQ(-1, fer_add_concatenate(&b, both, 2, NULL));
    ASSERT_EQ(-1, fer_add_dense(&b, x, NULL, 0));
    ASSERT_EQ(-1, fer_network_end(&b, &net, &error));
    ASSERT_STR_EQ("first fault: 0 units: expected at least 1", error.text);
    PASS();
}

/* ---- A network of every kind: images that are neither square nor grey, outputs that are taken several times ---- */

enum { H = 9, W = 7, C = 3, CLASSES = 5, N = 3 };

static struct fer_network *every_kind(void)
{
    static const struct fer_convolution
        groups = {.filters = 6, .kernel_h = 2, .kernel_w = 3, .dilation_h = 2, .groups = 2, .padding = FER_SAME, .bias = 1},
        depthwise = {.kernel_h = 3, .kernel_w = 2, .stride_w = 2, .depth_multiplier = 2, .padding = FER_SAME, .bias = 1},
        small = {.filters = 3, .kernel_h = 1, .kernel_w = 1, .bias = 1};
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, H, W, C), branch[4], image[2];
    image[0] = x;
    image[1] = fer_add_batch_normalization(&b, x, NULL, 0.9, 0.01);
    x = fer_add_concatenate(&b, image, 2, NULL);
    x = fer_add_conv2d(&b, x, NULL, 4, 3, 2, 2, 1, FER_SAME);
    x = fer_add_relu(&b, x, NULL);
    x = fer_add_max_pooling2d(&b, x, NULL, 2, 3, 2, 1, FER_VALID);
    branch[0] = branch[2] = branch[3] = x; /* three times in the concatenation, and in a layer before it */
    branch[1] = fer_add_batch_normalization(&b, x, NULL, 0.8, 0.001);
    branch[1] = fer_add_average_pooling2d(&b, branch[1], NULL, 3, 3, 1, 1, FER_SAME);
    x = fer_add_concatenate(&b, branch, 4, NULL);
    x = fer_add_conv2d(&b, x, NULL, 6, 1, 1, 1, 1, FER_VALID);
    x = fer_add_dense_with(&b, x, "at each cell", 4, 0);
    x = fer_add_convolution(&b, x, NULL, &groups);
    x = fer_add_batch_normalization_with(&b, x, NULL, 0.7, 0.01, 1, 1);
    x = fer_add_depthwise_convolution(&b, x, NULL, &depthwise);
    b.inference = 1;
    x = fer_add_batch_normalization_with(&b, x, "moving", 0.7, 0.01, 1, 0);
    b.inference = 0, b.frozen = 1;
    x = fer_add_batch_normalization_with(&b, x, "frozen", 0.7, 0.01, 1, 1);
    x = fer_add_convolution(&b, x, "frozen conv", &small);
    b.frozen = 0;
    x = fer_add_convolution(&b, x, NULL, &small);
    image[0] = fer_add_global_average_pooling2d(&b, x, NULL);
    image[1] = fer_add_global_max_pooling2d(&b, x, NULL, 0);
    x = fer_add_concatenate(&b, image, 2, NULL);
    branch[0] = branch[2] = x; /* flat ones */
    branch[1] = fer_add_relu(&b, fer_add_dense(&b, x, NULL, 4), NULL);
    x = fer_add_concatenate(&b, branch, 3, NULL);
    fer_add_dense(&b, x, "last", CLASSES);
    return fer_network_end(&b, &net, &error) ? NULL : net;
}

static const int labels[N] = {4, 0, 2};

/* Images and parameters by random numbers, planned, and one pass each way. Returns the sum of the losses. */
static double step(struct fer_network *net, size_t batch, enum fer_plan plan)
{
    real *x;
    size_t k;
    int i;
    if (fer_network_plan(net, batch, plan, &error)) return NAN;
    fer_network_initialise(net, 3);
    for (i = 0; i < net->parameters; i++)
        for (k = 0; k < net->parameter[i].count && net->parameter[i].dims == 1; k++)
            net->parameter[i].value[k] += (real)(fer_uniform(5, FER_FOR_CHECKS, (uint32_t)i, k) / 2);
    x = fer_network_input(net);
    for (k = 0; k < (size_t)(N * H * W * C); k++) x[k] = (real)(fer_uniform(6, FER_FOR_CHECKS, 0, k) - 0.3);
    fer_network_forward(net, N, plan != FER_PLAN_INFERENCE);
    return plan == FER_PLAN_INFERENCE ? 0 : fer_network_backward(net, N, labels);
}

static double mean_loss(void *context)
{
    struct fer_network *net = context;
    fer_network_forward(net, N, 1);
    return fer_cross_entropy(N, CLASSES, net->logits, labels, NULL, NULL) / N;
}

/* Every element of every parameter, through every path to the loss. */
TEST gradients_agree_with_finite_differences(void)
{
    struct fer_network *net;
    struct fer_gradcheck result;
    int i;
    if (sizeof(real) == sizeof(float)) SKIPm("float32 is too coarse for finite differences of a network");
    net = every_kind();
    ASSERTm(error.text, net != NULL);
    ASSERT_EQ(CLASSES, net->classes);
    ASSERT(step(net, N, FER_PLAN_KEEP) > 0);
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        if (!p->trainable) continue;
        ASSERT_EQ(0, fer_gradcheck_function(mean_loss, net, p->value, p->gradient, p->count, 0, 1e-4, 1, &result, &error));
        ASSERTm(p->name, fer_gradcheck_passed(&result));
    }
    fer_network_free(net);
    PASS();
}

/* A convolution whose output is taken twice by one concatenation, or once with a dense kernel twice as large: the same
 * logits, and so the same gradient of the convolution, to the bit. */
static real gradient_of_first_kernel(int twice)
{
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, 2, 1, 1), both[2];
    real gradient;
    x = fer_add_conv2d(&b, x, NULL, 1, 1, 1, 1, 1, FER_SAME);
    both[0] = both[1] = x;
    if (twice) x = fer_add_concatenate(&b, both, 2, NULL);
    fer_add_dense(&b, fer_add_global_average_pooling2d(&b, x, NULL), NULL, 2);
    if (fer_network_end(&b, &net, &error) || fer_network_plan(net, 1, FER_PLAN_TRAINING, &error)) return 0;
    net->parameter[0].value[0] = 1;
    net->parameter[1].value[0] = twice ? (real)0.5 : 1;
    net->parameter[1].value[1] = twice ? (real)0.25 : (real)0.5;
    if (twice) net->parameter[1].value[2] = (real)0.5, net->parameter[1].value[3] = (real)0.25;
    fer_network_input(net)[0] = 1, fer_network_input(net)[1] = 3;
    fer_network_forward(net, 1, 1);
    fer_network_backward(net, 1, labels + 1); /* class 0 */
    gradient = net->parameter[0].gradient[0];
    fer_network_free(net);
    return gradient;
}

TEST an_input_taken_twice_gets_both_gradients(void)
{
    const real gradient = gradient_of_first_kernel(1);
    ASSERT(gradient != 0);
    ASSERT(gradient == gradient_of_first_kernel(0));
    /* 2 * (1 * (p - 1) + 0.5 * (1 - p)) with p the first class's probability: logits 2 and 1 */
    ASSERT(fabs((double)gradient + 1 / (1 + exp(1))) < 1e-6);
    PASS();
}

static uint32_t digest(const struct fer_network *net, int gradients)
{
    uint32_t crc = fer_crc32_reals(0, net->logits, N * CLASSES);
    int i;
    crc = fer_crc32_reals(crc, net->layer[net->layers - 1].output, N * CLASSES);
    for (i = 0; i < net->parameters && gradients; i++)
        if (net->parameter[i].trainable) crc = fer_crc32_reals(crc, net->parameter[i].gradient, net->parameter[i].count);
    return crc;
}

/* Arrays written over each other, or in shared memory, in a plan with room to spare: no bit changes. */
TEST plans_change_no_bit(void)
{
    struct fer_network *net = every_kind();
    double loss;
    uint32_t kept, inference;
    ASSERTm(error.text, net != NULL);
    loss = step(net, N, FER_PLAN_KEEP);
    kept = digest(net, 1);
    ASSERT(step(net, N, FER_PLAN_TRAINING) == loss);
    ASSERT_EQ(kept, digest(net, 1));
    ASSERT(step(net, N + 2, FER_PLAN_TRAINING) == loss);
    ASSERT_EQ(kept, digest(net, 1));
    ASSERT(fer_network_memory(net, N, FER_PLAN_TRAINING) < fer_network_memory(net, N, FER_PLAN_KEEP));
    step(net, N, FER_PLAN_INFERENCE);
    inference = digest(net, 0);
    step(net, N, FER_PLAN_KEEP);
    fer_network_forward(net, N, 0);
    ASSERT_EQ(inference, digest(net, 0));
    fer_network_free(net);
    PASS();
}

/* Two BatchNormalizations, each with its activation, behind each other: what the first two made is given up after the
 * forward pass and computed anew; what the second two made of it is kept. The last activation is no ReLU: that of its
 * own output has the same gradient. */
TEST an_output_that_is_given_up_is_computed_anew(void)
{
    static const int expected[] = {0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0}; /* by layer */
    struct fer_builder b;
    struct fer_network *net;
    double loss;
    uint32_t kept;
    int i, x = fer_network_begin(&b, H, W, C);
    x = fer_add_conv2d(&b, x, NULL, 5, 3, 3, 1, 1, FER_SAME);
    x = fer_add_relu(&b, fer_add_batch_normalization(&b, x, NULL, 0.9, 0.01), NULL);
    x = fer_add_relu(&b, fer_add_batch_normalization(&b, x, NULL, 0.9, 0.01), NULL);
    x = fer_add_conv2d(&b, x, NULL, 4, 3, 3, 1, 1, FER_SAME);
    x = fer_add_sigmoid(&b, fer_add_batch_normalization(&b, x, NULL, 0.9, 0.01), NULL);
    fer_add_dense(&b, fer_add_global_average_pooling2d(&b, x, NULL), NULL, CLASSES);
    ASSERT_EQm(error.text, 0, fer_network_end(&b, &net, &error));
    ASSERT_EQ(sizeof expected / sizeof *expected, (size_t)net->layers);
    loss = step(net, N, FER_PLAN_KEEP);
    kept = digest(net, 1);
    for (i = 0; i < net->layers; i++) ASSERT_EQ(0, net->layer[i].given_up);
    ASSERT(step(net, N, FER_PLAN_TRAINING) == loss);
    ASSERT_EQ(kept, digest(net, 1));
    for (i = 0; i < net->layers; i++) ASSERT_EQm(net->layer[i].name, expected[i], net->layer[i].given_up);
    fer_network_free(net);
    PASS();
}

/* ---- Inference, some images at a time ---- */

enum { MANY = 13, SIDE = 64 };

/* Its first convolution makes 1 MB of each image in float32, 2 MB in float64. */
static struct fer_network *large_maps(void)
{
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, SIDE, SIDE, 1);
    x = fer_add_conv2d(&b, x, NULL, 64, 3, 3, 1, 1, FER_SAME);
    x = fer_add_batch_normalization(&b, x, NULL, 0.9, 0.01);
    x = fer_add_relu(&b, x, NULL);
    x = fer_add_max_pooling2d(&b, x, NULL, 2, 2, 2, 2, FER_VALID);
    x = fer_add_global_max_pooling2d(&b, x, NULL, 0);
    fer_add_dense(&b, x, NULL, CLASSES);
    return fer_network_end(&b, &net, &error) ? NULL : net;
}

static void count_pass(void *context, int layer, enum fer_pass pass)
{
    int *dense = context;
    dense[0] += layer == 6 && pass == FER_FORWARD;
}

/* An inference of MANY images: a digest of logits and probabilities, and in how many parts it was done. */
static uint32_t digest_of_inference(struct fer_network *net, enum fer_plan plan, int *parts)
{
    const size_t count = MANY * SIDE * SIDE, results = MANY * CLASSES;
    size_t k;
    uint32_t crc;
    *parts = 0;
    if (fer_network_plan(net, MANY, plan, &error)) return 0;
    for (k = 0; k < count; k++) fer_network_input(net)[k] = (real)fer_uniform(6, FER_FOR_CHECKS, 0, k);
    net->passed = count_pass, net->passed_context = parts;
    fer_network_forward(net, MANY, 0);
    crc = fer_crc32_reals(0, net->logits, results);
    return fer_crc32_reals(crc, net->layer[net->layers - 1].output, results);
}

TEST an_inference_in_parts_has_the_same_bits(void)
{
    struct fer_network *net = large_maps();
    int whole, parts;
    uint32_t kept;
    ASSERTm(error.text, net && net->layers == 7);
    fer_network_initialise(net, 3);
    kept = digest_of_inference(net, FER_PLAN_KEEP, &whole);
    ASSERT_EQ(1, whole);
    ASSERT_EQ(kept, digest_of_inference(net, FER_PLAN_INFERENCE, &parts));
    ASSERT(parts > 2);
    ASSERT_EQ(kept, digest_of_inference(net, FER_PLAN_TRAINING, &parts));
    ASSERT(parts > 2);
    fer_network_free(net);
    PASS();
}

TEST a_batch_that_cannot_be_addressed_is_refused(void)
{
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, 100000, 100000, 400);
    fer_add_dense(&b, fer_add_global_average_pooling2d(&b, x, NULL), NULL, 2);
    ASSERT_EQ(0, fer_network_end(&b, &net, &error));
    ASSERT(fer_network_memory(net, 1, FER_PLAN_INFERENCE) > (size_t)100000 * 100000 * 400);
    ASSERT(fer_network_memory(net, 1000000, FER_PLAN_TRAINING) == (size_t)-1);
    ASSERT_EQ(-1, fer_network_plan(net, 1000000, FER_PLAN_TRAINING, &error));
    ASSERT_STR_EQ("batch 1000000: its arrays cannot be addressed: expected a smaller batch or smaller images", error.text);
    ASSERT_EQ(-1, fer_network_fits(net, 3, FER_PLAN_TRAINING, (size_t)1 << 40, &error));
    ASSERTm(error.text, strstr(error.text, "there is not enough even for a batch of 1"));
    ASSERT_EQ(-1, fer_network_plan(net, 0, FER_PLAN_TRAINING, &error));
    ASSERT_STR_EQ("batch 0: expected 1 ... 1000000", error.text);
    ASSERT_EQ(0, (int)net->batch);
    fer_network_free(net);
    PASS();
}

TEST normalization_is_set_in_every_layer(void)
{
    struct fer_network *net = every_kind();
    const struct fer_layer *first, *second;
    ASSERTm(error.text, net != NULL);
    first = &net->layer[1], second = &net->layer[6];
    ASSERT(first->momentum == 0.9 && first->epsilon == 0.01 && first->unbiased == 1);
    ASSERT(second->momentum == 0.8 && second->epsilon == 0.001 && second->unbiased == 1);
    fer_network_normalization(net, -1, 0.5, -1);
    ASSERT(first->momentum == 0.9 && first->epsilon == 0.5 && first->unbiased == 1);
    fer_network_normalization(net, 0, -1, 0);
    ASSERT(first->momentum == 0 && first->epsilon == 0.5 && first->unbiased == 0);
    ASSERT(second->momentum == 0 && second->epsilon == 0.5 && second->unbiased == 0);
    fer_network_free(net);
    PASS();
}

/* A frozen layer's parameters stay as they are; a BatchNormalization that is frozen, or in inference mode, normalises in
 * training as in inference, and its moving statistics stay too. Everything else moves. */
TEST frozen_layers_stay_as_they_are(void)
{
    static const struct fer_adam adam = {0.001, 0.9, 0.999, 1e-7};
    struct fer_network *net = every_kind();
    uint32_t before[FER_MAX_PARAMETERS];
    int i, k, still = 0;
    ASSERTm(error.text, net != NULL);
    step(net, N, FER_PLAN_KEEP);
    for (i = 0; i < net->parameters; i++) before[i] = fer_crc32_reals(0, net->parameter[i].value, net->parameter[i].count);
    fer_network_update(net, N, &adam, 1);
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        const int moving = strcmp(layer->name, "moving") == 0, frozen = strncmp(layer->name, "frozen", 6) == 0;
        ASSERT(layer->frozen == frozen && layer->inference == moving);
        for (k = layer->parameter; k < layer->parameter + layer->parameters; k++) {
            const struct fer_parameter *p = &net->parameter[k];
            const int stays = frozen || (moving && strstr(p->name, "/moving_"));
            ASSERT_EQm(p->name, stays, before[k] == fer_crc32_reals(0, p->value, p->count));
            ASSERT_EQm(p->name, stays || strstr(p->name, "/moving_"), !p->trainable);
            still += stays;
        }
        if (!fer_kinds[layer->type].statistics) continue;
        fer_layer_forward(net, i, N, 1);
        before[0] = fer_crc32_reals(0, layer->output, fer_layer_count(layer, N));
        fer_layer_forward(net, i, N, 0);
        ASSERT_EQm(layer->name, frozen || moving, before[0] == fer_crc32_reals(0, layer->output, fer_layer_count(layer, N)));
    }
    ASSERT_EQ(2 + 4 + 2, still);
    fer_network_free(net);
    PASS();
}

/* Names, shapes and order of what a layer may have. */
TEST parameters_are_those_that_were_asked_for(void)
{
    static const char *const names[] = {
        "batch_normalization/beta", "batch_normalization/moving_mean", "batch_normalization/moving_variance",
        "conv2d/kernel", "batch_normalization_1/beta", "batch_normalization_1/moving_mean",
        "batch_normalization_1/moving_variance", "conv2d_1/kernel", "at each cell/kernel", "conv2d_2/kernel",
        "conv2d_2/bias", "batch_normalization_2/gamma", "batch_normalization_2/beta", "batch_normalization_2/moving_mean",
        "batch_normalization_2/moving_variance", "depthwise_conv2d/depthwise_kernel", "depthwise_conv2d/bias",
        "moving/gamma", "moving/moving_mean", "moving/moving_variance", "frozen/gamma", "frozen/beta", "frozen/moving_mean",
        "frozen/moving_variance", "frozen conv/kernel", "frozen conv/bias", "conv2d_3/kernel",
        "conv2d_3/bias", "dense/kernel", "dense/bias", "last/kernel", "last/bias"};
    static const size_t groups[4] = {2, 3, 2, 6}, depthwise[4] = {3, 2, 6, 2};
    struct fer_network *net = every_kind();
    int i;
    ASSERTm(error.text, net != NULL);
    ASSERT_EQ((int)(sizeof names / sizeof *names), net->parameters);
    for (i = 0; i < net->parameters; i++) ASSERT_STR_EQ(names[i], net->parameter[i].name);
    ASSERT_EQ(0, memcmp(groups, fer_network_parameter(net, "conv2d_2/kernel")->shape, sizeof groups));
    ASSERT_EQ(0, memcmp(depthwise, fer_network_parameter(net, "depthwise_conv2d/depthwise_kernel")->shape, sizeof depthwise));
    fer_network_free(net);
    PASS();
}

TEST global_poolings_keep_dimensions_if_asked(void)
{
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, 4, 5, 3), both[2];
    both[0] = fer_add_global_average_pooling2d_with(&b, x, NULL, 1);
    both[1] = fer_add_global_max_pooling2d(&b, x, NULL, 1);
    x = fer_add_concatenate(&b, both, 2, NULL);
    x = fer_add_conv2d(&b, x, NULL, 2, 1, 1, 1, 1, FER_SAME);
    x = fer_add_global_max_pooling2d(&b, x, NULL, 0);
    fer_add_dense(&b, x, NULL, 2);
    ASSERT_EQm(error.text, 0, fer_network_end(&b, &net, &error));
    ASSERT(!net->layer[1].flat && !net->layer[2].flat && !net->layer[3].flat && net->layer[5].flat);
    ASSERT(net->layer[3].height == 1 && net->layer[3].width == 1 && net->layer[3].channels == 6);
    fer_network_free(net);
    PASS();
}

/* ---- Records ---- */

static int has_shape(struct fer_npz *npz, const char *name, int dims, size_t s0, size_t s1, size_t s2, size_t s3)
{
    const struct fer_array *a = fer_npz_find(npz, name);
    const size_t shape[4] = {s0, s1, s2, s3};
    return a && a->dims == dims && memcmp(a->shape, shape, (size_t)dims * sizeof *shape) == 0;
}

TEST a_record_has_the_network_s_shapes(void)
{
    static const struct fer_adam adam = {0.001, 0.9, 0.999, 1e-7};
    struct fer_network *net = every_kind();
    struct fer_batch batch = {N, H, W, C, NULL, NULL}, again;
    struct fer_recorded recorded;
    struct fer_npz *npz;
    real images[N * H * W * C];
    int classes[N];
    ASSERTm(error.text, net != NULL);
    step(net, N, FER_PLAN_KEEP);
    memcpy(images, fer_network_input(net), sizeof images);
    memcpy(classes, labels, sizeof classes);
    batch.input = images, batch.labels = classes;
    ASSERT_EQm(error.text, 0, fer_record(net, &batch, &adam, FILE_NAME, &recorded, &error));
    ASSERT_EQm(error.text, 0, fer_npz_open(&npz, FILE_NAME, &error));
    ASSERT(has_shape(npz, "input", 4, N, H, W, C));
    ASSERT(has_shape(npz, "conv2d/output", 4, N, 5, 7, 4));
    ASSERT(has_shape(npz, "conv2d/kernel_grad", 4, 3, 2, 6, 4));
    ASSERT(has_shape(npz, "concatenate_1/output_grad", 4, N, 2, 5, 16));
    ASSERT(has_shape(npz, "dense/output", 2, N, 4, 0, 0));
    ASSERT(has_shape(npz, "dense/output_grad", 2, N, 4, 0, 0));
    ASSERT(has_shape(npz, "last/logits", 2, N, CLASSES, 0, 0));
    ASSERT(has_shape(npz, "last/output", 2, N, CLASSES, 0, 0));
    ASSERT(has_shape(npz, "last/logits_grad", 2, N, CLASSES, 0, 0));
    ASSERT(has_shape(npz, "batch_normalization_1/moving_variance_new", 1, 4, 0, 0, 0));
    ASSERT_EQ(NULL, fer_npz_find(npz, "dense/logits"));
    ASSERT_EQ(NULL, fer_npz_find(npz, "last/output_grad"));
    fer_npz_close(npz);
    ASSERT_EQm(error.text, 0, fer_batch_read(&again, FILE_NAME, 0, net, &error));
    ASSERT_EQ(0, memcmp(images, again.input, sizeof images));
    again.width--;
    ASSERT_EQ(-1, fer_record(net, &again, &adam, FILE_NAME, &recorded, &error));
    ASSERT_STR_EQ("images of 9x6x3: expected 9x7x3, the network's size", error.text);
    fer_batch_free(&again);
    fer_network_free(net);
    ASSERT_EQ(0, fer_incv3v1(&net, 48, &error));
    ASSERT_EQ(-1, fer_batch_read(&again, FILE_NAME, 0, net, &error));
    ASSERT_STR_EQ(FILE_NAME ": input: another shape: expected [N,48,48,1], the network's", error.text);
    fer_network_free(net);
    remove(FILE_NAME);
    PASS();
}

/* Poolings that divide behind and before layers that do not, and an output that one layer takes twice. */
static struct fer_network *poolings(void)
{
    struct fer_builder b;
    struct fer_network *net;
    int x = fer_network_begin(&b, H, W, C), both[2];
    x = fer_add_conv2d(&b, x, NULL, 2, 2, 2, 1, 1, FER_SAME);
    x = fer_add_average_pooling2d(&b, x, NULL, 2, 3, 1, 1, FER_SAME);
    x = fer_add_max_pooling2d(&b, x, NULL, 2, 2, 2, 1, FER_VALID);
    both[0] = both[1] = x;
    x = fer_add_concatenate(&b, both, 2, NULL);
    x = fer_add_conv2d(&b, x, NULL, 3, 1, 1, 1, 1, FER_SAME);
    x = fer_add_batch_normalization(&b, x, NULL, 0.9, 0.01);
    x = fer_add_relu(&b, x, NULL);
    x = fer_add_global_average_pooling2d(&b, x, NULL);
    fer_add_dense(&b, x, NULL, CLASSES);
    return fer_network_end(&b, &net, &error) ? NULL : net;
}

/* Every output and gradient that an exact record computes is a whole number. */
TEST an_exact_record_is_whole(void)
{
    struct fer_network *net = poolings();
    struct fer_recorded recorded;
    int i;
    ASSERTm(error.text, net != NULL);
    ASSERT_EQm(error.text, 0, fer_record_exact(net, N, 7, FILE_NAME, &recorded, &error));
    for (i = 1; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        const real *y = i == net->layers - 1 ? net->logits : layer->output;
        int varies = 0;
        size_t k;
        if (fer_kinds[layer->type].exact == FER_NOT_EXACT) continue;
        for (k = 0; k < fer_layer_count(layer, N); k++) {
            ASSERTm(layer->name, y[k] == (real)floor((double)y[k]));
            ASSERTm(layer->name, layer->output_gradient[k] == (real)floor((double)layer->output_gradient[k]));
            varies |= layer->output_gradient[k] != 0;
        }
        ASSERTm(layer->name, varies);
    }
    fer_network_free(net);
    remove(FILE_NAME);
    PASS();
}

/* Where nothing stands between a convolution and its ReLU, the latter is computed; a sigmoid cannot be: its output is drawn, and
 * what it takes from left out. What follows a layer that is left out is drawn too. */
TEST an_exact_record_fits_together(void)
{
    static const char *const names[] = {
        "input", "a/kernel", "a/output", "relu/output", "sigmoid/output", "c/kernel", "c/output", "d/output",
        "last/kernel", "last/bias", "last/logits", "last/logits_grad", "last/kernel_grad", "last/bias_grad", "d/output_grad",
        "c/output_grad", "c/kernel_grad", "sigmoid/output_grad", "relu/output_grad", "a/output_grad", "a/kernel_grad"};
    struct fer_builder b;
    struct fer_network *net;
    struct fer_recorded recorded;
    struct fer_npz *npz;
    int x = fer_network_begin(&b, H, W, C), i, found = 0;
    size_t k;
    x = fer_add_conv2d(&b, x, "a", 4, 2, 2, 1, 1, FER_SAME);
    x = fer_add_relu(&b, x, "relu");
    x = fer_add_conv2d(&b, x, "b", 3, 1, 1, 1, 1, FER_SAME); /* left out: the sigmoid's output is drawn */
    x = fer_add_sigmoid(&b, x, "sigmoid");
    x = fer_add_conv2d(&b, x, "c", 3, 1, 1, 1, 1, FER_SAME);
    x = fer_add_batch_normalization(&b, x, "bn", 0.9, 0.01);
    x = fer_add_global_max_pooling2d(&b, x, "d", 0); /* of what is left out: drawn */
    fer_add_dense(&b, x, "last", CLASSES);
    ASSERT_EQm(error.text, 0, fer_network_end(&b, &net, &error));
    ASSERT_EQm(error.text, 0, fer_record_exact(net, N, 7, FILE_NAME, &recorded, &error));
    for (k = 0; k < fer_layer_count(&net->layer[2], N); k++) {
        const real conv = net->layer[1].output[k];
        ASSERT(net->layer[2].output[k] == (conv > 0 ? conv : 0));
    }
    ASSERT_EQm(error.text, 0, fer_npz_open(&npz, FILE_NAME, &error));
    for (i = 0; i < (int)(sizeof names / sizeof *names); i++)
        found += fer_npz_find(npz, names[i]) != NULL;
    ASSERT_EQ(i, found);
    ASSERT_EQ_FMT((size_t)found, fer_npz_count(npz), "%zu");
    fer_npz_close(npz);
    fer_network_free(net);
    remove(FILE_NAME);
    PASS();
}

/* Writes the record anew, with one array more: the parameter of this name as `PARAMETER_new`, times a factor. */
static int add_update(const char *parameter, real factor)
{
    struct fer_npz *npz;
    struct fer_npz_writer *out;
    static real values[1 << 16];
    char name[FER_MAX_ARRAY];
    size_t i, k;
    if (fer_npz_open(&npz, FILE_NAME, &error) || fer_npz_create(&out, FILE_NAME "2", &error)) return -1;
    for (i = 0; i < fer_npz_count(npz); i++) {
        const struct fer_array *a = fer_npz_at(npz, i);
        if (fer_npz_read(npz, a, values, &error)) return -1;
        fer_npz_write(out, a->name, FER_REAL_TYPE, a->dims, a->shape, values, &error);
        if (strcmp(a->name, parameter) != 0) continue;
        for (k = 0; k < a->count; k++) values[k] *= factor;
        snprintf(name, sizeof name, "%s_new", parameter);
        fer_npz_write(out, name, FER_REAL_TYPE, a->dims, a->shape, values, &error);
    }
    fer_npz_close(npz);
    return fer_npz_commit(out, &error);
}

/* A record of every kind is right, array by array: gamma, groups, frozen layers and outputs that BatchNormalization shares with
 * other layers. */
TEST a_record_of_every_kind_is_verified(void)
{
    static const struct fer_adam adam = {0.001, 0.9, 0.999, 1e-7};
    struct fer_network *net = every_kind();
    struct fer_batch batch = {N, H, W, C, NULL, NULL};
    struct fer_recorded recorded;
    struct fer_verify_options options;
    struct fer_verify_summary summary;
    real images[N * H * W * C];
    int classes[N];
    FILE *file;
    ASSERTm(error.text, net != NULL);
    if (sizeof(real) == sizeof(float)) SKIPm("verify computes in float64");
    step(net, N, FER_PLAN_KEEP);
    memcpy(images, fer_network_input(net), sizeof images);
    memcpy(classes, labels, sizeof classes);
    batch.input = images, batch.labels = classes;
    ASSERT_EQm(error.text, 0, fer_record(net, &batch, &adam, FILE_NAME, &recorded, &error));
    snprintf(net->name, sizeof net->name, "every_kind");
    net->keras = 2; /* where `training` of a call counts */
    file = fopen("network.json", "w");
    ASSERT(file != NULL);
    fer_summary_json(file, net);
    fclose(file);
    fer_verify_options_default(&options);
    options.unit = options.accumulate = FER_UNIT_F64;
    options.model = "network.json";
    options.settings.bn_momentum = options.settings.bn_epsilon = -1;
    options.settings.bn_unbiased = -1;
    ASSERT_EQm(error.text, 0, fer_verify(FILE_NAME, &options, NULL, NULL, &summary, &error));
    ASSERT_STR_EQ("", summary.first);
    ASSERT_EQ_FMT((size_t)0, summary.rows[FER_NOT_CHECKABLE] + summary.absent + summary.ignored, "%zu");
    ASSERT(summary.rows[FER_OK] > 90);
    ASSERT_EQm(error.text, 0, add_update("frozen/gamma", 1)); /* a frozen parameter may be there anew, unchanged */
    ASSERT_EQm(error.text, 0, fer_verify(FILE_NAME "2", &options, NULL, NULL, &summary, &error));
    ASSERT_STR_EQ("", summary.first);
    ASSERT_EQ_FMT((size_t)0, summary.ignored, "%zu");
    ASSERT_EQm(error.text, 0, add_update("frozen/gamma", (real)1.000001));
    ASSERT_EQm(error.text, 0, fer_verify(FILE_NAME "2", &options, NULL, NULL, &summary, &error));
    ASSERT_STR_EQ("frozen/gamma_new", summary.first_wrong);
    remove(FILE_NAME "2");
    fer_network_free(net);
    remove(FILE_NAME);
    remove("network.json");
    PASS();
}

/* Eight convolutions on end, with nothing but ReLU between them: their sums would reach 10^13. So the chain is cut, at as few
 * places as need be. */
TEST an_exact_record_of_a_long_chain_is_cut(void)
{
    struct fer_builder b;
    struct fer_network *net;
    struct fer_recorded recorded;
    struct fer_npz *npz;
    int x = fer_network_begin(&b, H, W, C), i, outputs = 0, kernels = 0;
    char name[16];
    for (i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "c%d", i);
        x = fer_add_conv2d(&b, x, name, 12, 3, 3, 1, 1, FER_SAME);
        x = fer_add_relu(&b, x, NULL);
    }
    fer_add_dense(&b, fer_add_global_max_pooling2d(&b, x, NULL, 0), "last", CLASSES);
    ASSERT_EQm(error.text, 0, fer_network_end(&b, &net, &error));
    ASSERT_EQm(error.text, 0, fer_record_exact(net, N, 7, FILE_NAME, &recorded, &error));
    ASSERT_EQm(error.text, 0, fer_npz_open(&npz, FILE_NAME, &error));
    for (i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "c%d/output", i);
        outputs += fer_npz_find(npz, name) != NULL;
        snprintf(name, sizeof name, "c%d/kernel_grad", i);
        kernels += fer_npz_find(npz, name) != NULL;
    }
    ASSERT(outputs >= 4 && outputs < 8 && kernels == outputs);
    for (i = 1; i < net->layers - 1; i++) {
        size_t k;
        for (k = 0; k < fer_layer_count(&net->layer[i], N); k++) ASSERT(fabs((double)net->layer[i].output[k]) < 16777216);
    }
    fer_npz_close(npz);
    fer_network_free(net);
    remove(FILE_NAME);
    PASS();
}

SUITE(suite_network)
{
    RUN_TEST(every_kind_has_its_functions_and_names);
    RUN_TEST(names_are_numbered_as_keras_does);
    RUN_TEST(each_limit_is_refused_in_one_line);
    RUN_TEST(after_a_failure_layers_are_passed_over);
    RUN_TEST(gradients_agree_with_finite_differences);
    RUN_TEST(an_input_taken_twice_gets_both_gradients);
    RUN_TEST(plans_change_no_bit);
    RUN_TEST(an_output_that_is_given_up_is_computed_anew);
    RUN_TEST(an_inference_in_parts_has_the_same_bits);
    RUN_TEST(a_batch_that_cannot_be_addressed_is_refused);
    RUN_TEST(normalization_is_set_in_every_layer);
    RUN_TEST(frozen_layers_stay_as_they_are);
    RUN_TEST(parameters_are_those_that_were_asked_for);
    RUN_TEST(global_poolings_keep_dimensions_if_asked);
    RUN_TEST(a_record_has_the_network_s_shapes);
    RUN_TEST(a_record_of_every_kind_is_verified);
    RUN_TEST(an_exact_record_is_whole);
    RUN_TEST(an_exact_record_fits_together);
    RUN_TEST(an_exact_record_of_a_long_chain_is_cut);
}
