"""What words of the contract are called in a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumers.contract_words import WORDS
from consumers.language import _
from consumers.reports.document import MISSING, NOT_ENOUGH, Value
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words
from streams.share import Share, Spread

_OF_CONTRACT: Final = (
    *("high", "medium", "low"),
    *("active", "shadow", "draft", "retired"),
    *("key", "ordinary", "small", "problem"),
    *("not_reached", "reached", "call_back", "accepted", "declined", "will_return", "returned"),
    *("moved_away", "other_branch", "uses_competitor", "need_gone", "wrong_contact", "false_alarm", "other"),
    *("gift", "communication", "labour", "discount", "service"),
)
NAMES: Final[Mapping[str, str]] = {
    **{word: WORDS[word] for word in _OF_CONTRACT},
    "not_recorded": _("no result recorded"),
    "unknown": _("reached, no reason found"),
    # what a complaint is about
    "product": _("product"),
    "price": _("price"),
    "delivery": _("delivery"),
    "channel": _("channel"),
}
"""By the word, in English: no more of the contract than a report shows, as the rest is the business's own."""


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
