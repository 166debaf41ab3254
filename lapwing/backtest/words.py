"""Figures in words and table cells, each share with both its numbers."""

from __future__ import annotations

from typing import Any

from streams.backtest.share import Share, Spread
from streams.contract.instants import format_instant


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share as per cent, a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}%}"


def of_whole(of: Share) -> str:
    """Return a share's two numbers."""
    return f"{of.part:,} of {of.whole:,}"


def with_interval(of: Share) -> str:
    """Return a share with its numbers and its interval in one line."""
    if of.interval is None:
        return "0 of 0"
    low, high = of.interval
    return f"{percent(of.value)} ({of_whole(of)}; {low:.0%} to {high:.0%})"


def in_two_lines(of: Share) -> str:
    """Return a share and its interval, and its numbers under them."""
    if of.interval is None:
        return "-"
    low, high = of.interval
    return f"{percent(of.value)} ({low:.0%} to {high:.0%})\n{of_whole(of)}"


def spread(of: Spread) -> str:
    """Return median and quartiles."""
    if of.median is None:
        return "-"
    return f"{of.median:.0f} ({of.low:.0f} to {of.high:.0f})"


def number(value: float | None, digits: int = 1) -> str:
    """Return a number, a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def day(us: int) -> str:
    """Return the date of an instant in UTC."""
    return format_instant(us)[:10]


def capacity(load: dict[str, Any]) -> str:
    """Return how often there was more than the team can take up."""
    over, days = load["over_capacity"], load["per_working_day"]["whole"]
    return "-" if over is None else f"{over:,} of {days:,}"
