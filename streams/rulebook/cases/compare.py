"""What a case expected and what the rules did, as differences that name the case's line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.core.steps import Cause, StepKind
from streams.rulebook.cases.case import CUSTOMER, Case, Expected, OpenAt
from streams.rulebook.cases.times import Span, shown


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """One thing that was not as expected."""

    line: int
    """Of the case file: where it was expected, or the case where nothing was."""
    message: str


class ObservedOpening(Protocol):
    """One time that a rule was open for a customer or segment."""

    rule: str
    subject: str
    opened_at: int
    cause: Cause
    ended_at: int | None
    end: StepKind | None
    of_segment: bool


def differences(case: Case, openings: Sequence[ObservedOpening]) -> Iterator[CaseDifference]:
    """Yield all that is not as the case expects, and what it does not expect."""
    wanted: dict[tuple[str, str], list[Expected]] = defaultdict(list)
    for expected in case.expected:
        wanted[expected.subject, expected.rule].append(expected)
    found: dict[tuple[str, str], list[ObservedOpening]] = defaultdict(list)
    for opening in openings:
        found[opening.subject, opening.rule].append(opening)
    for key, several in wanted.items():
        ours = found.pop(key, [])
        for i, expected in enumerate(several):
            yield from _compared(expected, ours[i] if i < len(ours) else None, i)
        for opening in ours[len(several) :]:
            yield CaseDifference(several[-1].line, f"{_named(opening)} opened once more, at {_span(opening)}")
    for ours in found.values():
        for opening in ours:
            if not _asked_for(case, opening):
                yield _unexpected(case, opening)
    for opened in case.open_at:
        yield from _open_at(opened, openings)


def _asked_for(case: Case, opening: ObservedOpening) -> bool:
    """Return whether `open` says that the rule is open then."""
    times = (opened.at for opened in case.open_at if opening.rule in opened.rules)
    return _of_the_case(opening) and any(_lasts_at(opening, at) for at in times)


def _of_the_case(opening: ObservedOpening) -> bool:
    """Return whether an opening is what `open` looks at."""
    return opening.of_segment or opening.subject == CUSTOMER


def _lasts_at(opening: ObservedOpening, at: int) -> bool:
    return opening.opened_at <= at and (opening.ended_at is None or opening.ended_at > at)


def _unexpected(case: Case, opening: ObservedOpening) -> CaseDifference:
    line = case.never.get(opening.rule)
    if line is not None:
        return CaseDifference(line, f"{_named(opening)} must never open; it did, at {_span(opening)}")
    return CaseDifference(case.line, f"{_named(opening)} opened at {_span(opening)}, which nothing expects")


def _compared(expected: Expected, opening: ObservedOpening | None, before: int) -> Iterator[CaseDifference]:
    who = expected.rule if expected.subject == CUSTOMER else f"{expected.rule} of {expected.subject}"
    again = " once more" if before else ""
    if opening is None:
        when = f" {expected.opens}" if expected.opens else ""
        yield CaseDifference(expected.line, f"{who} should open{again}{when}; it never did")
        return
    if expected.opens is not None and opening.opened_at not in expected.opens:
        line = expected.lines["opens"]
        at = shown(opening.opened_at)
        yield CaseDifference(line, f"{who} should open{again} {expected.opens}; it opened at {at}")
    yield from _ended(who, expected, opening)
    if expected.tier is not None and opening.cause.tier is not expected.tier:
        message = f"{who} should be {expected.tier.label}; it is {opening.cause.tier.label}"
        yield CaseDifference(expected.lines["tier"], message)
    if expected.message is not None and opening.cause.message != expected.message:
        message = f"{who} should say {expected.message!r}; it says {opening.cause.message!r}"
        yield CaseDifference(expected.lines["message"], message)


def _ended(who: str, expected: Expected, opening: ObservedOpening) -> Iterator[CaseDifference]:
    if expected.stays_open and opening.ended_at is not None:
        yield CaseDifference(expected.lines["resolves"], f"{who} should stay open; it {_end(opening)}")
    for field, kind, span in (
        ("resolve", StepKind.RESOLVED, expected.resolves),
        ("be withdrawn", StepKind.WITHDRAWN, expected.withdrawn),
    ):
        if span is not None and not _ended_so(opening, kind, span):
            line = expected.lines["resolves" if kind is StepKind.RESOLVED else "withdrawn"]
            yield CaseDifference(line, f"{who} should {field} {span}; it {_end(opening)}")


def _ended_so(opening: ObservedOpening, kind: StepKind, span: Span) -> bool:
    right = opening.end in (kind, StepKind.UPDATED)
    return right and opening.ended_at is not None and opening.ended_at in span


def _open_at(opened: OpenAt, openings: Sequence[ObservedOpening]) -> Iterator[CaseDifference]:
    there = {opening.rule for opening in openings if _of_the_case(opening) and _lasts_at(opening, opened.at)}
    wanted = set(opened.rules)
    if there != wanted:
        expected = ", ".join(sorted(wanted)) or "nothing"
        found = ", ".join(sorted(there)) or "nothing"
        yield CaseDifference(opened.line, f"at {shown(opened.at)} {expected} should be open; {found} is")


def _end(opening: ObservedOpening) -> str:
    if opening.ended_at is None:
        return "stayed open"
    word = {StepKind.RESOLVED: "resolved", StepKind.WITHDRAWN: "was withdrawn"}
    return f"{word.get(opening.end or StepKind.UPDATED, 'ended')} at {shown(opening.ended_at)}"


def _span(opening: ObservedOpening) -> str:
    return f"{shown(opening.opened_at)} and {_end(opening)}"


def _named(opening: ObservedOpening) -> str:
    who = "" if opening.subject == CUSTOMER else f" of {opening.subject}"
    return f"{opening.rule} ({opening.cause.tier.label}){who}"
