#!/usr/bin/env bash
# Measures the queue beside other queues. Arguments go to the bench (`scripts/bench-queue.sh --help`); QUICK=1 is --quick,
# CHURN=3600 is --churn 3600, CONTENDERS=memalerts,skip is --contenders.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

need_rust
need_postgres
has node && has npm || fail "Node.js with npm is missing, which two peers run on; on Debian: apt-get install nodejs npm"
has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null ||
    fail "Python 3 with venv is missing, which a peer runs on; on Debian: apt-get install python3 python3-venv"
# What is set for the system must not leak into its bench.
unset DATABASE_URL MEMALERTS_ENV PORT MEMALERTS_DATA_DIR
peers=tests/peers
target=$(target_dir)

# npm_install FOLDER: what its lock names.
npm_install() { npm ci --prefix "$peers/$1" --omit=dev --no-audit --no-fund --silent; }

say "installing the peers"
node=$(command -v node)
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 18) ? 0 : 1)'; then
    say "Node.js $(node --version) is too old for two peers (22.18): they get one of their own, from npm"
    npm_install node
    node=$(compgen -G "$PWD/$peers/node/node_modules/node-linux-*/bin/node") || fail "there is no Node.js 22 for this machine: install it"
fi
npm_install graphile-worker
npm_install pg-boss
venv=$target/peers/procrastinate
if [ ! "$venv/installed" -nt "$peers/procrastinate/requirements.txt" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$peers/procrastinate/requirements.txt"
    touch "$venv/installed"
fi

say "building"
for peer in skip-locked apalis-postgres apalis-sql; do
    cargo build --release --locked --manifest-path "$peers/$peer/Cargo.toml" --target-dir "$target/peers"
done
cargo build --release -p bench
[ "${QUICK:-}" != 1 ] || set -- --quick "$@"
[ -z "${CHURN:-}" ] || set -- --churn "$CHURN" "$@"
[ -z "${CONTENDERS:-}" ] || set -- --contenders "$CONTENDERS" "$@"
say "measuring"
"$target/release/bench" queue --node "$node" "$@"
