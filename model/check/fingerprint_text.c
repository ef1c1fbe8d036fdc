/* fingerprint_text.c - what `fer fingerprint` shows: every stage's digest, or the first that differs. */
#include "command.h"

#if defined __TINYC__
#define COMPILER "tcc"
#elif defined __clang__
#define COMPILER "clang " __clang_version__
#elif defined __GNUC__
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "an unknown compiler"
#endif

void fer_fingerprint_text_begin(const struct fer_fingerprint_text *t)
{
    fprintf(t->out, "fer %s %s, compiled by %s, %d thread%s\n", FER_VERSION, FER_REAL_NAME, COMPILER, fer_threads(),
            fer_threads() == 1 ? "" : "s");
}

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
