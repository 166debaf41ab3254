"""What is doubtful about rules that parse: each finding with a code that stays, its place and a way out.

An error is a rule that cannot do what it is for; a warning is one that most likely was meant otherwise. What
is called impossible is proven (`streams.core.analysis.satisfiable`), and what is called possible has an
example (`streams.core.analysis.examples`), so that a rule that is right is never doubted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from streams.core.analysis.cases import Want
from streams.core.analysis.examples import example
from streams.core.analysis.knowledge import CUSTOMERS, SEGMENTS, Knowledge
from streams.core.analysis.out_of_range import out_of_range
from streams.core.analysis.satisfiable import satisfiable, satisfiable_after
from streams.core.conditions import tree as c
from streams.core.conditions.parser import closest, parse_condition
from streams.core.decision.plays import NO_PLAY
from streams.core.events.topics import REQUIRED, Topic
from streams.core.features.catalogue import CLASSES, DTYPES
from streams.core.rules.messages import shown
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.segments.catalogue import SEGMENT_DTYPES
from streams.core.steps import Value
from streams.rulebook.findings import Finding, Severity
from streams.rulebook.load import PlacedRule, Rulebook
from streams.rulebook.rule_file import CONDITIONS

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
    "L123": (Severity.WARNING, "a rule inhibits one that is not evaluated"),
    "L124": (Severity.WARNING, "a pause names a rule that warns nobody anyway"),
    "L131": (Severity.WARNING, "no test case names the rule"),
    "L141": (Severity.ERROR, "a feature's topic is not connected"),
    "L151": (Severity.WARNING, "an absence that a dead source would set off for everybody"),
    "L161": (Severity.ERROR, "a rule's reason is none of the reasons"),
    "L162": (Severity.ERROR, "a rule names a play that is not there"),
    "L163": (Severity.ERROR, "a play is for a reason that is none"),
    "L164": (Severity.WARNING, "a play that no rule can come to"),
}
"""Every code, how much it weighs, and what it stands for."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rules are compared with beside each other."""

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

    @property
    def about(self) -> Knowledge:
        """What is known of the features that the rule reads."""
        return CUSTOMERS if self.placed.by is None else SEGMENTS

    def can(self, *asked: tuple[c.Condition, Want]) -> bool:
        """Return whether conditions may be as asked; `False` is a proof of the contrary."""
        return satisfiable(*asked, about=self.about)

    @property
    def judged(self) -> str:
        """What the rule judges, for people."""
        return "customer" if self.placed.by is None else "segment"

    def finding(self, code: str, fields: Sequence[str], message: str, hint: str) -> Finding:
        path, line = self.placed.path, self.placed.line(*fields)
        return _finding(path, line, code, self.rule.id, message, hint)


def _finding(
    path: str, line: int, code: str, name: str, message: str, hint: str, kind: str = "rule"
) -> Finding:
    return Finding(path, line, CODES[code][0], code, kind, name, message, hint)


def lint(rulebook: Rulebook, around: Surroundings) -> list[Finding]:
    """Return all findings about rules that parse, retired ones left out, in the order of their places."""
    parsed = [_parsed(placed) for placed in rulebook.placed if placed.rule.status is not RuleStatus.RETIRED]
    findings: list[Finding] = []
    sound: dict[str | None, list[_Parsed]] = defaultdict(list)
    for each in parsed:
        own = list(_conditions(each))
        if not own:
            # What never opens, or always, would be implied by, or imply, every other rule.
            if each.rule.status is RuleStatus.ACTIVE:
                sound[each.placed.by].append(each)
            own += _clear(each)
        findings += own
        findings += _out_of_range(each, own)
        findings += _surroundings(each, around)
        findings += _inhibits(each, rulebook)
        findings += _reason_and_play(each, rulebook)
    for rules in sound.values():
        findings += _between(rules)
    findings += _pauses(rulebook)
    findings += _plays(rulebook)
    return sorted(findings, key=lambda f: (f.path, f.line, f.code, f.message))


