"""The features of one customer at one instant, recounted from the list of the customer's events.

This is the specification of the catalogue (DESIGN 3) as plain code: no state, no buckets, no arrays. It is
written from the design alone and shares nothing with the engine but the names of topics and codes.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from streams.core.events.batch import (
    MILLION,
    ActionRecord,
    ClosureRecord,
    ComplaintStatus,
    LabelsRecord,
    OrderStatus,
    ProfileRecord,
)
from streams.core.events.topics import Topic
from tests.oracle.days import DAY, local_day

Value = int | float | str | None

HORIZON_DAYS: Final = 90
"""The default horizon."""

HELD_DAYS: Final = 90
"""An event is held for windows while its day is one of the last 90, the current one included."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, and for a late one the clock of the partition when it was taken."""

    topic: Topic
    at: int
    customer_id: str
    event_id: str
    status: int = 0
    amount: int = 0
    complaint_id: str | None = None
    satisfaction: int = 0
    record: ProfileRecord | ActionRecord | ClosureRecord | LabelsRecord | None = None
    clock: int | None = None

    @property
    def judged_at(self) -> int:
        """Return the instant at which the event is judged: its own time, or the clock when it was late."""
        return self.at if self.clock is None else self.clock

    @property
    def order(self) -> tuple[int, int, str, str]:
        """Return the place in the total order of evaluations."""
        return (self.judged_at, self.topic, self.event_id, self.customer_id)

    @property
    def is_late(self) -> bool:
        """Say whether the event was judged at a clock later than its own time."""
        return self.judged_at != self.at


@dataclass(frozen=True, slots=True)
class View:
    """What is known of one customer at `at`."""

    at: int
    today: int
    """The local day that counts as age 0."""
    zone: ZoneInfo
    seen: list[Event]
    """Every event judged so far."""
    held: list[Event]
    """`seen` without those that were too old for the state when they came."""

    def age(self, event: Event) -> int:
        """Return how many local days the event's day lies back."""
        return self.today - local_day(event.at, self.zone)

    def days_since(self, at: int) -> float:
        """Return the fractional days from `at` until now."""
        return (self.at - at) / DAY

    def held_of(self, topic: Topic, *statuses: int) -> list[Event]:
        """Return the held events of a topic with one of the statuses (any, if none is named)."""
        return [e for e in self.held if e.topic == topic and (not statuses or e.status in statuses)]


def look(events: Iterable[Event], at: int, *, sweep: bool, zone: ZoneInfo) -> View:
    """Return what is known at `at`.

    A sweep comes before the events of its own instant, and at local midnight it belongs to the day that
    has just ended, which is the day of the microsecond before it.
    """
    seen = [e for e in events if e.judged_at < at or (e.judged_at == at and not sweep)]
    held = [e for e in seen if local_day(e.judged_at, zone) - local_day(e.at, zone) < HELD_DAYS]
    return View(at, local_day(at - 1 if sweep else at, zone), zone, seen, held)


def features(
    events: Sequence[Event],
    at: int,
    *,
    sweep: bool,
    zone: ZoneInfo,
    k: float,
    r: float,
    quiet: Collection[Topic] = (),
    newest: Mapping[Topic, int] | None = None,
) -> dict[str, Value]:
    """Return every feature of the catalogue but those of models, `None` where it is missing."""
    view = look(events, at, sweep=sweep, zone=zone)
    row: dict[str, Value] = {}
    for group in (orders, rhythm, spend, logins, complaints, complaint_life, returns, feedback, profile):
        row |= group(view)
    row["tenure_days"] = view.days_since(min(e.at for e in view.seen))
    row["complaint_rate_90d"] = complaint_rate(row, k, r)
    of_anyone = newest or {}
    for thing, topic in ANYONE.items():
        row[f"days_since_any_{thing}"] = view.days_since(of_anyone[topic]) if topic in of_anyone else None
    return {name: None if set(READS[name]) & set(quiet) else row[name] for name in READS}


def last_days(view: View, events: Iterable[Event], days: int) -> list[Event]:
    """Return the events of the last `days` local days, today included."""
    return [e for e in events if 0 <= view.age(e) < days]


def days_31_to_60(view: View, events: Iterable[Event]) -> list[Event]:
    """Return the events of the 30 local days before the last 30."""
    return [e for e in events if 30 <= view.age(e) < 60]


