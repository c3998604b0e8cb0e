"""Everything there is to choose from: every binding by the place it applies in, every table by its name."""

from __future__ import annotations

from collections.abc import Mapping

from netlat_tui.screens.columns import ColumnList, ColumnsScreen
from netlat_tui.screens.drop import DropScreen
from netlat_tui.screens.flow import FlowScreen
from netlat_tui.screens.heat import CellScreen, HeatScreen
from netlat_tui.screens.heat_view import HeatView
from netlat_tui.screens.help import HelpScreen
from netlat_tui.screens.keymap import Place
from netlat_tui.screens.keys import KEYS
from netlat_tui.screens.main import PANES, MainScreen
from netlat_tui.screens.marks import MarksScreen
from netlat_tui.screens.panes import way
from netlat_tui.screens.panes.scope import WHERE_COLUMNS
from netlat_tui.screens.path import PathScreen
from netlat_tui.screens.scope import ScopeScreen
from netlat_tui.screens.stage import StageScreen
from netlat_tui.screens.view import ViewScreen
from netlat_tui.widgets.ask_bar import AskBar
from netlat_tui.widgets.cells import Column
from netlat_tui.widgets.filter_bar import FilterBar
from netlat_tui.widgets.heatmap import Heatmap
from netlat_tui.widgets.table import Table


def _own(kind: type) -> tuple[object, ...]:
    return tuple(kind.__dict__.get("BINDINGS", ()))


def _view(title: str, kind: type[ViewScreen]) -> Place:
    return Place(title, (Table.BINDINGS, _own(kind), ViewScreen.BINDINGS, KEYS))  # type: ignore[arg-type]


def _heat(title: str, kind: type[ViewScreen]) -> Place:
    return Place(title, (_own(HeatView), Heatmap.BINDINGS, _own(kind), ViewScreen.BINDINGS, KEYS))  # type: ignore[arg-type]


PLACES: tuple[Place, ...] = (
    _view("the panes", MainScreen),
    _heat("the heatmap among the panes", MainScreen),
    _heat("a heatmap", HeatScreen),
    _view("a cell of a heatmap", CellScreen),
    _view("a stage", StageScreen),
    _view("a flow", FlowScreen),
    _view("a CPU or an interrupt", ScopeScreen),
    _view("a kind of drop", DropScreen),
    _view("a packet's way", PathScreen),
    Place("the filter being typed", (FilterBar.BINDINGS,)),
    Place("a place or a note being typed", (AskBar.BINDINGS,)),
    Place("the list of marks", (Table.BINDINGS, MarksScreen.BINDINGS)),
    Place("the choice of columns", (ColumnList.BINDINGS, Table.BINDINGS, ColumnsScreen.BINDINGS)),
    Place("help", (HelpScreen.BINDINGS,)),
)

TABLES: Mapping[str, tuple[Column, ...]] = {
    **{pane.key: pane.columns for pane in PANES if pane.columns},
    "where": WHERE_COLUMNS,
    "way": way.COLUMNS,
}
"""Those that look alike are one: a CPU's stages are a table of *layers*, a drop's packets one of *paths*."""
