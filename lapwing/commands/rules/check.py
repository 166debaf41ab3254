"""`lapwing rules check`: every mistake in rule files, and what is doubtful where there is none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lapwing.settings.settings import Settings
from lapwing.terminal.text import counted
from streams.core.events.topics import Topic
from streams.core.rules.rule import RuleStatus
from streams.rulebook.cases.read import case_files
from streams.rulebook.files import CASES
from streams.rulebook.findings import Finding, Severity
from streams.rulebook.lint import Surroundings, lint
from streams.rulebook.load import PlacedRule, Rulebook, load_rulebook
from streams.rulebook.reader import Mistake, RulebookRefused


def run(
    paths: tuple[Path, ...],
    settings: Settings,
    topics: tuple[Topic, ...] | None,
    case_paths: tuple[Path, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Check rule files and folders as one set, and report every mistake at once."""
    cases = _cases(paths, case_paths)
    try:
        rulebook = _loaded(paths, cases or ())
    except RulebookRefused as refused:
        _report_mistakes(refused.mistakes, as_json=as_json)
        raise SystemExit(1) from None
    around = Surroundings(
        topics=tuple(Topic) if topics is None else topics,
        tested=None if cases is None else {rule for case in rulebook.cases for rule in case.named},
        guarded=[Topic[label.upper()] for label in settings.quiet_after],
    )
    findings = lint(rulebook, around)
    failed = any(strict or finding.severity is Severity.ERROR for finding in findings)
    if as_json:
        click.echo(json.dumps(_as_dict(rulebook, findings, ok=not failed), indent=2))
    else:
        _print(rulebook, findings)
    if failed:
        raise SystemExit(1)


def _loaded(paths: Sequence[Path], cases: Sequence[Path]) -> Rulebook:
    """Return the rulebook; cases may name rules that are not there where single files are checked."""
    if all(path.is_dir() for path in paths):
        return load_rulebook(paths, cases)
    found: list[Rulebook] = []
    mistakes: list[Mistake] = []
    for rules, of_them in ((paths, ()), ((), cases)):
        try:
            found.append(load_rulebook(rules, of_them))
        except RulebookRefused as refused:
            mistakes += refused.mistakes
    if mistakes:
        raise RulebookRefused(mistakes)
    return replace(found[0], cases=found[1].cases)


def _cases(paths: Sequence[Path], given: Sequence[Path]) -> list[Path] | None:
    """Return where test cases are; `None` for single files that have no cases beside them."""
    beside = [path.parent / CASES if path.is_file() else path for path in paths]
    folders = [*given] or [path for path in beside if path.is_dir()]
    with_cases = [path for path in folders if case_files(path)]
    if not with_cases and not given and not any(path.is_dir() for path in paths):
        return None
    return with_cases


def _report_mistakes(mistakes: Sequence[Mistake], *, as_json: bool) -> None:
    if as_json:
        found = [each.as_dict() for each in mistakes]
        click.echo(json.dumps({"ok": False, "mistakes": found}, indent=2))
        return
    for mistake in mistakes:
        click.echo(str(mistake))
    click.echo(counted(len(mistakes), "mistake"))


def _by_status(placed: Sequence[PlacedRule]) -> dict[str, int]:
    statuses = Counter(each.rule.status for each in placed)
    return {status.value: statuses[status] for status in RuleStatus}


def _parted(rulebook: Rulebook) -> tuple[list[PlacedRule], list[PlacedRule]]:
    """Return the rules of customers and those of segments."""
    placed = rulebook.placed
    return [each for each in placed if each.by is None], [each for each in placed if each.by is not None]


def _as_dict(rulebook: Rulebook, findings: Sequence[Finding], *, ok: bool) -> dict[str, Any]:
    rules, segments = _parted(rulebook)
    found: dict[str, Any] = {
        "ok": ok,
        "rules": _by_status(rules),
        "hash": rulebook.rules.hash,
        "paused": {each.rule.id: each.rule.paused for each in rulebook.placed if each.rule.paused},
        "findings": [each.as_dict() for each in findings],
        "conditions": [_condition(each, rulebook) for each in rulebook.placed],
    }
    if segments:
        more = {"segment_rules": _by_status(segments), "segments_hash": rulebook.segment_rules.hash}
        found |= {"segments": len(segments)} | more
    return found


def _print(rulebook: Rulebook, findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.echo(str(finding))
    for each in rulebook.placed:
        if each.rule.paused:
            click.echo(f"rule {each.rule.id!r} is paused and warns nobody: {each.rule.paused}")
    rules, segments = _parted(rulebook)
    line = f"{_counts(rules, 'rule')}; rule set {rulebook.rules.hash}"
    if segments:
        line += f"; {_counts(segments, 'segment rule')}; set {rulebook.segment_rules.hash}"
    click.echo(line)
    if findings:
        errors = sum(finding.severity is Severity.ERROR for finding in findings)
        click.echo(f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}")


def _counts(placed: Sequence[PlacedRule], noun: str) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in _by_status(placed).items() if count)
    return counted(len(placed), noun) + (f": {counts}" if counts else "")


def _condition(placed: PlacedRule, rulebook: Rulebook) -> dict[str, Any]:
    """Return a rule's conditions as they are judged, phrases written out."""
    rule = placed.rule
    found = {"id": rule.id, "version": rule.version, "path": placed.path, "line": placed.line("id")}
    found |= {name: text for name in ("sequence", "absence") if (text := getattr(rule, name)) is not None}
    found |= {} if placed.by is None else {"by": placed.by}
    compiled = rulebook.rules if placed.by is None else rulebook.segment_rules.by.get(placed.by)
    reads = compiled.reads(rule) if compiled is not None and rule in compiled.rules else ()
    return found | {"when": rule.when, "clear": rule.clear, "only": rule.only, "reads": list(reads)}
