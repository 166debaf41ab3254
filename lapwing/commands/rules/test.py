"""`lapwing rules test`: cases beside the rules, run through the engine that warns."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click

from lapwing.terminal.progress import progress_bar
from streams.core.conditions.parser import closest
from streams.core.features.catalogue import DTYPES
from streams.core.rules.rule import Rule, RuleStatus
from streams.core.rules.rule_set import RuleSet, compile_rules
from streams.rulebook.cases.case import CUSTOMER, Case, CaseMistake, RuleCasesRefused
from streams.rulebook.cases.compare import CaseDifference
from streams.rulebook.cases.read import read_cases
from streams.rulebook.cases.run import CaseOutcome, RuleOpening, run_cases
from streams.rulebook.cases.times import shown
from streams.rulebook.files import CASES, RuleFilesRefused, RuleMistake, read_rules


def run(
    paths: tuple[Path, ...], rule_paths: tuple[Path, ...], wanted: str | None, as_json: bool, verbose: bool
) -> None:
    """Run the test cases at PATH and print what failed."""
    started = time.monotonic()
    try:
        cases = read_cases(paths or (Path("warning_rules"),))
        rules_of = _rules(cases, rule_paths)
    except (RuleCasesRefused, RuleFilesRefused) as refused:
        _tell_mistakes(refused.mistakes, as_json=as_json)
        raise SystemExit(1) from None
    chosen = [case for case in cases if wanted is None or _fits(case.name, wanted)]
    if not chosen:
        _tell_mistakes([f"no case is named {wanted!r}, and none holds it"], as_json=as_json)
        raise SystemExit(1)
    with progress_bar("testing") as bar:
        outcomes = run_cases(chosen, rules_of, bar)
    seconds = time.monotonic() - started
    if as_json:
        click.echo(json.dumps(_as_dict(outcomes, seconds), indent=2))
    else:
        _print(outcomes, seconds, verbose=verbose)
    if not all(outcome.passed for outcome in outcomes):
        raise SystemExit(1)


def _fits(name: str, wanted: str) -> bool:
    return wanted.lower() in name.lower() or fnmatch(name.lower(), wanted.lower())


def _rules(cases: Sequence[Case], given: tuple[Path, ...]) -> Callable[[Case], RuleSet]:
    """Return what gives a case the rules that it judges; a rule that it names and there is not is refused."""
    folders = {case.path: given or (_rules_beside(Path(case.path)),) for case in cases}
    sets = {paths: [placed.rule for placed in read_rules(paths, DTYPES)] for paths in set(folders.values())}
    mistakes = []
    for case in cases:
        known = [rule.id for rule in sets[folders[case.path]]]
        for rule, line in case.named.items():
            if rule not in known:
                told = f"there is no rule {rule!r}"
                mistakes.append(CaseMistake(case.path, line, 1, case.name, told, rule, closest(rule, known)))
    if mistakes:
        raise RuleCasesRefused(sorted(mistakes))
    compiled: dict[tuple[Any, ...], RuleSet] = {}

    def rules_of(case: Case) -> RuleSet:
        paths = folders[case.path]
        key = (paths, case.rules, tuple(sorted(case.named)))
        if key not in compiled:
            compiled[key] = compile_rules(list(_judged(case, sets[paths])), DTYPES)
        return compiled[key]

    return rules_of


def _judged(case: Case, rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules of a case as if they were live: what is in shadow or a draft is tried here first."""
    wanted = case.named if case.rules is not None else None
    chosen = [
        rule
        for rule in rules
        if (rule.takes_part or rule.id in case.named if wanted is None else rule.id in wanted)
    ]
    return [replace(rule, status=RuleStatus.ACTIVE) for rule in chosen]


def _rules_beside(path: Path) -> Path:
    """Return the folder of the rules that a case file is beside."""
    parents = path.absolute().parents
    above = [parent.parent for parent in parents if parent.name == CASES]
    return above[0] if above else path.parent


def _tell_mistakes(mistakes: Sequence[CaseMistake | RuleMistake | str], *, as_json: bool) -> None:
    if as_json:
        said = [each if isinstance(each, str) else asdict(each) for each in mistakes]
        click.echo(json.dumps({"ok": False, "mistakes": said}, indent=2))
        return
    for mistake in mistakes:
        click.echo(str(mistake))
    click.echo(f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}")


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
    told: list[tuple[int, int, str]] = []
    for i, opening in enumerate(openings):
        who = opening.rule if opening.customer == CUSTOMER else f"{opening.rule} of {opening.customer}"
        cause = opening.cause
        told.append((opening.opened_at, i, f"opened    {who} ({cause.tier.label}): {cause.message}"))
        if opening.ended_at is not None and opening.end is not None:
            word = opening.end.value if opening.end.value != "updated" else "ended"
            told.append((opening.ended_at, i, f"{word:9} {who}"))
    width = max((len(shown(at)) for at, _, _ in told), default=0)
    return [f"{shown(at):>{width}}  {text}" for at, _, text in sorted(told)]


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
        "customer": opening.customer,
        "tier": opening.cause.tier.label,
        "opened": shown(opening.opened_at),
        "ended": None if opening.ended_at is None else shown(opening.ended_at),
        "end": None if opening.end is None else opening.end.value,
        "message": opening.cause.message,
        "values": opening.cause.values,
    }
