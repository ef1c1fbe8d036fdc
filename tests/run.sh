#!/bin/sh
# run.sh - runs every test (make test builds them first) and closes with one line, `N passed, N failed`.
#     sh tests/run.sh         everything
#     sh tests/run.sh WORD    the C tests whose name, and the other parts whose name or file, have WORD in it
# A part that needs a program which is not there (python3, numpy, pandas) says so and counts as skipped.
cd "$(dirname "$0")/.." || exit 2
word=$1
passed=0 failed=0 skipped=0 background=
export OMP_WAIT_POLICY=passive # on a busy machine spinning threads take the time of working ones

# What tests write lies in a folder of this run alone.
export SCRATCH="build/tmp/run-$$"
mkdir -p "$SCRATCH" || exit 2
trap 'kill $background 2> /dev/null; rm -rf "$SCRATCH"' EXIT
trap 'exit 2' HUP INT TERM

# run FILE COMMAND ...: its output goes into FILE; its exit status and how long it took into FILE.status.
run() {
    file=$1 start=$(date +%s); shift
    "$@" > "$file" 2>&1
    echo $? $(($(date +%s) - start)) > "$file.status"
}

# judge NAME FILE: the last lines tell how many tests passed and failed; a part that does not say so has failed.
judge() {
    name=$1 file=$2
    [ -e "$file.status" ] || return # it was not asked for
    read -r status seconds < "$file.status"
    set -- $(sed -n -e 's/^Pass: \([0-9]*\), fail: \([0-9]*\), skip: \([0-9]*\)\..*/\1 \2 \3/p' \
                    -e 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2 0/p' "$file" | tail -n 1)
    if [ $# -ne 3 ] || { [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; } || [ $(($1 + $2)) -eq 0 ]; then
        echo "$name: FAILED, exit status $status"
        tail -n 30 "$file"
        failed=$((failed + 1))
        return
    fi
    echo "$name: $1 passed, $2 failed, $seconds s"
    [ "$2" -eq 0 ] || cat "$file"
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

part() { # NAME COMMAND ...
    name=$1; shift
    run "$SCRATCH/output" "$@"
    judge "$name" "$SCRATCH/output"
}

# suites FILE PROGRAM: the C tests, or those of them that are asked for; when there are none of that name, nothing.
suites() {
    case $word in
        '') run "$@"; return ;;
        suite_*) set -- "$@" -s "$word" ;;
        *) set -- "$@" -t "$word" ;;
    esac
    "$2" -l "$3" "$4" | grep -q '^  ' && run "$@"
}

# other NAME COMMAND ...: a part that is run as a whole, if it is asked for.
other() {
    case $* in *"$word"*) part "$@" ;; esac
}

# later FILE NAME COMMAND ...: the same, to be judged later.
later() {
    file=$1; shift
    case $* in *"$word"*) shift; run "$file" "$@" ;; esac
}

# with MODULE NAME SCRIPT ...: a part that needs a Python module; the first Python that has it is taken.
with() {
    module=$1 name=$2; shift 2
    case "$name $*" in *"$word"*) ;; *) return ;; esac
    for python in ${PYTHON:-python3 /usr/bin/python3}; do
        if $python -c "import $module" 2> /dev/null; then part "$name" $python "$@"; return; fi
    done
    echo "$name: skipped (no python3 with $module)"
    skipped=$((skipped + 1))
}

# The three longest parts, half of the time, have one processor to themselves while the others take their turn.
{
    suites "$SCRATCH/float64" build/test64
    later "$SCRATCH/output-cli" "command line" sh tests/cli.sh
    later "$SCRATCH/output-portability" "other compilers and processors" sh tests/portability.sh quick
} & background=$!
suites "$SCRATCH/float32" build/test
judge "float32" "$SCRATCH/float32"
other "files as people have them" sh tests/cli_files.sh
other "make install" sh tests/install.sh
other "layout" sh tests/layout.sh
other "exported symbols" sh tests/symbols.sh
other "builds that are refused" sh tests/refusals.sh
other "gradients in trouble" build/slope_cases64
other "mistakes in gradients" build/mistakes64
other "the exercise's marker" sh tests/exercise/test.sh
with numpy "the exercise's marker for NumPy" tests/exercise/test.py
with numpy "numpy reads and writes" tests/test_npz.py build/npz_cat build/npz_cat64
with numpy "a second Philox: weights, orders" tests/philox.py ./fer ./fer64 build/order
with pty "training on a terminal" tests/test_terminal.py
with PIL "Pillow reads the same images" tests/test_png.py ./libfer.so
with PIL "Pillow and a second Philox" tests/test_faces.py
with pandas "pandas reads the log" tests/test_log.py
with zlib "pages of reports" tests/test_report.py
with torch "PyTorch agrees with op" tests/test_op.py ./fer ./fer64
with numpy "cases, answers of fer and NumPy, faults" tests/test_cases.py ./fer ./fer64 ./libfer.so
with torch "PyTorch answers the cases" tests/test_cases.py ./fer ./fer64 ./libfer.so torch
with onnxruntime "ONNX Runtime answers the cases" tests/test_cases.py ./fer ./fer64 ./libfer.so onnxruntime
with numpy "verify's options, faulty records" tests/test_verify.py ./fer ./fer64
with numpy "what is wrong, in words" tests/test_patterns.py ./fer ./fer64
with numpy "fused layers, inference, NCHW" tests/test_chains.py ./fer ./fer64
with numpy "gradients and updates through others" tests/test_gradient_chains.py ./fer ./fer64
with numpy "Winograd's algorithm" tests/test_winograd.py ./fer ./fer64
with numpy "records of real engines" tests/test_engines.py ./fer64
with numpy "records of every kind of layer" tests/test_kinds.py ./fer ./fer64
with numpy "networks of Keras, read or refused" tests/test_keras_json.py ./fer64 build/keras_parameters64
with numpy "what the READMEs show" tests/test_examples.py
with torch "training goes as in PyTorch" tests/twin.py ./fer64 build/steps64 48 8 3 - tests/twins/*.json
with torch "PyTorch's records pass verify" tests/test_pytorch.py ./fer64
with tensorflow "Keras's record passes verify" tests/test_keras.py ./fer64
with keras "Keras loads what summary writes" tests/test_keras_loads.py ./fer64
with torch "a recipe for any PyTorch model" tests/test_recipes.py ./fer64 pytorch
with keras "a recipe for any Keras model" tests/test_recipes.py ./fer64 keras
with onnxruntime "a recipe for any ONNX model" tests/test_recipes.py ./fer64 onnx
wait $background
judge "float64" "$SCRATCH/float64"
judge "command line" "$SCRATCH/output-cli"
judge "other compilers and processors" "$SCRATCH/output-portability"

[ "$skipped" -eq 0 ] || echo "$skipped skipped"
[ $((passed + failed + skipped)) -gt 0 ] || { echo "no test has '$word' in its name"; exit 2; }
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
