"""What one types: the commands with their arguments, flags and help.

Help answers at once because a command is two modules. `lapwing/cli/<name>.py` declares it and imports click
and the settings only; `lapwing/commands/<name>.py` does the work and imports what it needs at its top. The
body of a declaration imports the second and calls it, so an import stands inside a function here and nowhere
else. `tests/lapwing/test_cli.py` holds every command to it.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import os
import sys
from typing import Any, Final, NoReturn

import click

from lapwing.terminal.text import printable
from streams import __version__
from streams.errors import LapwingError
from streams.redact import masked
from streams.telemetry import logs

COMMANDS: Final[dict[str, str]] = {
    "act": "Acknowledge, snooze or expire a warning.",
    "backtest": "Judge rules by a history: load, precision, recall, lead time.",
    "demo": "Run the whole system on an embedded broker and watch warnings come.",
    "import": "Turn your own files into events, in event files or in Kafka.",
    "desk": "Serve the page on which a retention team works.",
    "doctor": "Print the settings in force and check what can be checked.",
    "effects": "Measure what plays do, against customers who were held out.",
    "erase": "Erase customers: from states, checkpoints, database and compacted topics.",
    "explain": "Explain why a customer is warned of, or not, and what would end it.",
    "ingest": "Take in signed webhooks and write their events to the topics.",
    "lapsed": "List customers who are gone, to be won back.",
    "inputs": "Check, try and guess the mapping of your own records to events.",
    "learn": "Learn from the customers of all partitions and publish models.",
    "model": "Report how good the model is; list models, choose the one in force.",
    "notify": "Send opened and escalated warnings to the team's channels.",
    "plays": "Check plays.yaml, see what each play needs to be worth it, and measure its success.",
    "replay": "Run the engine over event files.",
    "report": "Report what was lost in a period, why, and whether it helped.",
    "rules": "Check, test, compare and tune rule files; list what was changed.",
    "scorecard": "Measure how good alarms are, and who left without one.",
    "silence": "Mute notices of warnings; list and end silences.",
    "simulate": "Make a seeded shop with known truth.",
    "sink": "Store warnings in a database.",
    "tail": "Print warnings from the topic as they come.",
    "topics": "Create and check topics; print the contract.",
    "warnings": "List open warnings, show one.",
    "worker": "Read events from Kafka and warn.",
}
"""Every command and its line in `--help`; `lapwing/cli/<name>.py` declares it as `command`."""

OTHER_NAMES: Final = {"models": "model"}
"""Names that commands had before, and still answer to."""

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as shells have it."""

COLLECT_AFTER: Final = 50_000
"""Objects made before Python looks for cycles among the new ones, instead of 700. What a command imports
stays until its end: to look through it again and again was up to a tenth of the start of a command."""


class Commands(click.Group):
    """Commands whose declarations are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, or `None`."""
        cmd_name = OTHER_NAMES.get(cmd_name, cmd_name)
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"lapwing.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is called, or refuse the name with the likely right one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if close := difflib.get_close_matches(args[0], COMMANDS, n=1):
                error.message += f" Did you mean {close[0]!r}?"
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lapwing")
def lapwing() -> None:
    """Lapwing warns in time about customers who are about to leave."""


def main(args: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0, 2 after a usage error, 130 after Ctrl-C, 1 after any other failure.

    What the user or the machine caused is one line on stderr; a traceback is a defect of Lapwing.
    """
    gc.set_threshold(COLLECT_AFTER)
    logs.install()
    try:
        code: Any = lapwing.main(args=args, prog_name="lapwing", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except LapwingError as error:
        _report(str(error))
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has closed it. Python would complain when it flushes the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _report(f"{place}{error.strerror or error}")
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _report(text: str) -> None:
    """Print on stderr why the command failed, in the form that its log has."""
    text = masked(text)
    if not logs.report_failure(text):
        click.echo("\n".join(map(printable, f"lapwing: {text}".splitlines())), err=True)
