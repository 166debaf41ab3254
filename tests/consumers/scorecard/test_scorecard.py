from __future__ import annotations

from typing import Any

import pytest

from consumers.scorecard.facts import facts_of
from consumers.scorecard.scorecard import Score, Scorecard, scorecard
from streams.backtest.report import Backtest
from streams.share import Share, Spread
from tests.consumers.scorecard.made import Made, events, made
from tests.consumers.scorecard.twin import Twin
from tests.oracle.days import DAY
from tests.streams.backtest.histories import HORIZON

SEEDS = range(4)
Span = tuple[int | None, int | None]


@pytest.fixture(scope="module", params=SEEDS)
def given(request: pytest.FixtureRequest) -> Made:
    return made(request.param)


def spans(given: Made) -> list[Span]:
    begin, end = given.backtest.period.since, given.backtest.period.until
    third = (end - begin) // 3
    return [(None, None), (begin + third, None), (begin + third // DAY * DAY, end - third)]


def card(given: Made, span: Span = (None, None)) -> Scorecard:
    facts = facts_of(events(given.outcomes), given.actions, events(given.steps))
    return scorecard(facts, HORIZON, since=span[0], until=span[1])


def pair(share: Share) -> tuple[int, int]:
    return share.part, share.whole


def leads(spread: Spread) -> tuple[float, float, float] | None:
    if spread.low is None or spread.median is None or spread.high is None:
        return None
    return spread.low, spread.median, spread.high


def shared(score: Score) -> dict[str, Any]:
    v = score.verdicts
    return {
        "precision": pair(score.precision),
        "not_lost": pair(score.precision_not_lost),
        "not_matured": score.not_matured,
        "recall": pair(score.recall),
        "leads": leads(score.lead_days),
        "verdicts": (v.right, v.false_alarm, v.right_and_left, v.false_alarm_and_stayed),
    }


def test_it_is_what_the_twin_counts(given: Made) -> None:
    for span in spans(given):
        found = card(given, span)
        twin = Twin(given.outcomes, given.steps, given.actions, HORIZON, *span)
        assert {(each.rule, each.tier) for each in found.rules} >= {
            (c["rule"], c["tier"]) for c in twin.causes()
        }
        for rule in found.rules:
            own = shared(rule.score) | {"status": rule.status, "alone": pair(rule.alone)}
            assert approximately(own) == approximately(twin.rule(rule.rule, rule.tier)), rule.rule
        for warning in found.warnings:
            own = shared(warning.score)
            own |= {"untreated": pair(warning.untreated), "held_out": pair(warning.held_out)}
            assert approximately(own) == approximately(twin.warning(warning.tier)), warning.tier
        assert (found.losses, found.losses_not_settled) == (
            len(twin.losses()),
            len(twin.losses()) - len(twin.settled()),
        )


def approximately(figures: dict[str, Any]) -> dict[str, Any]:
    times = figures["leads"]
    return figures | {"leads": times and tuple(round(each, 6) for each in times)}


def test_there_is_something_to_count(given: Made) -> None:
    found = card(given)
    assert {each.status for each in found.rules} == {"active", "shadow"}
    [everything] = [each.score for each in found.warnings if each.tier is None]
    assert everything.precision.whole > 20
    assert 0 < everything.recall.part < everything.recall.whole
    assert everything.verdicts.right
    assert everything.verdicts.false_alarm
    assert found.losses_not_settled
    assert found.closed_after_lapse


def of_backtest(result: Backtest) -> dict[str, tuple[tuple[int, int], tuple[int, int], int]]:
    figures = {each.rule.id: each.figures for each in result.rules}
    return {
        rule: (pair(f.precision), pair(f.precision_not_lost), f.already_lost)
        for rule, f in figures.items()
        if f.precision.whole
    }


def test_precision_is_the_backtests_by_rule_and_by_tier(given: Made) -> None:
    found = card(given)
    own = {
        each.rule: (pair(each.score.precision), pair(each.score.precision_not_lost), each.score.already_lost)
        for each in found.rules
        if each.score.precision.whole
    }
    assert own == of_backtest(given.backtest)
    by_tier = {each.tier: each.score for each in found.warnings}
    assert pair(by_tier[None].precision) == pair(given.backtest.all.precision)
    for tier, figures in given.backtest.tiers.items():
        if figures.precision.whole:
            assert pair(by_tier[tier.label].precision) == pair(figures.precision)
            assert pair(by_tier[tier.label].precision_not_lost) == pair(figures.precision_not_lost)


def test_without_steps_it_is_not_known_what_has_not_matured(given: Made) -> None:
    found = scorecard(facts_of(events(given.outcomes)), HORIZON)
    assert {each.score.not_matured for each in found.rules} == {None}
    assert {each.score.not_matured for each in found.warnings} == {None}


def test_repeats_and_the_order_of_lines_change_nothing(given: Made) -> None:
    mixed = [*given.outcomes[::-1], *given.outcomes[::3]]
    facts = facts_of(events(mixed), given.actions, events([*given.steps[::-1], *given.steps[::2]]))
    assert scorecard(facts, HORIZON).as_dict(5) == card(given).as_dict(5)


def test_of_nothing_there_is_nothing() -> None:
    found = scorecard(facts_of([]), HORIZON)
    assert (found.losses, found.rules, found.known_to) == (0, (), None)
    [everything] = found.warnings
    assert everything.score.precision == Share(0, 0)
    assert found.as_dict(3)["missed"]["all"]["missed_of_lost"]["value"] is None
