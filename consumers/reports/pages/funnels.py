"""Both funnels as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consumers import charts
from consumers.language import _
from consumers.reports.document import Column, Definition, Kind, Plot, Section, Table, Tile, Value
from consumers.reports.funnels import Funnel, Funnels, Stage
from consumers.reports.pages.names import enough, named
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words
from streams.share import Share

STAGES: Final[Mapping[Stage, str]] = {
    Stage.WARNED: _("warned"),
    Stage.WORTH_RESCUING: _("worth rescuing"),
    Stage.CONTACTED: _("contacted"),
    Stage.REACHED: _("reached"),
    Stage.ACCEPTED: _("accepted"),
    Stage.STAYED: _("stayed"),
    Stage.LAPSED: _("lapsed"),
    Stage.MEANS_TO_RETURN: _("means to return"),
    Stage.RETURNED: _("has returned"),
}


def section(part: Funnels, words: Words) -> Section:
    """Return the section of both funnels."""
    _ = words.gettext
    return Section(
        key="funnels",
        title=_("Two funnels: from warned to stayed, from lapsed to returned"),
        note=_(
            "Each step counts some of the step before. The first funnel counts warnings that opened in the "
            "period, the second customers who lapsed in it, with what is known of them by now."
        ),
        tiles=_tiles(part, words),
        plots=[
            _plot(part.warnings, "funnel_warnings", _("Warnings, step by step"), words),
            _plot(part.lapsed, "funnel_lapsed", _("Lapsed customers, step by step"), words),
        ],
        tables=[
            _table(part.warnings, "funnel_warnings", _("Warnings, step by step"), words),
            _table(part.lapsed, "funnel_lapsed", _("Lapsed customers, step by step"), words),
            _by_tier(part, words),
            _results(part, words),
        ],
        remarks=_remarks(part, words),
        definitions=_definitions(part, words),
    )


def _tiles(part: Funnels, words: Words) -> list[Tile]:
    _ = words.gettext
    warned, lapsed = part.warnings.steps, part.lapsed.steps
    figures = (
        (warned[2].of_before, _("of the warnings worth rescuing were acted on")),
        (warned[-1].of_before, _("of those who accepted stayed")),
        (lapsed[-1].of_first, _("of the lapsed came back by way of the team")),
    )
    return [
        Tile(words.percent(of.value) if of.whole >= TOO_FEW else words.count(of.part), what, words.of(of))
        for of, what in figures
    ]


def _table(funnel: Funnel, key: str, title: str, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("step", _("Step")),
        Column("count", _("Count"), Kind.COUNT),
        Column("of_before", _("Of the step before"), Kind.SHARE, interval=True),
        Column("of_first", _("Of the first step"), Kind.SHARE),
        Column("not_known", _("Not known yet"), Kind.COUNT),
    ]
    rows: list[list[Value]] = [
        [_(STAGES[step.stage]), step.n, enough(step.of_before), enough(step.of_first), step.not_known]
        for step in funnel.steps
    ]
    return Table(key, title, columns, rows)


def _by_tier(part: Funnels, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("tier", _("Tier at the opening")),
        *(Column(step.stage.value, _(STAGES[step.stage]), Kind.COUNT) for step in part.warnings.steps),
    ]
    rows: list[list[Value]] = [
        [named(tier, words), *(step.n for step in own.steps)] for tier, own in part.by_tier.items()
    ]
    total: list[Value] = [_("all"), *(step.n for step in part.warnings.steps)]
    return Table("funnel_by_tier", _("Warnings by tier, step by step"), columns, rows, total)


def _results(part: Funnels, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("result", _("Result")),
        Column("count", _("Contacts"), Kind.COUNT),
        Column("share", _("Share of the contacts"), Kind.SHARE),
    ]
    whole = sum(part.results.values())
    rows: list[list[Value]] = [
        [named(result, words), n, enough(Share(n, whole))] for result, n in part.results.items()
    ]
    total: list[Value] = [_("all"), whole, enough(Share(whole, whole))]
    return Table(
        "funnel_results", _("What came of the contacts of warnings worth rescuing"), columns, rows, total
    )


def _plot(funnel: Funnel, key: str, label: str, words: Words) -> Plot:
    steps = []
    for number, step in enumerate(funnel.steps):
        name = words.gettext(STAGES[step.stage])
        beside = words.count(step.n)
        if number and step.of_before.whole >= TOO_FEW:
            beside += f" ({words.percent(step.of_before.value)})"
        steps.append(charts.FunnelStep(name, step.n, beside, f"{name}: {words.share(step.of_first)}"))

    def draw(width: float) -> str:
        return charts.funnel(steps, label, width=width)

    return Plot("funnel", key, draw)


def _remarks(part: Funnels, words: Words) -> list[str]:
    _, count = words.gettext, words.count
    warned, lapsed = part.warnings.beside, part.lapsed.beside
    found = [
        _(
            "Of the warnings that are not worth rescuing or not shown: {held_out} were held out to measure "
            "what plays do, {not_worth} cost more than they are worth or are barred, for {not_decided} "
            "something needed for the decision is missing.",
            held_out=count(warned["held_out"]),
            not_worth=count(warned["not_worth"]),
            not_decided=count(warned["not_decided"]),
        ),
        _(
            "A customer who stayed may have stayed without the team too: what the team changes is in the "
            "effect of plays."
        ),
        _(
            "{all} of the lapsed have returned in all, {alone} of them without a contact before.",
            all=count(lapsed["returned_in_all"]),
            alone=count(lapsed["returned_without_contact"]),
        ),
    ]
    if warned["contacted_beside"]:
        found.append(
            words.ngettext(
                "{count} warning that is not worth rescuing, or held out, was acted on all the same.",
                "{count} warnings that are not worth rescuing, or held out, were acted on all the same.",
                warned["contacted_beside"],
            )
        )
    return found


def _definitions(part: Funnels, words: Words) -> list[Definition]:
    _ = words.gettext
    return [
        Definition(
            name=_("Warnings, step by step"),
            part=_(
                "worth rescuing: the decision at the opening is to rescue, and the warning is not held out; "
                "contacted: a contact or an offer within the horizon after; reached: one of them has a "
                "result other than not reached; accepted: one was accepted, or the customer means to return; "
                "stayed: no churn within the horizon"
            ),
            whole=_("the step before; of the last step without those whose horizon is not over"),
            period=_("by the opening of the warning"),
            exclusions=[(_("accepted, horizon not over"), part.warnings.beside["not_matured"])],
        ),
        Definition(
            name=_("Lapsed customers, step by step"),
            part=_(
                "contacted: a contact or an offer from the lapse to the return; reached and means to return: "
                "by its result; returned: an order after the lapse"
            ),
            whole=_("the step before"),
            period=_("by the first lapse of the customer in the period"),
            exclusions=[(_("left by a closure, without a lapse"), part.lapsed.beside["closed"])],
        ),
    ]
