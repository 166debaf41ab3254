"""Every value that is computed has the range, and is missing as, the catalogue states."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings

from streams.core.analysis.knowledge import CUSTOMERS
from streams.core.engine import Engine
from streams.core.engine_io import EngineSettings
from streams.core.events.batch import MILLION, ClosureRecord, OrderStatus
from streams.core.events.topics import Topic
from streams.core.features.catalogue import CATALOGUE, DTYPES
from streams.core.features.relations import AT_LEAST, KNOWN_WITH, ORDERED, WINDOWS
from streams.offline.replay import SweptFeatures
from tests.oracle.days import DAY
from tests.oracle.drive import compiled, drive
from tests.oracle.engine import OracleSettings
from tests.oracle.histories import History, as_batch, histories, random_history
from tests.oracle.history import Event
from tests.oracle.sample_rules import RULES

QUIET = {Topic.ORDERS: 9 * DAY, Topic.LOGINS: 7 * DAY, Topic.COMPLAINTS: 30 * DAY, Topic.PROFILES: 40 * DAY}
BEGIN = 19_723 * DAY


def swept(history: History) -> pl.DataFrame:
    """Return the features of every customer at every sweep, those of quiet topics missing."""
    options = replace(OracleSettings(), zone=history.zone, quiet_after_us=QUIET)
    last = max(event.at for event in history.arrivals)
    driven = drive(options, compiled(RULES[:1]), [as_batch(history.arrivals)], last + 70 * DAY)
    frames = [frame.with_columns(at=pl.lit(at)) for at, frame in driven.sweeps]
    return (
        pl.concat(frames)
        if frames
        else pl.DataFrame(schema={**DTYPES, "customer_id": pl.String, "at": pl.Int64})
    )


def check(frame: pl.DataFrame) -> None:
    for name, feature in CATALOGUE.items():
        known = frame[name].drop_nulls()
        if feature.dtype is pl.String:
            assert feature.words is None or set(known) <= set(feature.words)
        elif len(known):
            assert feature.low <= known.min() <= known.max() <= feature.high, name  # type: ignore[operator]  # numbers
            assert known.dtype.is_integer() is feature.is_whole
        assert not feature.always_known or not frame[name].null_count()
        if not feature.can_fall:
            for _, own in frame.drop_nulls(name).sort("at").group_by("customer_id", maintain_order=True):
                assert own[name].is_sorted(), name
    check_missing(frame)


def check_missing(frame: pl.DataFrame) -> None:
    missing = {name: frame[name].is_null() for name in CATALOGUE}
    for topic in Topic:
        plain = [n for n, f in CATALOGUE.items() if f.reads == (topic,) and not f.may_be_missing]
        for name in plain:
            assert (missing[name] == missing[plain[0]]).all(), name
        for name in (n for n, f in CATALOGUE.items() if plain and topic in f.reads):
            assert (missing[name] | ~missing[plain[0]]).all(), name
    for name, (above, below) in CUSTOMERS.ratios.items():
        can_be = ~missing[above] & ~missing[below] & (frame[below] > 0).fill_null(False)
        assert (missing[name] != can_be).all(), name
    for name, others in KNOWN_WITH.items():
        assert all((missing[name] | ~missing[other]).all() for other in others), name
    for name, least in AT_LEAST.items():
        assert all((missing[name] | (frame[other] >= number)).all() for other, number in least), name
    for fact in ORDERED:
        pairs = frame.drop_nulls([fact.low, fact.high])
        low, high = pairs[fact.low], pairs[fact.high]
        assert (low < high if fact.strictly else low <= high).all(), fact
    for window in WINDOWS:
        pairs = frame.drop_nulls([window.count, window.since])
        count, since = pairs[window.count], pairs[window.since]
        assert ((count < 1) | (since <= window.longest_ago)).all(), window
        assert ((since > window.surely_inside) | (count >= 1)).all(), window


@settings(max_examples=60, deadline=None)
@given(histories(late=True))
def test_every_value_is_as_the_catalogue_states(history: History) -> None:
    check(swept(history))


@pytest.mark.parametrize("seed", range(6))
def test_every_value_of_a_long_history_is_as_the_catalogue_states(seed: int) -> None:
    check(swept(random_history(seed, size=150, late=seed % 2 == 1)))


def test_a_ratio_over_what_is_not_positive_is_missing() -> None:
    """500 were returned last month and 300 bought this month: this customer buys more, not less."""

    def order(number: int, day: int, amount: int, status: OrderStatus = OrderStatus.PLACED) -> Event:
        at = BEGIN + day * DAY + DAY // 2
        return Event(Topic.ORDERS, at, "c", f"o{number}", int(status), amount * MILLION)

    bought, returned = order(1, 0, 700), order(2, 65, 500, OrderStatus.RETURNED)
    driven = drive(
        OracleSettings(),
        compiled(RULES[:1]),
        [as_batch([bought, returned, order(3, 100, 300)])],
        BEGIN + 101 * DAY,
    )
    at, frame = driven.sweeps[-1]
    (row,) = frame.rows(named=True)
    assert at == BEGIN + 101 * DAY
    assert (row["spend_30d"], row["spend_prev_30d"], row["spend_trend"]) == (300.0, -500.0, None)


def test_every_ratio_by_its_unit_states_what_it_is_of() -> None:
    assert {n for n, f in CATALOGUE.items() if f.unit == "ratio"} == {*CUSTOMERS.ratios, "feedback_trend"}


def test_silence_is_the_time_since_the_last_activity_over_the_horizon() -> None:
    """It is missing before the first activity, after a closure, and while a source is quiet."""
    at = [BEGIN + day * DAY for day in (0, 4, 10, 12, 14)]
    topics = (Topic.LOGINS, Topic.ORDERS, Topic.LOGINS, Topic.CLOSURES, Topic.ORDERS)
    records = (None, None, None, ClosureRecord("asked"), None)
    batch = as_batch(
        [
            Event(topic, when, "a", str(n), OrderStatus.PLACED, record=record)
            for n, (topic, when, record) in enumerate(zip(topics, at, records, strict=True))
        ]
    )
    orders, logins = Topic.ORDERS, Topic.LOGINS
    days = (1, 5, 11, 13, 15, 36)
    for activity, quiet, expected in (
        ((orders,), {}, (None, 1 / 30, 7 / 30, None, 1 / 30, 22 / 30)),
        ((logins,), {}, (1 / 30, 5 / 30, 1 / 30, None, None, None)),
        ((orders, logins), {}, (1 / 30, 1 / 30, 1 / 30, None, 1 / 30, 22 / 30)),
        ((orders,), {orders: 20 * DAY}, (None, 1 / 30, 7 / 30, None, 1 / 30, None)),
        ((logins,), {orders: 20 * DAY}, (1 / 30, 5 / 30, 1 / 30, None, None, None)),
    ):
        swept = SweptFeatures()
        terms = EngineSettings(horizon_us=30 * DAY, activity=activity, quiet_after_us=quiet)
        engine = Engine(terms, compiled(RULES[:1]))
        engine.observe(sweeps=swept)
        engine.step(batch)
        engine.advance(BEGIN + 40 * DAY)
        found = {at: frame["silence"][0] for at, frame in swept.frames}
        assert [found[BEGIN + day * DAY] for day in days] == [
            None if each is None else pytest.approx(each) for each in expected
        ], (activity, quiet)
