#!/bin/sh
# cli.sh - the programs as a user meets them: exit status, messages, files. Run by run.sh from the repository's root.
T=${SCRATCH:-build/tmp}/cli
. tests/expect.sh

# ---- a small data set: faces as noise around a grey level that depends on the class ----
awk 'BEGIN {
    srand(1); print "emotion,pixels,Usage"
    for (i = 0; i < 49; i++) {
        printf "%d,", i % 7
        for (p = 0; p < 2304; p++) printf "%s%d", p ? " " : "", 30 * (i % 7) + int(60 * rand())
        print i < 28 ? ",Training" : i < 42 ? ",PublicTest" : ",PrivateTest"
    }
}' > $T/faces.csv
SMALL="--data $T/faces.csv --size 48 --batch 8"

# ---- help and usage ----
expect 0 "" ./fer
expect 0 "" ./fer help train
check "help lists settings" grep -q -- --adam-epsilon $T/out
for command in train eval predict summary gradcheck unpack pits fingerprint help; do expect 0 "" ./fer help $command; done
expect 2 "fer: tran: no such command; \`fer\` lists them" ./fer tran
expect 2 "fer: --epoch: no such option; \`fer help COMMAND\` lists them" ./fer train --epoch 3
expect 2 "fer: --epochs: expected a value after it" ./fer train --epochs
expect 2 "fer: --epochs many: expected a whole number, 0 ... 1000000" ./fer train --epochs many
expect 2 "fer: train: extra: expected options only" ./fer train extra
expect 2 "fer: an image of 20x20 is too small for this network: conv2d_26: an input 1 high does not hold a window of 3 without padding" ./fer summary --size 20

# ---- summary ----
expect 0 "" ./fer summary
check "trainable" grep -q '^Trainable params: 3,295,207$' $T/out
check "columns" grep -q '^ conv2d_30 (Conv2D)  *(None, 7, 7, 192)  *147456  *\[.mixed3\[0\]\[0\]' $T/out
check "every layer" test "$(grep -c '(None, ' $T/out)" -eq 135

# ---- train ----
expect 0 "" ./fer train $SMALL --epochs 3 --out $T/whole
check "first line names the data" grep -q "^data: $T/faces.csv: 28 Training, 14 PublicTest, 7 PrivateTest images" $T/out
check "a line an epoch" grep -Eq '^Epoch 3/3 - [0-9:]+s? - loss: [0-9.]+ - accuracy: [0-9.]+ - val_loss: [0-9.]+ - val_accuracy: [0-9.]+$' $T/out
check "header with CR LF" test "$(head -n 1 $T/whole/log.csv)" = "$(printf 'epoch;accuracy;loss;val_accuracy;val_loss\r')"
check "three epochs" test "$(wc -l < $T/whole/log.csv)" -eq 4
check "no temporary file" test "$(ls $T/whole)" = "$(printf 'best.npz\nconfig.txt\nepochs\nlast.npz\nlog.csv')"
check "a checkpoint an epoch" test "$(ls $T/whole/epochs)" = "$(printf '0000.npz\n0001.npz\n0002.npz')"
check "the last of them is last.npz" cmp $T/whole/epochs/0002.npz $T/whole/last.npz
check "every setting" test "$(grep -c ' = ' $T/whole/config.txt)" -eq 22
expect 2 "fer: $T/whole: holds a run already: \`fer train --resume $T/whole\` goes on with it, --out takes another folder" ./fer train $SMALL --epochs 3 --out $T/whole

# drawn faces say so on the first line
./fer train --epochs 0 --size 48 --out $T/drawn > $T/out
check "drawn" test "$(head -n 1 $T/out | cut -c 1-42)" = "data: drawn cartoon faces, not FER2013: 28"

# ---- the same bits: with other threads, and resumed ----
for threads in 1 3; do
    OMP_NUM_THREADS=$threads ./fer train $SMALL --epochs 3 --out $T/threads$threads > $T/out
    check "$threads threads" cmp $T/whole/last.npz $T/threads$threads/last.npz
done
./fer train $SMALL --epochs 1 --out $T/part > $T/out
expect 0 "" ./fer train --resume $T/part --epochs 2
expect 0 "" ./fer train --resume $T/part --epochs 3
for file in last.npz best.npz log.csv config.txt epochs/0000.npz epochs/0002.npz; do check "resumed $file" cmp $T/whole/$file $T/part/$file; done
# a run from before there were epochs/ and some settings
cp -r $T/drawn $T/old
rm -r $T/old/epochs
grep -v -e clip-norm -e precise-bn -e reduce-lr -e ema $T/drawn/config.txt > $T/old/config.txt
check "an old config.txt" test "$(grep -c ' = ' $T/old/config.txt)" -eq 18
expect 0 "" ./fer train --resume $T/old
check "its new settings have their defaults" cmp $T/drawn/config.txt $T/old/config.txt
sed '$d' $T/drawn/config.txt > $T/old/config.txt
expect 2 "fer: $T/old/config.txt:21: the file ends early: expected its last line to be batch-order" ./fer train --resume $T/old
# killed at any instant
expect 0 "" ./fer train $SMALL --epochs 0 --out $T/killed
for delay in 0.1 0.2 0.3 0.4 0.5 0.6; do
    ./fer train --resume $T/killed --epochs 3 > $T/out 2>&1 &
    sleep $delay; kill -9 $! 2> /dev/null; wait $! 2> /dev/null
