/* image.c - an image file, whatever it is: PGM or PNG, known by its first bytes, not by its name. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

/* Files of other kinds by their first bytes, so that the message can say what they are. */
static const struct {
    const char *begin;
    size_t length;
    const char *name;
} others[] = {{"\xff\xd8\xff", 3, "a JPEG image"}, {"GIF8", 4, "a GIF image"},         {"BM", 2, "a BMP image"},
              {"RIFF", 4, "a WebP image"},         {"II*\0", 4, "a TIFF image"},       {"MM\0*", 4, "a TIFF image"},
              {"P1", 2, "a PBM image"},            {"P3", 2, "a PPM image"},           {"P4", 2, "a PBM image"},
              {"P6", 2, "a PPM image"}};

/* Fails: the file is no image that is read. */
static int refuse(const char *path, const unsigned char *bytes, size_t count, struct fer_error *e)
{
    static const char pointer[] = "version https://git-lfs";
    size_t i;
    if (count >= sizeof pointer - 1 && memcmp(bytes, pointer, sizeof pointer - 1) == 0)
        return fer_fail(e, "%s: is a Git LFS pointer, expected the file itself: `git lfs pull` fetches it", path);
    for (i = 0; i < sizeof others / sizeof *others; i++)
        if (count >= others[i].length && memcmp(bytes, others[i].begin, others[i].length) == 0)
            return fer_fail(e, "%s: is %s, expected PGM or PNG; `mogrify -format png FILE` converts images", path,
                            others[i].name);
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
