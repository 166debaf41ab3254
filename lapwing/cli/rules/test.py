"""`lapwing rules test`: cases beside the rules, run through the engine that warns."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import PATH


@click.command("test")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=PATH)
@click.option(
    "--rules",
    "rule_paths",
    multiple=True,
    type=PATH,
    help="The rules to test, a file or folder; by default those in the folder that holds `cases/`.",
)
@click.option(
    "--run", "wanted", metavar="NAME", help="Run only cases whose name holds NAME, or fits it as a pattern."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.option("-v", "--verbose", is_flag=True, help="Print passed cases too, with what happened in them.")
def command(**given: Any) -> None:
    """Run the test cases at PATH (default: warning_rules): case files, or folders that hold a `cases` folder.

    What a case expects must happen and nothing else may. Exits with 1 where a case fails or cannot be read.
    """
    from lapwing.commands.rules.test import run

    run(**given)
