"""Figures in words and table cells, each share with both its numbers."""

from __future__ import annotations

from typing import Any

from streams.contract.instants import format_instant
from streams.share import Share, ShareDifference, Spread


def percent(value: float | None) -> str:
    """Return a share as per cent, small ones with a decimal; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:.1%}" if 0 < abs(value) < 0.0995 else f"{value:.0%}"


def of_whole(of: Share) -> str:
    """Return a share's two numbers."""
    return f"{of.part:,} of {of.whole:,}"


def interval(of: Share | ShareDifference) -> str:
    """Return the 95 % interval of a share or a difference."""
    low, high = of.limits
    if low is None or high is None:
        return "-"
    return f"{percent(low).removesuffix('%')} to {percent(high)}"


def difference(of: ShareDifference) -> str:
    """Return a difference in percentage points, with its interval."""
    if of.value is None or of.low is None or of.high is None:
        return "unknown"
    return f"{of.value * 100:+.1f} points ({of.low * 100:+.1f} to {of.high * 100:+.1f})"


def with_interval(of: Share) -> str:
    """Return a share with its numbers and its interval in one line."""
    if of.interval is None:
        return "0 of 0"
    return f"{percent(of.value)} ({of_whole(of)}; {interval(of)})"


def in_two_lines(of: Share) -> str:
    """Return a share and its interval, and its numbers under them."""
    if of.interval is None:
        return "-"
    return f"{percent(of.value)} ({interval(of)})\n{of_whole(of)}"


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
