"""What is doubtful about rules that parse: each finding with a code that stays, its place and a way out.

An error is a rule that cannot do what it is for; a warning is one that most likely was meant otherwise. What
is said never to happen is proven (`streams.core.analysis.satisfiable`), and what is said to happen has an
example (`streams.core.analysis.examples`), so that a rule that is right is never doubted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from streams.core.analysis.cases import Want
from streams.core.analysis.examples import example
from streams.core.analysis.out_of_range import out_of_range
from streams.core.analysis.satisfiable import satisfiable, satisfiable_after
from streams.core.conditions import tree as c
from streams.core.conditions.parser import parse_condition
from streams.core.events.topics import REQUIRED, Topic
from streams.core.features.catalogue import CATALOGUE, DTYPES
from streams.core.rules.messages import shown
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.steps import Value
from streams.rulebook.load import PlacedRule, Rulebook
from streams.rulebook.rule_file import CONDITIONS


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"


CODES: Final[dict[str, tuple[Severity, str]]] = {
    "L101": (Severity.ERROR, "`when` is never true"),
    "L102": (Severity.ERROR, "`when` is never false"),
    "L103": (Severity.ERROR, "`only` is never true"),
    "L104": (Severity.WARNING, "`only` is never false"),
    "L105": (Severity.ERROR, "`when` contradicts `only`"),
    "L106": (Severity.WARNING, "a part of a condition decides nothing"),
    "L107": (Severity.WARNING, "a number or word outside of its feature's range"),
    "L111": (Severity.ERROR, "`clear` is never true"),
    "L112": (Severity.ERROR, "`clear` is true whenever `when` is"),
    "L113": (Severity.WARNING, "`clear` can be true while `when` is"),
    "L121": (Severity.ERROR, "two rules say the same"),
    "L122": (Severity.WARNING, "a rule never adds anything to another"),
    "L131": (Severity.WARNING, "no test case names the rule"),
    "L141": (Severity.ERROR, "a feature's topic is not connected"),
    "L151": (Severity.WARNING, "an absence that a dead source would set off for everybody"),
}
"""Every code, how much it weighs, and what it stands for."""


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One doubt about one rule."""

    path: str
    line: int
    code: str
    rule: str
    message: str
    hint: str

    @property
    def severity(self) -> Severity:
        """How much it weighs."""
        return CODES[self.code][0]

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}: {self.severity} {self.code}"
        return f"{place}: rule {self.rule!r}: {self.message}; {self.hint}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules are held against beside each other."""

    topics: Collection[Topic] = REQUIRED
    """Those that are connected."""
    tested: Collection[str] | None = None
    """The rules that test cases name; `None` where none are looked for."""
    guarded: Collection[Topic] = ()
    """Those with `quiet_after`."""


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A rule with its conditions as trees."""

    placed: PlacedRule
    when: c.Condition
    only: c.Condition | None
    clear: c.Condition | None

    @property
    def rule(self) -> Rule:
        return self.placed.rule

    @property
    def opens(self) -> c.Condition:
        """`only` and `when`."""
        return self.when if self.only is None else c.And(self.only, self.when)

    def finding(self, code: str, fields: Sequence[str], message: str, hint: str) -> LintFinding:
        return LintFinding(self.placed.path, self.placed.line(*fields), code, self.rule.id, message, hint)


def lint(rulebook: Rulebook, around: Surroundings) -> list[LintFinding]:
    """Return all findings about rules that parse, retired ones left out, in the order of their places."""
    rules = [placed for placed in rulebook.placed if placed.by is None]
    parsed = [_parsed(placed) for placed in rules if placed.rule.status is not RuleStatus.RETIRED]
    findings: list[LintFinding] = []
    sound: list[_Parsed] = []
    for each in parsed:
        own = list(_conditions(each))
        if not own:
            sound.append(each)
            own += _clear(each)
        findings += own
        findings += _out_of_range(each, own)
        findings += _surroundings(each, around)
    # What never opens, or always, would be implied by, or imply, every other rule.
    findings += _between([each for each in sound if each.rule.status is RuleStatus.ACTIVE])
    return sorted(findings, key=lambda f: (f.path, f.line, f.code, f.message))


def _parsed(placed: PlacedRule) -> _Parsed:
    rule = placed.rule
    when, only, clear = (
        None if sql is None else parse_condition(sql, DTYPES) for sql in (rule.when, rule.only, rule.clear)
    )
    assert when is not None
    return _Parsed(placed, when, only, clear)


# -- one rule's conditions --------------------------------------------------------------------------


def _conditions(each: _Parsed) -> Iterator[LintFinding]:
    """Yield what is wrong with `when` and `only`."""
    if each.only is not None:
        if not satisfiable((each.only, Want.TRUE)):
            yield each.finding(
                "L103", ["only"], f"`only` is never true: {each.rule.only}", _ranges(each.only)
            )
            return
        if _is_certain(each.only):
            yield each.finding(
                "L104", ["only"], "`only` is true of every customer", "leave it out or mend it"
            )
    if not satisfiable((each.when, Want.TRUE)):
        yield each.finding(
            "L101", CONDITIONS, f"`when` is never true{_blamed(each.when)}", _ranges(each.when)
        )
    elif not satisfiable((each.when, Want.FALSE)):
        known = "" if satisfiable((each.when, Want.NOT_TRUE)) is False else " where its features are known"
        yield each.finding("L102", CONDITIONS, f"`when` is true of every customer{known}", _ranges(each.when))
    elif not satisfiable((each.opens, Want.TRUE)):
        text = "`when` is never true of a customer whom `only` covers"
        yield each.finding("L105", CONDITIONS, text, "the two contradict each other: mend one of them")
    else:
        yield from _idle_parts(each)


def _ranges(condition: c.Condition) -> str:
    """Return what to do about a condition whose verdict follows from the ranges of its features."""
    wrong = [str(each) for each in out_of_range(condition)]
    return (
        "; ".join(wrong)
        or "look at the features' ranges in docs/features.md and at the direction of each comparison"
    )


def _out_of_range(each: _Parsed, found: Sequence[LintFinding]) -> Iterator[LintFinding]:
    """Yield numbers outside of a feature's range, in conditions that nothing else was found about."""
    lines = {finding.line for finding in found}
    for field, condition in (("when", each.when), ("only", each.only), ("clear", each.clear)):
        fields = [field, *CONDITIONS]
        if condition is not None and each.placed.line(*fields) not in lines:
            for wrong in out_of_range(condition):
                hint = "the comparison decides nothing: write the number that is meant"
                yield each.finding("L107", fields, f"in `{field}` {wrong}", hint)


