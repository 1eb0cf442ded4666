#!/usr/bin/env bash
# The main job's program as users run it: the same bytes for any number of threads, a report that needs no network, and a
# typed error or a stated result for logs that are broken or too small.
# usage: journey.sh PROGRAM
. "$(dirname "${BASH_SOURCE[0]}")/page.sh"
program=$1

# ---- the generated shop, with 1, 2 and 4 threads -----------------------------------------------------------------------
for threads in 1 2 4; do
    report=()
    [ "$threads" = 2 ] && report=(--report "$work/report.html")
    if ! "$program" --threads "$threads" --save "$work/saved.$threads" "${report[@]}" >"$work/said.$threads" 2>"$work/errors.$threads"; then
        fail "the generated shop, $threads threads: $(tail -n 1 "$work/errors.$threads")"
        continue
    fi
    [ -s "$work/saved.$threads" ] || fail "nothing was saved with $threads threads"
    cmp -s "$work/saved.1" "$work/saved.$threads" || fail "$threads threads saved other bytes than 1"
    grep -q '^result serve.same_answers 1$' "$work/said.$threads" || fail "$threads threads: the fresh process answered otherwise"
    # Figures but times are the same, too.
    grep '^result ' "$work/said.$threads" | grep -Ev 'seconds|_us ' >"$work/figures.$threads"
    cmp -s "$work/figures.1" "$work/figures.$threads" || fail "$threads threads gave other figures than 1"
done
for figure in clean.rows recommend.factorization.ndcg@10 churn.mlp.auc churn.mlp.log_loss policy.learned_over_optimal serve.p50_us serve.p99_us; do
    grep -qE "^result $figure [0-9.e+-]+$" "$work/said.2" || fail "no figure $figure"
done
check_page "$work/report.html"
grep -q 'In short' "$work/report.html" || fail "the report concludes nothing"

# ---- other logs: `try NAME may_fail|must_fail WORDS` -----------------------------------------------------------------
# Exit 1 with a typed error, or exit 0 with finite figures; WORDS must stand in what was said.
try() {
    local name=$1 verdict=$2 words=$3 code=0
    rm -f "$work/small.html"
    timeout 120 "$program" --data "$work/$name" --save "$work/saved.other" --report "$work/small.html" --threads 2 >"$work/said" 2>"$work/errors" || code=$?
    case $code in
        0)
            [ "$verdict" = may_fail ] || fail "$name: accepted"
            grep -q '^result ' "$work/said" || fail "$name: no result"
            grep -q '^result total.seconds ' "$work/said" || fail "$name: did not come to its end"
            grep -qi '</html>' "$work/small.html" || fail "$name: no whole report"
            ;;
        1) grep -qE '^customer_journey: .+ \([a-z_]+\)$' "$work/errors" || fail "$name: no typed error, but: $(head -n 3 "$work/errors")" ;;
        *) fail "$name: ended with $code: $(head -n 3 "$work/errors")" ;;
    esac
    if grep -qiwE '[-+]?(nan|inf|infinity)' "$work/said" "$work/errors"; then fail "$name: $(grep -hiwE '[-+]?(nan|inf|infinity)' "$work/said" "$work/errors" | head -n 1)"; fi
    grep -qhi -- "$words" "$work/said" "$work/errors" || fail "$name: does not say '$words'"
    echo "$name: exit $code$([ "$code" = 0 ] || echo ", $(tail -n 1 "$work/errors")")"
}
header=invoice,stock_code,description,quantity,invoice_date,price,customer_id
# log PREFIX CUSTOMERS DAYS ROWS: invoices of two rows over some days, ten products.
log() {
    echo "$header"
    awk -v prefix="$1" -v customers="$2" -v days="$3" -v rows="$4" 'BEGIN {
        for (i = 0; i < rows; ++i) {
            day = int(i * days / rows)
            month = int(day / 28) + 1
            printf "%s%06d,P%02d,RED CUP %d,%d,2010-%02d-%02d %02d:%02d:00,%.2f,%d\n", prefix, 500000 + int(i / 2), i * 7 % 10, i * 7 % 10,
                prefix == "C" ? -1 : i % 3 + 1, month, day % 28 + 1, 8 + i % 10, i % 60, 1 + i % 4, 12000 + int(i / 2) % customers
        }
    }'
}
log "" 30 200 600 >"$work/whole"
cut -d, -f1-6 "$work/whole" >"$work/without_customers"
cut -d, -f1-4,6- "$work/whole" >"$work/without_dates"
echo "$header" >"$work/header_only"
log "" 1 300 80 >"$work/one_customer"
log "" 30 1 300 >"$work/one_day"
log "" 1 1 1 >"$work/one_row"
log C 30 200 300 >"$work/all_cancelled"
: >"$work/empty_file"
mkdir "$work/a_directory"
sed '5s/2010-[0-9-]*/soon/' "$work/whole" >"$work/bad_time"
sed '7s/^\([^,]*,[^,]*,[^,]*\),[^,]*,/\1,many,/' "$work/whole" >"$work/bad_quantity"
head -c 2000 "$work/whole" >"$work/cut_off"
try whole may_fail 'result recommend'
try without_customers must_fail customer_id
try without_dates must_fail invoice_date
try header_only must_fail empty_input
try one_customer may_fail result
try one_day may_fail result
try one_row may_fail result
try all_cancelled must_fail cancel
try empty_file must_fail '('
try a_directory must_fail '('
try bad_time must_fail '('
try bad_quantity must_fail '('
try cut_off may_fail '('
try no_such_file must_fail '('
exit $failed
