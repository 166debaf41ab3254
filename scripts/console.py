"""What pages show of commands and their output: read, run again, and written anew.

python -m scripts.console PAGE...    (`make readme`)

A page shows it in a fence that is marked `console`: a line that begins with `$ ` is a command, and the lines
after it are what it prints.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FENCE: Final = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
SECONDS: Final = re.compile(r"\d+\.\d s\b")


@dataclass(frozen=True, slots=True)
class Shown:
    """A command and what the page says it prints."""

    command: str
    output: str

    def run(self, folder: Path) -> str:
        """Return what the command prints now, run in `folder`, which has the repository's files."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", self.command], cwd=folder, capture_output=True, text=True, check=False,
            env=os.environ | {"PATH": path},
        )  # fmt: skip
        if done.stderr:
            sys.stderr.write(done.stderr)
        return done.stdout


def shown(page: Path) -> list[Shown]:
    """Return the commands of a page with what it shows of their output."""
    found = []
    for fence in FENCE.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", fence, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            while command.endswith("\\"):
                more, _, output = output.partition("\n")
                command = command[:-1] + more.strip()
            found.append(Shown(command, output))
    return found


def without_seconds(text: str) -> str:
    """Return text in which no duration stands: those differ from run to run."""
    return SECONDS.sub("0.0 s", text)


def main() -> None:
    """Write each page anew with what its commands print now."""
    for page in map(Path, sys.argv[1:]):
        text = page.read_text(encoding="utf-8")
        for each in shown(page):
            text = text.replace(each.output, each.run(ROOT))
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
