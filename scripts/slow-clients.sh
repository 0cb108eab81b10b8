#!/usr/bin/env bash
# slow-clients.sh OUT BASE: thousands of clients that send or read a few bytes at a time, while somebody asks for /health each
# tenth of a second, a while without them first. Fails if one of those is answered with 5xx, or if one in a hundred takes both twice as
# long as without them and 50 ms, or is not answered at all; or if a slow client stays connected for longer than 20 s (15 s is what it has), or for 35 s as a reader: its 15 s begin anew with
# what the system takes for it.
# CONNECTIONS (4000) come at RATE (1000) a second and go on for DURATION (40) seconds: 10000 for 600 is the whole of it.
set -euo pipefail
out=$1 base=$2
connections=${CONNECTIONS:-4000} rate=${RATE:-1000} seconds=${DURATION:-40}
mkdir -p "$out"
ulimit -n 20000 || true
port=${base##*:}

# Each second, the connections that the server has not closed, as the system sees them from the server's end: "second socket".
# A client's port may be another connection's soon.
connections() {
    local second
    for ((second = 0; ; second++)); do
        ss -Htne state established "( sport = :$port )" | sed -n "s/.*\\(sk:[0-9a-f]*\\).*/$second \\1/p"
        sleep 1
    done
}

# slow PATH KIND LONGEST OPTION...
slow() {
    local kind=$2
    slowhttptest -c "$connections" -r "$rate" -l "$seconds" -i 5 -p 5 -u "$base$1" -g -o "$out/$kind" "${@:4}" \
        >"$out/$kind.log" 2>&1 &
    local attacker=$!
    connections >"$out/$kind.seen" &
    local watcher=$!
    wait "$attacker" || true
    kill "$watcher"; wait "$watcher" 2>/dev/null || true
    awk -v kind="$kind" -v wanted="$connections" -v most="$3" '
        !($2 in since) { since[$2] = $1; all++ }
        ++at[$1] > peak { peak = at[$1] }
        $1 - since[$2] > longest { longest = $1 - since[$2] }
        END {
            printf "%s: %d in all, %d at once, none longer than %d s\n", kind, all, peak, longest + 1
            exit all < wanted / 2 || longest > most
        }' "$out/$kind.seen" || { echo "$kind: they are not closed, or never came" >&2; return 1; }
}
# asks FILE: until it is killed.
asks() {
    local answer
    while :; do
        answer=$(curl -s -o /dev/null --max-time 10 -w '%{http_code} %{time_total}\n' "$base/health") || answer="000 10"
        printf '%s\n' "$answer" >>"$1"
        sleep 0.1
    done
}
rm -f "$out/alone" "$out/asked"
asks "$out/alone" &
asker=$!
sleep 20
kill "$asker"; wait "$asker" 2>/dev/null || true
alone=$(sort -k2 -n "$out/alone" | awk '{ time[NR] = $2 } END { print time[int(NR * 0.99) + 1 > NR ? NR : int(NR * 0.99) + 1] }')
asks "$out/asked" &
asker=$!
trap 'kill "$asker" 2>/dev/null || true' EXIT
slow /auth/login heads 20 -H
slow /auth/login bodies 20 -B -s 8192
# Three thousand ranges in one head: answered at once, so none of them stays.
slowhttptest -R -a 10 -b 3000 -t GET -c "$connections" -r "$rate" -l 60 -p 5 -u "$base/openapi.yaml" >"$out/ranges.log" 2>&1 || true
slow /openapi.yaml readers 35 -X -k 3 -w 10 -y 20 -n 5 -z 32
kill "$asker"; wait "$asker" 2>/dev/null || true
sort -k2 -n "$out/asked" | awk -v alone="$alone" '
    { total++; time[total] = $2; if ($1 >= 500) bad++; if ($1 == "000") lost++ }
    END {
        late = time[int(total * 0.99) + 1]
        printf "asked %d times, %d refused, %d without an answer, p50 %.0f ms, p99 %.0f ms (alone %.0f ms)\n", total, bad, lost, time[int(total / 2) + 1] * 1000, late * 1000, alone * 1000
        exit bad > 0 || total == 0 || (late > 2 * alone && late > 0.05)
    }'