def ratio(above: float, below: float) -> float | None:
    """Return `above / below`, missing where `below` is not positive."""
    return above / below if below > 0 else None


def since_last(view: View, events: Iterable[Event]) -> float | None:
    """Return the fractional days since the last of `events`."""
    times = [e.at for e in events]
    return view.days_since(max(times)) if times else None


def is_placed(event: Event) -> bool:
    """Say whether the event is a placed order."""
    return event.topic == Topic.ORDERS and event.status == OrderStatus.PLACED


def is_complaint(event: Event) -> bool:
    """Say whether the event is a complaint opened or reopened."""
    return event.topic == Topic.COMPLAINTS and event.status in (
        ComplaintStatus.OPENED,
        ComplaintStatus.REOPENED,
    )


def orders(view: View) -> dict[str, Value]:
    """Return counts, rhythm and trend of placed orders."""
    placed = [e for e in view.held if is_placed(e)]
    counts = {f"orders_{n}d": len(last_days(view, placed, n)) for n in (7, 30, 90)}
    earlier = len(days_31_to_60(view, placed))
    idle = since_last(view, placed)
    gap = mean_gap({local_day(e.at, view.zone) for e in placed})
    return {
        **counts,
        "orders_prev_30d": earlier,
        "orders_total": sum(is_placed(e) for e in view.seen),
        "days_since_order": idle,
        "order_gap_mean": gap,
        "overdue": None if idle is None or gap is None else ratio(idle, gap),
        "order_trend": ratio(counts["orders_30d"], earlier),
    }


def rhythm(view: View) -> dict[str, Value]:
    """Return the spread of the gaps between order days, the newest of them, and the weeks with an order."""
    days = sorted({local_day(e.at, view.zone) for e in view.held if is_placed(e)})
    gaps = [later - earlier for earlier, later in pairwise(days)]
    ages = {view.today - day for day in days}
    idle = since_last(view, [e for e in view.held if is_placed(e)])
    closed = since_last(view, [e for e in view.held if e.topic == Topic.CLOSURES])
    gone = idle is not None and closed is not None and closed < idle
    return {
        "silence": None if idle is None or gone else idle / HORIZON_DAYS,
        "order_gap_std": statistics.pstdev(gaps) if len(gaps) > 1 else None,
        "last_gap": float(gaps[-1]) if gaps else None,
        **{
            f"active_weeks_{n}": sum(any(7 * w <= age < 7 * w + 7 for age in ages) for w in range(n))
            for n in (12, 26)
        },
    }


def mean_gap(days: set[int]) -> float | None:
    """Return the mean of the distances between consecutive days."""
    ordered = sorted(days)
    gaps = [later - earlier for earlier, later in pairwise(ordered)]
    return sum(gaps) / len(gaps) if gaps else None


def net_millionths(events: Iterable[Event]) -> int:
    """Return the net spend in millionths: placed, less cancelled or returned."""
    return sum(e.amount if e.status == OrderStatus.PLACED else -e.amount for e in events)


def spend(view: View) -> dict[str, Value]:
    """Return net spend in its windows, in total and its trend."""
    of_orders = view.held_of(Topic.ORDERS)
    recent = net_millionths(last_days(view, of_orders, 30))
    earlier = net_millionths(days_31_to_60(view, of_orders))
    return {
        "spend_7d": net_millionths(last_days(view, of_orders, 7)) / MILLION,
        "spend_30d": recent / MILLION,
        "spend_90d": net_millionths(last_days(view, of_orders, 90)) / MILLION,
        "spend_prev_30d": earlier / MILLION,
        "spend_total": net_millionths(e for e in view.seen if e.topic == Topic.ORDERS) / MILLION,
        "spend_trend": ratio(recent, earlier),
    }


def logins(view: View) -> dict[str, Value]:
    """Return counts and trend of logins."""
    of_logins = view.held_of(Topic.LOGINS)
    counts = {f"logins_{n}d": len(last_days(view, of_logins, n)) for n in (7, 30, 90)}
    earlier = len(days_31_to_60(view, of_logins))
    return {
        **counts,
        "logins_prev_30d": earlier,
        "logins_total": sum(e.topic == Topic.LOGINS for e in view.seen),
        "days_since_login": since_last(view, of_logins),
        "login_trend": ratio(counts["logins_30d"], earlier),
    }


