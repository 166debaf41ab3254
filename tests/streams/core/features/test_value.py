"""A customer's value against the recount of all events, and cases by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.core.decision.value import ValueModel, ValueTerms
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import MILLION, OrderStatus, ProfileRecord
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES, Features
from streams.core.outcomes.outcome import CensusCell, Lapsed
from streams.core.rules.rule_set import RuleSet
from streams.core.state_tables import restore, tables
from tests.oracle.histories import as_batch
from tests.oracle.history import Event
from tests.oracle.value import TwinValue

ZONE = ZoneInfo("Europe/Berlin")
TERMS = ValueTerms(200, 2.5, {"key": 0.4, "small": 0.1}, 0.7, 0.25)
TWIN_MARGINS = {"key": 0.4, "small": 0.1, None: 0.7}
BEGIN = 19_800 * DAY  # in March, before the clocks change


def shop(seed: int, customers: int = 45, days: int = 100) -> list[Event]:
    """Return orders, returns, logins and profiles of customers, in order."""
    rng = np.random.default_rng(seed)
    events = []
    for number in range(customers):
        name, at = f"c{number}", float(rng.uniform(0, 20))
        if rng.random() < 0.7:
            word = ("key", "ordinary", "small")[number % 3]
            profile = ProfileRecord(customer_class=word)
            events.append(Event(Topic.PROFILES, BEGIN + int(at * DAY), name, f"p{number}", record=profile))
        while at < days:
            topic = Topic.ORDERS if rng.random() < 0.6 and number % 9 else Topic.LOGINS
            returned = topic == Topic.ORDERS and rng.random() < 0.2
            status = OrderStatus.RETURNED if returned else OrderStatus.PLACED
            amount = int(rng.integers(1, 90) * MILLION) if topic == Topic.ORDERS else 0
            made = Event(topic, BEGIN + int(at * DAY), name, f"e{len(events)}", int(status), amount)
            events.append(made if topic == Topic.ORDERS else replace(made, status=0))
            at += float(rng.exponential(2 + number % 7))
    return sorted(events, key=lambda e: e.order)


class Seen:
    """Keeps the values of each sweep."""

    def __init__(self) -> None:
        self.values: dict[int, dict[str, float]] = {}
        self.at_risk: list[NDArray[np.float64]] = []

    def swept(self, at: int, features: Features) -> None:
        """Note them."""
        ids = features.view.customers.ids[: len(features)]
        self.values[at] = dict(zip(ids, features["value"].tolist(), strict=True))
        self.at_risk.append(features["value_at_risk"])


def active(events: list[Event], activity: tuple[Topic, ...], at: int) -> set[str]:
    """Return who has been active in the 20 days before an instant."""
    return {
        e.customer_id
        for e in events
        if at - 20 * DAY < e.at < at
        and e.topic in activity
        and (e.topic == Topic.LOGINS or e.status == OrderStatus.PLACED)
    }


@pytest.mark.parametrize(
    "activity", [(Topic.ORDERS,), (Topic.LOGINS,), (Topic.ORDERS, Topic.LOGINS)], ids=["o", "l", "ol"]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_what_a_recount_of_all_events_gives(activity: tuple[Topic, ...], seed: int) -> None:
    events = shop(seed)
    settings = EngineSettings(
        time_zone=ZONE.key, activity=activity, reorder_us=0, value=TERMS, horizon_us=20 * DAY, outcomes=True
    )
    seen = Seen()
    engine = Engine(settings, RuleSet((), DTYPES))
    engine.observe(sweeps=seen)
    outcomes, census = [], []
    for begin in range(0, len(events), 40):
        output = engine.step(as_batch(events[begin : begin + 40]))
        outcomes += output.outcomes
        census += output.census
        saved = tables(engine)
        engine = Engine(settings, RuleSet((), DTYPES))
        engine.observe(sweeps=seen)
        restore(engine, saved)
    twin = TwinValue(ZONE, 200, 2.5, TWIN_MARGINS, 0.25)
    recount = {at: twin.sweep(events, at) for at in sorted(seen.values)}
    known = 0
    for at, expected in recount.items():
        for customer, value in expected.items():
            known += value is not None
            found = seen.values[at][customer]
            assert found == pytest.approx(math.nan if value is None else value, rel=1e-9, nan_ok=True)
    assert known > 1000
    assert all(np.isnan(each).all() for each in seen.at_risk)  # there is no score
    lapsed = [o for o in outcomes if isinstance(o.details, Lapsed)]
    assert len(lapsed) > 5
    for each in lapsed:
        assert isinstance(each.details, Lapsed)
        expected_value = recount[each.at][each.customer_id]
        assert each.details.value == (expected_value and pytest.approx(expected_value, rel=1e-9))
    cells = [c for c in census if isinstance(c, CensusCell) and c.value_original_n and c.by == "cohort"]
    assert cells
    for at, since in {(c.at, c.since) for c in cells}:
        assert since is not None
        before, now = (active(events, activity, instant) for instant in (since, at))
        known_then = {c: v for c, v in recount[since].items() if c in before and v is not None}
        lost = {c: v for c, v in known_then.items() if c not in now}
        for name, expected_values in (("value_original", known_then), ("value_lost", lost)):
            own = [c for c in cells if c.at == at]
            assert sum(getattr(c, f"{name}_n") for c in own) == len(expected_values)
            assert sum(getattr(c, name) for c in own) == pytest.approx(sum(expected_values.values()))


def test_a_case_by_hand() -> None:
    # r 1, alpha 10, mean 20; 4 order days in 29 days, 100 spent in all
    model = ValueModel(1.0, 10.0, 20.0)
    one = np.array([1.0])
    assert model.order_days_a_day(3 * one, 29 * one)[0] == 4 / 39
    assert model.order_day_spend(100 * one, np.array([4]), 3.0)[0] == (60 + 100) / 7
    assert model.order_day_spend(-100 * one, np.array([4]), 3.0)[0] == 60 / 7  # never less than nothing
    terms = ValueTerms(365, 3.0, {"key": 0.5}, 1.0, 0.1)
    assert (terms.margin("key"), terms.margin("small"), terms.margin(None)) == (0.5, 1.0, 1.0)
    assert terms.one_margin is None
    assert ValueTerms().one_margin == 1.0
    same = dict.fromkeys(("key", "ordinary", "small", "problem"), 0.3)
    assert ValueTerms(margins=same, unknown_margin=0.3).one_margin == 0.3


def test_a_total_beyond_64_bits_is_exact() -> None:
    rng = np.random.default_rng(1)
    engine = Engine(EngineSettings(reorder_us=0), RuleSet((), DTYPES))
    events = [
        Event(Topic.ORDERS, BEGIN + int(at * DAY), f"c{i % 60}", f"e{i}", 0, int(900_000 * 10**12 + i))
        for i, at in enumerate(np.sort(rng.uniform(0, 40, 400)).tolist())
    ]
    engine.step(as_batch(events))
    model = engine.customers.value_model
    assert model is not None
    assert model.mean_spend == pytest.approx(900_000 * 10**6, rel=0.5)


def test_it_is_missing_while_orders_are_quiet_and_where_the_margin_is_unknown() -> None:
    events = shop(3)
    last = max(e.at for e in events)
    quiet_after = {Topic.ORDERS: 5 * DAY, Topic.PROFILES: 30 * DAY}
    for terms, missing in ((ValueTerms(), False), (TERMS, True)):
        settings = EngineSettings(reorder_us=0, value=terms, quiet_after_us=quiet_after)
        seen = Seen()
        engine = Engine(settings, RuleSet((), DTYPES))
        engine.observe(sweeps=seen)
        engine.step(as_batch(events))
        before = max(seen.values)
        assert all(math.isnan(v) for v in seen.values[before].values()) is missing  # profiles are quiet
        engine.advance(last + 9 * DAY)
        assert all(math.isnan(v) for v in seen.values[max(seen.values)].values())


def test_a_state_of_before_has_no_values_until_the_next_fit() -> None:
    events = shop(1)
    engine = Engine(EngineSettings(reorder_us=0), RuleSet((), DTYPES))
    engine.step(as_batch(events))
    assert engine.customers.value_model is not None
    saved = tables(engine)
    text = saved["engine"]["json"][0]
    state = engine.customers.value_model.state()
    older = text.replace(f', "value": {state!s}', "")
    assert older != text
    again = Engine(EngineSettings(reorder_us=0), RuleSet((), DTYPES))
    restore(again, saved | {"engine": saved["engine"].with_columns(json=np.array([older]))})
    assert again.customers.value_model is None
    again.advance(max(e.at for e in events) + 29 * DAY)
    assert again.customers.value_model is not None
