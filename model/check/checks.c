/* checks.c - the table of what is checked of each kind of layer: its bound (verify_layers.c) and its gradients
 * (gradcheck_layers.c). */
#include "checks.h"

const struct fer_check fer_checks[FER_LAYER_TYPES] = {
    [FER_CONV2D] = {.name = "conv2d", .output = fer_verify_conv2d, .add_input = fer_verify_conv2d_input,
                    .parameters = fer_verify_conv2d_parameters, .reads_kernel = 1, .gradcheck = fer_gradcheck_conv2d},
    [FER_DEPTHWISE_CONV2D] = {.name = "depthwise_conv2d", .output = fer_verify_conv2d,
                              .add_input = fer_verify_conv2d_input, .parameters = fer_verify_conv2d_parameters,
                              .reads_kernel = 1, .gradcheck = fer_gradcheck_depthwise_conv2d},
    [FER_BATCH_NORMALIZATION] = {.name = "batch_normalization", .output = fer_verify_batch_normalization,
                                 .input = fer_verify_batch_normalization_input,
                                 .parameters = fer_verify_batch_normalization_parameters, .reads_input = 1,
                                 .gradcheck = fer_gradcheck_batch_normalization},
    [FER_ACTIVATION] = {.name = "relu", .output = fer_verify_activation, .add_input = fer_verify_activation_input,
                        .reads_output = 1, .gradcheck = fer_gradcheck_relu, .takes = fer_relu_takes},
    [FER_MAX_POOLING2D] = {.name = "max_pooling2d", .output = fer_verify_max_pooling2d,
                           .add_input = fer_verify_max_pooling2d_input, .reads_input = 1, .chooses = 1,
                           .gradcheck = fer_gradcheck_max_pooling2d, .takes = fer_max_pooling2d_takes},
    [FER_AVERAGE_POOLING2D] = {.name = "average_pooling2d", .output = fer_verify_average_pooling2d,
                               .add_input = fer_verify_average_pooling2d_input,
                               .gradcheck = fer_gradcheck_average_pooling2d},
    [FER_CONCATENATE] = {.name = "concatenate", .output = fer_verify_concatenate,
                         .add_input = fer_verify_concatenate_input, .gradcheck = fer_gradcheck_concatenate},
    [FER_GLOBAL_AVERAGE_POOLING2D] = {.name = "global_average_pooling2d",
                                      .output = fer_verify_average_pooling2d,
                                      .add_input = fer_verify_average_pooling2d_input,
                                      .gradcheck = fer_gradcheck_global_average_pooling2d},
    [FER_GLOBAL_MAX_POOLING2D] = {.name = "global_max_pooling2d", .output = fer_verify_max_pooling2d,
                                  .add_input = fer_verify_max_pooling2d_input, .reads_input = 1, .chooses = 1,
                                  .gradcheck = fer_gradcheck_global_max_pooling2d, .takes = fer_max_pooling2d_takes},
    [FER_DENSE] = {.name = "dense", .output = fer_verify_dense, .add_input = fer_verify_dense_input,
                   .parameters = fer_verify_dense_parameters, .reads_kernel = 1, .gradcheck = fer_gradcheck_dense},
};
