/* json_read.c - reads JSON (RFC 8259) into a tree. What Python's json writes beyond it, NaN, Infinity and -Infinity, is
 * read too. Of a name that stands twice in an object the last one counts, as in Python. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 200, FILE_LIMIT = 1 << 28, NODES_A_BLOCK = 1024 };

struct block {
    struct block *next;
    struct fer_json_node node[NODES_A_BLOCK];
};

struct fer_json_tree {
    char *text;             /* the file, with a 0 behind it; strings are decoded in place */
    struct block *blocks;   /* the newest first */
    size_t used;            /* nodes of the newest */
    struct fer_json_node *root;
};

struct reader {
    struct fer_json_tree *tree;
    const char *path;
    char *at;
    long line;
    struct fer_error *e;
};

static int fail(const struct reader *r, const char *expected)
{
    char what[32];
    if (*r->at == 0)
        snprintf(what, sizeof what, "the text ends");
    else
        snprintf(what, sizeof what, *r->at > ' ' && *r->at < 127 ? "`%c`" : "byte %u", (unsigned char)*r->at);
    return fer_fail(r->e, "%s:%ld: %s: expected %s", r->path, r->line, what, expected);
}

static struct fer_json_node *add_node(struct reader *r)
{
    struct fer_json_tree *tree = r->tree;
    struct fer_json_node *node;
    if (!tree->blocks || tree->used == NODES_A_BLOCK) {
        struct block *block = fer_allocate(1, sizeof *block, r->e);
        if (!block) return NULL;
        block->next = tree->blocks;
        tree->blocks = block;
        tree->used = 0;
    }
    node = &tree->blocks->node[tree->used++];
    node->line = r->line;
    return node;
}

static void skip_blanks(struct reader *r)
{
    for (; *r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n'; r->at++)
        if (*r->at == '\n') r->line++;
}

/* ---- Strings ---- */

/* Four hexadecimal digits; -1: there are not. */
static long hexadecimal(const char *digits)
{
    long value = 0;
    int i;
    for (i = 0; i < 4; i++) {
        const char *all = "0123456789abcdefABCDEF", *digit = digits[i] ? strchr(all, digits[i]) : NULL;
        if (!digit) return -1;
        value = value * 16 + (digit - all < 16 ? digit - all : digit - all - 6);
    }
    return value;
}

static char *write_utf8(char *out, unsigned long c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6), *out++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12), *out++ = (char)(0x80 | (c >> 6 & 63)), *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xf0 | c >> 18), *out++ = (char)(0x80 | (c >> 12 & 63));
        *out++ = (char)(0x80 | (c >> 6 & 63)), *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

/* What stands behind a backslash, to *out. A character in two halves (\ud83d\ude00) becomes one; half of one, and
 * \u0000, which would end the text, become U+FFFD. */
static int read_escape(struct reader *r, char **out)
{
    const char *names = "\"\\/bfnrt", *values = "\"\\/\b\f\n\r\t", *name = *r->at ? strchr(names, *r->at) : NULL;
    long c, low;
    if (name) {
        *(*out)++ = values[name - names];
        r->at++;
        return 0;
    }
    if (*r->at != 'u' || (c = hexadecimal(r->at + 1)) < 0) return fail(r, "an escape of JSON behind `\\`");
    r->at += 5;
    if (c >= 0xd800 && c < 0xdc00 && r->at[0] == '\\' && r->at[1] == 'u' && (low = hexadecimal(r->at + 2)) >= 0xdc00 &&
        low < 0xe000) {
        c = 0x10000 + (c - 0xd800) * 1024 + (low - 0xdc00);
        r->at += 6;
    }
    *out = write_utf8(*out, (unsigned long)(c == 0 || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c));
    return 0;
}

/* r->at stands behind the opening quote. A decoded string is never longer than it was. */
static int read_string(struct reader *r, const char **text)
{
    char *out = r->at;
    *text = out;
    while (*r->at != '"') {
        if ((unsigned char)*r->at < ' ') return fail(r, "a string's end, `\"`");
        if (*r->at != '\\') {
            *out++ = *r->at++;
        } else {
            r->at++;
            if (read_escape(r, &out)) return -1;
        }
    }
    r->at++;
    *out = 0;
    return 0;
}

/* ---- Values ---- */

static int read_word(struct reader *r, struct fer_json_node *node)
{
    static const struct {
        const char *word;
        enum fer_json_type type;
        double number;
    } words[] = {{"null", FER_JSON_NULL, 0}, {"true", FER_JSON_TRUE, 1}, {"false", FER_JSON_FALSE, 0}};
    size_t i;
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t length = strlen(words[i].word);
        if (strncmp(r->at, words[i].word, length) != 0) continue;
        node->type = words[i].type;
        node->number = words[i].number;
        r->at += length;
        return 0;
    }
    return fail(r, "a value");
}

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9') at++;
    return at;
}

