"""Messages of rules: a text in which `{feature}` or `{feature:.1f}` stands for a feature's value.

A part in square brackets with a value in it is left out where that value is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from streams.core.steps import Value

MISSING: Final = "\u2013"
"""An en dash."""

_FIELD: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_OPTIONAL: Final = re.compile(r"\[([^\[\]]*)\]")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_FORMAT: Final = re.compile(r"\.[0-6][f%]")


def message_fields(template: str) -> Iterator[tuple[str, str]]:
    """Yield name and format (empty for the usual one) of each field; raise `ValueError` for a wrong one."""
    for match in _FIELD.finditer(template):
        text = match.group(0)
        if text in ("{{", "}}"):
            continue
        if text in ("{", "}"):
            msg = f"a single {text} in the message; write {text * 2} for the sign itself"
            raise ValueError(msg)
        name, colon, spec = match.group(1).partition(":")
        if _NAME.fullmatch(name) is None:
            msg = f"{text} is not a field; write {{feature}} or {{feature:.1f}}"
            raise ValueError(msg)
        if colon and _FORMAT.fullmatch(spec) is None:
            msg = f"{text} has an unknown format; write :.1f for decimals or :.0% for a percentage"
            raise ValueError(msg)
        yield name, spec


def render(template: str, values: Mapping[str, Value]) -> str:
    """Return the message with its values; a missing one shows as a dash, or as nothing with its brackets.

    >>> render("{orders_30d} orders[, {overdue:.1f} times the pace]", {"orders_30d": 3, "overdue": 2.04})
    '3 orders, 2.0 times the pace'
    >>> render("{orders_30d} orders[, {overdue:.1f} times the pace]", {"orders_30d": 1})
    '1 orders'
    """

    def field(match: re.Match[str]) -> str:
        text = match.group(0)
        if text in ("{{", "}}"):
            return text[0]
        name, _, spec = (match.group(1) or "").partition(":")
        return shown(values.get(name), spec)

    def optional(match: re.Match[str]) -> str:
        part = match.group(1)
        names = [name for name, _ in message_fields(part)]
        if not names:
            return match.group(0)
        return part if all(values.get(name) is not None for name in names) else ""

    return _FIELD.sub(field, _OPTIONAL.sub(optional, template))


def shown(value: Value, spec: str = "") -> str:
    """Return a value as people read it: numbers with about three digits, unless `spec` is given.

    >>> shown(12), shown(0.33333), shown(12.0), shown(1234.5), shown(0.2, ".0%")
    ('12', '0.333', '12', '1234', '20%')
    """
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    if spec:
        return format(value, spec)
    if isinstance(value, int):
        return str(value)
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else f"{value:.1g}"
