"""Rules: what to warn of, compiled into verdict columns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.core.conditions import tree as c
from streams.core.conditions.columns import RuleColumns
from streams.core.conditions.compiler import Program
from streams.core.conditions.parser import Catalogue, ConditionError, closest, parse_condition
from streams.core.decision.plays import NO_PLAYS, Plays
from streams.core.rules.inhibition import inhibition_problems, inhibitors
from streams.core.rules.messages import message_fields
from streams.core.rules.messages import render as render_message
from streams.core.rules.rule import Rule
from streams.core.steps import Cause, Value
from streams.errors import RuleError


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What each rule says of each row, (rules, n): 1 true, 0 false, -1 missing."""

    when: NDArray[np.int8]
    """`only` and `when`."""
    clear: NDArray[np.int8]
    """`clear`, or not `only`."""


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """One thing that keeps a rule from compiling."""

    rule: str
    field: str
    """The rule's field it lies in: `id`, `when`, `clear`, `only` or `message`."""
    message: str
    value: str
    hint: str | None = None
    """The likely right word, where there is one."""

    def __str__(self) -> str:
        hint = f"; did you mean {self.hint!r}?" if self.hint else ""
        return f"rule {self.rule!r}: {self.message}{hint}"


class RulesRefused(RuleError):
    """Rules that do not compile, with every problem of all of them."""

    def __init__(self, problems: Sequence[RuleProblem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class RuleSet:
    """Rules in the order of their ids, compiled."""

    def __init__(self, rules: Sequence[Rule], catalogue: Catalogue, plays: Plays = NO_PLAYS) -> None:
        """Compile rules that have no problems; `compile_rules` is the way to make one."""
        by_id = sorted(rules, key=lambda rule: rule.id)
        self.rules: Final = tuple(rule for rule in by_id if rule.takes_part)
        """Those that take part."""
        self.idle: Final = tuple(rule for rule in by_id if not rule.takes_part)
        """Drafts and retired ones."""
        self.plays: Final = plays
        """What the team can do; adopted together with the rules."""
        self.hash: Final = _hash(self.rules, plays)
        """16 hex digits of the rules that take part, and of the plays where there are any; the same however
        they are spread over files."""
        self.inhibitors: Final = inhibitors(self.rules)
        """For each rule the positions of those that hide it while they are open."""
        whens, clears, reads = [], [], []
        for rule in self.rules:
            when, clear = effective(rule, catalogue)
            whens.append(when)
            clears.append(clear)
            fields = (name for name, _ in message_fields(rule.message))
            reads.append(tuple(dict.fromkeys([*c.features_of(when), *c.features_of(clear), *fields])))
        self.whens: Final = tuple(whens)
        """What each rule in `rules` holds of a customer it warns of: `only` and `when`."""
        self.clears: Final = tuple(clears)
        """`clear`, or not `only`."""
        self._reads: Final = tuple(reads)
        self._program: Final = Program([*whens, *clears])
        self.columns: Final = tuple(sorted({name for names in reads for name in names}))
        """Every feature that a rule reads in `when`, `clear`, `only` or `message`."""

    def __len__(self) -> int:
        return len(self.rules)

    def reads(self, rule: int | Rule) -> tuple[str, ...]:
        """Return the features that a rule, or the rule at a place in `rules`, reads."""
        return self._reads[rule if isinstance(rule, int) else self.rules.index(rule)]

    def cause(self, rule: int, since: int, opened_at: int, value: Callable[[str], Value]) -> Cause:
        """Return the cause that the rule at a place in `rules` is, with the features it reads by `value`."""
        spec = self.rules[rule]
        values = {name: value(name) for name in self.reads(rule)}
        return Cause(
            rule=spec.id,
            version=spec.version,
            title=spec.title,
            tier=spec.tier,
            reason=spec.reason,
            owner=spec.owner,
            play=spec.play,
            since=since,
            opened_at=opened_at,
            message=render(spec, values),
            values=values,
        )

    def verdicts(self, frame: pl.DataFrame | RuleColumns) -> Verdicts:
        """Return what every rule says of every row of a frame with `columns`."""
        both = self._program.run(frame)
        return Verdicts(both[: len(self.rules)], both[len(self.rules) :])


def compile_rules(rules: Sequence[Rule], catalogue: Catalogue) -> RuleSet:
    """Return the rules compiled against the features of a catalogue, or raise `RulesRefused`."""
    problems = [problem for rule in rules for problem in rule_problems(rule, catalogue)]
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            problems.append(RuleProblem(rule.id, "id", f"the id {rule.id!r} is given twice", rule.id))
        seen.add(rule.id)
    for found in inhibition_problems(rules):
        problems.append(
            RuleProblem(found.rule, "inhibits", f"`inhibits`: {found.message}", found.hidden, found.hint)
        )
    if problems:
        raise RulesRefused(problems)
    return RuleSet(rules, catalogue)


def rule_problems(rule: Rule, catalogue: Catalogue) -> list[RuleProblem]:
    """Return everything that keeps a rule from compiling."""
    problems: list[RuleProblem] = []
    for name, sql in (("when", rule.when), ("clear", rule.clear), ("only", rule.only)):
        if sql is not None:
            for message, hint in condition_mistakes(name, sql, catalogue):
                problems.append(RuleProblem(rule.id, name, f"`{name}`: {message}", sql, hint))
    for message, hint in message_mistakes(rule.message, catalogue):
        problems.append(RuleProblem(rule.id, "message", f"`message`: {message}", rule.message, hint))
    return problems


def render(rule: Rule, values: Mapping[str, Value]) -> str:
    """Return the rule's message with the values of its features."""
    return render_message(rule.message, values) if rule.message else rule.title or rule.id


def condition_mistakes(name: str, sql: str, catalogue: Catalogue) -> list[tuple[str, str | None]]:
    """Return what is wrong with a rule's condition, each mistake with the likely right word."""
    try:
        condition = parse_condition(sql, catalogue)
    except ConditionError as error:
        return [(str(mistake), mistake.hint) for mistake in error.mistakes]
    never_clear = name == "clear" and condition == c.Constant(False)
    if not never_clear and next(c.features_of(condition), None) is None:
        return [("reads no feature, so it says the same of everybody", None)]
    return []


def message_mistakes(message: str, catalogue: Catalogue) -> list[tuple[str, str | None]]:
    """Return what is wrong with a rule's message, each mistake with the likely right word."""
    mistakes: list[tuple[str, str | None]] = []
    try:
        for name, spec in message_fields(message):
            if name not in catalogue:
                mistakes.append((f"unknown feature {name!r}", closest(name, catalogue)))
            elif spec and not catalogue[name].is_numeric():
                mistakes.append((f"{{{name}:{spec}}} formats a word as a number", f"{{{name}}}"))
    except ValueError as error:
        mistakes.append((str(error), None))
    return mistakes


def effective(rule: Rule, catalogue: Catalogue) -> tuple[c.Condition, c.Condition]:
    """Return when the rule warns and when it clears, `only` included in both."""
    when = parse_condition(rule.when, catalogue)
    clear = parse_condition(rule.clear, catalogue) if rule.clear is not None else c.Not(when)
    if rule.only is None:
        return when, clear
    only = parse_condition(rule.only, catalogue)
    return c.And(only, when), c.Or(c.Not(only), clear)


def _hash(rules: Sequence[Rule], plays: Plays) -> str:
    content = "\n".join(f"{rule.id} {rule.version} {rule.status}" for rule in rules)
    if plays.hash:
        content += f"\nplays {plays.hash}"
    return hashlib.sha256(content.encode()).hexdigest()[:16]
