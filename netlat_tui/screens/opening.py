"""What Enter on a row opens, whatever table the row is in."""

from __future__ import annotations

from collections.abc import Sequence

from netlat_tui.model.findings import Finding
from netlat_tui.model.findings import View as Shown
from netlat_tui.model.flows import FlowRow
from netlat_tui.model.paths import Path
from netlat_tui.model.snapshot import CpuRow, DropRow, IrqRow, Snapshot, StageRow
from netlat_tui.screens.drop import DropScreen
from netlat_tui.screens.flow import FlowScreen
from netlat_tui.screens.panes import drops
from netlat_tui.screens.panes.base import Measured
from netlat_tui.screens.panes.scope import scope_name
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.scope import ScopeScreen
from netlat_tui.screens.stage import StageScreen, interval_name
from netlat_tui.screens.view import Context, ViewScreen


def screen_of(context: Context, crumbs: Sequence[str], item: object) -> ViewScreen | None:
    """The screen of a row's item, ``None`` where it has none."""
    glyphs = context.glyphs
    if isinstance(item, StageRow | Measured):
        return StageScreen(context, (*crumbs, interval_name(item, glyphs)), item)
    if isinstance(item, CpuRow | IrqRow):
        return ScopeScreen(context, (*crumbs, scope_name(item, glyphs)), item)
    if isinstance(item, drops.Dropped):
        item = item.kind
    if isinstance(item, DropRow):
        return DropScreen(context, (*crumbs, drops.name_of(item, glyphs)), item)
    if isinstance(item, FlowRow) and not item.others:
        return FlowScreen(context, (*crumbs, glyphs.text(item.name)), item)
    if isinstance(item, Path):
        return PathScreen(context, (*crumbs, glyphs.text(item.flow)), item)
    return None


def shown_by(finding: Finding, snapshot: Snapshot) -> object:
    """The row of a snapshot that shows a finding; ``None`` where a whole pane does, or where it has gone since."""
    at = finding.at
    found: Sequence[object] = ()
    if finding.view is Shown.STAGE:
        found = [row for row in snapshot.stages if row.stage.id == at]
    elif finding.view is Shown.CPU:
        found = [row for row in snapshot.cpus if row.cpu == at]
    elif finding.view is Shown.IRQ:
        found = [row for row in snapshot.irqs if row.irq == at]
    elif finding.view is Shown.DROP:
        found = [row for row in snapshot.drops if row.key == at]
    elif finding.view is Shown.PATH:
        return finding.path
    return found[0] if found else None
