# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# What the client's tests share. Each check says what it saw when it fails; all of them run.
# A test whose hosts' files belong to root says as_root=yes. Who builds packages is not root.
[[ -z ${as_root:-} || $EUID == 0 ]] || exec fakeroot -- "$0" "$@"
# Without what fakeroot pretends.
really() { # COMMAND…
    env -u LD_PRELOAD -u FAKEROOTKEY "$@"
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d /tmp/vfio-bindctl-test.XXXXXX)
processes=()
trap '[[ ${#processes[@]} == 0 ]] || kill "${processes[@]}" 2>/dev/null; rm -rf "$work"' EXIT
failures=0
umask 022 # a policy that others can write would take no device
unset COLUMNS NO_COLOR SUDO_EDITOR VISUAL EDITOR
export LC_ALL=C.UTF-8

# run WORDS...: the client; its output is in $out, its standard error in $err, its exit code in $rc.
run() {
    rc=0
    "$ctl" "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
    out=$(<"$work/out")
    err=$(<"$work/err")
    last="vfio-bindctl $*"
    keep_json "$@"
}

# What is printed as JSON is kept: finish() holds it to the schemas.
json_outputs=0
keep_json() {
    local word as_json='' verb=status skip=''
    for word; do
        case $skip$word in
        -j | --json) as_json=yes ;;
        --root | -H | --host | --policy | --state | --driver | --class | --timeout) skip=value ;;
        value*) skip='' ;;
        -*) ;;
        *) [[ $verb != status ]] || verb=$word ;;
        esac
    done
    [[ -n $as_json && $out == '{'* ]] || return 0
    mkdir -p "$work/json"
    json_outputs=$((json_outputs + 1))
    cp "$work/out" "$work/json/$json_outputs.$verb"
}

# at_terminal TEXT WORDS...: the same at a terminal, where somebody types TEXT.
at_terminal() {
    local typed=$1
    shift
    rc=0
    python3 "$here/at-terminal" "$typed" "$ctl" "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
    out=$(<"$work/out")
    err=$(<"$work/err")
    last="vfio-bindctl $* (at a terminal)"
}

fail() {
    failures=$((failures + 1))
    printf 'FAILED: %s\n  %s\n  exit %s\n--- output\n%s\n--- standard error\n%s\n---\n' "$1" "$last" "$rc" "$out" "$err"
}

exits() { [[ $rc == "$1" ]] || fail "exit code $1 expected"; }
says() { [[ $out == *"$1"* ]] || fail "the output lacks: $1"; }
says_like() { grep -qE -- "$1" "$work/out" || fail "no line is like: $1"; }
says_not() { [[ $out != *"$1"* ]] || fail "the output has: $1"; }
warns() { [[ $err == *"$1"* ]] || fail "standard error lacks: $1"; }
is_silent() { [[ -z $err ]] || fail "standard error is not empty"; }
json() { jq -e "$1" "$work/out" >/dev/null 2>&1 || fail "JSON: $1"; }
fits() { (($(wc -L <"$work/out") <= $1)) || fail "a line is longer than $1"; }

finish() {
    if ((json_outputs > 0)); then
        python3 "$here/check-json" outputs "$work/json" || failures=$((failures + 1))
    fi
    [[ $failures == 0 ]] || { echo "$failures checks failed" && exit 1; }
    echo "all checks passed"
}
