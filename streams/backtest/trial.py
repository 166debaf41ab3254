"""The engine over a history: when each cause of each rule opened and closed.

All rules run as shadow rules. A cause's life depends on its own rule and customer alone, so any number of
rule sets can be tried in one run, and the warnings that a set would have given follow from its causes
(`Moves.together`) without making their messages.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.backtest.alarms import Alarms, Moves
from streams.backtest.history import History
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.dedup import Deduplicator
from streams.core.features.catalogue import DTYPES, Features
from streams.core.features.view import Sweep
from streams.core.model.logistic import Learner
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.steps import Step, Tier
from streams.core.warnings.episodes import Episodes, WarningChange
from streams.offline.replay import replay

Look = Callable[[Features, NDArray[np.int32]], None]
"""Called at each sweep with the features of all customers, and (c,) how many causes each has open."""


class Recorder(Episodes):
    """Episodes that keep when each cause opened and closed."""

    def __init__(self, app: str, rules: RuleSet, counted: frozenset[int], customers: int) -> None:
        super().__init__(app, rules)
        self.open_causes = np.zeros(customers, dtype=np.int32)
        """(c,) open causes of the rules `counted` of each customer."""
        self._counted = counted
        self._columns = tuple(array("q") for _ in range(5))
        self._evaluation = 0
        self._last = (-1, -1, -1)
        """Customer, instant and rule of the move before, to tell one evaluation from the next."""

    def changes(self, *args: Any, **kwargs: Any) -> Iterator[WarningChange]:
        """Take in evaluations; those of one call are none of the call before."""
        self._last = (-1, -1, -1)
        return super().changes(*args, **kwargs)

    def _advance(self, rule: int, customer: int, at: int, *args: Any, **kwargs: Any) -> object | None:
        before, opened = self._last, self.opened[rule]
        # An evaluation takes the rules in ascending order: where they begin anew, so does it.
        if before[0] != customer or before[1] != at or before[2] >= rule:
            self._evaluation += 1
        self._last = (customer, at, rule)
        result = super()._advance(rule, customer, at, *args, **kwargs)
        if result is not None:
            has_opened = self.opened[rule] - opened
            values = (rule, customer, at, self._evaluation, has_opened)
            for column, value in zip(self._columns, values, strict=True):
                column.append(value)
            if rule in self._counted:
                self.open_causes[customer] += 1 if has_opened else -1
        return result

    def moves(self) -> Moves:
        """Return what was recorded."""
        rule, customer, at, evaluation, opened = (
            np.frombuffer(column, dtype=np.int64) if len(column) else np.empty(0, dtype=np.int64)
            for column in self._columns
        )
        return Moves(rule.astype(np.int32), customer, at, evaluation, opened.astype(np.bool_))


class _NoRepeats(Deduplicator):
    """What `Deduplicator` is to a history that has none."""

    def fresh(
        self,
        customer_hash: NDArray[np.uint64],
        event_id: NDArray[np.object_],
        at: NDArray[np.int64],
        instant: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Say of each event that it is new."""
        return np.ones(len(at), dtype=np.bool_)


class _TrialEngine(Engine):
    """The engine with a recorder, and a look at every sweep."""

    def __init__(
        self,
        settings: EngineSettings,
        rules: RuleSet,
        learner: Learner | None,
        counted: frozenset[int],
        customers: int,
    ) -> None:
        super().__init__(settings, rules, learner)
        self.recorder = Recorder(settings.app, rules, counted, customers)
        self.episodes = self.recorder
        self.repeats = _NoRepeats(settings.repeat_window_us)
        self.look: Look | None = None

    def _evaluate(self, features: Features, *args: Any, **kwargs: Any) -> list[WarningChange]:
        changes = super()._evaluate(features, *args, **kwargs)
        if self.look is not None and isinstance(features.view, Sweep):
            self.look(features, self.recorder.open_causes)
        return changes


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules did in a history."""

    places: dict[Rule, int]
    """The number that a rule has in `moves`, by what it does (`behaviour`)."""
    moves: Moves
    sweeps: int
    evaluations: int

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

    `learner` is a new one; it learns only where a rule reads its score.
    """
    places: dict[Rule, int] = {}
    for rule in rules:
        if rule.takes_part:
            places.setdefault(behaviour(rule), len(places))
    # The set is in the order of the ids.
    compiled = compile_rules([replace(rule, id=f"{place:05}") for rule, place in places.items()], DTYPES)
    scored = "churn_probability" in compiled.columns
    counted = frozenset(places[behaviour(rule)] for rule in rules if rule.status is RuleStatus.ACTIVE)
    learned = learner if scored else None
    engine = _TrialEngine(settings, compiled, learned, counted, len(history.customers))
    if look is not None:
        engine.look = look
    done = replay(history.events, [engine], until=history.end, on_steps=_nothing, progress=progress)
    return Trial(places, engine.recorder.moves(), done.sweeps, done.counts.evaluations)


def _nothing(steps: list[Step]) -> None:
    """Take the steps, of which shadow rules make none."""
