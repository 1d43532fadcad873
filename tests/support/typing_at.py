"""A command at a terminal of its own: what it prints can be waited for, and answered."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from patience import HANG
from shell import ROOT


class AtTerminal:
    """`crm` with its three streams at a terminal of so many columns."""

    def __init__(self, words: list[str], environment: Mapping[str, str], *, width: int = 80) -> None:
        self._end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LEADS, *words], stdin=inner, stdout=inner, stderr=inner, cwd=ROOT,
            env={**clean, "TERM": "xterm", "CRM_PAGER": "cat", "PYTHONUTF8": "1", **environment},
            start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.printed = ""
        """All that stood on the screen, with what was typed where it was echoed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._end)

    def shows(self, text: str) -> None:
        """Wait until a text was printed."""
        end = time.monotonic() + HANG
        while text not in self.printed:
            assert time.monotonic() < end and self._read(), self.printed

    def type(self, text: str) -> None:
        """Type a text as it is: a line ends with a carriage return, Ctrl-C is \\x03."""
        os.write(self._end, text.encode())

    def interrupt(self, text: str) -> None:
        """Press Ctrl-C until a text was printed: one that comes just before a line is read is seen with the next."""
        for _ in range(12):
            if text not in self.printed and self._process.poll() is None:
                self.type("\x03")
                while text not in self.printed and self._read(10):
                    pass

    def status(self) -> int:
        """Wait for the end, and return the exit status."""
        while self._read():
            pass
        return self._process.wait(HANG)

    def _read(self, seconds: float = HANG) -> bool:
        if not select.select([self._end], [], [], seconds)[0]:
            return False
        try:
            found = os.read(self._end, 65536)
        except OSError:  # nobody has the terminal any more
            return False
        self.printed += self._decoder.decode(found)
        return bool(found)


_LEADS = """
import fcntl, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # Ctrl-C goes to who has the terminal
signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts the tests in the background has it ignored
from crm_cli.__main__ import main
sys.exit(main())
"""
