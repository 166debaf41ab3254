"""The rulebook: rules, pauses, plays, reasons and test cases, loaded as one or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from streams.core.conditions.parser import closest
from streams.core.decision.plays import NO_PLAYS, Play, Plays
from streams.core.features.catalogue import DTYPES
from streams.core.rules.inhibition import inhibition_problems
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet
from streams.core.segments.rules import SegmentRule, SegmentRules
from streams.core.steps import Tier
from streams.rulebook.cases.case import Case, CaseRules, Expected
from streams.rulebook.fields import SLUG
from streams.rulebook.files import (
    CASES,
    PLAYS,
    Contents,
    is_of_rules,
    read_files,
    read_rule_files,
    unreadable,
)
from streams.rulebook.plays_file import PlaysFile
from streams.rulebook.reader import (
    Mistake,
    Place,
    Places,
    ReadDocument,
    RulebookRefused,
    entry,
    read_document,
)
from streams.rulebook.reasons_file import Reasons, ReasonsFile, reasons_of, shipped_reasons
from streams.rulebook.rule_file import PauseEntry, RuleEntry, RuleFile, SegmentRuleEntry
from streams.rulebook.yaml import Entries, Node, Scalar

MAX_RULES: Final = 2_000
"""Of a rulebook, segments' rules included."""


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule with its place."""

    rule: Rule
    path: str
    lines: Mapping[str, int]
    """The line of each field that was written."""
    by: str | None = None
    """The dimension of a rule of segments."""

    def line(self, *fields: str) -> int:
        """Return the line of the first of `fields` that was written, that of the id where none was."""
        return next((self.lines[field] for field in fields if field in self.lines), self.lines["id"])


@dataclass(frozen=True, slots=True)
class PlacedPause:
    """A pause with its place."""

    pause: PauseEntry
    path: str
    lines: Mapping[str, int]
    """The line of each id that it names."""


@dataclass(frozen=True, slots=True)
class PlacedPlay:
    """A play with its place."""

    play: Play
    path: str
    lines: Mapping[str, int]
    """The line of each field that was written."""

    def line(self, field: str) -> int:
        """Return the line of a field, that of the id where it was not written."""
        return self.lines.get(field, self.lines["id"])


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that rulebook files say, paused rules as such."""

    placed: tuple[PlacedRule, ...] = ()
    """Every rule, of customers and of segments, as it stands in the files."""
    pauses: tuple[PlacedPause, ...] = ()
    cases: tuple[Case, ...] = ()
    rules: RuleSet = field(default_factory=lambda: RuleSet((), DTYPES))
    """The rules that judge customers, compiled."""
    segment_rules: SegmentRules = field(default_factory=SegmentRules)
    plays: tuple[PlacedPlay, ...] = ()
    """Every play as it stands in the files; `rules.plays` are the same for the engine."""
    reasons: Reasons = field(default_factory=shipped_reasons)

    _of_cases: dict[Any, CaseRules] = field(default_factory=dict, repr=False, compare=False)

    def rules_of(self, case: Case) -> CaseRules:
        """Return the rules that a case judges, as if they were live.

        A case without `rules` judges all that take part and those that it names; what is in shadow, a draft
        or retired is tried here first.
        """
        key = (case.rules, frozenset(case.named))
        if key not in self._of_cases:
            chosen = [
                replace(each, rule=replace(each.rule, status=RuleStatus.ACTIVE))
                for each in self.placed
                if each.rule.id in case.named or (case.rules is None and each.rule.takes_part)
            ]
            self._of_cases[key] = CaseRules(*_compiled(chosen))
        return self._of_cases[key]


def load_rulebook(paths: Path | Sequence[Path], cases: Sequence[Path] = ()) -> Rulebook:
    """Return what rule files and folders say, or raise `RulebookRefused` with every mistake of all of them.

    Test cases are read where `cases` names their files or folders; every rule that they name must be there.
    """
    read = read_rule_files([paths] if isinstance(paths, Path) else paths)
    reading = _RulebookReading(list(read.mistakes))
    reading.read_rules(read.contents)
    reading.read_cases(cases)
    return reading.rulebook()


def parse_rulebook(files: Mapping[str, str]) -> Rulebook:
    """Return what files say whose text is given by name, or raise as `load_rulebook` does."""
    return parse_contents({name: text.encode() for name, text in files.items()})


def parse_contents(contents: Contents) -> Rulebook:
    """Return what files say whose content is given by path, or raise as `load_rulebook` does."""
    reading = _RulebookReading([])
    reading.read_rules(contents)
    return reading.rulebook()


@dataclass(frozen=True, slots=True)
class _Outline:
    """What is known of a rule although a field of it may be wrong: enough to compare it with others."""

    id: str
    tier: Tier
    inhibits: tuple[str, ...]
    places: Places
    place: Place
    of_segments: bool
    tier_known: bool

    @property
    def node(self) -> Node:
        return self.places.node((*self.place, "id"))

    def hidden(self, rule: str) -> tuple[Node, Place]:
        """Return where it names a rule that it inhibits."""
        place = (*self.place, "inhibits")
        node = self.places.node(place)
        if isinstance(node, Entries):
            node = next((n for n in node.values if isinstance(n, Scalar) and n.text == rule), node)
        return node, place


