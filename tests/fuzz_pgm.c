/* fuzz_pgm.c - the PGM reader against any bytes whatever. It must read or refuse with one line, and nothing else.
 * `make fuzz` builds and runs it; tests/fuzz_main.c runs it on files. */
#include "../data/data.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static real x[17 * 17];
    struct fer_error e;
    int height = 0, width = 0;
    uint8_t *pixels;
    e.text[0] = 0;
    if (fer_pgm_parse("FILE", bytes, count, &height, &width, &pixels, &e)) {
        if (strncmp(e.text, "FILE: ", 6) != 0 || pixels) abort();
    } else {
        /* No image may be larger than its file: it has a byte of text for each pixel at least. */
        if (height < 1 || width < 1 || (size_t)height * (size_t)width > count) abort();
        fer_crc32(0, pixels, (size_t)height * (size_t)width); /* touches every pixel */
        fer_image_scale(height, width, pixels, 17, x);
        fer_free(pixels);
    }
    return 0;
}