def _is_certain(condition: c.Condition) -> bool:
    """Return whether a condition is true of everybody, so long as no source is quiet.

    One that is true wherever it is known, such as `churn_probability >= 0`, may be there to ask just that.
    """
    may_be_missing = any(CATALOGUE[name].may_be_missing for name in c.features_of(condition))
    return not satisfiable((condition, Want.NOT_TRUE if may_be_missing else Want.FALSE))


def _blamed(condition: c.Condition) -> str:
    """Return which part of a chain of ANDs is never true by itself, as words to be added."""
    places = [i for i, part in enumerate(c.parts(condition, c.And), 1) if not satisfiable((part, Want.TRUE))]
    several = len(c.parts(condition, c.And)) > 1
    return f": its part {places[0]} (of those joined by AND) never is" if places and several else ""


def _idle_parts(each: _Parsed) -> Iterator[LintFinding]:
    """Yield parts that are certain, and so leave the verdict to the others."""
    for field, condition in (("when", each.when), ("only", each.only)):
        if condition is None:
            continue
        for number, part in enumerate(c.parts(condition, c.And), 1):
            if part is not condition and _is_certain(part):
                text = f"part {number} of `{field}` is always true ({_read(part)})"
                yield each.finding(
                    "L106", [field, *CONDITIONS], text, "it decides nothing: leave it out or mend it"
                )
            for branch in c.parts(part, c.Or):
                if branch is not part and not satisfiable((branch, Want.TRUE)):
                    text = f"an alternative in part {number} of `{field}` is never true ({_read(branch)})"
                    yield each.finding("L106", [field, *CONDITIONS], text, "leave it out or mend it")


def _read(part: c.Condition) -> str:
    return "on " + ", ".join(dict.fromkeys(c.features_of(part))) if any(c.features_of(part)) else "constant"


