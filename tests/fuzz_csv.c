/* fuzz_csv.c - the CSV reader against any bytes whatever. It must read or refuse with one line, and nothing else.
 * `make fuzz` builds and runs it; tests/fuzz_main.c runs it on files. */
#define _POSIX_C_SOURCE 200809L /* fmemopen */

#include "../data/data.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(int holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct fer_dataset data;
    struct fer_error e;
    size_t i, usage_sum = 0;
    FILE *file = count ? fmemopen((void *)(uintptr_t)bytes, count, "rb") : tmpfile();
    if (!file) return 0;
    memset(&data, 0, sizeof data);
    e.text[0] = 0;
    if (fer_csv_read(&data, file, "FILE", &e)) {
        check(strncmp(e.text, "FILE:", 5) == 0 && data.count == 0 && !data.pixels && !data.image);
    } else {
        check(data.count > 0);
        for (i = 0; i < data.count; i++) {
            const struct fer_image *image = &data.image[i];
            check(image->label < FER_CLASSES && image->usage < FER_USAGES && image->height == image->width);
            check(image->offset + (size_t)image->height * (size_t)image->width <= data.pixel_count);
        }
        for (i = 0; i < FER_USAGES; i++) usage_sum += data.usage_count[i];
        check(usage_sum == data.count);
        fer_dataset_digest(&data); /* touches every pixel */
        fer_dataset_free(&data);
    }
    fclose(file);
    return 0;
}
