#!/bin/sh
# install.sh - what `make install` puts where, the manual page, what Tab completes, and that `make uninstall` leaves nothing.
# Run by run.sh from the repository's root.
T=${SCRATCH:-build/tmp}/install
. tests/expect.sh
root=$PWD/$T/root share=$PWD/$T/root/opt/fer/share

expect 0 "" env -u MAKEFLAGS -u MAKELEVEL ${MAKE:-make} -s install DESTDIR="$root" PREFIX=/opt/fer
check "the program" test "$("$root/opt/fer/bin/fer" version)" = "$(./fer version)"
check "pkg-config" grep -q '^Libs: -L/opt/fer/lib -lfer64$' "$root/opt/fer/lib/pkgconfig/fer64.pc"

# ---- the manual page ----
page=$share/man/man1/fer.1
check "fer64 has the same page" cmp "$page" "$share/man/man1/fer64.1"
for command in $(./fer | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    check "it has $command" grep -q "^\.SS $command " "$page"
    for option in $(./fer help $command | grep -oE -e '--[a-z][a-z0-9-]*' | sort -u); do
        grep -q -e "$(echo "$option" | sed 's/-/\\\\-/g')" "$page" || bad "$option of $command is not in the manual page"
    done
done
check "no line of it is lost" test "$(sed -n 's/^  \(--[a-z0-9-]*\).*/\1/p' build/fer.1.text | wc -l)" -eq "$(grep -c '^\.B \\-\\-' "$page")"
if command -v groff > $T/which; then
    groff -man -ww -Tutf8 "$page" > $T/page 2> $T/err
    check "groff has nothing to say" test ! -s $T/err
    check "what it shows" grep -q 'the numerical ground truth for training' $T/page
fi
if command -v man > $T/which; then
    man -l "$page" > $T/page 2> $T/err
    check "man shows it" grep -q '^ *--precise-bn N$' $T/page
    check "man has nothing to say" test ! -s $T/err
fi

# ---- bash ----
# completes LINE: what Tab offers at its end, in one line
completes() {
    bash --norc -c '
        PATH=$1/bin:$PATH; . "$1/share/bash-completion/completions/fer64"
        read -r -a COMP_WORDS <<< "$2"; case $2 in *" ") COMP_WORDS+=("") ;; esac
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _fer "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo ${COMPREPLY[@]}' - "$root/opt/fer" "$1" 2>&1
}
offers() { check "Tab after '$1'" test "$(completes "$1")" = "$2"; }
if command -v bash > $T/which; then
    offers "fer re" "report record"
    offers "fer64 help ver" "verify version"
    offers "fer train --res" "--resume"
    offers "fer train --bn-mov" "--bn-moving-variance"
    offers "fer train --shuffle " "on off"
    offers "fer64 verify --ties " "first last all split any"
    offers "fer64 verify --layout n" "nhwc nchw"
    offers "fer op global_" "global_average_pooling2d global_max_pooling2d"
    offers "fer64 verify --op ad" "add adam"
    offers "fer op relu x.npz --n" "--negative-slope"
    offers "fer train --data " ""
    offers "fer nothing --x" ""
    check "for both programs" test "$(bash --norc -c '. "$1"; complete -p fer fer64' - "$share/bash-completion/completions/fer" | grep -c -e '-F _fer')" -eq 2
fi

# ---- nothing is left ----
expect 0 "" env -u MAKEFLAGS -u MAKELEVEL ${MAKE:-make} -s uninstall DESTDIR="$root" PREFIX=/opt/fer
check "nothing is left" test -z "$(find "$root" -mindepth 1)"

rm -rf $T
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
