#!/usr/bin/env bash
# Runs all tests on a PostgreSQL cluster of their own. Arguments go to the test runner.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
[ -n "${MEMALERTS_TEST_DATABASE_URL:-}" ] || need_postgres
need_ffmpeg

# A server that is set for the system shall be used for its tests, too.
if [ -n "${DATABASE_URL:-}" ] && [ -z "${MEMALERTS_TEST_DATABASE_URL:-}" ]; then
    export MEMALERTS_TEST_DATABASE_URL="$DATABASE_URL"
fi
# What else is set for the system must not leak into its tests.
unset DATABASE_URL MEMALERTS_ENV PORT MEMALERTS_DATA_DIR

say "building"
# With faults on order (tests/it/failpoints.rs). The tests are built with the same feature, so nothing is compiled twice.
cargo build -p runtime -p test-cluster --features runtime/failpoints
MEMALERTS_BIN="$(target_dir)/debug/memalerts"
export MEMALERTS_BIN

# Parts that need more than Rust: a story that needs one looks for it and, unless CI is set, skips itself by name.
skipped=()
source scripts/optional.sh

if cargo nextest --version >/dev/null 2>&1; then
    profile=default; [ -z "${CI:-}" ] || profile=ci
    runner=(cargo nextest run --profile "$profile" --workspace --features runtime/failpoints "$@")
else
    say "cargo-nextest is not installed: cargo test runs the same tests"
    runner=(cargo test --workspace --features runtime/failpoints "$@")
fi
say "testing"
status=0
"$(target_dir)/debug/test-cluster" "${runner[@]}" || status=$?

# What the documentation of crates shows is compiled, and run where it can be; nextest does not.
if [ $# -eq 0 ] && [ "${runner[1]}" = nextest ]; then
    "$(target_dir)/debug/test-cluster" cargo test --quiet --doc --workspace --features runtime/failpoints || status=$?
fi

# A small slice of chaos: each fault once, and the proof that what it looks for would be found.
if [ $# -eq 0 ]; then
    if has_postgres; then
        say "breaking"
        cargo build -p runtime -p chaos --features runtime/failpoints
        # PostgreSQL, which never runs as root, must be able to enter.
        chaos="$(mktemp -d)"; chmod 755 "$chaos"
        for part in "--prove" "--rounds 1 --short"; do
            # shellcheck disable=SC2086
            "$(target_dir)/debug/chaos" $part --binary "$MEMALERTS_BIN" --dir "$chaos/run" --report "$chaos/report.jsonl" || status=$?
        done
        rm -rf "$chaos"
    else
        skipped+=("chaos: needs the programs of PostgreSQL on this machine")
    fi
fi

if [ ${#skipped[@]} -gt 0 ]; then
    say "SKIPPED"
    printf '  %s\n' "${skipped[@]}"
fi
exit "$status"
