"""`lapwing plays`: what operations do with plays before they are live."""

from __future__ import annotations

from typing import Any

import click

from lapwing.cli.effects import effects_options
from lapwing.settings.options import PATH, settings_options


@click.group("plays")
def command() -> None:
    """Check plays.yaml, see what each play needs to be worth it, and measure its success."""


@command.command("check")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=PATH)
@settings_options("rules", "labour_rate")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def check(**given: Any) -> None:
    """Check the plays in PATH, a folder of rules (default: the setting `rules`), against rules and reasons.

    Prints for each play what it costs and from which value at risk on it is worth it. Exits with 1 where
    there is a mistake or an error, with `--strict` for a warning too.
    """
    from lapwing.commands.plays import run

    run(**given)


@command.command("estimate")
@effects_options("holdout_salt")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def estimate(**given: Any) -> None:
    """Propose the measured success of plays, as entries that replace those in plays.yaml.

    Measured as in `lapwing effects`. A play is proposed only where it helps beyond chance; for every other
    one a comment says why not. Nothing is written: people adopt it.
    """
    from lapwing.commands.effects import estimate

    estimate(**given)
