"""Groups of customers with two columns that are easily taken for each other, each under its own name.

The share of the lost says which part of all who were lost belongs to a group: it is large where a group is
large. The rate within the group says which part of the group was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from consumers.language import _
from consumers.reports.identities import Identity
from consumers.reports.period import Period
from consumers.reports.rate import MIN_CELL, Rate, hidden_cells
from streams.share import Share

OTHER: Final = "other"
"""The group of customers whom the census counts in no cell with a name."""
LOST_HERE: Final = _("the lost of the group")
ALL_LOST: Final = _("all who were lost in the period")
HERE: Final = _("the group's customers who were active at the beginning of the period")


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """How many customers of a group were there, stayed, left and came."""

    original: int = 0
    kept: int = 0
    lost: int = 0
    acquired: int = 0
    returned: int = 0
    active: int = 0
    """At the end, by the group of then."""

    def __add__(self, other: GroupCounts) -> GroupCounts:
        """Return the sums of both."""
        return GroupCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def as_dict(self) -> dict[str, int]:
        """Return them as plain JSON values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a table."""

    name: str | None
    """`None` where it is not known."""
    is_other: bool
    counts: GroupCounts
    all_lost: int
    period: Period
    hidden: bool
    """So few customers that they could be recognised: nothing of it is shown."""

    @property
    def share_of_lost(self) -> Rate:
        """Which part of all the lost belongs to the group."""
        return Rate(Share(self.counts.lost, self.all_lost), LOST_HERE, ALL_LOST, self.period)

    @property
    def rate_within(self) -> Rate:
        """Which part of the group was lost."""
        return Rate(Share(self.counts.lost, self.counts.original), LOST_HERE, HERE, self.period)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values, of a hidden group nothing but its name."""
        own = {"name": self.name, "other": self.is_other, "hidden": self.hidden}
        if self.hidden:
            return own
        return {
            **own,
            **self.counts.as_dict(),
            "share_of_lost": self.share_of_lost.as_dict(),
            "rate_within": self.rate_within.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class GroupTable:
    """All customers of a period by one attribute; those of most original customers first."""

    by: str
    groups: tuple[Group, ...]
    total: GroupCounts
    hidden: GroupCounts
    """Of the hidden groups together."""
    identities: tuple[Identity, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        hidden = [each for each in self.groups if each.hidden]
        return {
            "by": self.by,
            "groups": [each.as_dict() for each in self.groups],
            "total": self.total.as_dict(),
            "hidden": {"groups": len(hidden), "below": MIN_CELL, **self.hidden.as_dict()},
            "identities": [each.as_dict() for each in self.identities],
        }


Key = tuple[str | None, bool]
"""The name of a group, and whether it is that of all others."""


def group_table(
    by: str,
    counts: Mapping[Key, GroupCounts],
    total: GroupCounts,
    period: Period,
    order: Iterable[str] = (),
) -> GroupTable:
    """Return a table of groups that must add up to a total; `order` has the names that have an order."""
    place = {name: number for number, name in enumerate(order)}
    keys = sorted(
        (key for key, own in counts.items() if own != GroupCounts()),
        key=lambda key: (
            place.get(key[0] or "", len(place)),
            *((0,) if place else (-counts[key].original, -counts[key].active)),
            key[1],
            key[0] is None,
            key[0] or "",
        ),
    )
    sizes = [max(counts[key].original, counts[key].active, counts[key].lost) for key in keys]
    hidden = hidden_cells(sizes)
    groups = tuple(
        Group(key[0], key[1], counts[key], total.lost, period, number in hidden)
        for number, key in enumerate(keys)
    )
    left_out = sum((each.counts for each in groups if each.hidden), GroupCounts())
    return GroupTable(by, groups, total, left_out, tuple(_identities(groups, total)))


def _identities(groups: tuple[Group, ...], total: GroupCounts) -> Iterable[Identity]:
    sums = sum((each.counts for each in groups), GroupCounts())
    for name in ("original", "lost", "active"):
        yield Identity(_("the groups add up to the total"), getattr(sums, name), getattr(total, name))
    for each in groups:
        if not each.hidden:
            own = each.counts
            yield Identity(_("kept + lost = original"), own.kept + own.lost, own.original)
    if total.original:
        weighted = sum(
            each.counts.original * (each.rate_within.value or 0) for each in groups if each.counts.original
        )
        yield Identity(
            _("the rates within the groups, weighted by their customers, give the rate of all"),
            weighted / total.original,
            total.lost / total.original,
        )
