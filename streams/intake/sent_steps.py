"""What the warnings topic holds already: the steps from given offsets on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from streams.contract.instants import read_instant, to_us
from streams.contract.warnings import parse_warning
from streams.core.events.calendar import DAY, NEVER
from streams.errors import ContractError
from streams.intake.topic_tail import TopicTail

LONGEST_AHEAD: Final = 31 * DAY
"""How long after its record's timestamp a step may be dated: far longer than any sensible `max_skew`."""


@dataclass(frozen=True, slots=True)
class SentSteps:
    """Steps that the warnings topic holds and that a restored engine may compute once more."""

    ids: frozenset[str] = frozenset()
    until: int = NEVER
    """The event time of the last of them."""
    since: Mapping[int, int] = field(default_factory=dict)
    """By partition of the topic, the offset from which on they were read."""


@dataclass(frozen=True, slots=True)
class TopicWarnings:
    """What the whole warnings topic says."""

    ids: frozenset[str]
    """Of all steps."""
    until: int
    """The event time of the newest step."""
    open: Mapping[str, bytes]
    """The newest event of each warning that is open there, by the warning's id."""


class WarningsTopic:
    """The warnings topic as its writers read it: what the application itself has sent, and nothing else."""

    def __init__(self, topic: TopicTail, app: str) -> None:
        self._topic = topic
        self._source = f"/lapwing/{quote(app, safe='')}"

    async def ends(self) -> dict[int, int]:
        """Return, by partition, the offset that the next record will get."""
        return await self._topic.ends()

    async def since(self, offsets: Mapping[int, int]) -> SentSteps:
        """Return the steps from `offsets` on; a partition they do not name is read from its beginning."""
        ids: set[str] = set()
        until = NEVER
        async for record in self._topic.records(offsets):
            if (step := self._step(record)) is not None:
                ids.add(step[0])
                until = max(until, step[1])
        return SentSteps(frozenset(ids), until, dict(offsets))

    async def all(self) -> TopicWarnings:
        """Return what the whole topic says; what is no warning is passed over."""
        ids: set[str] = set()
        until = NEVER
        newest: dict[str, tuple[int, str, bytes]] = {}
        async for record in self._topic.records({}):
            try:
                event = parse_warning(record.value or b"")
            except ContractError:
                continue
            at, data = to_us(event.time), event.data
            if event.source != self._source or _is_absurd(at, record.timestamp):
                continue
            ids.add(event.id)
            until = max(until, at)
            known = newest.get(data.warning_id)
            if known is None or known[0] < data.step:
                newest[data.warning_id] = (data.step, data.state, record.value)
        still = {warning: value for warning, (_, state, value) in newest.items() if state == "open"}
        return TopicWarnings(frozenset(ids), until, still)

    def _step(self, record: Any) -> tuple[str, int] | None:
        """Return a step's id and event time; `None` of what the application has not sent."""
        try:
            step = json.loads(record.value or b"")
            at = to_us(read_instant(step["time"]))
            if step["source"] != self._source or _is_absurd(at, record.timestamp):
                return None
            return str(step["id"]), at
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


def _is_absurd(at: int, timestamp_ms: int) -> bool:
    """Return whether a step is dated long after its own record, as none of ours is.

    Rules would not be adopted before its time came.
    """
    return timestamp_ms >= 0 and at > timestamp_ms * 1_000 + LONGEST_AHEAD
