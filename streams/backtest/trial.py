"""The engine over a history: when each cause of each rule opened and closed.

All rules run as shadow rules. A cause's life depends on its own rule and customer alone, so any number of
rule sets can be tried in one run, and the warnings that a set would have given follow from its causes
(`Moves.together`) without making their messages.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streams.backtest.alarms import Alarms, Moves
from streams.backtest.history import History
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.features.catalogue import DTYPES, SCORES, Features
from streams.core.model.logistic import Learner
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import compile_rules
from streams.core.segments.counts import DaySums
from streams.core.steps import Step, Tier
from streams.offline.replay import replay

Look = Callable[[Features, NDArray[np.int32]], None]
"""Called at each sweep with the features of all customers, and (c,) how many causes each has open."""


class Recorder:
    """Observes an engine and keeps when each cause opened and ended."""

    def __init__(self, counted: frozenset[int], customers: int, look: Look | None = None) -> None:
        self.open_causes = np.zeros(customers, dtype=np.int32)
        """(c,) open causes of the rules `counted` of each customer."""
        self._counted = counted
        self._look = look
        self._columns = tuple(array("q") for _ in range(5))
        self._lost = array("b")
        self._evaluation = 0

    def causes_changed(self, customer: int, at: int, opened: Collection[int], ended: Collection[int]) -> None:
        """Keep what one evaluation changed."""
        self._evaluation += 1
        for rules, has_opened in ((opened, 1), (ended, 0)):
            for rule in rules:
                values = (rule, customer, at, self._evaluation, has_opened)
                for column, value in zip(self._columns, values, strict=True):
                    column.append(value)
                if rule in self._counted:
                    self.open_causes[customer] += 1 if has_opened else -1

    def causes_opened(self, already_lost: Sequence[bool]) -> None:
        """Keep which of the causes that opened did so when their customers were not active."""
        self._lost.extend(already_lost)

    def swept(self, at: int, features: Features) -> None:
        """Let a look be taken at a sweep."""
        if self._look is not None:
            self._look(features, self.open_causes)

    def moves(self) -> Moves:
        """Return what was recorded."""
        rule, customer, at, evaluation, opened = (
            np.frombuffer(column, dtype=np.int64) if len(column) else np.empty(0, dtype=np.int64)
            for column in self._columns
        )
        has_opened = opened.astype(np.bool_)
        lost = np.zeros(len(rule), dtype=np.bool_)
        lost[has_opened] = np.frombuffer(self._lost, dtype=np.int8) if len(self._lost) else False
        return Moves(rule.astype(np.int32), customer, at, evaluation, has_opened, lost)


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules did in a history."""

    places: dict[Rule, int]
    """The number that a rule has in `moves`, by what it does (`behaviour`)."""
    moves: Moves
    sweeps: int
    evaluations: int
    day_sums: tuple[DaySums, ...]
    """What was counted of segments, day by day; nothing where the settings have no `segments`."""

    def alarms(self, rules: Sequence[Rule]) -> Alarms:
        """Return the warnings that rules give together; of one rule, its causes."""
        tiers: dict[int, int] = {}
        for rule in rules:
            place = self.places[behaviour(rule)]
            tiers[place] = max(tiers.get(place, 0), rule.tier)
        return self.moves.together(tiers)


def behaviour(rule: Rule, name: str = "any") -> Rule:
    """Return a rule with nothing but what decides when its causes open and close."""
    return Rule(
        id=name,
        when=rule.when,
        tier=Tier.LOW,
        reason="any",
        status=RuleStatus.SHADOW,
        clear=rule.clear,
        only=rule.only,
        for_us=rule.for_us,
        keep_open_for_us=rule.keep_open_for_us,
        cooldown_us=rule.cooldown_us,
    )


def run(
    history: History,
    rules: Sequence[Rule],
    settings: EngineSettings,
    learner: Learner | None,
    *,
    look: Look | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trial:
    """Return what the rules, each that takes part, do in a history.

    `learner` is a new one; it learns only where a rule reads its score. `look` sees at each sweep the
    features that the rules' conditions read, and the open causes of the rules that are active.
    """
    places: dict[Rule, int] = {}
    for rule in rules:
        if rule.takes_part:
            places.setdefault(behaviour(rule), len(places))
    # The set is in the order of the ids.
    compiled = compile_rules([replace(rule, id=f"{place:05}") for rule, place in places.items()], DTYPES)
    scored = not SCORES.isdisjoint(compiled.columns)
    counted = frozenset(places[behaviour(rule)] for rule in rules if rule.status is RuleStatus.ACTIVE)
    learned = learner if scored else None
    # A history has no repeats, and names its customers by their rows.
    engine = Engine(replace(settings, repeat_window_us=None, forget_after_us=None), compiled, learned)
    engine.keep_no_outcomes()
    recorder = Recorder(counted, len(history.customers), look)
    engine.observe(causes=recorder, sweeps=None if look is None else recorder, reads=compiled.columns)
    days: list[DaySums] = []
    done = replay(
        history.events, [engine], until=history.end, on_steps=_nothing, on_sums=days.append, progress=progress
    )
    return Trial(places, recorder.moves(), done.sweeps, done.counts.evaluations, tuple(days))


def _nothing(steps: list[Step]) -> None:
    """Take the steps, of which shadow rules make none."""
