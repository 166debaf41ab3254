"""Phrases that stand for conditions: an event that did not follow, a customer who stays away.

`sequence: complaint, then no order within 10d` and `absence: no login for 14d though others log in` are
read here into conditions over the catalogue, so that the rest of the code knows conditions only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from streams.core.conditions.parser import closest
from streams.core.events.calendar import DAY
from streams.duration import closest_duration, parse_duration

SEQUENCE: Final = "complaint, then no order within 10d"
ABSENCE: Final = "no login for 14d though others log in"
"""Examples for the messages."""

_TOTALS: Final = {"order": "orders_total", "login": "logins_total", "complaint": "complaints_total"}
_OTHERS: Final = {"order": "order", "login": "log in", "complaint": "complain"}
_OTHERS_WITHIN: Final = DAY
"""How recent an event of others must be where the phrase names no time."""

_UNITS: Final = {"day": "d", "hour": "h", "minute": "m", "week": "w"}
_FOR: Final = r"(?P<{}>\d[\w. ]*?)"
_SEQUENCE: Final = re.compile(
    rf"(?:an? )?(?P<first>\w+),? then no (?P<then>\w+) within {_FOR.format('within')}", re.IGNORECASE
)
_ABSENCE: Final = re.compile(
    rf"no (?P<thing>\w+) for {_FOR.format('span')}"
    rf"(?P<guard>,? (?:though|while|but|although) others (?P<verb>[a-z ]+?)"
    rf"(?: within {_FOR.format('within')})?)?",
    re.IGNORECASE,
)


class PhraseError(ValueError):
    """A phrase that is not understood; `hint` is the likely right word."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Sequence:
    """Something happened, and then another thing did not within a time."""

    first: str
    """`complaint`, `order` or `login`."""
    then: str
    within_us: int

    @property
    def condition(self) -> str:
        """Return it as SQL: true from the end of the time until the other thing happens after all.

        Of several complaints the first that nothing has followed counts; of orders or logins the last.
        """
        counted = f"days_since_{self.first}"
        if self.first == "complaint":
            counted = f"complaint_without_{self.then}_days"
        # Without the first part it would be missing, not false, once the other thing has happened.
        return (
            f"({_TOTALS[self.then]} = 0 OR days_since_{self.then} > days_since_{self.first})"
            f" AND {counted} >= {_days(self.within_us)}"
        )


@dataclass(frozen=True, slots=True)
class Absence:
    """Something has not happened for a time; events of others can show that its source is alive."""

    thing: str
    span_us: int
    others_within_us: int | None
    """How recent the newest such event of anyone must be; `None` where that does not matter."""

    @property
    def condition(self) -> str:
        """Return it as SQL: missing, so that it neither opens nor clears, where others are absent too."""
        absent = f"days_since_{self.thing} >= {_days(self.span_us)}"
        if self.others_within_us is None:
            return absent
        alive = f"days_since_any_{self.thing} <= {_days(self.others_within_us)}"
        return f"CASE WHEN {alive} THEN {absent} END"


def parse_sequence(text: str) -> Sequence:
    """Return the sequence that a phrase names, or raise `PhraseError`.

    >>> parse_sequence("complaint, then no order within 10 days").condition
    '(orders_total = 0 OR days_since_order > days_since_complaint) AND complaint_without_order_days >= 10'
    """
    found = _SEQUENCE.fullmatch(" ".join(text.split()))
    if found is None:
        msg = f"{text!r} is no sequence; write it as: {SEQUENCE}"
        raise PhraseError(msg)
    first, then = _thing(found["first"]), _thing(found["then"])
    if then == "complaint":
        msg = "a sequence ends with `no order` or `no login`: no complaint is no danger"
        raise PhraseError(msg)
    if first == then:
        msg = f"{first}, then no {then} is an absence; write absence: no {then} for {found['within']}"
        raise PhraseError(msg)
    return Sequence(first, then, _span(found["within"]))


def parse_absence(text: str) -> Absence:
    """Return the absence that a phrase names, or raise `PhraseError`.

    >>> parse_absence("no login for 14 days though others log in").condition
    'CASE WHEN days_since_any_login <= 1 THEN days_since_login >= 14 END'
    """
    found = _ABSENCE.fullmatch(" ".join(text.split()))
    if found is None:
        msg = f"{text!r} is no absence; write it as: {ABSENCE}"
        raise PhraseError(msg)
    thing, span = _thing(found["thing"]), _span(found["span"])
    if found["guard"] is None:
        return Absence(thing, span, None)
    if found["verb"].lower() not in (_OTHERS[thing], "do"):
        msg = f"no {thing} is compared with others who {_OTHERS[thing]}, not who {found['verb']}"
        raise PhraseError(msg, f"though others {_OTHERS[thing]}")
    within = _OTHERS_WITHIN if found["within"] is None else _span(found["within"])
    if within >= span:
        msg = "the time of the others must be shorter than that of the customer"
        raise PhraseError(msg)
    return Absence(thing, span, within)


def _thing(word: str) -> str:
    singular = word.lower().removesuffix("s")
    if singular not in _TOTALS:
        msg = f"{word!r} is none of order, login and complaint"
        raise PhraseError(msg, closest(word, list(_TOTALS)))
    return singular


def _span(text: str) -> int:
    written = re.sub(
        r"(\d+) ?(day|hour|minute|week)s?\b", lambda m: m[1] + _UNITS[m[2].lower()], text, flags=re.I
    )
    compact = written.replace(" ", "")
    try:
        span = parse_duration(compact)
    except ValueError as error:
        hint = f"{text}d" if text.isdecimal() else closest_duration(text)
        raise PhraseError(str(error).replace(repr(compact), repr(text)), hint) from None
    if span == 0:
        msg = "the time must not be zero; write 10d or the like"
        raise PhraseError(msg)
    return span


def _days(us: int) -> str:
    return repr(us / DAY).removesuffix(".0")
