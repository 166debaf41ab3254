"""Precision made from matured causes is the backtest's own, rule by rule, and both are the twin's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from streams.backtest.history import History
from streams.backtest.report import Backtest, backtest
from streams.core.engine import Engine
from streams.core.events.topics import Topic
from streams.core.outcomes.outcome import CauseMatured, Outcome, WarningMatured
from streams.offline.replay import replay
from tests.oracle.days import DAY
from tests.oracle.drive import engine_settings
from tests.oracle.engine import OracleEngine, OracleSettings
from tests.oracle.histories import TOPICS, as_batch, random_history
from tests.oracle.histories import History as Generated
from tests.oracle.outcomes import OutcomeTwin, TwinTerms
from tests.oracle.sample_rules import RULES
from tests.streams.backtest.histories import HORIZON, NAMES, TEAM, compiled, rules_of

ACTIVE_WITHIN = 12 * DAY
QUIET = {Topic.ORDERS: 9 * DAY, Topic.LOGINS: 9 * DAY}
Counts = dict[str, tuple[int, int, int, int]]
"""By rule, matured causes; whose customers churned; were lost already; were not, and churned."""


def closing(seed: int) -> Generated:
    return random_history(seed, size=220, days=110, topics=(*TOPICS, Topic.CLOSURES, Topic.CLOSURES))


def run(
    generated: Generated, activity: tuple[Topic, ...], options: OracleSettings
) -> tuple[Backtest, list[Outcome]]:
    """Judge a history's rules, and replay it for outcomes."""
    settings = replace(
        engine_settings(replace(options, zone=generated.zone)),
        horizon_us=HORIZON,
        active_within_us=ACTIVE_WITHIN,
        activity=activity,
        outcomes=True,
    )
    batch = as_batch(generated.arrivals)
    batch = batch.take(batch.order())
    rules = rules_of("collapse")
    history = History.of(batch, 2 * DAY, activity=activity)
    found: list[Outcome] = []
    engine = Engine(settings, compiled(rules))
    replay(batch, [engine], until=history.end, on_steps=lambda steps: None, on_outcomes=found.extend)
    return backtest(history, compiled(rules), settings, None, TEAM), found


def by_rule(matured: list[tuple[str, bool, bool]]) -> Counts:
    counts: Counts = defaultdict(lambda: (0, 0, 0, 0))
    for rule, churned, lost in matured:
        whole, part, before, in_time = counts[rule]
        counts[rule] = whole + 1, part + churned, before + lost, in_time + (churned and not lost)
    return dict(counts)


def of_backtest(result: Backtest) -> Counts:
    figures = {each.rule.id: each.figures for each in result.rules}
    return {
        rule: (f.precision.whole, f.precision.part, f.already_lost, f.precision_not_lost.part)
        for rule, f in figures.items()
        if f.precision.whole
    }


def by_tier(result: Backtest) -> dict[str, tuple[int, int]]:
    """Return of each tier's warnings that were not lost already how many there are and how many churned."""
    shares = result.as_dict(0)["all"]["precision_by_tier_not_lost"]
    return {tier: (share["whole"], share["part"]) for tier, share in shares.items() if share["whole"]}


def by_tier_of_outcomes(
    warnings: list[WarningMatured], causes: list[CauseMatured]
) -> dict[str, tuple[int, int]]:
    lost = {(c.warning_id, c.opened_at) for c in causes if c.already_lost}
    counts: dict[str, tuple[int, int]] = {}
    for each in warnings:
        if (each.warning_id, each.opened_at) not in lost:
            whole, part = counts.get(each.tier.label, (0, 0))
            counts[each.tier.label] = whole + 1, part + each.churned
    return counts


@pytest.mark.parametrize("options", [OracleSettings(), OracleSettings(quiet_after_us=QUIET)])
@pytest.mark.parametrize("activity", [(Topic.ORDERS,), (Topic.LOGINS,), (Topic.ORDERS, Topic.LOGINS)])
def test_precision_from_matured_causes_is_the_backtests(
    activity: tuple[Topic, ...], options: OracleSettings
) -> None:
    lost = 0
    for seed in range(4):
        result, outcomes = run(closing(seed), activity, options)
        causes = [o.details for o in outcomes if isinstance(o.details, CauseMatured)]
        own = by_rule([(c.rule, c.churned, c.already_lost) for c in causes])
        assert of_backtest(result) == own
        assert {c.status for c in causes} == {"active", "shadow"}
        warnings = [o.details for o in outcomes if isinstance(o.details, WarningMatured)]
        precision = result.all.precision
        assert (precision.whole, precision.part) == (len(warnings), sum(w.churned for w in warnings))
        at_opening = {(c.warning_id, c.opened_at): c.already_lost for c in causes}
        assert result.all.already_lost == sum(at_opening[w.warning_id, w.opened_at] for w in warnings)
        assert by_tier(result) == by_tier_of_outcomes(warnings, causes)
        lost += result.all.already_lost
    assert lost


@pytest.mark.parametrize("seed", range(3))
def test_and_the_twins(seed: int) -> None:
    generated = closing(seed + 10)
    result, _ = run(generated, (Topic.ORDERS,), OracleSettings())
    oracle = [rule for rule in RULES if rule.id in NAMES]
    options = replace(OracleSettings(), zone=generated.zone)
    terms = TwinTerms(generated.zone, HORIZON, ACTIVE_WITHIN)
    timeline = OracleEngine(options, oracle).run(generated.arrivals, generated.arrivals[-1].at).timeline
    outcomes = OutcomeTwin(terms).run(timeline).outcomes
    causes = [o for o in outcomes if o["kind"] == "cause.matured"]
    assert len(causes) > 20
    assert of_backtest(result) == by_rule([(c["rule"], c["churned"], c["already_lost"]) for c in causes])
