"""Choosing a table's columns."""

from __future__ import annotations

from netlat_tui.screens.actions.base import ViewApp
from netlat_tui.screens.catalogue import TABLES
from netlat_tui.screens.columns import ColumnsScreen
from netlat_tui.screens.orders import Order, names_of
from netlat_tui.screens.settings import Keeper, Settings
from netlat_tui.widgets.table import Table


class ColumnActions(ViewApp):
    """The action of the key ``columns.choose``."""

    settings: Settings
    keeper: Keeper

    def use_columns(self) -> None:
        """Columns as the config file has them, but for the tables of which others were chosen."""
        orders = {**self.settings.columns, **self.settings.kept}
        self.state.orders = {TABLES[name]: order for name, order in orders.items()}

    def action_columns(self) -> None:
        table = self.view.main_table() if self.view is not None else None
        columns = table.columns if isinstance(table, Table) else None
        name = next((name for name, known in TABLES.items() if known == columns), None)
        if self.view is None or name is None:
            self.say("there are no columns to choose here")
            return
        columns = TABLES[name]
        default = self.settings.columns.get(name, tuple(range(len(columns))))
        shown = self.state.orders.get(columns, default)

        def chosen(order: Order | None) -> None:
            if order is None or order == shown:
                return
            self.state.orders = {**self.state.orders, columns: order}
            self.keeper.keep(name, None if order == default else names_of(columns, order))
            if self.view is not None:
                self.view.show_columns()

        self.push_screen(ColumnsScreen(self.view.help().title, columns, shown, default, self.context.glyphs), chosen)
