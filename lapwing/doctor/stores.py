"""The places that state and warnings are kept in, and the channels that warnings are sent to."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select, text

from consumers.database.database import Database
from consumers.database.migrations.runner import newest_version, version_of
from lapwing.doctor.check import Skipped
from lapwing.doctor.installation import Installation
from lapwing.routes import channels_of
from lapwing.settings.values import NO_CHECKPOINTS
from streams.checkpoints.restore import check_all_partitions, check_group
from streams.checkpoints.store import CheckpointStore
from streams.errors import LapwingError, StateError


def checkpoints(installation: Installation) -> str:
    """Check that every partition has a whole checkpoint, and that these fit the topics and the group."""
    settings = installation.settings
    if settings.checkpoints == NO_CHECKPOINTS:
        msg = "none are kept"
        raise Skipped(msg)
    store = CheckpointStore(settings.checkpoints, settings.app)
    numbers = store.partitions()
    if not numbers:
        msg = f"{store.place} has none of {settings.app} yet; `lapwing worker` makes them"
        raise Skipped(msg)
    without = [str(number) for number in numbers if not store.whole(number)]
    if without:
        msg = f"{store.place} has no whole one of partition {', '.join(without)}"
        raise StateError(msg)
    if not isinstance(installation.answer, LapwingError):
        _fits_broker(installation, store)
    return f"{store.place} has whole ones of all its partitions ({len(numbers)})"


def _fits_broker(installation: Installation, store: CheckpointStore) -> None:
    """Raise unless the topics and the workers' group are those that the states were saved with."""
    topics = [name for name in installation.inputs if name in installation.topics]
    if not topics:
        return
    ids = installation.ask_topic_ids(topics)
    check_all_partitions(store, max(installation.topics[name] for name in topics), ids)
    committed = installation.offsets.committed
    for number in store.partitions():
        newest = next((each for each in reversed(store.whole(number)) if each.is_committed), None)
        if newest is not None:
            offsets = {topic: committed[topic, number] for topic in topics if (topic, number) in committed}
            check_group(number, newest, topics, offsets)


def database(installation: Installation) -> str:
    """Check that the database answers, and that this Lapwing can read what version it has."""
    settings = installation.settings
    if settings.database.startswith("sqlite:///"):
        file = Path(settings.database.removeprefix("sqlite:///").partition("?")[0])
        if not file.exists():
            msg = f"{file} is not there yet; `lapwing sink` makes it"
            raise Skipped(msg)
    store = Database(settings.database)
    try:
        with store.reading() as connection:
            connection.execute(select(text("1")))
            version = version_of(connection, store.place)
        newest = newest_version()
        now = f"it has version {version}" if version else "it has no tables yet"
        later = f"; the next command that uses it brings it to version {newest}" if version < newest else ""
        return f"{store.place} answers; {now}{later}"
    finally:
        store.close()


def channels(installation: Installation) -> str:
    """Name the channels that `lapwing notify` sends to."""
    found = channels_of(installation.settings)
    if not found:
        msg = "none are set"
        raise Skipped(msg)
    return ", ".join(channel.name for channel in found)
