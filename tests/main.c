/* main.c - the test program: every suite, in either precision. `tests/test -h` lists greatest's options. */
#include "greatest.h"

SUITE_EXTERN(suite_math);
SUITE_EXTERN(suite_npz);
SUITE_EXTERN(suite_faces);
SUITE_EXTERN(suite_layers);
SUITE_EXTERN(suite_vectors);
SUITE_EXTERN(suite_gradients);
SUITE_EXTERN(suite_network);
SUITE_EXTERN(suite_training);
SUITE_EXTERN(suite_pits);
SUITE_EXTERN(suite_verify);
SUITE_EXTERN(suite_op);
SUITE_EXTERN(suite_record);
SUITE_EXTERN(suite_report);

GREATEST_MAIN_DEFS();

int main(int argc, char **argv)
{
    GREATEST_MAIN_BEGIN();
    RUN_SUITE(suite_math);
    RUN_SUITE(suite_npz);
    RUN_SUITE(suite_faces);
    RUN_SUITE(suite_layers);
    RUN_SUITE(suite_vectors);
    RUN_SUITE(suite_gradients);
    RUN_SUITE(suite_network);
    RUN_SUITE(suite_training);
    RUN_SUITE(suite_pits);
    RUN_SUITE(suite_verify);
    RUN_SUITE(suite_op);
    RUN_SUITE(suite_record);
    RUN_SUITE(suite_report);
    GREATEST_MAIN_END();
}
