# completion.bash - what Tab completes in bash: commands, options, an option's values, a layer of `op`, else files. All of
# it is asked of the program itself, by its help texts.
_fer()
{
    local fer=$1 word=$2 before=$3 command=${COMP_WORDS[1]} help words
    if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$command" = help ]; }; then
        words=$("$fer" help 2> /dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')
    else
        help=$("$fer" help "$command" 2> /dev/null)
        if [[ $word == -* ]]; then
            words=$(grep -oE -e '--[a-z][a-z0-9-]*' <<< "$help" | sort -u)
        elif [ "$before" = --op ] || { [ "$COMP_CWORD" -eq 2 ] && [ "$command" = op ]; }; then
            words=$("$fer" help op 2> /dev/null | sed -n -e 's/^  \([a-z][a-z0-9_, ]*\):.*/\1/p' -e 's/^  \([a-z][a-z0-9_, ]*\)  .*/\1/p' | tr -d ,)
        elif [[ $before == --* ]]; then # the first A|B|C behind its name
            words=$(sed -n "s/^.*$before  *\([A-Za-z0-9_]*|[A-Za-z0-9_|]*\).*/\1/p" <<< "$help" 2> /dev/null | sed '1!d; s/|/ /g')
        fi
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _fer fer fer64
