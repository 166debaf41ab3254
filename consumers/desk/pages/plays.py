"""Plays and their measured effect."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from consumers import charts
from consumers.desk.desk import Desk
from consumers.desk.people.sign_in import Viewer
from consumers.desk.rendering import render, word
from consumers.desk.rulebook import PlayView
from consumers.effects.effect import Claim
from consumers.effects.report import EffectsReport, PlayEffects
from consumers.language import _, gettext

router = APIRouter()

CLAIMS = {
    Claim.HELPS: _("It helps"),
    Claim.HARMS: _("It harms"),
    Claim.NOBODY_HELD_OUT: _("No claim: nobody was held out"),
    Claim.TOO_FEW: _("No claim: too few of the held out have churned"),
    Claim.NOT_CLEAR: _("No claim: it may be chance"),
}
SHAPES = {Claim.HELPS: "good", Claim.HARMS: "bad"}
CAUTIONS = (
    _(
        "Compared is as drawn: all who were not held out, contacted or not, with those who were. Each "
        "customer counts once, with the first matured warning that had this play and was worth a rescue."
    ),
    _(
        "Exempt classes, tiers without a share and warnings that only an earlier one keeps from being shown "
        "were not drawn: they are on neither side."
    ),
    _(
        "Nothing is claimed while fewer of the held out have churned than the setting min_holdout wants, or "
        "while the 99 %% interval of the difference holds 0. Of a hundred comparisons of plays that do "
        "nothing, one is claimed all the same."
    ),
    _(
        "What was gained is the difference times the customers who were not held out times their mean value; "
        "its interval takes the mean value as given."
    ),
)
EXCLUDED = {
    "other_verdict": _("another decision than a rescue"),
    "other_experiment": _("drawn by another salt or for another version of the play"),
    "outside": _("outside of the period"),
    "not_first": _("not the customer's first"),
}


@dataclass(frozen=True, slots=True)
class PlayRow:
    """A play of the files, of the store, or of both."""

    id: str
    play: PlayView | None
    measured: PlayEffects | None


@router.get("/plays")
def show(request: Request, person: Viewer) -> Response:
    """Show what plays there are and what they do."""
    desk: Desk = request.app.state.desk
    view, result = desk.rulebook.current(), desk.reports.effects()
    found = {each.play: each for each in result.value.plays} if result.value is not None else {}
    rows = [PlayRow(each.id, each, found.pop(each.id, None)) for each in view.plays]
    rows += [PlayRow(each.play, None, each) for each in found.values()]
    return render(
        request,
        "plays.html",
        rulebook=view,
        rows=rows,
        names={each.id: each.title for each in view.plays},
        titles={each.id: each.title for each in view.reasons},
        result=result,
        chart=chart(result.value) if result.value is not None else None,
        claims=CLAIMS,
        shapes=SHAPES,
        cautions=CAUTIONS,
        excluded=EXCLUDED,
    )


def chart(report: EffectsReport) -> Markup | None:
    """Return the differences as a plot; `None` without a play to compare."""
    if not report.compared:
        return None
    rows = []
    for effect, _money in report.compared:
        difference = effect.difference
        low, high = difference.limits
        title = (
            f"{_points(difference.value)} ({_points(low)} – {_points(high)}): {gettext(CLAIMS[effect.claim])}"
        )
        kind = {Claim.HELPS: "gain", Claim.HARMS: "loss"}.get(effect.claim, "shadow")
        name = effect.play if effect.tier is None else f"{effect.play}, {word(effect.tier)}"
        all_tiers = "all " if effect.tier is None else ""
        rows.append((name, all_tiers + kind, charts.Dot(difference.value, low, high, title)))
    label, absent = gettext("Churn avoided by play and tier, in points"), gettext("one side is empty")
    return Markup(charts.for_both(lambda width: charts.differences(rows, label, absent=absent, width=width)))


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:+.1f}"