def _parsed(placed: PlacedRule) -> _Parsed:
    rule = placed.rule
    catalogue = DTYPES if placed.by is None else SEGMENT_DTYPES
    when, only, clear = (
        None if sql is None else parse_condition(sql, catalogue) for sql in (rule.when, rule.only, rule.clear)
    )
    assert when is not None
    return _Parsed(placed, when, only, clear)


# -- one rule's conditions --------------------------------------------------------------------------


def _conditions(each: _Parsed) -> Iterator[Finding]:
    """Yield what is wrong with `when` and `only`."""
    if each.only is not None:
        if not each.can((each.only, Want.TRUE)):
            yield each.finding(
                "L103", ["only"], f"`only` is never true: {each.rule.only}", _ranges(each, each.only)
            )
            return
        if _is_certain(each, each.only):
            yield each.finding(
                "L104", ["only"], f"`only` is true of every {each.judged}", "leave it out or correct it"
            )
    if not each.can((each.when, Want.TRUE)):
        yield each.finding(
            "L101", CONDITIONS, f"`when` is never true{_blamed(each, each.when)}", _ranges(each, each.when)
        )
    elif not each.can((each.when, Want.FALSE)):
        known = "" if each.can((each.when, Want.NOT_TRUE)) is False else " where its features are known"
        yield each.finding(
            "L102", CONDITIONS, f"`when` is true of every {each.judged}{known}", _ranges(each, each.when)
        )
    elif not each.can((each.opens, Want.TRUE)):
        text = f"`when` is never true of a {each.judged} that `only` covers"
        yield each.finding("L105", CONDITIONS, text, "the two contradict each other: correct one of them")
    else:
        yield from _idle_parts(each)


def _ranges(of: _Parsed, condition: c.Condition) -> str:
    """Return what to do about a condition whose verdict follows from the ranges of its features."""
    wrong = [str(each) for each in out_of_range(condition, of.about)]
    page = "docs/features.md" if of.placed.by is None else "docs/segments.md"
    return (
        "; ".join(wrong) or f"look at the features' ranges in {page} and at the direction of each comparison"
    )


def _out_of_range(each: _Parsed, found: Sequence[Finding]) -> Iterator[Finding]:
    """Yield numbers outside of a feature's range that no other finding names."""
    named = " ".join(finding.hint for finding in found)
    for field, condition in (("when", each.when), ("only", each.only), ("clear", each.clear)):
        fields = [field, *CONDITIONS]
        for wrong in () if condition is None else out_of_range(condition, each.about):
            if str(wrong) not in named:
                hint = "the comparison decides nothing: write the number that is meant"
                yield each.finding("L107", fields, f"in `{field}` {wrong}", hint)


def _is_certain(of: _Parsed, condition: c.Condition) -> bool:
    """Return whether a condition is true of everybody, so long as no source is quiet.

    One that is true wherever it is known, such as `churn_probability >= 0`, may be there to ask just that.
    """
    may_be_missing = any(of.about.catalogue[name].may_be_missing for name in c.features_of(condition))
    return not of.can((condition, Want.NOT_TRUE if may_be_missing else Want.FALSE))


def _blamed(of: _Parsed, condition: c.Condition) -> str:
    """Return which part of a chain of ANDs is never true by itself, as words to be added."""
    places = [i for i, part in enumerate(c.parts(condition, c.And), 1) if not of.can((part, Want.TRUE))]
    several = len(c.parts(condition, c.And)) > 1
    return f": its part {places[0]} (of those joined by AND) never is" if places and several else ""


def _idle_parts(each: _Parsed) -> Iterator[Finding]:
    """Yield parts that are certain, and so leave the verdict to the others."""
    for field, condition in (("when", each.when), ("only", each.only)):
        if condition is None:
            continue
        for number, part in enumerate(c.parts(condition, c.And), 1):
            if part is not condition and _is_certain(each, part):
                text = f"part {number} of `{field}` is always true ({_read(part)})"
                yield each.finding(
                    "L106", [field, *CONDITIONS], text, "it decides nothing: leave it out or correct it"
                )
            for branch in c.parts(part, c.Or):
                if branch is not part and not each.can((branch, Want.TRUE)):
                    text = f"an alternative in part {number} of `{field}` is never true ({_read(branch)})"
                    yield each.finding("L106", [field, *CONDITIONS], text, "leave it out or correct it")


