"""Whether a notice of a step is sent: one stage after the other, each with its reason.

Silences of a span, flapping and the cap go by event time, so that catching up after an outage mutes what
would have been muted. Quiet hours and holidays are about people: they go by the wall clock at delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from consumers.muting.notes import FlappingNote
from consumers.muting.notice import (
    ESCALATED,
    NOTIFIED,
    OVERDUE,
    RANKS,
    UPDATED,
    Judgement,
    Limits,
    MuteReason,
    Notice,
    NoticeVerdict,
    PastNotice,
)
from consumers.muting.windows import window_end
from streams.contract.instants import format_instant, to_us
from streams.contract.silences import Silence


@dataclass(frozen=True, slots=True)
class NoticeContext:
    """What a notice is judged by."""

    at: datetime
    """Event time: of the step, or, for a deferred notice, how far event time has come since."""
    now: datetime
    """The wall clock."""
    silences: Sequence[Silence] = ()
    past: Sequence[PastNotice] = ()
    """The customer's notices within the limits' reach, in the order in which they were judged."""
    limits: Limits = field(default_factory=Limits)


def judge(notice: Notice, context: NoticeContext, *, deferred: bool = False) -> Judgement | None:
    """Return what becomes of a notice, or `None` for a step that sends none anyhow.

    With `deferred` a notice of this warning waits: whatever the newest step is, one is still to be sent,
    unless somebody has acknowledged or snoozed the warning.
    """
    if deferred and notice.attended:
        return None
    if not deferred and notice.kind not in NOTIFIED:
        return Judgement(NoticeVerdict.MUTED, MuteReason.INHIBITED) if _only_hidden(notice) else None
    sent = Judgement(NoticeVerdict.SENT)
    for stage in STAGES:
        answer = stage(notice, context)
        if answer is not None and answer.verdict is not NoticeVerdict.SENT:
            return answer
        sent = answer or sent
    return sent


def _only_hidden(notice: Notice) -> bool:
    """Return whether an update brought causes, all of which a worse one hides."""
    if notice.kind != UPDATED:
        return False
    joined = [cause for cause in notice.causes if cause.opened_at == format_instant(to_us(notice.time))]
    return bool(joined) and all(cause.inhibited_by is not None for cause in joined)


def held_out(notice: Notice, context: NoticeContext) -> Judgement | None:
    """Mute for good what is held out."""
    return Judgement(NoticeVerdict.MUTED, MuteReason.HOLDOUT) if notice.holdout else None


def not_to_be_contacted(notice: Notice, context: NoticeContext) -> Judgement | None:
    """Mute for good what is about a customer who must not be contacted."""
    return Judgement(NoticeVerdict.MUTED, MuteReason.DO_NOT_CONTACT) if notice.do_not_contact else None


def silenced(notice: Notice, context: NoticeContext) -> Judgement | None:
    """Defer while silences of a span cover all that the notice is about.

    A silence mutes what happened while it was in force, and also what would be sent while it is: else the
    one that is to stop a flood would not stop what has happened already.
    """
    spans = [
        silence
        for silence in context.silences
        if silence.recurring is None and (_in_force(silence, context.at) or _in_force(silence, context.now))
    ]
    covering = _covering(notice, spans)
    if covering is None:
        return None
    return Judgement(NoticeVerdict.DEFERRED, MuteReason.SILENCE, covering.id, covering.ends_at)


def in_quiet_hours(notice: Notice, context: NoticeContext) -> Judgement | None:
    """Defer what falls into the hours of recurring silences until they end."""
    ends: dict[str, datetime] = {}
    for silence in context.silences:
        if silence.recurring is not None and _in_force(silence, context.now):
            end = window_end(silence.recurring, context.now)
            if end is not None:
                ends[silence.id] = min(end, silence.ends_at or end)
    covering = _covering(notice, [silence for silence in context.silences if silence.id in ends])
    if covering is None:
        return None
    return Judgement(
        NoticeVerdict.DEFERRED, MuteReason.QUIET_HOURS, covering.id, ends[covering.id], by_wall_clock=True
    )


def flapping(notice: Notice, context: NoticeContext) -> Judgement | None:
    """Send one notice of a rule that warns of a customer again and again, then none until it is stable.

    It flaps from the warning after `flapping_after` of them in a period on, until it has warned of the
    customer for no whole period. A deadline that passes is sent all the same.
    """
    limits = context.limits
    if not limits.flapping_after or notice.weightiest == OVERDUE:
        return None
    before = [
        past
        for past in context.past
        if past.kind in NOTIFIED
        and context.at - limits.flapping_period < past.at <= context.at
        and (past.warning_id != notice.warning_id or past.reason is MuteReason.FLAPPING)
    ]
    counts: list[int] = []
    reported = True
    for rule in notice.rules:
        own = [past for past in before if rule in past.rules]
        reported = reported and any(past.reason is MuteReason.FLAPPING for past in own)
        counts.append(len({past.warning_id for past in own}))
        if counts[-1] < limits.flapping_after and not any(past.reason is MuteReason.FLAPPING for past in own):
            return None
    if not counts or _rises(notice, before):
        return None
    if reported:
        # A deferred one that is looked at again has not opened again.
        newest = context.at if notice.time == context.at else max(past.at for past in before)
        return Judgement(
            NoticeVerdict.DEFERRED, MuteReason.FLAPPING, look_again_at=newest + limits.flapping_period
        )
    days = limits.flapping_period.total_seconds() / 86_400
    return Judgement(NoticeVerdict.SENT, MuteReason.FLAPPING, note=FlappingNote(min(counts) + 1, days))


def too_many(notice: Notice, context: NoticeContext) -> Judgement | None:
    """Defer what would be more warnings of a customer than are allowed in a period.

    Counted are warnings, not their steps: whoever had a notice of a warning gets those of its later steps.
    A tier that rises and a deadline that passes are always sent, and so is a warning of a higher tier than
    all that were sent in the period.
    """
    limits = context.limits
    if not limits.at_most or notice.weightiest in (ESCALATED, OVERDUE):
        return None
    sent = [
        past
        for past in context.past
        if past.verdict is NoticeVerdict.SENT and context.at - limits.period < past.at <= context.at
    ]
    newest: dict[str, datetime] = {}
    for past in sent:
        newest[past.warning_id] = max(past.at, newest.get(past.warning_id, past.at))
    if len(newest) < limits.at_most or notice.warning_id in newest or _rises(notice, sent):
        return None
    free_at = sorted(newest.values())[len(newest) - limits.at_most] + limits.period
    return Judgement(NoticeVerdict.DEFERRED, MuteReason.FATIGUE, look_again_at=free_at)


STAGES: Final[tuple[Callable[[Notice, NoticeContext], Judgement | None], ...]] = (
    held_out,
    not_to_be_contacted,
    silenced,
    in_quiet_hours,
    flapping,
    too_many,
)
"""What a notice passes, in this order: the first that mutes it is its reason."""


def _rises(notice: Notice, before: Sequence[PastNotice]) -> bool:
    """Return whether the notice is worse than all that were sent: it breaks through."""
    sent = [RANKS.get(past.tier, 0) for past in before if past.verdict is NoticeVerdict.SENT]
    return bool(sent) and RANKS.get(notice.tier, 0) > max(sent)


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
        "account_owners": notice.account_owner,
        "tiers": notice.tier,
    }
    lists = silence.matchers.lists
    return all(words[name] in lists[name] for name in words if name in lists)


def _fits_cause(silence: Silence, rule: str, reason: str) -> bool:
    matchers = silence.matchers
    return (not matchers.rules or rule in matchers.rules) and (
        not matchers.reasons or reason in matchers.reasons
    )
