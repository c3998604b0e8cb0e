#!/bin/sh
# Makes the virtual environment, from the interpreter that can import BCC, and as root installs what is missing.
# Usage: scripts/setup.sh run|test     Prints the path of the environment's python as its last line.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
what=${1:-run}

say() { printf 'netlat-tui: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# Candidates in the order of preference: BCC's binding is only visible to the distribution's own interpreter.
interpreters() {
	ls /usr/bin/python3 /usr/bin/python3.[0-9]* 2>/dev/null | grep -v config || true
	command -v python3 2>/dev/null || true
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

with_bcc() {
	for python in $(interpreters); do
		if new_enough "$python" && "$python" -c 'from bcc import BPF' 2>/dev/null; then
			echo "$python"
			return
		fi
	done
}

without_bcc() {
	for python in $(interpreters); do
		if new_enough "$python"; then
			echo "$python"
			return
		fi
	done
}

manager() {
	for name in apt-get dnf pacman; do
		if has "$name"; then
			echo "$name"
			return
		fi
	done
}

# Names of packages: BCC's binding, venv, and for the tests namespaces, sysctl, taskset, a C compiler and tmux.
packages() {
	case $1 in
	apt-get) run="python3-bpfcc python3-venv" test="iproute2 procps util-linux gcc libc6-dev tmux" ;;
	dnf) run="python3-bcc" test="iproute procps-ng util-linux gcc tmux" ;;
	pacman) run="python-bcc" test="iproute2 procps-ng util-linux gcc tmux" ;;
	esac
	if [ "$what" = test ]; then echo "$run $test"; else echo "$run"; fi
}

install_packages() {
	case $1 in
	apt-get)
		DEBIAN_FRONTEND=noninteractive
		export DEBIAN_FRONTEND
		apt-get update -qq >&2 || say "apt-get update failed; going on with the lists that are there"
		# shellcheck disable=SC2046
		apt-get install -y -qq --no-install-recommends $(packages apt-get) >&2
		;;
	# shellcheck disable=SC2046
	dnf) dnf install -y -q $(packages dnf) >&2 ;;
	# shellcheck disable=SC2046
	pacman) pacman -S --noconfirm --needed $(packages pacman) >&2 ;;
	esac
}

lacking() {
	[ -n "$(with_bcc)" ] || return 0
	"$(with_bcc)" -c 'import ensurepip, venv' 2>/dev/null || return 0
	[ "$what" = test ] || return 1
	for tool in ip sysctl taskset cc tmux; do
		has "$tool" || return 0
	done
	return 1
}

provide() {
	lacking || return 0
	found=$(manager)
	if ! is_root; then
		[ -n "$(with_bcc)" ] || say "BCC is missing, so nothing can be traced live; as root: install $(packages "${found:-apt-get}")"
		return 0
	fi
	[ -n "$found" ] || fail "install BCC's Python binding (python3-bpfcc, python3-bcc or python-bcc) with this system's package manager, then run make again"
	say "installing what is missing with $found"
	install_packages "$found" || fail "$found could not install $(packages "$found"): install them by hand, then run make again"
}

# The checkout's own environment, unless someone else owns it.
environment() {
	venv=$here/.venv
	if { [ -d "$venv" ] && [ -w "$venv" ] && [ "$(stat -c %u "$venv")" = "$(id -u)" ]; } || { [ ! -e "$venv" ] && [ -w "$here" ]; }; then
		echo "$venv"
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/netlat-tui/venv"
	fi
}

# Of all system packages only BCC is let in: others must not shadow the versions asked for.
link_bcc() {
	"$1" - "$2" <<'PYTHON'
import importlib.util, pathlib, sys
spec = importlib.util.find_spec("bcc")
target = pathlib.Path(sys.argv[1]) / "bcc"
target.parent.mkdir(parents=True, exist_ok=True)
if target.is_symlink():
    target.unlink()
if spec and spec.submodule_search_locations:
    target.symlink_to(pathlib.Path(spec.submodule_search_locations[0]).resolve())
PYTHON
}

stamp_of() {
	{ "$1" -c 'import sys; print(sys.executable, sys.version)'; cat "$here/pyproject.toml"; echo "$here $what $2"; } | cksum
}

build() {
	python=$1 venv=$2 bcc=$3
	stamp=$(stamp_of "$python" "$bcc")
	[ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ] || return 0
	# An environment for tests serves for running, too.
	if [ "$what" = run ] && [ "$(cat "$venv/stamp" 2>/dev/null)" = "$(what=test stamp_of "$python" "$bcc")" ]; then return 0; fi
	"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python cannot make virtual environments: install python3-venv, then run make again"
	say "making the virtual environment with $python"
	mkdir -p "$(dirname "$venv")"
	"$python" -m venv --clear "$venv" >&2 || fail "the virtual environment could not be made in $venv: make room there, then run make again"
	folder=$venv/lib/netlat-bcc
	link_bcc "$python" "$folder"
	site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	echo "$folder" >"$site/netlat-bcc.pth"
	extra=; [ "$what" = run ] || extra='[dev]'
	"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-warn-script-location -e "$here$extra" >&2 ||
		fail "pip could not install the Python packages: see above, then run make again"
	echo "$stamp" >"$venv/stamp"
}

provide
python=$(with_bcc)
bcc=yes
if [ -z "$python" ]; then
	python=$(without_bcc)
	bcc=no
fi
[ -n "$python" ] || fail "Python 3.11 or newer is missing: install python3 and python3-venv, then run make again"
venv=$(environment)
build "$python" "$venv" "$bcc"
echo "$venv/bin/python"
