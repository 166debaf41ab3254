"""`lapwing rules schema`: JSON Schemas of rule and case files, so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from lapwing.terminal.output import whole_file
from streams.rulebook.schema import CASES_FILE, RULES_FILE, cases_schema, rules_schema


@click.command("schema")
@click.option("--cases", is_flag=True, help="Print the schema of test cases instead of that of rules.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Write both to this folder, as {RULES_FILE} and {CASES_FILE}.",
)
def schema(cases: bool, out: Path | None) -> None:
    """Print the JSON Schema of rule files.

    `# yaml-language-server: $schema=rules.schema.json` at the top of a rule file tells editors to use it.
    """
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
