"""`lapwing rules`: what operations do with rule files before they are live."""

from __future__ import annotations

import click

from lapwing.cli.rules.audit import command as audit
from lapwing.cli.rules.check import command as check
from lapwing.cli.rules.diff import command as diff
from lapwing.cli.rules.schema import command as schema
from lapwing.cli.rules.test import command as test
from lapwing.cli.rules.tune import command as tune


@click.group("rules")
def command() -> None:
    """Check, test, compare and tune rule files; list what was changed."""


for each in (audit, check, diff, schema, test, tune):
    command.add_command(each)
