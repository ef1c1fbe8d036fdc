/* image.c - an image file, whatever it is: PGM or PNG, known by its first bytes, not by its name. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

/* Fails: the file is no image that is read. */
static int refuse(const char *path, const unsigned char *bytes, size_t count, struct fer_error *e)
{
    const char *kind = fer_foreign_kind(bytes, count);
    if (kind) return fer_fail(e, "%s: is no PGM or PNG image, but %s", path, kind);
    return fer_fail(e, "%s: %s, expected a PGM or PNG image", path, count ? "no image that fer reads" : "is empty");
}

int fer_image_read(const char *path, int *height, int *width, uint8_t **pixels, struct fer_error *e)
{
    unsigned char *bytes;
    size_t count;
    int failed = fer_file_bytes(path, &bytes, &count, e);
    *pixels = NULL;
    if (!failed) {
        if (count >= 8 && memcmp(bytes, FER_PNG_MAGIC, 8) == 0)
            failed = fer_png_parse(path, bytes, count, height, width, pixels, e);
        else if (count >= 2 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '5'))
            failed = fer_pgm_parse(path, bytes, count, height, width, pixels, e);
        else
            failed = refuse(path, bytes, count, e);
    }
    free(bytes);
    return failed;
}
