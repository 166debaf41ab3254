"""Paths into foreign records: `customer.id`, `items.0.sku`, `"a.b".c`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

LONGEST: Final = 400
DEEPEST: Final = 20
LARGEST_PLACE: Final = 999

Path = tuple[str | int, ...]
"""The names, and places in lists counted from 0, on the way to a value."""

_STEP: Final = re.compile(r'"((?:[^"]|"")*)"|([^".]+)')
_PLACE: Final = re.compile(r"[0-9]+")


class Blocked:
    """Stands where a path does not come to a single value, though something is there."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong
        """What is wrong, after the path's name."""

    def __repr__(self) -> str:
        return f"Blocked({self.wrong!r})"


NOT_SINGLE: Final = Blocked("holds a list or an object: name a value in it")
NO_WAY: Final = Blocked("cannot be reached: what is on the way to it is no object or list of that kind")


def parse_path(text: str) -> Path:
    """Return the steps of a path, or raise `ValueError` with what is wrong.

    A step of digits is a place in a list. A name that has dots, quotes or digits only stands in double
    quotes, with a quote in it written twice.

    >>> parse_path('items.0."unit.price"')
    ('items', 0, 'unit.price')
    """
    if len(text) > LONGEST:
        msg = f"a path has at most {LONGEST} characters"
        raise ValueError(msg)
    steps: list[str | int] = []
    at = 0
    while True:
        found = _STEP.match(text, at)
        if found is None:
            msg = f"is no path: {text!r}; write names with dots between them, a name with dots in quotes"
            raise ValueError(msg)
        quoted, plain = found.groups()
        if quoted is not None:
            steps.append(quoted.replace('""', '"'))
        elif _PLACE.fullmatch(plain):
            if len(plain) > 3:
                msg = f"names place {plain} of a list; the last that can be named is {LARGEST_PLACE}"
                raise ValueError(msg)
            steps.append(int(plain))
        else:
            steps.append(plain)
        at = found.end()
        if at == len(text):
            break
        if text[at] != "." or at + 1 == len(text):
            msg = f"is no path: {text!r}; write names with one dot between them"
            raise ValueError(msg)
        at += 1
    if isinstance(steps[0], int):
        msg = (
            f"begins with a place in a list, but a record is an object; put quotes around the name {steps[0]}"
        )
        raise ValueError(msg)
    if len(steps) > DEEPEST:
        msg = f"has more than {DEEPEST} steps"
        raise ValueError(msg)
    return tuple(steps)


def show_path(path: Path) -> str:
    """Return a path as it is written.

    >>> show_path(("items", 0, "unit.price"))
    'items.0."unit.price"'
    """
    return ".".join(str(step) if isinstance(step, int) else _name(step) for step in path)


def _name(step: str) -> str:
    plain = step and "." not in step and '"' not in step and _PLACE.fullmatch(step) is None
    return step if plain else '"' + step.replace('"', '""') + '"'


def follow(record: Mapping[str, object], path: Path) -> object:
    """Return the single value at a path of a record: `None` where there is none or it is null.

    Where something else is there a `Blocked` says so.
    """
    found: object = record
    for step in path:
        if isinstance(found, dict) and isinstance(step, str):
            found = found.get(step)
        elif isinstance(found, list) and isinstance(step, int):
            found = found[step] if step < len(found) else None
        else:
            return NO_WAY
        if found is None:
            return None
    return NOT_SINGLE if isinstance(found, dict | list) else found
