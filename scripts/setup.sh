#!/usr/bin/env bash
# Gets a checkout ready, then runs a command in its virtual environment:
#
#   scripts/setup.sh run  COMMAND…    with what the application needs
#   scripts/setup.sh test COMMAND…    and with what its tests need
#   scripts/setup.sh kernels COMMAND… and with what boots other kernels in emulated machines
#   scripts/setup.sh bench COMMAND…   with what the application needs, a load generator and the tools it is compared with
#   scripts/setup.sh clean            removes the environment
#
# BCC's binding belongs to the distribution (python3-bpfcc); what PyPI calls bcc is another project. The environment therefore
# comes from the interpreter that has it, and sees this one system package by a link and no other, so that nothing else the
# system has takes the place of a version the project asks for.
#
# Root gets what is missing from the machine's package manager; anyone else is told what to install. Whatever is done is
# told on stderr: stdout belongs to the command.
set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly REPO
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" # an ordinary user's PATH may lack sysctl's folder

# What an interpreter is: its file, its version, the folder of its BCC binding and whether it can make environments.
readonly PROBE='
import os, sys
from importlib.util import find_spec
bcc = find_spec("bcc")
folders = [f for f in (bcc and bcc.submodule_search_locations or []) if os.path.isfile(os.path.join(f, "libbcc.py"))]
makes = find_spec("venv") is not None and find_spec("ensurepip") is not None
if sys.version_info >= (3, 11):
    print(os.path.realpath(sys.executable), "%d.%d" % sys.version_info[:2], (folders + ["-"])[0], "yes" if makes else "no", sep="\t")
'

say() { printf 'netlat-tui: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# --- The machine's packages ---

package_manager() {
    local name
    for name in apt-get dnf pacman; do
        if command -v "$name" >/dev/null; then
            echo "$name"
            return
        fi
    done
}

# package_for NEED: what the machine's package manager calls it.
package_for() {
    case "$(package_manager):$1" in
    apt-get:python) echo python3 python3-venv ;;
    apt-get:bcc) echo python3-bpfcc ;;
    apt-get:ip | dnf:ip) echo "iproute$([ "$(package_manager)" = dnf ] || echo 2)" ;;
    apt-get:cc) echo gcc libc6-dev ;;
    apt-get:qemu-system-x86_64) echo qemu-system-x86 ;;
    apt-get:busybox) echo busybox-static ;;
    apt-get:depmod) echo kmod ;;
    apt-get:tc) echo iproute2 ;;
    apt-get:perf) echo linux-perf ;;
    dnf:python) echo python3 python3-pip ;;
    dnf:bcc) echo python3-bcc ;;
    dnf:sysctl | pacman:sysctl) echo procps-ng ;;
    dnf:cc) echo gcc glibc-devel ;;
    pacman:python) echo python ;;
    pacman:bcc) echo python-bcc ;;
    pacman:ip) echo iproute2 ;;
    *:python) echo "Python 3.11 or newer with venv" ;;
    *:bcc) echo "BCC's Python binding" ;;
    *:ip) echo iproute2 ;;
    *:sysctl) echo procps ;;
    *:taskset) echo util-linux ;;
    *:cc) echo gcc ;;
    *:node) echo nodejs ;;
    *) echo "$1" ;;
    esac
}

has() {
    if [ "$1" = cc ]; then # a compiler may be there without the C library's headers
        echo '#include <stdio.h>' | cc -fsyntax-only -x c - 2>/dev/null
    else
        command -v "$1" >/dev/null
    fi
}

# lacking KIND: what this machine lacks for it, one need a line.
lacking() {
    local need found
    found=$(interpreter)
    [ "$(cut -f4 <<<"$found")" = yes ] || echo python
    case $(cut -f3 <<<"$found") in '' | -) echo bcc ;; esac
    local needs=()
    case $1 in
    test) needs=(ip sysctl taskset cc tmux ethtool bpftrace node) ;;
    kernels) needs=(ip tc sysctl taskset bpftrace tcpdump qemu-system-x86_64 busybox depmod file) ;; # tcpdump: its libpcap
    bench) needs=(ip taskset) ;;
    esac
    for need in "${needs[@]}"; do
        has "$need" || echo "$need"
    done
}

packages() {
    local need
    for need in "$@"; do package_for "$need"; done | paste -sd' '
}

# install PACKAGE…: false if that did not work, or if this machine's package manager is not known.
install() {
    case $(package_manager) in
    apt-get)
        DEBIAN_FRONTEND=noninteractive apt-get update -q || true # one broken source need not matter
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
        ;;
    dnf) dnf install -q -y "$@" ;;
    pacman) pacman -S --needed --noconfirm "$@" ;;
    *) false ;;
    esac </dev/null >&2
}

