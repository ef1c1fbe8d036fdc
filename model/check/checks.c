/* checks.c - the table of what is checked of each kind of layer: its bounds, which kinds that compute alike share,
 * and its gradients. */
#include "checks.h"

/* ---- The bounds: of verify_*.c, and through other layers those of chain_*.c ---- */

static const struct fer_bounds linear = {.output = fer_verify_linear, .add_input = fer_verify_linear_input,
                                         .parameters = fer_verify_linear_parameters, .reads_kernel = 1,
                                         .chain = fer_chain_linear, .errors = fer_back_linear,
                                         .gradient = fer_chain_linear_gradient};
static const struct fer_bounds normalized = {.output = fer_verify_batch_normalization,
                                             .input = fer_verify_batch_normalization_input,
                                             .add_input = fer_verify_batch_normalization_add_input,
                                             .parameters = fer_verify_batch_normalization_parameters,
                                             .chain = fer_chain_batch_normalization,
                                             .errors = fer_back_batch_normalization,
                                             .gradient = fer_chain_batch_normalization_gradient};
static const struct fer_bounds relu = {.output = fer_verify_copies, .add_input = fer_verify_function_input,
                                       .chain = fer_chain_activation, .errors = fer_back_activation, .copies = 1};
static const struct fer_bounds function = {.output = fer_verify_function, .add_input = fer_verify_function_input,
                                           .chain = fer_chain_activation, .errors = fer_back_activation};
static const struct fer_bounds softmax = {.output = fer_verify_softmax, .add_input = fer_verify_softmax_input,
                                          .chain = fer_chain_softmax, .errors = fer_back_softmax};
static const struct fer_bounds maximum = {.output = fer_verify_copies, .add_input = fer_verify_maximum_input,
                                          .chain = fer_chain_maximum, .doubts = fer_back_maximum, .chooses = 1,
                                          .copies = 1};
static const struct fer_bounds average = {.output = fer_verify_average, .add_input = fer_verify_average_input,
                                          .chain = fer_chain_average, .errors = fer_back_average};
static const struct fer_bounds moved = {.output = fer_verify_copies, .add_input = fer_verify_copies_input,
                                        .chain = fer_chain_moved, .copies = 1};
static const struct fer_bounds sum = {.output = fer_verify_add, .add_input = fer_verify_copies_input,
                                      .chain = fer_chain_add};
static const struct fer_bounds product = {.output = fer_verify_multiply, .add_input = fer_verify_multiply_input,
                                          .chain = fer_chain_multiply, .errors = fer_back_multiply};
static const struct fer_bounds dropped = {.output = fer_verify_dropout, .add_input = fer_verify_dropout_input,
                                          .chain = fer_chain_dropout, .doubts = fer_back_dropout, .chooses = 1};
static const struct fer_bounds rescaled = {.output = fer_verify_rescaling, .add_input = fer_verify_rescaling_input,
                                           .chain = fer_chain_rescaling};
static const struct fer_bounds standardized = {.output = fer_verify_normalization,
                                               .add_input = fer_verify_normalization_input,
                                               .chain = fer_chain_normalization};

/* ---- A row a kind ---- */

