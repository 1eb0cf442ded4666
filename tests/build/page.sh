# Sourced by what looks at programs and their reports: `here`, a folder `work` that goes at the end, `fail WORDS...`, which is remembered in
# `failed`, and `check_page FILE`, which says what is wrong with a report: it must end, have charts, and load nothing from elsewhere.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "FAILED: $*" >&2
    failed=1
}
# Names of namespaces look like addresses, but nothing is loaded from them.
check_page() {
    local loads
    [ -s "$1" ] || { fail "no report was written: $1"; return 0; }
    loads=$(grep -oiE '(src|href|srcset|action|data|poster)[[:space:]]*=[[:space:]]*["'\'']?[[:space:]]*(https?:)?//[^"'\'' >]*|url\([^)]*//[^)]*\)|@import[^;]*|<(script|iframe|object|embed)[^>]*' "$1" || true)
    [ -z "$loads" ] || fail "the report loads $(head -n 1 <<<"$loads"): $1"
    grep -q '<svg' "$1" || fail "the report has no charts: $1"
    grep -qi '</html>' "$1" || fail "the report does not end: $1"
}
