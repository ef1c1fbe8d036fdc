/* npy.c - the header of an npy file, and values between their bytes in a file and numbers.
 *
 * An npy file is: the magic bytes 93 "NUMPY", the version (1.0, 2.0 or 3.0, a byte each), the length of the header (2
 * bytes, from version 2.0 on 4, little-endian), the header, the values. The header is a Python dict, filled up with
 * spaces and a newline, so that the values begin at a multiple of 64:
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include "data.h"

#include <string.h>

/* What NumPy calls them: fer writes the first name; the others, and any before or without <, >, = or |, it reads. */
static const struct {
    char name[3], letter[2];
    unsigned char size;
    char word[8];
} types[] = {{"f2", "e", 2, "float16"}, {"f4", "f", 4, "float32"}, {"f8", "d", 8, "float64"}, {"b1", "?", 1, "bool"},
             {"i1", "b", 1, "int8"},    {"i2", "h", 2, "int16"},   {"i4", "i", 4, "int32"},   {"i8", "q", 8, "int64"},
             {"u1", "B", 1, "uint8"},   {"u2", "H", 2, "uint16"},  {"u4", "I", 4, "uint32"},  {"u8", "Q", 8, "uint64"}};
#define TYPES ((int)(sizeof types / sizeof types[0]))

size_t fer_type_size(enum fer_type type)
{
    return types[type].size;
}

/* ---- the header, read ---- */

static void skip_spaces(const char **at)
{
    *at += strspn(*at, " \t\r\n");
}

/* Skips spaces, then one character if it is `c`. Returns whether it was. */
static int skip(const char **at, char c)
{
    skip_spaces(at);
    if (**at != c) return 0;
    ++*at;
    return 1;
}

/* 'text', "text" or Python 2's u'text' -> where it begins and its length. Returns whether there is such a string. */
static int parse_string(const char **at, const char **text, int *length)
{
    char end[] = "?\\\n"; /* what may not be in it */
    skip_spaces(at);
    if (**at == 'u') ++*at;
    if (**at != '\'' && **at != '"') return 0;
    end[0] = *(*at)++;
    *text = *at;
    *length = (int)strcspn(*at, end);
    *at += *length;
    return **at == end[0] && *(*at)++;
}

static int is_word(const char *text, int length, const char *word)
{
    return (size_t)length == strlen(word) && memcmp(text, word, (size_t)length) == 0;
}

/* The values are little-endian unless > says otherwise: so is what NumPy calls native on nearly every machine. */
static int parse_descr(const char **at, struct fer_array *array, struct fer_layout *layout, struct fer_error *reason)
{
    const char *text;
    int length, order, i;
    if (!parse_string(at, &text, &length))
        return fer_fail(reason, "its elements are not plain numbers; a type such as '<f4' was expected");
    order = length > 0 && memchr("<>=|", *text, 4) != NULL;
    for (i = 0; i < TYPES; i++)
        if (is_word(text + order, length - order, types[i].name) ||
            is_word(text + order, length - order, types[i].letter) || is_word(text, length, types[i].word))
            break;
    if (i == TYPES)
        return fer_fail(reason,
                        "type '%.*s'; one of |b1, |i1, |u1, or < or > before f2, f4, f8, i2, i4, i8, u2, u4, u8 "
                        "was expected",
                        length < 20 ? length : 20, text);
    array->type = (enum fer_type)i;
    layout->big_endian = *text == '>';
    return 0;
}

static int parse_fortran_order(const char **at, struct fer_layout *layout, struct fer_error *reason)
{
    skip_spaces(at);
    layout->fortran_order = strncmp(*at, "True", 4) == 0;
    if (!layout->fortran_order && strncmp(*at, "False", 5) != 0)
        return fer_fail(reason, "bad npy header: fortran_order is neither True nor False");
    *at += layout->fortran_order ? 4 : 5;
    return 0;
}

/* Digits, without leading zeros, as a size; SIZE_MAX when it is larger. Python 2 wrote 3L. Returns whether there is
 * such a number. */
static int parse_size(const char **at, size_t *size)
{
    const char *start;
    skip_spaces(at);
    start = *at;
    for (*size = 0; **at >= '0' && **at <= '9'; ++*at) {
        const size_t digit = (size_t)(**at - '0');
        *size = *size > (SIZE_MAX - digit) / 10 ? SIZE_MAX : *size * 10 + digit;
    }
    if (*at == start || (*start == '0' && *at > start + 1)) return 0;
    if (**at == 'L') ++*at;
    return 1;
}

