"""`lapwing worker`: read events from Kafka and warn."""

from __future__ import annotations

from typing import Any, Final

import click

from lapwing.settings.options import FILE, DurationParam, settings_options

MOST_PROCESSES: Final = 64


@click.command()
@settings_options(
    "broker",
    "app",
    "rules",
    "checkpoints",
    "time_zone",
    "reorder",
    "session_timeout",
    "model_enabled",
    "metrics_listen",
)
@click.option(
    "--stats",
    type=FILE,
    help="Append the figures that `/status` shows to this file every second, a JSON object a line.",
)
@click.option(
    "--flush-after",
    "idle_us",
    type=DurationParam(),
    help="How long the input must be idle before events that wait to be put in order are judged; "
    "default: `reorder`. A stream that is played faster than real time needs it, with a longer `reorder`.",
)
@click.option(
    "--from-checkpoints",
    is_flag=True,
    help="Where the group's offsets have expired or were deleted: go on from the newest checkpoints.",
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="While no worker runs: rebuild all states from the topics, as they are partitioned now, and end.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, MOST_PROCESSES),
    default=1,
    show_default=True,
    help="How many workers to run, each a process: for machines with many cores. One that dies is started "
    "again.",
)
@click.option("--worker-number", type=int, hidden=True)  # these three: what a supervisor starts
@click.option("--worker-of", type=int, hidden=True)
@click.option("--address-to", type=int, hidden=True)
@click.option("--dry-run", is_flag=True, help="Judge everything, send nothing, and print what would be sent.")
@click.option(
    "--out",
    type=FILE,
    help="Dry run: write the warnings to this file.",
)
@click.option(
    "--follow/--no-follow", default=True, help="Dry run: keep running, or stop at the end of the topics."
)
@click.option("--json", "as_json", is_flag=True, help="Dry run: print it as JSON.")
def command(**given: Any) -> None:
    """Read events from Kafka, judge every customer by the rules and the model, and send warnings.

    It runs until SIGTERM or Ctrl-C. Several workers share the partitions. A worker starts from the last
    checkpoint of each partition, or from the beginning of the topics where there is none. It watches the rule
    files and adopts what changes in them.

    With --processes the metrics of all workers are served at one address, with the label `worker`. The
    command ends with an error where a worker cannot be started three times in a row.

    A dry run reads the topics from their beginning in a consumer group of its own, sends nothing, and saves
    nothing.
    """
    from lapwing.commands.worker import run

    run(**given)
