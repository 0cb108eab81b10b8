#!/usr/bin/env bash
# The program as one file without libraries. It runs on a machine that has nothing (but ffmpeg, for pool media).
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
target=$(uname -m)-unknown-linux-musl
if ! has musl-gcc; then
    is_root && has apt-get || fail "musl-gcc is missing; type: sudo apt-get install musl-tools"
    confirm "musl-gcc is missing. Install it (apt-get install musl-tools)?" || fail "type: apt-get install musl-tools"
    apt_install musl-tools
fi
if has rustup; then rustup target add "$target"; fi

say "building"
cargo build --release --target "$target" -p runtime
program=$(target_dir)/$target/release/memalerts
! readelf --program-headers "$program" 2>/dev/null | grep -q INTERP || fail "$program wants a loader"
say "$program ($(du -h "$program" | cut -f1)) needs no library"