/* (), (3,) or (2, 3) */
static int parse_shape(const char **at, struct fer_array *array, struct fer_error *reason)
{
    int comma = 1;
    if (!skip(at, '(')) return fer_fail(reason, "bad npy header: shape is not a tuple such as (2, 3)");
    for (array->dims = 0; !skip(at, ')'); array->dims++) {
        if (array->dims == FER_MAX_DIMS) return fer_fail(reason, "more than %d dimensions", FER_MAX_DIMS);
        if (!comma || !parse_size(at, &array->shape[array->dims]))
            return fer_fail(reason, "bad npy header: shape is not a tuple of sizes such as (2, 3)");
        comma = skip(at, ',');
    }
    if (array->dims == 1 && !comma) return fer_fail(reason, "bad npy header: shape lacks the comma of a tuple, (3,)");
    return fer_shape_count(array->dims, array->shape, &array->count, reason);
}

int fer_shape_count(int dims, const size_t *shape, size_t *count, struct fer_error *reason)
{
    size_t product = 1, zeros = 0;
    int i;
    for (i = 0; i < dims; i++) {
        if (shape[i] == 0)
            zeros++;
        else if (product > SIZE_MAX / 8 / shape[i])
            return fer_fail(reason, "its shape is too large for this machine");
        else
            product *= shape[i];
    }
    *count = zeros ? 0 : product;
    return 0;
}

static const char *const keys[3] = {"descr", "fortran_order", "shape"};

/* One 'key': value. seen[] counts what has been there. */
static int parse_item(const char **at, struct fer_array *array, struct fer_layout *layout, int seen[3],
                      struct fer_error *reason)
{
    const char *key;
    int length, k;
    if (!parse_string(at, &key, &length) || !skip(at, ':'))
        return fer_fail(reason, "bad npy header: 'key': value was expected");
    for (k = 0; k < 3; k++)
        if (is_word(key, length, keys[k])) break;
    if (k == 3)
        return fer_fail(reason, "bad npy header: unknown key '%.*s'; descr, fortran_order and shape were expected",
                        length < 40 ? length : 40, key);
    if (seen[k]++) return fer_fail(reason, "bad npy header: the key %s stands twice", keys[k]);
    skip_spaces(at);
    if (k == 0) return parse_descr(at, array, layout, reason);
    if (k == 1) return parse_fortran_order(at, layout, reason);
    return parse_shape(at, array, reason);
}

int fer_npy_parse(const char *text, struct fer_array *array, struct fer_layout *layout, struct fer_error *reason)
{
    const char *at = text;
    int seen[3] = {0, 0, 0}, comma = 1, k;
    if (!skip(&at, '{')) return fer_fail(reason, "bad npy header: it does not begin with {");
    while (!skip(&at, '}')) {
        if (!comma) return fer_fail(reason, "bad npy header: , or } was expected after a value");
        if (parse_item(&at, array, layout, seen, reason)) return -1;
        comma = skip(&at, ',');
    }
    for (k = 0; k < 3; k++)
        if (!seen[k]) return fer_fail(reason, "bad npy header: the key %s is missing", keys[k]);
    skip_spaces(&at);
    return *at ? fer_fail(reason, "bad npy header: only spaces and a newline were expected after }") : 0;
}

/* ---- the header, written ---- */

size_t fer_npy_format(unsigned char out[FER_NPY_ROOM], enum fer_type type, int dims, const size_t *shape)
{
    char *text = (char *)out + 10;
    const size_t room = FER_NPY_ROOM - 10;
    size_t length;
    int i;
    length = (size_t)snprintf(text, room, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                              types[type].size > 1 ? '<' : '|', types[type].name);
    for (i = 0; i < dims; i++) length += (size_t)snprintf(text + length, room - length, i ? ", %zu" : "%zu", shape[i]);
    length += (size_t)snprintf(text + length, room - length, dims == 1 ? ",), }" : "), }");
    while ((10 + length) % 64 != 63) text[length++] = ' ';
    text[length++] = '\n';
    memcpy(out, FER_NPY_MAGIC "\1\0", 8);
    out[8] = (unsigned char)(length & 255);
    out[9] = (unsigned char)(length >> 8);
    return 10 + length;
}

