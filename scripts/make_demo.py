"""Makes the bundled recording, netlat_tui/data/demo.netlat, from traffic in namespaces of its own. Needs root.

Only packets of these two namespaces are recorded, and what the recording says of the machine is taken out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from netlat_tui.model.ticks import IRQ_ROW, Rows, Scope, Tick
from netlat_tui.recording import Writer, read_all
from scripts.demo_net import demo

TARGET = Path(__file__).parent.parent / "netlat_tui" / "data" / "demo.netlat"
SECONDS = 45


def ours(tick: Tick, numbers: set[int]) -> Tick:
    """The tick without what it says of the rest of the machine."""

    def local(rows: Rows) -> Rows:
        return rows[rows["scope"] == Scope.CPU].copy()

    return replace(
        tick,
        cells=local(tick.cells),
        sums=local(tick.sums),
        irqs=tick.irqs[:0].astype(IRQ_ROW),
        irq_info=(),
        iface_info=tuple(info for info in tick.iface_info if info.netns in numbers),
    )


def main() -> None:
    with demo(SECONDS + 20) as made, tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.netlat"
        command = [
            sys.executable,
            "-m",
            "netlat_tui",
            "record",
            "--budget",
            "none",
            "-o",
            str(raw),
            "--duration",
            str(SECONDS),
            made.words,
        ]
        subprocess.run(command, check=True)
        origin, ticks, damage = read_all(raw)
    assert not damage
    origin = replace(origin, host="demo", boot_id="", filter="")
    TARGET.parent.mkdir(exist_ok=True)
    with Writer(TARGET, origin, overwrite=True) as writer:
        for tick in ticks:
            writer.write(replace(ours(tick, {made.server, made.client}), filter=""))
    TARGET.chmod(0o644)
    print(f"{TARGET.name}: {len(ticks)} ticks, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
