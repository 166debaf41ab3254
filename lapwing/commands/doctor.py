"""`lapwing doctor`: print the settings in force and check what can be checked."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from lapwing.doctor.check import CheckOutcome
from lapwing.doctor.examine import examine
from lapwing.doctor.installation import Installation
from lapwing.settings.page import written
from lapwing.settings.settings import Settings
from lapwing.terminal.text import printable
from streams.redact import MASK

COLOURS = {
    CheckOutcome.OK: "green",
    CheckOutcome.WARNING: "yellow",
    CheckOutcome.FAILED: "red",
    CheckOutcome.SKIPPED: None,
}


def run(settings: Settings, as_json: bool) -> None:
    """Print each setting with its value and source, then what came of each check."""
    values = {
        name: MASK if settings.file(name) else written(name, getattr(settings, name))
        for name in Settings.model_fields
    }
    results = examine(Installation(settings))
    if as_json:
        shown = [{"name": n, "value": v, "source": settings.source(n)} for n, v in values.items()]
        click.echo(json.dumps({"settings": shown, "checks": [asdict(result) for result in results]}))
    else:
        wide = max(len(value) for value in values.values())
        for name, value in values.items():
            click.echo(f"{name:<22} {value:<{wide}}  {settings.source(name)}")
        click.echo()
        for result in results:
            outcome = click.style(f"{result.outcome:<8}", fg=COLOURS[result.outcome])
            click.echo(f"{result.check:<22} {outcome} {printable(result.detail)}")
    if any(result.outcome is CheckOutcome.FAILED for result in results):
        raise SystemExit(1)
