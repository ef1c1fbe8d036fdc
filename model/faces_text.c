/* faces_text.c - the faces that a command asks for, and what is said of them. */
#include "text.h"

#include <string.h>

/* The faces at `path`, with the labels of a file of FER+ (NULL or "": their own); or, when it is empty, drawn ones. */
int fer_faces_read(struct fer_dataset *data, const char *path, const char *labels, uint64_t seed, struct fer_error *e)
{
    static const size_t drawn[FER_USAGES] = {2800, 700, 700};
    const int relabel = labels && *labels;
    if (relabel && (!*path || fer_is_folder(path)))
        return fer_fail(e, "--labels %s: expected with --data FILE.csv, whose rows are in the same order", labels);
    if (!*path) return fer_dataset_draw(data, seed, drawn, e);
    if (fer_dataset_read(data, path, e)) return -1;
    if (!relabel || fer_dataset_relabel(data, labels, e) == 0) return 0;
    fer_dataset_free(data);
    return -1;
}

/* What there is to say about the data: passed over, or taken for something. */
void fer_dataset_notes_text(FILE *out, const struct fer_dataset *data)
{
    const char *line = data->notes;
    for (; *line; line += strcspn(line, "\n") + 1) fprintf(out, "data: %.*s\n", (int)strcspn(line, "\n"), line);
}

/* The same; says which they are. */
int fer_faces_announce(FILE *out, struct fer_dataset *data, const char *path, const char *labels, uint64_t seed,
                       struct fer_error *e)
{
    if (fer_faces_read(data, path, labels, seed, e)) return -1;
    fprintf(out, "data: %s: %lu Training, %lu PublicTest, %lu PrivateTest images\n",
           *path ? data->source : "drawn cartoon faces, not FER2013", (unsigned long)data->usage_count[FER_TRAINING],
           (unsigned long)data->usage_count[FER_PUBLIC_TEST], (unsigned long)data->usage_count[FER_PRIVATE_TEST]);
    fer_dataset_notes_text(out, data);
    return 0;
}

int fer_usage_find(const char *name, enum fer_usage *usage, struct fer_error *e)
{
    int i;
    for (i = 0; i < FER_USAGES; i++)
        if (strcmp(name, fer_usage_names[i]) == 0) {
            *usage = (enum fer_usage)i;
            return 0;
        }
    return fer_fail(e, "--usage %s: expected Training, PublicTest or PrivateTest", name);
}
