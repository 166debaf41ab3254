"""Tables of groups: the share of the lost and the rate within the group, under two names."""

from __future__ import annotations

from consumers import charts
from consumers.reports.document import HIDDEN, Column, Definition, Kind, Plot, Table, Value
from consumers.reports.group_table import GroupTable
from consumers.reports.pages.lost_words import BY, definition, group_name, rate_cell
from consumers.reports.words import NOTHING, Words
from streams.share import Share


def is_unknown(part: GroupTable) -> bool:
    """Return whether the attribute is known of no customer, so that a table would repeat the total."""
    return bool(part.groups) and all(each.name is None and not each.is_other for each in part.groups)


def lost_table(part: GroupTable, words: Words, title: str, note: str = "") -> Table:
    """Return what was lost by group."""
    _ = words.gettext
    columns = [
        Column("group", _(BY[part.by])),
        Column("original", _("Active at the beginning"), Kind.COUNT),
        Column("lost", _("Lost"), Kind.COUNT),
        Column("share_of_lost", _("Share of all the lost"), Kind.SHARE),
        Column("rate_within", _("Rate within the group"), Kind.SHARE, interval=True),
    ]
    rows: list[list[Value]] = []
    for each in part.groups:
        if not each.counts.original and not each.hidden:
            continue
        name = group_name(part.by, each.name, each.is_other, words)
        if each.hidden:
            rows.append([name, HIDDEN, HIDDEN, HIDDEN, HIDDEN])
            continue
        counts = each.counts
        shares = (rate_cell(each.share_of_lost), rate_cell(each.rate_within))
        rows.append([name, counts.original, counts.lost, *shares])
    total = part.total
    every: list[Value] = [_("All"), total.original, total.lost]
    every += [Share(total.lost, total.lost), Share(total.lost, total.original)]
    return Table(part.by, title, columns, rows, every if total.original else None, note)


def lost_plot(part: GroupTable, words: Words) -> list[Plot]:
    """Return the rates within the groups with their intervals; nothing where there is one group only."""
    _ = words.gettext
    shown = [
        each
        for each in part.groups
        if not each.hidden and each.counts.original and each.rate_within.is_enough
    ]
    if len(shown) < 2:
        return []
    names = [group_name(part.by, each.name, each.is_other, words) for each in shown]
    values = [100 * (each.rate_within.value or 0) for each in shown]
    titles = [
        f"{name}: {words.share(each.rate_within.share)}" for name, each in zip(names, shown, strict=True)
    ]
    label = _("{by}: rate within the group, in per cent", by=_(BY[part.by]))

    def draw(width: float) -> str:
        return charts.bars(
            values, titles, list(enumerate(names)), label, width=width, height=200, y_label=label
        )

    return [Plot("bars", part.by, draw, wide=False)]


def definitions(part: GroupTable, words: Words) -> list[Definition]:
    """Return what the two columns count."""
    _ = words.gettext
    group = next((each for each in part.groups if each.counts.original), None)
    if group is None:
        return []
    return [
        definition(_("Share of all the lost"), group.share_of_lost, words),
        definition(_("Rate within the group"), group.rate_within, words),
    ]


def shown_rate(share: Share | None, words: Words) -> str:
    """Return a share as a figure that is read first."""
    return NOTHING if share is None else words.percent(share.value)
