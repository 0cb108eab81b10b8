#!/usr/bin/env bash
# Format and lints, as CI has them.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
cargo fmt --all --check
cargo clippy --workspace --all-targets -- -D warnings
