# shellcheck shell=bash
# What scripts/run and scripts/test share: finding and installing what is missing, configuring,
# building. Everything said here goes to stderr: stdout belongs to the server and to the test results.

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

# All that is needed, one line each: what for, how to see that it is there, Debian's name for it.
# Presence is looked at, not the package: a node from elsewhere is as good as Debian's.
needs=(
    "build    command:cc             gcc"
    "build    header:stdio.h         libc6-dev"
    "build    command:meson          meson"
    "build    command:ninja          ninja-build"
    "build    command:pkg-config     pkg-config"
    "build    module:libmicrohttpd   libmicrohttpd-dev"
    "build    module:sqlite3         libsqlite3-dev"
    "build    module:jansson         libjansson-dev"
    "build    module:libcurl         libcurl4-gnutls-dev"
    "build    module:nettle          nettle-dev"
    "build    header:unistr.h        libunistring-dev"
    "test     module:check           check"
    "test     node:18                nodejs"
    "test     command:npm            npm"
    "test     file:/etc/ssl/certs/ca-certificates.crt  ca-certificates"
    "test     command:curl           curl"
    "test     command:sqlite3        sqlite3"
    "test     command:strace         strace"
    "test     file:/usr/sbin/nginx   nginx-light"
    "test     file:/usr/sbin/haproxy haproxy"
    "test     command:clang-format-14 clang-format-14"
    "test     command:systemd-analyze systemd"
    "browser  command:chromium       chromium"
    "bench    command:wrk            wrk"
    "valgrind command:valgrind       valgrind"
    "fuzz     command:clang-14       clang-14"
    "tidy     command:clang-tidy-14  clang-tidy-14"
    "analyze  command:cppcheck       cppcheck"
    "fuzz     file:/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a  libclang-rt-14-dev"
    "coverage command:gcovr          gcovr"
)

say() { printf 'understudy: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# need_met PROBE: is it there?
need_met() {
    local kind=${1%%:*} what=${1#*:}
    case $kind in
        command) command -v "$what" ;;
        file) [[ -e $what ]] ;;
        module) pkg-config --exists "$what" ;;
        header) printf '#include <%s>\n' "$what" | cc -E - ;;
        node) node -e "process.exit(parseInt(process.versions.node) >= $what ? 0 : 1)" ;;
        *) return 1 ;;
    esac >/dev/null 2>&1
}

# find_missing PURPOSE…: sets missing to Debian's names of what those purposes lack.
find_missing() {
    local need purpose probe package
    missing=()
    for need in "${needs[@]}"; do
        read -r purpose probe package <<<"$need"
        [[ " $* " == *" $purpose "* ]] || continue
        need_met "$probe" || missing+=("$package")
    done
}

# name_missing PURPOSE…: says, per purpose, what is not there.
name_missing() {
    local purpose
    for purpose in "$@"; do
        find_missing "$purpose"
        [[ ${#missing[@]} -eq 0 ]] || say "  to $purpose: ${missing[*]}"
    done
}

# apt_install LOG PACKAGE…: without a question asked. Package lists are fetched only where those at hand
# will not do: none at all (a fresh container) or too old (a package that has moved on).
apt_install() {
    local log=$1 apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    shift
    [[ $EUID -eq 0 ]] || apt=(sudo "${apt[@]}")
    "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >"$log" 2>&1 && return
    "${apt[@]}" update </dev/null >>"$log" 2>&1 || true # one stale source does not matter; the next line tells
    "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >>"$log" 2>&1
}

# need PURPOSE…: makes sure that all of it is there; 1, having said why, where it cannot.
need() {
    local log
    find_missing "$@"
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if ! command -v apt-get >/dev/null; then
        say "missing here, under Debian's names (install what your system calls them):"
        name_missing "$@"
        return 1
    fi
    if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
        say "missing, and neither root nor sudo to install it. As root:"
        say "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
        return 1
    fi
    say "installing ${missing[*]}"
    log=$(mktemp)
    if ! apt_install "$log" "${missing[@]}"; then
        tail -n 20 "$log" >&2
        say "apt could not install them (the whole log: $log)"
        return 1
    fi
    rm -f "$log"
    hash -r
    find_missing "$@"
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "still missing, or too old as this system packages it (node must be 18 or newer):"
    name_missing "$@"
    return 1
}

# clear_tree DIR: makes room for a new build. Only a build directory is ever removed.
clear_tree() {
    [[ -e $1 ]] || return 0
    [[ -e $1/meson-private || -e $1/meson-logs || -z $(ls -A -- "$1") ]] ||
        die "$1 is in the way: not a build directory"
    rm -rf -- "$1"
}

# configure_tree DIR STAMP LOG [--afresh] OPTION…: a configured DIR, the one at hand if it is right.
# meson writes absolute paths into it, and remembers what it did not find: so STAMP tells for which
# checkout, options and purposes it was made. One made for more purposes will do for fewer.
configure_tree() {
    local dir=$1 stamp=$2 log=$3 made
    shift 3
    made=$(cat -- "$dir/made-for" 2>/dev/null || true)
    if [[ ${1:-} == --afresh ]]; then
        shift
    elif [[ -f $dir/build.ninja && $made == "$stamp"* ]]; then
        return 0
    elif [[ -n $made && $stamp == "$made"* ]] && meson setup --reconfigure "$dir" "$root" >"$log" 2>&1; then
        printf '%s\n' "$stamp" >"$dir/made-for"
        return 0
    fi
    clear_tree "$dir"
    meson setup "$@" "$dir" "$root" >"$log" 2>&1 || return 1
    printf '%s\n' "$stamp" >"$dir/made-for"
}

# build_tree NAME PURPOSES TARGET OPTION…: builds TARGET in the checkout's directory NAME. A build directory
# that fails without a complaint about a line of ours (half-written, copied, from another meson) is made
# afresh, once.
build_tree() {
    local dir=$root/$1 purposes=$2 target=$3 stamp log lock
    shift 3
    [[ ${CI:-} != true ]] || set -- -Dwerror=true "$@"
    stamp="$root $* for $purposes"
    log=$(mktemp)
    exec {lock}<"$root" # two builds at once take turns
    ! command -v flock >/dev/null || flock "$lock"
    if configure_tree "$dir" "$stamp" "$log" "$@" && ninja -C "$dir" "$target" >"$log" 2>&1; then
        :
    elif grep -qiE ':[0-9]+:[0-9]+: (fatal )?error:' "$log" ||
        ! { say "building $dir afresh" && configure_tree "$dir" "$stamp" "$log" --afresh "$@" &&
            ninja -C "$dir" "$target" >"$log" 2>&1; }; then
        tail -n 200 "$log" >&2
        die "the build failed (the whole log: $log)"
    fi
    rm -f "$log"
    exec {lock}<&-
}
