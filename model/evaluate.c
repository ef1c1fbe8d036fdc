/* evaluate.c - loss, accuracy and confusion matrix of a network over a set of images. */
#include "model.h"

int fer_network_check_faces(const struct fer_network *net, struct fer_error *e)
{
    if (net->height == net->width && (net->channels == 1 || net->channels == 3) && net->classes == FER_CLASSES)
        return 0;
    return fer_fail(e, "%s takes images of %zux%zux%zu and gives %zu classes: expected square images, 1 or 3 "
                       "channels and %d classes, for faces", net->name, net->height, net->width, net->channels,
                    net->classes, FER_CLASSES);
}

/* Each grey value for every channel, from the last one down, since both stand in the same array. */
static void repeat(size_t count, size_t channels, real *x)
{
    size_t i, c;
    for (i = count; i-- > 0 && channels > 1;)
        for (c = channels; c-- > 0;) x[i * channels + c] = x[i];
}

void fer_network_show(struct fer_network *net, int height, int width, const uint8_t *pixels)
{
    fer_image_scale(height, width, pixels, net->height, fer_network_input(net));
    repeat(net->height * net->width, net->channels, fer_network_input(net));
}

void fer_network_fill(struct fer_network *net, const struct fer_dataset *data, const size_t *index, size_t n,
                      int *labels)
{
    fer_batch_fill(data, index, n, net->height, fer_network_input(net), labels);
    repeat(n * net->height * net->width, net->channels, fer_network_input(net));
}

void fer_count_predictions(const struct fer_network *network, size_t n, const int *labels,
                           struct fer_evaluation *sum)
{
    const real *p = network->layer[network->layers - 1].output;
    size_t i;
    int k, best;
    for (i = 0; i < n; i++, p += FER_CLASSES) {
        for (best = 0, k = 1; k < FER_CLASSES; k++)
            if (p[k] > p[best]) best = k;
        sum->confusion[labels[i]][best]++;
        sum->correct += best == labels[i];
    }
    sum->count += n;
}

void fer_evaluate_batch(struct fer_network *net, const struct fer_dataset *data, const size_t *index, size_t n,
                        int training, int *labels, double *losses, struct fer_evaluation *sum)
{
    size_t i;
    fer_network_fill(net, data, index, n, labels);
    fer_network_forward(net, n, training);
    fer_cross_entropy(n, net->classes, net->logits, labels, losses, NULL);
    fer_count_predictions(net, n, labels, sum);
    for (i = 0; i < n; i++) sum->loss_sum += losses[i];
}

enum fer_end fer_evaluate_images(struct fer_network *network, const struct fer_dataset *data, const size_t *index,
                                 size_t count, int training, enum fer_usage usage, const struct fer_watcher *watcher,
                                 const struct fer_trainer *trainer, struct fer_evaluation *result, struct fer_error *e)
{
    const size_t size = network->batch, batches = (count + size - 1) / size;
    const struct fer_evaluation nothing = {0};
    int *labels = fer_allocate(size, sizeof *labels, e);
    double *losses = fer_allocate(size, sizeof *losses, e);
    enum fer_end end = labels && losses ? FER_DONE : FER_FAILED;
    size_t batch;
    *result = nothing;
    for (batch = 0; batch < batches && end == FER_DONE; batch++) {
        const size_t first = batch * size, n = count - first < size ? count - first : size;
        fer_evaluate_batch(network, data, index + first, n, training, labels, losses, result);
        if (watcher && watcher->batch_done &&
            watcher->batch_done(watcher->context, trainer, usage, batch + 1, batches, result))
            end = FER_STOPPED;
    }
    fer_free(labels);
    fer_free(losses);
    return end;
}

enum fer_end fer_evaluate(struct fer_network *network, const struct fer_dataset *data, enum fer_usage usage,
                          const struct fer_watcher *watcher, const struct fer_trainer *trainer,
                          struct fer_evaluation *result, struct fer_error *e)
{
    const size_t total = data->usage_count[usage];
    size_t *index = fer_allocate(total + 1, sizeof *index, e);
    enum fer_end end = FER_FAILED;
    if (!index) return end;
    fer_dataset_select(data, usage, index);
    end = fer_evaluate_images(network, data, index, total, 0, usage, watcher, trainer, result, e);
    fer_free(index);
    return end;
}
