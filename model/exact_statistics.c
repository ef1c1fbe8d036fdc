/* exact_statistics.c - the statistics that BatchNormalization's moving averages try to follow.
 *
 * The moving averages mix batches of many steps, each taken under other weights. Here all batches are taken under the
 * present ones: a forward pass in training mode over the training images, no weight changed. Over batches b of rows_b
 * rows, with mean_b and biased variance_b:
 *
 *     mean     = sum of rows_b * mean_b / sum of rows_b
 *     variance = sum of rows_b * (variance_b + (mean_b - mean)^2) / sum of rows_b
 *
 * The second sum is taken around the first batch's mean, d_b = mean_b - mean_0, and shifted afterwards:
 *
 *     mean     = mean_0 + D,  D = sum of rows_b * d_b / sum of rows_b
 *     variance = sum of rows_b * (variance_b + d_b^2) / sum of rows_b - D^2
 *
 * so that a mean much larger than the deviation costs no digits. All in double. The batches are those that the epoch's
 * shuffled order is cut into: with images sorted by class, batches in the data's own order would be of one class
 * each. */
#include "kinds.h"

/* One channel's sums; every channel of every BatchNormalization layer, layer after layer. */
struct channel {
    double start, shift, square, rows; /* mean_0; sums of rows*d, rows*(variance + d^2), rows */
};

static void take_batch(const struct fer_network *net, size_t n, struct channel *channel)
{
    size_t c;
    int i;
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        const double rows = (double)fer_layer_rows(layer, n);
        if (!fer_layer_takes_statistics(layer)) continue;
        for (c = 0; c < layer->channels; c++, channel++) {
            const double mean = (double)layer->mean[c];
            double d;
            if (channel->rows == 0) channel->start = mean;
            d = mean - channel->start;
            channel->shift += rows * d;
            channel->square += rows * ((double)layer->variance[c] + d * d);
            channel->rows += rows;
        }
    }
}

static void replace_moving(const struct fer_network *net, const struct channel *channel)
{
    size_t c;
    int i;
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        real *mean, *moving_variance;
        if (!fer_layer_takes_statistics(layer)) continue;
        mean = fer_layer_parameter(net, layer, "moving_mean")->value;
        moving_variance = fer_layer_parameter(net, layer, "moving_variance")->value;
        for (c = 0; c < layer->channels; c++, channel++) {
            const double shift = channel->shift / channel->rows,
                         variance = channel->square / channel->rows - shift * shift;
            mean[c] = (real)(channel->start + shift);
            moving_variance[c] = (real)(variance < 0 ? 0 : variance);
        }
    }
}

static size_t count_channels(const struct fer_network *net)
{
    size_t count = 0;
    int i;
    for (i = 0; i < net->layers; i++)
        if (fer_layer_takes_statistics(&net->layer[i])) count += net->layer[i].channels;
    return count;
}

enum fer_end fer_exact_statistics(struct fer_trainer *t, size_t batches, const struct fer_watcher *watcher,
                                  struct fer_error *e)
{
    const size_t size = (size_t)t->settings.batch, all = (t->train_count + size - 1) / size;
    const size_t most = batches < all ? batches : all;
    struct channel *channel = fer_allocate(count_channels(t->network), sizeof *channel, e);
    double *losses = fer_allocate(size, sizeof *losses, e);
    struct fer_evaluation seen = {0};
    enum fer_end end = channel && losses ? FER_DONE : FER_FAILED;
    size_t b;
    for (b = 0; b < most && end == FER_DONE; b++) {
        const size_t left = t->train_count - b * size, n = left < size ? left : size;
        fer_evaluate_batch(t->network, t->data, t->order + b * size, n, 1, t->labels, losses, &seen);
        take_batch(t->network, n, channel);
        if (watcher && watcher->batch_done &&
            watcher->batch_done(watcher->context, t, FER_TRAINING, b + 1, most, &seen))
            end = FER_STOPPED;
    }
    if (end == FER_DONE && most > 0) replace_moving(t->network, channel);
    fer_free(losses);
    fer_free(channel);
    return end;
}
