"""The warnings that preceded customers' leaving, kept until they return."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from streams.core.events.calendar import DAY
from streams.core.features.renumbering import Renumbering
from streams.core.outcomes.maturity import Codes
from streams.core.outcomes.outcome import PrecedingWarning
from streams.core.steps import Tier

_SCHEMA: Final[dict[str, type[np.generic]]] = {
    "customer": np.int32,
    "warning_high": np.uint64,
    "warning_low": np.uint64,
    "opened_at": np.int64,
    "left_at": np.int64,
    "tier": np.int8,
    "rules": np.int32,
}
_NONE: Final = -1


class Departures:
    """By customer, the warning that preceded the last lapse or closure; most customers have none."""

    def __init__(self) -> None:
        self._slots = np.full(1024, _NONE, dtype=np.int32)
        self._columns: dict[str, NDArray[Any]] = {
            name: np.zeros(64, dtype=dtype) for name, dtype in _SCHEMA.items()
        }
        self._used = 0
        self._free: list[int] = []
        self._rules = Codes()

    def put(self, customer: int, warning: PrecedingWarning | None, left_at: int) -> None:
        """Keep the warning that preceded a customer's leaving at an instant."""
        self.take(customer)
        if warning is None:
            return
        if customer >= len(self._slots):
            added = max(customer + 1, 2 * len(self._slots)) - len(self._slots)
            self._slots = np.concatenate([self._slots, np.full(added, _NONE, dtype=np.int32)])
        slot = self._free.pop() if self._free else self._used
        self._used = max(self._used, slot + 1)
        if slot == len(self._columns["customer"]):
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.zeros_like(column)])
        number = UUID(warning.warning_id).int
        values = {
            "customer": customer,
            "warning_high": np.uint64(number >> 64),
            "warning_low": np.uint64(number & 2**64 - 1),
            "opened_at": warning.opened_at,
            "left_at": left_at,
            "tier": int(warning.tier),
            "rules": self._rules.code(warning.rules),
        }
        for name, value in values.items():
            self._columns[name][slot] = value
        self._slots[customer] = slot
        if len(self._rules.values) > 2 * (self._used - len(self._free)) + 1024:
            slots = self._slots[self._slots != _NONE]
            codes = self._columns["rules"][slots]
            self._rules.pack(codes)
            self._columns["rules"][slots] = codes

    def take(self, customer: int) -> PrecedingWarning | None:
        """Return what was kept of a customer, and forget it."""
        slot = int(self._slots[customer]) if customer < len(self._slots) else _NONE
        if slot == _NONE:
            return None
        self._slots[customer] = _NONE
        self._free.append(slot)
        return self._warning(self._columns, slot)

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, and give the others their new rows."""
        slots = self._slots[: len(to.stays)]
        free = slots[~to.stays[: len(slots)]]
        self._free += free[free != _NONE].tolist()
        self._slots = to.column(slots, _NONE)
        rows = np.flatnonzero(self._slots != _NONE)
        self._columns["customer"][self._slots[rows]] = rows

    def state(self) -> tuple[dict[str, NDArray[Any]], list[tuple[str, ...]]]:
        """Return a copy of what is kept, by customer, and the rules that `rules` counts."""
        slots = self._slots[self._slots != _NONE]
        return {name: column[slots] for name, column in self._columns.items()}, list(self._rules.values)

    def _warning(self, columns: dict[str, NDArray[Any]], slot: int) -> PrecedingWarning:
        high, low = int(columns["warning_high"][slot]), int(columns["warning_low"][slot])
        opened_at = int(columns["opened_at"][slot])
        return PrecedingWarning(
            str(UUID(int=high << 64 | low)),
            opened_at,
            Tier(int(columns["tier"][slot])),
            self._rules.values[columns["rules"][slot]],
            (int(columns["left_at"][slot]) - opened_at) / DAY,
        )
