"""`lapwing inputs`: the mapping of your own records to events, tried before it is live."""

from __future__ import annotations

import click

from lapwing.cli.inputs.check import command as check
from lapwing.cli.inputs.guess import command as guess
from lapwing.cli.inputs.preset import command as preset
from lapwing.cli.inputs.trial import command as trial


@click.group("inputs")
def command() -> None:
    """Check inputs.yaml and try it on records; propose one for a file, print those that come with Lapwing."""


for each in (check, guess, preset, trial):
    command.add_command(each)
