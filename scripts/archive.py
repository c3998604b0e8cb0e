"""Debian's kernels, and tools of its other releases: from the archive this machine is installed from, through an apt
configuration of their own; unpacked into the cache, never installed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from netlat_tui.bpf.cache import folder

KERNELS = {
    "5.10": ("bullseye", "linux-image-amd64"),
    "6.1": ("bookworm", "linux-image-amd64"),
    "6.12": ("trixie", "linux-image-amd64"),
    "6.12-rt": ("trixie", "linux-image-rt-amd64"),
}
"""Debian's release, and its package that depends on the kernel's."""

Names = Callable[[list[str]], str]


class KernelError(Exception):
    """A kernel that is not to be had, or did not run the tests; one sentence."""


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


def _image_of(package: str) -> Names:
    """The kernel's package that another depends on, whose name changes with each version."""

    def find(options: list[str]) -> str:
        depends = output("apt-cache", *options, "depends", "--no-recommends", "--no-suggests", package).split()
        image = next((word for word in depends if word.startswith("linux-image-") and word != package), "")
        if not image:
            raise KernelError(f"{package} depends on no kernel")
        return image

    return find


def _unpack(target: Path, release: str, name: Names, finish: Callable[[Path, str], object]) -> Path:
    """A package's files in ``target``, whole or not at all; from the archive unless they are there already."""
    if target.exists():
        return target
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as made:
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
        package = name(options)
        output("apt-get", *options, "download", package, cwd=work)
        output("dpkg-deb", "-x", str(next(work.glob("*.deb"))), str(work / "root"))
        finish(work / "root", package)
        (work / "root").rename(target)
    return target


def _modules(root: Path, image: str) -> None:
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")
    output("depmod", "-b", str(root), image.removeprefix("linux-image-"))


def kernel_of(name: str) -> Path:
    """The folder of one of ``KERNELS``, with boot/ and lib/modules/ in it."""
    release, package = KERNELS[name]
    return _unpack(folder() / "kernels" / name, release, _image_of(package), _modules)


def tool_of(package: str, release: str) -> Path:
    """The folder of a package's files that this machine's release does not have; its libraries are the machine's."""
    return _unpack(folder() / "tools" / package, release, lambda _: package, lambda _root, _name: None)
