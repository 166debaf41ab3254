"""What the records of every topic become, whatever their order, repeats and mistakes, on both databases."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.events import ActionRow, ComplaintRow
from consumers.database.learning import AdoptionRow
from consumers.database.outcomes import CensusRow, CustomerDaysRow, OutcomeRow
from consumers.database.warnings import WarningRow, WarningStepRow
from consumers.sink.store import Counts, SinkCounts, topics_without_rows, write
from streams.contract.audit import encode_adopted, parse_adopted
from tests.consumers.shop_records import KINDS, NOW, shop_records
from tests.consumers.stored import empty_database
from tests.consumers.stubs import Clock, refuse_rows

STORED_WHEN = ("seq", "stored_at", "received_at")
"""Columns that depend on when a row was stored."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'w.db'}" if is_file else request.getfixturevalue("postgres_url")
    opened = Database(url)
    opened.prepare()
    yield opened
    opened.close()


def store(database: Database, records: Sequence[Record], now: datetime = NOW) -> SinkCounts:
    """Store records of several topics as one poll."""
    by_topic: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_topic[record.topic].append(record)
    work = [(KINDS[topic], KINDS[topic].read(found, now)) for topic, found in by_topic.items()]
    return write(database, work, lambda: now)


def rows(database: Database, table: type[Base], *leave_out: str) -> list[dict[str, Any]]:
    with database.reading() as connection:
        found = connection.execute(select(table.__table__)).mappings()
        return [{name: cell for name, cell in row.items() if name not in leave_out} for row in found]


def everything(database: Database) -> dict[str, list[str]]:
    """Return what all tables of the sink hold, but when it was stored."""
    tables: list[type[Base]] = [*(kind.rule.table for kind in KINDS.values()), WarningRow, UnreadableRow]
    return {table.__tablename__: sorted(map(repr, rows(database, table, *STORED_WHEN))) for table in tables}


def of_topic(topic: str) -> list[Record]:
    return [record for record in shop_records() if record.topic == topic]


def by_id(database: Database, table: type[Base]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows(database, table)}


def test_every_record_is_stored_once_and_a_repeat_changes_nothing(database: Database) -> None:
    counts = store(database, shop_records())
    assert set(counts.by_kind) == {kind.name for kind in KINDS.values()}
    for topic, kind in KINDS.items():
        number = len(of_topic(topic))
        assert counts.by_kind[kind.name] == Counts(records=number, stored=number)
        assert number > 0
    before = everything(database)
    again = store(database, shop_records(), datetime(2026, 1, 1, tzinfo=UTC))
    assert again.total.repeats == again.total.records == len(shop_records())
    assert everything(database) == before
    assert {row["stored_at"] for row in rows(database, OutcomeRow)} == {NOW}
    assert topics_without_rows(database, KINDS) == []


def test_an_outcome_has_its_type_its_warning_and_what_became_of_it(database: Database) -> None:
    store(database, of_topic("churn-outcomes"))
    stored = by_id(database, OutcomeRow)
    types = set()
    for record in of_topic("churn-outcomes"):
        event = json.loads(record.value or b"")
        row, data = stored[event["id"]], event["data"]
        types.add(event["type"])
        assert row["data"] == data
        assert (row["type"], row["customer_id"], row["holdout"]) == (
            event["type"],
            event["subject"],
            data["holdout"],
        )
        assert row["time"] == datetime.fromisoformat(event["time"])
        matured = event["type"].endswith(".matured")
        warned = data if matured else data.get("warned") or {}
        assert row["warning_id"] == warned.get("warning_id")
        assert row["rule"] == data.get("rule")
        assert row["churned"] == data.get("churned")
        assert row["tier"] == (data["tier"] if matured else None)
        assert row["opened_at"] == (datetime.fromisoformat(data["opened_at"]) if matured else None)
        assert (row["source_topic"], row["source_offset"]) == (record.topic, record.offset)
    assert types >= {
        "churn.customer.acquired",
        "churn.customer.lapsed",
        "churn.customer.returned",
        "churn.cause.matured",
        "churn.warning.matured",
    }
    assert any(row["churned"] for row in stored.values())
    assert any(row["warning_id"] for row in stored.values() if row["type"] == "churn.customer.lapsed")


