"""A whole report as a document: what a hurried reader needs, then the sections of the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from consumers.language import _
from consumers.reports.document import Document, Section, Tile
from consumers.reports.forecast import Forecast
from consumers.reports.pages import (
    alarms,
    base,
    cohorts,
    complaints,
    corrections,
    forecast,
    funnels,
    groups,
    lapses,
    movement,
    plays,
    profile,
    reasons,
    retention,
    trend,
    value,
)
from consumers.reports.period import local_day
from consumers.reports.rate import MIN_CELL, TOO_FEW
from consumers.reports.report import Report
from consumers.reports.retention import Retention
from consumers.reports.views import SEEN, View
from consumers.reports.words import Words

Write = Callable[[Any, Words], Section]

SECTIONS: Final[Mapping[str, Write]] = {
    "retention": retention.section,
    "trend": trend.section,
    "base": base.section,
    "groups": groups.section,
    "cohorts": cohorts.section,
    "lapses": lapses.section,
    "funnels": funnels.section,
    "reasons": reasons.section,
    "profile": profile.section,
    "complaints": complaints.section,
    "alarms": alarms.section,
    "plays": plays.section,
    "value": value.section,
    "movement": movement.section,
    "forecast": forecast.section,
}
"""How each part is written, by its name."""

TITLES: Final = {
    View.ALL: _("Customers kept and lost"),
    View.MARKETING: _("Customers kept and lost: for marketing"),
    View.PRODUCT: _("Customers kept and lost: for product"),
    View.SALES: _("Customers kept and lost: for sales"),
    View.FINANCE: _("Customers kept and lost: for finance"),
    View.SUCCESS: _("Customers kept and lost: in two minutes"),
}
VIEW_NAMES: Final = {
    View.ALL: _("everything"),
    View.MARKETING: _("marketing"),
    View.PRODUCT: _("product"),
    View.SALES: _("sales"),
    View.FINANCE: _("finance"),
    View.SUCCESS: _("customer success"),
}
MOST_TILES: Final = 6
FEW_REMARKS: Final = 2
COVER: Final = (("retention", 3), ("value", 2), ("forecast", 2))
"""The parts whose figures stand on the cover, and how many; the first of others fill what is left."""


def document(report: Report, view: View, words: Words, titles: Mapping[str, str] | None = None) -> Document:
    """Return what a view shows of a report; `titles` has what reasons.yaml calls each code."""
    parts = [name for name in SEEN[view] if name in report.parts and name in SECTIONS]
    writers: dict[str, Write] = {**SECTIONS, "reasons": partial(reasons.section, titles=titles)}
    sections = {name: writers[name](report.parts[name], words) for name in parts}
    if report.corrections is not None:
        sections["corrections"] = corrections.section(report.corrections, words)
    if view is View.SUCCESS:
        sections = {name: _in_short(section) for name, section in sections.items()}
    return Document(
        title=words.gettext(TITLES[view]),
        period=report.period.title(words.locale),
        words=words,
        answer=list(_answer(report, words)),
        basis=list(_basis(report, words)),
        tiles=_tiles(sections) if _is_known(report) else (),
        sections=list(sections.values()),
        cautions=list(_cautions(report, words)),
    )


def _in_short(section: Section) -> Section:
    """Return a section as it is read in passing: its figures, one plot or table, and a remark or two."""
    plots = section.plots[:1]
    shown = {plot.table for plot in plots}
    tables = [each for each in section.tables if each.key in shown] if plots else section.tables[:1]
    return replace(section, plots=plots, tables=tables, remarks=section.remarks[:FEW_REMARKS])


def _answer(report: Report, words: Words) -> Iterator[str]:
    """Yield the sentences that are read first; a check that failed comes before everything."""
    if report.failed:
        yield words.ngettext(
            "{count} check of the figures failed: do not rely on this report before the reason is found.",
            "{count} checks of the figures failed: do not rely on this report before the reason is found.",
            len(report.failed),
        )
    if not _is_known(report):
        yield words.gettext("Nothing is known of this period yet.")
        return
    if not report.is_over:
        yield words.gettext("This period is not over for the database: its figures are not final.")
    kept = report.parts.get("retention")
    if isinstance(kept, Retention):
        yield from _kept(kept, words)
    found = report.parts.get("forecast")
    if isinstance(found, Forecast):
        yield from _leaves(found, words)


def _is_known(report: Report) -> bool:
    """Return whether anything is known of the period: of what lies ahead nobody was lost."""
    return report.known_to is not None and report.known_to > report.period.begin_at


def _kept(part: Retention, words: Words) -> Iterator[str]:
    own = part.own
    if own.retention is None or own.churn is None:
        yield words.gettext("How many customers were kept is not known for this period.")
        return
    text = _(
        "Of {original} customers who were active at the beginning {kept} were active at the end "
        "({retention}), and {lost} were lost ({churn})."
    )
    if not own.retention.is_enough:
        text = _(
            "Of {original} customers who were active at the beginning {kept} were active at the end, and "
            "{lost} were lost: too few for a rate."
        )
    yield words.gettext(
        text,
        original=words.count(own.retention.share.whole),
        kept=words.count(own.retention.share.part),
        retention=words.percent(own.retention.value),
        lost=words.count(own.churn.share.part),
        churn=words.percent(own.churn.value),
    )
    compared = (
        (part.since_year_before, words.gettext("the year before")),
        (part.since_before, words.gettext("the period before")),
    )
    for change, since in compared:
        if change is None or change.value is None:
            continue
        low, high = change.limits
        text = _("Churn changed by {points} since {before} (95 % interval {interval}).")
        if low is not None and high is not None and low <= 0 <= high:
            text = _(
                "Churn changed by {points} since {before}, which may be chance (95 % interval {interval})."
            )
        yield words.gettext(
            text,
            points=words.points(change.value),
            before=since,
            interval=words.interval(change),
        )
        return


def _leaves(part: Forecast, words: Words) -> Iterator[str]:
    if part.now is None or part.all is None or part.all.leaves is None:
        return
    low, _middle, high = part.all.leaves
    yield words.gettext(
        "Of {n} customers who were active on {day}, {expected} are expected to leave within {days} days; "
        "going by how past forecasts came out, it is {low} to {high} in 95 of 100.",
        day=words.day(local_day(part.now, words.zone)),
        n=words.count(part.all.before.scored),
        expected=words.count(part.all.before.expected),
        days=words.number(part.horizon / timedelta(days=1), 0),
        low=words.count(low),
        high=words.count(high),
    )


def _basis(report: Report, words: Words) -> Iterator[str]:
    known = report.knowledge
    yield words.gettext(
        "Days begin at midnight in {zone}. A customer without activity for {days} days counts as lost.",
        zone=known.zone,
        days=words.number(known.active_within / timedelta(days=1), 0),
    )
    if known.as_of is None:
        yield words.gettext("Made from all that is stored.")
    else:
        yield words.gettext("Made from what was stored by {instant}.", instant=words.instant(known.as_of))
    if report.known_to is None:
        yield words.gettext("Nothing is known yet of what became of customers.")
    elif not report.is_over:
        yield words.gettext(
            "What became of customers is known up to {instant}: the period has not ended by then, and its "
            "figures will still change.",
            instant=words.instant(report.known_to),
        )
    else:
        yield words.gettext(
            "What became of customers is known up to {instant}.", instant=words.instant(report.known_to)
        )
    for each in report.failed:
        what, mark, figures = each.partition(": ")
        yield words.gettext("Check that failed: {check}.", check=words.gettext(what) + mark + figures)


def _cautions(report: Report, words: Words) -> Iterator[str]:
    yield words.gettext(
        "Retention and churn count only those who were active at the beginning: whoever came later is no "
        "part of them. A share of the lost is no rate of churn within a group; they are two columns."
    )
    yield words.gettext(
        "Groups of fewer than {least} customers are hidden, and of fewer than {few} nothing is said.",
        least=words.count(MIN_CELL),
        few=words.count(TOO_FEW),
    )
    yield words.gettext(
        "Customers who are held out for comparison are counted like all others. What moved together need "
        "not have caused each other."
    )


def _tiles(sections: Mapping[str, Section]) -> Sequence[Tile]:
    cover = [(name, count) for name, count in COVER if name in sections]
    others = [(name, 1) for name in sections if name not in dict(COVER)]
    found = [
        replace(tile, section=sections[name].key)
        for name, count in cover + others
        for tile in sections[name].tiles[:count]
    ]
    return found[:MOST_TILES]
