#!/usr/bin/env bash
# Plays a submission through the hands of a channel's team, on a running system in dev mode (`make run`), and prints what its
# sender hears: sent in, changes asked for, sent in again, approved.
#
#     scripts/demo-moderation.sh [FILE]      # without a file, ffmpeg makes one
set -euo pipefail

api=${BASE_URL:-http://localhost:8080}
folder=$(mktemp -d)
trap 'kill "${listener:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT

field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
login() {
    curl -fsS "$api/auth/dev/login" -H 'content-type: application/json' -d "{\"login\":\"$1\",\"role\":\"$2\"}" | field token
}
# The first event of this name, when it has come.
hear() {
    for _ in $(seq 300); do
        if grep -A2 "^event: *submission:$1\$" "$folder/events" | grep -m1 '^data:' >"$folder/heard"; then
            echo "submission:$1 $(sed 's/^data: *//' "$folder/heard")"
            return
        fi
        sleep 0.1
    done
    echo "submission:$1 did not come" >&2
    exit 1
}

file=${1:-$folder/test.png}
[ -e "$file" ] || ffmpeg -loglevel error -f lavfi -i testsrc=size=320x240 -frames:v 1 "$file"
streamer=$(login demo streamer) viewer=$(login viewer viewer)
channel=$(curl -fsS "$api/channels/demo" | field id)
decide() {
    curl -fsS -o /dev/null "$api/streamer/submissions/$id/$1" -H "authorization: Bearer $streamer" \
        -H 'content-type: application/json' -d "$2"
}

: >"$folder/events"
curl -fsSN "$api/me/events" -H "authorization: Bearer $viewer" >"$folder/events" &
listener=$!
until [ -s "$folder/events" ]; do sleep 0.1; done

id=$(curl -fsS "$api/submissions" -H "authorization: Bearer $viewer" -H 'prefer: wait=30' \
    -F "channelId=$channel" -F "title=A demo" -F "file=@$file" | field id)
hear created
decide needs-changes '{"note":"A better title, please."}'
hear needs_changes
curl -fsS -o /dev/null "$api/submissions/$id/resubmit" -H "authorization: Bearer $viewer" -F "title=A better demo"
hear resubmitted
decide approve '{}'
hear approved
