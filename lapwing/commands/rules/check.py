"""`lapwing rules check`: every mistake in rule files, told at once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from streams.core.features import DTYPES
from streams.core.rules import RuleSet, Status
from streams.rule_files import RuleFilesRefused, RuleMistake, load_rules


@click.command("check")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def check(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check rule files and folders as one set; every mistake is told at once.

    Exits with 1 where there is a mistake.
    """
    try:
        rules = load_rules(paths, DTYPES)
    except RuleFilesRefused as refused:
        _tell_mistakes(refused.mistakes, as_json=as_json)
        raise SystemExit(1) from None
    _tell_rules(rules, as_json=as_json)


def _tell_mistakes(mistakes: tuple[RuleMistake, ...], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"ok": False, "mistakes": [asdict(each) for each in mistakes]}, indent=2))
        return
    for mistake in mistakes:
        click.echo(str(mistake))
    click.echo(_count(len(mistakes), "mistake"))


def _tell_rules(rules: RuleSet, *, as_json: bool) -> None:
    statuses = Counter(rule.status for rule in (*rules.rules, *rules.idle))
    paused = {rule.id: rule.paused for rule in rules.rules if rule.paused}
    by_status = {status.value: statuses[status] for status in Status}
    if as_json:
        said = {"ok": True, "rules": by_status, "hash": rules.hash, "paused": paused}
        click.echo(json.dumps(said, indent=2))
        return
    for rule, why in paused.items():
        click.echo(f"rule {rule!r} is paused and warns nobody: {why}")
    counts = ", ".join(f"{count} {status}" for status, count in by_status.items() if count)
    click.echo(f"{_count(statuses.total(), 'rule')}: {counts}; rule set {rules.hash}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
