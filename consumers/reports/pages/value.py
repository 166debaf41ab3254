"""What was lost and is at risk in money, as people read it."""

from __future__ import annotations

from consumers.reports.document import (
    MISSING,
    Column,
    Definition,
    Kind,
    Section,
    Table,
    Tile,
    Value,
)
from consumers.reports.value import Amount
from consumers.reports.value import Value as Figures
from consumers.reports.words import Words


def section(part: Figures, words: Words) -> Section:
    """Return the section of values."""
    _ = words.gettext
    return Section(
        key="value",
        title=_("Value lost and at risk"),
        note=_(
            "A value is what a customer is expected to bring within the value horizon if they stay; of some "
            "it is not known."
        ),
        tiles=_tiles(part, words),
        tables=[_lost(part, words), _open(part, words)],
        remarks=_remarks(part, words),
        definitions=_definitions(part, words),
    )


def _tiles(part: Figures, words: Words) -> list[Tile]:
    _ = words.gettext
    tiles = [
        Tile(words.money(part.lapsed.total), _("value of those who lapsed"), _of_known(part.lapsed, words)),
        Tile(
            words.money(part.at_risk[0].at_risk.total),
            _("value at risk in open warnings"),
            _of_known(part.at_risk[0].at_risk, words),
        ),
    ]
    if part.leaving is not None:
        tiles.append(
            Tile(
                words.between(words.money(part.leaving.low), words.money(part.leaving.high)),
                _("value that leaves by the forecast"),
                _("middle {amount}", amount=words.money(part.leaving.middle)),
            )
        )
    return tiles


def _of_known(amount: Amount, words: Words) -> str:
    return words.gettext(
        "known of {known} of {n} customers", known=words.count(amount.known), n=words.count(amount.n)
    )


def _cells(amount: Amount | None) -> list[Value]:
    if amount is None:
        return [MISSING] * 4
    mean = MISSING if amount.mean is None else amount.mean
    return [amount.n, amount.known, amount.total if amount.known else MISSING, mean]


def _lost(part: Figures, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("what", _("Customers")),
        Column("n", _("How many"), Kind.COUNT),
        Column("known", _("Value known of"), Kind.COUNT),
        Column("total", _("Value"), Kind.MONEY),
        Column("mean", _("Mean value"), Kind.MONEY),
    ]
    months = words.number(part.months, 0)
    rows: list[list[Value]] = [
        [_("Lapsed in the period"), *_cells(part.lapsed)],
        [_("Closed in the period"), part.closed, 0, MISSING, MISSING],
        [_("Lost over the last {months} months with a census", months=months), *_cells(part.lost)],
        [_("All original customers of these months"), *_cells(part.original)],
    ]
    if part.base is not None and part.base_month is not None:
        begin = words.day(part.base_month.begin)
        rows.append([_("All who were active on {day}", day=begin), *_cells(part.base)])
    return Table("value", _("Values of groups of customers"), columns, rows)


def _open(part: Figures, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("tier", _("Tier")),
        Column("open", _("Open warnings"), Kind.COUNT),
        Column("known", _("Value known of"), Kind.COUNT),
        Column("at_risk", _("Value at risk"), Kind.MONEY),
    ]
    names = {"high": _("high"), "medium": _("medium"), "low": _("low")}

    def row(name: str, at_risk: Amount) -> list[Value]:
        return [name, at_risk.n, at_risk.known, at_risk.total if at_risk.known else MISSING]

    rows = [row(names[each.tier], each.at_risk) for each in part.at_risk if each.tier is not None]
    total = row(_("All"), part.at_risk[0].at_risk)
    return Table("value_at_risk", _("Warnings open at the end of the period"), columns, rows, total)


def _remarks(part: Figures, words: Words) -> list[str]:
    _ = words.gettext
    found = []
    if part.closed:
        found.append(
            _("A closure does not know the customer's value; the census does, from the month before.")
        )
    if part.leaving is not None:
        found.append(
            _(
                "The value that leaves is the forecast number of customers times the mean value of those "
                "lost over the last {months} months, which is taken as given.",
                months=words.number(part.months, 0),
            )
        )
    mean, of_all = part.lost.mean, part.original.mean
    if mean is not None and of_all:
        found.append(
            _(
                "Those lost were worth {share} of the mean of all.",
                share=words.percent(mean / of_all, 0),
            )
        )
    return found


def _definitions(part: Figures, words: Words) -> list[Definition]:
    _ = words.gettext
    at_risk = part.at_risk[0].at_risk
    return [
        Definition(
            name=_("Value at risk"),
            part=_("value times churn probability, summed"),
            whole=_("customers with an open warning of whom both are known"),
            period=_("at the end of {period}", period=part.period.title(words.locale)),
            exclusions=[(_("open warnings without value or probability"), at_risk.unknown)],
        )
    ]
