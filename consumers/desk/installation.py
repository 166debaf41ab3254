"""What runs around the desk: findings, quiet sources, refusals, models; whoever starts the desk asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check of `lapwing doctor`."""

    check: str
    outcome: str
    """`ok`, `warning`, `failed` or `skipped`."""
    detail: str


@dataclass(frozen=True, slots=True)
class QuietSource:
    """A topic that has gone quiet in a partition: its features count as missing there."""

    topic: str
    partition: int | None
    since: datetime
    newest: str | None
    """The newest event time there."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Records that were refused in the last day."""

    by_reason: Mapping[str, int] = field(default_factory=dict)
    others: int = 0
    """Records of the topic that are no refusals."""
    newest: str | None = None
    """Where the newest of the most frequent came from, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model of the shared learner."""

    version: str
    candidate: str
    at: datetime
    ready: bool
    in_force: bool
    pinned: bool
    learned: int
    learned_churned: int
    auc: float | None
    log_loss: float | None
    calibration_error: float | None


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A notice of the control topic about models: promoted, pinned, rolled back, adopted, or a drift."""

    at: datetime
    kind: str
    partition: int | None
    detail: Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a metric that a process shows."""

    name: str
    labels: Mapping[str, str]
    value: float
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """A process of Lapwing, as its endpoint shows it."""

    place: str
    """`host:port` of its endpoint."""
    process: str | None = None
    """`worker` and so on; `None` where it does not answer."""
    version: str | None = None
    healthy: bool = False
    ready: bool = False
    figures: tuple[Figure, ...] = ()
    error: str | None = None
    """Why there is no answer."""

    def sum(self, name: str) -> float | None:
        """Return the sum of a metric over its labels; `None` where it has no value."""
        found = self._of(name)
        return sum(found) if found else None

    def most(self, name: str) -> float | None:
        """Return the greatest value of a metric."""
        return max(self._of(name), default=None)

    def least(self, name: str) -> float | None:
        """Return the smallest value of a metric."""
        return min(self._of(name), default=None)

    def _of(self, name: str) -> list[float]:
        return [each.value for each in self.figures if each.name == name]


@dataclass(frozen=True, slots=True)
class InstallationState:
    """What could be found out at one moment."""

    findings: tuple[Finding, ...] = ()
    quiet: tuple[QuietSource, ...] = ()
    refusals: Refusals | None = None
    """`None` where the broker could not be asked, as with the others."""
    sink_lag: Mapping[str, int] | None = None
    """By topic, the records that are not yet stored."""
    models: tuple[ModelState, ...] = ()
    """The newest first."""
    changes: tuple[ModelChange, ...] = ()
    error: str | None = None
    """Why the broker could not be asked."""
    processes: tuple[ProcessState, ...] = ()


class Installation(Protocol):
    """Asks the broker, the files and the database what there is; that may take seconds."""

    def examine(self) -> InstallationState:
        """Return what can be found out now."""


class Unknown:
    """An installation of which nothing is known."""

    def examine(self) -> InstallationState:
        """Return nothing."""
        return InstallationState()
