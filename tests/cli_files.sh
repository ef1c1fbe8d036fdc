#!/bin/sh
# cli_files.sh - files as people have them, given to the programs: exit status, messages. Run by run.sh from the
# repository's root. What the readers make of single files is in test_faces.c, test_png.c and test_npz.c.
T=${SCRATCH:-build/tmp}/cli_files
rm -rf $T; mkdir -p $T
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAILED: $*"; }
check() { what=$1; shift; if "$@" > $T/check 2>&1; then ok; else bad "$what: $*"; cat $T/check; fi; }

# expect STATUS MESSAGE COMMAND ...: the exit status, and the one line on stderr (empty: none).
expect() {
    status=$1 message=$2; shift 2
    "$@" > $T/out 2> $T/err
    got=$?
    if [ $got -ne "$status" ]; then bad "$*: exit status $got, expected $status"; cat $T/err
    elif [ "$(cat $T/err)" != "$message" ]; then bad "$*: said '$(cat $T/err)', expected '$message'"
    else ok; fi
}

# ---- arrays ----
./fer record --size 48 --batch 1 -o $T/r.npz > $T/out
cat $T/r.npz | ./fer eval /dev/stdin > $T/out 2> $T/err
check "a pipe as npz: exit status" test $? -eq 2
check "a pipe as npz: one line" grep -qx 'fer: /dev/stdin: its size cannot be found: .*; a file was expected, no pipe' $T/err

rm -rf $T
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
