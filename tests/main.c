/* main.c - the test program: every suite, in either precision. Run it from the repository's root; `build/test -h` lists
 * greatest's options, of which `-s SUITE` and `-t TEST` take parts of a name. */
#define _POSIX_C_SOURCE 200809L /* chdir, getpid */
#include "../data/data.h"
#include "greatest.h"

#ifndef FER_PURE_C99
#include <unistd.h>
#endif

SUITE_EXTERN(suite_math);
SUITE_EXTERN(suite_npz);
SUITE_EXTERN(suite_faces);
SUITE_EXTERN(suite_png);
SUITE_EXTERN(suite_layers);
SUITE_EXTERN(suite_vectors);
SUITE_EXTERN(suite_gradients);
SUITE_EXTERN(suite_kinds);
SUITE_EXTERN(suite_network);
SUITE_EXTERN(suite_training);
SUITE_EXTERN(suite_pits);
SUITE_EXTERN(suite_verify);
SUITE_EXTERN(suite_op);
SUITE_EXTERN(suite_record);
SUITE_EXTERN(suite_report);

GREATEST_MAIN_DEFS();

#ifndef FER_PURE_C99
static char scratch[64];

static int remove_entry(void *folder, const char *name, struct fer_error *e)
{
    char path[FER_PATH];
    if (fer_join_path(path, folder, name, e)) return -1;
    if (!fer_is_folder(path)) return remove(path);
    fer_list_folder(path, remove_entry, path, e);
    fer_remove_folder(path);
    return 0;
}

static void leave_scratch(void)
{
    if (!chdir("../../..")) remove_entry(".", scratch, NULL);
}

/* The tests write their files into a folder of this process alone, which goes when the program ends. */
static void enter_scratch(void)
{
    struct fer_error e;
    snprintf(scratch, sizeof scratch, "build/tmp/test-%ld", (long)getpid());
    if (!fer_is_folder("tests/vectors") || fer_make_folder("build", &e) || fer_make_folder("build/tmp", &e) ||
        fer_make_folder(scratch, &e) || chdir(scratch)) {
        fputs("expected to be run from the repository's root, and to be able to write there\n", stderr);
        exit(2);
    }
    atexit(leave_scratch);
}
#else
static void enter_scratch(void) {} /* no folder can be made: the files lie where the program is run */
#endif

int main(int argc, char **argv)
{
    enter_scratch();
    GREATEST_MAIN_BEGIN();
    RUN_SUITE(suite_math);
    RUN_SUITE(suite_npz);
    RUN_SUITE(suite_faces);
    RUN_SUITE(suite_png);
    RUN_SUITE(suite_layers);
    RUN_SUITE(suite_vectors);
    RUN_SUITE(suite_gradients);
    RUN_SUITE(suite_kinds);
    RUN_SUITE(suite_network);
    RUN_SUITE(suite_training);
    RUN_SUITE(suite_pits);
    RUN_SUITE(suite_verify);
    RUN_SUITE(suite_op);
    RUN_SUITE(suite_record);
    RUN_SUITE(suite_report);
    GREATEST_MAIN_END();
}
