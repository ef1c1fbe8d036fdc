/* test_npz.c - npy and npz files, read and written.
 *
 * The files are made here byte by byte, so that no NumPy is needed (tests/test_npz.py compares with NumPy). Bad files are
 * judged by the exact line that is said about them. */
#include "greatest.h"

#include "../data/data.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef FER_PURE_C99
#define FOLDER "."
#else
#define FOLDER "npz"
#endif
#define FILE_PATH FOLDER "/t.npz"

static struct fer_error error;

static void make_folder(void *unused)
{
    (void)unused;
    error.text[0] = 0;
    fer_make_folder(FOLDER, NULL);
}

static void remove_folder(void *unused)
{
    (void)unused;
    remove(FILE_PATH);
    remove(FILE_PATH ".part");
    fer_remove_folder(FOLDER);
}

/* ---- files made by hand ---- */

struct bytes {
    unsigned char at[8192];
    size_t count;
};

static void add(struct bytes *f, const void *bytes, size_t count)
{
    if (count > sizeof f->at - f->count) {
        fprintf(stderr, "test_npz: struct bytes is too small\n");
        exit(2);
    }
    if (count) memcpy(f->at + f->count, bytes, count);
    f->count += count;
}

static void set_number(unsigned char *at, uint64_t value, int bytes)
{
    for (; bytes; bytes--, value >>= 8) *at++ = (unsigned char)(value & 255);
}

static void add_number(struct bytes *f, uint64_t value, int bytes)
{
    unsigned char number[8];
    set_number(number, value, bytes);
    add(f, number, (size_t)bytes);
}

static void add_npy(struct bytes *f, int version, const char *header, const void *values, size_t count)
{
    add(f, "\x93NUMPY", 6);
    add_number(f, (uint64_t)version, 2);
    add_number(f, strlen(header), version == 1 ? 2 : 4);
    add(f, header, strlen(header));
    add(f, values, count);
}

static struct bytes npy_of(int version, const char *header, const void *values, size_t count)
{
    struct bytes f = {{0}, 0};
    add_npy(&f, version, header, values, count);
    return f;
}

/* An entry of a zip file. crc is of the inflated bytes. */
struct part {
    const char *name;
    unsigned method;
    const unsigned char *packed;
    size_t packed_count, size;
    uint32_t crc;
    size_t offset;
};

static struct part stored(const char *name, const struct bytes *npy)
{
    struct part part = {NULL, 0, NULL, 0, 0, 0, 0};
    part.name = name;
    part.packed = npy->at;
    part.packed_count = part.size = npy->count;
    part.crc = fer_crc32(0, npy->at, npy->count);
    return part;
}

static void add_header(struct bytes *f, const struct part *part)
{
    add_number(f, 20, 2);
    add_number(f, 0, 2);
    add_number(f, part->method, 2);
    add_number(f, 0, 2);
    add_number(f, 1 << 5 | 1, 2);
    add_number(f, part->crc, 4);
    add_number(f, part->packed_count, 4);
    add_number(f, part->size, 4);
    add_number(f, strlen(part->name), 2);
    add_number(f, 0, 2);
}

static void add_locals(struct bytes *f, struct part *parts, int count)
{
    int i;
    for (i = 0; i < count; i++) {
        parts[i].offset = f->count;
        add(f, "PK\3\4", 4);
        add_header(f, &parts[i]);
        add(f, parts[i].name, strlen(parts[i].name));
        add(f, parts[i].packed, parts[i].packed_count);
    }
}

static void add_directory(struct bytes *f, const struct part *parts, int count)
{
    const size_t directory = f->count;
    size_t size;
    int i;
    for (i = 0; i < count; i++) {
        add(f, "PK\1\2", 4);
        add_number(f, 45, 2);
        add_header(f, &parts[i]);
        add_number(f, 0, 2 + 2 + 2);
        add_number(f, 0, 4);
        add_number(f, parts[i].offset, 4);
        add(f, parts[i].name, strlen(parts[i].name));
    }
    size = f->count - directory;
    add(f, "PK\5\6", 4);
    add_number(f, 0, 2 + 2);
    add_number(f, (uint64_t)count, 2);
    add_number(f, (uint64_t)count, 2);
    add_number(f, size, 4);
    add_number(f, directory, 4);
    add_number(f, 0, 2);
}

static struct bytes zip_of(struct part *parts, int count)
{
    struct bytes f = {{0}, 0};
    add_locals(&f, parts, count);
    add_directory(&f, parts, count);
    return f;
}

static void write_file(const struct bytes *f)
{
    FILE *file = fopen(FILE_PATH, "wb");
    if (!file || fwrite(f->at, 1, f->count, file) != f->count || fclose(file)) {
        fprintf(stderr, "test_npz: cannot write " FILE_PATH "\n");
        exit(2);
    }
}

static struct bytes read_file(void)
{
    struct bytes f = {{0}, 0};
    FILE *file = fopen(FILE_PATH, "rb");
    if (file) {
        f.count = fread(f.at, 1, sizeof f.at, file);
        fclose(file);
    }
    return f;
}

static struct fer_npz *open_bytes(const struct bytes *f)
{
    struct fer_npz *npz;
    write_file(f);
    if (fer_npz_open(&npz, FILE_PATH, &error)) printf("%s\n", error.text);
    return npz;
}

/* What is said about a file when it is opened and all its arrays are read, behind "FILE: "; "" when all is well. */
static const char *verdict(const struct bytes *f)
{
    static double values[1000];
    struct fer_npz *npz;
    size_t i;
    error.text[0] = 0;
    write_file(f);
    if (fer_npz_open(&npz, FILE_PATH, &error) == 0)
        for (i = 0; i < fer_npz_count(npz) && !error.text[0]; i++)
            if (fer_npz_at(npz, i)->count <= 1000) fer_npz_read_double(npz, fer_npz_at(npz, i), values, &error);
    fer_npz_close(npz);
    if (!error.text[0]) return "";
    return strncmp(error.text, FILE_PATH ": ", sizeof FILE_PATH + 1) == 0 ? error.text + sizeof FILE_PATH + 1 : error.text;
}

