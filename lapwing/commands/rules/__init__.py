"""`lapwing rules`: what operations do with rule files before they are live."""

from __future__ import annotations

import click

from lapwing.commands.rules.audit import audit
from lapwing.commands.rules.check import check


@click.group("rules")
def command() -> None:
    """Check rule files; tell what was changed."""


command.add_command(audit)
command.add_command(check)
