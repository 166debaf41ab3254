"""What plays do and cost, as people read it."""

from __future__ import annotations

from collections.abc import Iterator

from consumers import charts
from consumers.effects.effect import CLAIM_LEVEL, Claim, Effect
from consumers.effects.money import Money
from consumers.reports.document import (
    MISSING,
    Column,
    Definition,
    Estimate,
    Kind,
    Plot,
    Section,
    Table,
    Tile,
    Under,
    Value,
)
from consumers.reports.pages.names import named
from consumers.reports.period import local_day
from consumers.reports.plays import Plays, Spending
from consumers.reports.words import Words
from streams.contract.instants import EPOCH, MICROSECOND
from streams.share import Share


def section(part: Plays, words: Words) -> Section:
    """Return the section of plays."""
    _ = words.gettext
    return Section(
        key="plays",
        title=_("Whether it helped, and what it cost"),
        note=_(
            "Of each play, all customers whose first warning with it was drawn to be shown, contacted or "
            "not, are compared with those who were drawn to be held out: since the play began, up to the "
            "period's end. A month alone has too few."
        ),
        tiles=_tiles(part, words),
        plots=_plots(part, words),
        tables=[
            _effects(part, words),
            _money(part, words),
            _spending(part, words),
            *([left_out] if (left_out := _left_out(part, words)).rows else []),
        ],
        remarks=list(_remarks(part, words)),
        definitions=_definitions(part, words),
    )


def _tiles(part: Plays, words: Words) -> list[Tile]:
    _ = words.gettext
    helps = [e.play for e, _money in part.effects.compared if e.tier is None and e.claim is Claim.HELPS]
    compared = sum(effect.tier is None for effect, _money in part.effects.compared)
    return [
        Tile(
            words.money(part.total.amount),
            _("spent in the period"),
            words.ngettext("{count} contact or offer", "{count} contacts and offers", part.total.contacts),
        ),
        Tile(
            words.of(Share(len(helps), compared)),
            _("plays help, for all that is known"),
            words.listing(helps),
        ),
    ]


def _effects(part: Plays, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("play", _("Play, and tier at the opening")),
        Column("held_out", _("Held out: churned"), Kind.SHARE),
        Column("shown", _("Not held out: churned"), Kind.SHARE),
        Column("contacted", _("Not held out: contacted"), Kind.SHARE),
        Column("difference", _("Fewer churned, in points"), Kind.POINTS),
        Column("success", _("Kept, of the contacted who would have churned"), Kind.PERCENT),
        Column("claim", _("What may be said")),
    ]
    rows = [
        [
            _name(effect, words),
            _share(effect.held_out.churn),
            _share(effect.shown.churn),
            _share(effect.shown.contact),
            MISSING if effect.difference.value is None else effect.difference,
            _estimate(effect.success, effect.success_interval),
            _claim(effect.claim, part.effects.min_holdout, words),
        ]
        for effect, _money in _compared(part)
    ]
    return Table("effects", _("Effect of plays"), columns, rows)


def _name(effect: Effect, words: Words) -> Value:
    return effect.play if effect.tier is None else Under(f"{effect.play}, {named(effect.tier, words)}")


def _share(share: Share) -> Value:
    return share if share.whole else MISSING


def _estimate(value: float | None, interval: tuple[float, float] | None) -> Value:
    if value is None:
        return MISSING
    return value if interval is None else Estimate(value, *interval)


def _claim(claim: Claim, min_holdout: int, words: Words) -> str:
    _ = words.gettext
    match claim:
        case Claim.HELPS:
            return _("it helps")
        case Claim.HARMS:
            return _("it harms")
        case Claim.NOBODY_HELD_OUT:
            return _("nothing: nobody was held out")
        case Claim.TOO_FEW:
            return _("not enough to say: fewer than {n} of the held out churned", n=words.count(min_holdout))
        case Claim.NOT_CLEAR:
            return _("not enough to say: the {level} % interval holds 0", level=_level(words))


def _level(words: Words) -> str:
    return words.number(CLAIM_LEVEL * 100, 0)


def _money(part: Plays, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("play", _("Play, and tier at the opening")),
        Column("spent", _("Spent on them"), Kind.MONEY),
        Column("recorded", _("Of it recorded"), Kind.MONEY),
        Column("planned", _("Of it as planned"), Kind.MONEY),
        Column("unknown", _("Contacted, cost not known"), Kind.COUNT),
        Column("avoided", _("Churns avoided"), Kind.NUMBER),
        Column("mean_value", _("Mean value of a customer"), Kind.MONEY),
        Column("gained", _("Gained"), Kind.MONEY),
        Column("net", _("Gained less spent"), Kind.MONEY),
    ]
    rows = [[_name(effect, words), *_amounts(money)] for effect, money in _compared(part)]
    note = _(
        "Since the play began. Gained is the churns avoided times the mean value; where nothing may be said "
        "of the effect, these are numbers and no results."
    )
    return Table("play_money", _("Spent and gained by each play"), columns, rows, note=note)


