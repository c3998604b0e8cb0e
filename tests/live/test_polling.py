"""Packets fetched outside of a softirq, by a NAPI thread; tests/guest has readers that poll the device themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from netlat_tui.model.points import IrqClass, Outcome
from tests.live.conftest import Capture, Host, Net
from tests.live.test_traffic import check_path

Begin = Callable[[str], Capture]
COUNT = 100


def napi(net: Net) -> tuple[Host, Host]:
    """A veth pair of which the second end receives through a NAPI of its own, as it does with GRO."""
    left, right = net.pair()
    right.run("ethtool", "-K", "veth0", "gro", "on")
    left.run("ethtool", "-K", "veth0", "tso", "off")  # veth asks for a NAPI only where segments cannot be large already
    return left, right


def set_in(host: Host, path: str, value: str) -> None:
    """Write to the namespace's own /sys or /proc/sys."""
    inside = f"mount -t sysfs nlt /sys && echo {value} > {path}"
    host.run("unshare", "--mount", "sh", "-c", inside)


def test_a_napi_thread_is_told(net: Net, capture: Begin) -> None:
    left, right = napi(net)
    set_in(right, "/sys/class/net/veth0/threaded", "1")
    reader = net.start(right, "udp-read", right.ip4, COUNT, 64, 0)
    port = reader.expect("ready")
    seen = capture(f"rx and netns {right.inode} and udp and dst port {port}")
    net.start(left, "udp-send", right.ip4, port, COUNT, 64, 0.001)
    assert reader.finish() == COUNT
    seen.until_ended(COUNT)
    assert Counter(path.irq_class for path in seen.paths) == {IrqClass.THREADED: COUNT}
    for path in seen.paths:
        check_path(path)
        assert path.outcome is Outcome.COMPLETE
        assert "softirq" not in {passage.point.key for passage in path.points}
