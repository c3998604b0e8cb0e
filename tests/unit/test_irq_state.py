"""The IRQ state machine, compiled natively from the kernel side's own source and fed written event sequences."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlat_tui.bpf.program import KERNEL_DIR
from netlat_tui.model.points import IrqClass
from netlat_tui.model.ticks import SoftirqVector

SHIM = """
#include <stdint.h>
#include <string.h>
typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;
#define INLINE static inline
{classes}
#include "irq_state.h"
struct irq_state s;
void reset(void) {{ memset(&s, 0, sizeof s); }}
void irq_entry(u32 irq, u64 now, int is_net) {{ irq_on_entry(&s, irq, now, is_net); }}
void irq_exit(void) {{ irq_on_exit(&s); }}
void timer(int in) {{ s.in_timer = in; }}
void ipi(int in) {{ s.in_ipi = in; }}
void raise_net_rx(u64 now, u32 threaded, u64 since) {{ irq_on_raise(&s, now, threaded, since); }}
u64 softirq_entry(u64 now, int ksoftirqd) {{ return irq_on_softirq_entry(&s, now, ksoftirqd); }}
void softirq_exit(void) {{ irq_on_softirq_exit(&s); }}
void polled(u64 now, int work, int budget) {{ irq_on_poll(&s, now, work, budget); }}
void other_entry(u32 vector, u64 now) {{ irq_on_other_entry(&s, vector, now); }}
void other_exit(void) {{ irq_on_other_exit(&s); }}
u32 ran_since(u64 raise_ns) {{ return irq_ran_since(&s, raise_ns); }}
void resolve(u32 known, int thread, u64 *out)
{{
	struct attribution a;
	irq_resolve(&s, known, thread, &a);
	out[0] = a.class; out[1] = a.irq; out[2] = a.irq_ns; out[3] = a.raise_ns;
	out[4] = a.softirq_ns; out[5] = a.poll_ns; out[6] = a.window_ns;
}}
"""


@dataclass
class Attribution:
    kind: IrqClass
    irq: int
    irq_ns: int
    raise_ns: int
    softirq_ns: int
    poll_ns: int
    window_ns: int


class Machine:
    def __init__(self, library: ctypes.CDLL) -> None:
        self.lib = library
        library.softirq_entry.restype = ctypes.c_uint64
        library.raise_net_rx.argtypes = [ctypes.c_uint64, ctypes.c_int, ctypes.c_uint64]
        for name in ("softirq_entry", "polled"):
            getattr(library, name).argtypes = [ctypes.c_uint64] + [ctypes.c_int] * (2 if name == "polled" else 1)
        library.irq_entry.argtypes = [ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int]
        library.other_entry.argtypes = [ctypes.c_uint32, ctypes.c_uint64]
        library.ran_since.argtypes = [ctypes.c_uint64]
        library.reset()

    def interrupt(self, irq: int, at: int, raises: bool = True, is_net: bool = True) -> None:
        self.lib.irq_entry(irq, at, is_net)
        if raises:
            self.lib.raise_net_rx(at + 1, 0, 0)
        self.lib.irq_exit()

    def other(self, vector: SoftirqVector, at: int) -> None:
        """Another softirq, from its beginning to its end."""
        self.lib.other_entry(vector, at)
        self.lib.other_exit()

    def waited_for(self, raise_ns: int) -> set[SoftirqVector]:
        """What a packet whose softirq was asked for then, and runs now, had to wait for."""
        ran = self.lib.ran_since(raise_ns)
        return {vector for vector in SoftirqVector if ran >> vector & 1}

    def resolve(self, known: int = 0, thread: bool = False) -> Attribution:
        out = (ctypes.c_uint64 * 7)()
        self.lib.resolve(known, thread, out)
        return Attribution(IrqClass(out[0]), *out[1:])


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler: install gcc")
    folder = tmp_path_factory.mktemp("irq")
    classes = "\n".join(f"#define IRQ_CLASS_{kind.name} {kind.value}" for kind in IrqClass)
    source = folder / "shim.c"
    source.write_text(SHIM.format(classes=classes))
    target = folder / "shim.so"
    command = [
        compiler,
        "-shared",
        "-fPIC",
        "-O1",
        "-Wno-unknown-pragmas",
        "-I",
        str(KERNEL_DIR),
        str(source),
        "-o",
        str(target),
    ]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(target))


@pytest.fixture
def machine(library: ctypes.CDLL) -> Machine:
    return Machine(library)


def test_one_interrupt_one_poll(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    assert machine.lib.softirq_entry(200, 0) == 101
    got = machine.resolve()
    assert got == Attribution(IrqClass.IRQ, 41, 100, 101, 200, 200, 0)


def test_two_interrupts_are_ambiguous_and_say_how_far_apart(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    machine.interrupt(42, at=160)
    machine.lib.softirq_entry(200, 0)
    got = machine.resolve()
    assert (got.kind, got.irq, got.irq_ns) == (IrqClass.AMBIGUOUS, 0, 0)
    assert got.window_ns == 60
    assert got.raise_ns == 101


def test_a_known_napi_settles_which_of_two_interrupts(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    machine.interrupt(42, at=160)
    machine.lib.softirq_entry(200, 0)
    got = machine.resolve(known=42)
    assert (got.kind, got.irq, got.irq_ns, got.raise_ns) == (IrqClass.IRQ, 42, 160, 161)


def test_the_first_raise_of_a_source_counts(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    machine.interrupt(41, at=150)
    machine.lib.softirq_entry(200, 0)
    assert machine.resolve().irq_ns == 100


def test_a_raise_while_net_rx_runs_keeps_the_attribution_as_repoll(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    machine.lib.softirq_entry(200, 0)
    machine.lib.raise_net_rx(250, 0, 0)
    machine.lib.softirq_exit()
    machine.lib.softirq_entry(300, 1)
    got = machine.resolve()
    assert (got.kind, got.irq, got.irq_ns, got.raise_ns, got.softirq_ns) == (IrqClass.REPOLL, 41, 0, 250, 300)


def test_a_used_up_budget_makes_the_next_poll_a_repoll(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    machine.lib.softirq_entry(200, 0)
    machine.lib.polled(260, 64, 64)
    got = machine.resolve()
    assert (got.kind, got.irq, got.irq_ns, got.poll_ns) == (IrqClass.REPOLL, 41, 0, 260)
    machine.lib.polled(290, 3, 64)
    assert machine.resolve().poll_ns == 290


def test_an_interrupt_that_lands_while_net_rx_runs(machine: Machine) -> None:
    """From 6.12 on it raises nothing: its NAPI is polled in the same run."""
    machine.interrupt(41, at=100)
    machine.lib.softirq_entry(200, 0)
    machine.interrupt(42, at=220, raises=False)
    machine.lib.polled(240, 1, 64)
    got = machine.resolve(known=42)
    assert got == Attribution(IrqClass.IRQ, 42, 220, 0, 0, 240, 0)
    assert machine.resolve(known=0).kind is IrqClass.AMBIGUOUS


def test_an_interrupt_that_never_raised_net_rx_is_no_candidate(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    machine.lib.softirq_entry(200, 0)
    machine.interrupt(9, at=220, raises=False, is_net=False)
    assert machine.resolve().irq == 41


@pytest.mark.parametrize(
    ("context", "threaded", "since", "expected"),
    [
        ("", 0, 0, IrqClass.LOCAL),
        ("", 77, 0, IrqClass.IRQ),
        ("", 77, 60, IrqClass.IRQ),
        ("timer", 0, 0, IrqClass.TIMER),
        ("ipi", 0, 0, IrqClass.RPS),
    ],
)
def test_raises_outside_of_interrupts(
    machine: Machine, context: str, threaded: int, since: int, expected: IrqClass
) -> None:
    if context:
        getattr(machine.lib, context)(1)
    machine.lib.raise_net_rx(100, threaded, since)
    if context:
        getattr(machine.lib, context)(0)
    machine.lib.softirq_entry(200, 0)
    got = machine.resolve()
    assert (got.kind, got.irq, got.irq_ns, got.raise_ns) == (expected, threaded, since, 100)


def test_outside_of_net_rx(machine: Machine) -> None:
    assert machine.resolve().kind is IrqClass.UNKNOWN, "the run at attach time was not seen from its beginning"
    machine.interrupt(41, at=100)
    machine.lib.softirq_entry(200, 0)
    machine.lib.softirq_exit()
    assert machine.resolve().kind is IrqClass.BUSY_POLL
    assert machine.resolve(thread=True).kind is IrqClass.THREADED


def test_more_sources_than_places_is_ambiguous(machine: Machine) -> None:
    for i in range(5):
        machine.interrupt(40 + i, at=100 + 10 * i)
    machine.lib.softirq_entry(200, 0)
    got = machine.resolve()
    assert got.kind is IrqClass.AMBIGUOUS


TIMER, TASKLET, SCHED, RCU = SoftirqVector.TIMER, SoftirqVector.TASKLET, SoftirqVector.SCHED, SoftirqVector.RCU


def test_softirqs_that_ran_between_raise_and_entry(machine: Machine) -> None:
    machine.other(RCU, 50)
    machine.interrupt(41, at=100)
    machine.other(TIMER, 120)
    machine.other(SCHED, 150)
    machine.lib.softirq_entry(200, 0)
    assert machine.waited_for(101) == {TIMER, SCHED}
    assert machine.waited_for(0) == set(), "it is not known when this one was asked for"
    machine.lib.softirq_exit()
    assert machine.waited_for(101) == set(), "what does not run now waited for nothing"


def test_the_softirq_that_was_interrupted_is_waited_for(machine: Machine) -> None:
    machine.lib.other_entry(TASKLET, 90)
    machine.interrupt(41, at=100)
    machine.lib.other_exit()
    machine.lib.softirq_entry(200, 0)
    assert machine.waited_for(101) == {TASKLET}


def test_each_run_has_its_own(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    machine.other(TIMER, 120)
    machine.lib.softirq_entry(200, 0)
    machine.lib.softirq_exit()
    machine.other(RCU, 210)
    machine.interrupt(41, at=300)
    machine.lib.softirq_entry(310, 0)
    assert machine.waited_for(301) == set()


def test_of_a_packet_that_came_after_one_of_them_nothing_is_said(machine: Machine) -> None:
    """On the backlog of a CPU that was asked for its softirq before: TIMER may have been over by then."""
    machine.interrupt(41, at=100)
    machine.other(TIMER, 120)
    machine.other(SCHED, 180)
    machine.lib.softirq_entry(200, 0)
    assert machine.waited_for(119) == {TIMER, SCHED}
    assert machine.waited_for(150) == set()


def test_a_raise_while_net_rx_runs_waits_for_what_comes_after_it(machine: Machine) -> None:
    machine.interrupt(41, at=100)
    machine.lib.other_entry(TIMER, 110)
    machine.lib.other_exit()
    machine.lib.softirq_entry(200, 0)
    machine.lib.raise_net_rx(250, 0, 0)
    machine.lib.softirq_exit()
    machine.other(RCU, 260)
    machine.lib.softirq_entry(300, 0)
    assert machine.waited_for(250) == {RCU}


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("interrupt"), st.integers(1, 4), st.booleans(), st.booleans()),
        st.tuples(st.just("raise"), st.sampled_from([0, 0, 5])),
        st.tuples(st.just("entry"), st.booleans()),
        st.tuples(st.just("exit")),
        st.tuples(st.just("polled"), st.integers(0, 64)),
        st.tuples(st.just("timer"), st.booleans()),
        st.tuples(st.just("ipi"), st.booleans()),
        st.tuples(st.just("other"), st.sampled_from([1, 2, 6, 7, 9]), st.booleans()),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(EVENTS, st.integers(0, 5))
def test_points_are_in_order_whatever_happens(
    library: ctypes.CDLL, events: list[tuple[object, ...]], known: int
) -> None:
    machine, now, others = Machine(library), 1000, set()
    for event in events:
        now += 10
        match event:
            case ("interrupt", int(irq), bool(raises), bool(is_net)):
                machine.interrupt(irq, now, raises, is_net)
            case ("raise", int(threaded)):
                machine.lib.raise_net_rx(now, threaded, now - 5 if threaded else 0)
            case ("other", int(vector), bool(ends)):
                others.add(vector)
                machine.lib.other_entry(vector, now)
                if ends:
                    machine.lib.other_exit()
            case ("entry", bool(ksoftirqd)):
                machine.lib.softirq_entry(now, ksoftirqd)
            case ("exit",):
                machine.lib.softirq_exit()
            case ("polled", int(work)):
                machine.lib.polled(now, work, 64)
            case (str(name), bool(inside)):
                getattr(machine.lib, name)(inside)
    got = machine.resolve(known)
    times = [t for t in (got.irq_ns, got.raise_ns, got.softirq_ns, got.poll_ns) if t]
    assert times == sorted(times)
    assert all(t <= now for t in times)
    assert machine.waited_for(got.raise_ns) <= others
    if got.kind is IrqClass.AMBIGUOUS:
        assert got.irq_ns == 0
    if known and got.kind is IrqClass.IRQ:
        assert got.irq == known