def test_the_census_the_days_and_the_adoptions_have_what_queries_ask_for(database: Database) -> None:
    store(database, shop_records())
    census, days = by_id(database, CensusRow), by_id(database, CustomerDaysRow)
    for record in of_topic("churn-census"):
        event = json.loads(record.value or b"")
        row, data = census[event["id"]], event["data"]
        assert row["data"] == data
        assert (row["type"], row["partition"], row["by"]) == (event["type"], 0, data.get("by"))
    assert {row["by"] for row in census.values()} == {None, "profile", "cohort", "channel"}
    for record in of_topic("shop.customer-days"):
        event = json.loads(record.value or b"")
        row, data = days[event["id"]], event["data"]
        decision = data["decision"] or {}
        assert row["data"] == data
        assert {name: str(row[name]) for name in ("first_day", "last_day", "customer_id", "warning_id")} == {
            name: data[name] for name in ("first_day", "last_day", "customer_id", "warning_id")
        }
        assert (row["churn_probability"], row["value"]) == (data["churn_probability"], data["value"])
        assert (row["net"], row["verdict"]) == (decision.get("net"), decision.get("verdict"))
    adopted = by_id(database, AdoptionRow)
    for record in of_topic("lapwing-audit"):
        change = parse_adopted(record.value or b"")
        row = adopted[change.id]
        for name in ("adopted_at", "at", "partition", "judges", "rule_set_before", "rule_set", "author"):
            assert row[name] == getattr(change, name)
        assert row["data"] == json.loads(record.value or b"")


def test_complaints_and_actions_are_stored_as_the_contract_has_them(database: Database) -> None:
    store(database, shop_records())
    for topic, table in (("complaints", ComplaintRow), ("actions", ActionRow)):
        stored = {(row["customer_id"], row["event_id"]): row for row in rows(database, table)}
        for record in of_topic(topic):
            event = json.loads(record.value or b"")
            row = stored[event["customer_id"], event["event_id"]]
            assert row["time"] == datetime.fromisoformat(event["occurred_at"])
            for name in ("complaint_id", "category", "satisfaction", "kind", "warning_id", "play", "result"):
                assert row.get(name) == event.get(name)
            if topic == "actions":
                assert row["cost"] == event["cost"]
                assert row["reasons"] == []
            assert row["data"].items() >= {k: v for k, v in event.items() if k != "occurred_at"}.items()
        assert len(stored) == len(of_topic(topic))


def test_an_id_with_another_content_is_put_aside_and_the_first_stays(database: Database) -> None:
    conflicts = 0
    for topic, kind in KINDS.items():
        if kind.name == "silences":
            continue  # the highest revision of a silence wins
        first = of_topic(topic)[0]
        other = replace(first, value=with_another_content(first), offset=10_000)
        counts = store(database, [first, other]).by_kind[kind.name]
        assert counts == Counts(records=2, stored=1, unreadable=1)
        conflicts += 1
        # Read again alone, and in the other order: the first one stays.
        assert store(database, [other, first]).by_kind[kind.name] == Counts(2, 0, 1, 0, 1)
    aside = rows(database, UnreadableRow)
    assert [row["reason"] for row in aside] == ["conflict"] * conflicts
    assert {row["source_offset"] for row in aside} == {10_000}


def test_a_change_of_rules_that_another_worker_sends_again_is_a_repeat(database: Database) -> None:
    first = of_topic("lapwing-audit")[0]
    sent_again = json.loads(first.value or b"") | {"worker": "two-2", "adopted_at": "2024-03-01T00:00:00Z"}
    again = replace(first, value=encode_adopted(sent_again), offset=10_000)
    assert store(database, [first, again]).by_kind["rules_adopted"] == Counts(2, 1, 1)
    assert rows(database, UnreadableRow) == []