const struct fer_check fer_checks[FER_LAYER_TYPES] = {
    [FER_CONV2D] = {.name = "conv2d", .bounds = &linear, .gradcheck = fer_gradcheck_functions},
    [FER_DEPTHWISE_CONV2D] = {.name = "depthwise_conv2d", .bounds = &linear, .gradcheck = fer_gradcheck_functions},
    [FER_BATCH_NORMALIZATION] = {.name = "batch_normalization", .bounds = &normalized, .reads_input = 1,
                                 .gradcheck = fer_gradcheck_functions},
    [FER_ACTIVATION] = {.name = "relu", .bounds = &relu, .reads_output = 1, .gradcheck = fer_gradcheck_functions,
                        .takes = fer_relu_takes},
    [FER_MAX_POOLING2D] = {.name = "max_pooling2d", .bounds = &maximum, .reads_input = 1,
                           .gradcheck = fer_gradcheck_functions, .takes = fer_max_pooling2d_takes},
    [FER_AVERAGE_POOLING2D] = {.name = "average_pooling2d", .bounds = &average, .gradcheck = fer_gradcheck_functions},
    [FER_CONCATENATE] = {.name = "concatenate", .bounds = &moved, .gradcheck = fer_gradcheck_functions},
    [FER_GLOBAL_AVERAGE_POOLING2D] = {.name = "global_average_pooling2d", .bounds = &average,
                                      .gradcheck = fer_gradcheck_functions},
    [FER_GLOBAL_MAX_POOLING2D] = {.name = "global_max_pooling2d", .bounds = &maximum, .reads_input = 1,
                                  .gradcheck = fer_gradcheck_functions, .takes = fer_max_pooling2d_takes},
    [FER_DENSE] = {.name = "dense", .bounds = &linear, .gradcheck = fer_gradcheck_functions},
    [FER_LEAKY_RELU] = {.name = "leaky_relu", .operation = "relu", .bounds = &function, .reads_output = 1,
                        .gradcheck = fer_gradcheck_in_network, .takes = fer_leaky_relu_takes,
                        .taken = fer_leaky_relu_taken},
    [FER_SIGMOID] = {.name = "sigmoid", .bounds = &function, .reads_output = 1, .gradcheck = fer_gradcheck_in_network},
    [FER_HARD_SIGMOID] = {.name = "hard_sigmoid", .bounds = &function, .reads_output = 1,
                          .gradcheck = fer_gradcheck_in_network, .takes = fer_hard_sigmoid_takes,
                          .taken = fer_hard_sigmoid_taken},
    [FER_TANH] = {.name = "tanh", .bounds = &function, .reads_output = 1, .gradcheck = fer_gradcheck_in_network},
    [FER_SILU] = {.name = "silu", .bounds = &function, .reads_input = 1, .gradcheck = fer_gradcheck_in_network},
    [FER_ELU] = {.name = "elu", .bounds = &function, .reads_output = 1, .gradcheck = fer_gradcheck_in_network,
                 .takes = fer_elu_takes, .taken = fer_elu_taken},
    [FER_SOFTMAX] = {.name = "softmax", .bounds = &softmax, .reads_output = 1, .gradcheck = fer_gradcheck_in_network},
    [FER_ADD] = {.name = "add", .bounds = &sum, .gradcheck = fer_gradcheck_in_network},
    [FER_MULTIPLY] = {.name = "multiply", .bounds = &product, .reads_input = 1, .gradcheck = fer_gradcheck_in_network},
    [FER_RESHAPE] = {.name = "reshape", .operation = "", .bounds = &moved, .gradcheck = fer_gradcheck_in_network},
    [FER_ZERO_PADDING2D] = {.name = "zero_padding2d", .bounds = &moved, .gradcheck = fer_gradcheck_in_network},
    [FER_CROPPING2D] = {.name = "cropping2d", .bounds = &moved, .gradcheck = fer_gradcheck_in_network},
    [FER_DROPOUT] = {.name = "dropout", .bounds = &dropped, .reads_input = 1, .reads_output = 1,
                     .gradcheck = fer_gradcheck_in_network},
    [FER_SPATIAL_DROPOUT2D] = {.name = "spatial_dropout2d", .bounds = &dropped, .reads_input = 1, .reads_output = 1,
                               .gradcheck = fer_gradcheck_in_network},
    [FER_RESCALING] = {.name = "rescaling", .bounds = &rescaled, .gradcheck = fer_gradcheck_in_network},
    [FER_NORMALIZATION] = {.name = "normalization", .bounds = &standardized, .gradcheck = fer_gradcheck_in_network},
};
