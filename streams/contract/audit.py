"""Messages on the audit topic: which partition changed from which rules to which, and the differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal
from uuid import UUID, uuid5

import msgspec
from pydantic import Field

from streams.contract.mistakes import read_json
from streams.contract.warnings import Outbound, Time

NAMESPACE: Final = UUID("0f0b7c1e-6b39-5a55-8a1c-3d8f1d0c9b72")
"""Of the name-based ids of adoptions."""


class FieldDifference(Outbound):
    """A field of a rule whose value changed."""

    field: str
    before: str | None
    after: str | None


class RuleDifference(Outbound):
    """A rule that was added, removed or changed."""

    rule: str
    change: Literal["added", "removed", "changed"]
    version_before: str | None
    version_after: str | None
    fields: tuple[FieldDifference, ...]


class PlayDifference(Outbound):
    """A play that was added, removed or changed."""

    play: str
    change: Literal["added", "removed", "changed"]
    fields: tuple[FieldDifference, ...]


class RulesAdopted(Outbound):
    """A partition's change from one rule set to another; sent again after a crash, with the same id."""

    id: str = Field(description="The same for the same change of the same partition.")
    app: str
    kind: Literal["rules.adopted"]
    judges: Literal["customers", "segments"] = Field(
        default="customers",
        description="For `segments`, `partition` is one of the internal topic of the days' sums.",
    )
    adopted_at: Time = Field(description="By the clock of the worker.")
    at: Time | None = Field(description="Event time of the partition; `null` before its first event.")
    partition: int
    offsets: dict[str, int] = Field(
        description="By topic, the offset of the first record that is judged by the new rules."
    )
    rule_set_before: str | None = Field(description="`null` for a partition that is new.")
    rule_set: str
    worker: str
    revision: str | None = Field(description="Git's, where the rule files are a checkout.")
    author: str | None
    changes: tuple[RuleDifference, ...] | None = Field(
        description="`null` where the rules before cannot be read any more."
    )
    plays: tuple[PlayDifference, ...] = Field(
        default=(), description="The plays that changed; they are part of the rule set."
    )


def adoption_id(
    app: str, before: str | None, after: str, partition: int, offsets: Mapping[str, int], at: int | None
) -> str:
    """Return the id of a partition's change of rules, a name-based UUID (version 5, RFC 9562)."""
    places = ",".join(f"{topic}={offset}" for topic, offset in sorted(offsets.items()))
    return str(uuid5(NAMESPACE, f"{app}\n{before or ''}\n{after}\n{partition}\n{places}\n{at}"))


def parse_adopted(value: bytes) -> RulesAdopted:
    """Return the change that the bytes of a record on the audit topic hold."""
    return read_json(RulesAdopted, value, "a change of rules")


encode_adopted: Final[Callable[[Mapping[str, object]], bytes]] = msgspec.json.Encoder().encode
"""Return the bytes of a record with the fields of `RulesAdopted`."""
