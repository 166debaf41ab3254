"""Whether the reasons that warnings suggest are those that the team finds, or that customers state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consumers.actions import CONTACTS, Action
from consumers.effects.matured import NOT_REACHED
from streams.share import Share

UNKNOWN: Final = "unknown"
NO_REASONS: Final = frozenset({UNKNOWN, NOT_REACHED})
"""Codes that are shown and are no reasons."""
CONFIRMS: Final = ("confirm", *CONTACTS)
WRONG_CONTACT: Final = "wrong_contact"
CLOSED: Final = "churn.customer.closed"
"""The type of the outcome that states a reason."""


@dataclass(frozen=True, slots=True)
class SuggestedStep:
    """What a step of a warning suggests; the time in microseconds."""

    warning_id: str
    at: int
    reasons: tuple[str, ...]
    """Of the causes that are open after it."""
    groups: tuple[str, ...]
    """Of the model's reasons that raise the probability."""


@dataclass(frozen=True, slots=True)
class StatedReason:
    """Why a customer who closed left, and the warning before it; the time in microseconds."""

    warning_id: str
    at: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class WarningReasons:
    """What a warning suggested up to the first answer, and what was found."""

    suggested: frozenset[str]
    groups: frozenset[str]
    found: frozenset[str]
    """Empty where nobody was reached, or no reason was found."""
    reached: bool


@dataclass(frozen=True, slots=True)
class ReasonTable:
    """How many warnings suggested one thing and were found to be another; each answer of several counts."""

    suggested: tuple[str, ...]
    """Rows, the most frequent first."""
    found: tuple[str, ...]
    """Columns; last `unknown` and `not_reached`."""
    counts: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> list[tuple[str, tuple[int, ...]]]:
        """Each row with its counts."""
        return list(zip(self.suggested, self.counts, strict=True))

    def as_dict(self) -> dict[str, Any]:
        """Return rows, columns and counts as plain JSON values."""
        return {"suggested": self.suggested, "found": self.found, "counts": self.counts}


@dataclass(frozen=True, slots=True)
class ReasonAgreement:
    """Suggested and found reasons of all warnings with an answer."""

    answered: int
    found: int
    """With a reason, confirmed by the team or stated on closing."""
    unknown: int
    """Somebody was reached or asked, and no reason was found."""
    not_reached: int
    agree: Share
    """Of those with a reason found, how many had suggested at least one of the reasons."""
    agree_by_group: Share
    """The same by the groups of reasons.yaml."""
    reasons: ReasonTable
    groups: ReasonTable
    """By groups of reasons.yaml."""
    model: ReasonTable
    """Rows: the groups of the model's inputs; columns: groups of reasons.yaml."""

    def as_dict(self) -> dict[str, Any]:
        """Return all figures as plain JSON values."""
        return {
            "answered": self.answered,
            "found": self.found,
            "unknown": self.unknown,
            "not_reached": self.not_reached,
            "agree": self.agree.as_dict(),
            "agree_by_group": self.agree_by_group.as_dict(),
            "reasons": self.reasons.as_dict(),
            "groups": self.groups.as_dict(),
            "model": self.model.as_dict(),
        }


def agreement(
    steps: Iterable[SuggestedStep],
    actions: Iterable[Action],
    stated: Iterable[StatedReason],
    group_of: Mapping[str, str],
) -> ReasonAgreement:
    """Compare what warnings suggested with what came out; `actions` are those that nobody took back.

    `group_of` has the groups of reasons.yaml; a code that is not in it is a group of its own.
    """
    found = answers(steps, actions, stated)

    def in_groups(codes: Iterable[str]) -> frozenset[str]:
        return frozenset(group_of.get(code, code) for code in codes)

    known = [each for each in found if each.found]
    grouped = [WarningReasons(in_groups(w.suggested), w.groups, in_groups(w.found), w.reached) for w in found]
    return ReasonAgreement(
        answered=len(found),
        found=len(known),
        unknown=sum(each.reached and not each.found for each in found),
        not_reached=sum(not each.reached for each in found),
        agree=Share(sum(not each.suggested.isdisjoint(each.found) for each in known), len(known)),
        agree_by_group=Share(
            sum(not each.suggested.isdisjoint(each.found) for each in grouped if each.found), len(known)
        ),
        reasons=_table([(each.suggested, each) for each in found]),
        groups=_table([(each.suggested, each) for each in grouped]),
        model=_table([(each.groups, each) for each in grouped]),
    )


def answers(
    steps: Iterable[SuggestedStep], actions: Iterable[Action], stated: Iterable[StatedReason]
) -> list[WarningReasons]:
    """Return the warnings of which something came out, that nobody was reached included."""
    by_warning: dict[str, list[tuple[int, tuple[str, ...], bool]]] = {}
    for each in actions:
        if each.warning_id is None or each.kind not in CONFIRMS or each.result == WRONG_CONTACT:
            continue
        codes = tuple(code for code in each.reasons if code not in NO_REASONS)
        silent = each.result == NOT_REACHED or (NOT_REACHED in each.reasons and UNKNOWN not in each.reasons)
        by_warning.setdefault(each.warning_id, []).append((each.at, codes, bool(codes) or not silent))
    for closing in stated:
        if closing.reason is not None and closing.reason != NOT_REACHED:
            codes = () if closing.reason == UNKNOWN else (closing.reason,)
            by_warning.setdefault(closing.warning_id, []).append((closing.at, codes, True))
    suggested: dict[str, list[SuggestedStep]] = {}
    for step in steps:
        if step.warning_id in by_warning:
            suggested.setdefault(step.warning_id, []).append(step)
    made = []
    for warning_id, own in by_warning.items():
        first = min(at for at, _, _ in own)
        before = [step for step in suggested.get(warning_id, ()) if step.at <= first]
        if before:
            made.append(
                WarningReasons(
                    frozenset(code for step in before for code in step.reasons),
                    frozenset(group for step in before for group in step.groups),
                    frozenset(code for _, codes, _ in own for code in codes),
                    any(reached for _, _, reached in own),
                )
            )
    return made


def _table(found: Sequence[tuple[frozenset[str], WarningReasons]]) -> ReasonTable:
    rows: Counter[str] = Counter()
    columns: Counter[str] = Counter()
    cells: Counter[tuple[str, str]] = Counter()
    for suggested, each in found:
        outcome = each.found or {UNKNOWN if each.reached else NOT_REACHED}
        rows.update(suggested)
        columns.update(each.found)
        cells.update((row, column) for row in suggested for column in outcome)
    own_rows = tuple(sorted(rows, key=lambda code: (-rows[code], code)))
    own_columns = (*sorted(columns, key=lambda code: (-columns[code], code)), UNKNOWN, NOT_REACHED)
    counts = tuple(tuple(cells[row, column] for column in own_columns) for row in own_rows)
    return ReasonTable(own_rows, own_columns, counts)


def suggested_step(at: int, data: Mapping[str, Any]) -> SuggestedStep:
    """Return what a warning's step suggests, from a CloudEvent's `data`; `at` in microseconds."""
    groups = (r["group"] for r in data["reasons"] if r["contribution"] > 0 and r.get("group"))
    return SuggestedStep(
        data["warning_id"],
        at,
        tuple(dict.fromkeys(cause["reason"] for cause in data["causes"])),
        tuple(dict.fromkeys(groups)),
    )


def stated_reason(at: int, data: Mapping[str, Any]) -> StatedReason | None:
    """Return the reason of a `churn.customer.closed`; `None` where no warning preceded it."""
    warned = data["warned"]
    if warned is None:
        return None
    return StatedReason(warned["warning_id"], at, data["reason"])
