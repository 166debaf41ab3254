"""What a driver may see of an engine at work, beside the steps that it puts out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from streams.core.features.catalogue import Features


class CauseObserver(Protocol):
    """Sees causes open and end: also those of shadow rules, which make no steps."""

    def causes_changed(self, customer: int, at: int, opened: Collection[int], ended: Collection[int]) -> None:
        """Note the causes that one evaluation of a customer opened and ended, by the places of their rules.

        Called once for each evaluation that changes any, in the order of the evaluations. What people and
        time end, and what an adopted rule set takes back, is in the steps alone.
        """

    def causes_opened(self, already_lost: Sequence[bool]) -> None:
        """Note of each cause that opened since the last call whether its customer was not active then.

        They are in the order in which `causes_changed` was called of them, and its `opened` has them.
        """


class SweepObserver(Protocol):
    """Sees the features of all customers at each sweep."""

    def swept(self, at: int, features: Features) -> None:
        """Note the features of all customers at the sweep at `at`, after its evaluations."""