static const char numbers[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
static const unsigned char one_two_three[12] = {0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64};

/* ---- digests ---- */

TEST crc32_gives_the_check_value(void)
{
    unsigned char bytes[300];
    size_t i, k;
    uint32_t whole, slow = 0xffffffffu;
    ASSERT_EQ(0xcbf43926u, fer_crc32(0, "123456789", 9));
    ASSERT_EQ(0u, fer_crc32(0, "", 0));
    for (i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * i + 7 * i);
    for (i = 0; i < sizeof bytes; i++) /* bit by bit */
        for (k = 0, slow ^= bytes[i]; k < 8; k++) slow = slow >> 1 ^ (slow & 1 ? 0xedb88320u : 0);
    whole = fer_crc32(0, bytes, sizeof bytes);
    ASSERT_EQ(~slow, whole);
    for (i = 0; i < 20; i++) ASSERT_EQ(whole, fer_crc32(fer_crc32(0, bytes, i), bytes + i, sizeof bytes - i));
    PASS();
}

TEST crc32_of_reals_is_that_of_their_bytes(void)
{
    real x[2000];
    size_t i;
    for (i = 0; i < 2000; i++) x[i] = (real)1.0;
    for (i = 0; i < 2000; i += 7) x[i] = (real)-2.5;
    ASSERT_EQ(fer_crc32_values(0, x, sizeof *x, 2000), fer_crc32_reals(0, x, 2000));
    ASSERT_EQ(fer_crc32_reals(0, x, 2000), fer_crc32_reals(fer_crc32_reals(0, x, 1234), x + 1234, 2000 - 1234));
#ifdef FER_DOUBLE
    ASSERT_EQ(fer_crc32(0, "\0\0\0\0\0\0\4\300\0\0\0\0\0\0\360\77", 16), fer_crc32_reals(0, x, 2));
#else
    ASSERT_EQ(fer_crc32(0, "\0\0\40\300\0\0\200\77", 8), fer_crc32_reals(0, x, 2));
#endif
    PASS();
}

/* ---- values ---- */

/* One value of a type: its bytes, most significant first, and what it is, as real (float32 build) and as double. */
static const struct {
    const char *type;
    const char *bytes;
    float single;
    double value;
} known_values[] = {
    {"f2", "\x00\x01", 5.9604644775390625e-8f, 5.9604644775390625e-8},  /* the smallest */
    {"f2", "\x83\xff", -6.09755516052246094e-5f, -6.09755516052246094e-5}, /* the largest subnormal, negative */
    {"f2", "\x04\x00", 6.103515625e-5f, 6.103515625e-5},
    {"f2", "\x3c\x01", 1.0009765625f, 1.0009765625},
    {"f2", "\x7b\xff", 65504.0f, 65504.0},
    {"f2", "\xc1\x00", -2.5f, -2.5},
    {"f4", "\x3f\x80\x00\x01", 1.00000011920928955f, 1.00000011920928955},
    {"f4", "\x00\x00\x00\x01", 1.40129846432481707e-45f, 1.40129846432481707e-45},
    {"f8", "\x3f\xf0\x00\x00\x10\x00\x00\x00", 1.0f, 1.0000000596046448},                       /* a tie: to even */
    {"f8", "\x3f\xf0\x00\x00\x10\x00\x00\x01", 1.00000011920928955f, 1.0000000596046450},
    {"f8", "\xbf\xb9\x99\x99\x99\x99\x99\x9a", -0.1f, -0.1},
    {"b1", "\x00", 0.0f, 0.0},
    {"b1", "\x01", 1.0f, 1.0},
    {"i1", "\x80", -128.0f, -128.0},
    {"i1", "\x7f", 127.0f, 127.0},
    {"i2", "\xff\xfe", -2.0f, -2.0},
    {"i2", "\x80\x00", -32768.0f, -32768.0},
    {"i4", "\x80\x00\x00\x00", -2147483648.0f, -2147483648.0},
    {"i4", "\x01\x00\x00\x01", 16777216.0f, 16777217.0},                                        /* a tie */
    {"i4", "\x01\x00\x00\x03", 16777220.0f, 16777219.0},
    {"u4", "\x01\x00\x00\x01", 16777216.0f, 16777217.0},
    {"i8", "\x00\x00\x00\x00\x01\x00\x00\x01", 16777216.0f, 16777217.0}, /* 2^24 + 1: far below 2^53 */
    {"i8", "\x00\x00\x00\x00\x01\x00\x00\x03", 16777220.0f, 16777219.0},
    {"i8", "\xff\xff\xff\xff\xfe\xff\xff\xff", -16777216.0f, -16777217.0},
    {"u8", "\x00\x00\x00\x00\x01\x00\x00\x01", 16777216.0f, 16777217.0},
    {"u8", "\x00\x1f\xff\xff\xff\xff\xff\xff", 9007199254740992.0f, 9007199254740991.0},
    {"i8", "\xff\xff\xff\xff\xff\xff\xff\xff", -1.0f, -1.0},
    {"i8", "\x80\x00\x00\x00\x00\x00\x00\x00", -9223372036854775808.0f, -9223372036854775808.0},
    {"i8", "\x7f\xff\xff\xff\xff\xff\xff\xff", 9223372036854775808.0f, 9223372036854775808.0},
    {"i8", "\x00\x20\x00\x00\x00\x00\x00\x01", 9007199254740992.0f, 9007199254740992.0},        /* a tie in double */
    {"i8", "\x10\x00\x00\x10\x00\x00\x00\x01", 1152921642045800448.0f, 1152921573326323712.0},  /* not by way of double */
    {"i8", "\xef\xff\xff\xef\xff\xff\xff\xff", -1152921642045800448.0f, -1152921573326323712.0},
    {"u1", "\xff", 255.0f, 255.0},
    {"u2", "\xff\xff", 65535.0f, 65535.0},
    {"u4", "\xff\xff\xff\xff", 4294967296.0f, 4294967295.0},
    {"u8", "\xff\xff\xff\xff\xff\xff\xff\xff", 18446744073709551616.0f, 18446744073709551616.0},
    {"u8", "\x80\x00\x00\x80\x00\x00\x00\x01", 9223373136366403584.0f, 9223372586610589696.0},
    {"u8", "\x00\x00\x00\x00\x00\x00\x00\x05", 5.0f, 5.0},
};

TEST every_type_is_read_in_either_byte_order(void)
{
    size_t i, k, size;
    int big;
    for (i = 0; i < sizeof known_values / sizeof known_values[0]; i++)
        for (big = 0; big < 2; big++) {
            char header[100];
            unsigned char bytes[8];
            struct bytes f;
            struct fer_npz *npz;
            real x = 77;
            double y = 77;
            size = (size_t)(known_values[i].type[1] - '0');
            for (k = 0; k < size; k++) bytes[k] = (unsigned char)known_values[i].bytes[big ? k : size - 1 - k];
            snprintf(header, sizeof header, "{'descr': '%c%s', 'fortran_order': False, 'shape': (), }",
                     size == 1 ? '|' : big ? '>' : '<', known_values[i].type);
            f = npy_of(1, header, bytes, size);
            ASSERT((npz = open_bytes(&f)) != NULL);
            ASSERT_EQ(0, fer_npz_at(npz, 0)->dims);
            ASSERT_EQ(1, fer_npz_at(npz, 0)->count);
            ASSERT_EQ(0, fer_npz_read(npz, fer_npz_at(npz, 0), &x, &error));
            ASSERT_EQ(0, fer_npz_read_double(npz, fer_npz_at(npz, 0), &y, &error));
            fer_npz_close(npz);
            ASSERT_EQm(known_values[i].type, known_values[i].value, y);
            ASSERT_EQm(known_values[i].type, sizeof x == 4 ? (real)known_values[i].single : (real)known_values[i].value, x);
        }
    PASS();
}

TEST special_values_stay_what_they_are(void)
{
    /* infinity, minus infinity, not a number, minus zero in f2, f4, f8; and a double beyond float's range */
    static const uint64_t bits[3][4] = {
        {0x7c00, 0xfc00, 0x7e01, 0x8000},
        {0x7f800000, 0xff800000, 0x7fc00001, 0x80000000},
        {0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000001, 0x8000000000000000}};
    int t;
    for (t = 0; t < 3; t++) {
        const enum fer_type type = (enum fer_type)(FER_F2 + t);
        const real x = fer_value_real(type, bits[t][2]), zero = fer_value_real(type, bits[t][3]);
        const double y = fer_value_double(type, bits[t][2]), double_zero = fer_value_double(type, bits[t][3]);
        ASSERT(fer_value_double(type, bits[t][0]) > DBL_MAX && fer_value_double(type, bits[t][1]) < -DBL_MAX);
        ASSERT((double)fer_value_real(type, bits[t][0]) > DBL_MAX && (double)fer_value_real(type, bits[t][1]) < -DBL_MAX);
        ASSERT(x != x && y != y);
        ASSERT(zero == 0 && 1 / zero < 0 && double_zero == 0 && 1 / double_zero < 0);
    }
    if (sizeof(real) == 4) ASSERT((double)fer_value_real(FER_F8, 0x7e37e43c8800759cu) > DBL_MAX); /* 1e300 */
    PASS();
}

TEST fortran_order_is_turned_into_c_order(void)
{
    unsigned char bytes[24];
    struct bytes f;
    struct fer_npz *npz;
    double x[24];
    int i, j, k, at = 0;
    for (k = 0; k < 4; k++)
        for (j = 0; j < 3; j++)
            for (i = 0; i < 2; i++) bytes[at++] = (unsigned char)(i * 100 + j * 10 + k);
    f = npy_of(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", bytes, 24);
    ASSERT((npz = open_bytes(&f)) != NULL);
    ASSERT_EQ(0, fer_npz_read_double(npz, fer_npz_at(npz, 0), x, &error));
    fer_npz_close(npz);
    for (at = 0, i = 0; i < 2; i++)
        for (j = 0; j < 3; j++)
            for (k = 0; k < 4; k++) ASSERT_EQ(i * 100 + j * 10 + k, x[at++]);
    PASS();
}

/* ---- npy ---- */

TEST a_lone_npy_file_is_an_array_without_name(void)
{
    int version;
    for (version = 1; version <= 3; version++) {
        struct bytes f = npy_of(version, numbers, one_two_three, 12);
        struct fer_npz *npz = open_bytes(&f);
        const struct fer_array *a;
        real x[3];
        ASSERT(npz != NULL);
        ASSERT_EQ(1, fer_npz_count(npz));
        a = fer_npz_find(npz, "");
        ASSERT_EQ(fer_npz_at(npz, 0), a);
        ASSERT_EQ(NULL, fer_npz_find(npz, "a"));
        ASSERT_STR_EQ("", a->name);
        ASSERT_EQ(FER_F4, a->type);
        ASSERT_EQ(1, a->dims);
        ASSERT_EQ(3, a->shape[0]);
        ASSERT_EQ(0, fer_npz_read(npz, a, x, &error));
        ASSERT(x[0] == 1 && x[1] == 2 && x[2] == 3);
        ASSERT_EQ(-1, fer_npz_fail(npz, a, &error, "%d values; 4 were expected", 3));
        ASSERT_STR_EQ(FILE_PATH ": 3 values; 4 were expected", error.text);
        fer_npz_close(npz);
    }
    PASS();
}

TEST headers_are_read_however_they_are_set(void)
{
    static const char *const good[] = {
        "{'shape': (3,), 'descr': '<f4', 'fortran_order': False}\n",
        "{'fortran_order':True,'shape':(3,),'descr':'<f4'}",
        "  {  'descr'  :  '<f4'  ,  'fortran_order' : False , 'shape' : ( 3 , ) , }          \n",
        "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 3,), }",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (3, 2, 2)}",
        "{'descr': '<u1', 'fortran_order': False, 'shape': (12,)}", /* cnpy writes the order of single bytes, too */
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3L,), }", /* Python 2 */
        "{'descr': '<f2', 'fortran_order': True, 'shape': (3L, 2L)}\n",
        "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (3,)}",
        "{u'descr': u'<f4', u'fortran_order': False, u'shape': (3,)}",
        "{\n\t'descr': '<f4',\r\n\t'fortran_order': False,\n\t'shape': (\t3\t,\n)\n}\n\n \t\n",
        "{'descr': 'f4', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '=f4', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '|f4', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': 'float32', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '|b', 'fortran_order': False, 'shape': (12,)}",
        "{'descr': 'B', 'fortran_order': False, 'shape': (12,)}",
        "{'descr': '?', 'fortran_order': False, 'shape': (12,)}",
        "{'descr': 'uint16', 'fortran_order': False, 'shape': (6,)}"};
    size_t i;
    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct bytes f = npy_of(1, good[i], one_two_three, 12);
        ASSERT_STR_EQ("", verdict(&f));
    }
    PASS();
}

