"""`lapwing rules audit`: what was changed in the rules, when, from which set to which."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import settings_options


@click.command("audit")
@settings_options("broker", "audit_topic")
@click.option("--json", "as_json", is_flag=True, help="Print every partition's change as JSON, one a line.")
def command(**given: Any) -> None:
    """Print every change of the rules that workers have made: when, where, from what to what."""
    from lapwing.commands.rules.audit import run

    run(**given)
