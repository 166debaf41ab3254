"""YAML text -> nodes that know their line: the narrow part of YAML that rule files are written in.

No tags, anchors, aliases, merges or second documents, so that a file says what it shows and cannot grow
when it is read; limits on size, depth and number of nodes stand before anything is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

MAX_BYTES: Final = 1_000_000
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 10


class YamlMistake(Exception):
    """A file that is not the YAML of rule files; line and column count from 1."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value with its place; `value` is text, a whole number, a float, a boolean or `None`."""

    value: str | int | float | bool | None
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entries:
    """A list or, with keys, a mapping with all its keys, repeated ones included, and its place."""

    keys: tuple[Scalar, ...] | None
    values: tuple[Scalar | Entries, ...]
    line: int
    column: int


def read_yaml(path: Path) -> Scalar | Entries:
    """Return the document of a file, or raise `YamlMistake`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise YamlMistake(1, 1, f"cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_BYTES:
        raise YamlMistake(1, 1, f"is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlMistake(line, 1, "is not UTF-8 text") from None
    return parse_yaml(text)


def parse_yaml(text: str) -> Scalar | Entries:
    """Return the document that a text holds, or raise `YamlMistake`."""
    try:
        _refuse_what_is_not_plain(text)
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlMistake(line, column, f"is not YAML: {error.problem or error.context}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlMistake(line, 1, "holds a character that YAML does not allow") from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise YamlMistake(1, 1, f"is not YAML: {' '.join(str(error).split())[:200]}") from None
    if node is None:
        raise YamlMistake(1, 1, "is empty")
    return _plain(node)


def _refuse_what_is_not_plain(text: str) -> None:
    """Go through the events, which build nothing, and stop at the first that rule files do not have."""
    depth = nodes = documents = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise YamlMistake(line, column, "holds a second document (---); use one file for each")
        elif isinstance(event, AliasEvent):
            raise YamlMistake(
                line, column, f"uses an alias (*{event.anchor}); write the value where it is meant"
            )
        elif isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent):
            nodes += 1
            depth += not isinstance(event, ScalarEvent)
            if event.anchor is not None:
                raise YamlMistake(
                    line, column, f"uses an anchor (&{event.anchor}); write the value where it is meant"
                )
            if event.tag is not None:
                tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
                raise YamlMistake(line, column, f"uses a tag ({tag}); write plain values")
            if nodes > MAX_NODES:
                raise YamlMistake(line, column, f"holds more than {MAX_NODES} values")
            if depth > MAX_DEPTH:
                raise YamlMistake(line, column, f"is nested deeper than {MAX_DEPTH} levels")
        elif type(event).__name__ in ("MappingEndEvent", "SequenceEndEvent"):
            depth -= 1


def _plain(node: Node) -> Scalar | Entries:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if isinstance(node, MappingNode):
        keys = tuple(_key(key) for key, _ in node.value)
        return Entries(keys, tuple(_plain(value) for _, value in node.value), line, column)
    if isinstance(node, SequenceNode):
        return Entries(None, tuple(_plain(each) for each in node.value), line, column)
    assert isinstance(node, ScalarNode)
    return Scalar(_value(node), str(node.value), line, column)


def _key(node: Node) -> Scalar:
    key = _plain(node)
    if isinstance(key, Entries):
        raise YamlMistake(key.line, key.column, "uses a list or mapping as a key")
    return key


def _value(node: ScalarNode) -> Any:
    """Return the value of a scalar as YAML 1.2 resolves it; odd numbers stay text."""
    text = str(node.value)
    kind = str(node.tag).rpartition(":")[2]
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text, 0)
            case "float":
                return float(text)
    except ValueError:
        pass
    return text