/* The end of a number as JSON and Python write it; NULL: none begins here. */
static const char *number_end(const char *at)
{
    const char *digits;
    if (strncmp(at, "NaN", 3) == 0) return at + 3;
    if (*at == '-') at++;
    if (strncmp(at, "Infinity", 8) == 0) return at + 8;
    if ((digits = skip_digits(at)) == at || (*at == '0' && digits > at + 1)) return NULL;
    at = digits;
    if (*at == '.' && (digits = skip_digits(at + 1)) > at + 1) at = digits;
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1 + (at[1] == '+' || at[1] == '-');
        if ((digits = skip_digits(exponent)) > exponent) at = digits;
    }
    return at;
}

static int read_number(struct reader *r, struct fer_json_node *node)
{
    const char *end = number_end(r->at);
    if (!end) return fail(r, "a number");
    node->type = FER_JSON_NUMBER;
    node->number = strtod(r->at, NULL);
    r->at += end - r->at;
    return 0;
}

static struct fer_json_node *read_value(struct reader *r, int depth);

/* The members behind `{` or `[`. */
static int read_members(struct reader *r, struct fer_json_node *node, int depth)
{
    const char close = node->type == FER_JSON_OBJECT ? '}' : ']';
    struct fer_json_node **next = &node->child;
    skip_blanks(r);
    if (*r->at == close) return r->at++, 0;
    for (;;) {
        const char *name = NULL;
        skip_blanks(r);
        if (node->type == FER_JSON_OBJECT) {
            if (*r->at != '"') return fail(r, "a name in quotes");
            r->at++;
            if (read_string(r, &name)) return -1;
            skip_blanks(r);
            if (*r->at != ':') return fail(r, "`:`");
            r->at++;
        }
        if (!(*next = read_value(r, depth + 1))) return -1;
        (*next)->name = name;
        next = &(*next)->next;
        node->count++;
        skip_blanks(r);
        if (*r->at == close) return r->at++, 0;
        if (*r->at != ',') return fail(r, close == '}' ? "`,` or `}`" : "`,` or `]`");
        r->at++;
    }
}

static struct fer_json_node *read_value(struct reader *r, int depth)
{
    struct fer_json_node *node;
    int failed;
    skip_blanks(r);
    if (depth > DEEPEST) {
        fer_fail(r->e, "%s:%ld: more than %d brackets deep: expected fewer", r->path, r->line, DEEPEST);
        return NULL;
    }
    if (!(node = add_node(r))) return NULL;
    if (*r->at == '{' || *r->at == '[') {
        node->type = *r->at++ == '{' ? FER_JSON_OBJECT : FER_JSON_ARRAY;
        failed = read_members(r, node, depth);
    } else if (*r->at == '"') {
        node->type = FER_JSON_STRING;
        r->at++;
        failed = read_string(r, &node->text);
    } else {
        const int is_number = strchr("-NI0123456789", *r->at) != NULL && *r->at;
        failed = is_number ? read_number(r, node) : read_word(r, node);
    }
    return failed ? NULL : node;
}

/* ---- The file ---- */

/* The file, ended by a zero byte; NULL: it is none that is read. */
static char *read_text(const char *path, struct fer_error *e)
{
    unsigned char *text;
    size_t size;
    int failed = fer_file_bytes(path, &text, &size, e);
    if (!failed && size >= FILE_LIMIT) failed = fer_fail(e, "%s: cannot be read: 256 MB or more", path);
    if (!failed && memchr(text, 0, size)) failed = fer_fail(e, "%s: a byte of 0: expected text", path);
    if (!failed) return (char *)text;
    free(text);
    return NULL;
}

int fer_json_read(const char *path, struct fer_json_tree **tree, struct fer_error *e)
{
    struct reader r = {NULL, path, NULL, 1, e};
    if (!(*tree = r.tree = fer_allocate(1, sizeof **tree, e))) return -1;
    r.tree->text = read_text(path, e);
    if (r.tree->text) {
        r.at = r.tree->text;
        if (strncmp(r.at, "\xef\xbb\xbf", 3) == 0) r.at += 3; /* a byte order mark */
        r.tree->root = read_value(&r, 0);
        skip_blanks(&r);
        if (r.tree->root && *r.at == 0) return 0;
        if (r.tree->root) fail(&r, "the end of the text");
    }
    fer_json_free(*tree);
    *tree = NULL;
    return -1;
}

void fer_json_free(struct fer_json_tree *tree)
{
    if (!tree) return;
    while (tree->blocks) {
        struct block *block = tree->blocks;
        tree->blocks = block->next;
        fer_free(block);
    }
    free(tree->text);
    fer_free(tree);
}

/* ---- The tree ---- */

const struct fer_json_node *fer_json_root(const struct fer_json_tree *tree)
{
    return tree->root;
}

const struct fer_json_node *fer_json_member(const struct fer_json_node *object, const char *name)
{
    const struct fer_json_node *child, *found = NULL;
    if (!object || object->type != FER_JSON_OBJECT) return NULL;
    for (child = object->child; child; child = child->next)
        if (strcmp(child->name, name) == 0) found = child;
    return found;
}
