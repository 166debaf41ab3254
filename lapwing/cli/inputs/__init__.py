"""`lapwing inputs`: what turns foreign records into events, before it is live."""

from __future__ import annotations

import click

from lapwing.cli.inputs.guess import command as guess
from lapwing.cli.inputs.preset import command as preset


@click.group("inputs")
def command() -> None:
    """Propose a mapping for a file, and print those that come with Lapwing."""


for each in (guess, preset):
    command.add_command(each)
