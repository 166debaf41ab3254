"""The `lapwing` command: a table of commands, each in its own file, imported when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Final

import click

from streams import __version__
from streams.errors import LapwingError

COMMANDS: Final[dict[str, str]] = {
    "act": "Acknowledge, snooze or expire a warning.",
    "backtest": "Judge rules by a history: load, precision, recall, lead time.",
    "demo": "Run the whole system on an embedded broker and watch warnings come.",
    "doctor": "Print the settings in force and check what can be checked.",
    "explain": "Explain why a customer is warned of, or not, and what would end it.",
    "notify": "Send opened and escalated warnings to the team's channels.",
    "replay": "Run the engine over event files.",
    "rules": "Check and test rule files; tell what was changed.",
    "silence": "Mute notices of warnings; list and end silences.",
    "simulate": "Make a seeded shop with known truth.",
    "sink": "Store warnings in a database.",
    "tail": "Print warnings from the topic as they come.",
    "topics": "Create and check topics; print the contract.",
    "worker": "Read events from Kafka and warn.",
}
"""Every command and its line in `--help`; `lapwing/commands/<name>.py` holds it as `command`."""


class Commands(click.Group):
    """Commands loaded when they are called, so that `lapwing tail` does not import Faust."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, or `None`."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"lapwing.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lapwing")
def lapwing() -> None:
    """Lapwing warns in time about customers who are about to leave."""


def main(args: list[str] | None = None) -> Any:
    """Run the command line; an error the user can mend is one line on stderr and exit code 1."""
    try:
        return lapwing.main(args=args, prog_name="lapwing", standalone_mode=True)
    except LapwingError as error:
        click.echo(f"lapwing: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
