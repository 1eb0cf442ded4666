#!/usr/bin/env bash
# The archive of a release, from a commit alone: the same bytes wherever it is made.
# usage: scripts/release_archive.sh COMMIT [DIRECTORY]     writes DIRECTORY/caramel-VERSION.tar.gz and prints its SHA-256
. "$(dirname "$0")/common.sh"
commit=${1:?usage: scripts/release_archive.sh COMMIT [DIRECTORY]} directory=${2:-build}
version=$(git show "$commit:include/caramel/version.hpp" | sed -n 's/#define CARAMEL_VERSION_STRING "\(.*\)"/\1/p')
mkdir -p "$directory"
archive=$directory/caramel-$version.tar.gz
# git takes times from the commit; gzip -n leaves the name and the time out.
git -c core.autocrlf=false archive --format=tar --prefix="caramel-$version/" "$commit" | gzip -9 -n >"$archive"
sha256sum "$archive"
