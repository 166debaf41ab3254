"""The handling of complaints against a plain count over their events."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import mean, quantiles
from typing import Any

import pytest

from consumers.database.database import Database
from consumers.reports.complaints import Complaints, Handling, Limits, Waiting, complaints, read_complaints
from consumers.reports.knowledge import Knowledge
from consumers.reports.period import Period
from consumers.sink.kinds import complaints as complaint_kind
from streams.share import Share
from tests.consumers.scorecard.stored import put
from tests.consumers.shop_records import KINDS, shop_records
from tests.consumers.shop_records import NOW as SHOP_NOW
from tests.consumers.stored import empty_database, store_records

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = Limits(timedelta(days=2), timedelta(days=9))
KNOWLEDGE = Knowledge("UTC", timedelta(days=30), timedelta(days=30))
Line = dict[str, Any]


def events(seed: int, count: int = 400) -> list[Line]:
    """Return events of complaints, many of which run their usual course."""
    chance = random.Random(seed)
    found: list[Line] = []
    for number in range(count):
        at = FIRST + chance.randrange(24 * 120) * HOUR
        customer = f"c{chance.randrange(30)}"
        course = ("opened", "answered", "resolved", "reopened", "answered", "resolved")
        for status in course[: chance.choice((1, 1, 2, 3, 3, 3, 6))]:
            if status == "answered" and chance.random() < 0.2:
                continue
            line: Line = {
                "event_id": f"e{len(found)}",
                "customer_id": customer,
                "occurred_at": at.isoformat(),
                "complaint_id": f"k{number}",
                "status": status,
                "category": chance.choice((None, "price", "price", "delivery", "other")),
            }
            if status == "resolved" and chance.random() < 0.6:
                line["satisfaction"] = chance.randint(1, 5)
            found.append(line)
            at += chance.randrange(1, 24 * 6) * HOUR
    chance.shuffle(found)
    return found


def stored(lines: list[Line], database: Database) -> None:
    contents = [(line["customer_id"].encode(), json.dumps(line).encode()) for line in lines]
    put(database, complaint_kind(3_600_000_000), contents, NOW)


def at_of(line: Line) -> datetime:
    return datetime.fromisoformat(line["occurred_at"])


class Course:
    """One complaint, event by event."""

    def __init__(self, lines: list[Line]) -> None:
        self.opened: datetime | None = None
        self.answered: datetime | None = None
        self.first_solved: datetime | None = None
        self.solved: datetime | None = None
        self.reopened = False
        self.category: str | None = None
        self.rating: int | None = None
        is_open = False
        for line in sorted(lines, key=lambda each: (at_of(each), each["event_id"])):
            at, status = at_of(line), line["status"]
            if status == "resolved":
                if is_open and self.first_solved is None:
                    self.first_solved = at
                self.solved, is_open = at, False
                self.rating = line.get("satisfaction") or self.rating
            elif status == "answered":
                if is_open and self.answered is None and self.first_solved is None:
                    self.answered = at
            elif not is_open:
                if self.opened is None and self.solved is None:
                    self.opened = at
                else:
                    self.reopened = True
                is_open, self.solved = True, None
            self.category = line.get("category") or self.category


def courses(lines: list[Line], period: Period) -> list[Course]:
    own: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        own.setdefault((line["customer_id"], line["complaint_id"]), []).append(line)
    found = [Course(each) for each in own.values()]
    return [each for each in found if each.opened and period.begin_at <= each.opened < period.end_at]


def check_waiting(
    made: Waiting, pairs: list[tuple[datetime, datetime | None]], limit: timedelta, now: datetime
) -> None:
    """Compare with the openings and what ended the wait."""
    due = [(opened, end) for opened, end in pairs if end is not None or now > opened + limit]
    late = [end for opened, end in due if end is None or end > opened + limit]
    assert made.late == Share(len(late), len(due))
    assert made.open == sum(end is None for _, end in pairs)
    assert made.not_due == len(pairs) - len(due)


def check_days(made: Waiting, took: list[float]) -> None:
    assert made.days.count == len(took)
    if len(took) > 1:
        assert (made.days.low, made.days.median, made.days.high) == pytest.approx(
            quantiles(took, n=4, method="inclusive")
        )


def check(made: Handling, own: list[Course], now: datetime) -> None:
    assert made.n == len(own)
    day = timedelta(days=1)
    check_days(made.answer, [(c.answered - c.opened) / day for c in own if c.opened and c.answered])
    check_days(made.solution, [(c.solved - c.opened) / day for c in own if c.opened and c.solved])
    assert LIMITS.answer is not None
    assert LIMITS.solution is not None
    firsts = [(c.opened, c.answered or c.first_solved) for c in own if c.opened]
    check_waiting(made.answer, firsts, LIMITS.answer, now)
    check_waiting(made.solution, [(c.opened, c.solved) for c in own if c.opened], LIMITS.solution, now)
    assert made.solved_unanswered == sum(c.answered is None and c.first_solved is not None for c in own)
    solved = [c for c in own if c.first_solved]
    ratings = [c.rating for c in solved if c.rating]
    assert made.reopened == Share(sum(c.reopened for c in solved), len(solved))
    assert made.rated == Share(len(ratings), len(solved))
    assert made.satisfied == Share(sum(each >= 4 for each in ratings), len(ratings))
    assert made.satisfaction == (pytest.approx(mean(ratings)) if ratings else None)


def made_of(database: Database, period: Period, knowledge: Knowledge = KNOWLEDGE) -> Complaints:
    with database.reading() as connection:
        return complaints(read_complaints(connection, period, knowledge), period, LIMITS)


def compare(lines: list[Line], database: Database) -> None:
    now = max(map(at_of, lines))
    for text in ("2025-01", "2025-04", "2025-05", "2025-02-10..2025-03-20", "2024"):
        period = Period.parse(text, "UTC")
        made = made_of(database, period)
        own = courses(lines, period)
        check(made.all, own, now)
        counts = Counter(each.category for each in own)
        assert {each.category: each.n for each, _ in made.categories} == counts
        for each, _ in made.categories:
            check(each, [c for c in own if c.category == each.category], now)
        assert made.failed == ()
        json.dumps(made.as_dict())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_handling_is_that_of_a_plain_count(seed: int) -> None:
    database = empty_database()
    stored(events(seed), database)
    compare(events(seed), database)
    whole = made_of(database, Period.parse("2025", "UTC")).all
    assert min(whole.answer.late.part, whole.solution.late.part, whole.solution.open) > 0
    assert min(whole.solved_unanswered, whole.reopened.part) > 0


def test_handling_is_the_same_on_either_database(database_url: str) -> None:
    database = Database(database_url)
    database.prepare()
    stored(events(4, 150), database)
    compare(events(4, 150), database)
    database.close()


def test_complaints_of_a_simulated_shop_are_those_of_its_lines() -> None:
    records = [record for record in shop_records() if record.topic == "complaints"]
    database = empty_database()
    store_records(database, records, SHOP_NOW, KINDS["complaints"])
    lines = [json.loads(record.value or b"") for record in records]
    period = Period.parse("2024", "UTC")
    made = made_of(database, period)
    check(made.all, courses(lines, period), max(map(at_of, lines)))
    assert made.all.n > 0


def test_without_limits_nothing_is_late() -> None:
    database = empty_database()
    stored(events(1), database)
    period = Period.parse("2025", "UTC")
    with database.reading() as connection:
        facts = read_complaints(connection, period, KNOWLEDGE)
    found = complaints(facts, period, Limits(None, None)).as_dict()["all"]
    assert found["first_answer"]["late"] is None
    assert found["solution"]["late"] is None


def test_a_small_category_has_no_figures() -> None:
    lines = [
        {
            "event_id": f"e{number}",
            "customer_id": f"c{number}",
            "occurred_at": (FIRST + number * HOUR).isoformat(),
            "complaint_id": "k",
            "status": "opened",
            "category": category,
        }
        for number, category in enumerate(["price"] * 9 + ["delivery"] * 8 + ["other"] * 2)
    ]
    database = empty_database()
    stored(lines, database)
    found = made_of(database, Period.parse("2025-01", "UTC"))
    assert [(each.category, is_shown) for each, is_shown in found.categories] == [
        ("price", True),
        ("delivery", False),
        ("other", False),
    ]
    assert found.as_dict()["categories"][2] == {"category": "other", "hidden": True}


def test_what_was_stored_later_is_not_counted() -> None:
    database = empty_database()
    stored(events(1), database)
    before = replace(KNOWLEDGE, as_of=NOW - HOUR)
    found = made_of(database, Period.parse("2025", "UTC"), before)
    assert (found.all.n, found.known_to, found.categories) == (0, None, ())
