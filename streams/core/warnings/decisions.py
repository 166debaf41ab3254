"""What is decided about a warning, from its causes and what is known of its customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.core.decision.decision import Decision, basis_of, known
from streams.core.decision.plays import Plays
from streams.core.features.value import order_day_spend, values
from streams.core.features.view import View
from streams.core.steps import Cause, decisive


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a customer beside the causes, at one row of a view."""

    value: float | None = None
    order_day_spend: float | None = None
    customer_class: str | None = None
    """Of the newest profile, also while profiles are quiet: what bars a customer stays in force."""
    do_not_contact: bool = False


def circumstances(view: View, positions: NDArray[np.int64]) -> list[Circumstances]:
    """Return what is known of the customers at the (k,) positions of rows."""
    words = view.customers.words
    columns = zip(
        values(view, positions).tolist(),
        order_day_spend(view, positions).tolist(),
        view.values("customer_class", positions).tolist(),
        view.values("do_not_contact", positions).tolist(),
        strict=True,
    )
    return [
        Circumstances(known(value), known(spend), words[code], barred)
        for value, spend, code, barred in columns
    ]


@dataclass(frozen=True, slots=True)
class DecisionMaker:
    """The plays and the rate of labour that decisions are made by."""

    plays: Plays
    labour_rate: float | None

    def decide(self, causes: Iterable[Cause], probability: float | None, of: Circumstances) -> Decision:
        """Return what is decided about a warning with these causes; there is at least one."""
        cause = decisive(causes)
        assert cause is not None
        basis = basis_of(
            self.plays,
            self.labour_rate,
            named=cause.play,
            reason=cause.reason,
            customer_class=of.customer_class,
            do_not_contact=of.do_not_contact,
        )
        return Decision(basis, probability, of.value, of.order_day_spend)
