# Sourced by what looks at programs and their reports: `check_page FILE` says what is wrong with a report, which must end, have charts, and
# load nothing from elsewhere; and what work.sh has.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/work.sh"
# Names of namespaces look like addresses, but nothing is loaded from them.
check_page() {
    local loads
    [ -s "$1" ] || { fail "no report was written: $1"; return 0; }
    loads=$(grep -oiE '(src|href|srcset|action|data|poster)[[:space:]]*=[[:space:]]*["'\'']?[[:space:]]*(https?:)?//[^"'\'' >]*|url\([^)]*//[^)]*\)|@import[^;]*|<(script|iframe|object|embed)[^>]*' "$1" || true)
    [ -z "$loads" ] || fail "the report loads $(head -n 1 <<<"$loads"): $1"
    grep -q '<svg' "$1" || fail "the report has no charts: $1"
    grep -qi '</html>' "$1" || fail "the report does not end: $1"
}
