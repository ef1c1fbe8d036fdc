/* names.c - what people call the seven classes and the three usages, in folders and in CSVs; names that are shown. */
#include "data.h"

#include <string.h>

struct name {
    const char *name; /* in lower case, without blanks, _ and - */
    int code;
};

void fer_make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127) *text = '?';
}

int fer_utf8(const char *text, unsigned long *code)
{
    static const unsigned long least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    const int length = *s < 0x80 ? 1 : *s < 0xc0 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
    int i;
    *code = length > 1 ? *s & (0xffu >> (length + 1)) : *s;
    for (i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0; /* also at the end of the text */
        *code = *code << 6 | (s[i] & 0x3fu);
    }
    return *code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff) ? 0 : length;
}

static const struct name classes[] = {
    {"angry", 0},    {"anger", 0},      {"disgust", 1},  {"disgusted", 1}, {"fear", 2},      {"fearful", 2},
    {"afraid", 2},   {"scared", 2},     {"happy", 3},    {"happiness", 3}, {"sad", 4},       {"sadness", 4},
    {"surprise", 5}, {"surprised", 5},  {"suprise", 5},  {"suprised", 5},  {"neutral", 6},   {"neutrality", 6}};
static const struct name usages[] = {
    {"training", FER_TRAINING},      {"train", FER_TRAINING},        {"publictest", FER_PUBLIC_TEST},
    {"validation", FER_PUBLIC_TEST}, {"validate", FER_PUBLIC_TEST},  {"valid", FER_PUBLIC_TEST},
    {"val", FER_PUBLIC_TEST},        {"privatetest", FER_PRIVATE_TEST},
    {"test", FER_TEST},              {"testing", FER_TEST}};

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; /* tolower's answer depends on the locale */
}

static int is_filler(char c)
{
    return c == '_' || c == '-' || c == ' ' || c == '.';
}

/* The code of a name, whatever its case, blanks, _ and - among it; -1: it is none of them. */
static int find(const char *word, const struct name *names, size_t count)
{
    char plain[16];
    size_t i, length = 0;
    for (; *word; word++) {
        if (is_filler(*word)) continue;
        if (length == sizeof plain - 1) return -1;
        plain[length++] = (char)lower(*word);
    }
    plain[length] = 0;
    for (i = 0; i < count; i++)
        if (strcmp(plain, names[i].name) == 0) return names[i].code;
    return -1;
}

int fer_class_named(const char *word)
{
    const size_t digits = strspn(word, "0123456789");
    if (digits == 1 && word[1] == 0 && word[0] < '0' + FER_CLASSES) return word[0] - '0';
    if (digits && !is_filler(word[digits])) return -1;
    return find(word + digits, classes, sizeof classes / sizeof *classes); /* 03_happy: the name counts */
}

int fer_usage_named(const char *word)
{
    return find(word, usages, sizeof usages / sizeof *usages);
}

int fer_find_word(const char *word, const char *const *list, int count)
{
    int i;
    size_t at;
    for (i = 0; i < count; i++) {
        for (at = 0; word[at] && lower(word[at]) == lower(list[i][at]); at++) continue;
        if (!word[at] && !list[i][at]) return i;
    }
    return -1;
}
