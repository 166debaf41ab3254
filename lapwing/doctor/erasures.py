"""The key that erased customers' ids are hashed with: whether it is there, and the right one."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import inspect

from consumers.database.aside import ErasureRow
from consumers.database.database import Database
from consumers.erasure import ErasuresInStore
from lapwing.doctor.check import Skipped
from lapwing.doctor.installation import Installation
from lapwing.wiring import erasure_key
from streams.contract.erasures import ErasureKey, made_with, parse_erasure
from streams.errors import ContractError, ErasureError, LapwingError


def erasures(installation: Installation) -> str:
    """Check that the key is the one that the customers of the topic and of the database were erased with."""
    key = erasure_key(installation.settings)
    hashes = _of_topic(installation, key) | _of_database(installation, key)
    if key is None:
        msg = "LAPWING_ERASURE_KEY is not set, and nobody was erased: without it nobody can be"
        raise Skipped(msg)
    hashes.discard(key.check)
    count = {0: "nobody was", 1: "1 customer was"}.get(len(hashes), f"{len(hashes)} customers were")
    return f"{count} erased with the key {key.id}"


def _of_topic(installation: Installation, key: ErasureKey | None) -> set[str]:
    topic = installation.settings.erasures_topic
    if isinstance(installation.answer, LapwingError) or topic not in installation.topics:
        return set()
    requests = []
    for record in installation.read(topic):
        try:
            requests.append(parse_erasure(record.value or b""))
        except ContractError:
            continue  # the worker logs it
    ours, others = made_with(key, requests)
    if others:
        msg = (
            f"{topic} has {len(others)} records with other keys than {key.id if key else 'none'}, such as "
            f"{others[0].key_id}: they are passed over; find out who wrote them"
        )
        raise ErasureError(msg)
    return {request.hash for request in ours}


def _of_database(installation: Installation, key: ErasureKey | None) -> set[str]:
    database = Database(installation.settings.database)
    with closing(database):
        if not database.is_there:
            return set()
        with database.reading() as connection:
            if not inspect(connection).has_table(ErasureRow.__tablename__):
                return set()
            found = ErasuresInStore(key)(connection)
            return set(found.until) if found is not None else set()
