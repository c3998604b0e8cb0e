"""Run tests/guest on Debian's kernels, each in an emulated machine of its own: `make guests`.

    python scripts/kernels.py [KERNEL…] [PYTEST ARGUMENT…]     as: 6.1 6.12-rt -k udp

Kernels come from the archive this machine is installed from, through an apt configuration of their own; they are
unpacked into the cache, never installed. The guest sees this machine's files, read-only, as its own.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

from netlat_tui.bpf.cache import folder

KERNELS = {
    "5.10": ("bullseye", "linux-image-amd64"),
    "6.1": ("bookworm", "linux-image-amd64"),
    "6.12": ("trixie", "linux-image-amd64"),
    "6.12-rt": ("trixie", "linux-image-rt-amd64"),
}
"""Debian's release, and its package that depends on the kernel's."""

CHANGED = {"6.12-rt": ("__napi_poll",)}
"""Functions that are in a kernel's BTF but cannot be hooked: the compiler has changed them."""

REPO = Path(__file__).resolve().parent.parent
CPUS = 2
TIMEOUT_S = float(os.environ.get("NETLAT_TUI_GUEST_TIMEOUT", "840"))
CARDS = (
    "-netdev hubport,id=n0,hubid=7 -device virtio-net-pci,netdev=n0 "
    "-netdev hubport,id=n1,hubid=7 -device e1000e,netdev=n1"
)
Counts = tuple[int, int, int]  # passed, failed, skipped


class KernelError(Exception):
    """A kernel that is not to be had, or did not run the tests; one sentence."""


def say(text: str) -> None:
    print(text, flush=True)


def output(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise KernelError(f"{command[0]} failed: {lines[-1]}")
    return done.stdout


def archive() -> str:
    """Where this machine gets Debian's packages from."""
    wanted = ("Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main")
    found = output("apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted).split()
    if not found:
        raise KernelError("this machine has no Debian archive among its package sources to get kernels from")
    return found[0]


def fetch(name: str) -> Path:
    """The kernel's folder, with boot/ and lib/modules/ in it; from the archive unless it is there already."""
    release, package = KERNELS[name]
    kernels = folder() / "kernels"
    target = kernels / name
    if target.exists():
        return target
    kernels.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kernels, prefix=".new-") as made:
        work = Path(made)
        for part in ("lists/partial", "archives/partial", "root"):
            (work / part).mkdir(parents=True)
        keys = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
        signed = f"[signed-by={keys}] " if keys.exists() else ""
        (work / "sources.list").write_text(f"deb {signed}{archive()} {release} main\n", encoding="ascii")
        options = [
            *("-o", f"Dir::Etc::SourceList={work}/sources.list", "-o", "Dir::Etc::SourceParts=/dev/null"),
            *("-o", f"Dir::State::Lists={work}/lists", "-o", "Dir::State::Status=/dev/null"),
            *("-o", f"Dir::Cache={work}", "-o", "Acquire::Languages=none", "-o", "APT::Sandbox::User=root"),
        ]
        output("apt-get", *options, "update", "-q")
        depends = output("apt-cache", *options, "depends", "--no-recommends", "--no-suggests", package).split()
        image = next((word for word in depends if word.startswith("linux-image-") and word != package), "")
        if not image:
            raise KernelError(f"{package} of {release} depends on no kernel")
        output("apt-get", *options, "download", image, cwd=work)
        root = work / "root"
        output("dpkg-deb", "-x", str(next(work.glob("*.deb"))), str(root))
        if not (root / "lib").exists():
            (root / "lib").symlink_to("usr/lib")
        output("depmod", "-b", str(root), image.removeprefix("linux-image-"))
        root.rename(target)
    return target


def run(name: str, arguments: list[str]) -> Counts:
    """Boot one kernel and run the tests there; what came of them."""
    began = time.monotonic()
    try:
        kernel = fetch(name)
        image = next(kernel.glob("boot/vmlinuz-*"))
        cache = folder() / "kernels" / f"{name}.compiled"
        cache.mkdir(mode=0o700, exist_ok=True)
        precompile = [
            sys.executable,
            str(REPO / "scripts/precompile.py"),
            str(image),
            str(CPUS),
            *CHANGED.get(name, ()),
        ]
        done = subprocess.run(precompile, env={**os.environ, "XDG_CACHE_HOME": str(cache)}, check=False)
        if done.returncode:
            say(f"{name}: not compiled beforehand, the guest will take longer")
        with tempfile.TemporaryDirectory(prefix="netlat-tui-guest-") as made:
            counts = boot(name, image, kernel, cache, Path(made), arguments)
    except (KernelError, OSError, StopIteration) as error:
        say(f"{name}: {error or 'the package has no kernel in it'}")
        counts = 0, 1, 0
    say(f"{name}: {summary(counts)}, {time.monotonic() - began:.0f} s")
    return counts


def boot(name: str, image: Path, kernel: Path, cache: Path, results: Path, arguments: list[str]) -> Counts:
    environment = {
        "NETLAT_TUI_GUEST": "1",
        "NETLAT_TUI_TEST_DEADLINE": os.environ.get("NETLAT_TUI_TEST_DEADLINE", "60"),
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": str(REPO),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # importing them takes an emulated machine a minute
        "HOME": "/tmp",  # noqa: S108 - the guest's own
        "PATH": os.environ["PATH"],
    }
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--durations=8",
        *("-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider"),  # pyproject.toml sets asyncio up
        f"--junitxml={results}/results.xml",
    ]
    lines = [f"export {key}={shlex.quote(value)}" for key, value in environment.items()]
    # An interrupted pytest still says what failed until then.
    limited = ["timeout", "--signal=INT", "--kill-after=90", str(max(60, int(TIMEOUT_S) - 180)), *tests]
    lines += [
        f"cd {shlex.quote(str(REPO))}",
        f"{shlex.join([*limited, 'tests/guest', *arguments])} >{results}/log 2>&1",
        f"echo $? >{results}/status",
        f"dmesg >{results}/dmesg",
    ]
    script = results / "run.sh"
    script.write_text("\n".join(["#!/bin/bash", *lines]) + "\n", encoding="utf-8")
    script.chmod(0o755)
    shared = [f"--rodir={path}" for path in dict.fromkeys((REPO, Path(sys.prefix), kernel))]
    shared += [f"--rwdir={path}" for path in (results, cache)]
    emulated = ["--disable-kvm", "--force-9p", "--disable-microvm", "--memory", "2G", "--cpus", str(CPUS), "--verbose"]
    emulated += ["--append", "tsc=reliable", "--append", "clocksource=tsc"]  # others are slow to read there
    command = ["vng", "--run", str(image), *emulated, *shared, f"--qemu-opts={CARDS}", "--exec", str(script)]
    with (results / "console").open("wb") as console:
        guest = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
        )
        try:
            guest.wait(TIMEOUT_S)
            late = False
        except subprocess.TimeoutExpired:
            late = True
        finally:
            if guest.poll() is None:
                os.killpg(guest.pid, signal.SIGKILL)
                guest.wait()
    log = results / "log"
    say(f"--- {name}: {image.name} ---\n" + (log.read_text(errors="replace") if log.exists() else ""))
    if late or not (results / "results.xml").exists():
        tail = (results / "console").read_text(errors="replace").splitlines()[-20:]
        say("\n".join(tail))
        raise KernelError(f"the tests did not end within {TIMEOUT_S:.0f} s" if late else "the kernel ran no tests")
    passed, failed, skipped = count(name, results / "results.xml")
    if (results / "status").read_text().strip() not in ("0", "1"):  # as at the end of its time
        say(f"{name}: pytest did not run to its end")
        failed += 1
    return passed, failed, skipped


