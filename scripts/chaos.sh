#!/usr/bin/env bash
# Breaks the system in every way we know and proves that nothing was lost. FAULT=F1,F8 chooses faults, N= their rounds
# (without it a tenth of a full run), SEED= the chance; further arguments go to the program (`scripts/chaos.sh --help`).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
need_postgres
need_ffmpeg
# What is set for the system must not leak into what is broken.
unset DATABASE_URL MEMALERTS_ENV PORT MEMALERTS_DATA_DIR

say "building"
cargo build -p runtime -p chaos --features runtime/failpoints
out="$(target_dir)/chaos"
mkdir -p "$out"
# A real disk that PostgreSQL's user can reach, wherever the checkout is.
run="${CHAOS_DIR:-/var/tmp/memalerts-chaos}"
arguments=(--binary "$(target_dir)/debug/memalerts" --dir "$run" --report "$out/report.jsonl")
arguments+=(--commit "$(git rev-parse --short=12 HEAD)$([ -z "$(git status --porcelain)" ] || echo '+changes')")
[ -z "${FAULT:-}" ] || arguments+=(--fault "$FAULT")
[ -z "${N:-}" ] || arguments+=(--rounds "$N")
[ -z "${SEED:-}" ] || arguments+=(--seed "$SEED")
say "breaking"
"$(target_dir)/debug/chaos" "${arguments[@]}" "$@"
