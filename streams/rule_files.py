"""Rule files: YAML -> `RuleSet`, strictly, with every mistake of every file told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from streams.core.condition_sql import LONGEST, Catalogue, closest
from streams.core.rules import Rule, RuleSet, Status, compile_rules, rule_problems
from streams.core.steps import Tier
from streams.duration import parse_duration
from streams.errors import RuleFilesError
from streams.rule_inhibits import Places, listed, refuse_inhibits
from streams.rule_pause import FIELDS, Pause, paused, read_pause, unknown_ids
from streams.rule_yaml import Entries, Scalar, YamlMistake, parse_yaml, read_yaml

VERSION: Final = 1
"""Of the rule file format."""
CASES: Final = "cases"
"""Folder beside rule files that holds their test cases, not rules."""

_SLUG: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_UNIT_WRITTEN_OUT: Final = re.compile(r"(\d+)\s*(sec\w*|min\w*|hours?|hrs?|days?|weeks?|[smhdw](?<=\s.))")
_TIERS: Final = {tier.label: tier for tier in Tier}
_STATUSES: Final = {status.value: status for status in Status}
_REQUIRED: Final = ("id", "when", "tier", "reason")


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


def load_rules(paths: Path | Sequence[Path], catalogue: Catalogue) -> RuleSet:
    """Return the rules of files and folders compiled, or raise `RuleFilesRefused` with every mistake."""
    reader = _Reader(catalogue)
    for path in [paths] if isinstance(paths, Path) else paths:
        for file in reader.files(path):
            reader.read_file(file)
    return reader.compiled()


def compile_files(files: Mapping[str, str], catalogue: Catalogue) -> RuleSet:
    """Return the rules of files whose text is given by name, or raise as `load_rules` does."""
    reader = _Reader(catalogue)
    for name, text in sorted(files.items()):
        reader.read_file(Path(name), text)
    return reader.compiled()


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


class _WrongValueError(ValueError):
    """A value that a field cannot take."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class _Reader:
    """Rule files being read; mistakes are collected, so that all are told at once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.mistakes: list[RuleMistake] = []
        self.rules: list[tuple[str, Scalar, Rule]] = []
        """Path, id and rule; a rule with a mistake is here too, its wrong fields left at their defaults."""
        self.pauses: list[Pause] = []
        self._inhibits: Places = {}
        self._path = ""

    def compiled(self) -> RuleSet:
        """Return the rules of all files as one set, or raise `RuleFilesRefused` with every mistake."""
        self.refuse_repeated_ids()
        rules = [rule for _, _, rule in self.rules]
        for path in sorted({path for path, _ in self._inhibits.values()}):
            self._path = path
            refuse_inhibits(self._path, rules, self._inhibits, self._refuse)
        for pause in self.pauses:
            self._path = pause.path
            unknown_ids(pause, rules, self._refuse)
        if self.mistakes:
            raise RuleFilesRefused(sorted(self.mistakes, key=lambda m: (m.path, m.line, m.column, m.message)))
        return compile_rules(paused(rules, self.pauses), self.catalogue)

    def files(self, path: Path) -> Iterable[Path]:
        """Return the files that a path given by the user stands for."""
        self._path = str(path)
        if path.is_file():
            return [path]
        if not path.is_dir():
            self._refuse(None, None, "there is no such file or folder")
            return []
        files = rule_files(path)
        if not files:
            self._refuse(None, None, "there is no rule file (*.yaml, *.yml) in this folder")
        return files

    def read_file(self, path: Path, text: str | None = None) -> None:
        """Read one file's rules, or those of its text."""
        self._path = str(path)
        try:
            document = read_yaml(path) if text is None else parse_yaml(text)
        except YamlMistake as mistake:
            self.mistakes.append(RuleMistake(self._path, mistake.line, mistake.column, None, mistake.message))
            return
        top = self._mapping(
            document, None, ("version", "rules", "pause"), "a rule file holds `version: 1` and `rules:`"
        )
        if top is None:
            return
        for name in ("version", "rules"):
            if name not in top and not (name == "rules" and "pause" in top):
                self._refuse(document, None, f"`{name}` is missing")
        if "pause" in top:
            says = self._mapping(
                top["pause"], None, FIELDS, "`pause` says `rules:`, and may say `reason:` and `by:`"
            )
            if says is not None:
                self.pauses.append(read_pause(self._path, says, top["pause"], self._refuse))
        version, rules = top.get("version"), top.get("rules")
        if version is not None and not (isinstance(version, Scalar) and version.value == VERSION):
            self._refuse(version, None, f"`version` must be {VERSION}", _written(version))
        if rules is None:
            return
        if not isinstance(rules, Entries) or rules.keys is not None:
            self._refuse(rules, None, "`rules` must be a list: each rule begins with a dash")
            return
        if not rules.values:
            self._refuse(rules, None, "`rules` is empty")
        for place, each in enumerate(rules.values, 1):
            self._read_rule(each, place)

    def refuse_repeated_ids(self) -> None:
        """Refuse ids that another rule has, in the same file or in another."""
        first: dict[str, tuple[str, int]] = {}
        for path, node, rule in self.rules:
            if rule.id in first:
                where = f"{first[rule.id][0]}:{first[rule.id][1]}"
                self._path = path
                self._refuse(node, rule.id, f"the id is taken by the rule at {where}", rule.id)
            else:
                first[rule.id] = (path, node.line)

    def _read_rule(self, node: Scalar | Entries, place: int) -> None:
        given = _written(_entry(node, "id"))
        name = given if given and _SLUG.fullmatch(given) else f"number {place}"
        entries = self._mapping(node, name, tuple(_FIELDS), "a rule is a list of fields, each `name: value`")
        if entries is None:
            return
        for required in _REQUIRED:
            if required not in entries:
                self._refuse(node, name, f"`{required}` is missing")
        values: dict[str, Any] = {}
        for field, entry in entries.items():
            attribute, read = _FIELDS[field]
            try:
                values[attribute] = read(entry if field == "inhibits" else _scalar(entry))
            except _WrongValueError as error:
                self._refuse(entry, name, f"`{field}` {error}", _written(entry), error.hint)
        identity = values.get("id")
        rule = Rule(**{"id": name, "when": "", "tier": Tier.LOW, "reason": "none", **values})
        for problem in rule_problems(rule, self.catalogue):
            if problem.field in values:
                self._refuse(entries[problem.field], name, problem.message, problem.value, problem.hint)
        if identity is not None:
            id_node = entries["id"]
            assert isinstance(id_node, Scalar)
            self.rules.append((self._path, id_node, rule))
            for each in listed(entries["inhibits"]) if rule.inhibits else ():
                self._inhibits[rule.id, each.text] = (self._path, each)

    def _mapping(
        self, node: Scalar | Entries, rule: str | None, known: tuple[str, ...], otherwise: str
    ) -> dict[str, Scalar | Entries] | None:
        """Return the entries of a mapping under known keys; unknown and repeated ones are refused."""
        if not isinstance(node, Entries) or node.keys is None:
            self._refuse(node, rule, otherwise)
            return None
        entries: dict[str, Scalar | Entries] = {}
        lines: dict[str, int] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key.text not in known:
                hint = closest(key.text, known)
                self._refuse(key, rule, f"unknown field {key.text!r}", key.text, hint)
            elif key.text in entries:
                first = lines[key.text]
                self._refuse(key, rule, f"`{key.text}` is given twice, first in line {first}", key.text)
            else:
                # An empty value begins, for YAML, only where the next thing does.
                empty = isinstance(value, Scalar) and not value.text
                entries[key.text] = replace(value, line=key.line, column=key.column) if empty else value
                lines[key.text] = key.line
        return entries

    def _refuse(
        self,
        node: Scalar | Entries | None,
        rule: str | None,
        message: str,
        value: str | None = None,
        hint: str | None = None,
    ) -> None:
        line, column = (node.line, node.column) if node is not None else (1, 1)
        self.mistakes.append(RuleMistake(self._path, line, column, rule, message, value, hint))


