"""A check and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from streams.errors import LapwingError


class CheckOutcome(StrEnum):
    """What came of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check and what came of it."""

    check: str
    outcome: CheckOutcome
    detail: str


class Skipped(LapwingError):
    """A check that cannot be made now; the text says why."""


class Doubtful(LapwingError):
    """Something that somebody should look at, though nothing is broken."""


def made(name: str, check: Callable[[], str]) -> CheckResult:
    """Make a check and return what came of it."""
    try:
        return CheckResult(name, CheckOutcome.OK, check())
    except Skipped as reason:
        return CheckResult(name, CheckOutcome.SKIPPED, str(reason))
    except Doubtful as finding:
        return CheckResult(name, CheckOutcome.WARNING, str(finding))
    except LapwingError as error:
        return CheckResult(name, CheckOutcome.FAILED, str(error))