def with_another_content(record: Record) -> bytes:
    """Return another content under the same id, one that the contract takes."""
    value = record.value or b""
    if record.topic == "shop-samples":
        samples = msgspec.msgpack.decode(value)
        return msgspec.msgpack.encode(samples | {"excluded": samples["excluded"] + 1})
    event = json.loads(value)
    if record.topic in ("complaints", "actions"):
        event["occurred_at"] = event["occurred_at"].replace("2024", "2023")
    elif record.topic == "lapwing-audit":
        event["rule_set"] = "another"
    else:
        event["data"]["added"] = 1
    return json.dumps(event).encode()


ORDERS = st.lists(st.integers(0, 10**6), max_size=60).flatmap(
    lambda repeats: st.tuples(st.randoms(use_true_random=False), st.just(repeats), st.integers(1, 700))
)


@functools.cache
def in_order() -> dict[str, list[str]]:
    """Return what all tables hold after one poll of everything."""
    database = empty_database()
    store(database, shop_records())
    found = everything(database)
    database.close()
    return found


@settings(max_examples=15)
@given(ORDERS)
def test_whatever_the_order_the_repeats_and_the_polls_the_tables_are_the_same(
    drawn: tuple[Any, list[int], int],
) -> None:
    chance, repeats, size = drawn
    records = [*shop_records(), *(shop_records()[n % len(shop_records())] for n in repeats)]
    chance.shuffle(records)
    database = empty_database()
    counts = SinkCounts()
    for begin in range(0, len(records), size):
        counts.add(store(database, records[begin : begin + size]))
    assert everything(database) == in_order()
    total = counts.total
    assert total.records == total.stored + total.repeats == len(records)
    database.close()


@st.composite
def damaged(draw: st.DrawFn) -> Record:
    """Return a record of any topic with some of its bytes, its key or its time changed."""
    record = draw(st.sampled_from(shop_records()))
    value = bytearray(record.value or b"")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(value)))
        change = draw(
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from(
                    [b"[" * 5_000, b"\xff\xfe", b"\\u0000", b"\\ud800", b"9" * 400, b"null", b'"']
                ),
            )
        )
        value[at : at + draw(st.integers(0, 12))] = change
    return replace(
        record,
        value=draw(st.sampled_from([bytes(value), bytes(value), bytes(value), b"", None])),
        key=draw(st.sampled_from([record.key, record.key, b"other", b"\xff", b"", None])),
        timestamp_ms=draw(st.sampled_from([record.timestamp_ms, -1, 0, 2**62])),
        offset=record.offset + 100_000,
    )


