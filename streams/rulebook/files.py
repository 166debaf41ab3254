"""Rule files: YAML -> `RuleSet`, strictly, with every mistake of every file told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from streams.core.conditions.parser import LONGEST, Catalogue
from streams.core.rules.phrases import PhraseError, parse_absence, parse_sequence
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules, rule_problems
from streams.core.segments.catalogue import SEGMENT_DTYPES
from streams.core.segments.counts import DIMENSIONS
from streams.core.segments.rules import SegmentRule, SegmentRules
from streams.core.steps import Tier
from streams.errors import RuleFilesError
from streams.rulebook import pause as rule_pause
from streams.rulebook.inhibits import INHIBITS, Places, listed, read_inhibits, refuse_inhibits
from streams.rulebook.pause import Pause, read_pause, unknown_ids
from streams.rulebook.reader import (
    SLUG,
    Fields,
    Node,
    StrictReader,
    WrongValueError,
    choice,
    duration,
    entry,
    slug,
    text,
    written,
)
from streams.rulebook.yaml import Scalar, YamlMistake, parse_yaml, read_yaml

VERSION: Final = 1
"""Of the rule file format."""
CASES: Final = "cases"
"""Folder beside rule files that holds their test cases, not rules."""

_TIERS: Final = {tier.label: tier for tier in Tier}
_STATUSES: Final = {status.value: status for status in RuleStatus}
_REQUIRED: Final = ("id", "tier", "reason")
_LISTS: Final = ("rules", "segments")
CONDITIONS: Final = ("when", "sequence", "absence")
"""The fields that say when the customer is in danger; what several of them say must hold together."""


@dataclass(frozen=True, slots=True, order=True)
class RuleMistake:
    """One mistake in a rule file; line and column count from 1."""

    path: str
    line: int
    column: int
    rule: str | None
    message: str
    value: str | None = None
    """What was written."""
    hint: str | None = None
    """The likely right word, where there is one."""

    def __str__(self) -> str:
        rule = f"rule {self.rule!r}: " if self.rule else ""
        hint = f"; did you mean {self.hint!r}?" if self.hint else ""
        return f"{self.path}:{self.line}: {rule}{self.message}{hint}"


class RuleFilesRefused(RuleFilesError):
    """Rule files that were refused; its text has a line for each mistake."""

    def __init__(self, mistakes: Sequence[RuleMistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


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


def load_rules(paths: Path | Sequence[Path], catalogue: Catalogue) -> RuleSet:
    """Return the rules of files and folders compiled, or raise `RuleFilesRefused` with every mistake."""
    return compile_rules([placed.rule for placed in read_rules(paths, catalogue)], catalogue)


def read_rules(paths: Path | Sequence[Path], catalogue: Catalogue) -> list[PlacedRule]:
    """Return the rules of files and folders with their places, or raise `RuleFilesRefused`."""
    return [placed for placed in _read(paths, catalogue).placed() if placed.by is None]


def load_segment_rules(paths: Path | Sequence[Path], catalogue: Catalogue) -> SegmentRules:
    """Return the segment rules of the same files; what is refused is the same."""
    found = _read(paths, catalogue).placed()
    return SegmentRules([SegmentRule(each.by, each.rule) for each in found if each.by is not None])


def _read(paths: Path | Sequence[Path], catalogue: Catalogue) -> _RuleFileReader:
    reader = _RuleFileReader(catalogue)
    for path in [paths] if isinstance(paths, Path) else paths:
        for file in reader.files(path):
            reader.read_file(file)
    return reader


def compile_files(files: Mapping[str, str], catalogue: Catalogue) -> RuleSet:
    """Return the rules of files whose text is given by name, or raise as `load_rules` does."""
    reader = _RuleFileReader(catalogue)
    for name, content in sorted(files.items()):
        reader.read_file(Path(name), content)
    return compile_rules([placed.rule for placed in reader.placed() if placed.by is None], catalogue)


def rule_files(folder: Path) -> list[Path]:
    """Return the rule files in and under a folder, sorted; `cases/` and what is hidden are left out."""
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix in (".yaml", ".yml")
        and path.is_file()
        and not any(part == CASES or part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    return sorted(found)


class _RuleFileReader(StrictReader):
    """Rule files being read."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.catalogue = catalogue
        self.mistakes: list[RuleMistake] = []
        self.rules: list[tuple[PlacedRule, Scalar]] = []
        """With the node of the id; a rule with a mistake is here too, its wrong fields at their defaults."""
        self.pauses: list[Pause] = []
        self._inhibits: Places = {}

    def add_mistake(
        self, line: int, column: int, name: str | None, message: str, value: str | None, hint: str | None
    ) -> None:
        """Note a mistake."""
        self.mistakes.append(RuleMistake(self.path, line, column, name, message, value, hint))

    def placed(self) -> list[PlacedRule]:
        """Return the rules of all files, paused ones as such, or raise `RuleFilesRefused`."""
        self.refuse_repeated_ids()
        rules = [placed.rule for placed, _ in self.rules]
        for path in sorted({path for path, _ in self._inhibits.values()}):
            self.path = path
            of_customers = [placed.rule for placed, _ in self.rules if placed.by is None]
            refuse_inhibits(path, of_customers, self._inhibits, self.refuse)
        for pause in self.pauses:
            self.path = pause.path
            unknown_ids(pause, rules, self.refuse)
        if self.mistakes:
            raise RuleFilesRefused(sorted(self.mistakes, key=lambda m: (m.path, m.line, m.column, m.message)))
        judged = rule_pause.paused(rules, self.pauses)
        return [replace(placed, rule=rule) for (placed, _), rule in zip(self.rules, judged, strict=True)]

    def files(self, path: Path) -> Iterable[Path]:
        """Return the files that a path given by the user stands for."""
        self.path = str(path)
        if path.is_file():
            return [path]
        if not path.is_dir():
            self.refuse(None, None, "there is no such file or folder")
            return []
        files = rule_files(path)
        if not files:
            self.refuse(None, None, "there is no rule file (*.yaml, *.yml) in this folder")
        return files

    def read_file(self, path: Path, content: str | None = None) -> None:
        """Read one file's rules, or those of its content where that is given."""
        self.path = str(path)
        try:
            document = read_yaml(path) if content is None else parse_yaml(content)
        except YamlMistake as mistake:
            self.add_mistake(mistake.line, mistake.column, None, mistake.message, None, None)
            return
        known = ("version", *_LISTS, "pause")
        top = self.mapping(document, None, known, "a rule file holds `version: 1` and `rules:`")
        if top is None:
            return
        self.version(document, top, VERSION, [] if top.keys() & {"segments", "pause"} else ["rules"])
        if "pause" in top:
            says = self.mapping(
                top["pause"],
                None,
                rule_pause.FIELDS,
                "`pause` says `rules:`, and may say `reason:` and `by:`",
            )
            if says is not None:
                self.pauses.append(read_pause(self.path, says, top["pause"], self.refuse))
        for name in (each for each in _LISTS if each in top):
            for place, each in enumerate(self.items(top[name], None, name, "rule"), 1):
                self._read_rule(each, place, of_segments=name == "segments")

    def refuse_repeated_ids(self) -> None:
        """Refuse ids that another rule has, in the same file or in another."""
        first: dict[str, PlacedRule] = {}
        for placed, node in self.rules:
            other = first.setdefault(placed.rule.id, placed)
            if other is not placed:
                self.path = placed.path
                taken = f"the id is taken by the rule at {other.path}:{other.line('id')}"
                self.refuse(node, placed.rule.id, taken, placed.rule.id)

    def _read_rule(self, node: Node, place: int, *, of_segments: bool) -> None:
        given = written(entry(node, "id"))
        name = given if given and SLUG.fullmatch(given) else f"number {place}"
        fields = SEGMENT_FIELDS if of_segments else FIELDS
        known = tuple(fields) if of_segments else (*fields, INHIBITS)
        entries = self.mapping(node, name, known, "a rule is a list of fields, each `name: value`")
        if entries is None:
            return
        for required in (*_REQUIRED, "by") if of_segments else _REQUIRED:
            if required not in entries:
                self.refuse(node, name, f"`{required}` is missing")
        if not any(field in entries for field in CONDITIONS):
            self.refuse(node, name, "`when` is missing")
        values: dict[str, Any] = {}
        for field in (each for each in entries if each in fields):
            attribute, read = fields[field]
            value = self.read(entries, name, field, read)
            if value is not None:
                values[attribute] = value
        if INHIBITS in entries:
            values[INHIBITS] = read_inhibits(entries[INHIBITS], name, self.refuse)
        by = values.pop("by", DIMENSIONS[0]) if of_segments else None
        self._refuse_conditions(name, entries, values, SEGMENT_DTYPES if of_segments else self.catalogue)
        rule = Rule(**{"id": name, "tier": Tier.LOW, "reason": "none", **values, "when": _joined(values)})
        if len(rule.when) > LONGEST and "when" in entries:
            self.refuse(entries["when"], name, f"`when` and its phrase are longer than {LONGEST} characters")
        if "id" in values:
            lines = {field: entries[field].line for field in entries}
            id_node = entries["id"]
            assert isinstance(id_node, Scalar)
            self.rules.append((PlacedRule(rule, self.path, lines, by), id_node))
            for each in listed(entries[INHIBITS]) if rule.inhibits else ():
                self._inhibits[rule.id, each.text] = (self.path, each)

    def _refuse_conditions(
        self, name: str, entries: Fields, values: Mapping[str, Any], catalogue: Catalogue
    ) -> None:
        """Refuse conditions and messages that do not compile, as they were written."""
        rule = Rule(**{"id": name, "when": "", "tier": Tier.LOW, "reason": "none", **values})
        for problem in rule_problems(rule, catalogue):
            if problem.field in values:
                self.refuse(entries[problem.field], name, problem.message, problem.value, problem.hint)


