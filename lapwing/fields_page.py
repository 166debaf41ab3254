"""The page of the fields of YAML files, made from the models that read them.

`python -m lapwing.fields_page` prints it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import click

from lapwing.commands.rules.schema import SCHEMAS
from streams.rulebook.reader import json_schema

PAGE: Final = """\
# Fields of files

<!-- Made from the models that read the files. -->

What rule files and the files beside them may hold. A field that is not here is a mistake, and so is one that
stands twice. `lapwing rules check` finds all mistakes of a folder at once, with their lines.

{files}
"""


def page() -> str:
    """Return the whole page."""
    return PAGE.format(files="\n\n".join(_file(model) for model in SCHEMAS.values()))


def _file(model: Any) -> str:
    schema = json_schema(model)
    definitions: dict[str, dict[str, Any]] = schema.get("$defs", {})
    parts = [f"## {schema['title'].removeprefix('Lapwing ').capitalize()}", schema["description"]]
    parts.append(_table(schema, definitions))
    for name, definition in definitions.items():
        parts += [f"### {_heading(name)}", definition.get("description", ""), _table(definition, definitions)]
    return "\n\n".join(part for part in parts if part)


def _heading(name: str) -> str:
    """Return the heading of a definition.

    >>> _heading("SegmentRuleEntry"), _heading("_Settings")
    ('Segment rule', 'Settings')
    """
    words = re.findall(r"[A-Z][a-z]+", name.removesuffix("Entry"))
    return " ".join(words).capitalize()


def _table(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        f"| `{name}`{' (required)' if name in required else ''} "
        f"| {_cell(_kind(field, definitions))} | {_default(field)} | {_cell(field.get('description', ''))} |"
        for name, field in schema.get("properties", {}).items()
    ]
    return "\n".join(["| field | value | default | meaning |", "|---|---|---|---|", *rows]) if rows else ""


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return what a field may hold, in words."""
    return " or ".join(dict.fromkeys(_kinds(field, definitions)))


def _kinds(field: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    match field:
        case {"$ref": reference}:
            heading = _heading(reference.rpartition("/")[2])
            yield f"[{heading}](#{heading.lower().replace(' ', '-')})"
        case {"anyOf": options} | {"oneOf": options}:
            for option in options:
                yield from _kinds(option, definitions)
        case {"type": [*kinds]}:
            for kind in kinds:
                yield from _kinds({"type": kind}, definitions)
        case {"enum": words}:
            yield ", ".join(f"`{word}`" for word in words)
        case {"const": word}:
            yield f"`{word}`"
        case {"type": "array", "items": items}:
            yield f"a list of {_kind(items, definitions)}"
        case {"type": "object", "additionalProperties": dict(inner)}:
            yield f"names with {_kind(inner, definitions)}"
        case {"type": "object"}:
            yield "names with values"
        case {"type": "null"}:
            yield "nothing"
        case {"type": "string", "pattern": pattern} if "us|ms|s" in pattern:
            yield "a duration"
        case {"type": "string"}:
            yield "text"
        case {"type": "boolean"}:
            yield "`true`, `false`"
        case {"type": "integer" | "number" as kind}:
            yield f"{'a whole number' if kind == 'integer' else 'a number'}{_range(field)}"
        case _:
            yield "any value"


def _range(field: dict[str, Any]) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    found = [f"{text} {field[name]:g}" for name, text in words.items() if name in field]
    return f", {' and '.join(found)}" if found else ""


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    return (
        "" if value in (None, [], {}, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


if __name__ == "__main__":
    click.echo(page(), nl=False)
