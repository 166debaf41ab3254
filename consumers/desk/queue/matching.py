"""Which of the open warnings a filter finds, and by which words they can be found."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from consumers.desk.people.person import Person, Role, Team
from consumers.desk.queue.filter import WORDS, QueueFilter
from consumers.desk.queue.open_warnings import NONE, TIERS, OpenWarnings

NEAR_US: Final = 86_400_000_000
"""A deadline so near is asked for by the filter."""
_COLUMN: Final = {"class": "customer_class", "segment": "segment", "region": "region", "owner": "owner"}

TeamOf = Callable[[str | None], str | None]
"""The name of the team of whoever an action names as its actor; `None` for those in none."""
CountedWords = dict[str, tuple[tuple[str, int], ...]]


def no_team(actor: str | None) -> str | None:
    """Return that nobody is in a team."""
    return None


def taken_by(warnings: OpenWarnings, team: Team | None) -> NDArray[np.bool_]:
    """Return which warnings are a team's."""
    takes = team.takes if team is not None else {}
    return _matching(warnings, QueueFilter.from_query([(n, w) for n, ws in takes.items() for w in ws]))


def _matching(warnings: OpenWarnings, wanted: QueueFilter) -> NDArray[np.bool_]:
    """Return which warnings the words of a filter find."""
    found = warnings.used[: warnings.room].copy()
    for name, words in wanted.words().items():
        if not words:
            continue
        if name == "tier":
            ranks = [TIERS.index(word) for word in words if word in TIERS]
            found &= np.isin(warnings.tier[: warnings.room], ranks)
        elif name == "rule":
            found &= warnings.having(warnings.with_rule, words)
        elif name == "reason":
            found &= warnings.having(warnings.with_reason, words)
        else:
            found &= warnings.among(_COLUMN[name], words)
    return found


def found(
    warnings: OpenWarnings, wanted: QueueFilter, person: Person, now: int, team_of: TeamOf
) -> NDArray[np.bool_]:
    """Return which warnings a filter finds for somebody, in whatever part of the queue."""
    room = warnings.room
    chosen = _matching(warnings, wanted)
    if not person.may(Role.OPERATOR):
        chosen &= ~warnings.holdout[:room]
    if wanted.mine:
        chosen &= _had_by(warnings, {person.name}, now)
    if wanted.team:
        chosen &= _had_by(warnings, _colleagues(warnings, person, team_of), now)
    if wanted.unassigned:
        chosen &= warnings.assignee[:room] == NONE
    if wanted.snoozed:
        snoozed = warnings.words.known(("snoozed",))
        engine = np.isin(warnings.attention[:room], snoozed) & (warnings.attention_until[:room] > now)
        pending = np.isin(warnings.pending[:room], snoozed) & (warnings.pending_until[:room] > now)
        chosen &= engine | pending
    if wanted.near:
        chosen &= warnings.deadline[:room] <= now + NEAR_US
    if wanted.customer:
        part = wanted.customer.casefold()
        named = [
            place for place in np.flatnonzero(chosen).tolist() if part in warnings.customers[place].casefold()
        ]
        chosen = np.zeros(room, dtype=np.bool_)
        chosen[named] = True
    return chosen


def _had_by(warnings: OpenWarnings, names: Collection[str], now: int) -> NDArray[np.bool_]:
    """Return which warnings are assigned to one of these, or attended to by one of them."""
    room = warnings.room
    codes = warnings.words.known(names)
    resting = np.isin(warnings.attention[:room], warnings.words.known(("acknowledged", "snoozed")))
    resting &= warnings.attention_until[:room] > now
    pending = warnings.pending_until[:room] > now
    return (
        np.isin(warnings.assignee[:room], codes)
        | (np.isin(warnings.attention_by[:room], codes) & resting)
        | (np.isin(warnings.pending_by[:room], codes) & pending)
    )


def _colleagues(warnings: OpenWarnings, person: Person, team_of: TeamOf) -> set[str]:
    """Return all who are in somebody's team, as far as warnings name them."""
    name = person.team.name if person.team is not None else None
    words = warnings.words.texts
    return {person.name, *(word for word in words if team_of(word) == name)}


class WordCounts:
    """By what the open warnings can be filtered: counted once for as long as they are the same."""

    def __init__(self) -> None:
        self._counted: dict[bool, tuple[int, CountedWords]] = {}

    def of(self, warnings: OpenWarnings, person: Person) -> CountedWords:
        """Return each word with how many warnings that somebody sees have it, the most frequent first."""
        everything = person.may(Role.OPERATOR)
        version, counted = self._counted.get(everything, (-1, {}))
        if version != warnings.decisions_version:
            counted = _counted(warnings, everything)
            self._counted[everything] = (warnings.decisions_version, counted)
        return counted


def _counted(warnings: OpenWarnings, everything: bool) -> CountedWords:
    room = warnings.room
    seen = warnings.used[:room]
    hidden: set[int] = set()
    if not everything:
        hidden = set(np.flatnonzero(seen & warnings.holdout[:room]).tolist())
        seen = seen & ~warnings.holdout[:room]
    found: CountedWords = {}
    for name in WORDS:
        if name == "tier":
            counts = np.bincount(warnings.tier[:room][seen], minlength=len(TIERS))
            pairs = list(zip(TIERS, counts.tolist(), strict=True))
        elif name in ("rule", "reason"):
            index = warnings.with_rule if name == "rule" else warnings.with_reason
            pairs = [(word, len(at) - len(at & hidden)) for word, at in index.items()]
        else:
            codes = getattr(warnings, _COLUMN[name])[:room][seen]
            counts = np.bincount(codes[codes != NONE], minlength=0)
            pairs = [(warnings.words.texts[code], int(counts[code])) for code in np.flatnonzero(counts)]
        ordered = pairs if name == "tier" else sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
        found[name] = tuple((word, count) for word, count in ordered if count)
    return found
