#!/bin/sh
# portability.sh - `fer fingerprint --check` by every build that this machine can make and run, as one table; and runs
# that change machines half-way. Processors of other kinds are emulated (qemu-user). From the repository's root:
#     sh tests/portability.sh          everything (make portability); about half an hour
#     sh tests/portability.sh quick    the part of it that make test runs
# make has built ./fer, which is this machine's side of such runs. What is not installed is a row that says so. Exit
# status 1 on any difference.
T=${SCRATCH:-build}/portability
rm -rf $T; mkdir -p $T
SOURCES="fer.c layers/*.c layers/*/*.c model/*.c model/*/*.c data/*.c data/*/*.c"
export WINEPREFIX="$PWD/$T/wine" WINEDEBUG=-all OMP_WAIT_POLICY=passive
passed=0 failed=0 missing=0

# ---- building and running ----

# have CONFIGURATION COMMAND ...: whether all these commands are there; if not, a row says so.
have() {
    configuration=$1; shift
    for command; do
        command -v "$command" > /dev/null && continue
        printf '%-46s missing: %s\n' "$configuration" "$command"
        missing=$((missing + 1))
        return 1
    done
}

# build PROGRAM COMPILER FLAG ...: made anew only when it is not what was made last.
build() {
    program=$1; shift
    [ "$(cat $T/$program.how 2> /dev/null)" = "$*" ] && return
    echo "$*" > $T/$program.how
    nice "$@" -w $SOURCES -lm -o $T/$program > $T/$program.log 2>&1 && return
    echo "not built" > $T/$program.how
    return 1
}

# one precision: builds, runs, and sets $result, $version, $said.
check() {
    program=$1 runner=$2; shift 2
    version=$1 said='' result='not built'
    if ! build $program "$@"; then said=$(head -n 3 $T/$program.log); return; fi
    nice $runner $T/$program fingerprint --check 2>&1 < /dev/null | tr -d '\r' > $T/out
    version=$(sed -n '1s/.*compiled by \(.*\), [0-9]* thread.*/\1/p' $T/out | cut -c 1-22)
    [ "$version" ] || version=$1
    if tail -n 1 $T/out | grep -q '^[0-9]* stages, all as expected$'; then result=equal
    elif grep -q 'cannot keep the bits' $T/out; then result=refused
    else result=DIFFERS said=$(tail -n 3 $T/out); fi
}

# row CONFIGURATION RUNNER COMPILER FLAG ...: both precisions. $expected is what must come out.
expected=equal
row() {
    configuration=$1 runner=$2 compiler=$3
    have "$configuration" $compiler ${runner%% *} || return
    shift 2
    start=$(date +%s)
    check fer.exe "$runner" "$@"
    result32=$result said32=$said
    check fer64.exe "$runner" "$@" -DFER_DOUBLE
    printf '%-46s %-23s %-9s %-9s %5d\n' "$configuration" "$version" "$result32" "$result" $(($(date +%s) - start))
    if [ "$result32" = $expected ] && [ "$result" = $expected ]; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    printf '%s\n' "    $* $said32 $said"
}

# same CONFIGURATION FILE FILE: the same bytes.
same() {
    if cmp -s "$2" "$3"; then passed=$((passed + 1)) result=equal; else failed=$((failed + 1)) result=DIFFERS; fi
    printf '%-46s %-23s %s\n' "$1" "" $result
}

# travel MACHINE RUNNER COMPILER FLAG ...: a run begun here goes on there, and then here again; a record made there.
travel() {
    machine=$1 runner=$2 compiler=$3
    have "a run moves to $machine and back" $compiler ${runner%% *} || return
    shift 2
    if ! build there.exe "$@"; then same "a run moves to $machine: not built" there here; return; fi
    sed -n '1,2p;8p' tests/tiny.csv > $T/faces.csv # one face to train on, one to validate
    rm -rf $T/stays $T/moves $T/there.npz
    for run in stays moves; do ./fer train --data $T/faces.csv --size 48 --epochs 1 --out $T/$run > $T/out 2>&1; done
    ./fer train --resume $T/stays --epochs 2 > $T/out 2>&1
    nice $runner $T/there.exe train --resume $T/moves --epochs 2 > $T/out 2>&1
    same "a run moves to $machine: checkpoint" $T/stays/last.npz $T/moves/last.npz
    ./fer train --resume $T/stays --epochs 3 > $T/out 2>&1
    ./fer train --resume $T/moves --epochs 3 > $T/out 2>&1
    same "  and back: checkpoint" $T/stays/last.npz $T/moves/last.npz
    same "  and back: log" $T/stays/log.csv $T/moves/log.csv
    [ "$quick" ] && return
    ./fer record --size 48 --batch 1 -o $T/here.npz > $T/out 2>&1
    nice $runner $T/there.exe record --size 48 --batch 1 -o $T/there.npz > $T/out 2>&1
    same "  a record made there" $T/here.npz $T/there.npz
}

