"""Counts by rule and group against a plain recount of the records, whenever new ones come."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from consumers.database.database import Database
from consumers.database.notices import NoticeRow
from consumers.desk.reports.live_counts import DIMENSIONS, MONTH, WEEK, LiveCounter, LiveCounts
from consumers.sink.kinds import SEGMENT_WARNINGS, WARNINGS
from tests.consumers import segment_events
from tests.consumers.desk.stored_shop import by_topic, last_instant, lines
from tests.consumers.shop_records import NOW
from tests.consumers.stored import store_records

Counts = dict[str, int]


def newest(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return `data` of the open warnings' newest steps."""
    found: dict[str, dict[str, Any]] = {}
    for data in sorted((step["data"] for step in steps), key=lambda data: int(data["step"])):
        found[data["warning_id"]] = data
    return [data for data in found.values() if data["state"] == "open"]


def open_causes(steps: list[dict[str, Any]], *, with_holdout: bool) -> Counts:
    counts: Counts = defaultdict(int)
    for data in newest(steps):
        for cause in data["causes"]:
            counts[cause["rule"]] += with_holdout or not data["holdout"]
    return {rule: number for rule, number in counts.items() if number}


def opened(steps: list[dict[str, Any]], since: datetime, now: datetime, *, with_holdout: bool) -> Counts:
    causes = {
        (cause["rule"], step["data"]["customer_id"], cause["opened_at"])
        for step in steps
        for cause in step["data"]["causes"]
        if since <= datetime.fromisoformat(cause["opened_at"]) <= now
        and (with_holdout or not step["data"]["holdout"])
    }
    counts: Counts = defaultdict(int)
    for rule, _customer, _at in causes:
        counts[rule] += 1
    return dict(counts)


def at_risk(
    steps: list[dict[str, Any]], dimension: str, *, with_holdout: bool
) -> dict[Any, tuple[int, int, Any]]:
    found: dict[Any, tuple[int, int, Any]] = {}
    for data in newest(steps):
        if with_holdout or not data["holdout"]:
            n, high, risk = found.get(data[dimension], (0, 0, 0.0))
            urgent = data["tier"] == "high"
            found[data[dimension]] = (n + 1, high + urgent, risk + (data["value_at_risk"] or 0.0))
    return found


def seen(counts: Any, with_holdout: bool) -> Counts:
    found = {rule: tally.seen(with_holdout) for rule, tally in counts.items()}
    return {rule: number for rule, number in found.items() if number}


def compare(found: LiveCounts, steps: list[dict[str, Any]], now: datetime) -> None:
    for with_holdout in (True, False):
        assert seen(found.open, with_holdout) == open_causes(steps, with_holdout=with_holdout)
        for tallies, span in ((found.opened_week, WEEK), (found.opened_month, MONTH)):
            assert seen(tallies, with_holdout) == opened(steps, now - span, now, with_holdout=with_holdout)
        for dimension in DIMENSIONS:
            groups: dict[Any, tuple[int, int, Any]] = {
                name: (
                    group.warnings.seen(with_holdout),
                    group.high.seen(with_holdout),
                    pytest.approx(group.value_at_risk(with_holdout)),
                )
                for name, group in found.groups[dimension].items()
                if group.warnings.seen(with_holdout)
            }
            assert groups == at_risk(steps, dimension, with_holdout=with_holdout)


def test_counts_are_those_of_a_recount_as_records_come(database: Database) -> None:
    records, steps = by_topic()["churn-warnings"], list(lines("churn-warnings"))
    counter = LiveCounter(database)
    held_out = 0
    for end in (0, len(records) // 2, len(records) - 3, len(records)):
        store_records(database, records[:end], NOW, WARNINGS)
        now = max((datetime.fromisoformat(s["time"]) for s in steps[:end]), default=last_instant())
        found = counter.count(now)
        compare(found, steps[:end], now)
        compare(LiveCounter(database).count(now), steps[:end], now)
        held_out += sum(tally.held_out for tally in found.open.values())
    assert held_out  # else the test shows nothing of them
    later = last_instant() + timedelta(days=20)
    compare(counter.count(later), steps, later)


def test_segments_count_under_their_rules(database: Database) -> None:
    records = segment_events.records([*segment_events.life("north")[:3], segment_events.value("south")])
    store_records(database, records, NOW, SEGMENT_WARNINGS)
    at = datetime.fromisoformat("2011-03-20T00:00:00+00:00")
    found = LiveCounter(database).count(at)
    assert {rule: tally.all for rule, tally in found.open.items()} == {"a": 1, "c": 1, "complaints-up": 1}
    assert {rule: tally.all for rule, tally in found.opened_week.items()} == {
        "a": 1,
        "b": 1,
        "c": 1,
        "complaints-up": 2,
    }


def test_a_step_with_several_muted_notices_counts_once_for_each_of_its_rules(database: Database) -> None:
    records = by_topic()["churn-warnings"][:3]
    store_records(database, records, NOW, WARNINGS)
    steps = lines("churn-warnings")[:3]
    now = last_instant()

    def row(
        step: dict[str, Any], verdict: str, why: str | None, at: datetime, rules: list[str]
    ) -> dict[str, Any]:
        data = step["data"]
        return {
            "step_id": step["id"],
            "warning_id": data["warning_id"],
            "step": data["step"],
            "customer_id": data["customer_id"],
            "kind": "opened",
            "at": at,
            "tier": data["tier"],
            "rules": rules,
            "verdict": verdict,
            "why": why,
            "by_wall_clock": False,
            "judged_at": NOW,
        }

    rows = [
        row(steps[0], "held", "silence", now, ["a", "b"]),
        row(steps[0], "muted", "silence", now, ["a"]),
        row(steps[1], "muted", "holdout", now, ["a"]),
        row(steps[2], "told", None, now, ["a"]),
        row(steps[2], "muted", "fatigue", now - timedelta(days=31), ["a"]),
    ]
    with database.writing() as connection:
        connection.execute(insert(NoticeRow), rows)
    found = LiveCounter(database).count(now).muted_month
    assert {rule: (tally.all, tally.held_out) for rule, tally in found.items()} == {"a": (2, 1), "b": (1, 0)}
