"""Effects in words and table cells, for text and page alike."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.effects.effect import Claim, Effect, Side
from consumers.effects.money import Money
from consumers.effects.reasons import ReasonAgreement, ReasonTable
from consumers.effects.report import EffectsReport, PlayEffects
from lapwing.backtest.words import day, of_whole, percent, with_interval
from streams.contract.instants import format_instant
from streams.share import ShareDifference


def heading(report: EffectsReport) -> str:
    """Return what is compared, and of when."""
    since = "the beginning" if report.since is None else format_instant(report.since)
    until = "" if report.until is None else f" to before {format_instant(report.until)}"
    known = "" if report.as_of is None else f", as was known at {format_instant(report.as_of)}"
    return f"{report.matured:,} matured warnings; those opened from {since}{until} count{known}."


def group(effect: Effect) -> str:
    """Return which customers a row is about."""
    return effect.play if effect.tier is None else f"{effect.play}, {effect.tier}"


def churn(side: Side) -> tuple[str, str]:
    """Return a side's churn share and its two numbers."""
    return percent(side.churn.value), of_whole(side.churn)


def contact(side: Side) -> tuple[str, str]:
    """Return the share contacted, its numbers, and of these whom nobody reached."""
    return percent(side.contact.value), f"{of_whole(side.contact)}, {side.unreached:,} not reached"


def points(of: ShareDifference) -> tuple[str, str]:
    """Return a difference in percentage points, and its interval."""
    if of.value is None or of.low is None or of.high is None:
        return "-", ""
    return f"{of.value * 100:+.1f}", f"{of.low * 100:+.1f} to {of.high * 100:+.1f}"


def success(effect: Effect) -> tuple[str, str]:
    """Return s and its interval."""
    if effect.success is None:
        return "-", ""
    interval = effect.success_interval
    return f"{effect.success:.3f}", "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def claim(effect: Effect, min_holdout: int) -> tuple[str, str]:
    """Return what may be said of an effect, and by what."""
    held_out, interval = effect.held_out, points(effect.claim_difference)[1]
    match effect.claim:
        case Claim.NOBODY_HELD_OUT:
            return "no claim", "nobody was held out"
        case Claim.TOO_FEW:
            return "no claim", f"{held_out.churned:,} of the held out churned, not {min_holdout:,}"
        case Claim.NOT_CLEAR:
            return "no claim", f"99 % interval holds 0: {interval}" if interval else "nobody was not held out"
        case Claim.HELPS | Claim.HARMS:
            return effect.claim.value, f"99 % interval {interval}"


def claim_words(effect: Effect, min_holdout: int) -> str:
    """Return the same in one line."""
    return ", ".join(claim(effect, min_holdout))


def money(of: Money) -> list[tuple[str, str]]:
    """Return spent, churns avoided, mean value, gained and net, each with a smaller line."""
    costs = []
    if of.recorded_n:
        costs.append(f"{of.recorded:,.2f} recorded on {of.recorded_n:,}")
    if of.planned_n:
        costs.append(f"{of.planned:,.2f} as planned on {of.planned_n:,}")
    if of.unknown_n:
        costs.append(f"not known on {of.unknown_n:,}")
    value = "-" if of.mean_value is None else f"{of.mean_value:,.2f}"
    return [
        (f"{of.spent:,.2f}", ", ".join(costs)),
        _number(of.avoided, of.avoided_interval, 1),
        (value, f"of {of.value_n:,}"),
        _number(of.gained, of.gained_interval, 2),
        _number(of.net, of.net_interval, 2),
    ]


def _number(value: float | None, interval: tuple[float, float] | None, digits: int) -> tuple[str, str]:
    if value is None or interval is None:
        return "-", ""
    return f"{value:,.{digits}f}", f"{interval[0]:,.{digits}f} to {interval[1]:,.{digits}f}"


def not_counted(play: PlayEffects) -> list[str]:
    """Return in words which matured warnings of a play are on neither side."""
    excluded, not_drawn = play.excluded, play.effects[0].not_drawn
    lines = [
        (excluded.other_verdict, "with another decision than `rescue`"),
        (excluded.other_experiment, "opened under another salt or another version of the play"),
        (excluded.outside, "opened outside of the period"),
        (excluded.not_first, "not the customer's first"),
    ]
    reasons = [f"{count:,} {what}" for count, what in lines if count]
    if not_drawn.n:
        churned = f"{not_drawn.churned:,} churned, {not_drawn.contacted:,} contacted"
        reasons.append(f"{not_drawn.n:,} not drawn ({churned})")
    return reasons


def uncompared(report: EffectsReport) -> list[str]:
    """Return in a sentence which plays have nobody to compare, nothing where all have."""
    plays = report.uncompared
    return [f"Nobody to compare yet: {', '.join(plays)}."] if plays else []


def notes(play: PlayEffects) -> Iterator[str]:
    """Yield what else is to be known of a play."""
    every = play.effects[0]
    if play.begun_at is not None:
        yield f"{play.play}: measured since {day(play.begun_at)}" + (
            f" (experiment {play.experiment})." if play.experiment else "."
        )
    if left_out := not_counted(play):
        yield f"{play.play}: not counted are {'; '.join(left_out)}."
    if every.held_out.contacted:
        yield f"{play.play}: {every.held_out.contacted:,} of the held out were contacted all the same."
    if play.excluded.without_lot:
        yield (
            f"{play.play}: {play.excluded.without_lot:,} warnings opened before lots were noted; "
            "the customer's `holdout` stands for it, which is true of exempt classes as well."
        )


def agreement_lines(of: ReasonAgreement) -> list[str]:
    """Return in words how far suggested and found reasons agree."""
    return [
        f"{of.answered:,} warnings with an answer: a reason found {of.found:,}, unknown {of.unknown:,}, "
        f"not reached {of.not_reached:,}.",
        f"Of those with a reason, the warning had suggested it: {with_interval(of.agree)}.",
        f"The same by groups of reasons: {with_interval(of.agree_by_group)}.",
    ]


def reason_tables(of: ReasonAgreement) -> list[tuple[str, str, ReasonTable]]:
    """Return the tables that have rows, each with a title and what it counts."""
    tables = [
        ("Reasons", "suggested by rules", of.reasons),
        ("Groups of reasons", "suggested by rules", of.groups),
        ("Groups of the model's inputs", "raise the probability", of.model),
    ]
    return [each for each in tables if each[2].suggested]


REASONS_NOTE = (
    "Warnings by what they suggested up to the first answer (rows) and what was found (columns). A warning "
    "with several reasons counts in several cells; `unknown` and `not_reached` are no reasons."
)
