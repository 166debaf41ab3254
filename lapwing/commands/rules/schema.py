"""`lapwing rules schema`: JSON Schemas of rule and case files, so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lapwing.terminal.output import whole_file
from streams.rulebook.schema import CASES_FILE, RULES_FILE, cases_schema, rules_schema


def run(cases: bool, out: Path | None) -> None:
    """Print the JSON Schema of rule files."""
    if out is None:
        click.echo(as_text(cases_schema() if cases else rules_schema()), nl=False)
        return
    for name, content in ((RULES_FILE, rules_schema()), (CASES_FILE, cases_schema())):
        with whole_file(out / name) as path:
            path.write_text(as_text(content), encoding="utf-8")
        click.echo(out / name)


def as_text(content: dict[str, Any]) -> str:
    """Return a schema as it is published."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
