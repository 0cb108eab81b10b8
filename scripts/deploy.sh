#!/usr/bin/env bash
# Build, migrate, restart: brings the code of this folder into service on this machine, and ends when it is what answers.
# The environment is the system's own (.env.example). BIN: a binary that is built already. RUN: what is started in the
# background and stopped here. RESTART: a command that restarts what somebody else runs; nothing is started here then.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

if [ -z "${BIN:-}" ]; then
    need_rust
    say "building"
    cargo build --release -p runtime
    BIN=$(target_dir)/release/memalerts
fi
[ -x "$BIN" ] || fail "there is no program $BIN"
PATH="$(cd "$(dirname "$BIN")" && pwd):$PATH"

# Also says all that is wrong with the environment, before anything is touched.
settings=$("$BIN" config)
setting() { sed -n "s/^[a-z]* *$1=//p" <<<"$settings"; }
data=$(setting MEMALERTS_DATA_DIR)
host=$(setting LISTEN_ADDRESS)
case "$host" in
    0.0.0.0 | ::) host=127.0.0.1 ;;
    *:*) host="[$host]" ;;
esac
health="http://$host:$(setting PORT)/health"
build=$("$BIN" --version | cut -d' ' -f2)

# A number alone may be somebody else's by now: beside it stands when its process began.
# Nothing for one that is gone, or dead and not yet buried.
began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }
mkdir -p "$data"
note=$data/deployed
old=
if [ -f "$note" ]; then
    read -r pid since <"$note"
    [ "$(began "$pid")" != "$since" ] || old=$pid
fi

# Every process does it at its start, too; here it is seen to work before anything is stopped. A private server that
# nobody runs yet is migrated by the process that starts it.
if [ -n "${DATABASE_URL:-}${RESTART:-}$old" ]; then
    say "migrating"
    "$BIN" migrate
fi

if [ -n "${RESTART:-}" ]; then
    say "restarting: $RESTART"
    bash -c "$RESTART"
else
    if [ -n "$old" ]; then
        say "stopping process $old, which finishes what it does"
        kill -TERM "$old"
        for ((tenths = 0; tenths < 1200; tenths++)); do
            [ -n "$(began "$old")" ] || break
            sleep 0.1
        done
        [ -z "$(began "$old")" ] || fail "process $old has not ended within two minutes"
    fi
    say "starting: ${RUN:-memalerts all} (log: $data/deployed.log)"
    # A word of shell, so that it may have arguments; `exec`, so that the signal above reaches it and not a shell.
    setsid nohup bash -c "exec ${RUN:-memalerts all}" >>"$data/deployed.log" 2>&1 </dev/null &
    echo "$! $(began $!)" >"$note"
fi

for ((tenths = 0; tenths < 900; tenths++)); do
    seen=$(curl --silent --max-time 2 "$health" | sed -n 's/.*"build":"\([^"]*\)".*/\1/p') || true
    if [ "$seen" = "$build" ]; then
        say "$health answers as $build"
        exit 0
    fi
    if [ -z "${RESTART:-}" ] && [ -z "$(began "$(cut -d' ' -f1 "$note")")" ]; then
        tail -n 5 "$data/deployed.log" >&2
        fail "it has ended; the end of its log is above"
    fi
    sleep 0.1
done
fail "$health answers as ${seen:-nothing} and not as $build"
