"""The demo's processes beside the broker: started with a log each, watched, and stopped."""

from __future__ import annotations

import ctypes
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from streams.errors import DemoError

STOP_S: Final = 8.0
TAIL_LINES: Final = 12
_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """Let the kernel (Linux) end this new process when the one that started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class ChildEnded(DemoError):
    """A process of the demo has ended by itself."""

    def __init__(self, message: str, tail: list[str]) -> None:
        super().__init__(message)
        self.tail = tail
        """The last lines of its log."""


class Child:
    """A `lapwing` command in a process and session of its own, so that Ctrl-C reaches the demo alone."""

    def __init__(self, name: str, arguments: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lapwing", name, *arguments],
                cwd=folder,
                env={**env, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def check(self) -> None:
        """Raise `ChildEnded` where the process has ended by itself."""
        code = self._process.poll()
        if code is not None:
            lines = self.tail()
            last = lines[-1] if lines else "no output"
            how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}: {last}"
            msg = f"the {self.name} {how} (its log: {self.log})"
            raise ChildEnded(msg, lines)

    def printed(self, pattern: str) -> str | None:
        """Return what the first group of a pattern finds in the log so far."""
        found = re.search(pattern, self.log.read_text(encoding="utf-8", errors="replace"))
        return found.group(1) if found else None

    def tail(self) -> list[str]:
        """Return the last lines of the log that are not empty."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if line.strip()][-TAIL_LINES:]

    def stop(self) -> None:
        """Terminate the process; kill it where that does not help."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
