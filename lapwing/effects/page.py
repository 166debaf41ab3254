"""The report on effects as a page."""

from __future__ import annotations

from collections.abc import Sequence

from consumers import charts
from consumers.effects.effect import Claim
from consumers.effects.reasons import ReasonTable
from consumers.effects.report import CAUTIONS, EffectsReport
from consumers.page import html
from lapwing.effects import words

KINDS = {Claim.HELPS: "gain", Claim.HARMS: "loss"}


def effects_page(report: EffectsReport) -> str:
    """Return the report as one HTML file."""
    whole = [(play.effects[0], play.money[0]) for play in report.plays]
    helping = [(effect, money) for effect, money in whole if effect.claim is Claim.HELPS]
    nets = [money.net for _, money in helping if money.net is not None]
    tiles = [
        (f"{len(whole):,}", "Plays", f"{report.matured:,} matured warnings"),
        (f"{len(helping):,}", "Help", "beyond chance, at 99 %"),
        (f"{sum(effect.claim is Claim.HARMS for effect, _ in whole):,}", "Harm", "beyond chance, at 99 %"),
        (f"{sum(nets):,.0f}" if nets else "-", "Net of those that help", "gained less spent, estimated"),
    ]
    lead = [words.heading(report)]
    sections = []
    if report.compared:
        sections = [
            html.section(
                "Churn avoided",
                "How much less of those who were not held out churned, in percentage points. Dot and 95 % "
                "interval (Newcombe); grey where there is no claim. Right of 0 the play helps.",
                _plot(report),
                wide=True,
            ),
            html.section("Both sides", "", _effects(report), wide=True),
            html.section(
                "Spent and gained",
                "In the currency of the orders, with 95 % intervals; without a claim it may all be chance.",
                _money(report),
                wide=True,
            ),
        ]
    else:
        sections.append(html.section("Nothing to compare yet", "", "", wide=True))
    counts = words.uncompared(report) + [note for play in report.plays for note in words.notes(play)]
    counts = counts or ["No warning with a play has matured."]
    sections.append(html.section("What counts", "", html.listed(counts), wide=True))
    if report.reasons is not None:
        lines = html.listed(words.agreement_lines(report.reasons))
        sections.append(html.section("Reasons, suggested and found", "", lines, wide=True))
        sections += [
            html.section(f"{title}: {what}, and found", words.REASONS_NOTE, _reasons(each), wide=True)
            for title, what, each in words.reason_tables(report.reasons)
        ]
    sections.append(html.section("To keep in mind", "", html.listed(CAUTIONS), wide=True))
    return html.page("Lapwing effects", lead, tiles, sections)


def _plot(report: EffectsReport) -> str:
    rows = []
    for effect, _ in report.compared:
        difference = effect.difference
        value, interval = words.points(difference)
        claim = words.claim_words(effect, report.min_holdout)
        dot = charts.Dot(difference.value, *difference.limits, f"{value} points ({interval}): {claim}")
        kind = "all " if effect.tier is None else ""
        rows.append((words.group(effect), kind + KINDS.get(effect.claim, "shadow"), dot))
    return charts.for_both(
        lambda width: charts.differences(rows, "Churn avoided by play and tier", width=width)
    )


def _effects(report: EffectsReport) -> str:
    heads = (
        *("play, tier", "held out, churned", "not held out, churned", "of these contacted"),
        *("difference, points", "s", "claim"),
    )
    rows = []
    for effect, _ in report.compared:
        cells = [
            html.cell(words.group(effect)),
            html.cell(*words.churn(effect.held_out)),
            html.cell(*words.churn(effect.shown)),
            html.cell(*words.contact(effect.shown)),
            html.cell(*words.points(effect.difference)),
            html.cell(*words.success(effect)),
            html.cell(*words.claim(effect, report.min_holdout)),
        ]
        rows.append(("all" if effect.tier is None else "", cells))
    return html.table(heads, rows)


def _money(report: EffectsReport) -> str:
    rows = []
    for effect, money in report.compared:
        cells = [html.cell(words.group(effect)), *(html.cell(*c) for c in words.money(money))]
        rows.append(("all" if effect.tier is None else "", cells))
    return html.table(("play, tier", "spent", "churns avoided", "mean value", "gained", "net"), rows)


def _reasons(of: ReasonTable) -> str:
    rows: Sequence[tuple[str, list[str]]] = [
        ("", [html.cell(row), *(html.cell(f"{count:,}" if count else "-") for count in counts)])
        for row, counts in zip(of.suggested, of.counts, strict=True)
    ]
    return html.table(("", *of.found), rows)
