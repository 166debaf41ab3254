"""What the warnings topic holds already: the steps from given offsets on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.contract.instants import read_instant, to_us
from streams.contract.warnings import parse_warning
from streams.core.events.calendar import NEVER
from streams.errors import ContractError
from streams.intake.topic_tail import TopicTail


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
    """The warnings topic as its writers read it."""

    def __init__(self, topic: TopicTail) -> None:
        self._topic = topic

    async def ends(self) -> dict[int, int]:
        """Return, by partition, the offset that the next record will get."""
        return await self._topic.ends()

    async def since(self, offsets: Mapping[int, int]) -> SentSteps:
        """Return the steps from `offsets` on; a partition they do not name is read from its beginning."""
        ids: set[str] = set()
        until = NEVER
        async for record in self._topic.records(offsets):
            if (step := _step(record.value)) is not None:
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
            ids.add(event.id)
            until = max(until, to_us(event.time))
            data = event.data
            known = newest.get(data.warning_id)
            if known is None or known[0] < data.step:
                newest[data.warning_id] = (data.step, data.state, record.value)
        still = {warning: value for warning, (_, state, value) in newest.items() if state == "open"}
        return TopicWarnings(frozenset(ids), until, still)


def _step(value: bytes | None) -> tuple[str, int] | None:
    """Return a step's id and event time; `None` of what is no warning of ours."""
    try:
        step = json.loads(value or b"")
        return str(step["id"]), to_us(read_instant(step["time"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
