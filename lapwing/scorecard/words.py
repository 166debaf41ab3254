"""A scorecard's figures in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consumers.scorecard.missed import Missed, MissedGroup
from consumers.scorecard.scorecard import DAY_US, RuleScore, Score, Scorecard
from lapwing.backtest.words import day, of_whole, percent

TITLES: Final = {"customer_class": "class", "segment": "segment", "value": "value"}


def period(card: Scorecard) -> str:
    """Return the period in words."""
    since = "the beginning" if card.since is None else day(card.since)
    until = "" if card.until is None else f" to {day(card.until)}"
    return f"Warnings opened and customers lost since {since}{until}"


def basis(card: Scorecard) -> list[str]:
    """Return what the figures are counted on."""
    horizon = f"{card.horizon_us / DAY_US:g}"
    known = "nothing is known" if card.known_to is None else f"Known up to {day(card.known_to)}"
    lines = [
        known + ("" if card.as_of is None else f", as the store stood on {day(card.as_of)}") + ".",
        f"Precision: of what matured, {horizon} days after it opened, after how much the customer left.",
        f"Recall and lead time: of the {card.losses - card.losses_not_settled:,} losses, by silence or "
        f"closure, that lie {horizon} days back; {card.losses_not_settled:,} of {card.losses:,} do not yet.",
    ]
    if card.closed_after_lapse:
        lines.append(
            f"{card.closed_after_lapse:,} closures of customers who had lapsed before are no second loss."
        )
    return lines


def matured(score: Score) -> str:
    """Return how many have matured."""
    return f"{score.precision.whole:,}"


def waiting(score: Score) -> str:
    """Return how many are not yet known."""
    return "-" if score.not_matured is None else f"{score.not_matured:,}"


def team(score: Score) -> Sequence[str]:
    """Return the verdicts of the team, and how they compare with what became of the customers."""
    found = score.verdicts
    if not found.precision.whole:
        return ("-",)
    lines = [f"{percent(found.precision.value)} right", of_whole(found.precision)]
    if found.right:
        lines.append(f"{found.right_and_left:,} of {found.right:,} left")
    if found.false_alarm:
        lines.append(f"{found.false_alarm_and_stayed:,} of {found.false_alarm:,} false alarms stayed")
    return lines


def rule_tags(rule: RuleScore) -> list[str]:
    """Return what is said beside a rule's name."""
    return [rule.tier, *([] if rule.status == "active" else [rule.status])]


def group_name(group: MissedGroup) -> str:
    """Return a group's name."""
    return group.value or "(unknown)"


def worth(group: MissedGroup) -> str:
    """Return the value of a group's missed customers, and of how many it is known."""
    return f"{group.value_missed:,.2f}" if group.value_known else "-"


def missed_title(missed: Missed) -> str:
    """Return how many were missed."""
    return f"Left without a warning: {missed.all.missed:,} of {missed.all.lost:,}"