done
expect 0 "" ./fer train --resume $T/killed --epochs 3
for file in last.npz best.npz log.csv epochs/0000.npz epochs/0001.npz epochs/0002.npz; do check "killed $file" cmp $T/whole/$file $T/killed/$file; done
# the order of the usages in the file does not count; without PublicTest the log has two columns
(head -n 1 $T/faces.csv; sed 1d $T/faces.csv | grep -v ,Training; sed 1d $T/faces.csv | grep ,Training) > $T/behind.csv
expect 0 "" ./fer train --data $T/behind.csv --size 48 --batch 8 --epochs 3 --out $T/behind
for file in last.npz best.npz log.csv; do check "Training behind the others: $file" cmp $T/whole/$file $T/behind/$file; done
grep -v ,PublicTest $T/faces.csv > $T/training.csv
expect 0 "" ./fer train --data $T/training.csv --size 48 --batch 8 --epochs 1 --out $T/training
expect 0 "" ./fer train --resume $T/training --epochs 3
check "a log without validation" test "$(sed 's/[0-9][0-9.]*/N/g' $T/training/log.csv | tr -d '\r' | tr '\n' ' ')" = "epoch;accuracy;loss N;N;N N;N;N N;N;N "
check "has the same training" test "$(cut -d ';' -f 1-3 $T/whole/log.csv | tr -d '\r')" = "$(tr -d '\r' < $T/training/log.csv)"
check "and no best weights" test ! -e $T/training/best.npz
# a path with characters that a line cannot keep
odd="$T/$(printf 'a "b\\x41\r\n c\033\r')"
cp $T/faces.csv "$odd"
expect 0 "" ./fer train --data "$odd" --size 48 --batch 8 --epochs 1 --out $T/odd
check "a line a setting" test "$(wc -l < $T/odd/config.txt)" -eq "$(wc -l < $T/whole/config.txt)"
expect 0 "" ./fer train --resume $T/odd --epochs 3
check "the data of an odd path" cmp $T/whole/last.npz $T/odd/last.npz
rm "$odd"
expect 2 "fer: $T/a \"b\\x41?? c??: cannot be opened: No such file or directory; expected a FER2013 CSV or a folder" ./fer train --resume $T/odd
# interrupted: ends at the next batch, says how to resume
./fer train $SMALL --epochs 100000 --out $T/interrupted > $T/out 2>&1 &
sleep 2; kill -INT $!; wait $!
check "stopped with status 1" test $? -eq 1
check "how to resume" grep -q "^stopped at epoch .*; to go on: fer train --resume $T/interrupted$" $T/out

# ---- a run folder has one trainer at a time ----
: > $T/trains
./fer train $SMALL --epochs 100000 --out $T/locked > $T/trains 2>&1 & trains=$!
until grep -q '^Epoch 1/' $T/trains; do sleep 0.1; done
busy="fer: $T/locked: process $trains is training in it; wait for its end, or stop it, or take another folder (--out)"
expect 2 "$busy" ./fer train $SMALL --epochs 3 --out $T/locked
expect 2 "$busy" ./fer train --resume $T/locked
expect 2 "fer: $T/./locked/.: ${busy#*: *: }" ./fer train --resume $T/./locked/. --data $T/none
kill -9 $trains; wait $trains 2> /dev/null
check "what a killed run leaves" test -e $T/locked/lock
epochs=$(($(wc -l < $T/locked/log.csv)))
expect 0 "" ./fer train --resume $T/locked --epochs $epochs
check "its lock is taken over, and gone in the end" test ! -e $T/locked/lock
for i in 1 2 3 4; do (./fer train $SMALL --epochs 1 --out $T/race > $T/race$i 2>&1; echo $? > $T/status$i) & race="$race $!"; done
wait $race
check "one of four that begin together trains" test "$(cat $T/status? | sort | tr '\n' ' ')" = "0 2 2 2 "
check "and no lock is left" test ! -e $T/race/lock
expect 2 "fer: $T/none: cannot be opened: No such file or directory; expected a FER2013 CSV or a folder" ./fer train --data $T/none --out $T/not-made
check "nor that of a run without data" test ! -e $T/not-made
expect 2 "fer: $T/faces.csv: the folder cannot be made: File exists" ./fer train $SMALL --out $T/faces.csv