#define TYPE_WANTED "; one of |b1, |i1, |u1, or < or > before f2, f4, f8, i2, i4, i8, u2, u4, u8 was expected"

static const char *const bad_headers[][2] = {
    {"", "bad npy header: it does not begin with {"},
    {"[]", "bad npy header: it does not begin with {"},
    {"{}", "bad npy header: the key descr is missing"},
    {"{'descr': '<f4'}", "bad npy header: the key fortran_order is missing"},
    {"{'descr': '<f4', 'fortran_order': False}", "bad npy header: the key shape is missing"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'descr': '<f4'}",
     "bad npy header: the key descr stands twice"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': 1}",
     "bad npy header: unknown key 'more'; descr, fortran_order and shape were expected"},
    {"{'descr': '<f4' 'fortran_order': False, 'shape': (3,)}", "bad npy header: , or } was expected after a value"},
    {"{'descr' '<f4'}", "bad npy header: 'key': value was expected"},
    {"{descr: '<f4'}", "bad npy header: 'key': value was expected"},
    {"{,}", "bad npy header: 'key': value was expected"},
    {"{'descr", "bad npy header: 'key': value was expected"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)", "bad npy header: , or } was expected after a value"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} x",
     "bad npy header: only spaces and a newline were expected after }"},
    {"{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}", "bad npy header: fortran_order is neither True nor False"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': 3}", "bad npy header: shape is not a tuple such as (2, 3)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", "bad npy header: shape lacks the comma of a tuple, (3,)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3 1)}",
     "bad npy header: shape is not a tuple of sizes such as (2, 3)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
     "bad npy header: shape is not a tuple of sizes such as (2, 3)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
     "bad npy header: shape is not a tuple of sizes such as (2, 3)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (03,)}",
     "bad npy header: shape is not a tuple of sizes such as (2, 3)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3.,)}",
     "bad npy header: shape is not a tuple of sizes such as (2, 3)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
     "its shape is too large for this machine"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
     "its shape is too large for this machine"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}",
     "its shape is too large for this machine"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,3)}",
     "more than 32 dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "its values have 12 bytes; its shape and type need 8"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", "its values have 12 bytes; its shape and type need 16"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (268435456,)}",
     "its values have 12 bytes; its shape and type need 1073741824"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}", "its values have 12 bytes; its shape and type need 0"},
    {"{'descr': '<<f4', 'fortran_order': False, 'shape': (3,)}", "type '<<f4'" TYPE_WANTED},
    {"{'descr': '<float32', 'fortran_order': False, 'shape': (3,)}", "type '<float32'" TYPE_WANTED},
    {"{'descr': 'f4L', 'fortran_order': False, 'shape': (3,)}", "type 'f4L'" TYPE_WANTED},
    {"{'descr': '<f4\", 'fortran_order': False, 'shape': (3,)}", "type '<f4\", '" TYPE_WANTED},
    {"{'descr': '<f4\n', 'fortran_order': False, 'shape': (3,)}",
     "its elements are not plain numbers; a type such as '<f4' was expected"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3LL,)}",
     "bad npy header: shape is not a tuple of sizes such as (2, 3)"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (L,)}",
     "bad npy header: shape is not a tuple of sizes such as (2, 3)"},
    {"{'descr': '<f3', 'fortran_order': False, 'shape': (3,)}", "type '<f3'" TYPE_WANTED},
    {"{'descr': '<f16', 'fortran_order': False, 'shape': (3,)}", "type '<f16'" TYPE_WANTED},
    {"{'descr': '<c8', 'fortran_order': False, 'shape': (3,)}", "type '<c8'" TYPE_WANTED},
    {"{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", "type '|O'" TYPE_WANTED},
    {"{'descr': '<U1', 'fortran_order': False, 'shape': (3,)}", "type '<U1'" TYPE_WANTED},
    {"{'descr': '|S12', 'fortran_order': False, 'shape': (1,)}", "type '|S12'" TYPE_WANTED},
    {"{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1,)}", "type '<M8[D]'" TYPE_WANTED},
    {"{'descr': '', 'fortran_order': False, 'shape': (3,)}", "type ''" TYPE_WANTED},
    {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}",
     "its elements are not plain numbers; a type such as '<f4' was expected"},
};

TEST bad_headers_are_refused(void)
{
    size_t i;
    for (i = 0; i < sizeof bad_headers / sizeof bad_headers[0]; i++) {
        struct bytes f = npy_of(1, bad_headers[i][0], one_two_three, 12);
        ASSERT_STR_EQ(bad_headers[i][1], verdict(&f));
    }
    PASS();
}

