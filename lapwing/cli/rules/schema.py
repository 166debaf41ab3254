"""`lapwing rules schema`: JSON Schemas of rulebook files, so that editors complete and check them."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import FOLDER


@click.command("schema")
@click.option("--cases", is_flag=True, help="Print the schema of test cases instead of that of rules.")
@click.option(
    "--out",
    type=FOLDER,
    help="Write those of rules, cases, plays and reasons to this folder, as NAME.schema.json.",
)
def command(**given: Any) -> None:
    """Print the JSON Schema of rule files.

    `# yaml-language-server: $schema=rules.schema.json` at the top of a rule file makes editors use it.
    """
    from lapwing.commands.rules.schema import run

    run(**given)
