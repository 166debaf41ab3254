"""What is wrong with the records of a poll: for each the first thing that was found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.contract.decode import RefusedRecord
from streams.contract.mistakes import one_line
from streams.contract.rejected import RefusalReason


class Problems:
    """The first mistake of each of n records."""

    def __init__(self, n: int) -> None:
        self._code = np.zeros(n, dtype=np.int32)
        self._known: list[tuple[RefusalReason, str]] = []

    def note(self, where: NDArray[np.bool_] | NDArray[np.int64], reason: RefusalReason, detail: str) -> None:
        """Note a mistake at places, or where (n,) a mask says; what was noted of a record before stays."""
        places = np.flatnonzero(where) if where.dtype == np.bool_ else where
        places = places[self._code[places] == 0]
        if len(places):
            self._known.append((reason, one_line(detail)))
            self._code[places] = len(self._known)

    @property
    def none(self) -> bool:
        """Whether nothing is wrong with any."""
        return not self._known

    def wrong(self) -> NDArray[np.bool_]:
        """Return where (n,) something is wrong."""
        return self._code > 0

    def refused(self, index: NDArray[np.int64]) -> list[RefusedRecord]:
        """Return the records that are wrong, by their places in the poll (n,)."""
        return [
            RefusedRecord(int(index[i]), *self._known[self._code[i] - 1])
            for i in np.flatnonzero(self._code).tolist()
        ]
