"""Files of test cases: YAML -> cases, strictly, with every mistake of every file told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from streams.core.conditions.parser import closest
from streams.core.engine_io import EngineSettings
from streams.core.events.topics import Topic
from streams.core.features.catalogue import Priors
from streams.core.steps import Tier
from streams.rulebook.cases import values
from streams.rulebook.cases.case import (
    CUSTOMER,
    Case,
    CaseEvent,
    CaseMistake,
    Expected,
    OpenAt,
    RuleCasesRefused,
)
from streams.rulebook.cases.timeline import TimelineReader
from streams.rulebook.files import CASES
from streams.rulebook.reader import (
    Fields,
    Node,
    StrictReader,
    choice,
    entry,
    slug,
    text,
    written,
)
from streams.rulebook.yaml import Entries, Scalar, YamlMistake, read_yaml

VERSION: Final = 1
"""Of the format of case files."""
TOP: Final = ("version", "start", "settings", "cases")
CASE: Final = ("name", "rules", "events", "until", "expect", "never", "open", "probability")
EXPECT: Final = ("rule", "customer", "opens", "resolves", "withdrawn", "tier", "message")
SETTINGS: Final = (
    "time_zone",
    "sweep_every",
    "quiet_after",
    "complaint_prior_orders",
    "complaint_prior_rate",
)
NEVER: Final = "never"

_TIERS: Final = {tier.label: tier for tier in Tier}


def case_files(path: Path) -> list[Path]:
    """Return the case files that a path stands for: itself, or those in its folders named `cases`."""
    if path.is_file():
        return [path]
    found = [
        file
        for file in path.rglob("*")
        if file.suffix in (".yaml", ".yml")
        and file.is_file()
        and (path.name == CASES or CASES in file.relative_to(path).parts[:-1])
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    return sorted(found)


def read_cases(paths: Sequence[Path]) -> list[Case]:
    """Return the cases of files and folders, or raise `RuleCasesRefused` with every mistake."""
    reader = _CaseFileReader()
    for path in paths:
        files = case_files(path)
        if not files:
            there = (
                "there is no test case in this folder" if path.is_dir() else "there is no such file or folder"
            )
            reader.path = str(path)
            reader.refuse(None, None, f"{there}: cases are YAML files in a folder named `{CASES}`")
        for file in files:
            reader.read_file(file)
    if reader.mistakes:
        raise RuleCasesRefused(sorted(reader.mistakes, key=lambda m: (m.path, m.line, m.column, m.message)))
    return reader.cases


@dataclass(frozen=True, slots=True)
class _Shared:
    """What a file says for all its cases."""

    start: str
    settings: EngineSettings


class _CaseFileReader(StrictReader):
    """Case files being read."""

    def __init__(self) -> None:
        super().__init__()
        self.mistakes: list[CaseMistake] = []
        self.cases: list[Case] = []
        self._names: dict[str, int] = {}

    def add_mistake(
        self, line: int, column: int, name: str | None, message: str, value: str | None, hint: str | None
    ) -> None:
        """Note a mistake."""
        self.mistakes.append(CaseMistake(self.path, line, column, name, message, value, hint))

    def read_file(self, path: Path) -> None:
        """Read one file's cases."""
        self.path, self._names = str(path), {}
        try:
            document = read_yaml(path)
        except YamlMistake as mistake:
            self.add_mistake(mistake.line, mistake.column, None, mistake.message, None, None)
            return
        top = self.mapping(document, None, TOP, "a case file holds `version: 1` and `cases:`")
        if top is None:
            return
        self.version(document, top, VERSION, ["cases"])
        shared = _Shared(self.read(top, None, "start", values.day) or "2024-01-01", self._settings(top))
        if "cases" in top:
            for place, each in enumerate(self.items(top["cases"], None, "cases", "case"), 1):
                self._read_case(each, place, shared)

    def _settings(self, top: Fields) -> EngineSettings:
        # Nothing is put in order: the timeline says itself what is late.
        settings = EngineSettings(reorder_us=0)
        if "settings" not in top:
            return settings
        given = (
            self.mapping(top["settings"], None, SETTINGS, "`settings` holds settings, each `name: value`")
            or {}
        )
        zone = self.read(given, None, "time_zone", values.zone)
        every = self.read(given, None, "sweep_every", values.time)
        orders = self.read(given, None, "complaint_prior_orders", values.number(0, 1e9))
        rate = self.read(given, None, "complaint_prior_rate", values.number(0, 1))
        plain = Priors()
        return replace(
            settings,
            time_zone=zone or settings.time_zone,
            sweep_every_us=every or settings.sweep_every_us,
            priors=Priors(plain.orders if orders is None else orders, plain.rate if rate is None else rate),
            quiet_after_us=self._quiet_after(given),
        )

    def _quiet_after(self, given: Fields) -> Mapping[Topic, int]:
        if "quiet_after" not in given:
            return {}
        labels = {topic.label: topic for topic in Topic}
        node = (
            self.mapping(given["quiet_after"], None, labels, "`quiet_after` names topics, each `logins: 2d`")
            or {}
        )
        read = {label: self.read(node, None, label, values.time) for label in node}
        return {labels[label]: after for label, after in read.items() if after}

    def _read_case(self, node: Node, place: int, shared: _Shared) -> None:
        name = written(entry(node, "name")) or f"number {place}"
        entries = self.mapping(node, name, CASE, "a case is a list of fields, each `name: value`")
        if entries is None:
            return
        for required in ("name", "events", "until"):
            if required not in entries:
                self.refuse(node, name, f"`{required}` is missing")
        if not any(field in entries for field in ("expect", "never", "open")):
            self.refuse(
                node, name, "expects nothing: add `expect`, `never` or `open`; `expect: []` for silence"
            )
        if self._names.setdefault(name, node.line) != node.line:
            self.refuse(node, name, f"the name is taken by the case in line {self._names[name]}", name)
        self.read(entries, name, "name", text(200))
        until = self.read(entries, name, "until", values.time)
        events: tuple[CaseEvent, ...] = ()
        if "events" in entries:
            nodes = self.items(entries["events"], name, "events", "event")
            events = TimelineReader(self, name, shared.start, shared.settings.time_zone).read(nodes)
        rules = self._slugs(entries, name, "rules") if "rules" in entries else None
        case = Case(
            name=name,
            path=self.path,
            line=node.line,
            events=events,
            until=until or 0,
            rules=None if rules is None else tuple(rules),
            expected=self._expected(entries, name),
            never=self._slugs(entries, name, "never"),
            open_at=self._open_at(entries, name),
            probability=self._probability(entries, name),
            start=shared.start,
            settings=shared.settings,
        )
        self.cases.append(self._checked(case, entries, rules or {}))

    def _checked(self, case: Case, entries: Fields, rules: Mapping[str, int]) -> Case:
        """Return the case with all rules it names; refuse what contradicts itself or lies after its end."""
        named = {**rules}
        for rule, line in case.never.items():
            named.setdefault(rule, line)
        for expected in case.expected:
            named.setdefault(expected.rule, expected.line)
            if expected.rule in case.never:
                self.add_mistake(
                    expected.line,
                    1,
                    case.name,
                    f"expects {expected.rule!r}, which is never to open",
                    None,
                    None,
                )
            for span, field in (
                (expected.opens, "opens"), (expected.resolves, "resolves"), (expected.withdrawn, "withdrawn"),
            ):  # fmt: skip
                if span is not None and span.last > case.until:
                    line = expected.lines[field]
                    self.add_mistake(line, 1, case.name, f"`{field}` lies after `until`", span.text, None)
        for opened in case.open_at:
            for rule in opened.rules:
                named.setdefault(rule, opened.line)
            if opened.at > case.until:
                self.add_mistake(opened.line, 1, case.name, "`open` lies after `until`", None, None)
        for rule, line in named.items():
            if rules and rule not in rules:
                hint = closest(rule, list(rules))
                self.add_mistake(line, 1, case.name, f"{rule!r} is not among the case's `rules`", rule, hint)
        for event in case.events:
            if event.arrives > case.until:
                self.add_mistake(event.line, 1, case.name, "the event comes after `until`", None, None)
                break
        return replace(case, named=named)

    def _slugs(self, entries: Fields, name: str, field: str) -> dict[str, int]:
        """Return a list of rule ids, or a single one, with their lines."""
        node = entries.get(field)
        if node is None:
            return {}
        nodes = [node] if isinstance(node, Scalar) else self.items(node, name, field, "rule")
        read = [(self.value(each, name, field, slug), each.line) for each in nodes]
        return {rule: line for rule, line in read if rule is not None}

    def _expected(self, entries: Fields, name: str) -> tuple[Expected, ...]:
        node = entries.get("expect")
        if node is None or (isinstance(node, Entries) and not node.values):
            return ()
        found = (self._expect(each, name) for each in self.items(node, name, "expect", "expectation"))
        return tuple(expected for expected in found if expected is not None)

    def _expect(self, node: Node, name: str) -> Expected | None:
        entries = self.mapping(
            node, name, EXPECT, "an expectation is `rule: ID` and what is to be said of it"
        )
        if entries is None:
            return None
        if "rule" not in entries:
            self.refuse(node, name, "`rule` is missing")
        stays = (written(entries.get("resolves")) or "").strip() == NEVER
        if "resolves" in entries and "withdrawn" in entries:
            self.refuse(entries["withdrawn"], name, "a rule is resolved or withdrawn, not both")
        return Expected(
            rule=self.read(entries, name, "rule", slug) or "",
            customer=self.read(entries, name, "customer", text(128)) or CUSTOMER,
            line=node.line,
            opens=self.read(entries, name, "opens", values.span),
            resolves=None if stays else self.read(entries, name, "resolves", values.span),
            withdrawn=self.read(entries, name, "withdrawn", values.span),
            stays_open=stays,
            tier=self.read(entries, name, "tier", choice(_TIERS)),
            message=self.read(entries, name, "message", text(1000)),
            lines={field: value.line for field, value in entries.items()},
        )

    def _pairs(self, entries: Fields, name: str, field: str, example: str) -> list[tuple[int, Node]]:
        """Return the entries of a mapping from times, in their order."""
        node = entries[field]
        if not isinstance(node, Entries) or node.keys is None:
            self.refuse(node, name, f"`{field}` names times, each `{example}`", written(node))
            return []
        pairs: list[tuple[int, Node]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            at = self.value(key, name, field, values.time)
            if at is not None and any(at == other for other, _ in pairs):
                self.refuse(key, name, f"`{field}` names {key.text} twice", key.text)
            elif at is not None:
                pairs.append((at, value))
        return sorted(pairs, key=lambda pair: pair[0])

    def _open_at(self, entries: Fields, name: str) -> tuple[OpenAt, ...]:
        if "open" not in entries:
            return ()
        pairs = self._pairs(entries, name, "open", "70d: [overdue]")
        return tuple(OpenAt(at, tuple(self._ids(node, name)), node.line) for at, node in pairs)

    def _ids(self, node: Node, name: str) -> dict[str, int]:
        if isinstance(node, Entries) and node.keys is None and not node.values:
            return {}
        return self._slugs({"open": node}, name, "open")

    def _probability(self, entries: Fields, name: str) -> tuple[tuple[int, float | None], ...]:
        node = entries.get("probability")
        if node is None:
            return ()
        if isinstance(node, Scalar):
            return ((0, self.value(node, name, "probability", values.probability)),)
        pairs = self._pairs(entries, name, "probability", "30d: 0.8")
        return tuple((at, self.value(each, name, "probability", values.probability)) for at, each in pairs)
