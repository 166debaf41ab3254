"""`lapwing rules check`: every mistake in rule files, and what is doubtful where there is none."""

from __future__ import annotations

from typing import Any

import click

from lapwing.settings.options import PATH, settings_options
from streams.core.events.topics import Topic


class Topics(click.ParamType):
    """Topics by their labels, with commas between them."""

    name = "topic,topic"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Topic, ...]:
        """Return the topics, or refuse the text."""
        labels = {topic.label: topic for topic in Topic}
        words = value.replace(",", " ").split()
        wrong = [word for word in words if word not in labels]
        if wrong:
            self.fail(f"{wrong[0]!r} is no topic; topics are {', '.join(labels)}", param, ctx)
        return tuple(labels[word] for word in words)


@click.command("check")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PATH)
@settings_options()
@click.option(
    "--topics",
    type=Topics(),
    help="The topics that are connected, with commas between them; by default all. "
    "A rule that reads another is an error.",
)
@click.option(
    "--cases",
    "case_paths",
    multiple=True,
    type=PATH,
    help="Where test cases are; by default the folders `cases` in and beside PATH.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def command(**given: Any) -> None:
    """Check rule files and folders as one set; every mistake is reported at once.

    Rules without mistakes are searched for what is doubtful: docs/rules.md explains each code. Exits with 1
    where there is a mistake or an error, with `--strict` for a warning too.
    """
    from lapwing.commands.rules.check import run

    run(**given)
