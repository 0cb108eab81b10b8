#!/usr/bin/env bash
# Measures memalerts and its peer. Arguments go to the bench (`scripts/bench.sh --help`); QUICK=1 is --quick.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
need_postgres
need_ffmpeg
has node && has npm || fail "Node.js with npm is missing, which the peer runs on; on Debian: apt-get install nodejs npm"
# What is set for the system must not leak into its bench.
unset DATABASE_URL MEMALERTS_ENV PORT MEMALERTS_DATA_DIR

say "installing the peer"
npm ci --prefix tests/peers/express --omit=dev --no-audit --no-fund --silent
say "building"
cargo build --release -p runtime -p bench
[ "${QUICK:-}" != 1 ] || set -- --quick "$@"
say "measuring"
"$(target_dir)/release/bench" "$@"