class _RulebookReading:
    """Files being read."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self._mistakes = mistakes
        self._files: list[ReadDocument[RuleFile]] = []
        self._plays: list[ReadDocument[PlaysFile]] = []
        self._reasons: list[ReadDocument[ReasonsFile]] = []
        self._cases: list[Case] = []
        self._case_places: dict[str, Places] = {}

    def read_rules(self, contents: Contents) -> None:
        """Read the files of rules, plays and reasons."""
        for path, content in sorted(contents.items()):
            read: ReadDocument[Any]
            if is_of_rules(path):
                self._files.append(read := read_document(path, content, RuleFile))
            elif Path(path).stem == PLAYS:
                self._plays.append(read := read_document(path, content, PlaysFile))
            else:
                self._reasons.append(read := read_document(path, content, ReasonsFile))
            self._mistakes += read.mistakes
        self._refuse_between_rules()
        for several in (self._plays, self._reasons):
            for read in several[1:]:
                message = f"there is another file of this name: {several[0].path}; keep one of the two"
                self._mistakes.append(Mistake(read.path, 0, 0, message))

    def read_cases(self, paths: Sequence[Path]) -> None:
        """Read files of test cases."""
        if not paths:
            return
        # The models of test cases take longer to make than all rules to read.
        from streams.rulebook.cases.read import case_files

        for path in paths:
            try:
                files = case_files(path)
            except OSError as error:
                self._mistakes.append(unreadable(path, error))
                continue
            if not files:
                there = (
                    "there is no test case in this folder"
                    if path.is_dir()
                    else "there is no such file or folder"
                )
                message = f"{there}: cases are YAML files in a folder named `{CASES}`"
                self._mistakes.append(Mistake(str(path), 0, 0, message))
            found = read_files(files)
            self._mistakes += found.mistakes
            for name, content in found.contents.items():
                self._read_case_file(name, content)
        self._refuse_rules_of_cases()

    def _read_case_file(self, name: str, content: bytes) -> None:
        from streams.rulebook.cases.case_file import CaseFile
        from streams.rulebook.cases.read import cases_of, repeated_names

        read = read_document(name, content, CaseFile)
        self._mistakes += read.mistakes
        if read.places is not None:
            self._mistakes += repeated_names(read.places)
        if read.content is not None:
            cases, mistakes = cases_of(read)
            self._mistakes += mistakes
            self._cases += cases

    def rulebook(self) -> Rulebook:
        """Return everything, or raise `RulebookRefused`."""
        if self._mistakes:
            raise RulebookRefused(self._mistakes)
        pauses = tuple(self._pauses())
        placed = tuple(
            replace(each, rule=_paused(each.rule, [p.pause for p in pauses])) for each in self._placed()
        )
        plays = tuple(self._placed_plays())
        reasons = [r.content for r in self._reasons if r.content is not None]
        return Rulebook(
            placed,
            pauses,
            tuple(self._cases),
            *_compiled(placed, plays),
            plays=plays,
            reasons=reasons_of(reasons[0], self._reasons[0].path) if reasons else shipped_reasons(),
        )

    def _placed_plays(self) -> Iterator[PlacedPlay]:
        for read in self._plays:
            assert read.content is not None
            assert read.places is not None
            for i, each in enumerate(read.content.plays):
                yield PlacedPlay(each.play(), read.path, read.places.lines(("plays", i)))

    def _placed(self) -> Iterator[PlacedRule]:
        for read in self._files:
            assert read.content is not None
            assert read.places is not None
            groups: tuple[tuple[str, Sequence[RuleEntry | SegmentRuleEntry]], ...] = (
                ("rules", read.content.rules),
                ("segments", read.content.segments),
            )
            for name, entries in groups:
                for i, each in enumerate(entries):
                    by = each.by if isinstance(each, SegmentRuleEntry) else None
                    yield PlacedRule(each.rule(), read.path, read.places.lines((name, i)), by)

    def _pauses(self) -> Iterator[PlacedPause]:
        for read in self._files:
            if read.content is not None and read.content.pause is not None:
                assert read.places is not None
                ids = read.content.pause.rules or ()
                lines = {id_: read.places.node(("pause", "rules", i)).line for i, id_ in enumerate(ids)}
                yield PlacedPause(read.content.pause, read.path, lines)

    # -- what is wrong between rules ----------------------------------------------------------------

    def _refuse_between_rules(self) -> None:
        outlines = list(self._outlines())
        if len(outlines) > MAX_RULES:
            each = outlines[MAX_RULES]
            message = f"a rulebook holds at most {MAX_RULES} rules: this is one too many"
            self._mistakes.append(each.places.mistake(each.node, each.place, message))
            return
        self._refuse_repeated_ids(outlines)
        self._refuse_inhibits([each for each in outlines if not each.of_segments])
        self._refuse_pauses([each.id for each in outlines])

    def _outlines(self) -> Iterator[_Outline]:
        tiers = {tier.label: tier for tier in Tier}
        for read in self._files:
            if read.places is None:
                continue
            for name in RuleFile.named:
                several = entry(read.places.root, name)
                values = several.values if isinstance(several, Entries) and several.keys is None else ()
                for i, node in enumerate(values):
                    id_, tier = entry(node, "id"), entry(node, "tier")
                    if isinstance(id_, Scalar) and SLUG.fullmatch(id_.text) and len(id_.text) <= 64:
                        known = tiers.get(tier.text) if isinstance(tier, Scalar) else None
                        yield _Outline(
                            id_.text, known or Tier.LOW, _slugs_of(entry(node, "inhibits")), read.places,
                            (name, i), name == "segments", known is not None,
                        )  # fmt: skip

    def _refuse_repeated_ids(self, outlines: Sequence[_Outline]) -> None:
        first: dict[str, _Outline] = {}
        for each in outlines:
            other = first.setdefault(each.id, each)
            if other is not each:
                message = f"the id is taken by the rule at {other.places.path}:{other.node.line}"
                self._mistakes.append(each.places.mistake(each.node, each.place, message))

    def _refuse_inhibits(self, outlines: Sequence[_Outline]) -> None:
        by_id = {each.id: each for each in outlines}
        for found in inhibition_problems(outlines):
            each, other = by_id[found.rule], by_id.get(found.hidden)
            if other is not None and other.tier > each.tier and not (each.tier_known and other.tier_known):
                continue  # the tier is the mistake
            node, place = each.hidden(found.hidden)
            message = f"`inhibits`: {found.message}"
            self._mistakes.append(each.places.mistake(node, place, message, found.hint))

    def _refuse_pauses(self, known: Sequence[str]) -> None:
        """Refuse ids that no rule has: such a pause would pause nothing."""
        for read in self._files:
            pause = entry(read.places.root, "pause") if read.places is not None else None
            rules = entry(pause, "rules") if pause is not None else None
            for node in rules.values if isinstance(rules, Entries) and rules.keys is None else ():
                if isinstance(node, Scalar) and SLUG.fullmatch(node.text) and node.text not in known:
                    assert read.places is not None
                    message = f"`pause` names no rule: {node.text!r}"
                    self._mistakes.append(
                        read.places.mistake(node, ("pause",), message, closest(node.text, list(known)))
                    )

    def _refuse_rules_of_cases(self) -> None:
        """Refuse rules that cases name and that are not there, or that judge something else."""
        known = {each.id: each for each in self._outlines()}
        if not known or any(read.places is None for read in self._files):
            return  # what is not there may stand in what cannot be read
        for case in self._cases:
            for rule, line in case.named.items():
                if rule not in known:
                    near = closest(rule, list(known))
                    self._mistakes.append(_case_mistake(case, line, f"there is no rule {rule!r}", rule, near))
            for expected in case.expected:
                outline = known.get(expected.rule)
                message = _wrong_subject(expected, outline) if outline is not None else None
                if message is not None:
                    self._mistakes.append(_case_mistake(case, expected.line, message, expected.subject))


def _wrong_subject(expected: Expected, outline: _Outline) -> str | None:
    """Return what is wrong with whom a case expects a rule to open for."""
    by = entry(outline.places.node(outline.place), "by")
    dimension = by.text if isinstance(by, Scalar) else "region"
    given = expected.subject.partition("=")[0]
    if outline.of_segments != expected.of_segment:
        wanted = f"a segment: write `segment: {dimension}=...`" if outline.of_segments else "a customer"
        return f"{expected.rule!r} opens for {wanted}" + (
            "" if outline.of_segments else ", not for a segment"
        )
    return (
        f"{expected.rule!r} is by {dimension}, not by {given}"
        if expected.of_segment and given != dimension
        else None
    )


def _case_mistake(case: Case, line: int, message: str, value: str, hint: str | None = None) -> Mistake:
    return Mistake(case.path, line, 1, message, "case", case.name, value, hint)


def _compiled(placed: Sequence[PlacedRule], plays: Sequence[PlacedPlay] = ()) -> tuple[RuleSet, SegmentRules]:
    segments = [SegmentRule(each.by, each.rule) for each in placed if each.by is not None]
    own = Plays([each.play for each in plays]) if plays else NO_PLAYS
    return RuleSet([each.rule for each in placed if each.by is None], DTYPES, own), SegmentRules(segments)


def _slugs_of(node: Node | None) -> tuple[str, ...]:
    nodes = node.values if isinstance(node, Entries) and node.keys is None else (node,)
    return tuple(each.text for each in nodes if isinstance(each, Scalar) and SLUG.fullmatch(each.text))


def _paused(rule: Rule, pauses: Sequence[PauseEntry]) -> Rule:
    """Return a rule, in shadow where it is active and paused."""
    why = [pause.why for pause in pauses if pause.pauses(rule)]
    if not why or rule.status is not RuleStatus.ACTIVE:
        return rule
    return replace(rule, status=RuleStatus.SHADOW, paused="; ".join(why))
