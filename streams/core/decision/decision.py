"""Whether a customer is to be rescued: what a play gains against what it costs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Final

from streams.core.decision.plays import NO_PLAY, Play, Plays

PROBLEM: Final = "problem"
"""The customer class that is not to be rescued."""


class Verdict(StrEnum):
    """What is decided."""

    RESCUE = "rescue"
    DONT = "dont"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """Why."""

    WORTH = "worth"
    """The play gains what it costs, or more."""
    NOT_WORTH = "not_worth"
    PROBLEM_CLASS = "problem_class"
    DO_NOT_CONTACT = "do_not_contact"
    PLAY_NONE = "play_none"
    """The rule says that nothing is to be done."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class DecisionBasis:
    """What of a decision many warnings share: the play with its costs, and what bars it."""

    play: str | None
    """The id of the play that was named or chosen; `None` for none."""
    known: bool
    """Whether there is such a play."""
    barred: str | None = None
    success: float | None = None
    success_source: str | None = None
    gift: float | None = None
    communication: float | None = None
    labour_minutes: float | None = None
    labour_rate: float | None = None
    """What a minute costs; `None` where that is not known."""
    discount: float | None = None
    play_hash: str | None = None
    """The play's `measured_hash`; `None` without a play, or before there was one."""
    do_not_contact: bool = False
    """Whether the customer must not be contacted, whatever else bars it."""

    def as_json(self) -> str:
        """Return it as text, for `read_basis`."""
        return json.dumps(asdict(self))


def read_basis(text: str) -> DecisionBasis:
    """Return the basis that `as_json` wrote."""
    names = {field.name for field in fields(DecisionBasis)}
    return DecisionBasis(**{name: value for name, value in json.loads(text).items() if name in names})


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided about a warning, with its arithmetic.

    V is the value if kept, p the churn probability and s the success: V3 = (1 - p) V is expected without a
    rescue, E(V) = (1 - p (1 - s)) V with one, C3 is the sum of the items of cost. What is not known is
    `None`, never 0.
    """

    basis: DecisionBasis
    probability: float | None
    """p."""
    value: float | None
    """V."""
    order_day_spend: float | None
    """The mean spend of an order day, of which a discount is a share."""

    @property
    def play(self) -> str | None:
        """Return the play's id."""
        return self.basis.play

    @property
    def value_at_risk(self) -> float | None:
        """Return p V."""
        return None if self.probability is None or self.value is None else self.probability * self.value

    @property
    def verdict(self) -> Verdict:
        """Return what is decided."""
        return self.arithmetic().verdict

    def arithmetic(self) -> Arithmetic:
        """Return the numbers and what follows from them."""
        basis, p, value, success = self.basis, self.probability, self.value, self.basis.success
        cost = self._cost()
        amounts = [amount for amount in cost.values() if amount is not None]
        total = sum(amounts, 0.0) if basis.known and len(amounts) == len(cost) else None
        gain = None if p is None or success is None or value is None else p * success * value
        net = None if gain is None or total is None else gain - total
        at_risk = self.value_at_risk
        break_even = None if total is None or at_risk is None or at_risk <= 0 else total / at_risk
        missing = () if basis.barred is not None else self._missing(total)
        if basis.barred is not None:
            why = Why(basis.barred)
        elif net is None or missing:
            why = Why.MISSING
        else:
            why = Why.WORTH if net >= 0 else Why.NOT_WORTH
        return Arithmetic(gain, cost, total, net, break_even, why, missing)

    def _cost(self) -> dict[str, float | None]:
        """Return the amount of each item that occurs, in the order of `ITEMS`."""
        basis, cost = self.basis, dict[str, float | None]()
        if basis.gift is not None:
            cost["gift"] = basis.gift
        if basis.communication is not None:
            cost["communication"] = basis.communication
        if (minutes := basis.labour_minutes) is not None:
            cost["labour"] = None if basis.labour_rate is None else minutes * basis.labour_rate
        if (share := basis.discount) is not None:
            cost["discount"] = None if self.order_day_spend is None else share * self.order_day_spend
        return cost

    def _missing(self, total_cost: float | None) -> tuple[str, ...]:
        is_known = {
            "play": self.basis.known,
            "value": self.value is not None,
            "probability": self.probability is not None,
            "success": not self.basis.known or self.basis.success is not None,
            "cost": not self.basis.known or total_cost is not None,
        }
        return tuple(name for name, known in is_known.items() if not known)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What follows from a decision's numbers."""

    gain: float | None
    """E(V) - V3 = p s V."""
    cost: Mapping[str, float | None]
    """The amount of each item of the play."""
    total_cost: float | None
    """C3."""
    net: float | None
    """p s V - C3."""
    break_even: float | None
    """The success from which on the play gains what it costs; `None` where nothing is at risk."""
    why: Why
    """The reason of the verdict: what bars it comes before what is missing."""
    missing: tuple[str, ...]
    """What is not known, where that keeps it from being decided."""

    @property
    def verdict(self) -> Verdict:
        """Return what is decided."""
        return VERDICTS[self.why]


VERDICTS: Final = dict.fromkeys(Why, Verdict.DONT) | {
    Why.WORTH: Verdict.RESCUE,
    Why.MISSING: Verdict.UNKNOWN,
}


def basis_of(
    plays: Plays,
    labour_rate: float | None,
    *,
    named: str | None,
    reason: str,
    customer_class: str | None,
    do_not_contact: bool,
) -> DecisionBasis:
    """Return what a decision is based on; `named` is the play that the decisive cause's rule names."""
    barred = _barred(named, customer_class, do_not_contact=do_not_contact)
    play = None if named == NO_PLAY else plays.choose(named, reason, customer_class)
    if play is None:
        name = None if named == NO_PLAY else named
        return DecisionBasis(name, known=False, barred=barred, do_not_contact=do_not_contact)
    return _basis(play, barred, labour_rate, do_not_contact)


def _barred(named: str | None, customer_class: str | None, *, do_not_contact: bool) -> str | None:
    if customer_class == PROBLEM:
        return Why.PROBLEM_CLASS.value
    if do_not_contact:
        return Why.DO_NOT_CONTACT.value
    return Why.PLAY_NONE.value if named == NO_PLAY else None


@lru_cache(maxsize=4096)
def _basis(play: Play, barred: str | None, labour_rate: float | None, do_not_contact: bool) -> DecisionBasis:
    cost = play.cost
    return DecisionBasis(
        play=play.id,
        known=True,
        barred=barred,
        success=play.success.chance,
        success_source=play.success.source,
        gift=cost.gift,
        communication=cost.communication,
        labour_minutes=cost.labour_minutes,
        labour_rate=labour_rate if cost.labour_minutes is not None else None,
        discount=cost.discount,
        play_hash=play.measured_hash,
        do_not_contact=do_not_contact,
    )


def known(number: float) -> float | None:
    """Return a number of a column, `None` where it is NaN."""
    return None if math.isnan(number) else number
