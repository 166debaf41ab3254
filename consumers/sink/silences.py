"""Silences as rows: of each the newest revision, which the notifier finds in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from consumers.broker.records import Record
from consumers.database.base import Base
from consumers.database.database import Database
from consumers.database.notices import NoticeRow, SilenceRow
from consumers.muting.notice import NoticeVerdict
from consumers.sink.reading import Entry, PutAside, Reading, Unreadable
from consumers.sink.record_kind import Stored
from streams.contract.silences import parse_silence
from streams.errors import ContractError


def read_silences(records: Sequence[Record], now: datetime) -> Reading[Entry]:
    """Return what the records say of silences; one without a value removes the silence of its key."""
    reading: Reading[Entry] = Reading()
    for record in records:
        try:
            reading.entries.append(_entry(record))
        except ContractError as error:
            reading.unreadable.append(PutAside(record, Unreadable.INVALID, str(error)))
    return reading


def _entry(record: Record) -> Entry:
    if record.value is None:
        return Entry(record, {"id": (record.key or b"").decode(errors="replace"), "content": None})
    silence = parse_silence(record.value)
    if record.key != silence.id.encode():
        msg = "not a silence: its key is not its id"
        raise ContractError(msg)
    row = {
        "id": silence.id,
        "revision": silence.revision,
        "author": silence.author,
        "reason": silence.reason,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "expired_at": silence.expired_at,
        "content": json.loads(silence.model_dump_json()),
    }
    return Entry(record, row)


@dataclass(frozen=True, slots=True)
class NewestRevision:
    """Keeps the highest revision of each silence, until a record without a value removes it."""

    table: type[Base] = SilenceRow

    def store(
        self, database: Database, connection: Connection, entries: Sequence[Entry], now: datetime
    ) -> Stored:
        """Store the silences that are new or changed, in the order of their topic."""
        stored = Stored()
        for entry in entries:
            is_new = self._store_one(database, connection, entry, now)
            stored.new += is_new
            stored.repeats += not is_new
            if is_new:
                _judge_deferred_notices(connection, entry.row["id"], now)
        return stored

    def _store_one(self, database: Database, connection: Connection, entry: Entry, now: datetime) -> bool:
        silence_id = entry.row["id"]
        if entry.row["content"] is None:
            return bool(connection.execute(delete(SilenceRow).where(SilenceRow.id == silence_id)).rowcount)
        before = connection.scalar(select(SilenceRow.revision).where(SilenceRow.id == silence_id))
        if before is not None and before >= entry.row["revision"]:
            return False
        row = entry.row | {"received_at": now}
        connection.execute(database.upsert(SilenceRow, rank="revision"), [row])
        return True


def _judge_deferred_notices(connection: Connection, silence_id: str, now: datetime) -> None:
    """Let the notices that the silence defers be judged now: it has changed."""
    deferred = update(NoticeRow).where(
        NoticeRow.silence_id == silence_id, NoticeRow.verdict == NoticeVerdict.DEFERRED.value
    )
    connection.execute(deferred.values(look_again_at=now, by_wall_clock=True))
