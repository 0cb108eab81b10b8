#!/usr/bin/env bash
# Attacks the system at full size: the stories about doors with all their rounds, a fuzzer, SQL injection, slow clients, and a look at
# every library that is built in. PART=libraries,stories,files,fuzzer,sql,timing,slow chooses (all without it). Takes some hours.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
need_postgres
need_ffmpeg
# What is set for the system must not leak into what is attacked.
unset DATABASE_URL MEMALERTS_ENV PORT MEMALERTS_DATA_DIR
out="$(target_dir)/security"
mkdir -p "$out"
part() { [ -z "${PART:-}" ] || [[ ",$PART," == *",$1,"* ]]; }

say "building"
cargo build -p runtime -p test-cluster --features runtime/failpoints
MEMALERTS_BIN="$(target_dir)/debug/memalerts"
export MEMALERTS_BIN SECURITY_FULL=1

# stories FILTER: the tests that the filter names, in full size.
stories() {
    "$(target_dir)/debug/test-cluster" cargo nextest run --profile security --workspace --features runtime/failpoints -E "$1"
}

# attacked COMMAND...: runs it with the address of a whole system of its own as its last argument.
attacked() (
    data="$(mktemp -d)"; chmod 755 "$data"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    MEMALERTS_ENV=dev PORT=$port METRICS_PORT=0 MEMALERTS_DATA_DIR=$data RATE_LIMIT_FACTOR=0 LOG_LEVEL=error \
        "$MEMALERTS_BIN" all >"$out/system.log" 2>&1 &
    system=$!
    trap 'kill -TERM "$system" 2>/dev/null; wait "$system" || true; rm -rf "$data"' EXIT
    base="http://127.0.0.1:$port"
    for _ in $(seq 120); do
        if grep -q 'Ctrl-C' "$out/system.log"; then break; fi
        kill -0 "$system" 2>/dev/null || fail "the system did not start: $out/system.log"
        sleep 1
    done
    "$@" "$base"
    curl -fsS --max-time 5 "$base/health" >/dev/null || fail "the system does not answer any more: $out/system.log"
)

if part libraries; then
    say "libraries: known weaknesses, sources, licences; a list of what is built in"
    need_cargo_deny
    cargo deny check advisories bans licenses sources
    for lock in tests/browser tests/idp tests/clients/typescript; do
        npm audit --prefix "$lock" --audit-level=high
    done
    cargo metadata --format-version 1 --locked --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" |
        python3 scripts/sbom.py >"$out/sbom.cdx.json"
    say "what is built in: $out/sbom.cdx.json"
fi

if part stories; then
    say "stories about doors, all rounds"
    doors='test(tokens::) | test(origins::) | test(matrix::) | test(logins::) | test(passwords::) | test(identities::)'
    doors+=' | test(keys::) | test(budgets::) | test(headers::) | test(limits::) | test(environments::) | test(security::)'
    doors+=' | test(mails::) | test(vault::) | package(identity)'
    stories "$doors"
fi

if part files; then
    # MUTATIONS=500 SEED=7 is a short form.
    export MUTATIONS="${MUTATIONS:-20000}"
    say "files: $MUTATIONS with some bytes wrong"
    stories 'package(media) & test(corpus::)'
fi

if part fuzzer; then
    say "a fuzzer, 200 requests an operation and phase"
    tests/conformance/install.sh
    stories 'test(conformance::)'
fi

if part sql; then
    say "SQL injection: level 5, risk 3, every parameter of every operation"
    tests/conformance/install.sh
    attacked tests/conformance/.venv/bin/python tests/conformance/injections.py "$out/injections"
fi

if part timing; then
    say "timing: does an answer tell by how long it takes whose an address is?"
    attacked python3 scripts/timing.py "$out/timing.json"
fi

if part slow; then
    # CONNECTIONS=4000 DURATION=40 is the short form.
    export CONNECTIONS="${CONNECTIONS:-10000}" DURATION="${DURATION:-600}"
    say "slow clients: heads, bodies and readers, $CONNECTIONS at once for $DURATION s each; others must go on"
    has slowhttptest || { is_root && has apt-get && apt_install slowhttptest; } ||
        fail "slowhttptest is missing; type: sudo apt-get install slowhttptest"
    attacked scripts/slow-clients.sh "$out/slow"
fi
say "held"
