"""The erasure of a customer in the store and on the topics that keep the newest record of each key."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from consumers.broker.records import Record, RecordSender, RecordSource
from consumers.database.aside import ErasureRow
from consumers.database.database import Database
from consumers.database.erasure import erase_rows
from consumers.silences import POLL_S
from streams.contract.erasures import (
    ErasureKey,
    ErasureRequest,
    encode_erasure,
    made_with,
    marker,
    parse_erasure,
    wrong_key,
)
from streams.contract.instants import EPOCH
from streams.contract.silences import Silence, encode_silence
from streams.errors import BrokerError, ContractError, StoreError

log = logging.getLogger(__name__)

REPLACED: Final = "[erased]"
"""What stands for an erased customer's id where people have written it."""


@dataclass(frozen=True, slots=True)
class StoredErasures:
    """Who was erased, as the store knows it."""

    key: ErasureKey
    until: Mapping[str, datetime]
    """By hash, up to when what the customer did is erased."""

    def covers(self, customer_id: str, time: datetime) -> bool:
        """Return whether what a customer did at `time` was erased."""
        until = self.until.get(self.key.hash(customer_id))
        return until is not None and time <= until


class ErasuresInStore:
    """Reads from the store who was erased, anew whenever that has changed."""

    def __init__(self, key: ErasureKey | None) -> None:
        self._key = key
        self._seen: object = None
        self._found: StoredErasures | None = None

    def __call__(self, connection: Connection) -> StoredErasures | None:
        """Return who was erased, `None` where nobody was.

        Raises `StoreError` without the key that they were erased with.
        """
        columns = (func.count(), func.max(ErasureRow.stored_at), func.max(ErasureRow.erased_at))
        seen = tuple(connection.execute(select(*columns)).one())
        if seen == self._seen:
            return self._found
        rows = connection.execute(select(ErasureRow.hash, ErasureRow.erased_at)).all()
        until = {row.hash: row.erased_at for row in rows}
        self._found = _stored(until, self._key) if until else None
        self._seen = seen
        return self._found


def _stored(until: Mapping[str, datetime], key: ErasureKey | None) -> StoredErasures:
    if key is None:
        msg = (
            "customers were erased from this database, and LAPWING_ERASURE_KEY is not set: set the key of "
            "their erasure"
        )
        raise StoreError(msg)
    if key.check not in until:
        msg = f"customers were erased from this database with another key than {key.id}: set that one"
        raise StoreError(msg)
    return StoredErasures(key, until)


def erase_from_store(
    database: Database, key: ErasureKey, customer_id: str, until: datetime
) -> dict[str, int]:
    """Delete what is stored of a customer and remember the hash; return how many rows of which tables.

    Remembered is the latest `until`. The rows of the key itself say which key the hashes were made with.
    """
    with database.writing() as connection:
        ErasuresInStore(key)(connection)  # raises where others were erased with another key
        counts = erase_rows(connection, customer_id)
        _remember(database, connection, {key.check: EPOCH, key.hash(customer_id): until})
    return counts


def remember_requests(database: Database, key: ErasureKey | None, requests: Iterable[ErasureRequest]) -> None:
    """Remember the erasures of the topic in a store, which may be a new one; what is stored stays.

    Raises `WrongErasureKey` where they were made with another key.
    """
    until: dict[str, datetime] = {}
    ours, others = made_with(key, requests)
    if others:
        log.error(
            "%(count)d records of erasures are passed over: %(reason)s",
            {"count": len(others), "reason": wrong_key(key, others[0])},
        )
    for request in ours:
        until[request.hash] = max(request.erased_at, until.get(request.hash, EPOCH))
    if key is None or not until:
        return
    with database.writing() as connection:
        ErasuresInStore(key)(connection)
        _remember(database, connection, {key.check: EPOCH, **until})


def _remember(database: Database, connection: Connection, until: Mapping[str, datetime]) -> None:
    now = datetime.now(UTC)
    rows = [{"hash": hashed, "erased_at": at, "stored_at": now} for hashed, at in until.items()]
    connection.execute(database.upsert(ErasureRow, rank="erased_at"), rows)


def read_requests(source: RecordSource) -> list[ErasureRequest]:
    """Return the erasures that their topic holds; records that are none are passed over."""
    found = []
    for record in _all_of(source):
        if record.value is not None:
            try:
                found.append(parse_erasure(record.value))
            except ContractError:
                continue
    return found


def mark_key(sender: RecordSender, source: RecordSource, topic: str, key: ErasureKey) -> bool:
    """Let the topic say which key is in use, and wait until the broker has it; return whether it did not.

    Raises `WrongErasureKey` where customers were erased with other keys only.
    """
    requests = read_requests(source)
    made_with(key, requests)
    wanted = marker(key)
    if wanted in requests:
        return False
    sender.send(topic, wanted.hash.encode(), encode_erasure(wanted))
    sender.flush()
    return True


def request_erasure(
    sender: RecordSender, topic: str, key: ErasureKey, customer_id: str, at: datetime
) -> ErasureRequest:
    """Ask all workers to erase a customer, and wait until the broker has it."""
    request = ErasureRequest(hash=key.hash(customer_id), erased_at=at, key_id=key.id)
    sender.send(topic, request.hash.encode(), encode_erasure(request))
    sender.flush()
    return request


def bury(sender: RecordSender, topic: str, key: str) -> str | None:
    """Let a compacted topic forget a key; return why it does not, if so."""
    try:
        sender.send(topic, key.encode(), None)
        sender.flush()
    except BrokerError as error:
        return str(error)
    return None


def erase_from_silences(found: Iterable[Silence], customer_id: str) -> dict[str, Silence | None]:
    """Return, by id, the silences that name a customer as they are to be; `None`: it is to go.

    A silence of this customer alone goes, as without the name it would mute all. Where a text holds the id,
    something else stands for it.
    """
    pattern = re.compile(rf"(?<!\w){re.escape(customer_id)}(?!\w)")
    changed: dict[str, Silence | None] = {}
    for silence in found:
        texts = {name: pattern.sub(REPLACED, getattr(silence, name)) for name in ("author", "reason")}
        if silence.expired_by is not None:
            texts["expired_by"] = pattern.sub(REPLACED, silence.expired_by)
        change: dict[str, Any] = {n: text for n, text in texts.items() if text != getattr(silence, n)}
        matchers = silence.matchers
        if customer_id in matchers.customers:
            left = tuple(name for name in matchers.customers if name != customer_id)
            if not left:
                changed[silence.id] = None
                continue
            change["matchers"] = matchers.model_copy(update={"customers": left})
        if change:
            changed[silence.id] = silence.model_copy(update=change | {"revision": silence.revision + 1})
    return changed


def write_silences(sender: RecordSender, topic: str, changed: Mapping[str, Silence | None]) -> str | None:
    """Write silences as they are to be; return why that cannot be, if so."""
    try:
        for silence_id, silence in changed.items():
            sender.send(topic, silence_id.encode(), None if silence is None else encode_silence(silence))
        sender.flush()
    except BrokerError as error:
        return str(error)
    return None


def _all_of(source: RecordSource) -> Sequence[Record]:
    found: list[Record] = []
    while True:
        records = source.poll(POLL_S)
        found += records
        if not records and source.at_end():
            return found
