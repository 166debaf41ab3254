"""The demo's report: how good the warnings were, in sentences with both numbers of every share."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Final

from lapwing.demo.outcome import InTime, ObservedOutcome, SimulatedOutcome
from lapwing.demo.screen import TIERS
from streams.share import Share

MARGIN: Final = 11
WIDTH: Final = 98


def simulated_report(outcome: SimulatedOutcome, horizon_days: int) -> list[str]:
    """Return the report on a shop whose truth is known."""
    false = outcome.right.whole - outcome.right.part
    by_kind = ", ".join(f"{_words(kind)} {_share(share)}" for kind, share in outcome.by_kind.items())
    return [
        *_part("Leavers", _in_time(outcome.in_time, horizon_days)),
        *_part("", by_kind),
        *_part(
            "", f"{outcome.too_recent:,} more left less than {horizon_days} days before the end: not judged"
        ),
        *_part(
            "Warnings",
            f"{_share(outcome.right)} were about a customer who was leaving or had left (precision)",
        ),
        *_part("", _tiers(outcome.right_by_tier)),
        *_part("", f"{false:,} were false{_split(outcome.false_by_kind)}"),
        *_part(
            "",
            f"{_share(outcome.stayers_alarmed)} customers who never meant to leave were warned of at some "
            f"time, {_share(outcome.stayers_alarmed_high)} with high urgency",
        ),
    ]


def observed_report(outcome: ObservedOutcome, horizon_days: int) -> list[str]:
    """Return the report where only the events are known."""
    false = outcome.confirmed.whole - outcome.confirmed.part
    within = f"within {horizon_days} days"
    return [
        *_part("Warnings", f"{_share(outcome.confirmed)} confirmed: no order {within} after the warning"),
        *_part("", _tiers(outcome.confirmed_by_tier)),
        *_part("", f"{false:,} false: an order came {within}"),
        *_part(
            "",
            f"{outcome.not_yet_known:,} not yet known: opened less than {horizon_days} days before the end",
        ),
        *_part(
            "",
            f"for comparison, without any warning: {_share(outcome.base)} active customers placed no order "
            f"{within}, counted every four weeks",
        ),
        *_part("Lost", _in_time(outcome.in_time, horizon_days)),
    ]


def _in_time(figures: InTime, horizon_days: int) -> str:
    lost = f"counted as lost ({horizon_days} days without an order)"
    text = f"{_share(figures.warned)} were warned of before they were {lost}"
    if figures.lead_days is None or figures.after_order_days is None:
        return text
    when = "after" if figures.after_order_days >= 0 else "before"
    return (
        f"{text}, at the median {figures.lead_days:.0f} days ahead of that day, "
        f"{abs(figures.after_order_days):.0f} days {when} their last order"
    )


def _tiers(shares: Mapping[str, Share]) -> str:
    return ", ".join(f"{tier} {_share(shares[tier])}" for tier in TIERS if tier in shares)


def _split(counts: Mapping[str, int]) -> str:
    return ": " + ", ".join(f"{_words(kind)} {count:,}" for kind, count in counts.items()) if counts else ""


def _share(share: Share) -> str:
    if share.value is None:
        return "0 of 0"
    return f"{share.part:,} of {share.whole:,} ({share.value:.0%})"


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _part(label: str, text: str) -> list[str]:
    """Return text as lines with a margin, in which the label stands."""
    return textwrap.wrap(text, WIDTH, initial_indent=label.ljust(MARGIN), subsequent_indent=" " * MARGIN)
