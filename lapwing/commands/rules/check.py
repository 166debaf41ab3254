"""`lapwing rules check`: every mistake in rule files, and what is doubtful where there is none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from lapwing.settings.settings import Settings
from streams.core.events.topics import Topic
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.core.segments.rules import SegmentRules
from streams.rulebook.cases.case import CaseMistake, RuleCasesRefused
from streams.rulebook.cases.read import case_files, read_cases
from streams.rulebook.files import (
    CASES,
    PlacedRule,
    RuleFilesRefused,
    RuleMistake,
    load_segment_rules,
    read_rules,
)
from streams.rulebook.lint import LintFinding, Severity, Surroundings, lint


def run(
    paths: tuple[Path, ...],
    settings: Settings,
    topics: tuple[Topic, ...] | None,
    case_paths: tuple[Path, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Check rule files and folders as one set; every mistake is told at once."""
    try:
        rules = read_rules(paths, DTYPES)
        tested = _tested(paths, case_paths)
    except (RuleFilesRefused, RuleCasesRefused) as refused:
        _tell_mistakes(refused.mistakes, as_json=as_json)
        raise SystemExit(1) from None
    around = Surroundings(
        topics=tuple(Topic) if topics is None else topics,
        tested=tested,
        guarded=[Topic[label.upper()] for label in settings.quiet_after],
    )
    findings = lint(rules, around)
    failed = any(strict or finding.severity is Severity.ERROR for finding in findings)
    _tell(rules, load_segment_rules(paths, DTYPES), findings, as_json=as_json, ok=not failed)
    if failed:
        raise SystemExit(1)


def _tested(paths: Sequence[Path], given: Sequence[Path]) -> set[str] | None:
    """Return the rules that cases name; `None` for single files that have no cases beside them."""
    beside = [path.parent / CASES if path.is_file() else path for path in paths]
    folders = given or [path for path in beside if path.is_dir()]
    with_cases = [path for path in folders if case_files(path)]
    if not with_cases:
        return set() if given or any(path.is_dir() for path in paths) else None
    return {rule for case in read_cases(with_cases) for rule in case.named}


def _tell_mistakes(mistakes: Sequence[RuleMistake | CaseMistake], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"ok": False, "mistakes": [asdict(each) for each in mistakes]}, indent=2))
        return
    for mistake in mistakes:
        click.echo(str(mistake))
    click.echo(_count(len(mistakes), "mistake"))


def _tell(
    rules: Sequence[PlacedRule],
    segments: SegmentRules,
    findings: Sequence[LintFinding],
    *,
    as_json: bool,
    ok: bool,
) -> None:
    compiled = compile_rules([placed.rule for placed in rules], DTYPES)
    statuses = Counter(placed.rule.status for placed in rules)
    by_status = {status.value: statuses[status] for status in RuleStatus}
    paused = {rule.id: rule.paused for rule in compiled.rules if rule.paused}
    if as_json:
        said = {
            "ok": ok,
            "rules": by_status,
            "hash": compiled.hash,
            "paused": paused,
            "findings": [asdict(each) | {"severity": each.severity.value} for each in findings],
            "conditions": [_condition(placed, compiled) for placed in rules],
        }
        if segments.rules:
            said |= {"segments": len(segments.rules), "segments_hash": segments.hash}
        click.echo(json.dumps(said, indent=2))
        return
    for finding in findings:
        click.echo(str(finding))
    for rule, why in paused.items():
        click.echo(f"rule {rule!r} is paused and warns nobody: {why}")
    counts = ", ".join(f"{count} {status}" for status, count in by_status.items() if count)
    more = f"; {_count(len(segments.rules), 'segment rule')}, set {segments.hash}" if segments.rules else ""
    click.echo(f"{_count(statuses.total(), 'rule')}: {counts}; rule set {compiled.hash}{more}")
    if findings:
        errors = sum(finding.severity is Severity.ERROR for finding in findings)
        click.echo(f"{_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}")


def _condition(placed: PlacedRule, compiled: RuleSet) -> dict[str, Any]:
    """Return a rule's conditions as they are judged, phrases written out."""
    rule = placed.rule
    said = {"id": rule.id, "version": rule.version, "path": placed.path, "line": placed.line("id")}
    said |= {name: text for name in ("sequence", "absence") if (text := getattr(rule, name)) is not None}
    reads = compiled.reads(rule) if rule in compiled.rules else ()
    return said | {"when": rule.when, "clear": rule.clear, "only": rule.only, "reads": list(reads)}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
