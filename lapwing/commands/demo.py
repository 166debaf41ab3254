"""`lapwing demo`: the whole system on an embedded broker."""

from __future__ import annotations

import sys
from typing import Any

import click


def run(**chosen: Any) -> None:
    """Run the whole system on this machine and watch warnings come."""
    if chosen["broker"] is not None and chosen["port"] is not None:
        msg = "--port is the embedded broker's; with --broker there is none"
        raise click.UsageError(msg)

    from rich.console import Console

    from lapwing.demo.children import ChildEnded
    from lapwing.demo.run import Options, run

    try:
        code = run(Options(**chosen), Console(highlight=False))
    except ChildEnded as error:
        for line in error.tail:
            click.echo(f"  {line}", err=True)
        raise
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
