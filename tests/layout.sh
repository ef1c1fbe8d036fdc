#!/bin/sh
# layout.sh - the folders keep their order (make check-layout). Each may use what is named behind it, and no two files
# of a folder call each other in a circle. Read are the #includes, and the names that the objects of ./fer define and
# want. Every arrow that is not allowed, and every circle, is printed. So is a line of more than 120 columns.
cd "$(dirname "$0")/.." || exit 2
T=${SCRATCH:-build/tmp}/layout
rm -rf "$T"; mkdir -p "$T"

cat > "$T/allowed" <<'END'
fer.c         model/check model/pits model layers layers/numbers data data/page
model/check   model layers layers/numbers data data/page
model/pits    model layers layers/numbers data data/page
model         layers layers/numbers data data/page
layers        layers/numbers
data/page     data layers/numbers
data          layers/numbers
END

sources=$(ls fer.c layers/*.c layers/*/*.c model/*.c model/*/*.c data/*.c data/*/*.c)
headers=$(ls *.h layers/*.h layers/*/*.h model/*.h model/*/*.h data/*.h)

# ---- arrows: FILE FILE NAME, for each name that the first takes from the second ----
for source in $sources; do
    nm -A -g -P "build/32/${source%.c}.o" || exit 2
done | sed 's|^build/32/\(.*\)\.o:|\1.c|' | awk '
    $3 == "U" { wants[$1, $2] = 1 }
    $3 ~ /^[TDRBC]$/ { owner[$2] = $1 }
    END {
        for (want in wants) {
            split(want, part, SUBSEP)
            if (part[2] in owner && owner[part[2]] != part[1]) print part[1], owner[part[2]], part[2]
        }
    }' | sort > "$T/calls"

grep '^#include "' $sources $headers |
    sed 's|^\([^:]*\):#include "\(.*\)".*|\1 \2|' | awk '{
        path = $1; sub(/[^\/]*$/, "", path); path = path $2
        while (sub(/[^\/.]+\/\.\.\//, "", path)) {}
        print $1, path, "#include"
    }' > "$T/includes"

# ---- which of them are wrong ----
# Plain loops and their twins are one folder here.
folder='function folder(path) {
    if (path !~ /\//) return path
    sub(/(\/fast)?\/[^\/]*$/, "", path)
    return path
}'
awk "$folder"'
    NR == FNR { for (i = 2; i <= NF; i++) allowed[$1, $i] = 1; next }
    folder($1) != folder($2) && $2 != "fer.h" && !((folder($1), folder($2)) in allowed) {
        print "arrow back: " $1 " -> " $2 ": " $3
    }' "$T/allowed" "$T/calls" "$T/includes" > "$T/wrong"

awk "$folder"'
    folder($1) == folder($2) { print $1, $2 }' "$T/calls" | sort -u > "$T/inside"
tsort "$T/inside" 2>&1 > "$T/order" | sed -n -e 's/.*input contains a loop.*/circle/p' -e 's/^tsort: \([^ ]*\.c\)$/\1/p' |
    awk '
        NR == FNR { names[$1, $2] = names[$1, $2] " " $3; next }
        /^circle$/ { close_circle(); next }
        { member[++members] = $1 }
        function close_circle(   i, j) {
            if (members) print "circle:"
            for (i = 1; i <= members; i++) for (j = 1; j <= members; j++)
                if ((member[i], member[j]) in names) print "    " member[i] " -> " member[j] ":" names[member[i], member[j]]
            members = 0
        }
        END { close_circle() }' "$T/calls" - >> "$T/wrong"

awk 'length > 120 { print "long line: " FILENAME ":" FNR }' $sources $headers >> "$T/wrong"

cat "$T/wrong"
failed=$(grep -c -v '^    ' "$T/wrong")
checked=$(sort -u "$T/calls" "$T/includes" | wc -l)
rm -rf "$T"
[ "$checked" -gt 100 ] || failed=$((failed + 1)) # guards against having read nothing
echo "$((checked - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
