"""Run tests/guest on Debian's kernels, each in an emulated machine of its own: `make test-kernels`.

    python -m scripts.kernels [KERNEL…] [PYTEST ARGUMENT…]     as: 6.1 6.12-rt -k udp

The guest sees this machine's files, read-only, as its own.
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
from scripts.archive import KERNELS, KernelError, kernel_of, tool_of

CHANGED = {"6.12-rt": ("__napi_poll",)}
"""Functions that are in a kernel's BTF but cannot be hooked: the compiler has changed them."""

REPO = Path(__file__).resolve().parent.parent
CPUS = 2
TIMEOUT_S = float(os.environ.get("NETLAT_TUI_GUEST_TIMEOUT", "2700"))
BOOTS = 3
"""At the most, of a kernel that panics."""
TEST_TIMEOUT_S = 400
"""Of one test, with what it is the first to need; the longest take a tenth of it."""
DEADLINE_S = "150"
"""Of one condition, which natively has 60: whatever is waited for takes an emulated machine longer."""
CARDS = (
    "-netdev hubport,id=n0,hubid=7 -device virtio-net-pci,netdev=n0 "
    "-netdev hubport,id=n1,hubid=7 -device e1000e,netdev=n1"
)
Counts = tuple[int, int, int]  # passed, failed, skipped


def say(text: str) -> None:
    print(text, flush=True)


def run(name: str, tool: Path | None, arguments: list[str]) -> Counts:
    """Boot one kernel and run the tests there; what came of them. ``tool``: see ``pwru``."""
    began = time.monotonic()
    try:
        kernel = kernel_of(name)
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
        known = set(cache.glob("netlat-tui/*.json"))
        for more in range(BOOTS)[::-1]:
            try:
                counts = boot(name, (image, kernel, tool), cache, arguments)
                break
            except PanicError:
                if not more:
                    raise
                say(f"{name}: the kernel panicked; it is booted once more")
        if set(cache.glob("netlat-tui/*.json")) - known:
            say(f"{name}: the guest compiled what scripts/precompile.py did not think of, for minutes")
    except (KernelError, OSError, StopIteration) as error:
        say(f"{name}: {error or 'the package has no kernel in it'}")
        counts = 0, 1, 0
    say(f"{name}: {summary(counts)}, {time.monotonic() - began:.0f} s")
    return counts


def pwru() -> Path | None:
    """A tracer by others, to compare with; ``None`` where it is not to be had."""
    try:
        return tool_of("pwru", "trixie") / "usr/bin/pwru"
    except KernelError as error:
        say(f"pwru is not to be had: {error}")
        return None


class PanicError(KernelError):
    """Emulated kernels were seen to trap on text of their own that they were patching, as they do to attach hooks."""


def boot(name: str, files: tuple[Path, Path, Path | None], cache: Path, arguments: list[str]) -> Counts:
    with tempfile.TemporaryDirectory(prefix="netlat-tui-guest-") as made:
        return _boot(name, files, cache, Path(made), arguments)


def _boot(name: str, files: tuple[Path, Path, Path | None], cache: Path, results: Path, arguments: list[str]) -> Counts:
    """``files``: the kernel's image and folder, pwru."""
    image, kernel, tool = files
    environment = {
        "NETLAT_TUI_GUEST": "1",
        "NETLAT_TUI_TEST_DEADLINE": os.environ.get("NETLAT_TUI_TEST_DEADLINE", DEADLINE_S),
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": str(REPO),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # importing them takes an emulated machine a minute
        "HOME": "/tmp",  # noqa: S108 - the guest's own
        "PATH": f"{os.environ['PATH']}:{results}",
    }
    if tool:
        shutil.copy2(tool, results)
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--durations=8",
        *("-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider"),  # pyproject.toml sets asyncio up
        *("-p", "pytest_timeout", f"--timeout={TEST_TIMEOUT_S}"),
        # An emulated CPU stands still now and then for longer than a test allows; what is wrong is so twice.
        *("-p", "pytest_rerunfailures", "--reruns=1", "-rR"),
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
    # Each folder that is shared is a word of the kernel's command line, which takes only so many.
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
        console = (results / "console").read_text(errors="replace")
        say("\n".join(console.splitlines()[-60:]))
        if "Kernel panic" in console and not late:
            raise PanicError("the kernel panicked")
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
    tool = pwru()
    # Without a CPU for each of theirs they wait for each other: two machines on two CPUs take three times as long.
    at_once = max(1, min(2, (os.cpu_count() or 1) // CPUS))
    with ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(lambda name: run(name, tool, arguments), names or KERNELS))
    total = tuple(sum(column) for column in zip(*results, strict=True))
    say(summary((total[0], total[1], total[2])))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
