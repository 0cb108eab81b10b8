#!/usr/bin/env bash
# The whole system on this machine, in dev mode with demo data. Ctrl-C stops it cleanly; the data stays.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
[ -n "${DATABASE_URL:-}" ] || need_postgres
need_ffmpeg

say "building (the first time takes a few minutes)"
cargo build -p runtime

say "starting"
export MEMALERTS_ENV="${MEMALERTS_ENV:-dev}" LOG_LEVEL="${LOG_LEVEL:-warn}"
# As itself, without this shell between: signals go straight to it.
exec "$(target_dir)/debug/memalerts" all
