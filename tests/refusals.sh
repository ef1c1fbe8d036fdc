#!/bin/sh
# refusals.sh - a build whose arithmetic cannot keep the bits is refused: by the compiler, or else when it runs. Run by
# run.sh from the repository's root.
T=${SCRATCH:-build/tmp}/refusals
rm -rf $T; mkdir -p $T
USED="layers/numbers/arithmetic.c layers/numbers/exp_log.c layers/numbers/errors_memory.c"
passed=0 failed=0

# build COMPILER FLAG ...: what comes of the check, compiled and linked with these flags, in $T/out.
build() {
    rm -f $T/check
    "$@" -w -I. tests/refusal.c $USED -lm -o $T/check > $T/out 2>&1 || return
    $T/check > $T/out 2>&1
}

# expect TEXT COMPILER FLAG ...: the text that it must say. A compiler that is not there, or does not know the flags,
# proves nothing.
expect() {
    text=$1; shift
    command -v "$1" > /dev/null || return
    echo 'int main(void) { return 0; }' > $T/empty.c
    "$@" $T/empty.c -o $T/empty > /dev/null 2>&1 && $T/empty || return
    build "$@"
    if grep -q "$text" $T/out; then passed=$((passed + 1)); return; fi
    failed=$((failed + 1))
    echo "FAILED: $*: expected '$text', got:"; cat $T/out
}

fma= # whether this processor can fuse
gcc -march=native -dM -E -x c /dev/null 2> /dev/null | grep -q FP_FAST_FMA && fma=yes
for compiler in gcc clang; do
    for level in 0 1 2 3; do
        expect '^ok$' $compiler -std=c99 -O$level
        expect '^ok$' $compiler -std=c99 -O$level -march=native
    done
    expect 'compile without -ffast-math' $compiler -std=c99 -O2 -ffast-math
    expect 'compile without -ffast-math' $compiler -std=c99 -Ofast
    expect 'compile without -ffast-math' $compiler -std=c99 -O2 -ffinite-math-only
    expect 'reciprocal' $compiler -std=c99 -O2 -freciprocal-math
    expect 'without -f.*-math' $compiler -std=c99 -O2 -funsafe-math-optimizations
    expect 'without -f.*-math' $compiler -std=c99 -O2 -fassociative-math -fno-signed-zeros -fno-trapping-math
    [ $fma ] && expect 'with -ffp-contract=off' $compiler -std=c99 -O2 -ffp-contract=fast -march=native
    expect 'FLT_EVAL_METHOD 0' $compiler -std=c99 -mfpmath=387
    expect 'FLT_EVAL_METHOD 0' $compiler -std=c99 -m32 -mno-sse
done
# gnu99 lets gcc fuse whenever the processor can
[ $fma ] && expect 'with -ffp-contract=off' gcc -std=gnu99 -O2 -march=native
expect 'FLT_EVAL_METHOD 0' i686-linux-gnu-gcc -std=c99 -static
expect '^ok$' i686-linux-gnu-gcc -std=c99 -msse2 -mfpmath=sse -static
expect '^ok$' tcc -std=c99

# Compiled well, but linked with -ffast-math: gcc's start-up code then sets the register that flushes to zero.
if [ "$(uname -m)" = x86_64 ] && command -v gcc > /dev/null; then
    gcc -w -I. -O2 -c tests/refusal.c $USED && mv refusal.o arithmetic.o exp_log.o errors_memory.o $T
    gcc -ffast-math $T/refusal.o $T/arithmetic.o $T/exp_log.o $T/errors_memory.o -o $T/check && $T/check > $T/out
    if grep -q 'flushed to zero' $T/out; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)); echo "FAILED: linked with -ffast-math"
    fi
fi

# A program compiled for the one precision does not link with the library of the other.
# links LIBRARY COMPILER FLAG ...: what comes of it, in $T/out.
links() {
    library=$1; shift
    "$@" -w -I. tests/examples/layer.c ./$library -lm -o $T/example > $T/out 2>&1
}
for library in libfer.so libfer64.so; do ln -s "$PWD/$library" $T/$library.0; done
for compiler in gcc clang tcc; do
    command -v $compiler > /dev/null || continue
    for level in 0 2; do
        for case in 'libfer.so libfer64.so float32' 'libfer64.so libfer.so float64 -DFER_DOUBLE'; do
            set -- $case
            if links $1 $compiler -std=c99 -O$level $4 && LD_LIBRARY_PATH=$T $T/example > $T/out 2>&1; then
                passed=$((passed + 1))
            else
                failed=$((failed + 1)); echo "FAILED: $compiler -O$level $4 with $1:"; cat $T/out
            fi
            if links $2 $compiler -std=c99 -O$level $4 || ! grep -q "fer_library_is_$3" $T/out; then
                failed=$((failed + 1)); echo "FAILED: $compiler -O$level $4 with $2: it links, or says:"; cat $T/out
            else
                passed=$((passed + 1))
            fi
        done
    done
done

rm -rf $T
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