# ---- resuming with something else ----
expect 2 "fer: $T/whole: cannot be resumed with other settings: batch is 8 in the run, 16 here; learning-rate is 0.001 in the run, 0.01 here" ./fer train --resume $T/whole --batch 16 --learning-rate 0.01 --size 48
sed '3s/^[0-6],/6,/' $T/faces.csv > $T/other.csv
expect 2 "fer: $T/whole: cannot be resumed with other data: the digest of $T/other.csv is $(sed -n 's/data-digest = //p' $T/whole/config.txt | tr -d '\n' > /dev/null; ./fer train --data $T/other.csv --epochs 0 --size 48 --out $T/o > /dev/null; sed -n 's/data-digest = //p' $T/o/config.txt), of the run's data $(sed -n 's/data-digest = //p' $T/whole/config.txt)" ./fer train --resume $T/whole --data $T/other.csv
expect 2 "fer: $T/whole/config.txt:2: precision float32: this program computes in float64" ./fer64 train --resume $T/whole
expect 2 "fer: $T/none/config.txt: cannot be read: No such file or directory" ./fer train --resume $T/none
cp -r $T/whole $T/edited
printf '9;9;9;9;9\r\n' >> $T/edited/log.csv
expect 2 "fer: $T/edited/log.csv:5: is not what this run has logged: expected the end of the file" ./fer train --resume $T/edited
cp -r $T/whole $T/damaged
printf 'X' | dd of=$T/damaged/last.npz bs=1 seek=1000000 conv=notrunc 2> /dev/null
./fer train --resume $T/damaged > $T/out 2> $T/err
check "a damaged checkpoint is refused" test $? -eq 2
check "and named" grep -q "^fer: $T/damaged/last.npz: .*CRC" $T/err

# ---- a full disk: the checkpoint before it stays ----
cp -r $T/part $T/full
cp $T/full/last.npz $T/before.npz
(trap '' XFSZ; ulimit -f 20000; ./fer train --resume $T/full --epochs 4 > $T/out 2> $T/err)
check "a full disk is an error" test $? -eq 2
check "it says which file" grep -q "^fer: $T/full/epochs/0003.npz.*: File too large" $T/err
check "the last checkpoint is there" cmp $T/before.npz $T/full/last.npz
check "nothing half-written" test ! -e $T/full/last.npz.part -a ! -e $T/full/epochs/0003.npz -a ! -e $T/full/epochs/0003.npz.part
(trap '' XFSZ; ulimit -f 1000; ./fer train $SMALL --epochs 1 --out $T/unbegun > $T/out 2> $T/err)
check "no room to begin: exit status" test $? -eq 2
check "no room to begin: nothing is left" test ! -e $T/unbegun
mkdir $T/own
./fer summary --json --size 48 > $T/own/model.json.part
expect 2 "fer: $T/own/model.json.part: is an input too; expected another file for the output" ./fer train $SMALL --model $T/own/model.json.part --epochs 0 --out $T/own
check "the model is still there" test -s $T/own/model.json.part
mv $T/own/model.json.part $T/own/model.json
expect 0 "" ./fer train $SMALL --model $T/own/model.json --epochs 0 --out $T/own
if [ -e /dev/full ]; then
    ./fer summary > /dev/full 2> $T/err
    check "output to a full disk" test $? -eq 2
fi

# ---- eval and predict ----
expect 0 "" ./fer eval $T/whole
check "loss and accuracy" grep -Eq '^loss [0-9.]+, accuracy [0-9.]+ \([0-9]+ of 14\)$' $T/out
check "a row a class" test "$(grep -Ec '^(angry|disgust|fear|happy|sad|surprise|neutral) +2 ' $T/out)" -eq 7
expect 0 "" ./fer eval $T/whole/best.npz --data $T/faces.csv --usage Training
check "training images" grep -q 'of 28)' $T/out
expect 2 "fer: --usage Test: expected Training, PublicTest or PrivateTest" ./fer eval $T/whole --usage Test
expect 2 "fer: eval: expected one run folder or weights file" ./fer eval
expect 2 "fer: $T/faces.csv: neither an npy file nor a whole npz file (no zip end record)" ./fer eval $T/faces.csv
expect 0 "" ./fer unpack $T/faces.csv $T/tree
check "pgm files" test "$(find $T/tree -name '*.pgm' | wc -l)" -eq 49
expect 0 "" ./fer eval $T/whole --data $T/tree
check "the tree scores as the CSV" grep -q 'of 14)' $T/out
expect 0 "" ./fer predict $T/whole $T/tree/PublicTest/0/00000.pgm $T/tree/PublicTest/3/00003.pgm
check "a header and two lines" test "$(wc -l < $T/out)" -eq 3
check "seven probabilities that sum to 1" awk -F'\t' 'NR > 1 { s = 0; for (i = 2; i < 9; i++) s += $i; if (NF != 9 || s < 0.99999 || s > 1.00001) exit 1 }' $T/out
expect 2 "fer: predict: expected a run folder or weights file, then PGM or PNG images" ./fer predict $T/whole

