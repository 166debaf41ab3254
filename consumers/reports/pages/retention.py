"""What was kept and lost, as people read it."""

from __future__ import annotations

from itertools import pairwise

from consumers import charts
from consumers.language import _
from consumers.reports.document import (
    HIDDEN,
    MISSING,
    Column,
    Definition,
    Kind,
    Plot,
    Section,
    Table,
    Tile,
    Value,
)
from consumers.reports.members import AGE_DAYS, Flows
from consumers.reports.pages.group_tables import lost_table
from consumers.reports.pages.lost_words import (
    BASES,
    WHYS,
    amount_cell,
    definition,
    is_mostly_shown,
    marks,
    rate_cell,
    small_note,
)
from consumers.reports.pages.tiles import share_tile
from consumers.reports.rate import hidden_cells
from consumers.reports.retention import Basis, Lost, Retention
from consumers.reports.words import Words
from streams.share import ShareDifference

FLOWS = {
    "acquired": _("Acquired: first activity"),
    "returned": _("Returned: first activity after a loss"),
    "lapsed": _("Lapsed by silence"),
    "closed": _("Closed expressly"),
}


def section(part: Retention, words: Words) -> Section:
    """Return the section of what was kept and lost."""
    _ = words.gettext
    return Section(
        key="retention",
        title=_("What was kept and lost"),
        note=_(
            "Of the customers who were active at the beginning of the period: who is active at its end "
            "(retention) and who is not (churn)."
        ),
        tiles=_tiles(part, words),
        plots=_plots(part, words),
        tables=[_rates(part, words), _changes(part, words), *_of_outcomes(part, words)],
        remarks=_remarks(part, words),
        definitions=_definitions(part.own, words),
    )


def _tiles(part: Retention, words: Words) -> list[Tile]:
    _ = words.gettext
    own = part.own
    tiles = []
    for name, rate in ((_("Retention"), own.retention), (_("Churn"), own.churn)):
        if rate is not None:
            tiles.append(share_tile(rate.share, name, words))
    for change, then in ((part.since_before, part.before), (part.since_year_before, part.year_before)):
        if change is not None and change.value is not None and own.churn is not None:
            title = then.period.title(words.locale)
            note = words.interval(change)
            tiles.append(Tile(words.points(change.value), _("churn against {period}", period=title), note))
    relative = own.relative
    if relative is not None and relative.value is not None:
        note = _("{part} of {whole}", part=words.money(relative.part), whole=words.money(relative.whole))
        tiles.append(Tile(words.percent(relative.value), _("value lost, of all value"), note))
    return tiles


def _rates(part: Retention, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("period", _("Period")),
        Column("original", _("Active at the beginning"), Kind.COUNT),
        Column("kept", _("Kept"), Kind.COUNT),
        Column("lost", _("Lost"), Kind.COUNT),
        Column("retention", _("Retention"), Kind.SHARE),
        Column("churn", _("Churn"), Kind.SHARE, interval=True),
        Column("relative", _("Value lost of all value"), Kind.PERCENT),
        Column("active", _("Active at the end"), Kind.COUNT),
        Column("basis", _("Counted by")),
    ]
    rows: list[list[Value]] = []
    for each in (part.own, part.before, part.year_before):
        counts = [_known(n) for n in (each.original, each.kept, each.lost)]
        rates = (rate_cell(each.retention), rate_cell(each.churn), amount_cell(each.relative))
        basis = _(BASES[each.basis])
        rows.append([each.period.title(words.locale), *counts, *rates, _known(each.active), basis])
    return Table("retention", _("Retention and churn"), columns, rows)


def _known(n: int | None) -> Value:
    return MISSING if n is None else n


def _changes(part: Retention, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("against", _("Churn against")),
        Column("then", _("Then"), Kind.SHARE),
        Column("now", _("Now"), Kind.SHARE),
        Column("change", _("Change in percentage points"), Kind.POINTS, interval=True),
    ]
    rows: list[list[Value]] = []
    for then, change in ((part.before, part.since_before), (part.year_before, part.since_year_before)):
        cells = (rate_cell(then.churn), rate_cell(part.own.churn), _points(change))
        rows.append([then.period.title(words.locale), *cells])
    return Table("churn_change", _("How churn changed"), columns, rows)


def _points(change: ShareDifference | None) -> Value:
    return MISSING if change is None or change.value is None else change


