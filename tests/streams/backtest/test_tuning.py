"""`rules tune`: thresholds found in conditions, and curves against one backtest for each value."""

from dataclasses import replace

import pytest

from streams.backtest.history import History
from streams.backtest.load import Team
from streams.backtest.report import backtest
from streams.backtest.thresholds import threshold, thresholds, written
from streams.backtest.tuning import candidates, tune
from streams.core.engine_io import EngineSettings
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.steps import Tier
from streams.errors import BacktestError
from tests.oracle.days import DAY
from tests.streams.backtest.histories import compiled, history_of, many_customers, rules_of, settings_of
from tests.streams.backtest.planted import HORIZON, batch, silent


def rule(when: str, **other: str) -> Rule:
    return Rule("one", when, Tier.HIGH, "test", **other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ("overdue >= 3 AND orders_30d<2", ["overdue>=3", "orders_30d<2"]),
        ("3 <= overdue", ["overdue>=3"]),
        ("days_since_order BETWEEN 10 AND 20.5", ["days_since_order>=10", "days_since_order<=20.5"]),
        ("COALESCE(churn_probability, 1) >= 0.5", ["churn_probability>=0.5"]),
        ("NOT (order_trend > 0.33) OR segment = '7' AND logins_7d = 0", ["order_trend>0.33", "logins_7d=0"]),
        ("orders_30d * 3 < orders_90d", []),
        ("orders_30d * 3 - 2 < 12", ["orders_30d<12"]),
        ("overdue > 1.5e0", ["overdue>1.5"]),
        ("ROUND(overdue, 2) > 3", ["overdue>3"]),
    ],
)
def test_thresholds_are_found_where_they_stand(when: str, found: list[str]) -> None:
    assert [each.address + written(each.value) for each in thresholds(rule(when), DTYPES)] == found


def test_another_number_takes_the_place_and_nothing_else_changes() -> None:
    one = rule("overdue  >= 3 AND days_since_order >= 3", only="orders_total >= 3")
    moved = threshold(one, "overdue", DTYPES).put(one, 2.75)
    assert moved == replace(one, when="overdue  >= 2.75 AND days_since_order >= 3")


def test_an_address_names_one_number() -> None:
    one = rule("overdue >= 3 AND overdue < 9 OR overdue >= 20")
    assert threshold(one, "overdue <", DTYPES).value == 9
    assert threshold(one, "overdue>=20", DTYPES).value == 20
    for wrong, said in (("overdue", "several"), ("overdue>=", "several"), ("orders_7d", "no number")):
        with pytest.raises(BacktestError, match=f"{said}.*overdue>=3, overdue<9, overdue>=20"):
            threshold(one, wrong, DTYPES)


def test_every_point_is_a_backtest_of_its_own() -> None:
    generated = many_customers(4, size=250, days=90)
    rules, settings = rules_of(), settings_of(generated)
    chosen = next(each for each in rules if each.id == "silent")
    others = [each for each in rules if each.id != "silent"]
    history, team = history_of(generated.arrivals), Team(1)
    moved = threshold(chosen, "days_since_order", DTYPES)
    found = tune(history, chosen, others, moved, [4, 16.5], settings, None, team)
    assert [point.value for point in found.curve.points] == [4, 10, 16.5]
    for point in found.curve.points:
        own = backtest(history, compiled([moved.put(chosen, point.value), *others]), settings, None, team)
        assert own.all.as_dict() == point.all.as_dict()
        (alone,) = (each.figures for each in own.rules if each.rule.id == "silent")
        assert alone.as_dict() == point.rule.as_dict()
    loads = [point.rule.alarms for point in found.curve.points]
    assert loads == sorted(loads, reverse=True)
    assert len(set(loads)) == 3


def test_a_split_chooses_by_what_was_known_then() -> None:
    generated = many_customers(4, size=250, days=90)
    chosen = next(each for each in rules_of() if each.id == "silent")
    settings, moved = settings_of(generated), threshold(chosen, "days_since_order", DTYPES)
    history = history_of(generated.arrivals)
    split = (history.begin + history.end) // 2
    found = tune(history, chosen, [], moved, [4], settings, None, Team(1), split=split)
    early = history_of(generated.arrivals, until=split)
    before = tune(early, chosen, [], moved, [4], settings, None, Team(1))
    assert found.curve.as_dict() == before.curve.as_dict()
    assert found.after is not None
    late = backtest(history, compiled([chosen]), settings, None, Team(1), since=split)
    assert found.after.at(10).all.as_dict() == late.all.as_dict()


def planted(capacity: float | None, precision: float | None = None, capacity_of: str = "all") -> float | None:
    history = History.of(batch(), 2 * DAY)
    chosen = silent(8)
    moved = threshold(chosen, "days_since_order", DTYPES)
    return tune(
        history,
        chosen,
        [Rule("newcomer", "tenure_days < 1", Tier.LOW, "new")],
        moved,
        [2.25, 5, 19],
        EngineSettings(horizon_us=HORIZON),
        None,
        Team(capacity),
        capacity_of=capacity_of,
        min_precision=precision,
    ).chosen


def test_the_value_chosen_meets_the_capacity_and_the_precision() -> None:
    # 50 working days; 20 newcomers; at 5 there are 16 more, at 8 and at 19 6. All know all leavers.
    assert planted(None) is None
    assert planted(36 / 50) == 8
    assert planted(26 / 50) == 8
    assert planted(25 / 50) is None
    assert planted(6 / 50, capacity_of="rule") == 8
    assert planted(None, 0.9) == 8
    assert planted(None, 0.2) == 8


def test_candidates_are_quantiles_where_the_number_alone_decides() -> None:
    history = History.of(batch(), 2 * DAY)
    settings = EngineSettings(horizon_us=HORIZON)
    one = rule("days_since_order >= 8 AND orders_total >= 22", status=RuleStatus.DRAFT)
    active = replace(one, status=RuleStatus.ACTIVE)
    moved = threshold(active, "days_since_order", DTYPES)
    found = candidates(history, active, moved, 5, settings, None)
    # Leavers, who would be silent for up to 30 days, have 21 orders.
    assert found
    assert max(found) < 7
    counts = candidates(history, active, threshold(active, "orders_total", DTYPES), 5, settings, None)
    assert counts == [float(round(value)) for value in counts]
    nobody = rule("overdue > 99 AND logins_7d > 4")
    nothing = candidates(history, nobody, threshold(nobody, "overdue", DTYPES), 5, settings, None)
    assert nothing == []