def complaints(view: View) -> dict[str, Value]:
    """Return counts of complaints opened or reopened."""
    raised = [e for e in view.held if is_complaint(e)]
    return {
        "complaints_30d": len(last_days(view, raised, 30)),
        "complaints_90d": len(last_days(view, raised, 90)),
        "complaints_prev_30d": len(days_31_to_60(view, raised)),
        "complaints_total": sum(is_complaint(e) for e in view.seen),
        "days_since_complaint": since_last(view, raised),
        "complaint_without_order_days": since_unanswered(view, is_placed),
        "complaint_without_login_days": since_unanswered(view, lambda e: e.topic == Topic.LOGINS),
    }


def since_unanswered(view: View, is_answer: Callable[[Event], bool]) -> float | None:
    """Return the days since the first complaint that no answer has followed.

    An answer that comes late leaves the newest complaint after it, for the others are forgotten.
    """
    first: int | None = None
    for i, event in enumerate(view.held):
        before = view.held[: i + 1]
        if is_complaint(event):
            if not any(is_answer(e) and e.at >= event.at for e in before):
                first = event.at if first is None else min(first, event.at)
        elif is_answer(event) and first is not None and first <= event.at:
            first = max((e.at for e in before if is_complaint(e) and e.at > event.at), default=None)
    return None if first is None else view.days_since(first)


def complaint_rate(row: dict[str, Value], k: float, r: float) -> float | None:
    """Return complaints per order, drawn towards `r` as if by `k` orders more."""
    raised, placed = row["complaints_90d"], row["orders_90d"]
    assert isinstance(raised, int)
    assert isinstance(placed, int)
    return ratio(raised + k * r, placed + k)


def told_at(event: Event) -> tuple[int, int, str]:
    """Return the place of an event in a customer's story: by its time, then as it was judged."""
    return (event.at, event.judged_at, event.event_id)


def open_since(events: Iterable[Event]) -> dict[str, int]:
    """Return, for each complaint that is open, when it last went from closed to open.

    The events are told again in event time, so the answer does not depend on the order of arrival: an
    opening dated before a known resolution does not open, a resolution of an unknown id closes nothing.
    """
    since: dict[str, int] = {}
    for event in sorted(events, key=told_at):
        if event.complaint_id is None:
            continue
        if event.status == ComplaintStatus.RESOLVED:
            since.pop(event.complaint_id, None)
        elif event.status != ComplaintStatus.ANSWERED:
            since.setdefault(event.complaint_id, event.at)
    return since


def complaint_life(view: View) -> dict[str, Value]:
    """Return what is open, since when, and how the handling was liked."""
    since = open_since(view.held_of(Topic.COMPLAINTS))
    answers, solutions = handled(view)
    resolved = last_days(view, view.held_of(Topic.COMPLAINTS, ComplaintStatus.RESOLVED), 90)
    marks = [e.satisfaction for e in resolved if e.satisfaction]
    return {
        "open_complaints": len(since),
        "oldest_open_complaint_days": view.days_since(min(since.values())) if since else None,
        "handling_satisfaction_90d": sum(marks) / len(marks) if marks else None,
        "answer_days_90d": mean_days(view, answers),
        "resolution_days_90d": mean_days(view, solutions),
    }


Handled = list[tuple[Event, int]]
"""Answers or resolutions, each with when its complaint had been opened."""


def handled(view: View) -> tuple[Handled, Handled]:
    """Return the first answers to open complaints, and the resolutions that found one open.

    Each is judged by what was known when it was taken.
    """
    answers: Handled = []
    solutions: Handled = []
    events = view.held_of(Topic.COMPLAINTS)
    for i, event in enumerate(events):
        opened = open_since(events[:i]).get(str(event.complaint_id))
        if opened is None or opened > event.at:
            continue
        if event.status == ComplaintStatus.RESOLVED:
            solutions.append((event, opened))
        earlier = [e for e, _ in answers if e.complaint_id == event.complaint_id and e.at >= opened]
        if event.status == ComplaintStatus.ANSWERED and not earlier:
            answers.append((event, opened))
    return answers, solutions


