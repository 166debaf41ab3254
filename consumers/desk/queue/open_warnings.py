"""The open warnings as columns: one place of every column is one warning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from consumers.desk.queue.team_work import ATTENTION_KINDS, TeamWork
from streams.contract.instants import to_us

NEVER: Final = np.iinfo(np.int64).max
NONE: Final = -1
"""The code of a word that is not known."""
TIERS: Final = ("high", "medium", "low")
VERDICTS: Final = ("rescue", "unknown", "dont")
_FIRST_ROOM: Final = 1024

LastsFor = Callable[[str, str], int]
"""(kind of action, tier) -> for how long it puts a warning off, microseconds."""


class DecisionHead(msgspec.Struct, frozen=True):
    """Of a decision what the queue depends on."""

    verdict: str = "unknown"
    play: str | None = None
    value: float | None = None
    probability: float | None = None
    cost: dict[str, float | None] = {}  # msgspec copies it
    net: float | None = None

    @property
    def total_cost(self) -> float:
        """The sum of the items; not a number where one is not known or there is none."""
        amounts = list(self.cost.values())
        known = [each for each in amounts if each is not None]
        return math.fsum(known) if amounts and len(known) == len(amounts) else math.nan


class AttentionHead(msgspec.Struct, frozen=True):
    """Who takes care of a warning, as the engine has it."""

    state: str
    step: int
    since: datetime
    by: str | None = None
    until: datetime | None = None
    deadline: datetime | None = None


class CauseHead(msgspec.Struct, frozen=True):
    """Of a cause what the queue is filtered by."""

    rule: str
    reason: str = ""


class StepHead(msgspec.Struct, frozen=True):
    """Of the data of a step what the queue depends on."""

    warning_id: str
    customer_id: str
    step: int
    state: str
    tier: str
    opened_at: datetime
    holdout: bool
    causes: tuple[CauseHead, ...] = ()
    attention: AttentionHead | None = None
    decision: DecisionHead | str | None = None
    churn_probability: float | None = None
    customer_class: str | None = None
    segment: str | None = None
    region: str | None = None
    account_owner: str | None = None

    @property
    def decided(self) -> DecisionHead:
        """The decision; that of a step of before is `unknown`."""
        return self.decision if isinstance(self.decision, DecisionHead) else DecisionHead()

    @property
    def attention_is_news(self) -> bool:
        """Whether the step is about who takes care of the warning."""
        return self.attention is not None and self.attention.step == self.step


class DaysHead(msgspec.Struct, frozen=True):
    """Of the data of a customer's days what the queue depends on."""

    decision: DecisionHead | None = None


@dataclass(slots=True)
class Words:
    """Words and their codes."""

    codes: dict[str, int] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def code(self, word: str | None) -> int:
        """Return the code of a word, a new one where it has none."""
        if word is None:
            return NONE
        found = self.codes.get(word)
        if found is None:
            found = self.codes[word] = len(self.texts)
            self.texts.append(word)
        return found

    def known(self, words: Iterable[str]) -> list[int]:
        """Return the codes of the words that have one."""
        return [self.codes[word] for word in words if word in self.codes]

    def text(self, code: int) -> str | None:
        """Return the word of a code."""
        return None if code == NONE else self.texts[code]


_COLUMNS: Final[dict[str, tuple[type, object]]] = {
    "used": (np.bool_, False),
    "tier": (np.int8, 0),
    "verdict": (np.int8, 1),
    "net": (np.float64, math.nan),
    "cost": (np.float64, math.nan),
    "probability": (np.float64, math.nan),
    "value": (np.float64, math.nan),
    "opened_at": (np.int64, 0),
    "updated_at": (np.int64, 0),
    "decided_at": (np.int64, 0),
    "step": (np.int32, 0),
    "holdout": (np.bool_, False),
    "play": (np.int32, NONE),
    "customer_class": (np.int32, NONE),
    "segment": (np.int32, NONE),
    "region": (np.int32, NONE),
    "owner": (np.int32, NONE),
    "attention": (np.int32, NONE),
    "attention_by": (np.int32, NONE),
    "attention_until": (np.int64, 0),
    "attention_as_of": (np.int64, 0),
    "deadline": (np.int64, NEVER),
    "contacted": (np.bool_, False),
    "closing": (np.bool_, False),
    "pending": (np.int32, NONE),
    "pending_by": (np.int32, NONE),
    "pending_until": (np.int64, 0),
    "assignee": (np.int32, NONE),
    "entered": (np.int64, 0),
    "changed": (np.int64, 0),
}
"""The type of each column and what stands in a place without a warning."""


