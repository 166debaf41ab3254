"""Customers who churned beside those who stayed, as people read it."""

from __future__ import annotations

from typing import Final

from consumers import charts
from consumers.reports.document import (
    MISSING,
    NOT_ENOUGH,
    Column,
    Definition,
    Estimate,
    Kind,
    Plot,
    Section,
    Table,
    Tile,
    Value,
)
from consumers.reports.profile import Contrast, Profile, Quartiles
from consumers.reports.rate import TOO_FEW
from consumers.reports.words import Words

PLOTTED: Final = 15
"""So many features are drawn; the table has all."""


def section(part: Profile, words: Words) -> Section:
    """Return the section of the profile."""
    _ = words.gettext
    return Section(
        key="profile",
        title=_("What those who churned were like, beside those who stayed"),
        note=_(
            "From samples of customers a horizon before it was known what became of them. The largest "
            "difference stands first; an effect of 0.2 is small, 0.5 medium, 0.8 large."
        ),
        tiles=[
            Tile(words.count(part.churned), _("samples of customers who churned")),
            Tile(words.count(part.kept), _("samples of customers who stayed")),
        ],
        plots=_plots(part, words),
        tables=[_table(part, words), _missing(part, words)],
        remarks=_remarks(part, words),
        definitions=[
            Definition(
                name=_("Not known"),
                part=_("samples in which the feature has no value"),
                whole=_("samples of customers who churned, or who stayed"),
                period=_("by the end of the horizon"),
            )
        ],
    )


def _table(part: Profile, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("feature", _("Feature")),
        Column("effect", _("Effect (Hedges' g), with its 95 % interval"), Kind.NUMBER),
        Column("delta", _("Higher rather than lower (Cliff's delta)"), Kind.NUMBER),
        Column("churned", _("Churned: median"), Kind.NUMBER),
        Column("churned_quartiles", _("Churned: middle half"), Kind.TEXT),
        Column("churned_n", _("Churned: n"), Kind.COUNT),
        Column("kept", _("Stayed: median"), Kind.NUMBER),
        Column("kept_quartiles", _("Stayed: middle half"), Kind.TEXT),
        Column("kept_n", _("Stayed: n"), Kind.COUNT),
    ]
    rows = [_row(each, words) for each in part.contrasts]
    note = _(
        "Medians are in the feature's own unit, effects on the scale on which the model reads it. A negative "
        "effect: those who churned had less of it."
    )
    return Table("profile", _("Features, the largest difference first"), columns, rows, note=note)


def _row(of: Contrast, words: Words) -> list[Value]:
    if not of.is_enough:
        absent: list[Value] = [NOT_ENOUGH] * 4
        return [of.feature, *absent, of.churned_n, NOT_ENOUGH, NOT_ENOUGH, of.kept_n]
    effect: Value = MISSING
    if of.g is not None and of.g_low is not None and of.g_high is not None:
        effect = Estimate(of.g, of.g_low, of.g_high)
    return [
        of.feature,
        effect,
        MISSING if of.delta is None else of.delta,
        *_quartiles(of.churned, words),
        of.churned_n,
        *_quartiles(of.kept, words),
        of.kept_n,
    ]


def _quartiles(of: Quartiles | None, words: Words) -> list[Value]:
    if of is None:
        return [MISSING, MISSING]
    return [of.median, words.between(words.number(of.low, 2), words.number(of.high, 2))]


def _missing(part: Profile, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("feature", _("Feature")),
        Column("churned", _("Not known, of those who churned"), Kind.SHARE),
        Column("kept", _("Not known, of those who stayed"), Kind.SHARE),
        Column("difference", _("Difference"), Kind.POINTS),
    ]
    rows: list[list[Value]] = [
        [
            each.feature,
            each.churned_missing if each.churned_missing.whole else MISSING,
            each.kept_missing if each.kept_missing.whole else MISSING,
            MISSING if each.missing_difference.value is None else each.missing_difference,
        ]
        for each in part.contrasts
        if each.churned_missing.part or each.kept_missing.part
    ]
    note = _(
        "That nothing is known may say something too: who never ordered twice has no gap between orders."
    )
    return Table("profile_missing", _("What is not known of them"), columns, rows, note=note)


def _plots(part: Profile, words: Words) -> list[Plot]:
    _ = words.gettext
    shown = [each for each in part.contrasts if each.is_enough and each.g is not None][:PLOTTED]
    if not shown:
        return []
    rows = [
        (
            each.feature,
            "",
            charts.Dot(
                None if each.g is None else each.g / 100,
                None if each.g_low is None else each.g_low / 100,
                None if each.g_high is None else each.g_high / 100,
                f"{each.feature}: {words.signed(each.g or 0.0, 2)}",
            ),
        )
        for each in shown
    ]
    label = _("Effect of each feature, with its interval; left of 0 those who churned had less of it")

    def draw(width: float) -> str:
        return charts.differences(rows, label, absent=_("none"), width=width)

    return [Plot("differences", "profile", draw)]


def _remarks(part: Profile, words: Words) -> list[str]:
    _ = words.gettext
    found = [
        _(
            "These are differences, not causes. Customers whom the team treated are not among the samples, "
            "and the store keeps a random sample of all samples."
        )
    ]
    if part.are_weighted:
        found.append(
            _(
                "Held-out customers stand for those who were treated and count more; n is the number of "
                "samples."
            )
        )
    if min(part.churned, part.kept) < TOO_FEW:
        found.append(
            _("There are fewer than {n} samples on one side: not enough to say.", n=words.count(TOO_FEW))
        )
    if part.words:
        found.append(
            _(
                "{names} are in the samples in a form that cannot be read back; groups of customers are "
                "compared by the census.",
                names=words.listing(list(part.words)),
            )
        )
    return found
