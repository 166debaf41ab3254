"""The segment engine: days' sums of all partitions in, steps of segments' warnings out (docs/segments.md)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.events.calendar import Calendar
from streams.core.features.renumbering import Renumbering
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.catalogue import SEGMENT_DTYPES, WINDOW_DAYS, SegmentFeatures
from streams.core.segments.counts import CATEGORY, COUNTS, DIMENSIONS, DaySums, Row
from streams.core.segments.rules import SegmentRules
from streams.core.steps import Cause, StepKind, Tier
from streams.core.warnings.adoption import adopt, taken_over
from streams.core.warnings.causes import Evaluations
from streams.core.warnings.episodes import Episodes, WarningChange


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """What the segment engine's results depend on, beside its rules and the sums."""

    app: str = "lapwing"
    time_zone: str = "UTC"
    partitions: int = 1
    """Of the input."""
    grace_days: int = 1
    """How many days further another partition must be before one with nothing to read is left out."""


@dataclass(frozen=True, slots=True)
class SegmentStep:
    """One step in the life of one segment's warning."""

    kind: StepKind
    dimension: str
    value: str
    at: int
    """The midnight that ended the day, microseconds since the epoch."""
    warning_id: str
    number: int
    """1 for the step that opened the warning."""
    tier: Tier
    opened_at: int
    causes: tuple[Cause, ...]
    """Those open after the step; in `resolved` and `withdrawn` those that went with it."""
    rule_set: str

    @property
    def segment(self) -> str:
        """Return dimension and value as they are written."""
        return f"{self.dimension}={self.value}"

    @property
    def id(self) -> str:
        """Return what names this step wherever it goes: the warning's id and the step's number."""
        return f"{self.warning_id}/{self.number}"


class _Window:
    """(rows, WINDOW_DAYS, 4) counts of the days up to `day`, one row per segment."""

    def __init__(self) -> None:
        self.day: int | None = None
        self._counts = np.zeros((64, WINDOW_DAYS, len(COUNTS)), dtype=np.int64)
        """By row, local day modulo `WINDOW_DAYS`, and count."""

    def reach(self, day: int) -> None:
        """Let the window end with `day`: what is too old leaves it."""
        first = day if self.day is None else self.day + 1
        for entering in range(max(first, day - WINDOW_DAYS + 1), day + 1):
            self._counts[:, entering % WINDOW_DAYS] = 0
        self.day = day

    def add(self, row: int, days: Mapping[int, Row]) -> None:
        """Add to a row what lies in the window."""
        assert self.day is not None
        if row >= len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        for day, counts in days.items():
            if self.day - WINDOW_DAYS < day <= self.day:
                self._counts[row, day % WINDOW_DAYS] += counts

    def counted(self, rows: int) -> NDArray[np.bool_]:
        """Say of each of the first rows whether it has a count on any day, (rows,)."""
        return np.asarray(self._counts[:rows].any(axis=(1, 2)))

    def renumber(self, to: Renumbering) -> None:
        """Go on with the rows of those who stay."""
        left = self._counts[: len(to.stays)][to.stays]
        self._counts = np.zeros((max(64, len(left)), *left.shape[1:]), dtype=np.int64)
        self._counts[: len(left)] = left

    def by_age(self, rows: int) -> NDArray[np.int64]:
        """Return the counts of the first rows, (rows, WINDOW_DAYS, 4), the newest day first."""
        assert self.day is not None
        slots = (self.day - np.arange(WINDOW_DAYS)) % WINDOW_DAYS
        return self._counts[:rows, slots]


