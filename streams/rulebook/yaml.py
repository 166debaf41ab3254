"""YAML text -> nodes that know their place: the narrow part of YAML that rulebook files are written in.

No tags, anchors, aliases, merges or second documents, so that a file means what it shows and cannot grow
when it is read. Size, depth and the number of nodes are bounded, and the file is read once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

MAX_BYTES: Final = 1_000_000
MAX_NODES: Final = 20_000
MAX_DEPTH: Final = 10

_NULL: Final = re.compile(r"|~|null|Null|NULL")
_BOOLEAN: Final = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,300}|0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_FLOAT: Final = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)

_SPECIAL: Final = re.compile(r"\.(?=[inIN])(\w+)")
"""`.inf` and `.nan`, which Python writes without the dot."""


class YamlMistake(Exception):
    """A file that is not the YAML of a rulebook; line and column count from 1."""

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
    values: tuple[Node, ...]
    line: int
    column: int

    def pairs(self) -> Iterator[tuple[Scalar, Node]]:
        """Yield the keys of a mapping with their values."""
        assert self.keys is not None
        yield from zip(self.keys, self.values, strict=True)


Node = Scalar | Entries


def parse_bytes(content: bytes) -> Node:
    """Return the document that a file's content holds, or raise `YamlMistake`."""
    if len(content) > MAX_BYTES:
        raise YamlMistake(1, 1, f"is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlMistake(line, 1, "is not UTF-8 text") from None
    return parse_yaml(text)


def parse_yaml(text: str) -> Node:
    """Return the document that a text holds, or raise `YamlMistake`.

    >>> parse_yaml("tier: high").keys
    (Scalar(value='tier', text='tier', line=1, column=1),)
    """
    try:
        return _document(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlMistake(line, column, f"is not YAML: {error.problem or error.context}") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlMistake(line, 1, "holds a character that YAML does not allow") from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise YamlMistake(1, 1, f"is not YAML: {' '.join(str(error).split())[:200]}") from None


@dataclass(slots=True)
class _Collection:
    """A list or mapping whose values are being read."""

    line: int
    column: int
    mapping: bool
    children: list[Node] = field(default_factory=list)

    def node(self) -> Entries:
        if not self.mapping:
            return Entries(None, tuple(self.children), self.line, self.column)
        keys, values = self.children[::2], tuple(self.children[1::2])
        return Entries(tuple(_key(key) for key in keys), values, self.line, self.column)


def _document(events: Iterator[Any]) -> Node:
    """Build the nodes of the one document, and stop at the first event that rulebook files do not have."""
    open_: list[_Collection] = []
    root: Node | None = None
    nodes = documents = 0
    for event in events:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise YamlMistake(line, column, "holds a second document (---); use one file for each")
            continue
        if isinstance(event, AliasEvent):
            raise YamlMistake(
                line, column, f"uses an alias (*{event.anchor}); write the value where it is meant"
            )
        if isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent):
            nodes += 1
            _refuse_what_is_not_plain(event, line, column)
            if nodes > MAX_NODES:
                raise YamlMistake(line, column, f"holds more than {MAX_NODES} values")
        node: Node
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            if len(open_) == MAX_DEPTH:
                raise YamlMistake(line, column, f"is nested deeper than {MAX_DEPTH} levels")
            open_.append(_Collection(line, column, isinstance(event, MappingStartEvent)))
            continue
        if isinstance(event, ScalarEvent):
            node = Scalar(_value(event), str(event.value), line, column)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            node = open_.pop().node()
        else:
            continue
        if open_:
            open_[-1].children.append(node)
        else:
            root = node
    if root is None:
        raise YamlMistake(1, 1, "is empty")
    return root


def _refuse_what_is_not_plain(event: Any, line: int, column: int) -> None:
    if event.anchor is not None:
        raise YamlMistake(
            line, column, f"uses an anchor (&{event.anchor}); write the value where it is meant"
        )
    if event.tag is not None:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        raise YamlMistake(line, column, f"uses a tag ({tag}); write plain values")


def _key(node: Node) -> Scalar:
    if isinstance(node, Entries):
        raise YamlMistake(node.line, node.column, "uses a list or mapping as a key")
    return node


def _value(event: Any) -> str | int | float | bool | None:
    """Return the value of a scalar as the core schema of YAML 1.2 resolves it; all else is text."""
    text = str(event.value)
    if event.style is not None:  # quoted, or a block
        return text
    if _NULL.fullmatch(text):
        return None
    if found := _BOOLEAN.fullmatch(text):
        return found[1] is not None
    if _WHOLE.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(_SPECIAL.sub(r"\1", text))
    return text