@settings(max_examples=60)
@given(st.lists(damaged(), min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_whatever_lies_on_a_topic_the_good_records_are_stored_and_each_is_counted(
    bad: list[Record], chance: Any
) -> None:
    good = [r for r in shop_records() if r.topic not in ("lapwing-silences",)][::7]
    records = [*good, *bad]
    # The good ones first in their topics, so that a damaged one which is still good does not come before.
    database = empty_database()
    counts = store(database, records)
    for each in counts.by_kind.values():
        assert each.records == each.stored + each.repeats + each.refused + each.unreadable
    assert counts.total.records == len(records)
    assert len(rows(database, UnreadableRow)) <= counts.total.unreadable
    again = store(database, good)
    assert again.total.repeats == len(good)
    chance.shuffle(records)
    assert store(database, records).total.records == len(records)
    database.close()


NASTY: list[Any] = [None, True, -1, 2**31, 2**63, 1e308, "", "a\0b", "\ud800", "x" * 300, [], {"a": None}]
"""Values that a contract may take and a database may not."""


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value inside a document."""
    if path:
        yield path
    for key, inside in (
        node.items() if isinstance(node, dict) else enumerate(node if isinstance(node, list) else ())
    ):
        yield from places(inside, (*path, key))


def nasty_records(topic: str) -> list[Record]:
    """Return the first record of each type of a topic, with a nasty value at each place in turn."""
    first: dict[str, Record] = {}
    for record in of_topic(topic):
        event = json.loads(record.value or b"")
        first.setdefault(event.get("type", "") + str(event.get("data", {}).get("by")), record)
    found: list[Record] = []
    for record in first.values():
        event = json.loads(record.value or b"")
        for place in places(event):
            for nasty in NASTY:
                changed = json.loads(record.value or b"")
                node = changed
                for key in place[:-1]:
                    node = node[key]
                node[place[-1]] = nasty
                if "id" in changed and place != ("id",):
                    changed["id"] = f"{changed['id']}-{len(found)}"
                found.append(replace(record, value=json.dumps(changed).encode(), offset=1_000 + len(found)))
    return found


@pytest.mark.parametrize(
    "topic",
    ["churn-outcomes", "churn-census", "shop.customer-days", "lapwing-audit", "complaints", "actions"],
)
def test_any_value_at_any_place_is_stored_put_aside_or_refused(database: Database, topic: str) -> None:
    kind = KINDS[topic]
    nasty = nasty_records(topic)
    counts = store(database, [*nasty, *of_topic(topic)]).by_kind[kind.name]
    assert counts.records == len(nasty) + len(of_topic(topic))
    assert counts.records == counts.stored + counts.repeats + counts.refused + counts.unreadable
    assert counts.refused + counts.unreadable > len(nasty) / 3
    # The good ones are there, unless a nasty one of the same id came before.
    again = store(database, of_topic(topic)).by_kind[kind.name]
    assert again.repeats + again.unreadable == len(of_topic(topic))
    assert again.unreadable <= 2 * len(NASTY)


def test_what_a_database_has_no_room_for_is_put_aside_and_the_rest_of_all_topics_stored(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'w.db'}")
    database.prepare()
    wanted = json.loads(of_topic("churn-outcomes")[7].value or b"")["id"]
    refuse_rows(database, "outcomes", f"id = '{wanted}'")
    counts = store(database, shop_records())
    assert (counts.total.unreadable, counts.by_kind["outcomes"].unreadable) == (1, 1)
    assert counts.total.stored == len(shop_records()) - 1
    (aside,) = rows(database, UnreadableRow)
    assert (aside["reason"], aside["source_offset"]) == ("refused", of_topic("churn-outcomes")[7].offset)
    database.close()


class OneErased:
    """An erasure of one customer."""

    def __init__(self, customer: str, at: datetime) -> None:
        self._customer = customer
        self._at = at

    def covers(self, customer_id: str, time: datetime) -> bool:
        return customer_id == self._customer and time <= self._at


def opened_before(record: Record, at: datetime) -> bool:
    """Say whether a step, or what matured, is of a warning that opened up to an instant."""
    event = json.loads(record.value or b"")
    opened_at = event.get("data", {}).get("opened_at")
    named = "warning." in event.get("type", "") or "cause." in event.get("type", "")
    return named and opened_at is not None and datetime.fromisoformat(opened_at) <= at


def test_what_an_erased_customer_did_before_is_not_stored_again(database: Database) -> None:
    records = shop_records()
    customers = [r.key.decode() for r in records if r.topic == "shop.customer-days" and r.key]
    customer = max(set(customers), key=customers.count)
    own = [r for r in records if r.key == customer.encode() and r.topic != "lapwing-silences"]
    middle = sorted(r.timestamp_ms for r in own)[len(own) // 2]
    at = datetime.fromtimestamp(middle / 1000, UTC)
    older = [r for r in own if r.timestamp_ms <= middle or opened_before(r, at)]
    assert any(r.timestamp_ms > middle for r in older)
    bad = replace(own[0], value=b"nonsense", offset=99_999, topic="churn-outcomes", timestamp_ms=middle)
    work = [
        (KINDS[topic], KINDS[topic].read([r for r in [*records, bad] if r.topic == topic], NOW))
        for topic in KINDS
    ]
    counts = write(database, work, Clock(NOW), erased=lambda connection: OneErased(customer, at))
    assert counts.total.erased == len(older) + 1
    assert counts.total.stored == len(records) - len(older)
    assert rows(database, UnreadableRow) == []
    left = [row for row in rows(database, OutcomeRow) if row["customer_id"] == customer]
    assert all(row["time"] > at for row in left)
    steps = [row for row in rows(database, WarningStepRow) if row["customer_id"] == customer]
    assert all(row["time"] > at for row in steps)
