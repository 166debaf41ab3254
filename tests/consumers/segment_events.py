"""Records of the segment warnings topic, made as the worker makes them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from consumers.broker.records import Record
from streams.contract.segments import encode_segment_step
from streams.core.segments.engine import SegmentStep
from streams.core.steps import Cause, StepKind, Tier
from tests.consumers.warning_events import DAY, T0

TOPIC = "segment-warnings"


def warning_id(segment: str) -> str:
    return str(uuid5(UUID(int=9), segment))


def value(
    segment: str = "north",
    number: int = 1,
    kind: StepKind = StepKind.OPENED,
    tier: Tier = Tier.MEDIUM,
    causes: Sequence[str] = ("complaints-up",),
) -> bytes:
    step = SegmentStep(
        kind=kind,
        dimension="region",
        value=segment,
        at=T0 + number * DAY,
        warning_id=warning_id(segment),
        number=number,
        tier=tier,
        opened_at=T0 + DAY,
        causes=tuple(
            Cause(
                rule=rule,
                version="1f3a5b7c9d0e",
                title=f"Title of {rule}",
                tier=tier,
                reason="complaints",
                owner=None,
                play="Ask the depot",
                since=T0,
                opened_at=T0 + DAY,
                message=f"message of {rule}",
                values={"complaints_7d": 12, "complaint_rise": 2.5},
            )
            for rule in causes
        ),
        rule_set="abc",
    )
    return encode_segment_step(step, "lapwing")


def life(segment: str) -> list[bytes]:
    """Return a warning's whole life: opened, updated, escalated, resolved."""
    return [
        value(segment, 1),
        value(segment, 2, StepKind.UPDATED, causes=("a", "b")),
        value(segment, 3, StepKind.ESCALATED, Tier.HIGH, causes=("a", "c")),
        value(segment, 4, StepKind.RESOLVED, Tier.HIGH, causes=("a",)),
    ]


def records(contents: Sequence[bytes | None]) -> list[Record]:
    return [
        Record(TOPIC, 0, offset, T0 // 1000, b"region=north", content)
        for offset, content in enumerate(contents)
    ]
