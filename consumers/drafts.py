"""Actions before they are sent: what somebody did, and the event that it becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from streams.contract.events import Action
from streams.contract.instants import format_instant
from streams.contract.validate import RecordRefusal, judge
from streams.errors import ActError

CHANGING_KINDS: Final = ("acknowledge", "snooze", "expire")
"""Kinds that change the life of the warning they name."""
KINDS: Final = (*CHANGING_KINDS, "contact", "offer", "assign", "unassign", "confirm", "correct")
"""All kinds that mean something to Lapwing; the contract leaves room for others."""
RESULTS: Final[tuple[str, ...]] = tuple(
    word for each in get_args(Action.model_fields["result"].annotation) for word in get_args(each)
)
"""What may come of an action."""
LASTING_KINDS: Final = ("acknowledge", "snooze")
"""Kinds that end at their `until`."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody did about a warning, or to win a customer back; `until` in microseconds."""

    customer_id: str
    kind: str
    warning_id: str | None = None
    until: int | None = None
    play: str | None = None
    result: str | None = None
    reasons: tuple[str, ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)
    assignee: str | None = None
    corrects: str | None = None

    def event(self, event_id: str, at: int, actor: str) -> dict[str, Any]:
        """Return the event of what `actor` did at an instant."""
        fields = {
            "event_id": event_id,
            "occurred_at": format_instant(at),
            "customer_id": self.customer_id,
            "warning_id": self.warning_id,
            "kind": self.kind,
            "actor": actor,
            "until": None if self.until is None else format_instant(self.until),
            "play": self.play,
            "result": self.result,
            "reasons": list(self.reasons) or None,
            "cost": dict(self.cost) or None,
            "corrects": self.corrects,
            "assignee": self.assignee,
        }
        return {name: value for name, value in fields.items() if value is not None}


def action_bytes(event: Mapping[str, Any]) -> bytes:
    """Return an action's event as it goes to the topic; raise `ActError` where a worker would refuse it."""
    value = json.dumps(event).encode()
    kind, until = event.get("kind"), event.get("until")
    if until is not None and kind not in LASTING_KINDS:
        msg = f"until: belongs to acknowledge and snooze, not to {kind}"
    elif kind == "correct" and event.get("corrects") is None:
        msg = "corrects: which action is to be corrected?"
    elif event.get("assignee") is not None and kind != "assign":
        msg = f"assignee: belongs to assign, not to {kind}"
    elif isinstance(verdict := judge(Action.topic, value), RecordRefusal):
        msg = verdict.detail
    else:
        return value
    raise ActError(msg)
