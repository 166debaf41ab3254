"""What the truth says of a customer is what the customer's events show."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from streams.simulate.population import CHARACTERS, LEAVERS, LEAVING_PER_YEAR, NEWCOMERS, ONE_TIMERS, Kind
from streams.simulate.shop import Shop

SHOP = Shop(customers=2_500, days=600, seed=11, start=date(2024, 1, 1))
END = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=SHOP.days)


@pytest.fixture(scope="module")
def truth() -> pl.DataFrame:
    return SHOP.truth()


@pytest.fixture(scope="module")
def events(truth: pl.DataFrame) -> pl.DataFrame:
    """Every event with what is true of its customer."""
    return pl.concat(SHOP.frames()).join(truth, on="customer_id")


@pytest.fixture(scope="module")
def placed(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter((pl.col("type") == "order") & (pl.col("status") == "placed"))


def share(truth: pl.DataFrame, *kinds: Kind) -> float:
    return len(truth.filter(pl.col("kind").is_in([k.label for k in kinds]))) / len(truth)


def test_there_is_a_row_for_each_customer(truth: pl.DataFrame) -> None:
    assert len(truth) == truth["customer_id"].n_unique() == SHOP.customers


def test_all_events_are_of_customers_in_the_truth(truth: pl.DataFrame, events: pl.DataFrame) -> None:
    assert len(events) == sum(len(frame) for frame in SHOP.frames())
    assert events["customer_id"].n_unique() > 0.98 * SHOP.customers


def test_who_left_places_no_order_any_more(placed: pl.DataFrame) -> None:
    left = placed.filter(pl.col("left_at").is_not_null())
    assert left["customer_id"].n_unique() > 200
    assert (left["occurred_at"] < left["left_at"]).all()


def test_who_stays_orders_to_the_end(placed: pl.DataFrame) -> None:
    stays = placed.filter((pl.col("leaving_from").is_null()) & (pl.col("gap_days") < 30))
    last = stays.group_by("customer_id").agg(
        ((END - pl.col("occurred_at").max()).dt.total_seconds() / 86400 / pl.col("gap_days").first()).alias(
            "gaps"
        )
    )
    assert last["gaps"].quantile(0.95) < 4  # type: ignore[operator]  # a quantile of numbers


def test_left_is_said_of_leavers_only_and_with_a_reason(truth: pl.DataFrame) -> None:
    leavers = [kind.label for kind in Kind if kind.leaves]
    assert (truth["left"] == truth["left_at"].is_not_null()).all()
    assert (truth["reason"].is_not_null() == truth["kind"].is_in(leavers)).all()
    assert (truth["leaving_from"].is_not_null() == truth["kind"].is_in(leavers)).all()
    assert truth.filter(pl.col("left"))["kind"].is_in(leavers).all()


def test_a_fader_s_orders_and_logins_really_fall(events: pl.DataFrame) -> None:
    whole = events.filter((pl.col("kind") == "fader") & pl.col("left"))
    length = (pl.col("left_at") - pl.col("leaving_from")).dt.total_seconds()
    part = (pl.col("occurred_at") - pl.col("leaving_from")).dt.total_seconds() / length
    counted = whole.with_columns(part=part).filter(pl.col("part").is_between(-1, 1))
    for kind in ("order", "login"):
        mine = counted.filter(pl.col("type") == kind)["part"]
        before, first, second = (
            len(mine.filter(mine.is_between(*b))) for b in ((-0.5, 0), (0, 0.5), (0.5, 1))
        )
        assert before > 1.15 * first > 1.15 * 2 * second


def test_stoppers_keep_their_pace_to_the_last(placed: pl.DataFrame) -> None:
    whole = placed.filter(pl.col("kind") == "stopper")
    back = (pl.col("left_at") - pl.col("occurred_at")).dt.total_seconds() / 86400
    days = whole.select(back)["left_at"]
    last, before = len(days.filter(days <= 30)), len(days.filter(days.is_between(30, 60)))
    assert last == pytest.approx(before, rel=0.25)


def test_one_timers_order_once(placed: pl.DataFrame) -> None:
    mine = placed.filter(pl.col("kind") == "one_timer")
    assert len(mine) == mine["customer_id"].n_unique() > 150
    assert (mine["occurred_at"] - mine["joined_at"]).dt.total_days().max() == 0


def test_complaint_leavers_complain_as_they_leave_and_get_no_good_answer(events: pl.DataFrame) -> None:
    mine = events.filter((pl.col("kind") == "complaint_leaver") & (pl.col("type") == "complaint"))
    last = mine.filter((pl.col("status") == "opened") & (pl.col("occurred_at") == pl.col("left_at")))
    assert len(last) == mine["customer_id"].n_unique()
    answers = mine.filter(
        pl.col("complaint_id").is_in(last["complaint_id"].implode()) & (pl.col("status") == "resolved")
    )
    assert 0 < len(answers) < 0.45 * len(last)
    assert (answers["satisfaction"] <= 2).all()


def test_holiday_makers_are_away_for_two_to_four_weeks_and_come_back(
    truth: pl.DataFrame, placed: pl.DataFrame
) -> None:
    trips = (
        truth.filter(pl.col("kind") == "holiday")
        .explode("holidays")
        .drop_nulls("holidays")
        .select(
            "customer_id",
            gone=pl.col("holidays").list.get(0),
            back=pl.col("holidays").list.get(1),
        )
        .filter(pl.col("back") < END - timedelta(days=14))
    )
    assert len(trips) > 200
    assert (trips["back"] - trips["gone"]).dt.total_days().is_between(14, 28).all()
    orders = trips.join(placed.select("customer_id", "occurred_at"), on="customer_id")
    away = orders.filter((pl.col("occurred_at") >= pl.col("gone")) & (pl.col("occurred_at") < pl.col("back")))
    soon = orders.filter(
        (pl.col("occurred_at") >= pl.col("back"))
        & (pl.col("occurred_at") < pl.col("back") + timedelta(days=10))
    )
    assert len(away) == 0
    assert soon.select("customer_id", "gone").n_unique() > 0.95 * len(trips)


def test_the_big_order_is_one_and_stands_out(placed: pl.DataFrame) -> None:
    mine = (
        placed.filter(pl.col("kind") == "big_order")
        .group_by("customer_id")
        .agg(
            (pl.col("amount").max() / pl.col("amount").median()).alias("most"),
            (pl.col("amount") > 5 * pl.col("amount").median()).sum().alias("big"),
        )
    )
    assert len(mine) > 40
    assert mine["most"].median() > 7  # type: ignore[operator]  # a median of numbers
    assert (mine["big"] == 1).mean() > 0.6  # type: ignore[operator]  # a share


def test_slow_buyers_have_gaps_of_months(truth: pl.DataFrame) -> None:
    assert truth.filter(pl.col("kind") == "slow")["gap_days"].is_between(90, 182).all()


def test_nobody_has_events_before_joining(events: pl.DataFrame) -> None:
    assert (events["occurred_at"] >= events["joined_at"]).all()


def test_the_shares_are_as_stated(truth: pl.DataFrame) -> None:
    leaving, once = share(truth, *LEAVERS), share(truth, Kind.ONE_TIMER)
    assert (truth["joined_at"] > truth["joined_at"].min()).mean() == pytest.approx(NEWCOMERS, abs=0.03)
    assert once == pytest.approx(NEWCOMERS * ONE_TIMERS, abs=0.02)
    assert 0.5 * LEAVING_PER_YEAR < leaving < 1.8 * LEAVING_PER_YEAR
    for kind, stated in LEAVERS.items():
        assert share(truth, kind) / leaving == pytest.approx(stated, abs=0.06)
    for kind, stated in CHARACTERS.items():
        assert share(truth, kind) == pytest.approx(stated * (1 - leaving - once), rel=0.35)
