"""The database parts on a PostgreSQL server, where it does other things than SQLite."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, func, insert, select, text

from consumers.database.aside import UnreadableRow
from consumers.database.database import Database, StoreAway
from consumers.database.migrations.runner import newest_version
from consumers.database.notices import ChannelRow, OutboxRow
from consumers.database.warnings import SegmentWarningRow, SegmentWarningStepRow, WarningRow, WarningStepRow
from consumers.muting.counts import muted_by_reason, muted_by_silence
from consumers.notify.outbox import Outbox
from consumers.sink.kinds import SEGMENT_WARNINGS, WARNINGS
from consumers.sink.sink import Sink
from consumers.sink.store import Counts
from consumers.stored_warnings import WarningFilter, find_warning, find_warnings
from tests.consumers import segment_events
from tests.consumers.notify.notice_shop import BEGIN, DAY, HOUR, LIMITS, Shop, put, silence
from tests.consumers.notify.notice_shop import store as store_shop
from tests.consumers.notify.test_hostile_warnings import EVENTS, GOOD, NASTY, PLACES, notified
from tests.consumers.stored import store_records
from tests.consumers.stubs import NOW, Clock, Topic, Waits, later_columns
from tests.consumers.warning_events import TOPIC, life, records, value, warning_id


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = Database(postgres_url)
    assert opened.prepare() == (0, newest_version())
    yield opened
    opened.close()


def store(database: Database, contents: list[bytes | None]) -> Counts:
    return store_records(database, records(contents))


def test_steps_are_stored_once_in_any_order_and_read_back_as_they_went_in(database: Database) -> None:
    lives: list[bytes | None] = [content for n in range(20) for content in life(f"c{n}")]
    assert store(database, lives[::-1]) == Counts(records=80, stored=80)
    assert store(database, lives) == Counts(records=80, repeats=80)
    with database.reading() as connection:
        states = connection.execute(select(WarningRow.state, WarningRow.last_step).distinct()).all()
        assert [tuple(row) for row in states] == [("resolved", 4)]
        step = connection.execute(select(WarningStepRow.__table__).order_by(WarningStepRow.id)).first()
        assert step is not None
        assert step.received_at == NOW
        assert step.data["causes"][0]["values"] == {"orders_30d": 1, "order_trend": 0.25, "segment": None}
        tiers = text("SELECT DISTINCT data->'causes'->0->>'tier' FROM warning_steps ORDER BY 1")
        assert connection.scalars(tiers).all() == ["high", "medium"]


def test_a_row_that_the_server_refuses_is_put_aside_and_the_rest_stored(database: Database) -> None:
    contents: list[bytes | None] = [value(customer=f"c{n}") for n in range(9)]
    # NUL is in no PostgreSQL text; a step that an integer cannot hold is refused where it is read.
    contents[3] = value(customer="c3").replace(b'"order-collapse"', b'"a\\u0000b"')
    contents[6] = value(customer="c6").replace(b'"step":1,', b'"step":3000000000,')
    assert store(database, [*contents, b"\x00\xff"]) == Counts(records=10, stored=7, unreadable=3)
    with database.reading() as connection:
        aside = connection.execute(
            select(UnreadableRow.__table__).order_by(UnreadableRow.source_offset)
        ).all()
    assert [(row.reason, row.source_offset) for row in aside] == [
        ("refused", 3),
        ("invalid", 6),
        ("invalid", 9),
    ]
    assert aside[0].value == contents[3]
    assert "c3" not in aside[0].detail


def test_segments_steps_are_stored_once_and_read_back_as_they_went_in(database: Database) -> None:
    contents: list[bytes | None] = [content for n in range(9) for content in segment_events.life(f"s{n}")]
    contents.append(segment_events.value("s9").replace(b'"complaints-up"', b'"a\\u0000b"'))
    for order, counts in ((-1, Counts(37, 36, 0, 0, 1)), (1, Counts(37, 0, 36, 0, 1))):
        records_found = segment_events.records(contents[::order])
        assert store_records(database, records_found, kind=SEGMENT_WARNINGS) == counts
    with database.reading() as connection:
        found = connection.execute(
            select(SegmentWarningRow.__table__).order_by(SegmentWarningRow.value)
        ).all()
        assert [(row.value, row.state, row.last_step) for row in found] == [
            (f"s{n}", "resolved", 4) for n in range(9)
        ]
        step = connection.execute(select(SegmentWarningStepRow.__table__)).first()
        assert step is not None
        assert step.data["causes"][0]["values"] == {"complaints_7d": 12, "complaint_rise": 2.5}


def test_two_sinks_at_once_lose_and_double_nothing_and_number_in_order(
    database: Database, postgres_url: str
) -> None:
    lives: list[bytes | None] = [content for n in range(60) for content in life(f"c{n}")]
    other = Database(postgres_url)
    seen: list[int] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def read_on() -> None:
        """Read by cursor as the outbox does; a number that becomes visible late would be missed."""
        last = 0
        reader = Database(postgres_url)
        while True:
            finished = done.is_set()
            with reader.reading() as connection:
                query = select(WarningStepRow.seq).where(WarningStepRow.seq > last)
                found = list(connection.scalars(query.order_by(WarningStepRow.seq)))
            seen.extend(found)
            last = found[-1] if found else last
            if finished and not found:
                break
        reader.close()

    def sink(into: Database, contents: list[bytes | None]) -> None:
        try:
            Sink(Topic(contents, size=7), into, Waits(), {TOPIC: WARNINGS}, clock=Clock(), enough=1).run(
                follow=False
            )
        except BaseException as error:
            errors.append(error)

    follower = threading.Thread(target=read_on)
    sinks = [
        threading.Thread(target=sink, args=args)
        for args in ((database, lives), (other, list(reversed(lives))))
    ]
    follower.start()
    for thread in sinks:
        thread.start()
    for thread in sinks:
        thread.join(30)
    done.set()
    follower.join(30)
    assert errors == []
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(WarningStepRow)) == len(lives)
        assert seen == list(connection.scalars(select(WarningStepRow.seq).order_by(WarningStepRow.seq)))
        assert set(connection.scalars(select(WarningRow.last_step))) == {4}
    other.close()


def test_two_notifiers_claim_each_message_once(database: Database, postgres_url: str) -> None:
    store(database, [content for n in range(100) for content in life(f"c{n}")])
    other = Database(postgres_url)
    boxes = [Outbox(database, "one"), Outbox(other, "two")]
    assert boxes[0].add_channels(["desk"], NOW, from_now=False) == {"desk": 200}
    claimed: list[list[str]] = [[], []]

    def claim(n: int) -> None:
        boxes[n].fill(["desk"], NOW)
        while batch := boxes[n].claim("desk", 7, NOW):
            claimed[n] += [delivery.step_id for delivery in batch]

    threads = [threading.Thread(target=claim, args=(n,)) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(claimed[0] + claimed[1]) == len(set(claimed[0] + claimed[1])) == 200
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(OutboxRow)) == 200
    other.close()


def test_silences_hold_notices_and_let_them_go(database: Database) -> None:
    quiet = {"begins": "11:00", "ends": "13:00"}
    put(database, silence("s", BEGIN - DAY, BEGIN + DAY, matchers={"customers": ["c1"]}))
    put(database, silence("q", BEGIN - DAY, None, matchers={"customers": ["c2"]}, recurring=quiet))
    shop = Shop([], {})
    for customer in ("c1", "c2", "c3"):
        shop.step(customer, BEGIN, "opened")
    store_shop(database, shop)
    box = Outbox(database, "one", LIMITS)
    box.add_channels(["desk"], BEGIN, from_now=False)
    told = [box.fill(["desk"], BEGIN + hours * HOUR) for hours in (0, 0, 2, 24, 25)]
    assert told == [1, 0, 1, 1, 0]
    assert muted_by_silence(database) == {"s": 1, "q": 1}
    assert muted_by_reason(database)["silence"] == {"held": 0, "muted": 1}
    put(database, silence("stop", BEGIN + DAY, BEGIN + 2 * DAY))
    assert box.claim("desk", 10, BEGIN + 25 * HOUR) == []
    assert len(box.claim("desk", 10, BEGIN + 3 * DAY + 2 * HOUR)) == 3


def test_a_file_of_before_the_notices_is_upgraded(postgres_url: str) -> None:
    old = Database(postgres_url)
    assert old.prepare(to=3) == (0, 3)
    with later_columns(old):
        store(old, [content for n in range(5) for content in life(f"c{n}")])
    with old.writing() as connection:
        connection.execute(insert(ChannelRow).values(name="desk", filled_to=8, added_at=NOW))
    assert old.prepare() == (3, newest_version())
    assert Outbox(old, "x").fill(["desk"], NOW) == 2 * 3
    old.close()


def test_a_server_that_ends_connections_is_tried_again(database: Database, postgres_url: str) -> None:
    store(database, [*life("c1")])
    admin = create_engine(postgres_url)

    def cut_and_go_on() -> None:
        with admin.connect() as connection, database.writing() as ours:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(text(others + " AND datname = current_database()"))
            ours.execute(select(func.count()).select_from(WarningRow))

    with pytest.raises(StoreAway):
        cut_and_go_on()
    admin.dispose()
    assert store(database, [*life("c2")]).stored == 4


def test_any_value_at_any_place_is_stored_or_put_aside_and_the_good_ones_are_sent(database: Database) -> None:
    hostile: list[bytes | None] = []
    for number, event in enumerate(EVENTS):
        for place in PLACES[number]:
            for nasty in NASTY:
                changed: Any = copy.deepcopy(event)
                node = changed
                for key in place[:-1]:
                    node = node[key]
                node[place[-1]] = nasty
                hostile.append(json.dumps(changed).encode())
    contents = [*life("g1"), *hostile, *life("g2")]
    counts = store(database, contents)
    assert counts.stored + counts.repeats + counts.unreadable == len(contents) > 5_000
    sent, tally = notified(database)
    assert [step for step in sent if step in GOOD] == GOOD
    assert tally.failed == 0
    found = find_warnings(database, WarningFilter(states=("resolved",)))
    assert {warning_id("g1"), warning_id("g2")} <= {each.id for each in found}
    assert find_warning(database, warning_id("g1")[:13]).warning.id == warning_id("g1")
