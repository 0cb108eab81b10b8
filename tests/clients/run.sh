#!/usr/bin/env bash
# run.sh BASE_URL CHANNEL: generates clients from openapi.yaml (TypeScript, Python), compiles them, and runs the demo with
# each against a system in dev mode whose channel has a meme. Run install.sh before.
set -euo pipefail
cd "$(dirname "$0")"
spec=$PWD/../../openapi.yaml

(
    cd typescript
    npx --no-install openapi-typescript "$spec" -o schema.d.ts >/dev/null
    npx --no-install tsc
    node build/demo.js "$@"
)
(
    cd python
    PATH=$PWD/.venv/bin:$PATH
    # A warning is a part of the document that the generator left out.
    openapi-python-client generate --path "$spec" --output-path generated --meta none --overwrite --fail-on-warning >/dev/null
    rm -rf package && mkdir package && mv generated package/mem_alerts_client
    python -m compileall -q package demo.py
    PYTHONPATH=package python demo.py "$@"
)
