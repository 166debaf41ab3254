"""Figures of the demo's end, each counted by hand."""

import pytest

from lapwing.demo.ledger import Episode
from lapwing.demo.outcome import ObservedOutcome, Truth, observed_outcome, simulated_outcome
from streams.backtest.history import History
from streams.core.events.batch import Batch
from streams.core.events.calendar import DAY
from streams.core.events.topics import Topic
from streams.core.steps import Tier
from streams.share import Share


def days(*numbers: float) -> list[int]:
    return [round(number * DAY) for number in numbers]


def episode(customer: str, opened: float, closed: float | None = None, tier: Tier = Tier.HIGH) -> Episode:
    ended = None if closed is None else round(closed * DAY)
    return Episode(customer, round(opened * DAY), ended, tier)


def leaver(kind: str, leaving_from: float, left_at: float | None = None) -> Truth:
    left = leaving_from if left_at is None else left_at
    return Truth(kind, round(leaving_from * DAY), round(left * DAY))


def stayer(kind: str = "loyal") -> Truth:
    return Truth(kind, None, None)


END, HORIZON = 365 * DAY, 90 * DAY


def observed(
    episodes: list[Episode], orders: dict[str, list[int]], closures: dict[str, list[int]] | None = None
) -> ObservedOutcome:
    """Judge warnings by a history of these orders and closures."""
    rows = [
        {"topic": topic, "at": at, "customer_id": customer, "event_id": f"{topic}-{at}"}
        for topic, times in ((Topic.ORDERS, orders), (Topic.CLOSURES, closures or {}))
        for customer, instants in times.items()
        for at in instants
    ]
    batch = Batch.of(rows)
    history = History.of(batch.take(batch.order()), 2 * DAY, END)
    return observed_outcome(episodes, history, "UTC", HORIZON)


def test_a_leaver_warned_of_before_being_counted_as_lost() -> None:
    # Last order on day 100, so counted as lost on day 190; warned of on day 130.
    got = simulated_outcome(
        [episode("a", 130)], {"a": leaver("stopper", 100)}, {"a": days(10, 100)}, END, 90 * DAY
    )
    assert got.in_time.warned == Share(1, 1)
    assert (got.in_time.lead_days, got.in_time.after_order_days) == (60, 30)
    assert got.right == Share(1, 1)
    assert got.by_kind == {"stopper": Share(1, 1)}


@pytest.mark.parametrize(("opened", "warned"), [(189.9, 1), (190, 0), (250, 0)])
def test_a_warning_on_or_after_the_day_of_being_counted_as_lost_is_right_but_late(
    opened: float, warned: int
) -> None:
    got = simulated_outcome(
        [episode("a", opened)], {"a": leaver("stopper", 100)}, {"a": days(100)}, END, 90 * DAY
    )
    assert got.in_time.warned == Share(warned, 1)
    assert got.right == Share(1, 1)


def test_a_warning_that_ended_before_the_wish_to_leave_was_false() -> None:
    got = simulated_outcome(
        [episode("a", 40, 60)], {"a": leaver("fader", 60)}, {"a": days(100)}, END, 90 * DAY
    )
    assert got.in_time.warned == Share(0, 1)
    assert got.right == Share(0, 1)
    assert got.false_by_kind == {"fader": 1}


def test_a_warning_still_open_when_the_wish_to_leave_begins_counts_from_then() -> None:
    got = simulated_outcome(
        [episode("a", 40, 70)], {"a": leaver("fader", 60)}, {"a": days(100)}, END, 90 * DAY
    )
    assert got.in_time.warned == Share(1, 1)
    assert (got.in_time.lead_days, got.in_time.after_order_days) == (130, -40)


def test_the_lead_is_the_median_over_those_warned_of() -> None:
    truth = {c: leaver("stopper", 100) for c in "abcd"}
    orders = {c: days(100) for c in "abcd"}
    warnings = [episode("a", 110), episode("b", 120), episode("b", 180), episode("c", 160)]
    got = simulated_outcome(warnings, truth, orders, END, HORIZON)
    assert got.in_time.warned == Share(3, 4)
    assert got.in_time.lead_days == 70
    assert got.right == Share(4, 4)