TEST damaged_npy_files_are_refused(void)
{
    struct bytes f = npy_of(1, numbers, one_two_three, 12);
    f.at[6] = 4;
    ASSERT_STR_EQ("npy version 4.0; 1.0, 2.0 or 3.0 was expected", verdict(&f));
    f.at[6] = f.at[7] = 1;
    ASSERT_STR_EQ("npy version 1.1; 1.0, 2.0 or 3.0 was expected", verdict(&f));
    f.at[7] = 0;
    f.at[8] = 200;
    ASSERT_STR_EQ("an npy header of 200 bytes; at most 10000, and of 79 in all, was expected", verdict(&f));
    f.at[9] = 200;
    ASSERT_STR_EQ("an npy header of 51400 bytes; at most 10000, and of 79 in all, was expected", verdict(&f));
    f = npy_of(2, numbers, one_two_three, 12);
    set_number(f.at + 8, 0xffffffff, 4);
    ASSERT_STR_EQ("an npy header of 4294967295 bytes; at most 10000, and of 81 in all, was expected", verdict(&f));
    f = npy_of(1, numbers, one_two_three, 12);
    f.at[20] = 0;
    ASSERT_STR_EQ("bad npy header: it holds a zero byte", verdict(&f));
    f.count = 11;
    ASSERT_STR_EQ("11 bytes are too few for an npy file", verdict(&f));
    f.count = 0;
    add(&f, "version https://git-lfs.github.com/spec/v1\n", 43);
    ASSERT_STR_EQ("is no npy or npz file, but a Git LFS pointer, not the file itself: `git lfs pull` fetches that", verdict(&f));
    f = npy_of(1, numbers, one_two_three, 5);
    f.count = 5;
    ASSERT_STR_EQ("neither an npy file nor a whole npz file (no zip end record)", verdict(&f));
    f.count = 0;
    ASSERT_STR_EQ("neither an npy file nor a whole npz file (no zip end record)", verdict(&f));
    PASS();
}

TEST a_file_that_is_not_there_is_refused(void)
{
    struct fer_npz *npz;
    ASSERT_EQ(-1, fer_npz_open(&npz, FOLDER "/none.npz", &error));
    ASSERT_EQ(NULL, npz);
    ASSERT_STR_EQ(FOLDER "/none.npz: cannot be opened: No such file or directory", error.text);
    ASSERT_EQ(-1, fer_npz_open(&npz, FOLDER "/none.npz", NULL));
    fer_npz_close(NULL);
    PASS();
}

/* ---- npz ---- */

TEST arrays_are_found_by_name(void)
{
    static const char words[] = "no array";
    const struct bytes a = npy_of(1, numbers, one_two_three, 12),
                       b = npy_of(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", "\1\2\3\4\5\6", 6),
                       none = npy_of(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 0), }", "", 0);
    struct part parts[5];
    struct bytes f;
    struct fer_npz *npz;
    real x[6];
    parts[0] = stored("z/kernel.npy", &a);
    parts[1] = stored("words.txt", &a);
    parts[1].packed = (const unsigned char *)words;
    parts[1].packed_count = parts[1].size = 8;
    parts[1].method = 99; /* nobody looks at it */
    parts[2] = stored("b.npy", &b);
    parts[3] = stored("c.npy.npy", &none);
    parts[4] = stored("folder/", &none);
    parts[4].packed_count = parts[4].size = 0;
    f = zip_of(parts, 5);
    ASSERT((npz = open_bytes(&f)) != NULL);
    ASSERT_EQ(3, fer_npz_count(npz));
    ASSERT_STR_EQ("z/kernel", fer_npz_at(npz, 0)->name);
    ASSERT_EQ(fer_npz_at(npz, 0), fer_npz_find(npz, "z/kernel"));
    ASSERT_EQ(fer_npz_at(npz, 1), fer_npz_find(npz, "b"));
    ASSERT_EQ(fer_npz_at(npz, 2), fer_npz_find(npz, "c.npy"));
    ASSERT_EQ(NULL, fer_npz_find(npz, "c"));
    ASSERT_EQ(NULL, fer_npz_find(npz, "b.npy"));
    ASSERT_EQ(0, fer_npz_at(npz, 2)->count);
    ASSERT_EQ(0, fer_npz_read(npz, fer_npz_at(npz, 2), x, &error));
    ASSERT_EQ(0, fer_npz_read(npz, fer_npz_at(npz, 1), x, &error));
    ASSERT(x[0] == 1 && x[5] == 6);
    ASSERT_EQ(0, fer_npz_read(npz, fer_npz_at(npz, 0), x, &error));
    ASSERT(x[0] == 1 && x[2] == 3);
    fer_npz_fail(npz, fer_npz_at(npz, 0), &error, "shape (%d,); (4,) was expected", 3);
    ASSERT_STR_EQ(FILE_PATH ": z/kernel: shape (3,); (4,) was expected", error.text);
    fer_npz_close(npz);
    PASS();
}

TEST an_npz_may_be_empty_or_have_a_comment(void)
{
    const struct bytes npy = npy_of(1, numbers, one_two_three, 12);
    struct part part = stored("a.npy", &npy);
    struct bytes f = zip_of(&part, 0);
    f = zip_of(NULL, 0);
    ASSERT_STR_EQ("", verdict(&f));
    f = zip_of(&part, 1);
    set_number(f.at + f.count - 2, 30, 2);
    add(&f, "PK\5\6 is not an end record here ", 30);
    ASSERT_STR_EQ("", verdict(&f));
    f = zip_of(&part, 1);
    add(&f, "\r\n", 2); /* a comment of no bytes, and two bytes more */
    ASSERT_STR_EQ("", verdict(&f));
    PASS();
}

TEST entries_may_lack_npy(void)
{
    const struct bytes npy = npy_of(1, numbers, one_two_three, 12);
    struct part parts[3];
    struct bytes f;
    struct fer_npz *npz;
    real x[3];
    parts[0] = stored("a", &npy);
    parts[1] = stored("words", &npy);
    parts[1].packed++; /* the first byte is another */
    parts[1].packed_count = --parts[1].size;
    parts[2] = stored("a/npy", &npy);
    f = zip_of(parts, 3);
    ASSERT((npz = open_bytes(&f)) != NULL);
    ASSERT_EQ(2, fer_npz_count(npz));
    ASSERT_EQ(fer_npz_at(npz, 0), fer_npz_find(npz, "a"));
    ASSERT_EQ(fer_npz_at(npz, 1), fer_npz_find(npz, "a/npy"));
    ASSERT_EQ(0, fer_npz_read(npz, fer_npz_at(npz, 1), x, &error));
    ASSERT(x[0] == 1 && x[2] == 3);
    fer_npz_close(npz);
    parts[2] = stored("a.npy", &npy);
    f = zip_of(parts, 3);
    ASSERT_STR_EQ("a: the name stands twice", verdict(&f));
    PASS();
}

