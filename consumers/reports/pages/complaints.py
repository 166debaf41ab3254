"""How complaints were handled, as people read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from consumers import charts
from consumers.reports.complaints import Complaints, Handling, Waiting
from consumers.reports.document import (
    HIDDEN,
    MISSING,
    NOT_ENOUGH,
    Column,
    Definition,
    Kind,
    Plot,
    Section,
    Table,
    Tile,
    Value,
)
from consumers.reports.pages.names import named, share_title, spread
from consumers.reports.pages.tiles import share_tile
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words
from streams.share import Share

ONE_DAY = timedelta(days=1)


def section(part: Complaints, words: Words) -> Section:
    """Return the section of complaint handling."""
    _ = words.gettext
    return Section(
        key="complaints",
        title=_("How complaints were handled"),
        note=_("Complaints that were opened in the period, with what is known of them by now."),
        tiles=_tiles(part.all, words),
        plots=_plots(part, words),
        tables=[_handling(part, words), _ratings(part, words)],
        remarks=_remarks(part, words),
        definitions=_definitions(part.all, words),
    )


def _tiles(part: Handling, words: Words) -> list[Tile]:
    _ = words.gettext
    tiles = [Tile(words.count(part.n), _("complaints were opened"))]
    for what, waiting in (
        (_("until the first answer"), part.answer),
        (_("until the solution"), part.solution),
    ):
        tiles.append(Tile(words.days(waiting.days.median, 1), what, spread(waiting.days, words)))
        if waiting.limit is not None and waiting.late.whole:
            tiles.append(share_tile(waiting.late, _late(waiting, what, words), words))
    return tiles


def _late(waiting: Waiting, what: str, words: Words) -> str:
    assert waiting.limit is not None
    return words.gettext(
        "took longer than {days} {what}",
        days=words.days(waiting.limit / ONE_DAY, _digits(waiting)),
        what=what,
    )


def _digits(waiting: Waiting) -> int:
    assert waiting.limit is not None
    return 0 if not waiting.limit % ONE_DAY else 1


def _handling(part: Complaints, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("category", _("About")),
        Column("complaints", _("Complaints"), Kind.COUNT),
        Column("answered", _("Answered"), Kind.COUNT),
        Column("answer_days", _("Days to the first answer, median"), Kind.NUMBER),
        Column("answer_late", _("Answered too late, or not yet"), Kind.SHARE, interval=True),
        Column("solved", _("Solved"), Kind.COUNT),
        Column("solution_days", _("Days to the solution, median"), Kind.NUMBER),
        Column("solution_late", _("Solved too late, or not yet"), Kind.SHARE, interval=True),
        Column("open", _("Still open"), Kind.COUNT),
        Column("reopened", _("Opened again"), Kind.SHARE),
    ]
    rows = [
        [_category(each, words), *(_times(each) if is_shown else [HIDDEN] * (len(columns) - 1))]
        for each, is_shown in part.categories
    ]
    total = [_("all"), *_times(part.all)]
    return Table("complaints", _("Time to the answer and to the solution"), columns, rows, total)


def _times(of: Handling) -> list[Value]:
    return [
        of.n,
        of.answer.days.count,
        MISSING if of.answer.days.median is None else of.answer.days.median,
        _share_late(of.answer),
        of.solution.days.count,
        MISSING if of.solution.days.median is None else of.solution.days.median,
        _share_late(of.solution),
        of.solution.open,
        of.reopened if of.reopened.whole else MISSING,
    ]


def _share_late(of: Waiting) -> Value:
    if of.limit is None or not of.late.whole:
        return MISSING
    return of.late


def _category(of: Handling, words: Words) -> str:
    return words.gettext("not named") if of.category is None else named(of.category, words)


def _ratings(part: Complaints, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("category", _("About")),
        Column(
            "rated", _("Customers who rated the handling, of those whose complaint was solved"), Kind.SHARE
        ),
        Column("satisfied", _("Satisfied (4 or 5 of 5), of those who rated"), Kind.SHARE, interval=True),
        Column("satisfaction", _("Mean, of 1 to 5"), Kind.NUMBER),
    ]
    rows = [
        [_category(each, words), *(_rating(each) if is_shown else [HIDDEN] * 3)]
        for each, is_shown in part.categories
    ]
    total = [_("all"), *_rating(part.all)]
    return Table("complaint_ratings", _("How content customers were with it"), columns, rows, total)


def _rating(of: Handling) -> list[Value]:
    if not of.rated.whole:
        return [MISSING] * 3
    enough = of.rated.part >= TOO_FEW
    mean: Value = MISSING if of.satisfaction is None else of.satisfaction
    return [of.rated, of.satisfied if enough else NOT_ENOUGH, mean if enough else NOT_ENOUGH]


def _plots(part: Complaints, words: Words) -> list[Plot]:
    _ = words.gettext
    if part.all.answer.limit is None and part.all.solution.limit is None:
        return []
    rows: list[tuple[str, str, Sequence[charts.Dot]]] = [
        (_("all"), "all", [_dot(_("all"), each, words) for each in (part.all.answer, part.all.solution)])
    ]
    for each, is_shown in part.categories:
        if is_shown:
            name = _category(each, words)
            rows.append((name, "", [_dot(name, waiting, words) for waiting in (each.answer, each.solution)]))
    heads = (_("Answered too late, or not yet"), _("Solved too late, or not yet"))
    label = _("Share of the complaints that were answered and solved too late, by what they are about")

    def draw(width: float) -> str:
        return charts.forest(rows, heads, label, absent=_("none"), width=width)

    return [Plot("forest", "complaints", draw)]


def _dot(name: str, waiting: Waiting, words: Words) -> charts.Dot:
    share = waiting.late if waiting.limit is not None else Share(0, 0)
    low, high = share.limits
    return charts.Dot(share.value, low, high, share_title(name, share, words))


def _remarks(part: Complaints, words: Words) -> list[str]:
    _ = words.gettext
    found = []
    if part.all.solved_unanswered:
        found.append(
            words.ngettext(
                "{count} complaint was solved without an answer before it.",
                "{count} complaints were solved without an answer before it.",
                part.all.solved_unanswered,
            )
        )
    if part.all.answer.open or part.all.solution.open:
        found.append(
            _(
                "Times are of the complaints that have come so far: {answer} wait for a first answer and "
                "{solution} for a solution, and their times will be the longer ones.",
                answer=words.count(part.all.answer.open),
                solution=words.count(part.all.solution.open),
            )
        )
    if part.all.answer.limit is None and part.all.solution.limit is None:
        found.append(_("No limits are set, so nothing counts as too late."))
    return found


def _definitions(part: Handling, words: Words) -> list[Definition]:
    _ = words.gettext
    found = []
    for name, waiting, end in (
        (_("Answered too late, or not yet"), part.answer, _("the first answer, or a solution before it")),
        (_("Solved too late, or not yet"), part.solution, _("the solution that stands")),
    ):
        if waiting.limit is not None:
            days = words.days(waiting.limit / ONE_DAY, _digits(waiting))
            found.append(
                Definition(
                    name=name,
                    part=_("complaints without {end} within {days}", end=end, days=days),
                    whole=_("complaints that have it, or whose limit has passed"),
                    period=_("by the opening of the complaint"),
                    exclusions=[(_("waiting, limit not passed"), waiting.not_due)],
                )
            )
    return found
