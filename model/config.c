/* config.c - config.txt: what a run was made with, one `name = value` a line.
 *
 * A path stands there as it is. One that a line could not keep (control characters, blanks at an end, a quote at the
 * start) stands in quotes, with \" for a quote, \\ for a backslash and \x0a for the control character 10. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_LINES = 18 }; /* of a run of version 0.1.0 */

static int is_plain(const char *path)
{
    const size_t length = strlen(path);
    size_t i;
    if (*path == '"' || *path == ' ' || (length && path[length - 1] == ' ')) return 0;
    for (i = 0; i < length; i++)
        if ((unsigned char)path[i] < ' ' || path[i] == 127) return 0;
    return 1;
}

static void write_path(FILE *file, const char *name, const char *path)
{
    if (is_plain(path)) {
        fprintf(file, "%s = %s\n", name, path);
        return;
    }
    fprintf(file, "%s = \"", name);
    for (; *path; path++) {
        const unsigned char c = (unsigned char)*path;
        if (c < ' ' || c == 127)
            fprintf(file, "\\x%02x", c);
        else
            fprintf(file, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    fprintf(file, "\"\n");
}

int fer_config_save(const struct fer_config *config, const char *path, struct fer_error *e)
{
    FILE *file = fer_file_create(path, e);
    char text[32];
    int i;
    if (!file) return -1;
    fprintf(file, "version = %s\nprecision = %s\n", FER_VERSION, FER_REAL_NAME);
    write_path(file, "data", config->data);
    fprintf(file, "data-digest = %08lx\n", (unsigned long)config->data_digest);
    write_path(file, "weights", config->weights);
    if (*config->labels) write_path(file, "labels", config->labels);
    for (i = 0; i < FER_SETTINGS; i++) {
        fer_settings_get(&config->settings, i, text);
        fprintf(file, "%s = %s\n", fer_setting_table[i].name, text);
    }
    return fer_file_commit(file, path, e);
}

/* The character behind \x, by its two hexadecimal digits; 0: they are none. */
static char hexadecimal(const char *digits)
{
    static const char known[] = "0123456789abcdef";
    const char *high = digits[0] ? strchr(known, digits[0]) : NULL;
    const char *low = high && digits[1] ? strchr(known, digits[1]) : NULL;
    return low ? (char)(16 * (high - known) + (low - known)) : 0;
}

/* Takes the quotes off a text that begins with one, in place. */
static int unquote(char *text, struct fer_error *e)
{
    const char *from = text + 1;
    char *to = text;
    while (*from && *from != '"') {
        if (*from != '\\')
            *to++ = *from++;
        else if (from[1] == '"' || from[1] == '\\') {
            *to++ = from[1];
            from += 2;
        } else if (from[1] == 'x' && (*to = hexadecimal(from + 2)) != 0) {
            to++;
            from += 4;
        } else
            return fer_fail(e, "expected \\\", \\\\ or \\x and two hexadecimal digits in a text in quotes");
    }
    if (*from != '"' || from[1]) return fer_fail(e, "expected a text in quotes to end with its second quote");
    *to = 0;
    return 0;
}

/* Copies a path, or fails when it is too long. */
static int keep(char *to, size_t size, char *text, struct fer_error *e)
{
    if (*text == '"' && unquote(text, e)) return -1;
    if (strlen(text) >= size) return fer_fail(e, "too long: expected below %lu characters", (unsigned long)size);
    memcpy(to, text, strlen(text) + 1);
    return 0;
}

static int set_line(struct fer_config *config, const char *name, char *value, struct fer_error *e)
{
    const int setting = fer_settings_find(name);
    char *end;
    if (setting >= 0) return fer_settings_set(&config->settings, setting, value, e);
    if (strcmp(name, "data") == 0) return keep(config->data, sizeof config->data, value, e);
    if (strcmp(name, "labels") == 0) return keep(config->labels, sizeof config->labels, value, e);
    if (strcmp(name, "weights") == 0) return keep(config->weights, sizeof config->weights, value, e);
    if (strcmp(name, "version") == 0) return 0;
    if (strcmp(name, "precision") == 0)
        return strcmp(value, FER_REAL_NAME) == 0
                   ? 0
                   : fer_fail(e, "precision %s: this program computes in " FER_REAL_NAME, value);
    if (strcmp(name, "data-digest") == 0) {
        config->data_digest = (uint32_t)strtoul(value, &end, 16);
        return strlen(value) == 8 && *end == 0
                   ? 0
                   : fer_fail(e, "data-digest %s: expected eight hexadecimal digits", value);
    }
    return fer_fail(e, "%s: no such setting", name);
}

/* One line; its newline is taken off. */
static int read_line(struct fer_config *config, char *line, struct fer_error *e)
{
    char *equals = strstr(line, " = "), *newline = strchr(line, '\n');
    if (!newline) return fer_fail(e, "the line is cut short or too long");
    *newline = 0;
    if (newline > line && newline[-1] == '\r') newline[-1] = 0;
    if (!equals) return fer_fail(e, "expected `name = value`");
    *equals = 0;
    return set_line(config, line, equals + 3, e);
}

/* A setting that a run's file does not name has its default: the run was made before there was such a setting. New ones
 * go into the middle of the table, so that a file that was cut short shows it. */
static void find_model(struct fer_config *config, const char *path)
{
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash + 1 - path) : 0;
    char *model = config->settings.model;
    const int length = snprintf(model, sizeof config->settings.model, "%.*smodel.json", folder, path);
    if (length >= (int)sizeof config->settings.model || !fer_file_exists(model)) *model = 0;
}

int fer_config_load(struct fer_config *config, const char *path, struct fer_error *e)
{
    FILE *file = fopen(path, "rb");
    const struct fer_config empty = {0};
    struct fer_error reason;
    const char *last = fer_setting_table[FER_SETTINGS - 1].name;
    char line[4 * FER_PATH + 64] = ""; /* a character of a path may take four */
    int number = 0, failed = 0;
    *config = empty;
    fer_settings_default(&config->settings);
    if (!file) return fer_fail(e, "%s: cannot be read: %s", path, strerror(errno));
    while (!failed && fgets(line, sizeof line, file)) {
        number++;
        if (read_line(config, line, &reason)) failed = fer_fail(e, "%s:%d: %s", path, number, reason.text);
    }
    if (!failed && ferror(file)) failed = fer_fail(e, "%s: cannot be read: %s", path, strerror(errno));
    if (!failed && number < LEAST_LINES)
        failed = fer_fail(e, "%s:%d: the file ends early: expected at least %d lines", path, number, LEAST_LINES);
    if (!failed && strncmp(line, last, strlen(last) + 1) != 0)
        failed = fer_fail(e, "%s:%d: the file ends early: expected its last line to be %s", path, number, last);
    fclose(file);
    find_model(config, path);
    return failed;
}
