#!/bin/sh
# test.sh - the markers of the exercise: right solutions from twenty seeds, and each of twelve mistakes that students make found
# and named. From the repository's root: test.sh [PYTHON]; without it, the C marker.
T=${SCRATCH:-build/tmp}/exercise$1
T=$(printf %s "$T" | tr -c 'A-Za-z0-9/_.-' _)
rm -rf "$T"; mkdir -p "$T"
passed=0 failed=0 root=$PWD
export FER64="$root/fer64"

ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAILED: $*"; }

# mark PLANTED SEED
if [ $# -eq 0 ]; then
    ${CC:-cc} -std=c99 -O0 -DFER_DOUBLE -I. -c tests/exercise/mark.c -o "$T/mark.o" 2> "$T/log" || cat "$T/log"
    build() { # FILE PROGRAM FLAG
        ${CC:-cc} -std=c99 -O0 $3 -c "$1" -o "$T/its.o" && { ${CC:-cc} "$T/mark.o" "$T/its.o" libfer64.a -lm -fopenmp -o "$2" ||
            ${CC:-cc} "$T/mark.o" "$T/its.o" libfer64.a -lm -o "$2"; } 2> "$T/log" || cat "$T/log"
    }
    mark() {
        [ -e "$T/mark$1" ] || build tests/exercise/solution.c "$T/mark$1" -DPLANTED=$1
        (cd "$T" && ./mark$1 "$2") > "$T/out" 2>&1
    }
    build tests/exercise/skeleton.c "$T/skeleton"
    (cd "$T" && ./skeleton) > "$T/out" 2>&1
else
    mark() { PLANTED=$1 "$python" tests/exercise/mark.py tests/exercise/solution.py "$2" > "$T/out" 2>&1; }
    python=$1
    "$python" tests/exercise/mark.py tests/exercise/skeleton.py > "$T/out" 2>&1
fi
if [ $? -eq 1 ] && [ "$(tail -n 1 "$T/out")" = "7 of 7 functions are wrong" ]; then ok; else bad skeleton; cat "$T/out"; fi

for seed in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if mark 0 $seed && [ "$(tail -n 1 "$T/out")" = "all seven functions are right" ]; then ok; else bad "right, seed $seed"; cat "$T/out"; fi
done

# planted NUMBER FUNCTION WORDS: this function alone is wrong, with these words.
planted() {
    mark "$1" 3
    if [ $? -eq 1 ] && [ "$(tail -n 1 "$T/out")" = "1 of 7 functions are wrong" ] && grep "^$2 .*WRONG: " "$T/out" | grep -q "$3"
    then ok; else bad "planted $1: $2: $3"; cat "$T/out"; fi
}
planted 1 conv2d_forward "y: the kernel is turned by 180 degrees"
planted 2 conv2d_forward "y: the bias is not added"
planted 3 conv2d_backward "dkernel: every element is 1/[0-9]* of the right one: is a division by [0-9]* too many"
planted 4 conv2d_backward "dbias: every element is 1/[0-9]* of the right one: is a division by [0-9]* too many"
planted 5 batch_normalization_forward "y: epsilon is not added to the variance"
planted 6 batch_normalization_backward "dx: mean and variance are taken as constants"
planted 7 batch_normalization_backward "dx: off by a constant in each of [0-9]* channels: is a term with their mean missing"
planted 8 max_pooling2d_forward "y: where it should be negative it is 0"
planted 9 max_pooling2d_backward "dx: each of equal maxima gets the whole gradient"
planted 10 softmax_loss "loss: it is [0-9]* times the right one: is a division by [0-9]* forgotten"
planted 11 softmax_loss "dlogits: every element is [0-9]* times the right one: is a division by [0-9]* forgotten"
planted 12 softmax_loss "dlogits: the label's 1 is not subtracted from the probabilities"

rm -rf "$T"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
