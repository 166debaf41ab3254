"""Who is held out, to measure what plays do: warned of like the others, and shown to nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Lot(StrEnum):
    """On which side of the comparison of plays a warning is, as drawn at its opening."""

    HELD_OUT = "held_out"
    SHOWN = "shown"
    NOT_DRAWN = "not_drawn"
    """On neither: the class is exempt, the share of its tier is 0, or only an earlier warning binds it."""


@dataclass(frozen=True, slots=True)
class HoldoutTerms:
    """The settings that the holdout depends on."""

    shares: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """By tier, the share of customers that is held out; a tier that is not named has none."""
    salt: str = "lapwing"
    """Another one draws anew."""
    exempt: tuple[str, ...] = ("key",)
    """Customer classes that are never held out."""

    @property
    def largest(self) -> float:
        """Return the largest share of any tier."""
        return max(self.shares.values(), default=0.0)

    def draw(self, customer_id: str) -> float:
        """Return the customer's number in [0, 1), always the same: below the share it is held out.

        The first 8 bytes of the SHA-256 of salt, line feed and customer, as a big-endian number over 2^64.
        """
        digest = hashlib.sha256(f"{self.salt}\n{customer_id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    def holds_out(self, customer_id: str, tier: int, customer_class: str | None) -> bool:
        """Return whether a warning of a tier that opens now is held out, for itself."""
        return self.lot(customer_id, tier, customer_class, held_out=False) is Lot.HELD_OUT

    def lot(self, customer_id: str, tier: int, customer_class: str | None, *, held_out: bool) -> Lot:
        """Return the side of a warning that opens; `held_out` says whether it is, for whatever cause."""
        share = self.shares.get(tier, 0.0)
        if share <= 0 or customer_class in self.exempt:
            return Lot.NOT_DRAWN
        if self.draw(customer_id) < share:
            return Lot.HELD_OUT
        return Lot.NOT_DRAWN if held_out else Lot.SHOWN

    def experiment(self, play_hash: str) -> str:
        """Return 16 hex digits that name what is measured: this draw, and a play as it is.

        The first 8 bytes of the SHA-256 of salt, line feed and the play's hash.
        """
        return hashlib.sha256(f"{self.salt}\n{play_hash}".encode()).hexdigest()[:16]

    def below_largest(self, customer_ids: Iterable[str]) -> list[bool]:
        """Return of each customer whether it is held out at some tier, whatever the class."""
        largest = self.largest
        return [largest > 0 and self.draw(customer_id) < largest for customer_id in customer_ids]