# ---- report ----
expect 0 "" ./fer report $T/whole
check "where it is" grep -q "^$T/whole/report.html: open it in a browser$" $T/out
check "a whole page" test "$(tail -n 1 $T/whole/report.html)" = "</html>"
check "the log's best" grep -q "weights of epoch [012], the best of 3" $T/whole/report.html
expect 0 "" ./fer report $T/whole -o $T/page.html
check "the same page" cmp $T/whole/report.html $T/page.html
expect 0 "" ./fer report $T/whole -o $T/page.html --data $T/tree --data $T/faces.csv
expect 0 "" ./fer report $T/drawn -o $T/page.html
check "initial weights" grep -q "No epoch is done" $T/page.html
expect 2 "fer: report: expected one run folder or log" ./fer report
expect 2 "fer: $T/none: cannot be read: No such file or directory" ./fer report $T/none
expect 2 "fer: $T/tree: no run folder: there is no config.txt in it" ./fer report $T/tree
expect 2 "fer: --column, --images: $T/whole is a run, not a log" ./fer report $T/whole --images 9
expect 2 "fer: $T/whole/config.txt:2: precision float32: this program computes in float64" ./fer64 report $T/whole
expect 2 "fer: $T/whole: expected the run's data, whose digest is $(sed -n 's/data-digest = //p' $T/whole/config.txt); that of $T/other.csv is $(sed -n 's/data-digest = //p' $T/o/config.txt)" ./fer report $T/whole --data $T/other.csv
expect 2 "fer: $T/none/page.html.part: cannot be written: No such file or directory" ./fer report $T/whole -o $T/none/page.html
(trap '' XFSZ; ulimit -f 40; ./fer report $T/whole > $T/out 2> $T/err)
check "a full disk is an error" test $? -eq 2
check "it says which file" grep -q "^fer: $T/whole/report.html: cannot be written: File too large$" $T/err
check "nothing half-written" test ! -e $T/whole/report.html.part
check "the page before stays" test "$(tail -n 1 $T/whole/report.html)" = "</html>"
cp -r $T/whole $T/nohistory; cp $T/whole/best.npz $T/nohistory/last.npz
printf 'epoch;experiment;detail;val_accuracy;val_loss;recovered\r\n1;base;x;0.5;1;much\r\n' > $T/edited/pits.csv
expect 2 "fer: $T/edited/pits.csv:2: recovered is much, expected a number or nothing" ./fer report $T/edited
expect 2 "fer: $T/nohistory/last.npz: expected a checkpoint with the array training/history of shape [epochs,4]" ./fer report $T/nohistory

# ---- start from weights ----
expect 0 "" ./fer train $SMALL --epochs 0 --weights $T/whole/best.npz --out $T/from
./fer eval $T/whole/best.npz --data $T/faces.csv > $T/a; ./fer eval $T/from/last.npz --data $T/faces.csv > $T/b
check "weights are taken over" cmp $T/a $T/b

# ---- bad data, through the program ----
expect 2 "fer: $T/nowhere.csv: cannot be opened: No such file or directory; expected a FER2013 CSV or a folder" ./fer train --data $T/nowhere.csv
printf 'emotion,pixels,Usage\n9,1 2 3 4,Training\n' > $T/bad.csv
./fer train --data $T/bad.csv --out $T/bad > $T/out 2> $T/err
check "bad data is status 2" test $? -eq 2
check "file and line are named" grep -q "^fer: $T/bad.csv:2: " $T/err
check "one line" test "$(wc -l < $T/err)" -eq 1
check "no run folder is left" test ! -e $T/bad

# ---- pits ----
awk 'BEGIN { printf "epoch,lr,val_accuracy,val_loss,acc\n"
    for (i = 0; i < 40; i++) printf "%d,0.001,%.4f,%.4f,NA\n", i, i == 20 ? 0.234 : 0.55 + 0.01 * ((i * 7) % 5) / 5, i == 20 ? 9 : 1.2 + 0.02 * (i % 3) }' > $T/keras.csv
expect 0 "" ./fer pits $T/keras.csv
check "a Keras log's pit" grep -q "^epoch 20 (line 22): val_accuracy 0.2340 where 0.55[0-9]* was to be expected: .* a pit in accuracy and loss$" $T/out
check "one pit" grep -qx "$T/keras.csv: 40 epochs, 1 pit (a run's first three epochs and its last cannot be judged)" $T/out
awk 'BEGIN { print "epoch,val_accuracy"
    for (run = 0; run < 2; run++) for (i = 0; i < 15; i++) printf "%d,%.4f\n", i, 0.6 - 0.4 * exp(-i / 2) }' > $T/appended.csv
expect 0 "" ./fer pits $T/appended.csv
check "no dip either" test "$(wc -l < $T/out)" -eq 2
sed '13s/,.*/,0.58/' $T/appended.csv > $T/dip.csv
expect 0 "" ./fer pits $T/dip.csv
check "the deepest dip is named, pit or not" grep -q "^the deepest dip: epoch 11 (line 13), val_accuracy 0.5800 where 0.59[0-9]* was to be expected, [0-9.]* times the noise$" $T/out
expect 0 "" ./fer pits $T/appended.csv
check "a run appended to another begins anew" grep -qx "$T/appended.csv: 30 epochs of 2 runs, no pit (a run's first three epochs and its last cannot be judged)" $T/out
sed '3,4s/,.*/,nan/' $T/appended.csv > $T/gaps.csv
expect 0 "" ./fer pits $T/gaps.csv
check "rows without figures are passed over" grep -q "^$T/gaps.csv: 28 epochs of 2 runs, rows without val_accuracy and val_loss passed over: 2, no pit" $T/out
awk 'BEGIN { print "epoch,val_acc"; for (i = 0; i < 20; i++) printf "%d,%.1f\n", i, i == 2 ? 10 : i < 12 ? 60 + (i * 7) % 5 : 14.5 }' > $T/lost.csv
expect 0 "" ./fer pits $T/lost.csv
check "how many images the digits say" grep -q "^val_accuracy over 200 images, by their last digits$" $T/out
check "too early to be judged, and named" grep -q "^the deepest dip: epoch 2 .* not judged$" $T/out
check "a fall without return" grep -q "^a fall without return: from epoch 12 (line 14) on val_accuracy 0.1450 where 0.6" $T/out
expect 0 "" ./fer pits $T/lost.csv --json --column val_acc
check "in JSON too" grep -q '"lost_from": 12' $T/out
expect 0 "" ./fer pits $T/whole
check "too short a run has none" grep -qx "$T/whole: 3 epochs, no pit (a run's first three epochs and its last cannot be judged)" $T/out
expect 0 "" ./fer pits $T/whole --epoch 2 --experiments batch,exact,swap,training
check "the state scores what the log says" grep -q "^  base .* $(sed -n 's/^2;[^;]*;[^;]*;\([0-9.]*\);.*/\1/p' $T/whole/log.csv | awk '{ printf "%.4f", $1 }')" $T/out
check "base, batch, 4 exact, 2 swaps, 2 training, conclusion" test "$(wc -l < $T/whole/pits.csv)" -eq 12
cp $T/whole/pits.csv $T/pits-2.csv
expect 0 "" ./fer pits $T/whole --epoch 1 --experiments replay
check "the replay gives the same bits" grep -q "^1;replay;the epoch again: the same bits;" $T/whole/pits.csv
expect 0 "" ./fer pits $T/whole --epoch 2 --experiments batch,exact,swap,training --json
check "what was found on an epoch is replaced" test "$(tail -n 11 $T/whole/pits.csv)" = "$(tail -n 11 $T/pits-2.csv)"
check "the other epoch's rows stay" test "$(grep -c '^1;' $T/whole/pits.csv)" -eq 3
if python3 -c '' 2> /dev/null; then
    check "JSON" python3 -c "import json, sys; p = json.load(open(sys.argv[1]))['pits'][0]; assert p['epoch'] == 2 and len(p['experiments']) == 10 and p['conclusion'] and 'depth' in p" $T/out
