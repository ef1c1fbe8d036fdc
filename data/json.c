/* json.c - writes JSON (RFC 8259), item by item. What stands between two items is decided here: a comma, and a blank or
 * the line break that was asked for. A failed write shows where the caller closes its file. */
#include "data.h"

#include <stdarg.h>

/* Between this item and the one before it. Then the item's name, if it has one. */
static void begin_item(struct fer_json *j, const char *name)
{
    if (j->items++) putc(',', j->out);
    if (j->line)
        fprintf(j->out, "\n%s", j->line);
    else if (j->items > 1)
        putc(' ', j->out);
    j->line = NULL;
    if (name) fprintf(j->out, "\"%s\": ", name);
}

/* A byte that is no UTF-8, as of a path, or of a name that was cut short, becomes U+FFFD. */
static void write_string(FILE *out, const char *text)
{
    putc('"', out);
    while (*text) {
        unsigned long code;
        const int bytes = fer_utf8(text, &code);
        if (*text == '"' || *text == '\\') putc('\\', out);
        if (bytes == 0 || code < 32)
            fprintf(out, "\\u%04lx", bytes ? code : 0xfffdul);
        else
            fprintf(out, "%.*s", bytes, text);
        text += bytes ? bytes : 1;
    }
    putc('"', out);
}

void fer_json_line(struct fer_json *j, const char *indent)
{
    j->line = indent;
}

void fer_json_open(struct fer_json *j, const char *name, char bracket)
{
    begin_item(j, name);
    j->depth++;
    putc(bracket, j->out);
    j->items = 0;
}

void fer_json_close(struct fer_json *j, char bracket)
{
    putc(bracket, j->out);
    j->items = 1;
    if (--j->depth == 0) putc('\n', j->out);
}

void fer_json_value(struct fer_json *j, const char *name, const char *format, ...)
{
    va_list values;
    begin_item(j, name);
    va_start(values, format);
    vfprintf(j->out, format, values);
    va_end(values);
}

void fer_json_count(struct fer_json *j, const char *name, size_t value)
{
    fer_json_value(j, name, "%zu", value);
}

void fer_json_string(struct fer_json *j, const char *name, const char *text)
{
    begin_item(j, name);
    write_string(j->out, text);
}

void fer_json_string_or_null(struct fer_json *j, const char *name, const char *text)
{
    if (*text)
        fer_json_string(j, name, text);
    else
        fer_json_value(j, name, "null");
}

void fer_json_number(struct fer_json *j, const char *name, double value)
{
    char text[32];
    fer_format_double(value, text);
    fer_json_value(j, name, value - value == 0 ? "%s" : "\"%s\"", text);
}

void fer_json_number_or_null(struct fer_json *j, const char *name, double value)
{
    if (value == value)
        fer_json_number(j, name, value);
    else
        fer_json_value(j, name, "null");
}
