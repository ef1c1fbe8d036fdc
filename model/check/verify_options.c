/* verify_options.c - the options of `fer verify`, from text. */
#include "command.h"

#include <string.h>

/* Which of `count` names the text is. */
static int choose(const char *option, const char *text, const char *const *names, int count, int *choice,
                  struct fer_error *e)
{
    char list[100] = "";
    int i, length = 0;
    for (i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0) {
            *choice = i;
            return 0;
        }
        length += snprintf(list + length, sizeof list - (size_t)length, "%s%s", i ? ", " : "", names[i]);
    }
    return fer_fail(e, "--%s %.40s: expected one of %s", option, text, list);
}

int fer_verify_options_read(struct fer_verify_options *o, const char *unit, const char *accumulate, const char *adam,
                            const char *ties, const char *layout, struct fer_error *e)
{
    static const char *const rules[] = {"keras", "pytorch"}, *const maxima[] = {"first", "any"},
                      *const layouts[] = {"nhwc", "nchw"};
    int i = (int)o->unit, sum;
    if (unit && choose("unit", unit, fer_unit_names, FER_UNITS, &i, e)) return -1;
    sum = i == FER_UNIT_F64 ? FER_UNIT_F64 : FER_UNIT_F32;
    if (accumulate && choose("accumulate", accumulate, fer_unit_names, FER_UNITS, &sum, e)) return -1;
    if (sum == FER_UNIT_TF32)
        return fer_fail(e, "--accumulate tf32: nothing sums in tf32; expected f64, f32, bf16 or f16");
    o->unit = (enum fer_unit)i;
    o->accumulate = (enum fer_unit)sum;
    if (adam && choose("adam", adam, rules, 2, &o->adam_pytorch, e)) return -1;
    if (layout && choose("layout", layout, layouts, 2, &o->nchw, e)) return -1;
    return ties ? choose("ties", ties, maxima, 2, &o->ties_any, e) : 0;
}
