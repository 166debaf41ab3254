"""What was corrected since, as people read it."""

from __future__ import annotations

from collections.abc import Mapping

from consumers.reports.corrections import Corrections, Figure
from consumers.reports.document import Column, Section, Table, Value
from consumers.reports.words import NOTHING, Words

MOST = 200
"""So many figures are listed; the JSON has all."""


def section(part: Corrections, words: Words) -> Section:
    """Return the section of corrections."""
    _ = words.gettext
    since = words.instant(part.since)
    remarks = []
    if not part.was_known:
        remarks.append(
            _(
                "By {since} the database did not know the whole period: there is nothing to compare with.",
                since=since,
            )
        )
    elif not part.corrections:
        remarks.append(_("Nothing was corrected: every figure is what it was at {since}.", since=since))
    if part.erased:
        remarks.append(
            words.ngettext(
                "{count} customer was erased since: what was counted from the outcomes is without them, then "
                "and now.",
                "{count} customers were erased since: what was counted from the outcomes is without them, "
                "then and now.",
                part.erased,
            )
        )
    if len(part.corrections) > MOST:
        remarks.append(
            words.ngettext(
                "{count} more figure changed; the JSON has all.",
                "{count} more figures changed; the JSON has all.",
                len(part.corrections) - MOST,
            )
        )
    return Section(
        key="corrections",
        title=_("What was corrected since"),
        note=_(
            "The same report from what was stored by {since}, beside this one. Compared are the parts that "
            "are known when a period is over; what matures later is no correction.",
            since=since,
        ),
        tables=[_table(part, words)] if part.corrections else [],
        remarks=remarks,
    )


def _table(part: Corrections, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("figure", _("Figure, as the JSON names it")),
        Column("then", _("Then")),
        Column("now", _("Now")),
    ]
    rows: list[list[Value]] = [
        [" / ".join(each.path), shown(each.then, words), shown(each.now, words)]
        for each in part.corrections[:MOST]
    ]
    return Table("corrections", _("Figures that changed"), columns, rows)


def shown(figure: Figure, words: Words) -> str:
    """Return a figure in words: of a rate its two numbers."""
    if figure is None:
        return NOTHING
    if isinstance(figure, Mapping):
        part, whole = (shown(figure[name], words) for name in ("part", "whole"))
        return words.gettext("{part} of {whole}", part=part, whole=whole)
    if isinstance(figure, bool):
        return words.gettext("yes") if figure else words.gettext("no")
    if isinstance(figure, str):
        return figure
    return words.count(figure) if float(figure).is_integer() else words.number(figure, 4)
