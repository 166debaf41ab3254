"""What the demo shows: warnings that scroll by, and below them where things stand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from types import TracebackType
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from consumers.decision import decision_words
from lapwing.terminal.text import printable
from streams.contract.warnings import WarningEvent

TIERS: Final = {"high": "bold red", "medium": "yellow", "low": "cyan"}
"""Tiers in the order of urgency, and how each is printed."""
SHOWN: Final = frozenset({"churn.warning.opened", "churn.warning.escalated"})
"""The steps that are printed; the others only move the figures."""
TURNS: Final = ("high", "medium", "high", "low")
"""Which tier's warning is printed next, where there is one: the urgent most often, but not alone."""
LINES_A_SECOND: Final = 4
"""A reader keeps up with no more; the rest is counted."""
PLAIN_EVERY_S: Final = 5.0
"""How often the figures are printed where there is no terminal to draw on."""


@dataclass(frozen=True, slots=True)
class ScreenFigures:
    """Where things stand."""

    title: str
    at: int | None
    """Simulated instant, microseconds since the epoch."""
    part: float
    """How much of the stream has been played, 0 to 1."""
    sent: int
    processed: int
    rate: float
    """Events a second that the worker takes in."""
    lag: int
    """Records that the broker has and the worker has not yet taken in."""
    warnings: int
    """Warnings opened so far."""
    open_by_tier: dict[str, int]
    stored: int | None
    """Warnings in the database, where known."""
    note: str = ""
    """What is being waited for, if anything."""


def panel(figures: ScreenFigures) -> RenderableType:
    """Return the figures as a panel."""
    grid = Table.grid(padding=(0, 3))
    for _ in range(4):
        grid.add_column()
    grid.add_row(
        _pair("simulated date", _date(figures.at)),
        _pair("events/s", f"{figures.rate:,.0f}"),
        _pair("lag", f"{figures.lag:,}"),
        _pair("events", f"{figures.processed:,}"),
    )
    grid.add_row(
        _pair("open warnings", f"{sum(figures.open_by_tier.values()):,}"),
        *(_pair(tier, f"{figures.open_by_tier.get(tier, 0):,}", style) for tier, style in TIERS.items()),
    )
    grid.add_row(
        _pair("warnings so far", f"{figures.warnings:,}"),
        _pair("in the database", "-" if figures.stored is None else f"{figures.stored:,}"),
    )
    bar = ProgressBar(total=1.0, completed=figures.part, width=None)
    parts: list[RenderableType] = [grid, bar]
    if figures.note:
        parts.append(Text(figures.note, style="dim"))
    return Panel(Group(*parts), title=f"Lapwing: {figures.title}", title_align="left")


def plain(figures: ScreenFigures) -> str:
    """Return the figures as one line."""
    tiers = ", ".join(f"{figures.open_by_tier.get(tier, 0):,} {tier}" for tier in TIERS)
    return (
        f"-- {_date(figures.at)}  {figures.rate:,.0f} events/s, lag {figures.lag:,}, "
        f"open warnings: {tiers}{f'; {figures.note}' if figures.note else ''}"
    )


def warning_line(event: WarningEvent) -> Text:
    """Return a warning with its reasons as one line."""
    data = event.data
    line = Text(f"{event.time.astimezone(UTC):%Y-%m-%d}  ")
    line.append(f"{data.tier:<6}", TIERS.get(data.tier, ""))
    if event.type != "churn.warning.opened":
        line.append(f" {str(event.type).rpartition('.')[2]}", "magenta")
    reasons = "; ".join(cause.message or cause.title or cause.rule for cause in data.causes)
    if data.churn_probability is not None:
        reasons += f" (p={data.churn_probability:.2f})"
    line.append(printable(f"  {data.customer_id}  "))
    if decision := decision_words(data.decision.model_dump() if data.decision is not None else None):
        line.append(f"{decision}; ", "green" if decision.startswith("rescue") else "dim")
    line.append(printable(reasons))
    return line


def _pair(label: str, value: str, style: str = "bold") -> Text:
    return Text.assemble((f"{label} ", "dim"), (value, style))


def _date(at: int | None) -> str:
    return "-" if at is None else f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d}"


class Screen:
    """Prints warnings as fast as they can be read and draws the figures below."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._live = (
            Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        )
        self._waiting: dict[str, deque[WarningEvent]] = {tier: deque(maxlen=50) for tier in TIERS}
        self._turns = cycle(TURNS)
        self._printed_at = self._plain_at = float("-inf")

    def __enter__(self) -> Screen:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def add(self, event: WarningEvent) -> None:
        """Take a step to print when there is time."""
        if event.type in SHOWN and event.data.tier in self._waiting:
            self._waiting[event.data.tier].append(event)

    def show(self, figures: ScreenFigures) -> None:
        """Print what is due and draw the figures."""
        now = self._clock()
        if now - self._printed_at >= 1 / LINES_A_SECOND:
            self._print_next(now)
        if self._live is not None:
            self._live.update(panel(figures), refresh=True)
        elif now - self._plain_at >= PLAIN_EVERY_S:
            self._plain_at = now
            self._console.print(plain(figures), markup=False, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line of our own."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _print_next(self, now: float) -> None:
        if not any(self._waiting.values()):
            return
        self._printed_at = now
        event = (self._waiting[next(self._turns)] or next(q for q in self._waiting.values() if q)).pop()
        for old in self._waiting.values():
            old.clear()  # what was not printed by now is no news any more
        if self._live is not None:
            self._console.print(warning_line(event), no_wrap=True, overflow="ellipsis")
        else:
            self._console.print(warning_line(event), soft_wrap=True)
