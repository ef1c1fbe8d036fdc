# man.awk - what `fer` and then `fer help COMMAND` of each command print, as a manual page.
#
# A line that begins with an option is an item, with the text behind it, and below it further in. A line that begins with
# another word two blanks in is of a table, and stands as it is. All else is running text.
function escape(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    gsub(/`/, "\\(ga", text)
    gsub(/\^/, "\\(ha", text)
    gsub(/~/, "\\(ti", text)
    sub(/^\./, "\\\\\\&.", text)
    return text
}

# Leaves an item or a table.
function leave() {
    if (state == "table") print ".fi"
    if (state != "text") print ".PP"
    state = "text"
}

NR == 1 {
    printf ".TH FER 1 \"\" \"fer %s\" \"User Commands\"\n", version
    sub(/^[^:]*: /, "")
    sub(/ \(float[0-9]*\)$/, "")
    print ".ad l\n.nh\n.SH NAME\nfer, fer64 \\- " escape($0)
    print ".SH SYNOPSIS\n.B fer\n.I COMMAND\n[\\fIargument\\fR ...]\n.br\n.B fer64\n.I COMMAND\n[\\fIargument\\fR ...]"
    print ".SH DESCRIPTION\n.B fer\ncomputes in float32, \\fBfer64\\fR in float64."
    next
}
# The list of commands, and what is said below it.
!page && /^  / {
    command = $1
    sub(/^  [^ ]+ +/, "")
    brief[command] = $0
    next
}
/^usage: / {
    if (!page++) print ".SH COMMANDS"
    else leave()
    print ".SS " $3 " \\- " escape(brief[$3])
    print ".B " escape(substr($0, 8))
    print ".br"
    state = "text"
    next
}
!page { print escape($0); next }
/^  -/ {
    leave()
    # Its name ends before two blanks; a setting's value stands in a column of its own.
    if (!match($0, /^  --[a-z0-9-]+  +[^ ]+  +/)) match($0, /^  [^ ]+( [^ ]+)* */)
    name = substr($0, 3, RLENGTH - 2)
    text = substr($0, RLENGTH + 1)
    gsub(/ +/, " ", name)
    sub(/ $/, "", name)
    print ".TP\n.B " escape(name)
    if (text != "") print escape(text)
    state = "item"
    next
}
/^  [^ ]/ && state != "table" {
    leave()
    print ".nf"
    state = "table"
}
state == "table" && /^  / { print escape($0); next }
state == "item" && /^   / { sub(/^ +/, ""); print escape($0); next }
{
    if (state != "text") leave()
    if (/:$/) print ".PP"
    print escape($0)
}
END { if (state == "table") print ".fi" }