# ---- what is built and run ----

S390X='s390x-linux-gnu-gcc -std=c99 -O1 -fexcess-precision=fast -static'

quick_rows() {
    row "tcc" "" tcc
    row "gcc -O0" "" gcc -std=c99 -O0
    row "clang -O1" "" clang -std=c99 -O1
    travel "s390x, big-endian" qemu-s390x $S390X
}

levels() { # COMPILER
    for level in 0 1 2 3 s; do
        row "$1 -O$level" "" $1 -std=c99 -O$level
        row "$1 -O$level -march=native" "" $1 -std=c99 -O$level -march=native
    done
    [ "$(uname -m)" = x86_64 ] && for width in 128 256 512; do
        row "$1 -O3 -march=native, vectors of $width bits" "" $1 -std=c99 -O3 -march=native -mprefer-vector-width=$width
    done
    row "$1 -O2 -flto" "" $1 -std=c99 -O2 -flto
    row "$1 -O2 -DFER_PURE_C99" "" $1 -std=c99 -O2 -DFER_PURE_C99
    for threads in 1 2 3 8; do
        row "$1 -O3 -fopenmp, $threads threads" "env OMP_NUM_THREADS=$threads" $1 -std=c99 -O3 -fopenmp
    done
}

all_rows() {
    levels gcc
    levels clang
    if gcc -march=native -dM -E -x c /dev/null 2> /dev/null | grep -q FP_FAST_FMA; then
        expected=refused
        row "gcc -std=gnu99 -march=native (fuses)" "" gcc -std=gnu99 -O2 -march=native
        expected=equal
    fi
    row "gcc -std=gnu99 -march=native -ffp-contract=off" "" gcc -std=gnu99 -O2 -march=native -ffp-contract=off
    row "tcc" "" tcc
    row "musl libc" "" musl-gcc -std=c99 -O2 -static
    row "i386, SSE2" qemu-i386 i686-linux-gnu-gcc -std=c99 -O2 -msse2 -mfpmath=sse -static
    row "aarch64" qemu-aarch64 aarch64-linux-gnu-gcc -std=c99 -O3 -static
    row "armhf" qemu-arm arm-linux-gnueabihf-gcc -std=c99 -O2 -static
    row "riscv64" qemu-riscv64 riscv64-linux-gnu-gcc -std=c99 -O2 -static
    row "ppc64, big-endian" qemu-ppc64 powerpc64-linux-gnu-gcc -std=c99 -O2 -static
    row "s390x, big-endian" qemu-s390x $S390X
    row "Windows, x86-64 (wine)" wine x86_64-w64-mingw32-gcc -std=c99 -O2 -static
    row "wasm32 (WASI)" "node --no-warnings tests/wasi.mjs" clang --target=wasm32-wasi -std=c99 -O2 \
        -D_WASI_EMULATED_SIGNAL -lwasi-emulated-signal -Wl,-z,stack-size=1048576
    travel "s390x, big-endian" qemu-s390x $S390X
    travel "ppc64, big-endian" qemu-ppc64 powerpc64-linux-gnu-gcc -std=c99 -O1 -static
    travel "Windows" wine x86_64-w64-mingw32-gcc -std=c99 -O2 -static
}

[ "$1" = quick ] && quick=yes
printf '%-46s %-23s %-9s %-9s %5s\n' configuration compiler float32 float64 s
if [ "$quick" ]; then quick_rows; else all_rows; fi
rm -rf $T
[ $missing -eq 0 ] || echo "$missing missing"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
