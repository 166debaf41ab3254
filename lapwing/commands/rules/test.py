"""`lapwing rules test`: cases beside the rules, run through the engine that warns."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click

from lapwing.terminal.progress import progress_bar
from lapwing.terminal.text import counted
from streams.rulebook.cases.case import CUSTOMER
from streams.rulebook.cases.compare import CaseDifference
from streams.rulebook.cases.read import case_files
from streams.rulebook.cases.run import CaseOutcome, RuleOpening, run_cases
from streams.rulebook.cases.times import shown
from streams.rulebook.files import CASES
from streams.rulebook.load import Rulebook, load_rulebook
from streams.rulebook.reader import Mistake, RulebookRefused


def run(
    paths: tuple[Path, ...], rule_paths: tuple[Path, ...], wanted: str | None, as_json: bool, verbose: bool
) -> None:
    """Run the test cases at PATH and print what failed."""
    started = time.monotonic()
    try:
        groups = _rulebooks(paths or (Path("warning_rules"),), rule_paths)
    except RulebookRefused as refused:
        _report_mistakes(refused.mistakes, as_json=as_json)
        raise SystemExit(1) from None
    found = [(case, rulebook) for rulebook in groups for case in rulebook.cases]
    chosen = [(case, rulebook) for case, rulebook in found if wanted is None or _fits(case.name, wanted)]
    if not chosen:
        _report_mistakes([f"no case is named {wanted!r}, and no name contains it"], as_json=as_json)
        raise SystemExit(1)
    with progress_bar("testing") as bar:
        outcomes = run_cases([(case, rulebook.rules_of(case)) for case, rulebook in chosen], bar)
    seconds = time.monotonic() - started
    if as_json:
        click.echo(json.dumps(_as_dict(outcomes, seconds), indent=2))
    else:
        _print(outcomes, seconds, verbose=verbose)
    if not all(outcome.passed for outcome in outcomes):
        raise SystemExit(1)


def _fits(name: str, wanted: str) -> bool:
    return wanted.lower() in name.lower() or fnmatch(name.lower(), wanted.lower())


def _rulebooks(paths: Sequence[Path], given: tuple[Path, ...]) -> list[Rulebook]:
    """Return the cases with the rules that they test, or raise `RulebookRefused` with the mistakes of all."""
    by_rules: dict[tuple[Path, ...], list[Path]] = {}
    for path in paths:
        for file in case_files(path) or [path]:
            by_rules.setdefault(given or (_rules_beside(file),), []).append(file)
    found: list[Rulebook] = []
    mistakes: list[Mistake] = []
    for rules, files in by_rules.items():
        try:
            found.append(load_rulebook(rules, files))
        except RulebookRefused as refused:
            mistakes += refused.mistakes
    if mistakes:
        raise RulebookRefused(mistakes)
    return found


def _rules_beside(path: Path) -> Path:
    """Return the folder of the rules that a case file is beside."""
    parents = path.absolute().parents
    above = [parent.parent for parent in parents if parent.name == CASES]
    return above[0] if above else path.parent


def _report_mistakes(mistakes: Sequence[Mistake | str], *, as_json: bool) -> None:
    if as_json:
        found = [each if isinstance(each, str) else each.as_dict() for each in mistakes]
        click.echo(json.dumps({"ok": False, "mistakes": found}, indent=2))
        return
    for mistake in mistakes:
        click.echo(str(mistake))
    click.echo(counted(len(mistakes), "mistake"))


def _print(outcomes: Sequence[CaseOutcome], seconds: float, *, verbose: bool) -> None:
    for outcome in outcomes:
        case = outcome.case
        if outcome.passed and not verbose:
            continue
        click.echo(f"{'ok  ' if outcome.passed else 'FAIL'} {case.path}:{case.line}: {case.name}")
        for difference in outcome.differences:
            click.echo(f"  line {difference.line}: {difference.message}")
        click.echo("  what happened:")
        for line in _course(outcome.openings) or ["nothing"]:
            click.echo(f"    {line}")
    failed = sum(not outcome.passed for outcome in outcomes)
    word = "case" if len(outcomes) == 1 else "cases"
    click.echo(f"{len(outcomes)} {word}: {len(outcomes) - failed} passed, {failed} failed ({seconds:.1f} s)")


def _course(openings: Sequence[RuleOpening]) -> list[str]:
    """Return what happened, a line each, in the order of time."""
    lines: list[tuple[int, int, str]] = []
    for i, opening in enumerate(openings):
        who = opening.rule if opening.subject == CUSTOMER else f"{opening.rule} of {opening.subject}"
        cause = opening.cause
        lines.append((opening.opened_at, i, f"opened    {who} ({cause.tier.label}): {cause.message}"))
        if opening.ended_at is not None and opening.end is not None:
            word = opening.end.value if opening.end.value != "updated" else "ended"
            lines.append((opening.ended_at, i, f"{word:9} {who}"))
    width = max((len(shown(at)) for at, _, _ in lines), default=0)
    return [f"{shown(at):>{width}}  {text}" for at, _, text in sorted(lines)]


def _as_dict(outcomes: Sequence[CaseOutcome], seconds: float) -> dict[str, Any]:
    return {
        "ok": all(outcome.passed for outcome in outcomes),
        "passed": sum(outcome.passed for outcome in outcomes),
        "failed": sum(not outcome.passed for outcome in outcomes),
        "seconds": round(seconds, 3),
        "cases": [
            {
                "name": outcome.case.name,
                "path": outcome.case.path,
                "line": outcome.case.line,
                "passed": outcome.passed,
                "differences": [_difference(each) for each in outcome.differences],
                "openings": [_opening(each) for each in outcome.openings],
            }
            for outcome in outcomes
        ],
    }


def _difference(difference: CaseDifference) -> dict[str, Any]:
    return {"line": difference.line, "message": difference.message}


def _opening(opening: RuleOpening) -> dict[str, Any]:
    return {
        "rule": opening.rule,
        "segment" if opening.of_segment else "customer": opening.subject,
        "tier": opening.cause.tier.label,
        "opened": shown(opening.opened_at),
        "ended": None if opening.ended_at is None else shown(opening.ended_at),
        "end": None if opening.end is None else opening.end.value,
        "message": opening.cause.message,
        "values": opening.cause.values,
    }
