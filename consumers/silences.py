"""The silences topic: read the newest record of each silence, write another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consumers.broker.records import Record, RecordSender, RecordSource
from streams.contract.silences import Silence, encode_silence, parse_silence
from streams.errors import ContractError

POLL_S: Final = 0.5


def read_silences(source: RecordSource) -> dict[str, Silence]:
    """Return every silence by its id; records that are no silences are skipped."""
    found: list[Record] = []
    while True:
        records = source.poll(POLL_S)
        found += records
        if not records and source.at_end():
            return silences_of(found)


def silences_of(records: Iterable[Record]) -> dict[str, Silence]:
    """Return the silences that records of their topic leave, by id; records that are none are passed over."""
    found: dict[str, Silence] = {}
    for record in records:
        key = (record.key or b"").decode(errors="replace")
        try:
            silence = parse_silence(record.value) if record.value is not None else None
        except ContractError:
            continue
        if silence is None:
            found.pop(key, None)
        elif key == silence.id and silence.revision >= (found[key].revision if key in found else 0):
            found[key] = silence
    return found


def write_silence(sender: RecordSender, topic: str, silence: Silence) -> None:
    """Send a silence to the topic and wait until the broker has it."""
    sender.send(topic, silence.id.encode(), encode_silence(silence))
    sender.flush()


def named(found: dict[str, Silence], wanted: str) -> Silence:
    """Return the silence of this id, or of the one id that begins so."""
    fitting = [wanted] if wanted in found else sorted(name for name in found if name.startswith(wanted))
    if not wanted or not fitting:
        msg = f"there is no silence {wanted!r}: `lapwing silence list` shows them"
        raise ContractError(msg)
    if len(fitting) > 1:
        msg = f"{wanted!r} begins several silences: {', '.join(fitting)}"
        raise ContractError(msg)
    return found[fitting[0]]