def _entry(node: Scalar | Entries, name: str) -> Scalar | Entries | None:
    if isinstance(node, Entries) and node.keys is not None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key.text == name:
                return value
    return None


def _written(node: Scalar | Entries | None) -> str | None:
    return node.text if isinstance(node, Scalar) else None


def _scalar(node: Scalar | Entries) -> Scalar:
    if isinstance(node, Scalar):
        return node
    kind = "list" if node.keys is None else "mapping"
    msg = f"must be a single value, not a {kind}" + ("; put quotes around {...}" if kind == "mapping" else "")
    raise _WrongValueError(msg)


def _slugs(node: Scalar | Entries) -> tuple[str, ...]:
    if not (names := listed(node)):
        msg = "must be a list of rule ids, at least one"
        raise _WrongValueError(msg)
    return tuple(_slug(each) for each in names)


def _text(longest: int) -> Callable[[Scalar], str]:
    def read(node: Scalar) -> str:
        if node.value is None or (isinstance(node.value, str) and not node.value.strip()):
            msg = "is empty; leave the field out or write something"
            raise _WrongValueError(msg)
        if not isinstance(node.value, str):
            msg = f"must be text; write it in quotes: '{node.text}'"
            raise _WrongValueError(msg)
        text = node.value.strip()
        if len(text) > longest:
            msg = f"is longer than {longest} characters"
            raise _WrongValueError(msg)
        return text

    return read


def _slug(node: Scalar) -> str:
    text = _text(64)(node)
    if _SLUG.fullmatch(text) is None:
        near = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        msg = f"{text!r} must be lower-case letters, digits, - and _"
        raise _WrongValueError(msg, near or None)
    return text


def _duration(node: Scalar) -> int:
    try:
        return parse_duration(node.text)
    except ValueError as error:
        raise _WrongValueError(str(error), _likely_duration(node.text)) from None


def _likely_duration(text: str) -> str | None:
    """Return what a duration with its unit written out most likely means; a month has no unit here."""
    written = _UNIT_WRITTEN_OUT.fullmatch(text.strip().lower())
    return written.group(1) + written.group(2)[0] if written else None


def _choice(known: dict[str, Any]) -> Callable[[Scalar], Any]:
    def read(node: Scalar) -> Any:
        if node.text not in known:
            msg = f"must be {', '.join(list(known)[:-1])} or {list(known)[-1]}, not {node.text!r}"
            raise _WrongValueError(msg, closest(node.text, known))
        return known[node.text]

    return read


_FIELDS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "id": ("id", _slug),
    "title": ("title", _text(120)),
    "status": ("status", _choice(_STATUSES)),
    "owner": ("owner", _text(120)),
    "when": ("when", _text(LONGEST)),
    "clear": ("clear", _text(LONGEST)),
    "only": ("only", _text(LONGEST)),
    "for": ("for_us", _duration),
    "keep_open_for": ("keep_open_for_us", _duration),
    "cooldown": ("cooldown_us", _duration),
    "tier": ("tier", _choice(_TIERS)),
    "reason": ("reason", _slug),
    "play": ("play", _slug),
    "message": ("message", _text(500)),
    "rationale": ("rationale", _text(4000)),
    "false_alarms": ("false_alarms", _text(4000)),
    "inhibits": ("inhibits", _slugs),
}
"""Every field of a rule, the attribute it fills, and how it is read."""
