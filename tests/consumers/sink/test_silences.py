"""Whatever lies on the silences topic, the readable ones are stored and the others put aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from consumers.broker.records import Record
from consumers.database.aside import UnreadableRow
from consumers.database.database import Database
from consumers.database.notices import SilenceRow
from consumers.sink.silences import SilenceReader
from streams.contract.silences import encode_silence
from tests.consumers.notify.notice_shop import BEGIN, DAY, silence
from tests.consumers.stubs import Clock, refuse_rows

HOSTILE = [
    b"",
    b"[" * 20_000,
    b"{}",
    b"\xff\xfe",
    encode_silence(silence("a", BEGIN, BEGIN + DAY)).replace(b'"revision":1', b'"revision":1' + b"0" * 400),
    encode_silence(silence("a", BEGIN, BEGIN + DAY)).replace(b'"why"', b'"\\u0000"'),
    encode_silence(silence("a", BEGIN, BEGIN + DAY)).replace(b'"2026-', b'"0001-'),
]


class Records:
    def __init__(self, contents: list[bytes | None], key: bytes) -> None:
        self.waiting = [Record("silences", 0, n, 0, key, content) for n, content in enumerate(contents)]

    def poll(self, timeout_s: float) -> list[Record]:
        found, self.waiting = self.waiting, []
        return found

    def at_end(self) -> bool:
        return not self.waiting


@pytest.fixture
def database() -> Database:
    opened = Database("sqlite://")
    opened.prepare()
    return opened


def stored(database: Database) -> tuple[list[str], list[tuple[int, str]]]:
    with database.reading() as connection:
        ids = list(connection.scalars(select(SilenceRow.id).order_by(SilenceRow.id)))
        rows = connection.execute(select(UnreadableRow.source_offset, UnreadableRow.reason))
        return ids, [(row.source_offset, row.reason) for row in rows]


def test_what_is_no_silence_is_put_aside_and_the_rest_is_stored(database: Database) -> None:
    good = encode_silence(silence("a", BEGIN, BEGIN + timedelta(days=9)))
    assert SilenceReader(Records([*HOSTILE, good], b"a"), database, Clock(BEGIN)).take() == 1
    assert stored(database) == (["a"], [(n, "invalid") for n in range(len(HOSTILE))])
    database.close()


def test_a_row_that_the_database_refuses_is_put_aside_alone(database: Database) -> None:
    refuse_rows(database, "silences", "id = 'b'")
    source = Records([], b"")
    source.waiting = [
        replace(
            Record("silences", 0, n, 0, name.encode(), b""),
            value=encode_silence(silence(name, BEGIN, BEGIN + DAY)),
        )
        for n, name in enumerate("abc")
    ]
    assert SilenceReader(source, database, Clock(BEGIN)).take() == 2
    assert stored(database) == (["a", "c"], [(1, "refused")])
    database.close()
