"""`lapwing inputs check`: every mistake in a file of inputs, and what is doubtful where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lapwing.inputs import need_inputs, read_inputs
from lapwing.settings.settings import Settings
from lapwing.terminal.text import counted, printable
from streams.inputs.lint import lint
from streams.inputs.load import Inputs
from streams.rulebook.findings import Finding, Severity
from streams.rulebook.reader import Mistake, RulebookRefused


def run(files: tuple[Path, ...], settings: Settings, strict: bool, as_json: bool) -> None:
    """Check files of inputs, and report every mistake at once."""
    read: list[Inputs] = []
    mistakes: list[Mistake] = []
    for file in files or (None,):
        try:
            found = read_inputs(settings, file) if file is not None else need_inputs(settings)
        except RulebookRefused as refused:
            mistakes += refused.mistakes
        else:
            assert found is not None
            read.append(found)
    findings = [finding for each in read for finding in lint(each, settings.currency)]
    failed = bool(mistakes) or any(strict or each.severity is Severity.ERROR for each in findings)
    if as_json:
        click.echo(json.dumps(_as_dict(read, mistakes, findings, ok=not failed), indent=2))
    else:
        _print(read, mistakes, findings)
    if failed:
        raise SystemExit(1)


def _as_dict(
    read: list[Inputs], mistakes: list[Mistake], findings: list[Finding], *, ok: bool
) -> dict[str, Any]:
    return {
        "ok": ok,
        "mistakes": [each.as_dict() for each in mistakes],
        "findings": [each.as_dict() for each in findings],
        "files": [
            {
                "path": each.path,
                "hash": each.hash,
                "sources": {
                    name: {
                        "reads": source.entry.topic or source.entry.files or source.entry.webhook,
                        "feeds": [topic.label for topic in source.topics],
                    }
                    for name, source in each.sources.items()
                },
            }
            for each in read
        ],
    }


def _print(read: list[Inputs], mistakes: list[Mistake], findings: list[Finding]) -> None:
    for each in (*mistakes, *findings):
        click.echo(printable(str(each)))
    if mistakes:
        click.echo(counted(len(mistakes), "mistake"))
    for inputs in read:
        for name, source in inputs.sources.items():
            entry = source.entry
            place = entry.topic or entry.files or f"webhooks of {entry.webhook}"
            feeds = ", ".join(topic.label for topic in source.topics)
            click.echo(printable(f"source {name!r}: {place} to {feeds}"))
        click.echo(f"{counted(len(inputs.sources), 'source')}; inputs {inputs.hash}")
    if findings:
        errors = sum(each.severity is Severity.ERROR for each in findings)
        click.echo(f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}")
