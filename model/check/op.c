/* op.c - `fer op`: the operation of this name (op_layers.c) on arrays from a file. */
#include "op.h"

#include <stdio.h>
#include <string.h>

static int find_operation(struct fer_op *op, const char *name)
{
    char names[300] = "";
    size_t at = 0;
    int i;
    for (i = 0; i < FER_OPERATIONS; i++) {
        op->operation = &fer_operations[i];
        if (strcmp(op->operation->name, name) == 0) return 0;
        at += (size_t)snprintf(names + at, sizeof names - at, i ? ", %s" : "%s", op->operation->name);
    }
    return fer_fail(op->e, "%.40s: no such operation: expected one of %s", name, names);
}

/* Every option given must be one of the operation's. */
static int check_options(const struct fer_op *op)
{
    const struct fer_op_option *known = op->operation->option;
    char names[200] = "none";
    size_t at = 0;
    int i;
    for (i = 0; i < FER_OP_OPTIONS && known[i].name; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, i ? ", --%s" : "--%s", known[i].name);
    for (i = 0; i < op->given_count; i++)
        if (!fer_op_find_option(known, FER_OP_OPTIONS, op->given[i].name))
            return fer_fail(op->e, "--%s: not an option of %s, which has %s", op->given[i].name, op->operation->name,
                            names);
    return 0;
}

int fer_op(const char *name, const char *in, const char *out, const struct fer_op_option *option, int options,
           struct fer_op_result *result, struct fer_error *e)
{
    struct fer_op op = {0};
    int failed;
    op.given = option;
    op.given_count = options;
    op.out_path = out;
    op.e = e;
    if (find_operation(&op, name) || check_options(&op) || fer_file_apart(out, in, e) || fer_npz_open(&op.in, in, e))
        return -1;
    failed = op.operation->run(&op);
    result->written = op.written;
    result->ignored = fer_npz_count(op.in) - op.taken;
    fer_op_free(&op);
    fer_npz_close(op.in);
    if (!failed) return fer_npz_commit(op.out, e);
    fer_npz_abandon(op.out);
    return -1;
}
