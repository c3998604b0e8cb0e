"""The ratios for every kind of hook, on another kernel in an emulated machine: `make bench ARGS="guest --kernel 6.1"`.

The kernel and the emulator are those of `make test-kernels`. Emulation makes everything slow, hooks and packets alike:
only the ratios mean something.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

from benchmarks.figures import Result, result_of
from benchmarks.load import Unavailable, need
from benchmarks.options import Options
from benchmarks.watchers import REPO, Watcher, headless, pwru
from netlat_tui.bpf.cache import folder
from scripts.archive import KERNELS, KernelError, kernel_of, tool_of
from scripts.kernels import CPUS

TIERS = ("fentry", "kprobe", "tracepoint")
_TIMEOUT_S = 1200


def watchers() -> dict[str, tuple[str, Watcher]]:
    """What takes its turn inside."""
    ours: dict[str, tuple[str, Watcher]] = {
        tier: (f"netlat-tui report --hooks {tier}", partial(headless, "--hooks", tier)) for tier in TIERS
    }
    return {**ours, "pwru": ("pwru: UDP", pwru)}


def run(options: Options, kernel: str) -> Result:
    for tool, package in (
        ("vng", "virtme-ng, which `make test-kernels` installs"),
        ("qemu-system-x86_64", "qemu-system-x86"),
    ):
        need(tool, package)
    if kernel not in KERNELS:
        raise Unavailable(f"there is no kernel {kernel}: name one of {', '.join(KERNELS)}")
    try:
        unpacked = kernel_of(kernel)
        image = next(unpacked.glob("boot/vmlinuz-*"))
    except (KernelError, StopIteration) as error:
        raise Unavailable(str(error) or "the package has no kernel in it") from None
    cache = folder() / "kernels" / f"{kernel}.compiled"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    precompile = [sys.executable, str(REPO / "scripts/precompile.py"), str(image), str(CPUS)]
    subprocess.run(precompile, env={**os.environ, "XDG_CACHE_HOME": str(cache)}, check=False)
    with tempfile.TemporaryDirectory(prefix="netlat-tui-guest-") as made:
        results = Path(made)
        _boot(image, unpacked, cache, results, options)
        try:
            data = json.loads((results / "result.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            log = results / "log"
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            raise Unavailable(f"the guest measured nothing ({lines[-1] if lines else 'it did not boot'})") from None
    return result_of(data)


def _boot(image: Path, unpacked: Path, cache: Path, results: Path, options: Options) -> None:
    with suppress(KernelError):  # without it that row says so
        shutil.copy2(tool_of("pwru", "trixie") / "usr/bin/pwru", results)
    environment = {
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": str(REPO),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/tmp",
        "PATH": f"{os.environ['PATH']}:{results}",
    }
    inside = [sys.executable, "-m", "benchmarks.inside", str(options.rounds), str(options.seconds)]
    lines = [f"export {key}={shlex.quote(value)}" for key, value in environment.items()]
    lines += [f"cd {shlex.quote(str(REPO))}", f"{shlex.join(inside)} >{results}/result.json 2>{results}/log"]
    script = results / "run.sh"
    script.write_text("\n".join(["#!/bin/bash", *lines]) + "\n", encoding="utf-8")
    script.chmod(0o755)
    shared = [f"--rodir={path}" for path in dict.fromkeys((REPO, Path(sys.prefix), unpacked))]
    shared += [f"--rwdir={path}" for path in (results, cache)]
    emulated = ["--disable-kvm", "--force-9p", "--disable-microvm", "--memory", "2G", "--cpus", str(CPUS), "--verbose"]
    emulated += ["--append", "tsc=reliable", "--append", "clocksource=tsc"]
    # In turns: CPUs emulated side by side were seen to run into text that the kernel patches under them, as it does to
    # attach hooks and to turn statistics on, and under a flood of packets it panics every time.
    emulated += ["--qemu-opts=-accel tcg,thread=single"]
    command = ["vng", "--run", str(image), *emulated, *shared, "--exec", str(script)]
    with (results / "console").open("wb") as console:
        guest = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
        )
        try:
            guest.wait(_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"the guest did not end within {_TIMEOUT_S} s") from None
        finally:
            if guest.poll() is None:
                os.killpg(guest.pid, signal.SIGKILL)
                guest.wait()