/* ---- values ---- */

uint64_t fer_value_bits(const unsigned char *bytes, size_t size, int big_endian)
{
    uint64_t bits = 0;
    size_t i;
    for (i = 0; i < size; i++) bits = bits << 8 | bytes[big_endian ? i : size - 1 - i];
    return bits;
}

/* 1 bit sign, 5 bits exponent, 10 bits fraction (IEEE 754 binary16), exactly. */
static double half(uint64_t bits)
{
    const uint64_t exponent = (bits >> 10) & 31, fraction = bits & 1023;
    uint64_t wide = (bits >> 15) << 63 | fraction << 42; /* the same in binary64: 11 and 52 bits */
    double x;
    if (exponent == 0)
        x = (bits >> 15 ? -1.0 : 1.0) * (double)fraction / 16777216.0; /* subnormal: times 2^-24 */
    else {
        wide |= (exponent == 31 ? 2047 : exponent + 1008) << 52;
        memcpy(&x, &wide, sizeof x);
    }
    return x;
}

/* Two's complement of 8 * size bits. */
static int64_t integer(uint64_t bits, size_t size)
{
    const uint64_t sign = (uint64_t)1 << (8 * size - 1);
    return bits & sign ? -(int64_t)(2 * sign - 1 - bits) - 1 : (int64_t)bits;
}

double fer_value_double(enum fer_type type, uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    double x;
    float f;
    switch (type) {
    case FER_F2: return half(bits);
    case FER_F4: memcpy(&f, &low, sizeof f); return (double)f;
    case FER_F8: memcpy(&x, &bits, sizeof x); return x;
    case FER_BOOL: return bits ? 1.0 : 0.0;
    case FER_I1:
    case FER_I2:
    case FER_I4:
    case FER_I8: return (double)integer(bits, types[type].size);
    default: return (double)bits;
    }
}

/* Some machines convert 64-bit integers to float by way of double, and so round twice. Here the bits that double has
 * no room for are gathered into its last one: that keeps a value above or below a tie of floats, and nothing is
 * rounded but once. */
static float integer_to_float(uint64_t magnitude)
{
    if (magnitude >> 53 == 0) return (float)(double)magnitude;
    return (float)((double)(magnitude >> 11 | ((magnitude & 2047) != 0)) * 2048.0);
}

/* All but the 64-bit integers are exact in double, so that the one rounding comes after it. */
real fer_value_real(enum fer_type type, uint64_t bits)
{
    if (sizeof(real) == sizeof(float) && type == FER_U8) return integer_to_float(bits);
    if (sizeof(real) == sizeof(float) && type == FER_I8)
        return bits >> 63 ? -integer_to_float(0 - bits) : integer_to_float(bits);
    return (real)fer_value_double(type, bits);
}

void fer_floats_real(const unsigned char *bytes, size_t count, real *x)
{
    uint32_t bits;
    float value;
    size_t i;
    for (i = 0; i < count; i++, bytes += 4) {
        bits = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
        memcpy(&value, &bits, sizeof value);
        x[i] = (real)value;
    }
}

void fer_little_endian(unsigned char *out, const void *values, size_t size, size_t count)
{
    const uint16_t one = 1;
    const int little = *(const unsigned char *)&one;
    const unsigned char *in = values;
    size_t i, k;
    if (little)
        memcpy(out, in, size * count);
    else
        for (i = 0; i < count; i++)
            for (k = 0; k < size; k++) out[i * size + k] = in[i * size + size - 1 - k];
}

uint32_t fer_crc32_values(uint32_t crc, const void *values, size_t size, size_t count)
{
    unsigned char bytes[4096];
    const unsigned char *in = values;
    size_t n;
    for (; count; count -= n, in += n * size) {
        n = count < sizeof bytes / size ? count : sizeof bytes / size;
        fer_little_endian(bytes, in, size, n);
        crc = fer_crc32(crc, bytes, n * size);
    }
    return crc;
}

uint32_t fer_crc32_reals(uint32_t crc, const real *x, size_t count)
{
    return fer_crc32_values(crc, x, sizeof *x, count);
}
