"""A scorecard as a page."""

from __future__ import annotations

from collections.abc import Sequence

from consumers import charts
from consumers.page import html
from consumers.scorecard.missed import Missed
from consumers.scorecard.scorecard import CAUTIONS, Score, Scorecard
from lapwing.backtest.words import day, interval, number, of_whole, percent, with_interval
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
    *("matured", "not yet known", "precision", "without those lost already", "recall"),
    "lead time, days",
)


def scorecard_page(card: Scorecard, missed_most: int) -> str:
    """Return a scorecard as one HTML file."""
    everything = card.warnings[0]
    score, lead = everything.score, everything.score.lead_days
    tiles = [
        (percent(score.precision.value), "Precision", of_whole(score.precision) + " matured warnings"),
        (percent(score.recall.value), "Recall", of_whole(score.recall) + " losses"),
        (
            "-" if lead.median is None else f"{lead.median:.0f} days",
            "Median lead time",
            "" if lead.low is None else f"half lie in {lead.low:.0f} to {lead.high:.0f}",
        ),
        (waiting(score), "Not yet known", "warnings that have not matured"),
        (
            percent(score.verdicts.precision.value),
            "Right, says the team",
            of_whole(score.verdicts.precision) + " that it judged",
        ),
        (percent(card.missed.all.rate.value), "Without a warning", of_whole(card.missed.all.rate) + " lost"),
    ]
    sections = [
        html.section(
            "Precision and recall",
            "Dot and 95 % interval (Wilson), of all warnings and of each rule. Those in italics are in "
            "shadow and warn nobody.",
            _forest(card),
            wide=True,
        ),
        html.section(
            "Warnings by tier",
            "The tier at the opening; recall and lead time by the newest tier of the warning before the "
            "loss. Untreated are those on which nobody acted within the horizon.",
            _warnings(card),
            wide=True,
        ),
        html.section(
            "Rules",
            "A rule saw a loss when a cause of it opened in the horizon before, or belonged to the warning "
            "that was open then.",
            _rules(card),
            wide=True,
        ),
        *(
            html.section(
                f"{missed_title(card.missed)}, by {title}",
                "How many of the group's losses came without a warning, and the group's share of all these.",
                _groups(card.missed, name, title),
                wide=name == "value",
            )
            for name, title in TITLES.items()
        ),
        *_customers(card.missed, missed_most),
        html.section("To keep in mind", "", html.listed(CAUTIONS), wide=True),
    ]
    return html.page("Lapwing scorecard", [period(card) + ".", *basis(card)], tiles, sections)


def _dot(share: Share) -> charts.Dot:
    low, high = share.limits
    return charts.Dot(share.value, low, high, with_interval(share))


def _forest(card: Scorecard) -> str:
    rows: list[tuple[str, str, Sequence[charts.Dot]]] = []
    for each in card.warnings:
        name = "all warnings" if each.tier is None else f"tier {each.tier}"
        kind = "all" if each.tier is None else ""
        rows.append((name, kind, (_dot(each.score.precision), _dot(each.score.recall))))
    for rule in card.rules:
        kind = "" if rule.status == "active" else "shadow"
        rows.append((rule.rule, kind, (_dot(rule.score.precision), _dot(rule.score.recall))))
    heads, label = ("Precision", "Recall"), "Precision and recall of warnings and rules"
    return charts.for_both(lambda width: charts.forest(rows, heads, label, width=width))


def _share(share: Share) -> str:
    if share.interval is None:
        return html.cell("-")
    return html.cell(percent(share.value), of_whole(share), interval(share))


def _cells(score: Score) -> list[str]:
    lead = score.lead_days
    quartiles = "" if lead.low is None else f"{lead.low:.0f} to {lead.high:.0f}"
    return [
        html.cell(matured(score)),
        html.cell(waiting(score)),
        _share(score.precision),
        _share(score.precision_not_lost),
        _share(score.recall),
        html.cell(number(lead.median, 0), quartiles),
    ]


def _warnings(card: Scorecard) -> str:
    rows = [
        (
            "" if each.tier else "all",
            [
                html.cell(each.tier or "All"),
                *_cells(each.score),
                _share(each.untreated),
                _share(each.held_out),
                html.cell(*team(each.score)),
            ],
        )
        for each in card.warnings
    ]
    return html.table(("tier", *HEADS, "untreated", "held out", "the team"), rows)


def _rules(card: Scorecard) -> str:
    rows = []
    for each in card.rules:
        tags = "".join(f'<span class="tag">{tag}</span>' for tag in rule_tags(each))
        name = html.cell(each.rule) + tags
        rows.append(("", [name, *_cells(each.score), _share(each.alone), html.cell(*team(each.score))]))
    return html.table(("rule", *HEADS, "only this rule", "the team"), rows)


def _groups(missed: Missed, name: str, title: str) -> str:
    rows = [
        (
            "",
            [
                html.cell(group_name(group)),
                _share(group.rate),
                html.cell(percent(group.share.value), of_whole(group.share)),
                html.cell(worth(group), f"n {group.value_known:,}" if group.value_known else ""),
            ],
        )
        for group in missed.groups[name]
    ]
    return html.table((title, "missed of its losses", "share of all missed", "value missed"), rows)


def _customers(missed: Missed, most: int) -> list[str]:
    if not most or not missed.customers:
        return []
    rows = [
        (
            "",
            [
                html.cell(each.customer_id),
                html.cell(day(each.at), "silence" if each.lapsed else "closure"),
                html.cell(each.customer_class or "-", each.segment or ""),
                html.cell(number(each.value, 2)),
            ],
        )
        for each in missed.customers[:most]
    ]
    note = f"{missed.not_listed:,} held-out customers are counted above and not listed."
    shown = html.table(("customer", "left on", "class, segment", "value"), rows)
    return [
        html.section(
            "Left without a warning: those worth most", note if missed.not_listed else "", shown, wide=True
        )
    ]
