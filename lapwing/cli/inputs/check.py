"""`lapwing inputs check`: every mistake in a file of inputs, and what is doubtful where there is none."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import PATH, settings_options


@click.command("check")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=PATH)
@settings_options("inputs", "currency")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def command(**given: Any) -> None:
    """Check files of inputs, by default the one of the settings; every mistake is reported at once.

    A file without mistakes is searched for what is doubtful: docs/inputs.md explains each code. Exits with 1
    where there is a mistake or an error, with `--strict` for a warning too.
    """
    from lapwing.commands.inputs.check import run

    run(**given)
