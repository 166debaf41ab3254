"""The profile of the churned against a plain count, sample by sample, and against simulated truth."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import mean, variance

import numpy as np
import pytest
from sqlalchemy import select

from consumers.broker.records import Record
from consumers.database.database import Database
from consumers.database.learning import SampleRow
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.reports.profile import (
    Contrast,
    ProfileFacts,
    cliffs_delta,
    hedges_g,
    profile,
    read_profile,
)
from consumers.reports.rate import TOO_FEW
from consumers.sink.kinds import samples as sample_kind
from streams.contract.samples import encode_samples
from streams.core.events.calendar import DAY
from streams.share import Share
from tests.consumers.stored import empty_database, store_records
from tests.streams.contract.test_samples import matured

KNOWLEDGE = Knowledge("UTC", timedelta(days=30), timedelta(days=30))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
WHOLE = Period.parse("1970-01-01..2100-12-31", "UTC")


def store(database: Database) -> None:
    records = []
    for week in range(8):
        made = matured(60, week)
        made = replace(made, at=made.at + 7 * week * DAY)
        value = encode_samples(made, "shop", 0, 1)
        records.append(Record("shop-samples", 0, week, made.at // 1000, None, value))
    store_records(database, records, NOW, sample_kind("shop", 10_000))


def twin_g(x: list[float], y: list[float]) -> tuple[float, float, float]:
    """Return Hedges' g by the textbook, where all count the same."""
    n, m = len(x), len(y)
    pooled = ((n - 1) * variance(x) + (m - 1) * variance(y)) / (n + m - 2)
    g = (mean(x) - mean(y)) / math.sqrt(pooled) * (1 - 3 / (4 * (n + m) - 9))
    half = 1.959964 * math.sqrt((n + m) / (n * m) + g**2 / (2 * (n + m)))
    return g, g - half, g + half


def twin_delta(x: list[float], y: list[float]) -> float:
    return sum((a > b) - (a < b) for a in x for b in y) / (len(x) * len(y))


def check(made: Contrast, name: str, rows: list[SampleRow]) -> None:
    x = [r.inputs[name] for r in rows if r.churned and r.inputs[name] is not None]
    y = [r.inputs[name] for r in rows if not r.churned and r.inputs[name] is not None]
    gone = [r for r in rows if r.churned]
    assert (made.churned_n, made.kept_n) == (len(x), len(y))
    assert made.churned_missing == Share(len(gone) - len(x), len(gone))
    assert made.kept_missing == Share(len(rows) - len(gone) - len(y), len(rows) - len(gone))
    if min(len(x), len(y)) > 1:
        assert (made.g, made.g_low, made.g_high) == pytest.approx(twin_g(x, y), rel=1e-6)
        assert made.delta == pytest.approx(twin_delta(x, y))


def test_the_profile_is_that_of_a_plain_count(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    store(database)
    with database.reading() as connection:
        rows = [SampleRow(**dict(row)) for row in connection.execute(select(SampleRow.__table__)).mappings()]
        first = min(row.at for row in rows)
        for period in (
            WHOLE,
            Period.between((first + timedelta(days=37)).date(), (first + timedelta(days=57)).date(), "UTC"),
        ):
            made = profile(read_profile(connection, period, KNOWLEDGE), period)
            inside = [r for r in rows if period.begin_at <= r.at + KNOWLEDGE.horizon < period.end_at]
            for row in inside:
                row.weight = 1.0
            assert made.churned == sum(row.churned for row in inside) > 0
            assert made.kept == sum(not row.churned for row in inside) > 0
            for name in inside[0].inputs:
                feature = name.partition("(")[2].rstrip(")") or name
                (own,) = (each for each in made.contrasts if each.feature == feature)
                if not made.are_weighted:
                    check(own, name, inside)
            json.dumps(made.as_dict())
    database.close()


def drawn(seed: int, n: int, weights: bool) -> ProfileFacts:
    """Return samples of whom those who churn ordered a third of what the others did, some not known."""
    chance = np.random.default_rng(seed)
    churned = chance.random(n) < 0.3
    orders = np.log1p(chance.poisson(np.where(churned, 3, 9)).astype(np.float64))
    logins = np.log1p(chance.poisson(5, n).astype(np.float64))
    orders[chance.random(n) < 0.1] = np.nan
    weight = chance.choice([1.0, 2.0, 3.0], n) if weights else np.ones(n)
    x = np.column_stack([logins, orders, np.full(n, np.nan), chance.random(n)])
    return ProfileFacts(
        ("log(logins_30d)", "log(orders_30d)", "log(overdue)", "class1(region)"), x, churned, weight
    )


def test_the_largest_difference_comes_first_and_has_the_unit_of_the_feature() -> None:
    made = profile(drawn(1, 4_000, weights=False), WHOLE)
    assert [each.feature for each in made.contrasts] == ["orders_30d", "logins_30d", "overdue"]
    first = made.contrasts[0]
    assert first.churned is not None
    assert first.kept is not None
    assert (first.churned.median, first.kept.median) == pytest.approx((3, 9))
    assert first.g is not None
    assert first.g < -1
    assert made.words == ("region",)
    unknown = made.contrasts[-1]
    assert (unknown.churned, unknown.g, unknown.delta, unknown.is_enough) == (None, None, None, False)


def test_a_sample_of_weight_three_counts_as_three() -> None:
    given = drawn(2, 600, weights=True)
    times = given.weight.astype(int)
    repeated = ProfileFacts(
        given.inputs,
        np.repeat(given.x, times, axis=0),
        np.repeat(given.churned, times),
        np.ones(int(times.sum())),
    )
    weighted, plain = profile(given, WHOLE).contrasts[0], profile(repeated, WHOLE).contrasts[0]
    assert weighted.delta == pytest.approx(plain.delta)
    assert (weighted.churned, weighted.kept) == (plain.churned, plain.kept)
    assert weighted.g == pytest.approx(plain.g, rel=0.01)
    assert weighted.g_low is not None
    assert plain.g_low is not None
    assert weighted.g_low < plain.g_low  # one sample that counts three times is no three customers
    assert weighted.churned_n < plain.churned_n


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chance = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        x, y = chance.normal(0.5, 1, 40), chance.normal(0, 1, 60)
        _, low, high = hedges_g(x, np.ones(40), y, np.ones(60))
        assert low is not None
        assert high is not None
        held += low <= 0.5 <= high
    assert 365 <= held <= 395


def test_what_cannot_be_computed_is_missing_and_never_zero() -> None:
    one, two = np.ones(1), np.ones(5)
    assert hedges_g(one, one, two, two) == (None, None, None)
    assert hedges_g(two, two, two, two) == (0.0, None, None)
    assert hedges_g(2 * two, two, two, two) == (None, None, None)
    assert cliffs_delta(np.array([]), np.array([]), two, two) is None
    assert cliffs_delta(2 * two, two, two, two) == 1.0


def test_few_samples_are_not_enough_to_say_anything() -> None:
    made = profile(drawn(1, TOO_FEW, weights=False), WHOLE)
    assert not any(each.is_enough for each in made.contrasts)
    nothing = ProfileFacts((), np.empty((0, 0)), np.empty(0, dtype=np.bool_), np.empty(0))
    assert profile(nothing, WHOLE).as_dict()["features"] == []


def test_an_empty_store_has_no_profile() -> None:
    with empty_database().reading() as connection:
        made = profile(read_profile(connection, WHOLE, KNOWLEDGE), WHOLE)
    assert (made.churned, made.kept, made.contrasts) == (0, 0, ())
