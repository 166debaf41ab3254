"""`pause:` in a rule file: rules that warn nobody for as long as it stands there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from streams.core.conditions.parser import closest
from streams.core.rules.rule import Rule, RuleStatus
from streams.rulebook.yaml import Entries, Scalar

ALL: Final = "all"
FIELDS: Final = ("rules", "reason", "by")
LONGEST: Final = 500


class Refuse(Protocol):
    """Takes note of a mistake at a node."""

    def __call__(
        self,
        node: Scalar | Entries | None,
        name: str | None,
        message: str,
        value: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Take note of it."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Which rules are paused, and why."""

    path: str
    ids: tuple[Scalar, ...] | None
    """Where each is written; `None` for all rules of the set."""
    why: str

    def holds(self, rule: Rule) -> bool:
        """Return whether a rule is paused by this."""
        return self.ids is None or any(node.text == rule.id for node in self.ids)


def read_pause(
    path: str, entries: dict[str, Scalar | Entries], node: Scalar | Entries, refuse: Refuse
) -> Pause:
    """Return what the entries of a `pause:` say; `refuse` is told of mistakes."""
    texts = [_text(name, entries[name], refuse) for name in ("reason", "by") if name in entries]
    why = ", by ".join(text for text in texts if text) or "no reason given"
    if "rules" not in entries:
        refuse(node, None, "`rules` is missing: write `rules: all`, or a list of ids")
        return Pause(path, (), why)
    return Pause(path, _ids(entries["rules"], refuse), why)


def paused(rules: Sequence[Rule], pauses: Sequence[Pause]) -> list[Rule]:
    """Return the rules, those that are active and paused as in shadow."""
    result = []
    for rule in rules:
        why = [pause.why for pause in pauses if pause.holds(rule)]
        if why and rule.status is RuleStatus.ACTIVE:
            rule = replace(rule, status=RuleStatus.SHADOW, paused="; ".join(why))
        result.append(rule)
    return result


def unknown_ids(pause: Pause, rules: Sequence[Rule], refuse: Refuse) -> None:
    """Refuse ids that no rule has: such a pause would hold nobody back."""
    known = [rule.id for rule in rules]
    for node in pause.ids or ():
        if node.text not in known:
            refuse(node, None, f"`pause` names no rule: {node.text!r}", node.text, closest(node.text, known))


def _ids(node: Scalar | Entries, refuse: Refuse) -> tuple[Scalar, ...] | None:
    if isinstance(node, Scalar):
        if node.text != ALL:
            refuse(node, None, f"`rules` must be `{ALL}` or a list of ids", node.text)
            return ()
        return None
    ids = [each for each in node.values if isinstance(each, Scalar)]
    if node.keys is not None or len(ids) < len(node.values) or not ids:
        refuse(node, None, f"`rules` must be `{ALL}` or a list of ids")
        return ()
    return tuple(ids)


def _text(name: str, node: Scalar | Entries, refuse: Refuse) -> str | None:
    if not isinstance(node, Scalar) or not node.text.strip() or len(node.text) > LONGEST:
        refuse(node, None, f"`{name}` must be a line of text of at most {LONGEST} characters")
        return None
    return " ".join(node.text.split())