def count(name: str, report: Path) -> Counts:
    """The numbers; failures are told here, because a guest out of time may not come to it."""
    suites = ElementTree.parse(report).getroot().findall("testsuite")  # noqa: S314 - our own
    for case in (case for suite in suites for case in suite.findall("testcase")):
        for trouble in (*case.findall("failure"), *case.findall("error")):
            say(f"{name}: {case.get('name')}: {trouble.get('message', '')[:400]}")
    total, failures, errors, skipped = (
        sum(int(suite.get(key, "0")) for suite in suites) for key in ("tests", "failures", "errors", "skipped")
    )
    return total - failures - errors - skipped, failures + errors, skipped


def summary(counts: Counts) -> str:
    return "{} passed, {} failed, {} skipped".format(*counts)


def main() -> int:
    arguments = sys.argv[1:]
    names = []
    while arguments and arguments[0] in KERNELS:
        names.append(arguments.pop(0))
    if os.geteuid():
        reason = "booting kernels needs root, for the packages and for the files the guest shares"
    elif platform.machine() != "x86_64":
        reason = "the kernels are x86-64 ones: run this on such a machine"
    else:
        reason = next(
            (f"{need} is missing" for need in ("vng", "apt-get", "dpkg-deb", "depmod") if not shutil.which(need)), ""
        )
    if reason:
        say(f"netlat-tui: {reason}.")
        return 1
    at_once = min(2, os.cpu_count() or 1)  # an emulated machine keeps little more than one CPU busy
    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(lambda name: run(name, arguments), names or KERNELS))
    total = tuple(sum(column) for column in zip(*results, strict=True))
    say(summary((total[0], total[1], total[2])))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
