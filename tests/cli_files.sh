#!/bin/sh
# cli_files.sh - files as people have them, given to the programs: exit status, messages. Run by run.sh from the
# repository's root. What the readers make of single files is in test_faces.c, test_png.c and test_npz.c.
T=${SCRATCH:-build/tmp}/cli_files
. tests/expect.sh

# ---- arrays ----
./fer record --size 48 --batch 1 -o $T/r.npz > $T/out
cat $T/r.npz | ./fer eval /dev/stdin > $T/out 2> $T/err
check "a pipe as npz: exit status" test $? -eq 2
check "a pipe as npz: one line" grep -qx 'fer: /dev/stdin: its size cannot be found: .*; a file was expected, no pipe' $T/err

# ---- faces: CSVs, trees ----
row='0 50 100 150 200 250 0 50 100'
for i in 1 2 3 4 5 6 7; do echo "$((i % 7)),$row,PublicTest"; echo "$((i % 7)),$row,Training"; done > $T/rows
{ echo emotion,pixels,Usage; cat $T/rows; } > $T/faces.csv # the first image is not of Training
printf '\037\213' > $T/damaged.csv.gz
{ echo 'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF'
  for i in 1 2 3 4 5 6 7; do for u in Training PublicTest; do echo "$u,x.png,0,$i,0,3,0,0,0,0,4,0"; done; done; } > $T/fer2013new.csv
expect 0 "" ./fer train --data $T/faces.csv --size 48 --batch 4 --epochs 1 --out $T/first
check "two batches of training" grep -q '^data: .*: 7 Training, 7 PublicTest, 0 PrivateTest images$' $T/out
expect 2 "fer: $T/damaged.csv.gz: damaged gzip file: it ends early" ./fer unpack $T/damaged.csv.gz $T/none
expect 2 "fer: $T/fer2013new.csv:1: this is FER+'s label file, which has no pixels: expected fer2013.csv here, and this file behind --labels" ./fer train --data $T/fer2013new.csv --out $T/none
expect 0 "" ./fer unpack --labels $T/fer2013new.csv $T/faces.csv $T/plus
check "how many changed" grep -qx "data: labels of $T/fer2013new.csv: 8 of 14 rows changed class, 6 were dropped" $T/out
check "the rest is happy" test "$(cd $T/plus && find . -name '*.pgm' | sort | tr '\n' ' ')" = "./PublicTest/3/00000.pgm ./PublicTest/3/00001.pgm ./PublicTest/3/00002.pgm ./PublicTest/3/00003.pgm ./Training/3/00000.pgm ./Training/3/00001.pgm ./Training/3/00002.pgm ./Training/3/00003.pgm "
expect 0 "" ./fer train --data $T/faces.csv --labels $T/fer2013new.csv --size 48 --batch 4 --epochs 1 --out $T/labelled
expect 0 "" ./fer train --resume $T/labelled --epochs 2
check "a resumed run has its labels" grep -q '^data: labels of' $T/out
expect 0 "" ./fer eval $T/labelled
check "so has its evaluation" grep -q ' of 4)$' $T/out
expect 2 "fer: --labels $T/fer2013new.csv: expected with --data FILE.csv, whose rows are in the same order" ./fer train --labels $T/fer2013new.csv --out $T/none
check "nothing half-written" test ! -e $T/none

mkdir -p $T/kaggle/images/train/happy $T/kaggle/images/validation/fear
expect 2 "fer: $T/kaggle: no image, expected $T/kaggle/Training/3/NAME.pgm and the like" ./fer unpack $T/kaggle $T/none
for i in 0 1 2 3 4 5 6 7 8 9; do for k in 0 1 2 3 4 5 6 7 8 9; do
    printf 'P5 1 1 255\n0' > $T/kaggle/images/train/happy/$i$k.pgm
    printf 'P5 1 1 255\n0' > $T/kaggle/images/validation/fear/$i$k.pgm
done; done
(ulimit -n 32; ./fer unpack $T/kaggle $T/copy > $T/out 2> $T/err)
check "200 images with 32 open files" test $? -eq 0
check "all of them" grep -qx "$T/copy: 200 images" $T/out

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

# ---- logs ----
cannot="nothing can be judged: expected at least five epochs of a run with validation, not"
log() { name=$1; shift; printf "$@" > $T/$name.csv; }
log head 'epoch,val_accuracy\n'
expect 2 "fer: $T/head.csv: $cannot 0" ./fer pits $T/head.csv
log four 'epoch,val_accuracy\n0,0.5\n1,0.6\n2,0.2\n3,0.6\n'
expect 2 "fer: $T/four.csv: $cannot 4" ./fer pits $T/four.csv
check "the deepest of them is named" grep -q "^the deepest dip: epoch 2 (line 4), val_accuracy 0.2000 where 0.5500 .*: not judged$" $T/out
log loss 'epoch,val_loss\n0,2\n1,900\n2,1.5\n3,1.4\n4,1.3\n5,1.25\n6,1.2\n7,40\n8,1.2\n9,1.1\n10,1.1\n11,1.8\n12,1.1\n13,1.1\n14,8\n15,9\n16,9\n'
expect 0 "" ./fer pits $T/loss.csv
printf '%s\n' "$T/loss.csv: 17 epochs, 1 pit (a run's first three epochs and its last cannot be judged)" \
    'epoch 7 (line 9): val_loss 40.0000 where 1.2500; a pit in loss' \
    'a dip: epoch 1 (line 3), val_loss 900.0000 where 2.0000 was to be expected' \
    'a dip: epoch 11 (line 13), val_loss 1.8000 where 1.1000 was to be expected' \
    'a fall without return: from epoch 14 (line 16) on val_loss 8.0000 where 1.1000 was before' > $T/expected
