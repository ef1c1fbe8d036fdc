/* fuzz_keras.c - the reader of networks in Keras's JSON against any bytes whatever. It must read or refuse with one line;
 * what it has read must be sound, and must be read again as written by `summary --json`. `make fuzz` builds and runs it;
 * tests/fuzz_main.c runs it on files. */
#define _POSIX_C_SOURCE 200809L /* getpid */

#include "../model/model.h"
#include "../model/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64], again[64];

static void judge_failure(const struct fer_error *e)
{
    if (strchr(e->text, '\n') || strlen(e->text) < 10) abort();
}

static void judge_network(const struct fer_network *net)
{
    int i, k;
    if (net->layers < 2 || !net->classes) abort();
    for (i = 1; i < net->layers; i++) {
        const struct fer_layer *layer = &net->layer[i];
        if (!layer->height || !layer->width || !layer->channels || layer->inputs < 1) abort();
        for (k = 0; k < layer->inputs; k++)
            if (layer->input[k] < 0 || layer->input[k] >= i) abort();
    }
    for (i = 0; i < net->parameters; i++) {
        size_t count = 1;
        for (k = 0; k < net->parameter[i].dims; k++) count *= net->parameter[i].shape[k];
        if (count != net->parameter[i].count || !count) abort();
    }
}

/* Written and read again: the same layers and parameters. */
static void judge_writing(const struct fer_network *net)
{
    struct fer_error e = {""};
    struct fer_network *other;
    FILE *file = fopen(again, "wb");
    if (!file) abort();
    fer_summary_json(file, net);
    fclose(file);
    if (fer_model_describe(&other, again, 0, &e)) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    if (other->layers != net->layers || other->parameters != net->parameters || other->classes != net->classes) abort();
    fer_network_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fer_error e = {""};
    struct fer_network *net;
    FILE *file;
    if (!*path) {
        const char *folder = access("/dev/shm", W_OK) ? "build" : "/dev/shm"; /* in memory, where there is such a place */
        snprintf(path, sizeof path, "%s/fuzz-%ld.json", folder, (long)getpid());
        snprintf(again, sizeof again, "%s/again-%ld.json", folder, (long)getpid());
    }
    file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file)) abort();
    if (fer_model_describe(&net, path, 32, &e)) {
        judge_failure(&e);
    } else {
        judge_network(net);
        judge_writing(net);
        fer_network_free(net);
    }
    return 0;
}
