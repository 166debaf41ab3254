"""Silences: read them from their topic, add one, end one."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consumers.broker.records import Record, RecordSender, RecordSource
from streams.contract.silences import Recurring, Silence, encode_silence, make_silence, parse_silence
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


def new_silence(
    now: datetime,
    author: str,
    reason: str,
    matchers: Mapping[str, Any],
    starts_at: datetime,
    ends_at: datetime | None,
    recurring: Recurring | None,
) -> Silence:
    """Return the first revision of a silence with an id of its own; raise `ContractError` if it is none."""
    return make_silence(
        id=secrets.token_hex(4),
        revision=1,
        author=author,
        reason=reason,
        created_at=now,
        matchers=matchers,
        starts_at=starts_at,
        ends_at=ends_at,
        recurring=recurring,
    )


def ended(silence: Silence, now: datetime, by: str | None) -> Silence:
    """Return the next revision of a silence, by which it is over; its record stays."""
    if silence.state(now) == "expired":
        msg = f"already expired: {silence.id}"
        raise ContractError(msg)
    change = {"revision": silence.revision + 1, "expired_at": now, "expired_by": by}
    return silence.model_copy(update=change)


@dataclass(frozen=True, slots=True)
class NamedRule:
    """What a silence that names a rule needs to know of it."""

    id: str
    reason: str
    status: str
    """`active`, or the word for why it warns nobody."""
    of_segments: bool


@dataclass(frozen=True, slots=True)
class NameProblem:
    """A rule or group that a silence names in vain."""

    kind: str
    """`rule` or `group`."""
    name: str
    near: str | None = None
    """Where there is no such name, the one most like it, or nothing; `None` where there is."""
    status: str | None = None
    """Of a rule that warns nobody: such a silence is possible, and mutes nothing for now."""
    of_segments: bool = False


def name_problems(
    rules: Sequence[str], groups: Sequence[str], known: Iterable[NamedRule]
) -> Iterator[NameProblem]:
    """Yield the rules and groups by which a silence would mute nothing."""
    by_id = {each.id: each for each in known}
    reasons = {each.reason for each in by_id.values() if not each.of_segments}
    for kind, names, there in (("rule", rules, by_id.keys()), ("group", groups, reasons)):
        for name in names:
            if name not in there:
                near = difflib.get_close_matches(name.casefold(), sorted(there), n=1)
                yield NameProblem(kind, name, near=near[0] if near else "")
    for rule in (by_id[name] for name in rules if name in by_id):
        if rule.of_segments:
            yield NameProblem("rule", rule.id, of_segments=True)
        elif rule.status != "active":
            yield NameProblem("rule", rule.id, status=rule.status)
