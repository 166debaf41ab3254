"""Churn month by month, as people read it."""

from __future__ import annotations

from consumers import charts
from consumers.reports.document import MISSING, Column, Kind, Plot, Section, Table, Tile, Value
from consumers.reports.pages.lost_words import amount_cell, definition, marks, rate_cell
from consumers.reports.rate import TOO_FEW
from consumers.reports.trend import WINDOW, Trend, TrendMonth
from consumers.reports.words import Words


def section(part: Trend, words: Words) -> Section:
    """Return the section of the trend."""
    _ = words.gettext
    tiles = []
    if part.average is not None:
        note = words.ngettext("mean of {count} month", "mean of {count} months", part.average_of)
        tiles.append(Tile(words.percent(part.average.value), _("churn in a month"), note))
    newest = next((each.churn for each in reversed(part.months) if each.churn is not None), None)
    return Section(
        key="trend",
        title=_("Month by month"),
        note=_(
            "A missing month is missing and never 0. The moving average is the lost of the original of up to "
            "{window} months together, without months with a remark; each says of how many it is.",
            window=words.count(WINDOW),
        ),
        tiles=tiles,
        plots=_plots(part, words),
        tables=[_table(part, words)],
        remarks=[
            _(
                "{period}: {what}.",
                period=words.month(each.month.month.begin),
                what=marks(each.month.marks, words),
            )
            for each in part.months
            if each.month.marks
        ]
        or (
            []
            if part.months
            else [_("There is no census yet: the first is taken where the first month ends.")]
        ),
        definitions=[] if newest is None else [definition(_("Churn"), newest, words)],
    )


def _table(part: Trend, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("month", _("Month"), Kind.MONTH),
        Column("original", _("Active at the beginning"), Kind.COUNT),
        Column("lost", _("Lost"), Kind.COUNT),
        Column("retention", _("Retention"), Kind.SHARE),
        Column("churn", _("Churn"), Kind.SHARE, interval=True),
        Column("relative", _("Value lost of all value"), Kind.PERCENT),
        Column("year_before", _("Against a year before, in percentage points"), Kind.POINTS, interval=True),
        Column("average", _("Moving average of churn"), Kind.SHARE),
        Column("average_of", _("Months in the average"), Kind.COUNT),
    ]
    return Table("trend", _("Churn by month"), columns, [_row(each) for each in part.months])


def _row(each: TrendMonth) -> list[Value]:
    known, counts, change = each.month.has_rate, each.month.counts, each.since_year_before
    average = each.average
    return [
        each.month.month.begin,
        counts.original if known else MISSING,
        counts.lost if known else MISSING,
        rate_cell(each.retention),
        rate_cell(each.churn),
        amount_cell(each.relative),
        MISSING if change is None or change.value is None else change,
        MISSING if average is None else average,
        each.average_of,
    ]


def _plots(part: Trend, words: Words) -> list[Plot]:
    _ = words.gettext
    rates = [None if e.churn is None or e.churn.share.whole < TOO_FEW else e.churn.share for e in part.months]
    if sum(rate is not None for rate in rates) < 2:
        return []
    averages = [None if e.average is None or e.average.whole < TOO_FEW else e.average for e in part.months]
    series = [
        charts.Line(
            _("churn"),
            "first",
            [None if rate is None else rate.value for rate in rates],
            [None if rate is None else rate.interval for rate in rates],
        ),
        charts.Line(
            _("moving average"),
            "soft",
            [None if rate is None else rate.value for rate in averages],
            [None] * len(averages),
        ),
    ]
    names = [words.month(each.month.month.begin) for each in part.months]
    label = _("Churn by month, with 95 % intervals and the moving average")

    def draw(width: float) -> str:
        return charts.lines(
            list(range(len(names))), series, label, percent=True, full=False, width=width, x_names=names
        )

    return [Plot("lines", "trend", draw)]
