"""How good alarms were, as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from consumers import charts
from consumers.language import _
from consumers.reports.alarms import Alarms, shown_groups
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
from consumers.reports.pages.names import enough, named, share_title, spread
from consumers.reports.pages.tiles import share_tile
from consumers.reports.period import local_day
from consumers.reports.words import Words
from consumers.scorecard.missed import MissedGroup
from consumers.scorecard.scorecard import Score, Scorecard
from streams.contract.instants import EPOCH, MICROSECOND
from streams.share import Share, Spread

DIMENSIONS: Final[Mapping[str, str]] = {
    "customer_class": _("class"),
    "segment": _("segment"),
    "value": _("value of the customer"),
}


def section(part: Alarms, words: Words) -> Section:
    """Return the section of alarm quality."""
    _ = words.gettext
    return Section(
        key="alarms",
        title=_("How good the alarms were"),
        note=_(
            "A warning is judged when its horizon is over. Of what opened in the period little may be known "
            "yet; beside it stands what opened one horizon earlier ({window}), of which all is known.",
            window=_window(part.before, words),
        ),
        tiles=_tiles(part, words),
        plots=_plots(part, words),
        tables=[
            _tiers(part.now, "alarms_by_tier", _("Warnings that opened in the period, by tier"), words),
            _tiers(part.before, "alarms_by_tier_before", _("One horizon earlier, by tier"), words),
            _rules(part.now, "alarms_by_rule", _("Rules in the period"), words),
            _rules(part.before, "alarms_by_rule_before", _("Rules one horizon earlier"), words),
            *(_missed(part, name, words) for name in DIMENSIONS),
        ],
        remarks=_remarks(words),
        definitions=_definitions(part, words),
    )


def _window(card: Scorecard, words: Words) -> str:
    """Return the days of a card."""
    if card.since is None or card.until is None:
        return ""
    begin, last = (local_day(EPOCH + at * MICROSECOND, words.zone) for at in (card.since, card.until - 1))
    return words.between(words.day(begin), words.day(last))


def _tiles(part: Alarms, words: Words) -> list[Tile]:
    _ = words.gettext
    before, missed = part.before.warnings[0].score, part.missed.all.rate
    lead = before.lead_days.median
    return [
        share_tile(
            before.precision, _("of the warnings one horizon earlier were right: the customer left"), words
        ),
        share_tile(before.recall, _("of those who left then were warned of"), words),
        Tile(words.days(lead), _("from the warning to the loss"), spread(before.lead_days, words, 0)),
        share_tile(missed, _("of those who left in the period had no warning"), words),
    ]


def _columns(words: Words) -> list[Column]:
    _ = words.gettext
    return [
        Column("matured", _("Judged"), Kind.COUNT),
        Column("not_known", _("Not known yet"), Kind.COUNT),
        Column("precision", _("Right: the customer left"), Kind.SHARE, interval=True),
        Column("active", _("The same, of customers who were active at the opening"), Kind.SHARE),
        Column("recall", _("Of those who left, warned of"), Kind.SHARE, interval=True),
        Column("lead", _("Days ahead, median"), Kind.DAYS),
        Column("team", _("Right, by what the team found"), Kind.SHARE),
    ]


def _cells(score: Score) -> list[Value]:
    return [
        score.precision.whole,
        MISSING if score.not_matured is None else score.not_matured,
        enough(score.precision),
        enough(score.precision_not_lost),
        enough(score.recall),
        _median(score.lead_days),
        enough(score.verdicts.precision),
    ]


def _median(of: Spread) -> Value:
    return MISSING if of.median is None else of.median


def _tiers(card: Scorecard, key: str, title: str, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("tier", _("Tier")),
        *_columns(words),
        Column("untreated", _("Right, where nobody acted"), Kind.SHARE),
        Column("held_out", _("Right, of the held out"), Kind.SHARE),
    ]
    rows: list[list[Value]] = [
        [
            _("all") if each.tier is None else named(each.tier, words),
            *_cells(each.score),
            enough(each.untreated),
            enough(each.held_out),
        ]
        for each in card.warnings
    ]
    return Table(key, title, columns, rows[1:], rows[0])


def _rules(card: Scorecard, key: str, title: str, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("rule", _("Rule")),
        Column("tier", _("Tier")),
        Column("status", _("Status")),
        *_columns(words),
        Column("alone", _("Of the losses it saw, seen by no other active rule"), Kind.SHARE),
    ]
    rows: list[list[Value]] = [
        [
            each.rule,
            named(each.tier, words),
            named(each.status, words),
            *_cells(each.score),
            enough(each.alone),
        ]
        for each in card.rules
    ]
    return Table(key, title, columns, rows)


def _missed(part: Alarms, name: str, words: Words) -> Table:
    _ = words.gettext
    by = _(DIMENSIONS[name])
    columns = [
        Column("group", by),
        Column("missed_of_lost", _("Left without a warning, of those who left"), Kind.SHARE, interval=True),
        Column("share_of_missed", _("Share of all without a warning"), Kind.SHARE),
        Column("value_missed", _("Value of those without a warning"), Kind.MONEY),
        Column("value_known", _("Of them, with a known value"), Kind.COUNT),
    ]
    rows = [
        [_band(group, name, words), *(_group(group) if is_shown else [HIDDEN] * 4)]
        for group, is_shown in shown_groups(part.missed.groups[name])
    ]
    return Table(
        f"missed_by_{name}",
        _("Who left without a warning, by {by}", by=by),
        columns,
        rows,
        [_("all"), *_group(part.missed.all)],
    )


def _band(group: MissedGroup, name: str, words: Words) -> str:
    if name != "value":
        return named(group.value, words)
    _ = words.gettext
    if group.low is None and group.high is None:
        return _("not known") if group.value is None else _("all")
    if group.low is None:
        return _("below {high}", high=words.money(group.high))
    if group.high is None:
        return _("{low} and more", low=words.money(group.low))
    return words.between(words.money(group.low), words.money(group.high))


def _group(group: MissedGroup) -> list[Value]:
    value: Value = group.value_missed if group.value_known else MISSING
    return [group.rate, group.share, value, group.value_known]


def _plots(part: Alarms, words: Words) -> list[Plot]:
    _ = words.gettext
    rows: list[tuple[str, str, Sequence[charts.Dot]]] = []
    for each in part.before.warnings:
        name = _("all") if each.tier is None else named(each.tier, words)
        kind = "all" if each.tier is None else ""
        rows.append((name, kind, [_dot(name, s, words) for s in (each.score.precision, each.score.recall)]))
    for rule in part.before.rules:
        kind = "" if rule.status == "active" else "shadow"
        shares = (rule.score.precision, rule.score.recall)
        rows.append((rule.rule, kind, [_dot(rule.rule, share, words) for share in shares]))
    heads = (_("Right: the customer left"), _("Of those who left, warned of"))
    label = _("How often warnings and rules were right, and how many losses they saw, one horizon earlier")

    def draw(width: float) -> str:
        return charts.forest(rows, heads, label, absent=_("none"), width=width)

    return [Plot("forest", "alarms_by_rule_before", draw)]


def _dot(name: str, share: Share, words: Words) -> charts.Dot:
    low, high = share.limits
    return charts.Dot(share.value, low, high, share_title(name, share, words))


def _remarks(words: Words) -> list[str]:
    _ = words.gettext
    return [
        _(
            "Customers who were helped in time look like false alarms: look at those on whom nobody acted, "
            "and at the held out, beside all."
        ),
        _("Intervals take warnings as independent; several of one customer make the true ones wider."),
    ]


def _definitions(part: Alarms, words: Words) -> list[Definition]:
    _ = words.gettext
    return [
        Definition(
            name=_("Right: the customer left"),
            part=_("warnings, or causes of a rule, after which the customer churned within the horizon"),
            whole=_("those whose horizon is over"),
            period=_("by the opening"),
            exclusions=[(_("horizon not over"), part.now.warnings[0].score.not_matured or 0)],
        ),
        Definition(
            name=_("Of those who left, warned of"),
            part=_("losses before which a warning was open, or a cause of the rule opened in the horizon"),
            whole=_("lapses, and closures of customers who had not lapsed"),
            period=_("by the loss"),
            exclusions=[
                (_("losses whose horizon is not over"), part.now.losses_not_settled),
                (_("closures after a lapse"), part.now.closed_after_lapse),
            ],
        ),
        Definition(
            name=_("Left without a warning, of those who left"),
            part=_("lapses and closures with no warning open, and none opened in the horizon before"),
            whole=_("lapses, and closures of customers who had not lapsed"),
            period=_("by the loss"),
            exclusions=[(_("closures after a lapse"), part.now.closed_after_lapse)],
        ),
    ]
