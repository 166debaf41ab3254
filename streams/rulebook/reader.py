"""Strict reading of YAML documents: known fields only, each of its kind, every mistake with its place."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from streams.core.conditions.parser import closest
from streams.duration import parse_duration
from streams.rulebook.yaml import Entries, Scalar

Node = Scalar | Entries
Fields = dict[str, Node]
"""The entries of a mapping by their keys."""

SLUG: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")

_UNIT_WRITTEN_OUT: Final = re.compile(r"(\d+)\s*(sec\w*|min\w*|hours?|hrs?|days?|weeks?|[smhdw](?<=\s.))")


class WrongValueError(ValueError):
    """A value that a field cannot take."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class StrictReader(ABC):
    """Files being read; mistakes are collected, so that all are told at once."""

    def __init__(self) -> None:
        self.path = ""
        """Of the file being read."""

    @abstractmethod
    def add_mistake(
        self, line: int, column: int, name: str | None, message: str, value: str | None, hint: str | None
    ) -> None:
        """Note a mistake in the file being read; `name` is that of the rule or case it lies in."""

    def refuse(
        self,
        node: Node | None,
        name: str | None,
        message: str,
        value: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Note a mistake at a node, or at the file's begin."""
        line, column = (node.line, node.column) if node is not None else (1, 1)
        self.add_mistake(line, column, name, message, value, hint)

    def mapping(self, node: Node, name: str | None, known: Iterable[str], otherwise: str) -> Fields | None:
        """Return the entries of a mapping under known keys; unknown and repeated ones are refused."""
        if not isinstance(node, Entries) or node.keys is None:
            self.refuse(node, name, otherwise)
            return None
        known = tuple(known)
        entries: Fields = {}
        lines: dict[str, int] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key.text not in known:
                self.refuse(key, name, f"unknown field {key.text!r}", key.text, closest(key.text, known))
            elif key.text in entries:
                first = lines[key.text]
                self.refuse(key, name, f"`{key.text}` is given twice, first in line {first}", key.text)
            else:
                # An empty value begins, for YAML, only where the next thing does.
                empty = isinstance(value, Scalar) and not value.text
                entries[key.text] = replace(value, line=key.line, column=key.column) if empty else value
                lines[key.text] = key.line
        return entries

    def items(self, node: Node, name: str | None, field: str, each: str) -> tuple[Node, ...]:
        """Return the items of a list that is not empty."""
        if not isinstance(node, Entries) or node.keys is not None:
            self.refuse(node, name, f"`{field}` must be a list: each {each} begins with a dash")
            return ()
        if not node.values:
            self.refuse(node, name, f"`{field}` is empty")
        return node.values

    def version(self, document: Node, top: Fields, version: int, required: Iterable[str]) -> None:
        """Refuse a document of another version, or without a part that it must have."""
        for name in ("version", *required):
            if name not in top:
                self.refuse(document, None, f"`{name}` is missing")
        given = top.get("version")
        if given is not None and not (isinstance(given, Scalar) and given.value == version):
            self.refuse(given, None, f"`version` must be {version}", written(given))

    def read(self, entries: Fields, name: str | None, field: str, how: Callable[[Scalar], Any]) -> Any:
        """Return the value of a field that may be absent; `None` where it is, or where it is wrong."""
        node = entries.get(field)
        return None if node is None else self.value(node, name, field, how)

    def value(self, node: Node, name: str | None, field: str, how: Callable[[Scalar], Any]) -> Any:
        """Return what a node says, or refuse it and return `None`."""
        try:
            return how(scalar(node))
        except WrongValueError as error:
            self.refuse(node, name, f"`{field}` {error}", written(node), error.hint)
            return None


def entry(node: Node, name: str) -> Node | None:
    """Return the first value of a mapping under a key."""
    if isinstance(node, Entries) and node.keys is not None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key.text == name:
                return value
    return None


def written(node: Node | None) -> str | None:
    """Return a single value as it was written."""
    return node.text if isinstance(node, Scalar) else None


def scalar(node: Node) -> Scalar:
    """Return a node that must be a single value."""
    if isinstance(node, Scalar):
        return node
    kind = "list" if node.keys is None else "mapping"
    msg = f"must be a single value, not a {kind}" + ("; put quotes around {...}" if kind == "mapping" else "")
    raise WrongValueError(msg)


def text(longest: int) -> Callable[[Scalar], str]:
    """Return what reads a text of at most so many characters."""

    def read(node: Scalar) -> str:
        if node.value is None or (isinstance(node.value, str) and not node.value.strip()):
            msg = "is empty; leave the field out or write something"
            raise WrongValueError(msg)
        if not isinstance(node.value, str):
            msg = f"must be text; write it in quotes: '{node.text}'"
            raise WrongValueError(msg)
        found = node.value.strip()
        if len(found) > longest:
            msg = f"is longer than {longest} characters"
            raise WrongValueError(msg)
        return found

    return read


def slug(node: Scalar) -> str:
    """Read a name in lower case."""
    found = text(64)(node)
    if SLUG.fullmatch(found) is None:
        near = re.sub(r"[^a-z0-9]+", "-", found.lower()).strip("-")
        msg = f"{found!r} must be lower-case letters, digits, - and _"
        raise WrongValueError(msg, near or None)
    return found


def duration(node: Scalar) -> int:
    """Read a duration as microseconds."""
    try:
        return parse_duration(node.text)
    except ValueError as error:
        raise WrongValueError(str(error), likely_duration(node.text)) from None


def likely_duration(given: str) -> str | None:
    """Return what a duration with its unit written out most likely means; a month has no unit here."""
    found = _UNIT_WRITTEN_OUT.fullmatch(given.strip().lower())
    return found.group(1) + found.group(2)[0] if found else None


def choice(known: Mapping[str, Any]) -> Callable[[Scalar], Any]:
    """Return what reads one of some words, as what it stands for."""

    def read(node: Scalar) -> Any:
        if node.text not in known:
            msg = f"must be {', '.join(list(known)[:-1])} or {list(known)[-1]}, not {node.text!r}"
            raise WrongValueError(msg, closest(node.text, list(known)))
        return known[node.text]

    return read
