/* path.c - joins the parts of a path, or fails when it is too long: no path is ever cut short; the name at its end. */
#include "data.h"

#include <string.h>

int fer_join_path(char out[FER_PATH], const char *folder, const char *name, struct fer_error *e)
{
    const size_t before = strlen(folder), behind = strlen(name);
    if (before + 1 + behind >= FER_PATH) return fer_fail(e, "%s/%s: the path is too long", folder, name);
    memcpy(out, folder, before);
    out[before] = '/';
    memcpy(out + before + 1, name, behind + 1);
    return 0;
}

void fer_path_name(char name[256], const char *path)
{
    size_t end = strlen(path), start;
    while (end > 1 && strchr("/\\", path[end - 1])) end--;
    for (start = end; start > 0 && !strchr("/\\", path[start - 1]); start--) continue;
    snprintf(name, 256, "%.*s", (int)(end - start), path + start);
}
