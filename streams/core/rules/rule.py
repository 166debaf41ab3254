"""A rule as operations wrote it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum

from streams.core.steps import Tier


class RuleStatus(StrEnum):
    """Whether a rule takes part."""

    DRAFT = "draft"
    """Being written: checked, not evaluated."""
    SHADOW = "shadow"
    """Evaluated and counted; warns nobody."""
    ACTIVE = "active"
    RETIRED = "retired"
    """Kept for the record: checked, not evaluated."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as operations wrote it; durations are microseconds."""

    id: str
    when: str
    """SQL condition under which the customer is in danger, what `sequence` and `absence` say included."""
    tier: Tier
    reason: str
    """Group of causes it counts to, such as `activity_decline`."""
    title: str = ""
    """One line for people; the id where none is given."""
    status: RuleStatus = RuleStatus.ACTIVE
    owner: str | None = None
    clear: str | None = None
    """SQL condition under which the danger is over; `None` is the opposite of `when`."""
    only: str | None = None
    """SQL condition that says for which customers the rule is."""
    for_us: int = 0
    """How long `when` must hold before the cause opens."""
    keep_open_for_us: int = 0
    """How long `clear` must hold before the cause closes."""
    cooldown_us: int = 0
    """How long after a close the cause may not begin again."""
    play: str | None = None
    message: str = ""
    """Text for people with `{feature}` fields; the title where none is given."""
    rationale: str = ""
    false_alarms: str = ""
    paused: str | None = None
    """Why it is in shadow for now, although operations made it active."""
    sequence: str | None = None
    """The phrase, as written, that a part of `when` was made of."""
    absence: str | None = None
    inhibits: tuple[str, ...] = ()
    """Milder rules that are hidden while this one is open."""
    version: str = field(init=False)
    """12 hex digits of what the rule says; status, pause, rationale and false alarms are not part of it."""

    def __post_init__(self) -> None:
        content = json.dumps(self._content(), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "version", hashlib.sha256(content.encode()).hexdigest()[:12])

    def _content(self) -> dict[str, object]:
        content: dict[str, object] = {
            "id": self.id,
            "title": self.title,
            "owner": self.owner,
            "when": _plain(self.when),
            "clear": _plain(self.clear),
            "only": _plain(self.only),
            "for": self.for_us,
            "keep_open_for": self.keep_open_for_us,
            "cooldown": self.cooldown_us,
            "tier": int(self.tier),
            "reason": self.reason,
            "play": self.play,
            "message": self.message,
        }
        # Only where given: the versions of rules that were there before these fields stay what they were.
        later = {"sequence": self.sequence, "absence": self.absence, "inhibits": sorted(self.inhibits)}
        return content | {name: value for name, value in later.items() if value}

    @property
    def takes_part(self) -> bool:
        """Whether the rule is evaluated."""
        return self.status in (RuleStatus.ACTIVE, RuleStatus.SHADOW)


def _plain(sql: str | None) -> str | None:
    """Return SQL with runs of white space outside quotes as one space."""
    if sql is None:
        return None
    parts = re.split(r"('[^']*')", sql.strip())
    return "".join(part if part.startswith("'") else re.sub(r"\s+", " ", part) for part in parts)
