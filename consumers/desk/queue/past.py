"""The queue as it was at past instants, made from the records of then."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final

from consumers.desk.queue.board import Board

KEPT: Final = 3
"""Boards of the past that are kept: looking through their pages reads them once."""


class PastBoards:
    """Boards of past instants; `make` makes one."""

    def __init__(self, make: Callable[[datetime], Board]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._boards: OrderedDict[datetime, Board] = OrderedDict()

    def at(self, instant: datetime) -> Board:
        """Return the board of an instant."""
        with self._lock:
            board = self._boards.get(instant) or self._make(instant)
            self._boards[instant] = board
            self._boards.move_to_end(instant)
            while len(self._boards) > KEPT:
                self._boards.popitem(last=False)
        return board
