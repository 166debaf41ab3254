"""What is known beforehand of the features that conditions read: their ranges and relations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import polars as pl

from streams.core.analysis.intervals import ALL, Interval
from streams.core.events.topics import Topic
from streams.core.features import relations
from streams.core.features.catalogue import CATALOGUE
from streams.core.features.relations import CountWindow, NotAbove
from streams.core.segments.catalogue import SEGMENT_CATALOGUE


class KnownFeature(Protocol):
    """What the analysis needs of a feature; `streams.core.features.catalogue.Feature` has the meanings."""

    @property
    def dtype(self) -> type[pl.DataType]:
        """The type of its column."""

    @property
    def reads(self) -> tuple[Topic, ...]:
        """The topics without which it is missing."""

    @property
    def may_be_missing(self) -> bool:
        """Whether it is missing at other times too."""

    @property
    def low(self) -> float:
        """The least value."""

    @property
    def high(self) -> float:
        """The greatest value."""

    @property
    def can_fall(self) -> bool:
        """Whether it can become less than it was."""

    @property
    def ratio(self) -> tuple[str, str] | None:
        """The features that it is a ratio of."""

    @property
    def words(self) -> tuple[str, ...] | None:
        """The words that it can be."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A catalogue and the relations between its features; nothing is known of a feature that it has not."""

    catalogue: Mapping[str, KnownFeature]
    ordered: Sequence[NotAbove] = ()
    windows: Sequence[CountWindow] = ()
    at_least: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    known_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Where the feature is known, these are; those of a ratio need not be named."""

    ratios: Mapping[str, tuple[str, str]] = field(init=False)
    """Features that are one feature over another, known exactly where both are and the second is positive."""
    always_known: frozenset[str] = field(init=False)
    """Features that are never missing, whichever topic is quiet."""

    def __post_init__(self) -> None:
        features = self.catalogue.items()
        ratios = {name: feature.ratio for name, feature in features if feature.ratio is not None}
        always = frozenset(name for name, f in features if not f.may_be_missing and not f.reads)
        object.__setattr__(self, "ratios", ratios)
        object.__setattr__(self, "always_known", always)

    def range_of(self, name: str) -> Interval:
        """Return the values that a feature can have where it is known.

        >>> CUSTOMERS.range_of("churn_probability")
        Interval(low=0, high=1, low_open=False, high_open=False)
        """
        feature = self.catalogue.get(name)
        return ALL if feature is None else Interval(feature.low, feature.high)

    def is_whole(self, name: str) -> bool:
        """Return whether a feature is a count."""
        return name in self.catalogue and self.catalogue[name].dtype is pl.Int64

    def is_word(self, name: str) -> bool:
        """Return whether a feature is a word."""
        return name in self.catalogue and self.catalogue[name].dtype is pl.String

    def can_fall(self, name: str) -> bool:
        """Return whether a feature can become less than it was."""
        return name not in self.catalogue or self.catalogue[name].can_fall

    def known_beside(self, name: str) -> tuple[str, ...]:
        """Return the features that are known where a feature is."""
        return (*self.ratios.get(name, ()), *self.known_with.get(name, ()))


CUSTOMERS: Final = Knowledge(
    CATALOGUE, relations.ORDERED, relations.WINDOWS, relations.AT_LEAST, relations.KNOWN_WITH
)
"""Of the features of customers."""
SEGMENTS: Final = Knowledge(
    SEGMENT_CATALOGUE,
    tuple(
        NotAbove(low, high)
        for name in ("orders", "complaints", "active_days", "complainers")
        for low, high in ((f"{name}_7d", f"{name}_28d"), (f"{name}_7d", f"all_{name}_7d"))
        if high in SEGMENT_CATALOGUE
    ),
)
"""Of the features of segments."""
