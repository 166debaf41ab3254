"""Silences from their topic into the database, where the notifier finds them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select, update

from consumers.broker.records import Record, RecordSource
from consumers.database.aside import UnreadableRow
from consumers.database.database import Database, RowRefused
from consumers.database.notices import NoticeRow, SilenceRow
from consumers.muting.notice import NoticeVerdict
from consumers.sink.reading import Row, Unreadable, put_aside
from streams.contract.silences import Silence, encode_silence, parse_silence
from streams.errors import ContractError


class SilenceReader:
    """Follows the silences topic from its beginning: it is compacted, and each record is stored once."""

    def __init__(
        self,
        source: RecordSource,
        database: Database,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_aside: Callable[[Record, Row], None] = lambda record, row: None,
    ) -> None:
        self._source = source
        self._database = database
        self._clock = clock
        self._on_aside = on_aside
        self._caught_up = False
        self._unstored: list[Record] = []

    def take(self) -> int:
        """Store the new records, at first all of the topic; return how many silences are new or changed."""
        changed = 0
        while True:
            if not self._unstored:
                self._unstored = list(self._source.poll(0.0 if self._caught_up else 0.5))
            # Kept until they are stored: this is called again where the database was away.
            changed += self._store(self._unstored)
            done, self._unstored = not self._unstored, []
            if self._caught_up or (done and self._source.at_end()):
                self._caught_up = True
                return changed

    def _store(self, records: Sequence[Record]) -> int:
        if not records:
            return 0
        now = self._clock()
        changed = 0
        try:
            with self._database.writing() as connection:
                for record in records:
                    changed += self._take(connection, record, now)
        except RowRefused as error:
            if len(records) > 1:
                return sum(self._store([record]) for record in records)
            with self._database.writing() as connection:
                self._put_aside(connection, records[0], now, Unreadable.REFUSED, error)
            return 0
        return changed

    def _take(self, connection: Connection, record: Record, now: datetime) -> int:
        if record.value is None:
            name = (record.key or b"").decode(errors="replace")
            gone = connection.execute(delete(SilenceRow).where(SilenceRow.id == name)).rowcount
            _look_again(connection, name, now)
            return gone
        try:
            silence = parse_silence(record.value)
            if record.key != silence.id.encode():
                msg = "not a silence: its key is not its id"
                raise ContractError(msg)
        except ContractError as error:
            self._put_aside(connection, record, now, Unreadable.INVALID, error)
            return 0
        known = select(SilenceRow.revision).where(SilenceRow.id == silence.id)
        before = connection.scalar(known)
        if before is not None and before >= silence.revision:
            return 0
        connection.execute(self._database.upsert(SilenceRow, rank="revision"), [_row(silence, now)])
        _look_again(connection, silence.id, now)
        return 1

    def _put_aside(
        self, connection: Connection, record: Record, now: datetime, reason: Unreadable, error: Exception
    ) -> None:
        row = put_aside(record, now, reason, str(error))
        connection.execute(self._database.insert_new(UnreadableRow), [row])
        self._on_aside(record, row)


def _look_again(connection: Connection, silence_id: str, now: datetime) -> None:
    """Let the notices that the silence defers be judged now: it has changed."""
    deferred = update(NoticeRow).where(
        NoticeRow.silence_id == silence_id, NoticeRow.verdict == NoticeVerdict.DEFERRED.value
    )
    connection.execute(deferred.values(look_again_at=now, by_wall_clock=True))


def _row(silence: Silence, now: datetime) -> Row:
    return {
        "id": silence.id,
        "revision": silence.revision,
        "author": silence.author,
        "reason": silence.reason,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "expired_at": silence.expired_at,
        "content": json.loads(encode_silence(silence)),
        "received_at": now,
    }
