/* fuzz_npz.c - the npy and npz reader against any bytes whatever. It must read or refuse with one line, and nothing else.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz_npz.c data/[a-z]*.c -lm -o fuzz_npz && ./fuzz_npz
 *     cc -DFUZZ_MAIN -I. tests/fuzz_npz.c data/[a-z]*.c -lm -o fuzz_npz && ./fuzz_npz FILE ...      (without libFuzzer) */
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

#ifdef FUZZ_MAIN
int main(int argc, char **argv)
{
    static uint8_t bytes[1 << 20];
    int i;
    for (i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return 2;
        }
        LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, file));
        fclose(file);
    }
    printf("%d files\n", argc - 1);
    return 0;
}
#endif
