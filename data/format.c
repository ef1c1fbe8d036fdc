/* format.c - numbers as people read them. fer_format_double, which reads back to the same bits, is in log.c. */
#include "data.h"

void fer_format_ratio(double ratio, char text[32])
{
    if (ratio > 1 && ratio < 1.05)
        snprintf(text, 32, ">1");
    else
        snprintf(text, 32, "%.2g", ratio);
}

void fer_format_seconds(double seconds, char text[32])
{
    const long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else if (s >= 60)
        snprintf(text, 32, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(text, 32, "%lds", s);
}

void fer_format_count(size_t value, char text[32])
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%zu", value);
    int i, at = 0;
    for (i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
}

void fer_format_index(size_t index, int dims, const size_t *shape, char text[96])
{
    size_t at[FER_MAX_DIMS];
    int i, length = snprintf(text, 96, "[");
    for (i = dims - 1; i >= 0; i--) {
        at[i] = index % shape[i];
        index /= shape[i];
    }
    for (i = 0; i < dims && length < 96; i++)
        length += snprintf(text + length, 96 - (size_t)length, "%s%zu", i ? "," : "", at[i]);
    if (length < 96) snprintf(text + length, 96 - (size_t)length, "]");
}
