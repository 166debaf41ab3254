"""The second half of an import: from the work file to event files, in the order of event time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from streams.core.events.topics import FILE_TYPES, Topic
from streams.files.packing import PACKERS
from streams.imports.work_file import KeptEvent, WorkFile

FOLDER_SUFFIX: Final = ".jsonl.gz"
"""The ending of the files in a folder, of which each holds the events of one topic."""
_BEGINNINGS: Final = {topic: b'{"type":"%s",' % word.encode() for word, topic in FILE_TYPES.items()}


def event_line(event: KeptEvent) -> bytes:
    """Return an event as the line of an event file."""
    return _BEGINNINGS[event.topic] + event.value[1:] + b"\n"


def write_file(work: WorkFile, path: Path, suffix: str, on_written: Callable[[int], None]) -> int:
    """Write all events to one file and return how many there were; `on_written` gets how many so far."""
    count = 0
    with path.open("wb") as target, PACKERS[suffix](target) as file:
        for events in work.events():
            file.write(b"".join(map(event_line, events)))
            count += len(events)
            on_written(count)
    return count


def write_folder(
    work: WorkFile, place_of: Callable[[Topic], Path], on_written: Callable[[int], None]
) -> dict[Topic, int]:
    """Write the events of each topic to a file of its own, and return how many each got."""
    counts: dict[Topic, int] = {}
    files: dict[Topic, Any] = {}
    done = 0
    with ExitStack() as stack:
        for events in work.events():
            for event in events:
                if event.topic not in files:
                    target = stack.enter_context(place_of(event.topic).open("wb"))
                    files[event.topic] = stack.enter_context(PACKERS[FOLDER_SUFFIX](target))
                files[event.topic].write(event_line(event))
                counts[event.topic] = counts.get(event.topic, 0) + 1
            done += len(events)
            on_written(done)
    return counts