def _tiers(part: Retention, words: Words) -> Table:
    _ = words.gettext
    note = _(
        "By each customer's outcomes; customers whose warnings are held out are counted like all others."
    )
    return lost_table(part.tiers, words, _("By the tier of the warning at the beginning"), note)


def _of_outcomes(part: Retention, words: Words) -> list[Table]:
    """Return what only outcomes say; nothing where they say nothing of the period."""
    if part.flows is None or part.ages is None:
        return []
    return [
        _tiers(part, words),
        _flows(part.flows, words),
        _ages(part.ages, words),
    ]


def _flows(part: Flows, words: Words) -> Table:
    _ = words.gettext
    counts = part.as_dict()
    columns = [Column("what", _("What happened")), Column("n", _("Times"), Kind.COUNT)]
    rows: list[list[Value]] = [[_(text), counts[name]] for name, text in FLOWS.items()]
    note = _("All comings and goings in the period: who left and came back counts in both.")
    return Table("flows", _("Comings and goings"), columns, rows, note=note)


def _ages(ages: tuple[int, ...], words: Words) -> Table:
    _ = words.gettext
    names = [
        _("{low} to {high} days ago", low=words.count(low), high=words.count(high - 1))
        for low, high in pairwise((0, *AGE_DAYS))
    ]
    names.append(_("{low} days ago and longer", low=words.count(AGE_DAYS[-1])))
    hidden = hidden_cells(ages)
    columns = [Column("lost", _("Lost")), Column("customers", _("Customers"), Kind.COUNT)]
    rows: list[list[Value]] = [
        [name, HIDDEN if place in hidden else count]
        for place, (name, count) in enumerate(zip(names, ages, strict=True))
    ]
    total: list[Value] = [_("All who are lost at the end"), sum(ages)]
    note = _("Those lost longer than a year stand apart: they hardly say anything about the period.")
    return Table("lost_longer_ago", _("How long ago the lost were lost"), columns, rows, total, note)


def _plots(part: Retention, words: Words) -> list[Plot]:
    _ = words.gettext
    if part.ages is None:
        return []
    table = _ages(part.ages, words)
    counts = [row[1] for row in table.rows]
    names = [str(row[0]) for row in table.rows]
    if not is_mostly_shown([count if isinstance(count, int) else None for count in counts], sum(part.ages)):
        return []
    values = [float(count) if isinstance(count, int) else 0.0 for count in counts]
    titles = [
        f"{name}: {words.count(count) if isinstance(count, int) else _('hidden')}"
        for name, count in zip(names, counts, strict=True)
    ]
    edges = [0, *AGE_DAYS]
    ticks = [(place, f"{low}–{high - 1}") for place, (low, high) in enumerate(pairwise(edges))]
    ticks.append((len(AGE_DAYS), f"{AGE_DAYS[-1]}+"))
    label = _("Lost customers, by days since they were lost")

    def draw(width: float) -> str:
        return charts.bars(values, titles, ticks, label, width=width, height=200, y_label=label)

    return [Plot("bars", "lost_longer_ago", draw, wide=False)]


def _remarks(part: Retention, words: Words) -> list[str]:
    _ = words.gettext
    own = part.own
    found = []
    if own.why is not None:
        found.append(_("Counted by each customer's outcomes: {why}.", why=_(WHYS[own.why])))
    found += [
        _("{period}: {what}.", period=each.period.title(words.locale), what=marks(each.marks, words))
        for each in (own, part.before, part.year_before)
        if each.marks
    ]
    if own.is_backlog and own.acquired is not None:
        found.append(
            _(
                "{n} customers are a backlog: they were counted for the first time and are no growth.",
                n=words.count(own.acquired),
            )
        )
    other, counted = part.by_outcomes, (own.original, own.lost)
    if own.basis is Basis.CENSUS and own.original is not None and other is not None and other != counted:
        original, lost = other
        found.append(
            _(
                "By each customer's outcomes {lost} of {original} were lost: customers were erased since, or "
                "a source was quiet.",
                lost=words.count(lost),
                original=words.count(original),
            )
        )
    return [*found, small_note(words)]


def _definitions(own: Lost, words: Words) -> list[Definition]:
    _ = words.gettext
    found = [(_("Retention"), own.retention), (_("Churn"), own.churn)]
    made = [definition(name, rate, words) for name, rate in found if rate is not None]
    if own.relative is not None:
        made.append(definition(_("Value lost of all value"), own.relative, words))
    return made
