/* fuzz_main.c - runs a fuzz target on files, by any compiler: to see again what a fuzzer has found. Compile it with
 * tests/fuzz_NAME.c and all C files of data/, data/page/ and layers/numbers/; then run it with the files' names. */
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
