"""What words of the contract are called in a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumers.language import _
from consumers.reports.document import MISSING, NOT_ENOUGH, Value
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words
from streams.share import Share, Spread

NAMES: Final[Mapping[str, str]] = {
    "high": _("high"),
    "medium": _("medium"),
    "low": _("low"),
    # customer classes
    "key": _("key customer"),
    "ordinary": _("ordinary"),
    "small": _("small"),
    "problem": _("problem"),
    # what came of a contact
    "not_reached": _("not reached"),
    "reached": _("reached"),
    "call_back": _("call back"),
    "accepted": _("accepted"),
    "declined": _("declined"),
    "will_return": _("means to return"),
    "returned": _("has returned"),
    "moved_away": _("moved away"),
    "other_branch": _("goes to another branch"),
    "uses_competitor": _("uses a competitor"),
    "need_gone": _("needs it no more"),
    "wrong_contact": _("wrong contact"),
    "false_alarm": _("false alarm"),
    "other": _("other"),
    "not_recorded": _("no result recorded"),
    "unknown": _("reached, no reason found"),
    # what a complaint is about
    "product": _("product"),
    "service": _("service"),
    "price": _("price"),
    "delivery": _("delivery"),
    "channel": _("channel"),
    # what a play costs something for
    "gift": _("gift"),
    "communication": _("communication"),
    "labour": _("labour"),
    "discount": _("discount"),
}
"""By the word of the contract, in English."""


def named(word: str | None, words: Words) -> str:
    """Return what a word is called; one that is not of the contract is the business's own."""
    if word is None:
        return words.gettext("not known")
    return words.gettext(NAMES[word]) if word in NAMES else word


def enough(share: Share) -> Value:
    """Return a share as a cell: missing without a denominator, and without a word of few."""
    if not share.whole:
        return MISSING
    return share if share.whole >= TOO_FEW else NOT_ENOUGH


def share_title(name: str, share: Share, words: Words) -> str:
    """Return what a dot says: its name, the share and its interval."""
    return f"{name}: {words.share(share)}, {words.interval(share)}"


def spread(of: Spread, words: Words, digits: int = 1) -> str:
    """Return median and quartiles in words, nothing where there is no value."""
    if of.median is None or of.low is None or of.high is None:
        return ""
    return words.gettext(
        "median {median}, half from {low} to {high}",
        median=words.number(of.median, digits),
        low=words.number(of.low, digits),
        high=words.number(of.high, digits),
    )
