"""What pages show to be typed, in their order, and which of it is not run here, with the reason."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts import console
from tests.paths import ROOT

FENCE: Final = re.compile(r"^ *```(sh|console)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)

ELSEWHERE: Final = {
    r"make install && \. \.venv/bin/activate": "makes the environment that this test runs in",
    r"make demo": "tests/integration/test_demo.py",
    r"lapwing demo --data ": "tests/integration/test_demo.py",
    r"make (test|test-kafka|check)$": ".ci/run",
    r"make campaign ": "tests/faults/, and .ci/run with Apache Kafka",
    r"make fuzz$": "tests/fuzz/",
    r"make format$": "changes files of the repository; `make check` runs the same tools",
    r"make docs$": "tests/test_docs.py builds the site",
    r"make bench ": "minutes, for a million customers",
    r"sh deploy/prepare\.sh$": "tests/test_compose.py",
    r"docker ": "needs Docker; tests/integration/test_compose.py runs the command of each service",
    r"kubectl ": "needs a cluster; tests/deploy checks the manifests",
    r"promtool query instant ": "tests/integration/monitoring/test_expressions.py",
    r"curl -s http://127\.0\.0\.1:9469/": "no intake runs beside the pages: tests/integration/test_ingest.py",
    r"curl -s http://127\.0\.0\.1:9470/": "no importer runs beside the pages: test_import_follow.py",
    r"lapwing inputs try .* --inputs deploy/local/": "the file of an installation",
    r"lapwing inputs check$": "no inputs.yaml lies beside the rules: tests/lapwing/commands/inputs",
    r"lapwing import --follow ": "reads topics of your own: tests/integration/test_import_follow.py",
    r"LAPWING_INGEST_SECRETS=.* lapwing ingest ": "tests/integration/test_ingest.py",
    r"pip install ": "tests/test_docs.py has the extras; the package index is not asked in tests",
    r"apt-get install ": "changes the machine",
    r"python -m scripts\.keep_version ": "minutes, and an environment of its own",
}
"""Commands that are not run here, by how they begin: where they are run, or why they cannot be."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, or the pages of a folder, whose commands are typed one after the other."""

    name: str
    lines: tuple[str, ...]


def lines_of(text: str) -> list[str]:
    """Return what the `sh` and `console` fences of a page have to be typed.

    >>> lines_of("```sh\\n# once\\nlapwing topics   # makes them\\n```\\n\\n```console\\n$ ls\\na\\n```\\n")
    ['lapwing topics', 'ls']
    """
    found = []
    for kind, fence in FENCE.findall(text):
        for line in fence.replace("\\\n", " ").splitlines():
            typed = re.sub(r"(^|\s+)#\s.*", "", line).strip()
            if kind == "console":
                typed = typed[2:] if typed.startswith("$ ") else ""
            if typed:
                found.append(re.sub(r" {2,}", " ", typed))
    return found


def elsewhere(line: str) -> str | None:
    """Return the entry of `ELSEWHERE` for a command, `None` where it is run here."""
    return next((begins for begins in ELSEWHERE if re.match(begins, line)), None)


def pages() -> list[Page]:
    """Return all pages that show a command; runbooks are one page, each command of them once."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        if (ROOT / name).exists():
            page = "docs/runbooks" if Path(name).parent.name == "runbooks" else name
            found.setdefault(page, []).extend(lines_of((ROOT / name).read_text()))
    found["docs/runbooks"] = list(dict.fromkeys(found["docs/runbooks"]))
    return [Page(name, tuple(lines)) for name, lines in found.items() if lines]


def compared(page: Page) -> set[str]:
    """Return the commands of a page that tests/test_docs.py runs: it compares what they print."""
    place = ROOT / page.name
    files = [place] if place.is_file() else sorted(place.glob("*.md"))
    commands = [each.command for file in files for each in console.shown(file)]
    return {line for command in commands for line in lines_of(f"```console\n$ {command}\n```\n")}


def to_type(pages: list[Page]) -> list[Page]:
    """Return what is typed here: each command on the first page that has it, pages without one left out."""
    known = set().union(*map(compared, pages))
    found = []
    for page in pages:
        lines = tuple(line for line in page.lines if elsewhere(line) is None and line not in known)
        known.update(lines)
        if lines:
            found.append(Page(page.name, lines))
    return found