def _joined(values: Mapping[str, Any]) -> str:
    """Return the whole condition of a rule: its `when` and what its phrases stand for."""
    parts = []
    if values.get("sequence"):
        parts.append(parse_sequence(values["sequence"]).condition)
    if values.get("absence"):
        parts.append(parse_absence(values["absence"]).condition)
    if values.get("when"):
        parts.append(f"({values['when']})" if parts else values["when"])
    return " AND ".join(parts)


def _phrase(parse: Callable[[str], object]) -> Callable[[Scalar], str]:
    def read(node: Scalar) -> str:
        found = text(200)(node)
        try:
            parse(found)
        except PhraseError as error:
            message = f"is not understood: {error}"
            raise WrongValueError(message, error.hint) from None
        return found

    return read


FIELDS: Final[dict[str, tuple[str, Callable[[Scalar], Any]]]] = {
    "id": ("id", slug),
    "title": ("title", text(120)),
    "status": ("status", choice(_STATUSES)),
    "owner": ("owner", text(120)),
    "sequence": ("sequence", _phrase(parse_sequence)),
    "absence": ("absence", _phrase(parse_absence)),
    "when": ("when", text(LONGEST)),
    "clear": ("clear", text(LONGEST)),
    "only": ("only", text(LONGEST)),
    "for": ("for_us", duration),
    "keep_open_for": ("keep_open_for_us", duration),
    "cooldown": ("cooldown_us", duration),
    "tier": ("tier", choice(_TIERS)),
    "reason": ("reason", slug),
    "play": ("play", slug),
    "message": ("message", text(500)),
    "rationale": ("rationale", text(4000)),
    "false_alarms": ("false_alarms", text(4000)),
}
"""Every field of a rule, the attribute it fills, and how it is read."""
SEGMENT_FIELDS: Final = {name: how for name, how in FIELDS.items() if name not in CONDITIONS[1:]} | {
    "by": ("by", choice({name: name for name in DIMENSIONS}))
}
"""Those of a rule of segments."""
