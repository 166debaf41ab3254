"""`lapwing doctor`: print the settings in force and check what can be checked."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import settings_options


@click.command()
@settings_options("broker", "app", "rules", "database")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(**given: Any) -> None:
    """Print each setting with its value and source, then check what they name, from rules to disks.

    A finding says what is wrong, why that matters and what to do. Nothing is created or changed. The exit
    code is 1 where a check failed; what should be looked at, though nothing is broken, is a warning.
    """
    from lapwing.commands.doctor import run

    run(**given)
