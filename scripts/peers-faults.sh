#!/usr/bin/env bash
# Breaks the queue beside those that a program in Rust would take instead, and tells what becomes of jobs: ten minutes, most
# of them waiting. Arguments go to the bench (`bench faults --help`).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
need_postgres
# What is set for the system must not leak into what is broken.
unset DATABASE_URL MEMALERTS_ENV PORT MEMALERTS_DATA_DIR
target=$(target_dir)

say "building"
for peer in apalis-postgres apalis-sql; do
    cargo build --release --locked --manifest-path "tests/peers/$peer/Cargo.toml" --target-dir "$target/peers"
done
# Ours may be the dev build: what is measured are seconds.
cargo build -p bench
say "breaking"
"$target/debug/bench" faults "$@"
