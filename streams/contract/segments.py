"""The outbound messages about segments: a step of a segment's warning as a CloudEvent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, get_args
from urllib.parse import quote

import msgspec
from pydantic import Field

from streams.contract.instants import format_instant
from streams.contract.mistakes import read_json
from streams.contract.warnings import (
    STATES,
    CauseData,
    Count,
    Id,
    Outbound,
    StateWord,
    TierWord,
    Time,
    cause_data,
)

if TYPE_CHECKING:  # a subscriber need not wait for Polars
    from streams.core.segments.engine import SegmentStep

SegmentType = Literal[
    "churn.segment.opened",
    "churn.segment.escalated",
    "churn.segment.updated",
    "churn.segment.resolved",
    "churn.segment.withdrawn",
]
SEGMENT_TYPES: Final[tuple[str, ...]] = get_args(SegmentType)

_encode: Final[Callable[[object], bytes]] = msgspec.json.Encoder().encode


class SegmentData(Outbound):
    """The segment's warning after the step."""

    warning_id: Id
    step: Count = Field(description="Counts the steps of the warning from 1.")
    dimension: str = Field(description="What the rule is `by`, such as `region`.")
    value: str = Field(description="The dimension's value, such as `north`.")
    state: StateWord
    tier: TierWord
    opened_at: Time
    causes: tuple[CauseData, ...] = Field(
        description="Those open after the step; in `resolved` and `withdrawn` those that went with it."
    )
    rule_set: str = Field(description="Hash of the segment rules in force.")


class SegmentEvent(Outbound):
    """A step of a segment's warning, as a CloudEvent 1.0 in structured JSON."""

    specversion: Literal["1.0"]
    id: Id = Field(description="The warning's id and the step's number, joined by `/`.")
    source: str = Field(description="`/lapwing/` and the application's name.")
    type: SegmentType
    subject: str = Field(description="Dimension and value, `region=north`; also the record's key.")
    time: Time = Field(description="The midnight that ended the judged day.")
    datacontenttype: Literal["application/json"]
    data: SegmentData


def encode_segment_step(step: SegmentStep, app: str) -> bytes:
    """Return the bytes of a step on the segment warnings topic; the same step gives the same bytes."""
    data = {
        "warning_id": step.warning_id,
        "step": step.number,
        "dimension": step.dimension,
        "value": step.value,
        "state": STATES.get(step.kind, "open"),
        "tier": step.tier.label,
        "opened_at": format_instant(step.opened_at),
        "causes": [cause_data(cause) for cause in step.causes],
        "rule_set": step.rule_set,
    }
    return _encode(
        {
            "specversion": "1.0",
            "id": step.id,
            "source": f"/lapwing/{quote(app, safe='')}",
            "type": f"churn.segment.{step.kind.value}",
            "subject": step.segment,
            "time": format_instant(step.at),
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def parse_segment_warning(value: bytes) -> SegmentEvent:
    """Return the segment's warning event that the bytes of a record hold."""
    return read_json(SegmentEvent, value, "a segment's warning event")
