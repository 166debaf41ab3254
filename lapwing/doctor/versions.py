"""The versions of what works together: processes, broker, database, checkpoints."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Final

from sqlalchemy import Connection

from consumers.database.database import Database
from consumers.database.migrations.runner import newest_version, version_of
from lapwing.doctor.check import Doubtful
from lapwing.doctor.installation import Installation
from lapwing.settings.values import NO_CHECKPOINTS
from streams import __version__
from streams.checkpoints.store import CheckpointStore
from streams.core.state_tables import FORMAT, READABLE
from streams.errors import LapwingError, StateError, StoreError

OLDEST_KAFKA: Final = (2, 5)
"""Read by the tests of the clients that Lapwing uses; older ones may lack requests."""
OLDEST_POSTGRESQL: Final = 15
"""The oldest that the tests run on."""
ENGINE: Final = "engine"


class _Findings:
    """What is fine, and what somebody should do something about."""

    def __init__(self) -> None:
        self.fine: list[str] = []
        self.doubtful: list[str] = []

    def note(self, found: Iterable[tuple[str, bool]]) -> None:
        for text, is_fine in found:
            (self.fine if is_fine else self.doubtful).append(text)


def versions(installation: Installation) -> str:
    """Name the versions of what works together; find those that are too old, too new or differ.

    What cannot be read is left to the check of its own.
    """
    found = _Findings()
    found.fine.append(f"Lapwing {__version__}, Python {platform.python_version()}")
    for part in (_broker, _processes, _checkpoints, _database):
        found.note(part(installation))
    if found.doubtful:
        raise Doubtful("; ".join(found.doubtful))
    return "; ".join(found.fine)


def _broker(installation: Installation) -> Iterator[tuple[str, bool]]:
    if isinstance(installation.answer, LapwingError):
        return
    found = installation.ask_version()
    if tuple(map(int, found.split(".")[:2])) < OLDEST_KAFKA:
        oldest = ".".join(map(str, OLDEST_KAFKA))
        text = f"the broker knows the requests of Kafka {found}: upgrade it to {oldest} or newer"
        yield text, False
    else:
        yield f"a broker that knows the requests of Kafka {found}", True


def _processes(installation: Installation) -> Iterator[tuple[str, bool]]:
    """Compare what runs with this command."""
    asked = installation.ask_processes()
    same = Counter(str(each.process) for each in asked if each.version == __version__)
    if same:
        names = ", ".join(f"{count} {name}" for name, count in sorted(same.items()))
        yield f"of that version run: {names}", True
    silent = [each.place for each in asked if each.version is None]
    if silent:
        yield f"nothing answers at {', '.join(silent)} of metrics_targets", True
    for each in asked:
        if each.version not in (None, __version__):
            yield (
                f"the {each.process} at {each.place} runs Lapwing {each.version}, and this command is "
                f"{__version__}: finish the upgrade, in the order of docs/upgrading.md",
                False,
            )


def _checkpoints(installation: Installation) -> Iterator[tuple[str, bool]]:
    """Compare the format of each partition's newest checkpoint with what this version reads and writes."""
    settings = installation.settings
    if settings.checkpoints == NO_CHECKPOINTS:
        return
    formats: dict[object, list[int]] = {}
    try:
        store = CheckpointStore(settings.checkpoints, settings.app)
        for number in store.partitions():
            for checkpoint in store.whole(number)[-1:]:
                table = store.table(checkpoint, ENGINE)
                formats.setdefault(json.loads(table["json"][0]).get("format"), []).append(number)
    except (StateError, ValueError, LookupError):
        return  # the check of the checkpoints says so
    for found, numbers in sorted(formats.items(), key=lambda each: str(each[0])):
        if found == FORMAT:
            yield f"checkpoints of format {found}", True
        elif found in READABLE:
            yield f"checkpoints of format {found}, which the next ones of format {FORMAT} replace", True
        else:
            which = ", ".join(map(str, numbers))
            yield (
                f"the checkpoints of partition {which} have format {found}, and this version reads up to "
                f"{FORMAT}: start workers of the version that wrote them, or a newer one",
                False,
            )


def _database(installation: Installation) -> Iterator[tuple[str, bool]]:
    """Compare the tables with what this version knows, and name the server."""
    store = Database(installation.settings.database)
    with closing(store):
        if not store.is_there:
            return
        try:
            with store.reading() as connection:
                yield from _server(connection)
                found, newest = version_of(connection, store.place), newest_version()
        except StoreError:
            return  # as one of a newer version: the check of the database says so
        if found == newest:
            yield f"a database of version {found}", True
        elif found:
            yield f"a database of version {found}, which the next sink brings to {newest}", True


def _server(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Name the server, where the database has one."""
    if connection.dialect.name != "postgresql":
        return
    version = connection.dialect.server_version_info or ()
    shown = ".".join(map(str, version)) or "unknown"
    if version and int(version[0]) < OLDEST_POSTGRESQL:
        yield f"PostgreSQL {shown}: upgrade it, Lapwing is tested from {OLDEST_POSTGRESQL} on", False
    else:
        yield f"PostgreSQL {shown}", True