fi
expect 0 "" ./fer pits $T/whole --epoch 2 --experiments layers
check "an epoch that is named has every layer's rows, be it a pit or not" test "$(grep -c '^2;layers;exact .* in .*batch_normalization' $T/whole/pits.csv)" -eq 82
check "the best six are shown, the best first" awk '$1 == "layers" { if (n++ && $(NF - 1) > last) exit 1; last = $(NF - 1) } END { exit n != 6 }' $T/out
expect 0 "" ./fer pits $T/whole --epoch 2 --experiments batch,exact,swap,training
check "what other experiments have found stays" test "$(grep -c '^2;layers;' $T/whole/pits.csv)" -eq 82
check "each row once" test -z "$(grep -v '^2;conclusion' $T/whole/pits.csv | sort | uniq -d)"
./fer train --data $T/faces.csv --size 48 --batch 8 --epochs 2 --precise-bn 99 --clip-norm 1 --out $T/remedied > $T/out
expect 0 "" ./fer pits $T/remedied --epoch 1 --experiments replay
check "remedies are replayed too" grep -q "^1;replay;the epoch again: the same bits;" $T/remedied/pits.csv
expect 2 "fer: pits: expected one run folder or log" ./fer pits
expect 2 "fer: $T/none: cannot be read: No such file or directory" ./fer pits $T/none
expect 2 "fer: $T/faces.csv:1: expected a header with a column val_accuracy or val_loss, or --column and the name of one" ./fer pits $T/faces.csv
expect 2 "fer: --epoch 9: expected an epoch of the log that is not its first" ./fer pits $T/whole --epoch 9
expect 2 "fer: --images many: expected a whole number, 1 ... 1000000000" ./fer pits $T/keras.csv --images many
expect 2 "fer: --experiments guess: expected some of batch,exact,swap,training,layers,replay,changes" ./fer pits $T/whole --experiments batch,guess
expect 2 "fer: $T/keras.csv: no run folder (there is no $T/keras.csv/config.txt): --experiments and --data need one" ./fer pits $T/keras.csv --data $T/faces.csv
./fer pits $T/whole --data $T/other.csv > $T/out 2> $T/err
check "other data are refused" grep -q "^fer: $T/whole: was trained on other data: the digest of $T/other.csv is " $T/err
printf '3;what\r\n' >> $T/whole/pits.csv
expect 2 "fer: $T/whole/pits.csv:$(($(wc -l < $T/whole/pits.csv))): expected 6 fields: epoch;experiment;detail;val_accuracy;val_loss;recovered" ./fer pits $T/whole
rm $T/whole/pits.csv $T/whole/epochs/0001.npz
expect 2 "fer: $T/whole: no checkpoint of epoch 1 was kept: expected epochs/0001.npz" ./fer pits $T/whole --epoch 1 --json
check "no JSON that breaks off" test ! -s $T/out
cp $T/whole/config.txt $T/config.txt; sed 's/^size = 48/size = 60/' $T/config.txt > $T/whole/config.txt
expect 2 "fer: $T/whole/epochs/0002.npz: settings/size: 48: expected 60, the size of the run" ./fer pits $T/whole --epoch 2
mv $T/config.txt $T/whole/config.txt

