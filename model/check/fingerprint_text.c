/* fingerprint_text.c - what `fer fingerprint` shows: every stage's digest, or the first that differs. */
#include "command.h"

void fer_fingerprint_text_stage(void *context, const struct fer_fingerprint_stage *stage)
{
    struct fer_fingerprint_text *t = context;
    t->stages++;
    if (!t->check)
        fprintf(t->out, "%-44s %08lx\n", stage->name, (unsigned long)stage->digest);
    else if (stage->differs && t->differ++ == 0)
        t->first = *stage;
}

void fer_fingerprint_text_end(struct fer_fingerprint_text *t, int differ)
{
    const struct fer_fingerprint_stage *first = &t->first;
    if (!t->check) return;
    if (differ == 0) {
        fprintf(t->out, "%d stages, all as expected\n", t->stages);
        return;
    }
    if (t->differ == 0)
        fprintf(t->out, "the last stages never came");
    else if (first->known)
        fprintf(t->out, "first difference: %s: expected %08lx, got %08lx", first->name, (unsigned long)first->expected,
                (unsigned long)first->digest);
    else
        fprintf(t->out, "first difference: %s: no such stage was expected", first->name);
    fprintf(t->out, "; %d of %d stages differ\n", differ, t->stages);
}
