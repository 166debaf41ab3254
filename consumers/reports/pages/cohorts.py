"""How much of each month's new customers is still there, as people read it."""

from __future__ import annotations

from consumers import charts
from consumers.reports.cohorts import Cohort, Cohorts
from consumers.reports.document import (
    HIDDEN,
    MISSING,
    Column,
    Kind,
    Plot,
    Section,
    Table,
    Value,
)
from consumers.reports.pages.lost_words import definition, rate_cell
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words

MOST: int = 13
"""So many cohorts are shown, the newest; the figures have all."""


def section(part: Cohorts, words: Words) -> Section:
    """Return the section of cohorts."""
    _ = words.gettext
    shown = part.cohorts[-MOST:]
    rate = next((cell for each in shown for cell in each.cells if cell is not None and not each.hidden), None)
    remarks = []
    if len(part.cohorts) > len(shown):
        remarks.append(
            words.ngettext(
                "{count} older cohort is not shown.",
                "{count} older cohorts are not shown.",
                len(part.cohorts) - len(shown),
            )
        )
    if any(each.is_backlog for each in shown):
        remarks.append(
            _("The first row is a backlog: its customers came in that month or at any time before it.")
        )
    says = [cell for each in shown if not each.hidden for cell in each.cells[1:] if cell is not None]
    is_enough = any(cell.is_enough for cell in says)
    if part.cohorts and not is_enough and any(len(each.cells) > 1 for each in shown):
        return Section(
            key="cohorts",
            title=_("How long new customers stay"),
            remarks=[
                _(
                    "So far no month has {few} new customers of whom later months are known: that is not "
                    "enough to say how long they stay.",
                    few=words.count(TOO_FEW),
                )
            ],
        )
    if not part.cohorts:
        remarks.append(_("There is no census yet: the first is taken where the first month ends."))
    return Section(
        key="cohorts",
        title=_("How long new customers stay"),
        note=_(
            "Of the customers whose first activity lies in one month and who were active at its end: how "
            "many are active so many months later."
        ),
        plots=_plots(shown, words),
        tables=[_table(shown, words)],
        remarks=remarks,
        definitions=[] if rate is None else [definition(_("Still active"), rate, words)],
    )


def _table(shown: tuple[Cohort, ...], words: Words) -> Table:
    _ = words.gettext
    length = max((len(each.cells) for each in shown), default=1)
    columns = [
        Column("cohort", _("Month of the first activity")),
        Column("size", _("Customers"), Kind.COUNT),
        *(
            Column(f"after_{n}", words.ngettext("after {count} month", "after {count} months", n), Kind.SHARE)
            for n in range(1, length)
        ),
    ]
    rows: list[list[Value]] = []
    for each in shown:
        name = _name(each, words)
        if each.hidden:
            rows.append([name, *[HIDDEN] * length])
            continue
        cells: list[Value] = [rate_cell(cell) for cell in each.cells[1:]]
        cells += [""] * (length - len(each.cells))
        rows.append([name, MISSING if each.size is None else each.size, *cells])
    return Table("cohorts", _("Retention by cohort"), columns, rows)


def _name(each: Cohort, words: Words) -> str:
    month = words.month(each.month.begin)
    return words.gettext("{month} and before", month=month) if each.is_backlog else month


def _plots(shown: tuple[Cohort, ...], words: Words) -> list[Plot]:
    _ = words.gettext
    length = max((len(each.cells) for each in shown), default=0)
    if length < 2:
        return []
    rows: list[tuple[str, list[charts.Cell | None]]] = []
    for each in shown:
        name = _name(each, words)
        cells: list[charts.Cell | None] = []
        for place, cell in enumerate(each.cells[1:], start=1):
            after = words.ngettext("after {count} month", "after {count} months", place)
            if each.hidden:
                text = _("hidden") if place == 1 else ""
                cells.append(charts.Cell(None, text, f"{name}, {after}: {_('hidden')}"))
            elif cell is None:
                cells.append(charts.Cell(None, "", f"{name}, {after}: {_('not known')}"))
            elif not cell.is_enough:
                # A share of so few would say too much; how many there are is no claim.
                count = f"{words.count(cell.share.part)}/{words.count(cell.share.whole)}"
                few = _("not enough to say")
                cells.append(charts.Cell(None, count, f"{name}, {after}: {words.of(cell.share)}, {few}"))
            else:
                text = words.percent(cell.value, 0)
                cells.append(charts.Cell(cell.value, text, f"{name}, {after}: {words.share(cell.share)}"))
        rows.append((name, cells))
    label = _("Retention by month of the first activity and months since")
    names = [words.count(n) for n in range(1, length)]

    def draw(width: float) -> str:
        return charts.heat_map(rows, names, label, low=0.0, high=1.0, width=width)

    return [Plot("heat_map", "cohorts", draw)]
