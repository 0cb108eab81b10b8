#!/usr/bin/env bash
# slow-clients.sh OUT BASE: thousands of clients that send or read a few bytes at a time, while somebody asks for /health each
# tenth of a second. Fails if one of those is answered with 5xx, or one in a hundred later than after a second or not at all.
set -euo pipefail
out=$1 base=$2
mkdir -p "$out"
ulimit -n 20000 || true
slow() { slowhttptest -c 4000 -r 1000 -l 40 -i 5 -p 5 -u "$base$1" -g -o "$out/$2" "${@:3}" >"$out/$2.log" 2>&1; }
asks() {
    local answer
    while :; do
        answer=$(curl -s -o /dev/null --max-time 10 -w '%{http_code} %{time_total}\n' "$base/health") || answer="000 10"
        printf '%s\n' "$answer" >>"$out/asked"
        sleep 0.1
    done
}
rm -f "$out/asked"
asks &
asker=$!
trap 'kill "$asker" 2>/dev/null || true' EXIT
slow /auth/login heads -H
slow /auth/login bodies -B -s 8192
slow /openapi.yaml readers -X -k 3 -w 10 -y 20 -n 5 -z 32
kill "$asker"; wait "$asker" 2>/dev/null || true
sort -k2 -n "$out/asked" | awk '
    { total++; time[total] = $2; if ($1 >= 500) bad++; if ($1 == "000") lost++ }
    END {
        printf "asked %d times, %d refused, %d without an answer, p50 %.0f ms, p99 %.0f ms\n", total, bad, lost, time[int(total / 2) + 1] * 1000, time[int(total * 0.99) + 1] * 1000
        exit bad > 0 || total == 0 || time[int(total * 0.99) + 1] > 1
    }'
