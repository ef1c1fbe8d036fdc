#!/bin/sh
# symbols.sh - the shared libraries export what fer.h declares: all of it, and nothing else. Run by run.sh from the
# repository's root. tcc cannot hide functions: with it, the second half is left out.
T=${SCRATCH:-build/tmp}/symbols
rm -rf "$T"; mkdir -p "$T"
passed=0 failed=0

# none WHAT: the file $T/names, which lists what should not be, is empty.
none() {
    if [ -s "$T/names" ]; then failed=$((failed + 1)); echo "FAILED: $1:" $(cat "$T/names"); else passed=$((passed + 1)); fi
}

for library in libfer.so libfer64.so; do
    [ $library = libfer64.so ] && double=-DFER_DOUBLE || double=
    ${CC:-cc} -std=c99 $double -E -x c fer.h | sed -e '/^#/d' -e 's/^ *extern .*\(fer_[a-z0-9_]*\)\[.*/\1(/' |
        grep -o 'fer_[a-z0-9_]*(' | tr -d '(' | sort -u > "$T/declared"
    [ -s "$T/declared" ] || echo "no declaration was found" > "$T/declared" # not to check nothing
    nm -D $library | awk '$2 ~ /^[TDRBV]$/ && $3 !~ /^_/ { print $3 }' | sort -u > "$T/exported"
    comm -23 "$T/declared" "$T/exported" > "$T/names"
    none "$library lacks what fer.h declares"
    case ${CC:-cc} in *tcc*) continue ;; esac
    comm -13 "$T/declared" "$T/exported" > "$T/names"
    none "$library exports what fer.h does not declare"
done

rm -rf "$T"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
