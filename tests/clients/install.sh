#!/usr/bin/env bash
# Installs the generators of clients, at the versions that the locks name. Needs node with npm, and python3 with venv.
set -euo pipefail
cd "$(dirname "$0")"
# A lock that is newer than what is installed means: install again.
if [ ! typescript/node_modules/.package-lock.json -nt typescript/package-lock.json ]; then
    npm ci --prefix typescript --no-fund --no-audit --silent
fi
if [ ! python/.venv/installed -nt python/requirements.txt ]; then
    python3 -m venv python/.venv
    python/.venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r python/requirements.txt
    touch python/.venv/installed
fi
