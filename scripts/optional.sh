# Optional parts of `make test`: installed if that is possible, otherwise skipped by name; in CI (CI=true) a missing part
# is a failure. Sets MEMALERTS_TEST_BROWSER for the stories that drive one. Sourced by scripts/test.sh.
# shellcheck shell=bash

without() {
    [ -z "${CI:-}" ] || fail "$1 is missing, and in CI nothing is skipped: $2"
    skipped+=("$1: $2")
}

browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        if has "$name"; then command -v "$name"; return; fi
    done
}

if [ -z "$(browser)" ] && is_root && has apt-get &&
    confirm "A browser is missing, which shows that overlays really play. Install it (apt-get install chromium, 400 MB)?"; then
    apt_install chromium || true
fi
MEMALERTS_TEST_BROWSER=$(browser)
if [ -n "$MEMALERTS_TEST_BROWSER" ]; then
    export MEMALERTS_TEST_BROWSER
else
    unset MEMALERTS_TEST_BROWSER
    without "stories in a browser" "no chromium; type: sudo apt-get install chromium"
fi

# The driver of the browser, an identity server, the generators of clients and the validator: their locks say which.
if ! has npm; then
    without "stories in a browser, an identity server of others, generated clients, validity of openapi.yaml" "no node with npm; type: sudo apt-get install nodejs npm"
else
    if [ ! tests/browser/node_modules/.package-lock.json -nt tests/browser/package-lock.json ]; then
        npm ci --prefix tests/browser --silent || without "stories in a browser" "npm ci in tests/browser failed"
    fi
    if [ ! tests/idp/node_modules/.package-lock.json -nt tests/idp/package-lock.json ]; then
        npm ci --prefix tests/idp --silent || without "an identity server of others" "npm ci in tests/idp failed"
    fi
    tests/clients/install.sh || without "generated clients, validity of openapi.yaml" "tests/clients/install.sh failed"
fi

# The judge of what /metrics says.
if ! has promtool && has apt-get && has dpkg-deb &&
    confirm "promtool is missing, which says whether /metrics is good. Unpack it (from Debian's package prometheus, 50 MB)?"; then
    unpack_promtool
fi
has promtool || without "metrics under promtool" "no promtool; type: sudo apt-get install prometheus"

# A chat server of others.
if [ ! -x /usr/sbin/ngircd ] && is_root && has apt-get &&
    confirm "A chat server is missing, which shows what the bot's lines are to others. Install it (apt-get install ngircd)?"; then
    apt_install ngircd || true
fi
[ -x /usr/sbin/ngircd ] || without "a chat server of others" "no ngircd; type: sudo apt-get install ngircd"

# A runner of Procfiles.
tests/procfile/install.sh || without "the Procfile under a runner" "tests/procfile/install.sh failed; it needs python3 with venv"

# A fuzzer that holds the system to openapi.yaml.
tests/conformance/install.sh || without "a fuzzer of the API" "tests/conformance/install.sh failed; it needs python3 with venv"