def _read(part: c.Condition) -> str:
    return "on " + ", ".join(dict.fromkeys(c.features_of(part))) if any(c.features_of(part)) else "constant"


def _clear(each: _Parsed) -> Iterator[Finding]:
    """Yield what is wrong with `clear` after `when`."""
    if each.clear is None or each.clear == c.Constant(False):  # `FALSE` says on purpose: never
        return
    if not each.can((each.clear, Want.TRUE)):
        text = "`clear` is never true, so the warning never resolves"
        hint = f"{_ranges(each, each.clear)}; write FALSE if that is meant"
        yield each.finding("L111", ["clear"], text, hint)
        return
    if not satisfiable_after(each.opens, each.clear, each.about):
        names = sorted({name for name in c.features_of(each.clear) if not each.about.can_fall(name)})
        text = f"`clear` can never become true once `when` was, for {' and '.join(names)} never falls"
        yield each.finding("L111", ["clear"], text, "read a feature that can fall, or write FALSE")
        return
    for number, branch in enumerate(c.parts(each.clear, c.Or), 1):
        if branch is not each.clear and not satisfiable_after(each.opens, branch, each.about):
            text = f"alternative {number} of `clear` can never become true once `when` was ({_read(branch)})"
            yield each.finding("L106", ["clear"], text, "leave it out or correct it")
    if not each.can((each.opens, Want.TRUE), (each.clear, Want.NOT_TRUE)):
        text = "`clear` is true whenever `when` is, so a warning closes as soon as it opened"
        yield each.finding("L112", ["clear"], text, "turn it round: it says when the danger is over")
        return
    if each.can((each.opens, Want.TRUE), (each.clear, Want.TRUE)):
        found = example([each.opens, each.clear], each.about)
        if found is not None:
            text = f"`clear` can be true while `when` still is, for example with {_example(found)}"
            hint = "a warning would open and close again and again: add to `clear` what excludes `when`"
            yield each.finding("L113", ["clear"], text, hint)


def _example(row: Mapping[str, Value]) -> str:
    return ", ".join(
        f"{name} = {'missing' if value is None else shown(value)}" for name, value in row.items()
    )


# -- rules and what is around them ------------------------------------------------------------------


def _surroundings(each: _Parsed, around: Surroundings) -> Iterator[Finding]:
    rule = each.rule
    if around.tested is not None and rule.takes_part and rule.id not in around.tested:
        hint = "write one in the folder `cases` beside the rules; `lapwing rules test` runs it"
        yield each.finding("L131", ["id"], "no test case names the rule", hint)
    for field, condition in (("when", each.when), ("only", each.only), ("clear", each.clear)):
        for name in dict.fromkeys(() if condition is None else c.features_of(condition)):
            absent = [topic.label for topic in each.about.catalogue[name].reads if topic not in around.topics]
            if absent:
                text = f"`{field}` reads {name}, always missing, for the topic {absent[0]} is not connected"
                yield each.finding("L141", [field, *CONDITIONS], text, f"connect {absent[0]} or leave it out")
    if rule.absence is not None and "others" not in rule.absence.lower():
        topic = next(t for name in c.features_of(each.when) for t in each.about.catalogue[name].reads)
        if topic not in around.guarded:
            text = f"when {topic.label} stop coming for everybody, everybody is absent"
            hint = "add `though others ...` to the phrase, or set `quiet_after` for the topic"
            yield each.finding("L151", ["absence"], text, hint)


def _inhibits(each: _Parsed, rulebook: Rulebook) -> Iterator[Finding]:
    """Yield inhibited rules that are drafts or retired: nothing of them is there to be hidden."""
    by_id = {placed.rule.id: placed.rule for placed in rulebook.placed if placed.by is None}
    others = [name for name, rule in by_id.items() if rule.takes_part and name != each.rule.id]
    for name in each.rule.inhibits:
        if not by_id[name].takes_part:
            text = f"`inhibits` names {name!r}, which is {_status(by_id[name])} and never opens"
            yield each.finding("L123", ["inhibits"], text, _instead(name, others))