# ---- waiting threads ----
if ldd ./fer 2> /dev/null | grep -q libgomp; then
    env -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose ./fer version > $T/out 2> $T/err
    check "they sleep soon" sh -c "grep SPINCOUNT $T/err | tail -1 | grep -q \"= '10000'\""
    loader=$(ldd ./fer | sed -n 's|^[^/]*\(/[^ ]*ld-linux[^ ]*\).*|\1|p')
    [ "$loader" ] && check "a loader that runs fer gets no arguments" env -u OMP_WAIT_POLICY $loader ./fer version
    env OMP_WAIT_POLICY=active OMP_DISPLAY_ENV=TRUE ./fer version > $T/out 2> $T/err
    check "unless the user says otherwise" grep -q "OMP_WAIT_POLICY = 'ACTIVE'" $T/err
fi

# ---- gradcheck ----
expect 0 "" ./fer64 gradcheck
check "the whole network too" test "$(grep -c "^network " $T/out)" -ge 6
expect 0 "" ./fer gradcheck
expect 0 "" ./fer64 gradcheck relu dense
check "a row an argument" grep -Eq '^dense .* kernel +[0-9]+ +0 +0 +[0-9.e+-]+ +[0-9.e+-]+  ok$' $T/out
expect 2 "fer: gradcheck: expected --points, --values, --model or names of layers" ./fer64 gradcheck --model tests/kinds.json relu
expect 2 "fer: --size: expected with --model" ./fer64 gradcheck --size 48 relu
expect 2 "fer: a network's gradients are checked in float64 only: float32 is too coarse for it: use fer64" ./fer gradcheck --model tests/kinds.json
expect 2 "fer: there is no gradient check of \`conv3d\`; there are: conv2d, depthwise_conv2d, batch_normalization, relu, max_pooling2d, average_pooling2d, global_average_pooling2d, global_max_pooling2d, concatenate, dense, leaky_relu, sigmoid, hard_sigmoid, tanh, silu, elu, softmax, add, multiply, reshape, zero_padding2d, cropping2d, dropout, spatial_dropout2d, rescaling, normalization, softmax_cross_entropy, network" ./fer64 gradcheck conv3d

# ---- fingerprint ----
for program in ./fer ./fer64 build/plain/fer build/plain/fer64; do
    expect 0 "" $program fingerprint --check
    check "all stages" grep -q '^[0-9]* stages, all as expected$' $T/out
done
for threads in 1 2 3 8; do
    expect 0 "" env OMP_NUM_THREADS=$threads ./fer fingerprint --check
