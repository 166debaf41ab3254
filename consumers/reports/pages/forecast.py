"""The forecast of a report as people read it, and how the earlier ones came out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from consumers import charts
from consumers.reports.document import (
    MISSING,
    NOT_ENOUGH,
    Column,
    Definition,
    Estimate,
    Kind,
    Plot,
    Section,
    Table,
    Tile,
    Value,
)
from consumers.reports.forecast import LEVEL, MIN_MATURED, Forecast, PastForecast, Prediction
from consumers.reports.pages.tiles import share_tile
from consumers.reports.period import local_day
from consumers.reports.words import Words

FEWEST_POINTS: Final = 3
"""Past forecasts below which a line shows nothing."""


def section(part: Forecast, words: Words) -> Section:
    """Return the section of a forecast."""
    _ = words.gettext
    days = part.horizon / timedelta(days=1)
    return Section(
        key="forecast",
        title=_("Who leaves in the next {days} days", days=words.number(days, 0)),
        note=_(
            "The model's expectation for all who are active, with an interval from how past censuses came "
            "out from theirs."
        ),
        tiles=_tiles(part, words),
        plots=_plots(part, words),
        tables=[_now(part, words), *([_past(part, words)] if part.past else [])],
        remarks=_remarks(part, words),
        definitions=_definitions(part, words),
    )


def _tiles(part: Forecast, words: Words) -> list[Tile]:
    _ = words.gettext
    if part.all is None or part.now is None:
        return []
    before = part.all.before
    of = _("of {n} active with a probability", n=words.count(before.scored))
    tiles = [Tile(words.count(before.expected), _("expected to leave"), of)]
    if part.all.leaves is not None:
        low, middle, high = part.all.leaves
        tiles.append(
            Tile(
                words.between(words.count(low), words.count(high)),
                _("leave, in {level} of 100 such forecasts", level=words.number(LEVEL * 100, 0)),
                _("middle {n}, where past forecasts lay off", n=words.count(middle)),
            )
        )
    if part.coverage.whole:
        tiles.append(Tile(words.of(part.coverage), _("past forecasts held what happened")))
    if part.outcome is not None:
        tiles.append(share_tile(part.outcome.share, _("have left"), words))
    return tiles


def _now(part: Forecast, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("who", _("Who")),
        Column("active", _("Active"), Kind.COUNT),
        Column("scored", _("With a probability"), Kind.COUNT),
        Column("expected", _("Expected to leave"), Kind.COUNT),
        Column("expected_share", _("Expected share"), Kind.PERCENT),
        Column("forecast", _("Forecast of the share, with its interval"), Kind.PERCENT),
        Column("learnt_from", _("Past censuses it learnt from"), Kind.COUNT),
    ]
    rows: list[list[Value]] = []
    for name, given in (
        (_("All, helped as until now"), part.all),
        (_("By those on whom nobody acted"), part.untreated),
    ):
        if given is not None:
            before = given.before
            counts = (before.active, before.scored, before.expected)
            rows.append([name, *counts, *_shares(given), given.learnt_from])
    return Table("forecast", _("The forecast"), columns, rows)


def _shares(given: Prediction) -> tuple[Value, Value]:
    """Return the expected share and the forecast one."""
    share, found = given.before.share, given.interval
    return (
        MISSING if share is None else share,
        NOT_ENOUGH if found is None else Estimate(found.middle, found.low, found.high),
    )


def _past(part: Forecast, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("census", _("Census"), Kind.DATE),
        Column("active", _("Active"), Kind.COUNT),
        Column("expected", _("Expected to leave"), Kind.COUNT),
        Column("expected_share", _("Expected share"), Kind.PERCENT),
        Column("forecast", _("Forecast of the share, with its interval"), Kind.PERCENT),
        Column("left", _("Have left"), Kind.SHARE),
        Column("held", _("In the interval")),
    ]
    held: dict[bool | None, Value] = {True: _("yes"), False: _("no"), None: NOT_ENOUGH}
    rows: list[list[Value]] = [
        [
            _day(each, words),
            each.fact.before.active,
            each.fact.before.expected,
            *_shares(each.prediction),
            each.fact.share,
            held[each.is_covered],
        ]
        for each in part.past
    ]
    return Table("past_forecasts", _("Past forecasts and what happened"), columns, rows)


def _day(each: PastForecast, words: Words) -> date:
    return local_day(each.at, words.zone)


def _plots(part: Forecast, words: Words) -> list[Plot]:
    _ = words.gettext
    shown = [each for each in part.past if each.fact.share.value is not None]
    if len(shown) < FEWEST_POINTS:
        return []
    bands = [each.prediction.interval for each in shown]
    series = [
        charts.Line(
            _("forecast"),
            "first",
            [None if found is None else found.middle for found in bands],
            [None if found is None else (found.low, found.high) for found in bands],
        ),
        charts.Line(
            _("expected"), "soft", [each.prediction.before.share for each in shown], [None] * len(shown)
        ),
        charts.Line(
            _("what happened"), "second", [each.fact.share.value for each in shown], [None] * len(shown)
        ),
    ]
    names = [words.month(_day(each, words)) for each in shown]
    label = _("The share that was expected to leave, and the share that left, by census")

    def draw(width: float) -> str:
        return charts.lines(
            list(range(len(shown))), series, label, percent=True, full=False, width=width, x_names=names
        )

    return [Plot("lines", "past_forecasts", draw)]


def _remarks(part: Forecast, words: Words) -> list[str]:
    _ = words.gettext
    if part.all is None:
        return [_("There is no complete census yet: the first is taken where the first month ends.")]
    found = []
    if part.missing:
        found.append(
            words.ngettext(
                "There is no interval yet: {count} more census has to mature, {needed} are needed.",
                "There is no interval yet: {count} more censuses have to mature, {needed} are needed.",
                part.missing,
                needed=words.count(MIN_MATURED),
            )
        )
    before = part.all.before
    if before.scored < before.active:
        found.append(
            words.ngettext(
                "{count} active customer has no probability and is not in the forecast.",
                "{count} active customers have no probability and are not in the forecast.",
                before.active - before.scored,
            )
        )
    if part.left_out:
        found.append(
            words.ngettext(
                "{count} census is left out: a partition is missing, or a source was quiet.",
                "{count} censuses are left out: a partition is missing, or a source was quiet.",
                part.left_out,
            )
        )
    if part.all.interval is not None:
        found.append(
            _(
                "The second row goes by how the forecasts of untreated customers came out. The team chooses "
                "whom it treats, so the difference between the rows is not what the team achieves: see the "
                "effect of plays."
            )
        )
    return found


def _definitions(part: Forecast, words: Words) -> list[Definition]:
    _ = words.gettext
    if part.now is None or part.all is None:
        return []
    begin = words.day(local_day(part.now, words.zone))
    days = words.number(part.horizon / timedelta(days=1), 0)
    before = part.all.before
    return [
        Definition(
            name=_("Expected share"),
            part=_("the sum of the churn probabilities"),
            whole=_("active customers with a probability"),
            period=_("{days} days from {begin}", days=days, begin=begin),
            exclusions=[(_("active without a probability"), before.active - before.scored)],
        ),
        Definition(
            name=_("Have left"),
            part=_("active customers without activity in the horizon, or with a closure in it"),
            whole=_("customers active at the census"),
            period=_("{days} days from each census", days=days),
        ),
    ]