def _amounts(of: Money) -> list[Value]:
    return [
        of.spent,
        of.recorded,
        of.planned,
        of.unknown_n,
        _estimate(of.avoided, of.avoided_interval),
        MISSING if of.mean_value is None else of.mean_value,
        _estimate(of.gained, of.gained_interval),
        _estimate(of.net, of.net_interval),
    ]


def _spending(part: Plays, words: Words) -> Table:
    _ = words.gettext
    items = [item for item, _amount in part.total.items]
    columns = [
        Column("play", _("Play")),
        Column("contacts", _("Contacts and offers"), Kind.COUNT),
        Column("without_cost", _("Of these without a cost on record"), Kind.COUNT),
        *(Column(f"item_{item}", named(item, words), Kind.MONEY) for item in items),
        Column("amount", _("Spent"), Kind.MONEY),
    ]

    def cells(of: Spending) -> list[Value]:
        amounts = dict(of.items)
        return [of.contacts, of.without_cost, *(amounts.get(item, 0.0) for item in items), of.amount]

    rows = [[each.play or _("no play named"), *cells(each)] for each in part.spending]
    total = [_("all"), *cells(part.total)]
    return Table("spending", _("Spent in the period, as recorded"), columns, rows, total)


def _left_out(part: Plays, words: Words) -> Table:
    _ = words.gettext
    columns = [
        Column("play", _("Play")),
        Column("verdict", _("With another decision"), Kind.COUNT),
        Column("experiment", _("From before the play or the draw was changed"), Kind.COUNT),
        Column("again", _("Not the customer's first"), Kind.COUNT),
        Column("not_drawn", _("Not drawn"), Kind.COUNT),
    ]
    rows: list[list[Value]] = []
    for play in part.effects.plays:
        why = play.excluded
        counts = [why.other_verdict, why.other_experiment, why.not_first, play.effects[0].not_drawn.n]
        if any(counts):
            rows.append([play.play, *counts])
    return Table("left_out_warnings", _("Warnings that are on neither side"), columns, rows)


def _compared(part: Plays) -> list[tuple[Effect, Money]]:
    """Return the effects to show: a play whose warnings all had one tier has one row, not two."""
    sizes = {
        effect.play: (effect.held_out.n, effect.shown.n)
        for effect, _money in part.effects.compared
        if effect.tier is None
    }
    return [
        (effect, money)
        for effect, money in part.effects.compared
        if effect.tier is None or (effect.held_out.n, effect.shown.n) != sizes[effect.play]
    ]


def _plots(part: Plays, words: Words) -> list[Plot]:
    _ = words.gettext
    rows = []
    for effect, _money in _compared(part):
        low, high = effect.difference.limits
        name = effect.play if effect.tier is None else f"{effect.play}, {named(effect.tier, words)}"
        kind = "all" if effect.tier is None else ""
        title = f"{name}: {words.points(effect.difference.value)}"
        rows.append((name, kind, charts.Dot(effect.difference.value, low, high, title)))
    if not rows:
        return []
    label = _("How much less of those not held out churned, in percentage points; right of 0 the play helps")

    def draw(width: float) -> str:
        return charts.differences(rows, label, absent=_("one side is empty"), width=width)

    return [Plot("differences", "effects", draw)]


def _remarks(part: Plays, words: Words) -> Iterator[str]:
    _ = words.gettext
    if part.effects.since is not None:
        begin = local_day(EPOCH + part.effects.since * MICROSECOND, words.zone)
        yield _(
            "There are very many warnings: looked at are those that opened from {day} on, and of a customer "
            "the first of these.",
            day=words.day(begin),
        )
    if part.effects.uncompared:
        yield _("Nobody to compare yet: {plays}.", plays=words.listing(part.effects.uncompared))
    yield _("Of a hundred plays that do nothing, one seems to help or to harm all the same.")


def _definitions(part: Plays, words: Words) -> list[Definition]:
    _ = words.gettext
    period = _("warnings that opened up to the period's end, since the play began")
    return [
        Definition(
            name=_("Held out: churned"),
            part=_("customers without an order in the horizon after the warning, or with a closure in it"),
            whole=_("customers whose first warning to rescue with this play was drawn to be held out"),
            period=period,
        ),
        Definition(
            name=_("Not held out: churned"),
            part=_("customers without an order in the horizon after the warning, or with a closure in it"),
            whole=_("customers whose first warning to rescue with this play was drawn to be shown"),
            period=period,
        ),
        Definition(
            name=_("Spent in the period, as recorded"),
            part=_("the cost on actions of the period, without what was taken back"),
            whole=_("all contacts and offers of the period"),
            period=_("by the time of the action"),
            exclusions=[(_("without a cost on record"), part.total.without_cost)],
        ),
    ]
