"""Why customers left, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from consumers import charts
from consumers.effects.reasons import NO_REASONS, ReasonTable
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
    Under,
    Value,
)
from consumers.reports.pages.names import enough, named, share_title
from consumers.reports.pages.reason_titles import SHIPPED
from consumers.reports.pages.tiles import share_tile
from consumers.reports.rate import TOO_FEW
from consumers.reports.reasons import ReasonCount, Reasons
from consumers.reports.words import Words
from streams.share import Share

SHOWN: Final = ("confirmed", "stated", "suggested")
"""Who names a reason, in the order of the columns."""
PLOTTED: Final = 12
"""So many groups of reasons are drawn; the table has all."""


def section(part: Reasons, words: Words, titles: Mapping[str, str] | None = None) -> Section:
    """Return the section of reasons; `titles` has what reasons.yaml calls each code."""
    _ = words.gettext
    names = titles or {}
    return Section(
        key="reasons",
        title=_("Why they left"),
        note=_(
            "A customer may have several reasons, so shares may add up to more than 100 %. Suggested is what "
            "the rules of the warning before say, confirmed what the team found, stated what the customer "
            "said on closing."
        ),
        tiles=_tiles(part, words),
        plots=[*_plots(part, words, names), *_months_plot(part, words)],
        tables=[
            _reasons(part, words, names),
            _apart(part, words),
            _results(part, words, names),
            _months(part, words),
            _crossed(part.agreement.groups, words, names),
        ],
        remarks=_remarks(part, words),
        definitions=_definitions(part, words),
    )


def _title(code: str, words: Words, names: Mapping[str, str]) -> str:
    if code in NO_REASONS:
        return named(code, words)
    title = names.get(code) or SHIPPED.get(code)
    return code if title is None else words.gettext(title)


def _tiles(part: Reasons, words: Words) -> list[Tile]:
    _ = words.gettext
    known = Share(part.known, part.lost)
    agree = part.agreement.agree_by_group
    return [
        share_tile(known, _("of those who left, the reason is known"), words),
        share_tile(agree, _("of the warnings with a reason found had suggested its group"), words),
    ]


def _reasons(part: Reasons, words: Words, names: Mapping[str, str]) -> Table:
    _ = words.gettext
    columns = [
        Column("reason", _("Reason")),
        Column("confirmed", _("Confirmed by the team"), Kind.SHARE),
        Column("stated", _("Stated by the customer"), Kind.SHARE),
        Column("suggested", _("Suggested by the warning"), Kind.SHARE),
    ]
    rows = list(_rows(part, words, names))
    note = _(
        "Each share is of the customers of whom that source names a reason: {confirmed}, {stated}, "
        "{suggested}.",
        confirmed=words.count(part.confirmed),
        stated=words.count(part.stated),
        suggested=words.count(part.suggested),
    )
    return Table("reasons", _("Reasons, and the sub-reasons of each"), columns, rows, note=note)


def _rows(part: Reasons, words: Words, names: Mapping[str, str]) -> Iterator[list[Value]]:
    for group in part.groups:
        yield [_title(group.code, words, names), *_shares(part, group)]
        for each in group.parts:
            yield [Under(_title(each.code, words, names)), *_shares(part, each)]


def _shares(part: Reasons, of: ReasonCount) -> list[Value]:
    found: list[Value] = []
    for source in SHOWN:
        n, whole = of.shown(source), getattr(part, source)
        found.append(HIDDEN if n is None else Share(n, whole) if whole else MISSING)
    return found


def _apart(part: Reasons, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("what", _("What is known of the reason")),
        Column("customers", _("Customers"), Kind.COUNT),
        Column("share", _("Share of those who left"), Kind.SHARE),
    ]
    counts = (
        (_("found by the team, or stated"), part.known),
        (_("reached, no reason found"), part.unknown),
        (_("not reached"), part.not_reached),
        (_("nobody asked"), part.not_asked),
    )
    rows: list[list[Value]] = [[name, n, Share(n, part.lost)] for name, n in counts]
    total: list[Value] = [_("all"), part.lost, Share(part.lost, part.lost)]
    return Table("reasons_known", _("Of how many the reason is known"), columns, rows, total)


def _results(part: Reasons, words: Words, names: Mapping[str, str]) -> Table:
    _ = words.gettext
    columns = [
        Column("result", _("Result, and the reasons found in it")),
        Column("contacts", _("Contacts"), Kind.COUNT),
        Column("share", _("Share"), Kind.SHARE),
    ]
    rows: list[list[Value]] = []
    for each in part.results:
        rows.append([named(each.result, words), each.n, Share(each.n, part.contacts)])
        rows += [[Under(_title(code, words, names)), n, Share(n, each.n)] for code, n in each.reasons]
    note = _(
        "Contacts and offers of the period, to warned and to lapsed customers. A result's share is of all "
        "contacts, a reason's of the contacts with that result."
    )
    total: list[Value] = [_("all"), part.contacts, Share(part.contacts, part.contacts)]
    return Table("contact_results", _("What came of the contacts"), columns, rows, total, note)


def _months(part: Reasons, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("month", _("Month of the opening"), Kind.MONTH),
        Column("answered", _("Warnings with an answer"), Kind.COUNT),
        Column("found", _("With a reason found"), Kind.COUNT),
        Column("agree", _("Had suggested the reason"), Kind.SHARE, interval=True),
        Column("agree_by_group", _("Had suggested its group"), Kind.SHARE, interval=True),
        Column("unknown", _("Reached, no reason found"), Kind.COUNT),
        Column("not_reached", _("Not reached"), Kind.COUNT),
    ]
    rows: list[list[Value]] = [
        [
            month.begin,
            each.answered,
            each.found,
            enough(each.agree),
            enough(each.agree_by_group),
            each.unknown,
            each.not_reached,
        ]
        for month, each in part.months
    ]
    note = ""
    if part.draw is not None:
        note = _("Of a draw of {of} of the warnings, by their ids.", of=words.percent(part.draw.value))
    return Table(
        "agreement_by_month", _("Whether suggested reasons are those found"), columns, rows, note=note
    )


def _crossed(table: ReasonTable, words: Words, names: Mapping[str, str]) -> Table:
    _ = words.gettext
    columns = [
        Column("suggested", _("Suggested")),
        *(Column(f"found_{code}", _title(code, words, names), Kind.COUNT) for code in table.found),
    ]
    rows: list[list[Value]] = [
        [_title(code, words, names), *counts]
        for code, counts in zip(table.suggested, table.counts, strict=True)
    ]
    note = _(
        "Warnings that opened in the period, by the group that they suggested (row) and the group that was "
        "found (column); a warning with several counts in several cells."
    )
    return Table("agreement", _("Suggested against found"), columns, rows, note=note)


def _plots(part: Reasons, words: Words, names: Mapping[str, str]) -> list[Plot]:
    _ = words.gettext
    if not part.groups:
        return []
    rows: list[tuple[str, str, Sequence[charts.Dot]]] = []
    for group in part.groups[:PLOTTED]:
        name = _title(group.code, words, names)
        rows.append((name, "", [_dot(name, group.shown(s), getattr(part, s), words) for s in SHOWN]))
    heads = (_("Confirmed"), _("Stated"), _("Suggested"))
    label = _("Groups of reasons, by who names them")

    def draw(width: float) -> str:
        return charts.forest(rows, heads, label, absent=_("none"), width=width)

    return [Plot("forest", "reasons", draw)]


def _dot(name: str, n: int | None, whole: int, words: Words) -> charts.Dot:
    if n is None:
        return charts.Dot(None, None, None, name)
    share = Share(n, whole)
    low, high = share.limits
    return charts.Dot(share.value, low, high, share_title(name, share, words))


def _months_plot(part: Reasons, words: Words) -> list[Plot]:
    _ = words.gettext
    shares = [
        each.agree_by_group if each.agree_by_group.whole >= TOO_FEW else None for _m, each in part.months
    ]
    if sum(each is not None for each in shares) < 2:
        return []
    names = [words.month(month.begin) for month, _each in part.months]
    line = charts.Line(
        _("suggested its group"),
        "first",
        [None if each is None else each.value for each in shares],
        [None if each is None else each.interval for each in shares],
        [
            "" if each is None else share_title(name, each, words)
            for name, each in zip(names, shares, strict=True)
        ],
    )
    label = _("Share of the warnings with a reason found that had suggested its group, by month")

    def draw(width: float) -> str:
        return charts.lines(list(range(len(names))), [line], label, percent=True, width=width, x_names=names)

    return [Plot("lines", "agreement_by_month", draw)]


def _remarks(part: Reasons, words: Words) -> list[str]:
    _ = words.gettext
    if part.lost and part.known < TOO_FEW:
        return [
            _(
                "The reason of {n} customers is known: that is not enough to say what the others left for.",
                n=words.count(part.known),
            )
        ]
    return [_("Whom the team reached are not a random sample of those who left.")] if part.lost else []


def _definitions(part: Reasons, words: Words) -> list[Definition]:
    _ = words.gettext
    apart = [
        (_("reached, no reason found"), part.unknown),
        (_("not reached"), part.not_reached),
        (_("nobody asked"), part.not_asked),
    ]
    return [
        Definition(
            name=_("Confirmed by the team"),
            part=_("customers of whom an action from the warning, or the loss, to the return has the reason"),
            whole=_("customers of whom the team found a reason"),
            period=_("by the last lapse or closure of the customer in the period"),
            exclusions=apart,
        ),
        Definition(
            name=_("Stated by the customer"),
            part=_("customers whose closure has the reason"),
            whole=_("customers whose closure states a reason"),
            period=_("by the last lapse or closure of the customer in the period"),
        ),
        Definition(
            name=_("Suggested by the warning"),
            part=_("customers whose warning before the loss had a cause with the reason"),
            whole=_("customers with a warning before the loss"),
            period=_("by the last lapse or closure of the customer in the period"),
            exclusions=[(_("left without a warning"), part.lost - part.suggested)],
        ),
    ]
