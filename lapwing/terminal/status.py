"""What a long-running command shows: one line that changes on a terminal, log lines elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console

from streams.telemetry.logs import writes_json

LOG_EVERY_S = 30.0

log = logging.getLogger("lapwing")


class StatusLine:
    """Shows how far a command is; it writes to stderr, so that stdout stays for data."""

    def __init__(self, title: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._clock = clock
        self._console = Console(stderr=True)
        live = sys.stderr.isatty() and not writes_json()
        self._line = self._console.status(f"{title} ...") if live else None
        self._logged_at = clock()

    def __enter__(self) -> StatusLine:
        if self._line is not None:
            self._line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.stop()

    def show(self, text: str) -> None:
        """Show how far it is: at once on a terminal, now and then in the log."""
        if self._line is not None:
            self._line.update(f"{self._title}: {text}")
        elif self._clock() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = self._clock()
            log.info("%s: %s", self._title, text)