complete_machine() {
    local needs wanted
    mapfile -t needs < <(lacking "$1")
    [ ${#needs[@]} -gt 0 ] || return 0
    wanted=$(packages "${needs[@]}")
    if ! is_root; then
        [ "${needs[0]}" = python ] || [ -e "$(venv_folder)/.made-of" ] || say "going on without what only root can install: $wanted."
        return 0
    fi
    say "installing $wanted"
    # shellcheck disable=SC2086 # package names, one word each
    install $wanted || say "could not install $wanted: install them by hand for what needs them."
}

# What a machine measures with; one that a distribution does not have must not keep it from the others.
complete_bench() {
    local tool
    for tool in sockperf bpftrace perf htop btop; do
        has "$tool" && continue
        if is_root && say "installing $(package_for "$tool")" && install "$(package_for "$tool")"; then continue; fi
        say "going on without $tool: what is measured with it is left out."
    done
}

# --- The interpreter ---

interpreters() {
    local file
    for file in /usr/bin/python3 /usr/bin/python3.*; do
        [[ $file =~ /python3(\.[0-9]+)?$ ]] && [ -x "$file" ] && echo "$file"
    done
    type -ap python3 || true
}

# The first interpreter with BCC and venv; else with venv; else with neither, for the sentence that says so.
interpreter() {
    local file line
    while read -r file; do
        line=$("$file" -I -c "$PROBE" 2>/dev/null) || continue
        [ -z "$line" ] || printf '%s\n' "$line"
    done < <(interpreters) | awk -F'\t' '
        { rank = ($4 == "yes") * 2 + ($3 != "-"); if (rank > best || NR == 1) { best = rank; line = $0 } }
        END { if (NR) print line }'
}

# --- The virtual environment ---

# In the checkout if it is one's own, else in one's cache: root and its owner do not lock each other out.
venv_folder() {
    local cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
    if [ -O "$REPO" ] && [ -w "$REPO" ] && { [ ! -e "$REPO/.venv" ] || [ -O "$REPO/.venv" ]; }; then
        echo "$REPO/.venv"
    elif is_root && [ ! -O "${HOME:-/}" ]; then # sudo that keeps its caller's HOME
        echo ~root/.cache/netlat-tui/venv
    else
        echo "$cache/netlat-tui/venv"
    fi
}

# make_venv FOLDER: afresh, unless it is already made of this interpreter, here.
make_venv() {
    local venv=$1 found python bcc made_of
    found=$(interpreter)
    python=$(cut -f1 <<<"$found")
    bcc=$(cut -f3 <<<"$found")
    [ "$(cut -f4 <<<"$found")" = yes ] || fail "there is no Python that can make a virtual environment: install $(packages python)."
    made_of="$found $venv"
    [ "$(cat "$venv/.made-of" 2>/dev/null)" != "$made_of" ] || return 0

    say "making $venv from $python"
    mkdir -p "$venv" 2>/dev/null || fail "cannot write $venv: set XDG_CACHE_HOME to a folder that can be written."
    "$python" -I -m venv --clear "$venv" >&2 || fail "$python could not make $venv: install $(packages python)."
    if [ "$bcc" != - ]; then
        ln -s "$bcc" "$(site_packages "$venv")/bcc"
        "$venv/bin/python" -c 'from bcc import BPF' || say "BCC in $bcc does not load: install $(packages bcc) again to trace live."
    fi
    printf '%s' "$made_of" >"$venv/.made-of"
}

site_packages() { "$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

# requirements KIND: the lists of pyproject.toml that it takes.
requirements() {
    "$1/bin/python" - "$REPO/pyproject.toml" "$2" <<'PYTHON'
import sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))["project"]
lists = {"run": [], "bench": [], "test": ["dev"], "kernels": ["dev", "kernels"]}[sys.argv[2]]
print(*project["dependencies"], *(line for name in lists for line in project["optional-dependencies"][name]), sep="\n")
PYTHON
}

# fill_venv FOLDER KIND: with the project's requirements, if they are not what was installed last.
fill_venv() {
    local venv=$1 kind=$2 list=$1/.requirements-$2 wanted
    wanted=$(requirements "$venv" "$kind")
    [ "$(cat "$list" 2>/dev/null)" != "$wanted" ] || return 0
    say "installing Python packages into $venv"
    "$venv/bin/python" -m pip install --disable-pip-version-check -q -r <(echo "$wanted") </dev/null >&2 ||
        fail "pip could not install what pyproject.toml lists: look at its message above and at its index (pip config list)."
    printf '%s' "$wanted" >"$list"
}

# The checkout itself is linked, not installed: nothing is written into it.
link_checkout() {
    local venv=$1
    echo "$REPO" >"$(site_packages "$venv")/netlat_tui.pth"
    printf '#!%s/bin/python\nimport sys\n\nfrom netlat_tui.cli import main\n\nsys.exit(main())\n' "$venv" >"$venv/bin/netlat-tui"
    chmod 755 "$venv/bin/netlat-tui"
}

# What tools keep between runs stays in the environment's folder as well.
enter() {
    local venv=$1
    export PATH="$venv/bin:$PATH" VIRTUAL_ENV="$venv"
    export RUFF_CACHE_DIR="$venv/cache/ruff" MYPY_CACHE_DIR="$venv/cache/mypy"
    export HYPOTHESIS_STORAGE_DIRECTORY="$venv/cache/hypothesis"
    export PYTEST_ADDOPTS="-o cache_dir=$venv/cache/pytest ${PYTEST_ADDOPTS:-}"
    [ "$venv" = "$REPO/.venv" ] || export PYTHONPYCACHEPREFIX="$venv/cache/pycache"
}

main() {
    local kind=${1:-} venv
    venv=$(venv_folder)
    case $kind in
    run | test | kernels | bench)
        shift
        complete_machine "$kind"
        [ "$kind" != bench ] || complete_bench
        make_venv "$venv"
        fill_venv "$venv" "$kind"
        link_checkout "$venv"
        enter "$venv"
        cd "$REPO"
        exec "$@"
        ;;
    clean) [ ! -e "$venv/pyvenv.cfg" ] || rm -rf "$venv" ;;
    *) fail "usage: setup.sh run|test|kernels|bench COMMAND…, or setup.sh clean" ;;
    esac
}

main "$@"
