"""Asks for another password for addresses that are somebody's and for ones that are nobody's, by turns, and compares how long the
answers take: timing.py REPORT BASE. How long an answer takes must not tell who has an account."""

import http.client
import json
import statistics
import sys
import time
import urllib.parse

CALLS = 200
# Medians of so many calls differ by less on a busy machine, too; a lookup or a mail more would show as several times this.
MOST = 1.25


def post(connection, path, body):
    begun = time.perf_counter()
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    took = time.perf_counter() - begun
    if answer.status >= 300:
        sys.exit(f"POST {path}: {answer.status} {text[:300]!r}")
    return took


def main():
    report, base = sys.argv[1:]
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=30)
    for number in range(CALLS):
        name = f"timing_{number}"
        wish = {"username": name, "email": f"{name}@example.org", "password": f"correct horse {number}"}
        post(connection, "/auth/register", wish)
    took = {"known": [], "unknown": []}
    # Each address once: what is asked for again is counted. By turns, so that whatever else goes on meets both alike.
    for number in range(CALLS):
        order = [("known", "timing"), ("unknown", "nobody")]
        for kind, prefix in order if number % 2 else reversed(order):
            body = {"email": f"{prefix}_{number}@example.org"}
            took[kind].append(post(connection, "/auth/password/forgot", body))
    medians = {kind: statistics.median(times) for kind, times in took.items()}
    ratio = medians["known"] / medians["unknown"]
    shown = {kind: f"{median * 1000:.2f} ms" for kind, median in medians.items()}
    with open(report, "w", encoding="utf-8") as file:
        json.dump({"calls": CALLS, "medians": medians, "ratio": ratio}, file, indent=2)
    print(f"POST /auth/password/forgot, medians of {CALLS}: {shown}, ratio {ratio:.3f}")
    if not 1 / MOST <= ratio <= MOST:
        sys.exit(f"the ratio of the medians is not within {MOST}")


main()