def _clear(each: _Parsed) -> Iterator[LintFinding]:
    """Yield what is wrong with `clear` after `when`."""
    if each.clear is None or each.clear == c.Constant(False):  # `FALSE` says on purpose: never
        return
    if not satisfiable((each.clear, Want.TRUE)):
        text = "`clear` is never true, so the warning never resolves"
        wrong = [str(each) for each in out_of_range(each.clear)]
        hint = "; ".join([*wrong, "write FALSE if that is meant"])
        yield each.finding("L111", ["clear"], text, hint)
        return
    if not satisfiable_after(each.opens, each.clear):
        names = sorted({n for n in c.features_of(each.clear) if n in CATALOGUE and not CATALOGUE[n].can_fall})
        text = f"`clear` can never become true once `when` was, for {' and '.join(names)} never falls"
        yield each.finding("L111", ["clear"], text, "read a feature that can fall, or write FALSE")
        return
    if not satisfiable((each.opens, Want.TRUE), (each.clear, Want.NOT_TRUE)):
        text = "`clear` is true whenever `when` is, so a warning closes as soon as it opened"
        yield each.finding("L112", ["clear"], text, "turn it round: it says when the danger is over")
        return
    if satisfiable((each.opens, Want.TRUE), (each.clear, Want.TRUE)):
        found = example([each.opens, each.clear])
        if found is not None:
            text = f"`clear` can be true while `when` still is, for example with {_example(found)}"
            hint = "a warning would open and close again and again: add to `clear` what excludes `when`"
            yield each.finding("L113", ["clear"], text, hint)


def _example(row: Mapping[str, Value]) -> str:
    return ", ".join(
        f"{name} = {'missing' if value is None else shown(value)}" for name, value in row.items()
    )


# -- rules and what is around them ------------------------------------------------------------------


def _surroundings(each: _Parsed, around: Surroundings) -> Iterator[LintFinding]:
    rule = each.rule
    if around.tested is not None and rule.takes_part and rule.id not in around.tested:
        hint = "write one in the folder `cases` beside the rules; `lapwing rules test` runs it"
        yield each.finding("L131", ["id"], "no test case names the rule", hint)
    for field, condition in (("when", each.when), ("only", each.only), ("clear", each.clear)):
        for name in dict.fromkeys(() if condition is None else c.features_of(condition)):
            absent = [topic.label for topic in CATALOGUE[name].reads if topic not in around.topics]
            if absent:
                text = f"`{field}` reads {name}, always missing, for the topic {absent[0]} is not connected"
                yield each.finding("L141", [field, *CONDITIONS], text, f"connect {absent[0]} or leave it out")
    if rule.absence is not None and "others" not in rule.absence.lower():
        topic = next(t for name in c.features_of(each.when) for t in CATALOGUE[name].reads)
        if topic not in around.guarded:
            text = f"when {topic.label} stop coming for everybody, everybody is absent"
            hint = "add `though others ...` to the phrase, or set `quiet_after` for the topic"
            yield each.finding("L151", ["absence"], text, hint)


# -- rules and each other ---------------------------------------------------------------------------


def _between(rules: Sequence[_Parsed]) -> Iterator[LintFinding]:
    told: set[str] = set()
    for i, later in enumerate(rules):
        for earlier in rules[:i]:
            if _key(later.opens) == _key(earlier.opens) and not _steps_up(earlier.rule, later.rule):
                told.add(later.rule.id)
                text = f"its `when` and `only` are those of {earlier.rule.id!r} ({_place(earlier)})"
                yield later.finding("L121", CONDITIONS, text, "keep one of the two")
                break
    for each in rules:
        for other in rules:
            if each is other or {each.rule.id, other.rule.id} & told:
                continue
            if _adds_nothing(each, other):
                text = f"whenever it holds, {other.rule.id!r} ({_place(other)}) does, no later and no milder"
                hint = "it never adds anything: leave it out, raise its tier or make it speak earlier"
                yield each.finding("L122", CONDITIONS, text, hint)
                break


def _steps_up(one: Rule, other: Rule) -> bool:
    """Return whether of two rules that say the same the one that waits longer is more urgent."""
    return (one.for_us - other.for_us) * (one.tier - other.tier) > 0


def _adds_nothing(each: _Parsed, other: _Parsed) -> bool:
    """Return whether a rule opens only where the other is open, or was."""
    mine, theirs = each.rule, other.rule
    if theirs.tier < mine.tier or theirs.for_us > mine.for_us:
        return False
    if not set(c.features_of(other.opens)) & set(c.features_of(each.opens)):
        return False
    return not satisfiable((each.opens, Want.TRUE), (other.opens, Want.NOT_TRUE))


def _place(each: _Parsed) -> str:
    return f"{each.placed.path}:{each.placed.line('id')}"


def _key(node: object) -> object:
    """Return what two conditions have in common that differ in the order of AND, OR and + alone."""
    if isinstance(node, c.And | c.Or):
        return (type(node).__name__, frozenset(_key(part) for part in c.parts(node, type(node))))
    if isinstance(node, c.Compare) and node.op in (">", ">="):
        return ("Compare", "<" + node.op[1:], _key(node.right), _key(node.left))
    if isinstance(node, c.WordTest) and node.test == "in":
        return ("in", _key(node.of), frozenset(node.words))
    if isinstance(node, c.Not):
        return ("Not", _key(node.of))
    return node