def test_leavers_too_recent_to_be_counted_as_lost_are_told_apart() -> None:
    truth = {"a": leaver("stopper", 300), "b": leaver("fader", 300, 366), "c": leaver("stopper", 275)}
    orders = {"a": days(290), "b": days(10, 340), "c": days(275)}
    got = simulated_outcome([episode("a", 310), episode("b", 320)], truth, orders, END, HORIZON)
    assert got.too_recent == 1
    assert got.in_time.warned == Share(0, 1)
    assert got.right == Share(2, 2)


def test_who_begins_to_leave_after_the_end_has_not_begun() -> None:
    truth = {"a": leaver("stopper", 366), "b": leaver("fader", 300, 400)}
    got = simulated_outcome(
        [episode("a", 310), episode("b", 320)], truth, {c: days(300) for c in "ab"}, END, 60 * DAY
    )
    assert got.in_time.warned == Share(0, 0)
    assert got.right == Share(1, 2)
    assert got.stayers_alarmed == Share(1, 1)


def test_a_leaver_who_never_ordered_cannot_be_lost() -> None:
    got = simulated_outcome([], {"a": leaver("stopper", 10)}, {}, END, HORIZON)
    assert got.in_time.warned == Share(0, 0)
    assert got.in_time.lead_days is None


def test_false_warnings_are_split_by_kind_and_stayers_counted_once() -> None:
    truth = {"a": stayer("holiday"), "b": stayer("slow"), "c": stayer(), "d": leaver("stopper", 50)}
    warnings = [episode("a", 10, 20, Tier.LOW), episode("a", 30, 40), episode("b", 10, None, Tier.MEDIUM)]
    warnings.append(episode("d", 60))
    got = simulated_outcome(warnings, truth, {c: days(50) for c in truth}, END, HORIZON)
    assert got.right == Share(1, 4)
    assert got.right_by_tier == {
        "low": Share(0, 1),
        "high": Share(1, 2),
        "medium": Share(0, 1),
    }
    assert got.false_by_kind == {"holiday": 2, "slow": 1}
    assert got.stayers_alarmed == Share(2, 3)
    assert got.stayers_alarmed_high == Share(1, 3)


def test_orders_after_a_warning_decide_where_no_truth_is_known() -> None:
    orders = {"a": days(1, 100), "b": days(1, 101.5), "c": days(1), "d": days(1, 300)}
    warnings = [
        episode("a", 10),  # the order on day 100 is the last instant of the horizon: false
        episode("b", 10),  # a day and a half too late: confirmed
        episode("c", 274, tier=Tier.LOW),  # matured at the last sweep: confirmed
        episode("d", 275),  # not yet known
    ]
    got = observed(warnings, orders)
    assert got.confirmed == Share(2, 3)
    assert got.confirmed_by_tier == {"high": Share(1, 2), "low": Share(1, 1)}
    assert got.not_yet_known == 1


def test_who_left_and_when_it_was_known_is_as_a_backtest_has_it() -> None:
    orders = {"a": days(10, 100), "b": days(275), "c": days(276), "d": days(20), "e": days(5, 200)}
    warnings = [episode("a", 40, 50), episode("a", 90, 101), episode("d", 110), episode("b", 285)]
    got = observed(warnings, orders)
    # a: open when the last order came; b: 10 days after; d: on its day of being lost; e: unwarned, twice.
    assert got.in_time.warned == Share(2, 5)
    assert got.in_time.lead_days == 90  # of 100 and 80
    assert got.in_time.after_order_days == 0


def test_a_closure_after_a_warning_confirms_it() -> None:
    got = observed([episode("a", 10)], {"a": days(1, 50)}, {"a": days(20)})
    assert got.confirmed == Share(1, 1)


def test_the_base_rate_counts_active_customers_every_four_weeks() -> None:
    # From day 0; instants are 90, 118, 146, 174, 202, 230, 258 (275 is the last with a whole horizon).
    orders = {"a": days(0, 60, 120), "b": days(200)}
    got = observed([], orders)
    # a is active at 90, 118 (an order follows) and 146, 174, 202 (none does); b at 202, 230, 258 (none does).
    assert got.base == Share(6, 8)


def test_no_warnings_give_empty_shares() -> None:
    got = observed([], {"a": days(0)})
    assert (got.confirmed, got.confirmed_by_tier, got.not_yet_known) == (Share(0, 0), {}, 0)
    nobody = simulated_outcome([], {}, {}, END, HORIZON)
    assert (nobody.right, nobody.in_time.warned, nobody.stayers_alarmed) == (Share(0, 0),) * 3