class OpenWarnings:
    """The open warnings as columns of shape (places,); words are codes, times microseconds.

    `attention` is the state as the engine has it, `pending` what an action that it has not taken up yet will
    make of it. `entered` and `changed` are the versions of the board at which a warning came and changed.
    """

    used: NDArray[np.bool_]
    tier: NDArray[np.int8]
    verdict: NDArray[np.int8]
    net: NDArray[np.float64]
    cost: NDArray[np.float64]
    probability: NDArray[np.float64]
    value: NDArray[np.float64]
    opened_at: NDArray[np.int64]
    updated_at: NDArray[np.int64]
    decided_at: NDArray[np.int64]
    step: NDArray[np.int32]
    holdout: NDArray[np.bool_]
    play: NDArray[np.int32]
    customer_class: NDArray[np.int32]
    segment: NDArray[np.int32]
    region: NDArray[np.int32]
    owner: NDArray[np.int32]
    attention: NDArray[np.int32]
    attention_by: NDArray[np.int32]
    attention_until: NDArray[np.int64]
    attention_as_of: NDArray[np.int64]
    deadline: NDArray[np.int64]
    contacted: NDArray[np.bool_]
    closing: NDArray[np.bool_]
    pending: NDArray[np.int32]
    pending_by: NDArray[np.int32]
    pending_until: NDArray[np.int64]
    assignee: NDArray[np.int32]
    entered: NDArray[np.int64]
    changed: NDArray[np.int64]

    def __init__(self) -> None:
        self.words = Words()
        self.places: dict[str, int] = {}
        """By warning."""
        self.of_customer: dict[str, str] = {}
        """The open warning of each customer."""
        self.ids: list[str] = []
        self.customers: list[str] = []
        self.days: list[str | None] = []
        """The id of the customer days that the decision is of; `None` where it is the step's."""
        self._decision: list[DecisionHead] = []
        """Of the newest step."""
        self._taken_up: list[frozenset[str]] = []
        """The actions that put a warning off and that the engine was seen to have taken up."""
        self._causes: list[tuple[CauseHead, ...]] = []
        self.with_rule: dict[str, set[int]] = {}
        self.with_reason: dict[str, set[int]] = {}
        self._free: list[int] = []
        for name, (kind, empty) in _COLUMNS.items():
            setattr(self, name, np.full(_FIRST_ROOM, empty, dtype=kind))
        self.decisions_version = 0
        """Grows where the order by decisions may have changed."""

    def __len__(self) -> int:
        return len(self.places)

    def take_step(self, head: StepHead, at: int, kind: str, version: int) -> bool:
        """Take in a step; return whether it is news. A step that ends the warning removes it."""
        place = self.places.get(head.warning_id)
        if place is not None and head.step <= self.step[place]:
            return False
        if head.state != "open":
            if place is not None:
                self.remove(head.warning_id)
            return place is not None
        if place is None:
            other = self.of_customer.get(head.customer_id)
            if other is not None and self.opened_at[self.places[other]] > to_us(head.opened_at):
                return False
            if other is not None:
                self.remove(other)  # of a customer at most one is open
            place = self._new(head, version)
            news = True
        else:
            news = not self._keeps_decision(place, head, kind)
        self._write(place, head, at, kind, version, first=self.step[place] == 0)
        if news:
            self._decide(place, head.decided, at, None, head.churn_probability)
        self._decision[place] = head.decided
        self.decisions_version += 1
        return True

    def _keeps_decision(self, place: int, head: StepHead, kind: str) -> bool:
        """Return whether a step repeats the decision of the step before: it is by people or time alone."""
        alone = head.attention_is_news or kind.endswith((".acknowledged", ".snoozed"))
        return alone and head.decided == self._decision[place]

    def _new(self, head: StepHead, version: int) -> int:
        if self._free:
            place = self._free.pop()
        else:
            place = len(self.ids)
            for rows in (self.ids, self.customers):
                rows.append("")
            self.days.append(None)
            self._decision.append(DecisionHead())
            self._taken_up.append(frozenset())
            self._causes.append(())
            if place == len(self.used):
                for name, (kind, empty) in _COLUMNS.items():
                    column = getattr(self, name)
                    setattr(self, name, np.concatenate([column, np.full(len(column), empty, dtype=kind)]))
        for name, (_kind, empty) in _COLUMNS.items():
            getattr(self, name)[place] = empty
        self.used[place] = True
        self.ids[place], self.customers[place] = head.warning_id, head.customer_id
        self._taken_up[place] = frozenset()
        self.places[head.warning_id] = place
        self.of_customer[head.customer_id] = head.warning_id
        self.entered[place] = version
        return place

    def _write(self, place: int, head: StepHead, at: int, kind: str, version: int, *, first: bool) -> None:
        words, attention = self.words, head.attention
        before = (self.attention[place], self.attention_by[place], self.attention_until[place])
        self.step[place] = head.step
        self.tier[place] = TIERS.index(head.tier)
        self.opened_at[place], self.updated_at[place] = to_us(head.opened_at), at
        self.holdout[place] = head.holdout
        self.customer_class[place] = words.code(head.customer_class)
        self.segment[place] = words.code(head.segment)
        self.region[place] = words.code(head.region)
        self.owner[place] = words.code(head.account_owner)
        self.attention[place] = words.code(None if attention is None else attention.state)
        self.attention_by[place] = words.code(None if attention is None else attention.by)
        self.attention_until[place] = _us(None if attention is None else attention.until, 0)
        self.deadline[place] = _us(None if attention is None else attention.deadline, NEVER)
        after = (self.attention[place], self.attention_by[place], self.attention_until[place])
        if head.attention_is_news or kind.endswith(".escalated") or (before != after and not first):
            self.attention_as_of[place] = at
        elif first:
            self.attention_as_of[place] = at if attention is None else to_us(attention.since)
        self.changed[place] = version
        self._set_causes(place, head.causes)

    def _set_causes(self, place: int, causes: tuple[CauseHead, ...]) -> None:
        for each in self._causes[place]:
            self.with_rule[each.rule].discard(place)
            self.with_reason[each.reason].discard(place)
        self._causes[place] = causes
        for each in causes:
            self.with_rule.setdefault(each.rule, set()).add(place)
            self.with_reason.setdefault(each.reason, set()).add(place)

    def _decide(
        self, place: int, decided: DecisionHead, at: int, days: str | None, probability: float | None
    ) -> None:
        self.decided_at[place], self.days[place] = at, days
        self.verdict[place] = VERDICTS.index(decided.verdict)
        self.net[place] = _number(decided.net)
        self.cost[place] = decided.total_cost
        self.value[place] = _number(decided.value)
        self.probability[place] = _number(probability if decided.probability is None else decided.probability)
        self.play[place] = self.words.code(decided.play)

    def take_days(self, warning_id: str, days_id: str, head: DaysHead, at: int, version: int) -> bool:
        """Take in the decision of a sweep; return whether it is newer than what is known."""
        place = self.places.get(warning_id)
        if place is None or head.decision is None or at < self.decided_at[place]:
            return False
        if at == self.decided_at[place] and head.decision == self._decision[place]:
            return False  # of the opening itself
        self._decide(place, head.decision, at, days_id, head.decision.probability)
        self.changed[place] = version
        self.decisions_version += 1
        return True

    def take_work(self, warning_id: str, work: TeamWork, lasts: LastsFor, version: int) -> None:
        """Take in what the team did about a warning."""
        place = self.places[warning_id]
        self.contacted[place], self.closing[place] = work.contacted, work.closing
        self.assignee[place] = self.words.code(work.assignee)
        self.pending[place], self.pending_by[place], self.pending_until[place] = NONE, NONE, 0
        state, by = self.words.text(self.attention[place]), self.words.text(self.attention_by[place])
        for each in work.put_off:
            if each.event_id in self._taken_up[place]:
                continue
            becomes = ATTENTION_KINDS[each.kind]
            matches = state == becomes and by == each.actor
            until = each.until
            if matches and (until is None or until == self.attention_until[place]):
                self._taken_up[place] |= {each.event_id}
            if each.event_id in self._taken_up[place] or each.at <= self.attention_as_of[place]:
                # What came before it is over as well.
                self.pending[place], self.pending_by[place], self.pending_until[place] = NONE, NONE, 0
                continue
            self.pending[place] = self.words.code(becomes)
            self.pending_by[place] = self.words.code(each.actor)
            if until is None:
                until = each.at + lasts(each.kind, TIERS[self.tier[place]])
            self.pending_until[place] = until
        self.changed[place] = version

    def remove(self, warning_id: str) -> None:
        """Forget a warning."""
        place = self.places.pop(warning_id)
        self.of_customer.pop(self.customers[place], None)
        self._set_causes(place, ())
        self.used[place] = False
        self._free.append(place)
        self.decisions_version += 1

    @property
    def room(self) -> int:
        """The places that have been used so far."""
        return len(self.ids)

    def having(self, index: dict[str, set[int]], words: Iterable[str]) -> NDArray[np.bool_]:
        """Return which places have one of the words in an index."""
        found = np.zeros(self.room, dtype=np.bool_)
        for word in words:
            found[list(index.get(word, ()))] = True
        return found

    def among(self, column: str, words: Iterable[str]) -> NDArray[np.bool_]:
        """Return which places have one of the words in a column."""
        codes: NDArray[np.int32] = getattr(self, column)[: self.room]
        found: NDArray[np.bool_] = np.isin(codes, self.words.known(words))
        return found


def _us(instant: datetime | None, missing: int) -> int:
    return missing if instant is None else to_us(instant)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
