#!/usr/bin/env bash
# Names what in openapi.yaml breaks clients of the commit before. A commit that means it says so with `!` (`feat!: ...`).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

# Uncommitted changes are compared with the last commit, a committed document with the one before.
base=HEAD
git diff --quiet HEAD -- openapi.yaml && base=HEAD^
old=$(mktemp)
trap 'rm -f "$old"' EXIT
if ! git show "$base:openapi.yaml" >"$old" 2>/dev/null; then
    say "no openapi.yaml in $base: nothing to compare with"
    exit 0
fi
if cargo run -q -p tests --bin spec-diff -- "$old" openapi.yaml; then
    say "nothing breaks against $(git rev-parse --short "$base")"
elif [ "$base" = HEAD^ ] && git log -1 --format=%s | grep -qE '^[a-z]+(\([^)]*\))?!: '; then
    say "breaks against $(git rev-parse --short "$base"), as its commit says with !"
else
    fail "this breaks clients made for $(git rev-parse --short "$base"): keep the old form beside the new one, or commit with ! (feat!: ...)"
fi
