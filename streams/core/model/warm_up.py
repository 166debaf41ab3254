"""Whether a model has seen enough for its score to be shown, what is missing, and how long that takes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from streams.core.events.calendar import DAY


@dataclass(frozen=True, slots=True)
class Progress:
    """The samples that a learner has learned from, by outcome, and how many of each it needs."""

    churned: int
    kept: int
    min_churned: int
    min_kept: int


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How far a model is at an instant `at` of event time."""

    at: int
    progress: Progress
    calibrated: bool
    """Whether its scores were compared with what came of them over a first week of decision instants."""
    first_due: int | None
    """When the first outcome was known, or will be; `None` before the first decision instant."""
    treated: int = 0
    """Samples of treated customers, from which nothing is learned."""

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing()

    def missing(self) -> tuple[str, ...]:
        """Return what is missing, in words."""
        return tuple(self._missing())

    def _missing(self) -> Iterator[str]:
        of = self.progress
        for word, found, least in (
            ("who left", of.churned, of.min_churned),
            ("who stayed", of.kept, of.min_kept),
        ):
            if found < least:
                yield f"{least - found} of {least} customers {word}"
        if not self.calibrated:
            yield "a first week of scores compared with what came of them"

    def days_left(self) -> float | None:
        """Return for how many days of event time it lasts at the present pace; `None` where nothing shows it.

        Before the first outcome it is how long the first and a week take at least.
        """
        if self.ready:
            return 0.0
        if self.first_due is None:
            return None
        passed = (self.at - self.first_due) / DAY
        week = 0.0 if self.calibrated else max(7.0 - passed, 0.0)
        if passed <= 0:
            return week
        of = self.progress
        needed = [(of.min_churned - of.churned, of.churned), (of.min_kept - of.kept, of.kept)]
        spans = [left / (found / passed) if found else math.inf for left, found in needed if left > 0]
        longest = max([week, *spans])
        return longest if math.isfinite(longest) else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> WarmUp:
        """Return what `to_dict` described."""
        return cls(**values | {"progress": Progress(**values["progress"])})

    def text(self) -> str:
        """Return it in one line."""
        if self.ready:
            return "ready"
        left = self.days_left()
        if left is None:
            how_long = "nobody can say yet when it is ready"
        elif self.first_due is not None and self.at < self.first_due:
            how_long = f"ready in {left:.0f} days of event time at the earliest"
        else:
            how_long = f"ready in about {math.ceil(left)} days of event time at this pace"
        aside = f"; {self.treated:,} samples of treated customers are left out" if self.treated else ""
        return f"not ready, it lacks {', '.join(self.missing())}; {how_long}{aside}"
