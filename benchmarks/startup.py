"""How long a command takes to answer: its help, and the check of the shipped rules.

python -m benchmarks.startup [--runs N]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

import click

from lapwing.cli import lapwing

RULES: Final = ("rules", "check", "warning_rules")


def command_lines(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the call of help of every command and group."""
    yield (*path, "--help")
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from command_lines(inner, (*path, name))


def measured(words: tuple[str, ...], runs: int) -> tuple[float, float]:
    """Return the least seconds of so many calls: on the clock, and of the processors."""
    walls, processors = [], []
    for _ in range(runs):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "lapwing", *words], stdout=subprocess.DEVNULL, check=True, env=os.environ
        )
        walls.append(time.perf_counter() - begun)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processors.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(walls), min(processors)


def main() -> None:
    """Print a line for each command, the best of several calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    print(f"{'command':<34} {'seconds':>8} {'CPU s':>8}")
    for words in (*command_lines(lapwing), RULES):
        wall, processor = measured(words, runs)
        print(f"lapwing {' '.join(words):<26} {wall:>8.2f} {processor:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
