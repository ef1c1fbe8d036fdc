/* refusal.c - asks fer_arithmetic_check: a build with other arithmetic must be refused (tests/refusals.sh). */
#include "../fer.h"

#include <stdio.h>

int main(void)
{
    struct fer_error e = {""};
    const int refused = fer_arithmetic_check(&e);
    puts(refused ? e.text : "ok");
    return refused ? 2 : 0;
}
