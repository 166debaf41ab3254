"""When customers were lost, as people read it."""

from __future__ import annotations

from babel.dates import get_day_names

from consumers import charts
from consumers.reports.document import HIDDEN, Column, Kind, Plot, Section, Table, Tile, Value
from consumers.reports.lapses import LATE_DAYS, TENURE_DAYS, Bars, Lapses
from consumers.reports.pages.lost_words import is_mostly_shown
from consumers.reports.period import Period
from consumers.reports.words import Words


def section(part: Lapses, words: Words) -> Section:
    """Return the section of when customers were lost."""
    _ = words.gettext
    if not part.known:
        return Section(
            "lapses", _("When customers were lost"), remarks=[_("Nothing is known of the period.")]
        )
    lost = part.lapsed + part.closed
    remarks = []
    if part.closed_after_lapse:
        remarks.append(
            words.ngettext(
                "{count} closure came after a lapse and is no second loss.",
                "{count} closures came after a lapse and are no second loss.",
                part.closed_after_lapse,
            )
        )
    if part.waited:
        remarks.append(
            words.ngettext(
                "{count} lapse came more than {days} days after it was due: a source was quiet, or an order "
                "came late.",
                "{count} lapses came more than {days} days after they were due: a source was quiet, or "
                "orders came late.",
                part.waited,
                days=words.count(LATE_DAYS),
            )
        )
    tables = [
        _table(part.tenure, _("Days since the first event"), _tenures(part.tenure, words), words),
        _table(part.weekday, _("Weekday of the last activity"), _weekdays(words), words),
    ]
    plots = [
        *_histogram(part.tenure, words),
        *_bars(part.weekday, _weekdays(words), _("Lapses by weekday of the last activity"), words),
    ]
    if len(part.month.names) > 1:
        names = [words.month(Period.parse(name, part.period.zone).begin) for name in part.month.names]
        tables.append(_table(part.month, _("Month"), names, words))
        plots += _bars(part.month, names, _("Losses by month"), words)
    drawn = {plot.table for plot in plots}
    if any(
        None in bars.counts
        for bars in (part.tenure, part.weekday, part.month)
        if f"lost_by_{bars.by}" in drawn
    ):
        remarks.append(_("Bars of so few that customers could be recognised are not drawn."))
    return Section(
        key="lapses",
        title=_("When customers were lost"),
        note=_("A lapse belongs to the day that the sweep at its end judges; a closure to its own day."),
        tiles=[
            Tile(
                words.count(lost),
                _("lapses and closures in the period"),
                _("who came in the period, or came back, included"),
            ),
            Tile(words.count(part.lapsed), _("lapsed by silence")),
            Tile(words.count(part.closed), _("closed expressly")),
        ],
        plots=plots,
        tables=tables,
        remarks=remarks,
    )


def _tenures(bars: Bars, words: Words) -> list[str]:
    return [words.gettext("{value} days", value=name) for name in bars.names]


def _weekdays(words: Words) -> list[str]:
    names = get_day_names("abbreviated", locale=words.locale)
    return [str(names[day]) for day in range(7)]


def _table(bars: Bars, title: str, names: list[str], words: Words) -> Table:
    _ = words.gettext
    columns = [Column("what", title), Column("lost", _("Lost"), Kind.COUNT)]
    rows: list[list[Value]] = [
        [name, HIDDEN if count is None else count] for name, count in zip(names, bars.counts, strict=True)
    ]
    return Table(f"lost_by_{bars.by}", title, columns, rows, [_("All"), bars.total])


def _histogram(bars: Bars, words: Words) -> list[Plot]:
    _ = words.gettext
    if not is_mostly_shown(bars.counts, bars.total):
        return []
    edges = [0, *TENURE_DAYS]
    last = 2 * edges[-1] - edges[-2]
    bins = [
        charts.Bin(low, high, count or 0, f"{name}: {_('hidden') if count is None else words.count(count)}")
        for low, high, count, name in zip(
            edges, [*TENURE_DAYS, last], bars.counts, _tenures(bars, words), strict=True
        )
    ]
    label = _("Losses by days since the first event")

    def draw(width: float) -> str:
        return charts.histogram(
            bins, label, x_label=_("days since the first event"), open_end=True, width=width
        )

    return [Plot("histogram", f"lost_by_{bars.by}", draw, wide=False)]


def _bars(bars: Bars, names: list[str], label: str, words: Words) -> list[Plot]:
    _ = words.gettext
    if not is_mostly_shown(bars.counts, bars.total):
        return []
    titles = [
        f"{name}: {_('hidden') if count is None else words.count(count)}"
        for name, count in zip(names, bars.counts, strict=True)
    ]
    values = [float(count or 0) for count in bars.counts]

    def draw(width: float) -> str:
        return charts.bars(
            values, titles, list(enumerate(names)), label, width=width, height=200, y_label=label
        )

    return [Plot("bars", f"lost_by_{bars.by}", draw, wide=False)]
