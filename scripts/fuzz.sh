#!/usr/bin/env bash
# Throws random inputs at everything that reads what strangers send to chats: lines and tags of IRC, bodies of webhooks, frames of
# VK Video's socket, templates, commands, links, texts that bots say. CASES (a million) for each property; `make test` throws 256,
# or 2,000 at templates. A failing input is printed, made as small
# as it can be, and kept beside the test.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
need_rust
export PROPTEST_CASES=${CASES:-1000000}
cargo test --release -p irc --lib
cargo test --release -p chat --lib platforms::
cargo test --release -p domain --lib -- templates:: automod:: chat_commands:: outbox::text
cargo test --release -p centrifugo --lib
