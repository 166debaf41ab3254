"""`lapwing inputs guess`: a mapping proposed from a file."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import FILE, PATH, settings_options


@click.command("guess")
@click.argument("file", type=PATH)
@click.option("--to", type=FILE, help="Write the proposal here; a file that is there is not replaced.")
@settings_options("max_skew")
def command(**given: Any) -> None:
    """Propose a mapping for FILE from the names of its columns and what stands in them.

    It is written as inputs.yaml, each field with how sure it is and why, and tried on the first rows. Nothing
    is invented: where the contract needs a field and no column is found for it, the proposal says so and the
    command ends with exit code 1.
    """
    from lapwing.commands.inputs.guess import run

    run(**given)