class SegmentGroup:
    """The segments of one dimension: their counts and the lives of their warnings."""

    def __init__(self, app: str, dimension: str, rules: RuleSet) -> None:
        self.dimension = dimension
        self.rules = rules
        # A customer's id may look like a segment's; an application's name has no slash.
        self.episodes = Episodes(f"{app}/segments", rules)
        self.values: list[str] = []
        self.ids: list[str] = []
        self.window = _Window()
        self._rows: dict[str, int] = {}
        self._used = 0
        """Segments that were in use when it was last looked."""

    @property
    def is_judged(self) -> bool:
        """Return whether any rule is by this dimension."""
        return len(self.rules) > 0

    def replace_rules(self, rules: RuleSet) -> None:
        """Take over the causes under other rules; adopting them comes next."""
        self.rules = rules
        self.episodes = taken_over(self.episodes, rules)

    def row(self, value: str) -> int:
        """Return the row of a value, a new one where it has none."""
        row = self._rows.get(value)
        if row is None:
            row = self._rows[value] = len(self.values)
            self.values.append(value)
            self.ids.append(f"{self.dimension}={value}")
        return row

    def features(
        self, shop: NDArray[np.int64], known_days: int, quiet: Collection[str]
    ) -> tuple[NDArray[np.int32], SegmentFeatures]:
        """Return the rows of every segment with a count in the window, or with a life, and their features."""
        counts = self.window.by_age(len(self.values))
        judged: NDArray[np.bool_] = np.asarray(counts.any(axis=(1, 2)))
        judged[[row for _, row, _ in self.episodes.causes]] = True
        rows = np.flatnonzero(judged).astype(np.int32)
        counts = counts[rows]
        if self.dimension == CATEGORY:
            for measure in (COUNTS.index("orders"), COUNTS.index("active")):
                counts[:, :, measure] = shop[:, measure]
        values = [self.values[row] for row in rows.tolist()]
        return rows, SegmentFeatures(values, counts, shop, known_days=known_days, quiet=quiet)

    def forget_unused(self) -> None:
        """Forget the segments without a count in the window and without a life, once they may be most."""
        if len(self.values) <= 2 * self._used + 128:
            return
        stays = self.window.counted(len(self.values))
        stays[[row for _, row, _ in self.episodes.causes]] = True
        stays[list(self.episodes.open)] = True
        self.values, self.ids = list(compress(self.values, stays)), list(compress(self.ids, stays))
        self._rows = {value: row for row, value in enumerate(self.values)}
        self._used = len(self.values)
        to = Renumbering.of(stays)
        self.window.renumber(to)
        self.episodes.renumber(to)

    def evaluate(
        self, at: int, rows: NDArray[np.int32], features: SegmentFeatures
    ) -> Iterator[tuple[str, WarningChange]]:
        """Judge the segments of (k,) rows; yield the values of those that change, and how."""
        verdicts = self.rules.verdicts(features.columns(self.rules.columns))

        def cause_of(rule: int, row: int, since: int, opened_at: int) -> Cause:
            return self.rules.cause(rule, since, opened_at, partial(features.value, row=row))

        instants = np.full(len(rows), at, dtype=np.int64)
        evaluations = Evaluations(rows, instants, verdicts)
        for change in self.episodes.changes(evaluations, self.ids, cause_of):
            yield self.values[change.customer], change


