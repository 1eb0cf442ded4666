#!/usr/bin/env bash
# The files of a release, from a commit alone: the same bytes wherever they are made.
# usage: scripts/release_archive.sh COMMIT [DIRECTORY]
# Writes DIRECTORY/caramel-VERSION.tar.gz and DIRECTORY/caramel_all.hpp, and prints their SHA-256.
. "$(dirname "$0")/common.sh"
commit=${1:?usage: scripts/release_archive.sh COMMIT [DIRECTORY]} directory=${2:-build}
version=$(git show "$commit:include/caramel/version.hpp" | sed -n 's/#define CARAMEL_VERSION_STRING "\(.*\)"/\1/p')
mkdir -p "$directory"
archive=$directory/caramel-$version.tar.gz
# git takes times from the commit; gzip -n leaves the name and the time out.
git -c core.autocrlf=false archive --format=tar --prefix="caramel-$version/" "$commit" | gzip -9 -n >"$archive"
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
tar -C "$unpacked" -xzf "$archive"
"$unpacked/caramel-$version/scripts/single_header.py" "$directory/caramel_all.hpp"
sha256sum "$archive" "$directory/caramel_all.hpp"
