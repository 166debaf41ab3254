"""Whether the team is told of a step: one stage after the other, each with its reason.

Silences of a span, flapping and the cap go by event time, so that catching up after an outage mutes what
would have been muted. Quiet hours and holidays are about people: they go by the wall clock at delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from consumers.muting.notice import (
    RANKS,
    TOLD_OF,
    UPDATED,
    Judgement,
    Limits,
    Notice,
    NoticeVerdict,
    Past,
    Why,
)
from consumers.muting.windows import window_end
from streams.contract.instants import format_instant, to_us
from streams.contract.silences import Silence


@dataclass(frozen=True, slots=True)
class NoticeContext:
    """What a notice is judged by."""

    at: datetime
    """Event time: of the step, or, where a notice was held, how far event time has come since."""
    now: datetime
    """The wall clock."""
    silences: Sequence[Silence] = ()
    past: Sequence[Past] = ()
    """The customer's notices within the limits' reach, in the order in which they were judged."""
    limits: Limits = field(default_factory=Limits)


def judge(notice: Notice, known: NoticeContext, *, owed: bool = False) -> Judgement | None:
    """Return what becomes of a notice, or `None` for a step that the team is not told of anyhow.

    `owed` is a warning of which a notice is held: whatever its newest step was, the team is yet to be told,
    unless somebody has the warning in hand.
    """
    if owed and notice.in_hand:
        return None
    if not owed and notice.kind not in TOLD_OF:
        return Judgement(NoticeVerdict.MUTED, Why.INHIBITED) if _only_hidden(notice) else None
    told = Judgement(NoticeVerdict.TOLD)
    for stage in STAGES:
        answer = stage(notice, known)
        if answer is not None and answer.verdict is not NoticeVerdict.TOLD:
            return answer
        told = answer or told
    return told


def _only_hidden(notice: Notice) -> bool:
    """Tell whether an update brought causes, all of which a worse one hides."""
    if notice.kind != UPDATED:
        return False
    joined = [cause for cause in notice.causes if cause.opened_at == format_instant(to_us(notice.time))]
    return bool(joined) and all(cause.inhibited_by is not None for cause in joined)


def silenced(notice: Notice, known: NoticeContext) -> Judgement | None:
    """Mute while silences of a span cover all that the notice is about.

    A silence mutes what happened while it was in force, and also what would be sent while it is: else the
    one that is to stop a flood would not stop what has happened already.
    """
    spans = [
        silence
        for silence in known.silences
        if silence.recurring is None and (_in_force(silence, known.at) or _in_force(silence, known.now))
    ]
    covering = _covering(notice, spans)
    if covering is None:
        return None
    return Judgement(NoticeVerdict.HELD, Why.SILENCE, covering.id, covering.ends_at)


def in_quiet_hours(notice: Notice, known: NoticeContext) -> Judgement | None:
    """Delay what falls into the hours of recurring silences until they end."""
    ends: dict[str, datetime] = {}
    for silence in known.silences:
        if silence.recurring is not None and _in_force(silence, known.now):
            end = window_end(silence.recurring, known.now)
            if end is not None:
                ends[silence.id] = min(end, silence.ends_at or end)
    covering = _covering(notice, [silence for silence in known.silences if silence.id in ends])
    if covering is None:
        return None
    return Judgement(NoticeVerdict.HELD, Why.QUIET_HOURS, covering.id, ends[covering.id], by_wall_clock=True)


def flapping(notice: Notice, known: NoticeContext) -> Judgement | None:
    """Tell once of a rule that warns of the same customer again and again, then nothing until it is stable.

    It flaps from the opening after `flapping_after` of them in a period on, until it has not opened for a
    period.
    """
    limits = known.limits
    if not limits.flapping_after:
        return None
    before = [
        past
        for past in known.past
        if past.kind in TOLD_OF
        and known.at - limits.flapping_period < past.at <= known.at
        and (past.warning_id != notice.warning_id or past.why is Why.FLAPPING)
    ]
    counts: list[int] = []
    said = True
    for rule in notice.rules:
        own = [past for past in before if rule in past.rules]
        said = said and any(past.why is Why.FLAPPING for past in own)
        counts.append(len({past.step_id for past in own}))
        if counts[-1] < limits.flapping_after and not any(past.why is Why.FLAPPING for past in own):
            return None
    if not counts or _rises(notice, before):
        return None
    if said:
        # A held one that is looked at again has not opened again.
        newest = known.at if notice.time == known.at else max(past.at for past in before)
        return Judgement(NoticeVerdict.HELD, Why.FLAPPING, look_again_at=newest + limits.flapping_period)
    days = limits.flapping_period.total_seconds() / 86_400
    note = (
        f"Flapping: it opened {min(counts) + 1} times within {days:g} days. You are told of it again "
        f"when it has not opened for {days:g} days, or is worse."
    )
    return Judgement(NoticeVerdict.TOLD, Why.FLAPPING, note=note)


def too_many(notice: Notice, known: NoticeContext) -> Judgement | None:
    """Mute what would be more than the notices a customer is allowed in a period, unless it is worse."""
    limits = known.limits
    if not limits.at_most:
        return None
    told = sorted(
        (
            past
            for past in known.past
            if past.verdict is NoticeVerdict.TOLD and known.at - limits.period < past.at <= known.at
        ),
        key=lambda past: past.at,
    )
    if len(told) < limits.at_most or _rises(notice, told):
        return None
    free_at = told[len(told) - limits.at_most].at + limits.period
    return Judgement(NoticeVerdict.HELD, Why.FATIGUE, look_again_at=free_at)


STAGES: Final[tuple[Callable[[Notice, NoticeContext], Judgement | None], ...]] = (
    silenced,
    in_quiet_hours,
    flapping,
    too_many,
)
"""What a notice passes, in this order: the first that mutes it is its reason."""


def _rises(notice: Notice, before: Sequence[Past]) -> bool:
    """Tell whether the notice is worse than all that was told: it breaks through."""
    told = [RANKS[past.tier] for past in before if past.verdict is NoticeVerdict.TOLD]
    return bool(told) and RANKS[notice.tier] > max(told)


def _in_force(silence: Silence, at: datetime) -> bool:
    if silence.expired_at is not None:
        return False
    return silence.starts_at <= at and (silence.ends_at is None or at < silence.ends_at)


def _covering(notice: Notice, silences: Sequence[Silence]) -> Silence | None:
    """Return a silence that mutes the notice, several where each covers some causes: the first to end."""
    fitting = [silence for silence in silences if _fits_warning(silence, notice)]
    used: dict[str, Silence] = {}
    for cause in notice.news:
        covering = [silence for silence in fitting if _fits_cause(silence, cause.rule, cause.reason)]
        if not covering:
            return None
        longest = max(covering, key=lambda silence: (_end(silence), silence.id))
        used[longest.id] = longest
    return min(used.values(), key=lambda silence: (_end(silence), silence.id), default=None)


def _end(silence: Silence) -> float:
    return float("inf") if silence.ends_at is None else silence.ends_at.timestamp()


def _fits_warning(silence: Silence, notice: Notice) -> bool:
    words = {
        "customers": notice.customer_id,
        "customer_classes": notice.customer_class,
        "segments": notice.segment,
        "regions": notice.region,
        "tiers": notice.tier,
    }
    lists = silence.matchers.lists
    return all(words[name] in lists[name] for name in words if name in lists)


def _fits_cause(silence: Silence, rule: str, reason: str) -> bool:
    matchers = silence.matchers
    return (not matchers.rules or rule in matchers.rules) and (
        not matchers.reasons or reason in matchers.reasons
    )
