"""Which rows of the queue somebody looks at, as it stands in the address of the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from consumers.desk.queue.order import Section

WORDS: Final = ("tier", "class", "segment", "region", "reason", "rule", "owner")
"""Filters by words; of each that is given one word must match. `owner` is the customer's account owner."""
FLAGS: Final = ("mine", "team", "unassigned", "snoozed", "near", "all")
QUEUED: Final = (Section.TODAY, Section.UNSERVED, Section.UNKNOWN)
_LONGEST: Final = 300
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which rows: every part that is given must match."""

    tier: tuple[str, ...] = ()
    customer_class: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    mine: bool = False
    """Who has it is I, or I acknowledged or snoozed it."""
    team: bool = False
    """The same for anybody of my team."""
    unassigned: bool = False
    snoozed: bool = False
    near: bool = False
    """Its deadline has passed or does so within a day."""
    all: bool = False
    """Also what my team does not take."""
    show: tuple[Section, ...] = ()
    """The parts of the queue; by default those that wait for somebody."""
    customer: str = ""
    """What the customer's id contains."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """The parts of the queue that are looked at."""
        if self.show:
            return self.show
        return (*QUEUED, Section.ATTENDED) if self.mine or self.team or self.snoozed else QUEUED

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filtered."""
        return self == QueueFilter()

    def words(self) -> dict[str, tuple[str, ...]]:
        """Return the filters by words, by their names in the address."""
        return {name: getattr(self, _field(name)) for name in WORDS}

    @classmethod
    def from_query(cls, pairs: Iterable[tuple[str, str]]) -> QueueFilter:
        """Return the filter of the pairs of an address; what is not known there is passed over.

        >>> QueueFilter.from_query([("tier", "high"), ("mine", "1"), ("page", "2")]).to_query()
        'tier=high&mine=1'
        """
        given: dict[str, list[str]] = {}
        for name, value in pairs:
            text = value.strip()[:_LONGEST]
            if text and text not in given.setdefault(name, []) and len(given[name]) < _MOST:
                given[name].append(text)
        shown = [_SECTIONS[word] for word in given.get("show", []) if word in _SECTIONS]
        made = cls(show=tuple(shown), customer=(given.get("customer") or [""])[0])
        words: dict[str, Any] = {_field(name): tuple(given[name]) for name in WORDS if name in given}
        flags: dict[str, Any] = {name: True for name in FLAGS if name in given}
        return replace(made, **words, **flags)

    def to_pairs(self) -> list[tuple[str, str]]:
        """Return the filter as pairs of an address, in one order."""
        pairs = [(name, word) for name, words in self.words().items() for word in words]
        pairs += [(name, "1") for name in FLAGS if getattr(self, name)]
        pairs += [("show", section.word) for section in self.show]
        return pairs + ([("customer", self.customer)] if self.customer else [])

    def to_query(self) -> str:
        """Return the filter as it stands in an address."""
        return urlencode(self.to_pairs())

    def without(self, name: str, word: str) -> QueueFilter:
        """Return the filter less one pair."""
        return QueueFilter.from_query(pair for pair in self.to_pairs() if pair != (name, word))


_SECTIONS: Final = {section.word: section for section in Section}


def _field(name: str) -> str:
    return "customer_class" if name == "class" else name
