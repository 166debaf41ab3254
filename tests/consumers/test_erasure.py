"""Erasures in the store, on compacted topics and in silences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from consumers.broker.records import Record
from consumers.database.aside import ErasureRow
from consumers.database.database import Database
from consumers.erasure import (
    ErasuresInStore,
    bury,
    erase_from_silences,
    erase_from_store,
    mark_key,
    read_requests,
    remember_requests,
    request_erasure,
    write_silences,
)
from streams.contract.erasures import (
    ErasureKey,
    ErasureRequest,
    WrongErasureKey,
    made_with,
    marker,
    parse_erasure,
)
from streams.contract.instants import EPOCH
from streams.contract.silences import Silence, make_silence, parse_silence
from streams.errors import BrokerError, StoreError

KEY = ErasureKey(b"a key for tests!")
AT = datetime(2026, 3, 1, tzinfo=UTC)
GONE = "c-7"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'w.db'}")
    else:
        opened = Database(request.getfixturevalue("postgres_url"))
    opened.prepare()
    yield opened
    opened.close()


@dataclass
class Topic:
    """What was sent, as it is read again; a topic that is denied takes nothing."""

    denied: str = ""
    records: list[Record] = field(default_factory=list)

    def send(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        if topic == self.denied:
            msg = f"not permitted to write to {topic}"
            raise BrokerError(msg)
        self.records.append(Record(topic, 0, len(self.records), 0, key, value))

    def flush(self) -> None:
        pass

    def poll(self, timeout_s: float) -> Sequence[Record]:
        found, self.records = self.records, []
        return found

    def at_end(self) -> bool:
        return True


def test_what_a_customer_did_before_the_erasure_is_covered(database: Database) -> None:
    watch = ErasuresInStore(KEY)
    with database.reading() as connection:
        assert watch(connection) is None
    assert erase_from_store(database, KEY, GONE, AT) == {}
    with database.reading() as connection:
        erased = watch(connection)
    assert erased is not None
    assert erased.covers(GONE, AT)
    assert not erased.covers(GONE, AT + timedelta(microseconds=1))
    assert not erased.covers("c-8", AT)
    # The latest time counts, and who looked before sees it.
    erase_from_store(database, KEY, GONE, AT + timedelta(days=1))
    erase_from_store(database, KEY, GONE, AT)
    with database.reading() as connection:
        later = watch(connection)
        assert watch(connection) is later
        assert connection.scalar(select(func.count()).select_from(ErasureRow)) == 2  # one is the key's
    assert later is not None
    assert later.covers(GONE, AT + timedelta(days=1))


@pytest.mark.parametrize(("key", "mistake"), [(None, "is not set"), (ErasureKey(b"b" * 16), "another key")])
def test_a_store_with_erasures_needs_their_key(
    database: Database, key: ErasureKey | None, mistake: str
) -> None:
    erase_from_store(database, KEY, GONE, AT)
    with database.reading() as connection, pytest.raises(StoreError, match=mistake):
        ErasuresInStore(key)(connection)
    if key is not None:
        with pytest.raises(StoreError, match=mistake):
            erase_from_store(database, key, GONE, AT)


def test_a_new_store_learns_of_the_erasures_of_the_topic(database: Database) -> None:
    requests = [
        ErasureRequest(hash=KEY.hash(GONE), erased_at=at, key_id=KEY.id)
        for at in (AT, AT + timedelta(days=2), AT + timedelta(days=1))
    ]
    remember_requests(database, None, [])
    for key in (None, ErasureKey(b"b" * 16)):
        with pytest.raises(WrongErasureKey, match=f"with the key {KEY.id}"):
            remember_requests(database, key, requests)
    of_nobody = ErasureRequest(hash=KEY.hash("stays"), erased_at=AT, key_id="0" * 16)
    remember_requests(database, KEY, [of_nobody, *requests])  # whoever writes it cannot stop a sink
    with database.reading() as connection:
        erased = ErasuresInStore(KEY)(connection)
    assert erased is not None
    assert erased.until == {KEY.check: EPOCH, KEY.hash(GONE): AT + timedelta(days=2)}


def test_the_key_in_use_is_noted_once() -> None:
    """From then on a record of a made-up key keeps nobody from starting."""
    topic, made_up = Topic(), ErasureKey(b"made up by someone")
    assert mark_key(topic, topic, "shop.erasures", KEY)
    noted = list(topic.records)
    assert [parse_erasure(record.value or b"") for record in noted] == [marker(KEY)]
    assert not mark_key(topic, topic, "shop.erasures", KEY)
    request_erasure(topic, "shop.erasures", made_up, GONE, AT)
    others = list(topic.records)
    topic.records = [*noted, *others]
    assert [len(found) for found in made_with(KEY, read_requests(topic))] == [0, 1]
    topic.records = others  # too late: somebody may have set the wrong key
    with pytest.raises(WrongErasureKey, match=f"with the key {made_up.id}"):
        mark_key(topic, topic, "shop.erasures", KEY)


def test_a_request_is_read_as_it_was_sent() -> None:
    topic = Topic()
    sent = request_erasure(topic, "shop.erasures", KEY, GONE, AT)
    assert GONE.encode() not in (topic.records[0].value or b"")
    assert topic.records[0].key == KEY.hash(GONE).encode()
    topic.records += [Record("shop.erasures", 0, 1, 0, b"x", value) for value in (b"{}", None)]
    assert read_requests(topic) == [sent]


def test_a_compacted_topic_forgets_a_key_where_that_is_permitted() -> None:
    topic = Topic(denied="profiles")
    assert bury(topic, "churn-scores", GONE) is None
    assert [(r.topic, r.key, r.value) for r in topic.records] == [("churn-scores", GONE.encode(), None)]
    assert bury(topic, "profiles", GONE) == "not permitted to write to profiles"


def silence(name: str, reason: str = "asked", **matchers: object) -> Silence:
    return make_silence(
        id=name, revision=3, author="ann", reason=reason, created_at=AT, matchers=matchers, starts_at=AT,
        ends_at=AT + timedelta(days=3),
    )  # fmt: skip


def test_silences_lose_the_name_and_never_mute_more() -> None:
    found = [
        silence("other", customers=["c-8"], reason="for c-77"),
        silence("alone", customers=[GONE]),
        silence("alone-there", customers=[GONE], segments=["s"]),
        silence("among", customers=["c-8", GONE]),
        silence("written", reason=f"{GONE} asked, not c-8", tiers=["low"]),
    ]
    changed = erase_from_silences(found, GONE)
    assert changed.keys() == {"alone", "alone-there", "among", "written"}
    assert changed["alone"] is None
    assert changed["alone-there"] is None
    among, written = changed["among"], changed["written"]
    assert among is not None
    assert written is not None
    assert (among.matchers.customers, among.revision) == (("c-8",), 4)
    assert (written.reason, written.matchers.tiers) == ("[erased] asked, not c-8", ("low",))
    topic = Topic()
    assert write_silences(topic, "silences", changed) is None
    values = {record.key: record.value for record in topic.records}
    assert values[b"alone"] is None
    assert parse_silence(values[b"among"] or b"") == among
    assert not any(GONE.encode() in (value or b"") for value in values.values())
    assert "not permitted" in str(write_silences(Topic(denied="silences"), "silences", changed))
