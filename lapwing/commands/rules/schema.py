"""`lapwing rules schema`: JSON Schemas of rulebook files, so that editors complete and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from lapwing.terminal.output import whole_file
from streams.inputs.inputs_file import InputsFile
from streams.rulebook.cases.case_file import CaseFile
from streams.rulebook.people_file import PeopleFile
from streams.rulebook.plays_file import PlaysFile
from streams.rulebook.reader import Document, json_schema
from streams.rulebook.reasons_file import ReasonsFile
from streams.rulebook.routes_file import RoutesFile
from streams.rulebook.rule_file import RuleFile

SCHEMAS: Final[dict[str, type[Document]]] = {
    "rules.schema.json": RuleFile,
    "cases.schema.json": CaseFile,
    "plays.schema.json": PlaysFile,
    "reasons.schema.json": ReasonsFile,
    "routes.schema.json": RoutesFile,
    "people.schema.json": PeopleFile,
    "inputs.schema.json": InputsFile,
}
"""The published schemas, each made of the model that reads the file."""


def run(cases: bool, out: Path | None) -> None:
    """Print the JSON Schema of rule files."""
    if out is None:
        click.echo(as_text(json_schema(CaseFile if cases else RuleFile)), nl=False)
        return
    for name, model in SCHEMAS.items():
        with whole_file(out / name) as path:
            path.write_text(as_text(json_schema(model)), encoding="utf-8")
        click.echo(out / name)


def as_text(content: dict[str, Any]) -> str:
    """Return a schema as it is published."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
