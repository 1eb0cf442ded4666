#!/usr/bin/env bash
# The programs of examples/hosts as users run them: pipes, files that are broken, a service under attack, a database.
# usage: hosts.sh DIRECTORY [FOLDER]     DIRECTORY has the programs (build/release/examples/hosts); those missing are said to be
#                                        With FOLDER, where playwright-core is installed (npm install playwright-core), the page
#                                        is clicked through in Chromium, too, and its pictures are put there.
set -uo pipefail
programs=$(cd "$1" && pwd)
browser=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
fail() {
    echo "FAILED: $*" >&2
    failed=1
}
has() {
    [ -x "$programs/$1" ] && return 0
    echo "$1: not built here, left out"
    return 1
}
# refuses WORDS COMMAND...: ends with 1 and a message that has the words; stdin is at hand.
refuses() {
    local words=$1 code=0
    shift
    "$@" >said 2>errors || code=$?
    [ "$code" = 1 ] || fail "$*: ended with $code, not 1"
    grep -qF -- "$words" errors || fail "$*: does not say '$words', but: $(head -n 3 errors)"
}

if has score; then
    score=$programs/score
    "$score" --save churn.model 2>/dev/null || fail "score --save"
    "$score" --example 200 >rows.csv || fail "score --example"
    "$score" --load churn.model <rows.csv >scores.csv || fail "score --load"
    [ "$(wc -l <scores.csv)" = 201 ] || fail "score: $(wc -l <scores.csv) lines for 200 rows and a header"
    paste -d, rows.csv scores.csv | awk -F, '
        NR > 1 { n[$10]++; sum[$10] += $12; wrong += $12 <= 0 || $12 >= 1 }
        END { exit wrong > 0 || sum["yes"] / n["yes"] < sum["no"] / n["no"] + .15 }' ||
        fail "score: those who left have no higher scores"
    # Columns in another order, one more, quoted fields over two lines, empty fields.
    head -n 3 rows.csv | awk -F, -v OFS=, '{ print "\"a\nb\"", $9, $8, $7, $6, $5, $4, $3, $2, $1 }' | "$score" --load churn.model |
        cmp -s - <(head -n 3 scores.csv) || fail "score: other order, other scores"
    # Line by line: the score is there while the pipe is open.
    mkfifo in out
    "$score" --load churn.model <in >out &
    exec 3>in 4<out
    head -n 2 rows.csv >&3
    read -r -t 20 line <&4 && read -r -t 20 line <&4 && [ "$line" = "$(sed -n 2p scores.csv)" ] || fail "score: no score before the end of the input"
    exec 3>&-
    wait $! || fail "score: a pipe that ends"
    exec 4<&-
    # Bad rows are named by row and column.
    { head -n 3 rows.csv; sed -n '4s/^[^,]*/many/p' rows.csv; sed -n 5p rows.csv; } >bad.csv
    refuses 'row 4, column 1: not a number (bad_number)' "$score" --load churn.model <bad.csv
    [ "$(wc -l <said)" = 3 ] || fail "score: what came before the bad row was not written"
    "$score" --load churn.model --keep-going <bad.csv >said 2>errors && fail "score --keep-going: 0 though a row was refused"
    [ "$(wc -l <said)" = 5 ] && [ -z "$(sed -n 4p said)" ] && [ "$(sed -n 5p said)" = "$(sed -n 5p scores.csv)" ] ||
        fail "score --keep-going: scores are not beside their rows"
    refuses 'row 2' "$score" --load churn.model < <(head -n 1 rows.csv; echo 1,2)
    refuses 'no column "tenure"' "$score" --load churn.model < <(cut -d, -f2- rows.csv)
    refuses 'no header' "$score" --load churn.model </dev/null
    refuses '(bad_utf8)' "$score" --load churn.model < <(head -n 1 rows.csv; printf '1,2,3,4,5,6,\xff,card,x,no,no\n')
    refuses 'no such file' "$score" --load none.model <rows.csv
    head -c 2000 churn.model >cut.model
    refuses '(' "$score" --load cut.model <rows.csv
    refuses '(' "$score" --load rows.csv <rows.csv
    refuses '(missing_column)' "$score" --save x.model --data rows.csv --target gone --positive yes
    "$score" --save own.model --data rows.csv --target accepted --positive yes --drop left 2>/dev/null &&
        "$score" --load own.model <rows.csv >said || fail "score: a CSV of one's own"
    echo "score: pipes, broken rows and files"
fi

if has no_exceptions; then
    program=$programs/no_exceptions
    "$program" >said || fail "no_exceptions"
    grep -q '^600 rows; the first probabilities: 0\.' said || fail "no_exceptions says something else"
    refuses 'no such file or folder: none.csv (status 9)' "$program" none.csv left yes
    printf 'tenure,left\n1,yes\n2\n' >ragged.csv
    refuses 'row 3, column 1 (byte 19): the row ends after 1 of 2 fields (status 40)' "$program" ragged.csv left yes
    printf 'tenure,left\n1,yes\n2,no\n' >small.csv
    refuses 'no column "gone" among 2 (status 45)' "$program" small.csv gone yes
    echo "no_exceptions: one status a failure"
fi

if has sqlite_scores; then
    program=$programs/sqlite_scores
    database() { python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall())' "$@"; }
    "$program" >/dev/null && "$program" >said || fail "sqlite_scores: made, and run again"
    [ "$(database churn.db 'SELECT count(*), count(DISTINCT id), min(risk) > 0, max(risk) < 1 FROM scores')" = "[(2000, 2000, 1, 1)]" ] ||
        fail "sqlite_scores: the table of scores"
    higher="SELECT avg(CASE \"left\" WHEN 'yes' THEN risk END) > avg(CASE \"left\" WHEN 'no' THEN risk END) + 0.15 FROM scores JOIN customers USING (id)"
    [ "$(database churn.db "$higher")" = "[(1,)]" ] || fail "sqlite_scores: those who left have no higher risks"
    before=$(sha256sum <churn.db)
    refuses 'gives no column "gone"' "$program" --database churn.db --target gone
    refuses 'no such table "gone"' "$program" --database churn.db --from gone
    refuses 'no column "gone"' "$program" --database churn.db --id gone
    refuses 'has no column "risk"' "$program" --database churn.db --to customers
    refuses 'stands in more than one row' "$program" --database churn.db --id region --to regions
    refuses 'unable to open' "$program" --database none.db
    echo 'this is no database, though it is long enough to be looked at' >text.db
    refuses '(bad_format)' "$program" --database text.db
    [ "$(sha256sum <churn.db)" = "$before" ] || fail "sqlite_scores: a failure changed the database"
    echo "sqlite_scores: learns from a database and writes back, all or nothing"
fi

if has service; then
    python3 "$here/hosts_service.py" "$programs/service" "$work" || failed=1
    chromium=$(command -v chromium chromium-browser google-chrome | head -n 1)
    if [ -n "$browser" ] && [ -n "$chromium" ]; then
        for data in generated hostile; do
            options=()
            [ $data = hostile ] && options=(--data hostile.csv)
            : >listening
            "$programs/service" --port 0 "${options[@]}" >>listening & served=$!
            for _ in $(seq 300); do grep -q http listening && break; sleep 0.2; done
            address=$(grep -o 'http://[^ ]*' listening)
            (cd "$browser" && node "$here/hosts_browser.mjs" "$address" "$chromium" "$PWD/service.png" $([ $data = generated ] || echo hostile)) || failed=1
            kill $served && wait $served
        done
    elif [ -n "$browser" ]; then
        fail "there is no Chromium (Debian: chromium)"
    fi
fi
exit $failed