def _pauses(rulebook: Rulebook) -> Iterator[Finding]:
    """Yield rules that a pause names and that are drafts or retired."""
    by_id = {placed.rule.id: placed.rule for placed in rulebook.placed}
    others = [name for name, rule in by_id.items() if rule.takes_part]
    for pause in rulebook.pauses:
        for name in pause.pause.rules or ():
            if not by_id[name].takes_part:
                text = f"`pause` names it, but it is {_status(by_id[name])} and warns nobody anyway"
                yield _finding(pause.path, pause.lines[name], "L124", name, text, _instead(name, others))


def _reason_and_play(each: _Parsed, rulebook: Rulebook) -> Iterator[Finding]:
    """Yield a reason that is none, and a play that is not there where there are plays."""
    rule, codes = each.rule, rulebook.reasons.by_code
    if rule.reason not in codes:
        near = closest(rule.reason, list(codes))
        where = rulebook.reasons.path or "the reasons that come with Lapwing"
        hint = f"did you mean {near!r}?" if near else f"take one of {where}, or add it to reasons.yaml"
        yield each.finding("L161", ["reason"], f"{rule.reason!r} is none of the reasons", hint)
    known = [placed.play.id for placed in rulebook.plays]
    if known and rule.play is not None and rule.play not in (*known, NO_PLAY):
        near = closest(rule.play, [*known, NO_PLAY])
        hint = f"did you mean {near!r}?" if near else f"add it to plays.yaml, or write {NO_PLAY!r}"
        yield each.finding("L162", ["play"], f"there is no play {rule.play!r}", hint)


def _plays(rulebook: Rulebook) -> Iterator[Finding]:
    """Yield plays for reasons that are none, and plays that nothing leads to."""
    codes = rulebook.reasons.by_code
    rules = [placed.rule for placed in rulebook.placed if placed.by is None and placed.rule.takes_part]
    named = {rule.play for rule in rules}
    open_reasons = {rule.reason for rule in rules if rule.play is None}
    for placed in rulebook.plays:
        play = placed.play
        for reason in play.reasons:
            if reason not in codes:
                near = closest(reason, list(codes))
                hint = f"did you mean {near!r}?" if near else "leave it out, or add it to reasons.yaml"
                text = f"{reason!r} is none of the reasons"
                yield _finding(placed.path, placed.line("reasons"), "L163", play.id, text, hint, "play")
        fits = any(play.fits(reason, name) for reason in open_reasons for name in (None, *CLASSES))
        if rules and play.id not in named and not fits:
            text = "no rule names it, and none that names no play has a reason that it is for"
            hint = "name it in a rule, or leave it out"
            yield _finding(placed.path, placed.line("id"), "L164", play.id, text, hint, "play")


def _status(rule: Rule) -> str:
    return "a draft" if rule.status is RuleStatus.DRAFT else rule.status.value


def _instead(name: str, others: Sequence[str]) -> str:
    near = closest(name, list(others))
    return f"did you mean {near!r}?" if near else "leave it out"


# -- rules and each other ---------------------------------------------------------------------------


def _between(rules: Sequence[_Parsed]) -> Iterator[Finding]:
    same: set[str] = set()
    for i, later in enumerate(rules):
        for earlier in rules[:i]:
            if _key(later.opens) == _key(earlier.opens) and not _steps_up(earlier.rule, later.rule):
                same.add(later.rule.id)
                text = f"its `when` and `only` are those of {earlier.rule.id!r} ({_place(earlier)})"
                yield later.finding("L121", CONDITIONS, text, "keep one of the two")
                break
    for each in rules:
        for other in rules:
            if each is other or {each.rule.id, other.rule.id} & same:
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
    return not each.can((each.opens, Want.TRUE), (other.opens, Want.NOT_TRUE))


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
