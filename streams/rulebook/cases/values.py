"""Single values of case files: times, spans, numbers, days and zones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from streams.rulebook.cases.times import Span, parse_span, parse_time, parse_times
from streams.rulebook.reader import WrongValueError
from streams.rulebook.yaml import Scalar


def reading(parse: Callable[[str], Any]) -> Callable[[Scalar], Any]:
    """Return what reads a value with a parser that raises `ValueError`."""

    def read(node: Scalar) -> Any:
        try:
            return parse(node.text.strip())
        except ValueError as error:
            raise WrongValueError(str(error)) from None

    return read


time: Final = reading(parse_time)
times: Final = reading(parse_times)
span: Final[Callable[[Scalar], Span]] = reading(parse_span)


def number(low: float, high: float) -> Callable[[Scalar], float]:
    """Return what reads a number from `low` to `high`."""

    def read(node: Scalar) -> float:
        if (
            isinstance(node.value, bool)
            or not isinstance(node.value, int | float)
            or not low <= node.value <= high
        ):
            msg = f"must be a number from {low:g} to {high:g}, not {node.text!r}"
            raise WrongValueError(msg)
        return float(node.value)

    return read


def probability(node: Scalar) -> float | None:
    """Read a probability; `missing` is none."""
    return None if node.text == "missing" else number(0, 1)(node)


def day(node: Scalar) -> str:
    """Read a day, as ISO 8601 writes it."""
    try:
        return date.fromisoformat(node.text).isoformat()
    except ValueError:
        msg = f"must be a day such as 2024-01-01, not {node.text!r}"
        raise WrongValueError(msg) from None


def zone(node: Scalar) -> str:
    """Read the name of a time zone."""
    try:
        return ZoneInfo(node.text).key
    except (KeyError, ValueError, OSError):
        msg = f"{node.text!r} is no time zone"
        raise WrongValueError(msg) from None
