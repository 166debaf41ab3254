"""`lapwing rules`: what operations do with rule files before they are live."""

from __future__ import annotations

import click

from lapwing.commands.rules.audit import audit
from lapwing.commands.rules.check import check
from lapwing.commands.rules.diff import diff
from lapwing.commands.rules.schema import schema
from lapwing.commands.rules.test import test
from lapwing.commands.rules.tune import tune_command


@click.group("rules")
def command() -> None:
    """Check, test, compare and tune rule files; tell what was changed."""


command.add_command(audit)
command.add_command(check)
command.add_command(diff)
command.add_command(schema)
command.add_command(test)
command.add_command(tune_command)
