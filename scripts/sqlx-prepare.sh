#!/usr/bin/env bash
# Renews `.sqlx` (what `query!` needs to compile without a database) from the schema at DATABASE_URL.
# The same as `cargo sqlx prepare --workspace`, without installing its CLI.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATABASE_URL:?set DATABASE_URL to a database with all migrations applied}"
out=$(mktemp -d)
export SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$out"
# Macros run only when their crate compiles: make every workspace crate stale.
find api jobs workers tests -name '*.rs' -path '*/src/*' \( -name lib.rs -o -name main.rs \) -exec touch {} +
find tests -maxdepth 2 -name '*.rs' -exec touch {} +
cargo check --workspace --all-targets --all-features "$@"
mkdir -p .sqlx
rm -f .sqlx/query-*.json
cp "$out"/query-*.json .sqlx/
rm -rf "$out"