done
for tile in 0 1 2; do expect 0 "" env FER_TILE=$tile ./fer fingerprint --check; done
for tile in 3 -1 one "" 0x; do expect 2 "fer: FER_TILE=$tile: expected 0, 1 or 2" env FER_TILE=$tile ./fer version; done
FER_TILE=0 ./fer version > $T/out
check "the tile as built" grep -q "^fer [0-9.]* float32, convolutions as built$" $T/out
expect 0 "" ./fer fingerprint
check "a header" grep -Eq '^fer [0-9.]+ float32, compiled by .+, [0-9]+ threads?$' $T/out
check "the table's digests" test "$(tail -n +2 $T/out | awk '{ print "    {\"" $1 "\", 0x" $2 "," }' | cksum)" = "$(grep '^    {' model/check/fingerprint_expected.c | cut -d ' ' -f 1-6 | cksum)"
expect 1 "" build/broken fingerprint --check
check "the first stage that is broken" grep -Eq '^first difference: batch_normalization_39/output_grad: expected [0-9a-f]{8}, got [0-9a-f]{8}; [0-9]+ of [0-9]+ stages differ$' $T/out
expect 2 "fer: fingerprint: extra: expected nothing but --check" ./fer fingerprint extra

# ---- nothing of libm but sqrt, in every object of both libraries ----
libm='acos asin atan atan2 cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 frexp ilogb ldexp log log10 log1p log2
    logb modf scalbn scalbln cbrt fabs hypot pow erf erfc lgamma tgamma ceil floor nearbyint rint lrint llrint round lround
    llround trunc fmod remainder remquo copysign nan nextafter nexttoward fdim fmax fmin fma sincos exp10 pow10'
for name in $libm; do printf '%s\n%sf\n%sl\nsqrtl\n' $name $name $name; done | sort -u > $T/libm
for library in libfer.a libfer64.a; do
    nm -u $library 2> $T/err | awk '$1 == "U" { print $2 }' | sort -u > $T/undefined
    check "$library lists what it takes" grep -qx 'memcpy' $T/undefined
    check "$library takes nothing of libm but sqrt" test "$(join $T/libm $T/undefined | tr '\n' ' ')" = ""
done

# ---- the examples in C (those in Python: test_examples.py, test_pytorch.py, test_keras.py) ----
expect 0 "" build/example_layer
check "the example's gradient of a dense layer" grep -q '^dkernel\[2\] = { 0.166656, -0.166656}$' $T/out
expect 0 "" build/example_gradcheck
check "the example's gradient is right" grep -q '^4 checked, .*: ok$' $T/out

# ---- op and record ----
expect 0 "" ./fer record --size 48 --batch 2 --seed 3 -o $T/r.npz
check "one line" test "$(sed "s|^$T/||" $T/out | tr '0-9' 'nnnnnnnnnn')" = "r.npz: a training step, n images of nnxnn from drawn faces, weights from the seed, loss n.nnnnnn: nnn arrays, nn MB of memory"
expect 0 "" ./fer record --seed=3 --batch=2 --size=48 -o $T/r2.npz
check "the same bytes" cmp $T/r.npz $T/r2.npz
for threads in 1 3; do
    OMP_NUM_THREADS=$threads ./fer record --size 48 --batch 2 --seed 3 -o $T/r2.npz > $T/out
    check "the same bytes with $threads threads" cmp $T/r.npz $T/r2.npz
done
expect 0 "" ./fer record --weights $T/r.npz --input $T/r.npz -o $T/r2.npz
check "a record reproduces itself" cmp $T/r.npz $T/r2.npz
expect 0 "" ./fer record --weights $T/whole/best.npz --data $T/faces.csv --usage PrivateTest -o $T/r2.npz
check "as many images as there are" grep -q "^$T/r2.npz: a training step, 7 images of 48x48 from $T/faces.csv, weights from $T/whole/best.npz, loss" $T/out
expect 0 "" ./fer record --exact --size 48 --batch 1 -o $T/x.npz
check "exact" grep -q "^$T/x.npz: exact integers, 1 images of 48x48 from the seed: 273 arrays, " $T/out
expect 2 "fer: record: expected -o and the file to write" ./fer record --size 48
expect 2 "fer: record: extra: expected options only" ./fer record extra -o $T/r3.npz
expect 2 "fer: --epochs: no such option; \`fer help COMMAND\` lists them" ./fer record --epochs 3 -o $T/r3.npz
expect 2 "fer: --input, --data: expected one of them" ./fer record --input $T/r.npz --data $T/faces.csv -o $T/r3.npz
expect 2 "fer: --usage: expected with --data" ./fer record --usage Training -o $T/r3.npz
expect 2 "fer: --exact: its weights and images are drawn: expected no --weights, --input, --data" ./fer record --exact --input $T/r.npz -o $T/r3.npz
expect 2 "fer: --size 64: the images of $T/r.npz are 48x48" ./fer record --size 64 --input $T/r.npz -o $T/r3.npz
expect 2 "fer: $T/r.npz: input: 2 images: a batch of 3 was asked for" ./fer record --batch 3 --input $T/r.npz -o $T/r3.npz
expect 2 "fer: $T/faces.csv: 7 images of usage PrivateTest: a batch of 8 was asked for" ./fer record --batch 8 --data $T/faces.csv --usage PrivateTest -o $T/r3.npz
expect 2 "fer: $T/x.npz: no array labels: expected input and labels" ./fer record --input $T/x.npz -o $T/r3.npz
expect 2 "fer: an image of 20x20 is too small for this network: conv2d_26: an input 1 high does not hold a window of 3 without padding" ./fer record --size 20 -o $T/r3.npz
check "nothing was written" test ! -e $T/r3.npz -a ! -e $T/r3.npz.part
expect 2 "fer: op: expected the operation's name, IN.npz and OUT.npz" ./fer op relu $T/r.npz
expect 2 "fer: $T/r.npz: input: relu has no array of this name: expected x" ./fer op relu $T/r.npz $T/o.npz
expect 2 "fer: --pool: not an option of relu, which has --max-value, --negative-slope, --at-zero, --layout" ./fer op relu $T/r.npz $T/o.npz --pool 2,2
check "nothing was written" test ! -e $T/o.npz -a ! -e $T/o.npz.part
printf '\223NUMPY\001\000\166\000%-117s\n\001\376\003\004\000\006' "{'descr': '|i1', 'fortran_order': False, 'shape': (3,2)}" > $T/six.npy
expect 0 "" ./fer op relu $T/six.npy $T/o.npz --print
check "--print" test "$(sed "s|$T/||g" $T/out | tr '\n' ' ')" = "y [3,2] 1 0 3 4 0 6 o.npz: relu: 1 arrays; 0 arrays of six.npy ignored "
expect 0 "" ./fer op relu $T/six.npy $T/o.npz --layout nchw
./fer64 op relu $T/six.npy $T/right.npz > $T/out
expect 0 "" ./fer64 verify --op relu $T/six.npy $T/right.npz
check "a result is ok" grep -q "^1 arrays checked: 1 ok, " $T/out
expect 1 "" ./fer64 verify --op relu $T/six.npy $T/right.npz --max-value 5
check "another is not" grep -q "^first at fault: y, WRONG: 1 of 6, row 2, channel 1 alone: relu for relu6: it is not cut off above" $T/out
expect 2 "fer: verify --op: expected IN.npz and THEIRS.npz" ./fer64 verify --op relu $T/six.npy
expect 2 "fer: results are judged in float64: use fer64, or libfer64" ./fer verify --op relu $T/six.npy $T/right.npz
expect 2 "fer: --layout NCHW: expected nhwc|nchw" ./fer op relu $T/six.npy $T/o.npz --layout=NCHW
if mkfifo $T/pipe 2> $T/err; then
    cat $T/whole/best.npz > $T/pipe & writer=$!
    expect 2 "fer: $T/pipe: its size cannot be found: Illegal seek; a file was expected, no pipe" ./fer eval $T/pipe
    wait $writer 2> $T/err
    other="is a folder or a device; a file was expected, or a name that is free"
    expect 2 "fer: $T/pipe: $other" ./fer record --size 48 --batch 2 -o $T/pipe
    expect 2 "fer: $T: $other" ./fer record --size 48 --batch 2 -o $T
    check "the pipe is still one" test -p $T/pipe -a ! -e $T/pipe.part
fi

# ---- no output takes the place of an input, by whatever name ----
printf '\223NUMPY\001\000\166\000%-117s\n\000\000\200\077\000\000\200\277' \
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }" > $T/in.npy # 1, -1
cp $T/in.npy $T/y.npz.part; cp $T/whole/best.npz $T/w.npz
ln -s in.npy $T/link.npy; ln $T/in.npy $T/hard.npy
input="is an input too; expected another file for the output"
keeps() { # keeps FILE MESSAGE COMMAND ...: it is refused, and the file stays as it is
    cp "$1" $T/kept; kept=$1; shift
    expect 2 "$@"
    check "$kept stays" cmp $T/kept $kept
}
keeps $T/in.npy "fer: $T/in.npy: $input" ./fer op relu $T/in.npy $T/in.npy
keeps $T/in.npy "fer: $T/../cli/in.npy: $input" ./fer op relu $T/in.npy $T/../cli/in.npy
keeps $T/in.npy "fer: $T/in.npy: $input" ./fer op relu $T/link.npy $T/in.npy
keeps $T/in.npy "fer: $T/link.npy: $input" ./fer op relu $T/in.npy $T/link.npy
keeps $T/in.npy "fer: $T/hard.npy: $input" ./fer op relu $T/in.npy $T/hard.npy
keeps $T/y.npz.part "fer: $T/y.npz.part: $input" ./fer op relu $T/y.npz.part $T/y.npz
keeps $T/r.npz "fer: $T/r.npz: $input" ./fer record --input $T/r.npz -o $T/r.npz
keeps $T/w.npz "fer: $T/w.npz: $input" ./fer record --size 48 --batch 2 --weights $T/w.npz -o $T/w.npz
keeps $T/faces.csv "fer: $T/faces.csv: $input" ./fer record --size 48 --batch 2 --data $T/faces.csv -o $T/faces.csv
keeps $T/faces.csv "fer: $T/faces.csv: $input" ./fer report $T/whole -o $T/faces.csv
keeps $T/whole/last.npz "fer: $T/whole/last.npz: $input" ./fer report $T/whole -o $T/whole/last.npz
keeps $T/whole/config.txt "fer: $T/whole/config.txt: $input" ./fer report $T/whole -o $T/whole/config.txt
mkdir $T/fresh; cp $T/w.npz $T/fresh/last.npz; cp $T/w.npz $T/fresh/best.npz
keeps $T/fresh/last.npz "fer: $T/fresh/last.npz: $input" ./fer train $SMALL --epochs 0 --weights $T/fresh/last.npz --out $T/fresh
keeps $T/fresh/best.npz "fer: $T/fresh/best.npz: $input" ./fer train $SMALL --epochs 0 --weights $T/fresh/best.npz --out $T/fresh
mkdir -p $T/fresh/epochs; cp $T/w.npz $T/fresh/epochs/0002.npz
keeps $T/fresh/epochs/0002.npz "fer: $T/fresh/epochs/0002.npz: $input" ./fer train $SMALL --epochs 3 --weights $T/fresh/epochs/0002.npz --out $T/fresh
keeps $T/faces.csv "fer: $T/faces.csv: the folder cannot be made: File exists" ./fer unpack $T/faces.csv $T/faces.csv

