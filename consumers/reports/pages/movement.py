"""What moved with the churn rate, as people read it: small lines under each other, on one axis of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from consumers import charts
from consumers.reports.document import MISSING, NOT_ENOUGH, Column, Kind, Plot, Section, Table, Value
from consumers.reports.movement import MIN_CHANGES, Movement, Series, Together
from consumers.reports.words import Words

FEWEST_POINTS: Final = 3
HEIGHT: Final = 170.0


def section(part: Movement, words: Words) -> Section:
    """Return the section of what moved with the churn rate."""
    _ = words.gettext
    return Section(
        key="movement",
        title=_("What moved with the churn rate"),
        note=_("Moved with does not mean caused: a season or a campaign may have moved both."),
        plots=_plots(part, words),
        tables=[_verdicts(part, words), _months(part, words)],
        remarks=_remarks(part, words),
    )


def _name(key: str, words: Words) -> str:
    _ = words.gettext
    return {
        "complaints": _("Complaints for 1,000 active customers"),
        "satisfaction": _("Satisfaction with handling, 1 to 5"),
        "offers": _("Offers for 1,000 active customers"),
        "orders": _("Orders for each active customer"),
        "logins": _("Logins for each active customer"),
    }[key]


def _verdict(series: Series, words: Words) -> Value:
    _ = words.gettext
    words_for: dict[Together, Value] = {
        Together.WITH: _("moved with it"),
        Together.AGAINST: _("moved against it"),
        Together.UNCLEAR: _("no more than by chance"),
        Together.NOT_ENOUGH: NOT_ENOUGH,
    }
    return words_for[series.verdict]


def _verdicts(part: Movement, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("series", _("Series")),
        Column("same", _("Changes in the direction of the churn rate"), Kind.SHARE, interval=True),
        Column("verdict", _("It says")),
    ]
    rows: list[list[Value]] = [
        [_name(each.key, words), each.same, _verdict(each, words)] for each in part.series
    ]
    return Table("moved_with", _("Changes from month to month"), columns, rows)


def _months(part: Movement, words: Words) -> Table:
    _ = words.gettext
    columns = [Column("month", _("Month"), Kind.MONTH), Column("churn", _("Absolute churn"), Kind.SHARE)]
    columns += [Column(each.key, _name(each.key, words), Kind.NUMBER) for each in part.series]
    rows: list[list[Value]] = []
    for place, month in enumerate(part.months):
        churn = part.churn[place]
        cells: list[Value] = [month.begin, MISSING if churn is None else churn]
        for each in part.series:
            value = each.values[place]
            cells.append(MISSING if value is None or value.value is None else value.value)
        rows.append(cells)
    return Table("movement", _("By month"), columns, rows)


def _plots(part: Movement, words: Words) -> list[Plot]:
    _ = words.gettext
    churn = [None if share is None else share.value for share in part.churn]
    if sum(value is not None for value in churn) < FEWEST_POINTS:
        return []
    names = [words.month(month.begin) for month in part.months]
    shown = [
        (_name(each.key, words), [None if value is None else value.value for value in each.values])
        for each in part.series
        if sum(value is not None and value.value is not None for value in each.values) >= FEWEST_POINTS
    ]
    of_hundred = [None if value is None else 100 * value for value in churn]
    every = [(_("Absolute churn, per cent"), of_hundred), *shown]
    return [Plot("lines", "movement", _draw(title, values, names), wide=False) for title, values in every]


def _draw(title: str, values: Sequence[float | None], names: Sequence[str]) -> Callable[[float], str]:
    series = [charts.Line("", "first", values, [None] * len(values))]

    def draw(width: float) -> str:
        return charts.lines(
            list(range(len(values))),
            series,
            title,
            percent=False,
            width=width,
            height=HEIGHT,
            x_names=names,
            x_label=title,
        )

    return draw


def _remarks(part: Movement, words: Words) -> list[str]:
    if all(each.verdict is Together.NOT_ENOUGH for each in part.series):
        return [
            words.ngettext(
                "Nothing is said below {count} change from month to month.",
                "Nothing is said below {count} changes from month to month.",
                MIN_CHANGES,
            )
        ]
    _ = words.gettext
    return [
        _(
            "With {n} series, one in {many} such reports says so of one where nothing is.",
            n=words.count(len(part.series)),
            many=words.count(round(1 / (0.05 * len(part.series)))),
        )
    ]