/* An array that cannot be read is no fault of the others; whoever asks for it is told why. */
TEST arrays_that_cannot_be_read_are_refused_alone(void)
{
    static const char *const lines[] = {
        FILE_PATH ": text: type '<U1'; one of |b1, |i1, |u1, or < or > before f2, f4, f8, i2, i4, i8, u2, u4, u8 "
                  "was expected",
        FILE_PATH ": packed: it is packed by method 12; 0 (stored) or 8 (deflated) was expected",
        FILE_PATH ": short: its values have 12 bytes; its shape and type need 16"};
    const struct bytes text = npy_of(1, "{'descr': '<U1', 'fortran_order': False, 'shape': (3,), }", one_two_three, 12),
                       four = npy_of(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", one_two_three, 12),
                       good = npy_of(1, numbers, one_two_three, 12);
    struct part parts[4];
    struct bytes f;
    struct fer_npz *npz;
    real x[3] = {0};
    size_t i;
    parts[0] = stored("text.npy", &text);
    parts[1] = stored("packed.npy", &good);
    parts[1].method = 12;
    parts[2] = stored("short.npy", &four);
    parts[3] = stored("good.npy", &good);
    f = zip_of(parts, 4);
    ASSERT((npz = open_bytes(&f)) != NULL);
    ASSERT_EQ(4, fer_npz_count(npz));
    for (i = 0; i < 3; i++) {
        ASSERT_EQ(0, fer_npz_at(npz, i)->count);
        ASSERT_EQ(-1, fer_npz_read(npz, fer_npz_at(npz, i), x, &error));
        ASSERT_STR_EQ(lines[i], error.text);
        ASSERT_EQ(-1, fer_npz_fail(npz, fer_npz_at(npz, i), &error, "another shape"));
        ASSERT_STR_EQ(lines[i], error.text);
    }
    ASSERT_EQ(0, fer_npz_read(npz, fer_npz_find(npz, "good"), x, &error));
    ASSERT(x[0] == 1 && x[2] == 3);
    fer_npz_close(npz);
    PASS();
}

/* np.save into one open file, twice: np.load gives the first array. */
TEST of_several_arrays_in_an_npy_file_the_first_is_read(void)
{
    struct bytes f = npy_of(1, numbers, one_two_three, 12);
    add_npy(&f, 1, numbers, one_two_three, 12);
    ASSERT_STR_EQ("", verdict(&f));
    f.at[f.count / 2] = 'x';
    ASSERT_STR_EQ("its values have 91 bytes; its shape and type need 12", verdict(&f));
    PASS();
}

/* npy of type u1, shape (300,), values i*i/50 % 7, as zlib deflates it with its fixed and with dynamic codes */
static const unsigned char fixed_codes[] = {
    155, 236, 23, 234, 27, 16, 201, 200, 96, 205, 80, 173, 158, 146, 90, 156, 92, 164, 110, 165, 160, 94, 83, 106,
    168, 174, 163, 160, 158, 150, 95, 84, 82, 148, 152, 23, 159, 95, 148, 146, 10, 18, 119, 75, 204, 41, 78, 5,
    138, 23, 103, 36, 22, 164, 2, 249, 26, 198, 6, 6, 58, 154, 58, 10, 181, 12, 80, 192, 200, 200, 196, 196,
    196, 204, 204, 194, 202, 202, 6, 98, 3, 25, 64, 154, 9, 68, 2, 217, 64, 130, 133, 149, 129, 145, 153, 21,
    72, 179, 193, 40, 22, 54, 38, 16, 98, 96, 102, 101, 100, 97, 96, 2, 17, 204, 108, 76, 172, 32, 6, 144,
    9, 132, 32, 154, 145, 149, 137, 141, 153, 1, 70, 49, 177, 1, 89, 204, 12, 96, 4, 100, 48, 178, 177, 48,
    1, 89, 80, 204, 194, 196, 8, 33, 216, 88, 89, 152, 97, 20, 19, 35, 144, 193, 198, 202, 202, 202, 2, 4,
    204, 48, 0, 226, 0, 197, 216, 192, 46, 133, 57, 21, 238, 98, 8, 193, 196, 12, 197, 96, 7, 131, 220, 12,
    70, 140, 16, 39, 179, 193, 221, 11, 118, 37, 204, 189, 64, 215, 195, 220, 203, 0, 118, 42, 200, 201, 32, 87,
    67, 92, 10, 0};
static const unsigned char dynamic_codes[] = {
    61, 142, 61, 14, 194, 48, 12, 70, 253, 19, 251, 28, 221, 2, 82, 7, 16, 27, 236, 108, 32, 22, 6, 38,
    84, 65, 17, 3, 162, 168, 133, 9, 56, 5, 23, 198, 78, 155, 58, 142, 191, 103, 79, 239, 183, 221, 111, 118,
    7, 132, 21, 188, 227, 185, 238, 78, 109, 92, 22, 241, 243, 154, 199, 178, 136, 151, 166, 125, 182, 213, 253, 216,
    180, 231, 218, 239, 235, 234, 214, 213, 118, 239, 174, 213, 163, 182, 125, 178, 152, 205, 202, 105, 89, 124, 97, 40,
    68, 34, 98, 14, 34, 234, 108, 96, 73, 62, 141, 109, 4, 1, 100, 177, 212, 28, 65, 201, 27, 88, 48, 0,
    249, 96, 37, 113, 48, 180, 231, 137, 66, 202, 144, 131, 212, 136, 33, 181, 1, 106, 32, 163, 225, 7, 194, 126,
    168, 4, 206, 65, 104, 160, 34, 18, 172, 56, 151, 47, 118, 211, 100, 154, 85, 71, 227, 126, 16, 15, 63, 9,
    187, 115, 106, 236, 149, 117, 244, 77, 150, 217, 215, 236, 179, 47, 36, 85, 87, 118, 235, 222, 244, 15};
static const char squares[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (300,), }";

/* The same, in plain blocks of 100 bytes. */
static struct bytes plain_blocks(const struct bytes *npy)
{
    struct bytes f = {{0}, 0};
    size_t i, n;
    for (i = 0; i < npy->count; i += n) {
        n = npy->count - i < 100 ? npy->count - i : 100;
        add_number(&f, i + n == npy->count, 1);
        add_number(&f, n, 2);
        add_number(&f, n ^ 0xffff, 2);
        add(&f, npy->at + i, n);
    }
    return f;
}

TEST deflated_arrays_are_read(void)
{
    unsigned char values[300];
    struct bytes npy, blocks, f;
    struct part parts[3];
    struct fer_npz *npz;
    real x[300];
    size_t i, k;
    for (i = 0; i < 300; i++) values[i] = (unsigned char)(i * i / 50 % 7);
    npy = npy_of(1, squares, values, 300);
    blocks = plain_blocks(&npy);
    parts[0] = stored("fixed.npy", &npy);
    parts[0].packed = fixed_codes;
    parts[0].packed_count = sizeof fixed_codes;
    parts[1] = stored("dynamic.npy", &npy);
    parts[1].packed = dynamic_codes;
    parts[1].packed_count = sizeof dynamic_codes;
    parts[2] = stored("plain.npy", &npy);
    parts[2].packed = blocks.at;
    parts[2].packed_count = blocks.count;
    for (k = 0; k < 3; k++) parts[k].method = 8;
    f = zip_of(parts, 3);
    ASSERT((npz = open_bytes(&f)) != NULL);
    for (k = 0; k < 3; k++) {
        ASSERT_EQ(300, fer_npz_at(npz, k)->count);
        ASSERT_EQm(error.text, 0, fer_npz_read(npz, fer_npz_at(npz, k), x, &error));
        for (i = 0; i < 300; i++) ASSERT_EQ(values[i], x[i]);
    }
    fer_npz_close(npz);
    f.at[parts[1].offset + 41 + 3] ^= 4;
    write_file(&f);
    ASSERT(strncmp(verdict(&f), "dynamic: its deflated bytes are damaged: ", 41) == 0);
    f.at[parts[0].offset + 39 + 200] ^= 4;
    ASSERT(strncmp(verdict(&f), "fixed: its deflated bytes are damaged: ", 39) == 0);
    PASS();
}

struct memory {
    const unsigned char *at;
    size_t left;
};

static size_t from_memory(void *context, unsigned char *bytes, size_t count)
{
    struct memory *m = context;
    if (count > m->left) count = m->left;
    if (count > 3) count = 3; /* small pieces */
    if (count) memcpy(bytes, m->at, count);
    m->at += count;
    m->left -= count;
    return count;
}

/* Deflated bytes, how many inflated ones are asked for, and what is wrong. */
static const struct {
    const char *bytes;
    size_t count, wanted;
    const char *wrong;
} bad_deflated[] = {
    {"", 0, 1, "they end early"},
    {"\x07", 1, 1, "a block has the unknown type 3"},
    {"\x01\x01\x00\x00\x00x", 6, 1, "the length of a stored block is damaged"},
    {"\x01\x05\x00\xfa\xff" "abcd", 9, 5, "they end early"},
    {"\x1b\x03", 2, 1, "a length has an unknown symbol"},
    {"\x03\x02", 2, 1, "a distance reaches before the beginning"},
    {"\x03\x3e", 2, 1, "a distance has an unknown symbol"},
    {"\xfd\x00\x00\x00", 4, 1, "a block announces more symbols than there are"},
    {"\x05\x1f\x00\x00", 4, 1, "a block announces more symbols than there are"},
    {"\x05\x00\x92\x04", 4, 1, "a prefix code has more symbols than there is room for"},
    {"\x05\x00\x00\x01", 4, 1, "a prefix code is not complete"},
    {"\x05\x00\x02\x24", 4, 1, "a code length is repeated before there is one"},
    {"\x05\x00\x80\x20", 4, 1, "a code stands for nothing"},
    {"\x05\x00\x80\xc0\xdf\x1f", 6, 1, "there are more code lengths than announced"},
    {"\x05\x00\x80\xc0\x5f\x1b", 6, 1, "a block has no code for its end"},
    {"\x05\x00\x80", 3, 1, "they end early"},
    {"\x4b\x04", 2, 2, "they end early"},
    {"\x03\x00", 2, 1, "they hold fewer bytes than the directory says"},
    {"\x4b\x04\x00", 3, 0, "they hold more bytes than the directory says"},
    {"\x4b\x04\x00\x00", 4, 1, "other bytes follow their end"},
    {"\x4b\x04\x00", 3, 1, NULL}, /* "a": nothing is wrong */
    {"\x03\x00", 2, 0, NULL},
};

TEST damaged_deflated_bytes_are_refused(void)
{
    struct fer_inflate *z = fer_inflate_create();
    unsigned char out[8];
    size_t i;
    ASSERT(z != NULL);
    for (i = 0; i < sizeof bad_deflated / sizeof bad_deflated[0]; i++) {
        struct memory m;
        const char *wrong;
        m.at = (const unsigned char *)bad_deflated[i].bytes;
        m.left = bad_deflated[i].count;
        fer_inflate_start(z, from_memory, &m);
        wrong = fer_inflate_read(z, out, bad_deflated[i].wanted);
        if (!wrong) wrong = fer_inflate_end(z);
        if (bad_deflated[i].wrong) ASSERT_STR_EQ(bad_deflated[i].wrong, wrong ? wrong : "nothing");
        else ASSERT_EQm(wrong, NULL, wrong);
    }
    fer_inflate_free(z);
    PASS();
}

/* 600 times "a", as zlib deflates it: one byte, then matches of 258, 258 and 83. */
TEST the_longest_match_is_258_bytes(void)
{
    static const char deflated[] = "\x4b\x4c\x1c\x05\xa3\x80\xfa\x00\x00";
    struct fer_inflate *z = fer_inflate_create();
    unsigned char out[600];
    struct memory m;
    size_t i;
    ASSERT(z != NULL);
    m.at = (const unsigned char *)deflated;
    m.left = sizeof deflated - 1;
    fer_inflate_start(z, from_memory, &m);
    ASSERT_EQ(NULL, fer_inflate_read(z, out, 600));
    ASSERT_EQ(NULL, fer_inflate_end(z));
    for (i = 0; i < 600; i++) ASSERT_EQ('a', out[i]);
    fer_inflate_free(z);
    PASS();
}

/* ---- damaged zip files: a good one, one array "a", with one number changed ---- */

enum where { IN_LOCAL, IN_DIRECTORY, IN_END };

static const struct {
    enum where where;
    int at, bytes;
    uint64_t value;
    const char *line;
} bad_zips[] = {
    {IN_LOCAL, 0, 4, 0, "a: damaged zip file: it does not begin where the directory says"},
    {IN_LOCAL, 26, 2, 4, "a: damaged zip file: it does not begin where the directory says"},
    {IN_LOCAL, 28, 2, 9999, "a: damaged zip file: it does not begin where the directory says"},
    {IN_LOCAL, 28, 2, 1, "a: damaged zip file: it reaches into the directory"},
    {IN_LOCAL, 30, 1, 'b', "a: damaged zip file: it has another name where it begins"},
    {IN_LOCAL, 34, 1, 'x', "a: damaged zip file: it has another name where it begins"},
    {IN_LOCAL, 35, 1, 'x', "a: not an npy file: it does not begin with \\x93NUMPY"},
    {IN_LOCAL, 35 + 67, 1, 9, "a: its bytes are damaged: their CRC is 9b3167b2; 06985d23 was expected"},
    {IN_DIRECTORY, 0, 4, 0, "damaged zip file: its directory is not one"},
    {IN_DIRECTORY, 8, 2, 1, "a: it is encrypted; plain data were expected"},
    {IN_DIRECTORY, 10, 2, 12, "a: it is packed by method 12; 0 (stored) or 8 (deflated) was expected"},
    {IN_DIRECTORY, 16, 4, 0xabc, "a: its bytes are damaged: their CRC is 06985d23; 00000abc was expected"},
    {IN_DIRECTORY, 20, 4, 70, "a: damaged zip file: 70 bytes in the file cannot hold 79 bytes"},
    {IN_DIRECTORY, 20, 4, 0xffffffff, "a: damaged zip file: 4294967295 bytes in the file cannot hold 79 bytes"},
    {IN_DIRECTORY, 28, 2, 6, "damaged zip file: its directory is not one"},
    {IN_DIRECTORY, 30, 2, 1, "damaged zip file: its directory is not one"},
    {IN_DIRECTORY, 32, 2, 1, "damaged zip file: its directory is not one"},
    {IN_DIRECTORY, 34, 2, 1, "it is one part of a zip file over several disks; a whole file was expected"},
    {IN_DIRECTORY, 42, 4, 1, "a: damaged zip file: it does not begin where the directory says"},
    {IN_DIRECTORY, 42, 4, 0xfffffff0, "a: damaged zip file: it does not begin where the directory says"},
    {IN_DIRECTORY, 42, 4, 114, "a: damaged zip file: it does not begin where the directory says"},
    {IN_DIRECTORY, 46, 1, 0, "its name holds a zero byte"},
    {IN_END, 0, 4, 0, "neither an npy file nor a whole npz file (no zip end record)"},
    {IN_END, 4, 2, 1, "it is one part of a zip file over several disks; a whole file was expected"},
    {IN_END, 6, 2, 1, "it is one part of a zip file over several disks; a whole file was expected"},
    {IN_END, 8, 2, 2, "it is one part of a zip file over several disks; a whole file was expected"},
    {IN_END, 8, 4, 0x20002, "damaged zip file: its directory is cut off"},
    {IN_END, 8, 4, 0, "damaged zip file: its directory goes on after its last entry"},
    {IN_END, 12, 4, 50, "damaged zip file: its directory does not end where its end record begins"},
    {IN_END, 12, 4, 0xffffffff, "damaged zip file: its directory does not end where its end record begins"},
    {IN_END, 16, 4, 113, "damaged zip file: its directory does not end where its end record begins"},
};

TEST damaged_zip_files_are_refused(void)
{
    const struct bytes npy = npy_of(1, numbers, one_two_three, 12);
    struct part part = stored("a.npy", &npy);
    const struct bytes good = zip_of(&part, 1);
    const size_t directory = 30 + 5 + npy.count, place[3] = {0, directory, directory + 46 + 5};
    size_t i;
    ASSERT_STR_EQ("", verdict(&good));
    for (i = 0; i < sizeof bad_zips / sizeof bad_zips[0]; i++) {
        struct bytes bad = good;
        set_number(bad.at + place[bad_zips[i].where] + bad_zips[i].at, bad_zips[i].value, bad_zips[i].bytes);
        ASSERT_STR_EQ(bad_zips[i].line, verdict(&bad));
    }
    PASS();
}

TEST bombs_are_refused(void)
{
    const struct bytes npy = npy_of(1, squares, NULL, 0);
    struct part part = stored("a.npy", &npy);
    struct bytes f;
    part.method = 8;
    part.packed = dynamic_codes;
    part.packed_count = sizeof dynamic_codes;
    part.size = sizeof dynamic_codes * 1032 + 1032;
    f = zip_of(&part, 1);
    ASSERT_STR_EQ("a: damaged zip file: 190 bytes in the file cannot hold 197112 bytes", verdict(&f));
    part.size = 369 + 1; /* one more than there are, and the npy header does not know it */
    f = zip_of(&part, 1);
    ASSERT_STR_EQ("a: its values have 301 bytes; its shape and type need 300", verdict(&f));
    PASS();
}

TEST a_name_that_stands_twice_is_refused(void)
{
    const struct bytes npy = npy_of(1, numbers, one_two_three, 12);
    struct part parts[3];
    struct bytes f;
    parts[0] = stored("a.npy", &npy);
    parts[1] = stored("b.npy", &npy);
    parts[2] = stored("a.npy", &npy);
    f = zip_of(parts, 3);
    ASSERT_STR_EQ("a: the name stands twice", verdict(&f));
    PASS();
}

TEST entries_on_one_another_are_refused(void)
{
    const struct bytes npy = npy_of(1, numbers, one_two_three, 12);
    struct part parts[2];
    struct bytes f = {{0}, 0};
    parts[0] = stored("a.npy", &npy);
    parts[1] = stored("b.npy", &npy);
    add_locals(&f, parts, 2);
    parts[0].packed_count = parts[0].size = npy.count + 1;
    add_directory(&f, parts, 2);
    ASSERT_STR_EQ("b: damaged zip file: it begins inside a", verdict(&f));
    PASS();
}

TEST names_with_a_zero_byte_are_refused(void)
{
    const struct bytes npy = npy_of(1, numbers, one_two_three, 12);
    struct part part = stored("abcd.npy", &npy);
    struct bytes f = zip_of(&part, 1);
    f.at[30 + 1] = f.at[f.count - 22 - 8 + 1] = 0;
    ASSERT_STR_EQ("a: its name holds a zero byte", verdict(&f));
    PASS();
}

TEST control_characters_reach_nobody(void)
{
    const struct bytes npy = npy_of(4, numbers, one_two_three, 12);
    struct part part = stored("\x1b[2J\n.npy", &npy);
    struct bytes f = zip_of(&part, 1);
    ASSERT_STR_EQ("?[2J?: npy version 4.0; 1.0, 2.0 or 3.0 was expected", verdict(&f));
    PASS();
}

/* ---- zip64 ---- */

/* A zip64 file of one array: its sizes and offset stand in an extra field, the directory's place in the zip64 end record. */
static struct bytes zip64_of(const struct bytes *npy)
{
    struct part part = stored("a.npy", npy);
    struct bytes f = {{0}, 0};
    size_t directory, end;
    add_locals(&f, &part, 1);
    directory = f.count;
    add_directory(&f, &part, 1);
    f.count -= 22;                                            /* without the end record */
    set_number(f.at + directory + 20, 0xffffffffffffffff, 8); /* packed, size */
    set_number(f.at + directory + 42, 0xffffffff, 4);         /* offset */
    set_number(f.at + directory + 30, 6 + 28, 2);             /* extra fields: one that means nothing, and zip64's */
    add(&f, "\7\7\2\0zz\1\0\30\0", 10);
    add_number(&f, npy->count, 8);
    add_number(&f, npy->count, 8);
    add_number(&f, 0, 8);
    end = f.count;
    add(&f, "PK\6\6", 4);
    add_number(&f, 44, 8);
    add_number(&f, 45 + (45 << 16), 4);
    add_number(&f, 0, 8);
    add_number(&f, 1, 8);
    add_number(&f, 1, 8);
    add_number(&f, end - directory, 8);
    add_number(&f, directory, 8);
    add(&f, "PK\6\7\0\0\0\0", 8);
    add_number(&f, end, 8);
    add_number(&f, 1, 4);
    add(&f, "PK\5\6\0\0\0\0\377\377\377\377\377\377\377\377\377\377\377\377\0\0", 22);
    return f;
}

static const struct {
    int from_end, bytes; /* from_end: bytes before the end of the file */
    uint64_t value;
    const char *line;
} bad_zip64[] = {
    {98, 4, 0, "damaged zip file: its zip64 end record is not where its locator says"},
    {94, 8, 45, "damaged zip file: its zip64 end record is not where its locator says"},
    {82, 4, 1, "it is one part of a zip file over several disks; a whole file was expected"},
    {78, 4, 1, "it is one part of a zip file over several disks; a whole file was expected"},
    {74, 8, 2, "it is one part of a zip file over several disks; a whole file was expected"},
    {58, 8, 1, "damaged zip file: its directory does not end where its end record begins"},
    {58, 8, 0xffffffffffffffff, "damaged zip file: its directory does not end where its end record begins"},
    {50, 8, 0xfffffffffffffff0, "damaged zip file: its directory does not end where its end record begins"},
    {42, 4, 0, "damaged zip file: its directory does not end where its end record begins"}, /* no locator */
    {38, 4, 1, "it is one part of a zip file over several disks; a whole file was expected"},
    {34, 8, 1, "damaged zip file: its zip64 end record is not where its locator says"},
    {34, 8, 0xffffffffffffffff, "damaged zip file: its zip64 end record is not before its locator"},
    {26, 4, 2, "it is one part of a zip file over several disks; a whole file was expected"},
    {124, 2, 24 + 1, "a: damaged zip file: an extra field is cut off"},
    {124, 2, 16, "a: damaged zip file: its zip64 field is too short"},
    {122, 8, 78, "a: damaged zip file: 79 bytes in the file cannot hold 78 bytes"},
    {106, 8, 0x8000000000000000, "a: damaged zip file: it does not begin where the directory says"},
};

TEST zip64_is_read(void)
{
    const struct bytes npy = npy_of(1, numbers, one_two_three, 12), good = zip64_of(&npy);
    size_t i;
    ASSERT_STR_EQ("", verdict(&good));
    for (i = 0; i < sizeof bad_zip64 / sizeof bad_zip64[0]; i++) {
        struct bytes bad = good;
        set_number(bad.at + bad.count - bad_zip64[i].from_end, bad_zip64[i].value, bad_zip64[i].bytes);
        ASSERT_STR_EQ(bad_zip64[i].line, verdict(&bad));
    }
    PASS();
}

/* ---- writing ---- */

static const size_t three[1] = {3}, two_by_two[2] = {2, 2};

static int write_two(struct fer_npz_writer *writer)
{
    static const float x[3] = {1, 2, 3};
    static const int64_t y[4] = {1, -1, 256, INT64_MIN};
    return fer_npz_write(writer, "layer/x", FER_F4, 1, three, x, &error) ||
           fer_npz_write(writer, "\303\244", FER_I8, 2, two_by_two, y, &error);
}

static const char *padded(char out[200], const char *header)
{
    snprintf(out, 200, "%-117s\n", header); /* 10 + 118 = 128 */
    return out;
}

TEST what_is_written_is_known_to_the_byte(void)
{
    struct fer_npz_writer *writer;
    char text[200];
    struct bytes x = npy_of(1, padded(text, numbers), one_two_three, 12), y, wanted, got;
    struct part parts[2];
    y = npy_of(1, padded(text, "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 2), }"),
               "\1\0\0\0\0\0\0\0\377\377\377\377\377\377\377\377\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\200", 32);
    parts[0] = stored("layer/x.npy", &x);
    parts[1] = stored("\303\244.npy", &y);
    wanted = zip_of(parts, 2);
    wanted.at[parts[1].offset + 7] = 8; /* the flag of a name in UTF-8 */
    wanted.at[wanted.count - 22 - 6 - 46 + 9] = 8;

    ASSERT_EQ(0, fer_npz_create(&writer, FILE_PATH, &error));
    ASSERT_EQm(error.text, 0, write_two(writer));
    ASSERT_EQm(error.text, 0, fer_npz_commit(writer, &error));
    got = read_file();
    ASSERT_EQ(wanted.count, got.count);
    ASSERT_MEM_EQ(wanted.at, got.at, got.count);
    ASSERT_EQ(NULL, fopen(FILE_PATH ".part", "rb"));
    PASS();
}

TEST every_type_comes_back(void)
{
    static const double values[3] = {1, 100, 2};
    static const float f4[3] = {1, 100, 2};
    static const int8_t i1[3] = {1, 100, 2};
    static const int16_t i2[3] = {1, 100, 2};
    static const int32_t i4[3] = {1, 100, 2};
    static const int64_t i8[3] = {1, 100, 2};
    const void *const arrays[FER_U8 + 1] = {NULL, f4, values, NULL, i1, i2, i4, i8, i1, i2, i4, i8};
    struct fer_npz_writer *writer;
    struct fer_npz *npz;
    char name[4] = "t_";
    double x[3];
    size_t i;
    int t;
    ASSERT_EQ(0, fer_npz_create(&writer, FILE_PATH, &error));
    for (t = 0; t <= FER_U8; t++) {
        name[1] = (char)('a' + t);
        if (arrays[t]) ASSERT_EQ(0, fer_npz_write(writer, name, (enum fer_type)t, 1, three, arrays[t], &error));
    }
    ASSERT_EQ(0, fer_npz_write(writer, "scalar", FER_REAL_TYPE, 0, NULL, arrays[FER_REAL_TYPE], &error));
    ASSERT_EQ(0, fer_npz_commit(writer, &error));
    ASSERT_EQm(error.text, 0, fer_npz_open(&npz, FILE_PATH, &error));
    ASSERT_EQ(11, fer_npz_count(npz));
    for (i = 0; i < 10; i++) {
        ASSERT_EQ(fer_npz_at(npz, i)->name[1] - 'a', (int)fer_npz_at(npz, i)->type);
        ASSERT_EQ(0, fer_npz_read_double(npz, fer_npz_at(npz, i), x, &error));
        ASSERT(x[0] == 1 && x[1] == 100 && x[2] == 2);
    }
    ASSERT_EQ(0, fer_npz_find(npz, "scalar")->dims);
    fer_npz_close(npz);
    PASS();
}

/* 65535 entries are the most that fit without zip64. The lengths are those of the parts, so zip64 adds 76 bytes. */
TEST many_arrays_take_zip64(void)
{
    static const int8_t one = 1;
    size_t i, n;
    for (n = 65535; n <= 65536; n++) {
        struct fer_npz_writer *writer;
        struct fer_npz *npz;
        char name[16];
        FILE *file;
        ASSERT_EQ(0, fer_npz_create(&writer, FILE_PATH, &error));
        for (i = 0; i < n; i++) {
            snprintf(name, sizeof name, "%05u", (unsigned)i);
            ASSERT_EQ(0, fer_npz_write(writer, name, FER_I1, 0, NULL, &one, &error));
        }
        ASSERT_EQm(error.text, 0, fer_npz_commit(writer, &error));
        ASSERT((file = fopen(FILE_PATH, "rb")) != NULL);
        ASSERT_EQ(0, fseek(file, 0, SEEK_END));
        ASSERT_EQ((long)(n * (30 + 9 + 128 + 1 + 46 + 9) + 22 + (n == 65536 ? 76 : 0)), ftell(file));
        fclose(file);
        ASSERT_EQm(error.text, 0, fer_npz_open(&npz, FILE_PATH, &error));
        ASSERT_EQ(n, fer_npz_count(npz));
        ASSERT_EQ(fer_npz_at(npz, 65534), fer_npz_find(npz, "65534"));
        fer_npz_close(npz);
    }
    PASS();
}

TEST nothing_appears_before_the_commit(void)
{
    struct fer_npz_writer *writer;
    struct bytes old = {{'o', 'l', 'd'}, 3}, now;
    write_file(&old);
    ASSERT_EQ(0, fer_npz_create(&writer, FILE_PATH, &error));
    ASSERT_EQ(0, write_two(writer));
    now = read_file();
    ASSERT_EQ(3, now.count);
    fer_npz_abandon(writer);
    now = read_file();
    ASSERT_EQ(3, now.count);
    ASSERT_EQ(NULL, fopen(FILE_PATH ".part", "rb"));
    fer_npz_abandon(NULL);
    PASS();
}

/* Begins a file, and checks that `line` is said about an array, that the commit fails, and that the old file stays. */
static enum greatest_test_res refuses(const char *line, const char *name, enum fer_type type, int dims, const size_t *shape)
{
    struct fer_npz_writer *writer;
    struct bytes old = {{'o', 'l', 'd'}, 3}, now;
    write_file(&old);
    ASSERT_EQ(0, fer_npz_create(&writer, FILE_PATH, &error));
    ASSERT_EQ(0, write_two(writer));
    ASSERT_EQ(-1, fer_npz_write(writer, name, type, dims, shape, NULL, &error));
    ASSERT_STR_EQ(line, error.text);
    ASSERT_EQ(NULL, fopen(FILE_PATH ".part", "rb"));
    ASSERT(write_two(writer) != 0);
    ASSERT_EQ(-1, fer_npz_commit(writer, &error));
    ASSERT_STR_EQ(FILE_PATH ": writing it has failed before", error.text);
    now = read_file();
    ASSERT_EQ(3, now.count);
    PASS();
}

TEST arrays_that_cannot_be_written_are_refused(void)
{
    static const size_t large[2] = {SIZE_MAX / 4, 3};
    static char name[70000];
    char line[400];
    CHECK_CALL(refuses(FILE_PATH ": h: values of this type are not written", "h", FER_F2, 1, three));
    CHECK_CALL(refuses(FILE_PATH ": b: values of this type are not written", "b", FER_BOOL, 1, three));
    CHECK_CALL(refuses(FILE_PATH ": d: 33 dimensions; at most 32 were expected", "d", FER_F4, 33, three));
    CHECK_CALL(refuses(FILE_PATH ": l: its shape is too large for this machine", "l", FER_F4, 2, large));
    memset(name, 'n', sizeof name - 1);
    snprintf(line, sizeof line, FILE_PATH ": %.100s: a name of 69999 bytes; at most 65531 were expected", name);
    CHECK_CALL(refuses(line, name, FER_F4, 1, three));
    PASS();
}

TEST a_name_written_twice_fails_the_commit(void)
{
    struct fer_npz_writer *writer;
    ASSERT_EQ(0, fer_npz_create(&writer, FILE_PATH, &error));
    ASSERT_EQ(0, write_two(writer));
    ASSERT_EQ(0, write_two(writer));
    ASSERT_EQ(-1, fer_npz_commit(writer, &error));
    ASSERT_STR_EQ(FILE_PATH ": layer/x: the name has been written twice", error.text);
    ASSERT_EQ(NULL, fopen(FILE_PATH ".part", "rb"));
    PASS();
}

TEST a_path_that_cannot_be_written_is_refused(void)
{
    struct fer_npz_writer *writer;
    ASSERT_EQ(-1, fer_npz_create(&writer, FOLDER "/none/t.npz", &error));
    ASSERT_EQ(NULL, writer);
    ASSERT_STR_EQ(FOLDER "/none/t.npz.part: cannot be written: No such file or directory", error.text);
    PASS();
}

SUITE(suite_npz)
{
    SET_SETUP(make_folder, NULL);
    SET_TEARDOWN(remove_folder, NULL);
    RUN_TEST(crc32_gives_the_check_value);
    RUN_TEST(crc32_of_reals_is_that_of_their_bytes);
    RUN_TEST(every_type_is_read_in_either_byte_order);
    RUN_TEST(special_values_stay_what_they_are);
    RUN_TEST(fortran_order_is_turned_into_c_order);
    RUN_TEST(a_lone_npy_file_is_an_array_without_name);
    RUN_TEST(headers_are_read_however_they_are_set);
    RUN_TEST(bad_headers_are_refused);
    RUN_TEST(damaged_npy_files_are_refused);
    RUN_TEST(a_file_that_is_not_there_is_refused);
    RUN_TEST(arrays_are_found_by_name);
    RUN_TEST(an_npz_may_be_empty_or_have_a_comment);
    RUN_TEST(entries_may_lack_npy);
    RUN_TEST(arrays_that_cannot_be_read_are_refused_alone);
    RUN_TEST(of_several_arrays_in_an_npy_file_the_first_is_read);
    RUN_TEST(deflated_arrays_are_read);
    RUN_TEST(damaged_deflated_bytes_are_refused);
    RUN_TEST(the_longest_match_is_258_bytes);
    RUN_TEST(damaged_zip_files_are_refused);
    RUN_TEST(bombs_are_refused);
    RUN_TEST(a_name_that_stands_twice_is_refused);
    RUN_TEST(entries_on_one_another_are_refused);
    RUN_TEST(names_with_a_zero_byte_are_refused);
    RUN_TEST(control_characters_reach_nobody);
    RUN_TEST(zip64_is_read);
    RUN_TEST(what_is_written_is_known_to_the_byte);
    RUN_TEST(every_type_comes_back);
    RUN_TEST(many_arrays_take_zip64);
    RUN_TEST(nothing_appears_before_the_commit);
    RUN_TEST(arrays_that_cannot_be_written_are_refused);
    RUN_TEST(a_name_written_twice_fails_the_commit);
    RUN_TEST(a_path_that_cannot_be_written_is_refused);
}
