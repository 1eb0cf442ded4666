#!/usr/bin/env bash
# The reports of churn and lead_scoring: they load nothing, conclude in words, and stand where contacting nobody pays best.
# usage: reports.sh CHURN LEAD_SCORING
. "$(dirname "${BASH_SOURCE[0]}")/page.sh"
# says NAME WORDS... : the page holds them
says() {
    local name=$1 words
    shift
    for words in "$@"; do grep -qF -- "$words" "$work/$name.html" || fail "$name: the page lacks: $words"; done
}
csv=(--data "$here/../../examples/customers.csv" --target left --positive yes)
run() {
    local name=$1
    shift
    "$@" --report "$work/$name.html" >"$work/said" 2>&1 || fail "$name: $(tail -n 1 "$work/said")"
    check_page "$work/$name.html"
}
run churn "$1" "${csv[@]}"
says churn 'In short' 'What tells most:' 'times in 100; guessing would do so 50 times' 'it pays to contact those with a risk of'
run leads "$2" "${csv[@]}"
says leads 'In short' 'it pays to contact those with a score of' 'points beside it on average'
run nobody "$2" "${csv[@]}" --benefit 1 --cost 100
says nobody 'it pays to contact nobody'
exit $failed
