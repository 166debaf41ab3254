"""Whether a customer is to be rescued: what a play gains against what it costs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Final

from streams.core.decision.plays import ITEMS, NO_PLAY, Play, Plays

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

    def as_json(self) -> str:
        """Return it as text, for `read_basis`."""
        return json.dumps(asdict(self))


def read_basis(text: str) -> DecisionBasis:
    """Return the basis that `as_json` wrote."""
    known = {field.name for field in fields(DecisionBasis)}
    return DecisionBasis(**{name: value for name, value in json.loads(text).items() if name in known})


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
    def success(self) -> float | None:
        """Return s."""
        return self.basis.success

    @property
    def value_at_risk(self) -> float | None:
        """Return p V."""
        return None if self.probability is None or self.value is None else self.probability * self.value

    @property
    def gain(self) -> float | None:
        """Return E(V) - V3 = p s V."""
        if self.probability is None or self.success is None or self.value is None:
            return None
        return self.probability * self.success * self.value

    @property
    def cost(self) -> dict[str, float | None]:
        """Return the amount of each item of the play."""
        basis = self.basis
        minutes, rate, share, spend = (
            basis.labour_minutes,
            basis.labour_rate,
            basis.discount,
            self.order_day_spend,
        )
        items: dict[str, tuple[bool, float | None]] = {
            "gift": (basis.gift is not None, basis.gift),
            "communication": (basis.communication is not None, basis.communication),
            "labour": (minutes is not None, None if minutes is None or rate is None else minutes * rate),
            "discount": (share is not None, None if share is None or spend is None else share * spend),
        }
        return {item: amount for item in ITEMS for occurs, amount in [items[item]] if occurs}

    @property
    def total_cost(self) -> float | None:
        """Return C3."""
        amounts = [amount for amount in self.cost.values() if amount is not None]
        return sum(amounts) if self.basis.known and len(amounts) == len(self.cost) else None

    @property
    def net(self) -> float | None:
        """Return p s V - C3."""
        gain, cost = self.gain, self.total_cost
        return None if gain is None or cost is None else gain - cost

    @property
    def break_even(self) -> float | None:
        """Return the success from which on the play gains what it costs; `None` where nothing is at risk."""
        cost, at_risk = self.total_cost, self.value_at_risk
        return None if cost is None or at_risk is None or at_risk <= 0 else cost / at_risk

    @property
    def missing(self) -> tuple[str, ...]:
        """Return what is not known, where that keeps it from being decided."""
        if self.basis.barred is not None:
            return ()
        known = {
            "play": self.basis.known,
            "value": self.value is not None,
            "probability": self.probability is not None,
            "success": not self.basis.known or self.success is not None,
            "cost": not self.basis.known or self.total_cost is not None,
        }
        return tuple(name for name, is_known in known.items() if not is_known)

    @property
    def why(self) -> Why:
        """Return the reason of the verdict: what bars it comes before what is missing."""
        if self.basis.barred is not None:
            return Why(self.basis.barred)
        net = self.net
        if net is None or self.missing:
            return Why.MISSING
        return Why.WORTH if net >= 0 else Why.NOT_WORTH

    @property
    def verdict(self) -> Verdict:
        """Return what is decided."""
        return {Why.WORTH: Verdict.RESCUE, Why.MISSING: Verdict.UNKNOWN}.get(self.why, Verdict.DONT)


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
        return DecisionBasis(None if named == NO_PLAY else named, known=False, barred=barred)
    return _basis(play, barred, labour_rate)


def _barred(named: str | None, customer_class: str | None, *, do_not_contact: bool) -> str | None:
    if customer_class == PROBLEM:
        return Why.PROBLEM_CLASS.value
    if do_not_contact:
        return Why.DO_NOT_CONTACT.value
    return Why.PLAY_NONE.value if named == NO_PLAY else None


@lru_cache(maxsize=4096)
def _basis(play: Play, barred: str | None, labour_rate: float | None) -> DecisionBasis:
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
    )


def known(number: float) -> float | None:
    """Return a number of a column, `None` where it is NaN."""
    return None if math.isnan(number) else number
