/* foreign.c - what a file is that is not what was expected, by how it begins; and what to do with it. */
#include "data.h"

#include <string.h>

static const struct {
    size_t at; /* where these bytes stand in the file */
    const char *bytes;
    size_t length;
    const char *what;
} kinds[] = {
    {0, "PK\3\4", 4, "a zip file: unpack it (`unzip FILE`) and take what is in it"},
    {0, "PAR1", 4, "a Parquet file: pandas.read_parquet(FILE).to_csv(NEW, index=False) makes a CSV of it"},
    {0, "version https://git-lfs", 23, "a Git LFS pointer, not the file itself: `git lfs pull` fetches that"},
    {0, "\xfd" "7zXZ", 5, "packed by xz: `xz -d FILE` unpacks it"},
    {0, "BZh", 3, "packed by bzip2: `bzip2 -d FILE` unpacks it"},
    {0, "\x28\xb5\x2f\xfd", 4, "packed by zstd: `zstd -d FILE` unpacks it"},
    {0, "7z\xbc\xaf", 4, "a 7z archive: unpack it and take what is in it"},
    {0, "Rar!", 4, "a RAR archive: unpack it and take what is in it"},
    {257, "ustar", 5, "a tar archive: unpack it (`tar xf FILE`) and take what is in it"},
    {0, "\x89HDF", 4, "an HDF5 file, as Keras's .h5 is"},
    {0, FER_NPY_MAGIC, 6, "a NumPy array"},
    {0, "SQLite format 3", 15, "an SQLite database"},
    {0, "\xd0\xcf\x11\xe0", 4, "an Excel file: save it as CSV"},
    {0, "%PDF", 4, "a PDF file"},
    {0, "\xff\xfe", 2, "text in UTF-16: save it as UTF-8"},
    {0, "\xfe\xff", 2, "text in UTF-16: save it as UTF-8"},
    {0, "\xff\xd8\xff", 3, "a JPEG image: `mogrify -format png FILE` converts it"},
    {0, "GIF8", 4, "a GIF image: `mogrify -format png FILE` converts it"},
    {0, "RIFF", 4, "a WebP image: `mogrify -format png FILE` converts it"},
    {0, "II*\0", 4, "a TIFF image: `mogrify -format png FILE` converts it"},
    {0, "MM\0*", 4, "a TIFF image: `mogrify -format png FILE` converts it"},
    {0, "BM", 2, "a BMP image: `mogrify -format png FILE` converts it"},
    {0, "P1\n", 3, "a PBM image: `mogrify -format pgm FILE` converts it"},
    {0, "P3\n", 3, "a PPM image: `mogrify -format pgm FILE` converts it"},
    {0, "P4\n", 3, "a PBM image: `mogrify -format pgm FILE` converts it"},
    {0, "P6\n", 3, "a PPM image: `mogrify -format pgm FILE` converts it"},
    {0, FER_PNG_MAGIC, 8, "a PNG image"},
    {0, "P2\n", 3, "a PGM image"},
    {0, "P5\n", 3, "a PGM image"},
};

const char *fer_foreign_kind(const unsigned char *bytes, size_t count)
{
    size_t i;
    for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (count >= kinds[i].at + kinds[i].length && memcmp(bytes + kinds[i].at, kinds[i].bytes, kinds[i].length) == 0)
            return kinds[i].what;
    if (count >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) bytes += 3, count -= 3;
    while (count && (*bytes == ' ' || *bytes == '\t' || *bytes == '\r' || *bytes == '\n')) bytes++, count--;
    if (count && *bytes == '<') return "a web page, as a download gives that needs a login: fetch the file itself";
    if (count && *bytes == '{') return "JSON";
    return NULL;
}
