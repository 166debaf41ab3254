"""A scorecard as text for the terminal."""

from __future__ import annotations

from rich.table import Table

from consumers.scorecard.missed import Missed
from consumers.scorecard.scorecard import CAUTIONS, Score, Scorecard
from lapwing.backtest.text import console, literal, table
from lapwing.backtest.words import day, in_two_lines, number, of_whole, percent, spread, with_interval
from lapwing.scorecard.words import (
    TITLES,
    basis,
    group_name,
    matured,
    missed_title,
    period,
    rule_tags,
    team,
    waiting,
    worth,
)
from streams.share import Share

HEADS = (
    "matured",
    "not yet\nknown",
    "precision",
    "without those\nlost already",
    "recall",
    "lead days\n(quartiles)",
)


def print_scorecard(card: Scorecard, missed_most: int) -> None:
    """Print a scorecard."""
    out = console()
    out.print(f"[bold]{period(card)}[/bold]")
    for line in basis(card):
        out.print(line)
    out.print()
    out.print(_warnings(card))
    out.print(_rules(card))
    out.print(f"[bold]{missed_title(card.missed)}[/bold]")
    for name, title in TITLES.items():
        out.print(_groups(card.missed, name, title))
    if missed_most and card.missed.customers:
        out.print(_customers(card.missed, missed_most))
    for caution in CAUTIONS:
        out.print(f"[dim]* {caution}[/dim]")


def _cells(score: Score) -> tuple[str, ...]:
    return (
        matured(score),
        waiting(score),
        in_two_lines(score.precision),
        _share(score.precision_not_lost),
        in_two_lines(score.recall),
        spread(score.lead_days),
    )


def _warnings(card: Scorecard) -> Table:
    made = table("Warnings by the tier at the opening", "tier", *HEADS, "untreated", "held out", "the team")
    for each in card.warnings:
        made.add_row(
            each.tier or "[bold]all[/bold]",
            *_cells(each.score),
            in_two_lines(each.untreated),
            in_two_lines(each.held_out),
            "\n".join(team(each.score)),
        )
    return made


def _rules(card: Scorecard) -> Table:
    made = table("Rules", "rule", *HEADS, "only\nthis rule", "the team")
    made.columns[0].min_width = 22
    for each in card.rules:
        name = f"{literal(each.rule)}\n[dim]({', '.join(rule_tags(each))})[/dim]"
        made.add_row(name, *_cells(each.score), _share(each.alone), "\n".join(team(each.score)))
    return made


def _share(share: Share) -> str:
    return f"{percent(share.value)}\n{of_whole(share)}" if share.whole else "-"


def _groups(missed: Missed, name: str, title: str) -> Table:
    made = table(f"By {title}", title, "missed of its losses", "share of all missed", "value missed")
    for group in missed.groups[name]:
        made.add_row(
            literal(group_name(group)),
            with_interval(group.rate),
            f"{percent(group.share.value)} ({of_whole(group.share)})",
            worth(group) + (f" (n {group.value_known:,})" if group.value_known else ""),
        )
    return made


def _customers(missed: Missed, most: int) -> Table:
    made = table("Those worth most", "customer", "left on", "how", "class", "segment", "value")
    for each in missed.customers[:most]:
        made.add_row(
            literal(each.customer_id),
            day(each.at),
            "silence" if each.lapsed else "closure",
            literal(each.customer_class or "-"),
            literal(each.segment or "-"),
            number(each.value, 2),
        )
    if missed.not_listed:
        made.caption = f"{missed.not_listed:,} held-out customers are counted above and not listed."
        made.caption_justify = "left"
    return made
