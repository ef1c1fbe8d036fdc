/* format.c - numbers as people read them. fer_format_double, which reads back to the same bits, is in log.c. */
#include "data.h"

#include <math.h>

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

static int plural(char *text, size_t room, double count, const char *unit)
{
    return snprintf(text, room, "%.0f %s%s", count, unit, count == 1 ? "" : "s");
}

/* A number of the largest unit of which there are enough, and where that is more than a minute the rest in the next. */
void fer_format_duration(double seconds, char text[64])
{
    static const char *const unit[] = {"day", "hour", "minute", "second"};
    static const double size[] = {86400, 3600, 60, 1}, enough[] = {2 * 86400, 100 * 60, 2 * 60};
    int i = 0, length;
    double count, rest;
    while (i < 3 && seconds < enough[i]) i++;
    if (i >= 2) {
        plural(text, 64, seconds < 1 ? 1 : floor(seconds / size[i] + 0.5), unit[i]);
        return;
    }
    rest = floor(seconds / size[i + 1] + 0.5);
    count = floor(rest * size[i + 1] / size[i]);
    length = plural(text, 64, count, unit[i]);
    rest -= count * size[i] / size[i + 1];
    if (rest > 0 && length < 40) {
        text[length++] = ' ';
        plural(text + length, 64 - (size_t)length, rest, unit[i + 1]);
    }
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

void fer_format_shape(int dims, const size_t *shape, char text[96])
{
    int i, length = snprintf(text, 96, "[");
    for (i = 0; i < dims && length < 70; i++)
        length += snprintf(text + length, 96 - (size_t)length, "%s%zu", i ? "," : "", shape[i]);
    snprintf(text + length, 96 - (size_t)length, i < dims ? ",...]" : "]");
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