check "of val_loss alone all is said" diff $T/expected - << END
$(sed 's/, [0-9.]* times.*//' $T/out)
END
check "too early is not judged" grep -q '^a dip: epoch 1 .*: not judged$' $T/out
check "and no pit is none" grep -q '^a dip: epoch 11 .*: no pit by the rule$' $T/out
log runs 'epoch,val_acc,loss\n'
for run in 1 2; do
    for i in 1 2 3 4 5 6 7 8 9; do echo "$i,0.6$((i * 3 % 4)),1"; done; for i in 10 11 12 13; do echo "$i,0.14,1"; done
done >> $T/runs.csv
expect 0 "" ./fer pits $T/runs.csv
check "of each run its fall without return" test "$(grep -c '^a fall without return: from epoch 10 (line [12]*[0-9]) on val_accuracy 0.1400 where 0.6' $T/out)" -eq 2
log accuracy 'epoch,accuracy,loss\n0,0.6107,1.7\n1,0.5940,0.6\n2,0.8454,0.4\n3,0.8682,0.3\n4,0.8276,0.4\n5,0.9299,0.2\n6,0.9611,0.1\n7,0.8521,0.6\n8,0.9566,0.1\n9,0.9800,0.1\n'
expect 0 "" ./fer pits $T/accuracy.csv --column accuracy
check "another column, by its name" grep -q '^the deepest dip: epoch 7 (line 9), accuracy 0.8521 where 0.9299 was to be expected, 3.* times the noise: no pit by the rule$' $T/out
expect 0 "" ./fer report $T/loss.csv
check "the page of a log lies beside it" grep -qx "$T/loss-report.html: open it in a browser" $T/out
check "a whole page" test "$(tail -n 1 $T/loss-report.html)" = "</html>"
expect 2 "fer: $T/head.csv: $cannot 0" ./fer report $T/head.csv
check "no page of nothing" test ! -e $T/head-report.html
cp $T/loss.csv $T/copy.csv
expect 2 "fer: $T/copy.csv: is an input too; expected another file for the output" ./fer report $T/copy.csv -o $T/copy.csv
check "the log stays" cmp $T/loss.csv $T/copy.csv
expect 2 "fer: --images 0: expected a whole number, 1 ... 1000000000" ./fer report $T/loss.csv --images 0
expect 2 "fer: --images 99999999999999999999: expected a whole number, 1 ... 1000000000" ./fer report $T/loss.csv --images 99999999999999999999
expect 2 "fer: report: expected one run folder or log; several logs need -o FILE.svg" ./fer report $T/loss.csv $T/runs.csv
expect 0 "" ./fer report $T/loss.csv $T/runs.csv -o $T/logs.svg
check "where the picture is" grep -qx "$T/logs.svg: open it in a browser" $T/out
expect 2 "fer: $T/head.csv: $cannot 0" ./fer report $T/loss.csv $T/head.csv -o $T/none.svg
check "half a picture is none" test ! -e $T/none.svg -a ! -e $T/none.svg.part
mkdir -p $T/empty
expect 2 "fer: $T/empty/log.csv: cannot be read: No such file or directory" ./fer report $T/empty -o $T/none.svg
# what model/pits/README.md says of its logs, and its pictures
runs=model/pits/runs
for said in "incv3v1 105 116" "incv3v1-2 95 132 144" "sequential_bn 7 25 26 105" "sequential_bn-2 95" "sequential" "sequential_bn-clip" "incv3v1-clip" "incv3v1-lr"; do
    set -- $said
    expect 0 "" ./fer pits $runs/$1.csv
    check "the pits of $1" test "$1$(sed -n 's/^epoch \([0-9]*\) .* a pit in .*/ \1/p' $T/out | tr -d '\n')" = "$said"
done
head -47 $runs/sequential_bn.csv > $T/as_it_is.csv
expect 0 "" ./fer report $runs/incv3v1.csv $runs/incv3v1-2.csv -o $T/pits.svg
expect 0 "" ./fer report $runs/incv3v1.csv $runs/sequential_bn.csv $runs/sequential.csv -o $T/contrast.svg
expect 0 "" ./fer report $T/as_it_is.csv $runs/sequential_bn-clip.csv -o $T/remedies.svg
for picture in pits contrast remedies; do check "$picture.svg" cmp model/pits/$picture.svg $T/$picture.svg; done
expect 0 "" ./fer summary --model $runs/sequential_bn.json
check "its parameters" grep -q "^Total params: 251,943" $T/out
expect 0 "" ./fer summary --model $runs/sequential.json
check "its parameters" grep -q "^Total params: 250,407" $T/out

rm -rf $T
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
