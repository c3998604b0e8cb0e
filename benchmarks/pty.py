"""A terminal that counts what it is sent and answers nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import termios
import threading
import time
from pathlib import Path
from typing import Self

_END_S = 10


class Terminal:
    """A program on a pseudo terminal of a size; what it writes is read at once by a thread, and kept if asked for."""

    def __init__(
        self, command: list[str], columns: int, lines: int, folder: Path, environment: dict[str, str] | None = None
    ) -> None:
        self.bytes = 0
        self.text = bytearray()
        self.keep = False
        self.code: int | None = None
        self._arrived = threading.Condition()
        self.pid, self._file = pty.fork()
        if not self.pid:
            # The child: only what is safe after a fork.
            os.chdir(folder)
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            clean = {name: value for name, value in os.environ.items() if not name.startswith("SSH_")}
            words = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", **(environment or {})}
            os.execvpe(command[0], command, clean | words)  # noqa: S606
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._file, 1 << 16)
            except OSError:  # the program is gone
                return
            if not data:
                return
            with self._arrived:
                self.bytes += len(data)
                if self.keep:
                    self.text += data
                self._arrived.notify_all()

    def wait_for(self, *wanted: bytes, seconds: float) -> bool:
        """Wait until all of these were written; only what came since ``keep`` was set counts."""
        with self._arrived:
            return self._arrived.wait_for(lambda: all(word in self.text for word in wanted), seconds)

    def write(self, keys: bytes) -> None:
        os.write(self._file, keys)

    @property
    def alive(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is None

    def wait(self, seconds: float) -> bool:
        """Whether the program ended by itself within this time."""
        deadline = time.monotonic() + seconds
        while self.alive and time.monotonic() < deadline:
            time.sleep(0.002)
        return self.code is not None

    def close(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.alive:
                os.kill(self.pid, number)
                self.wait(_END_S)
        self._thread.join(_END_S)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
