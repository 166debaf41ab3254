"""The importer of topics: whether its file can be followed, whether it runs, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from consumers.desk.installation import ProcessState
from consumers.follow.metrics import INPUTS
from lapwing.doctor.check import Doubtful, Skipped
from lapwing.doctor.installation import Installation
from lapwing.follow import FollowInputs
from lapwing.lag import shown_age
from lapwing.registry import schemas_of
from streams.errors import BrokerError, LapwingError

PROCESS: Final = "importer"
LATE: Final = timedelta(minutes=15)
"""After so long what the topics hold should have become events."""


def importer(installation: Installation) -> str:
    """Check what `lapwing import --follow` reads, and that it does."""
    settings = installation.settings
    path = settings.import_inputs
    if path is None:
        msg = "no topics are followed: the setting `import_inputs` names no file"
        raise Skipped(msg)
    inputs = FollowInputs(settings, path, None, schemas_of(settings))
    said = f"{path} follows {', '.join(inputs.sources)}, inputs {inputs.revision.hash}"
    if isinstance(installation.answer, LapwingError):
        return said
    if missing := sorted({*inputs.sources, *inputs.written()} - installation.topics.keys()):
        msg = f"the broker has no topic {', '.join(missing)}: `lapwing topics` makes those of the contract"
        raise BrokerError(msg)
    running = [each for each in installation.ask_processes() if each.process == PROCESS]
    doubts = [*_behind(installation), *_of_processes(running, inputs.revision.hash)]
    if doubts:
        raise Doubtful("; ".join(doubts))
    there = f", {len(running)} importers run" if running else ""
    return f"{said}; all that they hold is written{there}"


def _behind(installation: Installation) -> Iterator[str]:
    """Yield what the group has yet to read for too long."""
    unread = installation.ask_unimported()
    if unread is None:
        yield "nothing of them was read yet: start `lapwing import --follow`"
        return
    waiting = {topic: each for topic, each in unread.items() if each.since is not None}
    if not waiting:
        return
    age = datetime.now(UTC) - min(each.since for each in waiting.values() if each.since is not None)
    if age > LATE:
        count = sum(each.records for each in waiting.values())
        yield (
            f"{count:,} records of {', '.join(sorted(waiting))} are not imported, the oldest for "
            f"{shown_age(age)}: see whether `lapwing import --follow` runs and what it logs"
        )


def _of_processes(running: list[ProcessState], wanted: str) -> Iterator[str]:
    """Yield what is wrong with the importers that show their metrics."""
    for each in running:
        if not each.ready:
            yield f"the importer at {each.place} cannot work: its /readyz says why"
        mapped = [figure.labels["inputs"] for figure in each.figures if figure.name == INPUTS.name]
        if mapped and mapped != [wanted]:
            yield (
                f"the importer at {each.place} maps by inputs {', '.join(mapped)} and the file is {wanted}: "
                "it refuses that, as its log says, or has another file"
            )
