/* grow.c - arrays that grow while something is read, and copies of texts. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

void *fer_grow(void *array, size_t *room, size_t needed, size_t size)
{
    size_t more = *room ? *room : 64;
    if (array && needed <= *room) return array;
    while (more < needed && more <= SIZE_MAX / 2) more *= 2;
    array = more < needed || more > SIZE_MAX / size ? NULL : realloc(array, more * size);
    if (array) *room = more;
    return array;
}

char *fer_copy_text(const void *text, size_t length, const char *behind)
{
    const size_t more = strlen(behind) + 1;
    char *copy = length > SIZE_MAX - more ? NULL : malloc(length + more);
    if (!copy) return NULL;
    memcpy(copy, text, length);
    memcpy(copy + length, behind, more);
    return copy;
}
