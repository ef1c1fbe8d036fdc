/* dataset.c - a set of faces in memory: how it grows, is chosen from, and becomes the batches that a network sees. */
#include "data.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fer_class_names[FER_CLASSES] = {"angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"};
const char *const fer_usage_names[FER_USAGES] = {"Training", "PublicTest", "PrivateTest"};

/* ---- A set that grows, and is given up ---- */

int fer_dataset_reserve(struct fer_growing *set, size_t pixels, struct fer_error *e)
{
    struct fer_dataset *data = set->data;
    const size_t needed = data->pixel_count + pixels;
    void *image, *bytes;
    if (pixels > SIZE_MAX - data->pixel_count) return fer_fail(e, "more pixels than this machine can address");
    if ((image = fer_grow(data->image, &set->image_room, data->count + 1, sizeof *data->image)) != NULL)
        data->image = image;
    if ((bytes = fer_grow(data->pixels, &set->pixel_room, needed, 1)) != NULL) data->pixels = bytes;
    return image && bytes ? 0 : fer_fail(e, "out of memory: %.1f MB are needed for images", (double)needed / 1e6);
}

void fer_dataset_append(struct fer_growing *set, int height, int width, int label, int usage)
{
    struct fer_dataset *data = set->data;
    struct fer_image *image = &data->image[data->count++];
    image->height = height;
    image->width = width;
    image->offset = data->pixel_count;
    image->label = (uint8_t)label;
    image->usage = (uint8_t)usage;
    data->pixel_count += (size_t)height * (size_t)width;
    data->usage_count[usage]++;
}

void fer_dataset_note(struct fer_dataset *data, const char *format, ...)
{
    size_t length = strlen(data->notes);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(data->notes + length, sizeof data->notes - length, format, arguments);
    va_end(arguments);
    fer_make_printable(data->notes + length);
    length = strlen(data->notes);
    if (length == sizeof data->notes - 1) length--; /* it is full, and cut short */
    memcpy(data->notes + length, "\n", 2);
}

void fer_dataset_shrink(struct fer_growing *set)
{
    struct fer_dataset *data = set->data;
    void *image = data->count ? realloc(data->image, data->count * sizeof *data->image) : NULL;
    void *pixels = data->pixel_count ? realloc(data->pixels, data->pixel_count) : NULL;
    if (image) data->image = image;
    if (pixels) data->pixels = pixels;
}

void fer_dataset_free(struct fer_dataset *data)
{
    free(data->image);
    free(data->pixels);
    memset(data, 0, sizeof *data);
}

/* ---- What is in it ---- */

uint32_t fer_dataset_digest(const struct fer_dataset *data)
{
    uint32_t crc = 0;
    size_t i;
    for (i = 0; i < data->count; i++) {
        const struct fer_image *image = &data->image[i];
        const uint32_t sides[2] = {(uint32_t)image->height, (uint32_t)image->width};
        unsigned char head[10];
        head[0] = image->label;
        head[1] = image->usage;
        fer_little_endian(head + 2, sides, sizeof *sides, 2);
        crc = fer_crc32(crc, head, sizeof head);
        crc = fer_crc32(crc, data->pixels + image->offset, (size_t)image->height * (size_t)image->width);
    }
    return crc;
}

void fer_dataset_select(const struct fer_dataset *data, enum fer_usage usage, size_t *index)
{
    size_t i, chosen = 0;
    for (i = 0; i < data->count; i++)
        if (data->image[i].usage == usage) index[chosen++] = i;
}

/* ---- Into a batch ---- */

/* Output cell o takes the input cell under its centre, (o + 1/2) * in/out. Pillow reaches that place by adding in/out
 * up, one output cell after the other, in double; the same sum is needed here, since near a cell's edge it decides.
 * The last place is in - in/out/2 with an error below out * in / 2^52: inside, for any size that fits into memory. */
void fer_image_scale(int height, int width, const uint8_t *pixels, size_t size, real *x)
{
    const real unit = (real)1 / (real)255;
    const double step_y = (double)height / (double)size, step_x = (double)width / (double)size;
    double place_y = step_y / 2, place_x;
    size_t row, column;
    int last = -1;
    for (row = 0; row < size; row++, place_y += step_y) {
        const int from = (int)place_y;
        const uint8_t *in = pixels + (size_t)from * (size_t)width;
        real *out = x + row * size;
        if (from == last) { /* the row above again */
            memcpy(out, out - size, size * sizeof *out);
            continue;
        }
        for (column = 0, place_x = step_x / 2; column < size; column++, place_x += step_x)
            out[column] = (real)in[(int)place_x] * unit;
        last = from;
    }
}

void fer_batch_fill(const struct fer_dataset *data, const size_t *index, size_t n, size_t size, real *x,
                    int *labels)
{
    size_t i;
#pragma omp parallel for
    for (i = 0; i < n; i++) {
        const struct fer_image *image = &data->image[index[i]];
        fer_image_scale(image->height, image->width, data->pixels + image->offset, size, x + i * size * size);
        if (labels) labels[i] = image->label;
    }
}
