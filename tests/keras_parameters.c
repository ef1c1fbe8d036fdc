/* keras_parameters.c - what fer reads in files of Keras's JSON; tests/test_keras_json.py compares that with Keras.
 *
 *     keras_parameters SIZE FILE ...   for each file `FILE ok` and its layers and parameters, or `FILE refused` and why
 *
 * SIZE is that of the images where a file leaves it open; 0: it may not. */
#include "../model/model.h"

#include <stdio.h>
#include <stdlib.h>

static void show(const char *path, const struct fer_network *net)
{
    size_t count = 0;
    int i, k;
    printf("%s ok\n", path);
    for (i = 0; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        printf("layer %s %s %s %zu %zu %zu%s%s from", layer->name, layer->class_name ? layer->class_name : "-",
               layer->output_name,
               layer->height, layer->width, layer->channels, layer->frozen ? " frozen" : "",
               layer->inference ? " inference" : "");
        for (k = 0; k < layer->inputs; k++) printf(" %d", layer->input[k]);
        printf("\n");
    }
    for (i = 0; i < net->parameters; i++) {
        const struct fer_parameter *p = &net->parameter[i];
        printf("parameter %s", p->name);
        for (k = 0; k < p->dims; k++) printf(" %zu", p->shape[k]);
        printf("\n");
        count += p->count;
    }
    printf("count %zu\n", count);
}

int main(int argc, char **argv)
{
    int i;
    for (i = 2; i < argc; i++) {
        struct fer_error e = {""};
        struct fer_network *net;
        if (fer_model_describe(&net, argv[i], (size_t)strtoul(argv[1], NULL, 10), &e)) {
            printf("%s refused\n%s\n", argv[i], e.text);
        } else {
            show(argv[i], net);
            fer_network_free(net);
        }
    }
    return 0;
}
