#!/usr/bin/env bash
# Installs a runner of Procfiles for `tests/it/procfile.rs`. Needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")"
if [ ! .venv/installed -nt requirements.txt ]; then
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
    touch .venv/installed
fi
