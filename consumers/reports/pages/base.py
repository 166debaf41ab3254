"""The base by origin, as people read it."""

from __future__ import annotations

from consumers import charts
from consumers.reports.base import Base
from consumers.reports.document import HIDDEN, Column, Kind, Plot, Section, Table, Tile, Value
from consumers.reports.pages.lost_words import BASES, definition, group_name, rate_cell, small_note
from consumers.reports.words import Words
from streams.share import Share

COUNTS = ("original", "kept", "lost", "acquired", "returned", "active")


def section(part: Base, words: Words) -> Section:
    """Return the section of the base."""
    _ = words.gettext
    tiles = []
    if part.table.groups:
        tiles.append(Tile(words.count(part.total.active), _("active at the end of the period")))
    if part.ever_seen is not None:
        tiles.append(Tile(words.count(part.ever_seen), _("customers ever seen"), _("active or not")))
    rate = next((rate for rate in part.shares if rate is not None), None)
    return Section(
        key="base",
        title=_("Customers by origin"),
        note=""
        if not part.table.groups
        else _(
            "Each total has its own name: {original} were active at the beginning, {active} are at the end.",
            original=words.count(part.total.original),
            active=words.count(part.total.active),
        ),
        tiles=tiles,
        plots=_plots(part, words),
        tables=[_table(part, words)] if part.table.groups else [],
        remarks=[_("Counted by {basis}.", basis=_(BASES[part.basis])), small_note(words)],
        definitions=[] if rate is None else [definition(_("Share of all active"), rate, words)],
    )


def _table(part: Base, words: Words) -> Table:
    _ = words.gettext
    titles = (
        _("Active at the beginning"),
        _("Kept"),
        _("Lost"),
        _("Acquired and still active"),
        _("Returned and still active"),
        _("Active at the end"),
    )
    columns = [
        Column("origin", _("Origin")),
        *(Column(name, title, Kind.COUNT) for name, title in zip(COUNTS, titles, strict=True)),
        Column("share", _("Share of all active"), Kind.SHARE),
    ]
    rows: list[list[Value]] = []
    for group, rate in zip(part.table.groups, part.shares, strict=True):
        name = group_name("origin", group.name, group.is_other, words)
        if group.hidden:
            rows.append([name, *[HIDDEN] * (len(COUNTS) + 1)])
        else:
            rows.append([name, *(getattr(group.counts, each) for each in COUNTS), rate_cell(rate)])
    total = part.total
    every: list[Value] = [_("All"), *(getattr(total, each) for each in COUNTS)]
    return Table("base", _("The base by origin"), columns, rows, [*every, Share(total.active, total.active)])


def _plots(part: Base, words: Words) -> list[Plot]:
    _ = words.gettext
    shown = [group for group in part.table.groups if not group.hidden]
    if len(shown) < 2:
        return []
    names = [group_name("origin", group.name, group.is_other, words) for group in shown]
    parts = {
        "kept": _("Kept"),
        "acquired": _("Acquired and still active"),
        "returned": _("Returned and still active"),
        "lost": _("Lost"),
    }
    stacks = []
    for each, title in parts.items():
        values = [float(getattr(group.counts, each)) for group in shown]
        titles = [f"{name}, {title}: {words.count(n)}" for name, n in zip(names, values, strict=True)]
        stacks.append(charts.Stack(title, values, titles))
    label = _("Customers by origin: kept, come and lost")

    def draw(width: float) -> str:
        return charts.stacked(names, stacks, label, width=width, y_label=_("customers"))

    return [Plot("stacked", "base", draw)]
