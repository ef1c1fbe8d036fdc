/* fuzz_npz.c - the npy and npz reader against any bytes whatever. It must read or refuse with one line, and nothing
 * else. `make fuzz` builds and runs it; tests/fuzz_main.c runs it on files. */
#define _POSIX_C_SOURCE 200809L /* fmemopen */

#include "../data/data.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A failure must have its reason, in one line; a crash is what the fuzzer sees. */
static void judge(int failed, const struct fer_error *e)
{
    if (failed && (strncmp(e->text, "fuzz: ", 6) != 0 || strchr(e->text, '\n'))) abort();
}

static void read_all(struct fer_npz *npz, struct fer_error *e)
{
    size_t i;
    for (i = 0; i < fer_npz_count(npz); i++) {
        const struct fer_array *array = fer_npz_at(npz, i);
        double *values = fer_allocate(array->count, sizeof *values, NULL);
        if (fer_npz_find(npz, array->name) != array) abort();
        if (values) judge(fer_npz_read_double(npz, array, values, e), e);
        fer_free(values);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fer_error e = {""};
    struct fer_npz *npz;
    void *bytes = malloc(size + 1);
    FILE *file = NULL;
    if (bytes && size) {
        memcpy(bytes, data, size);
        file = fmemopen(bytes, size, "rb");
    }
    if (file) {
        const int failed = fer_npz_open_file(&npz, file, "fuzz", &e);
        judge(failed, &e);
        if (!failed) read_all(npz, &e);
        fer_npz_close(npz);
    }
    free(bytes);
    return 0;
}
