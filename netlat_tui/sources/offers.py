"""What this machine offers a tracer, asked by trying; and the one reason why it cannot be traced, if there is one."""

from __future__ import annotations

from netlat_tui import __version__
from netlat_tui.bpf.btf import VMLINUX, Btf, BtfError
from netlat_tui.bpf.compiled import BuildError
from netlat_tui.bpf.compiler import CompileError, import_bcc
from netlat_tui.bpf.pages import page_map
from netlat_tui.bpf.plan import describe, untried
from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.offers import Check, Offers
from netlat_tui.model.ticks import Hook
from netlat_tui.system import cpus, host

NO_RIGHTS = "Tracing needs root (CAP_BPF and CAP_PERFMON): run it with sudo."
LOCKED = (
    "This kernel is locked down (confidentiality), which refuses tracing: boot without lockdown=confidentiality "
    "to trace live."
)
NO_BTF = "This kernel has no BTF (/sys/kernel/btf/vmlinux): boot one built with CONFIG_DEBUG_INFO_BTF to trace live."


def refusal() -> tuple[str, int] | None:
    """Why this machine cannot be traced (one sentence) and the exit code; ``None`` where nothing speaks against it."""
    if not host.may_trace():
        return NO_RIGHTS, 3
    if host.lockdown() == "confidentiality":
        return LOCKED, 4
    if not VMLINUX.exists():
        return NO_BTF, 4
    return None


def survey(tier: str = "auto") -> Offers:
    """Ask everything; hooks, of ``tier`` if one is forced, are attached for a moment where that is allowed."""
    machine = host.machine()
    refused = refusal()
    checks = [_rights(), _btf(), _lockdown(), _bcc(), _clock(machine.clocksource), _pages()]
    hooks, failure = _try_hooks(refused, tier)
    if failure:
        checks.append(Check("hooks", False, failure[0], ""))
    code = failure[1] if failure else 0
    return Offers(
        host=machine.host,
        kernel=machine.kernel,
        machine=f"{machine.architecture}, {len(cpus.online())} CPUs",
        version=__version__,
        checks=tuple(checks),
        hooks=hooks,
        traceable=not failure,
        exit_code=code,
    )


def _try_hooks(refused: tuple[str, int] | None, tier: str) -> tuple[tuple[Hook, ...], tuple[str, int] | None]:
    if refused is None:
        try:
            tracer = Tracer(tier=tier)
        except BuildError as error:
            refused = str(error), error.exit_code
        except (BtfError, OSError) as error:
            refused = f"This kernel cannot be traced: {error}.", 4
        else:
            hooks = tracer.hooks
            tracer.close()
            return hooks, None
    return describe(untried("not tried: the machine cannot be traced")), refused


def _rights() -> Check:
    if host.may_trace():
        return Check("rights", True, "CAP_BPF and CAP_PERFMON", "")
    return Check("rights", False, "neither CAP_BPF with CAP_PERFMON nor CAP_SYS_ADMIN", "run as root")


def _btf() -> Check:
    try:
        Btf.of_kernel()
    except BtfError as error:
        return Check("BTF", False, str(error), "boot a kernel built with CONFIG_DEBUG_INFO_BTF")
    return Check("BTF", True, str(VMLINUX), "")


def _lockdown() -> Check:
    state = host.lockdown()
    if state == "confidentiality":
        return Check("lockdown", False, state, "boot without lockdown=confidentiality")
    return Check("lockdown", True if state else None, state or "the kernel does not say", "")


def _bcc() -> Check:
    try:
        bcc = import_bcc()
    except CompileError as error:
        return Check("BCC", False, str(error), "")
    return Check("BCC", True, str(getattr(bcc, "__version__", "present")), "")


def _pages() -> Check:
    if all(page_map()):
        return Check("page map", True, "headers that a driver leaves in a page can be read", "")
    words = "not to be had: large packets of drivers that leave headers in a page may show no ports (virtio_net's do)"
    return Check("page map", None, words, "")


def _clock(name: str) -> Check:
    if name in host.SLOW_CLOCKS:
        return Check("clocksource", False, f"{name} is slow to read: every hook costs more", "boot with a stable TSC")
    return Check("clocksource", True if name else None, name or "the kernel does not say", "")
