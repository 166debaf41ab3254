"""A backtest against the slow count of the same things."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from streams.backtest.figures import BacktestFigures
from streams.backtest.load import WEEKDAYS
from streams.core.rules.rule import RuleStatus
from tests.oracle.days import DAY
from tests.oracle.histories import History, histories
from tests.streams.backtest.histories import HORIZON, TEAM, end_of, judged, many_customers, replayed, rules_of
from tests.streams.backtest.twin import Twin, Warned, median_and_quartiles, warnings_of, without_repeats

SHADOW = "collapse"


def twin_of(generated: History, since: int | None = None) -> Twin:
    events = without_repeats(generated.arrivals, 2 * DAY)
    return Twin(events, HORIZON, events[0].at if since is None else since, end_of(events), generated.zone)


def same(figures: BacktestFigures, twin: Twin, warnings: list[Warned], generated: History) -> None:
    matured = twin.matured(warnings)
    left = twin.left()
    leads = sorted(twin.lead_days(warnings))
    assert figures.alarms == len(twin.opened(warnings))
    assert (figures.precision.part, figures.precision.whole) == (
        sum(twin.right(w) for w in matured),
        len(matured),
    )
    assert (figures.recall.part, figures.recall.whole) == (len(leads), len(left))
    assert figures.acted_on == sum(twin.acted_on(w) and not twin.right(w) for w in matured)
    if leads:
        spread = figures.lead_days
        assert [spread.low, spread.median, spread.high] == pytest.approx(median_and_quartiles(leads))
    working = [WEEKDAYS.index(day) for day in TEAM.working_days]
    assert figures.load.by_working_day.tolist() == twin.by_working_day(warnings, generated.zone, working)
    assert figures.load.over == sum(n > 1 for n in twin.by_working_day(warnings, generated.zone, working))
    for field, groups in figures.groups.items():
        assert {g.value: (g.false, g.judged) for g in groups} == twin.false_by(warnings, field)


def compare(generated: History, since: int | None = None) -> None:
    rules = rules_of(SHADOW)
    result = judged(generated, rules, since)
    twin = twin_of(generated, since)
    same(result.all, twin, warnings_of(replayed(generated, rules)), generated)
    assert (result.base.part, result.base.whole) == twin.base()
    alone = {
        rule.id: warnings_of(replayed(generated, [replace(rule, status=RuleStatus.ACTIVE)])) for rule in rules
    }
    for each in result.rules:
        same(each.figures, twin, alone[each.rule.id], generated)
        others = [w for name, found in alone.items() if name not in (each.rule.id, SHADOW) for w in found]
        caught = [one for one in twin.left() if twin.catching(one, alone[each.rule.id])]
        only = [one for one in caught if not twin.catching(one, others)]
        assert (each.alone.part, each.alone.whole) == (len(only), len(caught))


@settings(max_examples=12)
@given(histories(size=30, days=60))
def test_all_figures_are_those_of_the_slow_count(generated: History) -> None:
    compare(generated)


@pytest.mark.parametrize("seed", range(2))
def test_and_in_a_longer_history_with_a_beginning(seed: int) -> None:
    generated = many_customers(seed, size=250, days=90)
    compare(generated)
    compare(generated, since=sorted(e.at for e in generated.arrivals)[40])


def test_there_is_something_to_count() -> None:
    generated = many_customers(0, size=250, days=90)
    result = judged(generated, rules_of(SHADOW))
    assert result.repeats > 0
    assert 0 < result.all.precision.part < result.all.precision.whole
    assert result.all.recall.part > 0
    assert len({g.value for g in result.all.groups["customer_class"]}) > 1
    assert any(each.alone.part for each in result.rules)
    assert any(each.figures.already_lost for each in result.rules)
    assert any(each.figures.acted_on for each in result.rules)
    assert 0 < result.base.part < result.base.whole
