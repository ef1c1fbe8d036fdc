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

# ---- images, predicted ----
./fer train --size 48 --batch 16 --epochs 0 --out $T/run > $T/out
printf 'P5#face\n2#c\n2\n255\n\012\310\036\377' > $T/face.pgm
png='\211PNG\r\n\032\n\000\000\000\rIHDR\000\000\000\002\000\000\000\002\010\000\000\000\000W\335R\370\000\000\000\016IDATx\234c\340:\301 \367\037\000\004\223\001\360\016\343\010\315\000\000\000\000IEND\256B`\202'
printf "$png" > $T/face.png
cp $T/face.png $T/named.jpg # known by its first bytes
expect 0 "" ./fer predict $T/run $T/face.pgm $T/face.png $T/named.jpg
check "the same face, the same probabilities" test "$(tail -n 3 $T/out | cut -f 2- | sort -u | wc -l)" -eq 1
check "digits enough for float32" awk -F '\t' 'NR == 2 { s = 0; for (i = 2; i < 9; i++) s += length($i) >= 9; exit s < 5 }' $T/out
cp $T/out $T/text
expect 0 "" ./fer predict --json $T/run $T/face.png
check "json has the same digits" grep -q "{\"image\": \"$T/face.png\", \"probabilities\": {\"angry\": $(sed -n 3p $T/text | cut -f 2), .*\"prediction\": \"$(sed -n 3p $T/text | cut -f 9)\"}" $T/out
printf '\377\330\377\340 JFIF' > $T/face.jpg
expect 2 "fer: $T/face.jpg: is no PGM or PNG image, but a JPEG image: \`mogrify -format png FILE\` converts it" ./fer predict $T/run $T/face.png $T/face.jpg
check "nothing half-written" test ! -s $T/out
head -c 60 $T/face.png > $T/cut.png
expect 2 "fer: $T/cut.png: damaged PNG image: it ends early" ./fer predict $T/run $T/cut.png

rm -rf $T
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
