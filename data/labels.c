/* labels.c - class labels from a file: as indices, row or column, or one-hot as Keras's to_categorical makes them. */
#include "../fer.h"

/* Values that name a class each. */
static int take_indices(struct fer_npz *npz, const struct fer_array *array, const double *value, size_t n,
                        size_t classes, int *labels, struct fer_error *e)
{
    size_t i;
    for (i = 0; i < n; i++) {
        if (!(value[i] >= 0 && value[i] < (double)classes) || value[i] != (double)(int)value[i])
            return fer_npz_fail(npz, array, e, "[%zu]: %g: expected a class, 0 ... %zu", i, value[i], classes - 1);
        labels[i] = (int)value[i];
    }
    return 0;
}

/* Rows with one 1 among zeros. */
static int take_one_hot(struct fer_npz *npz, const struct fer_array *array, const double *value, size_t n,
                        size_t classes, int *labels, struct fer_error *e)
{
    size_t i, k;
    for (i = 0; i < n; i++) {
        const double *row = value + i * classes;
        size_t zeros = 0, ones = 0;
        for (k = 0; k < classes; k++) {
            zeros += row[k] == 0;
            ones += row[k] == 1;
            if (row[k] == 1) labels[i] = (int)k;
        }
        if (ones != 1 || zeros != classes - 1)
            return fer_npz_fail(npz, array, e, "[%zu]: not one-hot: expected a single 1 among zeros", i);
    }
    return 0;
}

int fer_labels_read(struct fer_npz *npz, const struct fer_array *array, size_t n, size_t classes, int *labels,
                    struct fer_error *e)
{
    const int column = array->dims == 2 && array->shape[1] == 1, one_hot = array->dims == 2 && !column;
    double *value;
    int failed;
    if (array->dims < 1 || array->dims > 2 || array->shape[0] != n ||
        (one_hot && array->shape[1] != classes))
        return fer_npz_fail(npz, array, e, "another shape: expected [%zu], class indices, or [%zu,%zu], one-hot", n, n,
                            classes);
    value = fer_allocate(array->count, sizeof *value, e);
    if (!value) return -1;
    failed = fer_npz_read_double(npz, array, value, e);
    if (!failed) failed = (one_hot ? take_one_hot : take_indices)(npz, array, value, n, classes, labels, e);
    fer_free(value);
    return failed;
}