def mean_days(view: View, found: Handled) -> float | None:
    """Return the mean time that those of the last 90 days took."""
    lately = [(event.at - opened) / DAY for event, opened in found if 0 <= view.age(event) < 90]
    return sum(lately) / len(lately) if lately else None


def returns(view: View) -> dict[str, Value]:
    """Return orders cancelled or returned, and their share of the placed ones."""
    back = last_days(view, view.held_of(Topic.ORDERS, OrderStatus.CANCELLED, OrderStatus.RETURNED), 90)
    placed = last_days(view, view.held_of(Topic.ORDERS, OrderStatus.PLACED), 90)
    return {"returns_90d": len(back), "return_rate_90d": ratio(len(back), len(placed))}


def mean_share(answers: Sequence[Event]) -> float | None:
    """Return the mean of score / scale of survey answers."""
    return sum(e.amount for e in answers) / len(answers) / MILLION if answers else None


def feedback(view: View) -> dict[str, Value]:
    """Return level and trend of survey answers."""
    answers = view.held_of(Topic.FEEDBACK)
    recent = mean_share(last_days(view, answers, 30))
    earlier = mean_share(days_31_to_60(view, answers))
    return {
        "feedback_mean_90d": mean_share(last_days(view, answers, 90)),
        "feedback_trend": None if recent is None or earlier is None else ratio(recent, earlier),
    }


def profile_of(events: Sequence[Event]) -> ProfileRecord:
    """Return the newest profile, which replaces older ones whole."""
    records = sorted((e for e in events if e.topic == Topic.PROFILES), key=told_at)
    newest = records[-1].record if records else None
    return newest if isinstance(newest, ProfileRecord) else ProfileRecord()


def profile(view: View) -> dict[str, Value]:
    """Return the attributes of the newest profile."""
    said = profile_of(view.seen)
    ends = said.contract_ends_at
    return {
        "customer_class": said.customer_class,
        "segment": said.segment,
        "region": said.region,
        "origin": said.origin,
        "account_owner": said.account_owner,
        "days_to_contract_end": None if ends is None else (ends - view.at) / DAY,
    }


ANYONE: Final = {"order": Topic.ORDERS, "login": Topic.LOGINS, "complaint": Topic.COMPLAINTS}
"""Of these topics the newest event of anyone in the partition is known."""

_O, _L, _C = (Topic.ORDERS,), (Topic.LOGINS,), (Topic.COMPLAINTS,)
_F, _P = (Topic.FEEDBACK,), (Topic.PROFILES,)

READS: Final[dict[str, tuple[Topic, ...]]] = {
    **dict.fromkeys(("orders_7d", "orders_30d", "orders_90d", "orders_prev_30d", "orders_total"), _O),
    **dict.fromkeys(("spend_7d", "spend_30d", "spend_90d", "spend_prev_30d", "spend_total"), _O),
    **dict.fromkeys(("days_since_order", "order_gap_mean", "overdue", "order_trend", "spend_trend"), _O),
    **dict.fromkeys(("silence", "order_gap_std", "last_gap", "active_weeks_12", "active_weeks_26"), _O),
    **dict.fromkeys(("returns_90d", "return_rate_90d"), _O),
    **dict.fromkeys(("logins_7d", "logins_30d", "logins_90d", "logins_prev_30d", "logins_total"), _L),
    **dict.fromkeys(("days_since_login", "login_trend"), _L),
    **dict.fromkeys(("complaints_30d", "complaints_90d", "complaints_prev_30d", "complaints_total"), _C),
    **dict.fromkeys(("days_since_complaint", "open_complaints", "oldest_open_complaint_days"), _C),
    **dict.fromkeys(("handling_satisfaction_90d", "answer_days_90d", "resolution_days_90d"), _C),
    "complaint_without_order_days": (*_C, *_O),
    "complaint_without_login_days": (*_C, *_L),
    "complaint_rate_90d": (*_O, *_C),
    **dict.fromkeys(("feedback_mean_90d", "feedback_trend"), _F),
    **dict.fromkeys(
        ("customer_class", "segment", "region", "origin", "account_owner", "days_to_contract_end"), _P
    ),
    "tenure_days": (),
    "days_since_any_order": _O,
    "days_since_any_login": _L,
    "days_since_any_complaint": _C,
}
"""Each feature with the topics it reads: while one of them is quiet, it is missing."""
