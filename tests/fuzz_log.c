/* fuzz_log.c - the readers of training logs and of pits.csv against any bytes whatever. They must read or refuse with
 * one line, and nothing else. `make fuzz` builds and runs it; tests/fuzz_main.c runs it on files. */
#include "../fer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char name[] = "build/fuzz_log.part";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(int holds)
{
    if (!holds) abort();
}

static void try_log(void)
{
    struct fer_log log;
    struct fer_error e;
    long i;
    if (fer_log_read(&log, name, &e)) {
        check(strncmp(e.text, name, strlen(name)) == 0 && !log.row && !log.epoch && !log.line && log.count == 0);
        return;
    }
    for (i = 0; i < log.count; i++) {
        check(!(log.row[i][2] < 0 || log.row[i][2] > 1) && log.epoch[i] >= 0);
        check(log.line[i] > (i ? log.line[i - 1] : 1));
    }
    fer_log_free(&log);
}

static void try_pits(void)
{
    struct fer_pit_row *row;
    struct fer_error e;
    size_t count, i;
    if (fer_pits_read(name, &row, &count, &e)) {
        check(strncmp(e.text, name, strlen(name)) == 0 && !row && count == 0);
        return;
    }
    for (i = 0; i < count; i++)
        check(row[i].epoch >= 0 && *row[i].experiment && *row[i].detail && !strpbrk(row[i].detail, ";\r\n\t"));
    fer_free(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    FILE *file = fopen(name, "wb");
    if (!file) return 0;
    fwrite(bytes, 1, count, file);
    fclose(file);
    try_log();
    try_pits();
    remove(name);
    return 0;
}
