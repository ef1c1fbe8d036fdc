# expect.sh - how cli.sh and cli_files.sh check a command; they set T, the folder of this part.
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
