"""The tracer as a guest of the process and of the kernel: what it brings, and that it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from netlat_tui.bpf import calls, plan
from netlat_tui.bpf.btf import Btf
from netlat_tui.bpf.build import Attached, LoadedMap, load
from netlat_tui.bpf.compiled import compiled
from netlat_tui.bpf.hooks import PROBES
from netlat_tui.bpf.program import Sizes, source
from netlat_tui.bpf.tracer import Tracer, possible_cpus

pytestmark = pytest.mark.usefixtures("tracer")  # skips where the kernel cannot be traced

SCRIPT = """
import json, sys
from netlat_tui.bpf.tracer import Tracer
tracer = Tracer()
maps = open("/proc/self/maps").read()
print(json.dumps({"llvm": "LLVM" in maps, "bcc": "bcc" in sys.modules, "hooks": len(tracer.hooks)}))
tracer.close()
"""


def programs() -> set[str]:
    """Loaded programs by descriptor, as /proc says of this process."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        try:
            target = str(path.readlink())
        except OSError:
            continue
        if "bpf" in target:
            found.add(f"{path.name} {target}")
    return found


def test_the_compiler_is_not_in_the_process_that_watches() -> None:
    for _ in range(2):  # compiled now, or kept from before
        done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, encoding="utf-8", check=False)
        assert done.stderr == ""
        found = json.loads(done.stdout)
        assert (found["llvm"], found["bcc"]) == (False, False)
        assert found["hooks"] > 20


def test_every_hook_this_kernel_offers_is_attached(tracer: Tracer) -> None:
    """What compiles with one BCC need not pass the verifier with another."""
    assert tracer.failures == plan.make(Btf.of_kernel(), "auto").failures


@pytest.mark.parametrize("before_6_3", [False, True])
@pytest.mark.parametrize("kind", [plan.FENTRY, plan.KPROBE])
def test_the_programs_of_kernels_with_function_hooks_are_compiled_and_verified(kind: str, before_6_3: bool) -> None:
    """This kernel may refuse functions: what is loaded on others is compiled here all the same."""
    btf = Btf.of_kernel()
    made = plan.Plan(functions=(kind,))
    for probe in PROBES:
        if not (before_6_3 and probe.event in ("sk_data_ready", "sock_recv_length", "sock_send_length")):
            made.admit(probe)
    names = {probe.program for probe in PROBES if probe.event in made.kinds}
    assert {"on_ip_rcv_core", "on___ip_queue_xmit", "on_eth_type_trans"} <= names
    assert ("on_sock_def_readable" in names) == before_6_3
    result = compiled(source(btf, Sizes(cpus=possible_cpus()), made))
    assert names <= result.programs.keys()
    if kind == plan.KPROBE:  # of these the verifier asks for no function to be there
        with closing(Attached(plan=made)) as attached:
            for entry in result.maps:
                attached.maps[entry.name] = LoadedMap(calls.create_map(entry.name, entry.spec), entry)
            hooked = [probe for probe in PROBES if probe.event in made.kinds and not probe.at_return]
            assert load(btf, attached, result, hooked) == {}


def test_nothing_is_left_open() -> None:
    before = programs()
    tracer = Tracer()
    assert len(programs()) > len(before) + 20
    tracer.close()
    tracer.close()
    assert programs() == before


def test_the_kernel_says_why_it_refuses_a_program() -> None:
    falls_off_the_end = bytes.fromhex("b700000000000000")  # r0 = 0, and no exit
    with pytest.raises(calls.LoadError, match=r"last insn is not an exit|fall"):
        calls.load_program("bad", falls_off_the_end)


def test_the_kernel_says_why_it_refuses_an_event() -> None:
    target = calls.Target(calls.TRACING, calls.TRACE_RAW_TP, Btf.of_kernel().function("ip_rcv") or 0)
    with pytest.raises(calls.LoadError, match="not a typedef"):
        calls.load_program("nothing", bytes.fromhex("b7000000000000009500000000000000"), target)
