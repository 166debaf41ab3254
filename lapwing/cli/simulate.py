"""`lapwing simulate`: a seeded shop with known truth, to a file or to Kafka."""

from __future__ import annotations

from typing import Any, Final

import click

from lapwing.settings.options import ENGINE_SETTINGS, FILE, NumberParam, settings_options

MOST_CUSTOMERS: Final = 10_000_000
MOST_DAYS: Final = 3_660


@click.command()
@click.option("--customers", type=click.IntRange(1, MOST_CUSTOMERS), default=3_000, show_default=True)
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=730, show_default=True)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same shop."
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2023-01-02",
    show_default=True,
    help="The first day.",
)
@click.option(
    "--out",
    type=FILE,
    help="Write the events here: .jsonl, .jsonl.gz, .jsonl.zst or .parquet.",
)
@click.option(
    "--truth",
    type=FILE,
    help="Write what each customer really is and does here; the same endings.",
)
@click.option(
    "--speed",
    type=NumberParam(0, min_open=True),
    help="To Kafka: simulated days a second; by default as fast as possible.",
)
@click.option(
    "--capacity",
    type=click.IntRange(1),
    help="How many customers a day a team calls, from the queue of warnings; to a file only.",
)
@click.option(
    "--effect",
    "effects",
    multiple=True,
    metavar="PLAY=CHANCE",
    help="How often a customer who is leaving stays after the play; by default what plays.yaml believes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@settings_options("broker", "orders", "logins", "complaints", "profiles", "rules", *ENGINE_SETTINGS)
def command(**given: Any) -> None:
    """Make a seeded shop with known truth, of any size.

    Customers of different pace, seasons, complaints that drive people away, leavers who fade and leavers who
    stop at once, and false alarms such as holidays and slow buyers. The events go to a file (--out), or to
    the topics of a broker (--broker, or one that is set), in the order of their time.

    With --capacity the shop is helped: the engine warns as in `lapwing replay`, a team calls those whom it is
    most worth rescuing, and some who were leaving stay. Customers who are held out are left alone. The
    truth then says who would have left, and what each treatment did.
    """
    from lapwing.commands.simulate import run

    run(**given)
