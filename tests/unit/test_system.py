"""What /proc and /sys say, in the forms they have on machines of different sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlat_tui.system import cpus, host, irqs

INTERRUPTS = """\
            CPU0       CPU1       CPU2
   0:         10          0          0   IO-APIC    2-edge      timer
  16:          0          5          0   IO-APIC   16-fasteoi   ehci_hcd:usb1, eth9
  28:          0          0          0  PCI-MSIX-0000:00:01.0   0-edge      virtio0-config
  29:     123456          7          0  PCI-MSIX-0000:00:01.0   1-edge      virtio0-input.0
  45:          1          2          3  PCI-MSI 524289-edge      eth0-TxRx-0
 130:          1          2          3  GICv3  45 Level     ens5-rx
 NMI:          0          0          0   Non-maskable interrupts
 ERR:          0
"""


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_interrupts_have_the_names_their_drivers_chose(tmp_path: Path) -> None:
    write(tmp_path, "proc/interrupts", INTERRUPTS)
    assert irqs.names(tmp_path) == {
        0: "timer",
        16: "ehci_hcd:usb1, eth9",
        28: "virtio0-config",
        29: "virtio0-input.0",
        45: "eth0-TxRx-0",
        130: "ens5-rx",
    }


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("  xen-dyn    -event     eth0-q0-tx", "eth0-q0-tx"),
        ("  xen-percpu    -virq      timer0", "timer0"),
        ("     GICv3  27 Level     arch_timer", "arch_timer"),
        ("   ITS-MSI 524288 Edge      virtio0-input.0", "virtio0-input.0"),
        ("  PCI-MSI 5-edge      42", "42"),
        ("  PCI-MSI 5-edge      none", "none"),
        ("  PCI-MSI 5-edge      edge", "edge"),
        ("  MPIC  77 Level   -fsl       eth0 g0, i2c", "eth0 g0, i2c"),
        ("  ITS-PCI-MSIX-0000:00:01.0   1 Edge      0000:01:00.0-rx-0", "0000:01:00.0-rx-0"),
        ("   IO-APIC  10-fasteoi", "IO-APIC 10-fasteoi"),
        ("  xen-dyn    -event     ", "xen-dyn -event"),
        ("  dummy          0000:01:00.0-rx", "0000:01:00.0-rx"),
        ("      None    ", "None"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("count", [1, 2, 512])
def test_odd_lines_of_interrupts(line: str, name: str, count: int, tmp_path: Path) -> None:
    head = "".join(f"{f'CPU{cpu}':>11}" for cpu in range(count))
    write(tmp_path, "proc/interrupts", f"     {head}\n  77: {'4294967295 ' * count}{line}\n")
    assert irqs.names(tmp_path) == {77: name}


def test_an_interrupt_knows_its_interface_and_its_cpus(tmp_path: Path) -> None:
    write(tmp_path, "proc/interrupts", INTERRUPTS)
    write(tmp_path, "proc/irq/29/effective_affinity_list", "1\n")
    write(tmp_path, "proc/irq/45/smp_affinity_list", "0-2\n")
    pci = tmp_path / "sys/devices/pci0/0000:00:01.0"
    write(tmp_path, "sys/devices/pci0/0000:00:01.0/msi_irqs/29", "msix\n")
    (pci / "virtio0").mkdir()
    (tmp_path / "sys/class/net/eth0").mkdir(parents=True)
    (tmp_path / "sys/class/net/eth0/device").symlink_to(pci / "virtio0")
    (tmp_path / "sys/class/net/lo").mkdir()
    found = {irq.irq: irq for irq in irqs.describe({0}, tmp_path)}
    assert (found[29].iface, found[29].cpus) == ("eth0", "1")
    assert (found[45].iface, found[45].cpus) == ("eth0", "0-2")
    assert found[0].iface == ""
    assert set(found) == {0, 28, 29, 45}


def test_a_machine_that_says_nothing_is_no_failure(tmp_path: Path) -> None:
    assert irqs.names(tmp_path) == {}
    assert irqs.describe({1}, tmp_path) == ()
    assert cpus.online(tmp_path) == (0,)
    assert cpus.softnet(tmp_path) == {}
    assert host.machine(tmp_path).clocksource == ""
    assert host.lockdown(tmp_path) == ""
    assert not host.may_trace(tmp_path)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0", (0,)), ("0-3", (0, 1, 2, 3)), ("0-1,8,10-11\n", (0, 1, 8, 10, 11)), ("", ()), ("x", ())],
)
def test_lists_of_cpus(text: str, numbers: tuple[int, ...]) -> None:
    assert cpus.parse_list(text) == numbers


def softnet_line(processed: int, dropped: int, squeezed: int, *rest: int) -> str:
    return " ".join(f"{value:08x}" for value in (processed, dropped, squeezed, *rest)) + "\n"


def test_the_backlogs_counters_name_their_cpu(tmp_path: Path) -> None:
    line = [0] * 9
    write(
        tmp_path,
        "proc/net/softnet_stat",
        softnet_line(0xFFFFFFFF, 1, 2, *line, 0) + softnet_line(3, 4, 5, *line, 6),  # CPUs 1 to 5 are offline
    )
    assert cpus.softnet(tmp_path) == {0: cpus.Softnet(0xFFFFFFFF, 1, 2), 6: cpus.Softnet(3, 4, 5)}


def test_before_5_10_the_lines_are_the_online_cpus(tmp_path: Path) -> None:
    write(tmp_path, "sys/devices/system/cpu/online", "0,2\n")
    write(tmp_path, "proc/net/softnet_stat", softnet_line(1, 0, 0, 0) + softnet_line(3, 0, 0, 0))
    assert {cpu: stat.processed for cpu, stat in cpus.softnet(tmp_path).items()} == {0: 1, 2: 3}


@pytest.mark.parametrize(
    ("caps", "may"),
    [(0, False), (1 << 39, False), (1 << 38 | 1 << 39, True), (1 << 21, True), ((1 << 41) - 1, True)],
)
def test_the_rights_to_trace(caps: int, may: bool, tmp_path: Path) -> None:
    write(tmp_path, "proc/self/status", f"Name:\tx\nCapEff:\t{caps:016x}\n")
    assert host.may_trace(tmp_path) is may


@pytest.mark.parametrize(
    ("text", "state"),
    [("[none] integrity confidentiality\n", "none"), ("none integrity [confidentiality]\n", "confidentiality")],
)
def test_lockdown(text: str, state: str, tmp_path: Path) -> None:
    write(tmp_path, "sys/kernel/security/lockdown", text)
    assert host.lockdown(tmp_path) == state
