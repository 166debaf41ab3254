"""What the team did lately, by customer, as long as a correction may still take it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.core.events.action_words import TREATMENT_KINDS, WRONG_CONTACT
from streams.core.events.batch import ActionRecord
from streams.core.features.renumbering import Renumbering

MOST_ACTIONS: Final = 32
"""Actions of one customer that can be corrected."""
_NEVER: Final = -1


def is_treatment(action: ActionRecord) -> bool:
    """Return whether an action treats its customer, reached or not."""
    return action.kind in TREATMENT_KINDS and action.result != WRONG_CONTACT


@dataclass(frozen=True, slots=True)
class LoggedAction:
    """What counts of an action."""

    event_id: str
    at: int
    """When it was done, microseconds since the epoch."""
    actor: str | None
    treats: bool
    result: str | None


class ActionLog:
    """The newest actions of each customer, and when each was last treated.

    An action settles when `MOST_ACTIONS` newer ones of its customer have come, or `keeps_us` after it: from
    then on it counts for good, and a correction of it has no effect.
    """

    def __init__(self, keeps_us: int) -> None:
        self._keeps_us = keeps_us
        self.actions: dict[int, list[LoggedAction]] = {}
        """By customer, in the order in which they were taken."""
        self.settled: dict[int, int] = {}
        """By customer, the last treatment that cannot be corrected any more."""

    def add(self, customer: int, action: LoggedAction, now: int) -> list[LoggedAction]:
        """Add an action of a customer; return those that settle with it, oldest first."""
        own = self.actions.setdefault(customer, [])
        own.append(action)
        return self._settle(customer, own, now)

    def strike(self, customer: int, event_id: str, actor: str | None, now: int) -> LoggedAction | None:
        """Forget the customer's newest action of an id and actor and return it, `None` if there is none."""
        own = self.actions.get(customer, [])
        for place in range(len(own) - 1, -1, -1):
            action = own[place]
            if action.event_id == event_id and action.actor == actor and action.at >= now - self._keeps_us:
                del own[place]
                if not own:
                    del self.actions[customer]
                return action
        return None

    def settle(self, now: int) -> Iterator[tuple[int, LoggedAction]]:
        """Let all actions settle that are old enough; yield each with its customer, oldest first."""
        for customer, own in list(self.actions.items()):
            for action in self._settle(customer, own, now):
                yield customer, action
            if not own:
                del self.actions[customer]

    def _settle(self, customer: int, own: list[LoggedAction], now: int) -> list[LoggedAction]:
        # From the front only, so that what has settled stays in the order in which it was taken.
        count = max(0, len(own) - MOST_ACTIONS)
        while count < len(own) and own[count].at < now - self._keeps_us:
            count += 1
        done = own[:count]
        del own[:count]
        treated = [action.at for action in done if action.treats]
        if treated:
            self.settled[customer] = max(*treated, self.settled.get(customer, _NEVER))
        return done

    def of(self, customer: int) -> list[LoggedAction]:
        """Return a customer's actions that have not settled, in the order in which they were taken."""
        return self.actions.get(customer, [])

    def treated(self, begin: int, end: int) -> NDArray[np.int32]:
        """Return the customers treated in [begin, end), in ascending order.

        Of the treatments that have settled only each customer's last one is known.
        """
        found = {customer for customer, at in self.settled.items() if begin <= at < end}
        found.update(
            customer
            for customer, own in self.actions.items()
            if any(action.treats and begin <= action.at < end for action in own)
        )
        return np.array(sorted(found), dtype=np.int32)

    def has_treatment_before(self, at: int) -> bool:
        """Return whether anybody was treated before an instant."""
        return any(done < at for done in self.settled.values()) or any(
            action.treats and action.at < at for own in self.actions.values() for action in own
        )

    def is_treated(self, customer: int, begin: int, end: int) -> bool:
        """Return whether a customer was treated in [begin, end)."""
        return begin <= self.settled.get(customer, _NEVER) < end or any(
            action.treats and begin <= action.at < end for action in self.of(customer)
        )

    def renumber(self, to: Renumbering) -> None:
        """Forget the customers who leave, and give the others their new rows."""
        self.actions, self.settled = to.by_customer(self.actions), to.by_customer(self.settled)

    def restore(self, actions: Mapping[int, list[LoggedAction]], settled: Mapping[int, int]) -> None:
        """Go on from `actions` and `settled`."""
        self.actions, self.settled = dict(actions), dict(settled)
