"""What was corrected since: the figures of a report that were others when its period had just ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from consumers.database.aside import ErasureRow
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from streams.contract.instants import EPOCH, format_instant, to_us

SETTLED: Final = ("retention", "trend", "base", "groups", "cohorts", "lapses", "value", "movement")
"""The parts that are known when a period is over; the others go on as warnings mature and actions come."""
AFTER: Final = timedelta(days=1)
"""So long after a period its figures are taken as known, where no other instant is given."""
NAMING: Final = ("month", "name", "by", "tier", "key", "period")
"""By what an item of a list is known from the others."""
CHECKS: Final = frozenset({"identities", "exclusions"})
"""What is no figure."""

Path = tuple[str, ...]
Figure = Mapping[str, Any] | str | float | bool | None
"""A number, a word, or a rate with its numerator and denominator; `None` where it was not known."""


@dataclass(frozen=True, slots=True)
class Correction:
    """A figure that is another one now."""

    path: Path
    """Where it stands in the JSON of the report, from its part on."""
    then: Figure
    now: Figure

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"figure": "/".join(self.path), "then": self.then, "now": self.now}


@dataclass(frozen=True, slots=True)
class Corrections:
    """What has changed in the figures of a period since an instant of the database's clock."""

    since: datetime
    was_known: bool
    """Whether the whole period was in the database by then; else there is nothing to compare with."""
    corrections: tuple[Correction, ...]
    erased: int
    """Customers erased since: what was counted of them by their outcomes is in neither of the two."""

    def as_dict(self) -> dict[str, Any]:
        """Return them as plain JSON values."""
        return {
            "since": format_instant(to_us(self.since)),
            "was_known": self.was_known,
            "customers_erased_since": self.erased,
            "corrections": [each.as_dict() for each in self.corrections],
        }


def since_when(period: Period) -> datetime:
    """Return the instant from which on a change of a period's figures is a correction."""
    return period.end_at + AFTER


def erased_since(connection: Connection, since: datetime, knowledge: Knowledge) -> int:
    """Return how many customers were erased since an instant of the database's clock."""
    query = select(func.count()).where(
        ErasureRow.stored_at > since,
        ErasureRow.erased_at > EPOCH,  # the row of the key itself is no customer
    )
    return connection.scalar(knowledge.known(query, ErasureRow.stored_at)) or 0


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Correction, ...]:
    """Return the figures of two reports, as JSON has them, that are not the same, in their order.

    A rate is one figure: numerator and denominator.
    """
    before, after = dict(_figures(then, ())), dict(_figures(now, ()))
    paths = [*after, *(path for path in before if path not in after)]
    return tuple(
        Correction(path, before.get(path), after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    )


def _figures(value: Any, path: Path) -> Iterator[tuple[Path, Figure]]:
    if isinstance(value, Mapping):
        if "part" in value and "whole" in value:
            yield path, {"part": value["part"], "whole": value["whole"]}
            return
        for key, inner in value.items():
            if key not in CHECKS:
                yield from _figures(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for name, item in zip(_names(value), value, strict=True):
            yield from _figures(item, (*path, name))
    else:
        yield path, value


def _names(items: Sequence[Any]) -> list[str]:
    """Return how each item of a list is named: by a field that tells all apart, else by its number."""
    if items and all(isinstance(item, Mapping) for item in items):
        for field in NAMING:
            found = [item.get(field, items) for item in items]
            words = [str(name) for name in found if name is None or isinstance(name, str)]
            if len(set(words)) == len(items):
                return words
    return [str(number) for number in range(1, len(items) + 1)]
