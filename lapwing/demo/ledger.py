"""The warnings seen so far: which are open, and the life of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from streams.contract.instants import to_us
from streams.contract.warnings import WarningEvent
from streams.core.steps import Tier


@dataclass(frozen=True, slots=True)
class Entry:
    """A warning as its newest step left it; instants are microseconds since the epoch."""

    step: int
    customer: str
    tier: Tier
    highest: Tier
    """The highest tier it has had."""
    opened_at: int
    closed_at: int | None


@dataclass(frozen=True, slots=True)
class Episode:
    """A warning from its opening to its end; instants are microseconds since the epoch."""

    customer: str
    opened_at: int
    closed_at: int | None
    tier: Tier
    """The highest it had."""


class Ledger:
    """Takes every step of every warning, in any order and however often."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def add(self, event: WarningEvent) -> None:
        """Take a step."""
        data = event.data
        known = self._entries.get(data.warning_id)
        if known is None or known.step < data.step:
            tier = Tier[data.tier.upper()]
            self._entries[data.warning_id] = Entry(
                step=data.step,
                customer=data.customer_id,
                tier=tier,
                highest=tier if known is None else max(tier, known.highest),
                opened_at=to_us(data.opened_at),
                closed_at=None if data.state == "open" else to_us(event.time),
            )

    def __len__(self) -> int:
        return len(self._entries)

    def open_by_tier(self) -> Counter[str]:
        """Return how many warnings of each tier are open."""
        return Counter(entry.tier.label for entry in self._entries.values() if entry.closed_at is None)

    def episodes(self) -> list[Episode]:
        """Return each warning from its opening to its end."""
        return [Episode(e.customer, e.opened_at, e.closed_at, e.highest) for e in self._entries.values()]
