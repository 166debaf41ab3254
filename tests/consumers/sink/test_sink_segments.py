from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect as look
from sqlalchemy import select

from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.migrations.runner import newest_version
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningRow, WarningStepRow
from consumers.sink.kinds import SEGMENT_WARNINGS, WARNINGS
from consumers.sink.sink import Sink
from consumers.sink.store import Counts
from streams.contract.segments import parse_segment_warning
from tests.consumers import segment_events, warning_events
from tests.consumers.segment_events import life, value, warning_id
from tests.consumers.stored import empty_database, store_records
from tests.consumers.stubs import Clock, Topic, Waits, later_columns, refuse_rows


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'w.db'}")
    opened.prepare()
    yield opened
    opened.close()


def store(database: Database, contents: Sequence[bytes | None]) -> Counts:
    return store_records(database, segment_events.records(contents), kind=SEGMENT_WARNINGS)


def rows(database: Database, table: type[Base]) -> list[dict[str, Any]]:
    with database.reading() as connection:
        return [dict(row) for row in connection.execute(select(table.__table__)).mappings()]


def test_a_step_is_stored_with_its_place_and_the_warning_with_its_state(database: Database) -> None:
    contents = life("north")
    assert store(database, contents[:3]) == Counts(records=3, stored=3)
    first, _, third = rows(database, SegmentWarningStepRow)
    assert (first["id"], first["type"]) == (f"{warning_id('north')}/1", "churn.segment.opened")
    assert (first["dimension"], first["value"], first["step"]) == ("region", "north", 1)
    assert first["data"] == json.loads(contents[0])["data"]
    assert (first["source_topic"], first["source_offset"]) == ("segment-warnings", 0)
    (warning,) = rows(database, SegmentWarningRow)
    assert warning == {
        "id": warning_id("north"),
        "dimension": "region",
        "value": "north",
        "state": "open",
        "tier": "high",
        "opened_at": first["time"],
        "updated_at": third["time"],
        "closed_at": None,
        "last_step": 3,
        "last_type": "churn.segment.escalated",
        "causes": json.loads(contents[2])["data"]["causes"],
        "rule_set": "abc",
    }
    store(database, contents[3:])
    (warning,) = rows(database, SegmentWarningRow)
    assert warning["state"] == "resolved"
    assert warning["closed_at"] == warning["updated_at"] > third["time"]
    assert rows(database, WarningStepRow) == rows(database, WarningRow) == []


def newest_by_hand(contents: Sequence[bytes]) -> dict[str, tuple[str, int, str]]:
    newest: dict[str, tuple[str, int, str]] = {}
    for content in contents:
        data = parse_segment_warning(content).data
        if data.warning_id not in newest or newest[data.warning_id][1] < data.step:
            newest[data.warning_id] = (data.value, data.step, data.state)
    return newest


LIVES = [content for segment in ("north", "south") for content in life(segment)]


@given(order=st.lists(st.sampled_from(LIVES), max_size=16), size=st.integers(1, 9))
def test_the_database_is_what_the_topic_says_whatever_the_order_and_repeats(
    order: list[bytes], size: int
) -> None:
    database = empty_database()
    counts = Counts()
    for begin in range(0, len(order), size):
        counts.add(store(database, order[begin : begin + size]))
    distinct = set(order)
    assert (counts.stored, counts.repeats) == (len(distinct), len(order) - len(distinct))
    stored = [row["id"] for row in rows(database, SegmentWarningStepRow)]
    assert sorted(stored) == sorted(parse_segment_warning(content).id for content in distinct)
    found = rows(database, SegmentWarningRow)
    assert {row["id"]: (row["value"], row["last_step"], row["state"]) for row in found} == newest_by_hand(
        order
    )
    database.close()


def test_what_is_no_segments_warning_is_put_aside_and_the_rest_goes_on(database: Database) -> None:
    contents: list[bytes | None] = [value(), None, b"{}", warning_events.value(), value(causes=("another",))]
    assert store(database, contents) == Counts(records=5, stored=1, unreadable=4)
    aside = rows(database, UnreadableRow)
    assert [(row["reason"], row["source_offset"]) for row in aside] == [
        ("empty", 1),
        ("invalid", 2),
        ("invalid", 3),
        ("conflict", 4),
    ]
    assert {row["source_topic"] for row in aside} == {"segment-warnings"}
    assert store(database, contents) == Counts(records=5, repeats=1, unreadable=4)
    assert len(rows(database, UnreadableRow)) == 4


def test_a_row_that_the_database_refuses_is_put_aside_alone(database: Database) -> None:
    contents: list[bytes | None] = [value(f"s{n}") for n in range(9)]
    refuse_rows(database, "segment_warning_steps", "value = 's5'")
    assert store(database, contents) == Counts(records=9, stored=8, unreadable=1)
    (aside,) = rows(database, UnreadableRow)
    assert (aside["reason"], aside["source_offset"]) == ("refused", 5)


class BothTopics(Topic):
    """A subscription to both topics, which the types of their events distinguish."""

    def __init__(self, contents: Sequence[bytes | None], size: int) -> None:
        super().__init__(contents, size)
        self.committed: dict[tuple[str, int], int] = {}

    def poll(self, timeout_s: float) -> list[Record]:
        return [
            replace(found, topic=segment_events.TOPIC) if b"churn.segment." in (found.value or b"") else found
            for found in super().poll(timeout_s)
        ]

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        super().commit(offsets)
        self.committed |= offsets


MIXED = [*warning_events.life("c1")[:2], *life("north"), *warning_events.life("c1")[2:], *life("south")]


def sink_of(topic: Topic, database: Database) -> Sink:
    kinds = {warning_events.TOPIC: WARNINGS, segment_events.TOPIC: SEGMENT_WARNINGS}
    return Sink(topic, database, Waits(), kinds, clock=Clock(), enough=1)


@pytest.mark.parametrize("size", [1, 3, 99])
def test_the_sink_stores_both_topics_to_their_ends_and_commits_each(database: Database, size: int) -> None:
    topic = BothTopics(MIXED, size)
    assert sink_of(topic, database).run(follow=False).total == Counts(records=12, stored=12)
    assert topic.committed == {(warning_events.TOPIC, 0): 8, (segment_events.TOPIC, 0): 12}
    assert [row["value"] for row in rows(database, SegmentWarningRow)] == ["north", "south"]
    assert len(rows(database, WarningStepRow)) == 4
    assert len(rows(database, WarningRow)) == 1


def test_a_crash_between_the_database_and_the_commit_doubles_nothing(database: Database) -> None:
    topic = BothTopics(MIXED, size=5)

    def crash() -> None:
        raise KeyboardInterrupt

    topic.before_commit = crash
    with pytest.raises(KeyboardInterrupt):
        sink_of(topic, database).run()
    assert topic.commits == []
    again = sink_of(BothTopics(MIXED, size=4), database)
    assert again.run(follow=False).total == Counts(records=12, stored=7, repeats=5)
    assert [row["step"] for row in rows(database, SegmentWarningStepRow)] == [1, 2, 3, 4] * 2


def test_a_database_of_before_keeps_its_warnings_and_gets_the_tables(tmp_path: Path) -> None:
    old = Database(f"sqlite:///{tmp_path / 'w.db'}")
    assert old.prepare(to=4) == (0, 4)
    with later_columns(old):
        store_records(old, warning_events.records([*warning_events.life("c1")]))
    with old.reading() as connection:
        assert not look(connection).has_table("segment_warnings")
    assert old.prepare() == (4, newest_version())
    assert len(rows(old, WarningStepRow)) == 4
    assert store(old, life("north")).stored == 4
    old.close()
