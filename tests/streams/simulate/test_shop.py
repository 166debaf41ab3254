"""The shop's events keep to the contract, the order and the seed."""

import json
from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.contract.decode import decode_poll
from streams.core.events.topics import FILE_TYPES, Topic
from streams.simulate.records import json_lines, records_of
from streams.simulate.shop import Shop

SHOP = Shop(customers=400, days=200, seed=3, start=date(2024, 1, 1), time_zone="Europe/Berlin")


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    return pl.concat(SHOP.frames())


@given(
    customers=st.integers(1, 60),
    days=st.integers(1, 60),
    seed=st.integers(0, 2**70),
    rows=st.integers(1, 500),
)
@example(customers=1, days=4, seed=48, rows=1)
@settings(max_examples=25, deadline=None)
def test_same_seed_gives_the_same_shop_however_it_is_cut(
    customers: int, days: int, seed: int, rows: int
) -> None:
    one = Shop(customers, days, seed)
    whole = list(one.frames(10**9))
    cut = list(Shop(customers, days, seed).frames(rows))
    assert one.truth().equals(Shop(customers, days, seed).truth())
    if whole:
        assert whole[0].equals(pl.concat(cut))
    else:
        assert not cut


def test_another_seed_is_another_shop(events: pl.DataFrame) -> None:
    other = pl.concat(Shop(400, 200, 4, date(2024, 1, 1), "Europe/Berlin").frames())
    assert len(other) != len(events)


def test_events_come_by_time_then_topic_then_id(events: pl.DataFrame) -> None:
    topic = events["type"].replace_strict({k: int(v) for k, v in FILE_TYPES.items()}, return_dtype=pl.Int8)
    rows = list(zip(events["occurred_at"], topic, events["event_id"], strict=True))
    assert rows == sorted(rows)


def test_event_ids_are_unique(events: pl.DataFrame) -> None:
    assert events["event_id"].n_unique() == len(events)


def test_all_types_but_the_optional_ones_of_people_occur(events: pl.DataFrame) -> None:
    assert set(events["type"]) == {"order", "login", "complaint", "profile"}


def test_the_contract_takes_every_event(events: pl.DataFrame) -> None:
    records = records_of(events)
    rows = list(records.rows(0, len(records)))
    for topic in Topic:
        mine = [(key, value, stamp) for t, key, value, stamp in rows if t is topic]
        decoded = decode_poll(
            topic, [v for _, v, _ in mine], [k for k, _, _ in mine], [s for _, _, s in mine], max_skew_us=0
        )
        assert decoded.refused == []
        assert decoded.batch.at.tolist() == records.at[records.topic == topic].tolist()


def test_lines_say_what_the_frame_holds(events: pl.DataFrame) -> None:
    for line, row in zip(json_lines(events, with_type=True), events.iter_rows(named=True), strict=True):
        said = json.loads(line)
        assert datetime.fromisoformat(said.pop("occurred_at")) == row.pop("occurred_at")
        assert said == {name: value for name, value in row.items() if value is not None}


def test_a_record_of_kafka_leaves_the_type_to_the_topic(events: pl.DataFrame) -> None:
    values = [json.loads(value) for value in records_of(events.head(50)).values]
    assert not any("type" in value for value in values)


def test_cancellations_and_returns_name_an_order_placed_before(events: pl.DataFrame) -> None:
    orders = events.filter(pl.col("type") == "order")
    placed = orders.filter(pl.col("status") == "placed")
    undone = orders.filter(pl.col("status") != "placed")
    joined = undone.join(placed, on=["order_id", "customer_id"], suffix="_placed")
    assert len(joined) == len(undone) > 10
    assert (joined["amount"] <= joined["amount_placed"]).all()
    assert (joined["occurred_at"] > joined["occurred_at_placed"]).all()


def test_a_complaint_is_opened_once_and_then_resolved(events: pl.DataFrame) -> None:
    lives = (
        events.filter(pl.col("type") == "complaint").group_by("complaint_id").agg("status", "satisfaction")
    )
    shapes = {tuple(life) for life in lives["status"]}
    assert {("opened",), ("opened", "resolved")} <= shapes
    assert all(s == "opened" for life in shapes for s in life[:1])
    assert all(s != "opened" for life in shapes for s in life[1:])
    given_with = events.filter(pl.col("satisfaction").is_not_null())["status"]
    assert set(given_with) == {"resolved"}


def test_days_are_days_of_the_shop_s_time_zone(events: pl.DataFrame) -> None:
    local = events["occurred_at"].dt.convert_time_zone("Europe/Berlin")
    assert local.min() == datetime.fromisoformat("2024-01-01T00:00+01:00")
    assert local.max() < datetime.fromisoformat("2024-07-19T00:00+02:00")  # type: ignore[operator]  # not None
    nights = local.dt.hour().is_between(1, 4).mean()
    assert nights < 0.02  # type: ignore[operator]  # a share of a full column


def test_christmas_is_busy_and_sundays_are_not() -> None:
    year = pl.concat(Shop(customers=500, days=366, seed=5, start=date(2024, 1, 1)).frames())
    orders = year.filter((pl.col("type") == "order") & (pl.col("status") == "placed"))
    by_month = orders.group_by(pl.col("occurred_at").dt.month()).len().sort("occurred_at")["len"]
    by_weekday = orders.group_by(pl.col("occurred_at").dt.weekday()).len().sort("occurred_at")["len"]
    assert by_month.arg_max() == 11
    assert by_month[11] > 1.4 * by_month[0]
    assert by_weekday.arg_min() == 6
    assert by_weekday[4] > 1.2 * by_weekday[6]
