#!/usr/bin/env bash
# Installs the fuzzer, at the versions that the lock names. Needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")"
# A lock that is newer than what is installed means: install again.
if [ ! .venv/installed -nt requirements.txt ]; then
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
    touch .venv/installed
fi
