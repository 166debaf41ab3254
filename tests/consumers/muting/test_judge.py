"""What mutes a notice: each stage alone, by the words of docs/silences.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.muting.judge import NoticeContext, judge
from consumers.muting.notes import FlappingNote
from consumers.muting.notice import (
    Judgement,
    Limits,
    MuteReason,
    Notice,
    NoticeCause,
    NoticeVerdict,
    PastNotice,
    read_notice,
)
from consumers.muting.windows import last_end, window_end
from streams.contract.instants import format_instant, to_us
from streams.contract.silences import Silence, make_recurring, make_silence

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def cause(rule: str = "overdue", reason: str = "silence", tier: str = "high", **more: Any) -> NoticeCause:
    return NoticeCause(
        rule, reason, tier, more.get("opened_at", format_instant(to_us(NOON))), more.get("inhibited_by")
    )


def notice(
    *causes: NoticeCause, kind: str = "opened", tier: str = "high", number: int = 1, **more: Any
) -> Notice:
    fields: dict[str, Any] = {
        "step_id": f"w/{number}",
        "warning_id": "w",
        "time": NOON,
        "customer_id": "c1",
        "customer_class": "key",
        "segment": "wholesale",
        "account_owner": "ann",
        "region": None,
    }
    return Notice(kind=kind, tier=tier, number=number, causes=causes or (cause(),), **fields | more)


def silence(
    name: str = "s", begins: datetime = NOON - HOUR, ends: datetime | None = NOON + HOUR, **more: Any
) -> Silence:
    recurring, expired_at = more.pop("recurring", None), more.pop("expired_at", None)
    return make_silence(
        id=name,
        revision=1,
        author="me",
        reason="why",
        created_at=begins,
        matchers=more or {"everything": True},
        starts_at=begins,
        ends_at=ends,
        recurring=recurring,
        expired_at=expired_at,
    )


def verdict(one: Notice, *silences: Silence, now: datetime = NOON, **more: Any) -> Judgement | None:
    return judge(one, NoticeContext(NOON, now, silences, **more))


SENT = Judgement(NoticeVerdict.SENT)


def deferred(name: str, until: datetime) -> Judgement:
    return Judgement(NoticeVerdict.DEFERRED, MuteReason.SILENCE, name, until)


@pytest.mark.parametrize(
    ("matchers", "muted"),
    [
        ({"everything": True}, True),
        ({"customers": ["c1"]}, True),
        ({"customers": ["c2", "c1"]}, True),
        ({"customers": ["c2"]}, False),
        ({"customer_classes": ["key"], "segments": ["wholesale"]}, True),
        ({"customer_classes": ["key"], "segments": ["retail"]}, False),
        ({"regions": ["east"]}, False),  # unknown is in no region
        ({"account_owners": ["ann"]}, True),
        ({"account_owners": ["bob"], "segments": ["wholesale"]}, False),
        ({"tiers": ["high"]}, True),
        ({"tiers": ["low", "medium"]}, False),
        ({"rules": ["overdue"]}, True),
        ({"rules": ["overdue"], "reasons": ["silence"]}, True),
        ({"rules": ["overdue"], "reasons": ["model"]}, False),
        ({"reasons": ["model"]}, False),
    ],
)
def test_all_lists_must_hold_and_one_word_of_each(matchers: dict[str, Any], muted: bool) -> None:
    assert verdict(notice(), silence(**matchers)) == (deferred("s", NOON + HOUR) if muted else SENT)


def test_what_is_held_out_is_never_sent() -> None:
    one = replace(notice(), holdout=True)
    assert verdict(one) == Judgement(NoticeVerdict.MUTED, MuteReason.HOLDOUT)
    assert verdict(one, silence(everything=True)) == Judgement(NoticeVerdict.MUTED, MuteReason.HOLDOUT)


def test_who_must_not_be_contacted_is_nobodys_notice() -> None:
    muted = Judgement(NoticeVerdict.MUTED, MuteReason.DO_NOT_CONTACT)
    for more in ({"do_not_contact": True}, {"decision": {"verdict": "dont", "why": "do_not_contact"}}):
        data = {"warning_id": "w", "step": 1, "customer_id": "c", "tier": "high", "causes": (), **more}
        read = read_notice("w/1", "churn.warning.opened", NOON, data)
        assert verdict(read) == muted
        assert judge(read, NoticeContext(NOON, NOON), deferred=True) == muted


def test_a_warning_is_silenced_only_with_all_its_causes_by_one_silence_or_several() -> None:
    two = notice(cause("overdue"), cause("login-drop"))
    first = silence("a", rules=["overdue"])
    second = silence("b", ends=NOON + DAY, rules=["login-drop"])
    assert verdict(two, first) == SENT
    assert verdict(two, first, second) == deferred("a", NOON + HOUR)
    hidden = notice(cause("overdue"), cause("login-drop", inhibited_by="overdue"))
    assert verdict(hidden, first) == deferred("a", NOON + HOUR)


def test_an_escalation_is_about_the_causes_it_rose_by() -> None:
    rose = notice(cause("login-drop", tier="low"), cause("overdue"), kind="escalated", number=2)
    assert verdict(rose, silence(rules=["overdue"])) == deferred("s", NOON + HOUR)
    assert verdict(rose, silence(rules=["login-drop"])) == SENT


@pytest.mark.parametrize(
    ("begins", "ends", "now", "muted"),
    [
        (NOON, NOON + HOUR, NOON + DAY, True),  # what happened while it was in force
        (NOON - HOUR, NOON, NOON + DAY, False),  # its end is outside
        (NOON + DAY, NOON + 2 * DAY, NOON + DAY, True),  # what would be sent while it is
        (NOON + DAY, NOON + 2 * DAY, NOON + 2 * DAY, False),
        (NOON + HOUR, NOON + 2 * HOUR, NOON, False),
    ],
)
def test_a_silence_is_in_force_by_event_time_or_at_delivery(
    begins: datetime, ends: datetime, now: datetime, muted: bool
) -> None:
    answer = verdict(notice(), silence(begins=begins, ends=ends), now=now)
    assert answer == (deferred("s", ends) if muted else SENT)


def test_an_expired_silence_mutes_nothing_whatever_its_time() -> None:
    assert verdict(notice(), silence(expired_at=NOON + DAY)) == SENT


def test_of_several_the_longest_holds_a_cause() -> None:
    assert verdict(notice(), silence("a"), silence("b", ends=NOON + DAY)) == deferred("b", NOON + DAY)


def test_updates_and_endings_are_told_of_only_while_something_is_owed() -> None:
    for kind in ("updated", "resolved", "withdrawn", "acknowledged"):
        assert verdict(notice(kind=kind), silence()) is None
    assert judge(notice(kind="updated"), NoticeContext(NOON, NOON), deferred=True) == SENT


def test_an_update_that_brings_only_hidden_causes_is_recorded() -> None:
    old = cause(opened_at="2026-01-01T00:00:00Z")
    joined = cause("login-drop", tier="low", inhibited_by="overdue")
    assert verdict(notice(old, joined, kind="updated")) == Judgement(
        NoticeVerdict.MUTED, MuteReason.INHIBITED
    )
    seen = cause("login-drop", tier="low")
    assert verdict(notice(old, joined, seen, kind="updated")) is None
    assert verdict(notice(old, kind="updated")) is None


NIGHT = {"days": ["mon", "tue"], "begins": "20:00", "ends": "08:00", "time_zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 3, 2, 19, 0, tzinfo=UTC), datetime(2026, 3, 3, 7, tzinfo=UTC)),  # 20:00 in Berlin
        (datetime(2026, 3, 2, 18, 59, tzinfo=UTC), None),
        (datetime(2026, 3, 4, 6, 59, tzinfo=UTC), datetime(2026, 3, 4, 7, tzinfo=UTC)),  # begun on Tuesday
        (datetime(2026, 3, 4, 7, 0, tzinfo=UTC), None),
        (datetime(2026, 3, 4, 20, 0, tzinfo=UTC), None),  # Wednesday
        (datetime(2026, 3, 2, 6, 0, tzinfo=UTC), None),  # Monday's hours begin in the evening
    ],
)
def test_quiet_hours_go_by_the_clock_at_delivery(now: datetime, until: datetime | None) -> None:
    quiet = silence(ends=None, begins=NOON - 9 * DAY, recurring=NIGHT, everything=True)
    answer = verdict(notice(), quiet, now=now)
    if until is None:
        assert answer == SENT
    else:
        assert answer == Judgement(
            NoticeVerdict.DEFERRED, MuteReason.QUIET_HOURS, "s", until, by_wall_clock=True
        )


def test_hours_of_a_recurring_silence_end_with_it() -> None:
    quiet = silence(begins=NOON - DAY, ends=NOON + DAY, recurring={"dates": ["2026-03-03"]}, everything=True)
    answer = verdict(notice(), quiet, now=NOON + DAY - HOUR)
    assert answer is not None
    assert answer.look_again_at == NOON + DAY
    assert verdict(notice(), quiet, now=NOON + DAY) == SENT


def test_holidays_are_whole_local_days_and_end_for_good() -> None:
    hours = make_recurring(dates=(date(2026, 12, 25), date(2026, 12, 26)), time_zone="Asia/Tokyo")
    begin = datetime(2026, 12, 24, 15, tzinfo=UTC)
    assert window_end(hours, begin) == begin + DAY
    assert window_end(hours, begin - timedelta(microseconds=1)) is None
    assert window_end(hours, begin + DAY) == begin + 2 * DAY
    assert last_end(hours) == begin + 2 * DAY
    assert last_end(make_recurring(days=("mon",))) is None


@given(
    st.integers(0, 365 * 86_400),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    st.tuples(st.integers(0, 23), st.integers(0, 23)),
)
def test_an_hour_is_in_the_window_by_the_look_of_a_clock(
    second: int, zone: str, hours: tuple[int, int]
) -> None:
    """The slow twin: what a clock on the wall of that zone shows, on days without a change of clocks."""
    instant = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    local = instant.astimezone(ZoneInfo(zone))
    if any((local + timedelta(days=d)).utcoffset() != local.utcoffset() for d in (-2, -1, 1, 2)):
        return
    begin, end = hours
    shown = local.hour
    inside = begin <= shown < end if begin < end else shown >= begin or shown < end
    window = make_recurring(begins=f"{begin:02}:00", ends=f"{end:02}:00", time_zone=zone)
    assert (window_end(window, instant) is not None) == (inside or begin == end)


def past(
    number: int, at: datetime, kind: str = "opened", tier: str = "high", rule: str = "overdue",
    why: MuteReason | None = None, is_sent: bool = True,
) -> PastNotice:  # fmt: skip
    verdict = NoticeVerdict.SENT if is_sent else NoticeVerdict.MUTED
    return PastNotice(f"v{number}/1", f"v{number}", kind, at, tier, frozenset({rule}), verdict, why)


CAP = Limits(at_most=2, period=7 * DAY)
FLAP = Limits(flapping_after=2, flapping_period=10 * DAY)


def limited(limits: Limits, before: Sequence[PastNotice], **more: Any) -> Judgement | None:
    return verdict(notice(**more), limits=limits, past=before)


def test_more_notices_than_the_cap_wait_until_the_oldest_is_a_period_old() -> None:
    before = [past(1, NOON - 6 * DAY), past(2, NOON - DAY)]
    assert limited(CAP, before) == Judgement(
        NoticeVerdict.DEFERRED, MuteReason.FATIGUE, look_again_at=NOON + DAY
    )
    assert limited(CAP, before[1:]) == SENT
    assert limited(CAP, [past(1, NOON - 7 * DAY), before[1]]) == SENT
    assert limited(CAP, [past(1, NOON - DAY, is_sent=False), before[1]]) == SENT


def test_the_cap_counts_warnings_and_lets_rises_and_deadlines_pass() -> None:
    before = [past(1, NOON - 3 * DAY), past(2, NOON - 2 * DAY)]
    for kind in ("escalated", "overdue"):
        assert limited(CAP, before, kind=kind) == SENT
    assert limited(CAP, before, kind="lapsed").verdict is NoticeVerdict.DEFERRED  # type: ignore[union-attr]
    # Many steps of one warning are one warning.
    steps = [replace(past(1, NOON - DAY), step_id=f"v1/{n}") for n in range(9)]
    assert limited(CAP, steps) == SENT
    # Whoever has heard of a warning hears of its later steps.
    own = replace(past(1, NOON - DAY), warning_id="w")
    assert limited(CAP, [*before, own], kind="lapsed") == SENT
    # Its newest notice, not its first, says when a warning leaves the period.
    again = [*before, replace(past(1, NOON - DAY), step_id="v1/2", kind="lapsed")]
    assert limited(CAP, again) == Judgement(
        NoticeVerdict.DEFERRED, MuteReason.FATIGUE, look_again_at=NOON + 5 * DAY
    )


def test_steps_of_one_warning_are_not_flapping_and_a_deadline_passes_it() -> None:
    steps = [replace(past(1, NOON - DAY), step_id=f"v1/{n}", kind=kind) for n, kind in enumerate(KINDS)]
    assert limited(FLAP, steps) == SENT
    before = [past(n, NOON - n * DAY, why=MuteReason.FLAPPING) for n in (1, 2, 3)]
    assert limited(FLAP, before, kind="overdue") == SENT
    assert limited(FLAP, before, kind="lapsed").verdict is NoticeVerdict.DEFERRED  # type: ignore[union-attr]


KINDS = ("opened", "escalated", "lapsed", "overdue")


def test_a_higher_tier_than_was_told_breaks_through() -> None:
    before = [past(1, NOON - 2 * DAY, tier="low"), past(2, NOON - DAY, tier="medium")]
    assert limited(CAP, before) == SENT
    assert limited(CAP, before, tier="medium").verdict is NoticeVerdict.DEFERRED  # type: ignore[union-attr]
    assert limited(CAP, [past(0, NOON - DAY, tier="high"), *before]).verdict is NoticeVerdict.DEFERRED  # type: ignore[union-attr]


def test_what_opens_again_and_again_is_told_once_as_flapping_and_then_not() -> None:
    before = [past(1, NOON - 9 * DAY), past(2, NOON - 5 * DAY)]
    assert limited(FLAP, before[1:]) == SENT
    summary = limited(FLAP, before)
    assert summary is not None
    assert (summary.verdict, summary.reason) == (NoticeVerdict.SENT, MuteReason.FLAPPING)
    assert summary.note == FlappingNote(3, 10.0)
    quiet = limited(FLAP, [*before, past(3, NOON - DAY, why=MuteReason.FLAPPING)])
    assert quiet == Judgement(NoticeVerdict.DEFERRED, MuteReason.FLAPPING, look_again_at=NOON + 10 * DAY)
    # It flaps until it has not opened for a period, however few openings there were since.
    assert limited(FLAP, [past(3, NOON - 9 * DAY, why=MuteReason.FLAPPING, is_sent=False)]) == quiet
    assert limited(FLAP, [past(3, NOON - 10 * DAY, why=MuteReason.FLAPPING, is_sent=False)]) == SENT


def test_another_rule_does_not_flap() -> None:
    before = [past(n, NOON - n * DAY, rule="login-drop") for n in (1, 2, 3)]
    assert limited(FLAP, before) == SENT
    assert verdict(notice(cause("overdue"), cause("login-drop")), limits=FLAP, past=before) == SENT
