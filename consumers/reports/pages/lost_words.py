"""The words and cells that the sections about what was lost have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consumers.contract_words import WORDS
from consumers.language import _
from consumers.reports.census_months import Mark
from consumers.reports.document import MISSING, NOT_ENOUGH, Definition, Value
from consumers.reports.rate import MIN_CELL, TOO_FEW, AmountRate, Rate
from consumers.reports.retention import Basis, Why
from consumers.reports.words import Words

BY: Final = {
    "customer_class": _("Class"),
    "segment": _("Segment"),
    "region": _("Region"),
    "channel": _("Channel of the last order"),
    "origin": _("Origin"),
    "tenure": _("Months since the first activity"),
    "tier": _("Tier of the warning that was open at the beginning"),
}
NAMES: Final = {
    **{word: WORDS[word] for word in ("key", "ordinary", "small", "problem", "high", "medium", "low")},
    "none": _("no warning"),
    "other": _("all others"),
}
"""Names of groups that Lapwing gives; all others are the business's own."""
WITH_NAMES: Final = ("customer_class", "tier")
MARKS: Final = {
    Mark.MISSING: _("no census was taken at its end"),
    Mark.INCOMPLETE: _("the census of a partition is missing"),
    Mark.GAP: _("its census looks back further than one month"),
    Mark.FIRST: _("the first census: a backlog of customers who came at any time before, and no rate"),
    Mark.PARTLY_FIRST: _("some partitions were counted for the first time"),
    Mark.QUIET: _("a source was quiet at its end: customers may look silent who are not"),
    Mark.QUIET_BEFORE: _("a source was quiet at its beginning"),
}
BASES: Final = {Basis.CENSUS: _("the monthly census"), Basis.OUTCOMES: _("each customer's outcomes")}
WHYS: Final = {
    Why.NO_MONTH: _("the period is no calendar month, so that no census was taken at both of its ends"),
    Why.NO_CENSUS: _("there is no census at the end of the month"),
    Why.NOT_OVER: _("what is known ends before the period does, and who is kept so far may still be lost"),
    Why.UNKNOWN: _("nothing is known of the period"),
    Why.GAP: _("the census at the end of the month looks back further than the month"),
}

MOSTLY: Final = 0.75
"""The part of all that the bars of a plot have to show: where more is hidden, its shape misleads."""


def group_name(by: str, name: str | None, is_other: bool, words: Words) -> str:
    """Return what a group is called."""
    gettext = words.gettext
    if is_other:
        return gettext(NAMES["other"])
    if name is None:
        return gettext("not known")
    return gettext(NAMES[name]) if by in WITH_NAMES and name in NAMES else name


def marks(given: Iterable[Mark], words: Words) -> str:
    """Return what is the matter with a month."""
    return words.listing([words.gettext(MARKS[mark]) for mark in given])


def rate_cell(rate: Rate | None) -> Value:
    """Return a rate for a table: it is missing, of too few to say anything, or a share."""
    if rate is None or not rate.share.whole:
        return MISSING
    return rate.share if rate.is_enough else NOT_ENOUGH


def amount_cell(rate: AmountRate | None) -> Value:
    """Return a rate of amounts for a table."""
    if rate is None or rate.value is None:
        return MISSING
    return rate.value if rate.is_enough else NOT_ENOUGH


def definition(name: str, rate: Rate | AmountRate, words: Words) -> Definition:
    """Return what stands beside a rate."""
    gettext = words.gettext
    return Definition(
        name=name,
        part=gettext(rate.part_is),
        whole=gettext(rate.whole_is),
        period=rate.period.title(words.locale),
        exclusions=[(gettext(each.what), each.n) for each in rate.exclusions],
    )


def is_mostly_shown(counts: Iterable[int | None], total: int) -> bool:
    """Return whether a plot may stand for counts of which some are hidden (`None`): most of all is shown."""
    return total > 0 and sum(count or 0 for count in counts) >= MOSTLY * total


def small_note(words: Words) -> str:
    """Return how few are hidden, and how few say nothing."""
    return words.gettext(
        "Groups of fewer than {hidden} customers are hidden, with another one where they could be found by "
        "subtraction; a rate of fewer than {few} is not enough to say anything.",
        hidden=words.count(MIN_CELL),
        few=words.count(TOO_FEW),
    )
