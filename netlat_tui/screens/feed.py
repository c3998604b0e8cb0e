"""From a source to the screen: one thread drains the source, another derives snapshots; neither waits for the screen.

The drain only hands ticks over; the deriver owns the history. The newest snapshot is left in one place, and ``publish``
is called again only when that one has been fetched: a screen that stands still costs a snapshot, not a queue of them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from netlat_tui.model.derive import History
from netlat_tui.model.filter import EVERYTHING, Filter
from netlat_tui.model.points import Direction
from netlat_tui.model.snapshot import Snapshot
from netlat_tui.model.ticks import Tick
from netlat_tui.screens.player import Player
from netlat_tui.sources.base import Source, SourceError

HELD_BYTES = 32 << 20
"""What a frozen display keeps back at most; beyond it the oldest ticks join the figures a new window would show."""

MOST_PATHS = 200
"""Paths of either order in a snapshot: more than a screen, few enough to decode at every tick."""

MOST_WAITING = 64
"""Ticks that may wait for the deriver before the drain waits for it: a replay can be faster than the figures."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a snapshot covers. ``window_ns``: 0 is the last tick, ``None`` the whole run."""

    filter: Filter = EVERYTHING
    direction: Direction | None = None
    window_ns: int | None = 10_000_000_000


class Arrived(NamedTuple):
    """A tick, and where a replay stands with it."""

    tick: Tick
    rewound: bool = False  # what came before it no longer counts
    behind: bool = False  # the next one comes at once: nobody need see the figures yet


def _bytes(tick: Tick) -> int:
    return int(sum(rows.nbytes for rows in (tick.cells, tick.sums, tick.paths, tick.cpus, tick.irqs, tick.drops)))


class Feed:
    """Drains a source and derives snapshots of what it gave.

    ``publish`` is called from the deriver's thread, ``tap`` with every tick from the drain's.
    """

    def __init__(
        self,
        source: Source,
        selection: Selection,
        publish: Callable[[], None],
        tap: Callable[[Tick], None] = lambda _: None,
    ) -> None:
        self.source = source
        self._tap = tap
        self.error = ""
        self.exit_code = 0
        self.ended = False
        self.ticks_seen = 0
        self._publish = publish
        self._selection = selection
        self._shared = threading.Condition()  # guards everything below; held for moments only
        self._player = source if isinstance(source, Player) else None
        self._behind = False  # a replay is on its way to a place sought
        self._waiting: deque[Arrived] = deque()
        self._waiting_bytes = 0
        self._frozen = False
        self._reset = False
        self._stale = False
        self._stopping = False
        self._latest: Snapshot | None = None
        self._fetched = True
        self._threads = [
            threading.Thread(target=self._drain, name="drain", daemon=True),
            threading.Thread(target=self._derive, name="derive", daemon=True),
        ]

    # -- called by the screen

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> bool:
        """Ask everything to end and wait this many seconds at most; says whether it did."""
        with self._shared:
            self._stopping = True
            self._shared.notify_all()
        self.source.stop()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def fetch(self) -> Snapshot | None:
        """The newest snapshot; the next one will be announced again."""
        with self._shared:
            self._fetched = True
            return self._latest

    def select(self, selection: Selection) -> None:
        """Derive for another filter, direction or window.

        Figures counted under another kernel part are not mixed with new ones: counting starts anew.
        """
        with self._shared:
            if self.source.live and selection.filter.kernel_text != self._selection.filter.kernel_text:
                self._reset = True
            self._selection = selection
            self._stale = True
            self._shared.notify_all()

    def freeze(self, frozen: bool) -> None:
        """Keep new ticks back from the figures, or let them in again; the source goes on either way."""
        with self._shared:
            self._frozen = frozen
            self._shared.notify_all()

    def reset(self) -> None:
        """Forget what was counted so far."""
        with self._shared:
            self._reset = True
            self._stale = True
            self._shared.notify_all()

    # -- the drain's thread

    def _drain(self) -> None:
        try:
            while True:
                for tick in self.source.ticks():
                    self._tap(tick)
                    if not self._hand_over(tick):
                        return
                self._fail("", 0)
                if self._player is None or not self._player.wait_for_seek():
                    return
                self.ended = False
        except SourceError as error:
            self._fail(str(error), error.exit_code)
        except Exception as error:  # a thread that dies silently would leave a screen that looks alive
            self._fail(f"collection ended: {type(error).__name__}: {error}", 1)

    def _hand_over(self, tick: Tick) -> bool:
        """Leave a tick for the deriver; false where all is to end."""
        player = self._player
        arrived = Arrived(tick, player.rewound, player.behind) if player is not None else Arrived(tick)
        with self._shared:
            self._shared.wait_for(lambda: self._frozen or self._stopping or len(self._waiting) < MOST_WAITING)
            if self._stopping:
                return False
            self._waiting.append(arrived)
            self._waiting_bytes += _bytes(tick)
            self.ticks_seen += 1
            self._shared.notify_all()
        return True

    def _fail(self, sentence: str, exit_code: int) -> None:
        with self._shared:
            if self._stopping:
                return
            self.error, self.exit_code, self.ended = sentence, exit_code, True
            self._fetched = True
            self._stale = True
            self._shared.notify_all()

    # -- the deriver's thread

    def _derive(self) -> None:
        history = self._new_history()
        while True:
            with self._shared:
                self._shared.wait_for(lambda: self._stopping or (self._stale and not self._behind) or self._ready())
                if self._stopping:
                    return
                arrived = self._take()
                self._behind = arrived[-1].behind if arrived else self._behind
                selection, reset, self._reset = self._selection, self._reset, False
                self._stale = self._stale and self._behind
            try:
                if reset:
                    history.reset()
                for tick, rewound, _ in arrived:
                    if rewound:
                        history = self._new_history()
                    if not self.source.live or tick.filter == selection.filter.kernel_text:
                        history.add(tick)
                if self._behind:  # figures of a place on the way are nobody's question
                    continue
                snapshot = history.snapshot(selection.window_ns, selection.filter, selection.direction)
            except Exception as error:
                self._fail(f"the figures cannot be derived: {type(error).__name__}: {error}", 1)
                self._announce(None)
                return
            self._announce(snapshot)

    def _new_history(self) -> History:
        return History(self.source.origin, shown_paths=MOST_PATHS)

    def _ready(self) -> bool:
        return bool(self._waiting) and (not self._frozen or self._waiting_bytes > HELD_BYTES)

    def _take(self) -> list[Arrived]:
        """What may join the history now."""
        taken: list[Arrived] = []
        while self._waiting and (not self._frozen or self._waiting_bytes > HELD_BYTES):
            arrived = self._waiting.popleft()
            self._waiting_bytes -= _bytes(arrived.tick)
            taken.append(arrived)
        self._shared.notify_all()
        return taken

    def _announce(self, snapshot: Snapshot | None) -> None:
        with self._shared:
            self._latest = snapshot or self._latest
            announce, self._fetched = self._fetched and not self._stopping, False
        if announce:
            self._publish()
