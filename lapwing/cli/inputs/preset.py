"""`lapwing inputs preset`: mappings that come with Lapwing."""

from __future__ import annotations

from typing import Any

import click


@click.command("preset")
@click.argument("name", required=False)
def command(**given: Any) -> None:
    """Print the mapping NAME that comes with Lapwing, to be changed; without NAME list them."""
    from lapwing.commands.inputs.preset import run

    run(**given)
