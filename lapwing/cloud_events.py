"""Files of CloudEvents, one a line, as `lapwing replay` writes them; and the actions among events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from consumers.actions import Action
from streams.contract.segments import SEGMENT_TYPES
from streams.core.events.batch import MILLION, ActionRecord, Batch
from streams.core.events.topics import Topic
from streams.errors import ContractError, EventFileError
from streams.files.events import line_blocks

_COMPRESSED: Final = (".jsonl.gz", ".jsonl.zst")


def cloud_events(
    paths: Sequence[Path], types: Collection[str], parse: Callable[[bytes], object]
) -> Iterator[dict[str, Any]]:
    """Yield the events of these types, each of which `parse` accepts. Raises `EventFileError`.

    Files may be compressed, as their names say (`.jsonl.gz`, `.jsonl.zst`). One in which `parse` accepts no
    line is refused as of another kind; it may be empty, or have only segments' warnings.
    """
    for path in paths:
        suffix = next((ending for ending in _COMPRESSED if path.name.endswith(ending)), ".jsonl")
        fitting, other = False, None
        for first, lines, _ in line_blocks(path, suffix):
            for number, line in enumerate(lines, first):
                if line.strip():
                    event = _event(path, number, line)
                    if event["type"] in types:
                        _check(path, number, line, parse)
                        fitting = True
                        yield event
                    elif not fitting and event["type"] not in SEGMENT_TYPES:
                        fitting = _accepts(parse, line)
                        other = other or event["type"]
        if other is not None and not fitting:
            wanted = ", ".join(sorted(types))
            msg = f"{path}: holds another kind of event, such as {other}: expected are {wanted}"
            raise EventFileError(msg)


def _event(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, number, "not JSON") from error
    if not (isinstance(event, dict) and isinstance(event.get("type"), str)):
        raise _wrong(path, number, "not a CloudEvent")
    return event


def _accepts(parse: Callable[[bytes], object], line: bytes) -> bool:
    try:
        parse(line)
    except ContractError:
        return False
    return True


def _check(path: Path, number: int, line: bytes, parse: Callable[[bytes], object]) -> None:
    try:
        parse(line)
    except ContractError as error:
        raise _wrong(path, number, str(error)) from error


def _wrong(path: Path, number: int, what: str) -> EventFileError:
    return EventFileError(f"{path}:{number}: {what}")


def actions_of(events: Batch) -> Iterator[Action]:
    """Yield the actions among events."""
    own = events.take(events.topic == Topic.ACTIONS)
    columns = (own.event_id.tolist(), own.customer_id.tolist(), own.at.tolist(), own.record.tolist())
    for event_id, customer_id, at, record in zip(*columns, strict=True):
        assert isinstance(record, ActionRecord)
        yield Action(
            event_id=event_id,
            customer_id=customer_id,
            at=at,
            kind=record.kind,
            warning_id=record.warning_id,
            play=record.play,
            result=record.result,
            actor=record.actor,
            reasons=record.reasons,
            cost={item: amount / MILLION for item, amount in record.cost},
            corrects=record.corrects,
        )
