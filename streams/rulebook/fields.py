"""The types of fields in rulebook files: how each is read, and its JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from streams.core.conditions.parser import closest
from streams.duration import parse_duration
from streams.rulebook.reader import EMPTY, Schema, WrongValueError, refusal

SLUG: Final = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
VERSION: Final = 1
"""Of the formats of rule files and case files."""

_UNIT_WRITTEN_OUT: Final = re.compile(r"(\d+)\s*(sec\w*|min\w*|hours?|hrs?|days?|weeks?|[smhdw](?<=\s.))")


@dataclass(frozen=True)
class Read:
    """Reads a field's value; written into its annotation."""

    how: Callable[[Any], Any]
    """Returns what the field holds, or raises `WrongValueError`."""
    schema: Schema = field(hash=False)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.how)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return dict(self.schema)


def written(value: Any) -> str:
    """Return a single value as text, much as it was written.

    >>> written(True), written(3)
    ('true', '3')
    """
    if isinstance(value, list | dict):
        kind = "list" if isinstance(value, list) else "mapping"
        quotes = "; put quotes around {...}" if kind == "mapping" else ""
        msg = f"must be a single value, not a {kind}{quotes}"
        raise WrongValueError(msg)
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def text(longest: int) -> Read:
    """Return what reads a text of at most so many characters."""

    def read(value: Any) -> str:
        plain = written(value).strip()
        if not plain:
            raise WrongValueError(EMPTY)
        if not isinstance(value, str):
            msg = f"must be text; write it in quotes: '{plain}'"
            raise WrongValueError(msg)
        if len(plain) > longest:
            msg = f"is longer than {longest} characters"
            raise WrongValueError(msg)
        return plain

    return Read(read, {"type": "string", "minLength": 1, "maxLength": longest})


def _slug(value: Any) -> str:
    found: str = text(64).how(value)
    if SLUG.fullmatch(found) is None:
        near = re.sub(r"[^a-z0-9]+", "-", found.lower()).strip("-")
        msg = f"{found!r} must be lower-case letters, digits, - and _"
        raise WrongValueError(msg, near or None)
    return found


slug: Final = Read(_slug, {"type": "string", "pattern": "^[a-z0-9]+([-_][a-z0-9]+)*$", "maxLength": 64})
"""A name in lower case."""


def slugs(what: str, *, may_be_empty: bool = False) -> Read:
    """Return what reads a list of names, or a single one as a list of one."""

    def read(value: Any) -> tuple[str, ...]:
        if isinstance(value, dict) or value is None or (value == [] and not may_be_empty):
            msg = f"must be a list of {what}" + ("" if may_be_empty else ", at least one")
            raise WrongValueError(msg)
        found, mistakes = [], []
        for place, each in enumerate(value if isinstance(value, list) else [value]):
            try:
                found.append(_slug(each))
            except WrongValueError as error:
                mistakes.append(WrongValueError(error.message, error.hint, (place,)))
        if mistakes:
            raise refusal(mistakes)
        return tuple(found)

    several: Schema = {"type": "array", "items": slug.schema} | ({} if may_be_empty else {"minItems": 1})
    return Read(read, {"anyOf": [slug.schema, several]})


def several(each: Read, what: str) -> Read:
    """Return what reads a list of values, at least one, or a single one as a list of one."""

    def read(value: Any) -> tuple[Any, ...]:
        given = value if isinstance(value, list) else [value]
        if not given:
            msg = f"must be a list of {what}, at least one"
            raise WrongValueError(msg)
        found, mistakes = [], []
        for place, one in enumerate(given):
            try:
                found.append(each.how(one))
            except WrongValueError as error:
                mistakes.append(WrongValueError(error.message, error.hint, (place,)))
        if mistakes:
            raise refusal(mistakes)
        return tuple(found)

    many: Schema = {"type": "array", "items": each.schema, "minItems": 1}
    return Read(read, {"anyOf": [each.schema, many]})


def parsed(parse: Callable[[str], Any], schema: Schema) -> Read:
    """Return what reads a single value with a parser that raises `ValueError`."""

    def read(value: Any) -> Any:
        given = written(value).strip()
        try:
            return parse(given)
        except WrongValueError:
            raise
        except ValueError as error:
            raise WrongValueError(str(error), likely_duration(given)) from None

    return Read(read, schema)


def likely_duration(given: str) -> str | None:
    """Return what a duration with its unit written out most likely means; a month has no unit here.

    >>> likely_duration("3 days")
    '3d'
    """
    found = _UNIT_WRITTEN_OUT.fullmatch(given.strip().lower())
    return found.group(1) + found.group(2)[0] if found else None


duration: Final = parsed(
    parse_duration,
    {
        "anyOf": [{"const": 0}, {"type": "string", "pattern": "^(0|([0-9]+(us|ms|s|m|h|d|w))+)$"}],
        "examples": ["30m", "12h", "2d", "1w"],
    },
)
"""A duration, in microseconds."""


def choice(known: Mapping[str, Any]) -> Read:
    """Return what reads one of some words, as what it stands for."""

    def read(value: Any) -> Any:
        given = written(value)
        if given not in known:
            msg = f"must be {', '.join(list(known)[:-1])} or {list(known)[-1]}, not {given!r}"
            raise WrongValueError(msg, closest(given, list(known)))
        return known[given]

    return Read(read, {"enum": list(known)})


def number(low: float, high: float) -> Read:
    """Return what reads a number from `low` to `high`."""

    def read(value: Any) -> float:
        given = written(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            msg = f"must be a number from {low:g} to {high:g}, not {given!r}"
            raise WrongValueError(msg)
        return float(value)

    return Read(read, {"type": "number", "minimum": low, "maximum": high})


def whole_number(low: int, high: int) -> Read:
    """Return what reads a whole number from `low` to `high`."""

    def read(value: Any) -> int:
        given = written(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            msg = f"must be a whole number from {low} to {high}, not {given!r}"
            raise WrongValueError(msg)
        return value

    return Read(read, {"type": "integer", "minimum": low, "maximum": high})


def _time_zone(value: Any) -> str:
    name: str = text(64).how(value)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"is no time zone: {name!r}"
        raise WrongValueError(msg, closest(name, sorted(available_timezones()))) from None
    return name


zone_field: Final = Read(_time_zone, {"type": "string"})
"""A name of the time zone database."""
language_field: Final = choice({"en": "en", "zh": "zh"})
"""A language in which people read."""


def _version(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value != VERSION:
        near = written(value).strip() in ("1.0", "v1", "1")
        msg = f"must be {VERSION}, not {written(value)!r}" if written(value) else f"must be {VERSION}"
        raise WrongValueError(msg, str(VERSION) if near else None)
    return value


version: Final = Read(_version, {"const": VERSION})
"""The version of a file's format."""
