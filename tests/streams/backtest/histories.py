"""Histories to judge rules by, and rules tried on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from streams.backtest.history import History
from streams.backtest.load import Team
from streams.backtest.report import Backtest, backtest
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.steps import Step
from streams.offline.replay import replay
from tests.oracle.days import DAY
from tests.oracle.drive import engine_rule, engine_settings
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import History as Generated
from tests.oracle.histories import as_batch, random_history
from tests.oracle.history import Event
from tests.oracle.sample_rules import RULES

HORIZON: Final = 20 * DAY
TEAM: Final = Team(1, ("mon", "tue", "thu"))


NAMES: Final = ("silent", "complaint", "collapse", "burst", "newcomer")
"""Sample rules that open often."""


def many_customers(seed: int, size: int, days: int) -> Generated:
    """Return a long history of more customers than the others have."""
    made = random_history(seed, size=size, days=days)
    arrivals = [
        replace(event, customer_id=f"{event.customer_id}-{sum(event.event_id.encode()) % 9}")
        for event in made.arrivals
    ]
    return Generated(made.zone, tuple(sorted(arrivals, key=lambda e: e.order)))


def rules_of(*shadow: str) -> list[Rule]:
    """Return sample rules, some of them in shadow."""
    made = [engine_rule(rule) for rule in RULES if rule.id in NAMES]
    return [replace(rule, status=RuleStatus.SHADOW) if rule.id in shadow else rule for rule in made]


def compiled(rules: Sequence[Rule]) -> RuleSet:
    return compile_rules(rules, DTYPES)


def settings_of(generated: Generated) -> EngineSettings:
    return replace(engine_settings(OracleSettings(zone=generated.zone)), horizon_us=HORIZON)


def history_of(events: Sequence[Event], window: int = 2 * DAY, until: int | None = None) -> History:
    batch = as_batch(sorted(events, key=lambda e: e.order))
    return History.of(batch.take(batch.order()), window, until)


def judged(generated: Generated, rules: Sequence[Rule], since: int | None = None) -> Backtest:
    return backtest(
        history_of(generated.arrivals), compiled(rules), settings_of(generated), None, TEAM, since=since
    )


def replayed(generated: Generated, rules: Sequence[Rule]) -> list[Step]:
    """Return what `lapwing replay` puts out for the rules."""
    batch = as_batch(generated.arrivals)
    steps: list[Step] = []
    engine = Engine(settings_of(generated), compiled(rules), None)
    replay(batch.take(batch.order()), [engine], on_steps=steps.extend)
    return steps


def end_of(events: Sequence[Event]) -> int:
    """Return the last instant of a history: what people do moves no clock."""
    return max([events[0].at, *(event.at for event in events if event.topic is not Topic.ACTIONS)])
