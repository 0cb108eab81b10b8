#!/usr/bin/env bash
# run.sh BASE_URL CHANNEL [EXAMPLES [SEED]]: holds a system in dev mode, whose channel has a meme, to openapi.yaml. EXAMPLES is
# how many requests are made up for each operation and phase (default 3); the phases are all that there are.
set -euo pipefail
cd "$(dirname "$0")"
export MEMALERTS_URL=$1 MEMALERTS_CHANNEL=$2 SCHEMATHESIS_HOOKS=hooks.py
# One at a time: several workers spoil each other's generators. That what fits the document is accepted cannot be asked for: a
# wallet may be empty, a login taken, a time past.
exec .venv/bin/schemathesis run ../../openapi.yaml --url "$MEMALERTS_URL" --workers 1 --no-color \
    --phases examples,coverage,fuzzing,stateful --checks all --exclude-checks positive_data_acceptance \
    --max-examples "${3:-3}" --seed "${4:-1}" --continue-on-failure --request-timeout 20