# ---- bench, and memory that is not there ----
expect 0 "" ./fer bench --size 48 --batch 2 --repeats 1
check "every layer's line" test "$(grep -c '^conv2d' $T/out)" -eq 40
check "a line of totals" grep -Eq '^training step +[0-9.]+ ms an image' $T/out
expect 0 "" ./fer bench --size 48 --batch 1 --repeats 1 --json
check "json has the totals" grep -q '"step_ms_per_image": [0-9.]*, "inference_ms_per_image": [0-9.]*' $T/out
cat > $T/tall.json << 'END'
{"class_name": "Sequential", "config": {"layers": [
    {"class_name": "InputLayer", "config": {"batch_shape": [null, 400, 4, 2]}},
    {"class_name": "Conv2D", "config": {"filters": 2, "kernel_size": [3, 3]}},
    {"class_name": "Flatten", "config": {}},
    {"class_name": "Dense", "config": {"units": 3, "activation": "softmax"}}]}}
END
expect 0 "" ./fer bench --model $T/tall.json --batch 8 --repeats 1
sed 's/400, 4, 2/12, 12, 1/' $T/tall.json > $T/three.json
expect 2 "fer: tests/tiny.csv: image 4 is happy, class 3: the network has 3 classes" ./fer record --model $T/three.json --data tests/tiny.csv --batch 6 -o $T/three.npz
check "nothing written" test ! -e $T/three.npz
expect 2 "fer: --repeats 0: expected a whole number, 1 ... 1000" ./fer bench --repeats 0
if (ulimit -v 300000) 2> /dev/null; then
    (ulimit -v 300000; OMP_NUM_THREADS=1 ./fer train --batch 400 --out $T/large > $T/out 2> $T/err)
    check "more memory than there is" test $? -eq 2
    check "which batch would fit" grep -q '^fer: batch 400 at size 128 needs 3226 MB of memory and 307 MB are available; expected a batch of at most [0-9]*$' $T/err
    check "nothing was written" test ! -e $T/large
fi

rm -rf $T
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
