"""Wakes a thread that waits: at once, so that it need not look now and then."""

from __future__ import annotations

import os
import select
import weakref


class Alarm:
    """Rung by any thread, and by a signal handler whatever it interrupted: there is no lock. One thread waits."""

    def __init__(self) -> None:
        self._file = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        # Not before nobody can ring any more: the number may be another file's by then.
        weakref.finalize(self, os.close, self._file)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def ring(self) -> None:
        """End this wait, or the next one."""
        os.eventfd_write(self._file, 1)

    def wait(self, seconds: float | None = None) -> None:
        """Wait until somebody rings, for so long at the most."""
        if self._poll.poll(None if seconds is None else seconds * 1000):
            os.eventfd_read(self._file)
