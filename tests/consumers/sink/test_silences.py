"""Whatever lies on the silences topic, the readable ones are stored and the others put aside."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.database import Database
from consumers.database.notices import SilenceRow
from consumers.sink.kinds import SILENCES
from consumers.sink.store import Counts
from streams.contract.silences import encode_silence
from tests.consumers.notify.notice_shop import BEGIN, DAY, silence
from tests.consumers.stored import empty_database, store_records
from tests.consumers.stubs import refuse_rows

HOSTILE = [
    b"",
    b"[" * 20_000,
    b"{}",
    b"\xff\xfe",
    encode_silence(silence("a", BEGIN, BEGIN + DAY)).replace(b'"revision":1', b'"revision":1' + b"0" * 400),
    encode_silence(silence("a", BEGIN, BEGIN + DAY)).replace(b'"why"', b'"\\u0000"'),
    encode_silence(silence("a", BEGIN, BEGIN + DAY)).replace(b'"2026-', b'"0001-'),
]


def record(offset: int, key: str, content: bytes | None) -> Record:
    return Record("silences", 0, offset, 0, key.encode(), content)


@pytest.fixture
def database() -> Database:
    return empty_database()


def stored(database: Database) -> tuple[list[str], list[tuple[int, str]]]:
    with database.reading() as connection:
        ids = list(connection.scalars(select(SilenceRow.id).order_by(SilenceRow.id)))
        rows = connection.execute(select(UnreadableRow.source_offset, UnreadableRow.reason))
        return ids, [(row.source_offset, row.reason) for row in rows]


def test_what_is_no_silence_is_put_aside_and_the_rest_is_stored(database: Database) -> None:
    good = encode_silence(silence("a", BEGIN, BEGIN + timedelta(days=9)))
    found = [record(n, "a", content) for n, content in enumerate([*HOSTILE, good])]
    assert store_records(database, found, BEGIN, SILENCES) == Counts(8, stored=1, unreadable=7)
    assert stored(database) == (["a"], [(n, "invalid") for n in range(len(HOSTILE))])
    database.close()


def test_a_row_that_the_database_refuses_is_put_aside_alone(database: Database) -> None:
    refuse_rows(database, "silences", "id = 'b'")
    found = [
        record(n, name, encode_silence(silence(name, BEGIN, BEGIN + DAY))) for n, name in enumerate("abc")
    ]
    assert store_records(database, found, BEGIN, SILENCES) == Counts(3, stored=2, unreadable=1)
    assert stored(database) == (["a", "c"], [(1, "refused")])
    database.close()


def test_the_highest_revision_stays_and_a_record_without_a_value_removes_it(database: Database) -> None:
    first = encode_silence(silence("a", BEGIN, BEGIN + DAY))
    third = encode_silence(silence("a", BEGIN, BEGIN + 3 * DAY, revision=3))
    second = encode_silence(silence("a", BEGIN, BEGIN + 2 * DAY, revision=2))
    found = [record(n, "a", content) for n, content in enumerate([first, third, second, first])]
    assert store_records(database, found, BEGIN, SILENCES) == Counts(4, stored=2, repeats=2)
    with database.reading() as connection:
        assert connection.scalar(select(SilenceRow.revision)) == 3
    gone = [record(4, "a", None), record(5, "b", None)]
    assert store_records(database, gone, BEGIN, SILENCES) == Counts(2, stored=1, repeats=1)
    assert stored(database) == ([], [])
    database.close()
