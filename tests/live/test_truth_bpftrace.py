"""The same packets seen by a tracer of others' making: bpftrace, with a script that shares nothing with this one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path as File
from statistics import median

from netlat_tui.bpf.tracer import Tracer
from netlat_tui.model.paths import Path
from tests.live.conftest import Actor, Capture, Host, Net, cannot
from tests.live.truth import EMULATED, by_length, log, need, paths_of, times, weigh

Begin = Callable[[str], Capture]
COUNT = 100
HOOK_NS = 200_000 if EMULATED else 5_000
"""What a hook may cost. Each tracer's program runs within the other's interval at one of its ends, and the link layer's
does more than the socket's: a microsecond or two natively, where a program takes some 0.3 µs and bpftrace's, with what
the kernel does around a perf event, 1 µs. An emulated machine takes for an instruction what others take for fifty."""

SCRIPT = """
BEGIN { printf("ready 0\\n"); }
tracepoint:net:netif_receive_skb { @link[(uint64)args->skbaddr] = nsecs; }
%s
	$port = $sk->__sk_common.skc_num;
	if (@link[(uint64)$skb]) { printf("packet %%d %%d %%llu %%llu\\n", $skb->len, $port, @link[(uint64)$skb], $now); }
}
END { clear(@link); }
"""
READY = """
tracepoint:sock:sk_data_ready /args->protocol == 17/ {
	$now = nsecs; $sk = (struct sock *)args->skaddr; $skb = $sk->sk_receive_queue.prev;
"""
QUEUED = """
kprobe:__udp_enqueue_schedule_skb {
	$now = nsecs; $sk = (struct sock *)arg0; $skb = (struct sk_buff *)arg1;
"""


def bpftrace(net: Net, tracer: Tracer, folder: File) -> Actor:
    """Attached. The tracepoints' file system is mounted for bpftrace alone, where the machine has not mounted it."""
    if not shutil.which("bpftrace"):
        cannot("bpftrace is missing")
    script = folder / "link_to_socket.bt"
    functions = any(hook.point == "socket" and "__udp_enqueue_schedule_skb" in hook.hook for hook in tracer.hooks)
    script.write_text(SCRIPT % (QUEUED if functions else READY), encoding="ascii")
    command = f"mount -t tracefs none /sys/kernel/tracing; exec bpftrace -B line {script}"
    process = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    actor = net.keep(Actor(process))
    actor.expect("ready")
    return actor


def followed(net: Net, capture: Begin, sender: Host, receiver: Host, port: int) -> dict[int, Path]:
    """The paths of datagrams sent to this port, by their length: all of them."""
    seen = capture(f"rx and netns {receiver.inode} and udp and dst port {port}")
    writer = net.start(sender, "udp-log-send", receiver.ip4, port, COUNT, 1000, 0.002)
    sent = by_length(log(writer, "sent"))
    seen.until_ended(COUNT)
    paths = paths_of(seen, port)
    assert set(paths) == set(sent)
    return paths


def check_same(ours: list[int], theirs: list[int]) -> None:
    """Two tracers found the same interval, in ns: packet by packet, and one long enough to be wrong about."""
    differences = [mine - other for mine, other in zip(ours, theirs, strict=True)]
    print(f"others: {median(theirs)} ns, ours {median(ours)} ns, difference {median(differences)} ns")
    assert median(theirs) > HOOK_NS * 5
    assert abs(median(differences)) <= HOOK_NS, sorted(differences)
    # An interrupt may come between the two now and then: for the others it is packet by packet.
    assert sum(abs(difference) <= HOOK_NS for difference in differences) >= COUNT * 9 // 10, sorted(differences)


def test_bpftrace_sees_the_same(net: Net, tracer: Tracer, capture: Begin, tmp_path: File) -> None:
    need(tracer, "rx.socket", "rx.return")
    sender, receiver = net.pair()
    # Between the two points packet sockets have a look at it: there is something to be measured.
    weigh(net, receiver, "veth0", (2, 100))
    others = bpftrace(net, tracer, tmp_path)
    reader = net.start(receiver, "udp-log-read", receiver.ip4, COUNT, 0)  # it does not wait for ever
    port = reader.expect("ready")
    paths = followed(net, capture, sender, receiver, port)
    others.process.terminate()
    said = [line.split()[1:] for line in others.process.communicate()[0].splitlines() if line.startswith("packet ")]
    theirs = {int(size): int(queued) - int(link) for size, to, link, queued in said if int(to) == port}
    # The socket's tail is the packet's data alone with some kernels, and all of its datagram with others.
    extra = min(theirs, default=0) - min(paths)
    assert extra in (0, 8)
    assert len(theirs) == COUNT
    in_order = sorted(paths)
    check_same(
        [times(paths[length])["socket"] - times(paths[length])["link"] for length in in_order],
        [theirs[length + extra] for length in in_order],
    )
