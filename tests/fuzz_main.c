/* fuzz_main.c - runs a fuzz target on files: by any compiler, and to see again what a fuzzer has found.
 *
 *     cc -I. tests/fuzz_npz.c tests/fuzz_main.c data/*.c data/*/*.c layers/numbers/*.c -lm -o fuzz_npz && ./fuzz_npz FILE ... */
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

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
