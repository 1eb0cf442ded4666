# Sourced: `here`, this folder; `work`, a folder that goes at the end; `fail WORDS...`, which is remembered in `failed`.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "FAILED: $*" >&2
    failed=1
}