class SegmentEngine:
    """Judges segments day by day; the result does not depend on who of the partitions was faster.

    It may be given the sums of some segments only, as long as it gets the shop's: segments do not look at
    each other.
    """

    def __init__(self, settings: SegmentSettings, rules: SegmentRules) -> None:
        self.settings = settings
        self.rules = rules
        self.calendar = Calendar(settings.time_zone)
        self.groups: Final = {
            name: SegmentGroup(settings.app, name, rules.of(name)) for name in sorted(DIMENSIONS)
        }
        """By dimension; one without rules is counted all the same, so that its first rule has a past."""
        self.judged: int | None = None
        """The last day that was judged."""
        self._shop = _Window()
        self._ended: dict[int, int] = {}
        """By partition, the newest day that it has ended."""
        self._waiting: dict[int, deque[DaySums]] = {}
        """By partition, sums of days that are not judged yet."""
        self._since: int | None = None
        self.on_features: Callable[[int, str, pl.DataFrame], None] | None = None
        """Told the local day, the dimension and the features of its segments at each judgement."""

    def resume(self, judged: int | None) -> None:
        """Go on after the day `judged`."""
        self.judged = judged

    def take(self, sums: DaySums) -> None:
        """Take in what a partition counted; days that it has ended before change nothing."""
        if sums.closed <= self._ended.get(sums.partition, sums.closed - 1):
            return
        self._ended[sums.partition] = sums.closed
        self._waiting.setdefault(sums.partition, deque()).append(sums)

    def judge(self, idle: Collection[int] = ()) -> list[SegmentStep]:
        """Judge every day that is due; `idle` partitions have nothing more to be read."""
        steps: list[SegmentStep] = []
        while (day := self._next()) is not None:
            behind = self._behind(day)
            if behind and not (self._grace_is_over(day) and behind <= set(idle)):
                break
            steps += self._judge(day)
        return steps

    def held_up_by(self) -> frozenset[int]:
        """Return the partitions without which the next day would be judged if they had nothing to be read."""
        day = self._next()
        return self._behind(day) if day is not None and self._grace_is_over(day) else frozenset()

    @property
    def judged_at(self) -> int | None:
        """Return the midnight that ended the last day that was judged."""
        return None if self.judged is None else self.calendar.start(self.judged + 1)

    def adopt(self) -> list[SegmentStep]:
        """Withdraw the causes of rules that are gone or no longer warn; once after a state was restored."""
        at = self.judged_at
        if at is None:
            return []
        steps = [
            self._step(group, group.values[change.customer], change)
            for group in self.groups.values()
            for change in adopt(group.episodes, at)
        ]
        return sorted(steps, key=lambda step: step.segment)

    def replace_rules(self, rules: SegmentRules) -> list[SegmentStep]:
        """Go on under other rules, and return what comes of adopting them.

        The engine is then as one with these rules that was restored from its state and has adopted it.
        """
        self.rules = rules
        for name, group in self.groups.items():
            group.replace_rules(rules.of(name))
        return self.adopt()

    # -- days -------------------------------------------------------------------------------------

    def _next(self) -> int | None:
        """Return the next day to be judged, where any partition has ended it."""
        if not self._ended:
            return None
        if self.judged is None:
            return min(waiting[0].closed for waiting in self._waiting.values())
        return self.judged + 1 if max(self._ended.values()) > self.judged else None

    def _behind(self, day: int) -> frozenset[int]:
        """Return the partitions that have not ended `day`."""
        numbers = range(self.settings.partitions)
        return frozenset(n for n in numbers if self._ended.get(n, day - 1) < day)

    def _grace_is_over(self, day: int) -> bool:
        return max(self._ended.values()) >= day + self.settings.grace_days

    def _judge(self, day: int) -> list[SegmentStep]:
        self._shop.reach(day)
        for group in self.groups.values():
            group.window.reach(day)
        quiet: set[str] = set()
        for number in sorted(self._waiting):
            waiting = self._waiting[number]
            while waiting and waiting[0].closed <= day:
                sums = waiting.popleft()
                self._add(sums)
                if sums.closed == day:
                    quiet.update(sums.quiet)
        self.judged = day
        at = self.calendar.start(day + 1)
        shop = self._shop.by_age(1)[0]
        known_days = day + 1 - self._since if self._since is not None else 0
        steps: list[SegmentStep] = []
        for group in (each for each in self.groups.values() if each.is_judged):
            rows, features = group.features(shop, known_days, quiet)
            if len(rows):
                steps += [self._step(group, *each) for each in group.evaluate(at, rows, features)]
            if self.on_features is not None:
                self.on_features(day, group.dimension, features.frame(tuple(SEGMENT_DTYPES)))
        for group in self.groups.values():
            group.forget_unused()
        return sorted(steps, key=lambda step: step.segment)

    def _add(self, sums: DaySums) -> None:
        self._since = sums.since if self._since is None else min(self._since, sums.since)
        self._shop.add(0, sums.shop)
        for (dimension, value), days in sums.segments.items():
            group = self.groups[dimension]
            group.window.add(group.row(value), days)

    def _step(self, group: SegmentGroup, value: str, change: WarningChange) -> SegmentStep:
        return SegmentStep(
            kind=change.kind,
            dimension=group.dimension,
            value=value,
            at=change.at,
            warning_id=change.warning.id,
            number=change.number,
            tier=change.tier,
            opened_at=change.warning.opened_at,
            causes=change.causes,
            rule_set=self.rules.hash,
        )
