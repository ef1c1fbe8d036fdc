/* html.c - an HTML page as a file: mark-up, other people's text made harmless, bytes as base64.
 *
 * Every page is well-formed XML too, so that whatever reads it finds the same tree. */
#include "../data.h"

#include <stdarg.h>
#include <string.h>

int fer_page_create(struct fer_page *page, const char *path, struct fer_error *e)
{
    page->path = path;
    page->file = fer_file_create(path, e);
    return page->file ? 0 : -1;
}

void fer_page_print(struct fer_page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(page->file, format, arguments);
    va_end(arguments);
}

/* The bytes of the character at `text`; 0: it is none, or one that XML has no place for. */
static int character_length(const char *text)
{
    unsigned long code;
    const int length = fer_utf8(text, &code);
    const int is_control = (code < 0x20 && code != '\t' && code != '\n') || (code >= 0x7f && code < 0xa0);
    return is_control || (code & 0xfffe) == 0xfffe ? 0 : length;
}

void fer_page_text(struct fer_page *page, const char *text)
{
    while (*text) {
        const int length = character_length(text);
        switch (*text) {
        case '&': fputs("&amp;", page->file); break;
        case '<': fputs("&lt;", page->file); break;
        case '>': fputs("&gt;", page->file); break;
        case '"': fputs("&quot;", page->file); break;
        case '\'': fputs("&#39;", page->file); break;
        default:
            if (length == 0) fputs("\xef\xbf\xbd", page->file); /* U+FFFD */
            if (length > 0) fwrite(text, 1, (size_t)length, page->file);
        }
        text += length ? length : 1;
    }
}

/* Three bytes are four digits of six bits; what is missing of the last three is shown by '='. */
void fer_page_base64(struct fer_page *page, const unsigned char *bytes, size_t count)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i;
    for (i = 0; i < count; i += 3) {
        const unsigned second = i + 1 < count ? bytes[i + 1] : 0, third = i + 2 < count ? bytes[i + 2] : 0;
        fputc(digit[bytes[i] >> 2], page->file);
        fputc(digit[(bytes[i] & 3u) << 4 | second >> 4], page->file);
        fputc(i + 1 < count ? digit[(second & 15) << 2 | third >> 6] : '=', page->file);
        fputc(i + 2 < count ? digit[third & 63] : '=', page->file);
    }
}

void fer_format_short(double value, int percent, char text[40])
{
    if (!(value > -1e30 && value < 1e30))
        fer_format_double(value, text);
    else if (percent)
        snprintf(text, 40, "%.1f\xc2\xa0%%", 100 * value); /* a space at which no line is broken */
    else
        snprintf(text, 40, value > -1e6 && value < 1e6 ? "%.4f" : "%.4g", value);
}

void fer_page_number(struct fer_page *page, double value, int percent)
{
    char exact[32], text[40];
    fer_format_double(value, exact);
    fer_format_short(value, percent, text);
    fer_page_print(page, "<data value=\"%s\">%s</data>", exact, text);
}

int fer_page_commit(struct fer_page *page, struct fer_error *e)
{
    return fer_file_commit(page->file, page->path, e);
}
