"""Who comes first: today's under the capacity, then the unserved, then those of whom it is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from consumers.desk.queue.open_warnings import NEVER, VERDICTS, OpenWarnings

RESCUE: Final = VERDICTS.index("rescue")
UNKNOWN: Final = VERDICTS.index("unknown")
DONT: Final = VERDICTS.index("dont")


class Section(IntEnum):
    """The parts of the queue, in their order; the last three wait for nobody."""

    TODAY = 0
    UNSERVED = 1
    UNKNOWN = 2
    ATTENDED = 3
    DONT = 4
    HELD_OUT = 5

    @property
    def word(self) -> str:
        """As in an address."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a team can do today."""

    capacity: int | None = None
    """Customers whom it can still attend to today; `None` is no limit."""
    budgets: Mapping[str, float] | None = None
    """What is left this month of the budget of each play that has one."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Every open warning in its part of the queue."""

    order: NDArray[np.intp]
    """The places of the warnings, the first to attend to first."""
    section: NDArray[np.int8]
    """By place."""
    over_budget: NDArray[np.bool_]
    """By place: the play's budget of the month does not suffice."""
    valid_until: int
    """Until when, microseconds: then an acknowledgement or a snooze ends."""


def by_decision(warnings: OpenWarnings) -> NDArray[np.intp]:
    """Return the places of all warnings by their decisions alone.

    Those to rescue by net, those of whom it is not known by tier and value at risk, the rest by net; what is
    missing comes last. Equal ones follow by opening, then by customer.
    """
    places = np.flatnonzero(warnings.used[: warnings.room])
    verdict = warnings.verdict[places]
    unknown = verdict == UNKNOWN
    at_risk = warnings.probability[places] * warnings.value[places]
    amount = -np.where(unknown, at_risk, warnings.net[places])
    amount[np.isnan(amount)] = np.inf
    tier = np.where(unknown, warnings.tier[places], 0)
    opened = warnings.opened_at[places]
    keys = (opened, amount, tier, verdict)
    order = np.lexsort(keys)
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys:
        in_order = key[order]
        same &= in_order[1:] == in_order[:-1]
    found = places[order]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2).tolist():
        tied = found[begin : end + 1].tolist()
        found[begin : end + 1] = sorted(tied, key=warnings.customers.__getitem__)
    return found


def attended(warnings: OpenWarnings, now: int) -> NDArray[np.bool_]:
    """Return which warnings somebody attends to: by a contact, or they are put off and that has not ended."""
    room = warnings.room
    resting = np.isin(warnings.attention[:room], warnings.words.known(("acknowledged", "snoozed")))
    put_off = resting & (warnings.attention_until[:room] > now)
    pending = warnings.pending_until[:room] > now
    return warnings.contacted[:room] | warnings.closing[:room] | put_off | pending


def arrange(
    warnings: OpenWarnings,
    decided: NDArray[np.intp],
    scope: NDArray[np.bool_],
    now: int,
    limits: Limits,
) -> Arrangement:
    """Return the warnings of a team's `scope` in their parts; `decided` is what `by_decision` returns."""
    room = warnings.room
    section = np.full(room, Section.UNSERVED, dtype=np.int8)
    verdict = warnings.verdict[:room]
    taken = attended(warnings, now)
    section[verdict == UNKNOWN] = Section.UNKNOWN
    section[taken] = Section.ATTENDED
    section[verdict == DONT] = Section.DONT
    section[warnings.holdout[:room]] = Section.HELD_OUT
    in_scope = decided[scope[decided]]
    waiting = in_scope[section[in_scope] == Section.UNSERVED]
    todays, over_budget = _todays(warnings, waiting, limits)
    section[todays] = Section.TODAY
    blocked = np.zeros(room, dtype=np.bool_)
    blocked[over_budget] = True
    order = in_scope[np.argsort(section[in_scope], kind="stable")]
    ends = np.concatenate([warnings.attention_until[:room], warnings.pending_until[:room]])
    ends = ends[ends > now]
    return Arrangement(order, section, blocked, int(ends.min()) if ends.size else NEVER)


def _todays(
    warnings: OpenWarnings, waiting: NDArray[np.intp], limits: Limits
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return who is today's, and who is passed over as the budget of the play does not suffice."""
    places = len(waiting) if limits.capacity is None else max(0, limits.capacity)
    left = {warnings.words.code(play): amount for play, amount in (limits.budgets or {}).items()}
    if not left:
        return waiting[:places], waiting[:0]
    chosen: list[int] = []
    passed: list[int] = []
    plays, costs = warnings.play[waiting].tolist(), warnings.cost[waiting].tolist()
    for place, play, cost in zip(waiting.tolist(), plays, costs, strict=True):
        if len(chosen) == places:
            break
        if play in left:
            if cost > left[play]:
                passed.append(place)
                continue
            left[play] -= cost
        chosen.append(place)
    return np.array(chosen, dtype=np.intp), np.array(passed, dtype=np.intp)
